"""compare_gpu_prices over stores whose content is written here; expected figures are worked out by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.models import PriceQuery
from cloudtop.sandbox.serve import Sandbox, running
from tests.mcp_server import market
from tests.mcp_server.market import NOON, House, figures, offer, price_list

A100 = ("A100",)
H100 = ("H100", "H100NVL")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = market.house(tmp_path)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("vast",), now=NOON, moving=False) as running_one:
        yield running_one


def ids(answer: dict[str, Any]) -> list[str]:
    return figures(answer, "offer_id")


# --- the defects of other tools -------------------------------------------------------------------------


async def test_the_cheapest_is_shown_and_not_the_median(house: House) -> None:
    house.stock(*(offer(price) for price in (0.43, 0.30, 0.52, 0.61)), gpus=A100)
    assert figures(await house.prices(gpu="A100")) == [0.30, 0.43, 0.52, 0.61]


async def test_a_lone_offer_is_listed(house: House) -> None:
    house.stock(offer(0.77, region="Chile, CL", country="cl"), gpus=A100)
    assert figures(await house.prices(gpu="A100")) == [0.77]


async def test_cheaper_offers_of_a_kind_keep_their_own_price(house: House) -> None:
    house.stock(offer(0.9, offer_id="dear"), offer(0.4, offer_id="cheap"), gpus=A100)
    rows = (await house.prices(gpu="A100"))["rows"]
    assert {row["offer_id"]: row["usd_per_hour"] for row in rows} == {"cheap": 0.4, "dear": 0.9}


@pytest.mark.parametrize("nothing", [None, 0.0])
async def test_no_price_is_never_a_price_of_nothing(house: House, nothing: float | None) -> None:
    house.stock(offer(nothing, spot=True, offer_id="free"), offer(0.6, spot=True), gpus=A100)
    answer = await house.prices(gpu="A100")
    assert figures(answer) == [0.6]
    assert any("1 without a price" in notice for notice in answer["notices"])


async def test_the_figure_per_gpu_is_the_instances_over_its_gpus(house: House) -> None:
    house.stock(offer(8.0, gpu_count=8.0), offer(1.25), gpus=A100)
    rows = (await house.prices(gpu="A100"))["rows"]
    assert [(row["usd_per_gpu_hour"], row["usd_per_hour"], row["gpu_count"]) for row in rows] == [
        (1.0, 8.0, 8.0),
        (1.25, 1.25, 1.0),
    ]


async def test_at_least_100_gib_each_does_not_mean_eight_times_80(house: House) -> None:
    house.stock(
        offer(16.0, "H100", gpu_count=8.0, gpu_memory_gib=80.0),
        offer(3.0, "H200", gpu_memory_gib=141.0),
    )
    answer = await house.prices(min_memory=100)
    assert figures(answer, "gpu") == ["H200"]
    both = await house.prices(min_total_memory=141)
    assert figures(both, "gpu") == ["H100", "H200"]


async def test_names_that_carry_the_total_memory_find_their_gpu(tmp_path: Path) -> None:
    rows = [
        {"provider": "verda", "gpu": name, "gpu_count": count, "price_per_hour_usd": price}
        for name, count, price in (
            ("A100-80GB", 1, 1.16),
            ("A100-80GB-160GB", 2, 2.32),
            ("A100-80GB-640GB", 8, 9.28),
        )
    ]
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", *rows)])
    answer = await house.prices(gpu="A100 80GB", count=8, providers="verda")
    assert [(row["gpu"], row["gpu_memory_gib"], row["usd_per_hour"]) for row in answer["rows"]] == [
        ("A100", 80.0, 9.28)
    ]
    await house.close()


async def test_an_a100_is_40_or_80_and_shown_as_which(house: House) -> None:
    house.stock(offer(0.8, gpu_memory_gib=40.0), offer(1.1, gpu_memory_gib=80.0), gpus=A100)
    assert figures(await house.prices(gpu="A100"), "gpu_memory_gib") == [40.0, 80.0]
    only80 = await house.prices(gpu="a100 80gb")
    assert figures(only80, "gpu_memory_gib") == [80.0]
    assert only80["applied"] == {"gpu": ["A100"], "memory": 80.0}
    assert figures(await house.prices(gpu="A100", memory=40), "gpu_memory_gib") == [40.0]


async def test_a_modified_4090_is_left_out_and_found_by_its_memory(house: House) -> None:
    board = offer(0.25, "RTX4090", gpu_memory_gib=48.0, modified=True, offer_id="altered")
    house.stock(board, offer(0.35, "RTX4090", gpu_memory_gib=24.0), gpus=("RTX4090",))
    plain = await house.prices(gpu="4090")
    assert figures(plain, "gpu_memory_gib") == [24.0]
    assert any("another memory than the maker's" in notice for notice in plain["notices"])
    assert ids(await house.prices(gpu="4090", memory=48)) == ["altered"]
    assert ids(await house.prices(gpu="rtx 4090 48gb")) == ["altered"]


async def test_shares_of_a_gpu_are_not_the_cheapest_gpu(house: House) -> None:
    share = offer(0.08, "A10", gpu_count=0.1667, gpu_memory_gib=24.0, fractional=True, offer_id="share")
    house.stock(share, offer(0.6, "A10", gpu_memory_gib=24.0), gpus=("A10",))
    whole = await house.prices(gpu="A10")
    assert figures(whole) == [0.6]
    assert any("1 for shares of a GPU" in notice for notice in whole["notices"])
    asked = await house.prices(gpu="A10", fractional=True)
    assert figures(asked, "fractional") == [True, False]
    assert asked["applied"]["fractional"] is True


async def test_an_on_demand_question_is_ranked_by_on_demand_prices(house: House) -> None:
    house.stock(
        offer(2.0, offer_id="a"),
        offer(0.5, offer_id="a", spot=True),
        offer(1.5, offer_id="b"),
        offer(0.9, offer_id="b", spot=True),
        gpus=A100,
    )
    assert figures(await house.prices(gpu="A100", spot=False)) == [1.5, 2.0]
    assert figures(await house.prices(gpu="A100", spot=True)) == [0.5, 0.9]
    assert figures(await house.prices(gpu="A100")) == [0.5, 0.9, 1.5, 2.0]
    assert figures(await house.prices(gpu="A100", spot=False, max_price=1.6)) == [1.5]


async def test_a_row_with_two_prices_is_two_offers(tmp_path: Path) -> None:
    row = {
        "provider": "aws",
        "instance_type": "p4d.24xlarge",
        "gpu": "A100 40GB",
        "gpu_count": 8,
        "price_per_hour_usd": 24,
        "spot_price_per_hour_usd": 12,
    }
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", row)])
    answer = await house.prices(gpu="A100", providers="aws")
    assert [(one["spot"], one["usd_per_gpu_hour"]) for one in answer["rows"]] == [(True, 1.5), (False, 3.0)]
    await house.close()


async def test_a_region_is_where_a_seller_says_it_is_and_no_cross_product(house: House) -> None:
    house.stock(
        offer(1.0, region="us-east-1", seller="aws", country="us", offer_id="virginia"),
        offer(2.0, region="eu-central-1", seller="aws", country="de", offer_id="frankfurt"),
        gpus=A100,
    )
    assert ids(await house.prices(gpu="A100", region="de")) == ["frankfurt"]
    assert (await house.prices(gpu="A100", region="jp"))["rows"] == []


async def test_h100_takes_the_nvl_in_and_shows_the_form(house: House) -> None:
    house.stock(
        offer(1.9, "H100NVL", gpu_memory_gib=94.0, form="nvl"),
        offer(2.0, "H100", gpu_memory_gib=80.0, form="pcie"),
        offer(2.5, "H100", gpu_memory_gib=80.0, form="sxm"),
        gpus=H100,
    )
    assert figures(await house.prices(gpu="H100"), "form") == ["nvl", "pcie", "sxm"]
    assert figures(await house.prices(gpu="H100", form="pcie"), "form") == ["pcie"]
    assert figures(await house.prices(gpu="H100", memory=80), "form") == ["pcie", "sxm"]
    assert figures(await house.prices(gpu="h100 sxm"), "form") == ["sxm"]
    assert figures(await house.prices(gpu="H100", memory=94), "gpu") == ["H100NVL"]


async def test_h200_does_not_take_the_nvl_in(house: House) -> None:
    house.stock(
        offer(2.0, "H200NVL", gpu_memory_gib=141.0),
        offer(3.0, "H200", gpu_memory_gib=141.0),
    )
    house.stock(offer(3.0, "H200", gpu_memory_gib=141.0), gpus=("H200",))
    assert figures(await house.prices(gpu="H200"), "gpu") == ["H200"]


async def test_rtx_6000_is_two_cards_with_a_notice_and_never_a_third(house: House) -> None:
    cards = ("RTX6000ADA", "QUADRORTX6000", "RTXA6000", "RTXPRO6000")
    house.stock(*(offer(0.5, card, gpu_memory_gib=48.0) for card in cards), gpus=cards[:2])
    answer = await house.prices(gpu="RTX 6000")
    assert set(figures(answer, "gpu")) == set(cards[:2])
    assert any("two cards" in notice for notice in answer["notices"])


async def test_a_doubtful_price_is_marked_and_stays_where_it_is(house: House) -> None:
    house.stock(
        offer(2.0, region="x", offer_id="normal"),
        offer(3.0, region="x", offer_id="normal", spot=True),
        offer(2.5, region="y", offer_id="other"),
        gpus=A100,
    )
    answer = await house.prices(gpu="A100")
    assert figures(answer) == [2.0, 2.5, 3.0]
    assert [row["suspect"] is not None for row in answer["rows"]] == [False, False, True]
    assert sum("doubtful" in notice for notice in answer["notices"]) == 1
    assert figures(await house.prices(gpu="A100", exclude_suspect=True)) == [2.0, 2.5]


async def test_an_unknown_gpu_keeps_its_row_under_the_sellers_name(house: House) -> None:
    house.stock(offer(0.7, gpu=None, gpu_raw="Frobnicator 9000"))  # type: ignore[arg-type]
    (row,) = (await house.prices())["rows"]
    assert (row["gpu"], row["gpu_raw"]) == (None, "Frobnicator 9000")


# --- the shape of an answer -----------------------------------------------------------------------------


async def test_a_row_has_exactly_the_promised_fields_in_their_order(house: House) -> None:
    house.stock(offer(1.0), gpus=A100)
    (row,) = (await house.prices(gpu="A100"))["rows"]
    promised = """provider offer_id instance_type region country gpu gpu_raw form gpu_count gpu_memory_gib
        vcpus ram_gib usd_per_gpu_hour usd_per_hour usd_total price_raw spot tier available interconnect
        fractional reliability disk_usd_per_gb_month egress_usd_per_gb min_hours suspect source source_url
        fetched_at as_of"""
    assert [name for name in row if name != "account"] == promised.split()
    assert row["account"] == "public"


async def test_offers_that_share_the_lowest_price_are_counted(house: House) -> None:
    house.stock(*(offer(0.5, offer_id=f"t{n}") for n in range(3)), offer(0.6), gpus=A100)
    answer = await house.prices(gpu="A100", limit=1)
    assert "3 offers share the lowest price of $0.50." in answer["notices"]
    assert len(answer["rows"]) == 1
    assert not any("share" in note for note in (await house.prices(gpu="A100", sort="price_desc"))["notices"])


async def test_ties_have_one_order_whatever_order_they_came_in(tmp_path: Path) -> None:
    offers = [offer(0.5, offer_id=f"t{n}", seller=seller) for n in range(4) for seller in ("vast", "aws")]
    orders = []
    for name, mine in (("a", offers), ("b", offers[::-1])):
        house = market.house(tmp_path / name)
        house.stock(*mine, gpus=A100)
        orders.append(ids(await house.prices(gpu="A100")))
        await house.close()
    assert orders[0] == orders[1]


async def test_source_tells_cache_stale_list_and_sandbox_apart(tmp_path: Path, sandbox: Sandbox) -> None:
    listed = price_list(
        tmp_path / "own.csv",
        {"provider": "aws", "gpu": "A100", "gpu_memory_gib": 80, "price_per_hour_usd": 2},
    )
    house = market.house(tmp_path / "a", config=sandbox.config(), lists=[listed])
    answer = await house.prices(gpu="A100", limit_per_group=1)
    assert {(row["provider"], row["source"]) for row in answer["rows"]} == {
        ("vast", "sandbox"),
        ("aws", "list"),
    }
    other = market.house(tmp_path / "b", offline=True)
    other.stock(offer(1.0), gpus=A100)
    assert figures(await other.prices(gpu="A100"), "source") == ["cache"]
    other.clock.move(400)
    stale = await other.prices(gpu="A100")
    assert figures(stale, "source") == ["stale"]
    assert stale["as_of"] == "2026-11-20T12:00:00Z"
    assert any("as of 2026-11-20T12:00:00Z" in notice for notice in stale["notices"])
    assert [one["code"] for one in stale["missing"]] == ["unreachable"]
    await house.close()
    await other.close()


async def test_as_of_is_the_oldest_moment_that_a_shown_figure_is_from(tmp_path: Path) -> None:
    rows = [
        {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2, "as_of": "2026-07-20"},
        {"provider": "azure", "gpu": "A100", "price_per_hour_usd": 3, "as_of": "2026-01-21"},
    ]
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", *rows)], offline=True)
    assert (await house.prices(gpu="A100", providers="aws"))["as_of"] == "2026-07-20T00:00:00Z"
    both = await house.prices(gpu="A100", providers="aws,azure")
    assert both["as_of"] == "2026-01-21T00:00:00Z"
    assert any("2026-01-21" in notice and "303 days" in notice for notice in both["notices"])
    await house.close()


async def test_the_shipped_list_yields_to_an_own_one_and_says_so(tmp_path: Path) -> None:
    own = price_list(
        tmp_path / "own.csv",
        {"provider": "aws", "gpu": "A100", "gpu_memory_gib": 40, "gpu_count": 8, "price_per_hour_usd": 999},
    )
    house = market.house(tmp_path, lists=[own], shipped=True)
    answer = await house.prices(gpu="A100", providers="aws")
    assert figures(answer, "usd_per_hour") == [999.0]
    assert any("shipped price list" in notice for notice in answer["notices"])
    alone = market.house(tmp_path / "alone", shipped=True)
    assert len((await alone.prices(gpu="A100", providers="aws"))["rows"]) > 1
    await house.close()
    await alone.close()


async def test_own_lists_rank_beside_what_is_live(tmp_path: Path) -> None:
    own = price_list(
        tmp_path / "own.csv",
        {"provider": "vast", "gpu": "A100", "gpu_memory_gib": 80, "price_per_hour_usd": 0.9},
        {"provider": "aws", "gpu": "A100", "gpu_memory_gib": 80, "price_per_hour_usd": 1.9},
    )
    house = market.house(tmp_path, lists=[own])
    house.stock(offer(1.0), gpus=A100)
    answer = await house.prices(gpu="A100")
    assert [(row["provider"], row["source"]) for row in answer["rows"]] == [
        ("vast", "list"),
        ("vast", "cache"),
        ("aws", "list"),
    ]
    await house.close()


async def test_pages_join_to_the_whole_list(house: House) -> None:
    house.stock(*(offer(1 + n / 100) for n in range(45)), gpus=A100)
    page = await house.prices(gpu="A100", limit=20)
    seen = figures(page)
    while page["next_cursor"]:
        page = await house.prices(gpu="A100", limit=20, cursor=page["next_cursor"])
        seen += figures(page)
    assert page["total"] == 45
    assert seen == [pytest.approx(1 + n / 100) for n in range(45)]


# --- filters --------------------------------------------------------------------------------------------

MIXED = (
    {
        "usd_per_hour": 1.0,
        "offer_id": "one",
        "tier": "datacenter",
        "interconnect": "nvlink",
        "available": True,
    },
    {"usd_per_hour": 4.4, "offer_id": "four", "gpu_count": 4.0, "tier": "community", "interconnect": "none"},
    {
        "usd_per_hour": 9.6,
        "offer_id": "eight",
        "gpu_count": 8.0,
        "tier": "secure",
        "interconnect": "infiniband",
    },
    {"usd_per_hour": 1.3, "offer_id": "market", "tier": "marketplace", "instance_type": "Box.Large"},
    {"usd_per_hour": 1.4, "offer_id": "untold", "tier": None},
    {"usd_per_hour": 1.5, "offer_id": "gone", "available": False},
)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["one", "four", "eight", "market", "untold"]),
        ({"count": 4}, ["four"]),
        ({"min_count": 2}, ["four", "eight"]),
        ({"min_total_memory": 320}, ["four", "eight"]),
        ({"tier": "secure"}, ["one", "eight", "untold"]),
        ({"tier": "secure,community"}, ["one", "four", "eight", "untold"]),
        ({"tier": "marketplace"}, ["market"]),
        ({"tier": "datacenter"}, ["one"]),
        ({"available": True}, ["one"]),
        ({"available": False}, ["gone"]),
        ({"interconnect": "nvlink"}, ["one"]),
        ({"interconnect": "none"}, ["four"]),
        ({"instance_type": "box.large"}, ["market"]),
        ({"max_price": 1.2}, ["one", "four", "eight"]),
        ({"max_price": 5, "count": 4}, ["four"]),
        ({"max_price": 4, "count": 4}, []),
        ({"max_price": 5, "min_count": 2}, ["four"]),
        ({"min_price": 1.25}, ["market", "untold"]),
        ({"count": 1, "max_price": 1.35}, ["one", "market"]),
        ({"sort": "price_desc"}, ["untold", "market", "eight", "four", "one"]),
        ({"rank_by": "hour"}, ["one", "market", "untold", "four", "eight"]),
        ({"sort": "gpu_count_desc", "limit": 2}, ["eight", "four"]),
        ({"sort": "-gpu_count", "limit": 1}, ["eight"]),
        ({"sort": "usd_per_hour_desc", "limit": 1}, ["eight"]),
    ],
)
async def test_each_filter_keeps_what_it_says(
    house: House, arguments: dict[str, Any], expected: list[str]
) -> None:
    house.stock(*(offer(**told) for told in MIXED), gpus=A100)
    assert ids(await house.prices(gpu="A100", **arguments)) == expected


async def test_what_is_known_to_be_sold_out_is_left_out_and_counted(house: House) -> None:
    house.stock(*(offer(**told) for told in MIXED), gpus=A100)
    answer = await house.prices(gpu="A100")
    assert any("1 known to be sold out" in notice for notice in answer["notices"])


@pytest.mark.parametrize(
    ("arguments", "per"),
    [
        ({}, "gpu_hour"),
        ({"count": 1}, "gpu_hour"),
        ({"count": 2}, "instance_hour"),
        ({"min_count": 8}, "instance_hour"),
    ],
)
async def test_applied_says_whether_a_price_is_the_gpus_or_the_instances(
    house: House, arguments: dict[str, Any], per: str
) -> None:
    house.stock(offer(1.0), gpus=A100)
    applied = (await house.prices(gpu="A100", max_price=25, **arguments))["applied"]
    assert (applied["max_price"], applied["max_price_per"]) == (25, per)


PLACES = (
    ("aws", "us-east-2", "us"),
    ("aws", "eu-central-1", "de"),
    ("gcp", "europe-west2", "uk"),
    ("vast", "Poland, PL", "pl"),
    ("vast", "Sweden, SE", "se"),
    ("azure", "japaneast", "jp"),
)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu", {"eu-central-1", "europe-west2", "Poland, PL", "Sweden, SE"}),
        ("de", {"eu-central-1"}),
        ("germany", {"eu-central-1"}),
        ("frankfurt", {"eu-central-1"}),
        ("uk", {"europe-west2"}),
        ("ohio", {"us-east-2"}),
        ("us", {"us-east-2"}),
        ("us-east", {"us-east-2"}),
        ("us-east-2", {"us-east-2"}),
        ("asia", {"japaneast"}),
        ("pl,se", {"Poland, PL", "Sweden, SE"}),
        ("europe-west", {"europe-west2"}),
    ],
)
async def test_a_region_may_be_an_id_a_prefix_a_city_a_country_or_an_area(
    house: House, region: str, expected: set[str]
) -> None:
    house.stock(*(offer(1.0, seller=s, region=r, country=c, offer_id=r) for s, r, c in PLACES), gpus=A100)
    assert set(ids(await house.prices(gpu="A100", region=region))) == expected
    rest = {r for _, r, _ in PLACES} - expected
    assert set(ids(await house.prices(gpu="A100", exclude_region=region))) == rest


async def test_sellers_are_named_by_any_of_their_names(tmp_path: Path) -> None:
    rows = [{"provider": one, "gpu": "A100", "price_per_hour_usd": 2} for one in ("aws", "oci", "runpod")]
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", *rows)])
    house.stock(offer(1.0), gpus=A100)
    for names, sellers in (
        ({"providers": "oracle, Vast.ai"}, ["vast", "oci"]),
        ({"providers": "io"}, ["runpod"]),
        ({"exclude_providers": ["vast", "Oracle"]}, ["aws", "runpod"]),
        ({"providers": "pricelist"}, ["aws", "oci", "runpod"]),
        ({"exclude_providers": "pricelist"}, ["vast"]),
    ):
        assert figures(await house.prices(gpu="A100", **names), "provider") == sellers
    await house.close()


async def test_a_seller_that_only_a_price_list_knows_can_be_named(tmp_path: Path) -> None:
    own = price_list(tmp_path / "own.csv", {"provider": "yotta", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, lists=[own])
    assert figures(await house.prices(gpu="A100", providers="yotta"), "provider") == ["yotta"]
    refusal = await house.refusal(gpu="A100", providers="yotto")
    assert refusal["argument"] == "providers"
    assert "yotta" in refusal["next_step"]
    await house.close()


async def test_several_gpus_are_compared_in_one_list(house: House) -> None:
    asked = ("B200", "H200")
    house.stock(
        offer(5.0, "B200", gpu_memory_gib=180.0), offer(3.0, "H200", gpu_memory_gib=141.0), gpus=asked
    )
    answer = await house.prices(gpu="b200, h200")
    assert figures(answer, "gpu") == ["H200", "B200"]
    assert answer["applied"]["gpu"] == ["B200", "H200"]


async def test_exclude_gpu_takes_models_and_sizes_out(house: House) -> None:
    house.stock(
        offer(1.0, gpu_memory_gib=40.0, offer_id="a40"),
        offer(1.1, gpu_memory_gib=80.0, offer_id="a80"),
        offer(2.0, "H100", offer_id="h"),
    )
    house.stock(offer(1.0, gpu_memory_gib=40.0, offer_id="a40"), offer(1.1, offer_id="a80"), gpus=A100)
    assert ids(await house.prices(exclude_gpu="A100")) == ["h"]
    assert ids(await house.prices(exclude_gpu="A100 40GB")) == ["a80", "h"]
    assert ids(await house.prices(gpu="A100", exclude_gpu="A100 80GB")) == ["a40"]


async def test_vendor_and_architecture_mean_the_catalogues_models(house: House) -> None:
    house.stock(
        offer(1.0, "A100"), offer(2.0, "H100"), offer(3.0, "MI300X", gpu_memory_gib=192.0), offer(0.3, "T4")
    )
    assert figures(await house.prices(vendor="amd"), "gpu") == ["MI300X"]
    assert figures(await house.prices(architecture="hopper"), "gpu") == ["H100"]
    assert figures(await house.prices(architecture="ampere,turing"), "gpu") == ["T4", "A100"]
    assert figures(await house.prices(architecture="ampere", min_memory=40), "gpu") == ["A100"]


# --- totals, ranks, groups ------------------------------------------------------------------------------


async def test_totals_add_hours_disk_and_traffic(house: House) -> None:
    house.stock(
        offer(2.0, disk_usd_per_gb_month=0.72, egress_usd_per_gb=0.05, offer_id="told"),
        offer(2.1, offer_id="untold", seller="aws"),
        gpus=A100,
    )
    hours = await house.prices(gpu="A100", hours=24)
    assert figures(hours, "usd_total") == [48.0, pytest.approx(50.4)]
    assert hours["applied"]["hours"] == 24
    # 100 GB at 0.72 a month of 720 h are 0.1 an hour: 10 * (2 + 0.1) + 40 * 0.05 = 23
    whole = await house.prices(gpu="A100", hours=10, disk_gb=100, egress_gb=40)
    totals = {row["offer_id"]: row["usd_total"] for row in whole["rows"]}
    assert totals == {"told": pytest.approx(23.0), "untold": pytest.approx(21.0)}
    assert any("disk price of aws" in notice for notice in whole["notices"])
    assert any("outgoing traffic price of aws" in notice for notice in whole["notices"])
    # one hour when no hours are named: 2.1 + 40 * 0.05
    alone = await house.prices(gpu="A100", disk_gb=100, egress_gb=40, limit=1, sort="offer_id_asc")
    assert figures(alone, "usd_total") == [pytest.approx(4.1)]
    assert alone["applied"]["hours"] == 1
    assert figures(await house.prices(gpu="A100"), "usd_total") == [None, None]


async def test_nodes_multiply_the_total_and_nothing_else(house: House) -> None:
    house.stock(offer(8.0, gpu_count=8.0), gpus=A100)
    (row,) = (await house.prices(gpu="A100", count=8, nodes=3, hours=2))["rows"]
    assert (row["usd_per_hour"], row["usd_per_gpu_hour"], row["usd_total"]) == (8.0, 1.0, 48.0)


async def test_the_disk_can_change_who_is_cheapest(house: House) -> None:
    house.stock(
        offer(1.00, disk_usd_per_gb_month=0.72, offer_id="dear disk"),
        offer(1.05, disk_usd_per_gb_month=0.036, offer_id="cheap disk"),
        gpus=A100,
    )
    assert ids(await house.prices(gpu="A100")) == ["dear disk", "cheap disk"]
    with_disk = await house.prices(gpu="A100", disk_gb=200)
    # 200 * 0.72 / 720 = 0.2; 200 * 0.036 / 720 = 0.01
    assert [(row["offer_id"], row["usd_per_hour"]) for row in with_disk["rows"]] == [
        ("cheap disk", pytest.approx(1.06)),
        ("dear disk", pytest.approx(1.2)),
    ]
    assert any("Prices hold 200 GB of disk" in notice for notice in with_disk["notices"])


async def test_traffic_can_change_who_is_cheapest_in_total(house: House) -> None:
    house.stock(
        offer(1.0, egress_usd_per_gb=0.1, offer_id="dear"),
        offer(1.2, egress_usd_per_gb=0.0, offer_id="free"),
        gpus=A100,
    )
    answer = await house.prices(gpu="A100", hours=10, egress_gb=100, rank_by="total")
    assert [(row["offer_id"], row["usd_total"]) for row in answer["rows"]] == [("free", 12.0), ("dear", 20.0)]
    assert ids(await house.prices(gpu="A100", hours=10, egress_gb=100, sort="usd_total_desc")) == [
        "dear",
        "free",
    ]


@pytest.mark.parametrize(
    ("rank_by", "expected"),
    [
        ("gpu_hour", ["L4", "A100", "H100"]),
        ("hour", ["L4", "H100", "A100"]),
        ("gib", ["A100", "H100", "L4"]),
        ("tflop", ["H100", "A100", "L4"]),
        ("tflop_fp8", ["H100", "L4"]),  # 2.4 / 1,513 = 0.0016, 0.72 / 242 = 0.0030; no A100 has FP8
    ],
)
async def test_rank_by_changes_what_is_compared(house: House, rank_by: str, expected: list[str]) -> None:
    house.stock(
        offer(0.72, "L4", gpu_memory_gib=24.0),  # 0.030 a GiB; 121 TFLOPS
        offer(8.0, "A100", gpu_count=8.0),  # 1.0 a GPU: 0.0125 a GiB; 312 TFLOPS: 0.0032
        offer(2.4, "H100", form="sxm"),  # 0.030 a GiB less 0; 0.030, 989 TFLOPS: 0.0024
    )
    answer = await house.prices(rank_by=rank_by)
    if rank_by == "gib":  # L4 and H100 cost the same per GiB: only the first place is certain
        assert figures(answer, "gpu")[0] == expected[0]
    else:
        assert figures(answer, "gpu") == expected
    unrated = [notice for notice in answer["notices"] if "no FP8 figure is known" in notice]
    assert len(unrated) == (rank_by == "tflop_fp8")


RANKS = ("gpu_hour", "hour", "total", "gib", "tflop", "tflop_fp8")


@pytest.mark.parametrize("rank_by", RANKS)
async def test_hours_disk_and_traffic_are_in_the_total_whatever_is_ranked_by(
    house: House, rank_by: str
) -> None:
    house.stock(
        offer(2.0, "H100", disk_usd_per_gb_month=0.72, egress_usd_per_gb=0.05, gpu_count=2.0), gpus=H100
    )
    asked = {"hours": 10, "disk_gb": 100, "egress_gb": 40, "nodes": 3, "rank_by": rank_by}
    (row,) = (await house.prices(gpu="H100", **asked))["rows"]
    # 100 GB at 0.72 a month of 720 h are 0.1 an hour: 3 * (10 * (2 + 0.1) + 40 * 0.05) = 69
    assert row["usd_total"] == pytest.approx(69.0)
    assert row["usd_per_hour"] == pytest.approx(2.1)
    assert row["usd_per_gpu_hour"] == pytest.approx(1.05)


@pytest.mark.parametrize("rank_by", RANKS)
async def test_hours_below_what_the_seller_bills_are_billed_as_those_and_that_is_told(
    house: House, rank_by: str
) -> None:
    monthly = offer(1.0, "H100", seller="hetzner", min_hours=720.0, offer_id="monthly")
    house.stock(monthly, offer(1.5, "H100", min_hours=0.5, offer_id="hourly"), gpus=H100)
    short = await house.prices(gpu="H100", hours=24, rank_by=rank_by)
    totals = {row["offer_id"]: (row["usd_total"], row["min_hours"]) for row in short["rows"]}
    assert totals == {"monthly": (720.0, 720.0), "hourly": (36.0, 0.5)}
    assert ids(short)[0] == ("hourly" if rank_by == "total" else "monthly")
    said = "hetzner bills at least 720 hours: its usd_total is for those, not for 24."
    assert said in short["notices"]
    long = await house.prices(gpu="H100", hours=1000, rank_by=rank_by)
    assert {row["usd_total"] for row in long["rows"]} == {1000.0, 1500.0}
    assert not any("bills at least" in notice for notice in long["notices"])


async def test_the_least_that_is_billed_may_stand_in_a_price_list(tmp_path: Path) -> None:
    rows = [
        {"provider": seller, "gpu": "H100", "price_per_hour_usd": 2, "min_hours": least}
        for seller, least in (("hetzner", "720"), ("aws", ""), ("oci", "whenever"), ("vultr", "0"))
    ]
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", *rows)], offline=True)
    answer = await house.prices(gpu="H100", hours=1)
    assert {row["provider"]: row["min_hours"] for row in answer["rows"]} == {
        "hetzner": 720.0,
        "aws": None,
        "oci": None,
        "vultr": None,
    }
    await house.close()


async def test_what_is_cheaper_and_not_shown_is_told_with_price_and_reason(house: House) -> None:
    share = offer(0.11, "A10", gpu_count=0.125, gpu_memory_gib=24.0, fractional=True, seller="azure")
    gone = offer(0.8, "A10", gpu_count=2.0, gpu_memory_gib=24.0, available=False, seller="oci", spot=True)
    altered = offer(0.5, "A10", gpu_memory_gib=48.0, modified=True)
    house.stock(
        offer(0.6, "A10", gpu_memory_gib=24.0),
        *(share, gone, altered),
        offer(0.9, "A10", gpu_memory_gib=24.0, available=False, seller="gcp"),
        gpus=("A10",),
    )
    answer = await house.prices(gpu="A10")
    assert figures(answer) == [0.6]
    assert (
        "Cheaper but left out: 1/8 of an A10 at azure for $0.11 an hour (fractional);"
        " 2 x A10 on spot at oci for $0.80 an hour (sold out);"
        " an A10 with 48 GiB at vast for $0.50 an hour (modified board)." in answer["notices"]
    )
    for more in ({"sort": "price_desc"}, {"spot": False, "providers": "gcp,vast", "memory": 24}):
        told = await house.prices(gpu="A10", **more)
        assert not any("Cheaper but left out" in notice for notice in told["notices"])


async def test_of_a_share_the_price_by_the_hour_is_held_against_the_first(house: House) -> None:
    house.stock(
        offer(0.6, "A10"),
        offer(0.7, "A10", gpu_count=0.5, fractional=True, seller="azure"),
        gpus=("A10",),
    )
    assert not any("Cheaper" in notice for notice in (await house.prices(gpu="A10"))["notices"])


async def test_what_has_no_price_is_told_once_and_not_as_cheaper(house: House) -> None:
    house.stock(offer(1.0), *(offer(None, region=place, seller="gcp") for place in "ab"), gpus=A100)
    notices = (await house.prices(gpu="A100"))["notices"]
    assert "Left out without a price to compare: an A100 at gcp." in notices
    assert not any("Cheaper" in notice for notice in notices)


async def test_what_comes_next_is_told_on_a_page_that_does_not_show_it(house: House) -> None:
    house.stock(
        *(offer(0.5, offer_id=f"t{n}") for n in range(2)), offer(0.6, region="x", seller="aws"), gpus=A100
    )
    one = await house.prices(gpu="A100", limit=1)
    assert "2 offers share the lowest price of $0.50." in one["notices"]
    assert "Next best: $0.60 a GPU-hour at aws, x." in one["notices"]
    whole = await house.prices(gpu="A100")
    assert not any("Next best" in notice for notice in whole["notices"])


async def test_group_by_gives_count_lowest_median_and_the_cheapest_offer(house: House) -> None:
    house.stock(
        offer(1.0, seller="aws", offer_id="a1"),
        offer(2.0, seller="aws", offer_id="a2"),
        offer(6.0, seller="aws", offer_id="a3"),
        offer(1.5, seller="gcp", offer_id="g1"),
        offer(2.5, seller="gcp", offer_id="g2"),
        gpus=A100,
    )
    answer = await house.prices(gpu="A100", group_by="provider")
    assert answer["rows"] == [
        {"group": "aws", "count": 3, "min": 1.0, "median": 2.0, "offer_id": "a1"},
        {"group": "gcp", "count": 2, "min": 1.5, "median": 2.0, "offer_id": "g1"},
    ]
    assert answer["total"] == 2
    first = await house.prices(gpu="A100", group_by="provider", limit=1)
    assert figures(first, "group") == ["aws"]
    assert first["next_cursor"]
    assert figures(await house.prices(gpu="A100", group_by="provider", sort="count_asc"), "group") == [
        "gcp",
        "aws",
    ]
    assert figures(await house.prices(gpu="A100", group_by="provider", sort="price_desc"), "group") == [
        "gcp",
        "aws",
    ]


async def test_group_by_takes_each_of_its_fields(house: House) -> None:
    house.stock(
        offer(1.0, form="sxm", region="us-east-1", seller="aws", instance_type="p4"),
        offer(2.0, form="pcie", region="eu-west-1", seller="aws", instance_type="p5"),
    )
    for by, groups in (
        ("region", ["us-east-1", "eu-west-1"]),
        ("form", ["sxm", "pcie"]),
        ("gpu", ["A100"]),
        ("instance_type", ["p4", "p5"]),
    ):
        assert figures(await house.prices(group_by=by), "group") == groups


async def test_groups_too_say_what_was_left_out(house: House) -> None:
    house.stock(offer(1.0), offer(None, offer_id="unpriced"), gpus=A100)
    answer = await house.prices(gpu="A100", group_by="provider")
    assert figures(answer, "count") == [1]
    assert any("1 without a price" in notice for notice in answer["notices"])


async def test_limit_per_group_gives_the_cheapest_offers_of_each(house: House) -> None:
    house.stock(
        *(offer(1.0 + n / 10, seller="aws", offer_id=f"a{n}", region="x") for n in range(3)),
        *(offer(2.0 + n / 10, seller="gcp", offer_id=f"g{n}", region="x") for n in range(3)),
        gpus=A100,
    )
    answer = await house.prices(gpu="A100", limit_per_group=1)
    assert ids(answer) == ["a0", "g0"]
    assert answer["total"] == 2
    assert ids(await house.prices(gpu="A100", limit_per_group=2, group_by="region")) == ["a0", "a1"]


# --- the past -------------------------------------------------------------------------------------------


async def test_time_gives_the_prices_that_were_in_force(house: House) -> None:
    for days, prices in ((9, (1.0, 2.0, 6.0)), (3, (1.5, 2.5)), (1, (0.9,))):
        house.clock.at = NOON - timedelta(days=days)
        house.stock(*(offer(price, region="x") for price in prices), gpus=A100)
    house.clock.at = NOON
    house.stock(offer(0.9, region="x"), gpus=A100)
    answer = await house.prices(gpu="A100", time="last_7d")
    assert answer["applied"]["time"] == "2026-11-13T12:00:00Z/2026-11-20T12:00:00Z"
    found = {
        row["time"]: (row["usd_per_gpu_hour_min"], row["usd_per_gpu_hour_median"], row["offers"])
        for row in answer["rows"]
    }
    assert found == {
        "2026-11-11T12:00:00Z": (1.0, 2.0, 3),
        "2026-11-17T12:00:00Z": (1.5, 2.0, 2),
        "2026-11-19T12:00:00Z": (0.9, 0.9, 1),
    }
    assert figures(answer, "usd_per_gpu_hour_min") == [0.9, 1.0, 1.5]
    newest = await house.prices(gpu="A100", time="last_7d", sort="newest", limit=1)
    assert figures(newest, "time") == ["2026-11-19T12:00:00Z"]
    past = await house.prices(gpu="A100", time="2026-11-12/2026-11-15")
    assert figures(past, "time") == ["2026-11-11T12:00:00Z"]


async def test_a_time_without_records_says_so(house: House) -> None:
    house.stock(offer(1.0), gpus=A100)
    answer = await house.prices(gpu="A100", time="2026-01")
    assert answer["rows"] == []
    assert any("No prices of that time" in notice for notice in answer["notices"])


async def test_a_time_whose_prices_the_filters_leave_out_says_so(house: House) -> None:
    house.stock(offer(1.0), gpus=A100, age_s=3600)
    dear = await house.prices(gpu="A100", time="today", max_price=0.5)
    assert (
        "No recorded price of that time matches all filters; without them there would be 1."
        in dear["notices"]
    )
    other = await house.prices(gpu="H200", time="today")
    assert any("No price of these GPUs is recorded" in notice for notice in other["notices"])


async def test_past_prices_of_a_list_say_what_their_time_is(tmp_path: Path) -> None:
    row = {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2}
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", row)])
    await house.prices(gpu="A100", providers="aws")
    house.clock.at += timedelta(hours=1)
    answer = await house.prices(gpu="A100", providers="aws", time="today")
    assert any("time is when the list was read" in notice for notice in answer["notices"])
    await house.close()


@pytest.mark.parametrize("argument", ["region", "exclude_region"])
async def test_a_place_that_nobody_knows_is_told(house: House, argument: str) -> None:
    house.stock(offer(1.0, region="narwhal-1"), gpus=A100)
    unknown = await house.prices(gpu="A100", **{argument: "narnia"})
    assert any(f"{argument}: no known place is called 'narnia'" in one for one in unknown["notices"])
    for known in ("germany", "us-west-2"):
        told = await house.prices(gpu="A100", **{argument: known})
        assert not any("no known place" in one for one in told["notices"])


async def test_a_refusal_is_whole_sentences(house: House) -> None:
    refused = await house.refusal(gpu="A100", min_price=3, max_price=2)
    assert refused["message"].endswith("max_price=2.")


# --- refusals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "argument", "words"),
    [
        ({"gpu": "H150"}, "gpu", "H150"),
        ({"gpu": "A100", "exclude_gpu": "A100"}, "exclude_gpu", "gpu=A100"),
        ({"gpu": "A100", "memory": 33}, "memory", "40 or 80"),
        ({"gpu": "A100", "min_memory": 100}, "min_memory", "40 or 80"),
        ({"gpu": "A100 40GB", "memory": 80}, "memory", "contradict"),
        ({"gpu": "A100", "vendor": "amd"}, "vendor", "A100"),
        ({"gpu": "A100", "architecture": "hopper"}, "architecture", "A100"),
        ({"gpu": "h100 sxm", "form": "pcie"}, "form", "gpu"),
        ({"gpu": "h100 sxm, a100 pcie"}, "gpu", "different forms"),
        ({"gpu": "A100, H100", "memory": 33}, "memory", "33"),
        ({"vendor": "amd", "memory": 33}, "memory", "33"),
        ({"gpu": "A100 33GB, H100"}, "memory", "33"),
        ({"vendor": "amd", "architecture": "hopper"}, "vendor", "hopper"),
        ({"gpu": "A100 40GB", "min_memory": 80}, "min_memory", "80"),
        ({"min_price": 3, "max_price": 2}, "min_price", "max_price=2"),
        ({"count": 2, "min_count": 4}, "min_count", "count=2"),
        ({"providers": "vast", "exclude_providers": "vast.ai"}, "exclude_providers", "providers"),
        ({"region": "de", "exclude_region": "germany"}, "exclude_region", "region=de"),
        ({"time": "2027-01"}, "time", "2027"),
        ({"time": "last_7d", "count": 8}, "count", "time"),
        ({"time": "last_7d", "available": False}, "available", "time"),
        ({"time": "last_7d", "hours": 8}, "hours", "time"),
        ({"time": "last_7d", "rank_by": "gib"}, "rank_by", "time"),
        ({"sort": "colour_asc"}, "sort", "colour"),
        ({"sort": "usd_per_gpu_hours_asc"}, "sort", "usd_per_gpu_hour"),
        ({"group_by": "provider", "sort": "region_asc"}, "sort", "median"),
        ({"providers": "vasst"}, "providers", "vast"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    house: House, arguments: dict[str, Any], argument: str, words: str
) -> None:
    house.stock(offer(1.0))
    error = await house.refusal(**arguments)
    assert error["argument"] == argument
    assert words in f"{error['message']} {error['next_step']}"


async def test_an_unknown_gpu_is_refused_with_the_nearest_names_and_nobody_is_asked(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sandbox.calm()
    house = market.house(tmp_path, config=sandbox.config())
    error = await house.refusal(gpu="A101")
    assert "A100" in error["next_step"]
    assert sandbox.requests == []
    await house.close()


async def test_an_unlisted_instance_type_is_told_with_the_nearest_one(house: House) -> None:
    house.stock(offer(1.0, instance_type="p4d.24xlarge", seller="aws"))
    answer = await house.prices(instance_type="p4d.25xlarge")
    (notice,) = answer["notices"]
    assert "p4d.25xlarge" in notice
    assert "Did you mean p4d.24xlarge?" in notice


async def test_when_nothing_matches_the_filter_that_is_in_the_way_is_named(house: House) -> None:
    house.stock(offer(1.5, region="us-east-1", seller="aws"), gpus=A100)
    answer = await house.prices(gpu="A100", max_price=1)
    assert answer["notices"] == [
        "Nothing matches. Without max_price there would be 1 offer, from $1.5 per GPU-hour."
    ]


# --- the live path --------------------------------------------------------------------------------------


async def test_the_sandboxs_cheapest_on_demand_4090_is_found(tmp_path: Path, sandbox: Sandbox) -> None:
    """Worked out from the market's table, in its own units."""
    import csv

    from cloudtop.sandbox import vast_market

    lines = vast_market.FILE.read_text("utf-8").splitlines()
    table = csv.DictReader(line for line in lines if not line.startswith("#"))
    shown = [
        float(row["dph_base"]) / int(row["num_gpus"])
        for row in table
        if row["gpu_name"] == "RTX 4090"
        and (row["verification"], row["rentable"], row["rented"]) == ("verified", "true", "false")
        and row["dph_base"] not in ("", "null")
        and float(row["gpu_ram"]) < 25_000
    ]
    house = market.house(tmp_path, config=sandbox.config())
    answer = await house.prices(gpu="4090", spot=False)
    assert answer["total"] == len(shown)
    assert figures(answer) == [pytest.approx(price) for price in sorted(shown)[:20]]
    await house.close()


