"""Orders to change something: a write verb as the main verb of a clause. Which verbs count is guard.yaml."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import cache
from itertools import takewhile

from agent.planner.language import guard_facts
from agent.planner.tagging import is_due, is_tagging, named_before, sets_tag
from agent.planner.write_words import WriteWords, write_words

_ENDS = frozenset('.;,!:?"()')
_JOINS = frozenset(("and", "then", "but", "also", "or"))


@cache
def write_verbs() -> frozenset[str]:
    """Every word that orders a change: nothing is ever corrected to one."""
    write = write_words()
    return write.hard.singles | write.trade.singles | write.edit.singles


@cache
def soft_verbs() -> frozenset[str]:
    """Those of them that people ask with as well: `can I rent`, `run a check`, `drop aws`."""
    return write_words().trade.singles | write_words().edit.singles


@cache
def trade_verbs() -> frozenset[str]:
    """Verbs of getting hold of something: what a question begins with and cloudtop does not do."""
    return write_words().trade.singles


def opened(words: Sequence[str]) -> list[str]:
    """The words with those compounds apart that are one order: `shut-down`, `power-off`."""
    out: list[str] = []
    for word in words:
        parts = word.split("-")
        out += parts if len(parts) > 1 and write_words().hard.at(parts, 0) == len(parts) else [word]
    return out


def ordered(words: Sequence[str], known: Container[str]) -> bool:
    """A write verb as the main verb of a clause, or what should be done to things."""
    return is_due(words) or any(_main_verb(words, start, known) for start in _clauses(words))


def _clauses(words: Sequence[str]) -> Iterable[int]:
    """Where clauses begin: at the start, after a sign, after a joining word."""
    yield 0
    for at, word in enumerate(words[:-1]):
        if (word in _ENDS and word != '"') or (word in _JOINS and not _infinitive(words, at)):
            yield at + 1


def _infinitive(words: Sequence[str], at: int) -> bool:
    """`what does it cost to rent and run`: the verb after `and` belongs to the `to` before."""
    return "to" in words[max(0, at - 5) : at] and not any(w in _ENDS for w in words[max(0, at - 5) : at])


def _main_verb(words: Sequence[str], start: int, known: Container[str]) -> bool:
    """Whether the clause that begins here orders a change."""
    write = write_words()
    at, wish = start, False
    while size := write.lead.at(words, at):
        verb = max(write.hard.at(words, at), write.trade.at(words, at))
        if verb >= size:
            break
        wish = wish or write.own_wish.at(words, at) > 0
        at += size
    if at >= len(words):
        return False
    rest = words[at:]
    granted = rest[0] in ("give", "get") and write.grants.find(rest) is not None
    noun = (
        (rest[0] in write.nouns and write.nouns[rest[0]].at(rest, 1))
        or _tells(rest)
        or _beside(rest)
        or _figure(rest)
    )
    if _begins_anew(rest) or _halts(rest) or (noun and not granted):
        return False
    if size := write.hard.at(words, at) or _parted(words, at):
        return _orders(words, at + size, write)
    if words[at] == "order" and sorts_rows(rest):
        return False
    if size := write.trade.at(words, at):
        if _telegraphic(words, at + size):
            return False
        return not wish and not _asks(words, start) and not _priced(rest) and _orders(words, at + size, write)
    if _of_the_question(rest, write):
        return False
    if size := write.edit.at(words, at):
        pointed = size >= _LONG_VERB and words[at + size : at + size + 1] in (
            ["them"],
            ["it"],
            ["those"],
            ["these"],
        )
        return (
            pointed
            or is_tagging(rest)
            or ("=" in rest[1:4] and at > 1 and words[at - 1] == ":" and named_before(words, at, write))
            or (_owned(words, at + size, write) and _orders(words, at + size, write))
        )
    if (size := write.placing.at(words, at)) and sets_tag(rest[size:], write):
        return True
    return _misspelled(rest, write, known)


def _parted(words: Sequence[str], at: int) -> int:
    """`spin me up`, `turn the idle ones off`: the verb, where its second half closes the clause; else 0."""
    behind = _particles().get(words[at], frozenset())
    for place in range(at + 2, min(at + 2 + _BETWEEN, len(words))) if behind else ():
        before = words[place - 1]
        if before in _ENDS or before in _JOINS or (before in _RELATIVE and place > at + 2):
            return 0
        if words[place] in behind:
            return 1
    return 0


_BETWEEN = 5
_RELATIVE = frozenset(("that", "which", "who", "is", "are", "was", "were", "of"))


@cache
def _particles() -> dict[str, frozenset[str]]:
    """Verb -> what may stand apart behind it and makes it an order."""
    found: dict[str, frozenset[str]] = {}
    for phrase in guard_facts()["write"]["hard"]:
        parts = str(phrase).split()
        if len(parts) == 2 and parts[1] in guard_facts()["write"]["particles"]:
            found[parts[0]] = found.get(parts[0], frozenset()) | {parts[1]}
    return found


_LONG_VERB = 3
"""An edit in so many words is one of what it points at, too: `get rid of them`; `drop it` may be a filter."""


def _begins_anew(rest: Sequence[str]) -> bool:
    """`start over`, alone or with another question behind it: of the conversation, not of a machine."""
    following = rest[2] if len(rest) > 2 else "."
    return tuple(rest[:2]) == ("start", "over") and (following in _ENDS or following in ("with", "please"))


def _beside(rest: Sequence[str]) -> bool:
    """`put the load of web-1 next to that of web-2`: figures, and not things, are put there."""
    clause = " ".join(takewhile(lambda word: word not in ".;!?", rest))
    return rest[0] == "put" and any(
        said in clause for said in ("next to", "beside", "side by side", "together with")
    )


def sorts_rows(rest: Sequence[str]) -> bool:
    """`order offers from most to least expensive`: a sequence of rows, behind `order`."""
    at = write_words().sorts.find(rest)
    return at is not None and (rest[at] != "from" or "to" in rest[at + 2 : at + 6])


def _figure(rest: Sequence[str]) -> bool:
    """`kill process count`: how often it was done; `delete the count` is an order."""
    write = write_words()
    clause = list(takewhile(lambda word: word not in ".;!?,", rest))
    named = 2 <= len(clause) <= _SHORT and write.counted.at(clause, 0) == 1
    return named and write.figures.at(clause, len(clause) - 1) > 0 and all(w.isalpha() for w in clause)


_SHORT = 4


def _tells(rest: Sequence[str]) -> bool:
    """`give the type and the memory of every machine`: told is what is there; nothing is given to it."""
    clause = list(takewhile(lambda word: word not in ".;!?", rest))
    return clause[:1] == ["give"] and "of" in clause and not {"more", "to", "a", "another"} & set(clause)


def _halts(rest: Sequence[str]) -> bool:
    """`stop, I meant the A100`: said to whom one talks to."""
    return rest[0] == "stop" and len(rest) > 2 and rest[1] in _ENDS


def _of_the_question(rest: Sequence[str], write: WriteWords) -> bool:
    """`make it snapshots`: what is asked about is to be another, not what is there."""
    clause = list(takewhile(lambda word: word not in _ENDS and word not in ("please", "instead"), rest))
    return (
        clause[:1] == ["make"]
        and clause[1:2] in (["it"], ["that"])
        and write.things.at(clause, 2) == len(clause) - 2 > 0
    )


def _orders(words: Sequence[str], after: int, write: WriteWords) -> bool:
    """A verb is no order where what follows makes it a noun (`order by price`, `launch date`)."""
    return not (after < len(words) and write.harmless.at(words, after)) and after < len(words)


def _asks(words: Sequence[str], start: int) -> bool:
    """The clause is a question or comes after one that explains it."""
    return (
        start > 0 and words[start - 1] not in _ENDS and write_words().question.find(words[:start]) is not None
    )


def _telegraphic(words: Sequence[str], after: int) -> bool:
    """`rent h100 in europe`, `rent h100 hourly price`: a search, without article, number or `me`."""
    sets = write_words()
    after += sets.part.at(words, after)
    bare = after < len(words) and any(c.isdigit() for c in words[after]) and not words[after].isdigit()
    model = bare or (after < len(words) and words[after].isdigit() and len(words[after]) == _MODEL_DIGITS)
    if (
        model
        and after - sets.part.at(words, 1) == 1
        and words[0] in sets.search.singles
        and sets.mark.find(words) is None
    ):
        return True
    return bare and any(
        sets.harmless.at(words, at) and words[at] in _PRICED for at in range(after, len(words))
    )


_MODEL_DIGITS = 4
_PRICED = frozenset(("price", "prices", "pricing", "cost", "costs", "rate", "rates"))


def _priced(rest: Sequence[str]) -> bool:
    """`rent a 4090 for 3 days, what does it cost`: the question that follows is the main clause."""
    ends = [at for at, word in enumerate(rest) if word in _ENDS]
    return any(write_words().question.at(rest, at + 1) for at in ends if at + 1 < len(rest))


def _owned(words: Sequence[str], after: int, write: WriteWords) -> bool:
    """The object of an edit exists somewhere, rather than being a part of the question."""
    for at in range(after, min(len(words), after + 6)):
        if words[at] in _ENDS:
            return False
        if write.things.at(words, at) or words[at] in ("my", "our") or _is_name(words[at]):
            return True
    return False


def _is_name(word: str) -> bool:
    return (
        "-" in word
        and any(c.isdigit() for c in word)
        and not word[0].isdigit()
        and not word.startswith(("us-", "eu-"))
    )


def _misspelled(rest: Sequence[str], write: WriteWords, known: Container[str]) -> bool:
    """`delte bucket logs`: an unknown word close to a write verb, and what one owns or points at."""
    word = rest[0]
    if len(word) < 5 or not word.isalpha() or word in known or len(rest) < 2:
        return False
    alike = _ALIKE if _owned(rest, 1, write) else _SAME if rest[1] in _POINTS else None
    if alike is None:
        return False
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    if any(one in known and one not in write_verbs() for one in swapped):
        return False
    from rapidfuzz.distance import DamerauLevenshtein
    from rapidfuzz.process import extractOne

    verbs = [verb for group in write.near.values() for verb in group]
    near = DamerauLevenshtein.normalized_similarity
    return extractOne(word, verbs, scorer=near, score_cutoff=alike) is not None


_ALIKE, _SAME = 0.65, 0.8
"""So much like an order a word must be that nobody knows, to be taken for one: before something one owns, and
before what is only pointed at."""
_POINTS = frozenset(("the", "all", "my", "our", "this", "that", "these", "those", "every", "it", "them"))
