"""Lengths of use said without a number: `per day`, `all month`, `for a weekend`, `around the clock`."""

from __future__ import annotations

from agent.planner.amount import TIMES
from agent.planner.found import Found
from agent.planner.language import language
from agent.planner.sentence import Sentence

_DAY_HOURS = 24.0


def read_periods(s: Sentence, found: Found) -> None:
    """`per day`, `monthly`, `for a weekend`, `an hour`: how long, without a number."""
    for index, span in s.all("unit"):
        unit = span.get("unit")
        if unit not in TIMES or unit == "minute":
            continue
        before = s.at(index - 1)
        lead = before is not None and (
            before.text in ("/", "a", "an", "one", "the", "whole", "full", "entire", "all")
            or before.plays("per")
        )
        if not (lead or span.text.endswith(("ly", "annual")) or (unit == "weekend")):
            continue
        share = 1.0
        if before is not None and before.text in ("half a", "half an"):
            share = 0.5
        s.use(index)
        if lead:
            s.use(index - 1)
        if unit != "hour":
            found.put("hours", share * language().seconds[unit] / 3600)
    for index, span in s.all("nonstop"):
        s.use(index)
        if "hours" not in found.arguments:
            found.put("hours", _DAY_HOURS)
            found.notices.append(f"“{span.text}” was read as one day: name a longer time for its cost.")
