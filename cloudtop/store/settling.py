"""What follows from new offers, one GPU at a time: marks of doubt, and points of price history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudtop.store import history
from cloudtop.store.doubts import Priced, doubts
from cloudtop.store.scopes import bump

if TYPE_CHECKING:
    import sqlite3

    from cloudtop.store.observation import Look
    from cloudtop.store.writer import Steps, Work, Writer

_OFFERS = f"SELECT {', '.join(Priced._fields)} FROM offer WHERE gpu IS ?"
Mark = tuple[str | None, int, int]


def settle(writer: Writer, look: Look, changed: set[str | None], finished: bool) -> Steps[None]:
    """Bring marks and, after a finished look, history up to date for the GPUs that changed.

    A scope that was left unsettled, by a look that did not finish or a process that died, is done in full.
    """
    gpus = changed if look.settled else changed | _all_gpus(writer.connection, look.scope_id)
    for gpu in sorted(gpus, key=str):
        offers = list(map(Priced._make, writer.connection.execute(_OFFERS, (gpu,))))
        marks = [(reason, one.id, one.hash) for one, reason in doubts(offers, gpu is not None)]
        if marks:
            yield _marking(marks)
        if finished and gpu is not None:
            yield _recording(look, gpu, [one for one in offers if one.scope_id == look.scope_id])


def _all_gpus(db: sqlite3.Connection, scope_id: int) -> set[str | None]:
    rows = db.execute(
        "SELECT DISTINCT gpu FROM offer WHERE scope_id=? UNION SELECT gpu FROM series WHERE feeder=?",
        (scope_id, scope_id),
    )
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
