"""DigitalOcean's inventory recomputed: what the tools say is what a person reads in the company's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import discovery
from tests.audit import company, digitalocean
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

FACTS = discovery.found()["digitalocean"]
TYPES = tuple(dict.fromkeys(kind for types in FACTS.lists.values() for kind in types))


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about DigitalOcean alone."""
    with asking("digitalocean", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def listed(*types: str) -> list[Thing]:
    return [one for one in company.things("digitalocean") if one.type in (types or TYPES)]


def key(thing: Thing) -> tuple[str, str, str]:
    return thing.account, str(thing.type), thing.id


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["account"], row["type"], row["id"]): row for row in rows}


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert told["missing"] == []
    assert sorted(by_key(told["rows"])) == sorted(map(key, listed()))
    assert told["total"] == len(listed())


def test_names_statuses_and_times_are_as_digitalocean_tells_them(call: Call) -> None:
    rows = by_key(call("list_resources")["rows"])
    started = company.hour(datetime.now(UTC))
    for thing in listed():
        row, age = rows[key(thing)], thing.age()
        assert row["name"] == digitalocean.name(thing), thing.id
        assert row["status"] in digitalocean.status(thing), (thing.group, thing.id, row["status_raw"])
        told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        # The sandbox may have started in the hour before.
        assert told in ((started - age, started - age - timedelta(hours=1)) if age else (None,)), thing.id


def test_a_droplet_has_what_its_size_is_made_of_and_costs_what_it_costs_even_when_off(call: Call) -> None:
    rows = by_key(call("list_resources", resource_type="instance")["rows"])
    for thing in listed("instance"):
        row, made = rows[key(thing)], digitalocean.size(thing)
        assert row["instance_type"] == (thing.said["size"] or None)
        assert row["vcpus"] == made.get("vcpus"), thing.id
        assert row["ram_gib"] == (made["memory"] / 1024 if made else None), thing.id
        assert row["usd_per_hour"] == digitalocean.price(thing), thing.id
        told = [(one["gpu"], one["count"], one["memory_gib"]) for one in row["gpus"] or ()]
        assert told == digitalocean.gpus(thing), thing.id
        assert (row["public_ip"], row["private_ip"]) == (thing.said.get("public"), thing.said.get("private"))


QUESTIONS: dict[str, tuple[dict[str, Any], Callable[[Thing], bool]]] = {
    "resources labelled cost-center 4711": (
        {"tag": ["cost-center=4711"]}, lambda one: one.tags.get("cost-center") == "4711"),
    "GPU machines": (
        {"resource_type": "gpu_instance"},
        lambda one: one.type == "instance" and digitalocean.gpus(one) != []),
    "machines that are stopped": (
        {"resource_type": "instance", "status": ["stopped"]},
        lambda one: one.type == "instance" and digitalocean.status(one) & {"stopped"} != set()),
    "postgres databases": (
        {"resource_type": "database", "engine": ["postgres"]},
        lambda one: one.type == "database" and one.told("engine") == "pg"),
    "volumes that nobody uses, bigger than 500 GB": (
        {"resource_type": "volume", "status": ["unattached"], "min_size_gb": 500},
        lambda one: one.type == "volume" and not one.said["droplet_ids"]
        and (one.told("size_gigabytes") or 0) > 500),
    "everything in Amsterdam": ({"region": ["ams3"]}, lambda one: one.region == "ams3"),
    "machines without a team": (
        {"resource_type": "instance", "missing_tag": ["team"]},
        lambda one: one.type == "instance" and "team" not in one.tags),
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
    rows = values(call, metric="cpu", op="lt", value=20, time="24h", agg="avg")
    now = datetime.now(UTC)
    expected = {}
    for thing in listed("instance", "database"):
        means = (
            digitalocean.mean(thing, one, now - timedelta(hours=24), now, now) for one in ("cpu", "cpu_usage")
        )
        value = next((one for one in means if one is not None), None)
        if value is not None and value < 20:
            expected[thing.id] = value
    assert rows == pytest.approx(expected, abs=0.5)
    assert len(expected) == 7


def test_a_machine_that_became_idle_is_idle_today_and_was_not_this_week(call: Call) -> None:
    (day,), (week,) = (
        values(call, metric="cpu", name=["web-prod-43"], agg="avg", time=time).values()
        for time in ("24h", "7d")
    )
    assert day == pytest.approx(3, abs=0.5)
    assert week == pytest.approx((3 * 3 + 4 * 48) / 7, abs=1)


@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [
        ("web-prod-41", "memory", 100 * (1 - 3.4e9 / (8192 * 1024**2))),
        ("web-prod-41", "disk", 100 * (1 - 96e9 / 160e9)),
        # Public and private together: 24 megabits a second.
        ("web-prod-41", "network_in", 24e6 / 8),
        # A terabyte and more is a figure like any other.
        ("training-node-61", "memory_used", 1966080 * 1024**2 - 9e11),
        ("track-mysql", "connections", 62),
        ("track-mysql", "disk", 54),
    ],
)
def test_a_measure_is_that_of_the_file_in_its_unit(
    call: Call, name: str, metric: str, expected: float
) -> None:
    (row,) = measured(call, metric=metric, name=[name], agg="avg", time="2h")
    assert row["value"] == pytest.approx(expected, rel=0.01)


def test_that_no_gpu_is_measured_is_said_with_the_reason(call: Call) -> None:
    told = call("get_metrics", metric="gpu_utilization", resource_type="gpu_instance", time="1h")
    (missing,) = told["missing"]
    assert (missing["provider"], told["rows"]) == ("digitalocean", [])
    assert "DigitalOcean measures no GPU" in missing["message"]


def test_permissions_are_told_for_each_kind_and_account(call: Call) -> None:
    rows = call("check_health", check=["permissions"])["rows"]
    assert sorted({(row["account"], row["name"]) for row in rows}) == sorted(
        (account, kind) for account in ("prod", "sandbox") for kind in FACTS.needs
    )


def test_what_is_left_of_requests_and_money_is_told_of_each_account(call: Call) -> None:
    rows = {row["account"]: row["message"] for row in call("check_health", check=["quota"])["rows"]}
    assert "4,816 of 5,000 requests" in rows["prod"]
    assert "Used this month $18,672.17, $250.00 of credit." in rows["prod"]
    assert "Used this month $611.40, owed from before $0.00." in rows["sandbox"]
