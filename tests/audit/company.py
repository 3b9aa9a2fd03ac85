"""The made-up company as a person reads its files: nothing here is shared with cloudtop or its sandbox.

Any cloud's file has the form that `cloudtop/sandbox/fleet/README.md` tells; what only one cloud means by its
fields is read in a module of that cloud.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import cloudtop

FOLDER = Path(cloudtop.__file__).parent / "sandbox" / "fleet"
CLOUDS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@dataclass(frozen=True)
class Thing:
    """One record. `names`: every id by which its cloud knows it. `said`: all that its file says of it."""

    cloud: str
    group: str
    type: str | None
    id: str
    names: tuple[str, ...]
    account: str
    region: str | None
    tags: Mapping[str, str]
    said: Mapping[str, Any]

    def age(self, key: str = "created") -> timedelta | None:
        """How long ago something happened to it, from the full hour in which the sandbox started."""
        return ago(self.said[key]) if key in self.said else None

    def told(self, field: str) -> Any:
        """A field as its cloud tells it, None for one that is left out."""
        return None if field in self.said.get("without", ()) else self.said.get(field)


@cache
def file(cloud: str) -> Any:
    """A cloud's file."""
    return yaml.safe_load((FOLDER / f"{cloud}.yaml").read_text("utf-8"))


@cache
def things(cloud: str) -> tuple[Thing, ...]:
    """Everything that the company has in a cloud, parts of others among it (their type is None)."""
    return tuple(_things(cloud))


def _things(cloud: str) -> Iterator[Thing]:
    for group, about in file(cloud)["resources"].items():
        for record in about["records"]:
            said = {**about.get("defaults", {}), **record}
            account, _, region = said["in"].partition("/")
            names = [said["id"]]
            if "arn" in about:
                filled = {**file(cloud)["accounts"][account], "region": region}
                names.append(
                    re.sub(r"{(\w+)}", lambda m, s=filled | said: str(s[m[1]]), about["arn"])  # type: ignore[misc]
                )
            yield Thing(
                cloud, group, about["type"], said["id"], tuple(names), account, region or None,
                said["tags"], said,
            )  # fmt: skip


def of(cloud: str, kind: str) -> list[Thing]:
    """All of one type."""
    return [one for one in things(cloud) if one.type == kind]


def ago(text: str) -> timedelta:
    """A length of time: 212d, 5h, 8m, 1d12h."""
    units = {"d": "days", "h": "hours", "m": "minutes"}
    return timedelta(**{units[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhm])", text)})


def hour(moment: datetime) -> datetime:
    """The full hour before a moment: what ages in the files are counted from."""
    return moment.replace(minute=0, second=0, microsecond=0)


def sample(series: Any, at: datetime, started: datetime) -> float:
    """One sample of a series, as the README says."""
    if isinstance(series, int | float):
        return float(series)
    if isinstance(series, list):
        series = {"is": series[0], "swing": series[1]}
    base = series["is"]
    if "until" in series and at < hour(started) - ago(series["until"]):
        base = series["was"]
    seconds = at.minute * 60 + at.second
    return float(base + series.get("swing", 0) * math.sin(2 * math.pi * seconds / 3600))


def samples(
    series: Any, start: datetime, end: datetime, step: timedelta, now: datetime, started: datetime
) -> list[tuple[datetime, float]]:
    """The samples of [start, end) that there are at `now`, at the step's multiples."""
    length = step.total_seconds()
    at = datetime.fromtimestamp(math.ceil(start.timestamp() / length) * length, start.tzinfo)
    found = []
    while at < end and at + step <= now:
        found.append((at, sample(series, at, started)))
        at += step
    return found


def wave(series: Any) -> tuple[float, float] | None:
    """What a series comes to over whole hours, and by how much it swings."""
    if series is None:
        return None
    base, swing = series if isinstance(series, list) else (series, 0)
    return float(base), float(swing)


def mean(values: list[float]) -> float:
    """Their mean."""
    return math.fsum(values) / len(values)


def canaries(cloud: str) -> list[str]:
    """Every text in a file that nobody may see again."""
    word = file(cloud).get("canary")
    return sorted({one for one in _texts(file(cloud)["resources"]) if word and word in one})


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, Mapping):
        for value in found.values():
            yield from _texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from _texts(value)
