"""Prices through the whole house against the market worked out a second time in market.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.build import House, build
from cloudtop.sandbox.serve import Sandbox, running
from tests.audit.market import Expected, Market, market, requests
from tests.audit.sentences import said

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
ASKED = requests(200, seed=20261120)
SAID = said()
HALF_A_CENT = 0.005


@pytest.fixture(scope="module")
def friday() -> Market:
    return market()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("vast",), now=NOW) as made:
        yield made


def opened(sandbox: Sandbox, home: Path) -> House:
    """A house over the sandbox alone, which is asked as often as we like."""
    config = sandbox.config()
    config["providers"]["vast"]["rate_limit"] = {"requests_per_second": 1000, "burst": 1000}
    config["providers"]["pricelist"] = {"options": {"shipped": False}}
    home.mkdir(parents=True, exist_ok=True)
    file = home / "config.json"
    file.write_text(json.dumps(config))
    return build(file, home, now=NOW)


@pytest.fixture(scope="module")
def answers(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What every request was answered."""

    async def asked() -> list[dict[str, Any]]:
        house = opened(sandbox, tmp_path_factory.mktemp("requests"))
        runtime = house.runtime()
        told = [(await runtime.call("compare_gpu_prices", wanted)).structured for wanted in ASKED]
        await house.aclose()
        return told

    return asyncio.run(asked())


def same_rows(rows: list[dict[str, Any]], expected: Expected, *, disk: bool) -> None:
    """The offers, their order, their prices, and their totals to the cent."""
    due = expected.rows[: len(rows)]
    assert [(row["offer_id"], row["spot"]) for row in rows] == [(one.offer.id, one.offer.spot) for one in due]
    for row, one in zip(rows, due, strict=True):
        assert row["usd_per_gpu_hour"] == pytest.approx(float(one.per_gpu), rel=1e-9)
        assert row["usd_per_hour"] == pytest.approx(float(one.per_hour), rel=1e-9)
        assert row["gpu_count"] == one.offer.count
        assert row["gpu_memory_gib"] == one.offer.gib
        assert (row["usd_total"] is None) is (one.total is None)
        if one.total is not None:
            assert row["usd_total"] == pytest.approx(float(one.total), abs=HALF_A_CENT)
        if disk and one.offer.disk is not None:
            assert row["disk_usd_per_gb_month"] == pytest.approx(float(one.offer.disk))


@pytest.mark.parametrize("n", range(len(ASKED)))
def test_a_request_is_answered_as_the_table_says(
    answers: list[dict[str, Any]], friday: Market, n: int
) -> None:
    wanted, told = ASKED[n], answers[n]
    expected = friday.answer(wanted)
    assert "error" not in told, (wanted, told["error"])
    assert told["missing"] == []
    assert told["total"] == len(expected.rows), wanted
    assert len(told["rows"]) == len(expected.first), wanted
    same_rows(told["rows"], expected, disk="disk_gb" in wanted)
    marked = {(row["offer_id"], row["spot"]) for row in told["rows"] if row["suspect"]}
    due = {(one.offer.id, one.offer.spot) for one in expected.first}
    assert marked == due & friday.doubtful, wanted


def test_some_requests_match_nothing_and_most_match_something(friday: Market) -> None:
    sizes = [len(friday.answer(wanted).rows) for wanted in ASKED[-200:]]
    assert 20 <= sizes.count(0) <= 80
    assert sum(size > 20 for size in sizes) >= 30


@pytest.fixture(scope="module")
def spoken(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What every sentence was answered."""
    from mcp import Client

    from agent.ask import ask, lexicon_of

    async def asked() -> list[dict[str, Any]]:
        house = opened(sandbox, tmp_path_factory.mktemp("sentences"))
        async with Client(house.server(house.runtime())) as client:
            words = await lexicon_of(client)
            told = [(await ask(client, text, lexicon=words, now=NOW)).as_json() for text, _ in SAID]
        await house.aclose()
        return told

    return asyncio.run(asked())


@pytest.mark.parametrize("n", range(len(SAID)))
def test_a_sentence_is_answered_as_the_table_says(
    spoken: list[dict[str, Any]], friday: Market, n: int
) -> None:
    (text, wanted), told = SAID[n], spoken[n]
    expected = friday.answer(wanted)
    (call,) = told["calls"]
    assert told["status"] == "answered", (text, told["answer"])
    assert told["ignored"] == [], (text, call)
    # Whoever asks for the cheapest may be given that one alone.
    fewest = min(1, len(expected.rows)) if text.startswith(("cheapest", "dearest")) else len(expected.first)
    assert fewest <= len(told["rows"]) <= len(expected.first), (text, call)
    same_rows(told["rows"], expected, disk="disk_gb" in wanted)
