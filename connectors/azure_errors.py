"""What Microsoft means by an answer that refuses: Resource Manager, the sign-in, and the price list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudtop.errors import CloudError, Forbidden, Invalid, NotFound, RateLimited, Unauthorized
from cloudtop.faults import THROTTLED

UNREGISTERED = "MissingSubscriptionRegistration"
"""A subscription that never used a service says so with 409, which is no conflict: nothing of it is there."""
MEANINGS: tuple[tuple[re.Pattern[str], type[CloudError]], ...] = (
    (THROTTLED, RateLimited),
    (re.compile(UNREGISTERED), NotFound),
    (
        re.compile(
            r"^(invalid_client|unauthorized_client|invalid_grant|access_denied)$|AADSTS\d+|"
            r"(Invalid|Expired)AuthenticationToken|AuthenticationFailed|InvalidSubscriptionId"
        ),
        Unauthorized,
    ),
    (re.compile(r"(Authorization|LinkedAuthorization|LinkedAccessCheck)Failed"), Forbidden),
)
"""What a code means, whatever the status: the sign-in refuses a wrong tenant or secret with 400 or 401."""


def refusal(status: int, document: Any) -> type[CloudError] | None:
    """What Azure means by an error, where its code says more than the status."""
    told = document if isinstance(document, Mapping) else {}
    error = told.get("error") or told.get("Error") or (told if status >= 300 else None)
    if not error:
        return None
    words = _words(error, told)
    meant = (kind for pattern, kind in MEANINGS if any(pattern.search(one) for one in words))
    return next(meant, Invalid if status < 300 else None)


def _words(error: Any, told: Mapping[str, Any]) -> list[str]:
    """The code of an error; what it says where it has none, and always what the sign-in says."""
    if not isinstance(error, Mapping):
        return [str(error), str(told.get("error_description") or "")]
    code = error.get("code") or error.get("Code")
    return [str(code or error.get("message") or error.get("Message") or "")]
