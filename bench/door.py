"""The door without waiting, against bare httpx, to the same server on this machine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from bench.row import Row, p, times_ms
from cloudtop.cli.build import build
from cloudtop.sandbox.serve import running

BODY = {"limit": 5, "type": "on-demand", "order": [["dph_total", "asc"]], "allocated_storage": 8}


def rows(folder: Path, *, quick: bool) -> list[Row]:
    return asyncio.run(_rows(folder, 60 if quick else 400))


async def _rows(folder: Path, n: int) -> list[Row]:
    with running(("vast",)) as sandbox:
        config = folder / "door.json"
        document = sandbox.config()
        document["providers"]["vast"]["rate_limit"] = {"requests_per_second": 1_000_000, "burst": 1000}
        config.write_text(json.dumps(document))
        house = build(config, folder / "door-home")
        http = house.fleet.connector("vast").http
        url = sandbox.endpoint("vast") + "/api/v0/bundles/"
        async with httpx.AsyncClient() as client:

            async def bare() -> None:
                (await client.post(url, json=BODY)).json()

            async def ours() -> None:
                await http.json("POST", "/api/v0/bundles/", body=BODY, repeatable=True)

            pairs = [(await times_ms(ours, n), await times_ms(bare, n)) for _ in range(3)]
        await house.aclose()
    door = p([one for a, _ in pairs for one in a], 0.5)
    base = p([one for _, b in pairs for one in b], 0.5)
    return [
        Row(
            "the door without waiting, p50",
            f"{door:.2f} ms",
            f"{base:.2f} ms bare httpx",
            door / base,
            "<= 1.25 x",
            door / base <= 1.25,
        )
    ]
