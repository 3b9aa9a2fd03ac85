"""In which groups: `per region`, `by team and account`, `which cloud has the most vms`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.inventory.labels import key_of
from agent.planner.inventory.order import order_by
from agent.planner.inventory.sizes import types_said
from agent.planner.language import Meaning
from agent.planner.sentence import Span

_METRICS = ("metric", "shy_metric", "ranked_metric")
_COMPARED = (("status", "status"), ("providers", "provider"), ("region", "region"), ("account", "account"))
_EACH = frozenset(("per", "by", "for each", "for every", "in each", "in every", "on each", "of each"))
_HEADS = ("instance_type", "engine", "runtime", "zone", "account", "region")


def read_groups(a: Asked) -> None:
    """Before nouns are read: a dimension behind `per` is none."""
    if not a.takes("group_by"):
        return
    for index, _ in a.all("per"):
        _group(a, index)
    _which_most(a)
    _top_groups(a)


def dimension_at(a: Asked, at: int) -> str | None:
    """What a word groups by, as this tool writes it; a tag's key as `tag:key`."""
    span = a.s.at(at)
    if span is None:
        return None
    if span.plays("tag_key") and not _takes_it(a, span):
        return f"tag:{key_of(a, str(span.get('tag_key')))}"
    if span.plays("owned_by", "team_behind") and span.text in set_of("tag_dimensions"):
        return f"tag:{key_of(a, span.text.removesuffix('s'))}"
    if span.text.startswith("project") and {"branch", "project"} & set(types_said(a)):
        # Here a project is no account but a thing that is kept.
        return None
    typed = span.plays("type", "shy_type") and a.tool.has("metric")
    for meaning in span.meanings:
        if meaning.role == "dim" and a.tool.groups_by(str(meaning.value)) and not typed:
            return str(meaning.value)
    if typed:
        a.put("resource_type", span.get("type") or span.get("shy_type"))
        return "resource"
    after = a.s.at(at + 1)
    if after is not None and after.plays("tag_word") and span.text[0].isalnum() and not span.plays("type"):
        a.s.use(at + 1)
        return f"tag:{key_of(a, span.text)}"
    if span.text == "tag" and after is not None and after.text[0].isalnum() and not after.used:
        a.s.use(at + 1)
        return f"tag:{key_of(a, after.text)}"
    return None


def _takes_it(a: Asked, span: Span) -> bool:
    return span.plays("dim") and a.tool.groups_by(str(span.get("dim")))


def _group(a: Asked, index: int) -> None:
    """`per region`, `by team and account`, `for each cloud`."""
    at, places = a.skip(index + 1, leads=False), [index]
    if _how_many(a, at + 1):
        # `top regions by instance count`: in that order.
        return
    if a.s.plays(index - 1, "size_of") and any(one.number is not None for one in a.s.spans[:index]):
        # `80 GB of memory per card`: of each, not in groups.
        if _of_gpus(a, at):
            a.s.mean(a.s.spans[index - 1], (Meaning("size_of", "vram"),))
        a.s.use(index, at)
        return
    if a.tool.has("metric") and a.s.plays(index - 1, "unit") and _of_gpus(a, at):
        # `at most 200 watts per GPU`
        a.s.use(index)
        return
    if a.s.plays(at, "type", "shy_type") and a.s.plays(at + 1, "dim") and not a.s.plays(at, "dim"):
        # `per cluster namespace`: the noun only says whose.
        places.append(at)
        at += 1
    while (dimension := dimension_at(a, at)) is not None:
        a.found.add("group_by", dimension)
        places.append(at)
        joined = a.s.at(at + 1)
        if joined is None or joined.text not in set_of("joins"):
            break
        at = a.skip(at + 2, leads=False)
    if "group_by" in a.found.arguments and len(places) > 1:
        a.s.use(*places)
    elif a.s.spans[index].text.endswith("by") and a.s.plays(at, "order_by"):
        order_by(a, index)
    elif a.s.plays(at, "type", "service") and not a.tool.has("metric") and a.s.spans[index].text in _EACH:
        said = f"{a.s.spans[index].text} {a.s.spans[at].text}"
        a.found.refused.append(f"{said}: nothing is counted by what it belongs to")
        a.s.use(index, at)


