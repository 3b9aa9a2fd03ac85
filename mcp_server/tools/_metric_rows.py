"""Series as rows of a result: points, one value for each, groups; everything is computed here.

Values of one series combine over time as the question or the metric says (`over`); groups combine values of
percent, degrees, watts and milliseconds by their mean, everything else by its sum, unless `agg` is asked for.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cloudtop import metrics
from cloudtop.errors import ArgumentError
from cloudtop.models import Source, Trouble, iso
from cloudtop.text import plural
from mcp_server.result import Rows
from mcp_server.tools._metric_question import NOW_S, MetricQuestion, Wants

if TYPE_CHECKING:
    from cloudtop.store.resources import ResourcePage
    from mcp_server.harvest import Harvest
    from mcp_server.result import Ctx

Point = tuple[float, float]
"""(seconds since 1970, value), the oldest first."""

COMPARES: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
}
COMBINES: dict[str, Callable[[Sequence[float]], float]] = {
    "max": max,
    "min": min,
    "sum": math.fsum,
    "last": operator.itemgetter(-1),
    "count": len,
}
AVERAGED = ("percent", "celsius", "watts", "milliseconds", "MHz")
"""Units whose values make no sum."""

GROUPS = ("provider", "account", "region", "type", "status", "instance_type")
DIGITS = 6


@dataclass(slots=True)
class Line:
    """One series of one resource in the metric that was asked for."""

    resource: Mapping[str, Any]
    metric: str
    device: str | None
    points: list[Point]
    source: str
    fetched_at: str


@dataclass(slots=True)
class Reading:
    """All series that were read: base metrics by (uid, device), and how they came here."""

    lines: dict[tuple[str, str | None], dict[str, tuple[list[Point], str, str]]]
    resources: dict[str, Mapping[str, Any]]
    sources: list[Source] = field(default_factory=list)
    missing: list[Trouble] = field(default_factory=list)
    expires_at: datetime | None = None


def reading(ctx: Ctx, harvest: Harvest, wants: Wants, missing: Sequence[Trouble]) -> Reading:
    """What the store holds of these series."""
    made = Reading({}, {}, harvest.sources, [*harvest.missing, *missing], harvest.expires_at)
    now = ctx.clock.now()
    for scope, (_, members) in wants.items():
        made.resources |= {one["uid"]: one for one in members.values()}
        read_at = harvest.read_at.get(scope)
        if read_at is None:
            continue
        label = harvest.label(scope, read_at, now)
        for one in ctx.fleet.rows(scope):
            resource = members.get(one["id"])
            if resource is not None and one["points"]:
                key = resource["uid"], one["device"]
                points = [(float(at), float(value)) for at, value in one["points"]]
                made.lines.setdefault(key, {})[one["metric"]] = (points, label, iso(read_at) or "")
    return made


def made(ctx: Ctx, asked: MetricQuestion, read: Reading) -> tuple[list[dict[str, Any]], str]:
    """The rows and their shape."""
    lines = list(_lines(asked, read))
    if not asked.aggregate:
        return _points(asked, lines), "point"
    values = [row for line in lines if (row := _value(asked, line)) is not None]
    if asked.compare:
        op, bound = asked.compare
        values = [row for row in values if COMPARES[op](row["value"], bound)]
    if asked.group_by:
        return _sorted(asked, _groups(asked, values, read), "value"), "group"
    return _sorted(asked, values, None), "aggregate"


def listed(
    ctx: Ctx, found: Sequence[tuple[str, str, str, str | None]], applied: dict[str, Any], limit: int
) -> Rows:
    """Which metrics there are, and why others are not."""
    rows = []
    for provider, kind, name, reason in found:
        about = metrics.metrics()[name]
        rows.append(
            {
                "provider": provider,
                "type": kind,
                "metric": name,
                "title": about.title,
                "unit": about.unit,
                "per_device": about.per_device,
                "available": reason is None,
                "reason": reason,
            }
        )
    return Rows(
        rows=rows[ctx.offset : ctx.offset + limit],
        total=len(rows),
        shape="metric",
        applied={"list_metrics": True},
    )


def notices(ctx: Ctx, asked: MetricQuestion, page: ResourcePage, read: Reading) -> list[str]:
    """Of how many resources nothing was measured, that not all were looked at, and who tells the present."""
    said = []
    if page.total > len(page.rows):
        said.append(f"Only the first {len(page.rows)} of {page.total} resources were looked at.")
    measured = {uid for uid, _ in read.lines}
    silent = [uid for uid in read.resources if uid not in measured]
    if silent:
        said.append(f"Nothing was measured of {len(silent)} of {plural(len(read.resources), 'resource')}.")
    for metric in asked.metrics if len(asked.metrics) > 1 and measured else ():
        if not any(metrics.base(metric, held) for held in read.lines.values()):
            said.append(f"Of {metric} nothing was measured.")
    if not asked.now:
        kinds = {(one["provider"], one["type"]) for one in read.resources.values()}
        facts = {name: ctx.fleet.facts[name] for name, _ in kinds}
        present = sorted(facts[name].title for name, kind in kinds if kind in facts[name].momentary)
        if present:
            said.append(f"{' and '.join(present)}: measured now, which stands for the whole time.")
    if not page.total:
        said.append("No resource matches.")
    return said


def _lines(asked: MetricQuestion, read: Reading) -> Iterator[Line]:
    """The series of the asked metrics, those made of others among them; by resource, metric and device."""
    order = sorted(read.lines, key=lambda key: (_place(read.resources[key[0]]), key[1] or ""))
    wanted = dict.fromkeys(name for one in read.resources.values() for name in asked.of(one["type"], [one]))
    for metric in asked.metrics or wanted:
        for uid, device in order:
            held = read.lines[uid, device]
            parts = metrics.base(metric, held)
            if not parts:
                continue
            points = (
                held[metric][0] if parts == (metric,) else _made_points(metric, [held[p][0] for p in parts])
            )
            points = _recent(points) if asked.now else points
            if points:
                _, source, fetched_at = held[parts[0]]
                yield Line(read.resources[uid], metric, device, points, source, fetched_at)


def _place(resource: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(resource[name] or "") for name in ("provider", "account", "type", "region", "name", "id")
    )


def _made_points(metric: str, parts: Sequence[list[Point]]) -> list[Point]:
    """A metric out of others, at the times that all of them have."""
    by_time = [dict(points) for points in parts]
    times = sorted(set(by_time[0]).intersection(*by_time[1:]))
    found = ((at, metrics.made(metric, [one[at] for one in by_time])) for at in times)
    return [(at, value) for at, value in found if value is not None]


def _recent(points: list[Point]) -> list[Point]:
    """The last five minutes that there are: clouds measure late."""
    return [one for one in points if one[0] > points[-1][0] - NOW_S] if points else []


def _points(asked: MetricQuestion, lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {**_about(line), "time": _text(at), "value": round(value, DIGITS), **_read(line)}
        for line in lines
        for at, value in _over(asked, line)
    ]


def _over(asked: MetricQuestion, line: Line) -> list[Point]:
    """The points whose step is over: of what is counted, one that goes on would look like a fall."""
    if metrics.metrics()[line.metric].over != "sum" or len(line.points) < 2:
        return line.points
    end = asked.end.timestamp()
    return [one for one in line.points if one[0] + _step_s(asked, line) <= end]


def _step_s(asked: MetricQuestion, line: Line) -> float:
    """How far apart the points of a series are: its cloud may tell them less often than was asked."""
    gaps = (after[0] - one[0] for one, after in pairwise(line.points))
    return max(asked.step_s, min(gaps, default=0.0))


def _value(asked: MetricQuestion, line: Line) -> dict[str, Any] | None:
    """One series as one value."""
    agg = asked.agg_of(line.metric)
    value = combined(agg, [value for _, value in line.points])
    return {
        **_about(line),
        "agg": agg,
        "value": round(value, DIGITS),
        "samples": len(line.points),
        "from": _text(line.points[0][0]),
        "to": _text(min(line.points[-1][0] + _reach_s(asked, line), asked.end.timestamp())),
        **_read(line),
    }


def _reach_s(asked: MetricQuestion, line: Line) -> float:
    """How long the last point holds: a percentile that its cloud made is one point of the whole time."""
    whole = asked.agg in metrics.PERCENTILES and len(line.points) == 1
    return (asked.end - asked.start).total_seconds() if whole else _step_s(asked, line)


def combined(agg: str, values: Sequence[float]) -> float:
    """Many values as one. Percentiles are of the values themselves, by the nearest rank."""
    if agg in metrics.PERCENTILES:
        ordered = sorted(values)
        return ordered[max(0, math.ceil(len(ordered) * int(agg[1:]) / 100) - 1)]
    if agg == "avg":
        return math.fsum(values) / len(values)
    return float(COMBINES[agg](values))


def _groups(asked: MetricQuestion, values: Sequence[dict[str, Any]], read: Reading) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in values:
        group = ", ".join(_group(read.resources[row["uid"]], by) or "none" for by in asked.group_by)
        groups.setdefault((row["metric"], group), []).append(row)
    made = []
    for (metric, group), members in groups.items():
        unit = metrics.metrics()[metric].unit
        agg = asked.agg if asked.agg in ("max", "min", "sum", "avg") else "avg" if unit in AVERAGED else "sum"
        made.append(
            {
                "group": group,
                "metric": metric,
                "unit": unit,
                "agg": agg if asked.agg in (None, agg) else f"{agg} of {asked.agg}",
                "value": round(combined(agg, [one["value"] for one in members]), DIGITS),
                "count": len(members),
                "samples": sum(one["samples"] for one in members),
            }
        )
    return made


def _group(resource: Mapping[str, Any], by: str) -> str | None:
    if by == "resource":
        return str(resource["name"] or resource["uid"])
    if by == "gpu":
        return str(resource["gpus"][0]["gpu"]) if resource["gpus"] else None
    if by.startswith("tag:"):
        tags = {key.lower(): value for key, value in (resource["tags"] or {}).items()}
        return tags.get(by[4:].strip().lower())
    if by not in GROUPS:
        raise ArgumentError(
            "group_by", f"{by} is not known.", ", ".join([*GROUPS, "gpu", "resource", "tag:<key>"])
        )
    found = resource[by]
    return None if found is None else str(found)


def _sorted(asked: MetricQuestion, rows: list[dict[str, Any]], usual: str | None) -> list[dict[str, Any]]:
    if asked.sort is None:
        if asked.compare:
            return sorted(rows, key=lambda row: row["value"], reverse=asked.compare[0] in ("gt", "ge"))
        return sorted(rows, key=lambda row: row[usual], reverse=True) if usual else rows
    name, descending = asked.sort
    if rows and name not in rows[0]:
        raise ArgumentError("sort", f"{name!r} is no field of these rows.", ", ".join(rows[0]))
    return sorted(rows, key=lambda row: (row[name] is None, row[name]), reverse=descending)


def _about(line: Line) -> dict[str, Any]:
    one = line.resource
    about = {name: one[name] for name in ("uid", "name", "type", "provider", "account", "region")}
    return about | {"metric": line.metric, "device": line.device, "unit": metrics.metrics()[line.metric].unit}


def _read(line: Line) -> dict[str, Any]:
    return {"source": line.source, "fetched_at": line.fetched_at}


def _text(at: float) -> str:
    return iso(datetime.fromtimestamp(at, UTC)) or ""
