"""Series of prices put together: how the lowest price of each group went, and how good today's is.

Everything is weighted by time, since a point holds until the next one; the last one holds as long as somebody
has looked. Percentiles are of the time that is covered, and say how long that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cloudtop import steps
from cloudtop.models import iso
from cloudtop.store.history import Origin
from mcp_server.tools._history_origins import source_of

if TYPE_CHECKING:
    from cloudtop.store.trends import Line, Step

WINDOWS = (30, 90)
"""The last so many days in which a price is judged."""

ONE_ROUND_S = 3600.0
"""Places asked for the first time within an hour of each other were asked together."""

GROUP_BY = ("series", "gpu", "provider", "region", "tier", "spot")
_STOOD = "group count min median max first last delta delta_percent change changes"
_JUDGED = " ".join(f"percentile_{days}d cheaper_than_{days}d days_covered_{days}d" for days in WINDOWS)
_SERIES = "provider account gpu gpu_memory_gib region tier spot source fetched_at"
GROUP_FIELDS = tuple(f"{_STOOD} {_JUDGED} last_at {_SERIES}".split())
"""The fields of a group: how it stood, how its price is judged, and its cheapest series in the end."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time of a question: `end` is now, or when the asked time was over.

    `looked`: when a place was first asked for a GPU; a series that begins later is new there.
    """

    start: float
    end: float
    looked: Mapping[tuple[Origin, str], float] = field(default_factory=dict)

    @property
    def since(self) -> float:
        """From when on points are needed to judge a price."""
        return min(self.start, self.end - max(WINDOWS) * steps.DAY_S)

    def look(self, line: Line) -> float:
        """When the place of a series was first asked for its GPU."""
        return self.looked.get((line.origin, line.gpu), line.began)

    def is_new(self, line: Line) -> bool:
        """Whether a series came up in this time, at a place that had been looked at before."""
        return line.began > max(self.start, self.look(line) + ONE_ROUND_S)

    def known(self, line: Line) -> float:
        """From when on a series is compared: a place may give its first look in parts, one after another."""
        return line.began if line.began <= self.look(line) + ONE_ROUND_S else self.look(line)


def first_looks(lines: list[Line]) -> dict[tuple[Origin, str], float]:
    """When each place was first asked for each GPU, as far as series tell."""
    found: dict[tuple[Origin, str], float] = {}
    for line in lines:
        key = (line.origin, line.gpu)
        found[key] = min(found.get(key, line.began), line.began)
    return found


@dataclass(slots=True)
class Group:
    """Some series under one name. `seen`: until when each was looked at."""

    name: Any
    lines: list[Line]
    seen: Mapping[int, float]

    @property
    def seen_at(self) -> float:
        """Until when the group is known."""
        return max(self.seen[line.id] for line in self.lines)

    @property
    def cheapest(self) -> Line:
        """The series with the lowest price at the end; the one seen last when all are sold out."""
        last = self.seen_at
        known = [line for line in self.lines if self.seen[line.id] == last]
        return min(known, key=lambda line: (line.low is None, line.low or 0.0))

    def alike(self, span: Span) -> tuple[Group, float]:
        """The series of places that were asked from the beginning on, and when all of them had been.

        A place that is asked for the first time later on tells a price; that is no move of the market.
        """
        begin = max(span.start, min(map(span.look, self.lines)))
        old = [line for line in self.lines if span.look(line) <= begin + ONE_ROUND_S]
        return Group(self.name, old, self.seen), max(begin, *map(span.known, old))

    def drawn(self, points: Mapping[int, list[Step]]) -> list[steps.Hold]:
        """The lowest price of the group at any moment for which points are at hand."""
        return steps.lowest(steps.holds(points.get(line.id, []), self.seen[line.id]) for line in self.lines)


def groups(lines: list[Line], by: str, seen: Mapping[int, float]) -> list[Group]:
    """The series by what they have in common, in the order in which they come."""
    found: dict[Any, list[Line]] = {}
    for line in lines:
        found.setdefault(line.id if by == "series" else getattr(line, by), []).append(line)
    return [Group(named(one[0]) if by == "series" else key, one, seen) for key, one in found.items()]


def named(line: Line) -> str:
    """A series in words: `vast A100 80 GB us-east secure spot`."""
    memory = f"{line.gpu_memory_gib:g} GB" if line.gpu_memory_gib else None
    kind = "spot" if line.spot else "on-demand"
    return " ".join(filter(None, (line.provider, line.gpu, memory, line.region, line.tier, kind)))


def row(group: Group, points: Mapping[int, list[Step]], span: Span, stale: set[Origin]) -> dict[str, Any]:
    """One group as a row of the result."""
    drawn = group.drawn(points)
    shown = steps.clipped(drawn, span.start, span.end)
    alike, since = group.alike(span)
    compared = steps.clipped(alike.drawn(points), max(map(span.known, alike.lines)), span.end)
    moved = steps.clipped(compared, since, span.end)
    line, at = group.cheapest, min(group.seen_at, span.end)
    first, last, then = (moved[0][2] if moved else None), line.low, alike.cheapest.low
    delta = None if first is None or then is None else round(then - first, 12)
    prices = [value for _, _, value in shown]
    made: dict[str, Any] = {
        "group": {True: "spot", False: "on-demand"}.get(group.name, group.name),
        "count": len(group.lines),
        "min": min(prices, default=None),
        "median": None if not shown else round(steps.median(shown) or 0.0, 12),
        "max": max(prices, default=None),
        "first": first,
        "last": last,
        "delta": delta,
        "delta_percent": None if delta is None or not first else round(100 * delta / first, 2),
        "change": _change(alike, moved, span, delta),
        "changes": _moves(moved, min(alike.seen_at, span.end)),
    }
    for days in WINDOWS:
        made |= judged(compared, last, span.end, days)
    made["last_at"] = moment(at)
    made["fetched_at"] = moment(line.latest if line.over else at)
    for name in ("provider", "gpu", "gpu_memory_gib", "region", "tier", "spot"):
        made[name] = getattr(line, name)
    made["account"] = line.origin.account
    made["source"] = "stale" if line.origin in stale else source_of(line.origin)
    return {name: made[name] for name in GROUP_FIELDS}


def _change(group: Group, shown: list[steps.Hold], span: Span, delta: float | None) -> str:
    """What became of the lowest price in one word."""
    if group.cheapest.low is None:
        return "sold_out"
    if all(map(span.is_new, group.lines)):
        return "new"
    known = any(line.began <= span.start for line in group.lines)
    if known and (not shown or shown[0][0] > span.start):
        return "back"
    return "same" if not delta else "up" if delta > 0 else "down"


def _moves(shown: list[steps.Hold], at: float) -> int:
    """How often the lowest price moved, went away or came back."""
    gaps = sum(1 for before, after in pairwise(shown) if before[1] < after[0])
    gone = 1 if shown and shown[-1][1] < at else 0
    return max(len(shown) - 1, 0) + gaps + gone


def judged(drawn: list[steps.Hold], price: float | None, end: float, days: int) -> dict[str, Any]:
    """How a price stands in the last `days`: percent of the covered time below it, and above it."""
    line = steps.clipped(drawn, end - days * steps.DAY_S, end)
    shares = None if price is None else steps.shares(line, price)
    below, above = (None, None) if shares is None else map(_percent, shares)
    return {
        f"percentile_{days}d": below,
        f"cheaper_than_{days}d": above,
        f"days_covered_{days}d": round(steps.days(line), 3),
    }


def _percent(share: float) -> float:
    """Percent to one place; all and nothing only where it is all or nothing."""
    return round(100 * share, 1) if share in (0.0, 1.0) else min(max(round(100 * share, 1), 0.1), 99.9)


def moment(at: float) -> str:
    """A time of the store as rows write it."""
    return str(iso(datetime.fromtimestamp(at, UTC)))
