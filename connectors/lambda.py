"""Lambda Cloud: whole instances by type, and the regions where one can be started right now.

`data` is a mapping by the type's name. `price_cents_per_hour` is for the whole instance, the same everywhere.
`regions_with_capacity_available` is stock, not a list of places: each region in it is an offer to be had now
(`type@region`); a type with none is one offer without a place, sold out. Types are never multiplied by all
regions. The GPU and its memory stand in words only, `A100 (40 GB SXM4)`; `gpu_1x_a100` and its like are the
40 GB board, and `RTX 6000` here is the Quadro RTX 6000 of 24 GB. Types without GPUs are no offers.

The listing comes with a key only and has no pages; there is no cheaper request that proves a key, so health
asks for it too. The instance's own disk is in the price. The module is named after the seller, and `lambda`
is a word of Python: it is imported by `importlib`, as all connectors are.
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
from cloudtop.units import number, positive
from connectors.base import Connector, public

SELLER = "lambda"
TYPES = "/api/v1/instance-types"
NAME = re.compile(r"gpu_(?P<count>\d+)x_(?P<gpu>.+)")
TIMES = re.compile(r"(?P<count>\d+)\s*x\s+")
CENTS = 100
NOTHING: Mapping[str, Any] = {}


class LambdaCloud(Connector):
    """Offers and health of Lambda Cloud."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing holds every type."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """Every type with GPUs, where it can be had."""
        at, source = self.now(), self.http.url(TYPES, scope.account)
        answer = await self._ask(scope)
        data = answer.get("data") if isinstance(answer, Mapping) else None
        # The name stands twice; as the key of the mapping it cannot be missing.
        named = data.items() if isinstance(data, Mapping) else enumerate(self.records(answer, "data"))
        offers: list[GpuOffer] = []
        nameless = 0
        for key, record in named:
            if not isinstance(record, Mapping) or not has_gpu(key, record):
                continue
            if name_of(key, record):
                offers += gpu_offers(key, record, at, source)
            else:
                nameless += 1
        yield offers
        self.nameless(scope, nameless)

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted."""
        yield await self.probe(scope, self._ask(scope), None)

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """An error where an answer should be."""
        return Invalid if status < 300 and isinstance(answer, Mapping) and "error" in answer else None

    async def _ask(self, scope: Scope) -> Any:
        return await self.http.json("GET", TYPES, operation="list instance types", account=scope.account)


def kind_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a record says of its type."""
    kind = record.get("instance_type")
    return kind if isinstance(kind, Mapping) else NOTHING


def specs_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sizes of a type."""
    specs = kind_of(record).get("specs")
    return specs if isinstance(specs, Mapping) else NOTHING


def name_of(key: Any, record: Mapping[str, Any]) -> str:
    """The type's name, which one rents by."""
    return shown(key) or shown(kind_of(record).get("name"))


def has_gpu(key: Any, record: Mapping[str, Any]) -> bool:
    """Whether a type has GPUs: its count says so, or else its name does not say CPU."""
    if (count := number(specs_of(record).get("gpus"))) is not None:
        return count > 0
    return not name_of(key, record).startswith("cpu_")


def gpu_offers(key: Any, record: Mapping[str, Any], at: datetime, source_url: str) -> Iterator[GpuOffer]:
    """One type as a row for each region with capacity. Any field but its name may be missing."""
    name, kind, specs = name_of(key, record), kind_of(record), specs_of(record)
    raw_name, gpu = gpu_of(name, kind)
    count = count_of(name, kind, specs)
    price = kind.get("price_cents_per_hour")
    cents = positive(price)
    where = record.get("regions_with_capacity_available")
    for region in regions_in(where) or (None,):
        place = regions.place(SELLER, region)
        yield GpuOffer(
            seller=SELLER,
            offer_id=f"{name}@{region}" if region else name,
            gpu_raw=raw_name,
            # Without a count no price per GPU can be told, so there is none.
            gpu_count=count or 1.0,
            usd_per_hour=round(cents / CENTS, 6) if cents and count else None,
            price_raw=f"price_cents_per_hour={'' if price is None else price}",
            spot=False,
            gpu=gpu.name,
            gpu_memory_gib=gpu.memory_gib,
            instance_type=name,
            region=place.region,
            country=place.country,
            form=gpu.form or gpus.instance_form(SELLER, name),
            vcpus=positive(specs.get("vcpus")),
            ram_gib=positive(specs.get("memory_gib")),
            tier="datacenter",
            available=bool(where) if isinstance(where, list) else None,
            fractional=gpu.fractional,
            modified=gpu.modified,
            source_url=source_url,
            as_of=at,
            raw=public(record),
        )


def regions_in(listed: Any) -> tuple[str, ...]:
    """The names of the regions in a list, each once."""
    if not isinstance(listed, list):
        return ()
    told = (one if isinstance(one, Mapping) else {"name": one} for one in listed)
    found = (shown(one.get("name")) or shown(one.get("description")) for one in told)
    return tuple(dict.fromkeys(filter(None, found)))


def gpu_of(name: str, kind: Mapping[str, Any]) -> tuple[str, gpus.Identified]:
    """What the seller calls the GPU and what it is: by its text; where that says too little, by the name."""
    description = TIMES.sub("", shown(kind.get("description")), count=1)
    parts = NAME.fullmatch(name)
    by_name = name if not parts or gpus.instance_gpu(SELLER, name) else parts["gpu"].replace("_", " ")
    texts = [text for text in (shown(kind.get("gpu_description")), description, by_name) if text]
    readings = [gpus.identify(SELLER, text) for text in texts]
    return texts[0], max(readings, key=lambda one: (one.name is not None, one.memory_gib is not None))


def count_of(name: str, kind: Mapping[str, Any], specs: Mapping[str, Any]) -> float | None:
    """GPUs of an instance: told, or in the name, or in the text."""
    told = NAME.fullmatch(name) or TIMES.match(shown(kind.get("description")))
    return positive(specs.get("gpus")) or (positive(told["count"]) if told else None)
