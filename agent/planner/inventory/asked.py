"""One question while it is being read: its spans, the tool it is for, and what has been found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from agent.planner.found import Found
from agent.planner.inventory.facts import set_of
from agent.planner.lexicon import Lexicon
from agent.planner.sentence import Sentence, Span
from agent.planner.tool import Tool

OWN_ROWS = frozenset(("limit", "sort", "group_by", "time", "fields", "max_age", "format", "cursor", "agg"))
"""Arguments that every tool takes for its own rows: never those of the call that feeds it."""


@dataclass
class Asked:
    """The sentence, read for one tool. `feeder`: the tool that may narrow the resources before it."""

    s: Sentence
    words: Lexicon
    tool: Tool
    feeder: Tool | None
    now: datetime
    before: Mapping[str, Any] = field(default_factory=dict)
    """The arguments of the question that this one builds on."""
    found: Found = field(default_factory=Found)
    denied: set[int] = field(default_factory=set)
    ruled: list[int] = field(default_factory=list)
    """Where tags begin that are ruled out: others joined to one are so as well."""

    def takes(self, argument: str) -> bool:
        """Whether the tool has an argument, or the one that feeds it."""
        fed = self.feeder is not None and argument not in OWN_ROWS and self.feeder.has(argument)
        return fed or self.tool.has(argument)

    def is_list(self, argument: str) -> bool:
        """Whether an argument takes several values."""
        return self._holder(argument).is_list(argument)

    def values(self, argument: str) -> tuple[Any, ...]:
        """The values that an argument accepts, where the list is closed."""
        return self._holder(argument).values(argument)

    def _holder(self, argument: str) -> Tool:
        return self.tool if self.tool.has(argument) or self.feeder is None else self.feeder

    def put(self, argument: str, value: Any, *places: int) -> bool:
        """Give an argument a value, or one more; False where neither tool takes it."""
        if not self.takes(argument):
            return False
        if self.is_list(argument):
            for one in value if isinstance(value, (list, tuple)) else (value,):
                self.found.add(argument, one)
        else:
            self.found.put(argument, value)
        self.s.use(*places)
        return True

    def where(self, field_name: str, op: str, value: Any, *places: int) -> None:
        """A condition that no argument takes: code filters the rows by it, if they tell that field."""
        if self.tool.has("check") and field_name not in (*self.tool.fields, "type"):
            self.found.refused.append(f"{field_name} {op} {value}, which no check tells")
            self.s.use(*places)
            return
        if [field_name, op, value] not in self.found.where:
            self.found.where.append([field_name, op, value])
        self.s.use(*places)

    def skip(self, at: int, step: int = 1, *, leads: bool = True) -> int:
        """The next place that is no article (and no preposition)."""
        passed = set_of("articles") | (set_of("place_leads") if leads else frozenset())
        while (
            (span := self.s.at(at)) is not None and span.text in passed and not span.plays("=name", "region")
        ):
            at += step
        return at

    def all(self, *roles: str) -> Iterator[tuple[int, Span]]:
        """Every unused span that can play one of the roles, as of now."""
        if self._roles.isdisjoint(roles):
            return iter(())
        return iter(list(self.s.all(*roles)))

    @cached_property
    def _roles(self) -> frozenset[str]:
        """What any phrase of the question can play; a noun that is sure only in company may turn into one."""
        found = {meaning.role for span in self.s.spans for meaning in span.meanings}
        return frozenset(found | {"type"} if "shy_type" in found else found)
