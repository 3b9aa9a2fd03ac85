"""The APIs over the company: which path is which listing, and what each takes and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloudtop.sandbox.fleet import Fleet
from cloudtop.sandbox.google.machines import MACHINES
from cloudtop.sandbox.google.metrics import time_series
from cloudtop.sandbox.google.records import Place, service, told
from cloudtop.sandbox.google.wire import Refusal, check, page

COMPUTE = {"filter", "maxResults", "orderBy", "pageToken", "includeAllScopes"}
MOST_PERMISSIONS = 100
PAGE = 6
"""Records of a page at most, whatever is asked for; a listing has two at least."""


class Listing(NamedTuple):
    """One listing: the groups in it, under which key, what it takes, and how a page's size is called."""

    groups: tuple[str, ...]
    key: str
    takes: frozenset[str]
    size: str
    scoped: bool = False


AGGREGATED = {
    "instances": ("instances",),
    "disks": ("disks",),
    "subnetworks": ("subnetworks",),
    "addresses": ("addresses",),
    "forwardingRules": ("forwarding_rules", "endpoints"),
}
GLOBAL = {
    "networks": ("networks",),
    "firewalls": ("firewalls",),
    "images": ("images",),
    "snapshots": ("snapshots",),
}
_TOKENS = frozenset({"pageSize", "pageToken", "filter"})
OTHERS = {
    "/v1/locations/-/clusters": Listing(("gke_clusters",), "clusters", frozenset(), ""),
    "/v2/locations/-/functions": Listing(("functions",), "functions", _TOKENS | {"orderBy"}, "pageSize"),
    "/v2/locations/-/services": Listing(
        ("run_services", "functions"),
        "services",
        frozenset({"pageSize", "pageToken", "showDeleted"}),
        "pageSize",
    ),
    "/v1/instances": Listing(
        ("sql_instances",), "items", frozenset({"filter", "maxResults", "pageToken"}), "maxResults"
    ),
    "/storage/v1/b": Listing(
        ("buckets",),
        "items",
        frozenset({"project", "maxResults", "pageToken", "prefix", "projection", "returnPartialSuccess"}),
        "maxResults",
    ),
}
"""Listings of other APIs, by their paths without the project."""

Answer = Callable[["Google", Place, Mapping[str, str], Any], Any]


