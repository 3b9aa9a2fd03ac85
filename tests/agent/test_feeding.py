"""Arguments that come from a call before: taken from its rows, in batches, with one result of all."""

from __future__ import annotations

from typing import Any

from agent.feeding import MOST, batches, folded, joined, ready, reference
from agent.planner.query import Call

LISTED = Call("list_resources", {"resource_type": "instance"}, "1")
MEASURED = Call("get_metrics", {"id": "$1.uid", "metric": ["cpu"]}, "2")


def result(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    usual = {"sources": [], "missing": [], "notices": [], "total": len(rows), "truncated": False}
    return {"rows": list(rows), **usual, **more}


def value(uid: str, value: float) -> dict[str, Any]:
    return {"uid": uid, "value": value, "metric": "cpu"}


def group(name: str, value: float, count: int, agg: str = "avg") -> dict[str, Any]:
    return {"group": name, "metric": "cpu", "agg": agg, "value": value, "count": count, "samples": count}


def test_a_call_waits_for_the_one_it_takes_an_argument_from() -> None:
    assert list(ready([LISTED, MEASURED], set())) == [LISTED]
    assert list(ready([LISTED, MEASURED], {"1"})) == [MEASURED]
    assert list(ready([LISTED, MEASURED], {"1", "2"})) == []


def test_calls_that_wait_for_nothing_are_ready_together() -> None:
    other = Call("get_metrics", {"name": ["web-1"]}, "3")
    assert list(ready([LISTED, MEASURED, other], set())) == [LISTED, other]


def test_a_name_with_a_dollar_is_no_reference() -> None:
    assert reference({"name": "$100.uid.x", "id": ["$1.uid"]}) is None
    assert reference(MEASURED.arguments) == ("id", "1", "uid")


def test_a_long_list_is_asked_in_batches_that_hold_everything_once() -> None:
    values = [f"u{n}" for n in range(2 * MOST + 1)]
    asked = list(batches(MEASURED.arguments, "id", values))
    assert [len(one["id"]) for one in asked] == [MOST, MOST, 1]
    assert [uid for one in asked for uid in one["id"]] == values


def test_the_best_of_all_batches_come_first_and_no_more_than_asked() -> None:
    made = joined(
        [result(value("a", 9), value("b", 5)), result(value("c", 7), value("d", 1))],
        {"sort": "desc", "limit": 2},
    )
    assert [row["uid"] for row in made["rows"]] == ["a", "c"]
    assert made["total"] == 4


def test_a_comparison_orders_the_rows_of_all_batches() -> None:
    made = joined([result(value("a", 9)), result(value("b", 5))], {"op": "lt", "value": 10})
    assert [row["value"] for row in made["rows"]] == [5, 9]


def test_a_group_of_several_batches_is_weighted_by_how_many_are_in_it() -> None:
    made = joined(
        [result(group("eu", 10.0, 1)), result(group("eu", 40.0, 3), group("us", 5.0, 2))],
        {"group_by": ["region"]},
    )
    assert [(row["group"], row["value"], row["count"]) for row in made["rows"]] == [
        ("eu", 32.5, 4),
        ("us", 5.0, 2),
    ]


def test_highest_lowest_and_sum_of_groups_need_no_weights() -> None:
    for agg, wanted in (("max", 40.0), ("min", 10.0), ("sum", 50.0)):
        parts = [result(group("eu", 10.0, 1, agg)), result(group("eu", 40.0, 3, agg))]
        assert joined(parts, {"group_by": ["region"]})["rows"][0]["value"] == wanted


def test_one_batch_that_was_cut_makes_the_whole_partial() -> None:
    assert joined([result(value("a", 1)), result(value("b", 2), truncated=True)], {})["truncated"]


def test_what_narrows_is_folded_into_the_call_only_where_it_takes_all_of_it() -> None:
    takes = {"id", "metric", "resource_type", "region"}
    assert folded(MEASURED.arguments, {"region": ["eu"]}, takes) == {"region": ["eu"], "metric": ["cpu"]}
    assert folded(MEASURED.arguments, {"engine": ["mysql"]}, takes) is None
    assert folded(MEASURED.arguments, {}, takes) is None
