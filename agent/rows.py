"""What code does with rows of resources and measurements: conditions, sums, joins, comparisons."""

from __future__ import annotations

import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase as fnmatch
from typing import Any

from cloudtop.regions import place, wanted
from cloudtop.sellers import seller_id

Row = Mapping[str, Any]
COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
}

ADDITIVE = ("usd_per_hour", "vcpus", "ram_gib", "size_gb", "size_bytes", "node_count", "count")
"""Columns that may be added up over different resources."""


def told(row: Row, field: str) -> Any:
    """A field of a row, also one that lies deeper: `tags.owner`, `gpu_count`, `gpu`."""
    if field == "size_gb" and row.get("size_gb") is None and row.get("size_bytes") is not None:
        return row["size_bytes"] / 1e9
    if field in row:
        return row[field]
    if field.startswith("tags."):
        tags = {str(key).lower(): value for key, value in (row.get("tags") or {}).items()}
        return tags.get(field[5:].lower())
    if field == "type" and row.get("uid"):
        return str(row["uid"]).split(":")[3]
    gpus = row.get("gpus") or []
    if field == "gpu_count":
        return sum(one.get("count") or 0 for one in gpus)
    if field == "gpu_memory_gib":
        return max((one["memory_gib"] for one in gpus if one.get("memory_gib")), default=None)
    return [one.get("gpu") for one in gpus] if field == "gpu" else None


def meets(row: Row, field: str, op: str, value: Any) -> bool | None:
    """Whether a row meets one condition; None where it does not tell."""
    held = told(row, field)
    if op == "known":
        return (held not in (None, "", [])) == bool(value)
    if op == "ne":
        return not _is(row, field, held, value)
    if op == "has_not":
        return not _has(held, str(value).lower())
    if held is None:
        return None
    if op == "of":
        return f"{held}.".startswith(f"{value}.")
    if field == "version":
        return _compared(str(held), str(value), COMPARES[op])
    return COMPARES[op](held, value)


def _has(held: Any, part: str) -> bool:
    """Whether a name has a part in it, or a tag is called so, or is that."""
    if isinstance(held, Mapping):
        return any(part == str(word).lower() for pair in held.items() for word in pair)
    name = str(held or "").lower()
    return fnmatch(name, part) if "*" in part else part in name


def _compared(held: str, value: str, compare: Callable[[Any, Any], bool]) -> bool | None:
    """Versions, number by number as far as the asked one goes: 1.9 is before 1.28."""
    wanted = [int(part) for part in re.findall(r"\d+", value)]
    found = [int(part) for part in re.findall(r"\d+", held)][: len(wanted)]
    return compare(found, wanted) if found and wanted else None


def _is(row: Row, field: str, held: Any, value: Any) -> bool:
    """The same, however it is spelled."""
    if field == "provider":
        return str(held) == seller_id(str(value))
    if field == "region":
        return wanted(str(value)).matches(place(str(row.get("provider")), row.get("region"), None).places)
    if isinstance(held, list):
        return value in held
    return str(held).lower() == str(value).lower()


def filtered(rows: Sequence[Row], where: Sequence[Sequence[Any]]) -> tuple[list[Row], int]:
    """The rows that meet all conditions, and how many do not tell what was asked."""
    kept, untold = [], 0
    for row in rows:
        met = [meets(row, str(field), str(op), value) for field, op, value in where]
        if all(met):
            kept.append(row)
        elif None in met and False not in met:
            untold += 1
    return kept, untold


def summed(rows: Sequence[Row], field: str) -> dict[str, Any]:
    """The sum of a field over the rows that tell it, and how many do not."""
    known = [float(value) for row in rows if (value := told(row, field)) is not None]
    return {
        "field": field,
        "value": sum(known) if known else None,
        "count": len(known),
        "untold": len(rows) - len(known),
    }


def joined(rows: Sequence[Row], others: Sequence[Row], field: str) -> tuple[list[Row], dict[str, Any]]:
    """Each row with a field of the resource it is of, and the sum of that field over the resources."""
    by_uid = {str(one["uid"]): one for one in others if one.get("uid")}
    made: list[Row] = [{**row, field: told(by_uid.get(str(row.get("uid")), {}), field)} for row in rows]
    once = {str(row.get("uid")): row for row in made}
    return made, summed(list(once.values()), field)


