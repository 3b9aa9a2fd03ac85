"""Oracle Cloud: the traps of its price list, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudtop import gpus
from cloudtop.errors import Invalid
from cloudtop.sandbox.clouds import oci as local
from connectors.oci_prices import Prices, gpu_offer, is_gpu_shape, parts

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def product(code: str, usd: Any, metric: Any = "GPU Per Hour", **more: Any) -> dict[str, Any]:
    prices = [{"model": "PAY_AS_YOU_GO", "value": usd}]
    told = [{"currencyCode": "USD", "prices": prices}]
    return {"partNumber": code, "metricName": metric, "currencyCodeLocalizations": told, **more}


def shape(name: str, code: str, count: Any = 8, memory: Any = 640, **more: Any) -> dict[str, Any]:
    told = [{"type": {"value": "ocpu"}, "partNumber": code, "qty": 112}]
    return {"name": name, "gpuQty": count, "gpuMemoryQty": memory, "products": told, **more}


def usd(one: Mapping[str, Any], *products: Mapping[str, Any]) -> float | None:
    return gpu_offer(one, parts(products), False, AT, "https://example.invalid").usd_per_hour


LIST = [
    product("B111850", 7.5, displayName="OCI - Compute - GPU - H100", serviceCategory="Compute - GPU"),
    product("B98415", 10.0, displayName="OCI - Compute - GPU - H100", serviceCategory="Compute - GPU"),
    product("B111001", 1.0, displayName="OCI - NVIDIA AI Enterprise - H100", serviceCategory="Compute - GPU"),
    product("B109480", 6.0, displayName="OCI - Compute - GPU - H100T", serviceCategory="Compute - GPU"),
    product("B92740", 3.05, displayName="OCI - Compute - GPU - E3", serviceCategory="Compute - GPU"),
    product("B89734", 2.95, displayName="OCI - Compute - GPU - V2", serviceCategory="Compute - GPU"),
]


@pytest.mark.parametrize("first", range(len(LIST)), ids=[str(one["displayName"]) for one in LIST])
def test_software_and_namesakes_never_price_a_shape_in_whatever_order_they_come(first: int) -> None:
    products = LIST[first:] + LIST[:first]
    assert usd(shape("BM.GPU.H100.8", "B98415"), *products) == 80


@pytest.mark.parametrize(("v100", "a100"), [("B89734", "B92740"), ("B92740", "B89734")])
def test_which_of_the_disputed_parts_prices_which_gpu_is_said_by_the_shapes_file(
    v100: str, a100: str
) -> None:
    figures = {"B89734": 2.95, "B92740": 3.05}
    assert usd(shape("BM.GPU3.8", v100, 8, 128), *LIST) == pytest.approx(8 * figures[v100])
    assert usd(shape("BM.GPU4.8", a100, 8, 320), *LIST) == pytest.approx(8 * figures[a100])


def test_an_error_with_a_200_is_one_all_the_same() -> None:
    assert Prices.refusal(200, {"code": "BadRequest", "message": "Something went wrong"}) is Invalid
    assert Prices.refusal(200, {"items": [], "lastUpdated": "2026-11-12T08:00:00Z"}) is None
    assert Prices.refusal(503, {"message": "Try again later"}) is None
    assert Prices.refusal(200, []) is None


def test_the_names_of_the_price_list_name_no_gpu() -> None:
    row = gpu_offer(shape("BM.GPU4.8", "B92740", 8, 320), parts(LIST), False, AT, "")
    assert (row.gpu, row.gpu_memory_gib, row.gpu_raw) == ("A100", 40, "BM.GPU4.8")
    assert gpus.identify("oci", "GPU - E3").name is None


def test_another_product_of_a_like_name_is_another_gpu() -> None:
    assert gpus.identify("oci", "H100T").name != "H100"
    row = gpu_offer(shape("BM.GPU.H100T.8", "B109480"), parts(LIST), False, AT, "")
    assert row.gpu != "H100"
    assert row.usd_per_hour == 48


def test_a_part_that_comes_twice_keeps_the_dearer_price() -> None:
    for pair in ([10.0, 4.0], [4.0, 10.0], [10.0, None], [0, 10.0]):
        assert usd(shape("BM.GPU.H100.8", "P"), *(product("P", value) for value in pair)) == 80


@pytest.mark.parametrize("value", [0, "0", None, "n/a", -3, True, float("inf"), [], {}])
def test_what_is_no_price_is_none(value: Any) -> None:
    assert usd(shape("BM.GPU.H100.8", "P"), product("P", value)) is None


@pytest.mark.parametrize("metric", [None, "", "Each", "Node Per Month", 7])
def test_a_metric_that_is_not_known_prices_nothing(metric: Any) -> None:
    assert usd(shape("BM.GPU.H100.8", "P"), product("P", 10.0, metric)) is None


def test_one_part_without_a_price_leaves_the_whole_without_one() -> None:
    two = shape("VM.GPU.A10.1", "G", 1, 24)
    two["products"] = [
        {"type": {"value": "gpu"}, "partNumber": "G", "qty": 1},
        {"type": {"value": "ocpu"}, "partNumber": "C", "qty": 15},
    ]
    gpu, core = product("G", 2.0), product("C", 0.1, "OCPU Per Hour")
    assert usd(two, gpu, core) == 3.5
    assert usd(two, gpu) is None
    assert usd(two, core) is None
    two["products"][1]["qty"] = None
    assert usd(two, gpu, core) is None


def test_only_dollars_and_only_pay_as_you_go() -> None:
    one = product("P", 10.0)
    one["currencyCodeLocalizations"][0]["currencyCode"] = "EUR"
    assert usd(shape("BM.GPU.H100.8", "P"), one) is None
    other = product("P", 10.0)
    other["currencyCodeLocalizations"][0]["prices"][0]["model"] = "MONTHLY"
    assert usd(shape("BM.GPU.H100.8", "P"), other) is None


@pytest.mark.parametrize(
    ("name", "count", "memory", "expected"),
    [
        ("BM.GPU.MI355X.8", 8, 288, ("MI355X", 288)),
        ("BM.GPU.MI355X.8", 8, 2304, ("MI355X", 288)),
        ("BM.GPU.RTXPRO.8", 8, 768, ("RTXPRO6000", 96)),
        ("BM.GPU.RTXPRO.8", 8, None, (None, None)),
        ("BM.GPU.GB300.4 (NVL72)", 4, 278, ("GB300", 278)),
        ("VM.GPU.L40S.1", 1, 48, ("L40S", 48)),
        ("BM.GPU.X9000.8", 8, 512, (None, 64)),
    ],
)
def test_the_memory_may_be_that_of_all_gpus_or_of_one(
    name: str, count: float, memory: Any, expected: tuple[str | None, float | None]
) -> None:
    row = gpu_offer(shape(name, "P", count, memory), {}, False, AT, "")
    assert (row.gpu, row.gpu_memory_gib) == expected
    assert not row.fractional
    assert not row.modified


@pytest.mark.parametrize("told", [None, 0, "many", [], -8])
def test_a_count_that_is_not_told_is_in_the_name_or_the_price_is_unknown(told: Any) -> None:
    products = parts([product("P", 10.0)])
    named = gpu_offer(shape("BM.GPU.H100.8", "P", told), products, False, AT, "")
    assert (named.gpu_count, named.usd_per_hour) == (8, 80)
    flexible = gpu_offer(shape("VM.GPU.Flex", "P", told), products, False, AT, "")
    assert (flexible.gpu_count, flexible.usd_per_hour) == (1, None)


def test_what_is_hidden_retired_or_of_another_service_is_no_offer() -> None:
    assert is_gpu_shape(shape("BM.GPU.H100.8", "P"))
    assert is_gpu_shape({"name": "BM.GPU.H100.8"})
    assert not is_gpu_shape(shape("BM.GPU.H100.8", "P", hidden=True))
    assert not is_gpu_shape(shape("BM.GPU.H100.8", "P", status="RETIRED"))
    assert not is_gpu_shape(shape("HeatWave.VM.GPU.A10.1", "P"))
    assert not is_gpu_shape({"name": "VM.Standard.E4.Flex", "gpuQty": None, "subType": {"value": "standard"}})


@pytest.mark.parametrize("value", [None, "", 0, [], {}, "x", -1, [None], {"value": None}])
def test_no_field_of_another_kind_loses_a_shape(value: Any) -> None:
    known = parts(local.product(*part, "USD") for part in local.PARTS)
    whole = local.shapes()[0]
    for field in (*whole, None):
        one = {**whole, field: value} if field not in (None, "name", "status", "hidden") else dict(whole)
        assert is_gpu_shape(one)
        assert gpu_offer(one, known, False, AT, "").offer_id == "BM.GPU.H100.8"
    for field in local.product(*local.PARTS[0], "USD"):
        parts([{**local.product(*local.PARTS[0], "USD"), field: value}])
