"""What follows from new offers, one GPU at a time: marks of doubt, and points of price history.

A mark goes when a look finds its reason gone; a look that changes nothing is one too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudtop.models import Scope
from cloudtop.store import history
from cloudtop.store.doubts import Past, Priced, doubts
from cloudtop.store.scopes import bump

if TYPE_CHECKING:
    import sqlite3

    from cloudtop.store.observation import Look
    from cloudtop.store.writer import Steps, Work, Writer

PAST_DAYS = 30
HELD_DAYS = 3
"""How long a price must have held to be what its series costs. A slip made on a Friday evening is seen on the
Monday: three days outlast a weekend, and a price that was really halved loses its mark with the first look
after them."""

DAY_S = 86_400.0
_OFFERS = f"SELECT {', '.join(Priced._fields)} FROM offer WHERE gpu IS ?"
_PAST = """
SELECT origin, seller, gpu_memory_gib, region, tier, spot, min(point.low), max(point.low)
FROM series JOIN point ON point.series_id=series.id
WHERE gpu=?1 AND CASE
  WHEN EXISTS (SELECT 1 FROM point AS early WHERE early.series_id=series.id AND early.at<=?3)
  THEN point.at<=?3 AND point.at>=coalesce(
    (SELECT max(held.at) FROM point AS held WHERE held.series_id=series.id AND held.at<=?2), ?2)
  ELSE point.at<?4 AND point.at=(SELECT min(at) FROM point AS first WHERE first.series_id=series.id)
END
GROUP BY series.id HAVING min(point.low) IS NOT NULL
"""
Mark = tuple[str | None, int, int]


def settle(writer: Writer, look: Look, changed: set[str | None], finished: bool) -> Steps[None]:
    """Bring marks and, after a finished look, history up to date for the GPUs that changed.

    A scope that was left unsettled, by a look that did not finish or a process that died, is done in full.
    """
    db = writer.connection
    gpus = changed if look.settled else changed | _all_gpus(db, look.scope_id)
    gpus = gpus | _doubted(db, look.scope_id) if finished else gpus
    origins = _origins(db) if gpus else {}
    for gpu in sorted(gpus, key=str):
        offers = list(map(Priced._make, db.execute(_OFFERS, (gpu,))))
        before = past(db, gpu, look.at, origins) if gpu is not None else None
        marks = [(reason, one.id, one.hash) for one, reason in doubts(offers, gpu is not None, before)]
        if marks:
            yield _marking(marks)
        if finished and gpu is not None:
            yield _recording(look, gpu, [one for one in offers if one.scope_id == look.scope_id])


def past(db: sqlite3.Connection, gpu: str, at: float, origins: dict[int, str]) -> Past:
    """What the series of a GPU cost before a look at the moment `at`.

    That is every price in force at some moment from `PAST_DAYS` to `HELD_DAYS` before. So a price that jumped
    does not vouch for itself at the next reading, whatever small steps it makes, and is believed once a look
    finds it after so many days. A series younger than that is held against the price it began with.
    """
    start, end = at - PAST_DAYS * DAY_S, at - HELD_DAYS * DAY_S
    rows = db.execute(_PAST, (gpu, start, end, at))
    return Past({row[:6]: (row[6], row[7]) for row in rows}, origins, PAST_DAYS, HELD_DAYS)


def _origins(db: sqlite3.Connection) -> dict[int, str]:
    rows = db.execute("SELECT id, provider, account, region, kind, query FROM scope WHERE kind='gpu_offers'")
    return {row[0]: history.origin(Scope(*row[1:])) for row in rows}


def _all_gpus(db: sqlite3.Connection, scope_id: int) -> set[str | None]:
    rows = db.execute(
        "SELECT DISTINCT gpu FROM offer WHERE scope_id=? UNION SELECT gpu FROM series WHERE feeder=?",
        (scope_id, scope_id),
    )
    return {row[0] for row in rows}


def _doubted(db: sqlite3.Connection, scope_id: int) -> set[str | None]:
    """GPUs with marks, which time alone may have taken the reason from."""
    rows = db.execute("SELECT DISTINCT gpu FROM offer WHERE scope_id=? AND suspect IS NOT NULL", (scope_id,))
    return {row[0] for row in rows}


def _marking(marks: list[Mark]) -> Work:
    def mark(db: sqlite3.Connection) -> None:
        db.executemany("UPDATE offer SET suspect=? WHERE id=? AND hash=?", marks)
        bump(db)

    return mark


def _recording(look: Look, gpu: str, offers: list[Priced]) -> Work:
    now, place = history.figures(offers), history.origin(look.scope)

    def record(db: sqlite3.Connection) -> None:
        if look.owns(db):
            history.record(db, look.scope_id, place, gpu, now, look.at)

    return record
