"""What the Vast.ai file means as rows, read by a person who knows Vast: none of cloudtop's code is used."""

from __future__ import annotations

from tests.audit.company import Thing, wave

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


GPUS = {
    "H100 SXM": ("H100", 80),
    "A100 SXM4": ("A100", 80),
    "RTX 4090": ("RTX4090", 24),
    "RTX 3090": ("RTX3090", 24),
}
"""What Vast.ai calls a GPU: its name and GiB."""


def gpus(thing: Thing) -> list[tuple[str, float, float]]:
    """The boards of an instance: name, how many, GiB of each."""
    if thing.told("gpu_name") is None:
        return []
    name, gib = GPUS[thing.said["gpu_name"]]
    return [(name, thing.said["num_gpus"], gib)]


def kept(thing: Thing) -> str:
    """What the row of a volume is."""
    if thing.said.get("status") == "creating":
        return "starting"
    if "instances" in thing.said.get("without", ()):
        return "unknown"
    return "available" if thing.said["instances"] else "unattached"


def ill(thing: Thing) -> bool:
    """Whether its host is lost, or its container ended with an error."""
    said = str(thing.said.get("status_msg")).startswith("Error")
    return thing.said.get("actual_status") == "offline" or said


def cpu(thing: Thing) -> tuple[float, float] | None:
    """Percent of the CPU now of an instance that runs, and by how much that swings."""
    runs = thing.said["actual_status"] == "running"
    return wave(thing.said.get("metrics", {}).get("cpu_util")) if runs else None


def gpu_memory(thing: Thing) -> float | None:
    """Percent of the memory of all its GPUs: GiB used of MiB."""
    used = thing.said.get("metrics", {}).get("vmem_usage")
    whole = thing.said["gpu_ram"] * thing.said["num_gpus"]
    return None if used is None else 100 * used * 1024 / whole
