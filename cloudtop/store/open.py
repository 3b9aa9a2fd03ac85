"""Open the store: one SQLite file, the only one, `<home>/cloudtop.db`.

A file that may not be written, or whose disk is full, is copied into memory and worked on there:
`Store.read_only` says so. The backend "memory" keeps nothing beyond the process; its readers take turns with
its writer.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtop.errors import StoreError
from cloudtop.store import faults, schema
from cloudtop.store.connections import Place, Reader, in_memory, readable
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
        return _store(_empty_memory(busy_s), clock, max_size)
    file = home / FILE
    reason = _unwritable(file)
    if reason is None:
        try:
            return _store(_file(file, busy_s), clock, max_size)
        except StoreError as error:
            if error.__cause__ is None or not faults.no_room(error.__cause__):
                raise
            reason = faults.unkept(error.__cause__, file)
    opened = _copied(file, busy_s) if file.exists() else _empty_memory(busy_s)
    opened[0].unkept = reason
    return _store(opened, clock, max_size)


def _store(opened: tuple[Place, sqlite3.Connection], clock: Clock, max_size: int | None) -> Store:
    place, first = opened
    return Store(place, Reader(place, first), clock, max_size=max_size)


def _file(file: Path, busy_s: float) -> tuple[Place, sqlite3.Connection]:
    place = Place(file, busy_s)
    connection = None
    try:
        connection = place.connect()
        if schema.version(connection) != schema.SCHEMA:
            schema.migrate(connection, file)
            file.chmod(0o600)
        elif not schema.fits(connection):
            raise faults.outdated(file)
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
        source = readable(file, busy_s)
        source.backup(place.connect())
        source.close()
        if schema.ours(place.connect(), file) != schema.SCHEMA:
            schema.migrate(place.connect(), None)
        elif not schema.fits(place.connect()):
            raise faults.outdated(file)
    except sqlite3.Error as error:
        raise faults.said(error, file) from error
    return place, place.connect()
