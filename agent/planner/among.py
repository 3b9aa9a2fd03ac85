"""Sellers or regions that are set against each other without being named: `compared between the clouds`."""

from __future__ import annotations

from agent.planner.found import Found
from agent.planner.sentence import Sentence
from agent.planner.shape import is_plural
from agent.planner.tool import Tool


def of_all(s: Sentence, index: int) -> bool:
    """`the lowest price of each`, with nothing behind that says of what: of each seller."""
    after = s.at(index + 1)
    ends = after is None or not (after.plays("gpu", "dimension", "unit", "per") or after.number is not None)
    told = s.has("best", "stat") and not s.has("compare", "dimension")
    return ends and told and s.spans[index].text in ("of each", "from each", "for each", "at each")


def read_among(s: Sentence, tool: Tool, found: Found) -> None:
    """`compared between the clouds`, `how do the regions compare`, `compare the sellers`: a row for each."""
    for index, span in enumerate(s.spans):
        asked = index == 1 and s.spans[0].text in ("how", "hows")
        compares = span.text == "compare" and index <= 1
        if asked and span.text in ("do", "does", "did"):
            compares = any(one.text == "compare" for one in s.spans[index:])
        elif s.plays(index - 1, "where_is") or span.number is not None:
            continue
        elif span.text.split()[-1] in _AMONG:
            compares = True
        at = index + 1
        while (what := s.at(at)) is not None and what.text in _ARTICLES:
            at += 1
        dimension = what.get("dimension") if what is not None and not what.used else None
        if (
            not compares
            or what is None
            or dimension not in ("provider", "region")
            or not is_plural(what.text)
        ):
            continue
        if sum(1 for one in s.spans if one.plays(dimension)) <= 1 and dimension in tool.values("group_by"):
            found.put("group_by", dimension)
            s.use(index, at)


_AMONG = frozenset(("between", "among", "amongst"))
_ARTICLES = frozenset(
    ("the", "all", "different", "various", "these", "those", "individual", "single", "all the")
)
