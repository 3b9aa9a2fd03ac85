"""The questions that a price list is asked, each beside what it means in terms of the list."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.audit.price_list import Price, Test, usual, words


@dataclass(frozen=True)
class Question:
    """Arguments of the tool, and which of the list's prices they mean."""

    arguments: dict[str, Any]
    tests: tuple[Test, ...]
    ordered: Callable[[list[Price]], list[Price]] = field(default=lambda found: found)

    def __str__(self) -> str:
        return json.dumps(self.arguments)


def q(*tests: Test, **arguments: Any) -> Question:
    return Question(arguments, (usual, *tests))


def ranked(by: Callable[[Price], Any], **arguments: Any) -> Question:
    """All A100 and H100 prices in another order; equals stay in the order of price lists."""

    def ordered(found: list[Price]) -> list[Price]:
        return sorted(sorted(found, key=lambda one: (one.place, one.spot)), key=by)

    return Question(
        {"gpu": ["A100", "H100"], **arguments}, (usual, named("A100-40GB A100-80GB H100 H100-NVL")), ordered
    )


def named(names: str) -> Test:
    wanted = names.split()
    return lambda one: one.canonical in wanted


def on_demand(one: Price) -> bool:
    return not one.spot


def spot(one: Price) -> bool:
    return one.spot


def per_gpu(low: float = 0, high: float = 1e9) -> Test:
    return lambda one: Fraction(str(low)) <= one.per_gpu <= Fraction(str(high))


def per_hour(low: float = 0, high: float = 1e9) -> Test:
    return lambda one: Fraction(str(low)) <= one.per_hour <= Fraction(str(high))


FAMILIES = {
    "A100": "A100-40GB A100-80GB",
    "V100": "V100-16GB V100-32GB",
    "H100": "H100 H100-NVL",
    "GH200": "GH200-96GB",
    "Inferentia": "Inferentia Inferentia2",
}
SINGLE = words(
    "T4 L4 A10 M60 A10G L40S MI25 RTX-A6000 H200 H100-NVL K80 Inferentia2 B200 T4G Radeon-Pro-V520 MI300X "
    "Radeon-Pro-V710 Radeon-Pro-V620 RTX-4090 A16 RTX-PRO-6000 GB200 RTX-5090 K520 Quadro-RTX-6000 "
    "RTX-6000-Ada A40 B300 Trainium RTX-A5000 RTX-A4000 L40 RTX-PRO-4500 RTX-3090 Cloud-AI-100 P100 Gaudi "
    "GB300 MI355X RTX-4000-Ada A30 RTX-3060 RTX-3070"
)
MODELS = {**FAMILIES, **{name: name for name in SINGLE}}


def by_model() -> list[Question]:
    """Each model, in the three ways of asking for its price, spelled in three ways."""
    made = []
    for name, members in MODELS.items():
        of_it = named(members)
        made += [
            q(of_it, gpu=name),
            q(of_it, on_demand, gpu=name.replace("-", " "), spot=False),
            q(of_it, spot, gpu=[name.replace("-", "_").lower()], spot=True),
        ]
    return made


def by_memory() -> list[Question]:
    both = named(FAMILIES["A100"])
    nvl = named("H100-NVL")
    rtx6000 = named("RTX-6000-Ada Quadro-RTX-6000")
    return [
        q(named("A100-80GB"), gpu="A100 80GB"),
        q(named("A100-40GB"), gpu="a100 40gb"),
        q(named("A100-40GB"), gpu="A100", memory=40),
        q(named("A100-80GB"), gpu="A100", memory=80, spot=None),
        q(named("A100-80GB"), gpu="A100", min_memory=64),
        q(both, gpu="A100", min_memory=40),
        q(named("V100-16GB"), gpu="V100 16GB"),
        q(named("V100-32GB"), gpu="V100-32GB"),
        q(named("V100-32GB"), gpu="V100", min_memory=20),
        q(named("H100"), gpu="H100", memory=80),
        q(nvl, gpu="H100", memory=94),
        q(nvl, gpu="h100 nvl"),
        q(rtx6000, gpu="RTX 6000"),
        q(named("RTX-A6000"), gpu="A6000"),
        q(named("RTX-4090"), gpu="4090"),
        q(lambda one: one.memory >= 100, min_memory=100),
        q(lambda one: one.memory >= 180, on_demand, min_memory=180, spot=False),
        q(lambda one: one.memory == 24, memory=24),
        q(named("A40 RTX-A6000"), gpu="A40,A6000", memory=48),
        q(named("A40"), gpu="A40", memory=48),
        q(named("L40S"), gpu="L40S", memory=48),
        Question({"gpu": "RTX 4090 48GB"}, (lambda one: one.altered,)),
        Question({"gpu": "RTX 4090", "min_memory": 40}, (lambda one: one.altered,)),
        Question(
            {"min_memory": 48, "gpu": ["A40", "L40S"]},
            (usual, named("A40 L40S"), lambda one: one.memory >= 48),
        ),
    ]


