"""Records of EC2 that differ in their texts alone are read by one mould.

Most machines of an account are written alike: the same elements in the same order. Two elements whose markup
is the same to the letter are the same tree with other texts. So the markup of a record is set apart from its
texts. The first records of a shape are read with lxml, the second of them once more with a mark in place of
each text: that shows where in the record each belongs. All others of that shape are written as JSON around
their texts, and JSON is read in a quarter of the time that a walk through the tree takes. A mould that makes
anything else of the second record than lxml did is not used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from pydantic_core import from_json

Read = Callable[[Any], Any]
"""Makes of an element, or of a text, what botocore would."""
TEXT = re.compile(rb">([^<\s][^<]*+)<")
"""A text between two tags; one that begins with a blank counts as markup."""
FIRST = re.compile(rb"\s*(<\w+>\s*<\w+)>")
"""How a list's first record begins, up to its first text."""
SHAPES = 500
"""So many shapes of a list are remembered; then it begins anew."""
MARK = "\ue000{}\ue000"
FIGURE = "\ue001{}:{}\ue001"
"""What stands for a text by its number: for a word, and for what JSON writes without quotes, by its type."""
MARKED = re.compile("\ue000(\\d+)\ue000")
MARKS = re.compile('"\ue001(\\d+):(\\w+)\ue001"|\ue000(\\d+)\ue000')
LETTERS = {b"lt": b"<", b"gt": b">", b"amp": b"&", b"apos": b"'", b"quot": b'\\"'}
"""Letters that XML writes by a name, as JSON writes them."""
FIGURES: Mapping[str, Callable[[bytes], bytes]] = {
    "boolean": {b"true": b"true", b"false": b"false"}.__getitem__,
    "integer": lambda text: b"%d" % int(text),
    "long": lambda text: b"%d" % int(text),
    "float": lambda text: repr(float(text)).encode(),
    "double": lambda text: repr(float(text)).encode(),
}
"""How JSON writes a text of each of botocore's types."""


class Unexpected(Exception):
    """Something that botocore may know how to read."""


class Time(str):
    """The mark of a text that is a time."""

    __slots__ = ()


class Mould(NamedTuple):
    """How texts become a record: the JSON around them, which are no words, not used, or times.

    `frame` has a place for each text after each piece of JSON.
    """

    frame: tuple[bytes, ...]
    figures: tuple[tuple[int, Callable[[bytes], bytes]], ...]
    unused: tuple[int, ...]
    times: tuple[tuple[tuple[Any, ...], Any], ...]

    def record(self, texts: list[bytes], time: Read) -> Any:
        """The record of these texts, which are used up. Raises ValueError or KeyError."""
        for number, write in self.figures:
            texts[number] = write(texts[number])
        for number in self.unused:
            texts[number] = b""
        written = list(self.frame)
        written[1::2] = texts
        found = from_json(_named(b"".join(written)), cache_strings="keys")
        for path, last in self.times:
            node = found
            for step in path:
                node = node[step]
            node[last] = time(node[last])
        return found


