"""The planner knows no tool by name: a spec brings its words, and lands a subject not answered before."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW

TICKETS = {
    "title": "Support tickets",
    "parameters": {
        "providers": {"type": "array", "items": {"type": "string"}, "kind": "provider"},
        "severity": {"type": "string", "enum": ["urgent", "minor"]},
        "open": {"type": "boolean", "kind": "flag"},
        "limit": {"type": "integer", "default": 20},
    },
    "later": {},
    "nl": {
        "cues": ["ticket", "tickets", "support cases"],
        "examples": [],
        "words": {"open": {"true": ["unresolved", "open"], "false": ["resolved"]}},
    },
}


def _with(resource: dict[str, Any], name: str, tool: dict[str, Any]) -> Lexicon:
    more = deepcopy(resource)
    more["tools"][name] = tool
    return Lexicon.of(more)


def test_a_new_tool_is_asked_through_its_own_words(resource: dict[str, Any]) -> None:
    words = _with(resource, "list_tickets", TICKETS)
    made = plan("unresolved urgent tickets at gcp", words, NOW)
    assert [(call.tool, dict(call.arguments)) for call in made.calls] == [
        ("list_tickets", {"open": True, "providers": ["gcp"], "severity": "urgent"})
    ]


def test_a_new_provider_is_known_by_its_title_and_aliases(resource: dict[str, Any]) -> None:
    more = deepcopy(resource)
    more["providers"].append({"id": "nimbusrack", "title": "Nimbus Rack", "aliases": ["nrk"]})
    words = Lexicon.of(more)
    for spoken in ("nimbus rack", "nrk", "nimbusrack"):
        made = plan(f"h100 on {spoken}", words, NOW)
        assert made.calls[0].arguments["providers"] == ["nimbusrack"]


def test_a_subject_without_a_tool_is_said_to_come_and_stops_being_so_when_the_tool_lands(
    resource: dict[str, Any],
) -> None:
    question = "what did we spend last month"
    before = plan(question, Lexicon.of(resource), NOW)
    assert (before.behaviour, before.calls) == ("clarify", ())
    assert "yet" in str(before.question)
    costs = {
        "title": "Query costs",
        "parameters": {"time": {"type": "string", "kind": "time"}},
        "later": {},
        "nl": {"cues": ["spend", "we spend", "bill"], "examples": []},
    }
    after = plan(question, _with(resource, "query_costs", costs), NOW)
    assert [(call.tool, dict(call.arguments)) for call in after.calls] == [
        ("query_costs", {"time": "last_month"})
    ]


def test_live_names_are_names_and_never_taken_apart(resource: dict[str, Any]) -> None:
    more = deepcopy(resource)
    more["names"] = ["a100-train-2", *(f"machine-{n:04d}" for n in range(2000))]
    made = plan("is a100-train-2 healthy", Lexicon.of(more), NOW)
    assert [(call.tool, dict(call.arguments)) for call in made.calls] == [
        ("check_health", {"name": ["a100-train-2"]})
    ]


def test_an_unknown_model_is_asked_about_with_what_is_near(words: Lexicon) -> None:
    made = plan("a1000 price", words, NOW)
    assert made.behaviour == "clarify"
    assert "A100" in str(made.question)
    assert 1 <= len(made.choices) <= 4


def test_everything_offered_as_a_choice_can_be_planned(words: Lexicon) -> None:
    for question in ("gpu please", "cheapest 4 h100", "at least 4 h100s under 2 euros", "aws?", "hello"):
        made = plan(question, words, NOW)
        for choice in made.choices:
            if not choice.startswith("the same"):
                assert plan(choice, words, NOW).behaviour == "answer", choice
