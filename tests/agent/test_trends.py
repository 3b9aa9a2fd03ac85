"""What is said first about how prices went; the past is written here, figures are worked out by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from agent.answer import Answer
from agent.ask import Asked, ask, lexicon_of
from agent.check import struck
from agent.compute import computed
from agent.sentences import first_sentence
from cloudtop.cli.build import House, build
from cloudtop.models import GpuOffer, Scope
from tests.switched import only

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
DAY = timedelta(days=1)
SCOPE = Scope("vast", query='{"gpu":["A100"],"type":"on-demand"}')


def offer(usd: float) -> GpuOffer:
    return GpuOffer("vast", "a", "A100 SXM4", 1.0, usd, f"{usd}", False, "A100", 80.0, region="x")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """$1.00 for 8 days, $2.00 for 4, $1.50 for 4, until now; nobody can be asked."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"providers": only("vast")}))
    made = build(config, tmp_path / "home", offline=True, now=NOW)
    for days, usd in ((16, 1.0), (8, 2.0), (4, 1.5), (0, 1.5)):
        made.store.replace_offers(SCOPE, [offer(usd)], fetched_at=NOW - days * DAY, complete=True)
    yield made
    await made.aclose()


async def answered(house: House, question: str) -> Asked:
    async with Client(house.server(house.runtime())) as client:
        return await ask(client, question, lexicon=await lexicon_of(client), now=NOW)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (
            "A100 price history",
            "3 price points; the newest here: A100 80 GB on vast (on-demand) from $1.50 per GPU-hour"
            " since 2026-11-16 14:00 UTC.",
        ),
        (
            "how did the price of an A100 develop this month",
            "1 of 1 series has another lowest price at the end of that time than at its beginning; the most: "
            "vast A100 x (on-demand) rose from $1.00 to $1.50 per GPU-hour.",
        ),
        (
            "A100 price trend by cloud",
            "vast: the lowest price rose from $1.00 to $1.50 per GPU-hour (+50.0 %);"
            " cheaper than 25 % of the last 30 days (16 days known).",
        ),
        ("did A100s get cheaper since thursday", "No price is lower at the end of that time"),
        (
            "is $1.20 for an A100 a good price",
            "$1.20 per GPU-hour is a good price: in 16 days of history the",
        ),
        ("is $1.20 for an A100 a good price", "cost more 50 % of the time and less 50 %, its median $1.25;"),
        ("is $1.80 for an A100 a good price", "$1.80 per GPU-hour is a fair price"),
        ("is $2.50 for an A100 a good price", "$2.50 per GPU-hour is not a good price"),
        ("is the A100 price good", "$1.50 per GPU-hour is a fair price"),
        ("is $12 for 8x A100 a good price", "$1.50 per GPU-hour is a fair price"),
        (
            "median A100 price of the last 30 days",
            "Median of the lowest price in that time, per GPU-hour: on-demand $1.25 (from $1.00 to $2.00).",
        ),
        (
            "average A100 price this month by provider",
            "Median of the lowest price in that time, per GPU-hour: vast $1.25 (from $1.00 to $2.00).",
        ),
        ("A100 price range of the last 30 days", "per GPU-hour: on-demand from $1.00 to $2.00."),
        ("lowest A100 price ever", "Lowest price in that time, per GPU-hour: on-demand $1.00."),
        ("did H200s get cheaper since thursday", "No price is recorded for that time."),
        ("is $2 for an H200 a good price", "There is no price history to judge that by yet"),
    ],
)
async def test_how_prices_went_is_said_first(house: House, question: str, says: str) -> None:
    asked = await answered(house, question)
    assert says in asked.answer.text.splitlines()[0], asked.answer.text


async def test_the_table_says_what_is_known_and_for_how_long(house: House) -> None:
    asked = await answered(house, "A100 price trend by cloud")
    assert "| vast | $1.00 | $1.50 | 50 | $1.00 | $1.25 | 25.0 | 16.0 |" in asked.answer.text
    assert "Note: 1 series in that time: 1 changed." in asked.answer.text


