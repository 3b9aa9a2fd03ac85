"""The sandbox's market worked out a second time: from its table, with exact fractions, by rules written here.

Nothing of cloudtop is imported. Which places lie where, which of Vast.ai's names a person means by a GPU, and
what the head of the table says about prices stand below as facts of this file's own.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


TABLE = Path(__file__).parents[2] / "cloudtop" / "sandbox" / "vast_market.csv"
FRIDAY = Fraction("1.04")
"""What the table's prices are multiplied by on 2026-11-20."""
ENOUGH, FAR_OFF = 5, 10
SOME = 20

EUROPE = words("ee no it cz is pl ch ua de es ro nl uk bg fi se fr")
ASIA = ["in", "th", "sg", "jp", "kr", "kz", "hk", "tw", "vn"]
STATES = {
    "us-east": ("Florida", "New York", "Ohio", "Virginia", "Washington, D.C."),
    "us-central": ("Texas",),
    "us-west": ("Utah", "Oregon", "California"),
}
COUNTRIES = {"GB": "uk"}
CITIES = {
    "frankfurt": "Frankfurt am Main",
    "bavaria": "Bavaria",
    "ohio": "Ohio",
    "new york": "New York",
    "washington dc": "Washington, D.C.",
    "washington": "no state of that name is in the table",
    "texas": "Texas",
    "oregon": "Oregon",
    "zurich": "Zürich",
    "sao paulo": "São Paulo",
    "quebec": "Québec",
    "british columbia": "British Columbia",
    "helsinki": "Helsinki",
    "sofia": "Sofia",
    "mumbai": "Mumbai",
    "tokyo": "Tokyo",
    "sydney": "Sydney",
    "dubai": "Dubai",
    "paris": "nobody names Paris",
    "hong kong": "Hong Kong",
}
AREAS = {"eu": EUROPE, "asia": ASIA, "africa": ["ke", "za"], "oceania": ["nz", "au"], "us": ["us"]}
ALONE = words(
    "de fr uk pl no is it ch es ro ca mx br cl jp in kr au nz ke za il tr ae us fi se nl ua sg at be"
)
REGIONS = (*AREAS, *STATES, *CITIES, *ALONE)

WHOLE = (0, 10**9)
GPUS: Mapping[str, tuple[tuple[str, tuple[int, int]], ...]] = {
    "A100": (("A100 SXM4", WHOLE), ("A100 PCIE", WHOLE)),
    "A100 80GB": (("A100 SXM4", (60_000, 90_000)), ("A100 PCIE", (60_000, 90_000))),
    "A100 40GB": (("A100 SXM4", (30_000, 60_000)), ("A100 PCIE", (30_000, 60_000))),
    "a100 pcie": (("A100 PCIE", WHOLE),),
    "A100X": (("A100X", WHOLE),),
    "A800": (("A800 PCIE", WHOLE),),
    "H100": (("H100 SXM", WHOLE), ("H100 PCIE", WHOLE), ("H100 NVL", WHOLE)),
    "H100 SXM": (("H100 SXM", WHOLE),),
    "h100 pcie": (("H100 PCIE", WHOLE),),
    "H100 NVL": (("H100 NVL", WHOLE),),
    "H200": (("H200", WHOLE),),
    "H200 NVL": (("H200 NVL", WHOLE),),
    "GH200": (("GH200 SXM", WHOLE),),
    "B200": (("B200", WHOLE),),
    "MI300X": (("MI300X", WHOLE),),
    "RTX 4090": (("RTX 4090", (20_000, 30_000)),),
    "4090": (("RTX 4090", (20_000, 30_000)),),
    "RTX 4090 48GB": (("RTX 4090", (40_000, 60_000)),),
    "RTX 4090D": (("RTX 4090D", WHOLE),),
    "RTX 5090": (("RTX 5090", WHOLE),),
    "RTX 3090": (("RTX 3090", WHOLE),),
    "3090 Ti": (("RTX 3090 Ti", WHOLE),),
    "RTX 4080": (("RTX 4080", WHOLE),),
    "RTX 4080 Super": (("RTX 4080S", WHOLE),),
    "RTX 4070 Ti": (("RTX 4070 Ti", WHOLE),),
    "4070 ti super": (("RTX 4070S Ti", WHOLE),),
    "RTX 6000": (("RTX 6000Ada", WHOLE), ("Q RTX 6000", WHOLE)),
    "RTX 6000 Ada": (("RTX 6000Ada", WHOLE),),
    "RTX A6000": (("RTX A6000", WHOLE),),
    "a6000": (("RTX A6000", WHOLE),),
    "RTX PRO 6000": (("RTX PRO 6000 S", WHOLE), ("RTX PRO 6000 WS", WHOLE)),
    "Quadro RTX 8000": (("Q RTX 8000", WHOLE),),
    "V100": (("Tesla V100", WHOLE),),
    "V100 32GB": (("Tesla V100", (30_000, 40_000)),),
    "V100 16GB": (("Tesla V100", (10_000, 20_000)),),
    "L40S": (("L40S", WHOLE),),
    "L40": (("L40", WHOLE),),
    "L4": (("L4", WHOLE),),
    "A10": (("A10", WHOLE),),
    "A40": (("A40", WHOLE),),
    "T4": (("Tesla T4", WHOLE),),
    "P100": (("Tesla P100", WHOLE),),
    "GTX 1660 Super": (("GTX 1660 S", WHOLE),),
}
SIZES = (6, 8, 10, 11, 12, 15, 16, 24, 32, 40, 45, 48, 80, 94, 96, 141, 180, 192)
NOMINAL = {15: 16, 45: 48}
AMD = ("MI300X",)
NOBODYS = ("CMP 170HX",)
"""A mining board: no list of GPUs for rent names it, so no maker's filter may claim it."""


