"""Compute Engine: instances with what their machine types are made of.

An instance names its machine type and its zone; what the type is made of is asked for once. GPUs are
attached (`guestAccelerators`) or part of the type; where both are told they are the same. A stopped
instance is TERMINATED here. Source: the Compute Engine API, revision of November 2026.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, NamedTuple

from cloudtop import gpus
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import gib_from_mib, positive
from connectors import gcp_billing
from connectors.gcp_base import EXTRA_RETRIES, Google
from connectors.gcp_rows import labels, last, moment, raw
from connectors.rows import Record, each, inner, told

STATES = {
    "PENDING": "starting",
    "PROVISIONING": "starting",
    "STAGING": "starting",
    "RUNNING": "running",
    "REPAIRING": "failed",
    "PENDING_STOP": "stopping",
    "STOPPING": "stopping",
    "SUSPENDING": "stopping",
    "DEPROVISIONING": "stopping",
    "SUSPENDED": "stopped",
    "STOPPED": "stopped",
    "TERMINATED": "stopped",
}
BROKEN = "It met an error inside Google and is being repaired."


class Made(NamedTuple):
    """What a machine type is made of."""

    vcpus: float | None = None
    ram_gib: float | None = None
    gpus: tuple[Gpus, ...] = ()


class Compute(Google):
    """Instances of Compute Engine."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._types: dict[str, Made] = {}

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Instances of all zones, the stopped among them."""
        nameless = 0
        async for page in self.aggregated(scope, "InstancesClient", "instances"):
            named = [one for one in page if one.get("id")]
            nameless += len(page) - len(named)
            made = await self._made(scope, named)
            yield self.wanted(scope, [instance(one, made) for one in named])
        self.nameless(scope, nameless, "instance")

    async def _made(self, scope: Scope, page: Iterable[Record]) -> Mapping[str, Made]:
        """What the types of these instances are made of; a type is the same in every zone."""
        where = {
            kind: zone for one in page if (kind := last(one.get("machineType"))) and (zone := zone_of(one))
        }
        new = [(kind, zone) for kind, zone in sorted(where.items()) if kind not in self._types]
        for kind, answer in await self.each(new, lambda one: self._asked_type(scope, *one)):
            if answer is not None:
                self._types[kind] = made_of(kind, answer)
        return self._types

    async def _asked_type(self, scope: Scope, kind: str, zone: str) -> tuple[str, Record | None]:
        asked = self.compute(
            scope, "MachineTypesClient", "get", retries=EXTRA_RETRIES, zone=zone, machine_type=kind
        )
        return kind, await self.beside(scope, "What some machine types are made of is", asked)


def zone_of(one: Record) -> str | None:
    """The zone of an instance; the URL of its machine type names it too."""
    if one.get("zone"):
        return last(one["zone"])
    parts = str(one.get("machineType") or "").split("/")
    return parts[-3] if len(parts) > 3 and parts[-4] == "zones" else None


def instance(one: Record, types: Mapping[str, Made]) -> Resource:
    """One instance."""
    kind, zone = last(one.get("machineType")), zone_of(one)
    made = types.get(kind or "") or Made(gpus=carried(kind or ""))
    network = next(iter(each(one, "networkInterfaces")), {})
    outside = next(iter(each(network, "accessConfigs")), {})
    scheduling = one.get("scheduling") or {}
    boot = next((disk for disk in each(one, "disks") if disk.get("boot")), {})
    return Resource(
        id=str(one["id"]),
        type="instance",
        name=one.get("name"),
        status=STATES.get(str(one.get("status")), "unknown"),
        status_raw=one.get("status"),
        region=zone.rpartition("-")[0] if zone else None,
        zone=zone,
        tags=labels(one),
        created_at=moment(one.get("creationTimestamp")),
        instance_type=kind,
        vcpus=made.vcpus,
        ram_gib=made.ram_gib,
        public_ip=outside.get("natIP"),
        private_ip=network.get("networkIP"),
        spot=spot(scheduling),
        usd_per_hour=0.0 if one.get("status") in gcp_billing.STOPPED else None,
        gpus=made.gpus if carried(kind or "") else attached(one) or made.gpus,
        health="failing" if one.get("status") == "REPAIRING" else None,
        health_message=one.get("statusMessage") or BROKEN if one.get("status") == "REPAIRING" else None,
        details=told(
            network=last(network.get("network")),
            subnetwork=last(network.get("subnetwork")),
            network_tags=list(inner(one, "tags", "items") or ()),
            cpu_platform=one.get("cpuPlatform"),
            boot_disk=last(boot.get("source")),
            image_licenses=[last(url) for url in boot.get("licenses") or ()],
            started_at=one.get("lastStartTimestamp"),
            stopped_at=one.get("lastStopTimestamp"),
            why=one.get("statusMessage"),
            deletion_protection=one.get("deletionProtection"),
            description=one.get("description"),
            priced_as=gcp_billing.priced_as(one, kind, made.vcpus, made.ram_gib, spot(scheduling)),
            priced_apart=gcp_billing.priced_apart(one),
        ),
        raw=raw(one),
    )


def spot(scheduling: Record) -> bool | None:
    """Whether a machine is one that Google may take away; None where it does not say how it is scheduled."""
    if not scheduling:
        return None
    return scheduling.get("provisioningModel") == "SPOT" or scheduling.get("preemptible") is True


def made_of(kind: str, one: Record) -> Made:
    """What the record of a machine type says."""
    within = (
        accelerator(part.get("guestAcceleratorType"), part.get("guestAcceleratorCount"))
        for part in each(one, "accelerators")
    )
    return Made(
        positive(one.get("guestCpus")),
        gib_from_mib(positive(one.get("memoryMb"))),
        carried(kind) or tuple(filter(None, within)),
    )


def attached(one: Record) -> tuple[Gpus, ...]:
    """The GPUs that an instance says it has."""
    every = (
        accelerator(part.get("acceleratorType"), part.get("acceleratorCount"))
        for part in each(one, "guestAccelerators")
    )
    return tuple(filter(None, every))


def carried(kind: str) -> tuple[Gpus, ...]:
    """The GPUs of a machine type as cloudtop knows them, shares of one too."""
    known = gpus.instance_gpu("gcp", kind)
    return (Gpus(*known),) if known else ()


def accelerator(name: Any, count: Any) -> Gpus | None:
    """GPUs by Google's name of them; a workstation's licence (-vws) makes no other GPU."""
    kind = (last(name) or "").removesuffix("-vws")
    if not kind:
        return None
    known = gpus.identify("gcp", kind)
    return Gpus(known.name or kind, positive(count) or 1.0, known.memory_gib)
