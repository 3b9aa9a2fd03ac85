"""`mcp`: the tools over standard input and output. Nothing else is ever written there."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from cloudtop.cli import views
from cloudtop.cli.build import build

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Serve until the client goes."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO if options.verbose else logging.WARNING)
    asyncio.run(_served(options))
    return 0


async def _served(options: argparse.Namespace) -> None:
    from mcp_server.server import serve_stdio

    house = build(options.config, options.home, offline=options.offline)
    views.notices(house.notices)
    try:
        await serve_stdio(house.server(house.runtime()))
    finally:
        await house.aclose()
