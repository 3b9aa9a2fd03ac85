"""list_services: what of each cloud can be read, by service. Nobody is asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_server.inventory import RESOURCES
from mcp_server.result import Rows

if TYPE_CHECKING:
    from connectors.base import Facts, Service
    from mcp_server.result import Ctx


async def run(ctx: Ctx, *, providers: list[str] | None, limit: int) -> Rows:
    """One row per service of each provider that has an inventory."""
    named = await ctx.fleet.ids(providers or (), "providers")
    asked = [one for one in named or ctx.fleet.facts if one in ctx.fleet.facts]
    rows = [
        _row(ctx, ctx.fleet.facts[provider], service)
        for provider in asked
        for service in ctx.fleet.facts[provider].services.values()
    ]
    return Rows(
        rows=rows[ctx.offset : ctx.offset + limit],
        missing=list(ctx.fleet.standing.uncovered(RESOURCES, named).values()),
        applied={"providers": list(named)} if named else {},
        total=len(rows),
    )


def _row(ctx: Ctx, facts: Facts, service: Service) -> dict[str, Any]:
    types = list(dict.fromkeys(kind for held in service.lists.values() for kind in held))
    chosen = ctx.fleet.services(facts.id)
    return {
        "provider": facts.id,
        "id": service.id,
        "name": service.name,
        "type": service.group,
        "capabilities": types,
        "metrics": sorted({name for kind in types for name in facts.metrics.get(kind, {})}),
        "enabled": not chosen or bool(chosen & {service.id, *service.words}),
        "configured": ctx.fleet.standing.can(facts.id, RESOURCES),
        "reason": None
        if ctx.fleet.standing.can(facts.id, RESOURCES)
        else ctx.fleet.standing.reason(facts.id),
    }
