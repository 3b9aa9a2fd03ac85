from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cloudtop.errors import ArgumentError
from cloudtop.regions import wanted
from cloudtop.store.offers import ROW_KEYS, OfferFilter, OfferPage
from cloudtop.store.open import Store
from tests.store.conftest import BID, NOON, OWN, SHIPPED_LIST, VAST, ids, keep, offer

A100 = OfferFilter(scopes=(VAST,), gpus=(("A100", None, False),))


def test_a_row_has_the_fields_of_an_offer_and_says_where_it_was_read(store: Store) -> None:
    full = offer(
        "7",
        16.0,
        gpu_count=8.0,
        instance_type="8x",
        region="FIN-03",
        form="sxm",
        vcpus=96.0,
        ram_gib=512.0,
        tier="secure",
        available=True,
        interconnect="nvlink",
        reliability=0.99,
        disk_usd_per_gb_month=0.1,
        egress_usd_per_gb=0.02,
        min_hours=720.0,
        source_url="https://seller.example/7",
        as_of=NOON - timedelta(hours=3),
    )
    keep(store, full)
    (row,) = store.offers(A100).rows
    scope_id = row.pop("_scope_id")
    assert row.pop("_fetched_at") == NOON
    assert store.offers(A100).scopes == {scope_id: VAST}
    assert set(row) == set(ROW_KEYS)
    assert row == {
        "provider": "vast",
        "account": "public",
        "offer_id": "7",
        "instance_type": "8x",
        "region": "FIN-03",
        "country": "fi",
        "gpu": "A100",
        "gpu_raw": "A100 SXM",
        "form": "sxm",
        "gpu_count": 8.0,
        "gpu_memory_gib": 80.0,
        "vcpus": 96.0,
        "ram_gib": 512.0,
        "usd_per_gpu_hour": 2.0,
        "usd_per_hour": 16.0,
        "price_raw": "16.0 $/h",
        "spot": False,
        "tier": "secure",
        "available": True,
        "interconnect": "nvlink",
        "fractional": False,
        "reliability": 0.99,
        "disk_usd_per_gb_month": 0.1,
        "egress_usd_per_gb": 0.02,
        "min_hours": 720.0,
        "suspect": None,
        "source_url": "https://seller.example/7",
        "fetched_at": "2026-11-20T12:00:00Z",
        "as_of": "2026-11-20T09:00:00Z",
    }


def test_what_a_seller_did_not_say_is_null(store: Store) -> None:
    keep(store, offer(gpu_memory_gib=None))
    (row,) = store.offers(A100).rows
    unknown = ("instance_type", "region", "country", "form", "gpu_memory_gib", "vcpus", "ram_gib", "tier")
    assert [row[name] for name in (*unknown, "available", "reliability", "as_of")] == [None] * 11


def test_the_cheapest_per_gpu_comes_first_not_the_cheapest_machine(store: Store) -> None:
    keep(store, offer("small", 1.5), offer("big", 8.0, gpu_count=8.0), offer("mid", 2.4, gpu_count=2.0))
    assert ids(store.offers(A100)) == ["big", "mid", "small"]
    assert ids(store.offers(replace(A100, rank_by="hour"))) == ["small", "mid", "big"]
    assert ids(store.offers(replace(A100, descending=True))) == ["small", "mid", "big"]


def test_ties_have_one_order_whatever_order_they_came_in(store: Store) -> None:
    tied = [offer(name, region=place) for name, place in (("b", "x"), ("a", "y"), ("c", "x"), ("d", None))]
    keep(store, *tied)
    first = ids(store.offers(A100))
    keep(store, *reversed(tied))
    assert ids(store.offers(A100)) == first == ["d", "b", "c", "a"]


def test_free_zero_and_negative_prices_never_rank_and_are_counted(store: Store) -> None:
    keep(store, offer("none", None), offer("zero", 0.0), offer("less", -1.0), offer("real", 9.0))
    page = store.offers(A100)
    assert (ids(page), page.total, page.counts) == (["real"], 1, {"unpriced": 3})


