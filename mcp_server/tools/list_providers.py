"""list_providers: every provider known, what it can be asked for, and what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_server.result import Rows

if TYPE_CHECKING:
    from mcp_server.result import Ctx


async def run(ctx: Ctx, *, limit: int) -> Rows:
    """One row per provider id, with a connector or without; nobody is asked for it."""
    rows = ctx.fleet.providers()
    return Rows(rows=rows[ctx.offset : ctx.offset + limit], total=len(rows))
