"""`ask` and `chat`: a question through the agent, an MCP client and the server, in process unless --server.

Imported late: agent, mcp, langgraph.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloudtop.cli import views
from cloudtop.cli.build import QUESTION_S, House, build
from cloudtop.cli.commands.call import instant, seconds
from cloudtop.errors import UsageError
from cloudtop.settings import untraced

if TYPE_CHECKING:
    import argparse

    from mcp import Client

    from agent.ask import Asked, Earlier
    from agent.llm import Llm
    from agent.planner.query import Query

NEW, QUIT = "/new", "/quit"


def run(options: argparse.Namespace) -> int:
    """Answer one question."""
    question = " ".join(options.question).strip()
    if not question:
        raise UsageError("There is no question.", 'Such as: cloudtop ask "cheapest A100 now"')
    return asyncio.run(_one(options, question))


def chat(options: argparse.Namespace) -> int:
    """Answer one question a line until the end of input or /quit."""
    return asyncio.run(_lines(options))


@dataclass(slots=True)
class _Asking:
    """What one command asks with: an MCP client, and a model in place of the planner where one is named."""

    options: argparse.Namespace
    house: House
    client: Client
    model: Llm | None

    async def ask(
        self, question: str, previous: Query | None = None, earlier: Sequence[Earlier] = ()
    ) -> Asked:
        """One question, after those that went before in a dialogue."""
        from agent.ask import ask, lexicon_of

        with views.progress() as progress:
            return await ask(
                self.client,
                question,
                lexicon=await lexicon_of(self.client),
                now=self.house.now or self.house.clock.now(),
                previous=previous,
                plan_only=self.options.plan,
                model=self.model,
                earlier=earlier,
                progress=progress,
                program=None if self.options.server else self.options.program,
            )


async def _one(options: argparse.Namespace, question: str) -> int:
    async with _open(options) as asking:
        asked = await asking.ask(question)
    _print(options, asking.house, asked)
    partial = asked.answer.status == "partial"
    return 3 if options.strict and partial and not asked.answer.exit_code else asked.answer.exit_code


async def _lines(options: argparse.Namespace) -> int:
    async with _open(options) as asking:
        previous = _resumed(asking.house, options.name)
        earlier: list[Earlier] = []
        while (line := await _line()) is not None:
            question = line.strip()
            if question == QUIT:
                break
            if question == NEW:
                previous = None
                earlier.clear()
                _keep(asking.house, options.name, None)
            elif question:
                asked = await asking.ask(question, previous, earlier)
                previous = asked.query
                earlier.append(asked.earlier)
                _keep(asking.house, options.name, previous)
                _print(options, asking.house, asked)
    return 0


async def _line() -> str | None:
    """The next line of standard input, None at its end."""
    if sys.stdin.isatty():
        sys.stderr.write("> ")
        sys.stderr.flush()
    line = await asyncio.to_thread(sys.stdin.readline)
    return line or None


def _resumed(house: House, name: str | None) -> Query | None:
    from agent.planner.query import Query

    kept = house.store.conversations.load(name) if name else None
    return Query.of(kept["query"]) if kept and kept.get("query") else None


def _keep(house: House, name: str | None, query: Query | None) -> None:
    if name:
        house.store.conversations.save(name, {"query": query.as_json() if query else None})


def _model(options: argparse.Namespace, house: House) -> Llm | None:
    """The model of --model, else of the configuration; None for the built-in planner."""
    name = options.model or house.settings.agent.model
    if name == "planner":
        return None
    if not re.fullmatch(r"[a-z_]+:\S+", name):
        raise UsageError(
            f"--model: {name!r} is no model.",
            "Such as openai:NAME or anthropic:NAME; planner for the built-in one.",
        )
    from agent.llm import llm

    terms = replace(house.settings.agent, model=name)
    return llm(terms, offline=options.offline, secrets=house.settings.secret_values())


def _print(options: argparse.Namespace, house: House, asked: Asked) -> None:
    if options.json:
        sys.stdout.write(views.dumps(asked.as_json()) + "\n")
    else:
        views.notices(house.notices)
        views.markdown(asked.answer.text, house.settings)
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def _open(options: argparse.Namespace) -> AsyncIterator[_Asking]:
    """A house, and an MCP client of its own server in process, or of the one at --server."""
    house = build(
        options.config,
        options.home,
        offline=options.offline,
        deadline_s=seconds(options.timeout),
        usual_s=QUESTION_S,
        now=instant(options.now),
    )
    untraced()
    try:
        model = _model(options, house)
        async with _client(options, house) as client:
            yield _Asking(options, house, client, model)
    finally:
        await house.aclose()


def _client(options: argparse.Namespace, house: House) -> AbstractAsyncContextManager[Client]:
    """A client of the server at --server, else of an own one in this process."""
    if options.server:
        from cloudtop.cli.remote import ANSWER_S, connected, token

        if options.offline:
            raise UsageError("--offline is about an own server, not about one at --server.", "Leave one out.")
        wait_s = seconds(options.timeout) or ANSWER_S
        return connected(options.server, token(options.token_file), wait_s)
    if options.token_file:
        raise UsageError("--token-file is for a server at --server.", "Give its address, or leave it out.")
    from mcp import Client

    return Client(house.server(house.runtime()))
