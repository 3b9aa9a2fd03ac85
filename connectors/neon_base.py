"""How Neon is listed: organizations, their projects page after page, and what is within a project.

An organization's key belongs to one organization; a person's sees every one of the person's. Projects go on
until a page is empty: the last one with projects still names a next. A project that Neon could not read in
time is named without its record, and is then asked for by itself. One that is deleted while it is read is no
more. Source: the Neon API v2.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cloudtop.errors import CloudError, Invalid, NotFound
from cloudtop.models import Scope
from connectors.base import Connector
from connectors.rows import Record, inner

ROOT = "/api/v2"
PAGE = 400
"""The most projects that one page may hold."""
BRANCHES = 1_000
KNOWN_FOR = timedelta(hours=1)
"""Nobody joins an organization every day."""


class Asking(Connector):
    """One account of Neon, asked through its API."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._known: dict[str, tuple[datetime, list[str]]] = {}

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """An error's code and message where an answer should be."""
        wrong = status < 300 and isinstance(answer, Mapping) and "code" in answer and "message" in answer
        return Invalid if wrong else None

    async def call(self, scope: Scope, path: str, operation: str | None = None, **params: Any) -> Any:
        """One answer; parameters that are None are left out."""
        endpoint = (self.settings.endpoint_of(scope.account) or "").rstrip("/")
        return await self.http.json(
            "GET",
            path if endpoint.endswith(ROOT) else f"{ROOT}{path}",
            params={name: value for name, value in params.items() if value is not None} or None,
            operation=operation or f"list {scope.kind}",
            account=scope.account,
        )

    async def organizations(self, scope: Scope) -> list[str]:
        """The ids of the organizations that are read: the configured one, else all that the key sees."""
        configured = self.settings.auth_of(scope.account).get("org_id")
        if own := self.http.key(scope.account, "org_id") or configured:
            return [str(own)]
        at, known = self._known.get(scope.account, (None, []))
        if at is None or self.now() - at > KNOWN_FOR:
            known = [str(one["id"]) for one in await self.seen(scope) if one.get("id")]
            if not known:
                message = f"The key of {scope.account} belongs to no organization of {self.facts.title}."
                raise NotFound(message, "Set NEON_ORG_ID, or take a key of the organization.")
            self._known[scope.account] = self.now(), known
        return known

    async def seen(self, scope: Scope) -> list[Record]:
        """The organizations of a key; of an organization's own key its id alone."""
        who = await self.call(scope, "/auth", "read whose key it is")
        if inner(who, "auth_method") == "api_key_org" and inner(who, "account_id"):
            return [{"id": who["account_id"]}]
        answer = await self.call(scope, "/users/me/organizations", "list organizations")
        return self.records(answer, "organizations")

    async def project_pages(self, scope: Scope, nameless: list[Record]) -> AsyncIterator[list[Record]]:
        """The projects of all organizations, page by page; those without an id go to `nameless`."""
        for organization in await self.organizations(scope):

            async def ask(cursor: str | None, org: str = organization) -> Any:
                return await self.call(scope, "/projects", org_id=org, limit=PAGE, cursor=cursor)

            async for answer in self.paged(ask, more_projects):
                found = self.records(answer, "projects")
                nameless += [one for one in found if not one.get("id")]
                late = inner(answer, "unavailable_project_ids")
                alone = await self.each(
                    late if isinstance(late, list) else (), lambda one: self.project(scope, one)
                )
                yield [
                    {"org_id": organization, **one}
                    for one in (*found, *(one for one in alone if one is not None))
                    if one.get("id")
                ]

    async def project(self, scope: Scope, identity: str) -> Record | None:
        """One project with its counters; None for one that is no more."""
        try:
            answer = await self.call(scope, f"/projects/{identity}", "read project")
        except NotFound:
            return None
        found = inner(answer, "project")
        return found if isinstance(found, Mapping) else None

    async def branches_of(self, scope: Scope, project: str) -> list[Record]:
        """The branches of a project, each with its `annotations`; none of a project that is no more."""

        async def ask(cursor: str | None) -> Any:
            asked = self.call(
                scope, f"/projects/{project}/branches", "list branches", limit=BRANCHES, cursor=cursor
            )
            return await self.there(scope, f"/projects/{project}", asked)

        found: list[Record] = []
        async for answer in self.paged(ask, lambda one: inner(one, "pagination", "next")):
            if answer is not None:
                notes = inner(answer, "annotations")
                told = notes if isinstance(notes, Mapping) else {}
                branches = self.records(answer, "branches")
                found += [
                    {**one, "annotations": inner(told, str(one.get("id")), "value")} for one in branches
                ]
        return found

    async def within(self, scope: Scope, owner: str, name: str) -> list[Record]:
        """A list within `owner` that is one answer; empty where that is no more."""
        answer = await self.there(scope, owner, self.call(scope, f"{owner}/{name}"))
        return self.records(answer, name) if answer is not None else []

    async def there(self, scope: Scope, owner: str, asked: Awaitable[Any]) -> Any:
        """An answer about what is within `owner`; None where that was deleted meanwhile."""
        try:
            return await asked
        except NotFound:
            try:
                await self.call(scope, owner, "see whether it is still there")
            except NotFound:
                return None
            raise


def more_projects(answer: Any) -> str | None:
    """What leads to the next page; one without any project, not even a late one, is the last."""
    cursor = inner(answer, "pagination", "cursor")
    some = inner(answer, "projects") or inner(answer, "unavailable_project_ids")
    return str(cursor) if cursor and some else None