@dataclass(frozen=True, eq=False)
class Offer:
    """One of the two offers that a line of the table makes."""

    id: str
    name: str
    mib: int | None
    count: int
    place: str
    tier: str
    spot: bool
    rent: Fraction
    disk: Fraction | None
    linked: bool | None

    @cached_property
    def gib(self) -> int | None:
        """The size on the box: what the card reports is at most seven per cent off it."""
        if self.mib is None:
            return None
        real = Fraction(self.mib, 1024)
        size = min(SIZES, key=lambda gib: abs(gib - real))
        assert abs(size - real) <= Fraction(7, 100) * size, (self.name, self.mib)
        return NOMINAL.get(size, size)

    @property
    def altered(self) -> bool:
        return self.name == "RTX 4090" and self.gib == 48

    @cached_property
    def country(self) -> str:
        code = self.place.rpartition(",")[2].strip()
        return COUNTRIES.get(code, code.lower())

    @property
    def region(self) -> str:
        return self.place.lstrip(", ")

    def lies_in(self, region: str) -> bool:
        if region in AREAS:
            return self.country in AREAS[region]
        if region in STATES:
            return self.country == "us" and self.place.rpartition(",")[0] in STATES[region]
        if region in CITIES:
            return CITIES[region] in self.place.rpartition(",")[0]
        return self.country == region


@dataclass(frozen=True)
class Priced:
    """An offer with what a request makes of its price."""

    offer: Offer
    per_hour: Fraction
    total: Fraction | None

    @property
    def per_gpu(self) -> Fraction:
        return self.per_hour / self.offer.count


@dataclass(frozen=True)
class Expected:
    """The whole answer: every match in order."""

    rows: list[Priced]

    @property
    def first(self) -> list[Priced]:
        return self.rows[:SOME]


@dataclass
class Market:
    """The offers of one day that a search without filters of its own shows."""

    offers: list[Offer]
    doubtful: set[tuple[str, bool]] = field(default_factory=set)

    def answer(self, wanted: Mapping[str, Any]) -> Expected:
        """What `wanted`, in the arguments of compare_gpu_prices, must be answered with."""
        found = [priced(one, wanted) for one in self.offers if self.fits(one, wanted)]
        found = [one for one in found if affordable(one, wanted)]
        found.sort(key=lambda one: (one.offer.region, one.offer.id))
        found.sort(key=lambda one: measure(one, wanted), reverse=wanted.get("sort") == "price_desc")
        return Expected(found)

    def fits(self, one: Offer, wanted: Mapping[str, Any]) -> bool:
        """Every condition but those on money."""
        if one.altered and not ("min_memory" in wanted or "48GB" in str(wanted.get("gpu"))):
            return False
        return all(CONDITIONS[name](one, value) for name, value in wanted.items() if name in CONDITIONS) and (
            not wanted.get("exclude_suspect") or (one.id, one.spot) not in self.doubtful
        )


