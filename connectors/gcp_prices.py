"""Prices of parts at Google, of which machines are made up here.

The Cloud Billing Catalog lists SKUs, not machines: cores per hour, GiB of memory per hour, GPUs per hour,
local SSD per GiB and month, each for some regions, on demand and spot apart. No field says which SKUs a
machine type is billed by, only the wording does. So a SKU counts if its whole description, without the
region and the words for spot, is one that is known here; everything else is another price: commitments,
Reserved, DWS and Calendar Mode, Sole Tenancy, Custom, Premium. The region is in `serviceRegions`, never in
the text; spot is in the text, as some spot SKUs are marked OnDemand.

A machine's price is the sum of all its parts, in the same region and of the same kind. Where its GPU is
sold but another part has no price, the machine is there without a price: a host without its GPU, or a GPU
without its host, is never shown as a machine. "(1 gpu slice)" and "1/8 vGPU" are prices with everything in
them. GPUs that are attached to N1 machines (T4, V100, P100, P4) are priced on a predefined N1 with four
cores for each GPU, as Google's own smallest GPU machine (g2-standard-4) has them. A3 Edge, A4X, K80 and
TPUs are left out: no source says by which SKUs they are billed, or they are gone.

A machine that runs is priced in the same way, by the cores and memory that Google says it has. The families
whose wording is known: E2 (of the shared cores a quarter, a half and one are billed), N1, N2 and N2D (custom
too), N4, C2, C2D, C3, C3D, C4, T2D, T2A, and the GPU machines above. All others, extended memory, and types
with local SSD or bare metal in their name have no price. Source of the facts: Google's documentation of
accelerator-optimized machines, of GPUs on N1, of E2's shared cores, of the list.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from cloudtop import gpus, regions
from cloudtop.inventory import InstancePrice
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.units import number
from connectors.gcp_base import Google, next_token
from connectors.gcp_billing import SPOT as AS_SPOT
from connectors.rows import lot_of

SKUS = "/v1/services/6F81-5844-456A/skus"
"""The SKUs of Compute Engine."""
PAGE = 5000
SSD_MONTH_HOURS = 730
"""What Google divides a month of local SSD by, unlike the 720 hours of a month elsewhere in this house."""
GIB_PER_GB = 1e9 / 2**30
SSD = "ssd backed local storage"
PER_HOUR = {
    "h": 1.0,
    "GiBy.h": 1.0,
    "GBy.h": 1 / GIB_PER_GB,
    "GiBy.mo": 1 / SSD_MONTH_HOURS,
    "GBy.mo": 1 / GIB_PER_GB / SSD_MONTH_HOURS,
}
"""`usageUnit` of a SKU -> what makes its price one for an hour of a core, a GPU or a GiB."""
SOLD = frozenset({None, "OnDemand", "Preemptible"})
OTHER_PRICE = re.compile(
    r"commitment|reserved|\bdws\b|defined duration|calendar mode|sole tenancy|premium|suspended",
    re.IGNORECASE,
)
SPOT = re.compile(r"^(?:spot )?preemptible |\battached to (?:spot )?preemptible vms?\b", re.IGNORECASE)
WHERE = re.compile(r"\s+(?:running )?in\s.*$", re.IGNORECASE)
SAME = {
    # All three words have stood for the H100 of A3 Mega.
    "nvidia h100 80gb plus gpu": "nvidia h100 80gb mega gpu",
    "nvidia h100 mega 80gb gpu": "nvidia h100 80gb mega gpu",
    "nvidia a100 80gb gpu": "nvidia tesla a100 80gb gpu",
    "nvidia h200 141gb gpu": "h200 141gb gpu",
}


class Machine(NamedTuple):
    """A machine type: its vCPUs, GiB of memory and of bundled local SSD, and the SKUs it is billed by.

    `gpu` is that SKU's wording and `gpus` how many of them; `host` is empty where the GPU's price holds the
    rest. Without `on_demand` the type is sold as spot or with a reservation only.
    """

    name: str
    vcpus: int
    ram_gib: int
    gpus: int
    gpu: str
    host: str = ""
    ssd_gib: int = 0
    on_demand: bool = True


def _machines() -> tuple[Machine, ...]:
    """Every type of which the documentation gives size and billing."""
    a100, a100_80 = "nvidia tesla a100 gpu", "nvidia tesla a100 80gb gpu"
    h100, mega, h200 = "nvidia h100 80gb gpu", "nvidia h100 80gb mega gpu", "h200 141gb gpu"
    l4, b200 = "nvidia l4 gpu", "a4 nvidia b200 (1 gpu slice)"
    rtx, eighth = "rtx 6000 96gb", "1/8 vgpu no lssd"
    made = [
        *(Machine(f"a2-highgpu-{n}g", 12 * n, 85 * n, n, a100, "a2") for n in (1, 2, 4, 8)),
        Machine("a2-megagpu-16g", 96, 1360, 16, a100, "a2"),
        *(Machine(f"a2-ultragpu-{n}g", 12 * n, 170 * n, n, a100_80, "a2", 375 * n) for n in (1, 2, 4, 8)),
        # With fewer than eight GPUs A3 High is not sold on demand.
        *(Machine(f"a3-highgpu-{n}g", 26 * n, 234 * n, n, h100, "a3", 750 * n, n == 8) for n in (1, 2, 4, 8)),
        Machine("a3-megagpu-8g", 208, 1872, 8, mega, "a3plus", 6000),
        Machine("a3-ultragpu-8g", 224, 2952, 8, h200, "a3ultra", 12000, on_demand=False),
        Machine("a4-highgpu-8g", 224, 3968, 8, b200, on_demand=False),
        *(Machine(f"g2-standard-{n}", n, 4 * n, 1, l4, "g2") for n in (4, 8, 12, 16, 32)),
        *(Machine(f"g2-standard-{24 * n}", 24 * n, 96 * n, 2 * n, l4, "g2") for n in (1, 2, 4)),
        *(Machine(f"g4-standard-{48 * n}", 48 * n, 180 * n, n, rtx, "g4") for n in (1, 2, 4, 8)),
        # Shares of a GPU are priced in eighths, with cores and memory.
        Machine("g4-standard-6", 6, 22, 1, eighth),
        Machine("g4-standard-12", 12, 45, 2, eighth),
        Machine("g4-standard-24", 24, 90, 4, eighth),
    ]
    for model, counts in (("t4", (1, 2, 4)), ("v100", (1, 2, 4, 8)), ("p100", (1, 2, 4)), ("p4", (1, 2, 4))):
        for n in counts:
            name = f"n1-standard-{4 * n}+nvidia-tesla-{model}:{n}"
            made.append(Machine(name, 4 * n, 15 * n, n, f"nvidia tesla {model} gpu", "n1 predefined"))
    return tuple(made)


MACHINES = _machines()
BY_NAME = {one.name: one for one in MACHINES}
HOSTS = {
    "c2": "compute optimized",
    "c2d": "c2d amd instance",
    "c3": "c3 instance",
    "c3d": "c3d instance",
    "c4": "c4 instance",
    "e2": "e2 instance",
    "n1": "n1 predefined instance",
    "n2": "n2 instance",
    "n2d": "n2d amd instance",
    "n4": "n4 instance",
    "t2a": "t2a arm instance",
    "t2d": "t2d amd instance",
}
"""Family -> how the SKUs of its cores and memory begin."""
CUSTOM = {"n1": "custom instance", "n2": "n2 custom instance", "n2d": "n2d amd custom instance"}
"""The same of custom types; those of other families are not known."""
PREDEFINED = re.compile(r"(\w+)-(?:standard|highmem|highcpu)-\d+")
OWN_SIZE = re.compile(r"(?:(\w+)-)?custom-\d+-\d+")
SHARED_CORES = {"e2-micro": 0.25, "e2-small": 0.5, "e2-medium": 1.0}
"""The cores that these are billed for, of the two that they show."""
ATTACHED = {f"nvidia-tesla-{name}": f"nvidia tesla {name} gpu" for name in ("t4", "v100", "p100", "p4")}
PARTS = frozenset(
    {SSD, *(one.gpu for one in MACHINES)}
    | {f"{one.host} instance {kind}" for one in MACHINES if one.host for kind in ("core", "ram")}
    | {f"{words} {kind}" for words in (*HOSTS.values(), *CUSTOM.values()) for kind in ("core", "ram")}
)
"""The wordings that are parts of a machine."""
CATALOGUE_S = 3600.0
"""How long the catalogue is kept for the prices of machines: it is the same for every region."""

Prices = dict[tuple[str, bool, str], float | None]
"""(region, spot, part) -> dollars per hour of one; None for a part that is listed without a price."""


@dataclass(slots=True)
class Catalogue:
    """The parts that were found in the catalogue, and where to read on; None once it is read or not begun."""

    read_at: float
    prices: Prices = field(default_factory=dict)
    token: str | None = None
    whole: bool = False


class Offers(Google):
    """What Google asks for its machines."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._catalogue: Catalogue | None = None
        self._reading = asyncio.Lock()

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing, whatever is asked."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """Every machine in every region: after the last page, as its parts may stand on any of them."""

        async def ask(token: str | None) -> Any:
            return await self.skus(scope, PAGE, **({"pageToken": token} if token else {}))

        prices: Prices = {}
        nameless = 0
        async for answer in self.paged(ask, next_token):
            nameless += gather(self.listed_skus(answer), prices)
        source = f"{self.http.url(SKUS, scope.account)}?currencyCode=USD"
        yield gpu_offers(prices, self.now(), source)
        self.nameless(scope, nameless)

    async def instance_prices(self, scope: Scope, types: Sequence[str]) -> AsyncIterator[list[InstancePrice]]:
        """What machines cost by the hour in a region; each `connectors.rows.lot` names its parts."""
        async with self._reading:
            prices = await self._parts(Scope(self.id, self.account()))
        yield [InstancePrice(kind, machine_price(kind, scope.region, prices)) for kind in types]

    async def _parts(self, scope: Scope) -> Prices:
        """The parts in the catalogue; a reading that was broken off goes on where it ended."""
        now, kept = self.now().timestamp(), self._catalogue
        if kept is None or now - kept.read_at > CATALOGUE_S:
            kept = self._catalogue = Catalogue(now)
        if kept.whole:
            return kept.prices
        begun = kept.token

        async def ask(token: str | None) -> Any:
            following = token or begun
            return await self.skus(scope, PAGE, **({"pageToken": following} if following else {}))

        async for answer in self.paged(ask, next_token):
            gather(self.listed_skus(answer), kept.prices)
            kept.token = next_token(answer)
        kept.whole = True
        return kept.prices

    def listed_skus(self, answer: Any) -> list[Mapping[str, Any]]:
        """The SKUs of a page. An empty list is left out of an answer, but then a next page is named."""
        return [] if next_token(answer) and "skus" not in answer else self.records(answer, "skus")

    async def skus(self, scope: Scope, size: int, **more: str) -> Any:
        """One page of the catalogue, to an API key or, where there is none, to who may see the account."""
        wanted = {"currencyCode": "USD", "pageSize": size, **more}
        keyed = self.http.key(scope.account) or not self.has_credentials(scope.account)
        headers = {} if keyed else await self.proof(scope.account)
        return await self.http.json(
            "GET", SKUS, params=wanted, operation="list SKUs", account=scope.account, headers=headers
        )


def gather(skus: Iterable[Mapping[str, Any]], prices: Prices) -> int:
    """Take the parts of machines out of a page; gives how many SKUs had no description.

    A part that is listed twice for a region keeps the dearer price: no machine is cheaper than it is.
    """
    nameless = 0
    for sku in skus:
        description = sku.get("description")
        if not isinstance(description, str) or not description.strip():
            nameless += 1
            continue
        part = part_of(description, sku.get("category"))
        if part is None:
            continue
        spot, usd = is_spot(description, sku.get("category")), usd_of(sku)
        for region in regions_of(sku):
            before = prices.get((region, spot, part))
            prices[region, spot, part] = max(before, usd) if before and usd else before or usd
    return nameless


def part_of(description: str, category: Any) -> str | None:
    """The wording of the part that a SKU prices; None for another price or for no part of a GPU machine."""
    told = category.get("usageType") if isinstance(category, Mapping) else None
    if OTHER_PRICE.search(description) or (isinstance(told, str) and told not in SOLD):
        return None
    words = " ".join(WHERE.sub("", SPOT.sub("", description.strip())).lower().split())
    part = SAME.get(words, words)
    return part if part in PARTS else None


def is_spot(description: str, category: Any) -> bool:
    """The description decides, then the category."""
    told = category.get("usageType") if isinstance(category, Mapping) else None
    return bool(SPOT.search(description.strip())) or told == "Preemptible"


def regions_of(sku: Mapping[str, Any]) -> list[str]:
    """Where a price holds: in each of these regions."""
    taxonomy = sku.get("geoTaxonomy")
    told = sku.get("serviceRegions")
    if not isinstance(told, list):
        told = taxonomy.get("regions") if isinstance(taxonomy, Mapping) else None
    return [one for one in told if isinstance(one, str) and one] if isinstance(told, list) else []


def usd_of(sku: Mapping[str, Any]) -> float | None:
    """Dollars for an hour of one core, GPU or GiB: the first tier that costs anything."""
    told = sku.get("pricingInfo")
    info = told[-1] if isinstance(told, list) and told else None
    expression = info.get("pricingExpression") if isinstance(info, Mapping) else None
    if not isinstance(expression, Mapping):
        return None
    tiers, times = expression.get("tieredRates"), PER_HOUR.get(str(expression.get("usageUnit")))
    for tier in tiers if isinstance(tiers, list) else ():
        value = _money(tier.get("unitPrice") if isinstance(tier, Mapping) else None)
        if value is None or times is None:
            # A tier that cannot be read may have been the one that counts.
            return None
        if value > 0:
            return value * times
    return None


def gpu_offers(prices: Prices, at: datetime, source_url: str) -> list[GpuOffer]:
    """A row for each machine wherever its GPU is sold."""
    sold = sorted((part, region, spot) for region, spot, part in prices)
    where: dict[str, list[tuple[str, bool]]] = {}
    for part, region, spot in sold:
        where.setdefault(part, []).append((region, spot))
    return [
        gpu_offer(machine, region, spot, prices, at, source_url)
        for machine in MACHINES
        for region, spot in where.get(machine.gpu, ())
    ]


def gpu_offer(
    machine: Machine, region: str, spot: bool, prices: Prices, at: datetime, source_url: str
) -> GpuOffer:
    """One machine in one region as a row; its parts may be missing."""
    gpu = gpus.identify("gcp", machine.name)
    carried = gpus.instance_gpu("gcp", machine.name)
    place = regions.place("gcp", region)
    usd, price_raw = price_of(machine, region, spot, prices)
    return GpuOffer(
        seller="gcp",
        offer_id=f"{machine.name}@{region}",
        gpu_raw=machine.name,
        gpu_count=carried[1] if carried else float(machine.gpus),
        usd_per_hour=usd,
        price_raw=price_raw,
        spot=spot,
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib,
        instance_type=machine.name,
        region=place.region,
        country=place.country,
        form=gpu.form,
        vcpus=machine.vcpus,
        ram_gib=machine.ram_gib,
        tier="datacenter",
        # The catalogue has an on-demand price also for what one cannot have on demand.
        available=None if spot or machine.on_demand else False,
        fractional=gpu.fractional,
        modified=gpu.modified,
        source_url=source_url,
        as_of=at,
    )


def price_of(machine: Machine, region: str, spot: bool, prices: Prices) -> tuple[float | None, str]:
    """Dollars per hour of all parts, none when one of them has no price, and how they were read."""
    needed = [(machine.gpus, machine.gpu)]
    if machine.host:
        needed.append((machine.vcpus, f"{machine.host} instance core"))
        needed.append((machine.ram_gib, f"{machine.host} instance ram"))
    if machine.ssd_gib:
        needed.append((machine.ssd_gib, SSD))
    told = [(count, part, prices.get((region, spot, part))) for count, part in needed]
    figures = [(count, usd) for count, _, usd in told if usd is not None]
    total = sum(count * usd for count, usd in figures) if len(figures) == len(needed) else None
    read = (f"{count} x {part} {'?' if usd is None else f'{usd:.6g}'}" for count, part, usd in told)
    return (None if total is None else round(total, 6)), " + ".join(read)


def machine_price(lotted: str, region: str, prices: Prices) -> float | None:
    """Dollars per hour of a machine by its parts; None where one has no price or is not known."""
    kind, words, amounts = lot_of(lotted)
    spot, machine = AS_SPOT in words, BY_NAME.get(kind)
    if machine is not None:
        return price_of(machine, region, spot, prices)[0] if spot or machine.on_demand else None
    vcpus, ram_gib, host = amounts.pop("vcpus", None), amounts.pop("gib", None), host_of(kind)
    if vcpus is None or ram_gib is None or host is None:
        return None
    needed = [(SHARED_CORES.get(kind, vcpus), f"{host} core"), (ram_gib, f"{host} ram")]
    needed += [(count, ATTACHED.get(name, name)) for name, count in amounts.items()]
    told = [(count, prices.get((region, spot, part))) for count, part in needed]
    figures = [count * usd for count, usd in told if usd is not None]
    return round(sum(figures), 6) if len(figures) == len(needed) else None


def host_of(kind: str) -> str | None:
    """How the SKUs of a type's cores and memory begin; None where that is not known."""
    if kind in SHARED_CORES:
        return HOSTS["e2"]
    if found := PREDEFINED.fullmatch(kind):
        return HOSTS.get(found[1])
    found = OWN_SIZE.fullmatch(kind)
    # A custom type without a family is N1's.
    return CUSTOM.get(found[1] or "n1") if found else None


def _money(value: Any) -> float | None:
    """Units and billionths of a dollar; None if either is missing or it is no dollar."""
    if not isinstance(value, Mapping) or value.get("currencyCode", "USD") != "USD":
        return None
    units, nanos = number(value.get("units")), number(value.get("nanos"))
    return None if units is None or nanos is None else units + nanos / 1e9
