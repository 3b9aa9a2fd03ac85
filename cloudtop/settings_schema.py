"""The configuration file as a JSON Schema, and which of its keys have no effect yet."""

from __future__ import annotations

from typing import Any


def _closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, **more}


TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
SWITCH = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 1}
DURATION = {
    "description": "seconds as a number, or text such as 30s, 5m, 2h",
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$"},
    ],
}
AUTH = _closed(
    {
        "method": {"enum": ["api_key", "oauth", "service_account", "env"]},
        "api_key": TEXT,
        "api_secret": TEXT,
        "tenant_id": TEXT,
        "subscription_id": TEXT,
        "client_id": TEXT,
        "client_secret": TEXT,
        "access_key_id": TEXT,
        "secret_access_key": TEXT,
        "session_token": TEXT,
        "access_token": TEXT,
        "project_id": TEXT,
        "account_id": TEXT,
        "org_id": TEXT,
        "profile": TEXT,
        "role_arn": TEXT,
        "external_id": TEXT,
        "token_url": TEXT,
        "key_file": TEXT,
        "key_content": TEXT,
        "pass_phrase": TEXT,
        "tenancy": TEXT,
        "user": TEXT,
        "fingerprint": TEXT,
        "env_api_key": TEXT,
        "env_secret": TEXT,
    }
)
RATE_LIMIT = _closed(
    {
        "requests_per_second": {"type": "number", "exclusiveMinimum": 0},
        "burst": COUNT,
        "timeout": DURATION,
    },
    required=["requests_per_second"],
)
OPTIONS = {
    "type": "object",
    "description": "what this provider alone knows; endpoint: one base URL for all its services",
    "properties": {"endpoint": {"type": "string", "pattern": "^https?://[^/]"}},
}
ACCOUNT = _closed({"auth": AUTH, "regions": TEXTS, "options": OPTIONS})
PROVIDER = _closed(
    {
        "enabled": SWITCH,
        "auth": AUTH,
        "credentials": {"type": "object", "additionalProperties": TEXT},
        "regions": TEXTS,
        "services": TEXTS,
        "rate_limit": RATE_LIMIT,
        "timeout": DURATION,
        "retries": {"type": "integer", "minimum": 0, "maximum": 10},
        "in_flight": COUNT,
        "options": OPTIONS,
        "accounts": {"type": "object", "additionalProperties": ACCOUNT},
    }
)
PRICELIST_OPTIONS = _closed(
    {
        "files": TEXTS,
        "columns": {"type": "object", "additionalProperties": TEXT},
        "shipped": SWITCH,
    }
)
PRICELIST = {**PROVIDER, "properties": {**PROVIDER["properties"], "options": PRICELIST_OPTIONS}}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "cloudtop configuration",
    **_closed(
        {
            "version": {"enum": ["1.0", "1", 1]},
            "defaults": _closed(
                {
                    "refresh_interval": DURATION,
                    "output_format": {"enum": ["table", "wide", "json"]},
                    "show_cached": SWITCH,
                }
            ),
            "cache": _closed(
                {
                    "enabled": SWITCH,
                    "backend": {"enum": ["sqlite", "file", "memory"]},
                    "ttl": DURATION,
                    "max_size": COUNT,
                    "cache_dir": TEXT,
                    "redis_url": TEXT,
                }
            ),
            "output": _closed(
                {
                    "color_enabled": SWITCH,
                    "timestamps": SWITCH,
                    "columns": {"type": "object", "additionalProperties": TEXTS},
                }
            ),
            "limits": _closed(
                {
                    "deadline": DURATION,
                    "retries": {"type": "integer", "minimum": 0, "maximum": 10},
                    "in_flight": COUNT,
                }
            ),
            "agent": _closed(
                {
                    "model": TEXT,
                    "base_url": {"type": "string", "pattern": "^https?://[^/]"},
                    "turns": COUNT,
                    "calls": COUNT,
                    "tokens": COUNT,
                    "timeout": DURATION,
                    "result_letters": {"type": "integer", "minimum": 500},
                    "columns": TEXTS,
                    "pseudonyms": SWITCH,
                    "client_model": {"enum": ["unclear", "always", "never"]},
                }
            ),
            "providers": {
                "type": "object",
                "properties": {"pricelist": PRICELIST},
                "additionalProperties": PROVIDER,
            },
        }
    ),
}

LATER = "no effect yet"
NO_EFFECT = {
    "defaults.refresh_interval": f"{LATER}: nothing refreshes by itself",
    "cache.redis_url": f"{LATER}: the cache is one SQLite file",
    "providers.*.auth.api_secret": f"{LATER}: no connector that is here asks for a second secret",
    "providers.*.auth.token_url": f"{LATER}: no connector that is here uses OAuth",
    "providers.*.auth.env_secret": f"{LATER}: no connector that is here asks for a second secret",
}
