"""`mcp install`: the right file of each client on each system, all else in it kept, and the way back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters

from cloudtop.cli import jsonc
from cloudtop.cli.commands.install import client
from cloudtop.cli.main import CLIENTS, ended


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


FILES = {
    ("claude-desktop", "darwin"): "Library/Application Support/Claude/claude_desktop_config.json",
    ("claude-desktop", "linux"): ".config/Claude/claude_desktop_config.json",
    ("claude-desktop", "win32"): "AppData/Roaming/Claude/claude_desktop_config.json",
    ("claude-code", "linux"): ".claude.json",
    ("claude-code", "win32"): ".claude.json",
    ("cursor", "darwin"): ".cursor/mcp.json",
    ("cursor", "win32"): ".cursor/mcp.json",
    ("vscode", "darwin"): "Library/Application Support/Code/User/mcp.json",
    ("vscode", "linux"): ".config/Code/User/mcp.json",
    ("vscode", "win32"): "AppData/Roaming/Code/User/mcp.json",
    ("windsurf", "linux"): ".codeium/windsurf/mcp_config.json",
    ("windsurf", "win32"): ".codeium/windsurf/mcp_config.json",
}


@pytest.mark.parametrize(("name", "system"), FILES)
def test_every_client_has_its_file_on_every_system(home: Path, name: str, system: str) -> None:
    assert client(name, system).file == home / FILES[name, system]


def test_folders_that_a_system_or_a_client_names_win(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPDATA", str(home / "Roaming"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home / "claude"))
    assert client("vscode", "win32").file == home / "Roaming/Code/User/mcp.json"
    assert client("vscode", "linux").file == home / "xdg/Code/User/mcp.json"
    assert client("claude-code", "linux").file == home / "claude/.claude.json"


def test_claude_desktop_from_a_windows_package_reads_the_files_of_its_package(home: Path) -> None:
    package = home / "AppData/Local/Packages/Claude_abc"
    package.mkdir(parents=True)
    assert client("claude-desktop", "win32").file == (
        package / "LocalCache/Roaming/Claude/claude_desktop_config.json"
    )


def installed(*words: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert ended(["mcp", "install", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


EDITED = """\
{
    // servers of mine
    "mcpServers": {
        "other": {"command": "x", "env": {"KEY": "secret-of-the-other"}}, // keep
        /* and this */
    },
    "theme": "dark",
}
"""


def test_all_else_stays_and_undo_gives_back_the_very_bytes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".cursor/mcp.json"
    file.parent.mkdir()
    file.write_bytes(EDITED.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    told = installed("cursor", capsys=capsys)
    text = file.read_bytes().decode()
    assert told["done"] == "written"
    assert told["others"] == 1
    assert jsonc.value(text, ("mcpServers", "cloudtop")) == told["entry"]
    assert jsonc.value(text, ("mcpServers", "other", "env", "KEY")) == "secret-of-the-other"
    assert all(words in text for words in ("// servers of mine", "// keep", "/* and this */", '"dark"'))
    assert "\n" not in text.replace("\r\n", "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert installed("cursor", capsys=capsys)["done"] == "unchanged"
    assert installed("cursor", "--undo", capsys=capsys)["done"] == "restored"
    assert file.read_bytes() == EDITED.replace("\n", "\r\n").encode()
    assert [one.name for one in file.parent.iterdir()] == ["mcp.json"]


def test_what_was_changed_after_us_survives_the_undo(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / ".codeium/windsurf/mcp_config.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"mcpServers": {"other": {"command": "x"}}}')
    installed("windsurf", capsys=capsys)
    later = json.loads(file.read_text())
    later["mcpServers"]["third"] = {"command": "z"}
    file.write_text(json.dumps(later))
    told = installed("windsurf", "--undo", capsys=capsys)
    assert told["done"] == "removed"
    assert list(json.loads(file.read_text())["mcpServers"]) == ["other", "third"]
    assert Path(told["backup"]).exists()
    assert installed("windsurf", "--undo", capsys=capsys)["done"] == "nothing"


def test_an_entry_of_before_is_renewed_with_what_a_person_added_and_comes_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude.json"
    old = {"type": "http", "url": "http://127.0.0.1:1/mcp", "env": {"VAST_API_KEY": "a-secret-of-mine"}}
    file.write_text(json.dumps({"numStartups": 7, "mcpServers": {"cloudtop": old}}))
    told = installed("claude-code", "--toolsets", "prices", capsys=capsys)
    made = json.loads(file.read_text())["mcpServers"]["cloudtop"]
    assert made["env"] == old["env"]
    assert made["type"] == "stdio"
    assert "url" not in made
    assert made["args"][-2:] == ["--toolsets", "prices"]
    assert "a-secret-of-mine" not in json.dumps(told)
    installed("claude-code", capsys=capsys)
    document = json.loads(file.read_text())
    document["numStartups"] = 8
    file.write_text(json.dumps(document))
    assert installed("claude-code", "--undo", capsys=capsys)["done"] == "removed"
    assert json.loads(file.read_text()) == {"numStartups": 8, "mcpServers": {"cloudtop": old}}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_dry_run_writes_nothing_and_a_file_of_ours_alone_goes_with_the_undo(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    told = installed(name, "--dry-run", capsys=capsys)
    assert told["done"] == "written"
    assert not Path(told["file"]).exists()
    installed(name, capsys=capsys)
    assert stat.S_IMODE(Path(told["file"]).stat().st_mode) == 0o600
    assert installed(name, "--undo", "--dry-run", capsys=capsys)["done"] == "deleted"
    assert Path(told["file"]).exists()
    assert installed(name, "--undo", capsys=capsys)["done"] == "deleted"
    assert not Path(told["file"]).exists()


def test_a_link_to_a_file_kept_elsewhere_stays_a_link(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = home / "dotfiles.json"
    kept.write_text("{}")
    (home / ".cursor").mkdir()
    (home / ".cursor/mcp.json").symlink_to(kept)
    installed("cursor", capsys=capsys)
    assert (home / ".cursor/mcp.json").is_symlink()
    assert "cloudtop" in kept.read_text()


def test_a_file_that_is_not_json_is_left_alone_and_named_with_its_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude.json"
    file.write_text('{\n  "mcpServers": {\n    "a" 1\n}}')
    assert ended(["mcp", "install", "claude-code"]) == 2
    assert f"{file}:3: a colon is missing" in capsys.readouterr().err
    assert file.read_text().endswith('"a" 1\n}}')


def test_another_file_of_a_client_can_be_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = installed("vscode", "--file", str(home / "project/.vscode/mcp.json"), capsys=capsys)
    assert told["file"].endswith("project/.vscode/mcp.json")
    assert json.loads(Path(told["file"]).read_text())["servers"]["cloudtop"]["type"] == "stdio"


def written(told: Any) -> str:
    return Path(told["file"]).read_text()


async def test_what_is_written_starts_a_server_that_lists_its_tools(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("cursor", "--toolsets", "prices", "--home", str(home / "data"))
    told = installed(*words, capsys=capsys)
    entry = jsonc.value(written(told), ("mcpServers", "cloudtop"))
    root = str(Path(__file__).parents[2])
    started = StdioServerParameters(
        command=entry["command"],
        args=entry["args"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": root, "PYTHONSAFEPATH": ""},
    )
    async with Client(started) as opened:
        names = [tool.name for tool in (await opened.list_tools()).tools]
    assert names == ["compare_gpu_prices", "gpu_price_history"]


def test_install_needs_no_mcp_and_no_store(home: Path) -> None:
    code = (
        "import sys; from cloudtop.cli.main import ended; ended(['mcp', 'install', 'cursor']);"
        "print([name for name in ('mcp', 'sqlite3', 'yaml', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
GAPS = st.sampled_from(["", " ", "\n", "\n    ", ' // a, "note": {\n', " /* } */ ", "\n\t", "\r\n"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A JSON object as people write them, with comments, blanks and trailing commas; and what it means."""

    def written(value: Any) -> str:
        gap = lambda: draw(GAPS)  # noqa: E731
        if isinstance(value, dict):
            parts = [f"{gap()}{json.dumps(key)}{gap()}:{gap()}{written(one)}" for key, one in value.items()]
            close = "}"
        elif isinstance(value, list):
            parts, close = [f"{gap()}{written(one)}" for one in value], "]"
        else:
            return json.dumps(value)
        trail = "," if parts and draw(st.booleans()) else ""
        return ("{" if close == "}" else "[") + f"{gap()},".join(parts) + gap() + trail + gap() + close

    others = draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=3))
    if draw(st.booleans()):
        others["mcpServers"] = draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=3))
    return draw(GAPS) + written(others) + draw(GAPS), others


