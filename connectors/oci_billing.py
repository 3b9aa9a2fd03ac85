"""What an Oracle machine is billed as: by its shape, its parts, its image and its state.

A stopped machine pauses billing, but not where disks or GPUs stay its own: dense I/O, HPC and GPU shapes (of
these VM.GPU.A10 pauses), and bare metal of the optimized ones. Windows is billed by the OCPU beside the
shape. What a burstable machine, one on a dedicated host or one on its way costs is not told by its shape.
Source: Oracle's documentation of billing for stopped instances, of preemptible instances, of Windows images.
"""

from __future__ import annotations

import re
from typing import Any

from cloudtop.units import positive
from connectors.oci_rows import status
from connectors.rows import Record, each, inner, lot

KEPT = re.compile(r"\.DenseIO|\.HPC|^BM\.Optimized|\.GPU")
"""Shapes that are billed while they are stopped."""
PAUSED = re.compile(r"^VM\.GPU\.A10\.|^(VM|BM)\.Standard|^VM\.Optimized")
"""Shapes of which it is known that they are not."""
NO_LICENCE = re.compile(
    r"Oracle|Canonical|Ubuntu|CentOS|Rocky|AlmaLinux|Debian|Red Hat|RHEL|Linux$", re.IGNORECASE
)
"""Operating systems that Oracle charges nothing for."""
PREEMPTIBLE = "preemptible"


def billed(one: Record, made: Record, system: str | None) -> dict[str, Any]:
    """What the price of an instance follows from, as details of its row; `system` is that of its image."""
    return {
        "paid_while_stopped": kept_paid(one) or None,
        "priced_as": priced_as(one, made),
        "priced_apart": priced_apart(one, made, system),
    }


def free(one: Record) -> bool:
    """Whether nothing is paid for an instance as it is."""
    state, shape = one.get("lifecycleState"), str(one.get("shape"))
    return state == "TERMINATED" or (state == "STOPPED" and PAUSED.search(shape) is not None)


def kept_paid(one: Record) -> bool:
    """Whether an instance is paid for though it is stopped."""
    shape = str(one.get("shape"))
    return one.get("lifecycleState") == "STOPPED" and not PAUSED.search(shape) and bool(KEPT.search(shape))


def priced_as(one: Record, made: Record) -> str | None:
    """Its shape with what this one has of OCPUs and GB; None where that is not known."""
    if not one.get("shape"):
        return None
    words = (PREEMPTIBLE,) if one.get("preemptibleInstanceConfig") is not None else ()
    ocpus, gb = positive(made.get("ocpus")), positive(made.get("memoryInGBs"))
    return lot(str(one["shape"]), *words, ocpus=ocpus, gb=gb)


def priced_apart(one: Record, made: Record, system: str | None) -> str | None:
    """Why what its shape costs is not its price."""
    state = one.get("lifecycleState")
    if status(one) != "running" and not kept_paid(one):
        return f"it is {state}" if state else "its state is not told"
    if one.get("dedicatedVmHostId"):
        return "dedicated host"
    if one.get("isAIEnterpriseEnabled") is True:
        return "NVIDIA AI Enterprise"
    if made.get("baselineOcpuUtilization") not in (None, "BASELINE_1_1"):
        return "burstable"
    return licence(one, system)


def licence(one: Record, system: str | None) -> str | None:
    """What is billed for the operating system, or that this is not known."""
    owned = [part.get("licenseType") for part in each(one, "licensingConfigs")]
    if owned:
        return None if set(owned) == {"BRING_YOUR_OWN_LICENSE"} else "Windows"
    if system is None:
        return "an image that is not known"
    return None if NO_LICENCE.search(system) else f"an image of {system}"


def image_of(one: Record) -> str | None:
    """The image that an instance was made of, where its price may follow from that."""
    if status(one) != "running" and not kept_paid(one):
        return None
    found = inner(one, "sourceDetails", "imageId") or one.get("imageId")
    return str(found) if found else None
