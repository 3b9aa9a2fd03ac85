"""The official TypeScript client lists and calls every tool, over both transports, in both eras."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.mcp.serving import serving

SCRIPT = Path(__file__).parent / "client.mjs"
CALLS_S = 120.0
Calls = dict[str, list[dict[str, Any]]]


def called(command: list[str], home: Path, calls: Calls) -> list[str]:
    """One line for every tool; ValueError when the client is not content."""
    lines = []
    over_stdio = {"command": command, "env": {"CLOUDTOP_HOME": str(home)}}
    for era, mode in (("legacy", "legacy"), ("modern", "auto")):
        asked = {"calls": calls, "mode": mode, "era": era}
        lines += _told(f"TypeScript client, {era}, stdio", {**asked, **over_stdio})
        with serving(command, home) as url:
            lines += _told(f"TypeScript client, {era}, HTTP", {**asked, "url": url})
    return lines


def _told(title: str, asked: dict[str, Any]) -> list[str]:
    done = subprocess.run(
        ["node", str(SCRIPT), json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=CALLS_S,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{title}: {done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return [f"{title}: {line}" for line in done.stdout.splitlines()]
