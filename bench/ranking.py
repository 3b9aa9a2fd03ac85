"""Questions about the cheapest over a list of `market.py`, and the right answers: plain csv and arithmetic.

python bench/ranking.py LIST.csv  -> JSON. Nothing of cloudtop and nothing of the peers is imported. What a
row means is read from the line of `market_types.csv` that it names, where it is from `market_regions.csv`.

The rules by which an answer is right, and which every question takes for granted:
- whole GPUs are meant; a share of one is no cheap GPU;
- a model is the maker's board; one with another memory is meant only when its size is asked for, or when any
  GPU with at least so much memory is (who takes a cheaper RTX 4090 of 48 GiB for one will answer otherwise);
- H100 holds the H100 NVL, as its sellers hold it; no other name stands for two models;
- a row without a price, or with the price 0, has no price;
- spot and on demand compete unless one of them is asked for;
- all offers with the lowest price are right.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

HERE = Path(__file__).parent
MODELS = (
    "A100", "H100", "H100 NVL", "H200", "B200", "L4", "L40", "L40S", "T4", "A10", "A10G", "A16", "A40",
    "V100", "P100", "GH200", "MI300X", "RTX 3080", "RTX 3090", "RTX 4080", "RTX 4090", "RTX 5090",
    "RTX A4000", "RTX A5000", "RTX A6000", "RTX 6000 Ada", "RTX PRO 6000", "RTX 2080 Ti",
)  # fmt: skip
FAMILIES = {"H100": ("H100", "H100 NVL")}
ALTERED = {("RTX 3080", 20.0), ("RTX 2080 Ti", 22.0), ("RTX 4080 SUPER", 32.0), ("RTX 4090", 48.0)}


class Offer(NamedTuple):
    """One price of one row, understood."""

    seller: str
    instance_type: str
    region: str
    model: str
    gib: float
    gpus: float
    spot: bool
    usd: float

    @property
    def per_gpu(self) -> float:
        return self.usd / self.gpus


class Question(NamedTuple):
    """What is asked; None asks nothing. `bound` is of the instance with `by_instance`, else of one GPU."""

    kind: str
    names: tuple[str, ...] = ()
    gib: float | None = None
    least_gib: float | None = None
    gpus: int | None = None
    spot: bool | None = None
    place: str | None = None
    without: str | None = None
    bound: float | None = None
    by_instance: bool = False
    dearest: bool = False

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(model for name in self.names for model in FAMILIES.get(name, (name,)))

    @property
    def text(self) -> str:
        many = f"{self.gpus} x " if self.gpus else ""
        parts = [
            "dearest" if self.dearest else "cheapest",
            many + (" or ".join(self.names) or "GPU"),
            f"of {self.gib:g} GiB" if self.gib else "",
            f"with at least {self.least_gib:g} GiB" if self.least_gib else "",
            {True: "spot", False: "on demand", None: ""}[self.spot],
            f"in {self.place}" if self.place else "",
            f"not at {self.without}" if self.without else "",
            f"for at most ${self.bound:g} an hour of {'the machine' if self.by_instance else 'a GPU'}"
            if self.bound
            else "",
            "by the machine" if self.by_instance else "per GPU-hour",
        ]
        return " ".join(filter(None, parts))


class Market:
    """The whole GPUs of a list that have a price, and where the regions are."""

    def __init__(self, file: Path) -> None:
        self.where = _where()
        self.boards: dict[str, set[float]] = {}
        self.by_model: dict[str, list[Offer]] = {}
        self.every: list[Offer] = []
        for one in _offers(file):
            self.every.append(one)
            self.by_model.setdefault(one.model, []).append(one)
            if (one.model, one.gib) not in ALTERED:
                self.boards.setdefault(one.model, set()).add(one.gib)

    def regions(self, place: str) -> list[str]:
        """The regions, as rows write them, that are this region, country or area."""
        return [region for region, words in self.where.items() if place in words]

    def found(self, asked: Question) -> list[Offer]:
        """All offers that fit."""
        pool: Iterable[Offer] = self.every
        if asked.names:
            pool = (one for model in asked.models for one in self.by_model.get(model, ()))
        inside = set(self.regions(asked.place)) if asked.place else None
        return [
            one
            for one in pool
            if (asked.gib is None or one.gib == asked.gib)
            and (asked.least_gib is None or one.gib >= asked.least_gib)
            and (asked.gib or not asked.names or (one.model, one.gib) not in ALTERED)
            and (asked.gpus is None or one.gpus == asked.gpus)
            and (asked.spot is None or one.spot == asked.spot)
            and (inside is None or one.region in inside)
            and one.seller != asked.without
            and (asked.bound is None or _price(one, asked) <= asked.bound)
        ]

    def answer(self, asked: Question) -> dict[str, Any]:
        """The right price, and all who have it."""
        found = self.found(asked)
        prices = [_price(one, asked) for one in found]
        best = (max(prices) if asked.dearest else min(prices)) if prices else None
        tied = {
            (one.seller, one.instance_type)
            for one, price in zip(found, prices, strict=True)
            if best is not None and abs(price - best) <= 1e-9 * best
        }
        return {"price": best, "offers": sorted(tied)}


def _price(one: Offer, asked: Question) -> float:
    return one.usd if asked.by_instance else one.per_gpu


def _where() -> dict[str, set[str]]:
    """Each region as rows write it: its id without the zone, its country and its area."""
    found: dict[str, set[str]] = {}
    with (HERE / "market_regions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for zone in row["zones"].split("|"):
                name = f"{row['region']}-{zone}" if zone else row["region"]
                found.setdefault(name, set()).update((row["region"], row["country"], row["area"]))
    return found


def _offers(file: Path) -> Iterator[Offer]:
    with (HERE / "market_types.csv").open(newline="") as known:
        meant = dict(enumerate(csv.DictReader(known), start=2))
    with file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            told = meant[int(row["source"].partition("#")[2])]
            gpus = float(told["gpus"] or row["gpu_count"])
            if gpus != int(gpus):
                continue
            for cell, spot in (("price_per_hour_usd", False), ("spot_price_per_hour_usd", True)):
                usd = float(row[cell] or 0)
                if usd > 0:
                    yield Offer(
                        row["provider"],
                        row["instance_type"],
                        row["region"],
                        told["model"],
                        float(told["board_gib"]),
                        gpus,
                        spot,
                        usd,
                    )


def questions(market: Market) -> Iterator[Question]:
    """Templates over the list; bounds and left-out sellers are taken from it, so that they matter."""
    for name in MODELS:
        yield Question("cheapest", (name,))
    for name, gib in (
        ("A100", 40.0),
        ("A100", 80.0),
        ("V100", 16.0),
        ("V100", 32.0),
        ("H100", 80.0),
        ("H100", 94.0),
    ):
        for spot in (None, False, True):
            yield Question("of one size", (name,), gib=gib, spot=spot)
    for name, gib in sorted(ALTERED):
        yield Question("of one size", (name,), gib=gib)
    for name in ("A100", "H100", "H200", "B200", "L4", "L40S", "V100", "MI300X", "RTX 4090", "RTX A6000"):
        yield Question("eight at once", (name,), gpus=8)
        yield Question("eight at once", (name,), gpus=8, spot=False)
    for name in MODELS[:14]:
        yield Question("on demand", (name,), spot=False)
        yield Question("spot", (name,), spot=True)
    for name in ("A100", "H100", "L4", "RTX 4090", "RTX A6000", "L40S"):
        for place in ("eu", "us", "asia"):
            yield Question("in an area", (name,), place=place, spot=False if place == "us" else None)
    for name, place in (
        ("A100", "de"),
        ("H100", "uk"),
        ("T4", "jp"),
        ("L40S", "fr"),
        ("V100", "in"),
        ("L4", "ie"),
    ):
        yield Question("in a country", (name,), place=place)
    for name, place in (
        ("A100", "us-east-1"), ("H100", "us-east-1"), ("A10G", "eu-central-1"), ("T4", "westeurope"),
        ("A100", "eastus"), ("L4", "us-central1"), ("A100", "europe-west4"), ("V100", "uk-london-1"),
        ("H200", "eu-north1"), ("RTX 4090", "EU-RO-1"), ("A16", "ewr"), ("L40S", "FIN-02"),
    ):  # fmt: skip
        yield Question("in a region", (name,), place=place)
    for name in ("A100", "H100", "L4", "L40S", "RTX 4090", "T4"):
        middle = median(one.per_gpu for one in market.found(Question("", (name,), spot=False)))
        yield Question("under a price", (name,), bound=round(middle, 2), spot=False, dearest=True)
        middle = median(one.usd for one in market.found(Question("", (name,), gpus=8)) or [_NOTHING])
        yield Question(
            "under a price", (name,), bound=round(middle, 2), gpus=8, by_instance=True, dearest=True
        )
    for least in (16.0, 24.0, 40.0, 48.0, 80.0, 96.0, 141.0, 180.0):
        yield Question("at least so much memory", least_gib=least)
        yield Question("at least so much memory", least_gib=least, spot=False, gpus=8 if least > 40 else None)
    for pair in (
        ("A100", "H100"), ("L4", "T4"), ("L40", "L40S"), ("A10", "A10G"), ("RTX 4090", "RTX 5090"),
        ("RTX A6000", "RTX 6000 Ada"), ("H200", "B200"), ("RTX 3090", "RTX 3090 Ti"),
        ("RTX 4080", "RTX 4080 SUPER"),
    ):  # fmt: skip
        yield Question("one of two", pair)
        yield Question("one of two", pair, spot=False)
    for name in ("A100", "H100", "L4", "L40S", "T4", "V100", "RTX 4090", "A10", "MI300X", "GH200"):
        winner = market.answer(Question("", (name,)))["offers"][0][0]
        yield Question("without a seller", (name,), without=winner)
    for name in ("A100", "H100", "H200", "L4", "L40S", "A10G", "V100", "B200", "A16", "RTX 4090"):
        yield Question("by the machine", (name,), by_instance=True)
        yield Question("by the machine", (name,), by_instance=True, spot=False)


_NOTHING = Offer("", "", "", "", 0, 1, False, 0)


def main() -> None:
    market = Market(Path(sys.argv[1]))
    asked = []
    for one in questions(market):
        if one.bound != 0 and (right := market.answer(one))["offers"]:
            boards = sorted({gib for model in one.models for gib in market.boards.get(model, ())})
            regions = market.regions(one.place) if one.place else None
            told = {"text": one.text, "models": one.models, "boards": boards, "regions": regions}
            asked.append({**one._asdict(), **told, "right": right})
    json.dump({"prices": len(market.every), "questions": asked}, sys.stdout)


if __name__ == "__main__":
    main()
