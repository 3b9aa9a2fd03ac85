"""Linode, now Akamai's cloud: its own virtual machines, sold as plans at one price for the whole plan.

A region may have a price of its own (`region_prices`). Where a plan is to be had is told by a second listing,
of plans and regions: each region that has it is an offer (`id@region`), a plan that no region has is shown
once, as sold out, and one that the listing does not know once, as not known. No field tells the GPU: it
stands in the label ("RTX4000 Ada x1 Small", "Dedicated 32GB + RTX6000 GPU x1"), else in the id
(g2-gpu-rtx4000a1-s), and its memory nowhere; RTX6000 here is the Quadro RTX 6000. `gpus` is how many.
Plans without GPUs, those with video accelerators among them, are no offers. Both listings need no key, and
plans shown to some accounts alone are not in them. Facts: the public API reference and public code.
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
from cloudtop.units import gib_from_mib, number, positive
from connectors.base import Connector, public

SELLER = "linode"
TYPES = "/v4/linode/types"
AVAILABILITY = "/v4/regions/availability"
PROFILE = "/v4/profile"
PAGE = 500
"""The most that one page may hold."""

CALLED = {"rtx6000": "Quadro RTX 6000"}
"""What Linode means by a name that could be several GPUs."""

LABEL = re.compile(r"(?:.*\+\s*)?(?P<gpu>.+?)(?:\s+GPU)?\s+x(?P<count>\d+)\b.*", re.IGNORECASE)
IN_ID = re.compile(r"g\d+-gpu-(?P<gpu>[a-z0-9-]+?)(?:a(?P<ada>\d+)(?:-[a-z]+)?|-(?P<count>\d+))")

Stock = Mapping[str, Mapping[str, bool | None]]
"""A plan -> each region that is told of, and whether it has the plan left."""

Named = tuple[str, float | None]
"""What a text calls the GPU, and how many it says."""


class Linode(Connector):
    """Offers and health of Linode."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing holds every plan."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """The GPU plans, page by page, where they are to be had."""
        stock: dict[str, dict[str, bool | None]] = {}
        async for told in self._listed(AVAILABILITY, "list availability", scope):
            for one in told:
                plan, region, available = (
                    shown(one.get("plan")),
                    shown(one.get("region")),
                    one.get("available"),
                )
                if plan and region:
                    stock.setdefault(plan, {})[region] = available if isinstance(available, bool) else None
        at, source, lost = self.now(), self.http.url(TYPES, scope.account), 0
        async for plans in self._listed(TYPES, "list types", scope):
            with_gpus = [plan for plan in plans if has_gpu(plan)]
            named = [plan for plan in with_gpus if shown(plan.get("id"))]
            lost += len(with_gpus) - len(named)
            yield [row for plan in named for row in gpu_offers(plan, stock, at, source)]
        self.nameless(scope, lost)

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted; without one, whether prices are answered."""
        if self.http.key(scope.account):
            call = self.http.json("GET", PROFILE, operation="who am I", account=scope.account)
            yield await self.probe(scope, call, None)
            return
        prices = self._ask(TYPES, "1", 25, "list types", scope)
        yield await self.probe(scope, prices, "No key is set. It works without a key: prices only.")

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """A list of errors where an answer should be."""
        wrong = status < 300 and isinstance(answer, Mapping) and isinstance(answer.get("errors"), list)
        return Invalid if wrong else None

    async def _ask(self, path: str, page: str, size: int, operation: str, scope: Scope) -> Any:
        params = {"page": page, "page_size": size}
        return await self.http.json(
            "GET", path, params=params, operation=operation, account=scope.account, keyed=False
        )

    async def _listed(
        self, path: str, operation: str, scope: Scope
    ) -> AsyncIterator[list[Mapping[str, Any]]]:
        """The records of a listing, page by page."""
        read = 0
        pages = self.paged(lambda page: self._ask(path, page or "1", PAGE, operation, scope), next_page)
        async for answer in pages:
            found = self.records(answer, "data")
            read += len(found)
            # Without the number of pages nothing proves the end; the total tells if something is missing.
            total = None if positive(answer.get("pages")) else number(answer.get("results"))
            if total and total > read:
                message = f"{self.facts.title} gave {read} of {total:.0f} records and no way to the others."
                raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
            yield found


def next_page(answer: Any) -> str | None:
    """The number of the page after this one, as a text."""
    told = answer if isinstance(answer, Mapping) else {}
    page, pages = positive(told.get("page")), positive(told.get("pages"))
    return f"{page + 1:.0f}" if page and pages and page < pages else None


def has_gpu(plan: Mapping[str, Any]) -> bool:
    """Whether a plan has GPUs: by its class, their number, or its id."""
    told = plan.get("class") == "gpu" or positive(plan.get("gpus")) is not None
    return told or in_id(shown(plan.get("id"))) is not None


def gpu_offers(plan: Mapping[str, Any], stock: Stock, at: datetime, source_url: str) -> Iterator[GpuOffer]:
    """One plan as a row for each region that has it. Any field but the id may be missing."""
    name = shown(plan.get("id"))
    raw_name, gpu, count = gpu_of(plan)
    prices = region_prices(plan)
    for place, available in places_of(stock.get(name, {}), prices):
        where = regions.place(SELLER, place)
        price, price_raw = price_of(plan, prices, place)
        yield GpuOffer(
            seller=SELLER,
            offer_id=f"{name}@{place}" if place else name,
            gpu_raw=raw_name,
            # Without a count no price per GPU can be told, so there is none.
            gpu_count=count or 1.0,
            usd_per_hour=price if count else None,
            price_raw=price_raw,
            spot=False,
            gpu=gpu.name,
            gpu_memory_gib=gpu.memory_gib,
            instance_type=name,
            region=where.region,
            country=where.country,
            form=gpu.form,
            vcpus=positive(plan.get("vcpus")),
            ram_gib=gib_from_mib(positive(plan.get("memory"))),
            tier="datacenter",
            available=available,
            fractional=gpu.fractional,
            modified=gpu.modified,
            source_url=source_url,
            as_of=at,
            raw=public(plan),
        )


def places_of(
    told: Mapping[str, bool | None], prices: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str | None, bool | None]]:
    """The regions that have a plan, or may have it; one row without a region where none does or none is told.

    A region with a price of its own is a row also where nothing is told about the plan at all.
    """
    if told:
        return [(place, has) for place, has in told.items() if has is not False] or [(None, False)]
    return [(None, None), *((place, None) for place in prices)]


def region_prices(plan: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The regions with a price of their own."""
    listed = plan.get("region_prices")
    told = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return {shown(one.get("id")): one for one in told if shown(one.get("id")) and "hourly" in one}


