"""A real server over HTTP with a made-up yard, on a thread of its own, and raw requests to it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtop import net
from cloudtop import settings as settings_file
from cloudtop.store.open import open_store
from mcp_server.auth import Doors
from mcp_server.http import gate
from mcp_server.http_process import serve
from mcp_server.issuer import Issuer
from mcp_server.limits import EVERYBODY, Caller, Rates
from mcp_server.place import Place
from mcp_server.result import Rows
from mcp_server.runtime import Runtime
from mcp_server.server import build_server
from mcp_server.specs import load
from mcp_server.token_file import TokenFile
from tests.mcp_server.yard import SPEC, HandClock, House, Yard, answering, write_specs

DOCS = Path(__file__).parents[2] / "docs" / "http.md"
MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
ERAS = [MODERN, HANDSHAKE]
TOKENS = {
    "prices": "prices-token-aaaaaaaaaaaa",
    "read": "read-token-aaaaaaaaaaaaaa",
    "ask": "ask-token-aaaaaaaaaaaaaaa",
    "ask,read": "ask-read-token-aaaaaaaaaa",
    "admin": "admin-token-aaaaaaaaaaaaa",
}
EXPIRED = "expired-token-aaaaaaaaaaaaaa"
WRONG = "wrong-token-aaaaaaaaaaaaaaa"


def table(heading: str) -> tuple[list[str], dict[str, list[str]]]:
    """The columns and rows of the first table below a heading of docs/http.md."""
    below = DOCS.read_text(encoding="utf-8").split(f"# {heading}\n", 1)[1]
    lines = [line for line in below.split("\n#", 1)[0].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return cells[0][1:], {row[0]: row[1:] for row in cells[2:]}


def cells(heading: str) -> list[tuple[str, str, int]]:
    """Every cell of a table as (row, column, status)."""
    columns, rows = table(heading)
    return [
        (row, column, int(cell))
        for row, found in rows.items()
        for column, cell in zip(columns, found, strict=True)
    ]


def spec(name: str, toolset: str, *, read_only: bool = True) -> str:
    return (
        SPEC.replace("name: list_cars", f"name: {name}")
        .replace("toolsets: [default]", f"toolsets: [default, {toolset}]")
        .replace("{readOnly: true,", f"{{readOnly: {str(read_only).lower()},")
    )


SPECS = {
    "list_cars": spec("list_cars", "yard"),
    "car_prices": spec("car_prices", "prices"),
    "ask": spec("ask", "ask"),
    "sell_cars": spec("sell_cars", "yard", read_only=False),
}


class Slow(Yard):
    """A handler that takes as long as it is left to; `ended` is set when it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.ended = threading.Event(), threading.Event()
        self.run = answering(self.find)  # type: ignore[method-assign]

    async def find(self, ctx: Any) -> Rows:
        self.began.set()
        try:
            await ctx.progress(1, 2, "half")
            await asyncio.sleep(60)
        finally:
            self.ended.set()
        raise AssertionError


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The one JSON document in it, also out of a stream's last event."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            return json.loads(self.body.rsplit(b"data: ", 1)[1].split(b"\r\n", 1)[0])
        return json.loads(self.body)

    def challenge(self) -> dict[str, str]:
        """The parameters of WWW-Authenticate."""
        said = self.headers["www-authenticate"]
        assert said.startswith("Bearer ")
        return dict(re.findall(r'(\w+)="([^"]*)"', said))


