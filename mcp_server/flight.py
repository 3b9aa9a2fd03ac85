"""One scope, asked once: whoever wants the same scope at the same time shares one flight.

Within a process the flights are tasks with a count of who waits; across processes a lease in the store. What
a flight reads goes into the store page by page, so a deadline costs only what had not arrived. A flight never
raises: what went wrong is a Trouble.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudtop import net
from cloudtop.errors import CloudError, CloudtopError, StoreError
from cloudtop.inventory import Unread
from cloudtop.models import Health, Scope, Trouble, iso
from cloudtop.store.faults import Closed
from mcp_server.want import Want

if TYPE_CHECKING:
    from cloudtop.inventory import Division, InstancePrice, Series
    from cloudtop.ports import Clock
    from cloudtop.store.observation import Observation
    from cloudtop.store.open import Store
    from cloudtop.store.scopes import Known

LOG = logging.getLogger(__name__)
LEASE_POLL_S = 0.05
LEASE_SLACK_S = 1.0
GRACE_S = 0.25
"""How long past its deadline a cancelled request may take to close its files and connections."""


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Trouble | None]
    until: float
    waiters: int = 0


class Flights:
    """The requests that are under way in this process, by scope. `landed` is told of each that has ended."""

    def __init__(self, store: Store, clock: Clock, landed: Callable[[Scope], None]) -> None:
        self._store, self._clock, self._landed = store, clock, landed
        self._running: dict[Scope, _Flight] = {}

    async def outcome(self, want: Want, until: float) -> Trouble | None:
        """Bring one scope up to date before the clock's `until`: None, or what went wrong."""
        loop = asyncio.get_running_loop()
        while True:
            flight = self._running.get(want.scope)
            if flight is None or flight.task.get_loop() is not loop:
                flight = self._take_off(want, until)
            trouble = await self._landing(want, flight, until)
            given_up_for_another = trouble is not None and trouble.code == "too_slow" and flight.until < until
            if not given_up_for_another or self._left(until) < LEASE_POLL_S:
                return trouble

    async def _landing(self, want: Want, flight: _Flight, until: float) -> Trouble | None:
        """Wait for a flight; the last one to stop waiting ends it."""
        left = self._left(until) + GRACE_S
        flight.waiters += 1
        try:
            done, _ = await asyncio.wait({flight.task}, timeout=left)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._forget(want.scope, flight)
                flight.task.cancel()
        if not done or flight.task.cancelled():
            return too_slow(want)
        return flight.task.result()

    def _take_off(self, want: Want, until: float) -> _Flight:
        task = asyncio.get_running_loop().create_task(self._fly(want, until))
        flight = self._running[want.scope] = _Flight(task, until)
        task.add_done_callback(lambda _: self._forget(want.scope, flight))
        return flight

    def _forget(self, scope: Scope, flight: _Flight) -> None:
        if self._running.get(scope) is flight:
            del self._running[scope]

    async def _fly(self, want: Want, until: float) -> Trouble | None:
        """The one broad catch: past this point a scope's failure is data."""
        net.deadline.set(until)
        try:
            async with asyncio.timeout(self._left(until)):
                return await self._read_kept(want, until)
        except TimeoutError:
            trouble = too_slow(want)
        except CloudtopError as error:
            trouble = trouble_of(want.scope, error)
        except Exception as error:
            LOG.debug("reading %s", want.scope.key, exc_info=True)
            trouble = _broken(want, error)
        self._remember(want.scope, trouble)
        return trouble

    def _remember(self, scope: Scope, trouble: Trouble) -> None:
        try:
            self._store.trouble(scope, trouble)
        except Closed:
            LOG.debug("%s failed while cloudtop was ending", scope.provider)
        except CloudtopError as error:
            LOG.warning("a failure of %s could not be noted: %s", scope.provider, error)

    async def _read_kept(self, want: Want, until: float) -> Trouble | None:
        """Read the scope; once more when the disk was found full meanwhile, since memory takes it now."""
        kept = self._store.read_only
        try:
            return await self._read_once(want, until)
        except StoreError:
            if self._store.read_only == kept:
                raise
            return await self._read_once(want, until)

    async def _read_once(self, want: Want, until: float) -> Trouble | None:
        """Read the scope under its lease, unless another process has just done so."""
        before = self._known(want.scope)
        lease_s = self._left(until) + LEASE_SLACK_S
        while (token := await self._store.leased(want.scope, lease_s)) is None:
            await self._clock.sleep(LEASE_POLL_S)
            await asyncio.sleep(0)
            known = self._known(want.scope)
            if _newly_read(known, before):
                return None
            if trouble := _newly_failed(known, before):
                return trouble
        try:
            if not _newly_read(self._known(want.scope), before):
                await self._copy(want)
                self._landed(want.scope)
        finally:
            self._store.let_go(want.scope, token)
        return None

    def _left(self, until: float) -> float:
        return max(until - self._clock.monotonic(), 0.0)

    def _known(self, scope: Scope) -> Known | None:
        return self._store.freshness((scope,)).get(scope)

    async def _copy(self, want: Want) -> None:
        """Stream the pages into the store; only a listing read to its end counts as complete."""
        with self._observation(want) as seen:
            kept = ROWS.get(want.scope.kind)
            async for page in want.pages(want.scope):
                if isinstance(page, Unread):
                    seen.spare(page)
                await seen.adding(map(kept, page) if kept else page)
            await seen.finishing()

    def _observation(self, want: Want) -> Observation[Any]:
        """How the rows of a kind are kept: offers and resources in tables of their own."""
        scope, started = want.scope, self._clock.now()
        if scope.kind == "gpu_offers":
            return self._store.observation(scope, fetched_at=started, stamp=want.stamp)
        if scope.kind in ROWS:
            return self._store.row_observation(scope, fetched_at=started)
        return self._store.resource_observation(scope, fetched_at=started)


