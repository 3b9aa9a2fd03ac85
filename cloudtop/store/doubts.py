"""Prices that cannot be meant, or may be wrong: pure, from the offers of one GPU to reasons in words.

A doubtful price is marked, never dropped or moved. The first of these that fits is its reason:

1. spot above the seller's own on-demand price of the same;
2. ten times off the median of its like: same memory and kind of sale, whole GPUs, the same offer read under
   two scopes counted once. Too few offers have no median;
3. a plain figure like 0.5 or 1.0, as people write to be filled in later, far below that median;
4. a GPU-hour that no GPU costs;
5. a region far off what the seller asks elsewhere for the same type and kind of sale;
6. a jump against what its series cost before: see `settling.past`, which says how long it lasts;
7. a reseller's price above that of the owner of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cloudtop.store.schema import FRACTIONAL, SOLD_OUT

ENOUGH = 5
"""Offers that make a median worth comparing with."""

FAR_OFF = 10.0

MOST, LEAST = 100.0, 0.005
"""Dollars for one GPU-hour. The dearest listed anywhere is a GB200 at $54 (Azure, Brazil); below half a cent
an hour even a small card does not earn the power it draws."""

PLAIN, PLAIN_FACTOR = 0.5, 4.0
"""Whole half dollars of one digit (0.5, 1, 20, 700) are doubted at a quarter of the median already. In 3,229
listed rows honest prices do go down to a quarter, but at 0.75, 0.55 or 0.14: none of those is so plain."""

REGIONS, REGION_FACTOR = 3, 2.0
"""Of 3,229 listed rows, 1.5 marks 66: 29 that are meant (Azure in Brazil at 1.54 to 1.60 of its median and in
Hong Kong at 1.79, its promotions in Australia, AWS in its cheapest regions and its dearest zones) and 37 of
Google, whose SKUs that list mixed up. 2 marks 18, all of them Google's: no price that is meant is twice its
seller's median. The median of two regions is neither's, so three are needed."""

JUMP = 2.0

OWN_PRICES = ("community", "marketplace")
"""Tiers where each host sets a price: one of them far from another tells nothing."""


class Priced(NamedTuple):
    """What of an offer matters to doubts and history, in the order it is selected."""

    id: int
    scope_id: int
    seller: str
    offer_id: str
    instance_type: str | None
    region: str | None
    tier: str | None
    form: str | None
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
SeriesKey = tuple[str | float | None, ...]
Found = Iterator[tuple[Priced, str]]


class Past(NamedTuple):
    """What series cost before, as (lowest, highest) by (origin, seller, memory, region, tier, spot).

    `origins`: where each scope is read; `days`: how far back; `held_days`: how long a price must have held to
    be part of it.
    """

    levels: Mapping[SeriesKey, tuple[float, float]]
    origins: Mapping[int, str]
    days: int
    held_days: int


def doubts(
    offers: Sequence[Priced], comparable: bool, past: Past | None = None
) -> Iterator[tuple[Priced, str | None]]:
    """Offers whose mark must change, each with its new reason or None.

    `comparable`: all are one known GPU, so that they can be held against each other.
    """
    found: dict[int, str] = {}
    for rule in _rules(offers, comparable, past):
        for offer, why in rule:
            found.setdefault(offer.id, why)
    for offer in offers:
        reason = offer.warned or found.get(offer.id)
        if reason != offer.suspect:
            yield offer, reason


def _rules(offers: Sequence[Priced], comparable: bool, past: Past | None) -> Iterator[Found]:
    yield _over_list(offers)
    if comparable:
        yield _far_off(offers)
        yield _impossible(offers)
    yield _odd_region(offers)
    if past is not None and past.levels:
        yield _jumped(offers, past)
    if comparable:
        yield _resold(offers)


def _over_list(offers: Sequence[Priced]) -> Found:
    spots = [offer for offer in offers if offer.spot and offer.usd_per_hour is not None]
    lists = _on_demand(offers) if spots else {}
    for offer in spots:
        listed = lists.get((offer.seller, offer.offer_id)) or lists.get(_place(offer))
        if listed is not None and (offer.usd_per_hour or 0) > listed:
            yield offer, f"spot price above the seller's own on-demand price of {_usd(listed)} an hour"


def _on_demand(offers: Sequence[Priced]) -> dict[Twin, float]:
    """On-demand prices by offer id, and the dearest by type and region: a spot price above that is odd."""
    found: dict[Twin, float] = {}
    for offer in offers:
        price = offer.usd_per_hour
        if offer.spot or price is None:
            continue
        key: Twin = (offer.seller, offer.offer_id)
        if price > found.get(key, 0.0):
            found[key] = price
        if offer.instance_type:
            key = _place(offer)
            if price > found.get(key, 0.0):
                found[key] = price
    return found


def _place(offer: Priced) -> Twin:
    return (offer.seller, offer.instance_type, offer.region, offer.gpu_count)


def _impossible(offers: Sequence[Priced]) -> Found:
    for offer in offers:
        price = offer.usd_per_gpu_hour
        if price is None or LEAST <= price <= MOST:
            continue
        if price > MOST:
            yield offer, f"{_usd(price)} for a GPU-hour: no GPU is known to cost {_usd(MOST)}"
        else:
            yield offer, f"{_usd(price)} for a GPU-hour: below {_usd(LEAST)} it does not pay for the power"


def _far_off(offers: Sequence[Priced]) -> Found:
    middles = _medians(offers)
    bounds = {
        key: (middle / FAR_OFF, middle / PLAIN_FACTOR, middle * FAR_OFF)
        for key, (middle, _) in middles.items()
    }
    if not bounds:
        return
    for offer in offers:
        key, price = (offer.gpu_memory_gib, offer.spot), offer.usd_per_gpu_hour
        found = bounds.get(key)
        if found is None or price is None or found[1] <= price <= found[2]:
            continue
        median = f"the median {_usd(middles[key][0])} of {middles[key][1]} offers"
        if price < found[0]:
            yield offer, f"less than a tenth of {median}"
        elif price > found[2]:
            yield offer, f"more than ten times {median}"
        elif offer.usd_per_hour and _plain(offer.usd_per_hour):
            yield offer, f"a placeholder, it seems: {_usd(offer.usd_per_hour)}, not a quarter of {median}"


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


def _plain(price: float) -> bool:
    """Half dollars without a remainder, and one digit only: 0.5, 1, 9, 20, 700."""
    return not price % PLAIN and len(f"{price:g}".strip("0.")) == 1


def _odd_region(offers: Sequence[Priced]) -> Found:
    types: dict[Twin, list[Priced]] = {}
    for offer in offers:
        if offer.instance_type and offer.region and offer.usd_per_hour and offer.tier not in OWN_PRICES:
            key = (offer.seller, offer.instance_type, offer.gpu_count, offer.gpu_memory_gib, offer.spot)
            types.setdefault(key, []).append(offer)
    for alike in types.values():
        if len(alike) >= REGIONS:
            yield from _odd_among(alike)


def _odd_among(alike: Sequence[Priced]) -> Found:
    """Offers of one type in several regions."""
    prices = [offer.usd_per_hour or 0.0 for offer in alike]
    if max(prices) <= min(prices) * REGION_FACTOR:
        return
    regions = len({offer.region for offer in alike})
    if regions < REGIONS:
        return
    from statistics import median

    middle = median(prices)
    for offer, price in zip(alike, prices, strict=True):
        if price * REGION_FACTOR < middle or price > middle * REGION_FACTOR:
            side = "less than half of" if price < middle else "more than twice"
            seller, kind = offer.seller, offer.instance_type
            yield offer, f"{side} {_usd(middle)}, the median of {regions} regions for {kind} at {seller}"


def _jumped(offers: Sequence[Priced], past: Past) -> Found:
    now: dict[SeriesKey, list[Priced]] = {}
    for offer in offers:
        if offer.usd_per_gpu_hour is not None and not offer.flags & (FRACTIONAL | SOLD_OUT):
            origin = past.origins.get(offer.scope_id)
            key = (origin, offer.seller, offer.gpu_memory_gib, offer.region, offer.tier, offer.spot)
            if key in past.levels:
                now.setdefault(key, []).append(offer)
    believed = f"a new price is believed when it has held for {past.held_days} days"
    for series, mine in now.items():
        low, high = past.levels[series]
        # A machine may always have been dearer than the cheapest; that the cheapest is dearer is a jump.
        risen = min(offer.usd_per_gpu_hour or 0.0 for offer in mine) > high * JUMP
        for offer in mine:
            if risen:
                was = f"{_usd(high)}, the most that the cheapest here cost in the {past.days} days before"
                yield offer, f"more than twice {was}; {believed}"
            elif (offer.usd_per_gpu_hour or 0.0) * JUMP < low:
                was = f"{_usd(low)}, the lowest price here in the {past.days} days before"
                yield offer, f"less than half of {was}; {believed}"


def _resold(offers: Sequence[Priced]) -> Found:
    from cloudtop.sellers import owner, resellers

    middlemen = resellers()
    resold = [offer for offer in offers if offer.seller in middlemen and offer.usd_per_gpu_hour]
    if not resold:
        return
    direct: dict[Twin, list[Priced]] = {}
    for offer in offers:
        own = offer.seller not in middlemen and offer.tier not in OWN_PRICES
        if own and offer.usd_per_gpu_hour and not offer.flags & SOLD_OUT:
            direct.setdefault(_like(offer), []).append(offer)
    for offer in resold:
        whose = owner(offer.instance_type) if offer.instance_type else None
        cheaper = _cheaper(offer, direct.get(_like(offer), ()), whose)
        if cheaper is not None:
            asked = f"{cheaper[1]} itself asks {_usd(cheaper[0])} per GPU-hour"
            yield offer, f"resold by {offer.seller}: for the same {asked}"


def _like(offer: Priced) -> Twin:
    return (offer.gpu_memory_gib, offer.gpu_count, offer.spot)


def _cheaper(offer: Priced, direct: Iterable[Priced], whose: str | None) -> tuple[float, str] | None:
    """The lowest price at which a direct seller, or the owner, has the same for less wherever it has it."""
    dearest: dict[str, float] = {}
    for other in direct:
        same = other.form == offer.form or None in (other.form, offer.form)
        if same and whose in (None, other.seller):
            dearest[other.seller] = max(dearest.get(other.seller, 0.0), other.usd_per_gpu_hour or 0.0)
    asked = min(((price, seller) for seller, price in dearest.items()), default=None)
    return asked if asked is not None and asked[0] < (offer.usd_per_gpu_hour or 0.0) else None


def _usd(value: float) -> str:
    return f"${value:.2f}" if value >= 0.1 else f"${value:.3g}"
