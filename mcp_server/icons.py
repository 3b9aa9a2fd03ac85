"""Icons as data addresses: a client needs no further request to show them, and no host but this one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MIME = "image/svg+xml"
CLOUD = "M7 18a4 4 0 0 1 0-8 6 6 0 0 1 11 2 3 3 0 0 1 0 6z"
CHART = "M4 20V10M10 20V4M16 20v-8M22 20H2"
PULSE = "M2 12h5l3-8 4 16 3-8h5"
LIST = "M4 6h16M4 12h16M4 18h16"

OF_TOOLSETS = {"prices": CHART, "health": PULSE, "providers": CLOUD}
"""The drawing of a tool is that of its first toolset that has one."""


def icons(drawing: str) -> list[dict[str, Any]]:
    """One icon in the form of the protocol: lines in a colour that shows on light and on dark."""
    src = (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' "
        f"stroke='%23478' stroke-width='2'%3E%3Cpath d='{drawing}'/%3E%3C/svg%3E"
    ).replace(" ", "%20")
    return [{"src": src, "mimeType": MIME, "sizes": ["any"]}]


def of_toolsets(toolsets: Iterable[str]) -> list[dict[str, Any]]:
    """The icon of a tool."""
    return icons(next((OF_TOOLSETS[one] for one in toolsets if one in OF_TOOLSETS), LIST))
