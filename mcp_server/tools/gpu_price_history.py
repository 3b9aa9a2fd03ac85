"""gpu_price_history: how rental prices went, and whether today's is a good one.

Rows are the points in force in the asked time, one per change, the newest first; `group_by` gives one row per
series, GPU, seller … with the way of its lowest price through that time. Before a question that reaches up to
now the clouds are asked, as for a price, so that the last point is today's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloudtop.store.history import Origin, origin
from mcp_server.fleet import Harvest
from mcp_server.harvest import LISTS
from mcp_server.result import Rows
from mcp_server.tools._history_groups import Group, Span, first_looks, groups, moment, row
from mcp_server.tools._history_origins import source_of, speaking
from mcp_server.tools._history_question import Question, question
from mcp_server.tools._history_words import best, nothing_recorded, standing, what_changed
from mcp_server.tools._price_hints import unknown_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudtop.store.trends import Line, Point, Step
    from cloudtop.times import Interval
    from mcp_server.result import Ctx

_OF_POINTS = {"price": "usd_per_gpu_hour_min"}
_OF_SERIES = ("provider", "gpu", "gpu_memory_gib", "region", "tier")


async def run(
    ctx: Ctx,
    *,
    gpu: list[str] | None,
    memory: float | None,
    providers: list[str] | None,
    region: list[str] | None,
    tier: list[str] | None,
    spot: bool | None,
    time: str,
    group_by: str | None,
    sort: str | None,
    max_age: float | None,
    limit: int,
) -> Rows:
    """Understand the question, bring the prices up to date, read what was recorded."""
    given: dict[str, Any] = dict(locals())
    del given["ctx"], given["limit"]
    asked = await question(ctx, given)
    begun = ctx.clock.now()
    harvest = await _brought_up_to_date(ctx, asked, max_age)
    asked.notices += unknown_places(ctx, given, asked.series)
    origins = speaking(ctx)
    asked.series = replace(asked.series, superseded_sellers=_better_known(harvest, origins))
    asked.interval = _up_to_now(ctx, asked.interval, begun)
    lines = ctx.store.price_lines(asked.series, asked.interval.start, _past(asked.interval), origins)
    span = Span(asked.interval.start.timestamp(), asked.interval.end.timestamp(), first_looks(lines))
    seen, stale = _seen(lines, harvest, span, ctx.clock.now().timestamp())
    if group_by:
        found = _grouped(ctx, asked, lines, seen, stale, span, limit)
    else:
        found = _points(ctx, asked, lines, seen, span, limit)
    found.sources, found.missing, found.expires_at = harvest.speaking, harvest.missing, harvest.expires_at
    found.applied, found.notices = asked.applied, [*asked.notices, *found.notices]
    if not lines:
        found.notices.append(nothing_recorded(ctx, asked, origins))
    return found


async def _brought_up_to_date(ctx: Ctx, asked: Question, max_age_s: float | None) -> Harvest:
    """Ask whom the question concerns; for a time that is over nobody is asked."""
    if _is_over(ctx, asked.interval):
        return Harvest()
    return await ctx.fleet.prices(
        asked.query, asked.named, max_age_s=max_age_s, deadline_s=ctx.deadline_s, progress=ctx.progress
    )


def _is_over(ctx: Ctx, interval: Interval) -> bool:
    return interval.end < ctx.now.replace(microsecond=0)


def _up_to_now(ctx: Ctx, interval: Interval, begun: datetime) -> Interval:
    """A time that ends now ends when the clouds have answered."""
    if _is_over(ctx, interval):
        return interval
    return replace(interval, end=ctx.now + (ctx.clock.now() - begun))


def _past(interval: Interval) -> datetime:
    """The first moment behind a time: points of its last second are in it."""
    return interval.end + timedelta(seconds=1)


def _better_known(harvest: Harvest, origins: list[str]) -> tuple[str, ...]:
    """The sellers for whom something fresher than the shipped price list was read."""
    recorded = {Origin.of(one).provider for one in origins} - {LISTS}
    return harvest.superseded or tuple(sorted(recorded))


def _seen(
    lines: list[Line], harvest: Harvest, span: Span, now: float
) -> tuple[dict[int, float], set[Origin]]:
    """Until when the last price of each series is known, and the origins that could not be asked again.

    `now` is the machine's time: a question may be read as if it were another.
    """
    fresh: dict[Origin, float] = {}
    stale: set[Origin] = set()
    for scope in harvest.scopes:
        one = Origin.of(origin(scope))
        at = harvest.read_at[scope].timestamp() if scope in harvest.stale else min(span.end, now)
        fresh[one] = min(fresh.get(one, at), at)
        if scope in harvest.stale:
            stale.add(one)
    seen = {
        line.id: line.seen_at if line.over else max(line.seen_at, fresh.get(line.origin, line.seen_at))
        for line in lines
    }
    return {number: min(at, span.end) for number, at in seen.items()}, stale


def _grouped(
    ctx: Ctx,
    asked: Question,
    lines: list[Line],
    seen: Mapping[int, float],
    stale: set[Origin],
    span: Span,
    limit: int,
) -> Rows:
    """One row per group. By today's price, points are read for the shown groups alone."""
    found = groups(lines, asked.given["group_by"], seen)
    name, descending = asked.sort
    if name == "price":
        found.sort(key=lambda one: _rank(one.cheapest.low, descending))
        found = found[ctx.offset : ctx.offset + limit]
    points = _steps(ctx, found, span)
    rows = [row(one, points, span, stale) for one in found]
    total = len(rows)
    if name == "price":
        total = len(groups(lines, asked.given["group_by"], seen))
    else:
        rows.sort(key=lambda one: _rank(one[name], descending))
        rows = rows[ctx.offset : ctx.offset + limit]
    return Rows(rows, notices=[what_changed(lines, span)] if lines else [], total=total, shape="group")


