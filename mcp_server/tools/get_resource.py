"""get_resource: everything known of one resource, by its id, name or address.

What the store knows decides whom to ask: only the listings that hold it are read again. Nothing known, all
are read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudtop.errors import MissingArgument
from cloudtop.store.resources import ResourceFilter
from mcp_server.inventory import Asked
from mcp_server.result import Rows
from mcp_server.tools._resource_question import uids
from mcp_server.tools._resource_rows import told, unpriced

if TYPE_CHECKING:
    from mcp_server.harvest import Harvest
    from mcp_server.result import Ctx

WHOLE = ("details", "health", "health_message")
"""What a row has here beside the fields of its type."""

NEAR = 3


async def run(
    ctx: Ctx,
    *,
    id: list[str] | None,
    name: list[str] | None,
    ip: str | None,
    fields: list[str] | None,
    max_age: float | None,
    limit: int,
) -> Rows:
    """Find it in the store, read its listing again, give all that is known."""
    if not (id or name or ip):
        raise MissingArgument("name", "one of id, name and ip")
    native, whole = uids(id or ())
    wanted = ResourceFilter(ids=native, names=tuple(name or ()), ip=ip, limit=None)
    harvest = await _harvest(ctx, wanted, list(whole.values()), max_age)
    wanted = replace(wanted, scopes=tuple(harvest.scopes))
    page = ctx.store.resources(wanted)
    if await ctx.fleet.inventory.prices(unpriced(page.rows), ctx.deadline_s):
        page = ctx.store.resources(wanted)
    found = [row for row in page.rows if row["id"] not in whole or row["uid"] == whole[row["id"]]]
    shown = told(ctx, harvest, found, [*WHOLE, *(fields or ())])
    return Rows(
        rows=shown[ctx.offset : ctx.offset + limit],
        sources=harvest.sources,
        missing=harvest.missing,
        applied={key: value for key, value in (("id", id), ("name", name), ("ip", ip)) if value},
        notices=[] if found else _near(ctx, harvest, name),
        total=len(found),
        expires_at=harvest.expires_at,
    )


async def _harvest(ctx: Ctx, wanted: ResourceFilter, whole: list[str], max_age_s: float | None) -> Harvest:
    """The listings that hold it brought up to date; all of them when none is known to."""
    inventory = ctx.fleet.inventory
    how: dict[str, Any] = {
        "max_age_s": max_age_s,
        "deadline_s": ctx.deadline_s,
        "progress": ctx.progress,
    }
    held = await inventory.resources(Asked(), ask=False)
    known = ctx.store.resources(replace(wanted, scopes=tuple(held.scopes))).rows if held.scopes else []
    if known:
        asked = Asked(
            tuple(dict.fromkeys(row["provider"] for row in known)),
            tuple(dict.fromkeys(row["type"] for row in known)),
            tuple(dict.fromkeys(row["account"] for row in known)),
        )
        return await inventory.resources(asked, **how)
    parts = [one.split(":", 4) for one in whole]
    if parts and all(one[0] in ctx.fleet.facts for one in parts):
        providers, types = (tuple(dict.fromkeys(one[at] for one in parts)) for at in (0, 3))
        return await inventory.resources(Asked(providers, types), **how)
    return await inventory.resources(Asked(), **how)


def _near(ctx: Ctx, harvest: Harvest, names: list[str] | None) -> list[str]:
    """Names like the one that nobody has."""
    if not names:
        return ["No resource has it."]
    from cloudtop.text import nearest

    known = [name for name, _, _ in ctx.store.roster.names(10_000)]
    said = []
    for name in names:
        close = nearest(name, list(dict.fromkeys(known)), NEAR)
        hint = f" Names like it: {', '.join(close)}." if close else ""
        said.append(f"No resource is named {name[:60]!r}.{hint}")
    return said
