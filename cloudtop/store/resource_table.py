"""Resources as rows of the file: what is kept of a Resource, how a page of them is written, and what it was.

A row that changes leaves what it said before in `resource_past`, with the time for which that held; so does
a row that is gone. What merely fluctuates (sizes, connections, the cloud's record) changes the row and leaves
nothing behind. The clouds' own records are compressed together, one piece for each chunk of rows."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from cloudtop.models import iso
from cloudtop.store.places import Places
from cloudtop.store.schema import RESOURCE_COLUMNS
from cloudtop.store.scopes import bump
from cloudtop.store.values import cut, fingerprint
from cloudtop.text import encoded

if TYPE_CHECKING:
    import sqlite3

    from cloudtop.inventory import Gpus, Resource, Unread
    from cloudtop.store.observation import Look
    from cloudtop.store.writer import Steps, Writer

COLUMNS = tuple(RESOURCE_COLUMNS)
_AT = {name: place for place, name in enumerate(COLUMNS)}
_KEY = ("scope_id", "native_id", "type", "region")
FLUCTUATING = frozenset(
    ("updated_at", "size_bytes", "object_count", "connections", "last_modified", "health_message")
)
"""What changes all the time and is no change that a person asks about."""

_KEPT = {
    "since": "CASE WHEN resource.mark=excluded.mark THEN resource.since ELSE excluded.since END",
    "appeared": "resource.appeared",
}
_SET = ", ".join(f"{name}={_KEPT.get(name, f'excluded.{name}')}" for name in COLUMNS if name not in _KEY)
_HELD = (
    "SELECT native_id, type, region, hash, mark FROM resource INDEXED BY resource_identity"
    " WHERE native_id IN (SELECT value FROM json_each(?)) AND scope_id=?"
)
_PAST = (
    "INSERT INTO resource_past(scope_id, since, until, gone, native_id, type, region, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
PAST_FIELDS = tuple(
    name for name in COLUMNS if name not in (*_KEY, "raw_page", "raw_index", "since", "mark", "hash")
)
"""What a version in `resource_past` still knows of the row, by name."""

_OLD = f"SELECT since, {', '.join(PAST_FIELDS)} FROM resource"
ZLIB_LEVEL = 1
VALUE = 1_000
"""Characters of a tag's value or of a message."""


_marked = itemgetter(
    *(
        place
        for name, place in _AT.items()
        if name not in FLUCTUATING
        and name not in ("raw_page", "raw_index", "appeared", "since", "read_at", "mark", "hash")
    )
)
Key = tuple[str, str, str]


