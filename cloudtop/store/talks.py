"""Conversations by name (port `Conversations`): the state the agent hands over, nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from cloudtop.ports import Clock
    from cloudtop.store.connections import Reader
    from cloudtop.store.writer import Writer


class Talks:
    """Dialogue state in the store."""

    def __init__(self, reader: Reader, writer: Writer, clock: Clock) -> None:
        self._reader, self._writer, self._clock = reader, writer, clock

    def load(self, name: str) -> dict[str, Any] | None:
        """The state last saved under `name`."""
        rows = self._reader.all("SELECT state FROM conversation WHERE name=?", (name,))
        state: dict[str, Any] | None = json.loads(rows[0][0]) if rows else None
        return state

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Replace the state of `name`."""
        values = (name, json.dumps(state), self._clock.now().timestamp())

        def keep(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO conversation(name, state, saved_at) VALUES (?, ?, ?)", values)

        self._writer.run(keep)
