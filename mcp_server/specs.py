"""Tool specs, loaded: what a tool is called, takes, gives back, and how a person asks for it.

The YAML is checked and compiled by `spec_compiler`; what it makes is kept as marshal beside the other
compiled facts, so that a warm process reads one file. A spec changed on disk is compiled again.
Imported late: mcp_server.spec_compiler (yaml), jsonschema_rs.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop import __version__

if TYPE_CHECKING:
    from jsonschema_rs import Validator

FOLDER = Path(__file__).parent.parent / "tool_specs"
"""The specs that come with cloudtop."""

COMMON = "common"
"""The file in a folder of specs that defines parameters many tools share."""

_MADE_BY = [Path(__file__).with_name(f"{name}.py") for name in ("spec_compiler", "spec_form")]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool, compiled.

    `parameters`: JSON Schema property bodies with our keys (kind, aliases, elicit, required). `names`: every
    accepted spelling of a parameter, folded, to its name. `later`: arguments known by name that do not work
    yet, and why. `row_schemas`: the strict schema of a row by shape, the first being the usual one.
    """

    name: str
    title: str
    description: str
    toolsets: list[str]
    annotations: dict[str, bool]
    parameters: dict[str, dict[str, Any]]
    names: dict[str, str]
    later: dict[str, str]
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    row_schemas: dict[str, dict[str, Any]]
    examples: list[dict[str, Any]]
    nl: dict[str, Any]
    file: str
    _validators: dict[str, Validator] = field(default_factory=dict, compare=False, repr=False)

    @property
    def usual_shape(self) -> str:
        """The shape of rows when a handler names none."""
        return next(iter(self.row_schemas))

    def fields(self, shape: str | None = None) -> list[str]:
        """The fields of one shape of row; of every shape without one."""
        shapes = [shape] if shape else list(self.row_schemas)
        return list(dict.fromkeys(name for one in shapes for name in self.row_schemas[one]["properties"]))

    def row_check(self, shape: str) -> Validator:
        """The compiled strict check of a list of rows of one shape."""
        if shape not in self._validators:
            import jsonschema_rs

            rows = {"type": "array", "items": self.row_schemas[shape]}
            self._validators[shape] = jsonschema_rs.validator_for(rows)
        return self._validators[shape]


def load(
    folder: Path = FOLDER, extra: Path | None = None, *, cache_dir: Path | None = None
) -> dict[str, ToolSpec]:
    """Every tool of `folder` and `extra`, by name in alphabetical order; SpecError at the first mistake."""
    folders = [folder, *([extra] if extra else [])]
    stamp = [__version__, sys.implementation.cache_tag, *map(_seen, _MADE_BY), *map(_listing, folders)]
    place = cache_dir / "tool-specs.marshal" if cache_dir else None
    made = _kept(place, stamp) if place else None
    if made is None:
        from mcp_server.spec_compiler import compiled

        made = compiled(folders)
        if place:
            _keep(place, stamp, made)
    return {name: ToolSpec(**facts) for name, facts in sorted(made.items())}


def in_toolsets(specs: Mapping[str, ToolSpec], toolsets: set[str]) -> dict[str, ToolSpec]:
    """The tools that belong to any of `toolsets`."""
    return {name: spec for name, spec in specs.items() if toolsets & set(spec.toolsets)}


def _seen(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return (str(path), found.st_size, found.st_mtime_ns)


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    return [_seen(path) for path in sorted(folder.glob("*.yaml"))]


def _kept(place: Path, stamp: list[Any]) -> dict[str, dict[str, Any]] | None:
    """What was compiled from these very files; a kept file that cannot be read is made anew."""
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
        made_from, made = marshal.loads(place.read_bytes())
        if made_from == stamp and isinstance(made, dict):
            return made
    return None


def _keep(place: Path, stamp: list[Any], made: dict[str, dict[str, Any]]) -> None:
    """Keep what was compiled; where that cannot be written, the next process compiles again."""
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_bytes(marshal.dumps((stamp, made)))
        draft.replace(place)
