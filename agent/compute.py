"""What code computes over rows that are there: the closed vocabulary of a plan's `then`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.market import beside, market_of
from agent.rows import agreeing, filtered, grouped, joined, share, sides_of, summed
from cloudtop import steps
from cloudtop.gpus import catalogue, resolve
from cloudtop.regions import place, wanted
from cloudtop.sellers import seller_id

Row = Mapping[str, Any]
_OF_SERIES = ("provider", "account", "source", "gpu", "gpu_memory_gib", "region", "tier", "spot")


@dataclass(frozen=True, slots=True)
class Computed:
    """A named result: the figures, the rows that are left, and whether all rows were there to compute it."""

    op: str
    figures: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    whole: bool = True


def price(row: Row) -> float | None:
    """USD per GPU-hour of an offer, a group or a price point; None when unpriced."""
    for name in ("usd_per_gpu_hour", "usd_per_gpu_hour_min", "min"):
        if row.get(name) is not None:
            return float(row[name])
    return None


def belongs(row: Row, argument: str, value: Any) -> bool:
    """Whether a row answers to this value of this argument: the side of a comparison that it is on."""
    match argument:
        case "providers":
            return str(row.get("provider")) == seller_id(str(value))
        case "gpu":
            return row.get("gpu") in resolve(str(value)).names
        case "memory":
            return bool(row.get("gpu_memory_gib") == value)
        case "region":
            where = place(str(row.get("provider")), row.get("region"), row.get("country"))
            return wanted(str(value)).matches(where.places)
        case "vendor" | "architecture":
            known = catalogue().gpus.get(str(row.get("gpu")))
            return known is not None and bool(getattr(known, argument) == value)
        case _:
            return bool(row.get(argument) == value)


def computed(
    then: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    feeding: Sequence[Mapping[str, Any]] = (),
) -> Computed:
    """Do what `then` says over the results of the calls, in order. KeyError: an op nobody defined.

    `feeding`: the results that arguments of those calls were taken from.
    """
    whole = not any(one.get("truncated") for one in (*results, *feeding))
    untold = sum(filtered(one["rows"], then["before"])[1] for one in feeding) if then.get("before") else 0
    if then.get("where"):
        kept = [filtered(one["rows"], then["where"]) for one in results]
        untold += sum(lacking for _, lacking in kept)
        results = [
            {**one, "rows": rows, "total": len(rows)} for one, (rows, _) in zip(results, kept, strict=True)
        ]
    if then.get("some"):
        some, untold = filtered(results[0]["rows"], then["some"])
        results = [{**results[0], "rows": some, "total": len(some)}, *results[1:]]
    rows = [row for one in results for row in one["rows"]]
    if feeding and then["op"] in FED:
        results = [*results, {"rows": [row for one in feeding for row in one["rows"]]}]
    made = OPS[then["op"]](then, rows, results)
    figures = made.figures
    if untold:
        # A figure with its own `untold` means by that the rows without a value.
        own = "untold" in figures or made.op == "share"
        figures = {**figures, "unmatched" if own else "untold": untold}
    left = made.rows[: int(then["limit"])] if then.get("limit") else made.rows
    return Computed(made.op, figures, list(left), made.lines, whole)


def _values(then: Mapping[str, Any], rows: Sequence[Row]) -> list[tuple[float, Row]]:
    name = then.get("field") or "usd_per_gpu_hour"
    found = [(price(row) if name == "usd_per_gpu_hour" else row.get(name), row) for row in rows]
    return sorted(((float(one), row) for one, row in found if one is not None), key=lambda pair: pair[0])


def _count(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    if then.get("by"):
        made = grouped(rows, then["by"])
        return Computed("count", {"count": len(made), "by": then["by"]}, list(made))
    if then.get("field") and any(row.get(then["field"]) is not None for row in rows):
        found = _distinct(then, rows, results)
        return Computed("count", found.figures, found.rows)
    totals = [one.get("total") for one in results]
    count = sum(totals) if totals and None not in totals else len(rows)  # type: ignore[arg-type]
    return Computed("count", {"count": count}, list(rows))


def _distinct(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    """The values of a field, and of each of them its first row: of offers the cheapest."""
    name = then["field"]
    firsts: dict[Any, Row] = {}
    for row in rows:
        if row.get(name) is not None:
            firsts.setdefault(row[name], row)
    figures = {"field": name, "values": list(firsts), "count": len(firsts)}
    return Computed("distinct", figures, list(firsts.values()) or list(rows))


def _of_past(rows: Sequence[Row]) -> bool:
    """Groups of the history: each has its figures of that time already, weighted by how long a price held."""
    return bool(rows) and "changes" in rows[0]


def _one_figure(kind: str) -> Callable[..., Computed]:
    reduce: dict[str, Callable[[list[float]], float]] = {
        "median": statistics.median,
        "average": statistics.fmean,
        "min": min,
        "max": max,
    }

    def figure(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
        if _of_past(rows):
            return Computed(kind, {"over_time": True, "count": len(rows)}, list(rows))
        pairs = _values(then, rows)
        value = reduce[kind]([one for one, _ in pairs]) if pairs else None
        at = {"min": pairs[:1], "max": pairs[-1:]}.get(kind, pairs)
        field = then.get("field")
        return Computed(kind, {"value": value, "count": len(pairs), "field": field}, [row for _, row in at])

    return figure


def _range(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    if _of_past(rows):
        return Computed("range", {"over_time": True, "count": len(rows)}, list(rows))
    pairs = _values(then, rows)
    ends = {"min": pairs[0][0], "max": pairs[-1][0]} if pairs else {"min": None, "max": None}
    return Computed("range", {**ends, "count": len(pairs)}, [row for _, row in (pairs[:1] + pairs[-1:])])


def _nth(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    n = int(then["n"])
    return Computed("nth", {"n": n, "count": len(rows)}, list(rows[n - 1 : n]))


def _compare(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    by, sides = then.get("by"), []
    if len(results) > 1 or not by:
        sides = [(_label(one, then, number), list(one["rows"])) for number, one in enumerate(results)]
    else:
        known = then.get("values") or list(dict.fromkeys(row.get(by) for row in rows))
        sides = [(value, [row for row in rows if belongs(row, by, value)]) for value in known]
    if not rows:
        return Computed("compare", {"by": by}, [])
    if not any("usd_per_gpu_hour" in row or "median" in row for row in rows):
        totals = [one.get("total") for one in results] if len(results) > 1 else [None] * len(sides)
        told = [(label, side, total or len(side)) for (label, side), total in zip(sides, totals, strict=True)]
        return Computed("compare", {"by": by}, list(rows), sides_of(told))
    if any("median" in row for row in rows):
        return _compared_groups(by, rows, sides)
    lines: list[Row] = []
    cheapest: list[Row] = []
    for label, side in sides:
        pairs = _values({}, side)
        lines.append(
            {
                "group": label,
                "count": len(side),
                "min": pairs[0][0] if pairs else None,
                "median": statistics.median(one for one, _ in pairs) if pairs else None,
            }
        )
        cheapest += [row for _, row in pairs[:1]]
    return Computed("compare", {"by": by}, cheapest if cheapest else list(rows), lines)


def _compared_groups(
    by: str | None, rows: Sequence[Row], sides: Sequence[tuple[Any, Sequence[Row]]]
) -> Computed:
    """`A100 and H100 per provider`: the groups of each side beside each other, those of one name together."""
    lines: list[Row] = [{**row, "of": label} for label, side in sides for row in side]
    order = {name: at for at, name in enumerate(dict.fromkeys(row["group"] for row in rows))}
    lines.sort(key=lambda row: order[row["group"]])
    return Computed("compare", {"by": by, "sides": [label for label, _ in sides]}, [*rows], lines)


def _label(result: Mapping[str, Any], then: Mapping[str, Any], number: int) -> Any:
    """What tells one side from the others: the value of `by` it was asked with, else its place."""
    values, by = then.get("values") or [], then.get("by")
    if number < len(values):
        return str(values[number]).replace("_", " ") if by == "time" else values[number]
    applied = (result.get("applied") or {}).get(by) if by else None
    return applied if applied is not None else f"side {number + 1}"


def _diff(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    """Last against first of each series in the rows' time; `direction` keeps only what rose or fell."""
    series: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if price(row) is not None:
            key = tuple(row.get(name) for name in _OF_SERIES)
            series.setdefault(key, []).append(row)
    lines: list[Row] = []
    for found in series.values():
        ordered = sorted(
            found, key=lambda row: str(row.get("time") or row.get("as_of") or row.get("fetched_at"))
        )
        first, last = price(ordered[0]), price(ordered[-1])
        if first is None or last is None or first == last:
            continue
        if then.get("direction") not in (None, "up" if last > first else "down"):
            continue
        names = (ordered[0].get(name) for name in ("provider", "gpu", "region"))
        lines.append(
            {
                "group": " ".join(str(name) for name in names if name),
                "provider": ordered[0].get("provider"),
                "spot": ordered[0].get("spot"),
                "old": first,
                "new": last,
                "delta": last - first,
            }
        )
    lines.sort(key=lambda line: -abs(line["delta"]))
    figures = {"count": len(lines), "series": len(series), "direction": then.get("direction")}
    return Computed("diff", figures, list(rows), lines)


