"""What other price comparisons get wrong and tests/mcp_server/test_compare_gpu_prices.py does not ask yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.sandbox.serve import Sandbox, running
from tests.mcp_server import market
from tests.mcp_server.market import NOON, House, figures, offer, price_list


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("vast",), now=NOON, moving=False) as made:
        yield made


async def listed(tmp_path: Path, *rows: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """The answer to a question that an own price list of these rows is asked."""
    house = market.house(tmp_path, lists=[tmp_path / "own.csv"], offline=True)
    usual = {"provider": "our-rack", "gpu_memory_gib": "", "price_per_hour_usd": 1}
    price_list(tmp_path / "own.csv", *(usual | row for row in rows))
    answer = await house.prices(**arguments)
    await house.close()
    return answer


# --- prices ---------------------------------------------------------------------------------------------


async def test_every_bid_keeps_its_own_price_and_the_lowest_is_first(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    bids = [offer(price, spot=True, offer_id=f"bid-{price}") for price in (0.9, 0.2, 0.5)]
    house.stock(*bids, gpus=("A100",))
    assert figures(await house.prices(gpu="A100", spot=True)) == [0.2, 0.5, 0.9]
    await house.close()


async def test_several_offers_of_one_machine_type_in_one_region_are_all_listed(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    alike = [offer(0.3 + n / 10, region="Texas, US", country="us", offer_id=f"t{n}") for n in range(4)]
    house.stock(*alike, gpus=("A100",))
    assert (await house.prices(gpu="A100", region="us"))["total"] == 4
    await house.close()


@pytest.mark.parametrize(("price", "count"), [(6.93, 7), (2.97, 3), (5.94, 6), (9.9, 10)])
async def test_the_same_price_per_gpu_is_a_tie_however_it_divides(
    tmp_path: Path, price: float, count: int
) -> None:
    rows = (
        {"instance_type": "one", "gpu": "H100", "price_per_hour_usd": 0.99},
        {"instance_type": "several", "gpu": "H100", "gpu_count": count, "price_per_hour_usd": price},
    )
    answer = await listed(tmp_path, *rows, gpu="H100", max_price=0.99)
    assert figures(answer, "instance_type") == ["one", "several"]
    assert figures(answer) == [0.99, 0.99]
    assert "2 offers share the lowest price of $0.99." in answer["notices"]


async def test_a_placeholder_price_is_doubted(tmp_path: Path) -> None:
    usual = [{"instance_type": f"t{n}", "gpu": "TPU v6e", "price_per_hour_usd": 2.7} for n in range(5)]
    odd = {
        "instance_type": "placeholder",
        "gpu": "TPU v6e",
        "price_per_hour_usd": 700,
        "spot_price_per_hour_usd": 700,
    }
    rows = (await listed(tmp_path, *usual, odd, gpu="TPU v6e", spot=False))["rows"]
    assert [row["instance_type"] for row in rows if row["suspect"]] == ["placeholder"]


async def test_a_machine_that_is_listed_at_two_prices_is_shown_at_both(tmp_path: Path) -> None:
    twice = [
        {"instance_type": "BM.GPU.H100.8", "gpu": "H100", "gpu_count": 8, "price_per_hour_usd": p}
        for p in (80, 36)
    ]
    assert figures(await listed(tmp_path, *twice, gpu="H100"), "usd_per_hour") == [36.0, 80.0]


async def test_a_resellers_markup_is_the_resellers_price_alone(tmp_path: Path) -> None:
    rows = [
        {"provider": seller, "gpu": "A100-80GB", "gpu_memory_gib": 80, "price_per_hour_usd": price}
        for seller, price in (("shadeform", 1.82), ("verda", 1.16))
    ]
    answer = await listed(tmp_path, *rows, gpu="A100 80GB", providers="verda,shadeform")
    assert [(row["provider"], row["usd_per_gpu_hour"]) for row in answer["rows"]] == [
        ("verda", 1.16),
        ("shadeform", 1.82),
    ]
    assert [row["suspect"] for row in answer["rows"]] == [
        None,
        "resold by shadeform: for the same verda itself asks $1.16 per GPU-hour",
    ]
    cheaper = await listed(tmp_path / "cheaper", rows[0] | {"price_per_hour_usd": 1}, rows[1])
    assert figures(cheaper, "suspect") == [None, None]


async def test_placeholders_are_doubted_whether_there_is_much_to_compare_with_or_nothing(
    tmp_path: Path,
) -> None:
    row = {"instance_type": "v6e", "gpu": "TPU v6e", "price_per_hour_usd": 700}
    alone = await listed(tmp_path / "one", row | {"spot_price_per_hour_usd": 700}, gpu="TPU v6e")
    assert [row["suspect"] for row in alone["rows"]] == [
        "$700.00 for a GPU-hour: no GPU is known to cost $100.00"
    ] * 2
    real = [{"instance_type": f"t{n}", "gpu": "H200", "price_per_hour_usd": 3.5 + n / 10} for n in range(5)]
    typed = {"instance_type": "typed in", "gpu": "H200", "price_per_hour_usd": 0.5}
    answer = await listed(tmp_path / "h", *real, typed, gpu="H200")
    assert figures(answer, "instance_type")[0] == "typed in"
    assert [row["suspect"] is None for row in answer["rows"]] == [False, *[True] * 5]
    sure = await listed(tmp_path / "sure", *real, typed, gpu="H200", exclude_suspect=True)
    assert figures(sure, "instance_type") == [f"t{n}" for n in range(5)]


GCP_HALVES = (
    {"instance_type": "a2-highgpu-1g", "price_per_hour_usd": 0.739477},
    {"instance_type": "a3-highgpu-8g", "price_per_hour_usd": 9.99},
    {"gpu": "A100-80GB", "price_per_hour_usd": 1.846},
)


@pytest.mark.parametrize("half", GCP_HALVES)
async def test_the_price_of_a_host_or_of_a_gpu_alone_is_no_machines_price(
    tmp_path: Path, half: dict[str, Any]
) -> None:
    whole = {"instance_type": "a2-highgpu-1g", "gpu": "A100 40GB", "price_per_hour_usd": 3.673}
    rows = [{"provider": "gcp", "gpu_memory_gib": ""} | row for row in (half, whole)]
    answer = await listed(tmp_path, *rows)
    assert figures(answer, "usd_per_hour") == [3.673]
    (said,) = [one["message"] for one in answer["missing"] if "own.csv" in one["message"]]
    assert "1 row left out: gcp prices machine and GPU apart" in said
    assert "line 2" in said
    # Who names both says that the price is of both; a seller who has one price need not.
    both = {"provider": "gcp", "instance_type": "a2-highgpu-1g", "gpu": "A100"} | {"price_per_hour_usd": 0.74}
    assert figures(await listed(tmp_path / "both", both)) == [0.74]
    aws = {"provider": "aws", "instance_type": "p4d.24xlarge", "gpu_count": "", "price_per_hour_usd": 24}
    assert figures(await listed(tmp_path / "aws", aws)) == [3.0]


async def test_regions_that_another_price_list_was_mixed_into_are_doubted(tmp_path: Path) -> None:
    usual = {"provider": "gcp", "instance_type": "a3-highgpu-1g", "gpu": "H100"}
    rows = [
        usual | {"region": region, "price_per_hour_usd": price}
        for region, price in (
            ("us-central1", 4.20),
            ("europe-west1", 10.79),
            ("europe-west4", 12.74),
            ("asia-east1", 10.5),
        )
    ]
    answer = await listed(tmp_path, *rows, gpu="H100")
    assert [row["region"] for row in answer["rows"] if row["suspect"]] == ["us-central1"]
    assert answer["rows"][0]["suspect"] == (
        "less than half of $10.64, the median of 4 regions for a3-highgpu-1g at gcp"
    )


async def test_a_spot_price_above_on_demand_is_doubted_with_that_price(tmp_path: Path) -> None:
    row = {"provider": "gcp", "instance_type": "a2-ultragpu-1g", "gpu": "A100 80GB", "region": "us-central1"}
    prices = {"price_per_hour_usd": 1.846, "spot_price_per_hour_usd": 1.964}
    told = (await listed(tmp_path, row | prices, gpu="A100"))["rows"]
    assert [(one["spot"], one["suspect"]) for one in told] == [
        (False, None),
        (True, "spot price above the seller's own on-demand price of $1.85 an hour"),
    ]


async def test_a_figure_that_was_typed_into_a_list_is_doubted_beside_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    house = market.house(tmp_path, offline=True, lists=[file])
    row = {"provider": "our-rack", "gpu": "A100", "gpu_memory_gib": 80}
    for price, reason in ((2, None), (0.8, "less than half of $2.00, the lowest price here")):
        price_list(file, row | {"price_per_hour_usd": price})
        (shown,) = (await house.prices(gpu="A100"))["rows"]
        assert (shown["suspect"] or "").startswith(reason or "")
        assert (shown["suspect"] is None) is (reason is None)
        house.clock.move(3600)
    await house.close()


async def test_the_median_is_never_shown_for_the_cheapest_and_a_lone_dear_offer_is_kept(
    tmp_path: Path,
) -> None:
    rows = [
        {"provider": "vast", "instance_type": f"t{n}", "gpu": "RTX 4090", "price_per_hour_usd": price}
        for n, price in enumerate((0.43, 0.30, 0.61, 1.9))
    ]
    assert figures(await listed(tmp_path, *rows, gpu="4090")) == [0.30, 0.43, 0.61, 1.9]


# --- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "sold_as"),
    [
        ("RTX 3090", {"RTX 3090"}),
        ("RTX 3090 Ti", {"RTX 3090 Ti"}),
        ("RTX 4080", {"RTX 4080"}),
        ("RTX 4080 Super", {"RTX 4080S"}),
        ("RTX 4070 Ti", {"RTX 4070 Ti"}),
        ("RTX 4070 Ti Super", {"RTX 4070S Ti"}),
        ("RTX 4090", {"RTX 4090"}),
        ("RTX 4090D", {"RTX 4090D"}),
        ("A100", {"A100 SXM4", "A100 PCIE"}),
        ("A100X", {"A100X"}),
        ("A800", {"A800 PCIE"}),
        ("H200", {"H200"}),
        ("L40", {"L40"}),
        ("L4", {"L4"}),
    ],
)
async def test_a_card_at_vast_is_no_other_card_with_a_longer_name(
    tmp_path: Path, sandbox: Sandbox, asked: str, sold_as: set[str]
) -> None:
    house = market.house(tmp_path, config=sandbox.config())
    assert set(figures(await house.prices(gpu=asked, limit=500), "gpu_raw")) == sold_as
    await house.close()


@pytest.mark.parametrize(("asked", "other"), [("A10", "A10G"), ("L40", "L40S"), ("T4", "T4G"), ("L4", "L40")])
async def test_a_letter_more_is_another_card_in_a_list_too(tmp_path: Path, asked: str, other: str) -> None:
    rows = [{"gpu": name, "price_per_hour_usd": 1} for name in (asked, other)]
    assert figures(await listed(tmp_path, *rows, gpu=asked), "gpu_raw") == [asked]
    assert figures(await listed(tmp_path / "other", *rows, gpu=other), "gpu_raw") == [other]


async def test_a_bridge_or_a_network_in_the_name_makes_no_h100_nvl(tmp_path: Path) -> None:
    rows = [{"gpu": name, "gpu_memory_gib": 80} for name in ("H100-NVLINK", "H100-MEGA")]
    assert figures(await listed(tmp_path, *rows, gpu="H100"), "gpu") == ["H100", "H100"]


@pytest.mark.parametrize(
    ("instance_type", "gpu", "count"),
    [
        ("g7e.2xlarge", "RTXPRO6000", 1),
        ("g6e.xlarge", "L40S", 1),
        ("g6f.large", "L4", 0.125),
        ("g5g.xlarge", "T4G", 1),
        ("p5e.48xlarge", "H200", 8),
        ("p6e-gb200.36xlarge", "GB200", 4),
    ],
)
async def test_an_aws_type_has_the_gpus_that_are_in_it(
    tmp_path: Path, instance_type: str, gpu: str, count: float
) -> None:
    row = {"provider": "aws", "instance_type": instance_type, "gpu_count": ""}
    (found,) = (await listed(tmp_path, row, instance_type=instance_type, fractional=True))["rows"]
    assert (found["gpu"], found["gpu_count"], found["fractional"]) == (gpu, count, count < 1)


@pytest.mark.parametrize("gpu", ["B300", "MI325X", "RTX PRO 4500", "TPU v6e", "Trainium2"])
async def test_a_new_kind_of_chip_is_not_left_out(tmp_path: Path, gpu: str) -> None:
    (row,) = (await listed(tmp_path, {"provider": "runpod", "gpu": gpu}, gpu=gpu))["rows"]
    assert (row["gpu_raw"], row["usd_per_gpu_hour"]) == (gpu, 1.0)
    assert row["gpu_memory_gib"] != 0


# --- memory ---------------------------------------------------------------------------------------------

POOLED = (
    {"gpu": "H100", "gpu_count": 8, "gpu_memory_gib": 640, "price_per_hour_usd": 24},
    {"gpu": "MI300X", "gpu_count": 8, "gpu_memory_gib": 1536, "price_per_hour_usd": 16},
    {"gpu": "B300", "gpu_count": 8, "gpu_memory_gib": 17280, "price_per_hour_usd": 44},
    {"gpu": "A100", "gpu_count": 2, "gpu_memory_gib": 160, "price_per_hour_usd": 3},
)


async def test_the_memory_of_all_gpus_in_a_list_is_not_taken_for_that_of_one(tmp_path: Path) -> None:
    everything = await listed(tmp_path / "all", *POOLED)
    assert [(row["gpu"], row["gpu_memory_gib"]) for row in everything["rows"]] == [
        ("A100", 80.0),
        ("MI300X", 192.0),
        ("H100", 80.0),
        ("B300", 270.0),
    ]
    (said,) = [one["message"] for one in everything["missing"] if "memory" in one["message"]]
    assert "4 rows" in said
    assert figures(await listed(tmp_path / "big", *POOLED, min_memory=100), "gpu") == ["MI300X", "B300"]
    assert figures(await listed(tmp_path / "h", *POOLED, gpu="H100", count=8), "gpu_memory_gib") == [80.0]


async def test_an_altered_board_is_not_taken_for_two_usual_ones(tmp_path: Path) -> None:
    row = {"gpu": "RTX 4090", "gpu_count": 2, "gpu_memory_gib": 48}
    assert figures(await listed(tmp_path, row, gpu="4090 48GB"), "gpu_memory_gib") == [48.0]
    assert (await listed(tmp_path / "usual", row, gpu="4090"))["rows"] == []


async def test_a_memory_that_is_not_told_is_the_makers_and_costs_nobody_else_his(tmp_path: Path) -> None:
    rows = (
        {"gpu": "L40S", "gpu_memory_gib": 0},
        {"gpu": "A40", "gpu_memory_gib": "about 48"},
        {"gpu": "RTX A6000", "gpu_memory_gib": 48},
    )
    answer = await listed(tmp_path, *rows)
    assert sorted((row["gpu"], row["gpu_memory_gib"]) for row in answer["rows"]) == [
        ("L40S", 48.0),
        ("RTXA6000", 48.0),
    ]
    assert any("1 row left out" in one["message"] for one in answer["missing"])


# --- stock and age --------------------------------------------------------------------------------------


async def test_a_list_never_says_that_a_machine_is_to_be_had(tmp_path: Path) -> None:
    everywhere = [{"gpu": "A100", "region": region} for region in ("us-east-1", "us-west-1", "me-west-1")]
    assert figures(await listed(tmp_path / "any", *everywhere, gpu="A100"), "available") == [None] * 3
    assert (await listed(tmp_path / "sure", *everywhere, gpu="A100", available=True))["rows"] == []


async def test_a_refresh_that_failed_does_not_make_old_prices_young(tmp_path: Path, sandbox: Sandbox) -> None:
    house = market.house(tmp_path, config=sandbox.config())
    read = figures(await house.prices(gpu="T4", spot=False), "fetched_at")
    house.clock.move(400)
    sandbox.fault("vast", "503")
    try:
        for _ in range(2):
            house.clock.move(60)
            failed = await house.prices(gpu="T4", spot=False)
            assert figures(failed, "fetched_at") == read
            assert set(figures(failed, "source")) == {"stale"}
            assert datetime.fromisoformat(failed["as_of"]) < NOON + timedelta(seconds=400)
            assert failed["missing"]
    finally:
        sandbox.calm()
    house.clock.move(120)
    assert set(figures(await house.prices(gpu="T4", spot=False), "source")) == {"sandbox"}
    await house.close()


async def test_a_list_that_changed_is_read_again_with_the_next_question(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    house: House = market.house(tmp_path, offline=True, lists=[file])
    row = {"provider": "our-rack", "gpu": "A100", "gpu_memory_gib": 80}
    for price in (2, 1.25):
        price_list(file, row | {"price_per_hour_usd": price})
        assert figures(await house.prices(gpu="A100")) == [price]
    await house.close()