class ResourceTable:
    """How an observation keeps resources."""

    table = "resource"

    def __init__(self, look: Look) -> None:
        self._look = look
        self._places = Places()

    def write(self, db: sqlite3.Connection, page: Sequence[Resource]) -> int:
        """Write what is new or different among `page`; how many rows that were."""
        held = self._held(db, page)
        fresh: dict[Key, list[Any]] = {}
        raws: dict[Key, str | None] = {}
        altered: list[Key] = []
        for one in page:
            row = self._row(db, one)
            key = (one.id, one.type, row[_AT["region"]])
            before = held.get(key)
            if before is not None and before[0] == row[-1]:
                continue
            if before is not None and before[1] != row[-2]:
                altered.append(key)
            fresh[key], raws[key] = row, one.raw
        if not fresh:
            return 0
        self._leave(db, altered, gone=False)
        self._attach(db, fresh, raws)
        # No column without a value is named: sqlite3 takes longer for a None than for anything else.
        columns = {
            name: values
            for name, values in zip(COLUMNS, zip(*fresh.values(), strict=True), strict=True)
            if values.count(None) < len(values)
        }
        db.executemany(_upsert(tuple(columns)), zip(*columns.values(), strict=True))
        return len(fresh)

    def keys(self, page: Sequence[Resource]) -> Iterator[int]:
        """One number per resource that tells it from the others of its scope."""
        here = self._look.scope.region
        return (hash((one.id, one.type, one.region or here)) for one in page)

    def unseen(self, db: sqlite3.Connection, seen: set[int], unread: Sequence[Unread] = ()) -> list[int]:
        """Ids of the scope's rows that are not among `seen` and not of a part that was not read."""
        asked = "SELECT id, native_id, type, region FROM resource WHERE scope_id=?"
        spared = {number for part in unread for number in self._within(db, part)}
        rows = db.execute(asked, (self._look.scope_id,))
        return [row[0] for row in rows if hash(row[1:]) not in seen and row[0] not in spared]

    def _within(self, db: sqlite3.Connection, part: Unread) -> Iterator[int]:
        """Ids of the scope's rows in a part of it."""
        asked = (
            "SELECT id FROM resource WHERE scope_id=?"
            " AND lower(json_extract(details, '$.' || ?)) IN (SELECT value FROM json_each(?))"
        )
        for (number,) in db.execute(asked, (self._look.scope_id, part.detail, json.dumps(part.values))):
            yield number

    def remove(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Delete rows by id, and remember what they were."""
        marks = ", ".join("?" * len(ids))
        asked = f"SELECT native_id, type, region FROM resource WHERE id IN ({marks})"
        self._leave(db, [tuple(row) for row in db.execute(asked, ids)], gone=True)
        db.execute(f"DELETE FROM resource WHERE id IN ({marks})", ids)

    def settle(self, writer: Writer, finished: bool) -> Steps[None]:
        """Records of rows that are gone or were written anew take no room."""
        if not finished:
            return
        unused = writer.connection.execute(
            "SELECT id FROM raw_page WHERE scope_id=?1"
            " AND id NOT IN (SELECT raw_page FROM resource WHERE scope_id=?1 AND raw_page IS NOT NULL)",
            (self._look.scope_id,),
        ).fetchall()
        if unused:
            yield lambda db: db.executemany("DELETE FROM raw_page WHERE id=?", unused)

    def _held(self, db: sqlite3.Connection, page: Sequence[Resource]) -> dict[Key, tuple[int, int]]:
        if self._look.first:
            # A first look may have been begun before: its rows are then simply written again.
            return {}
        ids = json.dumps([one.id for one in page])
        rows = db.execute(_HELD, (ids, self._look.scope_id))
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}

    def _leave(self, db: sqlite3.Connection, keys: Sequence[Key], *, gone: bool) -> None:
        """Keep what these rows have said until now."""
        look = self._look
        for key in keys:
            where = f"{_OLD} WHERE native_id=? AND type=? AND region=? AND scope_id=?"
            since, *values = db.execute(where, (*key, look.scope_id)).fetchone()
            body = encoded({n: v for n, v in zip(PAST_FIELDS, values, strict=True) if v is not None})
            db.execute(_PAST, (look.scope_id, since, look.at, int(gone), *key, body))

    def _attach(
        self, db: sqlite3.Connection, fresh: Mapping[Key, list[Any]], raws: Mapping[Key, str | None]
    ) -> None:
        """Write the clouds' records of these rows, and note in each row where its own is."""
        kept = [raw for raw in raws.values() if raw is not None]
        if not kept:
            return
        body = zlib.compress(f"[{','.join(kept)}]".encode(), ZLIB_LEVEL)
        asked = "INSERT INTO raw_page(scope_id, body) VALUES (?, ?)"
        number, index = db.execute(asked, (self._look.scope_id, body)).lastrowid, 0
        for key, row in fresh.items():
            if raws[key] is not None:
                row[_AT["raw_page"]], row[_AT["raw_index"]] = number, index
                index += 1

    def _row(self, db: sqlite3.Connection, one: Resource) -> list[Any]:
        look = self._look
        scope = look.scope
        region = one.region or scope.region
        tags = None if one.tags is None else {cut(key): cut(value, VALUE) for key, value in one.tags.items()}
        row: list[Any] = [
            look.scope_id,
            one.id,
            one.type,
            region,
            scope.provider,
            scope.account,
            cut(one.name),
            one.zone,
            one.status,
            one.status_raw,
            None if tags is None else encoded(tags),
            None if tags is None else tag_index(tags),
            iso(one.created_at),
            iso(one.updated_at),
            one.usd_per_hour,
            one.instance_type,
            one.vcpus,
            one.ram_gib,
            one.public_ip,
            one.private_ip,
            None if one.spot is None else int(one.spot),
            encoded([_gpus(gpu) for gpu in one.gpus]) if one.gpus else None,
            gpu_index(one.gpus) if one.gpus else None,
            max((gpu.memory_gib or 0.0 for gpu in one.gpus), default=None),
            one.runtime,
            one.memory_mb,
            one.timeout_s,
            iso(one.last_modified),
            one.size_bytes,
            one.object_count,
            one.storage_class,
            one.engine,
            one.version,
            one.size_gb,
            one.connections,
            one.node_count,
            None if one.encrypted is None else int(one.encrypted),
            one.namespace,
            one.health,
            cut(one.health_message, VALUE),
            encoded(one.details) if one.details else None,
            self._places.number(db, scope.provider, region)[0],
        ]
        mark = fingerprint(_marked(row))
        appeared = None if look.first else look.at
        # Of the cloud's record, five times as long as the row, a checksum tells that it is another.
        changed = fingerprint((*row, None if one.raw is None else zlib.crc32(one.raw.encode())))
        return [*row, None, None, appeared, look.at, look.at, mark, changed]


@cache
def _upsert(names: tuple[str, ...]) -> str:
    """Write a row of these columns; the others hold nothing then, whatever they held."""
    return (
        f"INSERT INTO resource({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        f" ON CONFLICT(native_id, type, region, scope_id) DO UPDATE SET {_SET}"
    )


def keep_prices(db: sqlite3.Connection, rows: Sequence[tuple[str, str, str, float | None, float]]) -> None:
    """Keep (provider, region, instance type, USD per hour, when) of many types."""
    db.executemany("INSERT OR REPLACE INTO instance_price VALUES (?, ?, ?, ?, ?)", rows)
    bump(db)


def record(body: bytes, index: int) -> dict[str, Any]:
    """One of the records that were compressed together."""
    found: dict[str, Any] = json.loads(zlib.decompress(body))[index]
    return found


def tag_index(tags: Mapping[str | None, str | None]) -> str:
    """Tags as filters look for them: `\\nkey=value\\n` with a key and value in lower case."""
    return "".join(["\n", *(f"{key}={value}\n".lower() for key, value in tags.items())])


def gpu_index(gpus: Sequence[Gpus]) -> str:
    """GPUs as filters look for them: `|A100|A100:80|`."""
    words = [word for one in gpus for word in (one.gpu, f"{one.gpu}:{one.memory_gib or 0:g}")]
    return f"|{'|'.join(words)}|"


def _gpus(one: Gpus) -> dict[str, Any]:
    return {"gpu": one.gpu, "count": one.count, "memory_gib": one.memory_gib}
