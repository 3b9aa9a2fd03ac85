"""The company's Oracle Cloud: identity, and every listing by compartment and region over the fleet.

Follows the REST APIs that the SDK's clients speak, of which a request names the host: a listing must come to
its own (`X-Forwarded-Host` where one server stands for all). What a compartment is not, or a key may not see,
is 404 NotAuthorizedOrNotFound. Parameters that an operation does not know are refused. Each listing of two
records or more comes in two pages at least; the next is named by an opaque token in `opc-next-page`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from cloudtop.sandbox.faults import Reply
from cloudtop.sandbox.fleet import Fleet
from cloudtop.sandbox.oci import metrics, records, signed
from cloudtop.sandbox.oci.signed import Asked, Refusal

HOST = re.compile(r"([\w-]+)\.([a-z]+-[a-z]+-\d+)\.(?:oci\.|ocp\.)?oraclecloud\.com")
LONGEST_PAGE = 100
PAGING = ("limit", "page")


@dataclass(frozen=True)
class Listing:
    """One listing: the host that answers it, the group it tells, and what else it takes.

    `filters` are parameters that narrow by a field of that name, and it `needs` some; `wrapped` answers hold
    their records in `items`. `left_out` are fields that only a single thing tells.
    """

    host: str
    group: str
    filters: tuple[str, ...] = ()
    wrapped: bool = False
    needs: tuple[str, ...] = ("compartmentId",)
    left_out: tuple[str, ...] = ()


USUAL = ("displayName", "lifecycleState", "availabilityDomain")
LISTINGS: Mapping[str, Listing] = {
    "/20160918/instances": Listing("iaas", "instances", USUAL),
    "/20160918/shapes": Listing("iaas", "shapes"),
    "/20160918/vnicAttachments": Listing("iaas", "vnic_attachments", ("instanceId", "availabilityDomain")),
    "/20160918/volumes": Listing("iaas", "volumes", USUAL),
    "/20160918/bootVolumes": Listing("iaas", "boot_volumes", ("availabilityDomain",)),
    "/20160918/volumeAttachments": Listing(
        "iaas", "volume_attachments", ("instanceId", "availabilityDomain")
    ),
    "/20160918/bootVolumeAttachments": Listing(
        "iaas", "boot_volume_attachments", ("instanceId",), needs=("compartmentId", "availabilityDomain")
    ),
    "/20160918/images": Listing("iaas", "images", ("displayName", "operatingSystem", "lifecycleState")),
    "/20160918/volumeBackups": Listing("iaas", "volume_backups", ("volumeId", "lifecycleState")),
    "/20160918/bootVolumeBackups": Listing("iaas", "boot_volume_backups", ("bootVolumeId", "lifecycleState")),
    "/20160918/networkSecurityGroups": Listing("iaas", "security_groups", (*USUAL, "vcnId")),
    "/20160918/vcns": Listing("iaas", "vcns", USUAL),
    "/20160918/subnets": Listing("iaas", "subnets", (*USUAL, "vcnId")),
    "/20160918/publicIps": Listing("iaas", "public_ips", ("lifetime",), needs=("compartmentId", "scope")),
    "/20170115/loadBalancers": Listing("iaas", "load_balancers", USUAL),
    "/20200501/networkLoadBalancers": Listing(
        "network-load-balancer-api", "network_load_balancers", USUAL, wrapped=True
    ),
    "/20180222/clusters": Listing("containerengine", "clusters", ("name", "lifecycleState")),
    "/20180222/nodePools": Listing("containerengine", "node_pools", ("name", "clusterId", "lifecycleState")),
    "/20210415/containerInstances": Listing("compute-containers", "container_instances", USUAL, wrapped=True),
    "/20160918/autonomousDatabases": Listing("database", "autonomous_databases", USUAL),
    "/20160918/dbSystems": Listing("database", "db_systems", USUAL),
    "/20190415/dbSystems": Listing("mysql", "mysql_systems", USUAL, left_out=("dataStorageSizeInGBs",)),
    "/20220915/dbSystems": Listing("postgresql", "postgresql_systems", USUAL, wrapped=True),
}
MONITORING = "/20180401/metrics/actions/"
FUNCTIONS = re.compile(r"/\d{8}/(applications|functions)")
BUCKETS = re.compile(r"/n/(?P<space>[^/]+)/b(?:/(?P<name>[^/]+))?")


@dataclass(frozen=True)
class Call:
    """One request that is understood: whose it is, where it is asked, and with what."""

    account: str
    region: str
    host: str
    path: str
    sent: dict[str, str]
    body: bytes

    def take(self, *names: str) -> list[str | None]:
        """These parameters; Refusal for any other that was sent."""
        if unknown := set(self.sent) - {*names, *PAGING}:
            raise Refusal("InvalidParameter", f"Unknown query parameter {sorted(unknown)[0]}", 400)
        return [self.sent.get(name) for name in names]

    def at(self, host: str) -> None:
        """Refuse a request that came to another service's host."""
        if self.host not in ("", host):
            raise Refusal("NotFound", f"{self.path} is not at {self.host}", 404)


