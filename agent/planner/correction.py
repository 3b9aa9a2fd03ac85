"""A slip that the speaker mends: `write latency, no, write iops`; `in us, sorry, I mean europe`."""

from __future__ import annotations

from functools import cache

from agent.planner.language import language, word_set
from agent.planner.phrases import PhraseSet
from agent.planner.sentence import Sentence, Span

_KINDS = (
    ("metric", "shy_metric"),
    ("gpu",),
    ("provider", "sellers"),
    ("region",),
    ("engine",),
    ("env",),
    ("=name", "=id"),
    ("=instance_type",),
    ("type", "service", "shy_type"),
    ("state", "health_state"),
    ("agg",),
)
_SIGNS = frozenset((",", ".", ";", "-", ":", "!"))


def take_back(s: Sentence) -> bool:
    """Of two things of one kind around such words the first is not meant; whether there was one."""
    mended = _opens(s) or _closes(s)
    for first, last in _marks(s):
        after = s.spans[last + 1 :]
        gone = [at for kind in _KINDS if (at := _taken_back(s, kind, first, after)) is not None]
        gone += _numbers(s, first, last)
        for at in gone:
            s.spans[at].meanings, s.spans[at].number, s.spans[at].used = (), None, True
        if gone:
            s.use(*range(first, last + 1))
            mended = True
    return mended


def _opens(s: Sentence) -> bool:
    """`sorry, meant the 40`, `oops I meant MI325X`: what follows stands for what was said before."""
    said, end = s.words(), 0
    while end < len(said) and (
        size := _phrases().at(said, end)
        or said[end] in _SIGNS | word_set("fillers")
        or (end and said[end] in _MEANT)
    ):
        end += size
    if end == len(said) or not set(said[:end]) & _MEANT:
        return False
    for span in s.spans:
        if span.last < end:
            span.meanings, span.used = (), True
    return True


def _closes(s: Sentence) -> bool:
    """`4090s i mean`, `L40S was what I meant`: what stands before such words is meant."""
    said = list(s.words())
    end = len(said)
    while end and (said[end - 1] in _SIGNS or said[end - 1] in _ALONE or said[end - 1] in ("to", "say")):
        end -= 1
    if said[end - 2 : end - 1] not in (["i"], ["we"]) or said[end - 1] not in _MEANT:
        return False
    start = end - 2
    while start and (said[start - 1] in _SIGNS or said[start - 1] in _TELLS):
        start -= 1
    denied = _denied_first(s)
    for index, span in enumerate(s.spans):
        if span.first >= start or index < denied:
            span.meanings, span.used = (), True
    return start > 0


def _denied_first(s: Sentence) -> int:
    """`not H100, A100 I meant`: how many spans in front name what was not meant."""
    if s.spans[0].text not in ("not", "no") or len(s.spans) < _PAIR:
        return 0
    return 2 * any(s.plays(1, *kind) and any(one.plays(*kind) for one in s.spans[2:]) for kind in _KINDS)


_PAIR = 4


_TELLS = frozenset(("what", "is", "was", "thats", "that", "are", "were", "which", "the", "one", "ones"))
_MEANT = frozenset(("mean", "meant", "said", "thinking", "should"))


def _marks(s: Sentence) -> list[tuple[int, int]]:
    """First and last place of every phrase that takes back, signs around it included."""
    said = s.words()
    found: list[tuple[int, int]] = []
    if not _phrases().firsts & set(said):
        return found
    words = [span.text for span in s.spans]
    at = 1
    while at < len(said):
        size = _phrases().at(said, at)
        if not size:
            at += 1
            continue
        here = [i for i, span in enumerate(s.spans) if at <= span.first and span.last < at + size]
        if not here or here[0] == 0 or here[-1] + 1 == len(s.spans):
            at += 1
            continue
        first, last = here[0], here[-1]
        set_off = words[first - 1] in _SIGNS
        if (size > 1 and (set_off or words[first].split()[0] != "make")) or (
            set_off and (words[last + 1] in _SIGNS or said[at] in _ALONE)
        ):
            found.append((first - set_off, last + (words[last + 1] in _SIGNS)))
        at += size
    return found


_ALONE = frozenset(("sorry", "wait", "scratch", "correction", "oops"))


@cache
def _phrases() -> PhraseSet:
    return PhraseSet(language().hints["corrections"])


def _taken_back(s: Sentence, kind: tuple[str, ...], first: int, after: list[Span]) -> int | None:
    """The last thing of a kind before the words, where there is one behind them too."""
    if not any(span.plays(*kind) for span in after):
        return None
    return next((at for at in range(first - 1, -1, -1) if s.plays(at, *kind)), None)


def _numbers(s: Sentence, first: int, last: int) -> list[int]:
    """The number before with its unit, where a number of the same unit follows."""
    new = next((at for at in range(last + 1, len(s.spans)) if _is_number(s, at)), None)
    old = next((at for at in range(first - 1, -1, -1) if _is_number(s, at)), None)
    if new is None or old is None:
        return []
    units = [s.spans[at + 1].get("unit") if at + 1 < len(s.spans) else None for at in (old, new)]
    if units[1] is None and units[0] is not None:
        # `over 100 gb, no, 200`: the unit and what else belongs to the number stay.
        s.spans[old].number, s.spans[old].text = s.spans[new].number, s.spans[new].text
        return [new]
    if units[0] not in (None, units[1]):
        return []
    return [old] if units[0] is None else [old, old + 1]


def _is_number(s: Sentence, at: int) -> bool:
    return s.spans[at].number is not None and not s.plays(at, "gpu", "=name")
