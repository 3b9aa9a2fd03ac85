"""Azure as a local server: its Retail Prices API, and two subscriptions (`cloudtop.sandbox.azure`).

The list follows Microsoft's public documentation "Azure Retail Prices overview" (2023-01-01-preview): the
envelope and fields of a meter, `$filter`, pages with `NextPageLink`, case-sensitive values, `type` answered
where `priceType` is asked. Stricter than the real one: only `eq`, `and`, `or`, `contains` and brackets over
the documented fields, at most twenty comparisons, no other parameter, and pages of twenty meters, not a
thousand. As there, `NextPageLink` names Azure's own host with a port, whatever host was asked, and drops
currencyCode. The form of an error body is an assumption.

The market is made up. Each line of MARKET stands for six meters: Linux and Windows, each by the hour, as spot
and as low priority; SINGLE are single meters, each a trap. Units: dollars per hour of the whole instance.
Traps: a price superseded by a later meter and one that is not in force yet, a zero, a null, a meter outside
its primary region beside the right one and one alone, reservations, dev/test prices, whole hosts, Cloud
Services, a meter that ended, a monthly unit, another service with the same type, two meters that contradict
each other, shares of a GPU, types that nobody knows, an FPGA, a region nobody knows, missing fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cloudtop.sandbox.azure.arm import Arm
from cloudtop.sandbox.azure.arm import words as arm_words
from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.faults import Exchange
from cloudtop.sandbox.fleet import read as fleet_file
from cloudtop.sandbox.speech import Speech

TENANT = "11f3a7c2-5be0-4d19-9a64-c0ffee5a9d01"
ACCOUNTS = {
    "prod": {
        "client_id": "a4c1d7e0-0f5b-4a1e-8f61-5a9db0c0ffee",
        "client_secret": "sandbox-azure-secret-not-a-real-one",
        "tenant_id": TENANT,
    },
    "sandbox": {
        "client_id": "b8e2f6d1-7a3c-4c52-b0d9-5a9db0decade",
        "client_secret": "sandbox-azure-secret-of-the-other-account",
        "tenant_id": TENANT,
    },
}
PATH = "/api/retail/prices"
VERSION = "2023-01-01-preview"
PAGE = 20
COMPARISONS = 20
ADDRESS_CHARS = 2048
PARAMETERS = ("api-version", "currencyCode", "$filter", "$skip")
NAMES = """armRegionName location meterId meterName productId skuId productName skuName serviceName serviceId
    serviceFamily armSkuName"""
FIELDS = {**{name: name for name in NAMES.split()}, "priceType": "type"}
PRICE_TYPES = ("Consumption", "Reservation", "DevTestConsumption")

# type; product; region; its other name; Linux by the hour; Linux spot
MARKET = """
Standard_NC24ads_A100_v4      ;NCads A100 v4 Series Linux          ;eastus       ;US East    ;3.673  ;0.881
Standard_NC24ads_A100_v4      ;NCads A100 v4 Series Linux          ;westeurope   ;EU West    ;4.775  ;1.2
Standard_NC24ads_A100_v4      ;NCads A100 v4 Series Linux          ;japaneast    ;JA East    ;5.326  ;1.3
Standard_NC48ads_A100_v4      ;NCads A100 v4 Series Linux          ;westus3      ;US West 3  ;7.346  ;1.763
Standard_NC96ads_A100_v4      ;NCads A100 v4 Series Linux          ;eastus       ;US East    ;14.692 ;3.53
Standard_NC96ads_A100_v4      ;NCads A100 v4 Series Linux          ;westus3      ;US West 3  ;14.692 ;3.6
Standard_ND96amsr_A100_v4     ;Virtual Machines NDamsrA100v4 Series;eastus       ;US East    ;32.77  ;16.385
Standard_ND96asr_v4           ;Virtual Machines NDasrv4 Series     ;westus2      ;US West 2  ;27.197 ;13.6
Standard_NC40ads_H100_v5      ;Virtual Machines NCadsH100v5 Series ;eastus       ;US East    ;6.98   ;2.792
Standard_NC80adis_H100_v5     ;Virtual Machines NCadsH100v5 Series ;westus3      ;US West 3  ;13.96  ;5.584
Standard_ND96isr_H100_v5      ;Virtual Machines NDsrH100v5 Series  ;eastus       ;US East    ;98.32  ;39.328
Standard_ND96isr_H100_v5      ;Virtual Machines NDsrH100v5 Series  ;swedencentral;SE Central ;127.816;51.13
Standard_ND128isr_NDR_GB200_v6;Virtual Machines NDGB200v6 Series   ;westus3      ;US West 3  ;108.16 ;43.264
Standard_NC4as_T4_v3          ;Virtual Machines NCasT4 v3 Series   ;eastus       ;US East    ;0.526  ;0.149
Standard_NV6ads_A10_v5        ;Virtual Machines NVadsA10v5 Series  ;eastus       ;US East    ;0.454  ;0.09
Standard_NV36ads_A10_v5       ;Virtual Machines NVadsA10v5 Series  ;japaneast    ;JA East    ;4.64   ;0.928
Standard_D2s_v5               ;Virtual Machines Dsv5 Series        ;eastus       ;US East    ;0.096  ;0.021
Standard_D4s_v5               ;Virtual Machines Dsv5 Series        ;eastus       ;US East    ;0.192  ;0.043
Standard_D8s_v5               ;Virtual Machines Dsv5 Series        ;eastus       ;US East    ;0.384  ;0.085
Standard_D8s_v5               ;Virtual Machines Dsv5 Series        ;westeurope   ;EU West    ;0.46   ;0.102
Standard_D2s_v5               ;Virtual Machines Dsv5 Series        ;westeurope   ;EU West    ;0.115  ;0.026
Standard_E16s_v5              ;Virtual Machines Esv5 Series        ;eastus       ;US East    ;1.008  ;0.201
Standard_NC6s_v3              ;Virtual Machines NCSv3 Series       ;attatlanta1  ;ATT Atlanta;3.366  ;0.612
"""

SINGLE: tuple[Mapping[str, Any], ...] = (
    # What one costs now is in MARKET; this was the price before, and that will be it.
    {"like": "NC24ads_A100_v4 eastus", "retailPrice": 4.1, "effectiveStartDate": "2021-09-01T00:00:00Z"},
    {"like": "NC40ads_H100_v5 eastus", "retailPrice": 5.5, "effectiveStartDate": "2099-01-01T00:00:00Z"},
    # Dearer, and outside its primary region, where the right one is inside.
    {"like": "ND96isr_H100_v5 eastus", "retailPrice": 120.0, "isPrimaryMeterRegion": False},
    # Outside its primary region, and the only one there is.
    {
        "like": "ND96amsr_A100_v4 eastus",
        "armRegionName": "westus3",
        "location": "US West 3",
        "isPrimaryMeterRegion": False,
    },
    # No price yet, in two spellings.
    {
        "armSkuName": "Standard_ND96isr_H200_v5",
        "productName": "Virtual Machines NDisrH200v5 Series",
        "armRegionName": "uksouth",
        "location": "UK South",
        "retailPrice": 0.0,
    },
    {
        "like": "ND96isr_H100_v5 eastus",
        "armRegionName": "uksouth",
        "location": "UK South",
        "retailPrice": None,
    },
    # For a whole term, for developers, for a host, for another service, ended, by the month.
    {
        "like": "ND96isr_H100_v5 eastus",
        "type": "Reservation",
        "reservationTerm": "1 Year",
        "retailPrice": 551000.0,
    },
    {"like": "NC24ads_A100_v4 eastus", "type": "DevTestConsumption", "retailPrice": 1.0},
    {
        "like": "NC24ads_A100_v4 eastus",
        "productName": "NCads A100 v4 Series Dedicated Host",
        "retailPrice": 2.0,
    },
    {"like": "NC24ads_A100_v4 westeurope", "productName": "NCads A100 v4 Cloud Services", "retailPrice": 2.1},
    {"like": "NC96ads_A100_v4 eastus", "serviceName": "Virtual Machines Licenses", "retailPrice": 0.5},
    {"like": "NC4as_T4_v3 eastus", "meterName": "NC4as T4 v3 Expired", "retailPrice": 0.2},
    {"like": "NC4as_T4_v3 eastus", "unitOfMeasure": "1/Month", "retailPrice": 12.0},
    # Two that nothing tells apart: neither is believed.
    {"like": "NV6ads_A10_v5 eastus", "armRegionName": "centralus", "location": "US Central"},
    {
        "like": "NV6ads_A10_v5 eastus",
        "armRegionName": "centralus",
        "location": "US Central",
        "retailPrice": 0.6,
    },
    # Types that no table knows: one names its GPU, one does not; the third has none.
    {
        "armSkuName": "Standard_NC16ds_L40S_v9",
        "productName": "Virtual Machines NCdsL40Sv9 Series",
        "retailPrice": 2.5,
    },
    {"armSkuName": "Standard_NX16s_v9", "productName": "Virtual Machines NXsv9 Series", "retailPrice": 9.0},
    {"armSkuName": "Standard_NP10s", "productName": "Virtual Machines NP Series", "retailPrice": 1.65},
    {"armSkuName": "Standard_D2s_v5", "productName": "Virtual Machines Dsv5 Series", "retailPrice": 0.096},
    # Much is not told.
    {
        "like": "NC4as_T4_v3 eastus",
        "armRegionName": "westeurope",
        "retailPrice": 0.658,
        "without": "unitPrice location effectiveStartDate isPrimaryMeterRegion skuName tierMinimumUnits",
    },
)


def meter(
    kind: str, product: str, region: str, location: str, price: float, suffix: str = ""
) -> dict[str, Any]:
    """One meter as answers show it."""
    # A100 v4 names its SKUs by the type, the older ones with blanks.
    short = kind.removeprefix("Standard_").replace("_", " ")
    identity = f"{kind} {product} {region} {suffix}"
    product_id = f"DZH318Z{uuid5(NAMESPACE_URL, product).hex[:5].upper()}"
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": location,
        "effectiveStartDate": "2025-03-01T00:00:00Z",
        "meterId": str(uuid5(NAMESPACE_URL, identity)),
        "meterName": short + suffix,
        "productId": product_id,
        "skuId": f"{product_id}/00{uuid5(NAMESPACE_URL, kind + suffix).hex[:2].upper()}",
        "productName": product,
        "skuName": (kind if "A100" in kind else short) + suffix,
        "serviceName": "Virtual Machines",
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": kind,
    }


def six(line: str) -> Iterator[dict[str, Any]]:
    """The meters of one line of MARKET: Windows first, dearer, and under the same names."""
    kind, product, region, location, hour, spot = (cell.strip() for cell in line.split(";"))
    windows = product.removesuffix(" Linux") + " Windows"
    for name, dearer in ((windows, 1.25), (product, 1.0)):
        for price, suffix in ((float(hour), ""), (float(spot), " Spot"), (float(hour) / 5, " Low Priority")):
            yield meter(kind, name, region, location, round(price * dearer, 6), suffix)


@cache
def meters() -> list[dict[str, Any]]:
    """The whole list: first MARKET, then the single meters."""
    found = [one for line in MARKET.strip().splitlines() for one in six(line)]
    plain = {
        f"{one['armSkuName'].removeprefix('Standard_')} {one['armRegionName']}": one
        for one in found
        if one["meterName"][-2:] in ("v3", "v4", "v5", "v6")
    }
    for one in found:
        if one in plain.values():
            # Less for a promise: it hangs on the meter of Linux by the hour.
            price = one["retailPrice"]
            plan = {
                "unitPrice": round(price * 0.7, 6),
                "retailPrice": round(price * 0.7, 6),
                "term": "1 Year",
            }
            one["savingsPlan"] = [plan]
    return found + [single(one, plain) for one in SINGLE]


def single(told: Mapping[str, Any], plain: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One entry of SINGLE as a meter: another one but for what it tells."""
    more = {name: value for name, value in told.items() if name not in ("like", "without")}
    if "like" in told:
        made = {**plain[told["like"]], "meterId": str(uuid5(NAMESPACE_URL, json.dumps(more)))}
        made.pop("savingsPlan")
    else:
        made = meter(told["armSkuName"], told["productName"], "eastus", "US East", 0.0)
    made |= more
    if "retailPrice" in more:
        made["unitPrice"] = more["retailPrice"]
    for name in str(told.get("without", "")).split():
        del made[name]
    return made


