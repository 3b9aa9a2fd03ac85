"""Which clouds are found, how strictly their facts are read, and how a connector is put together."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudtop import settings
from cloudtop.errors import CloudtopError, SpecError
from cloudtop.models import Scope
from cloudtop.settings import ProviderSettings, RateLimit
from connectors import discovery
from connectors.base import Connector, Facts
from tests.connectors.raw_servers import Audit, Clock, Hosts, Secrets

VAST = (discovery.FOLDER / "vast.yaml").read_text()
KIND_METHODS = {name: name for name in ("gpu_offers", "health", "metrics", "permissions")}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    return path


def made(facts: Facts, own: ProviderSettings | None = None) -> Connector:
    return discovery.make(
        facts,
        own or ProviderSettings(facts.id),
        secrets=Secrets(),
        clock=Clock(),
        hosts=Hosts(),
        audit=Audit(),
    )


def test_every_connector_has_facts_a_module_and_the_methods_that_its_kinds_promise() -> None:
    found = discovery.found()
    assert set(found) >= {"vast", "pricelist"}
    rooms_own = {"__init__", "base", "http", "door", "rows", "rented", "sdk_door", "threads", "discovery"}
    parts = {path.stem for path in discovery.FOLDER.glob("*_*.py") if path.stem.split("_")[0] in found}
    assert set(found) == {path.stem for path in discovery.FOLDER.glob("*.py")} - rooms_own - parts
    for id, facts in found.items():
        kind = discovery.connector_class(facts)
        assert facts.id == id
        for name, method in KIND_METHODS.items():
            assert (name in facts.kinds) == hasattr(kind, method), f"{id}: {name}"
        assert ("resources" in facts.kinds) == bool(facts.lists), id
        for name in facts.lists:
            assert hasattr(kind, name), f"{id}: {name}"
            if hasattr(kind, method):
                assert inspect.isasyncgenfunction(getattr(kind, method))


def test_the_facts_of_vast_are_these() -> None:
    facts = discovery.found()["vast"]
    assert (facts.title, facts.credential_names, facts.keyless) == (
        "Vast.ai",
        ("api_key",),
        ("gpu_offers", "health"),
    )
    assert facts.variables == ("VAST_API_KEY", "VASTAI_API_KEY")
    assert facts.base_urls == {"api": "https://console.vast.ai"}
    assert facts.ttl_s["gpu_offers"] == 300


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("title: Vast.ai", "titel: Vast.ai", "titel", "did you mean title"),
        ("title: Vast.ai\n", "", "title", "missing"),
        ("burst: 10", "burst: 0", "burst", "above 0"),
        ("burst: 10", "burst: many", "burst", "whole number"),
        ("burst: 10", "burst: true", "burst", "whole number"),
        ("kinds: [gpu_offers, health,", "kinds: [gpu_offers, weather,", "kinds", "weather"),
        ("keyless: [gpu_offers, health]", "keyless: [weather]", "keyless", "weather"),
        ("health: 30, ", "", "ttl_s", "health"),
        ("aliases: [vastai, vast.ai, vast ai]", "aliases: [1]", "aliases", "words"),
        ("api: https://console.vast.ai", "api: https://elsewhere.example", "base_urls", "one of hosts"),
        ("api: https://console.vast.ai", "api: http://console.vast.ai", "base_urls", "https"),
    ],
)
def test_a_mistake_in_facts_is_told_with_file_line_and_key(
    tmp_path: Path, old: str, new: str, key: str, says: str
) -> None:
    assert old in VAST
    path = written(tmp_path, VAST.replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        discovery.facts(path, "connectors.vast")
    assert caught.value.key == key
    assert caught.value.line
    assert says in caught.value.message
    assert "some.yaml" in caught.value.message


def test_facts_that_are_no_mapping_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        discovery.facts(written(tmp_path, "- a\n"), "connectors.vast")


def package(folder: Path, name: str, yaml: str | None, code: str, points: str) -> None:
    """A package as pip would leave it."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    (folder / name / "cloud.py").write_text(code)
    if yaml is not None:
        (folder / name / "cloud.yaml").write_text(yaml)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[cloudtop.connectors]\n{points}\n")


