"""Google's discovery documents: which method a request is, and what is wrong with an answer by them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

APIS = [
    "cloudbilling.v1",
    "cloudfunctions.v2",
    "cloudresourcemanager.v3",
    "compute.v1",
    "container.v1",
    "monitoring.v3",
    "run.v2",
    "sqladmin.v1",
    "storage.v1",
]


@cache
def document(api: str) -> Any:
    """One API's document, as it ships with google-api-python-client."""
    import googleapiclient.discovery_cache as shipped

    return json.loads((Path(shipped.__file__).parent / "documents" / f"{api}.json").read_text("utf-8"))


def methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every method below a resource."""
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from methods(inner)


@cache
def every() -> list[tuple[str, re.Pattern[str], Mapping[str, Any]]]:
    """Every method of every API: its document, its path as a pattern, and itself."""
    found = []
    for api in APIS:
        base = document(api)["servicePath"]
        for one in methods(document(api)):
            path = re.sub(
                r"\\\{[^/{}]*\\\}", "[^/]+", re.escape(f"/{base}{one.get('flatPath', one['path'])}")
            )
            found.append((api, re.compile(path), one))
    return found


def method_of(verb: str, path: str) -> tuple[str, Mapping[str, Any]]:
    """The method that a request is; of several with that path the one of `sqladmin` goes by its scopes."""
    fitting = [
        (api, one) for api, pattern, one in every() if one["httpMethod"] == verb and pattern.fullmatch(path)
    ]
    assert len(fitting) == 1, (verb, path, [one["id"] for _, one in fitting])
    return fitting[0]


def wrong(api: str, schema: Mapping[str, Any], value: Any, where: str = "") -> Iterator[str]:
    """What is wrong with a value by a schema."""
    if "$ref" in schema:
        schema = document(api)["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "object" and isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            if name in known or others:
                yield from wrong(api, known.get(name, others), inner, f"{where}.{name}")
            else:
                yield f"{where}.{name} is no field"
    elif kind == "array" and isinstance(value, list):
        for inner in value:
            yield from wrong(api, schema["items"], inner, f"{where}[]")
    elif kind != "any":
        yield from _plain(schema, kind, value, where)


def _plain(schema: Mapping[str, Any], kind: str, value: Any, where: str) -> Iterator[str]:
    types: Mapping[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    if not isinstance(value, types.get(kind, ())) or (kind == "integer" and isinstance(value, bool)):
        yield f"{where} is no {kind}: {value!r}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of its words: {value}"
    elif schema.get("format") in ("int64", "uint64") and not str(value).isdigit():
        yield f"{where} is no whole number: {value}"
