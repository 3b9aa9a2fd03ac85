"""`config init|check|schema`: the configuration file written, checked and described."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop.cli import views
from cloudtop.cli.build import settings
from cloudtop.errors import UsageError
from cloudtop.settings import usual_file
from cloudtop.settings_schema import SCHEMA

if TYPE_CHECKING:
    import argparse

FIRST: dict[str, Any] = {
    "version": "1.0",
    "defaults": {"output_format": "table"},
    "cache": {"enabled": True, "backend": "sqlite"},
    "providers": {
        "vast": {"enabled": True, "auth": {"method": "api_key", "env_api_key": "VAST_API_KEY"}},
        "pricelist": {"options": {"files": [], "shipped": True}},
    },
}


def run(options: argparse.Namespace) -> int:
    """Do what `action` says."""
    return {"init": _init, "check": _check, "schema": _schema}[options.action](options)


def _init(options: argparse.Namespace) -> int:
    file: Path = options.config or usual_file()
    if file.exists():
        raise UsageError(f"{file} exists; it is not overwritten.", "Check it with: cloudtop config check")
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Keys may come to stand in it later: readable by its owner alone.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(json.dumps(FIRST, indent=2) + "\n")
    sys.stdout.write(views.dumps({"written": str(file)}) + "\n" if options.json else f"Wrote {file}\n")
    return 0


def _check(options: argparse.Namespace) -> int:
    found = settings(options.config, options.home)
    file = str(found.config_file) if found.config_file else None
    if options.json:
        body = {
            "file": file,
            "home": str(found.home),
            "ok": True,
            "without_effect": list(found.without_effect),
        }
        sys.stdout.write(views.dumps(body) + "\n")
        return 0
    sys.stdout.write(f"{file} is in order.\n" if file else "There is no configuration file; defaults hold.\n")
    sys.stdout.write(f"Data is kept in {found.home}\n")
    for one in found.without_effect:
        sys.stdout.write(f"without effect: {one}\n")
    return 0


def _schema(options: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(SCHEMA, indent=2) + "\n")
    return 0
