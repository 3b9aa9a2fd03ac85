"""Completion: what a half-typed GPU, region, provider, tag, name or time could become. No cloud is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from cloudtop.gpu_catalogue import squash

MOST = 100
"""How many values one answer may hold."""

LONGEST = 300
"""Characters that are completed: a list with commas comes back a hundred times."""

_TIMES = ("last_24h", "last_7d", "last_30d", "this_week", "this_month", "last_week", "last_month", "today")

_LISTS = ("gpu", "provider", "region", "tag", "name")
"""Kinds of which an argument may hold several."""

Choice = tuple[str, tuple[str, ...]]
"""A value, and the spellings it is found by."""

Standing = Callable[[], Sequence[Mapping[str, Any]]]
Words = Callable[[], Mapping[str, Any]]


class Completion:
    """`providers`: the rows of list_providers as of now; `lexicon`: the live words of the server."""

    def __init__(self, providers: Standing, lexicon: Words) -> None:
        self._providers, self._lexicon = providers, lexicon

    def of(self, kind: str | None, typed: str) -> dict[str, Any]:
        """The completions of `typed`, the likeliest first; of a list with commas, those of its last part."""
        if len(typed) > LONGEST:
            return {"values": [], "total": 0, "hasMore": False}
        before, comma, last = typed.rpartition(",") if kind in _LISTS else ("", "", typed)
        chosen = {squash(one) for one in before.split(",")}
        found = [one for one in _fitting(self._choices(kind), last) if squash(one) not in chosen]
        values = [f"{before}{comma}{one}" for one in found[:MOST]]
        return {"values": values, "total": len(found), "hasMore": len(found) > MOST}

    def _choices(self, kind: str | None) -> Iterable[Choice]:
        if kind == "gpu":
            return _gpus()
        if kind == "region":
            return _regions()
        if kind == "time":
            return [(one, (one,)) for one in _TIMES]
        if kind == "provider":
            return self._sellers()
        if kind == "name":
            return [(one, (one,)) for one in self._lexicon().get("names", ())]
        if kind == "tag":
            return self._tags()
        return ()

    def _tags(self) -> list[Choice]:
        known = dict(self._lexicon().get("tags") or {})
        pairs = (f"{key}={value}" for key, values in known.items() for value in values)
        return [(one, (one,)) for one in pairs]

    def _sellers(self) -> list[Choice]:
        """Those that can be asked now come first."""
        rows = sorted(self._providers(), key=lambda row: not row.get("configured"))
        return [(str(row["provider"]), (str(row["provider"]), str(row.get("title") or ""))) for row in rows]


def _fitting(choices: Iterable[Choice], typed: str) -> list[str]:
    """Values that begin with what was typed, then those that hold it."""
    wanted = squash(typed)
    if not wanted:
        return list(dict.fromkeys(value for value, _ in choices))
    first: dict[str, None] = {}
    then: dict[str, None] = {}
    for value, spellings in choices:
        squashed = [squash(one) for one in spellings]
        if any(one.startswith(wanted) for one in squashed):
            first[value] = None
        elif any(wanted in one for one in squashed):
            then[value] = None
    return list({**first, **then})


@cache
def _gpus() -> tuple[Choice, ...]:
    from cloudtop.gpus import catalogue

    return tuple((gpu.name, (gpu.name, gpu.title, *gpu.words)) for gpu in catalogue().gpus.values())


@cache
def _regions() -> tuple[Choice, ...]:
    """Areas, countries, cities and states, each once by its usual name; then the ids of all clouds."""
    from cloudtop.regions import known_ids, known_words, label

    spellings: dict[str, list[str]] = {}
    for word, meant in known_words().items():
        spellings.setdefault(meant, []).append(word)
    named = {}
    for meant, words in spellings.items():
        usual = label(meant).lower()
        named[usual if usual in words else words[0]] = tuple(words)
    ids = {one: (one,) for one in sorted(known_ids())}
    return tuple({**named, **ids}.items())
