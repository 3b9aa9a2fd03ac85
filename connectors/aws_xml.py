"""The XML of EC2 and RDS read with lxml, into the very records that botocore would make, ten times as fast.

botocore asks before it parses (`before-parse`); an answer that is read here is handed over finished, and
botocore gets a document with nothing but its request id. What the parts of an answer are called and of which
type they are is walked once out of botocore's own model of the operation. Whatever is not as expected
(another root, an element that comes twice or of another namespace, a document type, no XML at all, lxml not
installed) is left to botocore. Imported late: lxml, botocore.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from connectors.aws_moulds import NOTHING, TIMES, Kept, Moulds, Read, Unexpected, mark
from connectors.aws_rows import HIDDEN, OURS, SKETCHED

QUICKENED = ("ec2", "rds")
"""Services whose answers are long, and XML."""
DECLARED = re.compile(rb'<[A-Za-z]+[^>]*?(\s+xmlns="[^"]*")')
"""The first tag of an answer: without its namespace all names are shorter, and read a sixth faster."""
HEAD = 1_000
"""Within which it lies."""
PARSER = {
    "encoding": "utf-8",
    "remove_comments": True,
    "remove_pis": True,
    "resolve_entities": False,
    "no_network": True,
    "collect_ids": False,
}
"""How botocore's own parser reads: UTF-8 whatever is declared, without comments."""
UNMOULDED = {
    b"!": (b"<!",),
    b"?": (b"<?",),
    b"]": (b"]]>",),
    **{bytes([code]): (bytes([code]),) for code in range(32) if code not in b"\t\n"},
    b"\xee": tuple(map(str.encode, ("\ue000", "\ue001"))),
    b"\xef": tuple(map(str.encode, ("\ufffe", "\uffff"))),
}
"""What lxml reads with all around it: more than tags and texts, and letters that mean something else here.

By a letter in it: that one is looked for in a fiftieth of the time.
"""
KEPT = {"DescribeInstances": Kept("Instances", HIDDEN, SKETCHED)}
"""What of an operation's records is kept beside rows as text: of the longest alone."""
UNREAD = {"flattened", "xmlAttribute", "location"}
"""What may be said of a part that is not read here."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


class _Leaf:
    """How a text is read; `read` is None for what stays as it is."""

    def __init__(self, read: Read | None = None) -> None:
        self.read = read


class _Way(NamedTuple):
    """How an answer is read: the element that holds it, where that is not the outermost; the whole, and the
    records of each list in it, by its element.
    """

    within: str | None
    read: Read
    lists: dict[str, tuple[str, Moulds]]

    def held(self, root: Any) -> Any:
        """The element that holds an answer."""
        held = root if self.within is None else root.find(self.within)
        if held is None:
            raise Unexpected
        return held


def quicken(session: Any) -> None:
    """Let all clients of a session of botocore read the answers of these services here."""
    parsers = session.get_component("response_parser_factory")
    for service in QUICKENED:
        event = f"before-parse.{service}"
        session.get_component("event_emitter").register(event, partial(_before_parse, parsers))


def _before_parse(
    parsers: Any,
    operation_model: Any,
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    **more: Any,
) -> None:
    if response_dict["status_code"] != 200 or operation_model.output_shape is None or _etree() is None:
        return

    def by_botocore() -> Any:
        whole = {**response_dict, "body": body}
        parser = parsers.create_parser(operation_model.service_model.resolved_protocol)
        return parser.parse(whole, operation_model.output_shape)

    body = response_dict["body"]
    try:
        found, listed, left = read(body, operation_model, by_botocore)
    except (Unexpected, ValueError):
        return
    customized_response_dict.update(found)
    customized_response_dict[OURS] = listed
    response_dict["body"] = left


def in_place(answer: dict[str, Any], made: Callable[[Iterator[Any]], Any] = iter) -> dict[str, Any]:
    """An answer of botocore with what is `made` of the records of its long list where botocore has a list.

    botocore's paginator counts what is there; so they are put in place after it.
    """
    return answer | {name: made(records) for name, records in answer.pop(OURS, {}).items()}


def read(
    body: bytes, operation_model: Any, by_botocore: Callable[[], Any]
) -> tuple[dict[str, Any], dict[str, Iterator[Any]], bytes]:
    """What an answer holds, the records of its long list one by one, and the answer without all that.

    What is not as expected among the records is left to botocore then. Raises ValueError or Unexpected.
    """
    way = _way(operation_model)
    root, listed = _taken_out(body, way, by_botocore) or (_tree(_undeclared(body)), {})
    if root.tag != f"{operation_model.name}Response" or root.getroottree().docinfo.doctype:
        raise Unexpected
    held = way.held(root)
    found = way.read(held)
    for part in [*held]:
        if part.tag != "requestId":
            held.remove(part)
    return found, listed, _etree().tostring(root)


def _taken_out(
    body: bytes, way: _Way, by_botocore: Callable[[], Any]
) -> tuple[Any, dict[str, Iterator[Any]]] | None:
    """The tree of an answer without the records of its long list, and these.

    The tree proves that they stand in that list alone: it is whole, and has the list in its place, empty.
    """
    for tag, (name, moulds) in way.lists.items():
        begin, end = body.find(b"<%b>" % tag.encode()) + len(tag) + 2, body.rfind(b"</%b>" % tag.encode())
        if end < begin or begin < len(tag) + 2:
            continue
        if any(body.find(one, begin, end) >= 0 for one in _unmoulded(body)):
            return None
        try:
            root = _tree(_undeclared(body[:begin] + body[end:]))
            places = way.held(root).findall(tag)
        except Unexpected:
            # What was cut out is not all that the list holds.
            return None
        if len(places) == 1:
            return root, {name: _one_by_one(moulds.records(body, begin, end), name, by_botocore)}
    return None


def _one_by_one(records: Iterator[Any], name: str, by_botocore: Callable[[], Any]) -> Iterator[Any]:
    """These records; from one on that is not as expected those that botocore reads."""
    count = 0
    try:
        for one in records:
            yield one
            count += 1
    except (Unexpected, ValueError):
        yield from by_botocore()[name][count:]


def _unmoulded(body: bytes) -> Iterator[bytes]:
    """What an answer may hold that has no mould."""
    return (one for letter, all_ in UNMOULDED.items() if letter in body for one in all_)


def _tree(text: bytes) -> Any:
    """The outermost element of a text. Raises Unexpected for what is no XML."""
    etree = _etree()
    try:
        return etree.fromstring(text, etree.XMLParser(**PARSER))
    except etree.XMLSyntaxError as error:
        raise Unexpected from error


def _undeclared(text: bytes) -> bytes:
    """An answer without its namespace."""
    declared = DECLARED.search(text, 0, HEAD)
    return text.replace(declared[1], b"", 1) if declared else text


@cache
def _etree() -> Any:
    try:
        from lxml import etree
    except ImportError:
        return None
    return etree


_ways: dict[tuple[str, str], _Way | None] = {}
"""How the answer of each service's operation is read, None where that is left to botocore."""
_finding = threading.Lock()