@given(documents(), VALUES)
def test_an_entry_goes_in_and_out_of_any_document_and_nothing_else_changes(
    made: tuple[str, dict[str, Any]], entry: Any
) -> None:
    text, means = made
    assert jsonc.value(text) == means
    with_it = jsonc.with_entry(text, "mcpServers", "cloudtop", entry)
    servers = means.get("mcpServers", {})
    assert jsonc.value(with_it) == {**means, "mcpServers": {**servers, "cloudtop": entry}}
    for comment in ("// a,", "/* } */"):
        assert with_it.count(comment) >= text.count(comment)
    without = jsonc.without_entry(with_it, "mcpServers", "cloudtop")
    kept = {name: one for name, one in servers.items() if name != "cloudtop"}
    assert jsonc.value(without) == {**means, "mcpServers": kept}
    assert jsonc.value(jsonc.with_entry(with_it, "mcpServers", "cloudtop", 1)) == {
        **means,
        "mcpServers": {**servers, "cloudtop": 1},
    }


@pytest.mark.parametrize(
    "text",
    ["[1]", '{"mcpServers": []}', "{", '{"a": 1', '{"a" 1}', "{a: 1}", "{} {}", '{"a": 01}', "{'a': 1}"],
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(jsonc.NotJson):
        jsonc.with_entry(text, "mcpServers", "cloudtop", {})


@pytest.mark.parametrize("text", ["", " \n", "// only a comment\n", "\ufeff"])
def test_a_file_without_content_becomes_an_object(text: str) -> None:
    made = jsonc.with_entry(text, "servers", "cloudtop", {"a": 1})
    assert jsonc.value(made) == {"servers": {"cloudtop": {"a": 1}}}
