"""Text into tokens: one spelling of signs, compounds taken apart only where every piece is known.

`80gb`, `8xh100`, `h100-sxm`, `$2/hr` come apart; `cache-01`, `p4d.24xlarge`, `2026-11-12` stay whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "word",
    "number",
    "sign",
    "name",
    "instance",
    "date",
    "region",
    "size",
    "id",
    "ip",
    "pair",
    "quoted",
    "pattern",
    "runtime",
]


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the question: `text` in lower case, `raw` as typed, `value` when it is a number."""

    text: str
    raw: str
    start: int
    end: int
    kind: Kind = "word"
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Which words exist, so that a compound may be taken apart at the right place.

    `apart`: the last words of compounds that come apart although nobody says them; None for any word.
    """

    words: Container[str]
    gpus: Container[str]
    suffixes: Container[str]
    names: Container[str]
    phrases: Container[tuple[str, ...]]
    instance: re.Pattern[str]
    region: re.Pattern[str]
    apart: Container[str] | None = None


_SIGNS = str.maketrans(
    {
        "×": "x",
        "✕": "x",
        "–": "-",
        "—": " - ",
        "−": "-",
        "‐": "-",
        "‑": "-",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "…": " ",
        "\u00a0": " ",
        "≥": ">=",
        "≤": "<=",
        "½": " half ",
        "＄": "$",
    }
)
_CHUNK = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w.])"
    r"|\d+\.\d+(?![\w.])"
    r"|(?<![\w.])\.\d+(?!\w)"
    r"|[^\W_]+(?:['._\-][^\W_]+)*"
    r"|[<>=]=?|=[<>]|[^\w\s]|_"
)
_COUNTED = r"(?!\s*(?:x|gpus?|cards?|or|and)\b)"
_DECIMAL_COMMA = re.compile(
    rf"(?<![\w.,])(\d{{1,3}}),(?=\d{{1,2}}(?![\w.,]){_COUNTED}|\d{{1,2}}[.,](?!\d)|\dgb\b)", re.IGNORECASE
)
_SPLIT = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+")
_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?")
_ID = re.compile(r"(?:i|vol|snap|sg|vpc|subnet|ami|eni|rtb|igw|nat|lb|eip|db|arn)-[0-9a-f]{2,}[0-9a-f-]*")
_TIMES = re.compile(r"(\d+)x(.*)")
_TIMES_AFTER = re.compile(r"(.+?)[x*](\d+)")
_LENGTH = re.compile(r"(?:\d+(?:h|d|hrs?|hours?|days?))?\d{1,3}(?:m|mins?)|\d+(?:h|d)\d+h?")
_GLUED = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)")
_LED = re.compile(r"(top|last|past|first|next|cheapest|oldest|newest|biggest|largest)(\d{1,3})")
_SIZE = re.compile(r"\d+(?:\.\d+)?b|\d+x\d+b")


def plain(text: str) -> str:
    """One form of every sign, no control or format characters; nothing that a guard could be blinded with."""
    folded = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    folded = _DECIMAL_COMMA.sub(r"\1.", re.sub(r"\.{2,}", " ", folded))
    if folded.isascii() and folded.isprintable():
        return folded
    return "".join(c if c.isprintable() else " " for c in folded if unicodedata.category(c) != "Cf")


def words_of(phrase: str) -> tuple[str, ...]:
    """A phrase of the lexicon as the tuple of tokens it is looked up by."""
    if phrase.isascii() and phrase.replace(" ", "").isalnum():
        return tuple(phrase.lower().split())
    out: list[str] = []
    for chunk in _CHUNK.findall(plain(phrase).lower()):
        if len(chunk) > 1 and _NUMBER.fullmatch(chunk):
            out.append(chunk)
        elif chunk[0].isalnum():
            out.extend(_SPLIT.findall(chunk.replace("'", "")))
        else:
            out.append(chunk)
    return tuple(out)


def tokens_of(text: str, known: Known) -> list[Token]:
    """The question's tokens in order; `text` has been through `plain`."""
    found: list[Token] = []
    for match in _CHUNK.finditer(text):
        found.extend(_chunk(match.group(), match.start(), known))
    return found


