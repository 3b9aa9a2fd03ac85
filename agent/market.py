"""What one's own GPU machines cost beside the market: each with the going price of the same GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.rows import COMPARES, told

Row = Mapping[str, Any]
Market = Mapping[bool, Mapping[str, Row]]
"""Groups of offers by `A100 80GB`: of spot and of on-demand."""


def market_of(results: Sequence[Mapping[str, Any]]) -> Market:
    """What the market results tell, each asked for spot offers only or for none."""
    return {
        bool(one["applied"].get("spot")): {str(row["group"]): row for row in one["rows"]} for one in results
    }


def beside(rows: Sequence[Row], market: Market, then: Mapping[str, Any]) -> tuple[list[Row], dict[str, Any]]:
    """Each machine with what the same GPU is offered for, the dearest beside it first, and the figures.

    `field`: median (the usual), or min, for what it could be had for. `side`: above or below keeps those
    alone, by more than `percent`, or as `compare` says. A machine without a price, with two kinds of GPU, or
    of a GPU that nobody offers is left out and counted in `untold`.
    """
    against = str(then.get("field") or "median")
    compared = [one for row in rows if (one := _compared(row, market, against)) is not None]
    side, way = then.get("side"), -1 if then.get("side") == "below" else 1
    kept = [row for row in compared if side is None or _far(way * row["percent_over_market"], then)]
    kept.sort(key=lambda row: (-way * row["percent_over_market"], str(row["name"]), str(row["uid"])))
    figures = {
        "count": len(kept),
        "compared": len(compared),
        "untold": len(rows) - len(compared),
        "value": sum(row["usd_per_hour"] for row in kept),
        "market": sum(row["market_usd_per_gpu_hour"] * row["gpu_count"] for row in kept),
        "against": against,
        "side": side,
    }
    return kept, figures


def _far(percent: float, then: Mapping[str, Any]) -> bool:
    """Whether a machine is so far on the side that was asked for."""
    return percent > 0 and COMPARES[then.get("compare", "gt")](percent, float(then.get("percent") or 0))


def _compared(row: Row, market: Market, against: str) -> Row | None:
    gpus, count = row.get("gpus") or [], told(row, "gpu_count")
    if len(gpus) != 1 or not count or row.get("usd_per_hour") is None:
        return None
    found = market.get(bool(row.get("spot")), {}).get(f"{gpus[0]['gpu']} {gpus[0]['memory_gib'] or 0:g}GB")
    if found is None or not found.get(against):
        return None
    going, own = float(found[against]), float(row["usd_per_hour"]) / count
    return {
        **row,
        "gpu": gpus[0]["gpu"],
        "gpu_count": count,
        "gpu_memory_gib": gpus[0]["memory_gib"],
        "usd_per_gpu_hour": round(own, 6),
        "market_usd_per_gpu_hour": round(going, 6),
        "market_offers": found["count"],
        "percent_over_market": round(100 * (own / going - 1), 1),
    }
