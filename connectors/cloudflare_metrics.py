"""What Cloudflare's analytics measured: calls, errors, queries, operations, and what is stored.

A question is about one dataset, one account and as many things as its ten thousand groups hold. In the facts
a metric is told for each service: the fields of a group that are added up, or more about it: `actions` are
those operations of R2 alone. A maximum or a quantile stands as it is; sums and counts are what happened
within a step, which is left out until it is over. The datasets are sampled, and kept for 31 days.
Source: Cloudflare's GraphQL reference; a dataset that stands by the day has one point for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cloudtop.inventory import MetricQuery, Series
from cloudtop.metrics import metrics as known
from cloudtop.models import Scope, iso
from connectors.cloudflare_base import Edge
from connectors.cloudflare_rows import moment
from connectors.rows import Record, each, inner

KEPT = timedelta(days=31)
DAY_S = 86_400
GROUPS = 10_000
CLOCK = {
    60: "datetimeMinute",
    300: "datetimeFiveMinutes",
    900: "datetimeFifteenMinutes",
    3600: "datetimeHour",
    DAY_S: "date",
}
DAILY = {DAY_S: "date"}


class Dataset(NamedTuple):
    """One dataset: what names a thing in it, its steps in seconds, and whether it is asked by whole days."""

    name: str
    by: str
    steps: Mapping[int, str] = CLOCK
    days: bool = False


DATASETS = {
    "worker": Dataset("workersInvocationsAdaptive", "scriptName"),
    "r2": Dataset("r2OperationsAdaptiveGroups", "bucketName"),
    "r2_storage": Dataset("r2StorageAdaptiveGroups", "bucketName", {3600: "datetime"}),
    "d1": Dataset("d1AnalyticsAdaptiveGroups", "databaseId"),
    "d1_storage": Dataset("d1StorageAdaptiveGroups", "databaseId", DAILY, days=True),
    "kv": Dataset("kvOperationsAdaptiveGroups", "namespaceId", DAILY, days=True),
    "kv_storage": Dataset("kvStorageAdaptiveGroups", "namespaceId", DAILY, days=True),
    "ai": Dataset("aiInferenceAdaptiveGroups", "modelId", DAILY),
}


@dataclass(frozen=True, slots=True)
class Told:
    """How a metric is told by a dataset: fields of a group (`sum.requests`), of some operations only."""

    metric: str
    fields: tuple[str, ...]
    actions: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether it is what happened within a step."""
        return self.fields[0] == "count" or self.fields[0].startswith("sum.")

    def value(self, group: Record, span_s: float) -> float | None:
        """The value of a group that stands for so many seconds; None where a field of it is missing."""
        parts = [inner(group, *field.split(".")) for field in self.fields]
        if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
            return None
        rate = known()[self.metric].unit.endswith("per second")
        return float(sum(parts)) / (span_s if rate else 1.0)


class Metrics(Edge):
    """What the analytics tell."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these things; those without any point are left out."""
        for (service, actions), told in asked(wanted, self.facts.metrics.get(wanted.type, {})).items():
            dataset = DATASETS[service]
            step_s = next((one for one in dataset.steps if one >= wanted.step_s), max(dataset.steps))
            ids = [
                one.id for one in wanted.targets if one.details.get("service") == service.partition("_")[0]
            ]
            start = begin(wanted, self.now(), step_s, dataset.days)
            many = max(1, GROUPS // (int((wanted.end - start).total_seconds()) // step_s + 2))
            for at in range(0, len(ids), many):
                groups = await self._groups(
                    scope, dataset, step_s, told, actions, ids[at : at + many], start, wanted.end
                )
                yield list(series(groups, dataset, step_s, told, wanted.end))

    async def _groups(
        self,
        scope: Scope,
        dataset: Dataset,
        step_s: int,
        told: Sequence[Told],
        actions: Sequence[str],
        ids: Sequence[str],
        start: datetime,
        end: datetime,
    ) -> list[Record]:
        clock = dataset.steps[step_s]
        kind, unit = ("Date", "date") if dataset.days else ("Time", "datetime")
        some = ", $actions: [string!]" if actions else ""
        only = ", actionType_in: $actions" if actions else ""
        query = (
            f"query ($accountTag: string!, $start: {kind}!, $end: {kind}!, $ids: [string!]{some}) {{"
            " viewer { accounts(filter: {accountTag: $accountTag}) {"
            f" {dataset.name}(limit: {GROUPS}, orderBy: [{clock}_DESC],"
            f" filter: {{{unit}_geq: $start, {unit}_leq: $end, {dataset.by}_in: $ids{only}}})"
            f" {{ {selection(told)} dimensions {{ {dataset.by} {clock} }} }} }} }} }}"
        )
        more = {"actions": list(actions)} if actions else {}
        times = (f"{one:%Y-%m-%d}" if dataset.days else iso(one) for one in (start, end))
        first, last = times
        answer = await self.graphql(scope, query, start=first, end=last, ids=list(ids), **more)
        return each(answer, dataset.name)


def asked(wanted: MetricQuery, facts: Mapping[str, Any]) -> dict[tuple[str, tuple[str, ...]], list[Told]]:
    """The questions that are needed, by service and operations, with what each tells."""
    found: dict[tuple[str, tuple[str, ...]], list[Told]] = {}
    have = {one.details.get("service") for one in wanted.targets}
    for metric in wanted.metrics:
        for service, how in facts.get(metric, {}).items():
            about: Mapping[str, Any] = how if isinstance(how, Mapping) else {"fields": how}
            fields = about["fields"]
            told = Told(
                metric,
                (fields,) if isinstance(fields, str) else tuple(fields),
                tuple(about.get("actions", ())),
            )
            if service.partition("_")[0] in have:
                found.setdefault((service, told.actions), []).append(told)
    return found


def begin(wanted: MetricQuery, now: datetime, step_s: int, days: bool) -> datetime:
    """The start of the first step that is kept; of a count by the day, just when it is asked from."""
    start = max(wanted.start, now - KEPT + timedelta(seconds=step_s))
    if step_s == DAY_S and not days:
        return start
    return datetime.fromtimestamp(int(start.timestamp()) // step_s * step_s, UTC)


def selection(told: Sequence[Told]) -> str:
    """The fields of a group as GraphQL: `count sum { requests errors }`."""
    within: dict[str, list[str]] = {}
    for field in dict.fromkeys(one for each_told in told for one in each_told.fields):
        block, _, name = field.partition(".")
        within.setdefault(block, []).extend([name] if name else [])
    return " ".join(f"{block} {{ {' '.join(names)} }}" if names else block for block, names in within.items())


def series(
    groups: Sequence[Record], dataset: Dataset, step_s: int, told: Sequence[Told], end: datetime
) -> Iterator[Series]:
    """The series in the groups of a dataset; of several groups within a step the newest counts."""
    clock = dataset.steps[step_s]
    for one in told:
        found: dict[str, dict[datetime, float]] = {}
        for group in sorted(groups, key=lambda each_group: str(inner(each_group, "dimensions", clock))):
            at, identity = moment(inner(group, "dimensions", clock)), inner(group, "dimensions", dataset.by)
            if at is None or not isinstance(identity, str):
                continue
            begun = datetime.fromtimestamp(int(at.timestamp()) // step_s * step_s, UTC)
            left_s = (end - begun).total_seconds()
            if (one.counted and left_s < step_s < DAY_S) or left_s <= 0:
                continue
            if (value := one.value(group, min(step_s, left_s))) is not None:
                found.setdefault(identity, {})[begun] = value
        for identity, points in found.items():
            yield Series(identity, one.metric, tuple(points.items()))
