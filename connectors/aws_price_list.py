"""What a line of Amazon's public price list means, and what an entry of its history of spot prices.

The list of a region is one CSV, hundreds of megabytes long: five lines about itself, a header, then a line
for every way to pay for anything that EC2 sells. One instance type is priced a hundred ways there; an offer
is the plain one: on demand, Linux, shared hardware, nothing installed, and running (a capacity reservation
costs the same again, or 0). A price is for the whole instance, without disk. `GPU` may be a fraction, 0, or
absent where AWS does not count it as one, so what cloudtop knows about the type comes first. A type that is
listed at 0.0 is sold by reservation alone: it has no price by the hour. The date of the list is when its
prices held. Source of the facts: AWS Price List documentation. Imported late: csv.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudtop import compiled, gpus, regions
from cloudtop.errors import Invalid
from cloudtop.models import GpuOffer
from cloudtop.text import clean
from cloudtop.units import gib, positive
from connectors.base import public

LINUX = "Linux/UNIX"
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
