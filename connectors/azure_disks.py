"""Managed disks, their snapshots, and images, through azure-mgmt-compute.

Every managed disk is encrypted; whose key it is differs. A disk that hangs on no machine is `unattached`, and
is paid for. Source: the REST API of Microsoft.Compute, 2026-03-02 and 2026-04-01.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.azure_base import Microsoft
from connectors.azure_rows import PROVISIONING, common, created, places, prop, state, text
from connectors.rows import Record, inner, told

DISKS = {
    "Attached": "available",
    "Reserved": "available",
    "Frozen": "available",
    "ActiveSAS": "available",
    "ActiveSASFrozen": "available",
    "Unattached": "unattached",
    "ReadyToUpload": "starting",
    "ActiveUpload": "starting",
}


class Disks(Microsoft):
    """What machines keep their bytes on, and are made of."""

    async def volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Managed disks."""
        async for rows in self._compute(scope, lambda one: one.disks.list(), volume, "disk"):
            yield rows

    async def snapshots(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Snapshots of disks."""
        async for rows in self._compute(scope, lambda one: one.snapshots.list(), snapshot, "snapshot"):
            yield rows

    async def images(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Managed images; those of galleries are not among them."""
        async for rows in self._compute(scope, lambda one: one.images.list(), image, "image"):
            yield rows

    async def _compute(
        self,
        scope: Scope,
        listing: Callable[[Any], Any],
        row: Callable[[Record], Resource | None],
        noun: str,
    ) -> AsyncIterator[list[Resource]]:
        def pages(subscription: str) -> AsyncIterator[list[Record]]:
            return self.of_sdk(scope, subscription, listing)

        async for rows in self.rows(scope, pages, row, noun):
            yield rows


def volume(one: Record) -> Resource | None:
    """One managed disk; all of them are encrypted, by whose key is told."""
    status, word = state(one, DISKS, "diskState")
    return Resource(
        **common(one),
        type="volume",
        status=status,
        status_raw=word,
        created_at=created(one, "timeCreated"),
        size_gb=positive(prop(one, "diskSizeGB")),
        storage_class=text(inner(one, "sku", "name")),
        encrypted=True if prop(one, "encryption", "type") else None,
        details=told(
            **places(one),
            attached_to=[text(one.get("managedBy"))] if text(one.get("managedBy")) else None,
            iops=prop(one, "diskIOPSReadWrite"),
            throughput_mb_per_s=prop(one, "diskMBpsReadWrite"),
            platform=prop(one, "osType"),
            encryption=prop(one, "encryption", "type"),
        ),
    )


def snapshot(one: Record) -> Resource | None:
    """One snapshot of a disk."""
    status, word = state(one, PROVISIONING, "provisioningState")
    return Resource(
        **common(one),
        type="snapshot",
        status=status,
        status_raw=word,
        created_at=created(one, "timeCreated"),
        size_gb=positive(prop(one, "diskSizeGB")),
        encrypted=True if prop(one, "encryption", "type") else None,
        details=told(
            **places(one),
            volume_id=text(prop(one, "creationData", "sourceResourceId")),
            incremental=prop(one, "incremental"),
        ),
    )


def image(one: Record) -> Resource | None:
    """One managed image."""
    status, word = state(one, PROVISIONING, "provisioningState")
    return Resource(
        **common(one),
        type="image",
        status=status,
        status_raw=word,
        created_at=created(one),
        details=told(
            **places(one),
            platform=prop(one, "storageProfile", "osDisk", "osType"),
            source=text(prop(one, "sourceVirtualMachine", "id")),
        ),
    )
