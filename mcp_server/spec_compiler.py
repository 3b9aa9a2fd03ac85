"""From a tool's YAML to what `specs.ToolSpec` holds; every mistake is a SpecError with file, line and a step.

A spec says facts: no templates, conditions or expressions. `spec_form.FORM` is its form; what a schema cannot
say (an example that its own tool would refuse, a default beside `required`) is checked here.
Imported only when a spec has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs

from cloudtop.errors import SpecError, UsageError
from mcp_server.arguments import folded, prepared
from mcp_server.spec_document import Document, hint
from mcp_server.spec_form import COMMON_FORM, FORM, OUTPUT_SCHEMA, UTC_TIME
from mcp_server.specs import COMMON, ToolSpec, spec_files

ROWS = "rows"
"""The key of `common.yaml` under which shapes of row stand, beside the parameters."""


def compiled(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The compiled tools of all folders by name; a name that two files claim is refused."""
    common: dict[str, Any] = {}
    made: dict[str, dict[str, Any]] = {}
    for folder in folders:
        shared = folder / f"{COMMON}.yaml"
        if shared.exists():
            common |= _common(shared)
        for path in spec_files(folder):
            if path == shared:
                continue
            document = Document(path, FORM)
            document.right()
            tool = _tool(document, common)
            if tool["name"] in made:
                other = made[tool["name"]]["file"]
                document.refuse(
                    ("name",), f"{tool['name']} is also in {other}", "Give one of them another name."
                )
            made[tool["name"]] = tool
    return made


def tool_mistakes(path: Path, shared: Path) -> list[SpecError]:
    """Everything wrong with one file: all that its form refuses, else the first thing its meaning does."""
    try:
        if path.stem == COMMON:
            _common(path)
        else:
            document = Document(path, FORM)
            if document.mistakes:
                return document.mistakes
            _tool(document, _common(shared) if shared.exists() else {})
    except SpecError as error:
        return [error]
    return []


def _common(path: Path) -> dict[str, Any]:
    """The parameters that tools may share."""
    document = Document(path, COMMON_FORM)
    made: dict[str, Any] = document.right() or {}
    for name, schema in made.items():
        if name != ROWS:
            _check_parameter(document, (name,), schema)
    return made


def _tool(document: Document, common: dict[str, Any]) -> dict[str, Any]:
    data = document.data
    if data["name"] != document.path.stem:
        step = f"Write name: {document.path.stem}, or rename the file to {data['name']}.yaml."
        document.refuse(("name",), f"{data['name']} is not the name of the file", step)
    parameters = _parameters(document, common)
    rows = {shape: _shape(document, common, shape, fields) for shape, fields in data["rows"].items()}
    tool = {
        "name": data["name"],
        "title": data["title"],
        "description": data["description"].strip(),
        "toolsets": data["toolsets"],
        "annotations": data["annotations"],
        "parameters": parameters,
        "names": _names(document, parameters),
        "later": data.get("later", {}),
        "input_schema": advertised(parameters),
        "output_schema": OUTPUT_SCHEMA,
        "row_schemas": {shape: _row_schema(fields) for shape, fields in rows.items()},
        "field_names": {
            folded(alias): name
            for fields in rows.values()
            for name, field in fields.items()
            for alias in field.get("aliases", ())
        },
        "examples": data["examples"],
        "nl": data["nl"],
        "whole": data.get("whole", False),
        "file": str(document.path),
    }
    for name in tool["later"]:
        if name in parameters:
            document.refuse(("later", name), "works already: it is a parameter", "Take it out of later.")
    for index, example in enumerate(data["examples"]):
        try:
            prepared(ToolSpec(**tool), example["arguments"])
        except UsageError as error:
            _refuse_example(document, index, error)
    return tool


def _shape(document: Document, common: dict[str, Any], shape: str, fields: Any) -> dict[str, Any]:
    """The fields of a shape: those given, or those that tools share."""
    if fields != COMMON:
        return dict(fields)
    shared = common.get(ROWS, {})
    if shape not in shared:
        step = f"Known are {', '.join(shared)}. {hint(shape, list(shared))}".strip()
        document.refuse((ROWS, shape), f"{shape} is no common shape", step)
    return dict(shared[shape])


