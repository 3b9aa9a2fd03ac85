"""What is counted and added up: `how many`, `total size of`, `what do they cost`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import is_plural
from agent.planner.inventory.grouping import dimension_at
from agent.planner.inventory.sizes import size_field, types_said
from agent.planner.sentence import Span

_OF_EACH = frozenset(("with", "their", "its", "and", "the", "plus", ",", "each", "by", "including"))

_SHORT = 3
_SIZED = ("bucket", "volume", "snapshot", "database", "container_registry")
_ASKING = (("what", "do"), ("what", "does"), ("how", "much"))


def read_counts(a: Asked) -> None:
    """`how many …`, `total size of …`."""
    _each_counted(a)
    for index, _ in a.all("share"):
        a.s.use(index)
        a.found.then = a.found.then or {"op": "count"}
    for index, span in a.all("count"):
        a.s.use(index)
        if span.text == "how much":
            _total(a, index)
            continue
        of_metric = span.text in ("how often", "how many times") or a.s.plays(
            index + 1, "metric", "shy_metric"
        )
        if of_metric and "metric" in a.found.arguments:
            if span.text.startswith(("total", "the total")):
                # `the total number of invocations`
                a.put("agg", "sum")
            continue
        _count_dimension(a, index)
        if "group_by" not in a.found.arguments and a.found.then is None:
            a.found.then = {"op": "count"}
    for index, _ in a.all("total"):
        _total(a, index)
        if a.found.then == {"op": "count"}:
            # `aws and azure combined: how many`
            a.s.use(index)
    for index, span in a.all("field_of"):
        # Of one resource it is a field; of several it is added up.
        several = a.tool.has("min_vcpu") and not {"name", "id"} & set(a.found.arguments)
        if span.get("field_of") == "vcpus" and span.text.startswith("how many") and several:
            _sum(a, "vcpus", index)


def _each_counted(a: Asked) -> None:
    """`how many run in Germany, and how many in the US`: each by itself."""
    if (
        sum(1 for _ in a.all("count")) < 2
        or a.s.has("total")
        or a.found.sides
        or a.found.then
        or a.tool.has("metric")
    ):
        return
    for argument in ("region", "providers", "account", "status", "tag", "engine", "resource_type"):
        values = a.found.arguments.get(argument) or []
        if len(values) > 1:
            del a.found.arguments[argument]
            a.found.sides = [{argument: [one]} for one in values]
            a.found.then = {"op": "compare", "by": argument, "values": list(values)}
            return
    last = next((span for span in reversed(a.s.spans) if span.text[0].isalnum()), None)
    if last is None or last.text not in _NOT or "encrypted" not in a.found.arguments:
        return
    # `how many are encrypted and how many are not`
    value = bool(a.found.arguments.pop("encrypted"))
    a.found.sides = [{"encrypted": value}, {"encrypted": not value}]
    a.found.then = {
        "op": "compare",
        "by": "encrypted",
        "values": ["encrypted", "not encrypted"][:: 1 if value else -1],
    }
    a.s.use(*(index for index, span in enumerate(a.s.spans) if span is last))


_NOT = frozenset(("not", "arent", "isnt", "are not"))


def _count_dimension(a: Asked, index: int) -> None:
    """`how many regions do we use`: groups are counted; `how many gpus` adds them up."""
    at = a.skip(index + 1, leads=False)
    while (span := a.s.at(at)) is not None and span.text in ("different", "distinct", "unique", "separate"):
        at += 1
    if span is None:
        return
    if span.plays("gpu") and a.tool.has("missing_tag"):
        a.found.then = {"op": "sum", "field": "gpu_count"}
        return
    if span.text in ("gpus", "cards", "gpu") and a.tool.has("group_by"):
        a.found.then = {"op": "sum", "field": "gpu_count"}
        a.put("resource_type", "gpu_instance", at)
        return
    if span.get("unit") == "core" and a.takes("min_vcpu") and a.tool.has("group_by"):
        _sum(a, "vcpus", at)
        return
    if span.get("unit") in ("gb", "tb") and a.takes("min_vcpu") and a.tool.has("group_by"):
        # `how many terabytes of unattached disks`
        ram = any(one.get("size_of") == "ram" for one in a.s.spans[at : at + 4])
        _sum(a, "ram_gib" if ram else size_field(types_said(a)), at)
        return
    if span.plays("type", "service") or "group_by" in a.found.arguments or not a.tool.has("group_by"):
        return
    dimension = dimension_at(a, at)
    if dimension is not None and dimension != "resource" and is_plural(span.text):
        a.found.add("group_by", dimension)
        a.found.then = {"op": "count"}
        a.s.use(at)


def _total(a: Asked, index: int) -> None:
    """`total size of our buckets`, `total cores`, `what do they cost in total`."""
    if not a.takes("min_vcpu") or a.tool.has("metric"):
        return
    behind = range(index + 1, min(len(a.s.spans), index + 4))
    for at in behind if index + 1 < len(a.s.spans) else range(index):
        if (name := _summed(a, a.s.spans[at])) is not None:
            _sum(a, name, index, at)
            return
    if a.found.then is None and a.s.has("priced"):
        a.s.use(index)
    elif (
        a.found.then is None
        and len(a.s.spans) <= _SHORT
        and set(a.before.get("resource_type", ())) & set(_SIZED)
    ):
        # `how much in total`, after buckets
        _sum(a, size_field(types_said(a)), *range(len(a.s.spans)))


def _sum(a: Asked, name: str, *places: int) -> None:
    """A field is added up over all rows; groups tell how many they are and what they cost, nothing else."""
    before = a.found.then or {}
    if before.get("op") == "sum" and before.get("field") != name:
        said = {"ram_gib": "memory", "usd_per_hour": "price"}.get(name, name)
        a.found.refused.append(f"total {said}: one figure is added up at a time")
        a.s.use(*places)
        return
    a.found.then = {"op": "sum", "field": name}
    a.s.use(*places)
    if name == "vcpus" and not a.found.arguments.get("resource_type"):
        a.put("resource_type", "instance")
    if name == "size_gb" and not types_said(a):
        a.put("resource_type", "volume")


def _summed(a: Asked, span: Span) -> str | None:
    """The field of a row that a word adds up."""
    if span.get("unit") == "core" or span.get("field_of") == "vcpus":
        return "vcpus"
    if span.get("size_of") == "ram":
        return "ram_gib"
    if (
        span.plays("size_of")
        or str(span.get("field_of")).startswith("size_")
        or span.get("order_by") == "size"
        or span.text in ("size of", "sizes")
    ):
        return size_field(types_said(a))
    if span.get("unit") == "object":
        return "object_count"
    return "usd_per_hour" if span.plays("priced") else None


def read_prices(a: Asked) -> None:
    """`what do they cost`: the hourly price of each, joined to what was measured, or summed."""
    places = [index for index, _ in a.all("priced", "per_hour")]
    if not places or not any(a.s.spans[i].plays("priced") for i in places):
        return
    if a.feeder is None and a.found.then is None and (figure := _figure(a, places)) is not None:
        a.found.then = {"op": figure, "field": "usd_per_hour"}
        a.s.use(*places)
        return
    if a.feeder is not None:
        a.found.then = a.found.then or {"op": "join", "field": "usd_per_hour"}
        a.s.use(*places)
    elif a.tool.has("group_by") and a.tool.has("max_price"):
        a.s.use(*places)
        counted = (a.found.then or {}).get("op") == "count"
        if "group_by" not in a.found.arguments and ((a.found.then is None and _asks_sum(a)) or counted):
            # A sum tells how many were added up, too.
            _sum(a, "usd_per_hour")


def _figure(a: Asked, places: list[int]) -> str | None:
    """`average price of our vms`: one figure over all of them."""
    for index in places:
        lead = a.s.at(a.skip(index - 1, -1))
        agg = str(lead.get("agg")) if lead is not None and not lead.used else ""
        if agg in _FIGURES and "group_by" not in a.found.arguments and a.tool.has("max_price"):
            a.s.use(a.skip(index - 1, -1))
            return _FIGURES[agg]
    return None


_FIGURES = {"avg": "average", "p50": "median"}


def _asks_sum(a: Asked) -> bool:
    """`what do they cost`; but `with their price`, `and the hourly cost` show it of each."""
    for index, span in enumerate(a.s.spans):
        before = a.s.at(index - 1)
        if span.plays("priced") and before is not None and before.text in _OF_EACH:
            return False
    words = a.s.words()
    return "with" not in words or words[:2] in _ASKING
