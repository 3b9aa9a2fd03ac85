"""google-cloud-compute and google-auth behind the house's door: they make requests and read answers, the door
sends.

Both stand on `requests`, or on something that is called like it. The SDK's own retries are off, and it knows
no credentials: the token goes along where the door is. `google.cloud.compute_v1` takes seconds to import; a
server begins with that in a thread of its own when it starts, others when Compute Engine is first asked.
Imported late: google.cloud.compute_v1, google.auth, requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from cloudtop.errors import CloudError, Invalid, NotConfigured
from connectors.gcp_errors import refusal
from connectors.sdk_door import Asking, SdkDoor, adapter, under_way

if TYPE_CHECKING:
    import httpx

    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

T = TypeVar("T")
SHORTEST_SECRET = 12
Trouble = Callable[[Exception, str], CloudError]


@dataclass(eq=False, slots=True, kw_only=True)
class _Asking(Asking):
    """One call on its way: what its request carries, and what an exception of Google's packages means."""

    headers: Mapping[str, str]
    operation: str
    trouble: Trouble


class GoogleDoor(SdkDoor[_Asking]):
    """Whatever Google's packages send for one provider. `door` opens a door."""

    sdk = "google"
    reads = (refusal,)

    def __init__(
        self,
        facts: Facts,
        settings: ProviderSettings,
        http: Http,
        door: Callable[..., httpx.AsyncBaseTransport],
    ) -> None:
        super().__init__(facts, settings, http, door)
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
        loop = asyncio.get_running_loop()
        asking = _Asking(
            loop=loop,
            account=account,
            retries=retries,
            headers=headers or {},
            operation=operation,
            trouble=trouble,
        )
        return await self.threaded(work, asking)

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
            return Answer(self._passed(method, url, headers or {}, body))

        return send

    def guarded(self, work: Callable[[], T], asking: _Asking) -> T:
        """In a thread: what Google's packages raise becomes a CloudError."""
        try:
            return work()
        except (CloudError, asyncio.CancelledError):
            raise
        except ImportError as error:
            message = f"{self._facts.title} is asked through google-cloud-compute, which is not installed."
            raise NotConfigured(message, "Install it: pip install 'cloudtop[gcp]'.") from error
        except Exception as error:
            raise asking.trouble(error, asking.account) from error

    def _unread(self, error: Exception, account: str) -> CloudError:
        """What an exception of the SDK means: whatever is wrong on the wire is a CloudError already."""
        message = f"{self._facts.title} answered what its own package cannot read ({type(error).__name__})."
        return Invalid(message, "Try again; if it stays so, the interface may have changed.")

    def _client(self, name: str, account: str) -> Any:
        """A client of the SDK that sends through the door; the same for all of an account."""
        if (name, account) not in self._clients:
            import requests
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
                session.mount(scheme, adapter(requests, self._sent_of))
            self._clients[name, account] = made
        return self._clients[name, account]

    def _sent_of(self, request: Any) -> httpx.Response:
        """In a thread: have a request of `requests` sent."""
        return self._passed(request.method, request.url, request.headers, request.body)

    def _passed(self, method: str, url: str, headers: Mapping[str, Any], body: Any) -> httpx.Response:
        """In a thread: have a request sent, and wait for the answer."""
        asking: _Asking = under_way.get()
        # httpx unpacks what it knows to unpack, and says itself what that is.
        own = {name: value for name, value in headers.items() if name.lower() != "accept-encoding"}
        answer = self.sent(
            asking,
            method,
            url,
            own | dict(asking.headers),
            body,
            operation=asking.operation,
            # All of it reads; a token may be asked for twice.
            repeatable=True,
            secrets=in_form(body.encode() if isinstance(body, str) else body or b""),
        )
        if not isinstance(answer.extensions["cloudtop_json"], Mapping):
            # The SDK would take it for an answer with nothing in it.
            raise Invalid(f"{self._facts.title} answered with something else than an object.", "Try again.")
        return answer


def in_form(content: bytes) -> list[str]:
    """What a request for a token holds, which nobody may repeat."""
    form = parse_qs(content.decode("utf-8", "replace"))
    return [value for values in form.values() for value in values if len(value) >= SHORTEST_SECRET]