def is_gpu(one: Offer, asked: str) -> bool:
    """Whether a person who says `asked` means this offer's card."""
    return any(one.name == name and lo <= (one.mib or lo) <= hi for name, (lo, hi) in GPUS[asked])


CONDITIONS = {
    "gpu": is_gpu,
    "vendor": lambda one, vendor: one.name not in NOBODYS and (one.name in AMD) == (vendor == "amd"),
    "count": lambda one, count: one.count == count,
    "min_count": lambda one, count: one.count >= count,
    "spot": lambda one, spot: one.spot is spot,
    "region": lambda one, regions: any(one.lies_in(name) for name in regions),
    "exclude_region": lambda one, regions: not any(one.lies_in(name) for name in regions),
    "min_memory": lambda one, gib: one.gib is not None and one.gib >= gib,
    "min_total_memory": lambda one, gib: one.gib is not None and one.gib * one.count >= gib,
    "tier": lambda one, tier: one.tier == ("datacenter" if tier == "secure" else tier),
    "interconnect": lambda one, kind: one.linked is (kind == "nvlink"),
}


def priced(one: Offer, wanted: Mapping[str, Any]) -> Priced:
    """Rent, the disk by the month of 720 hours, and hours times both for every machine."""
    disk = Fraction(str(wanted.get("disk_gb", 0)))
    hourly = one.rent + (one.disk or 0) * disk / 720
    asked = wanted.keys() & {"hours", "disk_gb", "nodes"} or wanted.get("rank_by") == "total"
    hours = Fraction(str(wanted.get("hours", 1)))
    return Priced(one, hourly, hourly * hours * wanted.get("nodes", 1) if asked else None)


def affordable(one: Priced, wanted: Mapping[str, Any]) -> bool:
    """Caps are on the machine's hour where several GPUs were asked for, else on the GPU's."""
    several = max(wanted.get("count", 0), wanted.get("min_count", 0)) >= 2
    price = one.per_hour if several else one.per_gpu
    least, most = wanted.get("min_price"), wanted.get("max_price")
    return (least is None or price >= Fraction(str(least))) and (most is None or price <= Fraction(str(most)))


def measure(one: Priced, wanted: Mapping[str, Any]) -> Fraction:
    """What is ranked by."""
    by = wanted.get("rank_by", "gpu_hour")
    if by == "gib":
        return one.per_hour / (one.offer.gib * one.offer.count if one.offer.gib else 1)
    return {"gpu_hour": one.per_gpu, "hour": one.per_hour, "total": one.total or one.per_hour}[by]


def market(factor: Fraction = FRIDAY) -> Market:
    """The table at one day's prices."""
    lines = TABLE.read_text("utf-8").splitlines()
    table = csv.DictReader(line for line in lines if not line.startswith("#"))
    shown = [
        row
        for row in table
        if (row["verification"], row["rentable"], row["rented"]) == ("verified", "true", "false")
    ]
    offers = [offer for row in shown for offer in offers_of(row, factor)]
    return Market(offers, set(doubtful(offers)))


def offers_of(row: Mapping[str, str], factor: Fraction) -> Iterator[Offer]:
    """On demand and interruptible; without a price, or with one of nothing, there is nothing to compare."""
    for column, spot in (("dph_base", False), ("min_bid", True)):
        rent = number(row[column])
        if rent:
            yield Offer(
                id=row["id"],
                name=row["gpu_name"].strip(),
                mib=int(row["gpu_ram"]) if number(row["gpu_ram"]) else None,
                count=int(row["num_gpus"]),
                place=json.loads('"' + row["geolocation"].replace('"', '\\"') + '"'),
                tier="datacenter" if row["hosting_type"] == "1" else "community",
                spot=spot,
                rent=rent * factor,
                disk=number(row["storage_cost"]),
                linked=None if number(row["bw_nvlink"]) is None else number(row["bw_nvlink"]) != 0,
            )


