"""Pages of a long result: the cursor that names the next one, and the snapshot it is bound to.

A cursor holds how many rows were shown, which question they answer and which reading of the data they came
from; of another question or another reading it is refused, so that joined pages are one list.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudtop.errors import ArgumentError
from cloudtop.models import iso
from mcp_server.result import Rows

SNAPSHOT_S = 7 * 86_400.0
"""`max_age` of every page but the first: what the first page saw is not read again."""

HELD = 8
"""How many half-shown results a process keeps, so that their next pages need no second query."""

_VIEW = ("cursor", "format", "fields", "limit", "max_age")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page starts, and what it continues."""

    offset: int
    question: str
    reading: str


def question(tool: str, values: Mapping[str, Any]) -> str:
    """What is asked, whatever the page, its size and its looks."""
    asked = {name: value for name, value in values.items() if name not in _VIEW and value is not None}
    return _digest([tool, asked])


def reading(found: Rows) -> str:
    """Which reading of the data a result is from: its scopes, when they were read, how many rows matched."""
    oldest: dict[str, str] = {}
    for one in found.sources:
        key, at = f"{one.provider}|{one.account}", iso(one.fetched_at) or ""
        oldest[key] = min(at, oldest.get(key, at))
    return _digest([oldest, found.total, found.shape])


def cursor(place: Place) -> str:
    """The opaque text that `place_of` understands."""
    packed = json.dumps([place.offset, place.question, place.reading], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def place_of(text: str, asked: str) -> Place:
    """Where a cursor points; ArgumentError when it is none, or one of another question."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        offset, about, read = json.loads(packed)
        whole = (
            isinstance(offset, int)
            and 0 < offset <= 10**9
            and isinstance(about, str)
            and isinstance(read, str)
        )
    except (binascii.Error, ValueError, TypeError):
        whole = False
    if not whole:
        raise ArgumentError("cursor", "is not a cursor of cloudtop.", "next_cursor of the page before")
    if about != asked:
        raise ArgumentError(
            "cursor", "belongs to another question.", "the same arguments as on the first page, or no cursor"
        )
    return Place(offset, about, read)


def changed() -> ArgumentError:
    """The refusal of a page whose data were read anew since the first one."""
    return ArgumentError(
        "cursor",
        "the data changed since the first page.",
        "no cursor, which starts the list again",
    )


class HeldPages:
    """Rows that were found and did not fit; the next page takes them from here."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str], tuple[int, Rows]] = OrderedDict()

    def keep(self, place: Place, found: Rows) -> None:
        """Keep `found`, whose first row is row `place.offset` of the whole list."""
        self._rows[(place.question, place.reading)] = (place.offset, found)
        self._rows.move_to_end((place.question, place.reading))
        while len(self._rows) > HELD:
            self._rows.popitem(last=False)

    def rows(self, place: Place) -> tuple[int, Rows] | None:
        """The offset of the first kept row and the kept rows, when they reach the page at `place`."""
        kept = self._rows.get((place.question, place.reading))
        if kept is None or not kept[0] <= place.offset < kept[0] + len(kept[1].rows):
            return None
        return kept


def _digest(content: list[Any]) -> str:
    packed = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return f"{zlib.crc32(packed.encode()):08x}"
