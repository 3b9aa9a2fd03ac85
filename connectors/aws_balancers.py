"""Load balancers of both generations, and the zones of Route 53.

A load balancer's id is its ARN, and its name where it is of the first generation, which has no ARN. Zones
belong to no region. Their tags are asked for apart. Source: the API models.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.aws_base import Amazon
from connectors.aws_rows import joined, moment, raw, tags
from connectors.aws_tags import Tagging, Tags
from connectors.rows import Record, each, inner, told

PAGE = 400
TAGS_TOGETHER = 20
"""Load balancers whose tags one call tells."""
ZONES, ZONES_TOGETHER = 100, 10
STATES = {
    "active": "available",
    "active_impaired": "available",
    "provisioning": "starting",
    "failed": "failed",
}


class Balancers(Amazon):
    """What leads to what runs."""

    async def load_balancers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Application, network and gateway load balancers."""

        async def few(rows: Sequence[Resource]) -> list[Tags]:
            arns = [one.id for one in rows]
            answer = await self.call(scope, "elbv2", "describe_tags", ResourceArns=arns)
            found = {one.get("ResourceArn"): tags(one) for one in self.records(answer, "TagDescriptions")}
            return [found.get(arn, {}) for arn in arns]

        tagging = Tagging(few, together=TAGS_TOGETHER)
        about: dict[str, Any] = {"noun": "load balancer", "tagging": tagging, "size": PAGE}
        async for page in self.listed(
            scope, "elbv2", "describe_load_balancers", "LoadBalancers", load_balancer, **about
        ):
            yield page

    async def classic_load_balancers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Load balancers of the first generation."""

        async def few(rows: Sequence[Resource]) -> list[Tags]:
            names = [one.id for one in rows]
            answer = await self.call(scope, "elb", "describe_tags", LoadBalancerNames=names)
            found = {
                one.get("LoadBalancerName"): tags(one) for one in self.records(answer, "TagDescriptions")
            }
            return [found.get(name, {}) for name in names]

        tagging = Tagging(few, together=TAGS_TOGETHER)
        about: dict[str, Any] = {"noun": "load balancer", "tagging": tagging, "size": PAGE}
        async for page in self.listed(
            scope, "elb", "describe_load_balancers", "LoadBalancerDescriptions", classic, **about
        ):
            yield page

    async def zones(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Hosted zones of Route 53."""

        async def few(rows: Sequence[Resource]) -> list[Tags]:
            about = {"ResourceType": "hostedzone", "ResourceIds": [one.id for one in rows]}
            answer = await self.call(scope, "route53", "list_tags_for_resources", **about)
            found = {one.get("ResourceId"): tags(one) for one in self.records(answer, "ResourceTagSets")}
            return [found.get(one.id, {}) for one in rows]

        tagging = Tagging(few, together=ZONES_TOGETHER)
        about: dict[str, Any] = {"noun": "zone", "tagging": tagging, "size": ZONES}
        async for page in self.listed(scope, "route53", "list_hosted_zones", "HostedZones", zone, **about):
            yield page


def load_balancer(one: Record) -> Resource | None:
    """One load balancer of the second generation."""
    if not one.get("LoadBalancerArn"):
        return None
    state = inner(one, "State", "Code")
    impaired = state == "active_impaired"
    return Resource(
        id=one["LoadBalancerArn"],
        type="load_balancer",
        name=one.get("LoadBalancerName"),
        status=STATES.get(str(state), "unknown"),
        status_raw=state,
        created_at=moment(one.get("CreatedTime")),
        health="degraded" if impaired else None,
        health_message=joined([inner(one, "State", "Reason") or "It cannot scale"]) if impaired else None,
        details=told(
            service=one.get("Type") or "application",
            arn=one["LoadBalancerArn"],
            endpoint=one.get("DNSName"),
            scheme=one.get("Scheme"),
            vpc_id=one.get("VpcId"),
            zones=[zone["ZoneName"] for zone in each(one, "AvailabilityZones") if zone.get("ZoneName")],
            security_groups=list(one.get("SecurityGroups") or ()),
        ),
        raw=raw(one),
    )


def classic(one: Record) -> Resource | None:
    """One load balancer of the first generation."""
    if not one.get("LoadBalancerName"):
        return None
    return Resource(
        id=one["LoadBalancerName"],
        type="load_balancer",
        name=one["LoadBalancerName"],
        status="available",
        created_at=moment(one.get("CreatedTime")),
        details=told(
            service="classic",
            endpoint=one.get("DNSName"),
            scheme=one.get("Scheme"),
            vpc_id=one.get("VPCId"),
            zones=list(one.get("AvailabilityZones") or ()),
            instances=[at["InstanceId"] for at in each(one, "Instances") if at.get("InstanceId")],
            security_groups=list(one.get("SecurityGroups") or ()),
        ),
        raw=raw(one),
    )


def zone(one: Record) -> Resource | None:
    """One hosted zone of Route 53."""
    if not one.get("Id"):
        return None
    name = one.get("Name")
    return Resource(
        id=str(one["Id"]).rpartition("/")[2],
        type="zone",
        name=name.rstrip(".") or None if name else None,
        status="available",
        details=told(
            private=inner(one, "Config", "PrivateZone"),
            comment=inner(one, "Config", "Comment"),
            records=one.get("ResourceRecordSetCount"),
        ),
        raw=raw(one),
    )
