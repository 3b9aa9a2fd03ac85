"""S3 buckets; EBS volumes and snapshots; images.

All buckets of an account stand in one list, each with its region where the list is asked for in pages, else
it is asked for. Their tags are kept in their regions. Volumes say what they hang on: one that hangs on
nothing is `unattached`. Of snapshots and images only the account's own are listed; the world's are not its.
Source: the API models.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from cloudtop.errors import NotFound
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.aws_base import HOME, Amazon
from connectors.aws_rows import moment, raw, tags
from connectors.aws_tags import Tagging, Tags
from connectors.rows import Record, each, inner, told

PAGE = 1000
VOLUMES = 500
"""More at once EC2 advises against."""

GONE = "gone"
OLD_PLACES = {None: HOME, "": HOME, "EU": "eu-west-1"}
"""How S3 calls two regions that are older than regions."""
VOLUME_STATES = {
    "in-use": "available",
    "available": "unattached",
    "creating": "starting",
    "deleting": "stopping",
    "deleted": "terminated",
    "error": "failed",
}
SNAPSHOT_STATES = {
    "completed": "available",
    "pending": "starting",
    "recovering": "starting",
    "recoverable": "stopped",
    "error": "failed",
}
IMAGE_STATES = {
    "available": "available",
    "pending": "starting",
    "transient": "starting",
    "disabled": "stopped",
    "deregistered": "terminated",
    "invalid": "failed",
    "failed": "failed",
    "error": "failed",
}


class Storage(Amazon):
    """What keeps bytes."""

    async def buckets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """S3 buckets of all regions."""

        async def single(rows: Sequence[Resource]) -> list[Tags]:
            about = {"region": rows[0].region or HOME, "Bucket": rows[0].id}
            return [tags(await self.call(scope, "s3", "get_bucket_tagging", **about), "TagSet")]

        def read(page: Any) -> list[Resource | None]:
            return [bucket(one) for one in self.records(page, "Buckets")]

        tagging = Tagging(single, "s3", lambda one: one.id)
        nameless = 0
        async for page in self.pages(scope, "s3", "list_buckets", read, size=PAGE):
            rows = [one for one in page if one is not None]
            nameless += len(page) - len(rows)
            placed = await self.each(rows, lambda one: self._placed(scope, one))
            yield await self.tagged(scope, [one for one in placed if one is not None], tagging)
        self.nameless(scope, nameless, "bucket")

    async def _placed(self, scope: Scope, one: Resource) -> Resource | None:
        """A bucket with its region; None for one that was deleted since it was listed."""
        if one.region:
            return one
        answer = await self.beside(scope, "Regions of some buckets are", self._location(scope, one.id))
        if answer is None:
            return one
        told_place = answer.get("LocationConstraint", GONE)
        return None if told_place == GONE else replace(one, region=OLD_PLACES.get(told_place, told_place))

    async def _location(self, scope: Scope, name: str) -> Record:
        try:
            answer: Record = await self.call(scope, "s3", "get_bucket_location", Bucket=name)
        except NotFound:
            return {}
        return answer

    async def volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """EBS volumes."""
        async for page in self.listed(
            scope, "ec2", "describe_volumes", "Volumes", volume, "volume", size=VOLUMES
        ):
            yield page

    async def snapshots(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Snapshots of the account."""
        own: dict[str, Any] = {"size": PAGE, "OwnerIds": ["self"]}
        async for page in self.listed(
            scope, "ec2", "describe_snapshots", "Snapshots", snapshot, "snapshot", **own
        ):
            yield page

    async def images(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Images of the account."""
        own: dict[str, Any] = {"size": PAGE, "Owners": ["self"]}
        async for page in self.listed(scope, "ec2", "describe_images", "Images", image, "image", **own):
            yield page


def bucket(one: Record) -> Resource | None:
    """One S3 bucket."""
    if not one.get("Name"):
        return None
    return Resource(
        id=one["Name"],
        type="bucket",
        name=one["Name"],
        status="available",
        region=one.get("BucketRegion"),
        created_at=moment(one.get("CreationDate")),
        details=told(arn=one.get("BucketArn")),
        raw=raw(one),
    )


def volume(one: Record) -> Resource | None:
    """One EBS volume."""
    if not one.get("VolumeId"):
        return None
    labels, held = tags(one), each(one, "Attachments")
    return Resource(
        id=one["VolumeId"],
        type="volume",
        name=labels.get("Name") or None,
        status=VOLUME_STATES.get(str(one.get("State")), "unknown"),
        status_raw=one.get("State"),
        zone=one.get("AvailabilityZone"),
        tags=labels,
        created_at=moment(one.get("CreateTime")),
        size_gb=positive(one.get("Size")),
        storage_class=one.get("VolumeType"),
        encrypted=one.get("Encrypted"),
        details=told(
            attached_to=[at["InstanceId"] for at in held if at.get("InstanceId")],
            device=next((at["Device"] for at in held if at.get("Device")), None),
            goes_with_instance=any(at.get("DeleteOnTermination") for at in held) or None,
            snapshot_id=one.get("SnapshotId"),
            iops=one.get("Iops"),
            throughput_mib_per_s=one.get("Throughput"),
            kms_key_id=one.get("KmsKeyId"),
            multi_attach=one.get("MultiAttachEnabled") or None,
        ),
        raw=raw(one),
    )


def snapshot(one: Record) -> Resource | None:
    """One snapshot of a volume."""
    if not one.get("SnapshotId"):
        return None
    labels = tags(one)
    return Resource(
        id=one["SnapshotId"],
        type="snapshot",
        name=labels.get("Name") or None,
        status=SNAPSHOT_STATES.get(str(one.get("State")), "unknown"),
        status_raw=one.get("State"),
        tags=labels,
        created_at=moment(one.get("StartTime")),
        size_gb=positive(one.get("VolumeSize")),
        storage_class=one.get("StorageTier"),
        encrypted=one.get("Encrypted"),
        details=told(
            volume_id=one.get("VolumeId"),
            account_id=one.get("OwnerId"),
            description=one.get("Description"),
            progress=one.get("Progress"),
            why=one.get("StateMessage"),
        ),
        raw=raw(one),
    )


def image(one: Record) -> Resource | None:
    """One machine image."""
    if not one.get("ImageId"):
        return None
    labels = tags(one)
    disks = [inner(part, "Ebs") or {} for part in each(one, "BlockDeviceMappings")]
    return Resource(
        id=one["ImageId"],
        type="image",
        name=labels.get("Name") or one.get("Name"),
        status=IMAGE_STATES.get(str(one.get("State")), "unknown"),
        status_raw=one.get("State"),
        tags=labels,
        created_at=moment(one.get("CreationDate")),
        size_gb=positive(sum(positive(disk.get("VolumeSize")) or 0.0 for disk in disks)),
        details=told(
            account_id=one.get("OwnerId"),
            architecture=one.get("Architecture"),
            platform=one.get("PlatformDetails"),
            public=one.get("Public"),
            root_device=one.get("RootDeviceType"),
            snapshots=[disk["SnapshotId"] for disk in disks if disk.get("SnapshotId")],
            description=one.get("Description"),
            deprecated_at=one.get("DeprecationTime"),
        ),
        raw=raw(one),
    )
