from __future__ import annotations

from datetime import timedelta

import pytest

from cloudtop.store.offers import OfferFilter
from cloudtop.store.open import Store
from tests.store.conftest import BID, NOON, OWN, VAST, keep, offer

LATER = NOON + timedelta(minutes=5)
DAY = timedelta(days=1)
OVER = "spot price above the seller's own on-demand price of ${}.00 an hour"


def suspects(store: Store) -> dict[str, str]:
    page = store.offers(OfferFilter(fractional=True, modified=True, limit=None))
    return {row["offer_id"]: row["suspect"] for row in page.rows if row["suspect"]}


def crowd(price: float = 2.0, many: int = 9) -> list[object]:
    return [offer(f"fair {number}", price) for number in range(many)]


def test_a_tenth_of_the_median_is_doubted_in_words(store: Store) -> None:
    keep(store, *crowd(3.59), offer("typo", 0.35))  # type: ignore[arg-type]
    assert suspects(store) == {"typo": "less than a tenth of the median $3.59 of 10 offers"}


def test_ten_times_the_median_is_doubted_in_words(store: Store) -> None:
    keep(store, *crowd(2.0), offer("placeholder", 700.0))  # type: ignore[arg-type]
    assert suspects(store) == {"placeholder": "more than ten times the median $2.00 of 10 offers"}


def test_just_a_tenth_is_not_doubted(store: Store) -> None:
    keep(store, *crowd(2.0), offer("cheap", 0.2), offer("dear", 20.0))  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_four_offers_have_no_median_worth_comparing_with(store: Store) -> None:
    keep(store, *crowd(2.0, 3), offer("odd", 0.01))  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_medians_are_per_memory_and_per_kind_of_sale(store: Store) -> None:
    keep(
        store,
        *crowd(20.0),  # type: ignore[arg-type]
        offer("small board", 1.0, gpu_memory_gib=40.0),
        offer("spot", 1.0, spot=True),
        offer("other gpu", 1.0, gpu="T4"),
    )
    assert suspects(store) == {}


def test_shares_of_a_gpu_do_not_make_the_median(store: Store) -> None:
    shares = [offer(f"share {n}", 0.01, gpu_count=0.5, fractional=True) for n in range(20)]
    keep(store, *crowd(2.0), *shares)  # type: ignore[arg-type]
    assert set(suspects(store)) == {f"share {n}" for n in range(20)}


def test_the_same_offer_read_under_two_scopes_counts_once(store: Store) -> None:
    keep(store, *crowd(2.0, 4))  # type: ignore[arg-type]
    keep(store, *crowd(2.0, 4), offer("odd", 0.01), scope=BID)  # type: ignore[arg-type]
    assert suspects(store) == {"odd": "less than a tenth of the median $2.00 of 5 offers"}


def test_a_spot_price_above_the_same_offers_on_demand_price_is_doubted(store: Store) -> None:
    keep(store, offer("1", 1.0), offer("2", 1.0))
    keep(store, offer("1", 1.1, spot=True), offer("2", 0.9, spot=True), scope=BID)
    rows = store.offers(OfferFilter(spot=True)).rows
    assert {row["offer_id"]: row["suspect"] for row in rows} == {"1": OVER.format(1), "2": None}


def test_a_spot_price_is_held_against_the_same_machine_in_the_same_region_only(store: Store) -> None:
    aws = {"seller": "aws", "instance_type": "p4d", "region": "us-east-1"}
    keep(
        store,
        offer("od", 2.0, **aws),
        offer("spot", 3.0, spot=True, **aws),
        offer("elsewhere", 3.0, spot=True, **{**aws, "region": "eu-west-1"}),
        offer("other seller", 3.0, spot=True, **{**aws, "seller": "gcp"}),
        offer("bigger", 15.0, spot=True, gpu_count=8.0, **aws),
    )
    assert suspects(store) == {"spot": OVER.format(2)}


def test_among_many_alike_machines_the_dearest_on_demand_price_is_the_measure(store: Store) -> None:
    alike = {"instance_type": "1x A100", "region": "SE"}
    keep(
        store,
        offer("a", 1.0, **alike),
        offer("b", 2.0, **alike),
        offer("c", 1.5, spot=True, **alike),
        offer("d", 2.5, spot=True, **alike),
    )
    assert suspects(store) == {"d": OVER.format(2)}


def test_a_mark_goes_when_its_reason_goes(store: Store) -> None:
    keep(store, *crowd(2.0), offer("odd", 0.1))  # type: ignore[arg-type]
    assert set(suspects(store)) == {"odd"}
    keep(store, *crowd(0.5), offer("odd", 0.1), at=LATER)  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_another_scopes_offers_change_the_marks_here(store: Store) -> None:
    keep(store, offer("alone", 0.1))
    assert suspects(store) == {}
    keep(store, *crowd(2.0), scope=OWN)  # type: ignore[arg-type]
    assert set(suspects(store)) == {"alone"}
    keep(store, scope=OWN, at=LATER)
    assert suspects(store) == {}


