"""How a question meets the one before it: whether it goes on, what it keeps and replaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.planner.counts import SHARED
from agent.planner.found import Found
from agent.planner.language import word_set
from agent.planner.query import Query
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool

_STRONG_PHRASES = (
    "what about",
    "how about",
    "make it",
    "make that",
    "switch to",
    "change to",
    "change it to",
    "of those",
    "of them",
)
_TOGETHER = {
    "gpu": ("memory", "vendor", "architecture", "instance_type", "exclude_gpu"),
    "instance_type": ("gpu", "memory", "count", "form"),
    "memory": ("min_memory",),
    "min_memory": ("memory",),
    "count": ("min_count",),
    "min_count": ("count",),
    "vendor": ("gpu", "memory"),
    "architecture": ("gpu", "memory"),
    "group_by": ("limit", "limit_per_group"),
    "sort": ("limit",),
}
_NUMBERED = {
    "limit": "{} offers",
    "count": "{} GPUs in one machine",
    "min_count": "at least {} GPUs in one machine",
    "max_price": "under ${} per hour",
    "min_price": "over ${} per hour",
    "memory": "{} GB of memory each",
    "min_memory": "at least {} GB of memory each",
    "hours": "{} hours of use",
}
_KEPT_THEN = frozenset(("median", "average", "range", "divide", "within", "diff", "compare", "worth"))
_OVER_ALL = frozenset(("count", "distinct", "median", "average", "range"))
_OPPOSITE = (("providers", "exclude_providers"), ("region", "exclude_region"), ("gpu", "exclude_gpu"))


def is_reset(s: Sentence) -> bool:
    """`never mind, …` starts over."""
    return bool(s.spans) and any(span.plays("reset") for span in s.spans[:3])


def goes_on(s: Sentence, own_subject: bool, cued: bool = False) -> bool:
    """Whether the question builds on the one before."""
    if not s.spans or is_reset(s):
        return False
    first = s.spans[0]
    starts = first.text.split()[0]
    if starts in word_set("strong") or first.text in _STRONG_PHRASES or first.plays("same", "neg"):
        return True
    if cued and not first.plays("more_of_it"):
        return False
    return not own_subject


def has_own_subject(s: Sentence) -> bool:
    """A GPU, an instance type or `gpus` in general with a word of price or rank: a question of its own."""
    named = s.has("gpu", "=instance_type")
    general = any(
        span.get("unit") == "gpu" and span.text in ("gpu", "gpus", "card", "cards") and span.number is None
        for span in s.spans
    )
    general = general and not any(sp.number is not None and not sp.plays("gpu") for sp in s.spans)
    asks = any(
        span.plays("best", "stat", "how_long", "compare")
        or span.get("quantity") == "price"
        or span.text in ("how much", "rent", "find", "list")
        for span in s.spans
    )
    asks = asks or "how" in s.words() or "much" in s.words()
    telling = [
        sp
        for sp in s.spans
        if sp.plays("gpu", "provider", "region") or sp.number is not None or any(sp.values)
    ]
    return (named or general) and (asks or (named and len(telling) > 2))


def merged(previous: Query, found: Found, tool: Tool, s: Sentence) -> Query:
    """The query before, with what this question says laid over it."""
    arguments: dict[str, Any] = {
        k: list(v) if isinstance(v, list) else v for k, v in previous.arguments.items()
    }
    if previous.then is not None and previous.then.get("where") and "limit" in previous.then:
        arguments["limit"] = previous.then["limit"]
    sides = tuple(previous.sides)
    for argument in found.cleared:
        arguments.pop(argument, None)
        sides = tuple(side for side in sides if argument not in side)
    if found.then is not None and found.then["op"] in ("count", "distinct"):
        arguments.pop("limit", None)
    if found.then is not None and found.then["op"] in _OVER_ALL and "group_by" not in found.arguments:
        for argument in ("group_by", "limit_per_group", "limit"):
            arguments.pop(argument, None)
    if found.budget is not None and not found.how_long and "hours" in arguments:
        found.then = {"op": "within", "usd_total": found.budget}
        found.arguments.pop("limit", None)
    union = any(span.plays("also") and span.text != "plus" for span in s.spans) or found.compare
    new = _of_the_model(found, arguments)
    for argument, value in new.items():
        more = union or (s.spans[0].text == "and" and (previous.then or {}).get("by") == argument)
        _lay(arguments, argument, value, more and tool.is_list(argument), new)
        sides = tuple({k: v for k, v in side.items() if k != argument} for side in sides)
    sides = tuple(found.sides) or (sides if any(sides) else ())
    for side in found.sides:
        for argument in side:
            arguments.pop(argument, None)
    for positive, negative in _OPPOSITE:
        _apart(arguments, positive, negative, found.arguments)
    sides = sides if len(sides) > 1 else ()
    _scoped(arguments, previous, found)
    return Query(previous.tool, arguments, sides, _then(previous, found, arguments, sides))


def read_bare(s: Sentence, found: Found, tool: Tool, before: Mapping[str, Any]) -> None:
    """`make it 10`: a number alone changes what the question before had a number for, and says which."""
    value = found.bare
    if value is None:
        return
    if not tool.has("limit"):
        found.refused.append(f"{value:g}: it is not said of what")
        return
    whole = int(value) if value == int(value) and value >= 1 else 0
    if whole and any(span.text in word_set("row_verbs") for span in s.spans):
        found.put("limit", whole)
        return
    names = [name for name in _NUMBERED if name in before and (whole or name.endswith("price"))]
    if "hours" in names and value <= max(SHARED):
        names.remove("hours")
    if len(names) > 1 and before.get("limit") == 1:
        names.remove("limit")
    if len(names) > 1:
        found.ask(f"{value:g} of what?", *(_NUMBERED[name].format(f"{value:g}") for name in names))
        return
    listed = "sort" in before or "group_by" in before or value not in SHARED
    if not names and not whole:
        return
    name = names[0] if names else "limit" if listed or not tool.has("count") else "count"
    if name == "max_price" and before[name] <= _A_DOLLAR and value >= _CENTS:
        # The price before was said in cents.
        value, whole = value / 100, 0
    found.put(name, whole or value)
    found.notices.append(f"{value:g} was read as: {_NUMBERED[name].format(f'{value:g}')}.")
    if not names:
        other = (
            f"“{whole}x” asks for GPUs in one machine" if name == "limit" else f"“show {whole}” for offers"
        )
        found.notices.append(f"Say it otherwise if that is not meant: {other}.")


def _scoped(arguments: dict[str, Any], previous: Query, found: Found) -> None:
    """A limit of one question and the count of another: for the whole machine, which is told."""
    count = arguments.get("count", 1)
    if count < 2:
        return
    if found.money_cap is not None and "count" not in found.arguments:
        argument, value, per_gpu = found.money_cap
        arguments[argument] = round(value * count, 6) if per_gpu else value
        found.where[:] = [one for one in found.where if not str(one[0]).startswith("usd")]
        if found.then is not None and "where" in found.then:
            found.then = None
        if per_gpu:
            found.notices.append(f"${value:g} per GPU is ${value * count:g} for {count} of them.")
    elif (
        "count" in found.arguments
        and "max_price" in previous.arguments
        and previous.arguments.get("count", 1) == 1
    ):
        found.notices.append(f"${arguments['max_price']:g} is the limit for all {count} GPUs together now.")


_A_DOLLAR, _CENTS = 1, 5


def read_next(s: Sentence, found: Found, previous: Query) -> None:
    """`and the second?`, `who is next`: the row behind the one before, in the same order."""
    before = previous.then or {}
    if found.then is not None or found.best is not None or found.arguments or found.sides:
        return
    if previous.sides or before.get("op", "nth") != "nth" or "group_by" in previous.arguments:
        return
    for index, span in s.all("ordinal"):
        if any(sp.plays("gpu", "best") or sp.get("unit") == "offer" for sp in s.spans[index + 1 :]):
            return
        at = int(before.get("n") or 1)
        n = at + 1 if span.text in _NEXT else int(span.get("ordinal"))
        found.put("limit", n)
        found.then = {"op": "nth", "n": n}
        s.use(index)
        return


_NEXT = ("next", "next best", "runner up")


def _of_the_model(found: Found, before: Mapping[str, Any]) -> dict[str, Any]:
    """`with 48gb` after a question about a model: that version of it."""
    new = dict(found.arguments)
    if found.loose_memory and "gpu" in before and "gpu" not in new and "min_memory" in new:
        new["memory"] = new.pop("min_memory")
    return new


def _lay(arguments: dict[str, Any], argument: str, value: Any, union: bool, new: Mapping[str, Any]) -> None:
    """Replace, or add to a list where the question says so; what excludes each other goes."""
    if argument.startswith("exclude_") or union:
        kept = arguments.get(argument)
        value = (
            [*kept, *(v for v in value if v not in kept)]
            if isinstance(kept, list) and isinstance(value, list)
            else value
        )
    else:
        for other in _TOGETHER.get(argument, ()):
            if other not in new:
                arguments.pop(other, None)
    arguments[argument] = list(value) if isinstance(value, list) else value


def _apart(arguments: dict[str, Any], positive: str, negative: str, new: Mapping[str, Any]) -> None:
    """What was just chosen is no longer excluded, and what was just excluded no longer chosen."""
    for chosen, gone in ((negative, positive), (positive, negative)):
        if chosen in new and isinstance(arguments.get(gone), list) and gone not in new:
            left = [v for v in arguments[gone] if v not in new[chosen]]
            if left and not (gone == negative and positive != "region"):
                arguments[gone] = left
            else:
                del arguments[gone]
    if positive != "region" and positive in arguments and negative in arguments:
        del arguments[negative]


def _then(
    previous: Query, found: Found, arguments: Mapping[str, Any], sides: tuple[Mapping[str, Any], ...]
) -> dict[str, Any] | None:
    """What is computed, over the rows that meet the conditions of both questions."""
    made = _computed(previous, found, arguments, sides)
    where = [one for one in (previous.then or {}).get("where", ()) if _still_meant(one[0], found)]
    where += found.where
    made = {key: value for key, value in (made or {}).items() if key not in ("where", "limit")}
    if where and "group_by" not in arguments:
        return {**(made or {"op": "filter"}), "where": [list(one) for one in where]}
    return None if made.get("op") == "filter" and "field" not in made else made or None


def _several(arguments: Mapping[str, Any], name: str) -> list[Any]:
    value = arguments.get(name)
    return list(value) if isinstance(value, list) and name in _SIDES else []


_SIDES = ("gpu", "providers", "region")


def _still_meant(name: str, found: Found) -> bool:
    """Whether a condition of the question before is neither replaced nor taken away."""
    argument = {"gpu_memory_gib": "memory", "gpu_count": "count", "usd_per_gpu_hour": "max_price"}.get(
        name, name
    )
    said = {argument, f"min_{argument}"} & (found.arguments.keys() | found.cleared)
    return not said and not any(one[0] == name for one in found.where)


def _computed(
    previous: Query, found: Found, arguments: Mapping[str, Any], sides: tuple[Mapping[str, Any], ...]
) -> dict[str, Any] | None:
    """What is computed stays from question to question where it still makes sense."""
    if found.then is not None:
        if found.then["op"] == "divide" and found.budget is None and previous.then:
            return dict(previous.then)
        return dict(found.then)
    if found.compare and (by := next((n for n in found.arguments if len(_several(arguments, n)) > 1), None)):
        return {"op": "compare", "by": by, "values": _several(arguments, by)}
    if previous.then is None or previous.then["op"] not in _KEPT_THEN or found.best is not None:
        return None
    kept = dict(previous.then)
    if kept["op"] == "compare" and sides and sides == tuple(previous.sides):
        return kept
    if kept["op"] == "compare":
        values = arguments.get(str(kept.get("by")))
        return {**kept, "values": list(values)} if isinstance(values, list) and len(values) > 1 else None
    return kept
