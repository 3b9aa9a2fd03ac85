"""boto3 behind the house's door: botocore signs and parses, the door sends.

botocore calls us where it would send (`before-send`); the signed request is then passed by the one door of
this provider on the event loop, and comes back as a whole answer or a CloudError. So rate, number in
flight, dead hosts, deadline, retries and audit are the door's, for every request that any client makes:
those of credential providers too. botocore's own retries are off. What is safe to repeat is told by the
operation, since on the wire all of EC2 is POST; a repeat carries the same signature, which AWS takes for
five minutes.

boto3 waits, so it runs in a few daemon threads of the provider: the process can always end. A call that is
given up gives its thread back at once. Nothing of the person's AWS configuration is read but what the
settings say. Imported late: boto3, botocore, httpx, logging.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import queue
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop import __version__
from cloudtop.errors import CloudError, Forbidden, Invalid, NotConfigured, NotFound, RateLimited, Unauthorized
from cloudtop.faults import THROTTLED

if TYPE_CHECKING:
    import httpx

    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

T = TypeVar("T")
READS = re.compile(r"(Describe|List|Get|Head|Lookup|Search|Simulate|AssumeRole)")
"""Operations that change nothing, by how their names begin."""
MEANINGS: tuple[tuple[re.Pattern[str], type[CloudError]], ...] = (
    (THROTTLED, RateLimited),
    (
        re.compile(
            r"AuthFailure|InvalidClientTokenId|InvalidAccessKeyId|ExpiredToken|SignatureDoesNotMatch|"
            r"UnrecognizedClient|MissingAuthenticationToken|IncompleteSignature|InvalidSignature|"
            r"RequestExpired|RequestTimeTooSkewed|"
            r"security token included in the request is (invalid|expired)",
            re.I,
        ),
        Unauthorized,
    ),
    (re.compile(r"UnauthorizedOperation|AccessDenied|OptInRequired", re.I), Forbidden),
    (re.compile(r"\.NotFound\b|ResourceNotFound|NoSuch[A-Z]", re.I), NotFound),
)
"""What AWS means by an error's code, whatever the status: EC2 throttles with 400 and 503 too."""
ERRORS = ("Response", "ErrorResponse", "Error")
"""The outermost elements of the errors of EC2, of most others, and of S3."""


@dataclass(eq=False, slots=True)
class _Asking:
    """One call on its way: whose it is, and what of it is on the wire."""

    door: BotoDoor
    loop: asyncio.AbstractEventLoop
    account: str
    sending: Future[Any] | None = None
    given_up: bool = False

    def give_up(self) -> None:
        """Take back what is on the wire, and send nothing more."""
        self.given_up = True
        if self.sending:
            self.sending.cancel()


