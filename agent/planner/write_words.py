"""The words of orders, as guard.yaml lists them, ready to be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from agent.planner.language import guard_facts
from agent.planner.phrases import PhraseSet


@dataclass(frozen=True)
class WriteWords:
    """A set of phrases for each list; `near`: first letter -> verbs, `nouns`: verb -> nouns it begins."""

    hard: PhraseSet
    trade: PhraseSet
    edit: PhraseSet
    things: PhraseSet
    lead: PhraseSet
    own_wish: PhraseSet
    question: PhraseSet
    harmless: PhraseSet
    search: PhraseSet
    mark: PhraseSet
    grants: PhraseSet
    placing: PhraseSet
    due: PhraseSet
    done: PhraseSet
    undergone: PhraseSet
    part: PhraseSet
    sorts: PhraseSet
    figures: PhraseSet
    counted: PhraseSet
    near: dict[str, tuple[str, ...]]
    nouns: dict[str, PhraseSet]


@cache
def write_words() -> WriteWords:
    """The lists, read once."""
    facts = guard_facts()["write"]
    hard = PhraseSet(facts["hard"])
    near: dict[str, tuple[str, ...]] = {}
    for word in sorted(hard.singles | PhraseSet(facts["edit"]).singles):
        if len(word) >= 5:
            near[word[0]] = (*near.get(word[0], ()), word)
    names = (
        "trade",
        "edit",
        "things",
        "lead",
        "own_wish",
        "question",
        "harmless",
        "search",
        "mark",
        "grants",
        "placing",
        "due",
        "done",
        "undergone",
        "part",
        "sorts",
        "figures",
        "counted",
    )
    nouns = {verb: PhraseSet(words) for verb, words in facts["nouns"].items()}
    return WriteWords(hard=hard, near=near, nouns=nouns, **{name: PhraseSet(facts[name]) for name in names})
