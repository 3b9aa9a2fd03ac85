"""Records of EC2 that differ in their texts alone are read by one mould.

Most machines of an account are written alike: the same elements in the same order. Two elements whose markup
is the same to the letter are the same tree with other texts. So the markup of a record is set apart from its
texts. The first records of a shape are read with lxml, the second of them once more with a mark in place of
each text: that shows where in the record each belongs. All others of that shape are written as JSON around
their texts: as what is kept beside a row, and as what the row is made of, which is read in a quarter of the
time that a walk through the tree takes. A mould that makes anything else of the second record than lxml did
is not used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from pydantic_core import from_json

from cloudtop.text import encoded
from connectors.aws_rows import OURS

Read = Callable[[Any], Any]
"""Makes of an element, or of a text, what botocore would."""
TEXT = re.compile(rb">([^<\s][^<]*+)<")
"""A text between two tags; one that begins with a blank counts as markup."""
FIRST = re.compile(rb"\s*(<(\w+)>\s*<\w+)>")
"""How a list's first record begins, up to its first text, and what its element is called."""
NEAR = 200
"""Bytes before the next record among which the last one's end is looked for."""
NESTED = 64
"""Parts of a record that may begin as it does: a volume with its id, and each place where it is attached."""
SHAPES = 500
"""So many shapes of a list are remembered; then it begins anew."""
OFTEN = 300
"""So often a shape comes before a pattern is made of it: that takes as long as to walk through forty."""
MARK = "\ue000{}\ue000"
FIGURE = "\ue001{}:{}\ue001"
"""What stands for a text by its number: for a word, and for what JSON writes without quotes, by its type."""
MARKED = re.compile("\ue000(\\d+)\ue000")
MARKS = re.compile('"\ue001(\\d+):(\\w+)\ue001"|\ue000(\\d+)\ue000')
LETTERS = {b"gt": b">", b"amp": b"&", b"apos": b"'", b"quot": b'\\"'}
"""Letters that XML writes by a name, as JSON writes them; what looks like a tag then is none of them."""
TIMES = 65_536
"""Times that are remembered: machines that were started together have the same."""
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


class Frame(NamedTuple):
    """JSON around texts: its pieces, a place for a text after each but the last, and which go there."""

    pieces: tuple[bytes, ...]
    chosen: Callable[[Sequence[bytes]], Sequence[bytes]]

    def filled(self, texts: Sequence[bytes]) -> bytes:
        """The JSON with these texts in it."""
        written = list(self.pieces)
        written[1::2] = self.chosen(texts)
        return b"".join(written)


class Mould(NamedTuple):
    """How texts become a record: what are no words, the JSON around them, where times are, what is kept."""

    figures: Mapping[int, Callable[[bytes], bytes]]
    whole: Frame
    times: tuple[tuple[tuple[Any, ...], Any], ...]
    kept: tuple[Frame, ...]

    def record(self, texts: list[bytes], time: Read) -> Any:
        """The record of these texts, which are used up. Raises ValueError or KeyError."""
        for number, write in self.figures.items():
            texts[number] = write(texts[number])
        found = from_json(self.whole.filled(texts), cache_strings="keys")
        for path, last in self.times:
            node = found
            for step in path:
                node = node[step]
            node[last] = time(node[last])
        if self.kept:
            kept = [frame.filled(texts) for frame in self.kept]
            if any(b"\n" in one or b"\t" in one for one in kept):
                raise ValueError
            found[OURS] = [one.decode() for one in kept]
        return found


class Run(NamedTuple):
    """How record after record of one shape is read where it stands, without looking for its end first."""

    pattern: re.Pattern[bytes]
    mould: Mould
    time: Read

    @staticmethod
    def of(opened: bytes, shape: bytes, mould: Mould, time: Read) -> Run:
        """The run of a shape: its markup to the letter, and any texts."""
        first, *others = map(re.escape, shape.split(b"\0"))
        return Run(re.compile(TEXT.pattern.join((re.escape(opened) + first, *others))), mould, time)

    def told(self, body: bytes, at: int, end: int, opened: bytes) -> tuple[Any, int] | None:
        """The record that begins at a place, and where the next one does (-1: nowhere).

        None for one of another shape, or with a text that has to be walked through.
        """
        found = self.pattern.match(body, at, end)
        if found is None or not (body.startswith(opened, after := found.end()) or after == end):
            return None
        texts, whole = list(found.groups()), found[0]
        if b"&" in whole or b'"' in whole or b"\\" in whole:
            written = _as_json(b"\0".join(texts))
            if written is None:
                return None
            texts = written.split(b"\0")
        try:
            return self.mould.record(texts, self.time), after if after < end else -1
        except (ValueError, KeyError):
            return None


