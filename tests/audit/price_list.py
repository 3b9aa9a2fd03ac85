"""A large price list read with the csv module alone, and answers worked out from it without our code.

Where the list's regions are is written down here by hand.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from statistics import median


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


FILE = Path(__file__).parents[3] / "shared" / "data" / "list_prices.csv"
ENOUGH, FAR_OFF = 5, 10
RESOLD_FROM = {"verda": "verda", "nebius": "nebius", "lambdalabs": "lambda", "digitalocean": "digitalocean"}
"""How Shadeform's types begin that belong to a seller whom the list has too."""

TWO_SIZES = {"A100-40GB": "A100", "A100-80GB": "A100", "V100-16GB": "V100", "V100-32GB": "V100"}
ONE_NAME = {**TWO_SIZES, "GH200-96GB": "GH200"}
MADE_IN = {("A40", 45): 48, ("L40S", 45): 48}
"""What a card reports, and the size that it is sold as."""

AWS = {
    "us-": "us",
    "ca-": "ca",
    "sa-east-1": "br",
    "af-south-1": "za",
    "ap-east-1": "hk",
    "ap-south-": "in",
    "ap-northeast-1": "jp",
    "ap-northeast-2": "kr",
    "ap-northeast-3": "jp",
    "ap-southeast-1": "sg",
    "ap-southeast-2": "au",
    "ap-southeast-3": "id",
    "ap-southeast-5": "my",
    "eu-central-1": "de",
    "eu-central-2": "ch",
    "eu-north-1": "se",
    "eu-south-1": "it",
    "eu-south-2": "es",
    "eu-west-1": "ie",
    "eu-west-2": "uk",
    "eu-west-3": "fr",
    "il-central-1": "il",
    "me-central-1": "ae",
    "me-south-1": "bh",
}
ELSEWHERE = {
    "qro": "mx",
    "lim": "pe",
    "scl": "cl",
    "los": "ng",
    "tpe": "tw",
    "bkk": "th",
    "mnl": "ph",
    "akl": "nz",
    "waw": "pl",
    "cph": "dk",
    "hel": "fi",
    "mct": "om",
    "cmn": "ma",
    "dss": "sn",
}
"""Local and Wavelength Zones in another country than the region they belong to."""
AZURE = {
    "us": "eastus eastus2 centralus northcentralus southcentralus westus westus2 westus3 westcentralus",
    "nl": "westeurope",
    "ie": "northeurope",
    "uk": "uksouth ukwest",
    "au": "australiaeast australiacentral australiacentral2 australiasoutheast",
    "jp": "japaneast japanwest",
    "se": "swedencentral",
    "sg": "southeastasia",
    "in": "centralindia southindia jioindiawest jioindiacentral",
    "fr": "francecentral francesouth",
    "es": "spaincentral",
    "ca": "canadacentral canadaeast",
    "pl": "polandcentral",
    "br": "brazilsouth",
    "kr": "koreacentral koreasouth",
    "de": "germanywestcentral germanynorth",
    "it": "italynorth",
    "ch": "switzerlandnorth switzerlandwest",
    "ae": "uaenorth uaecentral",
    "il": "israelcentral",
    "my": "malaysiawest",
    "za": "southafricanorth southafricawest",
    "hk": "eastasia",
    "mx": "mexicocentral",
    "qa": "qatarcentral",
    "id": "indonesiacentral",
    "no": "norwayeast norwaywest",
    "cl": "chilecentral",
}
GCP = {
    "us-": "us",
    "asia-southeast1": "sg",
    "europe-west4": "nl",
    "europe-west3": "de",
    "europe-west1": "be",
    "europe-west9": "fr",
    "europe-north1": "fi",
    "asia-northeast1": "jp",
    "asia-northeast3": "kr",
    "asia-east1": "tw",
    "asia-south": "in",
    "me-west1": "il",
    "australia-": "au",
}
LAMBDA = {
    "us-": "us",
    "europe-central-1": "de",
    "asia-south-1": "in",
    "asia-northeast": "jp",
    "me-west-1": "il",
    "australia": "au",
}
NAMED = {
    "usa": "us",
    "canada": "ca",
    "finland": "fi",
    "norway": "no",
    "poland": "pl",
    "france": "fr",
    "germany": "de",
    "iceland": "is",
    "sweden": "se",
    "india": "in",
    "japan": "jp",
    "uk": "uk",
    "singapore": "sg",
    "netherlands": "nl",
    "australia": "au",
    "israel": "il",
}
OTHERS = {"tor1": "ca", "eu-north1": "fi", "eu-west1": "fr", "us-central1": "us"}
EUROPE = set(words("nl ie uk se fr es pl de it ch no be fi dk is ro cz bg ee hu mk ru"))
ASIA = {"hk", "in", "jp", "kr", "sg", "id", "my", "tw", "th", "ph", "cn", "vn"}
WEST = ("us-west", "us-gov-west", "westus", "westcentralus")
EAST = ("us-east", "us-gov-east", "eastus")
WEST_CITIES = ("sanjose", "phoenix", "saltlakecity", "casper", "Utah", "Oregon")
EAST_CITIES = words(
    "newyork culpeper beltsville dulles newark raleigh charlotte atlanta ashburn Florida Georgia Michigan"
)


