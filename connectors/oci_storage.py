"""Block and boot volumes, their backups, images, and buckets.

A volume does not say what it hangs on: the attachments of all compartments do, for the one may lie in another
than the other; of boot volumes they are asked for by availability domain. A volume in none of them is
`unattached`; where some could not be read it is only `available`. Oracle's own images, which are in no
compartment, are listed with those of each and are left out. A listing of buckets tells names: size,
count, tier and tags are asked of each bucket. All are encrypted. Source: the Core Services and Object Storage
API references.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import number, positive, whole
from connectors.oci_base import EXTRA_RETRIES, Compartment, Oracle
from connectors.oci_rows import common, merged, moment, raw, tags
from connectors.rows import Record, told

HELD = frozenset({"ATTACHED", "ATTACHING", "DETACHING"})
TIERS = {0: "lower cost", 10: "balanced", 20: "higher performance"}
"""How the console calls volume performance units per GB; from 30 on it is ultra high performance."""
ABOUT = ["approximateSize", "approximateCount"]
"""What a bucket tells only when it is asked for."""


class Storage(Oracle):
    """What keeps bytes."""

    async def volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Block volumes."""

        async def ask(part: Compartment) -> list[Record]:
            return await self.every(scope, "blockstorage", "list_volumes", compartment_id=part.id)

        async def attached(part: Compartment) -> list[Record]:
            listing = "compute", "list_volume_attachments"
            return await self.every(scope, *listing, EXTRA_RETRIES, compartment_id=part.id)

        found = await self.everywhere(scope, ask)
        some = any(records for _, records in found)
        holders = await self._holders(scope, attached, "volumeId") if some else {}
        for rows in self.rows(scope, found, lambda one: volume(one, holders), "volume"):
            yield rows

    async def boot_volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Boot volumes of instances, and those that instances left behind."""

        async def ask(part: Compartment) -> list[Record]:
            return await self.every(scope, "blockstorage", "list_boot_volumes", compartment_id=part.id)

        found = await self.everywhere(scope, ask)
        every = [one for _, records in found for one in records or ()]
        domains = sorted({str(one["availabilityDomain"]) for one in every if one.get("availabilityDomain")})

        async def attached(part: Compartment) -> list[Record]:
            async def within(domain: str) -> list[Record]:
                about: dict[str, Any] = {"compartment_id": part.id, "availability_domain": domain}
                return await self.every(
                    scope, "compute", "list_boot_volume_attachments", EXTRA_RETRIES, **about
                )

            answers = await self.each(domains, within)
            return [one for answer in answers for one in answer]

        holders = await self._holders(scope, attached, "bootVolumeId") if every else {}
        for rows in self.rows(scope, found, lambda one: volume(one, holders), "boot volume"):
            yield rows

    async def _holders(self, scope: Scope, attached: Any, key: str) -> Mapping[str, str] | None:
        """The instance that each attached volume hangs on; None where that is not known of all."""
        asked = self.everywhere(scope, attached)
        answers = await self.beside(scope, "What some volumes hang on is", asked)
        if answers is None:
            return None
        held = {
            str(one[key]): str(one["instanceId"])
            for _, records in answers
            for one in records or ()
            if one.get(key) and one.get("instanceId") and one.get("lifecycleState", "ATTACHED") in HELD
        }
        return None if any(records is None for _, records in answers) else held

    async def volume_backups(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Backups of block volumes."""
        async for page in self.listed(scope, "blockstorage", "list_volume_backups", backup, "backup"):
            yield page

    async def boot_volume_backups(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Backups of boot volumes."""
        async for page in self.listed(scope, "blockstorage", "list_boot_volume_backups", backup, "backup"):
            yield page

    async def images(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Images of the tenancy's own."""

        async def ask(part: Compartment) -> list[Record]:
            found = await self.every(scope, "compute", "list_images", compartment_id=part.id)
            return [one for one in found if one.get("compartmentId", part.id)]

        for rows in self.rows(scope, await self.everywhere(scope, ask), image, "image"):
            yield rows

    async def buckets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Buckets, with what each says of itself."""
        space = (await self.call(scope, "object_storage", "get_namespace")).data
        space = str(self.told({"namespace": space}, "namespace")["namespace"])

        async def ask(part: Compartment) -> list[Record]:
            about: dict[str, Any] = {"namespace_name": space, "compartment_id": part.id}
            found = await self.every(scope, "object_storage", "list_buckets", **about)
            return await self.each(found, lambda one: self._bucket(scope, space, one))

        for rows in self.rows(scope, await self.everywhere(scope, ask), bucket, "bucket"):
            yield rows

    async def _bucket(self, scope: Scope, space: str, one: Record) -> Record:
        """A bucket as the listing and itself tell it."""
        if not one.get("name"):
            return one
        about = {"namespace_name": space, "bucket_name": one["name"], "fields": ABOUT}
        asked = self.call(scope, "object_storage", "get_bucket", about, EXTRA_RETRIES)
        answer = await self.beside(scope, "Size, tier and tags of some buckets are", asked)
        return merged(one, answer and answer.data)


def volume(one: Record, holders: Mapping[str, str] | None = None) -> Resource | None:
    """One volume; `holders` are the instances by volume, None where they are not known."""
    if not one.get("id"):
        return None
    row = common(one, "available")
    holder = (holders or {}).get(str(one["id"]))
    if row["status"] == "available" and holders is not None and holder is None:
        row["status"] = "unattached"
    units = number(one.get("vpusPerGB"))
    size_mb = positive(one.get("sizeInMBs"))
    return Resource(
        type="volume",
        size_gb=positive(one.get("sizeInGBs")) or (size_mb / 1024 if size_mb else None),
        storage_class=None if units is None else TIERS.get(int(units), "ultra high performance"),
        encrypted=True,
        details=told(
            compartment_id=one.get("compartmentId"),
            attached_to=[holder] if holder else None,
            boots=True if "bootvolume" in str(one["id"]) else None,
            image_id=one.get("imageId"),
            performance_units_per_gb=units,
            kms_key_id=one.get("kmsKeyId"),
            volume_group_id=one.get("volumeGroupId"),
        ),
        **row,
    )


def backup(one: Record) -> Resource | None:
    """One backup of a volume of either kind."""
    if not one.get("id"):
        return None
    return Resource(
        type="snapshot",
        size_gb=positive(one.get("sizeInGBs")),
        encrypted=True,
        details=told(
            compartment_id=one.get("compartmentId"),
            volume_id=one.get("volumeId") or one.get("bootVolumeId"),
            kind=one.get("type"),
            made=one.get("sourceType"),
            stored_gb=positive(one.get("uniqueSizeInGBs")),
            expires=one.get("expirationTime"),
            kms_key_id=one.get("kmsKeyId"),
        ),
        **common(one, "available"),
    )


def image(one: Record) -> Resource | None:
    """One image that instances are made of."""
    if not one.get("id"):
        return None
    size_mb = positive(one.get("sizeInMBs"))
    return Resource(
        type="image",
        size_gb=size_mb / 1024 if size_mb else None,
        details=told(
            compartment_id=one.get("compartmentId"),
            made_of=one.get("baseImageId"),
            platform=one.get("operatingSystem"),
            platform_version=one.get("operatingSystemVersion"),
            billed_gb=positive(one.get("billableSizeInGBs")),
        ),
        **common(one, "available"),
    )


def bucket(one: Record) -> Resource | None:
    """One bucket; its name is what it is called by."""
    if not one.get("name"):
        return None
    return Resource(
        id=one["name"],
        type="bucket",
        name=one["name"],
        status="available",
        tags=tags(one),
        created_at=moment(one.get("timeCreated")),
        size_bytes=whole(one.get("approximateSize")),
        object_count=whole(one.get("approximateCount")),
        storage_class=one.get("storageTier"),
        encrypted=True,
        details=told(
            compartment_id=one.get("compartmentId"),
            ocid=one.get("id"),
            object_namespace=one.get("namespace"),
            public_access=one.get("publicAccessType"),
            versioning=one.get("versioning"),
            kms_key_id=one.get("kmsKeyId"),
            auto_tiering=one.get("autoTiering"),
        ),
        raw=raw(one),
    )
