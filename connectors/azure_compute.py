"""Virtual machines, through azure-mgmt-compute.

The list of machines says neither whether one runs nor what its addresses are: the first is told by a second
list (`statusOnly`), the others by those of network interfaces and public addresses. What a size is made of is
told by the SKUs of a region, several megabytes that are read once. Nothing there says which GPU a size has:
that is known by its name. A machine that is `stopped` is paid for like one that runs, one that is
`deallocated` is not; what one with a licence costs the price of its size does not say.
Source: the REST API of Microsoft.Compute, 2026-04-01.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cloudtop import gpus
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.azure_base import Microsoft, by_id, named
from connectors.azure_prices import identified
from connectors.azure_rows import after, common, created, group, places, prop, region, text
from connectors.rows import Record, each, inner, told

NETWORK = "2025-05-01"
INTERFACES = "Microsoft.Network/networkInterfaces"
ADDRESSES = "Microsoft.Network/publicIPAddresses"
SETS, FLEXIBLE = "virtualMachineScaleSets", "Flexible"
"""The machines of a flexible set are listed like all others."""
POWER, DONE = "PowerState/", "ProvisioningState/"
STATES = {
    "running": "running",
    "starting": "starting",
    "creating": "starting",
    "updating": "running",
    "stopping": "stopping",
    "deallocating": "stopping",
    "deleting": "stopping",
    "stopped": "stopped",
    "deallocated": "stopped",
    "hibernated": "stopped",
    "failed": "failed",
}


FREE = ("deallocated", "hibernated")
"""States in which Azure charges nothing for the machine itself (Virtual Machines, states and billing)."""
COMING_AND_GOING = ("Creating", "Deleting")


class Made(NamedTuple):
    """What a size is made of; `gpus` is how many it has, of which model is known elsewhere."""

    vcpus: float | None = None
    ram_gib: float | None = None
    gpus: float | None = None


@dataclass(slots=True)
class Beside:
    """What other lists say: of machines by their ids in lower case, of sizes by region and name."""

    states: Mapping[str, Record] = field(default_factory=dict)
    interfaces: Mapping[str, Record] = field(default_factory=dict)
    addresses: Mapping[str, Record] = field(default_factory=dict)
    sizes: Mapping[tuple[str, str], Made] = field(default_factory=dict)


class Compute(Microsoft):
    """What computes."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._sizes: dict[tuple[str, str], dict[str, Made]] = {}

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Virtual machines; those of uniform scale sets are in no list but their own."""
        beside = Beside()

        async def pages(subscription: str) -> AsyncIterator[Sequence[Record]]:
            known = False
            async for page in self.of_sdk(scope, subscription, lambda one: one.virtual_machines.list_all()):
                if page and not known:
                    known = True
                    await self._beside(scope, subscription, beside)
                wanted = {(region(one) or "", size_of(one)) for one in page}
                beside.sizes = await self._made(scope, subscription, wanted)
                yield page

        async for rows in self.rows(scope, pages, lambda one: instance(one, beside), "virtual machine"):
            yield rows

    async def scale_set_instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """The machines of uniform scale sets, set by set: the nodes of Kubernetes are such."""
        beside = Beside()

        async def pages(subscription: str) -> AsyncIterator[Sequence[Record]]:
            async def inside(one: Record) -> list[Record]:
                return await self._members(scope, subscription, one)

            sets = self.of_sdk(scope, subscription, lambda one: one.virtual_machine_scale_sets.list_all())
            async for page in sets:
                uniform = [
                    one for one in page if one.get("id") and prop(one, "orchestrationMode") != FLEXIBLE
                ]
                for members in await self.each(uniform, inside):
                    wanted = {(region(one) or "", size_of(one)) for one in members}
                    beside.sizes = await self._made(scope, subscription, wanted)
                    yield members

        async for rows in self.rows(scope, pages, lambda one: instance(one, beside), "virtual machine"):
            yield rows

    async def _members(self, scope: Scope, subscription: str, whole: Record) -> list[Record]:
        """The machines of a scale set, which says for all of them whether they are spot."""
        where = group(str(whole["id"])) or "", str(whole["id"]).rpartition("/")[2]
        pages = self.of_sdk(
            scope,
            subscription,
            lambda one: one.virtual_machine_scale_set_vms.list(*where, expand="instanceView"),
        )
        priority = prop(whole, "virtualMachineProfile", "priority")
        return [
            {**one, "properties": {**(one.get("properties") or {}), "priority": priority}}
            async for page in pages
            for one in page
        ]

    async def _beside(self, scope: Scope, subscription: str, beside: Beside) -> None:
        """Read which machines run and which addresses they have."""

        def held(kind: str) -> Awaitable[list[Record] | None]:
            path = f"/subscriptions/{subscription}/providers/{kind}"
            return self.beside(scope, "Addresses of machines are", self.whole(scope, path, NETWORK))

        def states() -> Awaitable[list[Record] | None]:
            return self.beside(scope, "Which machines run is", self._states(scope, subscription))

        asks = (states(), held(INTERFACES), held(ADDRESSES))
        # All three are on their way before the first can fail; none is left behind.
        found = await asyncio.gather(*asks, return_exceptions=True)
        for failed in found:
            if isinstance(failed, BaseException):
                raise failed
        lists = [by_id(one) if isinstance(one, list) else {} for one in found]
        beside.states, beside.interfaces, beside.addresses = lists

    async def _states(self, scope: Scope, subscription: str) -> list[Record]:
        pages = self.of_sdk(
            scope, subscription, lambda one: one.virtual_machines.list_all(status_only="true")
        )
        return [one async for page in pages for one in page]

    async def _made(
        self, scope: Scope, subscription: str, wanted: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Made]:
        """What sizes are made of, asked once for each region that has machines."""
        regions = sorted({place for place, _ in wanted if place})
        new = [one for one in regions if (subscription, one) not in self._sizes]
        await self.each(new, lambda one: self._read_sizes(scope, subscription, one))
        return {
            (place, size): made
            for place in regions
            for size, made in self._sizes.get((subscription, place), {}).items()
        }

    async def _read_sizes(self, scope: Scope, subscription: str, place: str) -> None:
        async def read() -> dict[str, Made]:
            found: dict[str, Made] = {}
            condition = f"location eq '{place}'"
            pages = self.of_sdk(scope, subscription, lambda one: one.resource_skus.list(filter=condition))
            async for page in pages:
                found |= {one["name"]: made_of(one) for one in page if is_size(one)}
            return found

        made = await self.beside(scope, "What sizes are made of is", read())
        if made is not None:
            self._sizes[subscription, place] = made


def is_size(sku: Record) -> bool:
    """Whether a SKU is a size of virtual machines."""
    return bool(sku.get("name")) and sku.get("resourceType") in (None, "virtualMachines")


def made_of(sku: Record) -> Made:
    """What a SKU says; of a size with fewer cores than it is paid for, those that it has."""
    able = {one.get("name"): one.get("value") for one in each(sku, "capabilities")}
    cores = positive(able.get("vCPUsAvailable")) or positive(able.get("vCPUs"))
    return Made(cores, positive(able.get("MemoryGB")), positive(able.get("GPUs")))


def gpus_of(size: str, made: Made) -> tuple[Gpus, ...]:
    """The GPUs of a size: as cloudtop knows them, else as many as Azure says of what the name holds."""
    known = gpus.instance_gpu("azure", size)
    if known is not None:
        return (Gpus(*known),)
    if not made.gpus:
        return ()
    found = identified(size)
    return (Gpus(found.name or "unknown", made.gpus, found.memory_gib),)


def instance(one: Record, beside: Beside) -> Resource | None:
    """One virtual machine, with what other lists say of it."""
    size = size_of(one)
    said = statuses(beside.states.get(str(one["id"]).lower()) or {}) or statuses(one)
    # Of one that Azure makes or removes this minute its last change says enough, else nothing.
    doing = text(prop(one, "provisioningState"))
    word = said.get(POWER) or said.get(DONE) or (doing if doing in COMING_AND_GOING else None)
    made = beside.sizes.get((region(one) or "", size)) or Made()
    private, public, subnet = addresses_of(one, beside)
    return Resource(
        **common(one)
        | {
            "type": "instance",
            "status": STATES.get((word or "").lower(), "unknown"),
            "status_raw": word,
            "created_at": created(one, "timeCreated"),
            "usd_per_hour": 0.0 if word in FREE else None,
            "instance_type": size or None,
            "vcpus": made.vcpus,
            "ram_gib": made.ram_gib,
            "gpus": gpus_of(size, made),
            "private_ip": private,
            "public_ip": public,
            "spot": prop(one, "priority") in ("Spot", "Low"),
            **sickness(one, said),
        },
        details=told(
            **places(one),
            vm_id=prop(one, "vmId"),
            computer_name=prop(one, "osProfile", "computerName"),
            platform=prop(one, "storageProfile", "osDisk", "osType"),
            image=image_name(prop(one, "storageProfile", "imageReference")),
            subnet_id=subnet,
            scale_set=text(prop(one, "virtualMachineScaleSet", "id")) or after(str(one["id"]), SETS),
            license=prop(one, "licenseType"),
            paid_while_stopped=True if word == "stopped" else None,
            priced_apart=priced_apart(one),
        ),
    )


def priced_apart(one: Record) -> str | None:
    """Why what its size costs, which is that of Linux on shared hardware, is not its price."""
    license = str(prop(one, "licenseType") or "")
    if prop(one, "storageProfile", "osDisk", "osType") == "Windows" and not license.startswith("Windows_"):
        return "Windows"
    image = [
        text(prop(one, "storageProfile", "imageReference", name)) or "" for name in ("publisher", "offer")
    ]
    if image[0].lower() == "redhat" and "byos" not in f"{image[1]} {license}".lower():
        return "Red Hat Enterprise Linux"
    if text(inner(one, "plan", "product")):
        return f"plan {inner(one, 'plan', 'product')}"
    return "dedicated host" if prop(one, "host", "id") else None


def addresses_of(one: Record, beside: Beside) -> tuple[str | None, str | None, str | None]:
    """The first private and public address of a machine, and its first subnet, by its interfaces."""
    interfaces = (
        beside.interfaces.get(named(to))
        for to in each(one, "properties", "networkProfile", "networkInterfaces")
    )
    own = [part for held in interfaces if held for part in each(held, "properties", "ipConfigurations")]
    public = (beside.addresses.get(named(prop(part, "publicIPAddress"))) for part in own)
    return (
        next(filter(None, (text(prop(part, "privateIPAddress")) for part in own)), None),
        next(filter(None, (text(prop(held, "ipAddress")) for held in public if held)), None),
        next(filter(None, (text(prop(part, "subnet", "id")) for part in own)), None),
    )


def size_of(one: Record) -> str:
    """The size of a machine; one of a scale set tells it as its SKU."""
    return text(prop(one, "hardwareProfile", "vmSize")) or text(inner(one, "sku", "name")) or ""


def statuses(one: Record) -> dict[str, str]:
    """How a machine is by its instance view: `PowerState/` and `ProvisioningState/` to the word after it."""
    codes = [str(said.get("code") or "") for said in each(one, "properties", "instanceView", "statuses")]
    return {begin: code.split("/")[1] for code in codes for begin in (POWER, DONE) if code.startswith(begin)}


def sickness(one: Record, said: Mapping[str, str]) -> dict[str, str]:
    """Health, where the last change of a machine failed."""
    failed = prop(one, "provisioningState") == "Failed" or said.get(DONE) == "failed"
    return {"health": "failing", "health_message": "Its last change failed."} if failed else {}


def image_name(reference: Any) -> str | None:
    """What a machine was made of: publisher:offer:sku, or the id of an image."""
    parts = [text(inner(reference, name)) for name in ("publisher", "offer", "sku")]
    return ":".join(one for one in parts if one) or text(inner(reference, "id"))
