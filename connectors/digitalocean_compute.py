"""Droplets, GPU Droplets, and Kubernetes with its node pools.

The plain list of Droplets leaves those with GPUs out; they are a listing of their own (`type=gpus`). A
Droplet tells its size whole, price by the hour included, and is paid for while it is off: what it holds stays
reserved. There are no spot Droplets. The nodes of a cluster are Droplets too, with the tag `k8s`.
Source: DigitalOcean's OpenAPI document (Droplets, Kubernetes).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import gib_from_mib, positive, whole
from connectors.digitalocean_base import Listing, Ocean
from connectors.digitalocean_prices import gpu_of, has_gpu
from connectors.digitalocean_rows import identity, moment, raw, region, tags, text, texts
from connectors.rows import Record, each, inner, told

DROPLETS = Listing("/v2/droplets", "droplets", "Droplet")
GPU_DROPLETS = DROPLETS._replace(params=(("type", "gpus"),))
CLUSTERS = Listing("/v2/kubernetes/clusters", "kubernetes_clusters", "cluster")
STATES = {"new": "starting", "active": "running", "off": "stopped", "archive": "stopped"}
CLUSTER_STATES = {
    "running": "running",
    "provisioning": "starting",
    "degraded": "running",
    "error": "failed",
    "upgrading": "running",
    "deleting": "stopping",
    "deleted": "terminated",
}
UNWELL = {"degraded": "degraded", "error": "failing"}


class Compute(Ocean):
    """What computes."""

    async def droplets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Droplets without GPUs; should one with GPUs be among them, the other listing has it."""
        async for page in self.listed(scope, DROPLETS, droplet):
            yield [one for one in page if not one.gpus]

    async def gpu_droplets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Droplets with GPUs."""
        async for page in self.listed(scope, GPU_DROPLETS, droplet):
            yield page

    async def clusters(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Clusters of DigitalOcean Kubernetes."""
        async for page in self.listed(scope, CLUSTERS, cluster):
            yield page


def droplet(one: Record) -> Resource | None:
    """One Droplet."""
    if (number := identity(one)) is None:
        return None
    status, slug = text(one.get("status")), slug_of(one)
    addresses = list(each(one, "networks", "v4"))
    features = texts(one.get("features"))
    return Resource(
        id=number,
        type="instance",
        name=text(one.get("name")),
        status=STATES.get(status or "", "unknown"),
        status_raw=status,
        region=region(one),
        tags=tags(one),
        created_at=moment(one.get("created_at")),
        usd_per_hour=price(one, slug),
        instance_type=slug,
        vcpus=positive(one.get("vcpus")),
        ram_gib=gib_from_mib(positive(one.get("memory"))),
        public_ip=address(addresses, "public"),
        private_ip=address(addresses, "private"),
        spot=False,
        gpus=tuple(gpus_of({"slug": slug, "gpu_info": info_of(one)})),
        details=told(
            service="droplets",
            disk_gb=positive(one.get("disk")),
            image=image(one.get("image")),
            vpc=text(one.get("vpc_uuid")),
            volumes=texts(one.get("volume_ids")),
            features=features,
            locked=one.get("locked") or None,
        ),
        raw=raw(one),
    )


def slug_of(one: Record) -> str | None:
    """The size of a Droplet."""
    return text(one.get("size_slug")) or text(inner(one, "size", "slug"))


def info_of(one: Record) -> Any:
    """What a Droplet, or its size, tells of its GPUs."""
    return one.get("gpu_info") or inner(one, "size", "gpu_info")


def price(one: Record, slug: str | None) -> float | None:
    """Dollars an hour for the whole Droplet; what is sold by contract has no price of the list."""
    found = positive(inner(one, "size", "price_hourly"))
    return None if found is None or (slug or "").endswith("contracted") else round(found, 5)


def gpus_of(size: Record) -> Iterator[Gpus]:
    """The GPUs of a size; none where their number is not known."""
    if not has_gpu(size):
        return
    raw_name, gpu, count = gpu_of(size)
    if count:
        yield Gpus(gpu.name or raw_name, count, gpu.memory_gib)


def address(found: list[Record], kind: str) -> str | None:
    """The first address of a kind."""
    return next((text(one.get("ip_address")) for one in found if one.get("type") == kind), None)


def image(one: Any) -> str | None:
    """What a Droplet was made from."""
    words = text(inner(one, "distribution")), text(inner(one, "name"))
    return text(inner(one, "slug")) or " ".join(filter(None, words)) or None


def cluster(one: Record) -> Resource | None:
    """One cluster; its pools stand in its details."""
    if (uuid := identity(one)) is None:
        return None
    state = text(inner(one, "status", "state"))
    pools = [pool(part) for part in each(one, "node_pools")]
    counts = [whole(part.get("count")) for part in each(one, "node_pools")]
    return Resource(
        id=uuid,
        type="cluster",
        name=text(one.get("name")),
        status=CLUSTER_STATES.get(state or "", "unknown"),
        status_raw=state,
        region=region(one),
        tags=tags(one),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        version=text(one.get("version")),
        node_count=sum(filter(None, counts)) if counts else None,
        health=UNWELL.get(state or ""),
        health_message=text(inner(one, "status", "message")) if state in UNWELL else None,
        details=told(
            service="kubernetes",
            node_pools=[one for one in pools if one],
            endpoint=text(one.get("endpoint")),
            vpc=text(one.get("vpc_uuid")),
            highly_available=one.get("ha"),
            auto_upgrade=one.get("auto_upgrade"),
        ),
        raw=raw(one),
    )


def pool(one: Record) -> dict[str, object]:
    """A node pool."""
    scales = one.get("auto_scale") is True
    found = gpus_of({"slug": one.get("size")})
    return told(
        name=text(one.get("name")),
        size=text(one.get("size")),
        nodes=whole(one.get("count")),
        fewest_nodes=whole(one.get("min_nodes")) if scales else None,
        most_nodes=whole(one.get("max_nodes")) if scales else None,
        gpus=[{"gpu": gpu.gpu, "count": gpu.count} for gpu in found],
    )
