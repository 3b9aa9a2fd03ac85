"""What holds for every cloud whose resources are read, one suite over all of them.

What must be there follows from the fleet files by `tests/audit/company.py`, which shares nothing with ours.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop import gpus, metrics, resource_types
from cloudtop.inventory import STATUSES
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import Sandbox
from connectors import discovery
from mcp_server.inventory import Asked
from tests.audit import company
from tests.connectors import inventories
from tests.connectors.inventories import (
    PROVIDERS,
    Reading,
    denial,
    expected,
    matched,
    read,
    types_of,
    wrong_key,
)

HEALTHS = {None, "healthy", "degraded", "failing", "down"}
POSITIVE = ("vcpus", "ram_gib", "memory_mb", "timeout_s")
NOT_NEGATIVE = ("usd_per_hour", "size_bytes", "object_count", "size_gb", "connections", "node_count")
TIMES = ("created_at", "updated_at", "last_modified")
LISTINGS = [(name, kind) for name in PROVIDERS for kind in discovery.found()[name].lists]

each = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """Every provider's sandbox, started when it is first asked for."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        class Started(dict[str, Sandbox]):
            def __missing__(self, provider: str) -> Sandbox:
                self[provider] = stack.enter_context(inventories.amid(provider))
                return self[provider]

        yield Started()


@pytest.fixture
def sandbox(sandboxes: dict[str, Sandbox], provider: str) -> Sandbox:
    sandboxes[provider].calm()
    return sandboxes[provider]


@pytest.fixture(scope="module")
def readings() -> dict[str, Reading]:
    return {}


@pytest.fixture
def reading(readings: dict[str, Reading], sandbox: Sandbox, provider: str, tmp_path: Path) -> Reading:
    """All that there is, read once for all tests of a provider."""
    if provider not in readings:
        readings[provider] = read(provider, sandbox, tmp_path)
    return readings[provider]


@each
def test_it_has_a_fleet_file_with_something_of_every_type_that_it_lists(provider: str) -> None:
    assert provider in company.CLOUDS
    have = {one.type for one in company.things(provider)}
    assert [kind for kind in types_of(provider) if kind not in have] == []


@each
def test_its_listings_have_what_the_file_has_id_by_id(provider: str, reading: Reading) -> None:
    assert [f"{one.kind} {one.region}: {one.message}" for one in reading.missing] == []
    assert [scope for scope, complete in reading.complete.items() if not complete] == []
    for kind in types_of(provider):
        rows, things = reading.of(kind), expected(provider, kind)
        found = matched(rows, things)
        told = {id(one) for one in found.values()}
        assert [one.names for one in things if id(one) not in told] == [], kind
        assert len(rows) == len(things), kind
    assert {row["type"] for row in reading.rows} <= set(types_of(provider))


@each
def test_a_row_stands_where_its_thing_is_and_is_named_by_one_uid(provider: str, reading: Reading) -> None:
    everywhere = discovery.found()[provider].everywhere
    found = matched(reading.rows, expected(provider))
    assert len({row["uid"] for row in reading.rows}) == len(reading.rows)
    for row in reading.rows:
        thing = found[row["uid"]]
        # Where a listing holds all regions at once, a record may say no region of its own.
        assert row["region"] in (
            thing.region or "global",
            "global" if row["_scope"].kind in everywhere else None,
        )
        where = (provider, thing.account, row["region"], row["type"], row["id"])
        assert row["uid"] == ":".join(where)


@each
def test_every_row_keeps_the_promises_of_a_resource(provider: str, reading: Reading) -> None:
    now = datetime.now(UTC)
    for row in reading.rows:
        assert row["type"] in resource_types.types()
        assert row["status"] in STATUSES, row["uid"]
        assert row["health"] in HEALTHS
        assert row["name"] is None or row["name"].strip()
        for name in TIMES:
            moment = datetime.fromisoformat(row[name]) if row[name] else now
            assert moment.utcoffset() == timedelta(0), (row["uid"], name)
            assert moment <= now, (row["uid"], name)
        assert all(row[name] is None or row[name] > 0 for name in POSITIVE), row["uid"]
        assert all(row[name] is None or row[name] >= 0 for name in NOT_NEGATIVE), row["uid"]
        for name in ("public_ip", "private_ip"):
            assert row[name] is None or ipaddress.ip_address(row[name])
        for one in row["gpus"] or ():
            assert one["gpu"] in gpus.catalogue().gpus, (row["uid"], one)
            assert 0 < one["count"] <= 72
        assert None not in (row["details"] or {}).values()
        json.dumps(row["details"])
        assert reading.raws[row["uid"]], row["uid"]


