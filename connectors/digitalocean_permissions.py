"""What a token may read of what cloudtop asks: found out by asking for one record of each kind.

DigitalOcean tells nobody which scopes a token has; it refuses with 403 what they do not hold. Nothing is read
of metrics without a Droplet, so alerts are asked for, which take the same scope. Source: the scopes that
DigitalOcean's OpenAPI document names for each path.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.errors import Forbidden
from cloudtop.models import Health, Scope
from connectors import (
    digitalocean_compute,
    digitalocean_network,
    digitalocean_platform,
    digitalocean_storage,
)
from connectors.digitalocean_base import Listing, Ocean

ASKED = {
    "droplet:read": digitalocean_compute.DROPLETS,
    "kubernetes:read": digitalocean_compute.CLUSTERS,
    "database:read": digitalocean_platform.DATABASES,
    "function:read": digitalocean_platform.NAMESPACES,
    "app:read": digitalocean_platform.APPS,
    "block_storage:read": digitalocean_storage.VOLUMES,
    "snapshot:read": digitalocean_storage.SNAPSHOTS,
    "load_balancer:read": digitalocean_network.LOAD_BALANCERS,
    "vpc:read": digitalocean_network.VPCS,
    "reserved_ip:read": digitalocean_network.ADDRESSES,
    "monitoring:read": Listing("/v2/monitoring/alerts", "policies", "alert policy"),
}
"""By scope: what is asked for to find out."""
FEW = 3
"""Questions that are on their way at once: nobody waits for them, and others may."""


class Permissions(Ocean):
    """What the token of an account may read."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, and which scope is missing."""
        found = await self.each(ASKED.items(), lambda one: self._allowed(scope, *one), FEW)
        held: dict[str, bool | None] = dict(zip(ASKED, found, strict=True))
        yield [self.permitted(scope, kind, needed, held) for kind, needed in self.facts.needs.items()]

    async def _allowed(self, scope: Scope, name: str, listing: Listing) -> bool:
        try:
            await self.http.json(
                "GET",
                listing.path,
                params=listing.first(1),
                operation=f"try {name}",
                account=scope.account,
            )
        except Forbidden:
            return False
        return True
