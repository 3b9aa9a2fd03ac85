"""Open the store: one SQLite file, the only one, `<home>/cloudtop.db`.

A file that may not be written is copied into memory and worked on there: `Store.read_only` says so. The
backend "memory" keeps nothing beyond the process; its readers take turns with its writer.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtop.errors import StoreError
from cloudtop.store import faults, schema
from cloudtop.store.connections import Place, Reader, connect, in_memory
from cloudtop.store.store import Store

if TYPE_CHECKING:
    from cloudtop.ports import Clock

__all__ = ["FILE", "Store", "open_store"]
FILE = "cloudtop.db"
BUSY_S = 5.0
_EFFECTIVE = os.access in os.supports_effective_ids


def open_store(
    home: Path, clock: Clock, *, backend: str = "sqlite", max_size: int | None = None, busy_s: float = BUSY_S
) -> Store:
    """The store of `home`, made if it is not there. Raises StoreError when it cannot be used as it is.

    `max_size`: how many scopes are kept; the one read longest ago makes room. `busy_s`: how long a write
    waits while another process writes.
    """
    if backend == "memory":
        return _store(_empty_memory(busy_s), clock, max_size, None)
    file = home / FILE
    reason = _unwritable(file)
    if reason is None:
        return _store(_file(file, busy_s), clock, max_size, None)
    place = _copied(file, busy_s) if file.exists() else _empty_memory(busy_s)
    return _store(place, clock, max_size, reason)


def _store(
    opened: tuple[Place, sqlite3.Connection], clock: Clock, max_size: int | None, reason: str | None
) -> Store:
    place, first = opened
    return Store(place, Reader(place, first), clock, max_size=max_size, read_only=reason)


def _file(file: Path, busy_s: float) -> tuple[Place, sqlite3.Connection]:
    place = Place(file, busy_s)
    connection = None
    try:
        connection = place.connect()
        if schema.version(connection) != schema.SCHEMA:
            schema.migrate(connection, file)
            file.chmod(0o600)
    except (sqlite3.Error, StoreError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise faults.said(error, file) from error
        raise
    return place, connection


def _empty_memory(busy_s: float) -> tuple[Place, sqlite3.Connection]:
    place = in_memory(busy_s)
    connection = place.connect()
    schema.migrate(connection, None)
    return place, connection


def _unwritable(file: Path) -> str | None:
    """Why the file cannot be written, in a sentence; None when it can. Makes the home if need be."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return (
            f"The folder {file.parent} cannot be made ({error.strerror}): nothing is kept after this command."
        )
    parts = [one for one in (file.parent, file) if one.exists()]
    if all(os.access(one, os.W_OK, effective_ids=_EFFECTIVE) for one in parts):
        return None
    return f"The store {file} may not be written: what is read now is not kept after this command."


def _copied(file: Path, busy_s: float) -> tuple[Place, sqlite3.Connection]:
    """A copy in memory of a file that may only be read."""
    place = in_memory(busy_s)
    try:
        source = _readable(file, busy_s)
        source.backup(place.connect())
        source.close()
        if schema.ours(place.connect(), file) != schema.SCHEMA:
            schema.migrate(place.connect(), None)
    except sqlite3.Error as error:
        raise faults.said(error, file) from error
    return place, place.connect()


def _readable(file: Path, busy_s: float) -> sqlite3.Connection:
    """A connection that needs no right to write, as SQLite wants it even from readers of a WAL file."""
    uri = file.resolve().as_uri()
    connection = connect(f"{uri}?mode=ro", busy_s, uri=True)
    try:
        schema.version(connection)
    except sqlite3.OperationalError:
        connection.close()
        return connect(f"{uri}?immutable=1", busy_s, uri=True)
    return connection
