"""Oracle's SDK behind the house's door: the SDK signs and knows the paths, the door sends.

The SDK's sessions send through an adapter of ours. Its own retries and circuit breakers are off. All
that is asked only reads, so all may be repeated; a repeat carries the same signature, which Oracle takes for
five minutes. Oracle counts the requests of a user by region and service, and so does the door; those to
Monitoring it counts by tenancy.
 Imported late: oci.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cloudtop.errors import CloudError, Forbidden, Invalid, NotConfigured, Unauthorized
from connectors.oci_session import Clients, Identity
from connectors.sdk_door import Asking, SdkDoor, adapter, under_way

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


@dataclass(eq=False, slots=True, kw_only=True)
class _Asking(Asking):
    """One call of the SDK on its way."""

    door: OciDoor
    service: str
    operation: str
    region: str


class OciDoor(SdkDoor[_Asking]):
    """Every client of the SDK. `door` opens a door."""

    sdk = "oci"
    reads = (refusal, parsed)

    def __init__(
        self,
        facts: Facts,
        settings: ProviderSettings,
        http: Http,
        door: Callable[..., httpx.AsyncBaseTransport],
    ) -> None:
        super().__init__(facts, settings, http, door)
        self._clients = Clients(facts, settings, http, _adapter)

    async def identity(self, account: str) -> Identity:
        """Who an account is; files are read in a thread."""
        asking = self._ask("identity", "who", "", account)
        return await self.threaded(lambda: self._clients.identity(account), asking)

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

        return await self.threaded(asked, self._ask(service, operation, region, account, retries))

    def _ask(
        self, service: str, operation: str, region: str, account: str, retries: int | None = None
    ) -> _Asking:
        loop = asyncio.get_running_loop()
        about: dict[str, Any] = {"service": service, "operation": operation, "region": region}
        return _Asking(door=self, loop=loop, account=account, retries=retries, **about)

    def guarded(self, work: Callable[[], T], asking: _Asking) -> T:
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
        place = "" if asking.service == "monitoring" else asking.region
        return self.sent(
            asking,
            request.method,
            request.url,
            request.headers,
            request.body,
            operation=f"{asking.service} {asking.operation}",
            bucket=f"{asking.account} {place} {asking.service}",
            repeatable=True,
            secrets=self._clients.secrets(asking.account),
        )


def _adapter() -> Any:
    """What the SDK's sessions send through: it passes a request to the call under way in its thread."""
    from oci._vendor import requests
    from oci._vendor.requests import adapters  # noqa: F401  an attribute of it from now on

    def send(request: Any) -> httpx.Response:
        asking: _Asking = under_way.get()
        return asking.door.send(request, asking)

    return adapter(requests, send)
