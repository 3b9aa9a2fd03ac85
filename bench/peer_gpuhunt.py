"""The same list and the same questions for gpuhunt, in its own words. Runs where gpuhunt is, prints JSON.

python -I peer_gpuhunt.py pack OFFERS.csv FOLDER    the list as its published catalogues, one zip per provider
python -I peer_gpuhunt.py ask QUESTIONS.json FOLDER loads them (GPUHUNT_CATALOG_URL) and answers

What it is given (`pack`), as good as its format can hold it:
- its own name of every GPU, its provider's name of every seller, the maker's GiB of each GPU (no driver's
  figures, no sums), region and price; catalogues sorted by price, as its providers publish them;
- prices of nothing are left out, as its Azure and Vultr providers leave them out;
- its count is a whole number. A share of a GPU is written as its own providers write one: not at all (AWS),
  else as one GPU with the share of the memory (Azure, GCP, Vultr);
- CPUs, RAM and disk are not in the list; every row has 8, 64 GB and none.
Vultr and Vast are no catalogues for gpuhunt but asked while a question waits. Here they answer from memory,
out of a file in the same format: the network's time is not counted against it.

What a question becomes (`_asked`): gpu_name (all names of the family), min and max of memory and count, spot,
max_price of the machine, provider (all but the one not wanted). What its query() has no word for, its user
does with the result in two lines (`_helped`): keep the regions of the place (the bench tells which those are)
and, where a GPU's price is bounded, those under it; take the lowest (or highest) price / gpu_count.

Three scores: `own` is the first row as query() returns it; `helped` that after the two lines; `told` the same
where the user also knows, and gives as a bound, the maker's memory for every GPU that is named without.
Only query() is timed.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SELLERS = {"lambda": "lambdalabs", "vast": "vastai"}
ONLINE = ("vastai", "vultr")
UNSHARED = ("aws",)
NAMES = {
    "RTX A4000": "A4000",
    "RTX A5000": "A5000",
    "RTX A6000": "A6000",
    "Quadro RTX 6000": "RTX6000",
    "Quadro RTX 8000": "RTX8000",
}
VERSION = "20261120"
MAKERS = {"MI300X": "amd"}


def name_of(model: str) -> str:
    return NAMES.get(model, model.replace(" ", ""))


def pack(offers: Path, folder: Path) -> None:
    """One zip and its version for each provider that has catalogues, also for those without a row."""
    models = importlib.import_module("gpuhunt._internal.models")
    storage = importlib.import_module("gpuhunt._internal.storage")
    catalog = importlib.import_module("gpuhunt._internal.catalog")
    items: dict[str, list[Any]] = {name: [] for name in (*catalog.OFFLINE_PROVIDERS, *ONLINE)}
    with offers.open(newline="") as file:
        for row in csv.DictReader(file):
            provider = SELLERS.get(row["seller"], row["seller"])
            count, memory = float(row["gpus"]), float(row["gib"])
            if count != int(count):
                if provider in UNSHARED:
                    continue
                count, memory = 1, round(memory * count, 2)
            items[provider].append(
                models.CatalogItem(
                    provider=provider,
                    instance_name=row["instance_type"],
                    location=row["region"],
                    price=float(row["usd"]),
                    cpu=8,
                    memory=64.0,
                    gpu_count=int(count),
                    gpu_name=name_of(row["model"]),
                    gpu_memory=memory,
                    spot=row["spot"] == "True",
                    disk_size=None,
                    gpu_vendor=models.AcceleratorVendor.cast(MAKERS.get(row["model"], "nvidia")),
                )
            )
    for provider, found in items.items():
        place = folder / provider / VERSION
        place.mkdir(parents=True)
        storage.dump(sorted(found, key=lambda one: one.price), str(place / f"{provider}.csv"))
        (folder / provider / "version").write_text(VERSION)
        with zipfile.ZipFile(place / "catalog.zip", "w", zipfile.ZIP_DEFLATED) as made:
            made.write(place / f"{provider}.csv", f"{provider}.csv")
    print(json.dumps({"rows": sum(map(len, items.values()))}))


def ask(questions: Path, folder: Path) -> None:
    """Load, answer each question once, and say how long each took."""
    asked: list[dict[str, Any]] = json.loads(questions.read_text())
    os.environ["GPUHUNT_CATALOG_URL"] = folder.resolve().as_uri()
    gpuhunt = importlib.import_module("gpuhunt")
    storage = importlib.import_module("gpuhunt._internal.storage")
    started = time.perf_counter()
    catalog = gpuhunt.Catalog(auto_reload=False)
    catalog.load()
    for provider in ONLINE:
        with (folder / provider / VERSION / f"{provider}.csv").open(newline="") as file:
            catalog.add_provider(_Listed(provider, list(storage.load(file, provider=provider))))
    load_s = time.perf_counter() - started
    everyone = [name for name in catalog.catalog if name not in ONLINE] + list(ONLINE)
    started = time.perf_counter()
    catalog.query(gpu_name="A100")
    first_s = time.perf_counter() - started
    answers, times = [], []
    for one in asked:
        wanted = _asked(one, everyone)
        started = time.perf_counter()
        found = catalog.query(**wanted)
        times.append((time.perf_counter() - started) * 1000)
        if one["boards"] and not one["gib"]:
            wanted |= {"min_gpu_memory": min(one["boards"]), "max_gpu_memory": max(one["boards"])}
        told = _helped(one, catalog.query(**wanted))
        helped = _helped(one, found)
        answers.append({"own": _row(found), "helped": _row(helped), "told": _row(told)})
    print(json.dumps({"load_s": load_s, "first_s": first_s, "times_ms": times, "answers": answers}))


class _Listed:
    """A provider asked while a question waits, over a list that is here already."""

    def __init__(self, name: str, items: list[Any]) -> None:
        self.NAME, self._items = name, items

    def get(self, query_filter: Any = None, balance_resources: bool = True) -> list[Any]:
        return self._items


def _asked(one: dict[str, Any], everyone: Iterable[str]) -> dict[str, Any]:
    """The arguments of query(), as far as it has a word for what is asked."""
    without = SELLERS.get(one["without"], one["without"])
    return {
        "gpu_name": [name_of(model) for model in one["models"]] or None,
        "min_gpu_memory": one["gib"] or one["least_gib"],
        "max_gpu_memory": one["gib"],
        "min_gpu_count": one["gpus"] or 1,
        "max_gpu_count": one["gpus"],
        "spot": one["spot"],
        "max_price": one["bound"] if one["by_instance"] else None,
        "provider": [name for name in everyone if name != without] if without else None,
    }


def _helped(one: dict[str, Any], found: list[Any]) -> list[Any]:
    """What its user does with the result."""

    def price(row: Any) -> float:
        return float(row.price if one["by_instance"] else row.price / row.gpu_count)

    inside, bound = one["regions"], one["bound"]
    there = [row for row in found if not inside or row.location in inside]
    return sorted(
        (row for row in there if not bound or price(row) <= bound), key=price, reverse=one["dearest"]
    )


def _row(found: list[Any]) -> dict[str, Any] | None:
    if not found:
        return None
    seller = next((ours for ours, its in SELLERS.items() if its == found[0].provider), found[0].provider)
    return {
        "seller": seller,
        "instance_type": found[0].instance_name,
        "usd": found[0].price,
        "count": found[0].gpu_count,
        "gib": found[0].gpu_memory,
    }


if __name__ == "__main__":
    {"pack": pack, "ask": ask}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
