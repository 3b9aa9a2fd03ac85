"""Virtual networks, load balancers, application gateways, public addresses, security groups, DNS zones.

A balancer names its public address by an id, so the addresses are listed with it. An address that hangs on
nothing is `unattached`, and is paid for. Subnets stand within their network.
Source: the REST API of Microsoft.Network, 2025-05-01.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.azure_base import Microsoft, by_id, named
from connectors.azure_rows import PROVISIONING, common, places, prop, state, text
from connectors.rows import Record, each, inner, told

VERSION = "2025-05-01"
DNS_VERSION = "2018-05-01"
BALANCERS, GATEWAYS = "Microsoft.Network/loadBalancers", "Microsoft.Network/applicationGateways"
ADDRESSES = "Microsoft.Network/publicIPAddresses"
GATEWAY_STATES = {
    "Running": "available",
    "Starting": "starting",
    "Stopping": "stopping",
    "Stopped": "stopped",
}
PORTS = "destinationPortRange", "destinationPortRanges"
SOURCES = "sourceAddressPrefix", "sourceAddressPrefixes"
OPEN = frozenset({"*", "Internet", "0.0.0.0/0", "::/0"})
"""What a rule calls everybody."""

Held = Mapping[str, Record]


class Network(Microsoft):
    """What connects."""

    async def vpcs(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Virtual networks with their subnets."""
        kind = "Microsoft.Network/virtualNetworks"
        async for rows in self.listed(scope, kind, VERSION, network, "network"):
            yield rows

    async def addresses(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Public addresses."""
        async for rows in self.listed(scope, ADDRESSES, VERSION, address, "address"):
            yield rows

    async def security_groups(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Network security groups."""
        kind = "Microsoft.Network/networkSecurityGroups"
        async for rows in self.listed(scope, kind, VERSION, security_group, "security group"):
            yield rows

    async def load_balancers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Load balancers."""
        async for rows in self._balancers(scope, BALANCERS, load_balancer):
            yield rows

    async def gateways(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Application gateways."""
        async for rows in self._balancers(scope, GATEWAYS, gateway):
            yield rows

    async def zones(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Public DNS zones."""
        async for rows in self.listed(scope, "Microsoft.Network/dnszones", DNS_VERSION, zone, "zone"):
            yield rows

    async def _balancers(
        self, scope: Scope, kind: str, row: Callable[[Record, Held], Resource]
    ) -> AsyncIterator[list[Resource]]:
        """Balancers of a kind, with the public addresses that they name."""
        held: dict[str, Record] = {}

        async def pages(subscription: str) -> AsyncIterator[Sequence[Record]]:
            where = f"/subscriptions/{subscription}/providers"
            public = self.whole(scope, f"{where}/{ADDRESSES}", VERSION)
            found = await self.beside(scope, "Public addresses of load balancers are", public)
            held.update(by_id(found or ()))
            async for page in self.pages(scope, f"{where}/{kind}", VERSION):
                yield page

        async for rows in self.rows(scope, pages, lambda one: row(one, held), "load balancer"):
            yield rows


def network(one: Record) -> Resource:
    """One virtual network."""
    status, word = state(one, PROVISIONING, "provisioningState")
    return Resource(
        **common(one),
        type="vpc",
        status=status,
        status_raw=word,
        details=told(
            **places(one),
            address_space=inner(prop(one, "addressSpace"), "addressPrefixes"),
            subnets=[
                told(name=text(part.get("name")), prefix=text(prop(part, "addressPrefix")))
                for part in each(one, "properties", "subnets")
            ],
        ),
    )


def address(one: Record) -> Resource:
    """One public address; a dynamic one is none while nothing uses it."""
    _, word = state(one, PROVISIONING, "provisioningState")
    used = text(prop(one, "ipConfiguration", "id")) or text(prop(one, "natGateway", "id"))
    return Resource(
        **common(one),
        type="address",
        status="available" if used else "unattached",
        status_raw=word,
        public_ip=text(prop(one, "ipAddress")),
        details=told(
            **places(one),
            attached_to=[used] if used else None,
            allocation=prop(one, "publicIPAllocationMethod"),
            dns_name=text(prop(one, "dnsSettings", "fqdn")),
            sku=text(inner(one, "sku", "name")),
        ),
    )


def security_group(one: Record) -> Resource:
    """One network security group, with the ports that it opens to everybody."""
    status, word = state(one, PROVISIONING, "provisioningState")
    rules = each(one, "properties", "securityRules")
    return Resource(
        **common(one),
        type="security_group",
        status=status,
        status_raw=word,
        details=told(
            **places(one),
            rules=len(rules),
            open_ports=sorted({port for rule in rules if opens(rule) for port in either(rule, *PORTS)}),
        ),
    )


def opens(rule: Record) -> bool:
    """Whether a rule lets everybody in."""
    way = prop(rule, "access"), prop(rule, "direction")
    return way == ("Allow", "Inbound") and not OPEN.isdisjoint(either(rule, *SOURCES))


def either(rule: Record, one: str, several: str) -> list[str]:
    """What a rule says once, or several times in a list of another name."""
    said, listed = prop(rule, one), prop(rule, several)
    return [str(found) for found in (said, *(listed if isinstance(listed, list) else ())) if found]


def fronts(one: Record, held: Held) -> dict[str, Any]:
    """The addresses of a balancer: of its first front with a public one, and with a private one."""
    parts = each(one, "properties", "frontendIPConfigurations")
    public = (held.get(named(prop(part, "publicIPAddress"))) for part in parts)
    return {
        "public_ip": next(filter(None, (text(prop(found, "ipAddress")) for found in public if found)), None),
        "private_ip": next(filter(None, (text(prop(part, "privateIPAddress")) for part in parts)), None),
    }


def load_balancer(one: Record, held: Held) -> Resource:
    """One load balancer."""
    status, word = state(one, PROVISIONING, "provisioningState")
    sku: dict[str, Any] = told(sku=text(inner(one, "sku", "name")))
    details = told(**places(one), service="network", **sku)
    return Resource(
        **common(one),
        **fronts(one, held),
        type="load_balancer",
        status=status,
        status_raw=word,
        details=details,
    )


def gateway(one: Record, held: Held) -> Resource:
    """One application gateway."""
    status, word = state(one, GATEWAY_STATES, "operationalState")
    sku: dict[str, Any] = told(sku=text(inner(one, "sku", "name")) or text(prop(one, "sku", "name")))
    details = told(**places(one), service="application", **sku)
    return Resource(
        **common(one),
        **fronts(one, held),
        type="load_balancer",
        status=status,
        status_raw=word,
        details=details,
    )


def zone(one: Record) -> Resource:
    """One DNS zone."""
    return Resource(
        **common(one),
        type="zone",
        status="available",
        details=told(
            **places(one),
            kind=text(prop(one, "zoneType")),
            records=prop(one, "numberOfRecordSets"),
        ),
    )
