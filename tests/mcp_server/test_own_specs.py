"""A user's own narrowed copies: what they may say, what they may not, and that they only ever narrow."""

from __future__ import annotations

import pytest
from mcp import Client

from mcp_server.own_specs import copy_mistakes
from mcp_server.runtime import Runtime
from mcp_server.server import build_server
from mcp_server.spec_compiler import compiled
from mcp_server.specs import FOLDER, LeftOut, load
from tests.mcp_server.yard import Yard, house, write_specs

COPY = """\
name: red_cars
narrows: list_cars
title: Red cars
description: |
  List the red cars of the yard.
  Use for questions about red cars. Not for others.
fixed: {color: red, max_age: 5m, doors: "4"}
words: {brand: who built the red car}
toolsets: [mine]
examples:
  - question: Red cars of vw
    arguments: {make: vw}
"""


@pytest.fixture
def folders(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "red_cars.yaml").write_text(COPY, encoding="utf-8")
    return write_specs(tmp_path / "specs"), own


def of(folders):
    return load(folders[0], own=folders[1])


def test_a_copy_has_its_own_name_and_words_and_lacks_what_it_fixes(folders):
    copy, tool = of(folders)["red_cars"], of(folders)["list_cars"]
    assert (copy.title, copy.toolsets, copy.narrows) == ("Red cars", ["mine"], "list_cars")
    assert copy.description.startswith("List the red cars")
    assert set(tool.parameters) - set(copy.parameters) == {"colour", "max_age", "doors"}
    assert set(copy.input_schema["properties"]) == set(copy.parameters)
    assert copy.input_schema["properties"]["make"]["description"] == "who built the red car"
    assert tool.input_schema["properties"]["make"]["description"] == "who built it"
    assert copy.fixed == {"colour": "red", "max_age": 300.0, "doors": 4}
    assert (copy.annotations, copy.row_schemas) == (tool.annotations, tool.row_schemas)


def test_without_words_of_its_own_a_copy_has_those_of_its_tool(folders):
    (folders[1] / "red_cars.yaml").write_text("name: red_cars\nnarrows: list_cars\n", encoding="utf-8")
    copy, tool = of(folders)["red_cars"], of(folders)["list_cars"]
    assert (copy.title, copy.description, copy.toolsets) == (tool.title, tool.description, tool.toolsets)
    assert copy.nl == {"cues": [], "examples": []}


async def test_what_is_fixed_is_passed_in_every_call_and_cannot_be_changed(tmp_path, folders):
    yard = Yard()
    tools = Runtime(of(folders), {"list_cars": yard.run}, house(tmp_path))
    tools.check()
    outcome = await tools.call("red_cars", {"make": "vw", "limit": 1})
    assert not outcome.is_error
    assert outcome.structured["applied"] == {"colour": "red"}
    passed = {name: yard.seen[0][name] for name in ("colour", "max_age", "doors", "make", "limit")}
    assert passed == {"colour": "red", "max_age": 300.0, "doors": 4, "make": ["vw"], "limit": 1}
    for name in ("colour", "color", "doors"):
        refused = await tools.call("red_cars", {name: "blue"})
        assert refused.is_error
        assert f"{name}: is no argument of red_cars" in refused.text
    assert len(yard.seen) == 1


async def test_pages_of_a_copy_and_of_its_tool_are_not_mixed_up(tmp_path, folders):
    tools = Runtime(of(folders), {"list_cars": Yard().run}, house(tmp_path))
    first = await tools.call("red_cars", {"limit": 1})
    cursor = first.structured["next_cursor"]
    second = await tools.call("red_cars", {"limit": 1, "cursor": cursor})
    assert second.structured["rows"][0]["name"] == "car 1"
    assert (await tools.call("list_cars", {"limit": 1, "cursor": cursor})).is_error


async def test_a_format_and_fields_may_be_fixed_too(tmp_path, folders):
    text = "name: red_cars\nnarrows: list_cars\nfixed: {format: json, fields: [name], limit: 2}\n"
    (folders[1] / "red_cars.yaml").write_text(text, encoding="utf-8")
    tools = Runtime(of(folders), {"list_cars": Yard().run}, house(tmp_path))
    outcome = await tools.call("red_cars")
    assert outcome.text.startswith('{"rows":[{"name":"car 0"},{"name":"car 1"}]')


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_clients_see_a_copy_beside_its_tool(tmp_path, folders, era):
    tools = Runtime(of(folders), {"list_cars": Yard().run}, house(tmp_path))
    async with Client(build_server(tools, {}), mode=era) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(listed) == ["list_cars", "red_cars"]
        assert "colour" not in listed["red_cars"].input_schema["properties"]
        result = await client.call_tool("red_cars", {})
    assert result.structured_content["applied"] == {"colour": "red"}


