"""The official Inspector lists and calls every tool, over both transports, in both eras.

Over HTTP it has a token. `--strict` ends with 6 where a schema is not portable between clients. Each command
is a client of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.mcp.serving import serving

PROGRAM = (
    Path(__file__).parent / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
)
COMMAND_S = 120.0
TOOL_ERROR, NOT_LET_IN = 5, 3
"""Exit codes of the Inspector."""

TOKEN, WRONG = "inspector-token-aaaaaaaa", "inspector-token-bbbbbbbb"
Calls = dict[str, list[dict[str, Any]]]


def inspected(command: list[str], home: Path, calls: Calls) -> list[str]:
    """One line for every call; ValueError when the Inspector ends otherwise than it should."""
    # A wrapper script keeps the server's own command line apart from the Inspector's.
    script = home / "server"
    script.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in command) + "\n")
    script.chmod(0o755)
    tokens = home / "tokens"
    tokens.write_text(f"inspector {TOKEN} prices,read,ask\n")
    tokens.chmod(0o600)
    lines = []
    for era in ("legacy", "modern"):
        lines += _tried(home, calls, f"{era}, stdio", [str(script)], era)
        with serving(command, home, "--token-file", str(tokens)) as url:
            lines += _tried(home, calls, f"{era}, HTTP", _with_token(url, TOKEN), era)
            listing = [*_with_token(url, WRONG), "--method", "tools/list"]
            _run(home, era, *listing, expected=NOT_LET_IN)
            lines.append(f"Inspector, {era}, HTTP: a token that is not known is not let in")
    return lines


def _with_token(url: str, token: str) -> list[str]:
    words = ["--server-url", url, "--transport", "http", "--stored-auth-only"]
    return [*words, "--header", f"Authorization: Bearer {token}"]


def _tried(home: Path, calls: Calls, title: str, target: list[str], era: str) -> list[str]:
    listed = _run(home, era, *target, "--strict", "--method", "tools/list")["result"]["tools"]
    names = sorted(tool["name"] for tool in listed)
    if names != sorted(calls):
        raise ValueError(f"Inspector, {title}: tools/list gives {names}")
    lines = [f"Inspector, {title}: tools/list --strict {len(names)} tools"]
    call = [*target, "--method", "tools/call", "--tool-name"]
    for name in names:
        for arguments in calls[name]:
            result = _run(home, era, *call, name, "--tool-args-json", json.dumps(arguments))["result"]
            rows = result["structuredContent"]["rows"]
            if result.get("isError") or not rows:
                raise ValueError(f"Inspector, {title}, {name} {arguments}: {json.dumps(result)[:600]}")
            lines.append(f"Inspector, {title}: {name} {json.dumps(arguments)} {len(rows)} rows")
    wrong = ("compare_gpu_prices", "--tool-args-json", '{"gpu": ["Z9"]}')
    _run(home, era, *call, *wrong, expected=TOOL_ERROR)
    lines.append(f"Inspector, {title}: an unknown GPU is a tool error")
    return lines


def _run(home: Path, era: str, *words: str, expected: int = 0) -> Any:
    """What one Inspector command printed, as JSON; None when it was to fail before there was a result."""
    env = {**os.environ, "CLOUDTOP_HOME": str(home), "MCP_CATALOG_PATH": str(home / "catalog.json")}
    command = ["node", str(PROGRAM), "--cli", "--format", "json", "--protocol-era", era, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, env=env, check=False)
    if done.returncode != expected:
        said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        raise ValueError(f"Inspector, {era}, {' '.join(words)}: exit {done.returncode}\n{said}")
    return json.loads(done.stdout) if done.stdout.strip() else None
