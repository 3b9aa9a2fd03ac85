"""What each seller's local cloud says over the wire, read a second time by rules written here.

Nothing of cloudtop is imported. Which words mean which GPU, what an instance type carries, what counts as a
price and how a place without any left looks stand below as facts of this file's own. Figures are exact.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import httpx


@dataclass(frozen=True)
class Offer:
    """One thing to rent. `gib` is of one GPU, `usd` of the whole; `free` is None where nobody tells."""

    id: str
    where: str | None
    gpu: str | None
    gib: float | None
    count: float
    usd: Fraction | None
    spot: bool = False
    free: bool | None = None
    altered: bool = False

    @property
    def against(self) -> int:
        """How many things keep it out of a comparison that asks for nothing in particular."""
        return (not self.usd) + (self.free is False) + self.altered


# --- GPUs -----------------------------------------------------------------------------------------------

CARDS: Mapping[str, tuple[tuple[int, ...], str]] = {
    "A10": ((24,), "A10"),
    "A16": ((16,), "NVIDIA_A16|a16"),
    "A40": ((48,), "NVIDIA A40|NVIDIA_A40|A40"),
    "A100": (
        (40, 80),
        "NVIDIA A100 80GB PCIe|NVIDIA A100-SXM4-80GB|nvidia_a100|A100|A100 SXM4|A100 PCIE|NVIDIA_A100"
        "|NVIDIA_A100_SXM",
    ),
    "A100X": ((80,), "A100X"),
    "A800": ((80,), "A800 PCIE"),
    "B200": ((180,), "NVIDIA B200|B200|b200"),
    "B300": ((270,), "nvidia_b300|B300 SXM6 262GB"),
    "GH200": ((96,), "GH200|gh200|GH200 SXM"),
    "GTX1660SUPER": ((6,), "GTX 1660 S"),
    "H100": ((80,), "NVIDIA H100 80GB HBM3|nvidia_h100|H100|h100|H100 SXM5 80GB|H100 SXM|H100 PCIE"),
    "H100NVL": ((94,), "NVIDIA H100 NVL|H100 NVL"),
    "H200": ((141,), "NVIDIA H200|nvidia_h200|H200|H200 SXM5 141GB"),
    "H200NVL": ((141,), "NVIDIA H200 NVL|H200 NVL"),
    "L4": ((24,), "NVIDIA L4|L4"),
    "L40": ((48,), "L40"),
    # Vultr's `l40` is sold as L40S everywhere but in that one id.
    "L40S": ((48,), "NVIDIA L40S|nvidia_l40s|L40S|L40S 48GB|NVIDIA_L40S|l40|l40s"),
    "MI300X": ((192,), "AMD Instinct MI300X OAM|amd_mi300x|AMD_MI300X|MI300X"),
    "MI325X": ((256,), "amd_mi325x|mi325x"),
    "MI350X": ((288,), "MI350X"),
    "P40": ((24,), "Tesla P40"),
    "P100": ((16,), "Tesla P100"),
    # Lambda and Linode have had it since before Ada: theirs is the old one, of 24.
    "QUADRORTX6000": ((24,), "RTX 6000|RTX6000|Q RTX 6000"),
    "QUADRORTX8000": ((48,), "Q RTX 8000"),
    "RTX2080TI": ((11,), "RTX 2080 Ti"),
    "RTX3060": ((12,), "RTX 3060"),
    "RTX3080": ((10, 12), "RTX 3080"),
    "RTX3090": ((24,), "RTX 3090"),
    "RTX3090TI": ((24,), "NVIDIA GeForce RTX 3090 Ti|RTX 3090 Ti"),
    "RTX4000ADA": ((20,), "nvidia_rtx4000_ada|RTX4000 Ada"),
    "RTX4060TI": ((8, 16), "RTX 4060 Ti"),
    "RTX4070TI": ((12,), "RTX 4070 Ti"),
    "RTX4070TISUPER": ((16,), "RTX 4070S Ti"),
    "RTX4080": ((16,), "RTX 4080"),
    "RTX4080SUPER": ((16,), "RTX 4080S"),
    "RTX4090": ((24, 48), "NVIDIA GeForce RTX 4090|RTX 4090"),
    "RTX4090D": ((24,), "RTX 4090D"),
    "RTX5070TI": ((16,), "RTX 5070 Ti"),
    "RTX5080": ((16,), "RTX 5080"),
    "RTX5090": ((32,), "RTX 5090"),
    "RTX6000ADA": ((48,), "nvidia_rtx6000_ada|RTX 6000Ada"),
    "RTXA4000": ((16,), "RTX A4000"),
    "RTXA5000": ((24,), "RTX A5000"),
    "RTXA6000": ((48,), "A6000|RTX A6000|NVidia RTX A6000 48GB"),
    "RTXPRO6000": (
        (96,),
        "NVIDIA RTX PRO 6000 Blackwell Server Edition|RTX PRO 6000|RTX PRO 6000 Blackwell|RTX PRO 6000 96GB"
        "|RTX PRO 6000 S|RTX PRO 6000 WS",
    ),
    "T4": ((16,), "Tesla T4"),
    "V100": ((16, 32), "Tesla V100|V100 SXM2|NVidia Tesla V100 16GB"),
}
"""GPU -> GiB of its boards, of a span of sizes the least, and what sellers call it."""
CALLED = {word: name for name, (_, words) in CARDS.items() for word in words.split("|")}
CALLED |= {f"A100 SXM4 {gib}GB": "A100" for gib in (40, 80)}

TYPES: Mapping[str, tuple[str, float, float]] = {
    "p5.48xlarge": ("H100", 80, 8),
    "p5.4xlarge": ("H100", 80, 1),
    "p4d.24xlarge": ("A100", 40, 8),
    "p4de.24xlarge": ("A100", 80, 8),
    "p5en.48xlarge": ("H200", 141, 8),
    "p6-b200.48xlarge": ("B200", 180, 8),
    "g6e.xlarge": ("L40S", 48, 1),
    "g6e.12xlarge": ("L40S", 48, 4),
    "g5.xlarge": ("A10G", 24, 1),
    "g5.48xlarge": ("A10G", 24, 8),
    "g6.xlarge": ("L4", 24, 1),
    "g6f.large": ("L4", 24, 0.125),
    "g6f.xlarge": ("L4", 24, 0.125),
    "g4dn.xlarge": ("T4", 16, 1),
    "trn1.2xlarge": ("TRAINIUM", 32, 1),
    "Standard_NC24ads_A100_v4": ("A100", 80, 1),
    "Standard_NC48ads_A100_v4": ("A100", 80, 2),
    "Standard_NC96ads_A100_v4": ("A100", 80, 4),
    "Standard_ND96amsr_A100_v4": ("A100", 80, 8),
    "Standard_ND96asr_v4": ("A100", 40, 8),
    "Standard_NC40ads_H100_v5": ("H100NVL", 94, 1),
    "Standard_NC80adis_H100_v5": ("H100NVL", 94, 2),
    "Standard_ND96isr_H100_v5": ("H100", 80, 8),
    "Standard_ND96isr_H200_v5": ("H200", 141, 8),
    "Standard_ND128isr_NDR_GB200_v6": ("GB200", 186, 4),
    "Standard_NC4as_T4_v3": ("T4", 16, 1),
    "Standard_NV6ads_A10_v5": ("A10", 24, 0.1667),
    "Standard_NV36ads_A10_v5": ("A10", 24, 1),
    "Standard_NC6s_v3": ("V100", 16, 1),
    "BM.GPU.H100": ("H100", 80, 8),
    "BM.GPU.H200": ("H200", 141, 8),
    "BM.GPU4": ("A100", 40, 8),
    "BM.GPU.A100-v2": ("A100", 80, 8),
    "VM.GPU3": ("V100", 16, 1),
    "BM.GPU3": ("V100", 16, 8),
    "VM.GPU.A10": ("A10", 24, 1),
    "BM.GPU.L40S": ("L40S", 48, 4),
    "VM.GPU.L40S": ("L40S", 48, 1),
    "BM.GPU.B200": ("B200", 180, 8),
    "BM.GPU.B300": ("B300", 270, 8),
    "BM.GPU.GB200": ("GB200", 186, 4),
    "BM.GPU.GB300": ("GB300", 278, 4),
    "BM.GPU.MI300X": ("MI300X", 192, 8),
    "BM.GPU.MI355X": ("MI355X", 288, 8),
    "BM.GPU.RTXPRO": ("RTXPRO6000", 96, 8),
}
"""What instance types carry: the GPU, GiB of one, how many. Oracle's are without the count at their end."""

