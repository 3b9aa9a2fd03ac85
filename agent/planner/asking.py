"""Plans that call nothing: what is asked back, what is refused. They echo nothing of an injection."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from agent.planner.amount import TIMES
from agent.planner.clearing import clearings
from agent.planner.language import guard_facts, language, word_set
from agent.planner.leftovers import is_content
from agent.planner.phrases import PhraseSet
from agent.planner.query import Plan, Query
from agent.planner.sentence import Sentence
from cloudtop.gpus import catalogue, resolve

_MODEL = re.compile(r"[a-z]{1,6}\d{1,5}[a-z]{0,5}|\d{4}[a-z]{0,3}")


def refused(reason: str, text: str, previous: Query | None) -> Plan:
    """Why nothing is done, and what can be asked instead; the dialogue goes on from where it was."""
    facts = guard_facts()
    parts = [facts["texts"][reason]]
    if reason == "write_operation":
        parts.append(facts["texts"]["offer_any"])
    elif reason == "secret":
        parts.append(facts["texts"]["offer_health"])
    return Plan("refuse", reason=reason, question=" ".join(parts), choices=(), query=previous)


def greeted(previous: Query | None) -> Plan:
    """Nothing was asked yet."""
    examples = tuple(guard_facts()["examples"])
    return Plan(
        "clarify", question="What would you like to know? For example:", choices=examples, query=previous
    )


def not_yet(title: str, previous: Query | None, plain_words: bool = False) -> Plan:
    """A question of a kind that no tool answers yet: said plainly, with what can be asked."""
    said = title if plain_words else f"cloudtop cannot be asked about {title} yet."
    can = guard_facts()["texts"]["offer_any"]
    return Plan("clarify", question=f"{said} {can}", choices=tuple(guard_facts()["examples"]), query=previous)


def ask_what(seller: str, previous: Query | None) -> Plan:
    """A seller's name and nothing else."""
    choices = (f"GPU prices on {seller}", f"instances on {seller}", f"is {seller} healthy")
    return Plan("clarify", question=f"What about {seller}?", choices=choices, query=previous)


def ask_for_antecedent(previous: Query | None, words: tuple[str, ...] = ()) -> Plan:
    """Part of a question, with nothing before it that it could belong to."""
    said = f" Nothing could be made of: {', '.join(words)}." if words else ""
    examples = tuple(guard_facts()["examples"])
    return Plan(
        "clarify",
        question=f"About what?{said} Name a GPU, a cloud or a check.",
        choices=examples,
        query=previous,
    )


def ask_about_model(query: Query, previous: Query | None) -> Plan:
    """A GPU is wanted, and nothing says which."""
    where = f" on {query.arguments['providers'][0]}" if query.arguments.get("providers") else ""
    choices = (f"cheapest GPU{where}", f"cheapest H100{where}", f"cheapest GPU with at least 24 GB{where}")
    question = "Which GPU? Name a model, a memory size, a price or a region."
    return Plan("clarify", question=question, choices=choices, query=query if query.arguments else previous)


def cheaper_than_what(previous: Query) -> Plan:
    """Cheaper offers than the cheapest exist only where a condition is given up: which one?"""
    relaxed = {
        "region": "the same in any region",
        "providers": "the same on any cloud",
        "tier": "the same on any tier",
        "spot": "the same, spot or not",
        "count": "the same with any number of GPUs",
        "form": "the same in any form",
        "memory": "the same with any memory size",
        "min_memory": "the same with any memory size",
        "exclude_providers": "the same on any cloud",
    }
    choices = [words for name, words in relaxed.items() if name in previous.arguments]
    if "spot" not in previous.arguments:
        choices.append("the same, only spot")
    choices.append("the same under $1 per hour")
    unique = tuple(dict.fromkeys(choices))[:4]
    question = "The cheapest are shown already; cheaper ones need another condition. Which?"
    return Plan("clarify", question=question, choices=unique, query=previous)


