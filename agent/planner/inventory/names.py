"""Which ones: ids, names, parts of names, addresses, words to search for."""

from __future__ import annotations

import re

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import hint, is_plural, set_of
from agent.planner.inventory.labels import raw
from agent.planner.inventory.sizes import types_said
from agent.planner.inventory.words import FAMILY
from agent.planner.language import everyday, language, word_set

_PATTERNS = {"begins": "{}*", "ends": "*{}", "contains": "{}"}


def read_patterns(a: Asked) -> None:
    """Parts of names: before tags, for `prod` in a name is no environment."""
    if a.takes("name_contains"):
        for index, _ in a.all("in_name"):
            _in_name(a, index)
        for role, form in _PATTERNS.items():
            for index, _ in a.all(role):
                _part(a, index, form)


def read_names(a: Asked) -> None:
    """Everything that names one resource, or some by a part of their names."""
    for index, span in a.all("=id"):
        kind = hint("id_types").get(str(span.get("=id")).split("-")[0])
        others = [one for one in types_said(a) if one != kind or not a.s.plays(index - 1, "type", "shy_type")]
        if kind and others and kind not in others and a.takes("missing_tag"):
            a.found.refused.append(f"{span.text}: nothing is filtered by what it is a part of")
            a.s.use(index, *((index - 1,) if a.s.spans[index - 1].get("type") == kind else ()))
            continue
        _one(a, "id", span.get("=id"), index)
    for index, span in a.all("=ip"):
        a.put("ip", span.get("=ip"), index, *_word_before(a, index, "ip_word", "shy_type"))
    for index, span in a.all("=name_contains"):
        if (family := FAMILY.match(span.text)) and span.text[family.end() :] in (".*", "*"):
            # `t3.*` is a family of instance types.
            a.put("instance_type", family[0], index)
            continue
        if index in a.denied:
            a.where("name", "has_not", span.get("=name_contains"), index, *_word_before(a, index, *_CALLED))
            continue
        a.put(
            "name_contains", span.get("=name_contains"), index, *_word_before(a, index, "named", *_PATTERNS)
        )
    for index, _ in a.all("quoted"):
        _one(a, "name", raw(a, index), index)
    _in_names(a)
    for index, span in a.all("=name"):
        if _part_of(a, index):
            continue
        _one(a, "name", span.get("=name"), index)
        _and_another(a, index)
    for index, _ in a.all("named"):
        _called(a, index)
    _several_called(a)
    for index, _ in a.all("search_for"):
        _searched(a, index)
    for index, _ in a.all("neg", "negates"):
        _left_out(a, index)


def _part_of(a: Asked, index: int) -> bool:
    """`every node in cluster prod-eu`: what they are in is no name of theirs."""
    noun, lead = a.s.at(index - 1), a.s.at(a.skip(index - 2, -1, leads=False))
    inside = lead is not None and lead.text in ("in", "on", "inside", "within", "of")
    others = [one for one in a.s.spans[: max(0, index - 2)] if one.plays("type", "service")]
    if noun is None or not inside or not others or not a.takes("missing_tag"):
        return False
    if (
        not noun.plays("type", "shy_type")
        or is_plural(noun.text)
        or noun.get("type") == others[-1].get("type")
    ):
        return False
    said = f"{lead.text if lead else 'in'} {noun.text} {raw(a, index)}"
    a.found.refused.append(f"{said}: nothing is filtered by what it is a part of")
    a.s.use(index - 1, index)
    return True


def _several_called(a: Asked) -> None:
    """`everything called training-node`, `web-prod something`: all whose names have it in them."""
    names = a.found.arguments.get("name") or []
    if len(names) != 1 or not a.takes("name_contains"):
        return
    at = next((i for i, span in enumerate(a.s.spans) if span.used and raw(a, i) == names[0]), None)
    if at is None or names[0].lower() in a.s.known_names:
        return
    vague = (after := a.s.at(at + 1)) is not None and after.text in set_of("whatever")
    before = {span.text for span in a.s.spans[max(0, at - 3) : at]}
    if vague or (before & {"everything", "anything", "all"} and before & {"called", "named"}):
        a.found.arguments["name_contains"] = [a.found.arguments.pop("name")[0]]
        if vague:
            a.s.use(at + 1)


