"""What the RunPod file means as rows, read by a person who knows RunPod: none of cloudtop's code is used."""

from __future__ import annotations

from typing import Any

from tests.audit.company import Thing, wave

PODS = {"RUNNING": "running", "STARTING": "starting", "EXITED": "stopped", "ERROR": "failed",
        "TERMINATED": "terminated"}  # fmt: skip
GPUS = {
    "NVIDIA H100 80GB HBM3": ("H100", 1, 80),
    "NVIDIA H100 NVL": ("H100NVL", 1, 94),
    "NVIDIA A100 80GB PCIe": ("A100", 1, 80),
    "NVIDIA A100-SXM4-80GB": ("A100", 1, 80),
    "NVIDIA L40S": ("L40S", 1, 48),
    "NVIDIA GeForce RTX 4090": ("RTX4090", 1, 24),
    "NVIDIA A40": ("A40", 1, 48),
    # A quarter of a board.
    "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb": ("RTXPRO6000", 0.25, 96),
}


def used(things: list[Thing]) -> set[str]:
    """The volumes that a pod or an endpoint uses."""
    mounted = {one["volumeId"] for thing in things for one in thing.said.get("mounts", {}).get("network", [])}
    return mounted | {one for thing in things for one in thing.said.get("networkVolumes", [])}


def status(thing: Thing, things: list[Thing]) -> str:
    """What its row is."""
    if thing.group == "pods":
        return PODS[thing.said["status"]]
    if thing.group == "network_volumes":
        return "available" if thing.id in used(things) else "unattached"
    now = thing.said["workers_now"]
    if thing.said["workers"]["max"] == 0:
        return "stopped"
    if now.get("running") or now.get("idle"):
        return "running"
    if now.get("unhealthy"):
        return "failed"
    return "starting" if now else "available"


def price(thing: Thing) -> float | None:
    """What a pod costs by the hour, None for what is stopped or gone, whatever is told of it."""
    runs = thing.group == "pods" and thing.said["status"] not in ("EXITED", "TERMINATED")
    return thing.said["cost"] if runs else None


def ill(thing: Thing) -> bool:
    """Whether a pod failed, or workers of an endpoint are unhealthy or wait."""
    if thing.group == "endpoints":
        return bool({"unhealthy", "throttled"} & thing.said["workers_now"].keys())
    return thing.said.get("status") == "ERROR"


def cpu(thing: Thing) -> tuple[float, float] | None:
    """Percent of the CPU now of a pod that runs, and by how much that swings."""
    runs = thing.said.get("status") == "RUNNING"
    return wave(thing.said.get("metrics", {}).get("cpu")) if runs else None


def gpus(thing: Thing) -> list[tuple[str, float, float]]:
    """The boards of a pod: name, how many, GiB of each."""
    told: dict[str, Any] | None = thing.said.get("gpu") if thing.group == "pods" else None
    if told is None:
        return []
    name, share, memory = GPUS[told["id"]]
    return [(name, told["count"] * share, memory)]
