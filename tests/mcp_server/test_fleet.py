"""The fleet against the sandbox: freshness, single flight, failures, deadlines."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudtop.models import SHIPPED, GpuOffer, PriceQuery, Scope
from cloudtop.ports import SystemClock
from cloudtop.sandbox.serve import Sandbox, running
from cloudtop.store.offers import OfferFilter
from connectors import discovery
from connectors.base import Connector
from tests.mcp_server import market
from tests.mcp_server.market import NOON, House, offer, price_list

A100 = PriceQuery(("A100",), False)
PATIENT_S = 20.0


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with running(("vast",), now=NOON) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    running_sandbox.calm()
    yield running_sandbox
    running_sandbox.calm()


@pytest.fixture
async def house(tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[House]:
    made = market.house(tmp_path, config=sandbox.config())
    yield made
    await made.close()


def prices_held(house: House, scopes: list[Scope]) -> list[float]:
    page = house.store.offers(OfferFilter(scopes=tuple(scopes), limit=None))
    return [row["usd_per_gpu_hour"] for row in page.rows]


class Slow(Connector):
    """A cloud that gives what it is told to give, page by page, after each told pause."""

    def __init__(self, pages: list[Any], scopes: int = 1) -> None:
        self.facts = discovery.found()["vast"]
        self.noted = {}
        self.pages, self.number, self.asked = pages, scopes, 0
        self.going = self.at_once = 0
        self.begun = asyncio.Event()

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        return [Scope("vast", query=json.dumps({"n": n})) for n in range(self.number)]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        self.asked += 1
        self.begun.set()
        for step in self.pages:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float):
                self.going += 1
                self.at_once = max(self.at_once, self.going)
                await asyncio.sleep(step)
                self.going -= 1
            else:
                yield step

    async def aclose(self) -> None:
        """Nothing is open."""


def slow_house(tmp_path: Path, *pages: Any, scopes: int = 1) -> tuple[House, Slow]:
    cloud = Slow(list(pages), scopes)
    return market.house(tmp_path, connectors={"vast": cloud}, config=NO_LISTS), cloud


NO_LISTS = {"providers": {"pricelist": {"enabled": False}}}


async def test_what_is_fresh_is_not_asked_again(house: House, sandbox: Sandbox) -> None:
    first = await house.fleet.prices(A100)
    asked = len(sandbox.requests)
    again = await house.fleet.prices(A100)
    assert asked > 0
    assert len(sandbox.requests) == asked
    assert first.fetched
    assert not again.asked
    assert [one.source for one in again.sources] == ["sandbox"]


async def test_what_is_older_than_its_time_to_live_is_asked_again(house: House, sandbox: Sandbox) -> None:
    await house.fleet.prices(A100)
    asked = len(sandbox.requests)
    house.clock.move(299)
    await house.fleet.prices(A100)
    assert len(sandbox.requests) == asked
    house.clock.move(2)
    await house.fleet.prices(A100)
    assert len(sandbox.requests) > asked


async def test_the_callers_max_age_counts_instead_of_the_time_to_live(house: House, sandbox: Sandbox) -> None:
    await house.fleet.prices(A100)
    asked = len(sandbox.requests)
    house.clock.move(600)
    await house.fleet.prices(A100, max_age_s=3600)
    assert len(sandbox.requests) == asked
    await house.fleet.prices(A100, max_age_s=0)
    assert len(sandbox.requests) > asked


async def test_the_configured_time_to_live_overrides_the_connectors(tmp_path: Path, sandbox: Sandbox) -> None:
    house = market.house(tmp_path, config={**sandbox.config(), "cache": {"ttl": "1h"}})
    await house.fleet.prices(A100)
    asked = len(sandbox.requests)
    house.clock.move(3000)
    harvest = await house.fleet.prices(A100)
    assert len(sandbox.requests) == asked
    assert harvest.expires_at == NOON.replace(hour=13)
    await house.close()


@pytest.mark.parametrize("switch", [{"cache": {"enabled": False}}, {"defaults": {"show_cached": False}}])
async def test_with_the_cache_switched_off_every_question_asks(
    tmp_path: Path, sandbox: Sandbox, switch: dict[str, Any]
) -> None:
    house = market.house(tmp_path, config={**sandbox.config(), **switch})
    await house.fleet.prices(A100)
    asked = len(sandbox.requests)
    await house.fleet.prices(A100)
    assert len(sandbox.requests) == 2 * asked
    await house.close()


async def test_the_answer_expires_when_the_first_scope_does(house: House) -> None:
    await house.fleet.prices(PriceQuery(("A100",), True))
    house.clock.move(100)
    both = await house.fleet.prices(PriceQuery(("A100",), None))
    assert (both.expires_at - NOON).total_seconds() == 300  # type: ignore[operator]


async def test_twenty_questions_at_once_are_one_request(house: House, sandbox: Sandbox) -> None:
    harvests = await asyncio.gather(*(house.fleet.prices(A100) for _ in range(20)))
    assert len(sandbox.requests) == 1
    assert all(one.scopes and not one.missing for one in harvests)


async def test_two_fleets_over_one_home_make_one_request(tmp_path: Path, sandbox: Sandbox) -> None:
    houses = [market.house(tmp_path, config=sandbox.config(), clock=SystemClock()) for _ in range(2)]
    harvests = await asyncio.gather(*(house.fleet.prices(A100) for house in houses))
    assert len(sandbox.requests) == 1
    assert [len(one.scopes) for one in harvests] == [1, 1]
    for house in houses:
        await house.close()


CHILD = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
from tests.mcp_server import market
from pathlib import Path
from cloudtop.models import PriceQuery
from cloudtop.ports import SystemClock
async def main():
    house = market.house(Path(sys.argv[2]), config=json.loads(sys.argv[3]), clock=SystemClock())
    print("ready", flush=True)
    sys.stdin.readline()
    harvest = await house.fleet.prices(PriceQuery(("A100",), False))
    print(json.dumps({"missing": len(harvest.missing), "rows": harvest.sources[0].rows}), flush=True)
    await house.close()
asyncio.run(main())
"""


