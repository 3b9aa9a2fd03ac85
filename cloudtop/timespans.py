"""Finds the times in a free question; what each means is read by `timewords`.

First every single expression is found, then neighbours are joined: "3am" "today", "since" "monday", "from" a
"to" b.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from cloudtop.calendars import DAYS, MONTHS, SHORT_WEEKDAYS, WEEKDAYS
from cloudtop.timewords import NUMBERS, UNITS, Unread, read
from cloudtop.units import NUMBER_WORDS

HOURS = {word: value for word, value in NUMBER_WORDS.items() if value in range(2, 13)}
"""The hours of a clock in words; `the one in the evening` is none."""
_SMALL = 5
"""Until then it is night, and not yet morning."""

_LOOK_BACK = 24
"""How many characters before an expression can change what it means."""


@dataclass(slots=True)
class _Piece:
    """One expression found; kind is clock, day, month, now, bare or other."""

    start: int
    end: int
    kind: str
    said: str


def spans(text: str, now: datetime, bare: bool) -> list[tuple[int, int, str]]:
    """The times in a question as (start, end, token); `bare` lengths of time count as "the last …"."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    if not _hint().search(low):
        return []
    flat = low.replace("_", " ")
    pieces = [_piece(match) for match in _times().finditer(flat)]
    forward = bool(pieces) and _coming().search(low) is not None
    found = []
    for piece in _of_a_day(flat, list(_joined(flat, pieces))):
        if _inside_a_word(low, piece.start, piece.end) or not _stands(flat, piece, bare):
            continue
        token = _token(piece.said, now, forward)
        if token == "this_morning" and _compared().search(
            flat, max(0, piece.start - _LOOK_BACK), piece.start
        ):
            token = "since_this_morning"
        if token:
            found.append((piece.start, piece.end, token))
    return found


def _piece(match: re.Match[str]) -> _Piece:
    kind = match.lastgroup or ""
    if kind == "date":
        kind = "day" if " " in match[0] or any(c.isdigit() for c in match[0]) else "month"
    elif match["ago"]:
        kind = "other"
    elif kind == "hour":
        return _Piece(*match.span(), "clock", _on_the_clock(match[0]))
    elif kind == "short":
        return _Piece(*match.span(), kind, _spelled_out(match[0]))
    return _Piece(*match.span(), kind, match[0])


def _on_the_clock(said: str) -> str:
    """`eight this morning` as `8am`."""
    word, rest = said.split(maxsplit=1)
    hour = HOURS.get(word) or int(word)
    early = rest.endswith(("am", "morning")) or (rest.endswith("at night") and hour in (*range(_SMALL), 12))
    return f"{hour}{'am' if early else 'pm'}"


def _spelled_out(said: str) -> str:
    """`last mon` as `last monday`."""
    which, _, name = said.rpartition(" ")
    return f"{which} {SHORT_WEEKDAYS[name]}".strip()


def _joined(flat: str, pieces: list[_Piece]) -> Iterator[_Piece]:
    """Days with their clocks, then since, then ranges."""
    pieces = list(_weekdays(flat, pieces))
    queue = iter(_with_since(flat, _with_clocks(flat, pieces)))
    piece = next(queue, None)
    while piece:
        following = next(queue, None)
        lead = _from().search(flat, max(0, piece.start - _LOOK_BACK), piece.start)
        gap = flat[piece.end : following.start] if following else ""
        dated = following is not None and piece.kind == following.kind == "day"
        timed = following is not None and piece.kind == "clock" and following.kind in ("clock", "day")
        joined = (gap in _TO and (lead or dated)) or (timed and gap in _TO and "and" not in gap)
        if following and (joined or (gap in (*_SLASH, "-") and dated)):
            start = lead.start() if lead else piece.start
            day = _clocked().sub("", following.said) if timed and following.kind == "day" else following.said
            first = f"{day} {piece.said}" if day != following.said else piece.said
            kind = "clocks" if piece.kind == following.kind == "clock" else "other"
            yield _Piece(start, following.end, kind, f"{first}/{following.said}")
            following = next(queue, None)
        else:
            yield piece
        piece = following


def _of_a_day(flat: str, pieces: list[_Piece]) -> Iterator[_Piece]:
    """`yesterday between 2pm and 4pm`: a day and what part of it as one piece."""
    day: _Piece | None = None
    for piece in pieces:
        if day is not None and piece.kind == "clocks" and flat[day.end : piece.start] in (" ", ", "):
            first, _, last = piece.said.partition("/")
            yield _Piece(day.start, piece.end, "other", f"{day.said} {first}/{day.said} {last}")
            day = None
            continue
        if day is not None:
            yield day
        day = piece if piece.kind == "day" and not _clocked().search(piece.said) else None
        if day is None:
            yield piece
    if day is not None:
        yield day


