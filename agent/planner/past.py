"""Questions about how prices went: which of them they are, and the price that is to be judged by the past."""

from __future__ import annotations

from typing import Any

from agent.planner.amount import amount_at
from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.sentence import Sentence, of_prices, priced
from agent.planner.tool import Tool

_ASKS = frozenset(("is", "are", "was", "were", "would", "s", "how", "am", "isnt"))
_CLAUSES = frozenset(("or", "and", ",", ".", "?", ";", "but", "so"))
_NOW = frozenset(("now", "currently", "moment", "today", "present", "atm"))
_EACH = frozenset(("each", "apiece"))
_SELLERS = frozenset(("who", "whose", "which", "what"))


def keeps_history(tool: Tool) -> bool:
    """Whether a tool tells how prices went, series by series."""
    return "series" in tool.values("group_by")


def asks_history(s: Sentence) -> bool:
    """`did the A100 get cheaper`, `is $2 good`, `who raised prices`; not `who raised the price of an H100`.

    Who it was of the sellers of one model is compared over the time by `compare_gpu_prices`.
    """
    if judges(s):
        return True
    moved = s.has("change")
    if moved and not of_prices(s.spans):
        return False
    return moved and not (_asks_who(s) and s.has("gpu"))


def _asks_who(s: Sentence) -> bool:
    """`which cloud raised …`, `who cut …`."""
    first = s.at(0)
    if first is None or first.text.split()[0] not in _SELLERS:
        return False
    after = s.at(1)
    by_name = after is not None and after.get("dimension") == "provider"
    return by_name or first.text in ("who", "whose")


def judges(s: Sentence) -> bool:
    """Whether a price is to be judged: an amount with a word of judgement, `is the price good`, `cheap now?`.

    `than usual`, `overpaying`, `which percentile` always judge, where a GPU or a price is spoken of.
    """
    if s.judged:
        return True
    if s.has("worth_sure"):
        return any(
            span.plays("gpu", "pronoun") or span.get("unit") in ("usd", "cent") for span in s.spans
        ) or (of_prices(s.spans) and any(priced(span) for span in s.spans))
    if not s.has("worth"):
        return False
    places = [index for index, span in enumerate(s.spans) if span.plays("worth")]
    start = next((i for i in range(len(s.spans)) if _asks_at(s, i)), None)
    if start is None or s.spans[start].text.split()[0] == "how":
        return False
    second = s.at(start + 1)
    if second is not None and second.text == "there":
        return False
    plain = all(s.spans[at].plays("best") or len(s.spans[at].text.split()) == 1 for at in places)
    return not plain or bool(_NOW & set(s.words())) or any(_money(s, at) for at in range(len(s.spans)))


def _money(s: Sentence, index: int) -> bool:
    """A sign of money, or `2.10 per hour`."""
    span, after, unit = s.spans[index], s.at(index + 1), s.at(index + 2)
    if span.get("unit") in ("usd", "cent"):
        return True
    by = after is not None and (after.plays("per") or after.text in ("/", "a", "an"))
    return (
        span.number is not None
        and not span.plays("gpu")
        and by
        and unit is not None
        and unit.get("unit") == "hour"
    )


def _asks_at(s: Sentence, index: int) -> bool:
    """`is …` at the beginning of the question, or of a clause of it."""
    opens = index == 0 or s.spans[index - 1].text in _CLAUSES
    said = index > 0 and (opens or s.spans[index - 1].text in (":", "-")) and s.plays(index, "worth")
    after = s.at(index + 1)
    said = said and (
        len(s.spans[index].text.split()) > 1 or (after is not None and after.text in ("or", "?"))
    )
    if index == 0 and s.spans[0].plays("worth") and s.spans[0].text.startswith("worth"):
        return True
    if said and any(span.number is not None and not span.plays("gpu") for span in s.spans[:index]):
        return True
    return opens and s.spans[index].text.split()[0] in _ASKS