def test_two_processes_make_one_request(tmp_path: Path, sandbox: Sandbox) -> None:
    command = [
        sys.executable,
        "-c",
        CHILD,
        str(Path(__file__).parent),
        str(tmp_path),
        json.dumps(sandbox.config()),
    ]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        answers = [child.communicate("go\n", timeout=PATIENT_S)[0] for child in _all_told_to_go(children)]
    finally:
        for child in children:
            child.kill()
            child.wait()
    found = [json.loads(answer) for answer in answers]
    assert found[0] == found[1]
    assert found[0]["missing"] == 0
    assert found[0]["rows"] > 0
    assert len(sandbox.requests) == 1


def _all_told_to_go(children: list[Any]) -> list[Any]:
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    return children


async def test_the_first_askers_cancellation_leaves_the_others_their_answer(tmp_path: Path) -> None:
    house, cloud = slow_house(tmp_path, 0.05, [offer(1.5)])
    first = asyncio.create_task(house.fleet.prices(A100))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(house.fleet.prices(A100))
    await asyncio.sleep(0.01)
    first.cancel()
    harvest = await second
    assert first.cancelled()
    assert cloud.asked == 1
    assert prices_held(house, harvest.scopes) == [1.5]
    await house.close()


async def test_when_every_asker_is_gone_the_request_ends(tmp_path: Path) -> None:
    house, cloud = slow_house(tmp_path, 30.0, [offer(1.5)])
    before = asyncio.all_tasks()
    task = asyncio.create_task(house.fleet.prices(A100))
    await cloud.begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert cloud.asked == 1
    assert asyncio.all_tasks() == before
    await house.close()


