"""One process that lists the account of `aws_replay`, and what that cost it; for `inventory.py`.

python -m bench.inventory_peer boto3|cloudtop|again|warm URL HOME [KIND …]      prints one line of JSON

`again` reads every listing twice, as a server does that goes on running, and measures the second time alone.
`warm` makes the home ready, as an earlier run would have: the store is there, facts and specs are compiled.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.aws_replay import REGIONS

LISTED = {
    "instances": ("ec2", "describe_instances", "Reservations", {"PageSize": 1000}),
    "databases": ("rds", "describe_db_instances", "DBInstances", {"PageSize": 100}),
    "functions": ("lambda", "list_functions", "Functions", {}),
    "buckets": ("s3", "list_buckets", "Buckets", {"PageSize": 1000}),
}


def boto3_sequential(url: str, home: Path, kinds: list[str]) -> int:
    """What anybody would write: every region, every page, one after another."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(aws_access_key_id="AKIAREPLAYREPLAY0000", aws_secret_access_key="none")
    config = Config(s3={"addressing_style": "path"})
    found: list[Any] = []
    for kind in kinds:
        service, operation, key, pages = LISTED[kind]
        for region in REGIONS[:1] if service == "s3" else REGIONS:
            client = session.client(service, region_name=region, endpoint_url=url, config=config)
            for page in client.get_paginator(operation).paginate(PaginationConfig=pages):
                if kind == "instances":
                    found += [one for reservation in page[key] for one in reservation["Instances"]]
                else:
                    found += page[key]
    return len(found)


def opened(url: str, home: Path) -> Any:
    from cloudtop.cli.build import build

    config = home / "config.json"
    keys = {"access_key_id": "AKIAREPLAYREPLAY0000", "secret_access_key": "none"}
    config.write_text(json.dumps({"providers": {"aws": {"auth": keys, "options": {"endpoint": url}}}}))
    return build(config, home, deadline_s=300)


def warm(url: str, home: Path, kinds: list[str]) -> int:
    """Leave behind what a first run leaves."""
    from cloudtop import gpus, regions
    from cloudtop.models import Scope

    house = opened(url, home)
    house.runtime()
    gpus.instance_gpu("aws", "g5.xlarge")
    regions.place("aws", REGIONS[0])

    async def read() -> None:
        await house.fleet.read([Scope("aws", "default", REGIONS[0], "vpcs")])
        await house.aclose()

    asyncio.run(read())
    return 0


def cloudtop(url: str, home: Path, kinds: list[str]) -> int:
    """Through the fleet into the store; every region and kind at once."""
    house = opened(url, home)

    async def read() -> int:
        rows = await _read(house, kinds)
        await house.aclose()
        return rows

    return asyncio.run(read())


def again(url: str, home: Path, kinds: list[str]) -> tuple[int, float]:
    """Every listing, and how many seconds the second reading took."""
    house = opened(url, home)
    kinds = list(house.facts["aws"].lists)

    async def read() -> tuple[int, float]:
        await _read(house, kinds)
        started = time.perf_counter()
        rows = await _read(house, kinds)
        wall_s = time.perf_counter() - started
        await house.aclose()
        return rows, wall_s

    return asyncio.run(read())


async def _read(house: Any, kinds: list[str]) -> int:
    from cloudtop.models import Scope

    everywhere = house.facts["aws"].everywhere
    scopes = [
        Scope("aws", "default", region, kind)
        for kind in kinds
        for region in (("global",) if kind in everywhere else REGIONS)
    ]
    harvest = await house.fleet.read(scopes, max_age_s=0)
    assert not harvest.missing, harvest.missing
    return sum(source.rows for source in harvest.sources)


def main() -> None:
    peer, url, home, *kinds = sys.argv[1:]
    started = time.perf_counter()
    if peer == "again":
        rows, wall_s = again(url, Path(home), kinds)
    else:
        peers = {"boto3": boto3_sequential, "cloudtop": cloudtop, "warm": warm}
        rows = peers[peer](url, Path(home), kinds or list(LISTED))
        wall_s = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "rows": rows,
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": wall_s,
        "rss_mib": used.ru_maxrss / 1024,
    }
    print(json.dumps(figures))


main()
