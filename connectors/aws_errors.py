"""What Amazon means by an answer that refuses, in any of its protocols."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from cloudtop.errors import CloudError, Forbidden, Invalid, NotFound, RateLimited, Unauthorized
from cloudtop.faults import THROTTLED

MEANINGS: tuple[tuple[re.Pattern[str], type[CloudError]], ...] = (
    (THROTTLED, RateLimited),
    (
        re.compile(
            r"AuthFailure|InvalidClientTokenId|InvalidAccessKeyId|ExpiredToken|SignatureDoesNotMatch|"
            r"UnrecognizedClient|MissingAuthenticationToken|IncompleteSignature|InvalidSignature|"
            r"RequestExpired|RequestTimeTooSkewed|"
            r"security token included in the request is (invalid|expired)",
            re.I,
        ),
        Unauthorized,
    ),
    (
        re.compile(
            r"UnauthorizedOperation|AccessDenied|OptInRequired|SubscriptionRequired|RegionDisabled", re.I
        ),
        Forbidden,
    ),
    (re.compile(r"\.NotFound\b|ResourceNotFound|NoSuch[A-Z]", re.I), NotFound),
)
"""What AWS means by an error's code, whatever the status: EC2 throttles with 400 and 503 too."""
ERRORS = ("Response", "ErrorResponse", "Error")
"""The outermost elements of the errors of EC2, of most others, and of S3."""
LONGEST_ERROR = 20_000
"""A JSON answer that is longer is data."""
BEGIN = re.compile(
    rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<![A-Za-z][^>]*>\s*)*<([A-Za-z_][\w.:-]*)[^>]*?(/?)>", re.DOTALL
)
"""How an XML document begins, up to the end of its outermost element's first tag."""
WITHIN = 4_000
"""How far from its ends the first and last tag of a document are looked for."""


def parsed(body: bytes) -> tuple[Any, bool]:
    """What an answer of any AWS protocol says of itself, and whether it is whole; of an error its words.

    `failed`: it says itself that it is an error, so it is one whatever the status. Data is not taken apart
    here: botocore does that, and refuses what is wrong inside.
    """
    if body.lstrip()[:1] == b"<":
        root = _root(body)
        failed = root in ERRORS
        return {**(_words(body) if failed else {}), "failed": failed}, root not in ("", "html")
    if len(body) > LONGEST_ERROR and body[:1] == b"{" and body[-1:] == b"}":
        return {}, True
    try:
        document = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(document, Mapping):
        return {}, True
    kind = str(document.get("__type") or document.get("code") or "").rpartition("#")[2]
    return {"code": kind, "message": document.get("message") or document.get("Message") or ""}, True


def refusal(status: int, document: Any) -> type[CloudError] | None:
    """What AWS means by an error, where its code says more than the status."""
    if status < 300 and document.get("failed") is not True:
        return None
    # The words of the message count only where no code is told.
    told = str(document.get("code") or document.get("message") or "")
    meant = (kind for pattern, kind in MEANINGS if pattern.search(told))
    return next(meant, Invalid if status < 300 else None)


def _words(body: bytes) -> dict[str, str]:
    """Code and message of an error in XML."""
    found = {name: re.search(rb"<%b>([^<]*)</%b>" % (name, name), body) for name in (b"Code", b"Message")}
    return {
        name.decode().lower(): html.unescape(match[1].decode("utf-8", "replace").strip())
        for name, match in found.items()
        if match
    }


def _root(body: bytes) -> str:
    """The name of an XML document's outermost element, "" where it does not end as it began."""
    began = BEGIN.match(body[:WITHIN])
    if began is None:
        return ""
    name, empty = began.groups()
    last = rb"(?:<!--.*?-->\s*)*$" if empty else rb"</%b\s*>\s*(?:<!--.*?-->\s*)*$" % re.escape(name)
    rest = body[max(began.end(), len(body) - WITHIN) :]
    whole = re.match(rb"\s*" + last, rest) if empty else re.search(last, rest, re.DOTALL)
    return name.rpartition(b":")[2].decode() if whole else ""