@each
def test_tags_are_those_of_the_file_or_not_known(provider: str, reading: Reading) -> None:
    found = matched(reading.rows, expected(provider))
    for row in reading.rows:
        thing = found[row["uid"]]
        hidden = any("tag" in name.lower() for name in thing.said.get("without", ()))
        if not (hidden or row["tags"] is None):
            assert row["tags"] == dict(thing.tags), row["uid"]
    assert any(row["tags"] == {} for row in reading.rows)


@each
def test_sizes_and_memories_are_in_the_units_of_their_names(provider: str, reading: Reading) -> None:
    """A unit that is off is off by a thousand: within the company nothing is as large or as small as that."""
    for row in reading.rows:
        assert row["ram_gib"] is None or 0.25 <= row["ram_gib"] <= 4096, row["uid"]
        assert row["memory_mb"] is None or 64 <= row["memory_mb"] <= 65_536, row["uid"]
        assert row["timeout_s"] is None or 1 <= row["timeout_s"] <= 3600, row["uid"]
        assert row["size_gb"] is None or row["size_gb"] <= 20_000, row["uid"]
        for one in row["gpus"] or ():
            assert one["memory_gib"] is None or 2 <= one["memory_gib"] <= 300, row["uid"]


@each
def test_every_field_that_a_type_tells_is_not_known_of_one_of_its_rows(
    provider: str, reading: Reading
) -> None:
    """So every question about it meets a row that cannot answer."""
    for kind in types_of(provider):
        rows, always = reading.of(kind), clouds()[provider].always.get(kind, ())
        for name in {"name", "zone", "created_at", *resource_types.fields(kind)}.difference(always):
            told = [row for row in rows if row[name] not in (None, [], {})]
            # Nothing lacks what names it, yes or no is mostly told, and a cloud may have one engine only.
            needed = all(isinstance(row[name], bool) or str(row[name]) in row["id"] for row in told)
            only = name == "engine" and len({row[name] for row in told}) == 1
            assert needed or only or len(told) < len(rows), (kind, name)


@each
def test_nothing_that_is_kept_or_said_holds_a_secret(provider: str, reading: Reading) -> None:
    secrets = [*clouds()[provider].secrets, *company.canaries(provider)]
    assert len(secrets) > len(clouds()[provider].auth)
    places = {
        "a row": repr(reading.rows),
        "a record": repr(reading.raws),
        "a trouble": repr(reading.missing),
        "a log": "\n".join(reading.log),
        "the home": reading.held.decode("latin-1"),
    }
    shown = [f"{place} shows {one}" for place, text in places.items() for one in secrets if one in text]
    assert shown == []


@each
def test_one_denied_region_costs_that_region_alone(provider: str, sandbox: Sandbox, tmp_path: Path) -> None:
    facts = discovery.found()[provider]
    regions = sorted({one.region for one in expected(provider) if one.region})
    if len(regions) < 2 or not clouds()[provider].regional:
        pytest.skip("its listings are not cut by regions")
    # The last: listings of a whole account are asked in the first.
    denied = regions[-1]
    sandbox.fault(provider, "403", **denial(provider, denied))
    found = read(provider, sandbox, tmp_path)
    assert {(one.region, one.code) for one in found.missing} == {(denied, "forbidden")}
    told = {id(one) for one in matched(found.rows, expected(provider)).values()}
    everywhere = {kind for name in facts.everywhere for kind in facts.lists[name]}
    gone = [one for one in expected(provider) if id(one) not in told]
    assert {one.region for one in gone} == {denied}
    here = [one for one in expected(provider) if one.region == denied and one.type not in everywhere]
    assert len(here) <= len(gone) or not here
    assert [row["uid"] for row in found.rows if row["_scope"].region == denied] == []