class BadQuery(Exception):
    """A question that the documentation does not allow."""


Test = Callable[[Mapping[str, Any]], bool]
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z]+)|(?P<sign>[(),]))")


class Filter:
    """`$filter`, read by descent: any = all {or all}, all = one {and one}, one = (any) | contains | eq."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.comparisons = 0
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if found is None:
                raise BadQuery("Invalid OData parameters supplied")
            self.tokens.append(found[0].strip())
            at = found.end()
        self.matches = self._any()
        if self.tokens or self.comparisons > COMPARISONS:
            raise BadQuery("Invalid OData parameters supplied")

    def _any(self) -> Test:
        tests = [self._all()]
        while self._at("or"):
            tests.append(self._all())
        return lambda meter: any(test(meter) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._at("and"):
            tests.append(self._one())
        return lambda meter: all(test(meter) for test in tests)

    def _one(self) -> Test:
        if self._at("("):
            inner = self._any()
            self._must(")")
            return inner
        self.comparisons += 1
        if self._at("contains"):
            self._must("(")
            field = self._field()
            self._must(",")
            part = self._text()
            self._must(")")
            return lambda meter: part in str(meter.get(field) or "")
        field = self._field()
        self._must("eq")
        value = self._text()
        if field == "type" and value not in PRICE_TYPES:
            raise BadQuery("Invalid OData parameters supplied")
        return lambda meter: meter.get(field) == value

    def _at(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        del self.tokens[0]
        return True

    def _must(self, token: str) -> None:
        if not self._at(token):
            raise BadQuery("Invalid OData parameters supplied")

    def _field(self) -> str:
        name = self.tokens.pop(0) if self.tokens else ""
        if name not in FIELDS:
            raise BadQuery("Invalid OData parameters supplied")
        return FIELDS[name]

    def _text(self) -> str:
        token = self.tokens.pop(0) if self.tokens else ""
        if not token.startswith("'"):
            raise BadQuery("Invalid OData parameters supplied")
        return token[1:-1].replace("''", "'")


async def prices(request: Request) -> Response:
    """GET /api/retail/prices."""
    if len(str(request.url)) > ADDRESS_CHARS:
        return error(404, "The resource cannot be found.")
    asked = request.query_params
    repeated = len(asked.multi_items()) != len(asked)
    if repeated or any(name not in PARAMETERS for name in asked):
        return error(400, "Invalid parameters supplied")
    if asked.get("api-version") != VERSION:
        return error(400, "Unsupported API version")
    if asked.get("currencyCode", "USD") != "USD":
        return error(400, "This list has prices in USD only")
    skip = asked.get("$skip", "0")
    if not (skip.isascii() and skip.isdigit()):
        return error(400, "Invalid OData parameters supplied")
    try:
        wanted = Filter(asked["$filter"]).matches if "$filter" in asked else None
    except BadQuery as problem:
        return error(400, str(problem))
    found = [one for one in meters() if wanted is None or wanted(one)]
    start = int(skip)
    page = found[start : start + PAGE]
    again = f"$filter={quote(asked['$filter'])}&" if "$filter" in asked else ""
    more = f"https://prices.azure.com:443{PATH}?api-version={VERSION}&{again}$skip={start + PAGE}"
    document = {
        "BillingCurrency": "USD",
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": page,
        "NextPageLink": more if start + PAGE < len(found) else None,
        "Count": len(page),
    }
    return Response(json.dumps(document), media_type="application/json")


def words(status: int, message: str) -> bytes:
    """The body of an error."""
    codes = {400: "BadRequest", 404: "NotFound", 429: "TooManyRequests"}
    return json.dumps({"Error": {"Code": codes.get(status, f"Http{status}"), "Message": message}}).encode()


def error(status: int, message: str) -> Response:
    """An error as an answer."""
    return Response(words(status, message), status, media_type="application/json")


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, f"{request.method} {request.url.path}: {problem.detail}")


def app(state: State) -> Starlette:
    """The server. Its prices do not move: a list changes some times a month."""
    routes = [Route(PATH, prices, methods=["GET"]), *Arm(state, ACCOUNTS).routes()]
    made = Starlette(routes=routes, exception_handlers={HTTPException: _not_there})
    made.router.redirect_slashes = False
    return made


class AzureSpeech(Speech):
    """The price list says an error in its own way, all else as Resource Manager does."""

    def words(self, exchange: Exchange, status: int, message: str) -> bytes:
        """An error body."""
        listed = exchange.scope["path"].startswith(PATH)
        return words(status, message) if listed else arm_words(status, message)


LISTINGS = {"/subscriptions": ("value", "nextLink")}
CLOUD = Cloud(
    app,
    words,
    records="Items",
    auth=ACCOUNTS["prod"],
    more="NextPageLink",
    links=True,
    keys=("armSkuName", "armRegionName"),
    part="A100_v4",
    sdk=True,
    plain=("client_id", "tenant_id"),
    signs=True,
    settings={
        "accounts": {
            name: {"options": {"subscription_id": about["number"]}}
            for name, about in fleet_file("azure")["accounts"].items()
        }
    },
    accounts=ACCOUNTS,
    listings=LISTINGS,
    speech=AzureSpeech(words, "Items", "NextPageLink", LISTINGS),
)
