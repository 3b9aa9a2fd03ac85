"""Phrases that are looked for in the words of a question."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Sequence

from agent.planner.tokens import words_of


class PhraseSet:
    """Phrases by their tokens, longest first at any place."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        for phrase in sorted({words_of(str(p)) for p in phrases}, key=lambda p: (-len(p), p)):
            if phrase:
                self._by_first.setdefault(phrase[0], []).append(phrase)

    def at(self, words: Sequence[str], place: int) -> int:
        """How many words the longest phrase has that begins at `place`; 0 for none."""
        for phrase in self._by_first.get(words[place], ()) if place < len(words) else ():
            if tuple(words[place : place + len(phrase)]) == phrase:
                return len(phrase)
        return 0

    def find(self, words: Sequence[str]) -> int | None:
        """Where the first of them begins."""
        return next((i for i, word in enumerate(words) if word in self._by_first and self.at(words, i)), None)

    @property
    def firsts(self) -> KeysView[str]:
        """The words that one of them begins with."""
        return self._by_first.keys()

    @property
    def singles(self) -> frozenset[str]:
        """Those that are one word."""
        return frozenset(p[0] for group in self._by_first.values() for p in group if len(p) == 1)
