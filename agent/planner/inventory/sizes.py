"""Sizes and prices: `8 or more cores`, `bigger than 100gb`, `over $2/h`."""

from __future__ import annotations

from agent.planner.inventory.amounts import Amount, amount_at, near
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import hint
from agent.planner.inventory.measuring import sized_by_number
from agent.planner.language import language

_GB = {"gb": 1.0, "tb": 1024.0, "mb": 1 / 1024, "KB": 1 / 1024**2}
_FIELD = {"min_vcpu": "vcpus", "min_ram": "ram_gib", "min_size_gb": "size_gb", "min_memory": "gpu_memory_gib"}
_RAM_TYPES = frozenset(("instance", "node", "gpu_instance"))
_PLACE = {"size_gb": 1.0, "size_bytes": 1024.0**3}
_NONE = frozenset(("no", "without", "without any", "with no", "have no", "has no", "zero"))
_MOST_CORES = 512


def read_sizes(a: Asked) -> None:
    """Every number that measures the resources themselves."""
    if not a.takes("min_vcpu"):
        return
    for index, span in a.all("gpu_counts"):
        op, number = str(span.get("gpu_counts")).split()
        a.where("gpu_count", op, float(number), index)
    for index, span in a.all("unit"):
        lead = a.s.at(index - 1)
        if span.get("unit") == "object" and lead is not None and lead.text in _NONE:
            # `buckets without objects`
            a.where("object_count", "eq", 0, index - 1, index)
    for index, span in enumerate(a.s.spans):
        if span.number is None or span.used or span.plays("gpu", "=name"):
            continue
        made = amount_at(a.s, index)
        if _of_a_field(a, made):
            continue
        if made.unit == "usd":
            _price(a, made)
        elif made.unit == "core":
            _least(a, "min_vcpu", made.value, made)
        elif made.unit in _GB:
            _size(a, made, made.value * _GB[made.unit])
        elif made.unit in ("gpu", "object"):
            _counted(a, made)
        elif made.unit is None:
            _bare(a, made)


def _of_a_field(a: Asked, made: Amount) -> bool:
    """`clusters with more than 10 nodes`, `functions with a timeout over 60 s`: a figure that rows have."""
    named = near(a.s, made, "figure_of", reach=4)
    kinds = types_said(a)
    if named is None and made.last > made.at and a.s.plays(made.last, "figure_of"):
        named = made.last
    if named is None or a.s.plays(made.at - 1, "top", "extreme"):
        return False
    name = str(a.s.spans[named].get("figure_of"))
    if str(hint("figures")[name]) not in kinds or (name == "node_count" and named < made.at):
        return False
    seconds = language().seconds.get(str(made.unit), 1) if name == "timeout_s" else 1
    a.where(name, made.op or "eq", made.value * seconds)
    _use(a, made, named)
    return True


def _use(a: Asked, made: Amount, *more: int | None) -> None:
    a.s.use(*range(made.first, made.last + 1), *(at for at in more if at is not None))
    if made.op_at is not None:
        a.s.use(made.op_at)


def _least(a: Asked, argument: str, value: float, made: Amount, *more: int | None) -> None:
    """At least so much is an argument; at most, exactly and more than are filtered by code."""
    name = _FIELD[argument]
    if made.op in ("lt", "le"):
        a.where(name, made.op, value)
    elif made.op == "eq":
        a.where(name, "eq", value)
    else:
        a.put(argument, value)
        if made.op == "gt":
            a.where(name, "gt", value)
    _use(a, made, *more)


