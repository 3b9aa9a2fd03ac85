"""GPUs, sellers, places and values of arguments that a question names, and which of them it rules out."""

from __future__ import annotations

from typing import Any

from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.ruled_out import ruled_out_by
from agent.planner.sentence import Sentence, Span
from agent.planner.tool import Tool
from cloudtop.gpus import resolve

_OF_A_MODEL = ("vendor", "architecture")


def read_things(s: Sentence, tool: Tool, found: Found) -> None:
    """Put every named thing into its argument, or into the one that excludes it."""
    ruled_out = ruled_out_by(s, tool, found)
    found.chooses = any(span.plays("compare") or span.text == "or" for span in s.spans)
    for index, span in enumerate(s.spans):
        if span.plays("sellers") and tool.has("providers"):
            _several(span, index in ruled_out, found)
        if span.used:
            continue
        if span.plays("gpu") and tool.has("gpu"):
            _gpu(span, index in ruled_out, found)
        elif span.plays("provider") and tool.has("providers"):
            _listed(span, "provider", "providers", index in ruled_out, tool, found)
        elif span.plays("region") and tool.has("region"):
            _listed(span, "region", "region", index in ruled_out, tool, found)
        else:
            _value(s, index, index in ruled_out, tool, found)
    for argument, denied in found.without.items():
        wanted = found.arguments.get(argument)
        found.arguments[argument] = [one for one in wanted or tool.values(argument) if one not in denied]
        if not wanted:
            found.notices.append(f"Not {', '.join(denied)}: any other {argument} that is known.")
    _generations(s, found)
    _tidy(found, tool)
    _of_the_key(s, found)


_IN_ORDER = (("volta",), ("turing",), ("ampere",), ("ada", "hopper"), ("blackwell",))
"""NVIDIA's data centre and workstation generations, oldest first."""
_NEWER = frozenset(
    ("or newer", "or later", "and newer", "and later", "or better", "or above", "and up", "at least")
)
_AFTER = frozenset(
    ("newer than", "later than", "after", "nothing older than", "not older than", "no older than")
)


def _generations(s: Sentence, found: Found) -> None:
    """`Ampere or newer`, `newer than Turing`, `nothing older than Ada`."""
    named = found.arguments.get("architecture") or []
    place = next((i for i, sp in enumerate(s.spans) if sp.get("=architecture") in named), None)
    if place is None or len(named) != 1:
        return
    order = next((n for n, some in enumerate(_IN_ORDER) if named[0] in some), None)
    behind, before = s.at(place + 1), s.at(place - 1)
    if order is None:
        return
    if behind is not None and behind.text in _NEWER:
        s.use(place + 1)
    elif before is not None and before.text in _AFTER:
        s.use(place - 1)
        order += before.text.split()[0] in ("newer", "later", "after")
    else:
        return
    found.arguments["architecture"] = [one for some in _IN_ORDER[order:] for one in some]


def _of_the_key(s: Sentence, found: Found) -> None:
    """`does my token have the permissions it needs`: what is asked of the key, and not the key itself."""
    checks = found.arguments.get("check") or []
    places = [index for index, span in enumerate(s.spans) if span.plays("=check")]
    between = {span.text for span in s.spans[min(places, default=0) : max(places, default=0)]}
    if (
        len(checks) > 1
        and checks[0] == "credentials"
        and between
        & {"have", "has", "got", "with", "hit", "hitting", "lack", "lacks", "miss", "need", "needs", "hold"}
    ):
        s.use(*(index for index, span in enumerate(s.spans) if span.text in ("lack", "lacks", "miss")))
        checks.remove("credentials")


def _gpu(span: Span, ruled_out: bool, found: Found) -> None:
    span.used = True
    names = span.get("gpu")
    if len(names) > 1 and not ruled_out:
        found.notices += resolve(span.text).notices
    for name in names:
        found.add("exclude_gpu" if ruled_out else "gpu", name)


def _several(span: Span, ruled_out: bool, found: Found) -> None:
    """`the hyperscalers`: all sellers that the word stands for."""
    span.used = True
    for seller in str(span.get("sellers")).split():
        found.add("exclude_providers" if ruled_out else "providers", seller)


def _listed(span: Span, role: str, argument: str, ruled_out: bool, tool: Tool, found: Found) -> None:
    """One more of several, or of those left out."""
    if ruled_out and not tool.has(f"exclude_{argument}"):
        if role == "provider" and "name" in tool.fields:
            span.used = found.meet(tool, "provider", "ne", str(span.get(role)))
        return
    span.used = True
    found.add(f"exclude_{argument}" if ruled_out else argument, span.get(role))