def read_worth(s: Sentence, tool: Tool, found: Found) -> None:
    """The amount that is to be judged; without one it is today's lowest price."""
    if not keeps_history(tool) or not judges(s):
        return
    s.use(*(index for index, span in enumerate(s.spans) if span.plays("worth", "worth_sure")))
    found.then, found.best = {"op": "worth", "usd": None}, "none"
    numbers = [i for i, span in enumerate(s.spans) if span.number is not None and not span.plays("gpu")]
    for index in sorted(numbers, key=lambda i: not _is_dollars(s, i)):
        if s.spans[index].used:
            continue
        amount = amount_at(s, index)
        if amount.unit not in (None, "usd"):
            continue
        s.use(*range(amount.at, amount.last + 1))
        found.then["usd"] = amount.value
        found.judged_hours = amount.hours
        if _of_each(s, amount.last):
            found.judged_whole = False
        return


def _is_dollars(s: Sentence, index: int) -> bool:
    return any(
        one is not None and one.get("unit") in ("usd", "cent") for one in (s.at(index - 1), s.at(index + 1))
    )


def _of_each(s: Sentence, last: int) -> bool:
    """`$2 per GPU`, `$2/gpu/hr`, `$2 each`: the price of one of them, however many are spoken of."""
    if any(span.plays("per_gpu") or span.text in _EACH for span in s.spans):
        return True
    return any(
        span.get("unit") == "gpu" and s.spans[at - 1].text in ("/", "per", "a")
        for at, span in enumerate(s.spans)
        if 0 < at <= last + 2
    )


def read_record(s: Sentence, tool: Tool, found: Found) -> bool:
    """`price history`: the points as they were recorded, nothing computed."""
    if not keeps_history(tool):
        return False
    said = [span for span in s.spans if span.plays("change")]
    return bool(said) and all(span.text in language().hints["recorded"] for span in said)


def untaken(tool: Tool, found: Found) -> None:
    """What was read and the history is not kept by goes, and that is said."""
    if not keeps_history(tool):
        return
    judged = found.then is not None and found.then["op"] == "worth"
    if judged:
        _of_one_gpu(found)
    elif not tool.has("hours") and (hours := found.arguments.pop("hours", None)) is not None:
        # `price history over 3 months`: the length is that of the past.
        found.arguments["time"] = f"last_{hours / 24:g}d" if hours > 24 else f"last_{hours:g}h"
        found.notices[:] = [one for one in found.notices if not one.startswith("No period was said")]
    if found.loose_memory and "min_memory" in found.arguments and tool.has("memory"):
        found.arguments.setdefault("memory", found.arguments.pop("min_memory"))
    for name in [one for one in found.arguments if not tool.has(one) or (judged and one == "group_by")]:
        found.refused.append(not_kept(name, found.arguments.pop(name)))


def _of_one_gpu(found: Found) -> None:
    """The price of a machine, or of a day, is judged as that of one GPU for one hour, and that is said."""
    assert found.then is not None
    usd, whole = found.then["usd"], found.judged_whole
    count = found.arguments.get("count", 1) * found.arguments.get("nodes", 1) if whole is None else 1
    hours = found.judged_hours or 1.0
    if found.then["usd"] is None:
        return
    parts = []
    if count > 1:
        parts.append(f"{count:g} GPUs")
    if count > 1 or whole is not None:
        found.arguments.pop("count", None)
        found.arguments.pop("nodes", None)
    if hours != 1:
        parts.append(f"{hours:g} hours")
    if parts:
        found.then["usd"] = round(usd / count / hours, 4)
        found.notices.append(
            f"{_usd(usd)} for {' and '.join(parts)} is {_usd(found.then['usd'])} per GPU-hour."
        )


def _usd(amount: float) -> str:
    return f"${amount:.2f}" if round(amount, 2) == amount else f"${amount:.4f}"


def not_kept(name: str, value: Any) -> str:
    """That an argument is nothing the history is kept by."""
    return f"{name.replace('_', ' ')} {_said(value)}: no price history is kept by it"


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
