"""Money, memory, counts and lengths of time as people write them, as numbers. Pure; Decimal inside.

Imported late: cloudtop.amounts (the grammar of free text), decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

MONTH_HOURS = 720
"""Hours of a month in every price per month: thirty days."""

MIB_PER_GIB = 1024
SNAP_TOLERANCE = 0.07
"""How far a measured size may be from the nominal one: 79.6 GiB is an 80 GiB board, 74 is not."""

_TO_TWELVE = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBER_WORDS: dict[str, int] = {word: at for at, word in enumerate(_TO_TWELVE + _TEENS, 1)}
NUMBER_WORDS |= {word: 10 * at for at, word in enumerate(_TENS, 2)}
NUMBER_WORDS |= {"dozen": 12, "hundred": 100, "thousand": 1000}
"""What a word counts; dozen, hundred and thousand multiply what stands before them."""

BEYOND = 1e12
"""No price, size or count of a cloud reaches this; what does is a slip or a placeholder."""

UNIT_HOURS = {
    "second": 1 / 3600,
    "minute": 1 / 60,
    "hour": 1.0,
    "day": 24.0,
    "week": 168.0,
    "month": float(MONTH_HOURS),
    "year": 8760.0,
}
"""Hours of each unit of time."""

GIB_PER = {
    **dict.fromkeys(("kib", "kb"), 1 / 1024**2),
    **dict.fromkeys(("mib", "mb"), 1 / 1024),
    **dict.fromkeys(("gib", "gb"), 1.0),
    **dict.fromkeys(("tib", "tb"), 1024.0),
    **dict.fromkeys(("pib", "pb"), 1024.0**2),
}
"""GiB of each unit of memory: sellers and people write GB and mean GiB, so 80 GB is 80 and 1.5 TB is 1536."""

Kind = Literal["money", "memory", "duration", "rate", "percent", "count", "times", "number"]


@dataclass(frozen=True, slots=True)
class Amount:
    """One amount in a text. `start`:`end` is the number with its unit; `op` compares it (lt le gt ge eq).

    kind and value: money in `unit` usd, eur or gbp, with `per` hour, gpu_hour, day, … when said · memory in
    GiB, unit as written (gb, gib, tb, …) · duration in hours, unit second … year · rate ("per day") as the
    hours it covers · percent · count of `unit` gpu, node, vcpu · times for "8x" · number for the rest.
    `spelled`: in words. `op_start` and `op_end` span the comparing words too.
    """

    start: int
    end: int
    kind: Kind
    value: float
    unit: str = ""
    per: str = ""
    op: str = ""
    spelled: bool = False
    op_start: int = -1
    op_end: int = -1

    @property
    def whole(self) -> tuple[int, int]:
        """The span with the words that compare."""
        return (self.op_start, self.op_end) if self.op else (self.start, self.end)


def spoken_amounts(text: str) -> list[Amount]:
    """The amounts in a free question, in order, none overlapping another."""
    from cloudtop.amounts import amounts

    return amounts(text)


@cache
def _money() -> re.Pattern[str]:
    return re.compile(r"(?:us)?\$?(-?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?)\$?(?:usd|dollars?)?")


def usd(text: str | float | None) -> float | None:
    """Dollars of `$2.50`, `2.5 USD`, `1,200.00`, or a number; None for what is not a figure in dollars."""
    if text is None or isinstance(text, bool):
        return None
    if not isinstance(text, str):
        value = float(text)
        return value if abs(value) < float("inf") else None
    match = _money().fullmatch("".join(text.lower().split()))
    figure = match[1].replace(",", "") if match else ""
    if not any(c.isdigit() for c in figure):
        return None
    from decimal import Decimal

    return float(Decimal(figure))


def number(value: object) -> float | None:
    """A figure that a cloud wrote as a number or a string: not negative and below BEYOND, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    found = usd(value if isinstance(value, str) or abs(value) < BEYOND else None)
    return found if found is not None and 0 <= found < BEYOND else None


def positive(value: object) -> float | None:
    """The same where zero means nothing: a price of 0 is no price."""
    return number(value) or None


def whole(value: object) -> int | None:
    """A count or a number of bytes, as large as it likes, a number or its digits; None for anything else."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else None
    counts = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return int(value) if counts else None  # type: ignore[call-overload]


def per_hour(value: float, unit: str) -> float:
    """A price for each `unit` of time as a price for each hour; a month has MONTH_HOURS."""
    return value / UNIT_HOURS["hour" if unit == "gpu_hour" else unit]


def gib_from_mib(mib: float | None) -> float | None:
    """GiB of MiB, unknown for unknown or nothing."""
    return mib / MIB_PER_GIB if mib else None


def gib_from_bytes(count: object) -> float | None:
    """GiB of bytes, unknown for unknown or nothing. (`number` refuses figures as large as a TiB in bytes.)"""
    if isinstance(count, bool) or not isinstance(count, int | float):
        return None
    return positive(count / 1024**3)


def snap_memory_gib(gib: float, sizes: Iterable[float]) -> float | None:
    """The nominal size that a measured one stands for, or None when none is within the tolerance."""
    best = min(sizes, key=lambda size: (abs(gib - size), -size), default=None)
    if best is None or abs(gib - best) > SNAP_TOLERANCE * best:
        return None
    return best


def gib(text: str) -> float | None:
    """GiB of `80GB`, `1.5 TB`, `24 GiB`, `512MB`, or of a bare number; None for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgtp]i?b?|gigs?|gigabytes?)?", "".join(text.lower().split()))
    if match is None:
        return None
    unit = match[2] or "gb"
    unit = "gb" if unit.startswith("gig") else unit
    return float(match[1]) * GIB_PER[unit if unit.endswith("b") else f"{unit}b"]


def duration_hours(text: str | float) -> float:
    """Hours of `24h`, `3 days`, `a week`, or of a number, which already is hours."""
    if not isinstance(text, str):
        return float(text)
    found = [amount for amount in spoken_amounts(text) if amount.kind in ("duration", "number")]
    if len(found) != 1:
        from cloudtop.errors import ArgumentError

        raise ArgumentError(
            "hours", f"{text!r} is not a length of time", "hours as a number, or 24h, 3 days, a week"
        )
    return found[0].value
