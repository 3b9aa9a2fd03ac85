"""The company's things as Google's APIs tell them: names become URLs, lengths of time become moments.

A function for each group makes the record; `told` takes out what a thing is told without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record, length

COMPUTE = "https://www.googleapis.com/compute/v1/projects"
LICENCES = "https://www.googleapis.com/compute/v1/projects/debian-cloud/global/licenses/debian-13"
OURS = (
    "agent cpu gpu gpus image memory natIP network networkIP networkTags primary public runtime subnetwork "
    "timeout updated users variables zone"
)
"""Keys of the fleet file that are no fields of Google, or are told in another place or form."""
HIDDEN = frozenset(OURS.split())


class Place:
    """An account as it is told: its project, and when the sandbox started."""

    def __init__(self, fleet: Fleet, account: str) -> None:
        self.fleet, self.account = fleet, account
        self.project = str(fleet.accounts[account]["project"])

    def url(self, *parts: str | None) -> str:
        """The URL of something of Compute Engine."""
        return "/".join((COMPUTE, self.project, *(one for one in parts if one)))

    def zoned(self, one: Record, kind: str, name: Any) -> str:
        """The URL of something in the zone, region or nowhere, as the record itself is."""
        where = ("zones", one.own["zone"]) if "zone" in one.own else ("regions", one.region)
        return self.url(*(where if one.region else ("global",)), kind, str(name))


Shape = Callable[[Place, Record], dict[str, Any]]


def told(place: Place, one: Record, shape: Shape | None = None) -> dict[str, Any]:
    """A thing as its API tells it."""
    made = (shape or SHAPES[one.group])(place, one)
    return {name: value for name, value in made.items() if name not in one.without and value is not None}


def own(one: Record) -> dict[str, Any]:
    """The fields that the file spells as Google does."""
    return {name: value for name, value in one.own.items() if name not in HIDDEN and name != "in"}


def stamp(moment: datetime | None) -> str | None:
    """A moment as most APIs write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z") if moment else None


def pacific(moment: datetime | None) -> str | None:
    """A moment as Compute Engine writes it, in the zone of its makers."""
    from datetime import timedelta, timezone

    zone = timezone(timedelta(hours=-8))
    return moment.astimezone(zone).isoformat(timespec="milliseconds") if moment else None


def _thing(place: Place, one: Record, kind: str, collection: str) -> dict[str, Any]:
    """What every record of Compute Engine has."""
    made = {
        "kind": f"compute#{kind}",
        "id": one.id,
        "creationTimestamp": pacific(one.created),
        "selfLink": place.zoned(one, collection, one.own.get("name", one.id)),
        **own(one),
    }
    if "zone" in one.own:
        made["zone"] = place.url("zones", one.own["zone"])
    elif one.region:
        made["region"] = place.url("regions", one.region)
    if one.tags:
        made["labels"] = dict(one.tags)
        made["labelFingerprint"] = "42WmSpB8rSM="
    return made


def _nets(place: Place, one: Record) -> dict[str, Any]:
    """The network and subnetwork that a record is in."""
    found = {}
    if one.own.get("network"):
        found["network"] = place.url("global", "networks", one.own["network"])
    if one.own.get("subnetwork"):
        found["subnetwork"] = place.url("regions", one.region, "subnetworks", one.own["subnetwork"])
    return found