def _way(operation_model: Any) -> _Way:
    """How the answers of an operation are read, found out once."""
    operation = operation_model.name
    name = operation_model.service_model.service_name, operation
    if name not in _ways:
        with _finding:
            try:
                _ways[name] = _found(operation_model.output_shape, KEPT.get(operation, NOTHING))
            except Unexpected:
                _ways[name] = None
    way = _ways[name]
    if way is None:
        raise Unexpected
    return way


def _found(shape: Any, kept: Kept) -> _Way:
    readers = _Readers(_LEAVES)
    lists = {
        member.serialization.get("name", name): (name, _moulds(member.member, how, _tree, kept))
        for name, member in shape.members.items()
        if member.type_name == "list" and not isinstance(how := readers.how(member.member), _Leaf)
    }
    return _Way(shape.serialization.get("resultWrapper"), readers.structure(shape), lists)


def _moulds(shape: Any, read: Read, parse: Read, kept: Kept) -> Moulds:
    """The moulds of a list whose records are of this shape."""

    def marking() -> Read:
        leaves = {kind: _Leaf(mark(kind, leaf.read or str)) for kind, leaf in _LEAVES.items()}
        return _Readers(leaves).structure(shape)

    return Moulds(parse, read, marking, _moment, kept)


class _Readers:
    """What reads each shape, found out once; `leaves` read texts by their type."""

    def __init__(self, leaves: Mapping[str, _Leaf]) -> None:
        self._leaves = leaves
        self._known: dict[str, Read] = {}

    def structure(self, shape: Any) -> Read:
        """How an element with named parts is read."""
        if shape.name not in self._known:
            table: dict[str, tuple[str, Read | None, bool]] = {}
            self._known[shape.name] = _reader(table)
            for name, member in shape.members.items():
                if UNREAD & set(member.serialization):
                    raise Unexpected
                how = self.how(member)
                tag = member.serialization.get("name", name)
                table[tag] = (name, how.read, False) if isinstance(how, _Leaf) else (name, how, True)
        return self._known[shape.name]

    def how(self, shape: Any) -> _Leaf | Read:
        """How an element, or a text, of a shape is read."""
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind not in self._leaves:
            raise Unexpected
        return self._leaves[kind]

    def _list(self, shape: Any) -> Read:
        """How an element is read whose parts are all alike, whatever they are called."""
        how = self.how(shape.member)
        if isinstance(how, _Leaf):
            read = how.read
            if read is None:
                return lambda node: [part.text or "" for part in node]
            return lambda node: [read(part.text or "") for part in node]
        return lambda node: [how(part) for part in node]


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
                    raise Unexpected
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
            raise Unexpected
        return found

    return read


@lru_cache(TIMES)
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
