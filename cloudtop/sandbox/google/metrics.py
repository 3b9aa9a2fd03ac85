"""Cloud Monitoring over the company: timeSeries.list as far as it is asked, out of the series of the fleet
file.

Samples stand every minute, those of buckets once a day at midnight. Numbers of the file are, for counters,
how much there was in a minute; for distributions, their mean. A metric that nothing in the project writes
is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cloudtop.sandbox.fleet import Record
from cloudtop.sandbox.google.records import Place
from cloudtop.sandbox.google.wire import Refusal, check, page
from cloudtop.sandbox.series import combined, series

TAKES = {"filter", "view", "orderBy", "pageSize", "pageToken", "interval.startTime", "interval.endTime"}
ALIGNED = {"alignmentPeriod", "perSeriesAligner", "crossSeriesReducer", "groupByFields"}
TAKES |= {f"{stage}.{name}" for stage in ("aggregation", "secondaryAggregation") for name in ALIGNED}
MINUTE_S, DAY_S = 60, 86_400
PAGE = 3
LONGEST_FILTER = 2048


class Kind(NamedTuple):
    """Where a group's metrics are told: the service before the name, the resource, its labels."""

    service: str
    resource: str
    labels: Mapping[str, str]
    every_s: int = MINUTE_S


KINDS = {
    "instances": Kind("compute.googleapis.com", "gce_instance", {"instance_id": "{id}", "zone": "{zone}"}),
    "functions": Kind(
        "run.googleapis.com", "cloud_run_revision", {"service_name": "{id}", "location": "{region}"}
    ),
    "run_services": Kind(
        "run.googleapis.com", "cloud_run_revision", {"service_name": "{id}", "location": "{region}"}
    ),
    "sql_instances": Kind(
        "cloudsql.googleapis.com",
        "cloudsql_database",
        {"database_id": "{project}:{id}", "region": "{region}"},
    ),
    "buckets": Kind("storage.googleapis.com", "gcs_bucket", {"bucket_name": "{id}"}, DAY_S),
    "forwarding_rules": Kind(
        "loadbalancing.googleapis.com", "https_lb_rule", {"forwarding_rule_name": "{name}"}
    ),
    "gke_clusters": Kind("kubernetes.io", "k8s_node", {"cluster_name": "{name}", "location": "{location}"}),
}
FIRST = Kind(
    "cloudfunctions.googleapis.com", "cloud_function", {"function_name": "{id}", "region": "{region}"}
)
"""Functions of the first generation."""
SPREAD = re.compile(r"latencies$|execution_times$|utilizations$")
UNITS = (
    (re.compile(r"execution_times$"), "ns"),
    (re.compile(r"latencies$"), "ms"),
    (re.compile(r"replica_lag$"), "s"),
    (re.compile(r"bytes"), "By"),
    (re.compile(r"percent_used$|gpu/utilization$"), "%"),
    (re.compile(r"utilizations?$"), "10^2.%"),
)
"""In which unit a metric is told, by how its name ends."""
ODD: Mapping[str, tuple[str, str, str]] = {
    # name in the file -> the metric, a label, its value
    "request_count_5xx": ("request_count", "response_code_class", "5xx"),
    "https/request_count_5xx": ("https/request_count", "response_code_class", "500"),
    "function/execution_count_error": ("function/execution_count", "status", "error"),
}


class Told(NamedTuple):
    """One series of the company: metric, resource, labels of both, what the file says, how often."""

    metric: str
    resource: str
    resource_labels: Mapping[str, str]
    labels: Mapping[str, str]
    series: Any
    every_s: int
    record: Record


def time_series(
    place: Place, asked: Mapping[str, str], groups: Sequence[str], now: datetime
) -> dict[str, Any]:
    """What timeSeries.list answers; `groups`: the fields of aggregation.groupByFields."""
    check(asked, TAKES)
    every, wanted = list(_every(place)), asked.get("filter", "")
    metric = re.search(r'metric\.type\s*=\s*"([^"]+)"', wanted)
    if not metric or len(wanted) > LONGEST_FILTER:
        raise Refusal(400, "Field filter had an invalid value: a filter names one metric.type.")
    if metric[1] not in {one.metric for one in every}:
        raise Refusal(404, f"Cannot find metric(s) that match type = {metric[1]}.")
    fitting = [one for one in every if one.metric == metric[1] and _fits(one, wanted)]
    start, end = (datetime.fromisoformat(asked[f"interval.{name}Time"]) for name in ("start", "end"))
    if start >= end:
        raise Refusal(400, "Field interval.startTime had an invalid value: it is after the end.")
    made = list(_grouped(place, fitting, asked, groups, start, end, now))
    part, more = page([one for one in made if one["points"]], asked, "pageSize", PAGE)
    unit = next((text for pattern, text in UNITS if pattern.search(metric[1])), "1")
    return {
        **({"timeSeries": [{**one, "unit": unit} for one in part]} if part else {}),
        **({"nextPageToken": more} if more else {}),
    }