def number(cell: str) -> Fraction | None:
    return None if cell in ("", "null") else Fraction(cell)


def doubtful(offers: Iterable[Offer]) -> Iterator[tuple[str, bool]]:
    """Bids above the same machine's own price, and prices ten times off the median of their like."""
    offers = list(offers)
    listed = {one.id: one.rent for one in offers if not one.spot}
    alike: dict[Any, list[Fraction]] = {}
    for one in offers:
        alike.setdefault(kin(one), []).append(one.rent / one.count)
    for one in offers:
        price, others = one.rent / one.count, alike[kin(one)]
        middle = median(others)
        far = len(others) >= ENOUGH and (price * FAR_OFF < middle or price > middle * FAR_OFF)
        if far or (one.spot and one.rent > listed.get(one.id, one.rent)):
            yield one.id, one.spot


def kin(one: Offer) -> tuple[str, int | None, bool]:
    """Cards that are one model: the boards of a name differ in form, not in kind."""
    base = {"A100 PCIE": "A100 SXM4", "H100 PCIE": "H100 SXM", "RTX PRO 6000 WS": "RTX PRO 6000 S"}
    return base.get(one.name, one.name), one.gib, one.spot


def requests(count: int, seed: int) -> list[dict[str, Any]]:
    """Every word for a card and for a place once, then `count` made-up requests; some leave nothing."""
    dice = random.Random(seed)
    words = [*({"gpu": word} for word in GPUS), *({"region": [word]} for word in REGIONS)]
    return words + [request(dice) for _ in range(count)]


def request(dice: random.Random) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if dice.random() < 0.85:
        wanted["gpu"] = dice.choice(list(GPUS))
    elif dice.random() < 0.4:
        wanted["vendor"] = dice.choice(("amd", "nvidia"))
    if "gpu" not in wanted and dice.random() < 0.6:
        wanted["min_memory"] = dice.choice((16, 24, 48, 80, 94, 100, 141, 192))
    several = dice.random()
    if several < 0.3:
        wanted["count"] = dice.choice((1, 1, 2, 2, 4, 8))
    elif several < 0.45:
        wanted["min_count"] = dice.choice((2, 4))
    for name, chance, make in EXTRAS:
        if dice.random() < chance:
            wanted[name] = make(dice)
    if wanted.get("min_price", 0) > wanted.get("max_price", 1e9):
        del wanted["min_price"]
    if set(wanted.get("region", ())) <= set(wanted.get("exclude_region", ())):
        wanted.pop("exclude_region", None)
    return wanted


def places(dice: random.Random) -> list[str]:
    """One place, or two of them; mostly wide ones, so that something is left."""
    weighed = ("eu", "eu", "eu", "us", "us", "us", "asia", *dice.sample(REGIONS, 5))
    return dice.sample(REGIONS, 2) if dice.random() < 0.2 else [dice.choice(weighed)]


EXTRAS = (
    ("spot", 0.6, lambda dice: dice.random() < 0.5),
    ("region", 0.4, places),
    ("exclude_region", 0.08, places),
    ("hours", 0.35, lambda dice: dice.choice((1, 6, 24, 100, 168, 720, 0.5))),
    ("disk_gb", 0.35, lambda dice: dice.choice((10, 64, 100, 200, 500, 2000))),
    ("nodes", 0.06, lambda dice: dice.choice((2, 3, 16))),
    ("max_price", 0.3, lambda dice: round(dice.choice((2, 5, 25)) * dice.uniform(0.2, 1), 2)),
    ("min_price", 0.08, lambda dice: round(dice.uniform(0.05, 1.5), 2)),
    ("min_total_memory", 0.06, lambda dice: dice.choice((48, 96, 160, 320, 640))),
    ("tier", 0.12, lambda dice: dice.choice(("secure", "datacenter", "community", "marketplace"))),
    ("interconnect", 0.05, lambda dice: dice.choice(("nvlink", "none"))),
    ("exclude_suspect", 0.08, lambda _: True),
    ("rank_by", 0.12, lambda dice: dice.choice(("hour", "total"))),
    ("sort", 0.08, lambda _: "price_desc"),
)
