"""What all of Amazon's records have in common: tags, times, names, and what of them is kept.

Records are shaped as boto3 gives them, and any field may be missing. In a listing whose records carry their
tags, tags that are absent are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from cloudtop import gpus
from cloudtop.text import encoded
from connectors import base
from connectors.rows import Record

SECRET = re.compile(
    r"(?i:token(?!s$|enabled$|status$|lastmodifieddate$)|secret|passw|email)|^Environment$|^authorizationConfig$"
)
"""Names of fields that tell of a secret. What AWS calls a key is its name, id or ARN; the variables of a
function are called by whoever wrote it, so none is kept."""
HIDDEN = frozenset({"ClientToken"})
"""The only field of an instance's record whose name tells of a secret, as the model of EC2 has it."""
SKETCHED = frozenset(
    {
        *("InstanceId", "InstanceType", "State", "StateReason", "Placement", "Tags", "LaunchTime", "ImageId"),
        *("PublicIpAddress", "PrivateIpAddress", "PublicDnsName", "PrivateDnsName", "VpcId", "SubnetId"),
        *("SecurityGroups", "Architecture", "PlatformDetails", "Monitoring", "KeyName", "IamInstanceProfile"),
        *("InstanceLifecycle", "CapacityBlockId"),
    }
)
"""The fields of an instance's record that its row is made of; the others are only kept beside it."""
OURS = "cloudtop"
"""Where in an answer of botocore, or a record in it, something of ours is: AWS' names begin with capitals."""
OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


def raw(record: Record, hidden: frozenset[str] | None = None) -> str:
    """A record as it is kept beside its row.

    `hidden` are the names of what may be a secret, all of them at the top, where the model of the API shows
    that there are no others: looking through a long record costs more than reading it.
    """
    if hidden is None:
        return base.raw(record, SECRET)
    return encoded({name: value for name, value in record.items() if name not in hidden})


def tags(record: Record, key: str = "Tags") -> dict[str, str]:
    """The tags of a record, a list of pairs or a mapping; their order is AWS' own."""
    found = record.get(key) or ()
    if isinstance(found, Mapping):
        return {str(name): str(value or "") for name, value in found.items()}
    told: dict[str, str] = {}
    for one in found:
        if name := one.get("Key") or one.get("key"):
            told[str(name)] = str(one.get("Value") or one.get("value") or "")
    return told


@lru_cache(maxsize=4096)
def gpu_of(kind: str) -> tuple[str, float, float] | None:
    """The accelerator of an instance type as cloudtop carries it, AWS' own too: model, how many, GiB."""
    return gpus.instance_gpu("aws", kind)


def moment(value: datetime | str | None) -> datetime | None:
    """A time in UTC: botocore's own, or a text such as 2026-01-01T00:00:00.000+0000."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(OFFSET.sub(r"\1:\2", value.strip()))
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.tzinfo is UTC:
        return value if isinstance(value, datetime) else None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def joined(parts: Iterable[object]) -> str | None:
    """Words in one sentence, each once; None for none."""
    said = dict.fromkeys(str(one).strip().rstrip(".") for one in parts if one)
    return ". ".join(said) + "." if said else None
