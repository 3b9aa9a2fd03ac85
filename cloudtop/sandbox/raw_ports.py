"""Faults below HTTP: ports that refuse, never accept, or reset in the middle of an answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
FILLERS = 4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def bound(port: int = 0) -> socket.socket:
    """A socket bound to a loopback port, not listening."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((LOOPBACK, port))
    return made


def url(of: socket.socket) -> str:
    """The base URL of a bound socket."""
    return f"http://{LOOPBACK}:{of.getsockname()[1]}"


@contextlib.contextmanager
def refused() -> Iterator[str]:
    """A port that is taken and refuses: nobody else can start to listen on it meanwhile."""
    with contextlib.closing(bound()) as port:
        yield url(port)


@contextlib.contextmanager
def unaccepting() -> Iterator[str]:
    """A port whose queue of connections is full and never emptied: a connection attempt just waits."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(contextlib.closing(bound()))
        port.listen(0)
        for _ in range(FILLERS):
            filler = stack.enter_context(contextlib.closing(socket.socket()))
            filler.setblocking(False)
            filler.connect_ex(port.getsockname())
        yield url(port)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer, then reset the connection in the middle of its body."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b'{"offers": [{"id": 1, "gpu_name": "A100')
        await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
