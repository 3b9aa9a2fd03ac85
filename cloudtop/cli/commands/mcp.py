"""`mcp`: the tools over standard input and output, or over HTTP. Nothing else is ever written there.

Imported late: mcp and the server's modules; for HTTP uvicorn, for several workers what forks them.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cloudtop import net
from cloudtop.cli import views
from cloudtop.cli.build import House, build
from cloudtop.errors import CloudtopError, UsageError
from cloudtop.settings import variable

if TYPE_CHECKING:
    import argparse

    from mcp.server import Server

    from cloudtop.ports import Clock
    from mcp_server.auth import Doors
    from mcp_server.limits import Caller, Rates
    from mcp_server.place import Place
    from mcp_server.runtime import Runtime

CLOSE_S = 0.5
"""How long closing the store may take when a signal ends the process."""

END_S = 2.0
"""How long a process that served HTTP may still take to end, whatever a thread is waiting for."""

MOST_WORKERS = 64


def run(options: argparse.Namespace) -> int:
    """Serve until the client goes, or over HTTP until a signal comes."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if options.http is not None:
        return _over_http(options)
    if named := _only_for_http(options):
        raise UsageError(f"{named} is for HTTP.", "Add --http 127.0.0.1:8000, or leave it out.")
    asyncio.run(_served(options))
    return 0


def _only_for_http(options: argparse.Namespace) -> str | None:
    """The first option that means nothing over standard input and output."""
    names = ("token_file", "jwt_issuer", "jwt_audience", "jwks", "public_url", "allow_host", "allow_origin")
    more = ("rate", "max_age_floor", "workers", "stateless")
    given = (name for name in (*names, *more) if getattr(options, name) not in (None, []))
    first = next(given, None)
    if first == "stateless" and options.stateless is False:
        first = "stateful"
    return f"--{first.replace('_', '-')}" if first else None


def _serving(house: House, options: argparse.Namespace) -> tuple[Runtime, Server[Any]]:
    """The tools of --toolsets, else of CLOUDTOP_TOOLSETS, else the usual ones; and their server."""
    names = (options.toolsets or variable("CLOUDTOP_TOOLSETS")).split(",")
    runtime = house.runtime(names)
    views.notices(house.notices)
    begin(house.fleet.standing.early())
    server = house.server(runtime, house.live_specs(runtime, names))
    if options.conformance:
        from mcp_server import conformance

        conformance.install(server)
    return runtime, server


def begin(modules: Sequence[str]) -> None:
    """Import what takes seconds before anybody asks for it, in a thread that the end does not wait for."""

    def imported() -> None:
        for one in modules:
            # That it is not installed is said by whoever asks for it.
            with contextlib.suppress(ImportError):
                importlib.import_module(one)

    if modules:
        threading.Thread(target=imported, daemon=True).start()


async def _served(options: argparse.Namespace) -> None:
    from mcp_server.admission import admit
    from mcp_server.stdio import serve_stdio

    house = build(options.config, options.home, offline=options.offline)
    _leave_on_signals(house)
    try:
        runtime, server = _serving(house, options)
        admit(server, runtime, read_only=options.read_only)
        await serve_stdio(server)
    finally:
        await house.aclose()


