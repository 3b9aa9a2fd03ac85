"""The fault layer: stands before a sandbox app and misbehaves on order.

`Layer.arm(name, path=…, times=…, after=…)` switches a fault on for the requests whose path starts with `path`
(and that hold `text` somewhere): the first `after` of them pass, the next `times` (None: all) meet it.
`signed` are texts that the Authorization header must hold: a key, and with AWS a region or a service, which
stand nowhere else (`signed=("/us-west-2/rds/",)`). Oracle's are signed for a host: its labels are such texts.
What each fault does stands in fault_kinds; those that no HTTP app can do in raw_ports.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from cloudtop.sandbox.speech import Speech

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Seen:
    """One request that reached the sandbox. `keyed` says whether it carried a key; the key is not kept."""

    method: str
    path: str
    query: str
    host: str
    keyed: bool
    body: bytes
    at: float
    fault: str | None

    def json(self) -> Any:
        """The body as JSON, None when it is empty."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


@dataclass
class Exchange:
    """One request at the layer: what was asked, and the ways to answer it."""

    app: App
    scope: Message
    body: bytes
    receive: Receive
    send: Send
    layer: Layer
    skew_s: float = 0.0

    def header(self, name: str) -> str:
        """A request header, "" when absent."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted), "")

    @property
    def key(self) -> str:
        """The credential that came along, wherever it stood; "" without one."""
        where = b" ".join(value for _, value in self.scope["headers"]) + self.body
        known = (one for one in self.layer.secrets if one.encode() in where)
        return self.header("authorization") or next(known, "")

    async def honest(self) -> Reply:
        """What the app behind the layer answers."""
        said: list[Message] = []

        asked = iter([{"type": "http.request", "body": self.body, "more_body": False}])

        async def receive() -> Message:
            # Who asks again waits for the caller to hang up, which the app never hears of.
            return next(asked, None) or await asyncio.get_running_loop().create_future()

        async def send(message: Message) -> None:
            said.append(message)

        await self.app(self.scope, receive, send)
        headers = tuple((key.decode(), value.decode("latin-1")) for key, value in said[0]["headers"])
        body = b"".join(message.get("body", b"") for message in said[1:])
        kept = tuple(pair for pair in headers if pair[0] != "content-length")
        return Reply(said[0]["status"], body, kept)

    async def start(self, status: int, headers: tuple[tuple[str, str], ...], length: int) -> None:
        """Send the head of an answer that promises `length` bytes."""
        date = formatdate(time.time() + self.skew_s, usegmt=True)
        pairs = (*headers, ("content-length", str(length)), ("date", date))
        encoded = [(key.encode(), value.encode("latin-1")) for key, value in pairs]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})

    async def more(self, chunk: bytes, *, last: bool = False) -> None:
        """Send a piece of the body."""
        await self.send({"type": "http.response.body", "body": chunk, "more_body": not last})

    async def reply(self, reply: Reply) -> None:
        """Send a whole answer."""
        await self.start(reply.status, reply.headers, len(reply.body))
        await self.more(reply.body, last=True)

    async def gone(self, seconds: float | None = None) -> bool:
        """Wait for the caller to hang up, at most `seconds`; whether it did."""
        try:
            async with asyncio.timeout(seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True


Behaviour = Callable[[Exchange, "Armed"], Awaitable[None]]


@dataclass
class Armed:
    """A fault that is switched on, how often it was met, and what it remembers."""

    name: str
    behave: Behaviour
    path: str = "/"
    text: str = ""
    times: int | None = None
    after: int = 0
    signed: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

    def meets(self, exchange: Exchange) -> bool:
        """Whether this request meets the fault; counts it."""
        where = (
            exchange.scope["path"] + exchange.scope["query_string"].decode() + exchange.body.decode("latin-1")
        )
        if not exchange.scope["path"].startswith(self.path) or self.text not in where:
            return False
        labels = exchange.header("x-forwarded-host").replace(".", "/")
        if not all(text in f"{exchange.header('authorization')} /{labels}/" for text in self.signed):
            return False
        self.asked += 1
        met = self.asked - self.after
        return met > 0 and (self.times is None or met <= self.times)


class Layer:
    """An ASGI app around another: logs every request and lets armed faults answer first.

    `speech` is how the app speaks, `secrets` are the credentials that it accepts.
    """

    def __init__(self, app: App, speech: Speech, secrets: tuple[str, ...] = ()) -> None:
        self.app, self.speech, self.secrets = app, speech, secrets
        self.armed: list[Armed] = []
        self.seen: list[Seen] = []

    def arm(
        self,
        name: str,
        behave: Behaviour,
        *,
        path: str = "/",
        text: str = "",
        times: int | None = None,
        after: int = 0,
        signed: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        """Switch a fault on, beside those that are on."""
        self.armed.append(Armed(name, behave, path, text, times, after, signed, options))

    def calm(self) -> None:
        """Switch every fault off."""
        self.armed.clear()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox speaks http, not {scope['type']}")
        exchange = Exchange(self.app, scope, await _body(receive), receive, send, self)
        fault = next((armed for armed in self.armed if armed.meets(exchange)), None)
        self.seen.append(_seen(exchange, fault))
        if fault is None:
            await exchange.reply(await exchange.honest())
        else:
            await fault.behave(exchange, fault)


async def _body(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _seen(exchange: Exchange, fault: Armed | None) -> Seen:
    scope = exchange.scope
    return Seen(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode(),
        host=exchange.header("host"),
        keyed=bool(exchange.key),
        body=exchange.body,
        at=time.monotonic(),
        fault=fault.name if fault else None,
    )
