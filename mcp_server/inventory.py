"""What runs in the accounts: which listings a question takes, where, and what is measured of them.

An account is divided by its cloud (regions, compartments); each listing in each division is a scope of its
own, so one that is denied costs itself alone. Who has no divisions is listed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.models import Scope, Trouble
from mcp_server.result import Progress, silent

if TYPE_CHECKING:
    from cloudtop.regions import Wanted
    from connectors.base import Facts
    from mcp_server.fleet import Fleet
    from mcp_server.harvest import Harvest

RESOURCES, DIVISIONS, PRICES = "resources", "divisions", "instance_prices"
GLOBAL = "global"
PRICE_S = 86_400.0
"""How long the price of an instance type holds: a cloud changes it a few times a year."""

DENIED_S = 3_600.0
"""How long it is not tried again where it was refused: the list is complete without prices."""

MOST_TYPES = 50
"""Instance types whose prices one question reads in a region."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the inventory a question is about; empty means all.

    `providers`: None for all that can be asked. `types`: of resource, as the listings name them.
    """

    providers: tuple[str, ...] | None = None
    types: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    places: tuple[Wanted, ...] = ()


class Inventory:
    """The listings of all clouds, brought up to date as far as a question needs them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._made: dict[Any, list[Scope]] = {}

    async def resources(
        self,
        asked: Asked,
        *,
        ask: bool = True,
        max_age_s: float | None = None,
        deadline_s: float | None = None,
        progress: Progress = silent,
    ) -> Harvest:
        """Bring these listings up to date; the harvest names the scopes whose rows may be used.

        Without `ask` nobody is asked: what is there is there.
        """
        providers, missing = self._fleet.standing.asked(RESOURCES, asked.providers, ())
        uncovered = self._fleet.standing.uncovered(RESOURCES, asked.providers or ())
        accounts = {one: self._accounts(one, asked.accounts) for one in providers}
        self._check_accounts(asked, providers, accounts)
        how: dict[str, Any] = {"ask": ask, "max_age_s": max_age_s, "deadline_s": deadline_s}
        divided = await self._divisions(accounts, how)
        scopes = [
            scope
            for provider in providers
            for account in accounts[provider]
            for scope in self._scopes(provider, account, divided.of.get((provider, account), ()), asked)
        ]
        harvest = await self._fleet.read(scopes, progress=progress, **how)
        unlisted = self._unlisted(providers, asked)
        harvest.missing[:0] = [*missing, *uncovered.values(), *unlisted, *divided.missing]
        return harvest

    def _unlisted(self, providers: Sequence[str], asked: Asked) -> list[Trouble]:
        """Who lists nothing of the types asked for: of the named each, of all only where nobody does."""
        facts = [self._fleet.facts[one] for one in providers]
        without = [one for one in facts if asked.types and not self.kinds(one, asked.types)]
        if not asked.providers and len(without) < len(facts):
            return []
        from cloudtop.resource_types import title

        what = " and ".join(title(one, 2) for one in asked.types)
        step = "`cloudtop call list_services` says what it lists."
        return [
            Trouble(one.id, "not_covered", f"cloudtop lists no {what} of {one.title}.", step, kind=RESOURCES)
            for one in without
        ]

    async def prices(self, unpriced: Iterable[Mapping[str, Any]], deadline_s: float | None) -> bool:
        """Learn what the instance types of these cost in their regions; whether that was news.

        A price is an extra: that it cannot be had is no trouble of the listing.
        """
        wanted: dict[Scope, set[str]] = {}
        for one in unpriced:
            place = Scope(one["provider"], one["account"], one["region"], PRICES)
            wanted.setdefault(self._fleet.here(place), set()).add(one["instance_type"])
        asked = {scope: types for scope, kinds in wanted.items() if (types := self._unpriced(scope, kinds))}
        if not asked:
            return False
        harvest = await self._fleet.read(asked, about=asked, max_age_s=0, deadline_s=deadline_s)
        for scope in harvest.fetched:
            told = {one["uid"]: one["usd_per_hour"] for one in self._fleet.rows(scope)}
            self._fleet.keep_prices(scope, dict.fromkeys(asked[scope]) | told)
        return bool(harvest.fetched)

    def _unpriced(self, scope: Scope, kinds: set[str]) -> tuple[str, ...]:
        """The types among these whose price is not known and may be asked for."""
        if not hasattr(self._fleet.connector(scope.provider), PRICES):
            return ()
        if self._fleet.refused(scope, DENIED_S):
            return ()
        read = self._fleet.prices_read(scope, PRICE_S)
        return tuple(sorted(kinds - read)[:MOST_TYPES])

    def kinds(self, facts: Facts, types: Sequence[str]) -> list[str]:
        """The listings of a provider that hold any of these types, in the services that are configured."""
        chosen = self._fleet.services(facts.id)
        return [
            kind
            for service in facts.services.values()
            if not chosen or chosen & {service.id, *service.words}
            for kind, held in service.lists.items()
            if not types or set(types) & set(held)
        ]

    def _accounts(self, provider: str, wanted: Sequence[str]) -> list[str]:
        known = self._fleet.standing.accounts(provider, RESOURCES) or ("public",)
        names = {one.casefold() for one in wanted}
        return [one for one in known if not names or one.casefold() in names]

    def _check_accounts(
        self, asked: Asked, providers: Sequence[str], accounts: Mapping[str, Sequence[str]]
    ) -> None:
        """An account that nobody has is refused by name."""
        if not asked.accounts or not providers:
            return
        have = {name.casefold() for names in accounts.values() for name in names}
        for one in asked.accounts:
            if one.casefold() not in have:
                from cloudtop.text import nearest

                known = sorted({name for each in providers for name in self._accounts(each, ())})
                close = nearest(one, known, 1)
                message = f"{one[:60]!r} is no account that is configured."
                raise ArgumentError("account", message, ", ".join(known), close[0] if close else None)

    async def _divisions(self, accounts: Mapping[str, Sequence[str]], how: Mapping[str, Any]) -> _Divided:
        """How each account is divided: as configured, as its cloud tells, else as the facts say."""
        divided = _Divided({}, [])
        told: dict[tuple[str, str], Scope] = {}
        for provider, names in accounts.items():
            connector = self._fleet.connector(provider)
            for account in names:
                configured = self._fleet.regions(provider, account)
                if configured:
                    divided.of[provider, account] = [(one, "") for one in configured]
                elif hasattr(connector, DIVISIONS):
                    told[provider, account] = self._fleet.here(Scope(provider, account, kind=DIVISIONS))
        if told:
            harvest = await self._fleet.read(told.values(), **how)
            divided.missing.extend(harvest.missing)
            for (provider, account), scope in told.items():
                rows = self._fleet.rows(scope) if scope in harvest.scopes else []
                known = self._fleet.facts[provider].regions
                divided.of[provider, account] = [(one["region"], one["part"]) for one in rows] or [
                    (one, "") for one in known
                ]
        return divided

    def _scopes(
        self, provider: str, account: str, divisions: Sequence[tuple[str, str]], asked: Asked
    ) -> list[Scope]:
        """The scopes of an account's listings; they follow from its divisions and the question."""
        key = provider, account, tuple(divisions), asked.types, asked.places
        if key not in self._made:
            if len(self._made) >= _KEPT:
                self._made.clear()
            self._made[key] = [
                self._fleet.here(one) for one in self._listed(provider, account, divisions, asked)
            ]
        return self._made[key]

    def _listed(
        self, provider: str, account: str, divisions: Sequence[tuple[str, str]], asked: Asked
    ) -> Iterator[Scope]:
        facts = self._fleet.facts[provider]
        wanted = [one for one in divisions if _in(provider, one[0], asked.places)]
        for kind in self.kinds(facts, asked.types):
            if kind in facts.everywhere or not divisions:
                yield Scope(provider, account, GLOBAL, kind)
            else:
                for region, part in wanted:
                    yield Scope(provider, account, region, kind, _part(part))


@dataclass(slots=True)
class _Divided:
    """(region, part) of each (provider, account), and what could not be found out."""

    of: dict[tuple[str, str], list[tuple[str, str]]]
    missing: list[Trouble]


_KEPT = 256


def _in(provider: str, region: str, places: Sequence[Wanted]) -> bool:
    """Whether a region is in any of these places."""
    if not places:
        return True
    from cloudtop.regions import place

    where = place(provider, region).places
    return any(needle in where for one in places for needle in one.needles)


def _part(part: str) -> str:
    if not part:
        return ""
    import json

    return json.dumps({"part": part}, separators=(",", ":"))