CLOUD = """
from connectors.base import Connector
class Cloud(Connector):
    async def gpu_offers(self, scope):
        yield []
"""
CLOUD_YAML = """
title: Third
aliases: []
docs_url: null
base_urls: {}
hosts: []
credentials: {}
kinds: [gpu_offers]
keyless: []
ttl_s: {gpu_offers: 60}
"""


def test_another_package_adds_a_cloud_and_a_broken_one_becomes_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "third_good", CLOUD_YAML, CLOUD, "third = third_good.cloud")
    package(tmp_path, "third_bad", CLOUD_YAML + "colour: red\n", CLOUD, "bad = third_bad.cloud")
    package(tmp_path, "third_bare", None, CLOUD, "bare = third_bare.cloud\nvast = third_bare.cloud")
    package(tmp_path, "third_gone", None, CLOUD, "gone = third_gone.nowhere")
    monkeypatch.syspath_prepend(str(tmp_path))
    notices: list[str] = []
    found = discovery.found(notices)
    assert found["third"].title == "Third"
    assert isinstance(made(found["third"]), Connector)
    assert not {"bad", "bare", "gone"} & set(found)
    assert found["vast"].title == "Vast.ai"
    assert len(notices) == 4
    assert any("colour" in notice for notice in notices)
    for name in [name for name in sys.modules if name.startswith("third_")]:
        monkeypatch.delitem(sys.modules, name)


def test_a_module_without_a_connector_or_without_itself_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, VAST)
    for module in ("connectors.base", "connectors.not_there"):
        with pytest.raises(SpecError, match=module):
            discovery.connector_class(discovery.facts(path, module))


def test_the_bounds_of_a_door_come_from_the_configuration_else_from_the_facts() -> None:
    facts = discovery.found()["vast"]
    plain = discovery.policy(facts, ProviderSettings("vast"))
    assert (plain.requests_per_second, plain.burst, plain.in_flight, plain.retries) == (0.1667, 10, 4, 3)
    own = ProviderSettings("vast", rate_limit=RateLimit(2, 3, 4), timeout_s=5, retries=0, in_flight=6)
    bound = discovery.policy(facts, own, settings.Limits(retries=9))
    assert (bound.requests_per_second, bound.burst, bound.turn_s) == (2, 3, 4)
    assert (bound.request_s, bound.retries, bound.in_flight) == (5, 0, 6)
    assert discovery.policy(facts, ProviderSettings("vast"), settings.Limits(retries=9)).retries == 9
    here = ProviderSettings("vast", options={"endpoint": "http://127.0.0.1:1"})
    assert discovery.policy(facts, here).requests_per_second == 50, (
        "this machine has none of the cloud's limits"
    )


async def test_what_a_connector_leaves_out_is_kept_as_a_warning() -> None:
    one = made(discovery.found()["vast"])
    one.note(Scope("vast"), "2 offers were left out.", "Nothing to do.")
    (note,) = one.notes
    assert (note.provider, note.account, note.kind, note.severity) == (
        "vast",
        "public",
        "gpu_offers",
        "warning",
    )
    await one.aclose()


def test_a_foreign_package_of_the_same_name_is_found_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    discovery.check_ours()
    import connectors

    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, "/elsewhere/connectors"])
    with pytest.raises(CloudtopError, match="elsewhere"):
        discovery.check_ours()


def test_finding_and_making_connectors_loads_no_http_library() -> None:
    import subprocess

    code = (
        "import sys; from connectors import discovery; discovery.found(); discovery.check_ours();"
        "heavy = ('httpx', 'tenacity', 'yaml', 'asyncio', 'importlib.metadata');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['yaml']"), "yaml only where nothing is compiled yet"
