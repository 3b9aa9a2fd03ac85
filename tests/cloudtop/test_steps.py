"""Lines that hold from point to point; every figure here is worked out by hand or by brute force."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloudtop import steps

DAY = steps.DAY_S


def test_a_point_holds_until_the_next_and_the_last_until_the_end() -> None:
    assert steps.holds([(0, 1.0), (2, 3.0), (5, None), (6, 2.0)], 9) == [
        (0, 2, 1.0),
        (2, 5, 3.0),
        (6, 9, 2.0),
    ]


def test_a_point_that_held_for_no_time_is_none() -> None:
    assert steps.holds([(4, 1.0)], 4) == []


def test_a_line_is_cut_to_an_interval() -> None:
    line = [(0.0, 2.0, 1.0), (2.0, 5.0, 3.0), (6.0, 9.0, 2.0)]
    assert steps.clipped(line, 1, 7) == [(1, 2, 1.0), (2, 5, 3.0), (6, 7, 2.0)]
    assert steps.clipped(line, 5, 6) == []


def test_the_median_is_weighted_by_time() -> None:
    assert steps.median([(0, 9, 1.0), (9, 10, 100.0)]) == 1.0
    assert steps.median([(0, 1, 1.0), (1, 2, 3.0)]) == 2.0
    assert steps.median([]) is None


def test_shares_are_of_the_time_that_is_covered() -> None:
    line = [(0.0, 1.0, 1.0), (1.0, 3.0, 2.0), (7.0, 8.0, 5.0)]
    assert steps.shares(line, 2.0) == (0.25, 0.25)
    assert steps.shares([], 2.0) is None
    assert steps.days([(0, DAY, 1.0), (3 * DAY, 4 * DAY, 1.0)]) == 2.0


def test_the_lowest_line_follows_whichever_is_cheapest_and_has_gaps_where_none_is() -> None:
    one = [(0.0, 4.0, 2.0), (8.0, 9.0, 2.0)]
    two = [(1.0, 2.0, 1.0), (3.0, 6.0, 3.0)]
    assert steps.lowest([one, two]) == [(0, 1, 2.0), (1, 2, 1.0), (2, 4, 2.0), (4, 6, 3.0), (8, 9, 2.0)]
    assert steps.lowest([]) == steps.lowest([[]]) == []


Points = st.lists(st.sampled_from([None, 1.0, 2.0, 3.0]), min_size=1, max_size=8)


@given(st.lists(st.tuples(st.integers(0, 5), Points), max_size=5))
def test_at_every_moment_the_lowest_line_is_the_lowest_of_all(
    found: list[tuple[int, list[float | None]]],
) -> None:
    lines = [
        steps.holds([(float(start + at), value) for at, value in enumerate(values)], 12.0)
        for start, values in found
    ]
    drawn = steps.lowest(lines)
    for tick in range(14):
        held = [value for line in lines for one, end, value in line if one <= tick < end]
        now = [value for one, end, value in drawn if one <= tick < end]
        assert now == ([min(held)] if held else [])
    assert all(before[1] <= after[0] for before, after in pairwise(drawn))
