"""Fifty joined questions, made of templates and the fleet's names: every figure is recomputed from its file.

They are asked as `demo ask` asks them, through an MCP client and the server, in this process.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.build import build
from cloudtop.sandbox.serve import running
from tests.audit import aws, company
from tests.audit.company import Thing

BEGAN = datetime.now(UTC)
MACHINES = company.of("aws", "instance")
VOLUMES = company.of("aws", "volume")
TEAMS = sorted({one.tags["team"] for one in MACHINES if "team" in one.tags})
REGIONS = sorted({str(one.region) for one in MACHINES})
ENVIRONMENTS = sorted({one.tags["env"] for one in MACHINES if "env" in one.tags})
ACCOUNTS = sorted({one.account for one in MACHINES})
NAMES = [f"web-prod-{n}" for n in (1, 2, 3, 4)] + ["cache-01", "bastion-1"]
HALF = 0.5
"""By so much a mean may differ, for the newest samples come while it is asked."""

Of = Callable[[Thing], bool]


@dataclass(frozen=True)
class Question:
    """What is asked, what `then` computes, and of which things; `figures` are told of each, by id."""

    text: str
    then: str | None
    things: list[Thing]
    figures: Callable[[Thing], dict[str, float | None]]
    total: float | None = None


def tagged(key: str, value: str) -> Of:
    return lambda one: one.tags.get(key) == value


def placed(region: str) -> Of:
    return lambda one: one.region == region


def owned(account: str) -> Of:
    return lambda one: one.account == account


def alive(thing: Thing) -> bool:
    return not aws.status(thing) & {"stopped", "terminated"}


def cpu(thing: Thing) -> float | None:
    """The mean of the last day."""
    return aws.cpu(thing, BEGAN - timedelta(hours=24), BEGAN, BEGAN) if alive(thing) else None


def price(thing: Thing) -> float | None:
    """What a machine costs an hour on demand; of spot and of types without a price it is not known."""
    if thing.said.get("InstanceLifecycle") == "spot":
        return None
    usd = company.file("aws")["prices"].get(thing.told("InstanceType"), {}).get(thing.region)
    return None if usd is None else float(usd)


def measured(thing: Thing) -> dict[str, float | None]:
    return {"value": cpu(thing), "usd_per_hour": price(thing)}


def priced(thing: Thing) -> dict[str, float | None]:
    return {"usd_per_hour": price(thing)}


def sized(thing: Thing) -> dict[str, float | None]:
    return {"size_gb": thing.told("Size")}


def summed(things: list[Thing], field: str, figures: Callable[[Thing], dict[str, float | None]]) -> float:
    return sum(figures(one)[field] or 0.0 for one in things)


def idle(text: str, of: Of, below: float) -> Question:
    things = [one for one in MACHINES if of(one) and (value := cpu(one)) is not None and value < below]
    return Question(text, "join", things, measured, summed(things, "usd_per_hour", measured))


def busy(text: str, of: Of, above: float) -> Question:
    things = [one for one in MACHINES if of(one) and (cpu(one) or 0) > above]
    return Question(text, "join", things, measured, summed(things, "usd_per_hour", measured))


def spent(text: str, of: Of) -> Question:
    things = [one for one in MACHINES if of(one) and aws.status(one) == {"running"}]
    return Question(text, "sum", things, priced, summed(things, "usd_per_hour", priced))


def stored(text: str, of: Of) -> Question:
    things = [one for one in VOLUMES if of(one) and aws.status(one) == {"unattached"}]
    return Question(text, "sum", things, sized, summed(things, "size_gb", sized))


def failing(text: str, of: Of) -> Question:
    things = [one for one in MACHINES if of(one) and "impaired" in one.said.get("checks", {}).values()]
    return Question(text, None, things, lambda _: {})


def named(text: str, name: str) -> Question:
    things = [one for one in MACHINES if one.tags.get("Name") == name]
    return Question(text, "join", things, measured, summed(things, "usd_per_hour", measured))


QUESTIONS = [
    *(
        idle(
            f"instances of team {one} below 20 % cpu over the last 24 hours and what they cost an hour",
            tagged("team", one),
            20,
        )
        for one in TEAMS
    ),
    *(
        idle(
            f"vms in {one} that used less than 30% cpu in the last 24h, with their hourly price",
            placed(one),
            30,
        )
        for one in REGIONS
    ),
    *(
        idle(f"{one} instances under 10% cpu in the last day and their price", tagged("env", one), 10)
        for one in ENVIRONMENTS
    ),
    *(
        busy(
            f"{one} servers over 60% cpu during the past 24 hours and what they cost", tagged("env", one), 60
        )
        for one in ENVIRONMENTS
    ),
    *(
        spent(f"what do the running instances of team {one} cost per hour", tagged("team", one))
        for one in TEAMS
    ),
    *(spent(f"hourly cost of all running vms in {one}", placed(one)) for one in REGIONS),
    *(
        spent(f"how much do the running machines in account {one} cost an hour", owned(one))
        for one in ACCOUNTS
    ),
    *(stored(f"unattached volumes of team {one} and their total size", tagged("team", one)) for one in TEAMS),
    *(failing(f"unhealthy instances in {one}", tagged("env", one)) for one in ENVIRONMENTS),
    *(failing(f"which instances in {one} are failing", placed(one)) for one in REGIONS),
    *(named(f"average cpu of {one} over the last 24 hours and what it costs an hour", one) for one in NAMES),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each was answered, by Amazon's sandbox alone."""
    from mcp import Client

    from agent.ask import ask, lexicon_of

    home = tmp_path_factory.mktemp("joined")

    async def asked(file: Path) -> list[dict[str, Any]]:
        house = build(file, home)
        async with Client(house.server(house.runtime())) as client:
            await client.call_tool("list_resources", {"limit": 1})
            words = await lexicon_of(client)
            told = [(await ask(client, one.text, lexicon=words, now=BEGAN)).as_json() for one in QUESTIONS]
        await house.aclose()
        return told

    with running(("aws",)) as sandbox:
        config = sandbox.config()
        config["providers"]["aws"]["rate_limit"] = {"requests_per_second": 1000, "burst": 1000}
        config["providers"]["pricelist"] = {"options": {"shipped": False}}
        config["limits"] = {"deadline": 60}
        (home / "config.json").write_text(json.dumps(config))
        return asyncio.run(asked(home / "config.json"))


