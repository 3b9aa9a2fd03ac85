"""Volumes and snapshots. What a volume hangs on is told, what is on it is not.

Source: DigitalOcean's OpenAPI document (Block Storage, Snapshots).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.digitalocean_base import Listing, Ocean
from connectors.digitalocean_rows import identity, moment, raw, region, tags, text, texts
from connectors.rows import Record, told

VOLUMES = Listing("/v2/volumes", "volumes", "volume")
SNAPSHOTS = Listing("/v2/snapshots", "snapshots", "snapshot")


class Storage(Ocean):
    """What keeps bytes."""

    async def volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Block storage volumes."""
        async for page in self.listed(scope, VOLUMES, volume):
            yield page

    async def snapshots(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Snapshots of Droplets and of volumes."""
        async for page in self.listed(scope, SNAPSHOTS, snapshot):
            yield page


def volume(one: Record) -> Resource | None:
    """One volume."""
    if (uuid := identity(one)) is None:
        return None
    droplets = texts(one.get("droplet_ids"))
    known = "droplet_ids" in one
    return Resource(
        id=uuid,
        type="volume",
        name=text(one.get("name")),
        status="available" if droplets else "unattached" if known else "unknown",
        region=region(one),
        tags=tags(one),
        created_at=moment(one.get("created_at")),
        size_gb=positive(one.get("size_gigabytes")),
        details=told(
            service="volumes",
            attached_to=droplets,
            filesystem=text(one.get("filesystem_type")),
            description=text(one.get("description")),
        ),
        raw=raw(one),
    )


def snapshot(one: Record) -> Resource | None:
    """One snapshot; it may lie in several regions."""
    if (number := identity(one)) is None:
        return None
    regions = texts(one.get("regions"))
    return Resource(
        id=number,
        type="snapshot",
        name=text(one.get("name")),
        status="available",
        region=regions[0] if len(regions) == 1 else None,
        tags=tags(one),
        created_at=moment(one.get("created_at")),
        size_gb=positive(one.get("size_gigabytes")),
        details=told(
            service="snapshots",
            of=text(one.get("resource_id")),
            kind=text(one.get("resource_type")),
            regions=regions,
        ),
        raw=raw(one),
    )
