"""EC2: instances with what their types are made of and what the status checks say of them.

An instance's record names its type and nothing of what that is made of; each type is asked for once in a
region and remembered. Only instances that fail a check
are asked for, so a large healthy region costs one short answer for each check. Source: the EC2 API model.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from cloudtop import gpus
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import gib_from_mib, positive
from connectors.aws_base import EXTRA_RETRIES, Amazon
from connectors.aws_price_list import LINUX
from connectors.aws_rows import HIDDEN, OURS, gpu_of, joined, moment, raw, tags
from connectors.rows import Record, each, inner, told

PAGE = 1000
TYPES = 100
"""Types that one call tells of."""

STATES = {
    "pending": "starting",
    "running": "running",
    "shutting-down": "stopping",
    "stopping": "stopping",
    "stopped": "stopped",
    "terminated": "terminated",
}
FREE = ("stopped", "terminated")
"""States in which EC2 charges nothing for the instance itself (User Guide, instance lifecycle)."""
CHECKS = {
    "instance-status.status": "InstanceStatus",
    "system-status.status": "SystemStatus",
    "attached-ebs-status.status": "AttachedEbsStatus",
}
"""The status checks: the filter that finds who fails one, and where the answer says so."""
CHECKED = {
    "InstanceStatus": "The instance status check fails",
    "SystemStatus": "The system status check fails",
    "AttachedEbsStatus": "The attached EBS status check fails",
}
IMPAIRED = "impaired"


class Made(NamedTuple):
    """What an instance type is made of."""

    vcpus: float | None = None
    ram_gib: float | None = None
    gpus: tuple[Gpus, ...] = ()


class Compute(Amazon):
    """EC2 instances."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._types: dict[str, dict[str, Made]] = {}

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """EC2 instances, the terminated of the last hour among them."""
        nameless = 0
        failing: Mapping[str, str] | None = None

        def read(page: Any) -> list[dict[str, Any]]:
            return sketched(self.list_at(page, "Reservations"))

        async for page in self.pages(scope, "ec2", "describe_instances", read, size=PAGE):
            named = [one for one in page if one["id"]]
            nameless += len(page) - len(named)
            wanted = {one["instance_type"] for one in named if one["instance_type"]}
            made, checks = self._made(scope, wanted), self._failing(scope)
            if failing is None and named:
                types, failing = await asyncio.gather(made, checks)
            else:
                checks.close()
                types = await made
            yield [finished(one, types, failing or {}) for one in named]
        self.nameless(scope, nameless, "instance")

    async def _made(self, scope: Scope, wanted: set[str]) -> Mapping[str, Made]:
        """What these types are made of, in this region; asked for once."""
        known = self._types.setdefault(scope.region, {})
        new = sorted(wanted - known.keys())
        groups = [new[at : at + TYPES] for at in range(0, len(new), TYPES)]
        for answer in await self.each(groups, lambda group: self._asked_types(scope, group)):
            known |= {one["InstanceType"]: made_of(one) for one in answer or () if one.get("InstanceType")}
        return known

    async def _asked_types(self, scope: Scope, types: list[str]) -> list[Record] | None:
        """By a filter: a type that the region does not know is left out instead of refused."""
        wanted = [{"Name": "instance-type", "Values": types}]
        about: dict[str, Any] = {"size": TYPES, "retries": EXTRA_RETRIES, "Filters": wanted}

        def read(page: Any) -> list[Record]:
            return self.records(page, "InstanceTypes")

        async def told() -> list[Record]:
            pages = self.pages(scope, "ec2", "describe_instance_types", read, **about)
            # A page of what is filtered may be short, or empty, and others follow.
            return [one async for page in pages for one in page]

        return await self.beside(scope, "What instance types are made of is", told())

    async def _failing(self, scope: Scope) -> Mapping[str, str]:
        """What the status checks say, by instance, of those that fail one."""
        found: dict[str, str] = {}

        async def one(check: str) -> None:
            wanted = [{"Name": check, "Values": [IMPAIRED]}]
            pages = self.pages(
                scope,
                "ec2",
                "describe_instance_status",
                lambda page: self.records(page, "InstanceStatuses"),
                size=PAGE,
                retries=EXTRA_RETRIES,
                Filters=wanted,
            )
            async for page in pages:
                found.update(
                    (str(record["InstanceId"]), said) for record in page if (said := checked(record))
                )

        await self.beside(scope, "Status checks of instances are", self.each(CHECKS, one))
        return found


def checked(record: Record) -> str | None:
    """What is wrong with an instance by its status checks; None for nothing."""
    if not record.get("InstanceId"):
        return None
    wrong = (said for key, said in CHECKED.items() if inner(record, key, "Status") == IMPAIRED)
    return joined(wrong)


