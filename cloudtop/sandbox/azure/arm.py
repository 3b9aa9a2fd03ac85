"""Resource Manager, the sign-in and Monitor's batches: who asks, what may be asked, and pages.

Follows Microsoft's REST references: the OAuth 2.0 client credentials grant, lists with `value` and an
absolute `nextLink`, errors as `error` with a code. Stricter than the real one: one version of each API, no
parameter that is not known, a token for exactly the service that is asked, short pages. As there, `$expand`
on the list of machines is refused without a filter, and the list of SKUs takes one region at most.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cloudtop.sandbox.azure import measured, records
from cloudtop.sandbox.cloud import State
from cloudtop.sandbox.fleet import Fleet

ARM = "https://management.azure.com"
MONITOR = "https://metrics.monitor.azure.com"
SUBSCRIPTIONS, PERMISSIONS = "2022-12-01", "2022-04-01"
SKUS = "2021-07-01"
LONGEST_PAGE = 12
LOCATION = re.compile(r"location eq '(\w+)'")


class Refused(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def words(status: int, message: str) -> bytes:
    """The body of an error, with the code that Azure has for its status."""
    codes = {400: "BadRequest", 401: "InvalidAuthenticationToken", 403: "AuthorizationFailed"}
    codes |= {404: "ResourceNotFound", 429: "TooManyRequests"}
    return _error(codes.get(status, f"Http{status}"), message)


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


class Arm:
    """The server. `accounts` are the credentials of each by the names of the configuration."""

    def __init__(self, state: State, accounts: Mapping[str, Mapping[str, str]]) -> None:
        self.state, self.accounts = state, accounts
        self.fleet = Fleet("azure", state.now())
        numbers = {about["number"]: name for name, about in self.fleet.accounts.items()}
        self.names: Mapping[str, str] = numbers

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("/{tenant}/oauth2/v2.0/token", self.sign_in, methods=["POST"]),
            Route("/subscriptions/{number}/metrics:getBatch", self.batch, methods=["POST"]),
            Route("/subscriptions", self.listing),
            Route("/subscriptions/{rest:path}", self.listing),
        ]

    async def sign_in(self, request: Request) -> Response:
        """A token for a client secret, of one account and for one service."""
        form = dict(parse_qsl((await request.body()).decode()))
        tenant = request.path_params["tenant"]
        wanted = {**form, "tenant_id": tenant}
        account = next(
            (
                name
                for name, auth in self.accounts.items()
                if all(wanted.get(key) == auth[key] for key in auth)
            ),
            None,
        )
        if account is None or form.get("grant_type") != "client_credentials":
            said = "AADSTS7000215: Invalid client secret provided."
            return _json(
                {"error": "invalid_client", "error_description": said, "error_codes": [7000215]}, 401
            )
        audience = form["scope"].removesuffix("/.default")
        token = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
        return _json({**token, "access_token": self._token(account, audience)})

    async def listing(self, request: Request) -> Response:
        """GET of anything below /subscriptions."""
        return self._answered(request, lambda: self._listed(request))

    async def batch(self, request: Request) -> Response:
        """POST of metrics:getBatch."""
        body = await request.body()

        def answer() -> Any:
            account = self._account(request, MONITOR)
            self._own(account, request.path_params["number"])
            return measured.batch(self.fleet, account, request.query_params, body, self.state.now())

        return self._answered(request, answer)

    def _answered(self, request: Request, answer: Any) -> Response:
        try:
            return _json(answer())
        except Refused as refused:
            return Response(
                _error(refused.code, refused.message), refused.status, media_type="application/json"
            )
        except measured.BadRequest as error:
            return Response(_error("BadRequest", str(error)), 400, media_type="application/json")

    def _listed(self, request: Request) -> Any:
        account = self._account(request, ARM)
        parts = [part for part in request.url.path.split("/") if part][1:]
        if len(parts) < 2:
            _parameters(request, SUBSCRIPTIONS)
            mine = self._subscription(account)
            if parts:
                self._own(account, parts[0])
                return mine
            return {"value": [mine]}
        self._own(account, parts[0])
        kind = "/".join(parts[2:]) if parts[1] == "providers" else ""
        if kind == "Microsoft.Authorization/permissions":
            _parameters(request, PERMISSIONS)
            found = self._permissions(account)
        elif kind == "Microsoft.Compute/skus":
            found = self._skus(request)
        elif kind == records.INTERFACES:
            _parameters(request, "2025-05-01")
            found = records.interfaces(self.fleet, account)
        elif kind == "Microsoft.Compute/virtualMachines":
            found = self._machines(request, account)
        else:
            kind, within = (kind, None) if kind else _inside(parts)
            if kind not in records.KINDS:
                raise Refused(404, "InvalidResourceType", f"The resource type {kind!r} could not be found.")
            expand = ("$expand",) if kind.startswith("Microsoft.Compute/virtualMachineScaleSets/") else ()
            _parameters(request, records.KINDS[kind].version, *expand)
            found = records.held(self.fleet, account, kind, within)
        return _page(request, found)

    def _account(self, request: Request, audience: str) -> str:
        """Whose token it is."""
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        for account in self.accounts:
            if sent == self._token(account, audience):
                return account
        raise Refused(401, "InvalidAuthenticationToken", "The access token is invalid.")

    def _token(self, account: str, audience: str) -> str:
        """The token of an account for a service; a real one is signed, and says more."""
        name = next(iter(self.accounts[account].values()))
        return f"sandbox-azure-token-{name}-{audience.removeprefix('https://')}"

    def _own(self, account: str, number: str) -> None:
        if self.names.get(number) != account:
            message = "The client does not have authorization to perform action over this scope."
            raise Refused(403, "AuthorizationFailed", message)

    def _subscription(self, account: str) -> dict[str, Any]:
        about = self.fleet.accounts[account]
        return {
            "id": f"/subscriptions/{about['number']}",
            "subscriptionId": about["number"],
            "displayName": about["name"],
            "state": "Enabled",
        }

    def _permissions(self, account: str) -> list[dict[str, Any]]:
        """Two roles: reading everything but what is denied, and one that names what it may."""
        denied = self.fleet.accounts[account].get("denied", [])
        reader = {"actions": ["*/read"], "notActions": denied, "dataActions": [], "notDataActions": []}
        monitor = {"actions": ["Microsoft.Insights/Metrics/Read"], "notActions": []}
        return [reader, monitor]

    def _skus(self, request: Request) -> list[dict[str, Any]]:
        _parameters(request, SKUS, "$filter")
        match = LOCATION.fullmatch(request.query_params.get("$filter", "location eq 'eastus'"))
        if match is None:
            raise Refused(400, "InvalidFilter", "The filter takes one location.")
        return records.skus(self.fleet, match[1])

    def _machines(self, request: Request, account: str) -> list[dict[str, Any]]:
        kind = "Microsoft.Compute/virtualMachines"
        _parameters(request, records.KINDS[kind].version, "statusOnly", "$expand")
        if "$expand" in request.query_params:
            raise Refused(400, "InvalidParameter", "The value of parameter $expand needs a $filter.")
        if request.query_params.get("statusOnly") == "true":
            return records.states(self.fleet, account)
        return records.held(self.fleet, account, kind)


def _inside(parts: list[str]) -> tuple[str, str | None]:
    """What is listed within a server or account: its kind, and whose."""
    if len(parts) < 8 or parts[3] != "providers":
        return "", None
    space, kind, name, *rest = parts[4:]
    return "/".join((space, kind, *rest)), name


def _parameters(request: Request, version: str, *known: str) -> None:
    """Refuse another version of an API, and what is not known."""
    asked = request.query_params
    if asked.get("api-version") != version:
        message = f"The api-version {asked.get('api-version')!r} is invalid; supported is {version}."
        raise Refused(400, "InvalidApiVersionParameter", message)
    unknown = [name for name in asked if name not in ("api-version", "$skiptoken", *known)]
    if unknown or len(asked.multi_items()) != len(asked):
        raise Refused(400, "InvalidParameter", f"Unknown or repeated parameters: {unknown}.")


def _page(request: Request, found: list[dict[str, Any]]) -> dict[str, Any]:
    """One page: half of a listing at most, and the link to the next."""
    size = max(1, min(LONGEST_PAGE, (len(found) + 1) // 2))
    token = request.query_params.get("$skiptoken", "at0")
    if not re.fullmatch(r"at\d+", token):
        raise Refused(400, "InvalidSkipToken", "The skip token is invalid.")
    at = int(token[2:])
    answer: dict[str, Any] = {"value": found[at : at + size], "nextLink": None}
    if at + size < len(found):
        pairs = {**request.query_params, "$skiptoken": f"at{at + size}"}
        answer["nextLink"] = f"{str(request.base_url).rstrip('/')}{request.url.path}?{urlencode(pairs)}"
    return answer


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, media_type="application/json")
