"""What is refused before planning: orders to change something, injections, requests for secrets.

It is asked twice, about the words as typed and about the corrected ones. Which words count is guard.yaml.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import cache

from agent.planner.language import guard_facts
from agent.planner.orders import opened, ordered, write_verbs
from agent.planner.phrases import PhraseSet
from agent.planner.spelling import unhyphenated
from agent.planner.tokens import words_of


@cache
def _sets(section: str) -> dict[str, PhraseSet]:
    return {name: PhraseSet(said) for name, said in guard_facts()[section].items()}


@cache
def _guarded() -> frozenset[str]:
    """Every longer word that can be part of what is refused."""
    facts = guard_facts()
    said = [*write_verbs(), *facts["secret"]["nouns"], *facts["write"]["lead"]]
    said += [phrase for name in ("verbs", "objects", "own", "phrases") for phrase in facts["injection"][name]]
    return frozenset(word for phrase in said for word in words_of(str(phrase)) if len(word) >= _LONG)


_LONG = 5


def untwisted(words: Sequence[str], known: Container[str]) -> list[str]:
    """The words with swapped letters put right where that makes a word that can be refused: `laucnh`."""
    return [word if word in known or len(word) < _LONG else _untwisted(word) for word in words]


def _untwisted(word: str) -> str:
    swapped = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
    return next((one for one in swapped if one in _guarded()), word)


def refusal(words: Sequence[str], known: Container[str]) -> str | None:
    """Why the question is refused: injection, secret or write_operation; None when it is not."""
    if injected(words):
        return "injection"
    if _secret(words):
        return "secret"
    if ordered(words, known):
        return "write_operation"
    return None


def hidden(words: Sequence[str], known: Container[str]) -> str | None:
    """Why what stands in compounds is refused: `system-prompt`, `shut-down`; `label-render` is a name.

    Words without compounds are judged by `refusal` alone.
    """
    apart = unhyphenated(list(words))
    if len(apart) == len(words) and "".join(apart) == "".join(words):
        return None
    if injected(apart):
        return "injection"
    if _secret(apart):
        return "secret"
    if ordered(opened(words), known):
        return "write_operation"
    return None


def injected(words: Sequence[str]) -> bool:
    """A phrase nobody needs for a question about clouds, or `ignore … instructions`."""
    sets = _sets("injection")
    if sets["phrases"].find(words) is not None:
        return True
    for at in range(len(words)):
        size = sets["verbs"].at(words, at)
        if not size:
            continue
        place = at + size
        for _ in range(5):
            if sets["objects"].at(words, place) or (place > at + size and sets["owned"].at(words, place)):
                return True
            step = sets["own"].at(words, place)
            if not step:
                break
            place += step
    return False


def _secret(words: Sequence[str]) -> bool:
    """A secret's name and a wish to see its value."""
    sets = _sets("secret")
    place = next(
        (
            i
            for i in range(len(words))
            if sets["nouns"].at(words, i)
            and not sets["harmless_keys"].at(words, i)
            and not (i and sets["harmless_keys"].at(words, i - 1) > 1)
        ),
        None,
    )
    if place is None:
        return False
    if sets["never"].find(words) is not None:
        return True
    if sets["fine"].find(words) is not None:
        return False
    bare = len(words) <= 4
    return sets["ask"].find(words) is not None or bare or words[0] in ("my", "our", "your", "the")
