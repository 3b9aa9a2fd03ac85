"""What Neon's records mean: a missing field makes something unknown, and loses or invents nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Resource
from connectors import discovery
from connectors import neon_rows as rows

Path = tuple[Any, ...]
TIME = "2026-01-02T03:04:05Z"
OF = {"id": "calm-sea-1", "name": "shop", "region_id": "aws-us-east-2", "pg_version": 17, "org_id": "org-1"}
ON = {"id": "br-1", "name": "main", "current_state": "ready"}
MADE = {"created_at": TIME, "updated_at": TIME}
URI = "postgres://app:canary@ep-1.aws.neon.tech/shop"
SETTINGS = {
    "pg_settings": {"primary_conninfo": URI},
    "autoscaling_limit_max_cu": 2,
    "autoscaling_limit_min_cu": 1,
}
KINDS: Mapping[str, tuple[Callable[[Any], Resource | None], Mapping[str, Any]]] = {
    "projects": (
        rows.project,
        {
            **OF,
            **MADE,
            "org_name": "One",
            "platform_id": "aws",
            "synthetic_storage_size": 1024,
            "compute_last_active_at": TIME,
            "history_retention_seconds": 3600,
            "branch_logical_size_limit_bytes": 10,
            "default_endpoint_settings": SETTINGS,
            "settings": {"allowed_ips": {"ips": ["203.0.113.7"]}, "block_public_connections": True},
            "maintenance_starts_at": TIME,
            "hipaa_enabled_at": TIME,
            "store_passwords": True,
            "connection_uri": URI,
            "owner": {"email": "canary@example.com", "name": "One"},
        },
    ),
    "branches": (
        lambda one: rows.branch(one, OF),
        {
            **MADE,
            "id": "br-1",
            "name": "main",
            "current_state": "ready",
            "state_changed_at": TIME,
            "parent_id": "br-0",
            "logical_size": 2048,
            "default": True,
            "protected": True,
            "expires_at": TIME,
            "last_reset_at": TIME,
            "init_source": "schema-only",
            "restored_from": "snap-1",
            "annotations": {"env": "prod", "deploy_token": "canary"},
        },
    ),
    "computes": (
        lambda one: rows.compute(one, OF),
        {
            **MADE,
            "id": "ep-1",
            "name": "primary",
            "host": "ep-1.aws.neon.tech",
            "branch_id": "br-1",
            "region_id": "aws-us-east-2",
            "autoscaling_limit_min_cu": 0.25,
            "autoscaling_limit_max_cu": 2,
            "type": "read_write",
            "current_state": "active",
            "settings": SETTINGS,
            "suspend_timeout_seconds": 300,
            "last_active": TIME,
            "started_at": TIME,
            "suspended_at": TIME,
            "passwordless_access": True,
            "compute_release_version": "10642",
        },
    ),
    "databases": (
        lambda one: rows.database(one, ON, OF),
        {
            **MADE,
            "id": 834686,
            "name": "shop",
            "branch_id": "br-1",
            "owner_name": "app",
            "password": "canary",
        },
    ),
}
FIELDS = tuple(one.name for one in fields(Resource) if one.name not in ("raw", "details"))
UNKNOWN = (None, (), {}, [], False, "unknown")
SECOND_BEST = {("computes", "region")}
"""Columns that something else tells when the best is missing."""


def row(kind: str, record: Mapping[str, Any]) -> Resource | None:
    return KINDS[kind][0](record)


def columns(found: Resource) -> dict[str, Any]:
    told = {name: getattr(found, name) for name in FIELDS}
    return told | {f"details.{name}": value for name, value in found.details.items()}


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The way to every field at any depth."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield (*above, name)
        yield from paths(inner, (*above, name))


def needed(kind: str, path: Path) -> bool:
    """Whether a record is called by this field."""
    return path in ((("id",), ("name",)) if kind == "databases" else (("id",),))


def without(kind: str, gone: list[Path]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(KINDS[kind][1]))
    for path in gone:
        place: Any = changed
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
    return changed


def test_every_listing_has_a_record_here() -> None:
    assert set(KINDS) == set(discovery.found()["neon"].lists)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_record_makes_a_whole_row(kind: str) -> None:
    made = row(kind, KINDS[kind][1])
    assert made is not None
    assert made.region == "aws-us-east-2"
    assert made.status in ("running", "available")
    assert made.type in discovery.found()["neon"].lists[kind]
    assert json.loads(json.dumps(made.details)) == made.details
    assert None not in made.details.values()
    assert made.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_what_is_missing_is_unknown_and_nothing_else_changes(kind: str, data: st.DataObject) -> None:
    every = [path for path in paths(KINDS[kind][1]) if not needed(kind, path)]
    gone = data.draw(st.lists(st.sampled_from(every), unique=True, max_size=6))
    gone = [path for path in gone if not any(path[: len(other)] == other for other in gone if other != path)]
    whole, less = row(kind, KINDS[kind][1]), row(kind, without(kind, gone))
    assert whole is not None
    assert less is not None, f"without {gone} the record is lost"
    assert (less.id, less.type) == (whole.id, whole.type)
    before, after = columns(whole), columns(less)
    kept = {name for name in after if after[name] != before.get(name) and after[name] not in UNKNOWN}
    assert {(kind, name) for name in kept} <= SECOND_BEST, kept
    assert after["status"] in STATUSES


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_another_kind_than_documented_loses_no_record(kind: str) -> None:
    for path in paths(KINDS[kind][1]):
        if needed(kind, path):
            continue
        for odd in (None, "", 0, -1, "0001-01-01T00:00:00Z", "soon", [], {}, True):
            changed = copy.deepcopy(dict(KINDS[kind][1]))
            place: Any = changed
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = odd
            made = row(kind, changed)
            assert made is not None, (path, odd)
            assert made.status in STATUSES
            json.dumps(made.details)


@pytest.mark.parametrize("kind", KINDS)
def test_no_password_and_no_address_with_one_is_in_any_part_of_a_row(kind: str) -> None:
    assert "canary" in repr(KINDS[kind][1])
    assert "canary" not in repr(row(kind, KINDS[kind][1]))


@pytest.mark.parametrize(
    ("state", "coming", "disabled", "status", "health"),
    [
        ("active", None, False, "running", None),
        ("idle", None, False, "stopped", "healthy"),
        ("idle", None, True, "stopped", None),
        ("idle", "active", False, "starting", None),
        ("active", "idle", False, "stopping", None),
        ("init", None, False, "starting", None),
        ("init", "active", False, "starting", None),
        ("frozen", None, False, "unknown", None),
        (None, None, None, "unknown", None),
    ],
)
def test_a_compute_is_what_its_state_says_and_idle_is_no_outage(
    state: str | None, coming: str | None, disabled: bool | None, status: str, health: str | None
) -> None:
    told = {"id": "ep-1", "current_state": state, "pending_state": coming, "disabled": disabled}
    made = rows.compute(told, OF)
    assert (made.status, made.status_raw, made.health) == (status, state, health)
