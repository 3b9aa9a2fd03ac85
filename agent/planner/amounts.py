"""Numbers: what each of them measures. Unit first, then the words beside it, then what stands next to it.

A number that fits nothing stays unused and is shown; one that fits two readings is asked back.
"""

from __future__ import annotations

from itertools import pairwise

from agent.planner.amount import TIMES, Amount, amount_at, near
from agent.planner.clusters import shaped_nodes
from agent.planner.count_words import count_words
from agent.planner.counts import (
    after_model,
    before_model,
    count_gpus,
    counted,
    in_a_machine,
    model_after,
    of_a_size,
    of_them,
    rows_or_count,
)
from agent.planner.found import Found
from agent.planner.language import language, word_set
from agent.planner.leftovers import is_content
from agent.planner.money import foreign, money
from agent.planner.periods import read_daily, read_periods
from agent.planner.sentence import Sentence, Span
from agent.planner.sizes import at_most, read_size
from agent.planner.tool import Tool

_MOST_GPUS = 16
_SHORT = 6
_DEAR = 8


def read_amounts(s: Sentence, tool: Tool, found: Found) -> None:
    """Type every number of the sentence and every period that stands without one."""
    count_words(s, found)
    _ranges(s, tool, found)
    read_daily(s, found)
    for index, span in enumerate(s.spans):
        if span.number is None or span.used or span.plays("gpu") or _is_pronoun(s, index):
            continue
        if _below_zero(s, index, found):
            continue
        amount = amount_at(s, index)
        if _typed(s, amount, tool, found):
            _use(s, amount)
    read_periods(s, found)


def _below_zero(s: Sentence, index: int, found: Found) -> bool:
    """`-5 hours`, `-$2`, `minus 5`: no amount is below zero; `$1 - $2` is a range."""
    at = index - 1 if not s.plays(index - 1, "unit") or s.spans[index - 1].text != "$" else index - 2
    sign, before = s.at(at), s.at(at - 1)
    if sign is None or sign.text not in ("-", "minus"):
        return False
    apart = sign.text == "-" and s.ends(sign) != s.starts(s.spans[at + 1])
    if apart and not (before is not None and (before.plays("op") or before.text in ("for", "of"))):
        return False
    if before is not None and before.text == "$" and at == index - 1:
        before = s.at(at - 2)
    if before is not None and (before.number is not None or before.plays("unit")) and not before.plays("gpu"):
        return False
    s.use(*range(at, index + 1))
    number = s.spans[index].text
    positive = s.text[: s.starts(sign)] + s.text[s.ends(sign) :].lstrip()
    found.ask(f"-{number} is below zero, which no amount here can be. Is {number} meant?", positive)
    return True


def _is_pronoun(s: Sentence, index: int) -> bool:
    """`one` counts only before what can be counted; `of the two` counts nothing."""
    before = s.at(index - 1)
    if s.spans[index].text == "two" and before is not None and before.text in ("the", "of the"):
        behind = s.at(index + 1)
        return behind is None or not (behind.plays("gpu", "unit") or behind.number is not None)
    if s.spans[index].text != "one":
        return False
    after = s.at(index + 1)
    return after is None or not (after.plays("gpu", "unit") or after.text in ("nvidia", "single"))


def _use(s: Sentence, amount: Amount) -> None:
    s.use(*range(amount.at, amount.last + 1))
    if amount.op_at is not None:
        s.use(amount.op_at)


