"""Every number in prose must be a row's value or a named computation; a sentence with another one goes.

Code renders the tables, so this guards what a model adds. A sentence that names a seller, GPU or region is
held against the rows of that seller, GPU or region only: the right number beside the wrong name is a lie too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\d)[^.!?\n]*)*[.!?\n]?\s*")
NUMBER = re.compile(
    r"(?P<money>US\$|[$€£¥])?\s?(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(?P<unit>%|percent|[KMGTP]?i?B(?:/s)?\b|ms\b|s\b|seconds?\b|°C|W\b|MHz\b|/s\b|h\b|hours?\b|days?\b)?"
    r"(?P<currency>\s*(?:USD|EUR|GBP|euros?|pounds?|dollars?|cents?)\b)?",
    re.IGNORECASE,
)
MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?(?:\s*UTC)?|\b\d{1,2}:\d{2}\b(?:\s*UTC)?"
)
AS_OF = re.compile(r"as of", re.IGNORECASE)
PER_GPU = re.compile(r"per[ -]GPU|/GPU|a GPU", re.IGNORECASE)
FOREIGN = re.compile(r"[€£¥]|\b(?:EUR|GBP|euros?|pounds?)\b", re.IGNORECASE)
NAMES = ("provider", "gpu", "region", "country", "instance_type", "name", "account", "metric")
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


def struck(
    prose: str, rows: Sequence[Mapping[str, Any]], numbers: Iterable[float] = ()
) -> tuple[str, list[str]]:
    """The prose without the sentences that the rows do not bear out, and those sentences.

    `numbers`: figures that are true without a row: those of the question, and named computations.
    """
    kept: list[str] = []
    out: list[str] = []
    free = [float(one) for one in numbers]
    for sentence in (match[0] for match in SENTENCE.finditer(prose) if match[0].strip()):
        (kept if _true(sentence, rows, free) else out).append(sentence)
    return "".join(kept).strip(), [sentence.strip() for sentence in out]


def _true(sentence: str, rows: Sequence[Mapping[str, Any]], free: Sequence[float]) -> bool:
    if FOREIGN.search(sentence):
        return False
    about = _about(sentence, rows)
    if about is None:
        return False
    held = ("as_of", "time") if AS_OF.search(sentence) else ("as_of", "fetched_at", "time")
    if not all(_moment_known(found[0], about, held) for found in MOMENT.finditer(sentence)):
        return False
    rest = _without_names(MOMENT.sub(" ", sentence), rows)
    return all(_number_known(found, rest, about, free) for found in NUMBER.finditer(rest))


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


def _number_known(
    found: re.Match[str], sentence: str, about: Sequence[Mapping[str, Any]], free: Sequence[float]
) -> bool:
    text = found["value"].replace(",", "")
    value, places = float(text), len(text.partition(".")[2])
    unit = (found["unit"] or "").lower()
    if found["money"] or (found["currency"] or "").strip():
        per_gpu = PER_GPU.search(sentence[found.start() : found.end() + 24])
        fields = MONEY_PER_GPU if per_gpu else None
        known = [one for row in about for one in _money(row, fields)]
    elif unit.removesuffix("/s") in UNITS or unit in UNITS:
        known = [one for row in about for one in _measured(row, unit)]
    else:
        known = [float(one) for row in about for one in row.values() if _plain(one)] + [float(len(about))]
    return any(round(one, places) == value for one in [*known, *free])


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
    return any(one.startswith(wanted) or f"T{wanted}" in one for one in known)
