"""The Retail Prices API of Azure, which lists what each meter costs and needs no key.

A meter is one instance type in one region under one system and one way of paying. Its price is for the whole
instance and one hour; there is no word about GPUs, so those are known from the type (`armSkuName`). Disk and
traffic are charged beside it, and nothing here knows whether an instance is to be had.

The list is asked by GPU series (`_A100_v4`), so that a question costs a page or two; the old types, whose
names hold no GPU, are asked by name. A last scope reads all N types and keeps those of no series. Kept are
Linux meters by the hour: a reservation's price is for its whole term, and the filter leaves it out. One thing
often has several meters: one outside its primary region gives way to one inside, but stands where it is the
only one (Linux in East US may be); then the latest one in force holds. Two that differ only in the price tell
no price.

Traps: values are case-sensitive; the filter knows neither `not` nor `in` and takes twenty comparisons;
`priceType` is called `type` in answers; product names follow no rule (`Virtual Machines NCasT4 v3 Series`,
`NCads A100 v4 Series Linux`). Imported late: json.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlencode

from cloudtop import compiled, gpus, net, regions
from cloudtop.errors import Invalid
from cloudtop.inventory import InstancePrice
from cloudtop.models import GpuOffer, PriceQuery, Scope, iso
from cloudtop.text import clean
from cloudtop.units import positive
from connectors.base import Connector, public

PRICES = "/api/retail/prices"
COMMON = {"api-version": "2023-01-01-preview", "currencyCode": "USD"}
HOURLY = "serviceName eq 'Virtual Machines' and priceType eq 'Consumption'"
OTHER = "other"
ANY_N = "contains(armSkuName,'Standard_N')"
TYPES = 15
"""Types that one question names: the filter takes twenty comparisons."""
ONE_TYPE = "armRegionName eq 'eastus' and armSkuName eq 'Standard_NC4as_T4_v3'"

# Not Linux by the hour: other systems, whole hosts, another service, bids of old, meters that ended.
LEFT_OUT = re.compile(r"windows|dedicated|cloud ?services?|low ?priority|expired", re.IGNORECASE)
# NP carries FPGAs, NM video encoders.
NO_GPU = re.compile(r"Standard_N[PM]\d", re.IGNORECASE)
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
GPU_IN_NAME = re.compile(r"_[A-Z]+\d+[A-Z]*(?:_v\d+)?$")


class Prices(Connector):
    """What GPUs cost at Azure, and what instance types do."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """The series that carry the wanted GPUs; all of them, and the rest, when none is named."""
        import json

        asked = [
            name for name, one in series().items() if not wanted.gpus or not one.gpus.isdisjoint(wanted.gpus)
        ]
        if not wanted.gpus or any(map(may_be_new, wanted.gpus)):
            asked.append(OTHER)
        account = self.account()
        queries = (json.dumps({"series": name}, separators=(",", ":")) for name in asked)
        return [Scope(self.id, account, query=query) for query in queries]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """One series. Which meter holds is known when all were seen, so there is one page."""
        import json

        name = json.loads(scope.query)["series"]
        condition = ANY_N if name == OTHER else series()[name].condition
        at, source = self.now(), f"{self.http.url(PRICES, scope.account)}?{query_text(condition)}"
        now = iso(at) or ""
        held: dict[tuple[str, str, bool], list[Mapping[str, Any]]] = {}
        nameless = 0
        async for answer in self.paged(lambda skip: self.ask_prices(condition, skip, scope), self._next_skip):
            for meter in self.records(answer, "Items"):
                if not is_offer(meter, now):
                    continue
                kind, region = text(meter, "armSkuName"), region_of(meter)
                if not kind or not region:
                    nameless += 1
                elif series_of(kind) == name and not NO_GPU.match(kind):
                    key = kind, region, is_spot(meter)
                    held[key] = holding(held.get(key, []), meter)
        yield [gpu_offer(meters, at, source) for meters in held.values()]
        self.nameless(scope, nameless)

    async def instance_prices(self, scope: Scope, types: Sequence[str]) -> AsyncIterator[list[InstancePrice]]:
        """What types cost in the scope's region, on demand and with Linux; Windows costs more."""
        for at in range(0, len(types), TYPES):
            some = types[at : at + TYPES]
            named = " or ".join(f"armSkuName eq '{kind}'" for kind in some)
            condition = f"armRegionName eq '{scope.region}' and ({named})"
            now = iso(self.now()) or ""
            held: dict[str, list[Mapping[str, Any]]] = {}
            ask = partial(self.ask_prices, condition, scope=scope)
            async for answer in self.paged(ask, self._next_skip):
                for meter in self.records(answer, "Items"):
                    kind = text(meter, "armSkuName")
                    if kind in some and is_offer(meter, now) and not is_spot(meter):
                        held[kind] = holding(held.get(kind, []), meter)
            yield [InstancePrice(kind, usd_of(held.get(kind, []))) for kind in some]

    async def ask_prices(self, condition: str, skip: str | None, scope: Scope) -> Any:
        """One page of the list."""
        answer = await self.http.json(
            "GET",
            PRICES,
            params=query(condition, skip),
            operation="list prices",
            account=scope.account,
            keyed=False,
        )
        self.records(answer, "Items")
        return answer

    def _next_skip(self, answer: Mapping[str, Any]) -> str | None:
        """Where the next page begins. Of the link only that is used: it always names Azure's own host, with a
        port, and leaves parts of the question out, so our own question is asked again from there.
        """
        link = answer.get("NextPageLink")
        if not link:
            return None
        parts = net.split(str(link))
        ours = (None, *self.facts.hosts, net.split(self.http.url(PRICES)).hostname)
        if parts.hostname not in ours:
            message = f"{self.facts.title} points to another host ({parts.hostname}); nothing was sent there."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
        skip = parse_qs(parts.query).get("$skip", [""])[0]
        if not (skip.isascii() and skip.isdigit()):
            message = f"{self.facts.title} names a next page that cannot be read."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
        return skip


