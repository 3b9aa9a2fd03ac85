"""A whole house over a temporary home, and small markets to put into it; store, connectors, files: real."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cloudtop import sellers, settings
from cloudtop.models import GpuOffer, PriceQuery
from cloudtop.store.open import Store, open_store
from connectors import discovery
from connectors.base import Facts
from mcp_server import specs
from mcp_server.fleet import Fleet
from mcp_server.runtime import Runtime

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COLUMNS = (
    "provider",
    "instance_type",
    "region",
    "gpu",
    "gpu_count",
    "gpu_memory_gib",
    "price_per_hour_usd",
    "spot_price_per_hour_usd",
    "as_of",
    "source",
    "min_hours",
)


class Clock:
    """A clock that stands still unless it is moved; its monotonic side also follows the machine's."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at, self.moved_s = at, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic() + self.moved_s

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)
        await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.moved_s += seconds


@dataclass
class House:
    """The parts of one process over a home."""

    settings: settings.Settings
    clock: Any
    store: Store
    fleet: Fleet
    runtime: Runtime
    now: datetime | None = None

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a tool; an error is one too."""
        outcome = await self.runtime.call(tool, arguments)
        return outcome.structured

    async def prices(self, **arguments: Any) -> dict[str, Any]:
        """The structured answer of compare_gpu_prices, which must not be an error."""
        answer = await self.call("compare_gpu_prices", **arguments)
        assert "error" not in answer, answer
        return answer

    async def refusal(self, **arguments: Any) -> dict[str, Any]:
        """Why compare_gpu_prices refuses these arguments."""
        answer = await self.call("compare_gpu_prices", **arguments)
        assert "error" in answer, answer["rows"]
        error: dict[str, Any] = answer["error"]
        return error

    def stock(self, *offers: GpuOffer, gpus: tuple[str, ...] = (), age_s: float = 0.0) -> None:
        """Put offers into the store as if Vast.ai had just told of them."""
        fetched_at = self.clock.now() - timedelta(seconds=age_s)
        for spot in (False, True):
            (scope,) = self.fleet.connector("vast").price_scopes(PriceQuery(gpus, spot))  # type: ignore[attr-defined]
            mine = [one for one in offers if one.spot is spot]
            self.store.replace_offers(scope, mine, fetched_at=fetched_at, complete=True)

    async def close(self) -> None:
        await self.fleet.aclose()
        self.store.close()


def mere_seller() -> dict[str, Facts]:
    """All facts, with a Vast.ai that sells and lists nothing."""
    found = discovery.found()
    vast = replace(found["vast"], kinds=("gpu_offers", "health"), services={}, metrics={}, untold={})
    return {**found, "vast": vast}


def house(
    home: Path,
    *,
    config: Mapping[str, Any] | None = None,
    clock: Any = None,
    offline: bool = False,
    lists: Iterable[Path] = (),
    shipped: bool = False,
    environ: Mapping[str, str] | None = None,
    connectors: Mapping[str, Any] | None = None,
    facts: Mapping[str, Facts] | None = None,
) -> House:
    """A house with the clouds of `config` and the price lists `lists`, and nothing of the machine's own."""
    home.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = json.loads(json.dumps(config or {}))
    providers = document.setdefault("providers", {})
    for one in discovery.found():
        # A cloud that the test does not speak of must not be asked at its real address.
        providers.setdefault(one, {"enabled": one in ("vast", "pricelist")})
    listed = document.setdefault("providers", {}).setdefault("pricelist", {}).setdefault("options", {})
    listed.setdefault("shipped", shipped)
    listed.setdefault("files", [str(path) for path in lists])
    file = home / "config.json"
    file.write_text(json.dumps(document))
    clock = clock or Clock()
    facts = facts or discovery.found()
    variables = {
        (one.id, name): tuple(names) for one in facts.values() for name, names in one.credentials.items()
    }
    made = settings.load(file, home, environ=environ or {}, offline=offline, variables=variables)
    store = open_store(home, clock, backend=made.cache.backend)

    def make(provider: str) -> Any:
        return discovery.make(
            facts[provider],
            made.provider(provider),
            secrets=made,
            clock=clock,
            hosts=store.hosts,
            audit=store.audit,
            limits=made.limits,
        )

    if connectors:
        make = connectors.__getitem__
    fleet = Fleet(facts, make, sellers.known(facts), store, made, clock)
    parts = House(made, clock, store, fleet, None)  # type: ignore[arg-type]
    parts.runtime = Runtime(specs.load(), {}, parts)
    return parts


def offer(usd_per_hour: float | None = 1.0, gpu: str = "A100", **told: Any) -> GpuOffer:
    """One on-demand offer of one A100 with 80 GiB at $1, but for what is told otherwise."""
    offer_id = (
        told.pop("offer_id", None) or f"{gpu}-{usd_per_hour}-{len(told)}-{sorted(map(str, told.items()))}"
    )
    usual: dict[str, Any] = {
        "seller": "vast",
        "offer_id": offer_id,
        "gpu_raw": gpu,
        "gpu": gpu,
        "gpu_count": 1.0,
        "gpu_memory_gib": 80.0,
        "usd_per_hour": usd_per_hour,
        "price_raw": str(usd_per_hour),
        "spot": False,
    }
    return GpuOffer(**(usual | told))


def price_list(path: Path, *rows: Mapping[str, Any]) -> Path:
    """A CSV in our columns; absent cells are empty, `as_of` the day before noon unless told."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({"as_of": "2026-11-19", "gpu_count": 1} | dict(row))
    return path


def figures(answer: dict[str, Any], field: str = "usd_per_gpu_hour") -> list[Any]:
    """One field of every row."""
    return [row[field] for row in answer["rows"]]
