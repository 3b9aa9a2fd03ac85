"""Which clouds there are: the YAML files of this folder, and what other packages add.

A package adds a cloud with the entry-point group `cloudtop.connectors`: `<id> = "package.module"`, with
`module.yaml` beside `module.py`. Imported late: importlib.metadata, importlib.util, the connectors.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop import compiled, net
from cloudtop.errors import CloudtopError, SpecError
from connectors.base import Connector, Facts, Service
from connectors.http import Http

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    import httpx

    from cloudtop.ports import Audit, Clock, Hosts, Secrets
    from cloudtop.settings import Limits, ProviderSettings
    from connectors.base import Refusal
    from connectors.door import Parsed, Policy

GROUP = "cloudtop.connectors"
FOLDER = Path(__file__).parent
KINDS = frozenset({"gpu_offers", "health", "resources", "metrics", "permissions"})


def found(notices: list[str] | None = None) -> dict[str, Facts]:
    """The facts of every connector by id. A mistake in ours is an error, in another package's a notice."""
    every = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        every[path.stem] = facts(path, f"connectors.{path.stem}")
    for name, module in _added(notices):
        if name in every:
            _tell(notices, f"The connector {name} of another package is left out: the name is taken.")
            continue
        try:
            every[name] = facts(_yaml_of(module), module, name)
        except (CloudtopError, ImportError, OSError, ValueError) as error:
            _tell(notices, f"The connector {name} of another package is left out: {error}")
    return every


def facts(path: Path, module: str, provider: str | None = None) -> Facts:
    """One file of facts, checked strictly: an unknown, missing or wrong key is a SpecError with its line."""
    data = compiled.load(path)
    if not isinstance(data, Mapping):
        raise SpecError(str(path), "is not a mapping of facts")
    _check(path, data)
    hosts = tuple(data["hosts"])
    for url in data["base_urls"].values():
        if net.split(url).hostname not in hosts or not url.startswith("https://"):
            raise _wrong(path, "base_urls", f"{url} must be https and its host one of hosts")
    told = {name: _frozen(data[name]) for name in (*_REQUIRED, *_OPTIONAL) if name in data}
    told["services"] = {name: _service(path, name, one) for name, one in data.get("services", {}).items()}
    _check_lists(path, told)
    return Facts(id=provider or path.stem, file=path, module=module, **told)


def make(
    facts: Facts,
    settings: ProviderSettings,
    *,
    secrets: Secrets,
    clock: Clock,
    hosts: Hosts,
    audit: Audit,
    limits: Limits | None = None,
    shared: Callable[[], asyncio.Semaphore] | None = None,
) -> Connector:
    """The connector itself, with its own way out. `shared` bounds the requests of all clouds together.

    One whose cloud is asked through an SDK has a method `stand`, and is handed what opens a door for it.
    """

    def door(refusal: Refusal | None, parsed: Parsed | None = None) -> httpx.AsyncBaseTransport:
        from connectors.door import Door

        bounds = policy(facts, settings, limits)
        house = shared() if shared else None
        return Door(
            facts,
            bounds,
            clock=clock,
            hosts=hosts,
            audit=audit,
            refusal=refusal,
            shared=house,
            parsed=parsed,
        )

    made = connector_class(facts)(facts, settings, Http(facts, settings, secrets, door), clock.now)
    if stand := getattr(made, "stand", None):
        stand(door)
    return made


def connector_class(facts: Facts) -> type[Connector]:
    """The class that the connector's module defines."""
    try:
        module = importlib.import_module(facts.module)
    except ImportError as error:
        raise SpecError(str(facts.file), f"the module {facts.module} cannot be imported: {error}") from error
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Connector) and value is not Connector:
            return value
    raise SpecError(str(facts.file), f"the module {facts.module} defines no connector")


def policy(facts: Facts, settings: ProviderSettings, limits: Limits | None = None) -> Policy:
    """The bounds of a door: the configuration's, else the cloud's own."""
    from connectors.door import Policy

    rate = settings.rate_limit
    # A server on this machine is not the cloud and has none of its limits.
    here = settings.endpoint is not None and net.is_loopback(net.split(settings.endpoint).hostname or "")
    usual = Policy()
    own = (usual.requests_per_second, usual.burst) if here else (facts.requests_per_second, facts.burst)
    retries = settings.retries if settings.retries is not None else limits.retries if limits else 3
    return Policy(
        requests_per_second=rate.requests_per_second if rate else own[0],
        burst=rate.burst if rate else own[1],
        # Whoever sets a rate means all that cloudtop asks of the provider.
        one_bucket=rate is not None,
        in_flight=settings.in_flight or facts.in_flight,
        retries=retries,
        turn_s=rate.timeout_s if rate else None,
        request_s=settings.timeout_s,
    )


def check_ours() -> None:
    """Refuse to start when another package named `connectors` lies in the way of ours."""
    import cloudtop

    home = Path(cloudtop.__file__).resolve().parents[1] / "connectors"
    package = sys.modules["connectors"]
    places = [Path(place).resolve() for place in package.__path__]
    if places != [home]:
        raise CloudtopError(
            f"Another package named connectors is installed at {', '.join(map(str, places))}.",
            "Install cloudtop as an application, in an environment of its own.",
        )


