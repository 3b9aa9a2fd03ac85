"""`what share of our instances is stopped`: the same twice, with what is said of some and without it."""

from __future__ import annotations

from typing import Any

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.either import Half
from agent.planner.query import Query

SHARE = "share"
_VERBS = frozenset(
    (
        *("is", "are", "was", "were", "has", "have", "run", "runs", "live", "lives"),
        *("sit", "sits", "use", "uses", "lack", "lacks", "belong", "belongs"),
    )
)
_BACK = frozenset(("that", "which", "who"))
_OF_ALL = ("resource_type", "providers", "region", "account", "group_by")
"""What is said of all where no verb parts it from what is said of some: `share of stopped vms on aws`."""


def share_of(a: Asked, half: Half) -> Query | None:
    """Two calls, of those that are meant and of all they are part of; None where no share is asked or told.

    What stands before the verb is said of all, what stands behind it of some.
    """
    if not a.s.has(SHARE) or a.found.sides or (a.found.then or {}).get("op") != "count":
        return None
    some, whole, where = a.found.arguments, _whole(a, half), list(a.found.where)
    grouped = "group_by" in some
    if whole is None or (grouped and where) or not (grouped or where or whole != some):
        return None
    if whole == some and grouped:
        # `share of instances per cloud`: of each in all of them.
        return Query(a.tool.name, some, (), {"op": SHARE})
    if grouped:
        whole["group_by"] = some["group_by"]
    common = {name: value for name, value in some.items() if whole.get(name) == value}
    sides = [{name: value for name, value in one.items() if name not in common} for one in (some, whole)]
    return Query(a.tool.name, common, tuple(sides), {"op": SHARE, **({"some": where} if where else {})})


def _whole(a: Asked, half: Half) -> dict[str, Any] | None:
    start = next(index for index, span in enumerate(a.s.spans) if span.plays(SHARE))
    verbs = [
        index
        for index, span in enumerate(a.s.spans)
        if index > start and set(span.text.split()) & _VERBS and a.s.spans[index - 1].text not in _BACK
    ]
    if verbs:
        made = half(list(a.s.tokens[: a.s.spans[verbs[0]].first]))
        return None if made.where or made.sides else dict(made.arguments)
    return {name: value for name, value in a.found.arguments.items() if name in _OF_ALL}
