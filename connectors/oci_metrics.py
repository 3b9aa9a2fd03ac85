"""Oracle's Monitoring: what was measured of instances, GPUs, volumes, buckets, functions and databases.

One question is one query in one namespace and compartment: `CpuUtilization[5m].groupBy(resourceId).mean()`
tells of all resources there at once. Which metric stands for what is told in the facts (`metrics`), by
source: `growing` are counters, of which the rate is asked for; `counted` where a sample is how much there was
since the last one; `where` are dimensions that narrow it. What a GPU tells stands in a namespace of the
tenancy's own, which is there only where the monitoring of the HPC plug-in runs: the namespaces of a
compartment are listed first. Points of a minute can be asked for a week back, of five for a month, of an hour
for 90 days.
Source: the Monitoring API reference, and the metrics references of the services.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cloudtop import metrics as known
from cloudtop.errors import Forbidden
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from connectors.oci_base import Oracle
from connectors.oci_rows import moment
from connectors.rows import Record, inner

HOUR_S, DAY_S = 3_600, 86_400
KEPT = ((7, 60), (30, 300), (90, HOUR_S))
"""Up to so many days back, points so many seconds apart can be asked for."""
STATISTICS = {"avg": "mean()", "last": "mean()", "max": "max()", "min": "min()", "sum": "sum()"}
GPU = "gpu_infrastructure_health"
"""What a namespace with GPU metrics has in its name; some material puts oci_ before it."""
RECENT = timedelta(days=3)
"""How far back the newest sample of what is told once an hour is looked for."""


class Source(NamedTuple):
    """Where a kind of resource is measured: the namespace, and the dimension that holds its id or name."""

    namespace: str
    by: str = "resourceId"
    every_s: int = 60
    named: bool = False


SOURCES = {
    "compute": Source("oci_computeagent"),
    "gpu": Source(GPU),
    "blockstore": Source("oci_blockstore"),
    "buckets": Source("oci_objectstorage", "resourceDisplayName", HOUR_S, named=True),
    "functions": Source("oci_faas"),
    "autonomous": Source("oci_autonomous_database"),
    "mysql": Source("oci_mysql_database"),
    "postgresql": Source("oci_postgresql"),
    "application": Source("oci_lbaas"),
}
OF_TYPE = {
    "instance": ("compute", "gpu"),
    "volume": ("blockstore",),
    "bucket": ("buckets",),
    "function": ("functions",),
}
"""The sources of a type; a resource of other types says in its details which service it is of."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a source tells a metric."""

    source: Source
    name: str
    growing: bool = False
    counted: bool = False
    device: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """One query: which metric it is for, in which namespace and place, and of which resources."""

    metric: str
    told: Told
    namespace: str
    place: Mapping[str, Any]
    targets: Sequence[Target]
    start: datetime
    step_s: int
    query: str
    divided_by: float
    whole_steps: bool


class Metrics(Oracle):
    """What Monitoring measured."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these resources; those without any point are left out."""
        parts: dict[str, list[Target]] = {}
        for one in wanted.targets:
            parts.setdefault(str(one.details.get("compartment_id") or ""), []).append(one)
        refused: list[Forbidden] = []

        async def ask(part: tuple[str, Sequence[Target]]) -> list[Series]:
            try:
                return await self._of_compartment(scope, wanted, *part)
            except Forbidden as error:
                refused.append(error)
                return []

        found = await self.each(parts.items(), ask)
        if refused and len(refused) == len(parts):
            raise refused[0]
        if refused:
            message = f"{len(refused)} of {len(parts)} compartments do not allow their metrics to be read."
            self.note_once(scope, f"{message} {refused[0].message}", refused[0])
        yield [one for several in found for one in several]

    async def _of_compartment(
        self, scope: Scope, wanted: MetricQuery, part: str, targets: Sequence[Target]
    ) -> list[Series]:
        """Series of resources of one compartment; without one all of the tenancy are looked through."""
        place: dict[str, Any] = {"compartment_id": part or (await self.identity(scope)).tenancy}
        if not part:
            place["compartment_id_in_subtree"] = True
        told = [
            (metric, one)
            for metric in wanted.metrics
            for one in told_by(self.facts.metrics.get(wanted.type, {}).get(metric, {}))
        ]
        gpu = any(one.source.namespace == GPU for _, one in told)
        namespaces = await self._namespaces(scope, place) if gpu else []
        questions = [
            question
            for metric, one in told
            if (mine := [target for target in targets if measured(wanted.type, target, one)])
            for namespace in (namespaces if one.source.namespace == GPU else [one.source.namespace])
            for question in [self._question(wanted, metric, one, namespace, place, mine)]
        ]
        answers = await self.each(questions, lambda one: self._answer(scope, wanted, one))
        return [one for answer in answers for one in answer]

    async def _namespaces(self, scope: Scope, place: Mapping[str, Any]) -> list[str]:
        """The namespaces with GPU metrics in a compartment."""
        about = {**place, "list_metrics_details": {"groupBy": ["namespace"]}}
        pages = self.pages(scope, "monitoring", "list_metrics", about)
        names = {str(one.get("namespace")) async for page in pages for one in page}
        return sorted(name for name in names if GPU in name)

    def _question(
        self,
        wanted: MetricQuery,
        metric: str,
        told: Told,
        namespace: str,
        place: Mapping[str, Any],
        targets: Sequence[Target],
    ) -> Question:
        """A query with its step, and how its values become those of our unit."""
        step_s = rounded_up(wanted.step_s, max(told.source.every_s, kept_s(self.now() - wanted.start)))
        hourly = told.source.every_s >= HOUR_S
        start = min(wanted.start, wanted.end - RECENT) if hourly else wanted.start
        a_rate = told.counted and known.metrics()[metric].unit.endswith("per second")
        statistic = "rate()" if told.growing else "sum()" if told.counted else _statistic(wanted.stat)
        narrowed = dict(told.where)
        if len(targets) == 1:
            narrowed[told.source.by] = called(told, targets[0])
        pairs = ", ".join(f'{name} = "{value}"' for name, value in narrowed.items())
        by = ", ".join(filter(None, (told.source.by, told.device)))
        filters = f"{{{pairs}}}" if pairs else ""
        query = f"{told.name}[{interval(step_s)}]{filters}.groupBy({by}).{statistic}"
        divided_by = float(step_s) if a_rate else 1.0
        begin_at = begin(start, step_s)
        return Question(
            metric, told, namespace, place, targets, begin_at, step_s, query, divided_by, told.counted
        )

    async def _answer(self, scope: Scope, wanted: MetricQuery, one: Question) -> list[Series]:
        details = {
            "namespace": one.namespace,
            "query": one.query,
            "startTime": _text(one.start),
            "endTime": _text(wanted.end),
            "resolution": interval(one.step_s),
        }
        about = {**one.place, "summarize_metrics_data_details": details}
        answer = await self.call(scope, "monitoring", "summarize_metrics_data", about)
        return list(series(self.listed_in(answer.data), one, wanted))


