"""Questions about the rows of a plain list: which of them, and which of their fields. What counts is data."""

from __future__ import annotations

from functools import cache

from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.phrases import PhraseSet
from agent.planner.sentence import Sentence
from agent.planner.subject import absence_words, absent
from agent.planner.tool import Tool

_NEAR = 3
"""How many words a negation may stand before the field that it denies."""


@cache
def _words(section: str, tool: str) -> dict[str, PhraseSet]:
    facts = language().hints[section].get(tool, {})
    return {field: PhraseSet(words) for field, words in facts.items()}


def read_listing(s: Sentence, tool: Tool, found: Found) -> None:
    """A row filter for what the tool has no argument for; fields where two or more are named."""
    words = s.words()
    for field, phrases in _words("row_filters", tool.name).items():
        if (at := phrases.find(words)) is not None and "is" not in words[:1]:
            if "whether" in words[:at] and {"every", "all", "each"} & set(words[:at]):
                # `every provider and whether it is configured`: of all of them.
                _use(s, at, phrases.at(words, at))
                continue
            _use(s, at, phrases.at(words, at))
            denials = (i for i, span in enumerate(s.spans) if span.plays("neg", "negates"))
            negated = [i for i in denials if 0 < at - s.spans[i].last <= _NEAR]
            s.use(*negated)
            found.then = found.then or {"op": "filter", "field": field, "value": not negated}
    if _words("row_filters", tool.name) and not tool.has("providers"):
        named = list(s.all("provider"))
        if len({span.get("provider") for _, span in named}) > 1 and found.then is None:
            s.use(*(index for index, _ in named))
            found.notices.append("All clouds are shown, those that are named among them.")
            named = []
        for index, span in named:
            if not absent(s) and any(s.plays(at, "neg") for at in range(max(0, index - 3), index)):
                continue
            found.then = {"op": "filter", "field": "provider", "value": span.get("provider")}
            s.use(index)
    for at, size in absence_words(s):
        _use(s, at, size)
    fields = [(phrases.find(words), field) for field, phrases in _words("row_fields", tool.name).items()]
    wanted = sorted((at, field) for at, field in fields if at is not None)
    for at, field in wanted:
        _use(s, at, _words("row_fields", tool.name)[field].at(words, at))
        if len(wanted) > 1 and tool.has("fields"):
            found.add("fields", field)


def _use(s: Sentence, at: int, size: int) -> None:
    """Mark the spans of some tokens."""
    s.use(*(i for i, span in enumerate(s.spans) if span.first < at + size and span.last >= at))
