"""Linode as a local server: its plans, where they are to be had, and the profile, over a made-up market.

Follows the public reference of Linode API v4 (types, regions' availability, profile, numbered pages). Dollars
an hour for the whole plan, memory and disk in MB; a GPU is told by label and id alone. H100 and X9000 plans
are made up altogether: Linode has none. Traps in the market: a price of its own in one region, a plan that no
region has, one of which nothing is told, a region without a word, a zero price, a price that is null, a count
that is null, a label that is null, an unknown GPU, video accelerators and CPU plans. The listings are read
without a key; a wrong one is refused. Stricter than the real one: unknown query parameters are refused, and
pages are short.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State

TOKEN = "sandbox-linode-token"
LONGEST_PAGE = 8


def plan(
    name: str, label: str | None, kind: str, gpus: int | None, size: tuple[int, int, int], hour: float | None
) -> dict[str, Any]:
    """A plan; `size` is its vCPUs, and its memory and disk in GiB."""
    cores, memory, disk = size
    return {
        "id": name,
        "label": label,
        "class": kind,
        "vcpus": cores,
        "memory": memory * 1024,
        "disk": disk * 1024,
        "gpus": gpus,
        "accelerated_devices": 1 if kind == "accelerated" else 0,
        "transfer": 0 if kind == "gpu" else 4000,
        "network_out": 10000,
        "price": {"hourly": hour, "monthly": round(hour * 672, 2) if hour is not None else None},
        "region_prices": [
            {"id": region, "hourly": own, "monthly": round(own * 672, 2)}
            for region, own in OWN_PRICES.get(name, {}).items()
        ],
        "addons": {"backups": {"price": {"hourly": None, "monthly": None}, "region_prices": []}},
        "successor": None,
    }


OWN_PRICES: dict[str, dict[str, float]] = {
    "g6-nanode-1": {"id-cgk": 0.009, "br-gru": 0.0105},
    "g2-gpu-rtx4000a1-s": {"id-cgk": 0.62},
    "g4-gpu-h100-1": {"br-gru": 3.84},
    "g4-gpu-x9000-2": {"br-gru": 1.54},
}
TYPES: tuple[dict[str, Any], ...] = (
    plan("g6-nanode-1", "Nanode 1GB", "nanode", 0, (1, 1, 25), 0.0075),
    plan("g6-dedicated-56", "Dedicated 256GB", "dedicated", 0, (56, 256, 5000), 3.456),
    plan("g1-gpu-rtx6000-1", "Dedicated 32GB + RTX6000 GPU x1", "gpu", 1, (8, 32, 640), 1.5),
    plan("g1-gpu-rtx6000-4", "Dedicated 128GB + RTX6000 GPU x4", "gpu", 4, (24, 128, 2560), 6.0),
    plan("g2-gpu-rtx4000a1-s", "RTX4000 Ada x1 Small", "gpu", 1, (4, 16, 512), 0.52),
    plan("g2-gpu-rtx4000a1-xl", None, "gpu", 1, (32, 128, 2048), 1.53),
    plan("g2-gpu-rtx4000a2-hs", "RTX4000 Ada x2 Medium High Storage", "gpu", 2, (16, 64, 3072), 1.49),
    plan("g2-gpu-rtx4000a4-m", "RTX4000 Ada x4 Medium", "gpu", None, (48, 196, 4096), 3.57),
    plan("g3-gpu-rtxpro6000-blackwell-1", "RTX PRO 6000 Blackwell x1", "gpu", 1, (16, 172, 1024), 2.5),
    plan("g3-gpu-rtxpro6000-blackwell-4", "RTX PRO 6000 Blackwell x4", "gpu", 4, (64, 688, 4096), None),
    plan("g4-gpu-h100-1", "H100 x1", "gpu", 1, (24, 240, 2048), 3.2),
    plan("g4-gpu-h100-8", "H100 x8", "gpu", 8, (192, 1920, 16384), 0),
    plan("g4-gpu-x9000-2", "X9000 x2", "gpu", 2, (32, 256, 2048), 1.1),
    plan(
        "g1-accelerated-netint-vpu-t1u1-s", "NETINT Quadra T1U x1 Small", "accelerated", 0, (8, 16, 300), 0.42
    ),
    plan("g7-premium-2", "Premium 4GB", "premium", 0, (2, 4, 80), 0.0645),
)

# Plan -> region -> whether it is to be had there; a null is a trap.
REGIONS: dict[str, dict[str, bool | None]] = {
    "g1-gpu-rtx6000-1": {"us-southeast": True, "ap-west": True, "eu-central": False},
    "g1-gpu-rtx6000-4": {"us-southeast": False, "ap-west": False},
    "g2-gpu-rtx4000a1-s": {"us-ord": True, "de-fra-2": True, "id-cgk": True, "us-east": False},
    "g2-gpu-rtx4000a1-xl": {"us-sea": True, "us-east": False},
    "g2-gpu-rtx4000a2-hs": {"us-ord": True, "jp-osa": None},
    "g2-gpu-rtx4000a4-m": {"fr-par": True, "sg-sin-2": False},
    "g3-gpu-rtxpro6000-blackwell-1": {"us-sea": True, "us-lax": True},
    "g4-gpu-h100-1": {"us-iad": True, "br-gru": True},
    "g4-gpu-h100-8": {"us-iad": True},
    "g7-premium-2": {"us-ord": True, "us-east": False},
}
AVAILABILITY: tuple[dict[str, Any], ...] = tuple(
    {"region": region, "plan": name, "available": available}
    for name, told in REGIONS.items()
    for region, available in told.items()
)


async def list_types(request: Request) -> Response:
    """GET /v4/linode/types: all plans."""
    return refused(request, "page", "page_size") or page(request, TYPES)


async def list_availability(request: Request) -> Response:
    """GET /v4/regions/availability: plans and regions."""
    return refused(request, "page", "page_size") or page(request, AVAILABILITY)


async def profile(request: Request) -> Response:
    """GET /v4/profile: whose token this is."""
    if not request.headers.get("authorization"):
        return error(401, "Invalid Token")
    if refusal := refused(request):
        return refusal
    return JSONResponse({"username": "sandbox", "email": "sandbox@example.invalid", "restricted": False})


def refused(request: Request, *known: str) -> Response | None:
    """Why a request is not answered: a wrong token, or a parameter that is not documented."""
    sent = request.headers.get("authorization")
    if sent is not None and sent != f"Bearer {TOKEN}":
        return error(401, "Invalid Token")
    unknown = next((name for name in request.query_params if name not in known), None)
    return None if unknown is None else error(400, "Unknown parameter", unknown)


def page(request: Request, found: tuple[dict[str, Any], ...]) -> Response:
    """One page: as many records as are asked for, or as a page may hold."""
    asked, number = request.query_params.get("page_size", "100"), request.query_params.get("page", "1")
    if not asked.isdigit() or not 25 <= int(asked) <= 500:
        return error(400, "Must be between 25 and 500", "page_size")
    size = min(int(asked), LONGEST_PAGE)
    pages = -(-len(found) // size)
    if not number.isdigit() or int(number) < 1:
        return error(400, "Must be a positive number", "page")
    if int(number) > pages:
        return error(404, "Not found")
    start = (int(number) - 1) * size
    answer = {
        "data": list(found[start : start + size]),
        "page": int(number),
        "pages": pages,
        "results": len(found),
    }
    return JSONResponse(answer)


def error(status: int, reason: str, field: str | None = None) -> JSONResponse:
    """An error as Linode words it."""
    return JSONResponse(document(reason, field), status_code=status)


def document(reason: str, field: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    return {"errors": [{"reason": reason, **({"field": field} if field else {})}]}


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in Linode's form."""
    return json.dumps(document(message)).encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, "Not found")


def app(state: State) -> Starlette:
    """The server. Its prices are those of its file, whatever the time."""
    made = Starlette(
        routes=[
            Route("/v4/linode/types", list_types, methods=["GET"]),
            Route("/v4/regions/availability", list_availability, methods=["GET"]),
            Route("/v4/profile", profile, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    made.router.redirect_slashes = False
    return made


CLOUD = Cloud(
    app,
    words,
    records="data",
    auth={"api_key": TOKEN},
    # Pages are numbered: the number of this one leads to the next.
    more="page",
)