def _every(place: Place) -> Iterator[Told]:
    """Every series that there is in a project."""
    for group, usual in KINDS.items():
        for one in place.fleet.of(group, place.account):
            kind = FIRST if one.own.get("environment") == "GEN_1" else usual
            fill = {"project": place.project, "id": one.id, "region": one.region or "global", **one.own}
            names = (
                {label: text.format_map(fill) for label, text in kind.labels.items()} if one.metrics else {}
            )
            for name, told in one.metrics.items():
                metric, label, value = ODD.get(name, (name, *_label(name)))
                labels = {label: value} if label else {}
                service = f"{kind.service}/{metric}"
                yield Told(service, kind.resource, names, labels, told, kind.every_s, one)
            yield from _agents(one)


def _label(name: str) -> tuple[str, str]:
    """A label that a metric has, and its usual value."""
    if name.endswith("request_count"):
        return "response_code_class", "200" if name.startswith("https") else "2xx"
    if name == "function/execution_count":
        return "status", "ok"
    return ("memory_type", "non-evictable") if name == "node/memory/allocatable_utilization" else ("", "")


def _agents(one: Record) -> Iterator[Told]:
    """What the Ops Agent tells of an instance."""
    resource = {"instance_id": one.id, "zone": str(one.own.get("zone"))}

    def told(
        name: str, labels: Mapping[str, str], series: Any, service: str = "agent.googleapis.com"
    ) -> Told:
        return Told(f"{service}/{name}", "gce_instance", resource, labels, series, MINUTE_S, one)

    for name, found in one.own.get("agent", {}).items():
        yield told(name, {"state": "used"}, found)
    for at, gpu in enumerate(one.own.get("gpus", ())):
        number = {"gpu_number": str(at), "model": gpu["model"]}
        yield told("gpu/utilization", number, gpu["utilization"])
        for state in ("used", "free"):
            yield told("gpu/memory/bytes_used", {**number, "memory_state": state}, gpu[state])
        if dcgm := gpu.get("dcgm"):
            workload = "workload.googleapis.com"
            yield told("gpu.dcgm.temperature", number, dcgm["temperature"], workload)
            watts = dcgm["power"]
            joules = [60 * part for part in watts] if isinstance(watts, list) else 60 * watts
            yield told("gpu.dcgm.energy_consumption", number, joules, workload)


def _fits(one: Told, wanted: str) -> bool:
    """Whether a series is one of those that a filter asks for."""
    for part in wanted.split(" AND "):
        match = re.fullmatch(r"(\S+)\s*(!?=)\s*(.+)", part.strip())
        if match is None:
            raise Refusal(400, f"Field filter had an invalid value: {part}")
        field, sign, value = match.groups()
        if _matches(_of(one, field), value) != (sign == "="):
            return False
    return True


def _of(one: Told, field: str) -> str:
    known = {"metric.type": one.metric, "resource.type": one.resource}
    kind, _, label = field.partition(".labels.")
    if label:
        return str((one.resource_labels if kind == "resource" else one.labels).get(label, ""))
    if field not in known:
        raise Refusal(400, f"Field filter had an invalid value: {field}")
    return known[field]


def _matches(found: str, value: str) -> bool:
    texts = re.findall(r'"([^"]*)"', value)
    if value.startswith("one_of("):
        return found in texts
    if value.startswith("starts_with("):
        return found.startswith(texts[0])
    return found == (texts[0] if texts else value)


