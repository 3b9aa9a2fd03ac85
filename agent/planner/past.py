"""Questions about how prices went: which of them they are, and the price that is to be judged by the past."""

from __future__ import annotations

from typing import Any

from agent.planner.amount import amount_at
from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.lexicon import Tool
from agent.planner.sentence import Sentence

_ASKS = frozenset(("is", "are", "was", "were", "would", "s", "how"))
_SELLERS = frozenset(("who", "whose", "which", "what"))


def keeps_history(tool: Tool) -> bool:
    """Whether a tool tells how prices went, series by series."""
    return "series" in tool.values("group_by")


def asks_history(s: Sentence) -> bool:
    """`did the A100 get cheaper`, `is $2 good`; not `which cloud raised its price`, that asks who."""
    if judges(s):
        return True
    moved = any(span.plays("change") for span in s.spans)
    return moved and not _asks_who(s)


def _asks_who(s: Sentence) -> bool:
    """`which cloud raised …`, `who cut …`."""
    first = s.at(0)
    if first is None or first.text.split()[0] not in _SELLERS:
        return False
    after = s.at(1)
    by_name = after is not None and after.get("dimension") == "provider"
    return by_name or first.text in ("who", "whose")


def judges(s: Sentence) -> bool:
    """Whether a price is to be judged: an amount beside a word of judgement, or `is the price good`."""
    places = [index for index, span in enumerate(s.spans) if span.plays("worth")]
    if not places:
        return False
    first, second = s.spans[0].text.split()[0], s.at(1)
    if first not in _ASKS or (second is not None and second.text == "there") or first == "how":
        return False
    plain = all(s.spans[at].plays("best") or len(s.spans[at].text.split()) == 1 for at in places)
    return not plain or any(span.get("unit") == "usd" for span in s.spans)


def read_worth(s: Sentence, tool: Tool, found: Found) -> None:
    """The amount that is to be judged; without one it is today's lowest price."""
    if not keeps_history(tool) or not judges(s):
        return
    s.use(*(index for index, span in enumerate(s.spans) if span.plays("worth")))
    found.then, found.best = {"op": "worth", "usd": None}, "none"
    for index, span in enumerate(s.spans):
        if span.number is None or span.used or span.plays("gpu"):
            continue
        amount = amount_at(s, index)
        if amount.unit not in (None, "usd"):
            continue
        s.use(*range(amount.at, amount.last + 1))
        found.then["usd"] = amount.value
        return


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
    for name in [one for one in found.arguments if not tool.has(one) or (judged and one == "group_by")]:
        value = found.arguments.pop(name)
        found.refused.append(f"{name.replace('_', ' ')} {_said(value)}: no price history is kept by it")


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
