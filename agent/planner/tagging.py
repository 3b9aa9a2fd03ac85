"""Orders to set a tag: `put owner=platform on every volume`, `every volume should get owner=platform`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planner.write_words import WriteWords, write_words

_NEAR = 4


def is_due(words: Sequence[str]) -> bool:
    """`every untagged volume should get owner=platform`: told, not asked, of what there is."""
    write = write_words()
    if "=" not in words or write.question.at(words, 0):
        return False
    return any(
        (size := write.due.at(words, at)) and write.done.at(words, at + size) for at in range(1, len(words))
    )


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
