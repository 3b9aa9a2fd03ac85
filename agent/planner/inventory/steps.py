"""From what a question asked to the calls that answer it: what narrows resources is a call of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.planner.inventory.asked import OWN_ROWS
from agent.planner.lexicon import Lexicon
from agent.planner.query import Call, Query
from agent.planner.tool import Tool

_NAMES = frozenset(("id", "name", "name_contains"))
_LONE = frozenset(("resource_type", "status"))


def feeder_of(tool: Tool, words: Lexicon) -> tuple[str, Tool, str] | None:
    """The argument that is fed, the tool that feeds it, and the field of its rows."""
    for argument, source in tool.feed.items():
        name, _, row_field = source.partition(".")
        if name in words.tools and words.tools[name].here:
            return argument, words.tools[name], row_field
    return None


def met(query: Query, tool: Tool, feeder: Tool | None) -> Query:
    """The query with its conditions where the rows tell what they are about.

    What only resources tell is met by the rows that feed a measurement, or that are set beside the market,
    before they do; groups are made by code where their rows must meet a condition that no argument takes.
    """
    query = _with_fields(query)
    then = dict(query.then or {})
    where = then.pop("where", None)
    if then.get("op") == "sum" and "group_by" in query.arguments and not tool.has("agg"):
        return _grouped(query, {**then, **({"where": where} if where else {})})
    if not where:
        return query
    if then["op"] == "market":
        return replace(query, then={**then, "before": where})
    first = [one for one in where if feeder is not None and one[0] not in tool.fields]
    if first:
        own = [one for one in where if one not in first]
        return replace(query, then={**then, "before": first, **({"where": own} if own else {})})
    if "group_by" not in query.arguments or tool.has("agg"):
        return query
    return _grouped(query, {**then, "where": where})


_DEEPER = {"gpu": "gpus", "gpu_count": "gpus"}


def _with_fields(query: Query) -> Query:
    """Where only some fields of rows are wanted: also those that code needs."""
    then, wanted = query.then or {}, query.arguments.get("fields")
    if not wanted:
        return query
    names = [str(one[0]) for one in then.get("where", ())] + [str(one) for one in [then.get("field")] if one]
    if str(query.arguments.get("sort")).startswith("price_"):
        names.append("usd_per_hour")
    needed = ["tags" if one.startswith("tags.") else _DEEPER.get(one, one) for one in names]
    fields = list(dict.fromkeys((*wanted, *needed)))
    return replace(query, arguments={**query.arguments, "fields": fields})


def _grouped(query: Query, then: Mapping[str, Any]) -> Query:
    """Groups made by code: of rows that meet a condition, or with a field added up."""
    arguments = {name: value for name, value in query.arguments.items() if name not in ("group_by", "sort")}
    op = then["op"] if then["op"] == "count" else "group"
    order = {"sort": query.arguments["sort"]} if "sort" in query.arguments else {}
    return replace(
        query, arguments=arguments, then={**then, "op": op, "by": query.arguments["group_by"], **order}
    )


def calls_of(query: Query, words: Lexicon) -> tuple[Call, ...]:
    """One call, one for each side, or a call that feeds the others with what it found."""
    tool = words.tools[query.tool]
    fed = feeder_of(tool, words)
    sides = query.sides or ({},)
    made: list[Call] = []
    fed_by: dict[str, str] = {}
    for side in sides:
        arguments = {**query.arguments, **side}
        first = _narrowing(arguments, query, tool, fed[1]) if fed is not None else {}
        if fed is not None and first:
            key = repr(sorted(first.items(), key=str))
            if key not in fed_by:
                fed_by[key] = str(len(made) + 1)
                made.append(Call(fed[1].name, _printed(first, feeds=True), fed_by[key]))
            arguments = {name: value for name, value in arguments.items() if name not in first}
            arguments[fed[0]] = f"${fed_by[key]}.{fed[2]}"
        made.append(Call(query.tool, _printed(arguments), str(len(made) + 1)))
    if (query.then or {}).get("op") == "market":
        made += _market(words)
    if (query.then or {}).get("op") == "join" and (costs := _costs(words)) is not None:
        made.append(Call(costs.name, {"group_by": "resource"}, str(len(made) + 1)))
    return tuple(made)


def _market(words: Lexicon) -> list[Call]:
    """What the GPUs of the first call are offered for, on demand and as spot."""
    tools = (tool for tool in words.tools.values() if tool.here and tool.market)
    tool = next(tool for tool in tools if "gpu_memory" in tool.values("group_by"))
    asked = {"gpu": "$1.gpu", "group_by": "gpu_memory"}
    return [Call(tool.name, {**asked, "spot": spot}, str(n)) for n, spot in enumerate((False, True), 2)]


def _costs(words: Lexicon) -> Tool | None:
    """The tool that tells what each resource has cost, once there is one."""
    tools = (tool for tool in words.tools.values() if tool.of_its_own and tool.groups_by("resource"))
    return next((tool for tool in tools if "usd" in tool.fields), None)


def _narrowing(arguments: Mapping[str, Any], query: Query, tool: Tool, feeder: Tool) -> dict[str, Any]:
    """The arguments that narrow resources; names alone need no call of their own."""
    if "list_metrics" in arguments:
        return {}
    first = {
        name: value
        for name, value in arguments.items()
        if feeder.has(name)
        and name not in OWN_ROWS
        and not (tool.has(name) and tool.parameters[name].get("kind") == "metric")
    }
    joined = (query.then or {}).get("op") == "join" or (query.then or {}).get("before")
    if set(first) <= _NAMES and not joined:
        return {}
    return first or ({"resource_type": ["instance"]} if joined else {})


def _printed(arguments: Mapping[str, Any], *, feeds: bool = False) -> dict[str, Any]:
    """By name, so that equal plans are equal bytes; what metrics imply anyway (`instance`) is no list."""
    shown = {}
    for name, value in sorted(arguments.items()):
        lone = feeds and name in _LONE and isinstance(value, list) and len(value) == 1
        shown[name] = value[0] if lone else value
    return shown