class Series(NamedTuple):
    """The types that one request finds: those with `token` in their names, or `types` one by one."""

    gpus: frozenset[str]
    token: str
    types: frozenset[str]

    @property
    def condition(self) -> str:
        """What asks for them."""
        if self.token:
            return f"contains(armSkuName,'{self.token}')"
        named = " or ".join(f"armSkuName eq '{name}'" for name in sorted(self.types))
        return f"({named})"

    def holds(self, kind: str) -> bool:
        """Whether Azure answers `condition` with this type: case counts, as it does there."""
        return self.token in kind if self.token else kind in self.types


@cache
def series() -> dict[str, Series]:
    """Every series that is known, out of the types in data/instance_gpus.yaml."""
    types = compiled.load(compiled.DATA / "instance_gpus.yaml")["types"]["azure"]
    carried = {
        name: part.split()[0] for part, counts in types.items() for names in counts.values() for name in names
    }
    tokens = {found[0] for name in carried if (found := GPU_IN_NAME.search(name.partition("_")[2]))}
    # `_V620` finds what `_V620_v1` would.
    tokens = {one for one in tokens if not any(other in one for other in tokens - {one})}
    members: dict[tuple[str, str], list[str]] = {}
    for name in carried:
        token = next((one for one in sorted(tokens) if one in name), "")
        # NC24s_v3, NC6s_v3: NC_v3.
        plain = re.sub(r"\d+[a-z]*(_Promo)?", "", name.partition("_")[2], count=1)
        members.setdefault((token.strip("_") or plain, token), []).append(name)
    return {
        label: Series(frozenset(carried[name] for name in names), token, frozenset(names))
        for (label, token), names in sorted(members.items())
    }


@cache
def series_of(kind: str) -> str:
    """The one series that an instance type is read with."""
    return next((name for name, one in series().items() if one.holds(kind)), OTHER)


def may_be_new(name: str) -> bool:
    """Whether a GPU of no series may yet stand in the list. GeForce is not licensed for datacenters, and the
    chips that other clouds make are theirs alone.
    """
    gpu = gpus.catalogue().gpus.get(name)
    if any(name in one.gpus for one in series().values()):
        return False
    return gpu is None or not ("GeForce" in gpu.title or gpu.vendor in ("google", "aws"))


def query(condition: str, skip: str | None = None) -> dict[str, str]:
    """The parameters of one request."""
    asked = {**COMMON, "$filter": f"{HOURLY} and {condition}"}
    return {**asked, "$skip": skip} if skip else asked


def query_text(condition: str) -> str:
    """The same as a person can open it."""
    return urlencode(query(condition), safe="$(),'", quote_via=quote)


def text(meter: Mapping[str, Any], name: str) -> str:
    """A field that holds words, "" when it does not."""
    value = meter.get(name)
    return clean(value).strip() if isinstance(value, str) else ""


