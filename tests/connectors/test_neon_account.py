"""An account of Neon: whose key it is, what is read with it, what is measured, what a key may do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from cloudtop.errors import Forbidden, Invalid, NotFound
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from cloudtop.sandbox.clouds.neon import ACCOUNTS
from cloudtop.sandbox.serve import Sandbox, running
from tests.connectors.sellers import connector_at, serving

ORGANIZATION, LAB, HACKDAYS = (
    "org-brightwater-04715522",
    "org-brightwater-lab-71120934",
    "org-hackdays-20033817",
)
ORDERS = Target("shop-orders-10482233", "shop-orders", {"organization": ORGANIZATION})
MAIN = Target("br-bold-sea-a1c0f3", "main", {"organization": ORGANIZATION, "project": ORDERS.id})
WHO = {
    "ask": "GET /api/v2/auth",
    "body": {"account_id": "org-1", "auth_method": "api_key_org", "auth_data": "ci"},
}
ONE = {
    "ask": "GET /api/v2/projects",
    "body": {"projects": [{"id": "p-1", "region_id": "aws-us-east-2"}], "pagination": {"cursor": "end"}},
}
END = {"ask": "GET /api/v2/projects?cursor=end", "body": {"projects": []}}
GONE = {"status": 404, "body": {"code": "", "message": "not found"}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("neon",)) as made:
        yield made


@pytest.fixture
def neon(sandbox: Sandbox) -> Sandbox:
    sandbox.calm()
    return sandbox


@asynccontextmanager
async def account(neon: Sandbox, home: Path, name: str = "prod", **more: str) -> AsyncIterator[Any]:
    """A connector with the key of one of the sandbox's accounts; its clock is the sandbox's."""
    async with connector_at("neon", neon.endpoint("neon"), {**ACCOUNTS[name], **more}, home) as made:
        made.now = lambda: datetime.now(UTC)
        yield made


async def listed(connector: Any, kind: str) -> list[Any]:
    scope = Scope("neon", "default", kind=kind)
    return [row async for page in getattr(connector, kind)(scope) for row in page]


async def measured(connector: Any, wanted: MetricQuery) -> list[Series]:
    scope = Scope("neon", "default", "aws-eu-central-1", "metrics", "{}")
    return [one async for page in connector.metrics(scope, wanted) for one in page]


def query(
    kind: str, *names: str, targets: tuple[Target, ...], back: timedelta, step_s: int = 3600
) -> MetricQuery:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    return MetricQuery(kind, names, end - back, end, step_s, "sum", targets)


def asked(neon: Sandbox, part: str) -> list[str]:
    return [one.path for one in neon.requests if part in one.path]


async def test_a_persons_key_reads_every_organization_of_the_person(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path, "sandbox") as connector:
        found = await listed(connector, "projects")
    assert {row.details["organization"] for row in found} == {LAB, HACKDAYS}


async def test_an_organization_that_is_named_is_read_alone(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path, "sandbox", org_id=HACKDAYS) as connector:
        found = await listed(connector, "projects")
    assert {row.details["organization"] for row in found} == {HACKDAYS}
    assert asked(neon, "/auth") == []


async def test_whose_key_it_is_is_asked_once_for_many_listings(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path) as connector:
        await listed(connector, "projects")
        await listed(connector, "computes")
    assert len(asked(neon, "/auth")) == 1


async def test_a_page_of_late_projects_alone_is_not_the_last(tmp_path: Path) -> None:
    late = {
        "ask": "GET /api/v2/projects",
        "body": {"projects": [], "unavailable_project_ids": ["p-0"], "pagination": {"cursor": "on"}},
    }
    alone = {"ask": "GET /api/v2/projects/p-0", "body": {"project": {"id": "p-0"}}}
    async with (
        serving([WHO, late, alone, {**ONE, "ask": "GET /api/v2/projects?cursor=on"}, END]) as (endpoint, _),
        connector_at("neon", endpoint, {"api_key": "k"}, tmp_path) as connector,
    ):
        assert [row.id for row in await listed(connector, "projects")] == ["p-0", "p-1"]


async def test_a_key_that_may_not_read_its_organization_is_accepted(neon: Sandbox, tmp_path: Path) -> None:
    neon.fault("neon", "403", path="/api/v2/organizations")
    async with account(neon, tmp_path) as connector:
        rows = [row async for page in connector.health(Scope("neon", "default")) for row in page]
    assert (rows[0].status, rows[0].message) == (
        "healthy",
        f"The key is accepted: an organization's key, of {ORGANIZATION}.",
    )


async def test_a_key_that_belongs_to_no_organization_says_so(tmp_path: Path) -> None:
    who = {"ask": "GET /api/v2/auth", "body": {"account_id": "u", "auth_method": "api_key_user"}}
    none = {"ask": "GET /api/v2/users/me/organizations", "body": {"organizations": []}}
    async with (
        serving([who, none]) as (endpoint, _),
        connector_at("neon", endpoint, {"api_key": "k"}, tmp_path) as connector,
    ):
        with pytest.raises(NotFound) as caught:
            await listed(connector, "projects")
    assert "NEON_ORG_ID" in caught.value.next_step


@pytest.mark.parametrize("kind", ["branches", "computes", "databases"])
async def test_a_project_that_was_deleted_meanwhile_holds_nothing(kind: str, tmp_path: Path) -> None:
    async with (
        serving([WHO, ONE, END, {"ask": "GET /api/v2/projects/p-1", **GONE}]) as (endpoint, _),
        connector_at("neon", endpoint, {"api_key": "k"}, tmp_path) as connector,
    ):
        assert await listed(connector, kind) == []


@pytest.mark.parametrize("kind", ["branches", "computes", "databases"])
async def test_a_list_that_is_not_there_within_a_project_that_is_fails(kind: str, tmp_path: Path) -> None:
    there = {"ask": "GET /api/v2/projects/p-1", "body": {"project": {"id": "p-1"}}}
    async with (
        serving([WHO, ONE, END, there]) as (endpoint, _),
        connector_at("neon", endpoint, {"api_key": "k"}, tmp_path) as connector,
    ):
        with pytest.raises(NotFound):
            await listed(connector, kind)


@pytest.mark.parametrize("suffix", ["", "/", "/api/v2", "/api/v2/"])
async def test_an_endpoint_may_be_named_with_the_root_of_the_api(suffix: str, tmp_path: Path) -> None:
    async with (
        serving([WHO, ONE, END]) as (endpoint, _),
        connector_at("neon", f"{endpoint}{suffix}", {"api_key": "k"}, tmp_path) as connector,
    ):
        assert [row.id for row in await listed(connector, "projects")] == ["p-1"]


async def test_an_error_where_an_answer_should_be_is_no_answer(tmp_path: Path) -> None:
    wrong = {"ask": "GET /api/v2/projects", "body": {"code": "INTERNAL", "message": "odd", "projects": []}}
    async with (
        serving([WHO, wrong]) as (endpoint, _),
        connector_at("neon", endpoint, {"api_key": "k"}, tmp_path) as connector,
    ):
        with pytest.raises(Invalid):
            await listed(connector, "projects")


async def test_nothing_that_holds_a_password_is_ever_asked_for(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path) as connector:
        for kind in connector.facts.lists:
            await listed(connector, kind)
        assert [row async for page in connector.permissions(Scope("neon", "default")) for row in page]
    assert {one.method for one in neon.requests} == {"GET"}
    last = {one.path.rpartition("/")[2] for one in neon.requests}
    assert not last & {"roles", "connection_uri", "reveal_password", "api_keys"}


async def test_the_health_of_an_account_names_its_organizations(neon: Sandbox, tmp_path: Path) -> None:
    said = {}
    for name in ACCOUNTS:
        async with account(neon, tmp_path, name) as connector:
            rows = [row async for page in connector.health(Scope("neon", "default")) for row in page]
        assert [(row.check, row.status) for row in rows] == [("credentials", "healthy"), ("api", "healthy")]
        said[name] = rows[0].message
    assert said == {
        "prod": "The key is accepted: an organization's key, of Brightwater Parcel (plan scale).",
        "sandbox": "The key is accepted: a person's key, of Brightwater Lab (plan free), "
        "Hackdays (plan launch).",
    }


async def test_what_a_key_may_do_is_tried_call_by_call(neon: Sandbox, tmp_path: Path) -> None:
    neon.fault("neon", "403", text="/endpoints")
    async with account(neon, tmp_path) as connector:
        rows = [row async for page in connector.permissions(Scope("neon", "default")) for row in page]
    found = {row.name: (row.healthy, row.status) for row in rows}
    assert found.pop("computes") == (False, "failing")
    assert set(found.values()) == {(True, "healthy")}


async def test_a_free_plan_lacks_the_history_and_nothing_else(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path, "sandbox", org_id=LAB) as connector:
        rows = [row async for page in connector.permissions(Scope("neon", "default")) for row in page]
    found = {row.name: row for row in rows}
    assert (found["metrics"].status, found["projects"].status) == ("degraded", "healthy")
    assert "takes a paid plan" in found["metrics"].message


async def test_where_there_is_no_project_it_is_not_known_what_may_be_read_in_one(tmp_path: Path) -> None:
    nobody = [WHO, {"ask": "GET /api/v2/projects", "body": {"projects": []}}]
    paid = {"ask": "GET /api/v2/consumption_history/v2/projects", "body": {"projects": []}}
    async with (
        serving([*nobody, paid]) as (endpoint, _),
        connector_at("neon", endpoint, {"api_key": "k"}, tmp_path) as connector,
    ):
        rows = [row async for page in connector.permissions(Scope("neon", "default")) for row in page]
    assert {row.name: row.status for row in rows} == {
        "projects": "healthy",
        "branches": "unknown",
        "databases": "unknown",
        "computes": "unknown",
        "metrics": "unknown",
    }


@pytest.mark.parametrize(
    ("back", "step_s", "granularity", "points"),
    [
        (timedelta(minutes=30), 60, "hourly", 1),
        (timedelta(hours=24), 300, "hourly", 24),
        (timedelta(days=6), 3600, "hourly", 144),
        # At its end the week may be over before the question arrives.
        (timedelta(days=7), 3600, "daily", 7),
        (timedelta(days=3), 86_400, "daily", 3),
        (timedelta(days=400), 86_400, "daily", 59),
    ],
)
async def test_history_is_asked_for_as_far_back_as_it_is_kept(
    neon: Sandbox, tmp_path: Path, back: timedelta, step_s: int, granularity: str, points: int
) -> None:
    async with account(neon, tmp_path) as connector:
        wanted = query("project", "compute_time", targets=(ORDERS,), back=back, step_s=step_s)
        (found,) = await measured(connector, wanted)
    sent = [parse_qs(one.query) for one in neon.requests if "consumption" in one.path]
    assert {one["granularity"][0] for one in sent} == {granularity}
    assert len(found.points) == pytest.approx(points, abs=1)
    assert {value for _, value in found.points} == {14400.0 * (24 if granularity == "daily" else 1)}
    assert list(found.points) == sorted(found.points)


async def test_counters_and_history_of_a_branch_come_in_one_reading(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path) as connector:
        names = ("size_bytes", "compute_time", "network_out", "period_transfer")
        found = await measured(connector, query("branch", *names, targets=(MAIN,), back=timedelta(hours=3)))
    last = {one.metric: one.points[-1][1] for one in found}
    assert last == {
        "size_bytes": 257698037760.0,
        "compute_time": 12600.0,
        # Public and private together, by the second.
        "network_out": (64_800_000 + 36_000_000) / 3600,
        "period_transfer": 47244640256.0,
    }
    assert {one.id for one in found} == {MAIN.id}


async def test_more_branches_than_a_page_holds_are_read_to_the_end(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path) as connector:
        rows = await listed(connector, "branches")
        targets = tuple(Target(one.id, one.name, one.details) for one in rows)
        found = await measured(
            connector, query("branch", "compute_time", targets=targets, back=timedelta(hours=2))
        )
    assert len(asked(neon, "/consumption_history/v2/branches")) > 2
    assert len(found) == 8


async def test_a_plan_without_history_costs_no_counter(neon: Sandbox, tmp_path: Path) -> None:
    lab = Target("spring-lab-80215539", "spring-lab", {"organization": LAB})
    async with account(neon, tmp_path, "sandbox") as connector:
        wanted = query("project", "compute_time", "size_bytes", targets=(lab,), back=timedelta(hours=1))
        found = await measured(connector, wanted)
        (note,) = connector.notes
    assert [one.metric for one in found] == ["size_bytes"]
    assert note.code == "not_covered"
    assert "paid plan" in note.message


async def test_projects_that_are_all_gone_are_no_empty_answer(neon: Sandbox, tmp_path: Path) -> None:
    ghost = Target("ghost-1", None, {"organization": ORGANIZATION})
    async with account(neon, tmp_path) as connector:
        with pytest.raises(NotFound):
            await measured(
                connector, query("project", "size_bytes", targets=(ghost,), back=timedelta(hours=1))
            )


async def test_a_refusal_repeats_no_key(neon: Sandbox, tmp_path: Path) -> None:
    neon.fault("neon", "403")
    async with account(neon, tmp_path) as connector:
        with pytest.raises(Forbidden) as caught:
            await listed(connector, "projects")
    assert ACCOUNTS["prod"]["api_key"] not in str(caught.value)


async def test_many_listings_at_once_are_all_answered(neon: Sandbox, tmp_path: Path) -> None:
    async with account(neon, tmp_path) as connector:
        found = await asyncio.gather(*(listed(connector, kind) for kind in connector.facts.lists))
    assert all(found)


def test_nothing_that_asks_is_imported_before_neon_is_asked() -> None:
    code = "import sys, connectors.neon; print('httpx' in sys.modules, 'tenacity' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