def price_of(
    plan: Mapping[str, Any], prices: Mapping[str, Mapping[str, Any]], place: str | None
) -> tuple[float | None, str]:
    """Dollars per hour of the whole plan, in the region's own price list if it has one."""
    own = prices.get(place or "")
    if own is not None:
        return positive(own["hourly"]), f"region_prices.{place}.hourly={own['hourly']}"
    usual = plan.get("price")
    hourly = usual.get("hourly") if isinstance(usual, Mapping) else None
    return positive(hourly), f"price.hourly={hourly}"


def gpu_of(plan: Mapping[str, Any]) -> tuple[str, gpus.Identified, float | None]:
    """What the seller calls the GPU, what it is, and how many there are: by the label, else by the id."""
    label, name = shown(plan.get("label")), shown(plan.get("id"))
    texts = [named for named in (in_label(label), in_id(name)) if named] or [(label or name, None)]
    readings = [gpus.identify(SELLER, CALLED.get(raw.lower().replace(" ", ""), raw)) for raw, _ in texts]
    count = positive(plan.get("gpus")) or next((told for _, told in texts if told), None)
    return texts[0][0], max(readings, key=lambda one: one.name is not None), count


def in_label(label: str) -> Named | None:
    """What a label says about the GPUs."""
    read = LABEL.fullmatch(label)
    return (read["gpu"], positive(read["count"])) if read else None


def in_id(name: str) -> Named | None:
    """What an id says about the GPUs; an `a` before their number is short for Ada."""
    read = IN_ID.fullmatch(name)
    if read is None:
        return None
    return (f"{read['gpu']} ada" if read["ada"] else read["gpu"]), positive(read["ada"] or read["count"])
