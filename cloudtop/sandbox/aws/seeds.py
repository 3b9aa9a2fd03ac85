"""The fleet as objects of moto: enough of each that moto finds, filters and tells it; the rest is laid over.

One function for each service fills one account and region. Identifiers are those of the fleet; what moto
makes up beside them is the same every time, since its dice are thrown from the same start.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record

ROLE = "arn:aws:iam::{number}:role/{name}"
STRANGER = "999999999999"


@dataclass(frozen=True)
class Place:
    """One account, by name and number, in one region."""

    account: str
    number: str
    region: str

    def role(self, name: str) -> str:
        """The ARN of a role of the account."""
        return ROLE.format(number=self.number, name=name)


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most services write them."""
    return [{key: name, value: text} for name, text in tags.items()]


def ec2(fleet: Fleet, place: Place) -> None:
    """Networks, instances, volumes, snapshots, images, addresses."""
    from moto.ec2.models import ec2_backends

    backend = ec2_backends[place.number][place.region]
    backend.vpcs.clear()
    backend.subnets.clear()
    backend.groups.clear()
    backend.snapshots.clear()
    backend.amis.clear()
    for group, make in EC2.items():
        for record in fleet.of(group, place.account, place.region):
            make(backend, record)
            backend.create_tags([record.id], dict(record.tags))
    _stranger(backend)


def _vpc(backend: Any, record: Record) -> None:
    from moto.ec2.models.vpcs import VPC

    own = record.own
    backend.vpcs[record.id] = VPC(backend, record.id, own["CidrBlock"], own["IsDefault"])


def _subnet(backend: Any, record: Record) -> None:
    from moto.ec2.models.subnets import Subnet

    own = record.own
    zone = backend.get_zone_by_name(own["AvailabilityZone"])
    made = Subnet(
        backend, record.id, own["VpcId"], own["CidrBlock"], None, zone, False, own["MapPublicIpOnLaunch"]
    )
    backend.subnets[zone.name][record.id] = made


def _security_group(backend: Any, record: Record) -> None:
    from moto.ec2.models.security_groups import SecurityGroup

    own = record.own
    made = SecurityGroup(backend, record.id, own["GroupName"], own["Description"], own["VpcId"])
    backend.groups[own["VpcId"]][record.id] = made


def _instance(backend: Any, record: Record) -> None:
    from moto.ec2.models.instances import Instance, Reservation

    own = record.own
    made = Instance(
        backend,
        own["ImageId"],
        None,
        [],
        instance_type=own["InstanceType"],
        subnet_id=own["SubnetId"],
        private_ip=own.get("PrivateIpAddress"),
        lifecycle=own.get("InstanceLifecycle"),
        monitoring_state=own["Monitoring"]["State"],
        region_name=backend.region_name,
        associate_public_ip=False,
    )
    made.id = record.id
    made._state.name, made._state.code = own["State"]["Name"], own["State"]["Code"]
    made.nics[0].public_ip = own.get("PublicIpAddress")
    held = Reservation(record.id.replace("i-", "r-"), backend.account_id)
    held.instances.append(made)
    backend.reservations[held.id] = held


def _volume(backend: Any, record: Record) -> None:
    from moto.ec2.models.elastic_block_store import Volume

    own = record.own
    zone = backend.get_zone_by_name(own["AvailabilityZone"])
    backend.volumes[record.id] = Volume(
        backend,
        record.id,
        own["Size"],
        zone,
        encrypted=own["Encrypted"],
        volume_type=own["VolumeType"],
        iops=own["Iops"],
        throughput=own["Throughput"],
    )
    if "of" in own:
        instance, device = own["of"]
        backend.attach_volume(record.id, instance, device, delete_on_termination=device == "/dev/xvda")


def _snapshot(backend: Any, record: Record) -> None:
    from moto.ec2.models.elastic_block_store import Snapshot, Volume

    own = record.own
    zone = backend.get_zone_by_name(f"{backend.region_name}a")
    volume = backend.volumes.get(own["VolumeId"]) or Volume(backend, own["VolumeId"], own["VolumeSize"], zone)
    made = Snapshot(backend, record.id, volume, own["Description"], own["Encrypted"])
    made.status = own["State"]
    backend.snapshots[record.id] = made


def _stranger(backend: Any) -> None:
    """A snapshot that somebody else lets everybody use: told to whoever asks not for their own alone."""
    from moto.ec2.models.elastic_block_store import Snapshot, Volume

    volume = Volume(backend, "vol-ffffffff", 8, backend.get_zone_by_name(f"{backend.region_name}a"))
    made = Snapshot(backend, "snap-0000000000000abcd", volume, "a public image", owner_id=STRANGER)
    backend.snapshots[made.id] = made