_TO = (" and ", " to ", " until ", " till ", " through ", " - ", " and the ", " to the ")
_SLASH = ("/", "..")


def _weekdays(flat: str, pieces: list[_Piece]) -> Iterator[_Piece]:
    """`mon` is a day in company: `on mon`, `last mon`, `mon to wed`; `sat idle`, `the sun` are none."""
    for at, piece in enumerate(pieces):
        if piece.kind != "short":
            yield piece
            continue
        following = pieces[at + 1] if at + 1 < len(pieces) else None
        ranged = following is not None and flat[piece.end : following.start] in (*_TO, "-", "/", ", ", " or ")
        led = _day_lead().search(flat, max(0, piece.start - _LOOK_BACK), piece.start) or " " in piece.said
        led = led or flat[piece.start : piece.end] not in _OTHER_WORDS
        led = led or (following is not None and following.kind == "clock")
        if led or (ranged and following is not None and following.kind in ("day", "short")):
            yield _Piece(piece.start, piece.end, "day", piece.said)


_OTHER_WORDS = ("mon", "sat", "sun")


def _with_clocks(flat: str, pieces: list[_Piece]) -> list[_Piece]:
    """ "monday at 9am", "9am on monday" as one piece."""
    made: list[_Piece] = []
    for piece in pieces:
        last = made[-1] if made else None
        if (
            last
            and flat[last.end : piece.start] in (" ", " at ", " on ")
            and {last.kind, piece.kind} == {"day", "clock"}
        ):
            made[-1] = _Piece(last.start, piece.end, "day", f"{last.said} {piece.said}")
        else:
            made.append(piece)
    return made


def _with_since(flat: str, pieces: list[_Piece]) -> Iterator[_Piece]:
    """ "since" and what it is about as one piece."""
    for piece in pieces:
        since = _since().search(flat, max(0, piece.start - _LOOK_BACK), piece.start)
        if since and piece.kind != "now":
            piece = _Piece(since.start(), piece.end, "other", f"since {piece.said}")
        yield piece


def _token(said: str, now: datetime, forward: bool) -> str | None:
    try:
        return read(said, now, forward=forward).token
    except (Unread, ValueError, OverflowError):
        # Looked like a time and is none (the 31st of June): its words stay for others to read.
        return None


def _inside_a_word(low: str, start: int, end: int) -> bool:
    """Whether a match is part of a name or path: web-today, 10:00:00.5, yesterday.log."""
    before, after = low[start - 1 : start], low[end : end + 2]
    if before and (before.isalnum() or before in "_-./:@#$€£"):
        return True
    first = after[:1]
    return bool(first) and (
        first.isalnum() or first in "_-/@%" or (first in ".:" and after[1:].strip() != "")
    )


def _stands(flat: str, piece: _Piece, bare: bool) -> bool:
    """Whether what is before allows it: "a day" needs over, "may" needs in; an age or a rate is no span."""
    before = flat[max(0, piece.start - _LOOK_BACK) : piece.start]
    if piece.kind == "month":
        return piece.said in _PLAIN_MONTHS or _preposition().search(before) is not None
    if piece.kind != "bare":
        return True
    if piece.said.startswith(("a ", "an ")) and not _preposition().search(before):
        return False
    return bare and not _not_rolling().search(before)


_PLAIN_MONTHS = frozenset(MONTHS) - {"may", "march"}


@cache
def _hint() -> re.Pattern[str]:
    """A word without which there is no time in a question."""
    return re.compile(
        r"\d|day|night|week|month|mon|tue|wed|thu|fri|sat|sun|quarter|year|morning|noon|evening|now|currently|moment|present"
        r"|hour|min|sec|td| [ap]m\b|last|past|prev|since|fortnight|sept|"
        + "|".join(name[:3] for name in MONTHS)
    )


@cache
def _coming() -> re.Pattern[str]:
    return re.compile(r"\b(?:forecast|project(?:ed|ion|s)|predict|expect|upcoming|will|estimate)")


@cache
def _compared() -> re.Pattern[str]:
    return re.compile(r"\b(?:compared?(?: to| with)?|against|versus|vs\.?|than|from|different to) $")


