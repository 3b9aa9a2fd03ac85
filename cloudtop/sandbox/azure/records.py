"""What the company has in Azure, as Resource Manager writes it: one table of kinds, one form of a record."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cloudtop.sandbox.fleet import Fleet, Record, length

OURS = ("rg", "power", "private", "public", "of", "server", "account", "scale_set", "changed")
"""Keys of the fleet file that are no fields of Azure."""
TOP = ("sku", "kind", "zones", "managedBy", "identity", "systemData", "plan")
"""Fields that stand beside the properties of a record, not in them."""
DISPLAYED = {"eastus": "East US", "westeurope": "West Europe", "westus3": "West US 3"}
"""How Microsoft.Web writes regions."""


class Kind(NamedTuple):
    """A kind of resource: its groups in the fleet file, the version of its API, where its times stand."""

    groups: tuple[str, ...]
    version: str
    created: str = ""
    changed: str = ""
    within: str = ""


KINDS: Mapping[str, Kind] = {
    "Microsoft.Compute/virtualMachines": Kind(("instances",), "2026-04-01", "properties.timeCreated"),
    "Microsoft.Compute/virtualMachineScaleSets": Kind(
        ("scale_sets",), "2026-04-01", "properties.timeCreated"
    ),
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines": Kind(
        ("scale_set_instances",), "2026-04-01", "properties.timeCreated", within="scale_set"
    ),
    "Microsoft.Compute/disks": Kind(("volumes",), "2026-03-02", "properties.timeCreated"),
    "Microsoft.Compute/snapshots": Kind(("snapshots",), "2026-03-02", "properties.timeCreated"),
    "Microsoft.Compute/images": Kind(("images",), "2026-04-01"),
    "Microsoft.Network/publicIPAddresses": Kind(("addresses",), "2025-05-01"),
    "Microsoft.Network/virtualNetworks": Kind(("vpcs",), "2025-05-01"),
    "Microsoft.Network/networkSecurityGroups": Kind(("security_groups",), "2025-05-01"),
    "Microsoft.Network/loadBalancers": Kind(("load_balancers",), "2025-05-01"),
    "Microsoft.Network/applicationGateways": Kind(("gateways",), "2025-05-01"),
    "Microsoft.Network/dnszones": Kind(("zones",), "2018-05-01"),
    "Microsoft.ContainerService/managedClusters": Kind(("clusters",), "2026-08-01", "systemData.createdAt"),
    "Microsoft.ContainerInstance/containerGroups": Kind(("containers",), "2025-09-01"),
    "Microsoft.ContainerRegistry/registries": Kind(("registries",), "2025-11-01", "properties.creationDate"),
    "Microsoft.Web/sites": Kind(("functions", "apps"), "2025-05-01", "", "properties.lastModifiedTimeUtc"),
    "Microsoft.Sql/servers": Kind(("sql_servers",), "2025-01-01"),
    "Microsoft.Sql/servers/databases": Kind(
        ("sql_masters", "sql_databases"), "2025-01-01", "properties.creationDate", within="server"
    ),
    "Microsoft.DBforPostgreSQL/flexibleServers": Kind(
        ("postgres_servers",), "2025-08-01", "systemData.createdAt"
    ),
    "Microsoft.DBforMySQL/flexibleServers": Kind(("mysql_servers",), "2024-12-30", "systemData.createdAt"),
    "Microsoft.DocumentDB/databaseAccounts": Kind(("cosmos_accounts",), "2026-03-15", "systemData.createdAt"),
    "Microsoft.Cache/Redis": Kind(("caches",), "2024-11-01"),
    "Microsoft.Storage/storageAccounts": Kind(("storage_accounts",), "2026-09-01", "properties.creationTime"),
    "Microsoft.Storage/storageAccounts/blobServices/default/containers": Kind(
        ("buckets",), "2026-09-01", "", "properties.lastModifiedTime", within="account"
    ),
}


def held(fleet: Fleet, account: str, kind: str, within: str | None = None) -> list[dict[str, Any]]:
    """The records of a kind in a subscription, those within a server or account where one is named."""
    about = KINDS[kind]
    found = [one for name in about.groups for one in fleet.of(name, account)]
    return [
        record(fleet, kind, one) for one in found if not about.within or one.own.get(about.within) == within
    ]


def record(fleet: Fleet, kind: str, one: Record) -> dict[str, Any]:
    """One thing as Resource Manager tells it."""
    about, own = KINDS[kind], {name: value for name, value in one.own.items() if name not in OURS}
    made: dict[str, Any] = {
        "id": identity(fleet, one),
        "name": one.id,
        "type": kind.replace("/default", ""),
        "location": place(kind, one.region),
        "properties": {name: copy.deepcopy(value) for name, value in own.items() if name not in TOP},
    }
    if one.tags:
        made["tags"] = dict(one.tags)
    made |= {name: value for name, value in own.items() if name in TOP}
    put(made, about.created, one.created)
    if "changed" in one.own:
        put(made, about.changed, fleet.started - length(one.own["changed"]))
    if one.group == "buckets":
        # What is inside of an account stands in no region of its own, and bears no tags.
        del made["location"]
        made.pop("tags", None)
    MORE.get(one.group, _nothing)(fleet, one, made)
    for name in one.without:
        (made["properties"] if name in made["properties"] else made).pop(name, None)
    return made


def identity(fleet: Fleet, one: Record) -> str:
    """The id of a thing: the path that its group is written with."""
    form: str = fleet.file["resources"][one.group]["arn"]
    return form.format(number=fleet.accounts[one.account]["number"], id=one.id, **one.own)


def place(kind: str, region: str | None) -> str:
    """A region as a kind of resource writes it."""
    if region is None:
        return "global"
    return DISPLAYED[region] if kind.startswith(("Microsoft.Web", "Microsoft.Sql")) else region


def put(made: dict[str, Any], path: str, moment: datetime | None) -> None:
    """Write a time where a kind has it, with seven digits of a second, as Azure does."""
    if path and moment is not None:
        above, name = path.split(".")
        made.setdefault(above, {})[name] = f"{moment:%Y-%m-%dT%H:%M:%S}.1234567+00:00"


def find(fleet: Fleet, account: str, name: str) -> tuple[Record, str] | None:
    """A thing by its name among all that may hold an address or a disk, and its id."""
    groups = ("instances", "load_balancers", "gateways", "addresses")
    every = (one for group in groups for one in fleet.of(group, account) if one.id == name)
    one = next(every, None)
    return (one, identity(fleet, one)) if one else None


def _nothing(fleet: Fleet, one: Record, made: dict[str, Any]) -> None:
    pass


def _instance(fleet: Fleet, one: Record, made: dict[str, Any]) -> None:
    """The list of machines tells no power state, and of addresses only who holds them."""
    made["properties"]["vmId"] = (
        f"{fleet.accounts[one.account]['number'][:-4]}{abs(hash(one.id)) % 10**4:04d}"
    )
    if "private" in one.own:
        interface = {"id": interface_id(fleet, one), "properties": {"primary": True}}
        made["properties"]["networkProfile"] = {"networkInterfaces": [interface]}


def _member(fleet: Fleet, one: Record, made: dict[str, Any]) -> None:
    """A machine of a scale set tells how it is in its own list, and its number."""
    codes = ("ProvisioningState/succeeded", f"PowerState/{one.own['power']}")
    made["properties"]["instanceView"] = {"statuses": [{"code": code} for code in codes]}
    made["instanceId"] = one.id.rpartition("_")[2]


def _volume(fleet: Fleet, one: Record, made: dict[str, Any]) -> None:
    if "of" in one.own and (found := find(fleet, one.account, one.own["of"])):
        made["managedBy"] = found[1]


def _address(fleet: Fleet, one: Record, made: dict[str, Any]) -> None:
    if "of" in one.own and (found := find(fleet, one.account, one.own["of"])):
        made["properties"]["ipConfiguration"] = {"id": f"{found[1]}/frontendIPConfigurations/front"}


def _balancer(fleet: Fleet, one: Record, made: dict[str, Any]) -> None:
    """What is in front: a public address by its id, or a private one."""
    about: dict[str, Any] = {}
    if "public" in one.own and (found := find(fleet, one.account, one.own["public"])):
        about = {"publicIPAddress": {"id": found[1]}}
    elif "private" in one.own:
        about = {"privateIPAddress": one.own["private"], "privateIPAllocationMethod": "Static"}
    made["properties"]["frontendIPConfigurations"] = [{"name": "front", "properties": about}]


MORE = {
    "instances": _instance,
    "scale_set_instances": _member,
    "volumes": _volume,
    "addresses": _address,
    "load_balancers": _balancer,
    "gateways": _balancer,
}
"""What follows from a record and is not written in the fleet file."""


def interface_id(fleet: Fleet, one: Record) -> str:
    """The network interface of a machine; Network writes the group in small letters."""
    number = fleet.accounts[one.account]["number"]
    group = str(one.own["rg"]).lower()
    return f"/subscriptions/{number}/resourceGroups/{group}/providers/{INTERFACES}/{one.id}-nic"


INTERFACES = "Microsoft.Network/networkInterfaces"


def interfaces(fleet: Fleet, account: str) -> list[dict[str, Any]]:
    """The network interfaces of the machines."""
    found = []
    for one in fleet.of("instances", account):
        if "private" in one.own:
            about: dict[str, Any] = {"privateIPAddress": one.own["private"], "primary": True}
            if "public" in one.own and (public := find(fleet, account, one.own["public"])):
                about["publicIPAddress"] = {"id": public[1]}
            parts = [{"name": "ipconfig1", "properties": about}]
            found.append(
                {
                    "id": interface_id(fleet, one),
                    "name": f"{one.id}-nic",
                    "type": INTERFACES,
                    "location": one.region,
                    "properties": {"provisioningState": "Succeeded", "ipConfigurations": parts},
                }
            )
    return found


def states(fleet: Fleet, account: str) -> list[dict[str, Any]]:
    """What `statusOnly` tells of the machines; the case of an id differs from that of the other list."""
    found = []
    for one in fleet.of("instances", account):
        failed = one.own["provisioningState"] == "Failed"
        codes = [f"ProvisioningState/{'failed' if failed else 'succeeded'}", f"PowerState/{one.own['power']}"]
        found.append(
            {
                "id": identity(fleet, one).replace(one.own["rg"], str(one.own["rg"]).lower()),
                "name": one.id,
                "location": one.region,
                "properties": {"instanceView": {"statuses": [{"code": code} for code in codes]}},
            }
        )
    return found


def skus(fleet: Fleet, region: str) -> list[dict[str, Any]]:
    """The SKUs of a region: a disk's among those of machines."""
    sizes: Mapping[str, Mapping[str, str]] = fleet.file["sizes"]
    disk = {"resourceType": "disks", "name": "Premium_LRS", "size": "P10", "locations": [region]}
    return [disk] + [
        {
            "resourceType": "virtualMachines",
            "name": name,
            "locations": [region],
            "capabilities": [{"name": key, "value": value} for key, value in able.items()],
            "restrictions": [],
        }
        for name, able in sizes.items()
    ]
