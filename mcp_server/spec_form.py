"""The form of tool specs as JSON Schema: which keys there are, what they may hold, and what they mean."""

from __future__ import annotations

from typing import Any

DESCRIPTION = 400
"""The most characters in a tool's description: every session of every model pays for them."""

HINTS = {
    "readOnly": "true: the tool changes nothing",
    "destructive": "true: what it changes may be lost",
    "idempotent": "true: the same call twice does no more than once",
    "openWorld": "true: it asks something outside this machine",
}
"""The annotations of a tool, each of which must be stated, and what they tell a client."""

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

_Form = dict[str, Any]


def _said(meaning: str, form: _Form) -> _Form:
    """A part of the form, with what it means."""
    return {**form, "description": meaning}


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = ["string", "number", "integer", "boolean"]
_NAME = r"^[a-z][a-z0-9_]{0,63}$"
_WORDS: _Form = {"type": "array", "items": {"type": "string", "minLength": 1}}
_VALUE: _Form = {
    "enum": _said(
        "the only values", {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}}
    ),
    "pattern": _said("a regular expression that text must match", {"type": "string", "format": "regex"}),
    "minimum": _said("the least number", {"type": "number"}),
    "maximum": _said("the greatest number", {"type": "number"}),
    "exclusiveMinimum": _said("numbers must be greater than this", {"type": "number"}),
    "exclusiveMaximum": _said("numbers must be less than this", {"type": "number"}),
}
_ITEMS: _Form = {
    "type": "object",
    "properties": {"type": _said("what each value is", {"enum": _SCALARS}), **_VALUE},
    "required": ["type"],
    "additionalProperties": False,
}
_PARAMETER: _Form = {
    "type": "object",
    "properties": {
        "type": _said("its JSON type; `array` is a list of scalars", {"enum": [*_SCALARS, "array"]}),
        "description": _said("a few words for models", {"type": "string", "minLength": 1, "maxLength": 120}),
        "items": _said("of a list: what each value is", _ITEMS),
        "default": _said("what holds when nothing is given; not beside `required`", {}),
        "kind": _said("what the value means: how it is read, completed and asked for", {"enum": KINDS}),
        "aliases": _said("other names that are accepted for it", _WORDS),
        "required": _said("true: a call without it is refused", {"type": "boolean"}),
        "elicit": _said("true: a person may be asked for it", {"type": "boolean"}),
        **_VALUE,
    },
    "required": ["type"],
    "additionalProperties": False,
    "if": {"properties": {"type": {"const": "array"}}},
    "then": {"required": ["items"]},
    "else": {"not": {"required": ["items"]}},
}
_FIELD: _Form = {
    "type": "object",
    "properties": {
        "type": _said("its JSON type", {"enum": [*_SCALARS, "array", "object"]}),
        "description": _said("what it means", {"type": "string", "minLength": 1}),
        "nullable": _said("true: null where it is unknown", {"type": "boolean"}),
        "optional": _said("true: a row may lack it", {"type": "boolean"}),
        "format": _said("a time in UTC", {"const": "date-time"}),
        "items": _said("of a list: what each value is", {"type": "object"}),
        "aliases": _said("other names that `fields` accepts for it", _WORDS),
        **_VALUE,
    },
    "required": ["type"],
    "additionalProperties": False,
}
_TITLE = _said("how people see it named", {"type": "string", "minLength": 1})
_DESCRIPTION = _said(
    "what models read: what it does in the first line, when to use it and what it is not for in the next",
    {"type": "string", "minLength": 1, "maxLength": DESCRIPTION, "pattern": r"\n\S"},
)
_TOOLSETS = _said(
    "the sets that have it; a server without `--toolsets` shows `default`", {**_WORDS, "minItems": 1}
)
_EXAMPLES = _said(
    "questions, and the arguments that answer them; the tool itself must accept them",
    {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {
                "question": _said("in a person's words", {"type": "string"}),
                "arguments": _said("what the tool is called with", {"type": "object"}),
            },
            "required": ["question", "arguments"],
            "additionalProperties": False,
        },
    },
)
_NL = _said(
    "how people ask for it",
    {
        "type": "object",
        "properties": {
            "cues": _said("words that speak for this tool", _WORDS),
            "examples": _said("whole questions", _WORDS),
            "about": _said(
                "what a question for it is about: offers of the market, or what one runs (the usual)",
                {"enum": ["market", "account"]},
            ),
            "words": _said(
                "what people say for a value: by argument, by value",
                {
                    "type": "object",
                    "additionalProperties": {"type": "object", "additionalProperties": _WORDS},
                },
            ),
            "feed": _said(
                "argument: tool.field; what narrows the resources stands in a call of that tool before,"
                " and the field of its rows is the argument",
                {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^\w+\.\w+$"}},
            ),
        },
        "required": ["cues", "examples"],
        "additionalProperties": False,
    },
)
_SHAPES: _Form = {"type": "object", "minProperties": 1, "additionalProperties": _FIELD}
COMMON_FORM: _Form = {
    "title": "Parameters and rows that several tools share",
    "type": "object",
    "properties": {
        "rows": _said("shapes of row by name", {"type": "object", "additionalProperties": _SHAPES})
    },
    "propertyNames": {"pattern": _NAME},
    "additionalProperties": _PARAMETER,
}
"""The form of `common.yaml`."""

FORM: _Form = {
    "title": "A tool",
    "type": "object",
    "properties": {
        "name": _said("what clients call it; also the file's name", {"type": "string", "pattern": _NAME}),
        "title": _TITLE,
        "description": _DESCRIPTION,
        "toolsets": _TOOLSETS,
        "annotations": _said(
            "what a client may rely on; none is left out",
            {
                "type": "object",
                "properties": {hint: _said(said, {"type": "boolean"}) for hint, said in HINTS.items()},
                "required": list(HINTS),
                "additionalProperties": False,
            },
        ),
        "parameters": _said(
            "its arguments by name, in the order they are shown",
            {"type": "object", "propertyNames": {"pattern": _NAME}, "additionalProperties": _PARAMETER},
        ),
        "common": _said("arguments it takes from `common.yaml`", _WORDS),
        "later": _said(
            "arguments known by name that do not work yet, and why",
            {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        ),
        "rows": _said(
            "the fields of a row by shape (`common` for one of `common.yaml`); the first is the usual"
            " one, and every row is checked",
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "if": {"type": "object"},
                    "then": _SHAPES,
                    "else": {"const": "common"},
                },
            },
        ),
        "whole": _said(
            "true: a list, not a ranking; as JSON the command line gives all of it where no limit is told",
            {"type": "boolean"},
        ),
        "examples": _EXAMPLES,
        "nl": _NL,
    },
    "required": ["name", "title", "description", "toolsets", "annotations", "rows", "examples", "nl"],
    "additionalProperties": False,
}
"""The form of a tool's YAML."""

