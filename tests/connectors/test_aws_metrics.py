"""CloudWatch: what is asked for, in how many calls, and what its answers are in our units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudtop import metrics as known
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope, Trouble
from connectors import discovery
from connectors.aws_measured import SOURCES, told_by
from tests.connectors.aws_server import Answer, Asked, House, amazon
from tests.connectors.raw_servers import START, reply

pytest.importorskip("boto3")

HOUR = timedelta(hours=1)
DETAILED = {"monitoring": "enabled"}


def query(
    kind: str,
    *names: str,
    targets: Iterable[Target] = (Target("i-1"),),
    start: datetime = START - HOUR,
    step_s: int = 60,
    stat: str = "avg",
) -> MetricQuery:
    return MetricQuery(kind, names, start, START, step_s, stat, tuple(targets))


async def read(wanted: MetricQuery, **answers: Any) -> tuple[list[Series], list[Asked], list[Trouble]]:
    """The series that come of these answers, what was asked, and what was remarked."""
    async with amazon(**answers) as cloud, House(cloud).opened() as aws:
        scope = Scope("aws", "default", "eu-west-1", "metrics", "{}")
        found = [one async for page in aws.metrics(scope, wanted) for one in page]
        return found, cloud.asked, aws.noted.pop(scope, [])


def queries(asked: Asked) -> list[tuple[str, str, Any, int, str]]:
    """Of each series that a call asks for: namespace, name, dimensions, period, statistic."""
    found = []
    for one in asked.arguments["MetricDataQueries"]:
        metric, about = one["MetricStat"]["Metric"], one["MetricStat"]
        pairs = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
        found.append((metric["Namespace"], metric["MetricName"], pairs, about["Period"], about["Stat"]))
    return found


def answered(*values: float, of: Callable[[tuple[Any, ...]], bool] = lambda one: True, **more: Any) -> Answer:
    """The same values for every series that is meant, a period apart, the first at the start of the time."""

    def answer(asked: Asked) -> bytes:
        start = float(asked.arguments["StartTime"])
        results = []
        for place, one in enumerate(queries(asked)):
            told = values if of(one) else ()
            times = [start + n * one[3] for n in range(len(told))]
            about = {"Id": asked.arguments["MetricDataQueries"][place]["Id"], "Label": one[1]}
            results.append({**about, "Timestamps": times, "Values": told, "StatusCode": "Complete", **more})
        return reply(200, {"MetricDataResults": results, "Messages": []})

    return answer


def listed(*dimensions: Mapping[str, str]) -> bytes:
    """An answer of ListMetrics."""
    metrics = [
        {"Dimensions": [{"Name": name, "Value": value} for name, value in one.items()]} for one in dimensions
    ]
    return reply(200, {"Metrics": metrics})


def values(found: Iterable[Series]) -> list[tuple[str, str, str | None, list[float]]]:
    return [(one.id, one.metric, one.device, [value for _, value in one.points]) for one in found]


async def test_an_instance_tells_five_minutes_at_a_time_unless_it_is_monitored_in_detail() -> None:
    targets = (Target("i-1"), Target("i-2", details=DETAILED))
    found, asked, notes = await read(query("instance", "cpu", targets=targets), GetMetricData=answered(7.5))
    periods = {one[2]["InstanceId"]: one[3] for call in asked for one in queries(call)}
    assert periods == {"i-1": 300, "i-2": 60}
    assert values(found) == [("i-1", "cpu", None, [7.5]), ("i-2", "cpu", None, [7.5])]
    assert {one.points[0][0] for one in found} == {START - HOUR}
    assert notes == []
    assert {one.arguments["ScanBy"] for one in asked} == {"TimestampAscending"}


@pytest.mark.parametrize(
    ("metric", "stat", "details", "asks", "value"),
    [
        # 600 in five minutes are two a second.
        ("network_in", "avg", {}, "Sum", 2.0),
        ("network_in", "sum", {}, "Sum", 2.0),
        ("network_in", "max", {}, "Maximum", 2.0),
        ("network_in", "min", DETAILED, "Minimum", 10.0),
        ("packets_out", "avg", DETAILED, "Sum", 10.0),
        ("cpu", "max", {}, "Maximum", 600.0),
        ("cpu", "last", {}, "Average", 600.0),
        # Its samples are no values of their own, so that there is no percentile of them.
        ("cpu", "p99", {}, "Average", 600.0),
    ],
)
async def test_what_is_counted_becomes_per_second(
    metric: str, stat: str, details: Mapping[str, object], asks: str, value: float
) -> None:
    wanted = query("instance", metric, targets=(Target("i-1", details=details),), stat=stat)
    found, asked, _ = await read(wanted, GetMetricData=answered(600))
    assert [one[4] for one in queries(asked[0])] == [asks]
    assert values(found) == [("i-1", metric, None, [value])]


async def test_a_step_that_is_not_over_is_no_rate_yet() -> None:
    # Thirteen steps of five minutes: the last one begins where the time ends.
    found, _, _ = await read(query("instance", "network_out"), GetMetricData=answered(*[300.0] * 13))
    assert values(found) == [("i-1", "network_out", None, [1.0] * 12)]
    found, _, _ = await read(query("instance", "cpu"), GetMetricData=answered(*[300.0] * 13))
    assert len(found[0].points) == 13


async def test_counts_stay_counts() -> None:
    function = (Target("orders", "orders"),)
    for stat in ("sum", "avg", "max"):
        wanted = query("function", "invocations", targets=function, stat=stat)
        found, asked, _ = await read(wanted, GetMetricData=answered(12, 3))
        assert queries(asked[0]) == [("AWS/Lambda", "Invocations", {"FunctionName": "orders"}, 60, "Sum")]
        assert values(found) == [("orders", "invocations", None, [12, 3])]


@pytest.mark.parametrize(
    ("metric", "stat", "asks"),
    [
        ("latency", "p99", "p99"),
        ("latency", "avg", "Average"),
        ("latency_max", "avg", "Maximum"),
        ("latency_min", "max", "Minimum"),
        ("concurrency", "avg", "Maximum"),
    ],
)
async def test_a_function_tells_its_durations_in_milliseconds(metric: str, stat: str, asks: str) -> None:
    wanted = query("function", metric, targets=(Target("orders"),), stat=stat)
    found, asked, _ = await read(wanted, GetMetricData=answered(120.5))
    assert [one[4] for one in queries(asked[0])] == [asks]
    assert values(found) == [("orders", metric, None, [120.5])]


BALANCER = Target(
    "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/lb-edge/50dc6c495c0c9188",
    "lb-edge",
    {"service": "application"},
)
OLD = Target("old", "old", {"service": "classic"})


async def test_load_balancers_answer_in_milliseconds_and_by_percentiles() -> None:
    wanted = query("load_balancer", "latency", targets=(BALANCER, OLD), stat="p99")
    found, asked, _ = await read(wanted, GetMetricData=answered(0.25))
    assert sorted(queries(asked[0]), key=str) == [
        (
            "AWS/ApplicationELB",
            "TargetResponseTime",
            {"LoadBalancer": "app/lb-edge/50dc6c495c0c9188"},
            60,
            "p99",
        ),
        ("AWS/ELB", "Latency", {"LoadBalancerName": "old"}, 60, "p99"),
    ]
    assert values(found) == [(BALANCER.id, "latency", None, [250.0]), ("old", "latency", None, [250.0])]
    assert discovery.found()["aws"].metrics["load_balancer"]["latency"]["percentiles"]


async def test_errors_of_a_load_balancer_are_its_own_and_those_behind_it() -> None:
    wanted = query("load_balancer", "errors", targets=(BALANCER,), stat="sum")
    found, asked, _ = await read(wanted, GetMetricData=answered(3, 4))
    assert {one[1] for one in queries(asked[0])} == {"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"}
    assert values(found) == [(BALANCER.id, "errors", None, [6, 8])]


async def test_the_next_name_is_asked_for_where_the_first_tells_nothing() -> None:
    targets = (Target("i-1"), Target("i-2"))

    def of_the_old_kind(one: tuple[Any, ...]) -> bool:
        return (one[1] == "DiskReadBytes") == (one[2]["InstanceId"] == "i-2")

    found, asked, _ = await read(
        query("instance", "disk_read", targets=targets), GetMetricData=answered(300, of=of_the_old_kind)
    )
    assert [[(one[1], one[2]["InstanceId"]) for one in queries(call)] for call in asked] == [
        [("EBSReadBytes", "i-1"), ("EBSReadBytes", "i-2")],
        [("DiskReadBytes", "i-2")],
    ]
    assert values(found) == [("i-1", "disk_read", None, [1.0]), ("i-2", "disk_read", None, [1.0])]


GPU = {"InstanceId": "i-1", "ImageId": "ami-1", "name": "NVIDIA A100", "arch": "Ampere"}


async def test_each_gpu_is_a_series_with_the_dimensions_that_its_agent_sends() -> None:
    shown = listed(
        {**GPU, "index": "0"},
        {**GPU, "index": "1"},
        {"InstanceId": "i-1"},
        {**GPU, "InstanceId": "i-9", "index": "0"},
    )
    wanted = query("instance", "gpu_memory_used", targets=(Target("i-1"), Target("i-2")))
    found, asked, _ = await read(wanted, ListMetrics=shown, GetMetricData=answered(1024))
    lists, data = asked
    assert lists.arguments == {
        "Namespace": "CWAgent",
        "MetricName": "nvidia_smi_memory_used",
        "RecentlyActive": "PT3H",
    }
    assert queries(data) == [
        ("CWAgent", "nvidia_smi_memory_used", {**GPU, "index": index}, 60, "Average") for index in ("0", "1")
    ]
    # MiB as nvidia-smi tells them.
    assert values(found) == [("i-1", "gpu_memory_used", index, [1024.0**3]) for index in ("0", "1")]


async def test_of_one_machine_its_own_series_alone_are_listed() -> None:
    wanted = query("instance", "memory", start=START - 5 * HOUR)
    _, asked, _ = await read(wanted, ListMetrics=listed({"InstanceId": "i-1"}), GetMetricData=answered(50))
    assert asked[0].arguments["Dimensions"] == [{"Name": "InstanceId", "Value": "i-1"}]
    assert "RecentlyActive" not in asked[0].arguments


async def test_the_disk_of_a_machine_is_the_one_that_it_starts_from() -> None:
    disks = [{"InstanceId": "i-1", "path": path, "fstype": "ext4"} for path in ("/data", "/", "/boot")]
    wanted = query("instance", "disk")
    _, asked, _ = await read(wanted, ListMetrics=listed(*disks), GetMetricData=answered(50))
    assert [one[2]["path"] for one in queries(asked[1])] == ["/"]


async def test_where_no_agent_runs_nothing_is_asked_for() -> None:
    found, asked, notes = await read(query("instance", "memory"), ListMetrics=listed())
    assert (found, notes) == ([], [])
    assert {one.operation for one in asked} == {"ListMetrics"}


async def test_a_bucket_is_as_large_as_all_its_storage_classes_the_day_before_yesterday() -> None:
    classes = [{"BucketName": "logs", "StorageType": kind} for kind in ("StandardStorage", "GlacierStorage")]
    wanted = query("bucket", "size_bytes", "object_count", targets=(Target("logs"),))
    found, asked, _ = await read(wanted, ListMetrics=listed(*classes), GetMetricData=answered(10, 20))
    (data,) = (one for one in asked if one.operation == "GetMetricData")
    assert datetime.fromtimestamp(float(data.arguments["StartTime"]), UTC) == datetime(
        2026, 11, 17, tzinfo=UTC
    )
    assert {(one[1], one[2]["StorageType"], one[3]) for one in queries(data)} == {
        ("BucketSizeBytes", "StandardStorage", 86_400),
        ("BucketSizeBytes", "GlacierStorage", 86_400),
        ("NumberOfObjects", "AllStorageTypes", 86_400),
    }
    # Of days before the time that is asked about, the newest.
    assert values(found) == [("logs", "size_bytes", None, [40]), ("logs", "object_count", None, [20])]
    assert {one.points[0][0] for one in found} == {datetime(2026, 11, 18, tzinfo=UTC)}


DATABASES = (
    Target("db-main", "db-main", {"service": "rds"}),
    Target("arn:aws:dynamodb:eu-west-1:1:table/orders", "orders", {"service": "dynamodb"}),
    Target("arn:aws:elasticache:eu-west-1:1:cluster:cache-01", "cache-01", {"service": "elasticache"}),
    Target("arn:aws:rds:eu-west-1:1:cluster:shop", "shop", {"service": "rds_cluster"}),
    Target("arn:aws:rds:eu-west-1:1:cluster:small", "small", {"service": "rds_serverless"}),
)


@pytest.mark.parametrize(
    ("metric", "asks"),
    [
        (
            "connections",
            {
                ("AWS/RDS", "DatabaseConnections", ("DBInstanceIdentifier", "db-main")),
                ("AWS/ElastiCache", "CurrConnections", ("CacheClusterId", "cache-01")),
                ("AWS/RDS", "DatabaseConnections", ("DBClusterIdentifier", "small")),
            },
        ),
        (
            "size_bytes",
            {
                ("AWS/RDS", "VolumeBytesUsed", ("DBClusterIdentifier", "shop")),
                ("AWS/RDS", "VolumeBytesUsed", ("DBClusterIdentifier", "small")),
            },
        ),
        (
            "throttles",
            {
                ("AWS/DynamoDB", "ReadThrottleEvents", ("TableName", "orders")),
                ("AWS/DynamoDB", "WriteThrottleEvents", ("TableName", "orders")),
            },
        ),
    ],
)
async def test_each_kind_of_database_is_asked_for_by_its_own_name(metric: str, asks: set[Any]) -> None:
    wanted = query("database", metric, targets=DATABASES)
    _, asked, _ = await read(wanted, GetMetricData=answered(1))
    assert {(space, name, *pairs.items()) for space, name, pairs, *_ in queries(asked[0])} == asks


async def test_latency_of_a_database_is_told_in_seconds() -> None:
    wanted = query("database", "latency", targets=DATABASES[:1])
    found, _, _ = await read(wanted, GetMetricData=answered(0.002))
    assert values(found) == [("db-main", "latency", None, [2.0])]


async def test_a_service_of_ecs_is_asked_for_by_its_cluster_too() -> None:
    details = {"service": "ecs", "cluster": "arn:aws:ecs:eu-west-1:1:cluster/main"}
    target = Target("arn:aws:ecs:eu-west-1:1:service/main/api", "api", details)
    _, asked, _ = await read(query("container", "cpu", targets=(target,)), GetMetricData=answered(1))
    assert queries(asked[0])[0][:3] == (
        "AWS/ECS",
        "CPUUtilization",
        {"ClusterName": "main", "ServiceName": "api"},
    )


@pytest.mark.parametrize(
    ("age", "step_s", "period_s"),
    [
        (timedelta(hours=2), 60, 60),
        (timedelta(days=14), 60, 60),
        (timedelta(days=16), 60, 300),
        (timedelta(days=64), 300, 3_600),
        (timedelta(days=64), 5_000, 7_200),
        (timedelta(days=500), 60, 3_600),
        (timedelta(days=30), 86_400, 86_400),
        (timedelta(hours=2), 90, 120),
    ],
)
async def test_no_finer_step_is_asked_for_than_is_kept(age: timedelta, step_s: int, period_s: int) -> None:
    target = (Target("vol-1"),)
    wanted = query("volume", "read_iops", targets=target, start=START - age, step_s=step_s)
    _, asked, _ = await read(wanted, GetMetricData=answered(1))
    assert queries(asked[0])[0][3] == period_s
    assert float(asked[0].arguments["StartTime"]) % period_s == 0


@pytest.mark.parametrize(
    ("hours", "early_s", "period_s"),
    [(24, 0, 86_400), (3, 0, 10_800), (72, 0, 86_400), (24 * 20, 180, 86_400)],
)
async def test_a_percentile_is_of_the_whole_time_and_not_of_the_day_that_has_begun(
    hours: int, early_s: int, period_s: int
) -> None:
    """The time begins at no multiple of its own length, as a rolling one does."""
    end = START.replace(hour=18, minute=47)
    start = end - timedelta(hours=hours)
    wanted = MetricQuery("load_balancer", ("latency",), start, end, hours * 3_600, "p99", (BALANCER,))
    found, asked, _ = await read(wanted, GetMetricData=answered(0.25))
    assert queries(asked[0])[0][3:] == (period_s, "p99")
    assert float(asked[0].arguments["StartTime"]) == start.timestamp() + early_s
    assert values(found) == [(BALANCER.id, "latency", None, [250.0])]


@pytest.mark.parametrize(
    ("targets", "length", "step_s", "calls"),
    [
        (500, HOUR, 300, [500]),
        (1_200, HOUR, 300, [200, 500, 500]),
        # A day of minutes is 1,441 points of each: 69 of them make 100,000.
        (200, timedelta(days=1), 60, [62, 69, 69]),
    ],
)
async def test_a_call_asks_for_no_more_than_it_may(
    targets: int, length: timedelta, step_s: int, calls: list[int]
) -> None:
    wanted = query(
        "instance",
        "cpu",
        targets=[Target(f"i-{n}", details=DETAILED) for n in range(targets)],
        start=START - length,
        step_s=step_s,
    )
    found, asked, _ = await read(wanted, GetMetricData=answered(1))
    assert sorted(len(queries(one)) for one in asked) == calls
    assert [one.id for one in found] == [f"i-{n}" for n in range(targets)]
    names = [one["Id"] for call in asked for one in call.arguments["MetricDataQueries"]]
    assert all(name[0].islower() and name.isalnum() for name in names)


async def test_the_pages_of_an_answer_are_one_series() -> None:
    start = (START - HOUR).timestamp()

    def part(*points: tuple[int, float], state: str, token: str | None) -> bytes:
        result = {
            "Id": "m0",
            "Timestamps": [start + minute * 60 for minute, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": state,
        }
        return reply(200, {"MetricDataResults": [result], **({"NextToken": token} if token else {})})

    pages: list[Answer] = [
        part((0, 1.0), (5, 2.0), state="PartialData", token="t"),
        part((10, 3.0), state="Complete", token=None),
    ]
    found, asked, notes = await read(query("instance", "cpu"), GetMetricData=pages)
    assert values(found) == [("i-1", "cpu", None, [1.0, 2.0, 3.0])]
    assert [one.arguments.get("NextToken") for one in asked] == [None, "t"]
    assert notes == []


@pytest.mark.parametrize(("state", "code"), [("InternalError", "unavailable"), ("Forbidden", "forbidden")])
async def test_a_series_that_could_not_be_read_is_said(state: str, code: str) -> None:
    wanted = query("volume", "disk_read", targets=[Target("vol-1"), Target("vol-2")])
    found, _, notes = await read(wanted, GetMetricData=answered(StatusCode=state))
    assert found == []
    assert [(one.code, one.message) for one in notes] == [(code, f"2 series could not be read ({state}).")]


def test_every_metric_in_the_facts_is_told_by_a_source_and_has_its_unit() -> None:
    facts = discovery.found()["aws"]
    for kind, told in facts.metrics.items():
        for metric, about in told.items():
            assert kind in known.metrics()[metric].of, f"{metric} is not of {kind}"
            assert set(about) - {"percentiles"} <= set(SOURCES), f"{kind} {metric}"
            assert all(one.names for parts in told_by(about).values() for one in parts)
    for kind, reasons in facts.untold.items():
        for metric in reasons:
            assert kind in known.metrics()[metric].of, f"{metric} is not of {kind}"
            assert not known.base(metric, facts.metrics.get(kind, {})), f"{kind} {metric} is told"
