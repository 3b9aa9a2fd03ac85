"""Price history by series: how each stood in an interval, and its points page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudtop.errors import ArgumentError
from cloudtop.models import Scope
from cloudtop.store.history import Origin, origin
from cloudtop.store.offers import OfferFilter
from cloudtop.store.open import Store
from cloudtop.store.trends import Line
from tests.store.conftest import NOON, OWN, VAST, keep, offer

HOUR = timedelta(hours=1)


def after(hours: float) -> float:
    return (NOON + hours * HOUR).timestamp()


def lines(
    store: Store, start: float, end: float, origins: list[str] | None = None, **asked: Any
) -> list[Line]:
    return store.price_lines(OfferFilter(**asked), NOON + start * HOUR, NOON + end * HOUR, origins)


def prices(store: Store, **told: float) -> None:
    """One look an hour from noon on: the price of the one offer then."""
    for hour, price in told.items():
        offers = [offer("a", price)] if price else []
        keep(store, *offers, at=NOON + int(hour[1:]) * HOUR)


def test_a_line_tells_how_a_series_stood_at_the_end_of_an_interval(store: Store) -> None:
    prices(store, h0=1.0, h2=2.0, h4=0.0)
    (line,) = lines(store, 1, 3)
    assert (line.began, line.latest, line.low, line.moves, line.over) == (after(0), after(2), 2.0, 1, True)
    assert line.seen_at == after(4)
    assert line.points((NOON + HOUR).timestamp()) == 2
    (sold_out,) = lines(store, 1, 9)
    assert (sold_out.low, sold_out.latest, sold_out.moves, sold_out.over) == (None, after(4), 2, False)


def test_a_series_that_began_later_is_not_there(store: Store) -> None:
    prices(store, h2=1.0)
    assert lines(store, 0, 2) == []
    (line,) = lines(store, 0, 3)
    assert line.points(NOON.timestamp()) == 1


def test_the_last_price_is_known_until_the_last_look(store: Store) -> None:
    prices(store, h0=1.0, h6=1.0)
    (line,) = lines(store, 0, 9)
    assert (line.latest, line.seen_at) == (after(0), after(6))
    store.cache_clear()
    assert lines(store, 0, 9)[0].seen_at == after(0)


def test_series_are_filtered_as_points_are(store: Store) -> None:
    keep(
        store,
        offer("1", 1.0),
        offer("2", 2.0, spot=True),
        offer("3", 3.0, gpu="H100"),
        offer("4", 4.0, tier="secure"),
    )
    assert [line.low for line in lines(store, 0, 1, gpus=(("A100", None, False),), spot=False)] == [1.0, 4.0]
    assert [line.low for line in lines(store, 0, 1, tiers=("secure",))] == [1.0, 2.0, 4.0, 3.0]
    assert [line.low for line in lines(store, 0, 1, tiers=("community",))] == []


def test_an_origin_says_whose_connector_read_it_and_where(store: Store) -> None:
    made_up = Scope("vast", query='{"endpoint":"127.0.0.1/api","type":"bid"}')
    for scope in (VAST, OWN, made_up):
        keep(store, offer("a", 1.0), scope=scope)
    assert store.price_origins() == [origin(OWN), origin(VAST), origin(made_up)]
    assert [line.origin for line in lines(store, 0, 1)] == [
        Origin("pricelist", "own", "prices.csv"),
        Origin("vast", "public", ""),
        Origin("vast", "public", "127.0.0.1/api"),
    ]
    assert [one.origin.place for one in lines(store, 0, 1, [origin(made_up)])] == ["127.0.0.1/api"]
    page = store.price_points(OfferFilter(), NOON, NOON + HOUR, shape="point", origins=[origin(OWN)])
    assert [row["_origin"].provider for row in page.rows] == ["pricelist"]


def test_steps_are_the_points_in_force_of_the_chosen_series(store: Store) -> None:
    prices(store, h0=1.0, h2=2.0, h4=0.0, h5=3.0)
    (line,) = lines(store, 0, 9)
    assert store.price_steps([line.id], NOON + 3 * HOUR, NOON + 5 * HOUR) == {
        line.id: [(after(2), 2.0), (after(4), None)]
    }
    assert store.price_steps([], NOON, NOON + HOUR) == {}


def test_a_page_has_points_in_order_each_with_the_time_of_the_next(store: Store) -> None:
    prices(store, h0=1.0, h2=3.0, h4=0.0, h5=2.0)
    (line,) = lines(store, 0, 9)

    def page(sort: str | None, descending: bool, limit: int = 9, offset: int = 0) -> list[tuple[Any, ...]]:
        found = store.price_page(
            [line.id], NOON, NOON + 9 * HOUR, sort=sort, descending=descending, limit=limit, offset=offset
        )
        return [(one[1], one[2], one[5]) for one in found]

    newest = [
        (after(5), 2.0, None),
        (after(4), None, after(5)),
        (after(2), 3.0, after(4)),
        (after(0), 1.0, after(2)),
    ]
    assert page("time", descending=True) == page(None, descending=False) == newest
    assert page("time", descending=False) == newest[::-1]
    assert page("time", descending=True, limit=2, offset=1) == newest[1:3]
    assert [one[1] for one in page("usd_per_gpu_hour_min", descending=False)] == [1.0, 2.0, 3.0, None]
    assert [one[1] for one in page("usd_per_gpu_hour_min", descending=True)] == [3.0, 2.0, 1.0, None]
    with pytest.raises(ArgumentError, match="sort: vcpus"):
        page("vcpus", descending=False)
