"""Times: of a measurement, of creation, of how things were; and ages such as `older than 30 days`."""

from __future__ import annotations

import re

from agent.planner.inventory.amounts import PERIODS, length_at, said
from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import hint, set_of
from agent.planner.language import word_set
from cloudtop.times import interval, spoken

_NOW = frozenset(("now", "right now", "at the moment", "at present", "currently", "tonight"))
_NEXT = {"yesterday": "today", "last_week": "this_week", "last_month": "this_month"}
_NEAR = 5
_JOINED = 5


def read_times(a: Asked) -> None:
    """Every expression of time, then every age."""
    said = [*spoken(a.s.text, a.now, bare=False), *_quarters(a)]
    for start, end, token in said:
        places = [i for i, sp in enumerate(a.s.spans) if a.s.starts(sp) >= start and a.s.ends(sp) <= end]
        if not places or any(
            a.s.spans[i].used or a.s.spans[i].plays("=name", "quoted", "pair") for i in places
        ):
            continue
        if _long_ago(a, places):
            continue
        if len(said) > 1 and _scene(a, places, token):
            continue
        if token == "now" or a.s.text[start:end].lower() in _NOW:
            a.s.use(*places)
        elif not _aged(a, places) and not _second(a, places, token):
            _time(a, places, token)
    _the_one_before(a)
    for index, span in enumerate(a.s.spans):
        if (not span.used and span.number is not None) or span.text in ("a", "an"):
            _year(a, index)
            _age(a, index)


_QUARTER = re.compile(
    r"\b(?:q([1-4])|(first|second|third|fourth) quarter)(?: of)?(?: (20\d\d))?\b", re.IGNORECASE
)
_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4}


def _quarters(a: Asked) -> list[tuple[int, int, str]]:
    """`in the first quarter of 2026`, `q2`: without a year the last one of that name that has begun."""
    found = []
    for match in _QUARTER.finditer(a.s.text):
        quarter = int(match[1]) if match[1] else _NTH[match[2].lower()]
        first = 3 * quarter - 2
        year = int(match[3]) if match[3] else a.now.year - (first > a.now.month)
        found.append((match.start(), match.end(), f"{year}-{first:02}/{year}-{first + 2:02}"))
    return found


def _scene(a: Asked, places: list[int], token: str) -> bool:
    """`3am and the api crawls. p99 past 15 min`: when it is asked, not what is asked about."""
    if any(span.text not in ("its", "it", "is", "at") for span in a.s.spans[: min(places)]) or (
        not interval(token, a.now).point and not _CLOCK.fullmatch(token)
    ):
        return False
    joined = (after := a.s.at(max(places) + 1)) is not None and after.text in (
        "and",
        ",",
        ".",
        "-",
        "here",
        ":",
        ";",
    )
    if joined:
        a.s.use(*places)
    return joined


_CLOCK = re.compile(r"(?:today|yesterday)_\d\d:\d\d")


def _long_ago(a: Asked, places: list[int]) -> bool:
    """`created more than 6 months ago`: an age, and no moment."""
    compared = a.s.plays(min(places) - 1, "older", "op") and not a.s.plays(min(places) - 1, "before", "after")
    return a.takes("older_than") and compared and a.s.spans[max(places)].text == "ago"


def _the_one_before(a: Asked) -> None:
    """`and the day before?`: the time before the one that was asked about."""
    words = a.s.words()
    for index, span in enumerate(a.s.spans):
        known = hint("the_one_before").get(str(span.get("unit")), {})
        before = known.get(str(a.before.get("time")))
        if before is not None and "before" in words and "time" not in a.found.arguments:
            a.put("time", before, *range(index, len(a.s.spans)))
            return


def _second(a: Asked, places: list[int], token: str) -> bool:
    """`today vs yesterday`, `this week, and what was it last week`: each time is a side of its own."""
    first = a.found.arguments.get("time")
    lead = a.skip(min(places) - 1, -1, leads=False)
    if first is None and token in _NEXT and a.tool.has("metric") and a.s.plays(lead, "compare"):
        # `errors of checkout vs last week`: what is set beside it is now.
        first = _NEXT[token]
        a.s.use(lead)
    joined = a.tool.has("metric") and any(
        span.text in word_set("joins") for span in a.s.spans[max(0, places[0] - _JOINED) : places[0]]
    )
    if first is None or first == token or not (joined or a.s.has("compare")):
        return False
    a.found.arguments.pop("time", None)
    a.found.sides = [{"time": first}, {"time": token}]
    a.found.then = {"op": "compare", "by": "time", "values": [first, token]}
    a.s.use(*places)
    return True


def _aged(a: Asked, places: list[int]) -> bool:
    """`created this week`, `older than 2026-01-01`, `launched before march`."""
    if not a.takes("created_since"):
        return False
    first = min(places)
    if (article := a.s.at(first - 1)) is not None and article.text == "the":
        first -= 1
    token = _token(a, places)
    lead = a.s.at(first - 1)
    made = _made(a, first)
    if lead is not None and lead.plays("older_sure") and not lead.used:
        a.put("created_before", token, first - 1, *places)
        return True
    if lead is not None and lead.plays("newer_sure") and lead.text != "within" and not lead.used:
        a.put("created_since", token, first - 1, *places)
        return True
    if made is None and lead is not None and lead.plays("before") and not lead.used:
        # `snapshots before June`: what there was before it has been created before it.
        a.put("created_before", token, first - 1, *places)
        return True
    if made is None:
        return False
    if any(sp.plays("before") for sp in a.s.spans[made + 1 : first]):
        a.put("created_before", token, made, *range(made + 1, first), *places)
        return True
    begin = token.partition("/")[0]
    begin = begin.removeprefix("since_") if begin.startswith("since_20") else begin
    a.put("created_since", begin, made, *places)
    if not any(sp.plays("after") for sp in a.s.spans[made + 1 : first]):
        _until(a, token)
    a.s.use(*(at for at in range(made + 1, first) if a.s.plays(at, "after")))
    return True


