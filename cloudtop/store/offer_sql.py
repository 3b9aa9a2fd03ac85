"""From an `OfferFilter` to SQL.

A named GPU is one branch of a UNION ALL per (name, spot), each walking its index in the order of price, so
that SQLite merges them and stops at the limit. The index holds all that common filters look at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.store.offers import EXACT, ROW_KEYS
from cloudtop.store.schema import FRACTIONAL, MODIFIED, SOLD_OUT, UNPRICED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudtop.regions import Wanted
    from cloudtop.store.offers import OfferFilter, Reading

MONTH_HOURS = 720
RANKS = ("gpu_hour", "hour", "total", "gib", "tflop", "tflop_fp8")
MANY = 12
"""More branches than this cost more to merge than one walk over all prices does."""

TIES = "seller, instance_type, region, offer_id, scope_id, spot"
"""What equal prices are put in order by: together they are one offer's own."""
_HELD_AS = {"provider": "seller", "account": "scope_id", "fractional": "flags", "fetched_at": "read_at"}
COLUMNS = tuple(_HELD_AS.get(name, name) for name in ROW_KEYS)
"""What is selected, in the order of `offers.ROW_KEYS`: the account comes from the scope."""

_NAMED_ALIKE = set(COLUMNS) - {"seller", "scope_id", "flags", "read_at"}
SORTS = {name: name for name in COLUMNS if name in _NAMED_ALIKE} | {
    "provider": "seller",
    "fractional": f"flags & {FRACTIONAL}",
    "fetched_at": "read_at",
}
GROUPS = {
    **{
        name: SORTS[name]
        for name in ("provider", "region", "gpu", "instance_type", "form", "tier", "country")
    },
    "gpu_memory": "printf('%s %gGB', gpu, gpu_memory_gib)",
}
"""What groups are made of. `gpu_memory`: a GPU with so much of its own memory, `A100 80GB`."""


@dataclass(slots=True)
class Terms:
    """Conditions and their values, kept in step."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        """One condition that must hold as well."""
        self.conditions.append(condition)
        self.values.extend(values)

    def among(self, column: str, choices: Sequence[Any], *, absent: bool = False) -> None:
        """`column` is one of `choices` (or, with `absent`, none of them)."""
        marks = ", ".join("?" * len(choices))
        if absent:
            self.add(f"({column} IS NULL OR {column} NOT IN ({marks}))", *choices)
        else:
            self.add(f"{column} IN ({marks})", *choices)

    @property
    def sql(self) -> str:
        """The conditions as one expression."""
        return " AND ".join(self.conditions) or "1"


@dataclass(frozen=True, slots=True)
class ScopeIds:
    """The asked scopes as the file numbers them; `shipped` are those of the price list that comes with us."""

    ids: tuple[int, ...] | None
    shipped: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One stretch of an index, and the default rules that hold in it."""

    terms: Terms
    index: str
    ruled_out: int


def per_hour(query: OfferFilter) -> str:
    """The effective price of an instance per hour."""
    if not query.disk_gb:
        return "usd_per_hour"
    disk = f"coalesce(disk_usd_per_gb_month, 0) * {float(query.disk_gb)!r} / {MONTH_HOURS}.0"
    return f"round(usd_per_hour + {disk}, {EXACT})"


def per_gpu_hour(query: OfferFilter) -> str:
    """The effective price of a GPU per hour."""
    return f"round({per_hour(query)} / gpu_count, {EXACT})" if query.disk_gb else "usd_per_gpu_hour"


def rank(query: OfferFilter) -> str:
    """What `rank_by` compares."""
    if query.rank_by == "hour":
        return per_hour(query)
    if query.rank_by == "total":
        egress = f" + coalesce(egress_usd_per_gb, 0) * {float(query.egress_gb)!r}" if query.egress_gb else ""
        billed = f"max({float(query.hours or 1)!r}, coalesce(min_hours, 0))"
        return f"round({per_hour(query)} * {billed}{egress}, {EXACT})"
    if query.rank_by == "gib":
        return f"round({per_hour(query)} / (gpu_memory_gib * gpu_count), {EXACT})"
    if query.rank_by in ("tflop", "tflop_fp8"):
        return f"round({per_hour(query)} / ({tflops(query)} * gpu_count), {EXACT})"
    if query.rank_by != "gpu_hour":
        raise ArgumentError("rank_by", f"{query.rank_by} is not known", ", ".join(RANKS))
    return per_gpu_hour(query)


def shown_price(query: OfferFilter) -> str:
    """What a person holds against the first price who sees an offer that was left out.

    A share of a GPU looks cheap by the hour, whatever a whole GPU would cost at that rate. Made of what the
    index holds, where it can be.
    """
    if query.rank_by != "gpu_hour":
        return rank(query)
    hourly = per_hour(query) if query.disk_gb else "usd_per_gpu_hour * gpu_count"
    return f"CASE WHEN flags & {FRACTIONAL} THEN {hourly} ELSE {per_gpu_hour(query)} END"


def unrated(query: OfferFilter) -> str:
    """The condition of a GPU that has none of what is ranked by; empty where there can be none."""
    return f"{tflops(query)} IS NULL" if query.rank_by == "tflop_fp8" else ""


def tflops(query: OfferFilter) -> str:
    """The teraflops of one GPU, null where none are known."""
    cases = " ".join(f"WHEN '{name}' THEN {float(value)!r}" for name, value in query.tflops if name.isalnum())
    return f"CASE gpu {cases} END" if cases else "NULL"


