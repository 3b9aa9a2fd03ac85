"""Vast.ai as a local server: its paths, filters, errors and price formula over the market of vast_market.csv.

Follows the docs of Vast.ai's REST API (search offers, show user; what the company has is in vast_account.py).
Stricter than the real one: what the documentation does not name is refused, so that a connector cannot rely
on it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.vast_account import LISTINGS, TOKENS, account_of, listings
from cloudtop.sandbox.vast_market import market, print_table
from cloudtop.sandbox.vast_search import BadQuery, Search, checked, matches, sort_key

TOKEN = TOKENS["prod"]
MONTH_HOURS = 720
GB_PER_TB = 1024
EVERY_OFFER: Mapping[str, Any] = {
    "cpu_arch": "amd64",
    "cpu_ghz": 2.9,
    "external": None,
    "gpu_display_active": False,
    "gpu_max_temp": 86.0,
    "has_avx": 1,
    "is_vm_deverified": False,
    "mobo_name": "SANDBOX-1",
    "os_version": "22.04",
    "pci_gen": 4.0,
    "pcie_bw": 24.1,
    "resource_type": "gpu",
    "ubuntu_version": "22.04",
    "vms_enabled": False,
}


@dataclass
class Vast:
    """The state of one local Vast.ai: its clock, and the pause it wants between two requests."""

    now: Callable[[], datetime]
    moving: bool = True
    threshold_s: float | None = None
    last: dict[tuple[str, str], float] = field(default_factory=dict)

    def too_soon(self, request: Request) -> Response | None:
        """Vast's plain-text 429 when the same caller asked the same path less than the threshold ago."""
        caller = (request.url.path, request.headers.get("authorization", ""))
        before, self.last[caller] = self.last.get(caller), time.monotonic()
        if self.threshold_s is None or before is None or self.last[caller] - before >= self.threshold_s:
            return None
        text = f"API requests too frequent: endpoint threshold={self.threshold_s}"
        return PlainTextResponse(text, status_code=429)

    async def bundles(self, request: Request) -> Response:
        """POST /api/v0/bundles/: search offers. Answers without a key, but not with a wrong one."""
        if "authorization" in request.headers and account_of(request) is None:
            return error(404, "auth_error", "Invalid user key")
        if refusal := self.too_soon(request) or unexpected_query(request):
            return refusal
        try:
            body = json.loads(await request.body())
        except ValueError:
            return error(400, "invalid_request", "Invalid json body")
        try:
            return JSONResponse({"offers": self.offers(checked(body))})
        except BadQuery as reason:
            return error(400, "invalid_args", str(reason))

    async def user(self, request: Request) -> Response:
        """GET /api/v0/users/current/: who the key belongs to."""
        if account_of(request) is None:
            return error(401, "auth_error", "Invalid user key")
        if refusal := self.too_soon(request) or unexpected_query(request):
            return refusal
        return JSONResponse(
            {
                "id": 4711,
                "key_id": 815,
                "email": "sandbox@example.invalid",
                "balance": 0.0,
                "credit": 25.5,
                "ssh_key": "",
                "sid": "sandbox",
            }
        )

    def offers(self, search: Search) -> list[dict[str, Any]]:
        """The offers that `search` asks for, in its order."""
        now = self.now()
        factor = market().factor(now) if self.moving else 1.0
        every = priced(factor, search.bid, search.disk_gb)
        found = [row for row in every if matches(row, search.filters)]
        for name, direction in reversed(search.order):
            # A null counts as the smallest value, so that paging upwards by a price meets it first.
            found.sort(key=lambda row: sort_key(row.get(name)), reverse=direction == "desc")
        return [ending(row, now) for row in found[: search.limit]]


@lru_cache(maxsize=16)
def priced(factor: float, bid: bool, disk_gb: float) -> list[dict[str, Any]]:
    """The whole market as answers show it; kept, because a listing asks for it once per page."""
    return [offer(row, bid, disk_gb) for row in market().at(factor)]


