from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtop.errors import StoreError
from cloudtop.models import Scope, Trouble
from cloudtop.store.offers import OfferFilter
from cloudtop.store.open import FILE, Store, open_store
from tests.store.conftest import BID, NOON, OWN, VAST, FixedClock, held, ids, keep, offer

LATER = NOON + timedelta(minutes=10)
ROOT = Path(__file__).parents[2]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process with our packages, running `code`."""
    head = "import sys; from datetime import *; from pathlib import Path\n"
    parts = "from tests.store.conftest import *\nstore = open_store(Path(sys.argv[1]), FixedClock())\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + parts + textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What it printed; it must have ended well."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_a_scope_nobody_tried_is_unknown(store: Store) -> None:
    assert store.freshness([VAST, BID]) == {VAST: None, BID: None}


def test_a_finished_look_is_complete_and_fresh(store: Store) -> None:
    assert store.replace_offers(VAST, [offer("1"), offer("2")], fetched_at=NOON, complete=True, stamp="v1")
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.fetched_at, known.complete, known.rows, known.stamp) == (NOON, True, 2, "v1")
    assert (known.tried_at, known.trouble, known.partial_at) == (NOON, None, None)


def test_only_a_finished_look_removes_what_it_did_not_see(store: Store) -> None:
    keep(store, offer("1"), offer("2"))
    assert not keep(store, offer("3", 3.0), at=LATER, complete=False)
    assert held(store, VAST) == {("1", 1.0), ("2", 1.0), ("3", 3.0)}
    assert keep(store, offer("2", 2.0), at=LATER)
    assert held(store, VAST) == {("2", 2.0)}


def test_an_empty_finished_look_empties_the_scope(store: Store) -> None:
    keep(store, offer("1", raw={"a": 1}))
    assert keep(store, at=LATER)
    assert held(store, VAST) == set()
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.rows, known.complete) == (0, True)


def test_an_unfinished_look_leaves_the_time_of_the_finished_one_but_its_own_rows_say_theirs(
    store: Store,
) -> None:
    keep(store, offer("old"))
    keep(store, offer("new"), at=LATER, complete=False)
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.fetched_at, known.complete, known.partial_at, known.rows) == (NOON, True, LATER, 2)
    rows = {row["offer_id"]: row["fetched_at"] for row in store.offers(OfferFilter(scopes=(VAST,))).rows}
    assert rows == {"old": "2026-11-20T12:00:00Z", "new": "2026-11-20T12:10:00Z"}


def test_a_scope_that_was_never_read_to_its_end_is_not_complete(store: Store) -> None:
    keep(store, offer("1"), complete=False)
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.complete, known.fetched_at, known.rows) == (False, NOON, 1)


def test_an_exception_inside_the_look_leaves_it_unfinished(store: Store) -> None:
    keep(store, offer("1"))

    def look() -> None:
        with store.observation(VAST, fetched_at=LATER) as seen:
            seen.add([offer("2")])
            raise ConnectionError

    with pytest.raises(ConnectionError):
        look()
    store.flush()
    assert {name for name, _ in held(store, VAST)} == {"1", "2"}


def test_unchanged_rows_are_as_fresh_as_the_last_finished_look(store: Store) -> None:
    keep(store, offer("1"))
    keep(store, offer("1"), at=LATER)
    (row,) = store.offers(OfferFilter(scopes=(VAST,))).rows
    assert row["fetched_at"] == "2026-11-20T12:10:00Z"
    assert row["_fetched_at"] == LATER


def test_the_same_id_as_spot_and_on_demand_is_two_offers(store: Store) -> None:
    keep(store, offer("1", 2.0), offer("1", 1.0, spot=True))
    assert held(store, VAST) == {("1", 2.0), ("1", 1.0)}
    keep(store, offer("1", 2.0), at=LATER)
    assert held(store, VAST) == {("1", 2.0)}


def test_an_id_seen_twice_in_one_look_is_one_offer(store: Store) -> None:
    keep(store, offer("1", 2.0), offer("1", 3.0))
    assert held(store, VAST) == {("1", 3.0)}


def test_scopes_do_not_touch_each_other(store: Store) -> None:
    keep(store, offer("1"))
    keep(store, offer("1", 5.0), scope=OWN)
    keep(store, scope=OWN, at=LATER)
    assert held(store, VAST) == {("1", 1.0)}


def test_a_look_in_pages_larger_than_a_batch_arrives_whole(store: Store) -> None:
    with store.observation(VAST, fetched_at=NOON) as seen:
        for page in range(5):
            seen.add(offer(f"{page}-{number}") for number in range(700))
        assert seen.finish()
    assert len(held(store, VAST)) == 3500


async def test_a_coroutine_can_wait_for_the_end_without_stopping_its_loop(store: Store) -> None:
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    with store.observation(VAST, fetched_at=NOON) as seen:
        seen.add(offer(str(number)) for number in range(3000))
        before = turns
        assert await seen.finishing()
    heart.cancel()
    assert turns > before
    assert len(held(store, VAST)) == 3000


def test_whoever_begins_last_owns_the_scope(store: Store) -> None:
    older = store.observation(VAST, fetched_at=NOON)
    older.add([offer("early")])
    newer = store.observation(VAST, fetched_at=LATER)
    older.add([offer("late")])
    newer.add([offer("new")])
    assert older.finish() is False
    assert newer.finish() is True
    assert held(store, VAST) == {("new", 1.0)}
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert known.fetched_at == LATER


def test_a_trouble_is_remembered_and_changes_no_row(store: Store, clock: FixedClock) -> None:
    keep(store, offer("1"))
    clock.pass_by(600)
    trouble = Trouble(
        "vast", "rate_limited", "Too many requests.", "Wait.", retry_after_s=30.0, retryable=True
    )
    store.trouble(VAST, trouble)
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.fetched_at, known.complete, known.tried_at, known.trouble) == (NOON, True, LATER, trouble)
    assert held(store, VAST) == {("1", 1.0)}
    keep(store, offer("1"), at=LATER)
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert known.trouble is None


def test_a_trouble_of_a_scope_never_read_has_no_rows_and_no_time(store: Store) -> None:
    store.trouble(BID, Trouble("vast", "forbidden", "No.", "Ask."))
    known = store.freshness([BID])[BID]
    assert known is not None
    assert (known.fetched_at, known.complete, known.rows) == (None, False, 0)


def test_only_the_scopes_read_longest_ago_make_room(opened: Callable[..., Store]) -> None:
    store = opened(max_size=2)
    scopes = [Scope("vast", query=f'{{"gpu":"{number}"}}') for number in range(4)]
    for number, scope in enumerate(scopes):
        keep(store, offer(str(number)), scope=scope, at=NOON + timedelta(minutes=number))
    known = store.freshness(scopes)
    assert [known[scope] is not None for scope in scopes] == [False, False, True, True]
    assert {name for name, _ in held(store)} == {"2", "3"}


OFFERS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([1.0, 2.0, 3.0]), max_size=5)
STEPS = st.lists(st.tuples(OFFERS, st.booleans()), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_rows_are_the_last_finished_looks_and_what_later_ones_added(
    opened: Callable[..., Store], steps: list[tuple[dict[str, float], bool]]
) -> None:
    store = opened(backend="memory")
    expected: dict[str, float] = {}
    points: list[tuple[float | None, float | None, int]] = [(None, None, 0)]
    for number, (offers, complete) in enumerate(steps):
        found = [offer(name, price) for name, price in offers.items()]
        keep(store, *found, at=NOON + timedelta(minutes=number), complete=complete)
        expected = offers if complete else {**expected, **offers}
        prices = list(offers.values())
        point = (min(prices), median(prices), len(prices)) if prices else (None, None, 0)
        if complete and point != points[-1]:
            points.append(point)
    assert held(store, VAST) == set(expected.items())
    history = OfferFilter(sort="time", limit=None)
    page = store.price_points(history, NOON, NOON + timedelta(days=1), shape="point")
    names = ("usd_per_gpu_hour_min", "usd_per_gpu_hour_median", "offers")
    assert [tuple(row[name] for name in names) for row in page.rows] == points[1:]


LOOKS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["begin", "add", "finish"]), OFFERS), max_size=14
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LOOKS)
def test_looks_that_overlap_leave_what_the_owner_saw(
    opened: Callable[..., Store], steps: list[tuple[int, str, dict[str, float]]]
) -> None:
    store = opened(backend="memory")
    looks: dict[int, object] = {}
    owner = -1
    rows: dict[str, float] = {}
    seen: dict[str, float] = {}
    for number, (who, what, offers) in enumerate(steps):
        if what == "begin":
            looks[who] = store.observation(VAST, fetched_at=NOON + timedelta(minutes=number))
            owner, seen = who, {}
        elif who not in looks:
            continue
        elif what == "add":
            looks[who].add([offer(name, price) for name, price in offers.items()])  # type: ignore[attr-defined]
            if who == owner:
                rows, seen = {**rows, **offers}, {**seen, **offers}
        else:
            good = looks.pop(who).finish()  # type: ignore[attr-defined]
            assert good == (who == owner)
            if good:
                rows, owner = seen, -1
    store.flush()
    assert held(store, VAST) == set(rows.items())


def test_a_process_killed_while_writing_leaves_the_old_rows_and_nothing_complete(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    keep(opened(), *(offer(str(number)) for number in range(300)))
    victim = python(
        """
        seen = store.observation(VAST, fetched_at=NOON + timedelta(hours=1))
        seen.add(offer(f"half {number}", 9.0) for number in range(600))
        store.flush()
        print("written", flush=True)
        for page in range(10**9):
            seen.add(offer(f"{page} {number}", 9.0) for number in range(250))
        """,
        tmp_path,
    )
    assert victim.stdout is not None
    assert victim.stdout.readline() == "written\n"
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    store = opened()
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.fetched_at, known.complete) == (NOON, True)
    names = {name for name, _ in held(store, VAST)}
    assert {str(number) for number in range(300)} <= names
    assert {f"half {number}" for number in range(600)} <= names
    assert store.price_points(OfferFilter(), NOON, NOON + timedelta(days=9)).total == 1
    assert keep(store, offer("1", 2.0), at=LATER)
    assert held(store, VAST) == {("1", 2.0)}


def test_doubts_and_history_that_a_killed_process_owed_are_made_up_for(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    victim = python(
        """
        import os, signal
        seen = store.observation(VAST, fetched_at=NOON)
        seen.add([offer(str(number), 2.0) for number in range(9)] + [offer("odd", 0.01)])
        store.flush()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        tmp_path,
    )
    victim.communicate()
    store = opened()
    same = [*(offer(str(number), 2.0) for number in range(9)), offer("odd", 0.01)]
    keep(store, *same, at=LATER)
    assert [row["offer_id"] for row in store.offers(OfferFilter()).rows if row["suspect"]] == ["odd"]
    assert store.price_points(OfferFilter(), NOON, LATER + timedelta(days=1)).total == 1


