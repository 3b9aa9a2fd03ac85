"""Short words that are places or sellers only in company: `in`, `us`, `no`, `do`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.planner.language import Meaning, language, word_set
from agent.planner.tokens import Token
from cloudtop.regions import AMBIGUOUS_WORDS


def sensible(
    meanings: tuple[Meaning, ...], tokens: Sequence[Token], at: int, last: int, before: Sequence[Before]
) -> tuple[Meaning, ...]:
    """Leave out what a short word means only in company: `in`, `us`, `no`, `do` as places or sellers."""
    text = tokens[at].text
    if at != last:
        kept = text == "hold" and last + 1 < len(tokens) and tokens[last + 1].text in _KEPT
        return tuple(m for m in meanings if m.role != "neg") if kept else meanings
    if (
        any(m.role == "region" for m in meanings)
        and text in AMBIGUOUS_WORDS
        and not _place_here(tokens, at, before)
    ):
        meanings = tuple(m for m in meanings if m.role != "region")
        if _stands_alone(tokens, at):
            meanings = (*meanings, Meaning("maybe_place", text))
    if any(m.role == "unit" for m in meanings) and _measured(tokens, at):
        meanings = tuple(m for m in meanings if m.role != "region")
    if any(m.role == "provider" for m in meanings) and text in language().hints["shy_providers"]:
        last_of_all = _lead(tokens, at) in ("on", "from", "via", "with", "at") and _at_the_end(tokens, at)
        shown = _upper(tokens, at) or last_of_all
        meanings = tuple(m for m in meanings if shown or m.role != "provider")
    if text in language().hints["adverb_providers"] and not _named(tokens, at):
        meanings = tuple(m for m in meanings if m.role != "provider")
    return meanings


_KEPT = frozenset(("key", "keys", "credentials", "credential", "token", "tokens", "data"))
"""Behind `hold the` these are what is held; anything else is left out."""


def _measured(tokens: Sequence[Token], at: int) -> bool:
    """`24 gb`, `gb of vram`, `$/gb`, `price/gb`: what is counted, or what money is paid for."""
    if at + 1 < len(tokens) and tokens[at + 1].text == "of":
        return True
    if not at:
        return False
    before = tokens[at - 1]
    paid = tokens[at - 2] if at > 1 and before.text in ("/", "per") else None
    return before.kind == "number" or (paid is not None and (paid.kind == "number" or paid.text in _PAID))


_PAID = frozenset(("$", "usd", "dollar", "dollars", "bucks", "price", "cost", "money"))


def _named(tokens: Sequence[Token], at: int) -> bool:
    """`h100 on together`, `Together vs Lambda`; not `both together`, `all cards together`."""
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    capital = tokens[at].raw.istitle() or _upper(tokens, at)
    titled = capital and (at > 0 or after in word_set("place_joins"))
    return titled or _lead(tokens, at) in ("on", "from", "via", "at", "by", "not", "vs", "versus", "without")


def _owns(tokens: Sequence[Token], at: int) -> bool:
    """`in my grant`, `in no hurry`: a word for whose it is, before what it is."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    said = tokens[at].text in ("my", "no") and not _upper(tokens, at)
    return said and after is not None and after.kind == "word" and after.text not in language().stop