def test_a_look_that_did_not_finish_is_doubted_too(store: Store) -> None:
    keep(store, *crowd(2.0), offer("odd", 0.1), complete=False)  # type: ignore[arg-type]
    assert set(suspects(store)) == {"odd"}


def test_the_sellers_or_connectors_own_doubt_comes_first_and_stays(store: Store) -> None:
    keep(store, *crowd(2.0), offer("odd", 0.1, suspect="marked by the source"))  # type: ignore[arg-type]
    assert suspects(store) == {"odd": "marked by the source"}


def test_unknown_gpus_are_not_compared_with_each_other(store: Store) -> None:
    mixed = [offer(f"x{n}", 5.0, gpu=None, gpu_raw=f"thing {n}", gpu_memory_gib=None) for n in range(9)]
    keep(store, *mixed, offer("small thing", 0.01, gpu=None, gpu_memory_gib=None))
    assert suspects(store) == {}


def test_doubt_moves_no_offer(store: Store) -> None:
    keep(store, *crowd(2.0), offer("odd", 0.1), scope=VAST)  # type: ignore[arg-type]
    assert store.offers(OfferFilter()).rows[0]["offer_id"] == "odd"


# --- placeholders ---------------------------------------------------------------------------------------


def test_a_gpu_hour_that_no_gpu_costs_is_doubted_without_others_to_compare_with(store: Store) -> None:
    keep(store, offer("rack", 700.0), offer("dust", 0.001), offer("node", 700.0, gpu_count=8.0))
    assert suspects(store) == {
        "rack": "$700.00 for a GPU-hour: no GPU is known to cost $100.00",
        "dust": "$0.001 for a GPU-hour: below $0.005 it does not pay for the power",
    }


def test_what_is_not_known_to_be_one_gpu_may_cost_what_it_likes(store: Store) -> None:
    keep(store, offer("a whole rack", 700.0, gpu=None, gpu_raw="NVL72"))
    assert suspects(store) == {}


def test_a_plain_figure_below_a_quarter_of_the_median_is_a_placeholder(store: Store) -> None:
    real = [offer(f"real {n}", price, gpu="H200") for n, price in enumerate((3.59, 3.79, 3.5, 4.3, 2.59))]
    keep(store, *real, offer("typed in", 0.5, gpu="H200"), offer("a bargain", 0.55, gpu="H200"))
    assert suspects(store) == {
        "typed in": "a placeholder, it seems: $0.50, not a quarter of the median $3.50 of 7 offers"
    }


def test_a_plain_figure_near_the_others_is_a_price(store: Store) -> None:
    keep(store, *crowd(2.0), offer("half", 1.0), offer("more", 9.0), offer("quarter", 0.5))  # type: ignore[arg-type]
    assert suspects(store) == {}


# --- a jump against its own history ---------------------------------------------------------------------

FELL = (
    "less than half of $2.00, the lowest price here in the 30 days before;"
    " a new price is believed when it has held for 3 days"
)
ROSE = (
    "more than twice $2.00, the most that the cheapest here cost in the 30 days before;"
    " a new price is believed when it has held for 3 days"
)


def over_days(store: Store, *told: tuple[float, float]) -> list[str | None]:
    """One offer looked at after so many days at such prices; what was doubted each time."""
    found = []
    for days, price in told:
        keep(store, offer("a", price), at=NOON + days * DAY)
        found.append(suspects(store).get("a"))
    return found


def test_a_first_price_is_not_doubted_and_half_of_it_is_not_yet_a_jump(store: Store) -> None:
    assert over_days(store, (0, 2.0), (1, 1.0), (2, 2.0)) == [None, None, None]


def test_below_half_of_what_it_cost_is_doubted_at_the_next_readings_too(store: Store) -> None:
    told = over_days(store, (0, 2.0), (1, 0.9), (1.1, 0.9), (2, 0.89), (3.9, 0.9))
    assert told == [None, FELL, FELL, FELL, FELL]


def test_above_twice_of_what_it_cost_is_doubted(store: Store) -> None:
    assert over_days(store, (0, 2.0), (1, 4.0), (2, 4.1)) == [None, None, ROSE]


def test_a_price_that_has_held_for_three_days_is_believed_by_a_look_that_finds_nothing_new(
    store: Store,
) -> None:
    assert over_days(store, (0, 2.0), (10, 0.9), (12.9, 0.9), (13, 0.9)) == [None, FELL, FELL, None]


def test_what_was_before_thirty_days_is_forgotten_but_what_held_until_then_is_not(store: Store) -> None:
    assert over_days(store, (0, 2.0), (40, 0.9)) == [None, FELL]
    # 0.9 has been believed since day 43, so after two months 2.0 is the jump.
    assert over_days(store, (50, 0.9), (90, 2.0))[1] is not None


def test_a_price_that_was_there_within_thirty_days_is_no_jump(store: Store) -> None:
    assert over_days(store, (0, 0.9), (5, 1.7), (15, 1.6), (20, 0.8)) == [None] * 4


