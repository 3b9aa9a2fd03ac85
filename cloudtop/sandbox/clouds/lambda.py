"""Lambda Cloud as a local server: its list of instance types.

Follows the Lambda Cloud API (instance types). The market is made up, in the units of the API: cents an hour
for a whole instance, memory in GiB; a GPU and its memory are told in words only. Stricter than the real one:
a query parameter is refused. In it are: types with capacity in several regions, in one, in none, one without
a price, one whose words are missing, the old RTX 6000, a GPU that nobody knows, and one without any.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State

TOKEN = "sandbox-lambda-token"
REGIONS = {
    "europe-central-1": "Germany",
    "me-west-1": "Israel",
    "us-east-1": "Virginia, USA",
    "us-midwest-1": "Illinois, USA",
    "us-south-1": "Texas, USA",
    "us-south-2": "North Texas, USA",
    "us-west-1": "California, USA",
    "us-west-2": "Arizona, USA",
    "us-west-3": "Utah, USA",
}

# name, GPU, GPUs, cents an hour, vCPUs, memory and disk in GiB, regions with capacity
TYPES: tuple[tuple[str, str | None, int, int | None, int, int, int, tuple[str, ...]], ...] = (
    ("gpu_1x_a10", "A10 (24 GB PCIe)", 1, 75, 30, 200, 1400, ("us-east-1", "us-west-1", "me-west-1")),
    ("gpu_1x_rtx6000", "RTX 6000 (24 GB)", 1, 50, 14, 46, 512, ("us-south-1",)),
    ("gpu_1x_a6000", "A6000 (48 GB)", 1, 80, 14, 100, 200, ()),
    ("gpu_4x_a6000", "A6000 (48 GB)", 4, 320, 56, 400, 1024, ("us-south-1",)),
    ("gpu_8x_v100", "Tesla V100 (16 GB)", 8, 440, 92, 448, 5900, ("us-south-1",)),
    ("gpu_1x_a100", "A100 (40 GB PCIe)", 1, 129, 30, 200, 512, ("us-west-2",)),
    ("gpu_1x_a100_sxm4", "A100 (40 GB SXM4)", 1, 131, 30, 200, 512, ("us-east-1", "us-south-1")),
    ("gpu_8x_a100", "A100 (40 GB SXM4)", 8, 1032, 124, 1800, 6000, ()),
    ("gpu_8x_a100_80gb_sxm4", "A100 (80 GB SXM4)", 8, 1432, 240, 1800, 19456, ("us-midwest-1", "me-west-1")),
    ("gpu_1x_h100_pcie", "H100 (80 GB PCIe)", 1, 249, 26, 200, 1024, ("us-west-3",)),
    ("gpu_1x_h100_sxm5", "H100 (80 GB SXM5)", 1, 329, 26, 225, 2816, ()),
    # Not yet for sale: there is no price.
    ("gpu_4x_h100_sxm5", "H100 (80 GB SXM5)", 4, None, 104, 900, 11264, ("us-south-2",)),
    ("gpu_8x_h100_sxm5", "H100 (80 GB SXM5)", 8, 2392, 208, 1800, 22528, ("us-west-2", "us-south-2")),
    ("gpu_1x_gh200", "GH200 (96 GB)", 1, 149, 64, 432, 4096, ("us-east-1",)),
    ("gpu_8x_b200_sxm6", "B200 (180 GB SXM6)", 8, 3992, 208, 2900, 22528, ("us-east-1",)),
    ("gpu_1x_b200_sxm6", "B200 (180 GB SXM6)", 1, 0, 26, 360, 2816, ("us-east-1",)),
    # Nothing but its name tells what it has.
    ("gpu_4x_l40s", None, 4, 380, 64, 384, 2048, ("europe-central-1",)),
    ("gpu_2x_x9000", "X9000 (64 GB)", 2, 210, 32, 256, 1024, ("europe-central-1",)),
    ("cpu_4x_general", "N/A", 0, 20, 4, 16, 100, ("us-east-1",)),
)


def instance_types() -> dict[str, Any]:
    """The market as the API writes it."""
    return {row[0]: instance_type(*row) for row in TYPES}


def instance_type(
    name: str,
    gpu: str | None,
    gpus: int,
    cents: int | None,
    vcpus: int,
    memory: int,
    disk: int,
    regions: tuple[str, ...],
) -> dict[str, Any]:
    """One type, and where there is capacity for it."""
    kind: dict[str, Any] = {
        "name": name,
        "price_cents_per_hour": cents,
        "specs": {"vcpus": vcpus, "memory_gib": memory, "storage_gib": disk, "gpus": gpus},
        "architecture": "arm64" if "gh200" in name else "x86_64",
    }
    if gpu is not None:
        kind["description"] = f"{gpus}x {gpu}" if gpus else f"{vcpus}x CPU General ({memory} GiB)"
        kind["gpu_description"] = gpu
    places = [{"name": region, "description": REGIONS[region]} for region in regions]
    return {"instance_type": kind, "regions_with_capacity_available": places}


async def list_types(request: Request) -> Response:
    """GET /api/v1/instance-types: all of them at once."""
    basic = base64.b64encode(f"{TOKEN}:".encode()).decode()
    if request.headers.get("authorization") not in (f"Bearer {TOKEN}", f"Basic {basic}"):
        return error(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.")
    if stranger := next(iter(request.query_params), None):
        return error(400, "global/invalid-parameters", f"unknown parameter: {stranger}")
    return JSONResponse({"data": instance_types()})


def error(status: int, code: str, message: str) -> JSONResponse:
    """An error as Lambda words it."""
    return JSONResponse(document(code, message), status_code=status)


def document(code: str, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"code": code, "message": message, "suggestion": "Check the request, then try again."}}


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in Lambda's form."""
    codes = {401: "global/invalid-api-key", 403: "global/forbidden", 404: "global/not-found"}
    return json.dumps(document(codes.get(status, "global/unknown"), message)).encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, "global/not-found", f"{request.url.path} is not there.")


def app(state: State) -> Starlette:
    """The server."""
    return Starlette(
        routes=[Route("/api/v1/instance-types", list_types, methods=["GET"])],
        exception_handlers={HTTPException: _not_there},
    )


CLOUD = Cloud(
    app=app,
    words=words,
    auth={"api_key": TOKEN},
    records="data",
    keys=("regions_with_capacity_available",),
)
