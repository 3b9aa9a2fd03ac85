"""Amazon Web Services as a local server: its price list, spot prices, whose a key is, and two accounts.

Follows the AWS Price List bulk files (AmazonEC2, one index.csv for each region), the EC2 query API
2016-11-15 and the STS query API 2011-06-15. The market is made up; prices are dollars per hour of the whole
instance, as text. In the list every type comes with what else AWS prices beside it: Windows, SQL Server,
dedicated hardware, reservations, terms of years, capacity blocks. Traps: GPU counts of 0, 0.125 and
nothing, a price of 0.0 (sold by reservation), memory with a comma or NA, an Outpost, a local zone in its
parent's file, a GPU nobody knows, types without a GPU. The signature itself is not computed anew: the
access key in it must be one of the sandbox's, and tells the account. The last page of spot prices has an
empty token, as the real one has. Every other call goes to `cloudtop.sandbox.aws`, which is imported with the
first, in a thread: prices wait for no moto.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.aws.server import Amazon
from cloudtop.sandbox.aws.speech import AmazonSpeech, words
from cloudtop.sandbox.aws.spot import MAX_VALUES, SPOT, spot_prices
from cloudtop.sandbox.aws.wire import Asked, Refusal, Signed, error, signed
from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.faults import Reply

__all__ = ["MAX_VALUES"]

ACCESS_KEY = "AKIASANDBOXSANDBOX00"
SECRET_KEY = "sandbox-aws-secret-not-a-real-one"
ACCOUNTS = {
    "prod": {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY},
    "sandbox": {
        "access_key_id": "AKIASANDBOXSANDBOX01",
        "secret_access_key": "sandbox-aws-secret-of-the-other-account",
    },
}
OFFERS = "/offers/v1.0/aws/AmazonEC2"
ROOT = f"{OFFERS}/current"
VERSION = "20261101120000"
PUBLISHED = "2026-11-01T12:00:00Z"
EFFECTIVE = "2026-11-01"
_COLUMNS = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,"
    "PricePerUnit,Currency,RelatedTo,LeaseContractLength,PurchaseOption,OfferingClass,Product Family,"
    "serviceCode,Location,Location Type,Instance Type,Current Generation,Instance Family,vCPU,"
    "Physical Processor,Clock Speed,Memory,Storage,Network Performance,Processor Architecture,"
    "Storage Media,Volume Type,Max Volume Size,Max IOPS/volume,Max IOPS Burst Performance,"
    "Max throughput/volume,Provisioned,Tenancy,EBS Optimized,Operating System,License Model,Group,"
    "Group Description,Transfer Type,From Location,From Location Type,To Location,To Location Type,"
    "usageType,operation,AvailabilityZone,CapacityStatus,ClassicNetworkingSupport,"
    "Dedicated EBS Throughput,ECU,Elastic Graphics Type,Enhanced Networking Supported,From Region Code,"
    "GPU,GPU Memory,Instance,Instance Capacity - 10xlarge,Instance Capacity - 12xlarge,"
    "Instance Capacity - 16xlarge,Instance Capacity - 18xlarge,Instance Capacity - 24xlarge,"
    "Instance Capacity - 2xlarge,Instance Capacity - 32xlarge,Instance Capacity - 4xlarge,"
    "Instance Capacity - 8xlarge,Instance Capacity - 9xlarge,Instance Capacity - large,"
    "Instance Capacity - medium,Instance Capacity - metal,Instance Capacity - xlarge,instanceSKU,"
    "Intel AVX2 Available,Intel AVX Available,Intel Turbo Available,MarketOption,"
    "Normalization Size Factor,Physical Cores,Pre Installed S/W,Processor Features,Product Type,"
    "Region Code,Resource Type,serviceName,SnapshotArchiveFeeType,To Region Code,Volume API Name,"
    "VPCNetworkingSupport"
)
COLUMNS = tuple(_COLUMNS.split(","))


FLEET_REGIONS = (*SPOT, "ap-southeast-1")


class Sold(NamedTuple):
    """One instance type in one place of the made-up market."""

    sku: str
    type: str
    vcpu: str
    memory: str
    gpu: str
    price: str
    place: str = ""
    more: Mapping[str, str] = {}


REGIONS = {
    "us-east-1": "US East (N. Virginia)",
    "us-west-2": "US West (Oregon)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-south-2": "Europe (Spain)",
}
MARKET: Mapping[str, tuple[Sold, ...]] = {
    "us-east-1": (
        Sold("SBX1P5480", "p5.48xlarge", "192", "2048 GiB", "8", "54.3200000000"),
        Sold("SBX1P5040", "p5.4xlarge", "16", "256 GiB", "1", "6.7900000000"),
        Sold("SBX1P4D24", "p4d.24xlarge", "96", "1,152 GiB", "8", "22.1600000000"),
        Sold("SBX1P4DE2", "p4de.24xlarge", "96", "1152 GiB", "8", "27.6800000000"),
        Sold("SBX1P5EN4", "p5en.48xlarge", "192", "2048 GiB", "8", "62.9600000000"),
        Sold("SBX1P6B20", "p6-b200.48xlarge", "192", "2048 GiB", "8", "0.0000000000"),
        Sold("SBX1G6E0X", "g6e.xlarge", "4", "32 GiB", "1", "1.8400000000"),
        Sold("SBX1G5000", "g5.xlarge", "4", "16 GiB", "1", "0.9960000000", more={"Pre Installed S/W": ""}),
        Sold("SBX1G6F0L", "g6f.large", "2", "8 GiB", "0.125", "0.2040000000"),
        Sold("SBX1G6F0X", "g6f.xlarge", "4", "16 GiB", "0", "0.2360000000"),
        Sold("SBX1TRN10", "trn1.2xlarge", "8", "32 GiB", "", "1.3400000000"),
        Sold("SBX1P9X48", "p9x.48xlarge", "256", "4096 GiB", "8", "96.0000000000"),
        Sold("SBX1M7I0L", "m7i.large", "2", "8 GiB", "", "0.1010000000"),
    ),
    "us-west-2": (
        Sold("SBX2P5480", "p5.48xlarge", "192", "2048 GiB", "8", "54.6400000000"),
        Sold("SBX2G4DNX", "g4dn.xlarge", "4", "16 GiB", "1", "0.5200000000"),
        Sold("SBX2G4DNL", "g4dn.xlarge", "4", "16 GiB", "1", "0.6300000000", "us-west-2-lax-1"),
        Sold("SBX2G6E12", "g6e.12xlarge", "48", "NA", "4", "10.4000000000"),
        Sold("SBX2C7G0L", "c7g.large", "2", "4 GiB", "", "0.0720000000"),
    ),
    "eu-central-1": (
        Sold("SBX3P4D24", "p4d.24xlarge", "96", "1152 GiB", "8", "27.5200000000"),
        Sold("SBX3G5480", "g5.48xlarge", "", "768 GiB", "8", "20.3600000000"),
        Sold("SBX3G6000", "g6.xlarge", "4", "16 GiB", "1", "1.0080000000"),
    ),
    # An account switches this region on first: it is listed, and nobody asks for its spot prices unasked.
    "eu-south-2": (
        Sold("SBX4P5040", "p5.4xlarge", "16", "256 GiB", "1", "7.9200000000"),
        Sold("SBX4G6E0X", "g6e.xlarge", "4", "32 GiB", "1", "2.0800000000"),
    ),
}


def app(state: State) -> Starlette:
    """The server."""

    async def index(request: Request) -> Response:
        _no_parameters(request)
        regions = {
            code: {
                "regionCode": code,
                "currentVersionUrl": f"/offers/v1.0/aws/AmazonEC2/{VERSION}/{code}/index.json",
            }
            for code in REGIONS
        }
        return JSONResponse(
            {
                "formatVersion": "v1.0",
                "disclaimer": "Made up.",
                "publicationDate": PUBLISHED,
                "regions": regions,
            }
        )

    async def table(request: Request) -> Response:
        _no_parameters(request)
        # In one piece: the fault layer before every app holds a whole answer anyway.
        return Response(b"".join(price_list(request.path_params["region"])), media_type="text/csv")

    amazon = Amazon(state.now, {keys["access_key_id"]: name for name, keys in ACCOUNTS.items()})
    turn = asyncio.Lock()

    async def call(request: Request) -> Response:
        asked = await _asked(request)
        signer = signed(request.headers.get("authorization", ""))
        if signer is None or not request.headers.get("x-amz-date"):
            status = 401 if b"Version=2016-11-15" in asked.body else 403
            missing = Refusal("MissingAuthenticationToken", "Request is not signed", status)
            return _response(error("ec2", missing))
        if (answer := _quick(amazon, signer, asked, state)) is not None:
            return _response(answer)
        # A thread of its own, one at a time: moto's first answers take a second, and other clouds answer on.
        async with turn:
            with ThreadPoolExecutor(1) as threads:
                return _response(
                    await asyncio.get_running_loop().run_in_executor(threads, amazon.answer, signer, asked)
                )

    routes = [
        Route(f"{ROOT}/region_index.json", index),
        Route(f"{ROOT}/{{region}}/index.csv", table),
        Route("/{rest:path}", call, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused})


async def _refused(request: Request, problem: Exception) -> Response:
    wrong = problem if isinstance(problem, HTTPException) else HTTPException(500, "InternalError: broken")
    return Response(words(wrong.status_code, wrong.detail), wrong.status_code, media_type="text/xml")


async def _asked(request: Request) -> Asked:
    """The request as it came: the path is not decoded, since names within it may hold a slash."""
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    target = f"{path}?{request.url.query}" if request.url.query else path
    return Asked(request.method, target, dict(request.headers), await request.body())


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))


def _quick(amazon: Amazon, signer: Signed, asked: Asked, state: State) -> Reply | None:
    """What is answered without moto: whose a key is, and spot prices."""
    pairs = parse_qsl(asked.body.decode("latin-1"), keep_blank_values=True)
    sent = dict(pairs)
    action, version = sent.pop("Action", ""), sent.pop("Version", "")
    if (signer.name, action) not in QUICK and signer.name != "sts":
        return None
    try:
        account = amazon.account(signer)
        if len(sent) + 2 != len(pairs) or "?" in asked.target or QUICK.get((signer.name, action)) != version:
            raise Refusal("InvalidAction", f"The action {action} {version} is not valid for this web service")
        if signer.name == "sts":
            text = _identity(sent, *amazon.identity(account))
        else:
            text = spot_prices(sent, signer.region, state.now())
    except Refusal as refusal:
        return error(signer.name, refusal)
    return Reply(200, text.encode(), (("content-type", "text/xml;charset=UTF-8"),))


QUICK = {("ec2", "DescribeSpotPriceHistory"): "2016-11-15", ("sts", "GetCallerIdentity"): "2011-06-15"}
"""The version of the API that each of these is asked in."""


def price_list(region: str) -> Iterator[bytes]:
    """One region's file, as it is sent: five lines about itself, the header, the prices."""
    disclaimer = "This pricing list is made up, for tests only. All prices, as they are none, cost nothing."
    about = (
        ("FormatVersion", "v1.0"),
        ("Disclaimer", disclaimer),
        ("Publication Date", PUBLISHED),
        ("Version", VERSION),
        ("OfferCode", "AmazonEC2"),
    )
    yield from map(_line, about)
    yield _line(COLUMNS)
    for sold in MARKET.get(region, ()):
        for cells in _ways_to_pay(sold, region):
            yield _line([cells.get(name, "") for name in COLUMNS])
    if region in REGIONS:
        disk = {"SKU": f"SBXDISK{region[:2].upper()}", "TermType": "OnDemand", "Product Family": "Storage"}
        disk |= {"Unit": "GB-Mo", "PricePerUnit": "0.0800000000", "Currency": "USD", "Volume API Name": "gp3"}
        yield _line([disk.get(name, "") for name in COLUMNS])


