"""Question in, plan out: guard, tokens, spans, subject, reading, dialogue. Pure: no clock but `now`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.planner.asking import (
    ask_about_model,
    ask_about_model_name,
    ask_for_antecedent,
    cheaper_than_what,
    greeted,
    no_subject,
    not_yet,
    outside,
    refused,
    unknown_model,
)
from agent.planner.clearing import clearings
from agent.planner.dialogue import goes_on, has_own_subject, is_reset, merged, read_bare, read_next
from agent.planner.enough import enough, measures, mostly_unread, near_gpu
from agent.planner.found import Found
from agent.planner.guard import refusal, trade_verbs, write_verbs
from agent.planner.inventory.turn import Own, own_question
from agent.planner.language import guard_facts, language, word_set
from agent.planner.leftovers import ignored_words
from agent.planner.lexicon import Lexicon, Tool
from agent.planner.negation import unheard_words
from agent.planner.overtime import over_time
from agent.planner.pairs import paired
from agent.planner.past import keeps_history
from agent.planner.query import Plan, Query
from agent.planner.reading import read
from agent.planner.relation import ask_how_outdone, like_the_one_before, outdone
from agent.planner.sentence import Sentence, Span, sentence_of
from agent.planner.spelling import KnownWords, corrected, unhyphenated
from agent.planner.subject import chosen, fits, off_topic, own_account, scores_of, whole_stock
from agent.planner.tokens import plain, tokens_of
from agent.planner.why import hear_why, told_why
from cloudtop.gpus import resolve
from cloudtop.times import spoken

_TOO_LONG = 2000
_TELLING = (
    *(
        "gpu",
        "provider",
        "region",
        "best",
        "stat",
        "per",
        "sort_by",
        "direction",
        "unit",
        "change",
        "cheaper",
        "value_for",
        "sellers",
        "alternative",
    ),
    *(
        "dearer",
        "more_rows",
        "anywhere",
        "any_seller",
        "any_spot",
        "all_rows",
        "same",
        "field_best",
        "columns",
    ),
    *("dimension", "ordinal", "compare", "how_long", "worth"),
)
_SUBJECT = ("gpu", "memory", "providers", "region", "tier", "spot")
"""What a question about the past of `it` takes over from the one before."""
_PRICE_WORDS = ("best", "stat", "how_long", "compare", "change", "cheaper", "dearer")


def plan(text: str, lexicon: Lexicon, now: datetime, previous: Query | None = None) -> Plan:
    """How the question is dealt with. Same words, lexicon, clock and previous query: the same plan."""
    typed = plain(text)[:_TOO_LONG]
    tokens = tokens_of(typed, lexicon.known)
    raw = [token.text for token in tokens]
    why = refusal(raw, lexicon.every_word) or refusal(unhyphenated(raw), lexicon.every_word)
    if why is not None:
        made = refused(why, typed, previous)
        return _with_choices(made, _readable(typed, lexicon, now)) if why == "write_operation" else made
    known = KnownWords(lexicon)
    tokens, mended = corrected(tokens, known, lexicon.vocabulary, write_verbs())
    if mended and (why := refusal([token.text for token in tokens], lexicon.every_word)):
        return refused(why, typed, previous)
    s = sentence_of(typed, tokens, lexicon)
    if not any(span.text[0].isalnum() for span in s.spans):
        return greeted(previous)
    own = own_question(typed, lexicon, write_verbs())
    if mended != own.mended and (why := refusal(own.s.words(), lexicon.every_word)):
        return refused(why, typed, previous)
    made = _planned(s, lexicon, now, previous, own)
    if (
        made.behaviour != "answer"
        and (rescued := own.instead(now, previous, outside=made.reason == "out_of_scope")) is not None
    ):
        made = rescued
    if made.behaviour == "answer" and _of_account(made.query, lexicon):
        mended = own.mended
    said = tuple(f"“{wrong}” was read as “{right}”." for wrong, right in mended)
    asked = made.query.arguments if made.query is not None else {}
    ordered = raw[0] == "order" and ("group_by" in asked or "sort" in asked)
    if raw[0] in trade_verbs() and made.behaviour == "answer" and not ordered:
        said = (*said, guard_facts()["texts"]["only_prices"])
    return _with_notices(made, said)


_CLAUSE = re.compile(r"[.;!?,]+(?:\s+|$)|\b(?:and|then|but|also|afterwards)\b", re.IGNORECASE)
_READS = frozenset(
    ("show", "list", "compare", "what", "whats", "which", "how", "find", "cheapest", "tell", "is", "are")
)


def _readable(text: str, lexicon: Lexicon, now: datetime) -> tuple[str, ...]:
    """The parts of a refused question that only read and are wholly understood on their own."""
    parts = [part.strip() for part in _CLAUSE.split(text)]
    asked = [part for part in parts if part and part.split()[0].lower() in _READS]
    made = [(part, plan(part, lexicon, now)) for part in asked if part != text.strip()]
    return tuple(part for part, one in made if one.behaviour == "answer" and not one.ignored)[:3]


def _with_choices(made: Plan, choices: tuple[str, ...]) -> Plan:
    fields = {name: getattr(made, name) for name in Plan.__dataclass_fields__}
    return Plan(**{**fields, "choices": choices})


def _with_notices(made: Plan, said: tuple[str, ...]) -> Plan:
    if not said:
        return made
    fields = {name: getattr(made, name) for name in Plan.__dataclass_fields__}
    return Plan(**{**fields, "notices": (*said, *made.notices)})


def _of_account(query: Query | None, lexicon: Lexicon) -> bool:
    """Whether a query is about what one runs."""
    tool = lexicon.tools.get(query.tool) if query is not None else None
    if query is None or tool is None or not tool.here or tool.market:
        return False
    return tool.of_account and (not tool.has("check") or bool(_RESOURCES & query.arguments.keys()))


_RESOURCES = frozenset(("name", "id", "resource_type", "region", "tag"))
"""What narrows a check to resources; without it, it is of connections."""


_SURE = 2.5
"""So much speaks for a subject that no tool answers yet, before it is said that none does."""


def _planned(s: Sentence, lexicon: Lexicon, now: datetime, previous: Query | None, own: Own) -> Plan:
    """Past the guard: subject, reading, dialogue."""
    before = lexicon.tools.get(previous.tool) if previous is not None else None
    hear_why(s, of_prices=before is not None and before.has("gpu"))
    s.use(*(index for index, _ in s.all("reset")))
    if _is_greeting(s):
        return greeted(previous)
    if all(span.used or not span.text[0].isalnum() for span in s.spans):
        return greeted(None)
    scores = scores_of(s, lexicon)
    away = off_topic(s)
    best = chosen(scores, lexicon)
    top = scores.get(best.name, 0.0) if best else 0.0
    if (made := _owned(s, lexicon, now, previous, own, best, max(top, away))) is not None:
        return made
    if away and away > top:
        return refused("out_of_scope", s.text, previous)
    tool = _continued(s, lexicon, scores, best, top, previous, now)
    if tool is not None and previous is not None:
        return _followed(s, tool, lexicon, now, previous)
    waiting = lexicon.tools.get(previous.tool) if previous is not None else None
    own_subject = has_own_subject(s) or (best is not None and best.here and top >= 0.9)
    if waiting is not None and not waiting.here and goes_on(s, own_subject):
        return not_yet(waiting.title, previous)
    if (best is None or top < 0.7) and (strange := unknown_model(s)) is not None and resolve(strange).nearest:
        return ask_about_model_name(strange, s, previous)
    if best is None or top < 0.7:
        return no_subject(s, previous)
    if not best.here:
        return not_yet(best.title, Query(best.name))
    return _fresh(s, best, lexicon, now, previous)


def _owned(
    s: Sentence,
    lexicon: Lexicon,
    now: datetime,
    previous: Query | None,
    own: Own,
    best: Tool | None,
    against: float,
) -> Plan | None:
    """The plan of a question about what one runs; None where it is about the market, or about connections.

    `best`: the tool of the market that most speaks for; `against`: how much speaks for that, or for neither.
    """
    if _of_account(previous, lexicon) and not is_reset(s):
        assert previous is not None
        market = best is not None and (
            has_own_subject(s) or (against >= _SURE and against > own.weight and not own.goes_on())
        )
        if own.goes_on() and not market:
            return own.followed(now, previous)
    if best is not None and best.has("check") and (own.seen.named or own.seen.has("everything")):
        # Whether a resource is well is asked, not whether a connection is.
        return own.fresh(now, previous)
    if own.weight <= against or (best is not None and not best.here and against >= _SURE):
        return None
    return own.fresh(now, previous)


def _is_greeting(s: Sentence) -> bool:
    words = [span for span in s.spans if span.text[0].isalnum()]
    if words and all(_says_nothing(span) for span in words):
        return True
    return bool(words) and all(
        span.plays("help") or span.text in ("you", "there", "thank") or span.text in word_set("fillers")
        for span in words
    )


def _says_nothing(span: Span) -> bool:
    """`show me something`: an order to show, and nothing to be shown."""
    return span.number is None and all(
        word in word_set("row_verbs") | word_set("giving") | word_set("fillers") | word_set("vague")
        for word in span.text.split()
    )


def _continued(
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
    if best is not None and _still(s, best, lexicon.tools[previous.tool]):
        best, top = None, 0.0
    mine = scores.get(previous.tool, 0.0) or fits(s, lexicon.tools[previous.tool])
    if best is not None and best.name != previous.tool and top >= (1.0 if best.here else 2.0) and top > mine:
        return None
    plain_tool = not lexicon.tools[previous.tool].has("gpu")
    if not goes_on(s, has_own_subject(s), cued=plain_tool and mine >= 1.5):
        return None
    past = lexicon.tools[previous.tool].has("time") and bool(spoken(s.text, now, bare=False))
    return lexicon.tools[previous.tool] if past or _says_something(s) else None


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
    return bool(clearings(s)) or any(
        span.plays(*_TELLING) or span.number is not None or next(span.values, None) for span in s.spans
    )


def _followed(s: Sentence, tool: Tool, lexicon: Lexicon, now: datetime, previous: Query) -> Plan:
    """A turn of a dialogue."""
    asks_cheaper = any(span.plays("cheaper", "dearer") for span in s.spans)
    found = read(s, tool, now)
    read_bare(s, found, tool, previous.arguments)
    _spot_dropped(s, found, previous)
    if tool.has("sort"):
        read_next(s, found, previous)
    like_the_one_before(s, tool, found, previous.arguments)
    if (asking := _unclear(s, found, lexicon, previous)) is not None:
        return asking
    if asks_cheaper and not found.arguments and not found.sides and found.then is None and found.best is None:
        return cheaper_than_what(previous)
    if any(span.plays("more_rows") for span in s.spans) and not found.arguments:
        return _more(previous, s)
    if not (found.arguments or found.sides or found.then or found.cleared or found.best):
        return _unread(s, found, previous)
    if found.then is not None and found.then["op"] == "worth":
        found.cleared.add("time")
    told_why(s, found)
    query, tool = over_time(s, merged(previous, found, tool, s), found, tool, lexicon)
    return _answer(s, _kept(query, tool), found, tool)


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


def _fresh(s: Sentence, tool: Tool, lexicon: Lexicon, now: datetime, previous: Query | None) -> Plan:
    """A question of its own."""
    carried = _carried(s, tool, previous, lexicon)
    price_said = any(span.plays(*_PRICE_WORDS) or span.get("quantity") == "price" for span in s.spans)
    found = paired(s, read(s, tool, now), tool, lexicon, now)
    if (asking := _unclear(s, found, lexicon, previous)) is not None:
        return asking
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
    if any(span.plays("provider") for span in s.spans):
        return {}
    told = any(span.plays("gpu") for span in s.spans)
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


def _unclear(s: Sentence, found: Found, lexicon: Lexicon, previous: Query | None) -> Plan | None:
    """What must be asked back before anything can be answered."""
    if (strange := unknown_model(s)) is not None:
        return ask_about_model_name(strange, s, previous)
    if found.unclear:
        question, choices = found.unclear[0]
        return Plan("clarify", question=question, choices=choices, query=previous)
    return None


def _kept(query: Query, tool: Tool) -> Query:
    """Only what the tool takes, without what equals its default."""
    kept = {}
    for name, value in query.arguments.items():
        if not tool.has(name) or value in (None, [], ""):
            continue
        if value == tool.default(name) or (name == "sort" and value == "price_asc"):
            continue
        kept[name] = _whole(value)
    if "hours" in kept and ("disk_gb" in kept or "egress_gb" in kept) and tool.has("rank_by"):
        kept.setdefault("rank_by", "total")
    sides = tuple({name: _whole(value) for name, value in side.items()} for side in query.sides)
    then = {key: _whole(value) for key, value in query.then.items()} if query.then else None
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
