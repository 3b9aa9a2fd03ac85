"""A model's calls on the question files: the whole agent with that model, over the sandbox.

What a turn cost in time is the model's time too. A turn that the planner had to answer counts as one without
calls; where the planner refused or asked back, that is what the person got.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from mcp import Client

from agent.ask import Asked, ask, lexicon_of
from agent.llm import Llm, llm
from agent.planner.query import Call, Plan, Query
from bench.evaluate import Planner
from cloudtop.agent_settings import Agent
from cloudtop.cli.build import House, build
from cloudtop.sandbox.serve import running


@contextmanager
def modelled(model: str, now: datetime, base_url: str | None = None) -> Iterator[Planner]:
    """Plans as `model` makes them. `base_url`: where it is served, if not at its provider's own address."""
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    with running(moving=False) as sandbox, TemporaryDirectory() as folder, asyncio.Runner() as runner:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(sandbox.config()))
        house = build(config, Path(folder, "home"), now=now)
        turns = _Turns(house, llm(Agent(model, base_url)), now)
        try:
            yield lambda text, previous: runner.run(turns.plan(text, previous))
        finally:
            runner.run(house.aclose())


@dataclass
class _Turns:
    """The questions of a file, asked one after the other; one without a query before it begins a dialogue."""

    house: House
    model: Llm
    now: datetime
    earlier: list[Asked] = field(default_factory=list)

    async def plan(self, text: str, previous: Query | None) -> Plan:
        if previous is None:
            self.earlier.clear()
        async with Client(self.house.server(self.house.runtime())) as client:
            asked = await ask(
                client,
                text,
                lexicon=await lexicon_of(client),
                now=self.now,
                previous=previous,
                model=self.model,
                earlier=self.earlier,
            )
        self.earlier.append(asked)
        return _plan(asked)


def _plan(asked: Asked) -> Plan:
    """What was done, as a plan says it."""
    answer = asked.answer
    if answer.status in ("refused", "clarify"):
        behaviour = "refuse" if answer.status == "refused" else "clarify"
        return Plan(behaviour, reason=answer.reason, question=answer.text, query=asked.query)
    own = answer.calls if asked.model != "planner" else []
    calls = tuple(Call(one["tool"], one["arguments"], str(n)) for n, one in enumerate(own, 1))
    return Plan("answer", calls, query=asked.query, ignored=tuple(answer.ignored))
