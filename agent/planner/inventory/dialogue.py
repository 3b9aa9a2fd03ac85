"""How a question about what one runs meets the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.planner.found import Found
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.evidence import Evidence
from agent.planner.language import word_set
from agent.planner.query import Query
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool
from cloudtop import metrics

_PHRASES = (("what", "about"), ("how", "about"), ("make", "it"), ("only",), ("just",))
_BESIDE = (("compare", "with"), ("compare", "to"), ("compared", "to"), ("compared", "with"))
_SUBJECTS = ("type", "service", "metric", "name", "named", "word", "id", "services", "machine", "everything")
_NOUNS = frozenset(("type", "service", "name", "named", "word", "id"))
_NAMED = _NOUNS - {"type", "service"}
_ALL = frozenset(("anything", "everything"))
_ORDERS = frozenset(("compare", "list", "show", "find"))
_POINTING = frozenset(("its", "their", "them", "those", "it"))
_SHORT = 4
_LISTS = frozenset(("which", "list", "show"))
"""What asks for the things themselves, also after they were grouped."""
_REPLACES = {
    "created_since": ("older_than", "created_before"),
    "older_than": ("created_since", "created_before"),
    "created_before": ("older_than",),
    "time": ("as_of",),
    "as_of": ("time",),
    "name": ("id", "name_contains"),
    "id": ("name", "name_contains"),
    "name_contains": ("name", "id"),
    "status": ("status_not",),
    "group_by": ("limit", "sort"),
    "resource_type": ("exclude_resource_type", "name", "id"),
    "engine": ("name", "id"),
}
_DENIED = (("resource_type", "exclude_resource_type"), ("status", "status_not"), ("tag", "tag_not"))
_OF_ROWS = frozenset(
    (
        *("limit", "sort", "group_by", "fields", "check", "metric", "granularity", "list_metrics"),
        *("agg", "op", "value", "unit"),
    )
)
"""Arguments that say what is done with the resources: they stay with their tool."""


def goes_on(s: Sentence, seen: Evidence) -> bool:
    """Whether a question builds on the one before."""
    if not s.spans:
        return False
    told = [span for span in s.spans if span.text not in word_set("fillers") and span.text[0].isalnum()]
    first = told[0] if told else s.spans[0]
    own = [kind for kind in _SUBJECTS if seen.has(kind)]
    left_out = first.plays("neg") and len(told) <= _SHORT + 1 and not _NAMED & set(own)
    if s.words()[:2] in _BESIDE or left_out:
        # `compare with web-02`, `everything but containers`.
        return True
    pointing = any(span.text in _POINTING for span in s.spans) and not _NOUNS & set(own)
    if set(own) - {"metric"} and first.text.split()[0] in _ORDERS and not pointing:
        return False
    if own == ["metric"] and first.text.split()[0] in _ORDERS and len(told) <= _SHORT:
        # `show me cpu`, after a list: of what is listed.
        return True
    if own == ["metric"] and len([span for span in told if not span.plays("instead")]) == 1:
        # `gpu utilization instead`
        return True
    opens = first.plays("same", "also", "instead") or (first.plays("sort_by") and not _NOUNS & set(own))
    opens = opens or first.text.split()[0] in word_set("strong")
    if opens or any(s.words()[: len(one)] == one for one in _PHRASES):
        return True
    those = word_set("pronouns") - {"there", "that", "this", "it"} | {"of those", "of them", "ones"}
    pronoun = any(span.text in those for span in s.spans)
    if not own and any(span.text in _ALL for span in s.spans):
        return False
    if pronoun and not (_NOUNS - ({"type", "service"} if "ones" in s.words() else set())) & set(own):
        # `the mysql ones`: of what was listed, whatever kind of thing the word is.
        return True
    words = [span for span in s.spans if span.text[0].isalnum()]
    if not own:
        return True
    if s.spans[0].text in ("now", "then") and len(words) <= _SHORT + 1:
        return True
    it = any(span.text in ("it", "its", "that") for span in s.spans)
    return it and not _NOUNS & set(own)


def of_a_cloud(s: Sentence, seen: Evidence) -> bool:
    """Whether it is asked how a cloud itself is, and nothing is named or pointed at."""
    asks = any(span.plays("ask_health") and span.text not in word_set("fillers") for span in s.spans)
    return asks and set(seen.places) <= {"health"} and s.has("provider") and not _POINTING & set(s.words())


def merged(previous: Query, a: Asked, tool: Tool) -> Query:
    """The query before with what this question says laid over it."""
    found, then = a.found, a.found.then
    kept = _kept(previous, a, tool)
    for name in found.cleared:
        kept.pop(name, None)
    if a.s.spans[0].text in _LISTS and a.s.words()[1:2] != ("about",) and "group_by" not in found.arguments:
        kept.pop("group_by", None)
    if {"sort", "limit"} <= found.arguments.keys() and not _of_groups(found):
        # `biggest five`, after groups: of the things themselves.
        kept.pop("group_by", None)
    union = any(span.plays("also") and span.text not in ("plus", "both") for span in a.s.spans)
    for name, value in found.arguments.items():
        for other in _REPLACES.get(name, ()):
            if other not in found.arguments:
                kept.pop(other, None)
        kept[name] = _laid(kept.get(name), name, value, union)
    if "metric" in found.arguments and "op" not in found.arguments and not _same_unit(previous, found):
        for name in ("op", "value", "unit"):
            kept.pop(name, None)
    _without(kept, found)
    if then is not None and then["op"] == "count" and "group_by" not in found.arguments:
        for name in ("limit", "sort", "group_by"):
            kept.pop(name, None)
    sides: tuple[Mapping[str, Any], ...] = tuple(found.sides)
    if not sides and tool.name == previous.tool:
        sides = tuple(previous.sides)
    return Query(tool.name, kept, sides, _then(previous, a, tool))


def _of_groups(found: Found) -> bool:
    """Whether what is asked is of groups, or in an order that groups have too."""
    order = str(found.arguments["sort"])
    return "group_by" in found.arguments or order.startswith(("price", "count", "asc", "desc", "name"))


def _kept(previous: Query, a: Asked, tool: Tool) -> dict[str, Any]:
    """What the query before leaves to this one; another tool may not take all of it."""
    kept: dict[str, Any] = {}
    for name, value in previous.arguments.items():
        if not a.takes(name) or (tool.name != previous.tool and name in _OF_ROWS):
            continue
        known = a.values(name)
        some = [one for one in value if not known or one in known] if isinstance(value, list) else value
        if some != value:
            a.found.notices.append(f"Not used any more: {name} {', '.join(map(str, value))}.")
        if some not in (None, []):
            kept[name] = some
    return kept


def _laid(before: Any, name: str, value: Any, union: bool) -> Any:
    if name in ("tag", "tag_not") and isinstance(before, list):
        keys = {one.split("=")[0] for one in value}
        return [*(one for one in before if one.split("=")[0] not in keys), *value]
    added = union or name.startswith(("exclude_", "status_not", "missing_"))
    if added and isinstance(before, list) and isinstance(value, list):
        return [*before, *(one for one in value if one not in before)]
    return value


def _same_unit(previous: Query, found: Found) -> bool:
    known = metrics.metrics()
    before = {known[one].unit for one in previous.arguments.get("metric", ()) if one in known}
    return {known[one].unit for one in found.arguments["metric"] if one in known} == before


def _without(kept: dict[str, Any], found: Found) -> None:
    """`not aws` takes aws out of the clouds that were asked for."""
    gone = [
        (f"{field}s" if field == "provider" else field, [value])
        for field, op, value in found.where
        if op == "ne"
    ]
    gone += [(wished, found.arguments.get(denied) or []) for wished, denied in _DENIED]
    for argument, values in gone:
        if isinstance(kept.get(argument), list):
            kept[argument] = [one for one in kept[argument] if one not in values]
            if not kept[argument]:
                del kept[argument]


def _then(previous: Query, a: Asked, tool: Tool) -> dict[str, Any] | None:
    """What is computed stays while the same is asked of others."""
    before: Mapping[str, Any] = previous.then or {}
    opens = {span.text for span in a.s.spans[:4]} & {"which", "what"} or a.s.spans[0].text in word_set(
        "row_verbs"
    )
    listed = bool(opens) and a.s.words()[1:2] != ("about",)
    if before.get("op") == "count" and {"sort", "limit"} & a.found.arguments.keys():
        # An order is of rows, not of how many they are.
        listed = True
    where = [*before.get("where", ()), *a.found.where]
    made = dict(a.found.then or {})
    again = tool.name == previous.tool and not listed and "group_by" not in a.found.arguments
    if again and not made:
        made = {key: value for key, value in before.items() if key != "where"}
    if where:
        made = {**(made or {"op": "filter"}), "where": where}
    return made or None
