"""Which tool a question about what one runs is for, and how much speaks for its being one at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.planner.inventory.facts import hint, is_plural, set_of
from agent.planner.inventory.measures import speaks
from agent.planner.inventory.words import time_words
from agent.planner.language import language, word_set
from agent.planner.lexicon import Lexicon, Tool
from agent.planner.sentence import Sentence, Span
from cloudtop import metrics

WEIGHTS = {
    "type": 3.0,
    "service": 3.0,
    "machine": 1.0,
    "shy_type": 1.0,
    "state": 1.4,
    "health": 1.6,
    "label": 2.5,
    "env": 1.3,
    "name": 2.5,
    "named": 1.6,
    "word": 0.8,
    "tempted": 1.0,
    "id": 3.2,
    "metric": 2.6,
    "shy_metric": 1.2,
    "percent": 2.2,
    "age": 2.2,
    "extreme": 0.8,
    "mine": 1.4,
    "everything": 1.3,
    "anything": 0.6,
    "kind": 2.2,
    "place": 2.2,
    "services": 2.6,
    "core": 1.6,
    "percentile": 2.6,
    "equipped": 2.5,
    "head": 0.8,
    "search": 2.0,
    "contains": 1.0,
    "priced": 1.6,
    "sized": 1.2,
    "gpus": 3.0,
    "region": 0.0,
}
"""How much each kind of evidence says that one's own resources are meant; each counts once, or twice."""


_ANCHORS = frozenset(
    (
        "type",
        "service",
        "machine",
        "shy_type",
        "label",
        "env",
        "name",
        "named",
        "word",
        "id",
        "metric",
        "kind",
        "place",
        "search",
        "contains",
        "gpus",
        "percentile",
        "head",
    )
)
_NAMED = frozenset(("type", "service", "machine", "shy_type", "name", "named", "word", "id", "label", "env"))
_LEANING = frozenset(("health", "tempted", "anything", "shy_metric"))


@dataclass
class Evidence:
    """What a question names, by kind: the places where it does."""

    places: dict[str, list[int]] = field(default_factory=dict)

    def add(self, kind: str, place: int) -> None:
        """Note one more place."""
        self.places.setdefault(kind, []).append(place)

    def __contains__(self, kind: str) -> bool:
        return kind in self.places

    @property
    def named(self) -> bool:
        """Whether resources, or some of them, are named."""
        return bool(_NAMED & self.places.keys())

    @property
    def anchored(self) -> bool:
        """Whether anything is named that only resources have."""
        return bool(_ANCHORS & self.places.keys()) or {"anything", "region"} <= self.places.keys()

    def total(self) -> float:
        """How much speaks for resources of one's own; what a connection has as well needs one of them beside it."""
        leaning = frozenset() if self.anchored else _LEANING
        return sum(
            WEIGHTS[kind] * (1 + 0.3 * (min(len(at), 3) - 1))
            for kind, at in self.places.items()
            if kind not in leaning
        )


def evidence_of(s: Sentence) -> Evidence:
    """Gather it from the spans."""
    found = Evidence()
    for index, span in enumerate(s.spans):
        for kind in _kinds(s, index, span):
            found.add(kind, index)
    return found


