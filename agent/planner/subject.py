"""Which tool a question is for: cues from the specs, and whether the tool takes what the question names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from agent.planner.language import language, word_set
from agent.planner.lexicon import Lexicon
from agent.planner.past import asks_history, keeps_history
from agent.planner.phrases import PhraseSet
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool

_GPU = 2.2
_VALUE = 1.2
_STATE = 0.8
_OFF_TOPIC = 2.6
_MISSED = 4.0
_AGE = 3.0
_HISTORY = 4.0
_STOCK = 2.0
_SAYS_NOTHING = frozenset(("format", "max_age", "vendor"))
"""What many tools take and that says nothing of the subject."""
_OF_STATE = frozenset(("status", "check"))
"""What says less of it."""


def scores_of(s: Sentence, lexicon: Lexicon) -> dict[str, float]:
    """How much speaks for each tool, those that are not there yet included."""
    scores = dict(s.cues)
    tools = [tool for tool in lexicon.tools.values() if tool.of_market]
    phrases = _named(s)
    for tool in tools:
        named = _taken(phrases, tool)
        if keeps_history(tool):
            named = named + _HISTORY if asks_history(s) else 0.0
        if named:
            scores[tool.name] = scores.get(tool.name, 0.0) + named
    if s.why:
        scores = {name: score for name, score in scores.items() if lexicon.tools[name].has("gpu")}
    if whole_stock(s):
        scores = {name: score for name, score in scores.items() if lexicon.tools[name].here}
        for tool in tools:
            if tool.has("gpu") and not keeps_history(tool):
                scores[tool.name] = scores.get(tool.name, 0.0) + _STOCK
    for name, weight in _asked_about(s, lexicon):
        scores[name] = scores.get(name, 0.0) + weight
    if any(span.plays("gpu", "=instance_type") for span in s.spans) and not own_account(s):
        for name in language().hints["yields_to_gpu"]:
            if name in lexicon.tools and not lexicon.tools[name].here:
                scores.pop(name, None)
    if any(span.get("unit") == "gpu" for span in s.spans) and _seller_charges(s) and not own_account(s):
        for name in language().hints["yields_to_gpu"]:
            if name in lexicon.tools and not lexicon.tools[name].here:
                scores.pop(name, None)
    return scores


@cache
def _phrases(hint: str) -> PhraseSet:
    return PhraseSet(language().hints[hint])


def _seller_charges(s: Sentence) -> bool:
    """`what azure charges for gpus`: a seller's prices, unless a time of one's own bill is said."""
    words = s.words()
    return _phrases("seller_charges").find(words) is not None and _phrases("own_times").find(words) is None


def _asked_about(s: Sentence, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    """`why is azure missing`, `how old is the data`: about the sources, whatever else is named."""
    if absent(s):
        yield from ((name, _MISSED) for name in language().hints["absence"] if name in lexicon.tools)
    if any(span.plays("asks_age") for span in s.spans) and set(s.words()) & word_set("data_nouns"):
        yield from (
            (tool.name, _AGE)
            for tool in lexicon.tools.values()
            if tool.of_market and "freshness" in tool.values("check")
        )


def whole_stock(s: Sentence) -> bool:
    """`everything on vast`, `what does lambda have`: all that a seller offers, and nothing else is named.

    `all instances on aws` are one's own.
    """
    sellers = any(span.plays("provider", "sellers") for span in s.spans)
    if not sellers or any(span.get("unit") == "node" for span in s.spans):
        return False
    words = s.words()
    if {"i", "we", "my", "our"} & set(words) and not word_set("conditional") & set(words):
        return False
    everything = any(span.plays("all_rows") for span in s.spans)
    asks = words[0] in ("what", "whats") and bool(set(words) & word_set("having"))
    return (everything or asks) and all(
        span.plays("provider", "sellers", "all_rows")
        or span.text in language().stop
        or set(span.text.split()) <= word_set("having")
        for span in s.spans
        if span.text[0].isalnum()
    )


@cache
def _absence() -> tuple[PhraseSet, PhraseSet]:
    hints = language().hints
    return PhraseSet(hints["absence_lead"]), PhraseSet(w for said in hints["absence"].values() for w in said)


def absent(s: Sentence) -> bool:
    """Whether it is asked why a seller is not there."""
    if s.why or not any(span.plays("provider") for span in s.spans):
        return False
    if any(span.plays("=status") and span.text.startswith("not ") for span in s.spans):
        return False
    lead, words = _absence()
    at = lead.find(s.words())
    return at is not None and words.find(s.words()[at:]) is not None


def absence_words(s: Sentence) -> Iterator[tuple[int, int]]:
    """Place and length of the words that say a seller is not there, in a question why it is not."""
    if absent(s):
        words, phrases = s.words(), _absence()[1]
        yield from ((at, size) for at in range(len(words)) if (size := phrases.at(words, at)))


def own_account(s: Sentence) -> bool:
    """Whether one's own spending is spoken of: `our`, `we paid`; but not `what would I pay`."""
    said = {word for span in s.spans if not span.plays("region") for word in span.text.split()}
    return bool(said & word_set("own_account")) or (
        bool(said & word_set("own_person")) and not said & word_set("conditional")
    )


def fits(s: Sentence, tool: Tool) -> float:
    """What the question names that this tool can take."""
    return _taken(_named(s), tool)


_Named = tuple[frozenset[str], frozenset[str], str | None]
"""What a phrase can play, the arguments that it is a value of, and its unit."""


def _named(s: Sentence) -> list[_Named]:
    found = []
    for span in s.spans:
        if span.meanings:
            roles = frozenset(meaning.role for meaning in span.meanings)
            values = frozenset(role[1:] for role in roles if role[0] == "=")
            found.append((roles, values - _SAYS_NOTHING, span.get("unit") if "unit" in roles else None))
    return found


def _taken(named: list[_Named], tool: Tool) -> float:
    total, of_gpu = 0.0, False
    parameters = tool.parameters.keys()
    for roles, values, unit in named if parameters else ():
        if "gpu" in roles and "gpu" in parameters and not of_gpu:
            of_gpu = True
            total += _GPU
        elif "=instance_type" in roles and "instance_type" in parameters:
            total += _GPU
        elif "=name" in roles:
            continue
        elif not parameters.isdisjoint(values - _OF_STATE):
            total += _VALUE
        elif not parameters.isdisjoint(values):
            total += _STATE
        elif "value_for" in roles and "rank_by" in parameters:
            total += _VALUE
        elif unit == "gb" and "memory" in parameters:
            total += 1.0
        elif unit == "usd" and "max_price" in parameters:
            total += 0.5
    return total


@cache
def _off_topic() -> PhraseSet:
    return PhraseSet(language().hints["off_topic"])


def off_topic(s: Sentence) -> float:
    """How much speaks for a subject that is none of ours."""
    words = s.words()
    return _OFF_TOPIC * sum(1 for at in range(len(words)) if _off_topic().at(words, at))


def chosen(scores: dict[str, float], lexicon: Lexicon) -> Tool | None:
    """The tool that most speaks for; of equals the one that is there, then the first by name."""
    if not scores:
        return None
    name = min(scores, key=lambda n: (-round(scores[n], 3), not lexicon.tools[n].here, n))
    return lexicon.tools[name]
