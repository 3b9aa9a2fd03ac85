"""What a person configured: the only reader of the environment.

A configuration file is JSON. It is checked against `SCHEMA` (what `cloudtop config schema` prints) and
every problem names file, line and key. `${NAME}` stands for an environment variable.
Imported late: jsonschema_rs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ConfigError
from cloudtop.settings_schema import NO_EFFECT, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests a second, how many at once after a rest, and how long one may wait for its turn."""

    requests_per_second: float
    burst: int = 1
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One named account of a provider."""

    name: str = "default"
    auth: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What concerns one provider; an absent key means the connector's own default."""

    id: str
    enabled: bool = True
    named: bool = False
    auth: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    timeout_s: float | None = None
    retries: int | None = None
    in_flight: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    accounts: tuple[AccountSettings, ...] = (AccountSettings(),)

    @property
    def endpoint(self) -> str | None:
        """One base URL for all services of this provider, or None for the cloud itself."""
        value = self.options.get("endpoint")
        return str(value) if value else None

    def endpoint_of(self, account: str) -> str | None:
        """The base URL that an account is asked at instead of the cloud: its own, else the provider's."""
        own = next((one.options.get("endpoint") for one in self.accounts if one.name == account), None)
        return str(own) if own else self.endpoint


@dataclass(frozen=True, slots=True)
class Defaults:
    """How results are shown and whether cached ones may be."""

    refresh_interval_s: float = 30.0
    output_format: str = "table"
    show_cached: bool = True


@dataclass(frozen=True, slots=True)
class Output:
    """Colour, times and the columns of tables by kind of row."""

    color_enabled: bool = True
    timestamps: bool = True
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cache:
    """Whether answers are kept, where, for how long (None: each kind's own), and how many scopes."""

    enabled: bool = True
    backend: str = "sqlite"
    ttl_s: float | None = None
    max_size: int | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a question: seconds in all, tries after the first, requests in flight over all clouds."""

    deadline_s: float = 30.0
    retries: int = 3
    in_flight: int = 50


@dataclass(frozen=True, slots=True)
class Agent:
    """Which model plans: `planner`, or a LangChain name; and where it is served."""

    model: str = "planner"
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured, defaults filled in."""

    home: Path
    config_file: Path | None = None
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    output: Output = field(default_factory=Output)
    cache: Cache = field(default_factory=Cache)
    limits: Limits = field(default_factory=Limits)
    agent: Agent = field(default_factory=Agent)
    offline: bool = False
    without_effect: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)

    def provider(self, provider: str) -> ProviderSettings:
        """The settings of `provider`, by its id; defaults when the file does not name it."""
        return self.providers.get(provider) or ProviderSettings(provider)

    def secret(self, provider: str, account: str, name: str) -> str | None:
        """A credential: environment first (account `default` only), then the configuration (port Secrets)."""
        settings = self.provider(provider)
        if account in ("default", "public"):
            for variable in self._variables(settings, name):
                if value := self.environment.get(variable):
                    return value
        for one in settings.accounts:
            if one.name == account or (account == "public" and one.name == "default"):
                return one.auth.get(name) or settings.auth.get(name) or None
        return settings.auth.get(name) or None

    def secret_values(self) -> list[str]:
        """Every secret that is known here, for redaction."""
        names = ("api_key", "api_secret", "client_secret", "secret_access_key", "session_token")
        found = {
            value
            for settings in self.providers.values()
            for auth in (settings.auth, *(one.auth for one in settings.accounts))
            for name in names
            if (value := auth.get(name))
        }
        found |= {value for key, value in self.environment.items() if len(value) >= 8}
        return sorted(found)

    def _variables(self, settings: ProviderSettings, name: str) -> Iterator[str]:
        named = settings.auth.get({"api_key": "env_api_key", "api_secret": "env_secret"}.get(name, ""))
        if named:
            yield named
        yield from self.variables.get((settings.id, name), ())


def duration_s(value: str | float) -> float:
    """Seconds of `30s`, `5m`, `1.5h` or a bare number of seconds; ValueError otherwise."""
    if isinstance(value, int | float):
        return float(value)
    match = DURATION.fullmatch(value.strip().lower())
    if not match:
        raise ValueError(f"{value!r} is not a duration such as 30s, 5m or 2h")
    return float(match[1]) * SECONDS[match[2]]


