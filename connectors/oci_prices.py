"""Oracle's prices: a price list of parts, and a file that says which parts a shape is made of.

The price list (`cetools/api/v1/products`, no key) gives dollars per part number; the cost estimator's
`shapes.json` gives each shape its part numbers, GPUs, memory, OCPUs, and whether it may be preemptible. Only
the shapes file decides which part prices which shape: the list's own names ("GPU - E3") name no model, the
same category and metric hold software ("NVIDIA AI Enterprise"), and other products (Cloud@Customer, H100T)
stand under names that look alike. A shape's price is the sum of all its parts, and none if one of them has no
price. A part per GPU-hour holds CPU and memory too; the "ocpu" part of a GPU shape mostly is one.

A price is the same in every commercial region and nothing says where a shape is in stock: the region is
unknown. Preemptible capacity costs half, where the shape allows it. `gpuMemoryQty` is the memory of all GPUs,
but of one for some shapes. `lastUpdated` says when the list last changed; a price read now holds now.
Source of the facts: Oracle's price list and cost estimator, and their documentation of preemptible instances.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloudtop import gpus
from cloudtop.errors import CloudError, Invalid
from cloudtop.inventory import InstancePrice
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import number, positive
from connectors.base import public
from connectors.oci_base import Oracle
from connectors.oci_billing import PREEMPTIBLE
from connectors.rows import lot_of

PRODUCTS = "/pls/apex/cetools/api/v1/products/"
SHAPES = "/a/ocom/docs/cloudestimator2/data/shapes.json"
H100_PART = "B98415"
PREEMPTIBLE_SHARE = 0.5
"""Preemptible capacity costs half of the on-demand price."""
VCPUS_PER_OCPU = 2
PER_GPU, PER_UNIT = ("gpu per hour",), ("ocpu per hour", "gigabyte per hour", "nvme terabyte per hour")
"""What a part is counted by: the shape's GPUs, or the quantity that the shape gives for the part."""


LISTS_S = 3600.0
"""How long the two lists are kept for the prices of machines: they are the same for every region."""


class Part(NamedTuple):
    """A product of the price list: dollars per hour of one `metric`."""

    usd: float | None
    metric: str


class Lists(NamedTuple):
    """The cost estimator's shapes, with those that have no name, the price list, and when they were read."""

    shapes: list[Mapping[str, Any]]
    parts: dict[str, Part]
    read_at: float


class Prices(Oracle):
    """What Oracle asks for its machines."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._lists: Lists | None = None
        self._reading = asyncio.Lock()

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing, whatever is asked, and whoever asks."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """Every GPU shape, on demand and preemptible."""
        lists = await self._read(scope)
        shapes, known = [one for one in lists.shapes if is_gpu_shape(one)], lists.parts
        source, at = self.http.url(PRODUCTS, scope.account) + "?currencyCode=USD", self.now()
        named: dict[str, Mapping[str, Any]] = {}
        for shape in shapes:
            if name := name_of(shape):
                named.setdefault(name, shape)
        yield [
            gpu_offer(shape, known, spot, at, source)
            for shape in named.values()
            for spot in ((False, True) if shape.get("allowPreemptible") is True else (False,))
        ]
        self.nameless(scope, sum(1 for shape in shapes if not name_of(shape)))

    async def instance_prices(self, scope: Scope, types: Sequence[str]) -> AsyncIterator[list[InstancePrice]]:
        """What machines cost by the hour; each `connectors.rows.lot` names its OCPUs and GB."""
        async with self._reading:
            lists = self._lists
            if lists is None or self.now().timestamp() - lists.read_at > LISTS_S:
                lists = await self._read(scope)
        shapes = {shape_of(one): one for one in lists.shapes if is_offered(one)}
        yield [InstancePrice(kind, machine_price(kind, shapes, lists.parts)) for kind in types]

    async def _read(self, scope: Scope) -> Lists:
        """Both lists anew."""
        listed = await self.http.json(
            "GET", SHAPES, operation="list shapes", account=scope.account, base="shapes"
        )
        shapes = self.records(listed, "items")
        known = parts(self.records(await self._products(scope), "items"))
        self._lists = Lists(shapes, known, self.now().timestamp())
        return self._lists

    async def price_list(self, scope: Scope) -> None:
        """Ask for the price of one part: whether the list is there."""
        self.records(await self._products(scope, partNumber=H100_PART), "items")

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """The gateway's words for an error, whatever the status in front of them."""
        failed = isinstance(answer, Mapping) and "items" not in answer and "message" in answer
        return Invalid if status < 300 and failed else None

    async def _products(self, scope: Scope, **narrowed: str) -> Any:
        wanted = {"currencyCode": "USD", **narrowed}
        return await self.http.json(
            "GET", PRODUCTS, params=wanted, operation="list products", account=scope.account
        )