NOT_NAMED = re.compile(r"X9\d*|CMP |unknown")
"""GPUs that nobody knows, put there to see what becomes of them."""


def gpu(word: str, told: float | Fraction | None = None) -> tuple[str | None, float | None]:
    """The GPU that a word means and the size of its board: what is told may be seven per cent off it."""
    name = CALLED.get(word)
    if name is None:
        assert NOT_NAMED.search(word), word
        return None, None if told is None else float(told)
    sizes, _ = CARDS[name]
    if told is None:
        return name, sizes[0] if len(sizes) == 1 else None
    size = min(sizes, key=lambda gib: abs(gib - told))
    assert abs(size - told) <= Fraction(7, 100) * size, (word, told)
    return name, size


def usd(figure: Any, times: Fraction | int = 1) -> Fraction | None:
    """A figure as dollars; nothing, null and zero are no price."""
    return Fraction(str(figure)) * times or None if figure is not None else None


# --- the wire -------------------------------------------------------------------------------------------


class Wire:
    """A local cloud and what it wants to see of who asks. Numbers are read exactly."""

    def __init__(self, url: str, secrets: Mapping[str, str]) -> None:
        self.secrets = secrets
        self.client = httpx.Client(base_url=url)
        if "api_key" in secrets:
            self.client.headers["Authorization"] = f"Bearer {secrets['api_key']}"

    def text(self, path: str, **how: Any) -> str:
        """What is answered, which must be good."""
        answer = self.client.request("POST" if how.keys() & {"json", "data"} else "GET", path, **how)
        assert answer.status_code == 200, answer.text
        return answer.text

    def json(self, path: str, **how: Any) -> Any:
        return json.loads(self.text(path, **how), parse_float=Fraction)


