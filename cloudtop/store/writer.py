"""The one writer of this process: a thread with a queue, its own connection, and short transactions.

A job is a function of the connection, run inside a transaction, or a generator that yields such functions:
what stands between its yields runs outside any transaction, so that reading and computing hold no lock.
Waiting jobs share a transaction until it is `BATCH_S` old; each has a savepoint, so one that fails spoils
no other.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.errors import StoreError
from cloudtop.store import faults

if TYPE_CHECKING:
    from cloudtop.store.connections import Place

LOG = logging.getLogger(__name__)
BATCH_S = 0.02
"""A transaction takes no further job when it is this old; with the last one it stays under 50 ms."""

CLOSE_S = 30.0
FOLD_AFTER = 10_000
"""Rows written until the write-ahead log is folded into the file: after a batch, when no lock is held."""

_TUNING = "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000; PRAGMA wal_autocheckpoint=16000;"
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
Steps = Generator[Work, Any, T]


@dataclass(slots=True, eq=False)
class _Job:
    """`work` is what to do next inside a transaction; `steps` says what comes after it."""

    future: Future[Any]
    work: Work | None = None
    steps: Steps[Any] | None = None
    value: Any = None

    def settle(self) -> None:
        """After a commit: find the next piece of work, or hand the result over."""
        if self.steps is None:
            self.future.set_result(self.value)
            return
        try:
            self.work = self.steps.send(self.value)
        except StopIteration as end:
            self.future.set_result(end.value)


class _Undone(StoreError):
    """SQLite took the whole transaction back, with the jobs that had gone well."""


class Writer:
    """Writes of one process, one after another; the thread starts with the first of them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._ahead: _Job | None = None
        self._thread: threading.Thread | None = None
        self._door = threading.Lock()
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._folded = 0
        self.batches_s: list[float] | None = None

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run `work` inside a transaction soon; its result is there once it is committed."""
        return self._queued(_Job(Future(), work))

    def submit_steps(self, steps: Steps[T]) -> Future[T]:
        """Run a job of several transactions; others may come between them."""
        return self._queued(_Job(Future(), None, steps))

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` and wait for it; once more when the disk was found full, in memory then."""
        kept = self.place.unkept
        try:
            return self.submit(work).result()
        except StoreError:
            if self.place.unkept == kept:
                raise
            return self.submit(work).result()

    async def running(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`run` for coroutines: many that wait at once share a transaction, and the loop goes on."""
        import asyncio

        kept = self.place.unkept
        try:
            return await asyncio.wrap_future(self.submit(work))
        except StoreError:
            if self.place.unkept == kept:
                raise
            return await asyncio.wrap_future(self.submit(work))

    def flush(self) -> None:
        """Wait until everything submitted so far is written."""
        if self._thread is not None and not self._closed:
            self.submit(lambda _: None).result()

    def close(self) -> None:
        """Write what is waiting and stop."""
        with self._door:
            self._closed, thread = True, self._thread
            self._jobs.put(None)
        if thread is not None:
            thread.join(CLOSE_S)

    @property
    def connection(self) -> sqlite3.Connection:
        """The writer's connection, for reading between the steps of a job: only on the writer's thread."""
        if self._connection is None:
            self._connection = self.place.connect()
            self._connection.executescript(_TUNING)
        return self._connection

    def _queued(self, job: _Job) -> Future[Any]:
        job.future.set_running_or_notify_cancel()  # so that a waiter who gives up cannot stop the write
        with self._door:
            if self._closed:
                raise faults.closed()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cloudtop-store", daemon=True)
                self._thread.start()
            self._jobs.put(job)
        return job.future

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if job.work is not None or self._went_well(job, job.settle):
                self._batch(job)
        if self._connection is not None:
            self.place.close(self._connection)

    def _next(self) -> _Job | None:
        """Wait for a job; None when told to stop and nothing is left to do."""
        job, self._ahead = self._ahead, None
        while job is None:
            job = self._jobs.get()
            if job is None:
                if self._jobs.empty():
                    return None
                self._jobs.put(None)
        return job

    def _batch(self, first: _Job) -> None:
        """One transaction: `first` and whoever waits, until it is old enough."""
        if first.work is None:
            return
        done: list[_Job] = []
        with self.place.turns:
            started = time.monotonic()
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                started = time.monotonic()
                self._work_off(first, done, started)
                self.connection.execute("COMMIT")
            except (sqlite3.Error, _Undone) as error:
                self._roll_back()
                self._give_way(error)
                for job in {first, *done}:
                    self._fail(job, error)
                done = []
            if self.batches_s is not None:
                self.batches_s.append(time.monotonic() - started)
        for job in done:
            if self._went_well(job, job.settle) and job.work is not None:
                self._jobs.put(job)
        if self.connection.total_changes - self._folded > FOLD_AFTER:
            self._fold()

    def _give_way(self, error: BaseException) -> None:
        """A full disk takes nothing more: go on in memory before those who wait learn of the failure."""
        if not faults.no_room(error) or self.place.memory is not None:
            return
        try:
            self.place.move_to_memory(faults.unkept(error, self.place.name))
        except sqlite3.Error as unreadable:
            LOG.debug("the store could not be copied into memory: %s", unreadable)
            return
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        LOG.warning(self.place.unkept)

    def _fold(self) -> None:
        self._folded = self.connection.total_changes
        try:
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            LOG.debug("the log was not folded in: %s", error)

    def _work_off(self, first: _Job, done: list[_Job], started: float) -> None:
        job: _Job | None = first
        while job is not None:
            done.append(job)  # so that whatever ends the transaction ends this job too
            if not self._try(job):
                done.remove(job)
            if time.monotonic() - started > BATCH_S:
                return
            job = self._waiting()

    def _waiting(self) -> _Job | None:
        """A job that is waiting with work to do; one that must compute first has the next turn."""
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._jobs.put(None)
        elif job.work is None:
            self._ahead = job
            return None
        return job

    def _try(self, job: _Job) -> bool:
        """Do one piece of work in its savepoint; what it wrote before it failed is taken back."""
        work, job.work = job.work, None
        assert work is not None
        connection = self.connection
        connection.execute("SAVEPOINT job")

        full: list[sqlite3.Error] = []

        def act() -> None:
            try:
                job.value = work(connection)
            except sqlite3.Error as error:
                if not faults.no_room(error):
                    raise
                full.append(error)

        good = self._went_well(job, act)
        if full:
            raise full[0]
        if not connection.in_transaction:
            undone = _Undone(
                "The whole write was taken back.", "Try again; what was stored before is intact."
            )
            self._fail(job, undone)
            raise undone from job.future.exception()
        if not good:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        return good

    def _went_well(self, job: _Job, act: Callable[[], None]) -> bool:
        """Do something for a job; whatever it raises belongs to the one who waits for the job."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the thread serves others: it hands errors over and goes on
            self._fail(job, error)
            return False
        return True

    def _fail(self, job: _Job, error: BaseException) -> None:
        if job.future.done():
            return
        job.work = None
        if job.steps is not None:
            job.steps.close()
        if isinstance(error, _Undone) and error.__cause__ is not None:
            error = error.__cause__
        if isinstance(error, sqlite3.Error):
            said: BaseException = faults.said(error, self.place.name)
            said.__cause__ = error
        else:
            said = error
        if not isinstance(said, StoreError):
            LOG.debug("a write failed", exc_info=said)
        job.future.set_exception(said)

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
