"""check_health: connections that work, that fail in each way, and that cannot be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudtop.errors import Unauthorized
from cloudtop.models import Health, Scope
from cloudtop.sandbox.serve import Sandbox, running
from tests.mcp_server import company, market
from tests.mcp_server.market import NOON, House, offer, price_list


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with running(("vast",), now=NOON) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    running_sandbox.calm()
    yield running_sandbox
    running_sandbox.calm()


def one_account(sandbox: Sandbox) -> dict[str, Any]:
    """A configuration with a single account of Vast.ai."""
    config = sandbox.config()
    own = config["providers"]["vast"]
    own["auth"] = {"method": "api_key", **own.pop("accounts")["prod"]["auth"]}
    return config


def seller(home: Path, **about: Any) -> House:
    """A house whose Vast.ai sells and lists nothing, so that there is one check of a key."""
    return market.house(home, facts=market.mere_seller(), **about)


async def checks(house: House, **arguments: Any) -> dict[tuple[str, str], dict[str, Any]]:
    answer = await house.call("check_health", **arguments)
    assert "error" not in answer, answer
    return {(row["provider"], row["check"]): row for row in answer["rows"]}


async def test_a_working_connection_is_healthy(tmp_path: Path, sandbox: Sandbox) -> None:
    house = seller(tmp_path, config=one_account(sandbox))
    rows = await checks(house)
    assert rows["vast", "credentials"]["healthy"] is True
    assert rows["vast", "api"]["status"] == "healthy"
    assert rows["vast", "api"]["source"] == "sandbox"
    assert ("vast", "quota") not in rows
    await house.close()


async def test_a_wrong_key_fails_and_the_api_does_not(tmp_path: Path, sandbox: Sandbox) -> None:
    config = one_account(sandbox)
    config["providers"]["vast"]["auth"]["api_key"] = "a-wrong-key-that-nobody-has"
    house = seller(tmp_path, config=config)
    rows = await checks(house)
    assert (rows["vast", "credentials"]["healthy"], rows["vast", "credentials"]["status"]) == (
        False,
        "failing",
    )
    assert rows["vast", "api"]["healthy"] is True
    assert "a-wrong-key" not in str(rows)
    await house.close()


async def test_without_a_key_only_the_key_is_unknown(tmp_path: Path, sandbox: Sandbox) -> None:
    config = one_account(sandbox)
    del config["providers"]["vast"]["auth"]
    house = seller(tmp_path, config=config)
    rows = await checks(house)
    assert (rows["vast", "credentials"]["healthy"], rows["vast", "credentials"]["status"]) == (
        None,
        "unknown",
    )
    assert rows["vast", "api"]["healthy"] is True
    assert rows["vast", "api"]["account"] == "public"
    await house.close()


@pytest.mark.parametrize(
    ("fault", "status"), [("refused", "down"), ("500", "failing"), ("429", "degraded"), ("html", "failing")]
)
async def test_each_way_to_fail_has_its_status(
    tmp_path: Path, sandbox: Sandbox, fault: str, status: str
) -> None:
    sandbox.fault("vast", fault)
    house = seller(tmp_path, config=one_account(sandbox))
    api = (await checks(house))["vast", "api"]
    assert (api["healthy"], api["status"]) == (False, status)
    assert api["message"]
    await house.close()


async def test_a_cloud_that_does_not_answer_in_time_is_degraded(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "silent")
    house = market.house(tmp_path, config={**one_account(sandbox), "limits": {"deadline": "300ms"}})
    api = (await checks(house))["vast", "api"]
    assert (api["healthy"], api["status"]) == (False, "degraded")
    await house.close()


@pytest.mark.parametrize(("asked", "left"), [("unhealthy", 1), ("down", 1), ("failing", 0), ("healthy", 0)])
async def test_unhealthy_means_every_bad_state(
    tmp_path: Path, sandbox: Sandbox, asked: str, left: int
) -> None:
    sandbox.fault("vast", "refused")
    house = seller(tmp_path, config=one_account(sandbox))
    answer = await house.call("check_health", status=asked)
    assert len(answer["rows"]) == left
    assert answer["applied"] == {"status": [asked]}
    await house.close()


async def test_a_check_and_a_provider_can_be_picked(tmp_path: Path, sandbox: Sandbox) -> None:
    house = seller(tmp_path, config=one_account(sandbox))
    assert set(await checks(house, check="credentials", providers="vast.ai")) == {("vast", "credentials")}
    await house.close()


async def test_freshness_is_the_age_of_the_newest_data_against_its_time_to_live(tmp_path: Path) -> None:
    house = market.house(tmp_path, offline=True)
    first = (await checks(house))["vast", "freshness"]
    assert (first["healthy"], first["status"]) == (None, "unknown")
    house.stock(offer(1.0), age_s=120)
    young = (await checks(house))["vast", "freshness"]
    assert (young["healthy"], young["status"]) == (True, "healthy")
    assert "2 minutes old" in young["message"]
    assert young["fetched_at"] == "2026-11-20T11:58:00Z"
    house.clock.move(3600)
    old = (await checks(house))["vast", "freshness"]
    assert (old["healthy"], old["status"]) == (None, "unknown")
    assert "62 minutes old" in old["message"]
    await house.close()


async def test_old_data_whose_renewal_failed_is_degraded(tmp_path: Path, sandbox: Sandbox) -> None:
    house = seller(tmp_path, config=one_account(sandbox))
    await house.prices(gpu="A100", spot=False)
    house.clock.move(400)
    sandbox.fault("vast", "500")
    await house.prices(gpu="A100", spot=False)
    fresh = (await checks(house))["vast", "freshness"]
    assert (fresh["healthy"], fresh["status"]) == (False, "degraded")
    assert "failed" in fresh["message"]
    await house.close()


async def test_a_price_list_is_healthy_when_it_can_be_read(tmp_path: Path) -> None:
    good = price_list(tmp_path / "good.csv", {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, lists=[good], offline=True)
    row = (await checks(house, providers="pricelist"))["pricelist", "api"]
    assert (row["healthy"], row["account"], row["source"]) == (True, "own", "list")
    other = market.house(tmp_path / "b", lists=[tmp_path / "gone.csv"], offline=True)
    row = (await checks(other, providers="pricelist"))["pricelist", "api"]
    assert (row["healthy"], row["status"]) == (False, "failing")
    assert "gone.csv" in row["message"]
    await house.close()
    await other.close()


async def test_a_cloud_that_cannot_be_asked_is_neither_healthy_nor_not(tmp_path: Path) -> None:
    house = market.house(tmp_path, config={"providers": {"vast": {"enabled": False}}})
    row = (await checks(house))["vast", "credentials"]
    assert (row["healthy"], row["status"]) == (None, "unknown")
    assert "switched off" in row["message"]
    await house.close()


async def test_offline_is_said_and_nothing_is_asked(tmp_path: Path, sandbox: Sandbox) -> None:
    house = seller(tmp_path, config=one_account(sandbox), offline=True)
    answer = await house.call("check_health", providers="vast")
    assert [one["code"] for one in answer["missing"]] == ["unreachable"]
    assert sandbox.requests == []
    await house.close()


async def test_a_seller_without_connector_is_not_covered(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    answer = await house.call("check_health", providers="coreweave")
    assert answer["rows"] == []
    assert [(one["provider"], one["code"]) for one in answer["missing"]] == [("coreweave", "not_covered")]
    await house.close()


async def test_a_check_asked_twice_within_its_time_to_live_is_one_request(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    house = seller(tmp_path, config=one_account(sandbox))
    await checks(house)
    await checks(house)
    assert len(sandbox.requests) == 1
    await checks(house, max_age="0")
    assert len(sandbox.requests) == 2
    await house.close()


async def test_prices_that_could_never_be_read_say_why(tmp_path: Path) -> None:
    config = {"providers": {"vast": {"options": {"endpoint": "http://127.0.0.1:9"}}}}
    house = seller(tmp_path, config=config)
    await house.call("compare_gpu_prices", gpu=["A100"])
    row = (await checks(house))["vast", "freshness"]
    assert row["message"].startswith("No prices have been read yet. The last try failed: ")
    assert row["status"] == "degraded"
    await house.close()


async def test_what_another_endpoint_told_is_no_freshness_of_this_one(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    house = seller(tmp_path, config=one_account(sandbox))
    await house.call("compare_gpu_prices", gpu=["A100"])
    assert (await checks(house))["vast", "freshness"]["status"] == "healthy"
    await house.close()
    config = one_account(sandbox)
    config["providers"]["vast"]["options"]["endpoint"] = "http://localhost:9"
    house = seller(tmp_path, config=config)
    rows = await checks(house)
    assert rows["vast", "freshness"]["status"] == "unknown"
    assert rows["vast", "api"]["status"] == "down"
    answer = await house.call("compare_gpu_prices", gpu=["A100"])
    assert "vast" not in {one["provider"] for one in answer["sources"]}
    await house.close()


async def test_a_key_that_is_refused_is_told_once_whatever_was_asked_with_it(tmp_path: Path) -> None:
    clouds = company.company()
    clouds["aws"].facts = replace(clouds["aws"].facts, kinds=("health", "permissions"))
    refusal = Unauthorized("The key is not accepted.", "Set another.")

    async def refused(scope: Scope) -> AsyncIterator[list[Health]]:
        raise refusal
        yield []

    for kind in ("health", "permissions"):
        setattr(clouds["aws"], kind, refused)
    told = {**company.facts(), "aws": clouds["aws"].facts}
    house = market.house(tmp_path, config=company.CONFIG, connectors=clouds, facts=told)
    answer = await house.call("check_health", providers="aws", check=["credentials", "permissions"])
    failing = [(row["account"], row["check"]) for row in answer["rows"] if row["healthy"] is False]
    assert sorted(failing) == [("lab", "credentials"), ("prod", "credentials")]
    await house.close()
