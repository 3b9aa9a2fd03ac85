"""What all of Oracle's records have in common: tags, times, states, and what of them is kept.

Records are the JSON of the wire, and any field may be missing. Tags are of two kinds: free ones, and defined
ones, whose names stand within a namespace and are told as `namespace.name`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors import base
from connectors.rows import Record

SECRET = re.compile(
    r"token|secret|passw|ssh|email|^(extended)?metadata$|^config$|^environmentVariables$", re.IGNORECASE
)
"""Names of fields that tell of a secret. Metadata holds what a machine runs when it starts, and whoever wrote
it may have put anything in; what Oracle calls a key is mostly the name of one."""

STATES = {
    "PROVISIONING": "starting",
    "CREATING": "starting",
    "STARTING": "starting",
    "RESTORING": "starting",
    "REQUEST_RECEIVED": "starting",
    "IMPORTING": "starting",
    "RUNNING": "running",
    "ACTIVE": "running",
    "AVAILABLE": "running",
    "UPDATING": "running",
    "MOVING": "running",
    "CREATING_IMAGE": "running",
    "EXPORTING": "running",
    "BACKUP_IN_PROGRESS": "running",
    "SCALE_IN_PROGRESS": "running",
    "MAINTENANCE_IN_PROGRESS": "running",
    "AVAILABLE_NEEDS_ATTENTION": "running",
    "NEEDS_ATTENTION": "running",
    "RESTARTING": "starting",
    "STOPPING": "stopping",
    "TERMINATING": "stopping",
    "DELETING": "stopping",
    "STOPPED": "stopped",
    "INACTIVE": "stopped",
    "STANDBY": "stopped",
    "DISABLED": "stopped",
    "UNAVAILABLE": "failed",
    "FAILED": "failed",
    "FAULTY": "failed",
    "TERMINATED": "terminated",
    "DELETED": "terminated",
}
"""The states of a lifecycle, of whatever computes. What is merely there is `available` instead."""
ATTENTION = ("AVAILABLE_NEEDS_ATTENTION", "NEEDS_ATTENTION", "UNAVAILABLE")


def status(one: Record, running: str = "running") -> str:
    """What a resource is by its lifecycle; `running` is what one is called that is in order."""
    found = STATES.get(str(one.get("lifecycleState")), "unknown")
    return running if found == "running" else found


def common(one: Record, running: str = "running") -> dict[str, Any]:
    """The fields of a row that nearly every record tells alike."""
    return {
        "id": one["id"],
        "name": one.get("displayName") or None,
        "status": status(one, running),
        "status_raw": one.get("lifecycleState"),
        "zone": one.get("availabilityDomain"),
        "tags": tags(one),
        "created_at": moment(one.get("timeCreated")),
        "updated_at": moment(one.get("timeUpdated")),
        "health": "degraded" if one.get("lifecycleState") in ATTENTION else None,
        "health_message": one.get("lifecycleDetails") if one.get("lifecycleState") in ATTENTION else None,
        "raw": raw(one),
    }


def raw(record: Record) -> str:
    """A record as it is kept beside its row."""
    return base.raw(record, SECRET)


def tags(record: Record) -> dict[str, str] | None:
    """The tags of a record, free and defined; None where it tells of neither."""
    free, defined = record.get("freeformTags"), record.get("definedTags")
    if free is None and defined is None:
        return None
    found = {str(name): str(value or "") for name, value in (free or {}).items()}
    for space, inside in (defined or {}).items():
        if isinstance(inside, Mapping):
            found |= {f"{space}.{name}": str(value or "") for name, value in inside.items()}
    return found


def merged(one: Record, itself: Any) -> Record:
    """A record of a listing with what the thing itself tells besides."""
    more = itself if isinstance(itself, Mapping) else {}
    return {**one, **{name: value for name, value in more.items() if value is not None}}


def moment(value: str | None) -> datetime | None:
    """A time such as 2026-01-01T00:00:00.000Z in UTC."""
    try:
        made = datetime.fromisoformat(value.strip()) if value else None
    except ValueError:
        return None
    if made is None:
        return None
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)
