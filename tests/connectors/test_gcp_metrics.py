"""Cloud Monitoring: what is asked for, and what its answers are in our units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cloudtop import metrics as known
from cloudtop.errors import Forbidden, NotEnabled
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from connectors import discovery
from connectors.gcp_measured import LONGEST_FILTER, OF_TYPE, SOURCES, filters, told_by
from tests.connectors.raw_servers import START
from tests.connectors.test_gcp_account import asked, error, off

FACTS = discovery.found()["gcp"]
ASK = "GET /v3/projects/acme/timeSeries"
HOUR = timedelta(hours=1)
FUNCTION = Target(
    "projects/acme/locations/a/functions/f", "f", {"service": "functions_v2", "run_service": "f"}
)
"""A function of the second generation."""


def query(
    kind: str,
    *names: str,
    targets: Iterable[Target] = (Target("111"),),
    start: datetime = START - HOUR,
    step_s: int = 300,
    stat: str = "avg",
) -> MetricQuery:
    return MetricQuery(kind, names, start, START, step_s, stat, tuple(targets))


def told(
    value: Any, *ends: datetime, unit: str = "1", labels: Mapping[str, str] | None = None, **by: str
) -> Any:
    """One series as the API tells it, its points newest first."""
    points = [
        {"interval": {"startTime": at.isoformat(), "endTime": at.isoformat()}, "value": value} for at in ends
    ]
    return {
        "metric": {"type": "x", "labels": dict(labels or {})},
        "resource": {"type": "y", "labels": {"project_id": "acme", **by}},
        "unit": unit,
        "points": points,
    }


async def read(
    home: Path, wanted: MetricQuery, *replies: tuple[str, Any, int], region: str = "us-west1"
) -> tuple[list[Series], list[dict[str, str]]]:
    """The series that come of these answers, and the parameters of each request."""
    async with asked(home, *replies) as (connector, seen):
        scope = Scope("gcp", "default", region, "metrics", "{}")
        found = [one async for page in connector.metrics(scope, wanted) for one in page]
        assert connector.notes == []
    parameters = [parse_qs(urlsplit(one.partition(" ")[2]).query) for one in seen]
    return found, [{name: ",".join(values) for name, values in one.items()} for one in parameters]


async def test_a_fraction_becomes_percent_and_a_point_stands_at_the_start_of_its_step(tmp_path: Path) -> None:
    body = {
        "timeSeries": [
            told({"doubleValue": 0.25}, START, START - 2 * HOUR / 24, unit="10^2.%", instance_id="111")
        ]
    }
    found, (sent,) = await read(tmp_path, query("instance", "cpu"), (ASK, body, 200))
    five = timedelta(minutes=5)
    assert found == [Series("111", "cpu", ((START - 2 * five, 25.0), (START - five, 25.0)))]
    assert sent["filter"] == (
        'metric.type = "compute.googleapis.com/instance/cpu/utilization" AND resource.type = "gce_instance"'
        ' AND resource.labels.instance_id = one_of("111")'
    )
    assert sent["interval.startTime"] == "2026-11-20T11:00:00Z"
    assert sent["interval.endTime"] == "2026-11-20T12:00:00Z"
    assert sent["aggregation.alignmentPeriod"] == "300s"
    assert sent["aggregation.perSeriesAligner"] == "ALIGN_MEAN"
    assert sent["aggregation.groupByFields"] == "resource.labels.instance_id"


@pytest.mark.parametrize(
    ("kind", "metric", "target", "value", "unit", "labels", "expected", "device"),
    [
        ("instance", "cpu", Target("111"), {"doubleValue": 0.5}, "", {"instance_id": "111"}, 50.0, None),
        ("instance", "memory", Target("111"), {"doubleValue": 41.5}, "%", {"instance_id": "111"}, 41.5, None),
        ("instance", "network_in", Target("111"), {"doubleValue": 7.5}, "By/s", {"instance_id": "111"}, 7.5,
         None),
        ("function", "invocations", FUNCTION, {"int64Value": "12"}, "1", {"service_name": "f"}, 12.0, None),
        ("function", "latency", FUNCTION, {"distributionValue": {"count": "3", "mean": 40.0}}, "ms",
         {"service_name": "f"}, 40.0, None),
        ("function", "latency", Target("f", "f", {"service": "functions_v1"}),
         {"distributionValue": {"count": "3", "mean": 2_500_000.0}}, "ns", {"function_name": "f"}, 2.5, None),
        ("container", "cpu", Target("s", "s", {"service": "run"}), {"distributionValue": {"mean": 0.4}},
         "10^2.%", {"service_name": "s"}, 40.0, None),
        ("database", "cpu", Target("d", "d", {"service": "sql"}), {"doubleValue": 0.9}, "10^2.%",
         {"database_id": "acme:d"}, 90.0, None),
        ("database", "replication_lag", Target("d", "d", {"service": "sql"}), {"doubleValue": 1.5}, "s",
         {"database_id": "acme:d"}, 1500.0, None),
        # Far beyond any price or count.
        ("bucket", "size_bytes", Target("b"), {"doubleValue": 9e12}, "By", {"bucket_name": "b"}, 9e12, None),
        ("cluster", "cpu", Target("c1", "main", {"service": "gke"}), {"doubleValue": 0.3}, "1",
         {"cluster_name": "main"}, 30.0, None),
        ("load_balancer", "invocations", Target("81", "https"), {"int64Value": "5"}, "1",
         {"forwarding_rule_name": "https"}, 5.0, None),
    ],
)  # fmt: skip
async def test_what_google_tells_becomes_a_value_in_our_unit(
    kind: str,
    metric: str,
    target: Target,
    value: Any,
    unit: str,
    labels: dict[str, str],
    expected: float,
    device: str | None,
    tmp_path: Path,
) -> None:
    body = {"timeSeries": [told(value, START, unit=unit, **labels)]}
    wanted = query(kind, metric, targets=[target])
    (series, *others), _ = await read(tmp_path, wanted, (ASK, body, 200))
    assert (series.id, series.metric, series.device, others) == (target.id, metric, device, [])
    assert [one for _, one in series.points] == [pytest.approx(expected)]


async def test_gpus_are_told_apart_by_their_number(tmp_path: Path) -> None:
    gpus = [
        told({"doubleValue": 10.0 * n}, START, unit="%", labels={"gpu_number": str(n)}, instance_id="111")
        for n in (0, 1)
    ]
    found, sent = await read(
        tmp_path,
        query("instance", "gpu_utilization"),
        (ASK, {"timeSeries": gpus}, 200),
    )
    assert sorted((one.device, one.points[0][1]) for one in found) == [("0", 0.0), ("1", 10.0)]
    assert all("metric.labels.gpu_number" in one["aggregation.groupByFields"] for one in sent)


async def test_a_rate_is_asked_as_one_and_its_largest_in_two_steps(tmp_path: Path) -> None:
    _, (mean,) = await read(tmp_path, query("instance", "disk_read"), (ASK, {}, 200))
    assert mean["aggregation.perSeriesAligner"] == "ALIGN_RATE"
    assert mean["aggregation.crossSeriesReducer"] == "REDUCE_SUM"
    assert "secondaryAggregation.alignmentPeriod" not in mean
    _, (most,) = await read(tmp_path, query("instance", "disk_read", stat="max"), (ASK, {}, 200))
    assert most["aggregation.alignmentPeriod"] == "60s"
    assert most["secondaryAggregation.alignmentPeriod"] == "300s"
    assert most["secondaryAggregation.perSeriesAligner"] == "ALIGN_MAX"


async def test_errors_are_told_by_the_labels_that_make_them_errors(tmp_path: Path) -> None:
    _, (sent,) = await read(tmp_path, query("function", "errors", targets=[FUNCTION]), (ASK, {}, 200))
    assert 'metric.labels.response_code_class = "5xx"' in sent["filter"]
    old = Target("f", "f", {"service": "functions_v1"})
    _, (sent,) = await read(tmp_path, query("function", "errors", targets=[old]), (ASK, {}, 200))
    assert 'metric.labels.status != "ok"' in sent["filter"]
    _, (sent,) = await read(
        tmp_path, query("load_balancer", "errors", targets=[Target("8", "b")]), (ASK, {}, 200)
    )
    assert "metric.labels.response_code_class = 500" in sent["filter"]


async def test_what_bears_the_same_name_elsewhere_is_not_meant(tmp_path: Path) -> None:
    _, (sent,) = await read(
        tmp_path, query("function", "errors", targets=[FUNCTION]), (ASK, {}, 200), region="a"
    )
    assert 'resource.labels.location = starts_with("a")' in sent["filter"]


async def test_of_a_bucket_the_newest_day_is_told_whatever_the_time(tmp_path: Path) -> None:
    body = {"timeSeries": [told({"doubleValue": 5.0}, START - timedelta(days=2), bucket_name="b")]}
    (series,), (sent,) = await read(
        tmp_path, query("bucket", "size_bytes", targets=[Target("b")]), (ASK, body, 200)
    )
    assert series.points == ((START - timedelta(days=3), 5.0),)
    assert sent["interval.startTime"] == "2026-11-17T12:00:00Z"
    assert sent["aggregation.alignmentPeriod"] == "86400s"


async def test_the_next_name_is_asked_for_where_the_first_has_nothing(tmp_path: Path) -> None:
    mysql = Target("d", "d", {"service": "sql"})
    _, sent = await read(tmp_path, query("database", "connections", targets=[mysql]), (ASK, {}, 200))
    names = [re.findall(r'metric.type = "([^"]+)"', one["filter"])[0] for one in sent]
    assert [one.partition("database/")[2] for one in names] == [
        "postgresql/num_backends",
        "network/connections",
    ]


async def test_a_metric_that_nobody_ever_wrote_is_no_error_and_a_refusal_is_one(tmp_path: Path) -> None:
    never = error(404, "notFound", 'Cannot find metric(s) that match type = "agent.googleapis.com/x".')
    assert (await read(tmp_path, query("instance", "memory"), (ASK, never, 404)))[0] == []
    for body, expected in ((error(403, "forbidden"), Forbidden), (off("Cloud Monitoring API"), NotEnabled)):
        with pytest.raises(expected):
            await read(tmp_path, query("instance", "memory"), (ASK, body, 403))


async def test_series_that_could_not_be_read_are_remarked(tmp_path: Path) -> None:
    body = {"executionErrors": [{"code": 8, "message": "too much"}]}
    async with asked(tmp_path, (ASK, body, 200)) as (connector, _):
        scope = Scope("gcp", "default", "us-west1", "metrics", "{}")
        assert [page async for page in connector.metrics(scope, query("instance", "cpu"))] == [[]]
        assert [one.code for one in connector.notes] == ["unavailable"]


def test_a_filter_never_grows_longer_than_google_takes() -> None:
    (source,) = told_by({"gce": "instance/cpu/utilization"}).values()
    ids = [str(10**18 + n) for n in range(500)]
    made = filters(source, "instance/cpu/utilization", ids, "us-west1")
    assert max(map(len, made)) <= LONGEST_FILTER + 1
    assert max(one.count(",") for one in filters(source, "x", [f"b{n}" for n in range(300)], "global")) == 99
    assert sorted(one for text in made for one in re.findall(r'"(1\d{18})"', text)) == ids


def test_every_told_metric_names_a_source_that_its_type_has() -> None:
    for kind, every in FACTS.metrics.items():
        for metric, about in every.items():
            sources = set(told_by(about))
            assert sources <= set(SOURCES), metric
            assert kind not in OF_TYPE or sources <= set(OF_TYPE[kind]), metric
            assert kind in known.metrics()[metric].of
