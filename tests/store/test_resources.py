"""Resources in the file: written once, changed, gone, remembered, cleared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.inventory import Gpus, Resource, Unread, with_tags
from cloudtop.models import Scope
from cloudtop.store.open import FILE, Store
from cloudtop.store.resources import ResourceFilter

EC2 = Scope("aws", "prod", "us-east-1", "instances")
NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


def machine(number: int, **told: Any) -> Resource:
    usual: dict[str, Any] = {
        "name": f"web-{number}",
        "status": "running",
        "tags": {"env": "prod"},
        "raw": f'{{"InstanceId":"i-{number}"}}',
    }
    return Resource(f"i-{number}", "instance", **(usual | told))


def look(store: Store, *found: Resource, hours: float = 0, complete: bool = True, scope: Scope = EC2) -> None:
    with store.resource_observation(scope, fetched_at=NOON + timedelta(hours=hours)) as seen:
        seen.add(found)
        if complete:
            seen.finish()
    store.flush()


def held(store: Store, **query: Any) -> list[dict[str, Any]]:
    return store.resources(ResourceFilter(scopes=(EC2,), limit=None, **query)).rows


def counted(home: Path, table: str) -> int:
    with sqlite3.connect(home / FILE) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def store(tmp_path: Path, opened: Callable[..., Store]) -> Store:
    return opened(tmp_path)


def test_what_no_machine_of_a_page_has_any_more_is_gone_from_its_row(store: Store) -> None:
    look(store, machine(1, public_ip="203.0.113.7", zone="a", gpus=(Gpus("A100", 8.0, 80.0),)), machine(2))
    look(store, machine(1), machine(2), hours=1)
    assert [(one["public_ip"], one["zone"], one["gpus"]) for one in held(store)] == [(None, None, None)] * 2


def test_another_record_of_the_cloud_alone_is_kept_and_is_no_change(store: Store, tmp_path: Path) -> None:
    look(store, machine(1), machine(2))
    look(store, machine(1, raw='{"InstanceId":"i-1","EbsOptimized":true}'), machine(2), hours=1)
    assert store.roster.raw(EC2, "instance", "us-east-1", "i-1") == {
        "InstanceId": "i-1",
        "EbsOptimized": True,
    }
    assert counted(tmp_path, "resource_past") == 0


def test_other_tags_are_all_that_is_other() -> None:
    one = machine(1, public_ip="203.0.113.7", details={"part": "a"}, gpus=(Gpus("A100", 8.0, 80.0),))
    assert with_tags(one, {"env": "test"}) == replace(one, tags={"env": "test"})
    assert with_tags(one, None).tags is None


def test_of_a_part_that_was_not_read_nothing_is_gone(store: Store) -> None:
    look(store, *(machine(n, details={"part": part}) for n, part in enumerate(["A", "b", "c"])))
    with store.resource_observation(EC2, fetched_at=NOON + timedelta(hours=1)) as seen:
        seen.add([machine(2, details={"part": "c"})])
        seen.spare(Unread("part", ["a"]))
        seen.finish()
    store.flush()
    assert [one["name"] for one in held(store)] == ["web-0", "web-2"]


def test_a_row_comes_back_as_it_was_told(store: Store) -> None:
    one = machine(
        1,
        zone="us-east-1a",
        created_at=NOON,
        instance_type="p4d.24xlarge",
        vcpus=96.0,
        gpus=(Gpus("A100", 8, 40.0),),
        spot=True,
        encrypted=False,
        details={"vpc_id": "vpc-1"},
    )
    look(store, one)
    (row,) = held(store)
    assert row["uid"] == "aws:prod:us-east-1:instance:i-1"
    assert row["gpus"] == [{"gpu": "A100", "count": 8, "memory_gib": 40.0}]
    assert (row["spot"], row["encrypted"], row["vcpus"]) == (True, False, 96.0)
    assert row["tags"] == {"env": "prod"}
    assert row["details"] == {"vpc_id": "vpc-1"}
    assert row["created_at"] == "2026-11-20T12:00:00Z"
    assert row["ram_gib"] is None
    assert store.roster.raw(EC2, "instance", "us-east-1", "i-1") == {"InstanceId": "i-1"}


def test_unknown_tags_and_no_tags_are_two_things(store: Store) -> None:
    look(store, machine(1, tags=None), machine(2, tags={}))
    assert [row["tags"] for row in held(store)] == [None, {}]


def test_an_unchanged_look_writes_nothing(store: Store, tmp_path: Path) -> None:
    look(store, machine(1), machine(2))
    before = counted(tmp_path, "raw_page")
    changes = store.writer.connection.total_changes
    look(store, machine(1), machine(2), hours=1)
    assert counted(tmp_path, "raw_page") == before
    assert counted(tmp_path, "resource_past") == 0
    # What a look itself notes: the scope, twice, and the generation.
    assert store.writer.connection.total_changes - changes <= 6


def test_a_change_leaves_what_was_before_and_a_fluctuation_does_not(store: Store, tmp_path: Path) -> None:
    look(store, machine(1, size_bytes=1), machine(2))
    look(store, machine(1, size_bytes=2), machine(2), hours=1)
    assert counted(tmp_path, "resource_past") == 0
    assert held(store)[0]["size_bytes"] == 2
    look(store, machine(1, size_bytes=2, status="stopped"), machine(2), hours=2)
    assert counted(tmp_path, "resource_past") == 1
    at = NOON + timedelta(hours=1, minutes=30)
    assert [row["status"] for row in held(store, at=at)] == ["running", "running"]
    assert [row["status"] for row in held(store)] == ["stopped", "running"]


def test_what_is_gone_is_remembered_with_the_time_it_went(store: Store) -> None:
    look(store, machine(1), machine(2))
    look(store, machine(1), hours=1)
    assert [row["id"] for row in held(store)] == ["i-1"]
    early, late = NOON + timedelta(minutes=30), NOON + timedelta(hours=2)
    assert [row["id"] for row in held(store, at=early)] == ["i-1", "i-2"]
    assert [row["id"] for row in held(store, at=late)] == ["i-1"]
    within = held(store, within=(early, late))
    assert [(row["id"], row["status"]) for row in within] == [("i-1", "running"), ("i-2", "terminated")]
    assert held(store, within=(NOON + timedelta(hours=1, minutes=1), late), statuses=("terminated",)) == []


def test_what_comes_back_after_it_was_gone_is_new_again(store: Store) -> None:
    look(store, machine(1))
    look(store, hours=1)
    look(store, machine(1), hours=2)
    between = NOON + timedelta(hours=1, minutes=30)
    assert held(store, at=between) == []
    assert len(held(store)) == 1
    assert len(held(store, at=NOON + timedelta(minutes=1))) == 1


def test_a_look_without_an_end_adds_and_removes_nothing(store: Store) -> None:
    look(store, machine(1), machine(2))
    look(store, machine(2, status="stopped"), machine(3), hours=1, complete=False)
    assert [(row["id"], row["status"]) for row in held(store)] == [
        ("i-1", "running"),
        ("i-2", "stopped"),
        ("i-3", "running"),
    ]
    known = store.freshness([EC2])[EC2]
    assert known is not None
    assert known.fetched_at == NOON


def test_records_that_no_row_has_any_more_are_removed(store: Store, tmp_path: Path) -> None:
    look(store, machine(1), machine(2))
    look(store, machine(1, status="stopped"), machine(2, status="stopped"), hours=1)
    assert counted(tmp_path, "raw_page") == 1
    assert store.roster.raw(EC2, "instance", "us-east-1", "i-2") == {"InstanceId": "i-2"}


def test_the_same_id_in_two_accounts_and_regions_is_several_resources(store: Store) -> None:
    other = replace(EC2, account="lab")
    look(store, machine(1), machine(1, region="eu-west-1"))
    look(store, machine(1), scope=other)
    page = store.resources(ResourceFilter(limit=None))
    assert len({row["uid"] for row in page.rows}) == page.total == 3


def test_clearing_forgets_rows_and_their_records(store: Store, tmp_path: Path) -> None:
    look(store, machine(1), machine(2))
    assert store.cache_clear("aws") == 1
    assert (counted(tmp_path, "resource"), counted(tmp_path, "raw_page")) == (0, 0)


def test_the_price_of_its_type_stands_in_for_its_own(store: Store) -> None:
    look(
        store,
        machine(1, instance_type="m5.large"),
        machine(2, instance_type="m5.large", usd_per_hour=0.5),
        machine(3, instance_type="m5.large", spot=True),
    )
    store.keep_instance_prices("aws", "us-east-1", {"m5.large": 0.1, "m5.huge": None}, NOON)
    assert [row["usd_per_hour"] for row in held(store)] == [0.1, 0.5, None]
    assert [row["id"] for row in held(store, max_price=0.2)] == ["i-1"]


def test_a_text_that_tries_to_be_sql_or_a_pattern_is_looked_for_as_it_is(store: Store) -> None:
    look(store, machine(1, name="50%_off'; DROP TABLE resource"), machine(2, name="50 and off"))
    assert [row["id"] for row in held(store, name_contains=("0%_o",))] == ["i-1"]
    assert [row["id"] for row in held(store, search="drop")] == ["i-1"]
    assert held(store, tags=(("env", "prod\nteam=x"),)) == []


def test_an_instance_type_is_meant_whole_or_as_a_family(store: Store) -> None:
    look(
        store,
        machine(1, instance_type="n2-standard-4"),
        machine(2, instance_type="n2-standard-48"),
        machine(3, instance_type="p4d.24xlarge"),
    )
    assert [row["id"] for row in held(store, instance_types=("n2-standard-4",))] == ["i-1"]
    assert [row["id"] for row in held(store, instance_types=("N2-standard",))] == ["i-1", "i-2"]
    assert [row["id"] for row in held(store, instance_types=("p4d",))] == ["i-3"]
