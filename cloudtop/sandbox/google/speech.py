"""Google to the fault layer: its listings taken apart, those of all zones at once too."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cloudtop.sandbox.google.server import listing_of
from cloudtop.sandbox.speech import Page, Speech

if TYPE_CHECKING:
    from cloudtop.sandbox.faults import Exchange, Reply

MORE = "nextPageToken"


class Listed(Page):
    """A page of a listing; the last one has no token at all."""

    def turn(self, more: Any) -> None:
        """Let something lead to a next page."""
        self.document[MORE] = more


class Scoped(Listed):
    """A page whose records stand under their zones and regions."""

    def __init__(self, document: Any, key: str) -> None:
        super().__init__(document, "items", MORE)
        self._key = key

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all scopes."""
        parts = self.document.get("items", {}).values()
        return [record for part in parts for record in part.get(self._key, ())]

    def empty(self) -> None:
        """Take the records out."""
        for part in self.document["items"].values():
            part.pop(self._key, None)


class GoogleSpeech(Speech):
    """Google's APIs, each with its own key for what it lists."""

    def page(self, exchange: Exchange, reply: Reply) -> Page | None:
        """An answer taken apart."""
        path = re.sub(r"/projects/[^/:]+", "", self.what(exchange), count=1)
        listing = listing_of(path)
        if path == "/v3/timeSeries" and reply.status < 300:
            return Listed(json.loads(reply.body), "timeSeries", MORE)
        if listing is None or reply.status >= 300 or reply.body[:1] != b"{":
            return super().page(exchange, reply)
        document = json.loads(reply.body)
        return Scoped(document, listing.key) if listing.scoped else Listed(document, listing.key, MORE)
