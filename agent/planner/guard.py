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
    if any(sets["phrases"].at(words, at) and not _of_a_filter(words, at) for at in range(len(words))):
        return True
    for at in range(len(words)):
        size = sets["verbs"].at(words, at)
        if not size:
            continue
        place = at + size
        for _ in range(5):
            if (sets["objects"].at(words, place) and not _filters(words, place)) or (
                place > at + size and sets["owned"].at(words, place)
            ):
                return True
            step = sets["own"].at(words, place)
            if not step:
                break
            place += step
    return False


def _of_a_filter(words: Sequence[str], at: int) -> bool:
    """`no restrictions on region`: a phrase that ends in a filter of the question."""
    size = _sets("injection")["phrases"].at(words, at)
    return _filters(words, at + size - 1)


def _filters(words: Sequence[str], at: int) -> bool:
    """Whether a filter of the question stands here: `restrictions on region`; not `restrictions on you`."""
    sets = _sets("injection")
    lead = sets["filters"].at(words, at) and sets["of_filters"].at(words, at + 1)
    behind = at + 1 + lead
    return bool(lead) and behind < len(words) and sets["not_filters"].find(words[behind:]) is None


def _secret(words: Sequence[str]) -> bool:
    """A secret's name and a wish to see its value."""
    sets = _sets("secret")
    place = next(
        (
            i
            for i in range(len(words))
            if (size := sets["nouns"].at(words, i))
            and not sets["about"].at(words, i + size)
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
    if _which(words, place) or _names(words, place):
        return False
    bare = len(words) <= 4
    return sets["ask"].find(words) is not None or bare or words[0] in ("my", "our", "your", "the")


def _which(words: Sequence[str], place: int) -> bool:
    """`what credentials does GCP want`: which they are is asked, not what stands in them."""
    sets = _sets("secret")
    behind = place + sets["nouns"].at(words, place)
    asks = words[0] in ("what", "which") and words[behind : behind + 1] in (
        ["does"],
        ["do"],
        ["will"],
        ["would"],
    )
    return asks and sets["wants"].find(words[behind:]) is not None


def _names(words: Sequence[str], place: int) -> bool:
    """`env vars for lambda`: names of variables, with no verb that would show their values."""
    sets = _sets("secret")
    size = sets["variables"].at(words, place)
    cloud = size and sets["of_a_cloud"].at(words, place + size)
    return bool(cloud) and (sets["ask"].find(words[:place]) is None or words[0] in ("which", "what"))