def unknown_model(s: Sentence) -> str | None:
    """The first unused word that looks like a GPU's name and is none: `a1000`, `rtx 7090`, `4090 ti`."""
    for index, span in enumerate(s.spans):
        before = s.at(index - 1)
        series = before is not None and before.text in (
            "rtx",
            "gtx",
            "geforce",
            "quadro",
            "tesla",
            "instinct",
            "radeon",
        )
        if (
            before is not None
            and before.plays("gpu")
            and span.text in language().hints["model_suffixes"]
            and span.first == before.last + 1
        ):
            return f"{before.text} {span.text}"
        if span.plays("gpu", "region", "=name", "=instance_type") or span.kind in ("size", "date", "name"):
            continue
        if series and before is not None and _MODEL.fullmatch(span.text):
            return f"{before.text} {span.text}"
        if (
            not span.used
            and not span.meanings
            and span.number is None
            and span.text not in language().stop
            and _MODEL.fullmatch(span.text)
        ):
            return span.text
        if (
            not span.used
            and span.number is not None
            and span.text in ("6000", "5000", "4000", "8000", "4500", "2000")
        ):
            return span.text
    bare = next(
        (sp for sp in s.spans if sp.text in ("rtx", "gtx", "geforce", "quadro") and not sp.meanings), None
    )
    return bare.text if bare is not None else None


def ask_about_model_name(strange: str, s: Sentence, previous: Query | None) -> Plan:
    """A word that looks like a GPU and is none: the nearest names, never one silently taken."""
    near = resolve(strange).nearest or tuple(get_close_matches(strange.upper(), catalogue().gpus, 3, 0.0))
    names = ", ".join(near)
    hint = f" Did you mean one of {names}?" if names else ""
    choices = tuple(
        s.text.lower().replace(strange, name, 1) if strange in s.text.lower() else name for name in near[:4]
    )
    return Plan("clarify", question=f"No GPU is called {strange}.{hint}", choices=choices, query=previous)


def no_subject(s: Sentence, previous: Query | None) -> Plan:
    """No cue of any tool: part of a question, or none of ours."""
    sellers = [span.get("provider") for span in s.spans if span.plays("provider")]
    strangers = [
        span for span in s.spans if is_content(span.text) and not span.meanings and span.number is None
    ]
    if not sellers and clearings(s) and len(s.spans) <= _SHORT:
        return ask_for_antecedent(previous)
    if sellers and not strangers:
        return ask_what(sellers[0], previous)
    typed = any(
        span.plays("region", "best", "per", "pronoun", "same", "instead") or next(span.values, None)
        for span in s.spans
    )
    if previous is not None and len(s.spans) <= 5 and s.spans[0].plays("more_of_it"):
        return ask_for_antecedent(previous, tuple(span.text for span in strangers))
    if not strangers and any(span.get("op") and span.text[0].isalpha() for span in s.spans):
        return ask_for_antecedent(previous)
    pointing = bool(set(s.words()) & word_set("pronouns"))
    if pointing and not strangers and len(s.spans) <= 6:
        return ask_for_antecedent(previous)
    if strangers or not typed:
        return replace(outside(s, previous), lost=bool(strangers))
    return ask_for_antecedent(previous)


def outside(s: Sentence, previous: Query | None) -> Plan:
    """Nothing of ours is asked; where a cloud or GPU is named, what about it is asked back."""
    if previous is None and points_back(s) and _priced(s):
        return ask_for_antecedent(previous)
    named = next(
        (span for span in s.spans if span.plays("provider", "gpu", "=instance_type", "sellers")), None
    )
    if named is None:
        return refused("out_of_scope", s.text, previous)
    if named.plays("provider"):
        return ask_what(named.get("provider"), previous)
    return ask_for_antecedent(previous)


_SHORT = 8


def points_back(s: Sentence) -> list[tuple[int, int]]:
    """First and last token of what points at the talk before: `we talked about`, `from earlier`."""
    words, phrases = s.words(), _back()
    return [(at, at + size - 1) for at in range(len(words)) if (size := phrases.at(words, at))]


@cache
def _back() -> PhraseSet:
    return PhraseSet(language().hints["back"])


def _priced(s: Sentence) -> bool:
    """Whether a price, or a length of use, is spoken of."""
    return bool({"much", "quote", "rent"} & set(s.words())) or any(
        span.get("quantity") == "price" or span.get("unit") in TIMES for span in s.spans
    )
