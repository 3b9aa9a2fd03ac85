"""Reading offers: one page in the asked order, how many there are in all, and what default rules left out.

Counts and scope ids are remembered until the store's generation changes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.models import SHIPPED, Scope, iso
from cloudtop.store.offer_sql import (
    COLUMNS,
    GROUPS,
    MONTH_HOURS,
    TIES,
    Branch,
    ScopeIds,
    branches,
    ordered_by,
    per_hour,
    rank,
    shown_price,
    unrated,
)
from cloudtop.store.offer_table import unpacked
from cloudtop.store.offers import EXACT, ROW_KEYS, LeftOut, OfferFilter, OfferPage
from cloudtop.store.schema import FRACTIONAL, MODIFIED, SOLD_OUT, UNPRICED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cloudtop.store.connections import Reader

SUPERSEDED, UNRATED = 16, 32
RULES = {
    FRACTIONAL: "fractional",
    SOLD_OUT: "sold_out",
    MODIFIED: "modified",
    UNPRICED: "unpriced",
    SUPERSEDED: "shipped_superseded",
    UNRATED: "unrated",
}
CHEAPER, LIKELY = 3, 24
"""How many cheaper offers that were left out are told, of how many that may be alike but for the place."""

_SELECTED = ", ".join(COLUMNS)
_PRICE = COLUMNS.index("usd_per_gpu_hour")
_LEFT_OUT = "seller, gpu, gpu_raw, gpu_count, gpu_memory_gib, spot"
_BODY = (
    "SELECT body FROM offer_raw JOIN offer USING (id)"
    " WHERE offer.scope_id=? AND offer.offer_id=? AND offer.spot=?"
)
Held = dict[int, tuple[Scope, float]]


def generation(db: sqlite3.Connection) -> int:
    """The number that grows with every change of the data, by any process."""
    return int(db.execute("SELECT value FROM state WHERE name='generation'").fetchone()[0])


class Shelf:
    """The offers of the store, for reading."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._memo: tuple[int, dict[Any, Any]] = (0, {})

    def page(self, query: OfferFilter) -> OfferPage:
        """One page of offers, with counts, all from one state of the file."""
        with self._reader.snapshot() as db:
            now = generation(db)
            ids, held = self._scopes(db, now, query.scopes)
            parts = branches(query, ids)
            total, counts, ruled_out = self._tally(db, now, query, ids, parts)
            rows, least = ([], None) if query.limit == 0 else _fetched(db, query, ids, parts)
            cheaper = []
            if query.why_not_cheaper and ruled_out and least is not None:
                cheaper = self._cheaper(db, now, query, ids, parts, least)
            if query.per_group is not None:
                total = _grouped_total(db, query, query.per_group, ids, parts)
        return OfferPage(
            [_row(values, held, query.disk_gb) for values in rows],
            total,
            now,
            counts,
            {number: scope for number, (scope, _) in held.items()},
            cheaper,
        )

    def groups(self, query: OfferFilter, by: str, *, each_gpu: bool = False) -> list[dict[str, Any]]:
        """Number, lowest and median price and cheapest offer of every group; by price unless `sort` says."""
        column, gpu = _column(by), _column("gpu") if each_gpu else "NULL"
        with self._reader.snapshot() as db:
            now = generation(db)
            ids, _ = self._scopes(db, now, query.scopes)
            columns = f"{column} AS grouped, {gpu} AS of_gpu, {rank(query)} AS compared, {TIES}"
            sql, values = _selected(query, ids, branches(query, ids), columns)
            found = db.execute(
                f"SELECT grouped, of_gpu, compared, offer_id FROM ({sql})"
                f" ORDER BY compared IS NULL, compared, {TIES}",
                values,
            ).fetchall()
        gathered: dict[tuple[str | None, str | None], list[tuple[float | None, str]]] = {}
        for name, gpu, price, offer_id in found:
            gathered.setdefault((name, gpu), []).append((price, offer_id))
        told = (
            ({"group": name} | ({"gpu": gpu} if each_gpu else {}), one)
            for (name, gpu), one in gathered.items()
        )
        groups = [group | _group(offers) for group, offers in told]
        return _sorted_groups(groups, query)

    def raw(self, scope_id: int, offer_id: str, spot: bool) -> dict[str, Any] | None:
        """The seller's own record of an offer, or None when none was kept."""
        found = self._reader.all(_BODY, (scope_id, offer_id, int(spot)))
        return unpacked(found[0][0]) if found else None

    def _remembered(self, now: int) -> dict[Any, Any]:
        if self._memo[0] != now:
            self._memo = (now, {})
        return self._memo[1]

    def _scopes(
        self, db: sqlite3.Connection, now: int, asked: tuple[Scope, ...] | None
    ) -> tuple[ScopeIds, Held]:
        memo = self._remembered(now)
        if asked not in memo:
            memo[asked] = _looked_up(db, asked)
        found: tuple[ScopeIds, Held] = memo[asked]
        return found

    def _tally(
        self, db: sqlite3.Connection, now: int, query: OfferFilter, ids: ScopeIds, parts: Sequence[Branch]
    ) -> tuple[int, dict[str, int], bool]:
        """How many match, how many each default rule alone leaves out, whether rules on offers leave any."""
        over, names = _superseded(query, ids)
        lacking = unrated(query)
        selects, values = [], []
        for part in parts:
            bits = f"flags & {part.ruled_out}" + (f" | ({over}) * {SUPERSEDED}" if over else "")
            bits += f" | ({lacking}) * {UNRATED}" if lacking else ""
            selects.append(f"SELECT {bits} AS bits FROM offer INDEXED BY offer_by_gpu WHERE {part.terms.sql}")
            values += [*names, *part.terms.values]
        sql = f"SELECT bits, count(*) FROM ({' UNION ALL '.join(selects)}) GROUP BY bits"
        memo, key = self._remembered(now), (sql, tuple(values))
        if key not in memo:
            memo[key] = dict(db.execute(sql, values).fetchall())
        counted: dict[int, int] = memo[key]
        counts = {name: counted[bit] for bit, name in RULES.items() if bit in counted}
        both = [n for bits, n in counted.items() if bits and bits not in RULES and not bits & SUPERSEDED]
        several = sum(both)
        counts |= {"several": several} if several else {}
        return counted.get(0, 0), counts, any(0 < bits < SUPERSEDED for bits in counted)

    def _cheaper(
        self,
        db: sqlite3.Connection,
        now: int,
        query: OfferFilter,
        ids: ScopeIds,
        parts: Sequence[Branch],
        least: float,
    ) -> list[LeftOut]:
        """The cheapest few that default rules left out and that cost less than `least`, the first row."""
        over, names = _superseded(query, ids)
        price = shown_price(query)
        selects: list[str] = []
        values: list[Any] = []
        for part in parts:
            sql = (
                f"SELECT id, flags & {part.ruled_out} AS bits, {price} AS compared"
                f" FROM offer INDEXED BY offer_by_gpu WHERE {part.terms.sql} AND flags & {part.ruled_out}"
            )
            selects.append(f"{sql} AND NOT ({over})" if over else sql)
            values += [*part.terms.values, *names]
        likely = (
            f"SELECT * FROM ({' UNION ALL '.join(selects)}) WHERE compared IS NULL OR compared<?"
            f" ORDER BY compared IS NULL, compared, id LIMIT {LIKELY}"
        )
        sql = (
            f"SELECT DISTINCT {_LEFT_OUT}, {per_hour(query)} AS hourly, bits, compared"
            f" FROM ({likely}) JOIN offer USING (id)"
            f" ORDER BY compared IS NULL, compared, {_LEFT_OUT} LIMIT {CHEAPER}"
        )
        memo, key = self._remembered(now), (sql, *values, least)
        if key not in memo:
            memo[key] = [_left_out(row) for row in db.execute(sql, [*values, least])]
        found: list[LeftOut] = memo[key]
        return found


