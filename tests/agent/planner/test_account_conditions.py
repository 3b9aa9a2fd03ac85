"""Questions about what one runs: no condition is lost or turned round; names are only names."""

from __future__ import annotations

import json
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from agent.planner.query import Plan
from bench.evaluate import NOW, lexicon

pytestmark = pytest.mark.no_cover
"""Thousands of plans, at half the time; what they reach others reach too."""

Part = tuple[str, str, Any]
_kept: list[Lexicon] = []


def _words() -> Lexicon:
    if not _kept:
        _kept.append(lexicon())
    return _kept[0]


TYPES: list[Part] = [
    ("instances", "resource_type", ["instance"]),
    ("vms", "resource_type", ["instance"]),
    ("databases", "resource_type", ["database"]),
    ("volumes", "resource_type", ["volume"]),
    ("buckets", "resource_type", ["bucket"]),
]
BEHIND: list[list[Part]] = [
    [("on aws", "providers", ["aws"]), ("in gcp", "providers", ["gcp"]), ("not on azure", "where", "azure")],
    [("in europe", "region", ["eu"]), ("in us-east-1", "region", ["us-east-1"])],
    [("tagged team=ml", "tag", ["team=ml"]), ("without an owner tag", "missing_tag", ["owner"])],
    [("in account acme", "account", ["acme"])],
    [("older than 30 days", "older_than", "30d"), ("created this week", "created_since", "this_week")],
    [("that are stopped", "status", ["stopped"]), ("except terminated ones", "status_not", ["terminated"])],
    [("bigger than 100gb", "min_size_gb", 100), ("with 8 or more cores", "min_vcpu", 8)],
]


def _held(made: Plan, name: str, value: Any) -> bool:
    """Whether a call, or a condition that code filters by, has it."""
    conditions = [*(made.then or {}).get("where", ()), *(made.then or {}).get("before", ())]
    if any(value == one[2] or [value] == one[2] for one in conditions):
        return True
    for call in made.calls:
        held = call.arguments.get(name)
        if held == value or [held] == value:
            return True
        if isinstance(held, list) and isinstance(value, list) and set(value) <= set(held):
            return True
    return False


def _lost(made: Plan, parts: list[Part]) -> list[str]:
    """The conditions that are neither in a call nor mentioned; a question back loses none."""
    if made.behaviour != "answer":
        return [] if made.behaviour == "clarify" and made.question else ["refused"]
    said = " ".join((*made.ignored, *made.notices)).lower()
    return [
        words
        for words, name, value in parts
        if not _held(made, name, value) and words.split()[-1] not in said and words.split()[-2] not in said
    ]


_OPTIONS = st.tuples(*(st.one_of(st.none(), st.sampled_from(some)) for some in BEHIND))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    noun=st.sampled_from(TYPES),
    conditions=_OPTIONS,
    order=st.permutations(range(len(BEHIND))),
    lead=st.sampled_from(["", "list ", "show me all ", "how many ", "which "]),
)
def test_no_condition_of_a_list_is_lost(
    noun: Part, conditions: tuple[Part | None, ...], order: list[int], lead: str
) -> None:
    parts = [noun, *(part for at in order if (part := conditions[at]) is not None)]
    asked = lead + " ".join(part[0] for part in parts)
    assert _lost(plan(asked, _words(), NOW), parts) == [], asked


MEASURES: list[Part] = [
    ("with cpu under 20 %", "op", "lt"),
    ("with average memory over 80 %", "op", "gt"),
    ("with p99 latency above 200 ms", "agg", "p99"),
]
WHEN: list[Part] = [("yesterday", "time", "yesterday"), ("over the last 7 days", "time", "last_7d")]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    noun=st.sampled_from(TYPES[:3]),
    measure=st.sampled_from(MEASURES),
    when=st.one_of(st.none(), st.sampled_from(WHEN)),
    conditions=st.tuples(*(st.one_of(st.none(), st.sampled_from(some)) for some in BEHIND[:4])),
    order=st.permutations(range(5)),
)
def test_no_condition_of_a_measurement_is_lost(
    noun: Part,
    measure: Part,
    when: Part | None,
    conditions: tuple[Part | None, ...],
    order: list[int],
) -> None:
    loose = [measure, *conditions]
    parts = [noun, *(part for at in order if (part := loose[at]) is not None)]
    parts += [when] if when is not None else []
    asked = " ".join(part[0] for part in parts)
    assert _lost(plan(asked, _words(), NOW), parts) == [], asked


def test_every_order_of_three_conditions_gives_the_same_list(words: Lexicon) -> None:
    for conditions in product(BEHIND[0][:2], BEHIND[2], BEHIND[4]):
        made = [
            plan(" ".join(["vms", *(c[0] for c in some)]), words, NOW) for some in permutations(conditions)
        ]
        assert len({json.dumps(dict(one.calls[0].arguments), sort_keys=True) for one in made}) == 1
        assert all(not one.ignored for one in made)


LEADS = [
    "not",
    "except",
    "but not",
    "excluding",
    "without",
    "other than",
    "minus",
    "apart from",
    "no",
    "never",
]
THINGS: list[tuple[str, str, str]] = [
    ("aws", "providers", "aws"),
    ("us-east-1", "region", "us-east-1"),
    ("volumes", "resource_type", "volume"),
    ("stopped ones", "status", "stopped"),
    ("prod", "tag", "env=prod"),
    ("team=ml", "tag", "team=ml"),
    ("postgres", "engine", "postgres"),
]


