"""Every seller's market through the whole house, against what sellers.py reads on the same wire by itself."""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloudtop.cli.build import build
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import Sandbox, running
from connectors import discovery
from tests.audit.sellers import READERS, Offer, read

FIXTURES = Path(__file__).parents[1] / "connectors" / "fixtures"
KEYLESS = ("vast", "runpod", "azure", "aws", "oci", "vultr", "linode", "cloudrift")
KEYED = tuple(seller for seller in READERS if seller not in KEYLESS)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(moving=False) as made:
        yield made


@pytest.fixture(scope="module")
def wire(sandbox: Sandbox) -> dict[str, list[Offer]]:
    """What each seller has to offer."""
    return {seller: read(seller, sandbox.endpoint(seller), clouds()[seller].auth) for seller in READERS}


def compared(sandbox: Sandbox, home: Path, *, keys: bool) -> dict[str, dict[str, Any]]:
    """What every seller's own comparison says, all pages of it in one."""
    config = sandbox.config()
    config["providers"]["pricelist"] = {"options": {"shipped": False}}
    for seller in READERS:
        config["providers"][seller]["rate_limit"] = {"requests_per_second": 1000, "burst": 1000}
        if not keys:
            for name in ("auth", "accounts"):
                config["providers"][seller].pop(name, None)
    file = home / "config.json"
    file.write_text(json.dumps(config))

    async def asked() -> dict[str, dict[str, Any]]:
        house = build(file, home)
        runtime = house.runtime()
        told = {}
        for seller in READERS:
            wanted: dict[str, Any] = {"providers": [seller], "limit": 500, "fractional": True}
            page = told[seller] = (await runtime.call("compare_gpu_prices", wanted)).structured
            while cursor := page["next_cursor"]:
                page = (await runtime.call("compare_gpu_prices", wanted | {"cursor": cursor})).structured
                told[seller]["rows"] += page["rows"]
        await house.aclose()
        return told

    return asyncio.run(asked())


@pytest.fixture(scope="module")
def answers(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return compared(sandbox, tmp_path_factory.mktemp("keys"), keys=True)


@pytest.fixture(scope="module")
def without(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return compared(sandbox, tmp_path_factory.mktemp("keyless"), keys=False)


Line = tuple[Any, ...]


def due(offers: list[Offer]) -> list[Line]:
    """What must be shown of these."""
    return sorted(
        (
            one.id,
            one.spot,
            one.where or "",
            one.gpu or "",
            one.gib or 0,
            one.count,
            round(float(one.usd or 0), 6),
            {True: "yes", False: "no", None: "unknown"}[one.free],
        )
        for one in offers
    )


def shown(rows: list[dict[str, Any]]) -> list[Line]:
    """The same of an answer's rows."""
    return due(
        [
            Offer(
                row["offer_id"],
                row["region"],
                row["gpu"],
                row["gpu_memory_gib"],
                row["gpu_count"],
                row["usd_per_hour"],
                row["spot"],
                row["available"],
            )
            for row in rows
        ]
    )


def agrees(seller: str, answer: dict[str, Any], offers: list[Offer]) -> None:
    """The rows are the wire's, their order is by the price of one GPU, and what is left out is counted."""
    assert shown(answer["rows"]) == due([one for one in offers if not one.against])
    assert {row["provider"] for row in answer["rows"]} == {seller}
    prices = [row["usd_per_gpu_hour"] for row in answer["rows"]]
    assert prices == sorted(prices)
    exact = {(one.id, one.spot): float(one.usd or 0) / one.count for one in offers}
    for row in answer["rows"]:
        assert row["usd_per_gpu_hour"] == pytest.approx(exact[row["offer_id"], row["spot"]], rel=1e-6)
    said = [re.match(r"Left out: (\d+) offers?", notice) for notice in answer["notices"]]
    assert sum(int(found[1]) for found in said if found) == sum(one.against > 0 for one in offers)
    assert answer["total"] == [one.against for one in offers].count(0)


@pytest.mark.parametrize("seller", READERS)
def test_a_comparison_says_what_is_on_the_wire(
    wire: dict[str, list[Offer]], answers: dict[str, dict[str, Any]], seller: str
) -> None:
    assert answers[seller]["missing"] == []
    agrees(seller, answers[seller], wire[seller])


@pytest.mark.parametrize("seller", KEYLESS)
def test_without_a_key_the_same_is_said_but_for_what_a_key_is_needed_for(
    wire: dict[str, list[Offer]], sandbox: Sandbox, without: dict[str, dict[str, Any]], seller: str
) -> None:
    public = [one for one in wire[seller] if not (seller == "aws" and one.spot)]
    if seller == "runpod":
        # Another interface, which tells no regions and not always which sizes are free.
        public = read(seller, sandbox.endpoint(seller), {})
    agrees(seller, without[seller], public)


@pytest.mark.parametrize("seller", KEYED)
def test_who_wants_a_key_is_told_to_be_missing_and_not_to_be_empty(
    without: dict[str, dict[str, Any]], seller: str
) -> None:
    assert without[seller]["rows"] == []
    assert [one["provider"] for one in without[seller]["missing"]] == [seller]


@pytest.mark.parametrize("seller", [name for name in READERS if name != "vast"])
def test_the_table_in_the_fixture_is_what_is_on_the_wire(wire: dict[str, list[Offer]], seller: str) -> None:
    """Also of what a comparison leaves out: sold out, or without a price."""
    told = yaml.safe_load((FIXTURES / f"{seller}.yaml").read_text("utf-8"))["sandbox"]
    yes = {"true": True, "false": False, "": None}
    rows = [
        Offer(
            row["offer_id"],
            row["region"],
            row["gpu"],
            float(row["gpu_memory_gib"] or 0),
            float(row["gpu_count"]),
            row["usd_per_hour"] or 0,  # type: ignore[arg-type]
            row["spot"] == "true",
            yes[row["available"]],
        )
        for row in csv.DictReader(told.splitlines())
    ]
    assert due(rows) == due(wire[seller])


def test_every_local_cloud_has_a_reading_here() -> None:
    sold = {name for name, facts in discovery.found().items() if "gpu_offers" in facts.kinds}
    assert set(READERS) == set(clouds()) & sold
