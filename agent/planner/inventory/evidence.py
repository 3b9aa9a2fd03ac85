"""What in a question says that one's own resources are meant, by kind of evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from agent.planner.inventory.amounts import PERIODS, amount_at
from agent.planner.inventory.facts import hint, is_plural, set_of
from agent.planner.inventory.had import equipped, gpus, of_market, spot
from agent.planner.inventory.measuring import measure
from agent.planner.inventory.words import time_words
from agent.planner.language import everyday, language
from agent.planner.sentence import Sentence, Span

_SHORTEST, _FEW = 3, 3


@dataclass
class Evidence:
    """What a question names, by kind: the places where it does."""

    places: dict[str, list[int]] = field(default_factory=dict)

    def add(self, kind: str, place: int) -> None:
        """Note one more place."""
        self.places.setdefault(kind, []).append(place)

    def has(self, *kinds: str) -> bool:
        """Whether there is evidence of one of the kinds."""
        return any(kind in self.places for kind in kinds)

    @property
    def named(self) -> bool:
        """Whether resources, or some of them, are named."""
        return any(hint("evidence")[kind].get("of") == "us" for kind in self.places)

    @property
    def one_named(self) -> bool:
        """Whether one resource is named."""
        return self.has("name", "named", "word", "id")

    @property
    def anchored(self) -> bool:
        """Whether anything is named that only resources have."""
        ours = any("of" in hint("evidence")[kind] for kind in self.places)
        return ours or {"anything", "region"} <= self.places.keys()

    def total(self) -> float:
        """How much speaks for resources of one's own: each kind once, a little more where it is repeated."""
        weights, anchored = hint("evidence"), self.anchored
        total = 0.0
        for kind, at in self.places.items():
            if anchored or not weights[kind].get("leans"):
                total += float(weights[kind]["weight"]) * (1 + 0.3 * (min(len(at), 3) - 1))
        return total


def evidence_of(s: Sentence) -> Evidence:
    """Gather it from the spans."""
    found = Evidence()
    for index, span in enumerate(s.spans):
        for kind in dict.fromkeys(_kinds(s, index, span)):
            found.add(kind, index)
    if set_of("sellers_said") & set(s.words()):
        # `the suppliers on our shortlist`: what is ours there is no machine.
        found.places.pop("mine", None)
    return found


def _kinds(s: Sentence, index: int, span: Span) -> Iterator[str]:
    kinds = _kinds_of_roles()
    yield from (kinds[meaning.role] for meaning in span.meanings if meaning.role in kinds)
    for told in _TOLD if span.meanings else (_unknown_name, _one_behind):
        if (kind := told(s, index, span)) is not None:
            yield kind


@cache
def _kinds_of_roles() -> dict[str, str]:
    """Role of a phrase -> the kind of evidence that it is by itself."""
    return {role: kind for kind, one in hint("evidence").items() for role in one.get("roles", ())}


# --- nouns -------------------------------------------------------------------------------------------


def _noun(s: Sentence, index: int, span: Span) -> str | None:
    if span.plays("type"):
        of_both = span.get("type") in hint("machines") and not span.plays("service")
        return "machine" if of_both else "type"
    if span.plays("service"):
        return "service"
    return "shy_type" if _shy_noun(s, span) else None


def _grouped(s: Sentence, index: int, span: Span) -> str | None:
    """`instances per gpu model`: resources in groups are counted, whatever they are grouped by."""
    typed = span.plays("type", "service") and is_plural(span.text)
    return "grouped" if typed and s.plays(index + 1, "per") and not of_market(s) else None


def _ranked_teams(s: Sentence, index: int, span: Span) -> str | None:
    """`gpu count per team`, `which owner uses most`: tags are of what one runs."""
    lead = s.at(index - 1)
    asked = lead is not None and (lead.plays("per") or lead.text in ("which", "what"))
    ranked = span.plays("account_word") and s.has("priced")
    return "label" if asked and (ranked or span.plays("tag_key", "team_behind")) else None


def _shy_noun(s: Sentence, span: Span) -> bool:
    """A word with other uses that is a noun of resources here."""
    if not span.plays("shy_type") or span.plays("provider", "gpu") or span.get("shy_type") == "gpu_instance":
        return False
    grouped = s.has("per", "aside")
    return is_plural(span.text) or not span.plays("shy_metric", "size_of") or grouped


