"""`sync`: read everything that can be read now, also what no question waits for, into the store.

What is still fresh is not read again, and each part (a region, a family of machines) is kept as soon as it is
read to its end: a sync that was broken off goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudtop import troubles
from cloudtop.cli import views
from cloudtop.cli.build import House, build
from cloudtop.cli.commands.call import seconds
from cloudtop.models import SHIPPED, PriceQuery, iso
from mcp_server.fleet import PRICES
from mcp_server.inventory import RESOURCES, Asked
from mcp_server.runtime import different

if TYPE_CHECKING:
    import argparse

    from mcp_server.fleet import Harvest
    from mcp_server.result import Progress

SYNC_S = 3600.0
COLUMNS = ("provider", "account", "what", "source", "rows", "fetched_at", "state")


def run(options: argparse.Namespace) -> int:
    """Once, or again and again with --every."""
    every_s = seconds(options.every, "--every")
    allowed_s = seconds(options.timeout) or SYNC_S
    house = build(options.config, options.home, offline=options.offline, deadline_s=allowed_s)
    return asyncio.run(_synced(house, options, every_s))


async def _synced(house: House, options: argparse.Namespace, every_s: float | None) -> int:
    views.notices(house.notices)
    try:
        named = await house.fleet.ids(options.providers, "providers") if options.providers else None
        while True:
            with views.progress() as progress:
                code = _told(await _read(house, named, progress), house, options)
            if every_s is None:
                return code
            await house.clock.sleep(every_s)
    finally:
        await house.aclose()


async def _read(house: House, named: tuple[str, ...] | None, progress: Progress) -> dict[str, Harvest]:
    """Prices, and what runs in the accounts; of named clouds what each of them has."""
    fleet = house.fleet
    found = {}
    for what, kind in (("prices", PRICES), ("resources", RESOURCES)):
        asked = named and tuple(
            one for one in named if one not in fleet.facts or kind in fleet.facts[one].kinds
        )
        if asked == ():
            continue
        if kind == PRICES:
            found[what] = await fleet.prices(PriceQuery(), asked, bulk=True, progress=progress)
        else:
            found[what] = await fleet.inventory.resources(Asked(asked), progress=progress)
    return found


def _told(found: Mapping[str, Harvest], house: House, options: argparse.Namespace) -> int:
    """Print what was read and what was not; 1 when nothing could be read, 3 for a part under --strict."""
    troubled = different([one for harvest in found.values() for one in harvest.missing])
    failed = [one for one in troubled if one.severity == "error"]
    failing = {
        (what, one.provider, one.account)
        for what, harvest in found.items()
        for one in harvest.missing
        if one.severity == "error"
    }
    # The list that comes with cloudtop is always there: it is nothing that was read now.
    rows = [
        _row(what, one, failing)
        for what, harvest in found.items()
        for one in harvest.sources
        if one.account != SHIPPED
    ]
    if options.json:
        missing = [one.row() for one in troubled]
        sys.stdout.write(views.dumps({"rows": rows, "missing": missing}) + "\n")
    else:
        cells = [[views.cell(row[name]) for name in COLUMNS] for row in rows]
        views.table(COLUMNS, cells, house.settings)
        for line in troubles.told([one.row() for one in troubled]):
            sys.stdout.write(f"missing: {line}\n")
    sys.stdout.flush()
    if failed and all(row["state"] == "stale" for row in rows):
        return 1
    return 3 if options.strict and failed else 0


def _row(what: str, source: Any, failing: set[tuple[str, str, str | None]]) -> dict[str, Any]:
    """One account of a provider: how much is held, how old its oldest part is, and whether all of it came."""
    state = "partial" if (what, source.provider, source.account) in failing else "complete"
    return {
        "provider": source.provider,
        "account": source.account,
        "what": what,
        "source": source.source,
        "rows": source.rows,
        "fetched_at": iso(source.fetched_at),
        "state": "stale" if source.source == "stale" else state,
    }
