"""Lengths of use said without a number: `per day`, `all month`, `for a weekend`, `around the clock`."""

from __future__ import annotations

from agent.planner.amount import TIMES
from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.sentence import Sentence

_DAY_HOURS = 24.0


_SHARES = {"half a": 0.5, "half an": 0.5, "half": 0.5, "quarter of an": 0.25, "quarter of a": 0.25}
_EVERY = ("a", "per", "/", "each", "every", "the")


def _and_more(s: Sentence, index: int) -> float:
    """`an hour and a half`."""
    for words in (("and", "a", "half"), ("and", "half"), ("and", "half a")):
        if tuple(span.text for span in s.spans[index + 1 : index + 1 + len(words)]) == words:
            s.use(*range(index + 1, index + 1 + len(words)))
            return 0.5
    return 0.0


def read_daily(s: Sentence, found: Found) -> None:
    """`8 hours a day for a month`: the hours of every day, times the days; one day where none are said."""
    for index, span in enumerate(s.spans):
        if span.number is None or span.used or span.plays("gpu"):
            continue
        end = index + 2
        if s.plays(index + 1, "unit") and s.spans[index + 1].get("unit") == "hour":
            if (lead := s.at(end)) is not None and lead.text in _EVERY:
                end += 1
            unit = s.at(end)
            if unit is None or unit.get("unit") != "day" or (end == index + 2 and unit.text != "daily"):
                continue
            days = _days(s, end + 1) or _days_before(s, index)
            s.use(*range(index, end + 1), *(days[1] if days else ()))
            found.put("hours", span.number * (days[0] if days else 1))
            total = f"{span.number:g} hours a day"
            said = f"for {days[0]:g} days" if days else "was read as one day"
            found.notices.append(f"{total} {said}: {span.number * (days[0] if days else 1):g} hours.")


def _days(s: Sentence, start: int) -> tuple[float, tuple[int, ...]] | None:
    """How many days are said in the few words from here: `for 30 days`, `for a month`."""
    for at in range(start, min(len(s.spans), start + 4)):
        unit = s.spans[at].get("unit")
        if unit not in ("day", "week", "month", "year", "fortnight") or s.spans[at].used:
            continue
        before = s.spans[at - 1]
        number = before.number if at > start and before.number is not None else 1.0
        return number * language().seconds[unit] / 86400, tuple(range(max(start, at - 1), at + 1))
    return None


def _days_before(s: Sentence, index: int) -> tuple[float, tuple[int, ...]] | None:
    """`for 30 days, 8 hours a day`."""
    return _days(s, max(0, index - 4)) if index else None


def read_periods(s: Sentence, found: Found) -> None:
    """`per day`, `monthly`, `for a weekend`, `an hour`: how long, without a number."""
    for index, span in s.all("unit"):
        unit = span.get("unit")
        if unit not in TIMES or span.text == "min":
            continue
        before = s.at(index - 1)
        share = _SHARES.get(before.text, 1.0) if before is not None else 1.0
        lead = before is not None and (
            share != 1.0
            or before.text in ("/", "a", "an", "one", "the", "whole", "full", "entire", "all")
            or before.plays("per")
            or (before.plays("gpu") and unit not in ("hour", "minute"))
        )
        if not (lead or span.text.endswith(("ly", "annual")) or (unit == "weekend")):
            continue
        s.use(index)
        if lead and not s.plays(index - 1, "gpu"):
            s.use(index - 1)
        more = _and_more(s, index)
        if unit not in ("hour", "minute") or share != 1.0 or more:
            hours = (share + more) * language().seconds[unit] / 3600
            if (
                "hours" in found.arguments
                and found.length_end == index - 3
                and s.spans[index - 2].text == "and"
            ):
                hours += found.arguments.pop("hours")
                s.use(index - 2)
            found.put("hours", hours)
            found.length_end = index
    for index, span in s.all("nonstop"):
        s.use(index)
        if "hours" not in found.arguments:
            found.put("hours", _DAY_HOURS)
            found.notices.append(f"“{span.text}” was read as one day: name a longer time for its cost.")
