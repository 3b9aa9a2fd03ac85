"""What an identity may do of what cloudtop asks: Google says which of given permissions it has.

Asking takes no permission. What an organisation's own deny policies forbid is counted in; whether an API is
switched on is not. Source: the Resource Manager API v3, projects.testIamPermissions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cloudtop.models import Health, Scope
from connectors.gcp_base import Google

TESTED = "/v3/projects/{project}:testIamPermissions"
AT_ONCE = 100
"""Permissions that one call tells of."""


class Permissions(Google):
    """What the credentials of an account are allowed."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, and which permissions are missing."""
        actions = sorted({action for needed in self.facts.needs.values() for action in needed})
        held: set[str] = set()
        for at in range(0, len(actions), AT_ONCE):
            held.update(await self.tested(scope, actions[at : at + AT_ONCE]))
        allowed: dict[str, bool | None] = {action: action in held for action in actions}
        yield [self.permitted(scope, kind, needed, allowed) for kind, needed in self.facts.needs.items()]

    async def tested(self, scope: Scope, actions: Sequence[str]) -> list[str]:
        """Those of these permissions that the identity has on the project."""
        asked = {"permissions": list(actions)}
        answer: Any = await self.rest(scope, "projects", TESTED, method="POST", body=asked)
        # An identity without any is told an empty object.
        return [str(one) for one in answer.get("permissions") or ()]
