"""Every number in prose must be a row's value or a named computation; a sentence with another one goes.

Code renders the tables, so this guards what a model adds. A sentence that names a seller, GPU or region is
held against the rows of that seller, GPU or region only: the right number beside the wrong name is a lie too.
So are a count of a list that was cut, a cheapest that is not, and a sum that code did not make.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.planner.guard import injected
from agent.planner.tokens import words_of
from agent.rows import sums, total
from agent.spelled import in_figures

SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\S)[^.!?\n]*)*[.!?\n]?\s*")
NUMBER = re.compile(
    r"(?P<money>US\$|[$€£¥])?\s?(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<scale>[km](?![a-z]))?\s*(?P<unit>%|percent|[KMGTP]?i?B(?:/s)?\b|ms\b|s\b|seconds?\b|°C|W\b|MHz\b|/s\b|h\b|hours?\b|days?\b)?"
    r"(?P<currency>\s*(?:USD|EUR|GBP|euros?|pounds?|dollars?|cents?)\b)?",
    re.IGNORECASE,
)
MOMENT = re.compile(
    r"(?:\d{4}-|--)\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?(?:\s*UTC)?|\b\d{1,2}:\d{2}\b(?:\s*UTC)?"
)
AS_OF = re.compile(r"as of", re.IGNORECASE)
PER_GPU = re.compile(r"per[ -]GPU|/GPU|a GPU", re.IGNORECASE)
FOREIGN = re.compile(r"[€£¥]|\b(?:EUR|GBP|euros?|pounds?)\b", re.IGNORECASE)
LINK = re.compile(r"https?:|www\.|\]\(|<[a-z!/]", re.IGNORECASE)
RECKONED = re.compile(r"\b(?:twice|thrice|doubl\w+|tripl\w+|halv\w+|half|a third|tenfold)\b", re.IGNORECASE)
"""Words for a computation that nobody made."""
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
NAMES = ("provider", "gpu", "region", "country", "instance_type", "name", "account", "metric")
TIMES = ("as_of", "fetched_at", "time", "created_at", "checked_at", "from", "to")
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sentence is held against: lists, named computations, the numbers of the question."""

    lists: Sequence[Listed]
    free: Sequence[float] = ()
    asked: Sequence[float] = ()

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """All rows of all lists."""
        return [row for one in self.lists for row in one.rows]


def traced(prose: str, results: Sequence[Mapping[str, Any]], question: str) -> tuple[str, list[str]]:
    """`struck` for what tools returned: cut lists are known as such, sums are code's."""
    asked = [float(found["value"].replace(",", "")) for found in NUMBER.finditer(in_figures(question))]
    lists = [Listed(one["rows"], total(one), sums(one)) for one in results]
    return _sorted_out(prose, Evidence(lists, (), asked))


def struck(
    prose: str, rows: Sequence[Mapping[str, Any]], numbers: Iterable[float] = ()
) -> tuple[str, list[str]]:
    """The prose without the sentences that the rows do not bear out, and those sentences.

    `numbers`: figures that are true without a row: named computations.
    """
    return _sorted_out(prose, Evidence([Listed(rows, len(rows))], [float(one) for one in numbers]))


def _sorted_out(prose: str, held: Evidence) -> tuple[str, list[str]]:
    kept: list[str] = []
    out: list[str] = []
    for sentence in (match[0] for match in SENTENCE.finditer(prose) if match[0].strip()):
        (kept if _true(sentence, held) else out).append(sentence)
    return "".join(kept).strip(), [sentence.strip() for sentence in out]


def _true(sentence: str, held: Evidence) -> bool:
    if LINK.search(sentence) or injected(words_of(sentence)):
        return False
    sentence = in_figures(sentence)
    if FOREIGN.search(sentence) or RECKONED.search(sentence):
        return False
    rows = held.rows
    about = _about(sentence, rows)
    if about is None:
        return False
    fields = ("as_of", "time") if AS_OF.search(sentence) else TIMES
    if not all(_moment_known(found[0], about, fields) for found in MOMENT.finditer(sentence)):
        return False
    narrowed = {id(row) for row in about} if len(about) < len(rows) else None
    rest = _without_names(MOMENT.sub(" ", sentence), rows)
    spoken = _Spoken(rest, about, [_narrowed(one, narrowed) for one in held.lists], held)
    return all(spoken.bears_out(found) for found in NUMBER.finditer(rest))


def _narrowed(one: Listed, names: Container[int] | None) -> Listed:
    """The part of a list that a sentence speaks of. How long that is nobody knows where the list was cut."""
    if names is None:
        return one
    rows = [row for row in one.rows if id(row) in names]
    return Listed(rows, len(rows) if one.whole else None)


def _about(sentence: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
    """The rows a sentence speaks of: those that carry every name it mentions. None: no row has all."""
    said = _folded(sentence)
    left = list(rows)
    for name in NAMES:
        mentioned = {
            value for row in rows if isinstance(value := row.get(name), str) and _mentions(said, value)
        }
        if mentioned:
            left = [row for row in left if row.get(name) in mentioned]
    return left if left or not rows else None


def _mentions(said: str, value: str) -> bool:
    return len(value) > 2 and f" {_folded(value).strip()} " in said


def _folded(text: str) -> str:
    return f" {re.sub(r'[^a-z0-9.]+', ' ', text.lower().replace('. ', ' ')).strip(' .')} "


def _without_names(sentence: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The sentence with all names taken out: the 100 of A100 is no figure."""
    names = {str(row[name]) for row in rows for name in (*NAMES, "gpu_raw", "offer_id") if row.get(name)}
    for name in sorted(names, key=len, reverse=True):
        sentence = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w])", " ", sentence, flags=re.IGNORECASE)
    return re.sub(r"\b[A-Za-z]+[-_]?\d+[A-Za-z]*\b", " ", sentence)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One sentence: its words without names, the rows it speaks of, in all and list by list."""

    text: str
    about: Sequence[Mapping[str, Any]]
    lists: Sequence[Listed]
    held: Evidence

    def bears_out(self, found: re.Match[str]) -> bool:
        """Whether a number in it is one that may be said."""
        value, places = _value(found)
        if value in self.held.asked and ASKED.search(self.text[: found.start()]):
            return True
        return any(round(one, places) == value for one in [*self._known(found), *self.held.free])

    def _known(self, found: re.Match[str]) -> list[float]:
        """What a number in this place may be."""
        unit = (found["unit"] or "").lower()
        if found["money"] or (found["currency"] or "").strip():
            return self._money(found)
        if unit.removesuffix("/s") in UNITS or unit in UNITS:
            measured = [one for row in self.about for one in _measured(row, unit)]
            return measured + [one for made in self.lists for one in _measured(made.sums, unit)]
        if COUNTED.match(self.text, found.end()):
            return self._counts(_folded(NUMBER.split(self.text[found.end() :], maxsplit=1)[0]))
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


def _moment_known(text: str, about: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> bool:
    wanted = text.replace("UTC", "").strip().replace(" ", "T")
    known = [str(row[name]) for row in about for name in fields if row.get(name)]
    if wanted.startswith("--"):
        return any(one[5:].startswith(wanted[2:]) for one in known)
    return any(one.startswith(wanted) or f"T{wanted}" in one for one in known)
