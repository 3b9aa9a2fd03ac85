"""A question as spans: the longest known phrase at every place, with all that it can mean.

Spans are read by rules (`reading.py`), each of which marks what it has used; what nothing used is shown.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agent.planner.language import Meaning, word_set
from agent.planner.lexicon import Lexicon
from agent.planner.number_words import numbered
from agent.planner.sense import fillers, sensible
from agent.planner.tokens import Token

_LONGEST_GPU = 5


@dataclass(slots=True)
class Span:
    """One phrase of the question and what it can mean; `number` when it is one."""

    first: int
    last: int
    text: str
    meanings: tuple[Meaning, ...] = ()
    number: float | None = None
    kind: str = "word"
    glued: bool = False
    used: bool = False

    def get(self, role: str) -> Any:
        """The value this phrase stands for in a role, None when it cannot play it."""
        for meaning in self.meanings:
            if meaning.role == role:
                return meaning.value
        return None

    def plays(self, *roles: str) -> bool:
        """Whether the phrase can play one of the roles."""
        for meaning in self.meanings:  # a loop: this is asked a thousand times a question  # noqa: SIM110
            if meaning.role in roles:
                return True
        return False

    @property
    def values(self) -> Iterator[tuple[str, Any]]:
        """Argument and value of every argument that this phrase is a value of."""
        return ((m.role[1:], m.value) for m in self.meanings if m.role[0] == "=")


@dataclass
class Sentence:
    """The question: its tokens, its spans in order, and its cues by tool."""

    text: str
    tokens: Sequence[Token]
    spans: list[Span]
    cues: dict[str, float] = field(default_factory=dict)
    cue_tokens: dict[str, set[int]] = field(default_factory=dict)
    turned: set[int] = field(default_factory=set)
    """Places of the comparisons that a negation turns round."""
    denied: set[int] = field(default_factory=set)
    """Places of the things that a negation rules out."""
    known_names: Container[str] = frozenset()
    """Names of what there is, in lower case."""
    gpu_machines: Container[str] = frozenset()
    """Instance types with GPUs, in lower case."""
    ranged: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    """Places of numbers that begin or end a range, with the comparison and unit that they have by that."""
    judged: bool = False
    """Whether a price goes on being judged: `and $1.50?`."""
    why: bool = False
    """Whether it is asked why there is nothing cheaper."""

    def at(self, index: int) -> Span | None:
        """The span at a place, None outside."""
        return self.spans[index] if 0 <= index < len(self.spans) else None

    def plays(self, index: int, *roles: str) -> bool:
        """Whether there is a span at a place that can play one of the roles."""
        span = self.at(index)
        return span is not None and span.plays(*roles)

    def first(self, *roles: str) -> int | None:
        """Where the first unused span is that can play one of the roles."""
        return next((i for i, s in enumerate(self.spans) if not s.used and s.plays(*roles)), None)

    def all(self, *roles: str) -> Iterator[tuple[int, Span]]:
        """Every unused span that can play one of the roles."""
        if self._roles.isdisjoint(roles):
            return iter(())
        return ((i, s) for i, s in enumerate(self.spans) if not s.used and s.plays(*roles))

    def has(self, *roles: str) -> bool:
        """Whether any span, used or not, can play one of the roles."""
        return not self._roles.isdisjoint(roles)

    def mean(self, span: Span, meanings: tuple[Meaning, ...]) -> None:
        """Give one of the spans other meanings."""
        span.meanings = meanings
        self.__dict__.pop("_roles", None)

    def use(self, *indices: int) -> None:
        """Mark spans as used."""
        for index in indices:
            if 0 <= index < len(self.spans):
                self.spans[index].used = True

    def starts(self, span: Span) -> int:
        """Where a span begins in the text."""
        return self.tokens[span.first].start

    def ends(self, span: Span) -> int:
        """Where a span ends in the text."""
        return self.tokens[span.last].end

    def words(self) -> tuple[str, ...]:
        """The tokens' texts."""
        return self._words

    @cached_property
    def _roles(self) -> frozenset[str]:
        """What any span can play: most rules ask for what no word of a question can."""
        return frozenset(meaning.role for span in self.spans for meaning in span.meanings)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return tuple(token.text for token in self.tokens)


