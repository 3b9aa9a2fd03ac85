"""Money, memory, counts and lengths of time as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.errors import ArgumentError
from cloudtop.units import (
    MONTH_HOURS,
    SNAP_TOLERANCE,
    duration_hours,
    gib,
    gib_from_mib,
    per_hour,
    snap_memory_gib,
    spoken_amounts,
    usd,
    whole,
)


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("$2.50", 2.5),
        ("2.50 USD", 2.5),
        ("US$ 1,200.00", 1200.0),
        ("0.0001", 0.0001),
        ("0", 0.0),
        (".5", 0.5),
        ("3 dollars", 3.0),
        (1.25, 1.25),
        (None, None),
        (True, None),
        ("", None),
        ("free", None),
        ("€2", None),
        ("1,2", None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_dollars_are_read_and_nothing_else_is(text: str | float | None, dollars: float | None) -> None:
    assert usd(text) == dollars


@given(st.decimals(min_value=0, max_value=10**6, places=6))
def test_a_price_survives_being_written_and_read(price: object) -> None:
    assert usd(f"${price}") == float(str(price))


def test_a_price_per_month_is_spread_over_thirty_days() -> None:
    assert per_hour(720, "month") == 1.0
    assert per_hour(24, "day") == 1.0
    assert per_hour(2.5, "gpu_hour") == 2.5
    assert MONTH_HOURS == 30 * 24


@pytest.mark.parametrize(
    ("measured", "sizes", "nominal"),
    [
        (79.6, (40, 80), 80),
        (39.4, (40, 80), 40),
        (23.68, (24, 48), 24),
        (94.0, (80, 94), 94),
        (60.0, (40, 80), None),
        (48.0, (24,), None),
        (141.0, (141,), 141),
        (15.36, (16, 32), 16),
        (8.0, (), None),
    ],
)
def test_a_measured_size_stands_for_the_nominal_one_near_it(
    measured: float, sizes: tuple[float, ...], nominal: float | None
) -> None:
    assert snap_memory_gib(measured, sizes) == nominal


@given(
    st.floats(min_value=0.1, max_value=2000),
    st.lists(st.integers(min_value=1, max_value=1024), min_size=1, max_size=5),
)
def test_no_size_further_off_than_the_tolerance_is_taken(measured: float, sizes: list[int]) -> None:
    nominal = snap_memory_gib(measured, sizes)
    if nominal is None:
        best = min(sizes, key=lambda size: abs(measured - size))
        assert abs(measured - best) > SNAP_TOLERANCE * best
    else:
        assert nominal in sizes
        assert abs(measured - nominal) <= SNAP_TOLERANCE * nominal
        assert abs(measured - nominal) == min(abs(measured - size) for size in sizes)


@given(st.integers(min_value=1, max_value=1024))
def test_a_nominal_size_stands_for_itself(size: int) -> None:
    assert snap_memory_gib(size, [size, size * 2]) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [("80GB", 80), ("80", 80), ("1.5 TB", 1536), ("24 GiB", 24), ("512mb", 0.5), ("80g", 80), ("x", None)],
)
def test_memory_is_read_in_gib(text: str, size: float | None) -> None:
    assert gib(text) == size


def test_unknown_memory_stays_unknown() -> None:
    assert gib_from_mib(81920) == 80
    assert gib_from_mib(None) is None
    assert gib_from_mib(0) is None


@pytest.mark.parametrize(
    ("text", "hours"), [("24h", 24), ("3 days", 72), ("a week", 168), (5, 5), ("200", 200)]
)
def test_a_length_of_time_is_read_in_hours(text: str | float, hours: float) -> None:
    assert duration_hours(text) == hours


def test_what_is_no_length_of_time_is_refused_by_name() -> None:
    with pytest.raises(ArgumentError, match="hours"):
        duration_hours("80GB")


# The text, then what is found: what it covers, kind, value, unit (with /per), op.
SENTENCES = [
    ("$2.5", [("$2.5", "money", 2.5, "usd", "")]),
    ("2.50 usd", [("2.50 usd", "money", 2.5, "usd", "")]),
    ("under 25 dollars/h", [("25 dollars/h", "money", 25, "usd/hour", "lt")]),
    ("$1.50 per gpu hour", [("$1.50 per gpu hour", "money", 1.5, "usd/gpu_hour", "")]),
    ("$3/gpu/h", [("$3/gpu/h", "money", 3, "usd/gpu_hour", "")]),
    ("at most 2.50 an hour", [("2.50 an hour", "money", 2.5, "usd/hour", "le")]),
    ("1,200 usd a month", [("1,200 usd a month", "money", 1200, "usd/month", "")]),
    ("€2 or £3", [("€2", "money", 2, "eur", ""), ("£3", "money", 3, "gbp", "")]),
    ("50 cents", [("50 cents", "money", 0.5, "usd", "")]),
    ("five hundred dollars", [("five hundred dollars", "money", 500, "usd", "")]),
    ("$1-$2", [("$1", "money", 1, "usd", "ge"), ("$2", "money", 2, "usd", "le")]),
    ("between 1 and 2 dollars", [("1", "money", 1, "usd", "ge"), ("2 dollars", "money", 2, "usd", "le")]),
    ("80GB", [("80GB", "memory", 80, "gb", "")]),
    ("80 gigs", [("80 gigs", "memory", 80, "gb", "")]),
    ("a100 80g", [("80g", "memory", 80, "gb", "")]),
    ("A100-80GB", [("80GB", "memory", 80, "gb", "")]),
    ("1.5TB", [("1.5TB", "memory", 1536, "tb", "")]),
    ("24 GiB", [("24 GiB", "memory", 24, "gib", "")]),
    ("half a terabyte", [("half a terabyte", "memory", 512, "tb", "")]),
    ("40 gigabytes or more", [("40 gigabytes", "memory", 40, "gb", "ge")]),
    ("40 to 80 gb", [("40", "memory", 40, "gb", "ge"), ("80 gb", "memory", 80, "gb", "le")]),
    ("200 hours", [("200 hours", "duration", 200, "hour", "")]),
    ("older than 3 days", [("3 days", "duration", 72, "day", "gt")]),
    ("a week", [("a week", "duration", 168, "week", "")]),
    ("half an hour", [("half an hour", "duration", 0.5, "hour", "")]),
    ("one and a half hours", [("one and a half hours", "duration", 1.5, "hour", "")]),
    ("twenty-four hours", [("twenty-four hours", "duration", 24, "hour", "")]),
    ("h200 x8 per day", [("x8", "times", 8, "", ""), ("per day", "rate", 24, "day", "")]),
    ("8x", [("8x", "times", 8, "", "")]),
    ("4x L40S", [("4x", "times", 4, "", "")]),
    ("8xA100", [("8x", "times", 8, "", "")]),
    ("4x4090", [("4x", "times", 4, "", "")]),
    ("a100x8", [("x8", "times", 8, "", "")]),
    ("8 gpus", [("8 gpus", "count", 8, "gpu", "")]),
    ("eight or more cores", [("eight or more cores", "count", 8, "vcpu", "ge")]),
    ("8+ gpus", [("8+ gpus", "count", 8, "gpu", "ge")]),
    ("two", [("two", "number", 2, "", "")]),
    ("a dozen", [("a dozen", "number", 12, "", "")]),
    ("half a dozen", [("half a dozen", "number", 6, "", "")]),
    ("two thousand five hundred", [("two thousand five hundred", "number", 2500, "", "")]),
    ("20%", [("20%", "percent", 20, "percent", "")]),
    ("95 pct", [("95 pct", "percent", 95, "percent", "")]),
    ("1.2k", [("1.2k", "number", 1200, "", "")]),
    ("vram>=32, price<1.20", [("32", "number", 32, "", "ge"), ("1.20", "number", 1.2, "", "lt")]),
    ("bigger than 100gb", [("100gb", "memory", 100, "gb", "gt")]),
    ("running hotter than 75% cpu", [("75%", "percent", 75, "percent", "gt")]),
    ("one a100", [("one", "number", 1, "", "")]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_amounts_are_found_with_kind_unit_and_comparison(
    text: str, expected: list[tuple[str, str, float, str, str]]
) -> None:
    found = [
        (text[a.start : a.end], a.kind, a.value, f"{a.unit}/{a.per}" if a.per else a.unit, a.op)
        for a in spoken_amounts(text)
    ]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "p4d.24xlarge",
        "i-0123456789abcdef0",
        "mixtral 8x7b",
        "99th percentile",
        "2026-11-20T14:00Z",
        "12:30",
        "last_24h",
        "10.0.0.1",
        "24/7",
        "x86 machines",
        "cache-01",
        "the cheapest one",
        "p99",
    ],
)
def test_names_dates_and_versions_hold_no_amount(text: str) -> None:
    assert spoken_amounts(text) == []


def test_the_comparing_words_are_part_of_the_whole_span() -> None:
    text = "a100 at least 80gb for no more than $2 an hour"
    wholes = [text[slice(*amount.whole)] for amount in spoken_amounts(text)]
    assert wholes == ["at least 80gb", "no more than $2 an hour"]


@given(st.text(alphabet=st.sampled_from("0123456789.,$€%x-/ abdghkmnoprtuw>=<+"), max_size=40))
def test_spans_are_inside_the_text_in_order_and_apart(text: str) -> None:
    last = 0
    for amount in spoken_amounts(text):
        assert last <= amount.start < amount.end <= len(text)
        assert amount.whole[0] <= amount.start
        assert amount.whole[1] >= amount.end
        assert amount.value >= 0
        last = amount.end


@given(st.integers(min_value=1, max_value=4096), st.sampled_from(["gb", "GiB", " gigs", "TB"]))
def test_memory_said_in_a_sentence_is_the_memory_of_an_argument(size: int, unit: str) -> None:
    (amount,) = spoken_amounts(f"with {size}{unit} please")
    assert amount.kind == "memory"
    assert amount.value == gib(f"{size}{unit}")


def test_letters_that_grow_when_lowered_do_not_shift_the_spans() -> None:
    text = "İİ under $2 İ"
    assert [text[slice(*amount.whole)] for amount in spoken_amounts(text)] == ["under $2"]


@pytest.mark.parametrize(
    ("written", "count"),
    [(0, 0), (1_099_511_627_776, 1_099_511_627_776), ("43980465111040", 43_980_465_111_040), (3.0, 3)]
    + [(one, None) for one in (None, True, -1, "", "-5", "1e3", "many", [1])],
)
def test_a_count_may_be_of_any_size_and_is_never_guessed(written: object, count: int | None) -> None:
    assert whole(written) == count
