"""What a resource can be, and what people call it: `data/resource_types.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from cloudtop import compiled
from cloudtop.errors import ArgumentError


class Meant(NamedTuple):
    """Resources of any of `types`; only those with GPUs where `gpus`."""

    types: tuple[str, ...]
    gpus: bool = False


def facts() -> Any:
    """The facts as the YAML has them."""
    return compiled.load(compiled.DATA / "resource_types.yaml")


def types() -> Mapping[str, Mapping[str, Any]]:
    """Every type with its group, title and words."""
    found: Mapping[str, Mapping[str, Any]] = facts()["types"]
    return found


@cache
def group(name: str) -> str:
    """The group of a type: compute container function database storage network."""
    return str(types()[name]["group"])


@cache
def fields(name: str) -> tuple[str, ...]:
    """The fields that a row of this type has beside those that all have."""
    return tuple(types()[name].get("fields", ()))


def title(name: str, count: float = 1) -> str:
    """A type or filter in words, for one or for many."""
    about = types().get(name) or facts()["filters"].get(name) or {"title": name.replace("_", " ")}
    one = str(about["title"])
    return one if count == 1 else str(about.get("plural") or f"{one}s")


def meant(texts: Iterable[str], argument: str = "resource_type") -> Meant:
    """The types that these names and groups stand for; ArgumentError for a name that is none.

    `gpu_instance` narrows instances; beside other types it would narrow those too, so it is refused there.
    """
    names = [_known(text, argument) for text in texts]
    filters = facts()["filters"]
    narrowed = [name for name in names if name in filters]
    if narrowed and len(set(names)) > 1:
        message = f"{narrowed[0]} cannot stand beside other types."
        raise ArgumentError(argument, message, f"{narrowed[0]} alone, or gpu=… with the other types")
    found: dict[str, None] = {}
    for name in names:
        if name in filters:
            found[filters[name]["type"]] = None
        elif name in types():
            # `container`, `function` and `database` are called like their groups: the type itself is meant.
            found[name] = None
        else:
            found.update(dict.fromkeys(one for one, about in types().items() if about["group"] == name))
    return Meant(tuple(found), bool(narrowed))


def accepted() -> list[str]:
    """Every value of the argument `resource_type`: types, filters and groups."""
    return [*types(), *facts()["filters"], *(one for one in facts()["groups"] if one not in types())]


def _known(text: str, argument: str) -> str:
    name = text.strip().lower().replace(" ", "_").replace("-", "_")
    found = _names().get(name)
    if found is None:
        from cloudtop.text import nearest

        close = nearest(name, list(_names()), 1)
        hint = _names()[close[0]] if close else None
        raise ArgumentError(argument, f"{text[:60]!r} is no type of resource.", ", ".join(accepted()), hint)
    return found


@cache
def _names() -> Mapping[str, str]:
    """Every accepted spelling to the type, filter or group it means."""
    found = {name: name for name in accepted()}
    for name, about in {**types(), **facts()["filters"]}.items():
        for word in (*about["words"], about["title"], title(name, 2)):
            found.setdefault(word.lower().replace(" ", "_"), name)
            found.setdefault(f"{word.lower().replace(' ', '_')}s", name)
    return found | {alias: name for alias, name in facts()["aliases"].items() if alias not in found}
