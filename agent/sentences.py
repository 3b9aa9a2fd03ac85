"""The first sentence of an answer: the figure asked for, its unit, whose it is, and when it held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent import measured, offers, resources, shares
from agent.columns import shape
from agent.compute import Computed, price
from agent.figures import age, kind, machine, number, offer_line, side, usd
from agent.offers import dated, since
from agent.trends import history, worth
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer

Row = Mapping[str, Any]


def first_sentence(answer: Answer, result: Computed | None, done: Sequence[Mapping[str, Any]]) -> str:
    """What a person reads first."""
    tool = answer.calls[-1]["tool"]
    # A history is kept here: who could not be asked takes nothing from it.
    kept = tool == "gpu_price_history"
    if _unasked(answer) and not answer.sources and not answer.rows and not kept:
        return _nothing(answer)
    if result is not None and result.op == "either" and tool == "list_resources":
        return resources.lists(done)
    if result is not None and (result.op in COMPUTED or result.op in OF_CALLS):
        said = (
            OF_CALLS[result.op](result, answer, done)
            if result.op in OF_CALLS
            else COMPUTED[result.op](result, answer)
        )
        return said if result.whole else f"Over the rows that could be read, not all: {said}"
    if not answer.rows:
        return _nothing(answer)
    return _rows(answer.rows, answer, done)


def _rows(rows: Sequence[Row], answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """What the tool's rows say; of those with chosen fields how many there are, and which fields."""
    tool = answer.calls[-1]["tool"]
    named = tool == "list_resources" and "name" in rows[0]
    if tool in TOOLS and (named or shape(rows[0]) != "chosen"):
        return TOOLS[tool](rows, answer, done)
    count = int((done[-1].get("total") if done else None) or len(rows))
    fields = ", ".join(name.replace("_", " ") for name in rows[0])
    return f"{plural(count, NOUNS.get(tool, 'row'))}, each with {fields}."


def _nothing(answer: Answer) -> str:
    unasked = _unasked(answer)
    if unasked and not answer.sources:
        return f"This is not known: {', '.join(dict.fromkeys(unasked))} could not be asked."
    if answer.calls[-1]["tool"] in OF_RESOURCES and not unasked:
        return resources.nothing(answer)
    said = ", ".join(f"{key} {_plain(value)}" for key, value in answer.applied.items())
    what = "No offer" if answer.calls[-1]["tool"] == "compare_gpu_prices" else "Nothing"
    read = " among what could be read" if unasked else ""
    return f"{what} matches{read}{f' ({said})' if said else ''}."


def _unasked(answer: Answer) -> list[str]:
    """Who could not be asked, or not for all; where nobody was, also who has no credentials."""
    bare = "not_configured" if not answer.sources else None
    return [
        str(one["provider"]) for one in answer.missing if one["severity"] != "info" or one["code"] == bare
    ]


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


