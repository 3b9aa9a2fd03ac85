"""What is looked at once a cell was asked: the trouble, the stored rows, the attempts, secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudtop.models import Scope
from mcp_server.harvest import Harvest

from .cases import OK
from .families import Health, Permissions, Prices

if TYPE_CHECKING:
    from .harness import Cell
    from .house import House

AUDIT_ROWS = 10_000
GROWING = ("missing-field", "empty-page-next")


class Looks:
    """The eyes of one cell; what is wrong goes into `cell.said`."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.case, self.family = cell, cell.case, cell.family
        self.usual = self._states(cell.filled)

    def say(self, text: str) -> None:
        """Note what is wrong."""
        self.cell.said.append(text)

    def outcome(self, house: House, harvest: Harvest) -> None:
        """The trouble is the right one, and nobody else's."""
        provider = self.cell.provider
        mine = [one for one in harvest.missing if one.provider == provider and one.severity != "info"]
        codes = sorted({one.code for one in mine})
        others = [one for one in harvest.missing if one.provider != provider]
        if others:
            self.say(f"the trouble reached another provider: {others[0].provider} {others[0].code}")
        self._sentences(mine)
        if isinstance(self.family, Health):
            if self.case.health == OK and mine:
                self.say(f"should have been borne, but: {codes} {mine[0].message}")
            self._health(house, self.case.health, codes)
            if codes and not harvest.stale:
                self.say("the checks of before are not marked stale")
        elif isinstance(self.family, Permissions) and self.case.offers != OK and not mine:
            self._permissions(house)
        elif self.case.offers == OK:
            if mine:
                self.say(f"should have been borne, but: {codes} {mine[0].message}")
        else:
            hit = [scope for scope in self.cell.counts if self.cell.hit(scope)]
            if codes != [self.case.offers] or len(mine) != len(hit):
                self.say(f"trouble {codes or 'none'} x {len(mine)}, not {self.case.offers} x {len(hit)}")

    def _states(self, held: dict[Scope, dict[Any, Any]]) -> set[str]:
        """The checks of a health scope."""
        if not isinstance(self.family, Health):
            return set()
        return {f"{row['check']} {row['status']}" for rows in held.values() for row in rows.values()}

    def _health(self, house: House, expected: str, codes: list[str]) -> None:
        states = self._states({one: self.family.held(house, one) for one in self.family.scopes(house)})
        if expected == OK:
            if states != self.usual or "api healthy" not in states:
                self.say(f"health says {sorted(states)}, not {sorted(self.usual)}")
        elif expected == "too_slow":
            if codes != ["too_slow"] and "api degraded" not in states:
                self.say(f"health says {sorted(states)} and {codes}, not too_slow")
        elif expected not in states or codes:
            self.say(f"health says {sorted(states)} and {codes}, not {expected}")

    def _permissions(self, house: House) -> None:
        """Without a trouble the rows themselves must say that nothing could be found out."""
        hit = [scope for scope in self.family.scopes(house) if self.cell.hit(scope)]
        rows = [row for scope in hit for row in self.family.held(house, scope).values()]
        if not rows or any(row["healthy"] for row in rows):
            self.say("neither a trouble nor a row says that permissions could not be found out")

    def _sentences(self, troubles: list[Any]) -> None:
        for one in troubles:
            if not one.message or not one.next_step:
                self.say(f"{one.code} says not what happened or what to do next")
            if (one.code in ("rate_limited", "too_slow", "unreachable")) and not one.retryable:
                self.say(f"{one.code} is not marked retryable")

    def rows(self, house: House, harvest: Harvest, before: dict[Scope, Any], known: Any) -> None:
        """What was stored is still there, what was read is new, and both are called what they are."""
        if not self.family.rows:
            return
        now = self.cell.clock.now()
        after: Any = house.store.freshness(list(before))
        for scope, rows in before.items():
            name = f"{scope.account} {scope.region} {scope.query[-20:]}"
            bad = self.cell.hit(scope) and self.case.offers != OK
            held = self.family.held(house, scope)
            if not self.case.fewer and (gone := self.family.whole(rows) - self.family.whole(held)):
                self.say(f"{name}: {len(gone)} stored rows are gone")
            elif held != rows and self.case.fault not in GROWING and not _noted(scope, rows, held, harvest):
                self.say(f"{name}: stored rows have changed, the cloud has not")
            label = harvest.label(scope, after[scope].fetched_at, now)
            if bad:
                if scope not in harvest.stale or label != "stale":
                    self.say(f"{name}: old rows are called {label}")
                if after[scope].fetched_at > known[scope].fetched_at:
                    self.say(f"{name}: a failed reading counts as a new one")
            else:
                self._read_anew(name, scope, harvest, after[scope], label)
            if after[scope].fetched_at > now:
                self.say(f"{name}: read in the future")
        if isinstance(self.family, Prices):
            lists = [source for source in harvest.sources if source.provider == "pricelist"]
            if not lists or not all(source.rows for source in lists):
                self.say("the price list is not complete")

    def _read_anew(self, name: str, scope: Scope, harvest: Harvest, known: Any, label: str) -> None:
        if label != "sandbox" or scope not in harvest.fetched:
            self.say(f"{name}: not read anew though nothing was wrong with it ({label})")
        if not known.complete:
            self.say(f"{name}: not read to its end")
        # Without its places, a record is one row instead of one a place.
        regrouped = self.case.fault == "missing-field"
        if known.rows < self.cell.counts[scope] and not self.case.fewer and not regrouped:
            self.say(f"{name}: {known.rows} rows, the cloud has {self.cell.counts[scope]}")

    def attempts(self, attempts: list[Any]) -> None:
        """Every request has its record, none went astray, none was tried too often or too soon."""
        sandbox = self.cell.sandbox
        seen = [one for one in sandbox.requests if one.host.startswith("127.0.0.1")]
        strangers = [one for one in sandbox.requests if one not in seen]
        if strangers:
            self.say(f"went to another host: {strangers[0].host}, key {strangers[0].keyed}")
        mine = [one for one in attempts if one.provider == self.cell.provider]
        lost = [one for one in mine if one.status is None and one.error in ("TooSlow", "Unreachable")]
        if seen and len(seen) < len(mine) <= len(seen) + len(lost):
            self.say(f"{len(mine) - len(seen)} attempts did not arrive")
        elif seen and len(mine) != len(seen):
            self.say(f"{len(mine)} audit records for {len(seen)} requests")
        failed = [one for one in mine if one.error]
        if self.case.tries is not None and self.case.fault not in ("big-page", "clock-off"):
            self._tries(mine, failed, [one for one in seen if one.fault])
        if self.case.waits is not None and self.case.waits not in self.cell.clock.waits:
            self.say(f"waited {self.cell.clock.waits}, the cloud had asked for {self.case.waits}")

    def _tries(self, mine: list[Any], failed: list[Any], faulted: list[Any]) -> None:
        scopes = len([scope for scope in self.cell.counts if self.cell.hit(scope)])
        expected = 1 if self.case.how else self.case.tries or 1
        cloud = self.family.cloud
        in_text = not cloud.records or self.family.method in cloud.texts
        if in_text and self.case.fault in ("truncated", "html"):
            return  # a text read line by line arrived well; that it makes no sense shows later
        # Once it took no connection, a host is not asked for the other scopes.
        least = 1 if self.case.dead else scopes
        if not isinstance(self.family, Health | Prices):
            # An error within a 200 may look like an answer until somebody reads it.
            least = 0 if self.case.fault == "200-error" else least
            # A listing may ask several things at once: each of them no oftener than it is worth.
            often = Counter((one.method, one.path, one.query, one.body) for one in faulted)
            most = max(often.values(), default=1)
            if not least <= len(failed) or most > max(expected, self.case.tries or 1):
                self.say(f"{len(failed)} failed attempts, one request {most} times, not {expected}")
            return
        if not least <= len(failed) <= scopes * expected or (not faulted and len(mine) != len(failed)):
            self.say(f"{len(failed)} failed attempts, not {expected} for each of {scopes} scopes")
        if scopes == 1 and len(failed) != expected:
            self.say(f"{len(failed)} failed attempts, not {expected}")

    def secrets(self, harvest: Harvest, attempts: list[Any]) -> None:
        """No key in anything that is told or kept."""
        places = {
            "a trouble": repr(harvest.missing),
            "a source": repr(harvest.sources),
            "an audit record": repr(attempts),
        }
        for place, text in places.items():
            self.cell.said += [f"{place} shows the key" for key in self.cell.sandbox.secrets if key in text]

    def healed(self, house: House, harvest: Harvest) -> None:
        """All is there again."""
        if not self.family.rows:
            if isinstance(self.family, Health):
                self._health(house, OK, [])
            return
        known = house.store.freshness([one for one in harvest.scopes if one.provider == self.cell.provider])
        counts = {scope: one.rows for scope, one in known.items() if one}
        if counts != self.cell.counts:
            self.say(f"well again, and {sorted(counts.values())} rows")


def _noted(scope: Scope, before: Any, after: Any, harvest: Harvest) -> bool:
    """Whether all that changed is no longer known, or less of it, and the listing is said to be in trouble.

    What stands beside a listing, such as status checks or tags, may be lost with a request of its own; a page
    that was read before the listing failed is kept without it.
    """
    if before.keys() != after.keys() or not isinstance(next(iter(before.values()), None), Mapping):
        return False
    less = all(
        _less(value, before[key].get(name)) for key, row in after.items() for name, value in row.items()
    )
    return less and any(one.kind == scope.kind for one in harvest.missing)


def _less(now: Any, before: Any) -> bool:
    """Whether nothing is told that was not told before."""
    if isinstance(now, Mapping) and isinstance(before, Mapping):
        return all(name in before and _less(value, before[name]) for name, value in now.items())
    return now is None or now == before or (now == [] and isinstance(before, list))
