"""The answer to a price question: rows with their source and totals, and what must be said beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_server.result import Rows
from mcp_server.tools._history_origins import source_of
from mcp_server.tools._price_fields import FIELDS, POINT_FIELDS
from mcp_server.tools._price_question import Question

if TYPE_CHECKING:
    from cloudtop.store.offers import LeftOut, OfferFilter, OfferPage
    from mcp_server.fleet import Harvest
    from mcp_server.result import Ctx
    from mcp_server.tools._price_question import Totals

TIES = 10
"""How many rows are looked at for offers that share the lowest price, though fewer be asked for."""

LEFT_OUT = {
    "fractional": "{n} for shares of a GPU; fractional=true shows them",
    "sold_out": "{n} known to be sold out",
    "modified": "{n} on boards with another memory than the maker's; asking for that memory shows them",
    "unpriced": "{n} without a price",
    "shipped_superseded": "{n} of the shipped price list, because a fresher source speaks for the seller",
    "several": "{n} for more than one such reason",
    "unrated": "{n} of GPUs for which no FP8 figure is known, most because they do not calculate in FP8",
}
VALUES = {
    "gib": "GiB of GPU memory",
    "tflop": "teraflop of dense BF16",
    "tflop_fp8": "teraflop of dense FP8",
}
"""What `rank_by` divides a price by."""

PLACE_CHARS = 30
"""A region's name is shorter."""

WHY = {"fractional": "fractional", "sold_out": "sold out", "modified": "modified board"}
UNITS = {"gpu_hour": "usd_per_gpu_hour", "hour": "usd_per_hour"}
"""The figure of a row that `rank_by` compares, where it is one."""


def rows(ctx: Ctx, question: Question, harvest: Harvest, page: OfferPage, limit: int) -> Rows:
    """The result of one page of offers. `as_of` is the oldest moment for which a figure shown here held."""
    now = ctx.clock.now()
    kept = page.rows[:limit]
    readings = {(one["_scope_id"], one["_fetched_at"]) for one in kept}
    labels = {key: harvest.label(page.scopes[key[0]], key[1], now) for key in readings}
    made = [_row(one, question.totals, labels) for one in kept]
    notices = [*question.notices, *_said(question, harvest, page, made, ctx.now, first=ctx.offset == 0)]
    return Rows(
        rows=made,
        sources=harvest.speaking,
        missing=harvest.missing,
        applied=question.applied,
        notices=notices,
        total=page.total,
        shape="offer",
        as_of=min((at for one in kept if (at := _held_at(one))), default=None),
        undated=bool(kept) and not any(_held_at(one) for one in kept),
        expires_at=harvest.expires_at,
    )


def _row(
    one: dict[str, Any], totals: Totals | None, labels: dict[tuple[int, datetime], str]
) -> dict[str, Any]:
    """One offer in the order of its fields."""
    one["usd_total"] = usd_total(one, totals) if totals else None
    one["source"] = labels[one["_scope_id"], one["_fetched_at"]]
    return {name: one[name] for name in FIELDS}


def usd_total(row: dict[str, Any], totals: Totals) -> float | None:
    """Hours of the instances, whose price holds their disk already, and the traffic out of each.

    A seller that bills at least so many hours is paid for them.
    """
    hourly = row["usd_per_hour"]
    if hourly is None:
        return None
    hours = max(totals.hours, row["min_hours"] or 0.0)
    traffic = totals.egress_gb * (row["egress_usd_per_gb"] or 0.0)
    return float(round(totals.nodes * (hours * hourly + traffic), 6))


def _held_at(row: dict[str, Any]) -> datetime | None:
    """When the figure held for sure: when the seller says so, else when it was read; never told by a list."""
    if row["as_of"]:
        return datetime.fromisoformat(row["as_of"])
    if row["source"] == "list":
        return None
    read: datetime = row["_fetched_at"]
    return read


def _said(
    question: Question,
    harvest: Harvest,
    page: OfferPage,
    made: list[dict[str, Any]],
    now: datetime,
    *,
    first: bool,
) -> Iterable[str]:
    yield from left_out(page.counts)
    if first and question.sort == ("price", False):
        yield from cheaper(page.cheaper)
        yield from _ties(question, page, len(made))
        yield from _worth(question, made)
    yield from _unknown_parts(question.totals, made)
    if suspect := sum(1 for row in made if row["suspect"]):
        verb = "is" if suspect == 1 else "are"
        yield f"{suspect} of the prices shown {verb} doubtful: the column suspect says why."
    yield from old(harvest, made, now)


