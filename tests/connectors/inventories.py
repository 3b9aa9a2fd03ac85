"""Every inventory alike: its fixture as a server, its sandbox as the made-up company, what is kept of it.

A fixture `fixtures/<id>.yaml` may hold `resources`: by listing, what is `asked` of an account (`region`, and
`part` of it where the cloud divides further), the `replies`, in the form of `sellers.py`, the `rows`
expected by hand, any fields of a resource, and `notes`, texts that must be remarked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope, Trouble
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import Sandbox, running
from cloudtop.store.resources import ResourceFilter
from connectors import discovery
from mcp_server.harvest import Harvest
from mcp_server.inventory import Asked
from tests.audit import company
from tests.audit.company import Thing
from tests.connectors.sellers import connector_at, fixture, serving
from tests.faults.house import House, LeapingClock, logged

PROVIDERS = tuple(name for name, facts in discovery.found().items() if facts.services)
DEADLINE_S = 120.0
"""Waits pass on the fake clock in no time; this is for a busy machine."""


@dataclass
class Reading:
    """What the store holds after the company was read. `raws`: the clouds' own records, by uid."""

    rows: list[dict[str, Any]]
    missing: list[Trouble]
    complete: dict[Scope, bool]
    raws: dict[str, Any]
    held: bytes
    log: list[str]
    requests: list[Any] = field(default_factory=list)

    def of(self, *types: str) -> list[dict[str, Any]]:
        """The rows of these types."""
        return [row for row in self.rows if row["type"] in types]


Change = Callable[[dict[str, Any]], None]


def read(
    provider: str, sandbox: Sandbox, home: Path, asked: Asked | None = None, change: Change | None = None
) -> Reading:
    """Read what a provider has, all of it unless `asked` says less; `change` edits the configuration."""
    return asyncio.run(_read(provider, sandbox, home, asked, change))


def one_scope(provider: str, sandbox: Sandbox, home: Path, scope: Scope) -> Reading:
    """Read one listing in one place, and see what was asked for it."""

    async def asked() -> Reading:
        house = House(home, sandbox, LeapingClock())
        before = len(sandbox.requests)
        try:
            harvest = await house.fleet.read([scope], deadline_s=DEADLINE_S)
            made = kept(house, harvest, [scope])
        finally:
            await house.close()
        made.requests = sandbox.requests[before:]
        return made

    home.mkdir()
    return asyncio.run(asked())


async def _read(
    provider: str, sandbox: Sandbox, home: Path, asked: Asked | None, change: Change | None
) -> Reading:
    before = len(sandbox.requests)
    with logged() as log:
        house = House(home, sandbox, LeapingClock(), change)
        try:
            wanted = asked or Asked((provider,))
            harvest = await house.fleet.inventory.resources(wanted, deadline_s=DEADLINE_S)
            made = kept(house, harvest, [one for one in harvest.scopes if one.provider == provider])
        finally:
            await house.close()
    made.held, made.log = house.held(), log.lines
    made.requests = sandbox.requests[before:]
    return made


def kept(house: House, harvest: Harvest, scopes: Iterable[Scope]) -> Reading:
    """What the store holds of these scopes."""
    held = tuple(scopes)
    rows = house.store.resources(ResourceFilter(scopes=held, limit=None)).rows
    known = house.store.freshness(held)
    roster = house.store.roster
    raws = {row["uid"]: roster.raw(row["_scope"], row["type"], row["region"], row["id"]) for row in rows}
    complete = {scope: bool(one and one.complete) for scope, one in known.items()}
    return Reading(rows, harvest.missing, complete, raws, b"", [])


def types_of(provider: str) -> tuple[str, ...]:
    """The types of resource that a provider's listings hold."""
    listed = discovery.found()[provider].lists.values()
    return tuple(dict.fromkeys(kind for types in listed for kind in types))


def expected(provider: str, *types: str) -> list[Thing]:
    """What the company has there of these types."""
    return [one for one in company.things(provider) if one.type in (types or types_of(provider))]


def matched(rows: Iterable[Mapping[str, Any]], things: Iterable[Thing]) -> dict[str, Thing]:
    """The thing that each row is about, by uid. A row may call it by any name that its cloud knows it by."""
    by_name: dict[Any, Thing] = {}
    for one in things:
        for name in one.names:
            by_name.setdefault((one.account, one.type, name, one.region), one)
            by_name.setdefault((one.account, one.type, name, "global"), one)
    found = {}
    for row in rows:
        thing = by_name.get((row["account"], row["type"], row["id"], row["region"]))
        assert thing is not None, f"nothing in the file is {row['uid']}"
        found[row["uid"]] = thing
    return found


def denial(provider: str, region: str) -> dict[str, Any]:
    """How a fault hits the requests to one region and no others."""
    return {"signed": (f"/{region}/",)} if clouds()[provider].signs else {"text": region}


def wrong_key(provider: str, account: str) -> Change:
    """A configuration in which one account's key is nobody's."""

    def change(document: dict[str, Any]) -> None:
        mine = document["providers"][provider]
        auth = mine["accounts"][account]["auth"] if "accounts" in mine else mine["auth"]
        name = next(iter(clouds()[provider].auth))
        auth[name] = auth[name][:-3] + "BAD"

    return change


@contextmanager
def amid(provider: str) -> Iterator[Sandbox]:
    """The provider's sandbox alone."""
    with running((provider,)) as sandbox:
        yield sandbox


def told(provider: str) -> dict[str, Any]:
    """The resources of a provider's fixture, by listing."""
    found: dict[str, Any] = fixture(provider).get("resources", {})
    return found


async def from_replies(
    provider: str, listing: str, home: Path
) -> tuple[list[Resource], list[Trouble], list[str]]:
    """What the connector makes of the replies of a listing's fixture: rows, notes, and what it asked."""
    about = told(provider)[listing]
    part = json.dumps({"part": about["part"]}) if "part" in about else ""
    async with serving(about["replies"]) as (endpoint, asked):
        auth = fixture(provider).get("resource_auth") or clouds()[provider].auth
        async with connector_at(provider, endpoint, auth, home) as connector:
            scope = Scope(provider, "default", about.get("region", "global"), listing, part)
            rows = [row async for page in getattr(connector, listing)(scope) for row in page]
            return rows, connector.notes, asked
