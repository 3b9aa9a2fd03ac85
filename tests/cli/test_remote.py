"""`--server`: a real server in a process of its own, its tokens, and what else may answer there."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.main import ended
from tests.connectors.raw_servers import Server, free_port, reply, serving

COMMAND = [sys.executable, "-c", "from cloudtop.cli.main import main; main()"]
TOKENS = {
    "asker": "asker-token-canary-aaaaaaaa",
    "narrow": "narrow-token-canary-aaaaaaa",
    "hasty": "hasty-token-canary-aaaaaaaa",
    "over": "over-token-canary-aaaaaaaaa",
}
FILE = f"""\
asker {TOKENS["asker"]} prices,read
narrow {TOKENS["narrow"]} prices
hasty {TOKENS["hasty"]} prices,read rate=2/h
over {TOKENS["over"]} admin expires=2026-01-01
"""
QUESTION = "cheapest A100"


@contextmanager
def server(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server that asks no cloud and knows these tokens, and its address."""
    file = home / "tokens"
    file.write_text(FILE)
    file.chmod(0o600)
    env = {**os.environ, "CLOUDTOP_HOME": str(home), "CLOUDTOP_CONFIG": ""}
    words = ["--offline", "mcp", "--http", "127.0.0.1:0", "--token-file", str(file)]
    with subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+/mcp", process.stderr.readline())
        assert found is not None
        yield process, found[0]
        process.terminate()
        assert process.wait(10) in (0, -signal.SIGKILL)
        assert "canary" not in process.stderr.read()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("server")) as (_, found):
        yield found


