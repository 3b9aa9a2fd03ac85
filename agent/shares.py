"""What part of all some are, said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.figures import number
from agent.resources import NAMED, conditions, counted, noun, unmatched
from cloudtop.text import plural

if TYPE_CHECKING:
    from agent.answer import Answer
    from agent.compute import Computed

Row = Mapping[str, Any]


def told(result: Computed, answer: Answer, done: Sequence[Mapping[str, Any]]) -> str:
    """`12.3 %: 7 (status stopped) of 57 instances (on aws).`"""
    some, whole = done[0]["applied"], done[-1]["applied"]
    figures = result.figures
    of = f"{counted(whole, figures['of'])}{conditions(whole)}"
    if figures["percent"] is None:
        return f"There are no {noun(whole, 2)}{conditions(whole)}: there is nothing to be a part of."
    own = {name: value for name, value in some.items() if whole.get(name) != value}
    own["where"] = (answer.then or {}).get("some", ())
    same = some.get("resource_type") == whole.get("resource_type")
    count = number(figures["count"]) if same else counted(some, figures["count"])
    said = of if len(done) == 1 else f"{number(figures['percent'])} %: {count}{conditions(own)} of {of}"
    if not result.lines:
        return f"{said}.{unmatched(figures)}"
    by = " and ".join(str(one).removeprefix("tag:").replace("_", " ") for one in whole.get("group_by", ()))
    parts = [f"{_group(line)} {number(line['percent'])} %" for line in result.lines[:NAMED]]
    more = len(result.lines) - len(parts)
    rest = f" and {plural(more, 'more group')}" if more > 0 else ""
    return f"{said}{f' by {by}' if len(done) == 1 else f', by {by}'}: {', '.join(parts)}{rest}."


def _group(line: Row) -> str:
    return str(line["group"]) if line["group"] not in (None, "") else "no value"
