"""Whatever order a question's conditions come in: each is in the arguments, or said not to be used."""

from __future__ import annotations

import json
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from agent.planner.query import Plan, Query
from bench.evaluate import NOW

pytestmark = pytest.mark.no_cover
"""Thousands of plans, at half the time; what they reach others reach too."""

Part = tuple[str, str, Any]

MODELS: list[Part] = [("h100", "gpu", ["H100"]), ("v100", "gpu", ["V100"]), ("rtx 4090", "gpu", ["RTX4090"])]
MEMORY: list[Part] = [("16gb", "memory", 16), ("with 24 gb", "memory", 24), ("80gb", "memory", 80)]
REGION: list[Part] = [
    ("us", "region", ["us"]),
    ("us only", "region", ["us"]),
    ("in the us", "region", ["us"]),
    ("only in europe", "region", ["eu"]),
    ("eu only", "region", ["eu"]),
    ("in de", "region", ["de"]),
    ("us-east-1", "region", ["us-east-1"]),
]
PROVIDER: list[Part] = [("on aws", "providers", ["aws"]), ("from vast", "providers", ["vast"])]
NEGATION: list[Part] = [
    (f"{lead} azure", "exclude_providers", ["azure"])
    for lead in (
        "everywhere but",
        "wherever except",
        "any place but",
        "all of them but",
        "not on",
        "without",
        "any cloud but",
        "everyone but",
        "excluding",
    )
]
CAP: list[Part] = [
    ("under $2", "max_price", 2),
    ("at most $2", "max_price", 2),
    ("under 90c/hr", "max_price", 0.9),
    ("for less than 90 cents", "max_price", 0.9),
    ("max $2 per hour", "max_price", 2),
]
SPOT: list[Part] = [("spot", "spot", True), ("preemptible", "spot", True), ("on-demand", "spot", False)]


def _lost(made: Plan, parts: list[Part]) -> list[str]:
    """The conditions that are neither in the arguments nor mentioned; a question back loses none."""
    if made.behaviour != "answer":
        return [] if made.behaviour == "clarify" and made.question else ["refused"]
    arguments = {name: value for call in made.calls for name, value in call.arguments.items()}
    said = " ".join((*made.ignored, *made.notices)).lower()
    lost = []
    for words, name, value in parts:
        names = {"memory": ("memory", "min_memory")}.get(name, (name,))
        held = any(
            _text(arguments.get(one)) == _text(value) or _within(value, arguments.get(one)) for one in names
        )
        if not held and words.split()[-1] not in said:
            lost.append(words)
    return lost


def _text(value: Any) -> str:
    return json.dumps(value).lower()


def _within(value: Any, kept: Any) -> bool:
    return isinstance(value, list) and isinstance(kept, list) and set(value) <= set(kept)


def _optional(parts: list[Part]) -> st.SearchStrategy[Part | None]:
    return st.one_of(st.none(), st.sampled_from(parts))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    model=st.sampled_from(MODELS),
    others=st.tuples(
        _optional(MEMORY),
        _optional(REGION),
        st.one_of(_optional(PROVIDER), _optional(NEGATION)),
        _optional(CAP),
        _optional(SPOT),
    ),
    joint=st.sampled_from([" ", ", "]),
    order=st.permutations(range(6)),
)
def test_no_condition_is_lost(
    model: Part, others: tuple[Part | None, ...], joint: str, order: list[int], words: Lexicon
) -> None:
    parts = [part for at in order if (part := (model, *others)[at]) is not None]
    asked = joint.join(part[0] for part in parts)
    assert _lost(plan(asked, words, NOW), parts) == [], asked


@pytest.mark.parametrize("joint", [" ", ", "])
def test_model_region_and_exclusion_in_every_order(joint: str, words: Lexicon) -> None:
    """Small enough to be tried whole, and never answered by a question back."""
    wrong = []
    for chosen in product(MODELS[:1], REGION, NEGATION):
        for parts in permutations(chosen):
            made = plan(joint.join(part[0] for part in parts), words, NOW)
            if made.behaviour != "answer" or _lost(made, list(parts)):
                wrong.append(joint.join(part[0] for part in parts))
    assert wrong == []


