"""A user's own copies of the tools: other name, other words, some arguments fixed. They only ever narrow.

A copy is a YAML file in the user's folder whose form is `spec_form.NARROWED_FORM`. What it fixes vanishes
from the schema and is passed in every call; handler, rows, annotations and all else are the tool's.
Imported only when a spec has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudtop.errors import SpecError, UsageError
from mcp_server.arguments import folded, prepared
from mcp_server.spec_compiler import advertised
from mcp_server.spec_document import Document, hint
from mcp_server.spec_form import NARROWED_FORM
from mcp_server.specs import ToolSpec, spec_files

Tools = Mapping[str, Mapping[str, Any]]


def copies(folder: Path, tools: Tools) -> tuple[dict[str, dict[str, Any]], list[SpecError]]:
    """The copies that a folder describes, by name, and what is wrong with each file that is left out."""
    made: dict[str, dict[str, Any]] = {}
    wrong: list[SpecError] = []
    for path in spec_files(folder):
        try:
            copy = _copy(path, tools)
            if other := made.get(copy["name"]):
                what = f"{copy['name']} is also in {other['file']}"
                raise SpecError(str(path), what, "Delete or rename one of the two.", line=1)
            made[copy["name"]] = copy
        except SpecError as error:
            wrong.append(error)
    return made, wrong


def copy_mistakes(path: Path, tools: Tools) -> list[SpecError]:
    """Everything wrong with one file: all that its form refuses, else the first thing its meaning does."""
    try:
        document = Document(path, NARROWED_FORM)
        if document.mistakes:
            return document.mistakes
        _copy(path, tools)
    except SpecError as error:
        return [error]
    return []


def _copy(path: Path, tools: Tools) -> dict[str, Any]:
    document = Document(path, NARROWED_FORM)
    data = document.right()
    tool = _narrowed_tool(document, tools)
    fixed = _fixed(document, tool)
    left = {name: schema for name, schema in tool["parameters"].items() if name not in fixed}
    left |= dict(_reworded(document, tool, left))
    made = {
        **tool,
        "name": data["name"],
        "title": data.get("title", tool["title"]),
        "description": data.get("description", tool["description"]).strip(),
        "toolsets": data.get("toolsets", tool["toolsets"]),
        "parameters": left,
        "names": {spelling: name for spelling, name in tool["names"].items() if name in left},
        "input_schema": advertised(left),
        "examples": data.get("examples", []),
        "nl": {"cues": [], "examples": []},
        "file": str(path),
        "narrows": tool["name"],
        "fixed": fixed,
    }
    for index, example in enumerate(made["examples"]):
        try:
            prepared(ToolSpec(**made), example["arguments"])
        except UsageError as error:
            what = f"its own tool would refuse it: {error.message}"
            document.refuse(("examples", index), what, error.next_step)
    return made


def _narrowed_tool(document: Document, tools: Tools) -> Mapping[str, Any]:
    """The tool that is narrowed, once the copy's own name is known to be free."""
    name, narrows = document.data["name"], document.data["narrows"]
    if name != document.path.stem:
        step = f"Write name: {document.path.stem}, or rename the file to {name}.yaml."
        document.refuse(("name",), f"{name} is not the name of the file", step)
    if name in tools:
        step = f"Give the copy a name of its own, such as our_{name}."
        document.refuse(("name",), f"{name} is a tool that is there already", step)
    if narrows not in tools:
        step = f"{hint(narrows, list(tools))} Tools: {', '.join(tools)}.".strip()
        document.refuse(("narrows",), f"{narrows} is no tool that is there", step)
    return tools[narrows]


def _parameter(document: Document, tool: Mapping[str, Any], section: str, given: str) -> str:
    """The parameter of the tool that a key of `section` means, under any of its names."""
    found = given if given in tool["parameters"] else tool["names"].get(folded(given))
    if found is None:
        known = list(tool["parameters"])
        step = f"{hint(given, [*known, *tool['names']])} Known are {', '.join(known)}.".strip()
        document.refuse((section, given), f"is no argument of {tool['name']}", step)
    return str(found)


def _fixed(document: Document, tool: Mapping[str, Any]) -> dict[str, Any]:
    """What is always passed, as the handler takes it."""
    made: dict[str, Any] = {}
    for given, value in document.data.get("fixed", {}).items():
        name = _parameter(document, tool, "fixed", given)
        at = ("fixed", given)
        if name in made:
            document.refuse(at, f"{name} is fixed twice, under two of its names", "Keep one of them.")
        if name == "cursor":
            document.refuse(at, "another page has another cursor", "Take it out.")
        if value is None:
            document.refuse(at, "null fixes nothing", "Give a value, or take it out.")
        schema = {key: part for key, part in tool["parameters"][name].items() if key != "required"}
        alone = ToolSpec(**{**tool, "parameters": {name: schema}})
        try:
            made |= prepared(alone, {name: value})
        except UsageError as error:
            document.refuse(at, error.message, error.next_step)
    return made


def _reworded(
    document: Document, tool: Mapping[str, Any], left: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The arguments whose description is the copy's own."""
    for given, words in document.data.get("words", {}).items():
        name = _parameter(document, tool, "words", given)
        if name not in left:
            document.refuse(("words", given), "is fixed, so nobody reads about it", "Take it out.")
        yield name, {**left[name], "description": words}