def _refuse_example(document: Document, index: int, error: UsageError) -> NoReturn:
    document.refuse(("examples", index), f"its own tool would refuse it: {error.message}", error.next_step)


def _parameters(document: Document, common: dict[str, Any]) -> dict[str, Any]:
    """The tool's own parameters, then the common ones it names."""
    own = document.data.get("parameters", {})
    made: dict[str, Any] = {}
    for name, schema in own.items():
        made[name] = schema
        _check_parameter(document, ("parameters", name), schema)
    for index, name in enumerate(document.data.get("common", [])):
        if name in own:
            step = "Take it out of common, or out of parameters."
            document.refuse(("common", index), f"{name} is also a parameter of its own", step)
        if name not in common or name == ROWS:
            known = [one for one in common if one != ROWS]
            step = f"Known are {', '.join(known)}. {hint(name, known)}".strip()
            document.refuse(("common", index), f"{name} is no common parameter", step)
        made[name] = common[name]
    return made


def _check_parameter(document: Document, at: tuple[str, ...], schema: dict[str, Any]) -> None:
    """Refuse a default that cannot hold, and choices that are not of the parameter's type."""
    if "default" in schema and schema.get("required"):
        step = "Take out the default, or required: true."
        document.refuse((*at, "default"), "a required parameter has no default", step)
    if wrong := _wrong_values(schema):
        document.refuse(at, wrong, "Write values that the parameter's own type and bounds accept.")


def _wrong_values(schema: dict[str, Any]) -> str | None:
    """What is wrong with the default or a choice of a parameter: it must accept them itself."""
    for choice in schema.get("enum", []):
        if not jsonschema_rs.is_valid({"type": schema["type"]}, choice):
            return f"enum: {choice} is no {schema['type']}"
    if "default" in schema and not jsonschema_rs.is_valid(_plain(schema), schema["default"]):
        return f"default: {schema['default']!r} is refused by the parameter itself"
    return None


def _names(document: Document, parameters: dict[str, Any]) -> dict[str, str]:
    """Every spelling to its parameter; one that means two is refused."""
    names: dict[str, str] = {folded(name): name for name in parameters}
    for name, schema in parameters.items():
        for alias in schema.get("aliases", []):
            owner = names.setdefault(folded(alias), name)
            if owner != name:
                step = f"Take {alias} out of the aliases of {name} or of {owner}."
                document.refuse(("parameters", name, "aliases"), f"{alias} already means {owner}", step)
    return names


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema in a parameter, without the keys that are ours."""
    ours = ("kind", "aliases", "elicit", "required")
    return {key: value for key, value in schema.items() if key not in ours}


def _brief(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter as models read it: without bounds that nobody would cross. They hold all the same."""
    evident = (("minimum", 0), ("minimum", 1), ("exclusiveMinimum", 0), ("default", False))
    return {
        key: value
        for key, value in _plain(schema).items()
        if not any(key == one and value is not True and value == bound for one, bound in evident)
    }


def advertised(parameters: dict[str, Any]) -> dict[str, Any]:
    """The inputSchema that models read: short, exact, nothing else allowed."""
    made: dict[str, Any] = {
        "type": "object",
        "properties": {name: _brief(schema) for name, schema in parameters.items()},
        "additionalProperties": False,
    }
    required = [name for name, schema in parameters.items() if schema.get("required")]
    return {**made, "required": required} if required else made


def _row_schema(fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The strict schema of one row: these fields, all there, nothing else."""
    return {
        "type": "object",
        "properties": {name: dict(_field(field)) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if not field.get("optional")],
        "additionalProperties": False,
    }


def _field(field: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    nullable = field.get("nullable", False)
    for key, value in field.items():
        if key == "type":
            yield key, [value, "null"] if nullable else value
        elif key == "enum":
            yield key, [*value, None] if nullable else value
        elif key == "format":
            yield "pattern", UTC_TIME
        elif key not in ("nullable", "optional", "aliases"):
            yield key, value
