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
    """Read the sides on their own where one list for each argument would mix the sides."""
    several = [
        name
        for name in _OF_A_SIDE
        if isinstance(found.arguments.get(name), list) and len(found.arguments[name]) > 1
    ]
    several += list(dict.fromkeys(name for side in found.sides for name in side))
    bound = "gpu" in several and any(name in found.arguments for name in _BOUND)
    if (len(several) < 2 and not bound) or found.unclear:
        return found
    marks = _marks(s, found.compare or "count" in several)
    if not marks:
        return found
    halves = []
    first = 0
    for mark in (*marks, len(s.spans)):
        last = s.spans[mark].first if mark < len(s.spans) else len(s.tokens)
        half = read(sentence_of(s.text, s.tokens[first:last], lexicon), tool, now)
        halves.append({name: half.arguments[name] for name in _OF_A_SIDE if name in half.arguments})
        first = s.spans[mark].last + 1 if mark < len(s.spans) else last
    return _laid_apart(found, halves)


def _marks(s: Sentence, compared: bool) -> list[int]:
    """The words between sides that each name something."""
    places = [index for index, span in enumerate(s.spans) if span.text in _MARKS]
    if not places and compared:
        places = [index for index, span in enumerate(s.spans) if span.text in ("and", "to", "with", ",", "/")]
    marks: list[int] = []
    for index in places:
        behind = s.spans[index + 1 : next((at for at in places if at > index), len(s.spans))]
        before = s.spans[marks[-1] + 1 if marks else 0 : index]
        if all(any(one.plays(*_THINGS) for one in part) for part in (before, behind)):
            marks.append(index)
    return marks


_THINGS = ("gpu", "provider", "region")


def _laid_apart(found: Found, halves: list[dict[str, Any]]) -> Found:
    """What the sides say differently makes the sides; what one says holds for both, but a size or form."""
    first, *others = halves
    differing = [
        n for n in first if all(n in other for other in others) and any(first[n] != o[n] for o in others)
    ]
    if "gpu" in differing:
        differing += [name for name in _BOUND if len({name in half for half in halves}) > 1]
    if len(differing) < 2:
        return found
    sides = [{name: half[name] for name in differing if name in half} for half in halves]
    common = {name: value for name, value in found.arguments.items() if name not in differing}
    then = {"op": "compare", "by": differing[0], "values": [side.get(differing[0]) for side in sides]}
    common.pop("limit", None)
    return replace(found, arguments=common, sides=sides, then=then)
