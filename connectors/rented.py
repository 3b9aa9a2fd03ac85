"""What clouds that rent out single machines have in common: they tell the present, and not what a key may.

A listing of machines holds what is measured of them now; nothing is kept of before. Where in a record a
metric stands is told in the facts: `at`, a dotted path; `each`, the path to a list of devices that `at` goes
on from; `of`, the whole that a value is a part of; `times`, into our unit. What a key may is found out by
trying: the permissions of a kind are requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cloudtop.errors import Forbidden, NotFound
from cloudtop.inventory import MetricQuery, Resource, Series
from cloudtop.models import Health, Scope
from cloudtop.units import number, positive
from connectors.base import Connector
from connectors.rows import Record, each, inner

T = TypeVar("T")
Row = Callable[[Record], Resource | None]
PRESENT = timedelta(minutes=10)
"""A question that ends longer ago than this is not about the present."""
KEPT = timedelta(seconds=20)
"""How long one reading serves the questions about all places of an account."""


class Rented(Connector):
    """Machines, or parts of them, that an account rents."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._measured: dict[str, tuple[datetime, list[Record]]] = {}
        self._measuring: dict[str, asyncio.Lock] = {}

    def machines(self, scope: Scope) -> AsyncIterator[list[Record]]:
        """The records of the machines, page by page."""
        raise NotImplementedError

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """What is measured now of these machines, in the question's last step; of a past time nothing."""
        if self.now() - wanted.end > PRESENT:
            return
        step = min(timedelta(seconds=wanted.step_s), wanted.end - wanted.start)
        told, targets = self.facts.metrics.get(wanted.type, {}), {one.id for one in wanted.targets}
        known = [one for one in await self._present(scope) if str(one.get("id")) in targets]
        yield [
            Series(str(record["id"]), metric, ((wanted.end - step, value),), device)
            for record in known
            for metric in wanted.metrics
            for device, value in values(record, told.get(metric, {}))
        ]

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether what it takes is answered. Nothing else tells it."""
        needs = self.facts.needs
        allowed = {
            one: await self._answered(scope, one)
            for one in dict.fromkeys(x for y in needs.values() for x in y)
        }
        yield [self.permitted(scope, kind, needed, allowed) for kind, needed in needs.items()]

    async def listed(
        self, scope: Scope, pages: AsyncIterator[Sequence[Record]], row: Row, noun: str
    ) -> AsyncIterator[list[Resource]]:
        """The rows of a listing: `row` of every record, None for one without an id."""
        nameless = 0
        async for page in pages:
            rows = [made for one in page if (made := row(one)) is not None]
            nameless += len(page) - len(rows)
            yield rows
        self.nameless(scope, nameless, noun)

    async def beside(self, scope: Scope, what: str, asked: Awaitable[T]) -> T | None:
        """Something that a listing can do without: None and a note when it is refused or gone.

        Whatever else goes wrong fails the listing, so that old rows stay.
        """
        try:
            return await asked
        except (Forbidden, NotFound) as error:
            self.note_once(scope, f"{what} not known. {error.message}", error)
            return None

    async def _present(self, scope: Scope) -> list[Record]:
        """The machines of an account as they are now, read once for the questions about all its places."""
        async with self._measuring.setdefault(scope.account, asyncio.Lock()):
            at, known = self._measured.get(scope.account, (None, []))
            if at is None or self.now() - at > KEPT:
                known = [one async for page in self.machines(scope) for one in page]
                self._measured[scope.account] = self.now(), known
            return known

    async def _answered(self, scope: Scope, request: str) -> bool:
        method, _, path = request.partition(" ")
        try:
            await self.http.json(method, path, operation=f"try {path}", account=scope.account)
        except Forbidden:
            return False
        return True


def values(record: Record, how: Mapping[str, Any]) -> Iterator[tuple[str | None, float]]:
    """What a record tells of a metric, of each device where it has some; what is below zero is not known."""
    path = str(how.get("at", "")).split(".")
    devices: list[tuple[str | None, Record]] = [(None, record)]
    if "each" in how:
        devices = [(str(at), one) for at, one in enumerate(each(record, *how["each"].split(".")))]
    for device, one in devices:
        value = number(inner(one, *path))
        whole = positive(inner(one, *how["of"].split("."))) if "of" in how else 1.0
        if value is not None and whole is not None:
            yield device, value / whole * how.get("times", 1.0)
