"""One tool as the planner sees it: what its spec says of arguments, words and cues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Tool:
    """One tool as the planner sees it: its arguments, their kinds and accepted values, and its cues.

    `market`: it is asked about offers, not about what one runs. `words`: what people say for a value, by
    argument and value. `feed`: argument -> tool.field that it is taken from.
    """

    name: str
    title: str
    parameters: Mapping[str, Mapping[str, Any]]
    later: Mapping[str, str]
    cues: frozenset[tuple[str, ...]]
    here: bool = True
    market: bool = False
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    feed: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()

    def has(self, argument: str) -> bool:
        """Whether the tool takes this argument today."""
        return argument in self.parameters

    @cached_property
    def of_account(self) -> bool:
        """Whether it is asked about what one runs: it takes a type, an id or an account."""
        return not self.market and bool({"resource_type", "id", "account", "service"} & set(self.parameters))

    @cached_property
    def of_its_own(self) -> bool:
        """Whether its cues alone tell what a question is about: costs, changes; not `list` or `load`."""
        return self.here and self.of_account and not self.has("id") and not self.has("check")

    @cached_property
    def of_market(self) -> bool:
        """Whether its questions are read with the words of the market: offers, sellers, connections."""
        return not self.here or not self.of_account or self.has("check")

    def kinds(self) -> set[str]:
        """The kinds of value its arguments take."""
        return {str(body.get("kind")) for body in self.parameters.values()}

    def values(self, argument: str) -> tuple[Any, ...]:
        """The accepted values of an argument that has a closed list."""
        body = self.parameters.get(argument, {})
        return tuple(body.get("enum") or body.get("items", {}).get("enum") or ())

    def groups_by(self, dimension: str) -> bool:
        """Whether it groups by this; its closed list says, or the words of its description."""
        said = str(self.parameters.get("group_by", {}).get("description") or "").replace(",", " ").split()
        known = {*self.values("group_by"), *said}
        return dimension in known if known else self.has("group_by")

    def is_list(self, argument: str) -> bool:
        """Whether the argument takes several values."""
        return self.parameters.get(argument, {}).get("type") == "array"

    def default(self, argument: str) -> Any:
        """What the argument is when it is not given."""
        return self.parameters.get(argument, {}).get("default")
