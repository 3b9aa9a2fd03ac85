"""What a tool's handler gets and gives back: `Ctx` in, `Rows` out; the runtime makes an `Outcome` of it.

A handler is `mcp_server/tools/<tool>.py` with

    async def run(ctx: Ctx, *, <one keyword per parameter of the spec>) -> Rows

All keywords but those the runtime keeps for itself (`KEPT`): `cursor` arrives as `ctx.offset`, `format` and
`fields` are applied to what the handler returns; one that must know which fields are wanted takes `fields`
too. Every keyword is passed in every call: the value, the spec's default, or None. Lists arrive as lists,
durations (`kind: duration`, so `max_age`) as seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from cloudtop.models import Source, Trouble

if TYPE_CHECKING:
    from cloudtop.ports import ClientTurn, Clock
    from cloudtop.settings import Settings
    from cloudtop.store.open import Store
    from mcp_server.fleet import Fleet

KEPT = ("cursor", "format", "fields")
"""Parameters that the runtime deals with."""

Progress = Callable[[float, float | None, str], Awaitable[None]]
"""`await progress(done, total, message)`; costs nothing when nobody listens."""


async def silent(done: float, total: float | None, message: str) -> None:
    """The progress nobody listens to."""


class House(Protocol):
    """The parts that `build.py` put together, as far as the runtime hands them on."""

    @property
    def fleet(self) -> Fleet:
        """Where many clouds meet."""
        ...

    @property
    def store(self) -> Store:
        """The one SQLite file."""
        ...

    @property
    def settings(self) -> Settings:
        """What the person configured."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of time to live and deadlines."""
        ...

    @property
    def now(self) -> datetime | None:
        """The moment that questions are read by when they name none; None for the clock's."""
        ...


class Query(Protocol):
    """What the next question of a dialogue builds on."""

    def as_json(self) -> dict[str, Any]:
        """It as the store keeps it."""
        ...


class Asked(Protocol):
    """An answer of the agent."""

    @property
    def query(self) -> Query | None:
        """What the next question builds on."""
        ...

    def as_json(self) -> dict[str, Any]:
        """What `ask --json` prints."""
        ...


class Agent(Protocol):
    """Answers a question in plain words by calling the tools; `kept` is what the answers before left.

    `turn` asks the client's own model; None where the client does not let it be asked.
    """

    async def __call__(
        self,
        question: str,
        *,
        now: datetime,
        kept: Mapping[str, Any],
        progress: Progress,
        turn: ClientTurn | None,
    ) -> Asked:
        """Plan, call, check, answer."""
        ...


@dataclass(frozen=True, slots=True)
class Ctx:
    """What a handler may use in one call.

    `now` is the question's clock (`--now`): times in arguments are read by it, and ages told.
    `clock` is the real one: time to live and deadlines. `agent`: None where none is part of the server.
    `turn` asks the model of the client that calls; None where it cannot be asked.
    `offset`: how many rows earlier pages showed; return `limit` rows from there on.
    """

    tool: str
    fleet: Fleet
    store: Store
    settings: Settings
    clock: Clock
    now: datetime
    offset: int = 0
    deadline_s: float | None = None
    progress: Progress = silent
    agent: Agent | None = None
    turn: ClientTurn | None = None


@dataclass(slots=True)
class Rows:
    """What a handler found. Rows are JSON-ready: times as ISO text (`models.iso`), None for unknown.

    `shape`: which of the spec's `rows` they have; None for its first (compare_gpu_prices: offer group point).
    `total`: all matching rows before paging, None when not known; then `more` says if another page exists.
    `as_of`: None for the oldest `fetched_at` among `sources`, or the clock's now when there are none.
    `undated`: nobody says when the shown figures held, so `as_of` is null.
    `expires_at`: until when (real clock) the same question has the same answer if the store does not change;
    None: never reuse this answer. A result with a `live` source is never reused in any case.
    `text`: what the text says in place of the rows, complete in itself; None for the rows.
    """

    rows: list[dict[str, Any]]
    sources: list[Source] = field(default_factory=list)
    missing: list[Trouble] = field(default_factory=list)
    applied: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    total: int | None = None
    more: bool = False
    shape: str | None = None
    as_of: datetime | None = None
    undated: bool = False
    expires_at: datetime | None = None
    text: str | None = None


Handler = Callable[..., Awaitable[Rows]]
"""`async def run(ctx, *, ...) -> Rows`; raises ArgumentError for a value only it can judge."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished call. Both channels say the same; shared between equal calls, so nobody may change it.

    `structured_json` is `structured` serialised once. When `is_error`, `text` is complete in itself,
    `structured` is {"error": {tool, argument, message, next_step}} and `exit_code` what the CLI ends with.
    `lacks`: the argument that is needed and was not given.
    """

    structured: dict[str, Any]
    structured_json: str
    text: str
    is_error: bool = False
    exit_code: int = 0
    lacks: str | None = None
