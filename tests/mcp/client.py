"""The clients that people build on list and call every tool, over both transports, in both eras: the official
TypeScript client, and LangChain's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.mcp.serving import serving

HERE = Path(__file__).parent
LANGCHAIN = HERE / ".venv/bin/python"
CLIENTS = {
    "TypeScript client": ["node", str(HERE / "client.mjs")],
    "LangChain client": [str(LANGCHAIN), str(HERE / "client_langchain.py")],
}
CALLS_S = 120.0
Calls = dict[str, list[dict[str, Any]]]


def called(command: list[str], home: Path, calls: Calls) -> list[str]:
    """One line for every tool; ValueError when a client is not content."""
    lines = []
    over_stdio = {"command": command, "env": {"CLOUDTOP_HOME": str(home)}}
    for era, mode in (("legacy", "legacy"), ("modern", "auto")):
        asked = {"calls": calls, "mode": mode, "era": era}
        with serving(command, home) as url:
            for title, program in CLIENTS.items():
                lines += _told(f"{title}, {era}, stdio", program, {**asked, **over_stdio})
                lines += _told(f"{title}, {era}, HTTP", program, {**asked, "url": url})
    return lines


def _told(title: str, program: list[str], asked: dict[str, Any]) -> list[str]:
    done = subprocess.run(
        [*program, json.dumps(asked)], capture_output=True, text=True, timeout=CALLS_S, check=False
    )
    if done.returncode:
        raise ValueError(f"{title}: {done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return [f"{title}: {line}" for line in done.stdout.splitlines()]
