"""A model has code compute: over whole lists, with the planner's own words, said as its sentences are."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.agent.test_outgoing import BOTH, INSTANCES, LOAD, answered, office
from tests.agent.test_resources import Office
from tests.agent.wires import Turn, model
from tests.mcp_server import company

__all__ = ["office"]

JOIN = ("compute", {"op": "join", "field": "usd_per_hour"})
CORES = ("compute", {"op": "sum", "field": "vcpus", "call": "1"})


@BOTH
async def test_what_idle_instances_cost_is_joined_and_summed_by_code(office: Office, wire: str) -> None:
    words = "The idle ones cost $0.20 per hour together. The idle ones cost $0.30 per hour together."
    async with model(wire, Turn([INSTANCES]), Turn([LOAD]), Turn([JOIN]), Turn(words=words)) as server:
        asked = await answered(office, "what do idle instances cost", server, wire)
    first = asked.answer.text.splitlines()[0]
    assert "2 instances with CPU under 20 %" in first
    assert "Together $0.20 per hour." in first
    assert "against the rows: The idle ones cost $0.20 per hour together.\n" in asked.answer.text
    assert asked.answer.then == {"op": "join", "field": "usd_per_hour"}
    assert [call["tool"] for call in asked.answer.calls] == ["list_resources", "get_metrics"]


async def test_a_sum_is_over_the_whole_list_though_the_model_saw_a_page(office: Office) -> None:
    office.clouds["aws"].rows["lab", "eu-west-1", "instances"] = [
        company.instance(1000 + n, name=f"many-{n}") for n in range(90)
    ]
    words = "They have 292 vCPUs. They have 40 vCPUs."
    async with model("openai", Turn([INSTANCES]), Turn([CORES]), Turn(words=words)) as server:
        asked = await answered(office, "how many cores do we have", server, "openai")
    # 90 more of 2 cores each beside the company's nine with 112.
    assert "99 instances have 292 vCPUs together." in asked.answer.text.splitlines()[0]
    assert "against the rows: They have 292 vCPUs.\n" in asked.answer.text


async def test_a_call_after_a_computation_is_what_answers(office: Office) -> None:
    stopped = ("list_resources", {"resource_type": ["instance"], "status": ["stopped"]})
    script = [Turn([INSTANCES]), Turn([CORES]), Turn([stopped]), Turn(words="web-2 is stopped.")]
    async with model("openai", *script) as server:
        asked = await answered(office, "which are stopped", server, "openai")
    assert [row["name"] for row in asked.answer.rows] == ["web-2"]
    assert asked.answer.then is None


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"op": "guess", "field": "vcpus"}, "op: one of count, distinct, sum"),
        ({"op": "sum"}, "sum needs a field"),
        ({"op": "sum", "field": "nothing"}, "No row tells nothing."),
        ({"op": "sum", "field": "vcpus", "call": "7"}, "There is no finished call 7."),
        ({"op": "sum", "field": "name"}, "name is no number"),
        ({"op": "max", "field": "vcpus"}, "max is of usd_per_gpu_hour alone"),
        ({"op": "join", "field": "usd_per_hour"}, "join is of a call of get_metrics"),
    ],
)
async def test_what_cannot_be_computed_is_told_to_the_model(
    office: Office, wanted: dict[str, str], says: str
) -> None:
    async with model("openai", Turn([INSTANCES]), Turn([("compute", wanted)]), Turn(words=".")) as server:
        asked = await answered(office, "how many cores", server, "openai")
        told = [one["content"] for one in server.requests[2].json["messages"] if one["role"] == "tool"]
    assert says in told[-1]
    assert len(asked.answer.rows) == 9


@pytest.mark.parametrize(
    "wanted",
    [
        {"op": "count"},
        {"op": "distinct", "field": "region"},
        {"op": "sum", "field": "ram_gib"},
    ],
)
async def test_every_computation_has_its_answer(office: Office, wanted: dict[str, str]) -> None:
    async with model("openai", Turn([INSTANCES]), Turn([("compute", wanted)]), Turn(words="Done.")) as server:
        asked = await answered(office, "compute something", server, "openai")
        told = [one["content"] for one in server.requests[2].json["messages"] if one["role"] == "tool"]
    assert json.loads(told[-1])["computed"] == wanted["op"]
    assert asked.model == "openai:scripted"
    assert asked.answer.text.splitlines()[0]


async def test_the_last_call_that_worked_tells_and_what_was_looked_at_before_does_not(office: Office) -> None:
    buckets = ("list_resources", {"resource_type": ["bucket"]})
    wrong = ("get_metrics", {"metric": ["cpu"], "op": "between"})
    async with model("openai", Turn([INSTANCES]), Turn([buckets]), Turn([wrong]), Turn(words=".")) as server:
        asked = await answered(office, "which buckets", server, "openai")
    assert asked.answer.text.startswith("3 buckets")
    assert {row["type"] for row in asked.answer.rows} == {"bucket"}
    assert [call["tool"] for call in asked.answer.calls] == ["list_resources"] * 2 + ["get_metrics"]
    assert "Again: `cloudtop call list_resources resource_type=bucket`" in asked.answer.text
    assert "sort=name_asc" not in asked.answer.text


ARGUMENTS: dict[str, dict[str, list[Any]]] = {
    "list_resources": {
        "resource_type": [["instance"], ["bucket"], ["volume", "database"]],
        "group_by": [["region"], ["account"], ["tag:team"], ["provider", "status"]],
        "limit": [1, 50],
        "sort": ["name_asc", "price_desc"],
        "fields": [["name"], ["tags"]],
    },
    "get_metrics": {
        "id": ["$1.uid", "$2.uid", ["i-0001"]],
        "metric": [["cpu"], ["latency"]],
        "agg": ["avg", "p95"],
        "list_metrics": [True],
        "group_by": [["region"]],
    },
    "check_health": {"scope": ["resources", "connectors"], "status": [["unhealthy"]]},
    "get_resource": {"name": [["web-1"], ["nothing"]]},
    "list_services": {"providers": [["aws"], ["vast"]]},
    "list_providers": {},
    "compute": {
        "op": ["count", "distinct", "sum", "median", "join"],
        "field": ["usd_per_hour", "region", "value"],
        "call": ["1", "2"],
    },
}


def a_turn(chance: random.Random) -> Turn:
    """One or two calls with some of their arguments, sensible or not."""
    calls = []
    for _ in range(chance.choice((1, 1, 2))):
        tool, known = chance.choice(list(ARGUMENTS.items()))
        names = chance.sample(list(known), min(len(known), chance.randint(0, 3)))
        calls.append((tool, {name: chance.choice(known[name]) for name in names}))
    return Turn(calls)


@pytest.mark.parametrize("seed", range(24))
async def test_whatever_a_model_calls_an_answer_comes(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    words = Turn(words="There are 3 instances. web-1 costs $0.10 per hour. It is at 5 %.")
    script = [*(a_turn(chance) for _ in range(chance.randint(1, 4))), words]
    async with model("openai", *script) as server:
        asked = await answered(office, "what do we have", server, "openai", pseudonyms=seed % 3 == 0)
    assert asked.answer.text
    assert asked.answer.status in ("answered", "partial", "failed", "clarify")