def _chunk(raw: str, start: int, known: Known) -> list[Token]:
    """Tokens of one run without blanks: a number, a sign, a word or a compound."""
    low, end = raw.lower(), start + len(raw)
    if low.isalpha() and low in known.words and low not in known.names:
        # Most words of a question: nothing in them can be taken apart.
        return [Token(low, raw, start, end)]
    if not any(c.isalnum() for c in low):
        return [Token(low, raw, start, end, "sign")]
    if _NUMBER.fullmatch(low):
        return [Token(low, raw, start, end, "number", float(low.replace(",", "")))]
    whole = _whole(low, known)
    if whole is not None:
        return [Token(whole[1], raw, start, end, whole[0])]
    if "'" in low:
        low, raw = _apostrophe(low, raw, known)
    if not re.search(r"[._\-]", low):
        return _atom(low, raw, start, known) or [Token(low, raw, start, end)]
    squashed = re.sub(r"[._\-]", "", low)
    if squashed in known.gpus:
        return [Token(squashed, raw, start, end)]
    return _compound(low, raw, start, known)


def _whole(low: str, known: Known) -> tuple[Kind, str] | None:
    """What a chunk is when it must not be taken apart, and how it is written."""
    if _DATE.fullmatch(low):
        return "date", low
    if known.instance.fullmatch(low):
        return "instance", low
    if low in known.names or _ID.fullmatch(low):
        return "name", low
    if known.region.fullmatch(low) and tuple(_SPLIT.findall(low)) not in known.phrases:
        return "region", low
    return None


def _apostrophe(low: str, raw: str, known: Known) -> tuple[str, str]:
    """`what's` and `don't` lose the sign, `runpod's` loses the ending."""
    joined = low.replace("'", "")
    whose = known.apart is not None and (joined,) in known.phrases and (low[:-2],) in known.phrases
    if whose and low.endswith("'s"):
        return low[:-2], raw[:-2]
    if joined in known.words or not low.endswith("'s"):
        return joined, raw
    return low[:-2].replace("'", ""), raw[:-2]


def _compound(low: str, raw: str, start: int, known: Known) -> list[Token]:
    """A chunk with inner signs: its pieces when all are known, else a name."""
    pieces: list[Token] = []
    parts = list(re.finditer(r"\d+\.\d+[a-z]*|[^\W_]+", low))
    for part in parts:
        made = _atom(part.group(), raw[part.start() : part.end()], start + part.start(), known)
        if made is None:
            return [Token(low, raw, start, start + len(raw), "name")]
        pieces.extend(made)
    if tuple(p.text for p in pieces) not in known.phrases and _like_a_name(pieces, known):
        return [Token(low, raw, start, start + len(raw), "name")]
    if known.apart is not None and not _comes_apart(pieces, known, known.apart):
        return [Token(low, raw, start, start + len(raw), "name")]
    return pieces


_PREFIXES = frozenset(("non", "not", "un", "no", "pre", "mid"))