def _kinds(s: Sentence, index: int, span: Span) -> Iterator[str]:
    if span.plays("type"):
        if span.get("type") == "gpu_instance" and is_plural(span.text):
            yield "gpus"
        yield "machine" if span.get("type") in hint_machines() and not span.plays("service") else "type"
    elif span.plays("service"):
        yield "service"
    elif _shy_noun(s, span):
        yield "shy_type"
    if span.plays("threshold") and not span.plays("metric"):
        yield "metric" if str(span.get("threshold")).startswith("gpu_") else "tempted"
    elif speaks(span):
        yield "metric"
    elif str(span.get("agg")).startswith("p") and span.text != "median":
        yield "percentile"
    elif span.plays("shy_metric") and _measured_here(s, index):
        yield "metric"
    elif span.plays("shy_metric") and s.plays(index - 1, "many", "few") and span.get("size_of") != "vram":
        yield "metric"
    elif span.plays("shy_metric") and (noun := _noun_before(s, index)) is not None:
        if noun in metrics.metrics()[str(span.get("shy_metric"))].of:
            yield "metric"
    elif span.plays("shy_metric") and not _is_size(s, index):
        yield "shy_metric"
    if span.plays("state", "unused") and not span.plays("threshold"):
        yield "state"
    if span.plays("health_state"):
        yield "health"
    if span.plays("untagged", "unnamed", "pair", "in_name", "begins", "ends") or (
        span.plays("tagged") and span.text not in ("tag", "tags", "label", "labels", "marked")
    ):
        yield "label"
    if span.plays("lacks") and s.plays(index + 1, "tag_key"):
        yield "label"
    if span.plays("owned_by") and span.text.startswith(("owned", "belong")):
        yield "label"
    if (
        span.plays("team_behind")
        and index
        and s.spans[index - 1].text not in set_of("articles") | {"per", "by"}
    ):
        yield "label"
    if span.plays("env", "tag_value"):
        yield "env"
    if _unknown_name(s, index, span):
        yield "word"
    if span.plays("=name", "quoted", "=name_contains"):
        live = str(span.get("=name") or "").lower() in s.known_names
        yield "name" if live or not span.plays("=name") else "named" if not span.text.isalnum() else "word"
    if span.plays("=id", "=ip"):
        yield "id"
    if span.get("unit") == "percent":
        yield "percent"
    if (
        span.get("unit") in hint("unit_metric")
        and len(span.text) > 1
        and index
        and s.spans[index - 1].number is not None
    ):
        yield "percent"
    if span.get("unit") == "core":
        yield "core"
    if span.plays("older_sure", "newer_sure", "running_for") or (span.plays("old") and span.text in ("old",)):
        if span.text not in (
            "less than",
            "at most",
            "within",
            "no older than",
            "not older than",
            "fresher than",
        ):
            yield "age"
    if span.plays("extreme") and str(span.get("extreme")).startswith(("created", "size")):
        yield "extreme"
    if span.plays("anything"):
        yield "anything"
    if span.plays("mine"):
        yield "mine"
    if span.plays("everything"):
        yield "everything"
    if span.plays("engine", "runtime", "encrypted", "public", "namespace_word"):
        yield "kind"
    if span.plays("account", "account_word") and not (span.plays("dim") and s.plays(index - 1, "per")):
        yield "place"
    if span.plays("services", "see"):
        yield "services"
    if span.plays("region"):
        yield "region"
    if span.plays("search_for"):
        yield "search"
    if (
        span.plays("contains")
        and (after := s.at(index + 1)) is not None
        and not after.meanings
        and after.number is None
    ):
        yield "contains"
    if span.plays("=instance_type") and str(span.get("=instance_type")).lower() not in s.gpu_machines:
        yield "kind"
    dear = str(span.get("extreme")).startswith("price")
    if (span.plays("priced") or dear or span.get("unit") == "usd") and _of_machines(s):
        yield "priced"
    if span.get("dim") in ("instance_type", "engine", "runtime") and is_plural(span.text):
        yield "head"
    if span.plays("gpu") and (_had_by_machines(s, index) or _had_by_us(s)):
        yield "equipped"
    if span.get("unit") == "gb" and _of_machines(s):
        yield "sized"


def _shy_noun(s: Sentence, span: Span) -> bool:
    """A word with other uses that is a noun of resources here."""
    if not span.plays("shy_type") or span.plays("provider", "gpu") or span.get("shy_type") == "gpu_instance":
        return False
    grouped = any(one.plays("per", "aside") for one in s.spans)
    return is_plural(span.text) or not span.plays("shy_metric", "size_of") or grouped


def _unknown_name(s: Sentence, index: int, span: Span) -> bool:
    """`is jenkins up`, `health of the payments cluster`: a word that means nothing else, asked whether it is well."""
    if span.meanings or span.number is not None or span.kind != "word" or len(span.text) < _SHORTEST:
        return False
    if span.text in language().stop | language().common | time_words() or not span.text.isalpha():
        return False
    content = [one for one in s.spans if one.text[0].isalnum() and one.text not in language().stop]
    if len(content) > _FEW or not any(one.plays("ask_health") for one in s.spans):
        return False
    last = index + 1 == len(s.spans)
    return last or s.spans[0].text in set_of("yes_no") or s.plays(index + 1, "type", "shy_type")


_SHORTEST = 3
_FEW = 3