def _divide(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    """Hours that a budget buys of the machine whose whole hour is cheapest, however many GPUs it has."""
    nodes = float(then.get("nodes") or 1)
    priced = [row for row in rows if row.get("usd_per_hour")]
    if not priced:
        return Computed("divide", {"budget": then["budget"], "hours": None})
    best = min(priced, key=lambda row: float(row["usd_per_hour"]))
    hourly = float(best["usd_per_hour"]) * nodes
    hours = float(then["budget"]) / hourly
    return Computed("divide", {"budget": then["budget"], "hours": hours, "hourly": hourly}, [best])


def _within(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    cap = float(then["usd_total"])
    fits = [row for row in rows if row.get("usd_total") is not None and float(row["usd_total"]) <= cap]
    return Computed("within", {"usd_total": cap, "count": len(fits)}, fits)


def _worth(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    """How a price stands among the lowest of the call's time, weighted by time; without one, today's."""
    asked = [str((one.get("applied") or {}).get("time", "/")).split("/") for one in results]
    start, end = min(one[0] for one in asked), max(one[-1] for one in asked)
    series: dict[tuple[Any, ...], list[steps.Hold]] = {}
    for row in rows:
        if price(row) is not None:
            key = tuple(row.get(name) for name in _OF_SERIES)
            series.setdefault(key, []).append((_epoch(row["time"]), _epoch(row["until"]), price(row) or 0.0))
    lowest = steps.lowest([sorted(line) for line in series.values()])
    line = steps.clipped(lowest, _epoch(start), _epoch(end)) if lowest else []
    last = max((str(row["until"]) for row in rows), default="")
    now = [row for row in rows if price(row) is not None and str(row["until"]) == last]
    best = min(now, key=lambda row: price(row) or 0.0, default=None)
    usd = then.get("usd") if then.get("usd") is not None else price(best) if best else None
    shares = steps.shares(line, float(usd)) if usd is not None else None
    figures = {
        "usd": usd,
        "given": then.get("usd") is not None,
        "percent_below": round(100 * shares[0], 1) if shares else None,
        "percent_above": round(100 * shares[1], 1) if shares else None,
        "median": steps.median(line),
        "min": min((one[2] for one in line), default=None),
        "days": round(steps.days(line), 4),
    }
    return Computed("worth", figures, [best] if best else list(rows[:1]))


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _filter(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    if "field" not in then:
        return Computed("filter", {"count": len(rows)}, list(rows))
    name, value = then["field"], then["value"]

    def fits(row: Row) -> bool:
        held = row.get(name)
        return value in held if isinstance(held, list) else bool(held == value)

    left = [row for row in rows if fits(row)]
    return Computed("filter", {"field": name, "value": value, "count": len(left)}, left)


def _group(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    made = grouped(rows, then["by"], then.get("sort"), then.get("field"))
    whole = summed(rows, str(then["field"])) if then.get("field") else {}
    return Computed("group", {**whole, "count": len(made)}, list(made))


def _sum(then: Mapping[str, Any], rows: Sequence[Row], _: Sequence[Mapping[str, Any]]) -> Computed:
    return Computed("sum", summed(rows, str(then["field"])), list(rows))


def _join(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    """The last result is what fed the others; `sort`: asc or desc by the field, what lacks it behind."""
    field = str(then["field"])
    made, figures = joined(rows, results[-1]["rows"] if len(results) > 1 else (), field)
    if then.get("sort"):
        way = -1 if then["sort"] == "desc" else 1
        made.sort(key=lambda row: (row[field] is None, way * (row[field] or 0)))
    return Computed("join", {**figures, "rows": len(made)}, made)


def _market(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    """The last result are the machines, the others what the market offers of their GPUs."""
    *offers, own = results
    machines, _ = filtered(own["rows"], then.get("before") or ())
    made, figures = beside(machines, market_of(offers), then)
    return Computed("market", figures, made)


def _share(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
    figures, lines = share(results[0], results[1] if len(results) > 1 else None)
    return Computed("share", figures, list(results[0]["rows"]), lines)


def _agreeing(kind: str) -> Callable[..., Computed]:
    def agree(then: Mapping[str, Any], rows: Sequence[Row], results: Sequence[Mapping[str, Any]]) -> Computed:
        left = agreeing([one["rows"] for one in results], all_of_them=kind == "both")
        return Computed(kind, {"count": len({row["uid"] for row in left})}, left)

    return agree


OPS: dict[str, Callable[..., Computed]] = {
    "count": _count,
    "distinct": _distinct,
    "median": _one_figure("median"),
    "average": _one_figure("average"),
    "min": _one_figure("min"),
    "max": _one_figure("max"),
    "range": _range,
    "nth": _nth,
    "compare": _compare,
    "diff": _diff,
    "divide": _divide,
    "within": _within,
    "worth": _worth,
    "filter": _filter,
    "group": _group,
    "sum": _sum,
    "join": _join,
    "market": _market,
    "share": _share,
    "both": _agreeing("both"),
    "either": _agreeing("either"),
}
WHOLE = frozenset(OPS) - {"nth"}
"""The ops that need every row there is; the others read only as far as the plan's limit."""

FED = frozenset(("join", "market"))
"""Ops over the rows of the call that fed the others, as well."""

OF_THE_PAGE = frozenset(("sum", "join"))
"""Ops over the rows that were asked for, where a number of them was."""