NARROWED_FORM: _Form = {
    "title": "A narrowed copy of a tool",
    "type": "object",
    "properties": {
        "name": _said(
            "what clients call the copy; also the file's name", {"type": "string", "pattern": _NAME}
        ),
        "narrows": _said("the tool it is a copy of", {"type": "string", "minLength": 1}),
        "fixed": _said(
            "arguments that are always passed and that nobody sees or can change",
            {"type": "object", "minProperties": 1},
        ),
        "title": _TITLE,
        "description": _DESCRIPTION,
        "words": _said(
            "other descriptions of the arguments that are left, by name",
            {
                "type": "object",
                "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 120},
            },
        ),
        "toolsets": _TOOLSETS,
        "examples": _EXAMPLES,
    },
    "required": ["name", "narrows"],
    "additionalProperties": False,
    "examples": [
        {
            "name": "our_h100",
            "narrows": "compare_gpu_prices",
            "title": "H100 for training",
            "description": "Hourly prices of H100 for training: secure hosts in Europe, cheapest first.\n"
            'Use for "where do we train next". Not for other GPUs.\n',
            "fixed": {"gpu": ["H100"], "tier": ["secure"], "region": ["eu"], "spot": False},
            "words": {"count": "GPUs per machine; we train on 8"},
            "toolsets": ["default", "training"],
        }
    ],
}
"""The form of a user's own YAML: a tool that is there, narrowed."""

SCHEMA: _Form = {
    "$schema": _DIALECT,
    "title": "A cloudtop tool",
    "type": "object",
    "if": {"required": ["narrows"]},
    "then": {"$ref": "#/$defs/narrowed"},
    "else": {"$ref": "#/$defs/tool"},
    "$defs": {"tool": FORM, "narrowed": NARROWED_FORM, "common": COMMON_FORM},
}
"""Both forms in one, as `cloudtop specs schema` prints it; an editor can check files against it."""

OUTPUT_SCHEMA = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": {"type": "object"}}},
    "required": ["rows"],
}
"""What clients check of every result: loose, for they check slowly and the runtime has checked every row."""
