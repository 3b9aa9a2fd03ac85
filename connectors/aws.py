"""Amazon Web Services: on-demand prices out of the public price list, spot prices out of EC2.

The list (no key) is one CSV for each region, hundreds of megabytes long: five lines about itself, a header,
then a line for every way to pay for anything that EC2 sells. One instance type is priced a hundred ways
there; an offer is the plain one: on demand, Linux, shared hardware, nothing installed, and running (a
capacity reservation costs the same again, or 0). A price is for the whole instance, without disk. `GPU` may
be a fraction, 0, or absent where AWS does not count it as one, so what cloudtop knows about the type comes
first. A type that is listed at 0.0 is sold by reservation alone: it has no price by the hour. The date of
the list is when its prices held.

Spot prices need a key and boto3. They are one for each (type, zone), and a zone is what one rents in, so
each is an offer; its letter means another place in another account. EC2 tells no GPUs: only types that
cloudtop knows are asked for. Regions that an account must switch on first are asked for spot prices only
when they are configured. Source of the facts: AWS Price List documentation, the EC2 API model. Imported
late: csv, json, connectors.door_boto.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloudtop import compiled, gpus, regions
from cloudtop.errors import Invalid
from cloudtop.inventory import Division, Resource
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import gib, positive
from connectors.base import Connector, public

if TYPE_CHECKING:
    from connectors.door_boto import BotoDoor

LIST = "/offers/v1.0/aws/AmazonEC2/current/{region}/index.csv"
INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"
SPOT = '{"spot":true}'
SPOT_TTL_S = 600.0
"""Spot prices move every few hours in each zone; the list's time to live is not theirs."""
PAGE = 500
SPOT_PAGE = 1000
LINUX = "Linux/UNIX"
HOME = "us-east-1"

_OPEN = (
    "us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-north-1 eu-west-1 "
    "eu-west-2 eu-west-3 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 "
    "ap-southeast-2"
)
OPEN_REGIONS = tuple(_OPEN.split())
"""What every account may use."""
_OPT_IN = (
    "af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 "
    "ap-southeast-7 ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 "
    "mx-central-1"
)
OPT_IN_REGIONS = tuple(_OPT_IN.split())
"""What an account switches on first. Prices are public all the same."""

PLAIN: Mapping[str, frozenset[str]] = {
    "TermType": frozenset({"OnDemand"}),
    "Unit": frozenset({"Hrs"}),
    "Tenancy": frozenset({"Shared"}),
    "Operating System": frozenset({"Linux"}),
    "CapacityStatus": frozenset({"Used"}),
    "MarketOption": frozenset({"OnDemand"}),
    "Pre Installed S/W": frozenset({"", "NA"}),
}
"""The way to rent that is an offer here, by column."""
NEEDED = (*PLAIN, "SKU", "Instance Type", "PricePerUnit", "Currency")
WORDS = ("OnDemand", "Linux", "Shared", "Used", "Hrs")
"""Without each of these a line is no offer; looking for them costs a tenth of taking the line apart."""
MANY_COLUMNS = 10
"""The lines before the header have two cells."""


