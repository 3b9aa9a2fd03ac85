"""Starts and stops the sandbox: each provider's app behind the fault layer on a loopback port of its own.

with running() as sandbox:
    sandbox.config()                      # a cloudtop configuration that asks this sandbox alone
    sandbox.fault("vast", "503", times=1) # misbehave once
    sandbox.requests                      # what was asked
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn

from cloudtop.sandbox import raw_ports
from cloudtop.sandbox.cloud import State, clouds
from cloudtop.sandbox.fault_kinds import FAULTS
from cloudtop.sandbox.faults import App, Layer, Seen

STOP_S = 5.0
RAW = ("refused", "unaccepting", "reset")
"""Faults that need a port of their own."""


@dataclass
class Sandbox:
    """A running sandbox."""

    layers: Mapping[str, Layer]
    ports: Mapping[str, str]
    loop: asyncio.AbstractEventLoop
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    elsewhere: dict[str, str] = field(default_factory=dict)

    @property
    def requests(self) -> list[Seen]:
        """Every request so far, in order of arrival."""
        return sorted((seen for layer in self.layers.values() for seen in layer.seen), key=lambda s: s.at)

    @property
    def endpoints(self) -> dict[str, str]:
        """The base URL of every provider."""
        return {**self.ports, **self.elsewhere}

    def endpoint(self, provider: str) -> str:
        """The base URL of `provider`, without a slash at the end."""
        return self.endpoints[provider]

    def app(self, provider: str) -> App:
        """The app of `provider` with its fault layer, for calls in process."""
        return self.layers[provider]

    def config(self) -> dict[str, Any]:
        """A cloudtop configuration that asks this sandbox and nothing else."""
        providers: dict[str, Any] = {name: {"enabled": False} for name in clouds()}
        providers |= {name: clouds()[name].config(url) for name, url in self.endpoints.items()}
        return {"version": "1.0", "providers": providers}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every credential that this sandbox accepts."""
        return tuple(value for name in self.layers for value in clouds()[name].secrets)

    def fault(self, provider: str, name: str, **how: Any) -> None:
        """Switch a fault on. `how`: path, text, signed, times, after (see faults), and what the fault takes.

        A fault of the connection (`RAW`) lives on a port of its own: `endpoint` and `config` name that one
        until `calm`.
        """
        if name in RAW:
            self.elsewhere[provider] = self._raw(name)
        elif name in FAULTS:
            self.layers[provider].arm(name, FAULTS[name].behave, **how)
        else:
            raise ValueError(f"no fault {name!r}; there are {', '.join((*FAULTS, *RAW))}")

    def _raw(self, name: str) -> str:
        if name == "refused":
            return self.stack.enter_context(raw_ports.refused())
        if name == "unaccepting":
            return self.stack.enter_context(raw_ports.unaccepting())
        port = raw_ports.bound()
        started = asyncio.start_server(raw_ports.reset, sock=port)
        server = asyncio.run_coroutine_threadsafe(started, self.loop).result()
        self.stack.callback(self.loop.call_soon_threadsafe, server.close)
        return raw_ports.url(port)

    def calm(self) -> None:
        """Switch every fault off, close their ports and forget the requests."""
        for layer in self.layers.values():
            layer.calm()
            layer.seen.clear()
        self.elsewhere.clear()
        self.stack.close()


@contextlib.contextmanager
def running(
    providers: Sequence[str] | None = None,
    *,
    faults: Mapping[str, str] | None = None,
    moving: bool = True,
    now: datetime | Callable[[], datetime] | None = None,
) -> Iterator[Sandbox]:
    """A sandbox for the time of a `with`: of `providers`, else of all clouds that there are.

    `faults`: provider to the fault that is on from the start. `now` fixes its clock; with `moving=False` the
    prices are those of the data file.
    """
    state = State(_clock(now), moving)
    behind = {
        name: one.layer(state) for name, one in clouds().items() if providers is None or name in providers
    }
    sockets = {provider: raw_ports.bound() for provider in behind}
    servers = [_server(layer) for layer in behind.values()]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(
        target=_serve, args=(loop, servers, list(sockets.values())), name="sandbox", daemon=True
    )
    for port in sockets.values():
        port.listen()  # from here on a connection waits instead of being refused
    thread.start()
    sandbox = Sandbox(behind, {provider: raw_ports.url(port) for provider, port in sockets.items()}, loop)
    try:
        for provider, name in (faults or {}).items():
            sandbox.fault(provider, name)
        yield sandbox
    finally:
        sandbox.stack.close()
        for server in servers:
            server.should_exit = server.force_exit = True
        thread.join(STOP_S)
        for port in sockets.values():
            port.close()


def _clock(now: datetime | Callable[[], datetime] | None) -> Callable[[], datetime]:
    if now is None:
        return lambda: datetime.now(UTC)
    if isinstance(now, datetime):
        return lambda: now
    return now


def _server(layer: Layer) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            layer,
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            date_header=False,
            server_header=False,
            ws="none",
            http="h11",
        )
    )


def _serve(loop: asyncio.AbstractEventLoop, servers: list[uvicorn.Server], ports: list[Any]) -> None:
    async def serve() -> None:
        await asyncio.gather(*(server.serve([port]) for server, port in zip(servers, ports, strict=True)))

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(serve())


def describe(sandbox: Sandbox) -> str:
    """One line of JSON: the base URLs and a configuration to use them with."""
    return json.dumps({"endpoints": sandbox.endpoints, "config": sandbox.config()})
