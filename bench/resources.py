"""The inventory in the store and in the runtime, and how many clouds are asked at once.

Resources are made up and come from connectors in memory, so that no cloud's format is in the figures. The
baselines do the same work with sqlite3 and json alone, over a table with the same columns and indexes.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.row import Row, median
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.ports import SystemClock
from cloudtop.store import schema
from cloudtop.store.open import FILE, open_store
from cloudtop.store.resource_table import COLUMNS, ResourceTable
from connectors import discovery
from connectors.base import Connector, Facts, Service, raw
from tests.mcp_server import market

LISTED, SCANNED = 10_000, 100_000
PAGE = 1_000
CLOUDS = ("aws", "azure", "digitalocean", "gcp", "lambda", "linode", "oci", "runpod", "vultr")
WAITS_S = (0.05, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.4)
"""How long each cloud takes to answer a request, the slowest last."""

SEEDS_S = {"cold, one after another": 5.6, "cold, together": 0.8, "cold, whole": 2.3, "warm": 0.12}
"""What the first design says of 7 clouds with about 50 resources."""


def rows(folder: Path, *, quick: bool) -> list[Row]:
    listed, scanned = (LISTED // 10, SCANNED // 10) if quick else (LISTED, SCANNED)
    return [
        asyncio.run(_warm_list(folder / "list", listed)),
        *_rescan(folder / "scan", scanned),
        *asyncio.run(_fan_out(folder / "clouds")),
    ]


def machines(count: int, cloud: str = "aws") -> Iterator[Resource]:
    """Instances as rich as EC2's."""
    for n in range(count):
        yield Resource(
            id=f"i-{n:017x}",
            type="instance",
            name=f"{('web', 'db', 'worker', 'cache')[n % 4]}-{n}",
            status="running" if n % 7 else "stopped",
            status_raw="running" if n % 7 else "stopped",
            zone="us-east-1a",
            tags={"env": "prod" if n % 3 else "dev", "team": f"team-{n % 20}", "Name": f"n-{n}"},
            created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n),
            instance_type=("m5.large", "c7g.xlarge", "p4d.24xlarge")[n % 3],
            vcpus=2.0,
            ram_gib=8.0,
            private_ip=f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
            spot=n % 11 == 0,
            gpus=(Gpus("A100", 8, 40.0),) if n % 3 == 2 else (),
            details={"vpc_id": "vpc-0123456789abcdef0", "subnet_id": "subnet-0123456789abcdef0"},
            raw=raw({"InstanceId": f"i-{n:017x}", "State": {"Name": "running"}, "Filler": "x" * 2_000}),
        )


class Memory(Connector):
    """A cloud that answers each listing with its rows, after its time."""

    def __init__(
        self, about: Facts, found: Sequence[Resource], wait_s: float = 0.0, requests: int = 1
    ) -> None:
        self.facts, self.found, self.wait_s, self.requests = about, found, wait_s, requests
        self.noted = {}

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        for n in range(self.requests):
            if self.wait_s:
                await asyncio.sleep(self.wait_s)
            share = len(self.found) // self.requests or 1
            mine = self.found[n * share : (n + 1) * share if n < self.requests - 1 else None]
            for at in range(0, len(mine), PAGE):
                yield list(mine[at : at + PAGE])

    async def aclose(self) -> None:
        """Nothing is open."""


def facts(names: Sequence[str]) -> dict[str, Facts]:
    service = Service("vms", "VMs", "compute", {"instances": ("instance",)})
    return {
        name: replace(
            one,
            kinds=("resources",),
            keyless=("resources",),
            bulk=(),
            credentials={},
            ttl_s={"resources": 3600},
            services={"vms": service},
            regions=(),
        )
        for name, one in discovery.found().items()
        if name in names
    }


def house(home: Path, clouds: dict[str, Memory]) -> market.House:
    config = {"providers": {name: {"enabled": True} for name in clouds}}
    return market.house(
        home, config=config, connectors=clouds, facts=facts(list(clouds)), clock=SystemClock()
    )


async def _warm_list(home: Path, count: int) -> Row:
    """All rows of a warm inventory through list_resources, page by page, in both channels."""
    about = facts(["aws"])["aws"]
    made = house(home, {"aws": Memory(about, list(machines(count)))})
    await made.runtime.call("list_resources", {"limit": 1})
    ours, base = [], []
    for _ in range(3):
        made.runtime.adopt(dict(made.runtime.specs))  # forget finished answers and held pages
        started = time.process_time()
        assert await _read_all(made) == count
        ours.append(time.process_time() - started)
        started = time.process_time()
        assert _raw_all(home / FILE) == count
        base.append(time.process_time() - started)
    await made.close()
    mine, theirs = median(ours), median(base)
    return Row(
        f"warm list of {count:,} resources in the runtime, all pages, CPU",
        f"{mine * 1000:.0f} ms",
        f"{theirs * 1000:.0f} ms sqlite3 and json",
        mine / theirs,
        "<= 4 x",
        mine / theirs <= 4,
    )


