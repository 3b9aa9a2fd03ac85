"""The scopes of the store: when each was read, whether to its end, and what went wrong last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloudtop.models import Scope, Trouble

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cloudtop.store.connections import Reader
    from cloudtop.store.observation import Look
    from cloudtop.store.writer import Steps, Writer

CHUNK = 1000
TABLES = ("offer", "resource", "row")
"""Where the rows of a scope are, each kind in one of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of a scope.

    `complete`: it was read to its proven end, at `fetched_at`. Otherwise `fetched_at` is when its rows, all
    there is, were added by a look that did not end well; None when there are none. `partial_at`: the last
    look since then that added rows and did not finish. `trouble`: why the try at `tried_at` failed; None
    once one succeeds.
    """

    fetched_at: datetime | None
    complete: bool
    rows: int
    stamp: str | None
    tried_at: datetime | None
    trouble: Trouble | None
    partial_at: datetime | None = None


@lru_cache(maxsize=4096)
def moment(epoch: float | None) -> datetime | None:
    """A time as the file keeps it, in UTC."""
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def bump(db: sqlite3.Connection) -> None:
    """The data changed: what was remembered of it elsewhere no longer holds."""
    db.execute("UPDATE state SET value=value+1 WHERE name='generation'")


def begin(db: sqlite3.Connection, scope: Scope) -> tuple[int, int, bool, bool]:
    """Start an observation: the scope's id, its number, whether it is the first, whether all was settled."""
    db.execute(
        "INSERT INTO scope(key, provider, account, region, kind, query, observation)"
        " VALUES (?, ?, ?, ?, ?, ?, 1)"
        " ON CONFLICT(key) DO UPDATE SET observation=observation+1",
        (scope.key, scope.provider, scope.account, scope.region, scope.kind, scope.query),
    )
    asked = "SELECT id, observation, fetched_at IS NULL, settled FROM scope WHERE key=?"
    scope_id, number, first, settled = db.execute(asked, (scope.key,)).fetchone()
    return scope_id, number, bool(first), bool(settled)


def owned(db: sqlite3.Connection, scope_id: int, number: int) -> bool:
    """Whether observation `number` is still the last one begun."""
    row = db.execute("SELECT 1 FROM scope WHERE id=? AND observation=?", (scope_id, number)).fetchone()
    return row is not None


def touched(db: sqlite3.Connection, scope_id: int, at: float | None) -> None:
    """Rows changed before the end is proven: what follows from them must be worked out again."""
    db.execute(
        "UPDATE scope SET settled=0, partial_at=coalesce(?, partial_at) WHERE id=?",
        (at, scope_id),
    )
    bump(db)


def finished(db: sqlite3.Connection, look: Look, table: str) -> None:
    """The scope was read to its end: its rows are all there is."""
    db.execute(
        f"UPDATE scope SET fetched_at=?, tried_at=?, stamp=?, trouble=NULL, partial_at=NULL,"
        f" rows=(SELECT count(*) FROM {table} WHERE scope_id=scope.id) WHERE id=?",
        (look.at, look.at, look.stamp, look.scope_id),
    )
    bump(db)


def left(db: sqlite3.Connection, scope_id: int, table: str) -> None:
    """A look ended before its time: count what is there now."""
    db.execute(
        f"UPDATE scope SET rows=(SELECT count(*) FROM {table} WHERE scope_id=scope.id) WHERE id=?",
        (scope_id,),
    )


def settled(db: sqlite3.Connection, scope_id: int) -> None:
    """History and doubts are up to date with the rows."""
    db.execute("UPDATE scope SET settled=1 WHERE id=? AND settled=0", (scope_id,))


def evicted(writer: Writer, keep: int, max_scopes: int | None) -> Steps[None]:
    """Clear the scopes that were read longest ago, when there are more than `max_scopes`."""
    if max_scopes is None:
        return
    over = writer.connection.execute(
        "SELECT id FROM scope ORDER BY id=? DESC, coalesce(fetched_at, partial_at, tried_at, 0) DESC"
        " LIMIT -1 OFFSET ?",
        (keep, max(max_scopes, 1)),
    ).fetchall()
    for (scope_id,) in over:
        yield from cleared(writer, scope_id)


