"""Which rows, in which order, in which groups, and what is counted: `oldest five`, `per region`, `how many`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.inventory.labels import key_of
from agent.planner.inventory.sizes import size_field, types_said
from agent.planner.language import word_set
from agent.planner.sentence import Span

_COUNTABLE = ("type", "shy_type", "service", "everything", "anything")
_DIRECTIONS = ("asc", "desc")
_MOST = 500


def read_order(a: Asked) -> None:
    """Groups first: a dimension behind `per` is no noun."""
    if a.takes("group_by"):
        for index, _ in a.all("per"):
            _group(a, index)
        _which_most(a)
        _top_groups(a)
    _extremes(a)
    _sorted(a)
    _limit(a)


def read_counts(a: Asked) -> None:
    """`how many …`, `total size of …`."""
    for index, span in a.all("count"):
        a.s.use(index)
        if span.text == "how much":
            _total(a, index)
            continue
        _count_dimension(a, index)
        if "group_by" not in a.found.arguments and a.found.then is None:
            a.found.then = {"op": "count"}
    for index, _ in a.all("total"):
        _total(a, index)


def _dimension(a: Asked, at: int) -> str | None:
    """What a word groups by, as this tool writes it; a tag's key as `tag:key`."""
    span = a.s.at(at)
    if span is None:
        return None
    if span.plays("tag_key") and not _plain_dimension(a, span):
        return f"tag:{key_of(a, str(span.get('tag_key')))}"
    if span.plays("owned_by", "team_behind") and span.text in (
        "team",
        "teams",
        "owner",
        "app",
        "application",
        "customer",
        "cost center",
    ):
        return f"tag:{key_of(a, span.text.removesuffix('s'))}"
    typed = span.plays("type", "shy_type") and a.tool.has("metric")
    for meaning in span.meanings:
        if meaning.role == "dim" and a.tool.groups_by(str(meaning.value)) and not typed:
            return str(meaning.value)
    if typed:
        a.put("resource_type", span.get("type") or span.get("shy_type"))
        return "resource"
    after = a.s.at(at + 1)
    if after is not None and after.plays("tag_word") and span.text[0].isalnum():
        a.s.use(at + 1)
        return f"tag:{key_of(a, span.text)}"
    if span.text == "tag" and after is not None and after.text[0].isalnum() and not after.used:
        a.s.use(at + 1)
        return f"tag:{key_of(a, after.text)}"
    return None


def _plain_dimension(a: Asked, span: Span) -> bool:
    return span.plays("dim") and a.tool.groups_by(str(span.get("dim")))


def _group(a: Asked, index: int) -> None:
    """`per region`, `by team and account`, `for each cloud`."""
    at, places = index + 1, [index]
    while True:
        at = a.skip(at, leads=False)
        dimension = _dimension(a, at)
        if dimension is None:
            break
        a.found.add("group_by", dimension)
        places.append(at)
        joined = a.s.at(at + 1)
        if (
            joined is None
            or joined.text not in set_of("joins")
            or _dimension(a, a.skip(at + 2, leads=False)) is None
        ):
            break
        at += 2
    if len(places) > 1:
        a.s.use(*places)
    elif a.s.spans[index].text.endswith("by") and a.s.plays(a.skip(index + 1, leads=False), "order_by"):
        _order(a, index)


def _which_most(a: Asked) -> None:
    """`which cloud has the most vms`, `in which regions do we have databases`."""
    if "group_by" in a.found.arguments:
        return
    for index, span in enumerate(a.s.spans[:-1]):
        if span.used or span.text not in ("which", "what"):
            continue
        dimension = _dimension(a, index + 1)
        if dimension in (None, "resource", "status") or a.s.spans[index + 1].used:
            return
        if a.s.plays(index + 1, "type") and not a.s.plays(index + 1, "dim"):
            return
        most = next(
            (
                at
                for at, sp in enumerate(a.s.spans)
                if at > index and sp.plays("many", "few", "top") and not sp.used
            ),
            None,
        )
        if (
            most is not None
            and a.tool.has("metric")
            and any(sp.plays("metric", "shy_metric", "ranked_metric") for sp in a.s.spans[most:])
        ):
            most = None
        a.found.add("group_by", dimension)
        a.s.use(index, index + 1)
        if most is not None:
            a.s.use(most)
            if a.s.spans[most].plays("few"):
                a.put("sort", "count_asc")
            if not is_plural(a.s.spans[index + 1].text):
                a.put("limit", 1)
        return


