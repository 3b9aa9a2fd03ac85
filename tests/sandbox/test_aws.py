"""The sandbox's AWS as boto3 alone sees it; what must be there is computed from the file by other code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from cloudtop.sandbox.clouds.aws import ACCOUNTS
from cloudtop.sandbox.serve import Sandbox, running
from tests.audit import company
from tests.sandbox.amazon import LISTED, PLACES, client, expected, ids, pages

NOW = datetime(2026, 11, 20, 14, 20, 30, tzinfo=UTC)
BUCKETS = [one for one in company.things("aws") if one.group == "buckets"]


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with running(("aws",), now=NOW) as made:
        yield made


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.calm()
    return running_sandbox


@pytest.fixture
def aws(sandbox: Sandbox) -> Iterator[Any]:
    """Makes clients, and closes them."""
    made: list[Any] = []

    def make(service: str, account: str = "prod", region: str = "us-east-1") -> Any:
        made.append(client(service, sandbox.endpoint("aws"), account, region))
        return made[-1]

    yield make
    for one in made:
        one.close()


def refused(ask: Any, **arguments: Any) -> tuple[str, int]:
    """The code and status of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        ask(**arguments)
    said: Any = caught.value.response
    return said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("group", LISTED)
def test_every_listing_has_what_the_file_has_in_two_pages_and_twice_the_same(
    sandbox: Sandbox, group: str
) -> None:
    endpoint = sandbox.endpoint("aws")
    lengths = []
    for account, region in PLACES:
        wanted = list(expected(group, account, region))
        if wanted or (account, region) == PLACES[0]:
            first, again = (pages(endpoint, group, account, region) for _ in range(2))
            assert first == again
            assert sorted(ids(group, [one for page in first for one in page])) == sorted(wanted)
            assert len(first) == min(2, max(1, len(wanted)))
            lengths.append(len(first))
    assert max(lengths) == 2


def test_buckets_come_from_all_regions_and_in_pages_where_a_limit_is_given(aws: Any) -> None:
    for account in ACCOUNTS:
        s3 = aws("s3", account)
        wanted = {one.id: one.told("region") or one.region for one in BUCKETS if one.account == account}
        at_once = s3.list_buckets()
        paged = list(s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1000}))
        assert {one["Name"] for one in at_once["Buckets"]} == set(wanted)
        assert len(paged) == 2
        told = {one["Name"]: one.get("BucketRegion") for page in paged for one in page["Buckets"]}
        bare = {one.id for one in BUCKETS if "BucketRegion" in one.said.get("without", ())}
        assert told == {name: None if name in bare else region for name, region in wanted.items()}
        assert "ContinuationToken" not in at_once


def test_addresses_and_regions_have_no_pages(aws: Any) -> None:
    ec2 = aws("ec2")
    found = ec2.describe_addresses()["Addresses"]
    assert {one["AllocationId"] for one in found} == set(expected("addresses", "prod", "us-east-1"))
    assert [one.get("InstanceId") for one in found].count(None) == 2
    regions = {one["RegionName"] for one in ec2.describe_regions()["Regions"]}
    assert regions == set(company.file("aws")["accounts"]["prod"]["regions"])


def test_fields_tags_and_times_are_those_of_the_file(aws: Any) -> None:
    """Instances stand for the others, whose shapes differ by service: those are in the audit of the rows."""
    for account, region in PLACES:
        found = {
            one["InstanceId"]: one
            for page in aws("ec2", account, region).get_paginator("describe_instances").paginate()
            for held in page["Reservations"]
            for one in held["Instances"]
        }
        for thing in company.of("aws", "instance"):
            if (thing.account, thing.region) != (account, region):
                continue
            one = found[thing.id]
            assert {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())} == thing.tags
            for field in (
                "InstanceType",
                "State",
                "PrivateIpAddress",
                "PublicIpAddress",
                "InstanceLifecycle",
            ):
                assert one.get(field) == thing.told(field), (thing.id, field)
            age = thing.age()
            assert age is not None
            left_out = "LaunchTime" in thing.said.get("without", ())
            assert one.get("LaunchTime") == (None if left_out else company.hour(NOW) - age)
            assert [name for name in thing.said.get("without", ()) if name in one] == []