@dataclass
class Web:
    """A running server."""

    port: int
    clock: HandClock
    yard: Yard
    stop: Any = None
    tokens: Path = field(default_factory=Path)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def raw(self, data: bytes, timeout: float = 10.0) -> Answer:
        """What a connection says to these bytes; they ask it to end afterwards."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as wire:
            wire.sendall(data)
            found = b""
            while part := wire.recv(65_536):
                found += part
        head, _, body = found.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        named = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines}
        if named.get("transfer-encoding") == "chunked":
            body = unchunked(body)
        return Answer(int(first.split()[1]), named, body)

    def ask(
        self,
        method: str = "POST",
        path: str = "/mcp",
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        host: str | None = None,
    ) -> Answer:
        """One request with exactly these headers besides Host and Content-Length."""
        pairs = [("Host", f"127.0.0.1:{self.port}" if host is None else host), *headers]
        if body and not any(name.lower() == "content-length" for name, _ in headers):
            pairs.append(("Content-Length", str(len(body))))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
        return self.raw("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)

    def call(
        self,
        method: str = "tools/list",
        params: dict[str, Any] | None = None,
        *,
        era: str = MODERN,
        token: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        host: str | None = None,
    ) -> Answer:
        """One request of the protocol."""
        body, needed = message(method, params or {}, era)
        if token:
            needed.append(("Authorization", f"Bearer {token}"))
        return self.ask(body=body, headers=[*needed, *headers], host=host)

    def names(self, **how: Any) -> list[str]:
        """The tools that a caller sees."""
        return [tool["name"] for tool in self.call(**how).json["result"]["tools"]]


def message(method: str, params: dict[str, Any], era: str) -> tuple[bytes, list[tuple[str, str]]]:
    """A request's body and the headers that its era wants."""
    headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", era),
    ]
    if era == MODERN:
        meta = {
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        params = {**params, "_meta": {**meta, **params.get("_meta", {})}}
        headers.append(("Mcp-Method", method))
        if name := params.get("name") or params.get("uri"):
            headers.append(("Mcp-Name", str(name)))
    sent = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    return json.dumps(sent).encode(), headers


def unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        if not (length := int(size, 16)):
            break
        found, body = found + rest[:length], rest[length + 2 :]
    return found


def token_file(home: Path, more: str = "") -> Path:
    """A token for each set of scopes, one that is over, and more lines."""
    lines = [f"{name.replace(',', '-')} {token} {name}" for name, token in TOKENS.items()]
    lines.append(f"old {EXPIRED} admin expires=2026-11-19")
    path = home / "tokens"
    path.write_text("\n".join(["# name token scopes", *lines, more]), encoding="utf-8")
    path.chmod(0o600)
    return path


@contextmanager
def web(
    home: Path,
    *,
    place: Place | None = None,
    tokens: str | None = None,
    issuer: dict[str, str] | None = None,
    stateless: bool = True,
    read_only: bool = False,
    everybody: Caller = EVERYBODY,
    yard: Yard | None = None,
) -> Iterator[Web]:
    """A server for the time of a `with`. `tokens`: more lines of the token file, which is used then."""
    home.mkdir(parents=True, exist_ok=True)
    clock, yard = HandClock(), yard or Yard()
    listener = net.listening("127.0.0.1", 0)
    orphaned, stop = os.pipe()
    file = token_file(home, tokens) if tokens is not None else None
    found = Web(listener.getsockname()[1], clock, yard, tokens=file or home)
    failed: list[BaseException] = []

    async def main() -> None:
        store = open_store(home, clock, backend="sqlite")
        settings = settings_file.load(home=home, environ={"CLOUDTOP_CONFIG": ""})
        handlers = dict.fromkeys(SPECS, yard.run)
        runtime = Runtime(load(write_specs(home / "specs", **SPECS)), handlers, House(store, settings, clock))
        doors = None
        if file or issuer:
            doors = Doors(
                TokenFile(file, clock) if file else None, Issuer(clock=clock, **issuer) if issuer else None
            )
        try:
            async with gate(
                build_server(runtime, {"lexicon": lambda: {"floor_s": net.floor_s.get()}, "providers": list}),
                runtime,
                place or Place("127.0.0.1"),
                doors=doors,
                rates=Rates(clock.monotonic),
                stateless=stateless,
                read_only=read_only,
                everybody=everybody,
                healthy=store.revision,
            ) as app:
                await serve(app, listener, orphaned=orphaned)
        finally:
            store.close()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - told by the test that waits
            failed.append(error)
            listener.close()

    thread = threading.Thread(target=run, name="web", daemon=True)
    thread.start()
    ended: list[int] = []

    def end() -> None:
        if not ended:
            ended.append(1)
            os.close(stop)
        thread.join(15)

    found.stop = end
    try:
        yield found
    finally:
        end()
        os.close(orphaned)
        assert not thread.is_alive()
        if failed:
            raise failed[0]
