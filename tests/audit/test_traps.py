"""Traps of the sellers' interfaces and defects seen in other comparisons: what falls if one is fallen into.

Vast.ai
- disk and traffic are not in the price:
  connectors/test_vast.py::test_the_price_without_disk_is_found_again_from_the_total
  connectors/test_vast.py::test_a_search_says_everything_that_the_default_would_spoil
  mcp_server/test_compare_gpu_prices.py::test_totals_add_hours_disk_and_traffic
- a search without a limit is cut short:
  connectors/test_vast.py::test_a_listing_longer_than_a_page_is_read_to_its_end
- an interface that moved, filters that are gone:
  connectors/test_vast.py::test_a_search_says_everything_that_the_default_would_spoil
- the cheapest are the unreliable: test_the_cheapest_of_vast_come_with_what_they_are_worth
- memory by the name, variants merged: connectors/test_vast.py::test_a_reply_becomes_these_rows
  audit/test_market.py::test_a_request_is_answered_as_the_table_says
- a bid of 0, a blank city: connectors/test_vast.py::test_a_reply_becomes_these_rows
  connectors/test_vast.py::test_interruptible_offers_are_priced_at_their_lowest_bid_and_zero_is_not_free
- listed, not rentable:
  connectors/test_vast.py::test_interruptible_offers_are_priced_at_their_lowest_bid_and_zero_is_not_free
- prices kept too long: test_nobodys_prices_are_kept_for_long
RunPod
- the community's price for the secure cloud: test_each_cloud_of_runpod_has_its_own_price
- a price beside a cloud that does not sell:
  connectors/test_runpod.py::test_a_price_beside_a_cloud_that_does_not_sell_the_type_is_none
  test_a_placeholder_of_a_cloud_that_does_not_sell_is_no_price
- the price of a pod for that of a GPU, and the reverse: test_no_price_of_one_gpu_is_that_of_eight
- spot above on-demand: test_spot_above_on_demand_is_shown_as_it_is_and_doubted
- listed, no capacity: connectors/test_runpod.py::test_null_is_sold_out_and_silence_is_unknown
  audit/test_sellers.py::test_a_comparison_says_what_is_on_the_wire
- GB called MiB, stock in two cases:
  audit/test_sellers.py::test_the_table_in_the_fixture_is_what_is_on_the_wire
  connectors/test_runpod.py::test_any_level_of_stock_is_some_in_any_case
- names on display, slices: connectors/test_runpod.py::test_the_id_names_the_part_and_not_the_name_on_display
  connectors/test_runpod.py::test_a_slice_is_a_share_whether_or_not_its_board_is_known
- the end of GraphQL: connectors/test_runpod.py::test_the_end_of_graphql_is_said_plainly_to_who_has_no_key
  connectors/test_runpod.py::test_with_a_key_the_end_of_graphql_costs_only_the_spot_prices
Others
- DigitalOcean's memory of all GPUs: test_a_hundred_gib_each_is_not_eight_times_eighty_at_digitalocean
  connectors/test_digitalocean.py::test_the_memory_is_of_all_gpus_unless_only_one_can_have_it
- DigitalOcean's sizes without a region, its price of the whole droplet:
  connectors/test_sellers.py::test_its_sandbox_is_read_as_a_person_reads_it
  audit/test_sellers.py::test_a_comparison_says_what_is_on_the_wire
- Vultr's shares, zero prices, bare metal without fields: test_a_share_at_vultr_is_not_its_cheapest_gpu
  connectors/test_vultr.py::test_memory_and_count_tell_a_share_from_several
  connectors/test_vultr.py::test_an_id_tells_what_no_field_does
- Verda's texts for prices, its memory of all: test_the_memory_of_all_gpus_at_verda_is_not_that_of_one
- zero and reservation prices: connectors/test_aws.py::test_a_price_that_is_none_is_never_free
  connectors/test_gcp.py::test_what_is_not_sold_on_demand_is_not_to_be_had_there
  connectors/test_azure.py::test_a_price_that_is_not_sure_is_no_price
  test_a_part_that_is_listed_at_nothing_does_not_make_a_shape_cheaper
Defects seen elsewhere
1 the median for the cheapest:
  mcp_server/test_compare_gpu_prices.py::test_the_cheapest_is_shown_and_not_the_median
  mcp_server/test_compare_gpu_prices.py::test_a_lone_offer_is_listed
  audit/test_known_defects.py::test_every_bid_keeps_its_own_price_and_the_lowest_is_first
2 a Ti is no plain one: audit/test_known_defects.py::test_a_card_at_vast_is_no_other_card_with_a_longer_name
  mcp_server/test_compare_gpu_prices.py::test_a_modified_4090_is_left_out_and_found_by_its_memory
3 spot for nothing: mcp_server/test_compare_gpu_prices.py::test_no_price_is_never_a_price_of_nothing
4 the memory of all in the name, multiplied twice: test_the_cheapest_eight_a100_at_verda_are_found
  mcp_server/test_compare_gpu_prices.py::test_names_that_carry_the_total_memory_find_their_gpu
5 four meanings of a memory:
  audit/test_known_defects.py::test_the_memory_of_all_gpus_in_a_list_is_not_taken_for_that_of_one
6 a host without its GPU: connectors/test_gcp.py::test_without_one_part_a_machine_has_no_price
  audit/test_known_defects.py::test_the_price_of_a_host_or_of_a_gpu_alone_is_no_machines_price
7 commitments for on-demand: connectors/test_gcp.py::test_other_prices_are_not_prices_on_demand
  connectors/test_gcp.py::test_a_commitment_is_left_out_whatever_its_words
  audit/test_known_defects.py::test_regions_that_another_price_list_was_mixed_into_are_doubted
8 placeholders: audit/test_known_defects.py::test_a_placeholder_price_is_doubted
9 types times regions: connectors/test_lambda.py::test_types_are_never_multiplied_by_regions
10 eight times eighty:
  mcp_server/test_compare_gpu_prices.py::test_at_least_100_gib_each_does_not_mean_eight_times_80
11 shares and new chips left out: audit/test_known_defects.py::test_an_aws_type_has_the_gpus_that_are_in_it
  audit/test_known_defects.py::test_a_new_kind_of_chip_is_not_left_out
12 old data for young: audit/test_known_defects.py::test_a_refresh_that_failed_does_not_make_old_prices_young
  test_nobodys_prices_are_kept_for_long
13 types with other GPUs: audit/test_known_defects.py::test_an_aws_type_has_the_gpus_that_are_in_it
14 markups: audit/test_known_defects.py::test_a_resellers_markup_is_the_resellers_price_alone
15 two prices of one machine:
  connectors/test_oci_prices.py::test_a_part_that_comes_twice_keeps_the_dearer_price
  audit/test_known_defects.py::test_a_machine_that_is_listed_at_two_prices_is_shown_at_both
16 on-demand ranked by spot:
  mcp_server/test_compare_gpu_prices.py::test_an_on_demand_question_is_ranked_by_on_demand_prices
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.build import build
from cloudtop.sandbox.serve import running
from connectors import discovery, oci_prices, verda

TESTS = Path(__file__).parents[1]
AT = datetime(2026, 11, 20, tzinfo=UTC)

UNIT = {
    ("NVIDIA H100 80GB HBM3", "secure"): (2.99, 1.75),
    ("NVIDIA H100 80GB HBM3", "community"): (2.69, 1.50),
    ("NVIDIA H100 NVL", "secure"): (3.07, 1.65),
    ("NVIDIA H100 NVL", "community"): (2.59, None),
}
"""What RunPod's local cloud asks for one GPU, on demand and on spot."""

