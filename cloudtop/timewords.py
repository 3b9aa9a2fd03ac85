"""What each expression of time means; `times` is the door to it, `timespans` finds them in a question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cloudtop.calendars import (
    ALIASES,
    CALENDAR,
    DAY,
    DAYS,
    HOUR,
    MONTHS,
    WEEKDAYS,
    midnight,
    month_span,
)
from cloudtop.units import NUMBER_WORDS

NUMBERS = {**NUMBER_WORDS, "a": 1, "an": 1, "couple": 2, "few": 3, "half": 0.5}
SHAPE = "%Y-%m-%dT%H:%M:%SZ"
UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2592000, "q": 7776000, "y": 31536000}
UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "w"),
    **dict.fromkeys(("mo", "month", "months"), "mo"),
    **dict.fromkeys(("quarter", "quarters"), "q"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "y"),
}


_LONGEST = 100
"""Characters of the longest text that can still be one time."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` up to but without `end`, in UTC, and its token. `point`: said as a moment."""

    start: datetime
    end: datetime
    token: str
    point: bool = False

    def echo(self) -> str:
        """The interval as results show it; read again it gives the same start and end."""
        return f"{self.start:{SHAPE}}/{self.end:{SHAPE}}"


class Unread(Exception):
    """The text is not a time."""


def read(text: str, now: datetime, *, forward: bool = False) -> Interval:
    """Read one expression; raises Unread, ValueError or OverflowError. `forward`: months to come."""
    said = normal(text) if len(text) <= _LONGEST else ""
    if not said:
        raise Unread
    return _as_range(said, now, forward) or _single(said, now, forward)


def _single(said: str, now: datetime, forward: bool = False) -> Interval:
    """Anything but a range."""
    ways = (_as_calendar, _as_since, _as_rolling, _as_date, _as_point, _as_named_date, _as_ago)
    for way in ways:
        found = way(said, now, forward)
        if found is not None:
            return found
    raise Unread


class Backwards(Unread):
    """A range whose end is before its beginning."""


@cache
def _filler() -> re.Pattern[str]:
    return re.compile(r"(?:(?:in|over|for|during|within|on|at|of|from|the|around)_)+(?=.)")


def normal(text: str) -> str:
    """Lower case, underscores for blanks, without commas and leading prepositions."""
    words = text.lower().replace("_", " ").replace(",", " ").split()
    said = "_".join(words).replace("this_past_", "past_")
    if said.startswith("from_") and re.search(r"_(?:to|until|till|and)_", said):
        return said
    return _filler().sub("", said, count=1) if _filler().match(said) else said


def _as_calendar(said: str, now: datetime, forward: bool) -> Interval | None:
    token = ALIASES.get(said, said)
    span = CALENDAR.get(token)
    if span is None:
        return None
    start, end = span(now)
    if token == "next_month":
        token = f"{start:%Y-%m}"
    return Interval(start, end if start > now else min(end, now), token, token == "now")


@cache
def _rolling() -> re.Pattern[str]:
    longest_first = "|".join(sorted((*UNITS, "fortnights", "fortnight"), key=len, reverse=True))
    return re.compile(
        r"(?:(last|past|previous|prior|trailing|recent|preceding)_)?(?:(\d+(?:\.\d+)?"
        rf"|{'|'.join(NUMBERS)})(?:_of)?[_-]?(?:an?_)?)?({longest_first})"
    )


def _as_rolling(said: str, now: datetime, forward: bool) -> Interval | None:
    match = _rolling().fullmatch(said.replace("a_couple", "couple").replace("a_few", "few"))
    if match is None or not (match[1] or match[2]):
        return None
    number = NUMBERS[match[2]] if match[2] in NUMBERS else float(match[2] or 1)
    unit = UNITS.get(match[3], "w")
    seconds = round(number * UNIT_S[unit] * (1 if match[3] in UNITS else 2))
    # Named in the unit that was said; a day is 24h, whatever is longer than a day is days.
    named = {"d": "h" if seconds == UNIT_S["d"] else "d"}.get(unit, unit if unit in "smh" else "d")
    for name in (named, "h", "m", "s"):
        if seconds >= UNIT_S[name] and seconds % UNIT_S[name] == 0:
            return Interval(now - timedelta(seconds=seconds), now, f"last_{seconds // UNIT_S[name]}{name}")
    raise Unread


