"""Rows of every other kind: dicts with a `uid`, hash-guarded, with the changes that each look brings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from cloudtop.models import Scope
    from cloudtop.store.connections import Reader
    from cloudtop.store.observation import Look
    from cloudtop.store.writer import Steps, Writer

Row = dict[str, Any]
_UPSERT = (
    "INSERT INTO row(scope_id, uid, body, read_at, hash) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT(scope_id, uid)"
    " DO UPDATE SET body=excluded.body, read_at=excluded.read_at, hash=excluded.hash"
)
_HELD = "SELECT uid, hash FROM row WHERE scope_id=? AND uid IN (SELECT value FROM json_each(?))"
_OLD = "SELECT uid, body FROM row WHERE scope_id=? AND uid IN (SELECT value FROM json_each(?))"
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(slots=True)
class Changes:
    """What a look found different. `first`: nothing was known before, so nothing is new to anybody.

    `modified`: (before, after); `deleted`: what was there, only after a finished look.
    """

    first: bool = False
    complete: bool = False
    created: list[Row] = field(default_factory=list)
    modified: list[tuple[Row, Row]] = field(default_factory=list)
    deleted: list[Row] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.modified or self.deleted)


class RowTable:
    """How an observation keeps generic rows; `changes` fills as it goes on."""

    table = "row"

    def __init__(self, look: Look) -> None:
        self._look = look
        self.changes = Changes()

    def write(self, db: sqlite3.Connection, page: Sequence[Row]) -> int:
        """Write what is new or different among `page`; how many rows that were."""
        scope_id, at = self._look.scope_id, self._look.at
        uids = json.dumps([row["uid"] for row in page])
        held = dict(db.execute(_HELD, (scope_id, uids)).fetchall())
        fresh: dict[str, tuple[Any, ...]] = {}
        for row in page:
            body = _ENCODE(row)
            mark = int.from_bytes(blake2b(body.encode(), digest_size=8).digest(), "big", signed=True)
            if held.get(row["uid"]) != mark:
                fresh[row["uid"]] = (scope_id, row["uid"], body, at, mark)
        if fresh:
            self._note(db, fresh)
            db.executemany(_UPSERT, fresh.values())
        return len(fresh)

    def keys(self, page: Sequence[Row]) -> Iterator[int]:
        """One number per row that tells it from the others of its scope."""
        return (hash(row["uid"]) for row in page)

    def unseen(self, db: sqlite3.Connection, seen: set[int], unread: object = ()) -> list[int]:
        """Ids of the scope's rows that were not seen; they count as deleted."""
        rows = db.execute("SELECT id, uid FROM row WHERE scope_id=?", (self._look.scope_id,))
        return [number for number, uid in rows if hash(uid) not in seen]

    def remove(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Delete rows by id, and remember what they said."""
        for number in ids:
            body = db.execute("SELECT body FROM row WHERE id=?", (number,)).fetchone()
            if body is not None:
                self.changes.deleted.append(json.loads(body[0]))
        db.executemany("DELETE FROM row WHERE id=?", [(number,) for number in ids])

    def settle(self, writer: Writer, finished: bool) -> Steps[None]:
        """Nothing follows from generic rows."""
        self.changes.first, self.changes.complete = self._look.first, finished
        yield from ()

    def _note(self, db: sqlite3.Connection, fresh: dict[str, tuple[Any, ...]]) -> None:
        old = dict(db.execute(_OLD, (self._look.scope_id, json.dumps(list(fresh)))).fetchall())
        for uid, values in fresh.items():
            new = json.loads(values[2])
            if uid in old:
                self.changes.modified.append((json.loads(old[uid]), new))
            elif not self._look.first:
                self.changes.created.append(new)


def rows(reader: Reader, scope: Scope) -> list[Row]:
    """Every row of a scope, in the order of their uids."""
    found = reader.all(
        "SELECT body FROM row WHERE scope_id=(SELECT id FROM scope WHERE key=?) ORDER BY uid", (scope.key,)
    )
    listed: list[Row] = json.loads(f"[{','.join(body for (body,) in found)}]")
    return listed