class Oracle:
    """The tenancies of one sandbox."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._began = now, now()

    @cached_property
    def fleet(self) -> Fleet:
        """The company's part in Oracle Cloud, read when it is first asked for."""
        return Fleet("oci", self._began)

    def answer(self, asked: Asked) -> Reply:
        """One request, one answer."""
        try:
            return self._answer(self._understood(asked), asked.method)
        except Refusal as refusal:
            body = json.dumps({"code": refusal.code, "message": refusal.message}).encode()
            return Reply(refusal.status, body, _HEADERS)

    def _understood(self, asked: Asked) -> Call:
        account = signed.account(asked)
        path, _, query = asked.target.partition("?")
        match = HOST.fullmatch(asked.headers.get("x-forwarded-host", ""))
        host, region = match.groups() if match else ("", self.fleet.accounts[account]["home"])
        if region not in self.fleet.accounts[account]["regions"]:
            raise Refusal("NotAuthenticated", "The tenancy is not subscribed to this region.", 401)
        sent = dict(parse_qsl(query, keep_blank_values=True))
        return Call(account, region, host, unquote(path), sent, asked.body)

    def _answer(self, call: Call, method: str) -> Reply:
        if call.path.startswith(MONITORING):
            return self._monitoring(call, method)
        if method != "GET":
            raise hidden()
        if call.path in LISTINGS:
            return self._listing(call, LISTINGS[call.path])
        if call.path.startswith("/20160918/tenancies/") or call.path == "/20160918/compartments":
            return self._identity(call)
        if call.path.startswith("/20160918/vnics/"):
            call.at("iaas")
            call.take()
            found = records.vnic(self.fleet, call.account, call.region, call.path.rpartition("/")[2])
            return written(found) if found else _raise(hidden())
        if call.path.startswith("/20160918/images/"):
            return self._image(call)
        if call.path.startswith("/20190415/dbSystems/"):
            return self._mysql(call)
        if match := FUNCTIONS.fullmatch(call.path):
            return self._functions(call, match[1])
        if call.path == "/n" or (match := BUCKETS.fullmatch(call.path)):
            return self._buckets(call, match and match["space"], match and match["name"])
        raise Refusal("NotFound", f"There is no {call.path}.", 404)

    def _monitoring(self, call: Call, method: str) -> Reply:
        """Streams by compartment, or of the whole tenancy."""
        call.at("telemetry")
        place, subtree = call.take("compartmentId", "compartmentIdInSubtree")
        self._permit(call, place or "")
        whole = subtree == "true" and place == self.fleet.accounts[call.account]["tenancy"]
        every = [
            one
            for one in metrics.streams(self.fleet, call.account, call.region)
            if whole or one.compartment == place
        ]
        action = call.path.removeprefix(MONITORING)
        if method == "POST" and action == "listMetrics":
            return cut(call, metrics.listed(every, call.body))
        if method == "POST" and action == "summarizeMetricsData":
            return written(metrics.summarized(every, str(place), call.body, self._now()))
        raise hidden()

    def _functions(self, call: Call, group: str) -> Reply:
        """Applications by compartment, functions by application."""
        if group == "applications":
            return self._listing(call, Listing("functions", group, ("displayName", "id", "lifecycleState")))
        call.at("functions")
        app, *_ = call.take("applicationId", "displayName", "id", "lifecycleState")
        every = [self._told(one) for one in self.fleet.of("applications", call.account, call.region)]
        if app not in [one["id"] for one in every]:
            raise hidden()
        found = [self._told(one) for one in self.fleet.of(group, call.account, call.region)]
        return cut(call, [one for one in found if one["applicationId"] == app])

    def _buckets(self, call: Call, space: str | None, name: str | None) -> Reply:
        """The namespace, the buckets of a compartment by name, or one bucket with what was asked for."""
        call.at("objectstorage")
        own = self.fleet.accounts[call.account]["namespace"]
        if space is None:
            call.take("compartmentId")
            return written(own)
        (place, fields) = call.take("compartmentId", "fields")
        found = [self._bucket(own, one) for one in self.fleet.of("buckets", call.account, call.region)]
        if space != own or (name and name not in [one["name"] for one in found]):
            raise hidden()
        if name:
            one = next(one for one in found if one["name"] == name)
            asked = (fields or "").split(",")
            dear = ("approximateSize", "approximateCount", "autoTiering")
            return written({key: value for key, value in one.items() if key not in dear or key in asked})
        if not place:
            raise Refusal("MissingParameter", "compartmentId is required", 400)
        self._permit(call, place)
        summary = ("namespace", "name", "compartmentId", "createdBy", "timeCreated", "etag")
        mine = [one for one in found if one["compartmentId"] == place]
        return cut(call, [{key: one[key] for key in summary if key in one} for one in mine])

    def _bucket(self, space: str, one: Any) -> dict[str, Any]:
        told = self._told(one)
        return {**told, "id": f"ocid1.bucket.oc1.{one.region}.{one.id}", "namespace": space}

    def _identity(self, call: Call) -> Reply:
        call.at("identity")
        about = self.fleet.accounts[call.account]
        tenancy = about["tenancy"]
        if call.path == "/20160918/compartments":
            root, _, _ = call.take("compartmentId", "accessLevel", "compartmentIdInSubtree")
            if root != tenancy:
                raise hidden()
            return cut(call, [self._told(one) for one in self.fleet.of("compartments", call.account)])
        call.take()
        if call.path == f"/20160918/tenancies/{tenancy}/regionSubscriptions":
            return written(
                [
                    {
                        "regionKey": records.SHORT[name].upper()[:3],
                        "regionName": name,
                        "status": "READY",
                        "isHomeRegion": name == about["home"],
                    }
                    for name in about["regions"]
                ]
            )
        if call.path != f"/20160918/tenancies/{tenancy}":
            raise hidden()
        home = records.SHORT[about["home"]].upper()[:3]
        return written({"id": tenancy, "name": about["name"], "homeRegionKey": home, **records.tags({})})

    def _listing(self, call: Call, listing: Listing) -> Reply:
        call.at(listing.host)
        call.take(*listing.filters, *listing.needs)
        if lacking := [name for name in listing.needs if not call.sent.get(name)]:
            raise Refusal("MissingParameter", f"{lacking[0]} is required", 400)
        place = call.sent["compartmentId"]
        self._permit(call, place)
        found = [
            one
            for one in self._records(call, listing.group)
            if one.get("compartmentId", place) in (place, None)
        ]
        for name in ({*listing.filters, *listing.needs} - {"compartmentId"}) & call.sent.keys():
            found = [one for one in found if one.get(name) == call.sent[name]]
        told = [{name: one[name] for name in one if name not in listing.left_out} for one in found]
        return cut(call, told, listing.wrapped)

    def _image(self, call: Call) -> Reply:
        """One image: the account's own, or one of Oracle's, which are listed nowhere here."""
        call.at("iaas")
        call.take()
        name = call.path.rpartition("/")[2]
        every = [self._told(one) for one in self.fleet.of("images", call.account, call.region)]
        system = self.fleet.file["platform_images"].get(name)
        mine = next((one for one in every if one["id"] == name), None)
        found = {"id": name, "operatingSystem": system, "lifecycleState": "AVAILABLE"} if system else mine
        return written(found) if found else _raise(hidden())

    def _mysql(self, call: Call) -> Reply:
        """One MySQL system with all that it tells."""
        call.at("mysql")
        call.take()
        every = [self._told(one) for one in self.fleet.of("mysql_systems", call.account, call.region)]
        found = next((one for one in every if one["id"] == call.path.rpartition("/")[2]), None)
        return written(found) if found else _raise(hidden())

    def _permit(self, call: Call, place: str) -> None:
        """Refuse a compartment that is not the account's."""
        own = [records.ocid(self.fleet, one) for one in self.fleet.of("compartments", call.account)]
        if place not in (self.fleet.accounts[call.account]["tenancy"], *own):
            raise hidden()

    def _records(self, call: Call, group: str) -> Iterable[dict[str, Any]]:
        where = self.fleet, call.account, call.region
        if group == "shapes":
            return records.shapes(self.fleet)
        if group == "vnic_attachments":
            return records.vnic_attachments(*where)
        if group in ("volume_attachments", "boot_volume_attachments"):
            return records.attachments(*where, group.replace("_attachments", "s"))
        # Oracle lists its own images with those of every compartment.
        more = ("platform_images",) if group == "images" else ()
        return [self._told(one) for name in (group, *more) for one in self.fleet.of(name, *where[1:])]

    def _told(self, one: Any) -> dict[str, Any]:
        return records.told(self.fleet, one)


