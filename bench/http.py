"""The server over HTTP against the SDK's own app: a cached call with a token in both eras, many clients.

Both sides answer with JSON: ours where nobody listens on the way, the bare one because it is told to.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.row import Row, median
from tests.switched import only

MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"
CALL = {"name": "compare_gpu_prices", "arguments": {"gpu": "A100", "limit": 20}}
OURS = [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]
TOKEN = "bench-token-aaaaaaaaaaaaaaaa"
ROOT = Path(__file__).parent.parent


def request(
    era: str, method: str = "tools/call", asked: dict[str, Any] = CALL
) -> tuple[bytes, dict[str, str]]:
    """One request as a client of this era sends it."""
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": era,
        "Authorization": f"Bearer {TOKEN}",
    }
    params = dict(asked)
    if era == MODERN:
        headers["Mcp-Method"] = method
        if name := asked.get("name") or asked.get("uri"):
            headers["Mcp-Name"] = name
        params["_meta"] = {
            **asked.get("_meta", {}),
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode(), headers


class Client:
    """One kept connection."""

    def __init__(self, port: int, era: str) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.wire.connect()
        self.wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.era = era
        self.body, self.headers = request(era)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.wire.close()

    def ask(self) -> bytes:
        return self.send(self.body, self.headers)

    def send(self, body: bytes, headers: dict[str, str]) -> bytes:
        """One request; the bytes of its answer, a stream's to its end. RuntimeError without a result."""
        self.wire.request("POST", "/mcp", body, headers)
        answer = self.wire.getresponse()
        found = answer.read()
        if answer.status != 200 or b'"result"' not in found[:2_000_000]:
            raise RuntimeError(f"{answer.status}: {found[:300]!r}")
        return found


def p50_ms(ours: Client, bare: Client, n: int) -> tuple[float, float]:
    """Both in turns, call by call: what else the machine does meets both."""
    found: tuple[list[float], list[float]] = ([], [])
    for i in range(n + 30):
        for client, times in zip((ours, bare), found, strict=True):
            started = time.perf_counter()
            client.ask()
            if i >= 30:
                times.append((time.perf_counter() - started) * 1000)
    return sorted(found[0])[n // 2], sorted(found[1])[n // 2]


def rate(port: int, era: str, n: int, at_once: int) -> float:
    """Calls a second of so many clients at once; RuntimeError when any is not answered."""
    clients = [Client(port, era) for _ in range(at_once)]
    failed: list[BaseException] = []

    def work(client: Client) -> None:
        try:
            for _ in range(max(1, n // at_once)):
                client.ask()
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            failed.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    started = time.perf_counter()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    took = time.perf_counter() - started
    if failed:
        raise RuntimeError(f"{len(failed)} of {at_once} clients failed: {failed[0]}")
    return max(1, n // at_once) * at_once / took


@contextmanager
def started(command: list[str], port: int, **env: str) -> Iterator[int]:
    """A server until the end of the `with`; its process number."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, **env}
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                with Client(port, MODERN) as client:
                    client.ask()
                break
            except (OSError, RuntimeError):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def rss_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def rows(folder: Path, *, quick: bool) -> list[Row]:
    config, file = folder / "http.json", folder / "tokens"
    config.write_text(json.dumps({"providers": only("pricelist")}))
    file.write_text(f"bench {TOKEN} admin rate=1000000/s\n")
    file.chmod(0o600)
    env = {"CLOUDTOP_HOME": str(folder / "http-home"), "CLOUDTOP_CONFIG": str(config)}
    port, json_port, n, rounds = free(), free(), 150 if quick else 600, 2 if quick else 5

    def ours(*words: str) -> list[str]:
        return [*OURS, "mcp", "--http", f"127.0.0.1:{port}", "--token-file", str(file), *words]

    with started(ours(), port, **env) as pid:
        answer = json.loads(Client(port, MODERN).ask())["result"]
        kept = folder / "http-answer.json"
        kept.write_text(
            json.dumps({"text": answer["content"][0]["text"], "structured": answer["structuredContent"]})
        )
        shown = len(answer["structuredContent"]["rows"])
        bare = [sys.executable, "-m", "bench.bare_http", str(kept), str(json_port), "json"]
        with started(bare, json_port):
            made = []
            for era in (MODERN, HANDSHAKE):
                pairs = [p50_ms(Client(port, era), Client(json_port, era), n) for _ in range(rounds)]
                made.append(_time(f"cached tools/call of {shown} rows, HTTP, {era}, token, p50", pairs))
            loads = [(rate(port, MODERN, n, 8), rate(json_port, MODERN, n, 8)) for _ in range(rounds)]
            made.append(_rate("cached tools/call, HTTP, 8 clients", loads))
        before = rss_mib(pid)
        fifty = rate(port, MODERN, n * 10, 50)
        grown = rss_mib(pid) - before
        made.append(Row("50 HTTP clients at once", f"{fifty:.0f} /s, no error", "", None, "no error", True))
        made.append(
            Row(
                f"memory over {n * 10:,} more calls, HTTP",
                f"{grown:+.1f} MiB on {before:.0f}",
                "",
                None,
                "<= +5 MiB",
                grown <= 5,
            )
        )
    return made


def _time(what: str, pairs: list[tuple[float, float]]) -> Row:
    mine, bare = median([a for a, _ in pairs]), median([b for _, b in pairs])
    ratio = mine / bare
    return Row(what, f"{mine:.2f} ms", f"{bare:.2f} ms bare, same bytes", ratio, "<= 1.5 x", ratio <= 1.5)


def _rate(what: str, pairs: list[tuple[float, float]]) -> Row:
    mine, bare = median([a for a, _ in pairs]), median([b for _, b in pairs])
    return Row(what, f"{mine:.0f} /s", f"{bare:.0f} /s bare", mine / bare, ">= 0.7 x", mine / bare >= 0.7)
