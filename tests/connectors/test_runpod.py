"""RunPod: without a key, the end of GraphQL, units and tiers; its sandbox against the documented shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cloudtop.errors import Changed, CloudError, Invalid, RateLimited, Unauthorized, Unavailable
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.sandbox.cloud import State
from cloudtop.sandbox.clouds import runpod as local
from cloudtop.settings import ProviderSettings
from connectors import discovery
from connectors import runpod as connector_module
from connectors.base import Facts
from connectors.door import Policy
from connectors.runpod import (
    COUNTS,
    RunPod,
    catalog_sales,
    gpu_offer,
    in_stock,
    places_of,
    sales,
)
from connectors.runpod_inventory import next_cursor
from tests.connectors.raw_servers import START, reply, serving
from tests.connectors.raw_servers import House as AnyHouse
from tests.connectors.sellers import fixture

REPLIES = {one["ask"]: one["body"] for one in fixture("runpod")["replies"]}
GRAPHQL = REPLIES["POST /graphql"]
RECORD = GRAPHQL["data"]["gpuTypes"][0]
CATALOGUE_OF_SECURE = "GET /v2/catalog/gpus?include=AVAILABILITY&product=POD&cloud=SECURE&count=1"
CATALOGUED = REPLIES[CATALOGUE_OF_SECURE]["gpus"][0]
SECURE, COMMUNITY, SPOT = '{"cloud":"SECURE"}', '{"cloud":"COMMUNITY"}', '{"spot":true}'


@dataclass
class House(AnyHouse):
    """RunPod's door with everything around it."""

    @property
    def settings(self) -> ProviderSettings:
        return ProviderSettings("runpod", options={"endpoint": self.url})

    @property
    def facts(self) -> Facts:
        return discovery.found()["runpod"]


def connector(house: House) -> RunPod:
    return RunPod(house.facts, house.settings, house.http(), house.clock.now)


async def read(house: House, query: str = "") -> tuple[list[GpuOffer], RunPod]:
    one = connector(house)
    scope = Scope("runpod", "default" if query else "public", query=query)
    try:
        return [offer async for page in one.gpu_offers(scope) for offer in page], one
    finally:
        await one.aclose()


async def asked(house: House, query: str = "") -> CloudError:
    """The failure of a scope."""
    with pytest.raises(CloudError) as raised:
        await read(house, query)
    return raised.value


def scopes(house: House, spot: bool | None) -> list[tuple[str, str]]:
    found = connector(house).price_scopes(PriceQuery(spot=spot))
    return [(scope.account, scope.query) for scope in found]


def test_without_a_key_there_is_one_listing_and_with_one_each_cloud_and_spot() -> None:
    bare, keyed = House("http://127.0.0.1:9"), House("http://127.0.0.1:9", key="k")
    assert [scopes(bare, spot) for spot in (None, False, True)] == [[("public", "")]] * 3
    assert scopes(keyed, None) == [("default", query) for query in (SECURE, COMMUNITY, SPOT)]
    assert scopes(keyed, False) == [("default", SECURE), ("default", COMMUNITY)]
    assert scopes(keyed, True) == [("default", SPOT)]


