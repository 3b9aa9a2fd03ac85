"""What a key may do of what cloudtop asks: Neon has no list of it, so each call is tried once.

What is within a project is tried in the first one, what is within a branch in its first. Where there is none
nothing can be tried, and it is not known. A history of consumption takes a paid plan besides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cloudtop.errors import Forbidden
from cloudtop.models import Health, Scope, iso
from connectors.neon_base import Asking
from connectors.rows import Record, each, inner

CONSUMPTION = "/consumption_history/v2/projects"


class Permissions(Asking):
    """What the credentials of an account are allowed."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, and which calls are refused."""
        names = await self._names(scope)
        calls = {one for needed in self.facts.needs.values() for one in needed}
        allowed = {one: await self._tried(scope, one, names) for one in sorted(calls)}
        yield [self._row(scope, kind, needed, allowed) for kind, needed in self.facts.needs.items()]

    async def _names(self, scope: Scope) -> dict[str, str]:
        """What calls can be tried on: an organization, a project and a branch."""
        names: dict[str, str] = {}
        for organization in await self.organizations(scope):
            names = {"organization": organization}
            project = await self._first(scope, "/projects", "projects", org_id=organization)
            if project is None:
                continue
            names["project"] = project
            branch = await self._first(scope, f"/projects/{project}/branches", "branches")
            return names | ({"branch": branch} if branch else {})
        return names

    async def _first(self, scope: Scope, path: str, name: str, **about: Any) -> str | None:
        """The id of the first record of a list; None where there is none, or it may not be read."""
        try:
            answer = await self.call(scope, path, "try what is allowed", limit=1, **about)
        except Forbidden:
            return None
        found: list[Record] = each(answer, name)
        identity = inner(found[0], "id") if found else None
        return str(identity) if identity else None

    async def _tried(self, scope: Scope, call: str, names: Mapping[str, str]) -> bool | None:
        path = call.partition(" ")[2]
        try:
            path = path.format(**names)
        except KeyError:
            return None
        about: dict[str, Any] = {}
        if path == "/projects":
            about = {"org_id": names.get("organization"), "limit": 1}
        elif path == CONSUMPTION:
            now = self.now()
            about = {
                "from": iso(now - timedelta(hours=2)),
                "to": iso(now),
                "granularity": "hourly",
                "org_id": names.get("organization"),
                "metrics": "compute_unit_seconds",
                "limit": 1,
            }
        try:
            await self.call(scope, path, "try what is allowed", **about)
        except Forbidden:
            return False
        return True

    def _row(
        self, scope: Scope, kind: str, needed: Sequence[str], allowed: Mapping[str, bool | None]
    ) -> Health:
        found = self.permitted(scope, kind, needed, allowed)
        refused = [one for one in needed if allowed.get(one) is False]
        if not refused or not all(one.endswith(CONSUMPTION) for one in refused):
            return found
        message = f"Not allowed: {', '.join(refused)}. A history of consumption takes a paid plan."
        about = (scope.provider, scope.account, kind, "permissions", False, "degraded", message)
        return Health(*about, latency_ms=None, checked_at=self.now())
