"""A running server whose spec files change: both eras are told, and a broken edit changes nothing."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from functools import partial

import pytest
from mcp import Client

from mcp_server.live_specs import LiveSpecs
from mcp_server.runtime import Runtime
from mcp_server.server import build_server
from mcp_server.specs import load
from tests.mcp_server.test_http import started
from tests.mcp_server.test_own_specs import COPY
from tests.mcp_server.yard import SPEC, Yard, house, write_specs

LOOK_S = 0.02


class Place:
    """A server over folders that a test edits."""

    def __init__(self, home) -> None:
        self.specs, self.own = write_specs(home / "specs"), home / "own"
        self.own.mkdir()
        self.write(self.own / "red_cars.yaml", COPY)
        read = partial(load, self.specs, own=self.own)
        self.runtime = Runtime(read(), {"list_cars": Yard().run}, house(home))
        self.live = LiveSpecs(
            self.runtime, lambda left_out: read(left_out=left_out), (self.specs, self.own), LOOK_S
        )

    def write(self, file, text: str) -> None:
        file.write_text(text, encoding="utf-8")

    async def settle(self) -> bool:
        """Two looks: one that sees the change, one that finds it at rest."""
        return [await self.live.look() for _ in range(2)][-1]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


async def titles(client) -> list[str]:
    return [tool.title for tool in (await client.list_tools()).tools]


async def test_a_client_of_the_new_era_is_told_and_sees_the_new_words(place):
    async with Client(build_server(place.runtime, {}, live=place.live)) as client:
        assert await titles(client) == ["List cars", "Red cars"]
        async with asyncio.timeout(5), client.listen(tools_list_changed=True) as told:
            place.write(place.own / "red_cars.yaml", COPY.replace("title: Red cars", "title: Crimson"))
            assert type(await anext(aiter(told))).__name__ == "ToolsListChanged"
        assert await titles(client) == ["List cars", "Crimson"]


async def test_a_client_of_the_older_era_is_told_and_sees_the_new_words(place):
    told = asyncio.Event()

    async def hear(message):
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            told.set()

    server = build_server(place.runtime, {}, live=place.live)
    async with Client(server, mode="legacy", message_handler=hear) as client:
        assert await titles(client) == ["List cars", "Red cars"]
        place.write(place.specs / "list_cars.yaml", SPEC.replace("title: List cars", "title: All cars"))
        async with asyncio.timeout(5):
            await told.wait()
        assert await titles(client) == ["All cars", "Red cars"]


@pytest.mark.parametrize("folder", ["specs", "own"])
async def test_a_broken_edit_keeps_every_tool_and_says_file_and_line(place, folder, caplog):
    file = next(path for path in getattr(place, folder).glob("*_cars.yaml"))
    before = dict(place.runtime.specs)
    place.write(file, file.read_text().replace("title:", "titel:"))
    with caplog.at_level(logging.WARNING):
        assert await place.settle() is False
    assert place.runtime.specs == before
    assert f"{file}:" in caplog.text
    assert "Did you mean title?" in caplog.text
    place.write(file, file.read_text().replace("titel:", "title: New"))
    assert await place.settle() is True
    assert any(spec.title.startswith("New") for spec in place.runtime.specs.values())


async def test_a_broken_edit_of_one_copy_does_not_hold_up_another(place):
    place.write(place.own / "red_cars.yaml", "name: [")
    place.write(place.own / "blue_cars.yaml", "name: blue_cars\nnarrows: list_cars\nfixed: {colour: blue}\n")
    assert await place.settle() is True
    assert list(place.runtime.specs) == ["blue_cars", "list_cars", "red_cars"]


async def test_a_copy_that_is_deleted_goes_and_one_that_comes_is_there(place):
    (place.own / "red_cars.yaml").unlink()
    assert await place.settle() is True
    assert list(place.runtime.specs) == ["list_cars"]
    place.write(place.own / "red_cars.yaml", COPY)
    assert await place.settle() is True
    assert (await place.runtime.call("red_cars")).structured["applied"] == {"colour": "red"}


async def test_nobody_is_told_of_a_change_that_changes_no_tool(place):
    place.write(place.specs / "list_cars.yaml", f"# a remark\n{SPEC}")
    assert await place.settle() is False
    os.utime(place.own / "red_cars.yaml", ns=(1, 1))
    assert await place.settle() is False


async def test_a_file_that_is_still_being_written_is_not_read(place):
    for part in (COPY[:20], COPY[:60], COPY[:90]):
        place.write(place.own / "red_cars.yaml", part)
        assert await place.live.look() is False
    place.write(place.own / "red_cars.yaml", COPY.replace("title: Red cars", "title: Crimson"))
    assert await place.settle() is True


async def test_a_spec_that_its_handler_does_not_fit_changes_nothing(place, caplog):
    before = dict(place.runtime.specs)
    place.write(place.specs / "list_cars.yaml", SPEC.replace("  doors: {", "  gates: {"))
    (place.own / "red_cars.yaml").unlink()
    with caplog.at_level(logging.WARNING):
        assert await place.settle() is False
    assert place.runtime.specs == before
    assert "the tools stay as they were" in caplog.text


async def test_an_answer_kept_from_before_is_not_given_for_what_a_name_means_now(place):
    assert (await place.runtime.call("red_cars")).structured["applied"] == {"colour": "red"}
    place.write(place.own / "red_cars.yaml", COPY.replace("color: red", "color: blue"))
    assert await place.settle() is True
    assert (await place.runtime.call("red_cars")).structured["applied"] == {"colour": "blue"}


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_clients_over_http_are_told_too(tmp_path, monkeypatch, era):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own = tmp_path / "cloudtop" / "tool_specs"
    own.mkdir(parents=True)
    told = asyncio.Event()

    async def hear(message):
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            told.set()

    with started(tmp_path, "--stateful") as (_, url):
        async with Client(url, mode=era, message_handler=hear) as client:
            before = await titles(client)
            async with asyncio.timeout(10), listening(client, era):
                (own / "mine.yaml").write_text("name: mine\nnarrows: list_providers\ntitle: Mine\n")
                await told.wait()
            assert await titles(client) == [*before, "Mine"]


@asynccontextmanager
async def listening(client, era):
    """A client of the new era asks to be told; one of the older is told anyway."""
    if era == "legacy":
        yield
        return
    async with client.listen(tools_list_changed=True):
        yield
