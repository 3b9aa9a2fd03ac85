"""CloudWatch: what was measured of instances, GPUs, volumes, functions, buckets, databases, load balancers.

Which metric stands for what is told in the facts (`metrics`): its names, the first that has points counting;
`counted` where a sample is how much there was since the last one; `times` into our unit. A series is asked
for by its exact dimensions. Those of the agent, and the storage classes of buckets, are looked up first
(`listed`). AWS keeps a minute for 15 days, five for 63 and an hour for 15 months, and an instance
without detailed monitoring tells five minutes at a time: no finer step is asked for. S3 tells once a day, a
day or two late. Source: the CloudWatch API reference.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cloudtop import metrics as known
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from cloudtop.text import plural
from connectors.aws_base import Amazon
from connectors.aws_measured import (
    DAY_S,
    Pairs,
    Told,
    dimensions,
    listed_dimensions,
    measure,
    sources_of,
    told_by,
)

QUERIES, DATAPOINTS = 500, 100_800
"""Of one call: series asked for, and points told in one answer."""
TARGETS = 500
"""Resources that are asked for together."""
KEPT = ((15, 60), (63, 300), (455, 3_600))
"""Up to so many days back, points so many seconds apart are kept."""
BASIC_S = 300
"""How often an instance tells that is not monitored in detail."""

LATE = timedelta(days=3)
"""How far back the newest daily point may be."""
RECENT = timedelta(hours=3)
"""Series that were active so recently can be listed by themselves."""

BROKEN = {"InternalError": "unavailable", "Forbidden": "forbidden"}
"""What is said of a series that could not be read, and what we call that."""
STATISTICS = {"avg": "Average", "last": "Average", "max": "Maximum", "min": "Minimum", "sum": "Sum"}


@dataclass(slots=True)
class Line:
    """One series to be asked for: of what, how it is told, by which dimensions, and what came."""

    target: Target
    metric: str
    told: Told
    dimensions: Pairs
    start: datetime
    period_s: int
    statistic: str
    divided_by: float
    whole_steps: bool
    points: dict[datetime, float] = field(default_factory=dict)
    tried: int = 0

    @property
    def device(self) -> str | None:
        """Which part of the resource it is of."""
        return dict(self.dimensions).get(self.told.device) if self.told.device else None

    def query(self, place: int) -> dict[str, Any]:
        """How CloudWatch is asked for it, by the next of its names."""
        pairs = [{"Name": key, "Value": value} for key, value in self.dimensions]
        name = self.told.names[self.tried]
        self.tried += 1
        metric = {"Namespace": self.told.namespace, "MetricName": name, "Dimensions": pairs}
        about = {"Metric": metric, "Period": self.period_s, "Stat": self.statistic}
        return {"Id": f"m{place}", "MetricStat": about, "ReturnData": True}

    def keep(self, result: Mapping[str, Any], end: datetime) -> None:
        """Take what a part of an answer tells of it."""
        step = timedelta(seconds=self.period_s)
        for at, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False):
            moment = at.astimezone(UTC)
            # A step that is not over yet has only a part of what is counted in it.
            if not self.whole_steps or moment + step <= end:
                self.points[moment] = value * self.told.times / self.divided_by


class Metrics(Amazon):
    """What CloudWatch measured."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these resources; those without any point are left out."""
        for at in range(0, len(wanted.targets), TARGETS):
            targets = wanted.targets[at : at + TARGETS]
            made = await self.each(wanted.metrics, partial(self._lines, scope, wanted, targets))
            lines = [line for several in made for line in several]
            while left := [one for one in lines if not one.points and one.tried < len(one.told.names)]:
                await self._read(scope, wanted.end, left)
            yield list(series(lines, wanted.start))

    async def _lines(
        self, scope: Scope, wanted: MetricQuery, targets: Sequence[Target], metric: str
    ) -> list[Line]:
        """Every series of a metric that may be there."""
        lines = []
        for source, parts in told_by(self.facts.metrics.get(wanted.type, {}).get(metric, {})).items():
            mine = [one for one in targets if source in sources_of(wanted.type, one)]
            for told in parts if mine else ():
                if told.listed:
                    found = await self._looked_up(scope, wanted, told, mine)
                else:
                    found = {one.id: [dimensions(told, one)] for one in mine}
                lines += [
                    self._line(wanted, one, metric, told, pairs)
                    for one in mine
                    for pairs in found.get(one.id, ())
                ]
        return lines

    async def _looked_up(
        self, scope: Scope, wanted: MetricQuery, told: Told, targets: Sequence[Target]
    ) -> Mapping[str, list[Pairs]]:
        """The dimensions of every series of a metric, by the resource's id."""
        asked: dict[str, Any] = {"Namespace": told.namespace}
        if len(targets) == 1:
            asked["Dimensions"] = [{"Name": told.by, "Value": measure(told, targets[0])}]
        if told.every_s < DAY_S and self.now() - wanted.start < RECENT:
            asked["RecentlyActive"] = "PT3H"

        def read(page: Any) -> list[Mapping[str, Any]]:
            return self.records(page, "Metrics")

        for name in told.names:
            pages = self.pages(scope, "cloudwatch", "list_metrics", read, MetricName=name, **asked)
            records = [one async for page in pages for one in page]
            if found := listed_dimensions(told, targets, records):
                return found
        return {}

    def _line(self, wanted: MetricQuery, target: Target, metric: str, told: Told, pairs: Pairs) -> Line:
        """A series with its step, and how its values become those of our unit."""
        sample_s = told.every_s
        if told.namespace == "AWS/EC2" and target.details.get("monitoring") != "enabled":
            sample_s = BASIC_S
        unit_s = max(sample_s, kept_s(self.now() - wanted.start))
        period_s = rounded_up(wanted.step_s, unit_s)
        daily = sample_s >= DAY_S
        start = begin(min(wanted.start, wanted.end - LATE) if daily else wanted.start, period_s)
        if not daily and wanted.step_s >= (wanted.end - wanted.start).total_seconds():
            start = whole(wanted, unit_s)
        a_rate = told.counted and known.metrics()[metric].unit.endswith("per second")
        statistic, divided_by = STATISTICS.get(wanted.stat, "Average"), 1.0
        if told.percentiles and wanted.stat in known.PERCENTILES:
            statistic = wanted.stat
        if a_rate and wanted.stat in ("max", "min"):
            divided_by = float(sample_s)
        elif told.counted:
            statistic, divided_by = "Sum", float(period_s if a_rate else 1)
        statistic = told.statistic or statistic
        return Line(target, metric, told, pairs, start, period_s, statistic, divided_by, whole_steps=a_rate)

    async def _read(self, scope: Scope, end: datetime, lines: Sequence[Line]) -> None:
        """Ask for all lines by their next names, in as few calls as their points allow."""
        batches: list[list[Line]] = []
        for step in sorted({(one.period_s, one.start) for one in lines}):
            alike = [one for one in lines if (one.period_s, one.start) == step]
            points = max(1, int((end - step[1]).total_seconds()) // step[0] + 1)
            size = max(1, min(QUERIES, DATAPOINTS // points))
            batches += [alike[at : at + size] for at in range(0, len(alike), size)]
        await self.each(batches, lambda batch: self._read_batch(scope, end, batch))

    async def _read_batch(self, scope: Scope, end: datetime, batch: Sequence[Line]) -> None:
        asked: dict[str, Any] = {
            "MetricDataQueries": [one.query(at) for at, one in enumerate(batch)],
            "StartTime": batch[0].start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        lines = {f"m{at}": one for at, one in enumerate(batch)}
        failed: dict[str, int] = {}

        async def ask(token: str | None) -> Any:
            more = {"NextToken": token} if token else {}
            return await self.call(scope, "cloudwatch", "get_metric_data", **asked, **more)

        async for answer in self.paged(ask, lambda answer: answer.get("NextToken")):
            for result in self.records(answer, "MetricDataResults"):
                if line := lines.get(str(result.get("Id"))):
                    line.keep(result, end)
                state = str(result.get("StatusCode"))
                if state in BROKEN:
                    failed[state] = failed.get(state, 0) + 1
        for state, count in failed.items():
            message = f"{plural(count, 'series', 'series')} could not be read ({state})."
            self.note(scope, message, "Ask again; if it stays so, look at the permissions.", BROKEN[state])


def series(lines: Iterable[Line], start: datetime) -> Iterator[Series]:
    """The lines as series, parts of one added up; of what is told once a day at least the newest."""
    found: dict[tuple[str, str, str | None], dict[datetime, float]] = {}
    for one in lines:
        points = found.setdefault((one.target.id, one.metric, one.device), {})
        for at, value in one.points.items():
            points[at] = points.get(at, 0.0) + value if one.told.together else value
    for (target, metric, device), points in found.items():
        ordered = sorted(points.items())
        since = [one for one in ordered if one[0] >= start] or ordered[-1:]
        if since:
            yield Series(target, metric, tuple(since), device)


def kept_s(age: timedelta) -> int:
    """How far apart points are kept that are so old."""
    return next((step_s for days, step_s in KEPT if age <= timedelta(days=days)), KEPT[-1][1])


def rounded_up(step_s: int, unit_s: int) -> int:
    """A step of whole units, at most a day."""
    return min(-(-step_s // unit_s) * unit_s, DAY_S)


def whole(wanted: MetricQuery, unit_s: int) -> datetime:
    """Where one step of the whole time begins: with the time, for CloudWatch counts steps from there."""
    start = begin(wanted.start + timedelta(seconds=unit_s - 1), unit_s)
    return start if start < wanted.end else begin(wanted.start, unit_s)


def begin(start: datetime, period_s: int) -> datetime:
    """The start of the step that a moment is in."""
    return datetime.fromtimestamp(int(start.timestamp()) // period_s * period_s, UTC)
