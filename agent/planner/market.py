"""A question about the market, or about the connections to it: its plan, alone or as a turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.planner.asking import (
    ask_about_model,
    ask_about_model_name,
    ask_for_antecedent,
    cheaper_than_what,
    not_yet,
    outside,
    points_back,
    unknown_model,
)
from agent.planner.clearing import clearings
from agent.planner.dialogue import goes_on, has_own_subject, is_reset, merged, read_bare, read_next
from agent.planner.enough import enough, measures, mostly_unread, near_gpu
from agent.planner.found import Found
from agent.planner.language import language, word_set
from agent.planner.leftovers import ignored_words, is_content
from agent.planner.lexicon import Lexicon
from agent.planner.negation import unheard_words
from agent.planner.overtime import over_time
from agent.planner.pairs import paired
from agent.planner.past import keeps_history
from agent.planner.query import Plan, Query
from agent.planner.reading import read
from agent.planner.relation import ask_how_outdone, like_the_one_before, outdone
from agent.planner.sentence import Sentence
from agent.planner.subject import fits, own_account, whole_stock
from agent.planner.tool import Tool
from agent.planner.why import told_why
from cloudtop.times import spoken

_TELLING = (
    *("gpu", "provider", "region", "best", "stat", "per", "sort_by", "direction", "unit", "change"),
    *("cheaper", "value_for", "sellers", "alternative", "dearer", "more_rows", "anywhere", "any_seller"),
    *("any_spot", "all_rows", "same", "field_best", "columns", "dimension", "ordinal", "compare"),
    *("how_long", "worth"),
)
"""Roles of phrases that a filter, an order or a figure can be made of."""
_SUBJECT = ("gpu", "memory", "providers", "region", "tier", "spot")
"""What a question about the past of `it` takes over from the one before."""
_PRICE_WORDS = ("best", "stat", "how_long", "compare", "change", "cheaper", "dearer")


def continued(
    s: Sentence,
    lexicon: Lexicon,
    scores: Mapping[str, float],
    best: Tool | None,
    top: float,
    previous: Query | None,
    now: datetime,
) -> Tool | None:
    """The tool of the query before, when the question goes on from it."""
    if previous is None or previous.tool not in lexicon.tools or not lexicon.tools[previous.tool].here:
        return None
    if is_reset(s):
        return None
    opens = s.spans[0].plays("compare") or s.spans[0].text == "compared"
    compares = opens and lexicon.tools[previous.tool].has("rank_by")
    if best is not None and (compares or _still(s, best, lexicon.tools[previous.tool])):
        best, top = None, 0.0
    mine = scores.get(previous.tool, 0.0) or fits(s, lexicon.tools[previous.tool])
    if best is not None and best.name != previous.tool and top >= (1.0 if best.here else 2.0) and top > mine:
        return None
    plain_tool = not lexicon.tools[previous.tool].has("gpu")
    if not goes_on(s, has_own_subject(s), cued=plain_tool and mine >= 1.5):
        return None
    past = lexicon.tools[previous.tool].has("time") and bool(spoken(s.text, now, bare=False))
    return lexicon.tools[previous.tool] if past or _says_something(s) else None


def stays(s: Sentence, previous: Query | None, lexicon: Lexicon) -> bool:
    """`total for 2 nodes`, `under $3 for the box` after a question for prices: about those still.

    Machines that are counted, priced or pointed at are those; `instances on aws` are one's own.
    """
    before = lexicon.tools.get(previous.tool) if previous is not None else None
    if before is None or not before.market or is_reset(s) or set(s.words()) & _OWNERS:
        return False
    machines = [i for i, span in enumerate(s.spans) if span.get("unit") == "node"]
    led = all(i and (s.spans[i - 1].number is not None or s.spans[i - 1].text in _POINTS) for i in machines)
    known = all(span.meanings or span.number is not None or not is_content(span.text) for span in s.spans)
    return led and known and any(span.plays(*_TELLING) or span.number is not None for span in s.spans)


_OWNERS = frozenset(("my", "our", "we", "i", "which", "list", "running", "stopped"))
_POINTS = frozenset(("the", "that", "this", "one", "a", "per", "whole", "each", "same", "single"))


def _still(s: Sentence, best: Tool, before: Tool) -> bool:
    """Whether what speaks for another tool is only a filter, or the cost of `it`, of the question before.

    `only on spot` after the history of a price; `what did it cost yesterday` after a price.
    """
    if best.name == before.name or not before.has("gpu"):
        return False
    if best.name in language().hints["yields_to_gpu"] and not best.here:
        return bool(set(s.words()) & word_set("pronouns")) and not own_account(s)
    offers = any(
        span.plays("best", "stat", "compare", "gpu")
        or span.get("quantity") == "price"
        or span.get("unit") in ("offer", "gpu")
        for span in s.spans
    )
    offers = offers or {"how", "much"} <= set(s.words())
    return keeps_history(before) and best.has("gpu") and not offers


def _says_something(s: Sentence) -> bool:
    """At least one phrase that a filter, an order or a figure can be made of."""
    if s.words()[:1] == ("who",) and set(s.words()) & word_set("pronouns"):
        return True
    return bool(clearings(s)) or any(
        span.plays(*_TELLING) or span.number is not None or next(span.values, None) for span in s.spans
    )


def followed(s: Sentence, tool: Tool, lexicon: Lexicon, now: datetime, previous: Query) -> Plan:
    """A turn of a dialogue."""
    asks_cheaper = s.has("cheaper", "dearer")
    money = any(span.get("unit") in ("usd", "cent") for span in s.spans)
    for first, last in points_back(s):
        s.use(*(i for i, span in enumerate(s.spans) if first - 1 <= span.first and span.last <= last))
    s.judged = money and (previous.then or {}).get("op") == "worth"
    found = read(s, tool, now)
    read_bare(s, found, tool, previous.arguments)
    _spot_dropped(s, found, previous)
    if tool.has("sort"):
        read_next(s, found, previous)
    like_the_one_before(s, tool, found, previous.arguments)
    if (asking := _unclear(s, found, tool, previous)) is not None:
        return asking
    if asks_cheaper and not found.arguments and not found.sides and found.then is None and found.best is None:
        return cheaper_than_what(previous)
    if _in_one_machine(s) and not (found.arguments or found.sides) and "count" in previous.arguments:
        return Plan("answer", previous.calls(), previous.then, query=previous)
    if s.has("more_rows") and not found.arguments:
        return _more(previous, s)
    if not (found.arguments or found.sides or found.then or found.cleared or found.best):
        return _unread(s, found, previous)
    if found.then is not None and found.then["op"] == "worth":
        found.cleared.add("time")
    told_why(s, found)
    query, tool = over_time(s, merged(previous, found, tool, s), found, tool, lexicon)
    return _answer(s, _kept(query, tool), found, tool)


def _in_one_machine(s: Sentence) -> bool:
    """`in one machine`, which is what a count says."""
    words = [word for word in s.words() if word not in ("all", "of", "them", "please", "and", "but")]
    return (
        words[:1] == ["in"] and words[1:2] in (["one"], ["a"], ["the"]) and s.spans[-1].get("unit") == "node"
    )


def _spot_dropped(s: Sentence, found: Found, previous: Query) -> None:
    """`drop spot` after a question for spot: the filter goes; it does not turn into its opposite."""
    dropped = s.spans[0].text in word_set("drops") and found.arguments.get("spot") is False
    if dropped and previous.arguments.get("spot") is True:
        del found.arguments["spot"]
        found.cleared.add("spot")
        found.notices.append("Spot or not is shown now; “on-demand” asks for that alone.")


def _more(previous: Query, s: Sentence) -> Plan:
    """`show more`: one row becomes a page, a page two."""
    arguments = dict(previous.arguments)
    limit = arguments.pop("limit", 20)
    if limit > 1:
        arguments["limit"] = min(500, limit * 2)
    query = Query(previous.tool, arguments, previous.sides, previous.then)
    return Plan("answer", query.calls(), query.then, query=query)


def _unread(s: Sentence, found: Found, previous: Query) -> Plan:
    return ask_for_antecedent(previous, ignored_words(s, found, previous.tool))


def fresh(s: Sentence, tool: Tool, lexicon: Lexicon, now: datetime, previous: Query | None) -> Plan:
    """A question of its own."""
    carried = _carried(s, tool, previous, lexicon)
    price_said = any(span.plays(*_PRICE_WORDS) or span.get("quantity") == "price" for span in s.spans)
    found = paired(s, read(s, tool, now), tool, lexicon, now)
    if (asking := _unclear(s, found, tool, None)) is not None:
        return asking if asking.query is not None else replace(asking, query=previous)
    if tool.has("gpu") and not found.sides and (place := outdone(s, found)) is not None:
        question, choices = ask_how_outdone(s, place)
        return Plan("clarify", question=question, choices=choices, query=previous)
    if (later := _later_argument(s, tool)) is not None:
        return not_yet(later, previous, plain_words=True)
    for argument, value in carried.items():
        found.arguments.setdefault(argument, value)
    told_why(s, found)
    asked = Query(tool.name, found.arguments, tuple(found.sides), found.then)
    asked, tool = over_time(s, asked, found, tool, lexicon)
    query = _kept(asked, tool)
    ignored = ignored_words(s, found, tool.name)
    if found.bare is not None:
        found.refused.append(f"{found.bare:g}: it is not said of what")
    if found.refused and not query.arguments and not query.sides:
        return Plan(
            "clarify", question=f"That cannot be filtered by: {'; '.join(found.refused)}.", query=previous
        )
    if previous is None and tool.has("gpu") and points_back(s) and measures(query) <= {"rank_by"}:
        return ask_for_antecedent(previous)
    if tool.has("gpu") and not (s.why or whole_stock(s) or enough(s, query, found, price_said)):
        strangers = [word for word in ignored if word not in found.purposes]
        return (
            outside(s, previous)
            if strangers and not near_gpu(s) and not measures(query)
            else ask_about_model(query, previous)
        )
    if mostly_unread(s, found, query, ignored):
        return outside(s, previous)
    return _answer(s, query, found, tool)


def _carried(s: Sentence, tool: Tool, previous: Query | None, lexicon: Lexicon) -> dict[str, Any]:
    """`and is it up?`: the sellers of the query before, for another tool that takes them.

    Between prices and their history the GPU goes along: `is that a good price?`, `the cheapest one now`.
    """
    if previous is None or previous.tool == tool.name:
        return {}
    past = any(keeps_history(one) for one in (tool, lexicon.tools.get(previous.tool, tool)))
    if not set(s.words()) & (word_set("pronouns") | ({"one", "ones"} if past else set())):
        return {}
    if s.has("provider"):
        return {}
    told = s.has("gpu")
    names = _SUBJECT if past and not told else ("providers",)
    return {name: previous.arguments[name] for name in names if name in previous.arguments and tool.has(name)}


def _later_argument(s: Sentence, tool: Tool) -> str | None:
    """The question names something that the tool will take one day; its spec says so in a sentence."""
    for span in s.spans:
        if not span.used and span.plays("=name") and "name" in tool.later:
            return str(tool.later["name"])
        if not span.used and span.plays("region") and "region" in tool.later and not tool.has("region"):
            return str(tool.later["region"])
    return None


def _unclear(s: Sentence, found: Found, tool: Tool, previous: Query | None) -> Plan | None:
    """What must be asked back before anything can be answered; the reply builds on what was clear."""
    if (strange := unknown_model(s)) is not None:
        return ask_about_model_name(strange, s, previous)
    if not found.unclear:
        return None
    question, choices = found.unclear[0]
    if previous is not None:
        clear = merged(previous, found, tool, s)
    else:
        clear = Query(tool.name, found.arguments, tuple(found.sides), found.then)
    return Plan("clarify", question=question, choices=choices, query=_kept(clear, tool))


def _kept(query: Query, tool: Tool) -> Query:
    """Only what the tool takes, without what equals its default."""
    kept = {}
    for name, value in query.arguments.items():
        if not tool.has(name) or value in (None, [], ""):
            continue
        if value == tool.default(name) or (name == "sort" and value == "price_asc"):
            continue
        kept[name] = _whole(value)
    then = {key: _whole(value) for key, value in query.then.items()} if query.then else None
    if then is not None and then.get("where") and "limit" in kept:
        # Rows that code filters are cut only after that.
        then["limit"] = kept.pop("limit")
    if "hours" in kept and ("disk_gb" in kept or "egress_gb" in kept) and tool.has("rank_by"):
        kept.setdefault("rank_by", "total")
    sides = tuple({name: _whole(value) for name, value in side.items()} for side in query.sides)
    return Query(query.tool, kept, sides, then)


def _whole(value: Any) -> Any:
    """8.0 as 8, in lists too."""
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _answer(s: Sentence, query: Query, found: Found, tool: Tool) -> Plan:
    ignored = ignored_words(s, found, query.tool)
    shown = {word for one in ignored for word in one.split()}
    lost = [said for said in unheard_words(s, tool) if not shown & set(said.split())]
    return Plan(
        "answer",
        calls=query.calls(),
        then=query.then,
        ignored=(*ignored, *lost),
        notices=tuple(dict.fromkeys((*found.notices, *(f"Not used: {why}." for why in found.refused)))),
        query=query,
    )
