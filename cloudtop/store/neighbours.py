"""What the processes of one home tell each other: who is asking what, and which hosts are down."""

from __future__ import annotations

import contextlib
import os
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtop.store import faults

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

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
        token = _token()
        return token if self._writer.run(self._taking(scope, token, seconds)) == 1 else None

    async def taken(self, scope: Scope, seconds: float) -> str | None:
        """`take` for coroutines; one that is cancelled meanwhile leaves no lease behind."""
        token, held = _token(), 0
        try:
            held = await self._writer.running(self._taking(scope, token, seconds))
            return token if held == 1 else None
        finally:
            if held != 1:
                self.let_go(scope, token)

    def give_back(self, scope: Scope, token: str) -> bool:
        """False when the lease had run out and gone to another: what was read is late then, not wrong."""
        return self._writer.run(_giving(scope, token)) == 1

    def let_go(self, scope: Scope, token: str) -> None:
        """Give a lease back without waiting for it."""
        with contextlib.suppress(faults.Closed):
            self._writer.submit(_giving(scope, token))

    def _taking(self, scope: Scope, token: str, seconds: float) -> Callable[[sqlite3.Connection], int]:
        now = self._clock.now().timestamp()

        def take(db: sqlite3.Connection) -> int:
            held = db.execute("SELECT holder FROM lease WHERE scope=?", (scope.key,)).fetchone()
            dead = held[0] if held and _gone(held[0]) else None
            return db.execute(
                "INSERT INTO lease(scope, holder, until) VALUES (?, ?, ?) ON CONFLICT(scope) DO UPDATE"
                " SET holder=excluded.holder, until=excluded.until WHERE lease.until<=? OR lease.holder=?",
                (scope.key, token, now + seconds, now, dead),
            ).rowcount

        return take


def _giving(scope: Scope, token: str) -> Callable[[sqlite3.Connection], int]:
    def give(db: sqlite3.Connection) -> int:
        return db.execute("DELETE FROM lease WHERE scope=? AND holder=?", (scope.key, token)).rowcount

    return give


def _token() -> str:
    """Who holds a lease: the process, since when it runs, and which of its leases it is."""
    return f"{_me(os.getpid())}:{uuid.uuid4().hex[:12]}"


@lru_cache(maxsize=2)
def _me(pid: int) -> str:
    """This process, as its neighbours can look it up."""
    return f"{_house()}:{pid}:{_start(pid)}"


def _house() -> str:
    """Where process numbers mean the same: this machine, and the container on it."""
    try:
        return f"{os.uname().nodename}/{os.stat('/proc/self/ns/pid').st_ino}"
    except (AttributeError, OSError):
        return os.uname().nodename if hasattr(os, "uname") else ""


def _start(pid: int) -> str:
    """When a process began, as its system counts; "" where that is not told, "gone" when it has ended."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text(errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return "gone" if Path("/proc/self/stat").exists() else ""
    except OSError:
        return ""
    return "gone" if fields[0] in "ZX" else fields[19]


def _gone(holder: str) -> bool:
    """Whether the process that took a lease is known to have ended; one elsewhere never is."""
    parts = holder.rsplit(":", 3)
    if len(parts) != 4 or not parts[0] or parts[0] != _house() or not parts[1].isdigit():
        return False
    _, pid, start, _ = parts
    now = _start(int(pid))
    if now and start:
        return now != start
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


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
