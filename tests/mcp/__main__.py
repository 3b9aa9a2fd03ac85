"""`make mcp`: the official Inspector lists and calls every tool over stdio, in both eras of the protocol, the
official TypeScript client over HTTP too; the official conformance suites are run; and the view of prices is
tried in a real browser.

Raw lines in all protocol versions, and the Python SDK's client, are in the ordinary tests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.mcp.client import called
from tests.mcp.conformance import conformant
from tests.mcp.view import viewed

HERE = Path(__file__).parent
INSPECTOR = HERE / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
COMMAND = [sys.executable, "-c", "from cloudtop.cli.main import main; main()", "demo", "mcp"]
CALLS: dict[str, list[dict[str, Any]]] = {
    "compare_gpu_prices": [
        {"gpu": ["A100"], "limit": 3},
        {"gpu": ["H100"], "count": 8, "spot": True, "max_price": 25, "region": ["eu"]},
        {"gpu": ["A100"], "group_by": "region", "limit": 5},
    ],
    "gpu_price_history": [{"gpu": ["A100"]}, {"gpu": ["H100"], "group_by": "provider"}],
    "list_providers": [{}],
    "check_health": [{}, {"providers": ["vast"]}],
}


class Failed(Exception):
    """The Inspector ended otherwise than expected."""


def inspector(home: Path, era: str, *words: str, expected: int = 0) -> Any:
    """What one Inspector command printed, as JSON."""
    env = {**os.environ, "CLOUDTOP_HOME": str(home), "MCP_CATALOG_PATH": str(home / "catalog.json")}
    # A wrapper script keeps the server's own command line apart from the Inspector's.
    script = home / "server"
    script.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in COMMAND) + "\n")
    script.chmod(0o755)
    command = ["node", str(INSPECTOR), "--cli", "--format", "json", "--protocol-era", era]
    done = subprocess.run(
        [*command, str(script), *words], capture_output=True, text=True, timeout=120, env=env, check=False
    )
    if done.returncode != expected:
        said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        raise Failed(f"{era} {' '.join(words)}: exit {done.returncode}\n{said}")
    return json.loads(done.stdout)


def tried(home: Path, era: str) -> list[str]:
    """Every tool listed and called; one line for each."""
    listed = inspector(home, era, "--strict", "--method", "tools/list")
    names = sorted(tool["name"] for tool in (listed.get("result") or listed)["tools"])
    if names != sorted(CALLS):
        raise Failed(f"{era}: tools/list gives {names}")
    lines = [f"{era}: tools/list {len(names)} tools"]
    for name in names:
        for arguments in CALLS[name]:
            words = ("--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
            printed = inspector(home, era, *words)
            result = printed.get("result") or printed
            rows = result["structuredContent"]["rows"]
            if not rows or result.get("isError"):
                raise Failed(f"{era} {name} {arguments}: {json.dumps(result)[:600]}")
            lines.append(f"{era}: {name} {json.dumps(arguments)} {len(rows)} rows")
    call = ("--method", "tools/call", "--tool-name", "compare_gpu_prices")
    inspector(home, era, *call, "--tool-args-json", '{"gpu": ["Z9"]}', expected=5)
    lines.append(f"{era}: an unknown GPU is a tool error")
    return lines


def main() -> int:
    node = shutil.which("node")
    if node is None or not INSPECTOR.is_file():
        sys.stderr.write("mcp: Node or the Inspector is missing; run it as: make mcp\n")
        return 1
    lines: list[str] = []
    try:
        for era in ("legacy", "modern"):
            with tempfile.TemporaryDirectory(prefix="cloudtop-mcp-") as home:
                lines += tried(Path(home), era)
        with tempfile.TemporaryDirectory(prefix="cloudtop-mcp-") as home:
            lines += called(COMMAND, Path(home), CALLS)
            lines += viewed(COMMAND, Path(home))
            lines += conformant(COMMAND, Path(home))
    except (Failed, ValueError) as error:
        sys.stderr.write(f"mcp: {error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + f"\n{len(lines)} passed, 0 failed\n")
    return 0


sys.exit(main())
