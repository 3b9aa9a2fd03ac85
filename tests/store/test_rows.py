from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtop.models import Scope
from cloudtop.store import rows as kept_rows
from cloudtop.store.open import Store
from cloudtop.store.rows import Row
from tests.store.conftest import NOON, keep, offer

HEALTH = Scope("vast", kind="health")
LATER = NOON + timedelta(minutes=1)


def row(uid: str, **facts: object) -> Row:
    return {"uid": uid, **facts}


def look(store: Store, *found: Row, complete: bool = True) -> kept_rows.Changes:
    return store.replace_rows(HEALTH, found, fetched_at=NOON, complete=complete)


def test_rows_come_back_as_they_were_in_the_order_of_their_uids(store: Store) -> None:
    look(store, row("b", name="é\n", nested={"x": [1, None]}), row("a", healthy=True))
    assert store.rows(HEALTH) == [row("a", healthy=True), row("b", name="é\n", nested={"x": [1, None]})]
    assert store.rows(Scope("aws", kind="health")) == []


def test_the_first_look_brings_no_news(store: Store) -> None:
    changes = look(store, row("a"), row("b"))
    assert changes.first
    assert not changes


def test_changes_are_what_was_created_modified_and_deleted(store: Store) -> None:
    look(store, row("same", n=1), row("other", n=1), row("gone", n=1))
    changes = look(store, row("same", n=1), row("other", n=2), row("new", n=1))
    assert changes.created == [row("new", n=1)]
    assert changes.modified == [(row("other", n=1), row("other", n=2))]
    assert changes.deleted == [row("gone", n=1)]
    assert changes.complete
    assert not look(store, row("same", n=1), row("other", n=2), row("new", n=1))


def test_the_order_of_a_rows_keys_is_no_change(store: Store) -> None:
    look(store, {"uid": "a", "x": 1, "y": 2})
    assert not look(store, {"y": 2, "x": 1, "uid": "a"})


def test_an_unfinished_look_deletes_nothing(store: Store) -> None:
    look(store, row("a"), row("b"))
    changes = look(store, row("b", n=2), row("c"), complete=False)
    assert (changes.deleted, changes.complete) == ([], False)
    assert [one["uid"] for one in store.rows(HEALTH)] == ["a", "b", "c"]


def test_rows_and_offers_of_one_store_do_not_mix(store: Store) -> None:
    keep(store, offer("1"))
    look(store, row("a"))
    store.replace_rows(HEALTH, [], fetched_at=LATER, complete=True)
    assert store.rows(HEALTH) == []
    known = store.freshness([HEALTH])[HEALTH]
    assert known is not None
    assert (known.complete, known.rows, known.fetched_at) == (True, 0, LATER)


def test_pages_of_rows_can_be_streamed(store: Store) -> None:
    with store.row_observation(HEALTH, fetched_at=NOON) as seen:
        for page in range(3):
            seen.add(row(f"{page}-{number}") for number in range(400))
        assert seen.finish()
    assert len(store.rows(HEALTH)) == 1200


def test_a_row_without_a_uid_is_refused_and_nothing_counts(store: Store) -> None:
    look(store, row("a"))
    with pytest.raises(KeyError):
        store.replace_rows(HEALTH, [{"name": "?"}], fetched_at=LATER, complete=True)
    known = store.freshness([HEALTH])[HEALTH]
    assert known is not None
    assert known.fetched_at == NOON
    assert store.rows(HEALTH) == [row("a")]


LOOKS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2)), st.booleans()), max_size=7
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LOOKS)
def test_changes_applied_to_what_was_known_give_what_is_known(
    opened: Callable[..., Store], looks: list[tuple[dict[str, int], bool]]
) -> None:
    store = opened(backend="memory")
    known: dict[str, Row] = {}
    read = False
    for found, complete in looks:
        changes = look(store, *(row(uid, n=n) for uid, n in found.items()), complete=complete)
        assert changes.first == (not read)
        if changes.first:
            known = {**known, **{uid: row(uid, n=n) for uid, n in found.items()}}
        for new in changes.created:
            known[new["uid"]] = new
        for old, new in changes.modified:
            assert known[old["uid"]] in (old, new)
            known[new["uid"]] = new
        for old in changes.deleted:
            known.pop(old["uid"], None)
        read = read or complete
        assert {one["uid"]: one for one in store.rows(HEALTH)} == known
