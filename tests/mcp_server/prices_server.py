"""A server over made-up prices, in process or over standard input and output: `prices_server.py HOME`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from cloudtop.models import GpuOffer
from mcp_server.server import ToolServer, build_server
from mcp_server.stdio import serve_stdio
from mcp_server.tools._price_models import models
from tests.mcp_server.market import House, house, mere_seller, offer

WORDS = {"revision": "1"}
GPUS = ("A100", "H100", "RTX6000ADA", "QUADRORTX6000")
MEMORY = {"A100": 80.0, "H100": 80.0, "RTX6000ADA": 48.0, "QUADRORTX6000": 24.0}


def offers(factor: float = 1.0) -> list[GpuOffer]:
    """Ten offers of each GPU, spot and on demand, in two places."""
    return [
        offer(
            round((number + 1) * 0.5 * factor, 4),
            gpu,
            gpu_memory_gib=MEMORY[gpu],
            offer_id=f"{gpu}-{number}",
            region=("eu-west-1", "us-east-1")[number % 2],
            country=("ie", "us")[number % 2],
            tier=("community", "datacenter")[number % 2],
            spot=number % 2 == 0,
            reliability=0.9,
        )
        for gpu in GPUS
        for number in range(10)
    ]


def stocked(home: Path) -> House:
    """A house that knows prices of today and of three days ago, and asks nobody."""
    made = house(home, offline=True, facts=mere_seller())
    for days, factor in ((3, 1.2), (2, 0.9), (0, 1.0)):
        told, age_s = offers(factor), timedelta(days=days).total_seconds()
        made.stock(*told, age_s=age_s)
        for gpu in GPUS:
            asked = models([gpu], None, None, None, None, None).to_ask
            made.stock(*[one for one in told if one.gpu in asked], gpus=asked, age_s=age_s)
    return made


def served(made: House, **more: Any) -> ToolServer:
    """Its server, with the resources of a real one."""
    resources = {"lexicon": lambda: WORDS, "providers": made.fleet.providers}
    return build_server(made.runtime, resources, **more)


async def main(home: Path) -> None:
    made = stocked(home)
    try:
        await serve_stdio(served(made), leave_s=0.3)
    finally:
        await made.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
