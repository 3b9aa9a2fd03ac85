"""`mcp`: the tools over standard input and output. Nothing else is ever written there."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

from cloudtop.cli import views
from cloudtop.cli.build import House, build

if TYPE_CHECKING:
    import argparse

CLOSE_S = 0.5
"""How long closing the store may take when a signal ends the process."""


def run(options: argparse.Namespace) -> int:
    """Serve until the client goes."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    asyncio.run(_served(options))
    return 0


async def _served(options: argparse.Namespace) -> None:
    from mcp_server.server import serve_stdio

    house = build(options.config, options.home, offline=options.offline)
    views.notices(house.notices)
    _leave_on_signals(house)
    try:
        await serve_stdio(house.server(house.runtime()))
    finally:
        await house.aclose()


def _leave_on_signals(house: House) -> None:
    """End at once on SIGINT and SIGTERM. The thread that reads standard input would hold a usual end up."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, partial(_leave, house, 128 + number))


def _leave(house: House, code: int) -> None:
    watch = threading.Timer(CLOSE_S, os._exit, (code,))
    watch.daemon = True
    watch.start()
    try:
        house.store.close()
        sys.stderr.flush()
    finally:
        os._exit(code)
