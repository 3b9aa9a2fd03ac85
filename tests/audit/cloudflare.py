"""What the Cloudflare file means as rows, read by a person who knows Cloudflare: none of our code is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

ALIVE = {"running", "available"}
ZONES = {
    "active": ALIVE,
    "pending": {"starting"},
    "initializing": {"starting"},
    "moved": {"failed"},
}
NAMES = ("name", "title", "queue_name")
DATED = {
    "workers": "created_on",
    "models": "created_at",
    "buckets": "creation_date",
    "d1_databases": "created_at",
    "zones": "created_on",
    "pages_projects": "created_on",
    "queues": "created_on",
}
"""The field of a kind that tells when a thing was made."""


def name(thing: Thing) -> str | None:
    """What people call it; a bucket bears its jurisdiction in its id alone."""
    told = [field for field in NAMES if field in thing.said]
    if told:
        value: str | None = thing.told(told[0])
        return value
    return thing.id.removeprefix(f"{thing.said.get('jurisdiction')}_")


def status(thing: Thing) -> set[str]:
    """What its row may be."""
    if thing.group == "zones":
        return ZONES.get(thing.told("status"), {"unknown"})
    if thing.group == "pages_projects" and "canonical_deployment" in thing.said.get("without", ()):
        return {"unknown", "starting"}
    if thing.group == "queues" and (thing.told("settings") or {}).get("delivery_paused"):
        return {"stopped"}
    return ALIVE


def ill(thing: Thing) -> bool:
    """Whether a zone is not served as it could be, or the last build of a site came to nothing."""
    if thing.group == "zones":
        return thing.told("status") in ("moved", "pending") or thing.told("paused") is True
    built = None if "latest_deployment" in thing.said.get("without", ()) else thing.said.get("deploy")
    return built is not None and built[1] in ("failure", "canceled")


def created(thing: Thing, started: datetime) -> datetime | None:
    """When it was made, None where that is not told."""
    age, field = thing.age(), DATED.get(thing.group)
    return (
        company.hour(started) - age if age and field and field not in thing.said.get("without", ()) else None
    )


def stored(thing: Thing) -> int | None:
    """The bytes that are kept in a bucket, a database or a namespace now."""
    told = thing.said.get("metrics", {})
    parts = [told.get(one) for one in ("payloadSize", "metadataSize", "byteCount")]
    now = [one["is"] if isinstance(one, dict) else one for one in parts if one is not None]
    if thing.group == "d1_databases":
        size: Any = thing.told("file_size")
        return int(size) if size is not None else None
    return sum(now) if now else None


def counted(thing: Thing, series: str, start: datetime, end: datetime, started: datetime) -> float | None:
    """How much of something there was within a time; None where nothing was measured."""
    told = thing.said.get("metrics", {}).get(series)
    if told is None:
        return None
    values = [value for _, value in company.samples(told, start, end, timedelta(minutes=1), end, started)]
    return sum(values)