def _which_most(a: Asked) -> None:
    """`which cloud has the most vms`, `in which regions do we have databases`."""
    asks = [i for i, span in enumerate(a.s.spans[:-1]) if not span.used and span.text in ("which", "what")]
    if "group_by" in a.found.arguments or not asks:
        return
    at = asks[0] + 1
    if a.s.plays(at, "provider", "region", "env") and a.s.plays(at + 1, "dim"):
        # `which gcp projects have databases`: the cloud is for its own rule.
        at += 1
    head, dimension = a.s.spans[at], dimension_at(a, at)
    alone = head.plays("type") and not any(
        one.plays("type", "service") for one in a.s.spans if one is not head
    )
    if (
        dimension in (None, "resource", "status")
        or head.used
        or alone
        or (head.plays("type") and not head.plays("dim"))
    ):
        return
    a.found.add("group_by", dimension)
    a.s.use(asks[0], at)
    if (priced := _dearest(a, at)) is not None:
        a.put("sort", priced)
        if not is_plural(head.text):
            a.put("limit", 1)
        return
    most = next((i for i, span in a.all("many", "few", "top") if i > at), None)
    if most is None or (a.tool.has("metric") and any(span.plays(*_METRICS) for span in a.s.spans[most:])):
        return
    a.s.use(most)
    if a.s.spans[most].plays("few"):
        a.put("sort", "count_asc")
    if not is_plural(head.text):
        a.put("limit", 1)


def _dearest(a: Asked, at: int) -> str | None:
    """`which team pays the most`, `which region is cheapest`: the order of groups by what they cost."""
    if not a.tool.has("sort") or a.tool.has("metric"):
        return None
    for index, span in a.all("extreme"):
        if index > at and str(span.get("extreme")).startswith("price"):
            a.s.use(index)
            return str(span.get("extreme"))
    ranked = [i for i, _ in a.all("many", "few") if i > at]
    money = [i for i, _ in a.all("priced") if i > at]
    if not ranked or not money:
        return None
    a.s.use(ranked[0], *money)
    return "price_asc" if a.s.plays(ranked[0], "few") else "price_desc"


def _top_groups(a: Asked) -> None:
    """`top 3 regions by number of instances`, `regions with the most vms`."""
    if "group_by" in a.found.arguments or a.tool.has("metric"):
        return
    counted = [i for i, _ in a.all("many", "few")]
    counted += [i for i, _ in a.all("count") if a.s.plays(i - 1, "per", "sort_by") or _how_many(a, i)]
    for index, span in a.all("dim", "team_behind", "owned_by"):
        dimension = dimension_at(a, index)
        heads = is_plural(span.text) and not span.plays("type")
        if not counted or dimension is None or not heads or index > counted[0]:
            continue
        a.found.add("group_by", dimension)
        if dimension == "instance_type" and not types_said(a):
            a.put("resource_type", "instance")
        if a.s.plays(counted[0], "few") and a.tool.has("sort"):
            a.put("sort", "count_asc")
        behind = counted[0] - 1 - _how_many(a, counted[0])
        a.s.use(index, counted[0], *(at for at in (behind,) if a.s.plays(at, "per", "sort_by")))
        _so_many(a, index)
        return


def _how_many(a: Asked, at: int) -> bool:
    """`by instance count`: whether the count stands here, behind a noun and what leads that."""
    return a.s.plays(at, "count") and a.s.plays(at - 1, "type") and a.s.plays(at - 2, "per", "sort_by")


def _so_many(a: Asked, index: int) -> None:
    """The number in front of a dimension."""
    for at in (index - 1, index - 2):
        if (span := a.s.at(at)) is not None and span.number:
            a.put("limit", int(span.number), at)
            a.s.use(*(before for before in (at - 1,) if a.s.plays(before, "top")))
            return


def read_heads(a: Asked) -> None:
    """`instance types in use on aws`: what resources have is asked for, so they are grouped by it."""
    told = {"group_by", "resource_type"} & set(a.found.arguments)
    if told or not a.takes("group_by") or a.tool.has("metric"):
        return
    for index, span in a.all("dim", "type_word"):
        dimension = dimension_at(a, index)
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
    words = a.s.words()
    # `200 GB or more` is no choice, and `older than 30 days` no comparison.
    either = any(one in ("or", "than") and not _of_a_number(words[:at]) for at, one in enumerate(words))
    more = either and {"more", "fewer"} & set(words) and a.tool.has("missing_tag")
    if not places and not more:
        return
    areas = a.found.arguments.get("region") or []
    if len(areas) > 1 and more and not a.found.sides and not a.found.then:
        # Areas hold many regions: each is counted by itself.
        del a.found.arguments["region"]
        a.found.sides = [{"region": [one]} for one in areas]
        a.found.then = {"op": "compare", "by": "region", "values": list(areas)}
        return
    a.s.use(*places)
    if not a.takes("group_by") or {"group_by", "name"} & set(a.found.arguments):
        return
    for argument, dimension in _COMPARED:
        if len(a.found.arguments.get(argument) or ()) > 1:
            a.found.add("group_by", dimension)
            if a.found.then is not None and a.found.then["op"] == "count":
                a.found.then = None
            return


def _of_gpus(a: Asked, at: int) -> bool:
    return (span := a.s.at(at)) is not None and span.get("unit") == "gpu"


def _of_a_number(before: Sequence[str]) -> bool:
    return any(char.isdigit() for word in before[-2:] for char in word)
