"""What every call of a local Neon has in common: parameters, pages, and how it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from cloudtop.sandbox.fleet import Record


class Refusal(Exception):
    """An answer that refuses: its status and what it says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def held(found: Sequence[Record], identity: str, noun: str) -> Record:
    """The one of this id; refused where there is none."""
    one = next((one for one in found if one.id == identity), None)
    if one is None:
        raise Refusal(404, f"{noun} not found")
    return one


def known(request: Request, *names: str) -> dict[str, str]:
    """The parameters of a request; one that is not documented is refused."""
    asked = dict(request.query_params)
    if unknown := set(asked) - set(names):
        raise Refusal(400, f"unknown parameter {min(unknown)}")
    return asked


def size(asked: Mapping[str, str], usual: int, most: int) -> int:
    """How many records a page may hold."""
    text = asked.get("limit", str(usual))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refusal(400, f"limit must be between 1 and {most}")
    return int(text)


def page(
    asked: Mapping[str, str], found: Sequence[Record], count: int, *, always: bool
) -> tuple[Sequence[Record], str | None]:
    """A part of the records, and the cursor of what follows; with `always` the last page has one as well."""
    cursors = {cursor_at(at): at for at in range(1, len(found) + 1)}
    cursor = asked.get("cursor")
    if cursor and cursor not in cursors:
        raise Refusal(400, "invalid cursor")
    start = cursors[cursor] if cursor else 0
    part = found[start : start + count]
    end = start + len(part)
    return part, cursor_at(end) if part and (always or end < len(found)) else None


def cursor_at(place: int) -> str:
    """The cursor of the page that begins at a place."""
    return base64.urlsafe_b64encode(f"after:{place}".encode()).decode()


def words(status: int, message: str) -> bytes:
    """The body of an error, in Neon's form."""
    return json.dumps(
        {"request_id": "2d9ce23b-0000-4000-8000-7e0d5b1f9a30", "code": "", "message": message}
    ).encode()