_HEADERS = (("content-type", "application/json"), ("opc-request-id", "sandbox/request"))


def hidden() -> Refusal:
    """What is not there, or may not be seen."""
    return Refusal("NotAuthorizedOrNotFound", "Authorization failed or requested resource not found.", 404)


def written(document: Any) -> Reply:
    """An answer as it is sent."""
    return Reply(200, json.dumps(document).encode(), _HEADERS)


def cut(call: Call, found: list[dict[str, Any]], wrapped: bool = False) -> Reply:
    """One page of a listing: as many records as are asked for, but half of them at most."""
    asked = call.sent.get("limit")
    longest = max(1, min((len(found) + 1) // 2, LONGEST_PAGE, int(asked or LONGEST_PAGE)))
    starts = {_token(call, at): at for at in range(longest, len(found), longest)}
    page = call.sent.get("page")
    if page is not None and page not in starts:
        raise Refusal("InvalidParameter", "The page token is not valid.", 400)
    at = starts.get(page, 0) if page else 0
    part = found[at : at + longest]
    reply = written({"items": part} if wrapped else part)
    if at + longest >= len(found):
        return reply
    return Reply(reply.status, reply.body, (*reply.headers, ("opc-next-page", _token(call, at + longest))))


def _token(call: Call, at: int) -> str:
    asked = sorted((name, value) for name, value in call.sent.items() if name != "page")
    return base64.urlsafe_b64encode(
        f"{call.account} {call.region} {call.path} {asked} {at}".encode()
    ).decode()


def _raise(refusal: Refusal) -> Reply:
    raise refusal