def read(seller: str, url: str, secrets: Mapping[str, str]) -> list[Offer]:
    """Everything that the local cloud of a seller has to offer."""
    wire = Wire(url, secrets)
    try:
        return list(READERS[seller](wire))
    finally:
        wire.client.close()


# --- the sellers ----------------------------------------------------------------------------------------


def vast(wire: Wire) -> Iterator[Offer]:
    """Rent without the disk; a 4090 of 48 GiB is no 4090 as its maker sells it."""
    for kind, price in (("on-demand", "dph_base"), ("bid", "min_bid")):
        body = {"type": kind, "rentable": {"eq": True}, "rented": {"eq": False}, "limit": 5000}
        for one in wire.json("/api/v0/bundles/", json={**body, "allocated_storage": 8})["offers"]:
            ram, where = one.get("gpu_ram"), filter(str.isprintable, one.get("geolocation") or "")
            name, gib = gpu(one["gpu_name"].strip(), Fraction(ram, 1024) if ram else None)
            yield Offer(
                str(one["id"]),
                "".join(where).strip(", ") or None,
                name,
                gib if ram else None,
                one["num_gpus"],
                usd(one.get(price)),
                kind == "bid",
                True,
                altered=(name, gib) == ("RTX4090", 48),
            )


def runpod(wire: Wire) -> Iterator[Offer]:
    """Prices of one GPU in each cloud that sells the type, whatever is written beside one that does not.

    Pods of each size are listed by themselves, with where they are free; without the key, as for spot, the
    other interface says what sizes are.
    """
    sizes, key = (1, 2, 4, 8), wire.client.headers.pop("Authorization", None)

    def pod(one: Any, tier: str, count: int, price: Any, free: bool | None, **more: Any) -> Offer:
        board, _, part = one["id"].partition(" MIG ")
        told = one["memory"] if "memory" in one else one["memoryInGb"]
        name, gib = gpu(board, None if part and CALLED.get(board) else told)
        share = Fraction(told) / Fraction(gib) if part and name and gib else 1
        where = more.get("where")
        label = ":".join((one["id"], tier, *([str(count)] if count > 1 else [])))
        label += f"@{where}" if where else ""
        spot = more.get("spot", False)
        return Offer(label, where, name, gib, float(share * count), usd(price, count), spot, free)

    for tier, count in itertools.product(("secure", "community"), sizes if key else ()):
        params = {"include": "AVAILABILITY", "product": "POD", "cloud": tier.upper(), "count": count}
        gpus: list[dict[str, Any]] = []
        pages: dict[str, Any] = {"nextCursor": None, "hasNextPage": True}
        while pages["hasNextPage"]:
            at = {"cursor": pages["nextCursor"]} if pages["nextCursor"] else {}
            got = wire.json("/v2/catalog/gpus", params=params | at, headers={"Authorization": key})
            gpus, pages = gpus + got["gpus"], got["pagination"]
        for one in gpus:
            if one[tier] and count <= one["maxCount"][tier]:
                some = one["availability"] != "NONE"
                for place in one.get("dataCenters", [{"id": None}]):
                    yield pod(one, tier, count, one["price"][tier], some, where=place["id"])

    lowest = "lowestPrice(input: {gpuCount: 1, secureCloud: %s}) { stockStatus availableGpuCounts }"
    tiers = {"Secure": lowest % "true", "Community": lowest % "false"}
    fields = " ".join(
        f"{t.lower()}Cloud {t.lower()}Price {t.lower()}SpotPrice maxGpuCount{t}Cloud {t}: {ask}"
        for t, ask in tiers.items()
    )
    query = {"query": f"query {{ gpuTypes {{ id memoryInGb {fields} }} }}"}
    types = wire.json("/graphql", json=query)["data"]["gpuTypes"]
    for one, tier, count in itertools.product(types, tiers, sizes):
        low = tier.lower()
        if not one[f"{low}Cloud"] or count > one[f"maxGpuCount{tier}Cloud"]:
            continue
        told = one[tier]["availableGpuCounts"]
        free = None if told is None else count in told
        if one[tier]["stockStatus"] is None or count == 1:
            free = one[tier]["stockStatus"] is not None
        if not key:
            yield pod(one, low, count, one[f"{low}Price"], free)
        if one.get(f"{low}SpotPrice", 0) is not None and free is not None:
            yield pod(one, low, count, one.get(f"{low}SpotPrice"), free, spot=True)


