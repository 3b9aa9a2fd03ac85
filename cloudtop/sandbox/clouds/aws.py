"""Amazon Web Services as a local server: its price list, DescribeSpotPriceHistory, GetCallerIdentity.

Follows the AWS Price List bulk files (AmazonEC2, one index.csv for each region), the EC2 query API
2016-11-15 and the STS query API 2011-06-15. The market is made up; prices are dollars per hour of the whole
instance, as text. In the list every type comes with what else AWS prices beside it: Windows, SQL Server,
dedicated hardware, reservations, terms of years, capacity blocks. Traps: GPU counts of 0, 0.125 and
nothing, a price of 0.0 (sold by reservation), memory with a comma or NA, an Outpost, a local zone in its
parent's file, a GPU nobody knows, types without a GPU. The signature itself is not computed anew: the
access key in it must be the sandbox's. The last page of spot prices has an empty token, as the real one
has.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State

ACCESS_KEY = "AKIASANDBOXSANDBOX00"
SECRET_KEY = "sandbox-aws-secret-not-a-real-one"
OFFERS = "/offers/v1.0/aws/AmazonEC2"
ROOT = f"{OFFERS}/current"
VERSION = "20261101120000"
PUBLISHED = "2026-11-01T12:00:00Z"
EFFECTIVE = "2026-11-01"
PAGE = 4
"""Prices on one page of spot prices, however many are asked for."""
MAX_VALUES = 200
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}"
)
PARAMETER = re.compile(
    r"StartTime|EndTime|MaxResults|NextToken|(ProductDescription|InstanceType)\.\d+"
    r"|Filter\.\d+\.(Name|Value\.\d+)"
)
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


class Spot(NamedTuple):
    """A price that one type had in one zone from so many minutes ago."""

    type: str
    zone: str
    price: str
    minutes_ago: int
    product: str = "Linux/UNIX"


SPOT: Mapping[str, tuple[Spot, ...]] = {
    "us-east-1": (
        Spot("p5.48xlarge", "us-east-1a", "19.840000", 95),
        Spot("p5.48xlarge", "us-east-1a", "24.100000", 700),
        Spot("p5.48xlarge", "us-east-1b", "17.360000", 30),
        Spot("p5.48xlarge", "us-east-1b", "0.010000", 3000),
        Spot("p4d.24xlarge", "us-east-1a", "9.120000", 410),
        Spot("g5.xlarge", "us-east-1a", "0.412000", 12),
        Spot("g5.xlarge", "us-east-1a", "0.598000", 12, "Windows"),
        Spot("g5.xlarge", "us-east-1c", "0.388000", 260),
        Spot("g6f.large", "us-east-1c", "0.081600", 55),
        Spot("m7i.large", "us-east-1a", "0.036000", 9),
    ),
    "us-west-2": (
        Spot("g4dn.xlarge", "us-west-2a", "0.171600", 20),
        Spot("g4dn.xlarge", "us-west-2b", "0.208000", 180),
        Spot("g6e.12xlarge", "us-west-2a", "4.264000", 75),
        Spot("p5.48xlarge", "us-west-2c", "21.480000", 15),
        Spot("p5.48xlarge", "us-west-2d", "22.960000", 33),
    ),
    "eu-central-1": (Spot("g6.xlarge", "eu-central-1b", "0.392000", 44),),
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

    async def call(request: Request) -> Response:
        _no_parameters(request)
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        asked = dict(pairs)
        action = asked.pop("Action", "")
        if action not in ACTIONS or len(asked) + 1 != len(pairs):
            raise HTTPException(400, f"InvalidAction: The action {action} is not valid for this web service")
        service, version, answer = ACTIONS[action]
        region = _region(request, service)
        if asked.pop("Version", "") != version:
            raise HTTPException(400, "InvalidParameterValue: The Version is not the one of this API")
        return Response(answer(asked, region, state.now()), media_type="text/xml;charset=UTF-8")

    async def refused(request: Request, error: Exception) -> Response:
        wrong = error if isinstance(error, HTTPException) else HTTPException(500, "InternalError: broken")
        return Response(words(wrong.status_code, wrong.detail), wrong.status_code, media_type="text/xml")

    routes = [
        Route(f"{ROOT}/region_index.json", index),
        Route(f"{ROOT}/{{region}}/index.csv", table),
        Route("/", call, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: refused})


def words(status: int, message: str) -> bytes:
    """An error as EC2 writes it. `Code: text` names its code, else the status does."""
    match = re.match(r"([A-Za-z.]+): (.*)", message, re.DOTALL)
    code, text = match.groups() if match else (_CODES.get(status, "InvalidRequest"), message)
    error = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors>{error}</Errors><RequestID>sandbox-request</RequestID></Response>"
    ).encode()


_CODES = {
    401: "AuthFailure",
    403: "UnauthorizedOperation",
    429: "RequestLimitExceeded",
    500: "InternalError",
    503: "Unavailable",
}


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


def _region(request: Request, service: str) -> str:
    """The region that a request is signed for, with the sandbox's key and for this service."""
    match = SIGNED.fullmatch(request.headers.get("authorization", ""))
    if match is None or not request.headers.get("x-amz-date"):
        raise HTTPException(
            401 if service == "ec2" else 403, "MissingAuthenticationToken: Request is not signed"
        )
    key, _, region, signed_for = match.groups()
    if key != ACCESS_KEY or signed_for != service:
        if service == "sts":
            raise HTTPException(403, "InvalidClientTokenId: The security token in the request is invalid.")
        raise HTTPException(401, "AuthFailure: AWS was not able to validate the provided access credentials")
    return region