_asking: ContextVar[_Asking] = ContextVar("asking")
_MAKING = threading.Lock()
"""Clients are made one at a time, as boto3 wants it; they may be used side by side."""


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
        self._clients: dict[tuple[str, str, str], Any] = {}

    async def call(self, service: str, operation: str, *, region: str, account: str, **arguments: Any) -> Any:
        """The parsed answer of one operation, named as boto3 names it; every failure is a CloudError."""

        def asked() -> Any:
            return getattr(self._client(service, region, account), operation)(**arguments)

        return await self._threaded(asked, service, region, account)

    async def pages(
        self,
        service: str,
        operation: str,
        *,
        region: str,
        account: str,
        read: Callable[[Any], list[T]],
        size: int | None = None,
        **arguments: Any,
    ) -> AsyncGenerator[list[T], None]:
        """What `read` makes of each page of a listing, in the thread that parsed it.

        botocore's own paginator knows the tokens; one that comes twice is Invalid. `size`: records of a page.
        """
        pages: Iterator[Any] | None = None

        def turned() -> list[T] | None:
            nonlocal pages
            if pages is None:
                asked = {**arguments, **({"PaginationConfig": {"PageSize": size}} if size else {})}
                pages = iter(
                    self._client(service, region, account).get_paginator(operation).paginate(**asked)
                )
            page = next(pages, None)
            return None if page is None else read(page)

        while (rows := await self._threaded(turned, service, region, account)) is not None:
            yield rows

    async def _threaded(self, work: Callable[[], T], service: str, region: str, account: str) -> T:
        """Let a thread of the provider do it; who gives up takes back what is on the wire."""
        asking = _Asking(self, asyncio.get_running_loop(), account)
        context = copy_context()
        context.run(_asking.set, asking)
        if self._threads is None:
            bound = self._settings.in_flight or self._facts.in_flight
            self._threads = DaemonThreads(bound, f"{self._facts.id}-boto3")
        future: Future[T] = self._threads.submit(context, self._guarded, work, service, region)
        try:
            return await asyncio.wrap_future(future)
        finally:
            asking.give_up()

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

    def _guarded(self, work: Callable[[], T], service: str, region: str) -> T:
        """In a thread: let a client be made and asked; what botocore raises becomes a CloudError."""
        try:
            from boto3.exceptions import Boto3Error
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            message = f"{self._facts.title} is asked through the package boto3, which is not installed."
            raise NotConfigured(message, "Install it: pip install 'cloudtop[aws]'.") from error
        try:
            return work()
        except (BotoCoreError, ClientError, Boto3Error) as error:
            # What the wire or an error answer means is a CloudError already: this is the request or the text.
            raise self._unreadable(error, service, region) from error

    def _unreadable(self, error: Exception, service: str, region: str) -> CloudError:
        name, title = type(error).__name__, self._facts.title
        if name == "ResponseParserError":
            message = f"{title} ({service} in {region}) ended its answer in the middle, or wrote it wrongly."
            return Invalid(message, "Try again; if it stays so, the interface may have changed.")
        message = f"The request to {title} ({service} in {region}) could not be made ({name})."
        return Invalid(message, "Check the region's name; if it stays so, report it.")

    def _client(self, service: str, region: str, account: str) -> Any:
        """One client for each service, region and account."""
        wanted = service, region, account
        with _MAKING:
            if wanted not in self._clients:
                self._clients[wanted] = self._made(service, region, account)
            return self._clients[wanted]

    def _made(self, service: str, region: str, account: str) -> Any:
        from botocore.config import Config

        key_id, secret = (self._http.key(account, name) for name in ("access_key_id", "secret_access_key"))
        if not (key_id and secret):
            message = f"{self._facts.title} needs an access key for this, and none is set for {account}."
            raise NotConfigured(message, f"Set {self._facts.to_set}.")
        own = self._settings.endpoint_of(account)
        paths: dict[str, Any] = {"s3": {"addressing_style": "path"}} if own else {}
        plain = own is not None and own.startswith("http:")
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"cloudtop/{__version__}",
            # Where requests go is said by the settings, not by AWS_ENDPOINT_URL.
            ignore_configured_endpoint_urls=True,
            **paths,
        )
        return _session().client(
            service,
            region_name=region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            # The one secret that travels with a request does not travel unencrypted.
            aws_session_token=None if plain else self._http.key(account, "session_token"),
            endpoint_url=own,
            config=config,
        )

    def send(self, request: Any, event_name: str) -> Any:
        """In a thread, in botocore's place: have the signed request sent, and wait for the answer."""
        from io import BytesIO

        from botocore.awsrequest import AWSResponse

        asking = _asking.get()
        service, operation = event_name.split(".", 2)[1:]
        coming = asyncio.run_coroutine_threadsafe(
            self._sent(request, service, operation, asking), asking.loop
        )
        asking.sending = coming
        if asking.given_up:
            coming.cancel()
        answer: httpx.Response = coming.result()
        made = AWSResponse(request.url, answer.status_code, dict(answer.headers), BytesIO(answer.content))
        made._content = answer.content
        return made

    async def _sent(self, request: Any, service: str, operation: str, asking: _Asking) -> httpx.Response:
        """On the event loop: through the door."""
        import httpx

        await self._http.check(request.url, asking.account)
        if self._door is None:
            self._door = self._open(refusal, parsed)
        keys = (self._http.key(asking.account, name) for name in self._facts.credentials)
        note = {
            "operation": f"{service} {operation}",
            "account": asking.account,
            "repeatable": READS.match(operation) is not None,
            "keyed": True,
            "json": True,
            "secrets": [key for key in keys if key],
        }
        passed = httpx.Request(
            request.method,
            request.url,
            headers=[(name, _text(value)) for name, value in request.headers.items()],
            content=request.body or b"",
            extensions={"cloudtop": note},
        )
        return await self._door.handle_async_request(passed)