async def test_without_a_key_one_request_tells_both_prices_of_both_clouds() -> None:
    async with serving(reply(200, GRAPHQL)) as server:
        rows, one = await read(House(server.url))
    assert one.notes == []
    assert [(row.offer_id, row.spot, row.usd_per_hour, row.available) for row in rows] == [
        ("NVIDIA H100 80GB HBM3:secure", False, 2.99, True),
        ("NVIDIA H100 80GB HBM3:secure", True, 1.75, True),
        ("NVIDIA H100 80GB HBM3:secure:2", False, 5.98, True),
        ("NVIDIA H100 80GB HBM3:secure:2", True, 3.5, True),
        ("NVIDIA H100 80GB HBM3:secure:4", False, 11.96, True),
        ("NVIDIA H100 80GB HBM3:secure:4", True, 7.0, True),
        ("NVIDIA H100 80GB HBM3:secure:8", False, 23.92, False),
        ("NVIDIA H100 80GB HBM3:secure:8", True, 14.0, False),
        ("NVIDIA H100 80GB HBM3:community", False, 2.69, True),
        # Which sizes are free is not told.
        ("NVIDIA H100 80GB HBM3:community:2", False, 5.38, None),
        ("NVIDIA H100 80GB HBM3:community:4", False, 10.76, None),
        ("NVIDIA H100 80GB HBM3:community:8", False, 21.52, None),
        ("NVIDIA A40:secure", False, 0.4, False),
        ("NVIDIA A40:secure", True, 0.44, False),
        ("NVIDIA A40:secure:2", False, 0.8, False),
        ("NVIDIA A40:secure:2", True, 0.88, False),
        ("NVIDIA A40:secure:4", False, 1.6, False),
        ("NVIDIA A40:secure:4", True, 1.76, False),
        ("NVIDIA A40:secure:8", False, 3.2, False),
        ("NVIDIA A40:secure:8", True, 3.52, False),
        ("NVIDIA GeForce RTX 3090 Ti:community", False, 0.27, False),
        ("NVIDIA GeForce RTX 3090 Ti:community", True, 0.14, False),
        ("NVIDIA GeForce RTX 3090 Ti:community:2", False, 0.54, False),
        ("NVIDIA GeForce RTX 3090 Ti:community:2", True, 0.28, False),
    ]
    assert {row.region for row in rows} == {None}
    assert (rows[0].price_raw, rows[0].vcpus, rows[0].ram_gib) == (
        "securePrice=2.99 USD per GPU-hour",
        20,
        125,
    )
    assert (rows[0].as_of, rows[0].source_url) == (START, f"{server.url}/graphql")
    (sent,) = server.requests
    assert sent.line == "POST /graphql HTTP/1.1"
    assert sent.headers["Authorization"] is None
    assert list(sent.json) == ["query"]


async def test_no_key_goes_to_graphql_even_where_there_is_one() -> None:
    async with serving(reply(200, GRAPHQL)) as server:
        rows, _ = await read(House(server.url, key="k-secret"), SPOT)
    assert {row.spot for row in rows} == {True}
    assert server.requests[0].headers["Authorization"] is None


async def test_a_catalogue_is_asked_for_with_stock_and_its_pages_are_followed() -> None:
    asked_for = [f"{CATALOGUE_OF_SECURE}{more}" for more in ("", "&cursor=Z3B1cy84")]
    asked_for += [CATALOGUE_OF_SECURE.replace("count=1", f"count={size}") for size in (2, 4, 8)]
    async with serving(*(reply(200, REPLIES[ask]) for ask in asked_for)) as server:
        rows, one = await read(House(server.url, key="k"), SECURE)
    assert [one.line for one in server.requests] == [f"{ask} HTTP/1.1" for ask in asked_for]
    assert {one.headers["Authorization"] for one in server.requests} == {"Bearer k"}
    urls = {row.source_url for row in rows if row.gpu_count == 4}
    assert urls == {f"{server.url}{CATALOGUE_OF_SECURE[4:].replace('count=1', 'count=4')}"}
    assert [note.message[:7] for note in one.notes] == ["1 offer"]


