"""What the fleet knows better than moto: its fields are laid over every record that moto tells.

Of each operation: where its records stand in an answer, of which group they are, and what names one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cloudtop.sandbox.aws.seeds import Place
from cloudtop.sandbox.aws.wire import Call
from cloudtop.sandbox.fleet import Fleet, Record

OURS = ("of", "checks", "agent", "gpus", "cluster", "storage", "objects", "kind", "tail")
"""Keys of the AWS fleet file that are no fields of AWS."""


ZONE = "/hostedzone/"
"""What Route 53 writes before the id of a zone."""


class Told(NamedTuple):
    """Records in an answer: the path to them (lists are walked through), their group, their name."""

    path: tuple[str, ...]
    group: str
    name: str


TOLD: Mapping[tuple[str, str], Told] = {
    ("dynamodb", "DescribeTable"): Told(("Table",), "tables", "TableName"),
    ("ec2", "DescribeAddresses"): Told(("Addresses",), "addresses", "AllocationId"),
    ("ec2", "DescribeImages"): Told(("Images",), "images", "ImageId"),
    ("ec2", "DescribeInstances"): Told(("Reservations", "Instances"), "instances", "InstanceId"),
    ("ec2", "DescribeInstanceStatus"): Told(("InstanceStatuses",), "instances", "InstanceId"),
    ("ec2", "DescribeSecurityGroups"): Told(("SecurityGroups",), "security_groups", "GroupId"),
    ("ec2", "DescribeSnapshots"): Told(("Snapshots",), "snapshots", "SnapshotId"),
    ("ec2", "DescribeSubnets"): Told(("Subnets",), "subnets", "SubnetId"),
    ("ec2", "DescribeVolumes"): Told(("Volumes",), "volumes", "VolumeId"),
    ("ec2", "DescribeVpcs"): Told(("Vpcs",), "vpcs", "VpcId"),
    ("ecr", "DescribeRepositories"): Told(("repositories",), "repositories", "repositoryName"),
    ("ecs", "DescribeClusters"): Told(("clusters",), "ecs_clusters", "clusterName"),
    ("ecs", "DescribeServices"): Told(("services",), "ecs_services", "serviceName"),
    ("eks", "DescribeCluster"): Told(("cluster",), "eks_clusters", "name"),
    ("eks", "DescribeNodegroup"): Told(("nodegroup",), "eks_nodegroups", "nodegroupName"),
    ("elasticache", "DescribeCacheClusters"): Told(("CacheClusters",), "caches", "CacheClusterId"),
    ("elb", "DescribeLoadBalancers"): Told(
        ("LoadBalancerDescriptions",), "classic_load_balancers", "LoadBalancerName"
    ),
    ("elbv2", "DescribeLoadBalancers"): Told(("LoadBalancers",), "load_balancers", "LoadBalancerName"),
    ("lambda", "GetFunction"): Told(("Configuration",), "functions", "FunctionName"),
    ("lambda", "GetFunctionConfiguration"): Told((), "functions", "FunctionName"),
    ("lambda", "ListFunctions"): Told(("Functions",), "functions", "FunctionName"),
    ("rds", "DescribeDBClusters"): Told(("DBClusters",), "db_clusters", "DBClusterIdentifier"),
    ("rds", "DescribeDBInstances"): Told(("DBInstances",), "db_instances", "DBInstanceIdentifier"),
    ("route53", "ListHostedZones"): Told(("HostedZones",), "zones", "Id"),
    ("s3", "ListBuckets"): Told(("Buckets",), "buckets", "Name"),
}


def mended(fleet: Fleet, place: Place, call: Call, result: dict[str, Any]) -> dict[str, Any]:
    """An answer of moto with the fleet's facts in it."""
    if call.operation == "DescribeRegions":
        mine = fleet.accounts[place.account]["regions"]
        return {"Regions": [one for one in result["Regions"] if one["RegionName"] in mine]}
    if call.operation == "DescribeSnapshots" and (owners := call.arguments.get("OwnerIds")):
        wanted = {place.number if one == "self" else one for one in owners}
        result["Snapshots"] = [one for one in result["Snapshots"] if one["OwnerId"] in wanted]
    told = TOLD.get((call.service, call.operation))
    if told is None:
        return result
    region = None if told.group in ("buckets", "zones") else place.region
    known = {(one.id, one.own.get("cluster")): one for one in fleet.of(told.group, place.account, region)}
    for record in records(result, told.path):
        name = record[told.name].removeprefix(ZONE)
        above = record.get("clusterName") or str(record.get("clusterArn", "")).rpartition("/")[2] or None
        one = known.get((name, above)) or known.get((name, None))
        if one is None:
            _date(record, fleet.started)
        elif call.operation == "DescribeInstanceStatus":
            _check(record, one)
        else:
            _mend(fleet, record, one, place)
    return result


