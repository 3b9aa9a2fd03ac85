"""Disks, snapshots and images of Compute Engine, and the buckets of Cloud Storage.

Google encrypts every disk and snapshot; a key of one's own is told in the details. What a bucket holds is
not in its record: Cloud Monitoring measures it once a day. Source: the Compute Engine and Cloud Storage
APIs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive, whole
from connectors.gcp_base import PAGE, Google
from connectors.gcp_rows import labels, last, located, moment, raw, region_of
from connectors.rows import Record, each, inner, told

DISK_STATES = {
    "CREATING": "starting",
    "RESTORING": "starting",
    "DELETING": "stopping",
    "FAILED": "failed",
    "UNAVAILABLE": "failed",
}
KEPT_STATES = {
    "READY": "available",
    "PENDING": "starting",
    "CREATING": "starting",
    "UPLOADING": "starting",
    "DELETING": "stopping",
    "FAILED": "failed",
}


class Storage(Google):
    """What keeps bytes."""

    async def volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Disks, those of one zone and those of a region."""
        pages = self.aggregated(scope, "DisksClient", "disks")
        async for page in self.listed(scope, pages, volume, "disk"):
            yield page

    async def snapshots(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Snapshots of disks; they belong to the whole project."""
        pages = self.plain(scope, "SnapshotsClient")
        async for page in self.listed(scope, pages, snapshot, "snapshot"):
            yield page

    async def images(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Images of the project's own."""
        pages = self.plain(scope, "ImagesClient")
        async for page in self.listed(scope, pages, image, "image"):
            yield page

    async def buckets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Buckets of Cloud Storage."""
        about = {
            "project": await self.project(scope.account),
            "maxResults": PAGE,
            "projection": "noAcl",
            "returnPartialSuccess": "true",
        }
        pages = self.pages(scope, "storage", "/storage/v1/b", "items", **about)
        async for page in self.listed(scope, pages, bucket, "bucket"):
            yield page


def volume(one: Record) -> Resource | None:
    """One disk."""
    if not one.get("id"):
        return None
    state, users = str(one.get("status")), [last(url) for url in one.get("users") or ()]
    ready = "available" if users else "unattached"
    return Resource(
        id=str(one["id"]),
        type="volume",
        name=one.get("name"),
        status=ready if state == "READY" else DISK_STATES.get(state, "unknown"),
        status_raw=one.get("status"),
        region=region_of(one),
        zone=last(one.get("zone")),
        tags=labels(one),
        created_at=moment(one.get("creationTimestamp")),
        size_gb=positive(one.get("sizeGb")),
        storage_class=last(one.get("type")),
        encrypted=True,
        details=told(
            attached_to=users,
            zones=[last(url) for url in one.get("replicaZones") or ()],
            image=last(one.get("sourceImage")),
            snapshot=last(one.get("sourceSnapshot")),
            iops=whole(one.get("provisionedIops")),
            throughput_mib_per_s=whole(one.get("provisionedThroughput")),
            kms_key=inner(one, "diskEncryptionKey", "kmsKeyName"),
            detached_at=one.get("lastDetachTimestamp"),
            access_mode=one.get("accessMode"),
            description=one.get("description"),
        ),
        raw=raw(one),
    )


def snapshot(one: Record) -> Resource | None:
    """One snapshot of a disk."""
    if not one.get("id"):
        return None
    return Resource(
        id=str(one["id"]),
        type="snapshot",
        name=one.get("name"),
        status=KEPT_STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        tags=labels(one),
        created_at=moment(one.get("creationTimestamp")),
        size_gb=positive(one.get("diskSizeGb")),
        storage_class=one.get("snapshotType"),
        encrypted=True,
        details=told(
            disk=last(one.get("sourceDisk")),
            stored_bytes=whole(one.get("storageBytes")),
            stored_in=list(one.get("storageLocations") or ()),
            automatic=one.get("autoCreated"),
            kms_key=inner(one, "snapshotEncryptionKey", "kmsKeyName"),
            description=one.get("description"),
        ),
        raw=raw(one),
    )


def image(one: Record) -> Resource | None:
    """One machine image."""
    if not one.get("id"):
        return None
    return Resource(
        id=str(one["id"]),
        type="image",
        name=one.get("name"),
        status=KEPT_STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        tags=labels(one),
        created_at=moment(one.get("creationTimestamp")),
        size_gb=positive(one.get("diskSizeGb")),
        details=told(
            family=one.get("family"),
            architecture=one.get("architecture"),
            stored_bytes=whole(one.get("archiveSizeBytes")),
            stored_in=list(one.get("storageLocations") or ()),
            disk=last(one.get("sourceDisk")),
            deprecated=inner(one, "deprecated", "state"),
            description=one.get("description"),
        ),
        raw=raw(one),
    )


def bucket(one: Record) -> Resource | None:
    """One bucket; a location may be a region, or several together (us, eur4)."""
    name = one.get("name") or one.get("id")
    if not name:
        return None
    region, zone = located(one.get("location"))
    return Resource(
        id=str(name),
        type="bucket",
        name=str(name),
        status="available",
        region=region,
        zone=zone,
        tags=labels(one),
        created_at=moment(one.get("timeCreated")),
        updated_at=moment(one.get("updated")),
        storage_class=one.get("storageClass"),
        details=told(
            location_type=one.get("locationType"),
            versioning=inner(one, "versioning", "enabled"),
            public_access_prevention=inner(one, "iamConfiguration", "publicAccessPrevention"),
            uniform_access=inner(one, "iamConfiguration", "uniformBucketLevelAccess", "enabled"),
            kms_key=inner(one, "encryption", "defaultKmsKeyName"),
            kept_s=whole(inner(one, "retentionPolicy", "retentionPeriod")),
            lifecycle_rules=len(each(one, "lifecycle", "rule")) or None,
        ),
        raw=raw(one),
    )