def told_by(about: Mapping[str, Any]) -> Iterator[Told]:
    """How each source tells a metric, as the facts say it."""
    for name, how in about.items():
        if name in SOURCES:
            more = {"name": how} if isinstance(how, str) else dict(how)
            yield Told(SOURCES[name], **more)


def measured(kind: str, target: Target, told: Told) -> bool:
    """Whether a resource is measured by the source that tells a metric."""
    names = OF_TYPE.get(kind) or (str(target.details.get("service")),)
    return any(SOURCES.get(name) == told.source for name in names)


def called(told: Told, target: Target) -> str:
    """What a resource is called in the dimension that names it."""
    return (target.name or target.id) if told.source.named else target.id


def series(records: Sequence[Record], one: Question, wanted: MetricQuery) -> Iterator[Series]:
    """The streams of an answer as series; of what is told once an hour at least the newest point."""
    ids = {called(one.told, target): target.id for target in one.targets}
    step = timedelta(seconds=one.step_s)
    for record in records:
        dimensions = record.get("dimensions") or {}
        target = ids.get(str(dimensions.get(one.told.source.by)))
        if target is None:
            continue
        found = {}
        for point in record.get("aggregatedDatapoints") or ():
            at, value = moment(inner(point, "timestamp")), _value(point)
            # A step that is not over yet has only a part of what is counted in it.
            if at and value is not None and not (one.whole_steps and at + step > wanted.end):
                found[at] = value / one.divided_by
        ordered = sorted(found.items())
        points = [pair for pair in ordered if pair[0] >= begin(wanted.start, one.step_s)] or ordered[-1:]
        device = str(dimensions[one.told.device]) if dimensions.get(one.told.device or "") else None
        if points:
            yield Series(target, one.metric, tuple(points), device)


def _value(point: Mapping[str, Any]) -> float | None:
    value = point.get("value")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _statistic(stat: str) -> str:
    if stat in known.PERCENTILES:
        return f"percentile({int(stat[1:]) / 100:g})"
    return STATISTICS.get(stat, "mean()")


def interval(step_s: int) -> str:
    """A step as Monitoring writes it: whole minutes up to an hour, hours up to a day, a day."""
    if step_s >= DAY_S:
        return "1d"
    return f"{step_s // HOUR_S}h" if step_s > HOUR_S else f"{step_s // 60}m"


def kept_s(age: timedelta) -> int:
    """How far apart points can be asked for that are so old."""
    return next((step_s for days, step_s in KEPT if age <= timedelta(days=days)), DAY_S)


def rounded_up(step_s: int, unit_s: int) -> int:
    """A step of whole units, whole hours beyond the first, at most a day."""
    made = -(-step_s // unit_s) * unit_s
    return min(-(-made // HOUR_S) * HOUR_S if made > HOUR_S else made, DAY_S)


def begin(start: datetime, step_s: int) -> datetime:
    """The start of the step that a moment is in."""
    return datetime.fromtimestamp(int(start.timestamp()) // step_s * step_s, UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