def _and_another(a: Asked, index: int) -> None:
    """`invocations of label-ocr and thumbnailer`: a strange word beside a name is one, too."""
    span, after = a.s.at(index + 2), a.s.at(index + 3)
    if span is None or a.s.spans[index + 1].text not in word_set("joins") | {"&"} or index in a.denied:
        return
    strange = (
        not span.meanings and span.number is None and span.text.isalpha() and len(span.text) >= _SHORTEST
    )
    ends = (
        after is None or not after.text[0].isalnum() or after.text in set_of("place_leads") | language().stop
    )
    if strange and ends and span.text not in everyday() and not span.used:
        _one(a, "name", raw(a, index + 2), index + 2)
        a.s.use(index + 1)


_SHORTEST = 4


def _one(a: Asked, argument: str, value: str, index: int) -> None:
    if index in a.denied:
        a.where(argument, "ne", value, index)
        return
    a.put(argument, value, index, *_word_before(a, index, "named"))


def _word_before(a: Asked, index: int, *roles: str) -> tuple[int, ...]:
    at = a.skip(index - 1, -1)
    while a.s.at(at) is not None and a.s.spans[at].text in ("do", "does"):
        at -= 1
    return (at,) if a.s.plays(at, *roles) and at >= 0 and not a.s.spans[at].used else ()


_CALLED = ("named", "search_for")
_BETWEEN = frozenset(
    ("ones", "those", "the", "anything", "everything", "things", "any", "all", "that", "which")
)
_BEHIND = re.compile(r"\s*(?:the |a |an |string |word |name |names )*[\"'`]?([^\s\"'`,;?!]+)")


def _part(a: Asked, index: int, form: str) -> None:
    """The word behind `starting with`, whatever it is."""
    behind = _BEHIND.match(a.s.text, a.s.ends(a.s.spans[index]))
    if behind is None:
        return
    begin, end, said = behind.start(1), behind.end(1), behind[1].rstrip(".")
    inside = [i for i, one in enumerate(a.s.spans) if begin <= a.s.starts(one) < end]
    span = a.s.spans[inside[0]] if inside else None
    if span is None or span.used or not any(c.isalnum() for c in said):
        return
    named = a.s.plays(index - 1, "named") or "name" in a.s.spans[index].text
    if a.s.plays(index, "contains") and not named:
        meant = span.meanings and not span.plays("=name", "quoted", "=name_contains")
        if meant or span.number is not None or span.text in language().stop:
            return
    pattern = said if "*" in said else form.format(said)
    if (denied := _denied_before(a, index)) is not None:
        # `whose names don't start with test`
        places = (denied, index, *inside, *_word_before(a, index, "named"), *_word_before(a, denied, "named"))
        a.where("name", "has_not", pattern, *places)
        return
    a.put("name_contains", pattern, index, *inside, *_word_before(a, index, "named"))


def _denied_before(a: Asked, index: int) -> int | None:
    """The negation right before, `those that` and the like between."""
    near = range(index - 1, max(-1, index - 4), -1)
    denied = next((at for at in near if a.s.plays(at, "neg", "negates")), None)
    between = a.s.spans[denied + 1 : index] if denied is not None else []
    return denied if all(one.text in _BETWEEN for one in between) else None


def _in_name(a: Asked, index: int) -> None:
    """`with web in the name`."""
    span = a.s.at(index - 1)
    if span is None or span.used or not span.text[0].isalnum():
        return
    contains = _word_before(a, index - 1, *_PATTERNS)
    if (denied := _denied_before(a, contains[0] if contains else index - 1)) is not None:
        a.where("name", "has_not", raw(a, index - 1), denied, *contains, index - 1, index)
        return
    a.put("name_contains", raw(a, index - 1), index - 1, index, *contains)


