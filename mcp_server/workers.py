"""Several processes behind one listening socket: started, replaced when one falls, ended together.

They are forked before anything is opened, so that each has its own store and event loop. What was made
before, such as the memory of the rates, is shared.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

log = logging.getLogger("cloudtop.http")

PATIENCE_S = 8.0
"""How long workers may take to end after a signal, before they are killed."""

SOON_S = 5.0
FALLS = 5
"""So many workers that fall within `SOON_S` of their start: something is wrong that a new one cannot mend."""

Start = Callable[[int], int]
"""What a worker does with the end of a pipe that closes when its parent is gone; its exit code."""


class Workers:
    """The parent of `count` workers."""

    def __init__(self, start: Start, count: int) -> None:
        self._start, self._count = start, count
        self._born: dict[int, float] = {}
        self._leaving = False
        self._alive = os.pipe()

    def run(self) -> int:
        """Until a signal comes, or workers fall as soon as they are started."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._leave)
        signal.signal(signal.SIGALRM, self._kill)
        fallen = 0
        for _ in range(self._count):
            self._fork()
        while self._born:
            pid, status = os.waitpid(-1, 0)
            born = self._born.pop(pid, None)
            if born is None or self._leaving:
                continue
            fallen = fallen + 1 if time.monotonic() - born < SOON_S else 1
            code = os.waitstatus_to_exitcode(status)
            if fallen >= FALLS:
                log.error("workers end as soon as they start (%s); giving up", code)
                self._leave()
                return self._rest(1)
            log.error("a worker ended (%s); another one takes its place", code)
            self._fork()
        return 0

    def _rest(self, code: int) -> int:
        while self._born:
            pid, _ = os.waitpid(-1, 0)
            self._born.pop(pid, None)
        return code

    def _fork(self) -> None:
        """Signals wait meanwhile: one that came between birth and note would miss the child."""
        watched = {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        if self._leaving:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
            return
        pid = os.fork()
        if pid == 0:
            for number in watched:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
            self._live()
        self._born[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)

    def _live(self) -> None:
        code = 1
        try:
            os.close(self._alive[1])
            code = self._start(self._alive[0])
        except BaseException:
            logging.getLogger("cloudtop").exception("a worker failed")
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _leave(self, number: int = 0, frame: FrameType | None = None) -> None:
        self._leaving = True
        for pid in self._born:
            os.kill(pid, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        for pid in self._born:
            os.kill(pid, signal.SIGKILL)