def test_two_processes_writing_at_once_lose_nothing(tmp_path: Path, opened: Callable[..., Store]) -> None:
    store = opened()
    writers = [
        python(
            """
            mine = Scope("vast", query=sys.argv[2])
            sys.stdin.readline()
            for turn in range(5):
                with store.observation(mine, fetched_at=NOON + timedelta(minutes=turn)) as seen:
                    for page in range(8):
                        seen.add(offer(f"{page}-{n}", 1.0 + turn, gpu=f"G{page}") for n in range(100))
                    assert seen.finish()
            store.close()
            """,
            tmp_path,
            name,
        )
        for name in ("left", "right")
    ]
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in writers:
        ended(one)
    for name in ("left", "right"):
        scope = Scope("vast", query=name)
        assert len(held(store, scope)) == 800
        assert {price for _, price in held(store, scope)} == {5.0}
        known = store.freshness([scope])[scope]
        assert known is not None
        assert (known.rows, known.complete) == (800, True)


def test_two_processes_looking_at_one_scope_leave_one_whole_look(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    lookers = [
        python(
            """
            price = float(sys.argv[2])
            sys.stdin.readline()
            good = 0
            for turn in range(6):
                look = [offer(f"{price}-{turn}-{n}", price) for n in range(300)]
                good += keep(store, *look, at=NOON + timedelta(minutes=turn))
            print(good)
            store.close()
            """,
            tmp_path,
            price,
        )
        for price in (1.0, 2.0)
    ]
    for one in lookers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    # Whoever begins last owns the scope, so how many looks finish is chance; the last one always does.
    assert sum(int(ended(one)) for one in lookers) >= 1
    rows = held(store, VAST)
    assert len(rows) == 300
    assert len({name.rsplit("-", 1)[0] for name, _ in rows}) == 1


def test_a_full_disk_is_said_and_what_was_there_stays(store: Store) -> None:
    keep(store, offer("1"))
    store.writer.run(lambda db: db.execute("PRAGMA max_page_count=60"))
    many = [offer(f"new {number}", raw={"filler": os.urandom(900).hex()}) for number in range(900)]
    with pytest.raises(StoreError, match="disk is full"):
        keep(store, *many, at=LATER)
    store.writer.run(lambda db: db.execute("PRAGMA max_page_count=1000000"))
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert (known.fetched_at, known.complete) == (NOON, True)
    assert ("1", 1.0) in held(store, VAST)
    assert store.price_points(OfferFilter(), NOON, LATER + timedelta(days=1)).total == 1
    assert keep(store, *many, at=LATER)
    assert len(held(store, VAST)) == 900


def test_a_lock_that_another_program_holds_is_said_and_reads_go_on(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened(busy_s=0.05)
    keep(store, offer("1"))
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program") as caught:
        keep(store, offer("2"), at=LATER)
    assert caught.value.next_step
    assert held(store, VAST) == {("1", 1.0)}
    other.execute("ROLLBACK")
    other.close()
    assert keep(store, offer("2"), at=LATER)


def test_after_one_failed_write_nothing_of_the_look_counts(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened(busy_s=0.05)
    keep(store, offer("1"))
    look = store.observation(VAST, fetched_at=LATER)
    look.add([offer("2")])
    store.flush()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    look.add([offer("3")])
    with pytest.raises(StoreError):
        store.flush()
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(StoreError):
        look.add([offer("4")])
    with pytest.raises(StoreError):
        look.finish()
    known = store.freshness([VAST])[VAST]
    assert known is not None
    assert known.fetched_at == NOON
    assert {name for name, _ in held(store, VAST)} == {"1", "2"}


def test_the_revision_grows_with_every_change_of_any_process(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    seen = [store.revision()]
    keep(store, offer("1"))
    seen.append(store.revision())
    keep(store, offer("1"), at=LATER)
    seen.append(store.revision())
    store.trouble(VAST, Trouble("vast", "forbidden", "No.", "Ask."))
    seen.append(store.revision())
    ended(python('keep(store, offer("2"), at=NOON + timedelta(hours=1)); store.close()', tmp_path))
    seen.append(store.revision())
    assert ids(store.offers(OfferFilter())) == ["2"]
    store.cache_clear()
    seen.append(store.revision())
    assert seen == sorted(set(seen))


def test_reading_leasing_and_auditing_do_not_change_the_revision(store: Store) -> None:
    keep(store, offer("1"))
    before = store.revision()
    token = store.lease(VAST, 5)
    assert token is not None
    store.give_back(VAST, token)
    store.conversations.save("c", {})
    store.hosts.mark_down("h", LATER)
    store.flush()
    held(store, VAST)
    assert store.revision() == before


def test_a_page_of_offers_is_read_while_a_writer_is_in_the_middle_of_a_batch(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    keep(store, offer("1"))
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM offer")
    assert held(store, VAST) == {("1", 1.0)}
    other.execute("ROLLBACK")
    other.close()


def test_a_closed_store_says_so(tmp_path: Path, clock: FixedClock) -> None:
    store = open_store(tmp_path, clock)
    keep(store, offer("1"))
    store.close()
    for use in (lambda: keep(store, offer("2")), lambda: store.offers(OfferFilter()), store.revision):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_rows_of_a_look_that_is_still_open_are_counted(store: Store) -> None:
    with store.observation(VAST, fetched_at=NOON) as seen:
        seen.add([offer("1"), offer("2")])
        store.flush()
        known = store.freshness([VAST])[VAST]
        assert known is not None
        assert (known.rows, known.complete) == (2, False)
