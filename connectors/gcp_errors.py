"""What Google means by an answer that refuses, in any of its APIs.

The reason stands in `details` (ErrorInfo) or in the older `errors`; the message alone counts where neither
is told. A 403 may be a lack of permission, an API that the project has not switched on, or a rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloudtop.errors import CloudError, Invalid, NotEnabled, RateLimited, Unauthorized

OFF = re.compile(r"SERVICE_DISABLED|accessNotConfigured|has not been used in project|API .*is disabled")
RATE = re.compile(r"(rate|userRate|quota)_?Limit_?Exceeded|RATE_LIMIT_EXCEEDED|quotaExceeded", re.IGNORECASE)
NO_KEY = re.compile(r"API_KEY_INVALID|API key not valid|API_KEY_EXPIRED", re.IGNORECASE)
NO_GRANT = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "invalid_rapt"})
"""What the token endpoint says of credentials that do not hold any more."""


def refusal(status: int, answer: Any) -> type[CloudError] | None:
    """What an error means, where its reason says more than the status."""
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if status < 300:
        return Invalid if error else None
    if isinstance(error, str):
        return Unauthorized if error in NO_GRANT else None
    if not isinstance(error, Mapping) or status not in (400, 403):
        return None
    told = list(reasons(error)) or [str(error.get("message"))]
    if any(OFF.search(one) for one in told):
        return NotEnabled
    if any(RATE.search(one) for one in (*told, str(error.get("message")))):
        return RateLimited
    said = " ".join((*told, str(error.get("message"))))
    return Unauthorized if status == 400 and NO_KEY.search(said) else None


def reasons(error: Mapping[str, Any]) -> Iterator[str]:
    """The reasons that an error gives."""
    for key in ("details", "errors"):
        found = error.get(key)
        for one in found if isinstance(found, list) else ():
            if isinstance(one, Mapping) and one.get("reason"):
                yield str(one["reason"])
