"""Amazon's inventory recomputed: what the tools say of the company equals what a person reads in its file.

A question about a type that the connector does not list is skipped aloud.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import discovery
from tests.audit import aws, company
from tests.audit.asking import Call, asking, measured
from tests.audit.company import Thing

FACTS = discovery.found()["aws"]
TYPES = tuple(dict.fromkeys(kind for types in FACTS.lists.values() for kind in types))
MEASURED = {kind for kind, told in FACTS.metrics.items() if "cpu" in told}


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a tool about AWS alone."""
    with asking("aws", tmp_path_factory.mktemp("audit")) as asked:
        yield asked


def listed(*types: str) -> list[Thing]:
    """The company's things of these types; a type that is not listed yet is skipped aloud."""
    lacking = [kind for kind in types if kind not in TYPES]
    if lacking:
        pytest.skip(f"the connector does not list {', '.join(lacking)}")
    return [one for one in company.things("aws") if one.type in (types or TYPES)]


def named(things: list[Thing]) -> list[tuple[str, str, str]]:
    """What a row and a thing are compared by."""
    return sorted((one.account, str(one.type), one.id) for one in things)


def found(told: dict[str, Any], things: list[Thing]) -> list[tuple[str, str, str]]:
    """The same of the rows, in which an id may be any that AWS knows a thing by."""
    ids = {(one.account, one.type, name): one.id for one in things for name in one.names}
    rows = told["rows"]
    return sorted(
        (row["account"], row["type"], ids.get((row["account"], row["type"], row["id"]), row["id"]))
        for row in rows
    )


def test_everything_is_listed_and_nothing_else(call: Call) -> None:
    told = call("list_resources")
    assert [one["message"] for one in told["missing"]] == []
    assert found(told, listed()) == named(listed())
    assert told["total"] == len(listed())
    assert {one["source"] for one in told["rows"]} == {"sandbox"}


def test_names_statuses_tags_and_times_are_as_aws_tells_them(call: Call) -> None:
    rows = {(row["account"], row["type"], row["id"]): row for row in call("list_resources")["rows"]}
    started = datetime.now(UTC)
    for thing in listed():
        row = next(
            rows[key] for name in thing.names if (key := (thing.account, str(thing.type), name)) in rows
        )
        assert row["name"] in aws.names(thing), (thing.group, thing.id)
        assert row["status"] in aws.status(thing), (thing.group, thing.id, row["status_raw"])
        created = aws.created(thing, started)
        told = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        # The sandbox may have started in the hour before.
        assert told in (created, created and created - timedelta(hours=1)), (thing.group, thing.id)
        for field, value in aws.fields(thing).items():
            assert row[field] == value, (thing.group, thing.id, field)


def test_an_instance_has_the_zone_of_its_subnet_and_the_gpus_of_its_type(call: Call) -> None:
    zones = {one.id: one.said["AvailabilityZone"] for one in company.of("aws", "subnet")}
    sizes = {"t3.micro": (2, 1), "t3.large": (2, 8), "m7i.xlarge": (4, 16), "c7g.2xlarge": (8, 16),
             "r7g.large": (2, 16), "g5.xlarge": (4, 16), "p4d.24xlarge": (96, 1152)}  # fmt: skip
    rows = {row["id"]: row for row in call("list_resources", resource_type="instance")["rows"]}
    for thing in listed("instance"):
        row = rows[thing.id]
        if size := sizes.get(thing.told("InstanceType")):
            assert (row["vcpus"], row["ram_gib"]) == size, thing.id
        if thing.told("Placement") is not None or "Placement" not in thing.said.get("without", ()):
            assert row["zone"] == zones[thing.said["SubnetId"]], thing.id
        carried = aws.GPUS.get(thing.told("InstanceType"))
        told = [(one["gpu"], one["count"], one["memory_gib"]) for one in row["gpus"]]
        assert told == ([carried] if carried else []), thing.id
        assert row["spot"] == aws.spot(thing)


QUESTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any], Callable[[Thing], bool]]] = {
    "resources labelled cost-center 4711": (
        (), {"tag": ["cost-center=4711"]}, lambda one: one.tags.get("cost-center") == "4711"),
    "vpcs without a name": (
        ("vpc",), {"resource_type": "vpc", "missing_tag": ["Name"]}, lambda one: "Name" not in one.tags),
    "everything in account sandbox": ((), {"account": ["sandbox"]}, lambda one: one.account == "sandbox"),
    "instances that are stopped": (
        ("instance",), {"resource_type": "instance", "status": ["stopped"]},
        lambda one: aws.status(one) == {"stopped"}),
    "volumes that nobody uses": (
        ("volume",), {"resource_type": "volume", "status": ["unattached"]},
        lambda one: aws.status(one) == {"unattached"}),
    "unattached volumes bigger than 100 GB": (
        ("volume",), {"resource_type": "volume", "status": ["unattached"], "min_size_gb": 101},
        lambda one: aws.status(one) == {"unattached"} and (one.told("Size") or 0) > 100),
    "mysql servers": (
        ("database",), {"resource_type": "database", "engine": ["mysql"]},
        lambda one: str(one.told("Engine")) in ("mysql", "aurora-mysql")),
    "aurora databases": (
        ("database",), {"resource_type": "database", "engine": ["aurora"]},
        lambda one: str(one.told("Engine")).startswith("aurora")),
    "functions on python3.12": (
        ("function",), {"resource_type": "function", "runtime": ["python3.12"]},
        lambda one: one.told("Runtime") == "python3.12"),
    "spot instances": (
        ("instance",), {"resource_type": "instance", "spot": True},
        lambda one: one.said.get("InstanceLifecycle") == "spot"),
    "GPU machines in oregon": (
        ("instance",), {"resource_type": "gpu_instance", "region": ["us-west-2"]},
        # A Trainium counts as a GPU here, as it does among the offers.
        lambda one: one.region == "us-west-2" and one.said["InstanceType"][:2] in ("p4", "p5", "g5", "tr")),
    "machines whose name has web": (
        ("instance",), {"resource_type": "instance", "name_contains": ["web"]},
        lambda one: "web" in one.tags.get("Name", "")),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_a_person_finds(call: Call, question: str) -> None:
    types, arguments, wanted = QUESTIONS[question]
    things = [one for one in listed(*types) if wanted(one)]
    told = call("list_resources", **arguments)
    assert things, "the company should have some"
    assert found(told, things) == named(things)


@pytest.mark.parametrize("by", ["type", "region", "account"])
def test_groups_count_what_a_person_counts(call: Call, by: str) -> None:
    counts: dict[str, int] = {}
    for one in listed():
        group = {"type": one.type, "region": one.region, "account": one.account}[by]
        counts[str(group or "global")] = counts.get(str(group or "global"), 0) + 1
    told = {row["group"]: row["count"] for row in call("list_resources", group_by=[by])["rows"]}
    assert told == counts


def test_a_region_costs_what_its_machines_cost_that_run(call: Call) -> None:
    prices = company.file("aws")["prices"]
    cost: dict[str, float] = {}
    for one in listed("instance"):
        runs = aws.status(one) & {"running", "starting", "stopping"}
        if runs and one.said.get("InstanceLifecycle") != "spot":
            usd = prices.get(one.told("InstanceType"), {}).get(one.region, 0.0)
            cost[str(one.region)] = cost.get(str(one.region), 0.0) + usd
    rows = call("list_resources", resource_type="instance", group_by=["region"])["rows"]
    assert {row["group"]: row["usd_per_hour"] for row in rows} == pytest.approx(cost)


def test_what_idles_below_a_fifth_of_its_cpu_is_found(call: Call) -> None:
    rows = measured(call, metric="cpu", op="lt", value=20, time="24h")
    now = datetime.now(UTC)
    expected = {}
    for thing in company.things("aws"):
        idle = aws.status(thing) & {"stopped", "terminated"} and len(aws.status(thing)) == 1
        value = aws.cpu(thing, now - timedelta(hours=24), now, now)
        if thing.type in MEASURED and not idle and value is not None and value < 20:
            expected[thing.account, thing.type, thing.id] = value
    told = {}
    for row in rows:
        uid = row["uid"].split(":", 4)
        thing = next(one for one in company.things("aws")
                     if (one.account, one.type) == (uid[1], uid[3]) and uid[4] in one.names)  # fmt: skip
        told[thing.account, thing.type, thing.id] = row["value"]
    assert sorted(told) == sorted(expected)
    for key, value in expected.items():
        assert told[key] == pytest.approx(value, abs=0.5), key


def test_a_machine_that_became_idle_is_idle_today_and_was_not_this_week(call: Call) -> None:
    (day,), (week,) = (
        measured(call, metric="cpu", name=["web-prod-4"], agg="avg", time=time) for time in ("24h", "7d")
    )
    assert day["value"] == pytest.approx(18, abs=0.5)
    assert week["value"] == pytest.approx((3 * 18 + 4 * 61) / 7, abs=1)


def test_gpus_are_told_one_by_one(call: Call) -> None:
    if not {"gpu_utilization", "gpu_memory_used"} <= set(FACTS.metrics.get("instance", {})):
        pytest.skip("the connector tells no GPU metrics")
    idle = measured(call, metric="gpu_utilization", op="lt", value=5, time="24h")
    expected = sorted(thing.id for thing, _, series in aws.devices("utilization_gpu") if aws.base(series) < 5)
    assert sorted(row["uid"].split(":", 4)[4] for row in idle) == expected
    full = measured(call, metric="gpu_memory", op="gt", value=95, time="24h")
    shares = [
        (used_of.id, used / total)
        for (used_of, _, used), (_, _, total) in zip(
            aws.devices("memory_used"), aws.devices("memory_total"), strict=True
        )
    ]
    assert sorted(row["uid"].split(":", 4)[4] for row in full) == [
        one for one, share in shares if share > 0.95
    ]


def test_instances_are_as_healthy_as_their_state_and_checks(call: Call) -> None:
    rows = {
        row["uid"].split(":", 4)[4]: row for row in call("check_health", resource_type="instance")["rows"]
    }
    things = listed("instance")
    assert sorted(rows) == sorted(one.id for one in things)
    for thing in things:
        row, status = rows[thing.id], aws.status(thing)
        impaired = "impaired" in thing.said.get("checks", {}).values()
        starting = "initializing" in thing.said.get("checks", {}).values()
        if impaired:
            told = (row["healthy"], row["status"])
            if told == (True, "healthy"):
                pytest.skip("the connector does not tell status checks")
            assert told in ((False, "failing"), (False, "degraded"), (False, "down")), thing.id
        elif status == {"running"} and not starting:
            assert (row["healthy"], row["status"]) == (True, "healthy"), thing.id
        elif status & {"stopped", "terminated"}:
            assert (row["healthy"], row["status"]) == (None, "down"), thing.id
        elif not starting:
            assert row["healthy"] is None, thing.id