_TEXTS = (list, "a list of words")
_REQUIRED: dict[str, tuple[type | tuple[type, ...], str]] = {
    "title": (str, "text"),
    "base_urls": (dict, "a mapping of addresses"),
    "hosts": _TEXTS,
    "credentials": (dict, "a mapping of names to environment variables"),
    "kinds": _TEXTS,
    "keyless": _TEXTS,
    "ttl_s": (dict, "seconds for each of kinds"),
}
_OPTIONAL: dict[str, tuple[type | tuple[type, ...], str]] = {
    "aliases": _TEXTS,
    "docs_url": ((str, type(None)), "an address or null"),
    "optional": _TEXTS,
    "enough": (dict, "a mapping of credentials to kinds"),
    "key_header": (str, "the name of a header"),
    "bulk": _TEXTS,
    "early": _TEXTS,
    "requests_per_second": ((int, float), "a number above 0"),
    "burst": (int, "a whole number above 0"),
    "in_flight": (int, "a whole number above 0"),
    "services": (dict, "a mapping of services"),
    "everywhere": _TEXTS,
    "regions": _TEXTS,
    "ambient": (dict, "a mapping of files, variables, auth and methods"),
    "metrics": (dict, "a mapping of types to metrics"),
    "untold": (dict, "a mapping of types to metrics to reasons"),
    "momentary": _TEXTS,
    "terms": (dict, "a mapping of types to types"),
    "needs": (dict, "a mapping of kinds to permissions"),
}
_SERVICE = {"name": str, "group": str, "lists": dict}


def _check(path: Path, data: Mapping[str, Any]) -> None:
    known = {**_REQUIRED, **_OPTIONAL}
    for name, value in data.items():
        if name not in known:
            from cloudtop.text import nearest

            close = nearest(str(name), list(known), 1)
            raise _wrong(path, str(name), "unknown key" + (f"; did you mean {close[0]}?" if close else ""))
        kind, what = known[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _wrong(path, name, f"must be {what}")
        if isinstance(value, int | float) and value <= 0:
            raise _wrong(path, name, f"must be {what}")
        if isinstance(value, list) and not all(isinstance(one, str) and one for one in value):
            raise _wrong(path, name, f"must be {what}")
    for name in _REQUIRED:
        if name not in data:
            raise SpecError(str(path), "this key is missing", line=1, key=name)
    lists = {kind for one in data.get("services", {}).values() for kind in one.get("lists", {})}
    for name in ("kinds", "keyless", "bulk", "ttl_s"):
        known_kinds = KINDS if name == "kinds" else {*data["kinds"], *(lists if name == "ttl_s" else ())}
        for kind_name in data.get(name, ()):
            if kind_name not in known_kinds:
                raise _wrong(path, name, f"{kind_name} is not one of the kinds")
    for kind_name in data["kinds"]:
        seconds = data["ttl_s"].get(kind_name)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise _wrong(path, "ttl_s", f"needs seconds for {kind_name}")


def _service(path: Path, name: str, about: Any) -> Service:
    """One service; an unknown, missing or wrong key in it is a SpecError."""
    known = {*_SERVICE, "words"}
    if not isinstance(about, Mapping) or set(about) - known:
        raise _wrong(path, "services", f"{name} must be a mapping of {', '.join(sorted(known))}")
    for key, kind in _SERVICE.items():
        if not isinstance(about.get(key), kind):
            raise _wrong(path, "services", f"{name} needs {key}")
    lists = {str(kind): tuple(types) for kind, types in about["lists"].items()}
    return Service(name, about["name"], about["group"], lists, tuple(about.get("words", ())))


def _check_lists(path: Path, told: Mapping[str, Any]) -> None:
    """Types and metrics that cloudtop knows; kinds that the services list."""
    if not told["services"]:
        return
    from cloudtop import metrics, resource_types

    lists: dict[str, str] = {}
    for service in told["services"].values():
        for kind, types in service.lists.items():
            if kind in lists:
                raise _wrong(path, "services", f"{kind} is listed by {lists[kind]} and by {service.id}")
            lists[kind] = service.id
            if unknown := [one for one in types if one not in resource_types.types()]:
                raise _wrong(path, "services", f"{unknown[0]} is no type of resource")
    for kind in told.get("everywhere", ()):
        if kind not in lists:
            raise _wrong(path, "everywhere", f"{kind} is listed by no service")
    for key in ("metrics", "untold"):
        for kind, about in told.get(key, {}).items():
            if unknown := [one for one in about if one not in metrics.metrics()]:
                raise _wrong(path, key, f"{kind}: {unknown[0]} is no metric")


def _wrong(path: Path, key: str, message: str) -> SpecError:
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if re.match(rf"{re.escape(key)}\s*:", text)), None)
    return SpecError(str(path), message, line=line, key=key)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _frozen(one) for key, one in value.items()}
    return value


def _added(notices: list[str] | None) -> Iterator[tuple[str, str]]:
    """Id and module of what other packages add. Mostly nothing, which a look at the files shows cheaply."""
    if not any(map(_names_our_group, sys.path)):
        return
    from importlib.metadata import entry_points

    try:
        points = list(entry_points(group=GROUP))
    except (OSError, ValueError) as error:
        _tell(notices, f"Connectors of other packages are left out: {error}")
        return
    for point in points:
        yield point.name, point.module


def _names_our_group(folder: str) -> bool:
    group = GROUP.encode()
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return False
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            with (
                contextlib.suppress(OSError),
                open(os.path.join(folder, name, "entry_points.txt"), "rb") as lists,
            ):
                if group in lists.read():
                    return True
    return False


def _yaml_of(module: str) -> Path:
    from importlib.util import find_spec

    spec = find_spec(module)
    if spec is None or not spec.origin:
        raise ImportError(f"there is no module {module}")
    return Path(spec.origin).with_suffix(".yaml")


def _tell(notices: list[str] | None, message: str) -> None:
    if notices is not None:
        notices.append(message)
