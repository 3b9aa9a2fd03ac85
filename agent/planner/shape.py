"""The shape of the answer: which rows, in which order and groups, and what is computed over them."""

from __future__ import annotations

from typing import Any

from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.past import keeps_history, read_record
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool

PRICE = "usd_per_gpu_hour"


def read_sorting(s: Sentence, tool: Tool, found: Found) -> None:
    """`sort by vram`, `cheapest first`, `columns provider, region`, `most vram`."""
    for index, _ in list(s.all("columns")):
        _columns(s, index, tool, found)
    for index, span in list(s.all("field_best")):
        if tool.has("sort"):
            found.put("sort", span.get("field_best"))
            found.one = True
            s.use(index)
    for index, _ in list(s.all("sort_by")):
        _sort_by(s, index, tool, found)
    for index, span in list(s.all("direction")):
        told = len(span.text.split()) > 1 or span.text.endswith("ending") or span.text in ("asc", "desc")
        if told and tool.has("sort"):
            sort_rows(found, PRICE, span.get("direction"))
            s.use(index)


def _columns(s: Sentence, index: int, tool: Tool, found: Found) -> None:
    """The row fields listed behind (or before) the word `columns`."""
    if not tool.has("fields"):
        return
    for step in (1, -1):
        names: list[str] = []
        at = index + step
        places = []
        while (span := s.at(at)) is not None and (
            span.plays("field", "dimension")
            or span.text in (",", "and", "the", "only", ":", "just", "show", "&")
        ):
            if span.plays("field", "dimension"):
                names.append(str(span.get("field") or span.get("dimension")))
            places.append(at)
            at += step
        if names:
            for name in names if step > 0 else reversed(names):
                found.add("fields", name)
            s.use(index, *places)
            return


def _sort_by(s: Sentence, index: int, tool: Tool, found: Found) -> None:
    """The field behind `sort by`, and a direction behind that."""
    at = index + 1
    while s.at(at) is not None and s.spans[at].text in ("the", "their", "its"):
        at += 1
    span = s.at(at)
    if span is None or not span.plays("field", "quantity", "dimension") or not tool.has("sort"):
        return
    field = (
        span.get("field")
        or {"price": PRICE, "memory": "gpu_memory_gib", "ram": "ram_gib"}.get(str(span.get("quantity")))
        or span.get("dimension")
    )
    direction = None
    for ahead in (at + 1, at + 2):
        if s.plays(ahead, "direction"):
            direction = s.spans[ahead].get("direction")
            s.use(at + 1, ahead)
            break
    s.use(index, at)
    sort_rows(found, str(field), direction)


def sort_rows(found: Found, field: str, direction: str | None) -> None:
    """Sort by a row field; figures where more is better from the largest."""
    direction = direction or ("desc" if field in language().hints["largest_first"] else "asc")
    name = "price" if field == PRICE else field
    found.put("sort", f"{name}_{direction}")


def read_best(s: Sentence, tool: Tool, found: Found) -> None:
    """Superlatives, ordinals, statistics, comparison and change."""
    _statistics(s, tool, found)
    _ordinal(s, tool, found)
    for index, span in list(s.all("best")):
        if found.best is None:
            found.best = span.get("best")
            found.one = _singular(s, index)
            if (
                "limit" in found.arguments
                or span.text in language().hints["soft_best"]
                or span.plays("plural_best")
            ):
                found.one = False
        s.use(index)
    _bare_maximum(s, found)
    _all(s, found)
    _compare(s, tool, found)
    _change(s, tool, found)


def _bare_maximum(s: Sentence, found: Found) -> None:
    """`max price per hour for an A100`: no limit, for there is no number; the highest is asked for."""
    numbers = any(span.number is not None and not span.plays("gpu") for span in s.spans)
    place = next((i for i, span in enumerate(s.spans) if span.text.split()[0] in ("max", "maximum")), None)
    if place is not None and not numbers and found.best is None and found.then is None:
        found.best = "desc"
        found.one = True
        s.use(place)


def _singular(s: Sentence, index: int) -> bool:
    """`cheapest H100` is one row; `cheapest H100s`, `cheapest offers` are several."""
    for at in range(index + 1, min(len(s.spans), index + 6)):
        span = s.spans[at]
        if span.plays("gpu"):
            last = s.tokens[span.last]
            if last.raw.lower().endswith("s") and not last.text.endswith("s"):
                return False
        elif span.get("unit") in ("offer", "gpu", "node"):
            return not is_plural(span.text) or span.text in ("prices",)
        elif span.text in (",", ".", ";"):
            break
    return True


