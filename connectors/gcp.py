"""Google Cloud: what runs in a project, what it measures, and prices.

An account is a project. Compute Engine is asked through google-cloud-compute, every other API as REST.
Nearly every listing tells all regions at once. Labels are the tags here. An API that a project has not
switched on lists nothing, which is noted once; it is no lack of permission.

Credentials are an access token, or whatever Google's own tools find: a service account's key_file, gcloud's
application default credentials, a workload identity; the machine's own service account only with
`auth.method: service_account`. An API key is enough for prices alone. The project is `options.project_id`,
GOOGLE_CLOUD_PROJECT, the one that the credentials name, or the only one that the identity sees.

Prices: the Cloud Billing Catalog lists SKUs, not machines: cores per hour, GiB of memory per hour, GPUs per
hour, local SSD per GiB and month, each for some regions, on demand and spot apart. No field says which SKUs
a machine type is billed by, only the wording does, so machines are made up of those whose whole wording is
known (`connectors/gcp_prices.py`).

What a machine of yours costs is made up in the same way, with an API key: E2, N1, N2, N2D, N4, C2, C2D, C3,
C3D, C4, T2D, T2A, A2, A3, A4, G2 and G4, custom types of N1, N2 and N2D, GPUs on N1, on demand or spot. Other
families, extended memory, licensed images, sole tenancy and Confidential VMs have no price here. Local SSD is
counted where it is part of a GPU type alone. Discounts for use or commitment are not counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.errors import NotEnabled
from cloudtop.models import Health, Scope
from connectors import (
    gcp_compute,
    gcp_containers,
    gcp_databases,
    gcp_metrics,
    gcp_network,
    gcp_permissions,
    gcp_prices,
    gcp_storage,
)


class Gcp(
    gcp_compute.Compute,
    gcp_containers.Containers,
    gcp_databases.Databases,
    gcp_storage.Storage,
    gcp_network.Network,
    gcp_metrics.Metrics,
    gcp_permissions.Permissions,
    gcp_prices.Offers,
):
    """Everything that cloudtop asks of Google."""

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the identity is accepted, or where there is only an API key, that."""
        if self.has_credentials(scope.account):
            yield await self.probe(scope, self._project(scope), None)
            return

        async def call() -> None:
            self.listed_skus(await self.skus(scope, 1))

        yield await self.probe(scope, call(), None)

    async def _project(self, scope: Scope) -> str:
        """Whether the project may be asked about itself, which takes no permission."""
        project, source = await self.project(scope.account), self.settings.source(scope.account)
        found = f" Found in {source}." if source and not self.has_keys(scope.account) else ""
        try:
            await self.tested(scope, ["resourcemanager.projects.get"])
        except NotEnabled:
            # Google says so only to those whom it knows.
            return f"The key is accepted: project {project}, whose Resource Manager API is off.{found}"
        return f"The key is accepted: project {project}.{found}"
