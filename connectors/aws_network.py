"""Addresses, VPCs, subnets and security groups.

An address that no instance and no interface has is `unattached`. Source: the EC2 API model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.aws_base import Amazon
from connectors.aws_rows import raw, tags
from connectors.rows import Record, each, told

PAGE = 1000
STATES = {
    "available": "available",
    "pending": "starting",
    "unavailable": "failed",
    "failed": "failed",
    "failed-insufficient-capacity": "failed",
}


class Network(Amazon):
    """What EC2 connects machines by."""

    async def addresses(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Elastic addresses: one answer, without pages."""
        answer = await self.call(scope, "ec2", "describe_addresses")
        found = self.records(answer, "Addresses")
        rows = [row for one in found if (row := address(one)) is not None]
        yield rows
        self.nameless(scope, len(found) - len(rows), "address")

    async def vpcs(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """VPCs."""
        async for page in self.listed(scope, "ec2", "describe_vpcs", "Vpcs", vpc, "VPC", size=PAGE):
            yield page

    async def subnets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Subnets."""
        async for page in self.listed(
            scope, "ec2", "describe_subnets", "Subnets", subnet, "subnet", size=PAGE
        ):
            yield page

    async def security_groups(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Security groups."""
        about: dict[str, Any] = {"noun": "security group", "size": PAGE}
        async for page in self.listed(
            scope, "ec2", "describe_security_groups", "SecurityGroups", security_group, **about
        ):
            yield page


def address(one: Record) -> Resource | None:
    """One Elastic address. Outside of a VPC, as it once was, the address itself is the id."""
    native = one.get("AllocationId") or one.get("PublicIp")
    if not native:
        return None
    labels = tags(one)
    held = one.get("InstanceId") or one.get("NetworkInterfaceId")
    return Resource(
        id=native,
        type="address",
        name=labels.get("Name") or None,
        status="available" if held or one.get("AssociationId") else "unattached",
        tags=labels,
        public_ip=one.get("PublicIp"),
        private_ip=one.get("PrivateIpAddress"),
        details=told(
            ip_address=one.get("PublicIp"),
            attached_to=held,
            account_id=one.get("NetworkInterfaceOwnerId"),
            pool=one.get("PublicIpv4Pool"),
            border_group=one.get("NetworkBorderGroup"),
        ),
        raw=raw(one),
    )


def vpc(one: Record) -> Resource | None:
    """One VPC."""
    if not one.get("VpcId"):
        return None
    labels = tags(one)
    return Resource(
        id=one["VpcId"],
        type="vpc",
        name=labels.get("Name") or None,
        status=STATES.get(str(one.get("State")), "unknown"),
        status_raw=one.get("State"),
        tags=labels,
        details=told(
            cidr=one.get("CidrBlock"),
            default=one.get("IsDefault"),
            tenancy=one.get("InstanceTenancy"),
            account_id=one.get("OwnerId"),
        ),
        raw=raw(one),
    )


def subnet(one: Record) -> Resource | None:
    """One subnet."""
    if not one.get("SubnetId"):
        return None
    labels = tags(one)
    return Resource(
        id=one["SubnetId"],
        type="subnet",
        name=labels.get("Name") or None,
        status=STATES.get(str(one.get("State")), "unknown"),
        status_raw=one.get("State"),
        zone=one.get("AvailabilityZone"),
        tags=labels,
        details=told(
            arn=one.get("SubnetArn"),
            vpc_id=one.get("VpcId"),
            cidr=one.get("CidrBlock"),
            free_addresses=one.get("AvailableIpAddressCount"),
            public=one.get("MapPublicIpOnLaunch"),
            default=one.get("DefaultForAz"),
            account_id=one.get("OwnerId"),
        ),
        raw=raw(one),
    )


def security_group(one: Record) -> Resource | None:
    """One security group."""
    if not one.get("GroupId"):
        return None
    return Resource(
        id=one["GroupId"],
        type="security_group",
        name=one.get("GroupName"),
        status="available",
        tags=tags(one),
        details=told(
            arn=one.get("SecurityGroupArn"),
            vpc_id=one.get("VpcId"),
            description=one.get("Description"),
            rules_in=len(each(one, "IpPermissions")),
            rules_out=len(each(one, "IpPermissionsEgress")),
            account_id=one.get("OwnerId"),
        ),
        raw=raw(one),
    )