@cache
def _session() -> Any:
    """One session for the process: what botocore reads about a service, it reads once."""
    import logging

    import boto3
    from botocore.session import Session

    # At debug level it logs signed headers, and a session token is one of them.
    for name in ("boto3", "botocore"):
        logging.getLogger(name).setLevel(logging.INFO)
    # No profile and no file: a broken ~/.aws/config is no reason to know no prices.
    nothing: dict[str, Any] = {"profile": (None, None, None, None)}
    nothing |= dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    made = boto3.Session(botocore_session=Session(session_vars=nothing))

    def send(request: Any, event_name: str, **more: Any) -> Any:
        return _asking.get().door.send(request, event_name)

    made.events.register("before-send", send)
    return made


class DaemonThreads:
    """A few threads that the end of the process does not wait for, unlike those of concurrent.futures."""

    def __init__(self, size: int, name: str) -> None:
        self._size, self._name = size, name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[tuple[threading.Thread, Future[None]]] = []
        self._idle = 0

    def submit(self, context: Context, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start `function` in a thread, within `context`."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(context.run(function, *arguments))
            except BaseException as error:  # noqa: BLE001  it belongs to whoever waits for the result
                future.set_exception(error)

        with self._lock:
            self._work.put(work)
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._size:
                ended: Future[None] = Future()
                name = f"{self._name}-{len(self._threads)}"
                thread = threading.Thread(target=self._serve, args=(ended,), name=name, daemon=True)
                self._threads.append((thread, ended))
                thread.start()
        return future

    async def aclose(self, patience_s: float = 0.5) -> None:
        """End the threads; one that is still busy ends with its work."""
        for _ in self._threads:
            self._work.put(None)
        if self._threads:
            endings = [asyncio.wrap_future(ended) for _, ended in self._threads]
            await asyncio.wait(endings, timeout=patience_s)
        for thread, ended in self._threads:
            if ended.done():
                thread.join()

    def _serve(self, ended: Future[None]) -> None:
        while (work := self._work.get()) is not None:
            work()
            # Nothing of the last call is kept alive while waiting.
            del work
            with self._lock:
                if self._work.empty():
                    self._idle += 1
        ended.set_result(None)


def parsed(body: bytes) -> tuple[Any, bool]:
    """A body of any AWS protocol, and whether it was whole; of an error its code and message.

    `failed`: it says itself that it is an error, so it is one whatever the status.
    """
    if body.lstrip()[:1] == b"<":
        root = _root(body)
        found = {
            name.lower(): html.unescape(match[1].decode("utf-8", "replace").strip())
            for name in ("Code", "Message")
            if (match := re.search(rb"<%b>([^<]*)</%b>" % (name.encode(), name.encode()), body))
        }
        return {**found, "failed": root in ERRORS}, root not in ("", "html")
    try:
        document = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(document, Mapping):
        return {}, True
    kind = str(document.get("__type") or document.get("code") or "").rpartition("#")[2]
    return {"code": kind, "message": document.get("message") or document.get("Message") or ""}, True


def refusal(status: int, document: Any) -> type[CloudError] | None:
    """What AWS means by an error, where its code says more than the status."""
    if status < 300 and document.get("failed") is not True:
        return None
    # The words of the message count only where no code is told.
    told = str(document.get("code") or document.get("message") or "")
    meant = (kind for pattern, kind in MEANINGS if pattern.search(told))
    return next(meant, Invalid if status < 300 else None)


def _root(body: bytes) -> str:
    """The name of an XML document's outermost element, "" where it is not whole."""
    from xml.parsers.expat import ExpatError, ParserCreate

    names: list[str] = []
    parser = ParserCreate()
    parser.StartElementHandler = lambda name, _: names.append(name) if not names else None
    try:
        parser.Parse(body, True)
    except ExpatError:
        return ""
    return names[0].rpartition(":")[2]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