def _looked_up(db: sqlite3.Connection, asked: tuple[Scope, ...] | None) -> tuple[ScopeIds, Held]:
    sql = "SELECT id, provider, account, region, kind, query, fetched_at FROM scope"
    if asked is None:
        found = db.execute(f"{sql} WHERE kind='gpu_offers'").fetchall()
    else:
        marks = ", ".join("?" * len(asked))
        found = db.execute(f"{sql} WHERE key IN ({marks})", [one.key for one in asked]).fetchall()
    held: Held = {row[0]: (Scope(*row[1:6]), row[6] or 0.0) for row in found}
    shipped = tuple(number for number, (scope, _) in held.items() if scope.account == SHIPPED)
    return ScopeIds(None if asked is None else tuple(held), shipped), held


def _superseded(query: OfferFilter, ids: ScopeIds) -> tuple[str, list[Any]]:
    """The condition of a shipped row whose seller is better known otherwise; empty when there can be none."""
    if not ids.shipped or not query.superseded_sellers:
        return "", []
    scopes = ", ".join("?" * len(ids.shipped))
    sellers = ", ".join("?" * len(query.superseded_sellers))
    return f"scope_id IN ({scopes}) AND seller IN ({sellers})", [*ids.shipped, *query.superseded_sellers]


def _selected(
    query: OfferFilter, ids: ScopeIds, parts: Sequence[Branch], columns: str = _SELECTED
) -> tuple[str, list[Any]]:
    """All matching offers as one SELECT."""
    over, names = _superseded(query, ids)
    lacking = unrated(query)
    selects, values = [], []
    for part in parts:
        sql = (
            f"SELECT {columns} FROM offer INDEXED BY {part.index}"
            f" WHERE {part.terms.sql} AND usd_per_gpu_hour>0 AND flags & {part.ruled_out} = 0"
        )
        sql = f"{sql} AND NOT ({over})" if over else sql
        selects.append(f"{sql} AND NOT ({lacking})" if lacking else sql)
        values += [*part.terms.values, *names]
    return " UNION ALL ".join(selects), values


