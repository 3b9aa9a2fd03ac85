"""The grammar of amounts in a free question; `units.spoken_amounts` is the door to it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

from cloudtop.units import GIB_PER, NUMBER_WORDS, UNIT_HOURS, Amount

_CURRENCIES = {
    **dict.fromkeys(("$", "usd", "dollar", "dollars", "bucks", "us$"), "usd"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "eur"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds", "quid"), "gbp"),
    **dict.fromkeys(("¢", "cent", "cents"), "cent"),
}
_TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "hourly"), "hour"),
    **dict.fromkeys(("d", "day", "days", "daily"), "day"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "weekly"), "week"),
    **dict.fromkeys(("mo", "mth", "month", "months", "monthly"), "month"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "year"),
}
_COUNTED = {
    **dict.fromkeys(("gpu", "gpus", "card", "cards", "accelerator", "accelerators"), "gpu"),
    **dict.fromkeys(("node", "nodes", "instances", "servers", "machines", "boxes", "hosts"), "node"),
    **dict.fromkeys(("vcpu", "vcpus", "cpus", "core", "cores"), "vcpu"),
}
_OPS = {
    **dict.fromkeys(
        ("under", "below", "less than", "fewer than", "cheaper than", "lower than", "smaller than"), "lt"
    ),
    **dict.fromkeys(("younger than", "newer than", "shorter than", "<"), "lt"),
    **dict.fromkeys(("<=", "≤", "at most", "up to", "max", "maximum", "no more than", "not more than"), "le"),
    **dict.fromkeys(("max of", "maximum of", "capped at", "limit of", "not over"), "le"),
    **dict.fromkeys(
        ("over", "above", "more than", "greater than", "higher than", "larger than", "bigger than"), "gt"
    ),
    **dict.fromkeys(
        ("hotter than", "longer than", "older than", "exceeding", "exceeds", "beyond", ">"), "gt"
    ),
    **dict.fromkeys((">=", "≥", "at least", "min", "minimum", "min of", "minimum of", "no less than"), "ge"),
    **dict.fromkeys(("not less than", "not under", "starting at", "=>"), "ge"),
    **dict.fromkeys(("=", "==", "exactly", "equal to"), "eq"),
}
_AFTER = {
    **dict.fromkeys(
        ("or more", "or greater", "or higher", "or above", "or larger", "or bigger", "or longer"), "ge"
    ),
    **dict.fromkeys(("and up", "and above", "and more", "at least", "plus", "+", "minimum", "min"), "ge"),
    **dict.fromkeys(
        ("or less", "or fewer", "or lower", "or below", "or under", "or cheaper", "at most"), "le"
    ),
    **dict.fromkeys(("and below", "and less", "maximum", "max", "or smaller", "tops"), "le"),
}
_LOOK_BACK = 24
"""How many characters before an amount can compare it."""


def amounts(text: str) -> list[Amount]:
    """Each amount with its kind and unit, and the words that compare it."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    found = [amount for match in _amounts().finditer(low) if (amount := _amount(low, match))]
    return _between(low, [_compared(low, amount) for amount in found])


def _amount(low: str, match: re.Match[str]) -> Amount | None:
    start, end = match.span()
    if _inside_a_word(low, match):
        return None
    if match["per"]:
        unit = _TIME_UNITS[match["per_unit"]]
        return Amount(start, end, "rate", UNIT_HOURS[unit], unit)
    if match["after_n"] or match["joined_n"]:
        return Amount(start, end, "times", float(match["after_n"] or match["joined_n"]))
    value, spelled = _value(match)
    made = Amount(start, end, "number", value, spelled=spelled)
    if match["mid"]:
        made = replace(made, op=_AFTER[match["mid"].strip()], op_start=start, op_end=end)
    if match["sign"] or match["currency"] or match["each"] or match["each_gpu"]:
        return _money(made, match)
    if match["percent"]:
        return replace(made, kind="percent", unit="percent")
    if match["memory"]:
        unit = _memory_unit(match["memory"])
        return replace(made, kind="memory", value=value * GIB_PER[unit], unit=unit)
    if match["time"]:
        unit = _TIME_UNITS[match["time"]]
        return replace(made, kind="duration", value=value * UNIT_HOURS[unit], unit=unit)
    if match["counted"]:
        return replace(made, kind="count", unit=_COUNTED[match["counted"]])
    if match["times"]:
        return replace(made, kind="times")
    return (
        None
        if match["words"] == "one" and _pronoun().search(low, max(0, start - _LOOK_BACK), start)
        else made
    )


