"""What values are compared with: `above 80 %`, `cpu < 8%`, `between 20 and 40 percent`."""

from __future__ import annotations

from agent.planner.inventory.amounts import PERIODS, Amount, amount_at
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import facts, hint
from agent.planner.inventory.measuring import share_of
from agent.planner.inventory.sizes import types_said
from cloudtop import metrics

SIZES = {"gb": "GB", "tb": "TB", "mb": "MB"}
_RATES = ("s", "MB/s", "GB/s", "KB/s", "Mbit/s", "Gbit/s", "Kbit/s")
_PLAIN = (None, "percent", "times", "object")
_RANKING = ("top", "many", "few", "extreme", "ranked_metric")
_SAID = {"lt": "under", "le": "at most", "gt": "over", "ge": "at least", "eq": "exactly"}
_REACH = 6


def read_thresholds(a: Asked, mentions: dict[int, str]) -> None:
    """`above 80 %`, `cpu < 8%`, `between 20 and 40 percent`, `over 200 ms`."""
    made: list[tuple[str | None, Amount]] = []
    for index, span in enumerate(a.s.spans):
        if span.number is None or span.used or span.plays("=name", "gpu"):
            continue
        amount = amount_at(a.s, index)
        if not _compares(a, amount, mentions):
            continue
        made.append((_metric_of(a, amount, mentions), amount))
        a.s.use(*range(amount.first, amount.last + 1), *([amount.op_at] if amount.op_at is not None else []))
    if len(made) == 2 and _a_range(a, made[0][1], made[1][1]):
        (metric, low), (other, high) = made
        _put(a, other or metric, low, "ge", mentions)
        a.where("value", "le", high.value)
    elif len(made) > 1 and len({metric for metric, _ in made}) == len(made):
        for metric, amount in made:
            a.found.sides.append(_compared(a, metric, amount, amount.op, mentions))
        a.found.then = {"op": "either" if "or" in a.s.words() else "both"}
        a.s.use(*mentions)
        mentions.clear()
    else:
        for metric, amount in made:
            _put(a, metric, amount, amount.op, mentions)


def read_units(a: Asked) -> None:
    """`memory of db-main in gb`: how it is to be told; each metric is told in its own unit, which is said."""
    for index, span in a.all("unit"):
        lead, before = a.s.at(index - 1), a.s.at(index - 2)
        if lead is not None and lead.text == "in" and before is not None and before.number is None:
            a.s.use(index)
            a.found.notices.append(
                f"Every figure is in the unit of its metric, whether that is {span.text} or not."
            )


def _compares(a: Asked, amount: Amount, mentions: dict[int, str]) -> bool:
    """Whether a number is one that values are compared with."""
    if amount.unit in (*PERIODS, "usd", "core", "node", "offer", "gpu"):
        return False
    if amount.unit in SIZES:
        return any(abs(at - amount.at) <= _REACH and _in_bytes(one) for at, one in mentions.items())
    if amount.unit in ("percent", *hint("unit_metric"), *_RATES):
        return True
    ranked = any(a.s.plays(at, *_RANKING) for at in (amount.at - 1, amount.last + 1))
    known = bool(mentions) or _op_metric(a, amount) is not None or bool(a.before.get("metric"))
    return amount.op is not None and not ranked and known


def _in_bytes(metric: str) -> bool:
    """Whether a size is a value of a metric: of memory and disks, not of CPU."""
    return metric in hint("in_bytes") or "bytes" in metrics.metrics()[metric].unit


def _a_range(a: Asked, low: Amount, high: Amount) -> bool:
    return low.at in a.s.ranged and high.at in a.s.ranged


def _op_metric(a: Asked, amount: Amount) -> str | None:
    said = a.s.spans[amount.op_at].get("metric_op") if amount.op_at is not None else None
    return heat(a, str(said).split()[0], percent=amount.unit == "percent") if said else None


