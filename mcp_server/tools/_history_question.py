"""A question for price history understood: which series, which time, who is asked first, how rows are put."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudtop.gpus import catalogue
from cloudtop.models import PriceQuery
from cloudtop.store.offers import OfferFilter
from cloudtop.times import interval
from mcp_server.fleet import LISTS
from mcp_server.tools._history_groups import GROUP_FIELDS
from mcp_server.tools._price_fields import POINT_FIELDS, sort_in
from mcp_server.tools._price_models import Models, models

if TYPE_CHECKING:
    from cloudtop.times import Interval
    from mcp_server.result import Ctx

_UNSORTED = ("spot", "source", "account", "fetched_at")
_POINT_SORTS = ("price", *(name for name in POINT_FIELDS if name not in _UNSORTED))
_GROUP_SORTS = ("price", *(name for name in GROUP_FIELDS if name not in _UNSORTED))
_ECHOED = ("region", "tier", "spot", "group_by", "max_age")


@dataclass(slots=True)
class Question:
    """One question for history. `named`: the sellers asked for by name, None for all of them."""

    given: dict[str, Any]
    models: Models
    series: OfferFilter
    named: tuple[str, ...] | None
    interval: Interval
    sort: tuple[str, bool]
    applied: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @property
    def query(self) -> PriceQuery:
        """What the clouds are asked for, so that the last point is today's."""
        return PriceQuery(self.models.to_ask, self.given["spot"])


async def question(ctx: Ctx, given: dict[str, Any]) -> Question:
    """Make one out of the tool's arguments."""
    named = await ctx.fleet.ids(given["providers"] or (), "providers") or None
    meant = models(given["gpu"], None, None, None, given["memory"], None)
    asked = interval(given["time"], ctx.now, past_only=True)
    fields, usual = (_GROUP_SORTS, "price_asc") if given["group_by"] else (_POINT_SORTS, "newest")
    sort = sort_in(given["sort"] or usual, fields, "last_at" if given["group_by"] else "time")
    series = OfferFilter(
        gpus=meant.readings,
        exclude_gpus=_altered(meant),
        memory=meant.memory,
        spot=given["spot"],
        tiers=tuple(given["tier"] or ()),
        sellers=() if named is None or LISTS in named else named,
        places_any=_places(given["region"]),
    )
    made = Question(given, meant, series, named, asked, sort, notices=list(meant.notices))
    made.applied = _applied(made)
    return made


def _places(texts: list[str] | None) -> tuple[Any, ...]:
    if not texts:
        return ()
    from cloudtop.regions import wanted

    return tuple(wanted(text) for text in texts)


def _altered(meant: Models) -> tuple[tuple[str, float | None, bool], ...]:
    """Boards with another memory than the maker's: other goods, unless their size is asked for."""
    if meant.modified:
        return ()
    gpus = catalogue().gpus
    plain = [name for name, size, _ in meant.readings if size is None] if meant.readings else list(gpus)
    return tuple((name, size, True) for name in plain for size in gpus[name].altered_gib)


def _applied(made: Question) -> dict[str, Any]:
    """The filters that took effect, with the values they were understood as."""
    given, applied = made.given, dict[str, Any]()
    if given["gpu"]:
        applied["gpu"] = list(made.models.names)
    if (sizes := made.models.sizes) is not None:
        applied["memory"] = sizes
    applied |= {name: given[name] for name in _ECHOED if given[name] is not None}
    if made.named:
        applied["providers"] = list(made.named)
    if given["sort"]:
        applied["sort"] = f"{made.sort[0]}_{'desc' if made.sort[1] else 'asc'}"
    applied["time"] = made.interval.echo()
    return applied
