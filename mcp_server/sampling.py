"""The model that the client of a call has, asked for one turn at a time in the way that its protocol has.

Before 2026-07-28 the server sends sampling/createMessage and waits. Since then the answer to the request is
that input is required, and the client sends the request again with the turn. In between the question stands
still in this process, as far as it came: nothing is asked of a cloud twice, and every row stays what the
model was shown. What comes back too late, or to another process, is answered without the model.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import mcp.types as types
from mcp import MCPError
from mcp.server.validation import check_sampling_tools_capability
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.message import ServerMessageMetadata
from mcp.types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from cloudtop.ports import NotSampled
from mcp_server.admission import admitted
from mcp_server.result import Outcome, silent

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from cloudtop.ports import ClientTurn
    from mcp_server.limits import Caller
    from mcp_server.result import Progress

log = logging.getLogger("cloudtop.mcp")

KEY = "model"
"""The name that a turn has among the inputs of a request."""

MOST, OWN = 64, 8
"""So many questions wait for a turn at once; so many of them of one caller."""

LATE_S = 30.0
"""How long an answer is kept that the planner gave because the turn did not come in time."""

DECLINED = "did not answer: the client declined"
UNREADABLE = "answered with something that cannot be read"
GONE = "answered too late, or to another process than the one that asked"
CROWDED = "was not asked: too many questions wait for their models"

Message = dict[str, Any]


class Call(Protocol):
    """A call that is to be made, all but who is told of its progress and whose model may be asked."""

    async def __call__(self, *, progress: Progress, turn: ClientTurn) -> Outcome:
        """Make it."""
        ...


def can_sample(ctx: ServerRequestContext[Any]) -> bool:
    """Whether the client lets its model be asked with tools, and can be reached for it."""
    if not check_sampling_tools_capability(ctx.session.client_capabilities):
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or ctx.session.can_send_request


async def with_model(
    ctx: ServerRequestContext[Any],
    params: types.CallToolRequestParams,
    call: Call,
    progress: Progress,
    waiting: Waiting,
) -> Outcome | types.InputRequiredResult:
    """The outcome of a call that may ask the client's model, or what to send so that it gives a turn."""
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return await call(progress=progress, turn=partial(_by_request, ctx))
    return await waiting.outcome(_Asker.of(ctx, params), params, call, progress)


async def _by_request(ctx: ServerRequestContext[Any], request: Mapping[str, Any]) -> Message:
    asked = types.CreateMessageRequest(params=_params(request))
    related = ServerMessageMetadata(related_request_id=ctx.request_id)
    try:
        reply = await ctx.session.send_request(asked, types.CreateMessageResultWithTools, metadata=related)
    except (MCPError, NoBackChannelError) as error:
        log.debug("the client gave no turn: %s", error)
        raise NotSampled(DECLINED) from error
    except ValidationError as error:
        raise NotSampled(UNREADABLE) from error
    return _message(reply)


def _params(request: Mapping[str, Any]) -> types.CreateMessageRequestParams:
    return types.CreateMessageRequestParams.model_validate(request, by_name=False)


def _message(reply: types.CreateMessageResult | types.CreateMessageResultWithTools) -> Message:
    return reply.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asked what: a question goes on for the same caller with the same words only."""

    caller: Caller
    tool: str
    arguments: str

    @classmethod
    def of(cls, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> _Asker:
        return cls(admitted(ctx).caller, params.name, json.dumps(params.arguments, sort_keys=True))


class _Question:
    """A call in a task of its own, which stands still while it waits for a turn of the model.

    The task has the context of the first request: the same caller, the same floor under ages.
    """

    def __init__(self, call: Call, may_wait: Callable[[], bool]) -> None:
        self._may_wait = may_wait
        self._progress: Progress = silent
        self._loop = asyncio.get_running_loop()
        self._wanted: asyncio.Future[Mapping[str, Any]] = self._loop.create_future()
        self._given: asyncio.Future[Message] = self._loop.create_future()
        self.task = asyncio.ensure_future(call(progress=self._tell, turn=self._turn))

    async def _turn(self, request: Mapping[str, Any]) -> Message:
        if not self._may_wait():
            raise NotSampled(CROWDED)
        self._given = self._loop.create_future()
        self._wanted.set_result(request)
        return await self._given

    async def _tell(self, done: float, total: float | None, message: str) -> None:
        await self._progress(done, total, message)

    def give(self, reply: types.InputResponse | None) -> None:
        """Hand in what the client sent; it is too late when the question waits no longer."""
        if self._given.done():
            return
        if isinstance(reply, types.CreateMessageResult | types.CreateMessageResultWithTools):
            self._given.set_result(_message(reply))
        else:
            self._given.set_exception(NotSampled(DECLINED if reply is None else UNREADABLE))

    async def next(self, progress: Progress) -> Outcome | Mapping[str, Any]:
        """The outcome, or the turn that is wanted. Whoever stops waiting for it stops the question."""
        self._progress = progress
        waits: tuple[asyncio.Future[Any], ...] = (self.task, self._wanted)
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.task.cancel()
            raise
        finally:
            self._progress = silent
        if self.task.done():
            return self.task.result()
        wanted, self._wanted = self._wanted.result(), self._loop.create_future()
        return wanted


class Waiting:
    """The questions that wait for the next turn of their client's model; for how long `kept_s` says."""

    def __init__(self, kept_s: Callable[[], float]) -> None:
        self._kept_s = kept_s
        self._held: dict[str, tuple[_Asker, _Question, asyncio.TimerHandle]] = {}

    async def outcome(
        self, asker: _Asker, params: types.CallToolRequestParams, call: Call, progress: Progress
    ) -> Outcome | types.InputRequiredResult:
        """The outcome of a question that is asked, or goes on; or what to send for its next turn."""
        state = params.request_state
        if state is None:
            question = _Question(call, partial(self._has_room, asker.caller))
        elif (found := self._taken(state, asker)) is not None:
            question = found
            question.give((params.input_responses or {}).get(KEY))
        else:
            return await call(progress=progress, turn=_gone)
        came = await question.next(progress)
        if isinstance(came, Outcome):
            return came
        asked = types.CreateMessageRequest(params=_params(came))
        return types.InputRequiredResult(
            input_requests={KEY: asked}, request_state=self._kept(asker, question)
        )

    def _has_room(self, caller: Caller) -> bool:
        own = sum(asker.caller == caller for asker, _, _ in self._held.values())
        return own < OWN and len(self._held) < MOST

    def _kept(self, asker: _Asker, question: _Question) -> str:
        """The state that the client sends back: a name that cannot be guessed, good for one turn."""
        state = secrets.token_urlsafe(24)
        timer = asyncio.get_running_loop().call_later(self._kept_s() + LATE_S, self._forget, state)
        self._held[state] = (asker, question, timer)
        return state

    def _taken(self, state: str, asker: _Asker) -> _Question | None:
        held = self._held.get(state)
        if held is None or held[0] != asker:
            return None
        del self._held[state]
        held[2].cancel()
        return held[1]

    def _forget(self, state: str) -> None:
        _, question, timer = self._held.pop(state)
        timer.cancel()
        question.task.cancel()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._held)

    def close(self) -> None:
        """Give up every question that waits."""
        for state in list(self._held):
            self._forget(state)


async def _gone(request: Mapping[str, Any]) -> Message:
    raise NotSampled(GONE)
