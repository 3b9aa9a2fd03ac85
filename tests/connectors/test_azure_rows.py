"""What Azure's records mean: a missing field makes something unknown, and loses or invents nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Gpus, Resource
from connectors import azure_compute, azure_metrics, azure_rows, discovery
from tests.connectors.azure_records import BESIDE, KINDS, record, row

Path = tuple[Any, ...]
FIELDS = tuple(one.name for one in fields(Resource) if one.name not in ("raw", "details"))
UNKNOWN = (None, (), {}, [], False, "unknown", "unattached")
SECOND_BEST = {
    ("clusters", "status"),  # what was done last, without what it is
    ("clusters", "status_raw"),
    ("containers", "status_raw"),
    ("instances", "status_raw"),
    ("postgres_servers", "zone"),  # without its region a zone is a number alone
    *((kind, "created_at") for kind in KINDS),
}
"""Columns that something else tells when the best is missing."""


def columns(found: Resource) -> dict[str, Any]:
    told = {name: getattr(found, name) for name in FIELDS}
    return told | {f"details.{name}": value for name, value in found.details.items()}


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The way to every field at any depth."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        if isinstance(value, dict):
            yield (*above, name)
        yield from paths(inner, (*above, name))


def without(kind: str, gone: list[Path]) -> dict[str, Any]:
    changed = copy.deepcopy(record(kind))
    for path in sorted(gone, key=len, reverse=True):
        place: Any = changed
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
    return changed


def test_every_listing_has_a_record_here() -> None:
    assert set(KINDS) == set(discovery.found()["azure"].lists)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_record_makes_a_whole_row(kind: str) -> None:
    made = row(kind, record(kind))
    assert made is not None
    assert (made.name, made.tags) == ("one", {"env": "prod", "empty": ""})
    assert made.region == "eastus"
    assert made.status in STATUSES
    assert made.status not in ("unknown", "unattached")
    assert made.type in discovery.found()["azure"].lists[kind]
    assert json.loads(json.dumps(made.details)) == made.details
    assert None not in made.details.values()
    assert made.details["resource_group"] == "shop"
    times = [value for value in columns(made).values() if isinstance(value, datetime)]
    assert all(value.tzinfo is UTC for value in times)
    assert times


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_what_is_missing_is_unknown_and_nothing_else_changes(kind: str, data: st.DataObject) -> None:
    every = [path for path in paths(record(kind)) if path != ("id",)]
    gone = data.draw(st.lists(st.sampled_from(every), unique=True, max_size=6))
    gone = [path for path in gone if not any(path[: len(other)] == other for other in gone if other != path)]
    whole, less = row(kind, record(kind)), row(kind, without(kind, gone))
    assert whole is not None
    assert less is not None, f"without {gone} the record is lost"
    assert (less.id, less.type) == (whole.id, whole.type)
    before, after = columns(whole), columns(less)
    changed = {name for name in after if after[name] != before.get(name)}
    # A list and a sentence become shorter.
    kept = {name for name in changed if after[name] not in UNKNOWN and not shorter(after[name], before[name])}
    assert {(kind, name) for name in kept} <= SECOND_BEST, kept
    assert after["status"] in STATUSES


def shorter(after: Any, before: Any) -> bool:
    if isinstance(after, int | float) and isinstance(before, int | float):
        return after <= before
    return type(after) is type(before) and len(str(after)) < len(str(before))


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_field_loses_no_record(kind: str) -> None:
    for path in paths(record(kind)):
        if path[0] == "id":
            continue
        changed: Any = copy.deepcopy(record(kind))
        place = changed
        for name in path[:-1]:
            place = place[name]
        value = place[path[-1]]
        for empty in (None, type(value)() if value is not None else ""):
            place[path[-1]] = empty
            assert row(kind, changed) is not None, (path, empty)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_with_nothing_but_its_id_is_a_row(kind: str) -> None:
    made = row(kind, {"id": record(kind)["id"]})
    assert made is not None
    assert (made.name, made.region, made.created_at) == (None, None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_in_any_part_of_a_row(kind: str) -> None:
    one = record(kind)
    del one["systemData"]["createdBy"]
    assert "canary" not in repr(row(kind, one))


@pytest.mark.parametrize(
    ("codes", "status", "word"),
    [
        (["ProvisioningState/succeeded", "PowerState/running"], "running", "running"),
        (["ProvisioningState/succeeded", "PowerState/stopped"], "stopped", "stopped"),
        (["PowerState/deallocated"], "stopped", "deallocated"),
        (["PowerState/deallocating"], "stopping", "deallocating"),
        (["ProvisioningState/failed/AllocationFailed"], "failed", "failed"),
        (["ProvisioningState/creating"], "starting", "creating"),
        (["PowerState/unknown"], "unknown", "unknown"),
        (["PowerState/something-new"], "unknown", "something-new"),
        ([], "unknown", None),
    ],
)
def test_a_machine_is_what_its_power_state_says(codes: list[str], status: str, word: str | None) -> None:
    statuses = [{"code": code} for code in codes]
    one = record("instances")
    states = {one["id"].lower(): {"properties": {"instanceView": {"statuses": statuses}}}}
    made = azure_compute.instance(one, azure_compute.Beside(states))
    assert made is not None
    assert (made.status, made.status_raw) == (status, word)


@pytest.mark.parametrize(
    ("word", "usd", "paid"),
    [("deallocated", 0.0, None), ("hibernated", 0.0, None), ("stopped", None, True), ("running", None, None)],
)
def test_a_machine_is_paid_for_until_it_is_deallocated(
    word: str, usd: float | None, paid: bool | None
) -> None:
    one = record("instances")
    view = {"properties": {"instanceView": {"statuses": [{"code": f"PowerState/{word}"}]}}}
    made = azure_compute.instance(one, azure_compute.Beside({one["id"].lower(): view}))
    assert made is not None
    assert (made.usd_per_hour, made.details.get("paid_while_stopped")) == (usd, paid)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"storageProfile": {"osDisk": {"osType": "Windows"}}}, "Windows"),
        ({"storageProfile": {"osDisk": {"osType": "Windows"}}, "licenseType": "Windows_Server"}, None),
        ({"storageProfile": {"osDisk": {"osType": "Linux"}}}, None),
        (
            {"storageProfile": {"imageReference": {"publisher": "RedHat", "offer": "RHEL"}}},
            "Red Hat Enterprise Linux",
        ),
        ({"storageProfile": {"imageReference": {"publisher": "redhat", "offer": "rhel-byos"}}}, None),
        ({"host": {"id": "/subscriptions/s/h"}}, "dedicated host"),
    ],
)
def test_a_licence_or_a_host_makes_the_price_of_a_size_not_its_own(told: Any, why: str | None) -> None:
    one = {"id": "/subscriptions/s/resourceGroups/g/v", "properties": told}
    made = azure_compute.instance(one, azure_compute.Beside())
    assert made is not None
    assert made.details.get("priced_apart") == why


def test_addresses_of_a_machine_are_found_whatever_the_case_of_an_id() -> None:
    made = azure_compute.instance(record("instances"), BESIDE)
    assert made is not None
    assert (made.private_ip, made.public_ip, made.status) == ("10.0.0.4", "203.0.113.9", "running")


@pytest.mark.parametrize(
    ("size", "able", "expected"),
    [
        ("Standard_ND96isr_H100_v5", {}, (Gpus("H100", 8.0, 80.0),)),
        # Azure says one of a sixth of it.
        ("Standard_NV6ads_A10_v5", {"GPUs": "1"}, (Gpus("A10", 0.1667, 24.0),)),
        ("Standard_NC16ds_L40S_v9", {"GPUs": "2"}, (Gpus("L40S", 2.0, 48.0),)),
        ("Standard_NX16s_v9", {"GPUs": "4"}, (Gpus("unknown", 4.0, None),)),
        ("Standard_D4s_v5", {"vCPUs": "4", "GPUs": "0"}, ()),
        ("Standard_D4s_v5", {}, ()),
    ],
)
def test_gpus_of_a_size_are_known_by_its_name_and_counted_by_azure(
    size: str, able: dict[str, str], expected: tuple[Gpus, ...]
) -> None:
    sku = {"name": size, "capabilities": [{"name": name, "value": value} for name, value in able.items()]}
    assert azure_compute.gpus_of(size, azure_compute.made_of(sku)) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-01-02T03:04:05.1234567Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.4566667", datetime(2026, 1, 2, 3, 4, 5, 456666, UTC)),
        ("soon", None),
        (None, None),
        (12, None),
    ],
)
def test_times_are_utc_whoever_wrote_them(told: Any, expected: datetime | None) -> None:
    assert azure_rows.moment(told) == expected


def test_a_rule_may_name_one_port_or_several() -> None:
    about = {"access": "Allow", "direction": "Inbound"}
    rules = [
        {**about, "sourceAddressPrefix": "*", "destinationPortRange": "22"},
        {
            **about,
            "sourceAddressPrefixes": ["10.0.0.0/8", "Internet"],
            "destinationPortRanges": ["80", "443"],
        },
        {**about, "sourceAddressPrefix": "10.0.0.0/8", "destinationPortRange": "5432"},
        {**about, "sourceAddressPrefix": "*", "access": "Deny", "destinationPortRange": "25"},
    ]
    one = record("security_groups") | {
        "properties": {"securityRules": [{"properties": one} for one in rules]}
    }
    made = row("security_groups", one)
    assert made is not None
    assert (made.details["rules"], made.details["open_ports"]) == (4, ["22", "443", "80"])


def test_a_namespace_of_metrics_is_what_an_id_says() -> None:
    database = record("sql_databases")["id"].upper()
    assert azure_metrics.namespace(database) == "microsoft.sql/servers/databases"
    machine = record("instances")["id"]
    assert azure_metrics.namespace(machine) == "microsoft.compute/virtualmachines"
