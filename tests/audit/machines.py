"""Machines, volumes and what is ill, of all clouds under one roof, as a person reads their files.

What only one cloud means by its fields is read in that cloud's module; none of cloudtop's code is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from tests.audit import aws, azure, cloudflare, company, digitalocean, gcp, neon, oci, runpod, sellers, vast
from tests.audit.company import Thing

Board = tuple[str, float, float]
"""A GPU, how many, GiB of each."""
Listed = Mapping[tuple[str | None, str | None], float | None]
"""What Azure asks an hour for a size in a region."""

EVERYTHING = [one for cloud in company.CLOUDS for one in company.things(cloud) if one.type]
MACHINES = [one for one in EVERYTHING if one.type == "instance"]
VOLUMES = [one for one in EVERYTHING if one.type == "volume"]

EUROPE = {
    *("eu-central-1", "westeurope", "ams3", "fra1", "europe-west4", "aws-eu-central-1", "eu-frankfurt-1"),
    *("uk-london-1", "EU-RO-1", "Bulgaria, BG", "Czechia, CZ", "Sweden, SE"),
}
US = {
    *("us-east-1", "us-west-2", "eastus", "westus3", "atl1", "nyc2", "nyc3", "sfo3", "us-central1"),
    *("us-east1", "aws-us-east-2", "azure-eastus2", "us-ashburn-1", "us-phoenix-1", "US-KS-2", "Texas, US"),
}
PLACES = {
    "Europe": EUROPE,
    "the US": US,
    "Canada": {"tor1", "CA-MTL-1", "Quebec, CA"},
    "Frankfurt": {"eu-central-1", "fra1", "aws-eu-central-1", "eu-frankfurt-1"},
    "the Netherlands": {"ams3", "westeurope", "europe-west4"},
}
"""What lies where."""

_NOW = 1.0
"""By so much what is told of the present may be off its wave: RunPod tells whole percents."""
_DAY = 0.3
"""By so much the mean of a day may be off, for the newest samples come while it is asked."""


@dataclass(frozen=True)
class Load:
    """Percent, and by how much it may differ when it is asked."""

    percent: float
    off: float = _DAY


def keys(thing: Thing) -> list[tuple[str, str, str, str]]:
    """Cloud, account, type and each id: a row of it has one of these."""
    return [(thing.cloud, thing.account, str(thing.type), name) for name in thing.names]


def name(thing: Thing) -> str | None:
    """What people call a machine."""
    told = {
        "aws": lambda: thing.tags.get("Name"),
        "azure": lambda: thing.id,
        "gcp": lambda: gcp.name(thing),
        "oci": lambda: oci.name(thing),
        "digitalocean": lambda: digitalocean.name(thing),
        "vast": lambda: thing.told("label"),
    }
    return told.get(thing.cloud, lambda: thing.told("name"))() or None


def status(thing: Thing) -> set[str | None]:
    """What the row of a machine or volume may be."""
    if thing.cloud == "vast":
        return {vast.kept(thing) if thing.type == "volume" else vast.status(thing)}
    if thing.cloud == "runpod":
        return {runpod.status(thing, list(company.things("runpod")))}
    if thing.cloud in ("oci", "neon"):
        return {oci.status(thing) if thing.cloud == "oci" else neon.status(thing)}
    of: dict[str, Callable[[Thing], set[str]]] = {
        "aws": aws.status,
        "azure": azure.status,
        "gcp": gcp.status,
        "digitalocean": digitalocean.status,
    }
    return {*of[thing.cloud](thing)}


def spot(thing: Thing) -> bool:
    """Whether a machine may be taken away."""
    of = {"aws": aws.spot, "azure": azure.spot, "gcp": gcp.spot, "oci": oci.spot}
    return of[thing.cloud](thing) if thing.cloud in of else bool(thing.told("is_bid"))


def price(thing: Thing, listed: Listed) -> float | None:
    """Dollars an hour of a machine; Neon tells none."""
    if thing.cloud == "azure":
        return azure.price(thing, listed)
    of = {"aws": aws.price, "digitalocean": digitalocean.price, "gcp": gcp.price, "oci": oci.price,
          "runpod": runpod.price, "vast": vast.price}  # fmt: skip
    return of[thing.cloud](thing) if thing.cloud in of else None


def size_gb(thing: Thing) -> float | None:
    """How big a volume is."""
    fields = {"aws": "Size", "azure": "diskSizeGB", "gcp": "sizeGb", "oci": "sizeInGBs", "runpod": "size",
              "digitalocean": "size_gigabytes", "vast": "disk_space"}  # fmt: skip
    told = thing.told(fields[thing.cloud])
    return None if told is None else float(told)


def vcpus(thing: Thing) -> float | None:
    """The processors of a machine of Azure or DigitalOcean, whose files tell what sizes are made of."""
    if thing.cloud == "digitalocean":
        return digitalocean.size(thing).get("vcpus")
    made = company.file("azure")["sizes"].get(azure.size(thing), {})
    told = made.get("vCPUsAvailable") or made.get("vCPUs")
    return None if told is None else float(told)


def boards(thing: Thing) -> list[Board]:
    """The GPUs of a machine."""
    of: dict[str, Callable[[Thing], list[Board]]] = {
        "digitalocean": digitalocean.gpus,
        "runpod": runpod.gpus,
        "vast": vast.gpus,
    }
    if thing.cloud in of:
        return of[thing.cloud](thing)
    by = {
        "aws": (aws.GPUS, thing.told("InstanceType")),
        "azure": (azure.GPUS, azure.size(thing) if thing.cloud == "azure" else None),
        "gcp": (gcp.GPUS, thing.told("name")),
        "oci": (oci.GPUS, thing.told("shape")),
    }
    known, kind = by.get(thing.cloud, ({}, None))
    return [known[kind]] if kind in known else []


def cpu(thing: Thing, now: datetime) -> Load | None:
    """How busy a machine is: the mean of the last day, on RunPod and Vast.ai what it is now."""
    if status(thing) & {"stopped", "terminated"}:
        return None
    if thing.cloud in ("runpod", "vast"):
        told = (runpod.cpu if thing.cloud == "runpod" else vast.cpu)(thing)
        return None if told is None else Load(told[0], told[1] + (_NOW if told[1] else 0))
    day = now - timedelta(hours=24), now, now
    means = {
        "aws": lambda: aws.cpu(thing, *day),
        "azure": lambda: azure.mean(thing, "Percentage CPU", *day),
        "gcp": lambda: gcp.cpu(thing, *day),
        "oci": lambda: oci.cpu(thing, *day),
        "digitalocean": lambda: digitalocean.mean(thing, "cpu", *day),
    }
    percent = means.get(thing.cloud, lambda: None)()
    return None if percent is None else Load(percent)


def ill(thing: Thing) -> bool:
    """Whether something is not as it should be."""
    of = {"aws": aws.ill, "azure": azure.ill, "gcp": gcp.ill, "oci": oci.ill, "cloudflare": cloudflare.ill,
          "digitalocean": digitalocean.ill, "runpod": runpod.ill, "vast": vast.ill}  # fmt: skip
    return thing.cloud in of and of[thing.cloud](thing)


@dataclass(frozen=True)
class Going:
    """What one GPU is offered for by the hour."""

    median: float
    min: float
    offers: int


def going(offers: Iterable[sellers.Offer]) -> dict[tuple[str, float, bool], Going]:
    """(GPU, GiB, spot) -> what it goes for: whole boards of the maker's memory, free, with a price."""
    found: dict[tuple[str, float, bool], list[float]] = {}
    for one in offers:
        whole = one.count >= 1 and " MIG " not in one.id
        if not one.against and whole and one.gpu and one.gib:
            found.setdefault((one.gpu, one.gib, one.spot), []).append(float(one.usd or 0) / one.count)
    return {key: Going(median(prices), min(prices), len(prices)) for key, prices in found.items()}
