"""Google Cloud as a local server: its Cloud Billing Catalog over a made-up market, and two projects.

Follows the Cloud Billing API v1, `services.skus.list`: an API key in a header, pages with opaque tokens,
prices in units and billionths of a dollar for an hour of a core, GPU or GiB, or a month of a GiB of SSD.

Traps: commitments, Reserved, DWS, Calendar Mode, Sole Tenancy and Custom beside the price on demand; a spot
SKU that is marked OnDemand; three wordings of one GPU; a first tier of zero; a price of zero; memory per GB
instead of GiB; a region that sells a GPU but not the host's memory, and one that sells hosts without GPUs; an
unknown GPU; types that have a price on demand and are not sold on demand.

Everything else that runs in a project is told by `cloudtop.sandbox.google`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.fleet import read
from cloudtop.sandbox.google.server import Google
from cloudtop.sandbox.google.speech import GoogleSpeech
from cloudtop.sandbox.google.wire import Refusal, words

TOKEN = "sandbox-gcp-key"
ACCOUNTS = {
    "prod": {"access_token": "sandbox-gcp-token-of-prod", "api_key": TOKEN},
    "sandbox": {"access_token": "sandbox-gcp-token-of-the-lab"},
}
SERVICE = "services/6F81-5844-456A"
PAGE, LONGEST_PAGE = 20, 5000
PARAMETERS = {"currencyCode", "pageSize", "pageToken", "startTime", "endTime"}
IOWA, CAROLINA, EEMSHAVEN = ("us-central1",), ("us-east1",), ("europe-west4",)
BOTH = (*IOWA, *CAROLINA)
SPOT = "Spot Preemptible"
SPOT_GPU = "attached to Spot Preemptible VMs running in"

# description, group, usage type, unit, dollars of each tier, regions
SKUS: Sequence[tuple[str, str, str, str, tuple[float, ...], tuple[str, ...]]] = (
    ("E2 Instance Core running in Americas", "CPU", "OnDemand", "h", (0.0218,), BOTH),
    ("E2 Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0029,), BOTH),
    ("Commitment v1: Nvidia H100 80GB GPU in Americas for 1 Year", "GPU", "Commit1Yr", "h", (6.2,), IOWA),
    ("Commitment v1: Nvidia H100 80GB GPU in Americas for 3 Years", "GPU", "Commit3Yr", "h", (4.3,), IOWA),
    ("Nvidia H100 80GB GPU attached to DWS Defined Duration VMs running in Americas", "GPU", "OnDemand", "h",
     (4.6,), IOWA),
    ("A3 Instance Core running in Americas", "CPU", "OnDemand", "h", (0.0, 0.03), IOWA),
    ("A3 Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0025,), IOWA),
    ("Nvidia H100 80GB GPU running in Americas", "GPU", "OnDemand", "h", (9.8,), IOWA),
    (f"{SPOT} A3 Instance Core running in Americas", "CPU", "Preemptible", "h", (0.012,), IOWA),
    (f"{SPOT} A3 Instance Ram running in Americas", "RAM", "Preemptible", "GiBy.h", (0.001,), IOWA),
    (f"Nvidia H100 80GB GPU {SPOT_GPU} Americas", "GPU", "Preemptible", "h", (3.0,), IOWA),
    ("SSD backed Local Storage", "LocalSSD", "OnDemand", "GiBy.mo", (0.073,), BOTH),
    (f"SSD backed Local Storage attached to {SPOT} VMs", "LocalSSD", "OnDemand", "GiBy.mo", (0.0365,), BOTH),
    ("Commitment v1: Local SSD in Americas for 1 Year", "LocalSSD", "Commit1Yr", "GiBy.mo", (0.05,), BOTH),
    ("C4D Instance Local SSD running in Americas", "LocalSSD", "OnDemand", "GiBy.mo", (0.16,), BOTH),
    ("A3 Instance Core running in Netherlands", "CPU", "OnDemand", "h", (0.033,), EEMSHAVEN),
    ("A3 Instance Ram running in Netherlands", "RAM", "OnDemand", "GiBy.h", (0.0028,), EEMSHAVEN),
    ("Reserved Nvidia H100 80GB Mega GPU in Americas in Calendar Mode", "GPU", "OnDemand", "h", (4.8,), IOWA),
    ("Nvidia H100 Mega 80GB GPU attached to DWS Defined Duration VMs running in Americas", "GPU", "OnDemand",
     "h", (4.4,), IOWA),
    ("A3Plus Instance Core running in Americas", "CPU", "OnDemand", "h", (0.03,), IOWA),
    ("A3Plus Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0025,), IOWA),
    ("Nvidia H100 80GB Plus GPU running in Americas", "GPU", "OnDemand", "h", (10.3,), IOWA),
    (f"{SPOT} A3Plus Instance Core running in Americas", "CPU", "Preemptible", "h", (0.012,), IOWA),
    (f"{SPOT} A3Plus Instance Ram running in Americas", "RAM", "Preemptible", "GiBy.h", (0.001,),
     IOWA),
    (f"Nvidia H100 80GB Mega GPU {SPOT_GPU} Americas", "GPU", "Preemptible", "h", (0.0,), IOWA),
    ("DWS Calendar Mode A4 Nvidia B200 (1 gpu slice) running in Americas", "GPU", "OnDemand", "h", (7.5,),
     IOWA),
    ("A4 Nvidia B200 (1 gpu slice) running in Americas", "GPU", "OnDemand", "h", (16.1,), IOWA),
    (f"{SPOT} A4 Nvidia B200 (1 gpu slice) running in Americas", "GPU", "OnDemand", "h", (5.0,), IOWA),
    ("Reserved A2 Ram in Netherlands", "RAM", "OnDemand", "GiBy.h", (0.0,), EEMSHAVEN),
    ("A2 Instance Core running in Netherlands", "CPU", "OnDemand", "h", (0.035,), EEMSHAVEN),
    ("A2 Instance Ram running in Netherlands", "RAM", "OnDemand", "GBy.h", (0.004,), EEMSHAVEN),
    ("Nvidia Tesla A100 80GB GPU running in Netherlands", "GPU", "OnDemand", "h", (4.2,), EEMSHAVEN),
    ("SSD backed Local Storage in Netherlands", "LocalSSD", "OnDemand", "GiBy.mo", (0.0876,), EEMSHAVEN),
    ("VM state: preserved local SSD in Netherlands", "LocalSSD", "OnDemand", "GiBy.mo", (0.04,), EEMSHAVEN),
    ("N1 Predefined Instance Core running in Americas", "N1Standard", "OnDemand", "h", (0.032,), BOTH),
    ("N1 Predefined Instance Ram running in Americas", "N1Standard", "OnDemand", "GiBy.h", (0.0043,), IOWA),
    ("Custom Instance Core running in Americas", "CPU", "OnDemand", "h", (0.034,), BOTH),
    ("Custom Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0046,), BOTH),
    ("Nvidia Tesla T4 GPU running in Americas", "GPU", "OnDemand", "h", (0.35,), BOTH),
    ("Nvidia Tesla T4 GPU attached to Sole Tenancy VMs running in Americas", "GPU", "OnDemand", "h", (0.3,),
     BOTH),
    ("N2 Instance Core running in Americas", "CPU", "OnDemand", "h", (0.0316,), IOWA),
    ("N2 Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0042,), IOWA),
    ("N2 Custom Instance Core running in Americas", "CPU", "OnDemand", "h", (0.0332,), IOWA),
    ("N2 Custom Extended Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0098,), IOWA),
    ("N2 Instance Core running in Netherlands", "CPU", "OnDemand", "h", (0.0348,), EEMSHAVEN),
    ("N2 Instance Ram running in Netherlands", "RAM", "OnDemand", "GiBy.h", (0.0047,), EEMSHAVEN),
    ("N2 Sole Tenancy Instance Core running in Netherlands", "CPU", "OnDemand", "h", (0.0034,), EEMSHAVEN),
    ("E2 Instance Core running in Netherlands", "CPU", "OnDemand", "h", (0.024,), EEMSHAVEN),
    ("E2 Instance Ram running in Netherlands", "RAM", "OnDemand", "GiBy.h", (0.0032,), EEMSHAVEN),
    ("Compute optimized Core running in Americas", "CPU", "OnDemand", "h", (0.034,), IOWA),
    ("Compute optimized Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0045,), IOWA),
    ("N2D AMD Custom Instance Core running in Americas", "CPU", "OnDemand", "h", (0.029,), IOWA),
    ("N2D AMD Custom Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0039,), IOWA),
    (f"{SPOT} N2D AMD Instance Core running in Americas", "CPU", "Preemptible", "h", (0.007,), IOWA),
    (f"{SPOT} N2D AMD Instance Ram running in Americas", "RAM", "Preemptible", "GiBy.h", (0.0009,), IOWA),
    (f"{SPOT} N2D AMD Custom Instance Core running in Americas", "CPU", "Preemptible", "h", (0.008,), IOWA),
    (f"{SPOT} N2D AMD Custom Instance Ram running in Americas", "RAM", "Preemptible", "GiBy.h", (0.001,),
     IOWA),
    ("A2 Instance Core running in Americas", "CPU", "OnDemand", "h", (0.0316,), IOWA),
    ("A2 Instance Ram running in Americas", "RAM", "OnDemand", "GiBy.h", (0.0042,), IOWA),
    ("Nvidia Tesla A100 GPU running in Americas", "GPU", "OnDemand", "h", (2.94,), IOWA),
    ("Nvidia Tesla V100 GPU running in Americas", "GPU", "OnDemand", "h", (2.48,), IOWA),
    ("G2 Instance Core running in Netherlands", "CPU", "OnDemand", "h", (0.0275,), EEMSHAVEN),
    ("G2 Instance Ram running in Netherlands", "RAM", "OnDemand", "GiBy.h", (0.0032,), EEMSHAVEN),
    ("Nvidia L4 GPU running in Netherlands", "GPU", "OnDemand", "h", (0.62,), EEMSHAVEN),
    ("1/8 vGPU no lssd running in Iowa", "GPU", "OnDemand", "h", (0.65,), IOWA),
    ("1/8 vGPU no lssd attached to DWS Defined Duration VMs running in Iowa", "GPU", "OnDemand", "h", (0.33,),
     IOWA),
    ("Nvidia X9000 GPU running in Americas", "GPU", "OnDemand", "h", (5.5,), IOWA),
    ("Memory Optimized Upgrade Premium for Memory-optimized Instance Core running in Americas", "CPU",
     "OnDemand", "h", (0.005,), IOWA),
    ("Storage PD Capacity", "PDStandard", "OnDemand", "GiBy.mo", (0.0, 0.04), BOTH),
    ("Licensing Fee for Windows Server 2022 (CPU cost)", "Google", "OnDemand", "h", (0.046,), ("global",)),
)  # fmt: skip


def money(usd: float) -> dict[str, Any]:
    """Dollars as the API has them: whole ones as text, billionths of one as a number."""
    billionths = round(usd * 1e9)
    return {"currencyCode": "USD", "units": str(billionths // 10**9), "nanos": billionths % 10**9}


def sku(
    description: str,
    group: str,
    usage: str,
    unit: str,
    tiers: Sequence[float],
    regions: Sequence[str],
    at: str,
) -> dict[str, Any]:
    """One SKU as the catalogue has it."""
    text = sha256(description.encode()).hexdigest().upper()
    ident = f"{text[:4]}-{text[4:8]}-{text[8:12]}"
    rates = [{"startUsageAmount": step, "unitPrice": money(usd)} for step, usd in enumerate(tiers)]
    where = "GLOBAL" if regions == ("global",) else "REGIONAL" if len(regions) == 1 else "MULTI_REGIONAL"
    return {
        "name": f"{SERVICE}/skus/{ident}",
        "skuId": ident,
        "description": description,
        "category": {
            "serviceDisplayName": "Compute Engine",
            "resourceFamily": "Storage" if unit.endswith(".mo") else "Compute",
            "resourceGroup": group,
            "usageType": usage,
        },
        "serviceRegions": list(regions),
        "pricingInfo": [
            {
                "summary": "",
                "pricingExpression": {"usageUnit": unit, "displayQuantity": 1, "tieredRates": rates},
                "currencyConversionRate": 1,
                "effectiveTime": at,
            }
        ],
        "serviceProviderName": "Google",
        "geoTaxonomy": {"type": where, "regions": [] if where == "GLOBAL" else list(regions)},
    }


def app(state: State) -> Starlette:
    """The server; its prices do not move, as list prices do not."""

    async def skus(request: Request) -> Response:
        if refusal := _refused(request):
            return refusal
        asked = request.query_params
        size = asked.get("pageSize", "0")
        if not size.isdigit() or int(size) > LONGEST_PAGE:
            return _error(400, f"Invalid value at 'page_size': {size}")
        start = _start(asked.get("pageToken", ""))
        if start is None:
            return _error(400, "Request contains an invalid page token.")
        end = start + min(int(size) or PAGE, PAGE)
        at = state.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        answer = {
            "skus": [sku(*one, at) for one in SKUS[start:end]],
            "nextPageToken": _page_token(end) if end < len(SKUS) else "",
        }
        return JSONResponse(answer)

    google = Google(state.now, {keys["access_token"]: name for name, keys in ACCOUNTS.items()})

    async def call(request: Request) -> Response:
        shown, asked = request.headers.get("authorization", ""), dict(request.query_params)
        try:
            groups = request.query_params.getlist("aggregation.groupByFields")
            found = google.answer(
                request.method, request.url.path, asked, await request.body(), shown, groups
            )
        except Refusal as refusal:
            return _error(refusal.status, str(refusal))
        return JSONResponse(found)

    made = Starlette(
        routes=[
            Route(f"/v1/{SERVICE}/skus", skus, methods=["GET"]),
            Route("/{rest:path}", call, methods=["GET", "POST"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    made.router.redirect_slashes = False
    return made


def _refused(request: Request) -> Response | None:
    """No key is 403 here, a wrong one 400, as with Google."""
    key = request.headers.get("x-goog-api-key")
    if key is None:
        message = "Method doesn't allow unregistered callers (callers without established identity)."
        return _error(403, message)
    if key != TOKEN:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        document = json.loads(words(400, "API key not valid. Please pass a valid API key."))["error"]
        return JSONResponse({"error": {**document, "details": [info]}}, status_code=400)
    unknown = next((name for name in request.query_params if name not in PARAMETERS), None)
    if unknown is not None:
        return _error(400, f'Invalid JSON payload received. Unknown name "{unknown}".')
    if request.query_params.get("currencyCode", "USD") != "USD":
        return _error(400, "Invalid currency code.")
    return None


def _page_token(start: int) -> str:
    return base64.urlsafe_b64encode(f"sku:{start}".encode()).decode().rstrip("=")


def _start(token: str) -> int | None:
    """Where a page begins; None for a token that was never given."""
    tokens = {"": 0} | {_page_token(start): start for start in range(1, len(SKUS))}
    return tokens.get(token)


def _error(status: int, message: str) -> Response:
    return Response(words(status, message), status_code=status, media_type="application/json")


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return _error(problem.status_code, f"{request.method} {request.url.path}: {problem.detail}")


CLOUD = Cloud(
    app=app,
    words=words,
    speech=GoogleSpeech(words, "skus", "nextPageToken"),
    auth=ACCOUNTS["prod"],
    accounts=ACCOUNTS,
    records="skus",
    more="nextPageToken",
    # A SKU is known by its wording alone.
    keys=("description",),
    sdk=True,
    unpaged=("cluster",),
    settings={
        "accounts": {
            name: {"options": {"project_id": about["project"]}}
            for name, about in read("gcp")["accounts"].items()
        }
    },
)
