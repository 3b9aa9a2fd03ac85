"""Prose with its spelled numbers and dates as figures: `seventeen`, `two thousand`, `20 November 2026`."""

from __future__ import annotations

import re
from functools import cache

from agent.planner.language import language
from cloudtop.calendars import MONTHS

_MONTH = rf"(?P<month>{'|'.join(rf'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_DATES = (
    re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH}\b{_YEAR}", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\s+{_DAY}\b{_YEAR}", re.IGNORECASE),
)
_ONLY_ONE = re.compile(r"\b(only|just|exactly|there is|there's|there are)\s+one\b", re.IGNORECASE)


def in_figures(text: str) -> str:
    """The text with numbers in digits and dates as 2026-11-20, or --11-20 where no year is said."""
    for pattern in _DATES:
        text = pattern.sub(_iso, text)
    text = _ONLY_ONE.sub(r"\1 1", text)
    return _numbers().sub(lambda found: f"{_value(found[0]):g}", text)


def _iso(found: re.Match[str]) -> str:
    month = next(n for n, name in enumerate(MONTHS, 1) if name[:3] == found["month"][:3].lower())
    return f"{found['year'] or '-'}-{month:02}-{int(found['day']):02}"


@cache
def _numbers() -> re.Pattern[str]:
    """One or more number words that make one number. `one` alone is rarely a number."""
    words = sorted((one for one in language().numbers if one != "one"), key=len, reverse=True)
    scales = "|".join(one for one in language().scales if len(one) > 1)
    first = "|".join(words)
    every = "|".join([*words, "one"])
    small = rf"(?:{first})(?:[- ](?:{every}))?"
    return re.compile(
        rf"\b(?:{small}(?:\s+(?:{scales}))*|(?:an?|one)\s+(?:{scales}|dozen))\b(?:\s+and\s+{small}\b)?",
        re.IGNORECASE,
    )


def _value(said: str) -> float:
    """The number that the words make: tens and units add up, a scale multiplies what stands before it."""
    value = 0.0
    for word in re.split(r"[-\s]+", said.lower()):
        if word in language().scales:
            value = (value or 1) * language().scales[word]
        elif word in language().numbers:
            value += language().numbers[word]
    return value
