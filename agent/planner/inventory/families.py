"""Families of instance types: `of type t3`, `c5 and m5 instances`, `other than t3`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import set_of
from agent.planner.inventory.labels import raw
from agent.planner.inventory.words import FAMILY
from agent.planner.language import word_set


def read_families(a: Asked) -> None:
    """Every family that is named."""
    for index, _ in a.all("type_word"):
        _family(a, index)
    _family_before_noun(a)
    _families_left_out(a)


def _family(a: Asked, index: int) -> None:
    """`of type t3`, `instance type p4d`, `of the p5 family`."""
    before = a.s.at(index - 1)
    if a.s.spans[index].text == "family" and before is not None and a.takes("instance_type"):
        if FAMILY.fullmatch(before.text) and not before.used:
            a.put("instance_type", raw(a, index - 1), index - 1, index)
        return
    at = index + 1
    span = a.s.at(at)
    if span is not None and not span.used and FAMILY.fullmatch(span.text) and a.takes("instance_type"):
        a.put("instance_type", raw(a, at), index, at)
        while (join := a.s.at(at + 1)) is not None and join.text in word_set("joins") | set_of("joins"):
            following = a.s.at(at + 2)
            if following is None or following.used or not FAMILY.fullmatch(following.text):
                return
            a.put("instance_type", raw(a, at + 2), at + 2)
            at += 2


def _families_left_out(a: Asked) -> None:
    """`other than t3 types`: whose instance type begins otherwise."""
    for index, _ in a.all("neg"):
        behind = a.s.at(index + 1)
        if behind is None or behind.used or behind.meanings or not FAMILY.fullmatch(behind.text):
            continue
        if a.tool.has("missing_tag"):
            a.where("instance_type", "has_not", f"{behind.text}.*", index, index + 1)


def _family_before_noun(a: Asked) -> None:
    """`t3 instances`."""
    if not a.takes("instance_type"):
        return
    for index, span in enumerate(a.s.spans):
        noun = a.s.at(index + 1)
        bare = not span.used and not span.meanings and span.number is None and FAMILY.fullmatch(span.text)
        if (
            (bare or span.plays("=name"))
            and FAMILY.fullmatch(span.text)
            and not span.used
            and noun is not None
            and noun.get("type") in ("instance", "node")
        ):
            if noun.get("type") == "node":
                # Nodes of a family of machines, not of a cluster.
                a.s.mean(noun, tuple(one for one in noun.meanings if one.role != "type"))
                a.put("resource_type", "instance", index + 1)
            a.put("instance_type", raw(a, index), index)
            _families_joined(a, index)


def _families_joined(a: Asked, index: int) -> None:
    """`c5 and m5 instances`: the families in front, in a list with the one before the noun."""
    at = index - 1
    while (join := a.s.at(at)) is not None and join.text in word_set("joins") | set_of("joins"):
        span = a.s.at(at - 1)
        if span is None or span.used or span.number is not None or not FAMILY.fullmatch(span.text):
            return
        a.put("instance_type", raw(a, at - 1), at - 1)
        at -= 2
