"""One number of a question and what stands around it: unit, comparison, period, the words beside it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.planner.language import language, word_set
from agent.planner.sentence import Sentence, Span


@dataclass(slots=True)
class Amount:
    """One number with what was found around it; `last` is the last span that belongs to it."""

    at: int
    last: int
    value: float
    unit: str | None = None
    op: str | None = None
    op_at: int | None = None
    hours: float | None = None
    per_gpu: bool = False
    """It was said to be the price of each GPU."""


_CURRENCIES = ("$", "€", "£", "¥", "₹", "usd", "eur", "gbp")


_SUFFIX = (
    "or ",
    "and ",
    "at ",
    "+",
    "plus",
    "max",
    "maximum",
    "tops",
    "min",
    "minimum",
    "upward",
    "cap",
    "from at",
)


TIMES = ("hour", "day", "week", "month", "year", "weekend", "fortnight", "minute")


_WHOLE = frozenset(("full", "whole", "entire", "straight", "solid", "consecutive", "complete", "more"))
"""Between a number and its unit of time: `five full days`."""


_TURNED = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def amount_at(s: Sentence, index: int) -> Amount:
    """The number with its unit, its comparison and the period it is for."""
    value = s.spans[index].number
    assert value is not None
    amount = Amount(index, index, value)
    before = s.at(index - 1)
    if (
        before is not None
        and not before.used
        and before.get("unit") in ("usd", "foreign")
        and before.text in _CURRENCIES
    ):
        amount.unit = before.get("unit")
        s.use(index - 1)
    after = s.at(index + 1)
    if after is not None and after.text == "+" and after.glued:
        amount.op, amount.op_at, amount.last = "ge", index + 1, index + 1
        after = s.at(index + 2)
    elif _op_before_unit(s, index):
        amount.op, amount.op_at, amount.last = s.spans[index + 1].get("op"), index + 1, index + 1
        after = s.at(index + 2)
    elif after is not None and after.text in _WHOLE and _of_time(s.at(index + 2)):
        amount.last, after = index + 1, s.at(index + 2)
    if amount.unit is None and after is not None and after.plays("unit") and _is_unit(after, s, index):
        amount.unit, amount.last = after.get("unit"), amount.last + 1
        _scaled(amount)
    if (
        amount.unit is None
        and after is not None
        and after.plays("per_gpu")
        and "hour" in after.text
        and after.text.startswith("gpu")
    ):
        amount.unit, amount.last = "hour", amount.last + 1
    amount.hours = None if before is not None and before.text == "x" else _period_at(s, amount)
    _compared(s, amount)
    if amount.op_at in s.turned:
        amount.op = _TURNED[str(amount.op)]
    _unit_behind_comparison(s, amount)
    return amount


def _of_time(span: Span | None) -> bool:
    return span is not None and span.get("unit") in TIMES


def _unit_behind_comparison(s: Sentence, amount: Amount) -> None:
    """`4 or more gpus`, `24 or more gb`: the unit comes after the comparison."""
    if amount.unit is not None or amount.op_at != amount.last + 1:
        return
    unit = s.at(amount.op_at + 1)
    if unit is not None and unit.get("unit") in ("gpu", "gb", "tb") and len(unit.text) > 1:
        amount.unit, amount.last = unit.get("unit"), amount.op_at + 1
        _scaled(amount)


def _op_before_unit(s: Sentence, index: int) -> bool:
    """`2 or more GPUs`, `80 or more GB`: the comparison between a number and what is counted."""
    op, unit = s.at(index + 1), s.at(index + 2)
    return (
        op is not None
        and unit is not None
        and op.plays("op")
        and not op.used
        and op.text.startswith("or ")
        and unit.get("unit") in ("gpu", "gb")
    )


def _is_unit(after: Span, s: Sentence, index: int) -> bool:
    """A single letter is a unit only when glued to the number; `+` and the like never are."""
    if len(after.text) == 1 and after.text.isalpha() and after.text != "x":
        return after.glued
    if after.text == "min":
        return _means_minutes(s, index)
    return not (after.text == "a gpu" or (after.text == "x" and s.plays(index + 2, "compare")))


def _means_minutes(s: Sentence, index: int) -> bool:
    """`for 30 min`, `2 hours 30 min`, `45 min` are minutes; `$2 min`, `8 min`, `2 min gpus` the least."""
    before, after = s.at(index - 1), s.at(index + 2)
    if after is not None and (after.plays("unit") or after.number is not None) and not after.plays("gpu"):
        return False
    if before is not None and (before.text in ("for", "of", "and") or before.get("unit") in TIMES):
        return True
    dollars = before is not None and before.get("unit") in ("usd", "foreign")
    return not dollars and float(s.spans[index].number or 0) >= _MINUTES


_MINUTES = 15
"""From so many on a number before `min` is taken for minutes, whatever stands before it."""


def _scaled(amount: Amount) -> None:
    """Cents to dollars, terabytes and megabytes to gigabytes."""
    if amount.unit == "cent":
        amount.unit, amount.value = "usd", amount.value / 100
    elif amount.unit == "tb":
        amount.unit, amount.value = "gb", amount.value * 1024
    elif amount.unit == "mb":
        amount.unit, amount.value = "gb", amount.value / 1024


def _period_at(s: Sentence, amount: Amount) -> float | None:
    """`/hr`, `per day`, `an hour`, `hourly` behind an amount, in hours; the amount grows over it."""
    if amount.unit in TIMES or amount.unit in ("gb", "tb", "core", "percent"):
        return None
    at, seen = amount.last + 1, None
    for _ in range(4):
        span = s.at(at)
        if span is None:
            break
        if span.text in ("/", "a", "an", "p") or span.plays("per"):
            at += 1
            continue
        if span.plays("gpu") and s.spans[at - 1].text in ("/", "per", "a", "each"):
            # `$2 per H100`: the model is still what is asked for.
            amount.per_gpu = amount.unit in ("usd", None)
            s.use(at - 1)
            break
        if span.plays("per_gpu") or (
            span.get("unit") == "gpu" and s.spans[at - 1].text in ("/", "per", "a", "each")
        ):
            if "hour" in span.text:
                seen = at
            if _per_gpu_said(s, amount, at):
                amount.last = at
            at += 1
            continue
        if (
            span.plays("unit")
            and span.get("unit") in TIMES
            and at > amount.last + (0 if span.text.endswith("ly") else 1)
        ):
            seconds = language().seconds[span.get("unit")]
            amount.last = at
            return seconds / 3600
        break
    if seen is not None:
        amount.last = max(amount.last, seen)
        return 1.0
    return None


def _per_gpu_said(s: Sentence, amount: Amount, at: int) -> bool:
    """`$2 per gpu`: said of the price, so that a cap is not for the whole instance."""
    if amount.unit == "usd" or amount.unit is None:
        s.spans[at].used = True
        amount.per_gpu = True
        return True
    return False


def _compared(s: Sentence, amount: Amount) -> None:
    """The comparison in front of or behind the amount."""
    if amount.op is not None:
        return
    for back in range(1, 6):
        span = s.at(amount.at - back)
        if span is None or (span.number is not None and not span.plays("gpu")):
            break
        if span.plays("op") and not span.used:
            amount.op, amount.op_at = span.get("op"), amount.at - back
            return
        if not (
            span.text in word_set("skip")
            or span.plays("quantity", "budget", "whole")
            or span.get("unit") in ("usd", "foreign")
            or span.text == ":"
        ):
            break
    after = s.at(amount.last + 1)
    if after is not None and after.text == "up" and (lead := s.at(amount.at - 1)) and lead.text == "from":
        amount.op, amount.op_at = "ge", amount.last + 1
        return
    if after is not None and after.plays("op") and not after.used and after.text.startswith(_SUFFIX):
        following = s.at(amount.last + 2)
        if following is None or not (following.number is not None or following.get("unit") == "usd"):
            amount.op, amount.op_at = after.get("op"), amount.last + 1


def near(s: Sentence, amount: Amount, role: str, reach: int = 3) -> int | None:
    """The closest phrase of a role beside the amount, behind it first, not across a number or comma."""
    for step in (1, -1):
        at = (amount.last if step > 0 else amount.at) + step
        if amount.op_at is not None and at == amount.op_at:
            at += step
        for _ in range(reach):
            span = s.at(at)
            if (
                span is None
                or span.text in (",", ";", "or", "vs", "versus")
                or (span.number is not None and not span.plays("gpu"))
            ):
                break
            if span.plays(role):
                if step < 0 and _belongs_to_another(s, at, amount):
                    break
                return at
            if not (
                span.text in word_set("skip")
                or span.plays("quantity", "whole", "op", "unit", "per_gpu", "per_node")
                or span.get("unit")
            ):
                break
            at += step
    return None


def _belongs_to_another(s: Sentence, at: int, amount: Amount) -> bool:
    """`24gb vram 200gb disk`: the word in front may have its own number before it."""
    for back in range(1, 4):
        span = s.at(at - back)
        if span is None:
            return False
        if span.number is not None and not span.plays("gpu"):
            return True
        if not (span.plays("unit") or span.text in word_set("skip")):
            return False
    return False
