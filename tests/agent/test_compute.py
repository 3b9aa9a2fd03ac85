"""What `then` computes, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compute import OPS, computed
from agent.planner.query import THEN_OPS


def offer(price: float | None, **more: Any) -> dict[str, Any]:
    hourly = None if price is None else price * more.get("gpu_count", 1)
    return {
        "provider": "vast",
        "gpu": "A100",
        "gpu_memory_gib": 80,
        "gpu_count": 1,
        "spot": False,
        "region": "eu",
        "tier": None,
        "usd_per_gpu_hour": price,
        "usd_per_hour": hourly,
        **more,
    }


def result(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"rows": list(rows), "applied": {}, "total": len(rows), "truncated": False, **more}


def test_every_op_of_the_vocabulary_is_there_and_no_other() -> None:
    assert set(OPS) == set(THEN_OPS)


def test_median_average_min_max_leave_unpriced_rows_out() -> None:
    rows = result(offer(1.0), offer(None), offer(2.0), offer(6.0))
    figures = {op: computed({"op": op}, [rows]).figures for op in ("median", "average", "min", "max")}
    assert {op: one["value"] for op, one in figures.items()} == {
        "median": 2,
        "average": 3,
        "min": 1,
        "max": 6,
    }
    assert all(one["count"] == 3 for one in figures.values())


def test_groups_of_two_sides_stand_beside_each_other() -> None:
    """A100 and H100 per provider: every group is kept, and told of which GPU it is."""
    told = result(
        {"group": "vast", "gpu": "A100", "count": 9, "min": 0.5, "median": 0.8, "offer_id": "a"},
        {"group": "aws", "gpu": "A100", "count": 2, "min": 1.5, "median": 1.6, "offer_id": "b"},
        {"group": "vast", "gpu": "H100", "count": 4, "min": 1.9, "median": 2.1, "offer_id": "c"},
    )
    made = computed({"op": "compare", "by": "gpu", "values": ["A100", "H100"]}, [told])
    assert [(row["group"], row["of"], row["median"]) for row in made.lines] == [
        ("vast", "A100", 0.8),
        ("vast", "H100", 2.1),
        ("aws", "A100", 1.6),
    ]
    assert made.figures["sides"] == ["A100", "H100"]


def test_groups_of_two_calls_stand_beside_each_other() -> None:
    spot = result({"group": "vast", "count": 9, "min": 0.5, "median": 0.8, "offer_id": "a"})
    firm = result({"group": "vast", "count": 7, "min": 0.9, "median": 1.1, "offer_id": "b"})
    made = computed({"op": "compare", "by": "spot", "values": [True, False]}, [spot, firm])
    assert [(row["group"], row["of"], row["min"]) for row in made.lines] == [
        ("vast", True, 0.5),
        ("vast", False, 0.9),
    ]


def test_a_figure_over_no_rows_is_unknown_not_zero() -> None:
    assert computed({"op": "median"}, [result()]).figures["value"] is None
    assert computed({"op": "range"}, [result()]).figures["min"] is None


def test_a_count_is_of_all_rows_not_of_the_page() -> None:
    assert computed({"op": "count"}, [result(offer(1.0), total=456)]).figures["count"] == 456


def test_a_budget_buys_hours_of_the_whole_instance() -> None:
    done = computed({"op": "divide", "budget": 40}, [result(offer(2.5, gpu_count=8))])
    assert done.figures["hours"] == 2.0
    twice = computed({"op": "divide", "budget": 40, "nodes": 2}, [result(offer(2.5, gpu_count=8))])
    assert twice.figures["hours"] == 1.0


def test_two_models_side_by_side_each_with_cheapest_and_median() -> None:
    rows = result(offer(1.0), offer(3.0), offer(5.0, gpu="H100"), offer(4.0, gpu="H100NVL"))
    lines = computed({"op": "compare", "by": "gpu", "values": ["A100", "H100", "B200"]}, [rows]).lines
    assert [(one["group"], one["count"], one["min"], one["median"]) for one in lines] == [
        ("A100", 2, 1.0, 2.0),
        ("H100", 2, 4.0, 4.5),
        ("B200", 0, None, None),
    ]


def test_spot_and_on_demand_from_two_calls_keep_their_sides() -> None:
    sides = [result(offer(2.0)), result(offer(1.0, spot=True))]
    lines = computed({"op": "compare", "by": "spot", "values": [False, True]}, sides).lines
    assert [(one["group"], one["min"]) for one in lines] == [(False, 2.0), (True, 1.0)]


def test_a_difference_is_last_against_first_of_each_series() -> None:
    rows = result(
        offer(1.0, as_of="2026-11-16T00:00:00Z"),
        offer(1.5, as_of="2026-11-18T00:00:00Z"),
        offer(3.0, region="us", as_of="2026-11-16T00:00:00Z"),
        offer(2.0, region="us", as_of="2026-11-17T00:00:00Z"),
        offer(9.0, region="asia", as_of="2026-11-17T00:00:00Z"),
    )
    up = computed({"op": "diff", "direction": "up"}, [rows]).lines
    assert [(one["old"], one["new"]) for one in up] == [(1.0, 1.5)]
    assert len(computed({"op": "diff", "direction": None}, [rows]).lines) == 2


def test_what_fits_a_total_budget() -> None:
    rows = result(offer(1.0, usd_total=90.0), offer(2.0, usd_total=180.0), offer(3.0))
    assert computed({"op": "within", "usd_total": 100}, [rows]).figures["count"] == 1


def test_the_second_cheapest_is_the_second_row() -> None:
    assert (
        computed({"op": "nth", "n": 2}, [result(offer(1.0), offer(2.0))]).rows[0]["usd_per_gpu_hour"] == 2.0
    )
    assert computed({"op": "nth", "n": 5}, [result(offer(1.0))]).rows == []


def test_a_figure_over_a_cut_list_says_so() -> None:
    assert not computed({"op": "median"}, [result(offer(1.0), truncated=True)]).whole


@pytest.mark.parametrize("op", ["sum", ""])
def test_an_unknown_op_is_an_error(op: str) -> None:
    with pytest.raises(KeyError):
        computed({"op": op}, [result()])


def test_sellers_are_counted_once_each_with_their_first_offer() -> None:
    rows = result(offer(1.0), offer(1.2), offer(2.0, provider="aws"), total=3)
    counted = computed({"op": "count", "field": "provider"}, [rows])
    assert counted.figures["count"] == 2
    named = computed({"op": "distinct", "field": "provider"}, [rows])
    assert [(row["provider"], row["usd_per_gpu_hour"]) for row in named.rows] == [("vast", 1.0), ("aws", 2.0)]


def resource(name: str, **more: Any) -> dict[str, Any]:
    return {"uid": name, "name": name, "usd_per_hour": None, "tags": {}, **more}


FLEET = result(
    resource("a", region="eu", vcpus=2, usd_per_hour=1.5, tags={"Team": "ml"}),
    resource("b", region="us", vcpus=2),
    resource("c", region="us", vcpus=2, usd_per_hour=0.5, tags={"Team": "web"}),
    resource("d", region="us", vcpus=8, usd_per_hour=9.0),
    resource("e", region="asia", vcpus=None),
)


def test_groups_hold_the_rows_that_meet_the_condition_and_their_price() -> None:
    made = computed({"op": "group", "by": ["region"], "where": [["vcpus", "lt", 4]]}, [FLEET])
    assert made.rows == [
        {"group": "us", "count": 2, "usd_per_hour": 0.5},
        {"group": "eu", "count": 1, "usd_per_hour": 1.5},
    ]
    assert made.figures == {"count": 2, "untold": 1}


def test_groups_are_of_tags_and_of_several_fields_too() -> None:
    made = computed({"op": "group", "by": ["tag:team", "region"], "sort": "group_asc"}, [FLEET])
    assert [(row["group"], row["count"]) for row in made.rows] == [
        ("ml, eu", 1),
        ("none, asia", 1),
        ("none, us", 2),
        ("web, us", 1),
    ]


def test_groups_are_counted_where_rows_must_meet_a_condition() -> None:
    made = computed({"op": "count", "by": ["region"], "where": [["vcpus", "lt", 4]]}, [FLEET])
    assert made.figures["count"] == 2


def test_a_field_is_added_up_for_each_group_and_unknown_is_no_nought() -> None:
    made = computed({"op": "group", "by": ["region"], "field": "vcpus"}, [FLEET])
    assert [(row["group"], row["count"], row["vcpus"]) for row in made.rows] == [
        ("us", 3, 12),
        ("eu", 1, 2),
        ("asia", 1, None),
    ]
    assert (made.figures["value"], made.figures["untold"], made.figures["count"]) == (14, 1, 3)


def test_a_version_is_of_another_by_its_parts() -> None:
    told = ("14", "14.9", "140", "1.4", None)
    rows = result(*({"uid": str(at), "version": version} for at, version in enumerate(told)))
    kept = computed({"op": "filter", "where": [["version", "of", "14"]]}, [rows])
    assert [row["version"] for row in kept.rows] == ["14", "14.9"]
    assert kept.figures["untold"] == 1