def left_out(counts: dict[str, int]) -> Iterable[str]:
    """What the default rules left out, in one sentence."""
    parts = [text.format(n=counts[name]) for name, text in LEFT_OUT.items() if counts.get(name)]
    if parts:
        total = sum(counts[name] for name in LEFT_OUT if counts.get(name))
        yield f"Left out: {total} offer{'s' if total != 1 else ''} ({'; '.join(parts)})."


def cheaper(found: Sequence[LeftOut]) -> Iterable[str]:
    """What costs less than the first row and is not shown, and why; and what has no price to compare."""
    priced = [
        f"{_machine(one)} for {_usd(one.usd_per_hour)} an hour ({_why(one)})"
        for one in found
        if one.usd_per_hour
    ]
    if priced:
        yield f"Cheaper but left out: {'; '.join(priced)}."
    if unpriced := [_machine(one) for one in found if not one.usd_per_hour]:
        yield f"Left out without a price to compare: {'; '.join(unpriced)}."


def _machine(one: LeftOut) -> str:
    """`1/8 of an A10 at azure`, `8 x H100 on spot at vast`."""
    from fractions import Fraction

    gpu = one.gpu or one.gpu_raw
    if "modified" in one.rules and one.gpu_memory_gib:
        gpu += f" with {one.gpu_memory_gib:g} GiB"
    article = "an" if gpu[0].upper() in "AEFHILMNORSX" else "a"
    if one.gpu_count < 1:
        gpu = f"{Fraction(one.gpu_count).limit_denominator(16)} of {article} {gpu}"
    elif one.gpu_count == 1:
        gpu = f"{article} {gpu}"
    else:
        gpu = f"{one.gpu_count:g} x {gpu}"
    return f"{gpu}{' on spot' if one.spot else ''} at {one.seller}"


def _why(one: LeftOut) -> str:
    return ", ".join(WHY[rule] for rule in one.rules if rule in WHY)


def _usd(value: float) -> str:
    """A price with two decimals, more where they tell something: $1.50, $3.5835, $0.0812."""
    text = f"{value:.4f}".rstrip("0") if value >= 0.01 else f"{value:.3g}"
    whole, _, part = text.partition(".")
    return f"${whole}.{part:0<2}"


def _where(row: dict[str, Any]) -> str:
    """The place of a row as a notice may name it: a seller's long text is not for a sentence of ours."""
    region = row["region"] if len(row["region"] or "") <= PLACE_CHARS else row["country"]
    return f", {region}" if region else ""


def _ties(question: Question, page: OfferPage, shown: int) -> Iterable[str]:
    """Whether the cheapest has company and what comes next, on a page of one too."""
    key = UNITS.get(question.offers.rank_by)
    if key is None or not page.rows:
        return
    lowest = round(page.rows[0][key], 9)
    same = sum(1 for row in page.rows if round(row[key], 9) == lowest)
    if same > 1:
        least = "At least " if same == len(page.rows) < page.total else ""
        yield f"{least}{same} offers share the lowest price of {_usd(lowest)}."
    if shown <= same < len(page.rows):
        after = page.rows[same]
        unit = "a GPU-hour" if key == "usd_per_gpu_hour" else "an hour"
        yield f"Next best: {_usd(after[key])} {unit} at {after['provider']}{_where(after)}."


def _worth(question: Question, made: Sequence[dict[str, Any]]) -> Iterable[str]:
    """What was ranked by, of the first row: a price of an hour alone does not show it."""
    unit = VALUES.get(question.offers.rank_by)
    if unit is None or not made:
        return
    first = made[0]
    known = dict(question.offers.tflops).get(first["gpu"])
    amount = first["gpu_memory_gib"] if question.offers.rank_by == "gib" else known
    if amount:
        yield f"The first costs {_usd(first['usd_per_gpu_hour'] / amount)} an hour for each {unit}."


