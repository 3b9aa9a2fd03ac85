"""Requests and answers as bytes: what is read of a stranger, and how a refusal is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import anyio
from mcp.types import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR

MOST_BYTES = 1_048_576
"""Bytes of one request: arguments are short, and a model writes them."""

BODY_S = 10.0
"""How long a request may take to arrive."""

DRAIN_S = 1.0
DRAIN_BYTES = 16 * MOST_BYTES
"""How long, and how much, of a request that is too long is still taken in."""

ONCE = frozenset(
    {"host", "origin", "authorization", "content-length", "mcp-protocol-version", "x-mcp-toolsets"}
)
"""Headers that must not come twice: who reads the first and who the last would see two requests."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Refusal(Exception):
    """An answer that is not the server's own."""

    def __init__(self, status: int, message: str, code: int = INVALID_REQUEST, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Said:
    """The way to the client: notes the status, and adds what a page in a browser needs."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.origin: str | None = None
        self.ended = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send one message of ASGI."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.origin:
                message = {**message, "headers": [*message["headers"], *_cors(self.origin)]}
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self._send(message)

    async def end(self) -> None:
        """Close a stream that was cut, or say that it will not be."""
        if self.status is None:
            raise Refusal(503, "The server is about to end.", INTERNAL_ERROR, retry_after="1")
        if not self.ended:
            with suppress(Exception):
                await self({"type": "http.response.body", "body": b"", "more_body": False})


def _cors(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"Mcp-Session-Id, WWW-Authenticate, Retry-After"),
        (b"vary", b"Origin"),
    ]


class Again:
    """A body that was read, to be read again; after it the client's going away."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.unread: bytes | None = body
        self._receive = receive
        self.gone = anyio.Event()

    async def __call__(self) -> MutableMapping[str, Any]:
        """Receive one message of ASGI."""
        if self.unread is not None:
            body, self.unread = self.unread, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()

    async def watch(self) -> None:
        """Until the client goes away."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers by their names in small letters; a refusal when one that counts is there twice."""
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name = key.decode("latin-1").lower()
        if name in found and name in ONCE:
            raise Refusal(400, f"The header {name} is there twice.")
        found[name] = value.decode("latin-1")
    return found


async def body_of(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The whole body, or a refusal of one that is too long, too slow or broken off."""
    too_long = Refusal(413, f"A request has {MOST_BYTES:,} bytes at most.", connection="close")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            if int(headers.get("content-length", "0")) > MOST_BYTES:
                await _drained(receive)
                raise too_long
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refusal(400, "The request broke off.")
                body += message.get("body", b"")
                if len(body) > MOST_BYTES:
                    await _drained(receive)
                    raise too_long
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as error:
        raise Refusal(408, "The request took too long to arrive.", connection="close") from error


async def _drained(receive: Receive) -> None:
    """Take in what still comes, for a moment: a client that is cut off while it sends hears no reason."""
    left = DRAIN_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return


def read(body: bytes) -> Mapping[str, Any]:
    """The one JSON object that a request is; the SDK judges what is in it."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "The body is not JSON.", PARSE_ERROR) from error
    if not isinstance(found, Mapping):
        raise Refusal(400, "The body is not one JSON-RPC message; batches are not taken.")
    return found


async def preflight(said: Said) -> None:
    """What a browser asks before it sends a page's request."""
    headers = [
        (b"access-control-allow-methods", b"POST, GET, DELETE"),
        (
            b"access-control-allow-headers",
            b"Authorization, Content-Type, Last-Event-ID, Mcp-Method, Mcp-Name, Mcp-Protocol-Version,"
            b" Mcp-Session-Id, X-MCP-Readonly, X-MCP-Toolsets",
        ),
        (b"access-control-max-age", b"600"),
    ]
    await said({"type": "http.response.start", "status": 204, "headers": headers})
    await said({"type": "http.response.body", "body": b""})


async def refused(said: Said, refusal: Refusal, number: Any) -> None:
    """A refusal as a JSON-RPC error, so that a client can show the words."""
    number = number if isinstance(number, str | int) else None
    error = {"code": refusal.code, "message": refusal.message}
    await send_json(
        said, refusal.status, {"jsonrpc": "2.0", "id": number, "error": error}, more=refusal.headers
    )


async def send_json(
    said: Said,
    status: int,
    content: Mapping[str, Any],
    method: str = "POST",
    more: Mapping[str, str] | None = None,
) -> None:
    """One whole answer in JSON."""
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **(more or {}),
    }
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await said({"type": "http.response.start", "status": status, "headers": pairs})
    await said({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
