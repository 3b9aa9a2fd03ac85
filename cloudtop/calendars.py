"""Spans of the calendar by name, as functions of the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORT_WEEKDAYS = {
    **{name[:3]: name for name in WEEKDAYS},
    "tues": "tuesday",
    "weds": "wednesday",
    "thur": "thursday",
    "thurs": "thursday",
}
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth"),
)
DAYS = {
    **{name: day for day, name in enumerate(_ORDINALS, 1)},
    **{f"twenty-{name}": 20 + day for day, name in enumerate(_ORDINALS[:9], 1)},
    "thirtieth": 30,
    "thirty-first": 31,
}
"""Days of a month in words."""


def midnight(now: datetime) -> datetime:
    """When the day of `now` began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def month_span(year: int, month: int) -> tuple[datetime, datetime]:
    """A calendar month; month may lie outside 1 to 12."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)


def quarter_span(now: datetime, offset: int) -> tuple[datetime, datetime]:
    """A calendar quarter, counted from the present one."""
    first = (now.month - 1) // 3 * 3 + 1 + 3 * offset
    return month_span(now.year, first)[0], month_span(now.year, first + 2)[1]


def _week(now: datetime, offset: int) -> tuple[datetime, datetime]:
    start = midnight(now) - DAY * now.weekday() + 7 * DAY * offset
    return start, start + 7 * DAY


def _year(now: datetime, offset: int) -> tuple[datetime, datetime]:
    return datetime(now.year + offset, 1, 1, tzinfo=UTC), datetime(now.year + offset + 1, 1, 1, tzinfo=UTC)


def _hours(now: datetime, days: int, start: int, end: int) -> tuple[datetime, datetime]:
    day = midnight(now) + DAY * days
    return day + HOUR * start, day + HOUR * end


_Span = Callable[[datetime], tuple[datetime, datetime]]
CALENDAR: dict[str, _Span] = {
    "now": lambda now: (now, now),
    "today": lambda now: _hours(now, 0, 0, 24),
    "yesterday": lambda now: _hours(now, -1, 0, 24),
    "day_before_yesterday": lambda now: _hours(now, -2, 0, 24),
    "tomorrow": lambda now: _hours(now, 1, 0, 24),
    "overnight": lambda now: _hours(now, 0, -2, 6),
    "this_morning": lambda now: _hours(now, 0, 6 if now.hour >= 6 else 0, 12),
    "this_afternoon": lambda now: _hours(now, 0, 12, 18),
    "this_evening": lambda now: _hours(now, 0, 18, 24),
    "tonight": lambda now: _hours(now, 0, 18, 24),
    "yesterday_morning": lambda now: _hours(now, -1, 6, 12),
    "yesterday_afternoon": lambda now: _hours(now, -1, 12, 18),
    "yesterday_evening": lambda now: _hours(now, -1, 18, 24),
    "this_week": lambda now: _week(now, 0),
    "last_week": lambda now: _week(now, -1),
    "next_week": lambda now: _week(now, 1),
    "last_weekend": lambda now: _hours(now, -(now.weekday() + 2), 0, 48),
    "this_month": lambda now: month_span(now.year, now.month),
    "last_month": lambda now: month_span(now.year, now.month - 1),
    "next_month": lambda now: month_span(now.year, now.month + 1),
    "this_quarter": lambda now: quarter_span(now, 0),
    "last_quarter": lambda now: quarter_span(now, -1),
    "next_quarter": lambda now: quarter_span(now, 1),
    "this_year": lambda now: _year(now, 0),
    "last_year": lambda now: _year(now, -1),
    "next_year": lambda now: _year(now, 1),
    "week_to_date": lambda now: _week(now, 0),
    "month_to_date": lambda now: month_span(now.year, now.month),
    "quarter_to_date": lambda now: quarter_span(now, 0),
    "year_to_date": lambda now: _year(now, 0),
}
"""Each name and its whole span; what is still running is cut at now by who reads it."""
ALIASES = {
    **dict.fromkeys(("right_now", "currently", "at_the_moment", "at_present", "presently"), "now"),
    **dict.fromkeys(("last_night", "over_night"), "overnight"),
    **{
        f"since_{which}_{unit}_{began}": f"{unit}_to_date"
        for which in ("the", "this")
        for unit in ("week", "month", "quarter", "year")
        for began in ("began", "started")
    },
    **{
        f"since_{the}{begins}_of_{which}_{unit}": f"{unit}_to_date"
        for the in ("the_", "")
        for begins in ("beginning", "start")
        for which in ("the", "this")
        for unit in ("week", "month", "quarter", "year")
    },
    **dict.fromkeys(("mtd", "month-to-date", "this_month_so_far", "so_far_this_month"), "month_to_date"),
    **dict.fromkeys(("ytd", "year-to-date", "this_year_so_far", "so_far_this_year"), "year_to_date"),
    **dict.fromkeys(("qtd", "quarter-to-date", "so_far_this_quarter"), "quarter_to_date"),
    **dict.fromkeys(("wtd", "week-to-date", "so_far_this_week", "this_week_so_far"), "week_to_date"),
    **dict.fromkeys(("so_far_today", "today_so_far", "day_to_date", "current_day"), "today"),
    **{
        f"{word}_{unit}": f"this_{unit}"
        for word in ("current",)
        for unit in ("week", "month", "quarter", "year")
    },
    **{
        f"{word}_{unit}": f"last_{unit}"
        for word in ("previous", "prior")
        for unit in ("week", "month", "quarter", "year")
    },
    **dict.fromkeys(("weekend", "past_weekend", "previous_weekend", "this_past_weekend"), "last_weekend"),
    "previous_day": "yesterday",
    "prior_day": "yesterday",
    "last_evening": "yesterday_evening",
    "yesterday_night": "overnight",
    "morning": "this_morning",
    "this_past_week": "last_7d",
}
"""Other names of the same spans."""
