"""Times as people write them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.errors import ArgumentError
from cloudtop.times import duration_s, interval, spoken

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)  # a Friday

# What is said, its token, and the interval without the year.
READINGS = [
    ("24h", "last_24h", "11-19T14:00", "11-20T14:00"),
    ("7d", "last_7d", "11-13T14:00", "11-20T14:00"),
    ("30m", "last_30m", "11-20T13:30", "11-20T14:00"),
    ("last_7d", "last_7d", "11-13T14:00", "11-20T14:00"),
    ("last 24 hours", "last_24h", "11-19T14:00", "11-20T14:00"),
    ("last 48 hours", "last_48h", "11-18T14:00", "11-20T14:00"),
    ("the past day", "last_24h", "11-19T14:00", "11-20T14:00"),
    ("past week", "last_7d", "11-13T14:00", "11-20T14:00"),
    ("in the past month", "last_30d", "10-21T14:00", "11-20T14:00"),
    ("previous 30 days", "last_30d", "10-21T14:00", "11-20T14:00"),
    ("last 45 min", "last_45m", "11-20T13:15", "11-20T14:00"),
    ("last two weeks", "last_14d", "11-06T14:00", "11-20T14:00"),
    ("last couple of days", "last_2d", "11-18T14:00", "11-20T14:00"),
    ("last 1.5 hours", "last_90m", "11-20T12:30", "11-20T14:00"),
    ("half an hour", "last_30m", "11-20T13:30", "11-20T14:00"),
    ("a week", "last_7d", "11-13T14:00", "11-20T14:00"),
    ("today", "today", "11-20T00:00", "11-20T14:00"),
    ("yesterday", "yesterday", "11-19T00:00", "11-20T00:00"),
    ("day_before_yesterday", "day_before_yesterday", "11-18T00:00", "11-19T00:00"),
    ("overnight", "overnight", "11-19T22:00", "11-20T06:00"),
    ("last night", "overnight", "11-19T22:00", "11-20T06:00"),
    ("this morning", "this_morning", "11-20T06:00", "11-20T12:00"),
    ("this_week", "this_week", "11-16T00:00", "11-20T14:00"),
    ("last week", "last_week", "11-09T00:00", "11-16T00:00"),
    ("this month", "this_month", "11-01T00:00", "11-20T14:00"),
    ("last_month", "last_month", "10-01T00:00", "11-01T00:00"),
    ("previous month", "last_month", "10-01T00:00", "11-01T00:00"),
    ("last quarter", "last_quarter", "07-01T00:00", "10-01T00:00"),
    ("MTD", "month_to_date", "11-01T00:00", "11-20T14:00"),
    ("year to date", "year_to_date", "01-01T00:00", "11-20T14:00"),
    ("since yesterday", "since_yesterday", "11-19T00:00", "11-20T14:00"),
    ("since_monday", "since_monday", "11-16T00:00", "11-20T14:00"),
    ("since friday", "since_friday", "11-13T00:00", "11-20T14:00"),
    ("since noon", "since_12:00", "11-20T12:00", "11-20T14:00"),
    ("since 3 pm", "since_15:00", "11-19T15:00", "11-20T14:00"),
    ("since_last_week", "since_last_week", "11-09T00:00", "11-20T14:00"),
    ("since this morning", "since_this_morning", "11-20T06:00", "11-20T14:00"),
    ("since 2026-11-01", "since_2026-11-01", "11-01T00:00", "11-20T14:00"),
    ("since november", "since_2026-11", "11-01T00:00", "11-20T14:00"),
    ("since 24h", "last_24h", "11-19T14:00", "11-20T14:00"),
    ("2026-11", "2026-11", "11-01T00:00", "12-01T00:00"),
    ("2026-11-12", "2026-11-12", "11-12T00:00", "11-13T00:00"),
    ("2026-11-12T03:00Z", "2026-11-12T03:00Z", "11-12T03:00", "11-12T04:00"),
    ("2026-11-12 03:00", "2026-11-12T03:00Z", "11-12T03:00", "11-12T04:00"),
    ("2026-11-12T03:00:00+02:00", "2026-11-12T01:00Z", "11-12T01:00", "11-12T02:00"),
    ("2026-11-01/2026-11-10", "2026-11-01/2026-11-10", "11-01T00:00", "11-11T00:00"),
    ("2026-11-01..2026-11-10", "2026-11-01/2026-11-10", "11-01T00:00", "11-11T00:00"),
    ("2026-11-01/now", "2026-11-01/now", "11-01T00:00", "11-20T14:00"),
    ("2026-11-01/..", "2026-11-01/now", "11-01T00:00", "11-20T14:00"),
    ("from monday to wednesday", "2026-11-16/2026-11-18", "11-16T00:00", "11-19T00:00"),
    ("between 2 pm and 4 pm", "today_14:00/today_16:00", "11-20T14:00", "11-20T16:00"),
    ("today_03:00", "today_03:00", "11-20T03:00", "11-20T04:00"),
    ("3am yesterday", "yesterday_03:00", "11-19T03:00", "11-19T04:00"),
    ("3am last night", "today_03:00", "11-20T03:00", "11-20T04:00"),
    ("11pm last night", "yesterday_23:00", "11-19T23:00", "11-20T00:00"),
    ("nov 12", "2026-11-12", "11-12T00:00", "11-13T00:00"),
    ("12th of November 2026", "2026-11-12", "11-12T00:00", "11-13T00:00"),
    ("november 12th, 2026", "2026-11-12", "11-12T00:00", "11-13T00:00"),
    ("october", "2026-10", "10-01T00:00", "11-01T00:00"),
    ("last friday", "2026-11-13", "11-13T00:00", "11-14T00:00"),
    ("q3", "2026-07-01/2026-09-30", "07-01T00:00", "10-01T00:00"),
    ("3 days ago", "2026-11-17", "11-17T00:00", "11-18T00:00"),
    ("2 hours ago", "2026-11-20T12:00Z", "11-20T12:00", "11-20T13:00"),
]


@pytest.mark.parametrize(("said", "token", "start", "end"), READINGS)
def test_each_expression_means_one_interval(said: str, token: str, start: str, end: str) -> None:
    found = interval(said, NOW)
    assert found.token == token
    assert found.echo() == f"2026-{start}:00Z/2026-{end}:00Z"


@pytest.mark.parametrize("said", [reading[0] for reading in READINGS])
def test_the_token_means_what_was_said(said: str) -> None:
    found = interval(said, NOW)
    again = interval(found.token, NOW)
    assert (again.start, again.end, again.token) == (found.start, found.end, found.token)


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("last december", "2025-12-01", "2026-01-01"),
        ("december", "2025-12-01", "2026-01-01"),
        ("last november", "2025-11-01", "2025-12-01"),
        ("nov 25", "2025-11-25", "2025-11-26"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("2025", "2025-01-01", "2026-01-01"),
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2025-12-31", "2025-12-31", "2026-01-01"),
        ("next month", "2026-12-01", "2027-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
    ],
)
def test_years_turn_where_they_should(said: str, start: str, end: str) -> None:
    assert interval(said, NOW).echo() == f"{start}T00:00:00Z/{end}T00:00:00Z"


def test_calendar_words_in_january_reach_into_the_year_before() -> None:
    now = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
    assert interval("last_month", now).echo() == "2026-12-01T00:00:00Z/2027-01-01T00:00:00Z"
    assert interval("last_quarter", now).echo() == "2026-10-01T00:00:00Z/2027-01-01T00:00:00Z"
    assert interval("this_week", now).echo() == "2026-12-28T00:00:00Z/2027-01-01T00:30:00Z"
    assert interval("year_to_date", now).echo() == "2027-01-01T00:00:00Z/2027-01-01T00:30:00Z"
    assert interval("this morning", now).start <= now


def test_days_are_utc_days_whatever_zone_the_clock_is_in() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9))).replace(hour=1)  # still the 19th in UTC
    assert interval("today", tokyo).echo() == "2026-11-19T00:00:00Z/2026-11-19T16:00:00Z"


def test_a_working_week_said_on_its_last_day_ends_now() -> None:
    assert interval("from monday to friday", NOW).echo() == "2026-11-16T00:00:00Z/2026-11-20T14:00:00Z"
    assert interval("wednesday to monday", NOW).echo() == "2026-11-11T00:00:00Z/2026-11-17T00:00:00Z"


@pytest.mark.parametrize(
    "said",
    [
        *("", "  ", "banana", "2026-13", "2026-02-30", "25:00", "13pm", "last_0h", "last 9999999d", "a/b"),
        *("june 31", "/", "since", "last_10000000000000000000000000000d", "0000", "24h x", "9999"),
        *("since_" * 3000, "a/" * 3000, "9" * 9000),
    ],
)
def test_what_is_no_time_is_refused_by_name_with_what_is_accepted(said: str) -> None:
    with pytest.raises(ArgumentError, match=r"^time: .*Accepted: last_24h"):
        interval(said, NOW)


def test_a_misspelled_word_is_answered_with_the_nearest() -> None:
    with pytest.raises(ArgumentError) as refused:
        interval("yesteday", NOW, argument="created_since")
    assert refused.value.argument == "created_since"
    assert refused.value.nearest == "yesterday"


def test_an_interval_that_ends_before_it_begins_is_refused_in_a_sentence() -> None:
    with pytest.raises(ArgumentError, match="ends before it begins"):
        interval("2026-11-10/2026-11-01", NOW)


@pytest.mark.parametrize(
    "said", ["tomorrow", "2026-12", "next week", "2027-01-01", "2026-11-20T15:00Z", "since tomorrow"]
)
def test_the_future_is_refused_where_only_the_past_can_be_meant(said: str) -> None:
    assert interval(said, NOW).start > NOW
    with pytest.raises(ArgumentError, match="still to come"):
        interval(said, NOW, past_only=True)


@pytest.mark.parametrize("said", ["2026-11", "today", "now", "24h", "this_month"])
def test_what_has_begun_is_not_the_future(said: str) -> None:
    assert interval(said, NOW, past_only=True).start <= NOW


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))


@given(
    now=MOMENTS, said=st.sampled_from([reading[0] for reading in READINGS if "2026-11-01/" not in reading[0]])
)
def test_every_interval_begins_before_it_ends_and_its_echo_means_the_same(now: datetime, said: str) -> None:
    found = interval(said, now)
    again = interval(found.echo(), now)
    assert found.start <= found.end
    assert (again.start, again.end) == (found.start, found.end)
    assert again.echo() == found.echo()


@given(a=MOMENTS, b=MOMENTS)
def test_two_moments_make_the_interval_between_them(a: datetime, b: datetime) -> None:
    a, b = sorted((a.replace(microsecond=0), b.replace(microsecond=0)))
    found = interval(f"{a.isoformat()}/{b.isoformat()}", NOW)
    assert (found.start, found.end) == (a, b)


@given(n=st.integers(min_value=1, max_value=400), unit=st.sampled_from("mhd"), now=MOMENTS)
def test_a_rolling_interval_is_as_long_as_it_says(n: int, unit: str, now: datetime) -> None:
    found = interval(f"last_{n}{unit}", now)
    assert (found.end - found.start).total_seconds() == n * {"m": 60, "h": 3600, "d": 86400}[unit]
    assert found.end == now.replace(microsecond=0)
    assert found.token == ("last_24h" if (n, unit) == (1, "d") else f"last_{n}{unit}")


@given(st.text(alphabet=st.sampled_from("0123456789-/_:. tzhdmsinceastwkyo"), max_size=24))
def test_any_text_is_either_read_or_refused(said: str) -> None:
    with contextlib.suppress(ArgumentError):
        assert interval(said, NOW).start <= interval(said, NOW).end


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("30s", 30), ("5m", 300), ("24h", 86400), (90, 90), ("90", 90), ("500ms", 0.5)),
        *(("1.5 days", 129600), ("2 weeks", 1209600)),
    ],
)
def test_durations_are_read_in_seconds(value: str | float, seconds: float) -> None:
    assert duration_s(value) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5s", -1, float("inf"), float("nan"), "5 parsecs"])
def test_what_is_no_duration_is_refused_by_name(value: str | float) -> None:
    with pytest.raises(ArgumentError, match=r"^timeout: "):
        duration_s(value, "timeout")


QUESTIONS = [
    ("best deal on an H200 today?", ["today"]),
    ("memory on cache-01 right now", ["now"]),
    ("now cpu", ["now"]),
    ("terminated instances from the past day", ["last_24h"]),
    ("servers running hotter than 75% cpu since noon", ["since_12:00"]),
    ("avg gpu utilization, h100 fleet, previous 30 days", ["last_30d"]),
    ("latency on api-gateway for the last 45 min", ["last_45m"]),
    ("what's different compared to this morning", ["since_this_morning"]),
    ("errors this morning", ["this_morning"]),
    ("modified security groups in the past 3 days", ["last_3d"]),
    ("total spend last week per cloud", ["last_week"]),
    ("projected december bill", ["2026-12"]),
    ("spend in december", ["2025-12"]),
    ("what will january cost", ["2027-01"]),
    ("spend in november", ["2026-11"]),
    ("cost on nov 12", ["2026-11-12"]),
    ("12 november 2026 costs", ["2026-11-12"]),
    ("cost this month vs last month", ["this_month", "last_month"]),
    ("cpu at 3am today", ["today_03:00"]),
    ("cpu yesterday at 14:00", ["yesterday_14:00"]),
    ("last night at 11pm", ["yesterday_23:00"]),
    ("network of db-1 between 2pm and 4pm", ["today_14:00/today_16:00"]),
    ("network of db-1 between 2pm and 4pm yesterday", ["yesterday_14:00/yesterday_16:00"]),
    ("changes from monday to wednesday", ["2026-11-16/2026-11-18"]),
    ("costs 2026-11-01 to 2026-11-10", ["2026-11-01/2026-11-10"]),
    ("cpu 2026-11-19T14:00Z/2026-11-20T14:00Z", ["2026-11-19T14:00Z/2026-11-20T14:00Z"]),
    ("time=last_7d", ["last_7d"]),
    ("cost year to date", ["year_to_date"]),
    ("cpu for the past hour", ["last_1h"]),
    ("cpu over a week", ["last_7d"]),
    ("memory of cache-01 24h", ["last_24h"]),
    ("a week ago", ["2026-11-13"]),
    ("costs in may", ["2026-05"]),
    ("since the 12th of november", ["since_2026-11-12"]),
    ("memory of db-1 yesterday between 2pm and 4pm", ["yesterday_14:00/yesterday_16:00"]),
    ("load on monday from 9am to 5pm", ["2026-11-16T09:00Z/2026-11-16T17:00Z"]),
    ("created before the tenth of november", ["2026-11-10"]),
    ("created on november tenth", ["2026-11-10"]),
    ("older than the twenty-first of october", ["2026-10-21"]),
    ("since november the first", ["since_2026-11-01"]),
    ("launched since eight this morning", ["since_08:00"]),
    ("errors at two at night", ["today_02:00"]),
    ("errors at 12 at night", ["today_00:00"]),
    ("load at nine in the evening", ["today_21:00"]),
    ("the one in the evening", []),
    ("errors at eight am", ["today_08:00"]),
    ("the first of its kind in march", ["2026-03"]),
    ("i am the second", []),
    ("cpu of web-01 mon to wed", ["2026-11-16/2026-11-18"]),
    ("cpu mon-wed", ["2026-11-16/2026-11-18"]),
    ("load on tue", ["2026-11-17"]),
    ("errors since thurs", ["since_thursday"]),
    ("created last fri", ["2026-11-13"]),
    ("which boxes sat idle in the sun", []),
    ("mon alerts", []),
    ("may i see a march of prices", []),
    ("volumes older than 30 days", []),
    ("backup every 5 minutes", []),
    ("$2 an hour", []),
    ("cpu on web-today", []),
    ("grep yesterday.log", []),
    ("10.0.0.1 and i-0123d", []),
    ("31 june cost", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "tokens"), QUESTIONS)
def test_times_are_found_in_free_questions(text: str, tokens: list[str]) -> None:
    assert [token for _, _, token in spoken(text, NOW)] == tokens


def test_a_span_covers_the_words_it_was_read_from() -> None:
    text = "Changes Since Last Week on db-1"
    assert [text[start:end] for start, end, _ in spoken(text, NOW)] == ["Since Last Week"]


def test_bare_lengths_of_time_can_be_left_to_others() -> None:
    assert spoken("h100 for 24 hours", NOW) == [(9, 17, "last_24h")]
    assert spoken("h100 for 24 hours", NOW, bare=False) == []
    assert spoken("cpu last 24 hours", NOW, bare=False) == [(4, 17, "last_24h")]


@pytest.mark.parametrize("text", [text for text, tokens in QUESTIONS if tokens])
def test_every_token_found_in_a_question_is_accepted_as_an_argument(text: str) -> None:
    for _, _, token in spoken(text, NOW):
        assert interval(token, NOW).token == token


@given(st.text(alphabet=st.sampled_from("0123456789-/_:. tlasdeyhournwigm"), max_size=40))
def test_spans_lie_inside_the_text_in_order(text: str) -> None:
    last = 0
    for start, end, token in spoken(text, NOW):
        assert last <= start < end <= len(text)
        assert interval(token, NOW).start <= interval(token, NOW).end
        last = end


def test_letters_that_grow_when_lowered_do_not_shift_the_spans() -> None:
    text = "İİ cpu yesterday İ"
    assert [text[start:end] for start, end, _ in spoken(text, NOW)] == ["yesterday"]
