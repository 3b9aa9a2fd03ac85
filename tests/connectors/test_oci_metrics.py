"""Oracle's Monitoring: the queries that are asked, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import Forbidden
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from cloudtop.sandbox.oci.signed import ACCOUNTS
from cloudtop.sandbox.serve import Sandbox, running
from connectors.oci_metrics import SOURCES, Question, Told, interval, rounded_up, series
from tests.connectors.sellers import connector_at

SCOPE = Scope("oci", "default", "us-ashburn-1", "metrics")
SHOP, VISION = "ocid1.compartment.oc1..shop", "ocid1.compartment.oc1..vision"
END = datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with running(("oci",)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.calm()
    return started


def instance(name: str, compartment: str | None = SHOP) -> Target:
    about = {"compartment_id": compartment} if compartment else {}
    return Target(f"ocid1.instance.oc1.us-ashburn-1.{name}", name, about)


async def read(
    sandbox: Sandbox, home: Path, kind: str, metrics: tuple[str, ...], *targets: Target, **how: Any
) -> tuple[list[Series], list[Any], list[str]]:
    """The series, the notes, and the queries that were asked for them."""
    hours = how.pop("hours", 2)
    wanted = MetricQuery(
        kind, metrics, END - timedelta(hours=hours), END, how.pop("step_s", 300), targets=targets, **how
    )
    before = len(sandbox.requests)
    async with connector_at("oci", sandbox.endpoint("oci"), ACCOUNTS["prod"], home) as connector:
        found = [one async for page in connector.metrics(SCOPE, wanted) for one in page]
        notes = connector.notes
    asked = [one for one in sandbox.requests[before:] if one.path.endswith("summarizeMetricsData")]
    return found, notes, [json.loads(one.body)["query"] for one in asked]


async def test_one_query_tells_of_all_instances_of_a_compartment(sandbox: Sandbox, tmp_path: Path) -> None:
    targets = (instance("web-prod-31"), instance("web-prod-32"))
    found, notes, queries = await read(sandbox, tmp_path, "instance", ("cpu",), *targets)
    assert queries == ["CpuUtilization[5m].groupBy(resourceId).mean()"]
    means = {one.id.rpartition(".")[2]: sum(v for _, v in one.points) / len(one.points) for one in found}
    assert means == pytest.approx({"web-prod-31": 41, "web-prod-32": 88}, abs=2)
    assert notes == []


async def test_a_single_instance_is_asked_for_by_its_id(sandbox: Sandbox, tmp_path: Path) -> None:
    found, _, queries = await read(
        sandbox, tmp_path, "instance", ("cpu",), instance("web-prod-31"), stat="p95"
    )
    id = "ocid1.instance.oc1.us-ashburn-1.web-prod-31"
    assert queries == [f'CpuUtilization[5m]{{resourceId = "{id}"}}.groupBy(resourceId).percentile(0.95)']
    assert [one.id for one in found] == [id]
    assert all(at.tzinfo is UTC for at, _ in found[0].points)


async def test_of_a_counter_the_rate_is_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    found, _, queries = await read(
        sandbox, tmp_path, "instance", ("network_in",), instance("web-prod-31"), step_s=3600, stat="max"
    )
    assert ".rate()" in queries[0]
    assert found[0].points[0][1] == pytest.approx(2_100_000, rel=0.05)


async def test_what_is_counted_is_by_the_second_where_the_metric_is_a_rate(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    volume = Target("ocid1.volume.oc1.us-ashburn-1.orders-data", "orders-data", {"compartment_id": SHOP})
    function = Target("ocid1.fnfunc.oc1.us-ashburn-1.resize-label", "x", {"compartment_id": SHOP})
    (reads,), _, _ = await read(sandbox, tmp_path, "volume", ("read_iops",), volume)
    (calls,), _, _ = await read(sandbox, tmp_path, "function", ("invocations",), function)
    # 1200 reads and 120 calls a minute, more or less.
    assert 14 < reads.points[0][1] < 26
    assert 5 * 89 < calls.points[0][1] < 5 * 151
    # A step that is not over would have only a part of what is counted in it.
    assert all(at + timedelta(minutes=5) <= END for at, _ in (*reads.points, *calls.points))


async def test_gpus_are_found_by_listing_namespaces_and_told_one_by_one(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    targets = (instance("training-node-31", VISION), instance("web-prod-31"))
    found, _, queries = await read(sandbox, tmp_path, "instance", ("gpu_utilization",), *targets)
    assert sorted(str(one.device) for one in found) == [str(number) for number in range(8)]
    # The shop has no such namespace: nothing is asked there.
    assert len(queries) == 1
    assert ".groupBy(resourceId, gpuId)." in queries[0]


async def test_a_bucket_is_measured_by_its_name_and_told_by_the_hour(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    bucket = Target("label-scans", "label-scans", {"compartment_id": VISION})
    (one,), _, queries = await read(
        sandbox, tmp_path, "bucket", ("size_bytes",), bucket, hours=0.05, step_s=60
    )
    assert queries == [
        'StoredBytes[60m]{resourceDisplayName = "label-scans"}.groupBy(resourceDisplayName).mean()'
    ]
    assert one.points[-1][1] == 8_200_000_000_000


async def test_what_does_not_say_where_it_is_is_looked_for_in_the_whole_tenancy(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (one,), _, _ = await read(sandbox, tmp_path, "instance", ("cpu",), instance("web-prod-31", None))
    assert one.id.endswith("web-prod-31")
    assert "compartmentIdInSubtree=true" in sandbox.requests[-1].query


async def test_a_compartment_that_refuses_costs_its_own_series(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fault("oci", "403", text=VISION)
    targets = (instance("training-node-31", VISION), instance("web-prod-31"))
    found, notes, _ = await read(sandbox, tmp_path, "instance", ("cpu",), *targets)
    assert [one.id.rpartition(".")[2] for one in found] == ["web-prod-31"]
    assert [one.message for one in notes if "1 of 2 compartments" in one.message]
    with pytest.raises(Forbidden):
        await read(sandbox, tmp_path, "instance", ("cpu",), instance("training-node-31", VISION))


@pytest.mark.parametrize(
    ("days", "step_s", "expected"),
    [(1, 60, "1m"), (8, 60, "5m"), (31, 60, "60m"), (100, 60, "1d"), (1, 7200, "2h"), (1, 5400, "2h")],
)
def test_no_finer_step_is_asked_for_than_is_kept(days: int, step_s: int, expected: str) -> None:
    from connectors.oci_metrics import kept_s

    assert interval(rounded_up(step_s, kept_s(timedelta(days=days)))) == expected


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"dimensions": {"resourceId": "other"}, "aggregatedDatapoints": [{"timestamp": "x", "value": 1}]},
        {"dimensions": {"resourceId": "i"}, "aggregatedDatapoints": None},
        {"dimensions": {"resourceId": "i"}, "aggregatedDatapoints": [{"value": 1}, {"timestamp": None}]},
        {"dimensions": {"resourceId": "i"}, "aggregatedDatapoints": [{"timestamp": "soon", "value": "x"}]},
    ],
)
def test_a_stream_without_points_of_a_resource_that_was_asked_for_is_none(record: Any) -> None:
    target = Target("i")
    wanted = MetricQuery("instance", ("cpu",), END - timedelta(hours=1), END, 300, targets=(target,))
    about = Told(SOURCES["compute"], "CpuUtilization")
    asked = Question("cpu", about, "oci_computeagent", {}, [target], wanted.start, 300, "", 1.0, False)
    assert list(series([record], asked, wanted)) == []


def test_zero_and_negative_values_are_values() -> None:
    target = Target("i")
    wanted = MetricQuery("instance", ("cpu",), END - timedelta(hours=1), END, 300, targets=(target,))
    about = Told(SOURCES["compute"], "CpuUtilization")
    asked = Question("cpu", about, "oci_computeagent", {}, [target], wanted.start, 300, "", 1.0, False)
    points = [
        {"timestamp": (END - timedelta(minutes=m)).isoformat(), "value": v} for m, v in ((9, 0), (4, -1))
    ]
    (one,) = series([{"dimensions": {"resourceId": "i"}, "aggregatedDatapoints": points}], asked, wanted)
    assert [value for _, value in one.points] == [0.0, -1.0]
