"""Cloud Monitoring: what was measured of instances, GPUs, functions, services, databases, buckets, clusters.

Which metric stands for what is told in the facts (`metrics`). A request asks for one metric of many
resources, and has Google make one value for each step. Shares of one come as fractions or as percent; the
answer says which. GPUs and memory are told where the Ops Agent runs; temperature and power of GPUs where it
collects DCGM. A metric that nothing in the project ever wrote is not known to Google, which is no error.
Buckets are measured once a day. Source: the Cloud Monitoring API v3, timeSeries.list.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cloudtop import metrics as known
from cloudtop.errors import NotFound
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from connectors.gcp_base import Google, next_token
from connectors.gcp_measured import (
    DAY_S,
    Told,
    aggregation,
    called,
    filters,
    scale,
    sources_of,
    told_by,
)
from connectors.gcp_rows import moment
from connectors.rows import Record, each, inner

SERIES = "/v3/projects/{project}/timeSeries"
POINTS = 50_000
"""Of one page."""
TARGETS = 500
"""Resources that are asked for together."""
LATE = timedelta(days=3)
"""How far back the newest daily point may be."""
VALUES = (("doubleValue",), ("int64Value",), ("distributionValue", "mean"))
"""Where a point's value may stand."""
WRITTEN = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
"""A number, which may be text where it is a count; a size may be of any size."""
NEVER_WRITTEN = "Cannot find metric"

Found = dict[tuple[str, str | None], dict[datetime, float]]
"""By resource and device: the points."""


@dataclass(slots=True)
class Line:
    """One metric of several resources, as one source tells it, and what came."""

    metric: str
    told: Told
    targets: Mapping[str, str]
    start: datetime
    end: datetime
    period_s: int
    found: Found = field(default_factory=dict)

    def keep(self, one: Record) -> None:
        """Take one series of an answer."""
        target = self.targets.get(str(inner(one, "resource", "labels", self.told.source.by)))
        if target is None:
            return
        device = inner(one, "metric", "labels", self.told.device) if self.told.device else None
        times = scale(known.metrics()[self.metric].unit, self.told, one.get("unit"))
        points = self.found.setdefault((target, str(device) if device is not None else None), {})
        for point in each(one, "points"):
            ended, value = moment(inner(point, "interval", "endTime")), value_of(point)
            if ended is not None and value is not None:
                points[ended - timedelta(seconds=self.period_s)] = value * times


class Metrics(Google):
    """What Cloud Monitoring measured."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these resources; those without any point are left out."""
        project = await self.project(scope.account)
        for at in range(0, len(wanted.targets), TARGETS):
            lines = list(self._lines(wanted, wanted.targets[at : at + TARGETS], project))
            await self.each(lines, lambda line: self._read(scope, line, wanted.stat))
            yield series(lines, wanted.start)

    def _lines(self, wanted: MetricQuery, targets: Sequence[Target], project: str) -> list[Line]:
        """What is to be asked for."""
        lines = []
        for metric in wanted.metrics:
            for source, told in told_by(self.facts.metrics.get(wanted.type, {}).get(metric, {})).items():
                mine = [one for one in targets if source in sources_of(wanted.type, one)]
                if mine:
                    ids = {called(told, one, project): one.id for one in mine}
                    lines.append(line(wanted, metric, told, ids))
        return lines

    async def _read(self, scope: Scope, line: Line, stat: str) -> None:
        """Ask for a line, by the next of its names while nothing came."""
        unit = known.metrics()[line.metric].unit
        about = aggregation(line.told, unit, stat, line.period_s)
        about |= {"interval.startTime": written(line.start), "interval.endTime": written(line.end)}
        for name in line.told.names:
            for wanted in filters(line.told, name, list(line.targets), scope.region):
                await self._read_one(scope, line, {**about, "filter": wanted, "pageSize": POINTS})
            if any(line.found.values()):
                return

    async def _read_one(self, scope: Scope, line: Line, about: Mapping[str, Any]) -> None:
        async def ask(token: str | None) -> Any:
            return await self.rest(scope, "monitoring", SERIES, **about, pageToken=token)

        try:
            async for answer in self.paged(ask, next_token):
                for one in each(answer, "timeSeries"):
                    line.keep(one)
                if each(answer, "executionErrors"):
                    message = "Google Cloud could not read some series."
                    self.note(
                        scope, message, "Ask again; if it stays so, ask for less at once.", "unavailable"
                    )
        except NotFound as error:
            if NEVER_WRITTEN not in error.message:
                raise


def line(wanted: MetricQuery, metric: str, told: Told, ids: Mapping[str, str]) -> Line:
    """What to ask for one metric: whole steps that end with the question's end."""
    every_s = told.source.every_s
    period_s = min(-(-wanted.step_s // every_s) * every_s, DAY_S)
    start = min(wanted.start, wanted.end - LATE) if every_s >= DAY_S else wanted.start
    steps = -(-int((wanted.end - start).total_seconds()) // period_s)
    return Line(metric, told, ids, wanted.end - timedelta(seconds=steps * period_s), wanted.end, period_s)


def series(lines: Sequence[Line], start: datetime) -> list[Series]:
    """The lines as series; of what is told once a day at least the newest point. The first source counts."""
    made: dict[tuple[str, str, str | None], Series] = {}
    for one in lines:
        for (target, device), points in one.found.items():
            ordered = sorted(points.items())
            since = [point for point in ordered if point[0] > start - timedelta(seconds=one.period_s)]
            if kept := since or ordered[-1:]:
                key = target, one.metric, device
                made.setdefault(key, Series(target, one.metric, tuple(kept), device))
    return list(made.values())


def value_of(point: Record) -> float | None:
    """The value of a point: a number, a count as text, or the mean of a distribution."""
    told = (inner(point, "value", *path) for path in VALUES)
    for value in told:
        if isinstance(value, str | int | float) and WRITTEN.fullmatch(str(value)):
            return float(value)
    return None


def written(at: datetime) -> str:
    """A moment as the API takes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