QUESTIONS: dict[str, dict[str, Any]] = {
    "reliability": {"gpu": ["RTX 4090"], "providers": ["vast"], "limit": 500},
    "one": {"gpu": ["H100"], "providers": ["runpod"]},
    "eight": {"gpu": ["H100"], "providers": ["runpod"], "count": 8},
    "several": {"gpu": ["H100"], "providers": ["runpod"], "min_count": 2},
    "secure": {"gpu": ["H100"], "providers": ["runpod"], "spot": False, "tier": ["secure"], "count": 1},
    "community": {"gpu": ["H100"], "providers": ["runpod"], "spot": False, "tier": ["community"], "count": 1},
    "placeholder": {"gpu": ["H200"], "providers": ["runpod"], "count": 1},
    "placeholder nvl": {"gpu": ["H200 NVL"], "providers": ["runpod"]},
    "spot": {"gpu": ["A40"], "providers": ["runpod"]},
    "hundred": {"min_memory": 100, "providers": ["digitalocean"]},
    "share": {"gpu": ["A100"], "providers": ["vultr"]},
    "node": {"gpu": ["A100 80GB"], "count": 8, "providers": ["verda"]},
    "total": {"min_total_memory": 700, "providers": ["verda"]},
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What each question is answered, by the local clouds alone."""
    home = tmp_path_factory.mktemp("traps")

    async def asked(config: Path) -> dict[str, list[dict[str, Any]]]:
        house = build(config, home)
        runtime = house.runtime()
        told = {
            name: (await runtime.call("compare_gpu_prices", wanted)).structured
            for name, wanted in QUESTIONS.items()
        }
        await house.aclose()
        assert [answer["missing"] for answer in told.values()] == [[]] * len(told)
        return {name: answer["rows"] for name, answer in told.items()}

    with running(("vast", "runpod", "digitalocean", "vultr", "verda"), moving=False) as sandbox:
        config = sandbox.config()
        for name in sandbox.endpoints:
            config["providers"][name]["rate_limit"] = {"requests_per_second": 1000, "burst": 1000}
        config["providers"]["pricelist"] = {"options": {"shipped": False}}
        file = home / "config.json"
        file.write_text(json.dumps(config))
        return asyncio.run(asked(file))


Rows = dict[str, list[dict[str, Any]]]


def prices(found: list[dict[str, Any]]) -> list[float]:
    return [row["usd_per_hour"] for row in found]


# --- Vast.ai --------------------------------------------------------------------------------------------


def test_the_cheapest_of_vast_come_with_what_they_are_worth(rows: Rows) -> None:
    """Low prices of machines that fail: how reliable each is, and who vouches for it, stands beside it."""
    found = rows["reliability"]
    assert len(found) > 20
    assert {row["tier"] for row in found} == {"community", "datacenter"}
    assert all(row["reliability"] is None or 0 <= row["reliability"] <= 1 for row in found)
    assert sum(row["reliability"] is None for row in found) < len(found) / 5


@pytest.mark.parametrize(("seller", "longest_s"), [("vast", 300), ("runpod", 300), ("", 86_400)])
def test_nobodys_prices_are_kept_for_long(seller: str, longest_s: float) -> None:
    """A catalogue that is pulled once and never again, or a market shown as it was an hour ago."""
    facts = discovery.found()
    sellers = {name: one for name, one in facts.items() if "gpu_offers" in one.kinds and one.hosts}
    kept = [one.ttl_s["gpu_offers"] for name, one in sellers.items() if seller in ("", name)]
    assert kept
    assert all(0 < seconds <= longest_s for seconds in kept)


# --- RunPod ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["one", "eight", "several"])
def test_no_price_of_one_gpu_is_that_of_eight(rows: Rows, question: str) -> None:
    """Prices are told for one GPU, lowestPrice for the pod: off by the count, in either direction."""
    assert rows[question]
    for row in rows[question]:
        name, tier, *_ = re.split("[:@]", row["offer_id"])
        unit = UNIT[name, tier][row["spot"]]
        assert row["usd_per_gpu_hour"] == unit
        assert row["usd_per_hour"] == pytest.approx(unit * row["gpu_count"])


def test_each_cloud_of_runpod_has_its_own_price(rows: Rows) -> None:
    """The community's price shown, the secure cloud's billed."""
    assert sorted(set(prices(rows["secure"]))) == [2.99, 3.07]
    # The NVL of the community, at 2.59, is sold out.
    assert prices(rows["community"]) == [2.69]


def test_a_placeholder_of_a_cloud_that_does_not_sell_is_no_price(rows: Rows) -> None:
    """0.5 beside `community: false`."""
    assert prices(rows["placeholder"]) == [3.99]
    assert prices(rows["placeholder nvl"]) == [3.39]


def test_spot_above_on_demand_is_shown_as_it_is_and_doubted(rows: Rows) -> None:
    """Whoever takes spot for the cheaper one gets it in the wrong place."""
    assert [(row["spot"], row["usd_per_hour"], row["suspect"] is None) for row in rows["spot"]] == [
        (False, 0.40, True),
        (True, 0.44, False),
    ]


# --- others ---------------------------------------------------------------------------------------------


def test_a_hundred_gib_each_is_not_eight_times_eighty_at_digitalocean(rows: Rows) -> None:
    """`vram.amount` is of all GPUs: 640 for eight H100."""
    assert {row["gpu"] for row in rows["hundred"]} == {"H200", "MI300X", "B300"}
    assert {row["gpu_memory_gib"] for row in rows["hundred"]} == {141, 192, 270}


def test_a_share_at_vultr_is_not_its_cheapest_gpu(rows: Rows) -> None:
    """An A100 for $0.123 with 4 of its 80 GB."""
    assert min(row["gpu_count"] for row in rows["share"]) == 1
    assert rows["share"][0]["usd_per_gpu_hour"] == pytest.approx(11.92 / 8)


def test_the_cheapest_eight_a100_at_verda_are_found(rows: Rows) -> None:
    """`A100-80GB-640GB` for a name, and 5,120 GB for a sum of sums."""
    assert prices(rows["node"]) == [9.28]
    assert {(row["gpu"], row["gpu_count"], row["gpu_memory_gib"]) for row in rows["total"]} == {
        ("H200", 8, 141)
    }


@pytest.mark.parametrize(
    ("name", "count", "whole", "each"),
    [("A100 SXM4", 8, 640, 80), ("A100 SXM4", 8, 320, 40), ("X900", 2, 128, 64), ("X900", 1, 64, 64)],
)
def test_the_memory_of_all_gpus_at_verda_is_not_that_of_one(
    name: str, count: int, whole: int, each: float
) -> None:
    """`gpu_memory` is a sum, also where no size in the name says so."""
    record = {
        "instance_type": "made.up",
        "gpu": {"description": f"{count}x {name}", "number_of_gpus": count},
        "gpu_memory": {"size_in_gigabytes": whole},
        "price_per_hour": "1.25",
    }
    row = verda.gpu_offer(record, False, None, None, AT, "")
    assert (row.gpu_memory_gib, row.gpu_count, row.usd_per_hour) == (each, count, 1.25)


@pytest.mark.parametrize("nothing", [0, 0.0, None, "0"])
def test_a_part_that_is_listed_at_nothing_does_not_make_a_shape_cheaper(nothing: Any) -> None:
    """Zero for "ask us": the sum of the other parts is no price."""

    def product(code: str, metric: str, value: Any) -> dict[str, Any]:
        prices = [{"model": "PAY_AS_YOU_GO", "value": value}]
        told = [{"currencyCode": "USD", "prices": prices}]
        return {"partNumber": code, "metricName": metric, "currencyCodeLocalizations": told}

    shape = {
        "name": "VM.GPU.A10.1",
        "gpuQty": 1,
        "products": [{"partNumber": "G", "qty": 1}, {"partNumber": "C", "qty": 15}],
    }

    def usd(core: Any) -> float | None:
        parts = [product("G", "GPU Per Hour", 2.0), product("C", "OCPU Per Hour", core)]
        return oci_prices.gpu_offer(shape, oci_prices.parts(parts), False, AT, "").usd_per_hour

    assert usd(0.1) == 3.5
    assert usd(nothing) is None


# --- the table above ------------------------------------------------------------------------------------


def test_every_test_that_the_table_names_is_there() -> None:
    named = re.findall(r"(?:([\w/]+\.py)::)?(test_\w+)", __doc__ or "")
    assert len(named) > 50
    for file, test in named:
        text = (TESTS / (file or "audit/test_traps.py")).read_text("utf-8")
        assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), (file, test)
