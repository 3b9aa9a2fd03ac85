"""The numbers of one sentence, held against the rows that it speaks of: prices, units, counts, sums."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NUMBER = re.compile(
    r"(?P<money>US\$|[$€£¥])?\s?(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<scale>[km](?![a-z]))?\s*(?P<unit>%|percent|[KMGTP]?i?B(?:/s)?\b|ms\b|s\b|seconds?\b|°C|W\b|MHz\b|/s\b|h\b|hours?\b|days?\b)?"
    r"(?P<currency>\s*(?:USD|EUR|GBP|euros?|pounds?|dollars?|cents?)\b)?",
    re.IGNORECASE,
)
PER_GPU = re.compile(r"per[ -]GPU|/GPU|a GPU", re.IGNORECASE)
COUNTED = re.compile(
    r"\s*(?:\w+ ){0,3}?(?P<noun>offers?|instances?|resources?|rows?|machines?|databases?|buckets?|volumes?"
    r"|disks?|clusters?|pods?|functions?|snapshots?|images?|results?|matches|items?|vms?|servers?|checks?"
    r"|connections?|of (?:them|these|those))\b",
    re.IGNORECASE,
)
DIFFERENT = {
    "provider": "provider",
    "seller": "provider",
    "cloud": "provider",
    "account": "account",
    "region": "region",
}
"""Nouns that count the different values of a column."""
OF_A_ROW = {"gpu": ("gpu_count",), "vcpu": ("vcpus",), "core": ("vcpus",), "node": ("node_count", "count")}
"""Nouns that count what a row has, and the columns that say it."""
OWN_NOUN = re.compile(rf"\s*(?:\w+ )?(?P<noun>{'|'.join([*DIFFERENT, *OF_A_ROW])})s?\b", re.IGNORECASE)
ASKED = re.compile(
    r"(?:below|under|over|above|than|most|least|up to|within|last|past|for|exceed\w*)\s*$",
    re.IGNORECASE,
)
"""Before a number that the question gave, where a sentence repeats its condition."""
EXTREME = {
    re.compile(r"\b(?:cheapest|lowest|least expensive)\b", re.IGNORECASE): min,
    re.compile(r"\b(?:most expensive|dearest|priciest|highest price)\b", re.IGNORECASE): max,
}
STATES = ("status", "type")
STOOD = ("min", "median", "max", "first", "last")
MONEY_PER_GPU = ("usd_per_gpu_hour", "usd_per_gpu_hour_min", "usd_per_gpu_hour_median", *STOOD)
SHARES = ("percentile_", "cheaper_than_", "delta_percent")
MEMORY = ("gpu_memory_gib", "ram_gib")
MEASURED = ("value", "newest", "avg", "min", "max")
UNITS = {
    **{f"{prefix}ib": ("bytes", 1024.0**power) for power, prefix in enumerate("kmgtp", start=1)},
    **{f"{prefix}b": ("bytes", 1000.0**power) for power, prefix in enumerate("kmgtp", start=1)},
    "b": ("bytes", 1.0),
    "%": ("percent", 1.0),
    "percent": ("percent", 1.0),
    "ms": ("milliseconds", 1.0),
    "s": ("milliseconds", 1000.0),
    "second": ("milliseconds", 1000.0),
    "seconds": ("milliseconds", 1000.0),
    "°c": ("celsius", 1.0),
    "w": ("watts", 1.0),
    "mhz": ("MHz", 1.0),
    "/s": ("per second", 1.0),
}
"""How prose writes a unit: the unit of the rows, and how many of it make one."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of one result, and how many there are: more where it was cut, None where nobody counted."""

    rows: Sequence[Mapping[str, Any]]
    total: int | None
    sums: Mapping[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether nothing was cut off."""
        return self.total == len(self.rows)


def folded(text: str) -> str:
    """Text in lower case with single spaces in place of signs, so that names are found as whole words."""
    return f" {re.sub(r'[^a-z0-9.]+', ' ', text.lower().replace('. ', ' ')).strip(' .')} "


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence: its words without names, the rows it speaks of, in all and list by list."""

    text: str
    about: Sequence[Mapping[str, Any]]
    lists: Sequence[Listed]
    free: Sequence[float]
    asked: Sequence[float]

    def bears_out(self, found: re.Match[str]) -> bool:
        """Whether a number in it is one that may be said."""
        value, places = _value(found)
        if value in self.asked and ASKED.search(self.text[: found.start()]):
            return True
        return any(round(one, places) == value for one in [*self._known(found), *self.free])

    def _known(self, found: re.Match[str]) -> list[float]:
        """What a number in this place may be."""
        unit = (found["unit"] or "").lower()
        if found["money"] or (found["currency"] or "").strip():
            return self._money(found)
        if unit.removesuffix("/s") in UNITS or unit in UNITS:
            measured = [one for row in self.about for one in _measured(row, unit)]
            return measured + [one for made in self.lists for one in _measured(made.sums, unit)]
        if COUNTED.match(self.text, found.end()):
            return self._counts(folded(NUMBER.split(self.text[found.end() :], maxsplit=1)[0]))
        if own := OWN_NOUN.match(self.text, found.end()):
            return self._own_counts(own["noun"].lower())
        plain = [float(one) for row in self.about for one in row.values() if _plain(one)]
        plain += [one for made in self.lists for one in made.sums.values()]
        return plain + [float(one.total) for one in self.lists if one.total is not None]

    def _money(self, found: re.Match[str]) -> list[float]:
        """Prices of the rows; where the cheapest or dearest is spoken of, that one alone; sums."""
        per_gpu = PER_GPU.search(self.text[found.start() : found.end() + 24])
        fields = MONEY_PER_GPU if per_gpu else None
        known = [one for row in self.about for one in _money(row, fields)]
        extreme = next((pick for words, pick in EXTREME.items() if words.search(self.text)), None)
        if extreme and per_gpu and known:
            return [extreme(known)]
        return known + [made.sums["usd_per_hour"] for made in self.lists if "usd_per_hour" in made.sums]

    def _counts(self, said: str) -> list[float]:
        """How many rows it may say there are: of a list that was cut only what the tool counted.

        `said`: what follows the number; a state in it narrows the rows.
        """
        states = {str(row[one]) for row in self.about for one in STATES if row.get(one)}
        meant = {one for one in states if f" {one.replace('_', ' ')} " in said}
        known = [float(row[one]) for row in self.about for one in ("count", "offers") if _plain(row.get(one))]
        for made in [*self.lists, *self._together()]:
            some = [row for row in made.rows if not meant or any(row.get(one) in meant for one in STATES)]
            if made.whole:
                known.append(float(len(some)))
            elif made.total is not None and not meant:
                known.append(float(made.total))
        return known

    def _together(self) -> list[Listed]:
        """All lists as one, where none was cut."""
        whole = all(one.whole for one in self.lists)
        return [Listed(self.about, len(self.about))] if whole else []

    def _own_counts(self, noun: str) -> list[float]:
        """How many different ones there are, or how many a row has."""
        if noun in DIFFERENT:
            rows = [one.rows for one in [*self.lists, *self._together()] if one.whole]
            return [float(len({row.get(DIFFERENT[noun]) for row in some} - {None})) for some in rows]
        each = [float(row[one]) for row in self.about for one in OF_A_ROW[noun] if _plain(row.get(one))]
        each += [made.sums[one] for made in self.lists for one in OF_A_ROW[noun] if one in made.sums]
        if noun != "gpu":
            return each
        inside = [float(sum(one.get("count") or 0 for one in row.get("gpus") or ())) for row in self.about]
        return [*each, *inside, sum(inside)] if self._together() else [*each, *inside]


def _value(found: re.Match[str]) -> tuple[float, int]:
    """The number and the decimal places it is given with: 3.2k is 3,200, given to the hundred."""
    text = found["value"].replace(",", "")
    power = {"k": 3, "m": 6}.get((found["scale"] or "").lower(), 0)
    return float(text) * 10**power, len(text.partition(".")[2]) - power


def _measured(row: Mapping[str, Any], unit: str) -> Iterator[float]:
    """What a row says in a unit: its measurements, its sizes, its shares."""
    held, one = UNITS.get(unit) or UNITS[unit.removesuffix("/s")]
    if row.get("unit") == (f"{held} per second" if unit.endswith("b/s") else held):
        yield from (float(row[name]) / one for name in MEASURED if _plain(row.get(name)))
    if held == "bytes" and _plain(row.get("size_bytes")):
        yield float(row["size_bytes"]) / one
    if unit in ("gib", "gb"):
        yield from (float(row[name]) for name in (*MEMORY, "size_gb") if row.get(name) is not None)
    if held == "percent":
        yield from (float(row[name]) * 100 for name in ("reliability",) if row.get(name) is not None)
        yield from (abs(float(row[name])) for name in row if name.startswith(SHARES) and row[name])


def _money(row: Mapping[str, Any], fields: Sequence[str] | None) -> list[float]:
    names = fields or [name for name in row if name.startswith("usd") or name in STOOD]
    return [float(row[name]) for name in names if row.get(name) is not None]


def _plain(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
