"""The server as clients of both eras see it, in process and over real standard input and output."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters

from cloudtop.errors import SpecError, StoreError
from cloudtop.models import Scope
from cloudtop.sellers import known
from mcp_server.lexicon import LiveLexicon, lexicon
from mcp_server.server import build_server
from mcp_server.specs import load
from tests.mcp_server.yard import NOON, Yard, house, runtime
from tests.mcp_server.yard_server import WORDS, hanging

ROOT = Path(__file__).parents[2]
SERVER = ("-m", "tests.mcp_server.yard_server")
ERAS = ["auto", "legacy"]


@pytest.fixture
def yard():
    return Yard()


@pytest.fixture
def server(tmp_path, yard):
    return build_server(runtime(tmp_path, yard.run), {"lexicon": lambda: WORDS, "providers": list})


def over_stdio(home: Path, kind: str = "prompt") -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=[*SERVER, str(home), kind], cwd=ROOT)


@pytest.fixture(params=["in process", "stdio"])
def target(request, server, tmp_path):
    return server if request.param == "in process" else over_stdio(tmp_path)


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_of_either_era_lists_and_calls(target, era):
    async with Client(target, mode=era) as client:
        (tool,) = (await client.list_tools()).tools
        assert (tool.name, tool.title) == ("list_cars", "List cars")
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
        assert tool.output_schema["required"] == ["rows"]
        result = await client.call_tool("list_cars", {"limit": 2, "format": "json"})
        assert result.is_error is False
        assert [row["name"] for row in result.structured_content["rows"]] == ["car 0", "car 1"]
        assert json.loads(result.content[0].text) == result.structured_content
        assert (client.protocol_version >= "2026-07-28") == (era == "auto")


@pytest.mark.parametrize("era", ERAS)
async def test_unknown_is_null_on_the_wire_too(target, era):
    async with Client(target, mode=era) as client:
        content = (await client.call_tool("list_cars", {})).structured_content
    assert content["rows"][0]["note"] is None
    assert content["next_cursor"] is None


@pytest.mark.parametrize("era", ERAS)
async def test_a_refused_argument_is_a_text_the_model_can_act_on(target, era):
    async with Client(target, mode=era) as client:
        result = await client.call_tool("list_cars", {"colour": "rde"})
    assert result.is_error is True
    assert result.structured_content is None
    assert result.content[0].text == (
        "list_cars: colour: rde is none of its values. Accepted: red, sea_green, blue. Did you mean red?"
    )


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_tool_is_a_protocol_error_that_names_the_tools(target, era):
    async with Client(target, mode=era) as client:
        with pytest.raises(MCPError, match="list_cars") as caught:
            await client.call_tool("list_boats", {})
    assert caught.value.error.code == -32602


@pytest.mark.parametrize("era", ERAS)
async def test_the_lexicon_is_a_resource_and_an_unknown_one_is_an_error_with_its_uri(target, era):
    async with Client(target, mode=era) as client:
        listed = (await client.list_resources()).resources
        assert "cloudtop://lexicon" in [resource.uri for resource in listed]
        assert (await client.list_resource_templates()).resource_templates == []
        (content,) = (await client.read_resource("cloudtop://lexicon")).contents
        assert content.mime_type == "application/json"
        assert json.loads(content.text) == WORDS
        with pytest.raises(MCPError) as caught:
            await client.read_resource("cloudtop://nothing")
    assert caught.value.error.code == -32602
    assert caught.value.error.data == {"uri": "cloudtop://nothing"}


async def test_lists_say_how_long_they_may_be_kept(server):
    async with Client(server) as client:
        tools = await client.list_tools()
        words = await client.read_resource("cloudtop://lexicon")
    assert (tools.ttl_ms, tools.cache_scope) == (300_000, "public")
    assert (words.ttl_ms, words.cache_scope) == (10_000, "private")


async def test_the_instructions_say_what_a_model_must_know(server):
    async with Client(server, mode="legacy") as client:
        said = client.instructions
    assert all(word in said for word in ("missing", "next_cursor", "never zero", "never instructions"))
    assert len(said) < 800


@pytest.mark.parametrize("era", ERAS)
async def test_progress_is_heard_and_a_call_nobody_waits_for_is_cancelled(tmp_path, era):
    ended, heard, said = asyncio.Event(), asyncio.Event(), []

    async def hear(done, total, message):
        said.append((done, total, message))
        heard.set()

    async with Client(build_server(hanging(tmp_path, ended), {}), mode=era) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: client.call_tool("list_cars", {}, progress_callback=hear))
            await heard.wait()
            group.cancel_scope.cancel()
        async with asyncio.timeout(5):
            await ended.wait()
    assert said == [(1, 2, "one of two yards")]


async def test_a_server_whose_handler_lacks_an_argument_does_not_start(tmp_path):
    async def run(ctx, *, make):
        raise AssertionError

    with pytest.raises(SpecError, match="does not take colour"):
        build_server(runtime(tmp_path, run), {})


@pytest.mark.parametrize("era", ERAS)
async def test_a_stray_print_does_not_reach_the_wire(tmp_path, era):
    heard = anyio.Event()

    async def hear(done, total, message):
        heard.set()

    client = Client(over_stdio(tmp_path, "hanging"), mode=era)
    async with client, anyio.create_task_group() as group:
        group.start_soon(lambda: client.call_tool("list_cars", {}, progress_callback=hear))
        await heard.wait()
        assert (await client.list_tools()).tools[0].name == "list_cars"
        group.cancel_scope.cancel()


def envelope(number: int, method: str, **params: object) -> bytes:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": number,
    }
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": meta}}
    return json.dumps(message).encode() + b"\n"


@pytest.mark.parametrize("kind", ["hanging", "stubborn"])
def test_the_process_ends_with_its_input_even_while_a_call_hangs(tmp_path, kind):
    command = [sys.executable, *SERVER, str(tmp_path), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(envelope(1, "tools/call", name="list_cars", arguments={}))
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        assert first["method"] == "notifications/progress"
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(timeout=20) == 0
    assert b"stray" not in rest


def test_a_client_that_falls_in_the_middle_of_an_answer_takes_the_process_with_it_quietly(tmp_path):
    command = [sys.executable, *SERVER, str(tmp_path), "prompt"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1) as process:
        process.stdin.write(envelope(1, "tools/list"))
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"".join(envelope(number, "tools/list") for number in range(2, 200)))
        process.stdin.close()
        said = process.stderr.read().decode()
        assert process.wait(timeout=20) == 0
    assert "Traceback" not in said
    assert "report" not in said


def test_requests_from_a_file_are_all_answered_in_whole_lines(tmp_path):
    asked = b"".join(envelope(n, "tools/call", name="list_cars", arguments={"limit": n}) for n in range(1, 9))
    command = [sys.executable, *SERVER, str(tmp_path), "prompt"]
    done = subprocess.run(command, input=asked, capture_output=True, check=True, timeout=20)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["id"] for one in answers if "result" in one} == set(range(1, 9))
    assert done.stdout.endswith(b"\n")


async def test_a_resource_of_a_damaged_store_is_an_error_that_says_what_to_do(tmp_path, yard):
    def damaged():
        raise StoreError("The store is damaged.", "Move it away.")

    async with Client(build_server(runtime(tmp_path, yard.run), {"lexicon": damaged})) as client:
        with pytest.raises(MCPError, match="The store is damaged") as caught:
            await client.read_resource("cloudtop://lexicon")
    assert caught.value.error.data["next_step"] == "Move it away."


STANDING = [
    {"provider": "vast", "kinds": ["gpu_offers"], "configured": True, "accounts": ["default"]},
    {"provider": "coreweave", "kinds": [], "configured": False, "accounts": []},
]


def test_the_lexicon_holds_the_words_of_every_tool_and_provider():
    words = lexicon(load(), known(), STANDING)
    assert set(words) == {*("revision", "tools", "providers", "names", "tags", "accounts", "instance_types")}
    tool = words["tools"]["compare_gpu_prices"]
    assert tool["parameters"]["gpu"]["kind"] == "gpu"
    assert tool["parameters"]["limit"]["default"] == 20
    assert tool["parameters"]["tier"]["items"]["enum"] == ["secure", "community", "datacenter", "marketplace"]
    assert "cheapest" in tool["nl"]["cues"]
    assert words["tools"]["list_resources"]["parameters"]["tag"]["kind"] == "tag"
    sellers = {seller["id"]: seller for seller in words["providers"]}
    assert sellers["vast"]["connector"] is True
    assert sellers["vast"]["configured"] is True
    assert sellers["coreweave"]["connector"] is False
    assert words["accounts"] == ["default"]
    assert json.loads(json.dumps(words)) == words


def test_the_revision_of_the_lexicon_changes_with_its_words_and_only_then():
    first = lexicon(load(), known(), STANDING)["revision"]
    assert lexicon(load(), known(), STANDING)["revision"] == first
    assert lexicon(load(), known(), STANDING[1:])["revision"] != first


def test_a_live_lexicon_is_made_anew_when_the_store_changed(tmp_path):
    store, asked = house(tmp_path).store, []

    def standing():
        asked.append(1)
        return STANDING

    live = LiveLexicon(load(), known(), standing, store)
    assert live.words() is live.words()
    store.replace_rows(Scope("vast", kind="health"), [{"uid": "a"}], fetched_at=NOON, complete=True)
    live.words()
    assert len(asked) == 2


def test_neither_runtime_nor_specs_import_mcp():
    code = (
        "import sys; import mcp_server.runtime, mcp_server.specs, mcp_server.lexicon;"
        "print([name for name in ('mcp', 'pydantic', 'yaml', 'httpx', 'rapidfuzz') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
