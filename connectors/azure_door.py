"""Microsoft's SDK behind the house's door: azure-core builds and reads, the door sends.

azure-core takes a transport, and ours hands each request to the door of this provider, so rate, number in
flight, dead hosts, deadline, retries and audit are the door's; those that renew tokens pass it too. The
policies of the clients are ours: no retries, no redirects, and not the one that registers a service in a
subscription when it is missing, for cloudtop only reads.

Where an endpoint is configured, requests of the sign-in go there as well. Credentials are a client secret
from the settings or from a file that `az ad sp create-for-rbac` wrote, else what Microsoft's own tools find:
variables, a workload's identity, the Azure CLI. The identity of the machine is asked for only where the
settings say `method: service_account`; its address lies in no public network, so these requests do not pass
the door. This module is imported late: it imports azure.core, azure.identity, azure.mgmt.compute.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import HeadersPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AsyncHttpTransport, AsyncioRequestsTransport
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient

from cloudtop import __version__, net
from cloudtop.errors import CloudError, Invalid, NotConfigured, Unauthorized
from connectors.azure_base import placed

if TYPE_CHECKING:
    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

SERVICE = ("tenant_id", "client_id", "client_secret")
KEY_FILE = "~/.azure/credentials.json"
SPELLED = {
    "tenant_id": "tenantId",
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "subscription_id": "subscriptionId",
}
MACHINE_S = 3
"""How long the machine is waited for: it answers at once, or not at all."""
JSON = "application/json"
LEFT_S = 300
"""A token that holds for less is not used any more: a listing may take a while."""
NOT_HERE = ("managed_identity", "shared_token_cache", "visual_studio_code", "powershell", "broker")
"""Ways to credentials that are not tried unasked: they wait for addresses or windows that are not there."""

# Below they log requests, and whose tokens are kept; what they warn of is raised besides.
for _name in ("azure", "msal"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("azure.identity").setLevel(logging.CRITICAL)

Token = Callable[[], Awaitable[str]]


class Transport(AsyncHttpTransport[Any, Any]):
    """Sends what azure-core would, through the door, for one account. `page`: the last answer to a client."""

    page: Any = None

    def __init__(
        self,
        http: Http,
        account: str,
        where: Callable[[str], str],
        token: Token | None = None,
        secret: str | None = None,
    ) -> None:
        self._http, self._account, self._where = http, account, where
        self._token, self._secret = token, secret

    async def send(self, request: Any, **options: Any) -> Any:
        """The whole answer to a request; every failure is a CloudError."""
        url, headers, content = self._where(request.url), dict(request.headers), request.content
        if self._token is not None:
            headers["Authorization"] = f"Bearer {await self._token()}"
        body = urlencode(content).encode() if isinstance(content, dict) else content
        headers.pop("Content-Length", None)
        answer = await self._http.answer(
            request.method,
            url,
            content=body or b"",
            headers=headers,
            # Asking twice for a token gives two.
            repeatable=self._token is None,
            operation=f"{request.method} {net.split(url).path.rpartition('/')[2]}",
            account=self._account,
            secret=self._secret,
        )
        return self._response(request, answer)

    def _response(self, request: Any, answer: Any) -> Any:
        """An answer as azure-core takes it: read to its end, and parsed."""
        made = AsyncHttpResponseImpl(
            request=request,
            internal_response=answer,
            status_code=answer.status_code,
            headers={**answer.headers, "content-type": JSON},
            reason=answer.reason_phrase,
            # The door has read it as such, whatever it is called.
            content_type=JSON,
            stream_download_generator=None,
        )
        made._content, made._json = answer.content, self._kept(answer.extensions["cloudtop_json"])
        made._is_closed = made._is_stream_consumed = True
        return made

    def _kept(self, document: Any) -> Any:
        """What azure-core is told of an answer: of a page only where the next one is."""
        if self._token is None:
            return document
        self.page = document
        return {"nextLink": document.get("nextLink") if isinstance(document, Mapping) else None}

    async def open(self) -> None:
        """The door opens by itself."""

    async def close(self) -> None:
        """The door is closed by the connector."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nothing is held open here."""


