"""A whole cloudtop below the tools, as a process would have it: settings, store, doors, connectors, fleet."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cloudtop import sellers, settings
from cloudtop.models import Scope
from cloudtop.sandbox.serve import Sandbox
from cloudtop.store.open import open_store
from connectors import discovery
from connectors import vast as vast_connector
from mcp_server.fleet import Fleet

PAGE = 40
"""Small enough that a listing of some GPUs has several pages."""


class LeapingClock:
    """The machine's clock, except that waiting takes no time: it leaps. Remembers what was waited for."""

    def __init__(self) -> None:
        self.leapt_s = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.leapt_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.leapt_s

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.leapt_s += seconds
        await asyncio.sleep(0)

    def leap(self, seconds: float) -> None:
        self.leapt_s += seconds


class House:
    """One home, one store, one fleet, pointed at a sandbox."""

    def __init__(
        self,
        home: Path,
        sandbox: Sandbox,
        clock: LeapingClock,
        change: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        document = sandbox.config()
        if change:
            change(document)
        file = home / "config.json"
        file.write_text(json.dumps(document))
        self.home, self.clock = home, clock
        self.settings = settings.load(file, home, environ={})
        self.store = open_store(home, clock)
        facts = discovery.found()
        self.fleet = Fleet(facts, self._connector, sellers.known(facts), self.store, self.settings, clock)
        self._facts = facts

    def _connector(self, provider: str) -> Any:
        return discovery.make(
            self._facts[provider],
            self.settings.provider(provider),
            secrets=self.settings,
            clock=self.clock,
            hosts=self.store.hosts,
            audit=self.store.audit,
            limits=self.settings.limits,
        )

    async def close(self) -> None:
        await self.fleet.aclose()
        self.store.close()

    def offers(self, scope: Scope) -> dict[tuple[str, bool], Any]:
        """All that the store holds of a scope, sold out and unpriced too: which offer, and what it says."""
        with sqlite3.connect(f"file:{self.home / 'cloudtop.db'}?mode=ro", uri=True) as db:
            found = db.execute(
                "SELECT offer_id, spot, usd_per_hour, gpu_memory_gib FROM offer"
                " JOIN scope ON scope.id=offer.scope_id WHERE scope.key=?",
                (scope.key,),
            ).fetchall()
        db.close()
        return {(row[0], bool(row[1])): row[2:] for row in found}

    def held(self) -> bytes:
        """Every byte of the home: the store, its log, caches; the configuration left out."""
        files = [one for one in self.home.rglob("*") if one.is_file() and one.name != "config.json"]
        return b"".join(one.read_bytes() for one in files)


@contextmanager
def small_pages() -> Iterator[None]:
    """Let a listing have several pages."""
    usual = vast_connector.PAGE
    vast_connector.PAGE = PAGE
    try:
        yield
    finally:
        vast_connector.PAGE = usual


@dataclass
class Log(logging.Handler):
    """Everything that was logged."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    __hash__ = object.__hash__


@contextmanager
def logged() -> Iterator[Log]:
    """All logs of the block, at every level."""
    root, log = logging.getLogger(), Log()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(log)
        root.setLevel(level)
