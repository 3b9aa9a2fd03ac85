"""What Cloudflare's records mean: a missing field makes something unknown, and loses or invents nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Resource
from connectors import cloudflare_rows as made
from connectors import discovery

TAGS = {"one": {"env": "prod"}}
KEPT = {
    "one": {"payloadSize": 1000, "metadataSize": 24, "objectCount": 3, "byteCount": 1024**3, "keyCount": 5}
}
DATES = {"created_on": "2026-01-02T03:04:05.6Z", "modified_on": "2026-02-03T04:05:06.7Z"}
KINDS: dict[str, tuple[Callable[[dict[str, Any]], Resource], str, dict[str, Any]]] = {
    "workers": (lambda one: made.worker(one, TAGS), "id", {
        "id": "one", "tag": "e8f7", **DATES, "usage_model": "standard", "handlers": ["fetch"], "logpush": 1,
        "compatibility_date": "2026-03-01", "last_deployed_from": "wrangler", "placement_mode": "smart"}),
    "models": (made.model, "name", {
        "name": "one", "created_at": "2026-01-02 03:04:05", "task": {"name": "Text Generation"},
        "properties": [{"property_id": "context_window", "value": "8000"}]}),
    "buckets": (lambda one: made.bucket(one, TAGS, KEPT), "name", {
        "name": "one", "creation_date": "2026-01-02T03:04:05Z", "location": "WEUR", "storage_class": "IA",
        "jurisdiction": "default"}),
    "d1_databases": (lambda one: made.d1_database(one, TAGS), "uuid", {
        "uuid": "one", "name": "shop", "version": "production", "created_at": "2026-01-02T03:04:05Z",
        "file_size": 1024**3, "jurisdiction": "eu", "read_replication": {"mode": "auto"}}),
    "namespaces": (lambda one: made.namespace(one, TAGS, KEPT), "id", {
        "id": "one", "title": "flags", "jurisdiction": "us"}),
    "zones": (lambda one: made.zone(one, TAGS), "id", {
        "id": "one", "name": "shop.example", "status": "moved", **DATES, "paused": True, "type": "full",
        "plan": {"name": "Pro Website"}, "name_servers": ["ada.ns.cloudflare.com"]}),
    "pages_projects": (lambda one: made.project(one, TAGS), "name", {
        "name": "one", **DATES, "framework": "astro", "subdomain": "one.dev", "domains": ["one.example"],
        "production_branch": "main", "uses_functions": True, "canonical_deployment": {"id": "d1"},
        "latest_deployment": {"modified_on": "2026-02-03T04:05:06Z",
                              "latest_stage": {"name": "build", "status": "failure"}}}),
    "queues": (lambda one: made.message_queue(one, TAGS), "queue_id", {
        "queue_id": "one", "queue_name": "jobs", **DATES, "consumers_total_count": 1,
        "producers_total_count": 2,
        "settings": {"delivery_paused": True}, "jurisdiction": "eu",
        made.BACKLOG: {"backlog_count": 7, "backlog_bytes": 4096}}),
}  # fmt: skip
COLUMNS = tuple(one.name for one in fields(Resource) if one.name not in ("raw", "details"))
UNKNOWN = (None, (), {}, "unknown")
SECOND_BEST = {
    ("zones", "health"): "degraded",  # one that is not known to have moved is still paused
    ("zones", "health_message"): "Cloudflare is paused for it: it only answers for its names.",
    ("pages_projects", "health_message"): "Its last deployment failed.",
    ("pages_projects", "status"): "starting",  # nothing of it is seen yet
    ("queues", "status"): "available",  # it is not told to be paused
}
"""What a column tells when the best is missing."""


def columns(found: Resource) -> dict[str, Any]:
    told = {name: getattr(found, name) for name in COLUMNS}
    return told | {f"details.{name}": value for name, value in found.details.items()}


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field at any depth."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, within in parts:
        if isinstance(value, dict):
            yield (*above, name)
        yield from paths(within, (*above, name))


def test_every_listing_has_a_record_here() -> None:
    assert set(KINDS) == set(discovery.found()["cloudflare"].lists)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_record_makes_a_whole_row(kind: str) -> None:
    row, _, record = KINDS[kind]
    found = row(record)
    assert (found.id, found.tags) == ("one", None if kind == "models" else {"env": "prod"})
    assert found.status in STATUSES
    assert found.status != "unknown"
    assert found.name
    assert found.type in discovery.found()["cloudflare"].lists[kind]
    assert json.loads(json.dumps(found.details)) == found.details
    times = [value for value in columns(found).values() if isinstance(value, datetime)]
    assert all(value.tzinfo is UTC for value in times)
    assert times or kind == "namespaces"


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_what_is_missing_is_unknown_and_nothing_else_changes(kind: str, data: st.DataObject) -> None:
    row, names, record = KINDS[kind]
    gone = data.draw(st.sampled_from([path for path in paths(record) if path != (names,)]))
    less: Any = copy.deepcopy(record)
    place = less
    for part in gone[:-1]:
        place = place[part]
    if data.draw(st.booleans()):
        del place[gone[-1]]
    else:
        place[gone[-1]] = None
    before, after = columns(row(record)), columns(row(less))
    for name, value in after.items():
        if value != before.get(name):
            assert value in UNKNOWN or SECOND_BEST.get((kind, name)) == value, (gone, name, value)


def test_a_bucket_of_a_jurisdiction_is_called_as_the_analytics_call_it() -> None:
    stored = {"eu_one": {"payloadSize": 2000, "metadataSize": 48, "objectCount": 9}, **KEPT}
    found = made.bucket({"name": "one", "jurisdiction": "eu"}, {"one": {"a": "b"}}, stored)
    assert (found.id, found.name, found.size_bytes, found.object_count) == ("eu_one", "one", 2048, 9)
    assert made.bucket({"name": "one", "jurisdiction": "default"}, None, stored).size_bytes == 1024
    assert made.bucket({"name": "one"}, None, None).size_bytes is None


def test_an_empty_bucket_is_empty_and_not_unknown() -> None:
    stored = {"one": {"payloadSize": 0, "metadataSize": 0, "objectCount": 0}}
    found = made.bucket({"name": "one"}, None, stored)
    assert (found.size_bytes, found.object_count) == (0, 0)


JUNK = ("status", "paused", "plan", "settings", "task", "properties", "handlers", "file_size", "location")
VALUES = (None, 7, -1, "", "?", [1], {}, {"name": 3}, True)


@given(
    junk=st.dictionaries(st.sampled_from(JUNK), st.sampled_from(VALUES)), kind=st.sampled_from(list(KINDS))
)
def test_values_of_another_kind_lose_no_row(junk: dict[str, Any], kind: str) -> None:
    row, names, record = KINDS[kind]
    found = row({**record, **junk, names: "one"})
    assert found.id == "one"
    assert found.status in STATUSES
