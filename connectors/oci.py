"""Oracle Cloud through its SDK: what runs in a tenancy, what it measures, and prices.

Nearly everything belongs to a region and to a compartment: every compartment that the key may see is listed
in every region that the tenancy has subscribed to. Oracle does not tell what is not there from what one may
not see (404 NotAuthorizedOrNotFound): both are told as not allowed.

Credentials are a user's API key, or what Oracle's own tools find: a profile of ~/.oci/config; what a machine
or function is by itself only with `auth.method: service_account`.

Prices need no key: a list of parts, and a file that says which parts a shape is made of. They are the same in
every commercial region. A machine costs what its parts do, of a flexible shape its own OCPUs and memory; one
that is preemptible half. Those of Windows, of an image that is not known, burstable ones and those on
dedicated hosts have no price here. A stopped machine of a dense I/O, HPC or GPU shape goes on costing
(VM.GPU.A10 does not).

What the agent tells of a machine is free of charge; GPUs are told only where the monitoring of the HPC
plug-in runs, whose namespaces are the tenancy's own and are billed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.errors import Forbidden
from cloudtop.inventory import Division
from cloudtop.models import Health, Scope
from connectors import (
    oci_compute,
    oci_containers,
    oci_databases,
    oci_metrics,
    oci_network,
    oci_permissions,
    oci_prices,
    oci_storage,
)

HIDDEN = "NotAuthorizedOrNotFound"


class Oci(
    oci_compute.Compute,
    oci_containers.Containers,
    oci_databases.Databases,
    oci_storage.Storage,
    oci_network.Network,
    oci_metrics.Metrics,
    oci_permissions.Permissions,
    oci_prices.Prices,
):
    """Everything that cloudtop asks of Oracle."""

    async def divisions(self, scope: Scope) -> AsyncIterator[list[Division]]:
        """The regions that the tenancy has subscribed to."""
        tenancy = (await self.identity(scope)).tenancy
        answer = await self.call(scope, "identity", "list_region_subscriptions", {"tenancy_id": tenancy})
        ready = [one for one in self.listed_in(answer.data) if one.get("status", "READY") == "READY"]
        yield [Division(str(one["regionName"])) for one in ready if one.get("regionName")]

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted and whose it is; without any, whether the price list is there."""
        if self.has_credentials(scope.account):
            yield await self.probe(scope, self._whose(scope), None)
            return
        unlocked = "No key is set. It works without a key: prices only."
        yield await self.probe(scope, self.price_list(scope), unlocked)

    async def _whose(self, scope: Scope) -> str:
        who = await self.identity(scope)
        source = self.settings.source(scope.account)
        found = f" Found in {source}." if source and not self.has_keys(scope.account) else ""
        try:
            answer = await self.call(scope, "identity", "get_tenancy", {"tenancy_id": who.tenancy})
        except Forbidden as error:
            if HIDDEN not in error.message:
                raise
            return f"The key is accepted. It may not see the tenancy itself.{found}"
        tenancy = self.told(answer.data, "name")
        return f"The key is accepted: tenancy {tenancy['name']}, at home in {who.home}.{found}"
