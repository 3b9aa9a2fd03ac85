"""Whether an answer is what the provider's OpenAPI document says: `tests/schemas/<provider>.json`."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

SCHEMAS = Path(__file__).parent / "schemas"
PROVIDERS = tuple(sorted(file.stem for file in SCHEMAS.glob("*.json")))


@cache
def documented(provider: str) -> Any:
    """What is kept of a provider's document."""
    return json.loads((SCHEMAS / f"{provider}.json").read_text("utf-8"))


def operation(provider: str, verb: str, path: str) -> str | None:
    """The documented operation that a request is; a path without a variable goes before one with."""
    fitting = [
        one
        for one in documented(provider)["operations"]
        if re.fullmatch(re.sub(r"\\\{[^{}/]*\\\}", "[^/]+", re.escape(one)), f"{verb} {path}")
    ]
    return min(fitting, key=lambda one: one.count("{"), default=None)


@cache
def _validator(provider: str, name: str, status: str) -> Draft202012Validator:
    known = documented(provider)
    schema = known["operations"][name][status]
    return Draft202012Validator({**schema, "$defs": known["$defs"]}, validate_formats=True)


def complaints(provider: str, verb: str, path: str, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer by the document; empty when nothing is."""
    name = operation(provider, verb, path)
    if name is None:
        return [f"{verb} {path} is no operation of tests/schemas/{provider}.json"]
    ways = documented(provider)["operations"][name]
    told = next((one for one in (str(status), f"{status // 100}XX", "default") if one in ways), None)
    if told is None:
        return [f"{name}: an answer {status} is not documented"]
    return [
        f"{name} {status} at {'/'.join(str(one) for one in wrong.instance_path)}: {wrong.message[:200]}"
        for wrong in _validator(provider, name, told).iter_errors(json.loads(body))
    ]