def azure_meters(wire: Wire, more: str) -> dict[tuple[str, str, bool], Fraction | None]:
    """(size, region, spot) -> dollars an hour: Linux, in force, of the primary region, the latest.

    Where two are alike in all this there is none.
    """
    told = f"serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and {more}"
    asked = {"api-version": "2023-01-01-preview", "$filter": told}
    items: list[dict[str, Any]] = []
    while page := wire.json("/api/retail/prices", params={**asked, "$skip": str(len(items))})["Items"]:
        items += page
    held: dict[tuple[str, str, bool], list[tuple[bool, str, Fraction | None]]] = {}
    other = re.compile("Windows|Dedicated|Cloud ?Services|Low Priority|Expired")
    for one in items:
        words = " ".join(str(one.get(name)) for name in ("productName", "meterName", "skuName"))
        since = one.get("effectiveStartDate", "")
        late = since > datetime.now(UTC).isoformat()
        if other.search(words) or late or one["unitOfMeasure"] != "1 Hour" or "NP1" in one["armSkuName"]:
            continue
        thing = one["armSkuName"], one["armRegionName"], "Spot" in words
        meter = one.get("isPrimaryMeterRegion", True), since, usd(one["retailPrice"])
        held.setdefault(thing, []).append(meter)
    prices = {}
    for thing, meters in held.items():
        best = max(meter[:2] for meter in meters)
        found = {meter[2] for meter in meters if meter[:2] == best}
        prices[thing] = found.pop() if len(found) == 1 else None
    return prices


def azure(wire: Wire) -> Iterator[Offer]:
    """A type is an offer in each region that has a meter of it."""
    for (kind, region, spot), price in azure_meters(wire, "contains(armSkuName,'Standard_N')").items():
        unknown = ("L40S", 48, 0) if "L40S" in kind else (None, None, 0)
        name, gib, count = TYPES.get(kind, unknown)
        yield Offer(f"{kind}:{region}", region, name, gib, count or 1, price if count else None, spot)


