"""The fields of the rows that compare_gpu_prices gives, and by which of them it sorts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudtop.errors import ArgumentError
from cloudtop.store.offers import ROW_KEYS
from cloudtop.store.points import POINT_KEYS

if TYPE_CHECKING:
    from cloudtop.times import Interval

_BESIDE = {"usd_per_hour": ("usd_per_hour", "usd_total"), "source_url": ("source", "source_url")}
FIELDS = tuple(field for name in ROW_KEYS for field in _BESIDE.get(name, (name,)))
"""The fields of an offer, in the order in which they are given."""

POINT_FIELDS = ("provider", "account", *POINT_KEYS[1:], "source", "fetched_at")
GROUP_SORTS = ("price", "group", "count", "min", "median")
NO_SORTS = ("source", "account", "spot", "fetched_at")
"""Fields by which points of the past are not sorted; offers only lack the first two."""


def sort_of(text: str | None, group_by: str | None, interval: Interval | None) -> tuple[str, bool]:
    """(field or "price", descending) out of the ways in which people write it."""
    return sort_in(text or "price_asc", _sort_fields(group_by, interval), "time" if interval else "as_of")


def sort_in(text: str, known: tuple[str, ...], age: str) -> tuple[str, bool]:
    """The same among the fields `known`; by `age` rows are told to be old or new."""
    word = text.strip()
    if word in ("oldest", "newest"):
        name, descending = age, word == "newest"
    elif word.startswith("-"):
        name, descending = word[1:], True
    elif word in ("asc", "desc"):
        name, descending = "price", word == "desc"
    else:
        name, descending = word, word.endswith("_desc")
        name = name.removesuffix("_desc").removesuffix("_asc")
    name = "price" if name == "cost" else name
    if name not in known:
        from cloudtop.text import nearest

        near = next(iter(nearest(name, known, 1)), None)
        ages = "oldest, newest; " if age in known else ""
        fields = ", ".join(known)
        accepted = f"price_asc, price_desc, <field>_asc, <field>_desc, {ages}fields: {fields}"
        said = "these rows have no age" if name == age else f"{name!r} is no field of a row"
        raise ArgumentError("sort", said, accepted, near)
    return name, descending


def _sort_fields(group_by: str | None, interval: Interval | None) -> tuple[str, ...]:
    if interval:
        return ("price", *(name for name in POINT_FIELDS if name not in NO_SORTS))
    if group_by:
        return GROUP_SORTS
    return ("price", *(name for name in FIELDS if name not in NO_SORTS[:2]))