def test_shares_of_a_gpu_are_left_out_unless_asked_and_rank_by_a_whole_gpu(store: Store) -> None:
    keep(store, offer("share", 0.5, gpu_count=0.25, fractional=True), offer("whole", 1.9))
    page = store.offers(A100)
    assert (ids(page), page.counts) == (["whole"], {"fractional": 1})
    both = store.offers(replace(A100, fractional=True))
    assert (ids(both), both.counts) == (["whole", "share"], {})
    assert both.rows[1]["usd_per_gpu_hour"] == 2.0


def test_available_absent_leaves_out_only_what_is_known_to_be_sold_out(store: Store) -> None:
    keep(store, offer("yes", available=True), offer("no", available=False), offer("who knows"))
    page = store.offers(A100)
    assert (set(ids(page)), page.counts) == ({"yes", "who knows"}, {"sold_out": 1})
    assert ids(store.offers(replace(A100, available=True))) == ["yes"]
    assert ids(store.offers(replace(A100, available=False))) == ["no"]


def test_counts_speak_of_offers_that_match_every_other_filter(store: Store) -> None:
    keep(
        store,
        offer("1", gpu_count=0.5, fractional=True),
        offer("2", gpu_count=0.5, fractional=True, region="us-east-1"),
        offer("3", gpu_count=0.5, fractional=True, available=False),
        offer("4", gpu="H100", gpu_count=0.5, fractional=True),
        offer("5", spot=True, gpu_count=0.5, fractional=True),
    )
    assert store.offers(replace(A100, spot=False)).counts == {"fractional": 2, "several": 1}
    assert store.offers(replace(A100, places_any=(wanted("us-east-1"),))).counts == {"fractional": 1}
    assert store.offers(replace(A100, spot=False, max_price=0.1)).counts == {}


def test_a_modified_board_is_matched_only_by_its_memory_or_its_own_name(store: Store) -> None:
    keep(
        store,
        offer("24", 0.4, gpu="RTX4090", gpu_memory_gib=24.0),
        offer("48", 0.3, gpu="RTX4090", gpu_memory_gib=48.0, modified=True),
    )

    def found(*reading: object, **other: object) -> tuple[list[str], dict[str, int]]:
        page = store.offers(OfferFilter(gpus=(reading,), **other))  # type: ignore[arg-type]
        return ids(page), page.counts

    assert found("RTX4090", None, False) == (["24"], {"modified": 1})
    assert found("RTX4090", 48.0, False) == (["48"], {})
    assert found("RTX4090", None, True) == (["48", "24"], {})
    assert found("RTX4090", None, False, memory=48.0) == (["48"], {})
    assert found("RTX4090", None, False, modified=True) == (["48", "24"], {})
    assert found("RTX4090", None, False, min_memory=20.0) == (["24"], {"modified": 1})
    everything = store.offers(OfferFilter())
    assert (ids(everything), everything.counts) == (["24"], {"modified": 1})


def test_many_gpus_at_once_are_matched_like_few(store: Store) -> None:
    names = [f"GPU{number}" for number in range(40)]
    keep(store, *(offer(name, 1.0 + index, gpu=name) for index, name in enumerate(names)))
    keep(store, offer("mod", 0.5, gpu="GPU1", gpu_memory_gib=99.0, modified=True), scope=OWN)
    many = tuple((name, None, False) for name in names)
    page = store.offers(OfferFilter(gpus=many, limit=3))
    assert (ids(page), page.total, page.counts) == (["GPU0", "GPU1", "GPU2"], 40, {"modified": 1})
    sized = store.offers(OfferFilter(gpus=(*many[2:], ("GPU1", 99.0, False)), limit=3))
    assert (ids(sized), sized.total) == (["mod", "GPU2", "GPU3"], 39)
    assert store.offers(OfferFilter(gpus=many, modified=True)).total == 41


def test_memory_is_exact_and_min_memory_at_least(store: Store) -> None:
    keep(store, offer("40", gpu_memory_gib=40.0), offer("80"), offer("?", gpu_memory_gib=None))
    assert ids(store.offers(replace(A100, memory=80.0))) == ["80"]
    assert ids(store.offers(replace(A100, min_memory=40.0))) == ["40", "80"]
    assert ids(store.offers(replace(A100, gpus=(("A100", 40.0, False),)))) == ["40"]


