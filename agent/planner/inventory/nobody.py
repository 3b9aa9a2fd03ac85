"""What nobody owns, uses or calls: `that no one is down as owner of`, `weren't invoked`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from agent.planner.inventory.facts import hint, set_of
from agent.planner.language import Meaning
from agent.planner.sentence import Sentence, Span

_NOBODY = frozenset(("nobody", "noone", "none"))
_ANYBODY = frozenset(("anyone", "anybody", "somebody", "someone"))
_PLAINLY_NOT = frozenset(
    ("not", "never", "arent", "isnt", "werent", "wasnt", "havent", "hasnt", "didnt", "dont", "doesnt")
)
_ORDERED = frozenset(("do", "can", "could", "should", "must", "will", "would", "may", "please"))
"""`do not use`, `can not be used` are told, not asked."""
_TAGS = frozenset(("tagged", "labelled", "labeled"))
_PUTS = frozenset(("put", "set", "gave", "given", "added", "stuck", "entered"))
_NEAR = 6


def hear_nobody(s: Sentence, before: Collection[str] = ()) -> None:
    """What is said in many words becomes one phrase: unowned, unused, or a load of nothing.

    `before`: the types of resource of the question that this one builds on.
    """
    if set_of("nobody_hints").isdisjoint(s.words()):
        # Without one of these nothing is said to be done by nobody.
        return
    _none_of(s)
    _how_often(s)
    _of_no_machine(s)
    kinds = {kind for span in s.spans if (kind := _type_of(span)) is not None} or set(before)
    for first, verb, last in list(_denied_verbs(s)):
        if any(span.kind == "name" for span in s.spans[first : last + 1]):
            continue
        meanings = _meanings(_words(s, verb), kinds)
        if meanings:
            _joined(s, first, last, meanings)
            return


def _none_of(s: Sentence) -> None:
    """`without traffic`, `zero invocations`: a load of nothing."""
    for index, span in enumerate(s.spans[1:], 1):
        lead = s.spans[index - 1]
        metric = str(span.get("metric") or span.get("shy_metric"))
        none = lead.text in (
            "no",
            "without",
            "without any",
            "with no",
            "zero",
            "0",
            "have no",
            "has no",
            "not a single",
        )
        if none and metric in hint("none_of") and not (span.plays("size_of") or s.plays(index + 1, "per")):
            _joined(s, index - 1, index, (Meaning("threshold", f"{metric} eq 0"),))
            return


def _of_no_machine(s: Sentence) -> None:
    """`volumes attached to no instance`, `disks that hang on no machine`, `not attached to any server`."""
    for index, span in enumerate(s.spans[1:], 1):
        kind = _type_of(span)
        if kind not in _MACHINES or not {_type_of(one) for one in s.spans[:index]} & set(hint("attachable")):
            continue
        no = s.spans[index - 1].text.split()[-1] in ("no", "any", "a", "an", "the")
        at = index - 2 if no else index - 1
        if _at(s, at) in _TO:
            at -= 1
        words = _words(s, at) if at > 0 else set()
        denied = s.spans[index - 1].text.split()[-1] == "no" or bool(words & _PLAINLY_NOT)
        if not words & set_of("attaching"):
            continue
        if not denied and at > 1 and _words(s, at - 1) & _PLAINLY_NOT:
            denied, at = True, at - 1
        if denied:
            _joined(s, at, index, (Meaning("state", "unattached"),))
            return


_MACHINES = ("instance", "gpu_instance", "node")
_TO = frozenset(("to", "on", "onto", "by", "with", "from", "in"))


def _how_often(s: Sentence) -> None:
    """`how often was thumbnailer called`: the verb is what is measured, what stands before it is a name."""
    if s.spans[0].text not in ("how often", "how many times"):
        return
    for index, span in enumerate(s.spans[2:], 2):
        if span.text in _CALLED:
            s.mean(s.spans[index], (Meaning("metric", "invocations"),))


_CALLED = ("called", "invoked", "triggered", "executed", "hit", "run")


def _type_of(span: Span) -> str | None:
    service = span.get("service")
    kind = service[1] if service else span.get("type")
    if kind is None and not span.plays("provider"):
        kind = span.get("shy_type")
    return str(kind) if kind else None


def _words(s: Sentence, at: int) -> set[str]:
    return set(s.spans[at].text.split())


def _meanings(words: set[str], kinds: set[str]) -> tuple[Meaning, ...]:
    """What it comes to that nobody does this, with resources of these types."""
    if words & set_of("owning"):
        return (Meaning("unowned"),)
    if words & _TAGS:
        return (Meaning("untagged"),)
    if words & _PUTS:
        return (Meaning("lacks"),)
    if kinds & set(hint("attachable")):
        return (Meaning("unused"),)
    told = next((str(hint("unused_load")[kind]) for kind in hint("unused_load") if kind in kinds), None)
    return (Meaning("unused"), Meaning("threshold", told)) if told is not None else ()


def _denied_verbs(s: Sentence) -> Iterator[tuple[int, int, int]]:
    """First place, verb and last place of everything that is said to be done by nobody, or not at all."""
    doing = set_of("owning") | set_of("using") | _TAGS | _PUTS
    for index, span in enumerate(s.spans):
        words = set(span.text.split())
        if span.text in ("no", "not", "not a") and _at(s, index + 1) in ("one", "single one", "soul"):
            yield from _around(s, index, index + 1, doing)
        elif words & _NOBODY or span.text.startswith(("no one", "not anyone")):
            if words & doing:
                yield index, index, _tail(s, index)
            yield from _around(s, index, index, doing)
        elif span.plays("neg", "negates", "lacks") or "never" in words or words & {"not", "arent", "isnt"}:
            yield from _not_done(s, index, doing)


def _at(s: Sentence, index: int) -> str:
    span = s.at(index)
    return span.text if span is not None else ""


def _around(s: Sentence, index: int, end: int, doing: frozenset[str]) -> Iterator[tuple[int, int, int]]:
    """`nobody owns`, `nobody is down as owner of`; `owned by nobody`."""
    for at in range(end + 1, min(len(s.spans), end + 1 + _NEAR)):
        if _words(s, at) & doing:
            yield index, at, _tail(s, at)
            return
        if s.spans[at].text in (",", ".", ";") or _type_of(s.spans[at]):
            break
    for at in range(index - 1, max(-1, index - 4), -1):
        if _words(s, at) & doing:
            yield at, at, end
            return


def _not_done(s: Sentence, index: int, doing: frozenset[str]) -> Iterator[tuple[int, int, int]]:
    """`weren't invoked`, `never called`, `not owned by anybody`, `without anyone using them`."""
    end, words = min(len(s.spans), index + _NEAR), _words(s, index)
    by = next((at for at in range(index + 1, end) if s.spans[at].text.split()[-1] in _ANYBODY), None)
    verbs = [at for at in range(index, end) if _words(s, at) & doing]
    if not verbs:
        return
    if by is not None and all(_type_of(span) is None for span in s.spans[index + 1 : by]):
        yield index, verbs[0], max(by, _tail(s, verbs[0]))
    elif (
        verbs[0] <= index + 2
        and words & _PLAINLY_NOT
        and _at(s, index - 1) not in _ORDERED
        and _words(s, verbs[0]) & set_of("calling")
    ):
        between = s.spans[index + 1 : verbs[0]]
        if all(span.text in ("been", "being", "be", "ever", "even", "get", "getting") for span in between):
            yield index, verbs[0], verbs[0]


def _tail(s: Sentence, at: int) -> int:
    """What only ends the phrase: `owner of`, `using it`, `claimed as theirs`."""
    while (span := s.at(at + 1)) is not None and (span.text in set_of("owning_tail")):
        at += 1
    return at


def _joined(s: Sentence, first: int, last: int, meanings: tuple[Meaning, ...]) -> None:
    text = " ".join(span.text for span in s.spans[first : last + 1])
    s.spans[first : last + 1] = [Span(s.spans[first].first, s.spans[last].last, text, meanings)]
