"""google-cloud-compute and google-auth behind the house's door: they make requests and read answers, the door
sends.

Both stand on `requests`, or on something that is called like it. The adapter mounted here passes each
request to the one door of this provider on the event loop, which brings a whole answer or a CloudError: so
rate, number in flight, dead hosts, deadline, retries and audit are the door's. The SDK's own retries are
off, and it knows no credentials: the token goes along where the door is.

The SDK waits, so it runs in a few daemon threads of the provider. `google.cloud.compute_v1` takes seconds
to import; that happens in such a thread, when Compute Engine is first asked.
Imported late: google.cloud.compute_v1, google.auth, requests, httpx.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from cloudtop.errors import CloudError, Invalid, NotConfigured
from connectors.gcp_errors import refusal
from connectors.threads import DaemonThreads

if TYPE_CHECKING:
    import httpx

    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

T = TypeVar("T")
SHORTEST_SECRET = 12
Trouble = Callable[[Exception, str], CloudError]


@dataclass(eq=False, slots=True)
class _Asking:
    """One call on its way: whose it is, what its request carries, and what of it is on the wire."""

    loop: asyncio.AbstractEventLoop
    account: str
    headers: Mapping[str, str]
    operation: str = ""
    retries: int | None = None
    sending: Future[Any] | None = None
    given_up: bool = False

    def give_up(self) -> None:
        """Take back what is on the wire, and send nothing more."""
        self.given_up = True
        if self.sending:
            self.sending.cancel()


_asking: ContextVar[_Asking] = ContextVar("asking")


class GoogleDoor:
    """Whatever Google's packages send for one provider. `door` opens a door."""

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
        self._clients: dict[tuple[str, str], Any] = {}

    async def compute(
        self,
        client: str,
        method: str,
        account: str,
        headers: Mapping[str, str],
        request: Mapping[str, Any],
        retries: int | None = None,
    ) -> dict[str, Any]:
        """One answer of Compute Engine, as its JSON would be: `client` and `method` are the SDK's names.

        Of a listing that is one page. `retries`: how often it is tried again at most.
        """

        def asked() -> dict[str, Any]:
            call = getattr(self._client(client, account), method)
            answer = call(request=dict(request), retry=None, timeout=None)
            page = next(iter(answer.pages)) if hasattr(answer, "pages") else answer
            made: dict[str, Any] = type(page).to_dict(
                page,
                use_integers_for_enums=False,
                preserving_proto_field_name=False,
                always_print_fields_with_no_presence=False,
            )
            return made

        operation = f"{client.removesuffix('Client')} {method}"
        return await self.run(asked, account, self._unread, headers, operation, retries)

    async def run(
        self,
        work: Callable[[], T],
        account: str,
        trouble: Trouble,
        headers: Mapping[str, str] | None = None,
        operation: str = "renew a token",
        retries: int | None = None,
    ) -> T:
        """Let a thread of the provider do it; `trouble` says what an exception of Google's packages means."""
        asking = _Asking(asyncio.get_running_loop(), account, headers or {}, operation, retries)
        context = copy_context()
        context.run(_asking.set, asking)
        if self._threads is None:
            bound = self._settings.in_flight or self._facts.in_flight
            self._threads = DaemonThreads(bound, f"{self._facts.id}-google")
        future: Future[T] = self._threads.submit(context, self._guarded, work, trouble, account)
        try:
            return await asyncio.wrap_future(future)
        finally:
            asking.give_up()

    def transport(self, account: str) -> Callable[..., Any]:
        """What google-auth sends its requests by: with an endpoint of the account's own, there."""
        from google.auth.transport import Response

        class Answer(Response):
            def __init__(self, answer: httpx.Response) -> None:
                self._answer = answer

            status = property(lambda self: self._answer.status_code)
            headers = property(lambda self: self._answer.headers)
            data = property(lambda self: self._answer.content)

        def send(
            url: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any
        ) -> Response:
            if own := self._settings.endpoint_of(account):
                url = own.rstrip("/") + urlsplit(url).path
            return Answer(self._pass(method, url, headers or {}, body))

        return send

    async def aclose(self) -> None:
        """Close the connections and end the threads; the next call makes new ones."""
        door, self._door = self._door, None
        threads, self._threads = self._threads, None
        if threads is not None:
            await threads.aclose()
        if door is not None:
            await door.aclose()

    def _guarded(self, work: Callable[[], T], trouble: Trouble, account: str) -> T:
        """In a thread: what Google's packages raise becomes a CloudError."""
        try:
            return work()
        except (CloudError, asyncio.CancelledError):
            raise
        except ImportError as error:
            message = f"{self._facts.title} is asked through google-cloud-compute, which is not installed."
            raise NotConfigured(message, "Install it: pip install 'cloudtop[gcp]'.") from error
        except Exception as error:
            raise trouble(error, account) from error

    def _unread(self, error: Exception, account: str) -> CloudError:
        """What an exception of the SDK means: whatever is wrong on the wire is a CloudError already."""
        message = f"{self._facts.title} answered what its own package cannot read ({type(error).__name__})."
        return Invalid(message, "Try again; if it stays so, the interface may have changed.")

    def _client(self, name: str, account: str) -> Any:
        """A client of the SDK that sends through the door; the same for all of an account."""
        if (name, account) not in self._clients:
            from google.api_core.client_options import ClientOptions
            from google.auth.credentials import AnonymousCredentials
            from google.cloud import compute_v1

            base = self._settings.endpoint_of(account) or self._facts.base_urls["compute"]
            made = getattr(compute_v1, name)(
                credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
                client_options=ClientOptions(api_endpoint=base.rstrip("/")),
            )
            session = made.transport._session
            session.trust_env = False
            session.adapters.clear()
            for scheme in ("https://", "http://"):
                session.mount(scheme, _adapter(self._pass))
            self._clients[name, account] = made
        return self._clients[name, account]

    def _pass(self, method: str, url: str, headers: Mapping[str, Any], body: Any) -> httpx.Response:
        """In a thread: have a request sent, and wait for the answer."""
        asking = _asking.get()
        coming = asyncio.run_coroutine_threadsafe(self._sent(method, url, headers, body, asking), asking.loop)
        asking.sending = coming
        if asking.given_up:
            coming.cancel()
        answer = coming.result()
        asking.sending = None
        return answer

    async def _sent(
        self, method: str, url: str, headers: Mapping[str, Any], body: Any, asking: _Asking
    ) -> httpx.Response:
        """On the event loop: through the door."""
        import httpx

        await self._http.check(url, asking.account)
        if self._door is None:
            self._door = self._open(refusal)
        sent = {name: _text(value) for name, value in headers.items()} | dict(asking.headers)
        # httpx unpacks what it knows to unpack, and says itself what that is.
        sent = {name: value for name, value in sent.items() if name.lower() != "accept-encoding"}
        content = body.encode() if isinstance(body, str) else body or b""
        note = {
            "operation": asking.operation,
            "account": asking.account,
            "retries": asking.retries,
            # All of it reads; a token may be asked for twice.
            "repeatable": True,
            "keyed": True,
            "json": True,
            "secrets": in_form(content),
        }
        passed = httpx.Request(method, url, headers=sent, content=content, extensions={"cloudtop": note})
        answer = await self._door.handle_async_request(passed)
        if not isinstance(answer.extensions["cloudtop_json"], Mapping):
            # The SDK would take it for an answer with nothing in it.
            raise Invalid(f"{self._facts.title} answered with something else than an object.", "Try again.")
        return answer


def in_form(content: bytes) -> list[str]:
    """What a request for a token holds, which nobody may repeat."""
    form = parse_qs(content.decode("utf-8", "replace"))
    return [value for values in form.values() for value in values if len(value) >= SHORTEST_SECRET]


def _adapter(send: Callable[..., httpx.Response]) -> Any:
    """An adapter of requests that has `send` send."""
    from io import BytesIO

    from requests import Response
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        def send(self, request: Any, *about: Any, **more: Any) -> Response:
            answer = send(request.method, request.url, request.headers, request.body)
            made = Response()
            made.status_code, made.url, made.request = answer.status_code, request.url, request
            made.headers.update(answer.headers)
            made._content, made.raw = answer.content, BytesIO(answer.content)
            return made

        def close(self) -> None:
            """The door is closed by whoever opened it."""

    return Adapter()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