def _value(s: Sentence, index: int, ruled_out: bool, tool: Tool, found: Found) -> None:
    """A value of an argument that the tool takes."""
    span = s.spans[index]
    for argument, value in span.values:
        if argument == "available_word":
            argument, value = "available", _meant_available(s, index)
            if value is None:
                continue
        if argument == "name" and not tool.has("name"):
            continue
        if not tool.has(argument) or not _fits(s, index, argument, value):
            continue
        span.used = True
        if ruled_out:
            _without(argument, value, span.text, tool, found)
        else:
            _with(argument, value, tool, found)
        return


def _fits(s: Sentence, index: int, argument: str, value: Any) -> bool:
    """Conditions that the sentence puts on a few words with other uses."""
    span = s.spans[index]
    if argument == "fractional" and span.text.startswith(("half", "third", "quarter", "sixth", "eighth")):
        after = s.at(index + 1)
        return after is not None and (after.plays("gpu") or after.get("unit") == "gpu")
    if argument == "vendor" and span.plays("provider"):
        return False
    if argument == "status":
        return _asks_which(s)
    if argument == "check":
        return span.text != "key" or not s.plays(index + 1, "quantity")
    return True


def _asks_which(s: Sentence) -> bool:
    """A state filters where one asks which are in it, not where one asks whether all, or this one, are.

    `what is failing on azure` asks which there; `is azure failing`, `azure: unhealthy?` whether it is.
    """
    named = next((index for index, span in enumerate(s.spans) if span.plays("provider")), None)
    if s.words()[:1] in (("which",), ("what",), ("list",), ("show",)) and {"check", "checks"} & set(
        s.words()
    ):
        # `which AWS quota checks are degraded`
        return True
    if named is not None and not (named and s.spans[named - 1].text in _AT):
        return False
    first = s.spans[0].text if s.spans else ""
    words = s.words()
    if first in ("is", "are", "all") or "all" in words or "everything" in words:
        return "any" in words or "anything" in words or "which" in words
    return True


_AT = frozenset(("on", "at", "in"))


def _meant_available(s: Sentence, index: int) -> bool | None:
    """`available` says free now, unless it asks what is on offer: `which gpus are available on lambda`."""
    named = s.has("gpu", "=architecture", "=form", "=instance_type", "pronoun")
    numbers = any(span.number is not None and not span.plays("gpu") for span in s.spans)
    after = s.at(index + 1)
    return True if named or numbers or (after is not None and after.get("unit") == "gpu") else None


def _with(argument: str, value: Any, tool: Tool, found: Found) -> None:
    if value == tool.default(argument):
        found.cleared.add(argument)
    elif tool.is_list(argument):
        found.add(argument, value)
    elif argument in found.arguments and found.arguments[argument] != value:
        if isinstance(value, bool) or argument == "instance_type" or found.chooses:
            _side(argument, value, found)
        else:
            found.refused.append(f"{value}: only one {argument} can be asked for at a time")
    elif found.sides and argument in found.sides[0]:
        if not any(side.get(argument) == value for side in found.sides):
            found.sides.append({argument: value})
    else:
        found.put(argument, value)


def _side(argument: str, value: Any, found: Found) -> None:
    """Two values of an argument that takes one are two sides: `spot vs on-demand`."""
    found.sides += [{argument: found.arguments.pop(argument)}, {argument: value}]


def _without(argument: str, value: Any, said: str, tool: Tool, found: Found) -> None:
    instead = language().hints["negated"].get(argument, {}).get(value)
    if isinstance(value, bool):
        if argument == "spot" or (argument == "available" and value is False):
            _with(argument, not value, tool, found)
        else:
            found.cleared.add(argument)
    elif instead is not None:
        if instead not in found.arguments.get(argument, []):
            found.add(argument, instead)
    elif tool.is_list(argument) and len(tool.values(argument)) > 1 and argument != "architecture":
        found.without.setdefault(argument, []).append(value)
    else:
        found.refused.append(f"not {said}: there is no filter that leaves out one {argument}")


def _tidy(found: Found, tool: Tool) -> None:
    """Drop what a named GPU already says, and exclusions that a positive choice makes empty."""
    arguments = found.arguments
    if arguments.get("gpu"):
        for argument in _OF_A_MODEL:
            arguments.pop(argument, None)
    for argument, excluded in (("providers", "exclude_providers"), ("gpu", "exclude_gpu")):
        if arguments.get(argument) and arguments.get(excluded):
            kept = [name for name in arguments[argument] if name not in arguments[excluded]]
            if kept:
                arguments[argument] = kept
                del arguments[excluded]
            else:
                del arguments[argument]
    tiers = arguments.get("tier")
    if tiers and "secure" in tiers and len(tiers) > 1 and set(tiers) & {"datacenter"}:
        tiers.remove("secure")
    if len(arguments.get("instance_type") or ()) and isinstance(arguments["instance_type"], str):
        for argument in ("gpu", "count"):
            arguments.pop(argument, None)
