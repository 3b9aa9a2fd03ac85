"""compare_gpu_prices: what renting GPUs costs, the cheapest per GPU-hour first.

`limit_per_group` gives offers, at most so many of each `group_by` (of each provider without one); `group_by`
alone gives one row per group, and per model where several are named. With `disk_gb` the disk is in every
price that is compared. A sandbox, a price list and a live cloud are ranked alike and told apart by `source`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_server.fleet import Harvest
from mcp_server.tools._history_origins import speaking
from mcp_server.tools._price_answer import TIES, groups, points, rows
from mcp_server.tools._price_hints import nothing_found, placeless, unknown_places
from mcp_server.tools._price_question import Question, question

if TYPE_CHECKING:
    from mcp_server.result import Ctx, Rows


_OF_ONE_GPU = ("gpu", "gpu_memory", "instance_type")
"""Groups whose offers are all of one model, however many are asked for."""


async def run(
    ctx: Ctx,
    *,
    gpu: list[str] | None,
    exclude_gpu: list[str] | None,
    vendor: list[str] | None,
    architecture: list[str] | None,
    form: list[str] | None,
    memory: float | None,
    min_memory: float | None,
    min_total_memory: float | None,
    count: int | None,
    min_count: int | None,
    nodes: int | None,
    interconnect: str | None,
    instance_type: str | None,
    spot: bool | None,
    available: bool | None,
    tier: list[str] | None,
    providers: list[str] | None,
    exclude_providers: list[str] | None,
    region: list[str] | None,
    exclude_region: list[str] | None,
    min_price: float | None,
    max_price: float | None,
    hours: float | None,
    disk_gb: float | None,
    egress_gb: float | None,
    fractional: bool | None,
    exclude_suspect: bool | None,
    rank_by: str | None,
    group_by: str | None,
    limit_per_group: int | None,
    sort: str | None,
    time: str | None,
    max_age: float | None,
    limit: int,
) -> Rows:
    """Understand the question, bring the prices up to date, look them up."""
    given: dict[str, Any] = dict(locals())
    del given["ctx"], given["limit"]
    asked = await question(ctx, given)
    harvest = await _brought_up_to_date(ctx, asked, max_age)
    asked.notices += unknown_places(ctx, asked.given, asked.offers)
    if asked.interval:
        past = replace(asked.offers, offset=ctx.offset, limit=limit)
        page = ctx.store.price_points(
            past, asked.interval.start, asked.interval.end, shape="point", origins=speaking(ctx)
        )
        return points(ctx, asked, harvest, page, past)
    offers = replace(
        asked.offers, scopes=tuple(harvest.scopes), superseded_sellers=harvest.superseded, offset=ctx.offset
    )
    if group_by and not limit_per_group:
        oldest = ctx.store.offers(replace(offers, limit=1, offset=0, sort="as_of", descending=False))
        # Of several models one median says nothing.
        each = len(gpu or ()) > 1 and group_by not in _OF_ONE_GPU
        made = ctx.store.group_offers(offers, group_by, each_gpu=each)
        found = groups(ctx, asked, harvest, made, oldest, limit)
    else:
        cheapest_first = asked.sort == ("price", False) and not ctx.offset
        page = ctx.store.offers(replace(offers, limit=max(limit, TIES), why_not_cheaper=cheapest_first))
        found = rows(ctx, asked, harvest, page, limit)
    if not ctx.offset:
        found.notices += placeless(ctx, offers)
    if not found.total:
        found.notices.append(nothing_found(ctx, offers))
    return found


async def _brought_up_to_date(ctx: Ctx, asked: Question, max_age_s: float | None) -> Harvest:
    """Ask whom the question concerns; for a time that is over nobody is asked."""
    if asked.interval and asked.interval.end < ctx.now:
        return Harvest()
    return await ctx.fleet.prices(
        asked.query,
        asked.named,
        excluded=asked.excluded,
        max_age_s=max_age_s,
        deadline_s=ctx.deadline_s,
        progress=ctx.progress,
    )