def grouped(
    rows: Sequence[Row], by: Sequence[str], sort: str | None = None, field: str | None = None
) -> list[Row]:
    """{group, count, usd_per_hour} of each value of `by`, and `field` added up; the largest first."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(_side(row, one) for one in by), []).append(row)
    made: list[Row] = []
    for key, some in found.items():
        names = ["none" if one is None else str(one) for one in key]
        added = {name: summed(some, name)["value"] for name in ("usd_per_hour", field) if name}
        made.append({"group": ", ".join(names) if len(by) > 1 else key[0], "count": len(some), **added})
    name, _, way = (sort or f"{field or 'count'}_desc").rpartition("_")
    made.sort(key=lambda one: str(one["group"]))
    known = [one for one in made if one.get(name) is not None]
    known.sort(key=lambda one: one[name], reverse=way == "desc")
    return [*known, *(one for one in made if one.get(name) is None)]


def _side(row: Row, by: str) -> Any:
    held = told(row, f"tags.{by[4:]}" if by.startswith("tag:") else by)
    return (held[0] if held else None) if isinstance(held, list) else held


def agreeing(sides: Sequence[Sequence[Row]], *, all_of_them: bool) -> list[Row]:
    """The rows of the resources that every side has (or any of them), a resource's rows together."""
    sets = [{row["uid"] for row in side} for side in sides]
    kept = set.intersection(*sets) if all_of_them else set.union(*sets)
    rows = [row for side in sides for row in side if row["uid"] in kept]
    return sorted(rows, key=lambda row: (str(row.get("name") or ""), str(row["uid"])))


def sides_of(sides: Sequence[tuple[Any, Sequence[Row], int]]) -> list[Row]:
    """One line for each side of a comparison: how many rows, and the mean of what was measured."""
    lines: list[Row] = []
    for label, rows, total in sides:
        values = [float(row["value"]) for row in rows if row.get("value") is not None]
        grouped = bool(rows) and "group" in rows[0]
        lines.append(
            {
                "side": label,
                "count": sum(int(row.get("count") or 0) for row in rows) if grouped else total,
                "value": statistics.fmean(values) if values else None,
                "unit": rows[0].get("unit") if values else None,
            }
        )
    return lines


def share(some: Mapping[str, Any], whole: Mapping[str, Any] | None) -> tuple[dict[str, Any], list[Row]]:
    """Figures over all (`count`, `of`, `percent`), and a line for each group with the largest part first.

    Each group is part of the same one of `whole`, or of all groups where there is none. `percent` is None
    where there is nothing to be a part of.
    """
    if whole is not None and not any("group" in row for row in whole["rows"]):
        return _part(total(some) or 0, total(whole) or 0), []
    counts = {row["group"]: int(row["count"]) for row in some["rows"]}
    every = sum(counts.values())
    of = {row["group"]: int(row["count"]) for row in whole["rows"]} if whole else dict.fromkeys(counts, every)
    lines: list[Row] = [{"group": name, **_part(counts.get(name, 0), size)} for name, size in of.items()]
    lines.sort(key=lambda line: (-line["percent"], -line["of"]))
    return _part(every, sum(of.values()) if whole else every), lines


def _part(count: int, of: int) -> dict[str, Any]:
    return {"count": count, "of": of, "percent": round(100 * count / of, 1) if of else None}


def total(result: Mapping[str, Any]) -> int | None:
    """How many rows there are; None where nobody counted what was cut off."""
    if result.get("total") is not None:
        return int(result["total"])
    return None if result.get("truncated") or result.get("next_cursor") else len(result["rows"])


def sums(result: Mapping[str, Any]) -> dict[str, float]:
    """Columns of resources added up, where all rows are there and tell them."""
    rows: Sequence[Row] = result["rows"]
    if len(rows) < 2 or total(result) != len(rows) or not all("uid" in one or "group" in one for one in rows):
        return {}
    added = {name: [one.get(name) for one in rows] for name in ADDITIVE}
    return {
        name: round(sum(float(one) for one in values if one is not None), 6)
        for name, values in added.items()
        if all(isinstance(one, int | float) for one in values)
    }