def _rank(value: Any, descending: bool) -> tuple[bool, Any]:
    """A key to sort by: unknown last, whatever the direction."""
    if value is None:
        return True, 0
    if isinstance(value, str):
        return False, tuple(-ord(one) for one in value) if descending else tuple(map(ord, value))
    return False, -value if descending else value


def _steps(ctx: Ctx, found: list[Group], span: Span) -> dict[int, list[Step]]:
    ids = [line.id for one in found for line in one.lines]
    since, end = (datetime.fromtimestamp(at, UTC) for at in (span.since, span.end))
    return ctx.store.price_steps(ids, since, end)


def _points(
    ctx: Ctx, asked: Question, lines: list[Line], seen: Mapping[int, float], span: Span, limit: int
) -> Rows:
    """One page of points, and in words how good the lowest prices of today are."""
    name, descending = asked.sort
    if name in _OF_SERIES:
        lines = sorted(lines, key=lambda line: _rank(getattr(line, name), descending))
    known = {line.id: line for line in lines}
    page = ctx.store.price_page(
        known,
        asked.interval.start,
        _past(asked.interval),
        sort=None if name in _OF_SERIES else _OF_POINTS.get(name, name),
        descending=descending,
        limit=limit,
        offset=ctx.offset,
    )
    rows = [_point(known[one[0]], seen, one) for one in page]
    judged = best(lines, seen)
    points = _steps(ctx, judged, span)
    notices = [standing(ctx, one, one.drawn(points), span) for one in judged]
    if lines:
        notices.append(what_changed(lines, span))
    if any(one["source"] == "list" for one in rows):
        notices.append("Of price lists, time is when the list was read, not when the price began.")
    return Rows(rows, notices=notices, total=sum(line.points(span.start) for line in lines), shape="point")


def _point(line: Line, seen: Mapping[int, float], point: Point) -> dict[str, Any]:
    """One point in the order of its fields."""
    _, at, low, median, offers, following = point
    return {
        "provider": line.provider,
        "account": line.origin.account,
        "gpu": line.gpu,
        "gpu_memory_gib": line.gpu_memory_gib,
        "region": line.region,
        "tier": line.tier,
        "spot": line.spot,
        "time": moment(at),
        "until": moment(max(at, seen[line.id]) if following is None else following),
        "usd_per_gpu_hour_min": low,
        "usd_per_gpu_hour_median": median,
        "offers": offers,
        "source": source_of(line.origin),
        "fetched_at": moment(at),
    }