BROKEN = {
    "an unknown key": ("title: Red", "titel: Red", "titel", "Did you mean title?"),
    "a tool nobody has": ("narrows: list_cars", "narrows: list_car", "narrows", "Did you mean list_cars?"),
    "no tool": ("narrows: list_cars\n", "", "name", "Add narrows (the tool it is a copy of)."),
    "the name of a tool": ("name: red_cars", "name: list_cars", "name", "rename the file"),
    "an argument the tool lacks": ("{color: red", "{colr: red", "fixed", "Did you mean color?"),
    "a value the tool refuses": ("color: red", "color: rde", "fixed", "Did you mean red?"),
    "a value that is null": ("color: red", "color: null", "fixed", "Give a value"),
    "a cursor": ("color: red", "cursor: abc", "fixed", "Take it out."),
    "one argument under two names": ("color: red", "color: red, colour: red", "fixed", "Keep one of them."),
    "words about what is fixed": ("{brand: who", "{colour: who", "words", "Take it out."),
    "words about nothing": ("{brand: who", "{brnd: who", "words", "Did you mean brand?"),
    "an example with a fixed argument": ("{make: vw}", "{colour: red}", "- question", "Accepted:"),
    "annotations of its own": ("toolsets: [mine]", "annotations: {readOnly: true}", "annot", "no key"),
    "rows of its own": ("toolsets: [mine]", "rows: {}", "rows: {}", "no key"),
    "a key given twice": ("title: Red cars", "title: Red cars\ntitle: Cars", "title: Cars", "Keep one"),
    "text that is not YAML": ("title: Red cars", "title: [Red", "title", "Mend the YAML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_copy_is_left_out_with_file_line_and_what_to_do_and_the_rest_works(folders, mistake):
    old, new, at, step = BROKEN[mistake]
    text = COPY.replace(old, new)
    assert text != COPY
    file = folders[1] / "red_cars.yaml"
    file.write_text(text, encoding="utf-8")
    (folders[1] / "blue_cars.yaml").write_text(
        "name: blue_cars\nnarrows: list_cars\nfixed: {colour: blue}\n", encoding="utf-8"
    )
    left_out: list[LeftOut] = []
    assert list(load(folders[0], own=folders[1], left_out=left_out)) == ["blue_cars", "list_cars"]
    (one,) = left_out
    line = next((n for n, part in enumerate(text.splitlines(), 1) if at in part), None)
    assert one.file == str(file)
    assert one.message.startswith(f"{file}:")
    assert step in one.message
    if mistake != "text that is not YAML":
        assert one.message.startswith(f"{file}:{line}: ")
    (first, *_) = copy_mistakes(file, compiled([folders[0]]))
    assert str(first) == one.message


def test_files_that_editors_hide_and_a_folder_that_is_not_there_are_nothing(tmp_path, folders):
    (folders[1] / ".red_cars.yaml").write_text("broken: [", encoding="utf-8")
    (folders[1] / ".#red_cars.yaml").symlink_to("nobody@nowhere")
    left_out: list[LeftOut] = []
    assert "red_cars" in load(folders[0], own=folders[1], left_out=left_out)
    assert list(load(folders[0], own=tmp_path / "nothing", left_out=left_out)) == ["list_cars"]
    assert left_out == []


def test_of_two_files_that_claim_one_name_the_first_counts(folders):
    (folders[1] / "red_cars.yml").write_text(COPY.replace("Red cars", "Others"), encoding="utf-8")
    (folders[1] / "blue_cars.yml").write_text("name: blue_cars\nnarrows: list_cars\n", encoding="utf-8")
    left_out: list[LeftOut] = []
    found = load(folders[0], own=folders[1], left_out=left_out)
    assert list(found) == ["blue_cars", "list_cars", "red_cars"]
    assert found["red_cars"].title == "Red cars"
    assert [one.file for one in left_out] == [str(folders[1] / "red_cars.yml")]


def test_kept_copies_are_the_same_and_so_is_what_is_said_of_a_broken_one(tmp_path, folders):
    (folders[1] / "bad.yaml").write_text("name: bad\n", encoding="utf-8")
    said: list[list[LeftOut]] = [[], []]
    first, second = (load(folders[0], own=folders[1], left_out=one, cache_dir=tmp_path) for one in said)
    assert first == second
    assert said[0] == said[1]
    assert len(said[0]) == 1


def test_every_shipped_tool_can_be_narrowed(tmp_path):
    taken = {
        name: "limit" if "limit" in spec.parameters else next(iter(spec.parameters))
        for name, spec in load().items()
    }
    for name, fixed in taken.items():
        (tmp_path / f"our_{name}.yaml").write_text(
            f"name: our_{name}\nnarrows: {name}\nfixed: {{{fixed}: 3}}\n"
        )
    left_out: list[LeftOut] = []
    found = load(FOLDER, own=tmp_path, left_out=left_out)
    assert left_out == []
    assert all(fixed not in found[f"our_{name}"].parameters for name, fixed in taken.items())
