"""Which tool a question about what one runs is for."""

from __future__ import annotations

from agent.planner.inventory.evidence import Evidence
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.lexicon import Lexicon
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool

_OWN_CUE = 1.5
_NO = -5.0
_SHORT = 4
_BESIDE_MARKET = 6.0
"""Only a list of machines is set beside the market."""


def chosen(
    s: Sentence, words: Lexicon, seen: Evidence, *, turn: bool = False, several: bool = False
) -> Tool | None:
    """The tool that takes most of what is named, None where none fits.

    `turn`: it is known of what. `several`: not the tool that tells all about one resource.
    """
    scores = {
        tool.name: _score(s, tool, seen, turn)
        for tool in words.tools.values()
        if tool.here
        and not tool.market
        and not (several and tool.has("id") and not tool.has("resource_type"))
    }
    best = min(scores, key=lambda name: (-round(scores[name], 3), name), default=None)
    return words.tools[best] if best is not None and scores[best] > 0 else None


def _score(s: Sentence, tool: Tool, seen: Evidence, turn: bool) -> float:
    score = s.cues.get(tool.name, 0.0) * (_OWN_CUE if tool.of_its_own else 0.5)
    if not tool.of_account:
        lists_services = "capabilities" in tool.fields
        return score + (2.0 if seen.has("services") and lists_services else _NO)
    for span in s.spans:
        score += sum(1.5 for argument, _ in span.values if tool.has(argument) and argument in tool.words)
    if tool.has("missing_tag") and s.has("market_word"):
        return score + _BESIDE_MARKET
    if tool.has("agg"):
        return score + _measures(s, seen, turn)
    if tool.has("check"):
        return score + _health(s, seen)
    if tool.has("id") and not tool.has("resource_type"):
        return score + _one(s, seen, turn)
    return score + (1.0 if tool.has("missing_tag") else 0.3)


def _measures(s: Sentence, seen: Evidence, turn: bool) -> float:
    """A metric that is meant as one."""
    if _total_of_size(s):
        return _NO
    if seen.has("metric", "percent", "tempted", "percentile"):
        return 4.0
    if _adds_up(s):
        return _NO
    named = seen.one_named or turn
    told = [i for i, span in enumerate(s.spans) if span.plays("all_metrics")]
    told = [i for i in told if not s.plays(i - 1, "namespace_word", "account_word", "tagged")]
    if told and (named or seen.has("type", "machine")):
        return 3.0
    if not seen.has("shy_metric"):
        return _NO
    measured = s.has("measured", "all_metrics", "agg", "many", "ranked_metric")
    compared = s.has("op") and any(span.number is not None for span in s.spans)
    return 3.5 if measured or named or compared or _of_something(s, seen) else -1.0


def _adds_up(s: Sentence) -> bool:
    """`how much disk do our volumes take up altogether`, `their total size`: what they have is added up."""
    sized = s.has("size_of")
    asks = any(span.text in set_of("sums") for span in s.spans)
    return _total_of_size(s) or (asks and sized and s.has("total"))


def _total_of_size(s: Sentence) -> bool:
    """`total memory per account`; not `total disk usage`."""
    return any(
        span.plays("size_of")
        and (s.plays(at - 1, "total") or (s.plays(at + 1, "total") and at + 2 == len(s.spans)))
        and not s.plays(at + 1, "measured", "metric", "shy_metric")
        for at, span in enumerate(s.spans)
    )


def _of_something(s: Sentence, seen: Evidence) -> bool:
    """`memory of the prod databases`, `memory by team`, `order databases by connections`."""
    place = seen.places["shy_metric"][0]
    after = s.at(place + 1)
    if s.plays(place - 1, "per", "sort_by"):
        ranked = any(span.plays("top", "extreme", "sort_by") or span.number is not None for span in s.spans)
        return ranked or s.words()[0] in ("order", "sort", "rank")
    return after is not None and (after.text in set_of("of_leads") or after.plays("per"))


def _health(s: Sentence, seen: Evidence) -> float:
    """Whether something is well is asked."""
    asks = [
        span.text
        for at, span in enumerate(s.spans)
        if span.plays("ask_health") and not (span.text in ("status", "state") and s.plays(at + 1, "state"))
    ]
    if s.spans[0].get("field_of") == "created_at":
        # `how long has it been running`
        return _NO
    if seen.has("health") or (set(asks) <= _GREETED and _how_are(s, seen)):
        return 3.2
    if not asks or (seen.has("id") and not seen.has("name", "named", "word")):
        return _NO
    opens = s.spans[0].text.split()[0] in set_of("yes_no")
    telling = any(said.split()[0] in set_of("well") for said in asks)
    if s.words()[:2] in (("status", "of"), ("health", "of"), ("condition", "of")) and not seen.has(
        "age", "metric"
    ):
        return 3.2
    others = [span for span in s.spans if span.text[0].isalnum() and not span.plays("name")]
    named = [span for span in s.spans if span.plays("=name", "quoted", "named", "=id")] or seen.has(
        "named", "word"
    )
    alone = (bool(named) and len(others) <= _SHORT) or asks[0].startswith("stat")
    if telling or (seen.one_named and (opens or alone)):
        return 3.2
    return 2.0 if opens and not seen.has("state") and seen.has("type", "machine") else -1.0


_GREETED = frozenset(("doing", "faring", "holding up"))


def _how_are(s: Sentence, seen: Evidence) -> bool:
    """`how are the k8s nodes`, and nothing else is asked of them."""
    opens = s.words()[:2] in (("how", "are"), ("how", "is")) or s.words()[:1] == ("hows",)
    more = ("measured", "threshold", "priced", "old", "state", "public", "tagged", "metric", "shy_metric")
    return opens and seen.named and not s.has(*more)


def _one(s: Sentence, seen: Evidence, turn: bool) -> float:
    """One resource, named here or before, and nothing else that narrows."""
    if not seen.one_named and not (turn and s.spans[0].plays("details")):
        return _NO
    several = ("count", "per", "contains", "begins", "ends", "in_name", "=name_contains")
    plural = any(
        span.plays("type", "shy_type", "service") and is_plural(span.text) and not span.plays("field_of")
        for span in s.spans
    )
    if plural or s.has(*several) or seen.has("label", "age", "extreme"):
        return -2.0
    asks = ("details", "who_has", "field_of")
    asked = any(span.plays(*asks) and span.get("field_of") != "status" for span in s.spans)
    return 2.0 + asked - sum(seen.has(kind) for kind in ("state", "percent", "metric", "kind"))
