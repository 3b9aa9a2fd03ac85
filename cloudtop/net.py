"""Guarded HTTP: by when an answer is wanted, whom we may ask, and the wire that leads there.

Imported late: httpx, anyio, ipaddress, ssl, socket, asyncio, urllib.request.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from cloudtop import __version__
from cloudtop.errors import Invalid, TooSlow, Unreachable

if TYPE_CHECKING:
    import socket

    import httpx

# httpx loads its own command line, rich and click with it, wherever those are installed: an eighth of a
# second of every process that asks a cloud.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

BACKLOG = 2_048
"""Connections that may wait to be taken."""

POOL = 8
"""Connections side by side in one pool. What httpcore does for a request grows with the square of them."""

DEADLINE_S = 30.0
"""How long a request may take when nobody set a deadline."""

deadline: ContextVar[float] = ContextVar("deadline")
"""The instant, on the monotonic clock, by which the caller wants out."""

actor: ContextVar[str] = ContextVar("actor", default="local")
"""On whose behalf requests are made, for the audit."""

floor_s: ContextVar[float] = ContextVar("floor_s", default=0.0)
"""Kept data that is younger than this serves the caller, whatever it asks."""


def left(monotonic: Callable[[], float] = time.monotonic) -> float:
    """Seconds until the caller's deadline; raises TooSlow when none are left."""
    now = monotonic()
    seconds = deadline.get(now + DEADLINE_S) - now
    if seconds <= 0:
        raise TooSlow("The time allowed for this question was over.", "Ask again with a longer --timeout.")
    return seconds


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    host = _plain(host)
    address = _address(host)
    return host == "localhost" or (address is not None and bool(address.is_loopback))


