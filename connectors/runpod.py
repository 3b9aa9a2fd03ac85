"""RunPod: pods, serverless endpoints and network volumes of an account, and GPU types with their prices.

What an account has is told by REST v2: pods with the load and memory of each GPU now, endpoints with their
workers, volumes with who uses them; tags and a past it does not know. Balance and spending stand with the
health of the key. GPUs are rented one by one, several in one pod, in a secure and a community cloud.

A list price is for one GPU for an hour; a pod of several costs that many times as much. An offer is a pod of
one, two, four or eight GPUs of one type in one cloud. Its ceiling (`maxCount`) is no stock: what is free is
asked for each size. A price stands beside a cloud that does not sell the type, too: the flag decides.
`lowestPrice` of GraphQL is for a whole pod and null without capacity; stock, host and free sizes are read
from it. The id names the part ("NVIDIA H200 NVL" is displayed as "H200"); memory is in vendors' GB; "MIG" ids
are slices. A bid is for one GPU; one above the list price is doubted. Disk is extra, traffic not known to be.

With a key both clouds are read from REST v2, in a listing for each size: an offer for each data centre with
stock, and one without a region where none is named. It knows no spot; spot, and without a key everything,
comes from GraphQL, which needs no key; its regions would take hundreds of requests, so none are told then.
GraphQL ends early in 2027: then spot is missing, and prices need a key.
Sources: the OpenAPI document of REST v2; what public clients send to GraphQL. Imported late: json.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cloudtop import gpus, regions
from cloudtop.errors import Changed, CloudError, Invalid, RateLimited, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import positive
from connectors import runpod_inventory
from connectors.base import public
from connectors.runpod_inventory import GRAPHQL, PODS, next_cursor

CATALOG = "/v2/catalog/gpus"
TIERS = ("secure", "community")
COUNTS = (1, 2, 4, 8)
"""GPUs of the pods that are offered. REST takes a listing for each, of the 60 requests that a minute has."""

DISK_USD_PER_GB_MONTH = 0.10
"""A running pod's own disk; its persistent volume costs as much, and twice that while the pod is stopped."""

# A field that GraphQL does not know fails the whole query: no more are named than are read.
PRICES = """query {
  gpuTypes {
    id displayName memoryInGb maxGpuCountSecureCloud maxGpuCountCommunityCloud
    secureCloud securePrice secureSpotPrice
    communityCloud communityPrice communitySpotPrice
    secureLowest: lowestPrice(input: {gpuCount: 1, secureCloud: true})
      { stockStatus minVcpu minMemory availableGpuCounts }
    communityLowest: lowestPrice(input: {gpuCount: 1, secureCloud: false})
      { stockStatus minVcpu minMemory availableGpuCounts }
  }
}"""
ANY_ANSWER = "query { gpuTypes { id } }"
SLICE = re.compile(r"\bmig\b", re.IGNORECASE)
BAD_KEY = re.compile(r"unauthor|unauthenticated|api key|not logged in", re.IGNORECASE)
TOO_OFTEN = re.compile(r"rate.?limit|too many|throttl", re.IGNORECASE)


class Sale(NamedTuple):
    """One way in which a GPU type is sold. `figure` is what the field named `field` holds, for one GPU.

    `offered`: whether it is, by flag and ceiling, if they tell. `listed`: beside a spot price, the other one.
    """

    tier: str
    spot: bool
    field: str
    figure: Any
    offered: Any
    available: bool | None
    size: int = 1
    place: str | None = None
    listed: Any = None


Sales = Callable[[Mapping[str, Any]], Iterable[Sale]]


class RunPod(runpod_inventory.Inventory):
    """Everything that cloudtop asks of RunPod."""

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
        """Whether the key may list pods, and the balance; without one, whether GraphQL answers."""
        if self.http.key(scope.account):
            yield await self.probe(scope, self._accepted(scope), None)
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

    async def _accepted(self, scope: Scope) -> str:
        await self.http.json("GET", PODS, account=scope.account)
        return f"The key is accepted. {await self.balance(scope)}"

    async def _catalog(self, scope: Scope, cloud: str) -> AsyncIterator[list[GpuOffer]]:
        nameless = 0
        for count in COUNTS:
            asked = {"include": "AVAILABILITY", "product": "POD", "cloud": cloud, "count": count}
            path = f"{CATALOG}?{urlencode(asked)}"
            sold = partial(catalog_sales, tier=cloud.lower(), count=count)
            async for answer in self.paged(partial(self._page, scope, path), next_cursor):
                found = self.records(answer, "gpus")
                yield self._rows(scope, found, path, sold)
                # The types of every listing are the same: counted in one.
                nameless += _without_id(found) if count == 1 else 0
        self.nameless(scope, nameless)

    def _page(self, scope: Scope, path: str, cursor: str | None) -> Awaitable[Any]:
        at = f"&{urlencode({'cursor': cursor})}" if cursor else ""
        return self.http.json("GET", path + at, account=scope.account)

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

    def _rows(self, scope: Scope, found: list[Mapping[str, Any]], path: str, sold: Sales) -> list[GpuOffer]:
        at, source = self.now(), self.http.url(path, scope.account)
        return [gpu_offer(one, sale, at, source) for one in found if gpu_id(one) for sale in sold(one)]


