"""plan, act, check, answer: one graph for the built-in planner and for every LLM.

State holds references; rows lie in `Results` beside it, so that nothing large is copied between steps.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.graph import END, START, StateGraph

from agent.chat_model import PLAN
from agent.check import struck
from agent.feeding import EMPTY, MOST, batches, folded, joined, reference
from agent.planner.query import Plan
from agent.rows import filtered
from agent.tools import Tool, ToolFailed

TURNS = 6
"""Model turns in one question; the planner needs two, and one more where a call feeds another."""


@dataclass(slots=True)
class Called:
    """One finished call: what was asked, what came back, or the sentence it failed with."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    result: dict[str, Any] | None = None
    again: dict[str, Any] | None = None
    """The arguments that ask the same without an earlier call, where there are such."""
    text: str = ""
    error: str | None = None
    exit_code: int = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the result, none when the call failed."""
        return self.result["rows"] if self.result else []


@dataclass(slots=True)
class Results:
    """What one question brought, by call id, in order; `program` is how the command line is called.

    `whole`: the calls that are read to their last page.
    """

    program: str | None = "cloudtop"
    question: str = ""
    whole: frozenset[str] = frozenset()
    calls: dict[str, Called] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows of all calls."""
        return [row for call in self.calls.values() for row in call.rows]

    @property
    def feeding(self) -> frozenset[str]:
        """The calls that others take an argument from."""
        found = (reference(call.arguments) for call in self.calls.values())
        return frozenset(one[1] for one in found if one is not None)


class State(TypedDict, total=False):
    """What travels through the graph."""

    messages: Annotated[list[BaseMessage], operator.add]
    turns: Annotated[int, operator.add]
    plan: Plan | None
    prose: str
    struck: list[str]
    answer: Any


def graph(
    model: BaseChatModel,
    tools: Mapping[str, Tool],
    results: Results,
    render: Callable[[Plan | None, Results, str, Sequence[str]], Any],
    numbers: Sequence[float] = (),
) -> Any:
    """The compiled graph. `render` makes the answer; `numbers` are those of the question itself."""
    bound = model.bind_tools([tool.bound for tool in tools.values()])

    async def plan(state: State) -> State:
        message = await bound.ainvoke(state["messages"])
        made = message.response_metadata.get(PLAN) or state.get("plan")
        return {"messages": [message], "turns": 1, "plan": made}

    async def act(state: State) -> State:
        message = _last(state)
        made = state.get("plan")
        then = made.then if made is not None else None
        done = await asyncio.gather(
            *(_called(tools, call, results, then or {}) for call in message.tool_calls)
        )
        for one in done:
            results.calls[one.id] = one
        return {"messages": [_seen(one) for one in done]}

    async def check(state: State) -> State:
        said = _last(state).content
        kept, out = struck(said if isinstance(said, str) else "", results.rows, numbers)
        return {"prose": kept, "struck": out}

    async def answer(state: State) -> State:
        return {"answer": render(state.get("plan"), results, state["prose"], state["struck"])}

    def acting(state: State) -> str:
        return "act" if _last(state).tool_calls and state["turns"] < TURNS else "check"

    made = StateGraph(State)
    steps: dict[str, Callable[[State], Awaitable[State]]] = {
        "plan": plan,
        "act": act,
        "check": check,
        "answer": answer,
    }
    for name, step in steps.items():
        made.add_node(name, step)  # type: ignore[call-overload]
    made.add_edge(START, "plan")
    made.add_conditional_edges("plan", acting, {"act": "act", "check": "check"})
    made.add_edge("act", "plan")
    made.add_edge("check", "answer")
    made.add_edge("answer", END)
    return made.compile()


def _last(state: State) -> AIMessage:
    message = state["messages"][-1]
    if not isinstance(message, AIMessage):
        raise TypeError("the model's turn did not end with its message")
    return message


async def _called(
    tools: Mapping[str, Tool], call: Mapping[str, Any], results: Results, then: Mapping[str, Any]
) -> Called:
    """Run one tool call; its failure is data, so that its siblings' rows are kept."""
    one = Called(str(call["id"]), call["name"], dict(call["args"]))
    tool = tools.get(one.tool)
    if tool is None:
        one.error, one.exit_code = f"This server has no tool {one.tool}.", 1
        return one
    try:
        asked = _asked(one, tool, results, then)
        parts = await asyncio.gather(*(tool(arguments, whole=one.id in results.whole) for arguments in asked))
    except ToolFailed as failed:
        one.error, one.exit_code = failed.text, failed.exit_code
    else:
        one.text = "\n".join(text for text, _ in parts)
        one.result = joined([result for _, result in parts], one.arguments) if parts else dict(EMPTY)
    return one


def _asked(one: Called, tool: Tool, results: Results, then: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments to call with: as they are, or with what an earlier call found, so many at a time."""
    fed = reference(one.arguments)
    if fed is None:
        return [dict(one.arguments)]
    argument, source, name = fed
    feeder = results.calls[source]
    if feeder.error is not None:
        raise ToolFailed(f"{one.tool} was not asked, for {feeder.tool} failed.", None)
    rows, _ = filtered(feeder.rows, then.get("before") or ())
    values = list(dict.fromkeys(row[name] for row in rows if row.get(name)))
    if not then.get("before"):
        one.again = folded(one.arguments, feeder.arguments, tool.takes)
    if len(values) > MOST and one.again is not None:
        return [one.again]
    return list(batches(one.arguments, argument, values))


def _seen(one: Called) -> ToolMessage:
    """What a model sees of a call."""
    return ToolMessage(
        content=one.error or one.text, tool_call_id=one.id, status="error" if one.error else "success"
    )
