"""How CloudWatch calls what it measured: namespaces, the dimensions of a resource, and what the facts tell.

In the facts a metric is told for each source that a resource of the type may have: `ec2: CPUUtilization`, or
with more about it, `ec2: {name: NetworkIn, counted: true}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cloudtop.inventory import Target
from connectors.aws_tags import part

Pairs = tuple[tuple[str, str], ...]
DAY_S = 86_400


class Source(NamedTuple):
    """Where a kind of resource is measured. `listed`: its dimensions have to be looked up."""

    namespace: str
    by: str
    every_s: int = 60
    listed: bool = False


SOURCES = {
    "ec2": Source("AWS/EC2", "InstanceId"),
    "agent": Source("CWAgent", "InstanceId", listed=True),
    "ebs": Source("AWS/EBS", "VolumeId"),
    "lambda": Source("AWS/Lambda", "FunctionName"),
    "s3": Source("AWS/S3", "BucketName", DAY_S),
    "s3_requests": Source("AWS/S3", "BucketName", listed=True),
    "rds": Source("AWS/RDS", "DBInstanceIdentifier"),
    "rds_cluster": Source("AWS/RDS", "DBClusterIdentifier"),
    "rds_serverless": Source("AWS/RDS", "DBClusterIdentifier"),
    "elasticache": Source("AWS/ElastiCache", "CacheClusterId"),
    "dynamodb": Source("AWS/DynamoDB", "TableName"),
    "application": Source("AWS/ApplicationELB", "LoadBalancer"),
    "network": Source("AWS/NetworkELB", "LoadBalancer"),
    "gateway": Source("AWS/GatewayELB", "LoadBalancer"),
    "classic": Source("AWS/ELB", "LoadBalancerName"),
    "ecs": Source("AWS/ECS", "ClusterName"),
    "eks": Source("ContainerInsights", "ClusterName"),
}
OF_TYPE = {
    "instance": ("ec2", "agent"),
    "volume": ("ebs",),
    "function": ("lambda",),
    "bucket": ("s3", "s3_requests"),
}
"""The sources of a type; a resource of other types says in its details which service it is of."""
CALLED: Mapping[str, Callable[[Target], str]] = {
    "LoadBalancer": lambda one: part(one.id).partition("/")[2],
    "DBClusterIdentifier": lambda one: one.name or one.id,
    "CacheClusterId": lambda one: one.name or one.id,
    "TableName": lambda one: one.name or one.id,
    "ClusterName": lambda one: str(one.details.get("cluster") or one.name).rpartition("/")[2],
}
"""What a resource is called in a dimension, where that is not its id."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a metric is told by one source.

    `names`: of the metric, the first with points counts. `counted`: a sample is how much there was since the
    last. `together`: several series are added up. `device`: the dimension that tells devices apart.
    `prefers`: of several series of a resource that one is taken. `beside`: dimensions that are always there.
    """

    namespace: str
    by: str
    names: tuple[str, ...]
    every_s: int = 60
    listed: bool = False
    counted: bool = False
    together: bool = False
    percentiles: bool = False
    times: float = 1.0
    statistic: str | None = None
    device: str | None = None
    prefers: Pairs = ()
    beside: Pairs = ()


def told_by(about: Mapping[str, Any]) -> dict[str, list[Told]]:
    """How each source tells a metric, as the facts say it; in parts where several metrics make one."""
    return {
        name: _told(name, how, bool(about.get("percentiles")))
        for name, how in about.items()
        if name in SOURCES
    }


def _told(name: str, how: Any, percentiles: bool) -> list[Told]:
    source = SOURCES[name]
    more: dict[str, Any] = {"name": how} if isinstance(how, str) else dict(how)
    names, also = more.pop("name"), more.pop("also", ())
    firsts = (names,) if isinstance(names, str) else tuple(names)
    for pairs in ("prefers", "beside"):
        more[pairs] = tuple(dict(more.get(pairs, {})).items())
    about: dict[str, Any] = {
        "every_s": source.every_s,
        "listed": source.listed,
        "percentiles": percentiles,
    } | more
    if also:
        about["together"] = True
    return [Told(source.namespace, source.by, one, **about) for one in (firsts, *((part,) for part in also))]


def sources_of(kind: str, target: Target) -> tuple[str, ...]:
    """The sources that may tell of a resource."""
    return OF_TYPE.get(kind) or (str(target.details.get("service")),)


def measure(told: Told, target: Target) -> str:
    """What a resource is called in the dimension that names it."""
    called = CALLED.get(told.by)
    return called(target) if called else target.id


def dimensions(told: Told, target: Target) -> Pairs:
    """The dimensions of a resource's series."""
    own: Pairs = ((told.by, measure(told, target)),)
    if told.namespace == "AWS/ECS" and target.details.get("cluster"):
        own = (*own, ("ServiceName", target.name or target.id))
    return (*own, *told.beside)


def listed_dimensions(
    told: Told, targets: Sequence[Target], records: Sequence[Mapping[str, Any]]
) -> dict[str, list[Pairs]]:
    """The dimensions of the series that are to be read, by the resource's id, out of those that are there."""
    ids = {measure(told, one): one.id for one in targets}
    found: dict[str, list[Pairs]] = {}
    for record in records:
        pairs = tuple(
            (str(one["Name"]), str(one["Value"]))
            for one in record.get("Dimensions") or ()
            if one.get("Name") and one.get("Value")
        )
        target = ids.get(dict(pairs).get(told.by, ""))
        if target is not None:
            found.setdefault(target, []).append(pairs)
    return {target: _chosen(told, every) for target, every in found.items()}


def _chosen(told: Told, every: list[Pairs]) -> list[Pairs]:
    """Those of a resource's series that count: one for each device, all that belong together, or one."""
    if told.device:
        with_device = [one for one in every if told.device in dict(one)]
        by_device = {dict(one)[told.device]: one for one in sorted(with_device, key=len)}
        return list(by_device.values()) or every[:1]
    if told.together:
        return every
    preferred = [one for one in every if set(told.prefers) <= set(one)]
    return sorted(preferred or every, key=lambda one: (len(one), one))[:1]
