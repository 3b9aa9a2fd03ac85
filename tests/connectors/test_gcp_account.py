"""A project when not all is well: APIs that are off, places out of reach, permissions, rates."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import (
    CloudError,
    Forbidden,
    Invalid,
    NotConfigured,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from cloudtop.inventory import Resource
from cloudtop.models import Health, Scope, Trouble
from connectors import discovery
from connectors.gcp_errors import refusal
from tests.connectors.sellers import connector_at, serving

pytest.importorskip("google.cloud.compute_v1")

AUTH = {"access_token": "ya29.canary-token", "project_id": "acme"}
FACTS = discovery.found()["gcp"]
DISKS = "GET /compute/v1/projects/acme/aggregated/disks"
SQL = "GET /v1/projects/acme/instances"
TESTED = "POST /v3/projects/acme:testIamPermissions"
ZONE = "https://www.googleapis.com/compute/v1/projects/acme/zones/us-west1-a"


def error(status: int, reason: str, message: str = "no", *, new: bool = True) -> dict[str, Any]:
    """An error as the newer APIs word it, or the older ones."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    told = {"details": [info]} if new else {"errors": [{"reason": reason, "domain": "global"}]}
    return {"error": {"code": status, "message": message, "status": "X", **told}}


def off(api: str = "Cloud SQL Admin API") -> dict[str, Any]:
    message = f"{api} has not been used in project 1234 before or it is disabled."
    return error(403, "SERVICE_DISABLED", message)


@asynccontextmanager
async def asked(
    home: Path, *replies: tuple[str, Any, int], auth: Mapping[str, str] = AUTH
) -> AsyncIterator[tuple[Any, list[str]]]:
    """The connector before a Google that answers so."""
    told = [{"ask": ask, "body": body, "status": status} for ask, body, status in replies]
    async with serving(told) as (endpoint, seen), connector_at("gcp", endpoint, auth, home) as connector:
        yield connector, seen


async def listed(
    home: Path, kind: str, *replies: tuple[str, Any, int]
) -> tuple[list[Resource], list[Trouble], CloudError | None]:
    """What one listing gives: rows, notes, and what it ended with."""
    rows: list[Resource] = []
    async with asked(home, *replies) as (connector, _):
        try:
            async for page in getattr(connector, kind)(Scope("gcp", "default", kind=kind)):
                rows += page
        except CloudError as raised:
            return rows, connector.notes, raised
        return rows, connector.notes, None


@pytest.mark.parametrize(("kind", "ask"), [("volumes", DISKS), ("databases", SQL)])
async def test_an_api_that_is_off_lists_nothing_and_is_noted(kind: str, ask: str, tmp_path: Path) -> None:
    rows, notes, ended = await listed(tmp_path, kind, (ask, off(), 403))
    assert (rows, ended) == ([], None)
    (note,) = notes
    assert (note.severity, note.code) == ("warning", "not_configured")
    assert "has not been used in project 1234" in note.message
    assert "Switch it on" in note.next_step


@pytest.mark.parametrize(("kind", "ask"), [("volumes", DISKS), ("databases", SQL)])
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, error(403, "forbidden", new=False), Forbidden),
        (403, error(403, "IAM_PERMISSION_DENIED"), Forbidden),
        (403, error(403, "rateLimitExceeded", new=False), RateLimited),
        (403, error(403, "RATE_LIMIT_EXCEEDED"), RateLimited),
        (429, error(429, "RESOURCE_EXHAUSTED"), RateLimited),
        (401, error(401, "authError", new=False), Unauthorized),
        (200, error(403, "forbidden"), Invalid),
        (500, error(500, "backendError"), Unavailable),
    ],
)
async def test_a_refusal_is_told_for_what_it_is_by_the_sdk_and_by_rest(
    kind: str, ask: str, status: int, body: Any, expected: type[CloudError], tmp_path: Path
) -> None:
    rows, notes, ended = await listed(tmp_path, kind, (ask, body, status))
    assert type(ended) is expected
    assert (rows, notes) == ([], [])
    assert "canary" not in str(ended)


async def test_a_zone_that_google_cannot_reach_fails_the_listing_after_the_rows_of_the_others(
    tmp_path: Path,
) -> None:
    near = {"disks": [{"id": "1", "name": "a", "zone": ZONE}]}
    far = {"warning": {"code": "UNREACHABLE", "message": "The zone is not reachable."}}
    items = {"zones/us-west1-a": near, "zones/us-west1-b": far}
    rows, _, ended = await listed(tmp_path, "volumes", (DISKS, {"items": items}, 200))
    assert [one.id for one in rows] == ["1"]
    assert isinstance(ended, Unavailable)
    assert "us-west1-b" in ended.message


