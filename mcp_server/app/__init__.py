"""The view of prices and their history, for clients that show MCP Apps (`io.modelcontextprotocol/ui`).

One HTML page without any address: the client puts it into a frame of its own and hands it the results of the
tools that name it. A client that shows no views has the same facts as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from mcp_server.icons import CHART, icons

EXTENSION = "io.modelcontextprotocol/ui"
MIME = "text/html;profile=mcp-app"
URI = "ui://cloudtop/gpu-prices"
TOOLS = ("compare_gpu_prices", "gpu_price_history")
"""The tools whose results it shows."""


def shows(handlers: Iterable[str]) -> bool:
    """Whether the view can show what any of these handlers answers."""
    return any(one in TOOLS for one in handlers)


def listed() -> dict[str, Any]:
    """As resources/list shows it."""
    return {
        "uri": URI,
        "name": "gpu_prices_view",
        "title": "GPU prices",
        "description": "Table and chart of GPU prices, for clients that show MCP Apps.",
        "mimeType": MIME,
        "icons": icons(CHART),
        "_meta": _META,
    }


def contents() -> dict[str, Any]:
    """What reading it gives."""
    return {"uri": URI, "mimeType": MIME, "text": _page(), "_meta": _META}


_META = {"ui": {"csp": {}, "prefersBorder": True}}
"""No host is reached from it."""


@cache
def _page() -> str:
    return Path(__file__).with_name("view.html").read_text(encoding="utf-8")