def _ordinal(s: Sentence, tool: Tool, found: Found) -> None:
    """`second cheapest`: two rows are fetched, the second is meant."""
    for index, span in list(s.all("ordinal")):
        following = next((i for i in (index + 1, index + 2) if s.plays(i, "best")), None)
        if span.text in ("next", "second", "third") and following is None:
            continue
        if following is None and not span.text.endswith(("best", "up")):
            continue
        n = int(span.get("ordinal"))
        if found.group_best:
            found.arguments.pop("limit", None)
        found.put("limit", n)
        found.then = {"op": "nth", "n": n}
        found.best = s.spans[following].get("best") if following is not None else "asc"
        s.use(index, *([following] if following is not None else []))


def _statistics(s: Sentence, tool: Tool, found: Found) -> None:
    for index, span in list(s.all("stat")):
        op = span.get("stat")
        if span.plays("per_gpu") or span.used:
            continue
        s.use(index)
        if span.text == "mean" and index and s.spans[index - 1].text in _SPEAKERS:
            continue
        if op == "count" and s.plays(index + 1, "unit") and s.spans[index + 1].get("unit") == "usd":
            continue
        if op == "count":
            found.then = {"op": "count"}
            at, different = _counted_what(s, index)
            field = s.spans[at].get("dimension") if s.plays(at, "dimension") else None
            if field in ("provider", "region", "instance_type"):
                found.then["field"] = field
                s.use(*range(index, at + 1))
            elif different and "gpu" in tool.values("group_by"):
                found.put("group_by", "gpu")
                s.use(*range(index, at + 1))
        elif "money" in tool.kinds() and not (found.then and found.then["op"] == "within"):
            found.then = {"op": op, "field": PRICE}
            found.best = found.best or "none"


_SPEAKERS = frozenset(("i", "we", "you", "do", "does", "would", "to", "that"))
"""Before `mean`, which then is a verb."""


def _counted_what(s: Sentence, index: int) -> tuple[int, bool]:
    """Where it stands what is counted, and whether different GPUs are: `how many kinds of gpus`."""
    at, different = index + 1, False
    while (span := s.at(at)) is not None and span.text in ("different", "distinct", "unique", "separate"):
        at, different = at + 1, True
    if span is None:
        return index + 1, False
    if span.text in ("kinds", "types", "sorts", "kind", "sort") and s.plays(at + 1, "unit", "dimension"):
        return at + 1, True
    if span.text in ("kinds", "types", "sorts") and s.plays(at + 2, "unit", "dimension"):
        return at + 2, True
    gpus = span.get("unit") == "gpu" or span.get("dimension") == "gpu"
    return at, gpus and (different or span.plays("dimension"))


def _all(s: Sentence, found: Found) -> None:
    """`anywhere`, `any cloud`, `spot or not` take a limit away; `all` asks for every row."""
    if s.has("compare"):
        for index, span in list(s.all("any_spot")):
            both = " and " in f" {span.text} " or _SAVING & set(s.words())
            if both and not found.sides:
                found.sides += [{"spot": False}, {"spot": True}]
                s.use(index)
    for role, argument in (("anywhere", "region"), ("any_seller", "providers"), ("any_spot", "spot")):
        for index, _ in list(s.all(role)):
            found.cleared.add(argument)
            if argument == "providers":
                found.cleared.add("exclude_providers")
            s.use(index)
    for index, _ in list(s.all("neg")):
        _without_any(s, index, found)
    for index, _ in list(s.all("all_rows")):
        found.cleared.add("limit")
        s.use(index)


_SAVING = frozenset(("save", "saving", "savings", "saved"))


def _without_any(s: Sentence, index: int, found: Found) -> None:
    """`remove the region`: the filter goes, whatever its value was."""
    at = index + 1
    while s.at(at) is not None and s.spans[at].text in ("the", "any", "all"):
        at += 1
    argument = (
        {"provider": "providers", "region": "region", "gpu": "gpu"}.get(str(s.spans[at].get("dimension")))
        if s.at(at)
        else None
    )
    if argument is not None and len(s.spans) <= 5:
        found.cleared |= {argument, f"exclude_{argument}"}
        s.use(index, at)


def _compare(s: Sentence, tool: Tool, found: Found) -> None:
    places = [index for index, _ in s.all("compare")]
    if any(s.plays(i, "cheaper", "dearer") for i in range(len(s.spans))):
        places += [i for i, sp in enumerate(s.spans) if sp.plays("cheaper", "dearer")]
    places += _by_cost(s)
    s.use(*places)
    found.compare = bool(places)


