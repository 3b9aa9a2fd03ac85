"""Pages of the lists that the protocol knows: tools, resources, templates, prompts.

A cursor holds how many entries were shown and of which list; of a list that has changed since it is refused,
so that joined pages are one list without gaps or repeats.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import Any

from cloudtop.errors import ArgumentError

PAGE = 50
"""Entries on one page: more than cloudtop has tools, so that one request is the rule."""

Entry = dict[str, Any]


def page(entries: Sequence[Entry], cursor: str | None, size: int = PAGE) -> tuple[list[Entry], str | None]:
    """The entries at `cursor` and the cursor of the page after; ArgumentError for one of another list."""
    start = _start(entries, cursor) if cursor is not None else 0
    end = start + size
    after = _cursor(end, entries) if end < len(entries) else None
    return list(entries[start:end]), after


def _start(entries: Sequence[Entry], cursor: str) -> int:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        start, listed = json.loads(packed)
        known = isinstance(start, int) and not isinstance(start, bool) and 0 < start < len(entries)
    except (binascii.Error, ValueError, TypeError):
        raise ArgumentError("cursor", "is not a cursor of this list.", "the nextCursor of a page") from None
    if not known or listed != _digest(entries):
        raise ArgumentError("cursor", "is of a list that has changed.", "no cursor, to list from the start")
    return int(start)


def _cursor(start: int, entries: Sequence[Entry]) -> str:
    packed = json.dumps([start, _digest(entries)], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def _digest(entries: Sequence[Entry]) -> str:
    names = [one.get("uri") or one.get("uriTemplate") or one["name"] for one in entries]
    return f"{zlib.crc32(json.dumps(names).encode()):08x}"
