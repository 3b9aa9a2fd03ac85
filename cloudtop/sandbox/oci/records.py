"""The fleet as Oracle's records: what each listing tells, and which of a record's fields are Oracle's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record

OURS = (
    "compartment",
    "private_ip",
    "public_ip",
    "attached",
    "gpus",
    "size",
    "objects",
    "subnet",
    "node_pools",
)
"""Keys of the file that are not Oracle's fields; README.md tells what they say."""
REFERENCE = re.compile(r"@(\w+)/(.+)")
SHORT = {
    "us-ashburn-1": "iad",
    "us-phoenix-1": "phx",
    "uk-london-1": "lhr",
    "eu-frankfurt-1": "eu-frankfurt-1",
}
"""How records of instances call the regions."""


def ocid(fleet: Fleet, one: Record) -> str:
    """What Oracle calls a record."""
    pattern = fleet.file["resources"][one.group].get("arn")
    own = {"id": one.id, "region": one.region or ""}
    return str(pattern).format(**own) if pattern else one.id


def compartment(fleet: Fleet, one: Record) -> str:
    """The OCID of the compartment that a record is in; without one it is in the tenancy itself."""
    name = one.own.get("compartment")
    if name is None:
        return str(fleet.accounts[one.account]["tenancy"])
    return next(ocid(fleet, part) for part in fleet.of("compartments", one.account) if part.id == name)


def iso(moment: datetime) -> str:
    """A time as Oracle writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def told(fleet: Fleet, one: Record) -> dict[str, Any]:
    """A record as Oracle tells it."""
    made: dict[str, Any] = {"id": ocid(fleet, one), "compartmentId": compartment(fleet, one)}
    if one.created:
        made["timeCreated"] = iso(one.created)
    if one.group == "instances" and one.region:
        made["region"] = SHORT[one.region]
    made |= tags(one.tags)
    made |= {name: resolved(fleet, one, value) for name, value in one.own.items() if name not in OURS}
    return {name: value for name, value in made.items() if name not in one.without}


def tags(labels: Mapping[str, str]) -> dict[str, Any]:
    """Tags as Oracle tells them: a name with a point in it is a defined one, within its namespace."""
    defined: dict[str, dict[str, str]] = {}
    free = {}
    for name, value in labels.items():
        space, point, rest = name.partition(".")
        if point:
            defined.setdefault(space, {})[rest] = value
        else:
            free[name] = value
    return {"freeformTags": free, "definedTags": defined}


def resolved(fleet: Fleet, one: Record, value: Any) -> Any:
    """A value in which `@group/id` stands for the OCID of another record of the account."""
    if isinstance(value, str) and (match := REFERENCE.fullmatch(value)):
        return ocid(fleet, named(fleet, one.account, *match.groups()))
    if isinstance(value, Mapping):
        return {name: resolved(fleet, one, inner) for name, inner in value.items()}
    return [resolved(fleet, one, inner) for inner in value] if isinstance(value, list) else value


def named(fleet: Fleet, account: str, group: str, name: str) -> Record:
    """One record by its group and id."""
    return next(one for one in fleet.of(group, account) if one.id == name)


def vnic_attachments(fleet: Fleet, account: str, region: str) -> Iterator[dict[str, Any]]:
    """Which network card is whose: one of each instance that has an address."""
    for one in fleet.of("instances", account, region):
        if "private_ip" in one.own and "privateIp" not in one.without:
            yield {
                "id": f"ocid1.vnicattachment.oc1.{region}.{one.id}",
                "instanceId": ocid(fleet, one),
                "vnicId": f"ocid1.vnic.oc1.{region}.{one.id}",
                "compartmentId": compartment(fleet, one),
                "availabilityDomain": one.own.get("availabilityDomain"),
                "lifecycleState": "ATTACHED",
                "timeCreated": iso(one.created) if one.created else None,
            }


def vnic(fleet: Fleet, account: str, region: str, name: str) -> dict[str, Any] | None:
    """One network card with its addresses."""
    for one in fleet.of("instances", account, region):
        if name == f"ocid1.vnic.oc1.{region}.{one.id}" and "private_ip" in one.own:
            return {
                "id": name,
                "compartmentId": compartment(fleet, one),
                "availabilityDomain": one.own.get("availabilityDomain"),
                "displayName": one.own.get("displayName"),
                "hostnameLabel": one.id,
                "isPrimary": True,
                "lifecycleState": "AVAILABLE",
                "privateIp": one.own["private_ip"],
                "publicIp": one.own.get("public_ip"),
                "subnetId": resolved(fleet, one, one.own.get("subnet")),
                "timeCreated": iso(one.created) if one.created else None,
                **tags({}),
            }
    return None


def attachments(fleet: Fleet, account: str, region: str, group: str) -> Iterator[dict[str, Any]]:
    """Which instance a volume hangs on, of block volumes or of boot volumes."""
    volume = {"volumes": "volumeId", "boot_volumes": "bootVolumeId"}[group]
    for one in fleet.of(group, account, region):
        if "attached" in one.own:
            owner = named(fleet, account, "instances", one.own["attached"])
            yield {
                "id": f"ocid1.{volume[:-2].lower()}attachment.oc1.{region}.{one.id}",
                "instanceId": ocid(fleet, owner),
                volume: ocid(fleet, one),
                "compartmentId": compartment(fleet, owner),
                "availabilityDomain": one.own["availabilityDomain"],
                "lifecycleState": "ATTACHED",
                "attachmentType": "paravirtualized",
                "timeCreated": iso(one.created) if one.created else None,
            }


def shapes(fleet: Fleet) -> Iterator[dict[str, Any]]:
    """What each shape is made of, told anew for each availability domain."""
    for _ in range(2):
        for name, made in fleet.file["shapes"].items():
            yield {"shape": name, "billingType": "PAID", "isFlexible": name.endswith(".Flex"), **made}