def _called(a: Asked, index: int) -> None:
    """`named backend`: a word that means nothing else here is a name."""
    at = a.skip(index + 1, leads=False)
    if (sign := a.s.at(at)) is not None and sign.text in (":", "=", "is"):
        at += 1
    span = a.s.at(at)
    if span is None or span.used or not span.text[0].isalnum() or a.s.spans[index].text in ("name", "names"):
        return
    if span.text in language().stop | word_set("joins") or span.plays("op", "per"):
        return
    a.put("name", raw(a, at), index, at)


def _searched(a: Asked, index: int) -> None:
    """`search for payments`: the words behind that nothing else is meant by."""
    if not a.takes("search"):
        return
    at = a.skip(index + 1)
    while a.s.plays(at, "anything", "everything"):
        at = a.skip(at + 1)
    span = a.s.at(at)
    if span is None or span.used or span.text in language().stop or not span.text[0].isalnum():
        return
    if span.meanings and not span.plays("=name", "quoted", "tag_value"):
        return
    if span.number is not None and (a.s.plays(at + 1, "unit", "op", "size_of") or a.s.plays(at, "op")):
        # `anything with 80 GB or more`: so much, not so called.
        return
    a.put("search", raw(a, at), index, at)


def _left_out(a: Asked, index: int) -> None:
    """`don't count the bastions`, `ignoring jenkins boxes`: a word that means nothing else, in names."""
    at = index + 1
    passed = set_of("articles") | word_set("neg_fill") | word_set("neg_verbs") | {"ones"}
    while (span := a.s.at(at)) is not None and not span.used and span.text in passed:
        at += 1
    told = (span := a.s.at(at)) is not None and not span.used and span.number is None and at - index <= _REACH
    if span is None or not told or not a.takes("name_contains") or not span.text[0].isalpha():
        return
    common = everyday() | set_of("place_leads") | set_of("has_it")
    if (span.meanings and not span.plays("=name_contains")) or span.text in common or a.s.plays(at - 1, "op"):
        return
    if (
        span.kind not in ("word", "pattern")
        or len(span.text) < _SHORTEST
        or span.text.endswith(("ing", "ed"))
    ):
        return
    said = raw(a, at).strip("*-_.") if span.kind == "pattern" else raw(a, at)
    noun = at + 1 if a.s.plays(at + 1, "type", "shy_type") else at
    if noun == at and span.kind == "word":
        said = said.removesuffix("s")
    a.where("name", "has_not", said, *range(index, noun + 1))
    if span.kind == "word":
        a.found.notices.append(f"Without what has “{said}” in its name.")


_REACH, _SHORTEST = 5, 3


def _in_names(a: Asked) -> bool:
    """`training nodes`, `web servers`: a word before the noun that names of what there is have in them."""
    for index, noun in enumerate(a.s.spans[1:]):
        span = a.s.spans[index]
        several = noun.plays("type", "service") and is_plural(noun.text)
        bare = not span.used and span.number is None and span.kind in ("word", "name") and len(span.text) > 2
        if not (several and bare) or span.plays(*_MEANT) or span.text in language().stop:
            continue
        whole = f"{span.text}-{noun.text.removesuffix('s')}"
        if whole in a.words.live.parts:
            # `training nodes`: machines called training-node-01 and so on, whether of a cluster or not.
            a.put("name_contains", whole, index, index + 1)
            if noun.get("type") in hint("machines"):
                a.put("resource_type", "instance")
        elif span.text in a.words.live.parts:
            a.put("name_contains", raw(a, index), index)
        else:
            continue
        a.found.notices.append(f"“{a.found.arguments['name_contains'][0]}” was looked for in names.")
        return True
    return False


_MEANT = (
    "type",
    "service",
    "shy_type",
    "state",
    "provider",
    "region",
    "engine",
    "runtime",
    "env",
    "gpu",
    "account",
    "threshold",
    "unused",
    "=spot",
)
