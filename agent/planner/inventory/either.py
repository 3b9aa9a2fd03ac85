"""`unattached or larger than 2 TB`, `untagged or without an owner`: either condition is enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.planner.found import Found
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import set_of
from agent.planner.query import Query
from agent.planner.sentence import Sentence
from agent.planner.tokens import Token

Half = Callable[[list[Token]], Found]
_SHARED = ("providers", "region", "account", "limit", "sort")
_OF_BOTH = ("providers", "region", "account", "tag", "tag_not", "time")
_LEAST = ("vcpus", "ram_gib", "size_gb", "gpu_memory_gib")
_FEW = 8


def two_lists(a: Asked, half: Half) -> Query | None:
    """`stopped instances and unattached volumes`: two lists, what is said at the end holds for both."""
    cut = _cut(a.s)
    if cut is None or a.found.sides:
        return None
    tokens = list(a.s.tokens)
    halves = [half(tokens[: a.s.spans[cut].first]), half(tokens[a.s.spans[cut].last + 1 :])]
    first, second = (one.arguments for one in halves)
    if any(one.then or one.where or not one.arguments.get("resource_type") for one in halves):
        return None
    common = {name: second[name] for name in _OF_BOTH if name in second and name not in first}
    sides = tuple(
        {name: value for name, value in one.items() if name not in common} for one in (first, second)
    )
    return Query(a.tool.name, common, sides, {"op": "either"})


def _cut(s: Sentence) -> int | None:
    """Where a list ends and another begins: a joining word between two nouns that each have a state."""
    nouns = [i for i, span in enumerate(s.spans) if span.plays("type", "service", "shy_type")]
    states = [i for i, span in enumerate(s.spans) if span.plays("state", "unused", "untagged", "encrypted")]
    if len(nouns) < 2 or len(states) < 2:
        return None
    for index, span in enumerate(s.spans):
        if span.text not in ("and", "&", "plus", "as well as", "also", ","):
            continue
        left = any(i < index for i in nouns) and any(i < index for i in states)
        right = any(i > index for i in nouns) and any(i > index for i in states)
        if left and right and not s.plays(index + 1, "tagged"):
            return index
    return None


def two_counts(a: Asked, half: Half) -> Query | None:
    """`how many databases, and how many of them are mysql`: each count by itself, the noun from the first.

    None where the two halves do not say all that the whole says.
    """
    places = [index for index, span in enumerate(a.s.spans) if span.plays("count")]
    if len(places) != 2 or a.found.sides or a.found.then != {"op": "count"}:
        return None
    tokens, cut, behind = list(a.s.tokens), a.s.spans[places[1]].first, a.s.spans[places[1]].last + 1
    halves = [half(tokens[:cut]), half([*tokens[cut:behind], *_noun_of(a, places[1]), *tokens[behind:]])]
    if a.found.where or any(one.where or one.sides or one.then != {"op": "count"} for one in halves):
        return None
    first, second = (one.arguments for one in halves)
    if not first.get("resource_type") or a.s.words()[-1] == "not" or "time" in second.keys() - first.keys():
        return None
    if set(a.s.words()[cut:]) & _OF_THEM:
        second = {**first, **second, "resource_type": first["resource_type"]}
    if first == second or _said_of(first, second) != _said_of(a.found.arguments):
        return None
    common = {name: value for name, value in second.items() if first.get(name) == value}
    sides = tuple(
        {name: value for name, value in one.items() if name not in common} for one in (first, second)
    )
    said = [_said(one) for one in sides]
    return Query(a.tool.name, common, sides, {"op": "compare", "by": "count", "values": said})


def _said_of(*arguments: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Every value of every argument."""
    return {
        (name, str(one))
        for each in arguments
        for name, value in each.items()
        for one in (value if isinstance(value, list) else [value])
    }


_OF_THEM = frozenset(("them", "those", "these"))


def _noun_of(a: Asked, start: int) -> list[Token]:
    """The noun of the first count, where the second names none."""
    nouns = [span for span in a.s.spans if span.plays("type", "service", "shy_type")]
    if not nouns or a.s.spans.index(nouns[-1]) > start:
        return []
    return list(a.s.tokens[nouns[0].first : nouns[0].last + 1])


