"""compare_gpu_prices over 230,000 made-up prices, against the same query in raw SQLite."""

from __future__ import annotations

import asyncio
import csv
import json
import random
import sqlite3
import time
from pathlib import Path

from bench.row import Row, p
from cloudtop.cli.build import build
from tests.switched import only

MODELS = [
    ("A100", 80), ("A100", 40), ("H100", 80), ("H100 NVL", 94), ("H200", 141), ("B200", 180), ("L4", 24),
    ("L40S", 48), ("T4", 16), ("A10G", 24), ("A10", 24), ("V100", 16), ("V100", 32), ("RTX 4090", 24),
    ("RTX 5090", 32), ("RTX A6000", 48), ("RTX 3090", 24), ("MI300X", 192), ("RTX 6000 Ada", 48), ("L40", 48),
]  # fmt: skip
REGIONS = [
    f"{area}-{side}-{n}"
    for area in ("us", "eu", "ap")
    for side in ("east", "west", "central")
    for n in (1, 2, 3)
]
SELLERS = ["aws", "azure", "gcp", "oci", "lambda", "runpod", "vultr", "verda", "nebius", "coreweave"]
ROWS = 230_000


def write(file: Path, rows: int) -> None:
    made = random.Random(20261120)
    head = "provider,instance_type,region,gpu,gpu_count,gpu_memory_gib,price_per_hour_usd"
    head += ",spot_price_per_hour_usd,as_of,source"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(head.split(","))
        for i in range(rows // 2):
            gpu, memory = MODELS[i % len(MODELS)]
            count = made.choice((1, 2, 4, 8))
            price = round(count * made.uniform(0.5, 5), 4)
            seller, region = made.choice(SELLERS), made.choice(REGIONS)
            row = [
                seller,
                f"type-{i}",
                region,
                gpu,
                count,
                memory,
                price,
                round(price * made.uniform(0.3, 0.9), 4),
            ]
            writer.writerow([*row, "2026-11-01", "made up"])


def rows(folder: Path, *, quick: bool) -> list[Row]:
    return asyncio.run(_rows(folder, ROWS // 10 if quick else ROWS))


async def _rows(folder: Path, count: int) -> list[Row]:
    file, home = folder / "prices.csv", folder / "prices-home"
    write(file, count)
    lists = {"options": {"files": [str(file)], "shipped": False}}
    config = folder / "prices.json"
    config.write_text(json.dumps({"providers": {**only(), "pricelist": lists}}))
    house = build(config, home, deadline_s=120)
    runtime = house.runtime()
    started = time.perf_counter()
    first = await runtime.call("compare_gpu_prices", {"gpu": "A100"})
    load_s = time.perf_counter() - started
    assert not first.is_error, first.text
    asked = [
        {"gpu": gpu, "spot": spot, "limit": 20, "max_price": round(3 + k / 100, 2)}
        for k in range(10)
        for gpu in ("A100", "L4", "T4", "V100", "L40S", "RTX4090", "A10G", "MI300X")
        for spot in (True, False)
    ]
    ours = []
    for one in asked:
        started = time.perf_counter()
        outcome = await runtime.call("compare_gpu_prices", one)
        ours.append((time.perf_counter() - started) * 1000)
        assert len(outcome.structured["rows"]) == 20, outcome.text
    again = []
    for one in asked:
        started = time.perf_counter()
        await runtime.call("compare_gpu_prices", one)
        again.append((time.perf_counter() - started) * 1000)
    await house.aclose()
    raw = _raw(home / "cloudtop.db", asked)
    fresh, kept, base = p(ours, 0.5), p(again, 0.5), p(raw, 0.5)
    what = f"compare_gpu_prices, 20 rows of {count:,}, in the runtime, p50"
    return [
        Row(
            f"{what}, asked first",
            f"{fresh:.2f} ms (list read in {load_s:.1f} s)",
            f"{base:.3f} ms raw SQLite",
            fresh / base,
            "<= 8 x and < 1 ms",
            fresh / base <= 8 and fresh < 1,
        ),
        Row(
            f"{what}, asked again",
            f"{kept:.3f} ms",
            f"{base:.3f} ms raw SQLite",
            kept / base,
            "<= 8 x and < 1 ms",
            kept / base <= 8 and kept < 1,
        ),
    ]


def _raw(file: Path, asked: list[dict[str, object]]) -> list[float]:
    """The same question in SQL over the store's own table and index, rows as JSON."""
    db = sqlite3.connect(file)
    db.row_factory = sqlite3.Row
    sql = (
        "select * from offer where gpu = ? and spot = ? and flags = 0 and usd_per_gpu_hour <= ?"
        " order by usd_per_gpu_hour limit 20"
    )
    found = []
    for one in asked:
        started = time.perf_counter()
        got = [dict(row) for row in db.execute(sql, (one["gpu"], one["spot"], one["max_price"]))]
        json.dumps(got, default=str)
        found.append((time.perf_counter() - started) * 1000)
        assert len(got) == 20
    db.close()
    return found
