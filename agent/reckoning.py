"""What a model has code compute over the rows of a call: some of the words of a plan's `then`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent.compute import Computed, computed

COMPUTE = "compute"
"""The name under which a model calls it; it is no tool of a server."""

OPS = ("count", "distinct", "sum", "average", "median", "min", "max", "join")
PRICE = "usd_per_gpu_hour"
OF_PRICES = ("average", "median", "min", "max")
COMPUTING: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": COMPUTE,
        "description": "Have code compute over all rows of a call, also those cut off. The answer is made "
        "of the last computation. `join`, of a call that took $N.uid: adds to each row the field of its "
        "resource in call N (usd_per_hour for what it costs), and the sum.",
        "parameters": {
            "type": "object",
            "properties": {
                "op": {"type": "string", "enum": list(OPS)},
                "field": {"type": "string", "description": "a column; count and distinct do without"},
                "call": {"type": "string", "description": "number of the call; default the last one"},
            },
            "required": ["op"],
            "additionalProperties": False,
        },
    },
}


class NotComputed(Exception):
    """What was wanted cannot be computed; the text says why."""


def then_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The computation as a plan says it; NotComputed for one that there is not."""
    op, field = arguments.get("op"), arguments.get("field")
    if op not in OPS:
        raise NotComputed(f"op: one of {', '.join(OPS)}.")
    if field is None and op not in ("count",):
        raise NotComputed(f"{op} needs a field: a column of the rows.")
    return {"op": op, **({"field": str(field)} if field is not None else {})}


def reckoned(
    then: Mapping[str, Any], result: Mapping[str, Any], feeding: Sequence[Mapping[str, Any]]
) -> Computed:
    """The computation done over one result; NotComputed where its rows do not tell the field."""
    field = str(then.get("field", ""))
    told = [row for one in (result, *(feeding if then["op"] == "join" else ())) for row in one["rows"]]
    if field and not any(row.get(field) is not None for row in told):
        raise NotComputed(f"No row tells {field}.")
    if then["op"] in OF_PRICES and field != PRICE:
        raise NotComputed(f"{then['op']} is of {PRICE} alone; sort and limit=1 find the most of others.")
    if then["op"] in ("sum", "join") and not all(_number(row.get(field)) for row in told):
        raise NotComputed(f"{field} is no number.")
    if then["op"] == "sum" and not all("status_raw" in row for row in result["rows"]):
        raise NotComputed("sum is of a call of list_resources, over a field of resources.")
    if then["op"] == "join" and not (feeding and all("metric" in row for row in result["rows"])):
        raise NotComputed("join is of a call of get_metrics that took $N.uid.")
    return computed(then, [result], feeding)


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def figures(made: Computed) -> list[float]:
    """The numbers that a sentence may say of it."""
    values = [made.figures, *made.figures.values()]
    flat = [one for each in values if isinstance(each, Mapping) for one in each.values()]
    return [float(one) for one in flat if one is not None and _number(one)]


def said(made: Computed) -> str:
    """What a model is told of it: the figures, never rows."""
    told = {name: one for name, one in made.figures.items() if name != "values"}
    return json.dumps({"computed": made.op, **told, "whole": made.whole}, ensure_ascii=False, default=str)
