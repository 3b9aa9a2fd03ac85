"""What Google's records mean with any field missing or empty, and words that no reply tells."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Gpus, Resource
from connectors import discovery, gcp_compute, gcp_containers, gcp_databases, gcp_network, gcp_storage
from connectors.gcp_rows import located, moment, raw
from tests.connectors import inventories

Path = tuple[Any, ...]
MADE = {"n1-standard-8": gcp_compute.Made(8.0, 30.0)}
ROWS: dict[str, tuple[str, str, Callable[[Any], Resource | None]]] = {
    # listing -> where its records are in a reply, what names one, how it becomes a row
    "instances": ("instances", "id", lambda one: gcp_compute.instance(one, MADE) if one.get("id") else None),
    "volumes": ("disks", "id", gcp_storage.volume),
    "snapshots": ("items", "id", gcp_storage.snapshot),
    "images": ("items", "id", gcp_storage.image),
    "buckets": ("items", "name", gcp_storage.bucket),
    "networks": ("items", "id", gcp_network.network),
    "subnetworks": ("subnetworks", "id", gcp_network.subnetwork),
    "firewalls": ("items", "id", gcp_network.firewall),
    "addresses": ("addresses", "id", gcp_network.address),
    "forwarding_rules": ("forwardingRules", "id", gcp_network.balancer),
    "clusters": ("clusters", "id", gcp_containers.cluster),
    "functions": ("functions", "name", gcp_containers.function),
    "run_services": ("services", "name", gcp_containers.service),
    "databases": ("items", "name", gcp_databases.database),
}

TOLD = inventories.told("gcp")


def read(kind: str) -> list[Any]:
    """The records of a listing's fixture."""
    key, ident, _ = ROWS[kind]
    bodies = [one["body"] for one in TOLD[kind]["replies"]]
    parts = [part for body in bodies for part in (body.get("items") or {}, body)]
    listed = [[part] if key in part else part.values() if isinstance(part, dict) else () for part in parts]
    found = [
        holder[key] for holders in listed for holder in holders if isinstance(holder, dict) and key in holder
    ]
    every = [one for some in found if isinstance(some, list) for one in some if one.get(ident)]
    assert every, kind
    return every


RECORDS = {kind: read(kind) for kind in ROWS}


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The way to every field at any depth."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        if isinstance(value, dict):
            yield (*above, name)
        yield from paths(inner, (*above, name))


def changed(record: Any, path: Path, value: Any = None, *, gone: bool = False) -> Any:
    made = copy.deepcopy(dict(record))
    place: Any = made
    for name in path[:-1]:
        place = place[name]
    if gone:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


def well(kind: str, row: Resource | None) -> None:
    """Whatever is missing, a row keeps its promises."""
    assert row is not None
    assert row.status in STATUSES
    assert row.type in discovery.found()["gcp"].lists[kind]
    assert None not in row.details.values()
    assert json.loads(json.dumps(row.details)) == row.details
    assert "canary" not in repr(row)


def test_every_listing_has_records_here() -> None:
    assert set(ROWS) == set(discovery.found()["gcp"].lists)


@pytest.mark.parametrize("kind", ROWS)
def test_any_one_missing_or_empty_field_loses_no_record(kind: str) -> None:
    _, ident, row = ROWS[kind]
    for record in RECORDS[kind]:
        whole = row(record)
        well(kind, whole)
        for path in paths(record):
            if path == (ident,):
                continue
            less = row(changed(record, path, gone=True))
            well(kind, less)
            assert less is not None
            assert whole is not None
            assert less.id == whole.id
            found: Any = record
            for name in path:
                found = found[name]
            for empty in (None, type(found)()):
                well(kind, row(changed(record, path, empty)))


@given(kind=st.sampled_from(sorted(ROWS)), data=st.data())
def test_any_missing_fields_together_lose_no_record(kind: str, data: st.DataObject) -> None:
    _, ident, row = ROWS[kind]
    record = data.draw(st.sampled_from(RECORDS[kind]))
    names = sorted(set(record) - {ident})
    gone = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    well(kind, row({name: value for name, value in record.items() if name not in gone}))