def test_an_instance_stands_in_the_zone_and_network_of_its_subnet(aws: Any) -> None:
    zones = {one.id: (one.said["AvailabilityZone"], one.said["VpcId"]) for one in company.of("aws", "subnet")}
    (cache,) = [one for one in company.of("aws", "instance") if one.tags.get("Name") == "cache-01"]
    told = aws("ec2").describe_instances(InstanceIds=[cache.id])["Reservations"][0]["Instances"][0]
    assert (told["Placement"]["AvailabilityZone"], told["VpcId"]) == zones[cache.said["SubnetId"]]
    devices = {one["DeviceName"]: one["Ebs"]["VolumeId"] for one in told["BlockDeviceMappings"]}
    assert devices["/dev/sdf"] == "vol-99ff"
    (volume,) = aws("ec2").describe_volumes(VolumeIds=["vol-99ff"])["Volumes"]
    assert volume["State"] == "in-use"
    assert volume["Attachments"][0]["InstanceId"] == cache.id


def test_of_a_terminated_instance_no_network_is_told(aws: Any) -> None:
    wanted = [{"Name": "instance-state-name", "Values": ["terminated"]}]
    (held,) = aws("ec2").describe_instances(Filters=wanted)["Reservations"]
    (gone,) = held["Instances"]
    assert gone["State"]["Name"] == "terminated"
    assert not {"SubnetId", "VpcId", "PrivateIpAddress"} & set(gone)


def test_status_checks_tell_what_is_impaired(aws: Any) -> None:
    def checks(region: str) -> dict[str, tuple[str, str]]:
        found = aws("ec2", region=region).get_paginator("describe_instance_status").paginate()
        told = [one for page in found for one in page["InstanceStatuses"]]
        return {
            one["InstanceId"]: (one["InstanceStatus"]["Status"], one["SystemStatus"]["Status"])
            for one in told
            if (one["InstanceStatus"]["Status"], one["SystemStatus"]["Status"]) != ("ok", "ok")
        }

    named = {one.tags.get("Name"): one.id for one in company.of("aws", "instance")}
    assert checks("us-east-1") == {named["web-prod-3"]: ("impaired", "ok")}
    assert checks("eu-central-1") == {named["batch-eu-1"]: ("initializing", "initializing")}


def test_who_asks_for_all_snapshots_is_told_of_a_strangers_too(aws: Any) -> None:
    found = aws("ec2").get_paginator("describe_snapshots").paginate()
    owners = {one["OwnerId"] for page in found for one in page["Snapshots"]}
    assert owners == {company.file("aws")["accounts"]["prod"]["number"], "999999999999"}


def test_clusters_services_and_node_groups_are_told_one_by_one(aws: Any) -> None:
    eks, ecs = aws("eks"), aws("ecs")
    told = eks.describe_cluster(name="prod-us")["cluster"]
    assert (told["version"], told["status"]) == ("1.33", "ACTIVE")
    groups = [one for page in eks.get_paginator("list_nodegroups").paginate(clusterName="prod-us")
              for one in page["nodegroups"]]  # fmt: skip
    assert sorted(groups) == ["general", "spot"]
    general = eks.describe_nodegroup(clusterName="prod-us", nodegroupName="general")["nodegroup"]
    assert general["scalingConfig"]["desiredSize"] == 2
    arns = [one for page in ecs.get_paginator("list_services").paginate(cluster="prod-services")
            for one in page["serviceArns"]]  # fmt: skip
    services = ecs.describe_services(cluster="prod-services", services=arns, include=["TAGS"])["services"]
    counts = {one["serviceName"]: (one["runningCount"], one["desiredCount"]) for one in services}
    assert counts == {"checkout": (4, 4), "tracking": (4, 6), "label-api": (2, 2)}
    (cluster,) = ecs.describe_clusters(clusters=["prod-services"], include=["TAGS"])["clusters"]
    assert (cluster["runningTasksCount"], cluster["activeServicesCount"]) == (10, 3)


