"""Where the one SQLite file is, and how a connection to it is made."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudtop.store import faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

CACHED_STATEMENTS = 256


class Turns:
    """A fair lock: who waits gets it next, however fast the other side asks again."""

    def __init__(self) -> None:
        self._next, self._turn = threading.Lock(), threading.Lock()

    def __enter__(self) -> None:
        with self._next:
            self._turn.acquire()

    def __exit__(self, *_: object) -> None:
        self._turn.release()


class NoTurns:
    """In a file, readers and the writer never wait for each other."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


@dataclass(slots=True)
class Place:
    """One database: a file with a connection per thread, or memory with one connection that takes turns.

    `unkept`: None, or why nothing is kept beyond this process. A file whose disk is full becomes memory.
    """

    file: Path | None
    busy_s: float = 5.0
    turns: Turns | NoTurns = field(default_factory=NoTurns)
    memory: sqlite3.Connection | None = None
    unkept: str | None = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return str(self.file) if self.file else "in memory"

    def connect(self) -> sqlite3.Connection:
        """A connection in autocommit mode: every BEGIN is ours."""
        if self.memory is not None:
            return self.memory
        return connect(str(self.file), self.busy_s)

    def on_file(self) -> sqlite3.Connection:
        """A connection to the file as it was left, even after the move to memory."""
        return connect(str(self.file), self.busy_s)

    def move_to_memory(self, reason: str) -> None:
        """Go on in a copy of the file, since its disk takes no more writes. On the writer's thread."""
        source, memory = (
            readable(self.file, self.busy_s) if self.file else None,
            connect(":memory:", self.busy_s),
        )
        if source is not None:
            source.backup(memory)
            source.close()
        self.unkept, self.memory, self.turns = reason, memory, Turns()

    def close(self, connection: sqlite3.Connection) -> None:
        """Close a connection that `connect` gave; memory lives on until `forget`."""
        if connection is not self.memory:
            connection.close()

    def forget(self) -> None:
        """Give memory back."""
        if self.memory is not None:
            self.memory.close()


def connect(name: str, busy_s: float, *, uri: bool = False) -> sqlite3.Connection:
    """One SQLite connection in autocommit mode."""
    return sqlite3.connect(
        name,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
        uri=uri,
    )


def readable(file: Path, busy_s: float) -> sqlite3.Connection:
    """A connection that needs no right to write, as SQLite wants it even from readers of a WAL file."""
    uri = file.resolve().as_uri()
    connection = connect(f"{uri}?mode=ro", busy_s, uri=True)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return connect(f"{uri}?immutable=1", busy_s, uri=True)
    return connection


def in_memory(busy_s: float) -> Place:
    """A database that nothing but this process sees and that ends with it."""
    return Place(None, busy_s, Turns(), connect(":memory:", busy_s))


class Reader:
    """Reads, one connection per thread; errors come as StoreError."""

    def __init__(self, place: Place, first: sqlite3.Connection | None = None) -> None:
        self.place = place
        self._mine = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._closed = False
        if first is not None:
            self._keep(first)

    def _keep(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        self._mine.connection = connection
        self._all.append(connection)
        return connection

    def _connection(self, turns: Turns | NoTurns) -> sqlite3.Connection:
        """`turns` decides: whoever holds one of memory's may use memory, though the place moved meanwhile."""
        if self._closed:
            raise faults.closed()
        if isinstance(turns, Turns) and self.place.memory is not None:
            return self.place.memory
        found: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        return found if found is not None else self._keep(self.place.on_file())

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Every row of one query, as tuples."""
        with (turns := self.place.turns):
            try:
                return self._connection(turns).execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise faults.said(error, self.place.name) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Several queries that see one state of the file."""
        with (turns := self.place.turns):
            try:
                connection = self._connection(turns)
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise faults.said(error, self.place.name) from error

    def close(self) -> None:
        """Close the connections of all threads."""
        self._closed = True
        for connection in self._all:
            self.place.close(connection)
        self._all.clear()
