"""Amazon's listings on the wire: pages, what is asked besides, and what a refusal costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudtop.errors import CloudError, Forbidden, Invalid, RateLimited
from connectors import base, discovery
from tests.connectors.aws_server import (
    Asked,
    House,
    amazon,
    denied,
    ec2,
    machines,
    query,
    rows,
    throttled,
)
from tests.connectors.raw_servers import reply

pytest.importorskip("boto3")

STATUSES = ec2("DescribeInstanceStatus", "<instanceStatusSet/>")
NO_TYPES = ec2("DescribeInstanceTypes", "<instanceTypeSet/>")


def types(asked: Asked) -> bytes:
    """Four vCPUs and 16 GiB, whatever type is asked about, but none of a type named `gone`."""
    wanted = [value for name, value in asked.arguments.items() if name.startswith("Filter.1.Value.")]
    items = "".join(
        f"<item><instanceType>{kind}</instanceType><vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo>"
        "<memoryInfo><sizeInMiB>16384</sizeInMiB></memoryInfo></item>"
        for kind in wanted
        if kind != "gone"
    )
    return ec2("DescribeInstanceTypes", f"<instanceTypeSet>{items}</instanceTypeSet>")


async def test_an_answer_without_its_list_of_instances_is_no_empty_listing() -> None:
    pages: list[Any] = [machines("m5.large", more="t1"), ec2("DescribeInstances", "<nextToken/>")]
    async with (
        amazon(
            DescribeInstances=pages, DescribeInstanceTypes=types, DescribeInstanceStatus=STATUSES
        ) as cloud,
        House(cloud).opened() as aws,
    ):
        with pytest.raises(Invalid, match="without a list of Reservations"):
            await rows(aws, "instances")


async def test_every_page_is_read_and_every_type_asked_for_once() -> None:
    pages: list[Any] = [
        machines("m5.large", "c5.large", more="t1"),
        machines("m5.large", "r5.large", first=3, more="t2"),
        machines("gone", first=5),
    ]
    async with (
        amazon(
            DescribeInstances=pages, DescribeInstanceTypes=types, DescribeInstanceStatus=STATUSES
        ) as cloud,
        House(cloud).opened() as aws,
    ):
        found, notes = await rows(aws, "instances")
        assert [one.id for one in found] == ["i-1", "i-2", "i-3", "i-4", "i-5"]
        assert [one.vcpus for one in found] == [4, 4, 4, 4, None]
        assert notes == []
        asked = [
            {value for name, value in one.arguments.items() if name.startswith("Filter.1.Value.")}
            for one in cloud.of("DescribeInstanceTypes")
        ]
        assert asked == [{"m5.large", "c5.large"}, {"r5.large"}, {"gone"}]
        assert [one.arguments.get("NextToken") for one in cloud.of("DescribeInstances")] == [None, "t1", "t2"]
        cloud.answers["DescribeInstances"] = machines("m5.large")
        await rows(aws, "instances")
        assert len(cloud.of("DescribeInstanceTypes")) == 3, "known types are not asked for again"


async def test_types_may_come_in_several_pages() -> None:
    def one_a_page(asked: Asked) -> bytes:
        at = int(asked.arguments.get("NextToken", "0"))
        kinds = [value for name, value in asked.arguments.items() if name.startswith("Filter.1.Value.")]
        more = f"<nextToken>{at + 1}</nextToken>" if at + 1 < len(kinds) else ""
        about = f"<instanceType>{kinds[at]}</instanceType><vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo>"
        return ec2("DescribeInstanceTypes", f"<instanceTypeSet><item>{about}</item></instanceTypeSet>{more}")

    machine = machines("m5.large", "c5.large", "r5.large")
    async with amazon(
        DescribeInstances=machine, DescribeInstanceTypes=one_a_page, DescribeInstanceStatus=STATUSES
    ) as cloud:
        found, notes = await House(cloud).listed("instances")
    assert [one.vcpus for one in found] == [4, 4, 4]
    assert notes == []


async def test_types_are_asked_for_a_hundred_at_a_time() -> None:
    kinds = [f"x{n}.large" for n in range(230)]
    async with amazon(
        DescribeInstances=machines(*kinds), DescribeInstanceTypes=types, DescribeInstanceStatus=STATUSES
    ) as cloud:
        found, _ = await House(cloud).listed("instances")
    assert len(found) == 230
    assert all(one.ram_gib == 16 for one in found)
    sizes = [
        sum(name.startswith("Filter.1.Value.") for name in one.arguments)
        for one in cloud.of("DescribeInstanceTypes")
    ]
    assert sorted(sizes) == [30, 100, 100]


async def test_only_those_who_fail_a_check_are_asked_for() -> None:
    def impaired(asked: Asked) -> bytes:
        if asked.arguments["Filter.1.Name"] != "system-status.status":
            return STATUSES
        system = "<systemStatus><status>impaired</status></systemStatus>"
        item = f"<item><instanceId>i-2</instanceId>{system}</item>"
        return ec2("DescribeInstanceStatus", f"<instanceStatusSet>{item}</instanceStatusSet>")

    async with amazon(
        DescribeInstances=machines("m5.large", "m5.large"),
        DescribeInstanceTypes=types,
        DescribeInstanceStatus=impaired,
    ) as cloud:
        found, _ = await House(cloud).listed("instances")
    assert [(one.health, one.health_message) for one in found] == [
        (None, None),
        ("failing", "The system status check fails."),
    ]
    asked = {one.arguments["Filter.1.Name"] for one in cloud.of("DescribeInstanceStatus")}
    assert asked == {"instance-status.status", "system-status.status", "attached-ebs-status.status"}


async def test_an_empty_region_costs_one_request() -> None:
    async with amazon(DescribeInstances=machines()) as cloud:
        found, notes = await House(cloud).listed("instances")
    assert (found, notes) == ([], [])
    assert [one.operation for one in cloud.asked] == ["DescribeInstances"]


async def test_what_may_not_be_asked_besides_costs_no_instance_and_is_said() -> None:
    async with amazon(DescribeInstances=machines("g5.xlarge")) as cloud:
        found, notes = await House(cloud).listed("instances")
    assert [(one.id, one.vcpus, [gpu.gpu for gpu in one.gpus]) for one in found] == [("i-1", None, ["A10G"])]
    assert sorted((note.code, note.message.partition(". ")[0]) for note in notes) == [
        ("forbidden", "Status checks of instances are not known"),
        ("forbidden", "What instance types are made of is not known"),
    ]


@pytest.mark.parametrize("operation", ["DescribeInstanceTypes", "DescribeInstanceStatus"])
async def test_a_cloud_that_asks_to_wait_fails_the_listing_so_that_old_rows_stay(operation: str) -> None:
    answers: dict[str, Any] = {
        "DescribeInstances": machines("m5.large"),
        "DescribeInstanceTypes": types,
        "DescribeInstanceStatus": STATUSES,
        operation: reply(400, "<Response><Errors><Error><Code>Throttling</Code></Error></Errors></Response>"),
    }
    async with amazon(**answers) as cloud:
        with pytest.raises(RateLimited):
            await House(cloud).listed("instances")


async def test_trouble_of_what_is_asked_besides_is_tried_once_more_and_costs_no_row() -> None:
    broken = reply(500, "<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>")
    async with amazon(
        DescribeInstances=machines("m5.large"), DescribeInstanceTypes=broken, DescribeInstanceStatus=STATUSES
    ) as cloud:
        found, notes = await House(cloud).listed("instances")
    assert len(found) == 1
    assert [note.code for note in notes] == ["unavailable"]
    assert len(cloud.of("DescribeInstanceTypes")) == 2


async def test_records_without_an_id_are_counted() -> None:
    items = "<item><instancesSet><item><instanceType>m5.large</instanceType></item></instancesSet></item>"
    page = ec2("DescribeInstances", f"<reservationSet>{items * 2}</reservationSet>")
    async with amazon(DescribeInstances=page) as cloud:
        found, notes = await House(cloud).listed("instances")
    assert found == []
    assert [note.message for note in notes] == [
        "2 instances of Amazon Web Services came without an id and were left out."
    ]


@pytest.mark.parametrize("kind", discovery.found()["aws"].lists)
async def test_a_listing_that_is_denied_costs_itself_alone_and_says_so(kind: str) -> None:
    async with amazon() as cloud:
        with pytest.raises(Forbidden):
            await House(cloud).listed(kind)
    assert len(cloud.asked) == 1


EMPTY: dict[str, tuple[str, bytes]] = {
    "functions": ("GET_2015_03_31_functions", reply(200, {"Functions": []})),
    "databases": ("DescribeDBInstances", query("rds", "DescribeDBInstances", "<DBInstances/>")),
    "volumes": ("DescribeVolumes", ec2("DescribeVolumes", "<volumeSet/>")),
    "addresses": ("DescribeAddresses", ec2("DescribeAddresses", "<addressesSet/>")),
    "tables": ("ListTables", reply(200, {"TableNames": []})),
    "ecs_services": ("ListClusters", reply(200, {"clusterArns": []})),
    "eks_clusters": ("GET_clusters", reply(200, {"clusters": []})),
    "repositories": ("DescribeRepositories", reply(200, {"repositories": []})),
    "buckets": (
        "GET_",
        reply(200, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
    ),
}


@pytest.mark.parametrize("kind", EMPTY)
async def test_a_kind_that_there_is_nothing_of_costs_one_request(kind: str) -> None:
    operation, answer = EMPTY[kind]
    async with amazon(**{operation: answer}) as cloud:
        assert await House(cloud).listed(kind) == ([], [])
    assert len(cloud.asked) == 1


async def test_an_answer_without_its_list_is_invalid_not_empty() -> None:
    async with amazon(DescribeVolumes=ec2("DescribeVolumes", "")) as cloud:
        with pytest.raises(Invalid, match="without a list of Volumes"):
            await House(cloud).listed("volumes")


FUNCTIONS = reply(
    200,
    {
        "Functions": [
            {"FunctionName": name, "FunctionArn": f"arn:aws:lambda:eu-west-1:1:function:{name}"}
            for name in ("a", "b", "c")
        ]
    },
)
TAGGED = [
    reply(200, {"ResourceTagMappingList": [mapping], "PaginationToken": token})
    for mapping, token in (
        ({"ResourceARN": "arn:aws:lambda:eu-west-1:1:function:a", "Tags": [{"Key": "k", "Value": "1"}]}, "2"),
        ({"ResourceARN": "arn:aws:lambda:eu-west-1:1:function:c", "Tags": []}, ""),
    )
]


def of_each(asked: Asked) -> bytes:
    return reply(200, {"Tags": {"own": asked.operation.rpartition("_")[2]}})


def functions(**more: Any) -> dict[str, Any]:
    each = {f"GET_2017_03_31_tags_arn_aws_lambda_eu_west_1_1_function_{name}": of_each for name in "abc"}
    return {"GET_2015_03_31_functions": FUNCTIONS, **each, **more}


async def test_tags_of_all_of_a_kind_are_asked_for_at_once() -> None:
    async with amazon(**functions(GetResources=list(TAGGED))) as cloud:
        found, notes = await House(cloud).listed("functions")
    assert [one.tags for one in found] == [{"k": "1"}, {}, {}]
    assert notes == []
    first, second = cloud.of("GetResources")
    assert first.arguments["ResourceTypeFilters"] == ["lambda:function"]
    assert second.arguments["PaginationToken"] == "2"
    assert len(cloud.asked) == 3


async def test_where_that_is_refused_each_is_asked_by_itself() -> None:
    for refusing in (denied("tagging"), reply(500, {}), reply(404, {}), reply(501, "<html></html>")):
        async with amazon(**functions(GetResources=refusing)) as cloud:
            found, notes = await House(cloud).listed("functions")
        assert [one.tags for one in found] == [{"own": "a"}, {"own": "b"}, {"own": "c"}]
        assert notes == []


async def test_where_that_is_refused_too_tags_are_not_known_and_it_is_said_once() -> None:
    async with amazon(GET_2015_03_31_functions=FUNCTIONS) as cloud:
        found, notes = await House(cloud).listed("functions")
    assert [(one.id, one.tags) for one in found] == [("a", None), ("b", None), ("c", None)]
    assert [(note.code, note.severity) for note in notes] == [("forbidden", "warning")]
    assert notes[0].message.startswith("Some tags are not known. ")


async def test_tags_that_must_be_waited_for_fail_the_listing_so_that_old_rows_stay() -> None:
    async with amazon(**functions(GetResources=throttled())) as cloud:
        with pytest.raises(RateLimited):
            await House(cloud).listed("functions")


async def test_one_closed_resource_does_not_hide_the_tags_of_the_others() -> None:
    listed = [f"bucket-{n}" for n in range(40)]
    body = "".join(
        f"<Bucket><Name>{name}</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>" for name in listed
    )
    each = {f"GET_{name.replace('-', '_')}": reply(200, TAGS) for name in listed[1:]}
    page = reply(200, f"<ListAllMyBucketsResult><Buckets>{body}</Buckets></ListAllMyBucketsResult>")
    async with amazon(GET_=page, **each) as cloud:
        found, notes = await House(cloud).listed("buckets")
    assert [one.id for one in found if one.tags is None] == ["bucket-0"]
    assert [(note.code, note.region) for note in notes] == [("forbidden", "eu-west-1")]


async def test_where_everything_is_closed_it_is_not_asked_for_one_by_one() -> None:
    body = "".join(
        f"<Bucket><Name>bucket-{n}</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>" for n in range(200)
    )
    page = reply(200, f"<ListAllMyBucketsResult><Buckets>{body}</Buckets></ListAllMyBucketsResult>")
    async with amazon(GET_=page) as cloud:
        found, _ = await House(cloud).listed("buckets")
    assert [one.tags for one in found] == [None] * 200
    assert len(cloud.asked) < 30


BUCKETS = (
    "<ListAllMyBucketsResult><Buckets>"
    "<Bucket><Name>here</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>"
    "<Bucket><Name>old</Name></Bucket><Bucket><Name>first</Name></Bucket><Bucket><Name>gone</Name></Bucket>"
    "<Bucket><Name>closed</Name></Bucket></Buckets></ListAllMyBucketsResult>"
)
PLACE = '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{}</LocationConstraint>'
NO_BUCKET = reply(404, "<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>")
NO_TAGS = reply(404, "<Error><Code>NoSuchTagSet</Code><Message>none</Message></Error>")
TAGS = "<Tagging><TagSet><Tag><Key>team</Key><Value>data</Value></Tag></TagSet></Tagging>"


def s3(asked: Asked) -> bytes:
    """Where a bucket is, or its tags."""
    name = asked.operation.removeprefix("GET_")
    if "tagging" in asked.arguments:
        return {"here": reply(200, TAGS), "old": NO_TAGS}.get(name, denied("s3"))
    places = {"old": PLACE.format("EU"), "first": PLACE.format("")}
    return NO_BUCKET if name == "gone" else reply(200, places[name]) if name in places else denied("s3")


async def test_buckets_stand_where_they_are_and_have_the_tags_of_their_region() -> None:
    answers: dict[str, Any] = {f"GET_{name}": s3 for name in ("here", "old", "first", "gone", "closed")}
    async with amazon(GET_=reply(200, BUCKETS), **answers) as cloud:
        found, notes = await House(cloud).listed("buckets")
    assert {one.id: (one.region, one.tags) for one in found} == {
        "here": ("eu-west-1", {"team": "data"}),
        "old": ("eu-west-1", {}),
        "first": ("us-east-1", None),
        "closed": (None, None),
    }
    assert sorted((note.message.partition(". ")[0], note.region) for note in notes) == [
        ("Regions of some buckets are not known", "global"),
        ("Some tags are not known", "global"),
        ("Some tags are not known", "us-east-1"),
    ]
    assert cloud.of("GET_")[0].arguments["max-buckets"] == "1000"
    assert {one.region for one in cloud.of("GetResources")} == {"eu-west-1", "us-east-1"}
    (tagging,) = (one for one in cloud.of("GET_here") if "tagging" in one.arguments)
    assert tagging.region == "eu-west-1"


def balancers(service: str) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        items = "".join(
            f"<member><LoadBalancerArn>arn:{n}</LoadBalancerArn><LoadBalancerName>lb-{n}</LoadBalancerName>"
            "</member>"
            for n in range(45)
        )
        return query(
            "elasticloadbalancing", "DescribeLoadBalancers", f"<LoadBalancers>{items}</LoadBalancers>"
        )

    return answer


async def test_where_one_call_tells_the_tags_of_many_it_is_asked_for_twenty() -> None:
    def tags(asked: Asked) -> bytes:
        arns = [value for name, value in asked.arguments.items() if name.startswith("ResourceArns.member.")]
        tagged = "".join(
            f"<member><ResourceArn>{arn}</ResourceArn><Tags><member><Key>arn</Key><Value>{arn}</Value>"
            "</member></Tags></member>"
            for arn in arns
        )
        return query("elasticloadbalancing", "DescribeTags", f"<TagDescriptions>{tagged}</TagDescriptions>")

    async with amazon(DescribeLoadBalancers=balancers("elbv2"), DescribeTags=tags) as cloud:
        found, _ = await House(cloud).listed("load_balancers")
    assert [one.tags for one in found] == [{"arn": f"arn:{n}"} for n in range(45)]
    assert len(cloud.of("DescribeTags")) == 3
    assert cloud.of("GetResources") == []


async def test_tables_are_described_each_and_one_that_went_meanwhile_is_no_row() -> None:
    def described(asked: Asked) -> bytes:
        name = asked.arguments["TableName"]
        if name == "table-b":
            return reply(400, {"__type": "ResourceNotFoundException", "message": "gone"})
        arn = f"arn:aws:dynamodb:eu-west-1:1:table/{name}"
        return reply(200, {"Table": {"TableArn": arn, "TableName": name, "TableStatus": "ACTIVE"}})

    pages: list[Any] = [
        reply(200, {"TableNames": ["table-a", "table-b"], "LastEvaluatedTableName": "table-b"}),
        reply(200, {"TableNames": ["table-c"]}),
    ]
    tagged = reply(200, {"ResourceTagMappingList": []})
    async with amazon(ListTables=pages, DescribeTable=described, GetResources=tagged) as cloud:
        found, notes = await House(cloud).listed("tables")
    assert [(one.name, one.status) for one in found] == [("table-a", "available"), ("table-c", "available")]
    assert notes == []


async def test_services_of_ecs_are_described_ten_at_a_time() -> None:
    cluster = "arn:aws:ecs:eu-west-1:1:cluster/main"
    arns = [f"arn:aws:ecs:eu-west-1:1:service/main/s{n}" for n in range(23)]

    def described(asked: Asked) -> bytes:
        assert asked.arguments["include"] == ["TAGS"]
        services = [{"serviceArn": arn, "status": "ACTIVE"} for arn in asked.arguments["services"]]
        return reply(200, {"services": services, "failures": []})

    async with amazon(
        ListClusters=reply(200, {"clusterArns": [cluster]}),
        ListServices=reply(200, {"serviceArns": arns}),
        DescribeServices=described,
    ) as cloud:
        found, _ = await House(cloud).listed("ecs_services")
    assert [one.id for one in found] == arns
    assert [len(one.arguments["services"]) for one in cloud.of("DescribeServices")] == [10, 10, 3]


async def test_a_cluster_without_leave_for_its_node_groups_is_a_row_all_the_same() -> None:
    cluster = {"cluster": {"name": "prod-eu", "status": "ACTIVE"}}
    async with amazon(
        GET_clusters=reply(200, {"clusters": ["prod-eu"]}), GET_clusters_prod_eu=reply(200, cluster)
    ) as cloud:
        found, notes = await House(cloud).listed("eks_clusters")
    assert [(one.name, one.status, one.node_count) for one in found] == [("prod-eu", "running", None)]
    assert [note.message.partition(". ")[0] for note in notes] == ["Node groups of clusters are not known"]


async def test_calls_for_single_resources_are_bounded() -> None:
    names = [f"t{n}" for n in range(60)]
    now = peak = 0

    async def ask(name: str) -> str:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        import asyncio

        await asyncio.sleep(0)
        now -= 1
        return name

    async with amazon() as cloud, House(cloud).opened() as aws:
        assert await aws.each(names, ask) == names
    assert peak == base.AT_ONCE


async def test_the_regions_are_those_that_the_account_has_switched_on() -> None:
    items = "".join(f"<item><regionName>{one}</regionName></item>" for one in ("us-east-1", "eu-south-2"))
    answer = ec2("DescribeRegions", f"<regionInfo>{items}<item/></regionInfo>")
    async with amazon(DescribeRegions=answer) as cloud, House(cloud).opened() as aws:
        from cloudtop.models import Scope

        scope = Scope("aws", "default", kind="divisions")
        found = [one async for page in aws.divisions(scope) for one in page]
    assert [(one.region, one.part) for one in found] == [("us-east-1", ""), ("eu-south-2", "")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(500, "<html><body>moto</body></html>"), "unavailable"),
        (reply(404, "not here"), "not_found"),
        (reply(400, {"__type": "UnknownOperationException"}), "invalid"),
        (reply(200, "<!doctype html><html></html>"), "invalid"),
    ],
)
async def test_an_operation_that_a_server_does_not_know_costs_that_kind_alone(
    answer: bytes, error: str
) -> None:
    async with amazon(DescribeVolumes=answer, DescribeVpcs=ec2("DescribeVpcs", "<vpcSet/>")) as cloud:
        with pytest.raises(CloudError) as caught:
            await House(cloud).listed("volumes")
        assert caught.value.code == error
        assert await House(cloud).listed("vpcs") == ([], [])
