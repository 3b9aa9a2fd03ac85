"""Questions about groups: `per provider`, `cheapest region`, `which cloud is cheapest`."""

from __future__ import annotations

from agent.planner.among import of_all, read_among
from agent.planner.found import Found
from agent.planner.language import language, word_set
from agent.planner.sentence import Sentence, Span
from agent.planner.shape import PRICE, is_plural, sort_rows
from agent.planner.tool import Tool


def read_groups(s: Sentence, tool: Tool, found: Found) -> None:
    """`per provider`, `cheapest region`, `which cloud is cheapest`."""
    for index, span in list(s.all("per_gpu")):
        if s.plays(index + 1, "dimension") and s.spans[index + 1].get("dimension") == "gpu":
            _group(s, "gpu", tool, found, index, index + 1)
        elif _each_model(s, span):
            _group(s, "gpu", tool, found, index)
        elif span.plays("per_gpu"):
            s.use(index)
    for index, span in list(s.all("any_seller")):
        if _of_every(s, index, span, found) or _all_compared(s):
            _group(s, "provider", tool, found, index)
    for index, _ in list(s.all("per")):
        _per(s, index, tool, found)
    for index, span in list(s.all("per")):
        several = _several(s)
        sized = s.plays(index - 1, "unit") and s.spans[index - 1].get("unit") == "gb"
        denied = s.plays(index - 1, "neg", "negates")
        each = span.text.endswith(("each", "every")) and not sized and not denied
        if each and several and not s.plays(index + 1, "dimension"):
            _group(s, several, tool, found, index)
        elif each and not sized and not denied and of_all(s, index):
            _group(s, "gpu" if s.has("provider") and not s.has("gpu") else "provider", tool, found, index)
    read_among(s, tool, found)
    for index, span in list(s.all("best")):
        _best_dimension(s, index, span, tool, found)
    _ranked(s, tool, found)
    _in_a_list(s, tool, found)
    _most_offers(s, tool, found)
    for index, _ in list(s.all("where_is")):
        _which_is_best(s, index, tool, found)
    _who_sells(s, tool, found)


def _each_model(s: Sentence, span: Span) -> bool:
    """`for each GPU the cheapest price`: one row of every model, where none is named."""
    each = span.text.startswith(("for each", "for every", "of each", "each")) and "hour" not in span.text
    named = any(one.plays("gpu") or (one.number is not None and _dollars(s, one)) for one in s.spans)
    return each and not named and s.has("best", "stat")


def _all_compared(s: Sentence) -> bool:
    """`compare H100 prices across all clouds`: a row for each."""
    asked = s.spans[0].text.split()[0] in ("compare", "comparing", "comparison")
    return asked and sum(1 for one in s.spans if one.plays("gpu")) == 1 and not s.has("provider", "region")


def _dollars(s: Sentence, span: Span) -> bool:
    at = s.spans.index(span)
    return any(one is not None and one.get("unit") in ("usd", "cent") for one in (s.at(at - 1), s.at(at + 1)))


def _of_every(s: Sentence, index: int, span: Span, found: Found) -> bool:
    """`two cheapest of every provider`; of `on every cloud` alone, all are asked."""
    if not span.text.startswith(("every", "each")):
        return False
    lead = s.at(index - 1)
    ranked = s.has("best", "stat")
    return (
        ranked
        and lead is not None
        and (lead.text in ("of", "for", "from", "by", "per") or "limit" in found.arguments)
    )


def _several(s: Sentence) -> str | None:
    """What is named more than once, so that `of each` is of each of them."""
    for dimension in ("gpu", "provider", "region"):
        if sum(1 for at, span in enumerate(s.spans) if span.plays(dimension) and at not in s.denied) > 1:
            return dimension
    return None


def _who_sells(s: Sentence, tool: Tool, found: Found) -> None:
    """`who sells MI300X`, `who has a B200`: the sellers, each once."""
    opens = s.words()[:1] == ("who",) and bool(set(s.words()[1:3]) & _SELLS)
    plain = found.then is None and not found.how_long and "group_by" not in found.arguments
    prices = "provider" in tool.values("group_by") and "money" in tool.kinds()
    ranked = s.has("best", "cheaper", "dearer", "stat", "ordinal", "top")
    if opens and plain and prices and not ranked:
        found.then = {"op": "distinct", "field": "provider"}


