"""What a key may do of what cloudtop asks: found out by asking for the least of each.

Oracle has no API that tells what a policy would decide, so each listing is asked for one record: of the
tenancy itself, which takes a policy for all of it, and where that is refused of some compartments. 404
NotAuthorizedOrNotFound means that one may not. The first permission that the facts name for a kind (`needs`)
is the one that is tried. Source: the IAM policy reference.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from cloudtop.errors import CloudError, Forbidden, Unauthorized
from cloudtop.models import Health, Scope
from connectors.oci_base import EXTRA_RETRIES, Compartment, Oracle

SOME = 8
"""So many compartments are tried where the tenancy itself refuses."""
TRIED: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "instances": ("compute", "list_instances", {}),
    "volumes": ("blockstorage", "list_volumes", {}),
    "boot_volumes": ("blockstorage", "list_boot_volumes", {}),
    "images": ("compute", "list_images", {}),
    "volume_backups": ("blockstorage", "list_volume_backups", {}),
    "boot_volume_backups": ("blockstorage", "list_boot_volume_backups", {}),
    "security_groups": ("network", "list_network_security_groups", {}),
    "vcns": ("network", "list_vcns", {}),
    "subnets": ("network", "list_subnets", {}),
    "public_ips": ("network", "list_public_ips", {"scope": "REGION"}),
    "load_balancers": ("load_balancer", "list_load_balancers", {}),
    "network_load_balancers": ("network_load_balancer", "list_network_load_balancers", {}),
    "clusters": ("container_engine", "list_clusters", {}),
    "container_instances": ("container_instances", "list_container_instances", {}),
    "functions": ("functions", "list_applications", {}),
    "autonomous_databases": ("autonomous", "list_autonomous_databases", {}),
    "db_systems": ("autonomous", "list_db_systems", {}),
    "mysql_systems": ("mysql", "list_db_systems", {}),
    "postgresql_systems": ("postgresql", "list_db_systems", {}),
    "metrics": ("monitoring", "list_metrics", {"list_metrics_details": {"groupBy": ["namespace"]}}),
}
"""The shortest call that a kind takes."""


class Permissions(Oracle):
    """What the credentials of an account are allowed."""

    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """One row for each kind of data: whether it may be read, everywhere or in some compartments."""
        parts = await self.compartments(scope)
        kinds = list(self.facts.needs)
        answers = await self.each(kinds, lambda kind: self._allowed(scope, kind, parts))
        yield [
            self._row(scope, kind, self.facts.needs[kind], answer)
            for kind, answer in zip(kinds, answers, strict=True)
        ]

    async def _allowed(self, scope: Scope, kind: str, parts: Sequence[Compartment]) -> int | None:
        """Compartments of those tried that allow a kind, -1 for all of the tenancy; None for not known."""
        whole, *others = parts
        answer = await self._may(scope, kind, whole)
        if answer is not False:
            return -1 if answer else None
        found = [await self._may(scope, kind, one) for one in others[:SOME]]
        return None if found and None in found and True not in found else found.count(True)

    async def _may(self, scope: Scope, kind: str, part: Compartment) -> bool | None:
        try:
            if kind == "divisions":
                about: dict[str, Any] = {"tenancy_id": (await self.identity(scope)).tenancy}
                await self.call(scope, "identity", "list_region_subscriptions", about, EXTRA_RETRIES)
            elif kind == "buckets":
                space = (await self.call(scope, "object_storage", "get_namespace", {}, EXTRA_RETRIES)).data
                about = {"namespace_name": space, "compartment_id": part.id, "limit": 1}
                await self.call(scope, "object_storage", "list_buckets", about, EXTRA_RETRIES)
            else:
                service, operation, more = TRIED[kind]
                about = {"compartment_id": part.id, "limit": 1, **more}
                await self.call(scope, service, operation, about, EXTRA_RETRIES)
        except Unauthorized:
            raise
        except Forbidden:
            return False
        except CloudError:
            return None
        return True

    def _row(self, scope: Scope, kind: str, needed: Sequence[str], allowed: int | None) -> Health:
        status, message = "healthy", f"Allowed: {needed[0]}."
        if allowed is None:
            status, message = "unknown", f"It could not be found out whether {needed[0]} is allowed."
        elif allowed == 0:
            status = "failing"
            message = f"Not allowed: {needed[0]}. Let a policy say: allow group … to {needed[0]} in tenancy."
        elif allowed > 0:
            message = f"Allowed: {needed[0]} in some compartments, not in the whole tenancy."
        if allowed and (more := needed[1:]):
            message += f" Not tried: {', '.join(more)}."
        healthy = None if status == "unknown" else status == "healthy"
        about = (scope.provider, scope.account, kind, "permissions", healthy, status, message)
        return Health(*about, latency_ms=None, checked_at=self.now())
