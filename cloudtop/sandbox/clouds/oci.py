"""Oracle Cloud as a local server: its price list, the shapes file of its cost estimator, and two tenancies.

Follows the price list API (`cetools/api/v1/products`) and `cloudestimator2/data/shapes.json`, both public and
without a key or pages. The market is made up, in their units: dollars per GPU-hour, OCPU-hour or GB-hour of a
part, and for each shape its parts.

Traps: products that look like a rental and are none (software, Cloud@Customer, H100T); names that are no
models; the memory of one GPU where others tell that of all; quantities that are null; a bracket in a shape's
name; a shape of several parts; a price of zero; a part without a price; hidden and retired shapes; an unknown
GPU. Every other request goes to `cloudtop.sandbox.oci`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.oci.server import Oracle
from cloudtop.sandbox.oci.signed import ACCOUNTS, Asked
from cloudtop.sandbox.oci.speech import OracleSpeech

PRODUCTS = "/pls/apex/cetools/api/v1/products/"
SHAPES = "/a/ocom/docs/cloudestimator2/data/shapes.json"
GPU, OCPU, MEMORY, DISK = "GPU Per Hour", "OCPU Per Hour", "Gigabyte Per Hour", "NVMe Terabyte Per Hour"
EUR = 0.92
WORDS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}

# part number, name, metric, category, dollars
PARTS: Sequence[tuple[str, str, str, str, float]] = (
    ("B111850", "OCI - Compute - GPU - H100", GPU, "Compute - GPU Cloud@Customer", 11.5),
    ("B98415", "OCI - Compute - GPU - H100", GPU, "Compute - GPU", 9.8),
    ("B111001", "OCI - NVIDIA AI Enterprise - H100", GPU, "Compute - GPU", 1.1),
    ("B109480", "OCI - Compute - GPU - H100T", GPU, "Compute - GPU", 6.2),
    ("B110519", "OCI - Compute - GPU - H200", GPU, "Compute - GPU", 10.4),
    ("B92740", "OCI - Compute - GPU - E3", GPU, "Compute - GPU", 3.1),
    ("B89734", "OCI - Compute - GPU - V2", GPU, "Compute - GPU", 2.9),
    ("B95907", "OCI - Compute - GPU - E4", GPU, "Compute - GPU", 4.2),
    ("B95909", "OCI - Compute - GPU - A10", GPU, "Compute - GPU", 2.1),
    ("B109479", "OCI - Compute - GPU - L40S", GPU, "Compute - GPU", 3.4),
    ("B110978", "OCI - Compute - GPU - B200", GPU, "Compute - GPU", 13.5),
    ("B110979", "OCI - Compute - GPU - GB200", GPU, "Compute - GPU", 15.5),
    ("B112140", "OCI - Compute - GPU - GB300", GPU, "Compute - GPU", 17.5),
    ("B111758", "OCI - Compute - GPU - MI355X", GPU, "Compute - GPU", 8.5),
    ("B109485", "OCI - Compute - GPU - MI300X", GPU, "Compute - GPU", 0.0),
    ("B112613", "OCI - Compute - GPU - RTX PRO", GPU, "Compute - GPU", 4.4),
    ("B119001", "OCI - Compute - GPU - X9000", GPU, "Compute - GPU", 5.0),
    ("B93113", "OCI - Compute - Standard - E4 - OCPU", OCPU, "Compute - Virtual Machine", 0.025),
    ("B93114", "OCI - Compute - Standard - E4 - Memory", MEMORY, "Compute - Virtual Machine", 0.0015),
    ("B97384", "OCI - Compute - Standard - E5 - OCPU", OCPU, "Compute - Virtual Machine", 0.03),
    ("B97385", "OCI - Compute - Standard - E5 - Memory", MEMORY, "Compute - Virtual Machine", 0.002),
    ("B93297", "OCI - Compute - Standard - A1 - OCPU", OCPU, "Compute - Virtual Machine", 0.01),
    ("B93298", "OCI - Compute - Standard - A1 - Memory", MEMORY, "Compute - Virtual Machine", 0.0015),
    ("B88514", "OCI - Compute - Standard - X7", OCPU, "Compute - Virtual Machine", 0.0638),
    ("B98204", "OCI - Compute - Dense I/O - E5 - NVMe", DISK, "Compute - Bare Metal", 0.0612),
)

Parts = tuple[tuple[str, str, float | None], ...]
# name, GPUs, GPU memory as it is told, memory, preemptible, (kind, part number, quantity)…
GPU_SHAPES: Sequence[tuple[str, int, float, float | None, bool, Parts]] = (
    ("BM.GPU.H100.8", 8, 640, 2048, False, (("ocpu", "B98415", 112),)),
    ("BM.GPU.H200.8", 8, 1128, 3072, False, (("ocpu", "B110519", 112),)),
    ("BM.GPU4.8", 8, 320, 2048, False, (("ocpu", "B92740", 64),)),
    ("BM.GPU.A100-v2.8", 8, 640, 2048, False, (("ocpu", "B95907", 128),)),
    ("VM.GPU3.1", 1, 16, 90, True, (("ocpu", "B89734", 6),)),
    ("BM.GPU3.8", 8, 128, 768, False, (("ocpu", "B89734", 52),)),
    ("VM.GPU.A10.1", 1, 24, 240, True, (("ocpu", "B95909", 15),)),
    ("BM.GPU.L40S.4", 4, 192, 1024, False, (("ocpu", "B109479", 112),)),
    (
        "VM.GPU.L40S.1",
        1,
        48,
        None,
        True,
        (("gpu", "B109479", 1), ("ocpu", "B93113", 28), ("memory", "B93114", 240)),
    ),
    ("BM.GPU.B200.8", 8, 1440, 4096, False, (("ocpu", "B110978", 128),)),
    ("BM.GPU.GB200.4 (NVL72)", 4, 756, 960, False, (("ocpu", "B110979", 128),)),
    ("BM.GPU.GB300.4 (NVL72)", 4, 278, None, False, (("ocpu", "B112140", None),)),
    ("BM.GPU.MI355X.8", 8, 288, 3072, False, (("ocpu", "B111758", 128),)),
    ("BM.GPU.MI300X.8", 8, 1536, 2048, False, (("ocpu", "B109485", 112),)),
    ("BM.GPU.RTXPRO.8", 8, 768, None, False, (("ocpu", "B112613", None),)),
    ("BM.GPU.B300.8", 8, 2100, None, False, (("ocpu", "B112237", None),)),
    ("BM.GPU.X9000.8", 8, 512, 2048, False, (("ocpu", "B119001", 96),)),
)


def product(
    code: str, name: str, metric: str, category: str, usd: float, wanted: str | None
) -> dict[str, Any]:
    """One product as the price list has it; `wanted` is the only currency, None for all of them."""
    figures = {"EUR": round(usd * EUR, 6), "USD": usd}
    return {
        "partNumber": code,
        "displayName": name,
        "metricName": metric,
        "serviceCategory": category,
        "currencyCodeLocalizations": [
            {"currencyCode": currency, "prices": [{"model": "PAY_AS_YOU_GO", "value": value}]}
            for currency, value in figures.items()
            if wanted in (None, currency)
        ],
    }


def shape(
    name: str, gpus: int | None, gpu_gb: float | None, gb: float | None, preemptible: bool, parts: Parts
) -> dict[str, Any]:
    """One shape as the estimator's file has it."""
    return {
        "name": name,
        "hidden": False,
        "status": "ACTIVE",
        "allowPreemptible": preemptible,
        "bundleMemoryQty": gb,
        "gpuQty": gpus,
        "gpuMemoryQty": gpu_gb,
        # The real file calls the hosts of some GPUs Arm that are not.
        "processorType": {"value": "arm" if "GPU4" in name or "A10" in name else "intel"},
        "shapeType": {"value": "vm" if name.startswith("VM.") else "bm"},
        "subType": {"value": "gpu" if gpus else "standard"},
        "products": [
            {"type": {"value": kind}, "partNumber": code, "qty": quantity} for kind, code, quantity in parts
        ],
    }


