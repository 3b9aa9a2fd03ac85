from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloudtop.errors import StoreError
from cloudtop.store import schema
from cloudtop.store.offers import OfferFilter
from cloudtop.store.open import FILE, Store, open_store
from tests.store.conftest import VAST, FixedClock, held, keep, offer
from tests.store.test_observation import ended, python

NOBODY = 65534

FIRST_LAYOUT = 0xDE9504ED
"""`schema.layout` of the files that the first release made."""


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everything: act as somebody else meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that other users can look into; pytest's own folders are closed to them."""
    home = Path(tempfile.mkdtemp(prefix="cloudtop-store-"))
    home.chmod(0o755)
    yield home
    home.chmod(0o755)
    shutil.rmtree(home)


def version(file: Path) -> int:
    db = sqlite3.connect(file)
    found = schema.version(db)
    db.close()
    return found


def test_a_new_home_gets_a_store_that_only_its_owner_can_read(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened(tmp_path / "deep" / "home")
    assert store.read_only is None
    file = tmp_path / "deep" / "home" / FILE
    assert version(file) == schema.SCHEMA
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_was_kept_is_there_when_the_store_is_opened_again(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    first = opened()
    keep(first, offer("1"))
    first.close()
    assert held(opened(), VAST) == {("1", 1.0)}


def test_a_warm_store_answers_without_the_tools_of_a_cold_one(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    keep(opened(), offer("1"))
    code = (
        "import sys; from pathlib import Path; from cloudtop.ports import SystemClock\n"
        "from cloudtop.models import Scope\n"
        "from cloudtop.store.open import open_store; from cloudtop.store.offers import OfferFilter\n"
        "scope = Scope('vast', query='{\"type\":\"on-demand\"}')\n"
        "store = open_store(Path(sys.argv[1]), SystemClock())\n"
        "assert store.freshness([scope])[scope].complete\n"
        "assert store.offers(OfferFilter(scopes=(scope,))).total == 1\n"
        "store.close()\n"
        "heavy = {'sqlite_utils', 'click', 'yaml', 'httpx', 'pydantic', 'cloudtop.regions'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=Path(__file__).parents[2])


def test_two_processes_may_make_the_same_store_at_once(tmp_path: Path, opened: Callable[..., Store]) -> None:
    makers = [
        python(
            "keep(store, offer(sys.argv[2]), scope=Scope('vast', query=sys.argv[2])); store.close()",
            tmp_path,
            n,
        )
        for n in range(4)
    ]
    for one in makers:
        ended(one)
    assert {name for name, _ in held(opened())} == {"0", "1", "2", "3"}


def test_a_newer_store_is_refused_and_left_alone(
    tmp_path: Path, opened: Callable[..., Store], clock: FixedClock
) -> None:
    opened().close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute(f"PRAGMA user_version={schema.SCHEMA + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer cloudtop") as caught:
        open_store(tmp_path, clock)
    assert "Update cloudtop" in caught.value.next_step
    assert version(tmp_path / FILE) == schema.SCHEMA + 1


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path, clock: FixedClock) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("CREATE TABLE precious(x)")
    db.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_store(tmp_path, clock)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_is_no_database_is_named_with_a_next_step(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / FILE).write_text("price,gpu\n" * 2000)
    with pytest.raises(StoreError, match="not an SQLite database") as caught:
        open_store(tmp_path, clock)
    assert "Move the file away" in caught.value.next_step


def test_a_damaged_file_is_said_when_its_broken_part_is_read(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    keep(store, *(offer(str(number), region=f"r{number}") for number in range(2000)))
    store.close()
    file = tmp_path / FILE
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    store = opened()
    with pytest.raises(StoreError, match="damaged") as caught:
        held(store, VAST)
    assert caught.value.next_step


def test_a_truncated_file_is_said(tmp_path: Path, opened: Callable[..., Store]) -> None:
    store = opened()
    keep(store, *(offer(str(number)) for number in range(2000)))
    store.close()
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:20_000])
    with pytest.raises(StoreError, match="damaged"):
        held(opened(), VAST)


def test_a_locked_new_file_is_said(tmp_path: Path, clock: FixedClock) -> None:
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        open_store(tmp_path, clock, busy_s=0.05)
    other.close()


def test_a_locked_old_file_opens_and_reads(tmp_path: Path, opened: Callable[..., Store]) -> None:
    keep(opened(), offer("1"))
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert held(opened(busy_s=0.05), VAST) == {("1", 1.0)}
    other.close()


def test_a_file_that_may_only_be_read_is_worked_on_in_memory(open_home: Path, clock: FixedClock) -> None:
    store = open_store(open_home, clock)
    keep(store, offer("old"))
    store.close()
    (open_home / FILE).chmod(0o444)
    open_home.chmod(0o555)
    with as_nobody():
        store = open_store(open_home, clock)
        assert "may not be written" in str(store.read_only)
        assert held(store, VAST) == {("old", 1.0)}
        assert keep(store, offer("new"))
        assert held(store, VAST) == {("new", 1.0)}
        assert store.lease(VAST, 5) is not None
        store.close()
    open_home.chmod(0o755)
    (open_home / FILE).chmod(0o644)
    store = open_store(open_home, clock)
    assert held(store, VAST) == {("old", 1.0)}
    store.close()


def test_a_home_that_cannot_be_made_still_gives_a_store(open_home: Path, clock: FixedClock) -> None:
    open_home.chmod(0o555)
    with as_nobody():
        for home in (open_home, open_home / "deeper"):
            store = open_store(home, clock)
            assert store.read_only is not None
            keep(store, offer("1"))
            assert held(store, VAST) == {("1", 1.0)}
            store.close()
    assert list(open_home.iterdir()) == []


def test_a_file_that_may_not_even_be_read_is_an_error(open_home: Path, clock: FixedClock) -> None:
    open_store(open_home, clock).close()
    (open_home / FILE).chmod(0)
    with as_nobody(), pytest.raises(StoreError, match="cannot be opened") as caught:
        open_store(open_home, clock)
    assert caught.value.next_step


def test_an_older_store_is_backed_up_and_brought_up_to_date_in_one_step(
    tmp_path: Path, opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = opened()
    keep(old, offer("1"))
    old.close()

    before = schema.SCHEMA

    def m999_one_more_table(db: object) -> None:
        db.table("more").create({"x": int})  # type: ignore[attr-defined]

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, m999_one_more_table))
    monkeypatch.setattr(schema, "SCHEMA", before + 1)
    assert held(opened(), VAST) == {("1", 1.0)}
    assert version(tmp_path / FILE) == before + 1
    backup = tmp_path / f"{FILE}.schema-{before}.bak"
    assert version(backup) == before
    db = sqlite3.connect(backup)
    assert db.execute("SELECT offer_id FROM offer").fetchall() == [("1",)]
    db.close()


def test_a_file_of_the_first_schema_keeps_its_offers_and_learns_the_new_columns(
    tmp_path: Path, opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        patch.setattr(schema, "SCHEMA", 1)
        patch.setattr(schema, "LAYOUT", FIRST_LAYOUT)
        old = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        schema.migrate(old, tmp_path / FILE)
    assert schema.layout(old) == FIRST_LAYOUT
    old.execute(
        "INSERT INTO scope(key, provider, account, region, kind, query, fetched_at, rows)"
        " VALUES (?, 'vast', 'public', 'global', 'gpu_offers', ?, 0, 1)",
        (VAST.key, VAST.query),
    )
    old.execute(
        "INSERT INTO offer(scope_id, offer_id, spot, seller, gpu, gpu_raw, gpu_count, usd_per_gpu_hour,"
        " usd_per_hour, flags, place_id, read_at, hash) VALUES (1, 'a', 0, 'vast', 'A100', 'A100', 1, 2.0,"
        " 2.0, 0, 1, 0, 7)"
    )
    old.close()
    store = opened()
    (row,) = store.offers(OfferFilter()).rows
    assert (row["offer_id"], row["usd_per_hour"], row["min_hours"]) == ("a", 2.0, None)
    assert store.examined() is None
    keep(store, offer("a", 2.0, min_hours=720.0))
    assert [one["min_hours"] for one in store.offers(OfferFilter()).rows] == [720.0]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    opened().close()

    before = schema.SCHEMA

    def m999_broken(db: object) -> None:
        db.table("more").create({"x": int})  # type: ignore[attr-defined]
        raise sqlite3.OperationalError("no")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, m999_broken))
        patch.setattr(schema, "SCHEMA", before + 1)
        with pytest.raises(StoreError):
            open_store(tmp_path, clock)
    assert version(tmp_path / FILE) == before
    assert opened().offers(OfferFilter()).total == 0