class Said:
    """Exit code and what was printed where."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Ask = Callable[..., Said]


@pytest.fixture
def cloudtop(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("CLOUDTOP_CONFIG", "")
    monkeypatch.delenv("CLOUDTOP_TOKEN", raising=False)

    def run(*words: str, token: str | None = None) -> Said:
        if token is not None:
            monkeypatch.setenv("CLOUDTOP_TOKEN", token)
        capfd.readouterr()
        code = ended(["--home", str(tmp_path / "home"), *words])
        found = Said(code, *capfd.readouterr())
        assert "canary" not in found.out + found.err
        return found

    return run


def test_a_question_is_answered_by_a_server_elsewhere(cloudtop: Ask, address: str) -> None:
    said = cloudtop("ask", QUESTION, "--server", address, "--json", "-v", token=TOKENS["asker"])
    answer = json.loads(said.out)
    assert said.code == 0
    assert answer["rows"][0]["gpu"] == "A100"
    assert {one["source"] for one in answer["sources"]} == {"list"}
    told = cloudtop("ask", QUESTION, "--server", address)
    assert told.out.startswith("As of ")
    assert "Again:" not in told.out, "`cloudtop call` asks here, not there"


def test_the_token_can_come_out_of_a_file_that_is_its_owners_alone(
    cloudtop: Ask, address: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKENS['asker']}\n")
    file.chmod(0o600)
    words = ("ask", QUESTION, "--server", address, "--token-file", str(file))
    assert cloudtop(*words, token="of-nobody").code == 0
    file.chmod(0o644)
    opened = cloudtop(*words)
    assert (opened.code, "others can read" in opened.err) == (2, True)


def test_a_dialogue_goes_through_a_server_elsewhere(
    cloudtop: Ask, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{QUESTION}\nand an H100?\n"))
    said = cloudtop("chat", "--server", address, "--json", token=TOKENS["asker"])
    first, second = map(json.loads, said.out.splitlines())
    assert (first["rows"][0]["gpu"], second["rows"][0]["gpu"]) == ("A100", "H100")


def test_a_server_that_is_gone_in_the_middle_of_a_dialogue_is_told_of(
    cloudtop: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(tmp_path) as (process, url):

        class Person(io.StringIO):
            def readline(self, *size: Any) -> str:
                if self.tell():
                    process.kill()
                    process.wait(10)
                return super().readline(*size)

        monkeypatch.setattr("sys.stdin", Person(f"{QUESTION}\nand an H100?\n"))
        said = cloudtop("chat", "--server", url, token=TOKENS["asker"])
    assert (said.code, said.out[:6]) == (1, "As of ")
    assert said.err == f"The server {url} is gone. Ask again: it may have been started anew.\n"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "wants a token. Put its token into CLOUDTOP_TOKEN, or into a file for --token-file."),
        ("of-nobody", "does not take the token: The token is not known here. Ask who runs it"),
        (TOKENS["over"], "does not take the token: The token has expired."),
        (
            TOKENS["narrow"],
            "refuses: The token lacks the scope read. A question takes a token with the scopes",
        ),
        (TOKENS["hasty"], "has been asked too often: This token asked too often; wait 1"),
    ],
)
def test_a_server_that_refuses_is_told_of_in_one_sentence(
    cloudtop: Ask, address: str, token: str | None, words: str
) -> None:
    said = cloudtop("ask", QUESTION, "--server", address, token=token)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"The server {address} {words}")
    assert said.err.count("\n") == 1
    assert "error" in json.loads(cloudtop("ask", QUESTION, "--server", address, "--json").out)


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        (["--server", "nonsense"], None, "is no address. Such as https://"),
        (["--server", "ftp://mcp.example.com/mcp"], None, "is no address. Such as https://"),
        (
            ["--server", "http://me:canary@127.0.0.1/mcp"],
            None,
            "with a name and a password in it is not used",
        ),
        (["--server", "http://mcp.example.com/mcp"], "a", "anybody on the way to mcp.example.com could read"),
        (["--server", "http://127.0.0.1/mcp"], "two words", "CLOUDTOP_TOKEN holds no token"),
        (["--server", "http://127.0.0.1/mcp"], "a\r\nX-More: canary", "CLOUDTOP_TOKEN holds no token"),
        (["--server", "http://127.0.0.1/mcp", "--token-file", "none"], None, "none: there is no such file"),
        (["--server", "http://127.0.0.1/mcp", "--offline"], None, "--offline is about an own server"),
        (["--token-file", "none"], None, "--token-file is for a server at --server"),
    ],
)
def test_a_command_line_that_would_lead_astray_is_refused_before_anybody_is_asked(
    cloudtop: Ask, words: list[str], token: str | None, said: str
) -> None:
    found = cloudtop("ask", QUESTION, *words, token=token)
    assert found.code == 2
    assert said in found.err


def test_nobody_there_is_said(cloudtop: Ask) -> None:
    url = f"http://127.0.0.1:{free_port()}/mcp"
    said = cloudtop("ask", QUESTION, "--server", url)
    assert (said.code, said.err) == (
        1, f"The server {url} cannot be reached. Check the address given with --server.\n",
    )  # fmt: skip


def test_a_wrong_path_of_the_right_server_is_said(cloudtop: Ask, address: str) -> None:
    for path in ("/", "/healthz", "/mcp/x"):
        said = cloudtop("ask", QUESTION, "--server", address.replace("/mcp", path), token=TOKENS["asker"])
        assert "does not speak MCP there. The address of cloudtop's ends with /mcp." in said.err, path


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{")
    await writer.drain()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(502, b"<html>", Content_Type="text/html"), "failed (status 502). Try again later."),
        (
            reply(
                403,
                {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "\x1b[2J" + "no \u202e" * 900}},
                Content_Type="application/json",
            ),
            "refuses: no no no",
        ),
        (reply(200, b"<html>", Content_Type="text/html"), "does not speak MCP there"),
        (reply(200, b"{", Content_Type="application/json"), "does not speak MCP there"),
        (reply(204), "does not speak MCP there"),
        (cut, "cannot be reached"),
        (silent, "did not answer in time. Give it longer: --timeout."),
    ],
    ids=["502", "a novel", "a page", "no JSON", "nothing", "cut", "silent"],
)  # fmt: skip
async def test_what_is_no_server_of_ours_is_told_in_one_sentence(
    cloudtop: Ask, answer: Any, words: str
) -> None:
    async with serving(answer) as other:
        asking = ("ask", QUESTION, "--server", f"{other.url}/mcp", "--timeout", "0.5")
        said = await asyncio.to_thread(cloudtop, *asking, token=TOKENS["asker"])
    assert said.code == 1
    assert words in said.err
    assert said.err.count("\n") == 1
    assert len(said.err) < 400
    assert said.err.strip().isprintable()


async def test_a_token_is_not_shown_to_whomever_a_server_points_at(cloudtop: Ask) -> None:
    async with serving(reply(200)) as other:
        moved = reply(307, Location=f"{other.url}/mcp")
        async with serving(moved) as asked:
            said = await asyncio.to_thread(
                cloudtop, "ask", QUESTION, "--server", f"{asked.url}/mcp", token=TOKENS["asker"]
            )
    assert said.code == 1
    assert bearer(asked) == {f"Bearer {TOKENS['asker']}"}
    assert other.requests == []


def bearer(asked: Server) -> set[str]:
    return {request.headers["authorization"] for request in asked.requests}
