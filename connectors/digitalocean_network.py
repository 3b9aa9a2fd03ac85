"""Load balancers, VPCs and reserved addresses; none of them bears tags.

The tag in a load balancer's record says which Droplets it sends to. Source: DigitalOcean's OpenAPI document
(Load Balancers, VPCs, Reserved IPs).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import whole
from connectors.digitalocean_base import Listing, Ocean
from connectors.digitalocean_rows import identity, moment, raw, region, text, texts
from connectors.rows import Record, each, inner, told

LOAD_BALANCERS = Listing("/v2/load_balancers", "load_balancers", "load balancer")
VPCS = Listing("/v2/vpcs", "vpcs", "VPC")
ADDRESSES = Listing("/v2/reserved_ips", "reserved_ips", "reserved address")
STATES = {"new": "starting", "active": "running", "errored": "failed"}


class Network(Ocean):
    """What connects."""

    async def load_balancers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Load balancers, regional and global."""
        async for page in self.listed(scope, LOAD_BALANCERS, load_balancer):
            yield page

    async def vpcs(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Private networks, those of a region that everything is in by default among them."""
        async for page in self.listed(scope, VPCS, vpc):
            yield page

    async def addresses(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Reserved IPv4 addresses."""
        async for page in self.listed(scope, ADDRESSES, reserved):
            yield page


def load_balancer(one: Record) -> Resource | None:
    """One load balancer."""
    if (uuid := identity(one)) is None:
        return None
    state, ip = text(one.get("status")), text(one.get("ip"))
    inside = one.get("network") == "INTERNAL"
    return Resource(
        id=uuid,
        type="load_balancer",
        name=text(one.get("name")),
        status=STATES.get(state or "", "unknown"),
        status_raw=state,
        region=region(one),
        created_at=moment(one.get("created_at")),
        public_ip=None if inside else ip,
        private_ip=ip if inside else None,
        health="failing" if state == "errored" else None,
        details=told(
            service="load_balancers",
            kind=text(one.get("type")),
            units=whole(one.get("size_unit")),
            algorithm=text(one.get("algorithm")),
            rules=[rule(part) for part in each(one, "forwarding_rules")],
            droplets=texts(one.get("droplet_ids")),
            droplets_with_tag=text(one.get("tag")),
            vpc=text(one.get("vpc_uuid")),
        ),
        raw=raw(one),
    )


def rule(one: Record) -> str:
    """What comes in where, and where it goes: https:443 to http:8080."""
    entry, target = (f"{one.get(f'{end}_protocol')}:{one.get(f'{end}_port')}" for end in ("entry", "target"))
    return f"{entry} to {target}"


def vpc(one: Record) -> Resource | None:
    """One private network."""
    if (uuid := identity(one)) is None:
        return None
    return Resource(
        id=uuid,
        type="vpc",
        name=text(one.get("name")),
        status="available",
        region=region(one),
        created_at=moment(one.get("created_at")),
        details=told(
            service="vpcs",
            cidr=text(one.get("ip_range")),
            default=one.get("default"),
            description=text(one.get("description")),
        ),
        raw=raw(one),
    )


def reserved(one: Record) -> Resource | None:
    """One reserved address; it has no id and no name but itself."""
    if (ip := identity(one, "ip")) is None:
        return None
    droplet = inner(one, "droplet")
    status = "available" if droplet else "unattached" if "droplet" in one else "unknown"
    number = inner(droplet, "id")
    return Resource(
        id=ip,
        type="address",
        status=status,
        region=region(one),
        public_ip=ip,
        details=told(
            service="reserved_ips",
            attached_to=None if number is None else str(number),
            attached_name=text(inner(droplet, "name")),
        ),
        raw=raw(one),
    )