def _as_since(said: str, now: datetime, forward: bool) -> Interval | None:
    word, _, rest = said.partition("_")
    if word not in ("since", "after", "starting") or not rest:
        return None
    rest = _filler().sub("", rest, count=1) if _filler().match(rest) else rest
    if rest in WEEKDAYS:
        back = (now.weekday() - WEEKDAYS.index(rest) - 1) % 7 + 1
        return _open(midnight(now) - back * DAY, now, f"since_{rest}")
    clock = _clock(rest)
    if clock is not None:
        start = midnight(now) + clock
        return _open(start if start <= now else start - DAY, now, f"since_{_hhmm(clock)}")
    found = read(rest, now)
    # Since a rolling span, or so long ago, is that span.
    if found.token.startswith("last_") and found.end == now:
        return found
    return _open(found.start, now, f"since_{found.token}")


def _open(start: datetime, now: datetime, token: str) -> Interval:
    return Interval(start, max(start, now), token)


@cache
def _clock_pattern() -> re.Pattern[str]:
    return re.compile(r"(\d{1,2})(?::(\d{2}))?_?(am|pm|a\.m\.?|p\.m\.?)?")


def _clock(said: str) -> timedelta | None:
    """A time of day: 12:00, 3am, 3_pm, noon, midnight; a bare number is none."""
    fixed = {"noon": 12, "midday": 12, "midnight": 0}.get(said)
    if fixed is not None:
        return HOUR * fixed
    match = _clock_pattern().fullmatch(said)
    if match is None or not (match[2] or match[3]):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            raise Unread
        hour = hour % 12 + (12 if match[3].startswith("p") else 0)
    if hour > 23 or minute > 59:
        raise Unread
    return timedelta(hours=hour, minutes=minute)


def _hhmm(clock: timedelta) -> str:
    minutes = int(clock.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


@cache
def _iso_pattern() -> re.Pattern[str]:
    return re.compile(
        r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2})"
        r"(?:[t_](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?_?(z|utc|gmt|[+-]\d{2}:?\d{2})?)?)?)?"
    )


def _as_date(said: str, now: datetime, forward: bool) -> Interval | None:
    """2026, 2026-11, 2026-11-12, 2026-11-12T03:00Z."""
    match = _iso_pattern().fullmatch(said)
    if match is None:
        return None
    year, month, day, clock, zone = match.groups()
    if month is None:
        return Interval(
            datetime(int(year), 1, 1, tzinfo=UTC), datetime(int(year) + 1, 1, 1, tzinfo=UTC), year
        )
    if day is None:
        start, end = month_span(int(year), int(month)) if 1 <= int(month) <= 12 else _refuse()
        return Interval(start, end, f"{start:%Y-%m}")
    start = datetime(int(year), int(month), int(day), tzinfo=UTC)
    if clock is None:
        return Interval(start, start + DAY, f"{start:%Y-%m-%d}")
    zone = "+00:00" if zone in (None, "z", "utc", "gmt") else zone
    start = datetime.fromisoformat(f"{start:%Y-%m-%d}T{clock}{zone}").astimezone(UTC)
    shape = "%Y-%m-%dT%H:%M:%SZ" if start.second else "%Y-%m-%dT%H:%MZ"
    return Interval(start, start + HOUR, start.strftime(shape), True)


def _refuse() -> tuple[datetime, datetime]:
    raise Unread


def _as_point(said: str, now: datetime, forward: bool) -> Interval | None:
    """today_03:00, 3am_yesterday, monday_at_noon, 2026-11-12_03:00, 14:30 (today)."""
    alone = _clock(said)
    if alone is not None:
        return _at("today", midnight(now), alone)
    words = said.replace("_at_", "_").replace("_on_", "_").split("_")
    for size in (1, 2):
        for clock_words, day_words in ((words[-size:], words[:-size]), (words[:size], words[size:])):
            clock = _clock("_".join(clock_words)) if day_words and clock_words else None
            if clock is None:
                continue
            day = read("_".join(day_words), now)
            if day.token == "overnight":
                # At 3am last night is today's; at 11pm last night is yesterday's.
                late = clock >= 12 * HOUR
                day = read("yesterday" if late else "today", now)
            if day.token == "today" or day.end - day.start == DAY:
                return _at(day.token, day.start, clock)
    return None


def _at(token: str, day: datetime, clock: timedelta) -> Interval:
    dated = token[0].isdigit()
    said = f"{token}T{_hhmm(clock)}Z" if dated else f"{token}_{_hhmm(clock)}"
    return Interval(day + clock, day + clock + HOUR, said, True)


@cache
def _named_date() -> re.Pattern[str]:
    month = f"({'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)" + r"\.?"
    # Longest first: "sixth" is the beginning of no other, "first" is.
    spelled = "|".join(name.replace("-", "[-_]") for name in sorted(DAYS, key=len, reverse=True))
    ordinal = rf"(\d{{1,2}}|{spelled})(?:st|nd|rd|th)?"
    return re.compile(
        rf"(?:(last|this|next|past)_)?(?:{month}(?:_(?:the_)?{ordinal})?|{ordinal}_(?:of_)?{month})(?:_(\d{{4}}))?"
    )