def load(
    config: Path | None = None,
    home: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    offline: bool = False,
    provider_id: Callable[[str], str] | None = None,
    variables: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType({}),
) -> Settings:
    """Settings from `config`, else CLOUDTOP_CONFIG, else the user's file, else defaults.

    `provider_id` turns a provider's name as people write it into its id; `variables` are the environment
    variables of a (provider, credential). ConfigError names what is wrong.
    """
    env = os.environ if environ is None else environ
    folder = data_home(home, env)
    file = config or _path(env.get("CLOUDTOP_CONFIG"))
    if file is None:
        usual = usual_file(env)
        file = usual if usual.is_file() else None
    elif not file.is_file():
        raise ConfigError(
            str(file), "this configuration file does not exist; `cloudtop config init` writes one"
        )
    document, text = _read(file) if file else ({}, "")
    secrets = _used_variables(document, env)
    settings = _settings(_filled(document, env, file, text), folder, file, text, provider_id)
    named = {name for known in variables.values() for name in known}
    named |= {
        value for one in settings.providers.values() for key, value in one.auth.items() if key[:4] == "env_"
    }
    kept = {name: env[name] for name in named | secrets if env.get(name)}
    return replace(settings, environment=kept, variables=dict(variables), offline=offline)


def untraced() -> None:
    """Switch LangChain's tracing off unless a person switched it on: no service learns what is asked here."""
    os.environ.setdefault("LANGSMITH_TRACING", "false")


