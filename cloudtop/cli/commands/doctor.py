"""`doctor`: what is wrong with this installation, its files and its connections, and what to do about it."""

from __future__ import annotations

import asyncio
import platform
import sys
from typing import TYPE_CHECKING, Any

from cloudtop import __version__
from cloudtop.cli import views
from cloudtop.cli.build import QUESTION_S, House, build

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Check all there is; exit 1 when something is failing."""
    house = build(options.config, options.home, offline=options.offline, usual_s=QUESTION_S)
    return asyncio.run(_examined(house, options))


async def _examined(house: House, options: argparse.Namespace) -> int:
    try:
        connections = await _connections(house)  # first, since asking may find the disk full
        rows = [*_installation(house), *_files(house), *connections]
    finally:
        await house.aclose()
    if options.json:
        sys.stdout.write(views.dumps(rows) + "\n")
    else:
        columns = ["what", "status", "message", "next_step"]
        views.table(columns, [[views.cell(row[name]) for name in columns] for row in rows], house.settings)
    return 1 if any(row["status"] in ("failing", "down") for row in rows) else 0


def _row(what: str, status: str, message: str, next_step: str = "") -> dict[str, Any]:
    return {"what": what, "status": status, "message": message, "next_step": next_step}


def _installation(house: House) -> list[dict[str, Any]]:
    runtime = house.runtime()
    runtime.check()
    tools = ", ".join(sorted(runtime.specs))
    python = f"cloudtop {__version__}, Python {platform.python_version()}"
    return [_row("installation", "healthy", python), _row("tools", "healthy", tools)]


def _files(house: House) -> list[dict[str, Any]]:
    found = house.settings
    config = str(found.config_file) if found.config_file else "no configuration file; defaults hold"
    rows = [_row("configuration", "healthy", config)]
    rows += [_row("configuration", "unknown", f"without effect: {one}") for one in found.without_effect]
    rows.append(_store(house))
    rows += [_row("note", "unknown", one) for one in house.notices if one != house.store.read_only]
    return rows


def _store(house: House) -> dict[str, Any]:
    """The one file of the store, read from end to end."""
    wrong = house.store.examined()
    if wrong is not None:
        return _row("store", "failing", wrong.message, wrong.next_step)
    if house.store.read_only:
        step = "Free some space or get the right to write there, or use another --home."
        return _row("store", "degraded", house.store.read_only, step)
    found = house.settings
    return _row("store", "healthy", str(found.cache.folder or found.home))


async def _connections(house: House) -> list[dict[str, Any]]:
    with views.progress() as progress:
        outcome = await house.runtime().call(
            "check_health", {"limit": 500, "max_age": "0s"}, progress=progress
        )
    if outcome.is_error:
        return [_row("connections", "failing", outcome.text)]
    return [
        _row(f"{row['provider']} {row['check']}", row["status"], row["message"])
        for row in outcome.structured["rows"]
    ]
