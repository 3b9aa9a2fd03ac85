"""Tags: `tagged team=ml`, `labelled cost-center 4711`, `in prod`, `owned by data`, `untagged`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import hint, is_plural, set_of
from agent.planner.language import language, word_set
from agent.planner.sentence import Span
from agent.planner.tokens import words_of
from cloudtop.regions import AMBIGUOUS_WORDS

_SIGNS = frozenset(("=", ":", "is", "of", "equals", "==", "set", "to", "with"))
_ANYBODY = frozenset(("anyone", "anybody", "someone", "somebody"))
NAME = "Name"
NO_TAG = "*"


def read_labels(a: Asked) -> None:
    """Everything about tags, the surest forms first."""
    if not a.takes("tag"):
        return
    _pairs(a)
    for index, _ in a.all("tagged"):
        _tagged(a, index)
    for index, span in a.all("owned_by"):
        _owned(a, index, str(span.get("owned_by")))
    for index, span in enumerate(a.s.spans):
        said, _, noun = span.text.rpartition("-")
        if noun == "team" and said and not span.used and span.text not in a.s.known_names:
            # `payments-team instances`
            put_tag(a, (key_of(a, "team"), said), index)
    for index, _ in a.all("team_behind"):
        _team_behind(a, index)
    for index, _ in a.all("tag_key"):
        _key_and_value(a, index)
    for index, span in a.all("env"):
        _environment(a, index, str(span.get("env")))
    for index, span in a.all("tag_value"):
        if _labelling(a, index):
            put_tag(a, _of_live(a, span), index)


def raw(a: Asked, index: int) -> str:
    """A span as it was typed."""
    span = a.s.spans[index]
    return a.s.text[a.s.starts(span) : a.s.ends(span)].strip("\"'`").removesuffix("'s").removesuffix("'S")


def key_of(a: Asked, said: str) -> str:
    """The tag key that is in use for what was said, else the usual one."""
    live = a.words.live.keys
    if said.lower() in live:
        return live[said.lower()]
    for key, words in hint("tag_keys").items():
        if said == key or words_of(said) in [words_of(word) for word in words]:
            known = [
                live[one]
                for one in (key.lower(), *(word.replace(" ", "-").lower() for word in words))
                if one in live
            ]
            return known[0] if known else str(key)
    return said


def put_tag(a: Asked, pair: tuple[str, str], *places: int) -> None:
    """A tag that is wished for, or one that is ruled out."""
    denied = any(place in a.denied for place in places) or _ruled_out(a, min(places, default=0))
    a.put("tag_not" if denied else "tag", f"{pair[0]}={pair[1]}", *places)


def _ruled_out(a: Asked, first: int) -> bool:
    """`except those of team ml and team web`, `that don't belong to team core`."""
    at = first - 1
    while (span := a.s.at(at)) is not None and set(span.text.split()) <= set_of("ruling_fill"):
        at -= 1
    if span is None:
        return False
    if not span.used and span.plays("neg", "negates") and not span.plays("=name"):
        a.s.use(*range(at, first))
        a.ruled.append(first)
        return True
    joined = at >= 0 and span.text in word_set("joins") and at == first - 1
    behind = joined and any(one in a.ruled for one in range(first - 5, first))
    if behind:
        a.ruled.append(first)
    return behind


def _pairs(a: Asked) -> None:
    """`team=ml`; a key that is an argument's name gives that argument its value."""
    for index, span in a.all("pair"):
        key, value = span.get("pair")
        argument = _argument(a, key)
        labelled = a.s.has("tagged", "untagged", "tag_word")
        if argument is not None and not labelled and key.lower() not in a.words.live.keys:
            a.put(argument, value, index)
        elif key.lower() == "name" and a.takes("name"):
            a.put("name", value, index)
        else:
            tagged = a.s.plays(index - 1, "tagged", "tag_word")
            places = (index - 1, index) if tagged else (index,)
            put_tag(a, (a.words.live.keys.get(key.lower(), key), value), *places)
        if a.s.plays(index - 1, "named"):
            a.s.use(index - 1)


def _argument(a: Asked, key: str) -> str | None:
    folded = key.lower().replace("-", "_")
    for tool in (a.tool, a.feeder):
        for name, body in tool.parameters.items() if tool is not None else ():
            if folded == name or folded in (body.get("aliases") or ()):
                return name
    return None


