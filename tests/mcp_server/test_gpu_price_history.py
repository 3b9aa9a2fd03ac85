"""gpu_price_history over stores whose past is written here; expected figures are worked out by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.models import GpuOffer, PriceQuery, Scope
from cloudtop.sandbox.serve import Sandbox, running
from tests.mcp_server import market
from tests.mcp_server.market import NOON, House, figures, offer, price_list

TOOL = "gpu_price_history"
A100 = ("A100",)
DAY = timedelta(days=1)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = market.house(tmp_path)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(now=NOON, moving=False) as running_one:
        yield running_one


def days_ago(house: House, days: float, *offers: GpuOffer, gpus: tuple[str, ...] = A100) -> None:
    """What Vast.ai told so many days before noon."""
    house.clock.at = NOON - days * DAY
    house.stock(*offers, gpus=gpus)
    house.clock.at = NOON


def here(usd: float, **told: Any) -> GpuOffer:
    """An offer of the one series that most of these tests have."""
    return offer(usd, region="x", **told)


def twelve_days(house: House) -> None:
    """$1.00 for 3 days, $0.80 for 6, $0.60 for 2, and $0.70 since yesterday."""
    for days, usd in ((12, 1.0), (9, 0.8), (3, 0.6), (1, 0.7), (0, 0.7)):
        days_ago(house, days, here(usd))


async def asked(house: House, **arguments: Any) -> dict[str, Any]:
    answer = await house.call(TOOL, **{"gpu": "A100", **arguments})
    assert "error" not in answer, answer
    return answer


async def refused(house: House, **arguments: Any) -> dict[str, Any]:
    answer = await house.call(TOOL, **{"gpu": "A100", **arguments})
    error: dict[str, Any] = answer["error"]
    return error


def ago(days: float) -> str:
    return (NOON - days * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- points ---------------------------------------------------------------------------------------------


async def test_rows_are_the_points_in_force_the_newest_first(house: House) -> None:
    twelve_days(house)
    answer = await asked(house)
    assert [(row["time"], row["until"], row["usd_per_gpu_hour_min"]) for row in answer["rows"]] == [
        (ago(1), ago(0), 0.7),
        (ago(3), ago(1), 0.6),
        (ago(9), ago(3), 0.8),
        (ago(12), ago(9), 1.0),
    ]
    assert answer["total"] == 4
    assert answer["applied"] == {"gpu": ["A100"], "time": f"{ago(30)}/{ago(0)}"}


async def test_a_point_has_every_field_that_a_row_must_have(house: House) -> None:
    days_ago(house, 0, here(4.0, gpu_count=2.0, tier="secure", spot=True))
    (row,) = (await asked(house))["rows"]
    assert row == {
        "provider": "vast",
        "account": "public",
        "gpu": "A100",
        "gpu_memory_gib": 80.0,
        "region": "x",
        "tier": "secure",
        "spot": True,
        "time": ago(0),
        "until": ago(0),
        "usd_per_gpu_hour_min": 2.0,
        "usd_per_gpu_hour_median": 2.0,
        "offers": 1,
        "source": "live",
        "fetched_at": ago(0),
    }


async def test_a_point_that_began_before_the_time_is_in_it_while_it_held(house: House) -> None:
    twelve_days(house)
    answer = await asked(house, time="2026-11-12/2026-11-16")
    assert figures(answer, "usd_per_gpu_hour_min") == [0.8]
    assert answer["sources"] == []
    assert figures(answer, "until") == [ago(3)]


async def test_sold_out_is_a_point_without_a_price(house: House) -> None:
    days_ago(house, 5, here(1.0))
    days_ago(house, 2)
    rows = (await asked(house))["rows"]
    assert [(row["usd_per_gpu_hour_min"], row["offers"]) for row in rows] == [(None, 0), (1.0, 1)]


async def test_filters_and_order_are_applied(house: House) -> None:
    days_ago(
        house,
        1,
        offer(1.0, region="us-east-1", seller="aws"),
        offer(2.0, region="eu-central-1", seller="aws", tier="secure"),
        offer(3.0, spot=True),
        offer(0.5, gpu_memory_gib=40.0),
        offer(9.0, gpu="H100"),
        gpus=(),
    )

    async def prices(**arguments: Any) -> list[Any]:
        return figures(await asked(house, sort="price_asc", **arguments), "usd_per_gpu_hour_min")

    assert await prices() == [0.5, 1.0, 2.0, 3.0]
    assert await prices(memory=80) == [1.0, 2.0, 3.0]
    assert await prices(gpu="A100 40GB") == [0.5]
    assert await prices(gpu=["A100", "H100"]) == [0.5, 1.0, 2.0, 3.0, 9.0]
    assert await prices(region="eu") == [2.0]
    assert await prices(providers="amazon") == [1.0, 2.0]
    assert await prices(spot=True) == [3.0]
    assert await prices(tier="marketplace") == []
    assert await prices(limit=2) == [0.5, 1.0]
    by_seller = await asked(house, sort="provider_desc")
    assert figures(by_seller, "provider") == ["vast", "vast", "aws", "aws"]


async def test_without_a_gpu_the_history_is_of_all(house: House) -> None:
    days_ago(house, 1, here(1.0), offer(2.0, gpu="H100"), gpus=())
    answer = await house.call(TOOL)
    assert sorted(figures(answer, "gpu")) == ["A100", "H100"]


async def test_a_board_with_another_memory_is_not_the_makers(house: House) -> None:
    board = offer(0.2, "RTX4090", gpu_memory_gib=48.0, modified=True)
    days_ago(house, 1, board, offer(0.4, "RTX4090", gpu_memory_gib=24.0), gpus=("RTX4090",))
    assert figures(await asked(house, gpu="4090"), "gpu_memory_gib") == [24.0]
    assert figures(await asked(house, gpu="4090", memory=48), "gpu_memory_gib") == [48.0]


async def test_pages_join_to_the_whole(house: House) -> None:
    twelve_days(house)
    whole = (await asked(house))["rows"]
    first = await asked(house, limit=3)
    second = await asked(house, limit=3, cursor=first["next_cursor"])
    assert [*first["rows"], *second["rows"]] == whole
    assert second["next_cursor"] is None


# --- who tells ------------------------------------------------------------------------------------------


async def test_the_last_point_is_todays_because_the_cloud_is_asked_first(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    house = market.house(tmp_path, config=sandbox.config())
    answer = await asked(house, gpu="H100", providers="vast")
    assert answer["rows"]
    assert {row["source"] for row in answer["rows"]} == {"sandbox"}
    assert {row["until"] for row in answer["rows"]} == {ago(0)}
    await house.close()


async def test_what_was_recorded_of_a_sandbox_is_not_the_clouds_own_past(house: House) -> None:
    (scope,) = house.fleet.connector("vast").price_scopes(PriceQuery(A100, False))  # type: ignore[attr-defined]
    made_up = Scope("vast", query=scope.query.replace("{", '{"endpoint":"127.0.0.1",', 1))
    house.store.replace_offers(made_up, [here(0.01)], fetched_at=NOON - DAY, complete=True)
    days_ago(house, 1, here(1.0))
    days_ago(house, 0, here(1.0))
    for answer in (await asked(house), await house.prices(gpu="A100", time="last_7d")):
        assert figures(answer, "usd_per_gpu_hour_min") == [1.0]
        assert figures(answer, "source") == ["live"]


async def test_rows_of_a_price_list_say_so_and_what_their_time_is(tmp_path: Path) -> None:
    row = {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2}
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", row)])
    answer = await asked(house, providers="aws")
    assert figures(answer, "source") == ["list"]
    assert any("time is when the list was read" in said for said in answer["notices"])
    assert any("at Amazon Web Services, by a price list, now $2.00" in said for said in answer["notices"]), (
        answer
    )
    await house.close()


async def test_a_time_that_is_over_asks_nobody(tmp_path: Path) -> None:
    nowhere = {"providers": {"vast": {"options": {"endpoint": "http://127.0.0.1:9"}}}}
    house = market.house(tmp_path, config=nowhere)
    assert (await asked(house, time="2026-11-01/2026-11-05"))["missing"] == []
    assert (await asked(house))["missing"][0]["provider"] == "vast"
    await house.close()


async def test_what_could_not_be_asked_again_ends_where_it_was_last_seen(tmp_path: Path) -> None:
    house = market.house(tmp_path, offline=True)
    days_ago(house, 9, here(1.0))
    days_ago(house, 4, here(1.0))
    answer = await asked(house, group_by="series")
    (row,) = answer["rows"]
    assert (row["last_at"], row["days_covered_30d"], row["source"]) == (ago(4), 5.0, "stale")
    points = await asked(house)
    assert figures(points, "until") == [ago(4)]
    assert any(f"as of {ago(4)} $1.00/GPU-hour" in said for said in points["notices"])
    await house.close()


# --- groups ---------------------------------------------------------------------------------------------


async def test_a_series_says_what_changed_and_how_good_its_price_is(house: House) -> None:
    twelve_days(house)
    (row,) = (await asked(house, group_by="series"))["rows"]
    assert row == {
        "group": "vast A100 80 GB x on-demand",
        "count": 1,
        "min": 0.6,
        "median": 0.8,
        "max": 1.0,
        "first": 1.0,
        "last": 0.7,
        "delta": -0.3,
        "delta_percent": -30.0,
        "change": "down",
        "changes": 3,
        "percentile_30d": 16.7,  # 2 of 12 days at 0.60
        "cheaper_than_30d": 75.0,  # 9 of 12 days at 0.80 and 1.00
        "days_covered_30d": 12.0,
        "percentile_90d": 16.7,
        "cheaper_than_90d": 75.0,
        "days_covered_90d": 12.0,
        "last_at": ago(0),
        "provider": "vast",
        "account": "public",
        "gpu": "A100",
        "gpu_memory_gib": 80.0,
        "region": "x",
        "tier": None,
        "spot": False,
        "source": "live",
        "fetched_at": ago(0),
    }


async def test_windows_of_30_and_90_days_are_weighed_by_how_long_each_price_held(house: House) -> None:
    for days, usd in ((200, 5.0), (60, 2.0), (15, 4.0), (6, 3.0), (0, 3.0)):
        days_ago(house, days, here(usd))
    (row,) = (await asked(house, group_by="gpu", time="last_7d"))["rows"]
    # The last 30 days: 15 at 2, 9 at 4, 6 at 3. The last 90: 30 at 5, 45 at 2, 9 at 4, 6 at 3.
    assert (row["percentile_30d"], row["cheaper_than_30d"], row["days_covered_30d"]) == (50.0, 30.0, 30.0)
    assert (row["percentile_90d"], row["cheaper_than_90d"], row["days_covered_90d"]) == (50.0, 43.3, 90.0)
    assert (row["first"], row["last"], row["change"], row["changes"]) == (4.0, 3.0, "down", 1)


async def test_time_in_which_nothing_was_left_is_not_covered(house: House) -> None:
    days_ago(house, 10, here(1.0))
    days_ago(house, 6)
    days_ago(house, 2, here(2.0))
    days_ago(house, 0, here(2.0))
    (row,) = (await asked(house, group_by="series"))["rows"]
    assert (row["days_covered_30d"], row["percentile_30d"], row["changes"]) == (6.0, 66.7, 2)
    (back,) = (await asked(house, group_by="series", time="last_5d"))["rows"]
    assert (back["change"], back["first"], back["last"]) == ("back", 2.0, 2.0)


async def test_a_group_is_as_cheap_as_its_cheapest_series_at_any_moment(house: House) -> None:
    one, two = here(1.0), offer(2.0, region="y", tier="secure")
    days_ago(house, 10, one, two)
    days_ago(house, 8, here(3.0), two)
    days_ago(house, 4, here(3.0), offer(1.5, region="y", tier="secure"))
    days_ago(house, 0, here(3.0), offer(1.5, region="y", tier="secure"))
    (row,) = (await asked(house, group_by="gpu"))["rows"]
    # $1.00 for 2 days, $2.00 for 4, $1.50 for 4.
    assert (row["group"], row["count"]) == ("A100", 2)
    assert (row["min"], row["median"], row["max"]) == (1.0, 1.5, 2.0)
    assert (row["first"], row["last"], row["change"], row["delta_percent"]) == (1.0, 1.5, "up", 50.0)
    assert (row["percentile_30d"], row["cheaper_than_30d"]) == (20.0, 40.0)
    assert (row["region"], row["tier"]) == ("y", "secure")


async def test_sold_out_and_new_series_are_told(house: House) -> None:
    days_ago(house, 20, here(1.0), offer(2.0, region="y"))
    days_ago(house, 2, here(1.0), offer(3.0, region="z"))
    days_ago(house, 0, here(1.0), offer(3.0, region="z"))
    answer = await asked(house, group_by="series", time="last_7d")
    told = {row["region"]: (row["change"], row["first"], row["last"]) for row in answer["rows"]}
    assert told == {"x": ("same", 1.0, 1.0), "y": ("sold_out", 2.0, None), "z": ("new", 3.0, 3.0)}
    assert "3 series in that time: 1 changed, 1 new, 1 sold out." in answer["notices"]


async def test_what_the_first_look_found_is_not_called_new(house: House) -> None:
    days_ago(house, 2, here(1.0))
    days_ago(house, 0, here(1.0))
    (row,) = (await asked(house, group_by="series"))["rows"]
    assert row["change"] == "same"


@pytest.mark.parametrize(
    ("group_by", "names"),
    [
        ("provider", ["vast", "aws"]),
        ("region", ["x", "y"]),
        ("spot", ["spot", "on-demand"]),
        ("tier", [None, "secure"]),
        ("gpu", ["A100"]),
    ],
)
async def test_series_are_put_together_by_what_is_asked(
    house: House, group_by: str, names: list[Any]
) -> None:
    days_ago(house, 1, here(1.0, spot=True), offer(2.0, region="y", seller="aws", tier="secure"))
    days_ago(house, 0, here(1.0, spot=True), offer(2.0, region="y", seller="aws", tier="secure"))
    assert figures(await asked(house, group_by=group_by), "group") == names


@pytest.mark.parametrize(
    ("sort", "regions"),
    [
        (None, ["b", "a", "c"]),
        ("price_desc", ["a", "b", "c"]),
        ("delta_desc", ["b", "a", "c"]),
        ("group_desc", ["c", "b", "a"]),
        ("median", ["c", "b", "a"]),
    ],
)
async def test_groups_come_in_the_asked_order_what_is_unknown_last(
    house: House, sort: str | None, regions: list[str]
) -> None:
    days_ago(house, 9, offer(3.0, region="a"), offer(1.0, region="b"), offer(0.5, region="c"))
    days_ago(house, 1, offer(2.5, region="a"), offer(1.5, region="b"))
    days_ago(house, 0, offer(2.5, region="a"), offer(1.5, region="b"))
    given = {} if sort is None else {"sort": sort}
    assert figures(await asked(house, group_by="series", **given), "region") == regions
    first = await asked(house, group_by="series", limit=2, **given)
    rest = await asked(house, group_by="series", limit=2, cursor=first["next_cursor"], **given)
    assert [*figures(first, "region"), *figures(rest, "region")] == regions
    assert first["total"] == rest["total"] == 3


# --- in words -------------------------------------------------------------------------------------------


async def test_how_good_todays_price_is_is_said_with_what_is_covered(house: House) -> None:
    twelve_days(house)
    assert (
        "A100 80 GB on-demand at Vast.ai now $0.70/GPU-hour: cheaper than 75 % of the last 30 days"
        " (12 days of history here)."
    ) in (await asked(house))["notices"]


async def test_ninety_days_are_spoken_of_only_when_they_show_more(house: House) -> None:
    for days, usd in ((50, 1.0), (20, 2.0), (10, 1.5), (0, 1.5)):
        days_ago(house, days, here(usd))
    assert (await asked(house))["notices"][0].endswith(
        "cheaper than 33 % of the last 30 days;"
        " dearer than 60 % of the last 90 days (50 days of history here)."
    )


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (((0.1, 1.0), (0, 1.0)), "2 hours of history here, too little to judge it"),
        (((0, 1.0),), "less than an hour of history here, too little to judge it"),
        (((2, 1.0), (0, 1.0)), "the same all through the last 30 days (2 days of history here)"),
        (((4, 1.0), (1, 2.0), (0, 2.0)), "dearer than 75 % of the last 30 days (4 days of history here)"),
        (((40, 1.0), (0.01, 0.5), (0, 0.5)), "cheaper than 99 % of the last 30 days; cheaper than 99 %"),
    ],
)
async def test_a_judgement_says_no_more_than_is_known(
    house: House, past: tuple[tuple[float, float], ...], said: str
) -> None:
    for days, usd in past:
        days_ago(house, days, here(usd))
    assert said in (await asked(house))["notices"][0]


async def test_of_several_gpus_the_cheapest_seller_of_each_is_judged(house: House) -> None:
    days_ago(house, 2, here(1.0), offer(3.0, gpu="H100"), offer(4.0, gpu="H100", seller="aws"), gpus=())
    days_ago(house, 0, here(1.0), offer(3.0, gpu="H100"), offer(4.0, gpu="H100", seller="aws"), gpus=())
    notices = (await asked(house, gpu=["A100", "H100"]))["notices"]
    assert [said.split(":")[0] for said in notices] == [
        "A100 80 GB on-demand at Vast.ai now $1.00/GPU-hour",
        "H100 80 GB on-demand at Vast.ai now $3.00/GPU-hour",
        "3 series in that time",
    ]


async def test_why_nothing_was_found_is_said(house: House) -> None:
    assert (await asked(house))["notices"] == [
        "No prices of that time are recorded: the history begins with the first question asked."
    ]
    days_ago(house, 1, here(1.0))
    other = await asked(house, gpu="H200")
    assert (
        "No price of these GPUs is recorded for that time; without them there would be 1 series."
        in other["notices"]
    )
    filtered = await asked(house, spot=True)
    assert any(
        said.startswith("No recorded price of that time matches all filters") for said in filtered["notices"]
    )


async def test_a_place_that_nobody_knows_is_told(house: House) -> None:
    assert any("'narnia'" in said for said in (await asked(house, region="narnia"))["notices"])


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"gpu": "A1000"}, "gpu"),
        ({"time": "tomorrow"}, "time"),
        ({"group_by": "colour"}, "group_by"),
        ({"sort": "vcpus"}, "sort"),
        ({"sort": "min", "group_by": None}, "sort"),
        ({"providers": "nobody"}, "providers"),
        ({"max_price": 2}, "max_price"),
    ],
)
async def test_what_it_cannot_do_is_refused_by_name(
    house: House, arguments: dict[str, Any], argument: str
) -> None:
    assert (await refused(house, **arguments))["argument"] == argument


async def test_fields_and_the_next_page_are_those_of_every_tool(house: House) -> None:
    twelve_days(house)
    answer = await asked(house, fields=["time", "usd_per_gpu_hour_min"], sort="oldest", limit=1)
    assert answer["rows"] == [{"time": ago(12), "usd_per_gpu_hour_min": 1.0}]


async def test_the_clock_of_the_question_decides_what_is_past(house: House) -> None:
    twelve_days(house)
    outcome = await house.runtime.call(TOOL, {"gpu": "A100"}, now=datetime(2026, 11, 18, 12, tzinfo=UTC))
    assert [row["usd_per_gpu_hour_min"] for row in outcome.structured["rows"]] == [0.6, 0.8, 1.0]


async def test_a_seller_that_is_asked_for_the_first_time_does_not_move_the_market(tmp_path: Path) -> None:
    cheap = {"provider": "lambda", "gpu": "A100", "gpu_memory_gib": 80, "price_per_hour_usd": 0.3}
    made = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", cheap)])
    twelve_days(made)
    (row,) = (await asked(made, group_by="gpu"))["rows"]
    assert (row["provider"], row["last"], row["count"]) == ("lambda", 0.3, 2)
    assert (row["first"], row["delta"], row["change"]) == (1.0, pytest.approx(-0.3), "down")
    assert row["cheaper_than_30d"] == 100.0
    await made.close()


async def test_sellers_read_one_after_the_other_on_the_first_day_are_no_fall_in_price(tmp_path: Path) -> None:
    cheap = {"provider": "lambda", "gpu": "A100", "gpu_memory_gib": 80, "price_per_hour_usd": 0.3}
    made = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", cheap)])
    days_ago(made, 60 / 86_400, here(1.0))
    (row,) = (await asked(made, group_by="gpu"))["rows"]
    assert (row["first"], row["last"], row["delta"], row["change"]) == (None, 0.3, None, "same")
    assert row["changes"] == 0
    await made.close()
