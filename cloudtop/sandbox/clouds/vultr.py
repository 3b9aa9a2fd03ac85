"""Vultr as a local server: the two plan lists and the account over a made-up market.

Follows the public API reference of Vultr API v2 (plans, bare metal plans, account, cursor paging). Dollars an
hour for the whole plan, RAM in MB, `gpu_vram_gb` of the whole plan, `gpu_count` a number or a text, "1/8" for
a share. Traps in the market: shares of a GPU, an A100 plan of 40 GB that is half a board, memory of several
boards without a count, plans that tell their GPUs by nothing but the id, an id whose memory fits no number of
boards, an id that says l40 where an L40S is meant, no location left, an empty text among the locations, null
locations, a price of its own in one location, the price of a way that is not let, a plan not let at all, a
zero price, null fields, an unknown GPU, the free plan and CPU plans. Both lists are read without a key; a
wrong one is refused. Stricter than the real one: unknown query parameters are refused, pages are short.
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

TOKEN = "sandbox-vultr-key"
LONGEST_PAGE = 3
TYPES = ("all", "vc2", "vhf", "vhp", "voc", "vcg", "vdm", "vx1")


def cpu(
    name: str, cores: int, ram: int, disk: int, month: float, hour: float, **other: Any
) -> dict[str, Any]:
    """A plan without GPUs."""
    made = {
        "id": name,
        "vcpu_count": cores,
        "ram": ram,
        "disk": disk,
        "disk_count": 1,
        "bandwidth": 1024,
        "monthly_cost": month,
        "hourly_cost": hour,
        "type": name.partition("-")[0],
        "gpu_brand": "none",
        "locations": ["ewr", "ams", "nrt"],
        "deploy_ondemand": True,
        "deploy_preemptible": False,
        "location_cost": {},
    }
    return {**made, **other}


def gpu(
    name: str, cores: int, ram: int, hour: float, places: list[str] | None, **other: Any
) -> dict[str, Any]:
    """A cloud GPU plan; what tells the GPU is in `other`, and `...` takes a field out."""
    made = {
        "id": name,
        "vcpu_count": cores,
        "ram": ram,
        "disk": 100 * cores,
        "disk_count": 1,
        "bandwidth": 10240,
        "monthly_cost": round(hour * 672, 2),
        "hourly_cost": hour,
        "type": "vcg",
        "gpu_brand": "NVIDIA",
        "locations": places,
        "deploy_ondemand": True,
        "deploy_preemptible": False,
        "location_cost": {},
        **other,
    }
    return {field: value for field, value in made.items() if value is not ...}


def metal(
    name: str, threads: int, ram: int, hour: float, spot: float | None, places: list[str], **other: Any
) -> dict[str, Any]:
    """A bare metal plan."""
    made = {
        "id": name,
        "physical_cpus": 2,
        "cpu_count": threads // 2,
        "cpu_cores": threads // 2,
        "cpu_threads": threads,
        "cpu_model": "SANDBOX 9000",
        "cpu_mhz": 2450,
        "ram": ram,
        "disk": 3576,
        "disk_count": 8,
        "bandwidth": 15360,
        "monthly_cost": round(hour * 672, 2),
        "hourly_cost": hour,
        "monthly_cost_preemptible": round(spot * 672, 2) if spot else None,
        "hourly_cost_preemptible": spot,
        "type": "NVMe",
        "locations": places,
        **other,
    }
    return {field: value for field, value in made.items() if value is not ...}


def nvidia(name: str, vram: float | None, count: int | str | None = ...) -> dict[str, Any]:  # type: ignore[assignment]
    """The fields about GPUs; without a count that field is missing."""
    return {"gpu_type": f"NVIDIA_{name}", "gpu_vram_gb": vram, "gpu_count": count}


A100_IN_SJC = {"sjc": {"hourly_cost": 2.637, "monthly_cost": 1924.0}}
PLANS: tuple[dict[str, Any], ...] = (
    cpu("vc2-1c-0.5gb-free", 1, 512, 10, 0, 0, locations=["ewr", "mia"]),
    cpu("vc2-2c-4gb", 2, 4096, 80, 20, 0.03),
    gpu("vcg-a16-2c-8g-2vram", 2, 8192, 0.059, ["ewr", "nrt"], **nvidia("A16", 2, "1/8")),
    gpu("vcg-a40-6c-30g-12vram", 6, 30720, 0.432, None, **nvidia("A40", 12, "1/4")),
    gpu("vcg-a100-1c-6g-4vram", 1, 6144, 0.123, ["ewr"], **nvidia("A100", 4)),
    gpu("vcg-a100-6c-60g-40vram", 6, 61440, 1.199, [], **nvidia("A100", 40, "1/2")),
    gpu(
        "vcg-a100-12c-120g-80vram",
        12,
        122880,
        2.397,
        ["ewr", "sjc"],
        **nvidia("A100", 80, 1),
        location_cost=A100_IN_SJC,
    ),
    gpu("vcg-a100-48c-480g-320vram", 48, 491520, 9.589, ["fra"], **nvidia("A100", 320)),
    gpu("vcg-a16-6c-64g-16vram", 6, None, 0.471, ["mxp"], type="vdm", vcpu_count=None),  # type: ignore[arg-type]
    gpu(
        "vcg-l40s-16c-180g-48vram",
        16,
        184320,
        1.671,
        ["ord", ""],
        **nvidia("L40S", 48, "1"),
        deploy_preemptible=True,
        hourly_cost_preemptible=0.848,
    ),
    gpu("vcg-l40s-32c-375g-96vram", 32, 384000, 0, ["ord"], **nvidia("L40S", 96, "2")),
    gpu("vcg-h100-216c-1914gb-640vram", 216, 1959936, 23.92, ["lhr", "ams"], type="vdm"),
    gpu("vcg-b200-248c-2826g-1536vram", 248, 2893824, 28.6, ["atl"], type="vdm"),
    gpu("vcg-mi325x-252c-2872g-1536vram", 252, 2940928, 16.0, ["ewr"], type="vdm", gpu_brand="AMD"),
    gpu("vcg-x900-8c-60g-64vram", 8, 61440, 0.75, ["syd"], **nvidia("X900", 64, 1)),
)
METAL: tuple[dict[str, Any], ...] = (
    metal("vbm-8c-132gb", 16, 131072, 0.521, None, ["ewr", "lax"]),
    metal("vbm-112c-2048gb-8-h100-gpu", 224, 2097152, 23.92, 18.4, ["sea"]),
    metal(
        "vbm-112c-2048gb-8-a100-gpu",
        224,
        2097152,
        22.4,
        11.92,
        ["fra", "ewr"],
        gpu_type="NVIDIA_A100_SXM",
        gpu_count=8,
        gpu_vram_gb=640,
        deploy_ondemand=False,
        deploy_preemptible=True,
    ),
    metal("vbm-64c-2048gb-8-l40-gpu", 128, 2097152, 13.368, 11.92, [], deploy_preemptible=False),
    metal(
        "vbm-72c-480gb-gh200-gpu",
        72,
        491520,
        2.99,
        1.99,
        ["atl"],
        deploy_ondemand=True,
        deploy_preemptible=False,
    ),
    metal(
        "vbm-256c-2048gb-8-mi300x-gpu",
        256,
        2321924,
        17.52,
        14.72,
        ["ord"],
        gpu_type="AMD_MI300X",
        gpu_count=8,
        gpu_vram_gb=1536,
    ),
    metal(
        "vbm-256c-3072gb-8-b200-gpu",
        256,
        3145728,
        68.0,
        25.6,
        ["ewr"],
        deploy_ondemand=False,
        deploy_preemptible=False,
    ),
    metal("vbm-128c-1024gb-4-x900-gpu", 128, 1048576, 3.2, None, ["yto"], type=...),
)


class Vultr:
    """One local Vultr."""

    async def plans(self, request: Request) -> Response:
        """GET /v2/plans: virtual machines, of one type or all."""
        if refusal := refused(request, "type", "per_page", "cursor"):
            return refusal
        asked = request.query_params.get("type", "all")
        if asked not in TYPES:
            return error(400, "Invalid type.")
        found = [one for one in PLANS if asked in ("all", one["type"])]
        return page(request, "plans", found)

    async def metal(self, request: Request) -> Response:
        """GET /v2/plans-metal: whole machines."""
        return refused(request, "per_page", "cursor") or page(request, "plans_metal", list(METAL))

    async def account(self, request: Request) -> Response:
        """GET /v2/account: whose key this is."""
        if not request.headers.get("authorization"):
            return error(401, "Invalid API token.")
        if refusal := refused(request):
            return refusal
        told = {"name": "Sandbox", "email": "sandbox@example.invalid", "acls": [], "balance": -25.5}
        return JSONResponse({"account": told})


def refused(request: Request, *known: str) -> Response | None:
    """Why a request is not answered: a wrong key, or a parameter that is not documented."""
    sent = request.headers.get("authorization")
    if sent is not None and sent != f"Bearer {TOKEN}":
        return error(401, "Invalid API token.")
    unknown = next((name for name in request.query_params if name not in known), None)
    return None if unknown is None else error(400, f"Unknown parameter {unknown}.")


def page(request: Request, name: str, found: list[dict[str, Any]]) -> Response:
    """As many records as are asked for, or as a page may hold, from where the cursor says."""
    asked, cursor = request.query_params.get("per_page", "100"), request.query_params.get("cursor", "")
    if not asked.isdigit() or not 1 <= int(asked) <= 500:
        return error(400, "Invalid per_page.")
    starts = {"": 0, **{cursor_at(one["id"]): at for at, one in enumerate(found)}}
    if cursor not in starts:
        return error(400, "Invalid cursor.")
    start, size = starts[cursor], min(int(asked), LONGEST_PAGE)
    links = {"next": "", "prev": ""}
    if start + size < len(found):
        links["next"] = cursor_at(found[start + size]["id"])
    if start:
        links["prev"] = cursor_at(found[max(0, start - size)]["id"])
    meta = {"total": len(found), "links": links}
    return JSONResponse({name: found[start : start + size], "meta": meta})


def cursor_at(name: str) -> str:
    """The cursor of the page that begins with a plan."""
    return base64.b64encode(f"next__{name}".encode()).decode()


def error(status: int, message: str) -> JSONResponse:
    """An error as Vultr words it."""
    return JSONResponse({"error": message, "status": status}, status_code=status)


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in Vultr's form."""
    return json.dumps({"error": message, "status": status}).encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, f"{request.method} {request.url.path}: {problem.detail}")


def app(state: State) -> Starlette:
    """The server. Its prices are those of its file, whatever the time."""
    vultr = Vultr()
    made = Starlette(
        routes=[
            Route("/v2/plans", vultr.plans, methods=["GET"]),
            Route("/v2/plans-metal", vultr.metal, methods=["GET"]),
            Route("/v2/account", vultr.account, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    made.router.redirect_slashes = False
    return made


CLOUD = Cloud(
    app,
    words,
    records="plans_metal",
    auth={"api_key": TOKEN},
    more="meta.links.next",
    # The second is an offer of its own: where no word says that a plan is let preemptible, its price does.
    keys=("id", "hourly_cost_preemptible"),
    part="plans-metal",
)
