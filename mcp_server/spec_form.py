"""The form of tool specs as JSON Schema: which keys there are and what they may hold."""

from __future__ import annotations

DESCRIPTION = 400
"""The most characters in a tool's description: every session of every model pays for them."""

KINDS = [
    "count",
    "duration",
    "fields",
    "flag",
    "gpu",
    "hours",
    "instance_type",
    "memory",
    "metric",
    "money",
    "name",
    "provider",
    "region",
    "resource_type",
    "size_gb",
    "sort",
    "status",
    "tag",
    "time",
]
"""What a parameter means to planner, completion and normalisation, where its JSON type does not say it."""

UTC_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
"""How a `date-time` of a row is written: always UTC, always with a Z."""

_SCALARS = ["string", "number", "integer", "boolean"]
_NAME = r"^[a-z][a-z0-9_]{0,63}$"
_WORDS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_BOUNDS = {key: {"type": "number"} for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")}
_VALUE = {
    "enum": {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}},
    "pattern": {"type": "string", "format": "regex"},
    **_BOUNDS,
}
_ITEMS = {
    "type": "object",
    "properties": {"type": {"enum": _SCALARS}, **_VALUE},
    "required": ["type"],
    "additionalProperties": False,
}
_PARAMETER = {
    "type": "object",
    "properties": {
        "type": {"enum": [*_SCALARS, "array"]},
        "description": {"type": "string", "minLength": 1, "maxLength": 120},
        "items": _ITEMS,
        "default": {},
        "kind": {"enum": KINDS},
        "aliases": _WORDS,
        "required": {"type": "boolean"},
        "elicit": {"type": "boolean"},
        **_VALUE,
    },
    "required": ["type"],
    "additionalProperties": False,
    "if": {"properties": {"type": {"const": "array"}}},
    "then": {"required": ["items"]},
    "else": {"not": {"required": ["items"]}},
}
_FIELD = {
    "type": "object",
    "properties": {
        "type": {"enum": [*_SCALARS, "array", "object"]},
        "description": {"type": "string", "minLength": 1},
        "nullable": {"type": "boolean"},
        "optional": {"type": "boolean"},
        "format": {"const": "date-time"},
        "items": {"type": "object"},
        **_VALUE,
    },
    "required": ["type"],
    "additionalProperties": False,
}
COMMON_FORM = {"type": "object", "propertyNames": {"pattern": _NAME}, "additionalProperties": _PARAMETER}
"""The form of `common.yaml`."""

FORM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A cloudtop tool",
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": _NAME},
        "title": {"type": "string", "minLength": 1},
        "description": {"type": "string", "minLength": 1, "maxLength": DESCRIPTION, "pattern": r"\n\S"},
        "toolsets": {**_WORDS, "minItems": 1},
        "annotations": {
            "type": "object",
            "properties": {
                hint: {"type": "boolean"} for hint in ("readOnly", "destructive", "idempotent", "openWorld")
            },
            "required": ["readOnly", "destructive", "idempotent", "openWorld"],
            "additionalProperties": False,
        },
        "parameters": COMMON_FORM,
        "common": _WORDS,
        "later": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "rows": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "object", "minProperties": 1, "additionalProperties": _FIELD},
        },
        "examples": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"question": {"type": "string"}, "arguments": {"type": "object"}},
                "required": ["question", "arguments"],
                "additionalProperties": False,
            },
        },
        "nl": {
            "type": "object",
            "properties": {"cues": _WORDS, "examples": _WORDS},
            "required": ["cues", "examples"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "title", "description", "toolsets", "annotations", "rows", "examples", "nl"],
    "additionalProperties": False,
}
"""The form of a tool's YAML, as `cloudtop specs schema` prints it."""

OUTPUT_SCHEMA = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": {"type": "object"}}},
    "required": ["rows"],
}
"""What clients check of every result: loose, for they check slowly and the runtime has checked every row."""
