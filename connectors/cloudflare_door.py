"""Cloudflare's SDK behind the house's door: it makes the requests, the door sends them.

The SDK's async client takes an httpx client, and ours hands each request to the door of this provider, which
also brings the key: the SDK is given none, and what it finds in the environment does not leave. Its retries
are off. What it would make of the records is not made: their fields are the same, and lists that Cloudflare
answers with nulls where the SDK wants values are read all the same. This module is imported late, in a
thread: it imports cloudflare, and of it what is asked here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import cloudflare.resources.accounts
import cloudflare.resources.ai
import cloudflare.resources.d1
import cloudflare.resources.kv
import cloudflare.resources.pages
import cloudflare.resources.queues
import cloudflare.resources.r2
import cloudflare.resources.resource_tagging
import cloudflare.resources.user
import cloudflare.resources.workers
import cloudflare.resources.zones  # noqa: F401  the client imports them when they are used, on the event loop
from cloudflare import APIConnectionError, AsyncCloudflare

from cloudtop import net
from cloudtop.errors import CloudError

if TYPE_CHECKING:
    import httpx

    from connectors.http import Http

BASE = "client/v4/"
TAKEN = ("accept", "content-type", "cf-r2-jurisdiction")
"""The headers of a request that Cloudflare needs; the others tell of this machine."""
WHOSE = re.compile(r"^/client/v4(/accounts/[0-9a-f]{32})?")
Ask = Callable[[AsyncCloudflare], Awaitable[Any]]

# Below it logs every request.
logging.getLogger("cloudflare").setLevel(logging.WARNING)


class Transport:
    """A transport for httpx that sends what the SDK would, through the door, for one account."""

    def __init__(self, http: Http, account: str) -> None:
        self._http, self._account = http, account

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The whole answer to a request; every failure is a CloudError."""
        return await self._http.answer(
            request.method,
            str(request.url),
            headers={name: request.headers[name] for name in TAKEN if name in request.headers},
            operation=f"{request.method} {WHOSE.sub('', request.url.path)}",
            account=self._account,
        )

    async def aclose(self) -> None:
        """The door is closed by the connector."""


class CloudflareDoor:
    """The SDK's clients of every account of one provider."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._clients: dict[str, AsyncCloudflare] = {}

    async def call(self, account: str, ask: Ask) -> Any:
        """The parsed answer to one call of the SDK, made with its `with_raw_response`."""
        try:
            answer = await ask(self._client(account))
        except APIConnectionError as error:
            if isinstance(error.__cause__, CloudError):
                raise error.__cause__ from None
            raise
        return answer.http_response.extensions["cloudtop_json"]

    async def aclose(self) -> None:
        """Forget the clients; the connections are the door's."""
        while self._clients:
            await self._clients.popitem()[1].close()

    def _client(self, account: str) -> AsyncCloudflare:
        if account not in self._clients:
            made = self._clients[account] = AsyncCloudflare(
                # The transport brings the key.
                api_token="brought by the door",
                base_url=self._http.url(BASE, account),
                max_retries=0,
                http_client=net.client(cast(Any, Transport(self._http, account))),
            )
            # Else it looks for that in a thread of the event loop's, which is left behind.
            made._platform = "Unknown"
        return self._clients[account]
