"""Figures over past time: the history keeps them, weighted by how long each price held; its points do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.planner.found import Found
from agent.planner.lexicon import Lexicon
from agent.planner.past import keeps_history, not_kept
from agent.planner.query import Query
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool

_FIGURES = {"median": "median", "average": "median", "min": "min", "max": "max", "range": None}
_EXTREMES = {"asc": "min", "desc": "max"}
ALL_KEPT = "since_2000"
"""A time that begins before any price was recorded."""


def over_time(s: Sentence, query: Query, found: Found, tool: Tool, lexicon: Lexicon) -> tuple[Query, Tool]:
    """The query and its tool; one for figures over past time, or for groups of it, goes to the history."""
    target = _target(lexicon.tools.values(), tool)
    if target is None or query.sides:
        return query, tool
    arguments, then = dict(query.arguments), query.then
    op = then["op"] if then else None
    if _ever(s, found, then) and "time" not in arguments:
        arguments["time"] = ALL_KEPT
        op = op if op in _FIGURES else _EXTREMES.get(str(found.best), op)
        if (cap := arguments.pop("max_price", None)) is not None:
            found.notices.append(f"Whether it was ever under ${cap:g} is told by the lowest price.")
        found.notices.append("Ever means here: since prices are recorded on this machine.")
    grouped = "group_by" in arguments
    if "time" not in arguments or not (op in _FIGURES or grouped):
        return query, tool
    _grouped(arguments, target, found, figure=op in _FIGURES)
    for name in [one for one in arguments if not target.has(one) and one != "limit"]:
        found.refused.append(not_kept(name, arguments.pop(name)))
    if not grouped:
        arguments.pop("limit", None)
        arguments.pop("sort", None)
        if op in ("min", "max") and arguments["group_by"] == "gpu":
            arguments["sort"] = "min_asc" if op == "min" else "max_desc"
    elif found.one and "sort" not in arguments:
        arguments["sort"] = "min_asc"
    if op == "average":
        found.notices.append("No average over time is kept: the median is shown, weighted by time.")
    return Query(target.name, arguments, (), _then(op, query)), target


def _target(tools: Iterable[Tool], tool: Tool) -> Tool | None:
    """The tool of the history, where the chosen one compares prices and is another."""
    if not tool.has("gpu") or keeps_history(tool):
        return None
    return next((one for one in tools if one.here and keeps_history(one)), None)


def _ever(s: Sentence, found: Found, then: Any) -> bool:
    """`the lowest price ever`; `ever` without a figure is shown as not used."""
    places = [index for index, span in enumerate(s.spans) if span.plays("ever")]
    if s.words()[:1] == ("when",) and found.best in _EXTREMES:
        return True
    if not places:
        return False
    s.use(*places)
    if found.best is None and "max_price" in found.arguments:
        found.best = "asc"
    if found.best in _EXTREMES or (then is not None and then["op"] in _FIGURES):
        return True
    found.refused.append(f"{s.spans[places[0]].text}: only prices of now, or of a time that is named")
    return False


def _grouped(arguments: dict[str, Any], target: Tool, found: Found, *, figure: bool) -> None:
    """Groups that the history knows; spot and on-demand are told apart, or it is said that they are not."""
    by = arguments.get("group_by")
    if by is not None and by not in target.values("group_by"):
        found.refused.append(not_kept("group_by", arguments.pop("group_by")))
        by = None
    if by is None:
        several = len(arguments.get("gpu") or ()) > 1
        one_kind = several or "spot" in arguments or "gpu" not in arguments or not figure
        by = arguments["group_by"] = "gpu" if one_kind else "spot"
    if by != "spot" and "spot" not in arguments:
        found.notices.append("Spot and on-demand are taken together; say which, for the figures of one.")


def _then(op: str | None, query: Query) -> dict[str, Any] | None:
    if op not in _FIGURES:
        return dict(query.then) if query.then and op in ("count", "distinct") else None
    field = _FIGURES[op]
    return {"op": field, "field": field} if field else {"op": op}