def aws(wire: Wire) -> Iterator[Offer]:
    """The plain line of a type in the list of each region; of each zone the latest price on spot."""
    plain = {"TermType": "OnDemand", "Tenancy": "Shared", "Operating System": "Linux", "Unit": "Hrs"}
    plain |= {"CapacityStatus": "Used", "MarketOption": "OnDemand", "Currency": "USD"}
    root = "/offers/v1.0/aws/AmazonEC2/current"
    for region in wire.json(f"{root}/region_index.json")["regions"]:
        lines = wire.text(f"{root}/{region}/index.csv").splitlines()[5:]
        for row in csv.DictReader(lines):
            bare = row["Pre Installed S/W"] in ("", "NA") and row["Location Type"] != "AWS Outposts"
            if not bare or any(row[name] != value for name, value in plain.items()):
                continue
            kind = row["Instance Type"]
            name, gib, count = TYPES.get(kind, (None, None, float(row["GPU"] or 0)))
            if count:
                yield Offer(row["SKU"], row["Region Code"], name, gib, count, usd(row["PricePerUnit"]))
        if wire.secrets:
            yield from aws_spot(wire, region)


def aws_spot(wire: Wire, region: str) -> Iterator[Offer]:
    signed = f"Credential={wire.secrets['access_key_id']}/20261120/{region}/ec2/aws4_request"
    signed = f"AWS4-HMAC-SHA256 {signed}, SignedHeaders=host, Signature={'0' * 64}"
    headers = {"Authorization": signed, "X-Amz-Date": "20261120T140000Z"}
    asked = {"Action": "DescribeSpotPriceHistory", "Version": "2016-11-15", "NextToken": ""}
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    while True:
        answer = ElementTree.fromstring(wire.text("/", data=asked, headers=headers))
        for item in answer.findall(".//{*}item"):
            kind, what, price, at, zone = (field.text or "" for field in item)
            if what == "Linux/UNIX" and kind in TYPES:
                newest[kind, zone] = max(newest.get((kind, zone), ("", "")), (at, price))
        asked["NextToken"] = answer.findtext("{*}nextToken") or ""
        if not asked["NextToken"]:
            break
    for (kind, zone), (_, price) in newest.items():
        yield Offer(f"{kind}:{zone}", region, *TYPES[kind], usd(price), True)


def oci(wire: Wire) -> Iterator[Offer]:
    """The sum of the parts that the estimator names; preemptible is half of it, where it is allowed."""
    parts = {
        one["partNumber"]: (one["metricName"], usd(one["currencyCodeLocalizations"][0]["prices"][0]["value"]))
        for one in wire.json("/pls/apex/cetools/api/v1/products/?currencyCode=USD")["items"]
    }
    for one in wire.json("/a/ocom/docs/cloudestimator2/data/shapes.json")["items"]:
        if one["hidden"] or one["status"] != "ACTIVE" or not one["gpuQty"]:
            continue
        count = one["gpuQty"]
        kind = re.sub(r"\.\d+( \(NVL72\))?$", "", one["name"])
        costs: list[Fraction] = []
        for part in one["products"]:
            metric, price = parts.get(part["partNumber"], ("", None))
            quantity = count if metric == "GPU Per Hour" else part["qty"]
            costs.append(price * quantity if price else Fraction(0))
        total = sum(costs, Fraction(0)) if all(costs) else None
        name, gib, _ = TYPES.get(kind) or (None, one["gpuMemoryQty"] / count, count)
        yield Offer(one["name"], None, name, gib, count, total)
        if one["allowPreemptible"]:
            yield Offer(one["name"], None, name, gib, count, total and total / 2, True)


