from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import StoreError
from cloudtop.store.connections import Place, Turns
from cloudtop.store.writer import Steps, Work, Writer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    db = sqlite3.connect(tmp_path / "t.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE t(x)")
    db.close()
    return tmp_path / "t.db"


@pytest.fixture
def writer(file: Path) -> Iterator[Writer]:
    one = Writer(Place(file, busy_s=0.05))
    yield one
    one.close()


def put(value: int) -> Work:
    return lambda db: db.execute("INSERT INTO t VALUES (?)", (value,))


def kept(file: Path) -> list[int]:
    db = sqlite3.connect(file)
    rows = db.execute("SELECT x FROM t ORDER BY rowid").fetchall()
    db.close()
    return [row[0] for row in rows]


def test_a_result_is_there_once_it_is_committed(writer: Writer, file: Path) -> None:
    assert writer.run(lambda db: db.execute("INSERT INTO t VALUES (7)").rowcount) == 1
    assert kept(file) == [7]


def test_jobs_keep_their_order(writer: Writer, file: Path) -> None:
    for number in range(200):
        writer.submit(put(number))
    writer.flush()
    assert kept(file) == list(range(200))


def test_a_job_that_fails_takes_back_its_own_writes_and_spoils_no_other(writer: Writer, file: Path) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (99)")
        raise ValueError("on purpose")

    gate = threading.Event()
    futures = [writer.submit(lambda _: gate.wait()), writer.submit(put(1))]
    bad = writer.submit(half)
    futures.append(writer.submit(put(2)))
    gate.set()
    for one in futures:
        one.result()
    with pytest.raises(ValueError, match="on purpose"):
        bad.result()
    assert kept(file) == [1, 2]


def test_when_sqlite_takes_the_whole_batch_back_nobody_is_told_it_was_written(
    writer: Writer, file: Path
) -> None:
    gate = threading.Event()
    first = writer.submit(lambda _: gate.wait())
    good = writer.submit(put(1))
    bad = writer.submit(lambda db: db.execute("ROLLBACK"))
    gate.set()
    for one in (first, good, bad):
        assert one.exception() is not None
    writer.run(put(2))
    assert kept(file) == [2]


def test_a_job_of_several_steps_lets_others_in_between(writer: Writer, file: Path) -> None:
    def steps() -> Steps[str]:
        for number in (1, 2, 3):
            yield put(number)
        return "done"

    gate = threading.Event()
    writer.submit(lambda _: gate.wait())
    long = writer.submit_steps(steps())
    writer.submit(put(10))
    gate.set()
    assert long.result() == "done"
    assert kept(file).index(10) < kept(file).index(3)


def test_between_its_steps_a_job_gets_what_the_last_one_returned(writer: Writer) -> None:
    def steps() -> Steps[Any]:
        first = yield lambda db: 20
        second = yield lambda db: first + 1
        return second * 2

    assert writer.submit_steps(steps()).result() == 42


def test_a_step_that_fails_ends_the_job(writer: Writer, file: Path) -> None:
    def steps() -> Steps[None]:
        yield put(1)
        yield lambda db: db.execute("INSERT INTO nowhere VALUES (1)")
        yield put(2)

    with pytest.raises(StoreError, match="nowhere"):
        writer.submit_steps(steps()).result()
    assert kept(file) == [1]


def test_what_is_waiting_is_written_before_the_end(file: Path) -> None:
    writer = Writer(Place(file))

    def steps() -> Steps[None]:
        for number in range(5):
            yield put(number)

    gate = threading.Event()
    writer.submit(lambda _: gate.wait())
    writer.submit_steps(steps())
    writer.submit(put(100))
    gate.set()
    writer.close()
    assert sorted(kept(file)) == [0, 1, 2, 3, 4, 100]
    with pytest.raises(StoreError, match="closed"):
        writer.submit(put(1))


def test_a_writer_that_was_never_used_starts_no_thread(file: Path) -> None:
    before = threading.active_count()
    writer = Writer(Place(file))
    writer.flush()
    writer.close()
    assert threading.active_count() == before


async def test_a_waiter_who_gives_up_does_not_stop_the_write(writer: Writer, file: Path) -> None:
    gate = threading.Event()
    writer.submit(lambda _: gate.wait())
    waiting = asyncio.ensure_future(asyncio.wrap_future(writer.submit(put(5))))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.set()
    writer.run(put(6))
    assert kept(file) == [5, 6]


def test_a_locked_file_fails_the_job_and_the_next_one_finds_the_writer_well(
    writer: Writer, file: Path
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        writer.run(put(1))
    other.execute("ROLLBACK")
    other.close()
    writer.run(put(2))
    assert kept(file) == [2]


def test_turns_are_fair() -> None:
    turns, order = Turns(), []
    started = threading.Event()

    def wait() -> None:
        started.set()
        with turns:
            order.append("other")

    with turns:
        other = threading.Thread(target=wait)
        other.start()
        started.wait()
        while not turns._next.locked():
            pass
    with turns:
        order.append("again")
    other.join()
    assert order == ["other", "again"]