_SELLS = frozenset(
    (
        "sells",
        "sell",
        "has",
        "have",
        "offers",
        "offer",
        "rents",
        "carries",
        "stocks",
        "got",
        "provides",
        "hosts",
    )
)


def _per(s: Sentence, index: int, tool: Tool, found: Found) -> None:
    at = index + 1
    while s.at(at) is not None and s.spans[at].text in ("the", "a", "each"):
        at += 1
    span = s.at(at)
    if span is None or span.used:
        return
    dimension = span.get("dimension")
    if dimension in tool.values("group_by"):
        _group(s, dimension, tool, found, index, at)
    elif (
        (span.plays("field") or span.get("quantity") == "price")
        and s.spans[index].text in ("by", "go by")
        and tool.has("sort")
    ):
        sort_rows(
            found,
            str(span.get("field") or PRICE),
            "desc" if s.plays(at + 1, "direction") and s.spans[at + 1].get("direction") == "desc" else None,
        )
        s.use(index, at)


def _ranked(s: Sentence, tool: Tool, found: Found) -> None:
    """`rank providers by their cheapest H100`, `sort the clouds by price`: one row for each of them."""
    for index, span in enumerate(s.spans):
        if span.text not in word_set("ranking") or index > _LEAD:
            continue
        at = index + 1
        while s.at(at) is not None and s.spans[at].text in ("the", "all", "me", "these", "those", "every"):
            at += 1
        what = s.at(at)
        if what is None or what.used:
            continue
        listed = span.text not in word_set("orders")
        by = next((i for i in range(at + 1, min(len(s.spans), at + 3)) if s.spans[i].text == "by"), None)
        if listed and by is None:
            continue
        if by is not None and _by_another_field(s, by + 1):
            continue
        dimension = "gpu" if what.text in ("gpus", "cards", "models") else what.get("dimension")
        if (
            dimension in tool.values("group_by")
            and is_plural(what.text)
            and "group_by" not in found.arguments
        ):
            _group(s, str(dimension), tool, found, index, at, *([by] if by is not None else []))


def _in_a_list(s: Sentence, tool: Tool, found: Found) -> None:
    """`clouds sorted by H100 price`, `80 GB models with their lowest price`: one row for each."""
    if "group_by" in found.arguments:
        return
    for index, span in enumerate(s.spans):
        dimension = "gpu" if span.text in _MODELS else span.get("dimension")
        if span.used or dimension not in tool.values("group_by") or not is_plural(span.text):
            continue
        ranked = index <= 1 and s.plays(index + 1, "sort_by") and not _by_another_field(s, index + 2)
        theirs = span.text in _MODELS and "their" in s.words() and s.has("best", "stat")
        if ranked or theirs:
            _group(s, str(dimension), tool, found, index, *([index + 1] if ranked else []))
            return


_MODELS = frozenset(("models", "gpu models", "gpu types", "card types"))


def _by_another_field(s: Sentence, at: int) -> bool:
    """`sort gpus by memory`: rows in that order, no groups."""
    while s.at(at) is not None and s.spans[at].text in ("the", "their", "its", "most"):
        at += 1
    field = str(s.spans[at].get("field")) if s.plays(at, "field") else "usd"
    return not field.startswith("usd") and not s.plays(at, "gpu")


_LEAD = 4
"""How far into a question an order to rank may stand."""


def _group(s: Sentence, dimension: str, tool: Tool, found: Found, *places: int) -> None:
    if dimension in tool.values("group_by"):
        found.put("group_by", dimension)
        s.use(*places)


def _best_dimension(s: Sentence, index: int, span: Span, tool: Tool, found: Found) -> None:
    """`cheapest region`, `three cheapest clouds`, `cheapest two regions`."""
    at = index + 1
    while s.at(at) is not None and (
        (s.spans[at].used and s.spans[at].number is not None) or s.plays(at, "gpu", "=form", "=spot")
    ):
        at += 1
    after = s.at(at)
    if after is None or not after.plays("dimension") or after.text not in language().hints["best_dimension"]:
        return
    dimension = after.get("dimension")
    if dimension in tool.values("group_by") and not s.plays(at + 1, "gpu"):
        found.best = span.get("best")
        found.one = "limit" not in found.arguments and not is_plural(after.text)
        found.put("group_by", dimension)
        found.group_best = True
        s.use(index, at)
        if found.one:
            found.put("limit", 1)


