"""The first sentence of an answer: the figure asked for, its unit, whose it is, and when it held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent import resources
from agent.compute import Computed, price
from agent.figures import age, kind, machine, moment, number, offer_line, side, usd
from agent.figures import total as money_total
from agent.trends import history, worth
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer

Row = Mapping[str, Any]


def first_sentence(answer: Answer, result: Computed | None, done: Sequence[Mapping[str, Any]]) -> str:
    """What a person reads first."""
    tool = answer.calls[-1]["tool"]
    if result is not None and result.op == "either" and tool == "list_resources":
        return resources.lists(done)
    if result is not None and (result.op in COMPUTED or result.op == "join"):
        said = (
            resources.joined(result, answer, done)
            if result.op == "join"
            else COMPUTED[result.op](result, answer)
        )
        return said if result.whole else f"Over the rows that could be read, not all: {said}"
    if not answer.rows:
        return _nothing(answer)
    if tool in TOOLS:
        return TOOLS[tool](answer.rows, answer, done)
    return f"{len(answer.rows)} rows."


def _nothing(answer: Answer) -> str:
    unasked = [str(one["provider"]) for one in answer.missing if one["severity"] != "info"]
    if unasked and not answer.sources:
        return f"This is not known: {', '.join(dict.fromkeys(unasked))} could not be asked."
    if answer.calls[-1]["tool"] in OF_RESOURCES and not unasked:
        return resources.nothing(answer)
    said = ", ".join(f"{key} {_plain(value)}" for key, value in answer.applied.items())
    what = "No offer" if answer.calls[-1]["tool"] == "compare_gpu_prices" else "Nothing"
    read = " among what could be read" if unasked else ""
    return f"{what} matches{read}{f' ({said})' if said else ''}."


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _dated(row: Row) -> str:
    """`As of <day>, from a price list: ` in front of a price that is not of this moment."""
    match row.get("source"):
        case "list":
            return f"As of {moment(row.get('as_of'))}, from a price list: "
        case "stale":
            return f"As of {moment(row.get('fetched_at'))}, not asked again since: "
        case _:
            return ""


def _since(rows: Sequence[Row]) -> str:
    """The same for a figure made of many rows: it is as old as the oldest of them."""
    old = [row for row in rows if _dated(row)]
    held = [str(row.get("as_of") or row.get("fetched_at")) for row in old]
    return f"As of {moment(min(held))} or later, from price lists or older readings: " if old else ""


def _prices(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
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
    tail = "" if _dated(first) else f", {age(first)}"
    doubt = f" Doubtful: {first['suspect']}." if first.get("suspect") else ""
    dated = _dated(first).removesuffix(": ")
    opening = f"{dated}, the {word.lower()} is" if dated else f"{word}:"
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


PARTS = (("disk_gb", "disk", "disk_usd_per_gb_month"), ("egress_gb", "egress", "egress_usd_per_gb"))


def _groups(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    by = answer.calls[-1]["arguments"].get("group_by", "group")
    first = rows[0]
    dear = str(answer.calls[-1]["arguments"].get("sort", "price_asc")) == "price_desc"
    word = "Most expensive" if dear else "Cheapest"
    listed = all(one["source"] in ("list", "stale") for one in answer.sources)
    held = done[-1].get("as_of") if done and listed else None
    dated = f"As of {moment(held)}, from price lists: " if held else ""
    figures = f"from {usd(price(first))} per GPU-hour, median {usd(first.get('median'))}"
    return f"{dated}{word} {by}: {side(first.get('group'))}, {figures}."


def _health(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    if all(row.get("uid") for row in rows):
        return resources.health(rows, answer)
    bad = [row for row in rows if row.get("healthy") is False]
    unknown = [row for row in rows if row.get("healthy") is None]
    if bad:
        names = ", ".join(dict.fromkeys(f"{row['provider']} ({row['status']})" for row in bad))
        return f"{len(bad)} of {len(rows)} checks fail: {names}."
    if unknown:
        names = ", ".join(dict.fromkeys(f"{row['provider']} {row['check']}" for row in unknown))
        return f"No check fails; {len(unknown)} of {len(rows)} could not be told: {names}."
    return f"All {len(rows)} checks are healthy."


def _providers(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    usable = [
        str(row["provider"])
        for row in rows
        if row.get("kinds") and (row.get("configured") or row.get("keyless"))
    ]
    known = done[-1].get("total") if done else None
    count = int(known or len(rows))
    verb = "is" if count == 1 else "are"
    return f"{plural(count, 'provider')} {verb} known; usable now: {', '.join(usable) or 'none'}."


OF_RESOURCES = frozenset(("list_resources", "get_resource", "get_metrics", "check_health"))
NOUNS = {
    "compare_gpu_prices": "offer",
    "gpu_price_history": "price point",
    "list_providers": "provider",
    "check_health": "check",
}


GROUPS = {
    "provider": "seller",
    "region": "region",
    "gpu": "GPU model",
    "instance_type": "instance type",
    "form": "form factor",
}


def _count(result: Computed, answer: Answer) -> str:
    count, call = result.figures["count"], answer.calls[-1]
    if call["tool"] in OF_RESOURCES - {"check_health"} and "group_by" not in call["arguments"]:
        left = (
            f" Of {number(result.figures['untold'])} it is not known." if result.figures.get("untold") else ""
        )
        return f"{resources.counted(answer.applied, count)}{resources.conditions(answer.applied)}.{left}"
    asked = result.figures.get("field") or call["arguments"].get("group_by")
    noun = GROUPS.get(str(asked)) or NOUNS.get(call["tool"], "row")
    if result.figures.get("values") and call["tool"] == "compare_gpu_prices":
        return f"{plural(count, noun)}: {_listed(result.figures['values'])}."
    return f"{plural(count, noun)} {'matches' if count == 1 else 'match'}."


def _distinct(result: Computed, answer: Answer) -> str:
    name = str(result.figures["field"])
    values = [str(value) for value in result.figures["values"]]
    if not values and answer.calls[-1]["arguments"].get("group_by") == name:
        values = [str(row["group"]) for row in result.rows if row.get("group") is not None]
    if not values:
        if not result.rows:
            return _nothing(answer)
        said = plural(len(result.rows), NOUNS.get(answer.calls[-1]["tool"], "row"))
        return f"{said} found, and none of them tells its {name.replace('_', ' ')}."
    return f"{len(values)}: {_listed(values)}."


def _listed(values: Sequence[Any]) -> str:
    return f"{', '.join(map(str, values[:40]))}{' …' if len(values) > 40 else ''}"


def _figure(result: Computed, answer: Answer) -> str:
    if result.figures.get("over_time"):
        return _over_time(result, answer)
    value, count = result.figures["value"], result.figures["count"]
    if value is None:
        return _nothing(answer)
    dated = _since(result.rows)
    return f"{dated}{result.op.capitalize()}: {usd(value)} per GPU-hour over {number(count)} offers."


def _range(result: Computed, answer: Answer) -> str:
    if result.figures.get("over_time"):
        return _over_time(result, answer)
    low, high, count = (result.figures[name] for name in ("min", "max", "count"))
    if low is None:
        return _nothing(answer)
    return f"{_since(result.rows)}From {usd(low)} to {usd(high)} per GPU-hour over {number(count)} offers."


def _over_time(result: Computed, answer: Answer) -> str:
    """`Median of the lowest price in that time, per GPU-hour: on-demand $2.10 (from $1.90 to $2.40)`."""
    told = [_of_group(row, result.op) for row in result.rows if row.get("median") is not None]
    if not told:
        return _nothing(answer)
    word = {"min": "Lowest", "max": "Highest", "range": "Range"}.get(result.op, "Median")
    more = f"; {len(told) - SAID_GROUPS} more" if len(told) > SAID_GROUPS else ""
    of = "price" if result.op in ("min", "max") else "of the lowest price"
    return f"{word} {of} in that time, per GPU-hour: {'; '.join(told[:SAID_GROUPS])}{more}."


SAID_GROUPS = 4


def _of_group(row: Row, op: str) -> str:
    """One group and its figure; of a median also how far the price went."""
    name = side(row["group"])
    ends = f"from {usd(row['min'])} to {usd(row['max'])}"
    if op == "range":
        return f"{name} {ends}"
    figure = f"{name} {usd(row[op])}"
    return f"{figure} ({ends})" if op == "median" else figure


def _nth(result: Computed, answer: Answer) -> str:
    if not result.rows:
        return f"There is no number {result.figures['n']}: {result.figures['count']} rows in all."
    row = result.rows[0]
    return f"{_dated(row)}Number {result.figures['n']}: {offer_line(row)}, {age(row)}."


def _compare(result: Computed, answer: Answer) -> str:
    if result.lines and "side" in result.lines[0]:
        return resources.sides(result, answer)
    priced = [line for line in result.lines if line["min"] is not None]
    if not priced:
        return _nothing(answer)
    best = min(priced, key=lambda line: line["min"])
    rest = ", ".join(f"{side(one['group'])} from {usd(one['min'])}" for one in priced if one is not best)
    empty = ", ".join(side(one["group"]) for one in result.lines if one["min"] is None)
    row = next((row for row in result.rows if price(row) == best["min"]), {})
    more = f"; {rest}" if rest else ""
    none = f" No offer: {empty}." if empty else ""
    return (
        f"{_dated(row)}{side(best['group'])} is cheapest, from {usd(best['min'])} per GPU-hour{more}.{none}"
    )


def _diff(result: Computed, answer: Answer) -> str:
    if not result.lines:
        return _unmoved(result)
    first = result.lines[0]
    verb = "rose" if first["delta"] > 0 else "fell"
    return (
        f"{_of_series(len(result.lines), result.figures['series'])} at the end of that time than at its "
        f"beginning; the most: {first['group']} ({kind(first)}) {verb} from {usd(first['old'])} "
        f"to {usd(first['new'])} per GPU-hour."
    )


def _unmoved(result: Computed) -> str:
    """Nothing recorded, or nothing that stood otherwise in the end: prices may have moved in between."""
    seen = int(result.figures["series"])
    if not seen:
        return "No price is recorded for that time."
    way = {"up": "higher", "down": "lower"}.get(str(result.figures.get("direction")), "another")
    return f"No price is {way} at the end of that time than at its beginning, in {number(seen)} series."


def _of_series(moved: int, seen: int) -> str:
    """`3 of 79 series have another lowest price`."""
    verb = "has" if moved == 1 else "have"
    return f"{number(moved)} of {number(seen)} series {verb} another lowest price"


def _divide(result: Computed, answer: Answer) -> str:
    hours = result.figures["hours"]
    if hours is None:
        return _nothing(answer)
    row = result.rows[0]
    return (
        f"{_dated(row)}{usd(float(result.figures['budget']))} buys {hours:,.1f} hours of {machine(row)} "
        f"at {usd(result.figures['hourly'])} per hour on {row['provider']} ({kind(row)}), {age(row)}."
    )


def _within(result: Computed, answer: Answer) -> str:
    cap = usd(result.figures["usd_total"])
    if not result.rows:
        return f"No offer costs {cap} or less in all."
    row = result.rows[0]
    return f"{number(result.figures['count'])} offers cost {cap} or less in all; cheapest: {offer_line(row)}."


def _filter(result: Computed, answer: Answer) -> str:
    if not result.rows:
        return _nothing(answer)
    tool = answer.calls[-1]["tool"]
    untold = result.figures.get("untold")
    left = f" Of {number(untold)} it is not known." if untold else ""
    if tool in TOOLS:
        return TOOLS[tool](result.rows, answer, [{"total": result.figures["count"]}]) + left
    return f"{number(len(result.rows))} match.{left}"


def _agreeing(result: Computed, answer: Answer) -> str:
    """What all sides have, or any of them."""
    if not result.rows:
        return _nothing(answer)
    word = "all conditions" if result.op == "both" else "one of the conditions"
    count = result.figures["count"]
    names = ", ".join(dict.fromkeys(resources.name_of(row) for row in result.rows[:6]))
    verb = "meets" if count == 1 else "meet"
    what = f"{resources.counted(answer.applied, count)}{resources.conditions(answer.applied)}"
    return f"{what} {verb} {word}: {names}{' …' if count > 3 else ''}."


TOOLS = {
    "compare_gpu_prices": _prices,
    "gpu_price_history": history,
    "check_health": _health,
    "list_providers": _providers,
    "list_resources": resources.listed,
    "get_resource": resources.one,
    "get_metrics": resources.measured,
    "list_services": resources.services,
}
COMPUTED = {
    "count": _count,
    "distinct": _distinct,
    "median": _figure,
    "average": _figure,
    "min": _figure,
    "max": _figure,
    "range": _range,
    "nth": _nth,
    "compare": _compare,
    "diff": _diff,
    "divide": _divide,
    "within": _within,
    "worth": worth,
    "filter": _filter,
    "sum": resources.summed,
    "both": _agreeing,
    "either": _agreeing,
}
