"""How Oracle is listed: every compartment of a region by itself, through the SDK, page by page.

A tenancy is divided into compartments, and most listings tell of one. Those that a key may see are asked for
once a minute; the tenancy itself is the first of them. One that does not allow a listing leaves what is known
of it as it was: that is remarked, and the others are told; where all refuse, the listing is refused. What a
listing is only enriched with may fail by itself, unless the cloud asks to wait or does not answer: then the
listing fails, so that old rows stay as they were. Imported late: connectors.oci_door.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cloudtop.errors import CloudError, Forbidden, Invalid
from cloudtop.inventory import Resource, Unread
from cloudtop.models import Scope
from connectors.base import Connector
from connectors.rows import Record

if TYPE_CHECKING:
    from connectors.oci_door import Answer, OciDoor
    from connectors.oci_session import Identity

T = TypeVar("T")
EXTRA_RETRIES = 1
"""How often something is asked again that a listing can do without."""
KNOWN_S = 60.0
"""How long the compartments of a tenancy count as known."""
GONE = frozenset({"DELETING", "DELETED", "TERMINATED"})


class Compartment(NamedTuple):
    """A part of a tenancy."""

    id: str
    name: str


@dataclass(slots=True)
class _Place:
    """What is known of a tenancy in a region; one asks at a time."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    read_at: float = 0.0
    known: list[Compartment] = field(default_factory=list)
    failures: int = 0
    failed: CloudError | None = None


class Oracle(Connector):
    """A tenancy of Oracle Cloud, asked through the SDK."""

    _open: Callable[..., Any]
    _oci: OciDoor | None = None

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._places: dict[tuple[str, str], _Place] = {}

    def stand(self, door: Callable[..., Any]) -> None:
        """Take what opens a door: the SDK gets one of its own when it is first used."""
        self._open = door

    @property
    def oci(self) -> OciDoor:
        """The SDK behind the door."""
        if self._oci is None:
            from connectors.oci_door import OciDoor

            self._oci = OciDoor(self.facts, self.settings, self.http, self._open)
        return self._oci

    async def aclose(self) -> None:
        """Close the connections of both doors."""
        await super().aclose()
        if self._oci is not None:
            await self._oci.aclose()

    async def call(
        self,
        scope: Scope,
        service: str,
        operation: str,
        about: Mapping[str, Any] = {},
        retries: int | None = None,
    ) -> Answer:
        """One answer for a scope, in its region."""
        region = await self.place(scope)
        return await self.oci.call(
            service, operation, about, region=region, account=scope.account, retries=retries
        )

    async def identity(self, scope: Scope) -> Identity:
        """Who the account of a scope is."""
        return await self.oci.identity(scope.account)

    async def place(self, scope: Scope) -> str:
        """The region where a scope is asked: what belongs to none is asked at home."""
        return scope.region if scope.region != "global" else (await self.identity(scope)).home

    async def pages(
        self,
        scope: Scope,
        service: str,
        operation: str,
        about: Mapping[str, Any],
        *,
        key: str | None = None,
        retries: int | None = None,
    ) -> AsyncIterator[list[Record]]:
        """The records of each page; `key` is the field that holds them where an answer is not their list."""

        async def ask(token: str | None) -> Answer:
            more = {"page": token} if token else {}
            return await self.call(scope, service, operation, {**about, **more}, retries)

        async for answer in self.paged(ask, lambda one: one.more):
            yield self.listed_in(answer.data, key)

    async def every(
        self, scope: Scope, service: str, operation: str, retries: int | None = None, **about: Any
    ) -> list[Record]:
        """The records of all pages."""
        pages = self.pages(scope, service, operation, about, retries=retries)
        return [one async for page in pages for one in page]

    def listed_in(self, data: Any, key: str | None = None) -> list[Record]:
        """The records in an answer, which is their list or holds it; anything else is Invalid."""
        return self.records(data if key else {"records": data}, key or "records")

    async def compartments(self, scope: Scope) -> Sequence[Compartment]:
        """The parts of the tenancy that the key may see, the tenancy first; asked in the scope's region."""
        place = self._places.setdefault((scope.account, await self.place(scope)), _Place())
        failures = place.failures
        async with place.turn:
            if place.failed and place.failures > failures:
                # Whoever waited for the same question takes the same answer.
                raise place.failed
            now = self.now().timestamp()
            if not place.known or now - place.read_at > KNOWN_S:
                try:
                    place.known, place.read_at = await self._asked_compartments(scope), now
                except CloudError as error:
                    place.failed, place.failures = error, place.failures + 1
                    raise
            return place.known

    async def _asked_compartments(self, scope: Scope) -> list[Compartment]:
        tenancy = (await self.identity(scope)).tenancy
        how: dict[str, Any] = {
            "compartment_id": tenancy,
            "compartment_id_in_subtree": True,
            "access_level": "ACCESSIBLE",
        }
        found = await self.every(scope, "identity", "list_compartments", **how)
        inside = [
            Compartment(str(one["id"]), str(one.get("name") or one["id"]))
            for one in found
            if one.get("id") and one.get("lifecycleState") not in GONE
        ]
        return [Compartment(tenancy, "the tenancy itself"), *inside]

    async def everywhere(
        self, scope: Scope, ask: Callable[[Compartment], Awaitable[T]]
    ) -> list[tuple[Compartment, T | None]]:
        """What each compartment answers, None where it refuses. Forbidden where all of them refuse."""
        every = await self.compartments(scope)
        refused: list[tuple[str, Forbidden]] = []

        async def one(part: Compartment) -> tuple[Compartment, T | None]:
            try:
                return part, await ask(part)
            except Forbidden as error:
                refused.append((part.name, error))
                return part, None

        answers = await self.each(every, one)
        self.refused(scope, "compartments", refused, every)
        return answers

    async def listed(
        self,
        scope: Scope,
        service: str,
        operation: str,
        row: Callable[[Record], Resource | None],
        noun: str,
        *,
        key: str | None = None,
        narrowed: Mapping[str, Any] = {},
    ) -> AsyncIterator[list[Resource]]:
        """The rows of a listing of every compartment: `row` of each record, None for one without an id."""

        async def ask(part: Compartment) -> list[Record]:
            about = {"compartment_id": part.id, **narrowed}
            pages = self.pages(scope, service, operation, about, key=key)
            return [one async for page in pages for one in page]

        for rows in self.rows(scope, await self.everywhere(scope, ask), row, noun):
            yield rows

    def rows(
        self,
        scope: Scope,
        found: Iterable[tuple[Compartment, Iterable[Record] | None]],
        row: Callable[[Record], Resource | None],
        noun: str,
    ) -> Iterator[list[Resource]]:
        """The rows of the records of each compartment; those without an id are counted."""
        nameless = 0
        for part, records in found:
            if records is None:
                yield Unread("compartment_id", [part.id])
            made = [row(one) for one in records or ()]
            rows = [one for one in made if one is not None]
            nameless += len(made) - len(rows)
            yield rows
        self.nameless(scope, nameless, noun)

    def told(self, data: Any, name: str) -> Mapping[str, Any]:
        """An answer that tells of one thing by its field `name`; anything else is Invalid."""
        if isinstance(data, Mapping) and data.get(name):
            return data
        message = f"{self.facts.title} answered without {name}."
        raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
