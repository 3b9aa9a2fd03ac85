"""Amazon Web Services through boto3: what runs in an account, what it measures, and prices.

Nearly everything belongs to a region, and is listed in each region that the account has switched on; buckets
and zones belong to none. Without permission to list the regions, those that everybody has are asked. Where a
listing tells no tags, the tagging API does, for all resources of a kind in a region at once.

The price list (no key) is one CSV for each region, hundreds of megabytes long; spot prices need a key. What
CloudWatch tells of a machine from outside is free of charge for AWS' own tools and costs a little for each
metric that is read through its API; memory, disks and GPUs it tells only where the CloudWatch agent runs.

Credentials are keys, or whatever AWS' own tools find: a profile of ~/.aws, a role, a container's role; the
role of the machine only with `auth.method: service_account`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cloudtop.errors import Invalid
from cloudtop.inventory import Division
from cloudtop.models import Health, Scope
from connectors import (
    aws_balancers,
    aws_compute,
    aws_containers,
    aws_databases,
    aws_functions,
    aws_metrics,
    aws_network,
    aws_permissions,
    aws_prices,
    aws_storage,
    aws_tables,
)
from connectors.aws_base import HOME


class Aws(
    aws_compute.Compute,
    aws_containers.Containers,
    aws_functions.Functions,
    aws_databases.Databases,
    aws_tables.Tables,
    aws_storage.Storage,
    aws_network.Network,
    aws_balancers.Balancers,
    aws_metrics.Metrics,
    aws_permissions.Permissions,
    aws_prices.Prices,
):
    """Everything that cloudtop asks of Amazon."""

    async def divisions(self, scope: Scope) -> AsyncIterator[list[Division]]:
        """The regions that the account has switched on."""
        answer = await self.call(scope, "ec2", "describe_regions", region=HOME)
        named = (one.get("RegionName") for one in self.records(answer, "Regions"))
        yield [Division(name) for name in named if name]

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the keys are accepted and whose they are; without any, whether the price list is there."""
        if self.has_credentials(scope.account):
            yield await self.probe(scope, self._identity(scope), None)
            return
        path = aws_prices.INDEX
        index = self.http.json("GET", path, operation="list regions", account=scope.account, keyed=False)
        yield await self.probe(scope, index, "No key is set. It works without a key: on-demand prices only.")

    async def _identity(self, scope: Scope) -> str:
        answer: Any = await self.call(scope, "sts", "get_caller_identity", region=HOME)
        if not answer.get("Account"):
            message = f"{self.facts.title} did not say whose key this is."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
        source = self.settings.source(scope.account)
        # Keys that are set come first; what else is there is not used.
        found = f" Found in {source}." if source and not self.has_keys(scope.account) else ""
        return f"The key is accepted: account {answer['Account']}, {answer.get('Arn')}.{found}"
