"""The configuration file: every key has an effect or is named, and a mistake has file, line and key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudtop.agent_settings import Agent
from cloudtop.errors import ConfigError
from cloudtop.sellers import provider_id
from cloudtop.settings import Settings, duration_s, load

# The sample of the monitoring design: it must load as it stands.
SAMPLE = {
    "version": "1.0",
    "defaults": {"refresh_interval": "30s", "output_format": "table", "show_cached": True},
    "cache": {"enabled": True, "backend": "memory", "ttl": "5m", "max_size": 1000},
    "output": {
        "color_enabled": True,
        "timestamps": True,
        "columns": {
            "compute": ["name", "status", "cpu", "memory", "region"],
            "gpu": ["name", "gpu_type", "gpu_count", "utilization", "price"],
        },
    },
    "providers": {
        "cloudflare": {
            "enabled": True,
            "auth": {"method": "api_key", "env_api_key": "CLOUDFLARE_API_TOKEN"},
            "services": ["workers", "r2", "ai"],
            "rate_limit": {"requests_per_second": 4, "burst": 10, "timeout": "30s"},
        },
        "oracle": {
            "enabled": True,
            "auth": {"method": "service_account", "key_file": "~/.oci/config"},
            "regions": ["us-ashburn-1", "us-phoenix-1"],
            "services": ["compute", "containers", "autonomous_db"],
            "rate_limit": {"requests_per_second": 10, "burst": 20, "timeout": "30s"},
        },
        "azure": {
            "enabled": True,
            "auth": {"method": "service_account", "key_file": "~/.azure/credentials.json"},
            "services": ["vms", "aks", "functions"],
            "options": {"subscription_id": "your-subscription-id"},
        },
        "neon": {"enabled": True, "auth": {"method": "api_key", "env_api_key": "NEON_API_KEY"}},
        "vastai": {"enabled": True, "auth": {"method": "api_key", "env_api_key": "VASTAI_API_KEY"}},
        "runpod": {"enabled": True, "auth": {"method": "api_key", "env_api_key": "RUNPOD_API_KEY"}},
    },
}


def loaded(tmp_path: Path, document: Any, **environ: str) -> Settings:
    file = tmp_path / "config.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
    variables = {("vast", "api_key"): ("VAST_API_KEY", "VASTAI_API_KEY")}
    return load(file, tmp_path / "home", environ=environ, provider_id=provider_id, variables=variables)


def test_the_sample_loads_and_older_provider_names_become_ids(tmp_path: Path) -> None:
    found = loaded(tmp_path, SAMPLE, VASTAI_API_KEY="k-vast")
    assert set(found.providers) == {"cloudflare", "oci", "azure", "neon", "vast", "runpod"}
    assert found.cache.backend == "memory"
    assert found.cache.ttl_s == 300
    assert found.provider("cloudflare").rate_limit is not None
    assert found.secret("vast", "default", "api_key") == "k-vast"


def test_keys_without_effect_are_named(tmp_path: Path) -> None:
    named = loaded(tmp_path, SAMPLE).without_effect
    assert any(one.startswith("defaults.refresh_interval:") for one in named)
    assert not any("key_file" in one for one in named)
    assert not any(one.startswith("cache.ttl") for one in named)


@pytest.mark.parametrize(
    ("document", "line", "key"),
    [
        ('{\n "cache": {\n  "tll": "5m"\n }\n}', 3, "cache.tll"),
        ('{\n "cache": {\n  "ttl": "five"\n }\n}', 3, "cache.ttl"),
        ('{\n "providers": {\n  "vast": {"enabled": "yes"}\n }\n}', 3, "providers.vast.enabled"),
        ('{\n "cache": {},\n "colour": true\n}', 3, "colour"),
        ('{\n "providers": {\n  "vats": {}\n }\n}', 3, "providers.vats"),
        ('{\n "cache": {"backend": "redis"}\n}', 2, "cache.backend"),
        (
            '{\n "providers": {"vast": {"auth": {"api_key": "${NOT_SET_HERE}"}}}\n}',
            2,
            "providers.vast.auth.api_key",
        ),
        ('{\n "cache": {\n}', 3, None),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, document: str, line: int, key: str | None) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, document)
    assert (raised.value.line, raised.value.key) == (line, key)
    assert f"config.json:{line}" in str(raised.value)


def test_a_misspelt_key_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean ttl"):
        loaded(tmp_path, {"cache": {"tll": 5}})


def test_a_provider_given_under_two_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="configured twice"):
        loaded(tmp_path, {"providers": {"vast": {}, "vastai": {}}})


def test_a_placeholder_is_filled_from_the_environment(tmp_path: Path) -> None:
    document = {"providers": {"vast": {"auth": {"api_key": "${MY_KEY}"}}}}
    assert loaded(tmp_path, document, MY_KEY="from-env").secret("vast", "default", "api_key") == "from-env"


def test_the_environment_wins_and_serves_the_default_account_only(tmp_path: Path) -> None:
    document = {
        "providers": {
            "vast": {"accounts": {"default": {"auth": {"api_key": "a"}}, "lab": {"auth": {"api_key": "b"}}}}
        }
    }
    found = loaded(tmp_path, document, VAST_API_KEY="from-env")
    assert found.secret("vast", "default", "api_key") == "from-env"
    assert found.secret("vast", "lab", "api_key") == "b"
    assert found.secret("vast", "nobody", "api_key") is None


def test_every_known_secret_is_offered_for_redaction(tmp_path: Path) -> None:
    document = {"providers": {"vast": {"auth": {"api_key": "in-the-file-123"}}}}
    found = loaded(tmp_path, document, VAST_API_KEY="in-the-environment")
    assert {"in-the-file-123", "in-the-environment"} <= set(found.secret_values())
    assert "in-the-environment" not in repr(found)


def test_without_a_file_defaults_hold(tmp_path: Path) -> None:
    found = load(None, tmp_path, environ={"XDG_CONFIG_HOME": str(tmp_path / "none")})
    assert found.config_file is None
    assert found.provider("vast").enabled
    assert found.limits.retries == 3


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "no.json", tmp_path, environ={})


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("2h", 7200), ("250ms", 0.25), (7, 7), ("9", 9)]
)
def test_durations(text: str | float, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ('{"providers": {"vast": {},\n "vast": {"enabled": false}}}', "given twice"),
        ('{"cache": {"ttl": "-5s"}}', "not a duration"),
        ('{"providers": {"vast": {"options": {"endpoint": 5}}}}', "endpoint"),
        ('{"providers": {"vast": {"options": {"endpoint": "ftp://x"}}}}', "endpoint"),
    ],
)
def test_what_cannot_work_is_said_at_once(tmp_path: Path, document: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        loaded(tmp_path, document)


def test_each_bound_of_a_model_can_be_set(tmp_path: Path) -> None:
    said = {
        "model": "anthropic:x",
        "base_url": "https://models.example.com",
        "turns": 2,
        "calls": 3,
        "tokens": 4000,
        "timeout": "5s",
        "result_letters": 600,
        "columns": ["name"],
        "pseudonyms": True,
        "client_model": "never",
    }
    read = loaded(tmp_path, {"agent": said}).agent
    assert read == Agent(
        "anthropic:x",
        "https://models.example.com",
        2,
        3,
        4000,
        5.0,
        600,
        ("name",),
        pseudonyms=True,
        client_model="never",
    )
    usual = Agent()
    assert not [name for name in Agent.__slots__ if getattr(read, name) == getattr(usual, name)]
