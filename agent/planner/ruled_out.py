"""What a question leaves out: `not aws`, `without vast`, `everything except h100`, `gcp excluded`."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.language import word_set
from agent.planner.negation import FAR, LINKS, SINGLE, ask_which, kind_of, negators, reach, verbal
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool


def ruled_out_by(s: Sentence, tool: Tool, found: Found) -> set[int]:
    """Places of the things that the question rules out."""
    out: set[int] = set()
    for index in negators(s):
        if index not in out:
            start, _ = reach(s, index)
            _forward(s, index, start, tool, out, found)
    for index, _ in s.all("neg_after"):
        _backward(s, index, tool, out)
    for index, span in enumerate(s.spans):
        if span.text in _LEAVES and not span.used:
            _between(s, index, tool, out)
    for index, span in s.all("but"):
        target = index + 1
        while s.at(target) is not None and s.spans[target].text in ("the", "a", "an"):
            target += 1
        if span.text == "but" and kind_of(s.at(target), tool) and _everything_before(s, index):
            _forward(s, index, index + 1, tool, out, found)
    return out


_LEAVES = frozenset(("leave", "leaving", "keep", "keeping", "take", "taking", "rule", "count", "cut", "kick"))


def _between(s: Sentence, index: int, tool: Tool, out: set[int]) -> None:
    """`leave aws and azure out`: what stands between the two words."""
    found: list[int] = []
    for at in range(index + 1, min(len(s.spans), index + FAR)):
        span = s.spans[at]
        if span.text in ("out", "aside") and found:
            out.update(found)
            s.denied.update(found)
            s.use(index, at)
            return
        if kind_of(span, tool):
            found.append(at)
        elif span.text not in word_set("joins") | word_set("fill") | word_set("neg_fill"):
            return


def _everything_before(s: Sentence, index: int) -> bool:
    """`any 24gb card but the 3090`."""
    return any(sp.text.split()[-1] in word_set("all_but") for sp in s.spans[:index])


def _forward(s: Sentence, index: int, start: int, tool: Tool, out: set[int], found: Found) -> None:
    """Rule out what follows, over a list of the same kind."""
    kind, joined, lead, anew, at = None, "", False, False, start
    while (span := s.at(at)) is not None:
        here = kind_of(span, tool)
        if here and not (
            span.text in word_set("fill") and here != "region" and kind is None and not span.plays(*SINGLE)
        ):
            different = kind is not None and here != kind
            if different and (joined not in ("or", "nor", "and") or lead or span.plays("region", "gpu")):
                break
            if kind is not None and not joined:
                break
            out.add(at)
            s.denied.add(at)
            kind, joined, lead = kind or here, "", False
        elif span.text in word_set("joins") and kind is not None:
            joined = span.text
        elif kind is None and span.number is not None and s.plays(at + 1, "sellers"):
            s.use(at)
        elif kind is not None and joined and span.text in word_set("all_but"):
            lead, anew = False, True
        elif span.text in word_set("fill"):
            if anew and span.text in word_set("leads"):
                at += 1
                continue
            if kind is not None and span.text in word_set("leads") and joined not in ("or", "nor", "and"):
                break
            lead = lead or span.text in word_set("leads")
        elif span.plays("neg", "negates") and kind is not None:
            break
        else:
            break
        at += 1
    if kind is None:
        return
    if (verbal(s.spans[index]) and start > index + 1) or s.spans[index].text.startswith("nothing"):
        _both(s, index, at, out, found)
    if _can_be_left_out(kind, tool):
        s.use(*range(index, start))


def _both(s: Sentence, index: int, at: int, out: set[int], found: Found) -> None:
    """`don't show me h100s on vast`: which of the two is left out, unless one is wanted elsewhere."""
    lead, second = s.at(at), at + 1
    if lead is not None and lead.get("op") in ("gt", "ge") and not lead.text.startswith("or "):
        number = next((i for i in range(at, min(len(s.spans), at + 3)) if s.spans[i].number is not None), at)
        said = s.text[s.starts(lead) : s.ends(s.spans[number])]
        found.ask(f"What is to be left out: {s.spans[max(out)].text}, or what is {said}?")
        return
    while s.at(second) is not None and s.spans[second].text in ("the", "any", "all"):
        second += 1
    if lead is None or lead.text not in word_set("leads") or not s.plays(second, "provider", "region"):
        return
    first = max(out)
    named = s.spans[first].get("gpu")
    if named is not None and any(sp.get("gpu") == named and sp is not s.spans[first] for sp in s.spans):
        out.discard(first)
        out.add(second)
        s.use(first)
        return
    ask_which(s, index, second, (s.spans[first].text, s.spans[second].text), found)


def _can_be_left_out(kind: str, tool: Tool) -> bool:
    """Whether the tool can leave out things of this kind; if not, the words are shown as not used."""
    argument = "providers" if kind == "provider" else kind
    told = kind == "provider" and "name" in tool.fields
    return told or kind not in SINGLE or tool.has(f"exclude_{argument}")


def _backward(s: Sentence, index: int, tool: Tool, out: set[int]) -> None:
    """`aws and azure excluded`."""
    at, kind = index - 1, None
    while (span := s.at(at)) is not None:
        here = kind_of(span, tool)
        if here and kind in (None, here):
            out.add(at)
            kind = here
        elif not (span.text in word_set("joins") or (kind is None and span.text in LINKS)):
            break
        at -= 1
    if kind is not None:
        s.use(index)
