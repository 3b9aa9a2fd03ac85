"""`make bench`: every figure beside its baseline and its goal, met or missed.

python -m bench [--quick] [--only NAME] [--record]
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import json
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.row import Row

PARTS = ("servers", "http", "prices", "inventory", "resources", "planning", "processes", "door", "peers")
LONG = ("soak",)
"""Only when asked for by name: ten minutes."""

HOUSE = Path(__file__).parent.parent
ROOMS = ("agent", "bench", "cloudtop", "connectors", "mcp_server")
HISTORY = Path(__file__).parent / "history.jsonl"


def main() -> None:
    options = argparse.ArgumentParser(prog="bench")
    options.add_argument("--quick", action="store_true", help="fewer rounds and rows; for trying out")
    options.add_argument("--only", choices=[*PARTS, *LONG])
    options.add_argument("--record", action="store_true", help="add a dated line to bench/history.jsonl")
    asked = options.parse_args()
    for room in ROOMS:
        # As an installed package is: pip compiles those that it is measured against.
        compileall.compile_dir(HOUSE / room, quiet=1)
    found: list[Row] = []
    for name in [asked.only] if asked.only else PARTS:
        sys.stderr.write(f"bench: {name}\n")
        with tempfile.TemporaryDirectory(prefix="cloudtop-bench-") as folder:
            found += importlib.import_module(f"bench.{name}").rows(Path(folder), quick=asked.quick)
    width = max((len(row.what) for row in found), default=0)
    for row in found:
        ratio = f"{row.ratio:.2f} x" if row.ratio is not None else ""
        verdict = "met" if row.met else "MISSED"
        print(
            f"{row.what:{width}}  {row.measured:34} {row.baseline:42} {ratio:>8} goal {row.goal:25} {verdict}"
        )
    if asked.record:
        line = {
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "python": platform.python_version(),
            "quick": asked.quick,
            "rows": [row.as_json() for row in found],
        }
        with HISTORY.open("a") as out:
            out.write(json.dumps(line) + "\n")


main()
