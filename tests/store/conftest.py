"""A clock that moves only when told to, offers by the handful, and stores that are closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudtop.models import GpuOffer, Scope
from cloudtop.store.offers import OfferFilter, OfferPage
from cloudtop.store.open import Store, open_store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
VAST = Scope("vast", query='{"type":"on-demand"}')
BID = Scope("vast", query='{"type":"bid"}')
OWN = Scope("pricelist", "own", query='{"file":"prices.csv"}')
SHIPPED_LIST = Scope("pricelist", "shipped")


class FixedClock:
    """The time a test says it is."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def offer(offer_id: str = "1", usd: float | None = 1.0, **other: Any) -> GpuOffer:
    """An on-demand A100 80 at vast, but for what is said otherwise."""
    facts: dict[str, Any] = {
        "seller": "vast",
        "gpu_raw": "A100 SXM",
        "gpu": "A100",
        "gpu_memory_gib": 80.0,
        "gpu_count": 1.0,
        "price_raw": f"{usd} $/h",
        "spot": False,
    }
    return GpuOffer(offer_id=offer_id, usd_per_hour=usd, **{**facts, **other})


def keep(
    store: Store, *offers: GpuOffer, scope: Scope = VAST, at: datetime = NOON, complete: bool = True
) -> bool:
    """One look at a scope."""
    return store.replace_offers(scope, offers, fetched_at=at, complete=complete)


def ids(page: OfferPage) -> list[str]:
    return [row["offer_id"] for row in page.rows]


def held(store: Store, *scopes: Scope) -> set[tuple[str, float]]:
    """Every offer of the scopes with its price, whatever default rules say."""
    page = store.offers(OfferFilter(scopes=scopes or None, fractional=True, modified=True, limit=None))
    return {(row["offer_id"], row["usd_per_hour"]) for row in page.rows}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Store]]:
    """Open the store of this test's home, as often as wanted."""
    stores: list[Store] = []

    def opening(home: Path | None = None, **settings: Any) -> Store:
        stores.append(open_store(home or tmp_path, clock, **settings))
        return stores[-1]

    yield opening
    for one in stores:
        one.close()


@pytest.fixture
def store(opened: Callable[..., Store]) -> Store:
    return opened()