def _image(backend: Any, record: Record) -> None:
    from moto.ec2.models.amis import Ami

    own = record.own
    made = Ami(
        backend,
        record.id,
        name=own["Name"],
        description=own.get("Description"),
        architecture=own["Architecture"],
        state=own["State"],
        root_device_type="ebs",
        region_name=f"{backend.region_name}a",
    )
    # Its snapshots are those of the fleet.
    backend.snapshots.pop(made.ebs_snapshot.id)
    backend.amis[record.id] = made


def _address(backend: Any, record: Record) -> None:
    from moto.ec2.models.elastic_ip_addresses import ElasticAddress

    made = ElasticAddress(backend, "vpc", record.own["PublicIp"])
    made.id = made.allocation_id = record.id
    if "of" in record.own:
        made.instance = backend.get_instance(record.own["of"])
        made.eni = made.instance.nics[0]
        made.association_id = record.id.replace("eipalloc-", "eipassoc-")
    backend.addresses.append(made)


EC2: Mapping[str, Callable[[Any, Record], None]] = {
    "vpcs": _vpc,
    "subnets": _subnet,
    "security_groups": _security_group,
    "instances": _instance,
    "volumes": _volume,
    "snapshots": _snapshot,
    "images": _image,
    "addresses": _address,
}


def eks(fleet: Fleet, place: Place) -> None:
    """Kubernetes clusters and their node groups."""
    from moto.eks.models import Cluster, Nodegroup, eks_backends

    backend = eks_backends[place.number][place.region]
    where = {"account_id": place.number, "region_name": place.region, "aws_partition": "aws"}
    # Made without moto's checks, each of which takes a tenth of a second.
    for one in fleet.of("eks_clusters", place.account, place.region):
        backend.clusters[one.id] = Cluster(one.id, place.role("eks"), {}, tags=dict(one.tags), **where)
    for one in fleet.of("eks_nodegroups", place.account, place.region):
        above = backend.clusters[one.own["cluster"]]
        above.nodegroups[one.id] = Nodegroup(above.name, place.role("node"), one.id, [], **where)


def ecs(fleet: Fleet, place: Place) -> None:
    """Container clusters and services."""
    from moto.ecs.models import ecs_backends

    backend = ecs_backends[place.number][place.region]
    for one in fleet.of("ecs_clusters", place.account, place.region):
        backend.create_cluster(one.id, tags=pairs(one.tags, "key", "value"))
    for one in fleet.of("ecs_services", place.account, place.region):
        backend.create_service(
            one.own["cluster"],
            one.id,
            one.own["desiredCount"],
            tags=pairs(one.tags, "key", "value"),
            launch_type=one.own["launchType"],
        )


def ecr(fleet: Fleet, place: Place) -> None:
    """Repositories of container images."""
    from moto.ecr.models import ecr_backends

    backend = ecr_backends[place.number][place.region]
    for one in fleet.of("repositories", place.account, place.region):
        backend.create_repository(one.id, None, None, None, "MUTABLE", pairs(one.tags))


def functions(fleet: Fleet, place: Place) -> None:
    """Lambda functions."""
    from moto.awslambda.models import lambda_backends
    from moto.iam.models import iam_backends

    people = iam_backends[place.number]["aws"]
    if not any(role.name == "lambda" for role in people.roles.values()):
        people.create_role("lambda", "{}", "/", None, "runs functions", [], 3600)
    backend = lambda_backends[place.number][place.region]
    for one in fleet.of("functions", place.account, place.region):
        kept = {name: one.own[name] for name in ("Runtime", "MemorySize", "Timeout") if name in one.own}
        about = {"FunctionName": one.id, "Role": place.role("lambda"), "Handler": "main.handler", **kept}
        backend.create_function({**about, "Code": {"ZipFile": ""}, "Tags": dict(one.tags)})


def rds(fleet: Fleet, place: Place) -> None:
    """Aurora clusters, then database instances, members among them."""
    from moto.rds.models import rds_backends

    backend = rds_backends[place.number][place.region]
    for one in fleet.of("db_clusters", place.account, place.region):
        about = _database(one) | {"db_cluster_identifier": one.id, "master_user_password": "not-told-00"}
        about |= {"engine_version": one.own["EngineVersion"]}
        backend.create_db_cluster(about)
    for one in fleet.of("db_instances", place.account, place.region):
        about = _database(one) | {"db_instance_identifier": one.id}
        about |= {"db_instance_class": one.own["DBInstanceClass"]}
        if cluster := one.own.get("DBClusterIdentifier"):
            about |= {"db_cluster_identifier": cluster}
        else:
            about |= {"allocated_storage": one.own["AllocatedStorage"]}
            about |= {"engine_version": one.own["EngineVersion"]}
        backend.create_db_instance(about)