GCP_PARTS = {
    "h100": "Nvidia H100 80GB GPU",
    "mega": "Nvidia H100 80GB (Plus|Mega) GPU",
    "b200": r"A4 Nvidia B200 \(1 gpu slice\)",
    "a100": "Nvidia Tesla A100 80GB GPU",
    "a100-40": "Nvidia Tesla A100 GPU",
    "l4": "Nvidia L4 GPU",
    "t4": "Nvidia Tesla T4 GPU",
    "v100": "Nvidia Tesla V100 GPU",
    "eighth": "1/8 vGPU no lssd",
    "ssd": "SSD backed Local Storage",
    **{
        f"{host} {kind}": f"{name} Instance {kind}"
        for host, name in (
            ("a3", "A3"),
            ("plus", "A3Plus"),
            ("a2", "A2"),
            ("g2", "G2"),
            ("n1", "N1 Predefined"),
        )
        for kind in ("Core", "Ram")
    },
}
GCP_OTHER = re.compile("Commit|Reserved|DWS|Calendar Mode|Sole Tenancy|Custom|Premium|preserved")
# machine: GPU, GiB of one, GPUs, the part of one, how many of it, host, cores, GiB, GiB of SSD
GCP_MACHINES: Mapping[str, tuple[str, int, float, str, int, str, int, int, int]] = {
    **{f"a3-highgpu-{n}g": ("H100", 80, n, "h100", n, "a3", 26 * n, 234 * n, 750 * n) for n in (1, 2, 4, 8)},
    "a3-megagpu-8g": ("H100", 80, 8, "mega", 8, "plus", 208, 1872, 6000),
    "a4-highgpu-8g": ("B200", 180, 8, "b200", 8, "", 0, 0, 0),
    **{f"a2-ultragpu-{n}g": ("A100", 80, n, "a100", n, "a2", 12 * n, 170 * n, 375 * n) for n in (1, 2, 4, 8)},
    **{f"a2-highgpu-{n}g": ("A100", 40, n, "a100-40", n, "a2", 12 * n, 85 * n, 0) for n in (1, 2, 4, 8)},
    "a2-megagpu-16g": ("A100", 40, 16, "a100-40", 16, "a2", 96, 1360, 0),
    **{f"g2-standard-{n}": ("L4", 24, 1, "l4", 1, "g2", n, 4 * n, 0) for n in (4, 8, 12, 16, 32)},
    **{f"g2-standard-{24 * n}": ("L4", 24, 2 * n, "l4", 2 * n, "g2", 24 * n, 96 * n, 0) for n in (1, 2, 4)},
    **{
        f"n1-standard-{4 * n}+nvidia-tesla-v100:{n}": ("V100", 16, n, "v100", n, "n1", 4 * n, 15 * n, 0)
        for n in (1, 2, 4, 8)
    },
    **{
        f"n1-standard-{4 * n}+nvidia-tesla-t4:{n}": ("T4", 16, n, "t4", n, "n1", 4 * n, 15 * n, 0)
        for n in (1, 2, 4)
    },
    **{f"g4-standard-{6 * n}": ("RTXPRO6000", 96, n / 8, "eighth", n, "", 0, 0, 0) for n in (1, 2, 4)},
}
GCP_NEVER_ON_DEMAND = ("a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g", "a4-highgpu-8g")
"""To be had on spot or by reservation alone, though the list has prices for them."""


def gcp(wire: Wire) -> Iterator[Offer]:
    """A machine is GPUs, cores, memory and disk of one region and one way of paying: all of them or none."""
    wire.client.headers["X-Goog-Api-Key"] = wire.secrets["api_key"]
    parts: dict[tuple[str, bool, str], Fraction | None] = {}
    token: str | None = ""
    while token is not None:
        page = wire.json("/v1/services/6F81-5844-456A/skus", params={"pageToken": token})
        for one in page["skus"]:
            text = one["description"]
            spot = "Spot" in text or one["category"]["usageType"] == "Preemptible"
            bare = re.sub("^Spot Preemptible | (attached|running|in) .*", "", text)
            part = next((name for name, words in GCP_PARTS.items() if re.fullmatch(words, bare)), None)
            if part is None or GCP_OTHER.search(text) or "Commit" in one["category"]["usageType"]:
                continue
            pricing = one["pricingInfo"][0]["pricingExpression"]
            rates = (rate["unitPrice"] for rate in pricing["tieredRates"])
            prices = (int(one["units"]) + Fraction(one["nanos"], 10**9) for one in rates)
            of = {"GiBy.mo": Fraction(1, 730), "GBy.h": Fraction(2**30, 10**9)}.get(
                pricing["usageUnit"], Fraction(1)
            )
            first = next((price * of for price in prices if price), None)
            parts |= {(region, spot, part): first for region in one["serviceRegions"]}
        token = page["nextPageToken"] or None
    for kind, (name, gib, count, card, cards, host, cores, ram, ssd) in GCP_MACHINES.items():
        for region, spot in [(region, spot) for region, spot, part in parts if part == card]:
            needed = {card: cards, f"{host} Core": cores, f"{host} Ram": ram, "ssd": ssd}
            told = [(parts.get((region, spot, part)), n) for part, n in needed.items() if n]
            whole = sum(((one or Fraction(0)) * n for one, n in told), Fraction(0))
            price = whole if all(one for one, _ in told) else None
            free = None if spot or kind not in GCP_NEVER_ON_DEMAND else False
            yield Offer(f"{kind}@{region}", region, name, gib, count, price, spot, free)