def _said(side: Mapping[str, Any]) -> str:
    """What a side is called: `stopped`, `not encrypted`, `without owner`; `all` where nothing is said."""
    told = []
    for name, value in side.items():
        lead = {"missing_tag": "without ", "status_not": "not ", "tag_not": "not "}.get(name, "")
        if isinstance(value, bool):
            told.append(name if value else f"not {name}")
        elif value == ["*"]:
            told.append("untagged")
        else:
            told += [f"{lead}{one}" for one in (value if isinstance(value, list) else [value])]
    return " ".join(told) or "all"


def either(a: Asked, half: Half) -> Query | None:
    """Two lists, where an `or` stands between two conditions of different kinds; None where none does.

    `half` reads some of the question's tokens. Where no argument takes one of them it is asked which.
    """
    cut = _or(a)
    if cut is None or a.found.sides or a.found.then:
        return None
    at, behind = cut
    tokens = list(a.s.tokens)
    whole = half(tokens[: a.s.spans[at].first])
    other = _conditions(half([*_noun(a, at), *tokens[behind:]]))
    one = _last(a, at, whole, half)
    if not one or not other or {*one} & {*other} or "resource_type" in one:
        return None
    if any(name.startswith("?") for name in (*one, *other)):
        left, right = a.s.text[: a.s.starts(a.s.spans[at])].strip(), a.s.text[a.s.tokens[behind].start :]
        a.found.ask("One condition or the other cannot be asked at once: which is meant?", left, right)
        return None
    a.s.use(at)
    common = {name: value for name, value in whole.arguments.items() if name not in one}
    shared = {name: other.pop(name) for name in _SHARED if name in other}
    return Query(a.tool.name, {**common, **shared}, (one, other), {"op": "either"}) if other else None


def _or(a: Asked) -> tuple[int, int] | None:
    """The span of the one `or`, and the token behind it."""
    found = []
    for index, span in enumerate(a.s.spans):
        before = a.s.at(index - 1)
        behind = a.s.at(index + 1)
        bare = before is not None and before.number is None and not before.plays("unit")
        bare = bare and behind is not None and (behind.text == "than" or behind.number is not None)
        if span.text == "or" and not {index - 1, index + 1} & a.denied:
            found.append((index, span.last + 1))
        elif span.text.startswith("or ") and span.plays("op") and bare:
            found.append((index, span.first + 1))
    return found[0] if len(found) == 1 and found[0][1] < len(a.s.tokens) else None


def _noun(a: Asked, at: int) -> list[Token]:
    """The noun of the question, where none stands behind the `or`."""
    nouns = [span for span in a.s.spans if span.plays("type", "service", "shy_type")]
    first = next((span for span in nouns if span.first < a.s.spans[at].first), None)
    if first is None or any(span.first > a.s.spans[at].last for span in nouns):
        return []
    return list(a.s.tokens[first.first : first.last + 1])


def _conditions(found: Found) -> dict[str, Any]:
    """The arguments of a half, its type left out; a condition that code would meet begins with `?`."""
    said = {name: value for name, value in found.arguments.items() if name != "resource_type"}
    least = {one[0] for one in found.where if one[0] in _LEAST and one[1] == "gt"}
    return {**said, **{f"?{one[0]}": one for one in found.where if one[0] not in least}}


def _last(a: Asked, at: int, whole: Found, half: Half) -> Mapping[str, Any]:
    """The condition right before the `or`: what is lost when the words before it are taken away."""
    told = _conditions(whole)
    for index in range(at - 1, max(0, at - _FEW), -1):
        if a.s.spans[index].text in set_of("articles"):
            continue
        left = half(list(a.s.tokens[: a.s.spans[index].first]))
        kept = _conditions(left)
        if lost := {name: value for name, value in told.items() if kept.get(name) != value}:
            return (
                lost if left.arguments.get("resource_type") or "resource_type" not in whole.arguments else {}
            )
    return {}
