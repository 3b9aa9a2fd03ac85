"""CloudRift as a local server: its list of instance types, and whose key it is, over a made-up market.

Follows the public documentation of CloudRift's REST API: every call is a POST of `version` and `data`, and so
is every answer; errors are plain texts. Cents an hour for the whole variant, memory and disk in bytes, `vram`
of one GPU. H100 and X9000 machines are made up altogether. Traps in the market: machines of which none is
free, data centres without machines, no data centre at all, one that does not say what is free, `vram` of all
GPUs together, a zero price, a price that is null, a count that is null, an unknown GPU, and a machine without
any. The list is read without a key; a wrong one is refused. Stricter than the real one: a form of asking that
is not documented is refused.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State

TOKEN = "sandbox-cloudrift-key"
GIB = 1024**3
VERSION = re.compile(r"20\d\d-\d\d-\d\d")
SERVICES = {"vm", "docker"}


def kind(name: str, brand: str, *variants: dict[str, Any], maker: str = "NVIDIA") -> dict[str, Any]:
    """An instance type and its variants."""
    places = dict.fromkeys(place for one in variants for place in one["nodes_per_dc"])
    return {
        "name": name,
        "brand_short": brand,
        "manufacturer": maker,
        "nvidia_kernel_module_support": "OpenAndProprietary",
        "datacenters": [{"name": place, "provider_name": "sandbox"} for place in places],
        "variants": list(variants),
    }


def variant(
    name: str,
    gpus: int | None,
    vram: int,
    cents: float | None,
    nodes: dict[str, int],
    free: dict[str, int] | None,
    cores: int = 8,
) -> dict[str, Any]:
    """What one rents; `vram` in GiB, memory and disk follow the cores; no `free` leaves the field out."""
    told = {"available_nodes": sum(free.values()), "available_nodes_per_dc": free} if free is not None else {}
    return {
        "name": name,
        "gpu_count": gpus,
        "vram": vram * GIB,
        "cpu_count": cores,
        "logical_cpu_count": 2 * cores,
        "dram": 6 * cores * GIB,
        "disk": 64 * cores * GIB,
        "cost_per_hour": cents,
        "nodes": sum(nodes.values()),
        "nodes_per_dc": nodes,
        **told,
        "cpu_sharing_policy": "Dedicated",
        "ip_availability_per_dc": {place: {"public_ips": True} for place in nodes},
        "volume_types_per_dc": {},
    }


NC, IT, TW, KR, TX = (
    "us-east-nc-nr-1",
    "eu-central-it-gv-1",
    "ap-east-tw-kn-2",
    "ap_northeast_kr_se_1",
    "ustx1a_a01",
)
TYPES: tuple[dict[str, Any], ...] = (
    kind(
        "rtx49-8c-nr",
        "RTX 4090",
        variant("rtx49-8c-nr.1", 1, 24, 39.0, {NC: 4, TW: 2}, {NC: 3, TW: 0}),
        variant("rtx49-8c-nr.2", 2, 24, 78.0, {NC: 2}, {NC: 1}, 16),
        variant("rtx49-8c-nr.4", None, 24, 156.0, {NC: 1}, {NC: 0}, 32),
    ),
    kind(
        "rtx59-16c-nr",
        "RTX 5090",
        variant("rtx59-16c-nr.1", 1, 32, 65.0, {NC: 2, IT: 0}, None, 16),
        variant("rtx59-16c-nr.4", 4, 128, 260.0, {NC: 1, TX: 1}, {NC: 1, TX: 1}, 64),
    ),
    kind(
        "rtxpro6000-16c-kr",
        "RTX PRO 6000",
        variant("rtxpro6000-16c-kr.1", 1, 96, 139.36, {KR: 3, IT: 1}, {KR: 1, IT: 1}, 16),
        variant("rtxpro6000-16c-kr.8", 8, 96, None, {KR: 1}, {KR: 1}, 128),
    ),
    kind("v100-5c-tx", "V100 SXM2", variant("v100-5c-tx.1", 1, 32, 25.0, {TX: 6}, {TX: 5}, 5)),
    kind("l40s-12c-it", "L40S", variant("l40s-12c-it.1", 1, 48, 0, {IT: 1}, {IT: 1}, 12)),
    kind(
        "h100-24c-nr",
        "H100",
        variant("h100-24c-nr.1", 1, 80, 229.0, {NC: 2}, {NC: 2}, 24),
        variant("h100-24c-nr.8", 8, 80, 1832.0, {}, {}, 192),
    ),
    kind(
        "mi350x-32c-nr",
        "MI350X",
        variant("mi350x-32c-nr.1", 1, 288, 315.0, {NC: 1}, {NC: 1}, 32),
        maker="AMD",
    ),
    kind("x9000-8c-nr", "X9000", variant("x9000-8c-nr.2", 2, 64, 110.0, {NC: 1}, {NC: 1})),
    kind("epyc-32c-nr", "", variant("epyc-32c-nr.0", 0, 0, 31.0, {NC: 9}, {NC: 9}, 32), maker="AMD"),
)


async def list_types(request: Request) -> Response:
    """POST /api/v1/instance-types/list: all of them, or those of a kind, a place or a name."""
    if refusal := wrong_key(request):
        return refusal
    data = await asked(request)
    if isinstance(data, Response):
        return data
    names = chosen(data)
    if isinstance(names, Response):
        return names
    found = [one for one in TYPES if names is None or one["name"] in names]
    return answered({"instance_types": found})


async def who_am_i(request: Request) -> Response:
    """POST /api/v1/auth/me: whose key this is."""
    if not request.headers.get("x-api-key"):
        return error(401, "User cannot be authenticated from the request")
    if refusal := wrong_key(request):
        return refusal
    data = await asked(request)
    if isinstance(data, Response):
        return data
    return answered(
        {"email": "sandbox@example.invalid", "id": "0", "name": "sandbox", "provider": "CloudRift"}
    )


def wrong_key(request: Request) -> Response | None:
    """Why a key is not accepted; none at all may do. A bearer is a session's, which there is none of."""
    sent = request.headers.get("x-api-key", TOKEN)
    if sent == TOKEN and "authorization" not in request.headers:
        return None
    return error(401, "User cannot be authenticated from the request")


