"""The made-up company: what each cloud holds, as `<cloud>.yaml` tells it. README.md explains the form.

Everything in a file is so and so much older than the sandbox, never of a date: `Fleet` makes moments of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
COMMON = ("id", "in", "created", "stopped", "tags", "without", "metrics")
"""The keys that mean the same in every cloud's file."""

LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


@dataclass(frozen=True)
class Record:
    """One thing that the company has. `own` is what its cloud tells of it, in the cloud's words and units.

    `region` is None for what belongs to none. `without` are fields that its cloud leaves out for this one.
    """

    group: str
    type: str | None
    id: str
    account: str
    region: str | None
    tags: Mapping[str, str]
    created: datetime | None
    stopped: datetime | None
    without: tuple[str, ...]
    metrics: Mapping[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict)


class Fleet:
    """One cloud's part of the company, seen from the moment at which a sandbox started."""

    def __init__(self, cloud: str, started: datetime) -> None:
        # Within one hour two sandboxes tell the same times.
        self.started = started.replace(minute=0, second=0, microsecond=0)
        self.file = read(cloud)
        self.records = tuple(self._records())

    @property
    def accounts(self) -> Mapping[str, Mapping[str, Any]]:
        """The accounts by name, with their keys and what else the cloud knows them by."""
        found: Mapping[str, Mapping[str, Any]] = self.file["accounts"]
        return found

    def of(self, group: str, account: str, region: str | None = None) -> list[Record]:
        """The records of a group in an account, and in a region where one is given, in the file's order."""
        return [
            one
            for one in self.records
            if one.group == group and one.account == account and region in (None, one.region)
        ]

    def _records(self) -> Iterator[Record]:
        for group, about in self.file["resources"].items():
            for given in about["records"]:
                told = {**about.get("defaults", {}), **given}
                account, _, region = told["in"].partition("/")
                yield Record(
                    group=group,
                    type=about["type"],
                    id=told["id"],
                    account=account,
                    region=region or None,
                    tags=told["tags"],
                    created=self._ago(told.get("created")),
                    stopped=self._ago(told.get("stopped")),
                    without=tuple(told.get("without", ())),
                    metrics=told.get("metrics", {}),
                    own={name: value for name, value in told.items() if name not in COMMON},
                )

    def _ago(self, text: str | None) -> datetime | None:
        return None if text is None else self.started - length(text)


def length(text: str) -> timedelta:
    """A length of time as the files write it: 212d, 5h, 1d12h, 8m."""
    match = LENGTH.fullmatch(text)
    if not match or not text:
        raise ValueError(f"{text!r} is no length of time such as 212d or 5h")
    days, hours, minutes = (int(one or 0) for one in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


@cache
def read(cloud: str) -> Mapping[str, Any]:
    """A cloud's file as it stands."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: Mapping[str, Any] = yaml.load((FOLDER / f"{cloud}.yaml").read_text("utf-8"), loader)
    return found


def has(cloud: str) -> bool:
    """Whether the company has anything in this cloud."""
    return (FOLDER / f"{cloud}.yaml").is_file()