def _ways_to_pay(sold: Sold, region: str) -> Iterator[dict[str, str]]:
    """Every line that the list has about one type: the plain one in the middle of the others."""
    plain = {
        "SKU": sold.sku,
        "OfferTermCode": "JRTCXETTQM",
        "RateCode": f"{sold.sku}.JRTCXETTQM.6YS6EN2CT7",
        "TermType": "OnDemand",
        "PriceDescription": f"${sold.price} per On Demand Linux {sold.type} Instance Hour",
        "EffectiveDate": EFFECTIVE,
        "StartingRange": "0",
        "EndingRange": "Inf",
        "Unit": "Hrs",
        "PricePerUnit": sold.price,
        "Currency": "USD",
        "Product Family": "Compute Instance",
        "serviceCode": "AmazonEC2",
        "Location": REGIONS[region],
        "Location Type": "AWS Local Zone" if sold.place else "AWS Region",
        "Instance Type": sold.type,
        "Current Generation": "Yes",
        "vCPU": sold.vcpu,
        "Memory": sold.memory,
        "Tenancy": "Shared",
        "Operating System": "Linux",
        "License Model": "No License required",
        "usageType": f"BoxUsage:{sold.type}",
        "operation": "RunInstances",
        "CapacityStatus": "Used",
        "GPU": sold.gpu,
        "GPU Memory": "NA",
        "MarketOption": "OnDemand",
        "Pre Installed S/W": "NA",
        "Region Code": sold.place or region,
        "serviceName": "Amazon Elastic Compute Cloud",
        **sold.more,
    }
    term = {"TermType": "Reserved", "OfferTermCode": "NQ3QZPMQV9", "LeaseContractLength": "3yr"}
    # The wrong prices are lower than the right one: taking any of them for an offer is seen at once.
    yield plain | term | {"PricePerUnit": "0.0010000000", "RateCode": f"{sold.sku}.NQ3QZPMQV9.6YS6EN2CT7"}
    yield (
        plain
        | term
        | {"Unit": "Quantity", "PricePerUnit": "1", "RateCode": f"{sold.sku}.NQ3QZPMQV9.2TG2D8R56U"}
    )
    others = (
        ("W", "0.0020000000", {"Operating System": "Windows", "operation": "RunInstances:0002"}),
        ("S", "0.0030000000", {"Pre Installed S/W": "SQL Web", "operation": "RunInstances:0200"}),
        ("D", "0.0040000000", {"Tenancy": "Dedicated", "usageType": f"DedicatedUsage:{sold.type}"}),
        ("R", "0.0000000000", {"CapacityStatus": "AllocatedCapacityReservation"}),
    )
    for letter, price, cells in others:
        yield plain | {"SKU": sold.sku + letter, "PricePerUnit": price} | cells
    yield plain
    later = (
        ("U", sold.price, {"CapacityStatus": "UnusedCapacityReservation"}),
        ("B", "0.0050000000", {"MarketOption": "CapacityBlock"}),
        ("O", "0.0000000000", {"Location Type": "AWS Outposts"}),
    )
    for letter, price, cells in later:
        yield plain | {"SKU": sold.sku + letter, "PricePerUnit": price} | cells


def _line(cells: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
    # Empty cells stand without quotation marks in the real file.
    return re.sub(r'(?<=,)""(?=,|$)', "", text.getvalue()).encode()


def _no_parameters(request: Request) -> None:
    if request.url.query:
        raise HTTPException(400, "InvalidQueryParameter: no parameters are known here")


def _identity(asked: Mapping[str, str], number: str, arn: str) -> str:
    if asked:
        raise Refusal("UnknownParameter", sorted(asked)[0])
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>{number}</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>sandbox-request</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


CLOUD = Cloud(
    app=app,
    words=words,
    speech=AmazonSpeech(words),
    auth=ACCOUNTS["prod"],
    accounts=ACCOUNTS,
    records="",
    keys=("SKU", "Instance Type"),
    part="eu-south-2",
    regional=True,
    sdk=True,
    signs=True,
    unpaged=("address",),
    # An account's regions are asked for spot prices too: of Singapore there are none.
    settings={
        "regions": list(REGIONS),
        "accounts": {name: {"regions": list(FLEET_REGIONS)} for name in ACCOUNTS},
    },
)
