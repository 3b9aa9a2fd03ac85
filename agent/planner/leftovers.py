"""What of a question nothing has used: said back to the person, never dropped in silence."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.orders import soft_verbs
from agent.planner.sentence import Sentence, Span


def ignored_words(s: Sentence, found: Found, tool: str) -> tuple[str, ...]:
    """Content words that nothing used, neighbours together, with the negation or comparison in front."""
    groups: list[list[str]] = []
    last = -2
    for index, span in enumerate(s.spans):
        if index <= last or span.used or not _counts(s, index, tool):
            continue
        if index == last + 1 and groups:
            groups[-1].append(span.text)
        elif span.number is not None:
            after = [sp.text for sp in s.spans[index + 1 : index + 3] if sp.plays("unit", "quantity")]
            before = s.at(index - 1)
            lead = [before.text] if before is not None and before.plays("op") else []
            groups.append([*lead, span.text, *after])
            last = index + len(after)
            continue
        else:
            before = s.at(index - 1)
            lead = (
                [before.text] if before is not None and not before.used and before.plays("neg", "op") else []
            )
            groups.append([*lead, span.text])
        last = index
    return tuple(dict.fromkeys(" ".join(group) for group in groups)) + tuple(
        p for p in dict.fromkeys(found.purposes)
    )


_LEAD = 3
"""So far from the beginning a verb of change may be how one asks: `can you get me`, `rent an H100`."""


def _counts(s: Sentence, index: int, tool: str) -> bool:
    """Whether an unused phrase says something: a number, a place, a value, or a word that is no filler."""
    span = s.spans[index]
    if span.text[0].isalnum():
        if span.plays("maybe_place"):
            return True
        if span.number is not None and not span.plays("gpu"):
            return span.text != "one"
        passed = language().stop | (soft_verbs() if index <= _LEAD else frozenset())
        words = [word for word in span.text.split() if word not in passed]
        return bool(words) and not _is_cue(s, span, tool)
    return False


def _is_cue(s: Sentence, span: Span, tool: str) -> bool:
    """Part of a cue of the tool that was chosen: it has done its work."""
    return span.first in s.cue_tokens.get(tool, ()) and not span.plays("region", "provider", "gpu")


def is_content(text: str) -> bool:
    """Whether a word is more than filler."""
    return text[0].isalnum() and text not in language().stop
