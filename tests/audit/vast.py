"""What the Vast.ai file means as rows, read by a person who knows Vast: none of cloudtop's code is used."""

from __future__ import annotations

from tests.audit.company import Thing

MONTH_HOURS = 720


def status(thing: Thing) -> str | None:
    """What an instance's row is."""
    word, wanted = thing.said["actual_status"], thing.said["intended_status"]
    if word is None:
        return "starting"
    if word == "running":
        return "stopping" if wanted == "stopped" else "running"
    return {"loading": "starting", "exited": "stopped", "offline": "failed"}.get(word, "unknown")


def price(thing: Thing) -> float | None:
    """Dollars by the hour: GPUs and disk, of a stopped one the disk, of one that is lost nothing known."""
    if thing.group == "volumes":
        return float(thing.said["storage_total_cost"]) if "storage_total_cost" in thing.said else None
    disk = thing.said["storage_cost"] * thing.said["disk_space"] / MONTH_HOURS
    if status(thing) in ("failed", "unknown"):
        return None
    return float(disk if status(thing) == "stopped" else thing.said["dph_base"] + disk)


def gpu_memory(thing: Thing) -> float | None:
    """Percent of the memory of all its GPUs: GiB used of MiB."""
    used = thing.said.get("metrics", {}).get("vmem_usage")
    whole = thing.said["gpu_ram"] * thing.said["num_gpus"]
    return None if used is None else 100 * used * 1024 / whole
