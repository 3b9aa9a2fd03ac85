"""Vast.ai: replies in its own format, rows expected by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.errors import Invalid, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from connectors import vast
from connectors.vast import Vast, gpu_offer, price_of
from tests.connectors.raw_servers import START, House, Policy, Request, Server, free_port, reply, serving

REPLY = json.loads((Path(__file__).parent / "fixtures" / "vast_bundles.json").read_text())
OFFERS = REPLY["offers"]
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="module")
def catalogues() -> None:
    """Read once here, so that no property test counts the reading as its own time."""
    gpu_offer(OFFERS[0], False, AT, "")


def connector(house: House) -> Vast:
    return Vast(house.facts, house.settings, house.http(), house.clock.now)


async def offers(house: House, scope: Scope | None = None) -> tuple[list[GpuOffer], Vast]:
    one = connector(house)
    (scope,) = [scope] if scope else one.price_scopes(PriceQuery(spot=False))
    try:
        return [offer async for page in one.gpu_offers(scope) for offer in page], one
    finally:
        await one.aclose()


async def health(house: House, account: str = "public") -> list[Health]:
    one = connector(house)
    try:
        return [row async for page in one.health(Scope("vast", account, kind="health")) for row in page]
    finally:
        await one.aclose()


async def test_a_reply_becomes_these_rows() -> None:
    async with serving(reply(200, REPLY)) as server:
        rows, one = await offers(House(server.url))
    assert one.notes == []
    assert [row.offer_id for row in rows] == ["40000001", "40000002", "40000003", "40000004"]
    first, second, third, fourth = rows

    assert (first.seller, first.gpu, first.gpu_raw) == ("vast", "RTX4090", "RTX 4090")
    assert (first.gpu_count, first.gpu_memory_gib, first.fractional) == (1, 24, False)
    assert (first.usd_per_hour, first.price_raw, first.spot) == (0.3, "dph_base=0.3", False)
    assert (first.vcpus, first.ram_gib) == (24, 15.75)
    assert (first.country, first.tier, first.available) == ("cn", "community", True)
    assert (first.interconnect, first.reliability) == ("none", 0.9700835)
    assert (first.disk_usd_per_gb_month, first.egress_usd_per_gb) == (0.18, 0.004)
    assert (first.as_of, first.instance_type, first.suspect) == (START, None, None)
    assert first.source_url == f"{server.url}/api/v0/bundles/"
    assert first.raw is not None
    assert first.raw["machine_id"] == 501

    assert (second.gpu, second.gpu_memory_gib, second.form) == ("A100", 80, "sxm")
    assert (second.gpu_count, second.usd_per_hour) == (8, 8.8)
    assert (second.tier, second.interconnect, second.country) == ("datacenter", "nvlink", "fi")
    assert (second.ram_gib, second.egress_usd_per_gb) == (1024, 0.0)

    assert (third.gpu, third.gpu_memory_gib) == ("RTX4090", 48), "a modified board keeps its own memory"
    assert (third.region, third.country, third.tier) == ("US", "us", "marketplace")
    assert (third.ram_gib, third.reliability) == (None, 0.61)

    assert (fourth.gpu, fourth.gpu_memory_gib, fourth.form) == ("H100NVL", 94, "nvl")
    assert (fourth.usd_per_hour, fourth.price_raw) == (None, "dph_base=None")
    assert (fourth.region, fourth.country, fourth.tier, fourth.interconnect) == (
        None,
        None,
        "marketplace",
        None,
    )


async def test_interruptible_offers_are_priced_at_their_lowest_bid_and_zero_is_not_free() -> None:
    scope = Scope("vast", kind="gpu_offers", query='{"type":"bid"}')
    async with serving(reply(200, REPLY)) as server:
        rows, _ = await offers(House(server.url), scope)
    assert [(row.usd_per_hour, row.spot) for row in rows] == [
        (0.2, True),
        (4.4, True),
        (None, True),
        (None, True),
    ]
    assert server.requests[0].json["type"] == "bid"


async def test_a_search_says_everything_that_the_default_would_spoil() -> None:
    async with serving(reply(200, {"offers": []})) as server:
        house = House(server.url)
        one = connector(house)
        (scope,) = one.price_scopes(PriceQuery(("H100NVL", "A100"), spot=False))
        rows, _ = await offers(house, scope)
        await one.aclose()
    assert rows == []
    assert scope == Scope("vast", "public", query='{"gpu":["A100","H100NVL"],"type":"on-demand"}')
    (sent,) = server.requests
    assert sent.line == "POST /api/v0/bundles/ HTTP/1.1"
    assert sent.headers["Authorization"] is None
    assert sent.json == {
        "type": "on-demand",
        "rentable": {"eq": True},
        "rented": {"eq": False},
        "order": [["dph_total", "asc"]],
        "limit": 1000,
        "allocated_storage": 8,
        "gpu_name": {"in": ["A100 PCIE", "A100 SXM4", "H100 NVL"]},
    }


def test_a_question_about_both_prices_is_two_scopes_and_none_names_a_gpu() -> None:
    one = connector(House("http://127.0.0.1:9"))
    assert [scope.query for scope in one.price_scopes(PriceQuery())] == [
        '{"type":"on-demand"}',
        '{"type":"bid"}',
    ]
    assert [scope.query for scope in one.price_scopes(PriceQuery(spot=True))] == ['{"type":"bid"}']
    keyed = connector(House("http://127.0.0.1:9", key="k"))
    assert {scope.account for scope in keyed.price_scopes(PriceQuery())} == {"default"}


# (dph_base, storage_cost, GB of disk, total): figures once recorded from the real market.
RECORDED = [
    (0.24666666666666665, 0.0013333333333333335, 5, 0.2466759259259259),
    (0.10533333333333333, 0.9333333333333333, 8, 0.11570370370370371),
    (0.12000000000000001, 0.6, 8, 0.12666666666666668),
]


@pytest.mark.parametrize(("base", "storage", "gb", "total"), RECORDED)
def test_the_price_without_disk_is_found_again_from_the_total(
    base: float, storage: float, gb: int, total: float
) -> None:
    assert price_of({"dph_base": base, "dph_total": total}, bid=False)[0] == base
    disk = storage * gb / 720
    searched = {"storage_cost": storage, "search": {"totalHour": total, "diskHour": disk}}
    assert price_of(searched, bid=False)[0] == pytest.approx(base, abs=1e-9)
    if gb == vast.DISK_GB:
        for left in ({"search": {"totalHour": total}}, {"dph_total": total}):
            assert price_of({"storage_cost": storage, **left}, bid=False)[0] == pytest.approx(base, abs=1e-9)


def test_a_bid_that_is_missing_is_found_in_the_total_of_a_search_for_bids_alone() -> None:
    found = {"search": {"totalHour": 0.21, "diskHour": 0.01}, "is_bid": True}
    assert price_of(found, bid=True)[0] == pytest.approx(0.2)
    assert price_of({**found, "is_bid": False}, bid=True)[0] is None
    assert price_of({**found, "min_bid": None}, bid=True)[0] is None
    assert price_of(found, bid=False)[0] is None


@pytest.mark.parametrize(
    "offer",
    [
        {},
        {"dph_base": 0},
        {"dph_base": None},
        {"dph_base": ""},
        {"dph_base": "soon"},
        {"dph_base": -1},
        {"dph_base": True},
        {"dph_base": float("nan")},
        {"dph_total": 0.5},
        {"dph_total": 0.1, "storage_cost": 99},
        {"search": None, "dph_total": None},
    ],
)
def test_no_price_is_made_up_where_none_can_be_told(offer: dict[str, Any]) -> None:
    assert price_of(offer, bid=False)[0] is None
    assert price_of(offer, bid=True)[0] is None


@given(st.sampled_from(OFFERS[:4]), st.data(), st.booleans())
def test_any_one_field_that_is_missing_or_null_does_not_lose_the_record(
    offer: dict[str, Any], data: st.DataObject, bid: bool
) -> None:
    field = data.draw(st.sampled_from([name for name in offer if name != "id"]))
    null = data.draw(st.booleans())
    cut = {name: value for name, value in offer.items() if name != field} | ({field: None} if null else {})
    row = gpu_offer(cut, bid, AT, "https://example.invalid/")
    assert row.offer_id == str(offer["id"])
    assert row.usd_per_hour is None or row.usd_per_hour > 0
    assert row.gpu_count > 0
    if field not in ("dph_base", "min_bid"):
        assert row.usd_per_hour == gpu_offer(offer, bid, AT, "").usd_per_hour


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from(sorted(OFFERS[0])), JUNK))
def test_no_value_of_any_kind_breaks_a_row(junk: dict[str, Any]) -> None:
    row = gpu_offer({**OFFERS[0], **junk, "id": 7}, False, AT, "")
    assert row.offer_id == "7"
    assert row.usd_per_hour is None or 0 < row.usd_per_hour < float("inf")
    assert row.reliability is None or 0 <= row.reliability <= 1


async def test_an_offer_without_an_id_is_left_out_and_counted() -> None:
    nameless = {name: value for name, value in OFFERS[0].items() if name not in ("id", "ask_contract_id")}
    by_contract = {name: value for name, value in OFFERS[1].items() if name != "id"}
    async with serving(reply(200, {"offers": [nameless, by_contract]})) as server:
        rows, one = await offers(House(server.url))
    assert [row.offer_id for row in rows] == ["40000002"]
    (note,) = one.notes
    assert note.message.startswith("1 offer")
    assert (note.severity, note.kind, note.provider) == ("warning", "gpu_offers", "vast")


def market(prices: list[float | None]) -> Any:
    """A server that sells machine n at the n-th price, and understands what a walk upwards asks."""
    everything = [
        {"id": n, "gpu_name": "T", "num_gpus": 1, "dph_base": p, "dph_total": p}
        for n, p in enumerate(prices, 1)
    ]
    everything.sort(key=lambda offer: (offer["dph_total"] is not None, offer["dph_total"] or 0))

    def search(body: dict[str, Any]) -> list[dict[str, Any]]:
        least = body.get("dph_total", {}).get("gte", None)
        without = body.get("id", {}).get("notin", [])
        found = [
            offer
            for offer in everything
            if offer["id"] not in without
            and (least is None or (offer["dph_total"] is not None and offer["dph_total"] >= least))
        ]
        return found[: body["limit"]]

    return search


def selling(server_of: list[Server], search: Any) -> Any:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request: Request = server_of[0].requests[-1]
        writer.write(reply(200, {"offers": search(request.json)}))
        await writer.drain()

    return answer


@given(st.lists(st.one_of(st.none(), st.sampled_from([0.1, 0.2, 0.3])), max_size=14))
def test_a_walk_upwards_meets_every_offer_once_however_many_cost_the_same(prices: list[float | None]) -> None:
    search, walk, met = market(prices), vast.Walk(), []
    for _ in range(60):
        found = search({"limit": 3, **walk.onward()})
        met += [offer["id"] for offer in walk.taken(found)]
        if len(found) < 3:
            break
    else:
        pytest.fail("the walk does not end")
    assert sorted(met) == list(range(1, len(prices) + 1))


async def test_a_listing_longer_than_a_page_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vast, "PAGE", 3)
    holder: list[Server] = []
    async with serving(selling(holder, market([None, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.4]))) as server:
        holder.append(server)
        rows, _ = await offers(House(server.url))
    assert sorted(int(row.offer_id) for row in rows) == list(range(1, 10))
    assert [request.json.get("dph_total") for request in server.requests][:2] == [None, {"gte": 0.2}]


async def test_a_server_that_repeats_a_full_page_for_ever_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vast, "PAGE", 2)
    same = reply(200, {"offers": [{"id": 1, "dph_total": 0.1}, {"id": 2, "dph_total": 0.1}]})
    async with serving(same) as server:
        with pytest.raises(Invalid, match="repeats"):
            await offers(House(server.url))
    assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [{}, [], {"offers": None}, {"offers": {"0": {}}}, {"success": True}])
async def test_a_search_answered_without_a_list_is_invalid(answer: Any) -> None:
    async with serving(reply(200, answer)) as server:
        with pytest.raises(Invalid):
            await offers(House(server.url))


async def test_a_success_that_is_none_and_a_wrong_key_are_seen_through() -> None:
    wrong = {"success": False, "error": "auth_error", "msg": "Invalid user key"}
    for status in (200, 401, 404):
        async with serving(reply(status, wrong)) as server:
            with pytest.raises(Unauthorized):
                await offers(House(server.url, key="wrong"))


async def test_health_with_a_key_asks_who_one_is() -> None:
    async with serving(reply(200, {"id": 1, "email": "a@example.invalid"})) as server:
        house = House(server.url, key="good")
        rows = await health(house, "default")
    assert server.requests[0].line == "GET /api/v0/users/current/ HTTP/1.1"
    assert server.requests[0].headers["Authorization"] == "Bearer good"
    assert [(row.check, row.status, row.healthy, row.account) for row in rows] == [
        ("credentials", "healthy", True, "default"),
        ("api", "healthy", True, "default"),
    ]
    assert all(row.latency_ms == 0 for row in rows), "the clock of this house stands still"
    assert "example.invalid" not in repr(rows)


@pytest.mark.parametrize("status", [401, 404])
async def test_health_with_a_wrong_key_blames_the_key_and_not_the_cloud(status: int) -> None:
    async with serving(
        reply(status, {"success": False, "error": "auth_error", "msg": "Invalid user key"})
    ) as server:
        rows = await health(House(server.url, key="wrong"), "default")
    assert [(row.check, row.status, row.healthy) for row in rows] == [
        ("credentials", "failing", False),
        ("api", "healthy", True),
    ]
    assert "VAST_API_KEY" in rows[0].message


async def test_health_without_a_key_searches_for_one_offer() -> None:
    async with serving(reply(200, REPLY)) as server:
        rows = await health(House(server.url))
    assert server.requests[0].json == {"type": "on-demand", "limit": 1, "allocated_storage": 8}
    assert [(row.check, row.status, row.healthy) for row in rows] == [
        ("credentials", "unknown", None),
        ("api", "healthy", True),
    ]
    assert "works without a key: prices only" in rows[0].message


@pytest.mark.parametrize(
    ("answer", "status"),
    [(None, "down"), (reply(429, ""), "degraded"), (reply(500, ""), "failing"), (reply(410, ""), "failing")],
)
async def test_health_of_a_cloud_in_trouble_says_so_and_leaves_the_key_in_peace(
    answer: bytes | None, status: str
) -> None:
    bounds = Policy(retries=0)
    async with serving(answer or b"") as server:
        url = server.url if answer else f"http://127.0.0.1:{free_port()}"
        rows = await health(House(url, key="k", policy=bounds), "default")
    assert [(row.check, row.status, row.healthy) for row in rows] == [
        ("credentials", "unknown", None),
        ("api", status, False),
    ]
    assert "127.0.0.1" in rows[1].message


def test_one_and_a_half_gpus_are_a_share() -> None:
    told = {"id": 1, "gpu_name": "RTX 4090", "num_gpus": 1.5, "dph_base": 1.0}
    assert gpu_offer(told, False, START, "https://vast.example.invalid/").fractional
    assert not gpu_offer(told | {"num_gpus": 2}, False, START, "https://vast.example.invalid/").fractional
