"""boto3 behind the house's door: botocore signs and parses, the door sends.

botocore calls us where it would send (`before-send`), for every request that any client makes: those of
credential providers too. botocore's own retries are off. What is safe to repeat is told by the
operation, since on the wire all of EC2 is POST; a repeat carries the same signature, which AWS takes for
five minutes. AWS counts requests by account, region and service, and so does the door.

Imported late: boto3, botocore.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.errors import NotConfigured
from connectors.aws_errors import parsed, refusal
from connectors.aws_session import Clients, lightly
from connectors.aws_xml import in_place
from connectors.sdk_door import Asking, SdkDoor, text, under_way

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


@dataclass(eq=False, slots=True, kw_only=True)
class _Asking(Asking):
    """One call of boto3 on its way."""

    door: BotoDoor
    service: str
    region: str
    computing: bool = False


class BotoDoor(SdkDoor[_Asking]):
    """Every boto3 client of one provider. `door` opens a door."""

    sdk = "boto3"
    reads = (refusal, parsed)

    def __init__(
        self,
        facts: Facts,
        settings: ProviderSettings,
        http: Http,
        door: Callable[..., httpx.AsyncBaseTransport],
    ) -> None:
        super().__init__(facts, settings, http, door)
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
            return in_place(
                getattr(self._clients.client(service, region, account), operation)(**arguments), list
            )

        return await self.threaded(asked, asking)

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

        The records of a page may be an iterator, so that a long page is never there as a whole.
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
            made = (read(in_place(page)),)
            # The paginator keeps its last page until the next one is there.
            for value in page.values():
                if isinstance(value, list):
                    value.clear()
            return made

        while (made := await self.threaded(turned, self._ask(service, region, account, retries))) is not None:
            yield made[0]

    def endpoint(self, service: str, region: str, account: str) -> str:
        """Where a service is asked, for the source of a row."""
        return self._settings.endpoint_of(account) or f"https://{service}.{region}.amazonaws.com"

    def _ask(self, service: str, region: str, account: str, retries: int | None = None) -> _Asking:
        loop = asyncio.get_running_loop()
        return _Asking(door=self, loop=loop, service=service, region=region, account=account, retries=retries)

    def guarded(self, work: Callable[[], T], asking: _Asking) -> T:
        """In a thread: let a client be made and asked; what botocore raises becomes a CloudError."""
        self._compute(asking)
        try:
            with lightly():
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
        headers = {name: text(value) for name, value in request.headers.items()}
        tokens = [headers[name] for name in TOKENS if name in headers]
        if request.url.startswith("http:"):
            # The one secret that travels with a request does not travel unencrypted.
            headers = {name: value for name, value in headers.items() if name not in TOKENS}
        answer = self.sent(
            asking,
            request.method,
            request.url,
            headers,
            request.body,
            operation=f"{service} {operation}",
            bucket=f"{asking.account} {asking.region} {service}",
            repeatable=READS.match(operation) is not None,
            secrets=[one for one in (*self._clients.keys(asking.account), *tokens) if one],
        )
        made = AWSResponse(request.url, answer.status_code, dict(answer.headers), BytesIO(answer.content))
        made._content = answer.content
        if service not in RENEWING:
            self._compute(asking)
        return made


def _sent_by_the_door(request: Any, event_name: str, **more: Any) -> Any:
    """botocore's event, told to the call that is under way in this thread."""
    asking: _Asking = under_way.get()
    return asking.door.send(request, event_name, asking)
