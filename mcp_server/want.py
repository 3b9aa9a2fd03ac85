"""What a question wants of one scope, and whether what the store holds will do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import coroutine
from typing import TYPE_CHECKING, Any

from cloudtop.models import Scope, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Sequence
    from datetime import datetime

    from cloudtop.store.scopes import Known

HOLD_S = 5.0
"""How long a failure is remembered before the same is tried again; a cloud's own Retry-After may be more."""


@dataclass(frozen=True, slots=True)
class Want:
    """One scope to be brought up to date: by which method, and what makes the stored copy good enough."""

    scope: Scope
    pages: Callable[[Scope], AsyncIterator[Sequence[Any]]]
    title: str
    limit_s: float
    stamp: str | None = None

    def fresh(self, known: Known | None, now: datetime) -> bool:
        """Whether the stored copy `known` needs no asking: same stamp, or complete and young enough."""
        if known is None or not known.complete or known.fetched_at is None:
            return False
        if self.stamp is not None:
            return known.stamp == self.stamp
        age_s = (now - known.fetched_at).total_seconds()
        return -60.0 <= age_s <= self.limit_s and self.limit_s > 0


@coroutine
def turn() -> Generator[None, None, None]:
    """Give way once before anything waits: who drives the coroutine may start an event loop only now."""
    yield


def held(want: Want, known: Known | None, now: datetime) -> Trouble | None:
    """A failure so recent that asking again would be rude; one that only ran out of time is asked again.

    So is a file, which nobody minds: it may have been corrected meanwhile.
    """
    if want.stamp is not None or known is None or known.trouble is None or known.tried_at is None:
        return None
    trouble = known.trouble
    if trouble.code == "too_slow":
        return None
    wait_s = max(trouble.retry_after_s or 0.0, HOLD_S)
    left_s = wait_s - (now - known.tried_at).total_seconds()
    if not 0 < left_s <= wait_s:
        return None
    return replace(trouble, retry_after_s=round(left_s, 3)) if trouble.retryable else trouble