def _measured_here(s: Sentence, index: int) -> bool:
    """`average memory`, `egress per region`; not `total size`, which is added up."""
    if _in_money(s) or s.spans[index].plays("shy_type"):
        return False
    if s.plays(index + 1, "per") and (s.plays(index + 2, "dim", "tag_key")):
        return s.spans[index].text not in ("size", "objects", "capacity")
    return s.plays(index - 1, "agg") and not (
        s.plays(index - 1, "total") and s.spans[index].plays("size_of", "order_by")
    )


def _in_money(s: Sentence) -> bool:
    return any(span.plays("priced", "gpu") or span.get("unit") in ("usd", "gb") for span in s.spans)


def _had_by_us(s: Sentence) -> bool:
    """`do we own any h200`: of one's own, unless money is spoken of."""
    ours = any(span.plays("mine") and len(span.text.split()) > 1 for span in s.spans)
    return ours and not any(span.plays("priced", "extreme") or span.get("unit") == "usd" for span in s.spans)


def _had_by_machines(s: Sentence, index: int) -> bool:
    """`which instances have v100s`: of machines that exist."""
    verb = next(
        (
            at
            for at in (index - 1, index - 2)
            if (one := s.at(at)) is not None and one.text in ("have", "has", "got")
        ),
        None,
    )
    return verb is not None and any(span.get("type") == "instance" for span in s.spans[:verb])


def _of_machines(s: Sentence) -> bool:
    """Machines in general are spoken of, and no GPU."""
    gpus = any(
        span.plays("gpu")
        or span.get("type") == "gpu_instance"
        or span.get("size_of") == "vram"
        or span.text in ("gpu", "gpus")
        for span in s.spans
    )
    return not gpus and any(span.get("type") == "instance" and is_plural(span.text) for span in s.spans)


def hint_machines() -> frozenset[str]:
    """The types that prices are of as well."""
    return frozenset(hint("machines"))


def chosen(s: Sentence, words: Lexicon, seen: Evidence, *, turn: bool = False) -> Tool | None:
    """The tool that takes most of what is named; None where none fits. `turn`: it is known of which resources."""
    scores = {
        tool.name: _score(s, tool, seen, turn)
        for tool in words.tools.values()
        if tool.here and not tool.market
    }
    best = min(scores, key=lambda name: (-round(scores[name], 3), name), default=None)
    return words.tools[best] if best is not None and scores[best] > 0 else None


_OWN_CUE = 1.5


def _score(s: Sentence, tool: Tool, seen: Evidence, turn: bool) -> float:
    score = s.cues.get(tool.name, 0.0) * (_OWN_CUE if tool.of_its_own else 0.5)
    if not tool.of_account:
        return score + (2.0 if "services" in seen and _lists_services(tool) else -5.0)
    for span in s.spans:
        score += sum(1.5 for argument, _ in span.values if tool.has(argument) and argument in tool.words)
    if tool.has("agg"):
        return score + _measures(s, seen, turn)
    if tool.has("check"):
        return score + _health(s, seen)
    if tool.has("id") and not tool.has("resource_type"):
        return score + _one(s, seen)
    return score + (1.0 if tool.has("missing_tag") else 0.3)


def named_in(seen: Evidence) -> bool:
    """Whether one resource is named."""
    return bool({"name", "named", "word", "id"} & seen.places.keys())


def _lists_services(tool: Tool) -> bool:
    return "capabilities" in tool.fields


def _measures(s: Sentence, seen: Evidence, turn: bool) -> float:
    """A metric that is meant as one."""
    if {"metric", "percent", "tempted", "percentile"} & seen.places.keys():
        return 4.0
    if _adds_up(s):
        return -5.0
    measured = any(span.plays("measured", "all_metrics", "agg", "many", "ranked_metric") for span in s.spans)
    named = named_in(seen) or turn
    told = (i for i, span in enumerate(s.spans) if span.plays("all_metrics"))
    stats = any(not s.plays(i - 1, "namespace_word", "account_word", "tagged") for i in told) and (
        named or "type" in seen or "machine" in seen
    )
    if stats:
        return 3.0
    if "shy_metric" not in seen:
        return -5.0
    compared = any(span.plays("op") for span in s.spans) and any(span.number is not None for span in s.spans)
    return 3.5 if measured or named or compared or _of_something(s, seen) else -1.0


def _adds_up(s: Sentence) -> bool:
    """`how much disk do our volumes take up altogether`, `their total size`: what they have is added up."""
    sized = any(span.plays("size_of") for span in s.spans)
    asks = any(span.text in ("how much", "size", "capacity") for span in s.spans)
    return asks and sized and any(span.plays("total") for span in s.spans)


