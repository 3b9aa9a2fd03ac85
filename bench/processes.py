"""`cloudtop call` as a whole process, against importing three packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.row import Row, median

BASE = [sys.executable, "-c", "import httpx, pydantic, sqlite3"]
CALL = [
    sys.executable,
    "-c",
    "from cloudtop.cli.main import main; main()",
    "--offline",
    "call",
    "compare_gpu_prices",
    "gpu=A100",
    "--json",
]


def cpu_s(command: list[str], **env: str) -> float:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **env}
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return used.ru_utime + used.ru_stime


def rows(folder: Path, *, quick: bool) -> list[Row]:
    home = {"CLOUDTOP_HOME": str(folder / "call-home")}
    cpu_s(CALL, **home)
    pairs = [(cpu_s(CALL, **home), cpu_s(BASE)) for _ in range(5 if quick else 15)]
    ours, base = median([a for a, _ in pairs]), median([b for _, b in pairs])
    return [
        Row(
            "`cloudtop call` warm, whole process, CPU",
            f"{ours * 1000:.0f} ms",
            f"{base * 1000:.0f} ms import httpx, pydantic, sqlite3",
            ours / base,
            "<= 0.5 x",
            ours / base <= 0.5,
        )
    ]
