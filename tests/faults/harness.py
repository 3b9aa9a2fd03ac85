"""One cell of the table: bring the store up to date, switch a fault on, ask again, and look at everything.

Looked at are: the right trouble, the other scopes complete, nothing wrong cached,
nothing deleted, no secret shown, the deadline kept, nothing left running, one audit record per attempt.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtop.models import PriceQuery, Scope
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.fault_kinds import records
from cloudtop.sandbox.faults import Armed, Exchange
from cloudtop.sandbox.serve import Sandbox
from connectors import discovery
from mcp_server.fleet import Harvest

from .cases import CASES, DEADLINE_S, NOT_APPLICABLE, OK, PATIENT_S, REFUSED_S, Case
from .house import GPUS, House, LeapingClock, logged, small_pages

LATER_S = 100.0 + max(ttl_s for facts in discovery.found().values() for ttl_s in facts.ttl_s.values())
"""Past every time to live, hold and remembered dead host."""

GIVE_UP_S = 2.0
AUDIT_ROWS = 10_000


async def problems(sandbox: Sandbox, home: Path, provider: str, method: str, column: str) -> list[str]:
    """What is wrong with one cell, in sentences; nothing when it is right."""
    if (provider, method, column) in NOT_APPLICABLE:
        return []
    case = CASES[column]
    before = set(threading.enumerate())
    with small_pages(), logged() as log:
        found = await Cell(sandbox, home, provider, method, case).problems()
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
    method: str
    case: Case
    clock: LeapingClock = field(default_factory=LeapingClock)
    said: list[str] = field(default_factory=list)
    filled: dict[Scope, Any] = field(default_factory=dict)
    counts: dict[Scope, int] = field(default_factory=dict)
    usual: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    @property
    def later_s(self) -> float:
        """How much more time a question has where an SDK is slow to start; still less than a connection."""
        waits = self.case.deadline_s == DEADLINE_S and clouds()[self.provider].sdk
        return REFUSED_S - DEADLINE_S if waits else 0.0

    @property
    def part(self) -> str:
        """What tells the requests of one scope from the others; "" when all are hit."""
        alone = self.method == "gpu_offers" and self.case.one_scope
        return clouds()[self.provider].part if alone else ""

    async def problems(self) -> list[str]:
        """Fill, break, ask, look; heal, ask, look."""
        self.sandbox.calm()
        await self._fill()
        names = sorted(self.names) if self.case.fault == "missing-field" else []
        self._arm({"field": names[0]} if names else {})
        house = House(self.home, self.sandbox, self.clock)
        try:
            await self._ask_and_look(house)
            for name in names[1:]:
                looked = len(self.said)
                self._arm({"field": name})
                await self._ask_and_look(house)
                self.said[looked:] = [f"without {name}: {text}" for text in self.said[looked:]]
                if self.said:
                    break
        finally:
            await house.close()
        await self._heal()
        held = house.held()
        if any(key.encode() in held for key in self.sandbox.secrets):
            self.said.append("the store holds a key")
        return self.said

    def _arm(self, more: dict[str, Any]) -> None:
        self.clock.leap(LATER_S)
        self.clock.waits.clear()
        self.sandbox.calm()
        how = {"text": self.part} if self.part else {}
        self.sandbox.fault(self.provider, self.case.fault, **how, **self.case.how, **more)

    async def _fill(self) -> None:
        """Read everything once without a fault, and see what fields there are."""
        house = House(self.home, self.sandbox, self.clock)
        self.sandbox.layers[self.provider].arm("survey", self._survey)
        harvest = await house.ask(self.provider, self.method, PATIENT_S)
        if harvest.missing:
            self.said.append(f"even without a fault: {harvest.missing[0].message}")
        known = house.store.freshness(_own(harvest))
        self.counts = {scope: one.rows for scope, one in known.items() if one}
        if not any(self.counts.values()):
            self.said.append("even without a fault there is nothing")
        if self.method == "health":
            self.usual = self._states(house)
        else:
            self.filled = {scope: house.offers(scope) for scope in self.counts}
        await house.close()

    async def _survey(self, exchange: Exchange, armed: Armed) -> None:
        """An honest answer; the fields of its records are remembered, those within fields by dotted paths."""
        reply = await exchange.honest()
        document = json.loads(reply.body) if reply.body[:1] in (b"{", b"[") else {}
        whole = [document] if self.method == "health" and isinstance(document, dict) else []
        for record in records(document, exchange) or whole:
            self.names |= set(_fields(record)) - set(clouds()[self.provider].keys)
        await exchange.reply(reply)

    async def _ask_and_look(self, house: House) -> None:
        before = self.filled or {scope: house.offers(scope) for scope in self._scopes(house)}
        known = house.store.freshness(list(before))
        records = len(house.store.audit_records(AUDIT_ROWS))
        tasks = asyncio.all_tasks()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.case.wall_s + self.later_s + GIVE_UP_S):
                allowed_s = self.case.deadline_s + self.later_s
                harvest = await house.ask(self.provider, self.method, allowed_s)
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
        attempts = every[: len(every) - records]
        self._look_at_outcome(house, harvest)
        self._look_at_rows(house, harvest, before, known)
        self._look_at_attempts(attempts)
        self._look_for_secrets(house, harvest, attempts)
        if self.case.dead:
            await self._look_at_memory(house)

    def _scopes(self, house: House) -> list[Scope]:
        if self.method != "gpu_offers":
            return [house.fleet.here(Scope(self.provider, account="default", kind=self.method))]
        connector: Any = house.fleet.connector(self.provider)
        found: list[Scope] = connector.price_scopes(PriceQuery(GPUS))
        return [house.fleet.here(scope) for scope in found]

    def _hit(self, scope: Scope) -> bool:
        """Whether the fault concerns this scope."""
        return self.part in scope.key

    def _look_at_outcome(self, house: House, harvest: Harvest) -> None:
        expected = self.case.offers if self.method == "gpu_offers" else self.case.health
        mine = [one for one in harvest.missing if one.provider == self.provider and one.severity != "info"]
        codes = sorted({one.code for one in mine})
        others = [one for one in harvest.missing if one.provider != self.provider]
        if others:
            self.said.append(f"the trouble reached another provider: {others[0].provider} {others[0].code}")
        if expected == OK:
            if mine:
                self.said.append(f"should have been borne, but: {codes} {mine[0].message}")
        elif self.method == "gpu_offers":
            hit = [scope for scope in self._scopes(house) if self._hit(scope)]
            if codes != [expected] or len(mine) != len(hit):
                self.said.append(f"trouble {codes or 'none'} x {len(mine)}, not {expected} x {len(hit)}")
        self._look_at_sentences(mine)
        if self.method == "health":
            self._look_at_health(house, expected, codes)
            if codes and not harvest.stale:
                self.said.append("the checks of before are not marked stale")

    def _states(self, house: House) -> set[str]:
        rows = house.store.rows(self._scopes(house)[0])
        return {f"{row['check']} {row['status']}" for row in rows}

    def _look_at_health(self, house: House, expected: str, codes: list[str]) -> None:
        states = self._states(house)
        if expected == OK:
            if states != self.usual or "api healthy" not in states:
                self.said.append(f"health says {sorted(states)}, not {sorted(self.usual)}")
        elif expected == "too_slow":
            if codes != ["too_slow"] and "api degraded" not in states:
                self.said.append(f"health says {sorted(states)} and {codes}, not too_slow")
        elif expected not in states or codes:
            self.said.append(f"health says {sorted(states)} and {codes}, not {expected}")

    def _look_at_sentences(self, troubles: list[Any]) -> None:
        for one in troubles:
            if not one.message or not one.next_step:
                self.said.append(f"{one.code} says not what happened or what to do next")
            if (one.code in ("rate_limited", "too_slow", "unreachable")) and not one.retryable:
                self.said.append(f"{one.code} is not marked retryable")

    def _look_at_rows(self, house: House, harvest: Harvest, before: Any, known: Any) -> None:
        if self.method != "gpu_offers":
            return
        now = self.clock.now()
        after: Any = house.store.freshness(list(before))
        for scope, rows in before.items():
            name = scope.query[-20:]
            bad = self._hit(scope) and self.case.offers != OK
            held = house.offers(scope)
            if not self.case.fewer and (gone := _whole(rows) - _whole(held)):
                self.said.append(f"{name}: {len(gone)} stored rows are gone")
            elif held != rows and self.case.fault not in ("missing-field", "empty-page-next"):
                self.said.append(f"{name}: stored rows have changed, the market has not")
            label = harvest.label(scope, after[scope].fetched_at, now)
            if bad and (scope not in harvest.stale or label != "stale"):
                self.said.append(f"{name}: old rows are called {label}")
            if bad and after[scope].fetched_at > known[scope].fetched_at:
                self.said.append(f"{name}: a failed reading counts as a new one")
            if not bad and (label != "sandbox" or scope not in harvest.fetched):
                self.said.append(f"{name}: not read anew though nothing was wrong with it ({label})")
            count = self.counts[scope]
            if not bad and not after[scope].complete:
                self.said.append(f"{name}: not read to its end")
            if not bad and after[scope].rows < count and not self.case.fewer and not self._regrouped():
                self.said.append(f"{name}: {after[scope].rows} rows, the market has {count}")
            if after[scope].fetched_at > now:
                self.said.append(f"{name}: read in the future")
        lists = [source for source in harvest.sources if source.provider == "pricelist"]
        if not lists or not all(source.rows for source in lists):
            self.said.append("the price list is not complete")

    def _regrouped(self) -> bool:
        """Whether rows may come together: without its places, a record is one row instead of one a place."""
        return self.case.fault == "missing-field"

    def _look_at_attempts(self, attempts: list[Any]) -> None:
        seen = [one for one in self.sandbox.requests if one.host.startswith("127.0.0.1")]
        strangers = [one for one in self.sandbox.requests if one not in seen]
        if strangers:
            self.said.append(f"went to another host: {strangers[0].host}, key {strangers[0].keyed}")
        mine = [one for one in attempts if one.provider == self.provider]
        if seen and len(mine) != len(seen):
            self.said.append(f"{len(mine)} audit records for {len(seen)} requests")
        failed = [one for one in mine if one.error]
        faulted = [one for one in seen if one.fault]
        if self.case.tries is not None and self.case.fault not in ("big-page", "clock-off"):
            self._look_at_tries(mine, failed, faulted)
        if self.case.waits is not None and self.case.waits not in self.clock.waits:
            self.said.append(f"waited {self.clock.waits}, the cloud had asked for {self.case.waits}")

    def _look_at_tries(self, mine: list[Any], failed: list[Any], faulted: list[Any]) -> None:
        scopes = len([scope for scope in self.counts if self._hit(scope)])
        expected = 1 if self.case.how else self.case.tries or 1
        if not clouds()[self.provider].records and self.case.fault in ("truncated", "html"):
            return  # a text read line by line arrived well; that it makes no sense shows later
        # Once it took no connection, a host is not asked for the other scopes.
        least = 1 if self.case.dead else scopes
        if not least <= len(failed) <= scopes * expected or (not faulted and len(mine) != len(failed)):
            self.said.append(f"{len(failed)} failed attempts, not {expected} for each of {scopes} scopes")
        if scopes == 1 and len(failed) != expected:
            self.said.append(f"{len(failed)} failed attempts, not {expected}")

    def _look_for_secrets(self, house: House, harvest: Harvest, attempts: list[Any]) -> None:
        places = {
            "a trouble": repr(harvest.missing),
            "a source": repr(harvest.sources),
            "an audit record": repr(attempts),
        }
        for place, text in places.items():
            self.said += [f"{place} shows the key" for key in self.sandbox.secrets if key in text]

    async def _look_at_memory(self, house: House) -> None:
        """A host that takes no connections is not asked again for a while, and that is said."""
        self.clock.leap(20.0)
        records = len(house.store.audit_records(AUDIT_ROWS))
        await house.ask(self.provider, self.method, self.case.deadline_s)
        if len(house.store.audit_records(AUDIT_ROWS)) != records:
            self.said.append("a dead host was asked again within a minute")

    async def _heal(self) -> None:
        """Once the cloud is well again, so are the answers: no failure was cached as data."""
        self.clock.leap(LATER_S)
        self.sandbox.calm()
        house = House(self.home, self.sandbox, self.clock)
        harvest = await house.ask(self.provider, self.method, PATIENT_S)
        mine = [one for one in harvest.missing if one.provider == self.provider]
        if mine:
            self.said.append(f"well again, and still {mine[0].code}: {mine[0].message}")
        if self.method == "gpu_offers":
            known = house.store.freshness(_own(harvest))
            counts = {scope: one.rows for scope, one in known.items() if one}
            if counts != self.counts:
                self.said.append(f"well again, and {sorted(counts.values())} rows")
        else:
            self._look_at_health(house, OK, [])
        await house.close()


def _fields(record: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The dotted paths of a record's fields and of those within them."""
    for name, value in record.items():
        yield above + name
        if isinstance(value, Mapping):
            yield from _fields(value, f"{above}{name}.")


def _whole(rows: Iterable[tuple[str, bool]]) -> set[tuple[str, bool]]:
    """What is offered, wherever: an offer of one place is named `id@place`."""
    return {(offer_id.partition("@")[0], spot) for offer_id, spot in rows}


def _own(harvest: Harvest) -> list[Scope]:
    return [scope for scope in harvest.scopes if scope.provider != "pricelist"]
