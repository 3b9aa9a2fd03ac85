"""A chart of recorded prices as SVG, drawn by hand: steps, because a price holds until it changes.

Text from clouds is escaped; there is no script, no font and no address in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from typing import Any

WIDTH, HEIGHT = 960, 480
LEFT, TOP, RIGHT, BOTTOM = 64, 56, 220, 48
MOST = 8
"""Lines in one chart; the dearer ones are counted, not drawn."""

COLOURS = ("#1f77b4", "#d95f02", "#1b9e77", "#c51b7d", "#7570b3", "#a6761d", "#e31a1c", "#666666")

Row = Mapping[str, Any]
Piece = tuple[float, float, float]
"""From when until when a price held, as timestamps, and the price."""


def chart(title: str, rows: Sequence[Row], note: str = "") -> str:
    """The lowest price per seller, on demand and spot, over the recorded time. `rows`: points of history."""
    lines = _lines(rows)
    drawn, left = lines[:MOST], len(lines) - MOST
    if not drawn:
        body = _text(WIDTH / 2, HEIGHT / 2, note or "No price has been recorded.", anchor="middle")
        return _svg(title, f"{title}: no price has been recorded.", [body])
    plot = _Plot([piece for _, pieces in drawn for piece in pieces])
    parts = plot.axes()
    for number, (name, pieces) in enumerate(drawn):
        colour, at = COLOURS[number], TOP + 8 + number * 22
        parts.append(plot.steps(name, pieces, colour))
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{at - 6}" width="14" height="4" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 38, at, f"{name} {_usd(pieces[-1][2])}"))
    if left > 0:
        parts.append(_text(WIDTH - RIGHT + 16, TOP + 8 + MOST * 22, f"and {left} dearer"))
    if note:
        parts.append(_text(LEFT, HEIGHT - 8, note))
    told = "; ".join(f"{name} {_usd(pieces[-1][2])}" for name, pieces in drawn)
    return _svg(title, f"{title}, USD per GPU-hour. Last: {told}.", parts)


def _lines(rows: Sequence[Row]) -> list[tuple[str, list[Piece]]]:
    """One line per seller and kind of price: the lowest of all its series at every moment, cheapest first."""
    held: dict[str, list[Piece]] = {}
    for row in rows:
        price = row["usd_per_gpu_hour_min"]
        if price is not None:
            name = f"{row['provider']}{' spot' if row['spot'] else ''}"
            start = _at(row["time"])
            # A price that was seen once holds for that moment: a second, so that it can be drawn.
            held.setdefault(name, []).append((start, max(_at(row["until"]), start + 1), float(price)))
    lines = [(name, _lowest(pieces)) for name, pieces in held.items()]
    return sorted(lines, key=lambda one: (one[1][-1][2], one[0]))


def _lowest(pieces: Sequence[Piece]) -> list[Piece]:
    """The lower edge of overlapping pieces, one after the other; times nobody knows are gaps."""
    moments = sorted({moment for start, end, _ in pieces for moment in (start, end)})
    lowest: list[Piece] = []
    for start, end in pairwise(moments):
        prices = [price for since, until, price in pieces if since <= start and until >= end]
        if not prices:
            continue
        price = min(prices)
        if lowest and lowest[-1][1] == start and lowest[-1][2] == price:
            lowest[-1] = (lowest[-1][0], end, price)
        else:
            lowest.append((start, end, price))
    return lowest


class _Plot:
    """Where times and prices are on the sheet."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.end = max(end for _, end, _ in pieces)
        self.start = min(min(start for start, _, _ in pieces), self.end - 3600)
        self.ticks = _round_steps(max(price for _, _, price in pieces))
        self.top = self.ticks[-1]
        self.digits = 2 if self.ticks[1] >= 0.05 else 4

    def x(self, at: float) -> float:
        return LEFT + (at - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def y(self, price: float) -> float:
        return HEIGHT - BOTTOM - price / self.top * (HEIGHT - TOP - BOTTOM)

    def axes(self) -> list[str]:
        """Lines at round prices from zero on, and dates under the sheet."""
        parts = []
        for price in self.ticks:
            at = self.y(price)
            parts.append(
                f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#888" stroke-opacity=".3" fill="none"/>'
            )
            parts.append(_text(LEFT - 8, at + 4, f"${price:.{self.digits}f}", anchor="end"))
        form = "%d %b" if self.end - self.start >= 3 * 86_400 else "%d %b %H:%M"
        for step in range(5):
            at = self.start + (self.end - self.start) * step / 4
            said = datetime.fromtimestamp(at, UTC).strftime(form)
            parts.append(_text(self.x(at), HEIGHT - BOTTOM + 18, said, anchor="middle"))
        return parts

    def steps(self, name: str, pieces: Sequence[Piece], colour: str) -> str:
        """One line; where nothing is known it is broken. A single look is a dot."""
        path, before = "", None
        for start, end, price in pieces:
            joint = "L" if before == start else "M"
            until = max(self.x(end), self.x(start) + 2)
            path += f"{joint}{self.x(start):.1f} {self.y(price):.1f}H{until:.1f}"
            before = end
        return (
            f'<path d="{path}" stroke="{colour}" stroke-width="2" stroke-linecap="round" fill="none">'
            f"<title>{_safe(name)}</title></path>"
        )


def _round_steps(most: float) -> list[float]:
    """From zero in four to eight round steps past `most`."""
    size = 10 ** math.floor(math.log10(most / 4)) if most > 0 else 1.0
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times * 8 >= most)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _usd(price: float) -> str:
    digits = 2 if price >= 1 or price == 0 else 4
    return f"${price:.{digits}f}"


def _safe(text: str) -> str:
    return escape("".join(mark for mark in text if mark.isprintable()))


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(text)}</text>'


def _svg(title: str, described: str, parts: Sequence[str]) -> str:
    """The sheet; its colours show on light and dark."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="#777"><title>{_safe(title)}</title>'
        f"<desc>{_safe(described)}</desc>"
        f'<text x="{LEFT}" y="28" font-size="18">{_safe(title)}</text>{"".join(parts)}</svg>\n'
    )
