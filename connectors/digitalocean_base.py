"""How DigitalOcean is listed: pages of up to 200 records, each with a link to the next.

Some listings have no pages at all (databases, namespaces of Functions). One that tells fewer records than
its total and no link was cut short. A token may be limited to scopes such as `droplet:read`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from cloudtop.errors import CloudError, Invalid
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import number
from connectors.base import Connector
from connectors.rows import Record, inner

PAGE = 200
"""The most that one page may hold."""
Row = Callable[[Record], Resource | None]


class Listing(NamedTuple):
    """Where a listing is asked for, the key of its records, how one is called, and what goes along."""

    path: str
    key: str
    noun: str
    paged: bool = True
    params: tuple[tuple[str, str], ...] = ()

    def first(self, size: int = PAGE) -> dict[str, str]:
        """The parameters of its first page."""
        pages = {"page": "1", "per_page": str(size)} if self.paged else {}
        return {**pages, **dict(self.params)}


SIZES = Listing("/v2/sizes", "sizes", "size")


class Ocean(Connector):
    """An account of DigitalOcean."""

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """An error's id and message where an answer should be."""
        wrong = status < 300 and isinstance(answer, Mapping) and "id" in answer and "message" in answer
        return Invalid if wrong else None

    async def pages(self, scope: Scope, listing: Listing) -> AsyncIterator[list[Record]]:
        """The records of a listing, page by page."""

        async def ask(link: str | None) -> Any:
            return await self.http.json(
                "GET",
                link or listing.path,
                params=None if link else listing.first(),
                operation=f"list {listing.key}",
                account=scope.account,
            )

        read = 0
        async for answer in self.paged(ask, next_page):
            found = self.records(answer, listing.key)
            read += len(found)
            self._refuse_cut_short(answer, read, listing)
            yield found

    async def listed(self, scope: Scope, listing: Listing, row: Row) -> AsyncIterator[list[Resource]]:
        """The rows of a listing: `row` of every record, None for one without an id."""
        nameless = 0
        async for page in self.pages(scope, listing):
            made = [row(one) for one in page]
            rows = [one for one in made if one is not None]
            nameless += len(made) - len(rows)
            yield self.wanted(scope, rows)
        self.nameless(scope, nameless, listing.noun)

    def wanted(self, scope: Scope, rows: list[Resource]) -> list[Resource]:
        """Those in the regions that are configured, or in none."""
        own = next((one.regions for one in self.settings.accounts if one.name == scope.account), ())
        regions = own or self.settings.regions
        return [one for one in rows if not regions or one.region is None or one.region in regions]

    def _refuse_cut_short(self, answer: Any, read: int, listing: Listing) -> None:
        """Without `links` nothing proves the end; the total then tells whether something is missing."""
        total = number(inner(answer, "meta", "total"))
        if not isinstance(answer.get("links"), Mapping) and total and total > read:
            message = (
                f"{self.facts.title} gave {read} of {total:.0f} {listing.key} and no link to the others."
            )
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")


def next_page(answer: Any) -> str | None:
    """The address of the page after this one."""
    found = inner(answer, "links", "pages", "next")
    return found if isinstance(found, str) else None