class Google:
    """The company's part of Google Cloud. `accounts`: the token that is shown, to the account's name."""

    def __init__(self, now: Callable[[], datetime], accounts: Mapping[str, str]) -> None:
        self.now, self._accounts = now, accounts
        self.fleet = Fleet("gcp", now())

    def answer(
        self,
        method: str,
        path: str,
        asked: Mapping[str, str],
        sent: bytes,
        shown: str,
        groups: Sequence[str] = (),
    ) -> Any:
        """What a request is answered with; Refusal for what is refused.

        `shown` is the Authorization header, `groups` the one parameter that may come several times.
        """
        kind, _, token = shown.partition(" ")
        account = self._accounts.get(token) if kind == "Bearer" else None
        if account is None:
            message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
            raise Refusal(401, message)
        place = Place(self.fleet, account)
        if (method, path) == ("GET", "/v3/projects:search"):
            check(asked, {"query", "pageSize", "pageToken"})
            return {"projects": [self._described(place)]}
        project = asked.get("project") if path == "/storage/v1/b" else _project(path)
        if project != place.project:
            raise Refusal(403, f"Permission denied on resource project {project}.")
        rest = re.sub(r"/projects/[^/:]+", "", path, count=1)
        if listing := listing_of(rest):
            return self._listed(place, listing, asked)
        if rest == "/v3/timeSeries":
            return time_series(place, asked, groups, self.now())
        if (method, rest) == ("POST", "/v3:testIamPermissions"):
            return permitted(asked, sent_json(sent))
        if found := re.fullmatch(r"/compute/v1/zones/([^/]+)/machineTypes/([^/]+)", rest):
            check(asked, COMPUTE)
            return machine(place, *found.groups())
        raise Refusal(404, f"{method} {path}: not found")

    def _described(self, place: Place) -> dict[str, str]:
        number = self.fleet.accounts[place.account]["number"]
        return {"name": f"projects/{number}", "projectId": place.project, "state": "ACTIVE"}

    def _listed(self, place: Place, listing: Listing, asked: Mapping[str, str]) -> Any:
        check(asked, listing.takes)
        records = [one for group in listing.groups for one in self.fleet.of(group, place.account)]
        if listing.key == "services":
            records = [
                one for one in records if one.group != "functions" or one.own["environment"] == "GEN_2"
            ]
        shape = service if listing.key == "services" else None
        few = max(1, min(PAGE, -(-len(records) // 2)))
        part, more = page(records, asked, listing.size, few) if listing.size else (records, "")
        rest = {"nextPageToken": more} if more else {}
        if not listing.scoped:
            found = [told(place, one, shape) for one in part]
            return {**({listing.key: found} if found else {}), **rest}
        items: dict[str, Any] = {scope: _nothing(scope) for scope in map(_scope, records)}
        for one in part:
            known = items[_scope(one)]
            known.pop("warning", None)
            known.setdefault(listing.key, []).append(told(place, one))
        return {"kind": "compute#aggregatedList", "id": "aggregated", "items": items, **rest}


def listing_of(path: str) -> Listing | None:
    """The listing at a path, from which the project was taken out."""
    if found := re.fullmatch(r"/compute/v1/aggregated/(\w+)", path):
        groups = AGGREGATED.get(found[1])
        return Listing(groups, found[1], frozenset(COMPUTE), "maxResults", True) if groups else None
    if found := re.fullmatch(r"/compute/v1/global/(\w+)", path):
        groups = GLOBAL.get(found[1])
        return Listing(groups, "items", frozenset(COMPUTE), "maxResults") if groups else None
    return OTHERS.get(path)


def permitted(asked: Mapping[str, str], body: Any) -> dict[str, Any]:
    """Which of these permissions one has: all that are known; one that is not makes it a wrong request."""
    check(asked, ())
    wanted = body.get("permissions") if isinstance(body, dict) else None
    if not isinstance(wanted, list) or len(wanted) > MOST_PERMISSIONS:
        raise Refusal(400, f"At most {MOST_PERMISSIONS} permissions can be tested.")
    for one in wanted:
        if not re.fullmatch(r"[a-z]+(\.[a-zA-Z]+){2}", str(one)):
            raise Refusal(400, f"Permission {one} is not valid for this resource.")
    return {"permissions": wanted} if wanted else {}


def machine(place: Place, zone: str, name: str) -> dict[str, Any]:
    """One machine type."""
    made = MACHINES.get(name)
    if made is None:
        raise Refusal(404, f"The resource 'machineTypes/{name}' was not found")
    cpus, mib, gpu, count = made
    about: dict[str, Any] = {
        "kind": "compute#machineType",
        "name": name,
        "guestCpus": cpus,
        "memoryMb": mib,
        "zone": zone,
        "selfLink": place.url("zones", zone, "machineTypes", name),
        "isSharedCpu": name.startswith("e2-m"),
    }
    if gpu:
        about["accelerators"] = [{"guestAcceleratorType": gpu, "guestAcceleratorCount": count}]
    return about


def _scope(one: Any) -> str:
    """Where an aggregated listing tells a record."""
    if "zone" in one.own:
        return f"zones/{one.own['zone']}"
    return f"regions/{one.region}" if one.region else "global"


def _nothing(scope: str) -> dict[str, Any]:
    message = f"There are no results for scope '{scope}' on this page."
    return {
        "warning": {
            "code": "NO_RESULTS_ON_PAGE",
            "message": message,
            "data": [{"key": "scope", "value": scope}],
        }
    }


def _project(path: str) -> str | None:
    found = re.search(r"/projects/([^/:]+)", path)
    return found[1] if found else None


def sent_json(sent: bytes) -> Any:
    """The body of a request."""
    try:
        return json.loads(sent) if sent else {}
    except ValueError as error:
        raise Refusal(400, "Invalid JSON payload received.") from error
