"""Oracle to the fault layer: the next page of a listing is named by a header, not in the answer itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudtop.sandbox.speech import Page, Speech

if TYPE_CHECKING:
    from cloudtop.sandbox.faults import Exchange, Reply

NEXT_PAGE = "opc-next-page"
PARTS = 5
"""A tenancy is listed compartment by compartment: so many answers make what is one page elsewhere."""


class OracleSpeech(Speech):
    """Listings are lists, or hold their `items`; pages are told by a header."""

    def what(self, exchange: Exchange) -> str:
        """The path and for which compartment, whatever page of it."""
        query = exchange.scope["query_string"].decode()
        asked = [part for part in query.split("&") if not part.startswith("page=")]
        return f"{exchange.scope['path']}?{'&'.join(asked)}"

    def page(self, exchange: Exchange, reply: Reply) -> Page | None:
        """An answer taken apart; an error is none."""
        page = super().page(exchange, reply)
        return OraclePage(page.document, dict(reply.headers).get(NEXT_PAGE)) if page else None


class OraclePage(Page):
    """One page, and the token of the next."""

    def __init__(self, document: Any, token: str | None) -> None:
        super().__init__(document, "." if isinstance(document, list) else "items")
        self._token = token

    @property
    def more(self) -> Any:
        """The token of the next page."""
        return self._token

    def turn(self, more: Any) -> None:
        """Let another token lead on, on the last page too."""
        self._token = more

    def empty(self) -> None:
        """Take the records out."""
        if isinstance(self.document, list):
            self.document.clear()
        else:
            super().empty()

    def pad(self, size: int) -> None:
        """Make a listing longer, which comes in parts; what tells of one thing alone is no page."""
        if self.records:
            super().pad(size // PARTS)

    def told(self, reply: Reply) -> Reply:
        """The answer with this page in it."""
        kept = [(name, value) for name, value in reply.headers if name != NEXT_PAGE]
        more = [(NEXT_PAGE, self._token)] if self._token else []
        return replace(reply, body=self.body(), headers=(*kept, *more))
