"""The company's things as DigitalOcean's API writes them, by the groups of the fleet file.

A record of the file holds its fields as the API spells them; what only the API says at length (a size, a
region, a network) is made here. `without` names fields that are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record, read

NEVER = "0001-01-01T00:00:00Z"
"""How Go writes a time that it does not know."""

Document = dict[str, Any]


def document(one: Record) -> Document:
    """A record as the API writes it."""
    made = SHAPES.get(one.group, plain)(one)
    return {name: value for name, value in made.items() if name not in one.without}


def plain(one: Record) -> Document:
    """What is told as the file has it, with what nearly all records have."""
    return {
        **({"created_at": written(one.created)} if one.created else {}),
        "tags": labels(one.tags),
        "region": one.region,
        **one.own,
        "id": one.id,
    }


def droplet(one: Record) -> Document:
    """A Droplet, which tells its size, region and networks whole."""
    own = dict(one.own)
    size = sized(own.pop("size"))
    public, private = own.pop("public", None), own.pop("private", None)
    volumes, image = own.pop("volumes", []), own.pop("image")
    networks = [("public", public, "203.0.113.1"), ("private", private, "nil")]
    v4 = [
        {"ip_address": ip, "netmask": "255.255.240.0", "gateway": gateway, "type": kind}
        for kind, ip, gateway in networks
        if ip
    ]
    return {
        **own,
        "id": int(one.id),
        "tags": labels(one.tags),
        "created_at": written(one.created),
        "memory": size["memory"],
        "vcpus": size["vcpus"],
        "disk": size["disk"],
        "locked": False,
        "backup_ids": [],
        "snapshot_ids": [],
        "next_backup_window": None,
        "volume_ids": volumes,
        "image": {
            "id": 155133621,
            "name": "24.04 (LTS) x64",
            "distribution": "Ubuntu",
            "slug": image or None,
        },
        "size": size,
        "size_slug": size["slug"],
        "networks": {"v4": v4, "v6": []},
        "region": place(one.region),
        "vpc_uuid": f"5a4981aa-0000-4000-8000-{one.region:0>12}",
        **({"gpu_info": size["gpu_info"]} if "gpu_info" in size else {}),
    }


def sized(slug: str) -> Document:
    """A size; the empty slug is that of one which is not known any more."""
    about = {
        "memory": 0,
        "vcpus": 0,
        "disk": 0,
        "price_hourly": 0.0,
        **read("digitalocean")["sizes"].get(slug, {}),
    }
    made = {
        "slug": slug,
        **{name: about[name] for name in ("memory", "vcpus", "disk", "price_hourly")},
        "price_monthly": round(about["price_hourly"] * 672, 2),
        "transfer": 5.0,
        "regions": ["nyc3", "ams3"],
        "available": True,
        "description": "GPU" if slug.startswith("gpu") else "Basic",
    }
    if "gpus" in about:
        vram = {"amount": about["vram"], "unit": "gib"}
        made["gpu_info"] = {"count": about["gpus"], "model": about["model"], "vram": vram}
    return made


def place(slug: str | None) -> Document:
    """A region as the API tells it whole."""
    return {"name": f"Region {slug}", "slug": slug, "features": ["metadata"], "available": True, "sizes": []}


def labels(tags: Mapping[str, str]) -> list[str]:
    """Tags as DigitalOcean has them: single texts."""
    return [f"{name}:{value}" if value else name for name, value in tags.items()]


def written(at: datetime | None) -> str:
    """A time as the API writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else NEVER


SHAPES: Mapping[str, Callable[[Record], Document]] = {"droplets": droplet, "gpu_droplets": droplet}


def held(fleet: Fleet, account: str, group: str) -> list[Document]:
    """All records of a group in an account."""
    return [document(one) for one in fleet.of(group, account)]
