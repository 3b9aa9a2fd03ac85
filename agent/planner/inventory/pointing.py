"""What points at what was found before: `who owns them`, `its ip`; or at nothing."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.evidence import Evidence
from agent.planner.inventory.facts import is_plural
from agent.planner.query import Query
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool


def dangling(s: Sentence, seen: Evidence) -> bool:
    """`where is it running`, `are they healthy`, with nothing named that could be meant."""
    pointed = any(span.text in _POINTING for span in s.spans)
    others = ("everything", "anything", "services", "place", "label", "env", "spot", "kind")
    if _that_one(s) and not seen.has(*_CALLED, *others, "region"):
        return True
    return (
        pointed and "ones" not in s.words() and not seen.named and not seen.has(*others, "region", "beside")
    )


def _that_one(s: Sentence) -> bool:
    """`tell me about that server`: one thing is pointed at, and that is all that is said of it."""
    return any(
        span.text in ("that", "this") and (noun := s.at(index + 1)) is not None
        and noun.plays("type", "shy_type") and not is_plural(noun.text) and index + 2 == len(s.spans)
        for index, span in enumerate(s.spans)
    )  # fmt: skip


_CALLED = ("name", "named", "word", "id", "state", "metric", "age", "contains")


_POINTING = frozenset(("it", "its", "they", "them", "their"))


def set_beside(a: Asked, previous: Query) -> None:
    """`compare with db-replica`, after another: both are asked about."""
    names = a.found.arguments.get("name") or []
    before = previous.arguments.get("name") or []
    if names and before and a.s.spans and any(span.plays("compare") for span in a.s.spans[:3]):
        a.found.arguments["name"] = [*before, *(one for one in names if one not in before)]


def field_asked(s: Sentence) -> bool:
    """`who owns them`, `how old are they`, `has it got an owner`: what is asked of what was found before."""
    return s.has("field_of", "tag_key", "owned_by")


def its_field(s: Sentence, seen: Evidence, previous: Query) -> bool:
    """`its ip?`, after one resource."""
    one = {"name", "id"} & previous.arguments.keys()
    pointed = bool(s.spans) and any(span.text in ("its", "it") for span in s.spans)
    others = ("metric", "shy_metric", "health", "name", "named", "id")
    fields = any(span.plays("field_of") and span.get("field_of") != "status" for span in s.spans)
    return bool(one) and pointed and fields and not seen.has(*others)


def of_it(a: Asked, previous: Query) -> Query | None:
    """One resource with all about it; a list once more: its rows tell whose they are, where, since when."""
    one = {name: value for name, value in previous.arguments.items() if name in ("name", "id")}
    about = next((tool for tool in a.words.tools.values() if tool.here and of_one(tool)), None)
    a.s.use(*(index for index, _ in a.all("field_of", "tag_key", "owned_by", "details", "who_has")))
    if one and about is not None:
        return Query(about.name, one)
    if not a.words.tools[previous.tool].has("missing_tag") or "group_by" in previous.arguments:
        return None
    where = (previous.then or {}).get("where")
    then = {"op": "filter", "where": where} if where else None
    return Query(previous.tool, previous.arguments, previous.sides, then)


def of_one(tool: Tool) -> bool:
    """A tool that tells all about one resource."""
    return tool.has("id") and not tool.has("resource_type")
