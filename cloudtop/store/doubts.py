"""Prices that cannot be meant: pure, from the offers of one GPU to reasons in words.

Medians are taken per memory size and kind of sale over priced whole-GPU offers; the same offer read under two
scopes counts once. Too few offers have no median.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
Twin = tuple[str | float | None, ...]


def doubts(offers: Sequence[Priced], comparable: bool) -> Iterator[tuple[Priced, str | None]]:
    """Offers whose mark must change, each with its new reason or None.

    `comparable`: all are one known GPU, so that far from the median means something.
    """
    middles = _medians(offers) if comparable else {}
    lists = _on_demand(offers) if any(offer.spot for offer in offers) else {}
    for offer in offers:
        reason = offer.warned
        if reason is None and offer.usd_per_hour is not None:
            reason = (offer.spot and _over_list(offer, lists)) or _far_off(offer, middles)
        if reason != offer.suspect:
            yield offer, reason


def _medians(offers: Sequence[Priced]) -> dict[Group, tuple[float, int]]:
    prices: dict[Group, list[float]] = {}
    for offer in _once_each(offers):
        if offer.usd_per_gpu_hour is not None and not offer.flags & FRACTIONAL:
            prices.setdefault((offer.gpu_memory_gib, offer.spot), []).append(offer.usd_per_gpu_hour)
    from statistics import median

    return {key: (median(one), len(one)) for key, one in prices.items() if len(one) >= ENOUGH}


def _once_each(offers: Sequence[Priced]) -> Iterable[Priced]:
    if len({offer.scope_id for offer in offers}) < 2:
        return offers
    return {(offer.seller, offer.offer_id, offer.spot): offer for offer in offers}.values()


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
        price = offer.usd_per_hour
        if offer.spot or price is None:
            continue
        for twin in _twins(offer):
            if price > found.get(twin, 0.0):
                found[twin] = price
    return found


def _twins(offer: Priced) -> Iterator[Twin]:
    yield (offer.seller, offer.offer_id)
    if offer.instance_type:
        yield (offer.seller, offer.instance_type, offer.region, offer.gpu_count)


def _over_list(offer: Priced, lists: dict[Twin, float]) -> str | None:
    for twin in _twins(offer):
        if (listed := lists.get(twin)) is not None:
            over = (offer.usd_per_hour or 0) > listed
            return "spot price above the seller's own on-demand price" if over else None
    return None


def _usd(value: float) -> str:
    return f"${value:.2f}" if value >= 0.1 else f"${value:.3g}"