def instance(place: Place, one: Record) -> dict[str, Any]:
    """An instance."""
    made, had = _thing(place, one, "instance", "instances"), one.own
    zone = made["zone"]
    made["machineType"] = f"{zone}/machineTypes/{had['machineType']}"
    card = {"name": "nic0", "networkIP": had.get("networkIP"), **_nets(place, one)}
    if "natIP" in had:
        card["accessConfigs"] = [{"name": "External NAT", "type": "ONE_TO_ONE_NAT", "natIP": had["natIP"]}]
    made["networkInterfaces"] = [{name: value for name, value in card.items() if value}]
    made["tags"] = {"items": had.get("networkTags", []), "fingerprint": "6smc4R4d39I="}
    made["scheduling"] = had.get("scheduling", {"provisioningModel": "STANDARD", "preemptible": False})
    made["disks"] = [
        {"boot": True, "deviceName": "persistent-disk-0", "source": f"{zone}/disks/{had.get('name')}",
         "licenses": [LICENCES]}
    ]  # fmt: skip
    made["guestAccelerators"] = [
        {**gpu, "acceleratorType": f"{zone}/acceleratorTypes/{gpu['acceleratorType']}"}
        for gpu in had.get("guestAccelerators", ())
    ]
    if "metadata" in had:
        items = [{"key": key, "value": value} for key, value in had["metadata"].items()]
        made["metadata"] = {"kind": "compute#metadata", "items": items}
    made["serviceAccounts"] = [{"email": f"vm@{place.project}.iam.gserviceaccount.com", "scopes": []}]
    made["lastStartTimestamp"] = pacific(one.created)
    made["lastStopTimestamp"] = pacific(one.stopped)
    return made


def disk(place: Place, one: Record) -> dict[str, Any]:
    """A disk of a zone, or of a region in two zones."""
    made, had = _thing(place, one, "disk", "disks"), one.own
    made["type"] = place.zoned(one, "diskTypes", had["type"])
    if had.get("users"):
        zone = ("zones", str(had.get("zone") or had["replicaZones"][0]))
        made["users"] = [place.url(*zone, "instances", user) for user in had["users"]]
    if "replicaZones" in had:
        made["replicaZones"] = [place.url("zones", zone) for zone in had["replicaZones"]]
    if "lastDetachTimestamp" in had:
        made["lastDetachTimestamp"] = pacific(place.fleet.started - length(had["lastDetachTimestamp"]))
    return made


def kept(kind: str, collection: str) -> Shape:
    """A snapshot or image."""

    def shape(place: Place, one: Record) -> dict[str, Any]:
        made = _thing(place, one, kind, collection)
        if "sourceDisk" in made:
            made["sourceDisk"] = place.url("zones", "us-central1-a", "disks", made["sourceDisk"])
        return made

    return shape


def network(place: Place, one: Record) -> dict[str, Any]:
    """A network."""
    return _thing(place, one, "network", "networks")


def within(kind: str, collection: str) -> Shape:
    """What is in a network and has no labels."""

    def shape(place: Place, one: Record) -> dict[str, Any]:
        return {**_thing(place, one, kind, collection), **_nets(place, one)}

    return shape


def address(place: Place, one: Record) -> dict[str, Any]:
    """A reserved address."""
    made = _thing(place, one, "address", "addresses")
    if one.own.get("users"):
        where = ("regions", one.region) if one.region else ("global",)
        made["users"] = [place.url(*where, user) for user in one.own["users"]]
    return made


def rule(place: Place, one: Record) -> dict[str, Any]:
    """A forwarding rule."""
    made = {**_thing(place, one, "forwardingRule", "forwardingRules"), **_nets(place, one)}
    where = ("regions", one.region) if one.region else ("global",)
    if "target" in made:
        made["target"] = place.url(*where, made["target"])
    if "backendService" in made:
        made["backendService"] = place.url(*where, "backendServices", made["backendService"])
    return made


def cluster(place: Place, one: Record) -> dict[str, Any]:
    """A cluster."""
    location = one.own["location"]
    kind = "zones" if location.count("-") == 2 else "locations"
    link = f"https://container.googleapis.com/v1/projects/{place.project}/{kind}/{location}/clusters"
    labels = {"resourceLabels": dict(one.tags)} if one.tags else {}
    made = {
        **own(one),
        "id": one.id,
        "selfLink": f"{link}/{one.own.get('name')}",
        "createTime": stamp(one.created),
    }
    nets = {name: one.own[name] for name in ("network", "subnetwork") if name in one.own}
    return {**made, **labels, **nets, "location": location}