class AzureDoor:
    """The credentials and clients of every account of one provider."""

    def __init__(self, facts: Facts, settings: ProviderSettings, http: Http) -> None:
        self._facts, self._settings, self._http = facts, settings, http
        self._credentials: dict[str, Any] = {}
        self._tokens: dict[tuple[str, str], AccessToken] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    async def token(self, account: str, audience: str) -> str:
        """A token of an account for a service; one that holds is used again, a new one asked for once."""
        wanted = account, audience
        async with self._turns.setdefault(wanted, asyncio.Lock()):
            held = self._tokens.get(wanted)
            # azure-identity counts by the clock of the machine, so this does too.
            if held is None or held.expires_on - time.time() < LEFT_S:
                held = self._tokens[wanted] = await self._asked(account, audience)
        return held.token

    async def _asked(self, account: str, audience: str) -> AccessToken:
        title, where = self._facts.title, self._settings.source(account) or "the settings"
        try:
            if account not in self._credentials:
                self._credentials[account] = self._credential(account)
            found: AccessToken = await self._credentials[account].get_token(f"{audience}/.default")
        except CredentialUnavailableError as error:
            message = f"{title} was not asked: no credentials of {account} were found in {where}."
            raise NotConfigured(message, f"Set {self._facts.to_set}, or sign in with `az login`.") from error
        except ClientAuthenticationError as error:
            if isinstance(error.__context__, CloudError):
                raise error.__context__ from error
            message = f"{title} was not asked: the credentials of {account} in {where} do not hold."
            raise Unauthorized(message, "Sign in again (az login), or set others.") from error
        except (KeyError, TypeError, ValueError) as error:
            message = f"{title} answered the sign-in of {account} with something that is no token."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.") from error
        return found

    def _credential(self, account: str) -> Any:
        keys = self.keys(account)
        transport = Transport(self._http, account, self._where(account), secret=keys.get("client_secret"))
        named = self._settings.named_credentials(account)
        if "method" in named and "key_file" not in named:
            wire = AsyncioRequestsTransport(connection_timeout=MACHINE_S, read_timeout=MACHINE_S)
            return ManagedIdentityCredential(client_id=keys.get("client_id"), transport=wire, retry_total=0)
        if all(map(keys.get, SERVICE)):
            return self._of_secret(keys, transport)
        if self._settings.source(account):
            left_out = {f"exclude_{one}_credential": True for one in NOT_HERE}
            return DefaultAzureCredential(transport=transport, retry_total=0, **left_out)
        message = f"{self._facts.title} needs credentials for this, and none are set for {account}."
        raise NotConfigured(message, f"Set {self._facts.to_set}.")

    def keys(self, account: str) -> Mapping[str, str]:
        """What a file says that the configuration names, then the settings, then a file that is found."""
        told, named = self._settings.auth_of(account), self._settings.named_credentials(account)
        own = {name: self._http.key(account, name) or told.get(name) for name in SPELLED}
        kept = {name: str(value) for name, value in own.items() if value}
        if file := named.get("key_file"):
            return {**kept, **self._filed(file)}
        found = not named and not all(map(kept.get, SERVICE)) and self._settings.source(account) == KEY_FILE
        return {**self._filed(KEY_FILE), **kept} if found else kept

    def _filed(self, where: str) -> Mapping[str, str]:
        """The service principal in a file, spelled as Microsoft's tools spell it."""
        try:
            found = json.loads(Path(where).expanduser().read_text("utf-8"))
        except (OSError, ValueError) as error:
            message = f"{self._facts.title} was not asked: {where} cannot be read ({type(error).__name__})."
            raise NotConfigured(message, "Write it anew: az ad sp create-for-rbac --json-auth.") from error
        told = found if isinstance(found, dict) else {}
        return {name: str(told[key]) for name, key in SPELLED.items() if told.get(key)}

    def _of_secret(self, keys: Mapping[str, str], transport: Transport) -> Any:
        about: dict[str, Any] = {"transport": transport, "retry_total": 0}
        try:
            return ClientSecretCredential(*(keys[name] for name in SERVICE), **about)
        except ValueError as error:
            message = f"{self._facts.title} was not asked: the tenant that is configured can be none."
            raise Unauthorized(message, f"Set {self._facts.to_set} anew.") from error

    async def pages(
        self, account: str, subscription: str, audience: str, listing: Callable[[Any], Any]
    ) -> AsyncGenerator[Any, None]:
        """The answers of a listing of azure-mgmt-compute, page by page; one that comes twice is Invalid.

        `listing` is handed the client of a subscription. What the SDK would make of the records is not made:
        that takes half a millisecond for each of them, on the event loop, and their fields are the same.
        """
        own = self._settings.endpoint_of(account)
        transport = Transport(
            self._http, account, self._where(account), lambda: self.token(account, audience)
        )
        client = ComputeManagementClient(
            # The transport brings the token, so that a local endpoint without TLS can be asked.
            cast(Any, _Nobody()),
            subscription,
            base_url=(own or audience).rstrip("/"),
            credential_scopes=[f"{audience}/.default"],
            transport=transport,
            policies=[HeadersPolicy(), UserAgentPolicy(f"cloudtop/{__version__}")],
        )
        pages, before = listing(client).by_page(), set()
        async for _ in pages:
            yield transport.page
            if pages.continuation_token in before:
                message = f"{self._facts.title} repeats the same page instead of going on."
                raise Invalid(message, "Try again.")
            before.add(pages.continuation_token)

    def _where(self, account: str) -> Callable[[str], str]:
        return partial(placed, endpoint=self._settings.endpoint_of(account), hosts=self._facts.hosts)

    async def aclose(self) -> None:
        """Let the credentials close what they opened; tokens that hold are kept."""
        for one in self._credentials.values():
            await one.close()
        self._credentials.clear()


class _Nobody:
    """A credential that is never asked: the transport brings the token."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        raise AssertionError("the transport brings the token")
