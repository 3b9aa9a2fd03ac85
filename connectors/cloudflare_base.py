"""How Cloudflare is asked: listings through its SDK, page after page, and its analytics as GraphQL.

An account of the configuration is one of Cloudflare's: the `account_id` that is set, else the only one that
the token sees. Tags are kept apart from the things that bear them, in one listing for each kind.
Imported late, in a thread: connectors.cloudflare_door.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import copy_context
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.errors import CloudError, Forbidden, Invalid, NotConfigured, NotFound
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import whole
from connectors.base import Connector
from connectors.cloudflare_errors import refusal
from connectors.rows import Record, inner

if TYPE_CHECKING:
    from connectors.cloudflare_door import CloudflareDoor

T = TypeVar("T")
PAGE = 50
"""Zones take no more."""
GRAPHQL = "client/v4/graphql"
Ask = Callable[[Any, str], Awaitable[Any]]
"""A call of the SDK for an account's id."""
Tags = Mapping[str, Mapping[str, str]]


class Edge(Connector):
    """Accounts of Cloudflare."""

    _door: CloudflareDoor | None = None

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._known: dict[str, str] = {}
        self._opening = asyncio.Lock()

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """What an error means, where its words say more than the status."""
        return refusal(status, answer)

    async def sdk(self) -> CloudflareDoor:
        """Cloudflare's SDK behind the door; it is imported with the first use, which takes about a second."""
        async with self._opening:
            if self._door is None:
                module = await self._imported()
                self._door = module.CloudflareDoor(self.http)
        return self._door

    async def _imported(self) -> Any:
        from connectors.threads import DaemonThreads

        threads = DaemonThreads(1, f"{self.id}-import")
        try:
            work = threads.submit(copy_context(), import_module, "connectors.cloudflare_door")
            return await asyncio.wrap_future(work)
        except ImportError as error:
            message = f"{self.facts.title} is asked through a package that is not installed ({error.name})."
            raise NotConfigured(message, "Install it: pip install 'cloudtop[cloudflare]'.") from error
        finally:
            await threads.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._door is not None:
            await self._door.aclose()
        await super().aclose()

    async def account_id(self, scope: Scope) -> str:
        """The id of an account: as it is configured, else that of the only one which the token sees."""
        told = self.settings.auth_of(scope.account).get("account_id")
        own = self.http.key(scope.account, "account_id") or told or self._known.get(scope.account)
        if own:
            return str(own)
        door = await self.sdk()
        answer = await door.call(
            scope.account, lambda sdk: sdk.accounts.with_raw_response.list(per_page=PAGE)
        )
        seen = [str(one["id"]) for one in self.records(answer, "result") if one.get("id")]
        if len(seen) != 1:
            what = "several accounts" if seen else "no account"
            message = f"The token of {scope.account} sees {what} of {self.facts.title}."
            raise NotConfigured(message, "Set CLOUDFLARE_ACCOUNT_ID, or account_id in its auth.")
        self._known[scope.account] = seen[0]
        return seen[0]

    async def call(self, scope: Scope, ask: Ask) -> Any:
        """One answer of the REST API, about the scope's account."""
        number, door = await self.account_id(scope), await self.sdk()
        return await door.call(scope.account, lambda sdk: ask(sdk, number))

    async def numbered(self, scope: Scope, ask: Callable[..., Awaitable[Any]]) -> AsyncIterator[list[Record]]:
        """The records of a listing whose pages are numbered, page by page. `ask` also takes the `page`."""
        page, before = 1, None
        while True:
            answer = await self.call(scope, partial(ask, page=page))
            found, info = self.records(answer, "result"), inner(answer, "result_info")
            told = whole(inner(info, "page"))
            if told not in (None, page) or (found and found == before):
                message = f"{self.facts.title} repeats the same page instead of going on."
                raise Invalid(message, "Try again.")
            yield found
            last = whole(inner(info, "total_pages"))
            if (page >= last) if last is not None else not found:
                return
            page, before = page + 1, found

    async def graphql(self, scope: Scope, query: str, **variables: Any) -> Record:
        """What the analytics tell of the scope's account: the datasets of a query, by their names."""
        number = await self.account_id(scope)
        answer = await self.http.json(
            "POST",
            GRAPHQL,
            body={"query": query, "variables": {"accountTag": number, **variables}},
            repeatable=True,
            operation="read analytics",
            account=scope.account,
        )
        accounts = self.records(answer, "data", "viewer", "accounts")
        return accounts[0] if accounts else {}

    async def rows(
        self,
        scope: Scope,
        pages: AsyncIterator[list[Record]],
        row: Callable[[Record], Resource],
        noun: str,
        named_by: str = "id",
    ) -> AsyncIterator[list[Resource]]:
        """The rows of pages of records; one without what names it is counted."""
        nameless = 0
        async for page in pages:
            named = [one for one in page if one.get(named_by)]
            nameless += len(page) - len(named)
            yield [row(one) for one in named]
        self.nameless(scope, nameless, noun)

    async def tags(self, scope: Scope, kind: str) -> Tags | None:
        """The tags of all things of a kind, by id and by name; None where they may not be read."""
        return await self.beside(scope, "Tags", self._tags(scope, kind))

    async def _tags(self, scope: Scope, kind: str) -> Tags:
        found: dict[str, Mapping[str, str]] = {}

        async def ask(cursor: str | None) -> Any:
            more = {"cursor": cursor} if cursor else {}
            return await self.call(
                scope,
                lambda sdk, account: sdk.resource_tagging.with_raw_response.list(
                    account_id=account, type=[kind], **more
                ),
            )

        async for answer in self.paged(ask, lambda one: inner(one, "result_info", "cursors", "after")):
            for one in self.records(answer, "result"):
                told = one.get("tags")
                own = (
                    {str(key): str(value) for key, value in told.items()} if isinstance(told, Mapping) else {}
                )
                found |= {str(one[name]): own for name in ("name", "id") if one.get(name)}
        return found

    async def beside(self, scope: Scope, what: str, asked: Awaitable[T]) -> T | None:
        """Something that a listing can do without: None and a note when it is refused.

        Whatever else goes wrong fails the listing, so that old rows stay.
        """
        try:
            return await asked
        except (Forbidden, NotFound) as error:
            self.note_once(scope, f"{what} not known. {error.message}", error)
            return None
