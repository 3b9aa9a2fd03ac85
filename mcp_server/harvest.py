"""What a question may use after the clouds were asked, and where each of its rows is from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from cloudtop.models import Scope, Source, Trouble

LISTS = "pricelist"
"""The provider whose scopes are files: part of every price question, its rows told apart by seller."""


@dataclass(slots=True)
class Harvest:
    """What one question may use: scopes with data, where it is from, and what could not be had.

    `asked` were tried in this question, `fetched` came to their end, `stale` have rows that are too old.
    `idle_lists`: accounts of price lists without a row of the named sellers.
    `superseded`: sellers for which something fresher than the shipped price list has data in this question.
    `expires_at`: the first moment at which asking again could give another answer; None: at once.
    """

    scopes: list[Scope] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    missing: list[Trouble] = field(default_factory=list)
    asked: set[Scope] = field(default_factory=set)
    fetched: set[Scope] = field(default_factory=set)
    stale: set[Scope] = field(default_factory=set)
    superseded: tuple[str, ...] = ()
    idle_lists: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    started: datetime | None = None
    limits_s: dict[Scope, float | None] = field(default_factory=dict)
    read_at: dict[Scope, datetime] = field(default_factory=dict)
    sandboxes: frozenset[str] = frozenset()

    @property
    def speaking(self) -> list[Source]:
        """The sources without the price lists that have no row of the sellers asked for."""
        return [one for one in self.sources if one.provider != LISTS or one.account not in self.idle_lists]

    def add(self, source: Source) -> None:
        """Note where rows are from. Scopes of an account with one story are one source, old as its oldest."""
        story = (source.provider, source.account, source.source)
        for index, one in enumerate(self.sources):
            if (one.provider, one.account, one.source) == story:
                oldest = min(one.fetched_at, source.fetched_at)
                self.sources[index] = replace(one, fetched_at=oldest, rows=one.rows + source.rows)
                return
        self.sources.append(source)

    def label(self, scope: Scope, fetched_at: datetime, now: datetime) -> str:
        """`list stale sandbox live cache`: where a row of `scope` that was read at `fetched_at` is from."""
        if scope.provider == LISTS:
            return "list"
        limit_s = self.limits_s.get(scope)
        read_now = scope in self.asked and self.started is not None and fetched_at >= self.started
        if scope in self.stale and not read_now:
            return "stale"
        if not read_now and limit_s is not None and (now - fetched_at).total_seconds() > limit_s:
            return "stale"
        if scope.provider in self.sandboxes:
            return "sandbox"
        return "live" if read_now else "cache"
