"""Reading price history: which points were in force at any moment of an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.models import SHIPPED, iso
from cloudtop.store.history import Origin, origin
from cloudtop.store.offer_sql import Terms, of_tiers
from cloudtop.store.offers import ROW_KEYS, OfferFilter, OfferPage
from cloudtop.store.scopes import moment
from cloudtop.store.shelf import generation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cloudtop.store.connections import Reader

POINT_KEYS = (
    "provider",
    "gpu",
    "gpu_memory_gib",
    "region",
    "tier",
    "spot",
    "time",
    "usd_per_gpu_hour_min",
    "usd_per_gpu_hour_median",
    "offers",
)
_SERIES = "series.seller, gpu, gpu_memory_gib, series.region, tier, spot"
_FIELDS = f"{_SERIES}, point.at, point.low, point.median, point.offers"
_TIES = f"{_SERIES}, origin, point.at"
_SORTS = {
    "usd_per_gpu_hour": "point.low",
    "usd_per_gpu_hour_min": "point.low",
    "usd_per_gpu_hour_median": "point.median",
    "time": "point.at",
    "as_of": "point.at",
    "provider": "series.seller",
    "gpu": "gpu",
    "gpu_memory_gib": "gpu_memory_gib",
    "region": "series.region",
    "tier": "tier",
    "offers": "point.offers",
}


_IN_FORCE = (
    "point.at<? AND point.at>=coalesce((SELECT max(held.at) FROM point AS held"
    " WHERE held.series_id=series.id AND held.at<=?), ?)"
)
"""The points in force at some moment of an interval: values end, start, start. One range of each series."""


def price_points(
    reader: Reader,
    query: OfferFilter,
    start: datetime,
    end: datetime,
    *,
    shape: str,
    origins: Sequence[str] | None = None,
) -> OfferPage:
    """Every point that was in force at some moment of [start, end), cheapest first unless `query.sort` says.

    `shape` "offer": rows like offers, whose price is the lowest, `as_of` the point's time; nothing sold out.
    "point": rows of price history, those without offers included, with `_origin`, where they were read.
    Filters that a series does not know (count, form, instance type) are not applied. `origins`: those whose
    series may speak, None for all.
    """
    terms = _terms(query, start.timestamp(), end.timestamp(), gone=shape == "point", origins=origins)
    source = (
        "FROM series LEFT JOIN place ON place.id=series.place_id"
        f" CROSS JOIN point ON point.series_id=series.id WHERE {terms.sql}"
    )
    limit = -1 if query.limit is None else query.limit
    with reader.snapshot() as db:
        now = generation(db)
        total = db.execute(f"SELECT count(*) {source}", terms.values).fetchone()[0]
        rows = db.execute(
            f"SELECT {_FIELDS}, place.country, origin {source} ORDER BY {_order(query)} LIMIT ? OFFSET ?",
            [*terms.values, limit, query.offset],
        ).fetchall()
    return OfferPage([_offer(row) if shape == "offer" else _point(row) for row in rows], total, now)


def _order(query: OfferFilter) -> str:
    field = query.sort or "usd_per_gpu_hour"
    if field not in _SORTS:
        raise ArgumentError("sort", f"{field} is not a field of past prices", ", ".join(_SORTS))
    asked = _SORTS[field]
    return f"{asked} IS NULL, {asked}{' DESC' if query.descending else ''}, {_TIES}"


def _terms(
    query: OfferFilter, start: float, end: float, *, gone: bool, origins: Sequence[str] | None
) -> Terms:
    terms = series_terms(query, origins)
    terms.add(_IN_FORCE, end, start, start)
    if not gone:
        terms.add("point.offers>0")
    for sign, value in ((">=", query.min_price), ("<=", query.max_price)):
        if value is not None:
            terms.add(f"point.low{sign}?", value)
    return terms


def series_terms(query: OfferFilter, origins: Sequence[str] | None = None) -> Terms:
    """The conditions of a series, whatever its prices were."""
    terms = Terms()
    if query.gpus:
        either = " OR ".join(
            ["(gpu=? AND coalesce(?, gpu_memory_gib, 0)=coalesce(gpu_memory_gib, 0))"] * len(query.gpus)
        )
        terms.add(f"({either})", *(value for name, memory, _ in query.gpus for value in (name, memory)))
    for column, sign, value in (
        ("gpu_memory_gib", "=", query.memory),
        ("gpu_memory_gib", ">=", query.min_memory),
        ("spot", "=", None if query.spot is None else int(query.spot)),
    ):
        if value is not None:
            terms.add(f"{column}{sign}?", value)
    if query.sellers:
        terms.among("series.seller", query.sellers)
    of_tiers(terms, query.tiers)
    if query.exclude_sellers:
        terms.among("series.seller", query.exclude_sellers, absent=True)
    for name, memory, _ in query.exclude_gpus:
        terms.add("NOT (gpu=? AND coalesce(?, gpu_memory_gib, 0)=coalesce(gpu_memory_gib, 0))", name, memory)
    if origins is not None:
        terms.among("origin", origins)
    _where(terms, query)
    return terms


def _where(terms: Terms, query: OfferFilter) -> None:
    for wanted, sign in ((query.places_any, ""), (query.places_none, "NOT ")):
        if wanted:
            needles = [needle for one in wanted for needle in one.needles]
            match = " OR ".join(["instr(coalesce(places, ''), ?)"] * len(needles))
            terms.add(f"{sign}({match})", *needles)
    if query.scopes is not None:
        terms.among("origin", sorted({origin(scope) for scope in query.scopes}))
    if query.superseded_sellers:
        marks = ", ".join("?" * len(query.superseded_sellers))
        terms.add(
            f"NOT (origin LIKE ? AND series.seller IN ({marks}))", f"%|{SHIPPED}|%", *query.superseded_sellers
        )


def _point(row: Sequence[Any]) -> dict[str, Any]:
    found = dict(zip(POINT_KEYS, row, strict=False))
    found["spot"] = bool(found["spot"])
    found["time"] = iso(moment(found["time"]))
    found["_origin"] = Origin.of(row[-1])
    found["account"] = found["_origin"].account
    return found


def _offer(row: Sequence[Any]) -> dict[str, Any]:
    point, country = _point(row), row[-2]
    offer: dict[str, Any] = dict.fromkeys(ROW_KEYS)
    for name in ("provider", "account", "gpu", "gpu_memory_gib", "region", "tier", "spot"):
        offer[name] = point[name]
    offer |= {
        "country": country,
        "gpu_raw": point["gpu"],
        "gpu_count": 1.0,
        "usd_per_gpu_hour": point["usd_per_gpu_hour_min"],
        "usd_per_hour": point["usd_per_gpu_hour_min"],
        "fractional": False,
        "fetched_at": point["time"],
        "as_of": point["time"],
    }
    return offer
