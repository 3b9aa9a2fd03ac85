from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloudtop.errors import ArgumentError
from cloudtop.models import Scope
from cloudtop.regions import wanted
from cloudtop.store.history import Origin
from cloudtop.store.offers import ROW_KEYS, OfferFilter
from cloudtop.store.open import Store
from tests.store.conftest import NOON, OWN, SHIPPED_LIST, VAST, keep, offer

HOUR = timedelta(hours=1)
EVER = (NOON - timedelta(days=9), NOON + timedelta(days=9))
INORDER = OfferFilter(sort="time", limit=None)


def points(
    store: Store, start: datetime = EVER[0], end: datetime = EVER[1], **asked: Any
) -> list[dict[str, Any]]:
    return store.price_points(replace(INORDER, **asked), start, end, shape="point").rows


def story(store: Store, **asked: Any) -> list[tuple[str, float | None, float | None, int]]:
    names = ("time", "usd_per_gpu_hour_min", "usd_per_gpu_hour_median", "offers")
    return [tuple(row[name] for name in names) for row in points(store, **asked)]


def at(hours: float) -> str:
    return (NOON + hours * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_point_is_written_when_a_price_changes_and_only_then(store: Store) -> None:
    keep(store, offer("a", 1.0), offer("b", 3.0))
    keep(store, offer("a", 1.0), offer("b", 3.0), at=NOON + HOUR)
    keep(store, offer("b", 3.0), offer("c", 1.0), at=NOON + 2 * HOUR)
    keep(store, offer("a", 0.5), offer("b", 3.0), at=NOON + 3 * HOUR)
    keep(store, offer("a", 0.5), offer("b", 3.0), offer("c", 3.0), at=NOON + 4 * HOUR)
    assert story(store) == [
        (at(0), 1.0, 2.0, 2),
        (at(3), 0.5, 1.75, 2),
        (at(4), 0.5, 3.0, 3),
    ]


def test_a_point_has_the_fields_of_a_price_point(store: Store) -> None:
    keep(store, offer("a", 4.0, gpu_count=2.0, region="SE", tier="secure", spot=True))
    (row,) = points(store)
    assert row.pop("_origin") == Origin("vast", "public")
    assert row == {
        "provider": "vast",
        "account": "public",
        "gpu": "A100",
        "gpu_memory_gib": 80.0,
        "region": "SE",
        "tier": "secure",
        "spot": True,
        "time": at(0),
        "usd_per_gpu_hour_min": 2.0,
        "usd_per_gpu_hour_median": 2.0,
        "offers": 1,
    }


def test_sold_out_is_a_point_and_so_is_coming_back(store: Store) -> None:
    keep(store, offer("a", 1.0))
    keep(store, at=NOON + HOUR)
    keep(store, at=NOON + 2 * HOUR)
    keep(store, offer("a", 1.0), at=NOON + 3 * HOUR)
    assert story(store) == [(at(0), 1.0, 1.0, 1), (at(1), None, None, 0), (at(3), 1.0, 1.0, 1)]


def test_an_offer_that_is_listed_but_not_free_is_sold_out(store: Store) -> None:
    keep(store, offer("a", 1.0))
    keep(store, offer("a", 1.0, available=False), at=NOON + HOUR)
    assert [row[3] for row in story(store)] == [1, 0]


def test_each_seller_gpu_memory_region_tier_and_kind_of_sale_has_its_own_series(store: Store) -> None:
    keep(
        store,
        offer("1"),
        offer("2", seller="aws"),
        offer("3", gpu="H100"),
        offer("4", gpu_memory_gib=40.0),
        offer("5", gpu_memory_gib=None),
        offer("6", region="SE"),
        offer("7", tier="secure"),
        offer("8", spot=True),
    )
    assert [row["offers"] for row in points(store)] == [1] * 8


def test_unpriced_shares_and_unknown_gpus_make_no_history(store: Store) -> None:
    keep(store, offer("1", None), offer("2", gpu_count=0.5, fractional=True), offer("3", gpu=None))
    assert points(store) == []


def test_an_unfinished_look_writes_no_history_and_the_next_finished_one_does(store: Store) -> None:
    keep(store, offer("a", 1.0))
    keep(store, offer("a", 2.0), at=NOON + HOUR, complete=False)
    assert story(store) == [(at(0), 1.0, 1.0, 1)]
    keep(store, offer("a", 2.0), at=NOON + 2 * HOUR)
    assert story(store) == [(at(0), 1.0, 1.0, 1), (at(2), 2.0, 2.0, 1)]


def test_a_look_at_one_gpu_says_nothing_about_the_others(store: Store) -> None:
    keep(store, offer("a"), offer("h", gpu="H100"))
    narrow = Scope("vast", query='{"gpu":["A100"],"type":"on-demand"}')
    keep(store, offer("a"), scope=narrow, at=NOON + HOUR)
    keep(store, scope=narrow, at=NOON + 2 * HOUR)
    assert story(store, gpus=(("H100", None, False),)) == [(at(0), 1.0, 1.0, 1)]
    assert [row[3] for row in story(store, gpus=(("A100", None, False),))] == [1, 0]


def test_the_scope_that_saw_a_series_last_is_the_one_that_ends_it(store: Store) -> None:
    narrow = Scope("vast", query='{"gpu":["A100"],"type":"on-demand"}')
    keep(store, offer("a"))
    keep(store, offer("a"), scope=narrow, at=NOON + HOUR)
    keep(store, offer("a", 2.0), scope=narrow, at=NOON + 2 * HOUR)
    keep(store, scope=narrow, at=NOON + 3 * HOUR)
    assert [row[3] for row in story(store)] == [1, 1, 0]


def test_a_price_list_and_the_market_have_their_own_series(store: Store) -> None:
    keep(store, offer("live", 1.0))
    keep(store, offer("listed", 5.0), scope=OWN)
    keep(store, scope=OWN, at=NOON + HOUR)
    assert [row[1] for row in story(store, scopes=(VAST,))] == [1.0]
    assert [row[1] for row in story(store, scopes=(OWN,))] == [5.0, None]


def test_two_price_lists_have_their_own_series(store: Store) -> None:
    other = Scope("pricelist", "own", query='{"file":"other.csv"}')
    for hour in range(3):
        keep(store, offer("a", 5.0), scope=OWN, at=NOON + hour * HOUR)
        keep(store, offer("a", 6.0), scope=other, at=NOON + hour * HOUR)
    assert len(points(store)) == 2


def test_an_older_look_that_arrives_late_does_not_rewrite_history(store: Store) -> None:
    keep(store, offer("a", 1.0), at=NOON + HOUR)
    keep(store, offer("a", 2.0), at=NOON)
    assert story(store) == [(at(1), 1.0, 1.0, 1)]


def test_a_point_is_in_force_until_the_next_one(store: Store) -> None:
    for hour, price in ((0, 1.0), (2, 2.0), (4, 3.0)):
        keep(store, offer("a", price), at=NOON + hour * HOUR)

    def between(start: float, end: float) -> list[float | None]:
        return [row["usd_per_gpu_hour_min"] for row in points(store, NOON + start * HOUR, NOON + end * HOUR)]

    assert between(-2, 0) == []
    assert between(-2, 0.5) == [1.0]
    assert between(0.5, 1) == [1.0]
    assert between(1, 3) == [1.0, 2.0]
    assert between(2, 3) == [2.0]
    assert between(2, 4) == [2.0]
    assert between(5, 9) == [3.0]


def test_past_prices_come_as_offers_cheapest_first_without_what_was_sold_out(store: Store) -> None:
    keep(store, offer("a", 2.0, region="us-east-1", seller="aws"))
    keep(store, offer("a", 1.0, region="us-east-1", seller="aws"), at=NOON + HOUR)
    keep(store, at=NOON + 2 * HOUR)
    page = store.price_points(OfferFilter(gpus=(("A100", None, False),)), *EVER)
    assert (page.total, [row["usd_per_gpu_hour"] for row in page.rows]) == (2, [1.0, 2.0])
    first = page.rows[0]
    assert set(first) == set(ROW_KEYS)
    assert (first["provider"], first["offer_id"], first["as_of"]) == ("aws", None, at(1))
    assert (first["country"], first["gpu_count"], first["gpu"]) == ("us", 1.0, "A100")


def test_filters_apply_to_the_past_as_well(store: Store) -> None:
    keep(
        store,
        offer("1", 1.0, region="us-east-1", seller="aws"),
        offer("2", 2.0, region="eu-central-1", seller="aws", tier="secure"),
        offer("3", 3.0, spot=True),
        offer("4", 4.0, gpu_memory_gib=40.0),
        offer("5", 5.0, gpu="H100"),
    )

    def prices(**asked: Any) -> list[float | None]:
        return [row[1] for row in sorted(story(store, **asked), key=str)]

    assert prices(places_any=(wanted("europe"),)) == [2.0]
    assert prices(places_none=(wanted("europe"),)) == [1.0, 3.0, 4.0, 5.0]
    assert prices(sellers=("aws",)) == [1.0, 2.0]
    assert prices(exclude_sellers=("aws",)) == [3.0, 4.0, 5.0]
    assert prices(tiers=("community",)) == []
    assert prices(spot=True) == [3.0]
    assert prices(memory=40.0) == [4.0]
    assert prices(min_memory=80.0) == [1.0, 2.0, 3.0, 5.0]
    assert prices(gpus=(("A100", 80.0, False), ("H100", None, False))) == [1.0, 2.0, 3.0, 5.0]
    assert prices(exclude_gpus=(("A100", 80.0, False),)) == [4.0, 5.0]
    assert prices(min_price=2.0, max_price=3.0) == [2.0, 3.0]
    assert prices(scopes=()) == []


def test_the_shipped_list_is_silent_about_the_past_of_sellers_better_known(store: Store) -> None:
    keep(store, offer("1", 1.0), offer("2", 2.0, seller="lambda"), scope=SHIPPED_LIST)
    keep(store, offer("1", 3.0))
    assert sorted(row[1] or 0 for row in story(store, superseded_sellers=("vast",))) == [2.0, 3.0]


def test_pages_of_the_past_join_to_the_whole(store: Store) -> None:
    for hour in range(7):
        keep(store, offer("a", 1.0 + hour % 2), at=NOON + hour * HOUR)
    whole = points(store)
    parts = [
        store.price_points(replace(INORDER, limit=3, offset=start), *EVER, shape="point").rows
        for start in (0, 3, 6)
    ]
    assert [row for part in parts for row in part] == whole
    assert len(whole) == 7


def test_a_field_the_past_does_not_have_is_refused_by_name(store: Store) -> None:
    with pytest.raises(ArgumentError, match="sort: vcpus"):
        points(store, sort="vcpus")


def test_clearing_the_cache_keeps_the_history(store: Store) -> None:
    keep(store, offer("a"))
    store.cache_clear()
    keep(store, offer("a", 2.0), at=NOON + HOUR)
    assert [row[1] for row in story(store)] == [1.0, 2.0]