def _as_named_date(said: str, now: datetime, forward: bool) -> Interval | None:
    """november, last_november, nov_12, 12th_of_november_2026, monday, last_friday, q3, q3_2026."""
    which, _, name = said.rpartition("_")
    if name in WEEKDAYS and which in ("", "last", "this", "past", "next"):
        return _weekday(WEEKDAYS.index(name), now, which == "next")
    quarter = re.fullmatch(r"q([1-4])(?:_(\d{4}))?", said)
    if quarter:
        return _quarter_named(int(quarter[1]), quarter[2], now)
    match = _named_date().fullmatch(said)
    if match is None:
        return None
    which, name, day = match[1] or "", match[2] or match[5], match[3] or match[4]
    month = next(at for at, full in enumerate(MONTHS, 1) if full.startswith(name[:3]))
    day = DAYS.get(day.replace("_", "-"), day) if day else None
    year = int(match[6]) if match[6] else _year_of(month, int(day or 1), now, which, forward)
    if day is None:
        start, end = month_span(year, month)
        return Interval(start, end, f"{start:%Y-%m}")
    start = datetime(year, month, int(day), tzinfo=UTC)
    return Interval(start, start + DAY, f"{start:%Y-%m-%d}")


def _year_of(month: int, day: int, now: datetime, which: str, forward: bool) -> int:
    """The year of a month said without one: the last that has begun; `forward`: the next not yet over."""
    if which == "this":
        return now.year
    if which == "next" or (forward and which == ""):
        passed = month < now.month or (which == "next" and month == now.month)
        return now.year + passed
    began = (month, day) <= (now.month, now.day)
    if which in ("last", "past") and month == now.month:
        began = False
    return now.year - (not began)


def _weekday(index: int, now: datetime, coming: bool) -> Interval:
    back = (now.weekday() - index - 1) % 7 + 1
    day = midnight(now) + ((7 - back) % 7 or 7) * DAY if coming else midnight(now) - back * DAY
    return Interval(day, day + DAY, f"{day:%Y-%m-%d}")


def _quarter_named(quarter: int, year: str | None, now: datetime) -> Interval:
    first = quarter * 3 - 2
    of_year = int(year) if year else now.year - (first > now.month)
    start, end = month_span(of_year, first)[0], month_span(of_year, first + 2)[1]
    return Interval(start, end, f"{start:%Y-%m-%d}/{end - DAY:%Y-%m-%d}")


def _as_ago(said: str, now: datetime, forward: bool) -> Interval | None:
    """3_days_ago is that day; 2_hours_ago the hour that began then."""
    length = said.removesuffix("_ago")
    span = _as_rolling(length, now, forward) if length != said else None
    if span is None:
        return None
    if (now - span.start) % DAY:
        return Interval(span.start, span.start + HOUR, f"{span.start:%Y-%m-%dT%H:%MZ}", True)
    day = midnight(span.start)
    return Interval(day, day + DAY, f"{day:%Y-%m-%d}")


def _as_range(said: str, now: datetime, forward: bool) -> Interval | None:
    """a/b, a..b, between_a_and_b, from_a_to_b; an open end is now."""
    if _iso_pattern().fullmatch(said) or said.endswith("_to_date"):
        return None
    bare = said.removeprefix("between_").removeprefix("from_")
    for mark in ("/", "..", "_and_", "_to_", "_until_", "_till_", "_through_"):
        for at in (match.start() for match in re.finditer(re.escape(mark), bare)):
            first, last = bare[:at], bare[at + len(mark) :].strip(".")
            try:
                a, b = _single(normal(first), now, forward), _single(normal(last or "now"), now, forward)
            except (Unread, ValueError):
                continue
            return _between(a, b, (first, last), now)
    return None


def _between(a: Interval, b: Interval, said: tuple[str, str], now: datetime) -> Interval:
    """From where `a` begins to where `b` ends, or to `b` itself when that is a moment."""
    start, end = a.start, b.start if b.point else b.end
    if end < start and all(word in WEEKDAYS for word in said):
        if WEEKDAYS[now.weekday()] == said[1]:
            b = read("today", now)
            end = b.end
        else:
            start -= 7 * DAY
            a = Interval(start, start + DAY, f"{start:%Y-%m-%d}")
    if end < start:
        raise Backwards(f"{'/'.join(said)} ends before it begins")
    return Interval(start, end, f"{a.token}/{b.token}")
