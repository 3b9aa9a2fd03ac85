"""The company's things as DigitalOcean's API writes them, by the groups of the fleet file.

A record of the file holds its fields as the API spells them; what only the API says at length (a size, a
region, a network) is made here. `without` names fields that are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record, length, read

NEVER = "0001-01-01T00:00:00Z"
"""How Go writes a time that it does not know."""

Document = dict[str, Any]


def held(fleet: Fleet, account: str, group: str) -> list[Document]:
    """All records of a group in an account."""
    return [document(fleet, one) for one in fleet.of(group, account)]


def document(fleet: Fleet, one: Record) -> Document:
    """A record as the API writes it."""
    made = SHAPES.get(one.group, plain)(one)
    if one.group == "addresses" and made["droplet"]:
        # The Droplet that has an address is told whole.
        made["droplet"] = next(droplet(found) for found in fleet.records if found.id == made["droplet"]["id"])
    if made.get("size_slug"):
        # The Droplets of a region are in its private network, where there is one.
        made["vpc_uuid"] = next((net.id for net in fleet.of("vpcs", one.account, one.region)), "")
    if "changed" in one.own:
        made["active_deployment"]["created_at"] = written(fleet.started - length(one.own["changed"]))
    return _less(made, *one.without)


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


def volume(one: Record) -> Document:
    """A volume, which tells its region whole."""
    return {**plain(one), "region": place(one.region)}


def snapshot(one: Record) -> Document:
    """A snapshot, whose time is always told and whose regions are several."""
    made = {**plain(one), "created_at": written(one.created), "regions": [one.region]}
    return _less(made, "region")


def load_balancer(one: Record) -> Document:
    """A load balancer, without tags of its own."""
    return _less({**plain(one), "region": place(one.region)}, "tags")


def vpc(one: Record) -> Document:
    """A private network."""
    return _less({**plain(one), "urn": f"do:vpc:{one.id}"}, "tags")


def address(one: Record) -> Document:
    """A reserved address, whose id is itself."""
    return _less({**plain(one), "ip": one.id, "region": place(one.region)}, "id", "tags")


def namespace(one: Record) -> Document:
    """A namespace of Functions."""
    return _less({**plain(one), "namespace": one.id}, "tags", "id")


def app(one: Record) -> Document:
    """An app with its deployments."""
    own = dict(one.own)
    city, phase = own.pop("city"), own.pop("phase")
    own.pop("changed", None)
    made = {
        "id": one.id,
        "region": {"slug": city, "data_centers": [one.region], "label": city, "continent": "Earth"},
        **({"created_at": written(one.created)} if one.created else {}),
        **own,
    }
    if phase:
        made["active_deployment"] = {"id": f"d-{one.id}", "phase": phase, "spec": own["spec"]}
    return made


def _less(made: Document, *names: str) -> Document:
    return {name: value for name, value in made.items() if name not in names}


SHAPES: Mapping[str, Callable[[Record], Document]] = {
    "droplets": droplet,
    "gpu_droplets": droplet,
    "volumes": volume,
    "snapshots": snapshot,
    "load_balancers": load_balancer,
    "vpcs": vpc,
    "addresses": address,
    "namespaces": namespace,
    "apps": app,
}
