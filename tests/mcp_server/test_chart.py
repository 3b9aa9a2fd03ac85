"""The chart of recorded prices, read back as XML."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.chart import MOST, chart

START = datetime(2026, 11, 1, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def point(provider="vast", price=1.0, since=0.0, until=24.0, spot=False):
    moments = [
        (START + timedelta(hours=hours)).isoformat().replace("+00:00", "Z") for hours in (since, until)
    ]
    row = {"provider": provider, "spot": spot, "time": moments[0], "until": moments[1]}
    return {**row, "usd_per_gpu_hour_min": price}


def drawn(rows, title="A100", note=""):
    sheet = ElementTree.fromstring(chart(title, rows, note))
    lines = [one for one in sheet.iter(f"{SVG}path") if one.find(f"{SVG}title") is not None]
    return sheet, {one.find(f"{SVG}title").text: one.get("d") for one in lines}


def steps(path):
    """The runs of a line: (x, y, x), from left to right."""
    return [tuple(map(float, run)) for run in re.findall(r"[ML]([\d.]+) ([\d.]+)H([\d.]+)", path)]


def test_the_lowest_of_overlapping_prices_is_drawn_and_gaps_stay_gaps():
    rows = [
        point(price=2.0, until=30),
        point(price=1.0, since=10, until=20),
        point(price=1.5, since=40, until=50),
    ]
    _, lines = drawn(rows)
    heights = [y for _, y, _ in steps(lines["vast"])]
    assert len(heights) == 4
    assert heights[0] == heights[2] < heights[3] < heights[1], "a lower price stands lower on the sheet"
    assert lines["vast"].count("M") == 2


def test_spot_and_on_demand_of_every_seller_are_lines_of_their_own_the_cheapest_first():
    rows = [point("runpod", 3.0), point("vast", 2.0), point("vast", 1.0, spot=True)]
    sheet, lines = drawn(rows)
    assert list(lines) == ["vast spot", "vast", "runpod"]
    words = [one.text for one in sheet.iter(f"{SVG}text")]
    assert [word for word in words if word.startswith(("vast", "runpod"))] == [
        "vast spot $1.00",
        "vast $2.00",
        "runpod $3.00",
    ]


def test_more_sellers_than_fit_are_counted():
    sheet, lines = drawn([point(f"seller{n}", 1.0 + n) for n in range(MOST + 3)])
    assert len(lines) == MOST
    assert "and 3 dearer" in "".join(sheet.itertext())


def test_without_prices_the_chart_says_so():
    for rows in ([], [point(price=None)]):
        sheet, lines = drawn(rows)
        assert lines == {}
        assert "No price has been recorded" in "".join(sheet.itertext())


def test_names_of_others_cannot_become_markup():
    hostile = '<script>alert("x")</script>\x07'
    sheet, lines = drawn([point(hostile)], title=hostile, note=hostile)
    assert list(lines) == ['<script>alert("x")</script>']
    assert not [one for one in sheet.iter() if "script" in one.tag]


moments = st.floats(0, 1000).map(lambda hours: round(hours, 2))
points = st.builds(
    lambda provider, price, one, other, spot: point(provider, price, min(one, other), max(one, other), spot),
    st.sampled_from(["vast", "runpod", "aws"]),
    st.none() | st.floats(0.0001, 500),
    moments,
    moments,
    st.booleans(),
)


@given(st.lists(points, max_size=30))
def test_whatever_was_recorded_is_drawn_within_the_sheet(rows):
    sheet, lines = drawn(rows)
    assert len(lines) == len({(row["provider"], row["spot"]) for row in rows if row["usd_per_gpu_hour_min"]})
    for path in lines.values():
        runs = steps(path)
        assert runs
        assert all(
            64 <= start <= end <= 960 - 220 + 2.1 and 56 - 0.1 <= y <= 480 - 48 for start, y, end in runs
        )
        assert all(one[2] <= other[0] + 2.1 for one, other in pairwise(runs))
    assert sheet.find(f"{SVG}desc").text
