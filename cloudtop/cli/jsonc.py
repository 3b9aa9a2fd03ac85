"""JSON that people edit, with comments and trailing commas: one entry goes in or out, all else stays."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_BLANK = re.compile(r"(?:[\s\ufeff]++|//[^\n]*+|/\*.*?\*/)*+", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_PLAIN = re.compile(r"true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\n]*?\*/[ \t]*)*(?://[^\n\r]*)?")
_DEEPEST = 200


class NotJson(ValueError):
    """The text is no JSON, also with comments allowed; `line` says where."""

    def __init__(self, text: str, at: int, message: str) -> None:
        super().__init__(message)
        self.line = text.count("\n", 0, at) + 1


@dataclass(slots=True)
class _Node:
    """A value and where it stands; of an object its members, of which the last of a name counts."""

    start: int
    end: int
    value: Any
    members: list[_Member] | None = None


@dataclass(slots=True)
class _Member:
    name: str
    start: int
    node: _Node = field(repr=False)


def value(text: str, path: Sequence[str] = ()) -> Any:
    """What stands at a path of names; None where nothing does. NotJson when the text cannot be read."""
    found = None if _is_blank(text) else _parsed(text).value
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def with_entry(text: str, section: str, name: str, entry: Any) -> str:
    """The text with `entry` under `section` and `name`, put in or in place of what was there."""
    if _is_blank(text):
        text = f"{text.rstrip()}\n{{}}\n".lstrip("\n")
    root = _parsed(text)
    if root.members is None:
        raise NotJson(text, root.start, "the file is no JSON object")
    inside = _member(root, section)
    if inside is None:
        return _inserted(text, root, section, {name: entry}, "")
    if inside.node.members is None:
        raise NotJson(text, inside.node.start, f"{section} is no JSON object")
    there = _member(inside.node, name)
    if there is None:
        return _inserted(text, inside.node, name, entry, _indent(text, inside.start))
    written = _written(text, entry, _indent(text, there.start), inline=_is_inline(text, there.node))
    return text[: there.node.start] + written + text[there.node.end :]


def without_entry(text: str, section: str, name: str) -> str:
    """The text without the entry; as it is where there is none."""
    inside = None if _is_blank(text) else _member(_parsed(text), section)
    there = _member(inside.node, name) if inside else None
    if inside is None or there is None or inside.node.members is None:
        return text
    at = inside.node.members.index(there)
    start, end = there.start, there.node.end
    comma = _BLANK.match(text, end).end()  # type: ignore[union-attr]
    follows = text[comma] == ","
    if follows:
        end = comma + 1
    line = text.rfind("\n", 0, start) + 1
    if not text[line:start].strip():
        start = line - 1 if line else 0
        if text[start - 1 : start] == "\r":
            start -= 1
    elif follows:
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    made = text[:start] + text[end:]
    if at and not follows:
        before = _BLANK.match(text, inside.node.members[at - 1].node.end).end()  # type: ignore[union-attr]
        made = made[:before] + made[before + 1 :]
    return made


def _is_blank(text: str) -> bool:
    found = _BLANK.match(text)
    return found is not None and found.end() == len(text)


def _member(node: _Node, name: str) -> _Member | None:
    return next((one for one in reversed(node.members or []) if one.name == name), None)


def _indent(text: str, at: int) -> str:
    """The blanks that the line of a position begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """By how much this file indents; two blanks where it does not show."""
    found = re.search(r"\n([ \t]+)[\"}]", text)
    return found[1] if found else "  "


def _is_inline(text: str, node: _Node) -> bool:
    """Whether an object of some content stands on one line."""
    return bool(node.members) and "\n" not in text[node.start : node.end]


def _written(text: str, entry: Any, indent: str, *, inline: bool) -> str:
    if inline:
        return json.dumps(entry, ensure_ascii=False)
    lines = json.dumps(entry, ensure_ascii=False, indent=_unit(text)).split("\n")
    return _newline(text).join([lines[0], *(indent + line for line in lines[1:])])


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _inserted(text: str, node: _Node, name: str, entry: Any, outer: str) -> str:
    """The text with one more member at the end of an object."""
    inline, new = _is_inline(text, node), _newline(text)
    members = node.members or []
    indent = _indent(text, members[0].start) if members and not inline else outer + _unit(text)
    made = f"{json.dumps(name, ensure_ascii=False)}: {_written(text, entry, indent, inline=inline)}"
    if not members:
        close = node.end - 1
        head = text[:close].rstrip()
        return f"{head}{new}{indent}{made}{new}{outer}{text[close:]}"
    end = members[-1].node.end
    after = _BLANK.match(text, end).end()  # type: ignore[union-attr]
    if text[after] == ",":  # one that trails
        head, comma = text[: after + 1], after + 1
    else:
        head, comma = f"{text[:end]},", end
    if inline:
        return f"{head} {made}{text[comma:]}"
    rest = _REST_OF_LINE.match(text, comma).end()  # type: ignore[union-attr]
    return f"{head}{text[comma:rest]}{new}{indent}{made}{text[rest:]}"


def _parsed(text: str) -> _Node:
    found = _node(text, _skipped(text, 0), 0)
    end = _skipped(text, found.end)
    if end != len(text):
        raise NotJson(text, end, f"unexpected {text[end]!r} after the end")
    return found


def _skipped(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _node(text: str, at: int, depth: int) -> _Node:
    if depth > _DEEPEST:
        raise NotJson(text, at, "too deep")
    mark = text[at : at + 1]
    if mark == "{":
        return _object(text, at, depth)
    if mark == "[":
        return _array(text, at, depth)
    found = _STRING.match(text, at) or _PLAIN.match(text, at)
    if found is None:
        raise NotJson(text, at, f"unexpected {mark!r}" if mark else "it ends too early")
    return _Node(at, found.end(), _scalar(text, at, found[0]))


def _scalar(text: str, at: int, written: str) -> Any:
    try:
        return json.loads(written)
    except ValueError as error:
        raise NotJson(text, at, f"{written[:20]} is no value") from error


def _object(text: str, start: int, depth: int) -> _Node:
    members: list[_Member] = []
    at = _skipped(text, start + 1)
    while text[at : at + 1] != "}":
        key = _STRING.match(text, at)
        if key is None:
            raise NotJson(text, at, "a name in quotes is missing")
        colon = _skipped(text, key.end())
        if text[colon : colon + 1] != ":":
            raise NotJson(text, colon, "a colon is missing")
        found = _node(text, _skipped(text, colon + 1), depth + 1)
        members.append(_Member(_scalar(text, at, key[0]), at, found))
        at = _after(text, found.end, "}")
    return _Node(start, at + 1, {one.name: one.node.value for one in members}, members)


def _array(text: str, start: int, depth: int) -> _Node:
    values = []
    at = _skipped(text, start + 1)
    while text[at : at + 1] != "]":
        found = _node(text, at, depth + 1)
        values.append(found.value)
        at = _after(text, found.end, "]")
    return _Node(start, at + 1, values)


def _after(text: str, end: int, close: str) -> int:
    """Where the next item, or the end, begins."""
    at = _skipped(text, end)
    if text[at : at + 1] == ",":
        return _skipped(text, at + 1)
    if text[at : at + 1] != close:
        raise NotJson(text, at, f"a comma or {close} is missing")
    return at
