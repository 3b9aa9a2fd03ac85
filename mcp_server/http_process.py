"""One process that serves over HTTP, until a signal comes or whoever started it is gone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from mcp_server.http import Gate

LEAVE_S = 5.0
"""How long calls under way may take to end after a signal."""

HEAD_S = 10.0
"""How long the head of a request may take to arrive."""

KEEP_S = 30
"""How long a connection is kept on which nothing is asked."""


class Hurried(H11Protocol):
    """uvicorn's protocol, which would wait for ever for a head that does not come."""

    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client is here."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Part of a request. Bytes that trickle in gain no time."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._came()
        elif self._waits is None and self.timeout_keep_alive_task is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._came()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waits = self.loop.call_later(HEAD_S, self.transport.close)

    def _came(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


class Quiet(uvicorn.Server):
    """uvicorn without its own handling of signals, which would raise them once more at the end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`."""
        yield


async def serve(app: Gate, listener: Any, *, orphaned: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until `orphaned` is at its end: then the one who started us is gone.

    No new connection is taken then, streams end, calls under way have `LEAVE_S` to be answered.
    """
    config = uvicorn.Config(
        app,
        http=Hurried,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=KEEP_S,
        timeout_graceful_shutdown=int(LEAVE_S),
        h11_max_incomplete_event_size=32_768,
    )
    running = Quiet(config)

    def leave() -> None:
        running.force_exit = running.should_exit
        running.should_exit = True
        app.leave()

    loop = asyncio.get_running_loop()
    with suppress(
        NotImplementedError, ValueError, RuntimeError
    ):  # not on Windows, nor beside the main thread
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, leave)
    if orphaned is not None:

        def alone() -> None:
            loop.remove_reader(orphaned)
            leave()

        loop.add_reader(orphaned, alone)
    await running.serve(sockets=[listener])