def _noun_before(s: Sentence, index: int) -> str | None:
    """`database connections`, `lambda throttles`: the type of resource right before a word."""
    span = s.at(index - 1)
    if span is None or not span.plays("type", "service", "shy_type"):
        return None
    return str(span.get("type") or (span.get("service") or ("", None))[1] or span.get("shy_type"))


def _is_size(s: Sentence, place: int) -> bool:
    """`64gb memory`, `disks`, `by size`: how big, not how used."""
    before = place - 1
    while (one := s.at(before)) is not None and (one.text == "of" or one.plays("total")):
        before -= 1
    near = [one for one in (s.at(before), s.at(place + 1)) if one is not None]
    if any(one.get("unit") in ("gb", "tb", "mb") for one in near) and not any(
        sp.plays("measured") for sp in s.spans
    ):
        return True
    span = s.spans[place]
    if span.plays("shy_type") and is_plural(span.text):
        return True
    return span.text in ("size", "objects", "objects") and any(
        sp.plays("order_by", "per", "sort_by") for sp in s.spans[max(0, place - 1) : place]
    )


def _of_something(s: Sentence, seen: Evidence) -> bool:
    """`memory of the prod databases`, `memory by team`, `top 3 by memory`, `order databases by connections`."""
    place = seen.places["shy_metric"][0]
    after = s.at(place + 1)
    if s.plays(place - 1, "per", "sort_by"):
        ranked = any(span.plays("top", "extreme", "sort_by") or span.number is not None for span in s.spans)
        return ranked or s.words()[0] in ("order", "sort", "rank")
    return after is not None and (after.text in set_of("of_leads") or after.plays("per"))


def _health(s: Sentence, seen: Evidence) -> float:
    """Whether something is well is asked."""
    if "health" in seen:
        return 3.2
    asks = [i for i, span in enumerate(s.spans) if span.plays("ask_health")]
    first = s.spans[0].text.split()[0]
    if not asks:
        return 3.2 if _how_are(s, seen) else -5.0
    if "id" in seen and not {"name", "named", "word"} & seen.places.keys():
        return -5.0
    named = named_in(seen)
    alone = (
        len([span for span in s.spans if span.text[0].isalnum() and not span.plays("name")]) <= 4 and named
    )
    telling = any(
        s.spans[i].text.split()[0]
        in (
            "health",
            "healthy",
            "alive",
            "ok",
            "okay",
            "responding",
            "reachable",
            "operational",
            "healthcheck",
            "broken",
        )
        for i in asks
    )
    if telling or (
        named and (first in set_of("yes_no") or alone or s.spans[asks[0]].text.startswith("stat"))
    ):
        return 3.2
    state = "state" in seen and not telling
    return 2.0 if first in set_of("yes_no") and not state and ("type" in seen or "machine" in seen) else -1.0


def _how_are(s: Sentence, seen: Evidence) -> bool:
    """`how are the k8s nodes`, and nothing else is asked of them."""
    opens = s.words()[:2] in (("how", "are"), ("how", "is")) or s.words()[:1] == ("hows",)
    more = ("measured", "threshold", "priced", "old", "state", "public", "tagged", "metric", "shy_metric")
    return opens and seen.named and not any(span.plays(*more) for span in s.spans)


def _one(s: Sentence, seen: Evidence) -> float:
    """One resource, named, and nothing else that narrows."""
    if not named_in(seen):
        return -5.0
    others = [
        kind for kind in ("label", "age", "extreme", "state", "percent", "metric", "kind") if kind in seen
    ]
    plural = any(span.plays("type", "shy_type", "service") and is_plural(span.text) for span in s.spans)
    counted = any(
        span.plays("count", "per", "contains", "begins", "ends", "in_name", "=name_contains")
        for span in s.spans
    )
    if counted or plural or "label" in others or "age" in others or "extreme" in others:
        return -2.0
    asked = any(
        span.plays("details", "who_has", "field_of") and span.get("field_of") != "status" for span in s.spans
    )
    return 2.0 + asked - len(others)


def own_words(s: Sentence) -> bool:
    """Whether one's own account is spoken of."""
    return any(span.plays("mine") for span in s.spans) or bool(set(s.words()) & word_set("own_account"))
