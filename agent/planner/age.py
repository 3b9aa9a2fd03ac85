"""How old data may be: `no older than 5 minutes`, `at most an hour old`. Words such as `fresh` are values."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool

_LETTER = {"minute": "m", "hour": "h", "day": "d", "week": "w"}
_OLD = frozenset(("old", "ago"))
_ONE = frozenset(("a", "an", "the"))


def read_age(s: Sentence, tool: Tool, found: Found) -> None:
    """A length of time that is the greatest age of the data, not a length of use."""
    if not tool.has("max_age"):
        return
    for index, _ in list(s.all("max_age")):
        at = index + 1
        if s.at(at) is not None and s.spans[at].text in ("of", "the", "last"):
            at += 1
        _put(s, index, at, found)
    for index, span in list(s.all("op")):
        if span.get("op") in ("lt", "le"):
            end = _length(s, index + 1)
            if end is not None and (after := s.at(end + 1)) is not None and after.text in _OLD:
                _put(s, index, index + 1, found)
                s.use(end + 1)


def _length(s: Sentence, at: int) -> int | None:
    """Where a length of time ends that begins here."""
    first, unit = s.at(at), s.at(at + 1)
    if first is None or unit is None or unit.get("unit") not in (*_LETTER, "second"):
        return None
    return at + 1 if first.number is not None or first.text in _ONE else None


def _put(s: Sentence, index: int, at: int, found: Found) -> None:
    end = _length(s, at)
    if end is None:
        return
    value, unit = s.spans[at].number or 1.0, str(s.spans[end].get("unit"))
    if value != int(value):
        value, unit = value * language().seconds[unit] / 60, "minute"
    found.put("max_age", f"{value:g}{_LETTER[unit]}")
    s.use(*range(index, end + 1))
