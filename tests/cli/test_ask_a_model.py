"""`--model` on the command line: a scripted server on loopback in place of the provider."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.main import ended
from tests.agent.wires import Turn, model
from tests.connectors.raw_servers import Server
from tests.switched import only

LIST = """\
provider,instance_type,region,gpu,gpu_count,gpu_memory_gib,price_per_hour_usd,as_of,source
lambda,one,us-east-1,A100,1,80,1.5,2026-11-01,made up
lambda,two,us-east-1,H100,1,80,2.5,2026-11-01,made up
"""
A100, H100 = (("compare_gpu_prices", {"gpu": [gpu]}) for gpu in ("A100", "H100"))


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    monkeypatch.setenv("CLOUDTOP_CONFIG", "")


def words(tmp_path: Path, server: Server | None = None, **agent: Any) -> list[str]:
    (tmp_path / "list.csv").write_text(LIST)
    lists = {"options": {"files": [str(tmp_path / "list.csv")], "shipped": False}}
    said = {**agent, **({"base_url": server.url} if server else {})}
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"agent": said, "providers": {**only(), "pricelist": lists}}))
    return ["--config", str(file), "--home", str(tmp_path / "home")]


async def test_a_model_named_on_the_command_line_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with model("openai", Turn([A100]), Turn(words="lambda asks $1.50 per GPU-hour.")) as server:
        line = [*words(tmp_path, server), "ask", "--json", "--model", "openai:x", "cheapest A100"]
        assert await asyncio.to_thread(ended, line) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["model"] == "openai:x"
    assert "lambda asks $1.50 per GPU-hour." in said["answer"]
    assert "canary" not in json.dumps(said)


async def test_a_configured_model_answers_and_the_planner_is_one_option_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with model("openai", Turn([A100]), Turn(words="Done.")) as server:
        line = [*words(tmp_path, server, model="openai:x"), "ask", "--json", "cheapest A100"]
        assert await asyncio.to_thread(ended, line) == 0
        assert json.loads(capsys.readouterr().out)["model"] == "openai:x"
        assert await asyncio.to_thread(ended, [*line, "--model", "planner"]) == 0
        assert json.loads(capsys.readouterr().out)["model"] == "planner"
        assert len(server.requests) == 2


async def test_a_later_line_of_a_chat_is_asked_with_the_ones_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("cheapest A100\nand the H100?\n/new\ncheapest A100\n"))
    script = [Turn([A100]), Turn(words="1."), Turn([H100]), Turn(words="2."), Turn([A100]), Turn(words="3.")]
    async with model("openai", *script) as server:
        line = [*words(tmp_path, server), "chat", "--json", "--model", "openai:x"]
        assert await asyncio.to_thread(ended, line) == 0
    answers = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert [one["rows"][0]["gpu"] for one in answers] == ["A100", "H100", "A100"]
    second = json.dumps(server.requests[2].json["messages"])
    assert "cheapest A100" in second
    assert "compare_gpu_prices" in second
    assert "and the H100?" not in json.dumps(server.requests[4].json["messages"]), "/new forgets"


def test_a_plan_asks_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [*words(tmp_path), "ask", "--plan", "--json", "--model", "openai:x", "cheapest A100"]
    assert ended(line) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "planned"


def test_without_a_model_no_package_of_one_is_imported(tmp_path: Path) -> None:
    heavy = ["langchain", "langchain_openai", "langchain_anthropic", "openai", "anthropic", "tiktoken"]
    code = (
        "import sys\nfrom cloudtop.cli.main import ended\n"
        f"code = ended({[*words(tmp_path), 'ask', 'cheapest A100']!r})\n"
        f"print(code, sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stderr.splitlines()[-1] == "0 []", run.stderr
