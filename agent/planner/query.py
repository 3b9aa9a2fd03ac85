"""What the planner hands on: a plan of tool calls, and the typed query that the next turn builds on.

Everything here is plain data, frozen, equal when equal, and JSON-ready. `then` names what code computes over
the rows of the calls once they are there; the vocabulary is closed:

| op | other keys | what is computed |
|---|---|---|
| count | | how many rows there are (all pages) |
| count | by | how many groups `group` would make |
| count | field | how many different values of the field there are, over all rows |
| distinct | field | the different values of a field, each once, with the first row of each |
| median, average, min, max | field | that figure over the rows; unpriced rows are left out |
| range | field | smallest and largest |
| nth | n | the nth row in the order of the call (1 is the first) |
| compare | by, values | one line for each value of `by`: cheapest and median, side by side |
| diff | field, direction | last against first over the call's time; direction up, down or null for either |
| divide | budget, nodes if asked | hours that `budget` dollars buy of the cheapest row (of `nodes` such) |
| within | usd_total | rows whose `usd_total` is at most this |
| worth | usd | how `usd` (None: today's lowest) stands among the lowest prices of the call's time |
| filter | field, value | rows whose field has this value (`true`, text, or a member of a list) |
| group | by, field, sort | how many rows there are of each value of these, what they cost, `field` added up |
| sum | field | that field of all rows added up |
| join | field | each row with that field of its resource, taken from the call that fed it, and the sum |
| market | field, side, percent, compare | each machine beside the median (or lowest) offer of its GPU |
| share | some | how many the first call has of those of the second; of one call, each group of all of them |
| both, either | | rows of the resources that all sides have, or any side |

Besides, with any op: `where` [[field, comparison, value]] keeps the rows that meet all of it, `before` those
of the call that feeds another, `limit` so many of what is left. Comparisons: lt le gt ge eq ne known;
`of`: a version within another (14.9 of 14). `some` are such conditions of the first call alone.

Of groups of the price history median, min, max and range are each group's own, weighted by time. `field` is
a row field of the called tool. With several calls `compare` takes each call as one side, in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Behaviour = Literal["answer", "clarify", "refuse"]
Then = Mapping[str, Any]
"""`{"op": …}` and the keys of the table above."""

THEN_OPS = (
    "count",
    "distinct",
    "median",
    "average",
    "min",
    "max",
    "range",
    "nth",
    "compare",
    "diff",
    "divide",
    "within",
    "worth",
    "filter",
    "group",
    "sum",
    "join",
    "market",
    "share",
    "both",
    "either",
)
REASONS = ("write_operation", "injection", "secret", "out_of_scope")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; `id` is how a later call of the plan refers to it (`"$1.uid"`)."""

    tool: str
    arguments: Mapping[str, Any]
    id: str = "1"

    def as_json(self) -> dict[str, Any]:
        """The call as a plan prints it."""
        return {"tool": self.tool, "arguments": dict(self.arguments)}


@dataclass(frozen=True, slots=True)
class Query:
    """What a question asked, typed: one tool, its arguments, and what is done with the rows.

    `sides` are the two or more sides of a comparison that one call cannot express: each is laid over
    `arguments` and becomes a call of its own.
    """

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sides: tuple[Mapping[str, Any], ...] = ()
    then: Then | None = None

    def calls(self) -> tuple[Call, ...]:
        """One call, or one for each side; arguments by name, so that equal plans are equal bytes."""
        sides = self.sides or self._apart()
        laid = [{**self.arguments, **side} for side in sides] or [dict(self.arguments)]
        return tuple(
            Call(self.tool, dict(sorted(one.items())), str(n)) for n, one in enumerate(laid, start=1)
        )

    def _apart(self) -> tuple[Mapping[str, Any], ...]:
        """The sides of a comparison whose groups do not tell which is whose: `us and eu, per provider`."""
        by = str((self.then or {}).get("by")) if (self.then or {}).get("op") == "compare" else ""
        values, group = self.arguments.get(by), self.arguments.get("group_by")
        if not isinstance(group, str) or not isinstance(values, list) or by not in ("region", "providers"):
            return ()
        return tuple({by: [one]} for one in values) if by.rstrip("s") != group and len(values) > 1 else ()

    def as_json(self) -> dict[str, Any]:
        """What a conversation keeps of the query."""
        return {
            "tool": self.tool,
            "arguments": dict(self.arguments),
            "sides": [dict(side) for side in self.sides],
            "then": dict(self.then) if self.then else None,
        }

    @staticmethod
    def of(kept: Mapping[str, Any]) -> Query:
        """The query that `as_json` wrote."""
        return Query(
            tool=kept["tool"],
            arguments=dict(kept.get("arguments") or {}),
            sides=tuple(dict(side) for side in kept.get("sides") or ()),
            then=dict(kept["then"]) if kept.get("then") else None,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is dealt with: answered by calls, asked back, or refused.

    `question` is the sentence to print when clarifying or refusing, `choices` whole questions to pick from,
    `ignored` the content words that nothing used, `query` what the next turn builds on (when one is refused
    or unclear: what the turns before it had). `lost`: nothing could be made of its words.
    """

    behaviour: Behaviour
    calls: tuple[Call, ...] = ()
    then: Then | None = None
    reason: str | None = None
    question: str | None = None
    choices: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    query: Query | None = None
    lost: bool = False

    def as_json(self) -> dict[str, Any]:
        """What `cloudtop ask --plan --json` prints of it."""
        return {
            "behaviour": self.behaviour,
            "calls": [call.as_json() for call in self.calls],
            "then": dict(self.then) if self.then else None,
            "reason": self.reason,
            "question": self.question,
            "choices": list(self.choices),
            "ignored": list(self.ignored),
            "notices": list(self.notices),
        }
