"""Amazon's prices: the public list of each region, spot prices with a key, and what given types cost.

Spot prices are one for each (type, zone), and a zone is what one rents in, so each is an offer; its letter
means another place in another account. EC2 tells no GPUs: only types that cloudtop knows are asked for.
Regions that an account must switch on first are asked for spot prices only when they are configured. What a
few types cost on demand is asked of the price list's query API, which answers in seconds and needs a key.
Source of the facts: AWS Price List documentation, the EC2 API model.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from cloudtop.inventory import InstancePrice
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.units import positive
from connectors.aws_base import Amazon
from connectors.aws_price_list import LINUX, PriceTable, gpu_count, known_types, list_offer, spot_offers
from connectors.rows import Record, inner

LIST = "/offers/v1.0/aws/AmazonEC2/current/{region}/index.csv"
INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"
SPOT = '{"spot":true}'
SPOT_TTL_S = 600.0
"""Spot prices move every few hours in each zone; the list's time to live is not theirs."""
PAGE = 500
SPOT_PAGE = 1000
_OPT_IN = (
    "af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 "
    "ap-southeast-7 ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 "
    "mx-central-1"
)
OPT_IN_REGIONS = tuple(_OPT_IN.split())
"""What an account switches on first. Prices are public all the same."""
ASKED_AT = "us-east-1"
"""One of the regions where the price list can be queried."""
ON_DEMAND = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}


class Prices(Amazon):
    """What Amazon asks for its machines."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """The list of each region; with keys, its spot prices too."""
        scopes: list[Scope] = []
        if wanted.spot is not True:
            listed = self.settings.regions or (*self.facts.regions, *OPT_IN_REGIONS)
            scopes += [Scope(self.id, "public", region) for region in listed]
        account = next((one for one in self.settings.accounts if self.has_credentials(one.name)), None)
        if wanted.spot is not False and account:
            asked = account.regions or self.settings.regions or self.facts.regions
            scopes += [Scope(self.id, account.name, region, query=SPOT) for region in asked]
        return scopes

    def bulk(self, scope: Scope) -> bool:
        """Whether a scope is too big to be read within a question: the lists are, spot prices are not."""
        return super().bulk(scope) and not is_spot(scope)

    def ttl_s(self, scope: Scope) -> float:
        """How long they count as fresh: spot prices by far not as long as the lists."""
        return SPOT_TTL_S if is_spot(scope) else super().ttl_s(scope)

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """One region: its part of the list, or its spot prices."""
        async with aclosing(self._spot(scope) if is_spot(scope) else self._listed(scope)) as pages:
            async for page in pages:
                yield page

    async def instance_prices(self, scope: Scope, types: Sequence[str]) -> AsyncIterator[list[InstancePrice]]:
        """What each of these types costs by the hour on demand, in the scope's region."""

        async def one(kind: str) -> InstancePrice:
            wanted = {**ON_DEMAND, "instanceType": kind, "regionCode": scope.region}
            filters = [
                {"Type": "TERM_MATCH", "Field": field, "Value": text} for field, text in wanted.items()
            ]
            about: dict[str, Any] = {"ServiceCode": "AmazonEC2", "Filters": filters, "region": ASKED_AT}
            answer = await self.call(scope, "pricing", "get_products", **about)
            products = [json.loads(text) for text in answer.get("PriceList") or ()]
            prices = [price for product in products if (price := usd_per_hour(product)) is not None]
            return InstancePrice(kind, min(prices, default=None))

        yield await self.each(types, one)

    async def _listed(self, scope: Scope) -> AsyncGenerator[list[GpuOffer], None]:
        path = LIST.format(region=scope.region)
        source, table, now = self.http.url(path, scope.account), PriceTable(self.facts.title), self.now()
        lines = self.http.lines(path, operation="price list", account=scope.account, keyed=False)
        page, nameless = [], 0
        async with aclosing(lines):
            async for line in lines:
                record = table.record(line)
                if record is None or not gpu_count(record):
                    continue
                if not record["SKU"]:
                    nameless += 1
                    continue
                page.append(list_offer(record, scope.region, min(table.published or now, now), source))
                if len(page) >= PAGE:
                    yield page
                    page = []
        table.ended()
        yield page
        self.nameless(scope, nameless)

    async def _spot(self, scope: Scope) -> AsyncGenerator[list[GpuOffer], None]:
        now = self.now()
        source = self.boto.endpoint("ec2", scope.region, scope.account)
        seen: set[str] = set()
        nameless = 0
        wanted: dict[str, Any] = {
            "Filters": [{"Name": "instance-type", "Values": known_types()}],
            "ProductDescriptions": [LINUX],
            # From now on: EC2 then tells the price that holds at this moment, whenever it was set.
            "StartTime": now,
            "size": SPOT_PAGE,
        }

        def read(page: Any) -> list[Record]:
            return self.records(page, "SpotPriceHistory")

        async for prices in self.pages(scope, "ec2", "describe_spot_price_history", read, **wanted):
            named = [one for one in prices if one.get("InstanceType") and one.get("AvailabilityZone")]
            nameless += len(prices) - len(named)
            yield list(spot_offers(named, scope.region, now, source, seen))
        self.nameless(scope, nameless)


def is_spot(scope: Scope) -> bool:
    """Whether a scope is of spot prices; its query may hold more than ours."""
    return json.loads(scope.query or "{}").get("spot") is True


def usd_per_hour(product: Record) -> float | None:
    """The price on demand of a product; None where it has none, or is sold by reservation alone."""
    for term in (inner(product, "terms", "OnDemand") or {}).values():
        for price in (inner(term, "priceDimensions") or {}).values():
            if price.get("unit") == "Hrs" and (found := positive(inner(price, "pricePerUnit", "USD"))):
                return found
    return None
