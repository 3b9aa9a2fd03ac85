"""Price history: one series per (seller, GPU, memory, region, tier, spot), a point when it changes.

A series belongs to an origin, where it was read, so that a price list and the live market do not contradict
each other in one line. Only finished looks write points. Nothing left to rent is a point too, without
prices.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudtop.store.schema import FRACTIONAL, SOLD_OUT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cloudtop.models import Scope
    from cloudtop.store.doubts import Priced

Key = tuple[str, float | None, str | None, str | None, int]
Figures = tuple[float | None, float | None, int]
GONE: Figures = (None, None, 0)
_START = (
    "INSERT INTO series(id, origin, gpu, seller, gpu_memory_gib, region, tier, spot, place_id, feeder, at,"
    " low, median, offers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Series:
    """One series as the file has it, with its latest point and the scope that last had offers of it."""

    id: int
    feeder: int | None
    at: float | None
    figures: Figures

    def differs(self, new: Figures, at: float) -> bool:
        """Whether `new` is news; a look older than the latest point has none."""
        return self.figures != new and (self.at is None or at >= self.at)


class Origin(NamedTuple):
    """Where a series was read: by whose connector, of which account, from which file or own endpoint."""

    provider: str
    account: str
    place: str = ""

    @staticmethod
    def of(text: str) -> Origin:
        """The origin that `origin` wrote down."""
        return Origin(*text.split("|", 2))


def origin(scope: Scope) -> str:
    """Where prices were read: the account, and the file of a price list or the endpoint asked instead."""
    query = json.loads(scope.query) if scope.query.startswith("{") else {}
    place = query.get("file") or query.get("endpoint") or ""
    return "|".join((scope.provider, scope.account, str(place)))


def figures(offers: Sequence[Priced]) -> dict[Key, tuple[Figures, int]]:
    """Lowest and median price and number of what can be rented whole, per series, and the series' place."""
    prices: dict[Key, list[float]] = {}
    places: dict[Key, int] = {}
    for offer in offers:
        if offer.usd_per_gpu_hour is None or offer.flags & (FRACTIONAL | SOLD_OUT):
            continue
        key = (offer.seller, offer.gpu_memory_gib, offer.region, offer.tier, offer.spot)
        prices.setdefault(key, []).append(offer.usd_per_gpu_hour)
        places[key] = offer.place_id
    from statistics import median

    return {key: ((min(one), median(one), len(one)), places[key]) for key, one in prices.items()}


def series_of(db: sqlite3.Connection, place: str, gpu: str) -> dict[Key, Series]:
    """The known series of one GPU from one origin."""
    rows = db.execute(
        "SELECT seller, gpu_memory_gib, region, tier, spot, id, feeder, at, low, median, offers"
        " FROM series WHERE gpu=? AND origin=?",
        (gpu, place),
    )
    return {(a, b, c, d, e): Series(i, f, at, (low, mid, n)) for a, b, c, d, e, i, f, at, low, mid, n in rows}


def record(
    db: sqlite3.Connection,
    scope_id: int,
    place: str,
    gpu: str,
    now: dict[Key, tuple[Figures, int]],
    at: float,
) -> None:
    """Write the points that differ from the latest ones. Runs inside a transaction."""
    before = series_of(db, place, gpu)
    number = int(db.execute("SELECT coalesce(max(id), 0) FROM series").fetchone()[0])
    started: list[tuple[Any, ...]] = []
    points: list[tuple[Any, ...]] = []
    moved: list[tuple[Any, ...]] = []
    for key, (new, place_id) in now.items():
        known = before.get(key)
        if known is None:
            number += 1
            started.append((number, place, gpu, *key, place_id, scope_id, at, *new))
            points.append((number, at, *new))
        elif known.differs(new, at):
            points.append((known.id, at, *new))
            moved.append((scope_id, at, *new, known.id))
        elif known.feeder != scope_id:
            moved.append((scope_id, known.at, *known.figures, known.id))
    for key, known in before.items():
        if known.feeder == scope_id and key not in now and known.differs(GONE, at):
            points.append((known.id, at, *GONE))
            moved.append((scope_id, at, *GONE, known.id))
    db.executemany(_START, started)
    db.executemany("INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?, ?)", points)
    db.executemany("UPDATE series SET feeder=?, at=?, low=?, median=?, offers=? WHERE id=?", moved)