def test_there_are_fifty_and_most_find_something() -> None:
    assert len(QUESTIONS) == 50
    assert len({one.text for one in QUESTIONS}) == 50
    assert sum(bool(one.things) for one in QUESTIONS) >= 30


@pytest.mark.parametrize("n", range(len(QUESTIONS)), ids=[one.text for one in QUESTIONS])
def test_its_figures_are_those_of_the_file(answers: list[dict[str, Any]], n: int) -> None:
    question, told = QUESTIONS[n], answers[n]
    assert told["status"] in ("answered", "partial"), told["answer"]
    assert told["ignored"] == []
    assert (told["then"] or {}).get("op") == question.then
    rows = {row["uid"].split(":", 4)[4]: row for row in told["rows"]}
    assert len(rows) == len(told["rows"])
    things = {one.id: one for one in question.things}
    assert sorted(rows) == sorted(things)
    for name, thing in things.items():
        for field, value in question.figures(thing).items():
            assert rows[name][field] == (
                value if value is None else pytest.approx(value, abs=HALF if field == "value" else 1e-6)
            ), (name, field)
    if question.total:
        said = _TOTAL.search(told["answer"].splitlines()[0])
        assert said is not None, told["answer"]
        assert float((said[1] or said[2]).replace(",", "")) == pytest.approx(question.total, rel=1e-3)


_TOTAL = re.compile(r"\$([\d,]+(?:\.\d+)?) per hour|have ([\d,]+(?:\.\d+)?) GB together")
