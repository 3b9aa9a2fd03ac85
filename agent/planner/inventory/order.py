"""Which rows, in which order: `oldest five`, `sorted by age`, `top 3`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.inventory.sizes import size_field, types_said
from agent.planner.language import word_set

_COUNTABLE = ("type", "shy_type", "service", "everything", "anything")
_LARGEST_FIRST = ("node_count", "vcpus", "ram_gib", "value", "price", "size_gb", "size_bytes", "memory_mb")
_MOST = 500
_BEFORE = ("top", "extreme", "ranked_metric", "many", "few")
_ALSO_BEFORE = frozenset(("limit", "any", "just", "only", "me", "max"))
_BEHIND = ("extreme", "ranked_metric", "=spot", "state", "env", "threshold", "health_state", "wants_gpu")


def read_order(a: Asked) -> None:
    """Order and number of rows."""
    _top_priced(a)
    _extremes(a)
    _sorted(a)
    _limit(a)


def _top_priced(a: Asked) -> None:
    """`top 10 by price`, `top 10 cost`: the dearest so many."""
    if not a.tool.has("sort") or "sort" in a.found.arguments or a.tool.has("metric"):
        return
    for index, _ in a.all("top"):
        number, at = a.s.at(index + 1), index + 2
        while (span := a.s.at(at)) is not None and (span.plays("per", *_COUNTABLE) or span.text == "in"):
            at += 1
        priced = span is not None and span.plays("priced") and not span.used
        if number is not None and _is_whole(number.number) and priced and "group_by" not in a.found.arguments:
            a.put("sort", "price_desc", at, *(i for i in range(index + 2, at) if a.s.plays(i, "per")))
            a.put("limit", int(number.number or 0), index, index + 1)
            return


def _extremes(a: Asked) -> None:
    """`oldest`, `biggest`, `most expensive`: order, and one row where one is asked for."""
    if not a.tool.has("sort"):
        return
    _last_ones(a)
    for index, span in a.all("extreme"):
        by = a.found.arguments.get("group_by")
        if by and not _first_of_each(a, index, by):
            continue
        name, _, way = str(span.get("extreme")).rpartition("_")
        if name == "size":
            name = size_field(types_said(a))
        first = a.found.arguments.get("sort")
        if first is None:
            a.put("sort", f"{name}_{way}")
        elif first != f"{name}_{way}":
            a.found.refused.append(f"{a.s.spans[index].text}: rows come in one order at a time")
        a.s.use(index)
        each = a.found.then is not None and a.found.then["op"] == "distinct"
        if not each and _singular(a, index) and not _number_beside(a, index):
            a.put("limit", 1)


def _first_of_each(a: Asked, index: int, by: list[str]) -> bool:
    """`oldest instance per region`: the first row of each; several of each, or rows of groups, are not."""
    said = str(a.s.spans[index].get("extreme"))
    one_each = len(by) == 1 and by[0] in _OF_A_ROW and (_singular(a, index) or _of_each(a, index))
    if not one_each or _number_beside(a, index) or a.found.then is not None:
        return said.startswith("price")
    del a.found.arguments["group_by"]
    a.found.then = {"op": "distinct", "field": by[0]}
    return True


_OF_A_ROW = ("provider", "region", "account", "type", "zone", "instance_type", "engine", "namespace")


def _of_each(a: Asked, index: int) -> bool:
    """`oldest of each region`, `the newest in every account`: nothing stands between."""
    after = a.s.at(index + 1)
    return after is not None and (after.plays("per") or after.text in ("of", "in", "per"))


def _last_ones(a: Asked) -> None:
    """`last 5 created vms`, `the last 3 snapshots`: the newest so many."""
    for index, span in enumerate(a.s.spans[:-2]):
        number, after = a.s.spans[index + 1], a.s.spans[index + 2]
        if (
            span.text != "last"
            or span.used
            or number.number is None
            or number.used
            or not a.takes("created_since")
        ):
            continue
        if after.plays(*_COUNTABLE, "made") and after.get("unit") in (None, "node"):
            a.put(
                "limit", int(number.number), index, index + 1, *((index + 2,) if after.plays("made") else ())
            )
            a.put("sort", "created_desc")


def _singular(a: Asked, index: int) -> bool:
    """`oldest volume` is one; `oldest volumes`, `newest first` are several."""
    for at in range(index + 1, min(len(a.s.spans), index + 5)):
        span = a.s.spans[at]
        if span.plays(*_COUNTABLE, "=spot"):
            if at + 1 < len(a.s.spans) and a.s.spans[at + 1].plays("type", "shy_type"):
                continue
            return not is_plural(span.text) and not span.plays("everything")
        if span.text == "one":
            return True
        if span.number is not None:
            return False
    # `which instance costs the most`
    nouns = [one for one in a.s.spans[:index] if one.plays(*_COUNTABLE)]
    asks = bool({"which", "what"} & {span.text for span in a.s.spans[:index]})
    return asks and len(nouns) == 1 and not is_plural(nouns[0].text) and not nouns[0].plays("everything")


def _number_beside(a: Asked, index: int) -> bool:
    return any(
        span is not None and span.number is not None and not span.plays("gpu")
        for span in (a.s.at(index - 1), a.s.at(index + 1))
    )


def _sorted(a: Asked) -> None:
    """`sorted by age`, `order by size desc`."""
    if not a.tool.has("sort"):
        return
    for index, _ in a.all("sort_by"):
        order_by(a, index)
    for index, span in a.all("direction"):
        dear = span.text.split()[0] in ("dearest", "priciest", "costliest", "cheapest", "expensive")
        if dear and a.tool.has("missing_tag") and "sort" not in a.found.arguments:
            a.put("sort", f"price_{span.get('direction')}", index)
            continue
        told = span.text.endswith("scending") or len(span.text.split()) > 1
        if span.text in ("first", "up") or not told:
            continue
        if a.tool.has("missing_tag") and "group_by" in a.found.arguments and "sort" not in a.found.arguments:
            if a.s.has("priced"):
                a.put("sort", f"price_{span.get('direction')}", index)
        elif a.tool.has("metric") and ("metric" in a.found.arguments or a.before.get("metric")):
            a.put("sort", span.get("direction"), index)


def order_by(a: Asked, index: int) -> None:
    """The order that is named behind `sorted by`, or behind a bare `by`."""
    at = a.skip(index + 1, leads=False)
    span = a.s.at(at)
    if span is None or not a.tool.has("sort"):
        return
    measured = a.tool.has("metric") and span.plays("metric", "shy_metric")
    name = "value" if measured else span.get("order_by")
    if name is None:
        return
    name = size_field(types_said(a)) if name == "size" else str(name)
    way, places = _direction(a, at + 1)
    way = way or ("desc" if name in _LARGEST_FIRST else "asc")
    a.put("sort", way if measured else f"{name}_{way}", index, *([] if measured else [at]), *places)


def _direction(a: Asked, start: int) -> tuple[str | None, list[int]]:
    for at in (start, start + 1):
        span = a.s.at(at)
        if span is not None and span.plays("direction"):
            return str(span.get("direction")), list(range(start, at + 1))
        if span is not None and span.plays("extreme"):
            return str(span.get("extreme")).rpartition("_")[2], list(range(start, at + 1))
    return None, []


def _limit(a: Asked) -> None:
    """A bare number that says how many rows: `top 5`, `oldest five volumes`, `three boxes with …`."""
    if not a.tool.has("limit"):
        return
    for index, span in enumerate(a.s.spans):
        if a.s.plays(index - 1, "older_sure", "newer_sure"):
            continue
        if span.used or span.plays("gpu", "=name") or not _is_whole(span.number) or _is_amount(a, index):
            continue
        ranked, led = "sort" in a.found.arguments, _led(a, index)
        noun, alone = _counts_noun(a, index), _stands_alone(a, index)
        opens = index == 0 and noun and span.number != 1
        if ((led or ranked) and (noun or alone)) or (led and ranked) or opens:
            a.put("limit", int(span.number or 0), index)
            a.s.use(*(at for at in (index - 1,) if a.s.plays(at, "top") and not a.s.plays(at, "extreme")))
            return
    for index, _ in a.all("all_rows"):
        a.found.cleared.add("limit")
        a.s.use(index)


def _is_whole(number: float | None) -> bool:
    return number is not None and 1 <= number <= _MOST and number == int(number)


def _is_amount(a: Asked, index: int) -> bool:
    """The number has a unit: `8 gb`."""
    after = a.s.at(index + 1)
    if after is None or not after.plays("unit") or after.plays(*_COUNTABLE):
        return False
    return after.get("unit") not in ("node", "offer", "times", None)


def _led(a: Asked, index: int) -> bool:
    before = a.s.at(index - 1)
    return before is not None and (
        before.plays(*_BEFORE) or before.text in word_set("row_verbs") | _ALSO_BEFORE
    )


def _counts_noun(a: Asked, index: int) -> bool:
    after = a.s.at(index + 1)
    return after is not None and (
        after.plays(*_COUNTABLE, *_BEHIND) or after.get("unit") in ("node", "offer")
    )


def _stands_alone(a: Asked, index: int) -> bool:
    after = a.s.at(index + 1)
    if after is None or after.text.split()[0] in (",", ".", "?", "of"):
        return True
    return after.plays("provider", "per") or after.text in set_of("place_leads")
