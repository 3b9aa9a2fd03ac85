"""Arguments that come from the rows of a call before: `"$1.uid"`, so many at a time, results joined."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent.planner.query import Call
from agent.rows import told

REFERENCE = re.compile(r"\$(\d+)\.(\w+)")
MOST = 200
"""Items that one list argument takes."""

EMPTY: dict[str, Any] = {
    "rows": [],
    "sources": [],
    "missing": [],
    "applied": {},
    "notices": [],
    "total": 0,
    "as_of": None,
    "truncated": False,
    "next_cursor": None,
}
"""The result of a call that had nothing to be asked about."""


def reference(arguments: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The argument that comes from an earlier call, that call's id, and the field of its rows."""
    for name, value in arguments.items():
        if isinstance(value, str) and (found := REFERENCE.fullmatch(value)):
            return name, found[1], found[2]
    return None


def ready(calls: Iterable[Call], done: Collection[str]) -> Iterator[Call]:
    """The calls that are still to be made and wait for no other."""
    for call in calls:
        fed = reference(call.arguments)
        if call.id not in done and (fed is None or fed[1] in done):
            yield call


def folded(
    own: Mapping[str, Any], narrowing: Mapping[str, Any], taken: Collection[str]
) -> dict[str, Any] | None:
    """The arguments of one call that asks the same; None where the fed tool does not take what narrows."""
    kept = {
        name: value
        for name, value in own.items()
        if not (isinstance(value, str) and REFERENCE.fullmatch(value))
    }
    if not narrowing or set(narrowing) - set(taken) or set(narrowing) & set(kept):
        return None
    return {**narrowing, **kept}


def values_of(rows: Iterable[Mapping[str, Any]], field: str) -> list[Any]:
    """The values of a field, each once, those of lists one by one (`gpu`)."""
    held = [told(row, field) for row in rows]
    each = (one for some in held for one in (some if isinstance(some, list) else [some]))
    return list(dict.fromkeys(one for one in each if one))


def batches(own: Mapping[str, Any], argument: str, values: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """The call for all values, so many at a time."""
    for at in range(0, len(values), MOST):
        yield {**own, argument: list(values[at : at + MOST])}


def joined(results: Sequence[dict[str, Any]], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The results of all batches as if they were one: in order, grouped and cut as was asked."""
    if len(results) == 1:
        return results[0]
    whole = {**results[0]}
    for name in ("rows", "sources", "missing", "notices"):
        whole[name] = _once(item for one in results for item in one.get(name) or ())
    whole["truncated"] = any(one.get("truncated") for one in results)
    totals = [one.get("total") for one in results]
    whole["total"] = None if None in totals else sum(one for one in totals if one is not None)
    if arguments.get("group_by"):
        whole["rows"] = _regrouped(whole["rows"])
        whole["total"] = len(whole["rows"])
    way = arguments.get("sort") or {"gt": "desc", "ge": "desc", "lt": "asc", "le": "asc"}.get(
        str(arguments.get("op"))
    )
    if way in ("asc", "desc") or arguments.get("group_by"):
        whole["rows"].sort(key=lambda row: row["value"], reverse=way != "asc")
    if arguments.get("limit"):
        whole["rows"] = whole["rows"][: int(arguments["limit"])]
    return whole


def _once(items: Iterable[Any]) -> list[Any]:
    seen: list[Any] = []
    for one in items:
        if (isinstance(one, Mapping) and "uid" in one) or one not in seen:
            seen.append(one)
    return seen


def _regrouped(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Groups that several batches had a part of."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["group"], row["metric"]), []).append(row)
    return [_group(parts) for parts in found.values()]


def _group(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    count = sum(one["count"] for one in parts)
    values = [float(one["value"]) for one in parts]
    # `avg of p95`: the mean of what was told of each.
    agg = str(parts[0]["agg"]).partition(" of ")[0]
    made = {
        "avg": sum(one["value"] * one["count"] for one in parts) / count if count else 0.0,
        "max": max(values),
        "min": min(values),
    }.get(agg, sum(values))
    samples = sum(one["samples"] for one in parts)
    return {**parts[0], "value": round(made, 6), "count": count, "samples": samples}