async def test_what_is_free_is_never_inferred_from_another_size_or_place() -> None:
    """Each size as its own listing tells it, each place by itself; nothing multiplied but the price."""
    told = (("HIGH", "US-KS-2", "EU-RO-1"), ("LOW", "US-KS-2"), ("NONE",), ("NONE",))
    answers = []
    for level, *places in told:
        centres = {"dataCenters": [{"id": id, "name": id, "availability": "LOW"} for id in places]}
        bare = {name: value for name, value in CATALOGUED.items() if name != "dataCenters"}
        answers.append({"gpus": [{**bare, "availability": level, **(centres if places else {})}]})
    async with serving(*(reply(200, answer) for answer in answers)) as server:
        rows, _ = await read(House(server.url, key="k"), SECURE)
    name = CATALOGUED["id"]
    assert [(row.offer_id, row.region, row.country, row.usd_per_hour, row.available) for row in rows] == [
        (f"{name}:secure@US-KS-2", "US-KS-2", "us", 2.99, True),
        (f"{name}:secure@EU-RO-1", "EU-RO-1", "ro", 2.99, True),
        (f"{name}:secure:2@US-KS-2", "US-KS-2", "us", 5.98, True),
        (f"{name}:secure:4", None, None, 11.96, False),
        (f"{name}:secure:8", None, None, 23.92, False),
    ]


async def test_the_end_of_graphql_is_said_plainly_to_who_has_no_key() -> None:
    async with serving(reply(410, {"message": "Gone"})) as server:
        error = await asked(House(server.url))
        one = connector(House(server.url))
        health = [row async for page in one.health(Scope("runpod", kind="health")) for row in page]
        await one.aclose()
    assert isinstance(error, Changed)
    assert "retired" in error.message
    assert "without a key" in error.message
    assert "RUNPOD_API_KEY" in error.next_step
    assert [(row.check, row.status) for row in health] == [("credentials", "unknown"), ("api", "failing")]
    assert "RUNPOD_API_KEY" in health[1].message


@pytest.mark.parametrize(
    "gone",
    [
        reply(410, "Gone"),
        reply(410, "<html>Gone</html>"),
        reply(401, {"errors": [{"message": "Unauthorized"}]}),
        reply(200, {"errors": [{"message": "Unauthorized"}], "data": None}),
    ],
)
async def test_with_a_key_the_end_of_graphql_costs_only_the_spot_prices(gone: bytes) -> None:
    async with serving(gone) as server:
        rows, one = await read(House(server.url, key="k"), SPOT)
    assert rows == []
    (note,) = one.notes
    assert (note.code, note.severity) == ("changed", "warning")
    assert "spot" in note.message
    assert "on-demand prices are complete" in note.next_step
    async with serving(reply(200, {"gpus": [CATALOGUED]})) as server:
        rows, one = await read(House(server.url, key="k"), SECURE)
    assert {row.gpu_count for row in rows} == {1, 2, 4, 8}
    assert one.notes == []


async def test_a_catalogue_that_is_gone_is_no_matter_of_graphql() -> None:
    async with serving(reply(410, {"title": "Gone", "status": 410, "detail": "gone"})) as server:
        error = await asked(House(server.url, key="k"), SECURE)
    assert isinstance(error, Changed)
    assert "GraphQL" not in str(error)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, {"errors": [{"message": "Something went wrong"}], "data": None}, Invalid),
        (200, {"errors": [{"message": "Rate limit exceeded"}]}, RateLimited),
        (200, {"errors": [{"message": "x", "extensions": {"code": "UNAUTHENTICATED"}}]}, Unauthorized),
        (200, {"data": {"gpuTypes": None}}, Invalid),
        (200, {"data": None}, Invalid),
        (400, {"errors": [{"message": 'Cannot query field "securePrice" on type "GpuType".'}]}, Invalid),
        (503, {"errors": [{"message": "later"}]}, Unavailable),
    ],
)
async def test_a_failure_of_graphql_is_none_of_its_end(
    status: int, answer: Any, kind: type[CloudError]
) -> None:
    async with serving(reply(status, answer)) as server:
        error = await asked(House(server.url, policy=Policy(retries=0)))
    assert type(error) is kind
    assert error.message
    assert error.next_step


