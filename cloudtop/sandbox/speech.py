"""How a cloud speaks, as far as the fault layer must know: its errors, and its listings taken apart.

`Speech` is that of a cloud which answers in JSON; one whose services differ has its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudtop.sandbox.faults import Exchange, Reply

Words = Callable[[int, str], bytes]


class Page:
    """An answer of JSON taken apart, to be changed and written anew.

    `at_records` and `at_more` are dotted paths: to the records (a list, or a mapping of them; "." where the
    document is their list), and to what leads to the next page.
    """

    def __init__(self, document: Any, at_records: str = "", at_more: str = "") -> None:
        self.document, self.at_records, self.at_more = document, at_records, at_more

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of a listing, listed or by name."""
        alone = self.at_records == "." and isinstance(self.document, list)
        found = self.document if alone else at(self.document, self.at_records) if self.at_records else None
        rows = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        return [row for row in rows if isinstance(row, dict)]

    @property
    def more(self) -> Any:
        """What leads to the next page, None where nothing does."""
        return at(self.document, self.at_more) if self.at_more else None

    def turn(self, more: Any) -> None:
        """Let something else lead to the next page, on the last one too."""
        *above, last = self.at_more.split(".")
        holder = at(self.document, ".".join(above))
        if isinstance(holder, dict):
            holder[last] = more

    def empty(self) -> None:
        """Take the records out."""
        found = at(self.document, self.at_records)
        put(self.document, self.at_records, {} if isinstance(found, dict) else [])

    def pad(self, size: int) -> None:
        """Make it so many bytes longer: every record gets a field that nobody asked for."""
        rows = [row for row in self.records or [self.document] if isinstance(row, dict)]
        for row in rows:
            row["padding"] = "x" * (size // len(rows))

    def body(self) -> bytes:
        """It as it is sent."""
        return json.dumps(self.document).encode()

    def told(self, reply: Reply) -> Reply:
        """The answer with this page in it."""
        return replace(reply, body=self.body())


class Speech:
    """A cloud that speaks JSON. `listings`: (records, more) by the beginning of a path, where they differ."""

    def __init__(
        self, words: Words, records: str = "", more: str = "", listings: Mapping[str, tuple[str, str]] = {}
    ) -> None:
        self._words, self._usual, self._listings = words, (records, more), listings

    def words(self, exchange: Exchange, status: int, message: str) -> bytes:
        """An error body."""
        return self._words(status, message)

    def what(self, exchange: Exchange) -> str:
        """Which listing a request is about, whatever page of it."""
        path: str = exchange.scope["path"]
        return path

    def page(self, exchange: Exchange, reply: Reply) -> Page | None:
        """An answer taken apart, None for one that is not JSON."""
        if reply.body[:1] not in (b"{", b"["):
            return None
        path = self.what(exchange)
        fitting = [begin for begin in self._listings if path.startswith(begin)]
        paths = self._listings[max(fitting, key=len)] if fitting else self._usual
        return Page(json.loads(reply.body), *paths)


def at(document: Any, path: str) -> Any:
    """What stands at a dotted path of a document, None where nothing does."""
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, dict) else None
    return document


def put(document: Any, path: str, value: Any) -> None:
    """Replace what stands at a dotted path; where there is nothing, nothing is put."""
    *above, last = path.split(".")
    holder = at(document, ".".join(above))
    if isinstance(holder, dict) and last in holder:
        holder[last] = value