def ordered_by(query: OfferFilter) -> str:
    """The expression that was asked to order by."""
    if query.sort is None:
        return rank(query)
    if query.sort not in SORTS:
        raise ArgumentError("sort", f"{query.sort} is not a field of offers", ", ".join(SORTS))
    prices = {"usd_per_hour": per_hour(query), "usd_per_gpu_hour": per_gpu_hour(query)}
    return prices.get(query.sort, SORTS[query.sort])


def branches(query: OfferFilter, scopes: ScopeIds) -> list[Branch]:
    """The stretches of index that together hold every offer the explicit filters let through."""
    common = _common(query, scopes)
    spots = (0, 1) if query.spot is None else (int(query.spot),)
    if len(query.gpus) * len(spots) > MANY:
        return [_any_of(query, common, spot) for spot in spots]
    found = []
    for spot in spots:
        for reading in query.gpus:
            terms = Terms(["gpu=?", "spot=?"], [reading[0], spot])
            if reading[1] is not None:
                terms.add("gpu_memory_gib=?", reading[1])
            found.append(_branch(query, terms, common, "offer_by_gpu", _may_be_modified(query, reading)))
        if not query.gpus:
            terms = Terms(["spot=?"], [spot])
            found.append(_branch(query, terms, common, "offer_by_price", _may_be_modified(query, None)))
    return found


def _may_be_modified(query: OfferFilter, reading: Reading | None) -> bool:
    named = reading is not None and (reading[1] is not None or reading[2])
    return query.modified or named or query.memory is not None


def _branch(query: OfferFilter, terms: Terms, common: Terms, index: str, modified: bool) -> Branch:
    ruled = UNPRICED | (0 if query.fractional else FRACTIONAL) | (0 if modified else MODIFIED)
    if query.available is None:
        ruled |= SOLD_OUT
    whole = Terms([*terms.conditions, *common.conditions], [*terms.values, *common.values])
    return Branch(whole, index, ruled)


def _any_of(query: OfferFilter, common: Terms, spot: int) -> Branch:
    """Many GPUs at once: one walk over all prices."""
    terms, either = Terms(["spot=?"], [spot]), Terms()
    either.among("gpu", [name for name, memory, _ in query.gpus if memory is None])
    for name, memory, _ in query.gpus:
        if memory is not None:
            either.add("(gpu=? AND gpu_memory_gib=?)", name, memory)
    terms.add(f"({' OR '.join(either.conditions)})", *either.values)
    modified = all(_may_be_modified(query, one) for one in query.gpus)
    if not modified and (named := [one[0] for one in query.gpus if _may_be_modified(query, one)]):
        terms.add(f"(flags & {MODIFIED} = 0 OR gpu IN ({', '.join('?' * len(named))}))", *named)
        modified = True
    return _branch(query, terms, common, "offer_by_price", modified)


def _common(query: OfferFilter, scopes: ScopeIds) -> Terms:
    """The explicit filters, those that the index answers first."""
    terms = Terms()
    if scopes.ids is not None:
        terms.among("scope_id", scopes.ids)
    for column, sign, value in (
        ("gpu_memory_gib", "=", query.memory),
        ("gpu_memory_gib", ">=", query.min_memory),
        ("gpu_memory_gib * gpu_count", ">=", query.min_total_memory),
        ("gpu_count", "=", query.count),
        ("gpu_count", ">=", query.min_count),
        ("interconnect", "=", query.interconnect),
        ("available", "=", None if query.available is None else int(query.available)),
    ):
        if value is not None:
            terms.add(f"{column}{sign}?", value)
    _prices(terms, query)
    for column, wanted in (("seller", query.sellers), ("form", query.forms)):
        if wanted:
            terms.among(column, wanted)
    of_tiers(terms, query.tiers)
    if query.exclude_sellers:
        terms.among("seller", query.exclude_sellers, absent=True)
    if query.places_any:
        _places(terms, query.places_any, absent=False)
    if query.places_none:
        _places(terms, query.places_none, absent=True)
    if query.placeless:
        terms.add("(place_id IS NULL OR place_id IN (SELECT id FROM place WHERE places='|'))")
    if query.instance_type is not None:
        terms.add("instance_type=? COLLATE NOCASE", query.instance_type)
    if query.exclude_suspect:
        terms.add("suspect IS NULL")
    _without(terms, query.exclude_gpus)
    return terms


def of_tiers(terms: Terms, wanted: Sequence[str]) -> None:
    """`secure` is all but other people's machines, an untold tier included; others are meant exactly."""
    if "secure" not in wanted:
        if wanted:
            terms.among("tier", wanted)
    elif unwanted := [tier for tier in ("community", "marketplace") if tier not in wanted]:
        terms.among("tier", unwanted, absent=True)


def _prices(terms: Terms, query: OfferFilter) -> None:
    price = per_hour(query) if query.per_instance else per_gpu_hour(query)
    if query.min_price is not None:
        terms.add(f"{price}>=?", query.min_price)
    if query.max_price is not None:
        terms.add(f"{price}<=?", query.max_price)


def _without(terms: Terms, readings: Iterable[Reading]) -> None:
    for name, memory, _ in readings:
        if memory is None:
            terms.add("gpu IS NOT ?", name)
        else:
            terms.add("NOT (gpu IS ? AND gpu_memory_gib IS ?)", name, memory)


def _places(terms: Terms, wanted: Sequence[Wanted], *, absent: bool) -> None:
    """Few places, many offers: the places are looked through once."""
    needles = [needle for one in wanted for needle in one.needles]
    match = " OR ".join(["instr(places, ?)"] * len(needles))
    sign = "NOT IN" if absent else "IN"
    terms.add(f"place_id {sign} (SELECT id FROM place WHERE {match})", *needles)
