"""DescribeSpotPriceHistory over a made-up market, in pages of a few prices, whatever is asked for."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cloudtop.sandbox.aws.wire import Refusal

PAGE = 4
"""Prices on one page, however many are asked for."""
MAX_VALUES = 200
PARAMETER = re.compile(
    r"StartTime|EndTime|MaxResults|NextToken|(ProductDescription|InstanceType)\.\d+"
    r"|Filter\.\d+\.(Name|Value\.\d+)"
)


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


def spot_prices(asked: Mapping[str, str], region: str, now: datetime) -> str:
    """The answer: what was set since StartTime, and what held then."""
    if unknown := sorted(name for name in asked if not PARAMETER.fullmatch(name)):
        raise Refusal("UnknownParameter", f"The parameter {unknown[0]} is not recognized")
    if not 1 <= int(asked.get("MaxResults", "1000")) <= 1000:
        raise Refusal("InvalidMaxResults", "MaxResults must be between 1 and 1000")
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
            raise Refusal("InvalidParameterValue", f"The filter '{asked[name]}' is invalid")
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
        raise Refusal("InvalidParameterValue", "Unable to parse the pagination token")
    return places[token]