def test_tags_that_stand_apart_are_told_by_each_service_in_its_own_way(aws: Any) -> None:
    by_name = {(one.group, one.id): one for one in company.things("aws")}

    def tags(group: str, name: str) -> tuple[str, dict[str, str]]:
        return by_name[group, name].names[-1], dict(by_name[group, name].tags)

    arn, wanted = tags("functions", "parcel-events")
    assert aws("lambda").list_tags(Resource=arn)["Tags"] == wanted
    arn, wanted = tags("tables", "parcels")
    listing = aws("dynamodb").get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    assert {one["Key"]: one["Value"] for page in listing for one in page["Tags"]} == wanted
    arn, wanted = tags("load_balancers", "api-gateway")
    (told,) = aws("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert {one["Key"]: one["Value"] for one in told["Tags"]} == wanted
    s3 = aws("s3")
    told = s3.get_bucket_tagging(Bucket="brightwater-assets")["TagSet"]
    assert {one["Key"]: one["Value"] for one in told} == tags("buckets", "brightwater-assets")[1]
    assert refused(s3.get_bucket_tagging, Bucket="brightwater-empty") == ("NoSuchTagSet", 404)


def test_resources_are_found_by_their_tags_but_those_that_never_had_one(aws: Any) -> None:
    def found(**wanted: Any) -> set[str]:
        listing = aws("resourcegroupstaggingapi").get_paginator("get_resources").paginate(**wanted)
        return {one["ResourceARN"] for page in listing for one in page["ResourceTagMappingList"]}

    here = [one for one in company.things("aws") if (one.account, one.region) == ("prod", "us-east-1")]
    tagged = {one.names[-1] for one in here if one.tags}
    assert found() == tagged
    functions = {one.names[-1] for one in here if one.group == "functions" and one.tags}
    assert found(ResourceTypeFilters=["lambda:function"]) == functions
    buckets = {one.names[-1] for one in here if one.group == "buckets" and one.tags}
    assert found(ResourceTypeFilters=["s3"]) == buckets
    costs = {one.names[-1] for one in here if one.tags.get("cost-center") == "4711"}
    assert found(TagFilters=[{"Key": "cost-center", "Values": ["4711"]}]) == costs


def test_the_canaries_are_really_told(aws: Any) -> None:
    """Else nobody could find out that they are shown nowhere."""
    said = ""
    for region in ("us-east-1", "eu-central-1"):
        said += str(list(aws("lambda", region=region).get_paginator("list_functions").paginate()))
    said += str(aws("rds").describe_db_instances(DBInstanceIdentifier="db-main"))
    assert [one for one in company.canaries("aws") if one not in said] == []


def test_types_tell_what_they_are_made_of_and_shares_of_a_gpu(aws: Any) -> None:
    wanted = ["g6f.large", "p5.48xlarge", "m7i.xlarge"]
    found = {one["InstanceType"]: one for one in
             aws("ec2").describe_instance_types(InstanceTypes=wanted)["InstanceTypes"]}  # fmt: skip
    assert sorted(found) == sorted(wanted)
    (share,) = found["g6f.large"]["GpuInfo"]["Gpus"]
    assert (share["Name"], share["GpuPartitionSize"]) == ("L4", 0.125)
    assert found["p5.48xlarge"]["GpuInfo"]["Gpus"][0]["Count"] == 8
    assert "GpuInfo" not in found["m7i.xlarge"]


def test_every_type_of_the_company_is_one_that_there_is_and_has_its_price(aws: Any) -> None:
    types = sorted({one.said["InstanceType"] for one in company.of("aws", "instance")})
    told = aws("ec2").describe_instance_types(InstanceTypes=types)["InstanceTypes"]
    assert sorted(one["InstanceType"] for one in told) == types
    assert set(types) == set(company.file("aws")["prices"])


# Keys and permissions

KEYED = {
    "ec2": ("describe_vpcs", "AuthFailure", 401),
    "rds": ("describe_db_instances", "InvalidClientTokenId", 403),
    "elbv2": ("describe_load_balancers", "InvalidClientTokenId", 403),
    "sts": ("get_caller_identity", "InvalidClientTokenId", 403),
    "s3": ("list_buckets", "InvalidAccessKeyId", 403),
    "eks": ("list_clusters", "UnrecognizedClientException", 403),
    "lambda": ("list_functions", "UnrecognizedClientException", 403),
    "dynamodb": ("list_tables", "UnrecognizedClientException", 400),
    "cloudwatch": ("list_metrics", "UnrecognizedClientException", 400),
}


@pytest.mark.parametrize("service", KEYED)
def test_a_wrong_key_meets_the_error_of_the_service(aws: Any, service: str) -> None:
    operation, code, status = KEYED[service]
    assert refused(getattr(aws(service, "AKIAOFNOBODYOFNOBODY"), operation)) == (code, status)


def test_a_request_that_is_not_signed_is_refused(sandbox: Sandbox) -> None:
    for path in ("/", "/clusters"):
        answer = httpx.request("GET", sandbox.endpoint("aws") + path)
        assert answer.status_code == 403
        assert "MissingAuthenticationToken" in answer.text


CHANGES = {
    "ec2": ("run_instances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}, "UnauthorizedOperation"),
    "rds": ("delete_db_instance", {"DBInstanceIdentifier": "db-main"}, "AccessDenied"),
    "dynamodb": ("delete_table", {"TableName": "parcels"}, "AccessDeniedException"),
    "lambda": ("delete_function", {"FunctionName": "parcel-events"}, "AccessDeniedException"),
    "s3": ("delete_bucket", {"Bucket": "brightwater-empty"}, "AccessDenied"),
    "eks": ("delete_cluster", {"name": "prod-us"}, "AccessDeniedException"),
}


@pytest.mark.parametrize("service", CHANGES)
def test_nothing_can_be_changed(aws: Any, service: str) -> None:
    operation, arguments, code = CHANGES[service]
    assert refused(getattr(aws(service), operation), **arguments)[0] == code


def test_each_key_is_of_one_account_and_its_number_is_told(aws: Any) -> None:
    for account, about in company.file("aws")["accounts"].items():
        told = aws("sts", account).get_caller_identity()
        assert told["Account"] == about["number"]
        assert told["Arn"] == f"arn:aws:iam::{about['number']}:user/{about['user']}"


def test_a_policy_is_simulated_as_it_holds(aws: Any) -> None:
    about = company.file("aws")["accounts"]["sandbox"]
    arn = f"arn:aws:iam::{about['number']}:user/{about['user']}"
    iam = aws("iam", "sandbox")
    actions = ["ec2:DescribeInstances", "ce:GetCostAndUsage", "iam:ListUsers", "rds:DescribeDBInstances"]
    listing = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn, ActionNames=actions
    )
    found = list(listing)
    told = {one["EvalActionName"]: one["EvalDecision"] for page in found for one in page["EvaluationResults"]}
    assert told == dict(zip(actions, ("allowed", "implicitDeny", "implicitDeny", "allowed"), strict=True))
    assert len(found) == 2
    assert refused(iam.list_users) == ("AccessDenied", 403)
    other = arn.replace(about["user"], "nobody")
    assert refused(iam.simulate_principal_policy, PolicySourceArn=other, ActionNames=actions)[1] == 404
    wrong = refused(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["everything"])
    assert wrong[0] == "InvalidInput"


def test_a_dry_run_says_what_would_have_been_allowed(aws: Any) -> None:
    assert refused(aws("ec2").describe_vpcs, DryRun=True) == ("DryRunOperation", 412)
    run = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "DryRun": True}
    assert refused(aws("ec2").run_instances, **run)[0] == "UnauthorizedOperation"