def _by_cost(s: Sentence) -> list[int]:
    """`does a 4090 cost more than a 3090`, `whichever costs less`: which of several is cheaper."""
    told = [i for i, sp in s.all("op") if sp.text in _MORE and not _is_limit(s, i)]
    told += [
        i
        for i, sp in enumerate(s.spans)
        if (sp.text in ("less", "more") and i and s.spans[i - 1].text in _COSTING) or sp.text == "whichever"
    ]
    several = any(sum(1 for sp in s.spans if sp.plays(role)) > 1 for role in ("gpu", "provider", "region"))
    return told if several else []


_MORE = frozenset(("more than", "less than", "lower than", "higher than", "below", "above"))
_COSTING = frozenset(("cost", "costs", "costing", "charge", "charges", "is", "asks"))


def _is_limit(s: Sentence, index: int) -> bool:
    """A comparison with a number, and not with another thing."""
    behind = s.spans[index + 1 : index + 4]
    thing = next((at for at, sp in enumerate(behind) if sp.plays("gpu", "provider", "region")), len(behind))
    return thing == len(behind) or any(sp.number is not None for sp in behind[:thing])


def compared(found: Found, tool: Tool) -> None:
    """Once all is read: what a comparison is between."""
    alone = not any(_several(found, name) for name in ("gpu", "providers", "region", "form"))
    if found.compare and alone and "spot" in found.arguments and not (found.sides or _grouped(found)):
        del found.arguments["spot"]
        found.sides += [{"spot": False}, {"spot": True}]
    if found.compare and found.then is None and not found.sides and found.against is not None:
        two_times(found, found.arguments.pop("time"), None)
    if found.compare and found.then is None and alone and not found.sides and "time" in found.arguments:
        found.then = {"op": "diff", "field": PRICE, "direction": None}
    if found.compare and found.sides and (found.then or {}).get("op") in ("median", "average"):
        # Both figures stand in a comparison of the sides.
        found.then = None
    if found.sides and found.then is None:
        arguments = list(dict.fromkeys(name for side in found.sides for name in side))
        found.then = {
            "op": "compare",
            "by": arguments[0],
            "values": [_label(arguments[0], side.get(arguments[0])) for side in found.sides],
        }
    if not found.compare or found.then is not None or "money" not in tool.kinds():
        return
    for argument in ("gpu", "providers", "region", "form", "tier", "vendor", "architecture"):
        if _several(found, argument):
            found.then = {"op": "compare", "by": argument, "values": list(found.arguments[argument])}
            found.one = False
            return


def _several(found: Found, argument: str) -> bool:
    values = found.arguments.get(argument)
    return isinstance(values, list) and len(values) > 1


def _grouped(found: Found) -> bool:
    return "group_by" in found.arguments


def _label(argument: str, value: Any) -> Any:
    """How a side is called; of times the one without is now."""
    return str(value or "now").replace("_", " ") if argument == "time" else value


def two_times(found: Found, first: str | None, second: str | None) -> None:
    """A price at two times: a call for each; None is now."""
    found.sides += [{"time": time} if time is not None else {} for time in (first, second)]
    values = [(time or "now").replace("_", " ") for time in (first, second)]
    found.then = {"op": "compare", "by": "time", "values": values}


def _change(s: Sentence, tool: Tool, found: Found) -> None:
    """Prices that moved: what is said about time decides the period, else the usual one, which is told."""
    if not tool.has("time"):
        return
    places = [i for i, sp in s.all("change")]
    if not places:
        return
    # What moved most stands first in such an answer.
    places += [i - 1 for i in places if i and s.spans[i - 1].text in _MOST]
    directions = {s.spans[place].get("change") for place in places} - {"any", None}
    direction = directions.pop() if len(directions) == 1 else None
    recorded = read_record(s, tool, found) or (keeps_history(tool) and "group_by" in found.arguments)
    s.use(*places)
    if recorded and (found.then is None or found.then["op"] == "distinct"):
        found.then = None
    elif found.then is None or found.then["op"] in ("distinct", "compare"):
        found.then = {"op": "diff", "field": PRICE, "direction": direction}
    found.best = found.best or "none"
    if "time" not in found.arguments:
        found.put("time", language().hints["default_time"])
        found.notices.append("No period was said: the last 30 days.")


_MOST = frozenset(("biggest", "largest", "steepest", "sharpest", "greatest", "strongest", "most"))


def is_plural(text: str) -> bool:
    """Whether a noun speaks of several."""
    return text.endswith("s")