def heat(a: Asked, metric: str, *, percent: bool = False) -> str:
    """`hot` is the temperature of GPUs, the load of other things."""
    if metric != "heat":
        return metric
    without, with_gpus, share = facts()["heat"]
    return str((share if percent else with_gpus) if gpu_meant(a) else without)


def _metric_of(a: Asked, amount: Amount, mentions: dict[int, str]) -> str | None:
    """The metric that a number is of: the nearest one, else what its comparison or its unit says."""
    if amount.unit == "cent" and a.s.spans[amount.last].text == "c":
        # `above 80C`
        amount.unit = "C"
    told = str(hint("unit_metric").get(str(amount.unit)))
    if told in metrics.metrics() and not {metrics.metrics()[one].unit for one in mentions.values()} & {
        metrics.metrics()[told].unit
    }:
        return told
    behind = min((at for at in mentions if at > amount.last), default=None)
    between = a.s.spans[amount.last + 1 : behind]
    if behind is not None and share_of(a.s, behind) and not any(one.number is not None for one in between):
        return mentions[behind]
    if mentions:
        nearest = min(mentions, key=lambda at: (min(abs(at - amount.first), abs(at - amount.last)), -at))
        return mentions[nearest]
    if amount.unit in hint("unit_metric"):
        return str(hint("unit_metric")[str(amount.unit)])
    said = _op_metric(a, amount)
    return str(hint("with_gpu").get(said, said)) if said is not None and gpu_meant(a) else said


def _put(a: Asked, metric: str | None, amount: Amount, op: str | None, mentions: dict[int, str]) -> None:
    for name, value in _compared(a, metric, amount, op, mentions).items():
        if name == "metric" and mentions:
            continue
        a.put(name, value)


def _compared(
    a: Asked, metric: str | None, amount: Amount, op: str | None, mentions: dict[int, str]
) -> dict[str, object]:
    """The arguments of one comparison."""
    before = a.s.at(amount.first - 1)
    if op is None and before is not None and before.text == "than":
        said = f"{amount.value:g}{' %' if amount.unit == 'percent' else ''}"
        a.found.ask(f"Is more than {said} meant, or less than {said}?")
    if op in (None, "around"):
        a.found.notices.append(f"{amount.value:g} was read as: at least {amount.value:g}.")
        op = "ge"
    if amount.unit in SIZES and metric in hint("in_bytes"):
        at = next(at for at, name in mentions.items() if name == metric)
        metric = mentions[at] = str(hint("in_bytes")[str(metric)])
    metric = metric or _usual(a)
    about = metrics.metrics()[metric]
    if amount.unit == "percent" and about.unit != "percent":
        a.found.ask(
            f"{about.title} is measured in {about.unit}, not in percent: what should it be {_SAID[op]}?"
        )
    if amount.unit == "cent" and about.unit == "celsius":
        amount.unit = "C"
    if amount.unit in _PLAIN:
        return {"metric": metric, "op": op, "value": amount.value}
    if amount.unit in SIZES:
        said_in = float(a.s.spans[amount.at].number or amount.value)
        return {"metric": metric, "op": op, "value": said_in, "unit": SIZES[str(amount.unit)]}
    return {"metric": metric, "op": op, "value": amount.value, "unit": amount.unit}


def _usual(a: Asked) -> str:
    """The metric of the question before, else the one that people mean of such resources."""
    if a.before.get("metric"):
        return str(a.before["metric"][0])
    kinds = ["gpu_instance"] if gpu_meant(a) else types_said(a)
    usual = str(hint("usual_for").get(kinds[0] if kinds else "", hint("usual_metric")))
    a.found.notices.append(f"No metric was named: {metrics.metrics()[usual].title} was taken.")
    return usual


def gpu_meant(a: Asked) -> bool:
    """Whether GPUs are spoken of, here or in the question before where this one names no other kind."""
    before = "gpu" in a.before or "gpu_instance" in a.before.get("resource_type", ())
    if before and not a.s.has("type"):
        return True
    return any(
        span.get("type") == "gpu_instance" or span.plays("gpu") or span.text in ("gpu", "gpus")
        for span in a.s.spans
    )
