"""The sandbox's answers against the providers' OpenAPI documents: all that reading a whole company takes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cloudtop.sandbox.faults import Armed, Exchange
from connectors import discovery
from tests.audit import company
from tests.audit.asking import asking
from tests.shapes import PROVIDERS, complaints

Heard = tuple[str, str, int, bytes]
ELSEWHERE = {"runpod": ("/graphql",), "digitalocean": ("/spaces/",)}
"""What a document does not hold, because it is another API of the same provider."""
ROOT = {"neon": "/api/v2"}
"""What stands before the paths of a document, where its server has it and not they."""
NEWER = {"runpod": ("pagination",), "vast": ("credit",)}
"""Fields of an answer that the provider has added since its document; official clients read them."""


def answers(provider: str, home: Path) -> list[Heard]:
    """Every answer that prices, the inventory, health and metrics take."""
    heard: list[Heard] = []

    async def overheard(exchange: Exchange, _: Armed) -> None:
        reply = await exchange.honest()
        heard.append((exchange.scope["method"], exchange.scope["path"], reply.status, reply.body))
        await exchange.reply(reply)

    with asking(provider, home, lambda made: made.layers[provider].arm("overheard", overheard)) as call:
        call("compare_gpu_prices", gpu=["H100", "RTX 4090"])
        if discovery.found()[provider].services:
            call("list_resources")
            call("check_health")
            call("get_metrics", metric="cpu", time="1h")
            call("get_metrics", metric=["compute_time", "size_bytes"], time="1h")
    return heard


def left_out(provider: str) -> set[str]:
    """The ids of what the company's file leaves fields out of on purpose."""
    things = company.things(provider) if provider in company.CLOUDS else ()
    return {one.id for one in things if "without" in one.said}


def documented_part(provider: str, body: bytes) -> bytes:
    """An answer without what is newer than the document, and without records that lack fields on purpose."""
    told, lacking = json.loads(body), left_out(provider)
    if isinstance(told, dict):
        told = {name: value for name, value in told.items() if name not in NEWER.get(provider, ())}
        for name, value in told.items():
            if isinstance(value, list):
                told[name] = [one for one in value if not lacking.intersection(map(str, names(one)))]
    return json.dumps(told).encode()


def names(record: Any) -> Iterable[Any]:
    """The values of a record that may be its id."""
    return record.values() if isinstance(record, dict) else ()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_answer_is_as_the_providers_document_says(provider: str, tmp_path: Path) -> None:
    heard = answers(provider, tmp_path)
    asked = [one for one in heard if not one[1].startswith(ELSEWHERE.get(provider, ("-",)))]
    assert asked
    wrong = {
        fault: None
        for verb, path, status, body in asked
        for fault in complaints(
            provider, verb, path.removeprefix(ROOT.get(provider, "")), status, documented_part(provider, body)
        )
    }
    assert list(wrong) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"size": "500"}, "networkVolumes/0/size"),
        ({"colour": "blue"}, "networkVolumes/0"),
        ({"type": "FAST"}, "networkVolumes/0/type"),
        ({"id": None}, "networkVolumes/0/id"),
    ],
)
def test_a_wrong_shape_is_complained_of(change: dict[str, Any], complaint: str) -> None:
    volume = {"id": "v1", "name": "datasets", "size": 500, "dataCenter": "EU-RO-1", "type": "STANDARD"}

    def told(one: dict[str, Any]) -> list[str]:
        return complaints(
            "runpod", "GET", "/v2/network-volumes", 200, json.dumps({"networkVolumes": [one]}).encode()
        )

    assert told(volume) == []
    assert [complaint in one for one in told({**volume, **change})] == [True]


def test_what_no_document_holds_is_complained_of() -> None:
    assert complaints("runpod", "GET", "/v2/podz", 200, b"{}") == [
        "GET /v2/podz is no operation of tests/schemas/runpod.json"
    ]
    assert complaints("vast", "GET", "/api/v0/volumes/", 418, b"{}") == [
        "GET /api/v0/volumes/: an answer 418 is not documented"
    ]