def test_a_memory_store_leaves_no_file(tmp_path: Path, opened: Callable[..., Store]) -> None:
    store = opened(backend="memory")
    keep(store, offer("1"))
    assert store.read_only is None
    assert list(tmp_path.iterdir()) == []


def test_the_layout_number_is_that_of_a_new_file(tmp_path: Path, opened: Callable[..., Store]) -> None:
    opened().close()
    db = sqlite3.connect(tmp_path / FILE)
    assert schema.layout(db) == schema.LAYOUT
    db.close()


@pytest.mark.parametrize("noted", [None, 1])
def test_a_store_of_our_number_with_other_columns_is_refused_with_what_to_do(
    tmp_path: Path, opened: Callable[..., Store], clock: FixedClock, noted: int | None
) -> None:
    opened().close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("DELETE FROM state WHERE name='layout'")
    if noted is not None:
        db.execute("INSERT INTO state(name, value) VALUES ('layout', ?)", (noted,))
    db.execute("ALTER TABLE place RENAME COLUMN said TO told")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="older layout") as caught:
        open_store(tmp_path, clock)
    assert "Move the file away" in caught.value.next_step


def test_a_file_without_a_note_of_its_layout_is_good_when_its_columns_are(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    keep(store, offer("1"))
    store.writer.run(lambda db: db.execute("DELETE FROM state WHERE name='layout'"))
    store.close()
    assert held(opened(), VAST) == {("1", 1.0)}


def test_an_examination_finds_damage_and_missing_tables(tmp_path: Path, opened: Callable[..., Store]) -> None:
    store = opened()
    keep(store, *(offer(str(number), region=f"r{number}") for number in range(2000)))
    assert store.examined() is None
    store.close()
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:40960] + b"\xff" * (len(whole) - 40960))
    damaged = opened().examined()
    assert "damaged" in str(damaged)
    assert "Move the file away" in str(damaged)


