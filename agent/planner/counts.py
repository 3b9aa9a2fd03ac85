"""Numbers that count: GPUs in an instance, instances together, rows wanted."""

from __future__ import annotations

from agent.planner.amount import TIMES, Amount
from agent.planner.found import Found
from agent.planner.sentence import Sentence, Span
from agent.planner.tool import Tool
from cloudtop import gpus

SHARED = (2.0, 4.0, 8.0, 16.0)


def counted(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """GPUs in an instance, instances together, or rows wanted."""
    whole = int(amount.value)
    if amount.value != whole or whole < 1:
        if amount.unit == "gpu" and 0 < amount.value < 1:
            found.put("fractional", True)
            return True
        return False
    if amount.unit == "offer" and amount.op in ("gt", "ge"):
        # `are there more than 10 offers`: how many there are tells it.
        found.then = found.then or {"op": "count"}
        return True
    if amount.unit == "offer":
        found.put("limit", whole)
        return True
    if (
        amount.unit == "times"
        and (after := s.at(amount.last + 1)) is not None
        and after.number is not None
        and not after.plays("gpu")
        and (beyond := s.at(amount.last + 2)) is not None
        and beyond.get("unit") not in ("gb", *TIMES)
    ):
        found.put("nodes", whole)
        return True
    if amount.unit == "node":
        return _nodes(s, amount, whole, found)
    if amount.op in ("lt", "le"):
        return found.meet(tool, "gpu_count", amount.op, whole)
    if amount.unit == "gpu" and amount.op is None and _rows_meant(s, amount):
        found.put("limit", whole)
        return True
    if amount.unit == "gpu" and amount.op is None and (each := _of_each_node(s, whole)):
        count_gpus(found, each, None)
        return True
    if amount.unit == "gpu" and amount.op is None and _beside_model(s, amount):
        return _machines(s, whole, found)
    count_gpus(found, whole, amount.op)
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
    if s.spans[amount.last].text not in _GPUS:
        return False
    if _beside_model(s, amount):
        return False
    return s.plays(amount.at - 1, "best", "top") and not s.plays(amount.last + 1, "unit")


_GPUS = ("gpus", "cards", "graphics cards", "accelerators", "chips")


def _beside_model(s: Sentence, amount: Amount) -> bool:
    """`8 GPUs H100`, `h100, 8 gpus`: so many GPUs of that model."""
    behind = amount.last + 1 + (s.at(amount.last + 1) is not None and s.spans[amount.last + 1].text in _OF)
    return s.plays(behind, "gpu") or s.plays(amount.at - 1, "gpu")


_OF = ("of", "with", "of type", "nvidia")
_MOST = 16
"""GPUs in the largest machines."""
_LARGEST = 8
"""GPUs in the machines that most sellers have at most: more of them are machines of so many together."""


def _machines(s: Sentence, whole: int, found: Found) -> bool:
    """So many GPUs of a model: in one machine, or in machines of eight; else it is asked."""
    if whole <= _LARGEST or any(span.get("unit") == "node" for span in s.spans):
        count_gpus(found, whole, None)
    elif whole % _LARGEST == 0:
        found.put("count", _LARGEST)
        found.put("nodes", whole // _LARGEST)
        found.notices.append(
            f"{whole} GPUs were read as {whole // _LARGEST} machines of {_LARGEST}; "
            f"“{whole}x” asks for one machine."
        )
    else:
        name = next(span.text.upper() for span in s.spans if span.plays("gpu"))
        found.ask(
            f"{whole} {name} in one machine, or the {whole} cheapest {name} offers?",
            f"cheapest {whole}x {name}",
            f"top {whole} {name} offers",
        )
    return True


_IN_ALL = frozenset(("total", "overall", "altogether", "across", "over", "spread"))


def _of_each_node(s: Sentence, whole: int) -> int:
    """`16 GPUs in total over 2 nodes`: so many in each; 0 where that is not what is said."""
    places = [i for i, span in enumerate(s.spans) if i and span.get("unit") == "node"]
    nodes = next((int(s.spans[i - 1].number or 0) for i in places), 0)
    shared = nodes > 1 and whole % nodes == 0 and bool(_IN_ALL & set(s.words()))
    return whole // nodes if shared else 0


def count_gpus(found: Found, whole: int, op: str | None) -> None:
    """So many GPUs in an instance, or at least so many; two figures are two sides."""
    if op in ("ge", "gt"):
        found.put("min_count", whole + (op == "gt"))
    elif "count" in found.arguments and found.arguments["count"] != whole:
        if not found.sides:
            found.sides.append({"count": found.arguments["count"]})
        found.sides.append({"count": whole})
    else:
        found.put("count", whole)


def rows_or_count(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`top 5`, `five cheapest`: rows; but `cheapest 8 h100` may be a machine of eight."""
    after = s.at(amount.last + 1)
    only_best = not s.plays(amount.at - 1, "top") or s.spans[amount.at - 1].text == "best"
    if amount.value in SHARED and after is not None and after.plays("gpu") and only_best:
        return before_model(s, amount, whole, found, amount.last + 1)
    found.put("limit", whole)
    return True


def of_a_size(s: Sentence, amount: Amount) -> int | None:
    """`two 80gb cards`, `4 24 GB GPUs`: how many of a size; where the number of them ends."""
    size, gb = s.at(amount.last + 1), s.at(amount.last + 2)
    if size is None or size.number is None or gb is None or gb.get("unit") != "gb":
        return None
    at = amount.last + 3
    while s.plays(at, "quantity", "=vendor", "=architecture", "=form"):
        at += 1
    noun = s.at(at)
    cards = noun is not None and (noun.get("unit") == "gpu" or noun.plays("gpu"))
    return amount.at if cards else None


def in_a_machine(s: Sentence, amount: Amount) -> int | None:
    """`eight in a box`, `4 to a server`: how many in one; where that ends."""
    lead, article, noun = (s.at(amount.last + step) for step in (1, 2, 3))
    if lead is None or article is None or lead.text not in ("in", "to", "inside", "on", "within"):
        return None
    one = article.text in ("a", "one", "the", "each", "every", "single") or article.plays("count_word")
    if article.plays("per") and article.text not in ("each", "every"):
        return None
    machine = noun is not None and noun.get("unit") == "node" and not noun.text.endswith("s")
    return amount.last + 3 if one and machine else None


def of_them(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`8 of them`: a count; `5 of those offers`: rows."""
    following = s.at(amount.last + 2)
    s.use(amount.last + 1)
    if following is not None and following.get("unit") == "offer":
        found.put("limit", whole)
    else:
        count_gpus(found, whole, amount.op)
    return True


def model_after(s: Sentence, amount: Amount) -> int | None:
    """The GPU right behind the number, a maker's name or `x` between them allowed."""
    start = max(amount.last, amount.op_at if amount.op_at is not None else 0)
    for step in (1, 2, 3):
        span = s.at(start + step)
        if span is None:
            return None
        if span.plays("gpu"):
            return start + step
        if not (
            span.plays("=vendor")
            or span.plays("=form")
            or span.plays("=spot")
            or span.plays("=architecture")
            or span.text in ("of", "the", "new", "pcs")
        ):
            return None
    return None


def before_model(s: Sentence, amount: Amount, whole: int, found: Found, place: int) -> bool:
    """`8 h100` is a machine of eight; `cheapest seven V100` are rows; `cheapest 4 h100` may be either."""
    best = s.plays(amount.at - 1, "best") or s.plays(amount.at - 1, "top")
    following = s.at(place + 1)
    listed = following is not None and following.get("unit") == "offer"
    node = following is not None and following.get("unit") == "node"
    if following is not None and following.text in _GPUS:
        s.use(place + 1)
        return _machines(s, whole, found)
    if node and following is not None and following.text.endswith("s") and whole > 1 and not best:
        found.put("nodes", whole)
        return True
    shown = s.at(amount.at - 1) is not None and s.spans[amount.at - 1].text in ("show", "list", "display")
    if listed or ((best or shown) and not node and amount.value not in SHARED):
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
    if whole > _MOST and amount.op is None and not s.plays(amount.last + 1, "unit"):
        return _machines(s, whole, found)
    count_gpus(found, whole, amount.op)
    return True


def after_model(s: Sentence, amount: Amount, found: Found, model: Span) -> bool:
    """`a100 80`: a size that this GPU is sold with."""
    known = gpus.catalogue().gpus
    if any(amount.value in known[name].memory_gib for name in model.get("gpu") if name in known):
        found.put("memory", amount.value)
        return True
    return False
