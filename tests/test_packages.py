"""What people install: the bundle for desktop clients and the image."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cloudtop import __version__
from cloudtop.cli.main import parser
from mcp_server.specs import load
from tests.bundle import BESIDE, PACKAGES, PROJECT, ROOT, START, write

INFO = {"name": "t", "version": "1"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def manifest(bundle: Path) -> Any:
    with zipfile.ZipFile(bundle) as opened:
        return json.loads(opened.read("manifest.json"))


def test_the_manifest_has_what_the_format_needs_and_says_what_the_server_has(manifest: Any) -> None:
    needed = {"manifest_version", "name", "version", "description", "author", "server"}
    assert needed <= set(manifest)
    assert (manifest["manifest_version"], manifest["version"]) == ("0.4", __version__)
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert manifest["author"]["name"]
    assert [tool["name"] for tool in manifest["tools"]] == list(load())
    assert manifest["compatibility"]["runtimes"] == {"python": PROJECT["project"]["requires-python"]}


def test_every_placeholder_of_the_manifest_can_be_filled_and_has_a_default(manifest: Any) -> None:
    started = json.dumps(manifest["server"]["mcp_config"])
    named = set(re.findall(r"\$\{user_config\.(\w+)\}", started))
    settings = manifest["user_config"]
    assert named == set(settings)
    assert all("default" in one and not one.get("required") for one in settings.values())
    assert all(one["sensitive"] for name, one in settings.items() if name != "toolsets")
    assert not any("AWS_" in name for name in manifest["server"]["mcp_config"]["env"])


def test_the_bundle_holds_the_whole_program_and_nothing_of_this_machine(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as opened:
        assert opened.testzip() is None
        names = set(opened.namelist())
        texts = {name: opened.read(name) for name in names}
    assert {"manifest.json", START, *BESIDE} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == set(PACKAGES)
    assert not [name for name in names if "__pycache__" in name or name.startswith(("/", ".", "tests"))]
    assert not [name for name, text in texts.items() if str(ROOT).encode() in text]
    assert bundle.stat().st_size < 5_000_000


def test_the_same_sources_give_the_same_bundle(bundle: Path, tmp_path: Path) -> None:
    assert write(tmp_path).read_bytes() == bundle.read_bytes()


def test_the_unpacked_bundle_serves_as_its_manifest_says(bundle: Path, manifest: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as opened:
        opened.extractall(tmp_path)
    config = manifest["server"]["mcp_config"]
    values = {name: str(one["default"]) for name, one in manifest["user_config"].items()}
    words = [
        re.sub(r"\$\{user_config\.(\w+)\}", lambda found: values[found[1]], one) for one in config["args"]
    ]
    assert words[:4] == ["run", "--directory", "${__dirname}", START]
    env = {"PYTHONPATH": str(tmp_path), **dict.fromkeys(config["env"], "")}
    assert listed([sys.executable, *words[3:]], tmp_path, **env) == [
        tool["name"] for tool in manifest["tools"]
    ]


def listed(command: list[str], folder: Path, **env: str) -> list[str]:
    """The tools of the server that `command` starts in this folder, over standard input and output."""
    asks = [
        {"method": "initialize", "id": 1, "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": INFO}},
        {"method": "notifications/initialized"},
        {"method": "tools/list", "id": 2},
    ]  # fmt: skip
    own = {"CLOUDTOP_HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(
        command,
        cwd=folder,
        input="".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in asks),
        env={**os.environ, **own, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answers = {one.get("id"): one for one in map(json.loads, done.stdout.splitlines())}
    return [tool["name"] for tool in answers[2]["result"]["tools"]]


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with what follows each."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_is_built_of_files_that_are_there_and_of_every_package() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [
        name
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for name in rest.split()[:-1]
    ]
    assert set(PACKAGES) <= set(copied)
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, f"{name} does not reach the builder"


def test_the_image_runs_as_nobody_special_and_starts_what_the_command_line_takes() -> None:
    found = dict(instructions())
    known = {"FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert set(found) <= known
    assert found["USER"] not in ("root", "0")
    program, *words = [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]
    assert program in PROJECT["project"]["scripts"]
    assert parser().parse_args(words).command == "mcp"
    assert not re.search(r"(?i)(key|token|secret|password)=", (ROOT / "Dockerfile").read_text())


@pytest.mark.slow
def test_the_lines_that_build_the_image_make_a_program_that_serves_by_itself(tmp_path: Path) -> None:
    source, made = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    stages = "".join(f"{word} {rest}\n" for word, rest in instructions()).split("FROM ")
    first, last = (dict.fromkeys(stage.splitlines()[1:]) for stage in stages[1:])
    for line in first:
        word, *rest = shlex.split(line)
        if word == "COPY":
            for name in rest[:-1]:
                whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                whole(ROOT / name, source / name)
        if word == "RUN":
            said = [one.replace("/opt/cloudtop", str(made)) for one in rest]
            subprocess.run(
                [sys.executable if one == "python" else one for one in said],
                cwd=source,
                check=True,
                timeout=600,
            )
    assert "COPY --from=build /opt/cloudtop /opt/cloudtop" in last
    found = dict(instructions())
    program, *words = [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]
    assert listed([str(made / "bin" / program), *words], tmp_path) == list(load())
    where = "import cloudtop, boto3; print(cloudtop.__file__)"
    printed = subprocess.run(
        [made / "bin/python", "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert printed.stdout.startswith(str(made)), "the program in the image is its own, not this checkout"


def test_the_commands_that_the_dockerfile_shows_are_taken() -> None:
    remarks = [line[1:] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("#")]
    text = " ".join(" ".join(remarks).replace("\\", " ").split())
    (shown,) = re.findall(r"cloudtop (mcp --http \S+ --token-file \S+)", text)
    assert parser().parse_args(shown.split()).http == "0.0.0.0:8000"
