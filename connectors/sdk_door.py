"""An SDK behind the one door of its provider: it makes requests and reads answers, the door sends.

An SDK that waits runs in a few daemon threads, so that the process can always end. What it would send is
handed to the event loop and comes back as a whole answer or a CloudError: rate, number in flight, dead hosts,
deadline, retries and audit are the door's. A call that is given up gives its thread back at once. Imported
late, with the first SDK that is asked: httpx.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from connectors.threads import DaemonThreads

if TYPE_CHECKING:
    import httpx

    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

T = TypeVar("T")


@dataclass(eq=False, slots=True, kw_only=True)
class Asking:
    """One call on its way: whose it is, how often it may be tried again, and what of it is on the wire."""

    loop: asyncio.AbstractEventLoop
    account: str
    retries: int | None = None
    sending: Future[Any] | None = None
    given_up: bool = False

    def give_up(self) -> None:
        """Take back what is on the wire, and send nothing more."""
        self.given_up = True
        if self.sending:
            self.sending.cancel()


A = TypeVar("A", bound=Asking)
under_way: ContextVar[Any] = ContextVar("under_way")
"""The call that a thread works for."""


class SdkDoor(ABC, Generic[A]):
    """The threads of one provider's SDK and the door that they send through. `door` opens one."""

    sdk: ClassVar[str]
    """What the threads are called after."""
    reads: ClassVar[tuple[Callable[..., Any], ...]]
    """How a door finds the failure in an answer: `refusal`, and `parsed` where the answers are no JSON."""

    def __init__(
        self,
        facts: Facts,
        settings: ProviderSettings,
        http: Http,
        door: Callable[..., httpx.AsyncBaseTransport],
    ) -> None:
        self._facts, self._settings, self._http, self._open = facts, settings, http, door
        self._door: httpx.AsyncBaseTransport | None = None
        self._threads: DaemonThreads | None = None

    async def aclose(self) -> None:
        """Close the connections and end the threads; the next call makes new ones."""
        door, self._door = self._door, None
        threads, self._threads = self._threads, None
        if threads is not None:
            await threads.aclose()
        if door is not None:
            await door.aclose()

    @abstractmethod
    def guarded(self, work: Callable[[], T], asking: A) -> T:
        """In a thread: do it; what the SDK raises becomes a CloudError."""

    async def threaded(self, work: Callable[[], T], asking: A) -> T:
        """Let a thread of the provider do it; who gives up takes back what is on the wire."""
        context = copy_context()
        context.run(under_way.set, asking)
        if self._threads is None:
            bound = self._settings.in_flight or self._facts.in_flight
            self._threads = DaemonThreads(bound, f"{self._facts.id}-{self.sdk}")
        future: Future[T] = self._threads.submit(context, self.guarded, work, asking)
        try:
            return await asyncio.wrap_future(future)
        finally:
            asking.give_up()

    def sent(
        self,
        asking: A,
        method: str,
        url: str,
        headers: Mapping[str, Any],
        body: str | bytes | None,
        **note: Any,
    ) -> httpx.Response:
        """In a thread, in the SDK's place: have a request sent, and wait for the answer.

        `note`: what the door is told of it: operation, bucket, repeatable, secrets.
        """
        passed = self._pass(asking, method, url, headers, body, note)
        asking.sending = coming = asyncio.run_coroutine_threadsafe(passed, asking.loop)
        if asking.given_up:
            coming.cancel()
        answer = coming.result()
        asking.sending = None
        return answer

    async def _pass(
        self,
        asking: A,
        method: str,
        url: str,
        headers: Mapping[str, Any],
        body: str | bytes | None,
        note: Mapping[str, Any],
    ) -> httpx.Response:
        """On the event loop: through the door."""
        import httpx

        await self._http.check(url, asking.account)
        if self._door is None:
            self._door = self._open(*self.reads)
        told = {"account": asking.account, "retries": asking.retries, "keyed": True, "json": True, **note}
        passed = httpx.Request(
            method,
            url,
            headers={name: text(value) for name, value in headers.items()},
            content=body.encode() if isinstance(body, str) else body or b"",
            extensions={"cloudtop": told},
        )
        return await self._door.handle_async_request(passed)


def adapter(requests: Any, send: Callable[[Any], httpx.Response]) -> Any:
    """An adapter of requests, or of a copy of it that an SDK brings along, that has `send` send."""
    from io import BytesIO

    class Adapter(requests.adapters.BaseAdapter):  # type: ignore[misc]
        def send(self, request: Any, *about: Any, **more: Any) -> Any:
            answer = send(request)
            made = requests.Response()
            made.status_code, made.url, made.request = answer.status_code, request.url, request
            made.headers.update(answer.headers)
            made._content, made.raw = answer.content, BytesIO(answer.content)
            return made

        def close(self) -> None:
            """The door is closed by whoever opened it."""

    return Adapter()


def text(value: str | bytes) -> str:
    """A header's value, however an SDK holds it."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
