"""What is offered when something is asked back is understood when it is given back as the next turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from agent.planner.query import Plan
from bench.evaluate import NOW

FOLDER = Path(__file__).parents[2] / "questions"


def _asked_back(words: Lexicon, path: Path) -> Iterator[tuple[str, Plan]]:
    """Every turn of a question file that is not answered, with what was said."""
    for question in yaml.safe_load(path.read_text())["questions"]:
        previous = None
        for turn in question["turns"]:
            made = plan(turn["user"], words, NOW, previous)
            if made.behaviour != "answer":
                yield turn["user"], made
            previous = made.query


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_choice_that_is_offered_is_answered_when_it_is_taken(path: Path, words: Lexicon) -> None:
    lost = [
        f"{said!r} -> {choice!r}: {next_one.behaviour} {next_one.question} {next_one.ignored}"
        for said, made in _asked_back(words, path)
        for choice in made.choices
        if (next_one := plan(choice, words, NOW, made.query)).behaviour != "answer" or next_one.ignored
    ]
    assert not lost


@pytest.mark.parametrize(
    ("said", "reply", "arguments"),
    [
        ("h100 under 2 euros", "under 2 dollars", {"gpu": ["H100"], "max_price": 2}),
        ("h100 under 2 euros", "the same without a price limit", {"gpu": ["H100"]}),
        ("a gpu on aws", "h100", {"gpu": ["H100"], "providers": ["aws"]}),
        ("graph of cpu", "web-01", {"name": ["web-01"], "metric": ["cpu"]}),
        ("graph of cpu", "of web-01", {"name": ["web-01"], "metric": ["cpu"]}),
        ("memory?", "on cache-01 please", {"name": ["cache-01"], "metric": ["memory"]}),
    ],
)
def test_a_reply_builds_on_what_was_clear_of_the_question(
    said: str, reply: str, arguments: dict[str, object], words: Lexicon
) -> None:
    made = plan(reply, words, NOW, plan(said, words, NOW).query)
    assert [dict(call.arguments) for call in made.calls] == [arguments]
