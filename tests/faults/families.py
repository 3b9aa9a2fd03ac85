"""What a cell asks for: prices, health, one listing of an inventory, metrics, permissions.

A family knows its scopes, which of them a fault hits, how the fault is kept to it, and what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloudtop.inventory import MetricQuery, Target
from cloudtop.models import PriceQuery, Scope
from cloudtop.sandbox.cloud import clouds
from cloudtop.store.resources import ResourceFilter
from connectors import discovery
from mcp_server.harvest import Harvest
from tests.audit import company

if TYPE_CHECKING:
    from .house import House

GPUS = ("A100", "RTX4090")
PATIENT_S = 30.0
"""A deadline that leaves room for retries; their waits pass on the fake clock, in no time."""
PLACES = 3
HOURS = 2


class Family:
    """A method of a provider. `alone`: a fault can be kept to one of its scopes; `rows`: it lists things."""

    alone = False
    rows = False
    needs_regions = False

    def __init__(self, provider: str, method: str) -> None:
        self.provider, self.method = provider, method
        self.cloud = clouds()[provider]
        self.facts = discovery.found()[provider]

    def accounts(self, house: House) -> tuple[str, ...]:
        """The accounts whose keys are configured, else the one that there would be."""
        return house.fleet.standing.accounts(self.provider) or ("default",)

    def scopes(self, house: House) -> list[Scope]:
        """What is asked for."""
        found = [Scope(self.provider, self.accounts(house)[0], kind=self.method)]
        return [house.fleet.here(scope) for scope in found]

    async def ask(self, house: House, deadline_s: float) -> Harvest:
        """Ask for all of it."""
        return await house.fleet.read(self.scopes(house), deadline_s=deadline_s)

    async def prepare(self, house: House) -> None:
        """What must be known before anything can be asked."""

    def how(self, house: House) -> dict[str, Any]:
        """What keeps a fault to the scopes that it shall hit."""
        return {}

    def hit(self, scope: Scope) -> bool:
        """Whether such a fault concerns this scope."""
        return True

    def held(self, house: House, scope: Scope) -> dict[Any, Any]:
        """All that the store holds of a scope: which thing, and what it says."""
        return {row["uid"]: row for row in house.store.rows(scope)}

    def whole(self, rows: Mapping[Any, Any]) -> set[Any]:
        """What may not get lost, whatever is not known of it."""
        return set(rows)

    def ids(self, filled: Mapping[Scope, Mapping[Any, Any]]) -> set[str]:
        """What names its things: a field that holds one of these may not be missing."""
        return set()

    def needed(self) -> set[str]:
        """Fields without which a record may be lost."""
        return set(self.cloud.keys)


class Prices(Family):
    """The offers of a seller."""

    alone = rows = True

    def scopes(self, house: House) -> list[Scope]:
        connector: Any = house.fleet.connector(self.provider)
        return [house.fleet.here(scope) for scope in connector.price_scopes(PriceQuery(GPUS))]

    async def ask(self, house: House, deadline_s: float) -> Harvest:
        return await house.fleet.prices(PriceQuery(GPUS), (self.provider,), deadline_s=deadline_s)

    def how(self, house: House) -> dict[str, Any]:
        return {"text": self.cloud.part} if self.cloud.part else {}

    def hit(self, scope: Scope) -> bool:
        return self.cloud.part in scope.key

    def held(self, house: House, scope: Scope) -> dict[Any, Any]:
        return house.offers(scope)

    def whole(self, rows: Mapping[Any, Any]) -> set[Any]:
        """An offer of one place is named `id@place`."""
        return {(offer_id.partition("@")[0], spot) for offer_id, spot in rows}


class Health(Family):
    """Whether an account's key is accepted, and the API answers."""


class Regional(Family):
    """What is read region by region; the first of its places is the one that faults are kept to."""

    alone = True

    def places(self, house: House) -> list[tuple[str, str]]:
        """(account, region), the one with the most to read first."""
        raise NotImplementedError

    def scopes(self, house: House) -> list[Scope]:
        return [house.fleet.here(self.scope(*place)) for place in self.places(house)]

    def scope(self, account: str, region: str) -> Scope:
        """What is asked for in one place."""
        return Scope(self.provider, account, region, self.method)

    def how(self, house: House) -> dict[str, Any]:
        account, region = self.places(house)[0]
        key = next(iter(self.cloud.accounts.get(account, self.cloud.auth).values()), "")
        if not self.cloud.signs:
            here = {"text": region} if self.cloud.regional and region != "global" else {}
            # Each account shows a key of its own.
            return {**here, "signed": (key,)} if self.cloud.accounts else here
        return {"signed": (key, f"/{region}/") if region != "global" else (key,)}

    def hit(self, scope: Scope) -> bool:
        return self._hits is None or (scope.account, scope.region) == self._hits

    _hits: tuple[str, str] | None = None

    async def prepare(self, house: House) -> None:
        self._hits = self.places(house)[0] if self.how(house) else None