@each
def test_a_wrong_key_costs_its_account_alone(provider: str, sandbox: Sandbox, tmp_path: Path) -> None:
    accounts = list(clouds()[provider].accounts)
    if len(accounts) < 2:
        pytest.skip("it has one account here")
    found = read(provider, sandbox, tmp_path, change=wrong_key(provider, accounts[1]))
    assert {(one.account, one.code) for one in found.missing} == {(accounts[1], "unauthorized")}
    things = [one for one in expected(provider) if one.account == accounts[0]]
    assert {id(one) for one in matched(found.rows, things).values()} == {id(one) for one in things}


@each
def test_one_account_and_one_type_can_be_read_alone(provider: str, sandbox: Sandbox, tmp_path: Path) -> None:
    account = list(company.file(provider)["accounts"])[-1]
    kind = types_of(provider)[0]
    asked = Asked((provider,), types=(kind,), accounts=(account,))
    found = read(provider, sandbox, tmp_path, asked)
    things = [one for one in expected(provider, kind) if one.account == account]
    assert {row["account"] for row in found.rows} == {account}
    assert {id(one) for one in matched(found.of(kind), things).values()} == {id(one) for one in things}


@pytest.mark.parametrize(("provider", "listing"), LISTINGS)
def test_a_listing_that_lost_an_answer_is_never_complete_with_fewer_rows(
    provider: str, listing: str, sandbox: Sandbox, reading: Reading, tmp_path: Path
) -> None:
    """The cloud fails from each request of a listing on: then the listing fails, or no row is lost."""
    longest = max(
        (scope for scope in reading.complete if scope.kind == listing),
        key=lambda scope: sum(row["_scope"] == scope for row in reading.rows),
    )
    whole = {row["id"] for row in reading.rows if row["_scope"] == longest}
    first = inventories.one_scope(provider, sandbox, tmp_path / "whole", longest)
    assert {row["id"] for row in first.rows} == whole
    if not set(discovery.found()[provider].lists[listing]) <= set(clouds()[provider].unpaged):
        assert len(whole) < 2 or len(first.requests) > 1, "a listing of several records must have two pages"
    for number in range(len(first.requests)):
        sandbox.calm()
        sandbox.fault(provider, "500", after=number)
        found = inventories.one_scope(provider, sandbox, tmp_path / str(number), longest)
        ids = {row["id"] for row in found.rows}
        failed = [one for one in found.missing if one.severity == "error"]
        assert ids == whole or (failed and not any(found.complete.values())), (number, failed)
        assert number or failed, "a first answer that fails was not noticed"


@pytest.mark.parametrize(
    ("provider", "listing"), [(name, kind) for name in PROVIDERS for kind in inventories.told(name)]
)
async def test_replies_in_its_own_format_become_the_rows_expected_by_hand(
    provider: str, listing: str, tmp_path: Path
) -> None:
    about = inventories.told(provider)[listing]
    rows, notes, asked = await inventories.from_replies(provider, listing, tmp_path)
    got = {row.id: row for row in rows}
    assert sorted(got) == sorted(str(one["id"]) for one in about["rows"]), asked
    assert len(got) == len(rows)
    for wanted in about["rows"]:
        row = got[str(wanted["id"])]
        assert {name: plain(getattr(row, name)) for name in wanted} == wanted, row.id
    said = " ".join(f"{one.message} {one.next_step}" for one in notes)
    assert [text for text in about.get("notes", ()) if text not in said] == []
    assert bool(notes) == bool(about.get("notes")), said


def plain(value: Any) -> Any:
    """A field as YAML writes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, tuple):
        return [{name: getattr(one, name) for name in ("gpu", "count", "memory_gib")} for one in value]
    return dict(value) if isinstance(value, dict) else value


@each
def test_its_facts_agree_with_each_other(provider: str) -> None:
    facts = discovery.found()[provider]
    assert "resources" in facts.kinds
    connector = discovery.connector_class(facts)
    for kind, types in facts.lists.items():
        assert hasattr(connector, kind), f"there is no method for the listing {kind}"
        assert set(types) <= set(resource_types.types())
    assert set(facts.everywhere) <= set(facts.lists)
    for kind, told in (*facts.metrics.items(), *facts.untold.items()):
        assert kind in types_of(provider)
        assert set(told) <= set(metrics.metrics())
    for kind, told in facts.metrics.items():
        assert not set(told) & set(facts.untold.get(kind, {})), f"{kind}: told and untold"
        assert all(kind in metrics.metrics()[name].of for name in told), kind
    assert {one.group for one in facts.services.values()} <= set(resource_types.facts()["groups"])
