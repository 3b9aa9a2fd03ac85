"""Tags that are missing: `untagged`, `without a name`, `neither an owner nor a team`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import set_of
from agent.planner.inventory.labels import NAME, NO_TAG, key_of, raw
from agent.planner.language import everyday, word_set


def read_lacking(a: Asked) -> None:
    """`untagged`, `without a name`, `missing owner tag`, `no team or owner tags`."""
    if not a.takes("missing_tag"):
        return
    for index, _ in a.all("unnamed"):
        a.put("missing_tag", NAME, index)
    for index, _ in a.all("unowned"):
        a.put("missing_tag", key_of(a, "owner"), index)
    for index, _ in a.all("lacks"):
        _lacking(a, index)
    for index, _ in a.all("untagged"):
        key = a.s.at(at := a.skip(index + 1))
        if key is not None and key.plays("tag_key") and at - index <= 3 and not key.used:
            # `that aren't tagged with env`
            a.put("missing_tag", key_of(a, str(key.get("tag_key"))), index, at)
            continue
        a.put("missing_tag", NO_TAG, index)


def _lacking(a: Asked, index: int) -> None:
    keys: list[str] = []
    at, places = index + 1, [index]
    while (span := a.s.at(at)) is not None and at <= index + 8:
        following = a.s.at(at + 1)
        labelled = following is not None and following.plays("tag_word")
        if span.plays("tag_key"):
            if following is not None and not keys and _a_value(a, at + 1):
                # `without team vision`: of another team.
                a.put("tag_not", f"{key_of(a, str(span.get('tag_key')))}={raw(a, at + 1)}", index, at, at + 1)
                return
            keys.append(key_of(a, str(span.get("tag_key"))))
            places.append(at)
        elif span.text in ("name", "names"):
            keys.append(NAME)
            places.append(at)
        elif span.plays("tag_word") and keys:
            places.append(at)
            if not _another(a, at + 1):
                break
        elif labelled and span.text not in word_set("joins") | set_of("articles"):
            keys.append(key_of(a, raw(a, at)))
            places.append(at)
        elif not (span.text in word_set("joins") or span.text in set_of("articles")):
            break
        at += 1
    before = a.s.at(index - 1)
    if not keys and before is not None and before.text in ("is", "are"):
        # `whose team tag is missing`
        places.append(index - 1)
        at = index - 2
        while a.s.plays(at, "tag_word") and not a.s.plays(at, "tag_key"):
            places.append(at)
            at -= 1
        if (span := a.s.at(at)) is not None and span.plays("tag_key") and not span.used:
            keys, places = [key_of(a, str(span.get("tag_key")))], [*places, at]
    if keys:
        a.put("missing_tag", keys, *places)


def _another(a: Asked, at: int) -> bool:
    """`neither an owner tag nor a team tag`: one more key behind a joining word."""
    if (span := a.s.at(at)) is None or span.text not in word_set("joins") | {"nor", "and no", "or"}:
        return False
    return a.s.plays(a.skip(at + 1), "tag_key")


def _a_value(a: Asked, at: int) -> bool:
    """Whether the value of the key before stands here, and not the next word of the sentence."""
    span = a.s.spans[at]
    if span.used or span.plays("tag_word") or not span.text[0].isalnum():
        return False
    strange = not span.meanings and span.kind in ("word", "name") and span.number is None
    passed = everyday() | set_of("place_leads") | word_set("joins")
    strange = strange and span.text not in passed and not span.text.endswith(("ing", "ed"))
    return strange or span.plays("tag_value")