def ending(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The row with the moment at which its offer ends."""
    return {**row, "end_date": now.timestamp() + row["duration"]} if "duration" in row else row


def offer(row: Mapping[str, Any], bid: bool, disk_gb: float) -> dict[str, Any]:
    """One row of the market with everything that the sandbox adds."""
    base = row.get("min_bid" if bid else "dph_base")
    disk = (row.get("storage_cost") or 0.0) * disk_gb / MONTH_HOURS
    total = None if base is None else base + disk
    verified = row.get("verification") == "verified"
    made = {
        **EVERY_OFFER,
        **row,
        "ask_contract_id": row["id"],
        "is_bid": bid,
        "gpu_arch": "amd" if row["gpu_name"].startswith("MI") else "nvidia",
        "gpu_total_ram": row["gpu_ram"] * row["num_gpus"] if row.get("gpu_ram") else None,
        "dph_total": total,
        "dlperf_per_dphtotal": row["dlperf"] / total if total and row.get("dlperf") else None,
        "flops_per_dphtotal": row["total_flops"] / total if total and row.get("total_flops") else None,
        "score": row["dlperf"] / total if total and row.get("dlperf") else 0.0,
        "verified": verified,
        "vericode": int(verified),
        "datacenter": row.get("hosting_type") == 1,
        "storage_total_cost": disk,
        "search": {
            "gpuCostPerHour": base,
            "diskHour": disk,
            "totalHour": total,
            "discountTotalHour": 0,
            "discountedTotalPerHour": total,
        },
    }
    if "dph_base" not in row:
        made.pop("dph_total")
    if "reliability2" in row:
        made["reliability"] = row["reliability2"]
    for way in ("up", "down"):
        if (cost := row.get(f"inet_{way}_cost")) is not None:
            made[f"internet_{way}_cost_per_tb"] = cost * GB_PER_TB
    return made


def unexpected_query(request: Request) -> Response | None:
    """Neither path takes a query string."""
    name = next(iter(request.query_params), None)
    return None if name is None else error(400, "invalid_args", f"unknown parameter: {name}")


def error(status: int, code: str, message: str) -> JSONResponse:
    """An error as Vast.ai words it."""
    return JSONResponse({"success": False, "error": code, "msg": message}, status_code=status)


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in Vast.ai's form."""
    codes = {401: "auth_error", 404: "not_found", 429: "rate_limited"}
    document = {"success": False, "error": codes.get(status, "invalid_request"), "msg": message}
    return json.dumps(document).encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    code = "not_found" if problem.status_code == 404 else "invalid_request"
    return error(problem.status_code, code, f"{request.method} {request.url.path}: {problem.detail}")


def app(state: State) -> Starlette:
    """The server. Every path ends with a slash; without it there is nothing."""
    return served(Vast(state.now, state.moving))


def served(state: Vast) -> Starlette:
    """The server of one local Vast.ai."""
    made = Starlette(
        routes=[
            Route("/api/v0/bundles/", state.bundles, methods=["POST"]),
            Route("/api/v0/users/current/", state.user, methods=["GET"]),
            *listings(state.now, state.too_soon, error),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    made.router.redirect_slashes = False
    return made


_NO_TOKENS = "Vast.ai's search has neither tokens nor links: the next page is a condition on the price"
CLOUD = Cloud(
    app,
    words,
    records="offers",
    auth={"api_key": TOKEN},
    accounts={name: {"api_key": token} for name, token in TOKENS.items()},
    listings=LISTINGS,
    unpaged=("volume",),
    walked=True,
    keys=("id",),
    part='"type":"bid"',
    cannot={
        "empty-page-next": f"{_NO_TOKENS}; an empty page is the end",
        "same-token": f"{_NO_TOKENS}; its counterpart is stuck-page",
        "other-host-next": _NO_TOKENS,
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the market at a moment."""
    parser = argparse.ArgumentParser(prog="python -m cloudtop.sandbox.clouds.vast", description=main.__doc__)
    parser.add_argument("--print", action="store_true", required=True, help="the table as CSV")
    parser.add_argument(
        "--at", metavar="TIME", type=datetime.fromisoformat, help="ISO 8601, UTC; default now"
    )
    parser.add_argument("--still", action="store_true", help="factor 1: the prices of the file")
    chosen = parser.parse_args(arguments)
    moment = chosen.at or datetime.now(UTC)
    print_table(sys.stdout, None if chosen.still else moment.replace(tzinfo=moment.tzinfo or UTC))
    return 0


if __name__ == "__main__":
    sys.exit(main())
