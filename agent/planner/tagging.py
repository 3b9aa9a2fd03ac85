"""Orders to set a tag, and those that say what should be done: `every volume should get owner=platform`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planner.write_words import WriteWords, write_words

_NEAR = 4


def is_due(words: Sequence[str]) -> bool:
    """`every volume should get owner=platform`, `web-1 must be deleted`: told, and not asked."""
    write = write_words()
    if not words or write.question.at(words, 0) or words[0] in _READS:
        return False
    for at in range(1, len(words)):
        size = write.due.at(words, at)
        if not size or _ASKED & set(words[:at]):
            continue
        if "=" in words and write.done.at(words, at + size):
            return True
        told = words[at + size : at + size + 1] == ["be"] and write.undergone.at(words, at + size + 1)
        if told and not _asks_behind(words, at + size):
            return True
    return False


def _asks_behind(words: Sequence[str], at: int) -> bool:
    """`every volume must be tagged, show those that are not`: what is wished for is told, and then asked."""
    clauses = [place for place in range(at, len(words) - 1) if words[place] in _SIGNS]
    return any(words[place + 1] in _READS | _ASKED | _BEGINS for place in clauses)


_SIGNS = frozenset((",", ";", ":", "."))
_BEGINS = frozenset(("are", "is", "do", "does", "just"))
_READS = frozenset(("show", "list", "find", "count", "tell", "give", "see", "get", "display", "check"))
_ASKED = frozenset(("that", "which", "who", "what", "whether", "if", "how", "why", "should"))


def is_tagging(rest: Sequence[str]) -> bool:
    """`put owner=platform on every volume`: a tag is set on what follows."""
    return "=" in rest[1:5] and bool({"on", "to", "onto"} & set(rest[3:8]))


def sets_tag(rest: Sequence[str], write: WriteWords) -> bool:
    """`owner=platform onto every volume`, `all disks as owner=platform`, behind a verb with other uses."""
    if "=" not in rest[1:] or len(rest) < rest.index("=") + 2:
        return False
    sign = rest.index("=")
    before = [word for word in rest[: sign - 1] if word not in ("a", "an", "the", "tag", "label")]
    if before:
        return before[-1] == "as" and any(write.things.at(before, at) for at in range(len(before)))
    behind = [word for word in rest[sign + 2 :] if word not in ("tag", "label", "put", "set", "added")]
    return behind[:1] in (["on"], ["onto"], ["to"], ["for"]) and any(
        write.things.at(behind, at) for at in range(1, min(len(behind), _NEAR + 1))
    )


def named_before(words: Sequence[str], at: int, write: WriteWords) -> bool:
    """`untagged volumes: set owner=platform`: what is to be changed stands in front."""
    return any(write.things.at(words, place) for place in range(at - 1))
