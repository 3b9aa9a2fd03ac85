"""The tables, and how an older file becomes a newer one.

Migrations are numbered; they run only when the file's `user_version` differs, under an exclusive lock, all
in one transaction, after a backup of a file that already holds something. A newer file is refused. Imported
late: sqlite_utils.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from cloudtop.store import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlite_utils import Database
    from sqlite_utils.db import Table

OURS = 0x636C6474
"""`PRAGMA application_id` of our files: the letters cldt."""

OFFER_COLUMNS: dict[str, type] = {
    "scope_id": int,
    "offer_id": str,
    "spot": int,
    "seller": str,
    "instance_type": str,
    "region": str,
    "country": str,
    "gpu": str,
    "gpu_raw": str,
    "form": str,
    "gpu_count": float,
    "gpu_memory_gib": float,
    "vcpus": float,
    "ram_gib": float,
    "usd_per_gpu_hour": float,
    "usd_per_hour": float,
    "price_raw": str,
    "tier": str,
    "available": int,
    "interconnect": str,
    "flags": int,
    "reliability": float,
    "disk_usd_per_gb_month": float,
    "egress_usd_per_gb": float,
    "min_hours": float,
    "warned": str,
    "suspect": str,
    "source_url": str,
    "as_of": str,
    "place_id": int,
    "read_at": float,
    "hash": int,
}
"""`warned`: the connector's own doubt; `suspect`: what is shown; `read_at`: when last written."""

_SINCE_M002 = ("min_hours",)
"""Columns of `offer` that the first migration did not make."""

FRACTIONAL, SOLD_OUT, MODIFIED, UNPRICED = 1, 2, 4, 8
"""Bits of `offer.flags`: what default rules leave out."""

_RANKED = ("usd_per_gpu_hour", "flags", "gpu_memory_gib", "gpu_count", "scope_id", "seller", "place_id")


def _table(db: Database, name: str) -> Table:
    return db.table(name)


def m001_prices_and_cache(db: Database) -> None:
    """Scopes, offers with their history, generic rows, and the small tables that processes share."""
    _table(db, "state").create({"name": str, "value": int}, pk="name")
    db.execute("INSERT INTO state(name, value) VALUES ('generation', 1)")
    db.execute(
        "CREATE TABLE scope (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
        " provider TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL,"
        " query TEXT NOT NULL, fetched_at REAL, partial_at REAL, tried_at REAL, stamp TEXT, trouble TEXT,"
        " rows INTEGER NOT NULL DEFAULT 0, observation INTEGER NOT NULL DEFAULT 0,"
        " settled INTEGER NOT NULL DEFAULT 0)"
    )
    _table(db, "place").create(
        {"id": int, "seller": str, "region": str, "said": str, "country": str, "places": str},
        pk="id",
        not_null={"seller", "region", "said", "places"},
    )
    _table(db, "place").create_index(["seller", "region", "said"], unique=True)
    offer = _table(db, "offer").create(
        {"id": int, **{name: kind for name, kind in OFFER_COLUMNS.items() if name not in _SINCE_M002}},
        pk="id",
        not_null={"scope_id", "offer_id", "spot", "seller", "gpu_count", "flags", "hash"},
    )
    offer.create_index(["scope_id", "offer_id", "spot"], "offer_identity", unique=True)
    offer.create_index(["gpu", "spot", *_RANKED], "offer_by_gpu")
    offer.create_index(["spot", *_RANKED[:5]], "offer_by_price")
    _table(db, "offer_raw").create({"id": int, "body": bytes}, pk="id")
    _table(db, "row").create(
        {"id": int, "scope_id": int, "uid": str, "body": str, "read_at": float, "hash": int},
        pk="id",
        not_null={"scope_id", "uid", "body", "hash"},
    )
    _table(db, "row").create_index(["scope_id", "uid"], "row_identity", unique=True)
    _history(db)
    _shared(db)


def _history(db: Database) -> None:
    """One series per thing sold where; a point holds from its time until the next one's."""
    _table(db, "series").create(
        {
            "id": int,
            "origin": str,
            "seller": str,
            "gpu": str,
            "gpu_memory_gib": float,
            "region": str,
            "tier": str,
            "spot": int,
            "place_id": int,
            "feeder": int,
            "at": float,
            "low": float,
            "median": float,
            "offers": int,
        },
        pk="id",
        not_null={"origin", "seller", "gpu", "spot"},
    )
    _table(db, "series").create_index(["gpu", "origin"])
    _table(db, "series").create_index(["feeder"])
    db.execute(
        "CREATE TABLE point (series_id INTEGER NOT NULL, at REAL NOT NULL, low REAL, median REAL,"
        " offers INTEGER NOT NULL, PRIMARY KEY (series_id, at)) WITHOUT ROWID"
    )


def _shared(db: Database) -> None:
    """What processes tell each other, and what is kept about them."""
    _table(db, "lease").create({"scope": str, "holder": str, "until": float}, pk="scope")
    _table(db, "host_down").create({"host": str, "until": float}, pk="host")
    _table(db, "conversation").create({"name": str, "state": str, "saved_at": float}, pk="name")
    _table(db, "audit").create(
        {
            "id": int,
            "at": float,
            "actor": str,
            "provider": str,
            "account": str,
            "operation": str,
            "method": str,
            "host": str,
            "status": int,
            "error": str,
            "attempt": int,
            "duration_ms": float,
            "bytes": int,
            "details": str,
        },
        pk="id",
    )


