"""As which figure and at which steps: `average`, `peak`, `p99`, `hourly`, `never above`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import set_of
from cloudtop import metrics

_LETTER = {"minute": "m", "hour": "h", "day": "d", "week": "w", "s": "s"}
_NAMED = {"hourly": "1h", "daily": "1d"}
_BINS = frozenset(("bucket", "buckets", "bins", "chunks", "slots"))
_RANKS = frozenset(("highest", "lowest", "worst"))
_EXTREME_OF = {"lt": "max", "le": "max", "gt": "min", "ge": "min"}


def read_aggregates(a: Asked) -> None:
    """`average`, `peak`, `p99`; `highest` of several ranks them, and so does `by cpu`."""
    for index, span in a.all("per"):
        if span.text == "by" and a.s.plays(a.skip(index + 1), "metric", "shy_metric"):
            a.put("sort", "desc", index)
    for index, span in a.all("agg", "many", "few", "top"):
        if span.get("agg") == "sum" and a.s.plays(index + 1, "priced", "per_hour"):
            # `total hourly cost`: the price is added up, not what is measured.
            a.s.use(index)
            continue
        if span.get("agg") == "sum" and _of_shares(a):
            # `and in total?`, after who idles: shares of a whole are not added up.
            a.s.use(index)
            continue
        ahead = _next_metric(a, index)
        ranks = span.plays("many", "few", "top") or span.text in _RANKS
        of_one = span.plays("agg") and {"name", "id"} & set(a.found.arguments)
        if span.text in _RANKS and _so_many(a, index):
            # `the worst three`, of what was measured.
            a.put("sort", "asc" if span.text == "lowest" else "desc", index)
        elif ranks and ahead and not of_one:
            upwards = span.plays("few") or span.text == "lowest"
            a.put("sort", "asc" if upwards else "desc", index)
        elif span.plays("agg") and (
            not span.plays("op") or ahead or _near_metric(a, index) or _of_before(a, index) or _ends(a, index)
        ):
            _as_figure(a, str(span.get("agg")), index)


def _of_shares(a: Asked) -> bool:
    """Whether what is measured, here or in the turn before, is in percent."""
    named = a.found.arguments.get("metric") or a.before.get("metric") or ()
    return bool(named) and all(metrics.metrics()[one].unit == "percent" for one in named)


def _so_many(a: Asked, index: int) -> bool:
    """A number of rows beside, where a metric is known."""
    near = [one for one in (a.s.at(index - 1), a.s.at(index + 1)) if one is not None]
    known = bool(a.before.get("metric")) or "metric" in a.found.arguments
    return (
        known
        and any(one.number is not None and not one.plays("gpu") for one in near)
        and not _next_metric(a, index)
    )


def _as_figure(a: Asked, agg: str, index: int) -> None:
    """One figure; two of them, such as `p50 and p99`, are two calls."""
    first = a.found.arguments.get("agg")
    if a.found.sides and (a.found.then or {}).get("by") == "agg":
        a.found.sides.append({"agg": agg})
        a.found.then = {**(a.found.then or {}), "values": [side["agg"] for side in a.found.sides]}
        a.s.use(index)
        return
    if first is None or first == agg or a.found.sides:
        a.put("agg", agg, index)
        return
    del a.found.arguments["agg"]
    a.found.sides = [{"agg": first}, {"agg": agg}]
    a.found.then = {"op": "compare", "by": "agg", "values": [first, agg]}
    a.s.use(index)


def _next_metric(a: Asked, index: int) -> bool:
    """Whether a metric follows, an article or a figure between."""
    for at in range(index + 1, min(len(a.s.spans), index + 4)):
        span = a.s.spans[at]
        if span.plays("metric", "shy_metric"):
            return True
        between = span.plays("agg", "measured") or span.number is not None
        if not between and span.text not in set_of("articles") | {"of", "by"}:
            return False
    return False


def _of_before(a: Asked, index: int) -> bool:
    """`the max instead`: of the metric that was asked about; a number behind it is a limit."""
    after = a.s.at(index + 1)
    return bool(a.before.get("metric")) and (after is None or after.number is None)


def _ends(a: Asked, index: int) -> bool:
    """`connections on orders-db, max, last 2h`: no number is what it compares with."""
    after, before = a.s.at(index + 1), a.s.at(index - 1)
    numbered = before is not None and before.number is not None
    if after is not None and after.text in _BEFORE_TIME:
        return (not numbered and bool(a.found.arguments.get("time"))) or a.s.plays(index + 2, "unit")
    return not numbered and (after is None or not after.text[0].isalnum())


_BEFORE_TIME = ("of", "over", "in", "for", "during", "within")


def _near_metric(a: Asked, index: int) -> bool:
    return any(a.s.plays(at, "metric", "shy_metric") for at in range(index - 3, index + 4))


def read_extent(a: Asked) -> None:
    """`never above 10 %`, `always over 50 %`: of the highest, or the lowest, of all values."""
    places = [index for index, span in enumerate(a.s.spans) if span.plays("extent") or _not_once(a, index)]
    op = a.found.arguments.get("op")
    if places and op is not None and "agg" not in a.found.arguments:
        a.put("agg", _EXTREME_OF.get(op, "max"))
    a.s.use(*places)


def _not_once(a: Asked, index: int) -> bool:
    """`haven't gone over 30 %`: in all of the time."""
    return a.s.spans[index].text in ("havent", "hasnt", "didnt", "have not", "never") and any(
        at > index for at in a.s.turned
    )


def read_steps(a: Asked) -> None:
    """`hourly`, `every 5 minutes`, `at 1m resolution`."""
    if not a.takes("granularity"):
        return
    for index, span in enumerate(a.s.spans):
        if span.used:
            continue
        if span.text in _NAMED:
            a.put("granularity", _NAMED[span.text], index)
        elif span.plays("per_hour") and "op" not in a.found.arguments and not a.s.first("priced"):
            a.put("granularity", "1h", index)
        elif span.plays("per") and (unit := _unit_at(a, index + 1)) in ("hour", "day", "minute"):
            a.put("granularity", f"1{_LETTER[unit]}", index, index + 1)


def read_intervals(a: Asked) -> None:
    """`5 minute averages`, `in hourly steps`, `15 min buckets`: before numbers are compared with anything."""
    if not a.takes("granularity"):
        return
    for index, span in enumerate(a.s.spans):
        behind = a.s.at(index + 1)
        if span.used or behind is None:
            continue
        if span.text in _NAMED and (behind.plays("step") or behind.text in _BINS):
            a.put("granularity", _NAMED[span.text], index, index + 1)
        elif span.number is not None and (unit := _unit_at(a, index + 1)) in _LETTER and _stepped(a, index):
            a.put("granularity", f"{span.number:g}{_LETTER[unit]}", index, index + 1)
            a.s.use(*(at for at in (index - 1, index + 2) if a.s.plays(at, "step", "per") or _binned(a, at)))


def _binned(a: Asked, at: int) -> bool:
    return (span := a.s.at(at)) is not None and span.text in _BINS


def _unit_at(a: Asked, at: int) -> str:
    span = a.s.at(at)
    return str(span.get("unit")) if span is not None else ""


def _stepped(a: Asked, index: int) -> bool:
    """A length of time that stands where a step does: `5 minute averages`, `every 5 minutes`."""
    brief = _unit_at(a, index + 1) in ("s", "minute", "hour")
    if a.s.plays(index - 1, "step") or a.s.plays(index + 2, "step"):
        return True
    if brief and a.s.plays(index + 2, "metric", "shy_metric", "agg"):
        return True
    if _binned(a, index + 2):
        return True
    return a.s.plays(index - 1, "per") or a.s.plays(a.skip(index - 1, -1), "per")