def _tagged(a: Asked, index: int) -> None:
    """What stands behind `tagged`: key and value, a value alone, or a key alone."""
    at = a.skip(index + 1)
    span = a.s.at(at)
    if span is None or span.used or not span.text[0].isalnum():
        _has_key(a, index)
        return
    sign = a.s.at(at + 1)
    value_at = a.skip(at + 2) if sign is not None and sign.text in _SIGNS else at + 1
    value = a.s.at(value_at)
    alone = span.plays("env", "tag_value") and not span.plays("tag_key")
    if not alone and value is not None and _is_value(value, sure=sign is not None and sign.text in _SIGNS):
        key = str(span.get("tag_key") or raw(a, at))
        places = range(index, value_at + 1)
        denied = bool(a.denied & set(places))
        a.put("tag_not" if denied else "tag", f"{key_of(a, key)}={raw(a, value_at)}", *places)
    elif span.plays("tag_value"):
        put_tag(a, _of_live(a, span), at, index)
    elif span.plays("env"):
        a.s.use(index)
        _environment(a, at, str(span.get("env")), sure=True)
    elif span.plays("tag_key"):
        known = index not in a.denied
        a.where(f"tags.{key_of(a, str(span.get('tag_key')))}", "known", known, index, at)
    elif index in a.denied and not span.meanings and span.text not in language().stop:
        # Of whatever key: it is none of the tags.
        a.where("tags", "has_not", raw(a, at), index, at)
    elif not span.meanings and span.text not in language().stop and a.takes("search"):
        a.put("search", raw(a, at), index, at)
        a.found.notices.append(f"No tag of this value is known: “{raw(a, at)}” was searched for.")
    else:
        _has_key(a, index)


def _has_key(a: Asked, index: int) -> None:
    """`with an owner tag`: the key is there, whatever its value."""
    before = a.s.at(index - 1)
    if index in a.denied and index + 1 == len(a.s.spans):
        a.put("missing_tag", NO_TAG, index)
        return
    if before is not None and before.plays("tag_key") and a.s.plays(index + 1, "lacks") and not before.used:
        # `owner tag missing`
        a.put("missing_tag", key_of(a, str(before.get("tag_key"))), index - 1, index, index + 1)
        return
    if before is not None and before.plays("tag_key") and not before.used and not a.s.plays(index - 2, "per"):
        a.where(f"tags.{key_of(a, str(before.get('tag_key')))}", "known", True, index - 1, index)


def _is_value(span: Span, sure: bool) -> bool:
    """Whether a phrase can be a tag's value: nothing that means something else, unless a sign says so."""
    if span.used or not span.text[0].isalnum():
        return False
    if span.text in set_of("has_it"):
        return False
    if sure:
        return True
    if span.meanings and all(one.role in _FAINT for one in span.meanings):
        return span.text not in language().stop
    if span.plays("env", "tag_value", "=name", "quoted"):
        return True
    if span.text in AMBIGUOUS_WORDS and all(one.role in ("region", "maybe_place") for one in span.meanings):
        return True
    return not span.meanings and (span.number is not None or span.text not in language().stop)


_FAINT = ("unit", "dim", "size_of", "order_by", "measured", "aside")
"""Roles of words that may be the value of a tag all the same: `team core`."""


def _owned(a: Asked, index: int, key: str) -> None:
    """`owned by alice`, `team ml`, `cost center 4711`."""
    if a.s.plays(index - 1, "per", "sort_by") or key == "project":
        return
    at = a.skip(index + 1)
    if (sign := a.s.at(at)) is not None and sign.text in ("=", ":"):
        at += 1
    elif _asked_for(a, index):
        return
    if a.s.plays(at, "neg") and (denied := a.s.at(at + 1)) is not None and _is_value(denied, sure=False):
        # `whose owner is not alice`
        a.put("tag_not", f"{key_of(a, key)}={raw(a, at + 1)}", index, at, at + 1)
        return
    span = a.s.at(at)
    belongs = "belong" in a.s.spans[index].text
    if span is not None and belongs and span.plays("=name") and not span.plays("tag_value"):
        # `snapshots that belong to db-main`: of a thing, and nobody's.
        said = f"{a.s.spans[index].text} {raw(a, at)}"
        a.found.refused.append(f"{said}: nothing is filtered by what it is a part of")
        a.s.use(index, at)
        return
    if span is not None and span.text in _ANYBODY:
        a.where(f"tags.{key_of(a, key)}", "known", True, index, at)
        return
    if span is not None and span.plays("owned_by") and not span.used:
        a.s.use(index)
        return
    following = a.s.at(at + 1)
    if (
        span is not None
        and following is not None
        and (following.plays("team_behind") or _two_words(a, at))
        and _is_value(span, sure=_in_use(a, "team", span))
    ):
        if _two_words(a, at):
            # Read again behind the second of its words.
            a.s.use(index)
            _team_behind(a, at + 2)
            return
        put_tag(a, (key_of(a, "team"), raw(a, at)), index, at, at + 1)
    elif span is not None and _is_value(span, sure=_sure_owner(a, index, at) or _in_use(a, key, span)):
        put_tag(a, (key_of(a, key), raw(a, at)), index, at)


