from __future__ import annotations

from datetime import timedelta

from cloudtop.store.offers import OfferFilter
from cloudtop.store.open import Store
from tests.store.conftest import BID, NOON, OWN, VAST, keep, offer

LATER = NOON + timedelta(minutes=5)
OVER = "spot price above the seller's own on-demand price"


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
    assert {row["offer_id"]: row["suspect"] for row in rows} == {"1": OVER, "2": None}


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
    assert suspects(store) == {"spot": OVER}


def test_among_many_alike_machines_the_dearest_on_demand_price_is_the_measure(store: Store) -> None:
    alike = {"instance_type": "1x A100", "region": "SE"}
    keep(
        store,
        offer("a", 1.0, **alike),
        offer("b", 2.0, **alike),
        offer("c", 1.5, spot=True, **alike),
        offer("d", 2.5, spot=True, **alike),
    )
    assert suspects(store) == {"d": OVER}


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
