"""Mistakes that the suite must notice. Mutation of the real code for the self-test, nothing else uses it.

Each break replaces one function of ours by a wrong one for the time of a `with`; the columns beside it are
those in which the wrong one is expected to show.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

import cloudtop.faults
import cloudtop.store.journal
import connectors.base
import connectors.door
import connectors.vast
import mcp_server.fleet
import mcp_server.flight
from cloudtop import net
from cloudtop.errors import CloudError, Unauthorized
from connectors.aws_storage import Storage

OFFERS = ("vast", "gpu_offers")
INSTANCES = ("aws", "instances")
VOLUMES = ("aws", "volumes")
"""Its second request is its second page; that of instances asks what stands beside them."""


@dataclass(frozen=True)
class Break:
    """One mistake: where it is put, the wrong version made from the right one, where and how it must show."""

    where: Any
    name: str
    wrong: Callable[[Any], Any]
    shows_in: tuple[str, ...]
    shows_as: str
    row: tuple[str, str] = OFFERS

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The wrong version in the place of the right one."""
        right = vars(self.where)[self.name]
        called = right.__func__ if isinstance(right, staticmethod) else right
        wrong = self.wrong(called)
        setattr(self.where, self.name, staticmethod(wrong) if isinstance(right, staticmethod) else wrong)
        try:
            yield
        finally:
            setattr(self.where, self.name, right)


def never(right: Any) -> Any:
    """No second try."""
    return lambda *_: False


def no_wait_known(right: Any) -> Any:
    """Retry-After and threshold= are not read."""
    return lambda *_: None


def for_ever(right: Any) -> Any:
    """A failure is believed long after."""
    return lambda want, known, now: known.trouble if known else None


def ends_at_a_failure(right: Any) -> Any:
    """A page that fails after the first is taken for the end of the listing."""

    async def pages(self: Any, scope: Any) -> AsyncIterator[Any]:
        first = True
        try:
            async for page in right(self, scope):
                yield page
                first = False
        except CloudError:
            if first:
                raise

    return pages


def forgets_rows(right: Any) -> Any:
    """A failed scope loses its rows."""

    def remember(self: Any, scope: Any, trouble: Any) -> None:
        if scope.kind == "gpu_offers":
            self._store.replace_offers(scope, [], fetched_at=self._clock.now(), complete=True)
        right(self, scope, trouble)

    return remember


def forgets_resources(right: Any) -> Any:
    """A failed listing of an inventory counts as an empty one."""

    def remember(self: Any, scope: Any, trouble: Any) -> None:
        if scope.kind == INSTANCES[1]:
            with self._store.resource_observation(scope, fetched_at=self._clock.now()) as seen:
                seen.finish()
        right(self, scope, trouble)

    return remember


def counts_as_read(right: Any) -> Any:
    """A failed reading is noted as a good one: the error is cached as fresh data."""

    async def copy(self: Any, want: Any) -> None:
        started = self._clock.now()
        with contextlib.suppress(CloudError):
            await right(self, want)
            return
        with self._store.observation(want.scope, fetched_at=started, stamp=None) as seen:
            seen.finish()

    return copy


def follows(right: Any) -> Any:
    """A redirect is followed, key and all."""

    async def answer(self: Any, request: httpx.Request, call: Any, seen: Any) -> httpx.Response:
        first = await self._wire.handle_async_request(request)
        await first.aread()
        await first.aclose()
        if first.status_code != 307:
            return await right(self, request, call, seen)  # type: ignore[no-any-return]
        headers = {**request.headers, "host": httpx.URL(first.headers["location"]).netloc.decode()}
        second = httpx.Request(
            request.method, first.headers["location"], headers=headers, content=request.content
        )
        second.extensions.update(request.extensions)
        return await right(self, second, call, seen)  # type: ignore[no-any-return]

    return answer


def an_hour_left(right: Any) -> Any:
    """The deadline is not looked at."""
    return lambda *_: 3600.0


def empty_without_key(right: Any) -> Any:
    """A wrong key reads as an empty listing."""

    async def search(self: Any, *arguments: Any) -> Any:
        try:
            return await right(self, *arguments)
        except Unauthorized:
            return []

    return search


def refused_is_worth_another_try(right: Any) -> Any:
    """A host that refuses is asked again and again."""

    def fault(*arguments: Any) -> Any:
        found = right(*arguments)
        return cloudtop.faults.Fault(found.error, again=True)

    return fault