def parts(products: Iterable[Mapping[str, Any]]) -> dict[str, Part]:
    """Part number -> price. A number that comes twice keeps the dearer price."""
    known: dict[str, Part] = {}
    for product in products:
        code, metric = product.get("partNumber"), product.get("metricName")
        if not isinstance(code, str):
            continue
        part = Part(usd_of(product), metric.strip().lower() if isinstance(metric, str) else "")
        before = known.get(code)
        if before is None or (part.usd or 0) > (before.usd or 0):
            known[code] = part
    return known


def usd_of(product: Mapping[str, Any]) -> float | None:
    """The pay-as-you-go price in dollars; of several tiers the first that costs anything."""
    for told in _mappings(product.get("currencyCodeLocalizations")):
        if told.get("currencyCode") != "USD":
            continue
        for price in _mappings(told.get("prices")):
            value = positive(price.get("value"))
            if price.get("model") == "PAY_AS_YOU_GO" and value is not None:
                return value
    return None


def name_of(shape: Mapping[str, Any]) -> str:
    """The name of a shape as it is listed, "" for none."""
    name = shape.get("name")
    return clean(name).strip() if isinstance(name, str) else ""


def shape_of(shape: Mapping[str, Any]) -> str:
    """What a shape is ordered by. "BM.GPU.GB200.4 (NVL72)": the bracket is for the eye alone."""
    return re.sub(r"\s*\([^)]*\)$", "", name_of(shape))


def is_offered(shape: Mapping[str, Any]) -> bool:
    """Whether this is a machine that one can rent: not hidden, retired or of another service."""
    if shape.get("hidden") is True or str(shape.get("status") or "ACTIVE").upper() != "ACTIVE":
        return False
    name = name_of(shape)
    return not name or name.startswith(("BM.", "VM."))


def is_gpu_shape(shape: Mapping[str, Any]) -> bool:
    """Whether this is a machine with GPUs that one can rent."""
    if not is_offered(shape):
        return False
    name = name_of(shape)
    kind = shape.get("subType")
    told = kind.get("value") if isinstance(kind, Mapping) else None
    return told == "gpu" or ".GPU" in name or positive(shape.get("gpuQty")) is not None


def gpu_offer(
    shape: Mapping[str, Any], known: Mapping[str, Part], spot: bool, at: datetime, source_url: str
) -> GpuOffer:
    """One shape as a row. Any field but the name may be missing."""
    listed = name_of(shape)
    kind = shape_of(shape)
    count = gpu_count(shape, kind)
    gpu = gpu_of(kind, positive(shape.get("gpuMemoryQty")), count)
    usd, price_raw = price_of(shape, known, count)
    if spot:
        usd, price_raw = usd and usd * PREEMPTIBLE_SHARE, f"({price_raw}) x {PREEMPTIBLE_SHARE:g} preemptible"
    # An Arm core of a Grace shape is one vCPU, and the estimator counts them wrongly: not told.
    ocpus = None if gpu.name and gpu.name.startswith("GB") else quantity(shape, "ocpu")
    return GpuOffer(
        seller="oci",
        offer_id=listed,
        gpu_raw=kind,
        # Without a count no price per GPU can be told, so there is none.
        gpu_count=count or 1.0,
        usd_per_hour=usd if count else None,
        price_raw=price_raw,
        spot=spot,
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib,
        instance_type=kind,
        form=gpu.form,
        vcpus=ocpus * VCPUS_PER_OCPU if ocpus else None,
        ram_gib=positive(shape.get("bundleMemoryQty")) or quantity(shape, "memory"),
        tier="datacenter",
        modified=gpu.modified,
        source_url=source_url,
        as_of=at,
        raw=public(shape),
    )


