"""The documentation says what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from agent.outgoing import COLUMNS
from cloudtop.agent_settings import Agent
from cloudtop.cli.main import parser
from tests.docs import DOCS, EFFECTS, ROOT, keys, pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_a_made_page_is_what_its_sources_say(path: Path) -> None:
    assert path.is_file(), "run: make docs"
    assert path.read_text(encoding="utf-8") == PAGES[path], "run: make docs"


def test_every_configuration_key_has_its_effect_described() -> None:
    assert [key for key, _ in keys()] == [key for key in EFFECTS if key in dict(keys())]
    assert set(dict(keys())) == set(EFFECTS)


def test_no_page_is_left_of_a_tool_or_provider_that_went() -> None:
    made = {path for path in PAGES if path.parent != DOCS}
    assert {*DOCS.glob("tools/*.md"), *DOCS.glob("providers/*.md")} == made


def commands_shown(text: str) -> list[str]:
    return re.findall(
        r"^\$? ?(cloudtop [^\n`]+)$", "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.S)), re.M
    )


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_command_shown_is_one_that_cloudtop_takes(name: str) -> None:
    for line in commands_shown((ROOT / name).read_text(encoding="utf-8")):
        words = shlex.split(line, comments=True)[1:]
        assert parser().parse_args(words).command, line


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_page_on_models_lists_the_columns_that_leave_and_the_bounds() -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    listed = page.partition("as many rows as fit:")[2].partition("Nothing else")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == COLUMNS
    usual = Agent()
    bounds = dict(re.findall(r"^\| `agent\.(\w+)` \| ([\d,]+)", page, re.M))
    assert {name: int(said.replace(",", "")) for name, said in bounds.items()} == {
        "turns": usual.turns,
        "calls": usual.calls,
        "tokens": usual.tokens,
        "timeout": usual.timeout_s,
        "result_letters": usual.result_letters,
    }
