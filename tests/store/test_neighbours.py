from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cloudtop.models import AuditRecord, Trouble
from cloudtop.store.offers import OfferFilter
from cloudtop.store.open import FILE, Store
from tests.store.conftest import BID, NOON, OWN, VAST, FixedClock, held, keep, offer
from tests.store.test_observation import ended, python

RECORD = AuditRecord(
    NOON, "cli", "vast", "public", "bundles", "POST", "console.vast.ai", 200, None, 1, 12.5, 900
)


def test_a_lease_is_one_processs_until_it_is_given_back(store: Store) -> None:
    token = store.lease(VAST, 10)
    assert token is not None
    assert store.lease(VAST, 10) is None
    assert store.lease(BID, 10) is not None
    assert store.give_back(VAST, token)
    assert store.lease(VAST, 10) is not None


def test_a_lease_that_ran_out_goes_to_another_and_cannot_be_given_back(
    store: Store, clock: FixedClock
) -> None:
    old = store.lease(VAST, 10)
    assert old is not None
    clock.pass_by(10)
    new = store.lease(VAST, 10)
    assert new is not None
    assert not store.give_back(VAST, old)
    assert store.lease(VAST, 10) is None
    assert store.give_back(VAST, new)


def test_of_many_processes_one_gets_the_lease(tmp_path: Path, opened: Callable[..., Store]) -> None:
    opened()
    askers = [
        python(
            "sys.stdin.readline(); print(store.lease(VAST, 60) is not None, flush=True); sys.stdin.read()",
            tmp_path,
        )
        for _ in range(4)
    ]
    for one in askers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.stdout.readline().strip() for one in askers if one.stdout is not None]
    assert sorted(said) == ["False", "False", "False", "True"]
    for one in askers:
        ended(one)


def test_a_host_that_is_down_is_known_at_once_and_to_other_processes(
    tmp_path: Path, store: Store, clock: FixedClock
) -> None:
    until = NOON + timedelta(seconds=60)
    assert store.hosts.down_until("api.example") is None
    store.hosts.mark_down("api.example", until)
    assert store.hosts.down_until("api.example") == until
    store.flush()
    assert ended(python("print(store.hosts.down_until('api.example'))", tmp_path)).strip() == str(until)
    clock.pass_by(61)
    assert store.hosts.down_until("api.example") is None


def test_a_shorter_rest_does_not_shorten_a_longer_one_of_another_process(
    tmp_path: Path, store: Store
) -> None:
    store.hosts.mark_down("h", NOON + timedelta(seconds=60))
    store.flush()
    ended(python("store.hosts.mark_down('h', NOON + timedelta(seconds=5)); store.close()", tmp_path))
    assert store.hosts.down_until("h") == NOON + timedelta(seconds=60)


def test_audit_records_come_back_newest_first(store: Store) -> None:
    failed = AuditRecord(NOON, "mcp", "aws", "work", "op", "GET", "h", None, "reset", 2, 1.0, None, {"n": 1})
    store.audit.record(RECORD)
    store.audit.record(failed)
    assert store.audit_records() == [failed, RECORD]
    assert store.audit_records(limit=1) == [failed]


def test_audit_records_handed_over_before_the_end_are_kept(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    for _ in range(500):
        store.audit.record(RECORD)
    store.close()
    assert len(opened().audit_records(limit=None)) == 500


def test_an_audit_record_never_raises_for_a_locked_or_closed_store(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened(busy_s=0.02)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.audit.record(RECORD)
    store.writer.close()
    other.execute("ROLLBACK")
    other.close()
    store.audit.record(RECORD)
    store.close()
    assert store.audit.lost == 2  # type: ignore[attr-defined]


def test_a_conversation_is_kept_by_name_across_processes(tmp_path: Path, store: Store) -> None:
    assert store.conversations.load("main") is None
    store.conversations.save("main", {"turns": [{"gpu": "A100", "é": None}]})
    store.conversations.save("main", {"turns": [{"gpu": "H100", "é": None}]})
    store.conversations.save("other", {})
    out = ended(python("import json; print(json.dumps(store.conversations.load('main')))", tmp_path))
    assert json.loads(out) == {"turns": [{"gpu": "H100", "é": None}]}


def test_the_cache_is_listed_by_scope(store: Store) -> None:
    keep(store, offer("1"), scope=OWN)
    keep(store, offer("1"), offer("2"))
    store.trouble(BID, Trouble("vast", "unreachable", "Nobody there.", "Wait."))
    listed = store.cache_list()
    assert [(one["provider"], one["query"], one["known"].rows) for one in listed] == [
        ("pricelist", OWN.query, 1),
        ("vast", BID.query, 0),
        ("vast", VAST.query, 2),
    ]
    assert listed[1]["known"].trouble.code == "unreachable"


def test_clearing_one_providers_cache_leaves_the_others(store: Store) -> None:
    keep(store, *(offer(str(number), raw={"n": number}) for number in range(2500)))
    store.replace_rows(BID, [{"uid": "x"}], fetched_at=NOON, complete=True)
    keep(store, offer("kept"), scope=OWN)
    assert store.cache_clear("vast") == 2
    assert held(store) == {("kept", 1.0)}
    assert store.freshness([VAST, BID]) == {VAST: None, BID: None}
    assert store.rows(BID) == []
    assert store.cache_clear() == 1
    assert store.offers(OfferFilter()).total == 0


def test_clearing_the_cache_ends_a_look_that_is_under_way(store: Store) -> None:
    with store.observation(VAST, fetched_at=NOON) as seen:
        seen.add([offer("1")])
        store.flush()
        store.cache_clear()
        seen.add([offer("2")])
        assert seen.finish() is False
    assert held(store) == set()
    assert store.freshness([VAST]) == {VAST: None}


def test_clearing_the_cache_keeps_audit_and_conversations(store: Store) -> None:
    store.audit.record(RECORD)
    store.conversations.save("main", {"a": 1})
    store.cache_clear()
    assert store.audit_records() == [RECORD]
    assert store.conversations.load("main") == {"a": 1}


def test_the_lease_of_a_process_that_was_killed_is_taken_over_at_once(
    tmp_path: Path, opened: Callable[..., Store]
) -> None:
    store = opened()
    holder = python("print(store.lease(VAST, 60), flush=True); sys.stdin.readline()", tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() != "None"
    assert store.lease(VAST, 60) is None
    holder.kill()
    holder.communicate()
    assert store.lease(VAST, 60) is not None


def test_the_lease_of_a_process_on_another_machine_is_left_to_it(opened: Callable[..., Store]) -> None:
    store = opened()
    store.writer.run(
        lambda db: db.execute(
            "INSERT INTO lease(scope, holder, until) VALUES (?, 'elsewhere/1:999999:5:ab', 9e12)", (VAST.key,)
        )
    )
    assert store.lease(VAST, 60) is None