def _made(a: Asked, first: int) -> int | None:
    """The word of creation that a time belongs to."""
    for at in range(first - 1, max(-1, first - 1 - _NEAR), -1):
        span = a.s.spans[at]
        if span.plays("made") and not span.used:
            return at
        passed = span.text in set_of("articles") | set_of("place_leads") or span.plays(
            "before", "after", "type", "shy_type", "everything"
        )
        if not passed:
            break
    # `did anyone launch something big yesterday`: the one word of creation, wherever it stands before.
    made = [at for at in range(first) if a.s.plays(at, "made") and not a.s.spans[at].used]
    asked = any(span.text in ("did", "have", "has") for span in a.s.spans[: made[0] + 1]) if made else False
    return made[0] if len(made) == 1 and asked else None


def _until(a: Asked, token: str) -> None:
    """A time that is over has an end as well."""
    span = interval(token, a.now)
    if span.end >= a.now or (token.startswith(("last_", "since_")) and token not in _NEXT):
        return
    after = _NEXT.get(token) or f"{span.end:%Y-%m-%d}"
    a.put("created_before", after)


def _token(a: Asked, places: list[int]) -> str:
    start, end = a.s.starts(a.s.spans[min(places)]), a.s.ends(a.s.spans[max(places)])
    said = [*spoken(a.s.text, a.now, bare=False), *_quarters(a)]
    return next(token for first, last, token in said if first <= start and end <= last)


def _time(a: Asked, places: list[int], token: str) -> None:
    first = min(places)
    span = interval(token, a.now)
    if span.start > a.now and not a.takes("forecast"):
        a.s.use(*places)
        a.found.refused.append(f"{token.replace('_', ' ')}: what is to come is not known")
        return
    as_of = next((at for at in (first - 1, first - 2) if a.s.plays(at, "as_of")), None)
    moment = as_of is not None or span.point or a.s.has("then_running")
    if a.takes("as_of") and moment and not a.tool.has("metric") and "status" not in a.found.arguments:
        a.put("as_of", token, *places, *([as_of] if as_of is not None else []))
        a.s.use(*(i for i, _ in a.all("then_running")))
    elif not a.put("time", token, *places):
        a.s.use(*places)
        a.found.refused.append(f"{token.replace('_', ' ')}: this is only known as it is now")


def _year(a: Asked, index: int) -> None:
    """`snapshots from 2024`, `before 2025`, `since 2023`: of what is listed, when it was created."""
    span, lead = a.s.spans[index], a.s.at(index - 1)
    year = int(span.number or 0)
    if not (a.takes("created_since") and _FIRST_YEAR <= year <= a.now.year and span.text == str(year)):
        return
    ordered = lead is not None and lead.plays("older_sure", "newer_sure") and " " in lead.text
    if lead is None or a.s.plays(index + 1, "unit") or span.used or not (ordered or lead.text in _OF_YEAR):
        return
    made = _made(a, index)
    places = (index - 1, index, *((made,) if made is not None else ()))
    if lead.plays("before") or (ordered and lead.plays("older_sure")):
        a.put("created_before", str(year), *places)
        return
    a.put("created_since", str(year), *places)
    if not ordered and lead.text not in ("since", "after") and year < a.now.year:
        a.put("created_before", str(year + 1))


_FIRST_YEAR = 2006
_OF_YEAR = frozenset(("from", "in", "since", "after", "before", "until", "during", "back in"))


def _age(a: Asked, index: int) -> None:
    """`older than 30 days`, `over a year old`, `younger than 2 weeks`, `running for more than 3 months`."""
    if not a.takes("older_than") or any(span.get("figure_of") == "timeout_s" for span in a.s.spans):
        return
    made = length_at(a.s, index)
    if made is None or made.unit not in PERIODS:
        return
    places = range(made.first, made.last + 1)
    behind = a.s.at(made.last + 1)
    old = behind is not None and behind.plays("old")
    lead = a.s.at(made.first - 1)
    running = lead is not None and lead.plays("running_for")
    sure = made.op_at is not None and a.s.spans[made.op_at].plays("older_sure", "newer_sure")
    # `stopped > 30d`: of resources a length of time can only be how long they have been there.
    runs = lead is not None and lead.text in _RUNS and made.op_at is not None
    runs = runs and made.first - 1 not in a.denied
    beside = lead is not None and not runs and (lead.text == "for" or lead.plays("state", "figure_of"))
    bare = made.op in ("gt", "ge") and not a.tool.has("metric") and made.last > made.at and not beside
    sure = sure or (bare and made.op_at is not None)
    again = "older_than" in a.before and made.op is None
    if again and len([one for one in a.s.spans if one.text[0].isalnum()]) <= _NEAR:
        # `make that a year`, after an age.
        a.put("older_than", said(made), *places)
        return
    if not (old or sure or running or runs):
        return
    if old and a.s.plays(made.first - 1, "made"):
        a.s.use(made.first - 1)
    if running or old:
        a.s.use(made.first - 1 if running else made.last + 1)
    a.s.use(*places)
    younger = made.op in ("lt", "le")
    if made.op_at is not None and a.s.spans[made.op_at].plays("older_sure", "newer_sure"):
        younger = a.s.spans[made.op_at].plays("newer_sure") != (made.op_at in a.s.turned)
    text = said(made)
    if younger:
        a.put("created_since", f"last_{text}")
    else:
        a.put("older_than", text)


_RUNS = frozenset(("running", "up", "alive"))
"""`running more than 30 days`: how long they have been there, and how they are."""
