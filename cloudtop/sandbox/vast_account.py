"""What the company has at Vast.ai, as the local server lists it.

Instances come by keyset pages: the real one gives at most 25 a page, this one fewer. A key is that of one
account. What runs has values of the moment, as whole as Vast tells them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.series import series

TOKENS = {"prod": "sandbox-vast-token", "sandbox": "sandbox-vast-lab-token"}
LISTINGS = {"/api/v1/instances/": ("instances", "next_token"), "/api/v0/volumes/": ("volumes", "")}
MOST, OF_NONE, HERE = 25, 5, 6
"""Instances of a page: at most, where the limit is nothing, and of this server."""

STEP_S = 60


def account_of(request: Request) -> str | None:
    """Whose key came along."""
    sent = request.headers.get("authorization", "")
    return next((name for name, token in TOKENS.items() if sent == f"Bearer {token}"), None)


def listings(
    now: Callable[[], datetime],
    too_soon: Callable[[Request], Response | None],
    error: Callable[[int, str, str], Response],
) -> list[Route]:
    """The paths of what an account has."""
    fleet = Fleet("vast", now())

    async def instances(request: Request) -> Response:
        """GET /api/v1/instances/: by id, after the one that a token names."""
        account = account_of(request)
        if account is None:
            return error(401, "auth_error", "Invalid user key")
        if refusal := too_soon(request):
            return refusal
        asked = request.query_params
        if strange := set(asked) - {"limit", "after_token"}:
            return error(400, "invalid_request", f"Error in query parameters: {min(strange)}")
        every = sorted(fleet.of("instances", account), key=lambda one: int(one.id))
        tokens = {token(one): at + 1 for at, one in enumerate(every)}
        start = tokens.get(asked["after_token"]) if "after_token" in asked else 0
        if start is None:
            return error(400, "invalid_token", "after_token is not valid")
        limit = int(asked.get("limit", MOST))
        page = every[start : start + min(limit if limit > 0 else OF_NONE, HERE)]
        last = start + len(page) >= len(every)
        return JSONResponse(
            {
                "success": True,
                "instances_found": len(page),
                "total_instances": len(every),
                "label_counts": {},
                "next_token": None if last else token(page[-1]),
                "instances": [instance(fleet, one, now()) for one in page],
            }
        )

    async def volumes(request: Request) -> Response:
        """GET /api/v0/volumes/?owner=me: all at once."""
        account = account_of(request)
        if account is None:
            return error(401, "auth_error", "Invalid user key")
        if refusal := too_soon(request):
            return refusal
        if dict(request.query_params) != {"owner": "me"}:
            return error(400, "invalid_args", "owner: must be me")
        return JSONResponse({"volumes": [stored(one) for one in fleet.of("volumes", account)]})

    return [
        Route("/api/v1/instances/", instances, methods=["GET"]),
        Route("/api/v0/volumes/", volumes, methods=["GET"]),
    ]


def token(one: Record) -> str:
    """The keyset cursor behind an instance."""
    return base64.urlsafe_b64encode(json.dumps({"values": {"id": int(one.id)}}).encode()).decode()


def instance(fleet: Fleet, one: Record, now: datetime) -> dict[str, Any]:
    """A record as the listing tells it. `disk_gb` of the file is paid for whether it runs or not."""
    own = {name: value for name, value in one.own.items() if name not in ("in", "lost")}
    disk = own["storage_cost"] * own["disk_space"] / 720
    made = {
        "id": int(one.id),
        **own,
        "geolocation": "" if one.region is None else one.region,
        "gpu_totalram": own["gpu_ram"] * own["num_gpus"],
        "dph_total": own["dph_base"] + disk,
        "storage_total_cost": disk,
        **measured(fleet, one, now),
    }
    if one.created:
        made["start_date"] = one.created.timestamp()
    return {name: value for name, value in made.items() if name not in one.without}


def measured(fleet: Fleet, one: Record, now: datetime) -> dict[str, Any]:
    """What is measured of it now; null, or -1 for the disk, where nothing is reported."""
    nothing = {"gpu_util": None, "gpu_temp": None, "mem_usage": None, "vmem_usage": None, "disk_usage": -1.0}
    if one.own["actual_status"] != "running":
        return nothing
    found: dict[str, Any] = {}
    for name, told in one.metrics.items():
        made = series(told, STEP_S, fleet.started)
        _, values = made.samples(now.timestamp() - 2 * STEP_S, now.timestamp(), now.timestamp())
        found[name] = round(values[-1], 6)
    return {**nothing, **found}


def stored(one: Record) -> dict[str, Any]:
    """A volume as the listing tells it."""
    made = {"id": int(one.id), **{name: value for name, value in one.own.items() if name != "in"}}
    if one.created:
        made["start_date"] = one.created.timestamp()
    return {name: value for name, value in made.items() if name not in one.without}
