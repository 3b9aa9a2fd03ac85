"""The bundle that a desktop client installs with one click.

python -m tests.bundle [FOLDER]    writes it to dist/, or to FOLDER.

A zip with `manifest.json` (MCP Bundle 0.4) and the packages of cloudtop; the client has uv fetch Python and
what cloudtop needs. The same sources give the same bytes. What is not filled in arrives as an empty text,
which counts as not given: a client would hand the placeholder itself on if it had no default.
"""

from __future__ import annotations

import json
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudtop import __version__
from connectors.discovery import found
from mcp_server.specs import load

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
START = "server.py"
SERVER = f'''"""Starts cloudtop as an MCP server; `{START} --toolsets all` serves every tool."""

import sys

from cloudtop.cli.main import ended

sys.exit(ended(["mcp", *sys.argv[1:]]))
'''


def manifest() -> dict[str, Any]:
    """What a client reads before it starts anything."""
    about = PROJECT["project"]
    settings = dict(_settings())
    env = {variable: f"${{user_config.{name}}}" for name, variable in _variables() if name in settings}
    return {
        "manifest_version": "0.4",
        "name": about["name"],
        "display_name": "cloudtop",
        "version": __version__,
        "description": "GPU prices of many clouds and of your own, each figure with its source and time.",
        "long_description": about["description"],
        "author": {"name": "The cloudtop authors"},
        "documentation": about["urls"]["Documentation"],
        "license": about["license"],
        "keywords": about["keywords"],
        "server": {
            "type": "uv",
            "entry_point": START,
            "mcp_config": {
                "command": "uv",
                "args": [
                    "run",
                    "--directory",
                    "${__dirname}",
                    START,
                    "--toolsets",
                    "${user_config.toolsets}",
                ],
                "env": env,
            },
        },
        "tools": [
            {"name": spec.name, "description": spec.description.splitlines()[0]} for spec in load().values()
        ],
        "tools_generated": True,
        "prompts_generated": True,
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": about["requires-python"]},
        },
        "user_config": settings,
    }


def _variables() -> Iterator[tuple[str, str]]:
    """Every credential that can be filled in, and the environment variable that takes it."""
    for one in found().values():
        # Where a cloud's own tools keep keys, an empty one in the environment would hide those.
        if not one.ambient:
            yield from ((f"{one.id}_{name}", names[0]) for name, names in one.credentials.items())


def _settings() -> Iterator[tuple[str, dict[str, Any]]]:
    """What a person is asked for, nothing of it required."""
    yield (
        "toolsets",
        {
            "type": "string",
            "title": "Toolsets",
            "description": "Which tools to show, with commas between: default, prices, health, all.",
            "default": "default",
        },
    )
    for one in found().values():
        for name in one.credentials if not one.ambient else ():
            needed = "for more than public prices" if one.keyless else "to be asked at all"
            yield (
                f"{one.id}_{name}",
                {
                    "type": "string",
                    "title": f"{one.title}: {name.replace('_', ' ').replace('api', 'API')}",
                    "description": f"Needed {needed}; a key that only reads is enough.",
                    "sensitive": True,
                    "default": "",
                },
            )


def files() -> Iterator[tuple[str, bytes]]:
    """Every file of the bundle by its name in it."""
    yield "manifest.json", (json.dumps(manifest(), indent=2, ensure_ascii=False) + "\n").encode()
    yield START, SERVER.encode()
    for name in BESIDE:
        yield name, (ROOT / name).read_bytes()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def write(folder: Path) -> Path:
    """Write the bundle into a folder; where it lies now."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"cloudtop-{__version__}.mcpb"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, content)
    return bundle


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / 'dist')}\n")
