"""Where many clouds meet: who is asked, what is fresh enough, what went wrong, and how old what is left is.

A question names the scopes it needs. Those that the store holds fresh are not asked at all; the others are
asked at once under one deadline, each in its own flight (`flight.py`). A scope that fails leaves old rows,
marked stale, and a Trouble. A connector is imported when the scopes of its cloud are first needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cloudtop import net
from cloudtop.errors import ArgumentError
from cloudtop.models import SHIPPED, PriceQuery, Scope, Source, Trouble
from mcp_server.harvest import LISTS, Harvest
from mcp_server.inventory import Inventory
from mcp_server.result import Progress, silent
from mcp_server.standing import Standing
from mcp_server.want import Want, held, turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudtop.ports import Clock
    from cloudtop.sellers import Seller
    from cloudtop.settings import Settings
    from cloudtop.store.open import Store
    from cloudtop.store.scopes import Known
    from connectors.base import Connector, Facts
    from mcp_server.flight import Flights

__all__ = ["LISTS", "PRICES", "Fleet", "Harvest"]

PRICES = "gpu_offers"
DEFAULT_TTL_S = 300.0
KEPT_QUESTIONS = 128
KEPT_SCOPES = 10_000
USUAL_S = 30.0
"""How long a question may take unless the configuration or who asks says otherwise."""
FILE_READ_S = 300.0
"""How long reading a file may take, whatever the time allowed for clouds."""

FILE_CHECK_S = 2.0
"""How long an answer made from files may be reused before their stamps are looked at again."""


class Fleet:
    """All clouds of one person. `make` builds a provider's connector when that is first needed."""

    def __init__(
        self,
        facts: Mapping[str, Facts],
        make: Callable[[str], Connector],
        known: Mapping[str, Seller],
        store: Store,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self.facts = facts
        self.standing = Standing(facts, known, settings)
        self._make, self._store, self._settings, self._clock = make, store, settings, clock
        self._flown: Flights | None = None
        self._connectors: dict[str, Connector] = {}
        self._listed: dict[Scope, tuple[datetime, frozenset[str]]] = {}
        self._notes: dict[Scope, list[Trouble]] = {}
        self._scopes: dict[tuple[tuple[str, ...], PriceQuery], list[tuple[Connector, list[Scope]]]] = {}
        self._sandboxes = frozenset(name for name in facts if _loopback(settings, name))
        self._here: dict[Scope, Scope] = {}
        self.inventory = Inventory(self)

    def connector(self, provider: str) -> Connector:
        """The connector of a provider, imported now if it was not yet."""
        found = self._connectors.get(provider)
        if found is None:
            found = self._connectors[provider] = self._make(provider)
        return found

    def providers(self) -> list[dict[str, Any]]:
        """One row per provider id, with or without a connector."""
        return self.standing.rows()

    async def ids(self, texts: Sequence[str], argument: str) -> tuple[str, ...]:
        """The providers that these names mean. For one that nobody knows, the price lists are looked into."""
        try:
            return self.standing.ids(texts, argument)
        except ArgumentError:
            harvest = await self.prices(PriceQuery(), (LISTS,))
            return self.standing.ids(texts, argument, self._sellers_in(harvest, harvest.scopes))

    async def aclose(self) -> None:
        """Close the connections of every connector that was used."""
        for connector in self._connectors.values():
            await connector.aclose()

    async def prices(
        self,
        wanted: PriceQuery,
        providers: tuple[str, ...] | None = None,
        *,
        excluded: tuple[str, ...] = (),
        max_age_s: float | None = None,
        deadline_s: float | None = None,
        bulk: bool = False,
        progress: Progress = silent,
    ) -> Harvest:
        """Bring the prices of the asked sellers up to date. Price lists are read for every seller.

        With `bulk` also those that no question waits for.
        """
        asked, missing = self.standing.asked(PRICES, providers, excluded)
        if LISTS in self.facts and LISTS not in asked and LISTS not in excluded:
            asked = [*asked, *self.standing.asked(PRICES, (LISTS,), ())[0]]
        wants = [
            self._want(connector, scope, connector.gpu_offers, max_age_s)  # type: ignore[attr-defined]
            for connector, scopes in self._price_scopes(tuple(asked), wanted)
            for scope in scopes
        ]
        harvest = await self._gathered(wants, deadline_s, progress, bulk=bulk)
        harvest.missing[:0] = missing
        self._sort_out_lists(harvest, providers or ())
        return harvest

    async def read(
        self,
        scopes: Iterable[Scope],
        *,
        about: Mapping[Scope, Any] | None = None,
        ask: bool = True,
        max_age_s: float | None = None,
        deadline_s: float | None = None,
        progress: Progress = silent,
    ) -> Harvest:
        """Bring any scopes up to date; the method that reads one bears the name of its kind.

        `about`: what that method takes beside the scope. Without `ask` nobody is asked: the harvest is what
        the store holds.
        """
        wants = []
        for scope in map(self.here, scopes):
            connector = self.connector(scope.provider)
            pages = getattr(connector, scope.kind)
            if about is not None:
                pages = partial(_with, pages, about[scope])
            wants.append(self._want(connector, scope, pages, max_age_s))
        return await self._gathered(wants, deadline_s, progress, ask=ask)

    def rows(self, scope: Scope) -> list[dict[str, Any]]:
        """What the generic cache holds of a scope."""
        return self._store.rows(scope)

    def prices_read(self, scope: Scope, within_s: float) -> set[str]:
        """The instance types whose price in a scope's region was read a short while ago."""
        now = self._clock.now()
        read = self._store.instance_prices(scope.provider, scope.region)
        return {kind for kind, at in read.items() if (now - at).total_seconds() <= within_s}

    def keep_prices(self, scope: Scope, prices: Mapping[str, float | None]) -> None:
        """Keep what instance types cost in a scope's region, None for what has no price."""
        self._store.keep_instance_prices(scope.provider, scope.region, prices, self._clock.now())

    def refused(self, scope: Scope, within_s: float) -> bool:
        """Whether the last try of a scope ended a short while ago in what trying again does not mend."""
        known = self._store.freshness((scope,)).get(scope)
        if known is None or known.trouble is None or known.tried_at is None or known.trouble.retryable:
            return False
        return (self._clock.now() - known.tried_at).total_seconds() <= within_s

    def regions(self, provider: str, account: str) -> tuple[str, ...]:
        """The regions that the configuration narrows an account to, () for none said."""
        mine = self._settings.provider(provider)
        own = next((one.regions for one in mine.accounts if one.name == account), ())
        return own or mine.regions

    def services(self, provider: str) -> frozenset[str]:
        """The services that the configuration narrows a provider to, empty for all."""
        return frozenset(self._settings.provider(provider).services)

    def here(self, scope: Scope) -> Scope:
        """The scope as it is kept: one read at a configured endpoint says so, and is no other endpoint's."""
        if scope not in self._here:
            if len(self._here) >= KEPT_SCOPES:
                self._here.clear()
            self._here[scope] = _placed(scope, _endpoint(self._settings, scope))
        return self._here[scope]

    def ttl_s(self, scope: Scope) -> float:
        """How long data of this scope counts as fresh: the configuration's word, else the connector's."""
        if self._settings.cache.ttl_s is not None:
            return self._settings.cache.ttl_s
        return self.connector(scope.provider).ttl_s(scope) if scope.provider in self.facts else DEFAULT_TTL_S

    def _want(self, connector: Connector, scope: Scope, pages: Any, max_age_s: float | None) -> Want:
        stamp = connector.stamp(scope) if hasattr(connector, "stamp") else None
        kept = self._settings.cache.enabled and self._settings.defaults.show_cached
        limit_s = max_age_s if max_age_s is not None else self.ttl_s(scope) if kept else 0.0
        return Want(scope, pages, connector.facts.title, max(limit_s, net.floor_s.get()), stamp)

    def _price_scopes(
        self, asked: tuple[str, ...], wanted: PriceQuery
    ) -> list[tuple[Connector, list[Scope]]]:
        """The scopes of a price question by connector; they follow from the configuration alone."""
        key = asked, wanted
        if key not in self._scopes:
            if len(self._scopes) >= KEPT_QUESTIONS:
                self._scopes.clear()
            listed = [(one, one.price_scopes(wanted)) for one in map(self.connector, asked)]  # type: ignore[attr-defined]
            self._scopes[key] = [
                (connector, [self.here(one) for one in scopes if self._in_regions(one)])
                for connector, scopes in listed
            ]
        return self._scopes[key]

    def _in_regions(self, scope: Scope) -> bool:
        """Public prices are for everybody; an account's own are read in its configured regions."""
        regions = self._settings.provider(scope.provider).regions
        return not regions or scope.account in ("public", SHIPPED) or scope.region in ("global", *regions)

    async def _gathered(
        self,
        wants: Sequence[Want],
        deadline_s: float | None,
        progress: Progress,
        *,
        bulk: bool = False,
        ask: bool = True,
    ) -> Harvest:
        """Ask for what is not fresh, then take stock of what the store holds."""
        now = self._clock.now()
        harvest = Harvest(started=now, sandboxes=self._sandboxes)
        known = self._store.freshness([want.scope for want in wants])
        fresh = [want.fresh(known.get(want.scope), now) for want in wants]
        tired = [want for want, good in zip(wants, fresh, strict=True) if not good] if ask else []
        troubles: dict[Scope, Trouble] = {}
        if tired:
            troubles = await self._asked_again(tired, known, deadline_s, progress, bulk=bulk)
            known = {**known, **self._store.freshness([want.scope for want in tired])}
            harvest.asked = {want.scope for want in tired}
            harvest.fetched = harvest.asked - troubles.keys()
        self._take_stock(harvest, wants, known, troubles)
        return harvest

    async def _asked_again(
        self,
        wants: list[Want],
        known: Mapping[Scope, Known | None],
        deadline_s: float | None,
        progress: Progress,
        *,
        bulk: bool,
    ) -> dict[Scope, Trouble]:
        """Ask all clouds at once; what failed a moment ago, or may not be asked, is reported unasked."""
        now = self._clock.now()
        troubles: dict[Scope, Trouble] = {}
        clouds: dict[str, list[Want]] = {}
        for want in wants:
            unasked = held(want, known.get(want.scope), now)
            if bulk and unasked and not unasked.retryable:
                # Who syncs again has mended something.
                unasked = None
            unasked = self._offline(want) or unasked
            if not (unasked or bulk):
                unasked = self._too_big(want)
            if unasked:
                troubles[want.scope] = unasked
            else:
                clouds.setdefault(want.scope.provider, []).append(want)
        if not clouds:
            return troubles
        await turn()
        import asyncio

        flights = self._flights()
        until = self._until(deadline_s)
        done = 0

        async def cloud(group: list[Want]) -> None:
            nonlocal done
            outcomes = await asyncio.gather(
                *(flights.outcome(want, self._end(want, until)) for want in group)
            )
            for want, trouble in zip(group, outcomes, strict=True):
                if trouble:
                    troubles[want.scope] = trouble
            done += 1
            said = "could not be read in full" if any(outcomes) else "answered"
            await progress(done, len(clouds), f"{group[0].title} {said}")

        await asyncio.gather(*(cloud(group) for group in clouds.values()))
        return troubles

    def _flights(self) -> Flights:
        """The requests under way; imported with the first, since a warm question makes none."""
        if self._flown is None:
            from mcp_server.flight import Flights

            self._flown = Flights(self._store, self._clock, self._take_notes)
        return self._flown

    def _until(self, deadline_s: float | None) -> float:
        """The clock's moment at which all asking ends; a caller's own earlier deadline holds."""
        seconds = (deadline_s, self._settings.limits.deadline_s, USUAL_S)
        until = self._clock.monotonic() + next(one for one in seconds if one is not None)
        outer = net.deadline.get(None)
        return until if outer is None else min(until, outer)

    def _end(self, want: Want, until: float) -> float:
        """A file here ends by itself: a large list is read once, whole, however long clouds may take."""
        return until if want.stamp is None else max(until, self._clock.monotonic() + FILE_READ_S)

    def _offline(self, want: Want) -> Trouble | None:
        """Offline, files are still read; a cloud is not asked."""
        if not self._settings.offline or not self.facts[want.scope.provider].hosts:
            return None
        return Trouble(
            want.scope.provider,
            "unreachable",
            f"{want.title} was not asked: cloudtop is offline.",
            "Ask again without --offline.",
            account=want.scope.account,
            kind=want.scope.kind,
            severity="warning",
            retryable=True,
        )

    def _too_big(self, want: Want) -> Trouble | None:
        """What takes minutes is read by `sync`; a question uses what that left. A server here is quick."""
        facts = self.facts[want.scope.provider]
        if facts.id in self._sandboxes or not self.connector(facts.id).bulk(want.scope):
            return None
        return Trouble(
            facts.id,
            "too_slow",
            f"{want.title} publishes its prices as files too big to be read while you wait.",
            f"Read them with `cloudtop sync {facts.id}`; it takes some minutes, once a day is enough.",
            account=want.scope.account,
            kind=want.scope.kind,
            severity="warning",
        )

    def _take_notes(self, scope: Scope) -> None:
        """Keep what a connector remarked about a scope, for all answers made from that reading."""
        self._notes[scope] = self.connector(scope.provider).noted.pop(scope, [])

    def _take_stock(
        self,
        harvest: Harvest,
        wants: Sequence[Want],
        known: Mapping[Scope, Known | None],
        troubles: Mapping[Scope, Trouble],
    ) -> None:
        now = self._clock.now()
        moments: list[datetime] = []
        for want in wants:
            scope, by_file = want.scope, want.stamp is not None
            held_now, trouble = known.get(scope), troubles.get(scope)
            harvest.limits_s[scope] = None if by_file else self.ttl_s(scope)
            if trouble:
                harvest.missing.append(trouble)
                moments.append(now + timedelta(seconds=trouble.retry_after_s or 0))
            if held_now is None or held_now.fetched_at is None:
                continue
            harvest.missing.extend(self._notes.get(scope, ()))
            harvest.scopes.append(scope)
            harvest.read_at[scope] = held_now.fetched_at
            if trouble or not held_now.complete:
                harvest.stale.add(scope)
            lasts_s = FILE_CHECK_S if by_file else want.limit_s
            moments.append((now if by_file else held_now.fetched_at) + timedelta(seconds=lasts_s))
            label = harvest.label(scope, held_now.fetched_at, now)
            harvest.add(Source(scope.provider, scope.account, label, held_now.fetched_at, held_now.rows))
        harvest.expires_at = min(moments, default=None)

    def _sort_out_lists(self, harvest: Harvest, named: tuple[str, ...]) -> None:
        """Which sellers the shipped list must not speak for, and which named ones nobody speaks for."""
        lists = [one for one in harvest.scopes if one.provider == LISTS]
        own = self._sellers_in(harvest, [one for one in lists if one.account != SHIPPED])
        live = {one.provider for one in harvest.scopes if one.provider != LISTS}
        harvest.superseded = tuple(sorted(live | own))
        if named and LISTS not in named:
            speak = {one.account for one in lists if not self._sellers_in(harvest, [one]).isdisjoint(named)}
            harvest.idle_lists = frozenset(one.account for one in lists) - speak
        uncovered = self.standing.uncovered(PRICES, named)
        if uncovered:
            listed = self._sellers_in(harvest, lists)
            harvest.missing.extend(trouble for seller, trouble in uncovered.items() if seller not in listed)

    def _sellers_in(self, harvest: Harvest, scopes: Sequence[Scope]) -> frozenset[str]:
        """The sellers that price lists name; looked up once per reading of each file."""
        return frozenset().union(*(self._sellers_of(one, harvest.read_at[one]) for one in scopes))

    def _sellers_of(self, scope: Scope, read_at: datetime) -> frozenset[str]:
        known = self._listed.get(scope)
        if known is None or known[0] != read_at:
            from cloudtop.store.offers import OfferFilter

            everything = OfferFilter(scopes=(scope,), fractional=True, modified=True)
            groups = self._store.group_offers(everything, "provider")
            known = self._listed[scope] = (read_at, frozenset(str(one["group"]) for one in groups))
        return known[1]


def _with(pages: Any, about: Any, scope: Scope) -> Any:
    return pages(scope, about)


def _placed(scope: Scope, endpoint: str | None) -> Scope:
    if endpoint is None:
        return scope
    import json

    query = json.loads(scope.query or "{}") | {"endpoint": endpoint}
    return replace(scope, query=json.dumps(query, separators=(",", ":"), sort_keys=True))


def _endpoint(settings: Settings, scope: Scope) -> str | None:
    """Where a scope's account is asked instead of the provider's own address: host and path.

    Without the port: a server on this machine has another one each time it starts, and is still no cloud.
    """
    endpoint = settings.provider(scope.provider).endpoint_of(scope.account)
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    return (parts.hostname or "") + parts.path.rstrip("/")


def _loopback(settings: Settings, provider: str) -> bool:
    """Whether a provider's requests go to this machine: then its rows are the sandbox's."""
    mine = settings.provider(provider)
    endpoints = [mine.endpoint, *(one.options.get("endpoint") for one in mine.accounts)]
    return any(net.is_loopback(urlsplit(str(one)).hostname or "") for one in endpoints if one)