async def test_a_patient_asker_outlives_the_impatient_one_whose_flight_it_shared(tmp_path: Path) -> None:
    house, _ = slow_house(tmp_path, 0.2, [offer(1.5)])
    hasty = asyncio.create_task(house.fleet.prices(A100, deadline_s=0.05))
    await asyncio.sleep(0.01)
    patient = await house.fleet.prices(A100, deadline_s=5)
    assert [one.code for one in (await hasty).missing] == ["too_slow"]
    assert patient.missing == []
    assert prices_held(house, patient.scopes) == [1.5]
    await house.close()


async def test_the_deadline_holds_and_what_came_before_it_stays(tmp_path: Path) -> None:
    house, _ = slow_house(tmp_path, [offer(2.5)], 30.0, [offer(3.5)])
    started = time.monotonic()
    harvest = await house.fleet.prices(A100, deadline_s=0.3)
    assert time.monotonic() - started < 5
    (trouble,) = harvest.missing
    assert trouble.code == "too_slow"
    assert trouble.retryable
    assert "given up" in trouble.message
    assert prices_held(house, harvest.scopes) == [2.5]
    assert harvest.stale == set(harvest.scopes)
    await house.close()


async def test_a_server_that_never_answers_costs_no_more_than_the_deadline(
    house: House, sandbox: Sandbox
) -> None:
    sandbox.fault("vast", "silent")
    started = time.monotonic()
    harvest = await house.fleet.prices(A100, deadline_s=0.3)
    assert time.monotonic() - started < 5
    assert [one.code for one in harvest.missing] == ["too_slow"]
    assert harvest.scopes == []


async def test_a_deadline_set_outside_holds_inside(tmp_path: Path) -> None:
    from cloudtop import net

    house, _ = slow_house(tmp_path, 30.0)
    net.deadline.set(house.clock.monotonic() + 0.2)
    started = time.monotonic()
    harvest = await house.fleet.prices(A100, deadline_s=20)
    assert time.monotonic() - started < 5
    assert [one.code for one in harvest.missing] == ["too_slow"]
    await house.close()


async def test_a_failed_cloud_leaves_its_old_rows_marked_stale(house: House, sandbox: Sandbox) -> None:
    before = await house.fleet.prices(A100)
    held = prices_held(house, before.scopes)
    house.clock.move(400)
    sandbox.fault("vast", "500")
    harvest = await house.fleet.prices(A100)
    assert [one.code for one in harvest.missing] == ["unavailable"]
    assert prices_held(house, harvest.scopes) == held != []
    (source,) = harvest.sources
    assert source.source == "stale"
    assert source.fetched_at == NOON


async def test_a_failure_a_moment_ago_is_reported_and_not_repeated(house: House, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "401")
    first = await house.fleet.prices(A100)
    asked = len(sandbox.requests)
    sandbox.layers["vast"].calm()
    house.clock.move(4)
    second = await house.fleet.prices(A100)
    assert len(sandbox.requests) == asked == 1
    assert [one.code for one in first.missing] == [one.code for one in second.missing] == ["unauthorized"]
    assert (second.expires_at - house.clock.now()).total_seconds() <= 5  # type: ignore[operator]
    house.clock.move(2)
    assert (await house.fleet.prices(A100)).missing == []


async def test_a_clouds_own_retry_after_is_believed_longer(tmp_path: Path) -> None:
    from cloudtop.errors import RateLimited

    house, cloud = slow_house(tmp_path, RateLimited("Vast.ai asks to wait.", "Wait.", retry_after_s=60))
    await house.fleet.prices(A100)
    house.clock.move(50)
    harvest = await house.fleet.prices(A100)
    assert cloud.asked == 1
    (trouble,) = harvest.missing
    assert trouble.code == "rate_limited"
    assert trouble.retry_after_s == pytest.approx(10, abs=0.1)
    house.clock.move(11)
    await house.fleet.prices(A100)
    assert cloud.asked == 2
    await house.close()


