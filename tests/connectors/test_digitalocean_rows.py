"""What DigitalOcean's records mean: a missing field makes something unknown, and loses or invents nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, MetricQuery, Resource
from connectors import (
    digitalocean_compute,
    digitalocean_metrics,
    digitalocean_network,
    digitalocean_platform,
    digitalocean_storage,
    discovery,
)
from connectors.digitalocean_rows import moment, tags

Path = tuple[Any, ...]
FIELDS = tuple(one.name for one in fields(Resource) if one.name not in ("raw", "details"))
UNKNOWN = (None, (), {}, [], False, "unknown", "unattached")
WHOLE = {"slug": "nyc3", "name": "New York 3", "sizes": ["s-1vcpu-1gb"], "available": True}
COMMON = {"created_at": "2026-01-02T03:04:05Z", "tags": ["env:prod", "web"], "name": "one"}
SECRET = {"uri": "postgres://doadmin:canary@h", "host": "h", "password": "canary"}
DROPLET = {
    **COMMON,
    "id": 44,
    "status": "active",
    "region": WHOLE,
    "memory": 245760,
    "vcpus": 20,
    "disk": 720,
    "size_slug": "gpu-h100x1-80gb",
    "size": {"slug": "gpu-h100x1-80gb", "price_hourly": 3.35},
    "gpu_info": {"count": 1, "model": "nvidia_h100", "vram": {"amount": 80, "unit": "gib"}},
    "networks": {"v4": [{"ip_address": "203.0.113.9", "type": "public", "gateway": "nil"}]},
    "image": {"slug": "ubuntu-24-04-x64"},
    "volume_ids": ["v"],
    "features": ["monitoring"],
    "user_data_token": "canary",
}
RECORDS: dict[str, dict[str, Any]] = {
    "droplets": DROPLET,
    "gpu_droplets": DROPLET,
    "clusters": {
        **COMMON,
        "id": "c",
        "region": "nyc3",
        "version": "1.33.1-do.3",
        "status": {"state": "degraded", "message": "Two nodes do not answer."},
        "node_pools": [{"name": "gpu", "size": "gpu-h100x1-80gb", "count": 2, "auto_scale": True}],
        "sso": {"client_secret": "canary"},
    },
    "databases": {
        **COMMON,
        "id": "d",
        "region": "nyc3",
        "engine": "advanced_pg",
        "status": "online",
        "version": "17",
        "storage_size_mib": 61440,
        "num_nodes": 2,
        "size": "db-s-2vcpu-4gb",
        **dict.fromkeys(("connection", "private_connection", "standby_connection", "ui_connection"), SECRET),
        "users": [{"name": "doadmin", "password": "canary", "access_cert": "canary"}],
    },
    "namespaces": {"namespace": "fn-1", "label": "one", "region": "nyc3", "created_at": COMMON["created_at"],
                   "api_host": "https://faas.example", "uuid": "u", "key": "canary"},
    "apps": {
        "id": "a",
        "region": {"slug": "nyc", "data_centers": ["nyc3"]},
        "created_at": COMMON["created_at"],
        "spec": {"name": "one", "services": [{"name": "web", "envs": [{"key": "K", "value": "canary"}]}]},
        "active_deployment": {"phase": "ACTIVE", "created_at": COMMON["created_at"],
                              "spec": {"envs": [{"key": "K", "value": "canary"}]}},
        "live_url": "https://one.example",
    },
    "volumes": {**COMMON, "id": "v", "region": WHOLE, "size_gigabytes": 10, "droplet_ids": [44]},
    "snapshots": {**COMMON, "id": 77, "regions": ["nyc3"], "size_gigabytes": 2.34, "resource_id": "44"},
    "load_balancers": {**COMMON, "id": "l", "region": WHOLE, "ip": "203.0.113.7", "status": "errored",
                       "forwarding_rules": [{"entry_protocol": "https", "entry_port": 443,
                                             "target_protocol": "http", "target_port": 80}]},
    "vpcs": {**COMMON, "id": "n", "region": "nyc3", "ip_range": "10.0.0.0/20", "default": True},
    "addresses": {"ip": "203.0.113.8", "region": WHOLE, "droplet": {"id": 44, "name": "one"}},
}  # fmt: skip
MADE: dict[str, Callable[[dict[str, Any]], Resource | None]] = {
    "droplets": digitalocean_compute.droplet,
    "gpu_droplets": digitalocean_compute.droplet,
    "clusters": digitalocean_compute.cluster,
    "databases": digitalocean_platform.database,
    "namespaces": digitalocean_platform.namespace,
    "apps": digitalocean_platform.app,
    "volumes": digitalocean_storage.volume,
    "snapshots": digitalocean_storage.snapshot,
    "load_balancers": digitalocean_network.load_balancer,
    "vpcs": digitalocean_network.vpc,
    "addresses": digitalocean_network.reserved,
}
IDS = {"namespaces": "namespace", "addresses": "ip"}
SECOND_BEST = {
    ("apps", "region"),  # without its data centre a city is told
    ("droplets", "details.image"),
    *((kind, name) for kind in ("droplets", "gpu_droplets") for name in ("gpus", "instance_type")),
}
"""Columns that something else tells when the best is missing: a slug tells GPUs too."""


def columns(found: Resource) -> dict[str, Any]:
    told = {name: getattr(found, name) for name in FIELDS}
    return told | {f"details.{name}": value for name, value in found.details.items()}


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The way to every field at any depth."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        if isinstance(value, dict):
            yield (*above, name)
        yield from paths(inner, (*above, name))


def changed(kind: str, path: Path, *values: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(RECORDS[kind])
    place = made
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    if values:
        place[path[-1]] = values[0]
    return made  # type: ignore[no-any-return]


def every(kind: str) -> list[Path]:
    return [path for path in paths(RECORDS[kind]) if path != (IDS.get(kind, "id"),)]


def test_every_listing_of_the_api_has_a_record_here() -> None:
    assert set(RECORDS) == set(MADE) == set(discovery.found()["digitalocean"].lists) - {"spaces"}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_whole_record_makes_a_whole_row_without_any_secret(kind: str) -> None:
    made = MADE[kind](RECORDS[kind])
    assert made is not None
    assert made.region == "nyc3"
    assert made.status in STATUSES
    assert made.status not in ("unknown", "unattached")
    assert made.type in discovery.found()["digitalocean"].lists[kind]
    assert json.loads(json.dumps(made.details)) == made.details
    assert None not in made.details.values()
    assert "canary" not in repr(made)
    assert json.loads(made.raw or "{}")


@given(kind=st.sampled_from(list(RECORDS)), data=st.data())
def test_what_is_missing_is_unknown_and_nothing_else_changes(kind: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(every(kind)))
    whole, less = MADE[kind](RECORDS[kind]), MADE[kind](changed(kind, path))
    assert whole is not None
    assert less is not None, f"without {path} the record is lost"
    assert (less.id, less.type) == (whole.id, whole.type)
    before, after = columns(whole), columns(less)
    other = {name for name in after if after[name] != before.get(name)}
    kept = {name for name in other if after[name] not in UNKNOWN and not shorter(after[name], before[name])}
    assert {(kind, name) for name in kept} <= SECOND_BEST, kept
    assert after["status"] in STATUSES


def shorter(after: Any, before: Any) -> bool:
    """A list and a sentence become shorter, and a sum smaller."""
    if isinstance(after, int | float) and isinstance(before, int | float):
        return after <= before
    return type(after) is type(before) and len(str(after)) <= len(str(before)) + 3


@pytest.mark.parametrize("kind", RECORDS)
def test_nonsense_in_a_field_loses_no_record_and_is_no_fact(kind: str) -> None:
    for path in every(kind):
        for junk in (None, "", "n/a", [], {}, -1, 0, True, float("nan"), [None], {"x": 1}):
            made = MADE[kind](changed(kind, path, junk))
            assert made is not None, (path, junk)
            assert made.status in STATUSES
            for name in ("vcpus", "ram_gib", "size_gb", "usd_per_hour"):
                value = getattr(made, name)
                assert value is None or value > 0, (path, junk, name)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_with_nothing_but_its_id_is_a_row_and_without_it_none(kind: str) -> None:
    name = IDS.get(kind, "id")
    made = MADE[kind]({name: RECORDS[kind][name]})
    assert made is not None
    assert (made.name, made.region, made.created_at, made.usd_per_hour) == (None, None, None, None)
    assert MADE[kind]({key: value for key, value in RECORDS[kind].items() if key != name}) is None


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (["env:prod", "web"], {"env": "prod", "web": ""}),
        (["k8s", "k8s:worker", "k8s:0c1"], {"k8s": "", "k8s:worker": "", "k8s:0c1": ""}),
        (["a:b:c"], {"a": "b:c"}),
        ([], {}),
        (None, {}),
    ],
)
def test_a_tag_is_a_name_and_a_value_unless_its_name_comes_several_times(
    told: Any, read: dict[str, str]
) -> None:
    assert tags({"tags": told}) == read


def test_the_year_one_is_no_time() -> None:
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("2020-03-13T19:20:47.442049222Z") == datetime(2020, 3, 13, 19, 20, 47, 442049, UTC)


@pytest.mark.parametrize(
    ("samples", "share"),
    [
        ([(0, 100, 0), (60, 130, 30)], {0: 50.0}),
        # A restart begins from nothing: that step tells nothing, the next one does.
        ([(0, 9000, 900), (60, 10, 2), (120, 55, 17)], {60: 25.0}),
        ([(0, 100, 0), (60, 100, 0)], {}),
        ([(0, 100, 0)], {}),
    ],
)
def test_cpu_is_the_difference_of_counters(
    samples: list[tuple[int, float, float]], share: dict[int, float]
) -> None:
    idle = {at: value for at, value, _ in samples}
    user = {at: value for at, _, value in samples}
    assert digitalocean_metrics.busy([({"mode": "idle"}, idle), ({"mode": "user"}, user)]) == share


def test_of_several_file_systems_the_root_counts() -> None:
    told = [({"mountpoint": "/mnt"}, {0: 5.0}), ({"mountpoint": "/"}, {0: 2.0})]
    assert digitalocean_metrics.whole(told) == {0: 2.0}


@pytest.mark.parametrize(
    ("stat", "value"), [("avg", 4.0), ("max", 9.0), ("min", 1.0), ("last", 2.0), ("sum", 12.0), ("p50", 2.0)]
)
def test_samples_of_a_step_become_what_is_asked_for(stat: str, value: float) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    at = int(start.timestamp())
    wanted = MetricQuery("instance", ("cpu",), start, start + timedelta(minutes=5), 300, stat)
    points = {at - 60: 100.0, at: 1.0, at + 60: 9.0, at + 120: 2.0, at + 300: 100.0}
    assert digitalocean_metrics.stepped(wanted, points) == ((start, value),)


def test_a_value_that_is_no_number_is_no_point() -> None:
    told = [[1, "2.5"], [2, "NaN"], [3, "+Inf"], [4, None], [5], "x", [6, "2061584302080"]]
    assert digitalocean_metrics.points_of(told) == {1: 2.5, 6: 2061584302080.0}
