"""Times as people write them, read against a clock that is passed in. Pure.

Days are UTC days and weeks start on Monday. `last_<n><unit>`, `past week` and `24h` are rolling and end now;
`yesterday`, `last_week`, `last_month` are whole calendar spans; `today`, `this_week`, `month_to_date` begin
on the calendar and end now. `since_<x>` begins where x does: since_monday is the last Monday before today,
since_12:00 the last noon. A day with an hour, and a moment, stand for the hour that begins there. In `a/b` a
date or a calendar word at the end is included whole. `overnight` is 22:00 to 06:00, the morning 06:00 to
12:00, the afternoon 12:00 to 18:00, the evening 18:00 to midnight. A rolling month has 30 days, a year 365.
Imported late: cloudtop.timespans, cloudtop.text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cloudtop.calendars import CALENDAR, MONTHS, WEEKDAYS
from cloudtop.errors import ArgumentError
from cloudtop.timewords import (
    SHAPE,
    UNIT_S,
    UNITS,
    Backwards,
    Interval,
    Unread,
    normal,
    read,
)

__all__ = ["ACCEPTED", "Interval", "duration_s", "interval", "spoken"]

ACCEPTED = (
    "last_24h, 45m, last_7d, last_week, last_month, last_quarter, this_week, this_month, today, yesterday, "
    "overnight, month_to_date, since_monday, since_12:00, 2026-11, 2026-11-12, 2026-11-12T03:00Z, "
    "today_03:00 or a/b"
)
"""What a refused time argument is told."""


def interval(text: str, now: datetime, *, past_only: bool = False, argument: str = "time") -> Interval:
    """The interval that a time argument means. `past_only` refuses what has not begun yet."""
    now = now.astimezone(UTC).replace(microsecond=0)
    try:
        found = read(text, now)
    except (Unread, ValueError, OverflowError) as error:
        from cloudtop.text import nearest

        close = nearest(
            normal(text[:60]), [*CALENDAR, *WEEKDAYS, *MONTHS, "last_24h", "last_7d", "last_30d"], 1
        )
        message = (
            str(error) if isinstance(error, Backwards) else f"{text[:60]!r} is not a time that can be read"
        )
        raise ArgumentError(argument, message, ACCEPTED, close[0] if close else None) from None
    if past_only and found.start > now:
        begins = f"{found.start:{SHAPE}}"
        raise ArgumentError(
            argument, f"{text!r} begins at {begins}, which is still to come", "a time in the past"
        )
    return found


def duration_s(value: str | float, argument: str = "duration") -> float:
    """Seconds of `30s`, `5m`, `24h`, `1.5 days`, `500ms`, or of a number, which already is seconds."""
    if not isinstance(value, str):
        seconds = float(value)
        if not 0 <= seconds < float("inf"):
            raise ArgumentError(argument, f"{value!r} is not a length of time", "30s, 5m, 24h, 7d or seconds")
        return seconds
    match = re.fullmatch(r"(\d+(?:\.\d+)?)[\s_]*([a-z]*)", value.strip().lower())
    unit = UNITS.get(match[2]) if match else None
    if match and match[2] in ("", "ms"):
        return float(match[1]) / (1000 if match[2] else 1)
    if match is None or unit is None:
        raise ArgumentError(argument, f"{value!r} is not a length of time", "30s, 5m, 24h, 7d or seconds")
    return float(match[1]) * UNIT_S[unit]


def spoken(text: str, now: datetime, *, bare: bool = True) -> list[tuple[int, int, str]]:
    """The times in a free question as (start, end, token). Without `bare`, "24 hours" needs a "last"."""
    from cloudtop.timespans import spans

    return spans(text, now.astimezone(UTC).replace(microsecond=0), bare)
