"""Azure's inventory recomputed: what the tools say of the company equals what a person reads in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import discovery
from tests.audit import azure, company
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

pytest.importorskip("azure.mgmt.compute")

TYPES = tuple(dict.fromkeys(kind for types in discovery.found()["azure"].lists.values() for kind in types))


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about Azure alone."""
    with asking("azure", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def listed(*types: str) -> list[Thing]:
    return [one for one in company.things("azure") if one.type in (types or TYPES)]


def key(thing: Thing) -> tuple[str, str, str]:
    return thing.account, str(thing.type), thing.names[-1]


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["account"], row["type"], row["id"]): row for row in rows}


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert told["missing"] == []
    assert sorted(by_key(told["rows"])) == sorted(map(key, listed()))
    assert told["total"] == len(listed())


def test_names_statuses_times_and_fields_are_as_azure_tells_them(call: Call) -> None:
    rows = by_key(call("list_resources")["rows"])
    started = datetime.now(UTC)
    for thing in listed():
        row = rows[key(thing)]
        assert row["name"] == thing.id
        assert row["status"] in azure.status(thing), (thing.group, thing.id, row["status_raw"])
        created = azure.created(thing, started)
        told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        # The sandbox may have started in the hour before.
        assert told in (created, created and created - timedelta(hours=1)), (thing.group, thing.id)
        for field, value in azure.fields(thing).items():
            assert row[field] == value, (thing.group, thing.id, field)


def test_a_machine_has_what_its_size_is_made_of(call: Call) -> None:
    sizes = company.file("azure")["sizes"]
    public = {
        one.id: one.said["ipAddress"] for one in company.of("azure", "address") if "ipAddress" in one.said
    }
    rows = by_key(call("list_resources", resource_type="instance")["rows"])
    for thing in listed("instance"):
        row, size = rows[key(thing)], azure.size(thing)
        made = (
            sizes.get(size, {})
            if thing.told("location") or "location" not in thing.said.get("without", ())
            else {}
        )
        cores = made.get("vCPUsAvailable") or made.get("vCPUs")
        assert (row["vcpus"], row["ram_gib"]) == (
            cores and float(cores),
            made.get("MemoryGB") and float(made["MemoryGB"]),
        ), thing.id
        told = [(one["gpu"], one["count"], one["memory_gib"]) for one in row["gpus"]]
        assert told == ([azure.GPUS[size]] if size in azure.GPUS else []), thing.id
        assert row["spot"] == azure.spot(thing), thing.id
        assert row["public_ip"] == public.get(thing.said.get("public")), thing.id


QUESTIONS: dict[str, tuple[dict[str, Any], Callable[[Thing], bool]]] = {
    "resources labelled cost-center 4711": (
        {"tag": ["cost-center=4711"]}, lambda one: one.tags.get("cost-center") == "4711"),
    "networks without a team": (
        {"resource_type": "vpc", "missing_tag": ["team"]},
        lambda one: one.type == "vpc" and "team" not in one.tags),
    "everything in account sandbox": ({"account": ["sandbox"]}, lambda one: one.account == "sandbox"),
    "machines that are stopped": (
        {"resource_type": "instance", "status": ["stopped"]},
        lambda one: one.type == "instance" and azure.status(one) == {"stopped"}),
    "disks that nobody uses, bigger than 300 GB": (
        {"resource_type": "volume", "status": ["unattached"], "min_size_gb": 301},
        lambda one: one.type == "volume" and one.said["diskState"] == "Unattached"
        and (one.told("diskSizeGB") or 0) > 300),
    "postgres servers": (
        {"resource_type": "database", "engine": ["postgres"]}, lambda one: one.group == "postgres_servers"),
    "functions on python3.12": (
        {"resource_type": "function", "runtime": ["python3.12"]},
        lambda one: one.type == "function" and "Python|3.12" in str(one.told("siteConfig"))),
    "GPU machines in West Europe": (
        {"resource_type": "gpu_instance", "region": ["westeurope"]},
        lambda one: one.type == "instance" and one.region == "westeurope"
        and "_N" in str(azure.size(one))),
    "machines whose name has web": (
        {"resource_type": "instance", "name_contains": ["web"]},
        lambda one: one.type == "instance" and "web" in one.id),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_a_person_finds(call: Call, question: str) -> None:
    arguments, wanted = QUESTIONS[question]
    things = [one for one in listed() if wanted(one)]
    assert things, "the company should have some"
    assert sorted(by_key(call("list_resources", **arguments)["rows"])) == sorted(map(key, things))


def values(call: Call, **arguments: Any) -> dict[str, float]:
    return {row["uid"].split(":", 4)[4]: row["value"] for row in measured(call, **arguments)}


def test_what_idles_below_a_fifth_of_its_cpu_is_found(call: Call) -> None:
    rows = values(call, metric="cpu", op="lt", value=20, time="24h")
    now = datetime.now(UTC)
    expected = {}
    for thing in listed("instance", "database", "cluster"):
        means = (azure.mean(thing, name, now - timedelta(hours=24), now, now) for name in azure.CPU)
        value = next((one for one in means if one is not None), None)
        if value is not None and value < 20 and azure.status(thing) != {"stopped"}:
            expected[thing.names[-1]] = value
    assert sorted(rows) == sorted(expected)
    for name, value in expected.items():
        assert rows[name] == pytest.approx(value, abs=0.5), name


def test_a_machine_that_became_idle_is_idle_today_and_was_not_this_week(call: Call) -> None:
    (day,), (week,) = (
        values(call, metric="cpu", name=["web-prod-7"], agg="avg", time=time).values()
        for time in ("24h", "7d")
    )
    assert day == pytest.approx(4, abs=0.5)
    assert week == pytest.approx((4 * 4 + 3 * 51) / 7, abs=1)


def test_machines_short_of_memory_are_those_with_little_left(call: Call) -> None:
    rows = values(call, metric="memory", resource_type="instance", op="gt", value=60, time="3h")
    now = datetime.now(UTC)
    left = {
        one.names[-1]: azure.mean(one, "Available Memory Percentage", now - timedelta(hours=3), now, now)
        for one in listed("instance")
    }
    expected = {name: 100 - value for name, value in left.items() if value is not None and 100 - value > 60}
    assert rows == pytest.approx(expected, abs=0.5)
    assert len(expected) == 4


def test_what_azure_does_not_measure_is_said_with_the_reason(call: Call) -> None:
    told = call("get_metrics", metric="gpu_utilization", resource_type="gpu_instance", time="1h")
    (missing,) = told["missing"]
    assert (missing["provider"], told["rows"]) == ("azure", [])
    assert "Azure measures no GPU of a machine" in missing["message"]


def test_machines_are_as_healthy_as_their_state_and_last_change(call: Call) -> None:
    rows = {
        row["uid"].split(":", 4)[4]: row for row in call("check_health", resource_type="instance")["rows"]
    }
    assert sorted(rows) == sorted(one.names[-1] for one in listed("instance"))
    for thing in listed("instance"):
        row, status = rows[thing.names[-1]], azure.status(thing)
        if thing.said["provisioningState"] == "Failed":
            assert (row["healthy"], row["status"]) == (False, "failing"), thing.id
        elif status == {"running"}:
            assert (row["healthy"], row["status"]) == (True, "healthy"), thing.id
        elif status == {"stopped"}:
            assert (row["healthy"], row["status"]) == (None, "down"), thing.id
