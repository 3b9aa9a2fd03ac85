"""What inventory.yaml says, read once: roles of phrases, services by cloud, small closed classes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from agent.planner.language import Meaning, Phrases, language
from agent.planner.tokens import words_of
from cloudtop.compiled import load

_FILE = Path(__file__).parent.parent / "inventory.yaml"


@cache
def facts() -> Any:
    """The file as it is."""
    return load(_FILE)


@cache
def set_of(name: str) -> frozenset[str]:
    """One of the small closed classes."""
    return frozenset(str(word) for word in facts()["sets"][name])


def is_plural(text: str) -> bool:
    """Whether a noun speaks of several."""
    return text.endswith("s") and not text.endswith(("ss", "us", "is"))


@cache
def hint(name: str) -> Mapping[str, Any]:
    """One of the small tables."""
    found: Mapping[str, Any] = facts()[name]
    return found


@cache
def spoken() -> Phrases:
    """Phrases with the roles they can play here: this file's, and those it shares with words.yaml."""
    found: dict[tuple[str, ...], list[Meaning]] = {}
    shared = frozenset(facts()["shared"])
    for phrase, meanings in language().phrases.items():
        kept = [one for one in meanings if one.role in shared]
        if kept:
            found[phrase] = kept
    for role, said in facts()["roles"].items():
        for value, words in said.items() if isinstance(said, Mapping) else ((None, said),):
            for word in words:
                phrase = words_of(str(word))
                meaning = Meaning(role, value)
                if meaning not in found.setdefault(phrase, []):
                    found[phrase].append(meaning)
    return {phrase: tuple(meanings) for phrase, meanings in found.items()}
