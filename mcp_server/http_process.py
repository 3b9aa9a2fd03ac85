"""One process that serves over HTTP, until a signal comes or whoever started it is gone.

Imported late: uvicorn.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_server.http import Gate

LEAVE_S = 5.0
"""How long calls under way may take to end after a signal."""


async def serve(app: Gate, listener: Any, *, orphaned: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until `orphaned` is at its end: then the one who started us is gone.

    No new connection is taken then, streams end, calls under way have `LEAVE_S` to be answered.
    """
    import uvicorn

    class Quiet(uvicorn.Server):
        """uvicorn without its own handling of signals, which would raise them once more at the end."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=30,
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