def test_total_memory_counts_all_gpus_of_the_machine_and_shares_for_what_they_are(store: Store) -> None:
    keep(
        store,
        offer("1x80"),
        offer("4x40", gpu_count=4.0, gpu_memory_gib=40.0),
        offer("half", gpu_count=0.5, fractional=True),
    )
    assert ids(store.offers(replace(A100, min_total_memory=160.0))) == ["4x40"]
    assert set(ids(store.offers(replace(A100, min_total_memory=40.0, fractional=True)))) == {
        "1x80",
        "4x40",
        "half",
    }


def test_count_is_exact_and_min_count_at_least(store: Store) -> None:
    keep(store, *(offer(str(number), gpu_count=float(number)) for number in (1, 2, 8)))
    assert ids(store.offers(replace(A100, count=2))) == ["2"]
    assert set(ids(store.offers(replace(A100, min_count=2)))) == {"2", "8"}


def test_price_limits_are_per_gpu_or_of_the_whole_machine(store: Store) -> None:
    keep(store, offer("one", 3.0), offer("eight", 16.0, gpu_count=8.0))
    assert ids(store.offers(replace(A100, max_price=2.5))) == ["eight"]
    assert ids(store.offers(replace(A100, max_price=4.0, per_instance=True))) == ["one"]
    assert ids(store.offers(replace(A100, min_price=2.5))) == ["one"]


def test_the_disk_is_in_the_price_that_ranks_limits_and_is_shown(store: Store) -> None:
    keep(
        store,
        offer("cheap with dear disk", 1.0, gpu_count=2.0, disk_usd_per_gb_month=7.2),
        offer("dear with free disk", 2.4, gpu_count=2.0),
    )
    asked = replace(A100, disk_gb=200.0)
    first, second = store.offers(asked).rows
    assert (first["offer_id"], first["usd_per_hour"], first["usd_per_gpu_hour"]) == (
        "dear with free disk",
        2.4,
        1.2,
    )
    assert (second["usd_per_hour"], second["usd_per_gpu_hour"]) == (3.0, 1.5)
    assert second["price_raw"] == "1.0 $/h"
    assert ids(store.offers(replace(asked, max_price=1.3))) == ["dear with free disk"]
    assert ids(store.offers(replace(asked, rank_by="hour"))) == [
        "dear with free disk",
        "cheap with dear disk",
    ]


def test_rank_by_total_adds_hours_disk_and_traffic(store: Store) -> None:
    keep(store, offer("metered", 1.0, egress_usd_per_gb=0.1), offer("flat", 1.5))
    assert ids(store.offers(replace(A100, rank_by="total", hours=10.0))) == ["metered", "flat"]
    assert ids(store.offers(replace(A100, rank_by="total", hours=10.0, egress_gb=100.0))) == [
        "flat",
        "metered",
    ]


def test_rank_by_gib_and_tflop_weigh_the_price_with_what_one_gets(store: Store) -> None:
    keep(
        store,
        offer("80", 2.0),
        offer("40", 1.5, gpu_memory_gib=40.0),
        offer("l4", 0.72, gpu="L4", gpu_memory_gib=24.0),
    )
    asked = OfferFilter(
        gpus=(("A100", None, False), ("L4", None, False)), tflops=(("A100", 312.0), ("L4", 121.0))
    )
    assert ids(store.offers(replace(asked, rank_by="gib"))) == ["80", "l4", "40"]
    assert ids(store.offers(replace(asked, rank_by="gib", descending=True))) == ["40", "l4", "80"]
    assert ids(store.offers(replace(asked, rank_by="tflop"))) == ["40", "l4", "80"]
    unknown = replace(asked, rank_by="tflop", tflops=(("L4", 121.0),))
    assert ids(store.offers(unknown))[0] == "l4"


def test_a_total_is_of_the_hours_that_the_seller_bills(store: Store) -> None:
    keep(store, offer("monthly", 1.0, min_hours=720.0), offer("hourly", 1.5))
    assert ids(store.offers(A100)) == ["monthly", "hourly"]
    total = replace(A100, rank_by="total")
    assert ids(store.offers(replace(total, hours=24.0))) == ["hourly", "monthly"]
    assert ids(store.offers(replace(total, hours=1000.0))) == ["monthly", "hourly"]