def gpu_id(gpu: Mapping[str, Any]) -> str:
    """What one rents it by, empty when it is not told."""
    told = gpu.get("id")
    return clean(told).strip() if isinstance(told, str) else ""


def catalog_sales(gpu: Mapping[str, Any], tier: str, count: int = 1) -> Iterator[Sale]:
    """How REST says that one cloud sells pods of so many GPUs, if it does: in each place that has one."""
    offered, places = _offered(gpu.get(tier), _part(gpu, "maxCount").get(tier), count), places_of(gpu)
    if offered is False:
        return
    available = in_stock(gpu.get("availability", "NONE" if gpu.get("dataCenters") == [] else None))
    sale = Sale(tier, False, f"price.{tier}", _part(gpu, "price").get(tier), offered, available, count)
    yield from (sale._replace(place=place, available=True) for place in places)
    if not places:
        yield sale


def places_of(gpu: Mapping[str, Any]) -> list[str]:
    """The data centres with stock; a list of them should hold no others."""
    told = gpu.get("dataCenters")
    listed = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    free = (gpu_id(one) for one in listed if in_stock(one.get("availability")) is not False)
    return [place for place in dict.fromkeys(free) if place]


def sales(gpu: Mapping[str, Any], *, only_spot: bool = False) -> Iterator[Sale]:
    """How GraphQL says that the clouds sell this type. A spot price of null is no sale; a missing one is.

    A bid is for one GPU: pods of several are offered where it is told whether any is free.
    """
    for tier, count in product(TIERS, COUNTS):
        ceiling, plain, spot = f"maxGpuCount{tier.title()}Cloud", f"{tier}Price", f"{tier}SpotPrice"
        offered, free = _offered(gpu.get(f"{tier}Cloud"), gpu.get(ceiling), count), _free(gpu, tier, count)
        if offered is False:
            continue
        if not only_spot:
            yield Sale(tier, False, plain, gpu.get(plain), offered, free, count)
        if gpu.get(spot, 0) is not None and (count == 1 or free is not None):
            yield Sale(tier, True, spot, gpu.get(spot), offered, free, count, listed=gpu.get(plain))


def in_stock(level: Any) -> bool | None:
    """Whether any is free by a stock level; the interfaces write it in different cases."""
    word = level.strip().casefold() if isinstance(level, str) else ""
    return True if word in ("low", "medium", "high") else False if word == "none" else None


def gpu_offer(gpu: Mapping[str, Any], sale: Sale, at: datetime, source_url: str) -> GpuOffer:
    """One pod of a type as a row. Any field but the id may be missing."""
    name, size, memory = gpu_id(gpu), sale.size, positive(gpu.get("memory", gpu.get("memoryInGb")))
    found, where = gpus.identify("runpod", name, memory), regions.place("runpod", sale.place)
    # What is told of the host goes for a pod of one.
    host = _part(gpu, f"{sale.tier}Lowest") if size == 1 else {}
    # A figure stands beside types that are not sold too: without the flag, only stock proves it meant.
    meant = sale.offered if isinstance(sale.offered, bool) else sale.available
    price, listed = positive(sale.figure) if meant else None, positive(sale.listed)
    over = price is not None and listed is not None and price > listed
    pod, place = f":{size}" if size > 1 else "", f"@{sale.place}" if sale.place else ""
    return GpuOffer(
        seller="runpod",
        offer_id=f"{name}:{sale.tier}{pod}{place}",
        gpu_raw=name,
        # A slice counts as the share of its board.
        gpu_count=(found.fraction or 1.0) * size,
        usd_per_hour=price * size if price is not None else None,
        price_raw=f"{sale.field}={sale.figure} USD per GPU-hour",
        spot=sale.spot,
        gpu=found.name,
        gpu_memory_gib=found.memory_gib,
        region=where.region,
        country=where.country,
        form=found.form,
        vcpus=positive(host.get("minVcpu")),
        ram_gib=positive(host.get("minMemory")),
        tier=sale.tier,
        available=sale.available,
        fractional=found.fractional or SLICE.search(name) is not None,
        modified=found.modified,
        suspect=f"spot price above its own on-demand price of ${listed:g} per GPU-hour" if over else None,
        disk_usd_per_gb_month=DISK_USD_PER_GB_MONTH,
        source_url=source_url,
        as_of=at,
        raw=public(gpu),
    )


def _offered(flag: Any, ceiling: Any, count: int) -> Any:
    """The flag of a cloud for pods of so many: False above the ceiling, None where no ceiling is told."""
    most = positive(ceiling)
    if count == 1 or flag is False:
        return flag
    return None if most is None else flag if count <= most else False


def _free(gpu: Mapping[str, Any], tier: str, count: int) -> bool | None:
    """Null, for the whole or the level (of pods of one), is GraphQL's "nothing is free"; silence is not."""
    lowest = gpu.get(f"{tier}Lowest", {})
    told = lowest if isinstance(lowest, Mapping) else {}
    if lowest is None or told.get("stockStatus", "") is None:
        return False
    stock, counts = in_stock(told.get("stockStatus")), told.get("availableGpuCounts")
    if count == 1 or stock is False:
        return stock
    return count in counts if isinstance(counts, list) else None


def _part(record: Any, name: str) -> Mapping[str, Any]:
    found = record.get(name) if isinstance(record, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _without_id(found: Iterable[Mapping[str, Any]]) -> int:
    return sum(not gpu_id(one) for one in found)
