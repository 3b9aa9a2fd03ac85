"""What a token may do of what cloudtop asks: found out by asking for the least of each.

A token's own policies may only be read by one that manages tokens, so each kind is asked for one record: 403
means that it is not allowed. `needs` in the facts name the permission that each takes; what a listing is only
enriched with is tried as well. Source: Cloudflare's API token permissions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from cloudtop.errors import Forbidden
from cloudtop.models import Health, Scope
from connectors.cloudflare_base import Ask, Edge

ANALYTICS, TAGS = "Account Analytics Read", "com.cloudflare.api.account.tag.list"
LEAST = (
    "query ($accountTag: string!) { viewer { accounts(filter: {accountTag: $accountTag}) { accountTag } } }"
)
TRIED: Mapping[str, Ask] = {
    "Workers Scripts Read": lambda sdk, account: sdk.workers.scripts.with_raw_response.list(
        account_id=account
    ),
    "Workers AI Read": lambda sdk, account: sdk.ai.models.with_raw_response.list(
        account_id=account, per_page=1
    ),
    "Workers R2 Storage Read": lambda sdk, account: sdk.r2.buckets.with_raw_response.list(
        account_id=account, per_page=1
    ),
    "D1 Read": lambda sdk, account: sdk.d1.database.with_raw_response.list(account_id=account, per_page=10),
    "Workers KV Storage Read": lambda sdk, account: sdk.kv.namespaces.with_raw_response.list(
        account_id=account, per_page=5
    ),
    "Zone Read": lambda sdk, account: sdk.zones.with_raw_response.list(account={"id": account}, per_page=5),
    "Cloudflare Pages Read": lambda sdk, account: sdk.pages.projects.with_raw_response.list(
        account_id=account, per_page=1
    ),
    "Queues Read": lambda sdk, account: sdk.queues.with_raw_response.list(account_id=account),
    TAGS: lambda sdk, account: sdk.resource_tagging.with_raw_response.list(account_id=account),
}
"""The shortest call that a permission takes."""


class Permissions(Edge):
    """What the token of an account is allowed."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, and which permissions are missing."""
        actions = [*TRIED, ANALYTICS]
        answers = await self.each(actions, lambda action: self._may(scope, action))
        allowed = dict(zip(actions, answers, strict=True))
        yield [self.permitted(scope, kind, needed, allowed) for kind, needed in self.facts.needs.items()]

    async def _may(self, scope: Scope, action: str) -> bool | None:
        asked: Any = self.graphql(scope, LEAST) if action == ANALYTICS else self.call(scope, TRIED[action])
        try:
            await asked
        except Forbidden:
            return False
        return True