class Listing(Regional):
    """One listing of an inventory, where the company has the most of it, and in two other places."""

    rows = True

    def places(self, house: House) -> list[tuple[str, str]]:
        types = self.facts.lists[self.method]
        counts: dict[tuple[str, str], int] = {}
        for thing in company.things(self.provider):
            if thing.type in types:
                spread = self.method in self.facts.everywhere or thing.region is None
                place = thing.account, "global" if spread else str(thing.region)
                counts[place] = counts.get(place, 0) + 1
        first, *others = sorted(counts, key=lambda place: -counts[place])
        # One elsewhere in the account, one in another account: both must not notice.
        near = [place for place in others if place[0] == first[0]][-1:]
        far = [place for place in others if place[0] != first[0]][-1:]
        return [first, *near, *far]

    def held(self, house: House, scope: Scope) -> dict[Any, Any]:
        page = house.store.resources(ResourceFilter(scopes=(scope,), limit=None))
        dull = ("_read_at", "fetched_at", "since")
        return {row["uid"]: {name: row[name] for name in row if name not in dull} for row in page.rows}

    def whole(self, rows: Mapping[Any, Any]) -> set[Any]:
        """A bucket without its region is still that bucket."""
        return {(row["type"], row["id"]) for row in rows.values()}

    def ids(self, filled: Mapping[Scope, Mapping[Any, Any]]) -> set[str]:
        return {row["id"] for rows in filled.values() for row in rows.values()}

    def needed(self) -> set[str]:
        return set(self.cloud.leads)


class Permissions(Regional):
    """What each account's key may do."""

    def places(self, house: House) -> list[tuple[str, str]]:
        return [(account, "global") for account in self.accounts(house)]


class Metrics(Regional):
    """Two hours of one metric of the first type that has any, in the places of its listing."""

    rows = True

    def __init__(self, provider: str, method: str) -> None:
        super().__init__(provider, method)
        self._type = next(iter(self.facts.metrics), "")
        kinds = [kind for kind, types in self.facts.lists.items() if self._type in types]
        self._listing = Listing(provider, kinds[0]) if kinds else None
        self._targets: dict[tuple[str, str], tuple[Target, ...]] = {}

    def places(self, house: House) -> list[tuple[str, str]]:
        return self._listing.places(house) if self._listing else []

    async def prepare(self, house: House) -> None:
        """Read whose metrics can be asked for."""
        await super().prepare(house)
        assert self._listing is not None
        await self._listing.ask(house, PATIENT_S)
        for place, scope in zip(self.places(house), self._listing.scopes(house), strict=True):
            rows = self._listing.held(house, scope).values()
            self._targets[place] = tuple(
                Target(row["id"], row["name"], row["details"] or {})
                for row in rows
                if row["status"] not in ("stopped", "terminated")
            )

    def scope(self, account: str, region: str) -> Scope:
        query = json.dumps({"type": self._type}, separators=(",", ":"))
        return Scope(self.provider, account, region, self.method, query)

    async def ask(self, house: House, deadline_s: float) -> Harvest:
        names = tuple(self.facts.metrics[self._type])[:1]
        how = self.facts.metrics[self._type][names[0]]
        present = self._type in self.facts.momentary or (isinstance(how, Mapping) and "counter" in how)
        # The cloud's time, which does not leap with ours; what is measured now is of our time.
        now = house.clock.now() if present else datetime.now(UTC)
        end = now.replace(second=0, microsecond=0)
        about = {
            scope: MetricQuery(
                self._type, names, end - timedelta(hours=HOURS), end, 300, targets=self._targets[place]
            )
            for place, scope in zip(self.places(house), self.scopes(house), strict=True)
        }
        return await house.fleet.read(about, about=about, deadline_s=deadline_s)

    def held(self, house: House, scope: Scope) -> dict[Any, Any]:
        """Which series there are; their points move on with the clock."""
        return {row["uid"]: row["metric"] for row in house.store.rows(scope)}


FAMILIES: Mapping[str, type[Family]] = {
    "gpu_offers": Prices,
    "health": Health,
    "metrics": Metrics,
    "permissions": Permissions,
}


def family(provider: str, method: str) -> Family:
    """What a cell of this row asks for."""
    return FAMILIES.get(method, Listing)(provider, method)


def methods(provider: str) -> tuple[str, ...]:
    """The rows of a provider: its kinds, and each listing of its inventory."""
    facts = discovery.found()[provider]
    connector = discovery.connector_class(facts)
    named = [one for one in facts.kinds if one in ("gpu_offers", "health")]
    named += [one for one in ("permissions",) if hasattr(connector, one)]
    named += ["metrics"] if hasattr(connector, "metrics") and facts.metrics else []
    return (*named, *facts.lists)