def _top_groups(a: Asked) -> None:
    """`top 3 regions by number of instances`, `regions with the most vms`."""
    if "group_by" in a.found.arguments or a.tool.has("metric"):
        return
    counted = [i for i, span in a.all("many", "few")]
    counted += [i for i, span in a.all("count") if a.s.plays(i - 1, "per", "sort_by")]
    for index, span in a.all("dim"):
        dimension = _dimension(a, index)
        if (
            not counted
            or dimension is None
            or not is_plural(span.text)
            or span.plays("type")
            or index > counted[0]
        ):
            continue
        a.found.add("group_by", dimension)
        if dimension == "instance_type" and not types_said(a):
            a.put("resource_type", "instance")
        a.s.use(index, counted[0], *(at for at in (counted[0] - 1,) if a.s.plays(at, "per", "sort_by")))
        number = next(
            (at for at in (index - 1, index - 2) if (one := a.s.at(at)) is not None and one.number), None
        )
        if number is not None:
            a.put("limit", int(a.s.spans[number].number or 0), number)
            a.s.use(*(at for at in (number - 1,) if a.s.plays(at, "top")))
        return


_HEADS = ("instance_type", "engine", "runtime", "zone", "account", "region")


def read_heads(a: Asked) -> None:
    """`instance types in use on aws`: what resources have is asked for, so they are grouped by it."""
    if (
        not a.takes("group_by")
        or a.tool.has("metric")
        or {"group_by", "resource_type"} & set(a.found.arguments)
    ):
        return
    for index, span in a.all("dim", "type_word"):
        dimension = _dimension(a, index)
        if dimension in _HEADS and is_plural(span.text):
            a.found.add("group_by", dimension)
            if dimension == "instance_type":
                a.put("resource_type", "instance")
            a.found.arguments.pop("status", None)
            a.s.use(index)
            return


def read_compared(a: Asked) -> None:
    """`compare instance counts of aws and gcp`: grouped by what there are several of."""
    places = [index for index, _ in a.all("compare")]
    if not places:
        return
    a.s.use(*places)
    for argument, dimension in (("providers", "provider"), ("region", "region"), ("account", "account")):
        several = len(a.found.arguments.get(argument) or ()) > 1
        if (
            several
            and a.takes("group_by")
            and "group_by" not in a.found.arguments
            and "name" not in a.found.arguments
        ):
            a.found.add("group_by", dimension)
            if a.found.then is not None and a.found.then["op"] == "count":
                a.found.then = None


def _extremes(a: Asked) -> None:
    """`oldest`, `biggest`, `most expensive`: order, and one row where one is asked for."""
    if not a.tool.has("sort"):
        return
    _last_ones(a)
    for index, span in a.all("extreme"):
        if "group_by" in a.found.arguments and not str(span.get("extreme")).startswith("price"):
            continue
        name, _, way = str(span.get("extreme")).rpartition("_")
        if name == "size":
            name = size_field(types_said(a))
        if "sort" not in a.found.arguments:
            a.put("sort", f"{name}_{way}")
        a.s.use(index)
        if _singular(a, index) and not _number_beside(a, index):
            a.put("limit", 1)


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
    return False


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
        _order(a, index)
    for index, span in a.all("direction"):
        if span.text in ("first", "up") or len(span.text.split()) < 2:
            continue
        if a.tool.has("metric") and ("metric" in a.found.arguments or a.before.get("metric")):
            a.put("sort", span.get("direction"), index)


_LARGEST_FIRST = ("vcpus", "ram_gib", "value", "price", "size_gb", "size_bytes", "memory_mb")


