"""MCP clients whose own model may be asked: it says what a script says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from mcp import Client
from mcp.types import CallToolResult, ErrorData, InputRequiredResult

from cloudtop.cli.build import House
from tests.agent.test_models import HEAD, LIST
from tests.agent.wires import Turn
from tests.switched import only

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
CHEAPEST, LOST = "cheapest A100", "is anything on fire"
"""What the planner understands, and what it can make nothing of."""

A100 = ("compare_gpu_prices", {"gpu": ["A100"]})
GONE = "answered too late, or to another process than the one that asked"
TRUTH = "The cheapest A100 is $1.50 per GPU-hour on lambda."
WITH_TOOLS = types.SamplingCapability(tools=types.SamplingToolsCapability())


class Model:
    """A client's model: scripted turns, the last one for ever. It keeps what it was asked."""

    def __init__(self, *turns: Turn | ErrorData, takes_s: float = 0.0) -> None:
        self.turns, self.takes_s = turns, takes_s
        self.asked: list[types.CreateMessageRequestParams] = []

    async def __call__(self, ctx: Any, params: types.CreateMessageRequestParams) -> Any:
        self.asked.append(params)
        await asyncio.sleep(self.takes_s)
        return self.reply(len(self.asked))

    def reply(self, n: int) -> Any:
        """Its nth turn."""
        turn = self.turns[min(n, len(self.turns)) - 1]
        return turn if isinstance(turn, ErrorData) else sampled(turn, n)

    @property
    def told(self) -> str:
        """Everything it was ever shown."""
        return "".join(one.model_dump_json(by_alias=True) for one in self.asked).replace('\\"', '"')


def sampled(turn: Turn, n: int) -> types.CreateMessageResultWithTools:
    calls = [
        types.ToolUseContent(id=f"call_{n}_{i}", name=name, input=dict(given))
        for i, (name, given) in enumerate(turn.calls)
    ]
    words = [types.TextContent(text=turn.words)] if turn.words else []
    why = turn.more.get("stop_reason") or ("toolUse" if calls else "endTurn")
    return types.CreateMessageResultWithTools(
        role="assistant", model="scripted", content=[*words, *calls], stop_reason=why
    )


def config(home: Path, **agent: Any) -> Path:
    """A configuration that asks no cloud and reads a list of two offers."""
    (home / "list.csv").write_text(HEAD + LIST)
    lists = {"options": {"files": [str(home / "list.csv")], "shipped": False}}
    file = home / "config.json"
    file.write_text(json.dumps({"agent": agent, "providers": {**only(), "pricelist": lists}}))
    return file


def set_to(house: House, **terms: Any) -> None:
    house.settings = replace(house.settings, agent=replace(house.settings.agent, **terms))


def client_of(house: House, model: Model | None, era: str = "auto", **more: Any) -> Client:
    able = {"sampling_callback": model, "sampling_capabilities": WITH_TOOLS} if model else {}
    return Client(house.server(house.runtime()), mode=era, **{**able, **more})


def answered(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content
    row: dict[str, Any] = result.structured_content["rows"][0]
    return row


async def asked(house: House, question: str, model: Model | None, era: str, **more: Any) -> dict[str, Any]:
    async with client_of(house, model, era, **more) as client:
        return answered(await client.call_tool("ask", {"question": question}))


def good() -> Model:
    return Model(Turn([A100]), Turn(words=TRUTH))


def note(row: dict[str, Any]) -> str:
    """What is said of the client's model, without its usual beginning and end."""
    (line,) = [line for line in row["answer"].splitlines() if "client's model" in line]
    begins, ends = "- Note: The client's model ", "; the built-in planner answered."
    assert line.startswith(begins)
    assert line.endswith(ends)
    assert row["model"] == "planner"
    return line.removeprefix(begins).removesuffix(ends)


class Rounds:
    """One question, its rounds driven by hand."""

    def __init__(self, client: Client, question: str = CHEAPEST, **more: Any) -> None:
        self.client, self.arguments, self.model = client, {"question": question, **more}, good()
        self.state: str | None = None

    async def send(
        self, replies: dict[str, Any] | None = None, arguments: dict[str, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        result = await self.client.session.call_tool(
            "ask",
            arguments or self.arguments,
            input_responses=replies,
            request_state=self.state,
            allow_input_required=True,
        )
        assert isinstance(result, CallToolResult | InputRequiredResult)
        return result

    async def wanted(self, replies: dict[str, Any] | None = None) -> types.CreateMessageRequestParams:
        """The turn that the server asks for."""
        result = await self.send(replies)
        assert isinstance(result, InputRequiredResult), result
        self.state = result.request_state
        (request,) = (result.input_requests or {}).values()
        assert isinstance(request, types.CreateMessageRequest)
        return request.params

    async def row(self, replies: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The answer."""
        result = await self.send(replies, **more)
        assert isinstance(result, CallToolResult), result
        return answered(result)

    def turn(self, n: int) -> dict[str, Any]:
        """The model's nth turn, as it is sent."""
        return {"model": self.model.reply(n)}
