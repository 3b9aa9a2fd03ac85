"""What of a question is about measuring: metrics, and words that are one only in company."""

from __future__ import annotations

from agent.planner.inventory.facts import hint, is_plural
from agent.planner.inventory.had import machines, of_market
from agent.planner.sentence import Sentence, Span
from cloudtop import metrics


def speaks(span: Span) -> bool:
    """Whether a phrase is about measuring at all."""
    return span.plays("metric", "ranked_metric", "threshold", "metric_op", "metric_list")


def measure(s: Sentence, index: int, span: Span) -> str | None:
    """What kind of evidence of measuring a phrase is, None where it is none."""
    if span.plays("threshold") and not span.plays("metric"):
        kinds = {str(one.get("type")) for one in s.spans if one.plays("type")}
        if span.plays("unused") and kinds and kinds <= set(hint("attachable")):
            return None
        of_gpus = any(
            one is not None and one.text in ("gpu", "gpus") for one in (s.at(index - 1), s.at(index + 1))
        )
        asked = index > 0 and s.spans[index - 1].text == "how"
        sure = str(span.get("threshold")).partition(" ")[0] not in _ALSO_OF_PRICES
        return "metric" if of_gpus or asked or sure else "tempted"
    if span.plays("ranked_metric") and any(one.text in ("dollar", "dollars", "buck", "$") for one in s.spans):
        return None
    if speaks(span):
        return "metric"
    if str(span.get("agg")).startswith("p") and span.text != "median":
        return "percentile"
    if not span.plays("shy_metric"):
        return None
    if (span.plays("state") and not compared_behind(s, index)) or sized_by_number(s, index):
        return None
    if share_of(s, index):
        return "metric"
    counted = s.plays(index - 1, "many", "few") and span.get("size_of") != "vram"
    noun = noun_before(s, index)
    if _measured_here(s, index) or counted or s.plays(index + 1, "graph"):
        return "metric"
    if noun is not None:
        return "metric" if noun in metrics.metrics()[str(span.get("shy_metric"))].of else None
    return None if _is_size(s, index) else "shy_metric"


def share_of(s: Sentence, index: int) -> bool:
    """`over 70 % of their memory`: a share of it is measured."""
    at = index - 1
    while at > 0 and s.spans[at].text in ("their", "its", "the", "all"):
        at -= 1
    return at > 0 and s.spans[at].text == "of" and s.spans[at - 1].get("unit") == "percent"


def sized_by_number(s: Sentence, index: int) -> bool:
    """`every disk over 100 gb`, `ram >= 256`: how big it is, for nothing of it is measured."""
    span, behind = s.spans[index], s.spans[index + 1 : index + 4]
    number = next((at for at, one in enumerate(behind) if one.number is not None), None)
    if number is None or not any(one.plays("op") for one in behind[:number]):
        return False
    unit = s.at(index + number + 2)
    said = unit.get("unit") if unit is not None else None
    before = s.at(index - 1)
    if span.plays("shy_type") and said in ("gb", "tb"):
        return before is not None and before.text in _EVERY
    bare = said not in ("percent", "gb", "tb", "mb") and span.get("size_of") == "ram"
    return bare and (behind[number].number or 0) > _PERCENT


_EVERY = frozenset(("every", "each", "any", "all", "which", "what"))


_PERCENT = 100


_ALSO_OF_PRICES = ("cpu", "heat", "memory", "disk", "throttles")
"""Metrics whose words are said of other things too: `hot`, `idle`, `full`."""


def compared_behind(s: Sentence, index: int) -> bool:
    """`errored over 100 times`, `memory under 30 %`: a comparison behind, with a number."""
    near = any(s.plays(at, "op") for at in (index + 1, index + 2))
    return near and any(span.number is not None for span in s.spans[index + 1 : index + 5])


_OF = frozenset(("of", "on", "for", "across"))


def _measured_here(s: Sentence, index: int) -> bool:
    """`average memory`, `egress per region`; not `total size`, which is added up."""
    span = s.spans[index]
    after = s.at(index + 1)
    if after is not None and after.text in _OF and machines(s) and not of_market(s):
        return not span.plays("order_by") or span.text.startswith("gpu")
    if _in_money(s) or span.plays("shy_type"):
        return False
    if s.plays(index + 1, "per") and s.plays(index + 2, "dim", "tag_key"):
        return span.text not in ("size", "objects", "capacity")
    added_up = s.plays(index - 1, "total") and span.plays("size_of", "order_by")
    return s.plays(index - 1, "agg") and not added_up


def noun_before(s: Sentence, index: int) -> str | None:
    """`database connections`, `lambda throttles`: the type of resource right before a word."""
    span = s.at(index - 1)
    if span is None or not span.plays("type", "service", "shy_type"):
        return None
    return str(span.get("type") or (span.get("service") or ("", None))[1] or span.get("shy_type"))


def _is_size(s: Sentence, place: int) -> bool:
    """`64gb memory`, `disks`, `by size`: how big, not how used."""
    before = place - 1
    while (one := s.at(before)) is not None and (one.text in ("of", "+") or one.plays("total")):
        before -= 1
    near = [one for one in (s.at(before), s.at(place + 1)) if one is not None]
    measured = any(sp.plays("measured") or sp.text in ("using", "uses") for sp in s.spans)
    if any(one.get("unit") in ("gb", "tb", "mb") for one in near) and not measured:
        return True
    span = s.spans[place]
    if span.plays("shy_type") and is_plural(span.text):
        return True
    return span.text in ("size", "objects") and s.plays(place - 1, "order_by", "per", "sort_by")


def _in_money(s: Sentence) -> bool:
    return any(span.plays("priced", "gpu") or span.get("unit") in ("usd", "gb") for span in s.spans)
