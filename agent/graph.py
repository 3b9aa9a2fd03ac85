"""plan, act, check, answer: one graph for the built-in planner and for every LLM.

State holds references; rows lie in `Results` beside it, so that nothing large is copied between steps.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypedDict

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.graph import END, START, StateGraph

from agent.chat_model import PLAN
from agent.check import traced
from agent.feeding import EMPTY, MOST, batches, folded, joined, reference, values_of
from agent.planner.query import Plan
from agent.reckoning import COMPUTE, NotComputed, figures, reckoned, said, then_of
from agent.rows import filtered
from agent.tools import Tool, ToolFailed


class Turns(Protocol):
    """Whose turns these are: the planner's, or a model's within its bounds."""

    async def turn(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """The next message: calls, or the last words."""
        ...

    def given(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call as they are meant."""
        ...

    def seen(self, call: Called) -> str:
        """What is told of a finished call."""
        ...

    def said(self, message: AIMessage) -> str:
        """The prose of a message."""
        ...


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
    by_model: bool = False
    calls: dict[str, Called] = field(default_factory=dict)
    reckoned: Plan | None = None
    """What a model last had computed, and over which call alone (`chosen`); None where it had nothing."""
    chosen: str | None = None
    figures: list[float] = field(default_factory=list)

    @property
    def held(self) -> list[dict[str, Any]]:
        """The results that came, in order."""
        return [call.result for call in self.calls.values() if call.result is not None]

    @property
    def telling(self) -> list[Called]:
        """The calls whose rows answer, and those that feed them: of a plan all, of a model the last.

        For a model looks around. Where it had something computed, the call that was computed over tells.
        """
        if not self.by_model:
            return list(self.calls.values())
        worked = [call.id for call in self.calls.values() if call.result is not None]
        wanted = self.chosen or next(reversed(worked), None)
        chain: list[Called] = []
        while wanted is not None:
            chain.insert(0, self.calls[wanted])
            fed = reference(self.calls[wanted].arguments)
            wanted = fed[1] if fed is not None else None
        return chain

    @property
    def feeding(self) -> frozenset[str]:
        """The calls that others take an argument from, of those that tell."""
        found = (reference(call.arguments) for call in self.telling)
        return frozenset(one[1] for one in found if one is not None)


class State(TypedDict, total=False):
    """What travels through the graph."""

    messages: Annotated[list[BaseMessage], operator.add]
    plan: Plan | None
    prose: str
    struck: list[str]
    answer: Any


def graph(
    turns: Turns,
    tools: Mapping[str, Tool],
    results: Results,
    render: Callable[[Plan | None, Results, str, Sequence[str]], Any],
) -> Any:
    """The compiled graph. `turns` says what to call and when to stop; `render` makes the answer."""

    async def plan(state: State) -> State:
        message = await turns.turn(state["messages"])
        made = message.response_metadata.get(PLAN) or state.get("plan")
        return {"messages": [message], "plan": made}

    async def act(state: State) -> State:
        message = _last(state)
        made = message.response_metadata.get(PLAN)
        then = made.then if made is not None else None
        wanted = [call for call in message.tool_calls if call["name"] != COMPUTE]
        asked = [_numbered(turns, call, results, n, made) for n, call in enumerate(wanted, 1)]
        await asyncio.gather(*(_called(tools, one, results, then or {}) for one in asked))
        for one in asked:
            results.calls[one.id] = one
        told: list[BaseMessage] = [_told(turns, one, call) for one, call in zip(asked, wanted, strict=True)]
        if asked:
            results.reckoned = results.chosen = None
        told += [await _reckoned(tools, call, results) for call in message.tool_calls if call not in wanted]
        return {"messages": told, "plan": made or results.reckoned}

    async def check(state: State) -> State:
        prose = turns.said(_last(state))
        kept, out = traced(prose, results.held, results.question, results.figures)
        return {"prose": kept, "struck": out}

    async def answer(state: State) -> State:
        return {"answer": render(state.get("plan"), results, state["prose"], state["struck"])}

    def acting(state: State) -> str:
        return "act" if _last(state).tool_calls else "check"

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


