"""RunPod: GPU types rented by the single GPU, in a secure and a community cloud.

A list price is for one GPU for an hour, and a pod of several costs that many times as much; an offer here is
one GPU of one type in one cloud, because only ceilings (`maxCount`, in raw) are told and not which counts are
free. A price is filled in even for a cloud that does not sell the type, so the flag beside it decides.
`lowestPrice` of GraphQL is for a whole pod and null without capacity: only stock and host are read from it.
The id names the part ("NVIDIA H200 NVL" is displayed as "H200"); memory is in GB as vendors write it; "MIG"
ids are slices. Spot prices may be above the others and are kept so. A price holds for all data centres, so
rows have no region. Disk costs extra; traffic is not known to.

With a key both clouds are read from REST v2, which knows no spot; spot, and without a key everything, comes
from GraphQL, which needs none. GraphQL ends early in 2027: then spot is missing, and prices need a key.
Sources: RunPod's OpenAPI document of REST v2, and what public clients send to its GraphQL.
Imported late: json.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cloudtop import gpus
from cloudtop.errors import Changed, CloudError, Invalid, RateLimited, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import positive
from connectors.base import Connector, public

CATALOG, PODS, GRAPHQL = "/v2/catalog/gpus", "/v2/pods", "/graphql"
TIERS = ("secure", "community")
DISK_USD_PER_GB_MONTH = 0.10
"""A running pod's own disk; its persistent volume costs as much, and twice that while the pod is stopped."""

# A field that GraphQL does not know fails the whole query: no more are named than are read.
PRICES = """query {
  gpuTypes {
    id displayName memoryInGb maxGpuCountSecureCloud maxGpuCountCommunityCloud
    secureCloud securePrice secureSpotPrice
    communityCloud communityPrice communitySpotPrice
    secureLowest: lowestPrice(input: {gpuCount: 1, secureCloud: true}) { stockStatus minVcpu minMemory }
    communityLowest: lowestPrice(input: {gpuCount: 1, secureCloud: false}) { stockStatus minVcpu minMemory }
  }
}"""
ANY_ANSWER = "query { gpuTypes { id } }"
SLICE = re.compile(r"\bmig\b", re.IGNORECASE)
BAD_KEY = re.compile(r"unauthor|unauthenticated|api key|not logged in", re.IGNORECASE)
TOO_OFTEN = re.compile(r"rate.?limit|too many|throttl", re.IGNORECASE)