@pytest.mark.parametrize("kind", ROWS)
def test_a_record_without_what_names_it_is_no_row(kind: str) -> None:
    assert ROWS[kind][2]({"status": "READY"}) is None


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [
        ("nvidia-tesla-t4", 2, Gpus("T4", 2.0, 16.0)),
        ("projects/p/zones/z/acceleratorTypes/nvidia-tesla-t4-vws", 1, Gpus("T4", 1.0, 16.0)),
        ("nvidia-a100-80gb", "8", Gpus("A100", 8.0, 80.0)),
        ("nvidia-x9000", None, Gpus("nvidia-x9000", 1.0, None)),
        (None, 4, None),
    ],
)
def test_accelerators_are_the_gpus_that_they_name(name: Any, count: Any, expected: Gpus | None) -> None:
    assert gcp_compute.accelerator(name, count) == expected


def test_gpus_of_a_type_are_never_added_to_those_that_the_instance_tells() -> None:
    types = {"x9-2g": gcp_compute.made_of("x9-2g", {"accelerators": [
        {"guestAcceleratorType": "nvidia-l4", "guestAcceleratorCount": 2}]})}  # fmt: skip
    url = "https://x/zones/us-west1-a/machineTypes/x9-2g"
    alone = gcp_compute.instance({"id": "1", "machineType": url}, types)
    gpu = {"acceleratorType": "https://x/acceleratorTypes/nvidia-l4", "acceleratorCount": 2}
    told = gcp_compute.instance({"id": "1", "machineType": url, "guestAccelerators": [gpu]}, types)
    assert alone.gpus == told.gpus == (Gpus("L4", 2.0, 24.0),)
    assert (alone.zone, alone.region) == ("us-west1-a", "us-west1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("256M", 256.0), ("256Mi", 256.0), ("1Gi", 1024.0), ("2G", 2048.0), ("268435456", 256.0), ("512Ki", 0.5),
     ("a lot", None), ("", None), (None, None), ("0", None)],
)  # fmt: skip
def test_memory_is_read_in_every_unit_that_google_writes(text: Any, expected: float | None) -> None:
    assert gcp_containers.memory_mb(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("POSTGRES_16", ("postgres", "16")), ("MYSQL_8_0_36", ("mysql", "8.0.36")),
     ("SQLSERVER_2022_ENTERPRISE", ("sqlserver", "2022")), (None, (None, None))],
)  # fmt: skip
def test_engine_and_version_of_a_database(text: Any, expected: Any) -> None:
    assert gcp_databases.engine_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("us-central1", ("us-central1", None)), ("us-central1-a", ("us-central1", "us-central1-a")),
     ("EUR4", ("eur4", None)), ("US", ("us", None)), (None, (None, None))],
)  # fmt: skip
def test_a_location_is_a_region_or_a_zone(text: Any, expected: Any) -> None:
    assert located(text) == expected


def test_times_are_utc_with_any_offset_and_length() -> None:
    assert moment("2026-03-01T02:03:04.567-08:00") == datetime(2026, 3, 1, 10, 3, 4, 567000, UTC)
    assert moment("2026-03-01T10:03:04.567123999Z") == datetime(2026, 3, 1, 10, 3, 4, 567123, UTC)
    assert moment("soon") is moment(None) is moment(7) is None


def test_what_may_be_a_secret_is_not_kept_and_what_is_none_is() -> None:
    kept = json.loads(raw({
        "metadata": {"items": [{"key": "a", "value": "canary"}]},
        "diskEncryptionKey": {"kmsKeyName": "k", "rawKey": "canary", "sha256": "canary"},
        "template": {"containers": [{"image": "i", "env": [{"name": "a", "value": "canary"}]}]},
        "buildConfig": {"environmentVariables": {"A": "canary"}},
    }))  # fmt: skip
    assert kept == {
        "diskEncryptionKey": {"kmsKeyName": "k"},
        "template": {"containers": [{"image": "i"}]},
        "buildConfig": {},
    }


def test_a_machine_under_repair_is_not_well() -> None:
    row = gcp_compute.instance({"id": "1", "status": "REPAIRING"}, {})
    assert (row.status, row.health, row.health_message) == ("failed", "failing", gcp_compute.BROKEN)
    said = gcp_compute.instance({"id": "1", "status": "REPAIRING", "statusMessage": "The host broke."}, {})
    assert said.health_message == "The host broke."
    assert gcp_compute.instance({"id": "1", "status": "RUNNING"}, {}).health is None