def _name(s: Sentence, index: int, span: Span) -> str | None:
    if not span.plays("=name", "quoted", "=name_contains"):
        return None
    if not span.plays("=name") or str(span.get("=name") or "").lower() in s.known_names:
        return "name"
    return "word" if span.text.isalnum() else "named"


def _unknown_name(s: Sentence, index: int, span: Span) -> str | None:
    """`is jenkins up`: a word that means nothing else, and it is asked whether it is well."""
    if span.meanings or span.number is not None or span.kind != "word" or len(span.text) < _SHORTEST:
        return None
    if span.text in everyday() or span.text in time_words() or not span.text.isalpha():
        return None
    after = s.at(index + 1)
    if index and s.spans[index - 1].text == "does" and after is not None and after.text in set_of("has_it"):
        return "word"
    if any(one.plays("type") and is_plural(one.text) for one in s.spans):
        return None
    content = [one for one in s.spans if one.text[0].isalnum() and one.text not in language().stop]
    if len(content) > _FEW or not s.has("ask_health"):
        return None
    last = index + 1 == len(s.spans)
    opens = s.spans[0].text in set_of("yes_no")
    return "word" if last or opens or s.plays(index + 1, "type", "shy_type") else None


def named_behind(s: Sentence, index: int) -> bool:
    """Whether a word stands as a name behind the noun of one resource: `of load balancer front`."""
    span, noun, lead = s.spans[index], s.at(index - 1), s.at(index - 2)
    if (
        noun is None
        or not noun.plays("type", "service", "shy_type")
        or is_plural(noun.text)
        or span.number is not None
    ):
        return False
    if span.kind not in ("word", "name") or any(one.role not in _WEAK for one in span.meanings):
        return False
    if span.text in language().stop | time_words() | set_of("place_leads") | set_of("has_it"):
        return False
    if noun.text == "gpu" or (noun.plays("provider") and span.plays("=check")):
        # `my lambda key`
        return False
    led = lead is not None and lead.text.split()[-1] in set_of("names_lead")
    after = s.at(index + 1)
    asks = s.spans[0].text in set_of("yes_no") and after is None
    ends = (
        after is None or not after.text[0].isalnum() or bool(after.meanings) or after.text in language().stop
    )
    return led and ends and not asks and not span.text.endswith(("ing", "ed"))


_WEAK = ("everything", "=check")
"""Roles of words that may be a name all the same."""


def _one_behind(s: Sentence, index: int, span: Span) -> str | None:
    return "named" if index and named_behind(s, index) else None


def _head(s: Sentence, index: int, span: Span) -> str | None:
    """`instance types in use`: what resources have is asked for."""
    if s.plays(index - 1, "total") and span.plays("size_of") and not span.plays("shy_metric"):
        return "head"
    heads = span.get("dim") in ("instance_type", "engine", "runtime")
    return "head" if heads and is_plural(span.text) else None


# --- what they are filtered by -------------------------------------------------------------------------


def _label(s: Sentence, index: int, span: Span) -> str | None:
    if not span.plays("tagged", "lacks", "owned_by", "tag_key", "team_behind"):
        return None
    told = span.plays("tagged") and span.text not in set_of("tag_nouns")
    told = told or (span.plays("lacks") and s.plays(index + 1, "tag_key"))
    owned = span.plays("owned_by") and span.text.startswith(("owned", "belong"))
    told = told or (owned and index + 1 < len(s.spans))
    called = index + 1 < len(s.spans) and s.spans[index + 1].text in set_of("team_names")
    told |= called and span.plays("tag_key", "owned_by")
    strange = (after := s.at(index + 1)) is not None and not after.meanings and after.kind in ("word", "name")
    if span.plays("owned_by") and span.text.endswith("team") and after is not None and strange:
        told = told or (after.number is None and after.text not in everyday())
    before = s.spans[index - 1].text if index else "per"
    told = told or (span.plays("team_behind") and before not in set_of("articles") | {"per", "by"})
    return "label" if told else None


def _state(s: Sentence, index: int, span: Span) -> str | None:
    return "state" if span.plays("state", "unused") and not span.plays("threshold") else None


