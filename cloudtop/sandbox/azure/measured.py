"""Azure Monitor's metrics:getBatch: what was measured of up to fifty resources of a kind in a region.

Follows the data plane API 2023-10-01: steps of a few fixed lengths, one value for each aggregation that is
asked for, a point without a value where nothing was measured. Samples stand one minute apart. What is
counted is asked for as a total.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.azure.records import identity, place
from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.series import series

VERSION = "2023-10-01"
SAMPLE_S = 60
MOST_IDS, MOST_NAMES = 50, 20
STEPS = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600, "PT6H": 21600, "PT12H": 43200,
         "P1D": 86400}  # fmt: skip
STATS = {"average": "avg", "maximum": "max", "minimum": "min", "total": "sum", "count": "count"}
PARAMETERS = frozenset(
    ("api-version", "metricnamespace", "metricnames", "starttime", "endtime", "interval", "aggregation")
)


class BadRequest(Exception):
    """A question that the documentation does not allow."""


def batch(fleet: Fleet, account: str, asked: Mapping[str, str], body: bytes, now: datetime) -> Any:
    """The answer to one question."""
    if set(asked) != PARAMETERS or asked["api-version"] != VERSION:
        raise BadRequest(f"Parameters must be {', '.join(sorted(PARAMETERS))}, the version {VERSION}.")
    ids = json.loads(body).get("resourceids", [])
    names, space = asked["metricnames"].split(","), asked["metricnamespace"].lower()
    if not 0 < len(ids) <= MOST_IDS or len(names) > MOST_NAMES or asked["interval"] not in STEPS:
        raise BadRequest("Too many resources or metrics, or an interval that is none.")
    held = {identity(fleet, one).lower(): one for one in fleet.records if one.account == account}
    unknown = [one for one in ids if one.lower() not in held]
    wrong = [one for one in ids if space != namespace(one)]
    regions = {held[one.lower()].region for one in ids if one.lower() in held}
    if unknown or wrong or len(regions) > 1:
        raise BadRequest("Resources must be of one kind, one region and one subscription.")
    return {"values": [_values(fleet, held[one.lower()], one, names, asked, now) for one in ids]}


def namespace(identity: str) -> str:
    """The namespace of a resource's metrics: its provider and kind, as its id names them."""
    parts = identity.lower().partition("/providers/")[2].split("/")
    return "/".join((parts[0], *parts[1::2]))


def _values(
    fleet: Fleet, one: Record, name: str, names: list[str], asked: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    metrics = []
    for metric in names:
        points = list(_points(fleet, one, metric, asked, now))
        metrics.append(
            {
                "id": f"{name}/providers/Microsoft.Insights/metrics/{metric}",
                "name": {"value": metric, "localizedValue": metric},
                "timeseries": [{"metadatavalues": [], "data": points}] if points else [],
                "errorCode": "Success",
            }
        )
    return {
        "starttime": asked["starttime"],
        "endtime": asked["endtime"],
        "interval": asked["interval"],
        "namespace": asked["metricnamespace"],
        "resourceregion": place("", one.region),
        "resourceid": name,
        "value": metrics,
    }


def _points(
    fleet: Fleet, one: Record, metric: str, asked: Mapping[str, str], now: datetime
) -> Iterator[dict[str, Any]]:
    """Every step of the time that was asked for: with its values, or with none."""
    if metric not in one.metrics:
        return
    made = series(one.metrics[metric], SAMPLE_S, fleet.started, one.created, one.stopped)
    start, end = _seconds(asked["starttime"]), _seconds(asked["endtime"])
    step = STEPS[asked["interval"]]
    told: dict[float, dict[str, Any]] = {}
    for word in asked["aggregation"].lower().split(","):
        for at, value in made.points(STATS[word], start, end, step, now.timestamp()):
            told.setdefault(at, {})[word] = value
    for at in range(int(start), int(end), step):
        moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield {"timeStamp": moment, **told.get(at, {})}


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        raise BadRequest(f"{text!r} is no time.")
    return datetime.fromisoformat(text).timestamp()
