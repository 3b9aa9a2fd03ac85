"""Small real parts: a house with a real store, and tools written as a person would write them."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cloudtop.models import Source
from cloudtop.store.open import open_store
from mcp_server.result import Rows
from mcp_server.runtime import Runtime
from mcp_server.specs import load

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that only moves when told."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class House:
    """What the runtime is given; these tools ask no cloud, so there is no fleet."""

    store: Any
    settings: Any
    clock: HandClock
    fleet: Any = None
    now: datetime | None = None


_open: list[Any] = []


def close_all() -> None:
    """Close every store that was opened since the last time."""
    while _open:
        _open.pop().close()


def house(home: Path) -> House:
    from cloudtop import settings as settings_file

    clock = HandClock()
    store = open_store(home, clock, backend="sqlite")
    _open.append(store)
    settings = settings_file.load(home=home, environ={"CLOUDTOP_CONFIG": ""})
    return House(store, settings, clock)


SPEC = """\
name: list_cars
title: List cars
description: |
  List the cars of a made-up yard.
  Use for questions about cars. Not for boats.
toolsets: [default]
annotations: {readOnly: true, destructive: false, idempotent: true, openWorld: false}
parameters:
  make: {type: array, items: {type: string}, description: who built it, aliases: [brand, MakerName]}
  colour: {type: string, enum: [red, sea_green, blue], aliases: [color]}
  doors: {type: integer, minimum: 2, maximum: 5}
  max_price: {type: number, exclusiveMinimum: 0, kind: money}
  electric: {type: boolean}
  wheels: {type: array, items: {type: integer, minimum: 1}}
  sizes: {type: array, items: {type: string, enum: [small, big]}}
  order: {type: string, default: by_name}
  fields: {type: array, items: {type: string}, kind: fields}
common: [max_age, limit, cursor, format]
later:
  owner: The yard does not know who owns a car.
rows:
  car:
    name: {type: string}
    price: {type: number, nullable: true}
    seen: {type: string, format: date-time}
    note: {type: string, nullable: true}
  group:
    group: {type: string}
    count: {type: integer}
examples:
  - question: Which cars are there?
    arguments: {}
  - question: Red cars of two makers
    arguments: {make: [a, b], colour: red}
nl:
  cues: [car, cars]
  examples: [which cars are there]
"""

COMMON = """\
max_age: {type: string, kind: duration, description: oldest data}
limit: {type: integer, minimum: 1, maximum: 500, default: 20}
cursor: {type: string}
format: {type: string, enum: [csv, json, table], default: csv}
"""


def write_specs(folder: Path, **specs: str) -> Path:
    """A folder with these specs, `common.yaml` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "common.yaml").write_text(COMMON, encoding="utf-8")
    for name, text in (specs or {"list_cars": SPEC}).items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def car(number: int, **changes: Any) -> dict[str, Any]:
    row = {"name": f"car {number}", "price": 100.5 + number, "seen": "2026-11-20T11:00:00Z", "note": None}
    return {**row, **changes}


@dataclass
class Yard:
    """A real handler over a list of rows; `seen` is what it was called with."""

    cars: list[dict[str, Any]] = field(default_factory=lambda: [car(n) for n in range(3)])
    seen: list[dict[str, Any]] = field(default_factory=list)
    read_at: datetime = NOON - timedelta(minutes=1)
    source: str = "cache"
    lasts: timedelta | None = timedelta(minutes=5)
    knows_total: bool = True

    async def run(
        self, ctx: Any, *, make: Any, colour: Any, doors: Any, max_price: Any, electric: Any, wheels: Any,
        sizes: Any, order: Any, max_age: Any, limit: Any,
    ) -> Rows:  # fmt: skip
        given = {key: value for key, value in locals().items() if key not in ("self", "ctx")}
        self.seen.append({**given, "offset": ctx.offset, "now": ctx.now})
        page = self.cars[ctx.offset : ctx.offset + limit]
        return Rows(
            page,
            sources=[Source("yard", "default", self.source, self.read_at, len(self.cars))],
            applied={"colour": colour} if colour else {},
            total=len(self.cars) if self.knows_total else None,
            more=ctx.offset + limit < len(self.cars),
            expires_at=ctx.clock.now() + self.lasts if self.lasts is not None else None,
        )


def answering(find: Callable[[Any], Awaitable[Rows]]) -> Any:
    """A handler that takes what list_cars takes and does what `find(ctx)` does."""

    async def run(
        ctx: Any, *, make: Any, colour: Any, doors: Any, max_price: Any, electric: Any, wheels: Any,
        sizes: Any, order: Any, max_age: Any, limit: Any,
    ) -> Rows:  # fmt: skip
        return await find(ctx)

    return run


def runtime(home: Path, handler: Any, specs: Path | None = None) -> Runtime:
    """A runtime with the one tool list_cars."""
    folder = specs or write_specs(home / "specs")
    return Runtime(load(folder), {"list_cars": handler}, house(home))
