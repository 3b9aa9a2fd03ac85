"""What a caller passed, made into what a handler takes: aliases, lossless conversions, refusals by name.

A value is only ever converted when nothing is lost ("2" is 2, "true" is true, "a,b" is a list of two);
anything else is refused with what would be accepted. Nothing is ignored.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError, MissingArgument, UsageError

if TYPE_CHECKING:
    from mcp_server.specs import ToolSpec

LONGEST = 1_000
"""Characters in one text argument; more is a mistake or an attack."""

LONGEST_S = 10 * 366 * 86_400.0
"""Seconds in one duration argument."""

MOST = 200
"""Items in one list argument."""

NAMED = 20
"""Refused arguments that one answer names; finding what each was to be takes time."""

EXACT = 2**53
"""The largest whole number that every JSON reader keeps exactly."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DRESS = {  # units people write around a figure of this kind, which change nothing about it
    "memory": re.compile(r"(?i)\s*gi?b?$"),
    "size_gb": re.compile(r"(?i)\s*gi?b?$"),
    "hours": re.compile(r"(?i)\s*h(ours?|rs?)?$"),
    "money": re.compile(r"(?i)^\$\s*|\s*usd$"),
}


def folded(name: str) -> str:
    """A name without case, blanks and joints: `MinGPUMemory` and `min-gpu-memory` are one."""
    return re.sub(r"[\s_-]", "", name).casefold()


