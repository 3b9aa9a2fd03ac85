"""What machines cost beside the market, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compute import computed

THEN = {"op": "market", "field": "median"}


def machine(name: str, usd: float | None, *gpus: tuple[str, float, float], **more: Any) -> dict[str, Any]:
    held = [{"gpu": gpu, "count": count, "memory_gib": memory} for gpu, count, memory in gpus]
    return {"uid": name, "name": name, "usd_per_hour": usd, "gpus": held, "spot": False, **more}


def group(name: str, least: float | None, median: float | None) -> dict[str, Any]:
    return {"group": name, "count": 9, "min": least, "median": median, "offer_id": "1"}


def market(*rows: dict[str, Any], spot: bool = False) -> dict[str, Any]:
    return {"rows": list(rows), "applied": {"spot": spot}, "total": len(rows), "truncated": False}


def fleet(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"rows": list(rows), "applied": {}, "total": len(rows), "truncated": False}


ON_DEMAND = market(group("A100 40GB", 0.5, 1.0), group("A100 80GB", 1.0, 2.0), group("L4 24GB", None, None))
SPOT = market(group("A100 80GB", 0.25, 0.5), spot=True)


def test_a_machine_stands_beside_offers_of_the_same_gpu_with_the_same_memory() -> None:
    rows = fleet(machine("small", 8.8, ("A100", 8, 40)), machine("large", 8.8, ("A100", 8, 80)))
    made = computed(THEN, [ON_DEMAND, SPOT], [rows])
    told = {row["name"]: (row["usd_per_gpu_hour"], row["market_usd_per_gpu_hour"]) for row in made.rows}
    assert told == {"small": (1.1, 1.0), "large": (1.1, 2.0)}
    assert [row["percent_over_market"] for row in made.rows] == [10.0, -45.0]
    assert made.figures["value"] == pytest.approx(17.6)
    assert made.figures["market"] == pytest.approx(8 * 1.0 + 8 * 2.0)


def test_a_spot_machine_stands_beside_spot_offers() -> None:
    made = computed(THEN, [ON_DEMAND, SPOT], [fleet(machine("bid", 1.0, ("A100", 1, 80), spot=True))])
    assert made.rows[0]["market_usd_per_gpu_hour"] == 0.5


def test_a_cloud_that_does_not_tell_whether_it_is_spot_is_set_beside_on_demand() -> None:
    made = computed(THEN, [ON_DEMAND, SPOT], [fleet(machine("pod", 1.0, ("A100", 1, 80), spot=None))])
    assert made.rows[0]["market_usd_per_gpu_hour"] == 2.0


@pytest.mark.parametrize(
    ("then", "names"),
    [
        ({}, ["dear", "even", "cheap"]),
        ({"side": "above"}, ["dear"]),
        ({"side": "above", "percent": 100}, []),
        ({"side": "above", "percent": 100, "compare": "ge"}, ["dear"]),
        ({"side": "above", "percent": 100, "compare": "le"}, ["dear"]),
        ({"side": "above", "percent": 99, "compare": "lt"}, []),
        ({"side": "below"}, ["cheap"]),
        ({"side": "above", "field": "min"}, ["dear", "even"]),
        ({"side": "above", "limit": 1, "field": "min"}, ["dear"]),
    ],
)
def test_the_side_and_by_how_much_say_which_are_kept(then: dict[str, Any], names: list[str]) -> None:
    gpu = ("A100", 1.0, 80.0)
    rows = fleet(machine("even", 2.0, gpu), machine("cheap", 1.0, gpu), machine("dear", 4.0, gpu))
    made = computed(THEN | then, [ON_DEMAND, SPOT], [rows])
    assert [row["name"] for row in made.rows] == names


def test_what_cannot_be_compared_is_left_out_and_counted() -> None:
    rows = fleet(
        machine("known", 4.0, ("A100", 1, 80)),
        machine("unpriced", None, ("A100", 1, 80)),
        machine("two kinds", 4.0, ("A100", 1, 80), ("L4", 1, 24)),
        machine("not offered", 4.0, ("GAUDI2", 8, 96)),
        machine("offered without a price", 4.0, ("L4", 1, 24)),
        machine("memory unknown", 4.0, ("A100", 1, None)),  # type: ignore[arg-type]
        machine("no gpu", 4.0),
    )
    made = computed(THEN | {"side": "above"}, [ON_DEMAND, SPOT], [rows])
    assert [row["name"] for row in made.rows] == ["known"]
    assert made.figures["compared"] == 1
    assert made.figures["untold"] == 6


def test_a_condition_on_the_machines_holds_before_they_are_compared() -> None:
    gpu = ("A100", 1.0, 80.0)
    rows = fleet(machine("a", 4.0, gpu, provider="aws"), machine("b", 4.0, gpu, provider="vast"))
    made = computed(THEN | {"before": [["provider", "ne", "aws"]]}, [ON_DEMAND, SPOT], [rows])
    assert [row["name"] for row in made.rows] == ["b"]
    assert made.figures["untold"] == 0


def test_a_market_that_was_cut_off_is_no_whole_answer() -> None:
    cut = {**ON_DEMAND, "truncated": True}
    assert not computed(THEN, [cut, SPOT], [fleet(machine("a", 4.0, ("A100", 1, 80)))]).whole