def data_home(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Where data is kept: `home`, else CLOUDTOP_HOME, else the user's data folder."""
    env = os.environ if environ is None else environ
    shared = _path(env.get("XDG_DATA_HOME")) or Path.home() / ".local" / "share"
    return home or _path(env.get("CLOUDTOP_HOME")) or shared / "cloudtop"


def usual_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where a person's configuration file lies unless they say otherwise."""
    env = os.environ if environ is None else environ
    return (_path(env.get("XDG_CONFIG_HOME")) or Path.home() / ".config") / "cloudtop" / "config.json"


def own_specs(environ: Mapping[str, str] | None = None) -> Path:
    """Where a person's own narrowed copies of tools lie."""
    return usual_file(environ).parent / "tool_specs"


def variable(name: str, environ: Mapping[str, str] | None = None) -> str:
    """An environment variable of the system or of another program; empty when it is not set."""
    return (os.environ if environ is None else environ).get(name, "")


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _read(file: Path) -> tuple[dict[str, Any], str]:
    """The file's JSON, checked against the schema."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        document = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, file, text))
    except json.JSONDecodeError as error:
        raise ConfigError(str(file), f"not JSON: {error.msg}", line=error.lineno) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error
    check(document, file, text)
    return document, text


def _once(pairs: list[tuple[str, Any]], file: Path, text: str) -> dict[str, Any]:
    """A JSON object whose keys stand in it once; of two that are the same one would silently win."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        last = [match.start() for match in re.finditer(rf'"{re.escape(twice)}"\s*:', text)][-1]
        line = text.count("\n", 0, last) + 1
        raise ConfigError(str(file), "this key is given twice", line=line, key=twice)
    return made


def check(document: Any, file: Path, text: str) -> None:
    """Raise ConfigError for the first key that the schema refuses."""
    import jsonschema_rs

    for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(document):
        path = [str(part) for part in error.instance_path]
        message = error.message
        if "dditional properties" in message and (names := re.findall(r"'([^']+)'", message)):
            path, message = [*path, names[0]], "unknown key" + _nearest(names[0], error)
        if "anyOf" in message:
            message = f"{json.dumps(error.instance)} is not a duration such as 30s, 5m or 2h"
        raise ConfigError(str(file), message, line=_line(text, path), key=".".join(path) or None)


def _nearest(name: str, error: Any) -> str:
    from cloudtop.text import nearest

    place: Any = SCHEMA
    for part in list(error.schema_path)[:-1]:
        place = place[part] if isinstance(place, dict | list) else {}
    found = nearest(name, list(place.get("properties", {})), 1) if isinstance(place, dict) else []
    return f"; did you mean {found[0]}?" if found else ""


def _line(text: str, path: list[str]) -> int | None:
    """The line of the last key of `path`: keys are looked for one after the other, so nesting is followed."""
    at = 0
    for part in path:
        found = re.compile(rf'"{re.escape(part)}"\s*:').search(text, at)
        if found:
            at = found.start()
    return text.count("\n", 0, at) + 1 if path else None


def _used_variables(document: Any, env: Mapping[str, str]) -> set[str]:
    return {name for name in PLACEHOLDER.findall(json.dumps(document)) if name in env}


def _filled(
    value: Any, env: Mapping[str, str], file: Path | None, text: str, path: tuple[str, ...] = ()
) -> Any:
    """`${NAME}` replaced from the environment; an unset one is an error that names the key."""
    if isinstance(value, dict):
        return {key: _filled(one, env, file, text, (*path, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, env, file, text, path) for one in value]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in env:
            message = f"the environment variable {match[1]} is not set"
            raise ConfigError(str(file), message, line=_line(text, list(path)), key=".".join(path))
        return env[match[1]]

    return PLACEHOLDER.sub(replaced, value)


def _settings(
    document: dict[str, Any],
    home: Path,
    file: Path | None,
    text: str,
    provider_id: Callable[[str], str] | None,
) -> Settings:
    providers: dict[str, ProviderSettings] = {}
    for name, body in (document.get("providers") or {}).items():
        known = _known_id(name, file, text, provider_id)
        if known in providers:
            line = _line(text, ["providers", name])
            raise ConfigError(str(file), f"{known} is configured twice", line=line, key=f"providers.{name}")
        providers[known] = _provider(known, body)
    defaults, output = document.get("defaults") or {}, document.get("output") or {}
    cache, limits, agent = (
        document.get("cache") or {},
        document.get("limits") or {},
        document.get("agent") or {},
    )
    backend = {"file": "sqlite"}.get(cache.get("backend", "sqlite"), cache.get("backend", "sqlite"))
    return Settings(
        home=home,
        config_file=file,
        providers=providers,
        defaults=Defaults(
            duration_s(defaults.get("refresh_interval", 30.0)),
            defaults.get("output_format", "table"),
            defaults.get("show_cached", True),
        ),
        output=Output(
            output.get("color_enabled", True),
            output.get("timestamps", True),
            {kind: tuple(names) for kind, names in (output.get("columns") or {}).items()},
        ),
        cache=Cache(
            cache.get("enabled", True),
            backend,
            duration_s(cache["ttl"]) if "ttl" in cache else None,
            cache.get("max_size"),
            _path(cache.get("cache_dir")),
        ),
        limits=Limits(
            duration_s(limits.get("deadline", 30.0)),
            limits.get("retries", 3),
            limits.get("in_flight", 50),
        ),
        agent=Agent(agent.get("model", "planner"), agent.get("base_url")),
        without_effect=tuple(_without_effect(document)),
    )


def _known_id(name: str, file: Path | None, text: str, provider_id: Callable[[str], str] | None) -> str:
    if provider_id is None:
        return name
    from cloudtop.errors import ArgumentError

    try:
        return provider_id(name)
    except ArgumentError as error:
        line, key = _line(text, ["providers", name]), f"providers.{name}"
        raise ConfigError(str(file), error.message + " " + error.next_step, line=line, key=key) from error


def _provider(provider: str, body: dict[str, Any]) -> ProviderSettings:
    rate = body.get("rate_limit")
    named = body.get("accounts") or {}
    auth = {**(body.get("credentials") or {}), **(body.get("auth") or {})}
    accounts = tuple(
        AccountSettings(
            name,
            MappingProxyType(dict(one.get("auth") or {})),
            tuple(one.get("regions") or ()),
            MappingProxyType(dict(one.get("options") or {})),
        )
        for name, one in named.items()
    )
    return ProviderSettings(
        id=provider,
        enabled=body.get("enabled", True),
        named=True,
        auth=MappingProxyType(auth),
        regions=tuple(body.get("regions") or ()),
        services=tuple(body.get("services") or ()),
        rate_limit=RateLimit(
            float(rate["requests_per_second"]),
            rate.get("burst", 1),
            duration_s(rate["timeout"]) if "timeout" in rate else None,
        )
        if rate
        else None,
        timeout_s=duration_s(body["timeout"]) if "timeout" in body else None,
        retries=body.get("retries"),
        in_flight=body.get("in_flight"),
        options=MappingProxyType(dict(body.get("options") or {})),
        accounts=accounts or (AccountSettings(),),
    )


def _without_effect(document: dict[str, Any]) -> Iterator[str]:
    """The keys present in the file that nothing reads today, each with the reason."""
    for path, reason in NO_EFFECT.items():
        places: list[tuple[str, Any]] = [("", document)]
        for part in path.split("."):
            places = [
                (f"{at}.{key}".strip("."), one[key])
                for at, one in places
                if isinstance(one, dict)
                for key in (one if part == "*" else [part])
                if key in one
            ]
        for at, _ in places:
            yield f"{at}: {reason}"
