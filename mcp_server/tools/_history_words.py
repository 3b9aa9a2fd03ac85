"""Price history in words: how good today's price is, what changed, and why nothing may have been found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cloudtop import steps
from cloudtop.store.offers import OfferFilter
from mcp_server.harvest import LISTS
from mcp_server.tools._history_groups import WINDOWS, Group, Span, judged, moment

if TYPE_CHECKING:
    from cloudtop.store.trends import Line
    from mcp_server.result import Ctx
    from mcp_server.tools._history_question import Question

JUDGED = 3
"""For so many GPUs it is said how good today's price is."""

_ENOUGH_DAYS = 1.0
"""A history shorter than this judges nothing."""

_NOW_S = 3600.0
"""A look so long ago is still now."""


def best(lines: list[Line], seen: Mapping[int, float]) -> list[Group]:
    """For each GPU the seller that is cheapest in the end, spot and on-demand apart; the cheapest first."""
    found: dict[tuple[str, float | None, str, bool], list[Line]] = {}
    for line in lines:
        found.setdefault((line.gpu, line.gpu_memory_gib, line.provider, line.spot), []).append(line)
    groups = [Group(key, one, seen) for key, one in found.items()]
    priced = sorted(
        (one for one in groups if one.cheapest.low is not None), key=lambda one: one.cheapest.low or 0.0
    )
    firsts = {one.cheapest.gpu: one for one in reversed(priced)}
    return sorted(firsts.values(), key=lambda one: one.cheapest.low or 0.0)[:JUDGED]


def standing(ctx: Ctx, group: Group, drawn: list[steps.Hold], span: Span) -> str:
    """`A100 80 GB at Vast.ai, spot, now $0.62/GPU-hour: cheaper than 83 % of the last 30 days (…).`"""
    line, price = group.cheapest, group.cheapest.low
    assert price is not None
    memory = f" {line.gpu_memory_gib:g} GB" if line.gpu_memory_gib else ""
    kind = "spot" if line.spot else "on-demand"
    told = ", by a price list," if line.origin.provider == LISTS else ""
    seller = ctx.fleet.standing.title(line.provider)
    at = min(group.seen_at, span.end)
    current = span.end - at <= _NOW_S and span.end >= ctx.now.timestamp() - _NOW_S
    when = "now" if current else f"as of {moment(at)}"
    figure = f"{line.gpu}{memory} {kind} at {seller}{told} {when} {_usd(price)}/GPU-hour"
    return f"{figure}: {'; '.join(_judgements(drawn, price, span))}."


def _usd(price: float) -> str:
    """`$0.62`, `$0.1053`: at least cents."""
    return f"${price:.2f}" if round(price, 2) == round(price, 6) else f"${price:.4g}"


def _judgements(drawn: list[steps.Hold], price: float, span: Span) -> Iterator[str]:
    """One phrase for each window that shows more than the one before."""
    shown = 0.0
    for days in WINDOWS:
        found = judged(drawn, price, span.end, days)
        covered = found[f"days_covered_{days}d"]
        if shown and covered < shown + _ENOUGH_DAYS:
            return
        if covered < _ENOUGH_DAYS:
            yield f"{_covered(covered)} of history here, too little to judge it"
            return
        shown = covered
        below, above = found[f"percentile_{days}d"], found[f"cheaper_than_{days}d"]
        yield f"{_judgement(below, above)} the last {days} days{_cover(covered, days)}"


def _judgement(below: float, above: float) -> str:
    if not above and not below:
        return "the same all through"
    if above >= below:
        return f"cheaper than {_percent(above)} of"
    return f"dearer than {_percent(below)} of"


def _percent(share: float) -> str:
    """Whole percent, but never all of it or none of it unless it is."""
    return f"{min(max(round(share), 1), 99) if 0 < share < 100 else round(share)} %"


def _cover(covered: float, days: int) -> str:
    return "" if covered >= days - 0.05 else f" ({_covered(covered)} of history here)"


def _covered(days: float) -> str:
    if days >= 1:
        return f"{days:.0f} day{'s' if round(days) != 1 else ''}"
    hours = days * 24
    return f"{hours:.0f} hour{'s' if round(hours) != 1 else ''}" if hours >= 1 else "less than an hour"


def what_changed(lines: list[Line], span: Span) -> str:
    """How many series moved, began or ended in that time."""
    new = sum(1 for line in lines if span.is_new(line))
    moved = sum(1 for line in lines if line.points(span.start) > 1)
    gone = sum(1 for line in lines if line.low is None)
    said = [f"{moved} changed"] + [f"{n} {word}" for n, word in ((new, "new"), (gone, "sold out")) if n]
    return f"{len(lines)} series in that time: {', '.join(said)}."


def nothing_recorded(ctx: Ctx, asked: Question, origins: list[str]) -> str:
    """Why no price of the past was found: the filters, the GPU, the time, or because nothing is recorded."""
    start, end = asked.interval.start, asked.interval.end
    for wider, said in (
        (OfferFilter(gpus=asked.series.gpus), "No recorded price of that time matches all filters"),
        (OfferFilter(), "No price of these GPUs is recorded for that time"),
    ):
        if found := ctx.store.price_lines(wider, start, end, origins):
            return f"{said}; without them there would be {len(found)} series."
    return "No prices of that time are recorded: the history begins with the first question asked."