async def _read_all(made: market.House) -> int:
    count, cursor = 0, None
    while True:
        outcome = await made.runtime.call(
            "list_resources", {"limit": 500, **({"cursor": cursor} if cursor else {})}
        )
        assert not outcome.is_error, outcome.text
        count += len(outcome.structured["rows"])
        cursor = outcome.structured["next_cursor"]
        if cursor is None:
            return count


def _raw_all(file: Path) -> int:
    db = sqlite3.connect(file)
    db.row_factory = sqlite3.Row
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM resource ORDER BY provider, account, type, region, name, native_id"
    )
    found = [dict(row) for row in db.execute(sql)]
    db.close()
    return len(found) if json.dumps(found) else 0


def _rescan(home: Path, count: int) -> list[Row]:
    """A second look at resources of which none has changed."""
    home.mkdir()
    store = open_store(home, SystemClock())
    scope = Scope("aws", "default", "us-east-1", "instances")
    found = list(machines(count))
    taken = []
    for _ in range(3):
        started = time.process_time()
        with store.resource_observation(scope, fetched_at=datetime.now(UTC)) as seen:
            for at in range(0, count, PAGE):
                seen.add(found[at : at + PAGE])
            seen.finish()
        taken.append(time.process_time() - started)
    store.close()
    first, again = taken[0], min(taken[1:])
    base = _guarded(home / "raw.db", found)
    size = (home / FILE).stat().st_size / count
    return [
        Row(
            f"re-scan of {count:,} unchanged resources, CPU",
            f"{again:.2f} s (first {first:.2f} s)",
            f"{base:.2f} s executemany with a hash guard",
            again / base,
            "<= 1.5 x",
            again / base <= 1.5,
        ),
        Row(
            f"file of {count:,} resources, each with its record",
            f"{size / 1024:.1f} KiB a resource",
            "",
            None,
            "<= 10 KB",
            size <= 10_000,
        ),
    ]


class _Look:
    """What makes rows needs to know of a look."""

    scope_id, number, first, at = 1, 1, True, 0.0
    scope = Scope("aws", "default", "us-east-1", "instances")


def _guarded(file: Path, found: Sequence[Resource]) -> float:
    """The same rows by one executemany that skips equal hashes; how long the second time takes."""
    db = sqlite3.connect(file, isolation_level=None)
    schema.migrate(db, file)
    table = ResourceTable(_Look())  # type: ignore[arg-type]
    marks = ", ".join("?" * len(COLUMNS))
    sets = ", ".join(f"{name}=excluded.{name}" for name in COLUMNS)
    sql = (
        f"INSERT INTO resource({', '.join(COLUMNS)}) VALUES ({marks})"
        f" ON CONFLICT(native_id, type, region, scope_id) DO UPDATE SET {sets}"
        " WHERE resource.hash<>excluded.hash"
    )
    taken = []
    for _ in range(3):
        started = time.process_time()
        db.execute("BEGIN")
        db.executemany(sql, [table._row(db, one) for one in found])
        db.execute("COMMIT")
        taken.append(time.process_time() - started)
    db.close()
    return min(taken[1:])


async def _fan_out(folder: Path) -> list[Row]:
    """Nine clouds at once against the slowest of them, and the first design's seven."""
    about = facts(CLOUDS)
    slowest = CLOUDS[-1]

    def clouds(names: Sequence[str], waits: Sequence[float], requests: int) -> dict[str, Memory]:
        return {
            name: Memory(about[name], list(machines(7)), wait, requests)
            for name, wait in zip(names, waits, strict=True)
        }

    alone = await _wall(folder / "alone", clouds([slowest], WAITS_S[-1:], 3))
    together = await _wall(folder / "together", clouds(CLOUDS, WAITS_S, 3))
    found = [
        Row(
            "nine clouds asked at once, wall",
            f"{together:.2f} s",
            f"{alone:.2f} s the slowest alone",
            together / alone,
            "<= 1.1 x",
            together / alone <= 1.1,
        )
    ]
    seven = clouds(CLOUDS[:7], [0.11] * 7, 7)
    made = house(folder / "seven", seven)
    started = time.perf_counter()
    await made.runtime.call("list_resources", {})
    cold = time.perf_counter() - started
    started = time.perf_counter()
    await made.runtime.call("list_resources", {"limit": 49})
    warm = time.perf_counter() - started
    await made.close()
    one_by_one = 0.0
    for name in CLOUDS[:7]:
        one_by_one += await _wall(folder / f"one-{name}", clouds([name], [0.11], 7))
    for what, seconds in (("together", cold), ("warm", warm), ("one after another", one_by_one)):
        said = SEEDS_S.get(what) or SEEDS_S[f"cold, {what}"]
        found.append(
            Row(
                f"7 clouds of 49 resources at 110 ms a request, {what}",
                f"{seconds * 1000:.0f} ms",
                f"{said} s as first designed",
                seconds / said,
                "no more",
                seconds <= said * 1.05,
            )
        )
    return found


async def _wall(home: Path, clouds: dict[str, Memory]) -> float:
    made = house(home, clouds)
    await made.runtime.call("list_providers", {})
    started = time.perf_counter()
    outcome = await made.runtime.call("list_resources", {})
    taken = time.perf_counter() - started
    assert not outcome.structured["missing"], outcome.text
    await made.close()
    return taken
