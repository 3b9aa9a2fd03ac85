"""`mcp install CLIENT`: this server in a client's configuration; whatever else stands there stays as it is.

The file as it was lies beside it afterwards, and `--undo` puts it back.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop.cli import jsonc, views
from cloudtop.errors import CloudtopError, ConfigError
from cloudtop.settings import variable
from cloudtop.text import plural

if TYPE_CHECKING:
    import argparse

NAME = "cloudtop"
"""What the server is called in every client."""

BACKUP = ".before-cloudtop"
"""What the file as it was is called, after its own name."""

_REMOTE = ("url", "serverUrl", "headers", "type")
"""What an entry of a server elsewhere has, and one that is started here must not keep."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client: its file, the section that holds servers, and what makes it read the file again."""

    title: str
    file: Path
    section: str
    typed: bool
    next_step: str


def client(name: str, system: str = sys.platform) -> Client:
    """A client as it is set up on a system: `linux`, `darwin` or `win32`."""
    home = _folder_of("HOME") or Path.home()
    match name:
        case "claude-desktop":
            file = _claude_desktop(system, home) / "claude_desktop_config.json"
            return Client(
                "Claude Desktop", file, "mcpServers", False, "Quit Claude Desktop and start it again."
            )
        case "claude-code":
            file = (_folder_of("CLAUDE_CONFIG_DIR") or home) / ".claude.json"
            return Client("Claude Code", file, "mcpServers", True, "Start a new session; /mcp shows it.")
        case "cursor":
            step = "Switch it on under Settings, MCP."
            return Client("Cursor", home / ".cursor" / "mcp.json", "mcpServers", False, step)
        case "vscode":
            file = _settings_folder(system, home) / "Code" / "User" / "mcp.json"
            return Client("VS Code", file, "servers", True, "Start it with the command MCP: List Servers.")
        case "windsurf":
            file = home / ".codeium" / "windsurf" / "mcp_config.json"
            return Client("Windsurf", file, "mcpServers", False, "Press refresh in the MCP list of Cascade.")
    raise AssertionError(name)


def _folder_of(name: str) -> Path | None:
    """The folder that an environment variable names."""
    return Path(given).expanduser() if (given := variable(name)) else None


def _settings_folder(system: str, home: Path) -> Path:
    """Where programs of this system keep settings."""
    if system == "darwin":
        return home / "Library" / "Application Support"
    if system == "win32":
        return _folder_of("APPDATA") or home / "AppData" / "Roaming"
    return _folder_of("XDG_CONFIG_HOME") or home / ".config"


def _claude_desktop(system: str, home: Path) -> Path:
    """Its folder. On Windows its package has a file system of its own, where it looks and nowhere else."""
    if system == "win32":
        packages = (_folder_of("LOCALAPPDATA") or home / "AppData" / "Local") / "Packages"
        if found := sorted(packages.glob("Claude_*")):
            return found[0] / "LocalCache" / "Roaming" / "Claude"
    return _settings_folder(system, home) / "Claude"


def run(options: argparse.Namespace) -> int:
    """Write the entry, or take it out."""
    found = client(options.client)
    file = Path(options.file or found.file).expanduser()
    # A link to a file kept elsewhere stays a link.
    file = file.resolve() if file.is_symlink() else file
    text = _read(file)
    told: dict[str, Any] = {"client": options.client, "file": str(file), "dry_run": options.dry_run}
    try:
        told |= _undone(found, file, text, options) if options.undo else _entered(found, file, text, options)
    except jsonc.NotJson as error:
        raise ConfigError(
            str(file), f"{error}", "Mend it there; nothing was written.", line=error.line
        ) from error
    except OSError as error:
        what = f"{file} cannot be written: {error.strerror or error}."
        raise CloudtopError(what, "Close the client, or get the right to write there.") from error
    if options.json:
        sys.stdout.write(views.dumps(told) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(found, told))
    return 0


