"""What the records of all clouds have in common: any field of them may be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
NAME = re.compile(r"[^\s=]+")


def inner(record: Any, *path: str) -> Any:
    """What lies at `path` in a record; None where a part of the way is missing."""
    found = record
    for name in path:
        # Nearly all are dicts, or missing, and that is known in a third of the time.
        if found is None:
            return None
        found = found.get(name) if type(found) is dict or isinstance(found, Mapping) else None
    return found


def each(record: Any, *path: str) -> list[Record]:
    """The records in the list at `path` of a record."""
    found = inner(record, *path)
    if not isinstance(found, list):
        return []
    return [one for one in found if type(one) is dict or isinstance(one, Mapping)]


def lot(kind: str, /, *words: str, **amounts: float | None) -> str | None:
    """What a machine is priced as: its type, how it is rented, and how much of each part it has.

    None where an amount is not known, or a name is none. `lot_of` reads it again.
    """
    told = [f"{name}={value:.9g}" for name, value in amounts.items() if value is not None]
    named = all(NAME.fullmatch(name) for name in (kind, *words, *amounts))
    return " ".join((kind, *words, *told)) if named and len(told) == len(amounts) else None


def lot_of(text: str) -> tuple[str, frozenset[str], dict[str, float]]:
    """The type, the words and the amounts of a lot."""
    kind, *rest = text.split(" ")
    amounts = {one.partition("=")[0]: float(one.partition("=")[2]) for one in rest if "=" in one}
    return kind, frozenset(one for one in rest if "=" not in one), amounts


def told(**facts: Any) -> dict[str, object]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value or value not in (None, "", [], {})}