class Kept(NamedTuple):
    """What a list in each record holds is kept as text, but `hidden` fields; only `needed` ones are read."""

    name: str
    hidden: frozenset[str]
    needed: frozenset[str]

    def parts(self, record: Any) -> list[Any]:
        """What is kept."""
        return [
            {name: value for name, value in one.items() if name not in self.hidden}
            for one in record.get(self.name, ())
        ]

    def rest(self, record: Any) -> Any:
        """The record with what is needed besides."""
        needed = [
            {name: value for name, value in one.items() if name in self.needed}
            for one in record.get(self.name, ())
        ]
        return record | {self.name: needed} if self.name in record else record


NOTHING = Kept("", frozenset(), frozenset())


class Moulds:
    """How the records of one list are read, quicker with every shape that came twice.

    `parse` gives the tree of a text, `read` makes a record of an element in it, `marked` gives what does the
    same where marks are, `time` reads a time. A record out of a mould has what is `kept` of it at OURS, as
    `cloudtop.text.encoded` would write it, and holds no more than the rest.
    """

    def __init__(
        self,
        parse: Read,
        read: Read,
        marked: Callable[[], Read],
        time: Read,
        kept: Kept = NOTHING,
    ) -> None:
        self._parse, self._read, self._marking, self._time, self._kept = parse, read, marked, time, kept
        self._figures: dict[str, Callable[[bytes], bytes]] = {**FIGURES}
        self._figures["timestamp"] = lru_cache(TIMES)(self._time_as_json)
        self._known: dict[bytes, Mould | None] = {}
        self._once: set[int] = set()
        self._often: dict[bytes, int] = {}
        self._runs: dict[bytes, Run] = {}

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
        opened, closed, at = first[1], b"</%b>" % first[2], first.start(1)
        before, run = b"", None
        while at >= 0:
            told = run and run.told(body, at, end, opened)
            if told:
                yield told[0]
                at = told[1]
                continue
            begin = after = at + len(opened)
            for _ in range(NESTED):
                after = body.find(opened, after, end)
                if after < 0:
                    yield from self._read_one(opened, body[begin:end])[0]
                    return
                if body[max(begin, after - NEAR) : after].rstrip().endswith(closed):
                    with suppress(Unexpected):
                        found, shape = self._read_one(opened, body[begin:after])
                        break
                after += len(opened)
            else:
                raise Unexpected
            yield from found
            at = after
            run = self._run(opened, shape) if shape and shape == before else None
            before = shape

    def _run(self, opened: bytes, shape: bytes) -> Run | None:
        """What reads the next one of a shape that comes often; None for one that is not worth it."""
        run = self._runs.get(shape)
        if run is None:
            often = self._often[shape] = self._often.get(shape, 0) + 1
            mould = self._known.get(shape)
            if mould is None or often < OFTEN:
                return None
            run = self._runs[shape] = Run.of(opened, shape, mould, self._time)
        return run

    def _read_one(self, opened: bytes, rest: bytes) -> tuple[list[Any], bytes]:
        """What an element says, or several that begin otherwise, and the shape if it was read by its mould.

        `rest` is what follows on how it begins.
        """
        written = _as_json(rest)
        if written is None:
            return self._walked(opened + rest), b""
        parts = TEXT.split(written)
        texts, shape = parts[1::2], b"\0".join(parts[::2])
        mould = self._known.get(shape)
        if mould is not None:
            try:
                return [mould.record(texts, self._time)], shape
            except (ValueError, KeyError):
                # A text that this mould cannot write, as one with a line end in it, or a wrong one.
                pass
        walked = self._walked(opened + rest)
        if mould is None and len(walked) == 1:
            self._learn(opened, shape, texts, walked[0])
        return walked, b""

    def _learn(self, begin: bytes, shape: bytes, texts: list[bytes], record: Any) -> None:
        """Note a shape; when it comes the second time, make its mould."""
        if shape in self._known:
            return
        if (seen := hash(shape)) not in self._once:
            self._once.add(seen)
        else:
            self._known[shape] = self._made(begin, shape, texts, record)
        if len(self._once) > SHAPES:
            for remembered in (self._once, self._known, self._often, self._runs):
                remembered.clear()

    def _made(self, begin: bytes, shape: bytes, texts: list[bytes], record: Any) -> Mould | None:
        """The mould of a shape; None where it does not give the record that these texts are."""
        first, *markup = shape.split(b"\0")
        marks = [b">%b<%b" % (MARK.format(number).encode(), after) for number, after in enumerate(markup)]
        try:
            (element,) = self._elements(b"".join([begin, first, *marks]))
            marked = self._marked(element)
            mould = moulded(self._kept.rest(marked), self._kept.parts(marked), self._figures)
            made = mould.record(texts.copy(), self._time)
        except (Unexpected, ValueError, KeyError, TypeError):
            return None
        kept, wanted = made.pop(OURS, []), [encoded(one) for one in self._kept.parts(record)]
        return mould if made == self._kept.rest(record) and kept == wanted else None

    def _time_as_json(self, text: bytes) -> bytes:
        """A time as JSON has it."""
        return encoded(self._time(text.decode())).encode()

    def _walked(self, text: bytes) -> list[Any]:
        """The records in a text, read with lxml."""
        return [self._read(one) for one in self._elements(text)]

    def _elements(self, text: bytes) -> Any:
        return self._parse(b"<list>%b</list>" % text)


