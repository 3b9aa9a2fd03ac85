"""Monitoring: what was measured of Droplets and MySQL clusters, as a matrix with values as text.

`cpu` of the file is the share that is busy, told as seconds in each mode that only grow. Samples stand two
minutes apart, five where more than six hours are asked for. Who has no agent is told an empty matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any

from cloudtop.sandbox.digitalocean.records import sized
from cloudtop.sandbox.digitalocean.wire import Refused
from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.series import series

FINE_S, COARSE_S, LONG_S = 120, 300, 6 * 3600
MODES = (("idle", None), ("user", 0.7), ("system", 0.3))
"""The modes of a CPU, each with its share of the time that is busy."""
OF_SIZE = {"memory_total": ("memory", 1024.0**2), "filesystem_size": ("disk", 1e9)}
"""What follows from the size of a Droplet, in bytes."""
DISK = {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/"}

Line = tuple[dict[str, str], list[tuple[int, float]]]


def droplet(fleet: Fleet, account: str, name: str, asked: Mapping[str, str], now: datetime) -> Any:
    """The answer about one measure of a Droplet."""
    one = held(fleet, account, ("droplets", "gpu_droplets"), asked["host_id"])
    told: Mapping[str, Any] = one.metrics
    key = f"{asked['interface']}_{asked['direction']}" if name == "bandwidth" else name
    labels = {"host_id": one.id, **(DISK if name.startswith("filesystem") else {})}
    if name in OF_SIZE and told:
        field, times = OF_SIZE[name]
        told = {**told, key: sized(one.own["size"])[field] * times}
    return matrix(lines(fleet, one, told.get(key), labels, asked, now, counted=name == "cpu"))


def mysql(fleet: Fleet, account: str, name: str, asked: Mapping[str, str], now: datetime) -> Any:
    """The answer about one measure of a MySQL cluster."""
    one = held(fleet, account, ("databases",), asked["db_id"])
    return matrix(lines(fleet, one, one.metrics.get(name), {"db_id": one.id}, asked, now))


def held(fleet: Fleet, account: str, groups: tuple[str, ...], identity: str) -> Record:
    """The record that is asked about."""
    mine = (one for group in groups for one in fleet.of(group, account))
    found = next((one for one in mine if one.id == identity), None)
    if found is None:
        raise Refused(404, "not_found", "The resource you were accessing could not be found.")
    return found


def lines(
    fleet: Fleet,
    one: Record,
    told: Any,
    labels: dict[str, str],
    asked: Mapping[str, str],
    now: datetime,
    counted: bool = False,
) -> Iterator[Line]:
    """The series of an answer: one, or one for each mode of a counter."""
    if told is None:
        return
    if not (asked["start"].isdigit() and asked["end"].isdigit()):
        raise Refused(400, "bad_request", "start and end must be seconds since 1970.")
    start, end = int(asked["start"]), int(asked["end"])
    every_s = FINE_S if end - start <= LONG_S else COARSE_S
    made = series(told, every_s, fleet.started, one.created, one.stopped)
    first, values = made.samples(start, end, now.timestamp())
    if not counted:
        if values:
            yield labels, [(first + at * every_s, value) for at, value in enumerate(values)]
        return
    for mode, share in MODES:
        parts = ((100 - value if share is None else value * share) / 100 * every_s for value in values)
        grown = accumulate(parts, initial=first - made.born_s)
        yield {**labels, "mode": mode}, [(first + at * every_s, value) for at, value in enumerate(grown)]


def matrix(found: Iterator[Line]) -> dict[str, Any]:
    """Series as Prometheus writes them."""
    result = [
        {"metric": labels, "values": [[at, f"{value:.4f}"] for at, value in points]}
        for labels, points in found
        if points
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}
