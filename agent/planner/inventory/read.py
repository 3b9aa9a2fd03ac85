"""One question about what one runs, read for one tool: every rule in turn, the surest first."""

from __future__ import annotations

from agent.planner.inventory.amounts import read_ranges
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.denials import read_denials, read_unheard
from agent.planner.inventory.facts import set_of
from agent.planner.inventory.grouping import read_compared, read_groups, read_heads
from agent.planner.inventory.labels import read_labels
from agent.planner.inventory.lacking import read_lacking
from agent.planner.inventory.loose import read_loose
from agent.planner.inventory.market import only_running, read_market
from agent.planner.inventory.measures import read_measures
from agent.planner.inventory.names import read_names, read_patterns
from agent.planner.inventory.order import read_order
from agent.planner.inventory.places import read_kinds, read_owners, read_places, read_values
from agent.planner.inventory.row_fields import read_row_fields
from agent.planner.inventory.sizes import read_sizes
from agent.planner.inventory.states import read_states
from agent.planner.inventory.times import read_times
from agent.planner.inventory.totals import read_counts, read_prices
from agent.planner.inventory.types import read_types
from agent.planner.inventory.whose import read_whose


def read(a: Asked) -> None:
    """Fill `a.found` with everything that the tool, or the one that feeds it, can take."""
    read_ranges(a.s)
    a.denied = read_denials(a.s)
    read_patterns(a)
    read_row_fields(a)
    read_owners(a)
    read_lacking(a)
    read_labels(a)
    read_whose(a)
    read_names(a)
    read_times(a)
    read_measures(a)
    read_groups(a)
    read_order(a)
    read_sizes(a)
    read_places(a)
    read_kinds(a)
    read_values(a)
    read_types(a)
    read_states(a)
    read_counts(a)
    read_heads(a)
    read_compared(a)
    read_prices(a)
    read_market(a)
    read_loose(a)
    _asides(a)
    if (unheard := read_unheard(a.s)) is not None:
        said, rest = unheard
        a.found.ask(f"It is not clear what “{said}” leaves out. Without it:", *([rest] if rest else []))
    _written(a)


def _asides(a: Asked) -> None:
    """What says nothing more: `details of`, `our`, `everything`."""
    for index, span in enumerate(a.s.spans):
        if not span.used and span.plays(*set_of("asides")) and span.number is None:
            a.s.use(index)
    if not a.takes("group_by"):
        for index, _ in a.all("details", "field_of", "type", "priced"):
            a.s.use(index)


def _written(a: Asked) -> None:
    """How a plan is written: what belongs together, what another argument says already."""
    arguments = a.found.arguments
    only_running(a)
    _by_price(a)
    if "min_memory" in arguments and "resource_type" not in arguments:
        a.put("resource_type", "gpu_instance")
    if "gpu_instance" in arguments.get("resource_type", ()) and "instance" in arguments["resource_type"]:
        arguments["resource_type"] = [one for one in arguments["resource_type"] if one != "instance"]
    if set(arguments.get("resource_type", ())) in ({"instance"}, {"gpu_instance"}):
        # All are of one type: what differs is which machine it is.
        by = ["instance_type" if one == "type" else one for one in arguments.get("group_by", ())]
        if by and a.tool.groups_by("instance_type"):
            arguments["group_by"] = by
    counts = a.found.then is not None and a.found.then["op"] == "count"
    if counts and "group_by" not in arguments:
        arguments.pop("limit", None)
        arguments.pop("sort", None)
    if "list_metrics" in arguments:
        for name in ("op", "value", "sort", "agg"):
            arguments.pop(name, None)
    if "*" in arguments.get("missing_tag", ()) and (
        arguments.get("tag") or len(arguments["missing_tag"]) > 1
    ):
        # Nothing has a tag and none at all: a name is what people miss first.
        arguments["missing_tag"] = ["Name" if one == "*" else one for one in arguments["missing_tag"]]
        a.found.notices.append("Untagged was read as: without a Name tag.")
    same_key = [
        one for one in arguments.get("tag", ()) if _keys(arguments["tag"]).count(one.split("=")[0]) > 1
    ]
    if same_key and not a.found.sides:
        rest = [one for one in arguments.pop("tag") if one not in same_key]
        a.found.sides = [{"tag": [*rest, one]} for one in same_key]
        either = not a.s.has("compare")
        then = {"op": "either"} if either else {"op": "compare", "by": "tag", "values": same_key}
        a.found.then = a.found.then or then


def _by_price(a: Asked) -> None:
    """`the 5 dearest below 10 % cpu`: what was measured has no price to be sorted by until it is joined."""
    order = str(a.found.arguments.get("sort"))
    if a.tool.has("agg") and a.feeder is not None and order.startswith("price_"):
        del a.found.arguments["sort"]
        a.found.then = {"op": "join", "field": "usd_per_hour", "sort": order.removeprefix("price_")}


def _keys(tags: list[str]) -> list[str]:
    return [one.split("=")[0] for one in tags]
