"""Oracle's SDK behind the house's door: the SDK signs and knows the paths, the door sends.

The SDK's sessions send through an adapter of ours: the signed request is passed by the one door of this
provider on the event loop, and comes back as a whole answer or a CloudError. So rate, number in flight, dead
hosts, deadline, retries and audit are the door's. The SDK's own retries and circuit breakers are off. All
that is asked only reads, so all may be repeated; a repeat carries the same signature, which Oracle takes for
five minutes. Oracle counts the requests of a user by region and service, and so does the door; those to
Monitoring it counts by tenancy.

The SDK waits, so it runs in a few daemon threads of the provider: the process can always end. A call that is
given up gives its thread back at once. Imported late: oci, httpx.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cloudtop.errors import CloudError, Forbidden, Invalid, NotConfigured, Unauthorized
from connectors.oci_session import Clients, Identity
from connectors.threads import DaemonThreads

if TYPE_CHECKING:
    import httpx

    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

T = TypeVar("T")
NEXT_PAGE = "opc-next-page"
LONGEST_ERROR = 20_000
"""An answer that is longer is data."""
MEANINGS: dict[str, type[CloudError]] = {
    # Oracle does not tell what is not there from what one may not see.
    "NotAuthorizedOrNotFound": Forbidden,
    "NotAuthorized": Forbidden,
    "NotAllowed": Forbidden,
    "SignUpRequired": Forbidden,
    "NotAuthenticated": Unauthorized,
}
"""What Oracle means by an error's code, where that says more than the status."""


class Answer(NamedTuple):
    """The JSON of an answer, and the token of the page after it."""

    data: Any
    more: str | None


@dataclass(eq=False, slots=True)
class _Asking:
    """One call on its way: whose it is, how often it may be tried again, and what of it is on the wire."""

    door: OciDoor
    loop: asyncio.AbstractEventLoop
    service: str
    operation: str
    region: str
    account: str
    retries: int | None = None
    sending: Future[Any] | None = None
    given_up: bool = False

    def give_up(self) -> None:
        """Take back what is on the wire, and send nothing more."""
        self.given_up = True
        if self.sending:
            self.sending.cancel()


_asking: ContextVar[_Asking] = ContextVar("asking")


class OciDoor:
    """Every client of the SDK. `door` opens a door."""

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
        self._clients = Clients(facts, settings, http, _adapter)

    async def identity(self, account: str) -> Identity:
        """Who an account is; files are read in a thread."""
        asking = self._ask("identity", "who", "", account)
        return await self._threaded(lambda: self._clients.identity(account), asking)

    async def call(
        self,
        service: str,
        operation: str,
        about: Mapping[str, Any],
        *,
        region: str,
        account: str,
        retries: int | None = None,
    ) -> Answer:
        """The answer of one operation, named as the SDK names it; every failure is a CloudError.

        `retries`: how often it is tried again at most, of what can be done without.
        """

        def asked() -> Answer:
            client = self._clients.client(service, region, account)
            answer = getattr(client, operation)(**about)
            return Answer(answer.data, answer.headers.get(NEXT_PAGE))

        return await self._threaded(asked, self._ask(service, operation, region, account, retries))

    async def aclose(self) -> None:
        """Close the connections and end the threads; the next call makes new ones."""
        door, self._door = self._door, None
        threads, self._threads = self._threads, None
        if threads is not None:
            await threads.aclose()
        if door is not None:
            await door.aclose()

    def _ask(
        self, service: str, operation: str, region: str, account: str, retries: int | None = None
    ) -> _Asking:
        return _Asking(self, asyncio.get_running_loop(), service, operation, region, account, retries)

    async def _threaded(self, work: Callable[[], T], asking: _Asking) -> T:
        """Let a thread of the provider do it; who gives up takes back what is on the wire."""
        context = copy_context()
        context.run(_asking.set, asking)
        if self._threads is None:
            bound = self._settings.in_flight or self._facts.in_flight
            self._threads = DaemonThreads(bound, self._facts.id)
        future: Future[T] = self._threads.submit(context, self._guarded, work, asking)
        try:
            return await asyncio.wrap_future(future)
        finally:
            asking.give_up()

    def _guarded(self, work: Callable[[], T], asking: _Asking) -> T:
        """In a thread: what the SDK raises becomes a CloudError."""
        try:
            import configparser

            from oci.exceptions import ClientError, RequestException
        except ImportError as error:
            message = f"{self._facts.title} is asked through the package oci, which is not installed."
            raise NotConfigured(message, "Install it: pip install 'cloudtop[oci]'.") from error
        try:
            return work()
        except (ClientError, RequestException, ValueError, OSError, configparser.Error) as error:
            # What the wire or an answer means is a CloudError already: this is the request or the key.
            raise self._clients.trouble(error, asking.service, asking.account) from error

    def send(self, request: Any, asking: _Asking) -> httpx.Response:
        """In a thread, in the SDK's place: have the signed request sent, and wait for the answer."""
        coming = asyncio.run_coroutine_threadsafe(self._sent(request, asking), asking.loop)
        asking.sending = coming
        if asking.given_up:
            coming.cancel()
        answer = coming.result()
        asking.sending = None
        return answer

    async def _sent(self, request: Any, asking: _Asking) -> httpx.Response:
        """On the event loop: through the door."""
        import httpx

        await self._http.check(request.url, asking.account)
        if self._door is None:
            self._door = self._open(refusal, parsed)
        place = "" if asking.service == "monitoring" else asking.region
        note = {
            "operation": f"{asking.service} {asking.operation}",
            "account": asking.account,
            "bucket": f"{asking.account} {place} {asking.service}",
            "retries": asking.retries,
            "repeatable": True,
            "keyed": True,
            "json": True,
            "secrets": self._clients.secrets(asking.account),
        }
        body = request.body or b""
        passed = httpx.Request(
            request.method,
            request.url,
            headers={name: _text(value) for name, value in request.headers.items()},
            content=body.encode() if isinstance(body, str) else body,
            extensions={"cloudtop": note},
        )
        return await self._door.handle_async_request(passed)


def parsed(body: bytes) -> tuple[Any, bool]:
    """What an answer says of itself, and whether it is whole. A long one is taken apart in a thread."""
    if len(body) > LONGEST_ERROR and (body[:1] + body[-1:]) in (b"{}", b"[]"):
        return {}, True
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return None, False


def refusal(status: int, document: Any) -> type[CloudError] | None:
    """What Oracle means by an error, where its code says more than the status; one may hide behind a 200."""
    code = document.get("code") if isinstance(document, dict) else None
    if status < 300:
        return Invalid if code and document.get("message") else None
    return MEANINGS.get(str(code))


def _adapter() -> Any:
    """What the SDK's sessions send through."""
    from oci._vendor.requests import Response
    from oci._vendor.requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):  # type: ignore[misc]
        """Passes a signed request to the call that is under way in this thread."""

        def send(self, request: Any, **how: Any) -> Any:
            asking = _asking.get()
            answer = asking.door.send(request, asking)
            made = Response()
            made.status_code, made.url, made.request = answer.status_code, request.url, request
            made.headers.update(answer.headers)
            made._content = answer.content
            return made

        def close(self) -> None:
            """Nothing is held here."""

    return Adapter()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
