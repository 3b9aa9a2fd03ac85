"""GPU Droplets on offer: sizes at one price in every region that a size lists.

`price_hourly` is dollars for the whole droplet. `gpu_info.vram.amount` is the memory of all its GPUs together
(640 for eight of 80), whatever the documentation's wording; a figure that only makes sense for one GPU is
taken for one. A size is offered in the regions it lists, so each of them is an offer (`slug@region`); a size
that lists none, or says `available: false`, is shown as not to be had: its price stays in the listing.
Where `gpu_info` is missing the slug tells the GPU (`gpu-h100x8-640gb`). Sizes that end in `contracted` are
sold by contract only: whatever their figure is, it is no price on demand, and they are kept without one.
Sizes without a GPU are no offers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any

from cloudtop import gpus, regions
from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.text import shown
from cloudtop.units import GIB_PER, gib_from_mib, number, positive
from connectors.base import public
from connectors.digitalocean_base import SIZES, Ocean

SELLER = "digitalocean"
SLUG = re.compile(r"gpu-(?P<gpu>.+?)x(?P<count>\d+)-(?P<gib>\d+)gb\b")
BY_CONTRACT = "sold by contract only, not on demand"


class Offers(Ocean):
    """What DigitalOcean sells with GPUs."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing holds every size."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """The sizes with GPUs, page by page; one that comes again on a later page is taken once."""
        at, source = self.now(), self.http.url(SIZES.path, scope.account)
        seen: set[str] = set()
        nameless = 0
        async for sizes in self.pages(scope, SIZES):
            offers: list[GpuOffer] = []
            for size in filter(has_gpu, sizes):
                slug = shown(size.get("slug"))
                if not slug:
                    nameless += 1
                elif slug not in seen:
                    seen.add(slug)
                    offers += gpu_offers(size, at, source)
            yield offers
        self.nameless(scope, nameless)


def has_gpu(size: Mapping[str, Any]) -> bool:
    """Whether a size has GPUs, by what it says of them or by its slug."""
    info = size.get("gpu_info")
    told = isinstance(info, Mapping) and bool(info) and number(info.get("count")) != 0
    return told or shown(size.get("slug")).startswith("gpu-")


def gpu_offers(size: Mapping[str, Any], at: datetime, source_url: str) -> Iterator[GpuOffer]:
    """One size as a row for each region that lists it. Any field but the slug may be missing."""
    slug = shown(size.get("slug"))
    raw_name, gpu, count = gpu_of(size)
    told, listed, price = size.get("available"), size.get("regions"), size.get("price_hourly")
    contracted = slug.endswith("contracted")
    # Some figures come out of single precision: 3.390000104904175.
    dollars = round(positive(price) or 0.0, 5) or None
    for region in regions_in(listed) or (None,):
        place = regions.place(SELLER, region)
        yield GpuOffer(
            seller=SELLER,
            offer_id=f"{slug}@{region}" if region else slug,
            gpu_raw=raw_name,
            # Without a count no price per GPU can be told, so there is none.
            gpu_count=count or 1.0,
            usd_per_hour=dollars if count and not contracted else None,
            price_raw=f"price_hourly={'' if price is None else price}",
            spot=False,
            gpu=gpu.name,
            gpu_memory_gib=gpu.memory_gib,
            instance_type=slug,
            region=place.region,
            country=place.country,
            form=gpu.form or gpus.instance_form(SELLER, slug),
            vcpus=positive(size.get("vcpus")),
            ram_gib=gib_from_mib(positive(size.get("memory"))),
            tier="datacenter",
            available=False if listed == [] else told if isinstance(told, bool) else None,
            fractional=gpu.fractional,
            modified=gpu.modified,
            suspect=BY_CONTRACT if contracted else None,
            source_url=source_url,
            as_of=at,
            raw=public(size),
        )


def regions_in(listed: Any) -> tuple[str, ...]:
    """The regions in a list, each once."""
    return tuple(dict.fromkeys(filter(None, map(shown, listed)))) if isinstance(listed, list) else ()


def gpu_of(size: Mapping[str, Any]) -> tuple[str, gpus.Identified, float | None]:
    """What the seller calls the GPU, what it is, and how many there are: as told, else as the slug says."""
    slug, info = shown(size.get("slug")), size.get("gpu_info")
    info = info if isinstance(info, Mapping) else {}
    in_slug = SLUG.match(slug)
    parts = in_slug.groupdict() if in_slug else {}
    count = positive(info.get("count")) or positive(parts.get("count"))
    raw_name = shown(info.get("model")) or parts.get("gpu") or slug
    total = vram_gib(info) or positive(parts.get("gib"))
    gpu = gpus.identify(SELLER, raw_name, total / count if total and count else None)
    if total and count != 1 and (gpu.fractional or gpu.modified):
        # A share that no such board has: then the figure is that of one GPU.
        each = gpus.identify(SELLER, raw_name, total)
        gpu = gpu if each.fractional or each.modified else each
    return raw_name, gpu, count


def vram_gib(info: Mapping[str, Any]) -> float | None:
    """The GPU memory that the size tells of, in GiB."""
    vram = info.get("vram")
    if not isinstance(vram, Mapping) or (amount := positive(vram.get("amount"))) is None:
        return None
    return amount * GIB_PER.get(shown(vram.get("unit")).lower(), 1.0)
