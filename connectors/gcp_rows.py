"""What all of Google's records have in common: names that are addresses, labels, times, and what is kept.

Any field may be missing. A record of Compute Engine names its zone, region and type by their whole URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors import base
from connectors.rows import Record

SECRET = re.compile(
    r"(?i:token|secret|passw|rawkey|encryptedkey|email|privatekey|clientkey|sha256)|^metadata$|^env$|"
    r"[eE]nvironmentVariables$|^masterAuth$|^serverCaCert$"
)
"""Names of fields that may hold a secret: the metadata of a machine are scripts and keys, and whoever wrote a
function called its variables as they liked, so none is kept."""


def raw(record: Record) -> str:
    """A record as it is kept beside its row."""
    return base.raw(record, SECRET)


def last(url: Any) -> str | None:
    """The last part of a URL or of a resource's whole name."""
    return str(url).rstrip("/").rpartition("/")[2] or None if url else None


def region_of(record: Record) -> str | None:
    """The region of a record, out of the URL of its region or zone; None for what belongs to none."""
    if record.get("region"):
        return last(record["region"])
    zone = last(record.get("zone"))
    return zone.rpartition("-")[0] if zone else None


def located(place: Any) -> tuple[str | None, str | None]:
    """Region and zone of a location, which may be either: us-central1, us-central1-a."""
    text = str(place or "").lower() or None
    if text and re.search(r"\d-[a-z]$", text):
        return text.rpartition("-")[0], text
    return text, None


def place_in(name: Any) -> str | None:
    """The location in a resource's whole name: projects/…/locations/us-central1/functions/…."""
    found = re.search(r"/locations/([^/]+)/", str(name or ""))
    return found[1] if found else None


def labels(record: Record, key: str = "labels") -> dict[str, str]:
    """The labels of a record; a listing whose records carry them leaves them out where there are none."""
    found = record.get(key)
    if not isinstance(found, Mapping):
        return {}
    return {str(name): str(value or "") for name, value in found.items()}


def moment(value: Any) -> datetime | None:
    """A time in UTC; Google writes them with the offset of its own zone, and up to nanoseconds."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (read.replace(tzinfo=UTC) if read.tzinfo is None else read).astimezone(UTC)
