"""What Neon's records mean as rows: projects, branches, computes, databases.

A compute that nobody asks anything of is suspended and starts with the next query: it is stopped and healthy.
A compute unit is one core with 4 GiB. An archived branch lies in cheaper storage and can be queried as
before, only slowly. Branches are annotated (by Vercel, GitHub and other integrations), and these are their
tags; nothing else can be tagged. What Neon does not know it writes as 0, "" or the year 1. Source: the Neon
API v2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.units import positive, whole
from connectors import base
from connectors.rows import Record, inner, told

SECRET = re.compile(f"{base.SECRET.pattern}|pg_?settings|pgbouncer|uri|conn", re.IGNORECASE)
"""Names of fields that tell of a secret: settings of a server may hold passwords of other servers."""
ENGINE = "postgres"
RAM_GIB = 4.0
"""Of one compute unit."""
COMPUTE_STATES = {"init": "starting", "active": "running", "idle": "stopped"}
COMING = {"active": "starting", "idle": "stopping"}
BRANCH_STATES = {"init": "starting", "resetting": "starting", "ready": "available", "archived": "available"}


def project(one: Record) -> Resource:
    """One project."""
    gone = moment(one.get("deleted_at")) is not None
    return Resource(
        id=str(one["id"]),
        type="project",
        name=text(one.get("name")),
        status="terminated" if gone else "available",
        status_raw="deleted" if gone else None,
        region=text(one.get("region_id")),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        engine=ENGINE,
        version=version(one),
        size_bytes=whole(one.get("synthetic_storage_size")),
        details=told(
            organization=text(one.get("org_id")),
            organization_name=text(one.get("org_name")),
            platform=text(one.get("platform_id")),
            last_active_at=written(one.get("compute_last_active_at")),
            history_s=whole(one.get("history_retention_seconds")),
            branch_size_limit_bytes=whole(one.get("branch_logical_size_limit_bytes")) or None,
            min_cu=positive(inner(one, "default_endpoint_settings", "autoscaling_limit_min_cu")),
            max_cu=positive(inner(one, "default_endpoint_settings", "autoscaling_limit_max_cu")),
            allowed_ips=inner(one, "settings", "allowed_ips", "ips"),
            public=opposite(inner(one, "settings", "block_public_connections")),
            logical_replication=inner(one, "settings", "enable_logical_replication"),
            maintenance_at=written(one.get("maintenance_starts_at") or one.get("maintenance_scheduled_for")),
            hipaa=True if moment(one.get("hipaa_enabled_at")) else None,
        ),
        raw=raw(one),
    )


def branch(one: Record, of: Record) -> Resource:
    """One branch of a project."""
    word = text(one.get("current_state"))
    return Resource(
        id=str(one["id"]),
        type="branch",
        name=text(one.get("name")),
        status=branch_status(word, text(one.get("pending_state"))),
        status_raw=word,
        region=text(of.get("region_id")),
        tags=annotated(one),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        size_bytes=whole(one.get("logical_size")),
        details=told(
            **parents(of),
            parent=text(one.get("parent_id")),
            default=one.get("default"),
            protected=one.get("protected"),
            expires_at=written(one.get("expires_at")),
            last_reset_at=written(one.get("last_reset_at")),
            state_since=written(one.get("state_changed_at")),
            schema_only=True if one.get("init_source") == "schema-only" else None,
            restored_from=text(one.get("restored_from")),
        ),
        raw=raw(one),
    )


def compute(one: Record, of: Record) -> Resource:
    """One compute of a branch, which Neon's API calls an endpoint."""
    status, word = compute_state(one)
    most = positive(one.get("autoscaling_limit_max_cu"))
    asleep = status == "stopped" and not one.get("disabled")
    return Resource(
        id=str(one["id"]),
        type="instance",
        name=text(one.get("name")),
        status=status,
        status_raw=word,
        region=text(one.get("region_id")) or text(of.get("region_id")),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        vcpus=most,
        ram_gib=most * RAM_GIB if most else None,
        health="healthy" if asleep else None,
        health_message="Scaled to zero: the next query starts it." if asleep else None,
        details=told(
            **parents(of),
            branch=text(one.get("branch_id")),
            endpoint=text(one.get("host")),
            role=text(one.get("type")),
            min_cu=positive(one.get("autoscaling_limit_min_cu")),
            max_cu=most,
            suspend_after_s=suspend_after_s(one),
            never_suspends=True if one.get("suspend_timeout_seconds") == -1 else None,
            disabled=True if one.get("disabled") else None,
            last_active_at=written(one.get("last_active")),
            started_at=written(one.get("started_at")),
            suspended_at=written(one.get("suspended_at")),
            release=text(one.get("compute_release_version")),
        ),
        raw=raw(one),
    )


def database(one: Record, on: Record, of: Record) -> Resource | None:
    """One database of a branch. Its number need not be its own: a branch begins as a copy of another."""
    name = text(one.get("name")) or text(str(whole(one.get("id")) or ""))
    if name is None:
        return None
    status = branch_status(text(on.get("current_state")), text(on.get("pending_state")))
    return Resource(
        id=f"{on['id']}/{name}",
        type="database",
        name=text(one.get("name")),
        status=status,
        status_raw=text(on.get("current_state")),
        region=text(of.get("region_id")),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        engine=ENGINE,
        version=version(of),
        details=told(
            **parents(of),
            branch=text(on.get("id")),
            branch_name=text(on.get("name")),
            number=whole(one.get("id")),
            owner=text(one.get("owner_name")),
        ),
        raw=raw(one),
    )


def branch_status(word: str | None, coming: str | None) -> str:
    """Our word for how a branch is; one that is about to be made anew cannot be asked meanwhile."""
    known = BRANCH_STATES.get(word or "", "unknown")
    return "starting" if BRANCH_STATES.get(coming or "") == "starting" else known


def compute_state(one: Record) -> tuple[str, str | None]:
    """Our word and Neon's for how a compute is, or for what it is about to be."""
    word, coming = text(one.get("current_state")), text(one.get("pending_state"))
    if coming and coming != word and coming in COMING:
        return COMING[coming], word
    return COMPUTE_STATES.get(word or "", "unknown"), word


def suspend_after_s(one: Record) -> int | None:
    """How long nobody must ask until a compute is suspended; None for the default, and for never."""
    return whole(one.get("suspend_timeout_seconds")) or None


def parents(of: Record) -> dict[str, Any]:
    """Where a thing is, for its details: what metrics are asked by."""
    return {
        "project": text(of.get("id")),
        "project_name": text(of.get("name")),
        "organization": text(of.get("org_id")),
    }


def annotated(one: Record) -> dict[str, str]:
    """What is annotated to a branch, without what may be a secret."""
    found = one.get("annotations")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(value or "") for name, value in pairs if not SECRET.search(str(name))}


def version(of: Record) -> str | None:
    """The major version of Postgres."""
    number = whole(of.get("pg_version"))
    return str(number) if number else None


def text(value: Any) -> str | None:
    """A text with something in it."""
    return value.strip() or None if isinstance(value, str) else None


def opposite(value: Any) -> bool | None:
    """No for yes."""
    return not value if isinstance(value, bool) else None


def moment(value: Any) -> datetime | None:
    """A time in UTC."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None or found.year < 2:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def written(value: Any) -> str | None:
    """A time for details, as Neon wrote it; None for none."""
    return str(value) if moment(value) else None


def raw(record: Record) -> str:
    """A record as it is kept beside its row."""
    return base.raw(record, SECRET)
