"""One client on standard input and output. When it goes, what it asked is answered; then the process ends."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import mcp.types as types
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

if TYPE_CHECKING:
    from mcp.server import Server

log = logging.getLogger("cloudtop.mcp")

LEAVE_S = 1.0
"""How long after the client has gone a call may still hold the process, which is gone within two seconds."""

WRITE_S = 0.4
"""How much longer, so that a line that is being written becomes whole."""


async def serve_stdio(server: Server[Any], *, leave_s: float = LEAVE_S) -> None:
    """Serve one client on standard input and output until it goes.

    The SDK keeps the real standard output for itself and lets every stray print go to standard error.
    """
    waiting = _Waiting()
    try:
        async with stdio_server() as (read, write):
            answering = _Answering(write, waiting)
            leaving = _Leaving(read, leave_s, waiting, answering)
            await server.run(leaving, answering, server.create_initialization_options())
    except* (BrokenPipeError, anyio.BrokenResourceError):
        log.debug("the client has gone without a word")


class _Waiting:
    """The requests that have no answer yet."""

    def __init__(self) -> None:
        self._open: set[str | int] = set()
        self._none = asyncio.Event()
        self._none.set()

    def heard(self, message: Any) -> None:
        """A request waits from here on; one that its client takes back does not."""
        said = getattr(message, "message", None)
        if isinstance(said, types.JSONRPCRequest):
            if said.method == "subscriptions/listen":
                return  # its answer is that the stream has ended
            self._open.add(said.id)
            self._none.clear()
        elif isinstance(said, types.JSONRPCNotification) and said.method == "notifications/cancelled":
            self._answered((said.params or {}).get("requestId"))

    def said(self, message: Any) -> None:
        """An answer has been handed to the writer."""
        said = getattr(message, "message", None)
        if isinstance(said, types.JSONRPCResponse | types.JSONRPCError):
            self._answered(said.id)

    async def over(self, seconds: float) -> None:
        """Wait until none is open, but no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._none.wait()

    def _answered(self, number: object) -> None:
        if isinstance(number, str | int):
            self._open.discard(number)
        if not self._open:
            self._none.set()


class _Answering:
    """The stream to the client, which tells what has been answered."""

    def __init__(self, messages: Any, waiting: _Waiting) -> None:
        self._messages, self._waiting = messages, waiting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._messages, name)

    async def send(self, message: Any) -> None:
        await self._messages.send(message)
        self._waiting.said(message)

    async def __aenter__(self) -> _Answering:
        await self._messages.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._messages.__aexit__(*error)


class _Leaving:
    """The client's messages; their end is held back until all is answered, `leave_s` at most.

    Then the process ends, whatever a call is still waiting for. A line that is no message is refused here,
    where it says which request it was to be: its sender would wait for ever.
    """

    def __init__(self, messages: Any, leave_s: float, waiting: _Waiting, answering: _Answering) -> None:
        self._messages, self._leave_s, self._waiting = messages, leave_s, waiting
        self._answering = answering

    def __getattr__(self, name: str) -> Any:
        return getattr(self._messages, name)

    def __aiter__(self) -> _Leaving:
        return self

    async def __anext__(self) -> Any:
        try:
            message = await self._messages.__anext__()
        except StopAsyncIteration:
            self._arm()
            await self._waiting.over(self._leave_s)
            raise
        if isinstance(message, ValidationError) and (refusal := _refusal(message)):
            await self._answering.send(SessionMessage(refusal))
        self._waiting.heard(message)
        return message

    async def __aenter__(self) -> _Leaving:
        await self._messages.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._messages.__aexit__(*error)

    def _arm(self) -> None:
        """Cancelled calls end at once; for one that does not, a thread ends the process."""
        watch = threading.Timer(self._leave_s + WRITE_S, os._exit, (0,))
        watch.daemon = True
        watch.start()


def _refusal(error: ValidationError) -> types.JSONRPCError | None:
    """The answer to a request that cannot be read, such as one with half a character in it."""
    found = error.errors(include_url=False)
    torn = found[0]["type"] == "json_invalid"
    numbers = [_number(one["input"]) for one in found]
    number = next((one for one in numbers if isinstance(one, str | int)), None)
    if number is None:
        return None
    code = types.PARSE_ERROR if torn else types.INVALID_REQUEST
    said = types.ErrorData(code=code, message=f"This request cannot be read: {found[0]['msg']}"[:300])
    return types.JSONRPCError(jsonrpc="2.0", id=number, error=said)


def _number(line: Any) -> Any:
    """The number of a request that the SDK refused: as a whole, or as a line that it could not take apart."""
    if isinstance(line, str):
        with suppress(ValueError, RecursionError):
            line = json.loads(line)
    return line.get("id") if isinstance(line, dict) and "method" in line else None
