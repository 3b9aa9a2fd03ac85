"""Threads for what waits: an SDK that knows no event loop runs in a few that the process may always leave.

Imported late, with the door of the first SDK that is asked.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context
from typing import Any


class DaemonThreads:
    """A few threads that the end of the process does not wait for, unlike those of concurrent.futures."""

    def __init__(self, size: int, name: str) -> None:
        self._size, self._name = size, name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[tuple[threading.Thread, Future[None]]] = []
        self._idle = 0

    def submit(self, context: Context, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start `function` in a thread, within `context`."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(context.run(function, *arguments))
            except BaseException as error:  # noqa: BLE001  it belongs to whoever waits for the result
                future.set_exception(error)

        with self._lock:
            self._work.put(work)
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._size:
                ended: Future[None] = Future()
                name = f"{self._name}-{len(self._threads)}"
                thread = threading.Thread(target=self._serve, args=(ended,), name=name, daemon=True)
                self._threads.append((thread, ended))
                thread.start()
        return future

    async def aclose(self, patience_s: float = 0.5) -> None:
        """End the threads; one that is still busy ends with its work."""
        for _ in self._threads:
            self._work.put(None)
        if self._threads:
            endings = [asyncio.wrap_future(ended) for _, ended in self._threads]
            await asyncio.wait(endings, timeout=patience_s)
        for thread, ended in self._threads:
            if ended.done():
                thread.join()

    def _serve(self, ended: Future[None]) -> None:
        while (work := self._work.get()) is not None:
            work()
            # Nothing of the last call is kept alive while waiting.
            del work
            with self._lock:
                if self._work.empty():
                    self._idle += 1
        ended.set_result(None)
