"""`ask` inside a client whose own model may be asked: it takes the turns, or the planner answers and says why.

The client is the real one; its model says what a script says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from mcp import Client
from mcp.types import CallToolResult, ErrorData

from cloudtop.cli.build import House, build
from tests.agent.test_models import HEAD, LIES, LIST
from tests.agent.wires import Turn
from tests.switched import only

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
CHEAPEST, LOST = "cheapest A100", "is anything on fire"
A100 = ("compare_gpu_prices", {"gpu": ["A100"]})
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


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "list.csv").write_text(HEAD + LIST)
    config = tmp_path / "config.json"
    lists = {"options": {"files": [str(tmp_path / "list.csv")], "shipped": False}}
    config.write_text(json.dumps({"providers": {**only(), "pricelist": lists}}))
    made = build(config, tmp_path / "home")
    set_to(made, client_model="always")
    yield made
    await made.aclose()


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


@ERAS
async def test_the_clients_model_calls_a_tool_and_its_true_words_stand_in_the_answer(
    house: House, era: str
) -> None:
    model = Model(Turn([A100]), Turn(words=TRUTH))
    row = await asked(house, CHEAPEST, model, era)
    assert row["model"] == "client"
    assert row["status"] == "answered"
    assert f"against the rows: {TRUTH}" in row["answer"]
    assert "$2.50" in row["answer"], "the table is code's"
    assert [call["arguments"] for call in row["calls"]] == [{"gpu": ["A100"]}]
    assert len(model.asked) == 2


@ERAS
async def test_it_is_asked_with_the_rules_the_bounds_and_the_tools_that_only_read(
    house: House, era: str
) -> None:
    model = Model(Turn([A100]), Turn(words=TRUTH))
    await asked(house, CHEAPEST, model, era)
    first, second = model.asked
    names = {tool.name for tool in first.tools or []}
    assert {"compare_gpu_prices", "list_resources", "compute"} <= names
    assert "ask" not in names, "that is this agent itself"
    assert first.max_tokens == 4096
    assert "never an instruction" in (first.system_prompt or "")
    assert [one.role for one in second.messages] == ["user", "assistant", "user"]
    used, result = (one.content_as_list[0] for one in second.messages[1:])
    assert isinstance(used, types.ToolUseContent)
    assert isinstance(result, types.ToolResultContent)
    assert result.tool_use_id == used.id == "call_1_0"


@ERAS
async def test_results_of_one_turn_are_one_message_and_a_failed_call_says_so(house: House, era: str) -> None:
    unknown, write = ("no_such_tool", {}), ("delete_resource", {"id": "i-0001"})
    wrong = ("compare_gpu_prices", {"gpus_wanted": "A100"})
    model = Model(Turn([unknown, A100, write, wrong]), Turn(words="Done."))
    row = await asked(house, CHEAPEST, model, era)
    results = model.asked[1].messages[-1].content_as_list
    assert [bool(one.is_error) for one in results if isinstance(one, types.ToolResultContent)] == [
        True,
        False,
        True,
        True,
    ]
    assert "no tool delete_resource" in model.told
    assert "gpus_wanted" in model.told
    assert row["status"] == "partial"
    assert len(row["rows"]) == 2


@ERAS
async def test_its_lies_are_struck_and_its_truth_stays(house: House, era: str) -> None:
    model = Model(Turn([A100]), Turn(words=" ".join([*LIES.values(), TRUTH])))
    row = await asked(house, CHEAPEST, model, era)
    for what, lie in LIES.items():
        assert lie not in row["answer"], what
    assert TRUTH in row["answer"]
    assert f"{len(LIES)} sentence(s)" in row["answer"]


@ERAS
async def test_code_computes_what_it_wants_computed(house: House, era: str) -> None:
    median = ("compute", {"op": "median", "field": "usd_per_gpu_hour"})
    words = "The median A100 is $2.00 per GPU-hour. The median A100 is $2.10 per GPU-hour."
    row = await asked(house, "median A100", Model(Turn([A100]), Turn([median]), Turn(words=words)), era)
    assert "$2.00 per GPU-hour over 2 offers" in row["answer"].splitlines()[0]
    assert "against the rows: The median A100 is $2.00 per GPU-hour.\n" in row["answer"]


FAILURES: dict[str, tuple[Model, dict[str, Any], str]] = {
    "declining": (Model(Turn(words="No.", more={"stop_reason": "refusal"})), {}, "declined to answer"),
    "looping": (Model(Turn([A100])), {"turns": 4}, "found no end in 4 turns"),
    "too many calls": (Model(Turn([A100] * 5)), {"calls": 4}, "wanted more than 4 calls"),
    "too many letters": (Model(Turn([A100], "x" * 9000)), {"tokens": 2000}, "more than 2,000 tokens"),
    "words alone": (Model(Turn(words="An A100 is $0.10 per hour, trust me.")), {}, "called no tool"),
    "nothing at all": (Model(Turn()), {}, "called no tool"),
    "only unknown tools": (Model(Turn([("x", {})]), Turn(words="Sorry.")), {}, "made no call that worked"),
    "only writes": (Model(Turn([("stop", {"id": "*"})]), Turn(words="Stopped.")), {}, "made no call that"),
    "too late": (Model(Turn([A100]), takes_s=0.8), {"timeout_s": 0.4}, "did not answer within 0.4 s"),
}


@ERAS
@pytest.mark.parametrize("failure", FAILURES)
async def test_where_it_fails_the_planner_answers_and_says_so_in_one_line(
    house: House, era: str, failure: str
) -> None:
    scripted, terms, says = FAILURES[failure]
    set_to(house, **terms)
    model = Model(*scripted.turns, takes_s=scripted.takes_s)
    row = await asked(house, CHEAPEST, model, era)
    assert row["model"] == "planner"
    assert row["status"] == "answered"
    assert "$1.50 per GPU-hour" in row["answer"]
    (line,) = [line for line in row["answer"].splitlines() if "client's model" in line]
    assert line.startswith("- Note: The client's model ")
    assert line.endswith("; the built-in planner answered.")
    assert says in line
    assert "trust me" not in row["answer"]
