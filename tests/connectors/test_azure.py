"""Azure: which series a question asks, which meter holds, how a link is followed; the sandbox's filter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudtop.errors import Invalid, RateLimited
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.sandbox.cloud import State
from cloudtop.sandbox.clouds import azure as local
from cloudtop.settings import load
from connectors import discovery
from connectors.azure import Azure
from connectors.azure_errors import refusal
from connectors.azure_prices import (
    OTHER,
    gpu_offer,
    holding,
    is_offer,
    is_spot,
    price_of,
    query,
    query_text,
    series,
    series_of,
)
from tests.connectors.raw_servers import START, Audit, Clock, Hosts
from tests.connectors.sellers import fixture, market

A100 = fixture("azure")["replies"][1]["body"]["Items"][0]
NOW = "2026-11-20T12:00:00Z"
MOST_COMPARISONS, LONGEST_ADDRESS = 20, 2000
EVERYTHING = (*series(), OTHER)


@asynccontextmanager
async def azure(home: Path, endpoint: str | None = None) -> AsyncIterator[Azure]:
    """A connector, at another endpoint where one is given."""
    file = home / "azure.json"
    options = {"options": {"endpoint": endpoint}} if endpoint else {}
    file.write_text(json.dumps({"providers": {"azure": options}}))
    settings = load(file, home, environ={})
    made: Any = discovery.make(
        discovery.found()["azure"],
        settings.provider("azure"),
        secrets=settings,
        clock=Clock(),
        hosts=Hosts(),
        audit=Audit(),
    )
    try:
        yield made
    finally:
        await made.aclose()


async def asked(home: Path, *gpus: str, spot: bool | None = None) -> list[str]:
    async with azure(home) as one:
        scopes = one.price_scopes(PriceQuery(gpus, spot))
    assert all(scope.account == "public" for scope in scopes)
    return [json.loads(scope.query)["series"] for scope in scopes]


async def read(one: Azure, name: str) -> list[GpuOffer]:
    scope = Scope("azure", query=json.dumps({"series": name}))
    return [offer async for page in one.gpu_offers(scope) for offer in page]


def row(*meters: Mapping[str, Any]) -> GpuOffer:
    """The row of what is listed by these meters, all of one thing."""
    held: list[Mapping[str, Any]] = []
    for meter in meters:
        if is_offer(meter, NOW):
            held = holding(held, meter)
    return gpu_offer(held, START, "https://prices.azure.com")


async def test_a_question_asks_only_for_the_series_of_its_gpus(tmp_path: Path) -> None:
    assert await asked(tmp_path, "H100", "H100NVL") == ["H100_v5"]
    assert await asked(tmp_path, "A100") == ["A100_v4", "ND_v4"]
    assert await asked(tmp_path, "V100", "T4") == ["NC_v3", "ND_v2", "ND_v3", "T4_v3"]


async def test_one_without_gpus_asks_for_everything_in_the_same_scopes(tmp_path: Path) -> None:
    every = await asked(tmp_path)
    assert every == [*EVERYTHING]
    assert len(set(every)) == len(every)
    for gpu in ("A100", "A10", "GB200", "RADEONPROV620"):
        assert set(await asked(tmp_path, gpu)) < set(every)
    assert await asked(tmp_path, spot=True) == await asked(tmp_path, spot=False) == every


async def test_a_gpu_of_no_series_is_looked_for_in_the_rest_unless_azure_cannot_have_it(
    tmp_path: Path,
) -> None:
    assert await asked(tmp_path, "L40S") == [OTHER]
    assert await asked(tmp_path, "H100", "L40S") == ["H100_v5", OTHER]
    assert await asked(tmp_path, "RTX4090") == []
    assert await asked(tmp_path, "TPUV5E") == []


def test_every_type_is_of_one_series_and_found_by_what_asks_for_it() -> None:
    for name, one in series().items():
        found = local.Filter(f"{one.condition}").matches
        for kind in one.types:
            assert series_of(kind) == name
            assert found({"armSkuName": kind})
            assert [other for other, its in series().items() if its.holds(kind)] == [name]


def test_a_new_type_of_a_known_series_is_found_with_it_and_any_other_with_the_rest() -> None:
    assert series_of("Standard_NC12ads_A100_v4") == "A100_v4"
    assert series_of("Standard_NG64ads_V620_v2") == "V620"
    assert series_of("Standard_NC6s_v7") == OTHER
    # Azure's filter tells cases apart, so what it does not find is not of the series.
    assert series_of("Standard_NC24ads_a100_v4") == OTHER
    assert series_of("Standard_nc6s_v3") == OTHER


def test_no_question_is_longer_than_azure_takes() -> None:
    for name in EVERYTHING:
        text = query(series()[name].condition if name != OTHER else "contains(armSkuName,'Standard_N')")[
            "$filter"
        ]
        assert text.count(" eq ") + text.count("contains(") <= MOST_COMPARISONS
        address = query_text(series()[name].condition) if name != OTHER else ""
        assert len(address.replace("'", "%27")) < LONGEST_ADDRESS


async def test_a_size_costs_what_its_linux_meter_says_in_that_region(tmp_path: Path) -> None:
    known = ["Standard_D8s_v5", "Standard_E16s_v5", "Standard_ND96isr_H100_v5", "Standard_NV6ads_A10_v5"]
    nobody = [f"Standard_X{number}s_v9" for number in range(20)]
    with market("azure") as endpoint:
        async with azure(tmp_path, endpoint) as one:
            prices = {}
            for region in ("eastus", "westeurope", "centralus"):
                scope = Scope("azure", region=region, kind="instance_prices")
                pages = [page async for page in one.instance_prices(scope, known + nobody)]
                assert len(pages) == 2, "the filter takes twenty comparisons"
                prices[region] = {price.instance_type: price.usd_per_hour for page in pages for price in page}
    assert all(set(found) == {*known, *nobody} for found in prices.values())
    told = {place: {name: usd for name, usd in found.items() if usd} for place, found in prices.items()}
    assert told == {
        "eastus": {
            "Standard_D8s_v5": 0.384,
            "Standard_E16s_v5": 1.008,
            "Standard_ND96isr_H100_v5": 98.32,
            "Standard_NV6ads_A10_v5": 0.454,
        },
        "westeurope": {"Standard_D8s_v5": 0.46},
        # Two meters that say different prices say none.
        "centralus": {},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"productName": "Virtual Machines NCads A100 v4 Series windows"},
        {"productName": "NVASv4 Series DedicatedHost"},
        {"productName": "NCads A100 v4 CloudServices"},
        {"meterName": "NC24ads_A100_v4 Low Priority"},
        {"skuName": "NC24ads_A100_v4 LowPriority"},
        {"meterName": "NC24ads_A100_v4 Expired"},
        {"type": "Reservation"},
        {"type": "DevTestConsumption"},
        {"reservationTerm": "3 Years", "type": None},
        {"unitOfMeasure": "1/Month"},
        {"serviceName": "Virtual Machines Licenses"},
        {"effectiveStartDate": "2026-12-01T00:00:00Z"},
    ],
)
def test_what_is_not_linux_by_the_hour_now_is_no_offer(change: dict[str, Any]) -> None:
    assert is_offer(A100, NOW)
    assert not is_offer({**A100, **change}, NOW)


@pytest.mark.parametrize("name", ["meterName", "skuName"])
def test_spot_is_told_by_either_name(name: str) -> None:
    assert not is_spot(A100)
    assert is_spot({**A100, name: f"{A100[name]} Spot"})


def test_the_latest_meter_in_force_holds_whatever_the_order() -> None:
    before = {**A100, "retailPrice": 4.1, "effectiveStartDate": "2022-01-01T00:00:00Z"}
    later = {**A100, "retailPrice": 3.0, "effectiveStartDate": "2027-01-01T00:00:00Z"}
    for meters in ((before, A100, later), (later, A100, before), (A100, before, later)):
        assert row(*meters).usd_per_hour == A100["retailPrice"]


def test_a_meter_outside_its_primary_region_counts_only_where_there_is_no_other() -> None:
    outside = {
        **A100,
        "isPrimaryMeterRegion": False,
        "retailPrice": 9.0,
        "effectiveStartDate": "2026-01-01T00:00:00Z",
    }
    assert row(outside, A100).usd_per_hour == row(A100, outside).usd_per_hour == A100["retailPrice"]
    assert row(outside).usd_per_hour == 9.0


def test_two_that_contradict_each_other_tell_no_price_and_two_that_agree_do() -> None:
    found = row(A100, {**A100, "retailPrice": 3.9})
    assert found.usd_per_hour is None
    assert found.price_raw == "retailPrice=3.673 USD per 1 Hour or retailPrice=3.9 USD per 1 Hour"
    assert row(A100, {**A100, "meterId": "another"}).usd_per_hour == A100["retailPrice"]


@pytest.mark.parametrize(
    ("change", "price"),
    [
        ({"retailPrice": 0}, None),
        ({"retailPrice": 0.0, "unitPrice": 3.0}, None),
        ({"retailPrice": None}, 3.673),
        ({"retailPrice": "3.7"}, 3.7),
        ({"retailPrice": "on request"}, None),
        ({"retailPrice": -1}, None),
        ({"retailPrice": True}, None),
        ({"currencyCode": "EUR"}, None),
        ({"currencyCode": None}, 3.673),
        # It may be Windows; it may be a month.
        ({"productName": None}, None),
        ({"unitOfMeasure": None}, None),
    ],
)
def test_a_price_that_is_not_sure_is_no_price(change: dict[str, Any], price: float | None) -> None:
    assert price_of({**A100, **change})[0] == price


@pytest.mark.parametrize("value", [None, 7, [], {}, "", True])
def test_a_row_bears_any_field_but_its_type_and_region_in_any_state(value: Any) -> None:
    for name in set(A100) - {"armSkuName", "armRegionName"}:
        found = gpu_offer([{**A100, name: value}], START, "https://prices.azure.com")
        assert found.offer_id == "Standard_NC24ads_A100_v4:eastus"
        assert found.usd_per_hour in (3.673, None, 7.0)


def test_the_listing_is_of_now_and_the_date_of_the_price_is_kept_beside_it() -> None:
    found = row(A100)
    assert found.as_of == START
    assert found.raw
    assert found.raw["effectiveStartDate"] == A100["effectiveStartDate"]
    assert row({**A100, "armRegionName": None}).region == "US East"


@pytest.mark.parametrize(
    ("kind", "gpu", "gib", "count", "share"),
    [
        ("Standard_ND96asr_v4", "A100", 40, 8, False),
        ("Standard_ND96amsr_A100_v4", "A100", 80, 8, False),
        ("Standard_NC40ads_H100_v5", "H100NVL", 94, 1, False),
        ("Standard_ND96isr_H100_v5", "H100", 80, 8, False),
        ("Standard_ND128isr_NDR_GB200_v6", "GB200", 186, 4, False),
        ("Standard_NV18ads_A10_v5", "A10", 24, 0.5, True),
        ("Standard_NV72ads_A10_v5", "A10", 24, 2, False),
        ("Standard_NV4as_v4", "MI25", 16, 0.125, True),
    ],
)
def test_the_gpus_are_those_of_the_type(kind: str, gpu: str, gib: float, count: float, share: bool) -> None:
    found = row({**A100, "armSkuName": kind})
    assert (found.gpu, found.gpu_memory_gib, found.gpu_count) == (gpu, gib, count)
    assert (found.fractional, found.usd_per_hour) == (share, A100["retailPrice"])


def test_a_type_that_nobody_knows_stays_without_a_price_with_the_gpu_its_name_tells() -> None:
    known = row({**A100, "armSkuName": "Standard_NC8ads_xl_L40S_v9"})
    assert (known.gpu, known.gpu_memory_gib, known.usd_per_hour) == ("L40S", 48, None)
    unknown = row({**A100, "armSkuName": "Standard_NC8s_v9"})
    assert (unknown.gpu, unknown.gpu_memory_gib, unknown.usd_per_hour) == (None, None, None)


async def test_pages_are_followed_at_our_own_address_whatever_host_the_link_names(tmp_path: Path) -> None:
    with market("azure") as endpoint:
        async with azure(tmp_path, endpoint) as one:
            offers = await read(one, "A100_v4")
    assert len(offers) > 2 * local.PAGE / 6
    assert {offer.source_url for offer in offers} == {
        f"{endpoint}{local.PATH}?{query_text(series()['A100_v4'].condition)}"
    }


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (
            "https://prices.azure.com.example/api/retail/prices?$skip=1000",
            "another host (prices.azure.com.ex",
        ),
        ("https://example.com/api/retail/prices?$skip=1000", "another host (example.com)"),
        ("https://prices.azure.com@example.com/?$skip=1000", "another host (example.com)"),
        ("https://prices.azure.com:443/api/retail/prices?$filter=x", "cannot be read"),
        ("https://prices.azure.com:443/api/retail/prices?$skip=-5", "cannot be read"),
        ("page-2", "cannot be read"),
    ],
)
async def test_a_link_to_a_foreign_host_or_to_nowhere_is_refused(
    tmp_path: Path, link: str, said: str
) -> None:
    async with azure(tmp_path) as one:
        with pytest.raises(Invalid) as problem:
            one._next_skip({"NextPageLink": link})
    assert said in problem.value.message


async def test_the_link_of_azure_is_followed_by_its_skip_alone(tmp_path: Path) -> None:
    link = "https://prices.azure.com:443/api/retail/prices?$filter=serviceName%20eq%20%27X%27&$skip=1000"
    async with azure(tmp_path) as one:
        assert one._next_skip({"NextPageLink": link}) == "1000"
        assert one._next_skip({"NextPageLink": link.replace("$", "%24")}) == "1000"
        assert one._next_skip({"NextPageLink": None}) is one._next_skip({"NextPageLink": ""}) is None


async def test_the_rest_holds_no_type_of_a_series_and_no_machine_without_gpu(tmp_path: Path) -> None:
    with market("azure") as endpoint:
        async with azure(tmp_path, endpoint) as one:
            offers = await read(one, OTHER)
    assert sorted(offer.gpu_raw for offer in offers) == ["Standard_NC16ds_L40S_v9", "Standard_NX16s_v9"]


def test_an_error_in_an_answer_is_one_whatever_the_status() -> None:
    busy = {"Error": {"Code": "TooManyRequests", "Message": "Slow down"}}
    assert refusal(400, busy) is RateLimited
    assert refusal(200, {"Error": "Invalid OData parameters supplied"}) is Invalid
    assert refusal(400, {"Error": "Invalid OData parameters supplied"}) is None
    assert refusal(200, {"Items": []}) is None
    assert refusal(200, []) is None


async def sandbox(params: Mapping[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app=local.app(State(lambda: START)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get(local.PATH, params={"api-version": local.VERSION, **params})


@pytest.mark.parametrize(
    "text",
    [
        "not contains(armSkuName,'A100')",
        "contains(armSkuName,'A100') ne true",
        "armSkuName in ('Standard_NC6s_v3')",
        "armSkuName ne 'Standard_NC6s_v3'",
        "startswith(armSkuName,'Standard_N')",
        "type eq 'Consumption'",
        "priceType eq 'Spot'",
        "currencyCode eq 'USD'",
        "retailPrice eq 1",
        "armSkuName eq Standard_NC6s_v3",
        "armSkuName eq 'Standard_NC6s_v3",
        "(armSkuName eq 'Standard_NC6s_v3'",
        "armSkuName eq 'Standard_NC6s_v3')",
        "armSkuName eq 'a' and",
        "",
        " or ".join(["armSkuName eq 'a'"] * 21),
    ],
)
async def test_the_sandbox_takes_no_filter_that_is_not_documented(text: str) -> None:
    answer = await sandbox({"$filter": text})
    assert answer.status_code == 400
    assert answer.json()["Error"]["Message"] == "Invalid OData parameters supplied"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("contains(armSkuName,'_T4_') and armRegionName eq 'westeurope'", {"Standard_NC4as_T4_v3"}),
        ("contains(armSkuName,'_t4_')", set()),
        ("serviceName eq 'virtual machines'", set()),
        (
            "armSkuName eq 'Standard_NX16s_v9' or armSkuName eq 'Standard_NP10s' and armRegionName eq 'x'",
            {"Standard_NX16s_v9"},
        ),
        (
            "(armSkuName eq 'Standard_NX16s_v9' or armSkuName eq 'Standard_NP10s') and armRegionName eq 'x'",
            set(),
        ),
        ("priceType eq 'Reservation'", {"Standard_ND96isr_H100_v5"}),
        ("productName eq 'It''s nothing'", set()),
    ],
)
async def test_the_sandbox_reads_a_filter_as_it_is_documented(text: str, kinds: set[str]) -> None:
    answer = await sandbox({"$filter": text})
    assert {one["armSkuName"] for one in answer.json()["Items"]} == kinds


async def test_the_sandbox_refuses_what_it_does_not_document_and_pages_by_twenty() -> None:
    assert (await sandbox({"$top": "5"})).status_code == 400
    assert (await sandbox({"api-version": "2023-01-01"})).status_code == 400
    assert (await sandbox({"$skip": "x"})).status_code == 400
    assert (await sandbox({"$filter": f"armSkuName eq '{'x' * 2000}'"})).status_code == 404
    first = (await sandbox({})).json()
    assert first["Count"] == len(first["Items"]) == local.PAGE
    assert first["NextPageLink"].startswith("https://prices.azure.com:443/api/retail/prices?")
    seen = 0
    for skip in range(0, len(local.meters()), local.PAGE):
        page = (await sandbox({"$skip": str(skip)})).json()
        seen += page["Count"]
        assert bool(page["NextPageLink"]) == (seen < len(local.meters()))
    assert seen == len(local.meters()) >= 60
