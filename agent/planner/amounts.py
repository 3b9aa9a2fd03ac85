"""Numbers: what each of them measures. Unit first, then the words beside it, then what stands next to it.

A number that fits nothing stays unused and is shown; one that fits two readings is asked back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.lexicon import Tool
from agent.planner.sentence import Sentence, Span
from cloudtop import gpus

_SUFFIX = ("or ", "and ", "at ", "+", "plus", "max", "maximum", "tops", "min", "minimum", "upward", "cap", "from at")
_SKIP = frozenset("of a an the is be with to for in and costing cost costs price priced that are have has its no at".split())
_TIMES = ("hour", "day", "week", "month", "year", "weekend", "fortnight", "minute")
_SHARED = (2.0, 4.0, 8.0, 16.0)


@dataclass(slots=True)
class Amount:
    """One number with what was found around it; `last` is the last span that belongs to it."""

    at: int
    last: int
    value: float
    unit: str | None = None
    op: str | None = None
    op_at: int | None = None
    hours: float | None = None


def read_amounts(s: Sentence, tool: Tool, found: Found) -> None:
    """Type every number of the sentence and every period that stands without one."""
    _count_words(s, found)
    _ranges(s, tool, found)
    for index, span in enumerate(s.spans):
        if span.number is None or span.used or span.plays("gpu") or _is_pronoun(s, index):
            continue
        amount = _amount(s, index)
        if _typed(s, amount, tool, found):
            _use(s, amount)
    _periods(s, found)


def _is_pronoun(s: Sentence, index: int) -> bool:
    """`one` counts only before what can be counted."""
    if s.spans[index].text != "one":
        return False
    after = s.at(index + 1)
    return after is None or not (after.plays("gpu", "unit") or after.text in ("nvidia", "single"))


def _use(s: Sentence, amount: Amount) -> None:
    s.use(*range(amount.at, amount.last + 1))
    if amount.op_at is not None:
        s.use(amount.op_at)


def _amount(s: Sentence, index: int) -> Amount:
    """The number with its unit, its comparison and the period it is for."""
    value = s.spans[index].number
    assert value is not None
    amount = Amount(index, index, value)
    before = s.at(index - 1)
    if before is not None and before.plays("unit") and before.get("unit") in ("usd", "foreign") and before.text in "$€£¥₹ usd eur gbp":
        amount.unit = before.get("unit")
        s.use(index - 1)
    after = s.at(index + 1)
    if after is not None and after.text == "+" and after.glued:
        amount.op, amount.op_at, amount.last = "ge", index + 1, index + 1
        after = s.at(index + 2)
    if amount.unit is None and after is not None and after.plays("unit") and _is_unit(after, s, index):
        amount.unit, amount.last = after.get("unit"), amount.last + 1
        _scaled(amount)
    amount.hours = None if before is not None and before.text == "x" else _period_at(s, amount)
    _compared(s, amount)
    return amount


def _is_unit(after: Span, s: Sentence, index: int) -> bool:
    """A single letter is a unit only when glued to the number; `+` and the like never are."""
    if len(after.text) == 1 and after.text.isalpha() and after.text != "x":
        return after.glued
    return not (after.text == "a gpu" or (after.text == "x" and s.plays(index + 2, "compare")))


def _scaled(amount: Amount) -> None:
    """Cents to dollars, terabytes and megabytes to gigabytes."""
    if amount.unit == "cent":
        amount.unit, amount.value = "usd", amount.value / 100
    elif amount.unit == "tb":
        amount.unit, amount.value = "gb", amount.value * 1024
    elif amount.unit == "mb":
        amount.unit, amount.value = "gb", amount.value / 1024


def _period_at(s: Sentence, amount: Amount) -> float | None:
    """`/hr`, `per day`, `an hour`, `hourly` behind an amount, in hours; the amount grows over it."""
    if amount.unit in _TIMES:
        return None
    at, seen = amount.last + 1, None
    for _ in range(4):
        span = s.at(at)
        if span is None:
            break
        if span.text in ("/", "a", "an", "p") or span.plays("per"):
            at += 1
            continue
        if span.plays("per_gpu") or (span.plays("unit") and span.get("unit") == "gpu" and s.spans[at - 1].text in ("/", "per")):
            if "hour" in span.text:
                seen = at
            if _per_gpu_said(s, amount, at):
                amount.last = at
            at += 1
            continue
        if span.plays("unit") and span.get("unit") in _TIMES and at > amount.last + (0 if span.text.endswith("ly") else 1):
            seconds = language().seconds[span.get("unit")]
            amount.last = at
            return seconds / 3600
        break
    if seen is not None:
        amount.last = max(amount.last, seen)
        return 1.0
    return None


def _per_gpu_said(s: Sentence, amount: Amount, at: int) -> bool:
    """`$2 per gpu`: said of the price, so that a cap is not for the whole instance."""
    if amount.unit == "usd" or amount.unit is None:
        s.spans[at].used = True
        return True
    return False


def _compared(s: Sentence, amount: Amount) -> None:
    """The comparison in front of or behind the amount."""
    if amount.op is not None:
        return
    for back in range(1, 6):
        span = s.at(amount.at - back)
        if span is None or (span.number is not None and not span.plays("gpu")):
            break
        if span.plays("op") and not span.used:
            amount.op, amount.op_at = span.get("op"), amount.at - back
            return
        if not (span.text in _SKIP or span.plays("quantity", "budget", "whole") or span.get("unit") in ("usd", "foreign") or span.text == ":"):
            break
    after = s.at(amount.last + 1)
    if after is not None and after.plays("op") and not after.used and after.text.startswith(_SUFFIX):
        following = s.at(amount.last + 2)
        if following is None or not (following.number is not None or following.get("unit") == "usd"):
            amount.op, amount.op_at = after.get("op"), amount.last + 1


def _near(s: Sentence, amount: Amount, role: str, reach: int = 3) -> int | None:
    """The closest phrase of a role beside the amount, behind it first, not across another number or a comma."""
    for step in (1, -1):
        at = (amount.last if step > 0 else amount.at) + step
        if amount.op_at is not None and at == amount.op_at:
            at += step
        for _ in range(reach):
            span = s.at(at)
            if span is None or span.text in (",", ";", "or", "vs", "versus") or (span.number is not None and not span.plays("gpu")):
                break
            if span.plays(role):
                if step < 0 and _belongs_to_another(s, at, amount):
                    break
                return at
            if not (span.text in _SKIP or span.plays("quantity", "whole", "op", "unit", "per_gpu", "per_node") or span.get("unit")):
                break
            at += step
    return None


def _belongs_to_another(s: Sentence, at: int, amount: Amount) -> bool:
    """`24gb vram 200gb disk`: the word in front may have its own number before it."""
    for back in range(1, 4):
        span = s.at(at - back)
        if span is None:
            return False
        if span.number is not None and not span.plays("gpu"):
            return True
        if not (span.plays("unit") or span.text in _SKIP):
            return False
    return False


def _typed(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """Try the readings in order of how sure they are."""
    if amount.unit == "foreign":
        return _foreign(s, amount, found)
    if amount.unit in ("percent", "core", "minute"):
        return False
    if amount.unit == "usd":
        return _money(s, amount, found)
    if amount.unit == "gb":
        return _size(s, amount, tool, found)
    if amount.unit in _TIMES:
        return _duration(s, amount, found)
    if amount.unit in ("gpu", "times", "node", "offer"):
        return _counted(s, amount, found)
    return _bare(s, amount, tool, found)


def _foreign(s: Sentence, amount: Amount, found: Found) -> bool:
    """There is no exchange rate here: the cap must come in dollars."""
    currency = next((sp.text for sp in s.spans if sp.get("unit") == "foreign"), "that currency")
    found.ask(
        f"Prices are in US dollars and there is no exchange rate here: what is {amount.value:g} {currency} in USD?",
        f"the same, {_op_words(amount)} ${amount.value:g} per hour",
        "the same without a price limit",
    )
    return True


def _op_words(amount: Amount) -> str:
    return "over" if amount.op in ("gt", "ge") else "under"


def _money(s: Sentence, amount: Amount, found: Found) -> bool:
    """A cap, a floor, or a budget to be divided."""
    if amount.op == "around":
        found.refused.append(f"around ${amount.value:g}: a price can have a lower and an upper limit")
        return True
    per_node = _near(s, amount, "per_node")
    per_gpu = any(sp.plays("per_gpu") for sp in s.spans[amount.at : amount.last + 1]) or None
    if per_node is not None:
        s.use(per_node)
    for role in ("whole", "quantity"):
        if (near := _near(s, amount, role)) is not None and (role == "whole" or s.spans[near].get("quantity") == "price"):
            s.use(near)
    if amount.hours is None and _is_budget(s, found):
        found.budget = amount.value
        return True
    if amount.hours is not None and amount.hours > 1:
        found.put("hours", amount.hours)
        found.then = {"op": "within", "usd_total": amount.value}
        return True
    argument = "min_price" if amount.op in ("gt", "ge") else "max_price"
    scope = False if per_node is not None else True if per_gpu else None
    if amount.hours is None and scope is None and argument == "max_price":
        found.loose_cap = amount.value
    _cap(found, argument, amount.value, scope)
    return True


def _cap(found: Found, argument: str, value: float, per_gpu: bool | None) -> None:
    found.put(argument, value)
    if per_gpu is not None:
        found.money_cap = (argument, value, per_gpu)


def _is_budget(s: Sentence, found: Found) -> bool:
    """An amount is a budget beside words that say so, or when a length of time is asked for."""
    if (place := next((i for i, sp in enumerate(s.spans) if sp.plays("budget")), None)) is not None:
        s.use(place)
        return True
    return found.how_long or any(sp.plays("whole") for sp in s.spans)


def _size(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """Gigabytes: of a disk, of traffic, of the host, of all GPUs together, of one GPU."""
    what_at = _near(s, amount, "quantity")
    what = s.spans[what_at].get("quantity") if what_at is not None else None
    if what in ("disk", "egress"):
        s.use(what_at or 0)
        if amount.op in ("lt", "le"):
            return False
        value = amount.value / 1024 * 1000 if amount.value % 1024 == 0 else amount.value
        found.put(f"{what}_gb", value)
        return True
    if what == "host" or (what == "ram" and _is_host_ram(s, amount)):
        s.use(what_at or 0)
        found.refused.append(f"{amount.value:g} GB of host memory: offers cannot be filtered by it")
        return False
    if what_at is not None:
        s.use(what_at)
    whole = _near(s, amount, "whole", reach=6)
    if whole is None and _near(s, amount, "per_node") is not None:
        whole = _near(s, amount, "per_node")
    if whole is not None:
        s.use(whole)
        found.put("min_total_memory", amount.value)
        return amount.op not in ("lt", "le")
    return _gpu_memory(s, amount, tool, found, what is not None)


def _gpu_memory(s: Sentence, amount: Amount, tool: Tool, found: Found, named: bool) -> bool:
    if amount.op in ("lt", "le"):
        found.refused.append(f"at most {amount.value:g} GB: there is no upper limit for memory")
        return False
    if amount.op in ("ge", "gt"):
        found.put("min_memory", amount.value)
        return True
    if amount.op == "around":
        return False
    model = _model_beside(s, amount)
    if model is not None or amount.op == "eq" or _attributive(s, amount, named):
        if "memory" in found.arguments and found.arguments["memory"] != amount.value:
            _memory_side(found, amount.value)
        found.put("memory", amount.value)
    else:
        found.loose_memory = True
        found.put("min_memory", amount.value)
    return True


def _memory_side(found: Found, value: float) -> None:
    """`A100 40gb vs 80gb`: two sizes are two sides."""
    if not found.sides:
        found.sides.append({"memory": found.arguments["memory"]})
    found.sides.append({"memory": value})


def _models(s: Sentence) -> Iterator[int]:
    return (i for i, span in enumerate(s.spans) if span.plays("gpu"))


def _model_beside(s: Sentence, amount: Amount) -> int | None:
    """The GPU that a size belongs to: any named in the question, for a size says which version of it."""
    places = list(_models(s))
    return min(places, key=lambda at: (abs(at - amount.at), at)) if places else None


def _attributive(s: Sentence, amount: Amount, named: bool) -> bool:
    """`a 24gb card`: the size names the class of card; `with 24gb` asks for no less."""
    before, after = s.at(amount.at - 1), s.at(amount.last + 1)
    if named or before is not None and before.text in ("with", "has", "have", "having", "need", "needs", "w"):
        return False
    return after is not None and after.plays("unit", "dimension", "count_word") and after.get("unit") in ("gpu", "node", None)


def _is_host_ram(s: Sentence, amount: Amount) -> bool:
    """`A100 with 512GB RAM` is the host's; `24gb ram gpu` can only be the GPU's."""
    place = _model_beside(s, amount)
    if place is None:
        return amount.value > 192
    known = gpus.catalogue().gpus
    return not any(known[name].nominal(amount.value) for name in s.spans[place].get("gpu") if name in known)


def _duration(s: Sentence, amount: Amount, found: Found) -> bool:
    """A length of use."""
    found.put("hours", amount.value * language().seconds[str(amount.unit)] / 3600)
    return True


def _counted(s: Sentence, amount: Amount, found: Found) -> bool:
    """GPUs in an instance, instances together, or rows wanted."""
    whole = int(amount.value)
    if amount.value != whole or whole < 1:
        if amount.unit == "gpu" and 0 < amount.value < 1:
            found.put("fractional", True)
            return True
        return False
    if amount.unit == "offer":
        found.put("limit", whole)
        return True
    if amount.unit == "times" and (after := s.at(amount.last + 1)) is not None and after.number is not None and not after.plays("gpu"):
        found.put("nodes", whole)
        return True
    if amount.unit == "node":
        return _nodes(s, amount, whole, found)
    if amount.op in ("lt", "le"):
        found.refused.append(f"at most {whole} GPUs: there is no upper limit for the count")
        return False
    if amount.unit == "gpu" and amount.op is None and _rows_meant(s, amount):
        found.put("limit", whole)
        return True
    _count(found, whole, amount.op)
    return True


def _nodes(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`2 nodes`; a single one says nothing; `top 5 instances` are rows."""
    if s.plays(amount.at - 1, "best", "top"):
        found.put("limit", whole)
    elif whole > 1:
        found.put("nodes", whole)
    return amount.op not in ("lt", "le")


