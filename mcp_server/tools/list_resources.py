"""list_resources: what runs or is kept in the accounts, filtered, counted, grouped, page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_server.result import Rows
from mcp_server.tools._price_hints import unknown_place
from mcp_server.tools._resource_question import harvested, known_since, question
from mcp_server.tools._resource_rows import grouped, sort_of, told, unpriced, untold

if TYPE_CHECKING:
    from mcp_server.result import Ctx


async def run(
    ctx: Ctx,
    *,
    providers: list[str] | None,
    resource_type: list[str] | None,
    exclude_resource_type: list[str] | None,
    time: str | None,
    region: list[str] | None,
    status: list[str] | None,
    status_not: list[str] | None,
    id: list[str] | None,
    name: list[str] | None,
    name_contains: list[str] | None,
    search: str | None,
    tag: list[str] | None,
    tag_not: list[str] | None,
    missing_tag: list[str] | None,
    account: list[str] | None,
    instance_type: list[str] | None,
    gpu: list[str] | None,
    spot: bool | None,
    engine: list[str] | None,
    runtime: list[str] | None,
    encrypted: bool | None,
    ip: str | None,
    namespace: str | None,
    min_vcpu: float | None,
    min_ram: float | None,
    min_memory: float | None,
    min_size_gb: float | None,
    max_price: float | None,
    created_since: str | None,
    created_before: str | None,
    older_than: float | None,
    as_of: str | None,
    group_by: list[str] | None,
    sort: str | None,
    fields: list[str] | None,
    max_age: float | None,
    limit: int,
) -> Rows:
    """Understand the question, bring the listings up to date, look them up."""
    given: dict[str, Any] = dict(locals())
    for passed in ("ctx", "limit", "fields"):
        del given[passed]
    asked = await question(ctx, given)
    by, descending = sort_of(sort, grouped=bool(group_by))
    harvest = await harvested(ctx, asked, max_age)
    wanted = replace(asked.filter, scopes=tuple(harvest.scopes), limit=limit, offset=ctx.offset)
    found = Rows(
        rows=[],
        sources=harvest.sources,
        missing=harvest.missing,
        applied=asked.applied,
        notices=[*asked.notices, *known_since(ctx, asked, harvest)],
        expires_at=harvest.expires_at,
    )
    prices = ctx.fleet.inventory.prices
    if asked.now and (group_by or max_price is not None or by == "usd_per_hour"):
        # Sums, which rows match, and which come first follow from prices that are not known yet.
        await prices(ctx.store.roster.unpriced(replace(wanted, max_price=None)), ctx.deadline_s)
    if group_by:
        groups = grouped(ctx, wanted, group_by, by, descending)
        found.rows, found.total = groups[ctx.offset : ctx.offset + limit], len(groups)
        found.shape = "group"
        return found
    sorted_so = replace(wanted, sort=by, descending=descending)
    page = ctx.store.resources(sorted_so)
    if asked.now and await prices(unpriced(page.rows), ctx.deadline_s):
        page = ctx.store.resources(sorted_so)
    found.rows, found.total, found.shape = told(ctx, harvest, page.rows, fields), page.total, "resource"
    found.notices += untold(page.untold)
    if not page.total:
        places = zip(region or (), asked.filter.places_any, strict=True)
        found.notices += [unknown_place("region", text) for text, place in places if not place.known]
    return found
