"""Words of what is there: parts of names, teams with everyday names, namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW

NAMES = ["training-node-01", "training-node-02", "training", "web-prod-1", "web-prod-2", "web"]
TAGS = {"team": ["data", "platform", "vision"]}


@pytest.fixture(scope="module")
def here(resource: dict[str, Any]) -> Lexicon:
    return Lexicon.of({**resource, "names": NAMES, "tags": TAGS})


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("training nodes in oregon",
         {"name_contains": ["training-node"], "resource_type": ["instance"], "region": ["oregon"]}),
        ("all web servers", {"name_contains": ["web"], "resource_type": ["instance"]}),
        ("volumes of team data", {"resource_type": ["volume"], "tag": ["team=data"]}),
        ("the platform team's buckets", {"resource_type": ["bucket"], "tag": ["team=platform"]}),
        ("what does team data run", {"tag": ["team=data"]}),
        ("pods in kube-system", {"resource_type": ["pod"], "namespace": "kube-system"}),
    ],
)  # fmt: skip
def test_a_word_of_what_is_there_narrows(question: str, arguments: dict[str, Any], here: Lexicon) -> None:
    made = plan(question, here, NOW)
    assert [dict(call.arguments) for call in made.calls] == [arguments]
    assert made.ignored == ()


def test_a_word_that_no_name_has_is_shown_and_filters_nothing(here: Lexicon) -> None:
    made = plan("gorgeous servers", here, NOW)
    assert made.ignored == ("gorgeous",)
    assert [dict(call.arguments) for call in made.calls] == [{"resource_type": ["instance"]}]


@pytest.mark.parametrize(
    "question",
    [
        "idle gpus above the market",
        "gpus under 10% utilization that cost more than the market",
        "gpus that were above the market last week",
    ],
)
def test_load_and_the_past_are_not_set_beside_the_market_and_that_is_said(
    question: str, here: Lexicon
) -> None:
    made = plan(question, here, NOW)
    assert made.behaviour == "clarify"
    assert "beside the market" in str(made.question)
