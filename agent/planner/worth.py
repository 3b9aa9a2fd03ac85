"""What a price is for: memory or compute for the money, the whole machine, prices one can trust."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.sentence import Sentence, Span
from agent.planner.tool import Tool

_REACH = 5
_LINKS = frozenset(
    [
        "the",
        "whose",
        "price",
        "any",
        "anything",
        "all",
        "of",
        "that",
        "those",
        "these",
        "look",
        "looks",
        "looking",
        "are",
        "is",
        "which",
        "ones",
        "and",
        "or",
        "seem",
        "seems",
        "sound",
        "should",
        "be",
        "with",
        "rows",
        "please",
        "some",
    ]
)


def read_value(s: Sentence, tool: Tool, found: Found) -> None:
    """`most memory per dollar`, `tflops for the money`: the cheapest by that measure come first."""
    if not {"gib", "tflop"} <= set(tool.values("rank_by")):
        return
    for place, span in list(s.all("value_for")):
        measure = place if span.plays("measure") else _measure(s, place)
        s.use(place)
        _lead(s, place if measure is None else min(place, measure), found)
        if measure is not None:
            s.use(measure)
            _lead(s, place, found)
            found.put("rank_by", _of(s, measure))
        elif "rank_by" in found.arguments:
            continue
        elif len({name for sp in s.spans if sp.plays("gpu") for name in sp.get("gpu")[:1]}) != 1:
            found.put("rank_by", "tflop")
            found.notices.append("Value for money was read as compute per dollar, not memory.")
    _limited(s, found)
    for slash, measure in paid_for(s):
        s.use(slash, measure)
        found.put("rank_by", str(s.spans[measure].get("measure")))
    if "rank_by" not in found.arguments:
        _cheapest_measure(s, found)


def _limited(s: Sentence, found: Found) -> None:
    """`under $1/gb`: no argument limits the price of a measure, but offers can be ranked by it."""
    for index, span in list(s.all("measure", "=rank_by")):
        per = index if span.plays("=rank_by") and " " in span.text else index - 1
        if per < 2 or s.spans[per].text.split()[0] not in ("/", "per", "dollars"):
            continue
        number, money = sorted((per - 1, per - 2), key=lambda at: s.spans[at].number is None)
        first = min(number, money)
        if span.text.startswith("dollars per"):
            # One phrase, money and all.
            number, money, first = index - 1, index, index - 1
        elif s.spans[money].get("unit") not in ("usd", "cent"):
            continue
        if s.spans[number].number is None or s.spans[number].plays("gpu"):
            continue
        found.put("rank_by", str(span.get("measure") or span.get("=rank_by")))
        if s.plays(first - 1, "top"):
            # `top 5 usd/gb`: five of them.
            found.put("limit", int(s.spans[number].number or 0))
            s.use(*range(first - 1, index + 1))
            continue
        said = s.text[s.starts(s.spans[first]) : s.ends(span)]
        found.refused.append(f"{said}: a price of a measure is no limit; offers are ranked by it")
        s.use(*(first - 1,) if s.plays(first - 1, "op") else (), *range(first, index + 1))


def paid_for(s: Sentence) -> list[tuple[int, int]]:
    """`$/tflop`, `price/gb`: where the sign stands, and the measure behind it; `$2/gb` is an amount."""
    found = []
    for index, span in enumerate(s.spans):
        before = s.at(index - 1)
        if span.text not in ("/", "per") or before is None or not s.plays(index + 1, "measure"):
            continue
        money = before.get("unit") == "usd" or before.text.split()[-1] in ("price", "prices", "cost", "rate")
        counted = index > 1 and s.spans[index - 2].number is not None and not s.plays(index - 2, "gpu")
        if money and not counted and not (s.at(index + 2) is not None and s.plays(index + 2, "gpu")):
            found.append((index, index + 1))
    return found


def _cheapest_measure(s: Sentence, found: Found) -> None:
    """`cheapest vram`, `cheapest tflops`: dollars for the measure itself, where nothing else is named."""
    for index, span in list(s.all("best")):
        after, beyond = s.at(index + 1), s.at(index + 2)
        bare = beyond is None or not (beyond.number is not None or beyond.plays("gpu", "unit", "op"))
        lowest = span.get("best") == "asc" and "best" not in span.text
        if lowest and after is not None and after.plays("measure") and bare:
            s.use(index + 1)
            found.put("rank_by", str(after.get("measure")))


def _of(s: Sentence, place: int) -> str:
    return "gib" if s.spans[place].get("field_best") else str(s.spans[place].get("measure"))


def _measure(s: Sentence, place: int) -> int | None:
    """The nearest measure, in front first; gigabytes with a number are a size."""
    around: tuple[int, ...] = (*range(place - 1, place - _REACH, -1), *range(place + 1, place + _REACH))
    for at in around:
        span = s.at(at)
        if span is None or span.used:
            continue
        if span.get("field_best") == "gpu_memory_gib_desc":
            return at
        before = s.at(at - 1)
        if span.plays("measure") and not (before is not None and before.number is not None):
            return at
    return None


def _lead(s: Sentence, place: int, found: Found) -> None:
    """`best`, `highest` in front: the most for the money is the lowest price for the measure."""
    for at in (place - 1, place - 2):
        if s.plays(at, "best") and not s.plays(at, "op") and not s.spans[at].used:
            s.use(at)
            found.best = "asc"


def read_doubt(s: Sentence, tool: Tool, found: Found) -> None:
    """`drop the suspicious prices`, `only plausible offers`."""
    if not tool.has("exclude_suspect"):
        return
    for index, _ in list(s.all("doubtful")):
        if (place := _ruled_out(s, index)) is not None:
            found.put("exclude_suspect", True)
            s.use(index, place)
    for index, _ in list(s.all("trusty")):
        at = index + 1
        while s.plays(at, "gpu", "=form", "=spot", "=vendor") and at <= index + _REACH:
            at += 1
        after = s.at(at)
        if after is not None and (after.get("quantity") == "price" or after.get("unit") == "offer"):
            found.put("exclude_suspect", True)
            s.use(index)


def _ruled_out(s: Sentence, index: int) -> int | None:
    """Where it is said that doubtful prices are not wanted, in front or behind."""
    for step, role in ((-1, "neg"), (1, "neg_after")):
        at = index + step
        while (span := s.at(at)) is not None and abs(at - index) <= _REACH + 1:
            if span.plays(role):
                return at
            linked = span.text in _LINKS or span.plays("doubtful", "gpu")
            if not (linked or span.get("quantity") == "price" or span.get("unit") == "offer"):
                break
            at += step
    return _put_out(s, index)


def _put_out(s: Sentence, index: int) -> int | None:
    """`leave the suspicious prices out of it`, `with dubious ones removed`."""
    for at in range(index + 1, min(len(s.spans), index + _REACH + 2)):
        span = s.spans[at]
        before = {one.text for one in s.spans[max(0, index - _REACH) : index]}
        if span.text in _GONE or (span.text == "out" and before & _LEAVES):
            s.use(*(i for i in range(max(0, index - _REACH), index) if s.spans[i].text in _LEAVES))
            return at
        if span.text in (",", ".", ";"):
            break
    return None


_LEAVES = frozenset(
    (
        "leave",
        "leaving",
        "keep",
        "keeping",
        "take",
        "taking",
        "rule",
        "filter",
        "throw",
        "weed",
        "cut",
        "sort",
    )
)
_GONE = frozenset(
    ("removed", "dropped", "ignored", "stripped", "gone", "omitted", "skipped", "hidden", "discarded")
)


def read_whole(s: Sentence, tool: Tool, found: Found) -> None:
    """`cheapest per node`, `a whole H100 machine`: prices of the instance are compared."""
    if "hour" not in tool.values("rank_by"):
        return
    for index, _ in [(i, sp) for i, sp in s.all("field") if sp.get("field") == "usd_per_hour"]:
        after = s.at(index + 1)
        if after is not None and after.text in ("type", "types"):
            found.put("group_by", "instance_type")
            s.use(index, index + 1)
        elif not s.plays(index - 1, "per", "columns", "sort_by"):
            found.put("rank_by", "hour")
            s.use(index)
    for index, span in list(s.all("per_node")):
        if span.text == "all in" or _counts(s, index):
            continue
        if any(sp.plays("best", "per_gpu") or _of_price(sp) for sp in s.spans):
            s.use(index)
            found.put("rank_by", "hour")
    for index, span in enumerate(s.spans):
        after = s.at(index + 2)
        if (
            span.text in ("whole", "entire", "full")
            and s.plays(index + 1, "gpu")
            and after is not None
            and after.get("unit") == "node"
        ):
            found.put("rank_by", "hour")


def _of_price(span: Span) -> bool:
    """Whether a price is spoken of."""
    priced = span.get("quantity") == "price" or str(span.get("field")).startswith("usd")
    return priced or span.text in ("how much", "hourly", "much")


def _counts(s: Sentence, index: int) -> bool:
    """`8 gpus per node`, `8 h100 per node`: how many are in one, not what one costs."""
    at = index - 1
    while (span := s.at(at)) is not None and at >= index - 4:
        if span.number is not None and not span.plays("gpu"):
            return True
        near = span.plays("gpu", "=form", "quantity") or span.get("unit") in ("gpu", "gb", "times")
        if not near:
            return False
        if span.get("quantity") == "price":
            return False
        at -= 1
    return False
