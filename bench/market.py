"""A made-up price list in the shape of real ones: each seller's own names of GPUs, machines and regions.

What is sold, how its seller writes it and what that means stands in `market_types.csv` (cells with | are
several rows), where it is sold in `market_regions.csv`. Prices are drawn here, the same in every run, around
what the sellers of a model ask in the middle, so that any of them may be the cheapest. The column `source` of
a row names the line of `market_types.csv` it comes from. In the list are, as in real ones: A100s and V100s of
two sizes, names without sizes and sizes as drivers report them, instance types without a GPU's name, memory
of all GPUs together, shares of a GPU, boards with another memory than the maker's, rows without a price, spot
prices of nothing, and sellers with one price everywhere. Only GPUs: no row without one. A short list is a
sample of the long one's clouds, and fewer machines.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

HERE = Path(__file__).parent
TYPES, REGIONS = HERE / "market_types.csv", HERE / "market_regions.csv"
FULL = 230_000
SEED = 20261120
ONE_PRICE = frozenset({"lambda", "nebius", "oci", "verda", "vultr"})
"""Sellers that charge the same in all their regions."""
HEAD = (
    "provider",
    "instance_type",
    "region",
    "gpu",
    "gpu_count",
    "gpu_memory_gib",
    "price_per_hour_usd",
    "spot_price_per_hour_usd",
    "as_of",
    "source",
)


class Sold(NamedTuple):
    """One instance type with one count of GPUs: `listed` as the list has it, `gpus` in truth."""

    line: int
    seller: str
    instance_type: str
    gpu: str
    listed: str
    memory: str
    model: str
    board_gib: float
    gpus: float
    usd: float
    spot: bool


def write(file: Path, prices: int) -> None:
    """So many prices, two in a row where there is one for spot."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEAD)
        left = prices
        for row in _rows(random.Random(SEED), prices):
            left -= _prices_in(row)
            if left < 0:
                row[7], left = "", left + 1
            writer.writerow(row)
            if left <= 0:
                return


def types() -> Iterator[Sold]:
    """What is sold, each count by itself."""
    with TYPES.open(newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            for name in row["instance_type"].split("|"):
                for count in row["gpu_count"].split("|"):
                    yield Sold(
                        line,
                        row["seller"],
                        name,
                        row["gpu"],
                        count,
                        row["gpu_memory_gib"],
                        row["model"],
                        float(row["board_gib"]),
                        float(row["gpus"] or count),
                        float(row["usd"]),
                        bool(row["spot"]),
                    )


def regions() -> dict[str, list[str]]:
    """The regions of each seller as its rows write them: with the zone, where it sells by zone."""
    found: dict[str, list[str]] = {}
    with REGIONS.open(newline="") as file:
        for row in csv.DictReader(file):
            zones = row["zones"].split("|")
            names = [f"{row['region']}-{zone}" if zone else row["region"] for zone in zones]
            found.setdefault(row["seller"], []).extend(names)
    return found


def _rows(made: random.Random, prices: int) -> Iterator[list[str]]:
    """The types of the clouds in all their regions, then machines of the marketplace without end."""
    places = regions()
    sold = list(types())
    asked: dict[tuple[str, float], list[float]] = {}
    for one in sold:
        asked.setdefault((one.model, one.board_gib), []).append(one.usd)
    middle = {model: median(prices) for model, prices in asked.items()}
    level = {(one.seller, one.model, one.board_gib): made.uniform(0.7, 1.5) for one in sold}
    size = {(one.seller, one.instance_type): made.uniform(0.9, 1.4) for one in sold}
    dear = {(seller, place): made.uniform(0.9, 1.4) for seller, names in places.items() for place in names}
    clouds = [(one, place) for one in sold if "*" not in one.instance_type for place in places[one.seller]]
    if prices < FULL:
        kept = sorted(made.sample(range(len(clouds)), len(clouds) * prices // FULL))
        clouds = [clouds[at] for at in kept]
    for one, place in clouds:
        usd = middle[one.model, one.board_gib] * one.gpus * level[one.seller, one.model, one.board_gib]
        usd *= size[one.seller, one.instance_type]
        if one.seller not in ONE_PRICE:
            usd *= dear[one.seller, place] * made.uniform(0.97, 1.03)
        yield _row(made, one, one.instance_type, place, usd)
    machines = [one for one in sold if "*" in one.instance_type]
    for number in range(1_000_000, 2_000_000):
        one = made.choice(machines)
        usd = middle[one.model, one.board_gib] * one.gpus * level[one.seller, one.model, one.board_gib]
        usd *= made.uniform(1.0, 2.5)
        name = one.instance_type.replace("*", str(number))
        yield _row(made, one, name, made.choice(places[one.seller]), usd)


def _row(made: random.Random, one: Sold, name: str, place: str, usd: float) -> list[str]:
    share = 0.5 if one.seller in ONE_PRICE else made.uniform(0.45, 0.95)
    price, bid = f"{usd:.4f}", f"{usd * share:.4f}" if one.spot else ""
    chance = made.random()
    if chance < 0.01:
        price = ""
    elif chance < 0.02:
        price = "0"
    elif chance < 0.03 and bid:
        bid = "0.00"
    return [
        one.seller,
        name,
        place,
        one.gpu,
        one.listed,
        one.memory,
        price,
        bid,
        "2026-11-01",
        f"{TYPES.name}#{one.line}",
    ]


def _prices_in(row: list[str]) -> int:
    """How many offers a row is: one without any price is still one."""
    return max(1, bool(row[6]) + bool(row[7]))
