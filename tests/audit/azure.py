"""What the Azure file means as rows, read by a person who knows Azure: none of cloudtop's code is used.

Where cloudtop's words leave a choice (whether a database is `running` or `available`) every fair one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

ALIVE = {"running", "available"}
POWER = {
    "running": {"running"},
    "starting": {"starting"},
    "deallocating": {"stopping"},
    "deallocated": {"stopped"},
    "stopped": {"stopped"},
    "hibernated": {"stopped"},
    "unknown": {"unknown"},
}
WORDS: dict[Any, set[str]] = {
    "Succeeded": ALIVE,
    "Creating": {"starting"},
    "Failed": {"failed"},
    "Running": ALIVE,
    "Stopped": {"stopped"},
    "Online": ALIVE,
    "Paused": {"stopped"},
    "Ready": ALIVE,
    "Disabled": {"stopped"},
    "Attached": {"available"},
    "Reserved": {"available"},
    "Unattached": {"unattached"},
    None: {"unknown"},
}
WHERE = {
    "volumes": "diskState",
    "gateways": "operationalState",
    "functions": "state",
    "apps": "state",
    "sql_databases": "status",
    "postgres_servers": "state",
    "mysql_servers": "state",
}
"""Where a kind says how it is; the others say only what Azure did last."""
CREATED = ("instances", "scale_set_instances", "volumes", "snapshots", "clusters", "registries",
           "sql_databases", "postgres_servers", "mysql_servers", "cosmos_accounts")  # fmt: skip
"""Groups whose records tell when they were made."""
FIELDS = {
    "instances": {"private_ip": "private"},
    "scale_set_instances": {"private_ip": "private"},
    "volumes": {"size_gb": "diskSizeGB"},
    "snapshots": {"size_gb": "diskSizeGB"},
    "addresses": {"public_ip": "ipAddress"},
    "mysql_servers": {"version": "version"},
    "caches": {"version": "redisVersion"},
}
"""Fields of a row that are fields of the file under another name."""


def status(thing: Thing) -> set[str]:
    """What its row may be."""
    if thing.group in ("instances", "scale_set_instances"):
        return POWER[thing.said["power"]]
    if thing.group == "addresses":
        return {"available"} if "of" in thing.said else {"unattached"}
    if thing.group in ("buckets", "zones"):
        return ALIVE
    done = thing.told("provisioningState")
    if thing.group == "clusters":
        return {"failed"} if done == "Failed" else WORDS[thing.said["powerState"]["code"]]
    if thing.group == "containers":
        view = thing.told("instanceView")
        return WORDS[view["state"]] if view else WORDS[done]
    return WORDS[thing.told(WHERE.get(thing.group, "provisioningState"))]


def size(thing: Thing) -> str | None:
    """The size of a machine; one of a scale set tells it as its SKU."""
    told = thing.told("hardwareProfile"), thing.told("sku")
    return told[0]["vmSize"] if told[0] else told[1]["name"] if told[1] else None


def spot(thing: Thing) -> bool:
    """Whether a machine is spot; a scale set says it for its own."""
    sets = {
        one.id: one.said["virtualMachineProfile"]
        for one in company.things("azure")
        if one.group == "scale_sets"
    }
    return "Spot" in (thing.said.get("priority"), sets.get(thing.said.get("scale_set"), {}).get("priority"))


GPUS = {
    "Standard_ND96asr_v4": ("A100", 8, 40),
    "Standard_ND96isr_H100_v5": ("H100", 8, 80),
    "Standard_NC24ads_A100_v4": ("A100", 1, 80),
    "Standard_NC4as_T4_v3": ("T4", 1, 16),
    "Standard_NV6ads_A10_v5": ("A10", 0.1667, 24),
}
"""What sizes carry: the GPU, how many, GiB of each."""


def price(thing: Thing, listed: Mapping[tuple[str | None, str | None], float | None]) -> float | None:
    """Dollars an hour, by the list of (size, region) of Linux on demand.

    One that is deallocated costs nothing, one only stopped what it costs while it runs. Of spot, and of
    Windows without a licence of one's own, it is not known.
    """
    if thing.said["power"] in ("deallocated", "hibernated"):
        return 0.0
    disk = (thing.told("storageProfile") or {}).get("osDisk", {})
    if spot(thing) or (disk.get("osType") == "Windows" and not thing.told("licenseType")):
        return None
    return listed.get((size(thing), thing.region))


def ill(thing: Thing) -> bool:
    """Whether it failed, its last change did, or what it may use is used up."""
    failed = thing.told("provisioningState") == "Failed" or thing.told("usageState") == "Exceeded"
    return failed or status(thing) == {"failed"}


def created(thing: Thing, started: datetime) -> datetime | None:
    """When Azure says it was created, None where it says nothing."""
    age = thing.age()
    return company.hour(started) - age if age and thing.group in CREATED else None


def fields(thing: Thing) -> dict[str, Any]:
    """Fields of its row that the file tells as they are."""
    return {name: thing.told(field) for name, field in FIELDS.get(thing.group, {}).items()}


def mean(thing: Thing, metric: str, start: datetime, end: datetime, started: datetime) -> float | None:
    """The mean of a metric over a time, None where nothing was measured."""
    series = thing.said.get("metrics", {}).get(metric)
    if series is None:
        return None
    age, stopped = thing.age(), thing.age("stopped")
    first = max(start, company.hour(started) - age) if age else start
    last = min(end, company.hour(started) - stopped) if stopped else end
    values = [value for _, value in company.samples(series, first, last, timedelta(minutes=1), end, started)]
    return company.mean(values) if values else None


CPU = ("Percentage CPU", "cpu_percent", "node_cpu_usage_percentage", "percentProcessorTime")
"""What the services call it."""
