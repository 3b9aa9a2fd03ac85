"""One question asked through an open MCP client."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from mcp import Client

from agent.answer import Answer, rendered, unplanned
from agent.chat_model import PlannerModel
from agent.compute import OF_THE_PAGE, WHOLE
from agent.feeding import reference
from agent.graph import Results, graph
from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan as planned
from agent.planner.query import Call, Plan, Query
from agent.tools import Progress, tools_of

LEXICON = "cloudtop://lexicon"

SUMMED_UP = frozenset({"check_health", "list_providers", "get_metrics", "list_services"})
"""Tools whose rows are told as one: a first page would speak for all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer with its question, and the query that the next turn of a dialogue builds on."""

    question: str
    answer: Answer
    query: Query | None
    model: str
    elapsed_ms: float

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
    model: BaseChatModel | None = None,
    progress: Progress | None = None,
    program: str | None = "cloudtop",
) -> Asked:
    """Plan, call, check, answer. `model`: None for the built-in planner; `plan_only` asks no cloud.

    `program` is the command line that the answer names to repeat it, None where there is none.
    """
    started = time.perf_counter()
    name = "planner" if model is None else model._llm_type
    made = planned(question, lexicon, now, previous) if model is None else None

    def asked(answer: Answer) -> Asked:
        query = made.query if made else None
        return Asked(question, answer, query, name, (time.perf_counter() - started) * 1000)

    if made is not None and made.behaviour != "answer":
        return asked(unplanned(made))
    if made is not None and plan_only:
        return asked(_only_planned(made))
    results = Results(program, question, _whole(made) if made is not None else frozenset())
    tools = await tools_of(client, progress)
    runner = graph(model or PlannerModel(lexicon=lexicon, now=now, made=made), tools, results, rendered)
    state = await runner.ainvoke({"messages": [HumanMessage(question)], "turns": 0}, {"recursion_limit": 25})
    return asked(state["answer"])


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
