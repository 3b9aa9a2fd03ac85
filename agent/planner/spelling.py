"""Typing mistakes in plain words. A word with a digit is never corrected, nothing becomes a write verb.

Imported late: rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import replace

from agent.planner.tokens import Token

_ENOUGH = 0.82
_SHORTEST = 5


def corrected(
    tokens: list[Token],
    known: Container[str],
    vocabulary: Mapping[str, tuple[str, ...]],
    never: Collection[str],
) -> tuple[list[Token], tuple[tuple[str, str], ...]]:
    """The tokens with typing mistakes mended, and what was read as what."""
    mended: list[Token] = []
    changes: list[tuple[str, str]] = []
    for token in tokens:
        word = token.text
        better = None
        if token.kind == "word" and len(word) >= _SHORTEST and word.isalpha() and word not in known:
            better = nearest_word(word, vocabulary, never)
        if better is None:
            mended.append(token)
        else:
            changes.append((word, better))
            mended.append(replace(token, text=better))
    return mended, tuple(changes)


def nearest_word(word: str, vocabulary: Mapping[str, tuple[str, ...]], never: Collection[str]) -> str | None:
    """The one word that was meant: two letters swapped, or close enough with the same first letter."""
    for at in range(len(word) - 1):
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if swapped in vocabulary.get(swapped[0], ()) and swapped not in never:
            return swapped
    group = vocabulary.get(word[0])
    if not group or not word.isascii():
        return None
    from rapidfuzz.distance import DamerauLevenshtein
    from rapidfuzz.process import extractOne

    close = [other for other in group if abs(len(other) - len(word)) <= 2 and other not in never]
    found = extractOne(word, close, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=_ENOUGH)
    return str(found[0]) if found else None