def moulded(marked: Any, kept: list[Any], write: Mapping[str, Callable[[bytes], bytes]]) -> Mould:
    """The mould of a record in which marks stand for texts. Raises TypeError for a time that is no mark."""
    figures: dict[int, Callable[[bytes], bytes]] = {}

    def frame(part: Any) -> Frame:
        written = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        pieces, numbers, at = [], [], 0
        for mark in MARKS.finditer(written):
            numbers.append(int(mark[1] or mark[3]))
            pieces += [written[at : mark.start()].encode(), b""]
            at = mark.end()
            if mark[2]:
                figures[numbers[-1]] = write[mark[2]]
        # itemgetter gives a tuple of two, but one of one as it is.
        chosen = itemgetter(*numbers) if len(numbers) > 1 else lambda texts: [texts[one] for one in numbers]
        return Frame((*pieces, written[at:].encode()), chosen)

    return Mould(figures, frame(marked), tuple(_times(marked, ())), tuple(map(frame, kept)))


def mark(kind: str, read: Read) -> Read:
    """How a text of a type is read where it may be a mark; `read` reads all others."""

    def reads(text: str) -> Any:
        found = MARKED.fullmatch(text)
        if found is None:
            return read(text)
        if kind == "timestamp":
            return Time(FIGURE.format(found[1], kind))
        return FIGURE.format(found[1], kind) if kind in FIGURES else text

    return reads


def _times(marked: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Where in a record times are: the way to what holds one, and its place there."""
    parts = marked.items() if isinstance(marked, dict) else enumerate(marked)
    for place, part in parts:
        if isinstance(part, Time):
            yield path, place
        elif isinstance(part, dict | list):
            yield from _times(part, (*path, place))


def _as_json(text: bytes) -> bytes | None:
    """A text of XML with its letters as JSON writes them; None where one is named by its number, or `<`.

    Markup in which this changes anything has no mould: with it, it is none of XML any more.
    """
    if b'"' in text or b"\\" in text:
        text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if b"&" not in text:
        return text
    first, *others = text.split(b"&")
    parts = [first]
    for one in others:
        name, _, after = one.partition(b";")
        if name not in LETTERS:
            return None
        parts += (LETTERS[name], after)
    return b"".join(parts)
