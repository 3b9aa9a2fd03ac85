"""A provider's way out: its addresses, its credentials, and the door that every request passes.

Imported late: httpx (with connectors.door).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from cloudtop import net
from cloudtop.errors import Invalid, NotConfigured, Unauthorized

if TYPE_CHECKING:
    import httpx

    from cloudtop.ports import Secrets
    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts, Refusal


class Http:
    """One provider's way out: base address, credentials and the door. Made ready at the first request."""

    def __init__(
        self,
        facts: Facts,
        settings: ProviderSettings,
        secrets: Secrets,
        door: Callable[..., httpx.AsyncBaseTransport],
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
        base: str = "api",
        keyed: bool = True,
    ) -> Any:
        """The parsed answer; every failure is a CloudError. `repeatable`: a POST that only searches.

        `base` is a name of base_urls; with `keyed=False` no credential goes along.
        """
        more = {"params": params, **({"json": body} if body is not None else {})}
        note = {"repeatable": repeatable, "json": True}
        answer = await self._sent(method, url_or_path, note, operation, account, base, keyed, headers, more)
        return answer.extensions["cloudtop_json"]

    async def answer(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        operation: str | None = None,
        account: str = "public",
        secret: str | None = None,
    ) -> httpx.Response:
        """The whole answer to a request that an SDK has made; every failure is a CloudError.

        `secret` is one that the settings do not hold, which nobody may repeat.
        """
        note = {"repeatable": repeatable, "json": True, "secrets": [secret] if secret else []}
        more = {"content": content}
        return await self._sent(method, url, note, operation, account, "api", True, headers, more)

    async def lines(
        self,
        url_or_path: str,
        *,
        headers: Mapping[str, str] | None = None,
        operation: str | None = None,
        account: str = "public",
        base: str = "api",
        keyed: bool = True,
    ) -> AsyncGenerator[str, None]:
        """The lines of a text of any length, as they arrive; nothing of it is held."""
        note = {"stream": True}
        answer = await self._sent("GET", url_or_path, note, operation, account, base, keyed, headers, {})
        rest = b""
        async with aclosing(answer.extensions["cloudtop_body"]) as body:
            async for part in body:
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def url(self, url_or_path: str, account: str = "public", base: str = "api") -> str:
        """The full address of a path at this provider, or at the endpoint configured in its place."""
        root = self._base(account, base).rstrip("/") + "/"
        try:
            return urljoin(root, url_or_path.lstrip("/"))
        except ValueError as error:
            raise Invalid(f"{self._facts.title} gave an address that is none: {error}.") from error

    def key(self, account: str = "public", name: str = "api_key") -> str | None:
        """The credential of an account, if this cloud has any; line ends around it are not part of it."""
        if name not in self._facts.credentials:
            return None
        return (self._secrets.secret(self._facts.id, account, name) or "").strip() or None

    async def check(self, url: str, account: str) -> None:
        """Refuse an address that nothing may be sent to; each origin is looked at once."""
        parts, own = net.split(url), self._settings.endpoint_of(account)
        origin = f"{own is not None} {parts.scheme}://{parts.netloc}"
        if origin in self._checked:
            return
        if own and (parts.scheme, parts.netloc) != net.split(own)[:2]:
            raise Invalid(
                f"{self._facts.title} points to another host ({parts.hostname}); nothing was sent there.",
                "Check options.endpoint of this provider.",
            )
        net.check_url(url, self._facts.hosts, loopback_ok=own is not None)
        if own:
            await net.check_public(url)
        self._checked.add(origin)

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _sent(
        self,
        method: str,
        url_or_path: str,
        note: dict[str, Any],
        operation: str | None,
        account: str,
        base: str,
        keyed: bool,
        headers: Mapping[str, str] | None,
        more: Mapping[str, Any],
    ) -> httpx.Response:
        url = self.url(url_or_path, account, base)
        await self.check(url, account)
        sent = {**(headers or {}), **(self._proof(account, headers or {}) if keyed else {})}
        own = [key for name in self._facts.credentials if (key := self.key(account, name))]
        note |= {
            "operation": operation or f"{method} {net.split(url).path}",
            "account": account,
            "keyed": keyed and len(sent) > 0,
            "secrets": [*note.get("secrets", ()), *own],
        }
        if self._client is None:
            self._client = net.client(self._door(self.refusal))
        return await self._client.request(method, url, headers=sent, extensions={"cloudtop": note}, **more)

    def _proof(self, account: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The header with the key, unless the connector brings its own."""
        key = self.key(account)
        if not key or any(name.lower() == "authorization" for name in headers):
            return {}
        if not (key.isascii() and key.isprintable()):
            message = f"The key configured for {self._facts.title} holds characters that no key has."
            raise Unauthorized(message, f"Set {self._facts.to_set} anew.")
        header = self._facts.key_header
        return {header: key} if header else {"Authorization": f"Bearer {key}"}

    def _base(self, account: str, name: str) -> str:
        base = self._settings.endpoint_of(account) or self._facts.base_urls.get(name)
        if not base:
            raise NotConfigured(f"{self._facts.title} has no address to ask.")
        return base
