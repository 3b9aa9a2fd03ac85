"""What has been read out of one question so far; rules write it, the planner makes a query of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.planner.tool import Tool

_NOUNS = {
    "gpu_memory_gib": "GB of memory on each GPU",
    "gpu_count": "GPUs",
    "ram_gib": "GB of host memory",
    "vcpus": "vCPUs",
    "reliability": "reliability",
}
_SAID = {"lt": "under", "le": "at most", "gt": "over", "ge": "at least", "ne": "other than"}


@dataclass
class Found:
    """Arguments and intentions of one question, before it meets the dialogue and the tool's own rules."""

    arguments: dict[str, Any] = field(default_factory=dict)
    sides: list[dict[str, Any]] = field(default_factory=list)
    then: dict[str, Any] | None = None
    cleared: set[str] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)
    unclear: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    purposes: list[str] = field(default_factory=list)
    best: str | None = None
    one: bool = False
    group_best: bool = False
    compare: bool = False
    chooses: bool = False
    budget: float | None = None
    how_long: bool = False
    money_cap: tuple[str, float, bool | None] | None = None
    loose_memory: bool = False
    loose_cap: float | None = None
    bare: float | None = None
    like: tuple[str, ...] = ()
    length_end: int | None = None
    where: list[list[Any]] = field(default_factory=list)
    """Conditions that no argument takes: [row field, comparison, value]."""
    without: dict[str, list[Any]] = field(default_factory=dict)
    """Values of an argument that are not wanted, where it takes several."""
    judged_hours: float | None = None
    """The hours that a price to be judged is for."""
    judged_whole: bool | None = None
    """False where such a price was said to be of each GPU."""
    against: str | None = None
    """A time that was over before now and that now is compared with."""

    def put(self, argument: str, value: Any) -> None:
        """Give an argument its value; the first one said stays, and that another was said is told."""
        if self.arguments.setdefault(argument, value) != value:
            self.refused.append(
                f"{argument.replace('_', ' ')} {value:g}"
                if isinstance(value, float)
                else f"{argument.replace('_', ' ')} {value}"
            )

    def add(self, argument: str, value: Any) -> None:
        """One more value of an argument that takes several."""
        values = self.arguments.setdefault(argument, [])
        if value not in values:
            values.append(value)

    def meet(self, tool: Tool, field: str, op: str, value: float | str) -> bool:
        """A condition that no argument takes: code keeps the rows that meet it, where rows tell it."""
        if field not in tool.fields or not tool.has("limit"):
            said = f"{_SAID.get(op, op)} {value:g}" if isinstance(value, int | float) else f"{op} {value}"
            self.refused.append(f"{field.replace('_', ' ')} {said}: no row tells it")
            return False
        whole = isinstance(value, float) and value.is_integer()
        self.where.append([field, op, int(value) if whole else value])
        if field in _NOUNS and not isinstance(value, str):
            said = f"{_SAID.get(op, op)} {value:g} {_NOUNS[field]}"
            self.notices.append(f"Only offers with {said}; those that do not tell are left out.")
        return True

    def ask(self, question: str, *choices: str) -> None:
        """Note what must be asked back."""
        self.unclear.append((question, choices[:4]))

    @property
    def asked(self) -> Mapping[str, Any]:
        """The arguments, for reading."""
        return self.arguments
