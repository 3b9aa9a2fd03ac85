"""A question about what one runs to a plan: which tool, what it says, what it means after the one before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from agent.planner.asking import ask_for_antecedent, not_yet
from agent.planner.found import Found
from agent.planner.inventory import dialogue
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.either import either, two_counts, two_lists
from agent.planner.inventory.evidence import Evidence, evidence_of
from agent.planner.inventory.facts import facts, hint, set_of
from agent.planner.inventory.nobody import hear_nobody
from agent.planner.inventory.pointing import dangling, field_asked, its_field, of_it, of_one, set_beside
from agent.planner.inventory.read import read
from agent.planner.inventory.shares import SHARE, parted, share_of
from agent.planner.inventory.steps import calls_of, feeder_of, met
from agent.planner.inventory.subject import chosen
from agent.planner.language import word_set
from agent.planner.leftovers import ignored_words
from agent.planner.lexicon import Lexicon
from agent.planner.query import Plan, Query
from agent.planner.sentence import Sentence, sentence_of
from agent.planner.tokens import Token
from agent.planner.tool import Tool
from cloudtop import metrics


def fresh(s: Sentence, words: Lexicon, seen: Evidence, now: datetime, previous: Query | None) -> Plan | None:
    """A question of its own; None where no tool fits."""
    if previous is None and dangling(s, seen):
        return ask_for_antecedent(None)
    tool = chosen(s, words, seen)
    if tool is None:
        return None
    a = _asked(s, words, tool, now)
    read(a)
    if of_one(tool) and not {"name", "id", "ip"} & a.found.arguments.keys():
        # No one resource is named after all.
        s = sentence_of(s.text, s.tokens, words)
        tool = chosen(s, words, seen, several=True) or tool
        a = _asked(s, words, tool, now)
        read(a)
    half = partial(_half, s.text, words, tool, now)
    several = (share_of, two_counts, two_lists, either) if tool.has("missing_tag") else ()
    for divided in several:
        if (query := divided(a, half)) is not None:
            return _plan(a, query, previous)
    _carried(a, previous)
    if _beside_market(a):
        return not_yet("load, or what was, together with prices beside the market", previous)
    if (later := _spent(a, words)) is not None:
        return not_yet(later.title, Query(later.name))
    query = Query(tool.name, a.found.arguments, tuple(a.found.sides), _then(a.found))
    return _plan(a, query, previous)


def _beside_market(a: Asked) -> bool:
    """`idle gpus above the market`: what only another tool knows, with what only a list is set beside."""
    told = a.s.has("market_word")
    others = a.s.has("threshold", "metric", "ranked_metric", "percentile")
    others = others or any(span.get("unit") == "percent" and not span.used for span in a.s.spans)
    return told and (others or (a.found.then or {}).get("op") != "market" or "time" in a.found.arguments)


def _half(text: str, words: Lexicon, tool: Tool, now: datetime, tokens: list[Token]) -> Found:
    """What some of the tokens say by themselves."""
    part = _asked(sentence_of(text, tokens, words), words, tool, now)
    read(part)
    return part.found


def _spent(a: Asked, words: Lexicon) -> Tool | None:
    """`what did our buckets cost last month`: the tool that will know; None once it is there."""
    past = {"time", "as_of"} & set(a.found.arguments)
    if not past or a.tool.has("agg") or not a.s.has("priced"):
        return None
    later = words.tools.get(str(facts()["spending"]))
    return later if later is not None and not later.here else None


_NOUNS = frozenset(("resource_type", "name", "id"))
"""What says of which resources a question is."""


def _carried(a: Asked, previous: Query | None) -> None:
    """`which of our instances have one`, `do we have any`, after the price of a GPU: of that GPU."""
    gpu = previous.arguments.get("gpu") if previous is not None else None
    if gpu is None or "gpu" in a.found.arguments or not a.takes("gpu"):
        return
    said = set(a.s.words())
    if not _NOUNS & a.found.arguments.keys() and {"any", "ours", "mine", "some"} & said:
        a.put("resource_type", "gpu_instance")
        a.put("gpu", gpu)
    elif {"one", "it", "them", "those"} & said:
        a.put("gpu", gpu)


def of_which(s: Sentence, words: Lexicon, now: datetime, previous: Query | None) -> Plan | None:
    """A metric with nothing else that is ours, such as `memory?`: it is asked of what it is meant."""
    tool = next((one for one in words.tools.values() if one.here and one.has("agg")), None)
    if tool is None:
        return None
    a = _asked(s, words, tool, now)
    read(a)
    return _plan(a, Query(tool.name, a.found.arguments, tuple(a.found.sides), _then(a.found)), previous)


def followed(s: Sentence, words: Lexicon, seen: Evidence, now: datetime, previous: Query) -> Plan:
    """A turn of a dialogue."""
    if (apart := _of_two(previous)) is not None:
        some, whole = apart
        turn = followed(s, words, seen, now, some)
        return turn if whole is None else _shared_again(turn, some, whole, words)
    hear_nobody(s, previous.arguments.get("resource_type") or ())
    seen = evidence_of(s)
    if its_field(s, seen, previous) and (
        made := of_it(_asked(s, words, words.tools[previous.tool], now), previous)
    ):
        return _plan(_asked(s, words, words.tools[made.tool], now), made, previous)
    tool = _tool_of_turn(s, words, seen, previous)
    if dialogue.of_a_cloud(s, seen):
        tool = next((one for one in words.tools.values() if one.here and one.has("check")), tool)
        a = _asked(s, words, tool, now)
        read(a)
        return _plan(a, Query(tool.name, a.found.arguments), previous)
    a = _asked(s, words, tool, now)
    a.before = previous.arguments
    read(a)
    found = a.found
    set_beside(a, previous)
    _bare_number(a)
    _filter_gone(a)
    if _rows_wanted(s, previous) and not (found.arguments or found.where):
        where = (previous.then or {}).get("where")
        then = {"op": "filter", "where": where} if where else None
        return _plan(a, Query(previous.tool, previous.arguments, previous.sides, then), previous)
    said = found.arguments or found.sides or found.then or found.cleared or found.where
    if not said and any(span.get("agg") == "sum" and span.used for span in s.spans):
        # `and in total?`, after who is under 20 %: how many; what they cost together stands above their rows.
        total = replace(previous, then=previous.then or {"op": "count"})
        return _plan(a, total, previous)
    if not said and field_asked(s) and (made := of_it(a, previous)) is not None:
        return _plan(a, made, previous)
    if not said and tool.name == previous.tool:
        return ask_for_antecedent(previous, ignored_words(s, found, tool.name))
    return _plan(a, dialogue.merged(previous, a, tool), previous)


def _of_two(query: Query) -> tuple[Query, dict[str, Any] | None] | None:
    """What a turn goes on from after a share, and what that is a part of; after two counts the second."""
    then, sides = query.then or {}, query.sides
    if len(sides) != 2 or not (then.get("op") == SHARE or then.get("by") == "count"):
        return None
    some = sides[0] if then["op"] == SHARE else sides[1]
    where = {"where": then["some"]} if then.get("some") else {}
    alone = Query(query.tool, {**query.arguments, **some}, (), {"op": "count", **where})
    return alone, {**query.arguments, **sides[1]} if then["op"] == SHARE else None


def _shared_again(made: Plan, some: Query, whole: dict[str, Any], words: Lexicon) -> Plan:
    """`and running?`, `per region`, after a share: of those too it is told how many of all they are."""
    query = made.query
    if made.behaviour != "answer" or query is None or query.tool != some.tool or query.sides:
        return made
    groups = query.arguments.get("group_by")
    if query.then != {"op": "count"} and not (groups and query.then is None):
        return made
    if groups:
        whole = {**whole, "group_by": groups}
    again = parted(query.tool, dict(query.arguments), whole, {"op": SHARE})
    return replace(made, query=again, calls=calls_of(again, words), then=again.then)


def _rows_wanted(s: Sentence, previous: Query) -> bool:
    """`list them`, `which ones`, after they were counted or added up."""
    figure = (previous.then or {}).get("op") in ("count", "sum") or "again" in s.words()
    asked = s.spans[0].text.split()[0] in word_set("row_verbs") or s.words()[:2] in _WHICH
    return figure and asked


_WHICH = (("which", "ones"), ("which", "are"), ("which", "is"), ("which",), ("what", "are"), ("who", "are"))


def _tool_of_turn(s: Sentence, words: Lexicon, seen: Evidence, previous: Query) -> Tool:
    """The tool before, unless load, health or another thing is asked now."""
    before = words.tools[previous.tool]
    best = chosen(s, words, seen, turn=True)
    if best is None or best.name == before.name:
        return before
    if best.has("agg") or best.has("check"):
        return best
    beside = before.has("agg") and any(span.plays("compare") for span in s.spans[:3])
    if before.has("agg") and (waits(previous) or name_alone(s) or beside):
        return before
    opens = next(
        (span for span in s.spans if span.text not in word_set("fillers") and span.text[0].isalnum()), None
    )
    details = (
        opens is not None
        and opens.plays("details")
        and {"name", "id"} & previous.arguments.keys()
        and of_one(best)
    )
    return best if details or of_one(before) else before


def name_alone(s: Sentence) -> bool:
    """`web-prod-22?`, `for web-02`: the name of another, and nothing else."""
    passed = word_set("fillers") | set_of("of_leads") | {"and", "what", "about"}
    told = [one for one in s.spans if one.text[0].isalnum() and not set(one.text.split()) <= passed]
    return len(told) == 1 and told[0].plays("=name")


_OPPOSITE = {"tag_not": "tag", "status_not": "status", "exclude_resource_type": "resource_type"}


def _filter_gone(a: Asked) -> None:
    """`drop the prod filter`: it goes; it does not turn into its opposite."""
    places = [index for index, _ in a.all("filter_word")]
    if not places:
        return
    a.s.use(*places)
    for denied, argument in _OPPOSITE.items():
        gone = a.found.arguments.pop(denied, None)
        if gone:
            a.found.arguments[argument] = [one for one in a.before.get(argument, ()) if one not in gone]
            a.found.cleared.add(argument)
    for field, op, value in [one for one in a.found.where if one[1] == "ne"]:
        a.found.where.remove([field, op, value])
        a.found.cleared |= {field, f"{field}s"}


def _bare_number(a: Asked) -> None:
    """`make it 10`: so many rows."""
    for index, span in enumerate(a.s.spans):
        if span.number is None or span.used or span.number != int(span.number) or not a.takes("limit"):
            continue
        if not a.found.arguments and len(a.s.spans) <= 4:
            a.put("limit", int(span.number), index)


def _asked(s: Sentence, words: Lexicon, tool: Tool, now: datetime) -> Asked:
    fed = feeder_of(tool, words)
    return Asked(s, words, tool, fed[1] if fed is not None else None, now)


def _then(found: Found) -> dict[str, Any] | None:
    """What code does with the rows: a figure, conditions, or both."""
    made = dict(found.then or {})
    if found.where:
        made = {**(made or {"op": "filter"}), "where": list(found.where)}
    return made or None


def _plan(a: Asked, query: Query, previous: Query | None) -> Plan:
    """The plan of a query, or what must be asked back first."""
    found, tool = a.found, a.tool
    query = _kept(query, tool)
    if a.s.has(SHARE) and (query.then or {}).get("op") != SHARE:
        said = next(span.text for span in a.s.spans if span.plays(SHARE))
        found.refused.append(f"{said}: how many they are is told, and not of how many")
    if found.unclear:
        question, choices = found.unclear[0]
        return Plan("clarify", question=question, choices=choices, query=query)
    if tool.has("agg") and (asking := _of_what(query, previous)) is not None:
        return asking
    divided = met(query, tool, a.feeder)
    return Plan(
        "answer",
        calls=calls_of(divided, a.words),
        then=divided.then,
        ignored=_ignored(a),
        notices=tuple(dict.fromkeys((*found.notices, *(f"Not used: {why}." for why in found.refused)))),
        query=query,
    )


def _ignored(a: Asked) -> tuple[str, ...]:
    """What nothing used: words that tell something are shown, however common they are."""
    shown = ignored_words(a.s, a.found, a.tool.name)
    lost = [span.text for _, span in a.all(*set_of("telling")) if span.number is None]
    return tuple(dict.fromkeys((*shown, *(one for one in lost if one not in " ".join(shown)))))


def _kept(query: Query, tool: Tool) -> Query:
    """Without what is empty or equals a default; rows that code filters are cut only after that."""
    kept = {}
    for name, value in query.arguments.items():
        if value in (None, [], "") or value == tool.default(name):
            continue
        kept[name] = _whole(value)
    then = dict(query.then) if query.then else None
    by_code = then and (then.get("where") or then.get("sort") or then["op"] in ("both", "either", "market"))
    if then and by_code and "limit" in kept:
        then["limit"] = kept.pop("limit")
    sides = tuple({name: _whole(value) for name, value in side.items()} for side in query.sides)
    return Query(query.tool, kept, sides, then)


def _whole(value: Any) -> Any:
    """20.0 as 20."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def waits(query: Query) -> bool:
    """Whether a metric is asked for, and not of what."""
    said = set_of("of_what") & set(query.arguments) or query.sides or query.then
    return not said and query.arguments.get("agg") not in ("sum", "count")


def _of_what(query: Query, previous: Query | None) -> Plan | None:
    """A metric with nothing that it is of."""
    if not waits(query):
        return None
    name = (query.arguments.get("metric") or [str(hint("usual_metric"))])[0]
    about = metrics.metrics().get(name)
    title = about.title if about is not None else name
    kind = about.of[0].replace("_", " ") if about is not None else "instance"
    where = f" on {query.arguments['providers'][0]}" if query.arguments.get("providers") else ""
    choices = (
        f"{title} of all {kind}s{where}",
        f"five {kind}s with the most {title}{where}",
        f"{title} by region{where}",
    )
    return Plan(
        "clarify",
        question=f"{title} of which resource? Name one, or a type.",
        choices=choices,
        query=query,
    )
