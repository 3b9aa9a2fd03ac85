"""The same requests as a person would say them: a sentence beside the arguments that it means."""

from __future__ import annotations

from typing import Any

Said = tuple[str, dict[str, Any]]

BILL = {"rank_by": "total"}
"""Who names hours and a disk asks for the bill: what is ranked is what they would pay in all."""

SENTENCES: tuple[Said, ...] = (
    (
        "8x H100 under $25/h on spot in Europe",
        {"gpu": "H100", "count": 8, "max_price": 25, "spot": True, "region": ["eu"]},
    ),
    (
        "A100 80GB on vast for 100 hours with 200 GB disk",
        {"gpu": "A100 80GB", "hours": 100, "disk_gb": 200, **BILL},
    ),
    ("cheapest 4090 in Germany on demand", {"gpu": "4090", "region": ["de"], "spot": False}),
    ("2 x RTX 4090 for 24 hours", {"gpu": "RTX 4090", "count": 2, "hours": 24}),
)

_RANKED = (
    ("H100", "H100"),
    ("A100 80GB", "A100 80GB"),
    ("A100 40GB", "A100 40GB"),
    ("RTX 4090", "RTX 4090"),
    ("3090", "RTX 3090"),
    ("L40S", "L40S"),
    ("H200", "H200"),
    ("B200", "B200"),
    ("RTX 5090", "RTX 5090"),
    ("A6000", "RTX A6000"),
)
_WHERE = (
    ("in Europe", "eu"),
    ("in the US", "us"),
    ("in Asia", "asia"),
    ("in Norway", "no"),
    ("in Canada", "ca"),
    ("in the UK", "uk"),
    ("in Ohio", "ohio"),
    ("on the US west coast", "us-west"),
    ("in France", "fr"),
    ("in Japan", "jp"),
)


def said() -> list[Said]:
    """Sentences out of each template with every card and place in turn."""
    made = list(SENTENCES)
    for (card, gpu), (there, region) in zip(_RANKED, _WHERE, strict=True):
        n = len(made)
        count, hours, disk = (2, 4, 8)[n % 3], (24, 100, 72, 12)[n % 4], (50, 200, 500)[n % 3]
        made += [
            (f"cheapest {card} {there}", {"gpu": gpu, "region": [region]}),
            (f"{card} spot prices {there}", {"gpu": gpu, "spot": True, "region": [region]}),
            (
                f"{count}x {card} on demand for {hours} hours",
                {"gpu": gpu, "count": count, "spot": False, "hours": hours},
            ),
            (
                f"what does a {card} cost on vast.ai for {hours} hours with a {disk} GB disk?",
                {"gpu": gpu, "hours": hours, "disk_gb": disk, **BILL},
            ),
            (f"preemptible {card} below $1.50 an hour", {"gpu": gpu, "spot": True, "max_price": 1.5}),
            (
                f"{card} on-demand {there} with {disk} GB of disk",
                {"gpu": gpu, "spot": False, "region": [region], "disk_gb": disk},
            ),
        ]
    return [
        *made,
        ("GPUs with at least 80 GB VRAM under $1.20 per hour", {"min_memory": 80, "max_price": 1.2}),
        ("dearest H100 on demand", {"gpu": "H100", "spot": False, "sort": "price_desc"}),
        ("any AMD GPU on spot", {"vendor": "amd", "spot": True}),
        ("V100 32GB outside Europe", {"gpu": "V100 32GB", "exclude_region": ["eu"]}),
        ("H100 SXM, 8 per machine, not spot", {"gpu": "H100 SXM", "count": 8, "spot": False}),
        ("RTX 6000 Ada offers with at least two GPUs", {"gpu": "RTX 6000 Ada", "min_count": 2}),
        ("price of RTX 6000 Ada with 2 or more GPUs", {"gpu": "RTX 6000 Ada", "min_count": 2}),
        ("4090 in the US, west coast", {"gpu": "4090", "region": ["us-west"]}),
        ("A100 80GB in Ohio in the US", {"gpu": "A100 80GB", "region": ["ohio"]}),
        ("H100 on the east coast of the US", {"gpu": "H100", "region": ["us-east"]}),
        ("A100 in Norway or Iceland", {"gpu": "A100", "region": ["no", "is"]}),
        ("4090 with NVLink", {"gpu": "4090", "interconnect": "nvlink"}),
        ("T4 in a secure datacenter", {"gpu": "T4", "tier": "secure"}),
    ]