def test_a_region_that_is_not_switched_on_is_denied(aws: Any) -> None:
    assert refused(aws("ec2", region="eu-south-2").describe_vpcs) == ("UnauthorizedOperation", 403)


def test_one_region_one_service_or_one_account_can_be_denied_alone(sandbox: Sandbox, aws: Any) -> None:
    def denied() -> list[tuple[str, str, str]]:
        found = []
        for account, region in (("prod", "us-east-1"), ("prod", "us-west-2"), ("sandbox", "us-west-2")):
            for service, operation in (("ec2", "describe_vpcs"), ("dynamodb", "list_tables")):
                try:
                    getattr(aws(service, account, region), operation)()
                except ClientError as error:
                    codes.add((service, error.response["Error"]["Code"]))
                    found.append((account, region, service))
        return found

    codes: set[tuple[str, str]] = set()

    sandbox.fault("aws", "403", signed=("/us-west-2/ec2/",))
    assert denied() == [("prod", "us-west-2", "ec2"), ("sandbox", "us-west-2", "ec2")]
    sandbox.calm()
    sandbox.fault("aws", "403", signed=(ACCOUNTS["prod"]["access_key_id"], "/us-west-2/"))
    assert denied() == [("prod", "us-west-2", "ec2"), ("prod", "us-west-2", "dynamodb")]
    assert codes == {("ec2", "UnauthorizedOperation"), ("dynamodb", "AccessDeniedException")}
    sandbox.calm()
    assert denied() == []


# Strictness of what is ours


