"""Words that mean nothing else, where a resource is spoken of: `cpu of jenkins`, `is grafana up`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.evidence import named_behind
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.inventory.labels import raw
from agent.planner.language import everyday


def read_loose(a: Asked) -> None:
    """A word that means nothing else, where a resource is spoken of: `cpu of jenkins`, `is grafana up`."""
    # Of a list an unknown word may be anything; it is shown as not used rather than taken for a name.
    lists = a.tool.has("missing_tag")
    if a.takes("name") and not {"name", "id", "ip", "name_contains"} & set(a.found.arguments):
        _behind_noun(a)
    if not a.takes("name") or lists or {"name", "id", "ip", "name_contains"} & set(a.found.arguments):
        return
    if _before_noun(a) or a.found.arguments.get("resource_type"):
        return
    found = []
    for index in range(len(a.s.spans)):
        if not _unknown(a, index):
            continue
        before = a.s.at(_lead(a, index))
        if before is None or before.text in set_of("of_leads") or before.plays("details", "field_of"):
            found.append(index)
    if len(found) == 1:
        a.put("name", raw(a, found[0]), found[0])


def _behind_noun(a: Asked) -> None:
    """`bucket logs`, `the load balancer front`: the word behind the noun of one resource is its name."""
    for index, span in enumerate(a.s.spans[1:], 1):
        if not span.used and named_behind(a.s, index):
            a.put("name", raw(a, index), index - 1, index)
            a.found.arguments.pop("resource_type", None)
            return


def _lead(a: Asked, index: int) -> int:
    """The place before a word, articles left out."""
    at = index - 1
    while (one := a.s.at(at)) is not None and one.text in set_of("articles") - set_of("of_leads"):
        at -= 1
    return at


def _before_noun(a: Asked) -> bool:
    """`the payments cluster`: a word that means nothing else, before the noun of one resource."""
    for index, noun in enumerate(a.s.spans[1:]):
        one = noun.plays("type", "shy_type") and not is_plural(noun.text)
        the = a.s.at(index - 1)
        if one and _unknown(a, index) and the is not None and the.text in ("the", "our", "my"):
            a.put("name", raw(a, index), index, index + 1)
            a.found.arguments.pop("resource_type", None)
            return True
    return False


def _unknown(a: Asked, index: int) -> bool:
    span = a.s.spans[index]
    if span.first in a.s.cue_tokens.get(a.tool.name, ()) or span.text in set_of("which"):
        return False
    if span.text.endswith(("ing", "ed")) and span.text.isalpha():
        return False
    meant = any(one.role != "=check" for one in span.meanings)
    if span.used or meant or span.number is not None or span.kind in ("sign", "date", "size"):
        return False
    common = everyday()
    return span.text[0].isalnum() and span.text not in common and len(span.text) > 2
