"""The answer in both channels, cut at whole rows where it would be longer than a model's client takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloudtop.errors import CloudtopError
from mcp_server.render import compact, text
from mcp_server.result import Outcome

CHANNEL = 25_000
"""The most characters in each channel of one result."""

ENVELOPE = 10_000
"""How many of them sources, troubles and notices may take from the rows."""

CURSOR = 100
"""Characters kept free for the cursor that a cut adds."""

Next = Callable[[int], str | None]
"""The cursor of the page after so many rows, None when there is none."""


def answered(
    form: str, fields: Sequence[str], rows: list[dict[str, Any]], rest: Mapping[str, Any], next_cursor: Next
) -> tuple[Outcome, int]:
    """The outcome and how many of `rows` fit; `rest` is the structured content besides its rows."""
    around = _shortened(dict(rest))
    count = len(rows)
    while True:
        shown = rows[:count]
        facts = {**around, "truncated": count < len(rows), "next_cursor": next_cursor(count)}
        whole = f'{{"rows":{compact(shown)},{compact(facts)[1:]}'
        block = whole if form == "json" else text(form, fields, shown, facts)
        if max(len(whole), len(block)) <= CHANNEL:
            return Outcome({"rows": shown, **facts}, whole, block), count
        if count <= 1:
            raise CloudtopError("one row alone is longer than a result may be.", "Name the fields you need.")
        count = _fewer(shown, len(whole), len(block))


def _fewer(rows: Sequence[Any], whole: int, block: int) -> int:
    """How many of `rows` to try when they made channels of these lengths: fewer, and at least one."""
    lengths = [len(compact(row)) + 1 for row in rows]
    fitting = _fitting(lengths, CHANNEL - CURSOR - (whole - sum(lengths)))
    by_text = len(rows) * CHANNEL // max(block, 1)
    return max(1, min(len(rows) - 1, fitting, by_text))


def _fitting(lengths: Sequence[int], room: int) -> int:
    """How many of these follow each other in so much room."""
    for count, length in enumerate(lengths):
        room -= length
        if room < 0:
            return count
    return len(lengths)


def _shortened(rest: dict[str, Any]) -> dict[str, Any]:
    """The facts around the rows; of very many sources, troubles or notices the first, and how many more."""
    for name in ("sources", "missing", "notices"):
        if len(compact(rest)) <= ENVELOPE:
            break
        kept = _fitting([len(compact(one)) + 1 for one in rest[name]], ENVELOPE // 4)
        left = len(rest[name]) - kept
        if left:
            rest[name] = rest[name][:kept]
            rest["notices"] = [*rest["notices"], f"{left} more entries of {name} are not shown."]
    return rest


def refused(tool: str, message: str, next_step: str, exit_code: int, argument: str | None = None) -> Outcome:
    """The outcome of a call that could not be answered; the text says all there is to say."""
    said = f"{tool}: {message} {next_step}".strip()
    facts = {"error": {"tool": tool, "argument": argument, "message": message, "next_step": next_step}}
    return Outcome(facts, compact(facts), said, is_error=True, exit_code=exit_code)