class RunPod(Connector):
    """Offers and health of RunPod."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """With a key each cloud and the spot prices by themselves; without one, all in one listing."""
        import json

        account = self.account()
        if account == "public":
            return [Scope(self.id, account)]
        clouds: list[dict[str, Any]] = [{"cloud": tier.upper()} for tier in TIERS]
        spot: list[dict[str, Any]] = [{"spot": True}]
        asked = {None: clouds + spot, False: clouds, True: spot}[wanted.spot]
        queries = (json.dumps(one, separators=(",", ":")) for one in asked)
        return [Scope(self.id, account, query=query) for query in queries]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """One cloud's catalogue, the spot prices of both, or all that is told without a key."""
        import json

        query = json.loads(scope.query or "{}")
        if "cloud" in query:
            async for page in self._catalog(scope, query["cloud"]):
                yield page
            return
        found, only_spot = await self._gpu_types(PRICES, scope), "spot" in query
        if found is not None:
            yield self._rows(scope, found, GRAPHQL, lambda one: sales(one, only_spot=only_spot))
            self.nameless(scope, _without_id(found))
        elif only_spot:
            message = f"{self.facts.title} has closed its GraphQL interface, which alone told spot prices."
            self.note(scope, message, "Nothing to do; its on-demand prices are complete.", Changed.code)
        else:
            raise self._retired()

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key may list pods (nothing says whose it is); without one, whether GraphQL answers."""
        if self.http.key(scope.account):
            call = self.http.json("GET", PODS, account=scope.account)
            yield await self.probe(scope, call, None)
            return
        unlocked = "No key is set. It works without a key: prices only."
        yield await self.probe(scope, self._answers_without_a_key(scope), unlocked)

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """GraphQL says 200 over its errors."""
        errors = answer.get("errors") if isinstance(answer, Mapping) and status < 300 else None
        if not errors:
            return None
        told = str(errors)
        return RateLimited if TOO_OFTEN.search(told) else Unauthorized if BAD_KEY.search(told) else Invalid

    async def _catalog(self, scope: Scope, cloud: str) -> AsyncIterator[list[GpuOffer]]:
        asked = {"include": "AVAILABILITY", "product": "POD", "cloud": cloud, "count": 1}
        path, nameless = f"{CATALOG}?{urlencode(asked)}", 0

        def ask(cursor: str | None) -> Awaitable[Any]:
            page = f"{CATALOG}?{urlencode({**asked, 'cursor': cursor})}" if cursor else path
            return self.http.json("GET", page, account=scope.account)

        async for answer in self.paged(ask, next_cursor):
            found = self.records(answer, "gpus")
            nameless += _without_id(found)
            yield self._rows(scope, found, path, lambda one: catalog_sales(one, cloud.lower()))
        self.nameless(scope, nameless)

    async def _gpu_types(self, query: str, scope: Scope) -> list[Mapping[str, Any]] | None:
        """What GraphQL lists; None once it is gone. No key goes there: a restricted one would be refused."""
        # Who has set a key need not be told to: that GraphQL wants one too means that it is closed to us.
        closed = (Changed, Unauthorized) if self.http.key(scope.account) else (Changed,)
        with suppress(*closed):
            answer = await self.http.json(
                "POST", GRAPHQL, body={"query": query}, repeatable=True, account=scope.account, keyed=False
            )
            return self.records(answer, "data", "gpuTypes")
        return None

    async def _answers_without_a_key(self, scope: Scope) -> None:
        if await self._gpu_types(ANY_ANSWER, scope) is None:
            raise self._retired()

    def _retired(self) -> Changed:
        message = f"{self.facts.title} has retired the interface that gave prices without a key (GraphQL)."
        return Changed(message, f"Set {self.facts.to_set}: with a key its on-demand prices are still told.")

    def _rows(
        self,
        scope: Scope,
        found: Iterable[Mapping[str, Any]],
        path: str,
        sales_of: Callable[[Mapping[str, Any]], Iterable[Sale]],
    ) -> list[GpuOffer]:
        at, source = self.now(), self.http.url(path, scope.account)
        return [gpu_offer(one, sale, at, source) for one in found if gpu_id(one) for sale in sales_of(one)]


class Sale(NamedTuple):
    """One way in which a GPU type is sold. `figure` is what the field named `field` holds, for one GPU."""

    tier: str
    spot: bool
    field: str
    figure: Any
    offered: Any
    available: bool | None


def next_cursor(answer: Any) -> str | None:
    """Where the catalogue goes on. Some answers do not speak of pages, and are whole."""
    pages = _part(answer, "pagination")
    cursor = pages.get("nextCursor")
    if pages.get("hasNextPage") is False or (not cursor and not pages.get("hasNextPage")):
        return None
    if not cursor:
        raise Invalid("RunPod says that its list goes on but not where.", "Try again.")
    return str(cursor)


def gpu_id(gpu: Mapping[str, Any]) -> str:
    """What one rents it by, empty when it is not told."""
    told = gpu.get("id")
    return clean(told).strip() if isinstance(told, str) else ""


def catalog_sales(gpu: Mapping[str, Any], tier: str) -> Iterator[Sale]:
    """How REST says that one cloud sells this type, if it does."""
    if gpu.get(tier) is not False:
        price = _part(gpu, "price").get(tier)
        yield Sale(tier, False, f"price.{tier}", price, gpu.get(tier), in_stock(gpu.get("availability")))


def sales(gpu: Mapping[str, Any], *, only_spot: bool = False) -> Iterator[Sale]:
    """How GraphQL says that the clouds sell this type. A spot price of null is no sale; a missing one is."""
    for tier in TIERS:
        offered, available = gpu.get(f"{tier}Cloud"), _lowest_stock(gpu, tier)
        if offered is False:
            continue
        plain, spot = f"{tier}Price", f"{tier}SpotPrice"
        if not only_spot:
            yield Sale(tier, False, plain, gpu.get(plain), offered, available)
        if gpu.get(spot, 0) is not None:
            yield Sale(tier, True, spot, gpu.get(spot), offered, available)


def in_stock(level: Any) -> bool | None:
    """Whether any is free by a stock level; the interfaces write it in different cases."""
    word = level.strip().casefold() if isinstance(level, str) else ""
    return True if word in ("low", "medium", "high") else False if word == "none" else None


def gpu_offer(gpu: Mapping[str, Any], sale: Sale, at: datetime, source_url: str) -> GpuOffer:
    """One GPU of a type as a row. Any field but the id may be missing."""
    name = gpu_id(gpu)
    memory = positive(gpu.get("memory", gpu.get("memoryInGb")))
    found = gpus.identify("runpod", name, memory)
    host = _part(gpu, f"{sale.tier}Lowest")
    # A figure stands beside types that are not sold too: without the flag, only stock proves it meant.
    meant = sale.offered if isinstance(sale.offered, bool) else sale.available
    return GpuOffer(
        seller="runpod",
        offer_id=f"{name}:{sale.tier}",
        gpu_raw=name,
        # A slice counts as the share of its board.
        gpu_count=found.fraction or 1.0,
        usd_per_hour=positive(sale.figure) if meant else None,
        price_raw=f"{sale.field}={sale.figure} USD per GPU-hour",
        spot=sale.spot,
        gpu=found.name,
        gpu_memory_gib=found.memory_gib,
        form=found.form,
        vcpus=positive(host.get("minVcpu")),
        ram_gib=positive(host.get("minMemory")),
        tier=sale.tier,
        available=sale.available,
        fractional=found.fractional or SLICE.search(name) is not None,
        modified=found.modified,
        disk_usd_per_gb_month=DISK_USD_PER_GB_MONTH,
        source_url=source_url,
        as_of=at,
        raw=public(gpu),
    )


def _lowest_stock(gpu: Mapping[str, Any], tier: str) -> bool | None:
    """Null, for the whole or for the level, is how GraphQL says that nothing is free; silence is not."""
    lowest = gpu.get(f"{tier}Lowest", {})
    if lowest is None or (isinstance(lowest, Mapping) and lowest.get("stockStatus", "") is None):
        return False
    return in_stock(_part(gpu, f"{tier}Lowest").get("stockStatus"))


def _part(record: Any, name: str) -> Mapping[str, Any]:
    found = record.get(name) if isinstance(record, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _without_id(found: Iterable[Mapping[str, Any]]) -> int:
    return sum(not gpu_id(one) for one in found)