@dataclass(frozen=True, eq=False)
class Price:
    """One price of one row of the list."""

    seller: str
    kind: str
    region: str
    canonical: str
    count: Fraction
    memory: int
    per_hour: Fraction
    spot: bool
    dated: str | None

    @cached_property
    def per_gpu(self) -> Fraction:
        return self.per_hour / self.count

    @property
    def gpu(self) -> str:
        return ONE_NAME.get(self.canonical, self.canonical).replace("-", "").upper()

    @property
    def share(self) -> bool:
        return self.count.denominator != 1

    @property
    def altered(self) -> bool:
        return (self.canonical, self.memory) == ("RTX-4090", 48)

    @property
    def place(self) -> tuple[str, str, str]:
        """What equal prices are put in order by."""
        return self.seller, self.kind, self.region

    @cached_property
    def country(self) -> str | None:
        return country(self.seller, self.region)

    @cached_property
    def sides(self) -> set[str]:
        """The sides of the United States that this is on."""
        if self.country != "us":
            return set()
        west = self.region.startswith((*WEST, *WEST_CITIES))
        east = self.region.startswith((*EAST, *EAST_CITIES, "North Carolina"))
        return {side for side, on_it in (("us-west", west), ("us-east", east)) if on_it}

    def lies_in(self, where: str) -> bool:
        if where in ("us-west", "us-east"):
            return where in self.sides
        if where == "eu":
            european = (self.seller, self.region) == ("lambda", "europe-south-1")
            return european or self.country in EUROPE
        return self.country in ASIA if where == "asia" else self.country == where


def country(seller: str, region: str) -> str | None:
    """Two letters, or None where the seller does not tell."""
    if seller == "aws":
        parts = region.split("-")
        city = next((part[:3] for part in parts[3:] if part[:3] in ELSEWHERE), None)
        return ELSEWHERE[city] if city else begins(AWS, region)
    if seller == "azure":
        return next(code for code, regions in AZURE.items() if region in regions.split())
    if seller in ("gcp", "lambda"):
        return begins(GCP if seller == "gcp" else LAMBDA, region)
    if seller == "shadeform":
        return NAMED[region.split("-")[-2]]
    if seller == "vast":
        return region.split(", ")[-2].lower()
    if seller == "runpod":
        return region.lower()
    if seller in ("verda", "yotta"):
        return "fi" if seller == "verda" else "us"
    return OTHERS.get(region)


def begins(table: Mapping[str, str], region: str) -> str | None:
    return next((code for start, code in table.items() if region.startswith(start)), None)


def prices(file: Path = FILE) -> list[Price]:
    """Every price of the list; an empty cell or a zero is none."""
    with file.open(encoding="utf-8", newline="") as text:
        return [price for row in csv.DictReader(text) for price in prices_of(row)]


def prices_of(row: Mapping[str, str]) -> Iterator[Price]:
    told = int(row["gpu_memory_gib_each"])
    name = row["gpu_canonical"]
    for column, spot in (("price_per_hour_usd", False), ("spot_price_per_hour_usd", True)):
        if row[column] and Fraction(row[column]):
            yield Price(
                seller=row["provider"],
                kind=row["instance_type"],
                region=row["region"],
                canonical=name,
                count=Fraction(row["gpu_count"]),
                memory=MADE_IN.get((name, told), told),
                per_hour=Fraction(row[column]),
                spot=spot,
                dated=row["as_of"] if row["as_of"][:2] == "20" else None,
            )


Test = Callable[[Price], bool]


def usual(one: Price) -> bool:
    """What is compared when nothing else is said: whole cards as their maker made them."""
    return not one.share and not one.altered


def matches(every: Iterable[Price], *tests: Test) -> list[Price]:
    """The prices that pass all tests, cheapest per GPU-hour first, equals by seller, type and region."""
    found = [one for one in every if all(test(one) for test in tests)]
    return sorted(found, key=lambda one: (one.per_gpu, one.place, one.spot))


def doubtful(every: Iterable[Price]) -> set[int]:
    """Spot above the seller's own price for the same, prices ten times off the median of their like, regions
    at more than twice or less than half of the seller's median, and a reseller's price above the owner's."""
    every = list(every)
    listed: dict[object, Fraction] = {}
    alike: dict[object, list[Fraction]] = {}
    for one in every:
        if not one.spot:
            listed[one.place, one.count, one.canonical, one.memory] = one.per_hour
        if not one.share:
            alike.setdefault((one.gpu, one.memory, one.spot), []).append(one.per_gpu)
    middles = {key: median(found) for key, found in alike.items() if len(found) >= ENOUGH}
    types: dict[object, list[Price]] = {}
    dearest: dict[object, Fraction] = {}
    for one in every:
        if one.seller != "vast":
            types.setdefault((one.seller, one.kind, one.count, one.memory, one.spot), []).append(one)
        key = (one.seller, one.gpu, one.memory, one.count, one.spot)
        dearest[key] = max(dearest.get(key, Fraction(0)), one.per_gpu)
    marked = set()
    for same in types.values():
        usual_price = median(one.per_hour for one in same)
        if len({one.region for one in same}) > 2:
            marked |= {id(one) for one in same if not usual_price <= 2 * one.per_hour <= 4 * usual_price}
    for one in every:
        owner = RESOLD_FROM.get(one.kind.split("_")[0]) if one.seller == "shadeform" else None
        price = dearest.get((owner, one.gpu, one.memory, one.count, one.spot))
        if price is not None and price < one.per_gpu:
            marked.add(id(one))
    for one in every:
        own = listed.get((one.place, one.count, one.canonical, one.memory))
        middle = middles.get((one.gpu, one.memory, one.spot))
        far = middle and (one.per_gpu * FAR_OFF < middle or one.per_gpu > middle * FAR_OFF)
        if far or (one.spot and own is not None and one.per_hour > own):
            marked.add(id(one))
    return marked
