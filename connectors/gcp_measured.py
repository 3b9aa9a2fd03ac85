"""How Cloud Monitoring calls what it measured: services, the labels of a resource, and what the facts tell.

In the facts a metric is told for each source that a resource of the type may have, its name without the
service before it: `gce: instance/cpu/utilization`, or with more about it, `gce: {name: …, counted: true}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cloudtop.inventory import Target

DAY_S = 86_400
LONGEST_FILTER = 1_900
"""Characters; Google takes 2,048."""
MOST_NAMES = 100
"""Of one filter."""


class Source(NamedTuple):
    """Where a kind of resource is measured: service, monitored resource, the label that names one.

    `place`: the label that says where it is, where its name may be there twice.
    """

    service: str
    resource: str
    by: str
    place: str | None = None
    every_s: int = 60


SOURCES = {
    "gce": Source("compute.googleapis.com", "gce_instance", "instance_id"),
    "agent": Source("agent.googleapis.com", "gce_instance", "instance_id"),
    "dcgm": Source("workload.googleapis.com", "gce_instance", "instance_id"),
    "functions_v1": Source("cloudfunctions.googleapis.com", "cloud_function", "function_name", "region"),
    "functions_v2": Source("run.googleapis.com", "cloud_run_revision", "service_name", "location"),
    "run": Source("run.googleapis.com", "cloud_run_revision", "service_name", "location"),
    "sql": Source("cloudsql.googleapis.com", "cloudsql_database", "database_id"),
    "gcs": Source("storage.googleapis.com", "gcs_bucket", "bucket_name", every_s=DAY_S),
    "https": Source("loadbalancing.googleapis.com", "https_lb_rule", "forwarding_rule_name"),
    "gke": Source("kubernetes.io", "k8s_node", "cluster_name", "location"),
}
OF_TYPE = {
    "instance": ("gce", "agent", "dcgm"),
    "bucket": ("gcs",),
    "load_balancer": ("https",),
}
"""The sources of a type; a resource of other types says in its details which service it is of."""
CALLED: Mapping[str, Callable[[Target, str], str]] = {
    "function_name": lambda one, project: one.name or one.id,
    "service_name": lambda one, project: str(one.details.get("run_service") or one.name or one.id),
    "database_id": lambda one, project: f"{project}:{one.id}",
    "forwarding_rule_name": lambda one, project: one.name or one.id,
    "cluster_name": lambda one, project: one.name or one.id,
}
"""What a resource is called by a label, where that is not its id."""
SCALES: Mapping[str, Mapping[str, float]] = {
    "percent": {"10^2.%": 100.0, "%": 1.0},
    "milliseconds": {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3},
}
"""Our unit, and what makes Google's one of it."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a metric is told by one source.

    `names`: of the metric, the first with points counts. `counted`: a sample is how much there was since the
    last. `together`: several series of a resource are added up; `most`: the largest counts, else their mean.
    `spread`: a sample is a distribution, of which the mean counts. `device`: the label that tells devices
    apart. `beside`: labels that a series must have, with ! before what it must not have. `times`: into our
    unit, where Google does not say in which it told.
    """

    source: Source
    names: tuple[str, ...]
    counted: bool = False
    together: bool = False
    most: bool = False
    spread: bool = False
    device: str | None = None
    beside: tuple[tuple[str, Any], ...] = ()
    times: float = 1.0


def told_by(about: Mapping[str, Any]) -> dict[str, Told]:
    """How each source tells a metric, as the facts say it."""
    return {name: _told(SOURCES[name], how) for name, how in about.items()}


def _told(source: Source, how: Any) -> Told:
    more: dict[str, Any] = {"name": how} if isinstance(how, str) else dict(how)
    names = more.pop("name")
    more["beside"] = tuple(dict(more.get("beside", {})).items())
    return Told(source, (names,) if isinstance(names, str) else tuple(names), **more)


def sources_of(kind: str, target: Target) -> tuple[str, ...]:
    """The sources that may tell of a resource."""
    return OF_TYPE.get(kind) or (str(target.details.get("service")),)


def called(told: Told, target: Target, project: str) -> str:
    """What a resource is called in the label that names it."""
    name = CALLED.get(told.source.by)
    return name(target, project) if name else target.id


def filters(told: Told, name: str, ids: Sequence[str], region: str) -> list[str]:
    """What is asked for: one metric of these resources, in as many filters as their length takes."""
    source = told.source
    common = [f'metric.type = "{source.service}/{name}"', f'resource.type = "{source.resource}"']
    common += [_beside(label, value) for label, value in told.beside]
    if source.place and region != "global":
        # A cluster may be in one zone of the region.
        common.append(f'resource.labels.{source.place} = starts_with("{region}")')
    begun = " AND ".join([*common, f"resource.labels.{source.by} = one_of("])
    quoted = [f'"{one}"' for one in sorted(set(ids))]
    longest = max(map(len, quoted), default=0) + 1
    many = max(1, min(MOST_NAMES, (LONGEST_FILTER - len(begun)) // longest))
    return [f"{begun}{','.join(quoted[at : at + many])})" for at in range(0, len(quoted), many)]


def _beside(label: str, value: Any) -> str:
    text = str(value)
    sign, text = ("!=", text[1:]) if text.startswith("!") else ("=", text)
    quoted = text if isinstance(value, int) else f'"{text}"'
    return f"metric.labels.{label} {sign} {quoted}"


def aggregation(told: Told, unit: str, stat: str, period_s: int) -> dict[str, Any]:
    """How samples become one value for each step and each resource or device."""
    # A joule a second is a watt.
    source, rate = told.source, told.counted and unit.endswith(("per second", "watts"))
    groups = [f"resource.labels.{source.by}"]
    groups += [f"metric.labels.{told.device}"] if told.device else []
    added = told.counted or told.together or told.spread
    made: dict[str, Any] = {
        "aggregation.alignmentPeriod": f"{period_s}s",
        "aggregation.perSeriesAligner": _aligner(told, rate, stat),
        "aggregation.crossSeriesReducer": f"REDUCE_{'SUM' if added else 'MAX' if told.most else 'MEAN'}",
        "aggregation.groupByFields": groups,
    }
    if rate and stat in ("max", "min") and period_s > source.every_s:
        # First the rate of each sample, then the largest of these.
        made["aggregation.alignmentPeriod"] = f"{source.every_s}s"
        made["secondaryAggregation.alignmentPeriod"] = f"{period_s}s"
        made["secondaryAggregation.perSeriesAligner"] = f"ALIGN_{stat.upper()}"
    return made


def _aligner(told: Told, rate: bool, stat: str) -> str:
    if rate:
        return "ALIGN_RATE"
    if told.counted or told.spread:
        return "ALIGN_DELTA"
    return {"max": "ALIGN_MAX", "min": "ALIGN_MIN"}.get(stat, "ALIGN_MEAN")


def scale(unit: str, told: Told, said: Any) -> float:
    """What makes a value one in our unit, by the unit that Google said, else by the facts."""
    return SCALES.get(unit, {}).get(str(said), told.times)
