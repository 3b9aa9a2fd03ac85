"""What is measured in the made-up company: every sample follows from a few numbers in a fleet file.

A series is written as a number (constant), as [base, swing], or as {is, swing, was, until}: `was` in place of
`is` before the moment that lies `until` before the sandbox's start. The sample at a moment is
base + swing · sin(2π · seconds into its UTC hour / 3600). Samples stand at the UTC multiples of `every_s`,
from the time the resource was created to the time it was stopped, and the last is as old as a whole step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cloudtop.sandbox.fleet import length

HOUR_S = 3600


@dataclass(frozen=True)
class Series:
    """One metric of one thing. Times are seconds since 1970; `until_s` is when `was` ended."""

    base: float
    every_s: int
    swing: float = 0.0
    was: float | None = None
    until_s: float = -math.inf
    born_s: float = -math.inf
    died_s: float = math.inf

    def samples(self, start_s: float, end_s: float, now_s: float) -> tuple[int, list[float]]:
        """The samples in [start, end) that there are at `now_s`, and when the first of them stands."""
        wave, step = _wave(self.every_s), self.every_s
        first = math.ceil(max(start_s, self.born_s) / step) * step
        last = math.ceil(min(end_s, self.died_s, now_s - step + 1))
        values = [self._base(at) + self.swing * wave[at % HOUR_S // step] for at in range(first, last, step)]
        return first, values

    def points(
        self, stat: str, start_s: float, end_s: float, period_s: int, now_s: float
    ) -> Iterator[tuple[float, float]]:
        """One value for each period that has samples: when the period begins, its samples as `stat` says."""
        first, values = self.samples(start_s, end_s, now_s)
        for at in range(math.floor(start_s), math.ceil(end_s), period_s):
            begin, end = (max(0, math.ceil((edge - first) / self.every_s)) for edge in (at, at + period_s))
            if mine := values[begin:end]:
                yield at, combined(stat, mine)

    def _base(self, at: float) -> float:
        return self.base if self.was is None or at >= self.until_s else self.was


def series(
    told: Any, every_s: int, started: datetime, born: datetime | None = None, died: datetime | None = None
) -> Series:
    """A series as a fleet file writes it."""
    about = told if isinstance(told, Mapping) else {"is": told}
    base, swing = about["is"], about.get("swing", 0.0)
    if isinstance(base, Sequence):
        base, swing = base
    return Series(
        float(base),
        every_s,
        float(swing),
        was=about.get("was"),
        until_s=(started - length(about["until"])).timestamp() if "until" in about else -math.inf,
        born_s=born.timestamp() if born else -math.inf,
        died_s=died.timestamp() if died else math.inf,
    )


def combined(stat: str, values: Sequence[float]) -> float:
    """Samples as one value: avg sum min max count, or p99 and such, by the nearest rank."""
    if stat.startswith("p"):
        rank = math.ceil(float(stat[1:]) / 100 * len(values))
        return sorted(values)[max(rank, 1) - 1]
    total = math.fsum(values)
    made = {"avg": total / len(values), "sum": total, "min": min(values), "max": max(values)}
    return made[stat] if stat in made else float(len(values))


@cache
def _wave(every_s: int) -> list[float]:
    """One hour of a sine at these steps."""
    return [math.sin(2 * math.pi * at / HOUR_S) for at in range(0, HOUR_S, every_s)]