_TENS = frozenset(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"))


def _comes_apart(pieces: list[Token], known: Known, apart: Container[str]) -> bool:
    """`k8s-nodes`, `30-day`, `non-prod` are several words; `prod-eu`, `api-gateway` the name of something."""
    said = tuple(piece.text for piece in pieces)
    measured = (pieces[0].kind == "number" or said[0] in _TENS) and len(pieces) > 1
    return said in known.phrases or said[-1] in apart or said[0] in _PREFIXES or measured


def _like_a_name(pieces: list[Token], known: Known) -> bool:
    """`gpu-node-1`: words that are known one by one, yet end in a bare number that belongs to no GPU."""
    last = pieces[-1]
    if _LED.fullmatch("".join(piece.text for piece in pieces)):
        return False
    return last.kind == "number" and pieces[0].kind == "word" and pieces[-2].text not in known.gpus


def _atom(low: str, raw: str, start: int, known: Known) -> list[Token] | None:
    """A run of letters and digits: known as it is, taken apart into known pieces, or None."""
    end = start + len(raw)
    if low in known.gpus or low in known.words:
        value = float(low) if _NUMBER.fullmatch(low) else None
        return [Token(low, raw, start, end, "number" if value is not None else "word", value)]
    if _NUMBER.fullmatch(low):
        return [Token(low, raw, start, end, "number", float(low))]
    if _SIZE.fullmatch(low):
        return [Token(low, raw, start, end, "size")]
    if led := _LED.fullmatch(low):
        cut = start + led.end(1)
        return [Token(led[1], raw[: led.end(1)], start, cut), _number(led[2], cut)]
    return _counted(low, raw, start, known) or _glued(low, raw, start, known)


def _counted(low: str, raw: str, start: int, known: Known) -> list[Token] | None:
    """`8x`, `8xh100`, `x8`, `h100x8`."""
    end = start + len(raw)
    if found := _TIMES.fullmatch(low):
        cut = start + found.end(1)
        head = [_number(found.group(1), start), Token("x", "x", cut, cut + 1)]
        if not found.group(2):
            return head
        rest = _atom(found.group(2), raw[found.start(2) :], cut + 1, known)
        return head + rest if rest else None
    if re.fullmatch(r"x\d{1,3}", low):
        return [Token("x", "x", start, start + 1), _number(low[1:], start + 1)]
    if (found := _TIMES_AFTER.fullmatch(low)) and found.group(1) in known.gpus:
        cut = start + found.end(1)
        first = Token(found.group(1), raw[: found.end(1)], start, cut)
        return [
            first,
            Token("x", "x", cut, cut + 1),
            Token(found.group(2), found.group(2), cut + 1, end, "number", float(found.group(2))),
        ]
    return None


def _glued(low: str, raw: str, start: int, known: Known) -> list[Token] | None:
    """`80gb`, `24h`, `2k`, `h100s`, `h100sxm`, `a100pcie`, `l40s48gb`."""
    if _LENGTH.fullmatch(low):
        return list(_length(low, raw, start))
    if found := _GLUED.fullmatch(low):
        cut = start + found.end(1)
        if found.group(2) == "k":
            value = float(found.group(1)) * 1000
            return [Token(f"{value:g}", raw, start, start + len(raw), "number", value)]
        if found.group(2) in known.suffixes:
            return [
                _number(found.group(1), start),
                Token(found.group(2), raw[found.end(1) :], cut, start + len(raw)),
            ]
    if low.endswith("s") and low[:-1] in known.gpus:
        return [Token(low[:-1], raw, start, start + len(raw))]
    for cut in range(len(low) - 2, 1, -1):
        if low[:cut] in known.gpus and (rest := _behind_gpu(low[cut:], raw[cut:], start + cut, known)):
            return [Token(low[:cut], raw[:cut], start, start + cut), *rest]
    return None


def _length(low: str, raw: str, start: int) -> Iterator[Token]:
    """`90min`, `2h30m`, `1d12h`: numbers and units; a bare number behind hours counts minutes."""
    for part in re.finditer(r"(\d+)([a-z]*)", low):
        cut, end = start + part.end(1), start + part.end()
        yield _number(part.group(1), start + part.start())
        minutes = part.group(2) in ("m", "min", "mins", "")
        text = "minutes" if minutes else part.group(2)
        if part.group(2) == "" and "d" in low:
            text = "hours"
        yield Token(text, raw[part.end(1) : part.end()], cut, end)


def _behind_gpu(low: str, raw: str, start: int, known: Known) -> list[Token] | None:
    """`sxm` of `h100sxm`, `48gb` of `l40s48gb`."""
    if low in known.suffixes:
        return [Token(low, raw, start, start + len(raw))]
    return _glued(low, raw, start, known) if low[0].isdigit() and _GLUED.fullmatch(low) else None


def _number(text: str, start: int) -> Token:
    """A number cut out of a chunk."""
    return Token(text, text, start, start + len(text), "number", float(text))