async def test_places_that_a_page_calls_unreachable_as_a_whole_fail_the_listing_too(tmp_path: Path) -> None:
    body = {"items": {}, "unreachables": ["projects/acme/zones/us-west1-c"]}
    _, _, ended = await listed(tmp_path, "volumes", (DISKS, body, 200))
    assert isinstance(ended, Unavailable)
    assert "us-west1-c" in ended.message


@pytest.mark.parametrize(
    ("kind", "ask", "body", "place"),
    [
        ("functions", "GET /v2/projects/acme/locations/-/functions",
         {"functions": [{"name": "projects/acme/locations/a/functions/f"}],
          "unreachable": ["projects/acme/locations/us-east9"]}, "us-east9"),
        ("clusters", "GET /v1/projects/acme/locations/-/clusters",
         {"clusters": [{"id": "c"}], "missingZones": ["us-east9-b"]}, "us-east9-b"),
        ("databases", SQL,
         {"items": [{"name": "d"}], "warnings": [{"code": "REGION_UNREACHABLE", "region": "us-east9"}]},
         "us-east9"),
    ],
)  # fmt: skip
async def test_other_apis_say_so_in_their_own_words(
    kind: str, ask: str, body: Any, place: str, tmp_path: Path
) -> None:
    rows, _, ended = await listed(tmp_path, kind, (ask, body, 200))
    assert len(rows) == 1
    assert isinstance(ended, Unavailable)
    assert place in ended.message


async def test_a_listing_without_anything_is_empty(tmp_path: Path) -> None:
    assert await listed(tmp_path, "databases", (SQL, {}, 200)) == ([], [], None)
    assert await listed(tmp_path, "volumes", (DISKS, {"kind": "x"}, 200)) == ([], [], None)


async def test_what_google_sends_in_another_form_is_invalid(tmp_path: Path) -> None:
    for kind, ask, body in (
        ("volumes", DISKS, {"items": ["a"]}),
        ("volumes", DISKS, []),
        ("databases", SQL, {"items": {"a": 1}}),
        ("databases", SQL, []),
        ("databases", SQL, None),
    ):
        _, _, ended = await listed(tmp_path, kind, (ask, body, 200))
        assert isinstance(ended, Invalid), (kind, body)


async def test_services_are_listed_where_the_api_of_functions_is_off(tmp_path: Path) -> None:
    name = "projects/acme/locations/a/services/s"
    rows, notes, ended = await listed(
        tmp_path,
        "run_services",
        ("GET /v2/projects/acme/locations/-/services", {"services": [{"name": name}]}, 200),
        ("GET /v2/projects/acme/locations/-/functions", off("Cloud Functions API"), 403),
    )
    assert ([one.id for one in rows], notes, ended) == ([name], [], None)


@pytest.mark.parametrize(
    ("status", "body", "rows", "codes"),
    [
        (403, error(403, "forbidden"), 1, ["forbidden"]),
        (200, {"functions": "x"}, 0, None),
        (500, {}, 0, None),
    ],
)
async def test_a_service_may_be_a_function_unless_functions_could_be_looked_at(
    status: int, body: Any, rows: int, codes: list[str] | None, tmp_path: Path
) -> None:
    services = {"services": [{"name": "projects/acme/locations/a/services/s"}]}
    found, notes, ended = await listed(
        tmp_path,
        "run_services",
        ("GET /v2/projects/acme/locations/-/services", services, 200),
        ("GET /v2/projects/acme/locations/-/functions", body, status),
    )
    assert len(found) == rows
    assert [one.code for one in notes] == (codes or [])
    assert (ended is None) == (codes is not None)


async def test_machines_are_listed_where_their_types_may_not_be_read(tmp_path: Path) -> None:
    one = {"id": "1", "machineType": f"{ZONE}/machineTypes/a2-highgpu-2g", "zone": ZONE}
    rows, notes, ended = await listed(
        tmp_path,
        "instances",
        ("GET /compute/v1/projects/acme/aggregated/instances",
         {"items": {"zones/us-west1-a": {"instances": [one]}}}, 200),
        ("GET /compute/v1/projects/acme/zones/us-west1-a/machineTypes/a2-highgpu-2g",
         error(403, "forbidden", new=False), 403),
    )  # fmt: skip
    assert ended is None
    assert [(row.vcpus, row.gpus[0].gpu, row.gpus[0].count) for row in rows] == [(None, "A100", 2)]
    assert [one.code for one in notes] == ["forbidden"]
    assert notes[0].message.startswith("What some machine types are made of is not known. ")