async def test_health_lists_pods_with_the_key() -> None:
    async with serving(reply(200, {"pods": []})) as server:
        one = connector(House(server.url, key="k"))
        rows = [row async for page in one.health(Scope("runpod", "default", kind="health")) for row in page]
        await one.aclose()
    assert [(row.check, row.status) for row in rows] == [("credentials", "healthy"), ("api", "healthy")]
    assert server.requests[0].line == "GET /v2/pods HTTP/1.1"


def row(gpu: Mapping[str, Any], tier: str = "secure") -> GpuOffer | None:
    """A record of the catalogue as a row."""
    found = [gpu_offer(gpu, sale, START, "") for sale in catalog_sales(gpu, tier)]
    return found[0] if found else None


def test_a_price_beside_a_cloud_that_does_not_sell_the_type_is_none() -> None:
    unsold = {**CATALOGUED, "community": False, "price": {"secure": 2.99, "community": 0.5}}
    assert row(unsold, "community") is None
    told = {**RECORD, "communityCloud": False, "communityPrice": 0.5, "communitySpotPrice": 0.4}
    assert {sale.tier for sale in sales(told)} == {"secure"}


@pytest.mark.parametrize(("level", "price"), [("HIGH", 2.99), ("NONE", None), (None, None)])
def test_where_the_flag_is_not_told_only_stock_proves_a_price(level: Any, price: float | None) -> None:
    unsaid = {name: value for name, value in CATALOGUED.items() if name not in ("secure", "dataCenters")}
    found = row({**unsaid, "availability": level})
    assert found is not None
    assert found.usd_per_hour == price


@pytest.mark.parametrize("level", ["High", "HIGH", "medium", "Low", "LOW "])
def test_any_level_of_stock_is_some_in_any_case(level: str) -> None:
    assert in_stock(level) is True


@pytest.mark.parametrize(
    ("level", "free"),
    [("None", False), ("NONE", False), (None, None), ("", None), ("Plenty", None), (3, None)],
)
def test_no_stock_is_said_and_what_is_not_said_is_unknown(level: Any, free: bool | None) -> None:
    assert in_stock(level) is free


@pytest.mark.parametrize(
    ("lowest", "free"),
    [
        ({"secureLowest": None}, False),
        ({"secureLowest": {"stockStatus": None}}, False),
        ({"secureLowest": {}}, None),
        ({"secureLowest": []}, None),
        ({}, None),
    ],
)
def test_null_is_sold_out_and_silence_is_unknown(lowest: Mapping[str, Any], free: bool | None) -> None:
    told = {name: value for name, value in RECORD.items() if name != "secureLowest"}
    found = [sale for sale in sales({**told, **lowest}) if sale.tier == "secure"]
    assert [sale.available for sale in found if sale.size == 1] == [free, free]
    # A bid for several is no offer until it is told whether there are any; a list price is one.
    assert [sale.available for sale in found if sale.size == 8] == ([free] if free is None else [free, free])


@pytest.mark.parametrize(
    ("counts", "free"),
    [
        ([1, 2, 3, 4], [True, True, True, False]),
        ([1], [True, False, False, False]),
        ([], [True, False, False, False]),
        ([8], [True, False, False, True]),
        (None, [True, None, None, None]),
        ("8", [True, None, None, None]),
        ({}, [True, None, None, None]),
    ],
)
def test_which_sizes_are_free_is_told_or_unknown(counts: Any, free: list[bool | None]) -> None:
    told = {**RECORD, "secureLowest": {**RECORD["secureLowest"], "availableGpuCounts": counts}}
    found = [sale for sale in sales(told) if sale.tier == "secure" and not sale.spot]
    assert [sale.available for sale in found] == free


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [1]), (2, [1, 2]), (7, [1, 2, 4]), (10, [1, 2, 4, 8]), (None, [1, 2, 4, 8])]
)
def test_no_pod_is_larger_than_its_ceiling(most: int | None, sizes: list[int]) -> None:
    told = {**RECORD, "maxGpuCountSecureCloud": most}
    assert [sale.size for sale in sales(told) if sale.tier == "secure" and not sale.spot] == sizes
    listed = {**CATALOGUED, "maxCount": {"secure": most, "community": 8}}
    assert [size for size in COUNTS if [*catalog_sales(listed, "secure", size)]] == sizes


