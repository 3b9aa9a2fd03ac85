"""What every Azure record has in common: how fields, times, places and states become ours.

Resource Manager writes all its records alike: `id`, `name`, `location`, `tags` at the top, what is special
to a kind under `properties`. Ids are paths whose case it does not keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors import base
from connectors.rows import Record, inner

SECRET = re.compile(
    r"key|token|secret|passw|ssh|email|userdata|customdata|appsettings|connectionstring|environmentvariables",
    re.IGNORECASE,
)
"""Names of fields that tell of a secret. Azure also writes the ids of keys there; none of them is missed."""
EVERYWHERE = "global"
PROVISIONING = {
    "Succeeded": "available",
    "Creating": "starting",
    "Accepted": "starting",
    "Provisioning": "starting",
    "Updating": "available",
    "Deleting": "stopping",
    "Failed": "failed",
    "Canceled": "failed",
}
"""What Resource Manager itself did last; of what has no state of its own that is all there is to know."""


def raw(record: Record) -> str:
    """A record as it is kept beside its row."""
    return base.raw(record, SECRET)


def tags(record: Record) -> dict[str, str]:
    """The tags of a record; a record that can bear them and has none does not tell them."""
    found = record.get("tags")
    return (
        {str(name): str(value or "") for name, value in found.items()} if isinstance(found, Mapping) else {}
    )


def prop(record: Record, *path: str) -> Any:
    """What lies at `path` in the properties of a record."""
    return inner(record, "properties", *path)


def text(value: Any) -> str | None:
    """A text with something in it."""
    return value.strip() or None if isinstance(value, str) else None


def region(record: Record) -> str | None:
    """`eastus`, however it is written (`East US`); None for what belongs to no region."""
    where = re.sub(r"\s", "", text(record.get("location")) or "").lower()
    return where if where not in ("", EVERYWHERE) else None


def zone(record: Record) -> str | None:
    """The availability zone with its region, since Azure only numbers them: `eastus-1`."""
    zones = record.get("zones")
    number = zones[0] if isinstance(zones, list) and zones else None
    return "-".join(filter(None, (region(record), str(number)))) if number else None


def group(identity: str) -> str | None:
    """The resource group that an id names."""
    return after(identity, "resourcegroups")


def after(identity: str, word: str) -> str | None:
    """What follows a word in an id: a group, a server, an account; None where the word is not there."""
    parts = identity.split("/")
    lower = [part.lower() for part in parts]
    at = lower.index(word.lower()) + 1 if word.lower() in lower else 0
    return parts[at] if 0 < at < len(parts) else None


def moment(value: Any) -> datetime | None:
    """A time in UTC: 2026-01-01T00:00:00.1234567Z, which is UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def created(record: Record, *path: str) -> datetime | None:
    """When it was made: a field of its own, else what Resource Manager noted of it."""
    own = moment(prop(record, *path)) if path else None
    return own or moment(inner(record, "systemData", "createdAt"))


def state(record: Record, states: Mapping[str, str], *path: str) -> tuple[str, str | None]:
    """Our word and Azure's for how something is, out of a field of its properties."""
    word = text(prop(record, *path))
    return states.get(word or "", "unknown"), word


def failing(record: Record) -> tuple[str | None, str | None]:
    """Health and what is wrong where Azure could not finish the last change of a thing."""
    done = prop(record, "provisioningState")
    return ("degraded", "Its last change failed.") if done == "Failed" else (None, None)


def joined(parts: Iterable[object]) -> str | None:
    """Words in one sentence, each once; None for none."""
    said = dict.fromkeys(str(one).strip().rstrip(".") for one in parts if one)
    return ". ".join(said) + "." if said else None


def common(record: Record) -> dict[str, Any]:
    """The fields that rows of every kind have from the top of their record."""
    health, message = failing(record)
    return {
        "id": record["id"],
        "name": text(record.get("name")),
        "region": region(record),
        "zone": zone(record),
        "tags": tags(record),
        "updated_at": moment(inner(record, "systemData", "lastModifiedAt")),
        "health": health,
        "health_message": message,
        "raw": raw(record),
    }


def places(record: Record) -> dict[str, Any]:
    """Where a thing is, for its details: what Monitor is asked by, its subscription and its group."""
    own = str(record["id"])
    return {
        "location": region(record),
        "subscription_id": after(own, "subscriptions"),
        "resource_group": group(own),
    }