def _newly_read(known: Known | None, before: Known | None) -> bool:
    """Whether another process finished the scope since we looked."""
    if known is None or not known.complete or known.fetched_at is None:
        return False
    return before is None or before.fetched_at is None or known.fetched_at > before.fetched_at


def _newly_failed(known: Known | None, before: Known | None) -> Trouble | None:
    """What went wrong for another process since we looked."""
    if known is None or known.trouble is None or known.tried_at is None:
        return None
    again = before is None or before.tried_at is None or known.tried_at > before.tried_at
    return known.trouble if again else None


def _health(one: Health) -> dict[str, Any]:
    """A health check as the generic cache keeps it; `uid` is its place among the scope's rows."""
    return {
        "uid": f"{one.check}:{one.name}:{one.region or ''}:{one.uid or ''}",
        "name": one.name,
        "check": one.check,
        "healthy": one.healthy,
        "status": one.status,
        "message": one.message,
        "latency_ms": one.latency_ms,
        "checked_at": iso(one.checked_at),
        "region": one.region,
        "resource": one.uid,
    }


def _division(one: Division) -> dict[str, Any]:
    return {"uid": f"{one.region} {one.part}", "region": one.region, "part": one.part}


def _series(one: Series) -> dict[str, Any]:
    points = [(at.timestamp(), value) for at, value in one.points]
    return {
        "uid": f"{one.metric} {one.device or ''} {one.id}",
        "id": one.id,
        "metric": one.metric,
        "device": one.device,
        "points": points,
    }


def _price(one: InstancePrice) -> dict[str, Any]:
    return {"uid": one.instance_type, "usd_per_hour": one.usd_per_hour}


ROWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "health": _health,
    "permissions": _health,
    "divisions": _division,
    "metrics": _series,
    "instance_prices": _price,
}
"""Kinds whose rows the generic cache keeps, and how."""


def too_slow(want: Want) -> Trouble:
    """The deadline came first; nothing goes on in the background."""
    return Trouble(
        want.scope.provider,
        "too_slow",
        f"{want.title} had not finished answering when the time was up; the request was given up.",
        "Ask again with a longer --timeout. What it had sent before is kept.",
        account=want.scope.account,
        region=_region(want.scope),
        kind=want.scope.kind,
        retryable=True,
    )


def trouble_of(scope: Scope, error: CloudtopError) -> Trouble:
    """An error raised on purpose, at the place where it happened."""
    cloud = error if isinstance(error, CloudError) else None
    return Trouble(
        scope.provider,
        cloud.code if cloud else "unavailable",
        error.message,
        error.next_step,
        account=scope.account,
        region=_region(scope),
        kind=scope.kind,
        retryable=cloud.retryable if cloud else False,
        retry_after_s=cloud.retry_after_s if cloud else None,
        reference=cloud.reference if cloud else None,
    )


def _broken(want: Want, error: Exception) -> Trouble:
    """An error nobody meant to raise. Its text may quote a cloud's answer, so only its class is told."""
    name = type(error).__name__
    return Trouble(
        want.scope.provider,
        "invalid",
        f"{want.title} answered in a way that cloudtop could not read ({name}).",
        "Run with -v for the traceback, and report it: this is a defect of cloudtop.",
        account=want.scope.account,
        region=_region(want.scope),
        kind=want.scope.kind,
    )


def _region(scope: Scope) -> str | None:
    return None if scope.region == "global" else scope.region