@pytest.mark.parametrize("word", ["it", "in", "no", "de", "ca", "us", "at", "be", "is"])
@pytest.mark.parametrize("asked", ["h100, {}", "h100 spot, {}", "h100, {}, spot", "h100, {} only"])
def test_a_short_place_is_used_or_shown(asked: str, word: str, words: Lexicon) -> None:
    made = plan(asked.format(word), words, NOW)
    said = " ".join((*made.ignored, *made.notices))
    held = any(word in call.arguments.get("region", []) for call in made.calls)
    assert made.behaviour == "clarify" or held or word in said.split()


def _turns(words: Lexicon, *asked: str) -> Plan:
    previous: Query | None = None
    for text in asked:
        made = plan(text, words, NOW, previous)
        previous = made.query
    return made


@pytest.mark.parametrize("verb", ["remove the", "drop the", "forget the", "no", "without a", "lift that"])
@pytest.mark.parametrize(
    ("what", "argument"),
    [
        ("price", "max_price"),
        ("region", "region"),
        ("count", "count"),
        ("memory", "memory"),
        ("spot", "spot"),
    ],
)
def test_a_limit_that_is_taken_away_is_gone(verb: str, what: str, argument: str, words: Lexicon) -> None:
    first = "4x a100 80gb spot in eu under $9"
    made = _turns(words, first, f"{verb} {what} limit")
    before = dict(plan(first, words, NOW).calls[0].arguments)
    assert argument in before
    del before[argument]
    assert dict(made.calls[0].arguments) == before


@pytest.mark.parametrize(
    "asked",
    ["no region or price limit", "drop the price and the region limit", "any price, any region"],
)
def test_two_limits_are_taken_away_at_once(asked: str, words: Lexicon) -> None:
    made = _turns(words, "l40s in us under $1", asked)
    assert dict(made.calls[0].arguments) == {"gpu": ["L40S"]}


@pytest.mark.parametrize("asked", ["h100 any price and spot", "h100 under $9, any spot", "any spot h100"])
def test_spot_is_kept_beside_what_is_taken_away(asked: str, words: Lexicon) -> None:
    assert plan(asked, words, NOW).calls[0].arguments["spot"] is True


def test_spot_that_is_dropped_is_no_filter_and_left_out_is_one(words: Lexicon) -> None:
    assert dict(_turns(words, "l40s spot", "drop spot").calls[0].arguments) == {"gpu": ["L40S"]}
    assert plan("h100, skip spot", words, NOW).calls[0].arguments["spot"] is False


def test_after_what_cannot_be_asked_yet_the_thread_is_not_another_one(words: Lexicon) -> None:
    made = _turns(words, "cheapest l4", "what did we spend last month", "in westeurope")
    assert made.behaviour == "clarify"
    assert "yet" in str(made.question)
    assert _turns(words, "what did we spend last month", "cheapest l4").behaviour == "answer"


@pytest.mark.parametrize("asked", ["show me", "show me something", "give me", "list"])
def test_an_order_to_show_nothing_is_asked_back(asked: str, words: Lexicon) -> None:
    assert plan(asked, words, NOW).behaviour == "clarify"


def test_a_bare_most_is_rows_a_price_or_asked(words: Lexicon) -> None:
    assert plan("h100 offers, max 15", words, NOW).calls[0].arguments["limit"] == 15
    assert plan("list h100, at most 15", words, NOW).calls[0].arguments["limit"] == 15
    assert plan("h100 offers, max 3", words, NOW).behaviour == "clarify"
    assert plan("h100 max 15", words, NOW).behaviour == "clarify"
    priced = plan("h100 max 2", words, NOW)
    assert priced.calls[0].arguments["max_price"] == 2
    assert priced.notices
