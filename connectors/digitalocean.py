"""DigitalOcean: what runs in its accounts, what it measures, and the prices of GPU Droplets.

A token belongs to one team and stands for all its regions; several teams are several accounts. Listings are
pages of 200 that are led on by `links.pages.next`, a full address. The plain list of Droplets leaves those
with GPUs out, so they are asked for apart. Tags are single texts: `env:prod` is read as env = prod.

Health asks for sizes first, which every token can that prices need; who the account is, what it owes and how
many requests are left is told where the token may know it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.models import Health, Scope
from connectors import (
    digitalocean_compute,
    digitalocean_metrics,
    digitalocean_network,
    digitalocean_platform,
    digitalocean_prices,
    digitalocean_storage,
)
from connectors.digitalocean_base import SIZES


class DigitalOcean(
    digitalocean_compute.Compute,
    digitalocean_platform.Platform,
    digitalocean_storage.Storage,
    digitalocean_network.Network,
    digitalocean_metrics.Metrics,
    digitalocean_prices.Offers,
):
    """Everything that cloudtop asks of DigitalOcean."""

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the token may read sizes: what it is needed for in any case."""
        ask = self.http.json(
            "GET", SIZES.path, params=SIZES.first(1), operation="list sizes", account=scope.account
        )
        yield await self.probe(scope, ask, None)
