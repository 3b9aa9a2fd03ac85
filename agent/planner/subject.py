"""Which tool a question is for: cues from the specs, and whether the tool takes what the question names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from agent.planner.amount import TIMES
from agent.planner.clusters import is_cluster
from agent.planner.language import language, word_set
from agent.planner.lexicon import Lexicon
from agent.planner.past import asks_history, judges, keeps_history
from agent.planner.phrases import PhraseSet
from agent.planner.sentence import Sentence, Span, priced
from agent.planner.tool import Tool
from agent.planner.worth import paid_for

_GPU = 2.2
_VALUE = 1.2
_STRONG = 3.0
"""A cue that says by itself which tool is meant."""
_PLAIN = 4.5
"""A cue of so many words that nothing else is meant by them."""
_STATE = 0.8
_OFF_TOPIC = 2.6
_MISSED = 4.0
_AGE = 3.0
_WELL = 1.0
_HISTORY = 4.0
_STOCK = 2.0
_RENTED = 3.0
_SIZE = 1.0
_MONEY = 0.5
_KEYED = 2.0
_RELIABLE = 3.0
_OUTPUT = ("format", "max_age")
"""What many tools take and that says nothing of the subject."""


def scores_of(s: Sentence, lexicon: Lexicon) -> dict[str, float]:
    """How much speaks for each tool, those that are not there yet included."""
    scores = dict(s.cues)
    tools = [tool for tool in lexicon.tools.values() if tool.of_market]
    history, judged, telling = asks_history(s), judges(s), _telling(s)
    another = waits(s, lexicon, _STRONG)
    for tool in tools:
        past = keeps_history(tool)
        if past and (not history or (another and not any(map(priced, s.spans)))):
            # `what changed since yesterday` is of what one runs, unless prices are spoken of.
            continue
        if named := _fits(s, tool, telling) + (_HISTORY + judged) * past:
            scores[tool.name] = scores.get(tool.name, 0.0) + named
    if s.why:
        scores = {name: score for name, score in scores.items() if lexicon.tools[name].has("gpu")}
    if whole_stock(s):
        scores = {name: score for name, score in scores.items() if lexicon.tools[name].here}
        for tool in tools:
            if tool.has("gpu") and not keeps_history(tool):
                scores[tool.name] = scores.get(tool.name, 0.0) + _STOCK
    if rented(s) or is_cluster(s):
        scores = {
            n: v
            for n, v in scores.items()
            if n not in language().hints["yields_to_gpu"] or lexicon.tools[n].here
        }
        for tool in tools:
            if tool.has("hours"):
                scores[tool.name] = scores.get(tool.name, 0.0) + _RENTED
    for name, weight in _asked_about(s, lexicon):
        scores[name] = scores.get(name, 0.0) + weight
    if s.has("gpu", "=instance_type") and not own_account(s):
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


def waits(s: Sentence, lexicon: Lexicon, least: float = _PLAIN) -> bool:
    """Whether a tool that is not there yet is plainly meant: `which vms can be shut down`."""
    return any(
        weight >= least and name in lexicon.tools and not lexicon.tools[name].here
        for name, weight in s.cues.items()
    )


def _asked_about(s: Sentence, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    """`why is azure missing`, `how old is the data`: about the sources, whatever else is named."""
    if absent(s):
        yield from ((name, _MISSED) for name in language().hints["absence"] if name in lexicon.tools)
    if _which_credentials(s):
        yield from (
            (tool.name, _MISSED) for tool in lexicon.tools.values() if "credential_names" in tool.fields
        )
    last = next((span for span in reversed(s.spans) if span.text[0].isalnum()), None)
    if last is not None and last.text in word_set("well") and s.has("provider"):
        # `aws and gcp both fine?`
        yield from ((tool.name, _WELL) for tool in lexicon.tools.values() if tool.has("check"))
    if s.has("asks_age") and set(s.words()) & word_set("data_nouns"):
        yield from (
            (tool.name, _AGE)
            for tool in lexicon.tools.values()
            if tool.of_market and "freshness" in tool.values("check")
        )


def _which_credentials(s: Sentence) -> bool:
    """`what credentials does gcp want`: their names, not whether they work."""
    words = s.words()
    verbs = [at for at, word in enumerate(words) if word in ("does", "do", "will", "would")]
    return (
        words[:1] in (("what",), ("which",))
        and s.has("provider")
        and any(span.get("=check") == "credentials" for span in s.spans)
        and bool(verbs)
        and bool(_WANTS & set(words[verbs[0] :]))
    )


_WANTS = frozenset(
    ("want", "wants", "expect", "expects", "take", "takes", "accept", "accepts", "ask", "look", "use", "need")
)


def whole_stock(s: Sentence) -> bool:
    """`everything on vast`, `what does lambda have`: all that a seller offers, and nothing else is named.

    `all instances on aws` are one's own.
    """
    sellers = s.has("provider", "sellers")
    if not sellers or any(span.get("unit") == "node" for span in s.spans):
        return False
    words = s.words()
    if {"i", "we", "my", "our"} & set(words) and not word_set("conditional") & set(words):
        return False
    everything = s.has("all_rows")
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
    if s.why or not s.has("provider"):
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
    return _fits(s, tool, _telling(s))


def _telling(s: Sentence) -> list[Span]:
    """The phrases that can tell which tool is meant."""
    return [
        span for span in s.spans if any(one.role[0] == "=" or one.role in _SPEAK for one in span.meanings)
    ]


_SPEAK = frozenset(("unit", "field", "value_for"))


def _fits(s: Sentence, tool: Tool, telling: list[Span]) -> float:
    if not tool.parameters:
        return 0.0
    total = sum([_told(s, span, tool) for span in telling])
    models = [index for index, span in enumerate(s.spans) if span.plays("gpu")] if s.has("gpu") else []
    if models and tool.has("gpu"):
        total += _GPU
    if tool.has("max_price"):
        times = any(s.plays(i - 1, "unit") and s.spans[i - 1].get("unit") == "times" for i in models if i)
        total += _VALUE * (_for_money(s) + times) + _RENTED * any(_outdone(s, index) for index in models)
    return total


def _told(s: Sentence, span: Span, tool: Tool) -> float:
    """What one phrase says for a tool; models are counted once, and apart."""
    roles = [meaning.role for meaning in span.meanings]
    if "=instance_type" in roles and tool.has("instance_type"):
        return _GPU
    if "=name" in roles or "gpu" in roles:
        return 0.0
    taken = [role[1:] for role in roles if role[0] == "=" and tool.has(role[1:])]
    if any(argument not in _LITTLE for argument in taken):
        computing = "rank_by" in taken and str(span.get("=rank_by")).startswith("tflop")
        return _GPU if computing else _VALUE
    if any(argument in _STATES for argument in taken):
        keyed = span.get("=check") in ("permissions", "quota")
        return _STATE + _KEYED * (keyed and s.has("provider"))
    unit = span.get("unit") if "unit" in roles else None
    if "field" in roles and span.get("field") == "reliability" and tool.has("max_price"):
        return _RELIABLE
    if "value_for" in roles and tool.has("rank_by"):
        return _VALUE
    if unit == "gb" and tool.has("memory"):
        return _SIZE
    return _MONEY if unit in ("usd", "cent") and tool.has("max_price") else 0.0


_STATES = ("status", "check")
_LITTLE = frozenset((*_STATES, "vendor", *_OUTPUT))
"""Arguments whose values tell little of which tool is meant."""


def _outdone(s: Sentence, index: int) -> bool:
    """`faster than an A100`."""
    return s.plays(index - 1, "outdoing") or (
        s.plays(index - 2, "outdoing") and s.spans[index - 1].text in ("a", "an", "the")
    )


def _for_money(s: Sentence) -> bool:
    """A size with a price, a measure for the money: only offers have both."""
    units = {span.get("unit") for span in s.spans}
    if any("vram" in span.text or span.text.startswith("gpu ") for span in s.spans if span.plays("quantity")):
        units |= {"gb"} if units & {"usd", "cent"} else {"usd"}
    measured = s.has("measure") and (s.has("value_for") or bool(paid_for(s)))
    if "gb" in units and s.has("=available", "=available_word"):
        return True
    return measured or ("gb" in units and bool(units & {"usd", "cent"}))


def rented(s: Sentence) -> bool:
    """`ten hours of 4x A100`, `an A40 for a week`: a GPU is named, and how long it is to be used.

    Not of what was: `we paid for two weeks of H100s`, `H100s older than 5 days`.
    """
    said = set(s.words())
    if not s.has("gpu") or said & word_set("not_rented"):
        return False
    if said & word_set("own_account") - _BESIDE_A_LENGTH or _whose_machines(s):
        return False
    if s.has("how_long") and said & _FUNDS:
        return True
    for index, span in enumerate(s.spans):
        if span.get("unit") not in TIMES or not index or span.text == "min":
            continue
        at = index - 1
        while at > 0 and s.spans[at].text in ("full", "whole", "entire", "straight", "solid", "consecutive"):
            at -= 1
        lead = s.at(at - 1)
        counted = s.spans[at].number is not None or s.spans[at].text in ("a", "an", "one")
        for_long = s.spans[at].text in ("a", "an", "one") and (lead is None or lead.text not in ("for", "of"))
        behind = lead is not None and (lead.plays("op", "max_age") or lead.text in _PAST)
        if counted and not behind and not for_long:
            return True
    return False


def _whose_machines(s: Sentence) -> bool:
    """`our A100s`, `my two H100 boxes`; not `our board`, `my grant`."""
    owned = [i for i, span in enumerate(s.spans) if span.text in ("my", "our", "mine", "ours")]
    return any(
        span.plays("gpu") or span.number is not None or span.get("unit") in ("gpu", "node")
        for i in owned
        for span in s.spans[i + 1 : i + 3]
    )


_FUNDS = frozenset(
    ("$", "dollars", "dollar", "usd", "bucks", "k", "budget", "grand", "have", "grant", "spend")
)
_BESIDE_A_LENGTH = frozenset(("my", "our", "bill", "bills", "spend", "spending"))
"""Words of one's own account that also ask what something would cost."""
_PAST = frozenset(("last", "past", "previous", "since", "within", "than", "every", "the"))


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