OF_RESOURCES = frozenset(("list_resources", "get_resource", "get_metrics", "check_health"))
NOUNS = {
    "compare_gpu_prices": "offer",
    "gpu_price_history": "price point",
    "list_providers": "provider",
    "check_health": "check",
    "list_resources": "resource",
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
    grouped = "group_by" in call["arguments"] or "by" in (answer.then or {})
    if call["tool"] in OF_RESOURCES - {"check_health"} and not grouped:
        left = resources.unmatched(result.figures, "untold")
        told = f"{resources.counted(answer.applied, count)}{resources.conditions(answer.applied)}"
        return f"{told}{resources.compared(answer)}.{left}"
    by = result.figures.get("by") or call["arguments"].get("group_by")
    asked = result.figures.get("field") or by
    if isinstance(asked, list):
        asked = asked[0] if len(asked) == 1 else None
    spoken = str(asked).removeprefix("tag:").replace("_", " ") if asked and grouped else None
    noun = GROUPS.get(str(asked)) or spoken or NOUNS.get(call["tool"], "row")
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
    each = f"One of each {name.replace('_', ' ')}, " if result.rows and "uid" in result.rows[0] else ""
    return f"{each}{len(values)}: {_listed(values)}."


def _listed(values: Sequence[Any]) -> str:
    return f"{', '.join(map(str, values[:40]))}{' …' if len(values) > 40 else ''}"


def _figure(result: Computed, answer: Answer) -> str:
    if result.figures.get("over_time"):
        return _over_time(result, answer)
    value, count = result.figures["value"], result.figures["count"]
    if value is None:
        return _nothing(answer)
    dated = since(result.rows)
    if result.figures.get("field") == "usd_per_hour":
        return f"{result.op.capitalize()}: {usd(value)} per hour, of {number(count)} whose price is known."
    return f"{dated}{result.op.capitalize()}: {usd(value)} per GPU-hour over {number(count)} offers."


def _range(result: Computed, answer: Answer) -> str:
    if result.figures.get("over_time"):
        return _over_time(result, answer)
    low, high, count = (result.figures[name] for name in ("min", "max", "count"))
    if low is None:
        return _nothing(answer)
    return f"{since(result.rows)}From {usd(low)} to {usd(high)} per GPU-hour over {number(count)} offers."


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
    if "group" in row and "min" in row:
        lowest = f"from {usd(row['min'])} per GPU-hour" if row["min"] is not None else "without a price"
        return (
            f"Number {result.figures['n']}: {side(row['group'])}, {lowest}, {plural(row['count'], 'offer')}."
        )
    return f"{dated(row)}Number {result.figures['n']}: {offer_line(row)}, {age(row)}."


def _compare(result: Computed, answer: Answer) -> str:
    if result.lines and "side" in result.lines[0]:
        return resources.sides(result, answer)
    priced = [line for line in result.lines if line["min"] is not None]
    if not priced:
        return _nothing(answer)
    if "sides" in result.figures:
        return _groups_compared(result.figures["sides"], priced, answer)
    best = min(priced, key=lambda line: line["min"])
    rest = ", ".join(f"{side(one['group'])} from {usd(one['min'])}" for one in priced if one is not best)
    empty = ", ".join(side(one["group"]) for one in result.lines if one["min"] is None)
    row = next((row for row in result.rows if price(row) == best["min"]), {})
    more = f"; {rest}" if rest else ""
    none = f" No offer: {empty}." if empty else ""
    return f"{dated(row)}{side(best['group'])} is cheapest, from {usd(best['min'])} per GPU-hour{more}.{none}"


def _groups_compared(sides: Sequence[Any], priced: Sequence[Row], answer: Answer) -> str:
    """`Cheapest provider: A100 vast, from $0.85 per GPU-hour; H100 nowhere.`"""
    told = []
    for label in sides:
        mine = [line for line in priced if line["of"] == label]
        best = min(mine, key=lambda line: line["min"], default=None)
        told.append(
            f"{side(label)} {side(best['group'])}, from {usd(best['min'])} per GPU-hour"
            if best
            else f"{side(label)} nowhere"
        )
    by = answer.calls[-1]["arguments"].get("group_by", "group")
    return f"Cheapest {by}: {'; '.join(told)}."


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
        f"{dated(row)}{usd(float(result.figures['budget']))} buys {hours:,.1f} hours of {machine(row)} "
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
    left = resources.unmatched(result.figures, "untold")
    return _rows(result.rows, answer, [{"total": result.figures["count"]}]) + left


def _groups(result: Computed, answer: Answer) -> str:
    if not result.rows:
        return _nothing(answer)
    if result.figures.get("field"):
        return resources.summed_groups(result, answer)
    left = resources.unmatched(result.figures, "untold")
    return resources.listed(result.rows, answer, [{"total": result.figures["count"]}]) + left


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
    "compare_gpu_prices": offers.prices,
    "gpu_price_history": history,
    "check_health": offers.checks,
    "list_providers": offers.providers,
    "list_resources": resources.listed,
    "get_resource": resources.one,
    "get_metrics": measured.measured,
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
    "group": _groups,
    "sum": resources.summed,
    "market": offers.beside,
    "both": _agreeing,
    "either": _agreeing,
}
OF_CALLS = {"join": measured.joined, "share": shares.told}
"""What is said of the calls one by one, and not of all together."""
