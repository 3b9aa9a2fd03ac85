"""What a person configured: the only reader of the environment.

A configuration file is JSON, read by `settings_file.py`; `${NAME}` in it stands for an environment variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cloudtop.agent_settings import Agent
from cloudtop.errors import ConfigError
from cloudtop.settings_file import filled, line_of, read, used_variables
from cloudtop.settings_schema import NO_EFFECT

if TYPE_CHECKING:
    from collections.abc import Callable

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


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
class Ambient:
    """How credentials are found that a provider's own tools keep, and which of these places are there.

    `auth` are keys of the configuration that name such credentials (`profile`), `methods` values of
    `auth.method` that do. `found` are variables that are set and files that are there: seen, not read.
    """

    auth: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


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
    ambient: Ambient = field(default_factory=Ambient)

    @property
    def endpoint(self) -> str | None:
        """One base URL for all services of this provider, or None for the cloud itself."""
        value = self.options.get("endpoint")
        return str(value) if value else None

    def endpoint_of(self, account: str) -> str | None:
        """The base URL that an account is asked at instead of the cloud: its own, else the provider's."""
        own = next((one.options.get("endpoint") for one in self.accounts if one.name == account), None)
        return str(own) if own else self.endpoint

    def auth_of(self, account: str) -> dict[str, Any]:
        """What an account's own `auth` and `options` say; the provider's where it has no `auth`."""
        own = next((one for one in self.accounts if one.name == account), AccountSettings())
        if own.auth:
            return {**own.options, **own.auth}
        return {**self.options, **own.options, **self.auth}

    def named_credentials(self, account: str) -> dict[str, str]:
        """What the configuration says of credentials kept elsewhere: `profile`, `role_arn`, `method`."""
        told = self.auth_of(account)
        named = {name: str(told[name]) for name in self.ambient.auth if told.get(name)}
        method = {"method": str(told["method"])} if told.get("method") in self.ambient.methods else {}
        return {**named, **method}

    def source(self, account: str) -> str | None:
        """Where credentials come from that the settings do not hold, in words; None for nowhere."""
        if named := self.named_credentials(account):
            return ", ".join(f"{name} {value}" for name, value in named.items())
        return self.ambient.found[0] if self.ambient.found and account in ("default", "public") else None


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
    """Bounds of a question: seconds in all, tries after the first, requests in flight over all clouds.

    A deadline of None is the usual one of whoever asks.
    """

    deadline_s: float | None = None
    retries: int = 3
    in_flight: int = 50


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
    ambient: Mapping[str, Ambient] = field(default_factory=dict)

    def provider(self, provider: str) -> ProviderSettings:
        """The settings of `provider`, by its id; defaults when the file does not name it."""
        known = self.providers.get(provider) or ProviderSettings(provider)
        return replace(known, ambient=self.ambient[provider]) if provider in self.ambient else known

    def origin(self, provider: str, account: str, names: Sequence[str]) -> str | None:
        """Where an account's credentials come from, in words; None when one of `names` is nowhere."""
        settings = self.provider(provider)
        if settings.named_credentials(account):
            return settings.source(account)
        if not all(self.secret(provider, account, name) for name in names):
            return settings.source(account)
        variables = [self._set(settings, account, name) for name in names]
        return " and ".join(filter(None, variables)) if any(variables) else "the configuration"

    def secret(self, provider: str, account: str, name: str) -> str | None:
        """A credential: environment first (account `default` only), then the configuration (port Secrets)."""
        settings = self.provider(provider)
        if variable := self._set(settings, account, name):
            return self.environment[variable]
        for one in settings.accounts:
            if one.name == account or (account == "public" and one.name == "default"):
                return one.auth.get(name) or settings.auth.get(name) or None
        return settings.auth.get(name) or None

    def secret_values(self) -> list[str]:
        """Every secret that is known here, for redaction."""
        names = (
            "api_key",
            "api_secret",
            "client_secret",
            "secret_access_key",
            "session_token",
            "key_content",
            "pass_phrase",
            "access_token",
        )
        found = {
            value
            for settings in self.providers.values()
            for auth in (settings.auth, *(one.auth for one in settings.accounts))
            for name in names
            if (value := auth.get(name))
        }
        found |= {value for key, value in self.environment.items() if len(value) >= 8}
        return sorted(found)

    def _set(self, settings: ProviderSettings, account: str, name: str) -> str | None:
        """The variable that holds a credential; those of the environment are of account `default`."""
        if account not in ("default", "public"):
            return None
        return next((one for one in self._variables(settings, name) if self.environment.get(one)), None)

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
    ambient: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Settings:
    """Settings from `config`, else CLOUDTOP_CONFIG, else the user's file, else defaults.

    `provider_id` turns a provider's name as people write it into its id; `variables` are the environment
    variables of a (provider, credential); `ambient` is where a provider's own tools keep credentials, as
    connectors' facts say it. ConfigError names what is wrong.
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
    document, text = read(file) if file else ({}, "")
    secrets = used_variables(document, env)
    settings = _settings(filled(document, env, file, text), folder, file, text, provider_id)
    named = {name for known in variables.values() for name in known}
    named |= {
        value for one in settings.providers.values() for key, value in one.auth.items() if key[:4] == "env_"
    }
    kept = {name: env[name] for name in named | secrets if env.get(name)}
    found = {provider: _ambient(about, env) for provider, about in ambient.items()}
    return replace(settings, environment=kept, variables=dict(variables), ambient=found, offline=offline)


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


def _ambient(about: Mapping[str, Any], env: Mapping[str, str]) -> Ambient:
    """What the facts say of a provider's own tools, and what is here of it. No file is read."""
    home = env.get("HOME") or env.get("USERPROFILE")
    found = [name for name in about.get("variables", ()) if env.get(name)]
    for place, variable in about.get("files", {}).items():
        path = (env.get(variable) if variable else None) or (home and place.replace("~", home, 1))
        if path and Path(path).is_file():
            found.append(place if not (variable and env.get(variable)) else variable)
    return Ambient(tuple(about.get("auth", ())), tuple(about.get("methods", ())), tuple(found))


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


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
            line = line_of(text, ["providers", name])
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
            duration_s(limits["deadline"]) if "deadline" in limits else None,
            limits.get("retries", 3),
            limits.get("in_flight", 50),
        ),
        agent=Agent.of(agent, duration_s),
        without_effect=tuple(_without_effect(document)),
    )


def _known_id(name: str, file: Path | None, text: str, provider_id: Callable[[str], str] | None) -> str:
    if provider_id is None:
        return name
    from cloudtop.errors import ArgumentError

    try:
        return provider_id(name)
    except ArgumentError as error:
        line, key = line_of(text, ["providers", name]), f"providers.{name}"
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