def _lines(found: Client, told: dict[str, Any]) -> Iterator[str]:
    """What was done, for a person. Of the file nothing is shown but our own entry: others hold keys."""
    would = "Would have " if told["dry_run"] else ""
    said = {
        "written": "written",
        "unchanged": "left as it was; the entry stands there already:",
        "restored": "put back as it was:",
        "removed": "taken the entry out of",
        "deleted": "deleted what held nothing else:",
        "nothing": "found nothing to undo in",
    }[told["done"]]
    sentence = f"{would}{said} {told['file']}"
    yield sentence if would else sentence[0].upper() + sentence[1:]
    if told.get("entry") is not None:
        yield f"{found.section}.{NAME}: {json.dumps(told['entry'], ensure_ascii=False)}"
    if told.get("others") is not None:
        yield f"Beside {plural(told['others'], 'other server')}."
    if told.get("backup"):
        yield f"As it was: {told['backup']}"
    if not told["dry_run"] and told["done"] == "written":
        yield found.next_step


def _entered(found: Client, file: Path, text: str | None, options: argparse.Namespace) -> dict[str, Any]:
    before = text or ""
    there = jsonc.value(before, (found.section, NAME))
    entry = _entry(found, options)
    told: dict[str, Any] = {"done": "written", "entry": entry}
    if isinstance(there, dict):  # what a person added to it, such as `env`, stays
        entry = {**{key: one for key, one in there.items() if key not in _REMOTE}, **entry}
    others = [one for one in jsonc.value(before, (found.section,)) or {} if one != NAME]
    told["others"] = len(others)
    if there == entry:
        return {**told, "done": "unchanged"}
    after = jsonc.with_entry(before, found.section, NAME, entry)
    backup = file.with_name(file.name + BACKUP)
    # The file as it was before ours came: kept when ours is only renewed.
    keep = text is not None and (there is None or not backup.exists())
    if not options.dry_run:
        if not file.parent.exists():
            views.notices([f"there is no sign of {found.title} here; {file.parent} is made for it."])
        file.parent.mkdir(parents=True, exist_ok=True)
        if keep:
            shutil.copy2(file, backup)
        _write(file, after)
    return {**told, "backup": str(backup)} if keep else told


def _undone(found: Client, file: Path, text: str | None, options: argparse.Namespace) -> dict[str, Any]:
    entry = jsonc.value(text or "", (found.section, NAME))
    if text is None or entry is None:
        return {"done": "nothing"}
    backup = file.with_name(file.name + BACKUP)
    before = _read(backup)
    if before is not None and jsonc.with_entry(before, found.section, NAME, entry) == text:
        if not options.dry_run:
            os.replace(backup, file)
        return {"done": "restored"}
    earlier = jsonc.value(before, (found.section, NAME)) if before else None
    if earlier is not None:
        after = jsonc.with_entry(text, found.section, NAME, earlier)
    else:
        after = jsonc.without_entry(text, found.section, NAME)
    empty = before is None and jsonc.value(after) == {found.section: {}}
    if not options.dry_run:
        if empty:
            file.unlink()
        else:
            _write(file, after)
    told = {"done": "deleted" if empty else "removed"}
    return {**told, "backup": str(backup)} if before is not None else told


def _entry(found: Client, options: argparse.Namespace) -> dict[str, Any]:
    """How a client starts this server: whole paths, for many clients know no search path."""
    command, *first = _command()
    words = [*first, "mcp"]
    if options.toolsets:
        words += ["--toolsets", options.toolsets]
    for option, place in (("--config", options.config), ("--home", options.home)):
        if place:
            words += [option, str(Path(place).expanduser().absolute())]
    if options.offline:
        words.append("--offline")
    entry: dict[str, Any] = {"command": command, "args": words}
    return {"type": "stdio", **entry} if found.typed else entry


def _command() -> list[str]:
    """This very cloudtop: the script beside its Python, else one on the search path, else Python itself."""
    beside = Path(sys.executable).with_name("cloudtop.exe" if sys.platform == "win32" else "cloudtop")
    script = str(beside) if beside.is_file() else shutil.which("cloudtop")
    return [script] if script else [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]


def _read(file: Path) -> str | None:
    """The text as it is, line ends and all; None where there is no file."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}", "Nothing was written.") from error


def _write(file: Path, text: str) -> None:
    """The whole file at once, as private as it was; a new one is its owner's alone."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(text.encode())
        draft.chmod(mode)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