def region_of(meter: Mapping[str, Any]) -> str:
    """`eastus`, or at least `US East`."""
    return text(meter, "armRegionName") or text(meter, "location")


def names_of(meter: Mapping[str, Any]) -> Iterator[str]:
    """What the product, the meter and the SKU are called."""
    return (text(meter, name) for name in ("productName", "meterName", "skuName"))


def is_spot(meter: Mapping[str, Any]) -> bool:
    """Spot is told in names alone."""
    return any("spot" in name.lower() for name in names_of(meter))


def is_offer(meter: Mapping[str, Any], now: str) -> bool:
    """Whether it is Linux by the hour and in force. What is not told was asked for, or is judged later."""
    told = {"type": "consumption", "serviceName": "virtual machines", "unitOfMeasure": "1 hour"}
    if any(text(meter, name).lower() not in ("", right) for name, right in told.items()):
        return False
    if meter.get("reservationTerm") or any(map(LEFT_OUT.search, names_of(meter))):
        return False
    return since(meter) <= now


def since(meter: Mapping[str, Any]) -> str:
    """When its price came or comes into force, as it is written: such texts sort by time. "" is unknown."""
    told = text(meter, "effectiveStartDate")
    return told if DATE.match(told) else ""


def holding(held: list[Mapping[str, Any]], other: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of the meters of one thing the one that is charged, or those among which nothing tells it."""
    before, now = (rank(held[0]) if held else None), rank(other)
    if before is None or now > before:
        return [other]
    return [*held, other] if now == before else held


def rank(meter: Mapping[str, Any]) -> tuple[bool, bool, str]:
    """What it counts beside others: surely Linux, of its primary region, the latest."""
    return bool(text(meter, "productName")), meter.get("isPrimaryMeterRegion") is not False, since(meter)


def price_of(meter: Mapping[str, Any]) -> tuple[float | None, str]:
    """Dollars per hour of the instance, and the figure it was read from."""
    name = "retailPrice" if meter.get("retailPrice") is not None else "unitPrice"
    currency, unit = text(meter, "currencyCode") or "USD", text(meter, "unitOfMeasure")
    raw = f"{name}={meter.get(name)} {currency} per {unit or '?'}"
    # Without a product it may be Windows; without a unit it may be a month.
    sure = currency == "USD" and unit and text(meter, "productName")
    return (positive(meter.get(name)) if sure else None), raw


def usd_of(meters: Sequence[Mapping[str, Any]]) -> float | None:
    """What these meters say together; None where they say nothing, or not the same."""
    told = {price_of(one)[0] for one in meters}
    return told.pop() if len(told) == 1 else None


def gpu_offer(meters: Sequence[Mapping[str, Any]], at: datetime, source_url: str) -> GpuOffer:
    """One thing as a row: its meter, or several of which nothing tells which is charged. Of a meter any field
    but the type and the region may be missing.

    `effectiveStartDate` says since when the price holds, not when it was looked up: it is listed now, so it
    is as of now, and the date stays in `raw`.
    """
    meter, told = meters[0], list(dict.fromkeys(map(price_of, meters)))
    kind = text(meter, "armSkuName")
    carried = gpus.instance_gpu("azure", kind)
    gpu = identified(kind)
    place = regions.place("azure", region_of(meter))
    return GpuOffer(
        seller="azure",
        offer_id=f"{kind}:{region_of(meter)}",
        gpu_raw=kind,
        # Without a count no price per GPU can be told, so there is none.
        gpu_count=carried[1] if carried else 1.0,
        usd_per_hour=told[0][0] if carried and len(told) == 1 else None,
        price_raw=" or ".join(raw for _, raw in told),
        spot=is_spot(meter),
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib,
        instance_type=kind,
        region=place.region,
        country=place.country,
        form=gpu.form,
        tier="datacenter",
        fractional=gpu.fractional,
        modified=gpu.modified,
        source_url=source_url,
        as_of=at,
        raw=public(meter),
    )


def identified(kind: str) -> gpus.Identified:
    """The GPU of a known type; of another the one that its name holds: `Standard_NC8ads_L40S_v9`."""
    whole = gpus.identify("azure", kind)
    parts = (gpus.identify("azure", part) for part in kind.split("_")[2:])
    return whole if whole.name else next((part for part in parts if part.name), whole)