def _two_words(a: Asked, at: int) -> bool:
    """`data science team`: the first of two words that name a team."""
    said, behind = a.s.at(at), a.s.at(at + 1)
    named = said is not None and said.text in set_of("team_firsts")
    if not named or behind is None or not a.s.plays(at + 2, "team_behind"):
        return False
    return behind.text[0].isalpha() and behind.text not in word_set("joins") and not behind.plays("type")


def _in_use(a: Asked, key: str, span: Span) -> bool:
    """Whether a word is a value of the tag, however common a word it is: `team data`, `team platform`."""
    pairs = a.words.live.values.get(span.text, ())
    return any(one == key_of(a, key) for one, _ in pairs) or span.text in set_of("team_names")


def _sure_owner(a: Asked, index: int, at: int) -> bool:
    """Behind `owned by team` any word is a name."""
    said = a.s.spans[index].text.startswith(("owned", "belong"))
    return said and not a.s.plays(at, "type", "service", "provider", "region", "per", "op")


def _team_behind(a: Asked, index: int) -> None:
    """`the ml team's buckets`, `payments team instances`."""
    span = a.s.at(index - 1)
    if span is None or span.used or a.s.plays(index - 1, "per", "sort_by", "lacks"):
        return
    if span.number is not None and is_plural(a.s.spans[index].text):
        # `top 3 teams by number of instances`
        return
    said = a.s.at(index - 2)
    owned = said is not None and said.text in ("the", "our") and not span.meanings
    if span.text in set_of("articles") | set_of("place_leads") or not (
        owned or _is_value(span, sure=_in_use(a, "team", span))
    ):
        return
    first = a.s.at(index - 2)
    value = raw(a, index - 1)
    if first is not None and not first.used and _two_words(a, index - 2):
        # `the data science team`: a name of two words, as it is in use or with a hyphen.
        known = (f"{first.text}{sign}{span.text}" for sign in ("-", "_", " ", ""))
        value = next((one for one in known if one in a.words.live.values), f"{first.text}-{span.text}")
        a.s.use(index - 2)
    put_tag(a, (key_of(a, "team"), value), index - 1, index)


def _key_and_value(a: Asked, index: int) -> None:
    """`cost-center 4711`, `department finance`; behind `by` a key is a grouping."""
    span = a.s.spans[index]
    if span.used or a.s.plays(index - 1, "per", "sort_by"):
        return
    at = index + 1
    while (sign := a.s.at(at)) is not None and (sign.text in ("=", ":", "is") or sign.plays("tag_word")):
        at += 1
    value = a.s.at(at)
    if at == index + 1 and _asked_for(a, index):
        return
    if (
        value is not None
        and value.text not in set_of("articles") | set_of("place_leads")
        and _is_value(value, sure=_in_use(a, str(span.get("tag_key")), value))
    ):
        put_tag(a, (key_of(a, str(span.get("tag_key"))), raw(a, at)), *range(index, at + 1))


def _asked_for(a: Asked, index: int) -> bool:
    """`which team pays most`, `and which team do they belong to`: it is asked for, not told."""
    before = a.s.at(index - 1)
    return before is not None and before.text in ("which", "what")


def _environment(a: Asked, index: int, value: str, *, sure: bool = False) -> None:
    """`in prod`, `prod instances`: the key that is in use for it, else `env`."""
    if not sure and not _labelling(a, index):
        return
    known = a.words.live.accounts
    if a.takes("account") and a.before.get("account") and (value in known or not known):
        # `and in prod`, after the account of another such name.
        a.put("account", value, index)
        return
    around = [at for at in (index - 1, index + 1) if a.s.plays(at, "tag_key") and not a.s.spans[at].used]
    for known in (value, *hint("environments")[value]):
        pairs = a.words.live.values.get(known)
        if pairs:
            put_tag(a, pairs[0], index, *around)
            return
    put_tag(a, (key_of(a, "env"), value), index, *around)


def _labelling(a: Asked, index: int) -> bool:
    """Whether a bare value narrows: before what it is of, behind `in`, or at either end."""
    before, after = a.s.at(index - 1), a.s.at(index + 1)
    if before is not None and before.text in set_of("place_leads") | word_set("joins") | set_of("articles"):
        return True
    if after is None or before is None or index in a.denied:
        return True
    joined = not after.text[0].isalnum() or after.text in set_of("place_leads") | word_set("joins")
    return joined or after.plays(*set_of("labelled"))


def _of_live(a: Asked, span: Span) -> tuple[str, str]:
    pairs: tuple[tuple[str, str], ...] = span.get("tag_value")
    keys = list(dict.fromkeys(key for key, _ in pairs))
    if len(keys) > 1:
        a.found.notices.append(
            f"“{span.text}” was read as the tag {keys[0]}; it is a value of {', '.join(keys[1:4])} too."
        )
    return pairs[0]
