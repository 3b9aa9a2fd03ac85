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
    "agent cpu gpu gpus image memory natIP network networkIP networkTags primary public runtime subnetwork timeout "
    "updated users variables zone"
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


def told(place: Place, one: Record) -> dict[str, Any]:
    """A thing as its API tells it."""
    made = SHAPES[one.group](place, one)
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


SHAPES: Mapping[str, Shape] = {"instances": instance}
