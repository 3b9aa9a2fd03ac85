"""EC2's XML read with lxml, into the very records that botocore would make, in a sixth of the time
and without holding more than a piece of the tree.

botocore asks before it parses (`before-parse`); an answer that is read here is handed over finished, and
botocore gets a document with nothing but its request id. What the parts of an answer are called and of which
type they are is walked once out of botocore's own model of the operation. Whatever is not as expected
(another root, an element that comes twice or of another namespace, a document type, no XML at all, lxml not
installed) is left to botocore. Imported late: lxml, botocore.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

Read = Callable[[Any], Any]
"""Makes of an element, or of a text, what botocore would."""
DECLARED = re.compile(rb'<[A-Za-z]+[^>]*?(\s+xmlns="[^"]*")')
"""The first tag of an answer: without its namespace all names are shorter, and read a sixth faster."""
HEAD = 1_000
"""Within which it lies."""
CHUNK = 65_536
PARSER = {
    "encoding": "utf-8",
    "remove_comments": True,
    "remove_pis": True,
    "resolve_entities": False,
    "no_network": True,
    "collect_ids": False,
}
"""How botocore's own parser reads: UTF-8 whatever is declared, without comments."""
UNREAD = {"flattened", "xmlAttribute", "location"}
"""What may be said of a part that is not read here."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
CLOCKS = 65_536
"""Times that are remembered: machines that were started together have the same."""


class _Unexpected(Exception):
    """Something that botocore may know how to read."""


class _Leaf:
    """How a text is read; `read` is None for what stays as it is."""

    def __init__(self, read: Read | None = None) -> None:
        self.read = read


class _Way(NamedTuple):
    """How an answer is read: as a whole, and the records of each long list in it, by its element."""

    read: Read
    lists: dict[str, tuple[str, Read]]


def quicken(events: Any) -> None:
    """Let all clients of a session read EC2's answers here."""
    events.register("before-parse.ec2", _before_parse)


def _before_parse(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **more: Any
) -> None:
    if response_dict["status_code"] != 200 or operation_model.output_shape is None:
        return
    body = response_dict["body"]
    try:
        read = records(body, operation_model)
    except (_Unexpected, ValueError):
        return
    if read is None:
        return
    customized_response_dict.update(read[0])
    name = f"{operation_model.name}Response"
    known = "" if read[1] is None else f"<requestId>{escape(read[1])}</requestId>"
    response_dict["body"] = f"<{name}>{known}</{name}>".encode()


def records(body: bytes, operation_model: Any) -> tuple[dict[str, Any], str | None] | None:
    """What an answer holds, and its request id; None without lxml. Raises ValueError or _Unexpected."""
    etree = _etree()
    if etree is None:
        return None
    way = _way(operation_model)
    try:
        root, read = _streamed(etree, body, way)
    except etree.XMLSyntaxError as error:
        raise _Unexpected from error
    if root.tag != f"{operation_model.name}Response" or root.getroottree().docinfo.doctype:
        raise _Unexpected
    found: dict[str, Any] = way.read(root)
    for name, first in read.items():
        found[name] = first + found[name]
    return found, root.findtext("requestId")


def _streamed(etree: Any, body: bytes, way: _Way) -> tuple[Any, dict[str, list[Any]]]:
    """The root of an answer, and the records that were read while it grew, which are no part of it any more.

    The tree of a long answer takes four times its length; so it never stands as a whole.
    """
    parser = etree.XMLPullParser(events=("start",), tag=list(way.lists), **PARSER)
    growing: list[Any] = []
    read: dict[str, list[Any]] = {}
    parser.feed(_undeclared(body[:HEAD]))
    for at in range(HEAD, max(len(body), HEAD + 1), CHUNK):
        parser.feed(body[at : at + CHUNK])
        growing += [one for _, one in parser.read_events() if _is_second(one)]
        for node in growing:
            name, how = way.lists[node.tag]
            whole = node[:-1]
            read.setdefault(name, []).extend([how(part) for part in whole])
            del node[: len(whole)]
    return parser.close(), read


