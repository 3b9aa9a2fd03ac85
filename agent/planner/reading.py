"""One question read for one tool: every rule in turn, then the conventions of how a plan is written."""

from __future__ import annotations

from datetime import datetime

from agent.planner.age import read_age
from agent.planner.amount import TIMES
from agent.planner.amounts import read_amounts
from agent.planner.clearing import read_clearings
from agent.planner.found import Found
from agent.planner.groups import read_groups
from agent.planner.language import language, word_set
from agent.planner.listing import read_listing
from agent.planner.negation import read_negations, unheard
from agent.planner.past import keeps_history, read_worth, untaken
from agent.planner.relation import like_it, read_elsewhere, read_relation
from agent.planner.sentence import Sentence
from agent.planner.shape import compared, read_best, read_sorting, two_times
from agent.planner.things import read_things
from agent.planner.tool import Tool
from agent.planner.worth import read_doubt, read_value, read_whole
from cloudtop.regions import place
from cloudtop.times import interval, spoken

_LOWEST_HOURLY = 0.05
_HIGHEST_HOURLY = 20


def read(s: Sentence, tool: Tool, now: datetime) -> Found:
    """What the question says in the tool's terms."""
    found = Found()
    found.how_long = "money" in tool.kinds() and (s.has("how_long") or _gpu_hours(s))
    if tool.has("max_price"):
        found.cleared |= read_clearings(s)
    read_negations(s, tool, found)
    _times(s, tool, now, found)
    if found.how_long:
        s.use(*(i for i, span in s.all("how_long")))
    read_relation(s, tool, found)
    read_elsewhere(s, tool, found)
    read_value(s, tool, found)
    read_doubt(s, tool, found)
    read_sorting(s, tool, found)
    read_worth(s, tool, found)
    read_age(s, tool, found)
    if tool.kinds() & {"money", "count", "memory"}:
        read_amounts(s, tool, found)
    read_whole(s, tool, found)
    read_groups(s, tool, found)
    read_things(s, tool, found)
    _nested_places(s, found)
    read_best(s, tool, found)
    read_listing(s, tool, found)
    like_it(found)
    compared(found, tool)
    _to_come(s, found)
    _currency(s, found)
    _stock(found)
    _purposes(s, found)
    _written(tool, found)
    _conditions(found)
    _since_then(tool, found)
    untaken(tool, found)
    unheard(s, tool, found)
    return found


def _times(s: Sentence, tool: Tool, now: datetime, found: Found) -> None:
    """Expressions of time; `now` and `today` say nothing about prices, which are of now anyway."""
    said: list[tuple[int, int, str | None]] = []
    for start, end, token in spoken(s.text, now, bare=False):
        end += 2 * s.text[end:].lower().startswith("'s")
        places = [i for i, sp in enumerate(s.spans) if s.starts(sp) >= start and s.ends(sp) <= end]
        current = token in ("now", "today") or s.text[start:end].lower() in ("tonight", "right now")
        if not places or (not current and not tool.has("time")):
            continue
        if token.startswith("since_") and s.text[start:end].lower().split()[0] in _BEGINS and _is_to_rent(s):
            s.use(*places)
            found.notices.append("Prices are those of now, whenever it is to begin.")
            continue
        if any(s.spans[i].plays("=available") for i in places) or s.text[start:end].lower() == "weekend":
            continue
        s.use(*places)
        span = interval(token, now)
        if not current and span.start > now:
            found.refused.append(f"{token.replace('_', ' ')}: what is to come is not known")
            continue
        said.append((min(places), max(places), None if current else token))
    if len(said) > 1 and _set_against(s, said[0], said[1]):
        _both_times(tool, said[0][2], said[1][2], now, found)
        said = said[2:]
    for first, _, time in said:
        if time is not None:
            found.put("time", time)
            before = s.at(first - 1)
            if before is not None and (before.plays("compare", "op") or _asks_cheaper(s)):
                found.against = time if interval(time, now).end < now else None


def _gpu_hours(s: Sentence) -> bool:
    """`how many H100 hours is that`: as `how many hours`."""
    for index, span in s.all("stat"):
        unit = s.at(index + 2)
        if (
            span.get("stat") == "count"
            and s.plays(index + 1, "gpu")
            and unit is not None
            and unit.get("unit") in TIMES
        ):
            s.use(index, index + 2)
            return True
    return False


