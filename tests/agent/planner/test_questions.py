"""Every question of our own files is planned as its file says; what is not, is listed here with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from agent.planner.query import Call
from bench.evaluate import NOW, right
from mcp_server import specs

FOLDER = Path(__file__).parents[2] / "questions"
KNOWN_MISSES: dict[str, str] = {}


AT = NOW.replace(microsecond=250_000)
"""No clock stands on a full second; the plan is that of the second."""


def _questions() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for question in yaml.safe_load(path.read_text())["questions"]:
            found.append(pytest.param(question, id=question["id"]))
    return found


@pytest.mark.parametrize("question", _questions())
def test_the_plan_is_what_the_question_file_says(question: dict[str, Any], words: Lexicon) -> None:
    if question["id"] in KNOWN_MISSES:
        pytest.skip(KNOWN_MISSES[question["id"]])
    previous = None
    for turn in question["turns"]:
        made = plan(turn["user"], words, AT, previous)
        assert right(turn["expect"], made), f"{turn['user']!r}: {made.as_json()}"
        previous = made.query


def test_there_are_two_hundred_questions_and_no_id_twice() -> None:
    ids = [param.id for param in _questions()]
    assert len(ids) >= 200
    assert len(ids) == len(set(ids))


def _examples() -> list[Any]:
    return [
        pytest.param(name, example, id=f"{name}: {example['question']}")
        for name, spec in specs.load().items()
        if name != "ask"  # takes the question itself, so no question is planned to it
        for example in spec.examples
    ]


@pytest.mark.parametrize(("tool", "example"), _examples())
def test_every_example_of_a_spec_compiles_to_its_arguments(
    tool: str, example: dict[str, Any], words: Lexicon
) -> None:
    made = plan(example["question"], words, NOW)
    assert _folded(made.calls) == (tool, example["arguments"])


def _folded(calls: Sequence[Call]) -> tuple[str, dict[str, Any]]:
    """A call together with what narrows its resources in the call that feeds it, as one call."""
    *feeding, last = calls
    assert all(last.arguments["id"] == f"${call.id}.uid" for call in feeding)
    own = {name: value for name, value in last.arguments.items() if not (feeding and name == "id")}
    narrowing = {name: value for call in feeding for name, value in call.arguments.items()}
    listed = {name: value if isinstance(value, list) else [value] for name, value in narrowing.items()}
    return last.tool, {**listed, **own}


@pytest.mark.parametrize(
    ("tool", "question"), [(name, q) for name, spec in specs.load().items() for q in spec.nl["examples"]]
)
def test_every_spoken_example_of_a_spec_is_for_that_tool(tool: str, question: str, words: Lexicon) -> None:
    assert plan(question, words, NOW).calls[-1].tool == tool