def _money(made: Amount, match: re.Match[str]) -> Amount:
    # A bare figure per hour or per GPU can only be a price, in dollars.
    unit = _CURRENCIES[match["sign"] or match["currency"] or "$"]
    value = made.value
    if unit == "cent":
        unit, value = "usd", round(value / 100, 10)
    per = ""
    if match["each"]:
        per = _TIME_UNITS[match["each"]]
        per = "gpu_hour" if match["each_gpu"] and per == "hour" else per
    elif match["each_gpu"]:
        per = "gpu_hour"
    return replace(made, kind="money", value=value, unit=unit, per=per)


def _memory_unit(said: str) -> str:
    if said.startswith("gig") or said == "g":
        return "gb"
    return {"t": "tb", "terabyte": "tb", "megabyte": "mb"}.get(said.rstrip("s"), said)


def _value(match: re.Match[str]) -> tuple[float, bool]:
    """The number of a match, and whether it was spelled in words."""
    half = 0.5 if match["and_half"] else 0.0
    if match["digits"]:
        from decimal import Decimal

        value = Decimal(match["digits"].replace(",", "")) * (1000 if match["scale"] else 1)
        return float(value) + half, False
    total, part = 0.0, 0.0
    for word in match["words"].replace("-", " ").split():
        if word in ("dozen", "hundred"):
            part = (part or 1) * NUMBER_WORDS[word]
        elif word == "thousand":
            total, part = total + (part or 1) * 1000, 0
        else:
            part += _SMALL.get(word) or NUMBER_WORDS.get(word, 0)
    # "a" alone counts one; before dozen or hundred it counts nothing.
    return (total + part or 1.0) + half, True


_SMALL = {"half": 0.5, "quarter": 0.25, "couple": 2.0}


def _inside_a_word(low: str, match: re.Match[str]) -> bool:
    """Whether the digits belong to a name, date, version or path: cache-01, p4d.24xlarge, 12:00, v1.2.3."""
    start, end = match.span()
    before, after = low[start - 1 : start] if start else "", low[end : end + 2]
    if match["per"]:
        return after[:1].isalnum()
    # A hyphen may stand before money ($1-$2) and before a size (A100-80GB).
    hyphen_is_fine = before == "-" and (match["sign"] or match["memory"])
    if (
        before
        and not match["joined_n"]
        and not hyphen_is_fine
        and (before.isalnum() or before in "_.:/@#-$€£")
    ):
        return True
    first, second = after[:1], after[1:]
    if match["times"]:
        return False
    if first.isalnum() or first in ("_", "@"):
        return True
    if first == "-":
        return second.isalnum()
    return first in (".", ":", "/") and second.isdigit()


def _compared(low: str, amount: Amount) -> Amount:
    """The amount with the words before or behind it that say less, more, at least."""
    if amount.kind == "rate" or amount.op:
        return amount
    before = _before().search(low, max(0, amount.start - _LOOK_BACK), amount.start)
    # "over 24 hours" is a span of time as often as a limit.
    if before and not (before[1] == "over" and amount.kind == "duration"):
        return replace(
            amount, op=_OPS[" ".join(before[1].split())], op_start=before.start(1), op_end=amount.end
        )
    after = _after().match(low, amount.end)
    if after:
        return replace(amount, op=_AFTER[after[1]], op_start=amount.start, op_end=after.end(1))
    return amount


def _between(low: str, found: list[Amount]) -> list[Amount]:
    """ "between 1 and 2 dollars", "$1 to $2", "$1-$2": at least the one and at most the other."""
    made = list(found)
    for at, (one, two) in enumerate(pairwise(found)):
        gap = low[one.end : two.start]
        lead = _between_lead().search(low, max(0, one.start - _LOOK_BACK), one.start)
        if (
            one.op
            or two.op
            or not (gap.strip() in ("to", "-", "–", "and") and (lead or gap.strip() != "and"))
        ):
            continue
        if one.kind != two.kind:
            if one.kind != "number":
                continue
            one = replace(one, kind=two.kind, unit=two.unit, per=two.per, value=_in_unit(one.value, two))
        if one.value > two.value:
            continue
        start = lead.start() if lead else one.start
        made[at] = replace(one, op="ge", op_start=start, op_end=one.end)
        made[at + 1] = replace(two, op="le", op_start=two.start, op_end=two.end)
    return made