@pytest.mark.parametrize(("level", "price"), [("LOW", 23.92), ("NONE", None), (None, None)])
def test_without_a_ceiling_only_stock_proves_a_price_of_several(level: Any, price: float | None) -> None:
    untold = {**CATALOGUED, "maxCount": None, "dataCenters": None, "availability": level}
    (sale,) = catalog_sales(untold, "secure", 8)
    assert gpu_offer(untold, sale, START, "").usd_per_hour == price


@pytest.mark.parametrize(
    ("centres", "places"),
    [
        ([{"id": "US-KS-2", "availability": "HIGH"}, {"id": "EU-RO-1", "availability": "NONE"}], ["US-KS-2"]),
        ([{"id": "US-KS-2"}, {"id": "US-KS-2", "availability": "LOW"}], ["US-KS-2"]),
        ([{"availability": "LOW"}, {"id": None}, {"id": ""}, "US-KS-2", None], []),
        ([], []),
        (None, []),
        ({"id": "US-KS-2"}, []),
    ],
)
def test_a_place_is_one_that_is_named_and_has_some(centres: Any, places: list[str]) -> None:
    assert places_of({**CATALOGUED, "dataCenters": centres}) == places


def test_a_host_in_no_data_centre_is_free_somewhere() -> None:
    found = row({**CATALOGUED, "dataCenters": None, "availability": "LOW"})
    assert found is not None
    assert (found.offer_id, found.region, found.available) == ("NVIDIA H100 80GB HBM3:secure", None, True)


@pytest.mark.parametrize(("spot", "doubted"), [(2.99, False), (3.5, True), (0, False), (None, False)])
def test_a_bid_above_the_list_price_is_doubted(spot: Any, doubted: bool) -> None:
    """Told by the connector: with a key, the two stand under different ids, one of them with its place."""
    told = {**RECORD, "secureSpotPrice": spot}
    found = [gpu_offer(told, sale, START, "") for sale in sales(told, only_spot=True)]
    assert all((one.suspect is not None) == doubted for one in found)
    assert {one.suspect for one in found} <= {
        None,
        "spot price above its own on-demand price of $2.99 per GPU-hour",
    }


def test_null_is_no_spot_sale_and_a_missing_spot_price_is_unknown() -> None:
    told = {name: value for name, value in RECORD.items() if name != "secureSpotPrice"}
    found = [gpu_offer(told, sale, START, "") for sale in sales(told, only_spot=True)]
    assert {(one.tier, one.usd_per_hour) for one in found} == {("secure", None)}
    assert [one.gpu_count for one in found] == [1, 2, 4, 8]


def test_a_slice_is_a_share_whether_or_not_its_board_is_known() -> None:
    known = row(
        {**CATALOGUED, "id": "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", "memory": 24}
    )
    unknown = row({**CATALOGUED, "id": "NVIDIA X900 MIG 2g.32gb", "memory": 32})
    assert known is not None
    assert unknown is not None
    assert (known.gpu_count, known.gpu_memory_gib, known.fractional) == (0.25, 96, True)
    assert (unknown.gpu_count, unknown.gpu_memory_gib, unknown.fractional) == (1, 32, True)


def test_the_id_names_the_part_and_not_the_name_on_display() -> None:
    found = row({**CATALOGUED, "id": "NVIDIA H200 NVL", "name": "H200", "memory": 143})
    assert found is not None
    assert (found.gpu, found.gpu_memory_gib) == ("H200NVL", 141)


