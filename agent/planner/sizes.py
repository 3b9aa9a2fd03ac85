"""Gigabytes: of a disk, of traffic, of the host, of all GPUs together, of one GPU."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from agent.planner.amount import Amount, near
from agent.planner.found import Found
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool
from cloudtop import gpus

_WITH = ("with", "has", "have", "having", "need", "needs", "w")


def read_size(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """Gigabytes: of a disk, of traffic, of the host, of all GPUs together, of one GPU."""
    what_at = near(s, amount, "quantity")
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
        return found.meet(tool, "ram_gib", amount.op or "ge", amount.value)
    if what_at is not None:
        s.use(what_at)
    if (each := _of_each(s, amount)) is not None:
        s.use(*each)
        return _gpu_memory(s, amount, tool, found, named=bool(set(s.words()) & _NEEDS), each=True)
    whole = near(s, amount, "whole", reach=6)
    if whole is None and near(s, amount, "per_node") is not None:
        whole = near(s, amount, "per_node")
    if whole is not None:
        s.use(whole)
        found.put("min_total_memory", amount.value)
        return amount.op not in ("lt", "le")
    model = s.plays(amount.at - 1, "gpu") or s.plays(amount.last + 1, "gpu")
    beside = model and amount.value <= _largest()
    if (
        not beside
        and amount.op not in ("lt", "le", "around")
        and _of_the_machine(s, amount, what is not None, found)
    ):
        found.put("min_total_memory", amount.value)
        return True
    return _gpu_memory(s, amount, tool, found, what is not None)


def _of_the_machine(s: Sentence, amount: Amount, named: bool, found: Found) -> bool:
    """`320 gb in one machine`, `a box with 320 gb of vram`, and more than one GPU has: all GPUs together."""
    behind = _in_one(s, amount)
    if behind is not None:
        s.use(*behind)
        return True
    if named and _owner(s, amount):
        return True
    if amount.value <= _largest():
        return False
    found.notices.append(
        f"No single GPU has {amount.value:g} GB: it was read as all GPUs of a machine together."
    )
    return True


def _in_one(s: Sentence, amount: Amount) -> range | None:
    """`in one machine`, `on a single node`, `in the same box` behind the amount."""
    for at in range(amount.last + 1, min(len(s.spans), amount.last + 6)):
        if s.spans[at].text not in ("in", "on", "inside", "within"):
            continue
        place = at + 1
        while (span := s.at(place)) is not None and (
            span.text in ("one", "a", "the", "same", "single", "1") or span.plays("count_word")
        ):
            place += 1
        if span is not None and span.get("unit") == "node" and not span.text.endswith("s"):
            return range(at, place + 1)
    return None


def _owner(s: Sentence, amount: Amount) -> bool:
    """`a machine with 320 gb of vram`: the machine has it, unless GPUs stand between."""
    behind = s.spans[amount.last + 1 : amount.last + 5]
    if any(span.plays("per_gpu") or {"per", "each", "apiece"} & set(span.text.split()) for span in behind):
        return False
    at = amount.at - 1
    while (span := s.at(at)) is not None and at > amount.at - 6:
        if span.get("unit") == "node":
            return not span.text.endswith("s")
        if not (span.text in _OWNS or span.plays("op", "best")):
            return False
        at -= 1
    return False


@cache
def _largest() -> float:
    """The most memory that a single GPU has."""
    return float(max(size for gpu in gpus.catalogue().gpus.values() for size in gpu.memory_gib))


_OWNS = frozenset(("with", "that", "has", "which", "having", "of", "w", "a", "total", "offering"))


def at_most(found: Found, tool: Tool, value: float, op: str) -> bool:
    """No argument takes an upper limit of memory: the rows are asked."""
    return found.meet(tool, "gpu_memory_gib", op, value)


def _gpu_memory(
    s: Sentence, amount: Amount, tool: Tool, found: Found, named: bool, each: bool = False
) -> bool:
    """Of one GPU: exactly so much where the size names the card, else at least so much."""
    if amount.op in ("lt", "le"):
        return at_most(found, tool, amount.value, amount.op)
    if amount.op in ("ge", "gt"):
        found.put("min_memory", amount.value)
        return True
    if amount.op == "around":
        return False
    model = _model_beside(s, amount)
    exact = each and not named
    if model is not None or amount.op == "eq" or exact or _attributive(s, amount, named):
        if any("memory" in side for side in found.sides) or (
            "memory" in found.arguments and found.arguments["memory"] != amount.value
        ):
            _memory_side(found, amount.value)
        else:
            found.put("memory", amount.value)
    elif found.loose_memory and s.plays(amount.at - 1, "or") and s.spans[amount.at - 1].text == "or":
        found.sides += [{"memory": found.arguments.pop("min_memory")}, {"memory": amount.value}]
    else:
        found.loose_memory = True
        found.put("min_memory", amount.value)
    return True


def _memory_side(found: Found, value: float) -> None:
    """`A100 40gb vs 80gb`: two sizes are two sides."""
    if not found.sides:
        found.sides.append({"memory": found.arguments.pop("memory")})
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
    if after is not None and after.get("unit") == "gpu" and not named:
        return True
    if named or (before is not None and before.text in _WITH):
        return False
    return (
        after is not None
        and after.plays("unit", "dimension", "count_word")
        and after.get("unit") in ("gpu", "node", None)
    )


def _of_each(s: Sentence, amount: Amount) -> range | None:
    """`96 GB per card`, `141 gigs of memory each`, `48 GB on each GPU`: the words that say so."""
    at = amount.last + 1
    while (span := s.at(at)) is not None and not set(span.text.split()) & _EACH:
        if span.text not in ("of", "in", "on") and not span.plays("quantity"):
            return None
        at += 1
    if span is None or "hour" in span.text:
        return None
    of_card = s.plays(at + 1, "unit") and s.spans[at + 1].get("unit") == "gpu"
    if of_card or span.plays("quantity", "per_gpu"):
        return range(at, at + 1 + of_card)
    alone = span.text in ("each", "apiece") and not s.plays(at + 1, "dimension", "unit")
    return range(at, at + 1) if alone else None


_EACH = frozenset(("each", "apiece", "per", "a", "every"))
_NEEDS = frozenset(("need", "needs", "needed", "require", "requires", "want", "wants", "must"))
"""With these a size is a floor, although it is said of each."""


def _is_host_ram(s: Sentence, amount: Amount) -> bool:
    """`A100 with 512GB RAM` is the host's; `24gb ram gpu` can only be the GPU's."""
    place = _model_beside(s, amount)
    if place is None:
        return amount.value > 192 or _beside_another(s, amount)
    known = gpus.catalogue().gpus
    return not any(known[name].nominal(amount.value) for name in s.spans[place].get("gpu") if name in known)


def _beside_another(s: Sentence, amount: Amount) -> bool:
    """`a GPU with 48 GB and 64 GB RAM`, `64 GB RAM and 24 GB of vram`: the size of the other is the GPU's."""
    for index, span in enumerate(s.spans):
        unit, noun = s.at(index + 1), s.at(index + 2)
        if index == amount.at or span.number is None or unit is None or unit.get("unit") != "gb":
            continue
        between = s.spans[min(index, amount.at) : max(index, amount.at)]
        joined = any(one.text in ("and", "with", "plus", "+", "&") for one in between)
        named = any(
            s.plays(at, "quantity") and s.spans[at].get("quantity") == "memory"
            for at in (index + 2, index + 3)
        )
        before = index < amount.at and joined and noun is not None and noun.get("quantity") is None
        if (named or before) and not any(one.text in ("or", "not", "instead of", "vs") for one in between):
            return True
    return False
