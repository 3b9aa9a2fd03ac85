"""What a key may do of what cloudtop asks, by the roles that it has in a subscription.

Resource Manager lists the permissions of whoever asks: of each role what it allows, and what of that it does
not. A role takes away only from itself. Names are compared whatever their case; a star stands for anything.
Roles that hold in a resource group alone are not among them: without one for the subscription nothing is
allowed here, and yet lists show what is in those groups. Source: the REST API of Microsoft.Authorization.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import lru_cache

from cloudtop.models import Health, Scope
from connectors.azure_base import Microsoft
from connectors.rows import Record

VERSION = "2022-04-01"
PERMISSIONS = "Microsoft.Authorization/permissions"


class Permissions(Microsoft):
    """What the credentials of an account are allowed."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, and which permissions are missing."""
        held = [
            await self.whole(scope, f"/subscriptions/{one}/providers/{PERMISSIONS}", VERSION)
            for one in await self.subscriptions(scope)
        ]
        actions = {action for needed in self.facts.needs.values() for action in needed}
        # Of several subscriptions the one where least is allowed counts.
        missing = {action for action in actions if not all(allows(roles, action) for roles in held)}
        yield [self._row(scope, kind, needed, missing) for kind, needed in self.facts.needs.items()]

    def _row(self, scope: Scope, kind: str, needed: Sequence[str], missing: set[str]) -> Health:
        lacking = [action for action in needed if action in missing]
        status, message = "healthy", f"Allowed: {', '.join(needed)}."
        if lacking:
            status = "failing" if needed[0] in missing else "degraded"
            message = f"Not allowed: {', '.join(lacking)}. The role Reader on the subscription has them."
        about = (scope.provider, scope.account, kind, "permissions", not lacking, status, message)
        return Health(*about, latency_ms=None, checked_at=self.now())


def allows(roles: Iterable[Record], action: str) -> bool:
    """Whether any role allows an action and does not except it itself."""
    return any(
        within(action, role.get("actions")) and not within(action, role.get("notActions")) for role in roles
    )


def within(action: str, patterns: object) -> bool:
    """Whether an action is among those that patterns stand for."""
    return isinstance(patterns, list) and any(
        isinstance(one, str) and pattern(one).fullmatch(action) for one in patterns
    )


@lru_cache(maxsize=1024)
def pattern(text: str) -> re.Pattern[str]:
    """`Microsoft.Compute/*/read` as an expression."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