class Aws(Connector):
    """Offers of Amazon EC2, and whether the keys are accepted."""

    _open: Callable[..., Any]
    _boto: BotoDoor | None = None

    def stand(self, door: Callable[..., Any]) -> None:
        """Take what opens a door: boto3 gets one of its own when it is first used."""
        self._open = door

    @property
    def boto(self) -> BotoDoor:
        """boto3 behind the door."""
        if self._boto is None:
            from connectors.door_boto import BotoDoor

            self._boto = BotoDoor(self.facts, self.settings, self.http, self._open)
        return self._boto

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """The list of each region; with keys, its spot prices too."""
        scopes: list[Scope] = []
        if wanted.spot is not True:
            listed = self.settings.regions or (*OPEN_REGIONS, *OPT_IN_REGIONS)
            scopes += [Scope(self.id, "public", region) for region in listed]
        account = next((one for one in self.settings.accounts if self._keyed(one.name)), None)
        if wanted.spot is not False and account:
            asked = account.regions or self.settings.regions or OPEN_REGIONS
            scopes += [Scope(self.id, account.name, region, query=SPOT) for region in asked]
        return scopes

    def bulk(self, scope: Scope) -> bool:
        """Whether a scope is too big to be read within a question: the lists are, spot prices are not."""
        return super().bulk(scope) and not is_spot(scope)

    def ttl_s(self, scope: Scope) -> float:
        """How long they count as fresh: spot prices by far not as long as the lists."""
        return SPOT_TTL_S if is_spot(scope) else super().ttl_s(scope)

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """One region: its part of the list, or its spot prices."""
        async with aclosing(self._spot(scope) if is_spot(scope) else self._listed(scope)) as pages:
            async for page in pages:
                yield page

    async def divisions(self, scope: Scope) -> AsyncIterator[list[Division]]:
        """The regions that the account has switched on."""
        answer = await self.boto.call("ec2", "describe_regions", region=HOME, account=scope.account)
        yield [
            Division(one["RegionName"]) for one in self.records(answer, "Regions") if one.get("RegionName")
        ]

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """EC2 instances, the terminated of the last hour among them."""
        from connectors import aws_rows

        types: dict[str, Any] = {}

        def read(page: Any) -> list[Resource]:
            return list(aws_rows.instances(page, types))

        async for page in self.boto.pages(
            "ec2", "describe_instances", region=scope.region, account=scope.account, read=read, size=1000
        ):
            yield page

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the keys are accepted; without them, whether the price list is there."""
        if self._keyed(scope.account):
            yield await self.probe(scope, self._identity(scope.account), None)
            return
        index = self.http.json("GET", INDEX, operation="list regions", account=scope.account, keyed=False)
        yield await self.probe(scope, index, "No key is set. It works without a key: on-demand prices only.")

    async def aclose(self) -> None:
        """Close the connections of both doors."""
        await super().aclose()
        if self._boto is not None:
            await self._boto.aclose()

    async def _identity(self, account: str) -> None:
        answer = await self.boto.call("sts", "get_caller_identity", region=HOME, account=account)
        if not answer.get("Account"):
            message = f"{self.facts.title} did not say whose key this is."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")

    def _keyed(self, account: str) -> bool:
        return all(self.http.key(account, name) for name in ("access_key_id", "secret_access_key"))

    async def _listed(self, scope: Scope) -> AsyncGenerator[list[GpuOffer], None]:
        path = LIST.format(region=scope.region)
        source, table, now = self.http.url(path, scope.account), PriceTable(self.facts.title), self.now()
        lines = self.http.lines(path, operation="price list", account=scope.account, keyed=False)
        page, nameless = [], 0
        async with aclosing(lines):
            async for line in lines:
                record = table.record(line)
                if record is None or not gpu_count(record):
                    continue
                if not record["SKU"]:
                    nameless += 1
                    continue
                page.append(list_offer(record, scope.region, min(table.published or now, now), source))
                if len(page) >= PAGE:
                    yield page
                    page = []
        table.ended()
        yield page
        self.nameless(scope, nameless)

    async def _spot(self, scope: Scope) -> AsyncGenerator[list[GpuOffer], None]:
        now, types = self.now(), known_types()
        wanted = {"Filters": [{"Name": "instance-type", "Values": types}], "ProductDescriptions": [LINUX]}
        source = self.boto.endpoint("ec2", scope.region, scope.account)
        seen: set[str] = set()
        nameless = 0

        async def ask(token: str | None) -> Any:
            # From now on: EC2 then tells the price that holds at this moment, whenever it was set.
            more = {"NextToken": token} if token else {}
            return await self.boto.call(
                "ec2",
                "describe_spot_price_history",
                region=scope.region,
                account=scope.account,
                StartTime=now,
                MaxResults=SPOT_PAGE,
                **wanted,
                **more,
            )

        async for answer in self.paged(ask, lambda answer: answer.get("NextToken")):
            prices = self.records(answer, "SpotPriceHistory")
            named = [one for one in prices if one.get("InstanceType") and one.get("AvailabilityZone")]
            nameless += len(prices) - len(named)
            yield list(spot_offers(named, scope.region, now, source, seen))
        self.nameless(scope, nameless)


class PriceTable:
    """One region's CSV, line by line: only the lines that are plain ways to rent come out."""

    def __init__(self, title: str) -> None:
        import csv

        self.published: datetime | None = None
        self._title, self._reader = title, csv.reader
        self._header: list[str] = []
        self._last = ""

    def record(self, line: str) -> dict[str, str] | None:
        """The line as column and cell, or None for one that is no offer."""
        if not line.strip():
            return None
        self._last = line
        if not self._header:
            self._preface(self._cells(line))
            return None
        if not all(word in line for word in WORDS):
            return None
        record = self._record(line)
        return record if is_plain(record) else None

    def ended(self) -> None:
        """Refuse a table that has no header, or ends within a line."""
        if not self._header:
            raise self._no_list()
        self._record(self._last)

    def _no_list(self) -> Invalid:
        message = f"{self._title} sent something else than its price list."
        return Invalid(message, "Try again; if it stays so, the interface may have changed.")

    def _preface(self, cells: list[str]) -> None:
        """A line before the header, or the header itself."""
        if len(cells) >= MANY_COLUMNS:
            missing = [name for name in NEEDED if name not in cells]
            if missing:
                message = f"The price list of {self._title} has no column {', '.join(missing)} any more."
                raise Invalid(message, "Look for a newer cloudtop.")
            self._header = cells
        elif cells[0] == "Publication Date" and len(cells) > 1:
            self.published = moment(cells[1])
        elif cells[0].lstrip().startswith("<"):
            raise self._no_list()

    def _record(self, line: str) -> dict[str, str]:
        cells = self._cells(line)
        if len(cells) != len(self._header) or line.count('"') % 2:
            message = f"The price list of {self._title} ended in the middle, or is damaged."
            raise Invalid(message, "Try again.")
        return dict(zip(self._header, cells, strict=True))

    def _cells(self, line: str) -> list[str]:
        return next(self._reader([line]), [""])