def _which_is_best(s: Sentence, index: int, tool: Tool, found: Found) -> None:
    """`which cloud is cheapest for an H100` groups; `which cloud has the cheapest H100` only sorts."""
    dimension_at = index + 1
    span = s.at(dimension_at)
    if span is None or not span.plays("dimension"):
        return
    if not tool.values("group_by") or span.get("dimension") not in ("provider", "region", "instance_type"):
        return
    best_at = next(
        (i for i in range(dimension_at + 1, len(s.spans)) if s.plays(i, "best") and not s.spans[i].used), None
    )
    dimension = span.get("dimension")
    if best_at is not None and s.plays(best_at + 1, "stat") and s.spans[best_at + 1].get("stat") == "median":
        # `which seller has the lowest median`: groups, and not the figure over all of them.
        found.put("sort", f"median_{s.spans[best_at].get('best')}")
        _group(s, dimension, tool, found, dimension_at, best_at, best_at + 1)
        if not is_plural(span.text):
            found.put("limit", 1)
        return
    directly = best_at is not None and (
        s.spans[best_at - 1].text in word_set("copula") or _next_is(s, dimension_at)
    )
    if (
        best_at is not None
        and directly
        and _has_copula(s, dimension_at, best_at)
        and not _names_rows(s, best_at + 1)
    ):
        found.best = s.spans[best_at].get("best")
        if _IN_TOTAL & found.arguments.keys():
            # Offers tell what all of it costs, groups do not.
            s.use(dimension_at, best_at)
        else:
            _group(s, dimension, tool, found, dimension_at, best_at)
        if not is_plural(span.text):
            found.put("limit", 1)
            found.one = True
        return
    s.use(dimension_at)
    if best_at is None and found.then is None and not found.how_long:
        found.then = {"op": "distinct", "field": dimension}


def _most_offers(s: Sentence, tool: Tool, found: Found) -> None:
    """`which provider has the most H100 offers`, `who has the fewest`: groups, by how many there are.

    All of them are asked for: several may have as many.
    """
    if "group_by" in found.arguments or found.then or found.sides or s.has("stat", "compare"):
        return
    for at, span in enumerate(s.spans):
        if span.used or span.text not in _MOST | _FEWEST or s.plays(at - 1, "ordinal"):
            continue
        place = at + 1
        while s.plays(place, "gpu", "=form", "=spot", "=vendor", "=available") and not _several_of(s, place):
            place += 1
        offer = s.at(place)
        whose = next((one for one in range(at - 1, -1, -1) if _dimension(s, one, tool)), None)
        if offer is None or whose is None or not (offer.get("unit") == "offer" or _several_of(s, place)):
            continue
        found.put("sort", "count_asc" if span.text in _FEWEST else "count_desc")
        lead = s.at(whose - 1)
        if lead is not None and lead.number is not None and not lead.used:
            found.put("limit", int(lead.number))
            s.use(whose - 1)
        leads = [one for one in (whose - 1, whose - 2) if s.plays(one, "where_is")]
        listed = [] if offer.plays("gpu") else [place]
        found.group_best = True
        _group(s, _dimension(s, whose, tool) or "", tool, found, *leads, whose, at, *listed)


def _several_of(s: Sentence, at: int) -> bool:
    """`the most H100s`"""
    last = s.tokens[s.spans[at].last]
    return s.plays(at, "gpu") and last.raw.lower().endswith("s") and not last.text.endswith("s")


def _dimension(s: Sentence, at: int, tool: Tool) -> str | None:
    """What a word groups by; `who` is a seller."""
    said = "provider" if s.spans[at].text == "who" else s.spans[at].get("dimension")
    return str(said) if said in tool.values("group_by") else None


_MOST = frozenset(("most", "more", "largest number of", "highest number of", "biggest number of"))
_FEWEST = frozenset(("fewest", "least", "fewer", "lowest number of", "smallest number of"))
_IN_TOTAL = frozenset(("hours", "nodes", "disk_gb", "egress_gb"))


def _next_is(s: Sentence, at: int) -> bool:
    """`in which region is h100 cheapest`."""
    after = s.at(at + 1)
    return after is not None and after.text in ("is", "are", "s")


def _has_copula(s: Sentence, first: int, last: int) -> bool:
    return any(sp.text in ("is", "are", "s", "was") for sp in s.spans[first:last])


def _names_rows(s: Sentence, at: int) -> bool:
    span = s.at(at)
    return span is not None and (span.plays("gpu") or span.get("unit") in ("offer", "gpu"))
