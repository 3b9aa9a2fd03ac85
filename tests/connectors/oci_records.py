"""One record of each listing as Oracle sends it, and what each of its fields has a part in.

`tells`: field of the record to columns of the row (`details.x`: a fact in its details); COMMON holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtop.inventory import Resource
from connectors import oci_compute, oci_containers, oci_databases, oci_network, oci_storage
from connectors.oci_compute import Vnic

AD = "Uocm:US-ASHBURN-AD-1"
COMMON = {
    "displayName": "name",
    "lifecycleState": "status status_raw",
    "availabilityDomain": "zone",
    "timeCreated": "created_at",
    "timeUpdated": "updated_at",
    "freeformTags": "tags",
    "definedTags": "tags",
    "compartmentId": "details.compartment_id",
}
USUAL = {
    "compartmentId": "ocid1.compartment.oc1..shop",
    "displayName": "one",
    "timeCreated": "2026-05-01T10:00:00.000Z",
    "freeformTags": {"env": "prod"},
    "definedTags": {"Finance": {"CostCenter": "4711"}},
}
SHAPE = {"ocpus": 15, "memoryInGBs": 240, "vcpus": 30, "gpus": 1, "gpuDescription": "NVIDIA® A10"}


@dataclass(frozen=True)
class Kind:
    """`row` makes a row of a record, None without an id, which is in the field `key`."""

    row: Callable[[Any], Resource | None]
    record: Mapping[str, Any]
    tells: Mapping[str, str]
    key: str = "id"

    @property
    def parts(self) -> dict[str, str]:
        """Every field that tells something."""
        return {**COMMON, **self.tells}


def kind(row: Any, id: str, tells: Mapping[str, str], **record: Any) -> Kind:
    return Kind(row, {"id": id, **USUAL, **record}, tells)


def machine(one: Any) -> Resource | None:
    cards = {"ocid1.instance.oc1.iad.a": Vnic("10.0.0.4", None, 0.0)}
    return oci_compute.instance(one, {}, cards, "Oracle Linux")


KINDS: Mapping[str, Kind] = {
    "instances": kind(
        machine,
        "ocid1.instance.oc1.iad.a",
        {
            "lifecycleState": "status status_raw details.priced_apart",
            "shape": "instance_type details.priced_as",
            "shapeConfig": "vcpus ram_gib details.ocpus details.priced_as",
            "faultDomain": "details.fault_domain",
            "sourceDetails": "details.image_id",
            "preemptibleInstanceConfig": "spot details.priced_as",
            "agentConfig": "details.agent_off",
        },
        lifecycleState="RUNNING",
        availabilityDomain=AD,
        faultDomain="FAULT-DOMAIN-2",
        shape="VM.GPU.A10.1",
        shapeConfig=SHAPE,
        sourceDetails={"sourceType": "image", "imageId": "ocid1.image.oc1..x"},
        preemptibleInstanceConfig={"preemptionAction": {"type": "TERMINATE"}},
        agentConfig={"isMonitoringDisabled": True},
    ),
    "volumes": kind(
        lambda one: oci_storage.volume(one, {"ocid1.volume.oc1.iad.a": "ocid1.instance.oc1.iad.a"}),
        "ocid1.volume.oc1.iad.a",
        {
            "sizeInMBs": "",
            "sizeInGBs": "",
            "vpusPerGB": "storage_class details.performance_units_per_gb",
            "kmsKeyId": "details.kms_key_id",
        },
        lifecycleState="AVAILABLE",
        availabilityDomain=AD,
        sizeInGBs=500,
        sizeInMBs=512000,
        vpusPerGB=20,
        kmsKeyId="ocid1.key.oc1.iad.k",
    ),
    "boot_volumes": kind(
        lambda one: oci_storage.volume(one, {}),
        "ocid1.bootvolume.oc1.iad.a",
        {"sizeInGBs": "size_gb", "imageId": "details.image_id"},
        lifecycleState="AVAILABLE",
        availabilityDomain=AD,
        sizeInGBs=50,
        imageId="ocid1.image.oc1..x",
    ),
    "buckets": Kind(
        oci_storage.bucket,
        {
            "name": "one",
            "id": "ocid1.bucket.oc1.iad.a",
            "namespace": "axb",
            "storageTier": "Archive",
            "approximateSize": 0,
            "approximateCount": 12,
            "publicAccessType": "NoPublicAccess",
            **{name: value for name, value in USUAL.items() if name != "displayName"},
        },
        {
            "id": "details.ocid",
            "namespace": "details.object_namespace",
            "storageTier": "storage_class",
            "approximateSize": "size_bytes",
            "approximateCount": "object_count",
            "publicAccessType": "details.public_access",
        },
        key="name",
    ),
    "images": kind(
        oci_storage.image,
        "ocid1.image.oc1.iad.a",
        {
            "sizeInMBs": "size_gb",
            "baseImageId": "details.made_of",
            "operatingSystem": "details.platform",
            "operatingSystemVersion": "details.platform_version",
            "billableSizeInGBs": "details.billed_gb",
        },
        lifecycleState="AVAILABLE",
        sizeInMBs=47694,
        baseImageId="ocid1.image.oc1..x",
        operatingSystem="Oracle Linux",
        operatingSystemVersion="9",
        billableSizeInGBs=4,
    ),
    "volume_backups": kind(
        oci_storage.backup,
        "ocid1.volumebackup.oc1.iad.a",
        {
            "sizeInGBs": "size_gb",
            "volumeId": "details.volume_id",
            "type": "details.kind",
            "sourceType": "details.made",
            "uniqueSizeInGBs": "details.stored_gb",
            "expirationTime": "details.expires",
            "kmsKeyId": "details.kms_key_id",
        },
        lifecycleState="AVAILABLE",
        sizeInGBs=500,
        volumeId="ocid1.volume.oc1.iad.a",
        type="FULL",
        sourceType="MANUAL",
        uniqueSizeInGBs=9,
        expirationTime="2026-12-01T00:00:00.000Z",
        kmsKeyId="ocid1.key.oc1.iad.k",
    ),
    "boot_volume_backups": kind(
        oci_storage.backup,
        "ocid1.bootvolumebackup.oc1.iad.a",
        {"sizeInGBs": "size_gb", "bootVolumeId": "details.volume_id"},
        lifecycleState="AVAILABLE",
        sizeInGBs=50,
        bootVolumeId="ocid1.bootvolume.oc1.iad.a",
    ),
    "security_groups": kind(
        oci_network.security_group,
        "ocid1.networksecuritygroup.oc1.iad.a",
        {"vcnId": "details.vpc_id"},
        lifecycleState="AVAILABLE",
        vcnId="ocid1.vcn.oc1.iad.a",
    ),
    "vcns": kind(
        oci_network.vcn,
        "ocid1.vcn.oc1.iad.a",
        {"cidrBlocks": "", "cidrBlock": "", "vcnDomainName": "details.dns_name"},
        lifecycleState="AVAILABLE",
        cidrBlock="10.0.0.0/16",
        cidrBlocks=["10.0.0.0/16"],
        vcnDomainName="one.oraclevcn.com",
    ),
    "subnets": kind(
        oci_network.subnet,
        "ocid1.subnet.oc1.iad.a",
        {
            "vcnId": "details.vpc_id",
            "cidrBlock": "details.cidr",
            "prohibitPublicIpOnVnic": "details.no_public_addresses",
        },
        lifecycleState="AVAILABLE",
        availabilityDomain=AD,
        vcnId="ocid1.vcn.oc1.iad.a",
        cidrBlock="10.0.0.0/24",
        prohibitPublicIpOnVnic=True,
    ),
    "public_ips": kind(
        oci_network.address,
        "ocid1.publicip.oc1.iad.a",
        {"ipAddress": "public_ip", "assignedEntityId": "details.attached_to", "lifetime": "details.lifetime"},
        lifecycleState="ASSIGNED",
        ipAddress="203.0.113.4",
        assignedEntityId="ocid1.privateip.oc1.iad.a",
        lifetime="RESERVED",
    ),
    "load_balancers": kind(
        oci_network.load_balancer,
        "ocid1.loadbalancer.oc1.iad.a",
        {
            "ipAddresses": "public_ip private_ip",
            "shapeName": "details.shape",
            "isPrivate": "details.internal",
            "listeners": "details.listeners",
            "backendSets": "details.backends",
        },
        lifecycleState="ACTIVE",
        shapeName="flexible",
        isPrivate=False,
        ipAddresses=[
            {"ipAddress": "203.0.113.4", "isPublic": True},
            {"ipAddress": "10.0.0.9", "isPublic": False},
        ],
        listeners={"https": {"port": 443}},
        backendSets={"web": {"backends": [{"ipAddress": "10.0.0.4"}, {"ipAddress": "10.0.0.5"}]}},
    ),
    "network_load_balancers": kind(
        oci_network.load_balancer,
        "ocid1.networkloadbalancer.oc1.iad.a",
        {"ipAddresses": "public_ip", "subnetId": "details.subnets"},
        lifecycleState="ACTIVE",
        ipAddresses=[{"ipAddress": "203.0.113.4", "isPublic": True}],
        subnetId="ocid1.subnet.oc1.iad.a",
    ),
    "clusters": Kind(
        lambda one: oci_containers.cluster(
            one, {"ocid1.cluster.oc1.iad.a": [{"nodeConfigDetails": {"size": 3}}]}
        ),
        {
            "id": "ocid1.cluster.oc1.iad.a",
            "name": "one",
            "compartmentId": "ocid1.compartment.oc1..shop",
            "lifecycleState": "FAILED",
            "lifecycleDetails": "No capacity.",
            "kubernetesVersion": "v1.31.1",
            "metadata": {"timeCreated": "2026-05-01T10:00:00Z", "timeUpdated": "2026-06-01T10:00:00Z"},
            "freeformTags": {},
            "vcnId": "ocid1.vcn.oc1.iad.a",
            "type": "BASIC_CLUSTER",
        },
        {
            "name": "name",
            "lifecycleState": "status status_raw health health_message",
            "lifecycleDetails": "health_message",
            "kubernetesVersion": "version",
            "metadata": "created_at updated_at",
            "vcnId": "details.vpc_id",
            "type": "details.tier",
        },
    ),
    "container_instances": kind(
        oci_containers.container,
        "ocid1.computecontainerinstance.oc1.iad.a",
        {
            "shape": "instance_type",
            "containerCount": "node_count",
            "shapeConfig": "vcpus ram_gib details.ocpus",
            "containerRestartPolicy": "details.restarts",
        },
        lifecycleState="INACTIVE",
        availabilityDomain=AD,
        shape="CI.Standard.E4.Flex",
        shapeConfig={"ocpus": 2, "memoryInGBs": 16, "vcpus": 4},
        containerCount=2,
        containerRestartPolicy="ALWAYS",
    ),
    "functions": kind(
        oci_containers.function,
        "ocid1.fnfunc.oc1.iad.a",
        {
            "memoryInMBs": "memory_mb",
            "timeoutInSeconds": "timeout_s",
            "timeUpdated": "updated_at last_modified",
            "applicationId": "details.application_id",
            "image": "details.image",
        },
        lifecycleState="ACTIVE",
        timeUpdated="2026-06-01T10:00:00Z",
        memoryInMBs=512,
        timeoutInSeconds=60,
        applicationId="ocid1.fnapp.oc1.iad.a",
        image="iad.ocir.io/axb/one:1",
    ),
    "autonomous_databases": kind(
        oci_databases.autonomous,
        "ocid1.autonomousdatabase.oc1.iad.a",
        {
            "lifecycleState": "status status_raw health",
            "dbVersion": "version",
            "dbWorkload": "engine details.workload",
            "dataStorageSizeInGBs": "",
            "dataStorageSizeInTBs": "",
            "computeCount": "details.compute_count",
            "computeModel": "details.compute_model",
        },
        lifecycleState="AVAILABLE_NEEDS_ATTENTION",
        dbVersion="23ai",
        dbWorkload="OLTP",
        dataStorageSizeInGBs=2048,
        dataStorageSizeInTBs=2,
        computeModel="ECPU",
        computeCount=8,
    ),
    "db_systems": kind(
        oci_databases.db_system,
        "ocid1.dbsystem.oc1.iad.a",
        {
            "version": "version",
            "dataStorageSizeInGBs": "size_gb",
            "shape": "instance_type",
            "nodeCount": "details.nodes",
        },
        lifecycleState="AVAILABLE",
        availabilityDomain=AD,
        version="19.24.0.0.0",
        dataStorageSizeInGBs=1024,
        shape="VM.Standard.E5.Flex",
        nodeCount=2,
    ),
    "mysql_systems": kind(
        oci_databases.mysql,
        "ocid1.mysqldbsystem.oc1.iad.a",
        {
            "mysqlVersion": "version",
            "dataStorageSizeInGBs": "size_gb",
            "shapeName": "instance_type",
            "endpoints": "private_ip",
        },
        lifecycleState="INACTIVE",
        availabilityDomain=AD,
        mysqlVersion="8.4.3",
        dataStorageSizeInGBs=512,
        shapeName="MySQL.4",
        endpoints=[{"ipAddress": "10.0.0.7", "port": 3306}],
    ),
    "postgresql_systems": kind(
        oci_databases.postgresql,
        "ocid1.postgresqldbsystem.oc1.iad.a",
        {
            "dbVersion": "version",
            "shape": "instance_type",
            "instanceMemorySizeInGBs": "ram_gib",
            "instanceCount": "details.nodes",
        },
        lifecycleState="ACTIVE",
        dbVersion="16.4",
        shape="VM.Standard.E5.Flex",
        instanceCount=2,
        instanceMemorySizeInGBs=64,
    ),
}
