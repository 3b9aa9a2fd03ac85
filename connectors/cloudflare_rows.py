"""What Cloudflare's records mean. Any field of them may be missing; some are null where others are left out.

Nothing here has a region but R2's buckets, which lie where Cloudflare put them. What merely exists is
`available`; Cloudflare says more of zones, and of the last deployment of a Pages project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.units import gib_from_bytes, whole
from connectors import base
from connectors.rows import Record, inner, told

SECRET = re.compile(r"key|token|secret|passw|ssh|email|env_vars|bindings", re.IGNORECASE)
"""Names of fields that tell of a secret. Variables of a project stand in `env_vars`, plain ones too."""
ZONE_STATES = {"active": "available", "initializing": "starting", "pending": "starting", "moved": "failed"}
BUILT = {"failure": "failing", "canceled": "degraded"}
BACKLOG = "_backlog"
"""Where what waits in a queue stands beside its record."""
Tags = Mapping[str, Mapping[str, str]]


def tagged(tags: Tags | None, *names: Any) -> Mapping[str, str] | None:
    """The tags of a thing by whatever names it, {} for none; None where tags are not known."""
    if tags is None:
        return None
    return next((tags[one] for one in names if one in tags), {})


def moment(value: Any) -> datetime | None:
    """A time in UTC: 2026-01-01T00:00:00.123456Z."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def text(value: Any) -> str | None:
    """A text with something in it."""
    return value.strip() or None if isinstance(value, str) else None


def worker(one: Record, tags: Tags | None) -> Resource:
    """One Worker; its name is what Cloudflare knows it by."""
    changed = moment(one.get("modified_on"))
    return Resource(
        id=str(one["id"]),
        type="function",
        name=text(one.get("id")),
        status="available",
        tags=tagged(tags, one.get("tag"), one["id"]),
        created_at=moment(one.get("created_on")),
        updated_at=changed,
        last_modified=changed,
        details=told(
            service="worker",
            usage_model=text(one.get("usage_model")),
            compatibility_date=text(one.get("compatibility_date")),
            handlers=one.get("handlers"),
            deployed_from=text(one.get("last_deployed_from")),
            logpush=one.get("logpush"),
            placement=text(one.get("placement_mode")),
        ),
        raw=base.raw(one, SECRET),
    )


def model(one: Record) -> Resource:
    """One model of Workers AI; a name is what it is run by."""
    about = one.get("properties")
    properties = about if isinstance(about, list) else []
    window = next(
        (inner(each, "value") for each in properties if inner(each, "property_id") == "context_window"), None
    )
    return Resource(
        id=str(one["name"]),
        type="model",
        name=text(one.get("name")),
        status="available",
        created_at=moment(one.get("created_at")),
        details=told(service="ai", task=text(inner(one, "task", "name")), context_window=window),
        raw=base.raw(one, SECRET),
    )


def bucket(one: Record, tags: Tags | None, storage: Mapping[str, Record] | None) -> Resource:
    """One R2 bucket. Its id is what the analytics call it: in front of the name stands its jurisdiction."""
    jurisdiction, name = text(one.get("jurisdiction")), str(one["name"])
    identity = name if jurisdiction in (None, "default") else f"{jurisdiction}_{name}"
    kept = (storage or {}).get(identity, {})
    sizes = [whole(kept.get(part)) for part in ("payloadSize", "metadataSize")]
    return Resource(
        id=identity,
        type="bucket",
        name=name,
        status="available",
        region=(text(one.get("location")) or "").lower() or None,
        tags=tagged(tags, identity, name),
        created_at=moment(one.get("creation_date")),
        size_bytes=sum(part or 0 for part in sizes) if sizes[0] is not None else None,
        object_count=whole(kept.get("objectCount")),
        storage_class=text(one.get("storage_class")),
        details=told(service="r2", jurisdiction=jurisdiction),
        raw=base.raw(one, SECRET),
    )


def d1_database(one: Record, tags: Tags | None) -> Resource:
    """One D1 database, with its size where it was asked for by itself."""
    return Resource(
        id=str(one["uuid"]),
        type="database",
        name=text(one.get("name")),
        status="available",
        tags=tagged(tags, one["uuid"], one.get("name")),
        created_at=moment(one.get("created_at")),
        engine="sqlite",
        version=text(one.get("version")),
        size_gb=gib_from_bytes(one.get("file_size")),
        details=told(
            service="d1",
            jurisdiction=text(one.get("jurisdiction")),
            read_replication=text(inner(one, "read_replication", "mode")),
            size_bytes=whole(one.get("file_size")),
        ),
        raw=base.raw(one, SECRET),
    )