class Moulds:
    """How the records of one list are read, quicker with every shape that came twice.

    `parse` gives the tree of a text, `read` makes a record of an element in it, `marked` gives what does the
    same where marks are, `time` reads a time.
    """

    def __init__(self, parse: Read, read: Read, marked: Callable[[], Read], time: Read) -> None:
        self._parse, self._read, self._marking, self._time = parse, read, marked, time
        self._known: dict[bytes, Mould | None] = {}
        self._once: set[int] = set()

    @cached_property
    def _marked(self) -> Read:
        return self._marking()

    def records(self, body: bytes, begin: int, end: int) -> Iterator[Any]:
        """The records in this part of a text, one by one: none is kept while the next is read.

        Raises Unexpected for what is no whole elements, and ValueError for a wrong text.
        """
        first = FIRST.match(body, begin, end)
        if first is None:
            yield from self._walked(body[begin:end])
            return
        opened, at = first[1], first.start(1)
        while at >= 0:
            after = body.find(opened, at + len(opened), end)
            yield from self._read_one(opened, body[at + len(opened) : end if after < 0 else after])
            at = after

    def _read_one(self, opened: bytes, rest: bytes) -> list[Any]:
        """What an element says, or several that begin otherwise; `rest` is what follows on how it begins."""
        parts = TEXT.split(_quoted(rest))
        texts, shape = parts[1::2], b"\0".join(parts[::2])
        mould = self._known.get(shape)
        if mould is not None:
            try:
                return [mould.record(texts, self._time)]
            except (ValueError, KeyError):
                # A text that this mould cannot write, as one with a line end in it, or a wrong one.
                pass
        walked = self._walked(opened + rest)
        if mould is None and len(walked) == 1:
            self._learn(opened, shape, texts, walked[0])
        return walked

    def _learn(self, begin: bytes, shape: bytes, texts: list[bytes], record: Any) -> None:
        """Note a shape; when it comes the second time, make its mould."""
        if shape in self._known:
            return
        if (seen := hash(shape)) not in self._once:
            self._once.add(seen)
        else:
            self._known[shape] = self._made(begin, shape, texts, record)
        if len(self._once) > SHAPES:
            self._once.clear()
            self._known.clear()

    def _made(self, begin: bytes, shape: bytes, texts: list[bytes], record: Any) -> Mould | None:
        """The mould of a shape; None where it does not give the record that these texts are."""
        first, *markup = shape.split(b"\0")
        marks = [b">%b<%b" % (MARK.format(number).encode(), after) for number, after in enumerate(markup)]
        try:
            (marked,) = self._elements(b"".join([begin, first, *marks]))
            mould = moulded(self._marked(marked), len(texts))
            made = mould.record(texts.copy(), self._time)
        except (Unexpected, ValueError, KeyError, TypeError):
            return None
        return mould if made == record else None

    def _walked(self, text: bytes) -> list[Any]:
        """The records in a text, read with lxml."""
        return [self._read(one) for one in self._elements(text)]

    def _elements(self, text: bytes) -> Any:
        return self._parse(b"<list>%b</list>" % text)


def moulded(marked: Any, texts: int) -> Mould:
    """The mould of a record in which marks stand for so many texts. Raises Unexpected, or TypeError."""
    written = json.dumps(marked, ensure_ascii=False)
    before: dict[int, str] = {}
    figures, at, last = [], 0, -1
    for mark in MARKS.finditer(written):
        number = int(mark[1] or mark[3])
        if number <= last:
            raise Unexpected
        if mark[2]:
            figures.append((number, FIGURES[mark[2]]))
        before[number], at, last = written[at : mark.start()], mark.end(), number
    frame = [part for number in range(texts) for part in (before.get(number, "").encode(), b"")]
    unused = tuple(number for number in range(texts) if number not in before)
    return Mould((*frame, written[at:].encode()), tuple(figures), unused, tuple(_times(marked, ())))


def mark(kind: str, read: Read) -> Read:
    """How a text of a type is read where it may be a mark; `read` reads all others."""

    def reads(text: str) -> Any:
        found = MARKED.fullmatch(text)
        if found is None:
            return read(text)
        return (
            FIGURE.format(found[1], kind) if kind in FIGURES else Time(text) if kind == "timestamp" else text
        )

    return reads


def _times(marked: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Where in a record times are: the way to what holds one, and its place there."""
    parts = marked.items() if isinstance(marked, dict) else enumerate(marked)
    for place, part in parts:
        if isinstance(part, Time):
            yield path, place
        elif isinstance(part, dict | list):
            yield from _times(part, (*path, place))


def _quoted(text: bytes) -> bytes:
    """A text with what JSON writes in another way; that is in no markup that has a mould."""
    if b'"' in text or b"\\" in text:
        return text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return text


def _named(document: bytes) -> bytes:
    """JSON with the letters that XML writes by a name. Raises KeyError for one by its number, or none."""
    first, *others = document.split(b"&")
    for one in others:
        name, _, after = one.partition(b";")
        first += LETTERS[name] + after
    return first
