"""Who lets their model be asked, how a question waits for it, and that nobody else can go on with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import mcp.types as types
import pytest
from mcp import Client
from mcp.types import ErrorData

from cloudtop.cli.build import House, build
from mcp_server import sampling
from tests.agent.wires import Turn
from tests.cli.client_models import (
    A100,
    CHEAPEST,
    ERAS,
    GONE,
    LOST,
    TRUTH,
    WITH_TOOLS,
    Model,
    Rounds,
    answered,
    asked,
    client_of,
    config,
    good,
    note,
    set_to,
)
from tests.mcp_server.test_protocol import Hanging
from tests.switched import only

DECLINED = ErrorData(code=-1, message="User rejected sampling request")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = build(config(tmp_path, client_model="always"), tmp_path / "home")
    yield made
    await made.aclose()


# --- who lets it be asked ---------------------------------------------------------------------------------


@ERAS
@pytest.mark.parametrize("able", [None, types.SamplingCapability()], ids=["no sampling", "no tools"])
async def test_a_client_that_lacks_something_gets_the_planners_answer(
    house: House, era: str, able: types.SamplingCapability | None
) -> None:
    model = good()
    more = {"sampling_callback": model, "sampling_capabilities": able} if able else {}
    row = await asked(house, CHEAPEST, None, era, **more)
    assert note(row) == "was not asked: the client offers no sampling with tools"
    set_to(house, client_model="unclear")
    row = await asked(house, LOST, None, era, **more)
    assert "client" not in row["answer"], "nobody wished for it"
    assert model.asked == []


async def test_where_the_person_declines_the_planner_answers(house: House) -> None:
    row = await asked(house, CHEAPEST, Model(DECLINED), "legacy")
    assert note(row) == "did not answer: the client declined"
    halfway = Model(Turn([A100]), DECLINED)
    assert note(await asked(house, CHEAPEST, halfway, "legacy")) == "did not answer: the client declined"


async def test_a_client_that_hangs_gets_the_planners_answer_in_time(house: House) -> None:
    set_to(house, timeout_s=0.3)
    model = Model(Turn([A100]), takes_s=60)
    async with asyncio.timeout(10):
        row = await asked(house, CHEAPEST, model, "legacy")
    assert note(row) == "did not answer within 0.3 s"


@ERAS
async def test_an_image_in_place_of_a_turn_says_nothing(house: House, era: str) -> None:
    class Draws(Model):
        def reply(self, n: int) -> Any:
            picture = types.ImageContent(data="AAAA", mime_type="image/png")
            return types.CreateMessageResult(role="assistant", model="draws", content=picture)

    assert note(await asked(house, CHEAPEST, Draws(), era)) == "called no tool"


# --- between two requests of 2026-07-28 -------------------------------------------------------------------


async def test_each_round_is_another_state_and_the_last_has_the_answer(house: House) -> None:
    async with client_of(house, good()) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        first = rounds.state
        assert len((await rounds.wanted(rounds.turn(1))).messages) == 3
        assert rounds.state != first
        row = await rounds.row(rounds.turn(2))
    assert row["model"] == "client"
    assert TRUTH in row["answer"]


OTHERS: dict[str, Callable[[str], str | None]] = {
    "invented": lambda state: "x" * len(state),
    "changed": lambda state: state[:-1] + ("a" if state[-1] != "a" else "b"),
    "empty": lambda state: "",
}


@pytest.mark.parametrize("how", OTHERS)
async def test_a_state_that_nobody_gave_leaves_the_question_to_the_planner(house: House, how: str) -> None:
    async with client_of(house, good()) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        assert rounds.state
        rounds.state = OTHERS[how](rounds.state)
        assert note(await rounds.row(rounds.turn(1))) == GONE


async def test_a_state_is_good_for_one_turn_of_its_own_question(house: House) -> None:
    async with client_of(house, good()) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        first = rounds.state
        other = {"question": "cheapest H100"}
        assert note(await rounds.row(rounds.turn(1), arguments=other)) == GONE
        await rounds.wanted(rounds.turn(1))
        second, rounds.state = rounds.state, first
        assert note(await rounds.row(rounds.turn(1))) == GONE
        rounds.state = second
        assert (await rounds.row(rounds.turn(2)))["model"] == "client"


async def test_a_state_does_not_make_an_order_a_question(house: House) -> None:
    async with client_of(house, good()) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        row = await rounds.row(rounds.turn(1), arguments={"question": "delete all my instances"})
    assert (row["status"], row["calls"]) == ("refused", [])


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        (None, "did not answer: the client declined"),
        ({"somebody": types.ElicitResult(action="cancel")}, "did not answer: the client declined"),
        ({"model": types.ElicitResult(action="cancel")}, "answered with something that cannot be read"),
    ],
    ids=["nothing", "to another name", "a form"],
)
async def test_a_round_without_a_turn_leaves_the_question_to_the_planner(
    house: House, replies: dict[str, Any] | None, says: str
) -> None:
    async with client_of(house, good()) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        assert note(await rounds.row(replies)) == says


async def test_a_turn_that_is_too_late_finds_the_planners_answer_ready(house: House) -> None:
    set_to(house, timeout_s=0.3)
    async with client_of(house, good()) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        await asyncio.sleep(0.6)
        assert note(await rounds.row(rounds.turn(1))) == "did not answer within 0.3 s"


async def test_a_question_that_nobody_goes_on_with_is_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "LATE_S", 0.0)
    set_to(house, timeout_s=0.3)
    server = house.server(house.runtime())
    async with Client(server, sampling_callback=good(), sampling_capabilities=WITH_TOOLS) as client:
        rounds = Rounds(client)
        await rounds.wanted()
        assert server.waiting.count == 1
        await asyncio.sleep(0.6)
        assert server.waiting.count == 0
        assert note(await rounds.row(rounds.turn(1))) == GONE


async def test_so_many_questions_of_one_caller_wait_and_the_next_is_the_planners(house: House) -> None:
    async with client_of(house, good()) as client:
        waiting = [Rounds(client) for _ in range(sampling.OWN)]
        for one in waiting:
            await one.wanted()
        row = await Rounds(client).row()
        assert note(row) == "was not asked: too many questions wait for their models"
        await waiting[0].wanted(waiting[0].turn(1))
        for n, one in enumerate(waiting):
            one.state = one.state if n else waiting[0].state
            row = await one.row(one.turn(2))
            assert row["model"] == ("client" if n == 0 else "planner"), "words alone are no answer"
        await Rounds(client).wanted()


async def test_the_end_of_the_server_ends_the_questions_that_wait(house: House) -> None:
    server = house.server(house.runtime())
    before = asyncio.all_tasks()
    async with Client(server, sampling_callback=good(), sampling_capabilities=WITH_TOOLS) as client:
        await Rounds(client).wanted()
    assert server.waiting.count == 0
    async with asyncio.timeout(5):
        await asyncio.gather(*asyncio.all_tasks() - before, return_exceptions=True)


@ERAS
async def test_who_stops_waiting_between_two_turns_hangs_up_on_the_clouds(tmp_path: Path, era: str) -> None:
    async with Hanging() as cloud:
        file = tmp_path / "config.json"
        vast = {"vast": {"enabled": True, "options": {"endpoint": cloud.url}}}
        file.write_text(json.dumps({"agent": {"client_model": "always"}, "providers": {**only(), **vast}}))
        house = build(file, tmp_path / "home")
        async with client_of(house, good(), era) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "ask", {"question": CHEAPEST})
                async with asyncio.timeout(5):
                    await cloud.heard.wait()
                assert not cloud.gone.is_set()
                group.cancel_scope.cancel()
            async with asyncio.timeout(2):
                await cloud.gone.wait()
        await house.aclose()


@ERAS
async def test_progress_is_told_to_whichever_request_waits(house: House, era: str) -> None:
    heard: list[Any] = []

    async def progress(*told: Any) -> None:
        heard.append(told)

    async with client_of(house, good(), era) as client:
        result = await client.call_tool("ask", {"question": CHEAPEST}, progress_callback=progress)
    assert answered(result)["model"] == "client"
    assert heard