def digitalocean(wire: Wire) -> Iterator[Offer]:
    """Of the whole droplet: price, and memory of all GPUs, but for one size that tells that of one."""
    path: str | None = "/v2/sizes?per_page=200"
    while path:
        page = wire.json(path)
        for one in page["sizes"]:
            slug = re.fullmatch(r"gpu-(.+?)x(\d+)-(\d+)gb(-.*)?", one["slug"])
            if not slug:
                continue
            count, whole = int(slug[2]), int(slug[3])
            info = one.get("gpu_info") or {"model": f"nvidia_{slug[1]}", "count": count, "vram": None}
            assert info["count"] == count
            assert info["vram"] is None or info["vram"]["amount"] in (whole, whole // count)
            word = info["model"].replace("acme_x", "X")
            name, gib = gpu(word, Fraction(whole, count))
            price = None if one["slug"].endswith("contracted") else usd(one["price_hourly"])
            for region in one["regions"] or [None]:
                key = f"{one['slug']}@{region}" if region else one["slug"]
                free = bool(region) and one["available"]
                yield Offer(key, region, name, gib, count, price, False, free)
        path = page["links"].get("pages", {}).get("next")


def lambda_(wire: Wire) -> Iterator[Offer]:
    """Cents of the whole instance; a region in the list has one left, no region is sold out."""
    for kind, one in wire.json("/api/v1/instance-types")["data"].items():
        told = one["instance_type"]
        count = told["specs"]["gpus"]
        if not count:
            continue
        words = re.fullmatch(r"(?:Tesla )?(.+?) \((\d+) GB.*\)", told.get("gpu_description", "L40S (48 GB)"))
        assert words
        word = words[1].replace("V100", "Tesla V100")
        # Of a GPU that nobody knows no field tells the size, and words alone are not believed.
        name, gib = gpu(word, int(words[2]) if word in CALLED else None)
        price = usd(told["price_cents_per_hour"], Fraction(1, 100))
        places = [place["name"] for place in one["regions_with_capacity_available"]]
        for place in places or [None]:
            key = f"{kind}@{place}" if place else kind
            yield Offer(key, place, name, gib, count, price, False, bool(place))


def verda(wire: Wire) -> Iterator[Offer]:
    """Prices of the whole instance, memory of all GPUs, and for each way of paying a list of what is left."""
    token = wire.json("/v1/oauth2/token", json={"grant_type": "client_credentials", **wire.secrets})
    wire.client.headers["Authorization"] = f"Bearer {token['access_token']}"
    types = [one for one in wire.json("/v1/instance-types?currency=usd") if one["gpu"]]
    for spot, field in ((False, "price_per_hour"), (True, "spot_price")):
        left = wire.json(f"/v1/instance-availability?is_spot={str(spot).lower()}")
        for one in types:
            kind, count, whole = one["instance_type"], one["gpu"]["number_of_gpus"], one["gpu_memory"]
            if not count:
                continue
            gib = whole["size_in_gigabytes"] and Fraction(whole["size_in_gigabytes"], count)
            found = gpu(one["name"], gib)
            places = [place["location_code"] for place in left if kind in place["availabilities"]]
            for place in places or [None]:
                key = f"{kind}@{place}" if place else kind
                yield Offer(key, place, *found, count, usd(one.get(field)), spot, bool(place))


def vultr(wire: Wire) -> Iterator[Offer]:
    """Price and memory of the whole plan, which may be a share of a board; what is not told is in the id."""
    plans: list[dict[str, Any]] = []
    for path, records in (("/v2/plans", "plans"), ("/v2/plans-metal", "plans_metal")):
        cursor: str | None = None
        while cursor != "":
            page = wire.json(path, params={"per_page": 500, **({"cursor": cursor} if cursor else {})})
            plans += page[records]
            cursor = page["meta"]["links"]["next"]
    for one in plans:
        found = re.match(r"v(?:cg-|bm-\d+c-\d+gb-(?:(\d+)-)?)([a-z]\w+)-.*?(?:(\d+)vram)?$", one["id"])
        if not found:
            continue
        word = (one.get("gpu_type") or found[2]).replace("NVIDIA_X", "X").replace("x900", "X900")
        vram = one.get("gpu_vram_gb") or (int(found[3]) if found[3] else None)
        board = 80 if CALLED.get(word) == "A100" else gpu(word)[1] or vram
        told = Fraction(one.get("gpu_count") or found[1] or (0 if vram else 1))
        if not told and vram and board:
            # What is told may be seven per cent off, but six GPUs nobody has.
            near = (n for n in (1, 2, 4, 8, 16) if abs(vram / n - board) <= 0.07 * board)
            told = Fraction(vram) / Fraction(board) if vram < 0.93 * board else Fraction(next(near, 0))
        name, gib = gpu(word, board)
        for spot, suffix in ((False, ""), (True, "_preemptible")):
            let = one.get("deploy_preemptible" if spot else "deploy_ondemand")
            if spot and not (one.get("hourly_cost_preemptible") and let is not False):
                continue
            left = one["locations"] if spot or let is not False else []
            places = [place for place in left or [] if place]
            for place in places or [None]:
                own = one.get("location_cost", {}).get(place, one)
                price = usd(own.get(f"hourly_cost{suffix}")) if told else None
                free = bool(place) if one["locations"] is not None else None
                key = f"{one['id']}@{place}" if place else one["id"]
                yield Offer(key, place, name, gib, round(float(told), 6) or 1, price, spot, free)


def linode(wire: Wire) -> Iterator[Offer]:
    """The label tells the GPU and the other list where a plan is; a region may have a price of its own."""

    def listed(path: str) -> Iterator[dict[str, Any]]:
        pages = 1
        for number in range(1, 100):
            if number <= pages:
                page = wire.json(path, params={"page": number})
                pages = page["pages"]
                yield from page["data"]

    told: dict[str, dict[str, Any]] = {}
    for one in listed("/v4/regions/availability"):
        told.setdefault(one["plan"], {})[one["region"]] = one["available"]
    for one in listed("/v4/linode/types"):
        if one["class"] != "gpu":
            continue
        label = one["label"] or "RTX4000 Ada x1"
        words = re.search(r"(?:\+ )?([HXR][\w ]+?)(?: GPU)? x(\d+)", label)
        assert words
        found, count = gpu(words[1]), one["gpus"] or int(words[2])
        own = {place["id"]: place["hourly"] for place in one["region_prices"]}
        places: dict[Any, Any] = {
            place: free for place, free in told.get(one["id"], {}).items() if free is not False
        }
        if one["id"] not in told:
            places = dict.fromkeys([None, *own])
        for place, free in (places or {None: False}).items():
            key = f"{one['id']}@{place}" if place else one["id"]
            price = usd(own.get(place, one["price"]["hourly"]))
            yield Offer(key, place, *found, count, price, False, free)


def cloudrift(wire: Wire) -> Iterator[Offer]:
    """Cents of the whole variant, bytes of one GPU's memory, machines left by data centre."""
    wire.client.headers.pop("Authorization", None)
    body = {"version": "2025-03-21", "data": {"selector": "All"}}
    for kind in wire.json("/api/v1/instance-types/list", json=body)["data"]["instance_types"]:
        for one in kind["variants"]:
            count = one["gpu_count"] if one["gpu_count"] is not None else int(one["name"].rpartition(".")[2])
            if not count:
                continue
            gib = Fraction(one["vram"], 2**30)
            word = kind["brand_short"]
            each = gib / count if word == "RTX 5090" and gib > 32 else gib
            found, price = gpu(word, each), usd(one["cost_per_hour"], Fraction(1, 100))
            left = one.get("available_nodes_per_dc")
            told, free = (one["nodes_per_dc"], None) if left is None else (left, True)
            places = [place for place, nodes in told.items() if nodes]
            for place in places or [None]:
                key = f"{one['name']}@{place}" if place else one["name"]
                yield Offer(key, place, *found, count, price, False, free if place else False)


READERS: Mapping[str, Callable[[Wire], Iterator[Offer]]] = {
    "vast": vast,
    "runpod": runpod,
    "azure": azure,
    "aws": aws,
    "oci": oci,
    "gcp": gcp,
    "digitalocean": digitalocean,
    "lambda": lambda_,
    "verda": verda,
    "vultr": vultr,
    "linode": linode,
    "cloudrift": cloudrift,
}
