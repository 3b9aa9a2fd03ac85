"""First sentences about how prices went: what became of them, and whether a price is a good one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.figures import gpu_name, kind, moment, side, usd
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer
    from agent.compute import Computed

Row = Mapping[str, Any]
_GOOD, _FAIR = 50.0, 10.0
"""A price is good when cheaper ones were rarer than dearer ones, fair when dearer ones were not rare."""


def history(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """Of points the newest and how many there are; of groups the way of the first."""
    first = rows[0]
    if "changes" in first:
        return _group(first, answer)
    total = (done[-1].get("total") if done else None) or len(rows)
    newest = max(rows, key=lambda row: str(row.get("time")))
    return f"{plural(int(total), 'price point')}; the newest here: {_point(newest)}."


def _point(row: Row) -> str:
    name = f"{gpu_name(row)} on {row.get('provider')} ({kind(row)})"
    if row.get("usd_per_gpu_hour_min") is None:
        return f"{name} sold out since {moment(row.get('time'))}"
    listed = ", by a price list" if row.get("source") == "list" else ""
    figure = f"from {usd(row['usd_per_gpu_hour_min'])} per GPU-hour"
    return f"{name} {figure} since {moment(row.get('time'))}{listed}"


def _group(row: Row, answer: Answer) -> str:
    name, last = side(row.get("group")), row.get("last")
    if last is None:
        return f"{name}: sold out; the lowest price was {usd(row.get('min'))} per GPU-hour."
    match row.get("change"):
        case "up" | "down" as change:
            verb = "rose" if change == "up" else "fell"
            percent = row.get("delta_percent")
            told = f" ({percent:+.1f} %)" if percent is not None else ""
            way = f"the lowest price {verb} from {usd(row.get('first'))} to {usd(last)} per GPU-hour{told}"
        case "new":
            way = f"new in that time, now from {usd(last)} per GPU-hour"
        case "back":
            way = f"to be had again, from {usd(last)} per GPU-hour"
        case _:
            way = f"the lowest price is {usd(last)} per GPU-hour, as it was"
    cheaper, covered = row.get("cheaper_than_30d"), row.get("days_covered_30d")
    known = f" ({_covered(float(covered or 0))} known)"
    judged = f"; cheaper than {cheaper:.0f} % of the last 30 days{known}" if cheaper else ""
    return f"{_held(row)}{name}: {way}{judged}."


def _held(row: Row) -> str:
    stale = row.get("source") == "stale"
    return f"As of {moment(row.get('last_at'))}, not asked again since: " if stale else ""


def worth(result: Computed, answer: Answer) -> str:
    """`$1.80 per GPU-hour is a good price for an H100: …`"""
    told, rows = result.figures, result.rows
    if told["usd"] is None or not rows or not told["days"]:
        return "There is no price history to judge that by yet; it begins with the first question asked."
    price, days = usd(float(told["usd"])), _covered(float(told["days"]))
    now = _point(rows[0])
    if told["days"] < 1:
        return f"{price} per GPU-hour cannot be judged yet, with {days} of history: {now}."
    below, above = float(told["percent_below"]), float(told["percent_above"])
    if not below and not above:
        return f"{price} per GPU-hour is what the cheapest cost all through {days} of history: {now}."
    verdict = "a good" if above >= _GOOD else "a fair" if above >= _FAIR else "not a good"
    return (
        f"{price} per GPU-hour is {verdict} price: in {days} of history the cheapest cost more "
        f"{above:.0f} % of the time and less {below:.0f} %, its median {usd(told['median'])}; {now}."
    )


def _covered(days: float) -> str:
    if days >= 1:
        return plural(round(days), "day")
    return plural(round(days * 24), "hour") if days * 24 >= 1 else "less than an hour"