def test_a_gpu_without_the_figure_is_left_out_of_the_rank_by_it_and_counted(store: Store) -> None:
    keep(store, offer("a100", 1.0), offer("h100", 4.0, gpu="H100"), offer("l4", 0.8, gpu="L4"))
    asked = OfferFilter(rank_by="tflop_fp8", tflops=(("H100", 1979.0), ("L4", 242.0)))
    page = store.offers(asked)
    assert (ids(page), page.total, page.counts) == (["h100", "l4"], 2, {"unrated": 1})
    groups = store.group_offers(asked, "gpu")
    assert [(one["group"], one["count"]) for one in groups] == [("H100", 1), ("L4", 1)]
    assert store.offers(replace(asked, rank_by="tflop")).total == 3


def left_out(page: OfferPage) -> list[tuple[str, float, float | None, tuple[str, ...]]]:
    return [(one.seller, one.gpu_count, one.usd_per_hour, one.rules) for one in page.cheaper]


def test_what_is_cheaper_and_left_out_is_told_with_its_reasons(store: Store) -> None:
    keep(
        store,
        offer("first", 2.0),
        offer("share", 0.5, gpu_count=0.125, fractional=True, seller="azure"),
        offer("gone", 1.0, available=False, seller="aws"),
        offer("altered", 1.5, modified=True, available=False, seller="gcp"),
        offer("dearer", 3.0, available=False, seller="oci"),
        offer("unpriced", None, seller="lambda"),
    )
    told = replace(A100, why_not_cheaper=True)
    assert left_out(store.offers(told)) == [
        ("azure", 0.125, 0.5, ("fractional",)),
        ("aws", 1.0, 1.0, ("sold_out",)),
        ("gcp", 1.0, 1.5, ("sold_out", "modified")),
    ]
    assert store.offers(A100).cheaper == []
    only = replace(told, sellers=("vast", "oci", "lambda"))
    assert left_out(store.offers(only)) == [("lambda", 1.0, None, ("unpriced",))]
    assert store.offers(replace(told, sellers=("vast", "oci"))).cheaper == []


def test_what_is_cheaper_obeys_the_questions_own_filters(store: Store) -> None:
    keep(
        store,
        offer("first", 2.0, region="a"),
        offer("gone", 1.0, available=False, region="b"),
        offer("half", 0.9, available=False, region="a", gpu_count=2.0),
        offer("half again", 0.9, available=False, region="c", gpu_count=2.0),
    )
    told = replace(A100, why_not_cheaper=True)
    assert left_out(store.offers(replace(told, count=1.0))) == [("vast", 1.0, 1.0, ("sold_out",))]
    # Two places of one price are one line.
    assert [one.usd_per_hour for one in store.offers(told).cheaper] == [0.9, 1.0]
    assert store.offers(replace(told, available=True)).cheaper == []


def test_an_unknown_way_to_rank_sort_or_group_is_refused_by_name(store: Store) -> None:
    keep(store, offer())
    with pytest.raises(ArgumentError, match="rank_by: cheapness"):
        store.offers(replace(A100, rank_by="cheapness"))
    with pytest.raises(ArgumentError, match="sort: hash"):
        store.offers(replace(A100, sort="hash"))
    with pytest.raises(ArgumentError, match="group_by: price"):
        store.group_offers(A100, "price")
    with pytest.raises(ArgumentError, match="group_by: price"):
        store.offers(replace(A100, per_group=("price", 1)))
    with pytest.raises(ArgumentError, match="sort: region"):
        store.group_offers(replace(A100, sort="region"), "provider")


def test_any_field_sorts_both_ways_with_unknown_last(store: Store) -> None:
    keep(store, offer("a", vcpus=8.0), offer("b", vcpus=64.0), offer("c"))
    assert ids(store.offers(replace(A100, sort="vcpus"))) == ["a", "b", "c"]
    assert ids(store.offers(replace(A100, sort="vcpus", descending=True))) == ["b", "a", "c"]
    assert ids(store.offers(replace(A100, sort="provider"))) == ["a", "b", "c"]


def test_spot_true_false_and_absent(store: Store) -> None:
    keep(store, offer("1", 2.0), offer("1", 1.0, spot=True))
    assert [row["spot"] for row in store.offers(A100).rows] == [True, False]
    assert [row["spot"] for row in store.offers(replace(A100, spot=True)).rows] == [True]
    assert [row["spot"] for row in store.offers(replace(A100, spot=False)).rows] == [False]


