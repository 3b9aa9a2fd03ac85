"""The configuration file as a person wrote it: JSON, checked against the schema, `${NAME}` filled in.

Every problem names file, line and key. Imported late: jsonschema_rs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudtop.errors import ConfigError
from cloudtop.settings_schema import SCHEMA

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read(file: Path) -> tuple[dict[str, Any], str]:
    """The file's JSON, checked against the schema."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        document = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, file, text))
    except json.JSONDecodeError as error:
        raise ConfigError(str(file), f"not JSON: {error.msg}", line=error.lineno) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error
    check(document, file, text)
    return document, text


def _once(pairs: list[tuple[str, Any]], file: Path, text: str) -> dict[str, Any]:
    """A JSON object whose keys stand in it once; of two that are the same one would silently win."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        last = [match.start() for match in re.finditer(rf'"{re.escape(twice)}"\s*:', text)][-1]
        line = text.count("\n", 0, last) + 1
        raise ConfigError(str(file), "this key is given twice", line=line, key=twice)
    return made


def check(document: Any, file: Path, text: str) -> None:
    """Raise ConfigError for the first key that the schema refuses."""
    import jsonschema_rs

    for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(document):
        path = [str(part) for part in error.instance_path]
        message = error.message
        if "dditional properties" in message and (names := re.findall(r"'([^']+)'", message)):
            path, message = [*path, names[0]], "unknown key" + _nearest(names[0], error)
        if "anyOf" in message:
            message = f"{json.dumps(error.instance)} is not a duration such as 30s, 5m or 2h"
        raise ConfigError(str(file), message, line=line_of(text, path), key=".".join(path) or None)


def _nearest(name: str, error: Any) -> str:
    from cloudtop.text import nearest

    place: Any = SCHEMA
    for part in list(error.schema_path)[:-1]:
        place = place[part] if isinstance(place, dict | list) else {}
    found = nearest(name, list(place.get("properties", {})), 1) if isinstance(place, dict) else []
    return f"; did you mean {found[0]}?" if found else ""


def line_of(text: str, path: list[str]) -> int | None:
    """The line of the last key of `path`: keys are looked for one after the other, so nesting is followed."""
    at = 0
    for part in path:
        found = re.compile(rf'"{re.escape(part)}"\s*:').search(text, at)
        if found:
            at = found.start()
    return text.count("\n", 0, at) + 1 if path else None


def used_variables(document: Any, env: Mapping[str, str]) -> set[str]:
    """The environment variables that the document names and that are set."""
    return {name for name in PLACEHOLDER.findall(json.dumps(document)) if name in env}


def filled(
    value: Any, env: Mapping[str, str], file: Path | None, text: str, path: tuple[str, ...] = ()
) -> Any:
    """`${NAME}` replaced from the environment; an unset one is an error that names the key."""
    if isinstance(value, dict):
        return {key: filled(one, env, file, text, (*path, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, env, file, text, path) for one in value]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in env:
            message = f"the environment variable {match[1]} is not set"
            raise ConfigError(str(file), message, line=line_of(text, list(path)), key=".".join(path))
        return env[match[1]]

    return PLACEHOLDER.sub(replaced, value)
