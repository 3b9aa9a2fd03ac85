"""Question in, plan out: guard, tokens, spans, subject, reading, dialogue. Pure: no clock but `now`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from agent.planner.asking import ask_about_model_name, greeted, no_subject, not_yet, refused, unknown_model
from agent.planner.correction import take_back
from agent.planner.dialogue import goes_on, has_own_subject, is_reset
from agent.planner.guard import hidden, refusal, untwisted
from agent.planner.inventory.turn import Own, own_question
from agent.planner.language import guard_facts, word_set
from agent.planner.lexicon import Lexicon
from agent.planner.market import continued, followed, fresh, stays
from agent.planner.orders import sorts_rows, trade_verbs, write_verbs
from agent.planner.purpose import hear_purpose
from agent.planner.query import Plan, Query
from agent.planner.sentence import Sentence, Span, sentence_of
from agent.planner.spelling import KnownWords, corrected, mended_text
from agent.planner.subject import chosen, off_topic, scores_of, waits
from agent.planner.tokens import plain, tokens_of
from agent.planner.tool import Tool
from agent.planner.why import hear_why
from cloudtop.gpus import resolve

_TOO_LONG = 2000
_CLAUSE = re.compile(r"[.;!?,]+(?:\s+|$)|\b(?:and|then|but|also|afterwards)\b", re.IGNORECASE)
_READS = frozenset(
    ("show", "list", "compare", "what", "whats", "which", "how", "find", "cheapest", "tell", "is", "are")
)
_SURE = 2.5
"""So much speaks for a subject that no tool answers yet, before it is said that none does."""
_SHY = 1.2
"""So little speaks for what one runs, where only a word such as `box` does."""
_RESOURCES = frozenset(("name", "id", "resource_type", "region", "tag"))
"""What narrows a check to resources; without it, it is of connections."""


def plan(text: str, lexicon: Lexicon, now: datetime, previous: Query | None = None) -> Plan:
    """How the question is dealt with. Same words, lexicon, clock and previous query: the same plan."""
    now = now.replace(microsecond=0)
    typed = plain(text)[:_TOO_LONG]
    tokens = tokens_of(typed, lexicon.known)
    raw = untwisted([token.text for token in tokens], lexicon.every_word)
    why = refusal(raw, lexicon.every_word) or hidden(raw, lexicon.every_word)
    if why is not None:
        made = refused(why, typed, previous)
        return replace(made, choices=_readable(typed, lexicon, now)) if why == "write_operation" else made
    twisted = tuple((token.text, word) for token, word in zip(tokens, raw, strict=True) if token.text != word)
    if twisted:
        tokens = [replace(token, text=word) for token, word in zip(tokens, raw, strict=True)]
        typed = mended_text(typed, tokens, twisted)
        tokens = tokens_of(typed, lexicon.known)
    known = KnownWords(lexicon)
    tokens, mended = corrected(tokens, known, lexicon.vocabulary, write_verbs())
    if mended and (why := refusal([token.text for token in tokens], lexicon.every_word)):
        return refused(why, typed, previous)
    right = mended_text(typed, tokens, mended) if mended else typed
    s = sentence_of(right, tokens_of(right, lexicon.known) if mended else tokens, lexicon)
    if not any(span.text[0].isalnum() for span in s.spans):
        return greeted(previous)
    take_back(s)
    hear_purpose(s)
    own = own_question(typed, lexicon, write_verbs())
    if mended != own.mended and (why := refusal(own.s.words(), lexicon.every_word)):
        return refused(why, typed, previous)
    made = _planned(s, lexicon, now, previous, own)
    if made.behaviour != "answer" and not stays(s, previous, lexicon) and not waits(s, lexicon):
        made = own.instead(now, previous, outside=made.reason == "out_of_scope") or made
    if made.behaviour == "answer" and _of_account(made.query, lexicon):
        mended = own.mended
    elif made.query is not None and lexicon.tools[made.query.tool].has("gpu") and (ours := own.unheard()):
        made = replace(made, ignored=(*made.ignored, *ours))
    said = tuple(f"“{wrong}” was read as “{right}”." for wrong, right in (*twisted, *mended))
    ordered = raw[0] == "order" and sorts_rows(raw)
    if raw[0] in trade_verbs() and made.behaviour == "answer" and not ordered:
        said = (*said, guard_facts()["texts"]["only_prices"])
    return replace(made, notices=(*said, *made.notices))


def _readable(text: str, lexicon: Lexicon, now: datetime) -> tuple[str, ...]:
    """The parts of a refused question that only read and are wholly understood on their own."""
    parts = [part.strip() for part in _CLAUSE.split(text)]
    asked = [part for part in parts if part and part.split()[0].lower() in _READS]
    made = [(part, plan(part, lexicon, now)) for part in asked if part != text.strip()]
    return tuple(part for part, one in made if one.behaviour == "answer" and not one.ignored)[:3]


def _of_account(query: Query | None, lexicon: Lexicon) -> bool:
    """Whether a query is about what one runs."""
    tool = lexicon.tools.get(query.tool) if query is not None else None
    if query is None or tool is None or not tool.here or tool.market:
        return False
    return tool.of_account and (not tool.has("check") or bool(_RESOURCES & query.arguments.keys()))


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
    tool = continued(s, lexicon, scores, best, top, previous, now)
    if tool is not None and previous is not None:
        return followed(s, tool, lexicon, now, previous)
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
    return fresh(s, best, lexicon, now, previous)


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
        market = (
            best is not None
            and not own.seen.has("gpu_metric")
            and (has_own_subject(s) or (against >= _SURE and against > own.weight and not own.goes_on()))
        )
        if (own.goes_on() or own.replies(previous)) and not market:
            return own.followed(now, previous)
    about = own.seen.named or own.seen.has("everything")
    if best is not None and best.has("check") and about and own.weight:
        # Whether a resource is well is asked, not whether a connection is.
        return own.fresh(now, previous)
    if (
        stays(s, previous, lexicon)
        or own.weight <= against
        or (best is not None and not best.here and against >= _SURE)
    ):
        return None
    if _of_offers(previous, lexicon) and own.weight <= _SHY and goes_on(s, own_subject=False):
        # `and eight of them in one box, for 3 days?`: of the offers that were shown.
        return None
    return own.fresh(now, previous)


def _of_offers(query: Query | None, lexicon: Lexicon) -> bool:
    """Whether a query is about what sellers offer."""
    tool = lexicon.tools.get(query.tool) if query is not None else None
    return tool is not None and tool.here and tool.has("gpu") and tool.market


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
    return (
        span.number is None
        and not span.plays("region")
        and all(
            word in word_set("row_verbs") | word_set("giving") | word_set("fillers") | word_set("vague")
            for word in span.text.split()
        )
    )
