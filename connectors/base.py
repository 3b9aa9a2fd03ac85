"""What every connector stands on: its facts, its way out, and how it says that something was left out.

A capability is a method that exists; the fleet looks for these names:

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]
    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]
    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]
    def stamp(self, scope: Scope) -> str | None

An iterator of pages that ends by itself has read the scope to its proven end; one that raises has not.
`stamp` is a cheap token of what a scope would give: while it equals the stored one, the rows are fresh.
Imported late: httpx (with connectors.door), json.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from cloudtop import net
from cloudtop.errors import CloudError, Forbidden, Invalid, NotConfigured, Unauthorized
from cloudtop.models import Health, Scope, Trouble

if TYPE_CHECKING:
    import httpx

    from cloudtop.ports import Secrets
    from cloudtop.settings import ProviderSettings

Refusal = Callable[[int, Any], type[CloudError] | None]
"""Says which failure hides in an answer (status, parsed body), or None for what the status says."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What `connectors/<id>.yaml` says about a provider; a person may correct it there."""

    id: str
    title: str
    file: Path
    module: str
    kinds: tuple[str, ...]
    keyless: tuple[str, ...]
    ttl_s: Mapping[str, float]
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    docs_url: str | None = None
    base_urls: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    credentials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requests_per_second: float = 50.0
    burst: int = 10
    in_flight: int = 8

    @property
    def credential_names(self) -> tuple[str, ...]:
        """What the cloud calls its credentials, by the names of the configuration (`api_key`)."""
        return tuple(self.credentials)

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that may hold them, the usual one first."""
        return tuple(name for names in self.credentials.values() for name in names)


class Http:
    """One provider's way out: base address, credentials and the door. Made ready at the first request."""

    def __init__(
        self,
        facts: Facts,
        settings: ProviderSettings,
        secrets: Secrets,
        door: Callable[[Refusal | None], httpx.AsyncBaseTransport],
    ) -> None:
        self._facts, self._settings, self._secrets, self._door = facts, settings, secrets, door
        self._client: httpx.AsyncClient | None = None
        self._checked: set[str] = set()
        self.refusal: Refusal | None = None

    async def json(
        self,
        method: str,
        url_or_path: str,
        *,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        operation: str | None = None,
        account: str = "public",
    ) -> Any:
        """The parsed answer; every failure is a CloudError. `repeatable`: a POST that only searches."""
        url = self.url(url_or_path, account)
        await self._check(url, account)
        sent = dict(headers or {})
        if (key := self.key(account)) and not any(name.lower() == "authorization" for name in sent):
            if not (key.isascii() and key.isprintable()):
                message = f"The key configured for {self._facts.title} holds characters that no key has."
                raise Unauthorized(message, f"Set {' or '.join(self._facts.variables)} anew.")
            sent["Authorization"] = f"Bearer {key}"
        note = {
            "repeatable": repeatable,
            "operation": operation or f"{method} {net.split(url).path}",
            "account": account,
            "json": True,
        }
        request = {"json": body} if body is not None else {}
        answer = await self._opened().request(
            method, url, params=params, headers=sent, extensions={"cloudtop": note}, **request
        )
        return answer.extensions["cloudtop_json"]

    def url(self, url_or_path: str, account: str = "public") -> str:
        """The full address of a path at this provider, or at the endpoint configured in its place."""
        base = self._base(account).rstrip("/") + "/"
        try:
            return urljoin(base, url_or_path.lstrip("/"))
        except ValueError as error:
            raise Invalid(f"{self._facts.title} gave an address that is none: {error}.") from error

    def key(self, account: str = "public", name: str = "api_key") -> str | None:
        """The credential of an account, if this cloud has any; line ends around it are not part of it."""
        if name not in self._facts.credentials:
            return None
        return (self._secrets.secret(self._facts.id, account, name) or "").strip() or None

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = net.client(self._door(self.refusal))
        return self._client

    def _own_endpoint(self, account: str) -> str | None:
        for one in self._settings.accounts:
            if one.name == account and one.options.get("endpoint"):
                return str(one.options["endpoint"])
        return self._settings.endpoint

    def _base(self, account: str) -> str:
        base = self._own_endpoint(account) or self._facts.base_urls.get("api")
        if not base:
            raise NotConfigured(f"{self._facts.title} has no address to ask.")
        return base

    async def _check(self, url: str, account: str) -> None:
        """Refuse an address we may not send to; each origin is looked at once."""
        base, parts = net.split(self._base(account)), net.split(url)
        own = self._own_endpoint(account) is not None
        origin = f"{own} {parts.scheme}://{parts.netloc}"
        if origin in self._checked:
            return
        if own and (parts.scheme, parts.netloc) != (base.scheme, base.netloc):
            raise Invalid(
                f"{self._facts.title} points to another host ({parts.hostname}); nothing was sent there.",
                "Check options.endpoint of this provider.",
            )
        net.check_url(url, self._facts.hosts, loopback_ok=own)
        if own:
            await net.check_public(url)
        self._checked.add(origin)


class Connector:
    """One cloud: where to ask, and what a row means. Subclasses add the nouns that it can answer."""

    def __init__(
        self, facts: Facts, settings: ProviderSettings, http: Http, now: Callable[[], datetime]
    ) -> None:
        self.facts, self.settings, self.http, self.now = facts, settings, http, now
        self.noted: dict[Scope, list[Trouble]] = {}
        http.refusal = getattr(self, "refusal", None)

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.facts.id

    @property
    def notes(self) -> list[Trouble]:
        """The warnings about all scopes that nobody has taken yet."""
        return [note for notes in self.noted.values() for note in notes]

    def note(self, scope: Scope, message: str, next_step: str, code: str = "invalid") -> None:
        """Keep a warning about what was left out of a scope; the fleet takes it after the scope."""
        self.noted.setdefault(scope, []).append(
            Trouble(
                scope.provider,
                code,
                message,
                next_step,
                account=scope.account,
                region=scope.region,
                kind=scope.kind,
                severity="warning",
            )
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def probe(self, scope: Scope, call: Awaitable[Any], unlocked: str | None) -> list[Health]:
        """Two checks out of one request: does the API answer, and does it accept the credentials?

        `unlocked` is what to say of the credentials where none were sent. A failure is the answer here, so
        nothing is raised.
        """
        started, error = self.now(), None
        try:
            await call
        except CloudError as raised:
            error = raised
        checked_at = self.now()
        took_ms = round((checked_at - started).total_seconds() * 1000, 1)
        title = self.facts.title

        def row(check: str, status: str, message: str) -> Health:
            healthy = None if status == "unknown" else status == "healthy"
            about = (scope.provider, scope.account, title, check, healthy, status, message)
            return Health(*about, latency_ms=took_ms, checked_at=checked_at)

        if isinstance(error, Unauthorized | Forbidden):
            return [row("credentials", "failing", str(error)), row("api", "healthy", f"{title} answers.")]
        if unlocked is not None:
            credentials = row("credentials", "unknown", unlocked)
        elif error is None:
            credentials = row("credentials", "healthy", "The key is accepted.")
        else:
            credentials = row("credentials", "unknown", "Not known: the API did not answer.")
        if error is None:
            return [credentials, row("api", "healthy", f"{title} answers.")]
        return [credentials, row("api", _STATES.get(error.code, "failing"), str(error))]


_STATES = {"unreachable": "down", "rate_limited": "degraded", "too_slow": "degraded"}
