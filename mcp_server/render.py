"""The text block of a result: csv, json or an aligned table, with everything the structured content says.

csv and table are the rows, an empty line, then one line per other fact: `name: JSON`. An empty csv cell and
a `-` in a table are null.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cloudtop.text import csv_safe

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def compact(value: Any) -> str:
    """JSON without blanks; every character as it is; NaN is a mistake of ours and raises ValueError."""
    return _ENCODER.encode(value)


def text(form: str, fields: Sequence[str], rows: Sequence[Mapping[str, Any]], rest: Mapping[str, Any]) -> str:
    """The text block in csv or as a table; `rest` is the structured content without its rows."""
    return with_facts(_table(fields, rows) if form == "table" else "".join(csv_lines(fields, rows)), rest)


def with_facts(body: str, rest: Mapping[str, Any]) -> str:
    """Rows as text, and below them a line for each other fact."""
    facts = "\n".join(f"{name}: {compact(value)}" for name, value in rest.items())
    return f"{body}\n{facts}\n"


def csv_lines(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of the csv, the header first, each with its end."""
    written: list[str] = []
    writer = csv.writer(_Sink(written), lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        yield written.pop()
        writer.writerow([(_CELL.get(type(value)) or compact)(value) for value in map(row.get, fields)])
    yield written.pop()


class _Sink:
    """What csv writes into: it calls `write` once for a line."""

    def __init__(self, written: list[str]) -> None:
        self.write = written.append


def _text_cell(value: str) -> object:
    """Text that no spreadsheet takes for a formula; most begins with a letter or digit and is none."""
    return value if value[:1].isalnum() else csv_safe(value)


def _as_it_is(value: Any) -> Any:
    """What the writer spells as JSON does: numbers; null it leaves empty."""
    return value


_CELL: dict[type, Callable[[Any], Any]] = {
    str: _text_cell,
    int: _as_it_is,
    float: _as_it_is,
    type(None): _as_it_is,
}


def _table(fields: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Aligned columns; a column that is null in every row is named below instead of shown."""
    shown = [name for name in fields if not rows or any(row.get(name) is not None for row in rows)]
    grid = [list(shown), *([_word(row.get(name)) for name in shown] for row in rows)]
    widths = [max(len(line[at]) for line in grid) for at in range(len(shown))]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in grid]
    unknown = [name for name in fields if name not in shown]
    if unknown:
        lines += ["", f"unknown in every row: {', '.join(unknown)}"]
    return "\n".join(lines) + "\n"


def _word(value: Any) -> str:
    """A value in one line of a table; what could be taken for null or a column's end is quoted."""
    if isinstance(value, str):
        plain = value != "-" and "  " not in value and value.isprintable() and value.strip() == value != ""
        return value if plain else compact(value)
    return "-" if value is None else compact(value)
