"""DigitalOcean's monitoring: what was measured of Droplets by their agent and of MySQL clusters.

Each question is about one thing and one of its measures; the answer is a matrix as Prometheus writes it, with
values as text. How a metric comes out of measures is told in the facts: `from` names them, `as` says how.
`busy`: counters of seconds in each mode, of which the difference between two samples counts. `used` and
`used_percent`: what is not free of the whole. Of several file systems the root counts. Bandwidth is in
megabits a second, public and private apart. A Droplet without the agent tells nothing; GPUs tell nothing at
all. Source: DigitalOcean's OpenAPI document (Monitoring).
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from connectors.digitalocean_base import Ocean
from connectors.rows import each, inner

METRICS = "/v2/monitoring/metrics"
LEAD = timedelta(minutes=15)
"""How much earlier is asked: a counter's first difference needs a sample before it."""
ROOT = "/"
FIGURE = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
"""A value, which is text here; the bytes of a large machine may be of any number."""
WHOSE = {"instance": "host_id", "database": "db_id"}
"""How a question names what it is about."""

Points = dict[int, float]
"""Values by seconds since 1970."""
Lines = list[tuple[Mapping[str, Any], Points]]
"""The series of an answer, each with its labels."""


class Metrics(Ocean):
    """What DigitalOcean measured."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these resources; those without any point are left out."""
        facts = self.facts.metrics.get(wanted.type, {})
        told = {name: facts[name] for name in wanted.metrics if name in facts}
        measures = dict.fromkeys(one for about in told.values() for one in about["from"])
        ids = [one.id for one in wanted.targets if measured(wanted.type, one)]
        asks = [(one, name) for one in ids for name in measures]

        async def ask(what: tuple[str, str]) -> Lines:
            return await self._read(scope, wanted, *what)

        found = dict(zip(asks, await self.each(asks, ask), strict=True))
        yield [
            Series(one, name, points)
            for one in ids
            for name, about in told.items()
            if (points := stepped(wanted, made(about, [found[one, part] for part in about["from"]])))
        ]

    async def _read(self, scope: Scope, wanted: MetricQuery, identity: str, measure: str) -> Lines:
        """One measure of one thing: `droplet/bandwidth?interface=public&direction=inbound`."""
        path, _, query = measure.partition("?")
        whose = {WHOSE[wanted.type]: identity}
        start, end = (str(int(at.timestamp())) for at in (wanted.start - LEAD, wanted.end))
        answer = await self.http.json(
            "GET",
            f"{METRICS}/{path}",
            params={**whose, **dict(parse_qsl(query)), "start": start, "end": end},
            operation=f"read {path}",
            account=scope.account,
        )
        self.records(answer, "data", "result")
        lines = each(answer, "data", "result")
        return [(inner(line, "metric") or {}, points_of(line.get("values"))) for line in lines]


def measured(kind: str, one: Target) -> bool:
    """Whether a thing is measured at all: of databases only MySQL is."""
    return kind != "database" or "mysql" in str(one.details.get("engine"))


def points_of(values: Any) -> Points:
    """The points of a series; a value that is no number is none."""
    pairs = values if isinstance(values, list) else []
    return {
        int(at): float(value)
        for at, value in (pair for pair in pairs if isinstance(pair, list) and len(pair) == 2)
        if isinstance(at, int | float) and FIGURE.fullmatch(str(value))
    }


def made(about: Mapping[str, Any], answers: Sequence[Lines]) -> Points:
    """A metric out of the answers to what it comes from."""
    how, times = about.get("as", "sum"), about.get("times", 1.0)
    if how == "busy":
        return busy(answers[0])
    parts = [whole(lines) for lines in answers]
    if how == "sum":
        # What is told of one interface alone is all that there was.
        every = {at for part in parts for at in part}
        return {at: times * math.fsum(part.get(at, 0.0) for part in parts) for at in every}
    free, size = parts
    used = {at: size[at] - free[at] for at in free.keys() & size.keys() if size[at] > 0}
    return used if how == "used" else {at: 100.0 * value / size[at] for at, value in used.items()}


def whole(lines: Lines) -> Points:
    """The series of the root where there are several file systems, else all together."""
    root = [points for labels, points in lines if labels.get("mountpoint") == ROOT]
    chosen = root or [points for _, points in lines]
    shared = set.intersection(*map(set, chosen)) if chosen else set()
    return {at: math.fsum(points[at] for points in chosen) for at in shared}


def busy(lines: Lines) -> Points:
    """Percent of the time between two samples that was not idle; a restart of the counters tells nothing."""
    every = whole(lines)
    idle = whole([(labels, points) for labels, points in lines if labels.get("mode") == "idle"])
    found = {}
    for begin, end in pairwise(sorted(every.keys() & idle.keys())):
        passed, rested = every[end] - every[begin], idle[end] - idle[begin]
        if passed > 0 and 0 <= rested <= passed:
            found[begin] = 100.0 * (1 - rested / passed)
    return found


def stepped(wanted: MetricQuery, points: Points) -> tuple[tuple[datetime, float], ...]:
    """One value for each step that has samples, as the question's statistic says."""
    start, end = int(wanted.start.timestamp()), int(wanted.end.timestamp())
    steps: dict[int, list[float]] = {}
    for at in sorted(at for at in points if start <= at < end):
        steps.setdefault((at - start) // wanted.step_s, []).append(points[at])
    return tuple(_told(wanted.stat, steps, start, wanted.step_s))


def _told(
    stat: str, steps: Mapping[int, list[float]], start: int, step_s: int
) -> Iterator[tuple[datetime, float]]:
    for step, values in steps.items():
        yield datetime.fromtimestamp(start + step * step_s, UTC), combined(stat, values)


def combined(stat: str, values: Sequence[float]) -> float:
    """Samples of one step as one value; a percentile is the nearest rank."""
    if stat.startswith("p"):
        rank = math.ceil(float(stat[1:]) / 100 * len(values))
        return sorted(values)[max(rank, 1) - 1]
    if stat == "avg":
        return math.fsum(values) / len(values)
    if stat == "last":
        return values[-1]
    return {"max": max, "min": min}.get(stat, math.fsum)(values)