def _order(a: Asked, index: int) -> None:
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
    """A bare number that says how many rows: `top 5`, `oldest five volumes`, `three boxes with most traffic`."""
    if not a.tool.has("limit"):
        return
    for index, span in enumerate(a.s.spans):
        if span.number is None or span.used or span.plays("gpu", "=name") or span.number != int(span.number):
            continue
        before, after = a.s.at(index - 1), a.s.at(index + 1)
        ranked = bool({"sort"} & set(a.found.arguments))
        lead = before is not None and (
            before.plays("top", "extreme", "ranked_metric", "many", "few")
            or before.text in word_set("row_verbs") | {"limit", "any", "just", "only", "me", "max"}
        )
        noun = after is not None and (
            after.plays(
                *_COUNTABLE,
                "extreme",
                "ranked_metric",
                "=spot",
                "state",
                "env",
                "threshold",
                "health_state",
                "wants_gpu",
            )
            or after.get("unit") in ("node", "offer")
        )
        alone = (
            after is None
            or after.text in (",", ".", "?", "of")
            or after.plays("provider", "per")
            or after.text in set_of("place_leads")
        )
        if not (1 <= span.number <= _MOST) or (
            after is not None
            and after.plays("unit")
            and after.get("unit") not in ("node", "offer", "times", None)
            and not after.plays(*_COUNTABLE)
        ):
            continue
        if (
            (lead and (noun or alone or ranked))
            or (ranked and (noun or alone))
            or (noun and span.number > 1 and index == 0)
        ):
            a.put("limit", int(span.number), index)
            a.s.use(*(at for at in (index - 1,) if a.s.plays(at, "top") and not a.s.plays(at, "extreme")))
            return
    for index, _ in a.all("all_rows"):
        a.found.cleared.add("limit")
        a.s.use(index)


def _count_dimension(a: Asked, index: int) -> None:
    """`how many regions do we use`: groups are counted; `how many gpus` adds them up."""
    at = a.skip(index + 1, leads=False)
    while (span := a.s.at(at)) is not None and span.text in ("different", "distinct", "unique", "separate"):
        at += 1
    if span is None:
        return
    if span.text in ("gpus", "cards", "gpu") and a.tool.has("group_by"):
        a.found.then = {"op": "sum", "field": "gpu_count"}
        a.put("resource_type", "gpu_instance", at)
        return
    if span.plays("type", "service") or "group_by" in a.found.arguments or not a.tool.has("group_by"):
        return
    dimension = _dimension(a, at)
    if dimension is not None and dimension != "resource" and is_plural(span.text):
        a.found.add("group_by", dimension)
        a.found.then = {"op": "count"}
        a.s.use(at)


def _total(a: Asked, index: int) -> None:
    """`total size of our buckets`, `total cores`, `what do they cost in total`."""
    if not a.takes("min_vcpu") or a.tool.has("metric"):
        return
    for at in range(index + 1, min(len(a.s.spans), index + 4)):
        span = a.s.spans[at]
        name = None
        if span.get("unit") == "core":
            name = "vcpus"
        elif span.get("size_of") == "ram":
            name = "ram_gib"
        elif span.plays("size_of") or span.get("order_by") == "size" or span.text == "size of":
            name = size_field(types_said(a))
        elif span.get("unit") == "object":
            name = "object_count"
        elif span.plays("priced"):
            name = "usd_per_hour"
        if name is not None:
            a.found.then = {"op": "sum", "field": name}
            a.s.use(index, at)
            return
    if a.found.then is None and any(sp.plays("priced") for sp in a.s.spans):
        a.s.use(index)


def read_prices(a: Asked) -> None:
    """`what do they cost`: the hourly price of each, joined to what was measured, or summed."""
    places = [index for index, _ in a.all("priced", "per_hour")]
    if not places or not any(a.s.spans[i].plays("priced") for i in places):
        return
    if a.feeder is not None:
        a.found.then = a.found.then or {"op": "join", "field": "usd_per_hour"}
        a.s.use(*places)
    elif a.tool.has("group_by") and a.tool.has("max_price"):
        a.s.use(*places)
        if a.found.then is None and "group_by" not in a.found.arguments and _asks_sum(a):
            a.found.then = {"op": "sum", "field": "usd_per_hour"}


def _asks_sum(a: Asked) -> bool:
    """`what do they cost`; but `with their price`, `and the hourly cost` show it of each."""
    for index, span in enumerate(a.s.spans):
        before = a.s.at(index - 1)
        if span.plays("priced") and before is not None and before.text in _OF_EACH:
            return False
    return "with" not in a.s.words()


_OF_EACH = frozenset(("with", "their", "its", "and", "the", "plus", ",", "each", "by", "including"))
