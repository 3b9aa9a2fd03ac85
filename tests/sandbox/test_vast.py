"""The local Vast.ai answers as its documentation says. Expected values are worked out here from its data."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudtop.sandbox import vast_market, vast_search
from cloudtop.sandbox.clouds import vast

FRIDAY = datetime(2026, 11, 20, 14, tzinfo=UTC)
TABLE = vast_market.FILE
SPEC = Path(__file__).parents[3] / "shared" / "specs" / "vast-patched-mock.openapi.yaml"
Ask = Callable[..., Any]


def table() -> list[dict[str, str]]:
    lines = TABLE.read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def shown_by_default() -> list[dict[str, str]]:
    return [
        row
        for row in table()
        if row["verification"] == "verified" and row["rentable"] == "true" and row["rented"] == "false"
    ]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = vast.served(vast.Vast(now=lambda: FRIDAY))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vast.test") as made:
        yield made


@pytest.fixture
def search(client: httpx.AsyncClient) -> Ask:
    async def offers(**body: Any) -> list[dict[str, Any]]:
        answer = await client.post("/api/v0/bundles/", json={"limit": 10_000, **body})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["offers"]
        return found

    return offers


def ids(offers: list[dict[str, Any]]) -> set[int]:
    return {offer["id"] for offer in offers}


async def test_a_search_without_filters_shows_the_verified_rentable_and_unrented(search: Ask) -> None:
    assert ids(await search()) == {int(row["id"]) for row in shown_by_default()}


async def test_without_a_limit_64_offers_come(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v0/bundles/", json={})
    assert len(answer.json()["offers"]) == 64


async def test_prices_of_a_friday_are_the_tables_times_1_04(search: Ask) -> None:
    expected = {
        int(row["id"]): (round(float(row["dph_base"]) * 1.04, 6), round(float(row["min_bid"]) * 1.04, 6))
        for row in shown_by_default()
        if row["dph_base"] not in ("", "null") and row["min_bid"] not in ("", "null")
    }
    shown = {offer["id"]: offer for offer in await search()}
    assert {key: (shown[key]["dph_base"], shown[key]["min_bid"]) for key in expected} == expected


@pytest.mark.parametrize(("body", "disk_gb"), [({}, 8), ({"allocated_storage": 200}, 200)])
@pytest.mark.parametrize(("kind", "price"), [("on-demand", "dph_base"), ("bid", "min_bid")])
async def test_the_total_is_the_price_and_a_720th_of_the_months_disk(
    search: Ask, body: dict[str, Any], disk_gb: int, kind: str, price: str
) -> None:
    rows = {int(row["id"]): row for row in table()}
    compared = 0
    for offer in await search(type=kind, **body):
        row = rows[offer["id"]]
        if row[price] in ("", "null"):
            assert offer.get("dph_total") is None
            continue
        monthly = float(row["storage_cost"]) if row["storage_cost"] not in ("", "null") else 0.0
        expected = float(row[price]) * 1.04 + monthly * disk_gb / 720
        assert offer.get("dph_total", offer["search"]["totalHour"]) == pytest.approx(expected, abs=1e-9)
        assert offer["search"]["totalHour"] == pytest.approx(expected, abs=1e-9)
        compared += 1
    assert compared > 300


@pytest.mark.parametrize(
    ("how", "wanted", "passes"),
    [
        ("eq", 4, lambda n: n == 4),
        ("neq", 4, lambda n: n != 4),
        ("gt", 4, lambda n: n > 4),
        ("gte", 4, lambda n: n >= 4),
        ("lt", 4, lambda n: n < 4),
        ("lte", 4, lambda n: n <= 4),
        ("in", [1, 8], lambda n: n in (1, 8)),
        ("notin", [1, 8], lambda n: n not in (1, 8)),
    ],
)
async def test_every_operator_compares(
    search: Ask, how: str, wanted: Any, passes: Callable[..., bool]
) -> None:
    expected = {int(row["id"]) for row in shown_by_default() if passes(int(row["num_gpus"]))}
    assert ids(await search(num_gpus={how: wanted})) == expected


async def test_names_are_matched_with_spaces_and_only_so(search: Ask) -> None:
    assert await search(gpu_name={"in": ["RTX 4090"]})
    assert await search(gpu_name={"in": ["RTX_4090", "rtx 4090"]}) == []


async def test_two_letters_mean_a_country(search: Ask) -> None:
    places = {offer["geolocation"] for offer in await search(geolocation={"in": ["US"]})}
    assert ", US" in places
    assert "Washington, D.C., US" in places
    assert all(place.endswith("US") for place in places)


async def test_both_words_of_verified_show_what_the_default_hides(search: Ask) -> None:
    both = await search(verified={"in": [True, False]}, rentable={"in": [True, False]}, rented={"eq": True})
    hidden = {int(row["id"]) for row in table()} - ids(both)
    assert hidden == {int(row["id"]) for row in table() if not row["rentable"]}


async def test_order_is_followed_and_nulls_come_first_upwards(search: Ask) -> None:
    totals = [offer.get("dph_total") for offer in await search(order=[["dph_total", "asc"]])]
    unpriced = [total for total in totals if total is None]
    assert unpriced
    assert totals == unpriced + sorted(total for total in totals if total is not None)


async def test_walking_upwards_by_price_meets_every_offer_once_known_ones_are_dropped(search: Ask) -> None:
    met: set[int] = set()
    onward: dict[str, Any] = {}
    while page := await search(limit=50, order=[["dph_total", "asc"]], **onward):
        met |= ids(page)
        onward = {"dph_total": {"gte": page[-1]["dph_total"]}}
        if len(page) < 50:
            break
    assert met == ids(await search())


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"gpu": {"eq": "A100"}}, "gpu"),
        ({"q": {}}, "q"),
        ({"gpu_name": {"like": "A100"}}, "like"),
        ({"gpu_name": {"eq": 4090}}, "4090"),
        ({"num_gpus": {"eq": True}}, "True"),
        ({"num_gpus": {"in": 8}}, "list"),
        ({"verified": True}, "verified"),
        ({"limit": 0}, "limit"),
        ({"limit": "10"}, "limit"),
        ({"type": "spot"}, "spot"),
        ({"order": [["price", "asc"]]}, "price"),
        ({"order": ["dph_total", "asc"]}, "dph_total"),
        ({"allocated_storage": -1}, "allocated_storage"),
        (["A100"], "dict"),
    ],
)
async def test_what_the_documentation_does_not_name_is_refused(
    client: httpx.AsyncClient, body: Any, named: str
) -> None:
    answer = await client.post("/api/v0/bundles/", json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert (said["success"], said["error"]) == (False, "invalid_args")
    assert named in said["msg"]


async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v0/bundles/", content=b"gpu_name=A100")
    assert (answer.status_code, answer.json()["msg"]) == (400, "Invalid json body")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v0/bundles", 404),
        ("GET", "/api/v0/users/current", 404),
        ("GET", "/api/v1/bundles/", 404),
        ("GET", "/", 404),
        ("GET", "/api/v0/bundles/", 405),
        ("POST", "/api/v0/bundles/?limit=5", 400),
    ],
)
async def test_other_paths_and_query_strings_are_refused_in_json(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, json={})
    assert answer.status_code == status
    assert answer.json()["success"] is False


async def test_a_wrong_key_is_401_for_the_user_and_404_for_a_search(client: httpx.AsyncClient) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    user = await client.get("/api/v0/users/current/", headers=wrong)
    found = await client.post("/api/v0/bundles/", json={}, headers=wrong)
    assert (user.status_code, found.status_code) == (401, 404)
    expected = {"success": False, "error": "auth_error", "msg": "Invalid user key"}
    assert user.json() == found.json() == expected


async def test_the_right_key_names_its_owner(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v0/users/current/", headers={"Authorization": f"Bearer {vast.TOKEN}"})
    assert answer.json()["email"] == "sandbox@example.invalid"


async def test_a_request_within_the_threshold_gets_a_plain_429() -> None:
    app = vast.served(vast.Vast(now=lambda: FRIDAY, threshold_s=600.0))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vast.test") as client:
        first = await client.post("/api/v0/bundles/", json={"limit": 1})
        second = await client.post("/api/v0/bundles/", json={"limit": 1})
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.text == "API requests too frequent: endpoint threshold=600.0"


def test_every_documented_condition_is_understood() -> None:
    if not SPEC.exists():
        pytest.skip(f"{SPEC.name} is not at hand")
    import yaml

    document = yaml.load(SPEC.read_text("utf-8"), Loader=yaml.CSafeLoader)
    asked = document["paths"]["/api/v0/bundles/"]["post"]["requestBody"]["content"]["application/json"]
    documented = set(asked["schema"]["properties"]) - {"limit", "type", "order", "allocated_storage"}
    assert documented == vast_search.NUMBERS | vast_search.SWITCHES | vast_search.TEXTS


async def test_every_field_of_an_answer_is_one_that_the_documentation_shows(search: Ask) -> None:
    if not SPEC.exists():
        pytest.skip(f"{SPEC.name} is not at hand")
    import yaml

    document = yaml.load(SPEC.read_text("utf-8"), Loader=yaml.CSafeLoader)
    answer = document["paths"]["/api/v0/bundles/"]["post"]["responses"]["200"]["content"]["application/json"]
    shown = set(answer["example"]["offers"][0]) | {"verified", "datacenter", "ubuntu_version"}
    assert {name for offer in await search() for name in offer} <= shown
