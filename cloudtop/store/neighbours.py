"""What the processes of one home tell each other: who is asking what, and which hosts are down."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from cloudtop.models import Scope
    from cloudtop.ports import Clock
    from cloudtop.store.connections import Reader
    from cloudtop.store.writer import Writer


class Leases:
    """Single flight across processes: who holds a scope's lease asks, the others read what it wrote."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer, self._clock = writer, clock

    def take(self, scope: Scope, seconds: float) -> str | None:
        """The holder's token, or None while somebody else's lease runs."""
        token = f"{os.getpid()}:{uuid.uuid4().hex[:12]}"
        now = self._clock.now().timestamp()

        def take(db: sqlite3.Connection) -> int:
            return db.execute(
                "INSERT INTO lease(scope, holder, until) VALUES (?, ?, ?) ON CONFLICT(scope) DO UPDATE"
                " SET holder=excluded.holder, until=excluded.until WHERE lease.until<=?",
                (scope.key, token, now + seconds, now),
            ).rowcount

        return token if self._writer.run(take) == 1 else None

    def give_back(self, scope: Scope, token: str) -> bool:
        """False when the lease had run out and gone to another: what was read is late then, not wrong."""

        def give(db: sqlite3.Connection) -> int:
            return db.execute("DELETE FROM lease WHERE scope=? AND holder=?", (scope.key, token)).rowcount

        return self._writer.run(give) == 1


class DownHosts:
    """Hosts that did not accept a connection a moment ago (port `Hosts`)."""

    def __init__(self, reader: Reader, writer: Writer, clock: Clock) -> None:
        self._reader, self._writer, self._clock = reader, writer, clock
        self._mine: dict[str, datetime] = {}

    def down_until(self, host: str) -> datetime | None:
        """When `host` may be asked again, or None if it may be asked now."""
        rows = self._reader.all("SELECT until FROM host_down WHERE host=?", (host,))
        told = datetime.fromtimestamp(rows[0][0], UTC) if rows else None
        until = max((one for one in (told, self._mine.get(host)) if one is not None), default=None)
        return until if until is not None and until > self._clock.now() else None

    def mark_down(self, host: str, until: datetime) -> None:
        """Remember that `host` did not accept a connection; does not wait for the file."""
        self._mine[host] = until
        values = (host, until.timestamp())
        self._writer.submit(
            lambda db: db.execute(
                "INSERT INTO host_down(host, until) VALUES (?, ?)"
                " ON CONFLICT(host) DO UPDATE SET until=max(until, excluded.until)",
                values,
            )
        )
