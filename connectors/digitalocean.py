"""DigitalOcean: what runs in its accounts, what it measures, and the prices of GPU Droplets.

A token belongs to one team and stands for all its regions; several teams are several accounts. Listings are
pages of 200 that are led on by `links.pages.next`, a full address. The plain list of Droplets leaves those
with GPUs out, so they are asked for apart. Tags are single texts: `env:prod` is read as env = prod. Spaces
are listed by the S3 API, to a key pair of their own; without one they are not asked, and that is said.
Monitoring tells of Droplets with its agent and of MySQL clusters; of GPUs it tells nothing.

Health asks for sizes first, which every token can that prices need; who the account is, what it owes and how
many requests are left is told where the token may know it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

from cloudtop.errors import CloudError
from cloudtop.models import Health, Scope
from cloudtop.units import number, usd
from connectors import (
    digitalocean_compute,
    digitalocean_metrics,
    digitalocean_network,
    digitalocean_permissions,
    digitalocean_platform,
    digitalocean_prices,
    digitalocean_spaces,
    digitalocean_storage,
)
from connectors.digitalocean_base import SIZES
from connectors.digitalocean_rows import text
from connectors.rows import inner

SCARCE = 0.05
"""The share of an hour's requests below which few are left."""


class DigitalOcean(
    digitalocean_compute.Compute,
    digitalocean_platform.Platform,
    digitalocean_storage.Storage,
    digitalocean_spaces.Spaces,
    digitalocean_network.Network,
    digitalocean_metrics.Metrics,
    digitalocean_permissions.Permissions,
    digitalocean_prices.Offers,
):
    """Everything that cloudtop asks of DigitalOcean."""

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the token may read sizes, whose it is, and what is left of its requests and money."""
        told: dict[str, str] = {}
        checks = await self.probe(scope, self._identity(scope, told), None)
        yield [*checks, await self._quota(scope, told)] if checks[0].healthy else checks

    async def _identity(self, scope: Scope, told: dict[str, str]) -> str:
        """Who is known, in words; the headers of the answer are kept in `told`."""
        first = f"{SIZES.path}?{urlencode(SIZES.first(1))}"
        answer = await self.http.answer("GET", first, operation="list sizes", account=scope.account)
        told.update(answer.headers)
        about = await self._known(scope, "/v2/account")
        team, state = text(inner(about, "account", "team", "name")), text(inner(about, "account", "status"))
        whose = f": team {team}" if team else ""
        return f"The key is accepted{whose}{'' if state in (None, 'active') else f' ({state})'}."

    async def _quota(self, scope: Scope, told: Mapping[str, str]) -> Health:
        """What is left of the requests of an hour, by the headers of an answer, and how the money stands."""
        left, most = (number(told.get(f"ratelimit-{name}")) for name in ("remaining", "limit"))
        scarce = left is not None and most is not None and left < SCARCE * most
        rate = "How many requests are left is not told."
        if left is not None and most is not None:
            rate = f"{left:,.0f} of {most:,.0f} requests of this hour are left."
        found = await self._known(scope, "/v2/customers/my/balance")
        used, owed = (usd(inner(found, name)) for name in ("month_to_date_usage", "account_balance"))
        money = "The balance is not known; a token needs billing:read for it."
        if used is not None and owed is not None:
            before = f"owed from before ${owed:,.2f}" if owed >= 0 else f"${-owed:,.2f} of credit"
            money = f"Used this month ${used:,.2f}, {before}."
        status = "degraded" if scarce else "healthy"
        about = (scope.provider, scope.account, self.facts.title, "quota", not scarce, status)
        return Health(*about, f"{rate} {money}", latency_ms=None, checked_at=self.now())

    async def _known(self, scope: Scope, path: str) -> Any:
        """Something that a token need not be allowed to know; None where it is not told."""
        try:
            return await self.http.json("GET", path, account=scope.account)
        except CloudError:
            # Whether the token works is known by then, and that is the question.
            return None
