"""What Cloudflare means by an answer that refuses: its REST envelope, and GraphQL, which errs in a 200."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudtop.errors import CloudError, Forbidden, Invalid, RateLimited, Unauthorized
from connectors.rows import each

UNKNOWN_TOKEN = "Invalid API Token"
"""What the check of users' tokens says of one that an account owns."""
MEANINGS: tuple[tuple[re.Pattern[str], type[CloudError]], ...] = (
    (re.compile(r"rate limiter|too many (queries|requests)|rate limit", re.IGNORECASE), RateLimited),
    (
        re.compile(rf"{UNKNOWN_TOKEN}|Invalid access token|Invalid request headers|Invalid format for Auth"),
        Unauthorized,
    ),
    (re.compile(r"not authorized|does not have (access|permission)|not entitled", re.IGNORECASE), Forbidden),
)
"""What the words of an error mean: a key that can be none is refused with 400, a wrong one also with 403."""


def refusal(status: int, document: Any) -> type[CloudError] | None:
    """What an answer means where its words say more than the status; None for an answer that is one."""
    told = document if isinstance(document, Mapping) else {}
    errors = each(told, "errors")
    if status < 300 and not errors and told.get("success") is not False:
        return None
    said = " ".join(str(one.get("message")) for one in errors)
    meant = next((kind for pattern, kind in MEANINGS if pattern.search(said)), None)
    return meant or (Invalid if status < 300 else None)
