"""`specs lint|show|schema`: the YAML that tools are made of, a person's own narrowed copies too."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop.cli import views
from cloudtop.errors import SpecError, UsageError
from cloudtop.settings import own_specs
from cloudtop.text import nearest, plural
from mcp_server.specs import COMMON, FOLDER, LeftOut, ToolSpec, load, spec_files

if TYPE_CHECKING:
    import argparse


def lint(options: argparse.Namespace) -> int:
    """Every mistake in the files, with line and what to do; exit 2 when there is one."""
    files: list[Path] = options.files or [*spec_files(FOLDER), *spec_files(own_specs())]
    found = [one for file in files for one in _mistakes(file)]
    if not found and not options.files:
        found = _between_files()
    if options.json:
        rows = [
            {
                "file": one.file,
                "line": one.line,
                "key": one.key,
                "message": one.said,
                "suggestion": one.next_step,
            }
            for one in found
        ]
        sys.stdout.write(
            views.dumps({"ok": not rows, "files": [str(file) for file in files], "mistakes": rows}) + "\n"
        )
        return 2 if found else 0
    for one in found:
        sys.stdout.write(f"{one}\n")
    if not found:
        sys.stdout.write(f"{plural(len(files), 'file')} in order.\n")
    return 2 if found else 0


def _mistakes(file: Path) -> list[SpecError]:
    """What is wrong with one file, read as what it says it is: a copy, a tool, or common parameters."""
    from mcp_server.own_specs import copy_mistakes
    from mcp_server.spec_compiler import compiled, tool_mistakes

    if not file.is_file():
        return [SpecError(str(file), "there is no such file", "Give the path of a YAML file.")]
    if not _is_copy(file):
        shared = file.with_name(f"{COMMON}.yaml")
        return tool_mistakes(file, shared if shared.exists() else FOLDER / f"{COMMON}.yaml")
    return copy_mistakes(file, compiled([FOLDER]))


def _is_copy(file: Path) -> bool:
    """Whether a file means to be a narrowed copy: by what it says, else by where it lies."""
    from cloudtop import compiled as facts

    try:
        data = facts.parse(file)
    except (SpecError, OSError, RecursionError):
        return file.parent == own_specs()
    if not isinstance(data, dict):
        return file.parent == own_specs()
    return "narrows" in data or (file.parent == own_specs() and "rows" not in data)


def _between_files() -> list[SpecError]:
    """What is wrong though every file by itself is right: two that claim one tool."""
    try:
        load(own=own_specs())
    except SpecError as error:
        return [error]
    return []


def show(options: argparse.Namespace) -> int:
    """One tool: what models read, what it takes and gives, where it is from, what it weighs."""
    left_out: list[LeftOut] = []
    specs = load(own=own_specs(), left_out=left_out)
    views.notices([one.message for one in left_out])
    spec = specs.get(options.tool)
    if spec is None:
        close = nearest(options.tool, list(specs), 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UsageError(f"there is no tool {options.tool[:60]!r}.", f"Tools: {', '.join(specs)}.{hint}")
    if options.json:
        sys.stdout.write(views.dumps(_facts(spec)) + "\n")
    else:
        _tell(spec)
    return 0


def _facts(spec: ToolSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "toolsets": spec.toolsets,
        "annotations": spec.annotations,
        "input_schema": spec.input_schema,
        "output_schema": spec.output_schema,
        "aliases": {name: body["aliases"] for name, body in spec.parameters.items() if body.get("aliases")},
        "rows": spec.row_schemas,
        "later": spec.later,
        "examples": spec.examples,
        "narrows": spec.narrows,
        "fixed": spec.fixed,
        "file": spec.file,
        "bytes": _bytes(spec),
    }


def _bytes(spec: ToolSpec) -> int:
    """What the tool adds to a list of tools."""
    shown = [spec.name, spec.title, spec.description, spec.input_schema, spec.output_schema, spec.annotations]
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def _tell(spec: ToolSpec) -> None:
    say = sys.stdout.write
    say(f"{spec.name}: {spec.title}\n{spec.description}\n\n")
    if spec.narrows:
        fixed = " ".join(f"{name}={views.cell(value)}" for name, value in spec.fixed.items())
        say(f"narrows: {spec.narrows} {fixed}".rstrip() + "\n")
    hints = ", ".join(name for name, holds in spec.annotations.items() if holds)
    say(f"toolsets: {', '.join(spec.toolsets)}\nhints: {hints}\nfile: {spec.file}\n")
    say(f"size: {_bytes(spec):,} bytes of a list of tools\n\narguments:\n")
    for name, body in spec.parameters.items():
        kind = body["type"] if body["type"] != "array" else f"list of {body['items']['type']}"
        choices = body.get("enum") or body.get("items", {}).get("enum")
        parts = [kind, "required" if body.get("required") else "", body.get("description", "")]
        parts.append(f"one of {', '.join(map(str, choices))}" if choices else "")
        parts.append(f"default {views.cell(body['default'])}" if "default" in body else "")
        say(f"  {name}: {'; '.join(part for part in parts if part)}\n")
    for shape, schema in spec.row_schemas.items():
        say(f"\nrows ({shape}): {', '.join(schema['properties'])}\n")


def schema(options: argparse.Namespace) -> int:
    """The JSON Schema of spec files, for editors and programs."""
    from mcp_server.spec_form import SCHEMA

    sys.stdout.write(json.dumps(SCHEMA, indent=2) + "\n")
    return 0
