"""What an account has at Vast.ai: rented instances, and volumes that are kept.

The price of an instance holds its real disk (`dph_total`), so nothing is added; one that is stopped goes on
paying for the disk (`storage_total_cost`). A status of null is an instance that is being made. What is
measured is of the moment: `gpu_util` is taken as percent, as Vast's own tools print it, though its text calls
it a fraction; host memory is in GB, GPU memory used in GiB and in all in MiB; -1 stands for not known.
The environment, the start script and the tokens of an instance are kept nowhere. Vast knows labels, no tags.
Source: the REST API's OpenAPI document, show instances v1 and show volumes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from cloudtop import gpus
from cloudtop.inventory import Gpus, Resource
from cloudtop.models import Scope, iso
from cloudtop.text import clean
from cloudtop.units import gib_from_mib, positive
from connectors import base
from connectors.rented import Rented
from connectors.rows import Record, each, told

INSTANCES, VOLUMES = "/api/v1/instances/", "/api/v0/volumes/?owner=me"
PAGE = 25
"""The most that it gives."""

SECRET = re.compile(
    f"{base.SECRET.pattern}|^extra_env$|^onstart$|^image_args$|^image_login|^webpage$", re.IGNORECASE
)
STATES = {"running": "running", "loading": "starting", "exited": "stopped", "offline": "failed"}
AFTER = {("running", "stopped"): "stopping", ("starting", "stopped"): "stopping"}
"""What an instance is that shall become something else."""

KEPT_STATES = {"creating": "starting", "deleting": "stopping", "error": "failed", "offline": "failed"}


class Inventory(Rented):
    """What runs or is kept in an account of Vast.ai."""

    async def instances(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Instances, rented or interruptible."""
        async for rows in self.listed(scope, self.machines(scope), instance, "instance"):
            yield rows

    async def volumes(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Volumes, in one answer."""

        async def page() -> AsyncIterator[list[Record]]:
            answer = await self.http.json("GET", VOLUMES, operation="show volumes", account=scope.account)
            yield self.records(answer, "volumes")

        async for rows in self.listed(scope, page(), volume, "volume"):
            yield rows

    async def machines(self, scope: Scope) -> AsyncIterator[list[Record]]:
        """The records of all instances, page by page."""

        async def ask(token: str | None) -> Any:
            params = {"limit": PAGE, **({"after_token": token} if token else {})}
            return await self.http.json(
                "GET", INSTANCES, params=params, operation="show instances", account=scope.account
            )

        async for answer in self.paged(ask, lambda one: text(one.get("next_token"))):
            yield self.records(answer, "instances")


def instance(one: Record) -> Resource | None:
    """One instance; None without an id."""
    if not one.get("id"):
        return None
    status, message = state(one), text(one.get("status_msg"))
    failing = message is not None and message.startswith("Error")
    ram = [positive(one.get(name)) for name in ("cpu_ram", "cpu_cores_effective", "cpu_cores")]
    return Resource(
        id=str(one["id"]),
        type="instance",
        name=text(one.get("label")),
        status=status,
        status_raw=text(one.get("actual_status")),
        region=place(one.get("geolocation")),
        tags={},
        created_at=moment(one.get("start_date")),
        usd_per_hour=cost(one, status),
        instance_type=None,
        vcpus=ram[1],
        ram_gib=round(ram[0] * ram[1] / ram[2] / 1024, 2) if ram[0] and ram[1] and ram[2] else None,
        public_ip=text(one.get("public_ipaddr")),
        private_ip=next(iter((text(one.get("local_ipaddrs")) or "").split()), None),
        spot=one["is_bid"] if isinstance(one.get("is_bid"), bool) else None,
        gpus=boards(one),
        health="down" if one.get("actual_status") == "offline" else "failing" if failing else None,
        health_message=message if failing else None,
        details=told(
            image=text(one.get("image_uuid")),
            template=text(one.get("template_name")),
            machine_id=one.get("machine_id"),
            host_id=one.get("host_id"),
            verification=text(one.get("verification")),
            reliability=positive(one.get("reliability2")),
            disk_gb=positive(one.get("disk_space")),
            storage_usd_per_hour=positive(one.get("storage_total_cost")),
            ends_at=iso(moment(one.get("end_date"))),
        ),
        raw=base.raw(one, SECRET),
    )


def state(one: Record) -> str:
    """What an instance is, out of how it is and how it shall be."""
    if "actual_status" not in one:
        return "unknown"
    word, wanted = text(one["actual_status"]), text(one.get("intended_status"))
    if word is None:
        return "stopped" if wanted == "stopped" else "starting"
    found = STATES.get(word, "unknown")
    return AFTER.get((found, wanted or ""), found)


def cost(one: Record, status: str) -> float | None:
    """Dollars per hour as it is: a stopped one pays for its disk; for a lost host nothing is known."""
    if status == "stopped":
        return positive(one.get("storage_total_cost"))
    return positive(one.get("dph_total")) if status in ("running", "starting", "stopping") else None


def volume(one: Record) -> Resource | None:
    """One volume; its price is for an hour, like that of an instance's disk."""
    if not one.get("id"):
        return None
    users = [str(user["id"]) for user in each(one, "instances") if user.get("id")]
    word = text(one.get("status"))
    unused = "instances" in one and not users
    return Resource(
        id=str(one["id"]),
        type="volume",
        status=KEPT_STATES.get(word or "", "unattached" if unused else "available"),
        status_raw=word,
        tags={},
        created_at=moment(one.get("start_date")),
        usd_per_hour=positive(one.get("storage_total_cost")),
        size_gb=positive(one.get("disk_space")),
        details=told(
            attached_to=users,
            machine_id=one.get("machine_id"),
            host_id=one.get("host_id"),
            verification=text(one.get("verification")),
            reliability=positive(one.get("reliability2")),
        ),
        raw=base.raw(one, SECRET),
    )


def boards(one: Record) -> tuple[Gpus, ...]:
    """The GPUs of an instance; the memory of one tells boards of one name apart."""
    name, memory = text(one.get("gpu_name")), positive(one.get("gpu_ram"))
    count = positive(one.get("num_gpus"))
    if name is None or count is None:
        return ()
    found = gpus.identify("vast", name, gib_from_mib(memory))
    return (Gpus(found.name or name, count, found.memory_gib if memory else None),)


def place(value: Any) -> str | None:
    """Where a machine is: `Quebec, CA`; a city that is not told is left out."""
    return clean(value).strip(" ,") or None if isinstance(value, str) else None


def text(value: Any) -> str | None:
    """A text, None for anything else and for an empty one."""
    return clean(value).strip() or None if isinstance(value, str) else None


def moment(value: Any) -> datetime | None:
    """A time in UTC out of seconds since 1970."""
    seconds = positive(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < 1e11 else None
