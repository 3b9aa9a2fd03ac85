"""Tool specs, loaded: what a tool is called, takes, gives back, and how a person asks for it.

The YAML is checked and compiled by `spec_compiler`, a user's own copies of a tool by `own_specs`; what they
make is kept as marshal beside the other compiled facts, so that a warm process reads one file. A spec changed
on disk is compiled again.
Imported late: mcp_server.spec_compiler and mcp_server.own_specs (yaml), jsonschema_rs.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop import __version__
from cloudtop.errors import UsageError

if TYPE_CHECKING:
    from jsonschema_rs import Validator

FOLDER = Path(__file__).parent.parent / "tool_specs"
"""The specs that come with cloudtop."""

COMMON = "common"
"""The file in a folder of specs that defines parameters many tools share."""

DEFAULT, EVERY = "default", "all"
"""The toolset of a server that was told none, and the word for all tools whatever their sets."""

_MADE_BY = [
    Path(__file__).with_name(f"{name}.py")
    for name in ("spec_compiler", "spec_document", "spec_form", "own_specs")
]


_Made = tuple[dict[str, dict[str, Any]], list[tuple[str, str]]]
"""Compiled tools by name; and the files that were left out, with what was wrong."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool, compiled.

    `parameters`: JSON Schema property bodies with our keys (kind, aliases, elicit, required). `names`: every
    accepted spelling of a parameter, folded, to its name. `later`: arguments known by name that do not work
    yet, and why. `row_schemas`: the strict schema of a row by shape, the first being the usual one.
    `whole`: it gives lists, not rankings. `field_names`: other spellings of a row's fields, folded.
    `narrows`: the tool that a user's own copy is made of; `fixed`: what such a copy always passes to it.
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
    whole: bool = False
    field_names: dict[str, str] = field(default_factory=dict)
    narrows: str | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
    _validators: dict[str, Validator] = field(default_factory=dict, compare=False, repr=False)

    @property
    def handler(self) -> str:
        """The tool whose handler answers."""
        return self.narrows or self.name

    @property
    def usual_shape(self) -> str:
        """The shape of rows when a handler names none."""
        return next(iter(self.row_schemas))

    def fields(self, shape: str | None = None) -> list[str]:
        """The fields of one shape of row; of every shape without one."""
        shapes = [shape] if shape else list(self.row_schemas)
        return list(dict.fromkeys(name for one in shapes for name in self.row_schemas[one]["properties"]))

    def loose(self, shape: str | None) -> bool:
        """Whether rows of this shape may lack fields."""
        schema = self.row_schemas[shape or self.usual_shape]
        return len(schema["required"]) < len(schema["properties"])

    def row_check(self, shape: str) -> Validator:
        """The compiled strict check of a list of rows of one shape."""
        if shape not in self._validators:
            import jsonschema_rs

            rows = {"type": "array", "items": self.row_schemas[shape]}
            self._validators[shape] = jsonschema_rs.validator_for(rows)
        return self._validators[shape]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A user's own file that could not be used; `message` says where and why."""

    file: str
    message: str


def load(
    folder: Path = FOLDER,
    extra: Path | None = None,
    *,
    own: Path | None = None,
    left_out: list[LeftOut] | None = None,
    cache_dir: Path | None = None,
) -> dict[str, ToolSpec]:
    """Every tool of `folder` and `extra`, by name in alphabetical order; SpecError at the first mistake.

    `own`: a user's folder of narrowed copies of these tools. A mistake in one costs that copy alone, and is
    put down in `left_out`.
    """
    folders = [folder, *([extra] if extra else [])]
    seen = [listing(one) for one in (*folders, *([own] if own else []))]
    stamp = [__version__, sys.implementation.cache_tag, *map(_seen, _MADE_BY), *seen]
    place = cache_dir / "tool-specs.marshal" if cache_dir else None
    kept = _kept(place, stamp) if place else None
    if kept is None:
        kept = _compiled(folders, own)
        if place:
            _keep(place, stamp, kept)
    made, wrong = kept
    if left_out is not None:
        left_out += [LeftOut(*one) for one in wrong]
    return {name: ToolSpec(**facts) for name, facts in sorted(made.items())}


def _compiled(folders: list[Path], own: Path | None) -> _Made:
    from mcp_server.spec_compiler import compiled

    made = compiled(folders)
    if not own or not listing(own):
        return made, []
    from mcp_server.own_specs import copies

    mine, wrong = copies(own, made)
    return made | mine, [(error.file, str(error)) for error in wrong]


def narrowed(specs: Mapping[str, ToolSpec], names: Iterable[str]) -> dict[str, ToolSpec]:
    """Of these tools those that any name means, a toolset or a tool; UsageError for a name that is none.

    `all` means all of them, no names the usual ones; never is a tool added that was not in `specs`.
    """
    asked = {name.strip() for name in names if name.strip()} or {DEFAULT}
    known = sorted({one for spec in specs.values() for one in spec.toolsets} | {DEFAULT, EVERY})
    for name in sorted(asked - set(known) - set(specs)):
        from cloudtop.text import nearest

        close = nearest(name, [*known, *specs], 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UsageError(f"there is no toolset {name[:60]!r}.", f"Toolsets: {', '.join(known)}.{hint}")
    if EVERY in asked:
        return dict(specs)
    return {name: spec for name, spec in specs.items() if asked & {name, *spec.toolsets}}


def spec_files(folder: Path) -> list[Path]:
    """The YAML files of a folder in alphabetical order, without those that editors hide."""
    found = [*folder.glob("*.yaml"), *folder.glob("*.yml")]
    return sorted(path for path in found if not path.name.startswith("."))


def listing(folder: Path) -> list[tuple[str, int, int]]:
    """What a folder's files look like from outside: changed when one of them is."""
    found = []
    for path in spec_files(folder):
        with contextlib.suppress(FileNotFoundError):  # gone since it was listed
            found.append(_seen(path))
    return found


def _seen(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return (str(path), found.st_size, found.st_mtime_ns)


def _kept(place: Path, stamp: list[Any]) -> _Made | None:
    """What was compiled from these very files; a kept file that cannot be read is made anew."""
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
        made_from, made = marshal.loads(place.read_bytes())
        if made_from == stamp and isinstance(made, tuple):
            tools, wrong = made
            return tools, wrong
    return None


def _keep(place: Path, stamp: list[Any], made: _Made) -> None:
    """Keep what was compiled; where that cannot be written, the next process compiles again."""
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_bytes(marshal.dumps((stamp, made)))
        draft.replace(place)
