"""Whether enough was said to answer, and whether what was said is about something of ours."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.query import Query
from agent.planner.sentence import Sentence, Span
from agent.planner.sentence import priced as is_priced


def enough(s: Sentence, query: Query, found: Found, price_said: bool) -> bool:
    """Whether a price question says anything to go by."""
    arguments = {name for name in query.arguments if name not in ("limit", "sort", "time", "hours")}
    if (
        "sort" in query.arguments
        or "rank_by" in arguments
        or (
            arguments & {"max_price", "min_price"}
            and any(sp.get("unit") in ("usd", "cent") for sp in s.spans)
        )
    ):
        return True
    moved = found.then is not None and found.then["op"] == "diff"
    if moved and any(is_priced(span) or _of_price(span) for span in s.spans):
        return True
    if _dangling(s, arguments):
        return False
    if (found.then or {}).get("op") in ("within", "divide") and (
        near_gpu(s) or _rents(s) or arguments & {"memory", "min_memory"}
    ):
        return True
    if arguments & {
        "available",
        "gpu",
        "exclude_gpu",
        "vendor",
        "architecture",
        "min_total_memory",
        "instance_type",
        "count",
        "min_count",
        "fractional",
    }:
        return True
    if {str(one[0]) for one in found.where} & _OF_GPUS:
        return True
    if len(arguments) > 1 and arguments & {"memory", "min_memory"}:
        return True
    gpu_word = bool({"gpu", "gpus"} & set(s.words()))
    gpu_word = gpu_word or any(
        span.get("unit") == "gpu" or span.get("quantity") == "memory" or span.plays("per_gpu")
        for span in s.spans
    )
    priced = price_said or any(
        cue in s.words()
        for cue in (
            "price",
            "prices",
            "pricing",
            "rates",
            "deal",
            "deals",
            "offers",
            "listings",
            "rent",
            "rents",
            "sheet",
            "catalog",
            "catalogue",
            "much",
            "charges",
            "charge",
        )
    )
    if arguments:
        return priced or gpu_word or bool(query.sides) or found.best is not None
    return bool(query.sides) or (gpu_word and (priced or found.best is not None))


_OF_GPUS = frozenset(("gpu_memory_gib", "gpu_count", "usd_per_gpu_hour", "usd_per_hour"))
"""Row fields that only offers of GPUs have."""


def _of_price(span: Span) -> bool:
    """`price drop`, `get more expensive`: a change of prices, whatever they are of."""
    return span.plays("change") and any(word in span.text for word in ("pric", "expens", "cheap", "dear"))


def _rents(s: Sentence) -> bool:
    """`what can I rent`, `which can we afford`."""
    return bool({"rent", "rented", "afford", "lease", "hire"} & set(s.words()))


def _dangling(s: Sentence, arguments: set[str]) -> bool:
    """`eight of those`: so many of what was never named."""
    pointing = {"those", "them", "these"} & {word for span in s.spans for word in span.text.split()}
    return bool(pointing) and arguments <= {"count", "min_count", "spot", "nodes"}


def near_gpu(s: Sentence) -> bool:
    """Whether a GPU, an instance type or spot is spoken of at all."""
    return any(span.plays("gpu", "=spot", "=instance_type") or span.get("unit") == "gpu" for span in s.spans)


def measures(query: Query) -> set[str]:
    """Arguments that only a question about machines has, unlike a place or a number of rows."""
    return (
        set(query.arguments)
        - {"region", "exclude_region", "providers", "limit", "sort", "time", "hours", "group_by"}
        - {
            "max_price",
            "min_price",
        }
    )


def mostly_unread(s: Sentence, found: Found, query: Query, ignored: tuple[str, ...]) -> bool:
    """Hardly anything of the question was understood: it is about something else."""
    strangers = sum(len(word.split()) for word in ignored if word not in found.purposes)
    used = sum(1 for span in s.spans if span.used)
    priced = any(span.get("quantity") == "price" or span.plays("best") for span in s.spans)
    anchored = (
        bool(measures(query))
        or near_gpu(s)
        or any(span.plays("provider") or next(span.values, None) for span in s.spans)
        or (found.then is not None and found.then["op"] == "diff" and priced)
    )
    understood = used + len(s.cue_tokens.get(query.tool, ()))
    return (
        strangers > 0
        and not anchored
        and (strangers >= understood or (priced and "gpu" not in query.arguments))
    )
