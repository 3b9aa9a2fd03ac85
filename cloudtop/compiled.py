"""YAML facts, parsed once and kept as marshal so that a warm process never reads YAML again.

Plain scalars mean what YAML 1.2 says: `no` is the word no (and Norway), a date is text, `1:30` is text.
Imported late: yaml.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

from cloudtop import __version__
from cloudtop.errors import SpecError

DATA = Path(__file__).parent / "data"
"""The facts that ship with the package."""

_MADE_BY = f"{__version__} {sys.implementation.cache_tag} {marshal.version}"
_Stamp = tuple[str, str, int, int]
_held: dict[str, tuple[_Stamp, Any]] = {}
_cache: Path | None = None


def use_cache(folder: Path | None) -> None:
    """Set where compiled facts are kept by every `load` of this process that names no folder of its own."""
    global _cache
    _cache = folder


def load(path: Path, cache_dir: Path | None = None) -> Any:
    """What the YAML file says, as dicts, lists and scalars. Shared between callers: read, do not change."""
    found = path.stat()
    stamp = (_MADE_BY, str(path), found.st_size, found.st_mtime_ns)
    held = _held.get(stamp[1])
    if held is not None and held[0] == stamp:
        return held[1]
    folder = cache_dir or _cache
    kept = _read(_place(folder, stamp), stamp) if folder else None
    if kept is None:
        kept = (parse(path),)
        if folder:
            _write(_place(folder, stamp), stamp, kept)
    _held[stamp[1]] = (stamp, kept[0])
    return kept[0]


def load_all(folder: Path, cache_dir: Path | None = None) -> dict[str, Any]:
    """Every `*.yaml` of a folder by file name without the ending, in alphabetical order."""
    return {path.stem: load(path, cache_dir) for path in sorted(folder.glob("*.yaml"))}


def parse(path: Path) -> Any:
    """Read the YAML itself; a mistake in it is a SpecError with file and line. Bypasses every cache."""
    import yaml

    try:
        with path.open("rb") as file:
            return yaml.load(file, _loader())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SpecError(str(path), error.problem or "is not YAML", line=line) from error
    except yaml.YAMLError as error:
        raise SpecError(str(path), f"is not YAML: {error}") from error


def _loader() -> Any:
    """The C loader narrowed to YAML 1.2 scalars, which refuses a key given twice."""
    import re

    import yaml

    class Loader(yaml.CSafeLoader):
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the base class's own shape

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[object] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        raise yaml.constructor.ConstructorError(
                            None, None, f"{key.value}: this key is given twice", key.start_mark
                        )
                    seen.add(key.value)
            made: dict[Any, Any] = super().construct_mapping(node, deep)
            return made

    for tag, pattern, first in (
        ("null", r"^(?:~|null|)$", ["~", "n", ""]),
        ("bool", r"^(?:true|false)$", list("tf")),
        ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
        ("merge", r"^<<$", ["<"]),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
    # yaml's own reader takes 010 as octal; here digits are digits.
    Loader.add_constructor("tag:yaml.org,2002:int", _digits)
    return Loader


def _digits(loader: Any, node: Any) -> int:
    """A whole number in base ten, however many noughts it starts with."""
    return int(loader.construct_scalar(node))


def _place(folder: Path, stamp: _Stamp) -> Path:
    """One file for each YAML file; the stamp holds its path, so two that collide only displace each other."""
    return folder / f"{Path(stamp[1]).stem}-{zlib.crc32(stamp[1].encode()):08x}.marshal"


def _read(place: Path, stamp: _Stamp) -> tuple[Any] | None:
    """The kept data when it is whole and was made from this very file by this very version."""
    try:
        content = place.read_bytes()
    except OSError:
        return None
    if len(content) < 5 or int.from_bytes(content[:4], "big") != zlib.crc32(content[4:]):
        return None
    made_from, kept = marshal.loads(content[4:])
    return kept if made_from == stamp else None


def _write(place: Path, stamp: _Stamp, kept: tuple[Any]) -> None:
    """Keep the data for the next process; where it cannot be written, that one parses again."""
    content = marshal.dumps((stamp, kept))
    draft = place.with_name(f"{place.name}.{os.getpid()}.{threading.get_ident()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_bytes(zlib.crc32(content).to_bytes(4, "big") + content)
        draft.replace(place)
