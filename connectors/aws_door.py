"""boto3 behind the house's door: botocore signs and parses, the door sends.

botocore calls us where it would send (`before-send`); the signed request is then passed by the one door of
this provider on the event loop, and comes back as a whole answer or a CloudError. So rate, number in
flight, dead hosts, deadline, retries and audit are the door's, for every request that any client makes:
those of credential providers too. botocore's own retries are off. What is safe to repeat is told by the
operation, since on the wire all of EC2 is POST; a repeat carries the same signature, which AWS takes for
five minutes. AWS counts requests by account, region and service, and so does the door.

boto3 waits, so it runs in a few daemon threads of the provider: the process can always end. A call that is
given up gives its thread back at once. Imported late: boto3, botocore, httpx.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.errors import NotConfigured
from connectors.aws_errors import parsed, refusal
from connectors.aws_session import Clients
from connectors.threads import DaemonThreads

if TYPE_CHECKING:
    import httpx

    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

T = TypeVar("T")
READS = re.compile(r"(BatchGet|Describe|List|Get|Head|Lookup|Search|Simulate|AssumeRole)")
"""Operations that change nothing, by how their names begin."""
RENEWING = ("sts", "sso", "sso-oidc", "signin")
"""Services that renew credentials. Whoever computes may be waiting for these, so they do not wait for it."""
LONGEST_S = 10.0
"""How long a thread waits until it computes beside another."""
TOKENS = ("X-Amz-Security-Token", "x-amz-sso_bearer_token")
"""Headers that hold a secret as it is."""


@dataclass(eq=False, slots=True)
class _Asking:
    """One call on its way: whose it is, how often it may be tried again, and what of it is on the wire."""

    door: BotoDoor
    loop: asyncio.AbstractEventLoop
    service: str
    region: str
    account: str
    retries: int | None = None
    sending: Future[Any] | None = None
    computing: bool = False
    given_up: bool = False

    def give_up(self) -> None:
        """Take back what is on the wire, and send nothing more."""
        self.given_up = True
        if self.sending:
            self.sending.cancel()


_asking: ContextVar[_Asking] = ContextVar("asking")


class BotoDoor:
    """Every boto3 client of one provider. `door` opens a door."""

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
        self._computing = threading.Lock()
        self._clients = Clients(facts, settings, http, _sent_by_the_door)

    async def call(
        self,
        service: str,
        operation: str,
        *,
        region: str,
        account: str,
        retries: int | None = None,
        **arguments: Any,
    ) -> Any:
        """The parsed answer of one operation, named as boto3 names it; every failure is a CloudError.

        `retries`: how often it is tried again at most, of what can be done without.
        """
        asking = self._ask(service, region, account, retries)

        def asked() -> Any:
            return getattr(self._clients.client(service, region, account), operation)(**arguments)

        return await self._threaded(asked, asking)

    async def pages(
        self,
        service: str,
        operation: str,
        *,
        region: str,
        account: str,
        read: Callable[[Any], T],
        size: int | None = None,
        retries: int | None = None,
        **arguments: Any,
    ) -> AsyncGenerator[T, None]:
        """What `read` makes of each page of a listing, in the thread that parsed it.

        botocore's own paginator knows the tokens; one that comes twice is Invalid. `size`: records of a page.
        """
        pages: Iterator[Any] | None = None

        def turned() -> tuple[T] | None:
            nonlocal pages
            if pages is None:
                asked = {**arguments, **({"PaginationConfig": {"PageSize": size}} if size else {})}
                pages = iter(
                    self._clients.client(service, region, account).get_paginator(operation).paginate(**asked)
                )
            page = next(pages, None)
            if page is None:
                return None
            made = (read(page),)
            # The paginator keeps its last page until the next one is there.
            for value in page.values():
                if isinstance(value, list):
                    value.clear()
            return made

        while (
            made := await self._threaded(turned, self._ask(service, region, account, retries))
        ) is not None:
            yield made[0]

    def endpoint(self, service: str, region: str, account: str) -> str:
        """Where a service is asked, for the source of a row."""
        return self._settings.endpoint_of(account) or f"https://{service}.{region}.amazonaws.com"

    async def aclose(self) -> None:
        """Close the connections and end the threads; the next call makes new ones."""
        door, self._door = self._door, None
        threads, self._threads = self._threads, None
        if threads is not None:
            await threads.aclose()
        if door is not None:
            await door.aclose()

    def _ask(self, service: str, region: str, account: str, retries: int | None = None) -> _Asking:
        return _Asking(self, asyncio.get_running_loop(), service, region, account, retries)

    async def _threaded(self, work: Callable[[], T], asking: _Asking) -> T:
        """Let a thread of the provider do it; who gives up takes back what is on the wire."""
        context = copy_context()
        context.run(_asking.set, asking)
        if self._threads is None:
            bound = self._settings.in_flight or self._facts.in_flight
            self._threads = DaemonThreads(bound, f"{self._facts.id}-boto3")
        future: Future[T] = self._threads.submit(context, self._guarded, work, asking)
        try:
            return await asyncio.wrap_future(future)
        finally:
            asking.give_up()

    def _guarded(self, work: Callable[[], T], asking: _Asking) -> T:
        """In a thread: let a client be made and asked; what botocore raises becomes a CloudError."""
        self._compute(asking)
        try:
            from boto3.exceptions import Boto3Error
            from botocore.exceptions import BotoCoreError, ClientError
            from botocore.parsers import ResponseParserError
        except ImportError as error:
            self._wait(asking)
            message = f"{self._facts.title} is asked through the package boto3, which is not installed."
            raise NotConfigured(message, "Install it: pip install 'cloudtop[aws]'.") from error
        try:
            return work()
        except (BotoCoreError, ClientError, Boto3Error, ResponseParserError) as error:
            # What the wire or an error answer means is a CloudError already: this is the request or the text.
            about = asking.service, asking.region, asking.account
            raise self._clients.trouble(error, *about) from error
        finally:
            self._wait(asking)

    def _compute(self, asking: _Asking) -> None:
        """One thread computes at a time, the others wait for answers: all of them together would take more
        memory and no less time, and leave the event loop none.
        """
        asking.computing = self._computing.acquire(timeout=LONGEST_S)

    def _wait(self, asking: _Asking) -> None:
        """Let another thread compute."""
        if asking.computing:
            asking.computing = False
            self._computing.release()

    def send(self, request: Any, event_name: str, asking: _Asking) -> Any:
        """In a thread, in botocore's place: have the signed request sent, and wait for the answer."""
        from io import BytesIO

        from botocore.awsrequest import AWSResponse

        self._wait(asking)
        service, operation = event_name.split(".", 2)[1:]
        coming = asyncio.run_coroutine_threadsafe(
            self._sent(request, service, operation, asking), asking.loop
        )
        asking.sending = coming
        if asking.given_up:
            coming.cancel()
        answer: httpx.Response = coming.result()
        asking.sending = None
        made = AWSResponse(request.url, answer.status_code, dict(answer.headers), BytesIO(answer.content))
        made._content = answer.content
        if service not in RENEWING:
            self._compute(asking)
        return made

    async def _sent(self, request: Any, service: str, operation: str, asking: _Asking) -> httpx.Response:
        """On the event loop: through the door."""
        import httpx

        await self._http.check(request.url, asking.account)
        if self._door is None:
            self._door = self._open(refusal, parsed)
        headers = {name: _text(value) for name, value in request.headers.items()}
        tokens = [headers[name] for name in TOKENS if name in headers]
        if request.url.startswith("http:"):
            # The one secret that travels with a request does not travel unencrypted.
            headers = {name: value for name, value in headers.items() if name not in TOKENS}
        note = {
            "operation": f"{service} {operation}",
            "account": asking.account,
            "bucket": f"{asking.account} {asking.region} {service}",
            "retries": asking.retries,
            "repeatable": READS.match(operation) is not None,
            "keyed": True,
            "json": True,
            "secrets": [one for one in (*self._clients.keys(asking.account), *tokens) if one],
        }
        passed = httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.body or b"",
            extensions={"cloudtop": note},
        )
        return await self._door.handle_async_request(passed)


def _sent_by_the_door(request: Any, event_name: str, **more: Any) -> Any:
    """botocore's event, told to the call that is under way in this thread."""
    asking = _asking.get()
    return asking.door.send(request, event_name, asking)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
