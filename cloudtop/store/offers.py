"""What may be asked of the stored offers, and what comes back: values only, `shelf.py` does the asking.

GPU names are compact catalogue names:
vendor, architecture and what people write are resolved by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudtop.models import Scope
    from cloudtop.regions import Wanted

EXACT = 12
"""Decimals of a computed price: what differs less is the same price, told apart only by how floats divide."""

Reading = tuple[str, float | None, bool]
"""(compact GPU name, GiB per GPU or None for every nominal size, whether modified boards match too)."""

ROW_KEYS = (
    "provider",
    "account",
    "offer_id",
    "instance_type",
    "region",
    "country",
    "gpu",
    "gpu_raw",
    "form",
    "gpu_count",
    "gpu_memory_gib",
    "vcpus",
    "ram_gib",
    "usd_per_gpu_hour",
    "usd_per_hour",
    "price_raw",
    "spot",
    "tier",
    "available",
    "interconnect",
    "fractional",
    "reliability",
    "disk_usd_per_gb_month",
    "egress_usd_per_gb",
    "min_hours",
    "suspect",
    "source_url",
    "fetched_at",
    "as_of",
)
"""The keys of a row of `OfferPage`, and `_scope_id`, `_fetched_at`. The tool adds usd_total and source."""


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers, in which order, which stretch of them.

    `scopes`: None for all, () for none. `gpus`: () for all, modified boards then only with `modified`.
    Prices are effective ones: with `disk_gb` the disk's price per hour is in them. `min_price` and
    `max_price` are per GPU-hour, or of the whole instance with `per_instance`. `hours`, `egress_gb` and
    `nodes` matter to rank_by "total" alone, where no offer is billed for less than its `min_hours`; `tflops`
    (pairs of name and dense TFLOPS of one GPU) to rank_by "tflop" and "tflop_fp8", which leaves the GPUs out
    that have none. `superseded_sellers`: rows of the shipped price list that name them are left out.
    `sort`: a row key, None for the price that `rank_by` names. With `per_group` = (row key, n) only the n
    first of each group remain.
    """

    scopes: tuple[Scope, ...] | None = None
    gpus: tuple[Reading, ...] = ()
    exclude_gpus: tuple[Reading, ...] = ()
    forms: tuple[str, ...] = ()
    memory: float | None = None
    min_memory: float | None = None
    min_total_memory: float | None = None
    count: float | None = None
    min_count: float | None = None
    fractional: bool = False
    modified: bool = False
    spot: bool | None = None
    available: bool | None = None
    tiers: tuple[str, ...] = ()
    sellers: tuple[str, ...] = ()
    exclude_sellers: tuple[str, ...] = ()
    superseded_sellers: tuple[str, ...] = ()
    places_any: tuple[Wanted, ...] = ()
    places_none: tuple[Wanted, ...] = ()
    placeless: bool = False
    min_price: float | None = None
    max_price: float | None = None
    per_instance: bool = False
    instance_type: str | None = None
    interconnect: str | None = None
    exclude_suspect: bool = False
    disk_gb: float | None = None
    egress_gb: float | None = None
    hours: float | None = None
    nodes: int | None = None
    tflops: tuple[tuple[str, float], ...] = ()
    rank_by: str = "gpu_hour"
    sort: str | None = None
    descending: bool = False
    limit: int | None = 20
    offset: int = 0
    per_group: tuple[str, int] | None = None
    why_not_cheaper: bool = False


@dataclass(frozen=True, slots=True)
class OfferPage:
    """One stretch of the matching offers.

    `total` counts all that match. `counts` says what default rules alone left out (fractional, sold_out,
    modified, unpriced, shipped_superseded, unrated): each would be shown if that one rule were lifted; zeros
    are absent. `generation` is the state of the store that was read: equal to `Store.revision()` then.
    `cheaper`, when `why_not_cheaper` asks for it: what default rules left out although it costs less than
    the first row, the cheapest few, then what has no price.
    """

    rows: list[dict[str, Any]]
    total: int
    generation: int
    counts: dict[str, int] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)
    cheaper: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One offer that default rules left out; `rules` are names as in `OfferPage.counts`.

    `usd_per_hour` is the instance's, with the disk where one was asked for.
    """

    seller: str
    gpu: str | None
    gpu_raw: str
    gpu_count: float
    gpu_memory_gib: float | None
    spot: bool
    usd_per_hour: float | None
    rules: tuple[str, ...]
