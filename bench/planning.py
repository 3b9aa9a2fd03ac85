"""The planner alone, and what the graph adds to a question."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import yaml
from mcp import Client

from agent.ask import ask, lexicon_of
from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.row import Row, p, times_ms
from cloudtop.cli.build import build
from tests.switched import only

QUESTIONS = Path(__file__).parent.parent / "tests" / "questions"
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)


def rows(folder: Path, *, quick: bool) -> list[Row]:
    code = "import time; s = time.process_time(); import agent.planner.plan; print(time.process_time() - s)"
    cost = [float(subprocess.check_output([sys.executable, "-c", code])) * 1000 for _ in range(5)]
    return asyncio.run(_rows(folder, cost, quick=quick))


async def _rows(folder: Path, cost: list[float], *, quick: bool) -> list[Row]:
    config = folder / "planning.json"
    config.write_text(json.dumps({"providers": only("pricelist")}))
    house = build(config, folder / "planning-home")
    async with Client(house.server(house.runtime())) as client:
        words = await client.read_resource("cloudtop://lexicon")
        raw = json.loads(words.contents[0].text)
        raw["names"] = [f"machine-{n:04d}" for n in range(2000)]
        lexicon = Lexicon.of(raw)
        asked = [
            turn["user"]
            for file in sorted(QUESTIONS.glob("*.yaml"))
            for one in yaml.safe_load(file.read_text())["questions"]
            for turn in one["turns"]
        ]
        times = []
        for text in asked * (1 if quick else 3):
            started = time.perf_counter()
            plan(text, lexicon, NOW, None)
            times.append((time.perf_counter() - started) * 1000)
        plain = await lexicon_of(client)
        call = await times_ms(lambda: client.call_tool("compare_gpu_prices", {"gpu": "A100", "limit": 1}), 60)
        graph = []
        for _ in range(30 if quick else 120):
            started = time.perf_counter()
            done = await ask(client, "cheapest A100", lexicon=plain, now=NOW)
            whole = (time.perf_counter() - started) * 1000
            graph.append(whole - p(call, 0.5) - p(times, 0.5))
            assert done.answer.rows, done.answer.text
    await house.aclose()
    half, most = p(times, 0.5), p(times, 0.95)
    return [
        Row(
            f"planning one question of {len(asked)}, 2,000 live names",
            f"p50 {half:.2f} ms, p95 {most:.2f} ms",
            "",
            None,
            "p50 <= 1 ms, p95 <= 5 ms",
            half <= 1 and most <= 5,
        ),
        Row("planner import, CPU", f"{p(cost, 0.5):.0f} ms", "", None, "<= 150 ms", p(cost, 0.5) <= 150),
        Row(
            "what graph, check and rendering add to planning and the tool call",
            f"p50 {p(graph, 0.5):.1f} ms, p95 {p(graph, 0.95):.1f} ms",
            "",
            None,
            "p95 <= 20 ms",
            p(graph, 0.95) <= 20,
        ),
    ]