async def test_only_configured_regions_are_listed_and_what_belongs_to_none(tmp_path: Path) -> None:
    places = {"a": "US-WEST1", "b": "EU", "c": "EUROPE-WEST4", "d": None}
    body = {"items": [{"name": name, "location": place} for name, place in places.items()]}
    async with asked(tmp_path, ("GET /storage/v1/b", body, 200)) as (connector, _):
        connector.settings = replace(connector.settings, regions=("us-west1",))
        pages = connector.buckets(Scope("gcp", "default", kind="buckets"))
        assert [one.id async for page in pages for one in page] == ["a", "b", "d"]


async def permissions(home: Path, *held: str) -> dict[str, Health]:
    """The rows by what they are about, where the identity has these permissions."""
    async with asked(home, (TESTED, {"permissions": list(held)} if held else {}, 200)) as (connector, _):
        scope = Scope("gcp", "default", kind="permissions")
        found = [one async for page in connector.permissions(scope) for one in page]
    return {one.name: one for one in found}


async def test_what_an_identity_may_not_do_is_named_for_each_kind(tmp_path: Path) -> None:
    every = {action for needed in FACTS.needs.values() for action in needed}
    rows = await permissions(tmp_path, *(every - {"cloudsql.instances.list", "compute.machineTypes.get"}))
    ill = {name: (one.status, one.healthy) for name, one in rows.items() if one.status != "healthy"}
    assert ill == {"databases": ("failing", False), "instances": ("degraded", False)}
    assert rows["databases"].message.startswith("Not allowed: cloudsql.instances.list. ")
    assert set(FACTS.lists) <= set(rows)


async def test_an_identity_without_any_permission_is_told_an_empty_object(tmp_path: Path) -> None:
    rows = await permissions(tmp_path)
    assert {one.status for one in rows.values()} == {"failing"}


async def health(home: Path, *replies: tuple[str, Any, int], auth: Mapping[str, str] = AUTH) -> Any:
    async with asked(home, *replies, auth=auth) as (connector, seen):
        found = [
            one async for page in connector.health(Scope("gcp", "default", kind="health")) for one in page
        ]
        return {one.check: one for one in found}, seen


async def test_health_says_which_project_accepts_the_identity(tmp_path: Path) -> None:
    rows, _ = await health(tmp_path, (TESTED, {}, 200))
    assert rows["credentials"].message == "The key is accepted: project acme."
    assert rows["api"].healthy


async def test_a_project_whose_resource_manager_is_off_is_healthy_all_the_same(tmp_path: Path) -> None:
    rows, _ = await health(tmp_path, (TESTED, off("Cloud Resource Manager API"), 403))
    assert rows["credentials"].status == "healthy"
    assert "Resource Manager API is off" in rows["credentials"].message


async def test_an_identity_that_is_not_accepted_is_no_fault_of_the_api(tmp_path: Path) -> None:
    rows, _ = await health(tmp_path, (TESTED, error(401, "authError", new=False), 401))
    assert (rows["credentials"].status, rows["api"].status) == ("failing", "healthy")


SEARCH = "GET /v3/projects:search"


async def test_the_only_project_that_an_identity_sees_is_taken(tmp_path: Path) -> None:
    auth = {"access_token": "t"}
    found = {"projects": [{"projectId": "acme", "state": "ACTIVE"}]}
    rows, seen = await health(tmp_path, (SEARCH, found, 200), (TESTED, {}, 200), auth=auth)
    assert rows["credentials"].message == "The key is accepted: project acme."
    assert len(seen) == 2


@pytest.mark.parametrize("names", [[], ["acme", "other"]])
async def test_of_several_projects_or_none_one_must_be_named(names: list[str], tmp_path: Path) -> None:
    found = {"projects": [{"projectId": one} for one in names]}
    async with asked(tmp_path, (SEARCH, found, 200), auth={"access_token": "t"}) as (connector, _):
        with pytest.raises(NotConfigured) as caught:
            await connector.project("default")
    assert all(one in caught.value.next_step for one in ["project_id", *names])


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant", "error_description": "Token has been expired."}, Unauthorized),
        (400, {"error": "text"}, None),
        (403, {"error": {"message": "Rate Limit Exceeded", "errors": [{"reason": "userRateLimitExceeded"}]}},
         RateLimited),
        (403, {"error": {"message": "rateLimitExceeded: too many requests"}}, RateLimited),
        (403, {"error": {"errors": [{"reason": "dailyLimitExceeded"}, {"reason": 3}], "details": "x"}}, None),
        (404, {"error": {"message": "x"}}, None),
        (403, "text", None),
    ],
)  # fmt: skip
def test_what_a_refusal_means(status: int, body: Any, expected: Any) -> None:
    assert refusal(status, body) is expected
    json.dumps(body)
