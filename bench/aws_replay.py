"""A made-up account of AWS as ready bytes: every answer is built once, so that serving costs next to nothing.

python -m bench.aws_replay --instances N --latency-ms L --page P    prints its address; ends with its input

Four regions share N instances (pages of 1000), and an eighth of that in databases, functions and buckets;
every other listing is empty. An instance has the fields and the length that EC2 gives it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from urllib.parse import parse_qsl

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
PAGE, RDS_PAGE, FUNCTION_PAGE = 1000, 100, 50
EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
RDS = "http://rds.amazonaws.com/doc/2014-10-31/"
OWNER = "123456789012"
INSTANCE = (
    "<item><reservationId>r-{n:017x}</reservationId><ownerId>123456789012</ownerId><groupSet/><instancesSet>"
    "<item><instanceId>i-{n:017x}</instanceId><imageId>ami-0abcdef1234567890</imageId><instanceState><code>16"
    "</code><name>running</name></instanceState><privateDnsName>ip-10-{a}-{b}-{c}.ec2.internal"
    "</privateDnsName><dnsName/><reason/><keyName>ops</keyName><amiLaunchIndex>0</amiLaunchIndex>"
    "<productCodes/><instanceType>{kind}</instanceType><launchTime>2026-0{m}-{d:02d}T08:{c:02d}:12.000Z"
    "</launchTime><placement><availabilityZone>{region}a</availabilityZone><groupName/><tenancy>default"
    "</tenancy></placement><monitoring><state>disabled</state></monitoring><subnetId>subnet-0123456789abcdef0"
    "</subnetId><vpcId>vpc-0123456789abcdef0</vpcId><privateIpAddress>10.{a}.{b}.{c}</privateIpAddress>"
    "<sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>"
    "web</groupName></item></groupSet><architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType>"
    "<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName>"
    "<ebs><volumeId>vol-{n:017x}</volumeId><status>attached</status><attachTime>2026-0{m}-{d:02d}T08:{c:02d}"
    ":13.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>"
    "<virtualizationType>hvm</virtualizationType><clientToken>11111111-2222-3333-4444-{n:012d}</clientToken>"
    "<tagSet><item><key>Name</key><value>web-{n}</value></item><item><key>env</key><value>prod</value></item>"
    "<item><key>team</key><value>search &amp; ads</value></item></tagSet><hypervisor>xen</hypervisor>"
    "<networkInterfaceSet><item><networkInterfaceId>eni-{n:017x}</networkInterfaceId><subnetId>"
    "subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId><description/><ownerId>"
    "123456789012</ownerId><status>in-use</status><macAddress>02:00:00:{a:02x}:{b:02x}:{c:02x}</macAddress>"
    "<privateIpAddress>10.{a}.{b}.{c}</privateIpAddress><privateDnsName>ip-10-{a}-{b}-{c}.ec2.internal"
    "</privateDnsName><sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0"
    "</groupId><groupName>web</groupName></item></groupSet><attachment><attachmentId>eni-attach-{n:017x}"
    "</attachmentId><deviceIndex>0</deviceIndex><status>attached</status><attachTime>2026-0{m}-{d:02d}T08:"
    "{c:02d}:12.000Z</attachTime><deleteOnTermination>true</deleteOnTermination><networkCardIndex>0"
    "</networkCardIndex></attachment><privateIpAddressesSet><item><privateIpAddress>10.{a}.{b}.{c}"
    "</privateIpAddress><privateDnsName>ip-10-{a}-{b}-{c}.ec2.internal</privateDnsName><primary>true"
    "</primary></item></privateIpAddressesSet><ipv6AddressesSet/><interfaceType>interface</interfaceType>"
    "</item></networkInterfaceSet><iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/web"
    "</arn><id>AIPAABCDEFGHIJKLMNOPQ</id></iamInstanceProfile><ebsOptimized>true</ebsOptimized><enaSupport>"
    "true</enaSupport><cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>"
    "<capacityReservationSpecification><capacityReservationPreference>open</capacityReservationPreference>"
    "</capacityReservationSpecification><hibernationOptions><configured>false</configured>"
    "</hibernationOptions><enclaveOptions><enabled>false</enabled></enclaveOptions><metadataOptions><state>"
    "applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>"
    "<httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>disabled</httpProtocolIpv6><instanceMetadataTags>"
    "disabled</instanceMetadataTags></metadataOptions><maintenanceOptions><autoRecovery>default"
    "</autoRecovery></maintenanceOptions><currentInstanceBootMode>legacy-bios</currentInstanceBootMode>"
    "<platformDetails>Linux/UNIX</platformDetails><usageOperation>RunInstances</usageOperation>"
    "<usageOperationUpdateTime>2026-0{m}-{d:02d}T08:{c:02d}:12.000Z</usageOperationUpdateTime>"
    "<privateDnsNameOptions><hostnameType>ip-name</hostnameType><enableResourceNameDnsARecord>false"
    "</enableResourceNameDnsARecord><enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>"
    "</privateDnsNameOptions></item></instancesSet></item>"
)
KINDS = ("m5.large", "c6i.xlarge", "r6g.2xlarge", "g5.xlarge")
TYPE = (
    "<item><instanceType>{kind}</instanceType><currentGeneration>true</currentGeneration><vCpuInfo>"
    "<defaultVCpus>2</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo></item>"
)
DATABASE = (
    "<DBInstance><DBInstanceIdentifier>db-{n}</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:{region}:"
    "123456789012:db:db-{n}</DBInstanceArn><DBInstanceClass>db.r6g.large</DBInstanceClass><Engine>postgres"
    "</Engine><EngineVersion>16.3</EngineVersion><DBInstanceStatus>available</DBInstanceStatus>"
    "<MasterUsername>app</MasterUsername><DBName>app</DBName><Endpoint><Address>db-{n}.abc.{region}.rds."
    "amazonaws.com</Address><Port>5432</Port><HostedZoneId>Z1</HostedZoneId></Endpoint><AllocatedStorage>100"
    "</AllocatedStorage><InstanceCreateTime>2026-03-04T05:06:07.089Z</InstanceCreateTime>"
    "<PreferredBackupWindow>03:00-03:30</PreferredBackupWindow><BackupRetentionPeriod>7"
    "</BackupRetentionPeriod><DBSecurityGroups/><VpcSecurityGroups><VpcSecurityGroupMembership>"
    "<VpcSecurityGroupId>sg-1</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership>"
    "</VpcSecurityGroups><DBParameterGroups><DBParameterGroup><DBParameterGroupName>default.postgres16"
    "</DBParameterGroupName><ParameterApplyStatus>in-sync</ParameterApplyStatus></DBParameterGroup>"
    "</DBParameterGroups><AvailabilityZone>{region}a</AvailabilityZone><DBSubnetGroup><DBSubnetGroupName>x"
    "</DBSubnetGroupName><VpcId>vpc-1</VpcId><SubnetGroupStatus>Complete</SubnetGroupStatus></DBSubnetGroup>"
    "<PendingModifiedValues/><MultiAZ>true</MultiAZ><AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>"
    "<LicenseModel>postgresql-license</LicenseModel><PubliclyAccessible>false</PubliclyAccessible>"
    "<StorageType>gp3</StorageType><StorageEncrypted>true</StorageEncrypted><DbiResourceId>db-ABC{n}"
    "</DbiResourceId><CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier><DomainMemberships/>"
    "<CopyTagsToSnapshot>true</CopyTagsToSnapshot><MonitoringInterval>60</MonitoringInterval>"
    "<DeletionProtection>true</DeletionProtection><TagList><Tag><Key>env</Key><Value>prod</Value></Tag>"
    "</TagList></DBInstance>"
)
EMPTY_EC2 = {
    "DescribeInstanceStatus": "instanceStatusSet",
    "DescribeVolumes": "volumeSet",
    "DescribeSnapshots": "snapshotSet",
    "DescribeImages": "imagesSet",
    "DescribeAddresses": "addressesSet",
    "DescribeVpcs": "vpcSet",
    "DescribeSubnets": "subnetSet",
    "DescribeSecurityGroups": "securityGroupInfo",
}
EMPTY_QUERY = {
    "DescribeDBClusters": "DBClusters",
    "DescribeCacheClusters": "CacheClusters",
    "DescribeLoadBalancers": "LoadBalancers",
}
EMPTY_JSON = {
    "ListClusters": {"clusterArns": []},
    "DescribeRepositories": {"repositories": []},
    "ListTables": {"TableNames": []},
}
Key = tuple[str, str, str]
"""(region, operation or path, token)."""


def answers(instances: int, most: int = PAGE) -> dict[Key, bytes]:
    """Every answer that is not empty; `most` is how many instances a page holds."""
    found: dict[Key, bytes] = {}
    each = instances // len(REGIONS)
    for place, region in enumerate(REGIONS):
        machines = [_instance(place * each + n, region) for n in range(each)]
        for token, body in _paged(machines, most, "<nextToken>{}</nextToken>"):
            found[region, "DescribeInstances", token] = _ec2(
                "DescribeInstances", f"<reservationSet>{body[0]}</reservationSet>{body[1]}"
            )
        types = "".join(TYPE.format(kind=kind) for kind in KINDS)
        kinds = f"<instanceTypeSet>{types}</instanceTypeSet>"
        found[region, "DescribeInstanceTypes", ""] = _ec2("DescribeInstanceTypes", kinds)
        databases = [DATABASE.format(n=place * each + n, region=region) for n in range(each // 40)]
        for token, body in _paged(databases, RDS_PAGE, "<Marker>{}</Marker>"):
            found[region, "DescribeDBInstances", token] = _query(
                "DescribeDBInstances", f"<DBInstances>{body[0]}</DBInstances>{body[1]}"
            )
        functions = [_function(place * each + n, region) for n in range(each // 13)]
        for at in range(0, max(len(functions), 1), FUNCTION_PAGE):
            more = {"NextMarker": str(at + FUNCTION_PAGE)} if at + FUNCTION_PAGE < len(functions) else {}
            page = {"Functions": functions[at : at + FUNCTION_PAGE], **more}
            found[region, "/2015-03-31/functions", str(at or "")] = json.dumps(page).encode()
    found[REGIONS[0], "/", ""] = _buckets(instances // 45 + 2)
    return found


def _instance(n: int, region: str) -> str:
    about = {"a": n // 62500, "b": n // 250 % 250, "c": n % 60, "d": 1 + n % 28, "m": 1 + n % 9}
    return INSTANCE.format(n=n, region=region, kind=KINDS[n % len(KINDS)], **about)


def _function(n: int, region: str) -> dict[str, object]:
    return {
        "FunctionName": f"function-{n}",
        "FunctionArn": f"arn:aws:lambda:{region}:{OWNER}:function:function-{n}",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{OWNER}:role/lambda",
        "Handler": "app.handler",
        "CodeSize": 1024 + n,
        "Description": "",
        "Timeout": 30,
        "MemorySize": 256,
        "LastModified": "2026-05-06T07:08:09.000+0000",
        "CodeSha256": "4hT3a0dV2JzXcPp0yq2h1bq3sQwBvUuW8X0pVfVx2kM=",
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": "11111111-2222-3333-4444-555555555555",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/function-{n}"},
    }


def _paged(records: list[str], size: int, more: str) -> list[tuple[str, tuple[str, str]]]:
    """Pages by the token that leads to them: their records, and the element that names the next one."""
    starts = range(0, max(len(records), 1), size)
    return [
        (
            str(at or ""),
            ("".join(records[at : at + size]), more.format(at + size) if at + size < len(records) else ""),
        )
        for at in starts
    ]


def _buckets(count: int) -> bytes:
    every = "".join(
        f"<Bucket><Name>bucket-{n}</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate><BucketRegion>"
        f"{REGIONS[n % 4]}</BucketRegion></Bucket>"
        for n in range(count)
    )
    return f"<ListAllMyBucketsResult><Buckets>{every}</Buckets></ListAllMyBucketsResult>".encode()


def _ec2(operation: str, body: str) -> bytes:
    name = f"{operation}Response"
    begin = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{EC2}"><requestId>r</requestId>'
    return f"{begin}{body}</{name}>".encode()


def _query(operation: str, body: str) -> bytes:
    meta = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
    inner = f"<{operation}Result>{body}</{operation}Result>{meta}"
    return f'<{operation}Response xmlns="{RDS}">{inner}</{operation}Response>'.encode()


def _empty(service: str, operation: str) -> bytes:
    """What an account answers that has nothing of a kind."""
    if service == "ec2" and operation in EMPTY_EC2:
        return _ec2(operation, f"<{EMPTY_EC2[operation]}/>")
    if operation in EMPTY_QUERY:
        name = "LoadBalancerDescriptions" if service == "elasticloadbalancing1" else EMPTY_QUERY[operation]
        return _query(operation, f"<{name}/>")
    if operation in EMPTY_JSON:
        return json.dumps(EMPTY_JSON[operation]).encode()
    if operation == "GetResources":
        return b'{"ResourceTagMappingList": [], "PaginationToken": ""}'
    if service == "eks":
        return b'{"clusters": []}'
    if service == "route53":
        return (
            b'<ListHostedZonesResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZones/>'
            b"<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>"
        )
    raise KeyError(f"{service} {operation}")


SIGNED = re.compile(rb"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9-]+)/", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
TARGET = re.compile(rb"\r\nx-amz-target: \w+\.(\w+)", re.IGNORECASE)


class Replay:
    """One server: what it answers, after how long, and how many requests it was sent."""

    def __init__(self, found: dict[Key, bytes], latency_s: float) -> None:
        self._found, self._latency_s = found, latency_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                sent = await reader.readexactly(int(length[1])) if length else b""
                body = self.answer(head, sent)
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def answer(self, head: bytes, sent: bytes) -> bytes:
        """The bytes that one request is answered with."""
        signed = SIGNED.search(head)
        region, service = (part.decode() for part in signed.groups()) if signed else ("", "")
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        told = dict(parse_qsl(query or (sent.decode() if sent[:1] != b"{" else "")))
        target = TARGET.search(head)
        operation = told.get("Action") or (target[1].decode() if target else path)
        if service == "elasticloadbalancing" and told.get("Version") == "2012-06-01":
            service += "1"
        token = told.get("NextToken") or told.get("Marker") or ""
        return self._found.get((region, operation, token)) or _empty(service, operation)


async def _main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--instances", type=int, default=10_000)
    options.add_argument("--latency-ms", type=float, default=0)
    options.add_argument("--page", type=int, default=PAGE)
    asked = options.parse_args()
    replay = Replay(answers(asked.instances, asked.page), asked.latency_ms / 1000)
    server = await asyncio.start_server(replay.serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())
