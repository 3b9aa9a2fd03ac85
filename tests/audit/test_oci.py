"""Oracle's inventory recomputed: what the tools say of the company equals what a person reads in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.audit import company, oci
from tests.audit.asking import Call, asking
from tests.audit.company import Thing

MEASURED = ("instance", "database")
THINGS = [one for one in company.things("oci") if one.type]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about Oracle alone."""
    with asking("oci", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def key(row: dict[str, Any]) -> tuple[str, str, str]:
    """What a row and a thing are compared by; an OCID ends in the id of the file."""
    return row["account"], row["type"], row["id"].rpartition(".")[2]


def keys(things: list[Thing]) -> list[tuple[str, str, str]]:
    return sorted((one.account, str(one.type), one.id) for one in things)


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert told["missing"] == []
    assert sorted(map(key, told["rows"])) == keys(THINGS)
    assert {one["source"] for one in told["rows"]} == {"sandbox"}


def test_names_statuses_tags_times_and_fields_are_as_oracle_tells_them(call: Call) -> None:
    rows = {key(row): row for row in call("list_resources")["rows"]}
    started = datetime.now(UTC)
    for thing in THINGS:
        row = rows[thing.account, str(thing.type), thing.id]
        assert row["name"] == oci.name(thing), thing.id
        assert row["status"] == oci.status(thing), thing.id
        assert row["zone"] == thing.told("availabilityDomain"), thing.id
        hidden = "freeformTags" in thing.said.get("without", ())
        assert row["tags"] == (None if hidden else dict(thing.tags)), thing.id
        if thing.group != "clusters":
            created = oci.created(thing, started)
            told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
            # The sandbox may have started in the hour before.
            assert told in (created, created and created - timedelta(hours=1)), thing.id
        for field, value in oci.FIELDS.get(thing.group, {}).items():
            assert row[field] == thing.told(value), (thing.id, field)


def test_an_instance_has_what_its_shape_is_made_of_and_the_addresses_of_its_card(call: Call) -> None:
    rows = {key(row)[2]: row for row in call("list_resources", resource_type="instance")["rows"]}
    shapes = company.file("oci")["shapes"]
    for thing in (one for one in THINGS if one.type == "instance"):
        row, shape = rows[thing.id], thing.told("shape")
        made = thing.said.get("shapeConfig") or (shapes.get(shape, {}) if shape else {})
        ocpus = made.get("ocpus")
        arm = ".A1." in str(shape)
        assert row["vcpus"] == (ocpus and ocpus * (1 if arm else 2)), thing.id
        assert row["ram_gib"] == made.get("memoryInGBs"), thing.id
        told = [(one["gpu"], one["count"], one["memory_gib"]) for one in row["gpus"] or ()]
        assert told == ([oci.GPUS[shape]] if shape in oci.GPUS else []), thing.id
        assert (row["private_ip"], row["public_ip"]) == (
            thing.said.get("private_ip"),
            thing.said.get("public_ip"),
        )
        assert row["spot"] == ("preemptibleInstanceConfig" in thing.said)


def test_a_machine_costs_what_its_shape_does_as_it_is_paid_for(call: Call) -> None:
    rows = {key(row)[2]: row for row in call("list_resources", resource_type="instance")["rows"]}
    expected = {one.id: oci.price(one) for one in THINGS if one.type == "instance"}
    assert {id: row["usd_per_hour"] for id, row in rows.items()} == pytest.approx(expected)
    assert len({usd for usd in expected.values() if usd}) > 5


def test_what_has_the_shape_of_a_machine_and_is_none_has_no_price(call: Call) -> None:
    rows = call("list_resources", resource_type=["database", "container"])["rows"]
    assert any(row["instance_type"] for row in rows)
    assert {row["usd_per_hour"] for row in rows} == {None}


def test_what_a_group_of_machines_costs_is_the_sum_of_its_machines(call: Call) -> None:
    cost: dict[str, float] = {}
    for one in THINGS:
        if one.type == "instance":
            cost[str(one.region)] = cost.get(str(one.region), 0.0) + (oci.price(one) or 0.0)
    rows = call("list_resources", resource_type="instance", group_by=["region"])["rows"]
    assert {row["group"]: row["usd_per_hour"] for row in rows} == pytest.approx(cost)


def test_a_cluster_has_the_nodes_of_its_pools(call: Call) -> None:
    sizes: dict[str, list[int | None]] = {}
    for pool in company.file("oci")["resources"]["node_pools"]["records"]:
        size = pool.get("nodeConfigDetails", {}).get("size")
        sizes.setdefault(pool["clusterId"].rpartition("/")[2], []).append(size)
    for row in call("list_resources", resource_type="cluster")["rows"]:
        mine = sizes[row["id"].rpartition(".")[2]]
        assert row["node_count"] == (None if None in mine else sum(size or 0 for size in mine))


QUESTIONS: dict[str, tuple[dict[str, Any], Callable[[Thing], bool]]] = {
    "machines that are stopped": (
        {"resource_type": "instance", "status": ["stopped"]},
        lambda one: one.type == "instance" and oci.status(one) == "stopped"),
    "volumes that nobody uses": (
        {"resource_type": "volume", "status": ["unattached"]},
        lambda one: one.type == "volume" and oci.status(one) == "unattached"),
    "mysql servers": (
        {"resource_type": "database", "engine": ["mysql"]}, lambda one: one.group == "mysql_systems"),
    "GPU machines in ashburn": (
        {"resource_type": "gpu_instance", "region": ["us-ashburn-1"]},
        lambda one: one.region == "us-ashburn-1" and one.said.get("shape") in oci.GPUS),
    "preemptible machines": (
        {"resource_type": "instance", "spot": True}, lambda one: "preemptibleInstanceConfig" in one.said),
    "what vision pays for": (
        {"tag": ["cost-center=4805"]}, lambda one: one.tags.get("cost-center") == "4805"),
    "what a defined tag says": (
        {"tag": ["Operations.Backup=gold"]}, lambda one: "Operations.Backup" in one.tags),
    "everything in account sandbox": ({"account": ["sandbox"]}, lambda one: one.account == "sandbox"),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_a_person_finds(call: Call, question: str) -> None:
    arguments, wanted = QUESTIONS[question]
    things = [one for one in THINGS if wanted(one)]
    assert things, "the company should have some"
    assert sorted(map(key, call("list_resources", **arguments)["rows"])) == keys(things)


@pytest.mark.parametrize("by", ["type", "region", "account"])
def test_groups_count_what_a_person_counts(call: Call, by: str) -> None:
    counts: dict[str, int] = {}
    for one in THINGS:
        group = str({"type": one.type, "region": one.region, "account": one.account}[by])
        counts[group] = counts.get(group, 0) + 1
    told = {row["group"]: row["count"] for row in call("list_resources", group_by=[by])["rows"]}
    assert told == counts


def test_what_idles_below_a_fifth_of_its_cpu_is_found(call: Call) -> None:
    told = {}
    for row in call("get_metrics", metric="cpu", op="lt", value=20, time="24h")["rows"]:
        _, account, _, kind, id = row["uid"].split(":", 4)
        told[account, kind, id.rpartition(".")[2]] = row["value"]
    now, expected = datetime.now(UTC), {}
    for thing in THINGS:
        value = oci.cpu(thing, now - timedelta(hours=24), now, now)
        gone = oci.status(thing) in ("stopped", "terminated")
        if thing.type in MEASURED and value is not None and value < 20 and not gone:
            expected[thing.account, str(thing.type), thing.id] = value
    assert sorted(told) == sorted(expected)
    for which, value in expected.items():
        assert told[which] == pytest.approx(value, abs=0.5), which


def test_a_machine_that_became_idle_is_idle_today_and_was_not_this_week(call: Call) -> None:
    (day,), (week,) = (
        call("get_metrics", metric="cpu", name=["web-prod-33"], agg="avg", time=time)["rows"]
        for time in ("24h", "7d")
    )
    assert day["value"] == pytest.approx(12, abs=0.5)
    assert week["value"] == pytest.approx((3 * 12 + 4 * 52) / 7, abs=1)


def test_gpus_are_told_one_by_one(call: Call) -> None:
    for metric, field, op, limit in (
        ("gpu_utilization", "GpuUtilization", "lt", 5.0),
        ("gpu_memory", "GpuMemoryUtilization", "gt", 95.0),
    ):
        rows = call("get_metrics", metric=metric, op=op, value=limit, time="24h")["rows"]
        expected = sorted(
            thing.id
            for thing in THINGS
            for device in oci.gpus(thing)
            if (oci.base(device[field]) < limit) == (op == "lt")
        )
        assert sorted(row["uid"].rpartition(".")[2] for row in rows) == expected
        assert expected


def test_both_accounts_are_in_order_and_may_read_everything(call: Call) -> None:
    rows = call("check_health", check=["credentials", "permissions"])["rows"]
    assert {row["account"] for row in rows} == {"prod", "sandbox"}
    assert [row["message"] for row in rows if not row["healthy"]] == []
