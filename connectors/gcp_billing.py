"""What a Google machine is billed as: its type with cores and memory, attached GPUs, licences and state.

Cores and memory are billed while a machine runs; one that is stopped costs nothing but its disks, one that is
suspended keeps its memory and pays for that. A licence on a disk, sole tenancy, Confidential VM, a GPU as a
virtual workstation and other ways to provision are billed beside the type or otherwise. Source: Google's
documentation of the instance life cycle, of VM pricing and of operating systems.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudtop.units import positive
from connectors.gcp_rows import last
from connectors.rows import Record, each, inner, lot

STOPPED = ("TERMINATED", "STOPPED")
_FREE = (
    "almalinux-cloud centos-cloud cos-cloud debian-cloud deeplearning-platform-release fedora-coreos-cloud "
    "gke-node-images opensuse-cloud rocky-linux-cloud ubuntu-os-cloud ubuntu-os-gke-cloud vm-options"
)
FREE_LICENCES = frozenset(_FREE.split())
"""Projects whose licences cost nothing."""
WORKSTATION = "-vws"
SPOT = "spot"


def priced_as(
    one: Record, kind: str | None, vcpus: float | None, ram_gib: float | None, spot: bool | None
) -> str | None:
    """Its type with what that is made of, and the GPUs attached to it; None where that is not known."""
    if not kind or spot is None:
        return None
    # Other types have their GPUs in them, and tell them once more.
    attached = dict(_attached(one)) if kind.startswith(("n1-", "custom-")) else {}
    return lot(kind, *((SPOT,) if spot else ()), vcpus=vcpus, gib=ram_gib, **attached)


def _attached(one: Record) -> Iterator[tuple[str, float | None]]:
    for part in each(one, "guestAccelerators"):
        yield last(part.get("acceleratorType")) or "unknown", positive(part.get("acceleratorCount"))


def priced_apart(one: Record) -> str | None:
    """Why what its type costs is not its price."""
    state, scheduling = one.get("status"), one.get("scheduling") or {}
    if state != "RUNNING":
        return f"it is {state}" if state else "its state is not told"
    if each(scheduling, "nodeAffinities"):
        return "sole tenancy"
    if (model := scheduling.get("provisioningModel")) not in (None, "STANDARD", "SPOT"):
        return f"provisioned as {model}"
    confidential = one.get("confidentialInstanceConfig") or {}
    if confidential.get("enableConfidentialCompute") or confidential.get("confidentialInstanceType"):
        return "Confidential VM"
    if any(name.endswith(WORKSTATION) for name, _ in _attached(one)):
        return "virtual workstation"
    return licence(one)


def licence(one: Record) -> str | None:
    """The first licence on a disk that may cost something, or that the disks are not told."""
    disks = each(one, "disks")
    if not disks:
        return "its disks are not told"
    every = [str(url) for disk in disks for url in inner(disk, "licenses") or ()]
    return next((f"licence {last(url)}" for url in every if _owner(url) not in FREE_LICENCES), None)


def _owner(url: Any) -> str:
    """The project that a licence is of."""
    _, _, path = str(url).partition("projects/")
    return path.partition("/")[0]
