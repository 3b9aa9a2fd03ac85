"""One cell of the table: bring the store up to date, switch a fault on, ask again, and look at everything.

Looked at are: the right trouble, the other scopes complete, nothing wrong cached,
nothing deleted, no secret shown, the deadline kept, nothing left running, one audit record per attempt.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtop.models import Scope
from cloudtop.sandbox.faults import Armed, Exchange
from cloudtop.sandbox.serve import RAW, Sandbox
from connectors import discovery

from .cases import CASES, DEADLINE_S, NOT_APPLICABLE, PAGED, PATIENT_S, REFUSED_S, Case
from .families import Family, Regional, family
from .house import House, LeapingClock, logged, small_pages
from .looks import AUDIT_ROWS, Looks

LATER_S = 100.0 + max(ttl_s for facts in discovery.found().values() for ttl_s in facts.ttl_s.values())
"""Past every time to live, hold and remembered dead host."""

GIVE_UP_S = 2.0


class Inapplicable(Exception):
    """A fault that cannot happen to what was read, which only shows when it is read."""


async def problems(sandbox: Sandbox, home: Path, provider: str, method: str, column: str) -> list[str]:
    """What is wrong with one cell, in sentences; nothing when it is right."""
    if (provider, method, column) in NOT_APPLICABLE:
        return []
    before = set(threading.enumerate())
    with small_pages(), logged() as log:
        cell = Cell(sandbox, home, provider, column, CASES[column], family(provider, method))
        found = await cell.problems()
    keys = sandbox.secrets
    found += [
        f"a log line shows a key: {line[:60]}" for line in log.lines if any(one in line for one in keys)
    ]
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
    if left:
        found.append(f"threads left: {left}")
    return found


@dataclass
class Cell:
    """One provider, one method, one fault."""

    sandbox: Sandbox
    home: Path
    provider: str
    column: str
    case: Case
    family: Family
    clock: LeapingClock = field(default_factory=LeapingClock)
    said: list[str] = field(default_factory=list)
    filled: dict[Scope, Any] = field(default_factory=dict)
    counts: dict[Scope, int] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)
    kept_to: dict[str, Any] = field(default_factory=dict)
    paged: bool = False
    requests: int = 0

    @property
    def method(self) -> str:
        """The row of the table."""
        return self.family.method

    @property
    def later_s(self) -> float:
        """How much more time a question has where an SDK is slow to start; still less than a connection."""
        waits = self.case.deadline_s == DEADLINE_S and self.family.cloud.sdk
        return REFUSED_S - DEADLINE_S if waits else 0.0

    async def problems(self) -> list[str]:
        """Fill, break, ask, look; heal, ask, look."""
        self.sandbox.calm()
        await self._fill()
        looks = Looks(self)
        names = self._names() if self.case.fault == "missing-field" else []
        more = {"field": names[0]} if names else {}
        house = await self._broken(more)
        try:
            await self._ask_and_look(house, looks)
            for name in names[1:]:
                looked = len(self.said)
                self._arm({"field": name})
                await self._ask_and_look(house, looks)
                self.said[looked:] = [f"without {name}: {text}" for text in self.said[looked:]]
                if self.said:
                    break
        finally:
            await house.close()
        await self._heal(looks)
        held = house.held()
        if any(key.encode() in held for key in self.sandbox.secrets):
            self.said.append("the store holds a key")
        return self.said

    def hit(self, scope: Scope) -> bool:
        """Whether the fault concerns this scope."""
        return not self.kept_to or self.family.hit(scope)

    def _arm(self, more: dict[str, Any]) -> None:
        self.clock.leap(LATER_S)
        self.clock.waits.clear()
        self.sandbox.calm()
        self.sandbox.fault(self.provider, self.case.fault, **self.kept_to, **self.case.how, **more)

    async def _fill(self) -> None:
        """Read everything once without a fault, and see what fields there are."""
        house = House(self.home, self.sandbox, self.clock)
        await self.family.prepare(house)
        if self.case.one_scope and self.family.alone:
            self.kept_to = self.family.how(house)
        layer = self.sandbox.layers[self.provider]
        layer.arm("survey", self._survey, **self.kept_to)
        before = len(self.sandbox.requests)
        harvest = await self.family.ask(house, PATIENT_S)
        self.requests = len([one for one in self.sandbox.requests[before:] if one.fault])
        if harvest.missing:
            self.said.append(f"even without a fault: {harvest.missing[0].message}")
        known = house.store.freshness([one for one in harvest.scopes if one.provider == self.provider])
        self.counts = {scope: one.rows for scope, one in known.items() if one}
        if not any(self.counts.values()):
            self.said.append("even without a fault there is nothing")
        self.filled = {scope: self.family.held(house, scope) for scope in self.counts}
        await house.close()
        if isinstance(self.family, Regional) and self.column in PAGED:
            lost = self.column == "lost-page"
            if self.requests < 2 if lost else not self.paged:
                raise Inapplicable("what it reads there is one answer, without pages")

    async def _broken(self, more: dict[str, Any]) -> House:
        """A house whose cloud misbehaves; an SDK has made its clients before anybody counts the time."""
        warm = self.family.cloud.sdk and self.case.fault not in RAW
        if not warm:
            self._arm(more)
        house = House(self.home, self.sandbox, self.clock)
        if warm:
            self.sandbox.calm()
            self.clock.leap(LATER_S)
            await self.family.ask(house, PATIENT_S)
            self._arm(more)
        return house

    async def _survey(self, exchange: Exchange, armed: Armed) -> None:
        """An honest answer; the fields of its records are remembered, those within fields by dotted paths."""
        reply = await exchange.honest()
        page = exchange.layer.speech.page(exchange, reply)
        if page is not None:
            document = page.document
            json_alone = reply.body[:1] == b"{" and isinstance(document, dict)
            whole = [document] if self.method == "health" and json_alone else []
            listed = page.records if self.method != "health" or json_alone else []
            self.paged |= bool(page.more)
            for record in listed or whole:
                for name, value in _fields(record):
                    self.values.setdefault(name, set()).add(str(value))
        await exchange.reply(reply)

    def _names(self) -> list[str]:
        """The fields that may be missing: all but those that name the thing."""
        ids = self.family.ids(self.filled)
        return sorted(
            name
            for name, values in self.values.items()
            if name not in self.family.needed() and not _with_ends(values) & ids
        )

    async def _ask_and_look(self, house: House, looks: Looks) -> None:
        known = house.store.freshness(list(self.filled))
        records = len(house.store.audit_records(AUDIT_ROWS))
        tasks = asyncio.all_tasks()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.case.wall_s + self.later_s + GIVE_UP_S):
                harvest = await self.family.ask(house, self.case.deadline_s + self.later_s)
        except TimeoutError:
            self.said.append("still going long after the deadline")
            return
        took, allowed = time.monotonic() - started, self.case.wall_s + self.later_s
        if took > allowed:
            self.said.append(f"took {took:.2f} s, allowed {allowed:.2f} s")
        await house.fleet.aclose()
        await asyncio.sleep(0)
        if left := asyncio.all_tasks() - tasks:
            self.said.append(f"tasks left: {[task.get_name() for task in left]}")
        every = house.store.audit_records(AUDIT_ROWS)
        looks.outcome(house, harvest)
        looks.rows(house, harvest, self.filled, known)
        looks.attempts(every[: len(every) - records])
        looks.secrets(harvest, every[: len(every) - records])
        if self.case.dead:
            await self._look_at_memory(house)

    async def _look_at_memory(self, house: House) -> None:
        """A host that takes no connections is not asked again for a while, and that is said."""
        self.clock.leap(20.0)
        records = len(house.store.audit_records(AUDIT_ROWS))
        await self.family.ask(house, self.case.deadline_s)
        if len(house.store.audit_records(AUDIT_ROWS)) != records:
            self.said.append("a dead host was asked again within a minute")

    async def _heal(self, looks: Looks) -> None:
        """Once the cloud is well again, so are the answers: no failure was cached as data."""
        self.clock.leap(LATER_S)
        self.sandbox.calm()
        house = House(self.home, self.sandbox, self.clock)
        harvest = await self.family.ask(house, PATIENT_S)
        mine = [one for one in harvest.missing if one.provider == self.provider]
        if mine:
            self.said.append(f"well again, and still {mine[0].code}: {mine[0].message}")
        looks.healed(house, harvest)
        await house.close()


def _with_ends(values: set[str]) -> set[str]:
    """The values, and what stands behind the last slash of each: `/hostedzone/Z1` names Z1."""
    return values | {value.rpartition("/")[2] for value in values}


def _fields(record: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted paths of a record's fields and of those within them, and what stands there."""
    for name, value in record.items():
        yield above + name, value
        if isinstance(value, Mapping):
            yield from _fields(value, f"{above}{name}.")
