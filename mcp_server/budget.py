"""The answer in both channels, cut at whole rows where it would be longer than a model's client takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from cloudtop.errors import CloudtopError
from mcp_server.render import compact, csv_lines, text, with_facts
from mcp_server.result import Outcome

CHANNEL = 25_000
"""The most characters in each channel of one result."""

ENVELOPE = 10_000
"""How many of them sources, troubles and notices may take from the rows."""

Next = Callable[[int], str | None]
"""The cursor of the page after so many rows, None when there is none."""


def answered(
    form: str,
    fields: Sequence[str],
    rows: list[dict[str, Any]],
    rest: Mapping[str, Any],
    next_cursor: Next,
    said: str | None = None,
) -> tuple[Outcome, int]:
    """The outcome and how many of `rows` fit; `rest` is the structured content besides its rows.

    Each row is written once in each channel, and none that cannot fit. `said`: the text in place of the rows.
    """
    around = _shortened(dict(rest))
    encoded, lines = _Parts(map(compact, rows)), _Parts(csv_lines(fields, rows))
    by_lines = form == "csv" and said is None
    count = lines.within(CHANNEL, len(rows) + 1) - 1 if by_lines else len(rows)
    count = max(encoded.within(CHANNEL, max(count, 1)), min(len(rows), 1))
    while True:
        facts = {**around, "truncated": count < len(rows), "next_cursor": next_cursor(count)}
        whole = f'{{"rows":[{",".join(encoded.first(count))}],{compact(facts)[1:]}'
        if form == "json":
            block = whole
        elif said is not None:
            block = said
        elif form == "csv":
            block = with_facts("".join(lines.first(count + 1)), facts)
        else:
            block = text(form, fields, rows[:count], facts)
        if max(len(whole), len(block)) <= CHANNEL:
            return Outcome({"rows": rows[:count], **facts}, whole, block), count
        if count <= 1:
            raise CloudtopError("one row alone is longer than a result may be.", "Name the fields you need.")
        by_text = count * CHANNEL // max(len(block), 1)
        count = max(1, min(count - 1, by_text if form == "table" else encoded.without(count, len(whole))))


class _Parts:
    """Texts made one by one, and only as many as somebody needs."""

    def __init__(self, made: Iterator[str]) -> None:
        self._made, self._parts = made, list[str]()

    def within(self, room: int, most: int) -> int:
        """How many of the first ones, at most so many, fit into so many characters."""
        length = 0
        for part in islice(self._made, most):
            self._parts.append(part)
            length += len(part) + 1
            if length > room:
                return len(self._parts) - 1
        return len(self._parts)

    def first(self, count: int) -> list[str]:
        """The first `count` of them."""
        self._parts.extend(islice(self._made, max(0, count - len(self._parts))))
        return self._parts[:count]

    def without(self, count: int, length: int) -> int:
        """How many of the first `count` are left when so many go that the whole fits."""
        while count and length > CHANNEL:
            count -= 1
            length -= len(self._parts[count]) + 1
        return count


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
