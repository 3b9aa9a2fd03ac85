"""The door: what every request of one provider passes, at the wire, whatever makes it.

It holds the rate, the number in flight (bodies included), the deadline, the retries, the memory of dead hosts
and the audit; what comes out is a whole answer or a CloudError. Import it late: httpx and tenacity come too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, wait_exponential_jitter

from cloudtop import net
from cloudtop.errors import CloudError, RateLimited, TooSlow, Unreachable
from cloudtop.faults import Fault, Whom, not_json, of_answer, of_exception, said, too_large
from cloudtop.models import AuditRecord, iso

if TYPE_CHECKING:
    from cloudtop.ports import Audit, Clock, Hosts
    from connectors.base import Facts, Refusal

BODY_LIMIT = 32_000_000
KNOCK_S = 0.25
"""How long a host that has taken no connection so far may take for one more."""
PATIENT = 5
"""So many times as long a host that does take connections may take for one, encryption agreed on."""
READS = frozenset({"GET", "HEAD"})
Parsed = Callable[[bytes], tuple[Any, bool]]
"""Reads a body, and says whether it was one of its kind. Errors are not JSON everywhere."""
CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds of one provider's door. `turn_s` bounds the wait for the rate, `request_s` one request.

    The rate is that of each bucket that requests name; with `one_bucket` that of all requests together.
    """

    requests_per_second: float = 50.0
    burst: int = 10
    one_bucket: bool = False
    in_flight: int = 8
    retries: int = 3
    turn_s: float | None = None
    request_s: float | None = None
    connect_s: float = 1.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    down_s: float = 60.0


@dataclass(slots=True)
class _Call:
    """One request on its way through its tries."""

    whom: Whom
    address: str
    operation: str
    account: str
    repeatable: bool
    json: bool
    stream: bool
    secrets: tuple[str, ...]
    bucket: str
    retries: int
    attempt: int = 0
    pause: float = 0.0
    fault: Fault | None = None
    answer: httpx.Response | None = None


@dataclass(slots=True)
class _Try:
    """One try of a call, as its audit record will tell it."""

    at: datetime
    started: float
    rest_s: float
    status: int | None = None
    bytes: int | None = None
    error: str | None = "Cancelled"


