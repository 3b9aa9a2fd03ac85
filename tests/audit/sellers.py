"""What each seller's local cloud says over the wire, read a second time by rules written here.

Nothing of cloudtop is imported. Which words mean which GPU, what an instance type carries, what counts as a
price and what a place having none left looks like stand below as facts of this file's own. Figures are exact.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import httpx


@dataclass(frozen=True)
class Offer:
    """One thing to rent. `gib` is of one GPU, `usd` of the whole; `free` is None where nobody tells."""

    id: str
    where: str | None
    gpu: str | None
    gib: float | None
    count: float
    usd: Fraction | None
    spot: bool = False
    free: bool | None = None
    altered: bool = False

    @property
    def shown(self) -> bool:
        """Whether a comparison that asks for nothing in particular has it."""
        return bool(self.usd) and self.free is not False and not self.altered


# --- GPUs -----------------------------------------------------------------------------------------------

# GPU: GiB of the board, several where one name has several; of a span the least. And what sellers call it.
CARDS = """
A10            24     A10
A10G           24
A16            16     NVIDIA_A16 a16
A40            48     NVIDIA A40 | NVIDIA_A40
A100           40 80  NVIDIA A100 80GB PCIe | NVIDIA A100-SXM4-80GB | nvidia_a100 | A100 | NVIDIA_A100
                      | NVIDIA_A100_SXM | A100 SXM4 | A100 PCIE
A100X          80     A100X
A800           80     A800 PCIE
B200           180    NVIDIA B200 | B200 | b200
B300           270    nvidia_b300 | B300 SXM6
CMP170HX       8
GB200          186    GB200
GB300          278    GB300
GH200          96 144 GH200 | gh200 | GH200 SXM
GTX1660SUPER   6      GTX 1660 S
H100           80     NVIDIA H100 80GB HBM3 | nvidia_h100 | H100 | h100 | H100 SXM5 | H100 SXM | H100 PCIE
H100NVL        94     NVIDIA H100 NVL | H100 NVL
H200           141    NVIDIA H200 | nvidia_h200 | H200 SXM5 | H200
H200NVL        141    NVIDIA H200 NVL | H200 NVL
L4             24     NVIDIA L4 | L4
L40            48     L40
L40S           48     NVIDIA L40S | nvidia_l40s | L40S | NVIDIA_L40S | l40 | l40s
MI300X         192    AMD Instinct MI300X OAM | amd_mi300x | AMD_MI300X | MI300X
MI325X         256    amd_mi325x | mi325x
MI350X         288    MI350X
MI355X         288    MI355X
P100           16     Tesla P100
QUADRORTX6000  24     RTX 6000 | RTX6000 | Q RTX 6000
QUADRORTX8000  48     Q RTX 8000
RTX3090        24     RTX 3090
RTX3090TI      24     NVIDIA GeForce RTX 3090 Ti | RTX 3090 Ti
RTX4000ADA     20     nvidia_rtx4000_ada | RTX4000 Ada
RTX4070TI      12     RTX 4070 Ti
RTX4070TISUPER 16     RTX 4070S Ti
RTX4080        16     RTX 4080
RTX4080SUPER   16     RTX 4080S
RTX4090        24     NVIDIA GeForce RTX 4090 | RTX 4090
RTX4090D       24     RTX 4090D
RTX5090        32     RTX 5090
RTX6000ADA     48     nvidia_rtx6000_ada | RTX 6000Ada
RTXA6000       48     A6000 | RTX A6000
RTXPRO6000     96     NVIDIA RTX PRO 6000 Blackwell Server Edition | RTX PRO 6000 | RTX PRO 6000 Blackwell
                      | RTXPRO | RTX PRO 6000 S | RTX PRO 6000 WS
T4             16     Tesla T4
TRAINIUM       32
V100           16 32  Tesla V100 | V100 SXM2
"""


def _cards() -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    sizes, called = {}, {}
    for line in re.sub(r"\n\s+\|", " |", CARDS.strip()).splitlines():
        found = re.match(r"(\S+)\s+([\d ]+?)(?:\s{2,}(.*))?$", line) or re.match(r"(\S+)\s+([\d ]+)\s(.*)", line)
        assert found, line
        sizes[found[1]] = tuple(map(int, found[2].split()))
        called |= {word.strip(): found[1] for word in (found[3] or "").split(" | ")}
    return sizes, called


SIZES, CALLED = _cards()
