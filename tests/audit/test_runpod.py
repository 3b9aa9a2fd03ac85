"""RunPod's inventory recomputed: what the tools say of the company equals what a person reads in its file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.audit import company, runpod
from tests.audit.asking import Call, asking, measured

THINGS = list(company.things("runpod"))
SWING = 1.0
"""Whole percents, of a wave whose place is not known here."""


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about RunPod alone."""
    with asking("runpod", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def test_everything_is_listed_as_the_file_has_it(call: Call) -> None:
    told = call("list_resources")
    rows = by_id(told["rows"])
    assert (told["missing"], sorted(rows)) == ([], sorted(one.id for one in THINGS))
    for thing in THINGS:
        row = rows[thing.id]
        assert (row["name"] or "") == thing.said["name"]
        assert row["status"] == runpod.status(thing, THINGS), thing.id
        assert row["usd_per_hour"] == runpod.price(thing), thing.id
        boards = [(one["gpu"], one["count"], one["memory_gib"]) for one in row.get("gpus") or ()]
        assert boards == runpod.gpus(thing), thing.id
        assert row["region"] == (thing.region or "global")
        assert row.get("size_gb") == (thing.said["size"] if thing.group == "network_volumes" else None)


def test_volumes_that_nobody_uses_are_found(call: Call) -> None:
    rows = call("list_resources", resource_type="volume", status=["unattached"], min_size_gb=800)["rows"]
    used = runpod.used(THINGS)
    volumes = [one for one in THINGS if one.group == "network_volumes"]
    assert sorted(by_id(rows)) == sorted(
        one.id for one in volumes if one.id not in used and one.said["size"] >= 800
    )
    assert rows


@pytest.mark.parametrize(("metric", "name"), [("gpu_utilization", "util"), ("gpu_memory", "memoryUtil")])
def test_each_gpu_of_a_pod_is_measured_by_itself(call: Call, metric: str, name: str) -> None:
    rows = measured(call, metric=metric, agg="avg", time="1h")
    told = {(row["uid"].split(":")[4], int(row["device"])): row["value"] for row in rows}
    expected = {
        (thing.id, at): series
        for thing in THINGS
        if thing.said.get("status") == "RUNNING"
        for at, series in enumerate(thing.said.get("metrics", {}).get(name, []))
    }
    assert sorted(told) == sorted(expected)
    for key, series in expected.items():
        base, swing = series if isinstance(series, list) else (series, 0)
        assert abs(told[key] - base) <= swing + (SWING if swing else 0), key


def test_a_pod_without_a_runtime_is_said_to_have_measured_nothing(call: Call) -> None:
    told = call("get_metrics", metric="cpu", name=["route-sim-3"])
    assert (told["rows"], told["missing"]) == ([], [])
    assert any("Nothing was measured of 1 of 1" in one for one in told["notices"])


def test_who_asks_about_a_longer_time_is_told_that_only_the_present_is_known(call: Call) -> None:
    long, now = (call("get_metrics", metric="cpu", **more)["notices"] for more in ({"time": "24h"}, {}))
    assert any("RunPod: measured now" in one for one in long)
    assert not any("measured now" in one for one in now)


def test_of_a_time_that_is_over_nothing_is_told(call: Call) -> None:
    assert call("get_metrics", metric="cpu", time="yesterday")["rows"] == []


def test_balance_and_spending_of_each_account_are_told_with_its_health(call: Call) -> None:
    rows = call("check_health")["rows"]
    said = {row["account"]: row["message"] for row in rows if row["check"] == "credentials"}
    for account, money in company.file("runpod")["accounts"].items():
        assert f"${money['clientBalance']:.2f}" in said[account]
        assert f"${money['currentSpendPerHr']:.4g} per hour" in said[account]


def test_endpoints_are_as_healthy_as_their_workers(call: Call) -> None:
    rows = {row["uid"].split(":")[4]: row for row in call("check_health", resource_type="function")["rows"]}
    assert (rows["ep-damage"]["status"], rows["ep-eta"]["status"]) == ("failing", "degraded")
    assert rows["ep-label-read"]["status"] == "healthy"
    assert "2 of 2 workers" in rows["ep-damage"]["message"]


def test_a_pod_of_runpod_is_an_instance(call: Call) -> None:
    pods, instances = (call("list_resources", resource_type=kind)["rows"] for kind in ("pod", "instance"))
    assert by_id(pods) == by_id(instances)
    assert pods