def _typed(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """Try the readings in order of how sure they are."""
    if amount.unit == "foreign":
        return foreign(s, amount, found)
    if amount.unit in ("percent", "core"):
        return _of_row(s, amount, tool, found)
    if amount.unit == "usd":
        return money(s, amount, found)
    if amount.unit == "gb":
        return read_size(s, amount, tool, found)
    if amount.unit in TIMES:
        return _duration(s, amount, found)
    if amount.unit in ("gpu", "times", "node", "offer"):
        return counted(s, amount, tool, found)
    return _bare(s, amount, tool, found)


def _of_row(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """`at least 16 vcpus`, `99 % reliability`: no argument takes it; the rows tell."""
    field, value = "vcpus", amount.value
    if amount.unit == "percent":
        place = next((i for i, sp in s.all("field") if sp.get("field") == "reliability"), None)
        if place is None or amount.value > 100:
            return False
        s.use(place)
        field, value = "reliability", amount.value / 100
    return found.meet(tool, field, amount.op or "ge", value)


def _duration(s: Sentence, amount: Amount, found: Found) -> bool:
    """A length of use; one right behind another is added to it: `2 hours 30 minutes`, `1 day and 6 hours`."""
    if amount.unit == "minute" and amount.op in ("lt", "le"):
        return False
    hours = amount.value * language().seconds[str(amount.unit)] / 3600
    before = s.at(amount.at - 1)
    joint = amount.at - (2 if before is not None and before.text == "and" else 1)
    if found.length_end is not None and joint == found.length_end and "hours" in found.arguments:
        found.arguments["hours"] = round(found.arguments["hours"] + hours, 6)
        s.use(amount.at - 1)
    else:
        found.put("hours", round(hours, 6))
    found.length_end = amount.last
    return True


def _bare(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """A number without a unit: rows, a count, a size, a price."""
    whole = int(amount.value) if amount.value == int(amount.value) else 0
    before, after = s.at(amount.at - 1), s.at(amount.last + 1)
    if before is not None and before.text in ("x", "*", "times"):
        s.use(amount.at - 1)
        count_gpus(found, whole, amount.op)
        return True
    if whole > 1 and amount.op is None and (machines := shaped_nodes(s, amount.last + 1)) is not None:
        found.put("limit" if s.plays(amount.at - 1, "best", "top") else "nodes", whole)
        s.use(machines)
        return True
    if whole and amount.op is None and shaped_nodes(s, amount.last + 1, "offer") is not None:
        found.put("limit", whole)
        return True
    last = of_a_size(s, amount)
    if last is None:
        last = in_a_machine(s, amount)
    if whole and amount.op is None and last is not None:
        s.use(*range(amount.at, last + 1))
        count_gpus(found, whole, None)
        return True
    if (of := near(s, amount, "field")) is not None and s.spans[of].get("field") == "reliability":
        amount.unit = "percent"
        return _of_row(s, amount, tool, found)
    if whole and amount.op is None and _of_each_group(s, amount):
        found.put("limit", whole)
        return True
    if (
        whole
        and (
            s.plays(amount.at - 1, "top")
            or (after is not None and after.plays("best") and not after.plays("op"))
        )
        and amount.op is None
    ):
        return rows_or_count(s, amount, whole, found)
    behind = _behind(amount)
    if whole and s.plays(behind, "per_node") and amount.op not in ("lt", "le"):
        s.use(behind)
        count_gpus(found, whole, amount.op)
        return True
    if amount.hours is not None:
        amount.unit = "usd"
        return money(s, amount, found)
    if whole and amount.op in (None, "eq") and after is not None and after.plays("gpu"):
        return before_model(s, amount, whole, found, amount.last + 1)
    if (what := near(s, amount, "quantity")) is not None:
        return _by_quantity(s, amount, tool, found, what)
    if (
        whole
        and after is not None
        and after.text in ("of them", "of those", "of these", "of that", "of it", "of", "pcs", "pieces")
    ):
        return of_them(s, amount, whole, found)
    if whole and amount.op is None and (place := model_after(s, amount)) is not None:
        return before_model(s, amount, whole, found, place)
    if (
        whole
        and amount.op in ("ge", "gt")
        and (model_after(s, amount) is not None or _model_before(s, amount))
    ):
        count_gpus(found, whole, amount.op)
        return True
    if whole and amount.op is None and before is not None and before.plays("best"):
        found.put("limit", whole)
        return True
    if amount.op == "eq" or amount.op == "around":
        return False
    if whole and amount.op is None and before is not None and before.text in _LIMITS:
        found.put("limit", whole)
        return True
    if amount.op is not None:
        return _bare_compared(s, amount, tool, found, whole)
    if whole and before is not None and before.plays("gpu"):
        return after_model(s, amount, found, before)
    return _last_resort(s, amount, whole, found)


_LIMITS = ("limit", "limit to", "limit it to", "limit them to")


def _of_each_group(s: Sentence, amount: Amount) -> bool:
    """`three per region`: so many rows of every group."""
    return s.plays(amount.last + 1, "per") and any(
        s.plays(at, "dimension") for at in (amount.last + 2, amount.last + 3)
    )


def _behind(amount: Amount) -> int:
    """The place after the amount and its comparison."""
    return max(amount.last, amount.op_at if amount.op_at is not None else 0) + 1


def _model_before(s: Sentence, amount: Amount) -> bool:
    """`a100, 4 or more`: said of the model in front; `a100 over 4` may be a price."""
    if amount.op_at is None or amount.op_at < amount.at or amount.value > _MOST_GPUS:
        return False
    at = amount.at - 1
    return s.plays(at - 1 if at > 0 and s.spans[at].text == "," else at, "gpu")


def _by_quantity(s: Sentence, amount: Amount, tool: Tool, found: Found, what: int) -> bool:
    """`vram >= 32`, `price < 1.20`."""
    quantity = s.spans[what].get("quantity")
    if quantity == "price":
        s.use(what)
        amount.unit = "usd"
        return money(s, amount, found)
    if amount.op is None and quantity in ("memory", "ram"):
        amount.op = "ge"
    amount.unit = "gb"
    return read_size(s, amount, tool, found)


def _bare_compared(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool:
    """`under 2`, `more than 1.5`: a price; `at least 4` could be many things."""
    if "money" not in tool.kinds():
        return False
    if amount.op in ("le", "lt") and whole and _several_models(s, amount):
        return found.meet(tool, "gpu_count", amount.op, whole)
    if amount.op in ("ge", "gt") and whole and not found.arguments.keys() & {"max_price", "min_price"}:
        found.ask(
            f"At least {whole} of what?",
            f"at least {whole} GPUs",
            f"at least {whole} GB of memory",
            f"a price of at least ${whole} per hour",
        )
        return True
    if amount.op == "le" and whole and tool.has("limit") and (op := amount.op_at) is not None:
        return _rows_or_price(s, amount, s.spans[op].text, whole, found)
    amount.unit = "usd"
    return money(s, amount, found)


def _several_models(s: Sentence, amount: Amount) -> bool:
    """`up to four A10s`: so many of them, as the plural says."""
    after = s.at(amount.last + 1)
    if after is None or not after.plays("gpu"):
        return False
    last = s.tokens[after.last]
    return last.raw.lower().endswith("s") and not last.text.endswith("s")


def _rows_or_price(s: Sentence, amount: Amount, op: str, whole: int, found: Found) -> bool:
    """`h100 offers, max 15` are rows, `h100 max 2` a price; `offers, max 2` may be either."""
    first = s.spans[0].text.split()[0]
    listed = first in ("list", "show", "display", "print", "top", "first") or any(
        (sp.get("unit") == "offer" and sp.text != "prices")
        or (sp.plays("direction") and sp.text.endswith("first"))
        for i, sp in enumerate(s.spans)
        if not amount.at <= i <= amount.last
    )
    if "price" in op or "or " in op or not (listed or whole > _DEAR):
        amount.unit = "usd"
        if "price" not in op:
            found.notices.append(f"{whole} was read as a price; “{whole} offers” asks for that many.")
        return money(s, amount, found)
    if listed and whole > _DEAR:
        found.put("limit", whole)
        return True
    found.ask(
        f"At most {whole} of what?",
        f"at most {whole} offers",
        f"at most ${whole} per hour",
    )
    return True


def _last_resort(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`how many hours for 40`; a number alone waits for the question before."""
    if found.how_long and found.budget is None:
        found.budget = amount.value
        return True
    beside_swap = s.plays(amount.at - 1, "instead") or s.plays(amount.last + 1, "instead")
    if beside_swap or is_bare_turn(s, amount.at):
        found.bare = amount.value
        return True
    return False


def is_bare_turn(s: Sentence, at: int) -> bool:
    """`make it 10`, `show 10`: nothing but a number; the question before says what it counts."""
    taken_back = [index for index, span in enumerate(s.spans) if span.used and not span.meanings]
    others = [sp for i, sp in enumerate(s.spans) if i != at and i not in taken_back and not _frames(sp)]
    return len(s.spans) - len(taken_back) <= _SHORT and not any(
        span.number is not None or is_content(span.text) or _is_value(span) for span in others
    )


def _frames(span: Span) -> bool:
    return span.plays("instead", "only", "top") or span.text in word_set("row_verbs")


def _is_value(span: Span) -> bool:
    return next(span.values, None) is not None and span.text not in language().stop


def _ranges(s: Sentence, tool: Tool, found: Found) -> None:
    """`between 1 and 2 dollars`, `$1-$2`, `24 to 48 gb`."""
    numbers = [
        i for i, sp in enumerate(s.spans) if sp.number is not None and not sp.used and not sp.plays("gpu")
    ]
    for low, high in pairwise(numbers):
        between = [
            sp
            for sp in s.spans[low + 1 : high]
            if sp.get("unit") not in ("usd", "gb") and not sp.plays("per_gpu")
        ]
        joint = between[0].text if len(between) == 1 else ""
        lead = next((at for at in range(low - 1, max(-1, low - 4), -1) if s.plays(at, "between")), None)
        if joint not in ("to", "-", "and", "until", "through") or (joint == "and" and lead is None):
            continue
        first, second = amount_at(s, low), amount_at(s, high)
        if first.unit is None and s.plays(high + 1, "unit") and s.spans[high + 1].get("unit") == "cent":
            first.value /= 100
        unit = second.unit or first.unit or ("gpu" if s.plays(second.last + 1, "gpu") else "usd")
        if unit == "gpu":
            found.put("min_count", int(first.value))
            found.meet(tool, "gpu_count", "le", second.value)
        elif unit == "usd" and "money" in tool.kinds() and second.value >= first.value:
            found.put("min_price", first.value)
            found.put("max_price", second.value)
        elif unit == "gb":
            found.put("min_memory", first.value)
            at_most(found, tool, second.value, "le")
        elif unit == "foreign":
            foreign(s, second, found)
        else:
            continue
        s.use(*range(lead if lead is not None else low, second.last + 1))