def sketched(reservations: Iterable[Record]) -> list[dict[str, Any]]:
    """The instances of a page, without what has to be asked for besides; the reservation names the owner.

    Each record makes room for the next: a long page as records takes three times what its rows take.
    """
    return [
        sketch(one, reservation.get("OwnerId"), kept)
        for reservation in reservations
        for one, kept in zip_longest(each(reservation, "Instances"), reservation.get(OURS, ()))
    ]


def sketch(one: Record, owner: str | None = None, kept: str | None = None) -> dict[str, Any]:
    """What an instance's own record says of it, by the fields of its row; `kept` is that record as text."""
    labels, state = tags(one), inner(one, "State", "Name")
    return {
        "id": one.get("InstanceId"),
        "name": labels.get("Name") or None,
        "status": STATES.get(str(state), "unknown"),
        "status_raw": state,
        "zone": inner(one, "Placement", "AvailabilityZone"),
        "tags": labels,
        "created_at": moment(one.get("LaunchTime")),
        "instance_type": one.get("InstanceType"),
        "public_ip": one.get("PublicIpAddress"),
        "private_ip": one.get("PrivateIpAddress"),
        "spot": one.get("InstanceLifecycle") == "spot",
        "usd_per_hour": 0.0 if state in FREE else None,
        "details": told(
            vpc_id=one.get("VpcId"),
            subnet_id=one.get("SubnetId"),
            account_id=owner,
            image_id=one.get("ImageId"),
            architecture=one.get("Architecture"),
            platform=one.get("PlatformDetails"),
            monitoring=inner(one, "Monitoring", "State"),
            tenancy=inner(one, "Placement", "Tenancy"),
            priced_apart=priced_apart(one),
            key_name=one.get("KeyName"),
            instance_profile=inner(one, "IamInstanceProfile", "Arn"),
            security_groups=[
                group["GroupId"] for group in each(one, "SecurityGroups") if group.get("GroupId")
            ],
            public_dns=one.get("PublicDnsName"),
            private_dns=one.get("PrivateDnsName"),
            stopped_because=inner(one, "StateReason", "Message"),
            capacity_block_id=one.get("CapacityBlockId"),
        ),
        "raw": kept or raw(one, HIDDEN),
    }


def priced_apart(one: Record) -> str | None:
    """Why what its type costs on demand, which is that of Linux on shared hardware, is not its price."""
    platform, tenancy = one.get("PlatformDetails"), inner(one, "Placement", "Tenancy")
    if platform not in (None, LINUX):
        return str(platform)
    return f"tenancy {tenancy}" if tenancy not in (None, "default") else None


def finished(about: Mapping[str, Any], types: Mapping[str, Made], failing: Mapping[str, str]) -> Resource:
    """The row of an instance: its own record, what its type is made of, and what the checks say."""
    kind, said = about["instance_type"] or "", failing.get(about["id"])
    made = types.get(kind) or Made(gpus=tuple(carried(kind)))
    return Resource(
        type="instance",
        vcpus=made.vcpus,
        ram_gib=made.ram_gib,
        gpus=made.gpus,
        health="failing" if said else None,
        health_message=said,
        **about,
    )


def made_of(one: Record) -> Made:
    """What the record of an instance type says."""
    return Made(
        positive(inner(one, "VCpuInfo", "DefaultVCpus")),
        gib_from_mib(positive(inner(one, "MemoryInfo", "SizeInMiB"))),
        tuple(carried(str(one["InstanceType"]))) or tuple(measured(one)),
    )


def carried(kind: str) -> Iterable[Gpus]:
    """The GPUs of a type as cloudtop knows them: EC2 misreports some, and rounds memory."""
    known = gpu_of(kind)
    if known is not None:
        yield Gpus(*known)


def measured(one: Record) -> Iterable[Gpus]:
    """The GPUs of a type as EC2 says them, its own chips among them as among the offers.

    Of a shared GPU it counts the shares, or tells their size.
    """
    for gpu in (
        *each(inner(one, "GpuInfo") or {}, "Gpus"),
        *each(inner(one, "NeuronInfo") or {}, "NeuronDevices"),
    ):
        name = str(gpu.get("Name") or "")
        memory = gib_from_mib(positive(inner(gpu, "MemoryInfo", "SizeInMiB")))
        known = gpus.identify("aws", name, memory)
        yield Gpus(known.name or name or "unknown", share(gpu), known.memory_gib or memory)


def share(gpu: Record) -> float:
    """How many GPUs of a kind a type has: whole ones counted, or the parts of one that it gets."""
    size, parts = positive(gpu.get("GpuPartitionSize")), positive(gpu.get("LogicalGpuCount"))
    if size is not None and size < 1:
        return size * (parts or 1.0)
    return positive(gpu.get("Count")) or parts or 1.0
