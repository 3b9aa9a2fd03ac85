"""Whether a question is about what one runs, and its plan when it is: the door from the planner."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import pairwise

from agent.planner.asking import ask_for_antecedent
from agent.planner.correction import take_back
from agent.planner.inventory import plan as plans
from agent.planner.inventory.dialogue import goes_on
from agent.planner.inventory.evidence import Evidence, evidence_of
from agent.planner.inventory.facts import hint, is_plural, set_of
from agent.planner.inventory.nobody import hear_nobody
from agent.planner.inventory.pieces import pieces_of
from agent.planner.inventory.pointing import dangling
from agent.planner.language import Meaning, language, word_set
from agent.planner.lexicon import Lexicon
from agent.planner.purpose import hear_purpose
from agent.planner.query import Plan, Query
from agent.planner.sentence import Sentence, Span, sentence_of
from agent.planner.spelling import KnownWords, corrected, mended_text
from agent.planner.tokens import Token
from cloudtop import metrics

_KEYS = ("tag", "label")


_CUE = 2.0
"""How much one cue of a tool weighs, beside the weights of evidence."""


@dataclass
class Own:
    """A question read with the words of what one runs, and how much speaks for its being about that."""

    s: Sentence
    words: Lexicon
    seen: Evidence
    mended: tuple[tuple[str, str], ...]
    planned: bool = False
    """It was read for a plan already: what its words say is used up."""

    @property
    def weight(self) -> float:
        """How much speaks for it: what is named, and cues of tools that are about other things than lists."""
        return 0.0 if self._of_connections else self.seen.total() + _CUE * self.cues

    @property
    def _of_connections(self) -> bool:
        """`test the connection to runpod`: of a cloud, and of nothing in it."""
        said = bool({"connection", "connections", "connectivity"} & set(self.s.words()))
        of_cloud = self.s.has("provider", "all_rows")
        others = ("type", "service", "name", "named", "id", "word", "metric")
        return said and of_cloud and not self.seen.has(*others)

    @property
    def cues(self) -> float:
        """The most that cues say for a tool that is asked for by its own words: costs, changes."""
        said = (cue for name, cue in self.s.cues.items() if self.words.tools[name].of_its_own)
        return max(said, default=0.0)

    @property
    def _graph(self) -> bool:
        return self.s.has("graph")

    def goes_on(self) -> bool:
        """Whether it builds on the question before."""
        return goes_on(self.s, self.seen)

    def unheard(self) -> tuple[str, ...]:
        """Words of what one runs that say something, where the market was asked all the same."""
        lost = [
            span.text
            for span in self.s.spans
            if (span.plays("mine") and span.text.split()[0] in _WE)
            or (span.plays("untagged", "unnamed", "tagged", "env", "share") and span.kind == "word")
        ]
        return tuple(dict.fromkeys(lost))

    def replies(self, previous: Query) -> bool:
        """Whether it says of what a metric is meant that was asked for: `web-01`, `instances in prod`."""
        asked = self.words.tools[previous.tool].has("agg") and plans.waits(previous)
        if "name" in previous.arguments and self._name_alone:
            return True
        return asked and self.seen.anchored and not self.seen.has("metric", "shy_metric", "percent")

    @property
    def _name_alone(self) -> bool:
        """`web-prod-22?`: the name of another, and nothing else."""
        return plans.name_alone(self.s)

    def fresh(self, now: datetime, previous: Query | None) -> Plan | None:
        """Its plan as a question of its own."""
        self.planned = True
        return plans.fresh(self.s, self.words, self.seen, now, previous)

    def instead(self, now: datetime, previous: Query | None, *, outside: bool) -> Plan | None:
        """Its plan where nothing of the market could be made of it: only if every word of it is used.

        `outside`: it was taken for something that is none of ours.
        """
        if self.planned:
            return None
        asked = self.s.has("details", "field_of")
        known = all(
            one.meanings or one.text in language().stop for one in self.s.spans if one.text[0].isalnum()
        )
        if previous is None and asked and known and dangling(self.s, self.seen):
            return ask_for_antecedent(None)
        measured = self.seen.has("metric", "shy_metric", "tempted") or self._graph
        if outside and not self.seen.named and measured:
            return plans.of_which(self.s, self.words, now, previous)
        if not self.seen.anchored and not self.cues:
            return None
        made = self.fresh(now, previous)
        whole = made is not None and made.behaviour == "answer" and not made.ignored
        return (
            made if whole and made is not None and made.query is not None and made.query.arguments else None
        )

    def followed(self, now: datetime, previous: Query) -> Plan:
        """Its plan after the question before."""
        self.planned = True
        return plans.followed(self.s, self.words, self.seen, now, previous)


def _services_meant(s: Sentence) -> None:
    """`lambda throttles`, `most invoked lambda`: a seller's name is the service whose metric is asked for."""
    for index, span in enumerate(s.spans):
        kind = span.get("shy_type")
        if kind is None or not span.plays("provider") or (index and s.spans[index - 1].text in _AT):
            continue
        measured = (_metric(one) for one in s.spans)
        asked = s.has("metric_list")
        if not asked and not any(kind in one.of for one in measured if one is not None):
            continue
        for cloud, kinds in hint("services").items():
            if any(span.text in words.split() for words in kinds.get(kind, ())):
                s.mean(span, (Meaning("service", (cloud, kind, None)),))


