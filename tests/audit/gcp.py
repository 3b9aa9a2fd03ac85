"""What the Google file means as rows, read by a person who knows Google: none of cloudtop's code is used.

Where cloudtop's words leave a choice every fair one counts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

ALIVE = {"running", "available"}
STATUS: dict[str, dict[Any, set[str]]] = {
    "instances": {
        "STAGING": {"starting"},
        "RUNNING": {"running"},
        # Google's word for stopped.
        "TERMINATED": {"stopped"},
        "SUSPENDED": {"stopped"},
        "REPAIRING": {"failed", "unknown", "starting"},
    },
    "snapshots": {"READY": {"available"}, "UPLOADING": {"starting"}},
    "images": {"READY": ALIVE, "FAILED": {"failed"}},
    "addresses": {"IN_USE": ALIVE, "RESERVED": {"unattached"}},
    "gke_clusters": {"RUNNING": {"running"}, "RECONCILING": {"running"}, "ERROR": {"failed"}},
    "functions": {"ACTIVE": ALIVE, "FAILED": {"failed"}},
    "run_services": {
        "CONDITION_SUCCEEDED": ALIVE,
        "CONDITION_RECONCILING": {"starting"},
        "CONDITION_FAILED": {"failed"},
    },
}
TOLD_AS = {"gke_clusters": "status", "functions": "state", "run_services": "state"}
NAMED = ("functions", "run_services", "sql_instances", "buckets")
"""Groups whose ids are names; elsewhere the id is a number and the name a field."""
CREATED = {
    "gke_clusters": "createTime",
    "functions": "createTime",
    "run_services": "createTime",
    "sql_instances": "createTime",
    "buckets": "timeCreated",
}
MIB = {"128M": 128, "256M": 256, "256Mi": 256, "512Mi": 512, "1Gi": 1024}
GPUS = {
    "training-node-21": ("A100", 4, 40),
    "training-node-22": ("A100", 4, 40),
    "training-node-23": ("H100", 8, 80),
    "training-node-24": ("A100", 1, 80),
    "inference-03": ("L4", 1, 24),
    "inference-04": ("T4", 2, 16),
    "gpu-playground": ("V100", 1, 16),
}


def status(thing: Thing) -> set[str]:
    """What its row may be."""
    if thing.group == "disks":
        users = {"available"} if thing.said.get("users") else {"unattached"}
        words = {"READY": users, "RESTORING": {"starting"}, "FAILED": {"failed"}, None: {"unknown"}}
        return words[thing.told("status")]
    if thing.group == "sql_instances":
        if "settings" not in thing.said.get("without", ()) and thing.said["activationPolicy"] == "NEVER":
            return {"stopped"}
        return {"RUNNABLE": ALIVE, "FAILED": {"failed"}, None: {"unknown"}}[thing.told("state")]
    if thing.group not in STATUS:
        return ALIVE | {"unknown"}
    gone = {"run_services": "terminalCondition"}.get(thing.group, "")
    word = None if gone in thing.said.get("without", ()) else thing.told(TOLD_AS.get(thing.group, "status"))
    return STATUS[thing.group][word] if word else {"unknown"}


def name(thing: Thing) -> str | None:
    """What its row is called."""
    return thing.id if thing.group in NAMED else thing.told("name")


def spot(thing: Thing) -> bool:
    """Whether it may be taken away."""
    return (thing.told("scheduling") or {}).get("provisioningModel") == "SPOT"


def ill(thing: Thing) -> bool:
    """Whether it failed, or its host is being repaired."""
    return thing.told("status") == "REPAIRING" or status(thing) == {"failed"}


def created(thing: Thing, started: datetime) -> datetime | None:
    """When Google says it was created, None where it says nothing."""
    age = thing.age()
    if age is None or CREATED.get(thing.group, "creationTimestamp") in thing.said.get("without", ()):
        return None
    return company.hour(started) - age


def fields(thing: Thing) -> dict[str, Any]:
    """Fields of its row that follow from the file."""
    said = thing.told
    if thing.group == "instances":
        cards = "networkInterfaces" not in thing.said.get("without", ())
        return {
            "instance_type": said("machineType"),
            "zone": said("zone"),
            "private_ip": said("networkIP") if cards else None,
            "public_ip": said("natIP"),
        }
    if thing.group == "disks":
        return {"size_gb": said("sizeGb") and float(said("sizeGb")), "storage_class": said("type")}
    if thing.group == "snapshots":
        return {"size_gb": said("diskSizeGb") and float(said("diskSizeGb"))}
    if thing.group == "addresses":
        text = said("address")
        inside = text and ipaddress.ip_address(text) in ipaddress.ip_network("10.0.0.0/8")
        return {"public_ip": None if inside else text}
    if thing.group == "gke_clusters":
        return {"version": said("currentMasterVersion"), "node_count": said("currentNodeCount")}
    if thing.group == "functions" and "serviceConfig" not in thing.said.get("without", ()):
        return {
            "runtime": said("runtime"),
            "memory_mb": MIB[said("memory")],
            "timeout_s": said("timeout"),
        }
    if thing.group == "buckets":
        return {"storage_class": said("storageClass")}
    return {}


def cpu(thing: Thing, start: datetime, end: datetime, started: datetime) -> float | None:
    """The mean of its CPU over a time in percent, None where nothing was measured."""
    every = thing.said.get("metrics", {})
    told = next((one for key, one in every.items() if "cpu" in key), None)
    if told is None:
        return None
    age, stopped = thing.age(), thing.age("stopped")
    first = max(start, company.hour(started) - age) if age else start
    last = min(end, company.hour(started) - stopped) if stopped else end
    values = [one for _, one in company.samples(told, first, last, timedelta(minutes=1), end, started)]
    return 100 * company.mean(values) if values else None


def devices() -> Iterator[tuple[Thing, int, Any]]:
    """Every GPU that is measured: its machine, its number, and what it tells."""
    for thing in company.of("gcp", "instance"):
        for number, device in enumerate(thing.said.get("gpus", ())):
            if "stopped" not in thing.said:
                yield thing, number, device


def base(series: Any) -> float:
    """What a series comes to over whole hours."""
    return float(series[0] if isinstance(series, list) else series)


PER_HOUR = {
    ("us-central1", "n2"): (0.0316, 0.0042),
    ("europe-west4", "n2"): (0.0348, 0.0047),
    ("us-central1", "e2"): (0.0218, 0.0029),
    ("us-east1", "e2"): (0.0218, 0.0029),
    ("europe-west4", "e2"): (0.024, 0.0032),
    ("us-central1", "c2"): (0.034, 0.0045),
    ("us-central1", "n1"): (0.032, 0.0043),
    ("us-central1", "a2"): (0.0316, 0.0042),
    ("europe-west4", "g2"): (0.0275, 0.0032),
}
"""Dollars for a core and for a GiB, as the sandbox's catalogue has them."""
MADE = {"n2-standard-4": (4, 16), "n2-highmem-4": (4, 32), "c2-standard-8": (8, 32), "n1-standard-4": (4, 15),
        "e2-standard-4": (4, 16), "e2-micro": (0.25, 1), "a2-highgpu-4g": (48, 340), "g2-standard-8": (8, 32),
        }  # fmt: skip
