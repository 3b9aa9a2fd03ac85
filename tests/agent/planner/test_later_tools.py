"""Tools that come later are planned by their specs from the day they exist; until then that is said."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW


def _list(**more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, **more}


TIME = {"type": "string", "kind": "time"}
LIMIT = {"type": "integer", "default": 20}
COMMON = {
    "providers": _list(kind="provider"),
    "resource_type": _list(kind="resource_type"),
    "name": _list(kind="name"),
}
CHANGES: dict[str, Any] = {
    "title": "Get changes",
    "parameters": {
        **COMMON,
        "kind": {"type": "string", "enum": ["created", "modified", "deleted", "status", "price", "all"]},
        "direction": {"type": "string", "enum": ["up", "down"]},
        "gpu": _list(kind="gpu"),
        "time": TIME,
        "limit": LIMIT,
    },
    "fields": ["uid", "name", "provider", "type", "change"],
    "nl": {
        "cues": ["what changed", "changed", "changes", "different", "modified", "deleted", "happened"],
        "words": {"kind": {"modified": ["edited", "altered"], "deleted": ["removed"], "created": ["added"]}},
        "examples": [],
    },
}
COSTS: dict[str, Any] = {
    "title": "Query costs",
    "parameters": {
        **COMMON,
        "service": _list(),
        "region": _list(kind="region"),
        "time": TIME,
        "group_by": _list(description="provider account region service resource tag:<key>"),
        "forecast": {"type": "boolean", "kind": "flag"},
        "sort": {"type": "string", "kind": "sort"},
        "limit": LIMIT,
    },
    "fields": ["provider", "group", "usd"],
    "nl": {
        "cues": ["spend", "spent", "bill", "invoice", "costs", "cost"],
        "words": {"forecast": {"true": ["projected", "forecast", "expected"]}},
        "examples": [],
    },
}
RECOMMENDATIONS: dict[str, Any] = {
    "title": "Recommendations",
    "parameters": {
        "kind": {"type": "string", "enum": ["idle", "rightsize", "unattached", "untagged", "old", "cheaper"]},
        **COMMON,
        "limit": LIMIT,
    },
    "fields": ["kind", "uid", "evidence", "usd_per_month", "action"],
    "nl": {
        "cues": ["savings", "potential savings", "save money", "recommendations"],
        "words": {"kind": {"unattached": ["orphaned", "unused"]}},
        "examples": [],
    },
}
REPORT: dict[str, Any] = {
    "title": "Report",
    "parameters": {
        "kind": {
            "type": "array",
            "items": {"type": "string", "enum": ["gpu", "health", "cost", "inventory"]},
        },
        "period": {"type": "string", "enum": ["daily", "weekly", "monthly"]},
        "format": {"type": "string", "enum": ["md", "html", "json"], "default": "md"},
    },
    "fields": ["kind", "text"],
    "nl": {"cues": ["report", "prepare"], "words": {"format": {"html": ["html"]}}, "examples": []},
}
LATER = {
    "get_changes": CHANGES,
    "query_costs": COSTS,
    "recommendations": RECOMMENDATIONS,
    "report": REPORT,
}
QUESTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("what's different compared to this morning", "get_changes", {"time": "since_this_morning"}),
    (
        "modified security groups in the past 3 days",
        "get_changes",
        {"kind": "modified", "resource_type": ["security_group"], "time": "last_3d"},
    ),
    (
        "deleted buckets last week",
        "get_changes",
        {"kind": "deleted", "resource_type": ["bucket"], "time": "last_week"},
    ),
    (
        "what changed since yesterday on aws",
        "get_changes",
        {"providers": ["aws"], "time": "since_yesterday"},
    ),
    ("total spend last week per cloud", "query_costs", {"group_by": ["provider"], "time": "last_week"}),
    ("projected december bill", "query_costs", {"forecast": True, "time": "2026-12"}),
    ("what did we spend yesterday", "query_costs", {"time": "yesterday"}),
    ("costs per team this month", "query_costs", {"group_by": ["tag:team"], "time": "this_month"}),
    (
        "how much did we spend on s3 last month",
        "query_costs",
        {"providers": ["aws"], "resource_type": ["bucket"], "time": "last_month"},
    ),
    (
        "orphaned snapshots and potential savings",
        "recommendations",
        {"kind": "unattached", "resource_type": ["snapshot"]},
    ),
    (
        "prepare a daily health+cost report as html",
        "report",
        {"kind": ["health", "cost"], "period": "daily", "format": "html"},
    ),
]


@pytest.fixture(scope="module")
def grown(resource: dict[str, Any]) -> Lexicon:
    more = deepcopy(resource)
    more["tools"] |= {name: {"later": {}, **spec} for name, spec in LATER.items()}
    return Lexicon.of(more)


@pytest.mark.parametrize(("asked", "tool", "arguments"), QUESTIONS)
def test_a_tool_that_lands_is_planned_by_its_spec_alone(
    asked: str, tool: str, arguments: dict[str, Any], grown: Lexicon
) -> None:
    made = plan(asked, grown, NOW)
    assert [(call.tool, dict(call.arguments)) for call in made.calls] == [(tool, arguments)]


@pytest.mark.parametrize("asked", [asked for asked, _, _ in QUESTIONS if "deleted" not in asked])
def test_until_it_lands_it_is_said_that_it_cannot_be_asked_yet(asked: str, words: Lexicon) -> None:
    made = plan(asked, words, NOW)
    assert (made.behaviour, made.calls) == ("clarify", ())
    assert "yet" in str(made.question)


def test_a_day_before_the_day_that_was_asked_about(grown: Lexicon) -> None:
    before = plan("what did we spend yesterday", grown, NOW)
    made = plan("and the day before", grown, NOW, before.query)
    assert dict(made.calls[0].arguments) == {"time": "day_before_yesterday"}


def test_what_idle_machines_cost_is_asked_of_the_costs_once_they_can_be_asked(grown: Lexicon) -> None:
    made = plan("underused machines (cpu < 8%) with price tag", grown, NOW)
    assert [call.tool for call in made.calls] == ["list_resources", "get_metrics", "query_costs"]
    assert made.calls[1].arguments["id"] == "$1.uid"


@pytest.mark.parametrize("asked", ["stopped instances", "cpu of web-1", "cheapest h100", "is gcp healthy"])
def test_new_tools_take_no_question_from_the_old_ones(asked: str, words: Lexicon, grown: Lexicon) -> None:
    assert plan(asked, grown, NOW).calls == plan(asked, words, NOW).calls
