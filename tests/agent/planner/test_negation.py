"""However it is said that something is not wanted: it is left out, taken off or asked, never wished for."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW

LEADS = [
    *(
        f"{no} {verb}"
        for no in ("do not", "don't", "never", "please don't", "i won't", "we can't")
        for verb in ("show me", "give me", "use", "list", "include", "look at", "consider", "recommend")
    ),
    *("i don't want", "i do not want to see", "not interested in", "i'm not interested in anything from"),
    *("i'd rather not have", "no way i'm using", "i hate", "we must not be on", "it should not be on", "not"),
    *("i am not convinced by", "not a big believer in", "i don't quite trust", "haven't warmed to"),
    *("not really into", "i never really liked", "don't limit it to", "it need not be on", "not necessarily"),
    *("don't only show", "nothing from", "not impressed with", "we didn't enjoy"),
]  # fmt: skip
THINGS: list[tuple[str, str, Any]] = [
    ("vast", "providers", "vast"),
    ("lambda", "providers", "lambda"),
    ("spot", "spot", True),
    ("marketplaces", "tier", "marketplace"),
    ("europe", "region", "eu"),
    ("the l4", "gpu", "L4"),
]


@pytest.mark.parametrize("shape", ["a100 prices, {}", "{}. a100 prices", "cheapest a100 but {}", "a100. {}!"])
def test_what_is_not_wanted_is_never_taken_as_wished_for(shape: str, words: Lexicon) -> None:
    wrong = []
    for lead, (said, argument, value) in product(LEADS, THINGS):
        asked = shape.format(f"{lead} {said}")
        made = plan(asked, words, NOW)
        for call in made.calls:
            held = call.arguments.get(argument)
            if held == value or (isinstance(held, list) and value in held):
                wrong.append(asked)
    assert wrong == []


@pytest.mark.parametrize(
    "tail",
    [
        *("is not an option", "isn't for me", "no thanks", "is not allowed", "won't do", "cannot be used"),
        *("isn't what i need", "? no", "is nothing for me", "doesn't interest me", "is out of the question"),
    ],
)
def test_what_is_ruled_out_behind_it_is_not_wished_for(tail: str, words: Lexicon) -> None:
    for said, argument, value in THINGS:
        made = plan(f"a100 prices; {said} {tail}", words, NOW)
        held = [call.arguments.get(argument) for call in made.calls]
        assert value not in held, said
        assert [value] not in held, said


@pytest.mark.parametrize("limit", ["more than $2", "over 2 dollars", "above $2/hr"])
@pytest.mark.parametrize(
    "lead", ["i don't want to pay", "don't go", "can't spend", "never", "not going", "it must not cost"]
)
def test_a_negated_comparison_is_a_ceiling(lead: str, limit: str, words: Lexicon) -> None:
    arguments = plan(f"h100, {lead} {limit}", words, NOW).calls[0].arguments
    assert (arguments.get("max_price"), arguments.get("min_price")) == (2, None)


@pytest.mark.parametrize("asked", ["h100, don't give me 4 gpus", "l4, not $2"])
def test_a_number_that_is_not_wanted_is_told(asked: str, words: Lexicon) -> None:
    made = plan(asked, words, NOW)
    assert set(made.calls[0].arguments) == {"gpu"}
    assert any("not used" in said.lower() for said in made.notices)


@pytest.mark.parametrize("asked", ["a100 but not 40gb", "A100, not the 40 GB one"])
def test_a_memory_size_that_is_not_wanted_is_left_out(asked: str, words: Lexicon) -> None:
    made = plan(asked, words, NOW)
    assert set(made.calls[0].arguments) == {"gpu"}
    assert made.then == {"op": "filter", "where": [["gpu_memory_gib", "ne", 40]]}


@pytest.mark.parametrize(
    "asked", ["leave aws out: h100", "h100, but keep aws and azure out of it", "aws left out, h100"]
)
def test_what_stands_between_leave_and_out_is_left_out(asked: str, words: Lexicon) -> None:
    arguments = plan(asked, words, NOW).calls[0].arguments
    assert arguments["exclude_providers"][0] == "aws"
    assert "providers" not in arguments


@pytest.mark.parametrize("asked", ["h100 that cannot be interrupted", "not too pricey h100", "h100, not bad"])
def test_a_negation_that_nothing_used_is_shown(asked: str, words: Lexicon) -> None:
    made = plan(asked, words, NOW)
    assert {"cannot", "not"} & {word for said in made.ignored for word in said.split()}


def test_a_filter_that_is_taken_off_is_told(words: Lexicon) -> None:
    assert "Not limited to europe." in plan("l4, it need not be in europe", words, NOW).notices


def test_fields_that_are_denied_are_filtered_as_denied(words: Lexicon) -> None:
    for asked in ("which clouds are not configured", "which clouds aren't configured"):
        assert plan(asked, words, NOW).then == {"op": "filter", "field": "configured", "value": False}


def test_whatever_is_offered_when_a_negation_is_unclear_can_be_planned(words: Lexicon) -> None:
    for asked in ("don't show me h100s on vast", "a100, not convinced by azure", "not sure about spot, l4"):
        made = plan(asked, words, NOW)
        assert made.behaviour == "clarify"
        assert made.choices
        for choice in made.choices:
            assert plan(choice, words, NOW).behaviour == "answer", choice
