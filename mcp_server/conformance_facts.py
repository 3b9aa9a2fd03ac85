"""What the conformance suites prescribe word for word: schemas, contents, lists."""

from __future__ import annotations

from typing import Any

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"

WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="

OPTIONS = ["option1", "option2", "option3"]

TITLED = [
    {"const": "value1", "title": "First Option"},
    {"const": "value2", "title": "Second Option"},
    {"const": "value3", "title": "Third Option"},
]

TEXT_FIELD = {"type": "string"}

SCHEMAS: dict[str, dict[str, Any]] = {
    "test_sampling": {"type": "object", "properties": {"prompt": TEXT_FIELD}, "required": ["prompt"]},
    "test_elicitation": {"type": "object", "properties": {"message": TEXT_FIELD}, "required": ["message"]},
    "test_header_tool": {
        "type": "object",
        "properties": {"region": {**TEXT_FIELD, "x-mcp-header": "Region"}},
        "required": ["region"],
    },
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": TEXT_FIELD, "city": TEXT_FIELD},
            }
        },
        "properties": {
            "name": TEXT_FIELD,
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": TEXT_FIELD,
            "email": TEXT_FIELD,
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
}

CONTENTS: dict[str, dict[str, Any]] = {
    "test://static-text": {
        "mimeType": "text/plain",
        "text": "This is the content of the static text resource.",
    },
    "test://static-binary": {"mimeType": "image/png", "blob": PNG},
    "test://watched-resource": {"mimeType": "text/plain", "text": "This is a resource to be watched."},
    "test://example-resource": {"mimeType": "text/plain", "text": "This is an example resource."},
}

RESOURCES: list[dict[str, Any]] = [
    {
        "uri": uri,
        "name": uri.removeprefix("test://"),
        "description": "Conformance fixture",
        "mimeType": one["mimeType"],
    }
    for uri, one in CONTENTS.items()
]

BLANK: dict[str, Any] = {
    "uriTemplate": "test://template/{id}/data",
    "name": "template",
    "description": "Conformance fixture",
    "mimeType": "application/json",
}

ARGUMENTS = {
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
}