def test_regions_are_matched_by_whole_words_or_by_the_beginning_of_an_id(store: Store) -> None:
    keep(
        store,
        offer("ohio", seller="aws", region="us-east-2"),
        offer("oregon", seller="aws", region="us-west-2"),
        offer("frankfurt", seller="aws", region="eu-central-1"),
        offer("nowhere"),
    )

    def where(*words: str) -> set[str]:
        return set(ids(store.offers(replace(A100, places_any=tuple(wanted(word) for word in words)))))

    assert where("us") == {"ohio", "oregon"}
    assert where("europe") == {"frankfurt"}
    assert where("germany", "ohio") == {"frankfurt", "ohio"}
    assert where("us-west-2") == {"oregon"}
    without = replace(A100, places_none=(wanted("us"),))
    assert set(ids(store.offers(without))) == {"frankfurt", "nowhere"}


def test_sellers_tiers_forms_types_and_interconnect_filter(store: Store) -> None:
    keep(
        store,
        offer(
            "a", seller="aws", tier="secure", form="sxm", instance_type="p4de.24xlarge", interconnect="efa"
        ),
        offer("b", tier="community", form="pcie"),
        offer("c", seller="lambda"),
    )
    assert ids(store.offers(replace(A100, sellers=("aws", "lambda")))) == ["a", "c"]
    assert ids(store.offers(replace(A100, exclude_sellers=("aws",)))) == ["c", "b"]
    assert ids(store.offers(replace(A100, tiers=("community",)))) == ["b"]
    assert ids(store.offers(replace(A100, tiers=("secure",)))) == ["a", "c"]
    assert ids(store.offers(replace(A100, forms=("pcie",)))) == ["b"]
    assert ids(store.offers(replace(A100, instance_type="P4DE.24xlarge"))) == ["a"]
    assert ids(store.offers(replace(A100, interconnect="efa"))) == ["a"]


def test_gpus_can_be_excluded_by_name_or_by_name_and_size(store: Store) -> None:
    keep(
        store,
        offer("80"),
        offer("40", gpu_memory_gib=40.0),
        offer("h", gpu="H100"),
        offer("?", gpu=None, gpu_memory_gib=None),
    )
    every = OfferFilter()
    assert set(ids(store.offers(replace(every, exclude_gpus=(("A100", None, False),))))) == {"h", "?"}
    assert set(ids(store.offers(replace(every, exclude_gpus=(("A100", 80.0, False),))))) == {"40", "h", "?"}


def test_only_the_asked_scopes_speak(store: Store) -> None:
    keep(store, offer("live"))
    keep(store, offer("listed"), scope=OWN)
    assert ids(store.offers(A100)) == ["live"]
    assert ids(store.offers(replace(A100, scopes=(VAST, OWN)))) == ["listed", "live"]
    assert set(ids(store.offers(replace(A100, scopes=None)))) == {"live", "listed"}
    assert store.offers(replace(A100, scopes=())).total == 0
    assert store.offers(replace(A100, scopes=(BID,))).total == 0


def test_the_shipped_list_is_silent_about_sellers_that_are_better_known(store: Store) -> None:
    keep(store, offer("live", 3.0))
    keep(store, offer("old", 1.0), offer("other", 2.0, seller="lambda"), scope=SHIPPED_LIST)
    keep(store, offer("own", 1.5), scope=OWN)
    asked = OfferFilter(scopes=(VAST, SHIPPED_LIST, OWN), superseded_sellers=("vast",))
    page = store.offers(asked)
    assert (ids(page), page.counts) == (["own", "other", "live"], {"shipped_superseded": 1})


def test_pages_join_to_the_whole_and_know_the_state_they_were_read_from(store: Store) -> None:
    keep(store, *(offer(f"{number:02}", 1.0 + number % 3) for number in range(25)))
    whole = ids(store.offers(replace(A100, limit=None)))
    pages = [store.offers(replace(A100, limit=10, offset=start)) for start in (0, 10, 20)]
    assert [name for page in pages for name in ids(page)] == whole
    assert len(set(whole)) == 25
    assert {page.total for page in pages} == {25}
    assert {page.generation for page in pages} == {store.revision()}
    keep(store, offer("new"))
    assert store.offers(A100).generation > pages[0].generation


