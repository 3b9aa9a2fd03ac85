"""Virtual cloud networks, their subnets and security groups, reserved addresses, and load balancers.

A subnet belongs to a region, or to one availability domain. Reserved addresses are those that stay when what
they stood at goes; an address that stands at nothing is `unattached`. A load balancer speaks HTTP and has
backend sets by name, a network load balancer passes packets on. Source: the Core Services and Load Balancing
API references.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.oci_base import Oracle
from connectors.oci_rows import common
from connectors.rows import Record, each, told

RESERVED = "REGION"
"""Ephemeral addresses belong to an availability domain, and go with what they stand at."""
ADDRESS_STATES = {
    "ASSIGNED": "available",
    "AVAILABLE": "unattached",
    "UNASSIGNED": "unattached",
    "PROVISIONING": "starting",
    "ASSIGNING": "starting",
    "UNASSIGNING": "stopping",
    "TERMINATING": "stopping",
    "TERMINATED": "terminated",
}


class Network(Oracle):
    """What connects."""

    async def vcns(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Virtual cloud networks."""
        async for page in self.listed(scope, "network", "list_vcns", vcn, "network"):
            yield page

    async def subnets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Subnets."""
        async for page in self.listed(scope, "network", "list_subnets", subnet, "subnet"):
            yield page

    async def public_ips(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Reserved addresses."""
        listing = "network", "list_public_ips"
        async for page in self.listed(scope, *listing, address, "address", narrowed={"scope": RESERVED}):
            yield page

    async def security_groups(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Network security groups."""
        listing = "network", "list_network_security_groups"
        async for page in self.listed(scope, *listing, security_group, "security group"):
            yield page

    async def load_balancers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Load balancers."""
        listing = "load_balancer", "list_load_balancers"
        async for page in self.listed(scope, *listing, load_balancer, "load balancer"):
            yield page

    async def network_load_balancers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Network load balancers."""
        listing = "network_load_balancer", "list_network_load_balancers"
        async for page in self.listed(scope, *listing, load_balancer, "load balancer", key="items"):
            yield page


def vcn(one: Record) -> Resource | None:
    """One virtual cloud network."""
    if not one.get("id"):
        return None
    blocks = one.get("cidrBlocks") or [one.get("cidrBlock")]
    return Resource(
        type="vpc",
        details=told(
            compartment_id=one.get("compartmentId"),
            cidr=[block for block in blocks if block],
            dns_name=one.get("vcnDomainName"),
            default_route_table_id=one.get("defaultRouteTableId"),
        ),
        **common(one, "available"),
    )


def subnet(one: Record) -> Resource | None:
    """One subnet."""
    if not one.get("id"):
        return None
    return Resource(
        type="subnet",
        details=told(
            compartment_id=one.get("compartmentId"),
            vpc_id=one.get("vcnId"),
            cidr=one.get("cidrBlock"),
            no_public_addresses=one.get("prohibitPublicIpOnVnic"),
            dns_name=one.get("subnetDomainName"),
        ),
        **common(one, "available"),
    )


def security_group(one: Record) -> Resource | None:
    """One network security group; its rules are in a listing of their own, which is not read."""
    if not one.get("id"):
        return None
    return Resource(
        type="security_group",
        details=told(compartment_id=one.get("compartmentId"), vpc_id=one.get("vcnId")),
        **common(one, "available"),
    )


def address(one: Record) -> Resource | None:
    """One reserved address."""
    if not one.get("id"):
        return None
    row = common(one)
    row["status"] = ADDRESS_STATES.get(str(one.get("lifecycleState")), "unknown")
    return Resource(
        type="address",
        public_ip=one.get("ipAddress"),
        details=told(
            compartment_id=one.get("compartmentId"),
            attached_to=one.get("assignedEntityId"),
            lifetime=one.get("lifetime"),
        ),
        **row,
    )


def load_balancer(one: Record) -> Resource | None:
    """One load balancer of either kind."""
    if not one.get("id"):
        return None
    public = [
        at["ipAddress"] for at in each(one, "ipAddresses") if at.get("ipAddress") and at.get("isPublic")
    ]
    private = [
        at["ipAddress"]
        for at in each(one, "ipAddresses")
        if at.get("ipAddress") and at.get("isPublic") is False
    ]
    return Resource(
        type="load_balancer",
        public_ip=next(iter(public), None),
        private_ip=next(iter(private), None),
        details=told(
            service="network" if "networkloadbalancer" in str(one["id"]) else "application",
            compartment_id=one.get("compartmentId"),
            shape=one.get("shapeName"),
            internal=one.get("isPrivate"),
            listeners=sorted(_names(one, "listeners")),
            backends=_backends(one) or None,
            subnets=one.get("subnetIds") or ([one["subnetId"]] if one.get("subnetId") else None),
        ),
        **common(one),
    )


def _names(one: Record, key: str) -> list[str]:
    found = one.get(key)
    return [str(name) for name in found] if isinstance(found, Mapping) else []


def _backends(one: Record) -> int:
    """How many machines stand behind it, in all sets."""
    sets: Any = one.get("backendSets")
    parts = sets.values() if isinstance(sets, Mapping) else ()
    return sum(len(part.get("backends") or ()) for part in parts if isinstance(part, Mapping))
