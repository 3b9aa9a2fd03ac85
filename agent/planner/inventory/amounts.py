"""Numbers of a question about what one runs: value, unit as said, comparison, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.language import word_set
from agent.planner.sentence import Sentence, Span

_TURNED = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
_MONEY = ("$", "€", "£", "¥")
_BACK = 5
_NEXT = (
    *("or over", "or above", "or under", "or below", "and over", "and above"),
    *("and more than", "or more than"),
)
_ARTICLES = ("a", "an")
PERIODS = ("hour", "day", "week", "month", "year", "minute")


@dataclass(slots=True)
class Amount:
    """One number with what belongs to it; `first` and `last` are its outermost spans."""

    at: int
    first: int
    last: int
    value: float
    unit: str | None = None
    op: str | None = None
    op_at: int | None = None
    per: str | None = None


def amount_at(s: Sentence, index: int) -> Amount:
    """The number here with unit, comparison and the period it is for (`$2/h`)."""
    value = s.spans[index].number
    assert value is not None
    made = Amount(index, index, index, value)
    if index in s.ranged:
        _in_range(s, made)
        return made
    _currency(s, made)
    _suffix(s, made)
    _unit(s, made)
    _suffix(s, made)
    _unit(s, made)
    if made.unit == "cent" and s.has("priced", "per_hour"):
        made.unit, made.value = "usd", made.value / 100
    _period(s, made)
    if s.spans[index].text in _ARTICLES and (half := s.at(index - 1)) is not None and half.text == "half":
        made.first, made.value = index - 1, made.value / 2
    _prefix(s, made)
    if made.op_at is not None and made.op_at in s.turned:
        made.op = _TURNED.get(str(made.op), made.op)
    return made


def _in_range(s: Sentence, made: Amount) -> None:
    """One end of a range; the words between the ends belong to the first."""
    made.op, made.unit = s.ranged[made.at]
    _currency(s, made)
    after = s.at(made.last + 1)
    if after is not None and after.plays("unit") and not after.plays("op"):
        made.last += 1
    if made.op == "ge" and (lead := s.at(made.first - 1)) is not None and lead.plays("between"):
        made.first -= 1


def read_ranges(s: Sentence) -> None:
    """`between 8 and 16 vcpus`, `20-40 %`, `from 1 to 5 tb`: both ends, with the unit behind the second."""
    numbers = [
        i for i, span in enumerate(s.spans) if span.number is not None and not span.plays("gpu", "=name")
    ]
    for low, high in pairwise(numbers):
        between = [span for span in s.spans[low + 1 : high] if not span.plays("unit") or span.plays("op")]
        joint = between[0].text if len(between) == 1 else ""
        lead = any(s.plays(at, "between") for at in (low - 1, low - 2))
        if joint not in ("to", "-", "and") or (joint == "and" and not lead):
            continue
        first, second = s.spans[low].number or 0.0, s.spans[high].number or 0.0
        unit = _of_both(s, low, high)
        if second > first and unit is not None:
            s.ranged[low] = ("ge", unit)
            s.ranged[high] = ("le", unit)


def _of_both(s: Sentence, low: int, high: int) -> str | None:
    """The unit of a range: behind its end, or the sign of money before it."""
    for at in (high + 1, high - 1, low - 1):
        span = s.at(at)
        if span is not None and span.plays("unit") and (at > high or span.text in _MONEY):
            return str(span.get("unit"))
    return None


def _currency(s: Sentence, made: Amount) -> None:
    before = s.at(made.at - 1)
    if before is not None and before.text in _MONEY:
        made.unit, made.first = before.get("unit"), made.at - 1


def _unit(s: Sentence, made: Amount) -> None:
    """The unit behind; a single letter only where it is glued to the number."""
    after = s.at(made.last + 1)
    if made.unit is not None or after is None or after.used or not after.plays("unit"):
        return
    if len(after.text) == 1 and after.text.isalpha() and not after.glued:
        return
    if after.text in ("node", "min", "way", "pack") or (after.plays("op") and after.text != "min"):
        return
    made.unit, made.last = str(after.get("unit")), made.last + 1


def _suffix(s: Sentence, made: Amount) -> None:
    """`8 or more cores`, `8 cores or more`, `100gb+`, `20 % max`."""
    after = s.at(made.last + 1)
    if made.op is not None or after is None or after.used or not after.plays("op"):
        return
    if after.text not in ("+", "plus") and not after.text.startswith(
        ("or ", "and ", "upward", "at ", "max", "min", "tops", "exactly", "precisely")
    ):
        return
    beyond = s.at(made.last + 2)
    if after.text in _NEXT and beyond is not None and beyond.number is not None:
        # `over 75 % cpu or over 75 % memory`: of the number behind.
        return
    if (
        not after.text.startswith(("or ", "and ", "+", "upward"))
        and beyond is not None
        and beyond.number is not None
    ):
        return
    made.op, made.op_at, made.last = after.get("op"), made.last + 1, made.last + 1


def _period(s: Sentence, made: Amount) -> None:
    """`/h`, `per day`, `an hour` behind money."""
    if made.unit != "usd":
        return
    at = made.last + 1
    lead = s.at(at)
    if lead is not None and lead.text in ("per hour", "an hour", "hourly", "a hour"):
        made.per, made.last = "hour", at
        return
    if lead is not None and (lead.text in ("/", "a", "an", "p") or lead.plays("per")):
        unit = s.at(at + 1)
        if unit is not None and unit.get("unit") in PERIODS:
            made.per, made.last = str(unit.get("unit")), at + 1
    elif lead is not None and lead.get("unit") in PERIODS and lead.text.endswith("ly"):
        made.per, made.last = str(lead.get("unit")), at


def _prefix(s: Sentence, made: Amount) -> None:
    """The comparison in front."""
    if made.op is not None:
        return
    for at in range(made.first - 1, max(-1, made.first - 1 - _BACK), -1):
        span = s.spans[at]
        if span.plays("op", "metric_op", "older_sure", "newer_sure") and not span.used:
            made.op, made.op_at = span.get("op") or _of_role(span), at
            before = s.at(at - 1)
            if span.text in _NEXT and not (before is not None and before.text == "at"):
                made.op = {"ge": "gt", "le": "lt"}.get(str(made.op), made.op)
            made.first = at
            return
        if span.number is not None or not _passed(span):
            return


def _of_role(span: Span) -> str | None:
    if span.plays("metric_op"):
        return str(span.get("metric_op")).split()[1]
    return None


def _passed(span: Span) -> bool:
    """What may stand between a comparison and its number."""
    return (
        span.text in word_set("skip")
        or span.text in set_of("articles")
        or span.get("unit") == "usd"
        or span.plays("size_of", "priced", "metric", "shy_metric", "measured")
        or span.text in (":", "of")
    )


def near(s: Sentence, made: Amount, role: str, reach: int = 3) -> int | None:
    """The closest phrase of a role beside the amount, behind it first; not across another number."""
    for step, start in ((1, made.last + 1), (-1, made.first - 1)):
        at = start
        for _ in range(reach):
            span = s.at(at)
            if span is None or span.number is not None or span.text in (",", ";"):
                break
            if span.plays(role) and not span.used:
                return at
            if not (
                _passed(span)
                or span.plays("op", "unit", "type", "shy_type")
                or span.text in set_of("place_leads")
            ):
                break
            at += step
    return None


_DAYS = {"week": 7, "month": 30, "year": 365}
_LETTER = {"minute": "m", "hour": "h", "day": "d"}


def length_at(s: Sentence, index: int) -> Amount | None:
    """A length of time: `30 days`, `over a year`; None where none begins here."""
    span = s.spans[index]
    if span.number is not None:
        made = amount_at(s, index)
        return made if made.unit in PERIODS else None
    unit = s.at(index + 1)
    if span.text not in _ARTICLES or unit is None or unit.get("unit") not in PERIODS or is_plural(unit.text):
        return None
    span.number = 1.0
    made = amount_at(s, index)
    span.number = None
    return made


def said(made: Amount) -> str:
    """`30d`, `12h`; a week has seven days, a month 30, a year 365, half a year six months."""
    value, unit = made.value, str(made.unit)
    if unit == "year" and value != int(value):
        value, unit = value * 12, "month"
    if unit in _DAYS:
        value, unit = value * _DAYS[unit], "day"
    if value != int(value) and unit == "day":
        value, unit = value * 24, "hour"
    return f"{value:g}{_LETTER[unit]}"
