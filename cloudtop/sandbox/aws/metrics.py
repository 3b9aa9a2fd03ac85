"""CloudWatch over the fleet: which series there are, and their values by the rule of `series`.

GetMetricData takes what the real one takes of MetricStat: 500 queries, whole minutes, statistics by their
names; a datapoint bears the start of its period, and the periods begin where the question begins. Points of a
minute are kept for 15 days, of five minutes for 63. Expressions are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.aws.seeds import arn
from cloudtop.sandbox.aws.wire import Call, Refusal
from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.series import Series, series

MINUTE_S, DAY_S = 60, 86_400
MOST_QUERIES = 500
KEPT = ((15 * DAY_S, 300), (63 * DAY_S, 3600))
"""Beyond so long ago there are no points closer than this."""
STATISTICS = {"Average": "avg", "Sum": "sum", "Minimum": "min", "Maximum": "max", "SampleCount": "count"}
PERCENTILE = re.compile(r"p(100|\d{1,2})(\.\d{1,10})?")
NAMED = re.compile(r"[a-z][a-zA-Z0-9_]*")

OF = {
    "caches": ("AWS/ElastiCache", "CacheClusterId", MINUTE_S),
    "db_clusters": ("AWS/RDS", "DBClusterIdentifier", MINUTE_S),
    "db_instances": ("AWS/RDS", "DBInstanceIdentifier", MINUTE_S),
    "classic_load_balancers": ("AWS/ELB", "LoadBalancerName", MINUTE_S),
    "functions": ("AWS/Lambda", "FunctionName", MINUTE_S),
    "tables": ("AWS/DynamoDB", "TableName", MINUTE_S),
    "volumes": ("AWS/EBS", "VolumeId", 300),
}
"""Groups whose series one dimension, the id, tells apart: namespace, dimension, seconds between samples."""


@dataclass(frozen=True)
class Metric:
    """One series as CloudWatch knows it."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    series: Series

    @property
    def key(self) -> tuple[str, str, frozenset[tuple[str, str]]]:
        """What a question must name exactly."""
        return self.namespace, self.name, frozenset(self.dimensions)

    def told(self) -> dict[str, Any]:
        """As ListMetrics has it."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}


def metrics(fleet: Fleet, account: str, region: str) -> list[Metric]:
    """Every series of an account in a region, in the order of the fleet file."""
    found = []
    for one in fleet.records:
        if one.account == account and one.region == region:
            for namespace, name, dimensions, told, every_s in _measured(fleet, one):
                made = series(told, every_s, fleet.started, one.created, one.stopped)
                found.append(Metric(namespace, name, tuple(dimensions.items()), made))
    return found


Measured = tuple[str, str, dict[str, str], Any, int]


def _measured(fleet: Fleet, one: Record) -> Iterator[Measured]:
    if one.group in OF:
        namespace, dimension, every_s = OF[one.group]
        for name, told in one.metrics.items():
            yield namespace, name, {dimension: one.id}, told, every_s
    elif one.group == "instances":
        yield from _instance(one)
    elif one.group == "load_balancers":
        spoken = {"app": "AWS/ApplicationELB", "net": "AWS/NetworkELB"}[one.own["kind"]]
        tail = arn(fleet, one, "").partition("loadbalancer/")[2]
        for name, told in one.metrics.items():
            yield spoken, name, {"LoadBalancer": tail}, told, MINUTE_S
    elif one.group == "ecs_services":
        names = {"ClusterName": one.own["cluster"], "ServiceName": one.id}
        for name, told in one.metrics.items():
            yield "AWS/ECS", name, names, told, MINUTE_S
    elif one.group == "buckets":
        yield from _bucket(one)


def _instance(one: Record) -> Iterator[Measured]:
    """What the hypervisor sees each minute or five, and what an agent tells each minute."""
    every_s = MINUTE_S if one.own["Monitoring"]["State"] == "enabled" else 300
    for name, told in one.metrics.items():
        yield "AWS/EC2", name, {"InstanceId": one.id}, told, every_s
    about = {"InstanceId": one.id, "ImageId": one.own["ImageId"], "InstanceType": one.own["InstanceType"]}
    agent = dict(one.own.get("agent", {}))
    named = {name: about[name] for name in agent.pop("by", ())}
    for name, told in agent.items():
        disk = {"path": "/", "device": "nvme0n1p1", "fstype": "xfs"} if name.startswith("disk_") else {}
        yield "CWAgent", name, {**named, **disk}, told, MINUTE_S
    for index, device in enumerate(one.own.get("gpus", ())):
        told_by = {"index": str(index), "name": device["name"], "arch": device["arch"]}
        for name, told in device.items():
            if name not in told_by:
                yield "CWAgent", f"nvidia_smi_{name}", {**about, **told_by}, told, MINUTE_S


def _bucket(one: Record) -> Iterator[Measured]:
    """Once a day, at midnight."""
    for storage, size in one.own.get("storage", {}).items():
        yield "AWS/S3", "BucketSizeBytes", {"BucketName": one.id, "StorageType": storage}, size, DAY_S
    if "objects" in one.own:
        named = {"BucketName": one.id, "StorageType": "AllStorageTypes"}
        yield "AWS/S3", "NumberOfObjects", named, one.own["objects"], DAY_S


def list_metrics(known: list[Metric], call: Call) -> dict[str, Any]:
    """ListMetrics: those that bear the names asked for; a dimension without a value may have any."""
    asked = call.arguments
    wanted = [(one["Name"], one.get("Value")) for one in asked.get("Dimensions", ())]
    found = [
        one.told()
        for one in known
        if asked.get("Namespace") in (None, one.namespace)
        and asked.get("MetricName") in (None, one.name)
        and all(dict(one.dimensions).get(name, ...) in ((value,) if value else dict(one.dimensions).values())
                for name, value in wanted)
    ]  # fmt: skip
    return {"Metrics": found}


def queries(call: Call) -> dict[str, Any]:
    """GetMetricData as far as paging goes: its questions, which must be such as CloudWatch takes."""
    asked = call.arguments
    found = asked.get("MetricDataQueries", [])
    if not 0 < len(found) <= MOST_QUERIES:
        raise Refusal("ValidationError", f"MetricDataQueries must have 1 to {MOST_QUERIES} entries.")
    if _moment(asked["StartTime"]) >= _moment(asked["EndTime"]):
        raise Refusal("ValidationError", "The parameter EndTime must be greater than StartTime.")
    if len({one.get("Id") for one in found}) < len(found):
        raise Refusal("ValidationError", "The values for parameter Id are not unique.")
    for one in found:
        _check(one)
    return {"MetricDataResults": found, "Messages": []}


def _check(query: Mapping[str, Any]) -> None:
    about = query.get("MetricStat")
    if about is None or not NAMED.fullmatch(query.get("Id", "")):
        raise Refusal(
            "ValidationError", "A query needs an Id and a MetricStat; expressions are not known here."
        )
    period, stat = about["Period"], about["Stat"]
    if period <= 0 or (period % MINUTE_S and period not in (1, 5, 10, 30)):
        raise Refusal("ValidationError", f"Period {period} is not valid: it must be a multiple of 60.")
    if stat not in STATISTICS and not PERCENTILE.fullmatch(stat):
        raise Refusal("ValidationError", f"The value {stat} for parameter Stat is not supported.")


def results(
    known: list[Metric], call: Call, asked: list[Mapping[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """The answers to questions of one GetMetricData, the newest points first unless asked otherwise."""
    by_key = {one.key: one for one in known}
    start, end = (_moment(call.arguments[name]) for name in ("StartTime", "EndTime"))
    made = []
    for query in asked:
        points = list(_points(by_key, query["MetricStat"], start - start % MINUTE_S, end, now.timestamp()))
        if call.arguments.get("ScanBy") != "TimestampAscending":
            points.reverse()
        made.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", query["MetricStat"]["Metric"]["MetricName"]),
                "Timestamps": [at for at, _ in points],
                "Values": [value for _, value in points],
                "StatusCode": "Complete",
            }
        )
    return made


def _points(
    known: Mapping[Any, Metric], about: Mapping[str, Any], start: float, end: float, now: float
) -> Iterator[tuple[float, float]]:
    metric, period = about["Metric"], about["Period"]
    dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
    found = known.get((metric["Namespace"], metric["MetricName"], dimensions))
    if found:
        oldest = now - min((age for age, least in KEPT if period < least), default=math.inf)
        points = found.series.points(STATISTICS.get(about["Stat"], about["Stat"]), start, end, period, now)
        yield from (one for one in points if one[0] >= oldest)


def _moment(text: Any) -> float:
    """A time as the protocols write it: seconds, or a datetime that botocore's models made of them."""
    if isinstance(text, datetime):
        return (text if text.tzinfo else text.replace(tzinfo=UTC)).timestamp()
    return float(text)
