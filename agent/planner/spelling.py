"""Typing mistakes in plain words. A word with a digit is never corrected, nothing becomes a write verb.

Imported late: rapidfuzz.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import replace

from agent.planner.language import language
from agent.planner.lexicon import Lexicon
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
        if token.kind == "word" and word.isalpha() and word not in known and word not in never:
            if len(word) >= _SHORTEST:
                better = nearest_word(word, vocabulary, never)
            better = better or _slip(word, known, never)
        if better is None:
            mended.append(token)
        else:
            changes.append((word, better))
            mended.append(replace(token, text=better))
    return mended, tuple(changes)


def _slip(word: str, known: Container[str], never: Collection[str]) -> str | None:
    """A letter typed twice or two swapped, where that makes a word, short ones too: `spott`, `dsik`."""
    if len(word) < _SHORTEST - 1 or not word.isascii():
        return None
    once = [word[:at] + word[at + 1 :] for at in range(len(word) - 1) if word[at] == word[at + 1]]
    swapped = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
    long = _SHORTEST - 1
    once = [one for one in once if len(one) >= long or one == word[:-1]]
    said = (*once, *(one for one in swapped if len(one) >= long))
    return next((one for one in said if one in known and one not in never), None)


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


def mended_text(text: str, tokens: list[Token], changes: tuple[tuple[str, str], ...]) -> str:
    """The question with its mended words in it, for times are read from the text."""
    right = dict(changes)
    for token in reversed(tokens):
        if token.kind == "word" and right.get(token.raw.lower()) == token.text:
            meant = token.text.upper() if token.raw.isupper() else token.text
            text = text[: token.start] + meant + text[token.end :]
    return text


class KnownWords(Container[str]):
    """Words that are no typing mistakes."""

    def __init__(self, lexicon: Lexicon, *more: Container[str]) -> None:
        self._words, self._common, self._more = lexicon.known.words, language().common, more
        self._names = lexicon.known.names

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str):
            return False
        if word in self._words or word in self._common:
            return True
        return any(word in more for more in self._more) or any(
            w in self._words or w in self._common or w in self._names for w in _stems(word)
        )


def _stems(word: str) -> tuple[str, ...]:
    """A word and what it may be the plural or form of."""
    endings = ("s", "es", "ed", "d", "ing", "ly", "er")
    stems = [(e, word[: -len(e)]) for e in endings if word.endswith(e) and len(word) - len(e) >= 4]
    doubled = (stem[:-1] for e, stem in stems if e in _DOUBLING and stem[-1] == stem[-2])
    plain = (stem for e, stem in stems if e not in _DOUBLING or not _SHORT_VOWEL.fullmatch(stem))
    return (word, *plain, *doubled)


_DOUBLING = frozenset(("ed", "ing", "er"))
_SHORT_VOWEL = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
"""A word that doubles its last letter before such an ending: `stoped` is no form of `stop`."""


def unhyphenated(words: list[str]) -> list[str]:
    """The words once more with compounds apart, so that `system-prompt` hides nothing."""
    return [part for word in words for part in re.split(r"[._\-]", word) if part]
