"""The made-up market holds what tests and the demo look for."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from cloudtop.sandbox.clouds import vast
from cloudtop.sandbox.vast_market import FILE, market, print_table

ALWAYS = {"id", "gpu_name", "num_gpus", "rented"}
EUROPE = {
    "DE",
    "FI",
    "FR",
    "NO",
    "IS",
    "GB",
    "PL",
    "CH",
    "BG",
    "EE",
    "SE",
    "ES",
    "NL",
    "CZ",
    "RO",
    "IT",
    "UA",
}


def country(place: str | None) -> str:
    return (place or "").rpartition(",")[2].strip()


def test_there_are_hundreds_of_offers_of_many_gpus_in_many_places() -> None:
    rows = market().rows
    assert 300 <= len(rows) <= 500
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["gpu_name"] for row in rows}) >= 35
    assert len({row.get("geolocation") for row in rows}) >= 40
    assert {row["num_gpus"] for row in rows} == {1, 2, 4, 8}


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("A100 SXM4", {81920, 40960}),
        ("A100 PCIE", {81251, 40536}),
        ("Tesla V100", {16384, 32768}),
        ("RTX 4090", {24564, 49140}),
    ],
)
def test_one_name_may_hold_two_boards(name: str, sizes: set[int]) -> None:
    assert {row["gpu_ram"] for row in market().rows if row["gpu_name"] == name} == sizes


def test_eight_h100_in_europe_cost_less_than_25_dollars_as_spot_on_any_day() -> None:
    dearest = max(market().factors.values())
    found = [
        row
        for row in market().rows
        if row["gpu_name"].startswith("H100")
        and row["num_gpus"] == 8
        and country(row.get("geolocation")) in EUROPE
        and (row.get("min_bid") or 99) * dearest < 25
        and row.get("verification") == "verified"
    ]
    assert len(found) >= 4


def test_every_optional_field_is_missing_somewhere() -> None:
    always = {name for name in market().columns if all(row.get(name) is not None for row in market().rows)}
    assert always == ALWAYS


def test_each_oddity_that_the_head_names_is_an_offer() -> None:
    head = [line for line in FILE.read_text("utf-8").splitlines() if line.startswith("#   ")]
    named = {int(found[1]) for line in head if (found := re.match(r"#   (\d+): ", line))}
    assert len(named) > 40
    assert named <= {row["id"] for row in market().rows}


def test_hostile_text_is_there_as_the_real_characters() -> None:
    texts = [str(row.get(name)) for row in market().rows for name in ("hostname", "geolocation", "gpu_name")]
    for needle in ("\x1b[31m", "\x00", "\u202e", "\n| 0.00", "gnore previous instructions", "=HYPERLINK("):
        assert any(needle in text for text in texts), repr(needle)


def test_a_price_changes_at_midnight_utc_and_stays_for_the_day() -> None:
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    before, after, evening = (
        [row.get("dph_base") for row in market().at(market().factor(moment))]
        for moment in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23))
    )
    assert before != after
    assert after == evening


def test_prices_never_need_more_than_six_decimals() -> None:
    for row in market().rows:
        for name in ("dph_base", "min_bid"):
            if row.get(name) is not None:
                assert round(row[name], 4) == row[name]
    assert all(round(factor, 2) == factor for factor in market().factors.values())


def test_the_printed_table_is_the_file_with_other_prices(capsys: pytest.CaptureFixture[str]) -> None:
    assert vast.main(["--print", "--at", "2026-11-20T14:00:00Z"]) == 0
    printed = capsys.readouterr().out.splitlines()
    held = [line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert printed[0] == held[0]
    assert len(printed) == len(held)
    tie = next(row for row in market().rows if row.get("dph_base") == 0.29)
    line = next(line for line in printed if line.startswith(f"{tie['id']},"))
    assert ",0.3016," in line


def test_the_still_table_reads_back_as_the_file() -> None:
    out = io.StringIO()
    print_table(out, None)
    held = [line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert out.getvalue().replace(",0.0,", ",0,").splitlines() == [
        line.replace(",0.0,", ",0,") for line in held
    ]