def function(place: Place, one: Record) -> dict[str, Any]:
    """A function; of the second generation it is a service too."""
    had, name = one.own, f"projects/{place.project}/locations/{one.region}"
    second = had["environment"] == "GEN_2"
    config = {
        "availableMemory": had.get("memory"),
        "timeoutSeconds": had.get("timeout"),
        "environmentVariables": had.get("variables"),
        "service": f"{name}/services/{one.id}" if second else None,
        "uri": f"https://{one.id}-{place.account}.a.run.app",
        "serviceAccountEmail": f"fn@{place.project}.iam.gserviceaccount.com",
    }
    return {
        **own(one),
        "name": f"{name}/functions/{one.id}",
        "createTime": stamp(one.created),
        "updateTime": stamp(place.fleet.started - length(had["updated"])) if "updated" in had else None,
        "labels": dict(one.tags) or None,
        "buildConfig": {"runtime": had.get("runtime"), "entryPoint": "main"},
        "serviceConfig": {name: value for name, value in config.items() if value is not None},
        "url": f"https://{one.region}-{place.project}.cloudfunctions.net/{one.id}",
    }


def service(place: Place, one: Record) -> dict[str, Any]:
    """A service of Cloud Run."""
    had, name = one.own, f"projects/{place.project}/locations/{one.region}/services/{one.id}"
    if one.group == "functions":
        # What a function is made of; it has no settings of its own here.
        had = {"state": "CONDITION_SUCCEEDED", "image": "function", "cpu": "1", "memory": had.get("memory")}
    limits = {"cpu": had["cpu"], "memory": had["memory"]}
    template: dict[str, Any] = {"containers": [{"image": had["image"], "resources": {"limits": limits}}]}
    if "gpu" in had:
        limits["nvidia.com/gpu"] = "1"
        template["nodeSelector"] = {"accelerator": had["gpu"]}
    if "variables" in had:
        template["containers"][0]["env"] = [
            {"name": name, "value": value} for name, value in had["variables"].items()
        ]
    return {
        "name": name,
        "uid": f"uid-{one.id}",
        "labels": dict(one.tags) or None,
        "createTime": stamp(one.created),
        "updateTime": stamp(place.fleet.started - length(had["updated"])) if "updated" in had else None,
        "terminalCondition": {"type": "Ready", "state": had["state"]},
        "template": template,
        "latestReadyRevision": f"{name}/revisions/{one.id}-00007-abc",
        "uri": f"https://{one.id}-{place.account}.a.run.app",
    }


def database(place: Place, one: Record) -> dict[str, Any]:
    """An instance of Cloud SQL."""
    had = one.own
    inside = ("tier", "dataDiskSizeGb", "activationPolicy", "availabilityType", "edition")
    made = {name: value for name, value in own(one).items() if name not in inside}
    ips = [("PRIVATE", had.get("primary")), ("PRIMARY", had.get("public"))]
    settings = {name: had[name] for name in inside if name in had}
    if one.tags:
        settings["userLabels"] = dict(one.tags)
    return {
        **made,
        "kind": "sql#instance",
        "name": one.id,
        "project": place.project,
        "region": one.region,
        "createTime": stamp(one.created),
        "settings": settings,
        "connectionName": f"{place.project}:{one.region}:{one.id}",
        "ipAddresses": [{"type": kind, "ipAddress": ip} for kind, ip in ips if ip],
        "serverCaCert": {"cert": "canary-of-a-certificate"},
    }


def bucket(place: Place, one: Record) -> dict[str, Any]:
    """A bucket; its location is written in capitals."""
    updated = one.own.get("updated")
    return {
        **own(one),
        "kind": "storage#bucket",
        "id": one.id,
        "name": one.id,
        "location": str(one.region).upper(),
        "timeCreated": stamp(one.created),
        "updated": stamp(place.fleet.started - length(updated)) if updated else None,
        "labels": dict(one.tags) or None,
    }


SHAPES: Mapping[str, Shape] = {
    "networks": network,
    "subnetworks": within("subnetwork", "subnetworks"),
    "firewalls": within("firewall", "firewalls"),
    "instances": instance,
    "disks": disk,
    "snapshots": kept("snapshot", "snapshots"),
    "images": kept("image", "images"),
    "addresses": address,
    "forwarding_rules": rule,
    "endpoints": rule,
    "gke_clusters": cluster,
    "functions": function,
    "run_services": service,
    "sql_instances": database,
    "buckets": bucket,
}
