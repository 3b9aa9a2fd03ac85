"""`remove the price limit`, `any region`, `forget the count`: a filter goes, whatever its value was."""

from __future__ import annotations

from functools import cache

from agent.planner.language import language
from agent.planner.phrases import PhraseSet
from agent.planner.sentence import Sentence

_BETWEEN = frozenset(("the", "that", "my", "our", "this", "any", "all", "on", "of", "about", "a", "specific"))
_JOINS = frozenset(("and", "or", "/", "&"))


@cache
def _facts() -> tuple[PhraseSet, PhraseSet, PhraseSet, dict[str, PhraseSet]]:
    facts = language().hints["clearing"]
    return (
        PhraseSet(facts["sure"]),
        PhraseSet(facts["with_limit"]),
        PhraseSet(facts["limit"]),
        {arguments: PhraseSet(words) for arguments, words in facts["what"].items()},
    )


@cache
def _first_words() -> frozenset[str]:
    """The words that the name of a filter can begin with."""
    return frozenset(word for phrases in _facts()[3].values() for word in phrases.firsts)


def clearings(s: Sentence) -> list[tuple[int, int, tuple[str, ...]]]:
    """First token, token behind the last, and the arguments of every filter that is taken away."""
    words = s.words()
    sure, with_limit, _, _ = _facts()
    out = []
    at = 0
    while at < len(words):
        lead = max(sure.at(words, at), with_limit.at(words, at))
        made = _object(words, at, lead, bool(sure.at(words, at))) if lead else _does_not_matter(words, at)
        if made is None:
            at += 1
            continue
        out.append((at, *made))
        at = made[0]
    return out


def _object(words: tuple[str, ...], at: int, lead: int, sure: bool) -> tuple[int, tuple[str, ...]] | None:
    """What stands behind the verb; `no price` needs a `limit` behind it, `any price` does not."""
    arguments: tuple[str, ...] = ()
    end = behind = at + lead
    while behind < len(words) and words[behind] in _BETWEEN:
        behind += 1
    if (limit := _facts()[2].at(words, behind)) and words[behind + limit : behind + limit + 1] in _OF_LIMITS:
        # `no restrictions on region`: the limit stands in front of what it limits.
        sure, behind = True, behind + limit + 1
    while True:
        while behind < len(words) and words[behind] in _BETWEEN:
            behind += 1
        more, size = _named(words, behind)
        if not size or (more == ("spot",) and not _facts()[2].at(words, behind + size)):
            break
        arguments, end = (*arguments, *more), behind + size
        if end >= len(words) or words[end] not in _JOINS:
            break
        behind = end + 1
    if not arguments:
        return None
    limit = _facts()[2].at(words, end)
    if not limit and (not sure or (end < len(words) and words[end].isalnum() and words[end] not in _GOES_ON)):
        return None
    return end + limit, arguments


_OF_LIMITS = (("on",), ("of",), ("for",), ("about",), ("regarding",), ("in",))
_GOES_ON = frozenset(("and", "please", "now", "again", "then", "is", "will", "works", "ok", "fine"))


def _does_not_matter(words: tuple[str, ...], at: int) -> tuple[int, tuple[str, ...]] | None:
    """`price does not matter`."""
    arguments, size = _named(words, at)
    if not size:
        return None
    after = PhraseSet(language().hints["clearing"]["after"]).at(words, at + size)
    return (at + size + after, arguments) if after else None


def _named(words: tuple[str, ...], at: int) -> tuple[tuple[str, ...], int]:
    """The longest name of a filter here, and its arguments."""
    best: tuple[tuple[str, ...], int] = ((), 0)
    if at >= len(words) or words[at] not in _first_words():
        return best
    for arguments, phrases in _facts()[3].items():
        if (size := phrases.at(words, at)) > best[1]:
            best = tuple(arguments.split()), size
    return best


def read_clearings(s: Sentence) -> set[str]:
    """The arguments that are taken away; their words are used."""
    gone: set[str] = set()
    for first, end, arguments in clearings(s):
        places = [i for i, span in enumerate(s.spans) if span.first < end and span.last >= first]
        if any(s.spans[i].number is not None and not s.spans[i].plays("gpu") for i in places):
            continue
        gone.update(arguments)
        s.use(*places)
    return gone