def _tells_which(tokens: Sequence[Token], at: int) -> bool:
    """`cpu of the ml machines`: behind `the`, before a noun, and not in capitals."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    led = at > 0 and tokens[at - 1].text == "the" and not _upper(tokens, at)
    return led and after is not None and after.kind == "word" and after.text not in word_set("areas")


_PRONOUNS = frozenset(("it", "me", "my", "so"))
"""Country codes that are a country in capitals alone: `how many objects are in it`."""


def _place_here(tokens: Sequence[Token], at: int, before: Sequence[Before]) -> bool:
    """Whether an ambiguous short word is a place here: after `in`, beside another place, or in capitals."""
    lead = _lead(tokens, at)
    if tokens[at].text == "us":
        said_the = at > 0 and tokens[at - 1].text == "the"
        return (
            said_the
            or _upper(tokens, at)
            or lead not in word_set("giving") | word_set("us_leads")
            or (lead in ("on", "for", "by", "against", "than") and _after_place(before))
        )
    if _set_off(tokens, at) and tokens[at].text not in language().stop:
        return True
    if (
        _owns(tokens, at)
        or _tells_which(tokens, at)
        or (tokens[at].text in _PRONOUNS and not _upper(tokens, at))
    ):
        return False
    if lead in (word_set("sure_leads") if tokens[at].text in language().stop else word_set("place_leads")):
        return True
    if _after_place(before) and (tokens[at].text not in language().stop or _listed(tokens, at)):
        return True
    if (
        at
        and _at_the_end(tokens, at)
        and tokens[at].text not in language().stop
        and tokens[at - 1].kind != "sign"
    ):
        return any(c.isdigit() for c in tokens[at - 1].text)
    return _upper(tokens, at) and len(tokens[at].text) == 2


def _set_off(tokens: Sequence[Token], at: int) -> bool:
    """`on-demand, de, not aws`, `v100, de only`, `v100 de only`: an item of a list, or all that is wanted."""
    after = tokens[at + 1].text if at + 1 < len(tokens) else ","
    ends = after in (",", "only", ";") or _at_the_end(tokens, at)
    return at > 0 and (after == "only" or (tokens[at - 1].text in (",", ";") and ends))


def _listed(tokens: Sequence[Token], at: int) -> bool:
    """`poland or no`, `de, in and fr`: an item; in `asia than in europe` it leads to the next."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    return after is None or after.kind == "sign" or after.text in word_set("place_joins") | {"only", "please"}


def _stands_alone(tokens: Sequence[Token], at: int) -> bool:
    """`h100, it`, `h100 no`: perhaps a place; what nothing makes use of must be shown."""
    if not at:
        return False
    behind_name = _at_the_end(tokens, at) and any(c.isdigit() for c in tokens[at - 1].text)
    return behind_name or (tokens[at - 1].text in (",", ";") and _set_off(tokens, at))


def _at_the_end(tokens: Sequence[Token], at: int) -> bool:
    """The last word, whatever signs follow."""
    return all(token.kind == "sign" for token in tokens[at + 1 :])


def _after_place(before: Sequence[Before]) -> bool:
    """`in poland or se`: a place, then a joining word."""
    return len(before) > 1 and before[-1].text in word_set("place_joins") and before[-2].plays("region")


def _lead(tokens: Sequence[Token], at: int) -> str:
    """The word before, `the` left out."""
    before = [t.text for t in tokens[max(0, at - 2) : at]]
    if before and before[-1] == "the":
        before.pop()
    return before[-1] if before else ""


def _upper(tokens: Sequence[Token], at: int) -> bool:
    """Typed in capitals in a question that is not all capitals."""
    return tokens[at].raw.isupper() and not all(
        t.raw.isupper() for t in tokens if any(c.isalpha() for c in t.raw) and len(t.raw) > 1
    )


def fillers(spans: Sequence[Before]) -> set[int]:
    """Places of `ok`, `fine`, `then` … at either end that say nothing of the subject."""
    words = word_set("fillers")
    telling = [i for i, sp in enumerate(spans) if sp.text not in words and sp.text[0].isalnum()]
    if not telling:
        return {i for i, sp in enumerate(spans) if sp.text in words}
    lead = {i for i in range(telling[0]) if spans[i].text in words}
    tail = {i for i in range(telling[-1] + 1, len(spans)) if spans[i].text in words}
    aside = spans[telling[-1] + 1].text == "," if telling[-1] + 1 < len(spans) else False
    if not aside and any(spans[i].text in word_set("copulas") for i in telling):
        tail = {i for i in tail if not spans[i].plays("=status")}
    return lead | tail


class Before(Protocol):
    """What must be known of the spans in front."""

    text: str

    def plays(self, *roles: str) -> bool:
        """Whether the phrase can play one of the roles."""
        ...
