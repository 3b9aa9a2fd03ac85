"""Who sells: the ids of all providers, with a connector or without, and what people call them.

Imported late: difflib.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from cloudtop import compiled
from cloudtop.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Seller:
    """One provider: its id, its own name, other names people use, and whether it is asked directly.

    `resells`: its machines are other sellers'. `host_apart`: it prices machines and their GPUs apart.
    """

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    connector: bool = False
    resells: bool = False
    host_apart: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it may be called."""
        return (self.id, self.title, *self.aliases)


class ConnectorFacts(Protocol):
    """What a connector's own file says of the provider's names."""

    @property
    def title(self) -> str:
        """The provider's own name."""
        ...

    @property
    def aliases(self) -> Iterable[str]:
        """Other names of it."""
        ...


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Seller]:
    facts = compiled.load(compiled.DATA / "sellers.yaml")
    return {
        seller: Seller(
            seller,
            told["title"],
            tuple(told.get("aliases", ())),
            told.get("connector", True),
            told.get("resells", False),
            told.get("host_apart", False),
        )
        for seller, told in facts.items()
    }


def known(connectors: Mapping[str, ConnectorFacts] | None = None) -> dict[str, Seller]:
    """Every provider by id. Given what the connectors say of themselves, only those found have one."""
    sellers = dict(_shipped())
    if connectors is None:
        return sellers
    for seller in sellers.values():
        sellers[seller.id] = replace(seller, connector=seller.id in connectors)
    for found, told in connectors.items():
        shipped = sellers.get(found)
        aliases = (*(shipped.aliases if shipped else ()), *told.aliases)
        made = Seller(found, told.title, tuple(dict.fromkeys(aliases)), connector=True)
        if shipped:
            made = replace(made, resells=shipped.resells, host_apart=shipped.host_apart)
        sellers[found] = made
    return sellers


def without_connector(connectors: Mapping[str, ConnectorFacts] | None = None) -> tuple[str, ...]:
    """The ids that only price lists speak for."""
    return tuple(seller.id for seller in known(connectors).values() if not seller.connector)


@lru_cache(maxsize=1)
def resellers() -> frozenset[str]:
    """The ids of those who rent out other sellers' machines."""
    return frozenset(seller.id for seller in _shipped().values() if seller.resells)


@lru_cache(maxsize=1)
def host_apart() -> frozenset[str]:
    """The ids of those who price a machine and its GPUs apart."""
    return frozenset(seller.id for seller in _shipped().values() if seller.host_apart)


@lru_cache(maxsize=256)
def owner(instance_type: str) -> str | None:
    """Whose machine a reseller's type is, when it begins with the owner's name: `lambdalabs_A10` is lambda's.

    An owner that is not known is told by the name as an id.
    """
    name, mark, _ = instance_type.partition("_")
    return seller_id(name) if mark and name.isalpha() else None


def provider_id(
    text: str,
    also: Iterable[str] = (),
    connectors: Mapping[str, ConnectorFacts] | None = None,
    argument: str = "providers",
) -> str:
    """The id a person means; `also` are ids met elsewhere, as in somebody's own price list."""
    sellers = known(connectors)
    asked = _plain(text)
    found = _index(sellers).get(asked) or next(
        (each for each in also if asked and _plain(each) == asked), None
    )
    if found:
        return found
    near = _nearest(asked, sellers, also)
    raise ArgumentError(
        argument, f"{text!r} is no provider that is known.", ", ".join(dict.fromkeys((*sellers, *also))), near
    )


def seller_id(text: str) -> str:
    """The id for a seller named in a file: the known one, else the name itself as an id. None is refused."""
    known_as = _index(_shipped()).get(_plain(text))
    return known_as or "-".join("".join(char if char.isalnum() else " " for char in text.lower()).split())


def words(connectors: Mapping[str, ConnectorFacts] | None = None) -> dict[str, str]:
    """What people write for a provider, in lower case with single blanks -> its id."""
    phrases: dict[str, str] = {}
    for seller in known(connectors).values():
        phrases |= dict.fromkeys((" ".join(name.lower().split()) for name in seller.names), seller.id)
    return phrases


def _index(sellers: Mapping[str, Seller]) -> dict[str, str]:
    return {_plain(name): seller.id for seller in sellers.values() for name in seller.names}


def _nearest(asked: str, sellers: Mapping[str, Seller], also: Iterable[str]) -> str | None:
    import difflib

    names = _index(sellers) | {_plain(each): each for each in also}
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.6)
    return names[close[0]] if close else None
