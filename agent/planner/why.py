"""`why is there nothing cheaper`, `why is the cheapest not on lambda`: what the prices say to that."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.language import Meaning
from agent.planner.sentence import Sentence, Span

_LEADS = frozenset(("and", "but", "so", "hm", "hmm", "well", "ok"))
_NONE = frozenset(("no", "nothing", "none", "nobody", "nowhere", "noone"))
_CHEAPEST = (Meaning("best", "asc"),)


def hear_why(s: Sentence, *, of_prices: bool) -> None:
    """What is denied in such a question is no wish: its negations go, and the price it starts from too.

    `of_prices`: the question before was for prices, so that `why not on aws` is about them as well.
    """
    _exists(s)
    if not _asks_why(s):
        return
    priced = [index for index, span in enumerate(s.spans) if _of_prices(span)]
    denied = [i for i, span in enumerate(s.spans) if span.plays("neg", "negates") or _denies(span)]
    if not denied or not (priced or (of_prices and s.words()[:2] == ("why", "not")) or _none_of(s)):
        return
    s.why = True
    for index in denied:
        if index not in priced:
            s.spans[index].meanings, s.spans[index].used = (), True
    for index in priced:
        if _cheaper(s.spans[index]):
            s.spans[index].meanings, s.spans[index].used = _CHEAPEST, False
            _drop_amount(s, index + 1)


def told_why(s: Sentence, found: Found) -> None:
    """What such an answer is."""
    if s.why:
        found.notices.append("Only prices can tell why: this is the cheapest, with what was left out.")


def _exists(s: Sentence) -> None:
    """`is there no H100 in europe`: whether there is one."""
    for index, span in enumerate(s.spans):
        asked = span.text == "no" and index > 1 and s.spans[index - 1].text == "there"
        if asked and s.spans[index - 2].text in ("is", "are", "isnt", "arent") and not _asks_why(s):
            span.meanings, span.used = (), True


def _asks_why(s: Sentence) -> bool:
    words = list(s.words())
    while words and (words[0] in _LEADS or not words[0][0].isalnum()):
        words.pop(0)
    return words[:1] == ["why"] or words[:2] == ["how", "come"]


def _of_prices(span: Span) -> bool:
    return _cheaper(span) or span.get("best") == "asc"


def _none_of(s: Sentence) -> bool:
    """`why are there no H100 in europe`."""
    return "there" in s.words()[:4] and any(
        span.plays("gpu") or span.get("unit") == "gpu" for span in s.spans
    )


def _denies(span: Span) -> bool:
    """`nothing`, `no`, `nothing under`."""
    return span.text.split()[0] in _NONE


def _cheaper(span: Span) -> bool:
    """`cheaper`, `cheaper than`, `less than`, `under`, `nothing under`."""
    if span.get("op") in ("ge", "gt"):
        return _denies(span)
    return span.plays("cheaper") or (span.plays("outdoing", "op") and span.get("op") in ("lt", "le"))


def _drop_amount(s: Sentence, index: int) -> None:
    """The price that nothing is below."""
    at = index
    while (span := s.at(at)) is not None and at <= index + 2:
        if span.number is None and span.get("unit") != "usd":
            return
        if span.plays("gpu"):
            return
        s.use(at)
        at += 1
