"""Servers on loopback that speak raw bytes, and plain stand-ins for what the house hands to a door."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from typing import Any

from cloudtop.models import AuditRecord
from cloudtop.settings import ProviderSettings
from connectors import discovery
from connectors.base import Facts
from connectors.door import Door, Policy
from connectors.http import Http

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Time that moves only by sleeping."""

    moment: datetime = START
    ticks: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.ticks

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.ticks += seconds


@dataclass
class Hosts:
    """Dead hosts in a dict."""

    down: dict[str, datetime] = field(default_factory=dict)

    def down_until(self, host: str) -> datetime | None:
        return self.down.get(host)

    def mark_down(self, host: str, until: datetime) -> None:
        self.down[host] = until


@dataclass
class Audit:
    """Records in a list."""

    records: list[AuditRecord] = field(default_factory=list)

    def record(self, record: AuditRecord) -> None:
        self.records.append(record)


@dataclass
class Secrets:
    """One key for everybody, or none."""

    key: str | None = None

    def secret(self, provider: str, account: str, name: str) -> str | None:
        return self.key if name == "api_key" else None


@dataclass
class Request:
    """What a server was sent."""

    line: str
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A running server: its port and what it was sent."""

    port: int
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(*replies: Reply) -> AsyncIterator[Server]:
    """Answers the n-th request with the n-th reply, and with the last one from then on."""
    server = Server(0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, rest = head.partition(b"\r\n")
            headers = BytesParser().parsebytes(rest)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            reply = replies[min(len(server.requests), len(replies) - 1)]
            server.requests.append(Request(line.decode(), headers, body))
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            writer.close()

    tasks = await asyncio.start_server(answer, "127.0.0.1", 0)
    server.port = tasks.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        tasks.close()
        await tasks.wait_closed()


def reply(status: int, body: Any = b"", **headers: str) -> bytes:
    """One HTTP answer in bytes: JSON for data, text for str, as it is for bytes."""
    if isinstance(body, str):
        content, kind = body.encode(), "text/plain"
    elif isinstance(body, bytes):
        content, kind = body, "application/octet-stream"
    else:
        content, kind = json.dumps(body).encode(), "application/json"
    lines = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content


@contextmanager
def never_accepting() -> Iterator[int]:
    """A port whose queue is full: a connection neither succeeds nor fails."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    port = listening.getsockname()[1]
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        waiting.append(one)
    try:
        yield port
    finally:
        for one in (*waiting, listening):
            one.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class House:
    """A door with everything around it."""

    url: str
    key: str | None = None
    policy: Policy = field(default_factory=lambda: Policy(requests_per_second=1000, burst=1000))
    clock: Clock = field(default_factory=Clock)
    hosts: Hosts = field(default_factory=Hosts)
    audit: Audit = field(default_factory=Audit)
    shared: asyncio.Semaphore | None = None

    @property
    def settings(self) -> ProviderSettings:
        return ProviderSettings("vast", options={"endpoint": self.url})

    @property
    def facts(self) -> Facts:
        return discovery.found()["vast"]

    def http(self) -> Http:
        def door(refusal: Any) -> Door:
            return Door(
                self.facts,
                self.policy,
                clock=self.clock,
                hosts=self.hosts,
                audit=self.audit,
                refusal=refusal,
                shared=self.shared,
            )

        return Http(self.facts, self.settings, Secrets(self.key), door)


@asynccontextmanager
async def way_out(house: House) -> AsyncIterator[Http]:
    """An Http that is closed again."""
    http = house.http()
    try:
        yield http
    finally:
        await http.aclose()
