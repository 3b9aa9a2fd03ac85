"""The sandbox's machines and disks are as azure-mgmt-compute knows them: no field of another name or form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudtop.sandbox.azure import records
from cloudtop.sandbox.fleet import Fleet

models = pytest.importorskip("azure.mgmt.compute.models")

FLEET = Fleet("azure", datetime(2026, 11, 28, 12, 30, tzinfo=UTC))
KINDS = {
    "Microsoft.Compute/virtualMachines": models.VirtualMachine,
    "Microsoft.Compute/disks": models.Disk,
    "Microsoft.Compute/snapshots": models.Snapshot,
    "Microsoft.Compute/images": models.Image,
    "Microsoft.Compute/virtualMachineScaleSets": models.VirtualMachineScaleSet,
}


def unknown(model: Any, record: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The fields of a record that its model does not know, at any depth."""
    fields = {field._rest_name: name for name, field in model._attr_to_rest_field.items()}
    for key, value in record.items():
        inner = getattr(model, fields[key]) if key in fields else None
        if key not in fields:
            yield f"{above}{key}"
        elif isinstance(value, Mapping) and hasattr(inner, "_attr_to_rest_field"):
            yield from unknown(inner, value, f"{above}{key}.")
        elif isinstance(value, list) and inner and hasattr(inner[0], "_attr_to_rest_field"):
            for one, told in zip(inner, value, strict=True):
                yield from unknown(one, told, f"{above}{key}.")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_one_that_the_sdk_knows(kind: str) -> None:
    told = [one for account in FLEET.accounts for one in records.held(FLEET, account, kind)]
    assert told
    for one in told:
        assert list(unknown(KINDS[kind](one), one)) == [], one["name"]


def test_members_of_scale_sets_states_and_sizes_are_such_too() -> None:
    members = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
    for one in records.held(FLEET, "prod", members, "aks-gpu-vmss"):
        assert list(unknown(models.VirtualMachineScaleSetVM(one), one)) == []
    for one in records.states(FLEET, "prod"):
        assert list(unknown(models.VirtualMachine(one), one)) == []
    for one in records.skus(FLEET, "eastus"):
        assert list(unknown(models.ResourceSku(one), one)) == []


def test_a_field_of_another_name_is_found() -> None:
    one = records.held(FLEET, "prod", "Microsoft.Compute/disks")[0]
    one["properties"]["diskSizeGb"] = 1
    assert list(unknown(models.Disk(one), one)) == ["properties.diskSizeGb"]


def test_times_are_such_as_the_sdk_reads() -> None:
    one = models.Disk(records.held(FLEET, "prod", "Microsoft.Compute/disks")[0])
    assert one.properties.time_created == datetime(2026, 4, 28, 12, 0, 0, 123456, UTC)
