"""The made-up market of vast_market.csv, and what it costs at a moment.

The head of that file says how prices move and what the cells mean; the line `# factor:` there is read here.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TextIO

FILE = Path(__file__).with_name("vast_market.csv")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TEXT = frozenset({"gpu_name", "geolocation", "verification", "cpu_name", "driver_version", "hostname"})
MOVING = ("dph_base", "min_bid")
DECIMALS = 6

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Market:
    """The table as it stands in the file: offers at factor 1, and the factor of each weekday."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    factors: Mapping[str, float]

    def factor(self, moment: datetime) -> float:
        """What the prices of the table are multiplied by at `moment`."""
        return self.factors[WEEKDAYS[moment.astimezone(UTC).weekday()]]

    def at(self, factor: float) -> list[dict[str, Any]]:
        """The rows with their prices times `factor`."""
        return [{**row, **moved(row, factor)} for row in self.rows]


def moved(row: Row, factor: float) -> dict[str, float]:
    """Those prices of `row` that it has, times `factor`."""
    return {name: round(row[name] * factor, DECIMALS) for name in MOVING if row.get(name) is not None}


@cache
def market(file: Path = FILE) -> Market:
    """The market of `file`, read once."""
    lines = file.read_text("utf-8").splitlines()
    head = "\n".join(line for line in lines if line.startswith("#"))
    line = re.search(r"^# factor: (.+)$", head, re.MULTILINE)
    if line is None:
        raise ValueError(f"{file.name} has no line '# factor:'")
    factors = {day: float(factor) for day, factor in (item.split() for item in line[1].split(","))}
    table = csv.DictReader(line for line in lines if not line.startswith("#"))
    rows = tuple(_values(cells) for cells in table)
    return Market(tuple(table.fieldnames or ()), rows, factors)


def _values(cells: Mapping[str, str]) -> Row:
    return {name: _value(name, cell) for name, cell in cells.items() if cell != ""}


def _value(name: str, cell: str) -> Any:
    if cell == "null" or name not in TEXT:
        return json.loads(cell)
    return json.loads('"' + cell.replace('"', '\\"') + '"')


def print_table(out: TextIO, moment: datetime | None) -> None:
    """Write the table as CSV with the prices of `moment`, cells as in the file."""
    market_now = market()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(market_now.columns)
    for row in market_now.at(1.0 if moment is None else market_now.factor(moment)):
        writer.writerow([_cell(row[name]) if name in row else "" for name in market_now.columns])


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    escaped = (json.dumps(letter)[1:-1] if not letter.isprintable() else letter for letter in value)
    return "".join(escaped)
