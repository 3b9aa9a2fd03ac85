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
    code, said = _words(error)
    if status in (200, 400, 403) and THROTTLED.search(f"{code} {said}"):
        return RateLimited
    words = code or said, str(told.get("error_description") or "")
    meant = (kind for pattern, kind in MEANINGS if any(pattern.search(one) for one in words))
    return next(meant, Invalid if status < 300 else None)


def _words(error: Any) -> tuple[str, str]:
    """The code of an error and what it says."""
    if not isinstance(error, Mapping):
        return str(error), ""
    lower = {str(name).lower(): value for name, value in error.items()}
    return str(lower.get("code") or ""), str(lower.get("message") or "")