async def asked(request: Request) -> dict[str, Any] | Response:
    """The data of a request, or why it is none."""
    if stranger := next(iter(request.query_params), None):
        return error(400, f"unknown query parameter {stranger}")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return error(415, "Expected request with `Content-Type: application/json`")
    try:
        body = json.loads(await request.body())
    except ValueError:
        return error(400, "Failed to parse the request body as JSON")
    if not isinstance(body, dict) or set(body) != {"version", "data"} or not isinstance(body["data"], dict):
        return error(422, "request must be {version, data}")
    if not isinstance(body["version"], str) or not VERSION.fullmatch(body["version"]):
        return error(400, "unsupported version")
    data: dict[str, Any] = body["data"]
    return data


def chosen(data: dict[str, Any]) -> set[str] | Response | None:
    """The names of the types that a selector means, None for all."""
    selector = data.get("selector")
    if set(data) != {"selector"}:
        return error(422, "data must be {selector}")
    if selector == "All":
        return None
    name, told = (
        next(iter(selector.items())) if isinstance(selector, dict) and len(selector) == 1 else ("", None)
    )
    if name == "ByName" and isinstance(told, list):
        return {one for one in told if isinstance(one, str)}
    if (
        name != "ByServiceAndLocation"
        or not isinstance(told, dict)
        or set(told) - {"services", "datacenters"}
    ):
        return error(422, "unknown selector")
    services, places = told.get("services"), told.get("datacenters")
    if not isinstance(services, list) or not services or set(services) - SERVICES:
        return error(422, "unknown service")
    if places is None:
        return None
    return {one["name"] for one in TYPES if {place["name"] for place in one["datacenters"]} & set(places)}


def answered(data: dict[str, Any]) -> JSONResponse:
    """An answer; its version is the server's own, whatever was asked for."""
    return JSONResponse({"version": "2025-01-29", "data": data})


def error(status: int, message: str) -> PlainTextResponse:
    """An error as CloudRift words it."""
    return PlainTextResponse(message, status_code=status)


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in CloudRift's form."""
    return message.encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, f"{request.method} {request.url.path}: {problem.detail}")


def app(state: State) -> Starlette:
    """The server. Its prices are those of its file, whatever the time."""
    made = Starlette(
        routes=[
            Route("/api/v1/instance-types/list", list_types, methods=["POST"]),
            Route("/api/v1/auth/me", who_am_i, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    made.router.redirect_slashes = False
    return made


CLOUD = Cloud(
    app,
    words,
    records="data.instance_types",
    auth={"api_key": TOKEN},
    # What one rents is named in a list within the record.
    keys=("variants",),
)
