"""Neon as a local server: two accounts, one with an organization's key and one with a person's.

Follows the Neon API v2. Projects are paged by a cursor that even the last page has: only an empty page ends
them. Branches are paged by `next`, which the last page lacks; computes and databases come in one answer each.
A project may come without its record, named as unavailable, and is read by itself then. A person's key must
name an organization; one on the free plan has no history of consumption (403), and one that the key does not
belong to is not found. What is not known is 0, "" or the year 1, as Go writes it.

Stricter than the real one: unknown query parameters are refused, pages are short.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.faults import Exchange, Reply
from cloudtop.sandbox.fleet import Fleet, Record, length
from cloudtop.sandbox.series import series
from cloudtop.sandbox.speech import Page, Speech

ROOT = "/api/v2"
ACCOUNTS = {
    "prod": {"api_key": "napi_sandbox-neon-key-of-the-organization"},
    "sandbox": {"api_key": "napi_sandbox-neon-key-of-a-person"},
}
PROJECTS, BRANCHES, CONSUMED = 3, 4, 5
"""How many records a page holds at most, whatever is asked for."""
NOBODY = "0001-01-01T00:00:00Z"
"""The time that Go writes for none."""
TIMES = {
    "active": "last_active",
    "started": "started_at",
    "suspended": "suspended_at",
    "expires": "expires_at",
    "reset": "last_reset_at",
    "used": "compute_last_active_at",
    "maintenance": "maintenance_starts_at",
}
"""Keys of the fleet file that are ages, and the fields that are their times."""
OURS = ("project", "branch", "organization", "late", *TIMES)
IN_A_LIST = ("active_time_seconds", "compute_time_seconds", "written_data_bytes", "data_transfer_bytes",
             "data_storage_bytes_hour")  # fmt: skip
"""Counters that the record of a project has and its listing has not."""
GRANULARITIES = {
    "hourly": (timedelta(hours=1), timedelta(hours=168)),
    "daily": (timedelta(days=1), timedelta(days=60)),
}
"""Of each how long it is, and how far back it is kept."""
OF_PROJECTS = ("extra_branches_month", "snapshot_storage_bytes_month")
METRICS = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
    "instant_restore_bytes_month",
    "public_network_transfer_bytes",
    "private_network_transfer_bytes",
)
FREE = "free"
LISTED = ("organizations", "projects", "branches", "endpoints", "databases")


class Refusal(Exception):
    """An answer that refuses: its status and what it says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


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
            "projects": [self.project_record(one, listed=True) for one in part if one.id not in late],
            **({"unavailable_project_ids": late} if late else {}),
            **({"pagination": {"cursor": cursor}} if cursor else {}),
            "applications": {},
            "integrations": {},
        }

    async def project(self, request: Request) -> Any:
        """GET /projects/{project}, with its counters."""
        account = self.account(request)
        return {"project": self.project_record(self._project(account, request), listed=False)}

    async def branches(self, request: Request) -> Any:
        """GET /projects/{project}/branches."""
        account = self.account(request)
        asked = known(request, "limit", "cursor")
        project = self._project(account, request)
        found = [one for one in self.fleet.of("branches", account) if one.own["project"] == project.id]
        part, cursor = page(asked, found, min(size(asked, 10_000, 10_000), BRANCHES), always=False)
        sort = {"sort_by": "updated_at", "sort_order": "desc"}
        return {
            "branches": [self.record(one) for one in part],
            "annotations": {one.id: self._annotation(one) for one in part if one.tags},
            "pagination": {**sort, **({"next": cursor} if cursor else {})},
        }

    async def branch(self, request: Request) -> Any:
        """GET /projects/{project}/branches/{branch}."""
        one = self._branch(self.account(request), request)
        return {"branch": self.record(one), **({"annotation": self._annotation(one)} if one.tags else {})}

    async def endpoints(self, request: Request) -> Any:
        """GET /projects/{project}/endpoints."""
        account = self.account(request)
        known(request)
        project = self._project(account, request)
        found = [one for one in self.fleet.of("computes", account) if one.own["project"] == project.id]
        return {"endpoints": [{**self.record(one), "region_id": one.region} for one in found]}

    async def databases(self, request: Request) -> Any:
        """GET /projects/{project}/branches/{branch}/databases."""
        account = self.account(request)
        known(request)
        branch = self._branch(account, request)
        found = [one for one in self.fleet.of("databases", account) if one.own["branch"] == branch.id]
        return {"databases": [self.database_record(one) for one in found]}

    async def consumption(self, request: Request) -> Any:
        """GET /consumption_history/v2/projects and /branches."""
        account, kind = self.account(request), request.path_params["kind"]
        asked = known(
            request, "from", "to", "granularity", "org_id", "metrics", "project_ids", "limit", "cursor"
        )
        for name in ("from", "to", "granularity", "org_id", "metrics"):
            if not asked.get(name):
                raise Refusal(400, f"parameter {name} in query has an error: value is required but missing")
        self._member(account, asked["org_id"])
        if self.organizations(account)[asked["org_id"]]["plan"] == FREE:
            raise Refusal(403, "consumption history is not available on the plan of this account")
        names = asked["metrics"].split(",")
        if wrong := set(names) - set(METRICS) - set(OF_PROJECTS if kind == "projects" else ()):
            raise Refusal(400, f"metric {min(wrong)} is not supported")
        frames = list(self._frames(asked))
        found = self._meant(account, kind, asked)
        part, cursor = page(asked, found, min(size(asked, 10, 1_000), CONSUMED), always=True)
        plan = self.organizations(account)[asked["org_id"]]["plan"]
        return {
            kind: [self._history(kind, one, names, frames, plan) for one in part],
            **({"pagination": {"cursor": cursor}} if cursor else {}),
        }

    def record(self, one: Record) -> dict[str, Any]:
        """A thing as Neon tells it, its ages as times."""
        made: dict[str, Any] = {"id": one.id}
        made |= {name: value for name, value in one.own.items() if name not in OURS}
        if "project" in one.own:
            made["project_id"] = one.own["project"]
        made |= {TIMES[name]: self._at(text) for name, text in one.own.items() if name in TIMES}
        created = f"{one.created:%Y-%m-%dT%H:%M:%SZ}" if one.created else NOBODY
        made |= {"created_at": created, "updated_at": made.get("updated_at", created)}
        if "current_state" in made and one.group == "branches":
            made["state_changed_at"] = created
        return {name: value for name, value in made.items() if name not in one.without}

    def project_record(self, one: Record, *, listed: bool) -> dict[str, Any]:
        """A project; its listing has fewer counters than its record."""
        made = {**self.record(one), "region_id": one.region, "org_id": one.own["organization"]}
        if listed:
            made["active_time"] = made["active_time_seconds"]
            return {name: value for name, value in made.items() if name not in IN_A_LIST}
        begin = self.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        made |= {"consumption_period_start": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "consumption_period_end": NOBODY}
        made["owner"] = {
            "email": f"{one.own['name'] or 'nobody'}-canary@brightwater.example",
            "name": "Brightwater Parcel",
            "branches_limit": 5000,
            "subscription_type": "scale_v3",
        }
        return made

    def database_record(self, one: Record) -> dict[str, Any]:
        """A database; a copy of another has that one's number."""
        made = self.record(one)
        number = made.pop("number")
        return {**made, "id": number, "branch_id": one.own["branch"]}

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

    def _frames(self, asked: Mapping[str, str]) -> Iterator[tuple[datetime, datetime]]:
        """The hours or days of a question, the one that is not over among them."""
        if asked["granularity"] not in GRANULARITIES:
            raise Refusal(400, "granularity must be hourly, daily or monthly")
        step, kept = GRANULARITIES[asked["granularity"]]
        seconds = step.total_seconds()
        begin, end = (
            datetime.fromtimestamp(datetime.fromisoformat(asked[name]).timestamp() // seconds * seconds, UTC)
            for name in ("from", "to")
        )
        if begin < self.now() - kept or end < begin:
            raise Refusal(406, "the time range is not valid for this granularity")
        while begin <= end and begin < self.now():
            yield begin, begin + step
            begin += step

    def _history(
        self,
        kind: str,
        one: Record,
        names: Sequence[str],
        frames: Sequence[tuple[datetime, datetime]],
        plan: str,
    ) -> dict[str, Any]:
        started = self.fleet.started
        every = {
            name: series(one.metrics[name], 3600, started, one.created)
            for name in names
            if name in one.metrics
        }
        consumption = []
        for begin, end in frames:
            told = []
            for name, values in every.items():
                _, hours = values.samples(begin.timestamp(), end.timestamp(), self.now().timestamp())
                told.append({"metric_name": name, "value": round(sum(hours))})
            if one.created is None or end > one.created:
                span = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (begin, end))
                consumption.append(
                    dict(zip(("timeframe_start", "timeframe_end"), span, strict=True)) | {"metrics": told}
                )
        period = {
            "period_id": "79ec829f-1828-4006-ac82-9f1828a0067d",
            "period_plan": plan,
            "period_start": "2026-11-01T00:00:00Z",
            "consumption": consumption,
        }
        ids = (
            {"project_id": one.id}
            if kind == "projects"
            else {"project_id": one.own["project"], "branch_id": one.id}
        )
        return {**ids, "periods": [period]}

    def _at(self, age: str) -> str:
        """When something happened, or will happen where a plus stands before its length."""
        span = length(age.removeprefix("+"))
        return f"{self.fleet.started + (span if age.startswith('+') else -span):%Y-%m-%dT%H:%M:%SZ}"


