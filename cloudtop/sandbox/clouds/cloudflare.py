"""Cloudflare as a local server: two accounts of the made-up company, one of them with a token of its own.

Follows Cloudflare's API v4: an envelope around every answer, lists whose pages are numbered (D1, KV, zones,
Pages, models), led by a cursor (R2, tags) or come whole (Workers, queues), a list of buckets for each
jurisdiction, a token of the account that the check of users' tokens does not know. Stricter than the real
one: no parameter that is not known, short pages. The analytics are `cloudtop.sandbox.cloudflare_graphql`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox import cloudflare_graphql
from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.cloudflare_records import JURISDICTIONS, KINDS, record, tags
from cloudtop.sandbox.fleet import Fleet, read

BASE = "/client/v4"
SHORT = 4
"""The most that a page here holds."""
NUMBERED = {
    "ai/models/search": ("models", 1, 1000),
    "d1/database": ("d1_databases", 1, 10_000),
    "storage/kv/namespaces": ("namespaces", 1, 1000),
    "pages/projects": ("pages_projects", 1, 10),
}
"""Lists of an account whose pages are numbered: the kind, and what `per_page` may be."""
CODES = {400: 7003, 401: 10000, 403: 10000, 404: 7003, 429: 971}
ACCOUNTS: Mapping[str, Mapping[str, str]] = {
    "prod": {
        "api_key": "sandbox-cloudflare-token-prod",
        "account_id": read("cloudflare")["accounts"]["prod"]["number"],
    },
    "sandbox": {"api_key": "sandbox-cloudflare-token-lab"},
}


class Refused(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Api:
    """The server."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.fleet = Fleet("cloudflare", state.now())

    async def verify_user(self, request: Request) -> Response:
        """GET /user/tokens/verify."""

        def answer() -> Any:
            if self.fleet.accounts[self._account(request, 1000)].get("owned"):
                raise Refused(401, 1000, "Invalid API Token")
            return enveloped({"id": "ed17574386854bf78a67040be0a770b0", "status": "active"})

        return answered(answer)

    async def accounts(self, request: Request) -> Response:
        """GET /accounts: the one that a token sees."""

        def answer() -> Any:
            about = self.fleet.accounts[self._account(request)]
            seen = {"id": about["number"], "name": about["name"], "type": "standard", "created_on": None}
            return numbered(request, [seen], 5, 50)

        return answered(answer)

    async def zones(self, request: Request) -> Response:
        """GET /zones of an account."""

        def answer() -> Any:
            account = self._account(request)
            if request.query_params.get("account.id") != self.fleet.accounts[account]["number"]:
                return numbered(request, [], 5, 50, "account.id")
            return numbered(request, self._records("zones", account), 5, 50, "account.id")

        return answered(answer)

    async def within(self, request: Request) -> Response:
        """GET of anything of an account."""
        return answered(lambda: self._within(request))

    async def graphql(self, request: Request) -> Response:
        """POST /graphql."""
        body = await request.body()

        def answer() -> Any:
            account = self._account(request)
            return cloudflare_graphql.answer(self.fleet, account, json.loads(body), self.state.now())

        return answered(answer)

    def _within(self, request: Request) -> Any:
        account, path = self._account(request), request.path_params["rest"]
        if request.path_params["account"] != self.fleet.accounts[account]["number"]:
            raise Refused(403, 10000, "Authentication error")
        if path in NUMBERED:
            kind, least, most = NUMBERED[path]
            more = ("order",) if kind == "namespaces" else ()
            return numbered(request, self._records(kind, account, listed=True), least, most, *more)
        if path == "r2/buckets":
            return self._buckets(request, account)
        if path == "tags/resources":
            return self._tags(request, account)
        known(request)
        if path == "workers/scripts":
            return dict(enveloped(self._records("workers", account)).items())
        if path == "queues":
            return enveloped(self._records("queues", account))
        if path == "tokens/verify" and self.fleet.accounts[account].get("owned"):
            until = "2027-06-30T00:00:00Z"
            return enveloped(
                {"id": "f267e341f3dd4697bd3b9f71dd96247f", "status": "active", "expires_on": until}
            )
        return self._one(account, path)

    def _one(self, account: str, path: str) -> Any:
        """One thing by itself: a database of D1, or what waits in a queue."""
        for one in (*self.fleet.of("d1_databases", account), *self.fleet.of("queues", account)):
            if path == f"d1/database/{one.id}":
                return enveloped(record(one, self.fleet))
            if path == f"queues/{one.id}/metrics":
                return enveloped(one.own["backlog"])
        raise Refused(
            404, 7003, f"Could not route to /accounts/{path}, perhaps your object identifier is invalid?"
        )

    def _records(self, kind: str, account: str, listed: bool = False) -> list[dict[str, Any]]:
        every = [record(one, self.fleet) for one in self.fleet.of(kind, account)]
        if listed and kind == "d1_databases":
            return [{name: value for name, value in one.items() if name not in DETAILS} for one in every]
        return every

    def _buckets(self, request: Request, account: str) -> Any:
        """The buckets of the jurisdiction in the header."""
        jurisdiction = request.headers.get("cf-r2-jurisdiction", "default")
        if jurisdiction not in JURISDICTIONS:
            raise Refused(400, 10001, "The jurisdiction is invalid.")
        known(request, "cursor", "per_page")
        mine = [
            record(one, self.fleet)
            for one in self.fleet.of("buckets", account)
            if one.own.get("jurisdiction", "default") == jurisdiction
        ]
        found, after = led(request, mine)
        return {**enveloped({"buckets": found}), "result_info": {"cursor": after, "per_page": 1000}}

    def _tags(self, request: Request, account: str) -> Any:
        """What bears tags; what bears none is not listed."""
        known(request, "cursor", "type")
        kinds = request.query_params.getlist("type") or list(KINDS.values())
        mine = [
            tags(one)
            for one in self.fleet.records
            if one.account == account and one.tags and KINDS.get(one.group) in kinds
        ]
        found, after = led(request, mine)
        return {**enveloped(found), "result_info": {"count": len(found), "cursors": {"after": after}}}

    def _account(self, request: Request, code: int = 10000) -> str:
        """Whose token it is."""
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        for name, auth in ACCOUNTS.items():
            if sent == auth["api_key"]:
                return name
        raise Refused(401, code, "Invalid API Token" if code == 1000 else "Authentication error")