def sentence_of(text: str, tokens: Sequence[Token], lexicon: Lexicon) -> Sentence:
    """Annotate the tokens."""
    tokens = numbered(tokens)
    spans: list[Span] = []
    at = 0
    while at < len(tokens):
        span = _longest(tokens, at, lexicon, spans)
        spans.append(span)
        at = span.last + 1
    for index in (hushed := fillers(spans)):
        spans[index].meanings = tuple(m for m in spans[index].meanings if m.role[0] != "=")
    found = Sentence(text, tokens, spans, known_names=lexicon.live.names, gpu_machines=lexicon.gpu_machines)
    _cue(found, lexicon, {at for i in hushed for at in range(spans[i].first, spans[i].last + 1)})
    return found


def _longest(tokens: Sequence[Token], at: int, lexicon: Lexicon, before: list[Span]) -> Span:
    """The longest phrase that begins here; a GPU's name wins over a phrase of the same length."""
    token = tokens[at]
    glued = at > 0 and tokens[at - 1].end == token.start
    gpu = _gpu_at(tokens, at, lexicon)
    size = _phrase_at(tokens, at, lexicon)
    if gpu and gpu[0] >= size and not _is_amount(tokens, at, gpu[0]):
        last = at + gpu[0] - 1
        named = (Meaning("gpu", gpu[1]),)
        return Span(at, last, _text(tokens, at, last), named, glued=glued)
    if size:
        last = at + size - 1
        meanings = lexicon.phrases[tuple(t.text for t in tokens[at : last + 1])]
        meanings = sensible(meanings, tokens, at, last, before)
        number = token.value if size == 1 else None
        return Span(
            at, last, _text(tokens, at, last), meanings, number, token.kind if size == 1 else "word", glued
        )
    return Span(at, at, token.text, _own(token, lexicon), token.value, token.kind, glued)


def _own(token: Token, lexicon: Lexicon) -> tuple[Meaning, ...]:
    """What a token means by its shape alone."""
    if token.kind == "instance":
        return (Meaning("=instance_type", lexicon.instances.get(token.text, token.raw)),)
    if token.kind == "region":
        return (Meaning("region", token.text),)
    if token.kind == "pair":
        return (Meaning("pair", tuple(token.raw.split("=", 1))),)
    if token.kind == "runtime":
        return (Meaning("=runtime", token.text),)
    role = _ROLES.get(token.kind)
    return (Meaning(role, token.raw),) if role is not None else ()


_ROLES = {"name": "=name", "id": "=id", "ip": "=ip", "quoted": "quoted", "pattern": "=name_contains"}
"""What a piece of a certain form is a value of."""


def _text(tokens: Sequence[Token], first: int, last: int) -> str:
    return " ".join(t.text for t in tokens[first : last + 1])


