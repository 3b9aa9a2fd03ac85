"""What Amazon's records of resources mean as rows: any field but the id may be missing.

Records are shaped as boto3 gives them. An EC2 tag list that is absent is an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudtop import gpus
from cloudtop.inventory import Gpus, Resource
from cloudtop.units import gib_from_mib, positive
from connectors.base import raw

Record = Mapping[str, Any]

INSTANCE_STATES = {
    "pending": "starting",
    "running": "running",
    "shutting-down": "stopping",
    "stopping": "stopping",
    "stopped": "stopped",
    "terminated": "terminated",
}


def tags(record: Record, key: str = "Tags") -> dict[str, str]:
    """The tags of a record; their order is AWS' own."""
    found = record.get(key) or ()
    return {str(one["Key"]): str(one.get("Value") or "") for one in found if one.get("Key")}


def instances(page: Record, types: Mapping[str, Record]) -> Iterable[Resource]:
    """The instances on a page of DescribeInstances; `types` tells what their types are made of."""
    for reservation in page.get("Reservations", ()):
        for one in reservation.get("Instances", ()):
            if one.get("InstanceId"):
                yield instance(one, types.get(one.get("InstanceType", ""), {}))


def instance(one: Record, made_of: Record) -> Resource:
    """One EC2 instance."""
    labels, state = tags(one), (one.get("State") or {}).get("Name")
    return Resource(
        id=one["InstanceId"],
        type="instance",
        name=labels.get("Name") or None,
        status=INSTANCE_STATES.get(str(state), "unknown"),
        status_raw=state,
        zone=(one.get("Placement") or {}).get("AvailabilityZone"),
        tags=labels,
        created_at=one.get("LaunchTime"),
        instance_type=one.get("InstanceType"),
        vcpus=positive((made_of.get("VCpuInfo") or {}).get("DefaultVCpus")),
        ram_gib=gib_from_mib(positive((made_of.get("MemoryInfo") or {}).get("SizeInMiB"))),
        public_ip=one.get("PublicIpAddress"),
        private_ip=one.get("PrivateIpAddress"),
        spot=one.get("InstanceLifecycle") == "spot",
        gpus=tuple(instance_gpus(one.get("InstanceType", ""), made_of)),
        details=told(
            vpc_id=one.get("VpcId"),
            subnet_id=one.get("SubnetId"),
            image_id=one.get("ImageId"),
            architecture=one.get("Architecture"),
            platform=one.get("PlatformDetails"),
            monitoring=(one.get("Monitoring") or {}).get("State"),
        ),
        raw=raw(one),
    )


def instance_gpus(kind: str, made_of: Record) -> Iterable[Gpus]:
    """The GPUs of an instance type: as cloudtop knows it, else as EC2 says. A share counts below 1."""
    carried = gpus.instance_gpu("aws", kind)
    if carried is not None:
        yield Gpus(*carried)
        return
    for one in (made_of.get("GpuInfo") or {}).get("Gpus", ()):
        memory = gib_from_mib(positive((one.get("MemoryInfo") or {}).get("SizeInMiB")))
        known = gpus.identify("aws", str(one.get("Name") or ""), memory)
        count = (positive(one.get("Count")) or 1.0) * (positive(one.get("GpuPartitionSize")) or 1.0)
        name = known.name or str(one.get("Name") or "unknown")
        yield Gpus(name, count, known.memory_gib or memory)


def told(**facts: Any) -> dict[str, object]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}