def test_a_limit_of_none_rows_still_counts(store: Store) -> None:
    keep(store, offer(), offer("2", None))
    page = store.offers(replace(A100, limit=0))
    assert (page.rows, page.total, page.counts) == ([], 1, {"unpriced": 1})


def test_groups_say_how_many_lowest_median_and_which_is_cheapest(store: Store) -> None:
    keep(
        store,
        offer("a", 1.0),
        offer("b", 4.0, gpu_count=2.0),
        offer("c", 9.0),
        offer("d", 0.5, seller="aws"),
        offer("e", None, seller="oci"),
    )
    assert store.group_offers(A100, "provider") == [
        {"group": "aws", "count": 1, "min": 0.5, "median": 0.5, "offer_id": "d"},
        {"group": "vast", "count": 3, "min": 1.0, "median": 2.0, "offer_id": "a"},
    ]
    by_count = store.group_offers(replace(A100, sort="count", descending=True), "provider")
    assert [one["group"] for one in by_count] == ["vast", "aws"]
    assert [one["group"] for one in store.group_offers(A100, "region")] == [None]


def test_groups_may_be_of_one_gpu_each(store: Store) -> None:
    keep(store, offer("a", 1.0), offer("b", 3.0), offer("c", 2.0, gpu="H100"))
    either = replace(A100, gpus=(("A100", None, False), ("H100", None, False)))
    assert store.group_offers(either, "provider", each_gpu=True) == [
        {"group": "vast", "gpu": "A100", "count": 2, "min": 1.0, "median": 2.0, "offer_id": "a"},
        {"group": "vast", "gpu": "H100", "count": 1, "min": 2.0, "median": 2.0, "offer_id": "c"},
    ]


def test_groups_ignore_the_limit_of_rows(store: Store) -> None:
    keep(store, *(offer(str(number), seller=f"seller{number:02}") for number in range(30)))
    assert len(store.group_offers(A100, "provider")) == 30


def test_only_so_many_of_each_group(store: Store) -> None:
    keep(store, *(offer(f"v{number}", 1.0 + number) for number in range(4)), offer("l", 9.0, seller="lambda"))
    page = store.offers(replace(A100, per_group=("provider", 2)))
    assert (ids(page), page.total) == (["v0", "v1", "l"], 3)
    by_hour = store.offers(replace(A100, per_group=("provider", 1), rank_by="hour"))
    assert ids(by_hour) == ["v0", "l"]


def test_doubtful_prices_are_shown_unless_excluded(store: Store) -> None:
    keep(store, offer("odd", 1.0, suspect="the seller says so"), offer("fine", 2.0))
    assert store.offers(A100).rows[0]["suspect"] == "the seller says so"
    assert ids(store.offers(replace(A100, exclude_suspect=True))) == ["fine"]


def test_the_sellers_own_record_comes_back_and_follows_changes(store: Store) -> None:
    keep(store, offer(raw={"id": 1, "name": "é", "nested": {"a": [1, None]}}), offer("bare"))
    scope_id = store.offers(A100).rows[0]["_scope_id"]
    assert store.raw(scope_id, "1", False) == {"id": 1, "name": "é", "nested": {"a": [1, None]}}
    assert store.raw(scope_id, "bare", False) is None
    assert store.raw(scope_id, "1", True) is None
    keep(store, offer(raw={"id": 2}))
    assert store.raw(scope_id, "1", False) == {"id": 2}


def test_an_offer_whose_gpu_nobody_knows_is_kept_and_ranked(store: Store) -> None:
    keep(store, offer("mystery", 0.2, gpu=None, gpu_raw="XPU-9000", gpu_memory_gib=None), offer("known"))
    assert ids(store.offers(OfferFilter())) == ["mystery", "known"]


def test_a_memory_store_answers_alike_and_forgets(opened: Callable[..., Store]) -> None:
    store = opened(backend="memory")
    keep(store, offer("a", 2.0), offer("b", 1.0), offer("c", None))
    page = store.offers(A100)
    assert (ids(page), page.total, page.counts) == (["b", "a"], 2, {"unpriced": 1})
    assert opened(backend="memory").offers(A100).total == 0
