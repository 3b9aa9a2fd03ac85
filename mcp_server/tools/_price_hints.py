"""What to try when no offer matches: the filter that is in the way, or the name that was meant.

Imported late: cloudtop.text, cloudtop.regions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudtop.store.offers import OfferFilter

if TYPE_CHECKING:
    from cloudtop.regions import Wanted
    from mcp_server.result import Ctx

HINTS = 3


def nothing_found(ctx: Ctx, offers: OfferFilter) -> str:
    """Why nothing may have matched: the filter without which something does, or a name that nobody lists."""
    if offers.instance_type and (notice := _no_such_type(ctx, offers, offers.instance_type)):
        return notice
    hints: list[str] = []
    for name, looser in widened(offers):
        page = ctx.store.offers(looser)
        if page.total:
            many = "1 offer" if page.total == 1 else f"{page.total} offers"
            lowest = page.rows[0]["usd_per_gpu_hour"]
            hints.append(f"without {name} there would be {many}, from ${lowest:.4g} per GPU-hour")
    if offers.sellers:
        # What other sellers have was not asked, and what is stored of them may be old.
        hints.append("without providers the other sellers would be asked too")
    if not hints:
        return "Nothing matches. list_providers says which clouds could be asked besides."
    said = "; ".join(hints[:HINTS])
    return f"Nothing matches. {said[0].upper()}{said[1:]}."


def placeless(ctx: Ctx, offers: OfferFilter) -> list[str]:
    """A question for a region cannot be answered by sellers that name none; that is said."""
    if not offers.places_any:
        return []
    anywhere = replace(
        offers, places_any=(), placeless=True, per_group=None, sort=None, descending=False, limit=50, offset=0
    )
    page = ctx.store.offers(anywhere)
    if not page.total:
        return []
    sellers = ", ".join(dict.fromkeys(row["provider"] for row in page.rows))
    many = "1 offer names" if page.total == 1 else f"{page.total} offers name"
    lowest = f"${page.rows[0]['usd_per_gpu_hour']:.4g} per GPU-hour at {page.rows[0]['provider']}"
    return [f"{many} no region and could not be asked for one ({sellers}); the cheapest is {lowest}."]


def unknown_places(ctx: Ctx, asked: Mapping[str, Any], offers: OfferFilter) -> list[str]:
    """The regions of a question that neither the gazetteer nor any stored offer knows."""
    said: list[str] = []
    for given, places in (("region", offers.places_any), ("exclude_region", offers.places_none)):
        texts = asked.get(given) or ()
        for text, place in zip(texts, places, strict=False):
            if not place.known and not _stored(ctx, place):
                said.append(unknown_place(given, text))
    return said


def _stored(ctx: Ctx, place: Wanted) -> bool:
    """Whether any offer is from there, however old."""
    page = ctx.store.offers(OfferFilter(places_any=(place,), fractional=True, modified=True, limit=1))
    return bool(page.total or page.counts)


def unknown_place(given: str, text: str) -> str:
    """That nobody knows such a place, and which are called like it."""
    from cloudtop.regions import nearest_places
    from cloudtop.text import clean

    near = nearest_places(text, 2)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"{given}: no known place is called {clean(text)[:60]!r}.{hint}"


def _no_such_type(ctx: Ctx, offers: OfferFilter, wanted: str) -> str | None:
    anywhere = OfferFilter(scopes=offers.scopes, fractional=True, modified=True)
    listed = [str(one["group"]) for one in ctx.store.group_offers(anywhere, "instance_type") if one["group"]]
    if wanted.casefold() in {name.casefold() for name in listed}:
        return None
    from cloudtop.text import nearest

    near = nearest(wanted, listed, 2)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"No seller lists an instance type {wanted!r}.{hint}"


def widened(offers: OfferFilter) -> list[tuple[str, OfferFilter]]:
    """The same question with one filter less, in words: what to try when nothing matches."""
    looser: dict[str, dict[str, Any]] = {
        "max_price": {"max_price": None},
        "min_price": {"min_price": None},
        "region": {"places_any": ()},
        "tier": {"tiers": ()},
        "spot": {"spot": None},
        "available": {"available": None},
        "count": {"count": None, "per_instance": False},
        "min_count": {"min_count": None, "per_instance": False},
        "form": {"forms": ()},
        "interconnect": {"interconnect": None},
        "min_total_memory": {"min_total_memory": None},
        "min_memory": {"min_memory": None},
        "instance_type": {"instance_type": None},
    }
    plain: dict[str, Any] = {"limit": 1, "offset": 0, "per_group": None, "sort": None, "descending": False}
    return [
        (name, replace(offers, **plain, rank_by="gpu_hour", **change))
        for name, change in looser.items()
        if getattr(offers, next(iter(change))) not in (None, ())
    ]
