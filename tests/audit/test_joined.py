"""Joined questions over all nine clouds: every figure is recomputed from the files and the sellers' wires.

They are asked as `demo ask` asks them, through an MCP client and the server, in this process; a few by the
command itself, which takes ten seconds each.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.build import build
from cloudtop.cli.main import ended
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import Sandbox, running
from tests.audit import azure, company, machines, sellers
from tests.audit.joined import questions
from tests.audit.person import Answer, Person, uid

pytest.importorskip("azure.mgmt.compute")

BEGAN = datetime.now(UTC)
QUESTIONS = questions()
BY_COMMAND = (
    "idle instances below 20 % cpu in the last day with their hourly price",
    "GPUs running above the market",
)
DEAREST = "5 most expensive instances below 10 % cpu over the last day"
IDLE = "total hourly cost of machines below 10 % cpu over the last day"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(moving=False) as made:
        yield made


@pytest.fixture(scope="module")
def expected(sandbox: Sandbox) -> dict[str, Answer]:
    """What a person computes for each question, with what the sellers tell on their wires."""
    offers = [
        offer
        for seller in sellers.READERS
        for offer in sellers.read(seller, sandbox.endpoint(seller), clouds()[seller].auth)
    ]
    person = Person(BEGAN, listed(sandbox), machines.going(offers))
    return {text: answer(person) for text, answer in QUESTIONS.items()}


def listed(sandbox: Sandbox) -> machines.Listed:
    """What Azure asks for each size of the company's machines, where it asks one price."""
    wire = sellers.Wire(sandbox.endpoint("azure"), {})
    sizes = {size for one in company.of("azure", "instance") if (size := azure.size(one)) is not None}
    meters = [sellers.azure_meters(wire, f"armSkuName eq '{size}'") for size in sorted(sizes)]
    wire.client.close()
    return {
        (size, region): float(usd)
        for found in meters
        for (size, region, spot), usd in found.items()
        if usd is not None and not spot
    }


@pytest.fixture(scope="module")
def answers(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each was answered."""
    from mcp import Client

    from agent.ask import ask, lexicon_of

    home = tmp_path_factory.mktemp("joined")

    async def asked(file: Path) -> dict[str, dict[str, Any]]:
        house = build(file, home)
        async with Client(house.server(house.runtime())) as client:
            await client.call_tool("list_resources", {"limit": 1})
            words = await lexicon_of(client)
            told = {
                text: (await ask(client, text, lexicon=words, now=BEGAN)).as_json()
                for text in (*QUESTIONS, DEAREST)
            }
        await house.aclose()
        return told

    config = sandbox.config()
    for provider in clouds():
        config["providers"][provider]["rate_limit"] = {"requests_per_second": 1000, "burst": 1000}
    config["providers"]["pricelist"] = {"options": {"shipped": False}}
    config["limits"] = {"deadline": 60}
    (home / "config.json").write_text(json.dumps(config))
    return asyncio.run(asked(home / "config.json"))


def test_there_are_more_than_fifty_and_most_find_something(expected: dict[str, Answer]) -> None:
    assert len(QUESTIONS) >= 50
    assert sum(bool(one.things) for one in expected.values()) >= 0.8 * len(expected)
    found = {one.cloud for answer in expected.values() for one in answer.things}
    assert found == set(company.CLOUDS)


@pytest.mark.parametrize("text", QUESTIONS)
def test_its_figures_are_those_of_the_files(
    answers: dict[str, dict[str, Any]], expected: dict[str, Answer], text: str
) -> None:
    agrees(answers[text], expected[text])


def test_the_dearest_of_what_idles_come_first(
    answers: dict[str, dict[str, Any]], expected: dict[str, Answer]
) -> None:
    prices = [told["usd_per_hour"] or 0 for told in expected[IDLE].fields.values()]
    rows = answers[DEAREST]["rows"]
    assert [row["usd_per_hour"] for row in rows] == pytest.approx(sorted(prices, reverse=True)[:5])


@pytest.mark.parametrize("text", BY_COMMAND)
def test_the_command_says_the_same(
    expected: dict[str, Answer], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert ended(["demo", "--still", "ask", text, "--json"]) == 0
    agrees(json.loads(capsys.readouterr().out), expected[text])


def agrees(told: dict[str, Any], person: Answer) -> None:
    """The rows are of the things that a person finds, with their figures, and the sentence adds them up."""
    assert told["status"] in ("answered", "partial"), told["answer"]
    assert told["ignored"] == []
    assert [one for one in told["rows"] if one["uid"] is None] == []
    assert (told["then"] or {}).get("op") == person.op
    ids = {key: uid(one) for one in machines.EVERYTHING for key in machines.keys(one)}
    rows = {ids[key(row)]: row for row in told["rows"]}
    assert len(rows) == len(told["rows"])
    assert sorted(rows) == sorted(map(uid, person.things))
    for name, row in rows.items():
        for field, value in person.fields.get(name, {}).items():
            close = {"rel": 1e-6, "abs": 0.06 if field == "percent_over_market" else 1e-6}
            assert row[field] == (None if value is None else pytest.approx(value, **close)), (name, field)
        if (load := person.loads.get(name)) is not None:
            assert row["value"] == pytest.approx(load.percent, abs=load.off), name
    if person.sum:
        adds_up(told["answer"].splitlines()[0], person)


def key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """What a row and a thing are compared by."""
    cloud, account, _, kind, name = row["uid"].split(":", 4)
    return cloud, account, kind, name


def adds_up(sentence: str, person: Answer) -> None:
    """How many there are, their sum, and of how many it is not known."""
    known = [one[str(person.sum)] for one in person.fields.values()]
    count, untold = len(known), known.count(None)
    if not known:
        assert re.match("No |None of ", sentence), sentence
        return
    if count == untold:
        assert "not known" in sentence, sentence
        return
    if person.op == "market":
        untold = person.untold
        compared = re.search(r" of (\d+) GPU instances?", sentence)
        assert int(compared[1]) == person.compared if compared else count == person.compared
    told = re.match(r"(\d+) ", sentence)
    assert told is None or int(told[1]) == count - (untold if person.op == "sum" else 0), sentence
    said = re.search(r"\$([\d,]+(?:\.\d+)?) per hour|(?:have|has) ([\d,]+(?:\.\d+)?) GB", sentence)
    assert said is not None, sentence
    assert float((said[1] or said[2]).replace(",", "")) == pytest.approx(person.total, rel=1e-3)
    left = re.search(r"[oO]f (\d+) (?:it is|the price)", sentence)
    assert (int(left[1]) if left else 0) == untold, sentence
