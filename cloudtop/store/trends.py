"""Price history by series: what each of them is, how it stood in an interval, and its points in order.

`lines` reads no points but the few that tell where a series began and stood; `steps` reads those of chosen
series. So a question about a thousand series pays for the points of the few it shows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.store.history import Origin
from cloudtop.store.points import series_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cloudtop.store.connections import Reader
    from cloudtop.store.offers import OfferFilter

Step = tuple[float, float | None]
"""One point as trends see it: when it began, and the lowest price from then on, None when sold out."""

Point = tuple[int, float, float | None, float | None, int, float | None]
"""One point as it is shown: series, its time, lowest and median price, offers, the time of the next one."""

_LAST = "FROM point WHERE series_id=series.id AND at<?2 ORDER BY at DESC LIMIT 1"
_LINES = f"""
SELECT series.id, origin, series.seller, gpu, gpu_memory_gib, series.region, place.country, tier, spot,
  (SELECT min(at) FROM point WHERE series_id=series.id),
  CASE WHEN series.at<?2 THEN series.at ELSE (SELECT at {_LAST}) END,
  CASE WHEN series.at<?2 THEN series.low ELSE (SELECT low {_LAST}) END,
  (SELECT count(*) FROM point WHERE series_id=series.id AND at>?1 AND at<?2),
  CASE WHEN series.at>=?2 THEN (SELECT min(at) FROM point WHERE series_id=series.id AND at>=?2) END,
  scope.fetched_at
FROM series LEFT JOIN place ON place.id=series.place_id LEFT JOIN scope ON scope.id=series.feeder
WHERE"""
_origin = lru_cache(maxsize=256)(Origin.of)
_ORDER = "series.seller, gpu, gpu_memory_gib, series.region, tier, spot, origin"
_CHOSEN = """
FROM json_each(?1) AS one CROSS JOIN point ON point.series_id=one.value
WHERE point.at<?3 AND point.at>=coalesce(
  (SELECT max(held.at) FROM point AS held WHERE held.series_id=one.value AND held.at<=?2), ?2)"""
_NEXT = "SELECT min(at) FROM point WHERE series_id=shown.series_id AND at>shown.at"
SORTS = {
    "time": "point.at",
    "usd_per_gpu_hour_min": "point.low",
    "usd_per_gpu_hour_median": "point.median",
    "offers": "point.offers",
}
"""By what points can be put in order, besides the order in which their series are asked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series in an interval.

    `began`: its first point ever. `latest`: the last point before the interval's end, `low` its price, None
    when sold out. `moves`: points within the interval. `seen_at`: until when `latest` is known to have held:
    the next point's time, else the last whole look at the scope that fed it.
    """

    id: int
    origin: Origin
    provider: str
    gpu: str
    gpu_memory_gib: float | None
    region: str | None
    country: str | None
    tier: str | None
    spot: bool
    began: float
    latest: float
    low: float | None
    moves: int
    over: bool
    seen_at: float

    def points(self, start: float) -> int:
        """How many of its points were in force at some moment from `start` on."""
        return self.moves + (self.began <= start)


def origins(reader: Reader) -> list[str]:
    """Every place that prices were ever read from, as series name it."""
    return [row[0] for row in reader.all("SELECT DISTINCT origin FROM series ORDER BY origin")]


def lines(
    reader: Reader, query: OfferFilter, start: datetime, end: datetime, origins: Sequence[str] | None = None
) -> list[Line]:
    """The series that match, as far as they had begun before `end`."""
    terms = series_terms(query, origins)
    sql = f"{_LINES} {terms.sql} ORDER BY {_ORDER}"
    found = reader.all(sql, [start.timestamp(), end.timestamp(), *terms.values])
    return [_line(row) for row in found if row[10] is not None]


def _line(row: Sequence[Any]) -> Line:
    (
        number,
        origin,
        seller,
        gpu,
        memory,
        region,
        country,
        tier,
        spot,
        began,
        at,
        low,
        moves,
        following,
        seen,
    ) = row
    over = following is not None
    seen_at = following if over else max(at, seen or at)
    place = _origin(origin)
    return Line(
        number,
        place,
        seller,
        gpu,
        memory,
        region,
        country,
        tier,
        bool(spot),
        began,
        at,
        low,
        moves,
        over,
        seen_at,
    )


def steps(reader: Reader, ids: Iterable[int], start: datetime, end: datetime) -> dict[int, list[Step]]:
    """The points of these series that were in force at some moment of [start, end), in the order of time."""
    found: dict[int, list[Step]] = {}
    asked = [json.dumps(list(ids)), start.timestamp(), end.timestamp()]
    for number, at, low in reader.all(f"SELECT one.value, point.at, point.low {_CHOSEN}", asked):
        found.setdefault(number, []).append((at, low))
    for one in found.values():
        one.sort(key=itemgetter(0))
    return found


def page(
    reader: Reader,
    ids: Iterable[int],
    start: datetime,
    end: datetime,
    *,
    sort: str | None,
    descending: bool,
    limit: int,
    offset: int,
) -> list[Point]:
    """One page of the points of these series; without `sort` series by series, the newest first."""
    if sort is not None and sort not in SORTS:
        raise ArgumentError("sort", f"{sort} is not a field of points", ", ".join(SORTS))
    column = SORTS.get(sort or "")
    by = f"{column} IS NULL, {column}{' DESC' if descending else ''}, one.key" if column else "one.key"
    sql = (
        f"SELECT *, ({_NEXT}) FROM (SELECT point.series_id, point.at, point.low, point.median, point.offers"
        f" {_CHOSEN} ORDER BY {by}, point.at DESC LIMIT ?4 OFFSET ?5) AS shown"
    )
    asked = [json.dumps(list(ids)), start.timestamp(), end.timestamp(), limit, offset]
    return [tuple(row) for row in reader.all(sql, asked)]
