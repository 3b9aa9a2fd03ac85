"""Numbers: what each of them measures. Unit first, then the words beside it, then what stands next to it.

A number that fits nothing stays unused and is shown; one that fits two readings is asked back.
"""

from __future__ import annotations

from itertools import pairwise

from agent.planner.amount import TIMES, Amount, amount_at
from agent.planner.bare_numbers import bare_number, of_row
from agent.planner.count_words import count_words
from agent.planner.counts import counted
from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.money import foreign, money
from agent.planner.periods import read_daily, read_periods
from agent.planner.sentence import Sentence
from agent.planner.sizes import at_most, read_size
from agent.planner.tool import Tool


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
        return of_row(s, amount, tool, found)
    if amount.unit == "usd":
        return money(s, amount, found)
    if amount.unit == "gb":
        return read_size(s, amount, tool, found)
    if amount.unit in TIMES:
        return _duration(s, amount, found)
    if amount.unit in ("gpu", "times", "node", "offer"):
        return counted(s, amount, tool, found)
    return bare_number(s, amount, tool, found)


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
