"""Cloudflare's inventory recomputed: what the tools say equals what a person reads in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.audit import cloudflare, company
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

pytest.importorskip("cloudflare")


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about Cloudflare alone."""
    with asking("cloudflare", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def listed(*types: str) -> list[Thing]:
    return [one for one in company.things("cloudflare") if not types or one.type in types]


def key(thing: Thing) -> tuple[str, str, str]:
    return thing.account, str(thing.type), thing.id


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["account"], row["type"], row["id"]): row for row in rows}


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert told["missing"] == []
    assert sorted(by_key(told["rows"])) == sorted(map(key, listed()))


def test_names_statuses_times_and_sizes_are_as_cloudflare_tells_them(call: Call) -> None:
    rows = by_key(call("list_resources")["rows"])
    started = datetime.now(UTC)
    for thing in listed():
        row = rows[key(thing)]
        assert row["name"] == cloudflare.name(thing), thing.id
        assert row["status"] in cloudflare.status(thing), (thing.id, row["status_raw"])
        created = cloudflare.created(thing, started)
        told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        # The sandbox may have started in the hour before.
        assert told in (created, created and created - timedelta(hours=1)), thing.id
        size = cloudflare.stored(thing)
        if thing.type == "bucket":
            assert row["size_bytes"] == size, thing.id
        if thing.type == "database":
            assert row["size_gb"] == (pytest.approx(size / 1024**3, abs=0.001) if size else None), thing.id


QUESTIONS: dict[str, tuple[dict[str, Any], Callable[[Thing], bool]]] = {
    "what the payments team has": (
        {"tag": ["team=payments"]}, lambda one: one.tags.get("team") == "payments"),
    "Workers that nobody owns": (
        {"resource_type": "function", "missing_tag": ["owner"]},
        lambda one: one.type == "function" and "owner" not in one.tags),
    "buckets in western Europe": (
        {"resource_type": "bucket", "region": ["weur"]},
        lambda one: one.type == "bucket" and one.region == "weur"),
    "databases over a gigabyte": (
        {"resource_type": "database", "min_size_gb": 1},
        lambda one: one.type == "database" and (cloudflare.stored(one) or 0) >= 1024**3),
    "SQLite databases": (
        {"resource_type": "database", "engine": ["sqlite"]}, lambda one: one.group == "d1_databases"),
    "zones that are gone": (
        {"resource_type": "zone", "status": ["failed"]},
        lambda one: one.type == "zone" and one.said.get("status") == "moved"),
    "everything in account sandbox": ({"account": ["sandbox"]}, lambda one: one.account == "sandbox"),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_a_person_finds(call: Call, question: str) -> None:
    arguments, wanted = QUESTIONS[question]
    things = [one for one in listed() if wanted(one)]
    assert things, "the company should have some"
    assert sorted(by_key(call("list_resources", **arguments)["rows"])) == sorted(map(key, things))


def values(call: Call, **arguments: Any) -> dict[str, float]:
    return {row["uid"].split(":", 4)[4]: row["value"] for row in measured(call, **arguments)}


def test_calls_of_a_day_are_what_the_file_tells(call: Call) -> None:
    rows = values(call, metric="invocations", resource_type="function", agg="sum", time="24h")
    now = datetime.now(UTC)
    for thing in listed("function"):
        made = cloudflare.counted(thing, "requests", now - timedelta(hours=24), now, now)
        # A step of five minutes goes on, and so does the wave.
        assert rows.get(thing.id) == (pytest.approx(made, rel=0.01) if made else None), thing.id


def test_the_worker_that_fails_one_call_in_eight_is_found(call: Call) -> None:
    rows = values(call, metric="error_rate", resource_type="function", op="gt", value=5, time="24h")
    assert rows == pytest.approx({"label-render": 12.5, "image-try": 100.0}, abs=0.1)


def test_a_worker_that_became_quiet_is_quiet_today_and_was_not_this_week(call: Call) -> None:
    (day,), (week,) = (
        values(call, metric="invocations", name=["webhook-fanout"], agg="sum", time=time).values()
        for time in ("24h", "7d")
    )
    assert day == pytest.approx(90 * 1440, rel=0.01)
    assert week == pytest.approx((3 * 90 + 4 * 700) * 1440, rel=0.02)


def test_what_is_stored_is_measured_as_it_is_listed(call: Call) -> None:
    rows = values(call, metric="size_bytes", resource_type="bucket", time="24h")
    assert rows == {one.id: size for one in listed("bucket") if (size := cloudflare.stored(one)) is not None}


def test_reads_of_buckets_are_told_apart_from_writes(call: Call) -> None:
    got = values(call, metric="get_requests", resource_type="bucket", agg="sum", time="24h")
    put = values(call, metric="put_requests", resource_type="bucket", agg="sum", time="24h")
    assert got["training-sets"] == pytest.approx(60 * 1440, rel=0.05)
    assert put["training-sets"] == pytest.approx(30 * 1440, rel=0.05)
    assert "shop-assets" in got
    assert "backup-old" not in got


def test_slow_databases_are_those_whose_median_is_long(call: Call) -> None:
    rows = values(call, metric="latency", resource_type="database", op="gt", value=100, time="24h")
    assert rows == pytest.approx({"e2a9b4f0-16c3-47d5-b2e8-9d0c4f6a3c33": 310}, abs=0.1)


def test_how_long_a_call_takes_is_not_told_and_that_is_said(call: Call) -> None:
    told = call("get_metrics", metric="latency", resource_type="function", time="1h")
    (missing,) = told["missing"]
    assert (missing["provider"], told["rows"]) == ("cloudflare", [])
    assert "not how long a call takes" in missing["message"]


def test_what_is_wrong_with_zones_and_pages_is_found(call: Call) -> None:
    rows = (
        call("check_health", resource_type="zone")["rows"] + call("check_health", resource_type="app")["rows"]
    )
    sick = {row["name"]: row["status"] for row in rows if row["status"] in ("failing", "degraded")}
    assert sick == {
        "pay-brightwater.example": "degraded",  # paused
        "parcel-news.example": "failing",  # moved
        "brightwater-neu.example": "degraded",  # pending
        "careers": "failing",
        "returns-portal": "degraded",
    }