"""What is billed of a type: cores, of a shared one the share, and GiB."""
GPU_PER_HOUR = {"a2-highgpu-4g": 4 * 2.94, "g2-standard-8": 0.62, "n1-standard-4": 2.48}
"""The one N1 with a GPU that has no licence beside it is the playground."""
SPOT_PER_HOUR = {
    "n2d-custom-6-24576": 6 * 0.008 + 24 * 0.001,
    # Eight GPUs, 208 cores, 1872 GiB, and 6000 GiB of local SSD by the month of 730 hours.
    "a3-highgpu-8g": 8 * 3.0 + 208 * 0.012 + 1872 * 0.001 + 6000 * 0.0365 / 730,
}


def price(thing: Thing) -> float | None:
    """What an instance costs an hour."""
    state, kind = thing.told("status"), thing.told("machineType")
    if state == "TERMINATED":
        return 0.0
    # A virtual workstation is licensed by the GPU.
    if state != "RUNNING" or kind is None or "-vws" in str(thing.said):
        return None
    if "SPOT" in str(thing.told("scheduling")):
        return SPOT_PER_HOUR[kind]
    cores, gib = MADE[kind]
    core, ram = PER_HOUR[str(thing.region), kind.split("-")[0]]
    return cores * core + gib * ram + GPU_PER_HOUR.get(kind, 0.0)
