"""Vultr: its own machines, virtual (cloud GPU) and whole (bare metal), each in a price list of its own.

A plan has one price for the whole instance, now and then another in one location, and it lists the locations
that have it left: none means sold out. `gpu_vram_gb` is the memory of the whole plan, so a plan with less
than one board is a share of it, and a plan with more is several. Some plans, most of the dedicated ones, tell
their GPUs by nothing but their id (vbm-112c-2048gb-8-h100-gpu, vcg-a100-12c-120g-80vram). A plan may be let
on demand, preemptible or both, and holds prices for the way that it is not let. Both lists need no key.
CPU plans, the free one among them, are no offers. Facts: the public API reference and maintained public code.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cloudtop import gpus, regions
from cloudtop.errors import CloudError, Invalid, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import gib_from_mib, positive
from connectors.base import Connector, public

PAGE = 500
ACCOUNT = "/v2/account"
LISTS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "plans": ("/v2/plans", "plans", {"type": "all", "per_page": PAGE}),
    "plans-metal": ("/v2/plans-metal", "plans_metal", {"per_page": PAGE}),
}
"""Each list's path, the name of its records, and how it is asked."""

BOARDS = {"A100": 80.0, "GH200": 96.0}
"""The size that Vultr has of a GPU sold in several: an A100 plan of 40 GB is half a board."""

CALLED = {"l40": "l40s"}
"""What ids call otherwise than the fields beside them: Vultr has no L40."""

Places = list[tuple[str | None, bool | None]]
"""Locations, and whether each has a plan left."""

COUNTS = (1, 2, 4, 8, 16)
IN_ID = re.compile(
    r"v(?:cg|dm)-(?P<gpu>[a-z].*?)-\d+c-.*?(?:(?P<vram>\d+)vram)?"
    r"|vbm-\d+c-\d+gb-(?:(?P<count>\d{1,2})-)?(?P<metal>[a-z].*?)-gpu.*"
)


class Vultr(Connector):
    """Offers and health of Vultr."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One for each list: when one fails, the other still speaks."""
        import json

        texts = (json.dumps({"list": name}, separators=(",", ":")) for name in LISTS)
        return [Scope(self.id, self.account(), query=text) for text in texts]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """The GPU plans of one list, page by page."""
        import json

        path, name, params = LISTS[json.loads(scope.query)["list"]]
        source = self.http.url(path, scope.account)

        async def ask(cursor: str | None) -> Any:
            onward = {"cursor": cursor} if cursor else {}
            return await self._prices(path, {**params, **onward}, scope)

        lost = 0
        async for answer in self.paged(ask, next_cursor):
            plans = self.records(answer, name)
            lost += sum(not plan.get("id") for plan in plans)
            at = self.now()
            yield [row for plan in plans if plan.get("id") for row in gpu_offers(plan, at, source)]
        self.nameless(scope, lost)

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted; without one, whether prices are answered."""
        if self.http.key(scope.account):
            call = self.http.json("GET", ACCOUNT, operation="who am I", account=scope.account)
            yield await self.probe(scope, call, None)
            return
        prices = self._prices("/v2/plans-metal", {"per_page": 1}, scope)
        yield await self.probe(scope, prices, "No key is set. It works without a key: prices only.")

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """An error body is one under any status."""
        if status >= 300 or not isinstance(answer, Mapping) or not isinstance(answer.get("error"), str):
            return None
        return Unauthorized if answer.get("status") == 401 else Invalid

    async def _prices(self, path: str, params: Mapping[str, Any], scope: Scope) -> Any:
        return await self.http.json(
            "GET", path, params=params, operation="list plans", account=scope.account, keyed=False
        )


class Carried(NamedTuple):
    """The GPUs of one plan. A `number` of None could not be told."""

    raw: str
    name: str | None
    memory_gib: float | None
    form: str | None
    number: float | None
    fractional: bool
    modified: bool


def next_cursor(answer: Any) -> str | None:
    """The cursor of the page after this one; empty or absent at the end."""
    meta = answer.get("meta") if isinstance(answer, Mapping) else None
    links = meta.get("links") if isinstance(meta, Mapping) else None
    cursor = links.get("next") if isinstance(links, Mapping) else None
    return cursor if isinstance(cursor, str) else None


def gpu_offers(plan: Mapping[str, Any], at: datetime, source_url: str) -> Iterator[GpuOffer]:
    """The rows of one plan, for each way it is let and each location that has it; none of a CPU plan."""
    carried = gpus_of(plan)
    if carried is None:
        return
    for spot, places in ways_of(plan):
        for place, available in places:
            yield gpu_offer(plan, carried, spot, place, available, at, source_url)


def ways_of(plan: Mapping[str, Any]) -> Iterator[tuple[bool, Places]]:
    """On demand (False) and preemptible (True), each with where it is to be had.

    A plan not let on demand keeps its row, as one that nobody can have. The preemptible price of a plan
    that is not let so is no price: Vultr repeats the other one there.
    """
    places = places_of(plan)
    yield False, places if plan.get("deploy_ondemand") is not False else [(None, False)]
    told = plan.get("deploy_preemptible")
    if told is True or (told is not False and positive(plan.get("hourly_cost_preemptible"))):
        yield True, places


def places_of(plan: Mapping[str, Any]) -> Places:
    """The locations that have the plan left. None of them: sold out; not told: not known."""
    told = plan.get("locations")
    if not isinstance(told, list):
        return [(None, None)]
    # An empty text among the locations names none.
    names = dict.fromkeys(clean(one).strip() for one in told if isinstance(one, str))
    return [(name, True) for name in names if name] or [(None, False)]


def gpu_offer(
    plan: Mapping[str, Any],
    carried: Carried,
    spot: bool,
    place: str | None,
    available: bool | None,
    at: datetime,
    source_url: str,
) -> GpuOffer:
    """One plan in one location as a row. Any field but the id may be missing."""
    name = str(plan.get("id") or "")
    where = regions.place("vultr", place)
    price, price_raw = price_of(plan, spot, place)
    cores = next((c for c in map(plan.get, ("vcpu_count", "cpu_threads", "cpu_count")) if positive(c)), None)
    return GpuOffer(
        seller="vultr",
        offer_id=f"{name}@{place}" if place else name,
        gpu_raw=carried.raw,
        # Without a count no price per GPU can be told, so there is none.
        gpu_count=carried.number or 1.0,
        usd_per_hour=price if carried.number else None,
        price_raw=price_raw,
        spot=spot,
        gpu=carried.name,
        gpu_memory_gib=carried.memory_gib,
        instance_type=name,
        region=where.region,
        country=where.country,
        form=carried.form,
        vcpus=positive(cores),
        ram_gib=gib_from_mib(positive(plan.get("ram"))),
        tier="datacenter",
        available=available,
        fractional=carried.fractional,
        modified=carried.modified,
        source_url=source_url,
        as_of=at,
        raw=public(plan),
    )


def price_of(plan: Mapping[str, Any], spot: bool, place: str | None) -> tuple[float | None, str]:
    """Dollars per hour of the whole plan, in the location's own price list if it has one."""
    field = "hourly_cost_preemptible" if spot else "hourly_cost"
    others = plan.get("location_cost")
    other = others.get(place) if isinstance(others, Mapping) and place else None
    if isinstance(other, Mapping) and field in other:
        return positive(other[field]), f"location_cost.{place}.{field}={other[field]}"
    return positive(plan.get(field)), f"{field}={plan.get(field)}"


