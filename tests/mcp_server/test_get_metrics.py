"""get_metrics over a small company: windows, combining, comparing, grouping, and what is not told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import RateLimited
from mcp_server.tools._metric_question import MetricQuestion
from mcp_server.tools._metric_rows import Reading, made
from tests.mcp_server import company
from tests.mcp_server.company import Cloud, at
from tests.mcp_server.market import House

TOOL = "get_metrics"


@pytest.fixture
def clouds() -> dict[str, Cloud]:
    clouds = company.company()
    clouds["aws"].values = {
        ("i-0001", "cpu", None): [10, 20, 30],
        ("i-0003", "cpu", None): [90, 95, 100],
        ("i-0005", "cpu", None): [4, 5],
        ("i-0006", "cpu", None): [50],
        ("i-0001", "network_in", None): [1024, 2048],
        ("i-0001", "network_out", None): [1024, 1024],
        ("i-0003", "gpu_memory_used", "0"): [40 * 2.0**30],
        ("i-0003", "gpu_memory_used", "1"): [79 * 2.0**30],
        ("i-0003", "gpu_memory_total", "0"): [80 * 2.0**30],
        ("i-0003", "gpu_memory_total", "1"): [80 * 2.0**30],
        ("db-main", "cpu", None): [70, 80],
        ("db-main", "latency", None): [12.5],
    }
    clouds["digitalocean"].values = {("8", "cpu", None): [15, 15]}
    return clouds


@pytest.fixture
async def house(tmp_path: Path, clouds: dict[str, Cloud]) -> AsyncIterator[House]:
    opened = company.house(tmp_path, clouds)
    yield opened
    await opened.close()


async def values(house: House, **arguments: Any) -> dict[str, float]:
    """Value by name (and device) of each row."""
    answer = await house.call(TOOL, **arguments)
    assert "error" not in answer, answer
    return {
        (row["name"] or row["uid"]) + (f" {row['device']}" if row["device"] else ""): row["value"]
        for row in answer["rows"]
    }


async def refusal(house: House, **arguments: Any) -> str:
    answer = await house.call(TOOL, **arguments)
    assert "error" in answer, answer
    return f"{answer['error']['message']} {answer['error']['next_step']}"


async def test_without_a_time_the_last_five_minutes_are_given_point_by_point(house: House) -> None:
    answer = await house.call(TOOL, name="web-1", metric="cpu", account="prod")
    assert [(row["time"], row["value"]) for row in answer["rows"]] == [
        ("2026-11-20T11:57:00Z", 10),
        ("2026-11-20T11:58:00Z", 20),
        ("2026-11-20T11:59:00Z", 30),
    ]
    row = answer["rows"][0]
    assert row["uid"] == "aws:prod:us-east-1:instance:i-0001"
    assert (row["unit"], row["metric"], row["device"], row["source"]) == ("percent", "cpu", None, "live")
    assert answer["applied"]["granularity"] == "60s"


async def test_a_threshold_gives_one_value_for_each_with_its_samples(house: House) -> None:
    answer = await house.call(TOOL, metric="cpu", op="lt", value=20, time="24h", resource_type="instance")
    assert [(row["name"], row["value"]) for row in answer["rows"]] == [("web-5", 4.5), ("edge", 15)]
    row = answer["rows"][0]
    assert (row["agg"], row["samples"]) == ("avg", 2)
    assert (row["from"], row["to"]) == ("2026-11-20T11:50:00Z", "2026-11-20T12:00:00Z")
    assert answer["applied"]["time"] == "2026-11-19T12:00:00Z/2026-11-20T12:00:00Z"
    assert any("Nothing was measured of" in notice for notice in answer["notices"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"agg": "max"}, {"train-3": 100, "web-1": 30, "web-5": 5}),
        ({"agg": "min"}, {"train-3": 90, "web-1": 10, "web-5": 4}),
        ({"agg": "last"}, {"train-3": 100, "web-1": 30, "web-5": 5}),
        ({"agg": "count"}, {"train-3": 3, "web-1": 3, "web-5": 2}),
        ({"agg": "p50"}, {"train-3": 95, "web-1": 20, "web-5": 4}),
        ({"agg": "p95"}, {"train-3": 100, "web-1": 30, "web-5": 5}),
        ({"sort": "desc", "limit": 1}, {"train-3": 95}),
        ({"sort": "asc", "limit": 1}, {"web-5": 4.5}),
        ({"op": "ge", "value": 95}, {"train-3": 95}),
        ({"op": "gt", "value": 95}, {}),
        ({"op": "le", "value": 20}, {"web-1": 20, "web-5": 4.5}),
    ],
    ids=str,
)
async def test_values_combine_as_asked(
    house: House, arguments: dict[str, Any], expected: dict[str, float]
) -> None:
    about = {"metric": "cpu", "time": "24h", "region": "us-east-1", "account": "prod"}
    assert await values(house, **about, **arguments) == expected


async def test_a_made_metric_comes_out_of_others_at_the_same_times(house: House) -> None:
    assert await values(house, metric="network", name="web-1", agg="avg") == {"web-1": 2560}
    found = await values(house, metric="gpu_memory", op="gt", value=95, time="24h")
    assert found == {"train-3 1": 98.75}


async def test_values_are_compared_in_the_unit_that_is_named(house: House) -> None:
    found = await values(house, metric="network_in", op="gt", value=1, unit="KiB/s", time="24h")
    assert found == {"web-1": 1536}
    assert "does not measure percent" in await refusal(house, metric="cpu", op="lt", value=2, unit="GB")
    assert "the metric that value is of" in await refusal(house, name="web-1", op="lt", value=2)


async def test_groups_take_the_mean_of_percents_and_the_sum_of_rates(house: House) -> None:
    answer = await house.call(TOOL, metric="cpu", time="24h", resource_type="instance", group_by="provider")
    assert [(row["group"], row["value"], row["count"], row["samples"]) for row in answer["rows"]] == [
        ("aws", pytest.approx((20 + 95 + 4.5 + 50) / 4), 4, 9),
        ("digitalocean", 15, 1, 2),
    ]
    answer = await house.call(TOOL, metric="cpu", time="24h", group_by="provider", agg="p95")
    assert {row["agg"] for row in answer["rows"]} == {"avg of p95"}
    answer = await house.call(TOOL, metric="network_in", time="24h", group_by="tag:team")
    assert [(row["group"], row["value"]) for row in answer["rows"]] == [("core", 1536)]


async def test_what_is_stopped_is_asked_only_when_it_is_named(house: House, clouds: dict[str, Cloud]) -> None:
    await house.call(TOOL, metric="cpu", resource_type="instance")
    asked = {one.id for query in clouds["aws"].measured for one in query.targets}
    assert "i-0002" not in asked
    assert "i-0001" in asked
    await house.call(TOOL, metric="cpu", name="web-2")
    assert {one.id for one in clouds["aws"].measured[-1].targets} == {"i-0002"}


async def test_without_a_metric_those_usual_for_the_type_are_given(
    house: House, clouds: dict[str, Cloud]
) -> None:
    answer = await house.call(TOOL, name="train-3", agg="last")
    assert [row["metric"] for row in answer["rows"]] == ["cpu", "gpu_memory", "gpu_memory"]
    assert answer["missing"] == []
    assert "metric: is missing" in await refusal(house)


async def test_what_a_cloud_does_not_tell_is_said_with_the_reason(house: House) -> None:
    answer = await house.call(TOOL, metric="disk", name="web-1")
    (trouble,) = answer["missing"]
    assert trouble["code"] == "not_covered"
    assert "Disk used of instances is not available" in trouble["message"]
    assert "because it has no agent" in trouble["message"]


async def test_the_metrics_that_there_are_can_be_listed(house: House, clouds: dict[str, Cloud]) -> None:
    answer = await house.call(TOOL, list_metrics=True, providers="aws", resource_type="instance")
    told = {row["metric"]: row["available"] for row in answer["rows"]}
    assert told == {
        "cpu": True,
        "disk": False,
        "network": True,
        "network_in": True,
        "network_out": True,
        "gpu_memory": True,
        "gpu_memory_used": True,
        "gpu_memory_total": True,
    }
    assert clouds["aws"].asked == []


async def test_the_step_grows_with_the_time_and_is_as_asked(house: House, clouds: dict[str, Cloud]) -> None:
    for time, step_s in (("1h", 60), ("24h", 300), ("last_7d", 3600), ("last_90d", 86400)):
        await house.call(TOOL, metric="cpu", name="web-1", time=time)
        assert clouds["aws"].measured[-1].step_s == step_s
    await house.call(TOOL, metric="cpu", name="web-1", time="24h", granularity="10m")
    assert clouds["aws"].measured[-1].step_s == 600
    assert "granularity" in await refusal(house, metric="cpu", name="web-1", time="5m", granularity="1h")


async def test_percentiles_are_the_clouds_own_where_it_has_them(
    house: House, clouds: dict[str, Cloud]
) -> None:
    await house.call(TOOL, metric="latency", name="db-main", agg="p99", time="45m")
    query = clouds["aws"].measured[-1]
    assert (query.stat, query.step_s) == ("p99", 45 * 60)
    await house.call(TOOL, metric="cpu", name="db-main", agg="p99", time="45m")
    assert (clouds["aws"].measured[-1].stat, clouds["aws"].measured[-1].step_s) == ("avg", 60)


async def test_the_same_question_again_is_answered_from_the_store(
    house: House, clouds: dict[str, Cloud]
) -> None:
    first = await house.call(TOOL, metric="cpu", time="24h", name="web-1")
    house.clock.move(30)
    count = len(clouds["aws"].measured)
    second = await house.call(TOOL, metric="cpu", time="24h", name="web-1")
    assert len(clouds["aws"].measured) == count
    assert [row["value"] for row in first["rows"]] == [row["value"] for row in second["rows"]]
    assert {row["source"] for row in second["rows"]} == {"cache"}
    house.clock.move(60)
    await house.call(TOOL, metric="cpu", time="24h", name="web-1")
    assert len(clouds["aws"].measured) > count


async def test_a_time_that_is_over_is_read_once(house: House, clouds: dict[str, Cloud]) -> None:
    for _ in range(2):
        await house.call(TOOL, metric="cpu", time="2026-11-18", name="web-1", account="prod")
        house.clock.move(7200)
    assert len(clouds["aws"].measured) == 1


async def test_one_region_that_fails_costs_its_metrics_alone(house: House, clouds: dict[str, Cloud]) -> None:
    await house.call("list_resources")
    slow = RateLimited("Slow down.", "Wait.", retry_after_s=1)
    clouds["aws"].wrong = lambda scope: (
        slow if (scope.kind, scope.region) == ("metrics", "eu-west-1") else None
    )
    answer = await house.call(TOOL, metric="cpu", resource_type="instance", agg="avg")
    assert {row["name"] for row in answer["rows"]} == {"web-1", "train-3", "web-5", "edge"}
    (trouble,) = answer["missing"]
    assert (trouble["region"], trouble["code"], trouble["kind"]) == ("eu-west-1", "rate_limited", "metrics")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"metric": "cpuu"}, "Did you mean cpu?"),
        ({"metric": "cpu", "op": "lt"}, "value: is missing"),
        ({"metric": "cpu", "value": 3}, "op: is missing"),
        ({"metric": "cpu", "unit": "ms"}, "there is no value"),
        ({"metric": ["cpu", "latency"], "op": "lt", "value": 3}, "several units"),
        ({"metric": "cpu", "group_by": "colour"}, "tag:<key>"),
        ({"metric": "cpu", "time": "tomorrow"}, "time"),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused(house: House, arguments: dict[str, Any], says: str) -> None:
    assert says in await refusal(house, **arguments)


async def test_nothing_that_matches_is_said(house: House) -> None:
    answer = await house.call(TOOL, metric="cpu", name="nobody")
    assert answer["rows"] == []
    assert answer["notices"] == ["No resource matches."]


BALANCER = {
    "uid": "aws:prod:us-east-1:load_balancer:lb",
    "id": "lb",
    "name": "lb",
    "type": "load_balancer",
    "provider": "aws",
    "account": "prod",
    "region": "us-east-1",
    "gpus": [],
}


def told(metric: str, points: list[tuple[float, float]], **asked: Any) -> list[dict[str, Any]]:
    """The rows of one series of the hour and a minute before noon, five minutes a step."""
    about = MetricQuestion(
        (metric,),
        at(-1) - timedelta(minutes=1),
        at(0),
        300,
        False,
        bool(asked),
        asked.get("agg"),
        None,
        (),
        None,
    )
    series = {(BALANCER["uid"], None): {metric: (points, "live", "2026-11-20T12:00:00Z")}}
    return made(None, about, Reading(series, {BALANCER["uid"]: BALANCER}))[0]  # type: ignore[arg-type]


def test_a_count_whose_step_goes_on_is_no_point_yet_but_is_added_up() -> None:
    begun = at(0).timestamp() - 60
    points = [(begun - 600, 60.0), (begun - 300, 60.0), (begun, 12.0)]
    assert [row["value"] for row in told("errors", points)] == [60, 60]
    (row,) = told("errors", points, agg="sum")
    assert (row["value"], row["to"]) == (132, "2026-11-20T12:00:00Z")
    assert [row["value"] for row in told("latency", points)] == [60, 60, 12]


def test_a_percentile_of_the_whole_time_says_how_far_it_reaches() -> None:
    (row,) = told("latency", [(at(-1).timestamp() - 60, 42.0)], agg="p99")
    assert (row["from"], row["to"]) == ("2026-11-20T10:59:00Z", "2026-11-20T12:00:00Z")