def test_a_jump_is_one_against_the_same_series_only(store: Store) -> None:
    keep(store, offer("a", 2.0, region="x"), offer("b", 2.0, region="x", tier="secure"))
    keep(
        store,
        offer("a", 2.0, region="x"),
        offer("b", 2.0, region="x", tier="secure"),
        offer("elsewhere", 0.5, region="y"),
        offer("other memory", 0.5, region="x", gpu_memory_gib=40.0),
        offer("other tier", 0.5, region="x", tier="community"),
        offer("other gpu", 0.5, region="x", gpu="T4"),
        offer("the same", 0.5, region="x"),
        at=NOON + DAY,
    )
    assert suspects(store) == {"the same": FELL}


def test_a_list_says_nothing_of_what_the_market_cost(store: Store) -> None:
    keep(store, offer("a", 2.0))
    keep(store, offer("a", 0.5), scope=OWN, at=NOON + DAY)
    assert suspects(store) == {}


def test_a_machine_that_was_always_dearer_than_the_cheapest_has_not_jumped(store: Store) -> None:
    both = (offer("small", 0.5), offer("big", 4.0))
    keep(store, *both)
    keep(store, *both, offer("third", 0.6), at=NOON + DAY)
    assert suspects(store) == {}


# --- regions --------------------------------------------------------------------------------------------


def in_regions(*prices: float, **told: object) -> list[object]:
    facts = {"seller": "gcp", "instance_type": "a3-highgpu-1g", **told}
    return [offer(f"r{n}", price, region=f"r{n}", **facts) for n, price in enumerate(prices)]


def test_a_region_at_less_than_half_or_more_than_twice_the_sellers_median_is_doubted(store: Store) -> None:
    keep(store, *in_regions(10.0, 11.0, 12.0, 4.9, 22.1))  # type: ignore[arg-type]
    median = "$11.00, the median of 5 regions for a3-highgpu-1g at gcp"
    assert suspects(store) == {"r3": f"less than half of {median}", "r4": f"more than twice {median}"}


def test_a_dear_region_is_no_mistake(store: Store) -> None:
    keep(store, *in_regions(10.0, 10.0, 10.0, 17.9, 5.1))  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_two_regions_have_no_median(store: Store) -> None:
    keep(store, *in_regions(10.0, 2.0), offer("r0 again", 2.0, region="r0", seller="gcp"))  # type: ignore[arg-type]
    assert suspects(store) == {}


@pytest.mark.parametrize("told", [{"tier": "community"}, {"instance_type": None}])
def test_what_hosts_ask_each_for_himself_differs_from_place_to_place(
    store: Store, told: dict[str, object]
) -> None:
    keep(store, *in_regions(10.0, 10.0, 10.0, 2.0, **told))  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_spot_is_compared_with_spot(store: Store) -> None:
    keep(store, *in_regions(10.0, 10.0, 10.0), *in_regions(3.0, 3.0, 3.0, 0.9, spot=True))  # type: ignore[arg-type]
    page = store.offers(OfferFilter(limit=None))
    assert [(row["offer_id"], row["spot"]) for row in page.rows if row["suspect"]] == [("r3", True)]


# --- resale ---------------------------------------------------------------------------------------------


def resold(price: float, **told: object) -> object:
    return offer("resold", price, seller="shadeform", **{"instance_type": "datacrunch_A100", **told})


OWNERS = "resold by shadeform: for the same verda itself asks $1.16 per GPU-hour"


def test_a_resellers_price_above_the_owners_names_owner_and_price(store: Store) -> None:
    keep(store, offer("own", 1.16, seller="verda"), offer("other", 0.8, seller="oci"), resold(1.82))  # type: ignore[arg-type]
    assert suspects(store) == {"resold": OWNERS}


def test_where_the_owner_is_not_told_any_direct_seller_is_compared_with(store: Store) -> None:
    keep(store, offer("own", 1.16, seller="verda"), resold(1.82, instance_type=None))  # type: ignore[arg-type]
    assert suspects(store) == {"resold": OWNERS}


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (1.16, {}),
        (1.0, {}),
        (1.82, {"gpu_memory_gib": 40.0}),
        (3.0, {"gpu_count": 2.0}),
        (1.82, {"spot": True}),
        (1.82, {"form": "sxm"}),
        (1.82, {"instance_type": "massedcompute_A100"}),
    ],
)
def test_no_more_than_the_owner_or_another_thing_is_no_markup(
    store: Store, price: float, told: dict[str, object]
) -> None:
    keep(store, offer("own", 1.16, seller="verda", form="pcie"), resold(price, **told))  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_an_owner_who_asks_as_much_in_one_place_is_not_undersold(store: Store) -> None:
    keep(store, offer("a", 1.16, seller="verda"), offer("b", 1.82, seller="verda"), resold(1.82))  # type: ignore[arg-type]
    assert suspects(store) == {}


def test_a_host_of_a_marketplace_is_no_direct_seller(store: Store) -> None:
    keep(store, offer("host", 0.5, tier="marketplace"), resold(1.82, instance_type=None))  # type: ignore[arg-type]
    assert suspects(store) == {}
