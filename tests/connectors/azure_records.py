"""One record of each kind as Resource Manager sends it, every field that a row is made of filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudtop.inventory import Resource
from connectors import azure_compute as compute
from connectors import azure_containers as containers
from connectors import azure_databases as databases
from connectors import azure_disks as disks
from connectors import azure_network as network
from connectors import azure_storage as storage
from connectors import azure_web as web
from connectors.azure_base import by_id

GROUP = "/subscriptions/0f0f0f0f-0000-4000-8000-000000000003/resourceGroups/shop/providers"
ADDRESS = f"{GROUP}/Microsoft.Network/publicIPAddresses/front"
INTERFACE = f"{GROUP}/Microsoft.Network/networkInterfaces/web-1-nic"
HELD = by_id([{"id": ADDRESS, "properties": {"ipAddress": "203.0.113.9"}}])
BESIDE = compute.Beside(
    states=by_id(
        [
            {
                "id": f"{GROUP}/Microsoft.Compute/virtualMachines/one".upper(),
                "properties": {"instanceView": {"statuses": [{"code": "PowerState/running"}]}},
            }
        ]
    ),
    interfaces=by_id(
        [
            {
                "id": INTERFACE,
                "properties": {
                    "ipConfigurations": [
                        {"properties": {"privateIPAddress": "10.0.0.4", "publicIPAddress": {"id": ADDRESS}}}
                    ]
                },
            }
        ]
    ),
    addresses=HELD,
    sizes={("eastus", "Standard_D4s_v5"): compute.Made(4.0, 16.0)},
)
FRONTS = {
    "frontendIPConfigurations": [
        {"properties": {"publicIPAddress": {"id": ADDRESS}, "privateIPAddress": "10.0.0.9"}}
    ]
}
KINDS: Mapping[str, tuple[str, Callable[[Any], Resource | None], Mapping[str, Any]]] = {
    "instances": (
        "Microsoft.Compute/virtualMachines",
        lambda one: compute.instance(one, BESIDE),
        {
            "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "timeCreated": "2026-01-02T03:04:05.1234567+00:00",
            "priority": "Spot",
            "vmId": "5c0d1b1e",
            "osProfile": {"computerName": "one", "adminPassword": "canary"},
            "userData": "canary",
            "storageProfile": {"osDisk": {"osType": "Linux"}, "imageReference": {"publisher": "Canonical"}},
            "networkProfile": {"networkInterfaces": [{"id": INTERFACE.upper()}]},
        },
    ),
    "scale_set_instances": (
        "Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines",
        lambda one: compute.instance(one, BESIDE),
        {
            "instanceView": {"statuses": [{"code": "PowerState/running"}]},
            "timeCreated": "2026-01-02T03:04:05.1234567+00:00",
            "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "osProfile": {"computerName": "one", "secrets": "canary"},
        },
    ),
    "volumes": (
        "Microsoft.Compute/disks",
        disks.volume,
        {
            "diskState": "Attached",
            "diskSizeGB": 64,
            "timeCreated": "2026-01-02T03:04:05Z",
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "diskIOPSReadWrite": 500,
            "osType": "Linux",
        },
    ),
    "snapshots": (
        "Microsoft.Compute/snapshots",
        disks.snapshot,
        {
            "diskSizeGB": 64,
            "timeCreated": "2026-01-02T03:04:05Z",
            "incremental": True,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "creationData": {"sourceResourceId": f"{GROUP}/Microsoft.Compute/disks/d"},
        },
    ),
    "images": (
        "Microsoft.Compute/images",
        disks.image,
        {"storageProfile": {"osDisk": {"osType": "Linux"}}},
    ),
    "addresses": (
        "Microsoft.Network/publicIPAddresses",
        network.address,
        {"ipAddress": "203.0.113.9", "ipConfiguration": {"id": INTERFACE}, "dnsSettings": {"fqdn": "a.b"}},
    ),
    "vpcs": (
        "Microsoft.Network/virtualNetworks",
        network.network,
        {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "web", "properties": {"addressPrefix": "10.0.1.0/24"}}],
        },
    ),
    "security_groups": (
        "Microsoft.Network/networkSecurityGroups",
        network.security_group,
        {
            "securityRules": [
                {
                    "properties": {
                        "access": "Allow",
                        "direction": "Inbound",
                        "sourceAddressPrefix": "*",
                        "destinationPortRange": "22",
                    }
                }
            ]
        },
    ),
    "load_balancers": (
        "Microsoft.Network/loadBalancers",
        lambda one: network.load_balancer(one, HELD),
        FRONTS,
    ),
    "gateways": (
        "Microsoft.Network/applicationGateways",
        lambda one: network.gateway(one, HELD),
        {**FRONTS, "operationalState": "Running"},
    ),
    "zones": (
        "Microsoft.Network/dnszones",
        network.zone,
        {"numberOfRecordSets": 7, "zoneType": "Public"},
    ),
    "clusters": (
        "Microsoft.ContainerService/managedClusters",
        containers.cluster,
        {
            "powerState": {"code": "Running"},
            "currentKubernetesVersion": "1.33.4",
            "agentPoolProfiles": [{"name": "system", "count": 3, "vmSize": "Standard_D4s_v5"}],
            "fqdn": "one.hcp.eastus.azmk8s.io",
        },
    ),
    "containers": (
        "Microsoft.ContainerInstance/containerGroups",
        containers.container_group,
        {
            "instanceView": {"state": "Running"},
            "containers": [
                {
                    "properties": {
                        "image": "a/b:1",
                        "environmentVariables": [{"name": "A", "value": "canary"}],
                        "resources": {"requests": {"cpu": 1, "memoryInGB": 2}},
                    }
                }
            ],
        },
    ),
    "registries": (
        "Microsoft.ContainerRegistry/registries",
        containers.registry,
        {"creationDate": "2026-01-02T03:04:05Z", "loginServer": "one.azurecr.io"},
    ),
    "functions": (
        "Microsoft.Web/sites",
        web.function,
        {
            "state": "Running",
            "usageState": "Exceeded",
            "lastModifiedTimeUtc": "2026-01-02T03:04:05.1",
            "siteConfig": {"linuxFxVersion": "Python|3.12", "appSettings": [{"value": "canary"}]},
            "functionAppConfig": {"scaleAndConcurrency": {"instanceMemoryMB": 2048}},
        },
    ),
    "apps": (
        "Microsoft.Web/sites",
        web.app,
        {
            "state": "Running",
            "siteConfig": {"linuxFxVersion": "Node|22"},
            "lastModifiedTimeUtc": "2026-01-02T03:04:05.1",
        },
    ),
    "sql_databases": (
        "Microsoft.Sql/servers/srv/databases",
        databases.sql_database,
        {"status": "Online", "maxSizeBytes": 34359738368, "creationDate": "2026-01-02T03:04:05Z"},
    ),
    "postgres_servers": (
        "Microsoft.DBforPostgreSQL/flexibleServers",
        databases.postgres,
        {
            "state": "Ready",
            "version": "17",
            "storage": {"storageSizeGB": 256},
            "availabilityZone": "1",
            "administratorLoginPassword": "canary",
        },
    ),
    "mysql_servers": (
        "Microsoft.DBforMySQL/flexibleServers",
        databases.mysql,
        {"state": "Ready", "version": "8.0.21", "storage": {"storageSizeGB": 128}},
    ),
    "cosmos_accounts": (
        "Microsoft.DocumentDB/databaseAccounts",
        databases.cosmos,
        {"locations": [{"locationName": "East US"}], "documentEndpoint": "https://one.example"},
    ),
    "caches": (
        "Microsoft.Cache/Redis",
        databases.cache,
        {"redisVersion": "6.0.20", "hostName": "one.example", "accessKeys": {"primaryKey": "canary"}},
    ),
    "buckets": (
        "Microsoft.Storage/storageAccounts/acct/blobServices/default/containers",
        storage.bucket,
        {"lastModifiedTime": "2026-01-02T03:04:05.0000000Z", "publicAccess": "None"},
    ),
}
SITES = {"functions": "functionapp,linux", "apps": "app,linux"}


def record(kind: str) -> dict[str, Any]:
    """The whole record of a kind."""
    path, _, properties = KINDS[kind]
    made: dict[str, Any] = {
        "id": f"{GROUP}/{path}/one",
        "name": "one",
        "location": "East US",
        "tags": {"env": "prod", "empty": None},
        "zones": ["2"],
        "sku": {"name": "Standard", "tier": "Standard"},
        "kind": SITES.get(kind, "GlobalDocumentDB"),
        "managedBy": f"{GROUP}/Microsoft.Compute/virtualMachines/one",
        "systemData": {
            "createdAt": "2026-01-02T03:04:05.1234567Z",
            "lastModifiedAt": "2026-02-02T03:04:05.1234567Z",
            "createdBy": "canary",
        },
        "properties": {"provisioningState": "Succeeded", **properties},
    }
    if kind == "buckets":
        account = {"name": "acct", "location": "East US", "tags": dict(made["tags"])}
        made[storage.ACCOUNT] = account | {"properties": {"accessTier": "Hot"}}
    return made


def row(kind: str, one: Mapping[str, Any]) -> Resource | None:
    """What the connector makes of a record."""
    return KINDS[kind][1](one)