def shapes() -> list[dict[str, Any]]:
    """Every shape of the file, also those that are none to rent here."""
    flex: Parts = (("ocpu", "B93113", 0), ("memory", "B93114", 0))
    newer: Parts = (("ocpu", "B97384", 0), ("memory", "B97385", 0))
    arm: Parts = (("ocpu", "B93297", 0), ("memory", "B93298", 0))
    dense: Parts = (("ocpu", "B93113", 128), ("memory", "B93114", 1536), ("disk", "B98204", 81.6))
    return [
        *(shape(*one) for one in GPU_SHAPES),
        {**shape("BM.GPU2.2", 2, 32, 192, False, (("ocpu", "B89734", 28),)), "status": "RETIRED"},
        {**shape("BM.GPU.H100T.8", 8, 640, 2048, False, (("ocpu", "B109480", 112),)), "hidden": True},
        shape("VM.Standard.E4.Flex", None, None, 0, True, flex),
        shape("VM.Standard.E5.Flex", None, None, 0, True, newer),
        shape("VM.Standard.A1.Flex", None, None, 0, True, arm),
        shape("VM.Standard2.4", None, None, 60, True, (("ocpu", "B88514", 4),)),
        shape("PostgreSQL.VM.Standard.E4.Flex", None, None, 0, False, flex),
        shape("BM.DenseIO.E5.128", None, None, 1536, False, dense),
    ]