@pytest.mark.parametrize("value", [None, 0, -1, "", "free", True, [], {}, float("nan"), "3"])
@pytest.mark.parametrize("gpu", [CATALOGUED, RECORD])
def test_any_field_may_be_anything(gpu: Mapping[str, Any], value: Any) -> None:
    for name in set(gpu) - {"id"}:
        odd = {**gpu, name: value}
        told = (*catalog_sales(odd, "secure"), *catalog_sales(odd, "secure", 8), *sales(odd))
        rows = [gpu_offer(odd, sale, START, "") for sale in told]
        assert all(one.usd_per_hour is None or one.usd_per_hour > 0 for one in rows)
        assert all(one.gpu == "H100" for one in rows)


def test_a_list_goes_on_only_where_it_says_so() -> None:
    assert next_cursor({"gpus": []}) is None
    assert next_cursor({"pagination": None}) is None
    assert next_cursor({"pagination": {"hasNextPage": False, "nextCursor": "x"}}) is None
    assert next_cursor({"pagination": {"hasNextPage": True, "nextCursor": "x"}}) == "x"
    assert next_cursor({"pagination": {"nextCursor": "x"}}) == "x"
    with pytest.raises(Invalid):
        next_cursor({"pagination": {"hasNextPage": True}})


# --- the sandbox against the shapes of RunPod's OpenAPI document -------------------------------------------

TEXT, YES_NO, WHOLE, MONEY = (str,), (bool,), (int,), (int, float)
LEVELS = {"NONE", "LOW", "MEDIUM", "HIGH"}
GPU_TYPE: Mapping[str, tuple[type, ...]] = {
    "id": TEXT,
    "name": TEXT,
    "pool": (str, type(None)),
    "manufacturer": TEXT,
    "memory": WHOLE,
    "secure": YES_NO,
    "community": YES_NO,
    "price": (dict,),
    "maxCount": (dict,),
}
OPTIONAL: Mapping[str, tuple[type, ...]] = {
    "availability": TEXT,
    "dataCenters": (list,),
    "cudaVersions": (list,),
}


def fits(record: Mapping[str, Any], required: Mapping[str, Any], optional: Mapping[str, Any] = {}) -> None:
    """Every required field, no field that is not documented, and each of its type."""
    assert set(required) <= set(record) <= set(required) | set(optional)
    for name, value in record.items():
        types = {**required, **optional}[name]
        assert isinstance(value, types), name
        assert isinstance(value, bool) <= (bool in types), name


def client(key: str | None = local.TOKENS["prod"]) -> httpx.AsyncClient:
    app = local.app(State(lambda: START))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://sandbox", headers=headers
    )


CATALOGUE = "/v2/catalog/gpus"
FULL = {"include": "AVAILABILITY", "product": "POD", "cloud": "COMMUNITY", "count": "1"}


