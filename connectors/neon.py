"""Neon: serverless Postgres, as projects with branches, computes and databases.

A key is an organization's or a person's; a person's reads every organization that it belongs to, or the one
named as `org_id`. A project that somebody shared belongs to its own organization and is read with a key of
that. Roles, passwords and addresses with passwords in them are never asked for.

A suspended compute is no outage: it starts with the next query. Neon tells no CPU and no memory of computes.
What it does tell are the sizes of projects and branches, counters of the billing period, and on a paid plan
what was consumed in every hour of the last week and every day of the last two months.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloudtop.errors import Forbidden
from cloudtop.inventory import Resource
from cloudtop.models import Health, Scope
from connectors import neon_metrics, neon_permissions, neon_rows
from connectors.rows import Record


class Neon(neon_metrics.Metrics, neon_permissions.Permissions):
    """Everything that cloudtop asks of Neon."""

    async def projects(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Projects of all organizations."""
        nameless: list[Record] = []
        async for page in self.project_pages(scope, nameless):
            yield [neon_rows.project(one) for one in page]
        self.nameless(scope, len(nameless), "project")

    async def branches(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Branches, project by project."""
        nameless: list[Record] = []
        async for page in self.project_pages(scope, []):
            held = await self.each(page, lambda of: self.branches_of(scope, str(of["id"])))
            for of, found in zip(page, held, strict=True):
                yield [neon_rows.branch(one, of) for one in named(found, nameless)]
        self.nameless(scope, len(nameless), "branch")

    async def computes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Computes, project by project."""
        nameless: list[Record] = []
        async for page in self.project_pages(scope, []):
            held = await self.each(page, lambda of: self.within(scope, f"/projects/{of['id']}", "endpoints"))
            for of, found in zip(page, held, strict=True):
                yield [neon_rows.compute(one, of) for one in named(found, nameless)]
        self.nameless(scope, len(nameless), "compute")

    async def databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Databases, branch by branch."""
        nameless = 0
        async for page in self.project_pages(scope, []):
            held = await self.each(page, lambda of: self.branches_of(scope, str(of["id"])))
            every = [(on, of) for of, found in zip(page, held, strict=True) for on in named(found, [])]
            lists = await self.each(
                every,
                lambda one: self.within(
                    scope, f"/projects/{one[1]['id']}/branches/{one[0]['id']}", "databases"
                ),
            )
            for (on, of), found in zip(every, lists, strict=True):
                rows = [neon_rows.database(one, on, of) for one in found]
                nameless += rows.count(None)
                yield [one for one in rows if one is not None]
        self.nameless(scope, nameless, "database")

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted, and which organizations it sees."""
        yield await self.probe(scope, self._seen(scope), None)

    async def _seen(self, scope: Scope) -> str:
        found = await self.seen(scope)
        own = len(found) == 1 and set(found[0]) == {"id"}
        if own:
            found = [await self._organization(scope, str(found[0]["id"]))]
        kind = "an organization's key" if own else "a person's key"
        words = [described(one) for one in found]
        return f"The key is accepted: {kind}, of {', '.join(words) or 'no organization'}."

    async def _organization(self, scope: Scope, identity: str) -> Record:
        """An organization; a key for one project may not read it, and is accepted all the same."""
        try:
            answer: Record = await self.call(scope, f"/organizations/{identity}", "read organization")
        except Forbidden:
            return {"id": identity}
        return answer


def named(records: Sequence[Record], nameless: list[Record]) -> list[Record]:
    """The records that have an id; the others go to `nameless`."""
    nameless += [one for one in records if not one.get("id")]
    return [one for one in records if one.get("id")]


def described(one: Record) -> str:
    """An organization in words, with its plan."""
    name = neon_rows.text(one.get("name")) or neon_rows.text(one.get("id")) or "an organization"
    plan = neon_rows.text(one.get("plan"))
    return f"{name} (plan {plan})" if plan else name