def _age(s: Sentence, index: int, span: Span) -> str | None:
    if span.text.split()[0] in set_of("creates") and any(
        _of_time(one) or one.kind == "date" for one in s.spans[index + 1 :]
    ):
        return "age"
    if not span.plays("then_running", "running_for", "older_sure", "newer_sure", "old"):
        return None
    if span.plays("then_running") and any(
        _of_time(one) or one.kind == "date" for one in s.spans[index + 1 :]
    ):
        return "age"
    if span.plays("running_for") and not any(
        one.number is not None or one.text in ("a", "an") for one in s.spans[index + 1 : index + 4]
    ):
        return None
    sure = span.plays("older_sure", "newer_sure", "running_for") and span.text not in set_of("compares_more")
    return "age" if sure or (span.plays("old") and span.text == "old") else None


def _of_time(span: Span) -> bool:
    return span.get("unit") in PERIODS or any(word in time_words() for word in span.text.split())


def _extreme(s: Sentence, index: int, span: Span) -> str | None:
    return "extreme" if str(span.get("extreme")).startswith(("created", "size")) else None


def _place(s: Sentence, index: int, span: Span) -> str | None:
    grouped = span.plays("dim") and s.plays(index - 1, "per")
    return "place" if span.plays("account", "account_word") and not grouped else None


def _contains(s: Sentence, index: int, span: Span) -> str | None:
    after = s.at(index + 1)
    strange = after is not None and not after.meanings and after.number is None
    return "contains" if span.plays("contains") and strange else None


def _machine_type(s: Sentence, index: int, span: Span) -> str | None:
    said = span.get("=instance_type")
    return "kind" if said is not None and str(said).lower() not in s.gpu_machines else None


# --- numbers and money ---------------------------------------------------------------------------------


def _number(s: Sentence, index: int, span: Span) -> str | None:
    unit = span.get("unit")
    if unit == "gb" and _of_machines(s):
        return "sized"
    if unit == "core":
        return "core"
    of_metric = unit in hint("unit_metric") and len(span.text) > 1
    if s.has("figure_of") and any(one.get("figure_of") == "timeout_s" for one in s.spans):
        return None
    numbered = index > 0 and s.spans[index - 1].number is not None
    return "percent" if unit == "percent" or (of_metric and numbered) else None


def _priced(s: Sentence, index: int, span: Span) -> str | None:
    dear = str(span.get("extreme")).startswith("price")
    if not (span.plays("priced") or dear or span.get("unit") == "usd"):
        return None
    runs = any(one.plays("everything") and one.text.startswith("what") for one in s.spans)
    runs = runs and not any(one.plays("gpu") or one.text in ("gpu", "gpus") for one in s.spans)
    return "priced" if _of_machines(s) or runs else None


def _of_one_named(s: Sentence, index: int, span: Span) -> str | None:
    """`hourly price of web-01`, `who owns vision-02`: a field of what is named, where no GPU is."""
    asked = span.plays("field_of", "priced") and s.has("=name")
    return "field" if asked and not s.has("gpu") else None


def _beside(s: Sentence, index: int, span: Span) -> str | None:
    """`are we overpaying for our A100s`; but `am I overpaying at $2` is of a price."""
    if not span.plays("market_word"):
        return None
    numbers = [at for at, one in enumerate(s.spans) if one.number is not None and not one.plays("gpu")]
    prices = (at for at in numbers if at and s.spans[at - 1].text in ("is", "at", "pay", "paying"))
    if any(prices) or any(amount_at(s, at).unit == "usd" for at in numbers):
        return None
    told = ("mine", "state", "type", "env", "tag_value", "owned_by", "tagged", "account")
    ours = any(one.plays(*told) or one.text in ("gpus", "we") for one in s.spans)
    return "beside" if ours else None


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


def _gpu_metric(s: Sentence, index: int, span: Span) -> str | None:
    """`gpu utilization of the oci h100s`: what is offered has no load."""
    if not str(span.get("metric")).startswith("gpu_"):
        return None
    money = s.has("priced") or any(one.get("unit") == "usd" for one in s.spans)
    return None if money else "gpu_metric"


_TOLD: tuple[Callable[[Sentence, int, Span], str | None], ...] = (
    _noun,
    gpus,
    _name,
    _unknown_name,
    _one_behind,
    _head,
    _label,
    _state,
    _age,
    _extreme,
    _place,
    _contains,
    _machine_type,
    measure,
    _number,
    _gpu_metric,
    _priced,
    _of_one_named,
    _beside,
    equipped,
    _ranked_teams,
    _grouped,
    spot,
)
