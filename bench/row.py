"""One measured line: figure, baseline, goal, met or missed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    baseline: str
    ratio: float | None
    goal: str
    met: bool | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def p(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def median(values: list[float]) -> float:
    return statistics.median(values)


async def times_ms(act: Callable[[], Awaitable[Any]], n: int, warm: int = 20) -> list[float]:
    found = []
    for i in range(n + warm):
        started = time.perf_counter()
        await act()
        if i >= warm:
            found.append((time.perf_counter() - started) * 1000)
    return found
