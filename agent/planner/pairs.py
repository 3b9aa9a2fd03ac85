"""Comparisons whose sides differ in several things: `H100 on AWS vs A100 on GCP`, `8x A100 vs 4x H100`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.planner.found import Found
from agent.planner.lexicon import Lexicon
from agent.planner.reading import read
from agent.planner.sentence import Sentence, sentence_of
from agent.planner.tool import Tool

_MARKS = frozenset(
    ("vs", "versus", "v", "against", "compared to", "compared with", "compare to", "compare with", "or")
)
_OF_A_SIDE = (
    "gpu",
    "providers",
    "region",
    "memory",
    "count",
    "form",
    "spot",
    "instance_type",
    "tier",
    "min_memory",
    "min_count",
)
_BOUND = ("memory", "form")


def paired(s: Sentence, found: Found, tool: Tool, lexicon: Lexicon, now: datetime) -> Found:
    """Read both halves on their own where one list for each argument would mix the sides."""
    several = [
        name
        for name in _OF_A_SIDE
        if isinstance(found.arguments.get(name), list) and len(found.arguments[name]) > 1
    ]
    several += list(dict.fromkeys(name for side in found.sides for name in side))
    bound = "gpu" in several and any(name in found.arguments for name in _BOUND)
    if (len(several) < 2 and not bound) or found.unclear:
        return found
    mark = _mark(s)
    if mark is None:
        return found
    halves = []
    for tokens in (s.tokens[: s.spans[mark].first], s.tokens[s.spans[mark].last + 1 :]):
        half = read(sentence_of(s.text, tokens, lexicon), tool, now)
        halves.append({name: half.arguments[name] for name in _OF_A_SIDE if name in half.arguments})
    return _laid_apart(found, halves)


def _mark(s: Sentence) -> int | None:
    """The word between two sides that each name something."""
    things = ("gpu", "provider", "region")
    for index, span in enumerate(s.spans):
        if (
            span.text in _MARKS
            and any(sp.plays(*things) for sp in s.spans[:index])
            and any(sp.plays(*things) for sp in s.spans[index:])
        ):
            return index
    return None


def _laid_apart(found: Found, halves: list[dict[str, Any]]) -> Found:
    """What both halves say differently makes the sides; what one says holds for both, but a size or form."""
    first, second = halves
    differing = [name for name in first if name in second and first[name] != second[name]]
    if "gpu" in differing:
        differing += [name for name in _BOUND if (name in first) != (name in second)]
    if len(differing) < 2:
        return found
    sides = [{name: half[name] for name in differing if name in half} for half in halves]
    common = {name: value for name, value in found.arguments.items() if name not in differing}
    then = {"op": "compare", "by": differing[0], "values": [side.get(differing[0]) for side in sides]}
    common.pop("limit", None)
    return replace(found, arguments=common, sides=sides, then=then)
