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
_LABELS = ("tag", "tag_not")
_PLACES = ("providers", "region", "account", *_LABELS)


def share_of(a: Asked, half: Half) -> Query | None:
    """Two calls, of those that are meant and of all they are part of; None where no share is asked or told.

    What stands before the verb is said of all, what stands behind it of some.
    """
    start = next((index for index, span in enumerate(a.s.spans) if span.plays(SHARE)), None)
    if start is None or a.found.sides or (a.found.then or {}).get("op") != "count" or _more_than_told(a):
        return None
    some, whole, where = a.found.arguments, _whole(a, half, start), list(a.found.where)
    grouped = "group_by" in some
    if whole is None or (grouped and where) or not (grouped or where or whole != some):
        return None
    if whole == some and grouped:
        # `share of instances per cloud`: of each in all of them.
        return Query(a.tool.name, some, (), {"op": SHARE})
    if grouped:
        whole["group_by"] = some["group_by"]
    return parted(a.tool.name, some, whole, {"op": SHARE, **({"some": where} if where else {})})


def parted(tool: str, some: dict[str, Any], whole: dict[str, Any], then: dict[str, Any]) -> Query:
    """The query of two calls: what both say, and each of them by itself."""
    common = {name: value for name, value in some.items() if whole.get(name) == value}
    sides = [{name: value for name, value in one.items() if name not in common} for one in (some, whole)]
    return Query(tool, common, tuple(sides), then)


def _more_than_told(a: Asked) -> bool:
    """`of the ten dearest`, `stopped or untagged`, `ratio of … to …`: no part of all that two calls tell."""
    limited = any(span.plays("top", "extreme", "ranked_metric") for span in a.s.spans)
    return limited or "or" in a.s.words() or any(span.text == "ratio of" for span in a.s.spans)


def _whole(a: Asked, half: Half, start: int) -> dict[str, Any] | None:
    """What is said of all; None where that cannot be told."""
    some = a.found.arguments
    verbs = [
        index
        for index, span in enumerate(a.s.spans)
        if index > start and set(span.text.split()) & _VERBS and a.s.spans[index - 1].text not in _BACK
    ]
    if verbs:
        made = half(list(a.s.tokens[: a.s.spans[verbs[0]].first]))
        whole = dict(made.arguments)
        if made.where or made.sides or "group_by" in whole:
            return None
    else:
        whole = {name: value for name, value in some.items() if name in (*_OF_ALL, *_LABELS)}
        if whole == some:
            # `share of prod instances`: a tag alone is what makes the part.
            whole = {name: value for name, value in some.items() if name in _OF_ALL}
    own = [name for name in some if name not in whole and name != "group_by"]
    if a.found.where or any(name not in _PLACES for name in own):
        # `are stopped on aws`, `are mysql in prod`: where they are is said of all.
        whole |= {name: some[name] for name in own if name in _PLACES}
    return whole
