"""From a tool's YAML to what `specs.ToolSpec` holds; every mistake is a SpecError with file and line.

A spec says facts: no templates, conditions or expressions. `spec_form.FORM` is its form; what a schema cannot
say (an example that its own tool would refuse, a default beside `required`) is checked here.
Imported only when a spec has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from cloudtop import compiled as facts
from cloudtop.errors import SpecError, UsageError
from cloudtop.text import nearest
from mcp_server.arguments import folded, prepared
from mcp_server.spec_form import COMMON_FORM, FORM, OUTPUT_SCHEMA, UTC_TIME
from mcp_server.specs import COMMON, ToolSpec

_Path = tuple[str | int, ...]


def compiled(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The compiled tools of all folders by name; a name that two files claim is refused."""
    common: dict[str, Any] = {}
    made: dict[str, dict[str, Any]] = {}
    for folder in folders:
        shared = folder / f"{COMMON}.yaml"
        if shared.exists():
            common |= _Document(shared, COMMON_FORM).data
        for path in sorted(folder.glob("*.yaml")):
            if path == shared:
                continue
            document = _Document(path, FORM)
            tool = _tool(document, common)
            if tool["name"] in made:
                document.refuse(("name",), f"{tool['name']} is also in {made[tool['name']]['file']}")
            made[tool["name"]] = tool
    return made


class _Document:
    """One YAML file: its data, of the right form, and the line of every key."""

    def __init__(self, path: Path, form: dict[str, Any]) -> None:
        self.path = path
        self.form = form
        self.data = facts.parse(path)
        self.lines: dict[_Path, int] = {}
        self._walk(yaml.compose(path.read_text(encoding="utf-8"), yaml.CSafeLoader), ())
        errors = jsonschema_rs.validator_for(form, validate_formats=True).iter_errors(self.data)
        first = min(errors, key=self._weight, default=None)
        if first is not None:
            self._explain(first)

    def _weight(self, error: jsonschema_rs.ValidationError) -> tuple[bool, int]:
        """An unknown key before all else, for it explains one that is missing; then the first line."""
        return error.kind.name != "additionalProperties", self._line(tuple(error.instance_path))

    def _walk(self, node: yaml.Node | None, at: _Path) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self.lines[(*at, key.value)] = key.start_mark.line + 1
                self._walk(value, (*at, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self.lines[(*at, index)] = value.start_mark.line + 1
                self._walk(value, (*at, index))

    def _line(self, at: _Path) -> int:
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def refuse(self, at: _Path, message: str) -> None:
        """Raise the SpecError of a mistake at one key."""
        key = ".".join(str(part) for part in at) or None
        raise SpecError(str(self.path), message, line=self._line(at), key=key)

    def _known_keys(self, error: jsonschema_rs.ValidationError) -> list[str]:
        """The keys allowed in the part of the form where an unknown one was found."""
        part: Any = self.form
        for step in list(error.schema_path)[:-1]:
            part = part[step]
        return list(part["properties"])

    def _explain(self, error: jsonschema_rs.ValidationError) -> None:
        at = tuple(error.instance_path)
        unknown = getattr(error.kind, "unexpected", None)
        if unknown:
            known = self._known_keys(error)
            hint = _hint(unknown[0], known)
            self.refuse((*at, unknown[0]), f"is no key here; known are {', '.join(known)}{hint}")
        if error.kind.name == "not":
            self.refuse((*at, "items"), "only a list has items")
        hint = _hint(str(error.instance), getattr(error.kind, "options", []))
        if error.kind.name == "pattern" and at == ("description",):
            self.refuse(at, "needs a second line: when to use the tool, and what it is not for")
        self.refuse(at, f"{error.message}{hint}")


def _hint(word: str, known: Sequence[Any]) -> str:
    found = nearest(word, [str(one) for one in known], 1)
    return f". Did you mean {found[0]}?" if found else ""


def _tool(document: _Document, common: dict[str, Any]) -> dict[str, Any]:
    data = document.data
    if data["name"] != document.path.stem:
        document.refuse(("name",), f"{data['name']} is not the name of the file")
    parameters = _parameters(document, common)
    tool = {
        "name": data["name"],
        "title": data["title"],
        "description": data["description"].strip(),
        "toolsets": data["toolsets"],
        "annotations": data["annotations"],
        "parameters": parameters,
        "names": _names(document, parameters),
        "later": data.get("later", {}),
        "input_schema": _advertised(parameters),
        "output_schema": OUTPUT_SCHEMA,
        "row_schemas": {shape: _row_schema(fields) for shape, fields in data["rows"].items()},
        "examples": data["examples"],
        "nl": data["nl"],
        "file": str(document.path),
    }
    for name in tool["later"]:
        if name in parameters:
            document.refuse(("later", name), "works already: it is a parameter")
    for index, example in enumerate(data["examples"]):
        try:
            prepared(ToolSpec(**tool), example["arguments"])
        except UsageError as error:
            document.refuse(("examples", index), f"its own tool would refuse it: {error}")
    return tool


def _parameters(document: _Document, common: dict[str, Any]) -> dict[str, Any]:
    """The tool's own parameters, then the common ones it names."""
    own = document.data.get("parameters", {})
    made: dict[str, Any] = {}
    for name, schema in own.items():
        made[name] = schema
        if "default" in schema and schema.get("required"):
            document.refuse(("parameters", name, "default"), "a required parameter has no default")
    for index, name in enumerate(document.data.get("common", [])):
        if name in own:
            document.refuse(("common", index), f"{name} is also a parameter of its own")
        if name not in common:
            document.refuse(("common", index), f"{name} is no common parameter" + _hint(name, list(common)))
        made[name] = common[name]
    for name, schema in made.items():
        wrong = _wrong_values(schema)
        if wrong:
            document.refuse(("parameters", name) if name in own else ("common",), wrong)
    return made


def _wrong_values(schema: dict[str, Any]) -> str | None:
    """What is wrong with the default or a choice of a parameter: it must accept them itself."""
    for choice in schema.get("enum", []):
        if not jsonschema_rs.is_valid({"type": schema["type"]}, choice):
            return f"enum: {choice} is no {schema['type']}"
    if "default" in schema and not jsonschema_rs.is_valid(_plain(schema), schema["default"]):
        return f"default: {schema['default']!r} is refused by the parameter itself"
    return None


def _names(document: _Document, parameters: dict[str, Any]) -> dict[str, str]:
    """Every spelling to its parameter; one that means two is refused."""
    names: dict[str, str] = {folded(name): name for name in parameters}
    for name, schema in parameters.items():
        for alias in schema.get("aliases", []):
            owner = names.setdefault(folded(alias), name)
            if owner != name:
                document.refuse(("parameters", name, "aliases"), f"{alias} already means {owner}")
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


def _advertised(parameters: dict[str, Any]) -> dict[str, Any]:
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
        elif key not in ("nullable", "optional"):
            yield key, value
