"""Streams that broke: a client of the older era comes back for what it missed, and gets nobody else's."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from anyio import BrokenResourceError, connect_tcp, create_task_group, create_tcp_listener
from anyio.abc import SocketAttribute, SocketStream
from mcp import Client
from mcp.server.streamable_http import EventMessage
from mcp.types import ErrorData, JSONRPCError, JSONRPCNotification, JSONRPCResponse

from mcp_server.result import Rows
from mcp_server.resuming import OWN_BYTES, Events, SessionEvents
from tests.mcp_server.web import HANDSHAKE, TOKENS, Web, message, web
from tests.mcp_server.yard import Yard, answering, car

HELLO = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "r", "version": "1"}}


class Held(Yard):
    """A handler that tells how far it is, and answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.run = answering(self.find)  # type: ignore[method-assign]

    async def find(self, ctx: Any) -> Rows:
        await ctx.progress(1, 2, "half")
        await asyncio.to_thread(self.go.wait, 10)
        return Rows([car(1)], total=1)


def opened(found: Web, token: str | None = None) -> str:
    """A new session."""
    return found.call("initialize", HELLO, era=HANDSHAKE, token=token).headers["mcp-session-id"]


def broken_off(found: Web, session: str) -> str:
    """Call the tool, hear that it is at work, and lose the line; the id of the last event that came."""
    call = {"name": "list_cars", "arguments": {}, "_meta": {"progressToken": 1}}
    body, headers = message("tools/call", call, HANDSHAKE)
    pairs = [*headers, ("Host", "localhost"), ("Mcp-Session-Id", session), ("Content-Length", str(len(body)))]
    head = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in pairs), "", ""]
    heard = b""
    with socket.create_connection(("127.0.0.1", found.port), timeout=10) as wire:
        wire.sendall("\r\n".join(head).encode() + body)
        while b"half" not in heard:
            heard += wire.recv(65_536)
    assert heard.index(b"retry: 1000") < heard.index(b"half")
    return re.findall(rb"id: (\S+)", heard)[-1].decode()


def taken_up(found: Web, session: str, last: str, token: str | None = None) -> tuple[int, str]:
    """What a client hears that comes back after the event `last`; until the server ends the stream."""
    headers = [("Accept", "text/event-stream"), ("MCP-Protocol-Version", HANDSHAKE)]
    headers += [("Mcp-Session-Id", session), ("Last-Event-ID", last)]
    headers += [("Authorization", f"Bearer {token}")] if token else []
    answer = found.ask("GET", headers=headers)
    return answer.status, answer.body.decode()


@pytest.mark.parametrize("later_s", [0.0, 0.3])
def test_a_call_whose_stream_broke_is_answered_when_its_client_comes_back(tmp_path, later_s):
    yard = Held()
    with web(tmp_path, yard=yard, stateless=False) as found:
        session = opened(found)
        last = broken_off(found, session)
        threading.Timer(later_s, yard.go.set).start()
        status, heard = taken_up(found, session, last)
    assert status == 200
    assert '"structuredContent"' in heard
    assert "half" not in heard


def test_a_session_is_told_nothing_of_another_one(tmp_path):
    yard = Held()
    yard.go.set()
    with web(tmp_path, yard=yard, stateless=False, tokens="") as found:
        mine, other = (opened(found, TOKENS["read"]) for _ in range(2))
        strangers = opened(found, TOKENS["admin"])
        call = {"name": "list_cars", "arguments": {}}
        for session in (mine, other):
            headers = [("Mcp-Session-Id", session)]
            answer = found.call("tools/call", call, era=HANDSHAKE, token=TOKENS["read"], headers=headers)
            assert answer.status == 200
            assert b"car 1" in answer.body
        first = re.search(rb"id: (\S+)", answer.body)[1].decode()
        heard = [taken_up(found, session, first, TOKENS["read"]) for session in (other, mine, strangers)]
    assert heard[0][0] == 200
    assert "car 1" in heard[0][1]
    assert heard[1:] == [(200, ""), (404, heard[2][1])]
    assert "car 1" not in heard[2][1]


@asynccontextmanager
async def cutting(port: int, word: bytes) -> AsyncIterator[str]:
    """A proxy that breaks the first connection on which `word` comes back; its address."""
    cut: list[bytes] = []

    async def connected(client: SocketStream) -> None:
        async with client, await connect_tcp("127.0.0.1", port) as server, create_task_group() as both:

            async def carry(there: SocketStream, back: SocketStream) -> None:
                with suppress(BrokenResourceError):
                    async for data in there:
                        await back.send(data)
                        if there is server and word in data and not cut:
                            cut.append(data)
                            break
                both.cancel_scope.cancel()

            both.start_soon(carry, client, server)
            both.start_soon(carry, server, client)

    async with await create_tcp_listener(local_host="127.0.0.1") as listener, create_task_group() as serving:
        serving.start_soon(listener.serve, connected)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/mcp"
        serving.cancel_scope.cancel()
    assert cut


async def test_a_client_behind_a_line_that_breaks_gets_its_answer(tmp_path):
    yard = Held()
    said: list[str | None] = []

    async def progress(done: float, total: float | None, text: str | None) -> None:
        said.append(text)
        yard.go.set()

    with web(tmp_path, yard=yard, stateless=False) as found:
        async with cutting(found.port, b"half") as url, Client(url, mode="legacy") as client:
            async with asyncio.timeout(10):
                result = await client.call_tool("list_cars", {}, progress_callback=progress)
    assert said == ["half"]
    assert [row["name"] for row in result.structured_content["rows"]] == ["car 1"]


def note(number: int) -> JSONRPCNotification:
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/x", params={"n": f"{number:030}"})


async def told(store: SessionEvents, last: str, seconds: float = 0.05) -> list[Any]:
    """The messages that come after `last`, to the end of the stream or for so long."""
    found = []

    async def tell(event: EventMessage) -> None:
        found.append(event.message)

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            assert await store.replay_events_after(last, tell) is None
            found.append("the end")
    return found


async def test_a_stream_is_told_in_its_order_and_ends_with_its_answer():
    store = Events().of_session()
    first = await store.store_event("1", None)
    await store.store_event("2", note(0))
    sent = [note(1), note(2), JSONRPCResponse(jsonrpc="2.0", id=1, result={})]
    ids = [await store.store_event("1", message) for message in sent]
    assert await told(store, first) == [*sent, "the end"]
    assert await told(store, ids[1]) == [sent[2], "the end"]
    assert await told(store, ids[2]) == ["the end"]
    assert await told(store, "no number") == ["the end"]


async def test_what_comes_while_a_client_is_told_what_it_missed_is_told_too():
    store = Events().of_session()
    first = await store.store_event("1", None)
    hearing = asyncio.create_task(told(store, first, 10))
    await asyncio.sleep(0)
    sent = [note(1), note(2), JSONRPCError(jsonrpc="2.0", id=1, error=ErrorData(code=-1, message="no"))]
    for one in sent:
        await store.store_event("1", one)
        await asyncio.sleep(0)
    assert await hearing == [*sent, "the end"]


async def test_all_sessions_together_keep_no_more_than_the_bound_and_the_oldest_goes_first():
    events = Events(most_bytes=4 * (OWN_BYTES + 100))
    one, other = events.of_session(), events.of_session()
    first = await one.store_event("1", None)
    await one.store_event("1", note(0))
    assert await told(one, first) == [note(0)]
    for number in range(100):
        last = await other.store_event("1", note(number))
    assert 0 < events.size <= 4 * (OWN_BYTES + 100)
    assert await told(one, first) == ["the end"]
    assert await told(other, last) == []
