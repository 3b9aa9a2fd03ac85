"""A price question understood: what to ask the clouds, what to look for in the store, what was applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.models import PriceQuery
from cloudtop.store.offers import OfferFilter
from mcp_server.fleet import LISTS
from mcp_server.tools._price_fields import sort_of
from mcp_server.tools._price_models import Models, models

if TYPE_CHECKING:
    from cloudtop.regions import Wanted
    from cloudtop.times import Interval
    from mcp_server.result import Ctx

NOT_IN_HISTORY = (
    "count",
    "min_count",
    "nodes",
    "form",
    "interconnect",
    "instance_type",
    "available",
    "min_total_memory",
    "hours",
    "disk_gb",
    "egress_gb",
    "fractional",
    "exclude_suspect",
    "group_by",
    "limit_per_group",
)


@dataclass(frozen=True, slots=True)
class Totals:
    """What `usd_total` adds up: `hours` of `nodes` instances with their disk, and traffic out of each."""

    hours: float
    nodes: int = 1
    disk_gb: float = 0.0
    egress_gb: float = 0.0


@dataclass(slots=True)
class Question:
    """One price question. `named`: the sellers asked for by name, None for all of them."""

    given: dict[str, Any]
    models: Models
    offers: OfferFilter
    named: tuple[str, ...] | None
    excluded: tuple[str, ...]
    sort: tuple[str, bool]
    totals: Totals | None = None
    interval: Interval | None = None
    applied: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @property
    def query(self) -> PriceQuery:
        """What the clouds are asked for."""
        return PriceQuery(self.models.to_ask, self.given["spot"])

    @property
    def per_instance(self) -> bool:
        """Whether prices in this question are those of the whole instance."""
        return self.offers.per_instance


async def question(ctx: Ctx, given: dict[str, Any]) -> Question:
    """Make one out of the tool's arguments; what contradicts itself is refused by both names."""
    named = await ctx.fleet.ids(given["providers"] or (), "providers") or None
    excluded = await ctx.fleet.ids(given["exclude_providers"] or (), "exclude_providers")
    _check_sellers(named or (), excluded)
    meant = models(
        given["gpu"],
        given["exclude_gpu"],
        given["vendor"],
        given["architecture"],
        given["memory"],
        given["min_memory"],
    )
    _check_bounds(given)
    places, unwanted = _places(given["region"], given["exclude_region"])
    forms = _forms(meant, given["form"])
    interval = _interval(ctx, given)
    sort = sort_of(given["sort"], given["group_by"] if not given["limit_per_group"] else None, interval)
    rank_by = "total" if sort[0] == "usd_total" else given["rank_by"] or "gpu_hour"
    totals = _totals(given, rank_by)
    offers = OfferFilter(
        gpus=meant.readings,
        exclude_gpus=meant.excluded,
        forms=forms,
        memory=meant.memory,
        min_memory=given["min_memory"],
        min_total_memory=given["min_total_memory"],
        count=given["count"],
        min_count=given["min_count"],
        fractional=bool(given["fractional"]),
        modified=meant.modified,
        spot=given["spot"],
        available=given["available"],
        tiers=tuple(given["tier"] or ()),
        sellers=() if named is None or LISTS in named else named,
        exclude_sellers=excluded,
        places_any=places,
        places_none=unwanted,
        min_price=given["min_price"],
        max_price=given["max_price"],
        per_instance=max(given["count"] or 0, given["min_count"] or 0) >= 2,
        instance_type=given["instance_type"],
        interconnect=given["interconnect"],
        exclude_suspect=bool(given["exclude_suspect"]),
        disk_gb=given["disk_gb"],
        egress_gb=given["egress_gb"],
        hours=totals.hours if totals else None,
        nodes=given["nodes"],
        tflops=_tflops(rank_by),
        rank_by=rank_by,
        sort=None if sort[0] in ("price", "usd_total") else sort[0],
        descending=sort[1],
        per_group=_per_group(given),
    )
    made = Question(
        given, meant, offers, named, excluded, sort, totals, interval, notices=list(meant.notices)
    )
    made.applied = _applied(made)
    return made


def _check_bounds(given: dict[str, Any]) -> None:
    """Pairs of arguments that no offer can satisfy together."""
    for low, high in (("min_price", "max_price"), ("min_count", "count"), ("min_memory", "memory")):
        least, most = given[low], given[high]
        if least is not None and most is not None and least > most:
            raise ArgumentError(low, f"{least:g} is more than {high}={most:g}", f"at most {most:g}")


def _check_sellers(named: tuple[str, ...], excluded: tuple[str, ...]) -> None:
    if both := [one for one in named if one in excluded]:
        message = f"{', '.join(both)} stands in providers as well"
        raise ArgumentError("exclude_providers", message, "each provider in one of the two")


