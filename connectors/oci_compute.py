"""Compute instances, with what their shapes are made of and the addresses of their first network card.

An instance tells its shape and mostly what that is made of (`shapeConfig`); where it does not, the shapes of
the region are asked for and remembered. An address stands at a VNIC, of which an instance names none: the
attachments of a compartment do, and each VNIC is asked for once in a while. One OCPU is two vCPUs, but one of
the first Arm shapes. What an image costs beside the shape follows from its operating system: each image is
asked for once. Source: the Core Services API reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cloudtop import gpus
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors import oci_billing
from connectors.oci_base import EXTRA_RETRIES, Compartment, Oracle
from connectors.oci_rows import common
from connectors.rows import Record, inner, told

ADDRESSES_S = 600.0
"""How long the addresses of a VNIC count as known: they are asked for one by one."""
ADDRESSED = frozenset(
    {"RUNNING", "STARTING", "STOPPING", "STOPPED", "PROVISIONING", "CREATING_IMAGE", "MOVING"}
)
VCPUS_PER_OCPU = 2


class Vnic(NamedTuple):
    """The addresses of a network card."""

    private_ip: str | None
    public_ip: str | None
    read_at: float
    primary: bool = True


class Compute(Oracle):
    """Instances of every compartment."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._shapes: dict[str, dict[str, Record]] = {}
        self._vnics: dict[str, Vnic] = {}
        self._systems: dict[str, str] = {}

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Compute instances, the terminated of the last hours among them."""

        async def ask(part: Compartment) -> tuple[list[Record], Mapping[str, Vnic]]:
            found = await self.every(scope, "compute", "list_instances", compartment_id=part.id)
            some = any(one.get("lifecycleState", "RUNNING") in ADDRESSED for one in found)
            vnics = await self._addresses(scope, part) if some else {}
            return found, vnics

        answers = await self.everywhere(scope, ask)
        found = [(part, answer and answer[0]) for part, answer in answers]
        vnics = {owner: card for _, answer in answers if answer for owner, card in answer[1].items()}
        every = [one for _, records in found for one in records or ()]
        shapes, _ = await asyncio.gather(self._made(scope, every), self._imaged(scope, every))

        def row(one: Record) -> Resource | None:
            return instance(one, shapes, vnics, self._systems.get(oci_billing.image_of(one) or ""))

        for rows in self.rows(scope, found, row, "instance"):
            yield rows

    async def _made(self, scope: Scope, instances: Sequence[Record]) -> Mapping[str, Record]:
        """The shapes of a region by name, where some instance does not tell what its own is made of."""
        lacking = {str(one.get("shape")) for one in instances if one.get("shape") and not told_parts(one)}
        known = self._shapes.setdefault(f"{scope.account} {scope.region}", {})
        if lacking - known.keys():
            tenancy = (await self.identity(scope)).tenancy
            asked = self.every(scope, "compute", "list_shapes", EXTRA_RETRIES, compartment_id=tenancy)
            found = await self.beside(scope, "What some shapes are made of is", asked)
            known |= {str(one["shape"]): one for one in found or () if one.get("shape")}
        return known

    async def _imaged(self, scope: Scope, instances: Sequence[Record]) -> None:
        """Learn the operating systems of the images that are paid for."""
        images = {image for one in instances if (image := oci_billing.image_of(one))}

        async def ask(image: str) -> None:
            asked = self.call(scope, "compute", "get_image", {"image_id": image}, EXTRA_RETRIES)
            answer = await self.beside(scope, "What some instances cost is", asked)
            if answer is not None and (system := inner(answer.data, "operatingSystem")):
                self._systems[image] = str(system)

        await self.each(sorted(images - self._systems.keys()), ask)

    async def _addresses(self, scope: Scope, part: Compartment) -> Mapping[str, Vnic]:
        """The addresses of the instances of a compartment, by instance: those of the primary VNIC of each."""
        asked = self.every(scope, "compute", "list_vnic_attachments", EXTRA_RETRIES, compartment_id=part.id)
        attached = await self.beside(scope, "Addresses of some instances are", asked) or ()
        cards: dict[str, list[str]] = {}
        for one in attached:
            if one.get("instanceId") and one.get("vnicId") and one.get("lifecycleState") == "ATTACHED":
                cards.setdefault(str(one["instanceId"]), []).append(str(one["vnicId"]))
        now = self.now().timestamp()
        every = [card for several in cards.values() for card in several]
        await self.each(
            [card for card in every if now - self._read_at(card) > ADDRESSES_S],
            lambda card: self._card(scope, card),
        )
        found = {
            owner: [self._vnics[card] for card in mine if card in self._vnics]
            for owner, mine in cards.items()
        }
        return {
            owner: next((one for one in mine if one.primary), mine[0])
            for owner, mine in found.items()
            if mine
        }

    def _read_at(self, card: str) -> float:
        return self._vnics[card].read_at if card in self._vnics else float("-inf")

    async def _card(self, scope: Scope, card: str) -> None:
        """Learn the addresses of a VNIC; one that is gone or may not be seen has none."""
        asked = self.call(scope, "network", "get_vnic", {"vnic_id": card}, EXTRA_RETRIES)
        answer = await self.beside(scope, "Addresses of some instances are", asked)
        if answer is not None and isinstance(answer.data, dict):
            told, at = answer.data, self.now().timestamp()
            primary = told.get("isPrimary") is not False
            self._vnics[card] = Vnic(told.get("privateIp"), told.get("publicIp"), at, primary)


def told_parts(one: Record) -> bool:
    """Whether an instance tells itself what its shape is made of."""
    return all(inner(one, "shapeConfig", name) for name in ("ocpus", "memoryInGBs"))


def instance(
    one: Record,
    shapes: Mapping[str, Record] = {},
    vnics: Mapping[str, Vnic] = {},
    system: str | None = None,
) -> Resource | None:
    """One instance; the row keeps what its shape is made of by itself, else by the region's shapes.

    `system`: the operating system of its image.
    """
    if not one.get("id"):
        return None
    kind = one.get("shape")
    made = {
        **shapes.get(str(kind), {}),
        **{name: value for name, value in (one.get("shapeConfig") or {}).items() if value is not None},
    }
    card = vnics.get(str(one["id"]))
    return Resource(
        type="instance",
        instance_type=kind,
        vcpus=positive(made.get("vcpus")) or vcpus(kind, positive(made.get("ocpus"))),
        ram_gib=positive(made.get("memoryInGBs")),
        public_ip=card.public_ip if card else None,
        private_ip=card.private_ip if card else None,
        spot=one.get("preemptibleInstanceConfig") is not None,
        gpus=tuple(carried(kind, made)),
        usd_per_hour=0.0 if oci_billing.free(one) else None,
        details=told(
            compartment_id=one.get("compartmentId"),
            fault_domain=one.get("faultDomain"),
            image_id=inner(one, "sourceDetails", "imageId") or one.get("imageId"),
            ocpus=positive(made.get("ocpus")),
            dedicated_host_id=one.get("dedicatedVmHostId"),
            capacity_reservation_id=one.get("capacityReservationId"),
            agent_off=inner(one, "agentConfig", "isMonitoringDisabled") or None,
            maintenance_due=one.get("timeMaintenanceRebootDue"),
            ai_enterprise=one.get("isAIEnterpriseEnabled") or None,
            **oci_billing.billed(one, made, system),
        ),
        **common(one),
    )


def vcpus(kind: str | None, ocpus: float | None) -> float | None:
    """The vCPUs of so many OCPUs of a shape."""
    if ocpus is None:
        return None
    return ocpus if ".A1." in str(kind) else ocpus * VCPUS_PER_OCPU


def carried(kind: str | None, made: Record) -> Iterable[Gpus]:
    """The GPUs of a shape as cloudtop knows them, else as Oracle describes them."""
    if known := gpus.instance_gpu("oci", str(kind)):
        yield Gpus(*known)
    elif count := positive(made.get("gpus")):
        described = str(made.get("gpuDescription") or "")
        found = gpus.identify("oci", described)
        yield Gpus(found.name or described or "unknown", count, found.memory_gib)