_WE = frozenset(("our", "we", "are", "do", "in", "across"))
"""What `our`, `we have`, `are we running` begin with: more than the `my` of `my budget`."""
_AT = ("on", "at", "from", "via")


def _metric(span: Span) -> metrics.Metric | None:
    ranked = str(span.get("ranked_metric") or "").split()
    return metrics.metrics().get(
        str(span.get("metric") or span.get("shy_metric") or (ranked[0] if ranked else ""))
    )


def _services_apart(s: Sentence, words: Lexicon) -> None:
    """`projects on neon`: a noun that is a service's beside its cloud's name is so behind it too."""
    clouds = [span.text for span in s.spans if span.plays("provider") and not span.plays("service")]
    for span in s.spans if clouds else ():
        if span.plays("service", "provider") or not span.text[0].isalpha():
            continue
        for cloud in clouds:
            meanings = words.phrases.get((*cloud.split(), *span.text.split()), ())
            if service := next((one for one in meanings if one.role == "service"), None):
                s.mean(span, (service,))


_ALL_OF = frozenset(("every", "each", "all", "all of", "the", "my", "our", "that", "if", "whether"))


def _opening(s: Sentence) -> None:
    """`ok and snapshots`: a word of assent asks nobody how it is. `test every connector`: a verb, no tag."""
    if s.spans[0].text == "test" and s.spans[1:] and s.spans[1].text in _ALL_OF:
        s.mean(s.spans[0], ())
    for span in s.spans[:-1]:
        if span.text not in word_set("fillers"):
            return
        s.mean(span, tuple(one for one in span.meanings if one.role != "ask_health"))


def _behind_nouns(tokens: Sequence[Token], words: Lexicon) -> frozenset[str]:
    """Words behind the noun of one resource: more likely its name than a typing mistake."""
    found = set()
    for noun, behind in pairwise(tokens):
        kinds = words.phrases.get((noun.text,), ())
        if any(one.role == "type" for one in kinds) and not is_plural(noun.text):
            found.add(behind.text)
    return frozenset(found)


@cache
def _short_of() -> dict[str, str]:
    """What is left of a short word where one letter is forgotten -> the word: `dsk`, `abov`."""
    found: dict[str, list[str]] = {}
    for word in sorted(set_of("short_words")):
        for at in range(1, len(word)):
            said = word[:at] + word[at + 1 :]
            if len(said) > _SHORTEST or word[at] in "aeiou":
                found.setdefault(said, []).append(word)
    return {said: words[0] for said, words in found.items() if len(set(words)) == 1}


_SHORTEST = 3
_GLUED = ("-", "_", "*", ".", "/")


def _shortened(
    text: str, tokens: list[Token], known: Container[str]
) -> tuple[list[Token], tuple[tuple[str, str], ...]]:
    """Words too short for the ordinary mending, with the letter that was forgotten."""
    made, changes = [], []
    for token in tokens:
        better = _short_of().get(token.text) if token.kind == "word" else None
        if better is None or token.text in known or text[token.end : token.end + 1] in _GLUED:
            made.append(token)
            continue
        changes.append((token.text, better))
        made.append(replace(token, text=better))
    return made, tuple(changes)


def own_question(text: str, lexicon: Lexicon, never: Collection[str]) -> Own:
    """Read it; typing mistakes are mended first, in the text too, for times are read from it."""
    words = lexicon.account
    assert words is not None
    text = text.rstrip(" .!?") or text
    keys = frozenset((*words.live.keys, *hint("tag_keys"), *_KEYS))
    tokens = pieces_of(text, words.known, keys)
    known = KnownWords(words, lexicon.known.words, _behind_nouns(tokens, words))
    tokens, mended = corrected(tokens, known, words.vocabulary, never)
    tokens, shortened = _shortened(text, tokens, known)
    mended = (*mended, *shortened)
    if mended:
        text = mended_text(text, tokens, mended)
        tokens = pieces_of(text, words.known, keys)
    s = sentence_of(text, tokens, words)
    take_back(s)
    hear_purpose(s)
    _services_meant(s)
    _services_apart(s, words)
    _opening(s)
    hear_nobody(s)
    return Own(s, words, evidence_of(s), mended)
