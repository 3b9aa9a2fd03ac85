"""Azure Monitor: what was measured of machines, databases, clusters, sites and balancers, from outside.

One question is about up to fifty resources of one kind in one region and subscription, and up to twenty
metrics (`metrics:getBatch`); asking each resource by itself would use up the rate of Resource Manager. What a
metric is called there is told in the facts by the namespace of a resource, which its id says: a name, or more
about it. `counted`: a sample is how much there was, so a step is a total. `left`: what is told is the part
that is left of a hundred percent. `times` into our unit. Monitor keeps a minute for 93 days, and answers in
steps of a few lengths. A point without a value was not measured.
Source: the metrics data plane API, 2023-10-01.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from cloudtop import metrics as known
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope
from connectors.azure_base import Microsoft
from connectors.azure_rows import after, moment
from connectors.rows import Record, each, inner

VERSION = "2023-10-01"
AUDIENCE = "https://metrics.monitor.azure.com"
HOST = "https://{region}.metrics.monitor.azure.com"
TARGETS, NAMES = 50, 20
STEPS = {60: "PT1M", 300: "PT5M", 900: "PT15M", 1800: "PT30M", 3600: "PT1H", 21600: "PT6H", 43200: "PT12H",
         86400: "P1D"}  # fmt: skip
SAMPLE_S = 60
KEPT = timedelta(days=93)
STATS = {"avg": "Average", "last": "Average", "max": "Maximum", "min": "Minimum", "sum": "Total"}
OTHER_END = {"Maximum": "Minimum", "Minimum": "Maximum"}


@dataclass(frozen=True, slots=True)
class Told:
    """How a metric is told in one namespace."""

    metric: str
    name: str
    counted: bool = False
    left: bool = False
    times: float = 1.0
    stat: str | None = None

    def aggregation(self, stat: str) -> str:
        """What Monitor is asked to make of the samples in a step."""
        found = "Total" if self.counted and stat not in ("max", "min") else STATS.get(stat, "Average")
        found = self.stat or found
        return OTHER_END.get(found, found) if self.left else found

    def value(self, told: float, aggregation: str, step_s: int) -> float:
        """A value in our unit; of a rate what was counted in a second."""
        value = told * self.times
        if self.counted and known.metrics()[self.metric].unit.endswith("per second"):
            value /= step_s if aggregation == "Total" else SAMPLE_S
        return 100.0 - value if self.left else value


@dataclass(frozen=True, slots=True)
class Batch:
    """One question: resources alike, and the metrics that are read in one way."""

    subscription: str
    region: str
    namespace: str
    aggregation: str
    told: tuple[Told, ...]
    targets: tuple[Target, ...]


class Metrics(Microsoft):
    """What Azure Monitor measured."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these resources; those without any point are left out."""
        facts = self.facts.metrics.get(wanted.type, {})
        batches = list(batched(wanted, facts, scope.region))
        for found in await self.each(batches, lambda one: self._read(scope, wanted, one)):
            yield found

    async def _read(self, scope: Scope, wanted: MetricQuery, batch: Batch) -> list[Series]:
        step_s = next((one for one in STEPS if one >= wanted.step_s), max(STEPS))
        start = begin(max(wanted.start, self.now() - KEPT), step_s)
        answer = await self.call(
            scope,
            f"{HOST.format(region=batch.region)}/subscriptions/{batch.subscription}/metrics:getBatch",
            VERSION,
            method="POST",
            audience=AUDIENCE,
            operation="read metrics",
            repeatable=True,
            params={
                "metricnamespace": batch.namespace,
                "metricnames": ",".join(one.name for one in batch.told),
                "starttime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
                "endtime": f"{wanted.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "interval": STEPS[step_s],
                "aggregation": batch.aggregation,
            },
            body={"resourceids": [one.id for one in batch.targets]},
        )
        values = self.records(answer, "values")
        return [one for value in values for one in series(value, batch, step_s, wanted.end)]


def batched(wanted: MetricQuery, facts: Mapping[str, Any], region: str) -> Iterator[Batch]:
    """The questions that are needed. `region` is where a resource is asked that does not tell its own."""
    groups: dict[tuple[str, str, str], list[Target]] = {}
    for one in wanted.targets:
        subscription = after(one.id, "subscriptions")
        if subscription:
            where = str(one.details.get("location") or region)
            groups.setdefault((subscription, where, namespace(one.id)), []).append(one)
    for (subscription, where, space), targets in groups.items():
        ways: dict[str, list[Told]] = {}
        for metric in wanted.metrics:
            if told := told_by(metric, facts.get(metric, {}), space):
                ways.setdefault(told.aggregation(wanted.stat), []).append(told)
        for aggregation, told_so in ways.items():
            for names in chunks(told_so, NAMES):
                for some in chunks(targets, TARGETS):
                    yield Batch(subscription, where, space, aggregation, names, some)


def told_by(metric: str, about: Mapping[str, Any], space: str) -> Told | None:
    """How a metric is told in a namespace, as the facts say it; None where it is not."""
    how = next((one for name, one in about.items() if name.lower() == space), None)
    if how is None:
        return None
    return Told(metric, how) if isinstance(how, str) else Told(metric, **how)


def namespace(identity: str) -> str:
    """The namespace of a resource's metrics: `microsoft.sql/servers/databases`, out of its id."""
    provider, *rest = identity.lower().rpartition("/providers/")[2].split("/")
    return "/".join((provider, *rest[::2]))


def series(value: Record, batch: Batch, step_s: int, end: datetime) -> Iterator[Series]:
    """The series in the answer about one resource, whatever the case of its id there."""
    ids = {one.id.lower(): one.id for one in batch.targets}
    identity = ids.get(str(value.get("resourceid")).lower())
    told = {one.name.lower(): one for one in batch.told}
    for metric in each(value, "value") if identity else ():
        about = told.get(str(inner(metric, "name", "value")).lower())
        if about and identity:
            points = tuple(sorted(points_of(metric, about, batch.aggregation, step_s, end)))
            if points:
                yield Series(identity, about.metric, points)


def points_of(
    metric: Record, told: Told, aggregation: str, step_s: int, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """The points of a metric. A step that is not over has only a part of what is counted in it."""
    for one in each(metric, "timeseries"):
        for point in each(one, "data"):
            at, value = moment(point.get("timeStamp")), point.get(aggregation.lower())
            if at is None or not isinstance(value, int | float):
                continue
            if not told.counted or at + timedelta(seconds=step_s) <= end:
                yield at, told.value(float(value), aggregation, step_s)


def begin(start: datetime, step_s: int) -> datetime:
    """The start of the step that a moment is in."""
    return datetime.fromtimestamp(int(start.timestamp()) // step_s * step_s, UTC)


def chunks(items: Sequence[Any], size: int) -> Iterator[tuple[Any, ...]]:
    """The items in tuples of at most `size`."""
    left = iter(items)
    while some := tuple(islice(left, size)):
        yield some