def _leave_on_signals(house: House) -> None:
    """End at once on SIGINT and SIGTERM. The thread that reads standard input would hold a usual end up."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, partial(_leave, house, 128 + number))


def _leave(house: House, code: int) -> None:
    watch = threading.Timer(CLOSE_S, os._exit, (code,))
    watch.daemon = True
    watch.start()
    try:
        house.store.close()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _over_http(options: argparse.Namespace) -> int:
    """Check everything that can be checked, listen, then serve: alone or with workers."""
    from cloudtop.ports import SystemClock
    from mcp_server.limits import Rates

    host, port = _address(options.http)
    stateless, workers = options.stateless is not False, _workers(options)
    everybody = _everybody(options)
    doors = _doors(options, everybody, SystemClock())
    if doors is None and not net.is_loopback(host):
        raise UsageError(
            f"--http: without a token only this machine may ask, and {host} is more than that.",
            "Give --token-file or --jwt-issuer, or listen at 127.0.0.1.",
        )
    from mcp_server.place import PATH, Place

    place = Place(host, options.public_url, frozenset(options.allow_host), frozenset(options.allow_origin))
    rates = Rates()
    try:
        listener = net.listening(host, port)
    except OSError as error:
        raise CloudtopError(
            f"cloudtop cannot listen at {host}:{port}: {error.strerror or error}.", "Choose another port."
        ) from error
    shown = f"[{host}]" if ":" in host else host
    told = [f"cloudtop: http://{shown}:{listener.getsockname()[1]}{PATH}"]
    told += ["stateless" if stateless else "stateful", "tokens" if doors else "no token, this machine only"]
    told += [f"{workers} workers"] if workers > 1 else []
    sys.stderr.write(", ".join(told) + "\n")
    sys.stderr.flush()

    def start(orphaned: int | None) -> int:
        asyncio.run(_http(options, listener, place, doors, rates, everybody, orphaned))
        return 0

    if workers == 1:
        return start(None)
    from mcp_server.workers import Workers

    return Workers(start, workers).run()


async def _http(
    options: argparse.Namespace,
    listener: Any,
    place: Place,
    doors: Doors | None,
    rates: Rates,
    everybody: Caller,
    orphaned: int | None,
) -> None:
    """One process that serves."""
    from mcp_server.http import gate
    from mcp_server.http_process import serve

    house = build(options.config, options.home, offline=options.offline)
    try:
        runtime, server = _serving(house, options)
        made = gate(
            server,
            runtime,
            place,
            doors=doors,
            rates=rates,
            stateless=options.stateless is not False,
            terse=not options.conformance,
            read_only=options.read_only,
            everybody=everybody,
            healthy=house.store.revision,
        )
        async with made as app:
            await serve(app, listener, orphaned=orphaned)
    finally:
        watch = threading.Timer(END_S, os._exit, (0,))
        watch.daemon = True
        watch.start()
        await house.aclose()


def _address(text: str) -> tuple[str, int]:
    """HOST:PORT; a port alone is on this machine."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise UsageError(f"--http: {text!r} is no address.", "Such as 127.0.0.1:8000, or [::1]:8000.")
    return host, int(port)


def _workers(options: argparse.Namespace) -> int:
    count = 1 if options.workers is None else options.workers
    if not 1 <= count <= MOST_WORKERS:
        raise UsageError(f"--workers: {count} is out of bounds.", f"1 to {MOST_WORKERS}.")
    if count > 1 and options.stateless is False:
        raise UsageError(
            "--stateful keeps each session in one process, and --workers starts several.",
            "Leave one of them out. A modern client needs no session.",
        )
    if count > 1 and not hasattr(os, "fork"):
        raise UsageError("--workers: this system cannot fork.", "Start one worker.")
    return count


def _doors(options: argparse.Namespace, everybody: Caller, clock: Clock) -> Doors | None:
    """The tokens that open, or None where none is asked for."""
    issued = {name: getattr(options, name) for name in ("jwt_issuer", "jwt_audience", "jwks")}
    if any(issued.values()):
        if options.public_url and not issued["jwt_audience"]:
            issued["jwt_audience"] = options.public_url
        if missing := [f"--{name.replace('_', '-')}" for name, value in issued.items() if not value]:
            raise UsageError(f"A JWT cannot be checked without {' and '.join(missing)}.", "Give it too.")
    elif not options.token_file:
        return None
    from mcp_server.auth import Doors
    from mcp_server.issuer import Issuer
    from mcp_server.limits import RATE
    from mcp_server.token_file import TokenFile

    rate, floor_s = everybody.rate or RATE, everybody.floor_s
    tokens = TokenFile(options.token_file, clock, rate=rate, floor_s=floor_s) if options.token_file else None
    issuer = None
    if issued["jwks"]:
        issuer = Issuer(
            issued["jwt_issuer"], issued["jwt_audience"], issued["jwks"], clock, rate=rate, floor_s=floor_s
        )
    return Doors(tokens, issuer)


def _everybody(options: argparse.Namespace) -> Caller:
    """Who asks without a token: nothing is counted unless --rate or --max-age-floor says so."""
    from dataclasses import replace

    from cloudtop.times import duration_s
    from mcp_server.limits import EVERYBODY, Rate

    caller = EVERYBODY
    if options.rate is not None:
        caller = replace(caller, rate=_judged("--rate", Rate.of, options.rate))
    if options.max_age_floor is not None:
        floor_s = _judged("--max-age-floor", duration_s, options.max_age_floor)
        caller = replace(caller, floor_s=floor_s)
    return caller


def _judged(option: str, judge: Callable[[str], Any], text: str) -> Any:
    try:
        return judge(text)
    except (ValueError, CloudtopError) as error:
        raise UsageError(f"{option}: {error}") from error