def records(found: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The records at a path of an answer."""
    if isinstance(found, list):
        for one in found:
            yield from records(one, path)
    elif path:
        yield from records(found.get(path[0], []), path[1:])
    else:
        yield found


def _mend(fleet: Fleet, record: dict[str, Any], one: Record, place: Place) -> None:
    """Lay the fleet's facts over a record; every moment in it is the one at which it was created."""
    _date(record, one.created)
    own = {name: value for name, value in one.own.items() if name not in OURS}
    _lay(record, own | MORE.get(one.group, _nothing)(fleet, one, place))
    for name in one.without:
        record.pop(name, None)


def _date(found: Any, created: datetime | None) -> None:
    """Replace every moment, which moto took from the clock of the machine."""
    items: Any = found.items() if isinstance(found, dict) else enumerate(found)
    for name, value in list(items):
        if isinstance(value, datetime):
            if created is None:
                del found[name]
            else:
                found[name] = created
        elif isinstance(value, dict | list):
            _date(value, created)


def _lay(under: dict[str, Any], over: Mapping[str, Any]) -> None:
    for name, value in over.items():
        if isinstance(value, Mapping) and isinstance(under.get(name), dict):
            _lay(under[name], value)
        elif value is None:
            under.pop(name, None)
        else:
            under[name] = value


def _check(record: dict[str, Any], one: Record) -> None:
    """The status checks of an instance, where they are not as moto says."""
    words = {"impaired": "failed", "initializing": "initializing"}
    for what, status in one.own.get("checks", {}).items():
        if status != "ok":
            details = [{"Name": "reachability", "Status": words[status]}]
            record[f"{what.capitalize()}Status"] = {"Status": status, "Details": details}


def _nothing(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    return {}


def _instance(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    """Of a terminated instance AWS tells no network any more."""
    if one.own["State"]["Name"] != "terminated":
        return {}
    gone = ("SubnetId", "VpcId", "PrivateIpAddress", "PrivateDnsName", "PublicDnsName", "PublicIpAddress")
    return {**dict.fromkeys(gone), "NetworkInterfaces": [], "BlockDeviceMappings": []}


def _function(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    """Lambda writes its one time as a text; a function of an image has no runtime and no handler."""
    made: dict[str, Any] = {}
    if one.created:
        made["LastModified"] = f"{one.created:%Y-%m-%dT%H:%M:%S}.000+0000"
    if "Runtime" not in one.own:
        made |= {"Runtime": None, "Handler": None}
    return made


def _image(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    """EC2 writes this one time as a text."""
    created = one.created and f"{one.created:%Y-%m-%dT%H:%M:%S}.000Z"
    return {"CreationDate": created, "OwnerId": place.number}


def _bucket(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    return {"BucketRegion": one.region}


def _cluster(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    return {"certificateAuthority": {"data": "c2FuZGJveA=="}}


def _service(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    task = f"arn:aws:ecs:{place.region}:{place.number}:task-definition/{one.own['taskDefinition']}"
    return {"taskDefinition": task, "createdAt": one.created, "deployments": [], "events": []}


def _tasks(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    """What an ECS cluster counts of its services."""
    services = [two.own for two in fleet.of("ecs_services", one.account, one.region)]
    mine = [two for two in services if two["cluster"] == one.id]
    return {
        "activeServicesCount": len(mine),
        "runningTasksCount": sum(two["runningCount"] for two in mine),
        "pendingTasksCount": sum(two["pendingCount"] for two in mine),
    }


def _address(fleet: Fleet, one: Record, place: Place) -> dict[str, Any]:
    return {} if "of" in one.own else {"InstanceId": None, "NetworkInterfaceId": None}


MORE: Mapping[str, Callable[[Fleet, Record, Place], dict[str, Any]]] = {
    "addresses": _address,
    "buckets": _bucket,
    "ecs_clusters": _tasks,
    "ecs_services": _service,
    "eks_clusters": _cluster,
    "functions": _function,
    "images": _image,
    "instances": _instance,
}
"""What follows from a record and is not written in the fleet file."""
