"""One question asked through an open MCP client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from mcp import Client

from agent.answer import Answer, rendered, told, unplanned
from agent.chat_model import PlannedTurns, PlannerModel
from agent.compute import OF_THE_PAGE, WHOLE
from agent.feeding import reference
from agent.graph import Results, Turns, graph
from agent.llm import Llm, LlmTurns, ModelFailed
from agent.outgoing import Outgoing
from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan as planned
from agent.planner.query import Call, Plan, Query
from agent.tools import Progress, Tool, tools_of

LEXICON = "cloudtop://lexicon"
NO_MODEL = ("write_operation", "injection", "secret")
"""Refusals of the planner that no model is asked about."""

ITSELF = "ask"
"""The tool that is this agent: a model is not given it."""

EARLIER = 4
"""Turns of a dialogue that a model is told of."""

STEPS = 100
"""Steps of one graph; a model's own bounds end it long before."""

SUMMED_UP = frozenset({"check_health", "list_providers", "get_metrics", "list_services"})
"""Tools whose rows are told as one: a first page would speak for all."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A question before in the same dialogue, and the tools and arguments that answered it."""

    question: str
    calls: Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer with its question, and the query that the next turn of a dialogue builds on."""

    question: str
    answer: Answer
    query: Query | None
    model: str
    elapsed_ms: float

    @property
    def earlier(self) -> Earlier:
        """What a model is told of it at the next question."""
        return Earlier(self.question, [(call["tool"], call["arguments"]) for call in self.answer.calls])

    def as_json(self) -> dict[str, Any]:
        """What `ask --json` prints."""
        answer = self.answer
        return {
            "question": self.question,
            "status": answer.status,
            "answer": answer.text,
            "calls": answer.calls,
            "then": answer.then,
            "reason": answer.reason,
            "rows": answer.rows,
            "sources": answer.sources,
            "missing": answer.missing,
            "applied": answer.applied,
            "ignored": answer.ignored,
            "choices": answer.choices,
            "notices": answer.notices,
            "model": self.model,
            "elapsed_ms": round(self.elapsed_ms, 1),
        }


async def lexicon_of(client: Client) -> Lexicon:
    """The words a server knows now: names that the question before has brought are among them."""
    read = await client.read_resource(LEXICON, cache_mode="refresh")
    return _lexicon(getattr(read.contents[0], "text", "{}"))


@lru_cache(maxsize=2)
def _lexicon(text: str) -> Lexicon:
    """Built once for the same words: that takes longer than planning a hundred questions."""
    return Lexicon.of(json.loads(text))


async def ask(
    client: Client,
    question: str,
    *,
    lexicon: Lexicon,
    now: datetime,
    previous: Query | None = None,
    plan_only: bool = False,
    model: Llm | None = None,
    earlier: Sequence[Earlier] = (),
    progress: Progress | None = None,
    program: str | None = "cloudtop",
) -> Asked:
    """Plan, call, check, answer. `model`: None for the built-in planner; `plan_only` asks no cloud.

    A question that the planner refuses as an order, an injection or a wish for a secret reaches no model.
    A model that is second is asked only what the planner can make nothing of. Where a model fails the planner
    answers, and says so. `earlier` are the turns before, for a model.
    `program` is the command line that the answer names to repeat it, None where there is none.
    """
    started = time.perf_counter()
    made = planned(question, lexicon, now, previous)

    def asked(answer: Answer, who: str = "planner") -> Asked:
        return Asked(question, answer, made.query, who, (time.perf_counter() - started) * 1000)

    if made.behaviour == "refuse" and made.reason in NO_MODEL:
        return asked(unplanned(made))
    run = _Run(client, Results(program, question, by_model=True), progress)
    failed: str | None = None
    if model is not None and not plan_only and (made.lost or not model.second):
        try:
            return asked(await run.by_model(model, lexicon, now, earlier), model.name)
        except ModelFailed as error:
            failed = f"{model.title} {error.said}; the built-in planner answered."
    if made.behaviour != "answer":
        return asked(told(unplanned(made), failed))
    if plan_only:
        return asked(_only_planned(made))
    run.results = Results(program, question, _whole(made))
    return asked(told(await run.by_plan(made, lexicon, now), failed))


@dataclass(slots=True)
class _Run:
    """One question on its way through the graph."""

    client: Client
    results: Results
    progress: Progress | None

    async def by_plan(self, made: Plan, lexicon: Lexicon, now: datetime) -> Answer:
        """The planner's calls."""
        turns = PlannedTurns(PlannerModel(lexicon=lexicon, now=now, made=made))
        return await self._answer(turns, await tools_of(self.client, self.progress), [])

    async def by_model(
        self, model: Llm, lexicon: Lexicon, now: datetime, earlier: Sequence[Earlier]
    ) -> Answer:
        """A model's calls; ModelFailed when it cannot be used, or brought nothing."""
        tools = await tools_of(self.client, self.progress)
        reading = {name: one for name, one in tools.items() if one.reads and name != ITSELF}
        live = lexicon.live
        outgoing = Outgoing(model.terms, [*live.names.values(), *live.accounts.values()], model.secrets)
        turns = LlmTurns(model, list(reading.values()), outgoing, now)
        before: list[BaseMessage] = []
        for one in earlier[-EARLIER:]:
            calls = json.dumps(one.calls)
            before += [HumanMessage(outgoing.text(one.question)), AIMessage(outgoing.text(f"Calls: {calls}"))]
        try:
            async with asyncio.timeout(model.terms.timeout_s):
                answer = await self._answer(turns, reading, before, outgoing.text(self.results.question))
        except TimeoutError as error:
            raise ModelFailed(f"did not answer within {model.terms.timeout_s:g} s") from error
        if not self.results.held:
            raise ModelFailed("called no tool" if not self.results.calls else "made no call that worked")
        return answer

    async def _answer(
        self, turns: Turns, tools: Mapping[str, Tool], before: list[BaseMessage], question: str | None = None
    ) -> Answer:
        runner = graph(turns, tools, self.results, rendered)
        messages = [*before, HumanMessage(question or self.results.question)]
        state = await runner.ainvoke({"messages": messages}, {"recursion_limit": STEPS})
        answer: Answer = state["answer"]
        return answer


def _whole(made: Plan) -> frozenset[str]:
    """The calls that must be read to their last page: those computed over, and those that feed others."""
    then = made.then or {"op": None}
    over_all = then["op"] in WHOLE or bool(then.get("where"))
    feeding = {one[1] for call in made.calls if (one := reference(call.arguments)) is not None}

    def whole(call: Call) -> bool:
        if call.id in feeding:
            return True
        if "limit" in call.arguments and (then["op"] in OF_THE_PAGE or not over_all):
            return False
        return over_all or call.tool in SUMMED_UP

    return frozenset(call.id for call in made.calls if whole(call))


def _only_planned(made: Plan) -> Answer:
    calls = [call.as_json() for call in made.calls]
    text = "\n".join(json.dumps(call, ensure_ascii=False) for call in calls)
    return Answer(
        status="planned",
        text=text,
        calls=[{**call, "status": "planned", "as_of": None} for call in calls],
        then=made.then,
        ignored=list(made.ignored),
        notices=list(made.notices),
    )
