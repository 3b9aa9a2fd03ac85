"""One look at one scope, streamed page by page, and what it proves when it is finished.

Whoever begins last owns the scope: an older observation that is still open, here or in another process, can
add and finish nothing any more. So at each moment one writer knows what the scope holds, and a finished
observation leaves exactly the rows it has seen, and those of parts that it says were not read.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from cloudtop.store import scopes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from types import TracebackType

    from cloudtop.inventory import Unread
    from cloudtop.models import Scope
    from cloudtop.store.writer import Steps, Work, Writer

CHUNK = 250
"""Rows in one piece of work: a few milliseconds."""

WAITING = 8
"""Chunks that may wait for the writer before the one who adds waits too."""

Item = TypeVar("Item")
Kept = TypeVar("Kept", contravariant=True)


class Table(Protocol[Kept]):
    """How one kind of rows is kept."""

    def write(self, db: sqlite3.Connection, page: Sequence[Kept]) -> int:
        """Write what is new or different; how many rows that were."""
        ...

    def keys(self, page: Sequence[Kept]) -> Iterator[int]:
        """One number per row that tells it from the others of its scope."""
        ...

    def unseen(self, db: sqlite3.Connection, seen: set[int], unread: Sequence[Unread]) -> list[int]:
        """Ids of the scope's rows that were not seen, without those of a part that was not read."""
        ...

    def remove(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Delete rows by id."""
        ...

    def settle(self, writer: Writer, finished: bool) -> Steps[None]:
        """What follows from the rows, once they are written: history, doubts."""
        ...

    @property
    def table(self) -> str:
        """The name of the SQL table."""
        ...


class Look:
    """What an observation knows about itself.

    `first`: the scope was never read to its end before. `settled`: nothing was owed from earlier looks.
    """

    def __init__(self, scope: Scope, fetched_at: datetime, stamp: str | None) -> None:
        self.scope, self.fetched_at, self.stamp = scope, fetched_at, stamp
        self.at = fetched_at.timestamp()
        self.scope_id = 0
        self.number = 0
        self.first = True
        self.settled = False
        self.overtaken = False

    def begin(self, db: sqlite3.Connection) -> None:
        """Take the scope over from whoever observed it before."""
        self.scope_id, self.number, self.first, self.settled = scopes.begin(db, self.scope)

    def owns(self, db: sqlite3.Connection) -> bool:
        """Whether nobody began to observe the scope, or cleared it, since."""
        if not self.overtaken:
            self.overtaken = not scopes.owned(db, self.scope_id, self.number)
        return not self.overtaken


class Observation(Generic[Item]):
    """`with store.observation(...) as seen: seen.add(page) ...; seen.finish()`.

    Without `finish` it proves nothing: rows that were added stay, none is removed, no history is written.
    `add` hands the page to the writer's thread; errors of the store come out of a later `add`, of `finish`
    or of the end of the `with` block. In a coroutine, `await seen.finishing()` does not block the loop.
    """

    def __init__(self, writer: Writer, look: Look, table: Table[Item], max_scopes: int | None) -> None:
        self._writer, self._look, self._table = writer, look, table
        self._max_scopes = max_scopes
        self._seen: set[int] = set()
        self._unread: list[Unread] = []
        self._waiting: deque[Future[None]] = deque()
        self._failed: BaseException | None = None
        self._end: Future[bool] | None = None
        self._wrote = False
        self._submit(look.begin)

    def __enter__(self) -> Observation[Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._end is not None:
            return
        end = self._closed(finished=False)
        if kind is None:
            end.result()

    def add(self, page: Iterable[Item]) -> None:
        """Keep a page of rows. What is already known and unchanged costs no write."""
        rows = iter(page)
        while chunk := list(islice(rows, CHUNK)):
            if self._failed is not None:
                raise self._failed
            self._submit(self._work(chunk))

    async def adding(self, page: Iterable[Item]) -> None:
        """`add` for coroutines: while many rows wait for the writer, the loop goes on."""
        rows = iter(page)
        while chunk := list(islice(rows, CHUNK)):
            if self._failed is not None:
                raise self._failed
            while len(self._waiting) >= WAITING:
                import asyncio

                oldest = asyncio.wrap_future(self._waiting.popleft())
                await asyncio.wait([oldest])
                oldest.exception()
            self._submit(self._work(chunk))

    def spare(self, part: Unread) -> None:
        """Know that a part was not read: which of its rows are gone is not proven by the end."""
        self._unread.append(part)

    def finish(self) -> bool:
        """The listing was read to its proven end. False when a newer observation has taken the scope over."""
        return self._closed(finished=True).result()

    async def finishing(self) -> bool:
        """`finish` for coroutines: the loop goes on while the writer works."""
        import asyncio

        return await asyncio.wrap_future(self._closed(finished=True))

    def _submit(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Queue one write; when many wait already, wait for the oldest."""
        while self._waiting and (self._waiting[0].done() or len(self._waiting) >= WAITING):
            self._waiting.popleft().exception()
        future = self._writer.submit(work)
        future.add_done_callback(self._note)
        self._waiting.append(future)

    def _note(self, future: Future[None]) -> None:
        """Runs on the writer's thread: after one failed write nothing of this observation may count."""
        self._failed = self._failed or future.exception()

    def _work(self, chunk: list[Item]) -> Work:
        def write(db: sqlite3.Connection) -> None:
            if self._failed is not None:
                return
            look = self._look
            wrote = self._table.write(db, chunk)
            self._seen.update(self._table.keys(chunk))
            if wrote:
                self._wrote = True
                scopes.touched(db, look.scope_id, look.at)

        return self._if_owned(write)

    def _closed(self, finished: bool) -> Future[bool]:
        if self._end is None:
            self._end = self._writer.submit_steps(self._closing(finished))
        return self._end

    def _closing(self, finished: bool) -> Steps[bool]:
        """Runs on the writer's thread after all pages."""
        look = self._look
        if self._failed is not None:
            raise self._failed
        if finished:
            gone = self._table.unseen(self._writer.connection, self._seen, self._unread)
            for start in range(0, len(gone), CHUNK):
                yield self._removing(gone[start : start + CHUNK])
            yield self._if_owned(lambda db: scopes.finished(db, look, self._table.table))
        elif self._wrote:
            yield self._if_owned(lambda db: scopes.left(db, look.scope_id, self._table.table))
        if look.overtaken:
            return False
        yield from self._table.settle(self._writer, finished)
        if finished:
            yield self._if_owned(lambda db: scopes.settled(db, look.scope_id))
            yield from scopes.evicted(self._writer, look.scope_id, self._max_scopes)
        return finished and not look.overtaken

    def _removing(self, ids: list[int]) -> Work:
        def remove(db: sqlite3.Connection) -> None:
            self._table.remove(db, ids)
            scopes.touched(db, self._look.scope_id, None)

        return self._if_owned(remove)

    def _if_owned(self, work: Work) -> Work:
        """The same work, left undone when another look has taken the scope over."""

        def do(db: sqlite3.Connection) -> None:
            if self._look.owns(db):
                work(db)

        return do
