"""A small company in two made-up clouds: real connectors over lists in memory, which go wrong on order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cloudtop.errors import CloudError, Forbidden
from cloudtop.inventory import Division, Gpus, InstancePrice, MetricQuery, Resource, Series
from cloudtop.models import Health, Scope
from connectors import discovery
from connectors.base import Connector, Facts, Service, raw
from tests.mcp_server import market
from tests.mcp_server.market import NOON, House

PAGE = 2
KEYS = {"access_key_id": "AKIAMADEUP", "secret_access_key": "made-up-secret"}
CONFIG: dict[str, Any] = {
    "providers": {
        "aws": {"enabled": True, "accounts": {"prod": {"auth": KEYS}, "lab": {"auth": KEYS}}},
        "digitalocean": {"enabled": True, "auth": {"api_key": "made-up"}},
        "vast": {"enabled": False},
    }
}
SERVICES = {
    "aws": {
        "ec2": Service(
            "ec2", "EC2", "compute", {"instances": ("instance",), "volumes": ("volume",)}, ("vms",)
        ),
        "rds": Service("rds", "RDS", "database", {"databases": ("database",)}),
        "s3": Service("s3", "S3", "storage", {"buckets": ("bucket",)}),
    },
    "digitalocean": {"droplets": Service("droplets", "Droplets", "compute", {"instances": ("instance",)})},
}
METRICS: dict[str, dict[str, Any]] = {
    "instance": {
        "cpu": {},
        "network_in": {},
        "network_out": {},
        "gpu_memory_used": {},
        "gpu_memory_total": {},
    },
    "database": {"cpu": {}, "latency": {"percentiles": True}},
}


def facts() -> dict[str, Facts]:
    """The facts of two clouds, as far as an inventory needs them, and of one that only sells."""
    found = discovery.found()
    made = {
        name: replace(
            found[name],
            kinds=("health", "resources", "metrics"),
            keyless=(),
            bulk=(),
            ttl_s={"health": 30, "resources": 60, "metrics": 60},
            services=MappingProxyType(services),
            everywhere=("buckets",) if name == "aws" else (),
            regions=("us-east-1",) if name == "aws" else (),
            metrics=METRICS,
            untold={"instance": {"disk": "it has no agent"}},
        )
        for name, services in SERVICES.items()
    }
    vast = market.mere_seller()["vast"]
    return {"aws": made["aws"], "digitalocean": made["digitalocean"], "vast": vast}


class Cloud(Connector):
    """A cloud whose listings are `rows` by (account, region, kind), in pages of two.

    `wrong` raises an error for a scope: before its first page, or after `after` pages.
    """

    def __init__(self, about: Facts, rows: dict[tuple[str, str, str], list[Resource]]) -> None:
        self.facts, self.rows = about, rows
        self.noted = {}
        self.wrong: Callable[[Scope], CloudError | None] = lambda scope: None
        self.after = 0
        self.asked: list[Scope] = []
        self.measured: list[MetricQuery] = []
        self.values: dict[tuple[str, str, str | None], Sequence[float]] = {}

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        yield [Health(scope.provider, scope.account, "api", "api", True, "healthy", "Answers.", 1.0, NOON)]

    async def listed(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        self.asked.append(scope)
        error = self.wrong(scope)
        if error and not self.after:
            raise error
        mine = self.rows.get((scope.account, scope.region, scope.kind), [])
        for at in range(0, len(mine), PAGE):
            if error and at >= self.after * PAGE:
                raise error
            await asyncio.sleep(0)
            yield mine[at : at + PAGE]
        if error:
            raise error

    instances = volumes = databases = buckets = listed

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """The told values, the last one in the step before the end."""
        self.asked.append(scope)
        self.measured.append(wanted)
        if error := self.wrong(scope):
            raise error
        found = []
        for (native_id, metric, device), values in self.values.items():
            if native_id in {one.id for one in wanted.targets} and metric in wanted.metrics:
                first = wanted.end - timedelta(seconds=wanted.step_s * len(values))
                points = [(first + timedelta(seconds=wanted.step_s * n), v) for n, v in enumerate(values)]
                found.append(Series(native_id, metric, tuple(points), device))
        yield found

    async def aclose(self) -> None:
        """Nothing is open."""


class Priced(Cloud):
    """A cloud that tells what its types cost."""

    async def instance_prices(self, scope: Scope, types: Sequence[str]) -> AsyncIterator[list[InstancePrice]]:
        self.asked.append(scope)
        if error := self.wrong(scope):
            raise error
        known = {"m5.large": 0.1, "p4de.24xlarge": 40.0}
        yield [InstancePrice(kind, known.get(kind)) for kind in types if kind in known]


class Divided(Priced):
    """A cloud that tells its regions."""

    async def divisions(self, scope: Scope) -> AsyncIterator[list[Division]]:
        self.asked.append(scope)
        if error := self.wrong(scope):
            raise error
        yield [Division("us-east-1")]
        yield [Division("eu-west-1")]


def instance(number: int, **told: Any) -> Resource:
    """A running instance with a name, tags and a record."""
    usual: dict[str, Any] = {
        "id": f"i-{number:04d}",
        "type": "instance",
        "name": f"web-{number}",
        "status": "running",
        "status_raw": "running",
        "tags": {"env": "prod" if number % 2 else "dev", "team": "core"},
        "created_at": NOON - timedelta(days=number),
        "instance_type": "m5.large",
        "vcpus": 2.0,
        "ram_gib": 8.0,
        "private_ip": f"10.0.0.{number}",
        "spot": False,
        "details": {"vpc_id": "vpc-1"},
        "raw": raw({"InstanceId": f"i-{number:04d}", "Password": "hidden"}),
    }
    return Resource(**(usual | told))


def database(name: str, status: str, engine: str, **told: Any) -> Resource:
    """A database."""
    return Resource(name, "database", name, status, engine=engine, version="12", **told)


def company() -> dict[str, Cloud]:
    """Two accounts in one cloud, one in the other."""
    a100 = (Gpus("A100", 8, 80.0),)
    aws = Divided(
        facts()["aws"],
        {
            ("prod", "us-east-1", "instances"): [
                instance(1),
                instance(2, status="stopped", status_raw="stopped", tags={}),
                instance(
                    3, instance_type="p4de.24xlarge", vcpus=96.0, ram_gib=1152.0, gpus=a100, name="train-3"
                ),
                instance(4, name=None, tags=None, created_at=None),
                instance(5, spot=True, health="failing", health_message="The system check fails."),
            ],
            ("prod", "eu-west-1", "instances"): [instance(6, public_ip="54.1.2.3")],
            ("lab", "us-east-1", "instances"): [instance(7, name="web-1")],
            ("prod", "us-east-1", "volumes"): [
                Resource("vol-1", "volume", status="available", size_gb=100.0, encrypted=True, tags={}),
                Resource("vol-2", "volume", status="unattached", size_gb=500.0, encrypted=False, tags={}),
            ],
            ("prod", "eu-west-1", "databases"): [
                Resource(
                    "db-main", "database", "db-main", "running", engine="mysql", version="8.0", size_gb=20.0
                ),
                Resource(
                    "db-old",
                    "database",
                    "db-old",
                    "failed",
                    engine="postgres",
                    version="12",
                    tags={"env": "x"},
                ),
            ],
            ("prod", "global", "buckets"): [
                Resource("logs", "bucket", "logs", "available", region="eu-west-1", size_bytes=5_000_000_000),
                Resource("media", "bucket", "media", "available", region="us-east-1"),
                Resource("backup", "bucket", "backup", "available", region="us-east-1"),
            ],
        },
    )
    ocean = Cloud(
        facts()["digitalocean"],
        {
            ("default", "global", "instances"): [
                instance(8, id="8", name="edge", region="fra1", usd_per_hour=0.25),
                instance(9, id="9", name="edge-2", region="nyc3", usd_per_hour=0.5),
            ]
        },
    )
    return {"aws": aws, "digitalocean": ocean}


def house(home: Path, clouds: dict[str, Cloud] | None = None, **more: Any) -> House:
    """A house over the company, with every part real but the clouds."""
    made = clouds or company()
    config = more.pop("config", CONFIG)
    return market.house(home, config=config, connectors=made, facts=facts(), **more)


def denied(region: str) -> Callable[[Scope], CloudError | None]:
    """A region that may not be read."""
    refusal = Forbidden("You are not authorized to do that there.", "Ask for the permission.")
    return lambda scope: refusal if scope.region == region else None


def at(hours: float) -> datetime:
    """Noon, so many hours later."""
    return datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(hours=hours)
