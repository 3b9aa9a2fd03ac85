"""What a question no longer insists on, and what its negations reach: `no price limit`, `need not be in us`.

A negation reaches over verbs and pronouns to what it speaks of. A thing is left out (`ruled_out`), a
comparison turned round, a number said not to be used; behind a word of limiting the filter goes. What no rule
made use of is asked back where a filter stands beside it (`unheard`), and shown otherwise: nothing that is
negated is taken as wished for.
"""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.language import word_set
from agent.planner.sentence import Sentence, Span
from agent.planner.tool import Tool

SINGLE = ("gpu", "provider", "region")
_ENDS = frozenset((",", ".", ";", "!", "?", ":", "(", ")", "but"))
_ARGUMENT = {"provider": "providers", "sellers": "providers"}
_OF_UNIT = {
    "gpu": ("count", "min_count"),
    "times": ("count", "min_count"),
    "gb": ("memory", "min_memory", "min_total_memory"),
    "usd": ("max_price", "min_price"),
    "offer": ("limit",),
}
_COMPARED = frozenset(("lt", "le", "gt", "ge"))
FAR = 8


def negators(s: Sentence) -> list[int]:
    """Where something is negated that no rule has read yet."""
    return [i for i, span in s.all("neg", "negates")]


def verbal(span: Span) -> bool:
    """`don't …`, `never …`: what follows may be a verb; `no …`, `without …` stand before a thing."""
    said = span.text.split()
    first = said[-1] if said[0] in ("and", "but") else said[0]
    return span.plays("negates") or first in word_set("verbal_negations")


def read_negations(s: Sentence, tool: Tool, found: Found) -> None:
    """Everything about negations that must be known before numbers are read."""
    for index in negators(s):
        if _harmless(s, index):
            s.use(index)
            continue
        at, lifts = reach(s, index)
        if _ungrouped(s, index, at, found):
            continue
        if lifts and _lifted(s, index, at, tool, found):
            continue
        _compared(s, index, at, tool, found)


def _ungrouped(s: Sentence, index: int, at: int, found: Found) -> bool:
    """`don't group it by provider`, `don't sort by price`."""
    span, what = s.at(at), s.at(at + 1)
    if span is None or what is None or not span.plays("per", "sort_by"):
        return False
    if not what.plays("dimension", "field", "quantity"):
        return False
    found.cleared.add("group_by" if what.plays("dimension") and not span.plays("sort_by") else "sort")
    s.use(*range(index, at + 2))
    return True


def _harmless(s: Sentence, index: int) -> bool:
    """`isn't the h100 …?`, `can't I get …`, `no, …`, `… or not`: a question, an answer, a tag."""
    span, before, after = s.spans[index], s.at(index - 1), s.at(index + 1)
    opens = before is None or before.text in _ENDS or before.text in word_set("neg_openers")
    if span.text in ("no", "not") and (after is None or after.text in _ENDS):
        return before is None or before.text in ("or", "why", "if")
    if span.text == "not" and before is not None and before.text in word_set("subjects"):
        verb = s.at(index - 2)
        return verb is not None and verb.text in ("do", "does", "did", "is", "are", "have", "has")
    asks = span.text in word_set("neg_questions") and opens and after is not None
    return asks and after is not None and (after.text in word_set("subjects") or after.plays(*SINGLE))


def reach(s: Sentence, index: int) -> tuple[int, bool]:
    """Behind the verbs and pronouns that a negation reaches over; whether they speak of limiting."""
    if not verbal(s.spans[index]) and s.spans[index].text != "no":
        return index + 1, False
    lead = s.at(index - 1)
    # `need not be spot` no longer insists; `must not be spot` rules it out.
    needs = (_needs(lead) and lead is not None and lead.text != "must") or s.spans[index].text == "neednt"
    at, lifts = index + 1, False
    verbs = word_set("neg_verbs") if verbal(s.spans[index]) else frozenset(("need", "way", "interest"))
    while (span := s.at(at)) is not None and at < index + FAR:
        words = set(span.text.split())
        if _is_thing(span) or (span.number is not None):
            break
        if span.plays("only") or words <= word_set("lifts"):
            lifts = True
        elif words <= verbs or words <= word_set("neg_fill"):
            lifts = lifts or (needs and "be" in words)
            needs = needs or _needs(span)
        else:
            break
        at += 1
    last = s.at(at - 1)
    bare = needs and last is not None and (_needs(last) or last.text in ("for", "a", "an"))
    return at, lifts or (bare and s.spans[index].text != "neednt")


def _needs(span: Span | None) -> bool:
    return span is not None and span.text in ("need", "needs", "have", "has", "must", "required")


def _is_thing(span: Span) -> bool:
    named = span.plays(*SINGLE, "sellers", "=instance_type")
    return named or (any(span.values) and span.text not in word_set("neg_fill") | word_set("neg_verbs"))


def _lifted(s: Sentence, index: int, at: int, tool: Tool, found: Found) -> bool:
    """`don't limit it to europe`, `doesn't have to be spot`: the filter goes, and that is said."""
    gone: list[str] = []
    last = at
    while (span := s.at(at)) is not None and (not gone or span.text != ","):
        names = _arguments(s, at, tool)
        if names and (not gone or s.spans[at - 1].text in word_set("joins")):
            found.cleared |= set(names)
            gone.append(span.text)
            at += span.number is not None
            last = at + 1
        elif names or span.text not in word_set("joins") | word_set("fill") | word_set("neg_fill"):
            break
        at += 1
    if gone:
        s.use(*range(index, last))
        found.notices.append(f"Not limited to {', '.join(gone)}.")
    return bool(gone)


