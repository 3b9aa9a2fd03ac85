"""Every seller alike: its fixture as a server, its sandbox as a market, and what it makes of either.

A fixture `fixtures/<id>.yaml` holds `auth`; `replies`, each an `ask` ("GET /path?name=value"), maybe `has` (a
text in the body of the request; JSON there is compact: `{"a":"b"}`), and a `body` (data for JSON, text for
anything else) with a `status`; `offers`, the rows expected by hand, any fields of an offer; `notes`, texts
that must be remarked (without them nothing may be); and `sandbox`, the whole market of
`cloudtop/sandbox/clouds/<id>.py` as a person reads it there, as CSV: fields of an offer, an empty cell for
what is unknown.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn
import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from cloudtop.models import GpuOffer, Health, PriceQuery, Scope, Trouble
from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.serve import running
from cloudtop.settings import Settings, load
from connectors import discovery
from tests.connectors.raw_servers import Audit, Clock, Hosts

FOLDER = Path(__file__).parent / "fixtures"
SELLERS = tuple(
    name for name, facts in discovery.found().items() if facts.hosts and "gpu_offers" in facts.kinds
)
FAST = {"requests_per_second": 10_000, "burst": 10_000}


@dataclass
class Reading:
    """What a connector made of all its price scopes."""

    offers: list[GpuOffer]
    notes: list[Trouble]
    asked: list[str] = field(default_factory=list)


def fixture(seller: str) -> dict[str, Any]:
    """The fixture of a seller."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{seller}.yaml").read_text("utf-8"))
    return found


async def reading(seller: str, endpoint: str, auth: Mapping[str, str], home: Path) -> Reading:
    """Everything that the connector has to offer at an endpoint."""
    async with connector_at(seller, endpoint, auth, home) as connector:
        offers = [
            offer
            for scope in connector.price_scopes(PriceQuery())
            async for page in connector.gpu_offers(scope)
            for offer in page
        ]
        return Reading(offers, connector.notes)


async def health(seller: str, endpoint: str, auth: Mapping[str, str], home: Path) -> dict[str, Health]:
    """What the connector says of its connection, by check."""
    async with connector_at(seller, endpoint, auth, home) as connector:
        scope = Scope(seller, "default", kind="health")
        return {row.check: row async for page in connector.health(scope) for row in page}


@asynccontextmanager
async def connector_at(seller: str, endpoint: str, auth: Mapping[str, str], home: Path) -> AsyncIterator[Any]:
    """A connector that asks an endpoint, as fast as it likes."""
    config = {"auth": dict(auth), "options": {"endpoint": endpoint}, "rate_limit": FAST}
    settings = _settings(seller, config, home)
    made = discovery.make(
        discovery.found()[seller],
        settings.provider(seller),
        secrets=settings,
        clock=Clock(),
        hosts=Hosts(),
        audit=Audit(),
    )
    try:
        yield made
    finally:
        await made.aclose()


async def from_fixture(seller: str, home: Path) -> Reading:
    """What the connector makes of the replies of its fixture."""
    told = fixture(seller)
    async with serving(told["replies"]) as (endpoint, asked):
        found = await reading(seller, endpoint, told["auth"], home)
    found.asked = asked
    return found


async def from_sandbox(seller: str, home: Path) -> Reading:
    """What the connector makes of its local cloud."""
    with market(seller) as endpoint:
        return await reading(seller, endpoint, clouds()[seller].auth, home)


@contextmanager
def market(seller: str) -> Iterator[str]:
    """The local cloud of a seller, its prices those of its file."""
    with running((seller,), moving=False) as sandbox:
        yield sandbox.endpoint(seller)


def table(seller: str) -> dict[tuple[str, bool], dict[str, Any]]:
    """The sandbox's market as the fixture tells it: (offer id, spot) to what is named there."""
    rows = csv.DictReader(fixture(seller)["sandbox"].splitlines())
    return {(row["offer_id"], row["spot"] == "true"): _typed(row) for row in rows}


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    return {name: _cell(name, cell) for name, cell in row.items()}


def _cell(name: str, cell: str) -> Any:
    """A cell as the field of an offer has it: text, yes or no, else a number; an empty one is None."""
    kind = GpuOffer.__annotations__[name]
    if cell == "":
        return None
    return cell if "str" in kind else cell == "true" if "bool" in kind else float(cell)


def _settings(seller: str, config: Mapping[str, Any], home: Path) -> Settings:
    file = home / f"{seller}.json"
    file.write_text(json.dumps({"providers": {seller: config}}))
    return load(file, home, environ={})


@asynccontextmanager
async def serving(replies: list[dict[str, Any]]) -> AsyncIterator[tuple[str, list[str]]]:
    """A server with these replies, and what was asked of it."""
    import asyncio

    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = (await request.body()).decode()
        query = f"?{request.url.query}" if request.url.query else ""
        asked.append(f"{request.method} {request.url.path}{query}")
        await _answer(replies, request, body)(scope, receive, send)

    config = uvicorn.Config(app, lifespan="off", log_config=None, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    from cloudtop.sandbox import raw_ports

    port = raw_ports.bound()
    port.listen()
    task = asyncio.create_task(server.serve([port]))
    try:
        yield raw_ports.url(port), asked
    finally:
        server.should_exit = server.force_exit = True
        await task
        port.close()


def _answer(replies: list[dict[str, Any]], request: Request, body: str) -> Response:
    fitting = [one for one in replies if _fits(one, request, body)]
    if not fitting:
        return JSONResponse({"error": f"the fixture has no reply to {request.url}"}, status_code=404)
    # The one that says most about the request.
    best = max(fitting, key=lambda one: len(one["ask"]) + len(one.get("has", "")))
    status = best.get("status", 200)
    if isinstance(best["body"], str):
        return PlainTextResponse(best["body"], status)
    return JSONResponse(best["body"], status)


def _fits(one: Mapping[str, Any], request: Request, body: str) -> bool:
    method, _, target = one["ask"].partition(" ")
    parts = urlsplit(target)
    wanted = parse_qsl(parts.query, keep_blank_values=True)
    sent = request.query_params.multi_items()
    return (
        request.method == method
        and request.url.path == parts.path
        and all(pair in sent for pair in wanted)
        and one.get("has", "") in body
    )