_BEGINS = frozenset(("starting", "beginning", "from"))


def _is_to_rent(s: Sentence) -> bool:
    """`rent 8 H100 for a week starting monday`: what is to come, not what was."""
    said = set(s.words())
    return bool(said & {"rent", "renting", "need", "want", "book", "hire", "lease", "for"}) and not (
        said & {"history", "trend", "change", "changed", "was", "did", "recorded"}
    )


def _since_then(tool: Tool, found: Found) -> None:
    """`cheaper compared to last month`: moved since then, not within it."""
    moved = found.then is not None and found.then["op"] == "diff"
    if moved and keeps_history(tool) and found.against and found.arguments.get("time") == found.against:
        found.arguments["time"] = f"since_{found.against}"


def _asks_cheaper(s: Sentence) -> bool:
    return s.has("cheaper", "dearer")


def _set_against(s: Sentence, one: tuple[int, int, str | None], other: tuple[int, int, str | None]) -> bool:
    """`yesterday vs now`, `now than last week`, `compare … yesterday … today`: both times are asked about."""
    between = s.spans[one[1] + 1 : other[0]]
    joined = bool(between) and all(span.text in _TWO for span in between)
    return one[2] != other[2] and (joined or s.has("compare"))


_TWO = frozenset(("and", "or", "than", "to", "/", "-", "&", "in", "on", "the", "it", "was", "is"))


def _both_times(tool: Tool, one: str | None, other: str | None, now: datetime, found: Found) -> None:
    """Two calls; of the history all that was since the earlier one."""
    if not keeps_history(tool):
        two_times(found, one, other)
        return
    past = [time for time in (one, other) if time is not None]
    first = min(past, key=lambda time: interval(time, now).start)
    found.put("time", first if interval(first, now).end >= now else f"since_{first}")


def _to_come(s: Sentence, found: Found) -> None:
    """`what will the price be`, `will it get cheaper`: only what is and was is known, and that is said."""
    words = s.words()
    moves = found.then is not None and found.then["op"] == "diff"
    if "hours" not in found.arguments and (
        {"will", "be"} <= set(words)
        or ("will" in words and moves)
        or ("going", "to", "be") in _triples(words)
    ):
        found.notices.append("Only today's and past prices are known: what is to come is not.")


