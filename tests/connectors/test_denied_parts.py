"""A part of a listing that refuses: what was known of it stays, and the rest is read, to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudtop.inventory import Resource, Unread
from cloudtop.models import Scope
from cloudtop.sandbox.serve import running
from cloudtop.store.resources import ResourceFilter
from tests.connectors.raw_servers import reply, serving
from tests.connectors.sellers import connector_at
from tests.faults.house import House, LeapingClock

VISION = "ocid1.compartment.oc1..vision"
KEY = {"tenant_id": "t", "client_id": "c", "client_secret": "canary-secret"}
TOKEN = reply(200, json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": "canary-token"}))
SEVERAL = reply(200, '{"value": [{"subscriptionId": "S1"}, {"subscriptionId": "s2"}]}')
DENIED = reply(403, '{"error": {"code": "AuthorizationFailed", "message": "No."}}')


def networks(*names: str) -> bytes:
    within = "/subscriptions/s2/resourceGroups/g/providers/Microsoft.Network/virtualNetworks"
    return reply(200, json.dumps({"value": [{"id": f"{within}/{name}", "name": name} for name in names]}))


async def test_a_compartment_that_begins_to_refuse_keeps_its_rows_and_the_listing_is_whole(
    tmp_path: Path,
) -> None:
    clock = LeapingClock()
    with running(("oci",)) as sandbox:
        house = House(tmp_path, sandbox, clock)
        scope = house.fleet.here(Scope("oci", "prod", "us-ashburn-1", "instances"))

        async def read() -> tuple[dict[str, str], Any]:
            harvest = await house.fleet.read([scope], max_age_s=0, deadline_s=60)
            rows = house.store.resources(ResourceFilter(scopes=(scope,), limit=None)).rows
            return {row["name"]: row["status"] for row in rows}, harvest

        try:
            before, _ = await read()
            sandbox.fault("oci", "403", path="/20160918/instances", text=VISION)
            clock.leap(60)
            after, harvest = await read()
        finally:
            await house.close()
    assert len(before) > 5
    assert after == before
    assert scope in harvest.fetched
    assert scope not in harvest.stale
    (note,) = harvest.missing
    assert (note.code, note.severity) == ("forbidden", "warning")
    assert "do not allow this: vision. What was known of them stays as it was." in note.message


async def test_a_subscription_that_refuses_costs_no_other(tmp_path: Path) -> None:
    pytest.importorskip("azure.mgmt.compute")
    async with (
        serving(TOKEN, SEVERAL, DENIED, networks("lab-net")) as server,
        connector_at("azure", server.url, KEY, tmp_path) as azure,
    ):
        pages = [page async for page in azure.vpcs(Scope("azure", "default", kind="vpcs"))]
        (note,) = azure.notes
    (unread,) = [page for page in pages if isinstance(page, Unread)]
    assert (unread.detail, unread.values) == ("subscription_id", ("s1",))
    (row,) = [one for page in pages for one in page]
    assert isinstance(row, Resource)
    assert (row.name, row.details["subscription_id"]) == ("lab-net", "s2")
    assert note.message.startswith("1 of 2 subscriptions do not allow this: S1.")