def by_share() -> list[Question]:
    def whole_or_not(*tests: Test, **arguments: Any) -> Question:
        return Question(arguments | {"fractional": True}, (lambda one: not one.altered, *tests))

    return [
        *(whole_or_not(named(name), gpu=name) for name in ("A10", "MI25", "L4", "Radeon-Pro-V710")),
        whole_or_not(named("A10"), on_demand, gpu="A10", spot=False),
        whole_or_not(named("A10"), per_gpu(high=2), gpu="A10", max_price=2),
        whole_or_not(lambda one: one.seller == "azure", providers="azure"),
        whole_or_not(lambda one: one.memory * one.count >= 12, named("A10"), gpu="A10", min_total_memory=12),
        q(named("A10"), lambda one: one.count == 1, gpu="A10", count=1),
        q(named("MI25"), per_gpu(high=1), gpu="MI25", max_price=1),
    ]


SELLERS = words("aws azure lambda shadeform gcp runpod vast verda hyperbolic nebius oci yotta digitalocean")


def by_seller() -> list[Question]:
    def sold_by(*names: str) -> Test:
        return lambda one: one.seller in names

    def not_by(*names: str) -> Test:
        return lambda one: one.seller not in names

    h100 = named(FAMILIES["H100"])
    return [
        *(q(sold_by(name), providers=name) for name in SELLERS),
        *(q(h100, not_by(name), gpu="H100", exclude_providers=name) for name in SELLERS),
        q(h100, sold_by("aws", "azure"), gpu="H100", providers="aws, Azure"),
        q(h100, sold_by("oci"), gpu="H100", providers="Oracle"),
        q(h100, sold_by("digitalocean", "verda"), gpu="H100", providers=["do", "datacrunch"]),
        q(not_by("aws", "azure", "gcp", "oci"), exclude_providers="aws,azure,google,oracle"),
        q(providers="pricelist"),
        q(sold_by("vast"), spot, providers="vast.ai", spot=True),
    ]


def by_region() -> list[Question]:
    def there(*where: str) -> Test:
        return lambda one: any(one.lies_in(place) for place in where)

    def of_id(*ids: str) -> Test:
        return lambda one: one.region in ids

    codes = words("us uk de fr jp in ca fi se au br no kr sg nl pl it ch es il ae za mx hk cl is th pe ng ma")
    spoken = {
        "Germany": "de",
        "united kingdom": "uk",
        "GB": "uk",
        "europe": "eu",
        "Japan": "jp",
        "USA": "us",
        "South Korea": "kr",
        "Finland": "fi",
    }
    ohio = ("us-east-2", "us-gov-east-1", "us-east5")
    frankfurt = ("germanywestcentral", "europe-west3")
    return [
        *(q(there(code), region=code) for code in ("eu", "asia", "us-west", "us-east", *codes)),
        *(q(there(code), region=word) for word, code in spoken.items()),
        *(q(named("T4"), there(code), gpu="T4", region=code) for code in ("eu", "us", "asia")),
        *(
            q(named("L4"), lambda one, c=code: not one.lies_in(c), gpu="L4", exclude_region=code)
            for code in ("eu", "us")
        ),
        q(there("de", "fr"), region="de,fr"),
        q(there("eu"), lambda one: not one.lies_in("uk"), region="eu", exclude_region="uk"),
        q(of_id("us-east-1"), lambda one: one.seller == "aws", region="us-east-1", providers="aws"),
        q(of_id("westeurope"), region="westeurope"),
        q(of_id("FIN-03"), region="FIN-03"),
        q(of_id("europe-west4"), region="europe-west4"),
        q(lambda one: one.region.startswith("ap-southeast"), region="ap-southeast"),
        q(lambda one: one.region.startswith("europe-west"), region="europe-west"),
        q(
            lambda one: one.seller in ("aws", "gcp") and one.region in ohio,
            region="ohio",
            providers="aws,gcp",
        ),
        q(
            lambda one: (
                one.region in frankfurt
                or (one.seller, one.region) == ("aws", "eu-central-1")
                or one.region.startswith("frankfurt")
            ),
            region="frankfurt",
        ),
    ]