def _triples(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return set(zip(words, words[1:], words[2:], strict=False))


def _stock(found: Found) -> None:
    """`in stock`: sellers who do not say what they have left are left out, and that is said."""
    if found.arguments.get("available") is True:
        found.notices.append("Only what its seller says is free now; sellers that do not tell are left out.")
    elif found.arguments.get("available") is False:
        found.notices.append("Only what its seller says is sold out; sellers that do not tell are left out.")


def _nested_places(s: Sentence, found: Found) -> None:
    """`in Ohio in the US`, `the east coast of the US`: the place within the other; `Ohio or the US`: both."""
    places = found.arguments.get("region", [])
    if len(places) < 2:
        return
    said = [index for index, span in enumerate(s.spans) if span.plays("region")]
    between = {span.text for span in s.spans[min(said, default=0) : max(said, default=0)]}
    if between & (word_set("place_joins") - {","}):
        return
    around = {token for name in places for token in place("", name).tokens if token != name}
    found.arguments["region"] = [name for name in places if name not in around] or places


def _currency(s: Sentence, found: Found) -> None:
    """Another currency without a figure: prices stay in dollars, and that is said."""
    for index, _ in [(i, sp) for i, sp in s.all("unit") if sp.get("unit") == "foreign"]:
        s.use(index)
        found.notices.append("Prices are in US dollars; there is no exchange rate here.")


def _purposes(s: Sentence, found: Found) -> None:
    """What the GPU is for: no argument takes it; it is shown as not used, and no reason for doubt."""
    for index, span in list(s.all("purpose")):
        if span.text not in language().stop:
            found.purposes.append(span.text)
        s.use(index)
    for index, span in enumerate(s.spans):
        if span.kind == "size" and not span.used:
            found.purposes.append(span.text)
            s.use(index)


def _written(tool: Tool, found: Found) -> None:
    """The conventions of a plan: superlatives as sort and limit, budgets as a division, caps per instance."""
    arguments = found.arguments
    if found.best == "desc" and tool.has("sort"):
        found.arguments.setdefault("sort", "price_desc")
    if found.best == "asc" and "sort" not in arguments:
        found.cleared.add("sort")
    plain = found.then is None or found.then["op"] in ("divide", "within")
    if (
        found.one
        and found.best in ("asc", "desc", None)
        and "group_by" not in arguments
        and plain
        and not found.compare
    ):
        found.arguments.setdefault("limit", 1)
    if found.one and found.compare and found.then is None and "group_by" not in arguments:
        found.arguments.setdefault("limit", 1)
    if found.budget is not None:
        _budget(found)
    if found.loose_cap is not None and "hours" in arguments and arguments.get("max_price") == found.loose_cap:
        _hourly_or_total(found, found.loose_cap, arguments["hours"])
    if found.money_cap is not None:
        _cap_scope(found)
    grouped = "group_by" in arguments and not found.one and not found.group_best
    if grouped and found.best != "none" and (of_each := arguments.pop("limit", 1)) > 1:
        arguments["limit_per_group"] = of_each
    if "hours" in arguments and ("disk_gb" in arguments or "egress_gb" in arguments):
        found.arguments.setdefault("rank_by", "total")
    past = "time" in arguments and "money" in tool.kinds()
    figure = found.then is not None and found.then["op"] in ("median", "min", "range", "average")
    if "group_by" in arguments and figure and not past:
        assert found.then is not None
        if found.then["op"] == "average":
            found.refused.append("average: a group shows its lowest and its median price")
        found.then = None
    if found.then and found.then["op"] == "divide" and "nodes" in arguments:
        found.then["nodes"] = arguments["nodes"]


def _conditions(found: Found) -> None:
    """What code keeps of the rows; groups are made before it could."""
    if not found.where:
        return
    if "group_by" in found.arguments:
        found.refused += [
            f"{one[0].replace('_', ' ')} {one[2]}: groups are not filtered by it" for one in found.where
        ]
        found.where.clear()
        return
    found.then = {**(found.then or {"op": "filter"}), "where": [list(one) for one in found.where]}


def _budget(found: Found) -> None:
    """Dollars with a time to be found, with a time that is given, or neither."""
    arguments = found.arguments
    if "hours" in arguments and not found.how_long:
        found.then = {"op": "within", "usd_total": found.budget}
    elif found.how_long or (found.budget or 0) >= 20:
        found.then = {"op": "divide", "budget": found.budget}
        found.arguments.setdefault("limit", 1)
    else:
        found.arguments.setdefault("max_price", found.budget)
        found.notices.append(f"The budget of ${found.budget:g} was read as the price of an hour.")


def _hourly_or_total(found: Found, cap: float, hours: float) -> None:
    """`for 200 hours under $300` is a total, `for 100 hours under $2` an hourly cap; else it is asked."""
    if cap / hours < _LOWEST_HOURLY:
        return
    if cap <= _HIGHEST_HOURLY:
        found.ask(
            f"${cap:g} for all {hours:g} hours, or ${cap:g} an hour?",
            f"for {hours:g} hours under ${cap:g} in total",
            f"for {hours:g} hours under ${cap:g} per hour",
        )
        return
    del found.arguments["max_price"]
    found.then = {"op": "within", "usd_total": cap}


def _cap_scope(found: Found) -> None:
    """A cap is per hour of the instance where a count of two or more is asked, else per GPU-hour."""
    assert found.money_cap is not None
    argument, value, per_gpu = found.money_cap
    count = found.arguments.get("count") or 1
    several = count > 1 or found.arguments.get("min_count", 1) > 1
    if per_gpu and count > 1:
        found.arguments[argument] = round(value * count, 6)
        found.notices.append(f"${value:g} per GPU is ${value * count:g} for {count} of them.")
    elif per_gpu and several:
        del found.arguments[argument]
        found.where.append(["usd_per_gpu_hour", "le" if argument == "max_price" else "ge", value])
    elif per_gpu is False and not several:
        if count == 1 and "count" in found.arguments:
            return
        del found.arguments[argument]
        found.where.append(["usd_per_hour", "le" if argument == "max_price" else "ge", value])
