"""The planner's facts about English, read once: which roles a phrase can play, and plain lists.

Imported late: nothing; `yaml` only where the compiled facts are not kept yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from agent.planner.tokens import words_of
from cloudtop.compiled import load

_HERE = Path(__file__).parent


class Meaning(NamedTuple):
    """One thing a phrase can mean: its role in a sentence, and the value it stands for there."""

    role: str
    value: Any = None


Phrases = dict[tuple[str, ...], tuple[Meaning, ...]]


@dataclass(frozen=True)
class Language:
    """What words.yaml says, by the tuple of tokens that a phrase is."""

    phrases: Mapping[tuple[str, ...], tuple[Meaning, ...]]
    values: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]]
    numbers: Mapping[str, float]
    scales: Mapping[str, float]
    seconds: Mapping[str, int]
    stop: frozenset[str]
    common: frozenset[str]
    hints: Mapping[str, Any]


@cache
def _words() -> Any:
    """words.yaml, read once."""
    return load(_HERE / "words.yaml")


@cache
def language() -> Language:
    """The facts that ship with the planner."""
    facts = _words()
    phrases: dict[tuple[str, ...], list[Meaning]] = {}
    for role, said in facts["roles"].items():
        for value, words in _valued(said):
            for word in words:
                phrases.setdefault(words_of(str(word)), []).append(Meaning(role, value))
    for word in facts["purposes"]:
        phrases.setdefault(words_of(str(word)), []).append(Meaning("purpose", word))
    return Language(
        phrases={phrase: tuple(meanings) for phrase, meanings in phrases.items()},
        values={
            argument: {str(value): tuple(words_of(str(w)) for w in words) for value, words in values.items()}
            for argument, values in facts["values"].items()
        },
        numbers={word: float(n) for word, n in facts["numbers"].items()},
        scales={word: float(n) for word, n in facts["scales"].items()},
        seconds=facts["seconds"],
        stop=frozenset(word for said in facts["stop"] for word in words_of(str(said))),
        common=frozenset(facts["common"]),
        hints=facts["hints"],
    )


def _valued(said: Any) -> Iterator[tuple[Any, list[Any]]]:
    """A role is a list of phrases, or lists by value."""
    if isinstance(said, list):
        yield None, said
    else:
        yield from said.items()


@cache
def everyday() -> frozenset[str]:
    """Words that everybody uses, and that say nothing by themselves."""
    return language().stop | language().common


@cache
def guard_facts() -> Any:
    """What guard.yaml says."""
    return load(_HERE / "guard.yaml")


@cache
def later_subjects() -> dict[str, Any]:
    """What later.yaml says: subjects of tools that may not be there yet."""
    found: dict[str, Any] = load(_HERE / "later.yaml")
    return found


@cache
def word_set(name: str) -> frozenset[str]:
    """One of the small closed classes of words.yaml."""
    return frozenset(str(word) for word in _words()["sets"][name])
