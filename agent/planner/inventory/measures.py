"""Metrics: which ones, and the adjectives that name one: `busiest`, `idle`, `overloaded`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from agent.planner.inventory.aggregates import read_aggregates, read_extent, read_intervals, read_steps
from agent.planner.inventory.amounts import PERIODS, length_at, said
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import facts, hint, set_of
from agent.planner.inventory.measuring import compared_behind, share_of, sized_by_number
from agent.planner.inventory.thresholds import SIZES, gpu_meant, heat, read_thresholds, read_units
from agent.planner.language import word_set
from cloudtop import metrics


def read_measures(a: Asked) -> None:
    """Everything about metrics, for a tool that measures."""
    if not (a.tool.has("metric") and a.tool.has("op")):
        return
    for index, _ in a.all("metric_list"):
        a.put("list_metrics", True, index)
    mentions = dict(_mentions(a))
    read_intervals(a)
    read_units(a)
    read_thresholds(a, mentions)
    _adjectives(a, mentions)
    read_steps(a)
    read_aggregates(a)
    for index, metric in mentions.items():
        a.put("metric", metric.split(), index)
    if "disk" in a.found.arguments.get("metric", ()) and a.s.has("type"):
        a.s.use(*(index for index, span in a.all("shy_type") if span.text in ("disk", "disks")))
    _closer(a)
    read_extent(a)
    _of_requests(a)
    _how_big(a)
    _top(a)
    for index, _ in a.all("hogs"):
        if "name" not in a.found.arguments:
            a.put("sort", "desc", index)
    a.s.use(*(index for index, _ in a.all("measured", "graph", "all_metrics")))


def _closer(a: Asked) -> None:
    """`sent 50 MB/s of traffic`, `how full is its GPU memory`: the closer word says what is measured."""
    named = a.found.arguments.get("metric") or []
    if "network" in named and {"network_in", "network_out"} & set(named):
        named.remove("network")
    full = any(span.text.endswith("full") for span in a.s.spans)
    if len(named) > 1 and "disk" in named and full and not any("disk" in word for word in a.s.words()):
        named.remove("disk")


def _how_big(a: Asked) -> None:
    """`how big is the bucket, and how many objects does it hold`: beside a count a size is measured too."""
    measured = a.found.arguments.get("metric") or []
    for index, _ in a.all("field_of"):
        if measured == ["object_count"] and a.s.spans[index].text.startswith(("how big", "how large")):
            measured.insert(0, "size_bytes")
            a.s.use(index)


def _of_requests(a: Asked) -> None:
    """`p99 of checkout`: without a metric a percentile is of how long answers take, of what gives any."""
    agg = str(a.found.arguments.get("agg") or (a.found.sides[0].get("agg") if a.found.sides else ""))
    if not agg.startswith("p") or "metric" in a.found.arguments or a.before.get("metric"):
        return
    kinds = {str(span.get("type") or (span.get("service") or ("", ""))[1]) for span in a.s.spans} - {
        "None",
        "",
    }
    if any("metric" in side for side in a.found.sides) or (kinds and not kinds & set(_LATENCY_OF)):
        return
    a.put("metric", "latency")
    a.found.notices.append("No metric was named: latency was taken.")


_LATENCY_OF = ("load_balancer", "function", "container", "app", "cluster")


def _top(a: Asked) -> None:
    """`cpu per instance, top 5`: the largest come first."""
    for index, _ in a.all("top"):
        after = a.s.at(index + 1)
        if (
            "metric" in a.found.arguments
            and "sort" not in a.found.arguments
            and after is not None
            and after.number
        ):
            a.put("sort", "desc")


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
        return a.s.spans[index - 1].get("unit") not in SIZES or a.s.plays(index + 1, "measured")
    number = a.s.at(index - 1)
    if number is not None and number.number is not None and a.s.plays(index - 2, "op"):
        # `and fewer than 10 connections`
        return True
    return share_of(a.s, index) or compared_behind(a.s, index)


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
    if sized_by_number(a.s, index):
        return True
    if span.plays("state") and not compared_behind(a.s, index):
        return True
    if (
        span.plays("shy_type", "type")
        and span.text.endswith("s")
        and span.text not in ("errors", "connections")
    ):
        return True
    before = index - 2 if (one := a.s.at(index - 1)) is not None and one.text == "+" else index - 1
    near = (a.s.at(before), a.s.at(index + 1))
    sized = any(one is not None and one.get("unit") in SIZES for one in near)
    using = any(sp.plays("measured") or sp.text in ("using", "uses", "used", "of its") for sp in a.s.spans)
    return sized and not using


def _with_gpu(a: Asked, index: int, metric: str) -> str:
    """`gpu power`, `utilization of the gpus`: of the GPU where one is spoken of right beside it."""
    before = a.s.at(a.skip(index - 1, -1))
    if before is not None and before.text in ("gpu", "gpus") and metric in hint("with_gpu"):
        a.s.use(a.skip(index - 1, -1))
        return str(hint("with_gpu")[metric])
    return metric


def _adjectives(a: Asked, mentions: dict[int, str]) -> None:
    """`busiest`, `most memory` rank; `idle`, `overloaded` compare where no number was said."""
    for index, span in a.all("ranked_metric"):
        metric, way = str(span.get("ranked_metric")).split()
        if _of_gpus(a, index):
            metric = str(hint("with_gpu").get(metric, metric))
        if "metric" not in a.found.arguments and not mentions:
            a.put("metric", metric)
        if {"name", "id"} & set(a.found.arguments):
            a.put("agg", "max" if way == "desc" else "min", index)
        else:
            a.put("sort", way, index)
    _said_thresholds(a, mentions)
    _idle_for(a)


def _said_thresholds(a: Asked, mentions: dict[int, str]) -> None:
    """`idle`, `overloaded`, `swapping`: a comparison in a word."""
    for index, span in a.all("threshold"):
        metric, op, value = str(span.get("threshold")).split()
        if index and a.s.spans[index - 1].text == "how":
            # `how hot` asks for degrees, of whatever; `how busy` for the load.
            a.put("metric", facts()["heat"][1] if metric == "heat" else metric, index)
            continue
        if a.s.plays(index + 1, "many", "few") and "sort" not in a.found.arguments and a.tool.has("sort"):
            # `throttled the most`
            a.put("metric", metric)
            a.put("sort", "asc" if a.s.plays(index + 1, "few") else "desc", index, index + 1)
            continue
        metric = heat(a, metric)
        if gpu_meant(a) and metric in hint("with_gpu"):
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
        if op == "eq":
            # Of what is counted all of it, of what is a level its highest, over the whole time.
            a.put("agg", "sum" if metrics.metrics()[metric].over == "sum" else "max")
        said = {"lt": "under", "gt": "over", "eq": "exactly"}[op]
        unit = {"percent": " %", "celsius": " °C"}.get(metrics.metrics()[metric].unit, "")
        a.found.notices.append(
            f"“{span.text}” was read as: {metrics.metrics()[metric].title} {said} {value}{unit}."
        )


def _of_gpus(a: Asked, index: int) -> bool:
    """`least used gpus`: the cards themselves, not the machines that they are in."""
    return any(
        span is not None and (span.text in ("gpu", "gpus") or span.get("type") == "gpu_instance")
        for span in (a.s.at(index + 1), a.s.at(index + 2))
    )


def _own_word(a: Asked, index: int) -> bool:
    """`busy` beside its own metric with a number is no second condition."""
    return "sort" in a.found.arguments and a.s.spans[index].text in ("hot", "busy")


def _idle_for(a: Asked) -> None:
    """`idle for 7 days`, `under 5 % for a week`: over that time."""
    if "time" in a.found.arguments:
        return
    measured = a.s.has("metric", "shy_metric", "ranked_metric")
    measured = measured or "metric" in a.found.arguments
    for index, span in enumerate(a.s.spans):
        amount = length_at(a.s, index) if not span.used else None
        lead = a.s.at(amount.first - 1) if amount is not None else None
        if amount is None or amount.unit not in PERIODS:
            continue
        if amount.op_at is not None and a.s.spans[amount.op_at].text == "over" and measured:
            # `trend over 30 days`
            a.put("time", f"last_{said(amount)}", *range(amount.first, amount.last + 1))
            return
        if amount.op is not None:
            continue
        # `p99 latency checkout-api 1h`: beside a metric a length of time is over how long.
        terse = span.number is not None and measured and not a.s.plays(amount.last + 1, "old")
        if terse or lead is None or lead.text in ("for", "over", "in", "during", "within"):
            places = range(amount.first, amount.last + 1)
            a.put("time", f"last_{said(amount)}", *places)
            return