class Door(httpx.AsyncBaseTransport):
    """An httpx transport with one provider's policy. Answers below 300 come out read; all others are errors.

    A request says more about itself in `extensions["cloudtop"]`: `repeatable`, `operation`, `account`,
    `keyed`, `bucket` (what its cloud counts it with), `retries` (at most, where it matters less), `secrets`
    (never to be repeated), `json` (the parsed answer is `extensions["cloudtop_json"]` of the response) and
    `stream` (a body of any length is `extensions["cloudtop_body"]`; the place in flight and the record are
    kept to its end).
    """

    def __init__(
        self,
        facts: Facts,
        policy: Policy,
        *,
        clock: Clock,
        hosts: Hosts,
        audit: Audit,
        refusal: Refusal | None = None,
        shared: asyncio.Semaphore | None = None,
        wire: Any = None,
        parsed: Parsed | None = None,
    ) -> None:
        self._parsed = parsed or _parsed
        self._facts, self._policy, self._clock = facts, policy, clock
        self._hosts, self._audit, self._refusal = hosts, audit, refusal
        self._wire = wire or net.Wire(policy.in_flight)
        self._room = asyncio.Semaphore(policy.in_flight)
        self._house = shared or asyncio.Semaphore(policy.in_flight)
        self._due: dict[str, float] = {}
        self._growing = wait_exponential_jitter(
            initial=policy.first_wait_s, max=policy.longest_wait_s, jitter=policy.first_wait_s / 4
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as often as it takes and is allowed."""
        call = self._call(request)
        tries = AsyncRetrying(
            retry=self._again, wait=lambda _: call.pause, sleep=self._clock.sleep, reraise=True
        )
        await tries(self._attempt, request, call)
        # Nobody else keeps the answer: what tenacity makes stays in memory until cycles are looked for.
        answer, call.answer = call.answer, None
        assert answer is not None
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    def _call(self, request: httpx.Request) -> _Call:
        note = request.extensions.get("cloudtop", {})
        sent = request.headers.get("authorization", "")
        secrets = note.get("secrets", ())
        retries, most = note.get("retries"), self._policy.retries
        in_body = not note.get("stream") and any(one.encode() in request.content for one in secrets)
        keyed = bool(sent or note.get("keyed") or in_body)
        url = request.url
        port = f":{url.port}" if url.port else ""
        return _Call(
            whom=Whom(self._facts.title, f"{url.host}{port}", self._facts.to_set, keyed),
            address=f"{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}",
            operation=note.get("operation") or f"{request.method} {url.path}",
            account=note.get("account", "public"),
            repeatable=request.method in READS or bool(note.get("repeatable")),
            json=note.get("json", False),
            stream=note.get("stream", False),
            secrets=(sent, sent.partition(" ")[2], *secrets),
            bucket="" if self._policy.one_bucket else note.get("bucket", ""),
            retries=most if retries is None else min(most, retries),
        )

    def _again(self, state: RetryCallState) -> bool:
        """The one place that decides about another try, and how long to wait before it."""
        _, call = state.args
        fault = call.fault
        if fault is None or state.outcome is None or state.outcome.exception() != fault.error:
            return False
        if not (fault.again and call.repeatable) or call.attempt > call.retries:
            return False
        asked = fault.error.retry_after_s
        call.pause = asked if asked is not None else self._growing(state)
        try:
            return bool(call.pause < net.left(self._clock.monotonic))
        except CloudError:
            return False

    async def _attempt(self, request: httpx.Request, call: _Call) -> None:
        """One try, from waiting for its turn to the last byte of the answer."""
        self._refuse_dead(call)
        left = net.left(self._clock.monotonic)
        async with AsyncExitStack() as place:
            try:
                async with asyncio.timeout(left):
                    if (pause := self._turn(call, left)) > 0:
                        await self._clock.sleep(pause)
                    await place.enter_async_context(self._room)
                    await place.enter_async_context(self._house)
            except TimeoutError as error:
                message = f"Other requests to {call.whom} took all the time; this one was not sent."
                raise TooSlow(message, "Allow more time with --timeout, or raise in_flight.") from error
            # Those before it may have found out meanwhile.
            self._refuse_dead(call)
            call.answer = await self._exchange(request, call, place)

    def _turn(self, call: _Call, left: float) -> float:
        """Seconds until the rate allows one more, by virtual scheduling; a turn too late is not taken."""
        now, rate = self._clock.monotonic(), self._policy.requests_per_second
        due = max(self._due.get(call.bucket, float("-inf")), now - self._policy.burst / rate) + 1 / rate
        wait = due - now
        if wait >= min(left, self._policy.turn_s or left):
            message = f"The next request to {call.whom} is due in {wait:.1f} s by the rate limit kept here."
            raise RateLimited(message, "Wait, or raise rate_limit of this provider.", retry_after_s=wait)
        self._due[call.bucket] = due
        return max(0.0, wait)

    def _refuse_dead(self, call: _Call) -> None:
        until = self._hosts.down_until(call.address)
        now = self._clock.now()
        if until is None or until <= now:
            return
        message = f"{call.whom} took no connection a moment ago and is not asked again until {iso(until)}."
        step = "Try again then, or clear what is remembered with `cloudtop cache clear`."
        raise Unreachable(message, step, retry_after_s=round((until - now).total_seconds(), 1))

    async def _exchange(self, request: httpx.Request, call: _Call, place: AsyncExitStack) -> httpx.Response:
        """One request on the wire; exactly one audit record, whatever comes."""
        call.attempt += 1
        call.fault = None
        rest = min(net.left(self._clock.monotonic), self._policy.request_s or float("inf"))
        one = _Try(self._clock.now(), self._clock.monotonic(), rest)
        connect = min(self._policy.connect_s, rest)
        request.extensions["timeout"] = {"connect": connect, "read": rest, "write": rest, "pool": rest}
        flowing = False
        try:
            async with asyncio.timeout(rest):
                answer = await self._answer(request, call, one)
            if flowing := "cloudtop_body" in answer.extensions:
                body = self._flow(answer.extensions["cloudtop_body"], request, call, one, place.pop_all())
                answer.extensions["cloudtop_body"] = body
            else:
                one.error = None
            return answer
        except _WIRE as raised:
            raise self._failed(raised, request, call, one) from raised
        except CloudError as raised:
            one.error = type(raised).__name__
            raise
        finally:
            if not flowing:
                self._record(request, call, one)

    async def _flow(
        self,
        response: httpx.Response,
        request: httpx.Request,
        call: _Call,
        one: _Try,
        place: AsyncExitStack,
    ) -> AsyncIterator[bytes]:
        """A body as it comes. Whoever stops listening closes the connection."""
        one.bytes, parts = 0, response.aiter_bytes()
        async with place:
            try:
                while True:
                    one.rest_s = net.left(self._clock.monotonic)
                    async with asyncio.timeout(one.rest_s):
                        part = await anext(parts, None)
                    if part is None:
                        break
                    one.bytes += len(part)
                    yield part
                one.error = None
            except _WIRE as raised:
                raise self._failed(raised, request, call, one) from raised
            except CloudError as raised:
                one.error = type(raised).__name__
                raise
            finally:
                await response.aclose()
                self._record(request, call, one)

    def _record(self, request: httpx.Request, call: _Call, one: _Try) -> None:
        self._audit.record(
            AuditRecord(
                one.at,
                net.actor.get(),
                self._facts.id,
                call.account,
                call.operation,
                request.method,
                request.url.host,
                one.status,
                one.error,
                call.attempt,
                round((self._clock.monotonic() - one.started) * 1000, 1),
                one.bytes,
            )
        )

    def _failed(self, raised: Exception, request: httpx.Request, call: _Call, one: _Try) -> CloudError:
        """What an exception of the wire means; a host that takes no connections is remembered."""
        connecting = isinstance(raised, httpx.ConnectTimeout)
        if connecting and one.rest_s < self._policy.connect_s:
            # The deadline came first: nothing is proven about the host.
            raised, connecting = TimeoutError(), False
        waited = request.extensions["timeout"]["connect"] if connecting else one.rest_s
        fault = of_exception(raised, call.whom, proxy=request.extensions.get("proxy"), waited_s=waited)
        if fault.dead:
            self._hosts.mark_down(call.address, self._clock.now() + timedelta(seconds=self._policy.down_s))
        call.fault, one.error = fault, type(fault.error).__name__
        return fault.error

    async def _answer(self, request: httpx.Request, call: _Call, one: _Try) -> httpx.Response:
        """Send, read and judge."""
        response = await self._sent(request, call, one)
        one.status = response.status_code
        if call.stream and response.status_code < 300:
            return httpx.Response(response.status_code, extensions={"cloudtop_body": response})
        try:
            body = await self._body(response, call)
        finally:
            await response.aclose()
        one.bytes = len(body)
        document, whole = self._parsed(body) if call.json or response.status_code >= 300 else (None, True)
        kind = self._refusal(response.status_code, document) if self._refusal and whole else None
        if kind or response.status_code >= 300:
            text = said(document, body[:4000].decode("utf-8", "replace"), call.secrets)
            now = self._clock.now()
            call.fault = of_answer(
                call.whom, response.status_code, response.headers, text, now=now, kind=kind
            )
            raise call.fault.error
        if not whole and response.status_code != 204:
            call.fault = not_json(call.whom, response.headers.get("content-type", ""), body)
            raise call.fault.error
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in CODED]
        extensions = {**response.extensions, "cloudtop_json": document}
        return httpx.Response(response.status_code, headers=headers, content=body, extensions=extensions)

    async def _sent(self, request: httpx.Request, call: _Call, one: _Try) -> httpx.Response:
        """Send one request. A connection that only nobody here had time to look at gets more time."""
        sent: httpx.Response
        try:
            sent = await self._wire.handle_async_request(request)
        except httpx.ConnectTimeout:
            host, _, port = call.address.rpartition(":")
            if request.extensions.get("proxy") or one.rest_s < self._policy.connect_s:
                raise
            if not await net.accepts(host, int(port), KNOCK_S):
                raise
            request.extensions["timeout"]["connect"] = min(one.rest_s, PATIENT * self._policy.connect_s)
            sent = await self._wire.handle_async_request(request)
        return sent

    async def _body(self, response: httpx.Response, call: _Call) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > BODY_LIMIT:
                call.fault = too_large(call.whom, BODY_LIMIT)
                raise call.fault.error
            parts.append(part)
        return b"".join(parts)


_WIRE = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict, TimeoutError, OSError)


def _parsed(body: bytes) -> tuple[Any, bool]:
    """The JSON of a body, and whether it was one."""
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return None, False
