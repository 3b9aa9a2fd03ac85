"""Servers on loopback that speak the OpenAI and Anthropic wire formats and say what a script says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.raw_servers import Reply, Server, reply, serving

USAGE = 100
"""Tokens that every scripted turn says it took, half of them in the answer."""


@dataclass(frozen=True)
class Turn:
    """One scripted turn of a model: calls of tools, or its last words."""

    calls: Sequence[tuple[str, dict[str, Any] | str]] = ()
    """Tools and arguments; a text stands for arguments as it is, which no client can read."""
    words: str = ""
    usage: int = USAGE
    more: dict[str, Any] = field(default_factory=dict)
    """What else the provider's answer says, such as `stop_reason`."""


def openai(turn: Turn, n: int) -> dict[str, Any]:
    """A chat completion, as POST /chat/completions answers."""
    calls = [
        {
            "id": f"call_{n}_{i}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for i, (name, given) in enumerate(turn.calls)
    ]
    message = {"role": "assistant", "content": turn.words or None, **({"tool_calls": calls} if calls else {})}
    message |= {name: value for name, value in turn.more.items() if name == "refusal"}
    finish = turn.more.get("finish_reason") or ("tool_calls" if calls else "stop")
    half = turn.usage // 2
    return {
        "id": f"chatcmpl-{n}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": half, "completion_tokens": half, "total_tokens": turn.usage},
    }


def anthropic(turn: Turn, n: int) -> dict[str, Any]:
    """A message, as POST /v1/messages answers."""
    content: list[dict[str, Any]] = [{"type": "text", "text": turn.words}] if turn.words else []
    content += [
        {"type": "tool_use", "id": f"toolu_{n}_{i}", "name": name, "input": given}
        for i, (name, given) in enumerate(turn.calls)
    ]
    return {
        "id": f"msg_{n}",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": content,
        "stop_reason": turn.more.get("stop_reason") or ("tool_use" if turn.calls else "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": turn.usage // 2, "output_tokens": turn.usage // 2},
    }


WIRES = {"openai": openai, "anthropic": anthropic}


@asynccontextmanager
async def model(wire: str, *turns: Turn | Reply) -> AsyncIterator[Server]:
    """A server of this wire format; the last turn is repeated for ever."""
    replies = [
        reply(200, WIRES[wire](turn, n)) if isinstance(turn, Turn) else turn
        for n, turn in enumerate(turns, 1)
    ]
    async with serving(*replies) as server:
        yield server


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A reply that never comes: it ends when the caller hangs up."""
    await reader.read()
