"""A figure that holds until the next one: medians, shares and lowest lines, each weighted by time. Pure."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DAY_S = 86_400.0

Hold = tuple[float, float, float]
"""(from, until, value): seconds, and what held between them. Gaps are time in which nothing held."""


def holds(points: Sequence[tuple[float, float | None]], until: float) -> list[Hold]:
    """What held when, of points in the order of time; a point without a value holds nothing."""
    ends = [at for at, _ in points[1:]] + [until]
    return [
        (at, end, value)
        for (at, value), end in zip(points, ends, strict=False)
        if value is not None and end > at
    ]


def lowest(lines: Iterable[Sequence[Hold]]) -> list[Hold]:
    """The lowest of several lines at any moment; nothing where none of them holds anything."""
    drawn = [line for line in lines if line]
    if len(drawn) < 2:
        return list(drawn[0]) if drawn else []
    made: list[Hold] = []
    held: list[tuple[float, float]] = []
    at = 0.0
    for start, end, value in sorted(_low_enough(drawn)):
        if held:
            at = _fallen(held, made, at, start)
        heappush(held, (value, end))
        at = start
    _fallen(held, made, at, float("inf"))
    return made


def _low_enough(lines: Sequence[Sequence[Hold]]) -> Iterable[Hold]:
    """The holds that can be lowest: none above the highest of a line that is there all the time."""
    start, end = min(line[0][0] for line in lines), max(line[-1][1] for line in lines)
    whole = [line for line in lines if line[0][0] == start and line[-1][1] == end and _unbroken(line)]
    most = min((max(value for _, _, value in line) for line in whole), default=float("inf"))
    return (one for line in lines for one in line if one[2] <= most)


def _unbroken(line: Sequence[Hold]) -> bool:
    return all(before[1] == after[0] for before, after in pairwise(line))


def _fallen(held: list[tuple[float, float]], made: list[Hold], at: float, until: float) -> float:
    """Draw the lowest line from `at` to `until` while anything holds."""
    while held and at < until:
        value, end = held[0]
        if end <= at:
            heappop(held)
            continue
        stop = min(end, until)
        if made and made[-1][1] == at and made[-1][2] == value:
            made[-1] = (made[-1][0], stop, value)
        else:
            made.append((at, stop, value))
        at = stop
    return at


def clipped(line: Iterable[Hold], start: float, end: float) -> list[Hold]:
    """The part of a line that lies in [start, end)."""
    return [
        (max(one, start), min(until, end), value) for one, until, value in line if until > start and one < end
    ]


def days(line: Iterable[Hold]) -> float:
    """For how many days something held."""
    return sum(end - start for start, end, _ in line) / DAY_S


def median(line: Iterable[Hold]) -> float | None:
    """The value below which the line lay half of its time; None of an empty line."""
    ordered = sorted((value, end - start) for start, end, value in line)
    half, passed = sum(width for _, width in ordered) / 2, 0.0
    for index, (value, width) in enumerate(ordered):
        passed += width
        if passed > half:
            return value
        if passed == half and index + 1 < len(ordered):
            return (value + ordered[index + 1][0]) / 2
    return ordered[-1][0] if ordered else None


def shares(line: Iterable[Hold], value: float) -> tuple[float, float] | None:
    """The parts of its time, 0 to 1, in which a line lay below and above `value`; None of an empty line."""
    below = above = whole = 0.0
    for start, end, one in line:
        width = end - start
        whole += width
        if one < value:
            below += width
        elif one > value:
            above += width
    return (below / whole, above / whole) if whole else None
