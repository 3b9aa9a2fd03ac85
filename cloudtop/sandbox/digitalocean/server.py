"""The company's part of DigitalOcean: whose token it is, which listing is asked for, and its page.

Stricter than the real one: an unknown parameter is refused, and a page is half of a listing at most, so that
every listing with pages has two. As there, the plain list of Droplets leaves those with GPUs out, databases
and namespaces have no pages, and every answer tells how many requests are left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import State
from cloudtop.sandbox.digitalocean import measured
from cloudtop.sandbox.digitalocean.records import held
from cloudtop.sandbox.digitalocean.wire import Refused, accepted, answered, page
from cloudtop.sandbox.fleet import Fleet

LONGEST_PAGE = 6


class Listing(NamedTuple):
    """One listing: the group of the file, the key of its records, and whether it has pages."""

    group: str
    key: str
    paged: bool = True


LISTINGS = {
    "/v2/droplets": Listing("droplets", "droplets"),
    "/v2/kubernetes/clusters": Listing("clusters", "kubernetes_clusters"),
    "/v2/volumes": Listing("volumes", "volumes"),
    "/v2/snapshots": Listing("snapshots", "snapshots"),
    "/v2/load_balancers": Listing("load_balancers", "load_balancers"),
    "/v2/vpcs": Listing("vpcs", "vpcs"),
    "/v2/reserved_ips": Listing("addresses", "reserved_ips"),
    "/v2/databases": Listing("databases", "databases", paged=False),
    "/v2/functions/namespaces": Listing("namespaces", "namespaces", paged=False),
    "/v2/apps": Listing("apps", "apps"),
}

DROPLET_MEASURES = ("bandwidth", "cpu", "filesystem_free", "filesystem_size", "load_1", "load_5", "load_15",
                    "memory_available", "memory_cached", "memory_free", "memory_total")  # fmt: skip
MYSQL_MEASURES = ("cpu_usage", "disk_usage", "load", "memory_usage", "threads_active", "threads_connected")
Tell = Callable[[Fleet, str, str, Mapping[str, str], datetime], Any]


class Ocean:
    """The server. `tokens`: each account's name by its token."""

    def __init__(self, state: State, tokens: Mapping[str, str]) -> None:
        self.state, self.tokens = state, tokens
        self.fleet = Fleet("digitalocean", state.now())

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            *(Route(path, self.listing, methods=["GET"]) for path in LISTINGS),
            Route("/v2/monitoring/metrics/droplet/{name}", self.of_droplet, methods=["GET"]),
            Route("/v2/monitoring/metrics/database/mysql/{name}", self.of_mysql, methods=["GET"]),
            Route("/v2/monitoring/alerts", self.alerts, methods=["GET"]),
            Route("/v2/account", self.account, methods=["GET"]),
            Route("/v2/customers/my/balance", self.balance, methods=["GET"]),
        ]

    async def listing(self, request: Request) -> Response:
        """One page of a listing, or all of one without pages."""

        def answer() -> Any:
            account = accepted(request, self.tokens)
            listing = LISTINGS[request.url.path]
            known = {"page", "per_page"} if listing.paged else set()
            group = listing.group
            if group == "droplets":
                known |= {"type"}
                group = self._droplets(request)
            found = held(self.fleet, account, group)
            most = max(1, min(LONGEST_PAGE, -(-len(found) // 2)))
            return page(request, listing.key, found, known, most if listing.paged else None)

        return answered(answer)

    async def of_droplet(self, request: Request) -> Response:
        """GET of one measure of a Droplet."""
        name = request.path_params["name"]
        more = ("interface", "direction") if name == "bandwidth" else ()
        return self._measured(request, name, measured.droplet, DROPLET_MEASURES, "host_id", *more)

    async def of_mysql(self, request: Request) -> Response:
        """GET of one measure of a MySQL cluster."""
        name = request.path_params["name"]
        more = ("aggregate",) if name.endswith("_usage") else ()
        return self._measured(request, name, measured.mysql, MYSQL_MEASURES, "db_id", *more)

    def _measured(
        self, request: Request, name: str, tell: Tell, known: tuple[str, ...], *needed: str
    ) -> Response:
        def answer() -> Any:
            account = accepted(request, self.tokens, (*needed, "start", "end"))
            lacking = {*needed, "start", "end"} - set(request.query_params)
            if name not in known or lacking:
                raise Refused(404 if name not in known else 400, "bad_request", f"lacking: {lacking}")
            return tell(self.fleet, account, name, request.query_params, self.state.now())

        return answered(answer)

    async def alerts(self, request: Request) -> Response:
        """GET /v2/monitoring/alerts: nobody has set any."""

        def answer() -> Any:
            accepted(request, self.tokens)
            return page(request, "policies", [], {"page", "per_page"}, LONGEST_PAGE)

        return answered(answer)

    async def account(self, request: Request) -> Response:
        """GET /v2/account: who the token belongs to."""
        return answered(lambda: {"account": self._about(request)})

    async def balance(self, request: Request) -> Response:
        """GET /v2/customers/my/balance: money as text."""

        def answer() -> Any:
            name = accepted(request, self.tokens, ())
            return {**self.fleet.accounts[name]["balance"], "generated_at": "2026-11-28T00:00:00Z"}

        return answered(answer)

    def _about(self, request: Request) -> dict[str, Any]:
        name = accepted(request, self.tokens, ())
        about = self.fleet.accounts[name]
        return {
            "droplet_limit": about["droplet_limit"],
            "floating_ip_limit": 5,
            "email": about["email"],
            "name": "Sandbox",
            "uuid": about["uuid"],
            "email_verified": True,
            "status": "active",
            "status_message": "",
            "team": {"uuid": about["uuid"], "name": about["name"]},
        }

    @staticmethod
    def _droplets(request: Request) -> str:
        kind = request.query_params.get("type", "droplets")
        if kind not in ("droplets", "gpus"):
            raise Refused(400, "bad_request", "type must be droplets or gpus.")
        return "gpu_droplets" if kind == "gpus" else "droplets"