def test_an_examination_misses_a_table(opened: Callable[..., Store]) -> None:
    store = opened()
    store.writer.run(lambda db: db.execute("DROP TABLE point"))
    assert "older layout" in str(store.examined())


def full(store: Store) -> None:
    """From now on SQLite finds no room for another page, as on a full disk."""
    pages = store.writer.run(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    store.writer.run(lambda db: db.execute(f"PRAGMA max_page_count={pages}"))


def test_a_disk_that_fills_up_makes_the_store_go_on_in_memory(opened: Callable[..., Store]) -> None:
    store = opened()
    keep(store, offer("old"))
    full(store)
    many = [offer(str(number), region=f"r{number}") for number in range(3000)]
    with pytest.raises(StoreError, match="disk is full"):
        keep(store, *many)
    assert "The disk is full" in str(store.read_only)
    assert held(store, VAST) >= {("old", 1.0)}
    assert keep(store, *many)
    assert len(held(store, VAST)) == 3000
    store.close()
    assert held(opened(), VAST) == {("old", 1.0)}


def test_a_single_write_that_finds_the_disk_full_is_repeated_in_memory(opened: Callable[..., Store]) -> None:
    store = opened()
    full(store)
    state = {"words": "x" * 100_000}
    store.conversations.save("long", state)
    assert store.conversations.load("long") == state
    assert store.read_only is not None
