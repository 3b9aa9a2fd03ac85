"""The tool `ask`: any client has the whole agent in one call, and a dialogue by the id of an answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, ElicitResult, TextContent

from cloudtop.cli.build import House, build
from cloudtop.sandbox.serve import Sandbox, running

CHEAPEST = "cheapest A100 now"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("vast", "runpod", "lambda"), moving=False) as made:
        yield made


@pytest.fixture
async def house(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[House]:
    sandbox.calm()
    file = tmp_path / "config.json"
    file.write_text(json.dumps(sandbox.config()))
    made = build(file, tmp_path, deadline_s=30)
    yield made
    await made.aclose()


async def called(house: House, tool: str, arguments: dict[str, Any], era: str = "auto") -> CallToolResult:
    async with Client(house.server(house.runtime()), mode=era) as client:
        return await client.call_tool(tool, arguments)


async def asked(
    house: House, question: str, conversation: str | None = None, era: str = "auto"
) -> tuple[dict[str, Any], str]:
    """The row of an answer, and its text."""
    more = {"conversation": conversation} if conversation else {}
    result = await called(house, "ask", {"question": question, **more}, era)
    (text,) = [one.text for one in result.content if isinstance(one, TextContent)]
    assert not result.is_error, text
    assert result.structured_content
    (row,) = result.structured_content["rows"]
    return row, text


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_question_is_answered_as_the_tools_that_it_names_answer(house: House, era: str) -> None:
    row, text = await asked(house, CHEAPEST, era=era)
    assert row["status"] == "answered"
    assert [one["tool"] for one in row["calls"]] == ["compare_gpu_prices"]
    again = await called(house, "compare_gpu_prices", row["calls"][0]["arguments"])
    assert again.structured_content
    cheapest = again.structured_content["rows"][0]
    assert row["rows"][0]["usd_per_gpu_hour"] == cheapest["usd_per_gpu_hour"]
    assert f"${cheapest['usd_per_gpu_hour']:.4g}" in text
    assert text.endswith(f"conversation: {row['conversation']}")


async def test_the_next_question_builds_on_the_answer_whose_id_it_gives(house: House) -> None:
    first, _ = await asked(house, CHEAPEST)
    second, _ = await asked(house, "only spot", first["conversation"])
    assert second["conversation"] == first["conversation"]
    assert second["calls"][0]["arguments"] == {**first["calls"][0]["arguments"], "spot": True}
    alone, _ = await asked(house, "only spot")
    assert alone["status"] == "clarify"
    assert alone["conversation"] != first["conversation"]


async def test_an_id_that_no_answer_gave_is_refused_by_its_name(house: House) -> None:
    result = await called(house, "ask", {"question": CHEAPEST, "conversation": "../vault"})
    assert result.is_error
    (text,) = [one.text for one in result.content if isinstance(one, TextContent)]
    assert text.startswith("ask: conversation: is the id of no answer.")


@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [
        ("delete all my instances", "refused", "write_operation"),
        ("what is the weather in Paris", "refused", "out_of_scope"),
        ("and in Europe?", "clarify", None),
    ],
)
async def test_what_is_not_answered_is_no_error_and_asks_no_cloud(
    house: House, sandbox: Sandbox, question: str, status: str, reason: str | None
) -> None:
    row, text = await asked(house, question)
    assert (row["status"], row["reason"], row["calls"]) == (status, reason, [])
    assert sandbox.requests == []
    assert all(choice in text for choice in row["choices"])


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_what_is_meant_is_asked_of_the_person_where_the_client_can(house: House, era: str) -> None:
    forms: list[Any] = []

    async def first_choice(ctx: Any, params: Any) -> ElicitResult:
        forms.append(params)
        choices = params.requested_schema["properties"]["question"]["enum"]
        return ElicitResult(action="accept", content={"question": choices[0]})

    server = house.server(house.runtime())
    async with Client(server, mode=era, elicitation_callback=first_choice) as client:
        result = await client.call_tool("ask", {"question": "show me a graph"})
    assert result.structured_content
    (row,) = result.structured_content["rows"]
    (form,) = forms
    assert row["question"] == form.requested_schema["properties"]["question"]["enum"][0]
    assert row["status"] != "clarify"
    assert row["calls"]


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_who_declines_to_say_gets_the_choices_as_text(house: House, action: Any) -> None:
    async def declines(ctx: Any, params: Any) -> ElicitResult:
        return ElicitResult(action=action)

    async with Client(house.server(house.runtime()), elicitation_callback=declines) as client:
        result = await client.call_tool("ask", {"question": "show me a graph"})
    assert result.structured_content
    assert result.structured_content["rows"][0]["status"] == "clarify"


async def test_a_cloud_that_fails_is_missing_in_the_answer(house: House, sandbox: Sandbox) -> None:
    sandbox.fault("lambda", "503")
    result = await called(house, "ask", {"question": CHEAPEST})
    assert result.structured_content
    assert [one["provider"] for one in result.structured_content["missing"]] == ["lambda"]
    assert result.structured_content["rows"][0]["status"] == "partial"


async def test_the_agent_does_not_ask_itself(house: House) -> None:
    """What the agent may call are the other tools, also when only `ask` is served."""
    async with Client(house.server(house.runtime(("ask",)))) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["ask"]
        result = await client.call_tool("ask", {"question": CHEAPEST})
    assert result.structured_content
    assert [one["tool"] for one in result.structured_content["rows"][0]["calls"]] == ["compare_gpu_prices"]


async def test_many_rows_are_counted_and_the_first_of_them_given(house: House) -> None:
    row, _ = await asked(house, "all 100 cheapest H100 offers")
    assert row["row_count"] > len(row["rows"]) > 0