@pytest.mark.parametrize("asked_for", [{}, FULL, {**FULL, "cloud": "SECURE", "count": "8"}])
async def test_the_sandbox_lists_gpus_as_documented(asked_for: Mapping[str, str]) -> None:
    pages = []
    async with client() as http:
        cursor: dict[str, str] = {}
        while True:
            answer = (await http.get(CATALOGUE, params={**asked_for, **cursor})).json()
            pages.append(answer["gpus"])
            if not answer["pagination"]["hasNextPage"]:
                break
            cursor = {"cursor": answer["pagination"]["nextCursor"]}
    assert len(pages) > 1
    for gpu in (gpu for page in pages for gpu in page):
        fits(gpu, GPU_TYPE, OPTIONAL if asked_for else {})
        assert gpu["manufacturer"] in {"NVIDIA", "AMD", "UNKNOWN"}
        fits(gpu["price"], {"secure": MONEY, "community": MONEY}, {"serverless": MONEY})
        fits(gpu["maxCount"], {"secure": WHOLE, "community": WHOLE})
        assert gpu.get("availability", "NONE") in LEVELS
        for place in gpu.get("dataCenters", ()):
            fits(place, {"id": TEXT, "name": TEXT, "availability": TEXT})
            assert place["availability"] in LEVELS
        for version in gpu.get("cudaVersions", ()):
            fits(version, {"version": TEXT, "available": YES_NO})
            assert re.fullmatch(r"\d+\.\d+", version["version"])


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"cloud": "SECURE"}, 400),
        ({"include": "AVAILABILITY"}, 400),
        ({"include": "PRICES"}, 400),
        ({**FULL, "cloud": "ALL"}, 400),
        ({**FULL, "cursor": "made-up"}, 400),
        ({**FULL, "limit": "10"}, 400),
        ({**FULL, "count": "0"}, 422),
    ],
)
async def test_the_sandbox_refuses_what_is_not_documented(params: Mapping[str, str], status: int) -> None:
    async with client() as http:
        answer = await http.get(CATALOGUE, params=params)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    fits(answer.json(), {"title": TEXT, "status": WHOLE, "detail": TEXT}, {"errors": (list,)})


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_the_sandbox_wants_the_key_for_rest_and_none_for_graphql(key: str | None) -> None:
    async with client(key) as http:
        refused = [await http.get(path) for path in (CATALOGUE, "/v2/pods")]
        answer = await http.post("/graphql", json={"query": connector_module.ANY_ANSWER})
    assert [one.status_code for one in refused] == [401, 401]
    assert answer.status_code == (200 if key is None else 401)


LOWEST = (
    "lowestPrice(input: {gpuCount: %s, secureCloud: true}) { uninterruptablePrice minimumBidPrice minVcpu }"
)


async def test_the_sandbox_prices_a_lowest_price_for_the_whole_pod() -> None:
    query = "query Types { gpuTypes { id securePrice " + " ".join(
        f"of{count}: {LOWEST % count}" for count in (1, 8, 9)
    )
    async with client(None) as http:
        answer = (await http.post("/graphql", json={"query": f"{query} }} }}"})).json()
    gpu = next(one for one in answer["data"]["gpuTypes"] if one["id"] == "NVIDIA H100 80GB HBM3")
    assert gpu["of1"] == {"uninterruptablePrice": 2.99, "minimumBidPrice": 1.75, "minVcpu": 20}
    assert gpu["of8"] == {"uninterruptablePrice": 23.92, "minimumBidPrice": 14.0, "minVcpu": 160}
    assert set(gpu["of9"].values()) == {None}


async def test_large_pods_are_free_in_fewer_places_of_the_sandbox() -> None:
    async with client() as http:
        answers = [
            (await http.get(CATALOGUE, params={**FULL, "cloud": "SECURE", "count": size})).json()
            for size in ("1", "2", "4", "8")
        ]
    listed = [next(one for one in answer["gpus"] if "H100 80GB" in one["id"]) for answer in answers]
    places = [[(place["id"], place["availability"]) for place in one["dataCenters"]] for one in listed]
    assert places == [
        [("US-KS-2", "HIGH"), ("EU-RO-1", "MEDIUM")],
        [("US-KS-2", "HIGH"), ("EU-RO-1", "LOW")],
        [("US-KS-2", "MEDIUM")],
        [("US-KS-2", "LOW")],
    ]
    assert [one["availability"] for one in listed] == ["HIGH", "HIGH", "MEDIUM", "LOW"]


@pytest.mark.parametrize(
    "query",
    [
        "query { gpuTypes { id price } }",
        "query { pods { id } }",
        "query { gpuTypes { id lowestPrice(input: {}) { stockStatus } } }",
        "query { gpuTypes { id lowestPrice { stockStatus } } }",
        "query { gpuTypes { id",
        "mutation { podStop }",
        "",
    ],
)
async def test_the_sandbox_refuses_a_document_that_does_not_fit(query: str) -> None:
    async with client(None) as http:
        answer = await http.post("/graphql", content=json.dumps({"query": query}))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
