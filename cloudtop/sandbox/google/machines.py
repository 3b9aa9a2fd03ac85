"""What the machine types of the company are made of: vCPUs, MiB, and the GPUs that are part of them."""

from __future__ import annotations

from collections.abc import Mapping

MACHINES: Mapping[str, tuple[int, int, str, int]] = {
    "a2-highgpu-4g": (48, 348160, "nvidia-tesla-a100", 4),
    "a2-ultragpu-1g": (12, 174080, "nvidia-a100-80gb", 1),
    "a3-highgpu-8g": (208, 1916928, "nvidia-h100-80gb", 8),
    "c2-standard-8": (8, 32768, "", 0),
    "e2-medium": (2, 4096, "", 0),
    "e2-micro": (2, 1024, "", 0),
    "e2-standard-4": (4, 16384, "", 0),
    "g2-standard-8": (8, 32768, "nvidia-l4", 1),
    "n1-standard-4": (4, 15360, "", 0),
    "n1-standard-8": (8, 30720, "", 0),
    "n2-highmem-4": (4, 32768, "", 0),
    "n2-standard-4": (4, 16384, "", 0),
    "n2d-custom-6-24576": (6, 24576, "", 0),
}
