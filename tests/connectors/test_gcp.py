"""Google Cloud: which SKUs are parts of a machine, and what their sum must never be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop import gpus
from cloudtop.errors import Invalid, Unauthorized
from cloudtop.models import GpuOffer
from cloudtop.sandbox.clouds import gcp as local
from connectors.gcp_errors import refusal
from connectors.gcp_prices import MACHINES, Prices, gather, gpu_offers, is_spot, part_of, usd_of
from tests.connectors.sellers import market, reading

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
H100 = "nvidia h100 80gb gpu"
MEGA = "nvidia h100 80gb mega gpu"


def sku(
    description: str, usd: float, unit: str = "h", usage: str = "OnDemand", **more: Any
) -> dict[str, Any]:
    made = local.sku(description, "GPU", usage, unit, (usd,), ("us-central1",), "2026-11-20T12:00:00Z")
    return {**made, **more}


def rows(*skus: dict[str, Any]) -> dict[tuple[str, bool], GpuOffer]:
    prices: Prices = {}
    gather(skus, prices)
    return {(one.offer_id.partition("@")[0], one.spot): one for one in gpu_offers(prices, AT, "")}


A3 = [
    sku("A3 Instance Core running in Americas", 0.03),
    sku("A3 Instance Ram running in Americas", 0.0025, "GiBy.h"),
    sku("Nvidia H100 80GB GPU running in Americas", 9.8),
    sku("SSD backed Local Storage", 0.073, "GiBy.mo"),
]


@pytest.mark.parametrize(
    ("description", "part", "spot"),
    [
        ("Nvidia H100 80GB GPU running in Americas", H100, False),
        ("Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Americas", H100, True),
        ("Nvidia H100 80GB Plus GPU running in Americas", MEGA, False),
        ("Nvidia H100 Mega 80GB GPU running in Americas", MEGA, False),
        ("Nvidia H100 80GB Mega GPU attached to Spot Preemptible VMs running in Tokyo", MEGA, True),
        ("H200 141GB GPU running in Netherlands", "h200 141gb gpu", False),
        ("RTX 6000 96GB attached to Spot Preemptible VMs running in Belgium", "rtx 6000 96gb", True),
        ("Spot Preemptible A3Ultra Instance Ram running in Americas", "a3ultra instance ram", True),
        ("Preemptible N1 Predefined Instance Core running in Paris", "n1 predefined instance core", True),
        ("SSD backed Local Storage", "ssd backed local storage", False),
        ("SSD backed Local Storage in Paris", "ssd backed local storage", False),
        (
            "SSD backed Local Storage attached to Spot Preemptible VMs in Paris",
            "ssd backed local storage",
            True,
        ),
    ],
)
def test_a_part_is_known_by_its_whole_wording(description: str, part: str, spot: bool) -> None:
    assert part_of(description, None) == part
    # The wording tells spot also where the category says otherwise.
    assert is_spot(description, {"usageType": "OnDemand"}) is spot


@pytest.mark.parametrize(
    "description",
    [
        "Commitment v1: Nvidia H100 80GB GPU in Americas for 1 Year",
        "Nvidia H100 80GB GPU in Calendar Mode running in Americas",
        "Reserved Nvidia H100 80GB Mega GPU in Americas in Calendar Mode",
        "Nvidia H100 Mega 80GB GPU attached to DWS Defined Duration VMs running in Americas",
        "DWS Calendar Mode A4 Nvidia B200 (1 gpu slice) running in Americas",
        "Nvidia Tesla T4 GPU attached to Sole Tenancy VMs running in Americas",
        "N1 Predefined Instance Core running in Americas with Sole Tenancy Premium",
        "E2 Custom Instance Core running in Americas",
        "N2 Custom Extended Instance Ram running in Americas",
        "N2 Sole Tenancy Instance Core running in Americas",
        "G2 Custom Instance Core running in Americas",
        "Reserved A2 Ram in Netherlands",
        "C4D Instance Local SSD running in Americas",
        "VM state: preserved local SSD in Netherlands",
        "Nvidia L40 GPU running in Americas",
        "Nvidia L4 Virtual Workstation GPU running in Americas",
        "A3 Instance Core",
    ],
)
def test_other_prices_are_not_prices_on_demand(description: str) -> None:
    known = {"A3 Instance Core": "a3 instance core"}
    assert part_of(description, {"usageType": "OnDemand"}) == known.get(description)


@pytest.mark.parametrize("usage", ["Commit1Yr", "Commit3Yr", "Commit", "CmtCudPremium"])
def test_a_commitment_is_left_out_whatever_its_words(usage: str) -> None:
    assert part_of("Nvidia H100 80GB GPU running in Americas", {"usageType": usage}) is None


def test_a_machine_is_the_sum_of_all_its_parts() -> None:
    one = rows(*A3)["a3-highgpu-8g", False]
    assert one.usd_per_hour == pytest.approx(208 * 0.03 + 1872 * 0.0025 + 8 * 9.8 + 6000 * 0.0001)
    assert one.price_raw.startswith("8 x nvidia h100 80gb gpu 9.8 + 208 x a3 instance core 0.03")


@pytest.mark.parametrize("gone", [0, 1, 3])
def test_without_one_part_a_machine_has_no_price(gone: int) -> None:
    found = rows(*(one for at, one in enumerate(A3) if at != gone))
    assert {one.usd_per_hour for one in found.values()} == {None}
    assert len(found) == 4


def test_hosts_without_gpus_are_no_machines_here() -> None:
    assert rows(*(one for at, one in enumerate(A3) if at != 2)) == {}


def test_parts_of_other_regions_and_of_spot_do_not_fill_a_gap() -> None:
    elsewhere = {**A3[1], "serviceRegions": ["us-east4"]}
    spot = sku("Spot Preemptible A3 Instance Ram running in Americas", 0.001, "GiBy.h")
    found = rows(A3[0], A3[2], A3[3], elsewhere, spot)
    assert {one.usd_per_hour for one in found.values()} == {None}


def test_of_two_prices_for_one_part_the_dearer_holds_in_any_order() -> None:
    cheap = sku("Nvidia H100 80GB GPU running in Iowa", 4.9)
    for skus in ([*A3, cheap], [cheap, *A3]):
        assert rows(*skus)["a3-highgpu-1g", False].usd_per_hour == 11.24
    free = sku("Nvidia H100 80GB GPU running in Iowa", 0)
    for skus in ([*A3, free], [free, *A3]):
        assert rows(*skus)["a3-highgpu-1g", False].usd_per_hour == 11.24


def test_slices_hold_everything_and_shares_are_counted_in_eighths() -> None:
    found = rows(
        sku("A4 Nvidia B200 (1 gpu slice) running in Americas", 16.11),
        sku("Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Americas", 4.9542),
        sku("1/8 vGPU no lssd running in Iowa", 0.64688),
    )
    assert found["a4-highgpu-8g", False].usd_per_hour == 128.88
    assert found["a4-highgpu-8g", True].usd_per_hour == 39.6336
    half = found["g4-standard-24", False]
    assert (half.gpu_count, half.fractional, half.usd_per_hour) == (0.5, True, 2.58752)


def test_what_is_not_sold_on_demand_is_not_to_be_had_there() -> None:
    found = rows(*A3, sku("A4 Nvidia B200 (1 gpu slice) running in Americas", 16.11))
    assert found["a3-highgpu-1g", False].available is False
    assert found["a3-highgpu-8g", False].available is None
    assert found["a4-highgpu-8g", False].available is False


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ([("9", 800000000)], 9.8),
        ([("0", 0), ("9", 800000000)], 9.8),
        ([("0", 0)], None),
        ([], None),
        ([(None, 800000000)], None),
        ([("9", None)], None),
        ([("x", 0), ("9", 0)], None),
        ([("-9", 0)], None),
    ],
)
def test_the_first_tier_that_costs_anything_counts_if_every_one_before_it_is_read(
    tiers: list[tuple[Any, Any]], expected: float | None
) -> None:
    one = sku("Nvidia H100 80GB GPU running in Americas", 1)
    rates = [{"unitPrice": {"currencyCode": "USD", "units": units, "nanos": nanos}} for units, nanos in tiers]
    one["pricingInfo"][0]["pricingExpression"]["tieredRates"] = rates
    assert usd_of(one) == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("h", 1), ("GiBy.h", 1), ("GBy.h", 1.073741824), ("GiBy.mo", 1 / 730), ("s", None), (None, None)],
)
def test_a_price_is_of_one_unit_for_an_hour(unit: Any, expected: float | None) -> None:
    assert usd_of(sku("A3 Instance Ram running in Americas", 1, unit or "")) == pytest.approx(expected)


def test_another_currency_is_no_price() -> None:
    one = sku("Nvidia H100 80GB GPU running in Americas", 1)
    rate = one["pricingInfo"][0]["pricingExpression"]["tieredRates"][0]
    rate["unitPrice"]["currencyCode"] = "EUR"
    assert usd_of(one) is None


def test_the_region_is_in_its_field_and_never_in_the_text() -> None:
    moved = [{**one, "serviceRegions": ["europe-west4"]} for one in A3]
    assert {one.region for one in rows(*moved).values()} == {"europe-west4"}
    nowhere = [{**one, "serviceRegions": None, "geoTaxonomy": None} for one in A3]
    assert rows(*nowhere) == {}


def test_every_machine_is_a_type_that_the_house_knows() -> None:
    for one in MACHINES:
        carried = gpus.instance_gpu("gcp", one.name)
        assert carried is not None, one.name
        count = one.gpus / 8 if "vgpu" in one.gpu else one.gpus
        assert carried[1] == count, one.name
    assert len({one.name for one in MACHINES}) == len(MACHINES)


@pytest.mark.parametrize("value", [None, "", 0, [], {}, "x", -1, [None], [{}], {"regions": None}])
def test_no_field_of_another_kind_breaks_a_reading(value: Any) -> None:
    for field in A3[2]:
        gpu_offers_of = rows(*A3[:2], A3[3], {**A3[2], field: value})
        assert all(one.gpu == "H100" for one in gpu_offers_of.values())
    for path in ("pricingExpression", "tieredRates"):
        one = sku("Nvidia H100 80GB GPU running in Americas", 1)
        inner = one["pricingInfo"][0]
        (inner if path in inner else inner["pricingExpression"])[path] = value
        assert usd_of(one) is None


async def test_a_wrong_key_is_said_to_be_one_though_google_says_400(tmp_path: Path) -> None:
    with market("gcp") as endpoint, pytest.raises(Unauthorized):
        await reading("gcp", endpoint, {"api_key": "wrong"}, tmp_path)


def test_other_400s_are_not_about_the_key() -> None:
    assert refusal(400, {"error": {"message": "Invalid currency code."}}) is None
    assert refusal(403, {"error": {"message": "API key not valid"}}) is None
    assert refusal(400, {"error": "text"}) is None
    assert refusal(200, []) is None
    assert refusal(200, {"error": {"message": "Something went wrong"}}) is Invalid
