"""What a person configured of who plans: a model, its bounds for one question, what it may be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Agent:
    """Which model plans: `planner`, or a LangChain name; where it is served; its bounds for one question.

    `result_letters`: so much of one result it is shown. `columns`: those that may leave the machine, None for
    the usual ones. `pseudonyms`: names leave as `name-1`. `client_model`: which questions of an MCP client go
    to its own model: those that the planner can make nothing of (`unclear`), `always`, `never`.
    """

    model: str = "planner"
    base_url: str | None = None
    turns: int = 6
    calls: int = 12
    tokens: int = 60_000
    timeout_s: float = 60.0
    result_letters: int = 8_000
    columns: tuple[str, ...] | None = None
    pseudonyms: bool = False
    client_model: str = "unclear"

    @staticmethod
    def of(body: Mapping[str, Any], duration_s: Callable[[Any], float]) -> Agent:
        """The `agent` of a configuration file."""
        said = {name: value for name, value in body.items() if name not in ("timeout", "columns")}
        if "timeout" in body:
            said["timeout_s"] = duration_s(body["timeout"])
        if "columns" in body:
            said["columns"] = tuple(body["columns"])
        return Agent(**said)