def by_machine() -> list[Question]:
    h100 = named(FAMILIES["H100"])
    a100 = named(FAMILIES["A100"])
    kinds = ("p4d.24xlarge", "Standard_ND96isr_H100_v5", "g4dn.xlarge", "gpu_8x_h100_sxm5", "8V100.48V")
    return [
        *(q(lambda one, k=kind: one.kind == k, instance_type=kind) for kind in kinds),
        q(lambda one: one.kind == "p4d.24xlarge", instance_type="P4D.24XLARGE"),
        q(
            lambda one: one.kind == "g5.xlarge",
            lambda one: one.lies_in("eu"),
            instance_type="g5.xlarge",
            region="eu",
        ),
        *(q(h100, lambda one, n=n: one.count == n, gpu="H100", count=n) for n in (1, 2, 4, 8)),
        q(h100, lambda one: one.count == 3, gpu="H100", count=3),
        q(a100, lambda one: one.count >= 4, gpu="A100", min_count=4),
        q(lambda one: one.count >= 16, min_count=16),
        q(lambda one: one.memory * one.count >= 640, min_total_memory=640),
        q(lambda one: one.memory * one.count >= 1500, on_demand, min_total_memory=1500, spot=False),
        q(named("T4"), lambda one: one.memory * one.count >= 64, gpu="T4", min_total_memory=64),
        q(lambda one: one.canonical[:5] in ("Radeo", "MI25", "MI300", "MI355"), vendor="amd"),
        q(lambda one: one.canonical[:5] in ("Infer", "Train"), vendor="aws"),
        q(a100, lambda one: one.canonical == "A100-80GB", gpu="A100", exclude_gpu="A100 40GB"),
        q(lambda one: one.canonical not in ("T4", "L4"), exclude_gpu="T4,L4"),
    ]


def by_price() -> list[Question]:
    h100 = named(FAMILIES["H100"])
    a100 = named(FAMILIES["A100"])
    return [
        q(h100, per_gpu(high=2.5), gpu="H100", max_price=2.5),
        q(h100, per_gpu(3, 5), gpu="H100", min_price=3, max_price=5),
        q(a100, lambda one: one.count == 8, per_hour(high=16), gpu="A100", count=8, max_price=16),
        q(a100, lambda one: one.count == 1, per_gpu(high=1.2), gpu="A100", count=1, max_price=1.2),
        q(h100, lambda one: one.count >= 2, per_hour(high=10), gpu="H100", min_count=2, max_price=10),
        q(
            a100,
            lambda one: one.count >= 8,
            per_hour(20, 30),
            gpu="A100",
            min_count=8,
            min_price=20,
            max_price=30,
        ),
        q(per_gpu(high=0.1), max_price=0.1),
        q(per_gpu(low=20), min_price=20),
        q(named("T4"), per_gpu(high=0.526), on_demand, gpu="T4", max_price=0.526, spot=False),
        q(h100, per_gpu(high=0.01), gpu="H100", max_price=0.01),
    ]


def by_order() -> list[Question]:
    return [
        ranked(lambda one: -one.per_gpu, sort="price_desc"),
        ranked(lambda one: one.per_hour, rank_by="hour"),
        ranked(lambda one: -one.per_hour, sort="usd_per_hour_desc"),
        ranked(lambda one: -one.per_hour, sort="-usd_per_hour"),
        ranked(lambda one: one.per_hour / (one.memory * one.count), rank_by="gib"),
        ranked(lambda one: one.seller, sort="provider_asc"),
        ranked(lambda one: one.region, sort="region_asc"),
        ranked(lambda one: -one.count, sort="gpu_count_desc"),
        ranked(lambda one: -one.memory, sort="gpu_memory_gib_desc"),
        ranked(lambda one: one.per_hour, rank_by="total", hours=24),
    ]


ASKED = [
    *by_model(),
    *by_memory(),
    *by_share(),
    *by_seller(),
    *by_region(),
    *by_machine(),
    *by_price(),
    *by_order(),
]
GROUPS: tuple[tuple[str, Callable[[Price], str]], ...] = (
    ("provider", lambda one: one.seller),
    ("region", lambda one: one.region),
    ("gpu", lambda one: one.gpu),
    ("instance_type", lambda one: one.kind),
)
GROUPED: tuple[tuple[dict[str, Any], tuple[Test, ...]], ...] = (
    ({"gpu": "A100"}, (named(FAMILIES["A100"]),)),
    ({"gpu": "H100", "spot": False}, (named(FAMILIES["H100"]), on_demand)),
    ({"region": "eu", "spot": True}, (lambda one: one.lies_in("eu"), spot)),
)
CUT = (("provider", 1), ("provider", 3), ("gpu", 2), ("region", 1))
PAGED: tuple[tuple[dict[str, Any], tuple[Test, ...]], ...] = (
    ({"gpu": "T4", "limit": 50}, (named("T4"),)),
    ({"providers": "shadeform", "limit": 7}, (lambda one: one.seller == "shadeform",)),
    ({"gpu": "A100", "spot": True, "limit": 13, "sort": "price_desc"}, (named(FAMILIES["A100"]), spot)),
    ({"limit": 500}, ()),
)

DOUBTED = ("V100", "A100", "H100", "MI300X", "T4", "L4", "B200", "A10G")
