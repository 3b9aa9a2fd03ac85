"""Cloudflare: what an account has on its edge, and what the analytics measured of it.

A key is an API token, a user's or one that an account owns; the account is `CLOUDFLARE_ACCOUNT_ID`, or the
only one that the token sees. Lists are asked through Cloudflare's SDK, the analytics as GraphQL. Tags are
those of the account's resource tagging; Cloudflare prices nothing by the thing, so no cost is told.

A bucket in a jurisdiction other than the default is called as in the analytics: `eu_` and its name. Sizes of
buckets and KV namespaces are the newest of the analytics. The latency of a database is the median of a step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.errors import Unauthorized
from cloudtop.models import Health, Scope
from connectors import cloudflare_listings, cloudflare_metrics, cloudflare_permissions
from connectors.cloudflare_errors import UNKNOWN_TOKEN
from connectors.rows import inner


class Cloudflare(
    cloudflare_listings.Listings,
    cloudflare_metrics.Metrics,
    cloudflare_permissions.Permissions,
):
    """Everything that cloudtop asks of Cloudflare."""

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the token is accepted, whoever owns it, and until when it holds."""
        yield await self.probe(scope, self._token(scope), None)

    async def _token(self, scope: Scope) -> str:
        owner = "a user"
        door = await self.sdk()
        try:
            answer = await door.call(scope.account, lambda sdk: sdk.user.tokens.with_raw_response.verify())
        except Unauthorized as error:
            if UNKNOWN_TOKEN not in error.message:
                raise
            owner = "the account"
            answer = await self.call(
                scope, lambda sdk, account: sdk.accounts.tokens.with_raw_response.verify(account_id=account)
            )
        told = inner(answer, "result")
        status, until = inner(told, "status"), inner(told, "expires_on")
        if status in ("disabled", "expired"):
            message = f"{self.facts.title} accepts the token no more: it is {status}."
            raise Unauthorized(message, "Make a new one, and set CLOUDFLARE_API_TOKEN to it.")
        ends = f", which ends {str(until)[:10]}" if until else ""
        return f"The key is accepted: a token of {owner}{ends}."