def namespace(one: Record, tags: Tags | None, storage: Mapping[str, Record] | None) -> Resource:
    """One namespace of Workers KV."""
    kept = (storage or {}).get(str(one["id"]), {})
    return Resource(
        id=str(one["id"]),
        type="database",
        name=text(one.get("title")),
        status="available",
        tags=tagged(tags, one["id"], one.get("title")),
        size_gb=gib_from_bytes(kept.get("byteCount")),
        details=told(
            service="kv",
            jurisdiction=text(one.get("jurisdiction")),
            keys=whole(kept.get("keyCount")),
            size_bytes=whole(kept.get("byteCount")),
        ),
        raw=base.raw(one, SECRET),
    )


def zone(one: Record, tags: Tags | None) -> Resource:
    """One zone."""
    word = text(one.get("status"))
    health, message = None, None
    if word == "moved":
        health, message = "failing", "Its domain no longer points to Cloudflare's name servers."
    elif word == "pending":
        health, message = "degraded", "Its domain does not point to Cloudflare's name servers yet."
    elif one.get("paused") is True:
        health, message = "degraded", "Cloudflare is paused for it: it only answers for its names."
    return Resource(
        id=str(one["id"]),
        type="zone",
        name=text(one.get("name")),
        status=ZONE_STATES.get(word or "", "unknown"),
        status_raw=word,
        tags=tagged(tags, one["id"], one.get("name")),
        created_at=moment(one.get("created_on")),
        updated_at=moment(one.get("modified_on")),
        health=health,
        health_message=message,
        details=told(
            plan=text(inner(one, "plan", "name")),
            kind=text(one.get("type")),
            paused=one.get("paused"),
            name_servers=one.get("name_servers"),
        ),
        raw=base.raw(one, SECRET),
    )


def project(one: Record, tags: Tags | None) -> Resource:
    """One Pages project; it is known by its name."""
    stage = inner(one, "latest_deployment", "latest_stage")
    word, at = text(inner(stage, "status")), text(inner(stage, "name"))
    changed = moment(inner(one, "latest_deployment", "modified_on"))
    health = BUILT.get(word or "")
    ended = {"failure": "failed", "canceled": "was canceled"}.get(word or "")
    return Resource(
        id=str(one["name"]),
        type="app",
        name=text(one.get("name")),
        status="available" if one.get("canonical_deployment") else "unknown" if word is None else "starting",
        status_raw=word,
        tags=tagged(tags, one.get("id"), one["name"]),
        created_at=moment(one.get("created_on")),
        updated_at=changed,
        last_modified=changed,
        runtime=text(one.get("framework")),
        health=health,
        health_message=f"Its last deployment {ended}{f' at the stage {at}' if at else ''}."
        if ended
        else None,
        details=told(
            service="pages",
            subdomain=text(one.get("subdomain")),
            domains=one.get("domains"),
            branch=text(one.get("production_branch")),
            uses_functions=one.get("uses_functions"),
        ),
        raw=base.raw(one, SECRET),
    )


def message_queue(one: Record, tags: Tags | None) -> Resource:
    """One queue, with its backlog where it was asked for by itself."""
    paused = inner(one, "settings", "delivery_paused")
    return Resource(
        id=str(one["queue_id"]),
        type="queue",
        name=text(one.get("queue_name")),
        status="stopped" if paused is True else "available",
        tags=tagged(tags, one["queue_id"], one.get("queue_name")),
        created_at=moment(one.get("created_on")),
        updated_at=moment(one.get("modified_on")),
        details=told(
            service="queue",
            jurisdiction=text(one.get("jurisdiction")),
            consumers=whole(one.get("consumers_total_count")),
            producers=whole(one.get("producers_total_count")),
            backlog_count=whole(inner(one, BACKLOG, "backlog_count")),
            backlog_bytes=whole(inner(one, BACKLOG, "backlog_bytes")),
        ),
        raw=base.raw(one, SECRET),
    )
