"""Whose things are by a possessive or a verb: `vision's gpus`, `which databases does payments own`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.inventory.labels import key_of, put_tag, raw
from agent.planner.language import language
from agent.planner.sentence import Span

_OWNS = ("own", "have", "run", "use", "keep", "operate", "maintain")


def read_whose(a: Asked) -> None:
    """A word that nothing else is meant by has them: a team, for people are known by their tags."""
    if not a.takes("tag"):
        return
    for index, span in enumerate(a.s.spans[1:-1], 1):
        asks = a.s.spans[index - 1].text in ("does", "do") and a.s.spans[index + 1].text in _OWNS
        typed = any(one.plays("type", "service") and is_plural(one.text) for one in a.s.spans[:index])
        if asks and typed and _strange(span):
            _possessor(a, index)
            a.s.use(index + 1)
    for index, span in enumerate(a.s.spans[:-1]):
        said = a.s.text[a.s.starts(span) : a.s.ends(span)]
        if said.lower().endswith("'s") and _several(a.s.spans[index + 1]) and _strange(span):
            _possessor(a, index)


def _possessor(a: Asked, index: int) -> None:
    key = key_of(a, "team")
    put_tag(a, (key, raw(a, index)), index)
    a.found.notices.append(f"“{raw(a, index)}” was read as the tag {key}.")
    first = a.s.at(index - 2)
    joined = a.s.spans[index - 1].text in ("and", "&")
    if joined and first is not None and _strange(first):
        # `vision and nlp's machines`
        put_tag(a, (key, raw(a, index - 2)), index - 2)


def _strange(span: Span) -> bool:
    plain = not span.used and not span.meanings and span.kind == "word" and span.number is None
    return plain and span.text not in language().stop | set_of("which")


def _several(noun: Span) -> bool:
    plural = noun.plays("type", "service", "shy_type", "anything") and is_plural(noun.text)
    return plural or noun.plays("everything") or noun.text in ("stuff", "gpus")