def _in_unit(value: float, like: Amount) -> float:
    """A bare number in the unit of its neighbour, in that kind's own measure."""
    if like.kind == "memory":
        return value * GIB_PER[like.unit]
    return value * UNIT_HOURS[like.unit] if like.kind == "duration" else value


@cache
def _between_lead() -> re.Pattern[str]:
    return re.compile(r"\b(?:between|from)\s+$")


@cache
def _before() -> re.Pattern[str]:
    ordered = sorted(_OPS, key=len, reverse=True)
    words = "|".join(word.replace(" ", r"\s+") for word in ordered if word[0].isalpha())
    signs = "|".join(word for word in ordered if not word[0].isalpha())
    return re.compile(rf"(\b(?:{words})(?=[\s:])|{signs})[\s:]*$")


@cache
def _after() -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in sorted(_AFTER, key=len, reverse=True))
    return re.compile(rf"\s?({words})(?![a-z0-9])")


@cache
def _pronoun() -> re.Pattern[str]:
    return re.compile(r"\b(?:this|that|which|another|other|no|each|every|any|the|est)\s+$|est\s+$")


@cache
def _amounts() -> re.Pattern[str]:
    number = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
    time = r"seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|weeks?|wks?|months?|mths?|years?|yrs?"
    size = r"[kmgtp]i?b|gigs?|gigabytes?|terabytes?|megabytes?"
    end = r"(?![a-z0-9])"
    words = (
        rf"(?:half\s+)?(?:an?\s+)?(?:{number})(?:[\s-](?:and\s)?(?:{number}))*|(?:a\s+)?couple(?:\s+of)?"
        rf"|(?:half\s+)?an?(?=[\s-](?:{time}|{size}){end})|quarter(?:\s+of\s+an?)?(?=[\s-]hours?{end})"
    )
    unit = (
        rf"[\s-]?(?:(?P<percent>%|(?:percent|per\scent|pct){end})"
        rf"|(?P<memory>(?:{size})(?!\s?/s|ps){end}|(?<=\d)[gt]{end})"
        rf"|(?P<time>(?:{time}|(?<=\d)[dmsw]|(?<=\d)mo){end})"
        rf"|(?P<counted>(?:{'|'.join(sorted(_COUNTED, key=len, reverse=True))}){end})"
        rf"|(?P<currency>(?:usd|dollars?|bucks|euros?|eur|gbp|pounds?|quid|cents?){end}|(?<!-)[$€£¢])"
        r"|(?P<times>[x×](?=\s|[a-z]|\d{4}(?!\d)|$)(?!large|lg)))"
    )
    each = (
        rf"\s?(?:/|per\b|an?\b|each\b)\s?(?:(?P<each_gpu>gpu|card){end}[\s/-]*)?(?:per\s|an?\s)?"
        rf"(?P<each>(?:{time}|mo|d){end})?"
    )
    return re.compile(
        rf"(?:(?P<sign>us\$|[$€£])\s?)?"
        rf"(?:(?<![\w.:/@#])(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?P<scale>k{end})?|\b(?P<words>{words}))"
        rf"(?P<and_half>\sand\sa\shalf{end})?"
        rf"(?:(?P<mid>\+|\s(?:or\smore|or\sless|or\sfewer|plus))?{unit})?(?:{each})?"
        rf"|(?P<per>(?:\bper\s|/\s?)(?P<per_unit>{time}){end})"
        rf"|(?<![a-z0-9])[x×]\s?(?!86|64)(?P<after_n>\d{{1,2}})(?![\w.])"
        rf"|(?:(?<=[a-z]\d)|(?<=[a-z]\d\d)|(?<=[a-z]\d\d\d)|(?<=\b\d\d\d\d))x(?P<joined_n>\d{{1,2}})(?!\w)"
    )