@cache
def _day_lead() -> re.Pattern[str]:
    weekday = "|".join([*WEEKDAYS, *SHORT_WEEKDAYS])
    joins = " and| to| until| till| through|,| -|-"
    leads = "on|since|from|until|till|between|by|before|after"
    return re.compile(rf"(?:\b(?:{leads})|\b(?:{weekday})(?:{joins})) ?$")


@cache
def _clocked() -> re.Pattern[str]:
    """A clock beside a day: `4pm yesterday`, whose day holds for `between 2pm and` as well."""
    clock = r"(?:\d\d?:\d\d(?: ?[ap]m)?|\d\d? ?[ap]m|noon|midday|midnight)"
    return re.compile(rf"^{clock} | {clock}$")


@cache
def _from() -> re.Pattern[str]:
    return re.compile(r"\b(?:between|from)(?: the)? $")


@cache
def _since() -> re.Pattern[str]:
    return re.compile(r"\b(?:since|starting)(?: on| from| the| at| in)* $")


@cache
def _not_rolling() -> re.Pattern[str]:
    """Before a length of time: what makes it an age, a rate, a limit or the future, no span that ends now."""
    return re.compile(
        r"(?:\b(?:than|every|per|each|at least|at most|under|above|below|exceed(?:ing|s)?|max(?:imum)?"
        r"|up to|next|first)|[<>=/@~$€£]) *$"
    )


@cache
def _preposition() -> re.Pattern[str]:
    return re.compile(r"\b(?:over|within|during|across|in|for|of|by|since) $")


@cache
def _times() -> re.Pattern[str]:
    number = rf"(?:\d+(?:\.\d+)?|(?:a )?(?:couple of|couple|few)|half an?|{'|'.join(NUMBERS)})"
    spelled = sorted((unit for unit in UNITS if len(unit) > 1), key=len, reverse=True)
    length = rf"(?:{'|'.join(spelled)}|fortnights?)"
    zone = r"(?: ?z| ?utc|[+-]\d\d:?\d\d)?"
    stamp = rf"20\d\d-\d\d?(?:-\d\d?(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?{zone})?)?|20\d\d/\d\d?/\d\d?"
    month = rf"(?:(?:{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\b\.?)"
    # The month is spelled out once: a day may stand before it, a day or a year behind it.
    spelled_day = "|".join(name.replace("-", "[- ]") for name in sorted(DAYS, key=len, reverse=True))
    nth = rf"(?:\d\d?(?:st|nd|rd|th)?|{spelled_day})"
    date = rf"(?:{nth}(?: of)? )?{month}(?: (?:the )?{nth}\b(?![:.]\d))?(?:,? 20\d\d)?"
    day = (
        rf"day before yesterday|yesterday(?: (?:morning|afternoon|evening|night))?|today|tomorrow|tonight"
        rf"|last (?:night|evening)|this (?:morning|afternoon|evening)"
        rf"|(?:(?:last|this|next) )?(?:{'|'.join(WEEKDAYS)})"
    )
    short = rf"(?:(?:last|this|next) )?(?:{'|'.join(SHORT_WEEKDAYS)})"
    which = "this past|last|this|next|current|previous|prior|past|trailing|preceding"
    calendar = (
        rf"(?:{which})[ -](?:(?:{number}[ -]?)?(?:{length}|[smhdw]\b)|weekend|{month})(?: so far)?"
        r"|(?:week|month|quarter|year)[ -]to[ -]date|so far (?:this (?:week|month|quarter|year)|today)"
        r"|since (?:the )?(?:beginning|start) of (?:the|this) (?:week|month|quarter|year)"
        r"|since (?:the|this) (?:week|month|quarter|year) (?:began|started)"
        r"|[mqwy]td|over ?night|weekend|q[1-4](?: 20\d\d)?"
        r"|(?:(?<=\bin )|(?<=\bbefore )|(?<=\bsince )|(?<=\bafter ))20\d\d"
    )
    return re.compile(
        rf"\b(?:(?P<day>{stamp}|{day})|(?P<short>{short})"
        r"|(?P<clock>\d\d?:\d\d(?: ?[ap]m)?|\d\d? ?[ap]m|noon|midday|midnight)"
        rf"|(?P<hour>(?:1?\d|{'|'.join(HOURS)})(?: o'?clock)?"
        r" (?:[ap]m|(?:this|in the) (?:morning|afternoon|evening)|at night|tonight))"
        rf"|(?P<other>{calendar})|(?P<date>{date})"
        r"|(?P<now>right now|at the moment|at present|currently|now)"
        rf"|(?P<bare>\d+[smhd]|{number}[ -]?{length}(?P<ago> ago)?))(?![a-z0-9])"
    )