def _no_parameters(request: Request) -> None:
    if request.url.query:
        raise HTTPException(400, "InvalidQueryParameter: no parameters are known here")


def _identity(asked: dict[str, str], region: str, now: datetime) -> str:
    if asked:
        raise HTTPException(400, f"UnknownParameter: {sorted(asked)[0]}")
    arn = "arn:aws:iam::000000000000:user/sandbox"
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>000000000000</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>sandbox-request</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


def _spot_prices(asked: dict[str, str], region: str, now: datetime) -> str:
    if unknown := sorted(name for name in asked if not PARAMETER.fullmatch(name)):
        raise HTTPException(400, f"UnknownParameter: The parameter {unknown[0]} is not recognized")
    if not 1 <= int(asked.get("MaxResults", "1000")) <= 1000:
        raise HTTPException(400, "InvalidMaxResults: MaxResults must be between 1 and 1000")
    found = [one for one in _prices_from(asked, region, now) if _wanted(asked, one)]
    at = _place(asked.get("NextToken", ""), region)
    page, rest = found[at : at + PAGE], found[at + PAGE :]
    items = "".join(
        f"<item><instanceType>{one.type}</instanceType><productDescription>{one.product}</productDescription>"
        f"<spotPrice>{one.price}</spotPrice><timestamp>{_set_at(one, now):%Y-%m-%dT%H:%M:%S.000Z}</timestamp>"
        f"<availabilityZone>{one.zone}</availabilityZone></item>"
        for one in page
    )
    return (
        '<DescribeSpotPriceHistoryResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>sandbox-request</requestId><spotPriceHistorySet>{items}</spotPriceHistorySet>"
        f"<nextToken>{_token(at + PAGE, region) if rest else ''}</nextToken>"
        "</DescribeSpotPriceHistoryResponse>"
    )


def _prices_from(asked: Mapping[str, str], region: str, now: datetime) -> list[Spot]:
    """What was set since StartTime, and for each type and zone what held then; the newest first."""
    start = datetime.fromisoformat(asked["StartTime"]) if "StartTime" in asked else now - timedelta(days=90)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    kept, held = [], set()
    for one in sorted(SPOT.get(region, ()), key=lambda one: one.minutes_ago):
        what = (one.type, one.zone, one.product)
        if _set_at(one, now) >= start or what not in held:
            kept.append(one)
        if _set_at(one, now) <= start:
            held.add(what)
    return kept


def _set_at(one: Spot, now: datetime) -> datetime:
    return now - timedelta(minutes=one.minutes_ago)


def _wanted(asked: Mapping[str, str], one: Spot) -> bool:
    have = {"instance-type": one.type, "availability-zone": one.zone, "product-description": one.product}
    products = [value for name, value in asked.items() if name.startswith("ProductDescription.")]
    types = [value for name, value in asked.items() if name.startswith("InstanceType.")]
    if (products and one.product not in products) or (types and one.type not in types):
        return False
    for name in (name for name in asked if name.endswith(".Name")):
        values = [value for key, value in asked.items() if key.startswith(name.replace(".Name", ".Value."))]
        if asked[name] not in have or not 1 <= len(values) <= MAX_VALUES:
            raise HTTPException(400, f"InvalidParameterValue: The filter '{asked[name]}' is invalid")
        if have[asked[name]] not in values:
            return False
    return True


def _token(at: int, region: str) -> str:
    return base64.urlsafe_b64encode(f"sandbox:{region}:{at}".encode()).decode()


def _place(token: str, region: str) -> int:
    if not token:
        return 0
    places = {_token(at, region): at for at in range(PAGE, len(SPOT.get(region, ())) + PAGE, PAGE)}
    if token not in places:
        raise HTTPException(400, "InvalidParameterValue: Unable to parse the pagination token")
    return places[token]


ACTIONS = {
    "DescribeSpotPriceHistory": ("ec2", "2016-11-15", _spot_prices),
    "GetCallerIdentity": ("sts", "2011-06-15", _identity),
}

CLOUD = Cloud(
    app=app,
    words=words,
    auth={"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY},
    records="",
    keys=("SKU", "Instance Type"),
    part="eu-south-2",
    regional=True,
    sdk=True,
    settings={"regions": list(REGIONS), "accounts": {"default": {"regions": list(SPOT)}}},
)
