"""Neon's inventory recomputed: what the tools say of the company equals what a person reads in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.audit import company, neon
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

TRANSFER = ("public_network_transfer_bytes", "private_network_transfer_bytes")


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about Neon alone."""
    with asking("neon", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def things(*types: str) -> list[Thing]:
    return [one for one in company.things("neon") if not types or one.type in types]


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["account"], row["type"], row["id"]): row for row in rows}


def key(thing: Thing) -> tuple[str, str, str]:
    return thing.account, str(thing.type), thing.id


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert told["missing"] == []
    assert sorted(by_key(told["rows"])) == sorted(map(key, things()))


def test_names_places_statuses_times_and_fields_are_as_neon_tells_them(call: Call) -> None:
    rows = by_key(call("list_resources")["rows"])
    started = datetime.now(UTC)
    for thing in things():
        row = rows[key(thing)]
        assert (row["name"], row["region"]) == (thing.said.get("name") or None, thing.region)
        assert row["status"] == neon.status(thing), thing.id
        created = neon.created(thing, started)
        told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        # The sandbox may have started in the hour before.
        assert told in (created, created and created - timedelta(hours=1)), thing.id
        for field, value in neon.fields(thing).items():
            assert row[field] == value, (thing.id, field)


QUESTIONS: dict[str, tuple[dict[str, Any], Callable[[Thing], bool]]] = {
    "branches of the team payments": (
        {"resource_type": "branch", "tag": ["team=payments"]},
        lambda one: one.type == "branch" and one.tags.get("team") == "payments"),
    "branches without a team": (
        {"resource_type": "branch", "missing_tag": ["team"]},
        lambda one: one.type == "branch" and "team" not in one.tags),
    "computes that are suspended or switched off": (
        {"resource_type": "instance", "status": ["stopped"]},
        lambda one: one.type == "instance" and neon.status(one) == "stopped"),
    "branches bigger than 200 GB": (
        {"resource_type": "branch", "min_size_gb": 200},
        lambda one: one.type == "branch" and (one.told("logical_size") or 0) >= 200e9),
    "projects in Frankfurt": (
        {"resource_type": "project", "region": ["frankfurt"]},
        lambda one: one.type == "project" and one.region == "aws-eu-central-1"),
    "databases on Azure": (
        {"resource_type": "database", "region": ["azure-eastus2"]},
        lambda one: one.type == "database" and one.region == "azure-eastus2"),
    "branches younger than 15 days": (
        {"resource_type": "branch", "created_since": "15d"},
        lambda one: one.type == "branch" and (one.age() or timedelta(days=99)) < timedelta(days=15)),
    "everything in account sandbox": ({"account": ["sandbox"]}, lambda one: one.account == "sandbox"),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_a_person_finds(call: Call, question: str) -> None:
    arguments, wanted = QUESTIONS[question]
    found = [one for one in things() if wanted(one)]
    assert found, "the company should have some"
    assert sorted(by_key(call("list_resources", **arguments)["rows"])) == sorted(map(key, found))


def test_a_suspended_compute_is_healthy_and_one_switched_off_is_down(call: Call) -> None:
    rows = {
        row["uid"].split(":", 4)[4]: row for row in call("check_health", resource_type="instance")["rows"]
    }
    assert sorted(rows) == sorted(one.id for one in things("instance"))
    for thing in things("instance"):
        row, off = rows[thing.id], thing.said["disabled"]
        if neon.status(thing) == "stopped":
            expected = (None, "down") if off else (True, "healthy")
            assert (row["healthy"], row["status"]) == expected, thing.id
        assert row["status"] != "failing"


def values(call: Call, **arguments: Any) -> dict[str, float]:
    return {row["uid"].split(":", 4)[4]: row["value"] for row in measured(call, **arguments)}


@pytest.mark.parametrize("kind", ["project", "branch"])
def test_compute_time_is_what_was_consumed_in_the_whole_hours_of_a_day(call: Call, kind: str) -> None:
    rows = values(call, metric="compute_time", resource_type=kind, agg="sum", time="24h")
    told = {
        one.id: neon.consumed(one, ("compute_unit_seconds",), 24, datetime.now(UTC)) for one in things(kind)
    }
    assert rows == {name: value for name, value in told.items() if value is not None}
    assert sum(rows.values()) > 0


def test_what_goes_out_is_told_by_the_second(call: Call) -> None:
    rows = values(call, metric="network_out", resource_type="project", agg="avg", time="24h")
    told = {one.id: neon.consumed(one, TRANSFER, 24, datetime.now(UTC)) for one in things("project")}
    expected = {name: value / 86_400 for name, value in told.items() if value is not None}
    assert rows == pytest.approx(expected, abs=0.01)
    assert rows["shop-orders-10482233"] == pytest.approx(30_000)


def test_a_month_is_told_by_the_day(call: Call) -> None:
    rows = values(call, metric="compute_time", name=["payments-ledger"], agg="sum", time="last_30d")
    # The day that is not over is left out, and the one in which the thirty days begin is whole.
    assert rows == {"payments-ledger-31158827": 7200 * 24 * 30}


def test_counters_are_those_of_the_record(call: Call) -> None:
    for metric, field in {
        "size_bytes": "synthetic_storage_size",
        "period_compute_time": "compute_time_seconds",
        "period_active_time": "active_time_seconds",
        "period_written": "written_data_bytes",
        "period_transfer": "data_transfer_bytes",
    }.items():
        rows = values(call, metric=metric, resource_type="project")
        told = {one.id: one.told(field) for one in things("project")}
        assert rows == {name: value for name, value in told.items() if value is not None}, metric


def test_what_a_plan_does_not_tell_is_said_with_the_reason(call: Call) -> None:
    told = call("get_metrics", metric="compute_time", resource_type="project", account=["sandbox"], time="1h")
    (missing,) = told["missing"]
    assert (missing["provider"], missing["code"]) == ("neon", "not_covered")
    assert "not available here, because a history of consumption takes a paid plan" in missing["message"]
    assert {row["name"] for row in told["rows"]} == {"hack-parcels"}


def test_what_neon_does_not_measure_is_said_with_the_reason(call: Call) -> None:
    told = call("get_metrics", metric="cpu", resource_type="instance", time="1h")
    (missing,) = told["missing"]
    assert told["rows"] == []
    assert "not available from Neon, because Neon shows it in its console" in missing["message"]


def test_a_counter_says_nothing_of_a_time_that_is_over(call: Call) -> None:
    told = call("get_metrics", metric="size_bytes", resource_type="project", time="yesterday")
    assert told["rows"] == []
    assert {one["code"] for one in told["missing"]} == {"not_covered"}
    assert "as they are now" in told["missing"][0]["message"]
