"""Networks, subnetworks, firewall rules, addresses, and the forwarding rules that load balancers are seen
by.

A load balancer is no thing of its own at Google: each of its forwarding rules is a row. Rules that lead to
a VPN gateway or to a private connection (Private Service Connect) balance nothing and are left out. Source:
the Compute Engine API.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.gcp_base import Google
from connectors.gcp_rows import labels, last, moment, raw, region_of
from connectors.rows import Record, each, inner, told

NO_BALANCER = re.compile(r"/(?:targetVpnGateways|serviceAttachments)/|^(?:all-apis|vpc-sc)$")
ADDRESS_STATES = {"IN_USE": "available", "RESERVED": "unattached", "RESERVING": "starting"}


class Network(Google):
    """What connects."""

    async def networks(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """VPC networks; they belong to no region."""
        pages = self.plain(scope, "NetworksClient")
        async for page in self.listed(scope, pages, network, "network"):
            yield page

    async def subnetworks(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Subnetworks of all regions."""
        pages = self.aggregated(scope, "SubnetworksClient", "subnetworks")
        async for page in self.listed(scope, pages, subnetwork, "subnetwork"):
            yield page

    async def firewalls(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Firewall rules of networks."""
        pages = self.plain(scope, "FirewallsClient")
        async for page in self.listed(scope, pages, firewall, "firewall rule"):
            yield page

    async def addresses(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Reserved addresses, those of a region and those of none."""
        pages = self.aggregated(scope, "AddressesClient", "addresses")
        async for page in self.listed(scope, pages, address, "address"):
            yield page

    async def forwarding_rules(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Forwarding rules of load balancers, those of a region and those of none."""
        async for page in self.listed(scope, self._balancing(scope), balancer, "forwarding rule"):
            yield page

    async def _balancing(self, scope: Scope) -> AsyncIterator[list[Record]]:
        async for page in self.aggregated(scope, "ForwardingRulesClient", "forwardingRules"):
            yield [one for one in page if not NO_BALANCER.search(str(one.get("target") or ""))]


def _common(one: Record, kind: str) -> dict[str, Any]:
    """What a row of any of these says."""
    return {
        "id": str(one["id"]),
        "type": kind,
        "name": one.get("name"),
        "region": region_of(one),
        "tags": labels(one),
        "created_at": moment(one.get("creationTimestamp")),
        "raw": raw(one),
    }


def network(one: Record) -> Resource | None:
    """One VPC network."""
    if not one.get("id"):
        return None
    return Resource(
        **_common(one, "vpc"),
        status="available",
        details=told(
            automatic_subnetworks=one.get("autoCreateSubnetworks"),
            routing=inner(one, "routingConfig", "routingMode"),
            mtu=one.get("mtu"),
            cidr=one.get("IPv4Range"),
            subnetworks=len(one.get("subnetworks") or ()) or None,
            peered_with=[last(peer.get("network")) for peer in each(one, "peerings") if peer.get("network")],
            description=one.get("description"),
        ),
    )


def subnetwork(one: Record) -> Resource | None:
    """One subnetwork."""
    if not one.get("id"):
        return None
    return Resource(
        **_common(one, "subnet"),
        status="stopping" if one.get("state") == "DRAINING" else "available",
        status_raw=one.get("state"),
        details=told(
            cidr=one.get("ipCidrRange"),
            more_cidrs=[
                more["ipCidrRange"] for more in each(one, "secondaryIpRanges") if more.get("ipCidrRange")
            ],
            network=last(one.get("network")),
            gateway=one.get("gatewayAddress"),
            purpose=one.get("purpose"),
            private_google_access=one.get("privateIpGoogleAccess"),
            flow_logs=inner(one, "logConfig", "enable"),
            description=one.get("description"),
        ),
    )


def firewall(one: Record) -> Resource | None:
    """One firewall rule."""
    if not one.get("id"):
        return None
    off = one.get("disabled")
    return Resource(
        **_common(one, "security_group"),
        status="unknown" if off is None else "stopped" if off else "available",
        details=told(
            network=last(one.get("network")),
            direction=one.get("direction"),
            priority=one.get("priority"),
            allowed=[ports(part) for part in each(one, "allowed")],
            denied=[ports(part) for part in each(one, "denied")],
            sources=[*(one.get("sourceRanges") or ()), *(one.get("sourceTags") or ())],
            destinations=list(one.get("destinationRanges") or ()),
            targets=list(one.get("targetTags") or ()),
            description=one.get("description"),
        ),
    )


def ports(part: Record) -> str:
    """A protocol and its ports, as people write them: `tcp:80,443`."""
    return ":".join(filter(None, (part.get("IPProtocol"), ",".join(part.get("ports") or ()))))


def address(one: Record) -> Resource | None:
    """One reserved address."""
    if not one.get("id"):
        return None
    return Resource(
        **_common(one, "address"),
        **where(one.get("address"), one.get("addressType") == "INTERNAL"),
        status=ADDRESS_STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        details=told(
            attached_to=[last(url) for url in one.get("users") or ()],
            kind=one.get("addressType"),
            purpose=one.get("purpose"),
            prefix_length=one.get("prefixLength"),
            tier=one.get("networkTier"),
            network=last(one.get("network")),
            subnetwork=last(one.get("subnetwork")),
            description=one.get("description"),
        ),
    )


def balancer(one: Record) -> Resource | None:
    """One forwarding rule of a load balancer; Google tells no state of it, so it runs while it is there."""
    if not one.get("id"):
        return None
    scheme = str(one.get("loadBalancingScheme") or "")
    return Resource(
        **_common(one, "load_balancer"),
        **where(one.get("IPAddress"), scheme.startswith("INTERNAL")),
        status="running",
        details=told(
            scheme=scheme,
            protocol=one.get("IPProtocol"),
            ports=one.get("portRange") or ",".join(one.get("ports") or ()),
            target=last(one.get("target")),
            backend_service=last(one.get("backendService")),
            network=last(one.get("network")),
            subnetwork=last(one.get("subnetwork")),
            tier=one.get("networkTier"),
            description=one.get("description"),
        ),
    )


def where(text: Any, inside: bool) -> dict[str, Any]:
    """An address as the field that it belongs in; what is none is left out."""
    try:
        found = ipaddress.ip_address(str(text))
    except ValueError:
        return {}
    return {"private_ip" if inside or _private(found) else "public_ip": str(found)}


def _private(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(found.version == one.version and found in one for one in PRIVATE)


PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "100.64.0.0/10"))
)