def _numbered(turns: Turns, call: Mapping[str, Any], results: Results, n: int, made: Plan | None) -> Called:
    """A call by the number that later ones refer to: the plan's own, else the next one."""
    number = str(call["id"]) if made is not None else str(len(results.calls) + n)
    return Called(number, call["name"], turns.given(call["args"]))


async def _called(tools: Mapping[str, Tool], one: Called, results: Results, then: Mapping[str, Any]) -> None:
    """Run one tool call; its failure is data, so that its siblings' rows are kept."""
    tool = tools.get(one.tool)
    if tool is None:
        one.error, one.exit_code = f"This server has no tool {one.tool}.", 1
        return
    try:
        await _read_on(tools, one, results)
        asked = _asked(one, tool, results, then)
        parts = await asyncio.gather(*(tool(arguments, whole=one.id in results.whole) for arguments in asked))
    except ToolFailed as failed:
        one.error, one.exit_code = failed.text, failed.exit_code
    else:
        one.text = "\n".join(text for text, _ in parts)
        one.result = joined([result for _, result in parts], one.arguments) if parts else dict(EMPTY)


async def _read_on(tools: Mapping[str, Tool], one: Called, results: Results) -> None:
    """Read the list that feeds a call to its last page, where nobody said how long it should be."""
    fed = reference(one.arguments)
    feeder = results.calls.get(fed[1]) if fed is not None else None
    if feeder is not None:
        await _whole(tools, feeder)


async def _whole(tools: Mapping[str, Tool], one: Called) -> None:
    """Read a finished list to its end, unless its length was asked for."""
    asked = reference(one.arguments) is None and "limit" not in one.arguments
    if asked and one.result is not None and one.result.get("next_cursor"):
        one.text, one.result = await tools[one.tool](one.arguments, whole=True)


def _asked(one: Called, tool: Tool, results: Results, then: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments to call with: as they are, or with what an earlier call found, so many at a time."""
    fed = reference(one.arguments)
    if fed is None:
        return [dict(one.arguments)]
    argument, source, name = fed
    feeder = results.calls.get(source)
    if feeder is None:
        raise ToolFailed(f"{one.tool} was not asked: there is no finished call {source}.", None)
    if feeder.error is not None:
        raise ToolFailed(f"{one.tool} was not asked, for {feeder.tool} failed.", None)
    rows, _ = filtered(feeder.rows, then.get("before") or ())
    values = values_of(rows, name)
    if not then.get("before"):
        one.again = folded(one.arguments, feeder.arguments, tool.takes)
    if len(values) > MOST and one.again is not None:
        return [one.again]
    return list(batches(one.arguments, argument, values))


async def _reckoned(tools: Mapping[str, Tool], call: Mapping[str, Any], results: Results) -> ToolMessage:
    """Compute what a model wanted; what cannot be is told to it, so that it can want something else."""
    try:
        then = then_of(call["args"])
        number = str(call["args"].get("call") or next(reversed(results.calls), ""))
        one = results.calls.get(number)
        if one is None or one.result is None:
            raise NotComputed(f"There is no finished call {number}.")
        await _whole(tools, one)
        fed = reference(one.arguments)
        feeding = [results.calls[fed[1]].result or EMPTY] if fed is not None else []
        made = reckoned(then, one.result, feeding)
    except (NotComputed, ToolFailed) as wrong:
        return ToolMessage(content=str(wrong), tool_call_id=str(call["id"]), status="error")
    results.reckoned, results.chosen = Plan("answer", then=then), number
    results.figures += figures(made)
    return ToolMessage(content=said(made), tool_call_id=str(call["id"]))


def _told(turns: Turns, one: Called, call: Mapping[str, Any]) -> ToolMessage:
    """What a model is told of a call, under the id that it gave it."""
    status = "error" if one.error else "success"
    return ToolMessage(content=turns.seen(one), tool_call_id=str(call["id"]), status=status)
