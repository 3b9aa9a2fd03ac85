"""What the Oracle file means as rows, read by a person who knows Oracle: none of cloudtop's code is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

STATES = {
    "RUNNING": "running",
    "ACTIVE": "running",
    "UPDATING": "running",
    "STARTING": "starting",
    "PROVISIONING": "starting",
    "CREATING": "starting",
    "STOPPING": "stopping",
    "STOPPED": "stopped",
    "INACTIVE": "stopped",
    "TERMINATED": "terminated",
    "FAILED": "failed",
    "FAULTY": "failed",
    "IMPORTING": "starting",
    "ASSIGNED": "available",
}
THERE = (
    *("vcns", "subnets", "functions", "buckets", "volumes", "boot_volumes"),
    *("images", "volume_backups", "boot_volume_backups", "security_groups"),
)
"""Groups of things that do not compute: what is in order there is `available`."""
GPUS = {"BM.GPU.H100.8": ("H100", 8, 80), "BM.GPU.A100-v2.8": ("A100", 8, 80), "VM.GPU.A10.1": ("A10", 1, 24),
        "VM.GPU.A10.2": ("A10", 2, 24), "VM.GPU3.1": ("V100", 1, 16)}  # fmt: skip
PER_HOUR = {"VM.Standard.E5.Flex": (0.03, 0.002), "VM.Standard.A1.Flex": (0.01, 0.0015)}
"""Dollars for an OCPU and for a GB of memory, as the sandbox's price list has them."""
FIXED = {"VM.Standard2.4": 4 * 0.0638, "BM.GPU.H100.8": 8 * 9.8, "BM.GPU.A100-v2.8": 8 * 4.2,
         "VM.GPU.A10.1": 2.1, "VM.GPU3.1": 2.9}  # fmt: skip
FIELDS = {
    "instances": {"instance_type": "shape"},
    "volumes": {"size_gb": "sizeInGBs"},
    "boot_volumes": {"size_gb": "sizeInGBs"},
    "volume_backups": {"size_gb": "sizeInGBs"},
    "boot_volume_backups": {"size_gb": "sizeInGBs"},
    "buckets": {
        "size_bytes": "approximateSize",
        "object_count": "approximateCount",
        "storage_class": "storageTier",
    },
    "clusters": {"version": "kubernetesVersion"},
    "functions": {"memory_mb": "memoryInMBs", "timeout_s": "timeoutInSeconds"},
    "autonomous_databases": {"size_gb": "dataStorageSizeInGBs", "version": "dbVersion"},
    "db_systems": {"size_gb": "dataStorageSizeInGBs", "version": "version"},
    "mysql_systems": {"size_gb": "dataStorageSizeInGBs", "version": "mysqlVersion"},
    "postgresql_systems": {"version": "dbVersion"},
    "public_ips": {"public_ip": "ipAddress"},
    "container_instances": {"node_count": "containerCount", "instance_type": "shape"},
}
"""Fields of a row that are fields of Oracle's under another name."""


def name(thing: Thing) -> str | None:
    """What its row is called."""
    called: str | None = thing.told("name" if thing.group in ("buckets", "clusters") else "displayName")
    return called


def status(thing: Thing) -> str:
    """What its row is."""
    state = thing.told("lifecycleState")
    if thing.group == "buckets":
        return "available"
    if state is None:
        return "unknown"
    if thing.group == "public_ips":
        return "unattached" if state == "AVAILABLE" else STATES[state]
    if state in ("AVAILABLE", "ACTIVE") and thing.group in THERE:
        volume = thing.group in ("volumes", "boot_volumes")
        return "unattached" if volume and "attached" not in thing.said else "available"
    return "running" if state == "AVAILABLE" else STATES[state]


def spot(thing: Thing) -> bool:
    """Whether it may be taken away."""
    return "preemptibleInstanceConfig" in thing.said


def ill(thing: Thing) -> bool:
    """Whether it failed, or asks for attention."""
    return status(thing) == "failed" or "NEEDS_ATTENTION" in str(thing.told("lifecycleState"))


def price(thing: Thing) -> float | None:
    """What an instance costs an hour: nothing stopped here has a disk or a GPU of its own."""
    state, shape = thing.told("lifecycleState"), thing.told("shape")
    if state in ("STOPPED", "TERMINATED"):
        return 0.0
    windows = "windows" in str(thing.said.get("sourceDetails"))
    if state != "RUNNING" or windows or "dedicatedVmHostId" in thing.said or shape is None:
        return None
    if shape in PER_HOUR:
        ocpu, gb = PER_HOUR[shape]
        made = thing.said["shapeConfig"]
        return float(made["ocpus"] * ocpu + made["memoryInGBs"] * gb)
    return FIXED[shape] / (2 if "preemptibleInstanceConfig" in thing.said else 1)


def created(thing: Thing, started: datetime) -> datetime | None:
    """When Oracle says that it was created."""
    age = thing.age()
    return (
        None if age is None or "timeCreated" in thing.said.get("without", ()) else company.hour(started) - age
    )


def cpu(thing: Thing, start: datetime, end: datetime, started: datetime) -> float | None:
    """The mean of its CPU over a time, None where nothing was measured."""
    told = thing.said.get("metrics", {})
    series = told.get("CpuUtilization", told.get("CPUUtilization"))
    if series is None:
        return None
    age, stopped = thing.age(), thing.age("stopped")
    first = max(start, company.hour(started) - age) if age else start
    last = min(end, company.hour(started) - stopped) if stopped else end
    values = [value for _, value in company.samples(series, first, last, timedelta(minutes=1), end, started)]
    return company.mean(values) if values else None


def gpus(thing: Thing) -> list[dict[str, Any]]:
    """What the GPUs of a machine that runs tell."""
    told: list[dict[str, Any]] = thing.said.get("gpus", []) if "stopped" not in thing.said else []
    return told


def base(series: Any) -> float:
    """What a series comes to over whole hours."""
    return float(series[0] if isinstance(series, list) else series)
