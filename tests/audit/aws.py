"""What the AWS file means as rows, read by a person who knows AWS: none of cloudtop's code is used.

Where cloudtop's words leave a choice (whether a table is `running` or `available`) every fair one counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

ALIVE = {"running", "available"}
STATUS: dict[str, dict[Any, set[str]]] = {
    "instances": {
        "pending": {"starting"},
        "running": {"running"},
        "shutting-down": {"stopping"},
        "stopping": {"stopping"},
        "stopped": {"stopped"},
        "terminated": {"terminated"},
    },
    "snapshots": {"completed": {"available"}, "pending": {"starting"}, "error": {"failed"}},
    "eks_clusters": {
        "ACTIVE": {"running"},
        "UPDATING": {"running"},
        "CREATING": {"starting"},
        "FAILED": {"failed"},
    },
    "ecs_clusters": {"ACTIVE": {"running"}},
    "ecs_services": {"ACTIVE": {"running", "starting", "stopped"}},
    # Lambda's listing tells no state at all of a function that can be called.
    "functions": {
        "Active": ALIVE,
        "Inactive": {"stopped", "available"},
        "Failed": {"failed"},
        None: {"available", "unknown"},
    },
    "caches": {"available": ALIVE, "creating": {"starting"}},
    "images": {"available": ALIVE, "pending": {"starting"}, "failed": {"failed"}},
    "db_instances": {
        "available": ALIVE,
        "creating": {"starting"},
        "stopped": {"stopped"},
        "failed": {"failed"},
        "storage-full": {"failed"},
    },
    "db_clusters": {"available": ALIVE, "stopped": {"stopped"}},
    "tables": {"ACTIVE": ALIVE, "UPDATING": ALIVE, "ARCHIVED": {"stopped", "available", "unknown"}},
    "load_balancers": {"active": ALIVE, "provisioning": {"starting"}, "failed": {"failed"}},
}
WHERE = {
    "instances": ("State", "Name"),
    "snapshots": ("State",),
    "eks_clusters": ("status",),
    "ecs_clusters": ("status",),
    "ecs_services": ("status",),
    "functions": ("State",),
    "caches": ("CacheClusterStatus",),
    "images": ("State",),
    "db_instances": ("DBInstanceStatus",),
    "db_clusters": ("Status",),
    "tables": ("TableStatus",),
    "load_balancers": ("State", "Code"),
}
CREATED = {
    "instances": "LaunchTime",
    "volumes": "CreateTime",
    "snapshots": "StartTime",
    "images": "CreationDate",
    "repositories": "createdAt",
    "caches": "CacheClusterCreateTime",
    "eks_clusters": "createdAt",
    "ecs_services": "createdAt",
    "db_instances": "InstanceCreateTime",
    "db_clusters": "ClusterCreateTime",
    "tables": "CreationDateTime",
    "buckets": "CreationDate",
    "load_balancers": "CreatedTime",
    "classic_load_balancers": "CreatedTime",
}
FIELDS = {
    "instances": {
        "instance_type": "InstanceType",
        "private_ip": "PrivateIpAddress",
        "public_ip": "PublicIpAddress",
    },
    "volumes": {"size_gb": "Size", "encrypted": "Encrypted", "storage_class": "VolumeType"},
    "snapshots": {"size_gb": "VolumeSize", "encrypted": "Encrypted"},
    "addresses": {"public_ip": "PublicIp"},
    "subnets": {"zone": "AvailabilityZone"},
    "eks_clusters": {"version": "version"},
    "functions": {"runtime": "Runtime", "memory_mb": "MemorySize", "timeout_s": "Timeout"},
    "db_instances": {"version": "EngineVersion", "size_gb": "AllocatedStorage"},
    "db_clusters": {"version": "EngineVersion"},
    "caches": {"version": "EngineVersion"},
}
"""Fields of a row that are fields of AWS under another name."""


NUMBERED = ("instances", "volumes", "snapshots", "addresses", "vpcs", "subnets")
"""Groups whose ids AWS makes up: a name is a tag."""


def status(thing: Thing) -> set[str]:
    """What its row may be."""
    if thing.group == "volumes":
        if "State" in thing.said.get("without", ()):
            return {"unknown"}
        if thing.said.get("State") == "error":
            return {"failed"}
    if thing.group in ("volumes", "addresses"):
        return {"available"} if "of" in thing.said else {"unattached"}
    if thing.group in ("vpcs", "subnets"):
        return {"available"} if thing.told("State") else {"available", "unknown"}
    if thing.group not in WHERE:
        return ALIVE
    field, *inner = WHERE[thing.group]
    word = thing.told(field)
    for name in inner:
        word = word and word[name]
    return STATUS[thing.group][word] if word else STATUS[thing.group].get(None, {"unknown"})


def names(thing: Thing) -> set[str | None]:
    """What its row may be called."""
    if thing.group == "security_groups":
        return {thing.tags.get("Name"), thing.told("GroupName")}
    if thing.group == "images":
        return {thing.tags.get("Name") or thing.told("Name")}
    if thing.group == "zones":
        return {thing.told("Name") and str(thing.told("Name")).rstrip(".")}
    return {thing.tags.get("Name")} if thing.group in NUMBERED else {thing.id}


def created(thing: Thing, started: datetime) -> datetime | None:
    """When AWS says it was created, None where it says nothing."""
    field, age = CREATED.get(thing.group), thing.age()
    if field is None or field in thing.said.get("without", ()) or age is None:
        return None
    return company.hour(started) - age


def fields(thing: Thing) -> dict[str, Any]:
    """Fields of its row that AWS tells as they are."""
    gone = ("private_ip", "public_ip") if status(thing) == {"terminated"} else ()
    return {
        name: thing.told(field)
        for name, field in FIELDS.get(thing.group, {}).items()
        if name not in gone and not (thing.type == "database" and "aurora" in str(thing.said["Engine"]))
    }


def every_s(thing: Thing) -> int:
    """Seconds between two samples of a thing."""
    if thing.group == "instances":
        return 60 if thing.said["Monitoring"]["State"] == "enabled" else 300
    return 300 if thing.group == "volumes" else 60


def cpu(thing: Thing, start: datetime, end: datetime, started: datetime) -> float | None:
    """The mean of its CPU over a time, None where nothing was measured."""
    series = thing.said.get("metrics", {}).get("CPUUtilization")
    if series is None:
        return None
    age, stopped = thing.age(), thing.age("stopped")
    first = max(start, company.hour(started) - age) if age else start
    last = min(end, company.hour(started) - stopped) if stopped else end
    step = timedelta(seconds=every_s(thing))
    values = [value for _, value in company.samples(series, first, last, step, end, started)]
    return company.mean(values) if values else None


GPUS = {
    "p4d.24xlarge": ("A100", 8, 40),
    "p5.48xlarge": ("H100", 8, 80),
    "g5.12xlarge": ("A10G", 4, 24),
    "g5.xlarge": ("A10G", 1, 24),
    "g6.xlarge": ("L4", 1, 24),
    "g6f.large": ("L4", 0.125, 24),
    "g6f.4xlarge": ("L4", 0.5, 24),
    # It counts as a GPU here, as it does among the offers.
    "trn1.2xlarge": ("TRAINIUM", 1, 32),
}
"""What instance types carry: the GPU, how many, GiB of each."""


def spot(thing: Thing) -> bool:
    """Whether it may be taken away."""
    return thing.said.get("InstanceLifecycle") == "spot"


def price(thing: Thing) -> float | None:
    """Dollars an hour on demand, nothing once it is stopped; of spot, and of other than Linux, not known."""
    if status(thing) & {"stopped", "terminated"}:
        return 0.0
    if spot(thing) or thing.told("PlatformDetails") not in (None, "Linux/UNIX"):
        return None
    usd = company.file("aws")["prices"].get(thing.told("InstanceType"), {}).get(thing.region)
    return None if usd is None else float(usd)


def ill(thing: Thing) -> bool:
    """Whether it failed, fails a status check, or runs fewer tasks than it should."""
    if thing.group == "ecs_services" and "desiredCount" not in thing.said.get("without", ()):
        return bool(thing.said["runningCount"] < thing.said["desiredCount"])
    return "impaired" in thing.said.get("checks", {}).values() or status(thing) == {"failed"}


def devices(metric: str) -> Iterator[tuple[Thing, int, Any]]:
    """Every GPU that is measured: its machine, its number, and what it tells."""
    for thing in company.of("aws", "instance"):
        for index, device in enumerate(thing.said.get("gpus", ())):
            if "stopped" not in thing.said:
                yield thing, index, device[metric]


def base(series: Any) -> float:
    """What a series comes to over whole hours."""
    return float(series[0] if isinstance(series, list) else series)
