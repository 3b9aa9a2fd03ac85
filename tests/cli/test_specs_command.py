"""`specs lint|show|schema`, and own copies as every other command meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from cloudtop import compiled
from cloudtop.cli.main import ended
from mcp_server.spec_form import NARROWED_FORM
from mcp_server.specs import FOLDER, spec_files
from tests.mcp_server.test_specs import BROKEN, line_of, swapped
from tests.mcp_server.yard import SPEC, write_specs

COPY = """\
name: our_h100
narrows: compare_gpu_prices
fixed: {gpu: H100, limit: 2}
"""


INFO = {"name": "t", "version": "1"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    folder = tmp_path / "xdg" / "cloudtop" / "tool_specs"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def cloudtop(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = ended(["--offline", "--home", str(tmp_path / "home"), *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_shipped_specs_and_ones_own_are_linted_when_no_file_is_named(cloudtop: Any, own: Path) -> None:
    (own / "our_h100.yaml").write_text(COPY)
    code, out, _ = cloudtop("specs", "lint", "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["mistakes"]) == (0, True, [])
    assert said["files"] == [str(path) for path in [*spec_files(FOLDER), own / "our_h100.yaml"]]
    assert cloudtop("specs", "lint")[1] == f"{len(said['files'])} files in order.\n"


@pytest.mark.parametrize("mistake", BROKEN)
def test_each_mistake_has_file_line_and_suggestion(cloudtop: Any, tmp_path: Path, mistake: str) -> None:
    old, new, at, _ = BROKEN[mistake]
    text = swapped(old, new)
    file = write_specs(tmp_path / "specs", list_cars=text) / "list_cars.yaml"
    code, out, _ = cloudtop("specs", "lint", str(file), "--json")
    said = json.loads(out)
    first = said["mistakes"][0]
    assert (code, said["ok"], first["file"]) == (2, False, str(file))
    assert first["suggestion"]
    assert first["message"]
    if at:
        assert first["line"] == line_of(text, at)
    code, out, err = cloudtop("specs", "lint", str(file))
    assert (code, err) == (2, "")
    assert out.startswith(f"{file}:{first['line']}: ")


def test_all_that_a_form_refuses_is_said_at_once(cloudtop: Any, tmp_path: Path) -> None:
    text = (
        SPEC.replace("title:", "titel:")
        .replace("minimum: 2,", "minimun: 2,")
        .replace("kind: money", "kind: mony")
    )
    file = write_specs(tmp_path / "specs", list_cars=text) / "list_cars.yaml"
    out = cloudtop("specs", "lint", str(file))[1]
    assert [word in out for word in ("titel:", "minimun", "money?", "title: is missing")] == [True] * 4


def test_a_mistake_in_what_tools_share_is_found_too(cloudtop: Any, tmp_path: Path) -> None:
    folder = write_specs(tmp_path / "specs")
    common = folder / "common.yaml"
    common.write_text("limit: {type: integer, default: x}\n")
    code, out, _ = cloudtop("specs", "lint", str(common))
    assert (code, f"{common}:1: limit: default" in out) == (2, True)


def test_a_file_that_is_not_there_is_named(cloudtop: Any, tmp_path: Path) -> None:
    code, out, _ = cloudtop("specs", "lint", str(tmp_path / "no.yaml"))
    assert (code, "no.yaml: there is no such file" in out) == (2, True)


def test_a_tool_is_shown_as_models_and_callers_see_it(cloudtop: Any, own: Path) -> None:
    (own / "our_h100.yaml").write_text(COPY)
    shown = json.loads(cloudtop("specs", "show", "our_h100", "--json")[1])
    assert (shown["narrows"], shown["fixed"]) == ("compare_gpu_prices", {"gpu": ["H100"], "limit": 2})
    assert "gpu" not in shown["input_schema"]["properties"]
    assert shown["file"] == str(own / "our_h100.yaml")
    code, out, _ = cloudtop("specs", "show", "our_h100")
    assert (code, "narrows: compare_gpu_prices gpu=H100 limit=2" in out) == (0, True)
    code, _, err = cloudtop("specs", "show", "our_h10")
    assert (code, "Did you mean our_h100?" in err) == (2, True)


def test_the_schema_is_printed_and_checks_files(cloudtop: Any) -> None:
    check = jsonschema_rs.validator_for(json.loads(cloudtop("specs", "schema")[1]))
    for path in spec_files(FOLDER):
        assert path.stem == "common" or check.is_valid(compiled.parse(path))
    assert check.is_valid(yaml.safe_load(COPY))
    assert not check.is_valid({**yaml.safe_load(COPY), "rows": {}})


def test_the_example_of_the_documentation_is_right(cloudtop: Any, own: Path) -> None:
    for example in NARROWED_FORM["examples"]:
        (own / f"{example['name']}.yaml").write_text(yaml.safe_dump(example, sort_keys=False))
        assert cloudtop("specs", "lint")[0] == 0


def test_a_copy_is_called_like_any_tool_and_listed_beside_them(cloudtop: Any, own: Path) -> None:
    (own / "our_h100.yaml").write_text(COPY)
    code, out, err = cloudtop("call", "our_h100", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert {row["gpu"] for row in found["rows"]} == {"H100"}
    assert len(found["rows"]) == 2
    assert cloudtop("call", "our_h100", "gpu=A100")[0] == 2
    assert "our_h100" in [one["name"] for one in json.loads(cloudtop("tools", "--json")[1])]


@pytest.mark.parametrize("words", [("tools",), ("call", "list_providers"), ("specs", "show", "check_health")])
def test_a_broken_copy_is_left_out_and_said_on_standard_error(
    cloudtop: Any, own: Path, words: tuple[str, ...]
) -> None:
    (own / "our_h100.yaml").write_text(COPY.replace("gpu: H100", "gpus: H100, gp: A100"))
    code, out, err = cloudtop(*words)
    assert code == 0
    assert f"note: {own / 'our_h100.yaml'}:3: fixed.gp: is no argument" in err
    assert str(own) not in out


def test_a_question_is_planned_as_before_though_a_copy_is_there(cloudtop: Any, own: Path) -> None:
    words = ("ask", "cheapest H100 now", "--plan", "--json")
    before = json.loads(cloudtop(*words)[1])["calls"]
    (own / "a_copy.yaml").write_text(COPY.replace("our_h100", "a_copy"))
    assert json.loads(cloudtop(*words)[1])["calls"] == before


def test_toolsets_come_from_the_flag_else_from_the_environment(own: Path, tmp_path: Path) -> None:
    def listed(*words: str, **more: str) -> Any:
        asks = [
            {"method": "initialize", "id": 1, "params": {
                "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": INFO}},
            {"method": "notifications/initialized"},
            {"method": "tools/list", "id": 2},
        ]  # fmt: skip
        lines = "".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in asks)
        command = [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]
        done = subprocess.run(
            [*command, "--offline", "--home", str(tmp_path), "mcp", *words],
            input=lines, capture_output=True, text=True, env={**os.environ, **more}, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            return done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        return [tool["name"] for one in answers if one.get("id") == 2 for tool in one["result"]["tools"]]

    prices = ["compare_gpu_prices", "gpu_price_history"]
    (own / "our_h100.yaml").write_text(COPY + "toolsets: [ours]\n")
    assert "our_h100" not in listed()
    assert listed("--toolsets", "ours") == ["our_h100"]
    assert listed(CLOUDTOP_TOOLSETS="prices, ours") == [*prices, "our_h100"]
    assert listed("--toolsets", "prices", CLOUDTOP_TOOLSETS="ours") == prices
    assert "our_h100" in listed("--toolsets", "all")
    assert "Did you mean prices?" in listed("--toolsets", "price")
