"""What the DigitalOcean file means as rows, as a person reads it: none of cloudtop's code is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.audit import company
from tests.audit.company import Thing

ALIVE = {"running", "available"}
DROPLET = {
    "new": {"starting"},
    "active": {"running"},
    "off": {"stopped"},
    "archive": {"stopped", "terminated"},
}
CLUSTER = {"running": ALIVE, "degraded": ALIVE, "upgrading": ALIVE, "error": {"failed"}}
DATABASE = {"online": ALIVE, "creating": {"starting"}}
BALANCER = {"active": ALIVE, "new": {"starting"}, "errored": {"failed"}}
APP = {"ACTIVE": ALIVE, "ERROR": {"failed"}, None: {"unknown"}}
SAMPLE = timedelta(minutes=5)
"""How far samples are apart where more than six hours are asked for."""


def size(thing: Thing) -> dict[str, Any]:
    """What the size of a Droplet is made of."""
    found: dict[str, Any] = company.file("digitalocean")["sizes"].get(thing.said["size"], {})
    return found


def status(thing: Thing) -> set[str]:
    """What its row may be."""
    said = thing.said
    if thing.type == "instance":
        return DROPLET[said["status"]]
    if thing.group == "clusters":
        return CLUSTER[said["status"]["state"]]
    if thing.group == "volumes":
        return ALIVE if said["droplet_ids"] else {"unattached"}
    if thing.group == "addresses":
        return ALIVE if said["droplet"] else {"unattached"}
    if thing.group == "apps":
        return APP[said["phase"]]
    words = {"databases": DATABASE, "load_balancers": BALANCER}.get(thing.group)
    return words[said["status"]] if words else ALIVE


def name(thing: Thing) -> str | None:
    """What it is called, None where nobody says."""
    if thing.group == "addresses":
        return None
    if thing.group == "spaces":
        return thing.id
    spec = thing.told("spec") or {}
    told = thing.told("label") or thing.told("name") or spec.get("name")
    return told or None


def price(thing: Thing) -> float | None:
    """Dollars an hour of a Droplet, on or off; by contract there is no price of the list."""
    found: float | None = size(thing).get("price_hourly")
    return None if thing.said["size"].endswith("contracted") else found


def ill(thing: Thing) -> bool:
    """Whether it failed, or only a part of it works."""
    state = thing.said.get("status")
    return status(thing) == {"failed"} or (isinstance(state, dict) and state["state"] == "degraded")


def gpus(thing: Thing) -> list[tuple[str, float, float]]:
    """Model, number and GiB of each of the GPUs of a Droplet."""
    models = {
        "nvidia_h100": "H100",
        "amd_mi300x": "MI300X",
        "nvidia_l40s": "L40S",
        "nvidia_rtx4000_ada": "RTX4000ADA",
    }
    made = size(thing)
    if thing.said["size"] == "gpu-6000adax1-48gb":
        return [("RTX6000ADA", 1, 48)]
    return [(models[made["model"]], made["gpus"], made["vram"] / made["gpus"])] if "gpus" in made else []


def mean(thing: Thing, metric: str, start: datetime, end: datetime, started: datetime) -> float | None:
    """The mean of a metric over a time, None where nothing was measured."""
    series = thing.said.get("metrics", {}).get(metric)
    if series is None:
        return None
    age, stopped = thing.age(), thing.age("stopped")
    first = max(start, company.hour(started) - age) if age else start
    last = min(end, company.hour(started) - stopped) if stopped else end
    values = [value for _, value in company.samples(series, first, last, SAMPLE, end, started)]
    return company.mean(values) if values else None