def test_what_a_service_does_not_have_is_refused(aws: Any) -> None:
    assert refused(aws("cloudwatch").describe_alarms)[0] == "InvalidAction"
    assert refused(aws("ec2").describe_vpcs, NextToken="nonsense")[0] == "InvalidParameterValue"
    wrong = [{"Name": "colour", "Values": ["red"]}]
    assert refused(aws("ec2").describe_instances, Filters=wrong)[0] == "InvalidParameterValue"
    assert refused(aws("ec2").describe_instances, InstanceIds=["i-1"])[0] == "InvalidInstanceID.NotFound"
    assert refused(aws("eks").describe_cluster, name="nowhere") == ("ResourceNotFoundException", 404)


def test_a_token_is_good_for_its_own_listing_alone(aws: Any) -> None:
    token = aws("ec2").describe_vpcs()["NextToken"]
    assert aws("ec2").describe_vpcs(NextToken=token)["Vpcs"]
    assert refused(aws("ec2").describe_volumes, NextToken=token)[0] == "InvalidParameterValue"
    assert refused(aws("ec2", "sandbox").describe_vpcs, NextToken=token)[0] == "InvalidParameterValue"


def test_an_argument_that_nobody_knows_is_refused(aws: Any) -> None:
    ec2, metrics = aws("ec2"), aws("cloudwatch")
    ec2.meta.events.register("before-call", lambda params, **_: params["body"].update(Colour="red"))
    assert refused(ec2.describe_vpcs)[0] == "ValidationError"
    more = b'{"Colour": "red"}'
    metrics.meta.events.register("before-call", lambda params, **_: params.update(body=more))
    assert refused(metrics.list_metrics)[0] == "ValidationError"


def test_a_page_is_as_short_as_asked_for(aws: Any) -> None:
    sizes = {"PageSize": 5}
    found = list(aws("ec2").get_paginator("describe_volumes").paginate(PaginationConfig=sizes))
    wanted = len(list(expected("volumes", "prod", "us-east-1")))
    assert [len(page["Volumes"]) for page in found] == [5] * (wanted // 5) + [wanted % 5] * bool(wanted % 5)


def test_prices_of_types_are_found_by_their_attributes(aws: Any) -> None:
    import json

    about = {"instanceType": "m7i.large", "regionCode": "eu-central-1", "operatingSystem": "Linux",
             "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}  # fmt: skip

    def usd(**changed: str) -> list[str]:
        wanted = [{"Type": "TERM_MATCH", "Field": name, "Value": value}
                  for name, value in {**about, **changed}.items()]  # fmt: skip
        answer = aws("pricing").get_products(ServiceCode="AmazonEC2", Filters=wanted)
        found = [json.loads(one) for one in answer["PriceList"]]
        return [
            price["pricePerUnit"]["USD"]
            for one in found
            for term in one["terms"]["OnDemand"].values()
            for price in term["priceDimensions"].values()
        ]

    assert usd() == [f"{company.file('aws')['prices']['m7i.large']['eu-central-1']:.10f}"]
    assert usd(operatingSystem="Windows") != usd()
    assert usd(instanceType="m99.large") == []
    assert refused(aws("pricing", region="us-west-2").get_products, ServiceCode="AmazonEC2")[0] == (
        "InvalidParameterException"
    )


# The sandbox as a process


def test_prices_and_identities_wait_for_no_moto() -> None:
    code = """
import sys
from contextlib import closing
from cloudtop.sandbox.serve import running
from tests.sandbox.amazon import client
with running(("aws",)) as sandbox:
    with closing(client("ec2", sandbox.endpoint("aws"))) as ec2:
        assert ec2.describe_spot_price_history()["SpotPriceHistory"]
    with closing(client("sts", sandbox.endpoint("aws"))) as sts:
        assert sts.get_caller_identity()["Account"]
    assert "moto" not in sys.modules
    with closing(client("ec2", sandbox.endpoint("aws"))) as ec2:
        assert ec2.describe_vpcs()["Vpcs"]
    assert "moto" in sys.modules and "moto.rds" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_two_sandboxes_of_one_process_each_have_their_own_time() -> None:
    def launched(endpoint: str) -> datetime:
        with closing(client("ec2", endpoint)) as ec2:
            found: datetime = ec2.describe_instances()["Reservations"][0]["Instances"][0]["LaunchTime"]
            return found

    later = NOW + timedelta(days=3, hours=2)
    with running(("aws",), now=NOW) as early, running(("aws",), now=later) as late:
        first, second = (launched(one.endpoint("aws")) for one in (early, late))
        assert second - first == timedelta(days=3, hours=2)
        assert launched(early.endpoint("aws")) == first
