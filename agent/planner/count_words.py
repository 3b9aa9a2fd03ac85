"""Counts of GPUs that are said in a word: `single`, `dual`, `pair of`, `quad`."""

from __future__ import annotations

from agent.planner.amount import TIMES
from agent.planner.clusters import shaped_nodes
from agent.planner.counts import count_gpus
from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.sentence import Sentence, Span


def _in_a(s: Sentence, index: int) -> bool:
    """`in a single machine`: of the machine, not of its GPUs."""
    at = index - 1 if s.at(index - 1) is None or s.spans[index - 1].text != "a" else index - 2
    return at >= 0 and s.spans[at].text in ("in", "on", "inside", "within")


def _of_machines(s: Sentence, index: int) -> int | None:
    """`a couple of H200 machines`, `a pair of 8x H200 boxes`: where the machines stand."""
    machines = s.at(index + 2)
    several = machines is not None and machines.get("unit") == "node" and machines.text.endswith("s")
    return index + 2 if several and s.plays(index + 1, "gpu") else shaped_nodes(s, index + 1)


def count_words(s: Sentence, found: Found) -> None:
    """`single`, `pair of`, `h100 pairs`, `quad`, `multi-gpu`."""
    for index, span in s.all("count_word"):
        whole = int(span.get("count_word"))
        after = s.at(index + 1)
        unit = after.get("unit") if after is not None else None
        if span.text == "single" and unit == "node":
            # `a single machine with four A100s`: one, of however many GPUs.
            s.use(index)
        elif unit in ("node", "gpu") and _in_a(s, index):
            # `in a single card` says nothing of how many there are.
            s.use(*((index, index + 1) if unit == "gpu" else ()))
        elif after is not None and after.plays("best", "field_best", "cheaper", "dearer"):
            s.use(index)
        elif span.text.endswith("of") and (machines := _of_machines(s, index)):
            found.put("nodes", whole)
            s.use(index, machines)
        elif unit == "offer" and span.text.endswith("of"):
            found.put("limit", whole)
            s.use(index)
        elif unit in TIMES:
            found.put("hours", float(whole) * language().seconds[unit] / 3600)
            s.use(index, index + 1)
        elif _is_count(s, index, span, after):
            _several_of_them(s, index, span, found)
            count_gpus(found, whole, None)
            s.use(index, *([index + 1] if unit == "gpu" else []))
    for index, _ in s.all("count_many"):
        found.put("min_count", 2)
        s.use(index)


def _is_count(s: Sentence, index: int, span: Span, after: Span | None) -> bool:
    """Whether so many GPUs are meant: not in `double the price`."""
    if span.text == "double" and after is not None and after.text in ("the", "that", "what"):
        return False
    if after is None or span.text in ("double", "one gpu", "single gpu") or after.text in ("of", "a", "an"):
        return True
    if after.plays("gpu", "unit", "=vendor", "=spot", "=form", "of") or span.text in _SURE_COUNTS:
        return True
    if s.plays(index - 1, "gpu"):
        return not span.text.endswith("of")
    return after.number is not None and s.plays(index + 2, "unit") and s.spans[index + 2].get("unit") == "gb"


_SURE_COUNTS = ("single", "dual", "quad", "octo", "octa", "solo", "lone", "twin", "duo")


def _several_of_them(s: Sentence, index: int, span: Span, found: Found) -> None:
    """`three pairs of H100s`: so many machines of two."""
    before = s.at(index - 1)
    if (
        before is not None
        and before.number is not None
        and before.number > 1
        and not before.plays("gpu")
        and span.text.split()[0].endswith("s")
    ):
        found.put("nodes", int(before.number))
        s.use(index - 1)
