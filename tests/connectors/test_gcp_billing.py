"""What a Google machine is billed as: expected by hand from Google's documentation and a small catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.gcp_compute import Made, instance
from connectors.gcp_prices import gather, machine_price

ZONE = "https://www.googleapis.com/compute/v1/projects/acme/zones/us-central1-a"
LICENCE = "https://www.googleapis.com/compute/v1/projects/{}/global/licenses/{}"
MADE = {"n2-standard-4": Made(4.0, 16.0), "n1-standard-4": Made(4.0, 15.0)}
CATALOGUE = {
    "N1 Predefined Instance Core running in Americas": 0.03,
    "N1 Predefined Instance Ram running in Americas": 0.004,
    "Custom Instance Core running in Americas": 0.033,
    "Custom Instance Ram running in Americas": 0.0045,
    "Nvidia Tesla T4 GPU running in Americas": 0.35,
    "N2 Instance Core running in Americas": 0.032,
    "N2 Instance Ram running in Americas": 0.0042,
    "N2 Custom Instance Core running in Americas": 0.034,
    "N2 Custom Instance Ram running in Americas": 0.0044,
    "N2 Custom Extended Instance Ram running in Americas": 0.01,
    "Spot Preemptible N2 Instance Core running in Americas": 0.008,
    "Spot Preemptible N2 Instance Ram running in Americas": 0.001,
    "E2 Instance Core running in Americas": 0.02,
    "E2 Instance Ram running in Americas": 0.003,
    "Compute optimized Core running in Americas": 0.034,
    "A3 Instance Core running in Americas": 0.03,
    "A3 Instance Ram running in Americas": 0.0025,
    "Nvidia H100 80GB GPU running in Americas": 9.8,
    "SSD backed Local Storage": 0.073,
}


def sku(description: str, usd: float) -> dict[str, Any]:
    """One SKU of the catalogue in us-central1."""
    unit = "GiBy.mo" if "Storage" in description else "GiBy.h" if "Ram" in description else "h"
    price = {"currencyCode": "USD", "units": str(int(usd)), "nanos": round(usd % 1 * 1e9)}
    rates = [{"startUsageAmount": 0, "unitPrice": price}]
    return {
        "description": description,
        "category": {"usageType": "Preemptible" if "Spot" in description else "OnDemand"},
        "serviceRegions": ["us-central1"],
        "pricingInfo": [{"pricingExpression": {"usageUnit": unit, "tieredRates": rates}}],
    }


@pytest.mark.parametrize(
    ("lot", "usd"),
    [
        ("n2-standard-4 vcpus=4 gib=16", 4 * 0.032 + 16 * 0.0042),
        ("n2-standard-4 spot vcpus=4 gib=16", 4 * 0.008 + 16 * 0.001),
        ("n2-custom-4-8192 vcpus=4 gib=8", 4 * 0.034 + 8 * 0.0044),
        ("n1-highcpu-4 vcpus=4 gib=3.6", 4 * 0.03 + 3.6 * 0.004),
        ("custom-4-8192 vcpus=4 gib=8", 4 * 0.033 + 8 * 0.0045),
        ("n1-standard-4 vcpus=4 gib=15 nvidia-tesla-t4=2", 4 * 0.03 + 15 * 0.004 + 2 * 0.35),
        ("e2-micro vcpus=2 gib=1", 0.25 * 0.02 + 0.003),
        ("e2-medium vcpus=2 gib=4", 0.02 + 4 * 0.003),
        ("a3-highgpu-8g vcpus=208 gib=1872", 8 * 9.8 + 208 * 0.03 + 1872 * 0.0025 + 6000 * 0.073 / 730),
        # Not sold on demand, whatever its parts cost.
        ("a3-highgpu-1g vcpus=26 gib=234", None),
        # A part without a price, and a GPU that is not in the catalogue.
        ("c2-standard-8 vcpus=8 gib=32", None),
        ("n1-standard-4 vcpus=4 gib=15 nvidia-tesla-k80=1", None),
        ("n1-standard-4 spot vcpus=4 gib=15", None),
        # Extended memory, local SSD, bare metal, families whose SKUs are not known, and E2's custom types.
        ("n2-custom-4-65536-ext vcpus=4 gib=64", None),
        ("c3-standard-8-lssd vcpus=8 gib=32", None),
        ("c3-standard-192-metal vcpus=192 gib=768", None),
        ("m3-ultramem-32 vcpus=32 gib=976", None),
        ("n1-ultramem-40 vcpus=40 gib=961", None),
        ("e2-custom-4-8192 vcpus=4 gib=8", None),
        # Nothing is known of what it is made of.
        ("n2-standard-4", None),
    ],
)
def test_a_machine_costs_the_sum_of_its_parts_or_it_is_not_known(lot: str, usd: float | None) -> None:
    prices: Any = {}
    gather((sku(*one) for one in CATALOGUE.items()), prices)
    assert machine_price(lot, "us-central1", prices) == pytest.approx(usd)
    assert machine_price(lot, "europe-west4", prices) is None


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, None),
        ({"status": "STAGING"}, "it is STAGING"),
        ({"status": "SUSPENDED"}, "it is SUSPENDED"),
        ({"disks": []}, "its disks are not told"),
        ({"disks": [{"boot": True}]}, None),
        (
            {"disks": [{"licenses": [LICENCE.format("windows-cloud", "windows-server-2022-dc")]}]},
            "licence windows-server-2022-dc",
        ),
        ({"disks": [{"licenses": [LICENCE.format("rhel-cloud", "rhel-9-server")]}]}, "licence rhel-9-server"),
        ({"disks": [{}, {"licenses": [LICENCE.format("vendor-public", "firewall")]}]}, "licence firewall"),
        ({"disks": [{"licenses": [LICENCE.format("ubuntu-os-cloud", "ubuntu-2404-lts")]}]}, None),
        ({"scheduling": {"nodeAffinities": [{"key": "node", "values": ["n"]}]}}, "sole tenancy"),
        ({"scheduling": {"provisioningModel": "FLEX_START"}}, "provisioned as FLEX_START"),
        ({"confidentialInstanceConfig": {"enableConfidentialCompute": True}}, "Confidential VM"),
        (
            {"guestAccelerators": [{"acceleratorType": "nvidia-tesla-t4-vws", "acceleratorCount": 1}]},
            "virtual workstation",
        ),
    ],
)
def test_what_costs_more_or_less_than_its_type_is_priced_apart(told: dict[str, Any], why: str | None) -> None:
    record = {
        "id": "1",
        "machineType": f"{ZONE}/machineTypes/n2-standard-4",
        "status": "RUNNING",
        "scheduling": {"provisioningModel": "STANDARD", "preemptible": False},
        "disks": [{"boot": True, "licenses": [LICENCE.format("debian-cloud", "debian-13")]}],
    }
    made = instance({**record, **told}, MADE)
    assert made.details.get("priced_apart") == why
    assert made.details["priced_as"] == "n2-standard-4 vcpus=4 gib=16"


@pytest.mark.parametrize(
    ("status", "usd"), [("TERMINATED", 0.0), ("STOPPED", 0.0), ("SUSPENDED", None), ("RUNNING", None)]
)
def test_a_stopped_machine_costs_nothing_and_a_suspended_one_keeps_its_memory(
    status: str, usd: float | None
) -> None:
    assert instance({"id": "1", "status": status}, {}).usd_per_hour == usd