def held(found: Sequence[Record], identity: str, noun: str) -> Record:
    """The one of this id; refused where there is none."""
    one = next((one for one in found if one.id == identity), None)
    if one is None:
        raise Refusal(404, f"{noun} not found")
    return one


def known(request: Request, *names: str) -> dict[str, str]:
    """The parameters of a request; one that is not documented is refused."""
    asked = dict(request.query_params)
    if unknown := set(asked) - set(names):
        raise Refusal(400, f"unknown parameter {min(unknown)}")
    return asked


def size(asked: Mapping[str, str], usual: int, most: int) -> int:
    """How many records a page may hold."""
    text = asked.get("limit", str(usual))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refusal(400, f"limit must be between 1 and {most}")
    return int(text)


def page(
    asked: Mapping[str, str], found: Sequence[Record], count: int, *, always: bool
) -> tuple[Sequence[Record], str | None]:
    """A part of the records, and the cursor of what follows; with `always` the last page has one as well."""
    cursors = {cursor_at(at): at for at in range(1, len(found) + 1)}
    cursor = asked.get("cursor")
    if cursor and cursor not in cursors:
        raise Refusal(400, "invalid cursor")
    start = cursors[cursor] if cursor else 0
    part = found[start : start + count]
    end = start + len(part)
    return part, cursor_at(end) if part and (always or end < len(found)) else None


def cursor_at(place: int) -> str:
    """The cursor of the page that begins at a place."""
    return base64.urlsafe_b64encode(f"after:{place}".encode()).decode()


def words(status: int, message: str) -> bytes:
    """The body of an error, in Neon's form."""
    return json.dumps(
        {"request_id": "2d9ce23b-0000-4000-8000-7e0d5b1f9a30", "code": "", "message": message}
    ).encode()


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