def _rows_meant(s: Sentence, amount: Amount) -> bool:
    """`cheapest five gpus`, `five cheapest`: rows; `cheapest 8 gpu node`: a count."""
    if s.spans[amount.last].text not in ("gpus", "cards", "graphics cards", "accelerators", "chips"):
        return False
    return s.plays(amount.at - 1, "best", "top") and not s.plays(amount.last + 1, "unit")


def _count(found: Found, whole: int, op: str | None) -> None:
    if op in ("ge", "gt"):
        found.put("min_count", whole + (op == "gt"))
    elif "count" in found.arguments and found.arguments["count"] != whole:
        if not found.sides:
            found.sides.append({"count": found.arguments["count"]})
        found.sides.append({"count": whole})
    else:
        found.put("count", whole)


def _bare(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """A number without a unit: rows, a count, a size, a price."""
    whole = int(amount.value) if amount.value == int(amount.value) else 0
    before, after = s.at(amount.at - 1), s.at(amount.last + 1)
    if before is not None and before.text == "x":
        s.use(amount.at - 1)
        _count(found, whole, amount.op)
        return True
    if whole and (s.plays(amount.at - 1, "top") or (after is not None and after.plays("best") and not after.plays("op"))) and amount.op is None:
        return _rows_or_count(s, amount, whole, found)
    if amount.hours is not None:
        amount.unit = "usd"
        return _money(s, amount, found)
    if whole and amount.op is None and after is not None and after.plays("gpu"):
        return _before_model(s, amount, whole, found, amount.last + 1)
    if (what := _near(s, amount, "quantity")) is not None:
        return _by_quantity(s, amount, tool, found, what)
    if whole and after is not None and after.text in ("of them", "of those", "of these", "of that", "of it", "of", "pcs", "pieces"):
        return _of_them(s, amount, whole, found)
    if whole and amount.op is None and (place := _model_after(s, amount)) is not None:
        return _before_model(s, amount, whole, found, place)
    if whole and amount.op in ("ge", "gt") and _model_after(s, amount) is not None:
        _count(found, whole, amount.op)
        return True
    if amount.op == "eq" or amount.op == "around":
        return False
    if amount.op is not None:
        return _bare_compared(s, amount, tool, found, whole)
    if whole and before is not None and before.plays("gpu"):
        return _after_model(s, amount, found, before)
    return _last_resort(s, amount, whole, found)


def _rows_or_count(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`top 5`, `five cheapest`: rows; but `cheapest 8 h100` may be a machine of eight."""
    after = s.at(amount.last + 1)
    only_best = not s.plays(amount.at - 1, "top") or s.spans[amount.at - 1].text == "best"
    if amount.value in _SHARED and after is not None and after.plays("gpu") and only_best:
        return _before_model(s, amount, whole, found, amount.last + 1)
    found.put("limit", whole)
    return True


def _by_quantity(s: Sentence, amount: Amount, tool: Tool, found: Found, what: int) -> bool:
    """`vram >= 32`, `price < 1.20`."""
    quantity = s.spans[what].get("quantity")
    if quantity == "price":
        s.use(what)
        amount.unit = "usd"
        return _money(s, amount, found)
    if amount.op is None and quantity in ("memory", "ram"):
        amount.op = "ge"
    amount.unit = "gb"
    return _size(s, amount, tool, found)


def _of_them(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`8 of them`: a count; `5 of those offers`: rows."""
    following = s.at(amount.last + 2)
    s.use(amount.last + 1)
    if following is not None and following.get("unit") == "offer":
        found.put("limit", whole)
    else:
        _count(found, whole, amount.op)
    return True


def _model_after(s: Sentence, amount: Amount) -> int | None:
    """The GPU right behind the number, a maker's name or `x` between them allowed."""
    for step in (1, 2, 3):
        span = s.at(amount.last + step)
        if span is None:
            return None
        if span.plays("gpu"):
            return amount.last + step
        if not (span.plays("=vendor") or span.plays("=form") or span.plays("=spot") or span.plays("=architecture") or span.text in ("of", "the", "new", "pcs")):
            return None
    return None


def _before_model(s: Sentence, amount: Amount, whole: int, found: Found, place: int) -> bool:
    """`8 h100` is a machine of eight; `cheapest seven V100` are rows; `cheapest 4 h100` may be either."""
    best = s.plays(amount.at - 1, "best") or s.plays(amount.at - 1, "top")
    following = s.at(place + 1)
    listed = following is not None and following.get("unit") == "offer"
    node = following is not None and following.get("unit") == "node"
    if listed or (best and not node and amount.value not in _SHARED):
        found.put("limit", whole)
        return True
    if best and not node:
        name = s.spans[place].text.upper()
        found.ask(
            f"{whole} {name} in one machine, or the {whole} cheapest {name} offers?",
            f"cheapest {whole}x {name}",
            f"top {whole} {name} offers",
        )
        return True
    _count(found, whole, amount.op)
    return True


def _bare_compared(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool:
    """`under 2`, `more than 1.5`: a price; `at least 4` could be many things."""
    if "money" not in tool.kinds():
        return False
    if amount.op in ("ge", "gt") and whole and not _priced(s):
        found.ask(
            f"At least {whole} of what?",
            f"at least {whole} GPUs",
            f"at least {whole} GB of memory",
            f"a price of at least ${whole} per hour",
        )
        return True
    amount.unit = "usd"
    return _money(s, amount, found)


def _priced(s: Sentence) -> bool:
    return any(sp.get("quantity") == "price" or sp.plays("best", "stat") for sp in s.spans)


def _after_model(s: Sentence, amount: Amount, found: Found, model: Span) -> bool:
    """`a100 80`: a size that this GPU is sold with."""
    known = gpus.catalogue().gpus
    if any(amount.value in known[name].memory_gib for name in model.get("gpu") if name in known):
        found.put("memory", amount.value)
        return True
    return False


def _last_resort(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`how many hours for 40`, `make it 8`."""
    if found.how_long and found.budget is None:
        found.budget = amount.value
        return True
    before = s.at(amount.at - 1)
    if whole and before is not None and before.plays("instead", "only") and len(s.spans) <= 4:
        found.put("count", whole)
        return True
    return False


def _count_words(s: Sentence, found: Found) -> None:
    """`single`, `pair of`, `quad`, `multi-gpu`."""
    for index, span in s.all("count_word"):
        after = s.at(index + 1)
        if after is not None and after.plays("unit") and after.get("unit") in _TIMES:
            found.put("hours", float(span.get("count_word")) * language().seconds[after.get("unit")] / 3600)
            s.use(index, index + 1)
        elif span.text not in ("double", "one gpu", "single gpu") and after is not None and not after.plays("gpu", "unit", "=vendor", "=spot", "=form", "of") and after.text not in ("of", "a", "an"):
            if span.text in ("single", "dual", "quad", "octo", "octa", "solo", "lone", "twin", "duo") or index == len(s.spans) - 1:
                found.put("count", int(span.get("count_word")))
                s.use(index)
        else:
            found.put("count", int(span.get("count_word")))
            s.use(index)
            if after is not None and after.get("unit") == "gpu":
                s.use(index + 1)
    for index, _ in s.all("count_many"):
        found.put("min_count", 2)
        s.use(index)


def _ranges(s: Sentence, tool: Tool, found: Found) -> None:
    """`between 1 and 2 dollars`, `$1-$2`, `24 to 48 gb`."""
    numbers = [i for i, sp in enumerate(s.spans) if sp.number is not None and not sp.used and not sp.plays("gpu")]
    for low, high in zip(numbers, numbers[1:], strict=False):
        between = [sp for sp in s.spans[low + 1 : high] if sp.get("unit") not in ("usd", "gb") and not sp.plays("per_gpu")]
        joint = between[0].text if len(between) == 1 else ""
        lead = next((at for at in range(low - 1, max(-1, low - 4), -1) if s.plays(at, "between")), None)
        if joint not in ("to", "-", "and", "until", "through") or (joint == "and" and lead is None):
            continue
        first, second = _amount(s, low), _amount(s, high)
        unit = second.unit or first.unit or "usd"
        if unit == "usd" and "money" in tool.kinds() and second.value >= first.value:
            found.put("min_price", first.value)
            found.put("max_price", second.value)
        elif unit == "gb":
            found.put("min_memory", first.value)
            found.refused.append(f"at most {second.value:g} GB: there is no upper limit for memory")
        elif unit == "foreign":
            _foreign(s, second, found)
        else:
            continue
        s.use(*range(lead if lead is not None else low, second.last + 1))


def _periods(s: Sentence, found: Found) -> None:
    """`per day`, `monthly`, `for a weekend`, `an hour`: how long, without a number."""
    for index, span in s.all("unit"):
        unit = span.get("unit")
        if unit not in _TIMES or unit == "minute":
            continue
        before = s.at(index - 1)
        lead = before is not None and (before.text in ("/", "a", "an", "one", "the", "whole", "full", "entire", "whole") or before.plays("per"))
        if not (lead or span.text.endswith(("ly", "annual")) or (unit == "weekend")):
            continue
        share = 1.0
        if before is not None and before.text in ("half a", "half an"):
            share = 0.5
        s.use(index)
        if lead:
            s.use(index - 1)
        if unit != "hour":
            found.put("hours", share * language().seconds[unit] / 3600)