def _database(one: Record) -> dict[str, Any]:
    about = {"engine": one.own["Engine"], "master_username": "admin_app", "tags": pairs(one.tags)}
    # Without a group moto would look for a default network, which not every region has.
    return about | {"vpc_security_group_ids": ["sg-0d1a2b3c4d5e6f708"]}


def elasticache(fleet: Fleet, place: Place) -> None:
    """Caches, each a cluster of nodes."""
    from moto.elasticache.models import CacheCluster, elasticache_backends

    backend = elasticache_backends[place.number][place.region]
    names = inspect.signature(CacheCluster).parameters
    for one in fleet.of("caches", place.account, place.region):
        about = dict.fromkeys(names) | {"account_id": place.number, "region_name": place.region}
        about |= {"cache_cluster_id": one.id, "cache_node_type": one.own["CacheNodeType"]}
        about |= {"engine": one.own["Engine"], "num_cache_nodes": one.own["NumCacheNodes"]}
        backend.cache_clusters[one.id] = CacheCluster(**about)


def dynamodb(fleet: Fleet, place: Place) -> None:
    """Tables."""
    from moto.dynamodb.models import dynamodb_backends

    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    backend = dynamodb_backends[place.number][place.region]
    for one in fleet.of("tables", place.account, place.region):
        backend.create_table(
            one.id,
            schema=key,
            throughput=None,
            attr=[{"AttributeName": "id", "AttributeType": "S"}],
            global_indexes=[],
            indexes=[],
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=pairs(one.tags),
            deletion_protection_enabled=False,
            warm_throughput=None,
        )


def s3(fleet: Fleet, place: Place) -> None:
    """All buckets of an account, whatever the region."""
    from moto.s3.models import s3_backends

    backend = s3_backends[place.number]["aws"]
    for one in fleet.of("buckets", place.account):
        if one.id not in backend.buckets:
            made = backend.create_bucket(one.id, one.region)
            backend.put_bucket_tagging(made.name, dict(one.tags))


def route53(fleet: Fleet, place: Place) -> None:
    """All zones of an account."""
    from moto.route53.models import route53_backends

    backend = route53_backends[place.number]["aws"]
    for one in fleet.of("zones", place.account):
        made = backend.create_hosted_zone(one.own["Name"], one.own["Config"]["PrivateZone"])
        del backend.zones[made.resource_id]
        made.resource_id = one.id
        backend.zones[one.id] = made
        backend.change_tags_for_resource("hostedzone", one.id, pairs(one.tags), [])


def elb(fleet: Fleet, place: Place) -> None:
    """Classic load balancers."""
    from moto.elb.models import elb_backends

    ports = [{"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}]
    backend = elb_backends[place.number][place.region]
    nets = fleet.of("subnets", place.account, place.region)
    groups = fleet.of("security_groups", place.account, place.region)
    for one in fleet.of("classic_load_balancers", place.account, place.region):
        inside, own = (
            [two.id for two in held if two.own["VpcId"] == one.own["VPCId"]] for held in (nets, groups)
        )
        made = backend.create_load_balancer(one.id, [], ports, subnets=inside, security_groups=own[:1])
        for key, value in one.tags.items():
            made.add_tag(key, value)


def elbv2(fleet: Fleet, place: Place) -> None:
    """Application and network load balancers."""
    from moto.elbv2.models import elbv2_backends

    backend = elbv2_backends[place.number][place.region]
    nets = fleet.of("subnets", place.account, place.region)
    for one in fleet.of("load_balancers", place.account, place.region):
        inside = [two.id for two in nets if two.own["VpcId"] == one.own["VpcId"]]
        made = backend.create_load_balancer(
            one.id, [], inside, scheme=one.own["Scheme"], loadbalancer_type=one.own["Type"]
        )
        del backend.load_balancers[made.arn]
        made.arn = arn(fleet, one, place.number)
        backend.load_balancers[made.arn] = made
        backend.tagging_service.tag_resource(made.arn, pairs(one.tags))


def arn(fleet: Fleet, record: Record, number: str) -> str:
    """A record's ARN, as the fleet file says it is made."""
    form: str = fleet.file["resources"][record.group]["arn"]
    return form.format(region=record.region, number=number, id=record.id, **record.own)


NEEDS = {"elb": ("ec2",), "elbv2": ("ec2",)}
"""What moto looks up elsewhere."""

SEEDS: Mapping[str, Callable[[Fleet, Place], None]] = {
    "dynamodb": dynamodb,
    "ec2": ec2,
    "ecr": ecr,
    "ecs": ecs,
    "eks": eks,
    "elasticache": elasticache,
    "elb": elb,
    "elbv2": elbv2,
    "lambda": functions,
    "rds": rds,
    "route53": route53,
    "s3": s3,
}
