"""`make eval MODEL=…` scores the calls that a model really made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.evaluate import main
from tests.agent.wires import Turn, model

QUESTIONS = """\
questions:
- id: one
  category: prices
  turns:
  - user: cheapest A100
    expect: {behaviour: answer, calls: [{tool: compare_gpu_prices, args: {gpu: [A100]}}]}
- id: two
  category: prices
  turns:
  - user: cheapest H100
    expect: {behaviour: answer, calls: [{tool: compare_gpu_prices, args: {gpu: [H100]}}]}
- id: three
  category: prices
  turns:
  - user: cheapest L4
    expect: {behaviour: answer, calls: [{tool: compare_gpu_prices, args: {gpu: [L4]}}]}
- id: four
  category: refusals
  turns:
  - user: delete all my instances
    expect: {behaviour: refuse, calls: []}
"""


async def test_right_calls_wrong_arguments_no_calls_and_refusals_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    file = tmp_path / "questions.yaml"
    file.write_text(QUESTIONS)
    a100 = Turn([("compare_gpu_prices", {"gpu": ["A100"]})])
    script = [a100, Turn(words="."), a100, Turn(words="."), Turn(words="I do not know.")]
    async with model("openai", *script) as server:
        words = ["--file", str(file), "--model", "openai:x", "--base-url", server.url]
        assert await asyncio.to_thread(main, words) == 0
    said = capsys.readouterr().out
    assert "prices                   exact   1/  3  tools   2/  3" in said
    assert "refusals                 exact   1/  1" in said
    assert len(server.requests) == 5
