"""Which columns are wanted of a list: `names and private ips of all web servers`, `vms with their sizes`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import facts, is_plural, set_of
from agent.planner.inventory.sizes import size_field, types_said
from agent.planner.language import word_set

_WHOSE = frozenset(("their", "its", "his"))
_LEADS = frozenset(("with", "and", "including", "plus", "show"))


def read_row_fields(a: Asked) -> None:
    """Words that name columns, in a list that stands before `of` or behind `with their`."""
    if not (a.tool.has("fields") and a.tool.has("missing_tag")):
        return
    index = 0
    while index < len(a.s.spans):
        run, last = _run(a, index)
        if run:
            _wanted(a, run, index, last)
        index = max(index, last) + 1


def _run(a: Asked, index: int) -> tuple[list[str], int]:
    """The fields of a list of columns that begins here, and its last place."""
    names: list[str] = []
    at, last = index, index - 1
    while (span := a.s.at(at)) is not None and not span.used:
        if (said := _field(a, span.text)) is not None:
            names.extend(said)
            last = at
        elif not names or span.text not in word_set("joins") | set_of("joins") | set_of("articles"):
            break
        at += 1
    return names, last


def _field(a: Asked, text: str) -> list[str] | None:
    """The row fields that a word names, alone or with the `of` behind it."""
    named = facts()["row_fields"].get(text.removesuffix(" of"))
    if named is None:
        return None
    return [size_field(types_said(a)) if one == "size" else one for one in str(named).split()]


def _wanted(a: Asked, names: list[str], first: int, last: int) -> None:
    after, before = a.s.at(last + 1), a.s.at(first - 1)
    of = a.s.spans[last].text.endswith(" of") or (after is not None and after.text in ("of", "for"))
    opens = all(_opens(a, at) for at in range(first))
    whose = (
        before is not None
        and before.text in _WHOSE
        and (lead := a.s.at(first - 2)) is not None
        and lead.text in _LEADS
    )
    if not (of and opens) and not whose:
        return
    plural = all(
        is_plural(one.text) for one in a.s.spans[first : last + 1] if _field(a, one.text) is not None
    )
    if not whose and not (plural and set(names) - _GROUPS):
        return
    a.s.use(*range(first, last + 1))
    if "tags" in names:
        # Whose it is stands beside every row as it is.
        return
    for name in ["name", *names] if whose else names:
        a.found.add("fields", name)


_GROUPS = frozenset(("region", "status", "type", "account", "provider", "engine", "instance_type"))
"""Fields that a list is grouped by where they are all that is wanted of it."""


def _opens(a: Asked, at: int) -> bool:
    """What a question begins with: `give me the`, `I need`."""
    span = a.s.spans[at]
    passed = set_of("articles") | set_of("which") | word_set("fillers") | word_set("row_verbs")
    return (
        span.text
        in passed | {"id", "i'd", "d", "like", "would", "i", "need", "want", "me", "us", "just", "only"}
        or span.text.split()[0] in passed
    )
