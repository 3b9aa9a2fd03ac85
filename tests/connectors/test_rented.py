"""RunPod's and Vast.ai's inventories: rows with any field missing, secrets, what a key may, the balance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Resource
from cloudtop.models import Scope
from cloudtop.sandbox.serve import Sandbox
from connectors import runpod_inventory, vast_inventory
from connectors.rented import values
from connectors.rows import Record
from mcp_server.inventory import Asked
from tests.connectors import inventories
from tests.connectors.inventories import amid, told
from tests.faults.house import House, LeapingClock

Row = Callable[[Record], Resource | None]

POD = {
    **told("runpod")["pods"]["replies"][1]["body"]["pods"][0],
    "cpu": {"id": "c", "vcpuCount": 2, "memory": 4},
}
ENDPOINT = told("runpod")["endpoints"]["replies"][2]["body"]["endpoints"][0]
VOLUME = told("runpod")["network_volumes"]["replies"][2]["body"]["networkVolumes"][0]
INSTANCE = told("vast")["instances"]["replies"][1]["body"]["instances"][0]
STORED = told("vast")["volumes"]["replies"][0]["body"]["volumes"][0]
KINDS: Mapping[str, tuple[Row, Mapping[str, Any]]] = {
    "pod": (runpod_inventory.pod, POD),
    "endpoint": (lambda one: runpod_inventory.endpoint(one, {"running": 1, "total": 1}), ENDPOINT),
    "network volume": (lambda one: runpod_inventory.network_volume(one, {"vol-1": ["p"]}), VOLUME),
    "instance": (vast_inventory.instance, INSTANCE),
    "volume": (vast_inventory.volume, STORED),
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip
kinds = st.sampled_from(sorted(KINDS))


@pytest.fixture(autouse=True, scope="module")
def catalogues() -> None:
    """Read once here, so that no property test counts the reading as its own time."""
    for row, record in KINDS.values():
        row(record)


def columns(row: Resource) -> dict[str, Any]:
    kept = {
        one.name: getattr(row, one.name) for one in fields(Resource) if one.name not in ("raw", "details")
    }
    return {**kept, **{f"details.{name}": value for name, value in row.details.items()}}


@given(kind=kinds, data=st.data())
def test_any_missing_fields_lose_no_row_and_tell_nothing_new(kind: str, data: st.DataObject) -> None:
    row, record = KINDS[kind]
    gone = data.draw(st.sets(st.sampled_from(sorted(record.keys() - {"id"}))))
    whole, less = row(record), row({name: value for name, value in record.items() if name not in gone})
    assert whole is not None
    assert less is not None
    before, after = columns(whole), columns(less)
    known = {name for name, value in after.items() if value not in (None, ()) and value != before.get(name)}
    # What a price, status, machine type or memory is follows from several fields.
    assert known <= {"status", "usd_per_hour", "instance_type", "gpus", "health"}, gone


@given(kind=kinds, data=st.data())
def test_values_of_any_kind_lose_no_row(kind: str, data: st.DataObject) -> None:
    row, record = KINDS[kind]
    name = data.draw(st.sampled_from(sorted(record.keys() - {"id"})))
    made = row({**record, name: data.draw(JUNK)})
    assert made is not None
    assert made.status in STATUSES
    assert None not in made.details.values()
    json.dumps(made.details)


PLANTED: Mapping[str, Mapping[str, Any]] = {
    "pod": {"env": {"A": "planted"}, "args": "planted", "ssh": {"proxy": "planted"}},
    "endpoint": {"env": {"A": "planted"}, "args": "planted"},
    "instance": {"extra_env": [["A", "planted"]], "onstart": "planted", "image_args": ["planted"],
                 "jupyter_token": "planted", "ssh_host": "planted"},
}  # fmt: skip


@pytest.mark.parametrize("kind", PLANTED)
def test_what_an_owner_gave_a_container_is_in_no_row_and_no_record(kind: str) -> None:
    row, record = KINDS[kind]
    for name, value in PLANTED[kind].items():
        made = row({**record, name: value})
        assert made is not None
        assert "planted" not in f"{made!r}", name
    shown = row({**record, "anything": "planted"})
    assert shown is not None
    assert "planted" in f"{shown!r}"


@pytest.mark.parametrize(
    ("actual", "wanted", "status", "usd"),
    [
        ("running", "running", "running", 1.0),
        ("running", "stopped", "stopping", 1.0),
        ("loading", "running", "starting", 1.0),
        ("loading", "stopped", "stopping", 1.0),
        (None, "running", "starting", 1.0),
        (None, "stopped", "stopped", 0.25),
        ("exited", "stopped", "stopped", 0.25),
        ("offline", "running", "failed", None),
        ("unknown", "running", "unknown", None),
        ("brand-new-word", "running", "unknown", None),
    ],
)
def test_an_instance_of_vast_costs_what_it_is(
    actual: str | None, wanted: str, status: str, usd: float | None
) -> None:
    told = {"id": 1, "actual_status": actual, "intended_status": wanted}
    row = vast_inventory.instance({**told, "dph_total": 1.0, "storage_total_cost": 0.25})
    assert row is not None
    assert (row.status, row.usd_per_hour) == (status, usd)


@pytest.mark.parametrize(
    ("counts", "most", "expected"),
    [
        ({"running": 1, "total": 1}, 3, ("running", "healthy")),
        ({"idle": 1, "unhealthy": 1, "total": 2}, 3, ("running", "degraded")),
        ({"unhealthy": 2, "total": 2}, 3, ("failed", "failing")),
        ({"throttled": 2, "total": 2}, 3, ("starting", "degraded")),
        ({"initializing": 1, "total": 1}, 3, ("starting", None)),
        ({"total": 0}, 3, ("available", None)),
        ({"total": 0}, 0, ("stopped", None)),
        ({}, 3, ("unknown", None)),
    ],
)
def test_an_endpoint_is_as_its_workers_are(
    counts: dict[str, int], most: int, expected: tuple[str, str | None]
) -> None:
    assert runpod_inventory.state(counts, most)[:2] == expected


def test_a_value_is_read_where_the_facts_say_and_what_is_not_known_is_none() -> None:
    record = {"a": {"b": 5}, "used": 2.0, "all": 8, "none": 0, "lost": -1, "each": [{"u": 1}, {}, {"u": 0}]}
    assert list(values(record, {"at": "a.b"})) == [(None, 5.0)]
    assert list(values(record, {"at": "used", "of": "all", "times": 100})) == [(None, 25.0)]
    assert list(values(record, {"at": "used", "of": "none", "times": 100})) == []
    assert list(values(record, {"at": "lost"})) == []
    assert list(values(record, {"each": "each", "at": "u"})) == [("0", 1.0), ("2", 0.0)]
    assert list(values({"each": None}, {"each": "each", "at": "u"})) == []


@pytest.fixture(scope="module")
def both() -> Iterator[dict[str, Sandbox]]:
    with amid("runpod") as runpod, amid("vast") as vast:
        yield {"runpod": runpod, "vast": vast}


def checks(sandbox: Sandbox, home: Path, provider: str, kind: str) -> dict[str, dict[str, Any]]:
    """What one account's health or permissions say, by check or kind."""

    async def asked() -> list[dict[str, Any]]:
        house = House(home, sandbox, LeapingClock())
        scope = house.fleet.here(Scope(provider, "prod", kind=kind))
        try:
            harvest = await house.fleet.read([scope], deadline_s=60)
            assert harvest.missing == []
            return list(house.fleet.rows(scope))
        finally:
            await house.close()

    return {row["name" if kind == "permissions" else "check"]: row for row in asyncio.run(asked())}


