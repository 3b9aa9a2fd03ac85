"""An account of AWS listed into the store, against boto3 reading the same pages one after another.

Both are whole processes against `aws_replay`, which costs next to nothing itself. cloudtop's home is warm, as
an earlier run leaves it; its inventory is not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.aws_replay import PAGE, REGIONS
from bench.row import Row, median

LISTED, STREAMED = 10_000, 100_000
LATENCY_MS = 120
WAITED, WAITED_PAGE = 400, 20
CPU, MEMORY, WALL, STREAMED_MIB = 0.30, 1.0, 2.0, 300
Figures = dict[str, float]


def rows(folder: Path, *, quick: bool) -> list[Row]:
    listed, streamed = (LISTED // 10, STREAMED // 10) if quick else (LISTED, STREAMED)
    return [*_listed(folder, listed, 3 if quick else 5), _streamed(folder, streamed), _waited(folder)]


@contextmanager
def replay(instances: int, latency_ms: float = 0, page: int = PAGE) -> Iterator[str]:
    """The address of a server of so many instances, ended with the block."""
    words = ["--instances", str(instances), "--latency-ms", str(latency_ms), "--page", str(page)]
    command = [sys.executable, "-m", "bench.aws_replay", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def listing(peer: str, url: str, home: Path, *kinds: str) -> Figures:
    """What one process took to list: rows, CPU and wall in seconds, peak memory in MiB."""
    command = [sys.executable, "-m", "bench.inventory_peer", peer, url, str(home), *kinds]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: Figures = json.loads(told.splitlines()[-1])
    return figures


def cold(url: str, warm: Path, folder: Path, *kinds: str) -> Figures:
    """cloudtop with a warm home in which there is no inventory."""
    home = folder / "home"
    shutil.copytree(warm, home)
    try:
        return listing("cloudtop", url, home, *kinds)
    finally:
        shutil.rmtree(home)


def warmed(url: str, folder: Path) -> Path:
    home = folder / "warm"
    if not home.exists():
        home.mkdir()
        listing("warm", url, home)
    return home


def _listed(folder: Path, count: int, rounds: int) -> Iterator[Row]:
    with replay(count) as url:
        home = warmed(url, folder)
        pairs = [(cold(url, home, folder), listing("boto3", url, folder)) for _ in range(rounds)]
    assert len({one["rows"] for pair in pairs for one in pair}) == 1, "both must list the same"
    others = pairs[0][0]["rows"] - count
    what = f"list {count:,} EC2 instances + {others:,.0f} others"
    for title, key, unit, goal in (("CPU", "cpu_s", "s", CPU), ("peak memory", "rss_mib", "MiB", MEMORY)):
        ours, base = (median([pair[side][key] for pair in pairs]) for side in (0, 1))
        yield Row(
            f"{what}: {title}",
            f"{ours:.1f} {unit}",
            f"{base:.1f} {unit} boto3, one page after another",
            ours / base,
            f"<= {goal:.2f} x",
            ours / base <= goal,
        )


def _streamed(folder: Path, count: int) -> Row:
    with replay(count) as url:
        figures = cold(url, warmed(url, folder), folder, "instances")
    assert figures["rows"] == count
    return Row(
        f"list {count:,} EC2 instances: peak memory",
        f"{figures['rss_mib']:.0f} MiB",
        f"{figures['wall_s']:.1f} s, {figures['cpu_s']:.1f} s of CPU",
        None,
        f"< {STREAMED_MIB} MiB",
        figures["rss_mib"] < STREAMED_MIB,
    )


def _waited(folder: Path) -> Row:
    """Every listing of four regions at once, in a process that goes on running.

    The account is small and its pages are short, so that waiting is what counts.
    """
    pages = WAITED // len(REGIONS) // WAITED_PAGE
    chain_s = pages * LATENCY_MS / 1000
    with replay(WAITED, LATENCY_MS, WAITED_PAGE) as url:
        home = warmed(url, folder)
        wall_s = median([listing("again", url, home)["wall_s"] for _ in range(3)])
    return Row(
        f"list everything in {len(REGIONS)} regions at {LATENCY_MS} ms a request: wall",
        f"{wall_s:.2f} s",
        f"{chain_s:.2f} s: the longest chain, {pages} pages",
        wall_s / chain_s,
        f"<= {WALL:.1f} x",
        wall_s / chain_s <= WALL,
    )