def price_of(
    shape: Mapping[str, Any], known: Mapping[str, Part], count: float | None
) -> tuple[float | None, str]:
    """Dollars per hour of all parts of a shape, none when one has no price, and how they were read."""
    total: float | None = 0.0
    read = []
    for product in _mappings(shape.get("products")):
        code = str(product.get("partNumber"))
        part = known.get(code, Part(None, ""))
        per_gpu = part.metric in PER_GPU
        times = count if per_gpu else number(product.get("qty")) if part.metric in PER_UNIT else None
        read.append(f"{code}={_told(part.usd)} {part.metric or '?'} x {_told(times)}")
        missing = total is None or part.usd is None or times is None
        total = None if missing else (total or 0) + (part.usd or 0) * (times or 0)
    return (round(total, 9) if total else None), " + ".join(read) or "no parts"


def machine_price(
    lotted: str, shapes: Mapping[str, Mapping[str, Any]], known: Mapping[str, Part]
) -> float | None:
    """Dollars per hour of a machine; None unless every part of its shape has a price and an amount.

    What a flexible shape consists of is the machine's own. A name without amounts is priced by no shape:
    databases have shapes of the same names.
    """
    name, words, amounts = lot_of(lotted)
    shape = shapes.get(name)
    if shape is None or not amounts:
        return None
    if PREEMPTIBLE in words and shape.get("allowPreemptible") is not True:
        return None
    own = amounts if name.endswith(".Flex") else None
    held = [_amounted(part, own) for part in _mappings(shape.get("products"))]
    usd, _ = price_of({**shape, "products": held}, known, gpu_count(shape, name))
    return usd and usd * (PREEMPTIBLE_SHARE if PREEMPTIBLE in words else 1)


def _amounted(part: Mapping[str, Any], own: Mapping[str, float] | None) -> dict[str, Any]:
    """A part of a shape with how much of it a machine has; None where that is not told.

    `own`: what a machine of a flexible shape has, of which only OCPUs and memory are known.
    """
    if own is None:
        return {**part, "qty": positive(part.get("qty"))}
    told = part.get("type")
    kind = told.get("value") if isinstance(told, Mapping) else None
    return {**part, "qty": {"ocpu": own.get("ocpus"), "memory": own.get("gb")}.get(str(kind))}


def gpu_count(shape: Mapping[str, Any], kind: str) -> float | None:
    """GPUs of a shape: told, or known of the type, or the last part of its name."""
    if (told := positive(shape.get("gpuQty"))) is not None:
        return told
    if carried := gpus.instance_gpu("oci", kind):
        return carried[1]
    return positive(kind.rpartition(".")[2])


def gpu_of(kind: str, memory: float | None, count: float | None) -> gpus.Identified:
    """The GPU by the shape, or by the word in its name; `memory` may be that of all GPUs or of one."""
    found = gpus.identify("oci", kind)
    if found.name:
        return found
    # BM.GPU.RTXPRO.8: the word between GPU and the count.
    word = re.search(r"\.GPU\.([A-Za-z0-9]+)", kind)
    if word is None:
        return found
    sizes = [memory / count, memory] if memory and count else []
    tried = [gpus.identify("oci", word[1], size) for size in sizes]
    whole = [one for one in tried if not (one.fractional or one.modified)]
    return (whole or [gpus.identify("oci", word[1])])[0]


def quantity(shape: Mapping[str, Any], kind: str) -> float | None:
    """How much of a kind of part a shape holds."""
    for product in _mappings(shape.get("products")):
        told = product.get("type")
        if isinstance(told, Mapping) and told.get("value") == kind:
            return positive(product.get("qty"))
    return None


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _told(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"
