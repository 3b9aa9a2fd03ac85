"""Oracle's Monitoring over the fleet: which streams there are, and queries over them.

Of the query language it takes one metric, its interval, dimensions that are equal to something, a grouping
and one statistic. Counters that only grow are told by the second in the file: their rate is that, and any
other statistic is that of the counter. Points of a minute are kept for a week, of five minutes for a month.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.oci import records
from cloudtop.sandbox.oci.signed import Refusal
from cloudtop.sandbox.series import Series, combined, series

_GROWING = "NetworksBytesIn NetworksBytesOut DiskBytesRead DiskBytesWritten DiskIopsRead DiskIopsWritten"
GROWING = frozenset(_GROWING.split())
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
OF = {
    "instances": "oci_computeagent",
    "volumes": "oci_blockstore",
    "buckets": "oci_objectstorage",
    "functions": "oci_faas",
    "autonomous_databases": "oci_autonomous_database",
    "mysql_systems": "oci_mysql_database",
    "postgresql_systems": "oci_postgresql",
    "load_balancers": "oci_lbaas",
}
"""Groups that are measured, and the namespace of each."""
GPU = "gpu_infrastructure_health"
KEPT = ((7 * DAY_S, 300), (30 * DAY_S, HOUR_S), (90 * DAY_S, DAY_S))
"""Beyond so long ago there are no points closer than this."""
QUERY = re.compile(
    r"(?P<name>\w+)\[(?P<count>\d+)(?P<unit>[mhd])\](?:\{(?P<where>[^}]*)\})?"
    r"(?:\.groupBy\((?P<by>[\w, ]+)\))?\.(?P<stat>\w+)\((?P<rank>0?\.\d+)?\)"
)
PAIR = re.compile(r'(\w+) = "([^"]*)"')
STATISTICS = {"mean": "avg", "sum": "sum", "min": "min", "max": "max", "count": "count", "rate": "avg"}
LONGEST = {"m": 60, "h": 24, "d": 1}


@dataclass(frozen=True)
class Stream:
    """One stream of samples."""

    namespace: str
    name: str
    compartment: str
    dimensions: Mapping[str, str]
    series: Series


def streams(fleet: Fleet, account: str, region: str) -> Iterator[Stream]:
    """Every stream of an account in a region."""
    for one in fleet.records:
        if one.account != account or one.region != region:
            continue
        every_s = HOUR_S if one.group == "buckets" else MINUTE_S
        place = records.compartment(fleet, one)
        for namespace, name, dimensions, told in _measured(fleet, one):
            made = series(told, every_s, fleet.started, one.created, one.stopped)
            yield Stream(namespace, name, place, dimensions, made)


def _measured(fleet: Fleet, one: Record) -> Iterator[tuple[str, str, dict[str, str], Any]]:
    about = {"resourceId": records.ocid(fleet, one), "resourceDisplayName": one.id}
    if one.group == "buckets":
        tier = str(one.own.get("storageTier"))
        about = {"resourceID": about["resourceId"], "resourceDisplayName": one.id, "tier": tier}
    if one.group == "load_balancers":
        about = {"resourceId": about["resourceId"], "lbName": one.id, "lbComponent": "Listener"}
    for name, told in one.metrics.items():
        if name == "errors":
            yield OF[one.group], "FunctionResponseCount", {**about, "responseType": "Error"}, told
        else:
            yield OF[one.group], name, about, told
    for index, device in enumerate(one.own.get("gpus", ())):
        for name, told in device.items():
            yield GPU, name, {**about, "gpuId": str(index)}, told


def listed(every: list[Stream], body: bytes) -> list[dict[str, Any]]:
    """ListMetrics: the streams that are narrowed to, or what they have in common by the fields named."""
    asked = _document(body)
    found = [
        one
        for one in every
        if asked.get("namespace") in (None, one.namespace) and asked.get("name") in (None, one.name)
    ]
    told: list[dict[str, Any]] = [
        {"namespace": one.namespace, "name": one.name, "dimensions": dict(one.dimensions)} for one in found
    ]
    if by := asked.get("groupBy"):
        told = [
            dict(pairs) for pairs in dict.fromkeys(tuple((key, one.get(key)) for key in by) for one in told)
        ]
    return told


def summarized(every: list[Stream], place: str, body: bytes, now: datetime) -> list[dict[str, Any]]:
    """SummarizeMetricsData: one record for each group of streams that have points."""
    asked = _document(body)
    match = QUERY.fullmatch(str(asked.get("query")))
    if not match or not asked.get("namespace"):
        raise Refusal("InvalidParameter", "namespace or query is not valid.", 400)
    count, unit, stat = int(match["count"]), match["unit"], match["stat"]
    if not 0 < count <= LONGEST[unit] or (stat not in STATISTICS and stat != "percentile"):
        raise Refusal("InvalidParameter", "The interval or the statistic is not valid.", 400)
    period = count * {"m": MINUTE_S, "h": HOUR_S, "d": DAY_S}[unit]
    span = (_moment(asked["startTime"]), _moment(asked["endTime"]), period)
    oldest = now.timestamp() - min((age for age, least in KEPT if period < least), default=math.inf)
    told = f"p{float(match['rank']) * 100:g}" if stat == "percentile" else STATISTICS[stat]
    growing = match["name"] in GROWING and stat != "rate"
    about = {"namespace": asked["namespace"], "name": match["name"], "compartmentId": place}
    found = []
    for dimensions, members in _groups(every, asked["namespace"], match).items():
        points = [
            {"timestamp": records.iso(datetime.fromtimestamp(at, UTC)), "value": value}
            for at, value in _points(members, told, span, now.timestamp(), growing)
            if at >= oldest
        ]
        if points:
            found.append({**about, "dimensions": dict(dimensions), "aggregatedDatapoints": points})
    return found


def _groups(
    every: list[Stream], namespace: str, query: re.Match[str]
) -> dict[tuple[tuple[str, str], ...], list[Stream]]:
    """The streams that a query is about, by the dimensions that it groups by, else each by itself."""
    where = dict(PAIR.findall(query["where"] or "")).items()
    by = [name.strip() for name in (query["by"] or "").split(",") if name.strip()]
    found: dict[tuple[tuple[str, str], ...], list[Stream]] = {}
    for one in every:
        about = one.dimensions
        if (one.namespace, one.name) == (namespace, query["name"]) and where <= {*about.items()}:
            key = tuple((name, about[name]) for name in by or about if name in about)
            found.setdefault(key, []).append(one)
    return found


def _points(
    members: list[Stream], stat: str, span: tuple[float, float, int], now: float, growing: bool
) -> Iterator[tuple[float, float]]:
    """One value for each period in which the streams of a group have samples."""
    start, end, period = span
    for at in range(math.floor(start), math.ceil(end), period):
        values = []
        for one in members:
            first, found = one.series.samples(at, min(at + period, end), now)
            if growing:
                found = [_counter(one.series, first + MINUTE_S * place) for place in range(len(found))]
            values += found
        if values:
            yield at, combined(stat, values)


def _counter(told: Series, at: float) -> float:
    """How far a counter has come: the sum of what it grew by, second by second."""
    wave = HOUR_S / (2 * math.pi) * (1 - math.cos(2 * math.pi * at / HOUR_S))
    return told.base * (at - told.born_s) + told.swing * wave


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise Refusal("CannotParseRequest", "Incorrectly formatted request.", 400)
    return found


def _moment(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
