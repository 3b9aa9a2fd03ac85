"""`sync` reads what no question waits for, goes on where it stopped, and says what it could not read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudtop.cli.main import ended
from cloudtop.sandbox.serve import Sandbox, running

SELLERS = ("aws", "verda", "vultr")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(SELLERS, moving=False) as started:
        yield started


@pytest.fixture
def sync(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    sandbox.calm()

    def run(*words: str, **providers: Any) -> tuple[int, Any]:
        document = sandbox.config()
        for name, more in providers.items():
            document["providers"][name] |= more
        file = tmp_path / "config.json"
        file.write_text(json.dumps(document))
        code = ended(["--config", str(file), "--home", str(tmp_path / "home"), "sync", "--json", *words])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_everything_is_read_and_a_second_time_only_what_is_old(sync: Any, sandbox: Sandbox) -> None:
    code, told = sync()
    assert code == 0
    assert {row["provider"] for row in told["rows"]} == set(SELLERS)
    assert {row["state"] for row in told["rows"]} == {"complete"}
    sandbox.calm()
    assert sync()[0] == 0
    assert sandbox.requests == []


def test_a_region_that_failed_is_read_alone_the_next_time(sync: Any, sandbox: Sandbox) -> None:
    sandbox.fault("aws", "403", text="/eu-south-2/")
    code, told = sync("aws")
    assert code == 0
    states = {row["account"]: row["state"] for row in told["rows"]}
    assert states == {"public": "partial", "prod": "complete", "sandbox": "complete"}
    (missing,) = told["missing"]
    assert (missing["region"], missing["code"]) == ("eu-south-2", "forbidden")
    sandbox.calm()
    assert sync("aws", "--strict")[0] == 0
    assert [one.path for one in sandbox.requests if "eu-south-2" in one.path]
    assert not [one.path for one in sandbox.requests if "us-east-1/index" in one.path]


def test_nothing_that_could_be_read_is_exit_1_whatever_list_is_shipped(sync: Any) -> None:
    dead = {"options": {"endpoint": "http://127.0.0.1:9"}}
    code, told = sync(**dict.fromkeys(SELLERS, dead))
    assert code == 1
    assert told["rows"] == []
    assert {one["provider"] for one in told["missing"]} == set(SELLERS)


def test_a_part_is_exit_3_when_a_part_is_not_enough(sync: Any, sandbox: Sandbox) -> None:
    sandbox.fault("vultr", "500")
    assert sync("verda", "vultr", "--strict", "--timeout", "1")[0] == 3


def test_a_bad_option_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["--home", str(tmp_path), "sync", "--every", "banana"]) == 2
    assert "--every" in capsys.readouterr().err
