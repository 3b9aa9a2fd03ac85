"""Reading resources: one page in the asked order, groups, the clouds' own records, and what was before.

Counts and scope ids are remembered until the store's generation changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloudtop.models import Scope, iso
from cloudtop.store.resource_sql import JOINED, PRICE, PRICED_AS, PRICED_BY_TYPE, grouped, ordered, terms
from cloudtop.store.resource_table import COLUMNS, PAST_FIELDS, record
from cloudtop.store.resources import ResourceFilter, ResourcePage
from cloudtop.store.shelf import generation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cloudtop.store.connections import Reader

_UNSHOWN = ("tag_index", "gpu_index", "gpu_gib", "place_id", "raw_page", "raw_index", "mark", "hash")
_SHOWN = tuple(name for name in COLUMNS if name not in _UNSHOWN)
_COLUMNS = (PRICE if name == "usd_per_hour" else f"resource.{name}" for name in _SHOWN)
_SELECTED = ", ".join((*_COLUMNS, "resource.usd_per_hour IS NOT NULL"))
_UNTOLD: dict[str, tuple[tuple[str, ...], str]] = {
    "tags": (("tags", "exclude_tags", "missing_tags"), "resource.tags IS NULL"),
    "usd_per_hour": (("max_price",), f"{PRICE} IS NULL"),
    "created_at": (("created_since", "created_before"), "resource.created_at IS NULL"),
    "encrypted": (("encrypted",), "resource.encrypted IS NULL"),
    "vcpus": (("min_vcpu",), "resource.vcpus IS NULL"),
    "ram_gib": (("min_ram",), "resource.ram_gib IS NULL"),
}
"""Fields that a cloud may not tell, the filters that need them, and how those are found who lack them."""

MANY = 2_000
"""So many matching rows are not sorted for every page."""

_JSON = ("tags", "gpus", "details")
_FLAGS = ("spot", "encrypted")
Held = dict[int, tuple[Scope, float]]


class Roster:
    """The resources of the store, for reading."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._memo: tuple[int, dict[Any, Any]] = (0, {})

    def page(self, query: ResourceFilter) -> ResourcePage:
        """One page of resources, with counts, all from one state of the file."""
        with self._reader.snapshot() as db:
            now = generation(db)
            held = self._scopes(db, now, query.scopes)
            total = self._counted(db, now, query, held)
            rows = [] if query.limit == 0 else _fetched(db, query, held, in_order=total > MANY)
            untold = {
                name: self._counted(db, now, other, held, lacks) for name, other, lacks in _untold(query)
            }
        told = {name: count for name, count in untold.items() if count}
        return ResourcePage([_row(one, held) for one in rows], total, now, told)

    def groups(self, query: ResourceFilter, by: Sequence[str]) -> list[dict[str, Any]]:
        """{group, count, usd_per_hour} of every group, the largest first; the price is that of the priced."""
        columns = [grouped(one) for one in by]
        names = ", ".join(f"{sql} AS group_{at}" for at, (sql, _) in enumerate(columns))
        keys = ", ".join(f"group_{at}" for at in range(len(columns)))
        with self._reader.snapshot() as db:
            held = self._scopes(db, generation(db), query.scopes)
            source, values = _source(query)
            where = terms(query, _ids(query, held))
            found = db.execute(
                f"{source}SELECT {names}, count(*) AS n, sum({PRICE}) FROM resource{JOINED}"
                f" WHERE {where.sql} GROUP BY {keys} ORDER BY n DESC, {keys}",
                [*values, *(value for _, more in columns for value in more), *where.values],
            ).fetchall()
        return [_group(row[:-2], row[-2], row[-1]) for row in found]

    def unpriced(self, query: ResourceFilter) -> list[dict[str, Any]]:
        """{provider, account, region, instance_type} of which a row has no price yet and may get one.

        The type is what the price is kept under.
        """
        names = ("provider", "account", "region", "instance_type")
        columns = ", ".join((*(f"resource.{one}" for one in names[:3]), PRICED_AS))
        with self._reader.snapshot() as db:
            held = self._scopes(db, generation(db), query.scopes)
            source, values = _source(query)
            where = terms(query, _ids(query, held))
            found = db.execute(
                f"{source}SELECT DISTINCT {columns} FROM resource{JOINED}"
                f" WHERE {where.sql} AND {PRICED_BY_TYPE} AND {PRICE} IS NULL",
                [*values, *where.values],
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in found]

    def raw(self, scope: Scope, kind: str, region: str, native_id: str) -> dict[str, Any] | None:
        """The cloud's own record of a resource, or None when none was kept."""
        found = self._reader.all(
            "SELECT raw_page.body, resource.raw_index FROM resource"
            " JOIN raw_page ON raw_page.id=resource.raw_page JOIN scope ON scope.id=resource.scope_id"
            " WHERE resource.native_id=? AND resource.type=? AND resource.region=? AND scope.key=?",
            (native_id, kind, region, scope.key),
        )
        return record(*found[0]) if found else None

    def known_since(self, scopes: Sequence[Scope]) -> datetime | None:
        """The moment from which anything is known of these scopes; None when nothing is."""
        keys = [one.key for one in scopes]
        held = "scope_id IN (SELECT id FROM scope WHERE key IN (SELECT value FROM json_each(?)))"
        found = self._reader.all(
            f"SELECT min(since) FROM (SELECT since FROM resource WHERE {held}"
            f" UNION ALL SELECT since FROM resource_past WHERE {held})",
            [json.dumps(keys)] * 2,
        )
        return None if found[0][0] is None else datetime.fromtimestamp(found[0][0], UTC)

    def prices_read(self, provider: str, region: str) -> dict[str, datetime]:
        """When the price of each instance type that is kept of a region was read."""
        rows = self._reader.all(
            "SELECT instance_type, read_at FROM instance_price WHERE provider=? AND region=?",
            (provider, region),
        )
        return {kind: datetime.fromtimestamp(at, UTC) for kind, at in rows}

    def names(self, limit: int) -> list[tuple[str, str, str]]:
        """(name, type, provider) of resources with a name, those read last first."""
        rows = self._reader.all(
            "SELECT name, type, provider FROM resource WHERE name IS NOT NULL"
            " GROUP BY name, type, provider ORDER BY max(read_at) DESC, name LIMIT ?",
            (limit,),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def tag_words(self, limit: int) -> list[tuple[str, list[str]]]:
        """Tag keys and the values they have, the commonest keys first."""
        rows = self._reader.all(
            "SELECT key, value, count(*) AS n FROM resource, json_each(resource.tags)"
            " WHERE tags IS NOT NULL GROUP BY key, value ORDER BY n DESC, key, value LIMIT ?",
            (limit,),
        )
        found: dict[str, list[str]] = {}
        for key, value, _ in rows:
            found.setdefault(str(key), []).append(str(value))
        return list(found.items())

    def _remembered(self, now: int) -> dict[Any, Any]:
        if self._memo[0] != now:
            self._memo = (now, {})
        return self._memo[1]

    def _scopes(self, db: sqlite3.Connection, now: int, asked: tuple[Scope, ...] | None) -> Held:
        memo = self._remembered(now)
        if asked not in memo:
            sql = "SELECT id, provider, account, region, kind, query, fetched_at FROM scope"
            keys = [] if asked is None else [one.key for one in asked]
            where = "" if asked is None else f" WHERE key IN ({', '.join('?' * len(keys))})"
            rows = db.execute(sql + where, keys)
            memo[asked] = {row[0]: (Scope(*row[1:6]), row[6] or 0.0) for row in rows}
        found: Held = memo[asked]
        return found

    def _counted(
        self, db: sqlite3.Connection, now: int, query: ResourceFilter, held: Held, lacks: str = ""
    ) -> int:
        source, values = _source(query)
        where = terms(query, _ids(query, held))
        if lacks:
            where.add(lacks)
        joined = JOINED if "price." in where.sql else ""
        sql = f"{source}SELECT count(*) FROM resource{joined} WHERE {where.sql}"
        memo, key = self._remembered(now), (sql, *values, *where.values)
        if key not in memo:
            memo[key] = db.execute(sql, [*values, *where.values]).fetchone()[0]
        count: int = memo[key]
        return count


def _ids(query: ResourceFilter, held: Held) -> tuple[int, ...] | None:
    return None if query.scopes is None else tuple(held)


def _fetched(
    db: sqlite3.Connection, query: ResourceFilter, held: Held, *, in_order: bool = False
) -> list[Any]:
    """The page's rows. `in_order`: walk the index in the usual order instead of sorting what matches."""
    source, values = _source(query)
    walked = " INDEXED BY resource_order" if in_order and query.sort is None and not source else ""
    where = terms(query, _ids(query, held))
    limit = -1 if query.limit is None else query.limit
    return db.execute(
        f"{source}SELECT {_SELECTED} FROM resource{walked}{JOINED} WHERE {where.sql}"
        f" ORDER BY {ordered(query)} LIMIT ? OFFSET ?",
        [*values, *where.values, limit, query.offset],
    ).fetchall()


def _untold(query: ResourceFilter) -> Iterator[tuple[str, ResourceFilter, str]]:
    """The fields that a filter needs and a cloud may not tell, and the question without those filters."""
    for name, (filters, lacks) in _UNTOLD.items():
        if any(getattr(query, one) not in (None, ()) for one in filters):
            empty: dict[str, Any] = {
                one: () if isinstance(getattr(query, one), tuple) else None for one in filters
            }
            yield name, replace(query, **empty), lacks


def _source(query: ResourceFilter) -> tuple[str, list[Any]]:
    """What stands for the table of resources: nothing for today's, else what was then."""
    if query.at is not None:
        then = query.at.timestamp()
        return _then("since<=?", "since<=? AND until>?"), [then, then, then]
    if query.within is not None:
        start, end = (one.timestamp() for one in query.within)
        return _then("since<?", "since<? AND until>?"), [end, end, start]
    return "", []


def _then(now: str, past: str) -> str:
    """A table expression that shadows `resource`: each one as it last was; what has gone is terminated."""
    columns = ("id", *COLUMNS)
    body = {name: f"json_extract(body, '$.{name}')" for name in PAST_FIELDS}
    body["status"] = "CASE WHEN gone THEN 'terminated' ELSE json_extract(body, '$.status') END"
    own = {"id": "id", **{name: name for name in ("scope_id", "native_id", "type", "region", "since")}}
    then = ", ".join(f"{own.get(name) or body.get(name) or 'NULL'} AS {name}" for name in columns)
    both = (
        f"SELECT {', '.join(columns)}, 1 AS is_now FROM main.resource WHERE {now}"
        f" UNION ALL SELECT {then}, 0 FROM resource_past WHERE {past}"
    )
    last = (
        "row_number() OVER (PARTITION BY scope_id, native_id, type, region ORDER BY since DESC, is_now DESC)"
    )
    return f"WITH resource AS (SELECT * FROM (SELECT *, {last} AS nth FROM ({both})) WHERE nth=1) "


def _group(names: Sequence[Any], count: int, usd: float | None) -> dict[str, Any]:
    several = len(names) > 1
    group = ", ".join("none" if one is None else str(one) for one in names) if several else names[0]
    return {"group": group, "count": count, "usd_per_hour": None if usd is None else round(usd, 6)}


@lru_cache(maxsize=4096)
def _moment(epoch: float) -> tuple[datetime, str | None]:
    moment = datetime.fromtimestamp(epoch, UTC)
    return moment, iso(moment)


def moment_text(epoch: float) -> str | None:
    """A time that the file keeps, as results show it."""
    return _moment(epoch)[1]


def _row(values: Sequence[Any], held: Held) -> dict[str, Any]:
    """One resource with all its fields."""
    row = dict(zip((*_SHOWN, "_priced"), values, strict=True))
    scope, finished_at = held[row.pop("scope_id")]
    for name in _JSON:
        if row[name] is not None:
            row[name] = json.loads(row[name])
    for name in _FLAGS:
        if row[name] is not None:
            row[name] = bool(row[name])
    row["id"] = row.pop("native_id")
    row["uid"] = f"{row['provider']}:{row['account']}:{row['region']}:{row['type']}:{row['id']}"
    moment, text = _moment(max(row.pop("read_at"), finished_at))
    row["fetched_at"], row["_read_at"], row["_scope"] = text, moment, scope
    return row