def _gpu_at(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[int, tuple[str, ...]] | None:
    """How many tokens spell a GPU here, and which; `a 100` is an article and a number."""
    found = None
    joined = ""
    for size, token in enumerate(tokens[at : at + _LONGEST_GPU], start=1):
        if token.kind not in ("word", "number") or (
            size > 1 and len(joined) == 1 and not _spelled(token, joined)
        ):
            break
        if token.text == "x" and size > 1 and at + size < len(tokens) and tokens[at + size].kind == "number":
            # `A100 x 2`: so many of it, and no A100X.
            break
        joined += token.text
        if joined not in lexicon.gpu_beginnings:
            break
        if joined in lexicon.gpus:
            found = size, lexicon.gpus[joined]
    return _brand_behind(tokens, at, found, lexicon)


def _spelled(token: Token, letter: str) -> bool:
    """`h one hundred`, `l 4`, as it is dictated; an `a` before figures is an article."""
    return token.kind == "number" and (letter != "a" or token.raw.replace(" ", "").isalpha())


def _brand_behind(
    tokens: Sequence[Token], at: int, found: tuple[int, tuple[str, ...]] | None, lexicon: Lexicon
) -> tuple[int, tuple[str, ...]] | None:
    """`5090 rtx` is an RTX 5090, unless the brand begins the next model's name."""
    size = found[0] if found else 1
    if at + size >= len(tokens) or tokens[at + size].text not in word_set("brands"):
        return found
    brand = tokens[at + size].text
    following = tokens[at + size + 1].text if at + size + 1 < len(tokens) else ""
    turned = brand + "".join(token.text for token in tokens[at : at + size])
    taken = brand + following in lexicon.gpus or tokens[at].text in word_set("brands")
    if taken or turned not in lexicon.gpus:
        return found
    return size + 1, lexicon.gpus[turned]


def _is_amount(tokens: Sequence[Token], at: int, size: int) -> bool:
    """`$3090` and `3090 hours` are amounts."""
    if size > 1 or tokens[at].value is None:
        return False
    before = tokens[at - 1].text if at else ""
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    units = {"hours", "hour", "hrs", "gb", "dollars", "usd", "bucks", "%", "days", "tb"}
    return before in ("$", "€", "£", "<", ">", "<=", ">=") or after in units


def _phrase_at(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> int:
    """How many tokens the longest phrase of the lexicon has here; what is quoted is in no longer one."""
    for size in range(min(lexicon.longest.get(tokens[at].text, 0), len(tokens) - at), 0, -1):
        if tuple([t.text for t in tokens[at : at + size]]) not in lexicon.phrases:
            continue
        if size == 1 or all(t.kind != "quoted" for t in tokens[at : at + size]):
            return size
    return 0


_QUIET = ("per", "sort_by", "neg", "reset", "op", "worth", "worth_sure", "max_age")
"""Phrases whose words are no cues; so are those of change where prices are meant: `prices going down`."""


def priced(span: Span) -> bool:
    """Whether a phrase speaks of GPUs or of prices."""
    return (
        span.plays("gpu")
        or span.get("quantity") == "price"
        or span.get("unit") == "gpu"
        or span.text in ("prices", "rates")
    )


def of_prices(spans: Sequence[Span]) -> bool:
    """Whether `going down` is said of prices; of a seller or a region alone it is an outage."""
    if any(map(priced, spans)) or any(span.plays("change") and "price" in span.text for span in spans):
        return True
    anything = any(span.text in ("anything", "something", "everything") for span in spans)
    return not any(span.plays("provider", "sellers") or (anything and span.plays("region")) for span in spans)


def _cue(sentence: Sentence, lexicon: Lexicon, hushed: set[int]) -> None:
    """Every cue of every tool, overlapping or not; one within a longer one of its tool does not count."""
    words = sentence.words()
    prices = of_prices(sentence.spans)
    quiet = {
        at
        for span in sentence.spans
        if span.last > span.first and (span.plays(*_QUIET) or (prices and span.plays("change")))
        for at in range(span.first, span.last + 1)
    } | hushed
    taken: dict[str, set[int]] = sentence.cue_tokens
    begins = [(at, longest) for at, word in enumerate(words) if (longest := lexicon.longest_cue.get(word, 0))]
    for size in range(max((longest for _, longest in begins), default=0), 0, -1):
        for at, longest in begins:
            if longest < size or at + size > len(words):
                continue
            for tool, weight in lexicon.cues.get(words[at : at + size], ()):
                places = set(range(at, at + size))
                if places & taken.get(tool, set()) or places <= quiet:
                    continue
                taken.setdefault(tool, set()).update(places)
                sentence.cues[tool] = sentence.cues.get(tool, 0.0) + weight