def m002_terms_and_doubts(db: Database) -> None:
    """The smallest time that is billed, and a way to the few doubtful offers of a scope."""
    for name in _SINCE_M002:
        _table(db, "offer").add_column(name, OFFER_COLUMNS[name])
    db.execute("CREATE INDEX offer_doubted ON offer(scope_id, gpu) WHERE suspect IS NOT NULL")


RESOURCE_COLUMNS: dict[str, type] = {
    "scope_id": int,
    "native_id": str,
    "type": str,
    "region": str,
    "provider": str,
    "account": str,
    "name": str,
    "zone": str,
    "status": str,
    "status_raw": str,
    "tags": str,
    "tag_index": str,
    "created_at": str,
    "updated_at": str,
    "usd_per_hour": float,
    "instance_type": str,
    "vcpus": float,
    "ram_gib": float,
    "public_ip": str,
    "private_ip": str,
    "spot": int,
    "gpus": str,
    "gpu_index": str,
    "gpu_gib": float,
    "runtime": str,
    "memory_mb": float,
    "timeout_s": float,
    "last_modified": str,
    "size_bytes": int,
    "object_count": int,
    "storage_class": str,
    "engine": str,
    "version": str,
    "size_gb": float,
    "connections": int,
    "node_count": int,
    "encrypted": int,
    "namespace": str,
    "health": str,
    "health_message": str,
    "details": str,
    "place_id": int,
    "raw_page": int,
    "raw_index": int,
    "appeared": float,
    "since": float,
    "read_at": float,
    "mark": int,
    "hash": int,
}
"""`tag_index`, `gpu_index`: what filters look in. `since`: when it first was as it is now; `appeared`: when
it was first seen, null where it was there at the first look. `mark` changes with what a person would call a
change, `hash` with anything."""


def m003_resources(db: Database) -> None:
    """What runs in the accounts, what it was before, and what its types cost."""
    resource = _table(db, "resource").create(
        {"id": int, **RESOURCE_COLUMNS},
        pk="id",
        not_null={"scope_id", "native_id", "type", "region", "since", "mark", "hash"},
    )
    resource.create_index(["native_id", "type", "region", "scope_id"], "resource_identity", unique=True)
    resource.create_index(
        ["provider", "account", "type", "region", "name", "native_id", "scope_id"], "resource_order"
    )
    resource.create_index(["scope_id"], "resource_scope")
    _table(db, "raw_page").create({"id": int, "scope_id": int, "body": bytes}, pk="id")
    _table(db, "raw_page").create_index(["scope_id"])
    _table(db, "resource_past").create(
        {
            "id": int,
            "scope_id": int,
            "since": float,
            "until": float,
            "gone": int,
            **{name: RESOURCE_COLUMNS[name] for name in ("native_id", "type", "region")},
            "body": str,
        },
        pk="id",
        not_null={"scope_id", "since", "until", "gone", "body"},
    )
    _table(db, "resource_past").create_index(["until"])
    _table(db, "resource_past").create_index(["native_id"])
    db.execute(
        "CREATE TABLE instance_price (provider TEXT NOT NULL, region TEXT NOT NULL,"
        " instance_type TEXT NOT NULL, usd_per_hour REAL, read_at REAL NOT NULL,"
        " PRIMARY KEY (provider, region, instance_type)) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    m001_prices_and_cache,
    m002_terms_and_doubts,
    m003_resources,
)
SCHEMA = len(MIGRATIONS)

NEIGHBOUR_S = 1.0
"""How long another process may take to make the same new file."""

LAYOUT = 0x0AA249F0
"""`layout` of a file that these migrations made; a test says which number belongs here."""


def layout(connection: sqlite3.Connection) -> int:
    """One number for all tables and columns of a file."""
    from zlib import crc32

    rows = connection.execute(
        "SELECT m.name, c.name, c.type FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
        " WHERE m.type='table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1, 2"
    )
    return crc32(repr(rows.fetchall()).encode())


def fits(connection: sqlite3.Connection) -> bool:
    """Whether a file of our number has our columns: by a note in the file, by the columns if there is none.

    A damaged file fits here: whatever of it is read says so.
    """
    try:
        noted = connection.execute("SELECT value FROM state WHERE name='layout'").fetchone()
        return bool((noted[0] if noted else layout(connection)) == LAYOUT)
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


def version(connection: sqlite3.Connection) -> int:
    """The schema number that the file says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def ours(connection: sqlite3.Connection, file: Path | None) -> int:
    """The schema number of a file that may be used; a newer or a foreign file is refused untouched."""
    found = version(connection)
    name = file or "in memory"
    if found > SCHEMA:
        raise faults.newer(name, found, SCHEMA)
    if found == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise faults.foreign(name)
    return found


def migrate(connection: sqlite3.Connection, file: Path | None) -> None:
    """Bring the file to `SCHEMA`. When two processes do this at once, the second finds it done."""
    from sqlite_utils import Database

    ours(connection, file)
    if file is not None:
        _write_ahead(connection)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        found = ours(connection, file)
        if found and file is not None and found < SCHEMA:
            _back_up(file, found)
        db = Database(connection)
        for step in MIGRATIONS[found:]:
            step(db)
        connection.execute("INSERT OR REPLACE INTO state(name, value) VALUES ('layout', ?)", (LAYOUT,))
        connection.execute(f"PRAGMA application_id={OURS}")
        connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Set WAL, waiting for a neighbour who does the same: SQLite does not wait by itself here."""
    until = time.monotonic() + NEIGHBOUR_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.005)


def _back_up(file: Path, found: int) -> None:
    """Copy the file as it is beside it; an older backup of the same schema is replaced."""
    source = sqlite3.connect(file)
    target = sqlite3.connect(file.with_name(f"{file.name}.schema-{found}.bak"))
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
