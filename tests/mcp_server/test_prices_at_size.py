"""Ranking over some three thousand public prices, against answers worked out straight from the file.

The file is not part of the project: it is looked for beside the checkout, and its absence is said.
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.mcp_server import market
from tests.mcp_server.market import House, figures

FILE = Path(__file__).parents[3] / "shared" / "data" / "list_prices.csv"
COLUMNS = {"gpu": "gpu_canonical", "gpu_memory_gib": "gpu_memory_gib_each"}

pytestmark = [
    pytest.mark.skipif(
        not FILE.is_file(), reason="the list of public prices does not lie beside the checkout"
    ),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    config = {"providers": {"pricelist": {"options": {"columns": COLUMNS}}, "vast": {"enabled": False}}}
    made = market.house(tmp_path_factory.mktemp("home"), config=config, lists=[FILE])
    yield made
    await made.close()


def worked_out(
    *canonical: str,
    spot: bool | None = None,
    provider: str | None = None,
    count: int | None = None,
    min_count: int | None = None,
    region: str | None = None,
    min_memory: float | None = None,
    min_total_memory: float | None = None,
    max_price: float | None = None,
    fractional: bool = False,
    altered: bool = False,
) -> list[float]:
    """Prices per GPU-hour, cheapest first; nothing of cloudtop is used."""
    found = []
    with FILE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            gpus, memory = float(row["gpu_count"]), float(row["gpu_memory_gib_each"])
            if canonical and row["gpu_canonical"] not in canonical:
                continue
            if provider not in (None, row["provider"]) or region not in (None, row["region"]):
                continue
            if count not in (None, gpus) or gpus < (min_count or 0) or (gpus % 1 and not fractional):
                continue
            if memory < (min_memory or 0) or memory * gpus < (min_total_memory or 0):
                continue
            if "modified" in row["note"] and not altered:
                continue
            for column, is_spot in (("price_per_hour_usd", False), ("spot_price_per_hour_usd", True)):
                price = float(row[column] or 0)
                bound = price if max(count or 0, min_count or 0) >= 2 else price / gpus
                if price and spot in (None, is_spot) and bound <= (max_price or 1e9):
                    found.append(price / gpus)
    return sorted(found)


MODELS = {
    "A100": ("A100-40GB", "A100-80GB"),
    "a100 80gb": ("A100-80GB",),
    "A100 40GB": ("A100-40GB",),
    "H100": ("H100", "H100-NVL"),
    "h100 nvl": ("H100-NVL",),
    "H200": ("H200",),
    "B200": ("B200",),
    "B300": ("B300",),
    "GB200": ("GB200",),
    "GB300": ("GB300",),
    "GH200": ("GH200-96GB",),
    "L4": ("L4",),
    "L40": ("L40",),
    "L40S": ("L40S",),
    "A10": ("A10",),
    "A10G": ("A10G",),
    "A16": ("A16",),
    "A30": ("A30",),
    "A40": ("A40",),
    "T4": ("T4",),
    "T4G": ("T4G",),
    "V100": ("V100-16GB", "V100-32GB"),
    "V100 32GB": ("V100-32GB",),
    "4090": ("RTX-4090",),
    "RTX 5090": ("RTX-5090",),
    "3090": ("RTX-3090",),
    "a6000": ("RTX-A6000",),
    "rtx 6000": ("RTX-6000-Ada", "Quadro-RTX-6000"),
    "6000 ada": ("RTX-6000-Ada",),
    "rtx pro 6000": ("RTX-PRO-6000",),
    "RTX A4000": ("RTX-A4000",),
    "rtx a5000": ("RTX-A5000",),
    "MI300X": ("MI300X",),
    "MI355X": ("MI355X",),
    "mi25": ("MI25",),
    "P100": ("P100",),
    "K80": ("K80",),
    "M60": ("M60",),
    "Trainium": ("Trainium",),
    "Inferentia2": ("Inferentia2",),
    "Radeon Pro V520": ("Radeon-Pro-V520",),
}


@pytest.mark.parametrize("text", MODELS)
async def test_the_twenty_cheapest_of_a_model_are_those_of_the_file(house: House, text: str) -> None:
    expected = worked_out(*MODELS[text])
    answer = await house.prices(gpu=text)
    assert answer["total"] == len(expected) > 0
    assert figures(answer) == [pytest.approx(price) for price in expected[:20]]


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("A100", {"spot": True}),
        ("A100", {"spot": False}),
        ("A100", {"spot": False, "count": 8}),
        ("A100", {"provider": "aws"}),
        ("A100", {"provider": "azure", "spot": False}),
        ("A100", {"provider": "lambda", "count": 8}),
        ("A100", {"count": 8, "max_price": 12}),
        ("A100", {"max_price": 1.2}),
        ("a100 80gb", {"count": 8, "provider": "verda"}),
        ("H100", {"spot": False, "min_count": 2}),
        ("H100", {"provider": "nebius"}),
        ("H100", {"provider": "gcp", "spot": True}),
        ("H100", {"region": "us-west-2"}),
        ("H100", {"min_memory": 90}),
        ("V100", {"min_memory": 32}),
        ("L40S", {"count": 4}),
        ("L40S", {"provider": "shadeform"}),
        ("T4", {"region": "eu-central-1", "spot": False}),
        ("A10", {"fractional": True}),
        ("A10", {"fractional": True, "provider": "azure", "max_price": 3.5}),
        ("L4", {"min_total_memory": 96}),
    ],
)
async def test_filters_leave_what_the_file_says(house: House, text: str, filters: dict[str, Any]) -> None:
    expected = worked_out(*MODELS[text], **filters)
    asked = {("providers" if name == "provider" else name): value for name, value in filters.items()}
    answer = await house.prices(gpu=text, **asked)
    assert answer["total"] == len(expected) > 0
    assert figures(answer) == [pytest.approx(price) for price in expected[:20]]


@pytest.mark.parametrize(
    "filters",
    [
        {"min_memory": 32, "max_price": 1.2, "spot": True},
        {"min_memory": 100},
        {"min_total_memory": 640, "spot": False},
        {"provider": "runpod"},
        {"count": 8, "max_price": 10},
    ],
)
async def test_questions_without_a_model_take_all_of_them(house: House, filters: dict[str, Any]) -> None:
    expected = worked_out(altered="min_memory" in filters, **filters)
    asked = {("providers" if name == "provider" else name): value for name, value in filters.items()}
    answer = await house.prices(**asked)
    assert answer["total"] == len(expected) > 0
    assert figures(answer) == [pytest.approx(price) for price in expected[:20]]


async def test_the_dearest_come_first_when_asked_for(house: House) -> None:
    expected = worked_out("H100", "H100-NVL")[::-1]
    assert figures(await house.prices(gpu="H100", sort="price_desc")) == [
        pytest.approx(price) for price in expected[:20]
    ]


async def test_the_cheapest_of_each_seller_is_the_files(house: House) -> None:
    answer = await house.prices(gpu="A100", group_by="provider", limit=50)
    for row in answer["rows"]:
        expected = worked_out("A100-40GB", "A100-80GB", provider=row["group"])
        assert (row["count"], row["min"]) == (len(expected), pytest.approx(expected[0]))


async def test_the_altered_4090_is_found_by_its_memory_alone(house: House) -> None:
    assert figures(await house.prices(gpu="4090", memory=48), "region") == ["Hong Kong, HK, AS"]
    assert 48.0 not in figures(await house.prices(gpu="4090", limit=100), "gpu_memory_gib")


async def test_prices_ten_times_off_the_median_are_marked_and_stay_on_top(house: House) -> None:
    expected = worked_out("V100-16GB", spot=False)
    middle = statistics.median(expected)
    doubtful = [price < middle / 10 or price > middle * 10 for price in expected[:20]]
    answer = await house.prices(gpu="V100 16GB", spot=False)
    assert [row["suspect"] is not None for row in answer["rows"]] == doubtful
    assert sum(doubtful) == 5
