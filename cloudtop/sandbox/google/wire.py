"""How Google's APIs are asked and how they refuse: pages with opaque tokens, errors with reasons."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
REASONS = {401: "authError", 403: "forbidden", 404: "notFound", 429: "rateLimitExceeded", 503: "backendError"}


class Refusal(Exception):
    """A request that is not answered: a status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def words(status: int, message: str) -> bytes:
    """An error as Google's APIs word it; a message that begins with a reason has that one."""
    word = message.partition(":")[0]
    reason = word if word.isalnum() and word != message else REASONS.get(status, "invalid")
    errors = [{"message": message, "domain": "global", "reason": reason}]
    said = {"code": status, "message": message, "status": WORDS.get(status, "INTERNAL"), "errors": errors}
    return json.dumps({"error": said}).encode()


def check(asked: Mapping[str, str], known: Iterable[str]) -> None:
    """Refuse parameters that an API does not have."""
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise Refusal(400, f'Invalid JSON payload received. Unknown name "{unknown[0]}".')


def page(items: Sequence[Any], asked: Mapping[str, str], size_name: str, usual: int) -> tuple[list[Any], str]:
    """A page of these, and the token of the next one, empty on the last. `usual` is what it holds at most."""
    size = asked.get(size_name, str(usual))
    if not size.isdigit():
        raise Refusal(400, f"Invalid value for field '{size_name}': '{size}'.")
    start = begin(asked.get("pageToken", ""), len(items))
    end = start + min(int(size) or usual, usual)
    return list(items[start:end]), token(end) if end < len(items) else ""


def token(start: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(f"page:{start}".encode()).decode().rstrip("=")


def begin(text: str, many: int) -> int:
    """Where a page begins; a token that was never given is refused."""
    known = {"": 0} | {token(start): start for start in range(1, many)}
    if text not in known:
        raise Refusal(400, "Invalid value for field 'pageToken'.")
    return known[text]
