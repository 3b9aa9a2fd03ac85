"""CloudWatch in the sandbox: every value follows from the fleet file by the rule of its README."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudtop.sandbox.serve import running
from tests.audit import company
from tests.sandbox.amazon import client

NOW = datetime(2026, 11, 20, 14, 20, 30, tzinfo=UTC)
END = NOW.replace(second=0)
"""Until when is asked: whole minutes, since CloudWatch counts from them."""
MINUTE, FIVE, HOUR, DAY = (timedelta(seconds=n) for n in (60, 300, 3600, 86_400))
NAMED = {one.tags.get("Name", one.id): one for one in company.things("aws") if one.group == "instances"}
OTHERS = {one.id: one for one in company.things("aws") if one.group != "instances"}

Point = tuple[datetime, float]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running(("aws",), now=NOW) as made:
        yield made.endpoint("aws")


def ask(
    endpoint: str, *queries: dict[str, Any], place: tuple[str, str] = ("prod", "us-east-1"), **more: Any
) -> list[dict[str, Any]]:
    """The results of one GetMetricData, all pages of it, in the order of the queries."""
    wanted = [{"Id": f"q{n}", **query} for n, query in enumerate(queries)]
    about = {"MetricDataQueries": wanted, "StartTime": END - HOUR, "EndTime": END, **more}
    with closing(client("cloudwatch", endpoint, *place)) as asked:
        pages = asked.get_paginator("get_metric_data").paginate(**about)
        found = {one["Id"]: one for page in pages for one in page["MetricDataResults"]}
    return [found[one["Id"]] for one in wanted]


def query(namespace: str, metric: str, period: int, stat: str, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    about = {"Namespace": namespace, "MetricName": metric, "Dimensions": pairs}
    return {"MetricStat": {"Metric": about, "Period": period, "Stat": stat}}


def points(result: dict[str, Any]) -> list[Point]:
    """Oldest first."""
    return sorted(zip(result["Timestamps"], result["Values"], strict=True))


def test_the_points_of_an_hour_are_those_of_the_rule(endpoint: str) -> None:
    for name, step in (("web-prod-1", FIVE), ("api-prod-1", MINUTE)):
        thing = NAMED[name]
        wanted = query("AWS/EC2", "CPUUtilization", int(step.total_seconds()), "Average", InstanceId=thing.id)
        (found,) = ask(endpoint, wanted)
        told = company.samples(thing.said["metrics"]["CPUUtilization"], END - HOUR, END, step, NOW, NOW)
        assert [value for _, value in points(found)] == pytest.approx([value for _, value in told])
        # The periods begin where the question begins, to the minute.
        assert points(found)[0][0].minute == 20
        assert found["StatusCode"] == "Complete"


def test_the_newest_point_comes_first_unless_asked_otherwise(endpoint: str) -> None:
    wanted = query("AWS/EC2", "CPUUtilization", 300, "Average", InstanceId=NAMED["cache-01"].id)
    (first,) = ask(endpoint, wanted)
    (second,) = ask(endpoint, wanted, ScanBy="TimestampAscending")
    assert first["Timestamps"] == second["Timestamps"][::-1]
    assert first["Timestamps"] == sorted(first["Timestamps"], reverse=True)


@pytest.mark.parametrize("length", [DAY, 7 * DAY, 30 * DAY])
def test_over_whole_days_the_mean_is_the_base_and_what_changed_shows(
    endpoint: str, length: timedelta
) -> None:
    """web-prod-4 was at 61 until three days ago and is at 18 since; cache-01 is at 23 all the time."""
    period = int(HOUR.total_seconds())
    wanted = [query("AWS/EC2", "CPUUtilization", period, "Average", InstanceId=NAMED[name].id)
              for name in ("cache-01", "web-prod-4")]  # fmt: skip
    still, moved = ask(endpoint, *wanted, StartTime=END - length, EndTime=END)
    assert company.mean(still["Values"]) == pytest.approx(23, abs=0.05)
    days = length / DAY
    share = min(days, 3) / days
    assert company.mean(moved["Values"]) == pytest.approx(18 * share + 61 * (1 - share), abs=1)


@pytest.mark.parametrize(
    ("stat", "of"),
    [
        ("Average", company.mean),
        ("Sum", math.fsum),
        ("Minimum", min),
        ("Maximum", max),
        ("SampleCount", len),
        ("p50", lambda all: sorted(all)[math.ceil(0.5 * len(all)) - 1]),
        ("p99", lambda all: sorted(all)[math.ceil(0.99 * len(all)) - 1]),
        ("p99.9", max),
    ],
)
def test_statistics_of_a_quarter_of_an_hour(endpoint: str, stat: str, of: Any) -> None:
    gateway = OTHERS["api-gateway"]
    tail = gateway.names[-1].partition("loadbalancer/")[2]
    wanted = query("AWS/ApplicationELB", "TargetResponseTime", 900, stat, LoadBalancer=tail)
    (found,) = ask(endpoint, wanted, StartTime=END - timedelta(minutes=45), EndTime=END)
    told = company.samples(gateway.said["metrics"]["TargetResponseTime"],
                           END - timedelta(minutes=45), END, MINUTE, NOW, NOW)  # fmt: skip
    quarters = [[value for at, value in told if (at - told[0][0]) // timedelta(minutes=15) == n]
                for n in range(3)]  # fmt: skip
    assert [value for _, value in points(found)] == pytest.approx([of(one) for one in quarters])


def test_each_gpu_has_series_of_its_own_and_one_is_idle(endpoint: str) -> None:
    thing = NAMED["training-node-04"]
    place = ("prod", "us-west-2")
    with closing(client("cloudwatch", endpoint, *place)) as asked:
        listing = asked.get_paginator("list_metrics").paginate(
            Namespace="CWAgent",
            MetricName="nvidia_smi_utilization_gpu",
            Dimensions=[{"Name": "InstanceId", "Value": thing.id}],
        )
        listed = [one for page in listing for one in page["Metrics"]]
    assert len(listed) == 4
    wanted = [
        query("CWAgent", "nvidia_smi_utilization_gpu", 3600, "Average",
              **{one["Name"]: one["Value"] for one in metric["Dimensions"]})
        for metric in listed
    ]  # fmt: skip
    found = ask(endpoint, *wanted, place=place, StartTime=END - DAY, EndTime=END)
    by_index = {
        {one["Name"]: one["Value"] for one in metric["Dimensions"]}["index"]: company.mean(told["Values"])
        for metric, told in zip(listed, found, strict=True)
    }
    assert by_index == {
        "0": pytest.approx(63, abs=0.1),
        "1": pytest.approx(63, abs=0.1),
        "2": pytest.approx(63, abs=0.1),
        "3": 0,
    }


def test_one_gpu_is_nearly_full(endpoint: str) -> None:
    full = [one["memory_used"] / one["memory_total"] for one in NAMED["training-node-07"].said["gpus"]]
    assert sorted(share > 0.95 for share in full).count(True) == 2


def test_the_dimensions_must_be_exactly_those_of_the_series(endpoint: str) -> None:
    cache = NAMED["cache-01"]
    whole = {"InstanceId": cache.id, "ImageId": cache.said["ImageId"], "InstanceType": "r7g.large"}
    exact, fewer = ask(
        endpoint,
        query("CWAgent", "mem_used_percent", 60, "Average", **whole),
        query("CWAgent", "mem_used_percent", 60, "Average", InstanceId=cache.id),
    )
    assert len(exact["Values"]) == 60
    assert fewer["Values"] == []


def test_buckets_are_measured_at_midnight_in_their_own_region(endpoint: str) -> None:
    bucket = OTHERS["brightwater-logs"]
    wanted = [
        query("AWS/S3", "BucketSizeBytes", 86_400, "Average", BucketName=bucket.id, StorageType=storage)
        for storage in bucket.said["storage"]
    ] + [
        query(
            "AWS/S3",
            "NumberOfObjects",
            86_400,
            "Average",
            BucketName=bucket.id,
            StorageType="AllStorageTypes",
        )
    ]
    found = ask(endpoint, *wanted, StartTime=END - 3 * DAY, EndTime=END)
    assert [one["Values"][0] for one in found] == [*bucket.said["storage"].values(), bucket.said["objects"]]
    elsewhere = ask(endpoint, *wanted, place=("prod", "eu-central-1"), StartTime=END - 3 * DAY, EndTime=END)
    assert all(one["Values"] == [] for one in elsewhere)


def test_lambda_tells_errors_and_rds_its_connections(endpoint: str) -> None:
    errors, calls, connections = ask(
        endpoint,
        query("AWS/Lambda", "Errors", 3600, "Sum", FunctionName="checkout-webhook"),
        query("AWS/Lambda", "Invocations", 3600, "Sum", FunctionName="checkout-webhook"),
        query("AWS/RDS", "DatabaseConnections", 3600, "Average", DBInstanceIdentifier="db-main"),
        StartTime=END - 2 * HOUR,
        EndTime=END - HOUR,
    )
    assert (errors["Values"], calls["Values"]) == ([18 * 60], [120 * 60])
    assert connections["Values"] == pytest.approx([210])


def test_what_is_stopped_or_young_has_no_points_then(endpoint: str) -> None:
    young = NAMED["spot-batch-1"]
    (found,) = ask(
        endpoint, query("AWS/EC2", "CPUUtilization", 3600, "Average", InstanceId=young.id),
        place=("sandbox", "us-west-2"), StartTime=END - DAY, EndTime=END,
    )  # fmt: skip
    born = company.hour(NOW) - timedelta(hours=9)
    assert min(found["Timestamps"]) > born - HOUR
    stopped = NAMED["training-node-06"]
    (found,) = ask(
        endpoint, query("AWS/EC2", "CPUUtilization", 3600, "Average", InstanceId=stopped.id),
        place=("prod", "us-west-2"), StartTime=END - 7 * DAY, EndTime=END,
    )  # fmt: skip
    assert max(found["Timestamps"]) < company.hour(NOW) - 4 * DAY
    assert len(found["Values"]) == pytest.approx(3 * 24, abs=1)


def test_close_points_are_not_kept_for_ever(endpoint: str) -> None:
    cache = query("AWS/EC2", "CPUUtilization", 60, "Average", InstanceId=NAMED["api-prod-1"].id)
    long_ago = {"StartTime": END - 20 * DAY, "EndTime": END - 19 * DAY}
    assert ask(endpoint, cache, **long_ago)[0]["Values"] == []
    cache["MetricStat"]["Period"] = 300
    assert len(ask(endpoint, cache, **long_ago)[0]["Values"]) == 288


def test_a_question_about_many_comes_in_pages(endpoint: str) -> None:
    wanted = {
        "Id": "a",
        **query("AWS/EC2", "CPUUtilization", 300, "Average", InstanceId=NAMED["cache-01"].id),
    }
    about = {"StartTime": END - HOUR, "EndTime": END}
    with closing(client("cloudwatch", endpoint)) as asked:
        first = asked.get_metric_data(MetricDataQueries=[wanted, {**wanted, "Id": "b"}], **about)
        assert [one["Id"] for one in first["MetricDataResults"]] == ["a"]
        assert first["NextToken"]


WRONG: dict[str, dict[str, Any]] = {
    "a period that is none": {"MetricStat": {"Period": 90}},
    "a statistic that is none": {"MetricStat": {"Stat": "Median"}},
    "an id that begins with a capital": {"Id": "Q"},
    "an expression": {"Expression": "SUM(METRICS())"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cloudwatch_would_refuse_is_refused(endpoint: str, wrong: str) -> None:
    good = {"Id": "q", **query("AWS/EC2", "CPUUtilization", 300, "Average", InstanceId="i-1")}
    changed = WRONG[wrong]
    if "MetricStat" in changed:
        changed = {"MetricStat": {**good["MetricStat"], **changed["MetricStat"]}}
    if "Expression" in changed:
        del good["MetricStat"]
    with (
        closing(client("cloudwatch", endpoint)) as asked,
        pytest.raises(ClientError, match="ValidationError"),
    ):
        asked.get_metric_data(MetricDataQueries=[{**good, **changed}], StartTime=END - HOUR, EndTime=END)


def test_more_than_five_hundred_questions_and_a_time_that_runs_backwards_are_refused(endpoint: str) -> None:
    good = query("AWS/EC2", "CPUUtilization", 300, "Average", InstanceId="i-1")
    many = [{"Id": f"q{n}", **good} for n in range(501)]
    with closing(client("cloudwatch", endpoint)) as asked:
        for queries, start in ((many, END - HOUR), (many[:1], END + HOUR)):
            with pytest.raises(ClientError, match="ValidationError"):
                asked.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=END)
