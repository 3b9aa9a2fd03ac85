"""What the Neon file means as rows, read by a person who knows Neon: none of cloudtop's code is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

STATES = {
    "computes": {"active": "running", "idle": "stopped", "init": "starting"},
    "branches": {"ready": "available", "archived": "available", "init": "starting", "resetting": "starting"},
}
FIELDS = {
    "projects": {"size_bytes": "synthetic_storage_size"},
    "branches": {"size_bytes": "logical_size"},
}
"""Fields of a row that are fields of the file under another name."""


def status(thing: Thing) -> str:
    """What its row is."""
    if thing.group == "projects":
        return "available"
    if thing.group == "databases":
        return status(branch(thing))
    coming = thing.said.get("pending_state")
    if thing.group == "computes" and coming:
        return {"active": "starting", "idle": "stopping"}[coming]
    # A branch that is made is not there yet, whatever it will be.
    return STATES[thing.group][thing.said["current_state"]]


def branch(database: Thing) -> Thing:
    """The branch that a database is on."""
    return next(one for one in company.things("neon") if one.id == database.said["branch"])


def project(thing: Thing) -> Thing:
    """The project that something is in."""
    if thing.group == "databases":
        return project(branch(thing))
    return next(one for one in company.things("neon") if one.id == thing.said.get("project", thing.id))


def plan(thing: Thing) -> str:
    """The plan of the organization that it belongs to."""
    organizations = company.file("neon")["accounts"][thing.account]["organizations"]
    return str(organizations[project(thing).said["organization"]]["plan"])


def fields(thing: Thing) -> dict[str, Any]:
    """Fields of its row that the file tells."""
    told: dict[str, Any] = {name: thing.told(field) for name, field in FIELDS.get(thing.group, {}).items()}
    if thing.group in ("projects", "databases"):
        number = project(thing).said["pg_version"]
        told |= {"engine": "postgres", "version": str(number) if number else None}
    if thing.group == "computes":
        most = thing.said["autoscaling_limit_max_cu"]
        told |= {"vcpus": most or None, "ram_gib": 4 * most or None}
    return told


def created(thing: Thing, started: datetime) -> datetime | None:
    """When Neon says it was created."""
    age = thing.age()
    return company.hour(started) - age if age else None


def consumed(thing: Thing, names: tuple[str, ...], hours: int, now: datetime) -> float | None:
    """What was consumed in the last whole hours; None where Neon tells nothing."""
    every = [thing.said["metrics"][name] for name in names if name in thing.said.get("metrics", {})]
    if not every or plan(thing) == "free":
        return None
    end = company.hour(now)
    step = timedelta(hours=1)
    return sum(
        value
        for series in every
        for _, value in company.samples(series, end - hours * step, end, step, now, now)
    )
