"""Kubernetes clusters with their node pools, container instances, and registries.

Of a cluster Azure tells whether it was switched off and whether its last change failed, not how it is inside.
The nodes are machines of a scale set in a resource group of its own, which the list of machines does not
have. Source: the REST APIs of Microsoft.ContainerService 2026-08-01, ContainerInstance and ContainerRegistry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.azure_base import Microsoft
from connectors.azure_rows import PROVISIONING, common, created, places, prop, state, text
from connectors.rows import Record, each, inner, told

CLUSTERS, CLUSTER_VERSION = "Microsoft.ContainerService/managedClusters", "2026-08-01"
GROUPS, GROUP_VERSION = "Microsoft.ContainerInstance/containerGroups", "2025-09-01"
REGISTRIES, REGISTRY_VERSION = "Microsoft.ContainerRegistry/registries", "2025-11-01"
POWER = {"Running": "running", "Stopped": "stopped"}
GROUP_STATES = {
    "Running": "running",
    "Pending": "starting",
    "Repairing": "starting",
    "Stopped": "stopped",
    "Succeeded": "stopped",
    "Terminated": "stopped",
    "Failed": "failed",
}
PASSING = frozenset({"starting", "stopping", "failed"})
"""States of the last change that say more than whether a thing is switched on."""


class Containers(Microsoft):
    """What runs containers, and where their images are."""

    async def clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Clusters of AKS."""
        async for rows in self.listed(scope, CLUSTERS, CLUSTER_VERSION, cluster, "cluster"):
            yield rows

    async def containers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Groups of container instances."""
        async for rows in self.listed(scope, GROUPS, GROUP_VERSION, container_group, "container group"):
            yield rows

    async def registries(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Container registries."""
        async for rows in self.listed(scope, REGISTRIES, REGISTRY_VERSION, registry, "registry"):
            yield rows


def cluster(one: Record) -> Resource:
    """One cluster of AKS."""
    power, word = state(one, POWER, "powerState", "code")
    changing, done = state(one, PROVISIONING, "provisioningState")
    pools = each(one, "properties", "agentPoolProfiles")
    counts = [count for pool in pools if isinstance(count := pool.get("count"), int)]
    return Resource(
        **common(one),
        type="cluster",
        status=changing if changing in PASSING else power,
        status_raw=done if changing in PASSING else word,
        created_at=created(one),
        version=text(prop(one, "currentKubernetesVersion")) or text(prop(one, "kubernetesVersion")),
        node_count=sum(counts) if counts else None,
        details=told(
            **places(one),
            node_pools=[
                told(
                    name=text(pool.get("name")),
                    instance_type=text(pool.get("vmSize")),
                    nodes=pool.get("count"),
                    mode=text(pool.get("mode")),
                )
                for pool in pools
            ],
            endpoint=text(prop(one, "fqdn")),
            tier=text(inner(one, "sku", "tier")),
            node_resource_group=text(prop(one, "nodeResourceGroup")),
        ),
    )


def container_group(one: Record) -> Resource:
    """One group of containers that run together."""
    status, word = state(one, GROUP_STATES, "instanceView", "state")
    changing, done = state(one, PROVISIONING, "provisioningState")
    own = each(one, "properties", "containers")
    wanted = [inner(part, "properties", "resources", "requests") for part in own]
    return Resource(
        **common(one),
        type="container",
        status=status if word else ("failed" if changing == "failed" else "unknown"),
        status_raw=word or done,
        node_count=len(own) or None,
        details=told(
            **places(one),
            images=[named for part in own if (named := text(prop(part, "image")))],
            vcpus=sum(inner(one, "cpu") or 0 for one in wanted) or None,
            memory_gb=sum(inner(one, "memoryInGB") or 0 for one in wanted) or None,
            platform=text(prop(one, "osType")),
        ),
    )


def registry(one: Record) -> Resource:
    """One container registry; how full it is Azure tells elsewhere, one by one."""
    status, word = state(one, PROVISIONING, "provisioningState")
    return Resource(
        **common(one),
        type="container_registry",
        status=status,
        status_raw=word,
        created_at=created(one, "creationDate"),
        details=told(
            **places(one),
            endpoint=text(prop(one, "loginServer")),
            sku=text(inner(one, "sku", "name")),
        ),
    )
