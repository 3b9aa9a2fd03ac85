"""The company's things as Neon writes them. What is not known is 0, "" or the year 1, as Go writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record, length

NOBODY = "0001-01-01T00:00:00Z"
"""The time that Go writes for none."""
TIMES = {
    "active": "last_active",
    "started": "started_at",
    "suspended": "suspended_at",
    "expires": "expires_at",
    "reset": "last_reset_at",
    "used": "compute_last_active_at",
    "maintenance": "maintenance_starts_at",
}
"""Keys of the fleet file that are ages, and the fields that are their times."""
OURS = ("project", "branch", "organization", "late", *TIMES)
IN_A_LIST = ("active_time_seconds", "compute_time_seconds", "written_data_bytes", "data_transfer_bytes",
             "data_storage_bytes_hour")  # fmt: skip
"""Counters that the record of a project has and its listing has not."""


def record(fleet: Fleet, one: Record) -> dict[str, Any]:
    """A thing as Neon tells it, its ages as times."""
    made: dict[str, Any] = {"id": one.id}
    made |= {name: value for name, value in one.own.items() if name not in OURS}
    if "project" in one.own:
        made["project_id"] = one.own["project"]
    made |= {TIMES[name]: _at(fleet, text) for name, text in one.own.items() if name in TIMES}
    created = f"{one.created:%Y-%m-%dT%H:%M:%SZ}" if one.created else NOBODY
    made |= {"created_at": created, "updated_at": made.get("updated_at", created)}
    if "current_state" in made and one.group == "branches":
        made["state_changed_at"] = created
    return {name: value for name, value in made.items() if name not in one.without}


def project_record(fleet: Fleet, one: Record, now: datetime, *, listed: bool) -> dict[str, Any]:
    """A project; its listing has fewer counters than its record."""
    made = {**record(fleet, one), "region_id": one.region, "org_id": one.own["organization"]}
    if listed:
        made["active_time"] = made["active_time_seconds"]
        return {name: value for name, value in made.items() if name not in IN_A_LIST}
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made |= {"consumption_period_start": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "consumption_period_end": NOBODY}
    made["owner"] = {
        "email": f"{one.own['name'] or 'nobody'}-canary@brightwater.example",
        "name": "Brightwater Parcel",
        "branches_limit": 5000,
        "subscription_type": "scale_v3",
    }
    return made


def database_record(fleet: Fleet, one: Record) -> dict[str, Any]:
    """A database; a copy of another has that one's number."""
    made = record(fleet, one)
    number = made.pop("number")
    return {**made, "id": number, "branch_id": one.own["branch"]}


def _at(fleet: Fleet, age: str) -> str:
    """When something happened, or will happen where a plus stands before its length."""
    span = length(age.removeprefix("+"))
    return f"{fleet.started + (span if age.startswith('+') else -span):%Y-%m-%dT%H:%M:%SZ}"
