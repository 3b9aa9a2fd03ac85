"""What an Oracle machine is billed as: expected by hand from Oracle's documentation."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.oci_compute import instance
from connectors.oci_prices import Part, machine_price

MADE = {"ocpus": 4, "memoryInGBs": 32}
PARTS = {
    "core": Part(0.03, "ocpu per hour"),
    "gb": Part(0.002, "gigabyte per hour"),
    "disk": Part(0.06, "nvme terabyte per hour"),
    "gpu": Part(2.0, "gpu per hour"),
}


def shape(name: str, preemptible: bool = False, **parts: float | None) -> dict[str, Any]:
    """A shape of the estimator's file: `core=4` is four of that part."""
    kinds = {"core": "ocpu", "gb": "memory"}
    products = [
        {"type": {"value": kinds.get(code, code)}, "partNumber": code, "qty": qty}
        for code, qty in parts.items()
    ]
    return {"name": name, "allowPreemptible": preemptible, "products": products}


SHAPES = {
    one["name"]: one
    for one in (
        shape("VM.Standard.E5.Flex", True, core=0, gb=0),
        shape("VM.DenseIO.E5.Flex", core=0, gb=0, disk=0),
        shape("VM.Standard2.4", core=4),
        shape("BM.DenseIO.E5.128", core=128, gb=1536, disk=80),
        shape("VM.Standard2.8", core=0),
        shape("VM.GPU.A10.2", gpu=2),
        shape("VM.Standard.X9.Flex", core=0, other=0),
    )
}


@pytest.mark.parametrize(
    ("lot", "usd"),
    [
        ("VM.Standard.E5.Flex ocpus=4 gb=32", 4 * 0.03 + 32 * 0.002),
        ("VM.Standard.E5.Flex ocpus=1.5 gb=9", 1.5 * 0.03 + 9 * 0.002),
        ("VM.Standard.E5.Flex preemptible ocpus=4 gb=32", (4 * 0.03 + 32 * 0.002) / 2),
        ("VM.Standard2.4 ocpus=4 gb=60", 4 * 0.03),
        # That it may be preemptible is not told of this shape.
        ("VM.Standard2.4 preemptible ocpus=4 gb=60", None),
        ("BM.DenseIO.E5.128 ocpus=128 gb=1536", 128 * 0.03 + 1536 * 0.002 + 80 * 0.06),
        ("VM.GPU.A10.2 ocpus=30 gb=480", 2 * 2.0),
        # Nobody tells how many disks this one has, how many OCPUs the list means, what that part costs.
        ("VM.DenseIO.E5.Flex ocpus=8 gb=96", None),
        ("VM.Standard2.8 ocpus=8 gb=120", None),
        ("VM.Standard.X9.Flex ocpus=8 gb=96", None),
        # A database of that shape, and a shape that is not listed.
        ("VM.Standard2.4", None),
        ("VM.Standard1.1 ocpus=1 gb=7", None),
    ],
)
def test_a_machine_costs_the_sum_of_its_parts_or_it_is_not_known(lot: str, usd: float | None) -> None:
    assert machine_price(lot, SHAPES, PARTS) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("shape", "state", "usd", "paid"),
    [
        ("VM.Standard.E5.Flex", "STOPPED", 0.0, None),
        ("BM.Standard.E5.192", "STOPPED", 0.0, None),
        ("VM.GPU.A10.2", "STOPPED", 0.0, None),
        ("VM.Optimized3.Flex", "STOPPED", 0.0, None),
        ("BM.Optimized3.36", "STOPPED", None, True),
        ("VM.GPU3.1", "STOPPED", None, True),
        ("BM.GPU.A10.4", "STOPPED", None, True),
        ("VM.DenseIO2.8", "STOPPED", None, True),
        ("BM.HPC2.36", "STOPPED", None, True),
        ("VM.Unheard.1", "STOPPED", None, None),
        ("VM.GPU3.1", "TERMINATED", 0.0, None),
        ("VM.GPU3.1", "RUNNING", None, None),
    ],
)
def test_a_stopped_machine_is_paid_for_by_its_shape(
    shape: str, state: str, usd: float | None, paid: bool | None
) -> None:
    made = instance({"id": "one", "shape": shape, "lifecycleState": state, "shapeConfig": MADE})
    assert made is not None
    assert (made.usd_per_hour, made.details.get("paid_while_stopped")) == (usd, paid)


@pytest.mark.parametrize(
    ("told", "system", "why"),
    [
        ({}, "Oracle Linux", None),
        ({}, "Canonical Ubuntu", None),
        ({}, "Windows", "an image of Windows"),
        ({}, "Custom", "an image of Custom"),
        ({}, None, "an image that is not known"),
        ({"licensingConfigs": [{"type": "WINDOWS", "licenseType": "OCI_PROVIDED"}]}, "Custom", "Windows"),
        (
            {"licensingConfigs": [{"type": "WINDOWS", "licenseType": "BRING_YOUR_OWN_LICENSE"}]},
            "Windows",
            None,
        ),
        ({"dedicatedVmHostId": "ocid1.dedicatedvmhost.oc1.iad.a"}, "Oracle Linux", "dedicated host"),
        ({"isAIEnterpriseEnabled": True}, "Oracle Linux", "NVIDIA AI Enterprise"),
        ({"shapeConfig": {**MADE, "baselineOcpuUtilization": "BASELINE_1_8"}}, "Oracle Linux", "burstable"),
        ({"lifecycleState": "STARTING"}, "Oracle Linux", "it is STARTING"),
    ],
)
def test_what_costs_more_or_less_than_its_shape_is_priced_apart(
    told: dict[str, Any], system: str | None, why: str | None
) -> None:
    record = {"id": "one", "shape": "VM.Standard.E5.Flex", "lifecycleState": "RUNNING", "shapeConfig": MADE}
    made = instance({**record, **told}, system=system)
    assert made is not None
    assert made.details.get("priced_apart") == why
    assert made.details["priced_as"] == "VM.Standard.E5.Flex ocpus=4 gb=32"
