"""The server as a process: cold start, a cached call, the size of tools/list, memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.row import Row, median
from bench.wire import Wire, bare, cold_cpu_s
from tests.switched import only

OURS = [sys.executable, "-m", "cloudtop.cli.main"]
CALL = {"name": "compare_gpu_prices", "arguments": {"gpu": "A100", "limit": 20}}


def rows(folder: Path, *, quick: bool) -> list[Row]:
    home = folder / "server-home"
    env = {"CLOUDTOP_HOME": str(home), "CLOUDTOP_CONFIG": str(_config(folder))}
    ours = [sys.executable, "-c", "from cloudtop.cli.main import main; main()", "mcp"]
    wire = Wire(ours, **env)
    listed = wire.ask("tools/list", {})
    size = len(json.dumps(json.loads(listed)["result"]["tools"], separators=(",", ":")))
    idle = wire.rss_mib()
    answer = json.loads(wire.ask("tools/call", CALL))["result"]
    kept = folder / "answer.json"
    found = answer["structuredContent"]
    kept.write_text(json.dumps({"text": answer["content"][0]["text"], "structured": found}))
    other = Wire(bare(kept))
    n = 150 if quick else 600
    pairs = [(wire.p50_ms(CALL, n), other.p50_ms(CALL, n)) for _ in range(2 if quick else 5)]
    call_ms, bare_ms = median([a for a, _ in pairs]), median([b for _, b in pairs])
    rates = [(wire.rate(CALL, n), other.rate(CALL, n)) for _ in range(2 if quick else 5)]
    rate, bare_rate = median([a for a, _ in rates]), median([b for _, b in rates])
    wire.end()
    other.end()
    cold = [(cold_cpu_s(ours, **env), cold_cpu_s(bare(kept))) for _ in range(2 if quick else 5)]
    cold_s, bare_s = median([a for a, _ in cold]), median([b for _, b in cold])
    return [
        Row(
            "MCP cold start to first tools/list, CPU",
            f"{cold_s:.2f} s",
            f"{bare_s:.2f} s bare server",
            cold_s / bare_s,
            "<= 1.4 x",
            cold_s / bare_s <= 1.4,
        ),
        Row(
            f"cached tools/call of {len(found['rows'])} rows, stdio, p50",
            f"{call_ms:.2f} ms",
            f"{bare_ms:.2f} ms bare, same bytes",
            call_ms / bare_ms,
            "<= 1.5 x",
            call_ms / bare_ms <= 1.5,
        ),
        Row(
            "cached tools/call, stdio, 16 under way",
            f"{rate:.0f} /s",
            f"{bare_rate:.0f} /s bare",
            rate / bare_rate,
            ">= 0.7 x",
            rate / bare_rate >= 0.7,
        ),
        Row("tools/list of the default set", f"{size:,} bytes", "", None, "<= 20,000", size <= 20_000),
        Row("memory, server idle", f"{idle:.0f} MiB", "", None, "<= 100 MiB", idle <= 100),
    ]


def _config(folder: Path) -> Path:
    """The shipped list alone, so that no cloud is asked."""
    file = folder / "server.json"
    file.write_text(json.dumps({"providers": only("pricelist")}))
    return file