def split(url: str) -> SplitResult:
    """The parts of a URL; Invalid for what is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Invalid(f"An address is not a URL: {error}.", "Check options.endpoint.") from error
    return parts


def check_url(url: str, allowed_hosts: Iterable[str], *, loopback_ok: bool = False) -> None:
    """Refuse an address that no credential may travel to: https to a known host, or loopback if allowed.

    `allowed_hosts` are names, or `*.example.com` for all below example.com.
    """
    parts, allowed = split(url), tuple(allowed_hosts)
    host = _plain(parts.hostname or "")
    step = f"Hosts known here: {', '.join(allowed) or 'none'}; loopback addresses serve for tests."
    if not host or parts.username or parts.password:
        raise Invalid("An address without a host, or with a name and password in it, is not used.", step)
    if is_loopback(host):
        if loopback_ok and parts.scheme in ("http", "https"):
            return
        raise Invalid(f"{host} is this machine; it is asked only as a configured endpoint.", step)
    if parts.scheme != "https":
        raise Invalid(f"{host} is not asked over {parts.scheme or 'no scheme'}, only over https.", step)
    if not any(host == one or (one[:2] == "*." and host.endswith(one[1:])) for one in allowed):
        raise Invalid(f"{host} is not one of this provider's hosts; nothing was sent there.", step)


async def check_public(url: str) -> None:
    """Refuse a host whose name leads into a private, link-local or metadata network.

    For addresses that a person configured. A host behind a proxy is resolved by the proxy, and a name that
    does not resolve is reported by the connection.
    """
    import asyncio
    import socket

    parts = split(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_of(parts.scheme, host):
        return
    try:
        async with asyncio.timeout(left()):
            found = await asyncio.get_running_loop().getaddrinfo(host, parts.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return
    except TimeoutError as error:
        message = f"The name {host} did not resolve in time."
        raise TooSlow(message, "Check the network's name server.") from error
    for *_, where in found:
        address = _address(str(where[0]).partition("%")[0])
        if address is None or not address.is_global:
            raise Invalid(
                f"{host} leads to {where[0]}, an address inside a private network; nothing was sent there.",
                "Remove options.endpoint, or set it to the provider's public address.",
            )


def proxy_of(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for a host (HTTPS_PROXY, NO_PROXY, …), or None."""
    from urllib.request import getproxies, proxy_bypass

    if is_loopback(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return proxy if proxy and not proxy_bypass(host) else None


class Wire:
    """An httpx transport that goes straight to loopback, and elsewhere as the environment says.

    Certificates are checked against SSL_CERT_FILE or SSL_CERT_DIR where set. It never waits for a free
    connection: how many are open is the door's business.
    """

    def __init__(self, in_flight: int) -> None:
        self._in_flight = in_flight
        self._ways: dict[tuple[bool, str | None, int], httpx.AsyncHTTPTransport] = {}
        self._busy = [0] * -(-in_flight // POOL)
        self._trust: Any = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is still to be read."""
        scheme, host = request.url.scheme, request.url.host
        proxy = proxy_of(scheme, host)
        request.extensions["proxy"] = split(proxy).hostname if proxy else None
        pool = self._pool(host)
        key = scheme == "https", proxy, pool
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = self._way(scheme == "https", proxy)
        self._busy[pool] += 1
        try:
            return await way.handle_async_request(request)
        finally:
            self._busy[pool] -= 1

    async def aclose(self) -> None:
        """Close all connections."""
        while self._ways:
            await self._ways.popitem()[1].aclose()

    def _pool(self, host: str) -> int:
        """Where a host's connections are, unless that is busy: then where the fewest wait for an answer."""
        usual = hash(host) % len(self._busy)
        return usual if self._busy[usual] < POOL else self._busy.index(min(self._busy))

    def _way(self, encrypted: bool, proxy: str | None) -> httpx.AsyncHTTPTransport:
        import ssl

        import anyio
        import httpx

        # Loads what connecting needs now: on a busy machine that takes longer than a connection may.
        anyio.get_cancelled_exc_class()
        kept = min(self._in_flight, POOL * 2)
        limits = httpx.Limits(
            max_connections=self._in_flight * 2, max_keepalive_connections=kept, keepalive_expiry=15
        )
        try:
            # Without https nothing is verified: an empty context saves reading all certificates.
            verify: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if encrypted or proxy:
                verify = self._trust = self._trust or httpx.create_ssl_context()
            return httpx.AsyncHTTPTransport(verify=verify, limits=limits, proxy=proxy, trust_env=True)
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            message = "The proxy that the environment names cannot be used."
            raise Unreachable(message, "Check HTTPS_PROXY: it starts with http:// or https://.") from error
        except OSError as error:
            message = "The certificates that the environment names cannot be read."
            raise Unreachable(message, "Check SSL_CERT_FILE and SSL_CERT_DIR.") from error


def client(transport: httpx.AsyncBaseTransport, **more: Any) -> httpx.AsyncClient:
    """An httpx client over a transport that sees to limits and timeouts: no redirects, our name."""
    import httpx

    headers = {"User-Agent": f"cloudtop/{__version__}", "Accept": "application/json"}
    return httpx.AsyncClient(
        transport=transport, follow_redirects=False, timeout=None, headers=headers, **more
    )


async def fetched(url: str, most: int, seconds: float) -> bytes:
    """A small public document at an address that a person configured: https, or http on this machine."""
    import asyncio

    import httpx

    wire: Any = Wire(1)
    host = split(url).hostname or ""
    check_url(url, (_plain(host),), loopback_ok=True)
    body, asking = b"", client(wire)
    try:
        async with asyncio.timeout(seconds):
            await check_public(url)
            async with asking.stream("GET", url) as answer:
                if answer.status_code != 200:
                    raise Invalid(f"{host} answered with status {answer.status_code}.", "Check the address.")
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > most:
                        raise Invalid(f"{host} sent more than {most:,} bytes.", "Check the address.")
    except TimeoutError as error:
        raise TooSlow(f"{host} did not answer within {seconds:g} s.", "Check the address.") from error
    except httpx.HTTPError as error:
        message = f"{host} cannot be reached ({type(error).__name__})."
        raise Unreachable(message, "Check the address.") from error
    finally:
        await asking.aclose()
    return body


async def accepts(host: str, port: int, seconds: float) -> bool:
    """Whether a host takes a connection within `seconds`, by what the system's own network says afterwards.

    However late this process looks, and whatever kept it: the connection stands or it does not.
    """
    import asyncio
    import contextlib
    import socket

    loop, ways = asyncio.get_running_loop(), []
    if _address(host) is not None:
        # Needs no name server, and so no thread.
        ways = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    else:
        with contextlib.suppress(OSError):  # TimeoutError too: a name that is not found leads nowhere
            async with asyncio.timeout(seconds):
                ways = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with contextlib.ExitStack() as opened:
        knocking = []
        for family, kind, protocol, _, where in ways:
            with contextlib.suppress(OSError):  # a kind of address that this machine does not have
                one = opened.enter_context(socket.socket(family, kind, protocol))
                one.setblocking(False)
                one.connect_ex(where)
                knocking.append(one)
        await asyncio.sleep(seconds if knocking else 0)
        return any(_stands(one) for one in knocking)


def _stands(connection: socket.socket) -> bool:
    try:
        return bool(connection.getpeername())
    except OSError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections at an address of this machine; OSError when it cannot."""
    import socket

    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, where = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _address(host: str) -> Any:
    """The IP address that a host is written as, unwrapped from IPv6, or None for a name."""
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