def _fetched(
    db: sqlite3.Connection, query: OfferFilter, ids: ScopeIds, parts: Sequence[Branch]
) -> tuple[list[Any], float | None]:
    """The page's rows, and what the first of them was compared by.

    SQLite merges the branches, each in order: from its index, or keeping the best few.
    """
    by, way = ordered_by(query), " DESC" if query.descending else ""
    if by == "usd_per_gpu_hour":
        columns, asked, compared = _SELECTED, f"usd_per_gpu_hour{way}, {TIES}", _PRICE
    else:
        columns = f"{_SELECTED}, {by} IS NULL AS unknown, {by} AS compared"
        asked, compared = f"unknown, compared{way}, {TIES}", len(COLUMNS) + 1
    sql, values = _selected(query, ids, parts, columns)
    if query.per_group is not None:
        by, most = query.per_group
        sql = f"SELECT * FROM ({_numbered(by, sql, asked)}) WHERE number <= {int(most)}"
    limit = -1 if query.limit is None else query.limit
    rows = db.execute(f"{sql} ORDER BY {asked} LIMIT ? OFFSET ?", [*values, limit, query.offset]).fetchall()
    return [row[: len(COLUMNS)] for row in rows], rows[0][compared] if rows else None


def _numbered(by: str, sql: str, asked: str) -> str:
    number = f"row_number() OVER (PARTITION BY {_column(by)} ORDER BY {asked})"
    return f"SELECT *, {number} AS number FROM ({sql})"


def _grouped_total(
    db: sqlite3.Connection,
    query: OfferFilter,
    per_group: tuple[str, int],
    ids: ScopeIds,
    parts: Sequence[Branch],
) -> int:
    sql, values = _selected(query, ids, parts, f"{_column(per_group[0])} AS grouped")
    sizes = f"SELECT count(*) AS size FROM ({sql}) GROUP BY grouped"
    return int(
        db.execute(f"SELECT total(min(size, ?)) FROM ({sizes})", [per_group[1], *values]).fetchone()[0]
    )


def _column(by: str) -> str:
    if by not in GROUPS:
        raise ArgumentError("group_by", f"{by} is not known for offers", ", ".join(GROUPS))
    return GROUPS[by]


@lru_cache(maxsize=4096)
def _moment(epoch: float) -> tuple[datetime, str | None]:
    moment = datetime.fromtimestamp(epoch, UTC)
    return moment, iso(moment)


def _row(values: Sequence[Any], held: Held, disk_gb: float | None) -> dict[str, Any]:
    """One offer as results list it. Prices hold the disk when one was asked for."""
    row = dict(zip(ROW_KEYS, values, strict=True))
    scope_id, read_at = row["account"], row["fetched_at"]
    scope, finished_at = held[scope_id]
    moment, text = _moment(max(read_at, finished_at))
    row["account"] = scope.account
    row["spot"] = bool(row["spot"])
    row["fractional"] = bool(row["fractional"] & FRACTIONAL)
    if row["available"] is not None:
        row["available"] = bool(row["available"])
    row["fetched_at"] = text
    row["_scope_id"], row["_fetched_at"] = scope_id, moment
    if disk_gb:
        disk = (row["disk_usd_per_gb_month"] or 0) * disk_gb / MONTH_HOURS
        row["usd_per_hour"] = round(row["usd_per_hour"] + disk, EXACT)
        row["usd_per_gpu_hour"] = round(row["usd_per_hour"] / row["gpu_count"], EXACT)
    return row


def _left_out(row: Sequence[Any]) -> LeftOut:
    seller, gpu, gpu_raw, count, memory, spot, hourly, bits, _ = row
    rules = tuple(name for bit, name in RULES.items() if bits & bit)
    return LeftOut(seller, gpu, gpu_raw, count, memory, bool(spot), hourly, rules)


def _group(offers: list[tuple[float | None, str]]) -> dict[str, Any]:
    from statistics import median

    prices = [price for price, _ in offers if price is not None]
    return {
        "count": len(offers),
        "min": prices[0] if prices else None,
        "median": median(prices) if prices else None,
        "offer_id": offers[0][1],
    }


def _sorted_groups(groups: list[dict[str, Any]], query: OfferFilter) -> list[dict[str, Any]]:
    field = query.sort or "min"
    if field not in ("group", "count", "min", "median"):
        raise ArgumentError("sort", f"{field} is not a field of groups", "group, count, min, median")
    known = [one for one in groups if one[field] is not None]
    known.sort(key=lambda one: str(one["group"]))
    known.sort(key=lambda one: one[field], reverse=query.descending)
    return [*known, *(one for one in groups if one[field] is None)]
