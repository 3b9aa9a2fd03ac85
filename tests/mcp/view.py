"""The view of prices in a real browser: what a client would put into its frame, with answers of the demo."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

HERE = Path(__file__).parent
BROWSER = HERE / "node_modules/@sparticuz/chromium"
HOSTILE = "<img src=x onerror=alert(1)>"


def viewed(command: list[str], home: Path) -> list[str]:
    """Take answers from the server that `command` starts, and show them; what the browser's checks said."""
    answers = home / "answers.json"
    answers.write_text(json.dumps(asyncio.run(_answers(command, home))))
    done = subprocess.run(
        ["node", str(HERE / "view.mjs"), str(answers)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return [f"view: {done.stdout.strip()}"]


async def _answers(command: list[str], home: Path) -> dict[str, Any]:
    env = {**os.environ, "CLOUDTOP_HOME": str(home)}
    server = StdioServerParameters(command=command[0], args=command[1:], env=env)
    async with Client(server, mode="legacy") as client:

        async def told(tool: str, **arguments: Any) -> dict[str, Any]:
            result = await client.call_tool(tool, {"gpu": ["A100"], **arguments})
            return result.model_dump(mode="json", by_alias=True, exclude_none=True)

        (page,) = (await client.read_resource("ui://cloudtop/gpu-prices")).contents
        first = await told("compare_gpu_prices", limit=12)
        cursor = first["structuredContent"]["next_cursor"]
        first["structuredContent"]["rows"][1]["region"] = HOSTILE
        tools = {
            "compare_gpu_prices": first,
            "next_page": await told("compare_gpu_prices", limit=12, cursor=cursor),
            "gpu_price_history": await told("gpu_price_history", limit=200),
            "refused": await told("compare_gpu_prices", gpu=["Z9"]),
        }
        return {"html": page.text, "tools": tools}  # type: ignore[union-attr]