def _arguments(s: Sentence, at: int, tool: Tool) -> tuple[str, ...]:
    """The arguments that a phrase could be a value of, or the name of."""
    span = s.spans[at]
    after = s.at(at + 1)
    if span.number is not None and not span.plays("gpu"):
        unit = after.get("unit") if after is not None else None
        return _OF_UNIT.get(str(unit), ())
    if (kind := kind_of(span, tool)) is not None:
        return (_ARGUMENT.get(kind, kind),)
    named = str(span.get("dimension"))
    return {"provider": ("providers",), "region": ("region",)}.get(named, ())


def _compared(s: Sentence, index: int, at: int, tool: Tool, found: Found) -> None:
    """`don't go over $3`, `no h100 over $3` turn a comparison round; `not 40 gb` cannot be asked for."""
    place, crossed = at, None
    while (span := s.at(place)) is not None and (span.plays("gpu") or span.get("unit") in _NOUNS):
        crossed, place = span, place + 1
    op, number = s.at(place), s.at(place + 1)
    if op is not None and op.get("op") in _COMPARED and not op.text.startswith("or "):
        while number is not None and number.get("unit") in ("usd", "foreign"):
            place += 1
            number = s.at(place + 1)
        if number is not None and number.number is not None:
            s.turned.add(s.spans.index(op))
            s.use(*(i for i in range(index, s.spans.index(op)) if not s.spans[i].plays("gpu")))
        return
    amount = s.at(at)
    if crossed is None and amount is not None and amount.text == "$":
        at, amount = at + 1, s.at(at + 1)
    if amount is None or amount.number is None or amount.plays("gpu") or _NUMBER_NOUN & {amount.text}:
        return
    unit = s.at(at + 1)
    measured = unit is not None and unit.plays("unit")
    if measured and unit is not None and unit.get("unit") == "gb" and tool.has("memory"):
        found.meet(tool, "gpu_memory_gib", "ne", amount.number)
        s.use(*range(index, at + 2))
        return
    said = f"{amount.text} {unit.text}" if measured and unit is not None else amount.text
    found.refused.append(f"not {said}: there is no filter that leaves out one number")
    s.use(*range(index, at + 1 + measured))


_NOUNS = ("gpu", "node", "offer")
_NUMBER_NOUN = frozenset(("one",))


# ---- what is left out ----------------------------------------------------------------------------------


def kind_of(span: Span | None, tool: Tool) -> str | None:
    """What kind of thing could be ruled out here."""
    if span is None or span.used:
        return None
    for role in SINGLE:
        if span.plays(role):
            return role
    if span.plays("sellers"):
        return "provider"
    return next((argument for argument, _ in span.values if tool.has(argument)), None)


def ask_which(s: Sentence, index: int, last: int, names: tuple[str, ...], found: Found) -> None:
    """Ask which of the things is to be left out."""
    before = s.text[: s.starts(s.spans[index])].rstrip(" ,.;:")
    behind = s.text[s.ends(s.spans[last]) :].strip(" ,.;:!?")
    rest = " ".join(part for part in (before, behind) if part) or "GPU prices"
    choices = [f"{rest}, without {name}" for name in names]
    if len(names) == 1:
        choices.append(f"{rest}, {names[0]}")
    found.ask(f"What is to be left out: {' or '.join(names)}{', or nothing' * (len(names) == 1)}?", *choices)


LINKS = frozenset(("is", "are", "was", "should", "be", "s", "really", "just", "a", "?", "-", "as"))


# ---- what nothing made use of ----------------------------------------------------------------------------


def unheard(s: Sentence, tool: Tool, found: Found) -> None:
    """A negation that no rule used, beside a filter that was taken as wished for: it is asked back."""
    for index in _unheard(s, tool):
        target = _beside(s, index)
        if target is not None and s.spans[target].used and target not in s.denied:
            span = s.spans[target]
            last = target
            if span.number is not None and s.plays(target + 1, "unit"):
                last += 1
            ask_which(s, index, last, (s.text[s.starts(span) : s.ends(s.spans[last])],), found)


def _unheard(s: Sentence, tool: Tool) -> list[int]:
    cues = s.cue_tokens.get(tool.name, set())
    return [
        index
        for index in negators(s)
        if s.spans[index].first not in cues
        and _beside(s, index) not in s.denied
        and not ((after := s.at(index + 1)) is not None and after.first in cues and not _is_thing(after))
    ]


def _beside(s: Sentence, index: int) -> int | None:
    """The filter that a negation stands next to: behind it in its clause, or right before its end."""
    at = index + 1
    while (span := s.at(at)) is not None and span.text not in _ENDS:
        if _filters(span):
            return at
        if span.plays("worth", "best", "cheaper", "dearer") or at > index + FAR:
            return None
        at += 1
    after = s.at(index + 1)
    if after is not None and after.text in word_set("lifts"):
        return None
    at = index - 1
    while (span := s.at(at)) is not None and span.text in LINKS:
        at -= 1
    return at if span is not None and _filters(span) else None


def _filters(span: Span) -> bool:
    number = span.number is not None and span.text != "one"
    return number or _is_thing(span) or span.plays("gpu", "change")


def unheard_words(s: Sentence, tool: Tool) -> tuple[str, ...]:
    """The negations that nothing used, each with the word behind it."""
    said = []
    for index in _unheard(s, tool):
        after = s.at(index + 1)
        word = f" {after.text}" if after is not None and after.text not in _ENDS else ""
        said.append(s.spans[index].text + word)
    return tuple(said)