def _undeclared(head: bytes) -> bytes:
    """The beginning of an answer without its namespace."""
    declared = DECLARED.search(head)
    return head.replace(declared[1], b"", 1) if declared else head


def _is_second(node: Any) -> bool:
    """Whether an element is right below the root."""
    above = node.getparent()
    return above is not None and above.getparent() is None


@cache
def _etree() -> Any:
    try:
        from lxml import etree
    except ImportError:
        return None
    return etree


_ways: dict[str, _Way | None] = {}
"""How the answer of each operation is read, None where that is left to botocore."""
_finding = threading.Lock()


def _way(operation_model: Any) -> _Way:
    """How the answers of an operation are read, found out once."""
    name = operation_model.name
    if name not in _ways:
        with _finding:
            try:
                _ways[name] = _found(operation_model.output_shape)
            except _Unexpected:
                _ways[name] = None
    way = _ways[name]
    if way is None:
        raise _Unexpected
    return way


def _found(shape: Any) -> _Way:
    known: dict[str, Read] = {}
    lists = {
        member.serialization.get("name", name): (name, how)
        for name, member in shape.members.items()
        if member.type_name == "list" and not isinstance(how := _how(member.member, known), _Leaf)
    }
    return _Way(_structure(shape, known), lists)


def _structure(shape: Any, known: dict[str, Read]) -> Read:
    """How an element with named parts is read."""
    if shape.name not in known:
        table: dict[str, tuple[str, Read | None, bool]] = {}
        known[shape.name] = _reader(table)
        for name, member in shape.members.items():
            if UNREAD & set(member.serialization):
                raise _Unexpected
            how = _how(member, known)
            tag = member.serialization.get("name", name)
            table[tag] = (name, how.read, False) if isinstance(how, _Leaf) else (name, how, True)
    return known[shape.name]


def _reader(table: dict[str, tuple[str, Read | None, bool]]) -> Read:
    """The hot path: about a hundred elements of every machine come through here."""

    def read(node: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        unknown = 0
        for part in node:
            known = table.get(part.tag)
            if known is None:
                if not part.tag.isalnum():
                    # Of another namespace: botocore reads those too.
                    raise _Unexpected
                unknown += 1
                continue
            name, how, deep = known
            if deep:
                found[name] = how(part)  # type: ignore[misc]
            elif how is None:
                found[name] = part.text or ""
            else:
                found[name] = how(part.text or "")
        if len(found) + unknown != len(node):
            raise _Unexpected
        return found

    return read


def _how(shape: Any, known: dict[str, Read]) -> _Leaf | Read:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, known)
    if kind == "list":
        return _list(shape, known)
    if kind not in _LEAVES:
        raise _Unexpected
    return _LEAVES[kind]


def _list(shape: Any, known: dict[str, Read]) -> Read:
    """How an element is read whose parts are all alike, whatever they are called."""
    how = _how(shape.member, known)
    if isinstance(how, _Leaf):
        read = how.read
        if read is None:
            return lambda node: [part.text or "" for part in node]
        return lambda node: [read(part.text or "") for part in node]
    return lambda node: [how(part) for part in node]


@lru_cache(CLOCKS)
def _moment(text: str) -> datetime:
    """A time as EC2 writes it; other forms as botocore reads them."""
    if MOMENT.fullmatch(text):
        return datetime.fromisoformat(text)
    from botocore.utils import parse_timestamp

    made: datetime = parse_timestamp(text)
    return made


_LEAVES: dict[str, _Leaf] = {
    "string": _Leaf(),
    "character": _Leaf(),
    "boolean": _Leaf(lambda text: text == "true"),
    "integer": _Leaf(int),
    "long": _Leaf(int),
    "float": _Leaf(float),
    "double": _Leaf(float),
    "timestamp": _Leaf(_moment),
}
"""How a text of each of botocore's types is read."""
