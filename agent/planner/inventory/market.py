"""What one's own machines cost beside the market: `GPUs running above the market`, `20 % over market`."""

from __future__ import annotations

from agent.planner.inventory.amounts import amount_at
from agent.planner.inventory.asked import Asked

_NEAR = 4


def read_market(a: Asked) -> None:
    """The side that is asked for, and by how much; others than machines with GPUs have no market."""
    if not a.tool.has("missing_tag"):
        return
    for index, span in a.all("market_word"):
        side, against = str(span.get("market_word")).split()
        then = a.found.then = {"op": "market", "field": against}
        if side != "any":
            then["side"] = side
        if (said := _percent(a, index)) is not None:
            then["percent"], op = said
            if op in ("lt", "le", "ge"):
                then["compare"] = op
        a.s.use(index)


def _percent(a: Asked, index: int) -> tuple[float, str | None] | None:
    """`20 % above the market`, `at most 20 % over the market`: the share, and how it is compared."""
    for at in range(max(0, index - _NEAR), index):
        if a.s.spans[at].number is None or a.s.spans[at].used:
            continue
        made = amount_at(a.s, at)
        if made.unit == "percent":
            a.s.use(*range(made.first, made.last + 1), *([made.op_at] if made.op_at is not None else []))
            return made.value, made.op
    return None


def only_running(a: Asked) -> None:
    """What else it says of the machines: they have GPUs, and run unless another state was asked for."""
    if (a.found.then or {}).get("op") != "market":
        return
    for index, _ in a.all("priced", "per_hour", "wants_gpu"):
        a.s.use(index)
    a.found.arguments["resource_type"] = ["gpu_instance"]
    for name in ("sort", "group_by"):
        if name in a.found.arguments:
            said = a.found.arguments.pop(name)
            a.found.refused.append(f"{name} {said}: the dearest beside the market come first, each by itself")
    if not {"status", "status_not"} & a.found.arguments.keys():
        a.put("status", "running")