def test_the_end_of_graphql_costs_the_balance_alone(both: dict[str, Sandbox], tmp_path: Path) -> None:
    both["runpod"].calm()
    both["runpod"].fault("runpod", "410", path="/graphql")
    found = checks(both["runpod"], tmp_path, "runpod", "health")
    assert (found["api"]["status"], found["credentials"]["status"]) == ("healthy", "healthy")
    assert "The balance is not known" in found["credentials"]["message"]


@pytest.mark.parametrize(
    ("provider", "path", "missing", "allowed"),
    [("runpod", "/v2/serverless", "endpoints", "pods"), ("vast", "/api/v0/volumes/", "volumes", "instances")],
)
def test_what_a_key_may_not_is_told_of_that_kind(
    both: dict[str, Sandbox], tmp_path: Path, provider: str, path: str, missing: str, allowed: str
) -> None:
    both[provider].calm()
    both[provider].fault(provider, "403", path=path)
    found = checks(both[provider], tmp_path, provider, "permissions")
    assert (found[missing]["status"], found[allowed]["status"]) == ("failing", "healthy")


def test_a_volume_is_unattached_only_where_all_users_are_known(
    both: dict[str, Sandbox], tmp_path: Path
) -> None:
    both["runpod"].calm()
    both["runpod"].fault("runpod", "403", path="/v2/serverless")
    asked = Asked(("runpod",), types=("volume",), accounts=("prod",))
    found = inventories.read("runpod", both["runpod"], tmp_path, asked)
    assert {row["status"] for row in found.rows} == {"available"}
    assert [one.severity for one in found.missing] == ["warning"]


def test_vast_asks_for_a_pause_in_plain_text_and_gets_it(both: dict[str, Sandbox], tmp_path: Path) -> None:
    both["vast"].calm()
    both["vast"].fault("vast", "429-text", path="/api/v1/instances/", times=1)
    asked = Asked(("vast",), types=("instance",), accounts=("prod",))
    found = inventories.read("vast", both["vast"], tmp_path, asked)
    assert found.missing == []
    assert len(found.rows) == 24


def test_times_that_are_none_are_not_taken_for_some() -> None:
    assert runpod_inventory.moment("0001-01-01T00:00:00Z") is None
    assert runpod_inventory.moment("2026-06-01T12:00:00+02:00") == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert vast_inventory.moment(0) is None
    assert vast_inventory.moment(1764547200.5) == datetime(2025, 12, 1, 0, 0, 0, 500_000, tzinfo=UTC)
