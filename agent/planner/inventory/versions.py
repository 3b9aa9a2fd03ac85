"""Versions of engines, clusters and runtimes: `postgres 14`, `below 1.28`, `python 3.9`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.labels import raw
from agent.planner.inventory.sizes import types_said
from agent.planner.sentence import Span

_ONWARD = {"newer": "ge", "later": "ge", "higher": "ge", "older": "le", "earlier": "le", "lower": "le"}
_ONWARDS = {**{f"or {word}": op for word, op in _ONWARD.items()}, "+": "ge", "and up": "ge", "or above": "ge"}
_VERSION = frozenset(("version", "versions", "v", "release"))


_RUNS_ON = frozenset(("on", "running", "of", "at", "with"))


def read_versions(a: Asked) -> None:
    """`postgres 14`, `clusters on 1.29`, `not version 15`: of what is told of databases and clusters."""
    for index, span in enumerate(a.s.spans):
        op, onwards = _onwards(a, index)
        taken = a.s.plays(index + 1, "unit", "op") and op is None
        if span.number is None or span.used or taken or not a.takes("engine"):
            continue
        at = index - 1
        while (lead := a.s.at(at)) is not None and (lead.text in _VERSION | _RUNS_ON or _compares(lead)):
            op = op or _compares(lead)
            at -= 1
        told = any(one.text in _VERSION for one in a.s.spans[at + 1 : index])
        kept = lead is not None and (
            lead.plays("engine") or (lead.get("type") == "cluster" and "." in span.text)
        )
        if not kept and not (told and set(types_said(a)) & {"database", "cluster"}):
            continue
        denied = lead is not None and lead.plays("neg", "negates") and not lead.used
        op = "ne" if denied or index in a.denied else op or "of"
        a.where("version", op, span.text, *range(at + (not denied), index + 1), *onwards)


def _onwards(a: Asked, index: int) -> tuple[str | None, tuple[int, ...]]:
    """`or newer`, `or older` behind a version: how it compares, and its places."""
    behind, later = a.s.at(index + 1), a.s.at(index + 2)
    if behind is not None and behind.text in _ONWARDS:
        return _ONWARDS[behind.text], (index + 1,)
    if behind is not None and behind.text == "or" and later is not None and later.text in _ONWARD:
        return _ONWARD[later.text], (index + 1, index + 2)
    return None, ()


def _compares(span: Span) -> str | None:
    """`version below 1.28`, `mysql < 8`, `older than postgres 13`."""
    if span.plays("older_sure", "newer_sure"):
        return "lt" if span.plays("older_sure") else "gt"
    return str(span.get("op")) if span.get("op") in ("lt", "le", "gt", "ge") else None


def read_runtime(a: Asked, index: int, span: Span) -> None:
    """`python 3.9`, `node 18`: the version belongs to it."""
    if not a.takes("runtime"):
        return
    value = str(span.get("runtime") or span.get("shy_runtime"))
    at = (
        index
        + 1
        + (
            a.s.plays(index + 1, "runtime_word")
            or (a.s.at(index + 1) is not None and a.s.spans[index + 1].text in _VERSION)
        )
    )
    number = a.s.at(at)
    version = (
        number is not None and number.number is not None and not number.used and not a.s.plays(at + 1, "unit")
    )
    functions = any(
        sp.get("type") == "function" or (sp.get("service") or ("", ""))[1] == "function" for sp in a.s.spans
    )
    if not span.plays("runtime") and not (version or functions):
        return
    if version:
        value += raw(a, at)
        a.s.use(*range(index, at + 1))
        _, onwards = _onwards(a, at)
        if onwards:
            a.s.use(*onwards)
            said = " ".join(a.s.spans[one].text for one in onwards)
            a.found.refused.append(f"{said}: a runtime is asked for by its version")
    if index in a.denied:
        a.where("runtime", "ne", value, index)
    else:
        a.put("runtime", value, index)
