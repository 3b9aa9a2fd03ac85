"""Prices that cannot be meant: pure, from the offers of one GPU to reasons in words.

Medians are taken per memory size and kind of sale over priced whole-GPU offers; the same offer read under two
scopes counts once. Too few offers have no median.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from cloudtop.store.schema import FRACTIONAL

ENOUGH = 5
"""Offers that make a median worth comparing with."""

FAR_OFF = 10.0


class Priced(NamedTuple):
    """What of an offer matters to doubts and history, in the order it is selected."""

    id: int
    scope_id: int
    seller: str
    offer_id: str
    instance_type: str | None
    region: str | None
    tier: str | None
    gpu_count: float
    gpu_memory_gib: float | None
    spot: int
    usd_per_hour: float | None
    usd_per_gpu_hour: float | None
    flags: int
    warned: str | None
    suspect: str | None
    place_id: int
    hash: int


Group = tuple[float | None, int]
Twin = tuple[str, ...]


def doubts(offers: Sequence[Priced], comparable: bool) -> Iterator[tuple[Priced, str | None]]:
    """Offers whose mark must change, each with its new reason or None.

    `comparable`: all are one known GPU, so that far from the median means something.
    """
    middles = _medians(offers) if comparable else {}
    lists = _on_demand(offers)
    for offer in offers:
        reason = offer.warned or _over_list(offer, lists) or _far_off(offer, middles)
        if reason != offer.suspect:
            yield offer, reason


def _medians(offers: Sequence[Priced]) -> dict[Group, tuple[float, int]]:
    prices: dict[Group, dict[tuple[str, str], float]] = {}
    for offer in offers:
        if offer.usd_per_gpu_hour is not None and not offer.flags & FRACTIONAL:
            group = prices.setdefault((offer.gpu_memory_gib, offer.spot), {})
            group[offer.seller, offer.offer_id] = offer.usd_per_gpu_hour
    return {key: (median(one.values()), len(one)) for key, one in prices.items() if len(one) >= ENOUGH}


def _far_off(offer: Priced, middles: dict[Group, tuple[float, int]]) -> str | None:
    middle = middles.get((offer.gpu_memory_gib, offer.spot))
    price = offer.usd_per_gpu_hour
    if middle is None or price is None:
        return None
    if price * FAR_OFF < middle[0]:
        return f"less than a tenth of the median {_usd(middle[0])} of {middle[1]} offers"
    if price > middle[0] * FAR_OFF:
        return f"more than ten times the median {_usd(middle[0])} of {middle[1]} offers"
    return None


def _on_demand(offers: Sequence[Priced]) -> dict[Twin, float]:
    """On-demand prices by offer id, and the dearest by type and region: a spot price above that is odd."""
    found: dict[Twin, float] = {}
    for offer in offers:
        if offer.spot or offer.usd_per_hour is None:
            continue
        for twin in _twins(offer):
            found[twin] = max(found.get(twin, 0.0), offer.usd_per_hour)
    return found


def _twins(offer: Priced) -> Iterator[Twin]:
    yield (offer.seller, offer.offer_id)
    if offer.instance_type:
        yield (offer.seller, offer.instance_type, offer.region or "", repr(offer.gpu_count))


def _over_list(offer: Priced, lists: dict[Twin, float]) -> str | None:
    if not offer.spot or offer.usd_per_hour is None:
        return None
    for twin in _twins(offer):
        if (listed := lists.get(twin)) is not None:
            over = offer.usd_per_hour > listed
            return "spot price above the seller's own on-demand price" if over else None
    return None


def _usd(value: float) -> str:
    return f"${value:.2f}" if value >= 0.1 else f"${value:.3g}"
