"""CloudRift: machines of its partners in their data centres, let as virtual machines by the hour.

An instance type is a kind of machine with one kind of GPU (`brand_short`); its variants are what one rents,
each with a number of GPUs and a price in cents an hour for all of it. Memory is in bytes. `nodes_per_dc` says
how many machines a data centre has, `available_nodes_per_dc` how many of them are free: each data centre with
one is an offer (`variant@datacenter`), a variant without any is shown once, as sold out; where only the first
is told, a data centre without machines has none to give and of the others nothing is known. `vram` is taken
for the memory of one GPU, unless only its share of the figure is a size of that GPU. Variants without GPUs
are no offers. Every request is a POST of a version and data; the listing needs no key and has no pages.
Facts: the public documentation of CloudRift and maintained public code.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any

from cloudtop import gpus, regions
from cloudtop.errors import CloudError, Invalid
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import shown
from cloudtop.units import gib_from_bytes, number, positive
from connectors.base import Connector, public

SELLER = "cloudrift"
TYPES = "/api/v1/instance-types/list"
WHO_AM_I = "/api/v1/auth/me"
VERSION = "2025-03-21"
"""The form of the answers that is asked for."""

MACHINES = {"selector": {"ByServiceAndLocation": {"services": ["vm"]}}}
CENTS = 100


class CloudRift(Connector):
    """Offers and health of CloudRift."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing holds every variant."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """Every variant with GPUs, where it is free."""
        at, source = self.now(), self.http.url(TYPES, scope.account)
        answer = await self._list(scope)
        found = [
            (kind, variant)
            for kind in self.records(answer, "data", "instance_types")
            for variant in variants_of(kind)
            if has_gpus(kind, variant)
        ]
        yield [
            row
            for kind, variant in found
            if shown(variant.get("name"))
            for row in gpu_offers(kind, variant, at, source)
        ]
        self.nameless(scope, sum(not shown(variant.get("name")) for _, variant in found))

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted; without one, whether prices are answered."""
        if self.http.key(scope.account):
            yield await self.probe(scope, self._ask(WHO_AM_I, {}, "who am I", scope, keyed=True), None)
            return
        yield await self.probe(
            scope, self._list(scope), "No key is set. It works without a key: prices only."
        )

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """Every good answer is a version and data; anything else is none, under whatever status."""
        good = isinstance(answer, Mapping) and ("data" in answer or "version" in answer)
        return None if status >= 300 or good else Invalid

    async def _list(self, scope: Scope) -> Any:
        return await self._ask(TYPES, MACHINES, "list instance types", scope, keyed=False)

    async def _ask(
        self, path: str, data: Mapping[str, Any], operation: str, scope: Scope, *, keyed: bool
    ) -> Any:
        return await self.http.json(
            "POST",
            path,
            body={"version": VERSION, "data": data},
            repeatable=True,
            operation=operation,
            account=scope.account,
            keyed=keyed,
        )


def variants_of(kind: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What one rents of an instance type."""
    listed = kind.get("variants")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def has_gpus(kind: Mapping[str, Any], variant: Mapping[str, Any]) -> bool:
    """Whether a variant has GPUs: by their number, else by the memory or the name that only GPUs have."""
    if (told := number(variant.get("gpu_count"))) is not None:
        return told > 0
    return bool(positive(variant.get("vram")) or shown(kind.get("brand_short")))


def gpu_offers(
    kind: Mapping[str, Any], variant: Mapping[str, Any], at: datetime, source_url: str
) -> Iterator[GpuOffer]:
    """One variant as a row for each data centre that has it. Any field but its name may be missing."""
    name = shown(variant.get("name"))
    raw_name, count = shown(kind.get("brand_short")) or name, count_of(variant)
    gpu = gpu_of(raw_name, gib_from_bytes(variant.get("vram")), count)
    price = variant.get("cost_per_hour")
    cents = positive(price)
    for place, available in places_of(variant):
        where = regions.place(SELLER, place)
        yield GpuOffer(
            seller=SELLER,
            offer_id=f"{name}@{place}" if place else name,
            gpu_raw=raw_name,
            # Without a count no price per GPU can be told, so there is none.
            gpu_count=count or 1.0,
            usd_per_hour=round(cents / CENTS, 6) if cents and count else None,
            price_raw=f"cost_per_hour={'' if price is None else price}",
            spot=False,
            gpu=gpu.name,
            gpu_memory_gib=gpu.memory_gib,
            instance_type=name,
            region=where.region,
            country=where.country,
            form=gpu.form,
            vcpus=positive(variant.get("cpu_count")),
            ram_gib=gib_from_bytes(variant.get("dram")),
            tier="datacenter",
            available=available,
            fractional=gpu.fractional,
            modified=gpu.modified,
            source_url=source_url,
            as_of=at,
            raw={**public(kind), "variants": [public(variant)]},
        )


def gpu_of(raw_name: str, each: float | None, count: float | None) -> gpus.Identified:
    """What the GPU is; a memory that is not its own, but as a sum would be, is of all together."""
    found = gpus.identify(SELLER, raw_name, each)
    if each and count and count > 1 and found.modified:
        shared = gpus.identify(SELLER, raw_name, each / count)
        return found if shared.modified or shared.fractional else shared
    return found


def count_of(variant: Mapping[str, Any]) -> float | None:
    """GPUs of a variant: told, or the number that its name ends in (rtx49-8c-nr.2)."""
    in_name = re.search(r"\.(\d{1,2})$", shown(variant.get("name")))
    return positive(variant.get("gpu_count")) or (positive(in_name[1]) if in_name else None)


def places_of(variant: Mapping[str, Any]) -> list[tuple[str | None, bool | None]]:
    """The data centres that have one free, or may have; one row without a place where none has one."""
    nodes, free = (nodes_in(variant.get(name)) for name in ("nodes_per_dc", "available_nodes_per_dc"))
    told = {place: left_of(place, nodes, free) for place in {**nodes, **free}}
    if told:
        return [(place, has) for place, has in told.items() if has is not False] or [(None, False)]
    listed = any(
        isinstance(variant.get(name), Mapping) for name in ("nodes_per_dc", "available_nodes_per_dc")
    )
    return [(None, False if listed else None)]


def left_of(place: str, nodes: Mapping[str, float | None], free: Mapping[str, float | None]) -> bool | None:
    """Whether a data centre has a machine left: as told, else no where it has no machines at all."""
    if (left := free.get(place)) is not None:
        return left > 0
    return False if nodes.get(place) == 0 else None


def nodes_in(told: Any) -> dict[str, float | None]:
    """Machines by data centre."""
    pairs = told.items() if isinstance(told, Mapping) else ()
    return {shown(place): number(count) for place, count in pairs if shown(place)}