class ArgumentErrors(UsageError):
    """Several arguments that are refused at once; `argument` is the first of them."""

    def __init__(self, errors: list[ArgumentError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.argument = errors[0].argument


def prepared(spec: ToolSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of `spec` with its value, its default or None; raises when anything is refused."""
    values: dict[str, Any] = dict.fromkeys(spec.parameters)
    refused: list[ArgumentError] = []
    for given, value in arguments.items():
        if value is None:
            continue
        try:
            name = _parameter(spec, given)
            if values[name] is not None:
                raise ArgumentError(name, "is given twice, under two of its names.", "one of them")
            values[name] = _meant(spec, name, converted(name, spec.parameters[name], value))
        except ArgumentError as error:
            refused.append(error)
            if len(refused) == NAMED:
                break
    wrong = {error.argument for error in refused}
    for name, schema in spec.parameters.items():
        if values[name] is not None or name in wrong:
            continue
        if "default" in schema:
            values[name] = _meant(spec, name, converted(name, schema, schema["default"]))
        elif schema.get("required"):
            refused.append(MissingArgument(name, _accepted(schema)))
    if refused:
        raise refused[0] if len(refused) == 1 else ArgumentErrors(refused)
    return values


def _meant(spec: ToolSpec, name: str, value: Any) -> Any:
    """A duration in seconds; names of fields that some row of the tool has; other values as they are."""
    kind = spec.parameters[name].get("kind")
    if kind == "duration":
        return _seconds(name, value)
    if kind == "fields":
        meant = [one if one in spec.fields() else spec.field_names.get(folded(one), one) for one in value]
        check_fields(name, meant, spec.fields())
        return list(dict.fromkeys(meant))
    return value


def check_fields(name: str, fields: list[str], known: list[str]) -> None:
    """Refuse the first field that no row has."""
    for one in fields:
        if one not in known:
            raise ArgumentError(name, f"{_short(one)} is no field.", ", ".join(known), _nearest(one, known))


def _seconds(name: str, text: str) -> float:
    from cloudtop.times import duration_s

    seconds = duration_s(text, name)
    if seconds > LONGEST_S:
        raise ArgumentError(
            name, f"{_short(text)} is too long.", "30s, 5m, 24h, 7d or seconds, up to 10 years"
        )
    return seconds


def _parameter(spec: ToolSpec, given: str) -> str:
    """The parameter that a name or an alias means; ArgumentError for one that `spec` does not have."""
    if given in spec.parameters:
        return given
    found = spec.names.get(folded(given))
    if found is not None:
        return found
    shown = _short(given)
    if given in spec.later:
        raise ArgumentError(shown, f"does not work in {spec.name} yet. {spec.later[given]}", _names(spec))
    nearest = _nearest(given, [*spec.parameters, *spec.names])
    raise ArgumentError(
        shown, f"is no argument of {spec.name}.", _names(spec), spec.names.get(nearest or "", nearest)
    )


def _names(spec: ToolSpec) -> str:
    return ", ".join(spec.parameters) or "no arguments"


def converted(name: str, schema: Mapping[str, Any], value: Any) -> Any:
    """`value` as `schema` wants it, or an ArgumentError that says what it wants."""
    kind = schema["type"]
    if kind == "array":
        return _list(name, schema, value)
    if kind == "string":
        made: Any = _text(name, schema, value)
    elif kind == "boolean":
        made = _flag(name, value)
    else:
        made = _number(name, schema, value)
    if "enum" in schema:
        return _choice(name, schema, made)
    _bounds(name, schema, made)
    return made


def _list(name: str, schema: Mapping[str, Any], value: Any) -> list[Any]:
    if isinstance(value, Mapping) and schema.get("kind") == "tag":
        value = [f"{key}={one}" for key, one in value.items()]
    items = value if isinstance(value, (list, tuple)) else _split(value)
    if not items:
        raise ArgumentError(name, "is empty.", "at least one value, or leave it out for all")
    if len(items) > MOST:
        raise ArgumentError(name, f"has {len(items)} values.", f"at most {MOST}")
    made = [converted(name, schema["items"], item) for item in items]
    return list(dict.fromkeys(made))


def _split(value: Any) -> list[Any]:
    """One value, a comma-separated line, or a JSON list that came as text."""
    if not isinstance(value, str):
        return [value]
    if value.lstrip().startswith("["):
        try:
            listed = json.loads(value)
        except ValueError:
            listed = None
        if isinstance(listed, list):
            return listed
    return [part for part in (part.strip() for part in value.split(",")) if part]


def _text(name: str, schema: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise ArgumentError(name, f"{_short(value)} is not text.", _accepted(schema))
    text = value.strip()
    if not text:
        raise ArgumentError(name, "is empty.", _accepted(schema))
    if len(text) > LONGEST:
        raise ArgumentError(name, f"has {len(text)} characters.", f"at most {LONGEST}")
    return text


def _flag(name: str, value: Any) -> bool:
    made = {"true": True, "false": False}.get(str(value).strip().casefold())
    if made is None or not isinstance(value, (bool, str)):
        raise ArgumentError(name, f"{_short(value)} is neither true nor false.", "true, false")
    return made


def _number(name: str, schema: Mapping[str, Any], value: Any) -> int | float:
    whole = schema["type"] == "integer"
    made: int | float | None = None
    if isinstance(value, str):
        made = _read(value, schema.get("kind", ""), whole)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        made = value
    if isinstance(made, float) and whole:
        made = int(made) if made.is_integer() else None
    if isinstance(made, int) and abs(made) > EXACT:
        made = None
    if made is None or not math.isfinite(made):
        wanted = "a whole number" if whole else "a number"
        raise ArgumentError(name, f"{_short(value)} is not {wanted}.", _accepted(schema))
    return made


def _read(text: str, kind: str, whole: bool) -> int | float | None:
    """The figure a text writes out, without the unit that its kind implies."""
    bare = text.strip()
    if kind in _DRESS:
        bare = _DRESS[kind].sub("", bare)
    if _INTEGER.fullmatch(bare):
        return int(bare)
    return float(bare) if _NUMBER.fullmatch(bare) else None


def _choice(name: str, schema: Mapping[str, Any], value: Any) -> Any:
    choices = schema["enum"]
    if value in choices:
        return value
    same = [choice for choice in choices if folded(str(choice)) == folded(str(value))]
    if len(same) == 1:
        return same[0]
    raise ArgumentError(
        name, f"{_short(value)} is none of its values.", _accepted(schema), _nearest(value, choices)
    )


_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("minimum", "at least", operator.ge),
    ("maximum", "at most", operator.le),
    ("exclusiveMinimum", "more than", operator.gt),
    ("exclusiveMaximum", "less than", operator.lt),
)


def _bounds(name: str, schema: Mapping[str, Any], value: Any) -> None:
    for key, _, holds in _BOUNDS:
        if key in schema and not holds(value, schema[key]):
            raise ArgumentError(name, f"{_short(value)} is out of bounds.", _accepted(schema))
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise ArgumentError(name, f"{_short(value)} has the wrong form.", _accepted(schema))


def _accepted(schema: Mapping[str, Any]) -> str:
    """What a parameter takes, in a few words."""
    if "enum" in schema:
        return ", ".join(str(choice) for choice in schema["enum"])
    kind = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true, false"}
    if schema["type"] == "array":
        return f"a list of values ({_accepted(schema['items'])})"
    words = [f"{word} {schema[key]}" for key, word, _ in _BOUNDS if key in schema]
    if "pattern" in schema:
        words.append(f"like {schema['pattern']}")
    if "description" in schema:
        words.append(f"({schema['description']})")
    return " ".join([kind[schema["type"]], *words])


def _short(value: Any) -> str:
    """A value as it may be repeated in a message: one line, plain characters, not long."""
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    plain = "".join(mark if mark.isprintable() and not 0xD800 <= ord(mark) < 0xE000 else "?" for mark in text)
    return plain if len(plain) <= 60 else f"{plain[:57]}..."


def _nearest(word: Any, choices: list[Any]) -> str | None:
    from cloudtop.text import nearest

    return next(iter(nearest(str(word), [str(choice) for choice in choices], 1)), None)