def words(status: int, message: str) -> bytes:
    """An error as the price list's gateway words it."""
    code = WORDS.get(status, "InternalServerError")
    kind = f"tag:oracle.com,2020:error/{code}"
    return json.dumps({"code": code, "message": message, "type": kind}).encode()


def app(state: State) -> Starlette:
    """The server; its prices do not move, as list prices do not."""

    async def products(request: Request) -> Response:
        asked = dict(request.query_params)
        currency, code = asked.pop("currencyCode", None), asked.pop("partNumber", None)
        if asked:
            return _error(400, f"Unknown parameter: {next(iter(asked))}")
        if currency not in (None, "USD", "EUR"):
            return _error(400, f"Unknown currency: {currency}")
        listed = [product(*part, currency) for part in PARTS if code in (None, part[0])]
        changed = state.now().astimezone(UTC) - timedelta(days=9)
        return JSONResponse({"items": listed, "lastUpdated": changed.isoformat(timespec="seconds")})

    async def estimator(request: Request) -> Response:
        if request.query_params:
            return _error(400, "This is a file.")
        found = shapes()
        return JSONResponse({"buildId": 428, "count": len(found), "items": found})

    oracle = Oracle(state.now)

    async def call(request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        target = f"{path}?{request.url.query}" if request.url.query else path
        asked = Asked(request.method, target, dict(request.headers), await request.body())
        reply = oracle.answer(asked)
        return Response(reply.body, reply.status, dict(reply.headers))

    routes = [
        Route(PRODUCTS, products, methods=["GET"]),
        Route(SHAPES, estimator, methods=["GET"]),
        Route("/{rest:path}", call, methods=["GET", "POST"]),
    ]
    made = Starlette(routes=routes, exception_handlers={HTTPException: _not_there})
    made.router.redirect_slashes = False
    return made


def _error(status: int, message: str) -> Response:
    return Response(words(status, message), status_code=status, media_type="application/json")


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return _error(problem.status_code, f"{request.method} {request.url.path}: {problem.detail}")


CLOUD = Cloud(
    app=app,
    words=words,
    speech=OracleSpeech(words, "items"),
    auth=ACCOUNTS["prod"],
    accounts=ACCOUNTS,
    plain=("tenancy",),
    # A compartment without its id cannot be listed.
    leads=("id",),
    sdk=True,
    regional=True,
    signs=True,
    settings={
        "accounts": {
            "prod": {"options": {"region": "us-ashburn-1"}},
            "sandbox": {"options": {"region": "uk-london-1"}},
        }
    },
    records="items",
    # Without the second one, nobody knows that a shape is also sold as preemptible.
    keys=("name", "allowPreemptible"),
)