def known_types() -> list[str]:
    """Every instance type with GPUs that cloudtop knows, as a filter of EC2 takes them."""
    parts = compiled.load(compiled.DATA / "instance_gpus.yaml")["types"]["aws"]
    return sorted(name for counts in parts.values() for names in counts.values() for name in names)


def is_spot(scope: Scope) -> bool:
    """Whether a scope is of spot prices; its query may hold more than ours."""
    import json

    return json.loads(scope.query or "{}").get("spot") is True


def is_plain(record: Mapping[str, str]) -> bool:
    """Whether a line of the list is an instance as one rents it; an Outpost is one's own machine."""
    plain = all(record[name].strip() in values for name, values in PLAIN.items())
    return plain and record.get("Location Type") != "AWS Outposts"


def moment(text: str) -> datetime | None:
    """A time as the list writes it: 2026-11-20T18:05:00Z."""
    match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])-(\d\d)T(\d\d):(\d\d):(\d\d)Z", text.strip())
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    # Added up, no day or hour is impossible.
    since = timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
    return datetime(year, month, 1, tzinfo=UTC) + since


def gpu_count(record: Mapping[str, str]) -> float | None:
    """GPUs of the instance: what is known of its type, else what the list says; None for no GPU."""
    carried = gpus.instance_gpu("aws", record["Instance Type"])
    return carried[1] if carried else positive(record.get("GPU"))


def list_offer(record: Mapping[str, str], region: str, at: datetime, source_url: str) -> GpuOffer:
    """One line of the list as a row. Any cell but the SKU may be empty."""
    amount, currency = record["PricePerUnit"], record["Currency"]
    memory = gib(record.get("Memory", "").replace(",", ""))
    return offer(
        record["Instance Type"],
        offer_id=record["SKU"],
        count=gpu_count(record) or 1.0,
        usd=positive(amount) if currency == "USD" else None,
        price_raw=f"PricePerUnit={amount} {currency}/{record['Unit']}",
        region=record.get("Region Code") or region,
        at=at,
        source_url=source_url,
        raw={name: value for name, value in record.items() if value},
        vcpus=positive(record.get("vCPU")),
        ram_gib=memory or None,
    )


def spot_offers(
    prices: Iterable[Mapping[str, Any]], region: str, at: datetime, source_url: str, seen: set[str]
) -> Iterable[GpuOffer]:
    """The newest price of each type and zone; EC2 tells the newest first."""
    for price in prices:
        kind, zone, amount = (
            str(price["InstanceType"]),
            str(price["AvailabilityZone"]),
            price.get("SpotPrice"),
        )
        carried, key = gpus.instance_gpu("aws", kind), f"{kind}:{zone}"
        if carried is None or key in seen or price.get("ProductDescription", LINUX) != LINUX:
            continue
        seen.add(key)
        yield offer(
            kind,
            offer_id=key,
            count=carried[1],
            usd=positive(amount),
            price_raw=f"SpotPrice={amount}",
            region=region,
            at=at,
            source_url=source_url,
            raw={name: str(value) for name, value in price.items()},
            spot=True,
        )


def offer(
    kind: str,
    *,
    offer_id: str,
    count: float,
    usd: float | None,
    price_raw: str,
    region: str,
    at: datetime,
    source_url: str,
    raw: Mapping[str, Any],
    spot: bool = False,
    vcpus: float | None = None,
    ram_gib: float | None = None,
) -> GpuOffer:
    """What both sources say about an instance type."""
    name = clean(kind).strip()
    gpu, place = gpus.identify("aws", name), regions.place("aws", region)
    return GpuOffer(
        seller="aws",
        offer_id=offer_id,
        gpu_raw=name,
        gpu_count=count,
        usd_per_hour=usd,
        price_raw=price_raw,
        spot=spot,
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib,
        instance_type=name or None,
        region=place.region,
        country=place.country,
        form=gpu.form,
        vcpus=vcpus,
        ram_gib=ram_gib,
        tier="datacenter",
        fractional=gpu.fractional or count % 1 != 0,
        modified=gpu.modified,
        source_url=source_url,
        as_of=at,
        raw=public(raw),
    )