DETAILS = ("file_size", "read_replication")
"""What the list of databases does not tell."""


def enveloped(result: Any) -> dict[str, Any]:
    """An answer."""
    return {"success": True, "errors": [], "messages": [], "result": result}


def numbered(request: Request, found: list[Any], least: int, most: int, *parameters: str) -> Any:
    """One page of a list whose pages are numbered: half of it at most."""
    known(request, "page", "per_page", *parameters)
    page = int(request.query_params.get("page", 1))
    asked = int(request.query_params.get("per_page", min(20, most)))
    if not least <= asked <= most or page < 1:
        raise Refused(400, 8000024, "Invalid list options provided.")
    size = max(1, min(SHORT, asked, (len(found) + 1) // 2))
    shown = found[(page - 1) * size : page * size]
    pages = {"total_count": len(found), "total_pages": -(-len(found) // size)}
    return {**enveloped(shown), "result_info": {"page": page, "per_page": size, "count": len(shown), **pages}}


def led(request: Request, found: list[Any]) -> tuple[list[Any], str | None]:
    """One page of a list that a cursor leads on in: half of it at most."""
    size = max(1, min(SHORT, (len(found) + 1) // 2))
    token = request.query_params.get("cursor", "at0")
    if not token.removeprefix("at").isdigit():
        raise Refused(400, 10022, "The cursor is invalid.")
    at = int(token.removeprefix("at"))
    return found[at : at + size], f"at{at + size}" if at + size < len(found) else None


def known(request: Request, *parameters: str) -> None:
    """Refuse what is not known."""
    strangers = [name for name in request.query_params if name not in parameters]
    if strangers:
        raise Refused(400, 7003, f"Unknown parameter: {strangers[0]}.")


def answered(answer: Any) -> Response:
    """What was asked for, or why not."""
    try:
        return JSONResponse(answer())
    except Refused as refused:
        return JSONResponse(refusing(refused.code, refused.message), refused.status)


def refusing(code: int, message: str) -> dict[str, Any]:
    """An envelope around a refusal."""
    return {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}


def words(status: int, message: str) -> bytes:
    """An error as Cloudflare words it."""
    return json.dumps(refusing(CODES.get(status, 10013), message)).encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return JSONResponse(refusing(7000, "No route for that URI"), problem.status_code)


def app(state: State) -> Starlette:
    """The server."""
    api = Api(state)
    routes = [
        Route(f"{BASE}/user/tokens/verify", api.verify_user),
        Route(f"{BASE}/accounts", api.accounts),
        Route(f"{BASE}/zones", api.zones),
        Route(f"{BASE}/graphql", api.graphql, methods=["POST"]),
        Route(f"{BASE}/accounts/{{account}}/{{rest:path}}", api.within),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_there})


LISTINGS = {
    f"{BASE}/graphql": ("data.viewer.accounts", ""),
    **{
        f"{BASE}/accounts/{about['number']}/{path}": where
        for about in read("cloudflare")["accounts"].values()
        for path, where in {
            "r2/buckets": ("result.buckets", "result_info.cursor"),
            "tags/resources": ("result", "result_info.cursors.after"),
            "workers/scripts": ("result", ""),
            "queues": ("result", ""),
        }.items()
    },
}
CLOUD = Cloud(
    app=app,
    words=words,
    auth=ACCOUNTS["prod"],
    accounts=ACCOUNTS,
    plain=("account_id",),
    records="result",
    more="result_info.page",
    sdk=True,
    listings=LISTINGS,
    # Whoever is asked which account it is answers with an id.
    leads=("id",),
    unpaged=("function", "queue"),
)
