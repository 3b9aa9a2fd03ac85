"""The nouns of what runs: resources, how an account is divided, metrics asked for and read. Frozen, UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter

STATUSES = (
    "running",
    "starting",
    "stopping",
    "stopped",
    "terminated",
    "failed",
    "unattached",
    "available",
    "unknown",
)
"""What a resource can be. `running` is said of what computes, `available` of what is merely there."""


@dataclass(frozen=True, slots=True)
class Gpus:
    """GPUs of one model in one resource: compact catalogue name or the cloud's own, how many, GiB of each."""

    gpu: str
    count: float
    memory_gib: float | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that runs or is kept in an account, as the connector read it.

    `id` is the cloud's own, `type` a key of data/resource_types.yaml, `status` one of STATUSES, `status_raw`
    the cloud's word for it. `region` is None where the scope's region says it. `tags` is None when they are
    not known, {} when there are none. `usd_per_hour`: what the cloud itself says this one costs while it is
    as it is. `health` (healthy degraded failing down) with `health_message`, where the cloud says more of it
    than the status does. `details`: facts without a field of their own, JSON-ready, no nulls; `priced_apart`
    in them says why the price of its type is not its own, `priced_as` what it is priced as where the type
    alone does not make the price (`connectors.rows.lot`), `paid_while_stopped` that it is though it is
    stopped. `raw`: the cloud's own record as JSON text, secrets stripped (`connectors.base.raw`).
    """

    id: str
    type: str
    name: str | None = None
    status: str = "unknown"
    status_raw: str | None = None
    region: str | None = None
    zone: str | None = None
    tags: Mapping[str, str] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    usd_per_hour: float | None = None
    instance_type: str | None = None
    vcpus: float | None = None
    ram_gib: float | None = None
    public_ip: str | None = None
    private_ip: str | None = None
    spot: bool | None = None
    gpus: tuple[Gpus, ...] = ()
    runtime: str | None = None
    memory_mb: float | None = None
    timeout_s: float | None = None
    last_modified: datetime | None = None
    size_bytes: int | None = None
    object_count: int | None = None
    storage_class: str | None = None
    engine: str | None = None
    version: str | None = None
    size_gb: float | None = None
    connections: int | None = None
    node_count: int | None = None
    encrypted: bool | None = None
    namespace: str | None = None
    health: str | None = None
    health_message: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    raw: str | None = None


_FIELDS = tuple(one.name for one in fields(Resource))
_values = attrgetter(*_FIELDS)


def with_tags(one: Resource, tags: Mapping[str, str] | None) -> Resource:
    """The same resource with other tags: `dataclasses.replace` takes five times as long, for every row."""
    return Resource(**dict(zip(_FIELDS, _values(one), strict=True)) | {"tags": tags})


class Unread(list[Resource]):
    """A page without rows: it says that a part of the scope could not be read, whose rows stay as they were.

    Of that part is what has one of `values`, in lower case, at `detail` of its details.
    """

    def __init__(self, detail: str, values: Iterable[str]) -> None:
        super().__init__()
        self.detail, self.values = detail, tuple(one.lower() for one in values)


@dataclass(frozen=True, slots=True)
class Division:
    """One part that an account is listed by: a region, and a `part` of it where a cloud divides further."""

    region: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A resource whose metrics are wanted: what of its row a cloud may need to find them."""

    id: str
    name: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """What is wanted of the metrics of resources of one type in one account and region.

    `metrics`: base metrics of data/metrics.yaml that the connector's facts list for the type. `step_s`:
    seconds between two points. `stat` of the samples within one step: avg max min sum last, p50 to p99.
    """

    type: str
    metrics: tuple[str, ...]
    start: datetime
    end: datetime
    step_s: int
    stat: str = "avg"
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one metric of one resource, or of one `device` in it: (UTC time, value), oldest first.

    Values are in the metric's unit of data/metrics.yaml; a time is the start of its step.
    """

    id: str
    metric: str
    points: tuple[tuple[datetime, float], ...]
    device: str | None = None


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """What an instance type costs by the hour on demand in the scope's region, in USD; None for no price."""

    instance_type: str
    usd_per_hour: float | None