async def test_a_broad_question_asks_for_everything_once(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.calm()
    house = market.house(tmp_path, config=sandbox.config())
    await house.prices(vendor="nvidia", spot=False)
    asked = len(sandbox.requests)
    await house.prices(min_memory=40, spot=False)
    await house.prices(architecture="ampere", spot=False)
    assert len(sandbox.requests) == asked == 1
    await house.close()


async def test_the_question_clock_tells_how_old_a_list_price_is(tmp_path: Path) -> None:
    row = {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2, "as_of": "2026-01-21"}
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", row)])
    later = NOON + timedelta(days=100)
    for more in ({}, {"group_by": "provider"}):
        asked = {"gpu": "A100", "providers": "aws", **more}
        outcome = await house.runtime.call("compare_gpu_prices", asked, now=later)
        assert any("403 days ago" in notice for notice in outcome.structured["notices"])
    await house.close()


async def test_the_question_clock_reads_times_of_arguments(house: House) -> None:
    house.stock(offer(1.0), gpus=A100)
    earlier = datetime(2026, 11, 1, tzinfo=UTC)
    outcome = await house.runtime.call(
        "compare_gpu_prices", {"gpu": "A100", "time": "yesterday"}, now=earlier
    )
    assert outcome.structured["applied"]["time"] == "2026-10-31T00:00:00Z/2026-11-01T00:00:00Z"


async def test_the_wanted_gpus_reach_the_cloud(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.calm()
    house = market.house(tmp_path, config=sandbox.config())
    await house.prices(gpu="T4", spot=True)
    (request,) = sandbox.requests
    assert request.json()["gpu_name"] == {"in": ["Tesla T4"]}
    assert request.json()["type"] == "bid"
    assert house.fleet.connector("vast").price_scopes(PriceQuery(("T4",), True))  # type: ignore[attr-defined]
    await house.close()


async def test_a_list_without_rows_of_the_asked_sellers_is_no_source_of_the_answer(tmp_path: Path) -> None:
    own = price_list(tmp_path / "own.csv", {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, lists=[own])
    house.stock(offer(1.0), gpus=A100)
    mine = await house.prices(gpu="A100", providers="vast")
    assert [one["provider"] for one in mine["sources"]] == ["vast"]
    theirs = await house.prices(gpu="A100", providers="aws")
    assert [one["provider"] for one in theirs["sources"]] == ["pricelist"]
    await house.close()


async def test_groups_of_list_prices_are_as_old_as_the_oldest_of_them(tmp_path: Path) -> None:
    rows = [
        {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2, "as_of": "2026-07-20"},
        {"provider": "azure", "gpu": "A100", "price_per_hour_usd": 3, "as_of": "2026-01-21"},
    ]
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", *rows)], offline=True)
    answer = await house.prices(gpu="A100", providers="aws,azure", group_by="provider")
    assert answer["as_of"] == "2026-01-21T00:00:00Z"
    assert any("2026-01-21" in notice for notice in answer["notices"])
    await house.close()


async def test_one_memory_for_several_gpus_takes_those_that_have_it(house: House) -> None:
    asked = ("A100", "H100", "H100NVL")
    house.stock(
        offer(0.8, gpu_memory_gib=40.0),
        offer(1.0, gpu_memory_gib=80.0),
        offer(2.0, "H100", gpu_memory_gib=80.0),
        offer(2.1, "H100NVL", gpu_memory_gib=94.0),
        gpus=asked,
    )
    answer = await house.prices(gpu="a100, h100", memory=80)
    assert figures(answer, "gpu") == ["A100", "H100"]
    assert answer["applied"]["memory"] == 80.0


async def test_sizes_may_differ_from_gpu_to_gpu(house: House) -> None:
    asked = ("A100", "V100")
    house.stock(
        *(offer(1.0, gpu_memory_gib=size, offer_id=f"a{size}") for size in (40.0, 80.0)),
        *(offer(0.5, "V100", gpu_memory_gib=size, offer_id=f"v{size}") for size in (16.0, 32.0)),
        gpus=asked,
    )
    answer = await house.prices(gpu="A100 80GB, V100 32GB")
    assert ids(answer) == ["v32.0", "a80.0"]
    assert answer["applied"]["memory"] == ["A100: 80", "V100: 32"]


async def test_a_makers_models_of_one_size(house: House) -> None:
    house.stock(offer(1.0, gpu_memory_gib=40.0), offer(1.1, gpu_memory_gib=80.0), offer(2.0, "H200"))
    answer = await house.prices(vendor="nvidia", memory=80)
    assert figures(answer, "gpu_memory_gib") == [80.0]


async def test_a_memory_that_only_altered_boards_have_lets_them_in(house: House) -> None:
    board = offer(0.25, "RTX4090", gpu_memory_gib=48.0, modified=True, offer_id="altered")
    house.stock(board, offer(0.35, "RTX4090", gpu_memory_gib=24.0), gpus=("RTX4090",))
    assert ids(await house.prices(gpu="4090", min_memory=40)) == ["altered"]
    assert figures(await house.prices(gpu="4090", min_memory=20), "gpu_memory_gib") == [24.0]


async def test_when_nothing_matches_anywhere_that_is_said(house: House) -> None:
    house.stock(gpus=A100)
    assert (await house.prices(gpu="A100"))["notices"] == [
        "Nothing matches. list_providers says which clouds could be asked besides."
    ]


async def test_undated_rows_of_price_lists_are_counted(tmp_path: Path) -> None:
    row = {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2, "as_of": ""}
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", row)])
    answer = await house.prices(gpu="A100", providers="aws")
    assert "1 row of price lists bears no date." in answer["notices"]
    assert answer["as_of"] is None
    grouped = await house.prices(gpu="A100", providers="aws", group_by="provider")
    assert grouped["as_of"] is None
    await house.close()


async def test_two_gpus_of_which_one_has_a_form_in_its_name_go_together(house: House) -> None:
    answer = await house.prices(gpu=["H200", "H200 NVL"])
    assert answer["applied"]["gpu"] == ["H200", "H200NVL"]


@pytest.mark.parametrize(
    ("rank_by", "says"),
    [("gib", "$0.025 an hour for each GiB"), ("tflop", "$0.00641 an hour for each teraflop")],
)
async def test_what_is_ranked_by_is_told_of_the_first(house: House, rank_by: str, says: str) -> None:
    house.stock(offer(2.0))
    answer = await house.prices(rank_by=rank_by)
    assert any(says in notice for notice in answer["notices"]), answer["notices"]
