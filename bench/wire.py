"""A raw-wire MCP client over stdio, and the bare server that it is held against."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class Wire:
    """One server process, spoken to in lines of JSON."""

    def __init__(self, command: list[str], **env: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, **env},
        )
        self.ids = 0
        self.ask("initialize", HELLO)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict[str, Any]) -> bytes:
        """One request; the bytes of its answer."""
        assert self.process.stdout
        self.ids += 1
        self.send({"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params})
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the server ended")
            if b'"id":' in line and b'"method":' not in line[:60]:
                return line

    def p50_ms(self, params: dict[str, Any], n: int) -> float:
        found = []
        for i in range(n + 30):
            started = time.perf_counter()
            self.ask("tools/call", params)
            if i >= 30:
                found.append((time.perf_counter() - started) * 1000)
        return sorted(found)[n // 2]

    def rate(self, params: dict[str, Any], n: int, at_once: int = 16) -> float:
        """Calls a second with `at_once` under way."""
        assert self.process.stdout
        started, sent, got = time.perf_counter(), 0, 0
        while got < n:
            while sent < n and sent - got < at_once:
                self.ids += 1
                sent += 1
                self.send({"jsonrpc": "2.0", "id": self.ids, "method": "tools/call", "params": params})
            if b'"result"' in self.process.stdout.readline():
                got += 1
        return n / (time.perf_counter() - started)

    def rss_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def end(self) -> float:
        """Close its input; CPU seconds of its whole life."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdout.close()
        return used.ru_utime + used.ru_stime


def cold_cpu_s(command: list[str], **env: str) -> float:
    """CPU seconds from nothing to the first tools/list, and out."""
    wire = Wire(command, **env)
    wire.ask("tools/list", {})
    return wire.end()


def bare(answer: Path) -> list[str]:
    return [sys.executable, "-m", "bench.bare_server", str(answer)]
