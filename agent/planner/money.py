"""Dollars: a limit of the price of an hour, a budget to be spent, or what a length of use may cost."""

from __future__ import annotations

from agent.planner.amount import Amount, near
from agent.planner.found import Found
from agent.planner.sentence import Sentence


def foreign(s: Sentence, amount: Amount, found: Found) -> bool:
    """There is no exchange rate here: the cap must come in dollars."""
    currency = next((sp.text for sp in s.spans if sp.get("unit") == "foreign"), "that currency")
    found.ask(
        f"Prices are in US dollars, with no exchange rate here: what is {amount.value:g} {currency} in USD?",
        f"the same, {_op_words(amount)} ${amount.value:g} per hour",
        "the same without a price limit",
    )
    return True


def _op_words(amount: Amount) -> str:
    return "over" if amount.op in ("gt", "ge") else "under"


def money(s: Sentence, amount: Amount, found: Found) -> bool:
    """A cap, a floor, or a budget to be divided."""
    if amount.op == "around":
        found.refused.append(f"around ${amount.value:g}: a price can have a lower and an upper limit")
        return True
    per_node = near(s, amount, "per_node")
    s.use(*(i for i, sp in enumerate(s.spans) if sp.plays("budget")))
    per_gpu = amount.per_gpu or any(sp.plays("per_gpu") for sp in s.spans[amount.at : amount.last + 1])
    each = _each_behind(s, amount)
    if each is not None:
        s.use(amount.last + 1)
        per_gpu, per_node = (
            per_gpu or each == "gpu",
            per_node or (amount.last + 1 if each == "node" else None),
        )
    if per_node is not None:
        s.use(per_node)
    in_all = near(s, amount, "whole")
    for role in ("whole", "quantity"):
        if (place := near(s, amount, role)) is not None and (
            role == "whole" or s.spans[place].get("quantity") == "price"
        ):
            s.use(place)
    if amount.hours is None and _is_budget(s, found):
        found.budget = amount.value
        return True
    if amount.hours is not None and amount.hours > 1:
        found.put("hours", amount.hours)
        found.then = {"op": "within", "usd_total": amount.value}
        return True
    if amount.op == "eq":
        found.put("min_price", amount.value)
    argument = "min_price" if amount.op in ("gt", "ge") else "max_price"
    whole = per_node is not None or (in_all is not None and amount.hours is not None)
    scope = False if whole else per_gpu or None
    if amount.hours is None and scope is None and argument == "max_price":
        found.loose_cap = amount.value
    _cap(found, argument, amount.value, scope)
    return True


def _each_behind(s: Sentence, amount: Amount) -> str | None:
    """`$2 each`: of each GPU, or of each machine where those were spoken of last."""
    after = s.at(amount.last + 1)
    if after is None or after.text not in ("each", "apiece") or s.plays(amount.last + 2, "dimension", "unit"):
        return None
    before = (sp for sp in reversed(s.spans[: amount.at]) if sp.plays("gpu") or sp.get("unit") in _NOUNS)
    noun = next(before, None)
    return "node" if noun is not None and noun.get("unit") == "node" else "gpu"


_NOUNS = ("gpu", "node")


def _cap(found: Found, argument: str, value: float, per_gpu: bool | None) -> None:
    found.put(argument, value)
    if per_gpu is not None:
        found.money_cap = (argument, value, per_gpu)


def _is_budget(s: Sentence, found: Found) -> bool:
    """An amount is a budget beside words that say so, or when a length of time is asked for."""
    if s.has("budget"):
        return True
    return found.how_long or s.has("whole")
