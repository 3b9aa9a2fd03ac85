"""Verda as a local server: OAuth2 token, instance types, availability and balance over a made-up market.

Follows the public API reference of Verda (before: DataCrunch) and its Python SDK. Prices are strings, dollars
or euros per hour for the whole instance; `gpu_memory` is of all GPUs together. Traps in the market: two to
eight GPUs whose memory is a sum, a type that is free only as spot and one only on demand, one that no
location has, one that availability names and the types do not, a spot price of "0", a null and a missing one,
a price missing, null texts, an unknown GPU, no GPU memory, CPU types with and without a word on GPUs.
Stricter than the real one: an unknown query parameter is refused. A token lasts ten minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State

CLIENT_ID = "sandbox-verda-id"
CLIENT_SECRET = "sandbox-verda-secret"
TOKEN_S = 600
USD_PER_EUR = 1.16

CODES: Mapping[int, str] = {
    400: "invalid_request",
    401: "unauthorized_request",
    402: "insufficient_funds",
    403: "forbidden_action",
    404: "not_found",
    503: "service_unavailable",
}

ON_DEMAND: Mapping[str, tuple[str, ...]] = {
    "FIN-01": ("1A100.22V", "8A100.176V", "2A6000.20V", "1V100.6V", "CPU.4V.16G"),
    "FIN-02": ("1H100.80S.30V", "1A100.22V", "1A100.40S.22V", "8H200.141S.176V"),
    "FIN-03": ("1H100.80S.30V", "1B300.30V", "4RTXPRO6000.120V", "1X900.10V", "1L40S.20V", "1RETIRED.4V"),
    "ICE-01": ("CPU.120V.480G",),
}
SPOT: Mapping[str, tuple[str, ...]] = {
    "FIN-01": ("2A6000.20V", "1V100.6V"),
    "FIN-02": ("1H100.80S.30V",),
    "FIN-03": ("8H100.80S.176V", "1L40S.20V", "8H200.141S.176V"),
    "ICE-01": (),
}


def kind(
    name: str,
    gpu: str,
    count: int,
    vram: int | None,
    price: Any,
    spot: Any,
    cores: int,
    ram: int,
    **other: Any,
) -> dict[str, Any]:
    """One instance type as the API writes it; `...` in `other` takes a field out."""
    made: dict[str, Any] = {
        "id": f"00000000-5a0d-4000-8000-{abs(hash_of(name)):012x}",
        "instance_type": name,
        "name": gpu,
        "model": gpu.rpartition(" ")[0] or gpu,
        "description": "Dedicated Hardware Instance",
        "manufacturer": "NVIDIA",
        "display_name": None,
        "best_for": ["Multi-GPU training", "NVLINK"],
        "deploy_warning": None,
        "p2p": "",
        "cpu": {"description": f"{cores} CPU", "number_of_cores": cores},
        "gpu": {"description": f"{count}x {gpu}" if count else "", "number_of_gpus": count},
        "gpu_memory": {"description": f"{vram}GB GPU RAM", "size_in_gigabytes": vram},
        "memory": {"description": f"{ram}GB RAM", "size_in_gigabytes": ram},
        "storage": {"description": "dynamic"},
        "supported_os": ["ubuntu-24.04-cuda-12.8-open-docker"],
        "price_per_hour": price,
        "spot_price": spot,
        "serverless_price": None,
        "currency": "usd",
        **other,
    }
    return {field: value for field, value in made.items() if value is not ...}


def hash_of(name: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(name.encode()[-5:], "big")


MARKET: tuple[dict[str, Any], ...] = (
    kind(
        "1H100.80S.30V",
        "H100 SXM5 80GB",
        1,
        80,
        "2.19",
        "0.77",
        30,
        120,
        deploy_warning="Driver 535 or later",
    ),
    kind("8H100.80S.176V", "H100 SXM5 80GB", 8, 640, "17.52", "6.16", 176, 960),
    kind("8H200.141S.176V", "H200 SXM5 141GB", 8, 1128, "23.92", "8.32", 176, 1450),
    kind("1B300.30V", "B300 SXM6 262GB", 1, 262, "5.49", "0", 30, 275),
    kind("1A100.22V", "A100 SXM4 80GB", 1, 80, "1.16", None, 22, 120),
    kind("8A100.176V", "A100 SXM4 80GB", 8, 640, "9.28", "3.04", 176, 960),
    kind("1A100.40S.22V", "A100 SXM4 40GB", 1, 40, "0.66", ..., 22, 120),
    kind("2A6000.20V", "NVidia RTX A6000 48GB", 2, 96, "0.98", "0.34", 20, 120, p2p=None),
    kind("4RTXPRO6000.120V", "RTX PRO 6000 96GB", 4, 384, "5.56", "2.12", 120, 600),
    kind("1L40S.20V", "L40S 48GB", 1, None, "0.91", "0.32", 20, 60),
    kind("1V100.6V", "NVidia Tesla V100 16GB", 1, 16, ..., "0.05", 6, 23, best_for=None),
    kind("1X900.10V", "NVidia X900 64GB", 1, 64, "0.49", "0.19", 10, 60),
    kind("CPU.4V.16G", "AMD EPYC", 0, 0, "0.0279", "0.0112", 4, 16),
    {
        **kind("CPU.120V.480G", "AMD EPYC", 0, 0, "0.8370", "0.3348", 120, 480),
        "gpu": None,
        "gpu_memory": None,
    },
)


class Verda:
    """The state of one local Verda: the tokens it has sold."""

    def __init__(self, state: State) -> None:
        self.now = state.now
        self.sold: dict[str, datetime] = {}

    async def token(self, request: Request) -> Response:
        """POST /v1/oauth2/token: id and secret for a token."""
        try:
            body = json.loads(await request.body())
        except ValueError:
            return error(400, "The body is not JSON.")
        if not isinstance(body, dict) or body.get("grant_type") != "client_credentials":
            return error(400, "grant_type must be client_credentials.")
        if unknown := sorted(body.keys() - {"grant_type", "client_id", "client_secret"}):
            return error(400, f"Unexpected property {unknown[0]}.")
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return error(401, "Invalid client id or client secret.")
        name = f"sandbox-verda-token-{len(self.sold) + 1}"
        self.sold[name] = self.now() + timedelta(seconds=TOKEN_S)
        return JSONResponse(
            {
                "access_token": name,
                "refresh_token": f"{name}-refresh",
                "scope": "cloud-api-v1",
                "token_type": "Bearer",
                "expires_in": TOKEN_S,
            }
        )

    async def types(self, request: Request) -> Response:
        """GET /v1/instance-types?currency=: every type with its prices."""
        if refusal := self.refused(request, "currency"):
            return refusal
        currency = request.query_params.get("currency", "usd")
        if currency not in ("usd", "eur"):
            return error(400, "currency must be usd or eur.")
        return JSONResponse([in_currency(one, currency) for one in MARKET])

    async def free(self, request: Request) -> Response:
        """GET /v1/instance-availability?is_spot=&location_code=: which types each location has."""
        if refusal := self.refused(request, "is_spot", "location_code"):
            return refusal
        asked = request.query_params.get("is_spot", "false")
        if asked not in ("true", "false"):
            return error(400, "is_spot must be a boolean.")
        only = request.query_params.get("location_code")
        stock = SPOT if asked == "true" else ON_DEMAND
        places = [place for place in stock if only in (None, place)]
        return JSONResponse([{"location_code": one, "availabilities": list(stock[one])} for one in places])

    async def balance(self, request: Request) -> Response:
        """GET /v1/balance: what is left of the project's money."""
        return self.refused(request) or JSONResponse({"amount": 25.5, "currency": "usd"})

    def refused(self, request: Request, *known: str) -> Response | None:
        """Why a request is not answered: no good token, or a parameter that is not documented."""
        _, _, token = request.headers.get("authorization", "").partition("Bearer ")
        if self.sold.get(token, self.now()) <= self.now():
            return error(401, "Access token is missing or invalid.")
        unknown = next((name for name in request.query_params if name not in known), None)
        return None if unknown is None else error(400, f"Unexpected query parameter {unknown}.")