def _unknown_parts(totals: Totals | None, made: list[dict[str, Any]]) -> Iterable[str]:
    """Whose totals are of more hours than asked, or lack a part whose price the seller does not tell."""
    if totals is None:
        return
    longer = {(row["provider"], row["min_hours"]) for row in made if (row["min_hours"] or 0) > totals.hours}
    for seller, hours in sorted(longer):
        asked = f"{totals.hours:g}"
        yield f"{seller} bills at least {hours:g} hours: its usd_total is for those, not for {asked}."
    for wanted, field, noun in (
        (totals.disk_gb, "disk_usd_per_gb_month", "disk"),
        (totals.egress_gb, "egress_usd_per_gb", "outgoing traffic"),
    ):
        sellers = sorted({row["provider"] for row in made if row[field] is None}) if wanted else []
        if sellers:
            yield f"The {noun} price of {', '.join(sellers)} is not known: their figures are without it."
    if totals.disk_gb and any(row["disk_usd_per_gb_month"] for row in made):
        yield f"Prices hold {totals.disk_gb:g} GB of disk; price_raw is the seller's figure without it."


def old(harvest: Harvest, made: list[dict[str, Any]], now: datetime) -> Iterable[str]:
    """Which of the shown figures are not today's."""
    stale = sorted({row["provider"] for row in made if row["source"] == "stale"})
    for provider in stale:
        mine = [row["fetched_at"] for row in made if row["provider"] == provider and row["source"] == "stale"]
        yield f"Prices of {provider} are as of {min(mine)}, older than their time to live."
    dated = [row["as_of"] for row in made if row["source"] == "list" and row["as_of"]]
    if dated:
        age = (now - datetime.fromisoformat(min(dated))).days
        if age > 0:
            oldest = min(dated)[:10]
            yield f"Rows of price lists are not live: the oldest shown is as of {oldest}, {age} days ago."
    undated = sum(1 for row in made if row["source"] == "list" and not row["as_of"])
    if undated:
        rows_bear = "row of price lists bears" if undated == 1 else "rows of price lists bear"
        yield f"{undated} {rows_bear} no date."


def groups(
    ctx: Ctx,
    question: Question,
    harvest: Harvest,
    found: list[dict[str, Any]],
    oldest: OfferPage,
    limit: int,
) -> Rows:
    """The result of group_by; `oldest` is the offer whose figure is the oldest of all groups."""
    whole = rows(ctx, question, harvest, oldest, 1)
    notices = [*question.notices, *left_out(oldest.counts), *old(harvest, whole.rows, ctx.now)]
    read_at = min((one.fetched_at for one in harvest.speaking), default=None)
    return replace(
        whole,
        rows=found[ctx.offset : ctx.offset + limit],
        notices=notices,
        total=len(found),
        shape="group",
        as_of=None if whole.undated else min((one for one in (whole.as_of, read_at) if one), default=None),
    )


def points(ctx: Ctx, question: Question, harvest: Harvest, page: OfferPage, past: OfferFilter) -> Rows:
    """The result of time: the prices in force during the interval, one row per change; sold out is one."""
    for one in page.rows:
        one["source"] = source_of(one["_origin"])
        one["fetched_at"] = one["time"]
    notices = list(question.notices)
    if not page.total:
        notices.append(_no_points(ctx, question, past))
    if listed := sum(1 for one in page.rows if one["source"] == "list"):
        rows_are = "row is" if listed == 1 else "rows are"
        notices.append(
            f"{listed} {rows_are} of price lists: time is when the list was read, not when the price held."
        )
    return Rows(
        rows=[{name: one[name] for name in POINT_FIELDS} for one in page.rows],
        sources=harvest.speaking,
        missing=harvest.missing,
        applied=question.applied,
        notices=notices,
        total=page.total,
        shape="point",
        expires_at=harvest.expires_at,
    )


def _no_points(ctx: Ctx, question: Question, past: OfferFilter) -> str:
    """Why no price of the past was found: the filters, the GPU, or because nothing is recorded at all."""
    interval = question.interval
    assert interval is not None
    nothing = type(past)(limit=1)
    for wider, said in (
        (replace(nothing, gpus=past.gpus), "No recorded price of that time matches all filters"),
        (nothing, "No price of these GPUs is recorded for that time"),
    ):
        total = ctx.store.price_points(wider, interval.start, interval.end, shape="point").total
        if total:
            return f"{said}; without them there would be {total}."
    return "No prices of that time are recorded: the history begins with the first question asked."