def gpus_of(plan: Mapping[str, Any]) -> Carried | None:
    """The GPUs that the fields tell, else the id; None for a plan without any."""
    told = plan.get("gpu_type")
    told = clean(told).strip() if isinstance(told, str) else ""
    told = "" if told.lower() == "none" else told
    read = IN_ID.fullmatch(str(plan.get("id") or "").lower())
    if not told and read is None:
        return None
    in_id: Mapping[str, str | None] = read.groupdict() if read else {}
    raw = told or in_id["gpu"] or in_id["metal"] or ""
    spelled = CALLED.get(raw, raw)
    vram = positive(plan.get("gpu_vram_gb")) or positive(in_id.get("vram"))
    name = gpus.identify("vultr", spelled).name
    board = board_of(name)
    count, share = count_of(plan.get("gpu_count"), vram, name, board)
    if share:
        found = gpus.identify("vultr", spelled, board or (vram / share if vram else None))
        return Carried(raw, name, found.memory_gib, found.form, share, True, found.modified)
    if count is None and in_id.get("metal"):
        # One is not written: vbm-72c-480gb-gh200-gpu.
        count = positive(in_id["count"] or "1")
    found = gpus.identify("vultr", spelled, vram / count if vram and count else board)
    if found.fractional:
        # Whole GPUs were told, so the memory beside them was that of one.
        found = gpus.identify("vultr", spelled, board)
    return Carried(raw, name, found.memory_gib, found.form, count, found.fractional, found.modified)


def board_of(name: str | None) -> float | None:
    """The memory of one whole GPU at Vultr, where there is one answer."""
    gpu = gpus.catalogue().gpus.get(name or "")
    only = gpu.memory_gib[0] if gpu and len(gpu.memory_gib) == 1 else None
    return BOARDS.get(name or "", only)


def count_of(
    told: Any, vram: float | None, name: str | None, board: float | None
) -> tuple[float | None, float | None]:
    """How many whole GPUs, or else which share of one: as told ("8", "1/8"), or out of the memory."""
    part = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", told) if isinstance(told, str) else None
    if part and 0 < int(part[1]) < int(part[2]):
        return None, round(int(part[1]) / int(part[2]), 6)
    whole = positive(told)
    whole = whole if whole and whole % 1 == 0 else None
    gpu = gpus.catalogue().gpus.get(name or "")
    if gpu is None or vram is None or board is None:
        return whole, None
    if vram < board and gpu.nominal(vram) != board:
        return None, round(vram / board, 6)
    return whole or next((float(n) for n in COUNTS if gpu.nominal(vram / n) == board), None), None
