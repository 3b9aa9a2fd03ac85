"""What rooms may ask of the outside without knowing who answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from cloudtop.models import AuditRecord


class Clock(Protocol):
    """Time, injected so that tests can move it."""

    def now(self) -> datetime:
        """The wall clock in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        import asyncio

        await asyncio.sleep(seconds)


class Audit(Protocol):
    """Where a record of each outgoing request goes."""

    def record(self, record: AuditRecord) -> None:
        """Keep one record; never raises for a full or locked store, never blocks a request."""
        ...


class Hosts(Protocol):
    """Which hosts were found dead a moment ago, shared by all processes of this home."""

    def down_until(self, host: str) -> datetime | None:
        """When `host` may be asked again, or None if it may be asked now."""
        ...

    def mark_down(self, host: str, until: datetime) -> None:
        """Remember that `host` did not accept a connection."""
        ...


class Secrets(Protocol):
    """Credentials by provider, account and name (`api_key`, …)."""

    def secret(self, provider: str, account: str, name: str) -> str | None:
        """The value, or None when nobody configured it."""
        ...


class Conversations(Protocol):
    """Dialogue state by conversation name; references only, never rows."""

    def load(self, name: str) -> dict[str, Any] | None:
        """The state last saved under `name`."""
        ...

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Replace the state of `name`."""
        ...


class NotSampled(Exception):
    """The client's model gave no turn; `said` follows "The client's model" in a sentence."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


ClientTurn = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""One turn of the model of the MCP client that calls: params of a sampling/createMessage in, its result out.

NotSampled when there is none.
"""