async def test_a_host_that_refuses_is_not_asked_again_for_a_minute(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "refused")
    house = market.house(tmp_path, config=sandbox.config())
    first = await house.fleet.prices(A100)
    house.clock.move(10)
    second = await house.fleet.prices(A100)
    assert [one.code for one in (*first.missing, *second.missing)] == ["unreachable", "unreachable"]
    assert len(house.store.audit_records(None)) == 1
    await house.close()


async def test_one_failing_scope_leaves_the_other_answering(house: House, sandbox: Sandbox) -> None:
    sandbox.fault("vast", "500", text='"bid"')
    harvest = await house.fleet.prices(PriceQuery(("A100",), None))
    assert [one.code for one in harvest.missing] == ["unavailable"]
    assert len(harvest.scopes) == 1
    assert prices_held(house, harvest.scopes)


async def test_a_defect_of_a_connector_is_a_trouble_and_its_traceback_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house, _ = slow_house(tmp_path, KeyError("sk-secret"))
    with caplog.at_level(logging.DEBUG, "mcp_server.flight"):
        harvest = await house.fleet.prices(A100)
    (trouble,) = harvest.missing
    assert trouble.code == "invalid"
    assert "KeyError" in trouble.message
    assert "sk-secret" not in trouble.message
    assert "Traceback" in caplog.text
    await house.close()


async def test_scopes_of_all_clouds_are_asked_at_the_same_time(tmp_path: Path) -> None:
    house, cloud = slow_house(tmp_path, 0.2, [offer(1.0)], scopes=8)
    harvest = await house.fleet.prices(A100)
    assert cloud.asked == cloud.at_once == 8
    assert len(harvest.scopes) == 8
    await house.close()


