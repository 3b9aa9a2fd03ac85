"""Offers as rows of the file: what is kept of a GpuOffer, and how a page of them is written."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloudtop.models import iso
from cloudtop.store import settling
from cloudtop.store.offers import EXACT
from cloudtop.store.places import Places
from cloudtop.store.schema import FRACTIONAL, MODIFIED, OFFER_COLUMNS, SOLD_OUT, UNPRICED
from cloudtop.store.values import cut, fingerprint

if TYPE_CHECKING:
    import sqlite3

    from cloudtop.models import GpuOffer
    from cloudtop.store.observation import Look
    from cloudtop.store.writer import Steps, Writer

COLUMNS = tuple(OFFER_COLUMNS)
_AT = {name: place for place, name in enumerate(COLUMNS)}
HASH, GPU, OFFER_ID, SPOT = _AT["hash"], _AT["gpu"], _AT["offer_id"], _AT["spot"]
_KEY = ("scope_id", "offer_id", "spot")
_SET = ", ".join(f"{name}=excluded.{name}" for name in COLUMNS if name not in _KEY)
UPSERT = (
    f"INSERT INTO offer({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    f" ON CONFLICT(scope_id, offer_id, spot) DO UPDATE SET {_SET}"
)
_HELD = (
    "SELECT offer_id, spot, hash, gpu FROM offer"
    " WHERE scope_id=? AND offer_id IN (SELECT value FROM json_each(?))"
)
_RAW = (
    "INSERT INTO offer_raw(id, body) SELECT id, ? FROM offer WHERE scope_id=? AND offer_id=? AND spot=?"
    " ON CONFLICT(id) DO UPDATE SET body=excluded.body"
)
ZLIB_LEVEL = 3


def packed(raw: Mapping[str, object]) -> bytes:
    """The seller's own record, compressed."""
    return zlib.compress(json.dumps(raw, separators=(",", ":"), default=str).encode(), ZLIB_LEVEL)


def unpacked(body: bytes) -> dict[str, Any]:
    """What `packed` was given."""
    record: dict[str, Any] = json.loads(zlib.decompress(body))
    return record


_text = lru_cache(maxsize=1024)(iso)


def _empty(db: sqlite3.Connection, scope_id: int) -> bool:
    return db.execute("SELECT 1 FROM offer WHERE scope_id=? LIMIT 1", (scope_id,)).fetchone() is None


def flags(offer: GpuOffer, priced: bool) -> int:
    """Which default rules would leave the offer out."""
    return (
        (FRACTIONAL if offer.fractional else 0)
        | (SOLD_OUT if offer.available is False else 0)
        | (MODIFIED if offer.modified else 0)
        | (0 if priced else UNPRICED)
    )


class OfferTable:
    """How an observation keeps offers. `changed` collects the GPUs whose prices must be looked at again."""

    table = "offer"

    def __init__(self, look: Look) -> None:
        self._look = look
        self._places = Places()
        self.changed: set[str | None] = set()
        self._was_empty: bool | None = None

    def write(self, db: sqlite3.Connection, page: Sequence[GpuOffer]) -> int:
        """Write what is new or different among `page`; how many rows that were."""
        scope_id = self._look.scope_id
        if self._was_empty is None:
            self._was_empty = _empty(db, scope_id)
        held = {} if self._was_empty else self._held(db, page)
        fresh: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        for offer in page:
            body = packed(offer.raw) if offer.raw is not None else None
            row = self._row(db, offer, body)
            before = held.get((offer.offer_id, row[SPOT]))
            if before is not None and before[0] == row[HASH]:
                continue
            self.changed.update((offer.gpu, before[1] if before else offer.gpu))
            fresh.append(row)
            if body is not None:
                bodies.append((body, scope_id, offer.offer_id, row[SPOT]))
        db.executemany(UPSERT, fresh)
        db.executemany(_RAW, bodies)
        return len(fresh)

    def keys(self, page: Sequence[GpuOffer]) -> Iterator[int]:
        """One number per offer that tells it from the others of its scope."""
        return (hash((offer.offer_id, 1 if offer.spot else 0)) for offer in page)

    def unseen(self, db: sqlite3.Connection, seen: set[int], unread: object = ()) -> list[int]:
        """Ids of the scope's rows that are not among `seen`; their GPUs count as changed."""
        gone: list[int] = []
        if self._was_empty:
            return gone
        asked = "SELECT id, offer_id, spot, gpu FROM offer WHERE scope_id=?"
        for number, offer_id, spot, gpu in db.execute(asked, (self._look.scope_id,)):
            if hash((offer_id, spot)) not in seen:
                gone.append(number)
                self.changed.add(gpu)
        return gone

    def remove(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Delete rows by id."""
        db.executemany("DELETE FROM offer_raw WHERE id=?", [(number,) for number in ids])
        db.executemany("DELETE FROM offer WHERE id=?", [(number,) for number in ids])

    def settle(self, writer: Writer, finished: bool) -> Steps[None]:
        """Marks of doubt, and history, for the GPUs whose offers changed."""
        yield from settling.settle(writer, self._look, self.changed, finished)

    def _held(
        self, db: sqlite3.Connection, page: Sequence[GpuOffer]
    ) -> dict[tuple[str, int], tuple[int, str | None]]:
        ids = json.dumps([offer.offer_id for offer in page])
        return {(row[0], row[1]): (row[2], row[3]) for row in db.execute(_HELD, (self._look.scope_id, ids))}

    def _row(self, db: sqlite3.Connection, offer: GpuOffer, body: bytes | None) -> tuple[Any, ...]:
        price = offer.usd_per_hour
        hourly = price if price is not None and price > 0 else None
        # 6.93 / 7 must tie with 0.99, and not be the cheapest by the sixteenth digit.
        each = round(hourly / offer.gpu_count, EXACT) if hourly and offer.gpu_count > 0 else None
        place_id, country = self._places.number(db, offer.seller, offer.region, offer.country)
        values = (
            self._look.scope_id,
            offer.offer_id,
            1 if offer.spot else 0,
            offer.seller,
            cut(offer.instance_type),
            cut(offer.region),
            country,
            offer.gpu,
            cut(offer.gpu_raw),
            offer.form,
            offer.gpu_count,
            offer.gpu_memory_gib,
            offer.vcpus,
            offer.ram_gib,
            each,
            hourly,
            cut(offer.price_raw),
            offer.tier,
            None if offer.available is None else int(offer.available),
            offer.interconnect,
            flags(offer, each is not None),
            offer.reliability,
            offer.disk_usd_per_gb_month,
            offer.egress_usd_per_gb,
            offer.min_hours,
            offer.suspect,
            offer.suspect,
            offer.source_url,
            _text(offer.as_of),
            place_id,
        )
        return (*values, self._look.at, fingerprint((values, body)))
