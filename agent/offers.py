"""What is said of offers, sellers and connections: the figure asked for, whose it is, and when it held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent import resources
from agent.compute import price
from agent.figures import age, moment, number, offer_line, side, usd
from agent.figures import total as money_total
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer
    from agent.compute import Computed

Row = Mapping[str, Any]
PARTS = (("disk_gb", "disk", "disk_usd_per_gb_month"), ("egress_gb", "egress", "egress_usd_per_gb"))


def dated(row: Row) -> str:
    """`As of <day>, from a price list: ` in front of a price that is not of this moment."""
    match row.get("source"):
        case "list":
            return f"As of {moment(row.get('as_of'))}, from a price list: "
        case "stale":
            return f"As of {moment(row.get('fetched_at'))}, not asked again since: "
        case _:
            return ""


def since(rows: Sequence[Row]) -> str:
    """The same for a figure made of many rows: it is as old as the oldest of them."""
    old = [row for row in rows if dated(row)]
    held = [str(row.get("as_of") or row.get("fetched_at")) for row in old]
    return f"As of {moment(min(held))} or later, from price lists or older readings: " if old else ""


def prices(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """The first offer, or what a group of them costs."""
    first, asked = rows[0], answer.calls[-1]["arguments"]
    if "group" in first and "median" in first:
        return _groups(rows, answer, done)
    if "usd_per_gpu_hour_min" in first:
        changes = plural(len(rows), "price change")
        if price(first) is None:
            return f"{changes}; nothing was left to be rented."
        return f"{changes}, cheapest first: {usd(price(first))} on {first['provider']}."
    sort = str(asked.get("sort", "price_asc"))
    word = {"price_asc": "Cheapest", "price_desc": "Most expensive"}.get(sort, "First")
    total = first.get("usd_total")
    cost = _total(total, asked, first) if total is not None else ""
    tail = "" if dated(first) else f", {age(first)}"
    doubt = f" Doubtful: {first['suspect']}." if first.get("suspect") else ""
    of_day = dated(first).removesuffix(": ")
    opening = f"{of_day}, the {word.lower()} is" if of_day else f"{word}:"
    return f"{opening} {offer_line(first)}{cost}{tail}.{doubt}"


def _total(total: float, asked: Mapping[str, Any], row: Row) -> str:
    parts = [f"{number(asked['hours'])} hours" if asked.get("hours") else "one hour"]
    if asked.get("nodes"):
        parts.append(f"{number(asked['nodes'])} instances")
    unknown: list[str] = []
    for argument, what, field in PARTS:
        if asked.get(argument):
            told = row.get(field) is not None
            (parts if told else unknown).append(f"{number(asked[argument])} GB {what}")
    least, hours = row.get("min_hours"), asked.get("hours")
    if least and hours and float(least) > float(hours):
        parts[0] += f" (at least {number(least)} are billed)"
    without = f", without {' and '.join(unknown)} (the seller's price for it is not known)" if unknown else ""
    return f"; {money_total(float(total))} {'' if unknown else 'in all '}for {', '.join(parts)}{without}"


def _groups(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    by = answer.calls[-1]["arguments"].get("group_by", "group")
    first = rows[0]
    field, _, way = str(answer.calls[-1]["arguments"].get("sort", "price_asc")).rpartition("_")
    word = _FIRST.get(field, _FIRST["price"])[way == "desc"]
    listed = all(one["source"] in ("list", "stale") for one in answer.sources)
    held = done[-1].get("as_of") if done and listed else None
    of_day = f"As of {moment(held)}, from price lists: " if held else ""
    figures = f"from {usd(price(first))} per GPU-hour, median {usd(first.get('median'))}"
    name = side(first.get("group")) + (f" ({first['gpu']})" if first.get("gpu") else "")
    if field == "count":
        alike = [side(row.get("group")) for row in rows if row["count"] == first["count"]]
        others = f" (as many: {', '.join(alike[1:])})" if len(alike) > 1 else ""
        figures = f"{plural(int(first['count']), 'offer')}{others}, {figures}"
    return f"{of_day}{word} {by}: {name}, {figures}."


_FIRST = {
    "price": ("Cheapest", "Most expensive"),
    "median": ("Lowest median by", "Highest median by"),
    "count": ("Fewest offers by", "Most offers by"),
}
"""What the first group of an order is called, ascending and descending."""


def checks(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """How resources are, and the connections to sellers."""
    if things := [row for row in rows if row.get("uid")]:
        others = [row for row in rows if not row.get("uid") and row.get("healthy") is False]
        clouds = ", ".join(dict.fromkeys(str(row["provider"]) for row in others))
        fail = f" {plural(len(others), 'check')} of {clouds} {'fails' if len(others) == 1 else 'fail'}."
        return resources.health(things, answer) + (fail if others else "")
    bad = [row for row in rows if row.get("healthy") is False]
    unknown = [row for row in rows if row.get("healthy") is None]
    if bad:
        names = ", ".join(dict.fromkeys(f"{row['provider']} ({row['status']})" for row in bad))
        return f"{len(bad)} of {len(rows)} checks fail: {names}."
    if unknown:
        names = ", ".join(dict.fromkeys(f"{row['provider']} {row['check']}" for row in unknown))
        return f"No check fails; {len(unknown)} of {len(rows)} could not be told: {names}."
    return f"All {len(rows)} checks are healthy."


def providers(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """Who sells, and what of it can be read."""
    usable = [
        str(row["provider"])
        for row in rows
        if row.get("kinds") and (row.get("configured") or row.get("keyless"))
    ]
    known = done[-1].get("total") if done else None
    count = int(known or len(rows))
    verb = "is" if count == 1 else "are"
    return f"{plural(count, 'provider')} {verb} known; usable now: {', '.join(usable) or 'none'}."


_GOING = {"median": "the median offer", "min": "the cheapest offer"}


def beside(result: Computed, answer: Answer) -> str:
    """`3 of 12 instances cost more per GPU-hour than the median offer of the same GPU: node-1 $6.83 …`."""
    told, rows = result.figures, result.rows
    going = f"{_GOING[told['against']]} of the same GPU"
    left = f" Of {number(told['untold'])} the price or the market is not known." if told["untold"] else ""
    left += resources.unmatched(told)
    asked, *market = (one["arguments"] for one in answer.calls)
    # What the market was asked for is its own: all kinds of offers, whichever the machines are.
    shared = {name: asked[name] for one in market for name in one if name in asked}
    own = {name: answer.applied[name] for name in (*asked, "where") if name in answer.applied} | shared
    whose = f"{resources.counted(own, told['compared'])}{resources.conditions(own)}"
    if not told["compared"]:
        return f"Nothing can be compared: {whose}.{left}"
    if not rows:
        return f"None of {whose} is {'cheaper' if told['side'] == 'below' else 'dearer'} than {going}.{left}"
    way = {"above": " more", "below": " less"}.get(str(told["side"]), "")
    count = f"{number(told['count'])} of {whose}" if way else whose
    per = f"cost{way} per GPU-hour than {going}" if way else f"cost per GPU-hour, beside {going}"
    some = "; ".join(_beside(row) for row in rows[: resources.NAMED])
    more = f"; {number(len(rows) - resources.NAMED)} more" if len(rows) > resources.NAMED else ""
    together = f" Together {usd(told['value'])} per hour; at {_GOING[told['against']]} {usd(told['market'])}."
    return f"{resources.stale(rows)}{count} {per}: {some}{more}.{together}{left}"


def _beside(row: Row) -> str:
    own, going = usd(row["usd_per_gpu_hour"]), usd(row["market_usd_per_gpu_hour"])
    return f"{resources.name_of(row)} {own} beside {going} ({row['percent_over_market']:+,.0f} %)"
