"""Takes the shapes of some operations' answers out of an OpenAPI document, as JSON Schema 2020-12."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
FACTS = ("type", "enum", "const", "required", "pattern")
"""What is kept as it is. Words, examples and limits are left out."""
FORMATS = ("date-time", "uuid")
TOGETHER = ("allOf", "oneOf", "anyOf")


class Document:
    """An OpenAPI document, and the schemas of it that are wanted so far."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole
        self.defs: dict[str, Schema] = {}

    def at(self, reference: str) -> Any:
        """What a reference within the document names."""
        found: Any = self.whole
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found

    def answers(self, operation: str) -> dict[str, Schema]:
        """The schema of every documented answer of an operation such as `GET /v2/droplets`, by status."""
        verb, path = operation.split(" ", 1)
        found = {}
        for status, answer in self.whole["paths"][path][verb.lower()]["responses"].items():
            if "$ref" in answer:
                answer = self.at(answer["$ref"])
            for media, told in answer.get("content", {}).items():
                if "json" in media and "schema" in told:
                    found[str(status)] = self.place(told["schema"])
        return found

    def place(self, schema: Schema) -> Schema:
        """The schema of a value: of an object no field that is not documented."""
        kept = self.kept(schema)
        return {**kept, "unevaluatedProperties": False} if self.names(schema) else kept

    def names(self, schema: Schema) -> bool:
        """Whether a schema says what the fields of an object are."""
        if "$ref" in schema:
            return self.names(self.at(schema["$ref"]))
        return bool(schema.get("properties")) or any(
            self.names(one) for way in TOGETHER for one in schema.get(way, ())
        )

    def kept(self, schema: Schema) -> Schema:
        """A schema as facts; what it refers to goes into `defs`."""
        if "$ref" in schema:
            return self.named(schema["$ref"])
        kept: Schema = {name: schema[name] for name in FACTS if name in schema}
        if schema.get("format") in FORMATS:
            kept["format"] = schema["format"]
        if "properties" in schema:
            kept["properties"] = {name: self.place(one) for name, one in schema["properties"].items()}
        if "items" in schema:
            kept["items"] = self.place(schema["items"])
        others = schema.get("additionalProperties")
        if others is not None:
            kept["additionalProperties"] = self.place(others) if isinstance(others, dict) else others
        kept |= {way: [self.kept(one) for one in schema[way]] for way in TOGETHER if way in schema}
        return nullable(kept) if schema.get("nullable") else kept

    def named(self, reference: str) -> Schema:
        """A reference to a kept schema; a schema may refer to itself."""
        name = reference.removeprefix("#/components/").replace("/", ".")
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name] = self.kept(self.at(reference))
        return {"$ref": f"#/$defs/{name}"}


def nullable(schema: Schema) -> Schema:
    """OpenAPI 3.0's `nullable`, as JSON Schema says it."""
    if isinstance(schema.get("type"), str):
        schema = {**schema, "type": [schema["type"], "null"]}
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def written(made: Mapping[str, Any]) -> str:
    """The file's text: one line for an operation, one for a schema."""

    def lines(held: Mapping[str, Any]) -> str:
        return ",\n".join(f" {json.dumps(name)}: {json.dumps(held[name])}" for name in sorted(held))

    return (
        f'{{"document": {json.dumps(made["document"])},\n"operations": {{\n{lines(made["operations"])}\n}},\n'
        f'"$defs": {{\n{lines(made["$defs"])}\n}}}}\n'
    )


def main(provider: str, source: str, *operations: str) -> None:
    """Write `<provider>.json`: the operations named, and those that the file has already."""
    file = Path(__file__).parent / f"{provider}.json"
    held = json.loads(file.read_text("utf-8"))["operations"] if file.exists() else {}
    document = Document(yaml.load(Path(source).read_text("utf-8"), yaml.CSafeLoader))
    made = {one: document.answers(one) for one in sorted({*held, *operations})}
    info = document.whole["info"]
    title = f"{info['title']}, version {info['version']}, OpenAPI {document.whole['openapi']}"
    file.write_text(written({"document": title, "operations": made, "$defs": document.defs}), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