def cleared(writer: Writer, scope_id: int) -> Steps[None]:
    """Forget a scope and its rows; history stays. A look that begins meanwhile ends this."""
    number = yield lambda db: _disowned(db, scope_id)
    while (yield lambda db: _fewer(db, scope_id, number)):
        pass
    yield lambda db: db.execute("DELETE FROM scope WHERE id=? AND observation=?", (scope_id, number))


def _disowned(db: sqlite3.Connection, scope_id: int) -> int:
    """Nothing of the scope counts as read any more; looks under way can add nothing."""
    db.execute(
        "UPDATE scope SET fetched_at=NULL, partial_at=NULL, tried_at=NULL, stamp=NULL, trouble=NULL, rows=0,"
        " settled=0, observation=observation+1 WHERE id=?",
        (scope_id,),
    )
    bump(db)
    row = db.execute("SELECT observation FROM scope WHERE id=?", (scope_id,)).fetchone()
    return int(row[0]) if row else 0


def _fewer(db: sqlite3.Connection, scope_id: int, number: int) -> bool:
    """Delete some of the scope's rows; whether there may be more."""
    if not owned(db, scope_id, number):
        return False
    for table in TABLES:
        ids = db.execute(f"SELECT id FROM {table} WHERE scope_id=? LIMIT {CHUNK}", (scope_id,)).fetchall()
        if ids:
            if table == "offer":
                db.executemany("DELETE FROM offer_raw WHERE id=?", ids)
            db.executemany(f"DELETE FROM {table} WHERE id=?", ids)
            bump(db)
            return True
    db.execute("DELETE FROM raw_page WHERE scope_id=?", (scope_id,))
    return False


def note_trouble(db: sqlite3.Connection, scope: Scope, trouble: Trouble, at: float) -> None:
    """Remember a failed try. Rows, their time and the stamp stay as they are."""
    db.execute(
        "INSERT INTO scope(key, provider, account, region, kind, query, tried_at, trouble)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(key) DO UPDATE SET tried_at=excluded.tried_at, trouble=excluded.trouble",
        (
            scope.key,
            scope.provider,
            scope.account,
            scope.region,
            scope.kind,
            scope.query,
            at,
            json.dumps(trouble.row()),
        ),
    )
    bump(db)


_THERE = " + ".join(f"(SELECT count(*) FROM {one} WHERE scope_id=scope.id)" for one in TABLES)
"""The rows of a look under way, or given up, are counted: nobody has noted their number yet."""

_KNOWN = (
    f"key, fetched_at, partial_at, CASE WHEN partial_at IS NULL THEN rows ELSE {_THERE} END,"
    " stamp, tried_at, trouble"
)


def freshness(reader: Reader, asked: Sequence[Scope]) -> dict[Scope, Known | None]:
    """What is known of each scope; None for one that was never tried."""
    found: dict[str, Known] = {}
    marks = ", ".join("?" * len(asked))
    for key, *rest in reader.all(
        f"SELECT {_KNOWN} FROM scope WHERE key IN ({marks})", [scope.key for scope in asked]
    ):
        found[key] = _known(*rest)
    return {scope: found.get(scope.key) for scope in asked}


def _known(
    fetched_at: float | None,
    partial_at: float | None,
    rows: int,
    stamp: str | None,
    tried_at: float | None,
    trouble: str | None,
) -> Known:
    return Known(
        fetched_at=moment(partial_at if fetched_at is None else fetched_at),
        complete=fetched_at is not None,
        rows=rows,
        stamp=stamp,
        tried_at=moment(tried_at),
        trouble=Trouble(**json.loads(trouble)) if trouble else None,
        partial_at=moment(partial_at),
    )


def listed(reader: Reader) -> list[dict[str, Any]]:
    """One row per scope, for `cache list`."""
    names = ("provider", "account", "region", "kind", "query")
    rows = reader.all(
        f"SELECT {', '.join(names)}, {_KNOWN} FROM scope ORDER BY provider, account, region, kind, query"
    )
    found = []
    for row in rows:
        known = _known(*row[6:])
        about = dict(zip(names, row, strict=False))
        found.append({**about, "known": known})
    return found
