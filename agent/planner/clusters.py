"""Machines that are wanted together, and how many GPUs each of them has: `two 8x H100 nodes`."""

from __future__ import annotations

from agent.planner.language import word_set
from agent.planner.sentence import Sentence

_REACH = 8
_PARTS = ("gpu", "=form", "=vendor", "=architecture", "=spot", "=interconnect", "=tier")
_UNITS = ("gpu", "times", "gb")
_LINKS = frozenset((",", "with", "w", "/", "of", "each", "having", "that", "have", "which", "has"))


def shaped_nodes(s: Sentence, at: int, noun: str = "node") -> int | None:
    """The place of `nodes` in `8x h100 nodes`, `8-gpu servers`, where the number of GPUs stands at `at`.

    `noun`: the unit that is counted; `offer` for `8x h100 offers`.
    """
    if not _counts(s, at):
        return None
    for place in range(at + 1, min(len(s.spans), at + _REACH)):
        span = s.spans[place]
        if span.get("unit") == noun:
            return place if span.text.endswith("s") else None
        sized = span.number is not None and s.plays(place + 1, "unit") and _unit(s, place + 1) == "gb"
        if not (span.plays(*_PARTS) or _unit(s, place) in _UNITS or sized):
            return None
    return None


def is_cluster(s: Sentence) -> bool:
    """`3 machines with 4 A100 each`: so many, of so many GPUs each, are to be had; not those that run."""
    if set(s.words()) & (word_set("own_account") | _OF_ONES_OWN):
        return False
    for index, span in enumerate(s.spans):
        if span.number is None or span.plays("gpu"):
            continue
        if shaped_nodes(s, index + 1) is not None:
            return True
        if _unit(s, index + 1) == "node" and s.spans[index + 1].text.endswith("s"):
            place = index + 2
            while (link := s.at(place)) is not None and (link.text in _LINKS or link.plays("per", "per_gpu")):
                place += 1
            if place > index + 2 and _counts(s, place) and _of_gpus(s, place):
                return True
    return False


_OF_ONES_OWN = frozenset(
    ("we", "i", "which", "running", "stopped", "list", "show", "idle", "oldest", "newest")
)


def _counts(s: Sentence, at: int) -> bool:
    span = s.at(at)
    return span is not None and span.number is not None and not span.plays("gpu") and span.number >= 1


def _of_gpus(s: Sentence, at: int) -> bool:
    """Whether the number at a place is one of GPUs."""
    behind = at + 1 + (_unit(s, at + 1) == "times")
    return s.plays(behind, "gpu") or _unit(s, behind) == "gpu"


def _unit(s: Sentence, at: int) -> str | None:
    span = s.at(at)
    return span.get("unit") if span is not None else None
