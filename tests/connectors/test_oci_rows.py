"""What Oracle's records mean: traps by hand, and every listing with any field missing."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Gpus, Resource
from connectors import discovery, oci_compute, oci_containers, oci_databases, oci_network, oci_storage
from connectors.oci_rows import moment, raw, tags
from tests.connectors.oci_records import KINDS

FIELDS = tuple(one.name for one in fields(Resource) if one.name not in ("raw", "details"))


def columns(row: Resource) -> dict[str, Any]:
    """A row by its columns, each fact of its details one of them; what is empty is left out."""
    found = {name: getattr(row, name) for name in FIELDS}
    found |= {f"details.{name}": value for name, value in row.details.items()}
    return {name: value for name, value in found.items() if value not in (None, ())}


def changed_without(kind: str, gone: set[str]) -> set[str]:
    about = KINDS[kind]
    whole = about.row(about.record)
    less = about.row({name: value for name, value in about.record.items() if name not in gone})
    assert whole is not None
    assert less is not None, f"without {gone} the record is lost"
    before, after = columns(whole), columns(less)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_every_listing_has_a_record_here() -> None:
    assert set(KINDS) == set(discovery.found()["oci"].lists)


@pytest.mark.parametrize("kind", KINDS)
def test_any_one_missing_field_changes_what_it_tells_and_nothing_else(kind: str) -> None:
    about = KINDS[kind]
    assert about.row({name: value for name, value in about.record.items() if name != about.key}) is None
    for name in about.record.keys() - {about.key}:
        assert changed_without(kind, {name}) == set(about.parts.get(name, "").split()), name


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_any_missing_fields_together_lose_no_record(kind: str, data: st.DataObject) -> None:
    about = KINDS[kind]
    gone = data.draw(st.sets(st.sampled_from(sorted(about.record.keys() - {about.key}))))
    told = {name for one in gone for name in about.parts.get(one, "").split()}
    doubled = {"size_gb", "details.cidr", "gpus"}  # told by two fields, of which one is enough
    assert changed_without(kind, gone) - doubled <= told


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_nulls_and_values_of_another_kind_in_a_record_lose_no_row(kind: str, data: st.DataObject) -> None:
    about = KINDS[kind]
    name = data.draw(st.sampled_from(sorted(about.record.keys() - {about.key})))
    row = about.row({**about.record, name: None})
    assert row is not None
    assert row.status in STATUSES
    json.dumps(row.details)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_has_what_its_listing_promises_and_can_be_kept(kind: str) -> None:
    row = KINDS[kind].row(KINDS[kind].record)
    assert row is not None
    assert row.type in discovery.found()["oci"].lists[kind]
    assert row.status in STATUSES
    assert None not in row.details.values()
    assert all(value.tzinfo is UTC for value in columns(row).values() if isinstance(value, datetime))


@pytest.mark.parametrize(
    ("shape", "made", "vcpus", "expected"),
    [
        ("VM.Standard.E5.Flex", {"ocpus": 4}, 8, ()),
        ("VM.Standard.A1.Flex", {"ocpus": 4}, 4, ()),
        ("VM.Standard.E5.Flex", {"ocpus": 4, "vcpus": 6}, 6, ()),
        ("BM.GPU.H100.8", {"ocpus": 112, "gpus": 8}, 224, (Gpus("H100", 8, 80),)),
        ("BM.GPU4.8", {}, None, (Gpus("A100", 8, 40),)),
        ("VM.GPU.X9.2", {"gpus": 2, "gpuDescription": "NVIDIA® L40S"}, None, (Gpus("L40S", 2, 48),)),
        ("VM.GPU.X9.2", {"gpus": 2}, None, (Gpus("unknown", 2, None),)),
    ],
)
def test_vcpus_and_gpus_of_a_shape(
    shape: str, made: Any, vcpus: float | None, expected: tuple[Gpus, ...]
) -> None:
    row = oci_compute.instance({"id": "i", "shape": shape, "shapeConfig": made})
    assert row is not None
    assert (row.vcpus, row.gpus) == (vcpus, expected)


def test_a_shape_that_an_instance_does_not_tell_is_that_of_the_region() -> None:
    shapes = {"VM.Standard2.4": {"ocpus": 4, "memoryInGBs": 60}}
    row = oci_compute.instance({"id": "i", "shape": "VM.Standard2.4", "shapeConfig": {"ocpus": None}}, shapes)
    assert row is not None
    assert (row.vcpus, row.ram_gib, row.spot) == (8, 60, False)


@pytest.mark.parametrize(
    ("holders", "state", "status"),
    [
        ({"v": "i"}, "AVAILABLE", "available"),
        ({}, "AVAILABLE", "unattached"),
        (None, "AVAILABLE", "available"),
        ({}, "PROVISIONING", "starting"),
        ({}, "FAULTY", "failed"),
        ({}, "SOMETHING_NEW", "unknown"),
    ],
)
def test_a_volume_is_unattached_only_where_all_attachments_are_known(
    holders: dict[str, str] | None, state: str, status: str
) -> None:
    row = oci_storage.volume({"id": "v", "lifecycleState": state}, holders)
    assert row is not None
    assert row.status == status


def test_backups_and_images_are_there_unless_they_are_being_made_or_broken() -> None:
    states = {"AVAILABLE": "available", "REQUEST_RECEIVED": "starting", "FAULTY": "failed"}
    for word, status in states.items():
        made = oci_storage.backup({"id": "ocid1.volumebackup.oc1.iad.a", "lifecycleState": word})
        assert made is not None
        assert made.status == status
    states = {
        "IMPORTING": "starting",
        "EXPORTING": "available",
        "DISABLED": "stopped",
        "DELETED": "terminated",
    }
    for word, status in states.items():
        image = oci_storage.image({"id": "ocid1.image.oc1.iad.a", "lifecycleState": word})
        assert image is not None
        assert image.status == status


def test_an_empty_bucket_has_no_bytes_and_one_that_tells_nothing_is_not_known() -> None:
    told = oci_storage.bucket({"name": "b", "approximateSize": 0, "approximateCount": 0})
    untold = oci_storage.bucket({"name": "b"})
    assert told is not None
    assert untold is not None
    assert (told.size_bytes, told.object_count) == (0, 0)
    assert (untold.size_bytes, untold.object_count, untold.tags) == (None, None, None)


@pytest.mark.parametrize(
    ("pools", "nodes"),
    [
        (None, None),
        ({}, 0),
        ({"c": [{"nodeConfigDetails": {"size": 2}}, {"nodeConfigDetails": {"size": 3}}]}, 5),
        ({"c": [{"nodeConfigDetails": {"size": 2}}, {}]}, None),
    ],
)
def test_a_cluster_has_the_nodes_of_all_its_pools_or_they_are_not_known(
    pools: Any, nodes: int | None
) -> None:
    row = oci_containers.cluster({"id": "c", "lifecycleState": "ACTIVE"}, pools)
    assert row is not None
    assert row.node_count == nodes


@pytest.mark.parametrize("state", ["AVAILABLE", "UNASSIGNED"])
def test_an_address_that_stands_at_nothing_is_unattached(state: str) -> None:
    row = oci_network.address({"id": "a", "lifecycleState": state})
    assert row is not None
    assert row.status == "unattached"


def test_an_autonomous_database_that_needs_attention_runs_and_says_so() -> None:
    row = oci_databases.autonomous(
        {"id": "a", "lifecycleState": "AVAILABLE_NEEDS_ATTENTION", "lifecycleDetails": "The wallet expires."}
    )
    assert row is not None
    assert (row.status, row.health, row.health_message) == ("running", "degraded", "The wallet expires.")


def test_terabytes_are_gigabytes_too() -> None:
    row = oci_databases.autonomous({"id": "a", "dataStorageSizeInTBs": 2})
    assert row is not None
    assert row.size_gb == 2048


def test_tags_of_both_kinds_are_told_and_none_are_not_unknown_ones() -> None:
    record = {"freeformTags": {"env": "prod"}, "definedTags": {"Finance": {"CostCenter": "4711"}, "x": None}}
    assert tags(record) == {"env": "prod", "Finance.CostCenter": "4711"}
    assert tags({"freeformTags": {}}) == {}
    assert tags({}) is None


def test_what_a_machine_runs_when_it_starts_is_not_kept() -> None:
    record = {
        "id": "i",
        "metadata": {"user_data": "c2VjcmV0", "ssh_authorized_keys": "ssh-rsa"},
        "extendedMetadata": {"a": "b"},
        "kmsKeyId": "ocid1.key",
    }
    assert json.loads(raw(record)) == {"id": "i", "kmsKeyId": "ocid1.key"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01T10:00:00.123Z", datetime(2026, 5, 1, 10, 0, 0, 123000, UTC)),
        ("2026-05-01T12:00:00+02:00", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_utc_whoever_wrote_them(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected
