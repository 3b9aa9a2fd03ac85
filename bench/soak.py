"""Ten minutes of everyday load, all at once: 50 clients over HTTP in both eras and 10 servers over stdio, on
one store, in front of made-up clouds. Every answer is looked at, and the memory of every server each second.

Memory is flat when its median in the last quarter is no more than `MORE_MIB` above that of the second: what
is kept for later is full by then. Before the clock starts every server asks the clouds once by itself: the
packages that it loads for that are 40 MiB, and later one may ask for all. Only when asked for by name:
python -m bench --only soak [--quick]
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.http import HANDSHAKE, MODERN, OURS, TOKEN, Client, free, request, rss_mib, started
from bench.row import Row, median, p
from bench.wire import Wire
from cloudtop.sandbox.serve import running

SECONDS = 600.0
QUICK_S = 30.0
OVER_HTTP, OVER_STDIO = 50, 10
PAUSE_S = 0.25
"""Between two requests of one client: the load of people and their models, not a flood."""

MORE_MIB = 5.0
GPUS = ("A100", "H100", "L40S", "RTX4090", "V100", "A10", "T4", "L4", "H200", "MI300X")
Asked = tuple[str, dict[str, Any]]


def everyday(number: int) -> Iterator[Asked]:
    """What one client asks, each beginning elsewhere: cached and anew, listened to, and wrong."""
    for turn in itertools.count(number * 3):
        gpu = GPUS[turn // 10 % len(GPUS)]
        yield [
            _call("compare_gpu_prices", gpu=gpu, limit=turn % 200 + 1),
            _call("compare_gpu_prices", gpu=gpu, group_by="provider", max_age="60s"),
            _call("compare_gpu_prices", heard=turn, gpu=gpu, region="eu"),
            _call("gpu_price_history", gpu=gpu),
            _call("list_providers"),
            _call("check_health", providers=["vast"]),
            _call("compare_gpu_prices", gpu="Z9"),
            ("tools/list", {}),
            ("resources/read", {"uri": "cloudtop://providers"}),
            ("prompts/list", {}),
        ][turn % 10]


def _call(tool: str, heard: int | None = None, **arguments: Any) -> Asked:
    meta = {} if heard is None else {"_meta": {"progressToken": heard}}
    return "tools/call", {"name": tool, "arguments": arguments, **meta}


@dataclass
class Load:
    """What all clients saw."""

    seconds: float
    ends_at: float = 0.0
    took_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: dict[int, list[float]] = field(default_factory=dict)

    def run(self, clients: list[Callable[[Asked], bytes]], servers: list[int]) -> None:
        """Every client at once, until the time is over."""
        self.ends_at = time.monotonic() + self.seconds
        threads = [
            threading.Thread(target=self._ask, args=(number, send), daemon=True)
            for number, send in enumerate(clients)
        ]
        for one in threads:
            one.start()
        while time.monotonic() < self.ends_at:
            for pid in servers:
                self.memory.setdefault(pid, []).append(rss_mib(pid))
            time.sleep(min(1.0, self.seconds / 40))
        for one in threads:
            one.join(60)

    def _ask(self, number: int, send: Callable[[Asked], bytes]) -> None:
        asked = everyday(number)
        while time.monotonic() < self.ends_at:
            method, params = next(asked)
            wrong = params.get("arguments", {}).get("gpu") == "Z9"
            before = time.perf_counter()
            try:
                answer = send((method, params))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted and told
                self.errors.append(f"{method}: {type(error).__name__}: {error}"[:300])
                return
            self.took_ms.append((time.perf_counter() - before) * 1000)
            if b'"result"' not in answer or (b'"isError":true' in answer) != wrong:
                self.errors.append(f"{method} {json.dumps(params)}: {answer[-300:]!r}")
            time.sleep(PAUSE_S)

    def grown_mib(self, pid: int) -> float:
        """How much more memory a server has in the last quarter than in the second."""
        seen = self.memory[pid]
        quarter = len(seen) // 4
        return median(seen[-quarter:]) - median(seen[quarter : 2 * quarter])


def soaked(
    folder: Path,
    seconds: float,
    *,
    over_http: int = OVER_HTTP,
    over_stdio: int = OVER_STDIO,
    command: list[str] = OURS,
) -> list[Row]:
    """One run with so many clients of the servers that `command` starts."""
    config, tokens, port = folder / "soak.json", folder / "tokens", free()
    tokens.write_text(f"bench {TOKEN} admin rate=1000000/s\n")
    tokens.chmod(0o600)
    load = Load(seconds)
    with ExitStack() as stack:
        config.write_text(json.dumps(stack.enter_context(running()).config()))
        env = {"CLOUDTOP_HOME": str(folder / "soak-home"), "CLOUDTOP_CONFIG": str(config)}
        listen = ["mcp", "--http", f"127.0.0.1:{port}", "--token-file", str(tokens)]
        server = stack.enter_context(started([*command, *listen], port, **env))
        wires = [Wire([*command, "mcp"], **env) for _ in range(over_stdio)]
        for wire in wires:
            stack.callback(wire.end)
        with Client(port, MODERN) as first:
            for send in (_web(first), *map(_wire, wires)):
                send(_call("compare_gpu_prices", gpu="A100", max_age="0"))
                send(_call("check_health", max_age="0"))
        eras = [(MODERN, HANDSHAKE)[number % 2] for number in range(over_http)]
        webs = [stack.enter_context(Client(port, era)) for era in eras]
        clients = [_web(one) for one in webs] + [_wire(one) for one in wires]
        others = [wire.process.pid for wire in wires]
        load.run(clients, [server, *others])
    most = max(others, key=load.grown_mib) if others else server
    return [
        _answered(load, f"{over_http} HTTP and {over_stdio} stdio clients at once, {seconds:g} s"),
        _flat(load, server, f"memory over {seconds:g} s, HTTP server"),
        _flat(load, most, f"memory over {seconds:g} s, stdio, the one that grew most"),
    ]


def _web(client: Client) -> Callable[[Asked], bytes]:
    return lambda asked: client.send(*request(client.era, *asked))


def _wire(wire: Wire) -> Callable[[Asked], bytes]:
    return lambda asked: wire.ask(*asked)


def _answered(load: Load, what: str) -> Row:
    took = load.took_ms or [0.0]
    said = f"{len(load.took_ms):,} answers, {len(load.errors)} errors"
    for error in load.errors[:3]:
        said += f"; {error}"
    times = f"p50 {median(took):.1f} ms, p99 {p(took, 0.99):.0f} ms, most {max(took):.0f} ms"
    return Row(what, said, times, None, "no error", not load.errors and len(load.took_ms) > 0)


def _flat(load: Load, pid: int, what: str) -> Row:
    grown, seen = load.grown_mib(pid), load.memory[pid]
    shown = f"{grown:+.1f} MiB on {seen[-1]:.0f}"
    return Row(what, shown, f"{seen[0]:.0f} MiB at first", None, f"<= +{MORE_MIB:g} MiB", grown <= MORE_MIB)


def rows(folder: Path, *, quick: bool) -> list[Row]:
    return soaked(folder, QUICK_S if quick else SECONDS)
