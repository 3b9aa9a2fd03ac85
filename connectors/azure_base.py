"""How Azure is listed: Resource Manager, one subscription after another, page after page.

An account is a key; its subscription is configured, or all that the key sees are read. Compute goes through
Microsoft's SDK, all else is a GET and the link to its next page, with a token that the SDK got. Both pass
the one door. A subscription that never used a service has nothing of it, and says so with an error; that is
remarked and no failure. One that refuses leaves what is known of it as it was: that is remarked, and the
others are told. What a listing is only enriched with may be refused by itself.
Imported late, in a thread: connectors.azure_door.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from contextvars import copy_context
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop import net
from cloudtop.errors import CloudError, Forbidden, NotConfigured, NotFound
from cloudtop.inventory import Resource, Unread
from cloudtop.models import Scope
from connectors.azure_errors import UNREGISTERED, refusal
from connectors.base import Connector
from connectors.rows import Record

if TYPE_CHECKING:
    from connectors.azure_door import AzureDoor

T = TypeVar("T")
ARM = "https://management.azure.com"
SUBSCRIPTIONS = "2022-12-01"
"""The version of the API that lists subscriptions."""
KNOWN_FOR = timedelta(hours=1)
"""Nobody gets a new subscription every day."""
AT_ONCE = 8

Row = Callable[[Record], Resource | None]


class Microsoft(Connector):
    """Subscriptions of Azure, asked through Resource Manager."""

    _door: AzureDoor | None = None

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._known: dict[str, tuple[datetime, list[str]]] = {}
        self._opening = asyncio.Lock()

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """What an error means, where its code says more than the status."""
        return refusal(status, answer)

    async def sdk(self) -> AzureDoor:
        """Microsoft's SDK behind the door; it is imported with the first use, which takes a second or two."""
        async with self._opening:
            if self._door is None:
                module = await self._imported()
                self._door = module.AzureDoor(self.facts, self.settings, self.http)
        return self._door

    async def _imported(self) -> Any:
        from connectors.threads import DaemonThreads

        threads = DaemonThreads(1, f"{self.id}-import")
        try:
            work = threads.submit(copy_context(), import_module, "connectors.azure_door")
            return await asyncio.wrap_future(work)
        except ImportError as error:
            message = f"{self.facts.title} is asked through packages that are not installed ({error.name})."
            raise NotConfigured(message, "Install them: pip install 'cloudtop[azure]'.") from error
        finally:
            await threads.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await super().aclose()
        if self._door is not None:
            await self._door.aclose()

    async def call(
        self,
        scope: Scope,
        path: str,
        version: str | None = None,
        *,
        method: str = "GET",
        audience: str = ARM,
        operation: str | None = None,
        **more: Any,
    ) -> Any:
        """One answer of Resource Manager, or of whatever takes a token for `audience`.

        `version` is that of the API; a link to a next page holds its own. `more`: what `Http.json` takes.
        """
        door = await self.sdk()
        token = await door.token(scope.account, audience)
        path = placed(path, self.settings.endpoint_of(scope.account), self.facts.hosts)
        params = {**({"api-version": version} if version else {}), **more.pop("params", {})}
        return await self.http.json(
            method,
            path,
            params=params or None,
            headers={"Authorization": f"Bearer {token}"},
            operation=operation or f"list {scope.kind}",
            account=scope.account,
            base="arm",
            **more,
        )

    async def pages(self, scope: Scope, path: str, version: str, **more: Any) -> AsyncIterator[list[Record]]:
        """The records of a listing, page by page."""

        async def ask(link: str | None) -> Any:
            return await (self.call(scope, link) if link else self.call(scope, path, version, **more))

        async for answer in self.paged(ask, lambda one: one.get("nextLink")):
            yield self.records(answer, "value")

    async def whole(self, scope: Scope, path: str, version: str) -> list[Record]:
        """All records of a listing."""
        return [one async for page in self.pages(scope, path, version) for one in page]

    async def subscriptions(self, scope: Scope) -> list[str]:
        """The subscription that is configured for an account, else all that its key sees and may use."""
        own = (await self.sdk()).keys(scope.account).get("subscription_id")
        if own:
            return [own]
        at, known = self._known.get(scope.account, (None, []))
        if at is None or self.now() - at > KNOWN_FOR:
            found = await self.whole(scope, "/subscriptions", SUBSCRIPTIONS)
            known = [
                one["subscriptionId"]
                for one in found
                if one.get("subscriptionId") and one.get("state") not in ("Disabled", "Deleted")
            ]
            if not known:
                message = f"The key of {scope.account} sees no subscription of {self.facts.title}."
                raise NotFound(message, "Give it the role Reader in a subscription.")
            self._known[scope.account] = self.now(), known
        return known

    async def listed(
        self, scope: Scope, kind: str, version: str, row: Row, noun: str
    ) -> AsyncIterator[list[Resource]]:
        """The rows of a kind of resource (`Microsoft.Network/loadBalancers`), None for one without an id."""

        async def pages(subscription: str) -> AsyncIterator[list[Record]]:
            path = f"/subscriptions/{subscription}/providers/{kind}"
            async for page in self.pages(scope, path, version):
                yield page

        async for rows in self.rows(scope, pages, row, noun):
            yield rows

    async def rows(
        self, scope: Scope, pages: Callable[[str], AsyncIterator[Sequence[Record]]], row: Row, noun: str
    ) -> AsyncIterator[list[Resource]]:
        """The rows of what `pages` gives of each subscription. Forbidden where all of them refuse."""
        nameless, every = 0, await self.subscriptions(scope)
        refused: list[tuple[str, Forbidden]] = []
        for subscription in every:
            try:
                async for page in pages(subscription):
                    named = [one for one in page if one.get("id")]
                    nameless += len(page) - len(named)
                    yield [made for one in named if (made := row(one)) is not None]
            except NotFound as error:
                if UNREGISTERED not in error.message:
                    raise
                message = f"Nothing of this is in subscription {subscription}, which never used the service."
                self.note(scope, message, "Nothing to do, unless you know better.", error.code)
            except Forbidden as error:
                refused.append((subscription, error))
                yield Unread("subscription_id", [subscription])
        self.refused(scope, "subscriptions", refused, every)
        self.nameless(scope, nameless, noun)

    async def of_sdk(
        self, scope: Scope, subscription: str, listing: Callable[[Any], Any]
    ) -> AsyncIterator[list[Record]]:
        """The records of a listing of azure-mgmt-compute."""
        door = await self.sdk()
        async with aclosing(door.pages(scope.account, subscription, ARM, listing)) as pages:
            async for page in pages:
                yield self.records(page, "value")

    async def beside(self, scope: Scope, what: str, asked: Awaitable[T]) -> T | None:
        """Something that a listing can do without: None and a note when it is refused.

        Whatever else goes wrong fails the listing, so that old rows stay: a machine's state stands beside it.
        """
        try:
            return await asked
        except (Forbidden, NotFound) as error:
            self.note_once(scope, f"{what} not known. {error.message}", error)
            return None


def placed(url: str, endpoint: str | None, hosts: Iterable[str]) -> str:
    """A link to one of Azure's own hosts as one to the endpoint that is configured in their place, if any."""
    parts = net.split(url)
    if endpoint is None or not any(fnmatchcase(parts.hostname or "", one) for one in hosts):
        return url
    return endpoint.rstrip("/") + url.removeprefix(f"{parts.scheme}://{parts.netloc}")


def by_id(records: Iterable[Record]) -> dict[str, Record]:
    """Records by their ids, in lower case: Azure does not write an id alike everywhere."""
    return {str(one["id"]).lower(): one for one in records if one.get("id")}


def named(record: Any) -> str:
    """The id that a reference to another record holds, in lower case."""
    return str(record.get("id") or "").lower() if isinstance(record, Mapping) else ""
