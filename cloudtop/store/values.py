"""Values on their way into the file: what tells two rows apart, and how long a text may be."""

from __future__ import annotations

import marshal
from hashlib import blake2b
from typing import Any

LONGEST = 200
"""Characters of a name or a figure that a cloud writes; what is longer is no name."""


def fingerprint(values: tuple[Any, ...]) -> int:
    """A number that changes when any value does; the same in every process."""
    return int.from_bytes(blake2b(marshal.dumps(values, 2), digest_size=8).digest(), "big", signed=True)


def cut(text: str | None, most: int = LONGEST) -> str | None:
    """A cloud's words as far as anybody reads them."""
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"