def _size(a: Asked, made: Amount, gib: float) -> None:
    """Gigabytes: of the GPU, of memory, of the disk; without a word by what has them."""
    of = near(a.s, made, "size_of")
    what = a.s.spans[of].get("size_of") if of is not None else None
    kinds = set(types_said(a))
    if of is not None and of < made.at and a.s.spans[of].plays("shy_type") and sized_by_number(a.s, of):
        # `every disk over 100 gb`: what is listed, too.
        of = None
    if (
        what is None
        and made.op_at is not None
        and any(w in a.s.spans[made.op_at].text for w in ("bigger", "larger", "smaller"))
    ):
        what = "disk"
    if what is None:
        what = "ram" if kinds and kinds <= _RAM_TYPES else "vram" if a.s.has("gpu") else "disk"
    if of is None and _of_cards(a, made):
        what = "vram"
    if "function" in kinds:
        a.where("memory_mb", made.op or "eq", round(gib * 1024, 6))
        _use(a, made, of)
    elif what == "ram":
        _least(a, "min_ram", gib, made, of)
    elif what == "vram":
        _least(a, "min_memory", gib, made, of)
    elif kinds == {"bucket"} and made.op in ("lt", "le"):
        a.where("size_bytes", made.op, round(gib * 1024**3))
        _use(a, made, of)
    else:
        _least(a, "min_size_gb", gib, made, of)


def _of_cards(a: Asked, made: Amount) -> bool:
    """`how many 80 gb cards do we run`."""
    cards = a.s.at(made.last + 1)
    if cards is None or cards.text not in ("cards", "gpus"):
        return False
    a.put("resource_type", "gpu_instance")
    if a.s.plays(made.first - 1, "count"):
        a.found.then = {"op": "sum", "field": "gpu_count"}
        a.s.use(made.first - 1, made.last + 1)
    return True


def _price(a: Asked, made: Amount) -> None:
    """USD an hour: at most is an argument, more than is filtered."""
    hours = language().seconds[made.per] / 3600 if made.per else 1.0
    if made.per not in (None, "hour"):
        a.found.notices.append(f"${made.value:g} a {made.per} is ${made.value / hours:.4g} per hour.")
    value = round(made.value / hours, 6)
    said = near(a.s, made, "priced")
    if made.op in ("gt", "ge"):
        a.where("usd_per_hour", made.op, value)
    else:
        a.put("max_price", value)
    _use(a, made, said)


def _counted(a: Asked, made: Amount) -> None:
    """`8 gpus`, `more than 1000 objects`."""
    name = "gpu_count" if made.unit == "gpu" else "object_count"
    if made.unit == "gpu" and a.takes("gpu") and not types_said(a):
        a.put("resource_type", "gpu_instance")
    a.where(name, made.op or ("ge" if made.unit == "object" else "eq"), made.value)
    _use(a, made)


def _bare(a: Asked, made: Amount) -> None:
    """`vcpus >= 8`, `ram > 64`: the measure is named beside a number without a unit."""
    if made.op is None:
        return
    of = near(a.s, made, "size_of")
    cores = next(
        (
            at
            for at in (made.first - 1, made.last + 1)
            if a.s.spans[at : at + 1] and a.s.spans[at].get("unit") == "core"
        ),
        None,
    )
    if cores is not None and made.value <= _MOST_CORES:
        _least(a, "min_vcpu", made.value, made, cores)
    elif of is not None:
        what = {"ram": "min_ram", "vram": "min_memory"}.get(str(a.s.spans[of].get("size_of")), "min_size_gb")
        _least(a, what, made.value, made, of)


def types_said(a: Asked) -> list[str]:
    """The types that the question names, read or not yet."""
    known = list(a.found.arguments.get("resource_type", ()))
    known += [str(span.get("type")) for span in a.s.spans if span.plays("type")]
    known += [str(span.get("service")[1]) for span in a.s.spans if span.plays("service")]
    if not known:
        known += [
            str(span.get("shy_type"))
            for span in a.s.spans
            if span.plays("shy_type") and not span.plays("size_of")
        ]
    return list(dict.fromkeys(known or a.before.get("resource_type", ())))


def size_field(kinds: list[str]) -> str:
    """The field that says how big resources of these types are."""
    fields = {str(hint("size_field").get(kind, "size_gb")) for kind in kinds or ["volume"]}
    return fields.pop() if len(fields) == 1 else "size_gb"
