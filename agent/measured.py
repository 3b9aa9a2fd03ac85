"""What is said of metrics: of whom, the figure asked for, when, and what those resources cost."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.figures import metric_title, moment, number, quantity, side, usd
from agent.resources import NAMED, compared, conditions, counted, name_of, noun, stale, unmatched
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer
    from agent.compute import Computed

Row = Mapping[str, Any]
_KEPT = (
    *("uid", "name", "type", "provider", "account", "region"),
    *("metric", "device", "unit", "source", "fetched_at"),
)
_SHOWN = 12
_POINT = frozenset(("uid", "metric", "device", "unit", "time", "value"))


def series(rows: Sequence[Row]) -> list[Row]:
    """Points as one line for each series; rows of another kind as they are."""
    if not rows or not rows[0].keys() >= _POINT:
        return list(rows)
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault((row["uid"], row["metric"], row["device"]), []).append(row)
    return [_line(points) for points in found.values()]


def _line(points: Sequence[Row]) -> Row:
    ordered = sorted(points, key=lambda row: str(row["time"]))
    values = [float(row["value"]) for row in ordered]
    return {
        **{name: ordered[-1].get(name) for name in _KEPT},
        "newest": values[-1],
        "avg": round(statistics.fmean(values), 6),
        "min": min(values),
        "max": max(values),
        "points": len(values),
        "from": ordered[0]["time"],
        "to": ordered[-1]["time"],
    }


def measured(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """What was measured, of whom, the figure that was asked for."""
    first = rows[0]
    if "per_device" in first:
        kinds = list(dict.fromkeys(str(row["metric"]) for row in rows if row["available"]))
        more = " …" if len(kinds) > _SHOWN else ""
        return f"{plural(len(kinds), 'metric')} can be read: {', '.join(kinds[:_SHOWN])}{more}."
    if "group" in first:
        value = quantity(first["value"], first["unit"])
        title = f"{metric_title(first['metric'])} by group ({first['agg']})"
        return f"{title}: {side(first['group'])} {value}, the first of {plural(len(rows), 'group')}."
    if "samples" in first:
        return _values(rows, answer, done)
    lines = series(rows)
    told = [_series(line) for line in lines[:NAMED]]
    more = f"; {plural(len(lines) - NAMED, 'more series', 'more series')}" if len(lines) > NAMED else ""
    return f"{stale(rows)}{'; '.join(told)}{more}."


def _series(line: Row) -> str:
    unit = line["unit"]
    newest, avg, low, high = (quantity(line[name], unit) for name in ("newest", "avg", "min", "max"))
    device = f" ({line['device']})" if line.get("device") else ""
    held = f"{metric_title(line['metric'])} of {name_of(line)}{device}: {newest} at {moment(line['to'])}"
    return held if line["points"] == 1 else f"{held}, {avg} on average, from {low} to {high}"


def _values(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    first, asked = rows[0], answer.calls[-1]["arguments"]
    title = metric_title(first["metric"])
    figure = f"{name_of(first)} {quantity(first['value'], first['unit'])} ({first['agg']})"
    total = int((done[-1].get("total") if done else None) or len(rows))
    if asked.get("op"):
        count = len({row["uid"] for row in rows}) if total == len(rows) else total
        whom = f"{counted(answer.applied, count)}{conditions(answer.applied)}"
        return f"{stale(rows)}{whom}{compared(answer)}; first: {figure}."
    if len(rows) == 1:
        return f"{stale(rows)}{title} of {figure}."
    way = str(asked.get("sort") or "")
    word = {"desc": "Highest", "asc": "Lowest"}.get(way, "First")
    return f"{stale(rows)}{word} {title}: {figure}; {plural(total, 'value')} in all."


def joined(result: Computed, answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """The sentence of what was measured, and what these resources cost together."""
    if not result.rows:
        return f"No {noun(answer.applied, 1)} matches{conditions(answer.applied)}."
    figures = result.figures
    if len(done) > 1 or (answer.then or {}).get("where"):
        # Several calls measured, or code kept some of it: there are as many as are left.
        done = [{"total": figures["rows"]}]
    said = measured(result.rows, answer, done).removesuffix(".")
    more = unmatched(figures)
    if figures["value"] is None:
        return f"{said}. What they cost is not known.{more}"
    left = f" (of {number(figures['untold'])} it is not known)" if figures.get("untold") else ""
    return f"{said}. Together {usd(figures['value'])} per hour{left}.{more}"
