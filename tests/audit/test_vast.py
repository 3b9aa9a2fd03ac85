"""Vast.ai's inventory recomputed: what the tools say of the company is what a person reads in its file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.audit import company, vast
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

THINGS = list(company.things("vast"))
RUNNING = [one for one in THINGS if one.group == "instances" and one.said["actual_status"] == "running"]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about Vast.ai alone."""
    with asking("vast", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def test_everything_is_listed_as_the_file_has_it(call: Call) -> None:
    told = call("list_resources")
    rows = by_id(told["rows"])
    assert (told["missing"], sorted(rows)) == ([], sorted(one.id for one in THINGS))
    for thing in THINGS:
        row = rows[thing.id]
        assert row["name"] == thing.said.get("label")
        assert row["region"] == (thing.region or "global")
        assert row["usd_per_hour"] == pytest.approx(vast.price(thing)), thing.id
        if thing.group == "instances":
            assert row["status"] == vast.status(thing), thing.id
            assert row["spot"] == thing.told("is_bid")
            assert sum(one["count"] for one in row["gpus"]) == (thing.told("num_gpus") or 0), thing.id
        else:
            assert row["size_gb"] == thing.told("disk_space")


def test_what_is_stopped_goes_on_paying_for_its_disk(call: Call) -> None:
    rows = by_id(call("list_resources", resource_type="instance", status=["stopped"])["rows"])
    stopped = [one for one in THINGS if one.group == "instances" and vast.status(one) == "stopped"]
    assert sorted(rows) == sorted(one.id for one in stopped)
    # By hand: 1000 GB at $0.15 a month of 720 hours.
    assert rows["31200104"]["usd_per_hour"] == pytest.approx(0.208333, abs=1e-6)
    assert all(row["usd_per_hour"] > 0 for row in rows.values())


def test_volumes_that_nobody_uses_are_found(call: Call) -> None:
    rows = call("list_resources", resource_type="volume", status=["unattached"])["rows"]
    assert sorted(by_id(rows)) == ["880103", "880201"]


def plain(metric: str) -> dict[str, float]:
    """The values of a metric that do not swing."""
    told = {one.id: one.said.get("metrics", {}).get(metric) for one in RUNNING}
    return {id: value for id, value in told.items() if isinstance(value, int | float)}


@pytest.mark.parametrize(
    ("metric", "name", "times"),
    [("gpu_utilization", "gpu_util", 1), ("gpu_temperature", "gpu_temp", 1), ("cpu", "cpu_util", 1),
     ("memory_used", "mem_usage", 1e9)],
)  # fmt: skip
def test_what_is_measured_is_what_the_file_says(call: Call, metric: str, name: str, times: float) -> None:
    rows = measured(call, metric=metric, agg="avg", time="1h")
    told = {row["uid"].split(":")[4]: row["value"] for row in rows}
    assert sorted(told) == sorted(one.id for one in RUNNING if name in one.said.get("metrics", {}))
    steady = plain(name)
    assert {id: told[id] for id in steady} == pytest.approx({id: v * times for id, v in steady.items()})
    assert len(steady) > 8


def test_memory_of_gpus_is_what_is_used_of_that_of_all(call: Call) -> None:
    rows = measured(call, metric="gpu_memory", op="gt", value=60, time="1h")
    full: list[tuple[Thing, float]] = [
        (one, value) for one in RUNNING if (value := vast.gpu_memory(one)) is not None and value > 60
    ]
    told = {row["uid"].split(":")[4]: row["value"] for row in rows}
    assert told == pytest.approx({one.id: value for one, value in full}, abs=1e-3)
    assert full


def test_who_asks_about_a_longer_time_is_told_that_only_the_present_is_known(call: Call) -> None:
    assert any(
        "Vast.ai: measured now" in one for one in call("get_metrics", metric="cpu", time="24h")["notices"]
    )


def test_instances_are_as_healthy_as_their_hosts_and_containers(call: Call) -> None:
    rows = {row["uid"].split(":")[4]: row for row in call("check_health", resource_type="instance")["rows"]}
    assert (rows["31200114"]["status"], rows["31200114"]["healthy"]) == ("down", False)
    assert rows["31200110"]["status"] == "failing"
    assert "no space left" in rows["31200110"]["message"]
    assert rows["31200101"]["status"] == "healthy"