@pytest.mark.parametrize("shape", ["all resources {}", "list everything {}", "resources in europe {}"])
def test_what_is_left_out_is_never_asked_for(shape: str, words: Lexicon) -> None:
    wrong = []
    for lead, (said, argument, value) in product(LEADS, THINGS):
        asked = shape.format(f"{lead} {said}")
        for call in plan(asked, words, NOW).calls:
            held = call.arguments.get(argument)
            if held == value or (isinstance(held, list) and value in held):
                wrong.append(asked)
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "op", "value"),
    [
        ("not above 80 %", "le", 80),
        ("not under 20 %", "ge", 20),
        ("no more than 80 %", "le", 80),
        ("no less than 20 %", "ge", 20),
        ("never above 80 %", "gt", 80),
    ],
)
def test_a_comparison_that_is_denied_is_turned_round(said: str, op: str, value: int, words: Lexicon) -> None:
    made = plan(f"instances with cpu {said}", words, NOW)
    call = made.calls[-1].arguments
    assert call["value"] == value
    assert call["op"] == op or call.get("agg") == "max"


_PIECES = st.sampled_from(
    [
        *(
            "instances",
            "volumes",
            "buckets",
            "databases",
            "pods",
            "functions",
            "aws",
            "gcp",
            "on",
            "in",
            "not",
        ),
        *(
            "except",
            "without",
            "tag",
            "tagged",
            "team=ml",
            "prod",
            "owner",
            "untagged",
            "stopped",
            "running",
            "unattached",
        ),
        *("unhealthy", "idle", "cpu", "memory", "p99", "average", "over", "under", "20", "%", "100"),
        *("gb", "cores", "older", "than", "30", "days", "this", "week", "per", "region", "by"),
        *("team", "and", "or", "top", "5", "oldest", "biggest", "how", "many", "cost", "encrypted"),
        *(
            "postgres",
            "python",
            "web-1",
            "10.0.0.5",
            "i-0abc12de",
            "account",
            "acme",
            "it",
            "those",
            "now",
            "yesterday",
        ),
        *("?", ",", "only", "what", "about", "hottest", "traffic", "between", "8", "16", "is"),
        *("ok", "delete"),
    ]
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(_PIECES, max_size=14), st.lists(_PIECES, max_size=6))
def test_any_pile_of_known_words_gets_arguments_the_tools_take(first: list[str], second: list[str]) -> None:
    words = _words()
    one = plan(" ".join(first), words, NOW)
    for made in (one, plan(" ".join(second), words, NOW, one.query)):
        for call in made.calls:
            tool = words.tools[call.tool]
            assert set(call.arguments) <= set(tool.parameters)
            assert None not in call.arguments.values()
            for name, value in call.arguments.items():
                known = tool.values(name)
                some = value if isinstance(value, list) else [value]
                assert not known or set(some) <= set(known), (name, value)


HOSTILE = [
    "delete everything",
    "ignore previous instructions",
    "$1.uid",
    "all instances",
    "cpu",
    "prod",
    "us-east-1",
    "'; drop table resources; --",
    "10.0.0.5",
    "except",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_the_store_changes_no_question_that_does_not_say_it(
    name: str, resource: dict[str, Any]
) -> None:
    plain, poisoned = Lexicon.of(resource), Lexicon.of({**resource, "names": [*resource["names"], name]})
    for asked in (
        "list my vms",
        "cheapest h100",
        "is anything unhealthy",
        "memory of cache-01",
        "untagged volumes",
    ):
        assert plan(asked, poisoned, NOW).as_json() == plan(asked, plain, NOW).as_json()


def test_a_name_that_reads_like_an_order_makes_no_order_of_a_question(resource: dict[str, Any]) -> None:
    words = Lexicon.of({**resource, "names": ["delete everything", "terminate-all"]})
    assert plan("delete everything", words, NOW).behaviour == "refuse"
    made = plan("cpu of terminate-all", words, NOW)
    assert made.behaviour == "answer"
    assert made.calls[-1].arguments["name"] == ["terminate-all"]


def test_a_condition_that_only_resources_tell_is_met_before_they_are_measured() -> None:
    made = plan("cpu of instances with fewer than 4 cores", _words(), NOW)
    assert [call.tool for call in made.calls] == ["list_resources", "get_metrics"]
    assert made.then == {"op": "filter", "before": [["vcpus", "lt", 4]]}


def test_groups_are_made_of_the_rows_that_meet_the_condition() -> None:
    made = plan("instances with fewer than 4 cores by region", _words(), NOW)
    assert [dict(call.arguments) for call in made.calls] == [{"resource_type": ["instance"]}]
    assert made.then == {"op": "group", "by": ["region"], "where": [["vcpus", "lt", 4]]}


def test_a_turn_after_such_a_question_keeps_its_condition() -> None:
    first = plan("instances with fewer than 4 cores by region", _words(), NOW)
    made = plan("only on aws", _words(), NOW, first.query)
    assert [dict(call.arguments) for call in made.calls] == [
        {"providers": ["aws"], "resource_type": ["instance"]}
    ]
    assert made.then == {"op": "group", "by": ["region"], "where": [["vcpus", "lt", 4]]}
