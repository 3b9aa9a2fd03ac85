"""get_metrics: what was measured of the resources that are meant; as points, or one value for each.

The resources come from the inventory, the series from their clouds, everything else is computed here. What
is stopped measures nothing and is left out unless it is named or its status asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_server.result import Rows
from mcp_server.tools import _metric_rows as metric_rows
from mcp_server.tools._metric_question import MetricQuestion, metric_question, offered
from mcp_server.tools._resource_question import harvested, question

if TYPE_CHECKING:
    from mcp_server.result import Ctx

NARROWING = (
    "id",
    "name",
    "name_contains",
    "providers",
    "resource_type",
    "region",
    "account",
    "status",
    "tag",
    "gpu",
)
"""Arguments that say of which resources."""

IDLE = ("stopped", "terminated")
MOST = 20_000
"""Resources whose metrics one question reads."""


async def run(
    ctx: Ctx,
    *,
    id: list[str] | None,
    name: list[str] | None,
    name_contains: list[str] | None,
    providers: list[str] | None,
    resource_type: list[str] | None,
    region: list[str] | None,
    account: list[str] | None,
    status: list[str] | None,
    tag: list[str] | None,
    gpu: list[str] | None,
    metric: list[str] | None,
    time: str | None,
    granularity: float | None,
    agg: str | None,
    op: str | None,
    value: float | None,
    unit: str | None,
    group_by: list[str] | None,
    sort: str | None,
    list_metrics: bool | None,
    max_age: float | None,
    limit: int,
) -> Rows:
    """Find the resources, read their series, make rows of them."""
    given: dict[str, Any] = dict(locals())
    del given["ctx"], given["limit"]
    about = await question(ctx, {name: given[name] for name in NARROWING})
    asked = metric_question(ctx, given)
    asked.narrow(about)
    if list_metrics:
        return metric_rows.listed(ctx, offered(ctx, about.asked, asked.metrics), asked.applied(given), limit)
    found = await harvested(ctx, about, max_age)
    named = bool(id or name or status)
    page = ctx.store.resources(
        replace(
            about.filter,
            scopes=tuple(found.scopes),
            exclude_statuses=() if named else IDLE,
            limit=MOST,
        )
    )
    read = await _series(ctx, asked, page.rows, max_age)
    rows, shape = metric_rows.made(ctx, asked, read)
    return Rows(
        rows=rows[ctx.offset : ctx.offset + limit],
        sources=read.sources or found.sources,
        missing=[*found.missing, *read.missing],
        applied={**about.applied, **asked.applied(given)},
        notices=[*about.notices, *metric_rows.notices(ctx, asked, page, read)],
        total=len(rows),
        shape=shape,
        expires_at=read.expires_at,
    )


async def _series(
    ctx: Ctx, asked: MetricQuestion, resources: list[dict[str, Any]], max_age_s: float | None
) -> metric_rows.Reading:
    """The series of these resources, one request of the fleet for all clouds."""
    wants, missing = asked.wants(ctx, resources)
    harvest = await ctx.fleet.read(
        wants,
        about={scope: query for scope, (query, _) in wants.items()},
        max_age_s=asked.max_age_s(ctx, max_age_s),
        deadline_s=ctx.deadline_s,
        progress=ctx.progress,
    )
    return metric_rows.reading(ctx, harvest, wants, missing)