def _grouped(
    place: Place,
    fitting: Sequence[Told],
    asked: Mapping[str, str],
    groups: Sequence[str],
    start: datetime,
    end: datetime,
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """Series put together as the reducer says, each with the labels that it was grouped by."""
    found: dict[tuple[str, ...], list[Told]] = {}
    for one in fitting:
        found.setdefault(tuple(_of(one, field) for field in groups), []).append(one)
    for key, members in found.items():
        steps = [dict(_aligned(place, one, asked, start, end, now)) for one in members]
        moments = sorted({at for one in steps for at in one}, reverse=True)
        values = {
            at: _reduced(asked, members[0].metric, [one[at] for one in steps if at in one]) for at in moments
        }
        named = dict(zip(groups, key, strict=True))
        yield {
            "metric": {"type": members[0].metric, "labels": _short(named, "metric")},
            "resource": {
                "type": members[0].resource,
                "labels": {"project_id": place.project, **_short(named, "resource")},
            },
            "valueType": "DOUBLE",
            "points": [_point(members[0], at, values[at]) for at in moments],
        }


def _short(named: Mapping[str, str], kind: str) -> dict[str, str]:
    begin = f"{kind}.labels."
    return {field.removeprefix(begin): value for field, value in named.items() if field.startswith(begin)}


def _aligned(
    place: Place, one: Told, asked: Mapping[str, str], start: datetime, end: datetime, now: datetime
) -> Iterator[tuple[datetime, float]]:
    """One value for each alignment period, by the time at which it ends; periods end with the interval."""
    first = _stage(asked, "aggregation")
    second = _stage(asked, "secondaryAggregation")
    if first is None:
        raise Refusal(400, "Field aggregation had an invalid value: it is needed here.")
    period, aligner = first
    told = series(one.series, one.every_s, place.fleet.started, one.record.created, one.record.stopped)
    made = _periods(told, aligner, start, end, period, now, bool(SPREAD.search(one.metric)))
    if second is None:
        yield from made
        return
    longer, how = second
    groups: dict[datetime, list[float]] = {}
    for at, value in made:
        back = (end - at).total_seconds() // longer
        groups.setdefault(end - timedelta(seconds=back * longer), []).append(value)
    for at, values in groups.items():
        yield at, combined(how.removeprefix("ALIGN_").lower(), values)


def _periods(
    told: Any, aligner: str, start: datetime, end: datetime, period: int, now: datetime, spread: bool
) -> list[tuple[datetime, float]]:
    """Samples as one value for each period."""
    found, at = [], end
    while at > start:
        begun = max(start, at - timedelta(seconds=period))
        _, values = told.samples(begun.timestamp(), at.timestamp(), now.timestamp())
        if values:
            found.append((at, _one(aligner, values, period, spread)))
        at -= timedelta(seconds=period)
    return found


def _one(aligner: str, values: Sequence[float], period: int, spread: bool) -> float:
    """Samples of one period; of distributions the mean of all."""
    if spread:
        return combined("avg", values)
    how = {"ALIGN_RATE": "sum", "ALIGN_DELTA": "sum"}.get(aligner, aligner.removeprefix("ALIGN_").lower())
    total = combined({"mean": "avg"}.get(how, how), values)
    return total / period if aligner == "ALIGN_RATE" else total


def _stage(asked: Mapping[str, str], name: str) -> tuple[int, str] | None:
    period, aligner = asked.get(f"{name}.alignmentPeriod"), asked.get(f"{name}.perSeriesAligner")
    if period is None or aligner is None:
        return None
    if not re.fullmatch(r"\d+s", period) or int(period[:-1]) < MINUTE_S:
        raise Refusal(400, f"Field {name}.alignmentPeriod had an invalid value: at least 60s.")
    return int(period[:-1]), aligner


def _reduced(asked: Mapping[str, str], metric: str, values: Sequence[float]) -> float:
    if SPREAD.search(metric):
        return combined("avg", values)
    how = asked.get("aggregation.crossSeriesReducer", "REDUCE_MEAN").removeprefix("REDUCE_").lower()
    return combined({"mean": "avg"}.get(how, how), values)


def _point(one: Told, at: datetime, value: float) -> dict[str, Any]:
    """A point as it is told: a distribution, a count as text, or a number."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = one.metric.rpartition("/")[2]
    told: dict[str, Any] = {"doubleValue": value}
    if SPREAD.search(one.metric):
        told = {"distributionValue": {"count": "60", "mean": value}}
    elif name in ("bytes_used", "object_count", "usage", "quota") and value == int(value):
        told = {"int64Value": str(int(value))}
    return {"interval": {"startTime": stamp, "endTime": stamp}, "value": told}
