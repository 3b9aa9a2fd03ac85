"""Neon as a local server: two accounts, one with an organization's key and one with a person's.

Follows the Neon API v2. Projects are paged by a cursor that even the last page has: only an empty page ends
them. Branches are paged by `next`, which the last page lacks; computes and databases come in one answer each.
A project may come without its record, named as unavailable, and is read by itself then. A person's key must
name an organization; one on the free plan has no history of consumption (403), and one that the key does not
belong to is not found. What is not known is 0, "" or the year 1, as Go writes it.

Stricter than the real one: unknown query parameters are refused, pages are short.
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

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.faults import Exchange, Reply
from cloudtop.sandbox.fleet import Fleet, Record
from cloudtop.sandbox.neon.consumed import check, history
from cloudtop.sandbox.neon.records import database_record, project_record, record
from cloudtop.sandbox.neon.wire import Refusal, held, known, page, size, words
from cloudtop.sandbox.speech import Page, Speech

ROOT = "/api/v2"
ACCOUNTS = {
    "prod": {"api_key": "napi_sandbox-neon-key-of-the-organization"},
    "sandbox": {"api_key": "napi_sandbox-neon-key-of-a-person"},
}
PROJECTS, BRANCHES, CONSUMED = 3, 4, 5
"""How many records a page holds at most, whatever is asked for."""
FREE = "free"
LISTED = ("organizations", "projects", "branches", "endpoints", "databases")


class Neon:
    """One local Neon."""

    def __init__(self, state: State) -> None:
        self.fleet, self.now = Fleet("neon", state.now()), state.now

    def account(self, request: Request) -> str:
        """Whose key came along."""
        shown = request.headers.get("authorization", "")
        found = next((name for name, keys in ACCOUNTS.items() if shown == f"Bearer {keys['api_key']}"), None)
        if found is None:
            raise Refusal(401, "This API key is not valid." if shown else "Authorization header is missing.")
        return found

    def organizations(self, account: str) -> Mapping[str, Any]:
        """The organizations that a key belongs to, by id."""
        found: Mapping[str, Any] = self.fleet.accounts[account]["organizations"]
        return found

    async def auth(self, request: Request) -> Any:
        """GET /auth: whose key this is."""
        account = self.account(request)
        personal = self.fleet.accounts[account].get("person")
        one = personal or next(iter(self.organizations(account)))
        method = "api_key_user" if personal else "api_key_org"
        return {"account_id": one, "auth_method": method, "auth_data": "ci"}

    async def mine(self, request: Request) -> Any:
        """GET /users/me/organizations."""
        account = self.account(request)
        return {"organizations": [self._organization(account, one) for one in self.organizations(account)]}

    async def organization(self, request: Request) -> Any:
        """GET /organizations/{organization}."""
        account, one = self.account(request), request.path_params["organization"]
        self._member(account, one)
        return self._organization(account, one)

    async def projects(self, request: Request) -> Any:
        """GET /projects, a cursor on every page; the end is a page without any."""
        account = self.account(request)
        asked = known(request, "org_id", "limit", "cursor")
        own = self.fleet.accounts[account].get("person")
        organization = asked.get("org_id") or (None if own else next(iter(self.organizations(account))))
        if organization is None:
            raise Refusal(400, "org_id is required, you can find it on your organization settings page")
        self._member(account, organization)
        found = [one for one in self.fleet.of("projects", account) if one.own["organization"] == organization]
        part, cursor = page(asked, found, min(size(asked, 10, 400), PROJECTS), always=True)
        late = [one.id for one in part if one.own.get("late")]
        return {
            "projects": [self._told(one, listed=True) for one in part if one.id not in late],
            **({"unavailable_project_ids": late} if late else {}),
            **({"pagination": {"cursor": cursor}} if cursor else {}),
            "applications": {},
            "integrations": {},
        }

    async def project(self, request: Request) -> Any:
        """GET /projects/{project}, with its counters."""
        account = self.account(request)
        return {"project": self._told(self._project(account, request), listed=False)}

    async def branches(self, request: Request) -> Any:
        """GET /projects/{project}/branches."""
        account = self.account(request)
        asked = known(request, "limit", "cursor")
        project = self._project(account, request)
        found = [one for one in self.fleet.of("branches", account) if one.own["project"] == project.id]
        part, cursor = page(asked, found, min(size(asked, 10_000, 10_000), BRANCHES), always=False)
        sort = {"sort_by": "updated_at", "sort_order": "desc"}
        return {
            "branches": [record(self.fleet, one) for one in part],
            "annotations": {one.id: self._annotation(one) for one in part if one.tags},
            "pagination": {**sort, **({"next": cursor} if cursor else {})},
        }

    async def branch(self, request: Request) -> Any:
        """GET /projects/{project}/branches/{branch}."""
        one = self._branch(self.account(request), request)
        return {
            "branch": record(self.fleet, one),
            **({"annotation": self._annotation(one)} if one.tags else {}),
        }

    async def endpoints(self, request: Request) -> Any:
        """GET /projects/{project}/endpoints."""
        account = self.account(request)
        known(request)
        project = self._project(account, request)
        found = [one for one in self.fleet.of("computes", account) if one.own["project"] == project.id]
        return {"endpoints": [{**record(self.fleet, one), "region_id": one.region} for one in found]}

    async def databases(self, request: Request) -> Any:
        """GET /projects/{project}/branches/{branch}/databases."""
        account = self.account(request)
        known(request)
        branch = self._branch(account, request)
        found = [one for one in self.fleet.of("databases", account) if one.own["branch"] == branch.id]
        return {"databases": [database_record(self.fleet, one) for one in found]}

    async def consumption(self, request: Request) -> Any:
        """GET /consumption_history/v2/projects and /branches."""
        account, kind = self.account(request), request.path_params["kind"]
        asked = known(
            request, "from", "to", "granularity", "org_id", "metrics", "project_ids", "limit", "cursor"
        )
        check(asked, kind, self.now())
        self._member(account, asked["org_id"])
        plan = self.organizations(account)[asked["org_id"]]["plan"]
        if plan == FREE:
            raise Refusal(403, "consumption history is not available on the plan of this account")
        found = self._meant(account, kind, asked)
        part, cursor = page(asked, found, min(size(asked, 10, 1_000), CONSUMED), always=True)
        return {
            kind: [history(self.fleet, one, asked, plan, self.now()) for one in part],
            **({"pagination": {"cursor": cursor}} if cursor else {}),
        }

    def _told(self, one: Record, *, listed: bool) -> dict[str, Any]:
        return project_record(self.fleet, one, self.now(), listed=listed)

    def _organization(self, account: str, identity: str) -> dict[str, Any]:
        about = self.organizations(account)[identity]
        made = {"id": identity, "handle": identity, "managed_by": "console", "require_mfa": True, **about}
        return {**made, "created_at": "2024-02-23T17:42:25Z", "updated_at": "2024-02-26T20:41:25Z"}

    def _member(self, account: str, organization: str) -> None:
        if organization not in self.organizations(account):
            raise Refusal(404, "organization not found or you are not a member of it")

    def _project(self, account: str, request: Request) -> Record:
        return held(self.fleet.of("projects", account), request.path_params["project"], "project")

    def _branch(self, account: str, request: Request) -> Record:
        project = self._project(account, request)
        found = [one for one in self.fleet.of("branches", account) if one.own["project"] == project.id]
        return held(found, request.path_params["branch"], "branch")

    def _annotation(self, one: Record) -> dict[str, Any]:
        return {"object": {"type": "console/branch", "id": one.id}, "value": dict(one.tags)}

    def _meant(self, account: str, kind: str, asked: Mapping[str, str]) -> list[Record]:
        """The projects or branches that a question is about."""
        ids = asked.get("project_ids", "").split(",") if asked.get("project_ids") else []
        if len(ids) > 100 or (kind == "branches" and not ids):
            raise Refusal(400, "project_ids must name 1 to 100 projects")
        mine = [
            one for one in self.fleet.of("projects", account) if one.own["organization"] == asked["org_id"]
        ]
        wanted = {one.id for one in mine if not ids or one.id in ids}
        if kind == "projects":
            return [one for one in mine if one.id in wanted]
        return [one for one in self.fleet.of("branches", account) if one.own["project"] in wanted]


class NeonSpeech(Speech):
    """Where the records of a listing stand follows from the last part of its path."""

    def page(self, exchange: Exchange, reply: Reply) -> Page | None:
        """An answer taken apart."""
        if reply.body[:1] != b"{":
            return None
        path: str = exchange.scope["path"]
        last = path.rpartition("/")[2]
        more = "pagination.next" if last == "branches" and "consumption" not in path else "pagination.cursor"
        return Page(json.loads(reply.body), *((last, more) if last in LISTED else ("", "")))


def app(state: State) -> Starlette:
    """The server."""
    neon = Neon(state)

    def answered(call: Any) -> Any:
        async def answer(request: Request) -> Response:
            try:
                return JSONResponse(await call(request))
            except Refusal as refusal:
                return Response(
                    words(refusal.status, str(refusal)), refusal.status, media_type="application/json"
                )

        return answer

    async def not_there(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)
        return Response(
            words(problem.status_code, "not found"), problem.status_code, media_type="application/json"
        )

    paths = {
        "/auth": neon.auth,
        "/users/me/organizations": neon.mine,
        "/organizations/{organization}": neon.organization,
        "/projects": neon.projects,
        "/projects/{project}": neon.project,
        "/projects/{project}/branches": neon.branches,
        "/projects/{project}/branches/{branch}": neon.branch,
        "/projects/{project}/branches/{branch}/databases": neon.databases,
        "/projects/{project}/endpoints": neon.endpoints,
        "/consumption_history/v2/{kind:str}": neon.consumption,
    }
    routes = [Route(f"{ROOT}{path}", answered(call), methods=["GET"]) for path, call in paths.items()]
    made = Starlette(routes=routes, exception_handlers={HTTPException: not_there})
    made.router.redirect_slashes = False
    return made


CLOUD = Cloud(
    app,
    words,
    records="projects",
    speech=NeonSpeech(words),
    auth=ACCOUNTS["prod"],
    accounts=ACCOUNTS,
    more="pagination.cursor",
    # A database has a number of its own and is called by its branch and name.
    leads=("id", "name"),
)