async def test_progress_names_each_cloud_once(tmp_path: Path, sandbox: Sandbox) -> None:
    listed = price_list(tmp_path / "own.csv", {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, config=sandbox.config(), lists=[listed])
    told: list[tuple[float, float | None, str]] = []

    async def progress(done: float, total: float | None, message: str) -> None:
        told.append((done, total, message))

    await house.fleet.prices(A100, progress=progress)
    assert [(done, total) for done, total, _ in told] == [(1, 2), (2, 2)]
    assert {message for _, _, message in told} == {"Vast.ai answered", "Price lists answered"}
    await house.close()


async def test_offline_asks_nobody_and_says_so_and_still_reads_files(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    listed = price_list(tmp_path / "own.csv", {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, config=sandbox.config(), lists=[listed], offline=True)
    harvest = await house.fleet.prices(A100)
    assert sandbox.requests == []
    (trouble,) = harvest.missing
    assert "offline" in trouble.message
    assert "--offline" in trouble.next_step
    assert prices_held(house, harvest.scopes) == [2.0]
    await house.close()


async def test_a_disabled_provider_is_not_asked_and_only_spoken_of_when_named(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    config = sandbox.config()
    config["providers"]["vast"]["enabled"] = False
    house = market.house(tmp_path, config=config)
    assert (await house.fleet.prices(A100)).missing == []
    (trouble,) = (await house.fleet.prices(A100, ("vast",))).missing
    assert "switched off" in trouble.message
    assert sandbox.requests == []
    await house.close()


async def test_a_provider_without_credentials_is_told_with_what_to_set(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    house = market.house(tmp_path)
    house.fleet.facts["vast"] = replace(house.fleet.facts["vast"], keyless=())  # type: ignore[index]
    (named,) = (await house.fleet.prices(A100, ("vast",))).missing
    (unnamed,) = (await house.fleet.prices(A100)).missing
    assert named.code == unnamed.code == "not_configured"
    assert "VAST_API_KEY" in named.next_step
    assert named.reference == "https://docs.vast.ai/api-reference"
    assert (named.severity, unnamed.severity) == ("error", "info")
    await house.close()


async def test_a_seller_without_connector_is_not_covered_unless_a_list_has_it(tmp_path: Path) -> None:
    listed = price_list(tmp_path / "own.csv", {"provider": "nebius", "gpu": "H100", "price_per_hour_usd": 3})
    house = market.house(tmp_path, lists=[listed])
    harvest = await house.fleet.prices(A100, ("nebius", "coreweave"))
    assert [(one.provider, one.code) for one in harvest.missing] == [("coreweave", "not_covered")]
    await house.close()


async def test_a_price_list_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path = price_list(tmp_path / "own.csv", {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, lists=[path])
    first = await house.fleet.prices(A100, ("aws",))
    house.clock.move(86_400 * 40)
    second = await house.fleet.prices(A100, ("aws",))
    assert len(first.fetched) == 1
    assert second.asked == set()
    price_list(path, {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2.75})
    third = await house.fleet.prices(A100, ("aws",))
    assert prices_held(house, third.scopes) == [2.75]
    await house.close()


async def test_a_missing_price_list_is_a_trouble_and_the_others_speak(tmp_path: Path) -> None:
    here = price_list(tmp_path / "own.csv", {"provider": "coreweave", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, lists=[here, tmp_path / "gone.csv"])
    harvest = await house.fleet.prices(A100, ("coreweave",))
    assert [one.code for one in harvest.missing] == ["not_found"]
    assert prices_held(house, harvest.scopes) == [2.0]
    await house.close()


async def test_the_shipped_list_is_silent_on_sellers_that_answered_or_stand_in_an_own_list(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = price_list(tmp_path / "own.csv", {"provider": "aws", "gpu": "A100", "price_per_hour_usd": 2})
    house = market.house(tmp_path, config=sandbox.config(), lists=[path], shipped=True)
    harvest = await house.fleet.prices(A100)
    assert harvest.superseded == ("aws", "vast")
    assert SHIPPED in {one.account for one in harvest.scopes}
    sandbox.fault("vast", "500")
    other = market.house(tmp_path / "other", config=sandbox.config(), shipped=True)
    assert (await other.fleet.prices(A100)).superseded == ()
    await house.close()
    await other.close()


async def test_notes_of_a_connector_are_given_with_cached_answers_too(tmp_path: Path) -> None:
    rows = [
        {"provider": "coreweave", "gpu": "A100", "price_per_hour_usd": 2},
        {"provider": "coreweave", "gpu": "A100", "price_per_hour_usd": "two dollars"},
    ]
    house = market.house(tmp_path, lists=[price_list(tmp_path / "own.csv", *rows)])
    first = await house.fleet.prices(A100, ("coreweave",))
    again = await house.fleet.prices(A100, ("coreweave",))
    assert [one.severity for one in first.missing] == ["warning"]
    assert again.missing == first.missing
    assert again.asked == set()
    await house.close()


async def test_every_provider_has_a_row_that_says_how_it_stands(tmp_path: Path) -> None:
    house = market.house(tmp_path, environ={"VAST_API_KEY": "a-key-of-mine"})
    rows = {row["provider"]: row for row in house.fleet.providers()}
    assert {"aws", "vast", "pricelist", "coreweave", "kubernetes", "runpod"} <= rows.keys()
    vast, coreweave = rows["vast"], rows["coreweave"]
    assert (vast["enabled"], vast["configured"], vast["accounts"]) == (True, True, ["default"])
    assert vast["credential_names"] == ["VAST_API_KEY", "VASTAI_API_KEY"]
    assert vast["reason"] is None
    assert (coreweave["configured"], coreweave["kinds"]) == (False, [])
    assert "no connector" in coreweave["reason"]
    assert "a-key-of-mine" not in str(rows)
    await house.close()


async def test_another_process_failure_is_reported_without_asking_again(tmp_path: Path) -> None:
    from cloudtop.errors import Unavailable

    clouds = [Slow([0.2, Unavailable("Vast.ai is in trouble.", "Wait.")]) for _ in range(2)]
    houses = [
        market.house(tmp_path, connectors={"vast": cloud}, config=NO_LISTS, clock=SystemClock())
        for cloud in clouds
    ]
    harvests = await asyncio.gather(*(house.fleet.prices(A100) for house in houses))
    assert sorted(cloud.asked for cloud in clouds) == [0, 1]
    assert [one.code for harvest in harvests for one in harvest.missing] == ["unavailable"] * 2
    for house in houses:
        await house.close()


async def test_a_lease_whose_holder_died_is_taken_over(tmp_path: Path) -> None:
    cloud = Slow([[offer(1.5)]])
    house = market.house(tmp_path, connectors={"vast": cloud}, config=NO_LISTS)
    (scope,) = cloud.price_scopes(A100)
    assert house.store.lease(scope, 2.0)
    harvest = await house.fleet.prices(A100, deadline_s=10)
    assert cloud.asked == 1
    assert (house.clock.now() - NOON).total_seconds() == pytest.approx(2.0, abs=0.1)
    assert prices_held(house, harvest.scopes) == [1.5]
    await house.close()


async def test_a_lease_that_outlasts_the_deadline_is_too_slow(tmp_path: Path) -> None:
    cloud = Slow([[offer(1.5)]])
    house = market.house(tmp_path, connectors={"vast": cloud}, config=NO_LISTS, clock=SystemClock())
    (scope,) = cloud.price_scopes(A100)
    assert house.store.lease(scope, 60.0)
    harvest = await house.fleet.prices(A100, deadline_s=0.2)
    assert cloud.asked == 0
    assert [one.code for one in harvest.missing] == ["too_slow"]
    await house.close()


async def test_a_cloud_that_holds_on_to_its_cancellation_does_not_hold_the_question(tmp_path: Path) -> None:
    let_go = asyncio.Event()

    class Stubborn(Slow):
        async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
            try:
                await asyncio.sleep(30)
            finally:
                await let_go.wait()
            yield []

    house = market.house(tmp_path, connectors={"vast": Stubborn([])}, config=NO_LISTS)
    async with asyncio.timeout(10):
        harvest = await house.fleet.prices(A100, deadline_s=0.2)
    assert [one.code for one in harvest.missing] == ["too_slow"]
    let_go.set()
    await house.close()


async def test_a_provider_that_answers_some_kinds_only_with_a_key_says_which(tmp_path: Path) -> None:
    house = market.house(tmp_path)
    house.fleet.facts["vast"] = replace(house.fleet.facts["vast"], keyless=("gpu_offers",))  # type: ignore[index]
    (row,) = [one for one in house.fleet.providers() if one["provider"] == "vast"]
    assert row["configured"] is True
    assert "health" in row["reason"]
    assert "VAST_API_KEY" in row["reason"]
    await house.close()


async def test_a_corrected_file_is_read_at_once(tmp_path: Path) -> None:
    from cloudtop.models import Trouble
    from mcp_server.want import Want, held

    house = market.house(tmp_path)
    scope = Scope("pricelist", "own", query='{"file":"mine.csv"}')
    house.store.trouble(scope, Trouble("pricelist", "invalid", "Line 2 has no price.", "Correct it."))
    known = house.store.freshness([scope])[scope]
    pages = Slow([]).gpu_offers
    assert held(Want(scope, pages, "a list", 60.0), known, house.clock.now()) is not None
    assert held(Want(scope, pages, "a list", 60.0, "12:34"), known, house.clock.now()) is None
    await house.close()


async def test_a_failure_while_the_store_is_closing_is_no_news(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from mcp_server.flight import Flights
    from mcp_server.want import Want

    house = market.house(tmp_path)
    flights = Flights(house.store, house.clock, lambda _: None)
    want = Want(Scope("vast"), Slow([]).gpu_offers, "Vast.ai", 60.0)
    house.store.close()
    with caplog.at_level(logging.WARNING):
        assert await flights.outcome(want, house.clock.monotonic() + 5) is not None
    assert caplog.records == []
