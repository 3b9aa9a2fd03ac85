"""The price list that ships is small, dated, sourced, and free of what is wrong in such lists elsewhere."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date

import pytest

from cloudtop import compiled, gpus, sellers

COLUMNS = [
    *("provider", "instance_type", "region", "gpu", "gpu_count", "gpu_memory_gib"),
    *("price_per_hour_usd", "spot_price_per_hour_usd", "as_of", "source"),
]
with (compiled.DATA / "list_prices.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def identified(row: dict[str, str]) -> gpus.Identified:
    """What the row's GPU is by the house's own reading."""
    return gpus.identify(row["provider"], row["gpu"], float(row["gpu_memory_gib"]))


def test_it_holds_at_most_150_rows_of_the_documented_columns() -> None:
    assert 100 <= len(ROWS) <= 150
    assert list(ROWS[0]) == COLUMNS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['instance_type']}@{row['region']}")
def test_every_row_says_what_where_when_and_from_whom(row: dict[str, str]) -> None:
    assert row["provider"] in sellers.known()
    assert date(2026, 1, 1) <= date.fromisoformat(row["as_of"]) <= date(2026, 11, 20)
    assert re.match(r"[\w.-]+/[\w.-]+@[0-9a-f]{7}", row["source"])
    assert float(row["price_per_hour_usd"]) > 0
    assert all(row[column] for column in COLUMNS if column != "spot_price_per_hour_usd")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['instance_type']}@{row['region']}")
def test_every_gpu_is_known_whole_and_the_vendors_own(row: dict[str, str]) -> None:
    found = identified(row)
    assert found.name is not None
    assert found.memory_gib == float(row["gpu_memory_gib"])
    assert not found.modified
    assert not found.fractional
    assert float(row["gpu_count"]) >= 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['instance_type']}@{row['region']}")
def test_every_row_agrees_with_what_the_instance_type_carries(row: dict[str, str]) -> None:
    carried = gpus.instance_gpu(row["provider"], row["instance_type"])
    assert carried == (identified(row).name, float(row["gpu_count"]), float(row["gpu_memory_gib"]))


def test_no_offer_is_listed_twice() -> None:
    keys = [(row["provider"], row["instance_type"], row["region"]) for row in ROWS]
    assert len(keys) == len(set(keys))


def test_no_local_zone_promotion_or_government_region_is_in_it() -> None:
    aside = re.compile(r"promo|wlz|-wl\d|-\d[a-z]$|-[a-z]{3}-\d[a-z]?$|gov|china", re.IGNORECASE)
    assert [row for row in ROWS if aside.search(row["region"]) or aside.search(row["instance_type"])] == []


def test_no_price_is_far_off_the_median_of_its_gpu() -> None:
    prices: dict[tuple[str | None, float | None], list[float]] = defaultdict(list)
    for row in ROWS:
        found = identified(row)
        prices[found.name, found.memory_gib].append(
            float(row["price_per_hour_usd"]) / float(row["gpu_count"])
        )
    for paid in prices.values():
        median = sorted(paid)[len(paid) // 2]
        assert all(median / 3 < price < median * 3 for price in paid)


def test_the_usual_gpus_are_in_it() -> None:
    have = {(found.name, found.memory_gib) for found in map(identified, ROWS)}
    usual = {
        ("A100", 40),
        ("A100", 80),
        ("H100", 80),
        ("H100NVL", 94),
        ("H200", 141),
        ("B200", 180),
        ("L4", 24),
    }
    assert usual <= have
    assert {("L40S", 48), ("A10G", 24), ("A10", 24), ("T4", 16), ("V100", 16), ("MI300X", 192)} <= have
    assert ("RTXPRO6000", 96) in have
