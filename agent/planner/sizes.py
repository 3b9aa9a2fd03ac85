"""Gigabytes: of a disk, of traffic, of the host, of all GPUs together, of one GPU."""

from __future__ import annotations

from collections.abc import Iterator

from agent.planner.amount import Amount, near
from agent.planner.found import Found
from agent.planner.sentence import Sentence
from cloudtop import gpus

_WITH = ("with", "has", "have", "having", "need", "needs", "w")


def read_size(s: Sentence, amount: Amount, found: Found) -> bool:
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
        found.refused.append(f"{amount.value:g} GB of host memory: offers cannot be filtered by it")
        return False
    if what_at is not None:
        s.use(what_at)
    whole = near(s, amount, "whole", reach=6)
    if whole is None and near(s, amount, "per_node") is not None:
        whole = near(s, amount, "per_node")
    if whole is not None:
        s.use(whole)
        found.put("min_total_memory", amount.value)
        return amount.op not in ("lt", "le")
    return _gpu_memory(s, amount, found, what is not None)


def _gpu_memory(s: Sentence, amount: Amount, found: Found, named: bool) -> bool:
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
    elif found.loose_memory and s.plays(amount.at - 1, "or") and s.spans[amount.at - 1].text == "or":
        found.sides += [{"memory": found.arguments.pop("min_memory")}, {"memory": amount.value}]
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
    if after is not None and after.get("unit") == "gpu" and not named:
        return True
    if named or (before is not None and before.text in _WITH):
        return False
    return (
        after is not None
        and after.plays("unit", "dimension", "count_word")
        and after.get("unit") in ("gpu", "node", None)
    )


def _is_host_ram(s: Sentence, amount: Amount) -> bool:
    """`A100 with 512GB RAM` is the host's; `24gb ram gpu` can only be the GPU's."""
    place = _model_beside(s, amount)
    if place is None:
        return amount.value > 192
    known = gpus.catalogue().gpus
    return not any(known[name].nominal(amount.value) for name in s.spans[place].get("gpu") if name in known)
