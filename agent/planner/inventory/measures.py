"""Metrics: which, compared with what, as which figure, in which order, at which steps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from agent.planner.inventory.amounts import PERIODS, Amount, amount_at, length_at, said
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import facts, hint, set_of
from agent.planner.inventory.sizes import types_said
from agent.planner.language import word_set
from agent.planner.sentence import Span
from cloudtop import metrics

_SIZES = {"gb": "GB", "tb": "TB", "mb": "MB"}
_PLAIN = (None, "percent", "times", "object")
_LETTER = {"minute": "m", "hour": "h", "day": "d", "week": "w", "s": "s"}
_REACH = 6


def read_measures(a: Asked) -> None:
    """Everything about metrics, for a tool that measures."""
    if not (a.tool.has("metric") and a.tool.has("op")):
        return
    for index, _ in a.all("metric_list"):
        a.put("list_metrics", True, index)
    mentions = dict(_mentions(a))
    _thresholds(a, mentions)
    _adjectives(a, mentions)
    _steps(a)
    _aggregates(a)
    for index, metric in mentions.items():
        a.put("metric", metric.split(), index)
    _extent(a)
    for index, _ in a.all("hogs"):
        if "name" not in a.found.arguments:
            a.put("sort", "desc", index)
    a.s.use(*(index for index, _ in a.all("measured", "graph", "all_metrics")))


def _mentions(a: Asked) -> Iterator[tuple[int, str]]:
    """Place and metric of every metric that is spoken of."""
    places = [
        i for i, span in a.all("metric", "shy_metric") if not (span.plays("shy_metric") and _not_meant(a, i))
    ]
    sure = {i for i in places if a.s.spans[i].plays("metric")}
    for index in places:
        span = a.s.spans[index]
        if span.get("metric") is not None:
            yield index, _with_gpu(a, index, str(span.get("metric")))
        elif not sure or index in _joined(a, index, places) or _own_number(a, index):
            yield index, _with_gpu(a, index, str(span.get("shy_metric")))


def _own_number(a: Asked, index: int) -> bool:
    """`… and memory under 30 %`, `… but above 50 % memory`: it has a comparison of its own."""
    if (
        a.s.plays(index - 1, "unit")
        and (number := a.s.at(index - 2)) is not None
        and number.number is not None
    ):
        return a.s.spans[index - 1].get("unit") not in _SIZES
    return any(a.s.plays(at, "op") for at in (index + 1, index + 2)) and any(
        span.number is not None for span in a.s.spans[index + 1 : index + 5]
    )


def _joined(a: Asked, index: int, places: list[int]) -> set[int]:
    """A shy metric in a list with others: `cpu and memory`, `cpu, disk`."""
    joins = word_set("joins") | set_of("joins") | set_of("articles")
    linked = set()
    for one, other in pairwise(places):
        if all(span.text in joins or span.plays("measured") for span in a.s.spans[one + 1 : other]):
            linked |= {one, other}
    return linked


def _not_meant(a: Asked, index: int) -> bool:
    """`64 gb memory` says how big, `disks` which type, `by size` in which order."""
    span = a.s.spans[index]
    if (
        span.plays("shy_type", "type")
        and span.text.endswith("s")
        and span.text not in ("errors", "connections")
    ):
        return True
    near = (a.s.at(index - 1), a.s.at(index + 1))
    sized = any(one is not None and one.get("unit") in _SIZES for one in near)
    using = any(sp.plays("measured") or sp.text in ("using", "uses", "used", "of its") for sp in a.s.spans)
    return sized and not using


def _with_gpu(a: Asked, index: int, metric: str) -> str:
    """`gpu power`, `utilization of the gpus`: of the GPU where one is spoken of right beside it."""
    before = a.s.at(a.skip(index - 1, -1))
    if before is not None and before.text in ("gpu", "gpus") and metric in hint("with_gpu"):
        a.s.use(a.skip(index - 1, -1))
        return str(hint("with_gpu")[metric])
    return metric


def _thresholds(a: Asked, mentions: dict[int, str]) -> None:
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


def _compares(a: Asked, amount: Amount, mentions: dict[int, str]) -> bool:
    """Whether a number is one that values are compared with."""
    if amount.unit in (*PERIODS, "usd", "core", "node", "offer", "gpu"):
        return False
    if amount.unit in _SIZES and not mentions:
        return False
    if amount.unit in (
        "percent",
        *hint("unit_metric"),
        "s",
        "MB/s",
        "GB/s",
        "KB/s",
        "Mbit/s",
        "Gbit/s",
        "Kbit/s",
    ):
        return True
    if amount.unit in _SIZES:
        return any(abs(at - amount.at) <= _REACH for at in mentions)
    ranked = any(
        a.s.plays(at, "top", "many", "few", "extreme", "ranked_metric")
        for at in (amount.at - 1, amount.last + 1)
    )
    known = bool(mentions) or _op_metric(a, amount) is not None or bool(a.before.get("metric"))
    return amount.op is not None and not ranked and known


def _a_range(a: Asked, low: Amount, high: Amount) -> bool:
    return low.at in a.s.ranged and high.at in a.s.ranged


def _op_metric(a: Asked, amount: Amount) -> str | None:
    said = a.s.spans[amount.op_at].get("metric_op") if amount.op_at is not None else None
    return _heat(a, str(said).split()[0], percent=amount.unit == "percent") if said else None


def _heat(a: Asked, metric: str, *, percent: bool = False) -> str:
    """`hot` is the temperature of GPUs, the load of other things."""
    if metric != "heat":
        return metric
    without, with_gpus, share = facts()["heat"]
    return str((share if percent else with_gpus) if _gpu_meant(a) else without)


def _metric_of(a: Asked, amount: Amount, mentions: dict[int, str]) -> str | None:
    """The metric that a number is of: the nearest one, what its comparison or its unit says, else the usual."""
    if mentions:
        nearest = min(mentions, key=lambda at: (min(abs(at - amount.first), abs(at - amount.last)), -at))
        return mentions[nearest]
    if amount.unit in hint("unit_metric"):
        return str(hint("unit_metric")[str(amount.unit)])
    said = _op_metric(a, amount)
    return str(hint("with_gpu").get(said, said)) if said is not None and _gpu_meant(a) else said


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
    if amount.unit in _SIZES and metric in hint("in_bytes"):
        at = next(at for at, name in mentions.items() if name == metric)
        metric = mentions[at] = str(hint("in_bytes")[str(metric)])
    if metric is None and a.before.get("metric"):
        metric = str(a.before["metric"][0])
    if metric is None:
        metric = _usual(a)
        a.found.notices.append(f"No metric was named: {metrics.metrics()[metric].title} was taken.")
    if amount.unit == "percent" and (unit := metrics.metrics()[metric].unit) != "percent":
        title = metrics.metrics()[metric].title
        a.found.ask(f"{title} is measured in {unit}, not in percent: what should it be {_SAID[op]}?")
    made: dict[str, object] = {"metric": metric, "op": op, "value": amount.value}
    if amount.unit not in _PLAIN:
        made["unit"] = _SIZES.get(str(amount.unit), amount.unit)
        if amount.unit in _SIZES:
            made["value"] = _as_said(a, amount)
    return made


_SAID = {"lt": "under", "le": "at most", "gt": "over", "ge": "at least", "eq": "exactly"}


def _as_said(a: Asked, amount: Amount) -> float:
    return float(a.s.spans[amount.at].number or amount.value)


def _usual(a: Asked) -> str:
    kinds = types_said(a)
    return str(hint("usual_for").get(kinds[0] if kinds else "", hint("usual_metric")))


def _adjectives(a: Asked, mentions: dict[int, str]) -> None:
    """`busiest`, `most memory` rank; `idle`, `overloaded` compare where no number was said."""
    for index, span in a.all("ranked_metric"):
        metric, way = str(span.get("ranked_metric")).split()
        if "metric" not in a.found.arguments and not mentions:
            a.put("metric", metric)
        if {"name", "id"} & set(a.found.arguments):
            a.put("agg", "max" if way == "desc" else "min", index)
        else:
            a.put("sort", way, index)
    for index, span in a.all("threshold"):
        metric, op, value = str(span.get("threshold")).split()
        metric = _heat(a, metric)
        if index and a.s.spans[index - 1].text == "how":
            a.put("metric", metric, index)
            continue
        if _gpu_meant(a) and metric in hint("with_gpu"):
            metric = str(hint("with_gpu")[metric])
        if "op" in a.found.arguments or a.found.sides or _own_word(a, index):
            a.s.use(index)
            continue
        if mentions and metric not in mentions.values():
            continue
        a.s.use(index)
        mentions.setdefault(index, metric) if not mentions else None
        a.put("op", op)
        a.put("value", float(value))
        said = {"lt": "under", "gt": "over"}[op]
        unit = {"percent": " %", "celsius": " °C"}.get(metrics.metrics()[metric].unit, "")
        a.found.notices.append(
            f"“{span.text}” was read as: {metrics.metrics()[metric].title} {said} {value}{unit}."
        )
    _idle_for(a)


_EXTREME_OF = {"lt": "max", "le": "max", "gt": "min", "ge": "min"}


def _extent(a: Asked) -> None:
    """`never above 10 %`, `always over 50 %`: of the highest, or the lowest, of all values."""
    places = [index for index, _ in enumerate(a.s.spans) if a.s.plays(index, "extent")]
    op = a.found.arguments.get("op")
    if places and op is not None and "agg" not in a.found.arguments:
        a.put("agg", _EXTREME_OF.get(op, "max"))
    a.s.use(*places)


def _gpu_meant(a: Asked) -> bool:
    return any(
        span.get("type") == "gpu_instance" or span.plays("gpu") or span.text in ("gpu", "gpus")
        for span in a.s.spans
    )


def _own_word(a: Asked, index: int) -> bool:
    """`busy` beside its own metric with a number is no second condition."""
    return "sort" in a.found.arguments and a.s.spans[index].text in ("hot", "busy")


def _idle_for(a: Asked) -> None:
    """`idle for 7 days`, `under 5 % for a week`: over that time."""
    if "time" in a.found.arguments:
        return
    for index, span in enumerate(a.s.spans):
        amount = length_at(a.s, index) if not span.used else None
        lead = a.s.at(amount.first - 1) if amount is not None else None
        if amount is None or amount.unit not in PERIODS or amount.op is not None or lead is None:
            continue
        if lead.text in ("for", "over", "in", "during", "within"):
            places = range(amount.first, amount.last + 1)
            a.put("time", f"last_{said(amount)}", *places)


def _steps(a: Asked) -> None:
    """`hourly`, `every 5 minutes`, `at 1m resolution`."""
    if not a.takes("granularity"):
        return
    for index, span in enumerate(a.s.spans):
        if span.used:
            continue
        if span.get("unit") in ("hour", "day") and span.text in ("hourly", "daily"):
            a.put("granularity", "1h" if span.get("unit") == "hour" else "1d", index)
        elif span.plays("per_hour") and "op" not in a.found.arguments:
            a.put("granularity", "1h", index)
        elif (
            span.plays("per")
            and a.s.plays(index + 1, "unit")
            and a.s.spans[index + 1].get("unit") in ("hour", "day", "minute")
        ):
            a.put("granularity", f"1{_LETTER[a.s.spans[index + 1].get('unit')]}", index, index + 1)
        elif span.number is not None and a.s.plays(index + 1, "unit"):
            unit = a.s.spans[index + 1].get("unit")
            beside = (
                a.s.plays(index - 1, "step")
                or a.s.plays(index + 2, "step", "metric", "shy_metric", "agg")
                or a.s.plays(a.skip(index - 1, -1), "per")
            )
            if unit in _LETTER and beside:
                a.put("granularity", f"{span.number:g}{_LETTER[unit]}", index, index + 1)
                a.s.use(*(at for at in (index - 1, index + 2) if a.s.plays(at, "step", "per")))


def _aggregates(a: Asked) -> None:
    """`average`, `peak`, `p99`; `highest` of several ranks them, and so does `by cpu`."""
    for index, span in a.all("per"):
        if span.text == "by" and a.s.plays(a.skip(index + 1), "metric", "shy_metric"):
            a.put("sort", "desc", index)
    for index, span in a.all("agg", "many", "few", "top"):
        ahead = _next_metric(a, index)
        if span.text in _RANKS or span.plays("many", "few", "top"):
            if ahead and not ({"name", "id"} & set(a.found.arguments) and span.plays("agg")):
                a.put(
                    "sort",
                    "asc" if span.plays("few") or span.text in ("lowest", "min", "minimal") else "desc",
                    index,
                )
                continue
        if span.plays("agg") and not span.plays("op"):
            _as_figure(a, str(span.get("agg")), index)
        elif span.plays("agg") and (ahead or _near_metric(a, index)):
            _as_figure(a, str(span.get("agg")), index)


def _as_figure(a: Asked, agg: str, index: int) -> None:
    """One figure; two of them, such as `p50 and p99`, are two calls."""
    first = a.found.arguments.get("agg")
    if first is None or first == agg or a.found.sides:
        a.put("agg", agg, index)
        return
    del a.found.arguments["agg"]
    a.found.sides = [{"agg": first}, {"agg": agg}]
    a.found.then = {"op": "compare", "by": "agg", "values": [first, agg]}
    a.s.use(index)


_RANKS = frozenset(("highest", "lowest", "worst"))


def _next_metric(a: Asked, index: int) -> bool:
    """Whether a metric follows, an article or a figure between."""
    for at in range(index + 1, min(len(a.s.spans), index + 4)):
        span = a.s.spans[at]
        if span.plays("metric", "shy_metric"):
            return True
        if not (
            span.text in set_of("articles")
            or span.plays("agg", "measured")
            or span.number is not None
            or span.text in ("of", "by")
        ):
            return False
    return False


def _near_metric(a: Asked, index: int) -> bool:
    return any(a.s.plays(at, "metric", "shy_metric") for at in range(index - 3, index + 4))


def speaks(span: Span) -> bool:
    """Whether a phrase is about measuring at all."""
    return span.plays("metric", "ranked_metric", "threshold", "metric_op", "metric_list")
