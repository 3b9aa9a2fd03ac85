"""One YAML file of a person: its data, what its form refuses, and the line of every key.

Imported only when a spec has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs
import yaml

from cloudtop import compiled as facts
from cloudtop.errors import SpecError
from cloudtop.text import nearest

_Path = tuple[str | int, ...]


class Document:
    """The data of one file, and `mistakes`: what its form refuses, an unknown key before all else."""

    def __init__(self, path: Path, form: dict[str, Any]) -> None:
        self.path = path
        self.form = form
        self.data = _parsed(path)
        self.lines: dict[_Path, int] = {}
        self._walk(yaml.compose(path.read_text(encoding="utf-8"), yaml.CSafeLoader), ())
        errors = jsonschema_rs.validator_for(form, validate_formats=True).iter_errors(self.data)
        self.mistakes = [one for error in sorted(errors, key=self._weight) for one in self._explained(error)]

    def right(self) -> Any:
        """The data; the first mistake is raised when there is one."""
        if self.mistakes:
            raise self.mistakes[0]
        return self.data

    def refuse(self, at: _Path, message: str, step: str) -> NoReturn:
        """Raise the SpecError of a mistake at one key."""
        raise self.mistake(at, message, step)

    def mistake(self, at: _Path, message: str, step: str) -> SpecError:
        """A mistake at one key, with its line and what to do."""
        key = ".".join(str(part) for part in at) or None
        return SpecError(str(self.path), message, step, line=self._line(at), key=key)

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

    def _part(self, error: jsonschema_rs.ValidationError) -> dict[str, Any]:
        """The properties of the part of the form that refused, with what they mean."""
        part: Any = self.form
        for step in list(error.schema_path)[:-1]:
            part = part[step]
        found: dict[str, Any] = part.get("properties", {})
        return found

    def _explained(self, error: jsonschema_rs.ValidationError) -> Iterator[SpecError]:
        """What one refusal of the form means to a person."""
        at = tuple(error.instance_path)
        match error.kind.name:
            case "additionalProperties":
                known = list(self._part(error))
                for key in getattr(error.kind, "unexpected", ()):
                    step = f"{hint(key, known)} Known are {', '.join(known)}.".strip()
                    yield self.mistake((*at, key), "is no key here", step)
            case "required":
                name = str(getattr(error.kind, "property", ""))
                meaning = self._part(error).get(name, {}).get("description", "")
                step = f"Add {name}{f' ({meaning})' if meaning else ''}."
                yield self.mistake((*at, name), "is missing", step)
            case "not":
                yield self.mistake((*at, "items"), "only a list has items", "Take it out.")
            case "pattern" if at == ("description",):
                step = "Say in it when to use the tool, and what it is not for."
                yield self.mistake(at, "needs a second line", step)
            case "enum":
                choices = [str(one) for one in getattr(error.kind, "options", ())]
                step = f"{hint(str(error.instance), choices)} Accepted: {', '.join(choices)}.".strip()
                yield self.mistake(at, f"{error.instance!r} is not accepted", step)
            case _:
                yield self.mistake(at, error.message, "cloudtop specs schema shows what may stand here.")


def hint(word: str, known: Sequence[Any]) -> str:
    """The nearest of the known words, as a question."""
    found = nearest(word, [str(one) for one in known], 1)
    return f"Did you mean {found[0]}?" if found else ""


def _parsed(path: Path) -> Any:
    """The file's data; a mistake in the YAML itself, or a file that cannot be read, says what to do."""
    try:
        return facts.parse(path)
    except SpecError as error:
        twice = error.said.endswith("twice")
        step = "Keep one of the two." if twice else "Mend the YAML at that line."
        raise SpecError(error.file, error.said, step, line=error.line) from error
    except (OSError, RecursionError) as error:
        what = getattr(error, "strerror", None) or "it contains itself"
        raise SpecError(str(path), f"cannot be read: {what}", "Make it a file you can read.") from error
