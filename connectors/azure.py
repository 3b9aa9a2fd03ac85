"""Microsoft Azure: what runs in its subscriptions, what it measures, and prices.

A key is a service principal (tenant, client and secret), or whatever the Azure CLI and Microsoft's other
tools find; the identity of the machine only with `auth.method: service_account`. With `subscription_id` that
subscription is read, without it every one that the key sees. Resource Manager lists a kind of resource of all
regions at once, and tells the tags with it.

Monitor tells what it sees from outside, for up to fifty resources of a region at once: the memory of a
machine it sees, its GPUs and file systems it does not. The price list needs no key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cloudtop.models import Health, Scope
from connectors import (
    azure_compute,
    azure_containers,
    azure_databases,
    azure_disks,
    azure_metrics,
    azure_network,
    azure_permissions,
    azure_prices,
    azure_storage,
    azure_web,
)
from connectors.azure_base import SUBSCRIPTIONS


class Azure(
    azure_compute.Compute,
    azure_disks.Disks,
    azure_containers.Containers,
    azure_web.Web,
    azure_databases.Databases,
    azure_storage.Storage,
    azure_network.Network,
    azure_metrics.Metrics,
    azure_permissions.Permissions,
    azure_prices.Prices,
):
    """Everything that cloudtop asks of Microsoft."""

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted and what it sees; without any, whether the price list is there."""
        if self.has_credentials(scope.account):
            yield await self.probe(scope, self._seen(scope), None)
            return
        call = self.ask_prices(azure_prices.ONE_TYPE, None, scope)
        yield await self.probe(scope, call, "No key is set. It works without a key: prices only.")

    async def _seen(self, scope: Scope) -> str:
        seen = [await self._subscription(scope, one) for one in await self.subscriptions(scope)]
        source = self.settings.source(scope.account)
        found = f" Found in {source}." if source and not self.has_keys(scope.account) else ""
        return f"The key is accepted: {'; '.join(seen)}.{found}"

    async def _subscription(self, scope: Scope, subscription: str) -> str:
        """A subscription in words, as the cloud names it."""
        path = f"/subscriptions/{subscription}"
        about: Any = await self.call(scope, path, SUBSCRIPTIONS, operation="read subscription")
        state = about.get("state") or "Enabled"
        words = f"subscription {about.get('displayName') or subscription}"
        return words if state == "Enabled" else f"{words} ({state})"