def repeats_all(right: Any) -> Any:
    """The cloud's own words are passed on as they are, with the key in them."""
    return lambda document, text, secrets=(): text


def empty_when_unreadable(right: Any) -> Any:
    """HTML, or half an answer, reads as an answer without offers."""

    def parsed(body: bytes) -> Any:
        document, whole = right(body)
        return (document, True) if whole else ({"offers": []}, True)

    return parsed


def all_is_live(right: Any) -> Any:
    """Old rows are called live."""
    return lambda *_: "live"


def not_recorded(right: Any) -> Any:
    """A failed attempt leaves no audit record."""
    return lambda self, record: None if record.error else right(self, record)


def leaves_a_task(right: Any) -> Any:
    """Something goes on in the background after the answer."""
    kept: list[asyncio.Task[None]] = []

    async def outcome(self: Any, want: Any, until: float) -> Any:
        kept.append(asyncio.get_running_loop().create_task(asyncio.sleep(1), name="left behind"))
        return await right(self, want, until)

    return outcome


def drops_the_nameless(right: Any) -> Any:
    """A record without a name is left out."""
    return lambda self, offers, bid: right(self, [one for one in offers if one.get("gpu_name")], bid)


def healthy_anyway(right: Any) -> Any:
    """A health check that does not look at the answer."""

    async def probe(self: Any, scope: Any, call: Any, unlocked: Any) -> Any:
        async def quiet() -> None:
            with contextlib.suppress(CloudError):
                await call

        return await right(self, scope, quiet(), unlocked)

    return probe


Door, Flights, Vast = connectors.door.Door, mcp_server.flight.Flights, connectors.vast.Vast
HEALTH = ("vast", "health")

BREAKS: Mapping[str, Break] = {
    "drop the retry": Break(Door, "_again", never, ("503-once",), "should have been borne"),
    "ignore Retry-After": Break(
        cloudtop.faults,
        "asked_wait",
        no_wait_known,
        ("429-s-once", "429-text-once"),
        "the cloud had asked for",
    ),
    "believe a failure for ever": Break(
        mcp_server.fleet, "held", for_ever, ("500",), "well again, and still"
    ),
    "cache an error as data": Break(
        Flights, "_copy", counts_as_read, ("500",), "a failed reading counts as a new one"
    ),
    "take a lost page for the end": Break(
        Vast, "gpu_offers", ends_at_a_failure, ("lost-page",), "trouble none"
    ),
    "delete rows on failure": Break(Flights, "_remember", forgets_rows, ("403",), "stored rows are gone"),
    "take a lost page of an inventory for the end": Break(
        Storage, "volumes", ends_at_a_failure, ("lost-page",), "trouble none", row=VOLUMES
    ),
    "empty an inventory on failure": Break(
        Flights, "_remember", forgets_resources, ("403",), "stored rows are gone", row=INSTANCES
    ),
    "follow a redirect": Break(Door, "_answer", follows, ("redirect",), "went to another host"),
    "ignore the deadline": Break(Flights, "_left", an_hour_left, ("silent",), "still going long after"),
    "swallow a 401 as an empty list": Break(Vast, "_search", empty_without_key, ("401",), "trouble none"),
    "retry a refused host": Break(
        cloudtop.faults,
        "_no_connection",
        refused_is_worth_another_try,
        ("refused",),
        "failed attempts, not 1",
    ),
    "leak the key into the message": Break(
        connectors.door, "said", repeats_all, ("401",), "a trouble shows the key"
    ),
    "treat HTML as empty": Break(
        connectors.door, "_parsed", empty_when_unreadable, ("html", "truncated"), "trouble none"
    ),
    "count stale as live": Break(
        mcp_server.fleet.Harvest, "label", all_is_live, ("500",), "old rows are called live"
    ),
    "keep no record of a failed attempt": Break(
        cloudtop.store.journal.Journal, "record", not_recorded, ("500",), "audit records for"
    ),
    "leave a task behind": Break(Flights, "outcome", leaves_a_task, ("401",), "tasks left"),
    "drop a record without a name": Break(
        Vast, "_rows", drops_the_nameless, ("missing-field",), "stored rows are gone"
    ),
    "call every cloud healthy": Break(
        connectors.base.Connector, "probe", healthy_anyway, ("401",), "not credentials failing", row=HEALTH
    ),
}

TOGETHER: Mapping[str, tuple[Any, str]] = {"ignore the deadline": (net, "left")}
"""What is broken with it, because two parts do one duty: the flight and the door each keep the deadline."""
