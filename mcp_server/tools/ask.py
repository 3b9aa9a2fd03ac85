"""ask: a question in plain words, answered by the agent, which calls the other tools.

A dialogue goes on by the id that every answer gives. The id is made here and cannot be guessed, so that
callers of one server never meet in a dialogue.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError, CloudtopError
from cloudtop.models import Source, Trouble
from mcp_server.render import compact
from mcp_server.result import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcp_server.result import Ctx

KEPT_AS = "ask/"
"""Before the id of a dialogue in the store: `chat --name` has names of its own."""
ROOM = 12_000
"""Characters that the rows of an answer may take; who wants all calls what `calls` names."""
EARLIER = 4
"""So many questions of a dialogue are kept with their calls, for a model."""
SHOWN = ("question", "status", "answer", "calls", "then", "reason", "choices", "ignored", "model")


async def run(ctx: Ctx, *, question: str, conversation: str | None) -> Rows:
    """The answer as one row, and in its own words as text.

    ArgumentError for a conversation that is not known; CloudtopError when no call succeeded.
    """
    if ctx.agent is None:
        raise CloudtopError("no agent is part of this server.", "Call the other tools.")
    kept = _kept(ctx, conversation)
    asked = await ctx.agent(question, now=ctx.now, kept=kept, progress=ctx.progress, turn=ctx.turn)
    told = asked.as_json()
    if told["status"] == "failed":
        raise CloudtopError(told["answer"], "list_providers tells what can be asked.")
    name = conversation or secrets.token_hex(8)
    calls = [[call["tool"], call["arguments"]] for call in told["calls"]]
    earlier = [*kept.get("earlier", ()), [question, calls]][-EARLIER:]
    query = asked.query and asked.query.as_json()
    ctx.store.conversations.save(KEPT_AS + name, {"query": query, "earlier": earlier})
    return _rows(told, name)


def _kept(ctx: Ctx, conversation: str | None) -> dict[str, Any]:
    """What the answer before left for the next question."""
    if conversation is None:
        return {}
    kept = ctx.store.conversations.load(KEPT_AS + conversation)
    if kept is None:
        raise ArgumentError(
            "conversation", "is the id of no answer.", "the id that an answer gave; none to begin anew"
        )
    return kept


def _rows(told: Mapping[str, Any], conversation: str) -> Rows:
    row = {
        **{name: told[name] for name in SHOWN},
        "row_count": len(told["rows"]),
        "rows": _first(told["rows"]),
        "conversation": conversation,
    }
    return Rows(
        rows=[row],
        sources=[
            Source(**{**one, "fetched_at": datetime.fromisoformat(one["fetched_at"])})
            for one in told["sources"]
        ],
        missing=[Trouble(**one) for one in told["missing"]],
        applied=told["applied"],
        notices=told["notices"],
        total=1,
        text=f"{told['answer']}\n\nconversation: {conversation}",
    )


def _first(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """As many rows as there is room for."""
    room, kept = ROOM, 0
    for row in rows:
        room -= len(compact(row))
        if room < 0:
            break
        kept += 1
    return list(rows[:kept])
