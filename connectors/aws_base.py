"""How Amazon is listed: one boto3 call a page, rows made where the page was read, tags asked for where it has
none.

A page that holds records without an id counts them; the others stay. What a listing is only enriched with
(tags, health, what types are made of) may fail by itself: a refusal costs no more than that and is noted, a
cloud that asks to wait or does not answer fails the listing, so that old rows stay as they were. Imported
late: connectors.aws_door.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.inventory import Resource, with_tags
from cloudtop.models import Scope
from connectors.base import Connector
from connectors.rows import Record

if TYPE_CHECKING:
    from connectors.aws_door import BotoDoor
    from connectors.aws_tags import Tagging

T = TypeVar("T")
HOME = "us-east-1"
"""Where what belongs to no region is asked."""
EXTRA_RETRIES = 1
"""How often something is asked again that a listing can do without."""


class Amazon(Connector):
    """An account of AWS, asked through boto3."""

    _open: Callable[..., Any]
    _boto: BotoDoor | None = None

    def stand(self, door: Callable[..., Any]) -> None:
        """Take what opens a door: boto3 gets one of its own when it is first used."""
        self._open = door

    @property
    def boto(self) -> BotoDoor:
        """boto3 behind the door."""
        if self._boto is None:
            from connectors.aws_door import BotoDoor

            self._boto = BotoDoor(self.facts, self.settings, self.http, self._open)
        return self._boto

    async def aclose(self) -> None:
        """Close the connections of both doors."""
        await super().aclose()
        if self._boto is not None:
            await self._boto.aclose()

    async def call(self, scope: Scope, service: str, operation: str, **arguments: Any) -> Any:
        """One answer for a scope, in its region unless another is named."""
        region = arguments.pop("region", self.place(scope))
        return await self.boto.call(service, operation, region=region, account=scope.account, **arguments)

    def place(self, scope: Scope) -> str:
        """The region where a scope is asked."""
        return HOME if scope.region == "global" else scope.region

    async def pages(
        self,
        scope: Scope,
        service: str,
        operation: str,
        read: Callable[[Any], T],
        *,
        size: int | None = None,
        **arguments: Any,
    ) -> AsyncIterator[T]:
        """What `read` makes of each page of an operation."""
        turned = self.boto.pages(
            service,
            operation,
            region=self.place(scope),
            account=scope.account,
            read=read,
            size=size,
            **arguments,
        )
        async with aclosing(turned) as pages:
            async for page in pages:
                yield page

    async def listed(
        self,
        scope: Scope,
        service: str,
        operation: str,
        key: str,
        row: Callable[[Record], Resource | None],
        noun: str,
        *,
        tagging: Tagging | None = None,
        **more: Any,
    ) -> AsyncIterator[list[Resource]]:
        """The rows of a listing: `row` of every record under `key`, None for one without an id."""

        def read(page: Any) -> list[Resource | None]:
            return [row(one) for one in self.records(page, key)]

        nameless = 0
        async for page in self.pages(scope, service, operation, read, **more):
            rows = [one for one in page if one is not None]
            nameless += len(page) - len(rows)
            yield await self.tagged(scope, rows, tagging) if tagging else rows
        self.nameless(scope, nameless, noun)

    async def tagged(self, scope: Scope, rows: Sequence[Resource], tagging: Tagging) -> list[Resource]:
        """The same rows with their tags."""
        labels = await tagging.of(self, scope, rows) if rows else []
        return [with_tags(one, found) for one, found in zip(rows, labels, strict=True)]
