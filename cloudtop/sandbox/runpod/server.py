"""What the company has at RunPod, as REST v2 lists it; and how REST takes keys, pages and errors.

Follows the OpenAPI document of August 2026. A key is that of one account. Parameters that are not documented
are refused, but for the cursor of pages, which the document does not know yet.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import State
from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.series import series

TOKENS = {"prod": "sandbox-runpod-token", "sandbox": "sandbox-runpod-lab-token"}
PAGE, FEW = 8, 4
"""Records of one page: of the catalogue, and of what an account has."""

LIMITS = {
    "RateLimit-Policy": '"minute";q=60;w=60, "hour";q=3000;w=3600, "day";q=50000;w=86400',
    "RateLimit": '"minute";r=59;t=60, "hour";r=2999;t=3600, "day";r=49999;t=86400',
}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
LISTINGS = {
    "/v2/pods": ("pods", "pagination.nextCursor"),
    "/v2/serverless": ("endpoints", "pagination.nextCursor"),
    "/v2/serverless/": ("workers", ""),
    "/v2/network-volumes": ("networkVolumes", "pagination.nextCursor"),
}
"""Where an answer has its records, and what leads to the next page."""

STEP_S = 60
OURS = ("in", "ip", "workers_now")
"""Keys of the file that are no fields of the API."""


def inventory(state: State) -> list[Route]:
    """The paths of what an account has."""
    fleet = Fleet("runpod", state.now())

    def listing(key: str, group: str, parameters: set[str]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            if refusal := unauthorized(request) or unexpected(request, parameters | {"cursor"}):
                return refusal
            account = account_of(request) or ""
            records = [told(fleet, one, state.now()) for one in fleet.of(group, account)]
            return paged(key, records, request.query_params.get("cursor"), FEW)

        return answer

    async def workers(request: Request) -> Response:
        if refusal := unauthorized(request) or unexpected(request, set()):
            return refusal
        known = {one.id: one for one in fleet.of("endpoints", account_of(request) or "")}
        one = known.get(request.path_params["id"])
        return JSONResponse(working(one), headers=LIMITS) if one else problem(404, "endpoint not found")

    return [
        Route("/v2/pods", listing("pods", "pods", {"includeClusterPods"}), methods=["GET"]),
        Route("/v2/serverless", listing("endpoints", "endpoints", set()), methods=["GET"]),
        Route("/v2/serverless/{id}/workers", workers, methods=["GET"]),
        Route("/v2/network-volumes", listing("networkVolumes", "network_volumes", set()), methods=["GET"]),
    ]


def told(fleet: Fleet, one: Record, now: datetime) -> dict[str, Any]:
    """A record as a listing tells it."""
    made: dict[str, Any] = {"id": one.id, **one.own}
    for key in OURS:
        made.pop(key, None)
    if one.group == "network_volumes":
        made["dataCenter"] = one.region
    elif one.group == "pods":
        made["dataCenterId"] = one.region
        made |= {
            "createdAt": written(one.created),
            "startedAt": written(one.created) if one.created else None,
        }
        made["runtime"] = runtime(fleet, one, now)
    else:
        made["dataCenterIds"] = made.get("dataCenterIds", [one.region] if one.region else [])
        made["createdAt"] = written(one.created)
    return {name: value for name, value in made.items() if name not in one.without}


def runtime(fleet: Fleet, one: Record, now: datetime) -> dict[str, Any] | None:
    """What a pod measures now; null where it does not run or has only just begun to."""
    given = one.metrics
    if not given or one.own["status"] != "RUNNING":
        return None

    def value(name: str, at: int = 0) -> int:
        found = given[name][at] if name in ("util", "memoryUtil") else given[name]
        made = series(found, STEP_S, fleet.started)
        _, values = made.samples(now.timestamp() - 2 * STEP_S, now.timestamp(), now.timestamp())
        return round(values[-1]) if values else 0

    made: dict[str, Any] = {"uptime": int((now - (one.created or now)).total_seconds())}
    if "util" in given:
        made["gpus"] = [
            {"util": value("util", at), "memoryUtil": value("memoryUtil", at)}
            for at in range(len(given["util"]))
        ]
    made |= {name: {"util": value(name)} for name in ("cpu", "memory") if name in given}
    if "ip" in one.own:
        made["ports"] = [{"private": 22, "public": 34446, "type": "tcp", "ip": one.own["ip"]}]
    return made


def working(one: Record) -> dict[str, Any]:
    """The workers of an endpoint: as many of each status as the file says."""
    counts: Mapping[str, int] = one.own["workers_now"]
    names = ("running", "idle", "initializing", "throttled", "unhealthy")
    summary = {name: counts.get(name, 0) for name in names}
    workers = [
        {
            "id": f"{one.id}-{name}-{at}",
            "status": name.upper(),
            "isStale": False,
            "version": 3,
            "gpuCount": one.own.get("gpu", {}).get("count", 0),
            "image": one.own["image"],
            "uptimeSeconds": None if name in ("initializing", "throttled") else 3600,
            "gpuTypeId": None,
            "dataCenterId": one.region,
            "startedAt": None,
        }
        for name, count in summary.items()
        for at in range(count)
    ]
    return {"workers": workers, "summary": {**summary, "total": len(workers)}, "endpointVersion": 3}


def written(moment: datetime | None) -> str:
    """A moment as REST writes it; the zero time of its language where there is none."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "0001-01-01T00:00:00Z"


def account_of(request: Request) -> str | None:
    """Whose key came along."""
    sent = request.headers.get("authorization", "")
    return next((name for name, token in TOKENS.items() if sent == f"Bearer {token}"), None)


def unauthorized(request: Request) -> JSONResponse | None:
    """REST answers nobody without a key."""
    if account_of(request):
        return None
    sent = "authorization" in request.headers
    return problem(401, "invalid bearer token" if sent else "missing bearer token")


def unexpected(request: Request, known: set[str]) -> JSONResponse | None:
    """Refuse parameters that the document does not name."""
    names = [name for name, _ in request.query_params.multi_items()]
    strange = [name for name in names if name not in known or names.count(name) > 1]
    return problem(400, f"query parameter {strange[0]!r} is not supported here") if strange else None


def paged(
    key: str, records: Sequence[Mapping[str, Any]], cursor: str | None, size: int = PAGE
) -> JSONResponse:
    """One page of a list, from where an opaque token says; one that this server did not give is refused."""
    places = {cursor_to(key, place): place for place in range(size, len(records), size)}
    start = places.get(cursor) if cursor is not None else 0
    if start is None:
        return problem(400, "cursor is not valid")
    end = start + size
    more = end < len(records)
    pages = {"hasNextPage": more, "nextCursor": cursor_to(key, end) if more else None}
    return JSONResponse({key: list(records[start:end]), "pagination": pages}, headers=LIMITS)


def cursor_to(key: str, place: int) -> str:
    """An opaque token for a place in a list."""
    return base64.urlsafe_b64encode(f"{key}/{place}".encode()).decode().rstrip("=")


def problem(status: int, detail: str, errors: list[str] | None = None) -> JSONResponse:
    """An error as REST words it (RFC 9457)."""
    document = {"title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    document |= {"errors": errors} if errors else {}
    return JSONResponse(document, status, media_type="application/problem+json")