def in_currency(record: dict[str, Any], currency: str) -> dict[str, Any]:
    """The record with its prices in dollars or euros."""
    if currency == "usd":
        return record
    prices = {
        name: f"{float(record[name]) / USD_PER_EUR:.4f}"
        for name in ("price_per_hour", "spot_price")
        if record.get(name)
    }
    return {**record, **prices, "currency": currency}


def error(status: int, message: str) -> JSONResponse:
    """An error as Verda words it."""
    return JSONResponse({"code": CODES.get(status, "server_error"), "message": message}, status_code=status)


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in Verda's form."""
    return bytes(error(status, message).body)


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, f"{request.method} {request.url.path}: {problem.detail}")


def app(state: State) -> Starlette:
    """The server."""
    verda = Verda(state)
    made = Starlette(
        routes=[
            Route("/v1/oauth2/token", verda.token, methods=["POST"]),
            Route("/v1/instance-types", verda.types, methods=["GET"]),
            Route("/v1/instance-availability", verda.free, methods=["GET"]),
            Route("/v1/balance", verda.balance, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    made.router.redirect_slashes = False
    return made


CLOUD = Cloud(
    app,
    words,
    records=".",
    auth={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    # Without its token a sign-in is none.
    keys=("instance_type", "access_token"),
)