def _places(
    asked: Sequence[str] | None, unwanted: Sequence[str] | None
) -> tuple[tuple[Wanted, ...], tuple[Wanted, ...]]:
    if not asked and not unwanted:
        return (), ()
    from cloudtop.regions import wanted

    places = tuple(wanted(text) for text in asked or ())
    gone = tuple(wanted(text) for text in unwanted or ())
    tokens = {token for one in gone for token in one.tokens}
    if places and all(set(one.tokens) <= tokens for one in places):
        message = f"{', '.join(one.label for one in gone)} leaves nothing of region={','.join(asked or ())}"
        raise ArgumentError("exclude_region", message, "a part of the asked region, or another one")
    return places, gone


def _forms(meant: Models, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The form from `form` or from the GPU's name; the two may not contradict each other."""
    if meant.form is None or meant.form == "nvl":
        return tuple(asked or ())
    if asked and meant.form not in asked:
        message = f"{','.join(asked)} and gpu ({meant.form.upper()} in its name) contradict each other"
        raise ArgumentError("form", message, meant.form)
    return (meant.form,)


def _totals(given: dict[str, Any], rank_by: str) -> Totals | None:
    """Totals are given when anything they depend on is, or when they are compared; of one hour then."""
    parts = (given["hours"], given["nodes"], given["disk_gb"], given["egress_gb"])
    if rank_by != "total" and all(part is None for part in parts):
        return None
    hours = 1.0 if given["hours"] is None else given["hours"]
    return Totals(hours, given["nodes"] or 1, given["disk_gb"] or 0.0, given["egress_gb"] or 0.0)


def _interval(ctx: Ctx, given: dict[str, Any]) -> Interval | None:
    if not given["time"]:
        return None
    from cloudtop.times import interval

    found = interval(given["time"], ctx.now, past_only=True)
    for name in NOT_IN_HISTORY:
        if given[name] or (name == "available" and given[name] is False):
            message = (
                "cannot be combined with time: the history is kept per seller, GPU, memory, region and tier"
            )
            raise ArgumentError(name, message, "time alone, or this without time")
    if given["rank_by"] not in (None, "gpu_hour"):
        raise ArgumentError("rank_by", "cannot be combined with time: history is per GPU-hour", "gpu_hour")
    return found


def _tflops(rank_by: str) -> tuple[tuple[str, float], ...]:
    """What one GPU of each name does, where that is ranked by and known."""
    if rank_by not in ("tflop", "tflop_fp8"):
        return ()
    from cloudtop.gpus import catalogue

    gpus = catalogue().gpus.values()
    figures = [(gpu.name, gpu.tflops(None, fp8=rank_by == "tflop_fp8")) for gpu in gpus]
    return tuple((name, figure) for name, figure in figures if figure)


def _per_group(given: dict[str, Any]) -> tuple[str, int] | None:
    """`limit_per_group` keeps so many offers of each `group_by`, of each provider without it."""
    if not given["limit_per_group"]:
        return None
    return given["group_by"] or "provider", given["limit_per_group"]


_ECHOED = (
    "vendor",
    "architecture",
    "form",
    "min_memory",
    "min_total_memory",
    "count",
    "min_count",
    "nodes",
    "interconnect",
    "instance_type",
    "spot",
    "available",
    "tier",
    "region",
    "exclude_region",
    "min_price",
    "max_price",
    "disk_gb",
    "egress_gb",
    "group_by",
    "limit_per_group",
    "max_age",
)


def _applied(made: Question) -> dict[str, Any]:
    """The filters that took effect, with the values they were understood as; defaults are not repeated."""
    given, meant, applied = made.given, made.models, dict[str, Any]()
    if given["gpu"]:
        applied["gpu"] = list(meant.names)
    if given["exclude_gpu"]:
        applied["exclude_gpu"] = given["exclude_gpu"]
    if (sizes := meant.sizes) is not None:
        applied["memory"] = sizes
    applied |= {name: given[name] for name in _ECHOED if given[name] is not None}
    if made.offers.forms:
        applied["form"] = list(made.offers.forms)
    if made.named:
        applied["providers"] = list(made.named)
    if made.excluded:
        applied["exclude_providers"] = list(made.excluded)
    for bound in ("min_price", "max_price"):
        if bound in applied:
            applied[f"{bound}_per"] = "instance_hour" if made.per_instance else "gpu_hour"
    if made.totals:
        applied["hours"] = made.totals.hours
    applied |= {name: True for name in ("fractional", "exclude_suspect") if given[name]}
    if made.offers.rank_by != "gpu_hour":
        applied["rank_by"] = made.offers.rank_by
    if made.sort != ("price", False):
        applied["sort"] = f"{made.sort[0]}_{'desc' if made.sort[1] else 'asc'}"
    if made.interval:
        applied["time"] = made.interval.echo()
    return applied
