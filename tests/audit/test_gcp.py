"""Google's inventory recomputed: what the tools say of the company equals what a person reads in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import discovery
from tests.audit import company, gcp
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

FACTS = discovery.found()["gcp"]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about Google alone."""
    with asking("gcp", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def things(*types: str) -> list[Thing]:
    return [one for one in company.things("gcp") if one.type and one.type in (types or (one.type,))]


def named(every: list[Thing]) -> list[tuple[str, str, str]]:
    return sorted((one.account, str(one.type), one.names[-1]) for one in every)


def found(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((row["account"], row["type"], row["id"]) for row in told["rows"])


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert told["missing"] == []
    assert found(told) == named(things())
    assert {one["source"] for one in told["rows"]} == {"sandbox"}


def test_names_statuses_tags_and_times_are_as_google_tells_them(call: Call) -> None:
    rows = {(row["account"], row["type"], row["id"]): row for row in call("list_resources")["rows"]}
    started = datetime.now(UTC)
    for thing in things():
        row = rows[thing.account, str(thing.type), thing.names[-1]]
        assert row["name"] == gcp.name(thing), (thing.group, thing.id)
        assert row["status"] in gcp.status(thing), (thing.group, thing.id, row["status_raw"])
        created = gcp.created(thing, started)
        told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        # The sandbox may have started in the hour before.
        assert told in (created, created and created - timedelta(hours=1)), (thing.group, thing.id)
        for field, value in gcp.fields(thing).items():
            assert row[field] == value, (thing.group, thing.id, field)


def test_gpus_are_those_of_the_machine_once_each(call: Call) -> None:
    for row in call("list_resources", resource_type="instance")["rows"]:
        expected = gcp.GPUS.get(row["name"] or "")
        told = [(one["gpu"], one["count"], one["memory_gib"]) for one in row["gpus"]]
        assert told == ([expected] if expected else []), row["name"]


def test_a_machine_costs_what_its_parts_do_in_its_region(call: Call) -> None:
    rows = {
        (row["account"], row["id"]): row["usd_per_hour"]
        for row in call("list_resources", resource_type="instance")["rows"]
    }
    expected = {(one.account, one.names[-1]): gcp.price(one) for one in things("instance")}
    assert rows == pytest.approx(expected)
    assert len({usd for usd in expected.values() if usd}) > 8


def test_a_function_is_no_service_and_what_balances_nothing_is_no_load_balancer(call: Call) -> None:
    services = {row["name"] for row in call("list_resources", resource_type="container")["rows"]}
    functions = {row["name"] for row in call("list_resources", resource_type="function")["rows"]}
    assert services & functions == set()
    balancers = {row["name"] for row in call("list_resources", resource_type="load_balancer")["rows"]}
    assert "psc-of-a-partner" not in balancers


QUESTIONS: dict[str, tuple[dict[str, Any], Callable[[Thing], bool]]] = {
    "labelled cost-center 4711": (
        {"tag": ["cost-center=4711"]}, lambda one: one.tags.get("cost-center") == "4711"),
    "everything in account sandbox": ({"account": ["sandbox"]}, lambda one: one.account == "sandbox"),
    "instances that are stopped": (
        {"resource_type": "instance", "status": ["stopped"]},
        lambda one: one.type == "instance" and gcp.status(one) == {"stopped"}),
    "disks that nobody uses": (
        {"resource_type": "volume", "status": ["unattached"]},
        lambda one: one.type == "volume" and gcp.status(one) == {"unattached"}),
    "spot instances": (
        {"resource_type": "instance", "spot": True},
        lambda one: one.type == "instance" and "SPOT" in str(one.told("scheduling"))),
    "GPU machines in the Netherlands": (
        {"resource_type": "gpu_instance", "region": ["europe-west4"]},
        lambda one: one.said.get("name") in gcp.GPUS and one.type == "instance"
        and one.region == "europe-west4"),
    "postgres": (
        {"resource_type": "database", "engine": ["postgres"]},
        lambda one: one.type == "database" and str(one.told("databaseVersion")).startswith("POSTGRES")),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_a_person_finds(call: Call, question: str) -> None:
    arguments, wanted = QUESTIONS[question]
    expected = [one for one in things() if wanted(one)]
    assert expected, "the company should have some"
    assert found(call("list_resources", **arguments)) == named(expected)


@pytest.mark.parametrize("by", ["type", "account"])
def test_groups_count_what_a_person_counts(call: Call, by: str) -> None:
    counts: dict[str, int] = {}
    for one in things():
        group = str({"type": one.type, "account": one.account}[by])
        counts[group] = counts.get(group, 0) + 1
    assert {row["group"]: row["count"] for row in call("list_resources", group_by=[by])["rows"]} == counts


def test_what_idles_below_a_fifth_of_its_cpu_is_found(call: Call) -> None:
    now = datetime.now(UTC)
    expected = {}
    for thing in things():
        asleep = gcp.status(thing) == {"stopped"}
        value = gcp.cpu(thing, now - timedelta(hours=24), now, now)
        if not asleep and value is not None and value < 20:
            expected[thing.account, str(thing.type), thing.names[-1]] = value
    rows = measured(call, metric="cpu", op="lt", value=20, time="24h")
    told = {(uid[1], uid[3], uid[4]): row["value"] for row in rows if (uid := row["uid"].split(":", 4))}
    assert sorted(told) == sorted(expected)
    for key, value in expected.items():
        assert told[key] == pytest.approx(value, abs=0.5), key


def test_a_machine_that_became_idle_is_idle_today_and_was_not_this_week(call: Call) -> None:
    (day,), (week,) = (
        measured(call, metric="cpu", name=["web-prod-23"], agg="avg", time=time) for time in ("24h", "7d")
    )
    assert day["value"] == pytest.approx(7, abs=0.5)
    assert week["value"] == pytest.approx((3 * 7 + 4 * 55) / 7, abs=1)


def test_gpus_are_told_one_by_one(call: Call) -> None:
    idle = measured(call, metric="gpu_utilization", op="lt", value=5, time="24h")
    expected = sorted(one.id for one, _, told in gcp.devices() if gcp.base(told["utilization"]) < 5)
    assert sorted(row["uid"].split(":", 4)[4] for row in idle) == expected
    full = measured(call, metric="gpu_memory", op="gt", value=95, time="24h")
    shares = [(one.id, told["used"] / (told["used"] + told["free"])) for one, _, told in gcp.devices()]
    assert sorted(row["uid"].split(":", 4)[4] for row in full) == sorted(
        one for one, share in shares if share > 0.95
    )
    watts = measured(call, metric="gpu_power", name=["training-node-22"], agg="avg", time="24h")
    assert [row["value"] for row in watts] == [pytest.approx(54)] * 4


@pytest.mark.parametrize(
    ("name", "metric", "time", "expected"),
    [
        # The file tells counters by the minute.
        ("web-prod-21", "network_in", "2h", 2_400_000 / 60),
        ("parcels-main", "connections", "2h", 82),
        ("parcels-main", "size_bytes", "2h", 268_435_456_000),
        ("payments-mysql", "queries", "2h", 24_000 / 60),
        ("brightwater-archive", "size_bytes", "2h", 120e12),
        ("brightwater-archive", "object_count", "2h", 900_000),
        ("payment-webhook", "latency", "2h", 220),
        ("payment-webhook", "error_rate", "2h", 100 * 12 / (60 + 12)),
        ("thumbnail", "latency", "2h", 640),
        ("edge-https", "latency", "2h", 84),
        ("parcels-eu", "memory", "2h", 66),
        ("training-node-21", "memory", "2h", 63),
    ],
)
def test_a_measure_is_that_of_the_file_in_its_unit(
    call: Call, name: str, metric: str, time: str, expected: float
) -> None:
    (row,) = measured(call, metric=metric, name=[name], agg="avg", time=time)
    assert row["value"] == pytest.approx(expected, rel=0.01)


def test_the_gpus_of_a_machine_without_dcgm_have_no_temperature(call: Call) -> None:
    assert measured(call, metric="gpu_temperature", name=["training-node-23"], time="2h") == []


def test_permissions_are_told_for_each_kind_and_account(call: Call) -> None:
    rows = call("check_health", check=["permissions"])["rows"]
    assert sorted({(row["account"], row["name"]) for row in rows}) == sorted(
        (account, kind) for account in ("prod", "sandbox") for kind in FACTS.needs
    )
    assert {row["status"] for row in rows} == {"healthy"}