async def test_nothing_known_of_a_gpu_is_not_called_unchanged(house: House) -> None:
    asked = await answered(house, "H200 price history")
    assert asked.answer.rows == []
    assert "No price of these GPUs is recorded" in asked.answer.text


def group(**told: Any) -> dict[str, Any]:
    row = {
        "group": "aws",
        "change": "same",
        "changes": 0,
        "first": 1.0,
        "last": 1.0,
        "min": 0.9,
        "source": "live",
    }
    return {**row, "cheaper_than_30d": None, "days_covered_30d": 3.0, "delta_percent": None, **told}


def said_of(row: dict[str, Any]) -> str:
    calls = [{"tool": "gpu_price_history", "arguments": {}}]
    return first_sentence(Answer("answered", "", calls=calls, rows=[row]), None, [{"total": 1}])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (group(), "aws: the lowest price is $1.00 per GPU-hour, as it was."),
        (group(change="new"), "aws: new in that time, now from $1.00 per GPU-hour."),
        (group(change="back"), "aws: to be had again, from $1.00 per GPU-hour."),
        (group(change="sold_out", last=None), "aws: sold out; the lowest price was $0.90 per GPU-hour."),
        (
            group(change="down", first=2.0, delta_percent=-50.0),
            "fell from $2.00 to $1.00 per GPU-hour (-50.0 %).",
        ),
        (
            group(source="stale", last_at="2026-11-01T00:00:00Z"),
            "As of 2026-11-01, not asked again since: aws",
        ),
    ],
)
def test_every_kind_of_change_has_its_sentence(row: dict[str, Any], says: str) -> None:
    assert says in said_of(row)


def point(usd: float | None, hours: float, until: float, **told: Any) -> dict[str, Any]:
    """A price that held between so many hours before now."""
    when = [(NOW - timedelta(hours=one)).strftime("%Y-%m-%dT%H:%M:%SZ") for one in (hours, until)]
    row = {"provider": "aws", "gpu": "A100", "spot": False, "source": "live", "usd_per_gpu_hour_min": usd}
    return {**row, "time": when[0], "until": when[1], **told}


def judged(usd: float | None, *rows: dict[str, Any]) -> str:
    result = {"rows": list(rows), "applied": {"time": "2026-10-21T14:00:00Z/2026-11-20T14:00:00Z"}}
    made = computed({"op": "worth", "usd": usd}, [result])
    calls = [{"tool": "gpu_price_history", "arguments": {}}]
    return first_sentence(Answer("answered", "", calls=calls, rows=list(rows)), made, [result])


def test_an_hour_of_history_judges_nothing() -> None:
    assert "cannot be judged yet, with 1 hour of history" in judged(1.0, point(2.0, 1, 0))


def test_a_price_that_never_moved_is_neither_good_nor_bad() -> None:
    assert "is what the cheapest cost all through 3 days of history" in judged(None, point(2.0, 72, 0))


def test_the_lowest_of_all_sellers_is_the_measure() -> None:
    said = judged(1.5, point(2.0, 96, 0), point(1.0, 48, 0, provider="gcp"))
    assert (
        "is a good price: in 4 days of history the cheapest cost more 50 % of the time and less 50 %" in said
    )
    assert "A100 on gcp (on-demand) from $1.00" in said


def test_sold_out_now_is_said_beside_the_judgement() -> None:
    assert "sold out since 2026-11-19 14:00 UTC" in judged(1.5, point(None, 24, 0), point(2.0, 96, 24))


def test_a_models_words_about_the_past_are_held_against_the_rows() -> None:
    rows = [group(cheaper_than_30d=75.0, first=2.0)]
    kept, out = struck("It is cheaper than 75 % of the time. It is cheaper than 93 % of the time.", rows)
    assert (kept, len(out)) == ("It is cheaper than 75 % of the time.", 1)
