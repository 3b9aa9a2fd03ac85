"""What DigitalOcean's records have in common: times, regions, tags, and what is kept of one.

A tag is one text here; `env:prod` is read as the tag env with the value prod, any other as one without.
Go writes a time that is not known as the year 1. Any field may be missing.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from connectors import base
from connectors.rows import Record, inner

SECRET = re.compile(
    r"key|token|secret|passw|ssh|email|connection|^(uri|users?|envs?|spec|log_destinations)$", re.IGNORECASE
)
"""Names of fields that may hold a secret: a database tells its password in each of its connections and
users, and the spec of an app holds its variables, in the clear unless their owner said otherwise."""


def raw(record: Record) -> str:
    """A record as it is kept beside its row."""
    return base.raw(record, SECRET)


def text(value: Any) -> str | None:
    """A text with something in it."""
    return value.strip() or None if isinstance(value, str) else None


def identity(record: Record, key: str = "id") -> str | None:
    """The id of a record, which is a number for Droplets; None where it is missing."""
    found = record.get(key)
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) and found else None


def moment(value: Any) -> datetime | None:
    """A time in UTC."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if read is None or read.year == 1:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def region(record: Record) -> str | None:
    """The region of a record, which some tell whole and some by its slug alone."""
    return text(inner(record, "region", "slug")) or text(record.get("region"))


def tags(record: Record) -> dict[str, str]:
    """The tags of a record that can bear them; names that come with several values are kept whole."""
    found = texts(record.get("tags"))
    often = Counter(one.partition(":")[0] for one in found)
    parts = [one.partition(":") if often[one.partition(":")[0]] == 1 else (one, "", "") for one in found]
    return {name: value for name, _, value in parts}


def texts(value: Any) -> list[str]:
    """The texts in a list, numbers as text."""
    return [str(one) for one in value if isinstance(one, int | str)] if isinstance(value, list) else []
